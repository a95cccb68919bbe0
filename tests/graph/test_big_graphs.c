/* Ten million nodes in the shapes that break algorithms: recursion, quadratic steps, memory. */
#include "postmortem/model/dominators.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/graph/made_graph.h"
#include "tests/support/assert_error.h"

#define MANY 10000000u
#define BOUND                                                                                                \
    120.0 /* seconds of processor time; a second or two without sanitizers, a quadratic step days            \
           */

/* Sanitizers keep freed memory and shadows of their own. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

struct filler {
    struct pm_graph *graph;
    pm_node node;
    uint64_t edge;
};

static void edge(struct filler *filler, pm_node to) {
    assert_true(filler->edge < filler->graph->edge_count);
    filler->graph->edges[filler->edge++] = to;
}

static void end_node(struct filler *filler) {
    filler->graph->first_edge[++filler->node] = filler->edge;
}

static struct pm_graph *done(struct filler *filler) {
    while (filler->node < filler->graph->node_count) end_node(filler);
    filler->graph->edge_count = filler->edge;
    return filler->graph;
}

static struct filler fill(size_t nodes, size_t edges) {
    struct filler filler = {.graph = made_graph_empty(nodes, edges)};
    for (size_t i = 0; i < nodes; i++) filler.graph->shallow[i] = 1;
    return filler;
}

static double seconds(void) {
    return (double)clock() / CLOCKS_PER_SEC;
}

static struct pm_dominators *dominators_in_time(const struct pm_graph *graph) {
    struct pm_dominators *found = NULL;
    double start = seconds();
    assert_pm_ok(pm_dominators_create(graph, &found));
    assert_true(seconds() - start < BOUND);
    return found;
}

/* A list dominates all the way down. `extra` adds what does not change that: references back and to itself.
 */
static void check_list(pm_node count, bool extra) {
    struct filler filler = fill(count, 4 * (size_t)count);
    for (pm_node i = 0; i < count; i++) {
        if (extra && i) edge(&filler, i - 1);
        if (extra) edge(&filler, i);
        if (i + 1 < count) edge(&filler, i + 1);
        if (extra && i % 1000 == 999) edge(&filler, i - 999);
        end_node(&filler);
    }
    struct pm_graph *graph PM_AUTO(graph) = done(&filler);
    struct pm_dominators *found PM_AUTO(dominators) = dominators_in_time(graph);
    for (pm_node i = 0; i < count; i++) {
        assert_true(found->dominator[i] == (i ? i - 1 : 0));
        assert_true(found->retained[i] == 8 * (uint64_t)(count - i));
    }
    struct pm_paths *paths PM_AUTO(paths) = NULL;
    struct pm_dominator_children *children PM_AUTO(dominator_children) = NULL;
    struct pm_path_step *steps = NULL;
    size_t length = 0;
    assert_pm_ok(pm_dominator_children_create(graph, found, &children));
    assert_int_equal(children->child[children->first[count / 2]], count / 2 + 1);
    assert_pm_ok(pm_paths_create(graph, &paths));
    assert_pm_ok(pm_paths_to(paths, count - 1, &steps, &length));
    assert_int_equal(length, count);
    free(steps);
}

static void test_list(void **state) {
    (void)state;
    check_list(MANY, false);
}

static void test_list_with_references_back(void **state) {
    (void)state;
    check_list(MANY / 2, true);
}

/* The table of an LRU cache refers to every link of its list: nobody dominates anybody. */
static void test_list_in_a_table(void **state) {
    (void)state;
    const pm_node count = MANY / 2;
    struct filler filler = fill(count, 4 * (size_t)count);
    edge(&filler, 1);
    end_node(&filler);
    for (pm_node i = 2; i < count; i++) edge(&filler, i);
    end_node(&filler);
    for (pm_node i = 2; i < count; i++) {
        if (i > 2) edge(&filler, i - 1);
        if (i + 1 < count) edge(&filler, i + 1);
        end_node(&filler);
    }
    struct pm_graph *graph PM_AUTO(graph) = done(&filler);
    struct pm_dominators *found PM_AUTO(dominators) = dominators_in_time(graph);
    for (pm_node i = 2; i < count; i++) assert_true(found->dominator[i] == 1 && found->retained[i] == 8);
}

static void test_star(void **state) {
    (void)state;
    struct filler filler = fill(MANY, MANY);
    edge(&filler, 1);
    end_node(&filler);
    for (pm_node i = 2; i < MANY; i++) edge(&filler, i);
    struct pm_graph *graph PM_AUTO(graph) = (end_node(&filler), done(&filler));
    for (pm_node i = 2; i < MANY; i++) graph->shallow[i] = 1 + i * 2654435761u % 1000003;
    struct pm_dominators *found PM_AUTO(dominators) = dominators_in_time(graph);
    struct pm_dominator_children *children PM_AUTO(dominator_children) = NULL;
    double start = seconds();
    assert_pm_ok(pm_dominator_children_create(graph, found, &children));
    assert_true(seconds() - start < BOUND);
    for (uint64_t i = children->first[1] + 1; i < children->first[2]; i++) {
        pm_node before = children->child[i - 1], child = children->child[i];
        assert_true(found->dominator[child] == 1);
        assert_true(found->retained[before] > found->retained[child] ||
                    (found->retained[before] == found->retained[child] && before < child));
    }
}

static void test_binary_tree(void **state) {
    (void)state;
    struct filler filler = fill(MANY, MANY);
    for (uint64_t i = 0; i < MANY; i++) {
        if (2 * i + 1 < MANY) edge(&filler, (pm_node)(2 * i + 1));
        if (2 * i + 2 < MANY) edge(&filler, (pm_node)(2 * i + 2));
        end_node(&filler);
    }
    struct pm_graph *graph PM_AUTO(graph) = done(&filler);
    struct pm_dominators *found PM_AUTO(dominators) = dominators_in_time(graph);
    for (pm_node i = 1; i < MANY; i++) assert_true(found->dominator[i] == (i - 1) / 2);
    assert_true(found->retained[0] == 8 * (uint64_t)MANY);
    assert_int_equal(found->reachable, MANY);
}

/* A chain of n dominators; at its end a node that refers to n others, to which the root refers as well (they
 * have a reference of their own, or they would be numbered at once). Semi-NCA by plain steps takes n^2. */
static void check_chain_above_a_star(bool chain_first) {
    const pm_node half = 1000000, count = 2 * half;
    struct filler filler = fill(count, 4 * (size_t)count);
    if (chain_first) edge(&filler, 1);
    for (pm_node i = half; i < count; i++) edge(&filler, i);
    if (!chain_first) edge(&filler, 1);
    end_node(&filler);
    for (pm_node i = 1; i < half; i++) {
        if (i + 1 < half) edge(&filler, i + 1);
        for (pm_node k = half; i + 1 == half && k < count; k++) edge(&filler, k);
        end_node(&filler);
    }
    for (pm_node i = half; i < count; i++) {
        edge(&filler, i);
        end_node(&filler);
    }
    struct pm_graph *graph PM_AUTO(graph) = done(&filler);
    struct pm_dominators *found PM_AUTO(dominators) = dominators_in_time(graph);
    for (pm_node i = 1; i < half; i++) assert_true(found->dominator[i] == i - 1);
    for (pm_node i = half; i < count; i++) assert_true(found->dominator[i] == 0 && found->retained[i] == 8);
}

static void test_chain_above_a_star(void **state) {
    (void)state;
    check_chain_above_a_star(false);
    check_chain_above_a_star(true);
}

/* From the end of a list references lead back to every link, and from every link to the end. */
static void test_list_with_all_references_to_its_ends(void **state) {
    (void)state;
    const pm_node count = MANY / 4;
    struct filler filler = fill(count, 4 * (size_t)count);
    for (pm_node i = 0; i < count; i++) {
        edge(&filler, count - 1);
        if (i + 1 < count) edge(&filler, i + 1);
        for (pm_node k = 1; i + 1 == count && k < count; k++) edge(&filler, k);
        end_node(&filler);
    }
    struct pm_graph *graph PM_AUTO(graph) = done(&filler);
    struct pm_dominators *found PM_AUTO(dominators) = dominators_in_time(graph);
    for (pm_node i = 1; i < count; i++) assert_true(found->dominator[i] == 0 && found->retained[i] == 8);
}

/* ---- Memory ---- */

static long status_kb(const char *field) {
    FILE *file PM_AUTO_FCLOSE = fopen("/proc/self/status", "r");
    char line[256];
    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, field, strlen(field)) == 0) return strtol(line + strlen(field), NULL, 10);
    return -1;
}

static bool reset_peak(void) {
    FILE *file PM_AUTO_FCLOSE = fopen("/proc/self/clear_refs", "w");
    return file && fputs("5", file) >= 0 && fflush(file) == 0;
}

/* At most 40 bytes per node, result included, and 8 per reference that the search does not follow. */
static void test_memory_at_the_peak(void **state) {
    (void)state;
    if (SANITIZED || !reset_peak()) skip();
    const pm_node count = MANY / 2;
    uint64_t seed = 21, beside_the_tree = 0;
    struct filler filler = fill(count, 2 * (size_t)count);
    for (pm_node i = 0; i < count; i++) {
        if (2 * i + 1 < count) edge(&filler, 2 * i + 1);
        if (2 * i + 2 < count) edge(&filler, 2 * i + 2);
        if (i && made_random(&seed, 2)) edge(&filler, made_random(&seed, count)), beside_the_tree++;
        end_node(&filler);
    }
    struct pm_graph *graph PM_AUTO(graph) = done(&filler);
    assert_true(reset_peak());
    long before = status_kb("VmRSS:");
    struct pm_dominators *found PM_AUTO(dominators) = dominators_in_time(graph);
    long peak = status_kb("VmHWM:") - before, kept = status_kb("VmRSS:") - before;
    assert_int_equal(found->reachable, count);
    print_message("peak %.1f bytes per node, kept %.1f; %.2f references beside the tree per node\n",
                  (double)peak * 1024 / count, (double)kept * 1024 / count, (double)beside_the_tree / count);
    assert_true((uint64_t)peak * 1024 < 40 * (uint64_t)count + 8 * beside_the_tree + (16 << 20));
    assert_true((uint64_t)kept * 1024 < 12 * (uint64_t)count + (16 << 20));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_list_with_references_back),
        cmocka_unit_test(test_list_in_a_table),
        cmocka_unit_test(test_star),
        cmocka_unit_test(test_binary_tree),
        cmocka_unit_test(test_chain_above_a_star),
        cmocka_unit_test(test_list_with_all_references_to_its_ends),
        cmocka_unit_test(test_memory_at_the_peak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
