/* heap_snapshot_file.h - a .heapsnapshot where it lies: its sections, the meaning of its fields, and single
 * nodes, edges and strings read back from the text when somebody asks for them. For heap_snapshot*.c only.
 *
 * A snapshot is one JSON object (V8: src/profiler/heap-snapshot-generator.cc, HeapSnapshotJSONSerializer):
 *
 *   snapshot    meta: which fields a node, an edge, a location has, and the names of their types; node_count
 * ... nodes       node_fields numbers for each node: type name id self_size edge_count [trace_node_id]
 *               [detachedness]
 *   edges       edge_fields numbers for each edge, in the order of the nodes they leave: type name_or_index
 *               to_node; to_node is the index of the node's first number, a multiple of the number of fields
 *   locations   object_index (as to_node) script_id line column
 *   strings     what `name` and, for edges of named types, `name_or_index` are indices into
 *   trace_function_infos, trace_tree   recorded allocations (heap_snapshot_traces.c)
 *   samples     not read
 *
 * Nothing of it is kept in memory except the numbers the graph needs. To find the rest again there are
 * signposts into the text: at every 8th node, at the first edge of every 8th node, at every 64th edge of
 * nodes that have many, at every 8th string. So looking up a node costs some 100 ns, and the memory is 3
 * bytes per node.
 *
 * OWNERSHIP  borrows the input's bytes.
 * FAILURE    a file that is cut or damaged behind its meta is read as far as it goes: `damage` says what is
 * wrong with it. heap_snapshot_columns.c has looked at every number before the functions below, which cannot
 * fail, are used. */
#ifndef PM_PARSERS_HEAP_SNAPSHOT_FILE_H
#define PM_PARSERS_HEAP_SNAPSHOT_FILE_H

#include "parsers/json_stream.h"
#include "postmortem/model/heap_graph.h"

#define PM_SNAPSHOT_TYPES  64 /* node types known to meta: 13 to 16 in V8 8 to 14 */
#define PM_SNAPSHOT_FIELDS 32 /* fields of a node, an edge, a location: 3 to 7 */
#define PM_SNAPSHOT_STEP   8  /* nodes, strings between two signposts */
#define PM_SNAPSHOT_MANY                                                                                     \
    64 /* edges from which on a node has signposts of its own, and between two of them                       \
        */
#define PM_SNAPSHOT_TEXT 1024 /* V8 cuts strings at this length (--heap-snapshot-string-limit) */

/* Node types by meaning; their numbers in the file are a matter of its meta. */
enum pm_snapshot_type {
    PM_SNAPSHOT_OTHER, /* a type that this program does not know */
    PM_SNAPSHOT_HIDDEN,
    PM_SNAPSHOT_ARRAY,
    PM_SNAPSHOT_STRING,
    PM_SNAPSHOT_OBJECT,
    PM_SNAPSHOT_CODE,
    PM_SNAPSHOT_CLOSURE,
    PM_SNAPSHOT_REGEXP,
    PM_SNAPSHOT_NUMBER,
    PM_SNAPSHOT_NATIVE,
    PM_SNAPSHOT_SYNTHETIC,
    PM_SNAPSHOT_CONS_STRING,
    PM_SNAPSHOT_SLICED_STRING,
    PM_SNAPSHOT_SYMBOL,
    PM_SNAPSHOT_BIGINT,
    PM_SNAPSHOT_SHAPE,
    PM_SNAPSHOT_WASM,
};

struct pm_snapshot_section { /* the text between its brackets */
    bool present;
    bool cut; /* its bracket is missing: it ends behind the last number or string that is whole */
    uint64_t start, end;
    uint64_t count; /* numbers or strings in it */
};

/* Places of the fields in a record; PM_SNAPSHOT_FIELDS: the file has no such field. */
struct pm_snapshot_meta {
    unsigned node_fields, edge_fields, location_fields;
    unsigned type, name, id, self_size, edge_count, detachedness, trace;
    unsigned edge_type, edge_name, edge_to;
    unsigned location_object, location_script, location_line, location_column;
    unsigned node_type_count, edge_type_count;
    /* The one behind the last is for nodes whose type is none of them. */
    enum pm_snapshot_type node_types[PM_SNAPSHOT_TYPES + 1];
    struct pm_json_text node_type_names[PM_SNAPSHOT_TYPES + 1];
    enum pm_edge_kind edge_types[PM_SNAPSHOT_TYPES];
    uint64_t claimed_nodes, claimed_edges; /* UINT64_MAX: not said */
    uint64_t extra_native_bytes;
};

/* Where the edge of a node with many is; ascending. */
struct pm_snapshot_signpost {
    uint64_t strong; /* number of the edge among the strong ones of the graph */
    uint64_t at;
};
/* Where the edges of a node with many end; ascending. */
struct pm_snapshot_turn {
    pm_node node;
    uint64_t end;
};

struct pm_snapshot_file {
    const uint8_t *bytes;
    uint64_t size;
    struct pm_snapshot_meta meta;
    struct pm_snapshot_section nodes, edges, strings, locations;
    struct pm_snapshot_section trace_functions, trace_tree; /* with their brackets; not counted */
    uint64_t allocation_bytes;                              /* text of recorded allocations */
    struct pm_error *damage; /* the first thing that is wrong with the file; NULL = it is whole */
    pm_node node_count;
    uint64_t *node_at;   /* every 8th node */
    uint64_t *edge_at;   /* first edge of every 8th node; NULL: the edges are not to be used */
    uint64_t *string_at; /* opening quote of every 8th string */
    uint64_t *ephemeron; /* bit per string: the name of the edge to a WeakMap's value */
    struct pm_snapshot_signpost *signposts;
    size_t signpost_count;
    struct pm_snapshot_turn *turns;
    size_t turn_count;
};

/* Finds the sections, reads meta, counts, and puts up the signposts of the strings. An error: not even nodes
 * are there. (heap_snapshot_sections.c) */
struct pm_error *pm_snapshot_file_open(const uint8_t *bytes, uint64_t size, struct pm_snapshot_file *ret);
/* The section `snapshot`. */
struct pm_error *pm_snapshot_meta_read(struct pm_json *json, struct pm_snapshot_meta *meta);
/* Takes an error that the rest of the file can be read in spite of; returns any other. */
struct pm_error *pm_snapshot_damaged(struct pm_snapshot_file *file, struct pm_error *err);
void pm_snapshot_file_close(struct pm_snapshot_file *file); /* frees what it holds, not itself */

/* ---- numbers of a section, one after the other ---- */

/* What stands between two numbers when it is not just a comma; `at` is behind the digits or behind the comma.
 * V8 up to 12 begins each record on a new line. Returns where the next number begins, NULL = something else.
 */
const uint8_t *pm_snapshot_separator(const uint8_t *at, const uint8_t *end);

/* Takes a number and the comma behind it; `end` is the closing bracket. NULL: there is no whole number at
 * `at`, or no comma behind it. The caller knows how many numbers there are. */
static inline const uint8_t *pm_snapshot_number(const uint8_t *at, const uint8_t *end, uint64_t *ret) {
    at = pm_json_digits(at, end, ret);
    if (!at) return NULL;
    if (__builtin_expect(end - at > 1 && at[0] == ',' && at[1] > ' ', 1)) return at + 1;
    return pm_snapshot_separator(at, end);
}

/* ---- single records ---- */

struct pm_snapshot_node {
    enum pm_snapshot_type type;
    unsigned type_number;
    uint64_t name, id, self_size, edge_count;
    uint64_t trace; /* who allocated it; 0 = not recorded */
    bool detached;
};

struct pm_snapshot_edge {
    enum pm_edge_kind kind;
    uint64_t name; /* string, or index of elements and hidden edges */
    pm_node to;
    bool strong; /* an edge of the graph */
};

/* The edges of one node in the order of the file, weak ones too. */
struct pm_snapshot_edges {
    const struct pm_snapshot_file *file;
    const uint8_t *at;
    struct pm_snapshot_node from; /* the node's record */
    pm_node node;
    uint64_t left;
};

/* A number that no object can have as its size. */
#define PM_SNAPSHOT_LARGEST ((uint64_t)1 << 44)

void pm_snapshot_node_at(const struct pm_snapshot_file *file, pm_node node, struct pm_snapshot_node *ret);
void pm_snapshot_edges_of(const struct pm_snapshot_file *file, pm_node node, struct pm_snapshot_edges *ret);
/* Moves to the strong edge number `edge` of the graph, which is one of the node's; `first` is its first one.
 * The end of the node's edges is not noticed any more after that: the caller counts. */
void pm_snapshot_edges_seek(struct pm_snapshot_edges *edges, uint64_t first, uint64_t edge);
bool pm_snapshot_edges_next(struct pm_snapshot_edges *edges, struct pm_snapshot_edge *ret);
/* "(name not saved)" for those behind the last string of the file. */
struct pm_json_text pm_snapshot_string(const struct pm_snapshot_file *file, uint64_t index);
static inline bool pm_snapshot_saved(const struct pm_snapshot_file *file, uint64_t string) {
    return string < file->strings.count;
}

/* Is an edge with this kind and name, from a node of this type, one of the graph? Weak ones are not;
 * shortcuts only from the root; and a WeakMap's value hangs on its key alone, although the snapshot has an
 * edge from the table as well. */
static inline bool pm_snapshot_strong(const struct pm_snapshot_file *file, pm_node from,
                                      enum pm_snapshot_type from_type, enum pm_edge_kind kind,
                                      uint64_t name) {
    if (kind == PM_EDGE_WEAK) return false;
    if (kind == PM_EDGE_SHORTCUT) return from == 0;
    if (kind != PM_EDGE_INTERNAL || from_type != PM_SNAPSHOT_ARRAY) return true;
    return !(file->ephemeron[name / 64] >> (name % 64) & 1);
}

static inline bool pm_snapshot_is_named(enum pm_edge_kind kind) {
    return kind != PM_EDGE_ELEMENT && kind != PM_EDGE_HIDDEN;
}

/* From the numbers of an edge to what they mean (without `strong`); what is wrong with them, NULL = nothing.
 * A name that is not saved becomes the number of strings. */
static inline const char *pm_snapshot_edge_of(const struct pm_snapshot_file *file, const uint64_t *values,
                                              unsigned node_fields, struct pm_snapshot_edge *ret) {
    const struct pm_snapshot_meta *meta = &file->meta;
    uint64_t type = values[meta->edge_type], name = values[meta->edge_name], to = values[meta->edge_to];
    if (type >= meta->edge_type_count) return "an edge of a type that meta does not have";
    if (to % node_fields || to / node_fields >= file->node_count) return "an edge leads to no node";
    ret->kind = meta->edge_types[type];
    ret->to = (pm_node)(to / node_fields);
    if (name >= file->strings.count && pm_snapshot_is_named(ret->kind)) {
        if (!file->strings.cut) return "the name of an edge is no string of the file";
        name = file->strings.count;
    }
    if (name > UINT32_MAX) return "the index of an edge is impossible";
    ret->name = name;
    return NULL;
}

#endif
