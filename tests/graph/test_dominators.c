/* Dominators and retained sizes against definitions: remove a node, see what can no longer be reached. */
#include "postmortem/model/dominators.h"

#include <stdlib.h>

#include "tests/graph/made_graph.h"
#include "tests/support/assert_error.h"

#ifdef TEST_JUMPS /* the same tests with jump pointers from the first step on */
#define PM_CLIMB 0
#include "postmortem/model/dominators.c"
#endif

#define MOST 40

/* ---- The definition ---- */

/* Nodes reached from the root without passing `without`, as bits; from transient roots, and from nodes that
 * are `transient`, only to others that are. */
static uint64_t reach(const struct pm_graph *graph, pm_node without, uint64_t transient) {
    if (without == 0) return 0;
    uint64_t reached = 1, waiting = 1;
    while (waiting) {
        pm_node node = (pm_node)__builtin_ctzll(waiting);
        waiting &= waiting - 1;
        for (uint64_t edge = graph->first_edge[node]; edge < graph->first_edge[node + 1]; edge++) {
            pm_node to = graph->edges[edge];
            bool is_transient = edge < graph->transient_roots || transient >> node & 1;
            if (to == without || reached >> to & 1 || (is_transient && !(transient >> to & 1))) continue;
            reached |= (uint64_t)1 << to;
            waiting |= (uint64_t)1 << to;
        }
    }
    return reached;
}

static uint64_t size_of(const struct pm_graph *graph, pm_node node) {
    return pm_graph_shallow(graph, node) + pm_graph_external_of(graph, node);
}

static void compare_with_definition(const struct pm_graph *graph, const struct pm_dominators *found) {
    uint64_t transient = ~reach(graph, PM_NO_NODE, 0), all = reach(graph, PM_NO_NODE, transient);
    uint64_t kept[MOST], bytes = 0, garbage = 0; /* what each node keeps alive */
    for (pm_node node = 0; node < graph->node_count; node++)
        kept[node] = all & ~reach(graph, node, transient) & (all >> node & 1 ? ~(uint64_t)0 : 0);
    for (pm_node node = 0; node < graph->node_count; node++) {
        pm_node dominator = PM_NO_NODE;
        uint64_t retained = 0;
        for (pm_node i = 0; i < graph->node_count; i++) {
            if (kept[node] >> i & 1) retained += size_of(graph, i);
            /* Of all that keep the node the one that keeps least is nearest. */
            if (i != node && kept[i] >> node & 1 &&
                (dominator == PM_NO_NODE ||
                 __builtin_popcountll(kept[i]) < __builtin_popcountll(kept[dominator])))
                dominator = i;
        }
        if (node == 0) dominator = 0;
        assert_int_equal(found->dominator[node], dominator);
        assert_true(found->retained[node] == retained);
        *(all >> node & 1 ? &bytes : &garbage) += size_of(graph, node);
    }
    assert_int_equal(found->reachable, __builtin_popcountll(all));
    assert_true(found->reachable_bytes == bytes);
    assert_true(found->unreachable_bytes == garbage);
}

static void test_random_graphs_equal_the_definition(void **state) {
    (void)state;
    uint64_t seed = 1;
    for (int i = 0; i < 20000; i++) {
        struct pm_graph *graph PM_AUTO(graph) = made_graph_random(&seed, 1 + (pm_node)(i % MOST));
        struct pm_dominators *found PM_AUTO(dominators) = NULL;
        assert_pm_ok(pm_dominators_create(graph, &found));
        compare_with_definition(graph, found);
    }
}

/* ---- A second algorithm, for graphs too large for the definition: Cooper, Harvey and Kennedy ---- */

struct simple {
    const struct pm_graph *graph;
    pm_node *order; /* reverse postorder is from the end */
    pm_node *position;
    pm_node *dominator; /* by position */
    pm_node count;
};

static void simple_search(struct simple *simple) {
    const struct pm_graph *graph = simple->graph;
    pm_node *stack = calloc((size_t)graph->node_count + 1, sizeof(*stack));
    uint64_t *next = calloc(graph->node_count, sizeof(*next));
    for (pm_node i = 0; i < graph->node_count; i++)
        simple->position[i] = PM_NO_NODE, next[i] = graph->first_edge[i];
    size_t depth = 1;
    simple->position[0] = 0;
    while (depth) {
        pm_node node = stack[depth - 1];
        if (next[node] < graph->first_edge[node + 1]) {
            pm_node to = graph->edges[next[node]++];
            if (simple->position[to] != PM_NO_NODE) continue;
            simple->position[to] = 0;
            stack[depth++] = to;
        } else {
            simple->position[node] = simple->count;
            simple->order[simple->count++] = node;
            depth--;
        }
    }
    free(stack);
    free(next);
}

static pm_node simple_intersect(const struct simple *simple, pm_node a, pm_node b) {
    while (a != b) {
        if (a < b)
            a = simple->dominator[a];
        else
            b = simple->dominator[b];
    }
    return a;
}

static bool simple_round(const struct simple *simple) {
    bool changed = false;
    for (pm_node p = simple->count; p-- > 0;) {
        pm_node node = simple->order[p];
        for (uint64_t edge = simple->graph->first_edge[node]; edge < simple->graph->first_edge[node + 1];
             edge++) {
            pm_node to = simple->position[simple->graph->edges[edge]];
            if (to == simple->count - 1) continue; /* the root */
            pm_node before = simple->dominator[to];
            simple->dominator[to] = before == PM_NO_NODE ? p : simple_intersect(simple, before, p);
            changed |= simple->dominator[to] != before;
        }
    }
    return changed;
}

static void compare_with_simple(const struct pm_graph *graph, const struct pm_dominators *found) {
    size_t n = graph->node_count;
    struct simple simple = {.graph = graph,
                            .order = calloc(n, sizeof(pm_node)),
                            .position = calloc(n, sizeof(pm_node)),
                            .dominator = malloc(n * sizeof(pm_node))};
    simple_search(&simple);
    assert_int_equal(found->reachable, simple.count);
    for (size_t i = 0; i < n; i++) simple.dominator[i] = PM_NO_NODE;
    simple.dominator[simple.count - 1] = simple.count - 1;
    while (simple_round(&simple)) {
    }
    for (size_t i = 0; i < n; i++) {
        pm_node position = simple.position[i];
        assert_int_equal(found->dominator[i],
                         position == PM_NO_NODE ? PM_NO_NODE : simple.order[simple.dominator[position]]);
    }
    uint64_t *retained = calloc(n, sizeof(*retained)); /* postorder: children first */
    for (pm_node p = 0; p < simple.count; p++) {
        retained[p] += size_of(graph, simple.order[p]);
        assert_true(found->retained[simple.order[p]] == retained[p]);
        if (p + 1 < simple.count) retained[simple.dominator[p]] += retained[p];
    }
    free(retained);
    free(simple.order);
    free(simple.position);
    free(simple.dominator);
}

static void test_larger_random_graphs_equal_the_simple_algorithm(void **state) {
    (void)state;
    uint64_t seed = 77;
    for (int i = 0; i < 600; i++) {
        struct pm_graph *graph PM_AUTO(graph) = made_graph_random(&seed, i % 20 ? 500 : 20000);
        struct pm_dominators *found PM_AUTO(dominators) = NULL;
        graph->transient_roots = 0;
        assert_pm_ok(pm_dominators_create(graph, &found));
        compare_with_simple(graph, found);
    }
}

static void test_dense_graph(void **state) {
    (void)state;
    enum { NODES = 2000, EDGES = 1000000 };
    uint64_t seed = 5;
    struct made_edge *edges = calloc(EDGES, sizeof(*edges));
    for (size_t i = 0; i < EDGES; i++)
        edges[i] = (struct made_edge){made_random(&seed, NODES), made_random(&seed, NODES)};
    struct pm_graph *graph PM_AUTO(graph) = made_graph(NODES, edges, EDGES);
    struct pm_dominators *found PM_AUTO(dominators) = NULL;
    free(edges);
    assert_pm_ok(pm_dominators_create(graph, &found));
    compare_with_simple(graph, found);
}

/* ---- Known graphs ---- */

static void check_known(pm_node count, const struct made_edge *edges, size_t edge_count,
                        const pm_node *expected) {
    struct pm_graph *graph PM_AUTO(graph) = made_graph(count, edges, edge_count);
    struct pm_dominators *found PM_AUTO(dominators) = NULL;
    assert_pm_ok(pm_dominators_create(graph, &found));
    for (pm_node i = 0; i < count; i++) assert_int_equal(found->dominator[i], expected[i]);
}
#define check_graph(expected, ...)                                                                           \
    do {                                                                                                     \
        const struct made_edge known[] = {__VA_ARGS__};                                                      \
        check_known(sizeof(expected) / sizeof(*(expected)), known, sizeof(known) / sizeof(*known),           \
                    expected);                                                                               \
    } while (0)

static void test_known_graphs(void **state) {
    (void)state;
    const pm_node diamond[] = {0, 0, 0, 0};
    check_graph(diamond, {0, 1}, {0, 2}, {1, 3}, {2, 3});
    const pm_node below_one[] = {0, 0, 1, 1, 1};
    check_graph(below_one, {0, 1}, {1, 2}, {1, 3}, {2, 4}, {3, 4}, {4, 1}, {4, 4}, {4, 0});
    const pm_node garbage[] = {0, 0, PM_NO_NODE, PM_NO_NODE};
    check_graph(garbage, {0, 1}, {2, 3}, {3, 2}, {3, 1});
    /* Figure 1 of Lengauer and Tarjan (1979): R A B C D E F G H I J K L */
    enum { R, A, B, C, D, E, F, G, H, I, J, K, L };
    const pm_node paper[] = {R, R, R, R, R, R, C, C, R, R, G, R, D};
    check_graph(paper, {R, A}, {R, B}, {R, C}, {A, D}, {B, A}, {B, D}, {B, E}, {C, F}, {C, G}, {D, L}, {E, H},
                {F, I}, {G, I}, {G, J}, {H, E}, {H, K}, {I, K}, {J, I}, {K, I}, {K, R}, {L, H});
}

static void test_root_alone(void **state) {
    (void)state;
    struct pm_graph *graph PM_AUTO(graph) = made_graph_empty(1, 0);
    struct pm_dominators *found PM_AUTO(dominators) = NULL;
    free(graph->edges);
    graph->edges = NULL;
    assert_pm_ok(pm_dominators_create(graph, &found));
    assert_int_equal(found->dominator[0], 0);
    assert_int_equal(found->reachable, 1);
    assert_int_equal(found->retained[0], 8);
}

/* What stacks hold keeps what nothing else keeps, and takes nothing from those who do. */
static void test_transient_roots(void **state) {
    (void)state;
    const struct made_edge edges[] = {{0, 2}, {0, 3}, {0, 4}, {0, 1}, {1, 2}, {3, 5}, {4, 5}, {3, 4}, {5, 2}};
    struct pm_graph *graph PM_AUTO(graph) = made_graph(6, edges, 9);
    struct pm_dominators *found PM_AUTO(dominators) = NULL;
    graph->transient_roots = 3;
    assert_pm_ok(pm_dominators_create(graph, &found));
    const pm_node expected[] = {0, 0, 1, 0, 0, 0};
    for (pm_node i = 0; i < 6; i++) assert_int_equal(found->dominator[i], expected[i]);
}

static void test_external_memory(void **state) {
    (void)state;
    const struct made_edge edges[] = {{0, 1}, {1, 2}, {1, 3}, {4, 3}};
    struct pm_graph *graph PM_AUTO(graph) = made_graph(5, edges, 4);
    struct pm_dominators *found PM_AUTO(dominators) = NULL;
    made_graph_external(graph, 2, 1000000);
    made_graph_external(graph, 3, 3);
    made_graph_external(graph, 4, 7777); /* garbage */
    assert_pm_ok(pm_dominators_create(graph, &found));
    assert_int_equal(found->retained[3], 4 * 8 + 3);
    assert_int_equal(found->retained[2], 3 * 8 + 1000000);
    assert_int_equal(found->retained[1], 9 * 8 + 1000003);
    assert_int_equal(found->retained[0], 10 * 8 + 1000003);
    assert_int_equal(found->retained[4], 0);
    assert_int_equal(found->reachable_bytes, 10 * 8 + 1000003);
}

/* ---- Hostile graphs ---- */

static void expect_format_error(struct pm_graph *graph, const char *words) {
    struct pm_dominators *found = NULL;
    struct pm_paths *paths = NULL;
    assert_pm_error(pm_dominators_create(graph, &found), PM_ERR_FORMAT, words);
    assert_pm_error(pm_paths_create(graph, &paths), PM_ERR_FORMAT, words);
    assert_null(found);
    assert_null(paths);
}

static void test_hostile_graphs(void **state) {
    (void)state;
    const struct made_edge edges[] = {{0, 1}, {1, 2}, {2, 0}};
    struct pm_graph *graph PM_AUTO(graph) = made_graph(3, edges, 3);
    graph->edges[2] = 3;
    expect_format_error(graph, "a reference to node 3 of 3");
    graph->edges[2] = PM_NO_NODE;
    expect_format_error(graph, "a reference to node 4294967295 of 3");
    graph->edges[2] = 0;
    graph->first_edge[1] = (uint64_t)1 << 60;
    expect_format_error(graph, "do not ascend");
    graph->first_edge[1] = 1;
    graph->first_edge[0] = 1;
    expect_format_error(graph, "do not ascend");
    graph->first_edge[0] = 0;
    graph->edge_count = 4;
    expect_format_error(graph, "do not ascend");
    graph->edge_count = 3;
    graph->transient_roots = 2;
    expect_format_error(graph, "transient");
    graph->transient_roots = 0;
    graph->node_count = 0;
    expect_format_error(graph, "there must be a root");
    graph->node_count = 3;
    made_graph_external(graph, 1, UINT64_MAX - 100);
    made_graph_external(graph, 2, 100);
    expect_format_error(graph, "larger than 2^64 bytes");
    graph->external[0].node = 2;
    expect_format_error(graph, "out of order");
    graph->external[0].node = 1;
    graph->external[1].node = 3;
    expect_format_error(graph, "out of order");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_graphs_equal_the_definition),
        cmocka_unit_test(test_larger_random_graphs_equal_the_simple_algorithm),
        cmocka_unit_test(test_dense_graph),
        cmocka_unit_test(test_known_graphs),
        cmocka_unit_test(test_root_alone),
        cmocka_unit_test(test_transient_roots),
        cmocka_unit_test(test_external_memory),
        cmocka_unit_test(test_hostile_graphs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
