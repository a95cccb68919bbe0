/* heap_snapshot_source.h - what is kept of a snapshot beside the graph's columns, and the parts that make it.
 * For heap_snapshot*.c only. */
#ifndef PM_PARSERS_HEAP_SNAPSHOT_SOURCE_H
#define PM_PARSERS_HEAP_SNAPSHOT_SOURCE_H

#include <pthread.h>

#include "parsers/heap_snapshot.h"
#include "parsers/heap_snapshot_file.h"
#include "postmortem/base/arena.h"

#define PM_NO_NAME         UINT32_MAX
#define PM_SNAPSHOT_LIFTED 4

/* Names of edges that this program looks for. */
enum pm_snapshot_word {
    PM_WORD_TABLE,
    PM_WORD_ELEMENTS,
    PM_WORD_PROPERTIES,
    PM_WORD_FIRST,
    PM_WORD_SECOND,
    PM_WORD_PARENT,
    PM_WORD_SHARED,
    PM_WORD_SCRIPT,
    PM_WORD_SCRIPT_OR_DEBUG_INFO, /* the same up to V8 12 */
    PM_WORD_NAME,
    PM_WORD_SCOPE_INFO,
    PM_WORD_NAME_OR_SCOPE_INFO,
    PM_WORD_VALUE,
    PM_WORD_PROTO,
    PM_WORD_CONSTRUCTOR,
    PM_WORD_SOURCE,
    PM_WORD_FUNCTION,
    PM_WORD_MAP,
    PM_WORD_EXTENSION,     /* of a native context: the global object up to V8 13 */
    PM_WORD_GLOBAL_OBJECT, /* since V8 14 */
    PM_WORD_GLOBAL_PROXY,
    PM_WORD_COUNT
};

struct pm_snapshot_place {
    uint32_t script, line, column; /* as in the file: from 0 */
};

struct pm_snapshot {
    uint64_t serial; /* no other one of this process has it */
    struct pm_snapshot_file file;
    const struct pm_graph *graph;
    struct pm_arena *arena; /* names of classes and scripts */
    pm_node *detached;      /* native nodes that are; ascending, PM_NO_NODE ends it */

    /* Strings that name edges, by text: a hash table of string numbers. */
    uint64_t *used; /* bit per string */
    uint32_t *names;
    uint64_t name_slots; /* a power of two */
    uint64_t seed;
    bool names_repeat; /* the same text has several numbers */
    uint32_t words[PM_WORD_COUNT];

    /* locations: bit per node, set bits in front of each word, place of each node that has one. */
    uint64_t *located;
    uint32_t *located_before;
    uint32_t *place_of;
    struct pm_snapshot_place *places;
    size_t place_count;
    struct pm_snapshot_script {
        uint32_t id;
        const char *name; /* NULL = the snapshot does not say */
        unsigned tries;
    } * scripts; /* ascending by id */
    size_t script_count;

    /* Groups of roots whose edges are the root's in the graph; ascending. */
    struct pm_snapshot_lifted {
        pm_node node;
        uint64_t first, count; /* its strong edges, by the numbers they would have in their old place */
    } lifted[PM_SNAPSHOT_LIFTED];
    unsigned lifted_count;

    /* Recorded allocations; read when somebody asks for the first (under scopes_lock). */
    bool traces_made;
    struct pm_snapshot_trace {
        uint64_t id, parent, function; /* function: index into makers */
    } * traces;                        /* ascending by id */
    size_t trace_count;
    struct pm_snapshot_maker {
        uint64_t name, script; /* strings */
        uint32_t line, column;
    } * makers;
    size_t maker_count;

    /* ScopeInfo -> a closure of the function it describes; made when a context's position is asked for first.
     */
    pthread_mutex_t scopes_lock;
    bool scopes_made;
    struct pm_snapshot_scope {
        pm_node scope, shared, closure; /* the function's; PM_NO_NODE */
    } * scopes;                         /* ascending by scope */
    size_t scope_count;
};

extern const struct pm_graph_source pm_snapshot_source; /* self: struct pm_snapshot */

/* ---- heap_snapshot_columns.c ---- */

/* Nodes and edges. graph->kinds gets the type numbers of the nodes, graph->class_of the numbers of their
 * names. */
struct pm_error *pm_snapshot_read_columns(struct pm_snapshot *snapshot, struct pm_graph *graph,
                                          struct pm_snapshot_facts *facts);

/* ---- heap_snapshot_names.c ---- */

/* Hashes the names of edges that `used` marks. */
struct pm_error *pm_snapshot_names_build(struct pm_snapshot *snapshot);
/* Number of the string that names edges so; PM_NO_NAME. */
uint32_t pm_snapshot_name(const struct pm_snapshot *snapshot, const char *text);
bool pm_snapshot_name_is(const struct pm_snapshot *snapshot, uint64_t name, uint32_t wanted);
/* Classes and kinds of all nodes. In: graph->kinds has the type numbers, graph->class_of the names of the
 * nodes. */
struct pm_error *pm_snapshot_classify(struct pm_snapshot *snapshot, struct pm_graph *graph);

/* ---- heap_snapshot_places.c ---- */

struct pm_error *pm_snapshot_places_read(struct pm_snapshot *snapshot);
void pm_snapshot_places_free(struct pm_snapshot *snapshot);
bool pm_snapshot_position(const void *self, pm_node node, char **function_ret, struct pm_graph_position *ret);
/* The script of a closure; PM_NO_NODE. */
pm_node pm_snapshot_script_of(const struct pm_snapshot *snapshot, pm_node closure);

/* ---- heap_snapshot_roots.c ---- */

struct pm_error *pm_snapshot_lift_roots(struct pm_snapshot *snapshot, struct pm_graph *graph);
/* The group that one of the first edges of the root comes from. */
pm_node pm_snapshot_lifted_from(const struct pm_snapshot *snapshot, uint64_t edge);
/* The edges of a node from one of its strong edges on, by its number in the graph. */
void pm_snapshot_seek(const struct pm_snapshot *snapshot, pm_node node, uint64_t edge,
                      struct pm_snapshot_edges *ret);

/* ---- heap_snapshot_tables.c ---- */

bool pm_snapshot_is_hashed(enum pm_node_kind kind); /* Map, Set, WeakMap, WeakSet */
bool pm_snapshot_entries(const void *self, pm_node node, uint64_t *count_ret, uint64_t *capacity_ret);
bool pm_snapshot_next_key(const void *self, pm_node node, uint64_t *cursor, struct pm_strbuf *ret,
                          double *number_ret, bool *is_number_ret);
bool pm_snapshot_store_edge_name(const void *self, pm_node owner, pm_node from, uint64_t edge,
                                 struct pm_edge_name *ret);

/* ---- heap_snapshot_traces.c ---- */

bool pm_snapshot_allocation(const void *self, pm_node node, size_t frames, struct pm_strbuf *out);

/* ---- heap_snapshot_describe.c ---- */

/* Inside of braces: strings and numbers as they are, objects by their class. */
void pm_snapshot_short_text(const struct pm_snapshot *snapshot, pm_node node, struct pm_strbuf *out);
void pm_snapshot_describe(const void *self, pm_node node, size_t most, struct pm_strbuf *out);

/* ---- heap_snapshot_source.c ---- */

static inline enum pm_node_kind pm_snapshot_kind(const struct pm_snapshot *snapshot, pm_node node) {
    return (enum pm_node_kind)snapshot->graph->kinds[node];
}
static inline const char *pm_snapshot_class(const struct pm_snapshot *snapshot, pm_node node) {
    return snapshot->graph->classes[snapshot->graph->class_of[node]];
}
uint64_t pm_snapshot_identity(const void *self, pm_node node);
/* The target of the first edge with this name; PM_NO_NODE. */
pm_node pm_snapshot_follow(const struct pm_snapshot *snapshot, pm_node node, enum pm_snapshot_word word);
struct pm_json_text pm_snapshot_name_of(const struct pm_snapshot *snapshot, pm_node node);
/* The node's own name as malloc text, at most `most` UTF-16 units; NULL without memory. */
char *pm_snapshot_node_name(const struct pm_snapshot *snapshot, pm_node node, size_t most);
bool pm_snapshot_text(const void *self, pm_node node, size_t most, struct pm_strbuf *out);
/* undefined, null, true, false, hole: since V8 13 the node's name, before that the string its first hidden
 * edge leads to. Other hidden nodes: their name. */
struct pm_json_text pm_snapshot_oddball(const struct pm_snapshot *snapshot, pm_node node);
bool pm_snapshot_number_value(const struct pm_snapshot *snapshot, pm_node node, double *ret);

#endif
