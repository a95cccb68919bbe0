/* Snapshots of several chunks (4 MB of text each): records across the borders, nodes with more edges than a
 * chunk has, long runs of weak edges; the same with one thread and with four. */
#include "tests/support/assert_error.h"

#include <time.h>

#include "tests/snapshot/snapshot_builder.h"

enum { PLAIN = 60000, LARGE = 700000, TAIL = 50 };

/* Edges of a node: where they lead and what they are is a matter of their numbers alone. */
static unsigned target_of(unsigned node, unsigned edge, unsigned nodes) {
    return (node * 7919 + edge * 104729 + 1) % nodes;
}
static unsigned degree_of(unsigned node) {
    if (node == 0) return 3;
    if (node == PLAIN / 2) return LARGE;
    if (node == PLAIN / 2 + 1) return 200;
    return node % 11 == 0 ? 0 : node % 97 == 0 ? 70 : node % 4;
}
static bool is_weak(unsigned node, unsigned edge) {
    if (node == PLAIN / 2) return edge % 100000 < 1000 || edge % 7 == 3;
    return (node + edge) % 5 == 0;
}

static struct snapshot_builder *large(const struct snapshot_form *form) {
    struct snapshot_builder *b = snapshot_builder_new(form);
    unsigned nodes = PLAIN + TAIL;
    char name[32];
    for (unsigned node = 1; node < nodes; node++) {
        snprintf(name, sizeof(name), "Class%u", node % 50);
        snapshot_builder_node(b, node % 3 ? "object" : node % 2 ? "native" : "array", name, node);
    }
    for (unsigned node = 0; node < nodes - TAIL; node++) /* the last ones have none */
        for (unsigned edge = 0; edge < degree_of(node); edge++) {
            snprintf(name, sizeof(name), "n%u", edge % 30);
            if (is_weak(node, edge))
                snapshot_builder_named(b, node, "weak", name, target_of(node, edge, nodes));
            else if (edge % 2)
                snapshot_builder_named(b, node, "property", name, target_of(node, edge, nodes));
            else
                snapshot_builder_edge(b, node, "element", edge, target_of(node, edge, nodes));
        }
    for (unsigned node = 1; node < nodes; node += 2)
        snapshot_builder_location(b, node, node % 9, (int)(node % 1000), 1);
    return b;
}

static void check_name(const struct pm_graph *graph, pm_node node, uint64_t strong, unsigned edge) {
    struct pm_edge_name name = {0};
    char expected[32] = "";
    if (edge % 2) snprintf(expected, sizeof(expected), "n%u", edge % 30);
    graph->source->edge_name(graph->source_self, node, strong, &name);
    assert_int_equal(name.kind, edge % 2 ? PM_EDGE_PROPERTY : PM_EDGE_ELEMENT);
    assert_int_equal(name.index, edge % 2 ? 0 : edge);
    assert_string_equal(pm_strbuf_text(&name.text), expected);
    pm_strbuf_deinit(&name.text);
}

static uint64_t check_node(const struct pm_graph *graph, pm_node node, uint64_t strong) {
    assert_int_equal(graph->first_edge[node], strong);
    for (unsigned edge = 0; node < PLAIN && edge < degree_of(node); edge++) {
        if (is_weak(node, edge)) continue;
        assert_int_equal(graph->edges[strong], target_of(node, edge, graph->node_count));
        /* Looking for one edge takes a walk over up to 64 of them, so not all of the million. */
        if (node != PLAIN / 2 || edge % 101 == 0) check_name(graph, node, strong, edge);
        strong++;
    }
    return strong;
}

static void check_large(const struct snapshot_form *form, const char *threads) {
    struct snapshot_builder *b = large(form);
    struct pm_graph *graph = NULL;
    uint64_t strong = 0;
    setenv("PM_THREADS", threads, 1);
    assert_pm_ok(snapshot_read(b, &graph));
    unsetenv("PM_THREADS");
    assert_pm_ok(pm_graph_check(graph));
    assert_int_equal(graph->node_count, PLAIN + TAIL);
    for (pm_node node = 0; node < graph->node_count; node++) {
        struct pm_graph_position position = {0};
        char *function = NULL;
        bool located = graph->source->position(graph->source_self, node, &function, &position);
        strong = check_node(graph, node, strong);
        assert_int_equal(pm_graph_shallow(graph, node) + pm_graph_external_of(graph, node), node);
        assert_int_equal(graph->source->identity(graph->source_self, node), 2 * node + 1);
        assert_int_equal(located, node % 2);
        if (located) assert_int_equal(position.line, node % 1000 + 1);
        free(position.file);
        free(function);
    }
    assert_int_equal(graph->edge_count, strong);
    /* From the back, so that no lookup can go on from the one before. */
    for (pm_node node = PLAIN; node-- > PLAIN - 2000;)
        for (unsigned edge = degree_of(node), at = 0; edge-- > 0;)
            if (!is_weak(node, edge)) check_name(graph, node, graph->first_edge[node + 1] - ++at, edge);
    pm_graph_destroy(graph);
    snapshot_builder_free(b);
}

static void test_chunks(void **state) {
    (void)state;
    check_large(NULL, "1");
    check_large(NULL, "4");
    check_large(&(struct snapshot_form){.node_fields = "type name id self_size edge_count detachedness",
                                        .record_start = ""},
                "3");
    check_large(
        &(struct snapshot_form){.node_fields = "id edge_count type self_size name", .separator = " ,  "},
        "4");
}

static void visit(void *context, pm_node to) {
    (void)to;
    ++*(uint64_t *)context;
}

/* All edges of a large node by name, one after the other, and all keys: no step may cost what the node is
 * long. */
static void test_no_quadratic_steps(void **state) {
    (void)state;
    enum { COUNT = 300000 };
    struct snapshot_builder *b = snapshot_builder_new(NULL);
    struct pm_graph *graph = NULL;
    unsigned object = snapshot_builder_node(b, "object", "Object", 24);
    unsigned value = snapshot_builder_node(b, "object", "Value", 24);
    char name[32];
    for (unsigned i = 0; i < COUNT; i++) {
        snprintf(name, sizeof(name), "key%u", i);
        snapshot_builder_named(b, object, "property", name, value);
    }
    for (unsigned i = 0; i < COUNT; i++) snapshot_builder_named(b, object, "weak", "w", value);
    assert_pm_ok(snapshot_read(b, &graph));
    struct timespec start, end;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
    struct pm_strbuf text = {0};
    uint64_t cursor = 0, weak = 0, keys = 0;
    double number;
    bool is_number;
    while (graph->source->next_key(graph->source_self, object, &cursor, &text, &number, &is_number)) {
        pm_strbuf_clear(&text);
        keys++;
    }
    assert_int_equal(keys, COUNT);
    struct pm_edge_name edge = {0};
    for (uint64_t i = 0; i < COUNT; i++) {
        pm_strbuf_clear(&edge.text);
        graph->source->edge_name(graph->source_self, object, graph->first_edge[object] + (i * 7919) % COUNT,
                                 &edge);
    }
    graph->source->weak_edges(graph->source_self, object, visit, &weak);
    assert_int_equal(weak, COUNT);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    assert_true(end.tv_sec - start.tv_sec <
                30); /* a fraction of a second; sanitizers and other work taken in */
    pm_strbuf_deinit(&edge.text);
    pm_strbuf_deinit(&text);
    pm_graph_destroy(graph);
    snapshot_builder_free(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_chunks),
                                       cmocka_unit_test(test_no_quadratic_steps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
