/* Who refers to a node. A single question is a scan over all edges, at the speed of memory. Whoever asks
 * often gets an index: the edges sorted by target, made when the scans have cost about as much as it does.
 *
 *   first[n] .. first[n + 1]    where the edges to n stand in `edges`; ascending, as a counting sort leaves
 * them edges[]                     positions in graph->edges; whose edge it is, a search in first_edge says
 *
 * The sort is divided by targets: every worker reads all edges and takes those that lead to its part of the
 * nodes, so nothing is written by two of them. */
#include "postmortem/model/dominators.h"

#include "postmortem/base/big_array.h"
#include "postmortem/base/parallel.h"

#include <stdlib.h>

#define SCANS      16 /* an index costs about as much */
#define MOST_PARTS 8  /* more readers of all edges than these do not help */
#define AHEAD      16 /* edges, to their places in the index */

struct pm_referrers {
    unsigned scans;  /* questions answered without an index */
    bool no_memory;  /* for an index */
    uint32_t *first; /* node_count + 1; NULL = no index */
    uint32_t *edges;
};

struct pm_referrers *pm_referrers_create(void) {
    return calloc(1, sizeof(struct pm_referrers));
}

static void free_index(struct pm_referrers *referrers) {
    free(referrers->first);
    free(referrers->edges);
    referrers->first = referrers->edges = NULL;
}

void pm_referrers_destroy(struct pm_referrers *referrers) {
    if (!referrers) return;
    free_index(referrers);
    free(referrers);
}

void pm_graph_forget_referrers(const struct pm_graph *graph) {
    if (!graph || !graph->referrers) return;
    free_index(graph->referrers);
    graph->referrers->scans = 0;
}

/* ---- the index ---- */

struct sorting {
    const struct pm_graph *graph;
    uint32_t *first, *edges;
    size_t parts;
};

struct part {
    pm_node start, end; /* targets */
};

static struct part part_of(const struct sorting *sorting, size_t index) {
    uint64_t count = sorting->graph->node_count;
    return (struct part){(pm_node)(count * index / sorting->parts),
                         (pm_node)(count * (index + 1) / sorting->parts)};
}

static void count_part(void *context, size_t item, unsigned worker) {
    const struct sorting *sorting = context;
    const struct part part = part_of(sorting, item);
    const pm_node *edges = sorting->graph->edges;
    uint32_t *counts = sorting->first;
    pm_node length = part.end - part.start;
    (void)worker;
    for (uint64_t i = 0; i < sorting->graph->edge_count; i++)
        if (edges[i] - part.start < length) counts[edges[i]]++;
}

/* From the last edge down, so that each row ascends and first[] is right at the end. */
static void place_part(void *context, size_t item, unsigned worker) {
    const struct sorting *sorting = context;
    const struct part part = part_of(sorting, item);
    const pm_node *edges = sorting->graph->edges;
    uint32_t *ends = sorting->first;
    pm_node length = part.end - part.start;
    (void)worker;
    for (uint64_t i = sorting->graph->edge_count; i-- > 0;) {
        if (i >= AHEAD && edges[i - AHEAD] - part.start < length)
            __builtin_prefetch(&ends[edges[i - AHEAD]], 1);
        if (edges[i] - part.start < length) sorting->edges[--ends[edges[i]]] = (uint32_t)i;
    }
}

static void make_index(const struct pm_graph *graph, struct pm_referrers *referrers) {
    struct sorting sorting = {.graph = graph};
    sorting.first = referrers->first = PM_BIG_ARRAY(uint32_t, (size_t)graph->node_count + 1);
    sorting.edges = referrers->edges = PM_BIG_ARRAY(uint32_t, graph->edge_count);
    if (!sorting.first || !sorting.edges) {
        free_index(referrers);
        referrers->no_memory = true;
        return;
    }
    sorting.parts = pm_parallel_workers() < MOST_PARTS ? pm_parallel_workers() : MOST_PARTS;
    pm_parallel_run(sorting.parts, count_part, &sorting);
    uint32_t sum = 0;
    for (size_t i = 0; i <= graph->node_count; i++) sorting.first[i] = sum += sorting.first[i];
    pm_parallel_run(sorting.parts, place_part, &sorting);
}

/* The index when it is there or worth its price. Positions of edges have 32 bits in it: beyond 4 billion
 * edges every question is a scan. */
static const struct pm_referrers *index_of(const struct pm_graph *graph) {
    struct pm_referrers *referrers = graph->referrers;
    if (!referrers) return NULL;
    if (!referrers->first && referrers->scans++ >= SCANS && !referrers->no_memory &&
        graph->edge_count < UINT32_MAX)
        make_index(graph, referrers);
    return referrers->first ? referrers : NULL;
}

/* ---- questions ---- */

/* The node an edge belongs to, which is not before `node`: first in strides that double, then by halves. */
static pm_node owner_of_edge(const struct pm_graph *graph, uint64_t edge, pm_node node) {
    size_t low = node, stride = 1;
    while (low + stride < graph->node_count && graph->first_edge[low + stride] <= edge) {
        low += stride;
        stride *= 2;
    }
    size_t high = low + stride < graph->node_count ? low + stride : graph->node_count;
    while (high - low > 1) { /* first_edge[low] <= edge < first_edge[high] */
        size_t middle = low + (high - low) / 2;
        if (graph->first_edge[middle] <= edge)
            low = middle;
        else
            high = middle;
    }
    return (pm_node)low;
}

static size_t count_edges_to(const struct pm_graph *graph, pm_node node) {
    size_t count = 0;
    for (uint64_t edge = 0; edge < graph->edge_count; edge++) count += graph->edges[edge] == node;
    return count;
}

struct pm_error *pm_graph_referrers(const struct pm_graph *graph, pm_node node, struct pm_path_step **ret,
                                    size_t *count_ret) {
    const struct pm_referrers *index = node < graph->node_count ? index_of(graph) : NULL;
    size_t count = 0;
    if (index)
        count = index->first[node + 1] - index->first[node];
    else if (node < graph->node_count)
        count = count_edges_to(graph, node);
    struct pm_path_step *steps = calloc(count ? count : 1, sizeof(*steps));
    if (!steps) return pm_error_nomem();
    pm_node from = 0;
    uint64_t edge = 0;
    for (size_t i = 0; i < count; i++, edge++) {
        if (index)
            edge = index->edges[index->first[node] + i];
        else
            while (graph->edges[edge] != node) edge++;
        from = owner_of_edge(graph, edge, from);
        steps[i] = (struct pm_path_step){from, edge};
    }
    *ret = steps;
    *count_ret = count;
    return NULL;
}
