/* dominators.h - who keeps what alive: dominator tree, retained sizes, distances, paths.
 *
 * A node dominates another one when every path from the root to it leads through the first: if the first
 * goes, so does the other. Retained size of a node = its own size and that of all nodes it dominates: what
 * would be freed with it. References from transient roots (heap_graph.h), and from what only they lead to, do
 * not count where lasting roots lead.
 *
 * MEMORY     12 bytes per node for the result (dominator, retained). On the way there 24 bytes per node and
 *            8 per reference that is not the first way to its target; given back when the result is there.
 * OWNERSHIP  results belong to the caller; they borrow the graph.
 * FAILURE    no memory; PM_ERR_FORMAT: what pm_graph_check() finds; PM_ERR_LIMIT: 4 billion references beside
 *            the tree of first ways. The depth of the graph does not matter: no recursion, and lists of 10
 *            million links are fine. */
#ifndef PM_MODEL_DOMINATORS_H
#define PM_MODEL_DOMINATORS_H

#include "postmortem/model/heap_graph.h"

struct pm_dominators {
    pm_node *dominator; /* immediate dominator; PM_NO_NODE: unreachable. The root is its own. */
    uint64_t *retained; /* bytes, with external memory; 0 = unreachable */
    pm_node reachable;  /* nodes, with the root */
    uint64_t reachable_bytes;
    uint64_t unreachable_bytes; /* of the others: garbage that the collector had not come to yet */
};

struct pm_error *pm_dominators_create(const struct pm_graph *graph, struct pm_dominators **ret);
void pm_dominators_destroy(struct pm_dominators *dominators);

/* Children in the dominator tree, largest retained first, then by node; for the whole tree (8 bytes per
 * node). The root is no child of its own. */
struct pm_dominator_children {
    uint32_t *first; /* node_count + 1 */
    pm_node *child;
};
struct pm_error *pm_dominator_children_create(const struct pm_graph *graph,
                                              const struct pm_dominators *dominators,
                                              struct pm_dominator_children **ret);
void pm_dominator_children_destroy(struct pm_dominator_children *children);

/* Shortest path root -> node: nodes and the index of the edge (in graph->edges) that leads to each: malloc
 * array, the root first. PM_ERR_NOT_FOUND = unreachable. */
struct pm_path_step {
    pm_node node;
    uint64_t edge; /* in graph->edges, from the previous step's node; UINT64_MAX for the root */
};
struct pm_paths; /* breadth-first tree of the whole graph, made once: 8 bytes per node */
struct pm_error *pm_paths_create(const struct pm_graph *graph, struct pm_paths **ret);
void pm_paths_destroy(struct pm_paths *paths);
uint32_t pm_paths_distance(const struct pm_paths *paths, pm_node node); /* UINT32_MAX = unreachable */
struct pm_error *pm_paths_to(const struct pm_paths *paths, pm_node node, struct pm_path_step **ret,
                             size_t *count_ret);

/* All strong edges to `node`, in the order of graph->edges: malloc array of (from, edge). The first questions
 * scan all edges (15 ms per GB of heap); then an index is made, on all cores, of 4 bytes per node and edge,
 * and a question costs nothing. Kept with the graph until it is destroyed or told to forget it; of a graph
 * whose `referrers` are NULL there is none. */
struct pm_error *pm_graph_referrers(const struct pm_graph *graph, pm_node node, struct pm_path_step **ret,
                                    size_t *count_ret);
void pm_graph_forget_referrers(const struct pm_graph *graph); /* NULL is fine */

PM_DEFINE_AUTO(dominators, struct pm_dominators, pm_dominators_destroy)
PM_DEFINE_AUTO(dominator_children, struct pm_dominator_children, pm_dominator_children_destroy)
PM_DEFINE_AUTO(paths, struct pm_paths, pm_paths_destroy)

#endif
