/* Shortest paths and referrers against the plainest way to find them. */
#include "postmortem/model/dominators.h"

#include <stdlib.h>
#include <string.h>

#include "tests/graph/made_graph.h"
#include "tests/support/assert_error.h"

/* Distances by rounds over all edges until nothing changes; transient roots after the others are done. */
static void relax(const struct pm_graph *graph, uint32_t *distance, const bool *fixed, uint64_t first_root) {
    for (bool changed = true; changed;) {
        changed = false;
        for (pm_node node = 0; node < graph->node_count; node++) {
            if (distance[node] == UINT32_MAX) continue;
            uint64_t edge = node ? graph->first_edge[node] : first_root;
            for (; edge < graph->first_edge[node + 1]; edge++) {
                pm_node to = graph->edges[edge];
                if (fixed[to] || distance[to] <= distance[node] + 1) continue;
                distance[to] = distance[node] + 1;
                changed = true;
            }
        }
    }
}

static void plain_distances(const struct pm_graph *graph, uint32_t *distance) {
    bool *fixed = calloc(graph->node_count, sizeof(*fixed));
    memset(distance, 0xff, graph->node_count * sizeof(*distance));
    distance[0] = 0;
    relax(graph, distance, fixed, graph->transient_roots);
    for (pm_node i = 0; i < graph->node_count; i++) fixed[i] = distance[i] != UINT32_MAX;
    relax(graph, distance, fixed, 0);
    free(fixed);
}

static void check_path(const struct pm_graph *graph, const struct pm_paths *paths, pm_node node,
                       uint32_t distance) {
    struct pm_path_step *steps = NULL;
    size_t count = 0;
    assert_pm_ok(pm_paths_to(paths, node, &steps, &count));
    assert_int_equal(count, distance + 1);
    assert_int_equal(steps[0].node, 0);
    assert_true(steps[0].edge == UINT64_MAX);
    assert_int_equal(steps[distance].node, node);
    for (uint32_t i = 1; i <= distance; i++) {
        pm_node from = steps[i - 1].node;
        assert_true(graph->first_edge[from] <= steps[i].edge && steps[i].edge < graph->first_edge[from + 1]);
        assert_int_equal(graph->edges[steps[i].edge], steps[i].node);
    }
    free(steps);
}

static void check_paths(const struct pm_graph *graph) {
    struct pm_paths *paths PM_AUTO(paths) = NULL;
    uint32_t *distance = calloc(graph->node_count, sizeof(*distance));
    plain_distances(graph, distance);
    assert_pm_ok(pm_paths_create(graph, &paths));
    for (pm_node node = 0; node < graph->node_count; node++) {
        assert_int_equal(pm_paths_distance(paths, node), distance[node]);
        if (distance[node] != UINT32_MAX) {
            check_path(graph, paths, node, distance[node]);
        } else {
            struct pm_path_step *steps = NULL;
            size_t count = 0;
            assert_pm_error(pm_paths_to(paths, node, &steps, &count), PM_ERR_NOT_FOUND, "garbage");
            assert_null(steps);
        }
    }
    assert_int_equal(pm_paths_distance(paths, graph->node_count), UINT32_MAX);
    assert_int_equal(pm_paths_distance(paths, PM_NO_NODE), UINT32_MAX);
    free(distance);
}

static void check_referrers(const struct pm_graph *graph, pm_node node) {
    struct pm_path_step *steps = NULL;
    size_t count = 0, at = 0;
    assert_pm_ok(pm_graph_referrers(graph, node, &steps, &count));
    for (pm_node from = 0; from < graph->node_count; from++) {
        for (uint64_t edge = graph->first_edge[from]; edge < graph->first_edge[from + 1]; edge++) {
            if (graph->edges[edge] != node) continue;
            assert_true(at < count);
            assert_int_equal(steps[at].node, from);
            assert_true(steps[at].edge == edge);
            at++;
        }
    }
    assert_int_equal(at, count);
    free(steps);
}

static void test_random_graphs(void **state) {
    (void)state;
    uint64_t seed = 11;
    for (int i = 0; i < 3000; i++) {
        struct pm_graph *graph PM_AUTO(graph) = made_graph_random(&seed, i % 100 ? 40 : 700);
        check_paths(graph);
        if (i % 3) graph->referrers = pm_referrers_create(); /* an index, but for the first questions */
        for (pm_node node = 0; node < graph->node_count; node++) check_referrers(graph, node);
        check_referrers(graph, PM_NO_NODE);
        pm_graph_forget_referrers(graph);
        check_referrers(graph, 0);
    }
}

static void test_lasting_root_is_preferred(void **state) {
    (void)state;
    const struct made_edge edges[] = {{0, 3}, {0, 1}, {0, 1}, {0, 2}, {2, 3}};
    struct pm_graph *graph PM_AUTO(graph) = made_graph(4, edges, 5);
    struct pm_paths *paths PM_AUTO(paths) = NULL;
    struct pm_path_step *steps = NULL;
    size_t count = 0;
    graph->transient_roots = 2;
    assert_pm_ok(pm_paths_create(graph, &paths));
    assert_int_equal(pm_paths_distance(paths, 3), 2); /* 1 through the stack */
    assert_pm_ok(pm_paths_to(paths, 1, &steps, &count));
    assert_int_equal(count, 2);
    assert_int_equal(steps[1].edge, 2);
    free(steps);
}

static void test_root_alone(void **state) {
    (void)state;
    struct pm_graph *graph PM_AUTO(graph) = made_graph_empty(1, 0);
    check_paths(graph);
    check_referrers(graph, 0);
}

static void test_external_of(void **state) {
    (void)state;
    struct pm_graph *graph PM_AUTO(graph) = made_graph_empty(10, 0);
    assert_int_equal(pm_graph_external_of(graph, 0), 0);
    for (pm_node i = 1; i < 10; i += 2) made_graph_external(graph, i, i * 100);
    for (pm_node i = 0; i < 12; i++)
        assert_int_equal(pm_graph_external_of(graph, i), i % 2 && i < 10 ? i * 100 : 0);
}

static int destroyed;
static void note_destroyed(void *self) {
    destroyed += *(int *)self;
}

static void test_graph_destroys_its_source(void **state) {
    (void)state;
    static const struct pm_graph_source source = {.destroy = note_destroyed};
    int one = 1;
    struct pm_graph *graph = made_graph_empty(3, 0);
    graph->source = &source;
    graph->source_self = &one;
    pm_graph_destroy(graph);
    assert_int_equal(destroyed, 1);
    pm_graph_destroy(NULL);
    pm_paths_destroy(NULL);
    pm_dominators_destroy(NULL);
    pm_dominator_children_destroy(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_graphs),
        cmocka_unit_test(test_lasting_root_is_preferred),
        cmocka_unit_test(test_root_alone),
        cmocka_unit_test(test_external_of),
        cmocka_unit_test(test_graph_destroys_its_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
