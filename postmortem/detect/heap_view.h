/* heap_view.h - what detectors see of a heap: the graph, who dominates whom. Read-only. */
#ifndef PM_DETECT_HEAP_VIEW_H
#define PM_DETECT_HEAP_VIEW_H

#include "postmortem/base/arena.h"
#include "postmortem/model/diagnosis.h"
#include "postmortem/model/dominators.h"

struct pm_heap_view {
    const struct pm_graph *graph;
    const struct pm_dominators *dominators;
    const struct pm_dominator_children *children;
};

/* Short text about a node, in the arena. */
const char *pm_view_describe(const struct pm_heap_view *view, struct pm_arena *arena, pm_node node,
                             size_t most);
static inline const char *pm_view_class(const struct pm_heap_view *view, pm_node node) {
    return view->graph->classes[view->graph->class_of[node]];
}
static inline enum pm_node_kind pm_view_kind(const struct pm_heap_view *view, pm_node node) {
    return (enum pm_node_kind)view->graph->kinds[node];
}
static inline uint64_t pm_view_retained(const struct pm_heap_view *view, pm_node node) {
    return view->dominators->retained[node];
}
static inline size_t pm_view_child_count(const struct pm_heap_view *view, pm_node node) {
    return (size_t)(view->children->first[node + 1] - view->children->first[node]);
}
static inline pm_node pm_view_child(const struct pm_heap_view *view, pm_node node, size_t index) {
    return view->children->child[view->children->first[node] + index];
}
static inline bool pm_view_reachable(const struct pm_heap_view *view, pm_node node) {
    return view->dominators->dominator[node] != PM_NO_NODE;
}

/* Is `node` kept by `by` alone (by == node counts)? Looks at most a thousand steps up. */
bool pm_view_dominated_by(const struct pm_heap_view *view, pm_node node, pm_node by);
/* The name of the edge between two nodes, NULL = none; *kind_ret its kind. */
const char *pm_view_edge(const struct pm_heap_view *view, struct pm_arena *arena, pm_node from, uint64_t edge,
                         enum pm_edge_kind *kind_ret);
/* The text that a property leads to, its first 1,000 units, in the arena; NULL = none, or it is empty. */
const char *pm_view_text_of(const struct pm_heap_view *view, struct pm_arena *arena, pm_node node,
                            const char *property);
/* The first edge from one node to another; UINT64_MAX. */
uint64_t pm_view_edge_to(const struct pm_heap_view *view, pm_node from, pm_node to);
/* Map, Set, array, object: what has a store of its own. */
bool pm_view_is_container(const struct pm_heap_view *view, pm_node node);
/* The collection or object that a store belongs to, through other stores if need be; the node itself when it
 * is no store or belongs to none. */
pm_node pm_view_owner_of_store(const struct pm_heap_view *view, pm_node store);
/* Where a closure, the class of an instance or a suspended function begins; file NULL = unknown. */
struct pm_position pm_view_position(const struct pm_heap_view *view, struct pm_arena *arena, pm_node node,
                                    const char **function_ret);

/* Whose code a file is. */
enum pm_place { PM_PLACE_UNKNOWN, PM_PLACE_NODE, PM_PLACE_PACKAGE, PM_PLACE_USER };
enum pm_place pm_place_of(const char *file);
/* Not Node's own (node:...); false for NULL. */
static inline bool pm_is_user_file(const char *file) {
    return pm_place_of(file) >= PM_PLACE_PACKAGE;
}

#endif
