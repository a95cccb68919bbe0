/* heap_graph.h - the objects of a heap and the references between them, in columns. Whether they came from a
 * core or from a .heapsnapshot makes no difference: every analysis and detector works on this.
 *
 *   node      0 .. node_count-1; node 0 is the synthetic root, whose references are V8's and the embedder's
 *             roots
 *   shallow   bytes of the object itself; what it owns outside the heap (backing store, external string) is
 *             in external, pm_graph_external_of()
 *   edges     strong references only, to nodes of this graph, in the order of the object's slots; weak ones
 *             are found on demand. References to read-only objects (undefined, empty arrays, immortal maps)
 *             are left out: they never dominate anything. WeakMap entries: key -> value (as V8's own
 *             snapshots say), while the table is alive.
 *   class     the histogram's name of the object
 *
 * Texts (labels, edge names) are not stored: the source looks them up when they are shown (struct
 * pm_graph_source).
 *
 * BUILDING   cores: v8layout/graph.c, in parallel; snapshots: parsers/heap_snapshot.c. Both fill the columns
 *            directly.
 * MEMORY     9 bytes per node + 8 per node for first_edge + 4 per edge; dominators.h adds 12 per node. Ids
 *            are 32 bits: 4 billion objects, which is a heap of 100 GB and more.
 * OWNERSHIP  the columns belong to the graph; pm_graph_destroy() frees them and the source. Each is malloc's
 *            memory or a big array (base/big_array.h); the names in classes are the source's. */
#ifndef PM_MODEL_HEAP_GRAPH_H
#define PM_MODEL_HEAP_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "postmortem/base/cleanup.h"
#include "postmortem/base/error.h"
#include "postmortem/base/strbuf.h"

typedef uint32_t pm_node;
#define PM_NO_NODE UINT32_MAX

enum pm_edge_kind {                   /* the types of V8's heap snapshot edges */
                    PM_EDGE_CONTEXT,  /* closure variable */
                    PM_EDGE_ELEMENT,  /* index */
                    PM_EDGE_PROPERTY, /* named property */
                    PM_EDGE_INTERNAL, /* V8's own field: map, elements, table ... */
                    PM_EDGE_HIDDEN,
                    PM_EDGE_SHORTCUT,
                    PM_EDGE_WEAK,
};

struct pm_edge_name {
    enum pm_edge_kind kind;
    uint32_t index;        /* elements */
    struct pm_strbuf text; /* name of a variable, property, internal field, or of the root; raw UTF-8 */
};

struct pm_graph_position { /* where a function or class is defined */
    char *file;            /* malloc; NULL = unknown */
    bool in_function;      /* declaration(): it is a variable of a function, not of the module or program */
    bool imported;         /* declaration(): the name only comes from another module (require, import) */
    uint32_t line, column;
};

enum pm_node_kind { /* what detectors need to know of an object without knowing V8 */
                    PM_NODE_OTHER,
                    PM_NODE_ROOT,
                    PM_NODE_OBJECT, /* plain object or class instance */
                    PM_NODE_ARRAY,  /* JSArray */
                    PM_NODE_MAP,
                    PM_NODE_SET,
                    PM_NODE_WEAK_MAP,
                    PM_NODE_WEAK_SET,
                    PM_NODE_CLOSURE,
                    PM_NODE_CONTEXT, /* scope of closures */
                    PM_NODE_NATIVE_CONTEXT,
                    PM_NODE_GLOBAL, /* global object */
                    PM_NODE_STRING,
                    PM_NODE_CONS_STRING,
                    PM_NODE_SLICED_STRING,
                    PM_NODE_PROMISE,
                    PM_NODE_PROMISE_REACTION,
                    PM_NODE_GENERATOR, /* suspended generator or async function */
                    PM_NODE_ARRAY_BUFFER,
                    PM_NODE_TYPED_ARRAY,
                    PM_NODE_DATE,
                    PM_NODE_REGEXP,
                    PM_NODE_ERROR,
                    PM_NODE_NUMBER,
                    PM_NODE_BIGINT,
                    PM_NODE_SYMBOL,
                    PM_NODE_STORE,  /* backing store inside the heap: elements, dictionaries, hash tables,
                                       property arrays */
                    PM_NODE_CODE,   /* code, bytecode, feedback, scripts, shared functions */
                    PM_NODE_SHAPE,  /* maps, descriptor arrays */
                    PM_NODE_NATIVE, /* embedder objects of a snapshot, persistent handles */
};

enum pm_graph_use {
    PM_GRAPH_MAKES, /* `new Name(` */
    PM_GRAPH_ADDS,  /* `name.set(`, `name.push(`, `name[x] =` */
    PM_GRAPH_TRIMS, /* a comparison of its size, where entries are also taken out */
};

struct pm_graph;

/* Looks texts and details up, from the core or the snapshot file. Every function may be asked for any node.
 */
struct pm_graph_source {
    void (*destroy)(void *self);
    /* Address (core) or snapshot object id. */
    uint64_t (*identity)(const void *self, pm_node node);
    pm_node (*find)(const void *self,
                    uint64_t identity); /* the node at an address or with an id; PM_NO_NODE */
    /* One line about the object: `UserSession {id: 17}`, `function handle`, `"text..."`, at most `most`
     * bytes. */
    void (*describe)(const void *self, pm_node node, size_t most, struct pm_strbuf *out);
    /* The name of the edge'th strong edge of `from`, counted as in the edges column. */
    void (*edge_name)(const void *self, pm_node from, uint64_t edge, struct pm_edge_name *ret);
    /* The same edge as the user of `owner` knows it, where `from` is a store of owner (table of a Map,
     * elements, properties): Map key, index, property name. false = from is no store of owner; may be NULL.
     */
    bool (*store_edge_name)(const void *self, pm_node owner, pm_node from, uint64_t edge,
                            struct pm_edge_name *ret);
    /* Definition of a closure, of the class of an instance, of the function a context belongs to; the
     * function's name too (malloc, NULL = anonymous or unknown). false = none. */
    bool (*position)(const void *self, pm_node node, char **function_ret, struct pm_graph_position *ret);
    /* Where a name is declared in the program text around a closure: a variable that it sees (nearest
     * declaration before it), or a property that it, as a class or constructor, gives its instances (or
     * itself). false = text not available, or nothing like a declaration in it. NULL = never. */
    bool (*declaration)(const void *self, pm_node closure, const char *name, bool is_property,
                        struct pm_graph_position *ret);
    /* The closure that constructed an object; PM_NO_NODE. May be NULL. */
    pm_node (*constructor)(const void *self, pm_node node);
    /* Text of a string node, at most `most` UTF-16 units; false = not a string or not readable. */
    bool (*text)(const void *self, pm_node node, size_t most, struct pm_strbuf *out);
    /* Live entries and capacity of a Map, Set, array, dictionary object; false = no collection. */
    bool (*entries)(const void *self, pm_node node, uint64_t *count_ret, uint64_t *capacity_ret);
    /* A number held by a property of the node ("_idleTimeout", "length" ...), or its boolean as 0 / 1; false
     * = no such number. */
    bool (*number)(const void *self, pm_node node, const char *property, double *ret);
    /* The node a named property leads to; PM_NO_NODE. */
    pm_node (*property)(const void *self, pm_node node, const char *property);
    /* The next key of a collection or dictionary from *cursor on (start with 0), as text or number; false =
     * no more. */
    bool (*next_key)(const void *self, pm_node node, uint64_t *cursor, struct pm_strbuf *text,
                     double *number_ret, bool *is_number_ret);
    /* All weak references from a node, on demand; may be NULL. */
    void (*weak_edges)(const void *self, pm_node node, void (*visit)(void *context, pm_node to),
                       void *context);
    /* In the program text around a closure: the first place that makes instances of a class, or that adds to
     * a collection; how many such places there are, the function it stands in (malloc, NULL = none). false =
     * text not available, or no such place in it. May be NULL. */
    bool (*use)(const void *self, pm_node closure, enum pm_graph_use what, const char *name,
                uint64_t *count_ret, char **function_ret, struct pm_graph_position *ret);
    /* Of a suspended generator or async function: where it waits (its `await` or `yield`), or where the
     * function begins when only that is known; the function's name. false = neither. May be NULL. */
    bool (*suspended)(const void *self, pm_node node, char **function_ret, struct pm_graph_position *ret);
    /* The functions on the stack when the object was allocated, innermost first, at most `frames`, a line for
     * each: "make (app.js:7)". false = not recorded. May be NULL. */
    bool (*allocation)(const void *self, pm_node node, size_t frames, struct pm_strbuf *out);
};

struct pm_graph {
    pm_node node_count;
    uint64_t edge_count;
    uint64_t *first_edge; /* node_count + 1 */
    pm_node *edges;
    uint32_t *class_of; /* index into classes */
    uint32_t *shallow;  /* in units of 8 bytes (V8's own granularity), without external memory */
    uint8_t *kinds;     /* enum pm_node_kind, one byte per node */
    const char **classes;
    size_t class_count;
    /* Memory outside the heap, sparse, ascending by node. */
    struct pm_graph_external {
        pm_node node;
        uint64_t bytes;
    } * external;
    size_t external_count;
    /* The first of the root's edges come from stacks and handle scopes: they keep only what nothing else
     * keeps, or a value at hand when the process died would have no owner. Analyses follow them last and
     * ignore those to objects found before. */
    uint64_t transient_roots;
    bool from_snapshot;
    bool references_lost; /* the file does not have them all: there are no edges, only nodes */
    bool names_lost;      /* the file does not have the names of many objects: no finding could name them */
    struct pm_referrers *referrers; /* what pm_graph_referrers() remembers; NULL = nothing */
    const struct pm_graph_source *source;
    void *source_self;
};

void pm_graph_destroy(struct pm_graph *graph); /* NULL is fine */
struct pm_referrers *pm_referrers_create(void);
void pm_referrers_destroy(struct pm_referrers *referrers); /* NULL is fine */
/* Are all offsets, targets and sizes of the columns possible? One pass over them; PM_ERR_FORMAT. */
struct pm_error *pm_graph_check(const struct pm_graph *graph);
uint64_t pm_graph_external_of(const struct pm_graph *graph, pm_node node);
static inline uint64_t pm_graph_shallow(const struct pm_graph *graph, pm_node node) {
    return (uint64_t)graph->shallow[node] * 8;
}

PM_DEFINE_AUTO(graph, struct pm_graph, pm_graph_destroy)

#endif
