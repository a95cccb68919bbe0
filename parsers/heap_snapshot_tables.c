#include "parsers/heap_snapshot_source.h"
#include "postmortem/base/limits.h"

/* heap_snapshot_tables.c - keys and entries of collections.
 *
 * Tables have internal edges named by the number of the slot, with which their keys are found again (V8:
 * src/objects/ordered-hash-table.h, dictionary.h, hash-table.h). An array of n slots has 16 + 8 * n bytes:
 *
 *   Map, Set           3 words, then b buckets, then 2 * b entries of (key, value, chain) or (key, chain)
 *   dictionary         5 words (6 since V8 11), then 2^n entries of (key, value, details)
 *   WeakMap, WeakSet   3 words, then 2^n entries of (key, value), as weak edges
 *
 * Small integers are no nodes: slots that hold them have no edges, nor do properties and elements. */

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
        uint64_t step = kind == PM_NODE_MAP ? 3 : 2;
        uint64_t buckets = slots > 3 ? (slots - 3) / (1 + 2 * step) : 0;
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

static bool has_properties(enum pm_node_kind kind) {
    return kind == PM_NODE_OBJECT || kind == PM_NODE_GLOBAL || kind == PM_NODE_ERROR;
}

bool pm_snapshot_is_hashed(enum pm_node_kind kind) {
    return kind == PM_NODE_MAP || kind == PM_NODE_SET || kind == PM_NODE_WEAK_MAP || kind == PM_NODE_WEAK_SET;
}

/* The node that holds the keys of a collection, and their layout. Properties in their fast form are no
 * dictionary. */
static pm_node table_of(const struct pm_snapshot *snapshot, pm_node node, struct table *ret) {
    enum pm_node_kind kind = pm_snapshot_kind(snapshot, node);
    bool hashed = pm_snapshot_is_hashed(kind);
    if (!hashed && !has_properties(kind)) return PM_NO_NODE;
    pm_node table = pm_snapshot_follow(snapshot, node, hashed ? PM_WORD_TABLE : PM_WORD_PROPERTIES);
    struct pm_snapshot_node record;
    if (table == PM_NO_NODE) return PM_NO_NODE;
    pm_snapshot_node_at(&snapshot->file, table, &record);
    if (record.type != PM_SNAPSHOT_ARRAY || !table_layout(kind, record.self_size, ret)) return PM_NO_NODE;
    return table;
}

/* The entry of a table that an edge belongs to and its place in it, 0 = the key; false = none. */
static bool entry_of(const struct pm_snapshot *snapshot, const struct table *table,
                     const struct pm_snapshot_edge *edge, uint64_t *entry_ret, uint64_t *place_ret) {
    uint64_t slot = 0;
    if (edge->kind != PM_EDGE_INTERNAL && edge->kind != PM_EDGE_WEAK) return false;
    struct pm_json_text name = pm_snapshot_string(&snapshot->file, edge->name);
    const uint8_t *end = name.bytes + name.length;
    if (pm_json_digits(name.bytes, end, &slot) != end || slot < table->first) return false;
    *entry_ret = (slot - table->first) / table->step;
    *place_ret = (slot - table->first) % table->step;
    return *entry_ret < table->capacity;
}

static bool is_hole(const struct pm_snapshot *snapshot, pm_node node) {
    if (pm_snapshot_kind(snapshot, node) != PM_NODE_OTHER) return false;
    struct pm_json_text name = pm_snapshot_oddball(snapshot, node);
    return pm_json_is(name, "hole") || pm_json_is(name, "system / Hole");
}

/* ------------------------------------------------------------------ how many */

/* Entries of a table that hold an object in their key or value. */
static uint64_t count_entries(const struct pm_snapshot *snapshot, pm_node node, const struct table *table,
                              bool weak) {
    struct pm_snapshot_edges edges;
    struct pm_snapshot_edge edge;
    uint64_t count = 0, last = UINT64_MAX, entry, place;
    pm_snapshot_edges_of(&snapshot->file, node, &edges);
    while (pm_snapshot_edges_next(&edges, &edge)) {
        if ((edge.kind == PM_EDGE_WEAK) != weak) continue;
        if (!entry_of(snapshot, table, &edge, &entry, &place) || entry == last) continue;
        if (is_hole(snapshot, edge.to)) continue;
        last = entry; /* the edges of an entry stand side by side */
        count++;
    }
    return count;
}

static bool is_own_property(const struct pm_snapshot *snapshot, const struct pm_snapshot_edge *edge) {
    return edge->kind == PM_EDGE_PROPERTY &&
           !pm_snapshot_name_is(snapshot, edge->name, snapshot->words[PM_WORD_PROTO]);
}

/* Elements of an object, and its properties unless a dictionary has them. */
static uint64_t count_own(const struct pm_snapshot *snapshot, pm_node node, bool properties) {
    struct pm_snapshot_edges edges;
    struct pm_snapshot_edge edge;
    uint64_t count = 0;
    pm_snapshot_edges_of(&snapshot->file, node, &edges);
    while (pm_snapshot_edges_next(&edges, &edge))
        count += edge.kind == PM_EDGE_ELEMENT || (properties && is_own_property(snapshot, &edge));
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

static bool hashed_entries(const struct pm_snapshot *snapshot, pm_node node, enum pm_node_kind kind,
                           uint64_t *count_ret, uint64_t *capacity_ret) {
    struct table table;
    pm_node holder = table_of(snapshot, node, &table);
    if (holder == PM_NO_NODE) return false;
    bool weak = kind == PM_NODE_WEAK_MAP || kind == PM_NODE_WEAK_SET;
    uint64_t count = count_entries(snapshot, holder, &table, weak);
    /* V8 shrinks a table that is less than a quarter full: this one is full of numbers. */
    if (!weak && table.capacity > 4 && count < table.capacity / 4) return false;
    *count_ret = count;
    *capacity_ret = table.capacity;
    return true;
}

bool pm_snapshot_entries(const void *self, pm_node node, uint64_t *count_ret, uint64_t *capacity_ret) {
    const struct pm_snapshot *snapshot = self;
    enum pm_node_kind kind = pm_snapshot_kind(snapshot, node);
    struct table table;
    if (pm_snapshot_is_hashed(kind)) return hashed_entries(snapshot, node, kind, count_ret, capacity_ret);
    if (kind != PM_NODE_ARRAY && !has_properties(kind)) return false;
    pm_node holder = table_of(snapshot, node, &table);
    bool properties = kind != PM_NODE_ARRAY && holder == PM_NO_NODE;
    uint64_t own = count_own(snapshot, node, properties), room = element_capacity(snapshot, node);
    if (kind == PM_NODE_ARRAY && own == 0 && room > 0) return false; /* numbers; how many is not said */
    *count_ret = own;
    *capacity_ret = room > own ? room : own;
    if (holder != PM_NO_NODE) {
        *count_ret += count_entries(snapshot, holder, &table, false);
        *capacity_ret += table.capacity;
    }
    return true;
}

/* ------------------------------------------------------------------ keys */

/* The cursor of pm_snapshot_next_key(): 0 = from the start; else 1 + the number of the strong edge to look at
 * next, first of those of the table, then of those of the object itself. So no call has to search what the
 * ones before have seen. */
#define IN_TABLE  (UINT64_C(1) << 62) /* the edge is one of the table */
#define NO_NAMES  (UINT64_C(1) << 63) /* properties were in the table: only elements are left */
#define EDGE_BITS (IN_TABLE - 1)

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

struct scan { /* of the strong edges of one node */
    struct pm_snapshot_edges edges;
    uint64_t next, end;
};

static void scan_from(const struct pm_snapshot *snapshot, pm_node holder, uint64_t edge, struct scan *ret) {
    ret->next = edge;
    ret->end = snapshot->graph->first_edge[holder + 1];
    if (edge < ret->end) pm_snapshot_seek(snapshot, holder, edge, &ret->edges);
}

static bool scan_next(struct scan *scan, struct pm_snapshot_edge *ret) {
    while (scan->next < scan->end && pm_snapshot_edges_next(&scan->edges, ret))
        if (ret->strong) return scan->next++, true;
    return false;
}

static void key_text(const struct pm_snapshot *snapshot, pm_node node, struct pm_strbuf *ret,
                     double *number_ret, bool *is_number_ret) {
    *is_number_ret = pm_snapshot_number_value(snapshot, node, number_ret);
    if (!*is_number_ret && !pm_snapshot_text(snapshot, node, PM_MAX_NAME, ret))
        pm_snapshot_short_text(snapshot, node, ret);
}

/* The next key in the table that the cursor is in; moves the cursor. False = there is none any more. */
static bool next_in_table(const struct pm_snapshot *snapshot, pm_node node, uint64_t *cursor,
                          struct pm_snapshot_edge *ret) {
    const struct pm_graph *graph = snapshot->graph;
    uint64_t edge = (*cursor & EDGE_BITS) - 1, entry, place;
    struct pm_snapshot_node record;
    struct table table;
    struct scan scan;
    if (edge >= graph->edge_count) return false;
    pm_node holder = owner_of(graph, edge);
    pm_snapshot_node_at(&snapshot->file, holder, &record);
    if (!table_layout(pm_snapshot_kind(snapshot, node), record.self_size, &table)) return false;
    scan_from(snapshot, holder, edge, &scan);
    while (scan_next(&scan, ret)) {
        if (!entry_of(snapshot, &table, ret, &entry, &place) || place != 0 || is_hole(snapshot, ret->to))
            continue;
        /* Behind the last edge of the table another node's edges begin. */
        *cursor = IN_TABLE | (scan.next < scan.end ? scan.next + 1 : graph->edge_count + 1);
        return true;
    }
    return false;
}

static bool next_of_own(const struct pm_snapshot *snapshot, pm_node node, uint64_t *cursor,
                        struct pm_snapshot_edge *ret) {
    struct scan scan;
    scan_from(snapshot, node, (*cursor & EDGE_BITS) - 1, &scan);
    while (scan_next(&scan, ret)) {
        bool name = !(*cursor & NO_NAMES) && is_own_property(snapshot, ret) &&
                    pm_snapshot_saved(&snapshot->file, ret->name);
        if (ret->kind != PM_EDGE_ELEMENT && !name) continue;
        *cursor = (*cursor & NO_NAMES) | (scan.next + 1);
        return true;
    }
    return false;
}

bool pm_snapshot_next_key(const void *self, pm_node node, uint64_t *cursor, struct pm_strbuf *ret,
                          double *number_ret, bool *is_number_ret) {
    const struct pm_snapshot *snapshot = self;
    const struct pm_graph *graph = snapshot->graph;
    enum pm_node_kind kind = pm_snapshot_kind(snapshot, node);
    struct pm_snapshot_edge edge;
    struct table table;
    bool hashed = kind == PM_NODE_MAP || kind == PM_NODE_SET; /* keys of weak ones are weak edges */
    *is_number_ret = false;
    if (!hashed && !has_properties(kind) && kind != PM_NODE_ARRAY) return false;
    if (*cursor == 0) {
        pm_node holder = table_of(snapshot, node, &table);
        *cursor = 1 + graph->first_edge[node];
        if (holder != PM_NO_NODE && graph->first_edge[holder] < graph->first_edge[holder + 1])
            *cursor = IN_TABLE | (1 + graph->first_edge[holder]);
    }
    if (*cursor & IN_TABLE) {
        if (next_in_table(snapshot, node, cursor, &edge)) {
            key_text(snapshot, edge.to, ret, number_ret, is_number_ret);
            return true;
        }
        *cursor = NO_NAMES | (1 + graph->first_edge[node]);
    }
    if (hashed || !next_of_own(snapshot, node, cursor, &edge)) return false;
    if (edge.kind == PM_EDGE_ELEMENT) {
        *number_ret = (double)edge.name;
        *is_number_ret = true;
    } else {
        pm_json_unescape(pm_snapshot_string(&snapshot->file, edge.name), PM_MAX_NAME, ret);
    }
    return true;
}

/* ------------------------------------------------------------------ edges of tables */

/* The key of the entry whose value is the strong edge `edge` of a table; PM_NO_NODE: a number. */
static pm_node key_before(const struct pm_snapshot *snapshot, pm_node from, const struct table *table,
                          uint64_t edge, uint64_t entry) {
    uint64_t key_entry, place;
    struct pm_snapshot_edge key;
    struct scan scan;
    if (edge == snapshot->graph->first_edge[from]) return PM_NO_NODE;
    scan_from(snapshot, from, edge - 1, &scan);
    bool found = scan_next(&scan, &key) && entry_of(snapshot, table, &key, &key_entry, &place) &&
                 key_entry == entry && place == 0;
    return found ? key.to : PM_NO_NODE;
}

bool pm_snapshot_store_edge_name(const void *self, pm_node owner, pm_node from, uint64_t edge,
                                 struct pm_edge_name *ret) {
    const struct pm_snapshot *snapshot = self;
    enum pm_node_kind kind = pm_snapshot_kind(snapshot, owner);
    uint64_t entry, place;
    struct pm_snapshot_node record;
    struct pm_snapshot_edge found;
    struct table table;
    struct scan scan;
    bool hashed = pm_snapshot_is_hashed(kind);
    if (pm_snapshot_kind(snapshot, from) != PM_NODE_STORE || (!hashed && !has_properties(kind))) return false;
    pm_snapshot_node_at(&snapshot->file, from, &record);
    if (record.type != PM_SNAPSHOT_ARRAY || !table_layout(kind, record.self_size, &table)) return false;
    scan_from(snapshot, from, edge, &scan);
    if (!scan_next(&scan, &found) || !entry_of(snapshot, &table, &found, &entry, &place)) return false;
    pm_node key = place == 0 ? found.to : key_before(snapshot, from, &table, edge, entry);
    ret->kind = hashed ? PM_EDGE_INTERNAL : PM_EDGE_PROPERTY;
    ret->index = 0;
    if (hashed) pm_strbuf_append(&ret->text, place == 0 ? "key " : "entry ");
    if (key == PM_NO_NODE)
        pm_strbuf_append(&ret->text, "(a number)");
    else if (hashed || !pm_snapshot_text(snapshot, key, PM_MAX_NAME, &ret->text))
        pm_snapshot_short_text(snapshot, key, &ret->text);
    return true;
}
