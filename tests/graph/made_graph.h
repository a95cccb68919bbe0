/* made_graph.h - heap graphs for tests: from a list of references, or at random.
 *
 * OWNERSHIP  graphs belong to the caller: pm_graph_destroy(). Running out of memory ends the test. */
#ifndef PM_TESTS_MADE_GRAPH_H
#define PM_TESTS_MADE_GRAPH_H

#include "postmortem/model/heap_graph.h"

struct made_edge {
    pm_node from, to;
};

/* Edges of one node keep their order. Shallow size of node i is (i % 7 + 1) words. */
struct pm_graph *made_graph(pm_node node_count, const struct made_edge *edges, size_t edge_count);
/* Room for edges that the caller fills in himself: first_edge is all zero. */
struct pm_graph *made_graph_empty(size_t node_count, size_t edge_count);
/* External memory; nodes must ascend. */
void made_graph_external(struct pm_graph *graph, pm_node node, uint64_t bytes);

/* Small numbers from a seed, the same on every machine. */
uint32_t made_random(uint64_t *state, uint32_t below);
/* Many shapes: sparse, dense, chains with short cuts, unreachable parts, self loops, duplicates, references
 * to the root, transient roots, external memory. */
struct pm_graph *made_graph_random(uint64_t *state, pm_node most_nodes);

#endif
