/* Children in the dominator tree: everyone once, below its dominator, largest first. */
#include "postmortem/model/dominators.h"

#include <stdlib.h>

#include "tests/graph/made_graph.h"
#include "tests/support/assert_error.h"

static void check_tree(const struct pm_graph *graph, const struct pm_dominators *dominators) {
    struct pm_dominator_children *children PM_AUTO(dominator_children) = NULL;
    assert_pm_ok(pm_dominator_children_create(graph, dominators, &children));
    assert_int_equal(children->first[0], 0);
    assert_true(children->first[graph->node_count] == dominators->reachable - 1);
    unsigned char *seen = calloc(graph->node_count, 1);
    for (pm_node node = 0; node < graph->node_count; node++) {
        assert_true(children->first[node] <= children->first[node + 1]);
        for (uint64_t i = children->first[node]; i < children->first[node + 1]; i++) {
            pm_node child = children->child[i];
            assert_int_equal(dominators->dominator[child], node);
            assert_true(child != 0 && !seen[child]++);
            if (i == children->first[node]) continue;
            pm_node before = children->child[i - 1];
            uint64_t larger = dominators->retained[before], smaller = dominators->retained[child];
            assert_true(larger > smaller || (larger == smaller && before < child));
        }
    }
    free(seen);
}

static void test_random_graphs(void **state) {
    (void)state;
    uint64_t seed = 3;
    for (int i = 0; i < 3000; i++) {
        struct pm_graph *graph PM_AUTO(graph) = made_graph_random(&seed, i % 50 ? 60 : 3000);
        struct pm_dominators *dominators PM_AUTO(dominators) = NULL;
        assert_pm_ok(pm_dominators_create(graph, &dominators));
        check_tree(graph, dominators);
    }
}

/* Rows around the length where the way of sorting changes, with keys that differ in any of their bytes. */
static void test_rows_of_every_length(void **state) {
    (void)state;
    uint64_t seed = 9;
    for (pm_node count = 2; count < 600; count += count < 80 ? 1 : 57) {
        struct pm_graph *graph PM_AUTO(graph) = made_graph_empty(count, count - 1);
        struct pm_dominators *dominators PM_AUTO(dominators) = NULL;
        for (pm_node i = 1; i < count; i++) graph->edges[i - 1] = i;
        for (pm_node i = 1; i <= count; i++) graph->first_edge[i] = count - 1;
        uint64_t wide = count % 3 ? made_random(&seed, 56) : 0;
        for (pm_node i = 1; i < count; i++)
            if (made_random(&seed, 4))
                made_graph_external(graph, i, (uint64_t)made_random(&seed, 100) << wide >> 8);
        assert_pm_ok(pm_dominators_create(graph, &dominators));
        check_tree(graph, dominators);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_graphs),
        cmocka_unit_test(test_rows_of_every_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
