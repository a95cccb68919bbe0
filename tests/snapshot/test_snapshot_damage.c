/* Snapshots that are cut, wrong or hostile: what is there and what is wrong with it, or an error with its
 * place; never a crash, never more memory than the file is worth. */
#include "tests/support/assert_error.h"

#include <malloc.h>

#include "tests/snapshot/snapshot_builder.h"

/* What the tests change: `%s` are replaced one by one. */
static const char head[] =
    "{\"snapshot\":{\"meta\":{\"node_fields\":[\"type\",\"name\",\"id\",\"self_size\",\"edge_count\"],"
    "\"node_types\":[[\"synthetic\",\"object\",\"array\"]],\"edge_fields\":[\"type\",\"name_or_index\",\"to_"
    "node\"],"
    "\"edge_types\":[[\"element\",\"property\",\"internal\"]],\"location_fields\":[\"object_index\",\"script_"
    "id\","
    "\"line\",\"column\"]},\"node_count\":2,\"edge_count\":1},";

static struct pm_error *read_facts(const char *nodes, const char *edges, const char *locations,
                                   const char *strings, struct pm_snapshot_facts *facts) {
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    struct pm_graph *graph = NULL;
    pm_strbuf_appendf(&text, "%s\"nodes\":[%s],\"edges\":[%s],\"locations\":[%s],\"strings\":[%s]}", head,
                      nodes, edges, locations, strings);
    struct pm_error *err = snapshot_read_text(pm_strbuf_text(&text), text.length, &graph, facts);
    if (!err) assert_int_equal(graph->references_lost, facts->references_lost);
    pm_graph_destroy(graph);
    return err;
}

/* What is wrong with the file, whether something of it could be read or not. */
static struct pm_error *read_parts(const char *nodes, const char *edges, const char *locations,
                                   const char *strings) {
    struct pm_snapshot_facts facts = {0};
    struct pm_error *err = read_facts(nodes, edges, locations, strings, &facts);
    return err ? err : facts.damage;
}

#define NODES     "0,0,1,0,1,1,1,3,24,0"
#define EDGES     "0,1,5"
#define LOCATIONS "5,1,2,3"
#define STRINGS   "\"\",\"x\""

static void test_wrong_numbers(void **state) {
    (void)state;
    assert_pm_ok(read_parts(NODES, EDGES, LOCATIONS, STRINGS));
    enum { REFUSED, NODES_ONLY, GRAPH };
    static const struct {
        const char *nodes, *edges, *locations, *strings, *words;
        int nodes_left, result;
    } cases[] = {
        {"0,0,1,0,1,1,1,3,24", EDGES, "", STRINGS, "no whole number of nodes", 1, NODES_ONLY},
        {"", "", "", STRINGS, "no nodes", 0, REFUSED},
        {"3,0,1,0,1,1,1,3,24,0", EDGES, "", STRINGS, "type that meta does not have", 2, GRAPH},
        {"0,2,1,0,1,1,1,3,24,0", EDGES, "", STRINGS, "name of a node", 2, GRAPH},
        {"0,4294967296,1,0,1,1,1,3,24,0", EDGES, "", STRINGS, "name of a node", 2, GRAPH},
        {"0,0,1,17592186044417,1,1,1,3,24,0", EDGES, "", STRINGS, "size of a node", 2, GRAPH},
        {"0,0,1,1152921504606846976,1,1,1,3,24,0", EDGES, "", STRINGS, "size of a node", 2, GRAPH},
        {"0,0,1,0,2,1,1,3,24,0", EDGES, "", STRINGS, "more edges than the 1", 2, NODES_ONLY},
        {"0,0,1,0,0,1,1,3,24,0", EDGES, "", STRINGS, "fewer edges than the 1", 2, NODES_ONLY},
        {"0,0,1,0,18446744073709551615,1,1,3,24,2", EDGES, "", STRINGS, "more edges than there are", 2,
         NODES_ONLY},
        {NODES, "0,1", "", STRINGS, "no whole number of edges", 2, NODES_ONLY},
        {NODES, "", "", STRINGS, "more edges than there are", 2, NODES_ONLY},
        {NODES, "0,1,4", "", STRINGS, "leads to no node", 2, GRAPH},
        {NODES, "0,1,10", "", STRINGS, "leads to no node", 2, GRAPH},
        {NODES, "0,1,18446744073709551610", "", STRINGS, "leads to no node", 2, GRAPH},
        {NODES, "3,1,5", "", STRINGS, "edge of a type", 2, GRAPH},
        {NODES, "1,2,5", "", STRINGS, "name of an edge", 2, GRAPH},
        {NODES, "0,4294967296,5", "", STRINGS, "index of an edge", 2, GRAPH},
        {NODES, EDGES, "4,1,2,3", STRINGS, "belongs to no node", 2, GRAPH},
        {NODES, EDGES, "10,1,2,3", STRINGS, "belongs to no node", 2, GRAPH},
        {NODES, EDGES, "5,1,2", STRINGS, "whole number should be here", 2, GRAPH},
        {NODES, EDGES, "", "", "name of a node", 2, GRAPH},
        {NODES, EDGES, "", "\"\",\"x\",3", "a string should be here", 2, GRAPH},
        {NODES ",\"x\"", EDGES, "", STRINGS, "a number should be here", 2, NODES_ONLY},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pm_snapshot_facts facts = {0};
        struct pm_error *err =
            read_facts(cases[i].nodes, cases[i].edges, cases[i].locations, cases[i].strings, &facts);
        assert_int_equal(err != NULL, cases[i].result == REFUSED);
        if (!err) assert_int_equal(facts.nodes, cases[i].nodes_left);
        assert_int_equal(facts.references_lost, cases[i].result == NODES_ONLY);
        assert_pm_error(err ? err : facts.damage, PM_ERR_FORMAT, cases[i].words);
    }
}

/* Many wrong numbers: something is missing in front of them, and the rest means nothing. */
static void test_lost_numbers(void **state) {
    (void)state;
    struct pm_strbuf nodes PM_AUTO_STRBUF = {0}, edges PM_AUTO_STRBUF = {0};
    struct pm_snapshot_facts facts = {0};
    for (int i = 0; i < 1000; i++)
        pm_strbuf_appendf(&nodes, "%s%s1,1,%d,24,0", i ? "," : "", i == 700 ? "77," : "", 2 * i + 1);
    assert_pm_ok(read_facts(pm_strbuf_text(&nodes), "", "", STRINGS, &facts));
    assert_int_equal(facts.nodes, 700);
    assert_true(facts.nodes_cut && facts.references_lost);
    pm_error_destroy(facts.damage);
    pm_strbuf_clear(&nodes);
    facts = (struct pm_snapshot_facts){0};
    for (int i = 0; i < 1000; i++) pm_strbuf_appendf(&edges, "%s0,%d,%d", i ? "," : "", i, i < 900 ? 5 : 6);
    assert_pm_ok(read_facts("0,0,1,0,1000,1,1,3,24,0", pm_strbuf_text(&edges), "", STRINGS, &facts));
    assert_true(facts.references_lost);
    assert_int_equal(facts.nodes, 2);
    assert_pm_error(facts.damage, PM_ERR_FORMAT, "leads to no node; 100 such places");
}

static void test_no_numbers(void **state) {
    (void)state;
    static const char *const bad[] = {"1e999", "-1",      "1.5", "",   " ",   "0x1", "99999999999999999999",
                                      "null",  "\"1\"",   "[1]", "{}", "1 2", "+1",  "1,",
                                      "\x01",  "Infinity"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct pm_strbuf nodes PM_AUTO_STRBUF = {0}, edges PM_AUTO_STRBUF = {0};
        pm_strbuf_appendf(&nodes, "0,0,1,%s,1,1,1,3,24,0", bad[i]);
        pm_strbuf_appendf(&edges, "0,%s,5", bad[i]);
        struct pm_error *err = read_parts(pm_strbuf_text(&nodes), EDGES, "", STRINGS);
        assert_non_null(err);
        assert_int_equal(err->kind, PM_ERR_FORMAT);
        assert_true(err->has_where);
        pm_error_destroy(err);
        err = read_parts(NODES, pm_strbuf_text(&edges), "", STRINGS);
        assert_non_null(err);
        assert_int_equal(err->kind, PM_ERR_FORMAT);
        pm_error_destroy(err);
    }
    /* The place is that of the number. */
    const char *nodes = "0,0,1,0,1,1,1,3,-24,0";
    assert_pm_error_at(read_parts(nodes, EDGES, "", STRINGS), PM_ERR_FORMAT, sizeof(head) - 1 + 9 + 16,
                       "a whole number should be here");
}

static void test_counts_lie(void **state) {
    (void)state;
    static const char *const counts[] = {"0",     "1",  "18446744073709551615", "1e999", "-5",
                                         "\"2\"", "[]", "{\"a\":[1]}"};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        struct pm_strbuf text PM_AUTO_STRBUF = {0};
        struct pm_graph *graph = NULL;
        struct pm_snapshot_facts facts = {0};
        const char *claim = strstr(head, "\"node_count\":2");
        pm_strbuf_append_bytes(&text, head, (size_t)(claim - head));
        pm_strbuf_appendf(&text,
                          "\"node_count\":%s,\"edge_count\":%s},\"nodes\":[" NODES "],\"edges\":[" EDGES
                          "],\"strings\":[" STRINGS "]}",
                          counts[i], counts[i]);
        struct pm_error *err = snapshot_read_text(pm_strbuf_text(&text), text.length, &graph, &facts);
        if (i < 3) { /* the file itself counts */
            assert_pm_ok(err);
            assert_int_equal(facts.nodes, 2);
            pm_graph_destroy(graph);
        } else { /* and the head is not needed for more */
            assert_pm_ok(err);
            assert_int_equal(facts.nodes, 2);
            assert_pm_error(facts.damage, PM_ERR_FORMAT, "");
            pm_graph_destroy(graph);
        }
    }
}

static void test_missing_parts(void **state) {
    (void)state;
    struct pm_graph *graph = NULL;
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"", "file ends"},
        {"null", "should be here"},
        {"[]", "should be here"},
        {"{}", "without snapshot"},
        {"{\"nodes\":[],\"edges\":[],\"strings\":[]}", "without snapshot"},
        {"{\"snapshot\":{}}", "no meta"},
        {"{\"snapshot\":{\"meta\":{}}}", "no node_fields"},
        {"{\"snapshot\":[]}", "should be here"},
        {"{\"nodes\":{}}", "should be here"},
        {"{\"nodes\":[1,2", "ends inside of its nodes"},
        {"{\"strings\":[1]}", "a string should be here"},
        {"{\"strings\":[\"a\" \"b\"]}", "should be here"},
        {"{\"strings\":[\"a\",\"b", "ends inside of its strings"},
        {"{\"strings\":[\"a\\", "ends inside of its strings"},
        {"{\"nodes\":[],\"nodes\":[]}", "nodes comes twice"},
        {"{\"strings\":[],\"strings\":[]}", "strings comes twice"},
        {"{\"snapshot\":{\"meta\":{\"node_fields\":[\"type\"],\"node_types\":[[]],\"edge_fields\":[],\"edge_"
         "types\":[]}}}",
         "node_fields has no field name"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_pm_error(snapshot_read_text(cases[i].text, strlen(cases[i].text), &graph, NULL), PM_ERR_FORMAT,
                        cases[i].words);
    for (const char *const *section = (const char *const[]){"seS", "neS", NULL}; *section; section++) {
        struct snapshot_builder *b = snapshot_builder_new(&(struct snapshot_form){.sections = *section});
        assert_pm_error(snapshot_read(b, &graph), PM_ERR_FORMAT, "a heap snapshot without");
        snapshot_builder_free(b);
    }
}

/* Without strings there are no names, without edges no references. */
static void test_missing_sections(void **state) {
    (void)state;
    for (const char *const *section = (const char *const[]){"sn", "sne", "snS", "snl", NULL}; *section;
         section++) {
        struct snapshot_builder *b = snapshot_builder_new(&(struct snapshot_form){.sections = *section});
        struct pm_graph *graph = NULL;
        struct pm_snapshot_facts facts = {0};
        size_t length;
        unsigned node = snapshot_builder_node(b, "object", "Session", 32);
        snapshot_builder_named(b, 0, "property", "sessions", node);
        const char *text = snapshot_builder_text(b, &length);
        assert_pm_ok(snapshot_read_text(text, length, &graph, &facts));
        assert_int_equal(graph->node_count, 2);
        assert_int_equal(graph->references_lost, !strchr(*section, 'e'));
        assert_int_equal(graph->edge_count, strchr(*section, 'e') ? 1 : 0);
        assert_int_equal(graph->names_lost, !strchr(*section, 'S'));
        assert_string_equal(graph->classes[graph->class_of[1]],
                            graph->names_lost ? "(object, name not saved)" : "Session");
        assert_int_equal(pm_graph_shallow(graph, 1), 32);
        assert_pm_error(facts.damage, PM_ERR_FORMAT, "a heap snapshot without");
        pm_graph_destroy(graph);
        snapshot_builder_free(b);
    }
}

/* What is behind a damaged place is found again. */
static void test_damaged_between(void **state) {
    (void)state;
    static const char *const between[] = {
        "\"trace_tree\":[1,2}}",
        "\"samples\":[1 \"x\"",
        "\"nodes\":[1]",
        "\"trace_tree\":[\"",
        "\"x\":@",
        ",,",
        "\"edges\":{\"a\":1}",
        "\"locations\":[1,\"",
    };
    for (size_t i = 0; i < sizeof(between) / sizeof(between[0]); i++) {
        struct pm_strbuf text PM_AUTO_STRBUF = {0};
        struct pm_graph *graph = NULL;
        struct pm_snapshot_facts facts = {0};
        pm_strbuf_appendf(&text,
                          "%s\"nodes\":[" NODES "],\"edges\":[" EDGES "],%s,\"strings\":[" STRINGS "]}", head,
                          between[i]);
        assert_pm_ok(snapshot_read_text(pm_strbuf_text(&text), text.length, &graph, &facts));
        assert_int_equal(graph->edge_count, 1);
        assert_string_equal(graph->classes[graph->class_of[1]], "x");
        assert_pm_error(facts.damage, PM_ERR_FORMAT, "");
        pm_graph_destroy(graph);
    }
}

static void test_limits(void **state) {
    (void)state;
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    struct pm_graph *graph = NULL;
    pm_strbuf_append(
        &text,
        "{\"snapshot\":{\"meta\":{\"node_types\":[],\"edge_fields\":[],\"edge_types\":[],\"node_fields\":[");
    for (int i = 0; i < 33; i++) pm_strbuf_appendf(&text, "%s\"f%d\"", i ? "," : "", i);
    pm_strbuf_append(&text, "]}}}");
    assert_pm_error(snapshot_read_text(pm_strbuf_text(&text), text.length, &graph, NULL), PM_ERR_LIMIT,
                    "more than 32");
}

/* A snapshot with all that there is in one. */
static struct snapshot_builder *sample(void) {
    struct snapshot_builder *b = snapshot_builder_new(NULL);
    static const char *const types[] = {"hidden", "array",   "string", "object",
                                        "code",   "closure", "native", "concatenated string"};
    static const char *const names[] = {"x",          "table",        "__proto__", "Map",
                                        "properties", "\n\xd0\xb6\"", "shared",    "12"};
    static const char *const kinds[] = {"property", "internal", "weak", "shortcut", "context"};
    snapshot_builder_node(b, "synthetic", "(GC roots)", 0);
    snapshot_builder_node(b, "synthetic", "(Stack roots)", 0);
    for (unsigned i = 0; i < 24; i++) snapshot_builder_node(b, types[i % 8], names[i / 3], 8 * i);
    for (unsigned i = 0; i < 90; i++) {
        unsigned from = i < 70 ? 3 : i % 27, to = (i * 7) % 27;
        if (i % 3)
            snapshot_builder_named(b, from, kinds[i % 5], names[i % 8], to);
        else
            snapshot_builder_edge(b, from, i % 2 ? "element" : "hidden", i, to);
    }
    for (unsigned i = 0; i < 10; i++) snapshot_builder_location(b, 2 * i, i % 3, (int)i - 1, 4);
    return b;
}

static void ignore(void *context, pm_node to) {
    (void)context, (void)to;
}

/* Asks for everything. */
static void use(struct pm_graph *graph) {
    const struct pm_graph_source *source = graph->source;
    void *self = graph->source_self;
    assert_pm_ok(pm_graph_check(graph));
    for (pm_node node = 0; node < graph->node_count; node++) {
        struct pm_strbuf text = {0};
        struct pm_graph_position position = {0};
        struct pm_edge_name name = {0};
        char *function = NULL;
        uint64_t count, capacity, cursor = 0;
        double number;
        bool is_number;
        source->describe(self, node, 80, &text);
        source->text(self, node, 100, &text);
        if (source->position(self, node, &function, &position)) free(position.file);
        free(function);
        if (source->declaration(self, node, "x", node % 2, &position)) free(position.file);
        source->entries(self, node, &count, &capacity);
        source->number(self, node, "x", &number);
        source->property(self, node, "table");
        source->constructor(self, node);
        source->find(self, source->identity(self, node));
        for (int i = 0; i < 100 && source->next_key(self, node, &cursor, &text, &number, &is_number); i++) {
        }
        for (uint64_t edge = graph->first_edge[node]; edge < graph->first_edge[node + 1]; edge++) {
            source->edge_name(self, node, edge, &name);
            source->store_edge_name(self, graph->edges[edge], node, edge, &name);
        }
        source->weak_edges(self, node, ignore, NULL);
        source->allocation(self, node, 10, &text);
        pm_strbuf_deinit(&text);
        pm_strbuf_deinit(&name.text);
    }
}

static void read_and_use(const char *text, size_t length) {
    struct pm_graph *graph = NULL;
    struct pm_snapshot_facts facts = {0};
    char *exact = malloc(length ? length : 1); /* so that one byte too far is seen */
    memcpy(exact, text, length);
    struct pm_error *err = snapshot_read_text(exact, length, &graph, &facts);
    if (!err) {
        use(graph);
        pm_graph_destroy(graph);
    }
    if (err || facts.damage) {
        struct pm_error *damage = err ? err : facts.damage;
        assert_true(damage->kind == PM_ERR_FORMAT || damage->kind == PM_ERR_LIMIT);
        assert_true(damage->has_where && damage->where <= length);
        pm_error_destroy(damage);
    }
    free(exact);
}

static void test_cut_anywhere(void **state) {
    (void)state;
    size_t length;
    struct snapshot_builder *b = sample();
    const char *text = snapshot_builder_text(b, &length);
    const char *nodes = strstr(text, "\"nodes\":["), *edges = strstr(text, "\"edges\":["),
               *traces = strchr(edges, ']');
    pm_node last_nodes = 0;
    read_and_use(text, length);
    for (size_t cut = 0; cut + 1 < length; cut++) {
        struct pm_graph *graph = NULL;
        struct pm_snapshot_facts facts = {0};
        struct pm_error *err = snapshot_read_text(text, cut, &graph, &facts);
        struct pm_error *damage = err ? err : facts.damage;
        assert_non_null(damage);
        if (cut > 0) assert_string_equal(damage->hint ? "hint" : "", damage->where == cut ? "hint" : "");
        assert_true(err || text + cut > nodes);
        if (!err) {
            assert_true(graph->node_count >= last_nodes); /* the more of the file, the more nodes */
            last_nodes = graph->node_count;
            assert_int_equal(graph->references_lost, text + cut <= traces);
            assert_true(facts.names_cut);
        }
        pm_error_destroy(damage);
        pm_graph_destroy(graph);
        read_and_use(text, cut);
    }
    assert_int_equal(last_nodes, 27);
    snapshot_builder_free(b);
}

static void test_changed_anywhere(void **state) {
    (void)state;
    static const char bytes[] = "0,9]}\"[{\\\n-\xff";
    size_t length;
    struct snapshot_builder *b = sample();
    const char *text = snapshot_builder_text(b, &length);
    char *changed = strdup(text);
    for (size_t i = 0; i < length; i++) {
        for (size_t k = i % 3; k < sizeof(bytes); k += 3) { /* the NUL too */
            changed[i] = bytes[k];
            read_and_use(changed, length);
        }
        changed[i] = text[i];
    }
    free(changed);
    snapshot_builder_free(b);
}

/* ------------------------------------------------------------------ large and deep */

static void repeat(struct pm_strbuf *text, const char *what, size_t count) {
    for (size_t i = 0; i < count; i++) pm_strbuf_append(text, what);
}

static void test_deep_nesting(void **state) {
    (void)state;
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    struct pm_graph *graph = NULL;
    pm_strbuf_append(&text, "{\"trace_tree\":");
    repeat(&text, "[", 3000000);
    assert_pm_error(snapshot_read_text(pm_strbuf_text(&text), text.length, &graph, NULL), PM_ERR_FORMAT,
                    "file ends");
    repeat(&text, "]", 3000000);
    pm_strbuf_append(&text, "}");
    assert_pm_error(snapshot_read_text(pm_strbuf_text(&text), text.length, &graph, NULL), PM_ERR_FORMAT,
                    "without");
    pm_strbuf_clear(&text);
    pm_strbuf_append(&text, "{\"nodes\":");
    repeat(&text, "[", 100000);
    assert_pm_error(snapshot_read_text(pm_strbuf_text(&text), text.length, &graph, NULL), PM_ERR_FORMAT,
                    "file ends");
    repeat(&text, "]", 100000);
    assert_pm_error(snapshot_read_text(pm_strbuf_text(&text), text.length, &graph, NULL), PM_ERR_FORMAT, "");
    pm_strbuf_clear(&text);
    repeat(&text, "{\"a\":", 100000);
    assert_pm_error(snapshot_read_text(pm_strbuf_text(&text), text.length, &graph, NULL), PM_ERR_FORMAT,
                    "file ends");
}

static void test_one_huge_string(void **state) {
    (void)state;
    struct pm_strbuf strings PM_AUTO_STRBUF = {0}, text PM_AUTO_STRBUF = {0};
    struct pm_graph *graph = NULL;
    pm_strbuf_append(&strings, "\"\",\"");
    repeat(&strings, "\\u0436xxxxxxxxxx\\\\", 4000000);
    pm_strbuf_append(&strings, "\"");
    pm_strbuf_appendf(&text, "%s\"nodes\":[" NODES "],\"edges\":[" EDGES "],\"strings\":[%s]}", head,
                      pm_strbuf_text(&strings));
    assert_pm_ok(snapshot_read_text(pm_strbuf_text(&text), text.length, &graph, NULL));
    assert_int_equal(strlen(graph->classes[graph->class_of[1]]), 256 + 256 / 12 + 1); /* cut, in UTF-8 */
    use(graph);
    pm_graph_destroy(graph);
}

/* A million classes, and one prototype with a million properties for all of them. */
static void test_hostile_prototypes(void **state) {
    (void)state;
    enum { CLASSES = 60000, PROPERTIES = 60000 };
    struct snapshot_builder *b = snapshot_builder_new(NULL);
    struct pm_graph *graph = NULL;
    unsigned prototype = snapshot_builder_node(b, "object", "Object", 16);
    for (unsigned i = 0; i < PROPERTIES; i++) snapshot_builder_named(b, prototype, "property", "p", 0);
    for (unsigned i = 0; i < CLASSES; i++) {
        char name[32];
        snprintf(name, sizeof(name), "Class%u", i);
        snapshot_builder_named(b, snapshot_builder_node(b, "object", name, 16), "property", "__proto__",
                               prototype);
    }
    assert_pm_ok(snapshot_read(b, &graph)); /* in time */
    pm_graph_destroy(graph);
    snapshot_builder_free(b);
}

/* Counts that say 2^40 nodes do not make it ask for memory. */
static void test_memory(void **state) {
    (void)state;
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    struct pm_graph *graph = NULL;
    const char *claim = strstr(head, "\"node_count\":2");
    pm_strbuf_append_bytes(&text, head, (size_t)(claim - head));
    pm_strbuf_append(&text, "\"node_count\":1099511627776,\"edge_count\":1099511627776},\"nodes\":[" NODES
                            "],\"edges\":[" EDGES "],\"strings\":[" STRINGS "]}");
    size_t used = mallinfo2().uordblks;
    assert_pm_ok(snapshot_read_text(pm_strbuf_text(&text), text.length, &graph, NULL));
    assert_true(mallinfo2().uordblks - used < 1 << 20);
    pm_graph_destroy(graph);
}

static void test_sniff(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool is;
    } cases[] = {
        {"{\"snapshot\":{\"meta\":{\"node_fields\":[", true},
        {"\xef\xbb\xbf \n{\"snapshot\":{\"meta\":{\"node_fields\":[", true},
        {"[\"snapshot\",\"node_fields\"]", false},
        {"{\"header\":{}}", false},
        {"{\"snapshot\":1}", false},
        {"", false},
        {"\xef\xbb", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pm_input input = {.bytes = (const uint8_t *)cases[i].text, .size = strlen(cases[i].text)};
        assert_int_equal(pm_heap_snapshot_sniff(&input), cases[i].is);
    }
    struct pm_input empty = {0};
    assert_false(pm_heap_snapshot_sniff(&empty));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_numbers),
        cmocka_unit_test(test_no_numbers),
        cmocka_unit_test(test_lost_numbers),
        cmocka_unit_test(test_missing_sections),
        cmocka_unit_test(test_damaged_between),
        cmocka_unit_test(test_counts_lie),
        cmocka_unit_test(test_missing_parts),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_changed_anywhere),
        cmocka_unit_test(test_deep_nesting),
        cmocka_unit_test(test_one_huge_string),
        cmocka_unit_test(test_hostile_prototypes),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_sniff),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
