/* The writer: graphs made by hand, as from a core, written and read again. */
#include "tests/support/assert_error.h"

#include <sys/stat.h>

#include "postmortem/report/heapsnapshot_export.h"
#include "tests/snapshot/snapshot_builder.h"
#include "tests/support/folder.h"

static char *folder;

static int make_folder(void **state) {
    (void)state;
    folder = folder_new();
    return 0;
}
static int drop_folder(void **state) {
    (void)state;
    folder_remove(folder);
    return 0;
}

/* ------------------------------------------------------------------ a graph as from a core */

enum { ROOT, CONTEXT, CACHE, TABLE, SESSION, TEXT, BUFFER, HANDLE, SHAPE, LINE, NODES };

static const char *const classes[] = {"(synthetic)",    "(system)",       "Map",         "(array)",
                                      "Session",        "(string)",       "ArrayBuffer", "(closure)",
                                      "(object shape)", "(sliced string)"};
static const uint8_t kinds[NODES] = {
    PM_NODE_ROOT,   PM_NODE_NATIVE_CONTEXT, PM_NODE_MAP,     PM_NODE_STORE, PM_NODE_OBJECT,
    PM_NODE_STRING, PM_NODE_ARRAY_BUFFER,   PM_NODE_CLOSURE, PM_NODE_SHAPE, PM_NODE_SLICED_STRING};
static const struct edge {
    pm_node from;
    enum pm_edge_kind kind;
    uint32_t index;
    const char *name;
    pm_node to;
} edges[] = {
    {ROOT, PM_EDGE_INTERNAL, 0, "(Stack roots) of thread 7", SESSION}, /* transient */
    {ROOT, PM_EDGE_INTERNAL, 0, "(Strong root list) the_context", CONTEXT},
    {ROOT, PM_EDGE_INTERNAL, 0, "(Global handles)", BUFFER},
    {ROOT, PM_EDGE_INTERNAL, 0, "(Global handles)", HANDLE},
    {ROOT, PM_EDGE_INTERNAL, 0, "something else", SHAPE},
    {CONTEXT, PM_EDGE_CONTEXT, 0, "cache", CACHE},
    {CACHE, PM_EDGE_INTERNAL, 0, "table", TABLE},
    {TABLE, PM_EDGE_INTERNAL, 0, "[17]", SESSION},
    {TABLE, PM_EDGE_HIDDEN, 0, "+96", TEXT},
    {SESSION, PM_EDGE_PROPERTY, 0, "na\"me\n\xf0\x9f\x98\x80\x01", TEXT},
    {SESSION, PM_EDGE_ELEMENT, 3, "", BUFFER},
    {SESSION, PM_EDGE_HIDDEN, 5, "", SHAPE},
    {HANDLE, PM_EDGE_INTERNAL, 0, "map", SHAPE},
    {LINE, PM_EDGE_INTERNAL, 0, "parent", TEXT},
};
enum { EDGES = sizeof(edges) / sizeof(edges[0]) };

static uint64_t identity(const void *self, pm_node node) {
    (void)self;
    return node ? 0x7f1200040000 + node * 0x9008 : 0; /* several chunks of 256 KB */
}
static void describe(const void *self, pm_node node, size_t most, struct pm_strbuf *out) {
    static const char *const texts[NODES] = {[ROOT] = "(root)",
                                             [CONTEXT] = "NativeContext {x: 1} @0x7f1200049008",
                                             [HANDLE] = "function handle request (server.js:31)",
                                             [SHAPE] = "Map @0x7f12"};
    (void)self, (void)most;
    pm_strbuf_append(out, texts[node] ? texts[node] : "?");
}
static void edge_name(const void *self, pm_node from, uint64_t edge, struct pm_edge_name *ret) {
    (void)self;
    assert_int_equal(edges[edge].from, from);
    ret->kind = edges[edge].kind;
    ret->index = edges[edge].index;
    pm_strbuf_append(&ret->text, edges[edge].name);
}
static bool position(const void *self, pm_node node, char **function_ret, struct pm_graph_position *ret) {
    (void)self;
    *function_ret = NULL;
    if (node != HANDLE && node != SESSION) return false;
    *ret = (struct pm_graph_position){
        .file = strdup("/app/server.js"), .line = node == HANDLE ? 31 : 2, .column = 9};
    return true;
}
static bool text(const void *self, pm_node node, size_t most, struct pm_strbuf *out) {
    (void)self;
    assert_int_equal(most, 1024);
    if (node == TEXT) pm_strbuf_append_bytes(out, "a\0b</script>\xff", 13);
    return node == TEXT;
}
static const struct pm_graph_source source = {
    .identity = identity, .describe = describe, .edge_name = edge_name, .position = position, .text = text};

static struct pm_graph *core_graph(void) {
    struct pm_graph *graph = calloc(1, sizeof(*graph));
    graph->node_count = NODES;
    graph->edge_count = EDGES;
    graph->first_edge = calloc(NODES + 1, sizeof(*graph->first_edge));
    graph->edges = calloc(EDGES, sizeof(*graph->edges));
    graph->class_of = calloc(NODES, sizeof(*graph->class_of));
    graph->shallow = calloc(NODES, sizeof(*graph->shallow));
    graph->kinds = calloc(NODES, 1);
    graph->classes = calloc(NODES, sizeof(*graph->classes));
    graph->class_count = NODES;
    memcpy(graph->kinds, kinds, NODES);
    for (pm_node node = 0; node < NODES; node++) {
        graph->classes[node] = classes[node];
        graph->class_of[node] = node;
        graph->shallow[node] = node * 2;
    }
    for (size_t i = 0; i < EDGES; i++) {
        graph->edges[i] = edges[i].to;
        for (pm_node node = edges[i].from + 1; node <= NODES; node++) graph->first_edge[node]++;
    }
    graph->external = calloc(2, sizeof(*graph->external));
    graph->external[0] = (struct pm_graph_external){TEXT, 1001};
    graph->external[1] = (struct pm_graph_external){BUFFER, 65537};
    graph->external_count = 2;
    graph->transient_roots = 1;
    graph->source = &source;
    assert_pm_ok(pm_graph_check(graph));
    return graph;
}

static char *slurp(FILE *file, size_t *length_ret) {
    fflush(file);
    long length = ftell(file);
    char *bytes = malloc((size_t)length + 1);
    rewind(file);
    assert_int_equal(fread(bytes, 1, (size_t)length, file), length);
    bytes[length] = 0;
    *length_ret = (size_t)length;
    return bytes;
}

static pm_node find_class(const struct pm_graph *graph, const char *name) {
    for (pm_node node = 0; node < graph->node_count; node++)
        if (strcmp(graph->classes[graph->class_of[node]], name) == 0) return node;
    fail_msg("no %s", name);
    return PM_NO_NODE;
}

static pm_node find_group(const struct pm_graph *graph, const char *name) {
    for (pm_node node = 1; node < graph->node_count; node++) {
        struct pm_strbuf described PM_AUTO_STRBUF = {0};
        if (graph->kinds[node] != PM_NODE_ROOT) continue;
        graph->source->describe(graph->source_self, node, 100, &described);
        if (strcmp(pm_strbuf_text(&described), name) == 0) return node;
    }
    fail_msg("no group %s", name);
    return PM_NO_NODE;
}

static bool has_edge(const struct pm_graph *graph, pm_node from, enum pm_edge_kind kind, const char *name,
                     pm_node to) {
    bool found = false;
    for (uint64_t edge = graph->first_edge[from]; edge < graph->first_edge[from + 1]; edge++) {
        struct pm_edge_name have = {0};
        graph->source->edge_name(graph->source_self, from, edge, &have);
        char number[16];
        snprintf(number, sizeof(number), "%u", have.index);
        bool numbered = kind == PM_EDGE_ELEMENT || kind == PM_EDGE_HIDDEN;
        found |= have.kind == kind && graph->edges[edge] == to &&
                 strcmp(numbered ? number : pm_strbuf_text(&have.text), name) == 0;
        pm_strbuf_deinit(&have.text);
    }
    return found;
}

static void test_core(void **state) {
    (void)state;
    struct pm_graph *graph = core_graph(), *again = NULL;
    struct pm_snapshot_facts facts;
    FILE *file = tmpfile();
    size_t length;
    assert_pm_ok(pm_heapsnapshot_write(graph, file, folder));
    char *bytes = slurp(file, &length);
    assert_pm_ok(snapshot_read_text(bytes, length, &again, &facts));
    assert_pm_ok(pm_graph_check(again));
    /* (GC roots), four groups, a store for the buffer's memory */
    assert_int_equal(again->node_count, NODES + 6);
    assert_int_equal(facts.claimed_nodes, facts.nodes);
    assert_int_equal(facts.claimed_edges, facts.edges);
    assert_int_equal(facts.edges,
                     EDGES + 1 + 4 + 1 + 1); /* to (GC roots) and groups, a shortcut, to the store */
    uint64_t size = 0;
    for (pm_node node = 0; node < NODES; node++) size += node * 16;
    assert_int_equal(facts.self_size, size + 1001 + 65537);

    pm_node roots = find_group(again, "(GC roots)"), stack = find_group(again, "(Stack roots)");
    pm_node context = find_class(again, "(system)"), session = find_class(again, "Session");
    pm_node buffer = find_class(again, "ArrayBuffer"), table = find_class(again, "(array)");
    pm_node shape = find_class(again, "(object shape)"), string = find_class(again, "(string)");
    pm_node handle = find_class(again, "(closure)"), store = find_class(again, "system / JSArrayBufferData");
    assert_int_equal(again->transient_roots, 1);
    assert_int_equal(again->edges[0], session);
    assert_true(has_edge(again, 0, PM_EDGE_ELEMENT, "1", roots));
    assert_true(has_edge(again, 0, PM_EDGE_SHORTCUT, "2", context));
    assert_true(has_edge(again, roots, PM_EDGE_ELEMENT, "1", stack));
    assert_true(
        has_edge(again, find_group(again, "(Strong root list)"), PM_EDGE_INTERNAL, "the_context", context));
    assert_true(has_edge(again, find_group(again, "(Global handles)"), PM_EDGE_HIDDEN, "1", handle));
    assert_true(
        has_edge(again, find_group(again, "(Strong roots)"), PM_EDGE_INTERNAL, "something else", shape));
    assert_true(has_edge(again, context, PM_EDGE_CONTEXT, "cache", find_class(again, "Map")));
    assert_true(has_edge(again, table, PM_EDGE_INTERNAL, "+96", string));
    assert_true(has_edge(again, session, PM_EDGE_PROPERTY, "na\"me\n\xf0\x9f\x98\x80\x01", string));
    assert_true(has_edge(again, session, PM_EDGE_ELEMENT, "3", buffer));
    assert_true(has_edge(again, session, PM_EDGE_HIDDEN, "5", shape));
    assert_true(has_edge(again, buffer, PM_EDGE_INTERNAL, "backing_store", store));
    assert_int_equal(pm_graph_external_of(again, store), 65537);
    assert_int_equal(pm_graph_shallow(again, string) + pm_graph_external_of(again, string), TEXT * 16 + 1001);

    struct pm_strbuf content PM_AUTO_STRBUF = {0};
    assert_true(again->source->text(again->source_self, string, 100, &content));
    assert_int_equal(content.length, 15);
    assert_memory_equal(content.bytes, "a\0b</script>\xef\xbf\xbd", 15);
    struct pm_strbuf line PM_AUTO_STRBUF = {0};
    again->source->describe(again->source_self, handle, 100, &line);
    assert_string_equal(pm_strbuf_text(&line), "function handle request"); /* nothing leads to its script */
    struct pm_graph_position place;
    char *function;
    assert_true(again->source->position(again->source_self, session, &function, &place));
    assert_int_equal(place.line, 2);
    assert_int_equal(place.column, 9);
    free(place.file);
    free(function);
    pm_graph_destroy(again);
    pm_graph_destroy(graph);
    free(bytes);
    fclose(file);
}

/* Odd, different, below 2^32, and the same whenever the same address is written. */
static void test_ids(void **state) {
    (void)state;
    uint64_t ids[2][NODES + 6];
    for (int i = 0; i < 2; i++) {
        struct pm_graph *graph = core_graph(), *again = NULL;
        FILE *file = tmpfile();
        size_t length;
        assert_pm_ok(pm_heapsnapshot_write(graph, file, NULL));
        char *bytes = slurp(file, &length);
        assert_pm_ok(snapshot_read_text(bytes, length, &again, NULL));
        for (pm_node node = 0; node < again->node_count; node++) {
            ids[i][node] = again->source->identity(again->source_self, node);
            assert_true(ids[i][node] % 2 == 1 && ids[i][node] <= UINT32_MAX);
            for (pm_node before = 0; before < node; before++) assert_true(ids[i][before] != ids[i][node]);
        }
        assert_int_equal(ids[i][0], 1);
        pm_graph_destroy(again);
        pm_graph_destroy(graph);
        free(bytes);
        fclose(file);
    }
    assert_memory_equal(ids[0], ids[1], sizeof(ids[0]));
}

/* ------------------------------------------------------------------ files */

static void test_file(void **state) {
    (void)state;
    struct pm_graph *graph = core_graph(), *again = NULL;
    char *path = NULL, *missing = NULL;
    struct stat info;
    assert_true(asprintf(&path, "%s/out.heapsnapshot", folder) > 0 &&
                asprintf(&missing, "%s/no/such/folder", folder) > 0);
    assert_pm_ok(pm_heapsnapshot_export(graph, path));
    assert_int_equal(stat(path, &info), 0);
    mode_t mask = umask(0);
    umask(mask);
    assert_int_equal(info.st_mode & 0777, 0666 & ~mask);
    chmod(path, 0640);
    assert_pm_ok(pm_heapsnapshot_export(graph, path)); /* again, over the first */
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
    struct pm_input *input = NULL;
    assert_pm_ok(pm_input_open(path, NULL, NULL, &input));
    assert_true(pm_heap_snapshot_sniff(input));
    assert_pm_ok(pm_heap_snapshot_read(input, &again, NULL));
    pm_graph_destroy(again);
    pm_input_close(input);
    assert_pm_error(pm_heapsnapshot_export(graph, missing), PM_ERR_IO, "No such file");
    assert_pm_error(pm_heapsnapshot_export(graph, "/dev/full"), PM_ERR_IO, "No space left");
    assert_pm_ok(pm_heapsnapshot_export(graph, "/dev/null"));
    pm_graph_destroy(graph);
    free(path);
    free(missing);
}

static void test_root_only(void **state) {
    (void)state;
    struct snapshot_builder *b = snapshot_builder_new(NULL);
    struct pm_graph *graph = NULL, *again = NULL;
    FILE *file = tmpfile();
    size_t length;
    assert_pm_ok(snapshot_read(b, &graph));
    assert_pm_ok(pm_heapsnapshot_write(graph, file, NULL));
    char *bytes = slurp(file, &length);
    assert_pm_ok(snapshot_read_text(bytes, length, &again, NULL));
    pm_graph_destroy(again);
    pm_graph_destroy(graph);
    free(bytes);
    fclose(file);
    snapshot_builder_free(b);
}

/* What a snapshot's graph is written as: groups of roots get their edges back. */
static void test_snapshot(void **state) {
    (void)state;
    struct snapshot_builder *b = snapshot_builder_new(NULL);
    struct pm_graph *graph = NULL, *again = NULL;
    unsigned roots = snapshot_builder_node(b, "synthetic", "(GC roots)", 0);
    unsigned stack = snapshot_builder_node(b, "synthetic", "(Stack roots)", 0);
    unsigned object = snapshot_builder_node(b, "object", "Thing", 13);
    unsigned lost = snapshot_builder_node(b, "native", "Node / Lost", 3);
    snapshot_builder_detached(b, lost);
    snapshot_builder_edge(b, 0, "element", 1, roots);
    snapshot_builder_edge(b, roots, "element", 1, stack);
    snapshot_builder_edge(b, stack, "element", 0, object);
    snapshot_builder_named(b, 0, "shortcut", "2", object);
    assert_pm_ok(snapshot_read(b, &graph));
    FILE *file = tmpfile();
    size_t length;
    struct pm_snapshot_facts facts;
    assert_pm_ok(pm_heapsnapshot_write(graph, file, NULL));
    char *bytes = slurp(file, &length);
    assert_pm_ok(snapshot_read_text(bytes, length, &again, &facts));
    assert_int_equal(again->node_count, graph->node_count);
    assert_int_equal(again->edge_count, graph->edge_count);
    assert_int_equal(again->transient_roots, 1);
    assert_int_equal(facts.self_size, 16);
    assert_int_equal(facts.detached_nodes, 1);
    assert_memory_equal(again->edges, graph->edges, graph->edge_count * sizeof(*graph->edges));
    assert_memory_equal(again->first_edge, graph->first_edge,
                        (graph->node_count + 1) * sizeof(*graph->first_edge));
    for (pm_node node = 0; node < graph->node_count; node++) {
        assert_string_equal(again->classes[again->class_of[node]], graph->classes[graph->class_of[node]]);
        assert_int_equal(again->source->identity(again->source_self, node), 2 * node + 1);
    }
    pm_graph_destroy(again);
    pm_graph_destroy(graph);
    free(bytes);
    fclose(file);
    snapshot_builder_free(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_core), cmocka_unit_test(test_ids),
                                       cmocka_unit_test(test_file), cmocka_unit_test(test_root_only),
                                       cmocka_unit_test(test_snapshot)};
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
