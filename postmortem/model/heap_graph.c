#include "postmortem/model/heap_graph.h"

#include "postmortem/base/checked.h"

#include <stdlib.h>

void pm_graph_destroy(struct pm_graph *graph) {
    if (!graph) return;
    free(graph->first_edge);
    free(graph->edges);
    free(graph->class_of);
    free(graph->shallow);
    free(graph->kinds);
    free(graph->classes);
    free(graph->external);
    pm_referrers_destroy(graph->referrers);
    if (graph->source && graph->source->destroy) graph->source->destroy(graph->source_self);
    free(graph);
}

uint64_t pm_graph_external_of(const struct pm_graph *graph, pm_node node) {
    size_t low = 0, high = graph->external_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (graph->external[middle].node < node)
            low = middle + 1;
        else
            high = middle;
    }
    return low < graph->external_count && graph->external[low].node == node ? graph->external[low].bytes : 0;
}

/* The loops below have no early exit on purpose: they run at the speed of memory, and a graph that is wrong
 * is the exception. */
static bool offsets_ascend(const uint64_t *first_edge, pm_node node_count, uint64_t edge_count) {
    uint64_t wrong = first_edge[0] | (first_edge[node_count] ^ edge_count);
    for (size_t i = 0; i < node_count; i++) wrong |= first_edge[i] > first_edge[i + 1];
    return wrong == 0;
}

static pm_node largest_target(const pm_node *edges, uint64_t edge_count) {
    pm_node largest = 0;
    for (uint64_t i = 0; i < edge_count; i++) largest = edges[i] > largest ? edges[i] : largest;
    return largest;
}

static struct pm_error *check_sizes(const struct pm_graph *graph) {
    uint64_t words = 0, bytes; /* 2^32 nodes of 2^32 words each just fit */
    for (size_t i = 0; i < graph->node_count; i++) words += graph->shallow[i];
    bool fits = pm_mul_u64(words, 8, &bytes);
    for (size_t i = 0; i < graph->external_count; i++) {
        const struct pm_graph_external *external = &graph->external[i];
        if (external->node >= graph->node_count || (i && external[-1].node >= external->node))
            return pm_error_create(PM_ERR_FORMAT,
                                   "heap graph: entry %zu of the external memory is of node %u, out of order",
                                   i, external->node);
        fits = fits && pm_add_u64(bytes, external->bytes, &bytes);
    }
    if (!fits)
        return pm_error_create(PM_ERR_FORMAT, "heap graph: the objects are larger than 2^64 bytes together");
    return NULL;
}

struct pm_error *pm_graph_check(const struct pm_graph *graph) {
    if (graph->node_count == 0 || graph->node_count == PM_NO_NODE)
        return pm_error_create(PM_ERR_FORMAT, "heap graph: %u nodes, there must be a root",
                               graph->node_count);
    if (!offsets_ascend(graph->first_edge, graph->node_count, graph->edge_count))
        return pm_error_create(PM_ERR_FORMAT, "heap graph: the first references of its nodes do not ascend");
    if (graph->transient_roots > graph->first_edge[1])
        return pm_error_create(PM_ERR_FORMAT, "heap graph: more transient roots than roots");
    pm_node largest = largest_target(graph->edges, graph->edge_count);
    if (largest >= graph->node_count)
        return pm_error_create(PM_ERR_FORMAT, "heap graph: a reference to node %u of %u", largest,
                               graph->node_count);
    return check_sizes(graph);
}
