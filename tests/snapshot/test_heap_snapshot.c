/* What the reader makes of small snapshots: classes, kinds, edges, sizes, positions, collections, texts. */
#include "tests/support/assert_error.h"

#include "tests/snapshot/snapshot_builder.h"

static pm_node target(const struct pm_graph *graph, pm_node node, unsigned edge) {
    assert_true(graph->first_edge[node] + edge < graph->first_edge[node + 1]);
    return graph->edges[graph->first_edge[node] + edge];
}

static size_t degree(const struct pm_graph *graph, pm_node node) {
    return (size_t)(graph->first_edge[node + 1] - graph->first_edge[node]);
}

static const char *class_of(const struct pm_graph *graph, pm_node node) {
    return graph->classes[graph->class_of[node]];
}

/* Ask the graph, compare and free. */
static void assert_edge(const struct pm_graph *graph, pm_node from, unsigned edge, enum pm_edge_kind kind,
                        const char *text, uint32_t index) {
    struct pm_edge_name name = {0};
    graph->source->edge_name(graph->source_self, from, graph->first_edge[from] + edge, &name);
    assert_int_equal(name.kind, kind);
    assert_string_equal(pm_strbuf_text(&name.text), text);
    assert_int_equal(name.index, index);
    pm_strbuf_deinit(&name.text);
}

static void assert_described(const struct pm_graph *graph, pm_node node, size_t most, const char *expected) {
    struct pm_strbuf text = {0};
    graph->source->describe(graph->source_self, node, most, &text);
    assert_string_equal(pm_strbuf_text(&text), expected);
    pm_strbuf_deinit(&text);
}

static void assert_text(const struct pm_graph *graph, pm_node node, size_t most, const char *expected) {
    struct pm_strbuf text = {0};
    assert_true(graph->source->text(graph->source_self, node, most, &text));
    assert_string_equal(pm_strbuf_text(&text), expected);
    pm_strbuf_deinit(&text);
}

static void assert_position(const struct pm_graph *graph, pm_node node, const char *function,
                            const char *file, unsigned line, unsigned column) {
    struct pm_graph_position position = {0};
    char *name = NULL;
    assert_true(graph->source->position(graph->source_self, node, &name, &position));
    assert_string_equal(name ? name : "-", function);
    assert_string_equal(position.file ? position.file : "-", file);
    assert_int_equal(position.line, line);
    assert_int_equal(position.column, column);
    free(name);
    free(position.file);
}

static void assert_entries(const struct pm_graph *graph, pm_node node, uint64_t count, uint64_t capacity) {
    uint64_t have = 0, room = 0;
    assert_true(graph->source->entries(graph->source_self, node, &have, &room));
    assert_int_equal(have, count);
    assert_int_equal(room, capacity);
}

/* ------------------------------------------------------------------ nodes and edges */

/* root -> (GC roots) -> Session -> {string, weak Map, Map}; the same whatever the form of the file. */
static struct snapshot_builder *small(const struct snapshot_form *form) {
    struct snapshot_builder *b = snapshot_builder_new(form);
    unsigned roots = snapshot_builder_node(b, "synthetic", "(GC roots)", 0);
    unsigned session = snapshot_builder_node(b, "object", "Session", 48);
    unsigned text = snapshot_builder_node(b, "string", "héllo \"x\"\n\xf0\x9f\x98\x80", 32);
    unsigned map = snapshot_builder_node(b, "object", "Map", 32);
    unsigned store = snapshot_builder_node(b, "native", "system / JSArrayBufferData", 1000003);
    unsigned code = snapshot_builder_node(b, "code", "(code for x)", 64);
    snapshot_builder_named(b, session, "property", "name", text);
    snapshot_builder_named(b, session, "weak", "3", map);
    snapshot_builder_edge(b, session, "element", 7, map);
    snapshot_builder_named(b, session, "shortcut", "not from the root", code);
    snapshot_builder_named(b, session, "internal", "backing_store", store);
    snapshot_builder_edge(b, session, "hidden", 4, code);
    snapshot_builder_edge(b, 0, "element", 1, roots);
    snapshot_builder_named(b, 0, "shortcut", "2", session);
    snapshot_builder_edge(b, roots, "element", 0, session);
    snapshot_builder_location(b, session, 9, 4, 2);
    return b;
}

static void check_small(const struct snapshot_form *form) {
    struct snapshot_builder *b = small(form);
    struct pm_graph *graph = NULL;
    assert_pm_ok(snapshot_read(b, &graph));
    assert_pm_ok(pm_graph_check(graph));
    assert_true(graph->from_snapshot);
    assert_int_equal(graph->node_count, 7);
    assert_int_equal(graph->edge_count, 7);
    static const char *const classes[] = {"(synthetic)",    "(synthetic)", "Session",
                                          "(string)",       "Map",         "system / JSArrayBufferData",
                                          "(compiled code)"};
    static const enum pm_node_kind kinds[] = {PM_NODE_ROOT, PM_NODE_ROOT,   PM_NODE_OBJECT, PM_NODE_STRING,
                                              PM_NODE_MAP,  PM_NODE_NATIVE, PM_NODE_CODE};
    for (pm_node node = 0; node < 7; node++) {
        assert_string_equal(class_of(graph, node), classes[node]);
        assert_int_equal(graph->kinds[node], kinds[node]);
        assert_int_equal(graph->source->identity(graph->source_self, node), 2 * node + 1);
        assert_int_equal(graph->source->find(graph->source_self, 2 * node + 1), node);
    }
    assert_int_equal(graph->source->find(graph->source_self, 2), PM_NO_NODE);
    assert_int_equal(pm_graph_shallow(graph, 2), 48);
    assert_int_equal(pm_graph_shallow(graph, 5), 0); /* outside the heap */
    assert_int_equal(pm_graph_external_of(graph, 5), 1000003);
    assert_int_equal(degree(graph, 0), 2);
    assert_int_equal(target(graph, 0, 1), 2);
    assert_int_equal(degree(graph, 2), 4);
    assert_edge(graph, 0, 0, PM_EDGE_ELEMENT, "", 1);
    assert_edge(graph, 0, 1, PM_EDGE_SHORTCUT, "2", 0);
    assert_edge(graph, 2, 0, PM_EDGE_PROPERTY, "name", 0);
    assert_edge(graph, 2, 1, PM_EDGE_ELEMENT, "", 7);
    assert_edge(graph, 2, 2, PM_EDGE_INTERNAL, "backing_store", 0);
    assert_edge(graph, 2, 3, PM_EDGE_HIDDEN, "", 4);
    assert_int_equal(target(graph, 2, 3), 6);
    assert_text(graph, 3, 100, "héllo \"x\"\n\xf0\x9f\x98\x80");
    assert_text(graph, 3, 2, "hé");
    assert_text(graph, 3, 11, "héllo \"x\"\n"); /* the last character would be two units */
    assert_int_equal(graph->source->property(graph->source_self, 2, "name"), 3);
    assert_int_equal(graph->source->property(graph->source_self, 2, "backing_store"), PM_NO_NODE);
    assert_int_equal(graph->source->property(graph->source_self, 2, "nothing"), PM_NO_NODE);
    assert_position(graph, 2, "Session", "-", 5, 3);
    assert_described(graph, 2, 200, "Session {name: \"héllo \\\"x\\\"\\n\xf0\x9f\x98\x80\", Map} @5");
    pm_graph_destroy(graph);
    snapshot_builder_free(b);
}

static void test_form_of_v8(void **state) {
    (void)state;
    check_small(NULL);
    check_small(&(struct snapshot_form){.node_fields = "type name id self_size edge_count detachedness"});
    check_small(&(struct snapshot_form){.node_fields = "type name id self_size edge_count trace_node_id"});
    check_small(
        &(struct snapshot_form){.node_fields = "type name id self_size edge_count", .record_start = ""});
}

static void test_other_forms(void **state) {
    (void)state;
    /* Fields, types and sections in any order, fields and types that nobody knows, blanks everywhere. */
    check_small(&(struct snapshot_form){.node_fields = "edge_count news self_size id name type more",
                                        .edge_fields = "to_node news type name_or_index",
                                        .location_fields = "column line news script_id object_index"});
    check_small(&(struct snapshot_form){.node_types = "novelty,synthetic,string,code,object,native"});
    check_small(&(struct snapshot_form){.sections = "Sletns"});
    check_small(&(struct snapshot_form){.sections = "lSnes"});
    check_small(&(struct snapshot_form){.separator = " ,\r\n\t", .record_start = " "});
}

static void test_unknown_types(void **state) {
    (void)state;
    struct snapshot_builder *b =
        snapshot_builder_new(&(struct snapshot_form){.node_types = "synthetic,quantum object,object"});
    struct pm_graph *graph = NULL;
    unsigned node = snapshot_builder_node(b, "quantum object", "x", 24);
    snapshot_builder_edge(b, 0, "element", 1, node);
    assert_pm_ok(snapshot_read(b, &graph));
    assert_string_equal(class_of(graph, 1), "(quantum object)");
    assert_int_equal(graph->kinds[1], PM_NODE_OTHER);
    pm_graph_destroy(graph);
    snapshot_builder_free(b);
}

static void test_sizes(void **state) {
    (void)state;
    struct snapshot_builder *b = snapshot_builder_new(NULL);
    struct pm_graph *graph = NULL;
    struct pm_snapshot_facts facts;
    snapshot_builder_node(b, "string", "odd", 13);
    snapshot_builder_node(b, "array", "", UINT64_C(40) << 30); /* more than 2^32 units of 8 bytes */
    snapshot_builder_node(b, "native", "Node / X", 5);
    snapshot_builder_detached(b, snapshot_builder_node(b, "native", "Node / Y", 0));
    snapshot_builder_detached(b, snapshot_builder_node(b, "object", "Z", 0));
    size_t length;
    const char *text = snapshot_builder_text(b, &length);
    assert_pm_ok(snapshot_read_text(text, length, &graph, &facts));
    assert_pm_ok(pm_graph_check(graph));
    for (pm_node node = 1; node < 4; node++) {
        static const uint64_t sizes[] = {0, 13, UINT64_C(40) << 30, 5};
        assert_true(pm_graph_shallow(graph, node) + pm_graph_external_of(graph, node) == sizes[node]);
    }
    assert_true(facts.self_size == (UINT64_C(40) << 30) + 18);
    assert_int_equal(facts.native_size, 5);
    assert_int_equal(facts.detached_nodes, 1);
    assert_string_equal(class_of(graph, 3), "Node / X");
    assert_string_equal(class_of(graph, 4), "Detached Node / Y");
    assert_string_equal(class_of(graph, 5), "Z");
    pm_graph_destroy(graph);
    snapshot_builder_free(b);
}

/* ------------------------------------------------------------------ roots */

static void test_transient_roots(void **state) {
    (void)state;
    struct snapshot_builder *b = snapshot_builder_new(NULL);
    struct pm_graph *graph = NULL;
    unsigned roots = snapshot_builder_node(b, "synthetic", "(GC roots)", 0);
    unsigned handles = snapshot_builder_node(b, "synthetic", "(Handle scope)", 0);
    unsigned globals = snapshot_builder_node(b, "synthetic", "(Global handles)", 0);
    unsigned stack = snapshot_builder_node(b, "synthetic", "(Stack roots)", 0);
    unsigned objects[4];
    for (unsigned i = 0; i < 4; i++) objects[i] = snapshot_builder_node(b, "object", "Thing", 16);
    snapshot_builder_edge(b, 0, "element", 1, roots);
    snapshot_builder_edge(b, roots, "element", 0, handles);
    snapshot_builder_edge(b, roots, "element", 1, globals);
    snapshot_builder_edge(b, roots, "element", 2, stack);
    snapshot_builder_named(b, handles, "weak", "5", objects[3]);
    snapshot_builder_edge(b, handles, "element", 0, objects[0]);
    snapshot_builder_edge(b, globals, "element", 0, objects[1]);
    snapshot_builder_edge(b, globals, "element", 1, objects[2]);
    snapshot_builder_edge(b, stack, "element", 0, objects[2]);
    snapshot_builder_edge(b, stack, "element", 1, objects[3]);
    snapshot_builder_named(b, objects[0], "property", "next", objects[1]);
    assert_pm_ok(snapshot_read(b, &graph));
    assert_pm_ok(pm_graph_check(graph));
    assert_int_equal(graph->transient_roots, 3);
    assert_int_equal(degree(graph, 0), 4);
    assert_int_equal(target(graph, 0, 0), objects[0]);
    assert_int_equal(target(graph, 0, 1), objects[2]);
    assert_int_equal(target(graph, 0, 2), objects[3]);
    assert_int_equal(target(graph, 0, 3), roots);
    assert_int_equal(degree(graph, handles), 0);
    assert_int_equal(degree(graph, stack), 0);
    assert_int_equal(degree(graph, globals), 2);
    assert_edge(graph, 0, 0, PM_EDGE_INTERNAL, "(Handle scope)", 0);
    assert_edge(graph, 0, 2, PM_EDGE_INTERNAL, "(Stack roots)", 0);
    assert_edge(graph, 0, 3, PM_EDGE_ELEMENT, "", 1);
    assert_edge(graph, roots, 2, PM_EDGE_ELEMENT, "", 2);
    assert_edge(graph, globals, 1, PM_EDGE_ELEMENT, "", 1);
    assert_edge(graph, objects[0], 0, PM_EDGE_PROPERTY, "next", 0);
    pm_graph_destroy(graph);
    snapshot_builder_free(b);
}

static void test_weak_map(void **state) {
    (void)state;
    static const char entry[] = "6 / part of key (Object @5) -> value (Object @7) pair in WeakMap (table @9)";
    struct snapshot_builder *b = snapshot_builder_new(NULL);
    struct pm_graph *graph = NULL;
    struct pm_snapshot_facts facts;
    unsigned map = snapshot_builder_node(b, "object", "WeakMap", 32);
    unsigned key = snapshot_builder_node(b, "object", "Object", 24);
    unsigned value = snapshot_builder_node(b, "object", "Object", 24);
    unsigned table = snapshot_builder_node(b, "array", "", 16 + 8 * (3 + 2 * 4));
    snapshot_builder_named(b, map, "internal", "table", table);
    snapshot_builder_named(b, table, "weak", "5", key);
    snapshot_builder_named(b, table, "weak", "6", value);
    snapshot_builder_named(b, table, "internal", entry, value);
    snapshot_builder_named(b, key, "internal", entry, value);
    size_t length;
    const char *text = snapshot_builder_text(b, &length);
    assert_pm_ok(snapshot_read_text(text, length, &graph, &facts));
    assert_int_equal(facts.weak_edges, 2);
    assert_int_equal(facts.table_edges, 1);
    assert_int_equal(degree(graph, table), 0);
    assert_int_equal(degree(graph, key), 1);
    assert_entries(graph, map, 1, 4);
    pm_graph_destroy(graph);
    snapshot_builder_free(b);
}

/* ------------------------------------------------------------------ kinds */

static void test_kinds_by_prototype(void **state) {
    (void)state;
    struct snapshot_builder *b = snapshot_builder_new(NULL);
    struct pm_graph *graph = NULL;
    unsigned base = snapshot_builder_node(b, "object", "Map", 56); /* Map.prototype */
    unsigned middle = snapshot_builder_node(b, "object", "Map", 24);
    unsigned cache = snapshot_builder_node(b, "object", "LruCache", 32);
    unsigned plain = snapshot_builder_node(b, "object", "Session", 32);
    unsigned global = snapshot_builder_node(b, "object", "Sandbox", 32);
    unsigned context = snapshot_builder_node(b, "hidden", "system / NativeContext", 2000);
    snapshot_builder_named(b, middle, "property", "__proto__", base);
    snapshot_builder_named(b, cache, "property", "__proto__", middle);
    snapshot_builder_named(b, plain, "property", "__proto__", plain); /* goes round */
    snapshot_builder_named(b, context, "internal", "extension", global);
    assert_pm_ok(snapshot_read(b, &graph));
    assert_int_equal(graph->kinds[base], PM_NODE_MAP);
    assert_int_equal(graph->kinds[cache], PM_NODE_MAP);
    assert_int_equal(graph->kinds[plain], PM_NODE_OBJECT);
    assert_int_equal(graph->kinds[global], PM_NODE_GLOBAL);
    assert_int_equal(graph->kinds[context], PM_NODE_NATIVE_CONTEXT);
    assert_string_equal(class_of(graph, context), "(system)");
    pm_graph_destroy(graph);
    snapshot_builder_free(b);
}

/* ------------------------------------------------------------------ collections */

static bool next_key(const struct pm_graph *graph, pm_node node, uint64_t *cursor, char *ret) {
    struct pm_strbuf text = {0};
    double number = 0;
    bool is_number = false;
    bool more = graph->source->next_key(graph->source_self, node, cursor, &text, &number, &is_number);
    if (is_number)
        snprintf(ret, 100, "#%g", number);
    else
        snprintf(ret, 100, "%s", pm_strbuf_text(&text));
    pm_strbuf_deinit(&text);
    return more;
}

static void assert_keys(const struct pm_graph *graph, pm_node node, const char *const *keys, size_t count) {
    uint64_t cursor = 0;
    char key[100];
    for (size_t i = 0; i < count; i++) {
        assert_true(next_key(graph, node, &cursor, key));
        assert_string_equal(key, keys[i]);
    }
    assert_false(next_key(graph, node, &cursor, key));
    assert_false(next_key(graph, node, &cursor, key));
}

static void assert_store_edge(const struct pm_graph *graph, pm_node owner, pm_node from, unsigned edge,
                              const char *expected) {
    struct pm_edge_name name = {0};
    assert_true(graph->source->store_edge_name(graph->source_self, owner, from,
                                               graph->first_edge[from] + edge, &name));
    assert_string_equal(pm_strbuf_text(&name.text), expected);
    pm_strbuf_deinit(&name.text);
}

static void test_map_and_set(void **state) {
    (void)state;
    struct snapshot_builder *b = snapshot_builder_new(NULL);
    struct pm_graph *graph = NULL;
    /* Two buckets: keys at slots 5, 8, 11, 14. */
    unsigned map = snapshot_builder_node(b, "object", "Map", 32);
    unsigned table = snapshot_builder_node(b, "array", "", 16 + 8 * (3 + 2 + 4 * 3));
    unsigned one = snapshot_builder_node(b, "string", "one", 24);
    unsigned item = snapshot_builder_node(b, "object", "Item", 24);
    unsigned hole = snapshot_builder_node(b, "hidden", "system / Hole", 16);
    unsigned shape = snapshot_builder_node(b, "hidden", "system / Map", 72);
    snapshot_builder_named(b, map, "internal", "table", table);
    snapshot_builder_named(b, table, "internal", "5", one);
    snapshot_builder_named(b, table, "internal", "6", item);
    snapshot_builder_named(b, table, "internal", "8", hole); /* deleted */
    snapshot_builder_named(b, table, "internal", "9", hole);
    snapshot_builder_named(b, table, "internal", "12", item); /* the key is a small integer */
    snapshot_builder_named(b, table, "internal", "14", item); /* the key is an object, the value a number */
    snapshot_builder_named(b, table, "internal", "map", shape);
    unsigned set = snapshot_builder_node(b, "object", "Set", 32);
    unsigned values = snapshot_builder_node(b, "array", "", 16 + 8 * (3 + 4 + 8 * 2));
    snapshot_builder_named(b, set, "internal", "table", values);
    snapshot_builder_named(b, values, "internal", "7", one);
    snapshot_builder_named(b, values, "internal", "9", item);
    unsigned numbers = snapshot_builder_node(b, "object", "Set", 32);
    unsigned full = snapshot_builder_node(b, "array", "", 16 + 8 * (3 + 4 + 8 * 2));
    snapshot_builder_named(b, numbers, "internal", "table", full);
    unsigned prototype = snapshot_builder_node(b, "object", "Map", 24);
    assert_pm_ok(snapshot_read(b, &graph));
    uint64_t count, capacity;
    assert_entries(graph, map, 3, 4);
    assert_entries(graph, set, 2, 8);
    assert_false(graph->source->entries(graph->source_self, numbers, &count, &capacity));
    assert_false(graph->source->entries(graph->source_self, prototype, &count, &capacity));
    assert_keys(graph, map, (const char *const[]){"one", "Item"}, 2);
    assert_keys(graph, set, (const char *const[]){"one", "Item"}, 2);
    assert_keys(graph, numbers, NULL, 0);
    assert_store_edge(graph, map, table, 0, "key \"one\"");
    assert_store_edge(graph, map, table, 1, "entry \"one\"");
    assert_store_edge(graph, map, table, 4, "entry (a number)");
    assert_store_edge(graph, map, table, 5, "key Item");
    struct pm_edge_name name = {0};
    assert_false(
        graph->source->store_edge_name(graph->source_self, map, table, graph->first_edge[table] + 6, &name));
    assert_false(graph->source->store_edge_name(graph->source_self, set, item, 0, &name));
    assert_described(graph, map, 200, "Map(3) {\"one\", \"Item\"} @3");
    pm_graph_destroy(graph);
    snapshot_builder_free(b);
}

static void test_dictionary(void **state) {
    (void)state;
    struct snapshot_builder *b = snapshot_builder_new(NULL);
    struct pm_graph *graph = NULL;
    unsigned object = snapshot_builder_node(b, "object", "Object", 24);
    unsigned store = snapshot_builder_node(b, "array", "(object properties)", 16 + 8 * (6 + 3 * 4));
    unsigned elements = snapshot_builder_node(b, "array", "(object elements)", 16 + 8 * 10);
    unsigned key = snapshot_builder_node(b, "string", "user:1", 24);
    unsigned other = snapshot_builder_node(b, "string", "user:2", 24);
    unsigned value = snapshot_builder_node(b, "object", "User", 24);
    snapshot_builder_named(b, object, "property", "user:1", value);
    snapshot_builder_edge(b, object, "element", 3, value);
    snapshot_builder_named(b, object, "property", "__proto__", value);
    snapshot_builder_named(b, object, "internal", "properties", store);
    snapshot_builder_named(b, object, "internal", "elements", elements);
    snapshot_builder_named(b, store, "internal", "6", key);
    snapshot_builder_named(b, store, "internal", "7", value);
    snapshot_builder_named(b, store, "internal", "12", other); /* its value is a small integer */
    unsigned fast = snapshot_builder_node(b, "object", "Point", 24);
    unsigned more = snapshot_builder_node(b, "hidden", "system / PropertyArray", 16 + 8 * 18);
    snapshot_builder_named(b, fast, "property", "x", value);
    snapshot_builder_named(b, fast, "property", "__proto__", value);
    snapshot_builder_named(b, fast, "internal", "properties", more);
    unsigned array = snapshot_builder_node(b, "object", "Array", 32);
    snapshot_builder_edge(b, array, "element", 2, value);
    snapshot_builder_named(b, array, "internal", "elements", elements);
    unsigned numbers = snapshot_builder_node(b, "object", "Array", 32);
    snapshot_builder_named(b, numbers, "internal", "elements", elements);
    assert_pm_ok(snapshot_read(b, &graph));
    uint64_t count, capacity;
    assert_entries(graph, object, 3, 14);
    assert_entries(graph, fast, 1, 1);
    assert_entries(graph, array, 1, 10);
    assert_false(graph->source->entries(graph->source_self, numbers, &count, &capacity));
    assert_false(graph->source->entries(graph->source_self, key, &count, &capacity));
    assert_keys(graph, object, (const char *const[]){"user:1", "user:2", "#3"}, 3);
    assert_keys(graph, fast, (const char *const[]){"x"}, 1);
    assert_keys(graph, array, (const char *const[]){"#2"}, 1);
    assert_store_edge(graph, object, store, 1, "user:1");
    assert_described(graph, array, 200, "Array(1) {User} @19");
    pm_graph_destroy(graph);
    snapshot_builder_free(b);
}

/* ------------------------------------------------------------------ values */

static void test_values(void **state) {
    (void)state;
    struct snapshot_builder *b = snapshot_builder_new(NULL);
    struct pm_graph *graph = NULL;
    unsigned object = snapshot_builder_node(b, "object", "Timeout", 24);
    unsigned number = snapshot_builder_node(b, "number", "smi number", 0);
    unsigned digits = snapshot_builder_node(b, "string", "-1.5e3", 24);
    unsigned silent = snapshot_builder_node(b, "number", "heap number", 16);
    unsigned yes = snapshot_builder_node(b, "hidden", "true", 0);
    unsigned old_no = snapshot_builder_node(b, "hidden", "system / Oddball", 48);
    unsigned no = snapshot_builder_node(b, "string", "false", 24);
    unsigned symbol = snapshot_builder_node(b, "symbol", "symbol", 24);
    unsigned name = snapshot_builder_node(b, "string", "kState", 24);
    unsigned regexp = snapshot_builder_node(b, "regexp", "^a+$", 56);
    snapshot_builder_named(b, object, "property", "after", number);
    snapshot_builder_named(b, object, "property", "silent", silent);
    snapshot_builder_named(b, object, "property", "active", yes);
    snapshot_builder_named(b, object, "property", "done", old_no);
    snapshot_builder_named(b, object, "property", "text", digits);
    snapshot_builder_named(b, number, "internal", "value", digits);
    snapshot_builder_edge(b, old_no, "hidden", 0, no);
    snapshot_builder_named(b, symbol, "internal", "name", name);
    assert_pm_ok(snapshot_read(b, &graph));
    double value = 0;
    assert_true(graph->source->number(graph->source_self, object, "after", &value));
    assert_true(value == -1500);
    assert_true(graph->source->number(graph->source_self, object, "active", &value) && value == 1);
    assert_true(graph->source->number(graph->source_self, object, "done", &value) && value == 0);
    assert_false(graph->source->number(graph->source_self, object, "silent", &value));
    assert_false(graph->source->number(graph->source_self, object, "text", &value));
    assert_false(graph->source->number(graph->source_self, object, "missing", &value));
    assert_described(
        graph, object, 200,
        "Timeout {after: -1500, silent: number, active: true, done: false, text: \"-1.5e3\"} @3");
    assert_described(graph, object, 64, "Timeout {after: -1500, silent: number, …} @3");
    assert_described(graph, symbol, 80, "Symbol(kState)");
    assert_described(graph, regexp, 80, "/^a+$/");
    assert_described(graph, old_no, 80, "false");
    pm_graph_destroy(graph);
    snapshot_builder_free(b);
}

/* ------------------------------------------------------------------ strings */

static void test_ropes(void **state) {
    (void)state;
    struct snapshot_builder *b = snapshot_builder_new(NULL);
    struct pm_graph *graph = NULL;
    unsigned a = snapshot_builder_node(b, "string", "ab", 24),
             c = snapshot_builder_node(b, "string", "cd", 24);
    unsigned left = a, right = c, deep;
    for (int i = 0; i < 5000; i++) { /* ((ab cd) cd) cd ... and ... (ab (ab cd)) */
        unsigned next = snapshot_builder_node(b, "concatenated string", "(concatenated string)", 32);
        snapshot_builder_named(b, next, "internal", "first", left);
        snapshot_builder_named(b, next, "internal", "second", c);
        left = next;
        next = snapshot_builder_node(b, "concatenated string", "(concatenated string)", 32);
        snapshot_builder_named(b, next, "internal", "second", right);
        snapshot_builder_named(b, next, "internal", "first", a);
        right = next;
    }
    deep = left;
    for (int i = 0; i < 100000; i++) {
        unsigned next = snapshot_builder_node(b, "concatenated string", "(concatenated string)", 32);
        snapshot_builder_named(b, next, "internal", "first", deep);
        snapshot_builder_named(b, next, "internal", "second", c);
        deep = next;
    }
    unsigned ring = snapshot_builder_node(b, "concatenated string", "(concatenated string)", 32);
    snapshot_builder_named(b, ring, "internal", "first", ring);
    snapshot_builder_named(b, ring, "internal", "second", ring);
    unsigned slice = snapshot_builder_node(b, "sliced string", "(sliced string)", 32);
    snapshot_builder_named(b, slice, "internal", "parent", a);
    unsigned broken = snapshot_builder_node(b, "concatenated string", "(concatenated string)", 32);
    snapshot_builder_named(b, broken, "internal", "first", slice);
    snapshot_builder_named(b, broken, "internal", "second", a);
    assert_pm_ok(snapshot_read(b, &graph));
    struct pm_strbuf text = {0};
    assert_true(graph->source->text(graph->source_self, left, 301, &text));
    assert_int_equal(text.length, 301);
    assert_memory_equal(text.bytes, "abcdcdcd", 8);
    pm_strbuf_clear(&text);
    assert_text(graph, right, 7, "abababa");
    assert_true(graph->source->text(graph->source_self, right, 100000, &text));
    assert_int_equal(text.length, 2 * 5001);
    assert_false(graph->source->text(graph->source_self, slice, 100, &text));
    assert_false(graph->source->text(graph->source_self, ring, 100, &text));
    assert_false(graph->source->text(graph->source_self, deep, 100, &text)); /* given up, not waited for */
    assert_false(graph->source->text(graph->source_self, broken, 100, &text));
    assert_described(graph, slice, 80, "slice of \"ab…\"");
    assert_described(graph, right, 20, "\"abababababababa…\"");
    pm_strbuf_deinit(&text);
    pm_graph_destroy(graph);
    snapshot_builder_free(b);
}

static void test_cut_descriptions(void **state) {
    (void)state;
    struct snapshot_builder *b = snapshot_builder_new(NULL);
    struct pm_graph *graph = NULL;
    unsigned text = snapshot_builder_node(b, "string", "жжжжжжжжжжжжжжжжжжжж", 56);
    unsigned object = snapshot_builder_node(b, "object", "ClassWithAVeryLongName", 56);
    assert_pm_ok(snapshot_read(b, &graph));
    for (size_t most = 0; most < 64; most++) {
        struct pm_strbuf line = {0};
        graph->source->describe(graph->source_self, text, most, &line);
        graph->source->describe(graph->source_self, object, most, &line);
        assert_true(line.length <= 2 * most);
        pm_strbuf_deinit(&line);
    }
    pm_graph_destroy(graph);
    snapshot_builder_free(b);
}

/* ------------------------------------------------------------------ program text */

static void test_positions(void **state) {
    (void)state;
    static const char program[] =
        "'use strict';\nconst cache = new Map();\nfunction handle(id) {\n  cache.set(id, 1);\n}\n";
    struct snapshot_builder *b = snapshot_builder_new(NULL);
    struct pm_graph *graph = NULL;
    unsigned closure = snapshot_builder_node(b, "closure", "handle", 64);
    unsigned shared = snapshot_builder_node(b, "code", "handle", 64);
    unsigned script = snapshot_builder_node(b, "code", "/app/server.js", 144);
    unsigned source = snapshot_builder_node(b, "string", program, 144);
    unsigned scope_info = snapshot_builder_node(b, "code", "system / ScopeInfo", 96);
    unsigned block_info = snapshot_builder_node(b, "code", "system / ScopeInfo", 96);
    unsigned context = snapshot_builder_node(b, "object", "system / Context", 40);
    unsigned block = snapshot_builder_node(b, "object", "system / Context", 40);
    unsigned lost = snapshot_builder_node(b, "object", "system / Context", 40);
    unsigned instance = snapshot_builder_node(b, "object", "handle", 24);
    unsigned prototype = snapshot_builder_node(b, "object", "Object", 24);
    snapshot_builder_named(b, closure, "internal", "shared", shared);
    snapshot_builder_named(b, shared, "internal", "script", script);
    snapshot_builder_named(b, script, "internal", "source", source);
    snapshot_builder_named(b, shared, "internal", "name_or_scope_info", scope_info);
    snapshot_builder_named(b, context, "internal", "scope_info", scope_info);
    snapshot_builder_named(b, block, "internal", "scope_info", block_info);
    snapshot_builder_edge(b, block_info, "hidden", 3, scope_info);
    snapshot_builder_named(b, instance, "property", "__proto__", prototype);
    snapshot_builder_named(b, prototype, "property", "constructor", closure);
    snapshot_builder_location(b, closure, 77, 2, 15);
    snapshot_builder_location(b, instance, 77, 2, 15);
    snapshot_builder_location(b, shared, 78, -1, -1); /* V8 knows the script only */
    assert_pm_ok(snapshot_read(b, &graph));
    assert_position(graph, closure, "handle", "/app/server.js", 3, 16);
    assert_position(graph, instance, "handle", "/app/server.js", 3, 16);
    assert_position(graph, context, "handle", "/app/server.js", 3, 16);
    assert_position(graph, block, "handle", "/app/server.js", 3, 16);
    assert_position(graph, shared, "handle", "-", 0, 0);
    struct pm_graph_position position;
    char *name;
    assert_false(graph->source->position(graph->source_self, lost, &name, &position));
    assert_false(graph->source->position(graph->source_self, prototype, &name, &position));
    assert_described(graph, closure, 80, "function handle (server.js:3)");
    assert_int_equal(graph->source->constructor(graph->source_self, instance), closure);
    assert_int_equal(graph->source->constructor(graph->source_self, prototype), PM_NO_NODE);
    assert_true(graph->source->declaration(graph->source_self, closure, "cache", false, &position));
    assert_string_equal(position.file, "/app/server.js");
    assert_int_equal(position.line, 2);
    assert_int_equal(position.column, 7);
    free(position.file);
    assert_false(graph->source->declaration(graph->source_self, closure, "id", false, &position));
    assert_false(graph->source->declaration(graph->source_self, lost, "cache", false, &position));
    pm_graph_destroy(graph);
    snapshot_builder_free(b);
}

static void count_weak(void *context, pm_node to) {
    *(uint64_t *)context = *(uint64_t *)context * 10 + to;
}

static void test_weak_edges(void **state) {
    (void)state;
    struct snapshot_builder *b = small(NULL);
    struct pm_graph *graph = NULL;
    uint64_t seen = 0;
    assert_pm_ok(snapshot_read(b, &graph));
    for (pm_node node = 0; node < graph->node_count; node++)
        graph->source->weak_edges(graph->source_self, node, count_weak, &seen);
    assert_int_equal(seen, 4); /* one, to the Map */
    pm_graph_destroy(graph);
    snapshot_builder_free(b);
}

static void test_coverage(void **state) {
    (void)state;
    static const char text[] =
        "{\"snapshot\":{\"meta\":{\"node_fields\":[\"type\",\"name\",\"id\",\"self_size\",\"edge_count\"],"
        "\"node_types\":[[\"synthetic\"]],\"edge_fields\":[\"type\",\"name_or_index\",\"to_node\"],"
        "\"edge_types\":[[\"weak\"]]},\"node_count\":2,\"edge_count\":0,\"extra_native_bytes\":77},"
        "\"nodes\":[0,0,1,0,0],\"edges\":[],\"samples\":[1,2],\"trace_tree\":[1,0,[2,[]]],\"strings\":[\"\"]"
        "}";
    struct pm_diagnosis *diagnosis PM_AUTO(diagnosis) = pm_diagnosis_create();
    struct pm_snapshot_facts facts;
    struct pm_graph *graph = NULL;
    assert_pm_ok(snapshot_read_text(text, sizeof(text) - 1, &graph, &facts));
    assert_int_equal(facts.extra_native_bytes, 77);
    assert_int_equal(facts.allocation_bytes, 5 + 12);
    pm_heap_snapshot_coverage(&facts, diagnosis);
    assert_int_equal(diagnosis->read_objects, 1);
    assert_int_equal(diagnosis->skipped_count, 2);
    assert_string_equal(diagnosis->skipped[0].what, "recorded allocations");
    pm_graph_destroy(graph);
}

/* Who allocated an object: the functions of the tree from its leaf to the top. A tree whose numbers are wrong
 * is told as far as it goes. */
static void test_allocations(void **state) {
    (void)state;
    static const char *const trees[] = {"[1,0,0,0,[2,1,0,0,[3,2,1,24,[],4,1,0,0,[]]]]",
                                        "[1,0,0,0,[3,2,1,24,[",
                                        "[3,9,1,24,[]]",
                                        "[3,2,",
                                        "]]",
                                        "[-1,-2,0,0,[]]"};
    static const char *const expected[] = {
        "make (app.js:7)\n(anonymous) (app.js)", "make (app.js:7)", NULL, NULL, NULL, NULL};
    for (size_t i = 0; i < sizeof(trees) / sizeof(trees[0]); i++) {
        struct pm_strbuf text PM_AUTO_STRBUF = {0}, found PM_AUTO_STRBUF = {0};
        struct pm_graph *graph = NULL;
        bool whole = i != 1 && i < 3;
        pm_strbuf_appendf(
            &text,
            "{\"snapshot\":{\"meta\":{\"node_fields\":[\"type\",\"name\",\"id\",\"self_size\",\"edge_count\","
            "\"trace_node_id\"],\"node_types\":[[\"synthetic\",\"object\"]],\"edge_fields\":[\"type\","
            "\"name_or_index\",\"to_node\"],\"edge_types\":[[\"element\"]]},\"node_count\":2,\"edge_count\":"
            "1},"
            "\"nodes\":[0,0,1,0,1,0,1,1,3,24,0,3],\"edges\":[0,1,6],\"trace_function_infos\":[0,0,0,0,0,0,"
            "11,0,3,5,0,0,12,2,3,5,7,9],\"strings\":[\"\",\"Order\",\"make\",\"app.js\"],\"trace_tree\":%s%s",
            trees[i], whole ? "}" : "");
        assert_pm_ok(snapshot_read_text(pm_strbuf_text(&text), text.length, &graph, NULL));
        bool is = graph->source->allocation(graph->source_self, 1, 10, &found);
        if (whole) { /* where the section does not end, it is not one */
            assert_int_equal(is, expected[i] != NULL);
            if (is) assert_string_equal(pm_strbuf_text(&found), expected[i]);
        }
        assert_false(graph->source->allocation(graph->source_self, 0, 10, &found));
        pm_graph_destroy(graph);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_form_of_v8),
        cmocka_unit_test(test_other_forms),
        cmocka_unit_test(test_unknown_types),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_transient_roots),
        cmocka_unit_test(test_weak_map),
        cmocka_unit_test(test_kinds_by_prototype),
        cmocka_unit_test(test_map_and_set),
        cmocka_unit_test(test_dictionary),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_ropes),
        cmocka_unit_test(test_cut_descriptions),
        cmocka_unit_test(test_positions),
        cmocka_unit_test(test_weak_edges),
        cmocka_unit_test(test_coverage),
        cmocka_unit_test(test_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
