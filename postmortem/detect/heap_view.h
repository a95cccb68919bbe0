/* heap_view.h - what detectors see of a heap: the graph, who dominates whom. Read-only. */
#ifndef PM_DETECT_HEAP_VIEW_H
#define PM_DETECT_HEAP_VIEW_H

#include "postmortem/base/arena.h"
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
/* Not Node's own (node:...); false for NULL. */
bool pm_is_user_file(const char *file);
/* Is `node` kept by `by` alone (by == node counts)? Looks at most a thousand steps up. */
bool pm_view_dominated_by(const struct pm_heap_view *view, pm_node node, pm_node by);

#endif
