/* heap_snapshot_source.h - what is kept of a snapshot beside the graph's columns, and the parts that make it.
 * For heap_snapshot*.c only. */
#ifndef PM_PARSERS_HEAP_SNAPSHOT_SOURCE_H
#define PM_PARSERS_HEAP_SNAPSHOT_SOURCE_H

#include <pthread.h>

#include "parsers/heap_snapshot_file.h"
#include "postmortem/base/arena.h"

#define PM_NO_NAME UINT32_MAX

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

/* ---- heap_snapshot_source.c ---- */

/* The target of the first edge with this name; PM_NO_NODE. */
pm_node pm_snapshot_follow(const struct pm_snapshot *snapshot, pm_node node, enum pm_snapshot_word word);
/* The node's own name as malloc text, at most `most` UTF-16 units; NULL without memory. */
char *pm_snapshot_node_name(const struct pm_snapshot *snapshot, pm_node node, size_t most);

#endif
