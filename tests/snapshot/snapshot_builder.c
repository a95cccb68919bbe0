#include "tests/snapshot/snapshot_builder.h"

#include <string.h>

#include "postmortem/base/escape.h"
#include "postmortem/base/vec.h"

struct node {
    unsigned type, name, detachedness;
    uint64_t size;
};
struct edge {
    unsigned from, kind, order;
    uint64_t name;
    unsigned to;
};
struct location {
    unsigned node, script;
    int line, column;
};

struct snapshot_builder {
    struct snapshot_form form;
    PM_VEC(struct node) nodes;
    PM_VEC(struct edge) edges;
    PM_VEC(struct location) locations;
    PM_VEC(char *) strings;
    uint32_t *slots;
    size_t slot_count;
    struct pm_strbuf text;
};

static const char *const edge_kinds[] = {"context", "element",  "property", "internal",
                                         "hidden",  "shortcut", "weak"};

static void need(bool good) {
    if (!good) abort();
}

/* The place of a word in a list. */
static unsigned place_in(const char *list, char separator, const char *word) {
    size_t length = strlen(word);
    for (unsigned place = 0;; place++) {
        const char *end = strchr(list, separator);
        size_t here = end ? (size_t)(end - list) : strlen(list);
        if (here == length && memcmp(list, word, length) == 0) return place;
        need(end != NULL);
        list = end + 1;
    }
}

static unsigned add_string(struct snapshot_builder *b, const char *text) {
    if (b->strings.count * 2 >= b->slot_count) {
        b->slot_count = b->slot_count ? b->slot_count * 2 : 1024;
        free(b->slots);
        b->slots = calloc(b->slot_count, sizeof(*b->slots));
        need(b->slots != NULL);
        size_t count = b->strings.count;
        for (b->strings.count = 0; b->strings.count < count;) { /* those before are in the table already */
            uint64_t hash = 5381;
            for (const char *c = b->strings.items[b->strings.count]; *c; c++)
                hash = hash * 33 + (unsigned char)*c;
            while (b->slots[hash % b->slot_count]) hash++;
            b->slots[hash % b->slot_count] = (uint32_t)++b->strings.count;
        }
    }
    uint64_t hash = 5381;
    for (const char *c = text; *c; c++) hash = hash * 33 + (unsigned char)*c;
    for (; b->slots[hash % b->slot_count]; hash++)
        if (strcmp(b->strings.items[b->slots[hash % b->slot_count] - 1], text) == 0)
            return b->slots[hash % b->slot_count] - 1;
    char *copy = strdup(text);
    need(copy && pm_vec_push(&b->strings, copy));
    b->slots[hash % b->slot_count] = (uint32_t)b->strings.count;
    return (unsigned)b->strings.count - 1;
}

struct snapshot_builder *snapshot_builder_new(const struct snapshot_form *form) {
    struct snapshot_builder *b = calloc(1, sizeof(*b));
    need(b != NULL);
    if (form) b->form = *form;
    if (!b->form.node_fields)
        b->form.node_fields = "type name id self_size edge_count trace_node_id detachedness";
    if (!b->form.edge_fields) b->form.edge_fields = "type name_or_index to_node";
    if (!b->form.location_fields) b->form.location_fields = "object_index script_id line column";
    if (!b->form.node_types)
        b->form.node_types =
            "hidden,array,string,object,code,closure,regexp,number,native,synthetic,concatenated "
            "string,sliced string,symbol,bigint,object shape";
    if (!b->form.sections) b->form.sections = "snetlS";
    if (!b->form.separator) b->form.separator = ",";
    if (!b->form.record_start) b->form.record_start = "\n";
    add_string(b, "<dummy>");
    snapshot_builder_node(b, "synthetic", "", 0);
    return b;
}

void snapshot_builder_free(struct snapshot_builder *b) {
    for (size_t i = 0; i < b->strings.count; i++) free(b->strings.items[i]);
    pm_vec_deinit(&b->nodes);
    pm_vec_deinit(&b->edges);
    pm_vec_deinit(&b->locations);
    pm_vec_deinit(&b->strings);
    pm_strbuf_deinit(&b->text);
    free(b->slots);
    free(b);
}

unsigned snapshot_builder_node(struct snapshot_builder *b, const char *type, const char *name,
                               uint64_t size) {
    struct node node = {
        .type = place_in(b->form.node_types, ',', type), .name = add_string(b, name), .size = size};
    need(pm_vec_push(&b->nodes, node));
    return (unsigned)b->nodes.count - 1;
}

void snapshot_builder_detached(struct snapshot_builder *b, unsigned node) {
    b->nodes.items[node].detachedness = 2;
}

void snapshot_builder_edge(struct snapshot_builder *b, unsigned from, const char *kind, uint64_t index,
                           unsigned to) {
    struct edge edge = {.from = from, .order = (unsigned)b->edges.count, .name = index, .to = to};
    while (strcmp(edge_kinds[edge.kind], kind) != 0) edge.kind++;
    need(pm_vec_push(&b->edges, edge));
}

void snapshot_builder_named(struct snapshot_builder *b, unsigned from, const char *kind, const char *name,
                            unsigned to) {
    snapshot_builder_edge(b, from, kind, add_string(b, name), to);
}

void snapshot_builder_location(struct snapshot_builder *b, unsigned node, unsigned script, int line,
                               int column) {
    struct location location = {node, script, line, column};
    need(pm_vec_push(&b->locations, location));
}

/* ------------------------------------------------------------------ the text */

static void put_words(struct snapshot_builder *b, const char *words, char separator) {
    pm_strbuf_append(&b->text, "[\"");
    for (; *words; words++)
        if (*words == separator)
            pm_strbuf_append(&b->text, "\",\"");
        else
            pm_strbuf_append_char(&b->text, *words);
    pm_strbuf_append(&b->text, "\"]");
}

static void put_head(struct snapshot_builder *b) {
    pm_strbuf_append(&b->text, "\"snapshot\":{\"meta\":{\"node_fields\":");
    put_words(b, b->form.node_fields, ' ');
    pm_strbuf_append(&b->text, ",\"node_types\":[");
    for (unsigned i = 0; i < place_in(b->form.node_fields, ' ', "type"); i++)
        pm_strbuf_append(&b->text, "\"number\",");
    put_words(b, b->form.node_types, ',');
    pm_strbuf_append(&b->text, ",\"string\",\"number\"],\"edge_fields\":");
    put_words(b, b->form.edge_fields, ' ');
    pm_strbuf_append(&b->text, ",\"edge_types\":[");
    for (unsigned i = 0; i < place_in(b->form.edge_fields, ' ', "type"); i++)
        pm_strbuf_append(&b->text, "\"node\",");
    put_words(b, "context,element,property,internal,hidden,shortcut,weak", ',');
    pm_strbuf_append(&b->text, ",\"string_or_number\",\"node\"],\"location_fields\":");
    put_words(b, b->form.location_fields, ' ');
    pm_strbuf_appendf(&b->text, "},\"node_count\":%zu,\"edge_count\":%zu,\"trace_function_count\":0}",
                      b->nodes.count, b->edges.count);
}

/* One record; `values` is asked for each field by name. */
static void put_record(struct snapshot_builder *b, size_t number, const char *fields, const void *record,
                       uint64_t (*value)(const struct snapshot_builder *b, size_t number, const void *record,
                                         const char *field, size_t length)) {
    if (number) pm_strbuf_append(&b->text, b->form.record_start);
    for (size_t i = 0; *fields; i++) {
        size_t length = strcspn(fields, " ");
        if (number || i) pm_strbuf_append(&b->text, b->form.separator);
        uint64_t is = value(b, number, record, fields, length);
        if ((int64_t)is < 0)
            pm_strbuf_appendf(&b->text, "%lld", (long long)is);
        else
            pm_strbuf_appendf(&b->text, "%llu", (unsigned long long)is);
        fields += length + (fields[length] == ' ');
    }
}

static bool is(const char *field, size_t length, const char *name) {
    return strlen(name) == length && memcmp(field, name, length) == 0;
}

static size_t first_edge(const struct snapshot_builder *b, size_t node) { /* edges are sorted by then */
    size_t low = 0, high = b->edges.count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (b->edges.items[middle].from < node)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static unsigned node_field_count(const struct snapshot_builder *b) {
    unsigned count = 1;
    for (const char *c = b->form.node_fields; *c; c++) count += *c == ' ';
    return count;
}

static uint64_t node_value(const struct snapshot_builder *b, size_t number, const void *record,
                           const char *field, size_t length) {
    const struct node *node = record;
    if (is(field, length, "type")) return node->type;
    if (is(field, length, "name")) return node->name;
    if (is(field, length, "id")) return 2 * number + 1;
    if (is(field, length, "self_size")) return node->size;
    if (is(field, length, "edge_count")) return first_edge(b, number + 1) - first_edge(b, number);
    if (is(field, length, "detachedness")) return node->detachedness;
    return 12345;
}

static uint64_t edge_value(const struct snapshot_builder *b, size_t number, const void *record,
                           const char *field, size_t length) {
    const struct edge *edge = record;
    (void)number;
    if (is(field, length, "type")) return edge->kind;
    if (is(field, length, "name_or_index")) return edge->name;
    if (is(field, length, "to_node")) return (uint64_t)edge->to * node_field_count(b);
    return 54321;
}

static uint64_t location_value(const struct snapshot_builder *b, size_t number, const void *record,
                               const char *field, size_t length) {
    const struct location *location = record;
    (void)number;
    if (is(field, length, "object_index")) return (uint64_t)location->node * node_field_count(b);
    if (is(field, length, "script_id")) return location->script;
    if (is(field, length, "line")) return (uint64_t)(int64_t)location->line;
    return (uint64_t)(int64_t)location->column;
}

static void put_section(struct snapshot_builder *b, char section) {
    switch (section) {
    case 's': put_head(b); break;
    case 'n':
        pm_strbuf_append(&b->text, "\"nodes\":[");
        for (size_t i = 0; i < b->nodes.count; i++)
            put_record(b, i, b->form.node_fields, &b->nodes.items[i], node_value);
        pm_strbuf_append(&b->text, "]");
        break;
    case 'e':
        pm_strbuf_append(&b->text, "\"edges\":[");
        for (size_t i = 0; i < b->edges.count; i++)
            put_record(b, i, b->form.edge_fields, &b->edges.items[i], edge_value);
        pm_strbuf_append(&b->text, "]");
        break;
    case 't':
        pm_strbuf_append(&b->text, "\"trace_function_infos\":[],\n\"trace_tree\":[],\n\"samples\":[]");
        break;
    case 'l':
        pm_strbuf_append(&b->text, "\"locations\":[");
        for (size_t i = 0; i < b->locations.count; i++)
            put_record(b, i, b->form.location_fields, &b->locations.items[i], location_value);
        pm_strbuf_append(&b->text, "]");
        break;
    default:
        pm_strbuf_append(&b->text, "\"strings\":[");
        for (size_t i = 0; i < b->strings.count; i++) {
            pm_strbuf_append(&b->text, i ? ",\n\"" : "\"");
            pm_escape_json(&b->text, b->strings.items[i], strlen(b->strings.items[i]));
            pm_strbuf_append(&b->text, "\"");
        }
        pm_strbuf_append(&b->text, "]");
    }
}

static int by_from(const void *a, const void *b) {
    const struct edge *left = a, *right = b;
    if (left->from != right->from) return left->from < right->from ? -1 : 1;
    return left->order < right->order ? -1 : 1;
}

const char *snapshot_builder_text(struct snapshot_builder *b, size_t *length_ret) {
    pm_strbuf_clear(&b->text);
    if (b->edges.count) qsort(b->edges.items, b->edges.count, sizeof(*b->edges.items), by_from);
    pm_strbuf_append(&b->text, "{");
    for (const char *section = b->form.sections; *section; section++) {
        if (section != b->form.sections) pm_strbuf_append(&b->text, ",\n");
        put_section(b, *section);
    }
    pm_strbuf_append(&b->text, "}");
    need(!b->text.failed);
    if (length_ret) *length_ret = b->text.length;
    return pm_strbuf_text(&b->text);
}

struct pm_error *snapshot_read_text(const char *text, size_t length, struct pm_graph **ret,
                                    struct pm_snapshot_facts *facts) {
    struct pm_input input = {.path = (char *)(uintptr_t) "test.heapsnapshot",
                             .bytes = (const uint8_t *)text,
                             .size = length,
                             .file_size = length};
    return pm_heap_snapshot_read(&input, ret, facts);
}

struct pm_error *snapshot_read(struct snapshot_builder *b, struct pm_graph **ret) {
    size_t length;
    const char *text = snapshot_builder_text(b, &length);
    return snapshot_read_text(text, length, ret, NULL);
}
