#include "parsers/heap_snapshot_source.h"

#include <string.h>

#include "postmortem/base/limits.h"
#include "postmortem/base/vec.h"

/* heap_snapshot_source.c - what a snapshot tells about single nodes: texts, names of edges, entries of
 * collections.
 *
 * Tables of collections have internal edges named by the number of the slot, with which their keys are found
 * again (V8: src/objects/ordered-hash-table.h, dictionary.h, hash-table.h). An array of n slots has 16 + 8 *
 * n bytes:
 *
 *   Map, Set      3 words, then b buckets, then 2 * b entries of (key, value, chain) or (key, chain)
 *   NameDictionary   5 words (6 since V8 11), then 2^n entries of (key, value, details)
 *   WeakMap, WeakSet   3 words, then 2^n entries of (key, value), as weak edges
 *
 * Small integers are no nodes, so slots that hold them have no edges. */

/* ------------------------------------------------------------------ edges and texts */

pm_node pm_snapshot_follow(const struct pm_snapshot *snapshot, pm_node node, enum pm_snapshot_word word) {
    struct pm_snapshot_edges edges;
    struct pm_snapshot_edge edge;
    uint32_t wanted = snapshot->words[word];
    if (wanted == PM_NO_NAME) return PM_NO_NODE;
    enum pm_edge_kind kind = word == PM_WORD_PROTO ? PM_EDGE_PROPERTY : PM_EDGE_INTERNAL;
    pm_snapshot_edges_of(&snapshot->file, node, &edges);
    while (pm_snapshot_edges_next(&edges, &edge))
        if (edge.kind == kind && pm_snapshot_name_is(snapshot, edge.name, wanted)) return edge.to;
    return PM_NO_NODE;
}

static struct pm_json_text name_of(const struct pm_snapshot *snapshot, pm_node node) {
    struct pm_snapshot_node record;
    pm_snapshot_node_at(&snapshot->file, node, &record);
    return pm_snapshot_string(&snapshot->file, record.name);
}

char *pm_snapshot_node_name(const struct pm_snapshot *snapshot, pm_node node, size_t most) {
    struct pm_strbuf text = {0};
    pm_json_unescape(name_of(snapshot, node), most, &text);
    return pm_strbuf_take(&text);
}

static enum pm_node_kind kind_of(const struct pm_snapshot *snapshot, pm_node node) {
    return (enum pm_node_kind)snapshot->graph->kinds[node];
}

static const char *class_of(const struct pm_snapshot *snapshot, pm_node node) {
    return snapshot->graph->classes[snapshot->graph->class_of[node]];
}

static uint64_t identity(const void *self, pm_node node) {
    const struct pm_snapshot *snapshot = self;
    struct pm_snapshot_node record;
    pm_snapshot_node_at(&snapshot->file, node, &record);
    return record.id;
}

static pm_node find(const void *self, uint64_t wanted) {
    const struct pm_snapshot *snapshot = self;
    const struct pm_snapshot_file *file = &snapshot->file;
    const uint8_t *at = file->bytes + file->node_at[0], *end = file->bytes + file->nodes.end;
    uint64_t value = 0, id = 0;
    for (pm_node node = 0; node < file->node_count; node++) {
        for (unsigned i = 0; i < file->meta.node_fields && at; i++) {
            at = pm_snapshot_number(at, end, &value);
            if (i == file->meta.id) id = value;
        }
        if (id == wanted) return node;
    }
    return PM_NO_NODE;
}

/* A string's text from the rope of its parts. The parts still to come are a stack: ropes are deep on either
 * side. */
static bool rope_text(const struct pm_snapshot *snapshot, pm_node node, size_t most, struct pm_strbuf *out) {
    PM_VEC(pm_node) stack = {0};
    size_t units = 0, parts = 0, before = out->length;
    bool more = pm_vec_push(&stack, node);
    while (more && stack.count && units < most && parts++ < PM_MAX_STRING_DEPTH) {
        node = stack.items[--stack.count];
        if (kind_of(snapshot, node) == PM_NODE_CONS_STRING) {
            pm_node first = pm_snapshot_follow(snapshot, node, PM_WORD_FIRST);
            pm_node second = pm_snapshot_follow(snapshot, node, PM_WORD_SECOND);
            more = first != PM_NO_NODE && second != PM_NO_NODE && pm_vec_push(&stack, second) &&
                   pm_vec_push(&stack, first);
        } else {
            struct pm_json_text text = name_of(snapshot, node);
            more = kind_of(snapshot, node) == PM_NODE_STRING;
            size_t length = more ? pm_json_unescape(text, most - units, out) : 0;
            units += length;
            if (length >= PM_SNAPSHOT_TEXT)
                more = false; /* V8 cut it: what follows would be in the wrong place */
        }
    }
    bool any = out->length > before || stack.count == 0;
    pm_vec_deinit(&stack);
    return any;
}

static bool text(const void *self, pm_node node, size_t most, struct pm_strbuf *out) {
    const struct pm_snapshot *snapshot = self;
    if (kind_of(snapshot, node) == PM_NODE_CONS_STRING) return rope_text(snapshot, node, most, out);
    if (kind_of(snapshot, node) != PM_NODE_STRING) return false; /* of a slice nobody knows where it begins */
    pm_json_unescape(name_of(snapshot, node), most, out);
    return true;
}

static void name_edge(const struct pm_snapshot *snapshot, const struct pm_snapshot_edge *edge,
                      struct pm_edge_name *ret) {
    ret->kind = edge->kind;
    ret->index = 0;
    if (pm_snapshot_is_named(edge->kind))
        pm_json_unescape(pm_snapshot_string(&snapshot->file, edge->name), PM_MAX_NAME, &ret->text);
    else
        ret->index = (uint32_t)edge->name;
}

static void edge_name(const void *self, pm_node from, uint64_t edge, struct pm_edge_name *ret) {
    const struct pm_snapshot *snapshot = self;
    struct pm_snapshot_edges edges;
    struct pm_snapshot_edge found = {0};
    uint64_t first = snapshot->graph->first_edge[from];
    pm_snapshot_edges_of(&snapshot->file, from, &edges);
    pm_snapshot_edges_seek(&edges, first, edge);
    while (pm_snapshot_edges_next(&edges, &found) && !found.strong) {
    }
    name_edge(snapshot, &found, ret);
}

static void weak_edges(const void *self, pm_node node, void (*visit)(void *context, pm_node to),
                       void *context) {
    const struct pm_snapshot *snapshot = self;
    struct pm_snapshot_edges edges;
    struct pm_snapshot_edge edge;
    pm_snapshot_edges_of(&snapshot->file, node, &edges);
    while (pm_snapshot_edges_next(&edges, &edge))
        if (edge.kind == PM_EDGE_WEAK) visit(context, edge.to);
}

/* ------------------------------------------------------------------ values */

static pm_node property(const void *self, pm_node node, const char *wanted) {
    const struct pm_snapshot *snapshot = self;
    struct pm_snapshot_edges edges;
    struct pm_snapshot_edge edge;
    uint32_t name = pm_snapshot_name(snapshot, wanted);
    if (name == PM_NO_NAME) return PM_NO_NODE;
    pm_snapshot_edges_of(&snapshot->file, node, &edges);
    while (pm_snapshot_edges_next(&edges, &edge))
        if ((edge.kind == PM_EDGE_PROPERTY || edge.kind == PM_EDGE_CONTEXT) &&
            pm_snapshot_name_is(snapshot, edge.name, name))
            return edge.to;
    return PM_NO_NODE;
}

/* undefined, null, true, false: since V8 13 the node's name, before that the string its first hidden edge
 * leads to. */
static struct pm_json_text oddball(const struct pm_snapshot *snapshot, pm_node node) {
    struct pm_snapshot_edges edges;
    struct pm_snapshot_edge edge;
    pm_snapshot_edges_of(&snapshot->file, node, &edges);
    struct pm_json_text name = pm_snapshot_string(&snapshot->file, edges.from.name);
    if (edges.from.type != PM_SNAPSHOT_HIDDEN) return (struct pm_json_text){NULL, 0};
    if (!pm_json_is(name, "system / Oddball")) return name;
    while (pm_snapshot_edges_next(&edges, &edge))
        if (edge.kind == PM_EDGE_HIDDEN && kind_of(snapshot, edge.to) == PM_NODE_STRING)
            return name_of(snapshot, edge.to);
    return name;
}

static bool is_hole(const struct pm_snapshot *snapshot, pm_node node) {
    struct pm_json_text name =
        kind_of(snapshot, node) == PM_NODE_OTHER ? oddball(snapshot, node) : (struct pm_json_text){NULL, 0};
    return pm_json_is(name, "hole") || pm_json_is(name, "system / Hole");
}

/* Numbers have their text behind the edge `value`, if the snapshot was asked for it. */
static bool number_value(const struct pm_snapshot *snapshot, pm_node node, double *ret) {
    if (kind_of(snapshot, node) != PM_NODE_NUMBER) return false;
    pm_node value = pm_snapshot_follow(snapshot, node, PM_WORD_VALUE);
    if (value == PM_NO_NODE || kind_of(snapshot, value) != PM_NODE_STRING) return false;
    char *digits PM_AUTO_FREE = pm_snapshot_node_name(snapshot, value, 64), *end;
    if (!digits || !*digits) return false;
    *ret = strtod(digits, &end);
    return *end == 0;
}

static bool number(const void *self, pm_node node, const char *wanted, double *ret) {
    const struct pm_snapshot *snapshot = self;
    pm_node value = property(self, node, wanted);
    if (value == PM_NO_NODE) return false;
    if (kind_of(snapshot, value) != PM_NODE_OTHER) return number_value(snapshot, value, ret);
    struct pm_json_text word = oddball(snapshot, value);
    if (!pm_json_is(word, "true") && !pm_json_is(word, "false")) return false;
    *ret = pm_json_is(word, "true");
    return true;
}

/* ------------------------------------------------------------------ collections */

/* Where the keys of a table are: slots first, first + step, first + 2 * step ... */
struct table {
    uint64_t first, step, capacity;
};

static bool is_power_of_two(uint64_t value) {
    return value && !(value & (value - 1));
}

/* The layout of the table of an object of this kind, by its size alone. */
static bool table_layout(enum pm_node_kind kind, uint64_t size, struct table *ret) {
    if (size < 16 || size % 8 || size > UINT64_C(1) << 40) return false;
    uint64_t slots = size / 8 - 2;
    if (kind == PM_NODE_MAP || kind == PM_NODE_SET) {
        uint64_t step = kind == PM_NODE_MAP ? 3 : 2, buckets = slots > 3 ? (slots - 3) / (1 + 2 * step) : 0;
        *ret = (struct table){.first = 3 + buckets, .step = step, .capacity = 2 * buckets};
        return is_power_of_two(buckets) && 3 + buckets * (1 + 2 * step) == slots;
    }
    if (kind == PM_NODE_WEAK_MAP || kind == PM_NODE_WEAK_SET) {
        *ret = (struct table){.first = 3, .step = 2, .capacity = slots > 3 ? (slots - 3) / 2 : 0};
        return is_power_of_two(ret->capacity) && 3 + ret->capacity * 2 == slots;
    }
    for (uint64_t head = 5; head <= 6; head++) {
        *ret = (struct table){.first = head, .step = 3, .capacity = slots > head ? (slots - head) / 3 : 0};
        if (is_power_of_two(ret->capacity) && head + ret->capacity * 3 == slots) return true;
    }
    return false;
}

static bool has_dictionary(enum pm_node_kind kind) {
    return kind == PM_NODE_OBJECT || kind == PM_NODE_GLOBAL || kind == PM_NODE_ERROR;
}

static bool is_hashed(enum pm_node_kind kind) {
    return kind == PM_NODE_MAP || kind == PM_NODE_SET || kind == PM_NODE_WEAK_MAP || kind == PM_NODE_WEAK_SET;
}

/* The node that holds the keys of a collection, and their layout. Properties in their fast form are no
 * dictionary. */
static pm_node table_of(const struct pm_snapshot *snapshot, pm_node node, struct table *ret) {
    enum pm_node_kind kind = kind_of(snapshot, node);
    if (!is_hashed(kind) && !has_dictionary(kind)) return PM_NO_NODE;
    pm_node table = pm_snapshot_follow(snapshot, node, is_hashed(kind) ? PM_WORD_TABLE : PM_WORD_PROPERTIES);
    struct pm_snapshot_node record;
    if (table == PM_NO_NODE) return PM_NO_NODE;
    pm_snapshot_node_at(&snapshot->file, table, &record);
    if (record.type != PM_SNAPSHOT_ARRAY || !table_layout(kind, record.self_size, ret)) return PM_NO_NODE;
    return table;
}

/* Slot of a table that an edge stands for; UINT64_MAX = none. */
static uint64_t slot_of(const struct pm_snapshot *snapshot, const struct pm_snapshot_edge *edge) {
    uint64_t slot = 0;
    if (edge->kind != PM_EDGE_INTERNAL && edge->kind != PM_EDGE_WEAK) return UINT64_MAX;
    struct pm_json_text name = pm_snapshot_string(&snapshot->file, edge->name);
    const uint8_t *end = name.bytes + name.length;
    return pm_json_digits(name.bytes, end, &slot) == end ? slot : UINT64_MAX;
}

/* Entries of a table that hold an object in their key or value. */
static uint64_t count_entries(const struct pm_snapshot *snapshot, pm_node node, const struct table *table,
                              bool weak) {
    struct pm_snapshot_edges edges;
    struct pm_snapshot_edge edge;
    uint64_t count = 0, last = UINT64_MAX;
    pm_snapshot_edges_of(&snapshot->file, node, &edges);
    while (pm_snapshot_edges_next(&edges, &edge)) {
        if ((edge.kind == PM_EDGE_WEAK) != weak) continue;
        uint64_t slot = slot_of(snapshot, &edge);
        if (slot == UINT64_MAX || slot < table->first) continue;
        uint64_t entry = (slot - table->first) / table->step;
        if (entry == last || entry >= table->capacity || is_hole(snapshot, edge.to)) continue;
        last = entry; /* the edges of an entry stand side by side */
        count++;
    }
    return count;
}

static uint64_t count_elements(const struct pm_snapshot *snapshot, pm_node node) {
    struct pm_snapshot_edges edges;
    struct pm_snapshot_edge edge;
    uint64_t count = 0;
    pm_snapshot_edges_of(&snapshot->file, node, &edges);
    while (pm_snapshot_edges_next(&edges, &edge)) count += edge.kind == PM_EDGE_ELEMENT;
    return count;
}

/* Slots of an object's elements. */
static uint64_t element_capacity(const struct pm_snapshot *snapshot, pm_node node) {
    struct pm_snapshot_node record;
    pm_node elements = pm_snapshot_follow(snapshot, node, PM_WORD_ELEMENTS);
    if (elements == PM_NO_NODE) return 0;
    pm_snapshot_node_at(&snapshot->file, elements, &record);
    return record.self_size > 16 ? record.self_size / 8 - 2 : 0;
}

static bool entries(const void *self, pm_node node, uint64_t *count_ret, uint64_t *capacity_ret) {
    const struct pm_snapshot *snapshot = self;
    enum pm_node_kind kind = kind_of(snapshot, node);
    struct table table;
    pm_node holder = table_of(snapshot, node, &table);
    if (is_hashed(kind)) {
        if (holder == PM_NO_NODE) return false;
        bool weak = kind == PM_NODE_WEAK_MAP || kind == PM_NODE_WEAK_SET;
        uint64_t count = count_entries(snapshot, holder, &table, weak);
        /* V8 shrinks a table that is less than a quarter full: this one is full of numbers. */
        if (!weak && table.capacity > 4 && count < table.capacity / 4) return false;
        *count_ret = count;
        *capacity_ret = table.capacity;
        return true;
    }
    if (kind != PM_NODE_ARRAY && !has_dictionary(kind)) return false;
    uint64_t elements = count_elements(snapshot, node), room = element_capacity(snapshot, node);
    if (kind == PM_NODE_ARRAY && elements == 0 && room > 0) return false; /* numbers, how many is not said */
    if (kind != PM_NODE_ARRAY && elements == 0 && holder == PM_NO_NODE) return false;
    *count_ret = elements;
    *capacity_ret = room > elements ? room : elements;
    if (holder != PM_NO_NODE) {
        *count_ret += count_entries(snapshot, holder, &table, false);
        *capacity_ret += table.capacity;
    }
    return true;
}

/* The node whose strong edge this is. */
static pm_node owner_of(const struct pm_graph *graph, uint64_t edge) {
    pm_node low = 0, high = graph->node_count;
    while (high - low > 1) {
        pm_node middle = low + (high - low) / 2;
        if (graph->first_edge[middle] <= edge)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static void short_text(const struct pm_snapshot *snapshot, pm_node node, struct pm_strbuf *out);

static void key_text(const struct pm_snapshot *snapshot, pm_node node, struct pm_strbuf *ret,
                     double *number_ret, bool *is_number_ret) {
    *is_number_ret = number_value(snapshot, node, number_ret);
    if (!*is_number_ret && !text(snapshot, node, PM_MAX_NAME, ret)) short_text(snapshot, node, ret);
}

/* Looks for a key from *edge on, a strong edge of `holder`; moves *edge behind it. `table` NULL: elements. */
static bool scan_keys(const struct pm_snapshot *snapshot, pm_node holder, const struct table *table,
                      uint64_t *edge, struct pm_snapshot_edge *ret) {
    struct pm_snapshot_edges edges;
    uint64_t first = snapshot->graph->first_edge[holder], end = snapshot->graph->first_edge[holder + 1];
    pm_snapshot_edges_of(&snapshot->file, holder, &edges);
    pm_snapshot_edges_seek(&edges, first, *edge);
    while (*edge < end && pm_snapshot_edges_next(&edges, ret)) {
        if (!ret->strong) continue;
        ++*edge;
        if (!table && ret->kind == PM_EDGE_ELEMENT) return true;
        if (!table) continue;
        uint64_t slot = slot_of(snapshot, ret);
        bool is_key = slot != UINT64_MAX && slot >= table->first && (slot - table->first) % table->step == 0;
        if (is_key && slot < table->first + table->step * table->capacity && !is_hole(snapshot, ret->to))
            return true;
    }
    return false;
}

/* The cursor is 1 + the number of the strong edge to look at next: first those of the table, then the
 * elements of the object itself. So no call has to search what the ones before have seen. */
static bool next_key(const void *self, pm_node node, uint64_t *cursor, struct pm_strbuf *ret,
                     double *number_ret, bool *is_number_ret) {
    const struct pm_snapshot *snapshot = self;
    const struct pm_graph *graph = snapshot->graph;
    enum pm_node_kind kind = kind_of(snapshot, node);
    struct pm_snapshot_edge edge;
    struct table table;
    bool hashed = kind == PM_NODE_MAP || kind == PM_NODE_SET;
    if (!hashed && !has_dictionary(kind)) return false; /* keys of weak collections are weak edges */
    if (*cursor == 0) {
        pm_node holder = table_of(snapshot, node, &table);
        if (holder == PM_NO_NODE && hashed) return false;
        *cursor = 1 + graph->first_edge[holder == PM_NO_NODE ? node : holder];
        if (holder != PM_NO_NODE && graph->first_edge[holder] == graph->first_edge[holder + 1])
            *cursor = 1 + graph->first_edge[node];
    }
    uint64_t at = *cursor - 1;
    if (at >= graph->edge_count) return false;
    pm_node holder = owner_of(graph, at);
    if (holder != node) {
        struct pm_snapshot_node record;
        pm_snapshot_node_at(&snapshot->file, holder, &record);
        if (record.type == PM_SNAPSHOT_ARRAY && table_layout(kind, record.self_size, &table) &&
            scan_keys(snapshot, holder, &table, &at, &edge)) {
            *cursor = 1 + at;
            /* The end of the table's edges is no edge of it any more. */
            if (at == graph->first_edge[holder + 1])
                *cursor = 1 + (hashed ? graph->edge_count : graph->first_edge[node]);
            key_text(snapshot, edge.to, ret, number_ret, is_number_ret);
            return true;
        }
        at = graph->first_edge[node];
    }
    if (hashed || !scan_keys(snapshot, node, NULL, &at, &edge)) {
        *cursor = 1 + graph->edge_count;
        return false;
    }
    *cursor = at == graph->first_edge[node + 1] ? 1 + graph->edge_count : 1 + at;
    *number_ret = (double)edge.name;
    return *is_number_ret = true;
}

/* ------------------------------------------------------------------ one line */

enum { SHORT_UNITS = 24, LISTED_EDGES = 200 };

static void quote(struct pm_strbuf *out, const char *bytes, size_t length, bool cut) {
    pm_strbuf_append_char(out, '"');
    for (size_t i = 0; i < length; i++) {
        char c = bytes[i];
        if (c == '\n')
            pm_strbuf_append(out, "\\n");
        else if (c == '\r')
            pm_strbuf_append(out, "\\r");
        else if (c == '\t')
            pm_strbuf_append(out, "\\t");
        else if (c == '"' || c == '\\')
            pm_strbuf_appendf(out, "\\%c", c);
        else if ((unsigned char)c < 0x20 || c == 0x7f)
            pm_strbuf_appendf(out, "\\x%02x", (unsigned)c);
        else
            pm_strbuf_append_char(out, c);
    }
    pm_strbuf_append(out, cut ? "…\"" : "\"");
}

static void quote_string(const struct pm_snapshot *snapshot, pm_node node, size_t most,
                         struct pm_strbuf *out) {
    PM_AUTO_STRBUF struct pm_strbuf whole = {0}, part = {0};
    if (kind_of(snapshot, node) == PM_NODE_SLICED_STRING) {
        pm_node parent = pm_snapshot_follow(snapshot, node, PM_WORD_PARENT);
        pm_strbuf_append(out, "slice of ");
        if (parent == PM_NO_NODE || !text(snapshot, parent, most, &part))
            pm_strbuf_append(out, "a string");
        else
            quote(out, pm_strbuf_text(&part), part.length, true);
        return;
    }
    if (!text(snapshot, node, most + 1, &whole)) {
        pm_strbuf_append(out, "\"…\"");
        return;
    }
    text(snapshot, node, most, &part);
    quote(out, pm_strbuf_text(&part), part.length, part.length < whole.length);
}

static void append_name(const struct pm_snapshot *snapshot, pm_node node, const char *otherwise,
                        struct pm_strbuf *out) {
    char *name PM_AUTO_FREE = pm_snapshot_node_name(snapshot, node, PM_MAX_NAME);
    pm_strbuf_append(out, name && *name ? name : otherwise);
}

static void symbol_text(const struct pm_snapshot *snapshot, pm_node node, struct pm_strbuf *out) {
    pm_node name = pm_snapshot_follow(snapshot, node, PM_WORD_NAME);
    pm_strbuf_append(out, "Symbol(");
    if (name != PM_NO_NODE) text(snapshot, name, PM_MAX_NAME, out);
    pm_strbuf_append_char(out, ')');
}

/* Inside of braces: strings and numbers as they are, objects by their class. */
static void short_text(const struct pm_snapshot *snapshot, pm_node node, struct pm_strbuf *out) {
    double value;
    switch (kind_of(snapshot, node)) {
    case PM_NODE_STRING:
    case PM_NODE_CONS_STRING:
    case PM_NODE_SLICED_STRING: quote_string(snapshot, node, SHORT_UNITS, out); break;
    case PM_NODE_NUMBER:
        if (number_value(snapshot, node, &value))
            pm_strbuf_appendf(out, "%.17g", value);
        else
            pm_strbuf_append(out, "number");
        break;
    case PM_NODE_CLOSURE:
        pm_strbuf_append(out, "function ");
        append_name(snapshot, node, "(anonymous)", out);
        break;
    case PM_NODE_SYMBOL: symbol_text(snapshot, node, out); break;
    case PM_NODE_OTHER: {
        struct pm_json_text word = oddball(snapshot, node);
        pm_json_unescape(word, PM_MAX_NAME, out);
        if (!word.length) pm_strbuf_append(out, class_of(snapshot, node));
        break;
    }
    default:
        if (class_of(snapshot, node)[0] == '(')
            append_name(snapshot, node, class_of(snapshot, node), out);
        else
            pm_strbuf_append(out, class_of(snapshot, node));
    }
}

static bool is_listed(const struct pm_snapshot *snapshot, const struct pm_snapshot_edge *edge) {
    if (edge->kind == PM_EDGE_ELEMENT || edge->kind == PM_EDGE_CONTEXT) return true;
    return edge->kind == PM_EDGE_PROPERTY &&
           !pm_snapshot_name_is(snapshot, edge->name, snapshot->words[PM_WORD_PROTO]);
}

/* {name: "x", …}, as far as there is room. */
static void list_properties(const struct pm_snapshot *snapshot, pm_node node, size_t most,
                            struct pm_strbuf *out) {
    struct pm_snapshot_edges edges;
    struct pm_snapshot_edge edge;
    size_t listed = 0, seen = 0;
    pm_snapshot_edges_of(&snapshot->file, node, &edges);
    while (pm_snapshot_edges_next(&edges, &edge) && seen++ < LISTED_EDGES) {
        if (!is_listed(snapshot, &edge)) continue;
        PM_AUTO_STRBUF struct pm_strbuf item = {0};
        if (pm_snapshot_is_named(edge.kind)) {
            pm_json_unescape(pm_snapshot_string(&snapshot->file, edge.name), PM_MAX_NAME, &item);
            pm_strbuf_append(&item, ": ");
        }
        short_text(snapshot, edge.to, &item);
        pm_strbuf_append(out, listed++ ? ", " : " {");
        if (out->length + item.length > most) {
            pm_strbuf_append(out, "…");
            break;
        }
        pm_strbuf_append_bytes(out, pm_strbuf_text(&item), item.length);
    }
    if (listed) pm_strbuf_append_char(out, '}');
}

static void list_keys(const struct pm_snapshot *snapshot, pm_node node, size_t most, struct pm_strbuf *out) {
    uint64_t cursor = 0;
    double value;
    bool is_number;
    for (size_t listed = 0;; listed++) {
        PM_AUTO_STRBUF struct pm_strbuf key = {0}, item = {0};
        if (!next_key(snapshot, node, &cursor, &key, &value, &is_number)) {
            if (listed) pm_strbuf_append_char(out, '}');
            return;
        }
        if (is_number)
            pm_strbuf_appendf(&item, "%.17g", value);
        else
            quote(&item, pm_strbuf_text(&key), key.length, false);
        pm_strbuf_append(out, listed ? ", " : " {");
        if (out->length + item.length > most) {
            pm_strbuf_append(out, "…}");
            return;
        }
        pm_strbuf_append_bytes(out, pm_strbuf_text(&item), item.length);
    }
}

static void describe_closure(const struct pm_snapshot *snapshot, pm_node node, struct pm_strbuf *out) {
    char *function PM_AUTO_FREE = NULL;
    struct pm_graph_position position;
    short_text(snapshot, node, out);
    if (!pm_snapshot_position(snapshot, node, &function, &position) || !position.file) return;
    const char *slash = strrchr(position.file, '/');
    bool base = slash && slash[1] && strncmp(position.file, "node:", 5) != 0;
    pm_strbuf_appendf(out, " (%s", base ? slash + 1 : position.file);
    if (position.line) pm_strbuf_appendf(out, ":%u", position.line);
    pm_strbuf_append_char(out, ')');
    free(position.file);
}

/* Cuts at the beginning of a character; `least` bytes stay in any case. */
static void cut(struct pm_strbuf *out, size_t start, size_t most) {
    if (out->length - start <= most) return;
    size_t at = start + (most > 3 ? most - 3 : 0);
    while (at > start && ((unsigned char)out->bytes[at] & 0xc0) == 0x80) at--;
    out->length = at;
    out->bytes[at] = 0;
    if (most >= 3) pm_strbuf_append(out, "…");
}

static void describe(const void *self, pm_node node, size_t most, struct pm_strbuf *out) {
    const struct pm_snapshot *snapshot = self;
    PM_AUTO_STRBUF struct pm_strbuf line = {0};
    enum pm_node_kind kind = kind_of(snapshot, node);
    uint64_t count, capacity;
    bool counted = false;
    switch (kind) {
    case PM_NODE_STRING:
    case PM_NODE_CONS_STRING:
    case PM_NODE_SLICED_STRING: quote_string(snapshot, node, most < 8 ? most : most - 5, &line); break;
    case PM_NODE_CLOSURE: describe_closure(snapshot, node, &line); break;
    case PM_NODE_NUMBER:
    case PM_NODE_SYMBOL:
    case PM_NODE_OTHER: short_text(snapshot, node, &line); break;
    case PM_NODE_ROOT: append_name(snapshot, node, "(root)", &line); break;
    case PM_NODE_REGEXP:
        pm_strbuf_append_char(&line, '/');
        append_name(snapshot, node, "", &line);
        pm_strbuf_append_char(&line, '/');
        break;
    default:
        short_text(snapshot, node, &line);
        counted = (is_hashed(kind) || kind == PM_NODE_ARRAY) && entries(self, node, &count, &capacity);
        if (counted) pm_strbuf_appendf(&line, "(%llu)", (unsigned long long)count);
        if (kind == PM_NODE_MAP || kind == PM_NODE_SET)
            list_keys(snapshot, node, most < 64 ? 0 : most - 24, &line);
        else if (kind != PM_NODE_STORE && kind != PM_NODE_CODE && kind != PM_NODE_SHAPE)
            list_properties(snapshot, node, most < 64 ? 0 : most - 24, &line);
        pm_strbuf_appendf(&line, " @%llu", (unsigned long long)identity(self, node));
    }
    cut(&line, 0, most);
    pm_strbuf_append_bytes(out, pm_strbuf_text(&line), line.length);
}

/* ------------------------------------------------------------------ the table */

static void destroy(void *self) {
    struct pm_snapshot *snapshot = self;
    pm_snapshot_file_close(&snapshot->file);
    pm_snapshot_places_free(snapshot);
    free(snapshot->used);
    free(snapshot->names);
    free(snapshot->detached);
    pm_arena_destroy(snapshot->arena);
    pthread_mutex_destroy(&snapshot->scopes_lock);
    free(snapshot);
}

const struct pm_graph_source pm_snapshot_source = {
    .destroy = destroy,
    .identity = identity,
    .find = find,
    .describe = describe,
    .edge_name = edge_name,
    .position = pm_snapshot_position,
    .text = text,
    .entries = entries,
    .number = number,
    .property = property,
    .next_key = next_key,
    .weak_edges = weak_edges,
};
