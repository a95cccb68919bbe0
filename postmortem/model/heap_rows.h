/* heap_rows.h - a heap graph as the rows that people read: classes with retained sizes, the top of the
 * dominator tree.
 *
 * OWNERSHIP  rows and texts go to the given arena.
 * FAILURE    no memory. */
#ifndef PM_MODEL_HEAP_ROWS_H
#define PM_MODEL_HEAP_ROWS_H

#include "postmortem/model/diagnosis.h"
#include "postmortem/model/dominators.h"

struct pm_heap_tree {
    const struct pm_graph *graph;
    const struct pm_dominators *dominators; /* NULL for pm_group_rows(): retained sizes are not known */
    const struct pm_dominator_children *children;
};

/* What would be freed if all reachable objects of a group went, for each group (malloc array): the retained
 * sizes of its members, without those that another member dominates. group_of: one number below `groups` for
 * each node, as graph->class_of. */
struct pm_error *pm_retained_by_group(const struct pm_heap_tree *tree, const uint32_t *group_of,
                                      size_t groups, uint64_t **ret);

/* Rows by group, largest shallow first (with external memory). */
struct pm_error *pm_group_rows(const struct pm_heap_tree *tree, const uint32_t *group_of,
                               const char *const *names, size_t groups, struct pm_arena *arena,
                               struct pm_class_row **ret, size_t *count_ret);
/* Fills `retained` of rows that came from elsewhere, by name. Classes with no reachable instance retain 0. */
struct pm_error *pm_class_rows_retained(const struct pm_heap_tree *tree, struct pm_class_row *rows,
                                        size_t count);

struct pm_tree_cut {
    double least_share; /* of the reachable bytes: smaller objects have no row */
    size_t most_rows;   /* the largest get one */
    uint32_t most_depth;
    pm_node under; /* the tree below this node; 0 = all */
};
#define PM_USUAL_TREE_CUT ((struct pm_tree_cut){.least_share = 0.005, .most_rows = 500, .most_depth = 12})

/* isolate->dominators and what belongs to it. */
struct pm_error *pm_dominator_rows(const struct pm_heap_tree *tree, const struct pm_tree_cut *cut,
                                   struct pm_arena *arena, struct pm_isolate *isolate);

/* One line about an object, as pm_graph_source describes it, without its number at the end. Appends. */
void pm_object_label(const struct pm_graph *graph, pm_node node, size_t most, struct pm_strbuf *out);
/* What `from` calls its edge'th edge (index in graph->edges), as a person would say it; `owner`: the object
 * that `from` is a store of, or PM_NO_NODE. "cache", "[12]", "entry 'sess:17'", "table (internal)". Appends.
 */
void pm_edge_words(const struct pm_graph *graph, pm_node owner, pm_node from, uint64_t edge,
                   struct pm_strbuf *out);

#endif
