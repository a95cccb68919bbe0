/* Shortest paths from the root. */
#include "postmortem/base/big_array.h"
#include "postmortem/model/dominators.h"

#include <stdlib.h>
#include <string.h>

#define FAR  24 /* entries of the queue, to a node's first edge */
#define NEAR 12 /* entries of the queue, to the edges themselves */

struct step {
    pm_node before; /* the node before on the shortest path */
    uint32_t distance;
};

struct pm_paths {
    const struct pm_graph *graph;
    struct step *steps; /* distance UINT32_MAX = not reached */
};

void pm_paths_destroy(struct pm_paths *paths) {
    if (!paths) return;
    free(paths->steps);
    free(paths);
}

struct walk {
    const struct pm_graph *graph;
    struct step *steps;
    uint64_t *reached; /* one bit per node: the steps themselves are too many to be asked for every edge */
    pm_node *queue;    /* and FAR roots after its end, to look ahead into */
    size_t head, tail;
};

static inline void reach(struct walk *walk, pm_node node, pm_node before, uint32_t distance) {
    uint64_t bit = (uint64_t)1 << node % 64;
    if (walk->reached[node / 64] & bit) return;
    walk->reached[node / 64] |= bit;
    walk->steps[node] = (struct step){before, distance};
    walk->queue[walk->tail++] = node;
}

static void reach_from(struct walk *walk, pm_node node, uint64_t first, uint64_t end) {
    const pm_node *edges = walk->graph->edges;
    uint32_t distance = walk->steps[node].distance + 1;
    for (uint64_t edge = first; edge < end; edge++) reach(walk, edges[edge], node, distance);
}

/* Breadth first from what is in the queue. */
static void spread(struct walk *walk) {
    const uint64_t *first_edge = walk->graph->first_edge;
    while (walk->head < walk->tail) {
        const pm_node *next = &walk->queue[walk->head++];
        __builtin_prefetch(&first_edge[next[FAR]]);
        __builtin_prefetch(&walk->steps[next[FAR]]);
        __builtin_prefetch(&walk->graph->edges[first_edge[next[NEAR]]]);
        pm_node node = *next;
        reach_from(walk, node, first_edge[node], first_edge[node + 1]);
    }
}

/* Stacks and handles last: a value that lies on a stack by chance has a better explanation, if there is one.
 */
static void spread_from_root(struct walk *walk) {
    const uint64_t *first_edge = walk->graph->first_edge;
    uint64_t lasting = first_edge[0] + walk->graph->transient_roots;
    walk->reached[0] = 1;
    walk->steps[0] = (struct step){0, 0};
    reach_from(walk, 0, lasting, first_edge[1]);
    spread(walk);
    reach_from(walk, 0, first_edge[0], lasting);
    spread(walk);
}

struct pm_error *pm_paths_create(const struct pm_graph *graph, struct pm_paths **ret) {
    PM_TRY(pm_graph_check(graph));
    size_t count = graph->node_count;
    struct pm_paths *paths PM_AUTO(paths) = calloc(1, sizeof(*paths));
    PM_AUTO_FREE uint64_t *reached = PM_BIG_ARRAY(uint64_t, count / 64 + 1);
    PM_AUTO_FREE pm_node *queue = PM_BIG_ARRAY(pm_node, count + FAR + 1);
    if (!paths || !reached || !queue) return pm_error_nomem();
    paths->graph = graph;
    paths->steps = PM_BIG_ARRAY(struct step, count);
    if (!paths->steps) return pm_error_nomem();
    memset(paths->steps, 0xff, count * sizeof(*paths->steps));
    struct walk walk = {.graph = graph, .steps = paths->steps, .reached = reached, .queue = queue};
    spread_from_root(&walk);
    *ret = PM_TAKE(paths);
    return NULL;
}

uint32_t pm_paths_distance(const struct pm_paths *paths, pm_node node) {
    return node < paths->graph->node_count ? paths->steps[node].distance : UINT32_MAX;
}

static uint64_t edge_between(const struct pm_graph *graph, pm_node from, pm_node to) {
    uint64_t first = graph->first_edge[from], end = graph->first_edge[from + 1];
    if (from == 0) first += graph->transient_roots; /* prefer a lasting root */
    for (uint64_t edge = first; edge < end; edge++)
        if (graph->edges[edge] == to) return edge;
    for (uint64_t edge = graph->first_edge[from]; edge < first; edge++)
        if (graph->edges[edge] == to) return edge;
    return UINT64_MAX;
}

struct pm_error *pm_paths_to(const struct pm_paths *paths, pm_node node, struct pm_path_step **ret,
                             size_t *count_ret) {
    uint32_t distance = pm_paths_distance(paths, node);
    if (distance == UINT32_MAX)
        return pm_error_create(PM_ERR_NOT_FOUND, "no root leads to this object: it is garbage");
    struct pm_path_step *steps = calloc((size_t)distance + 1, sizeof(*steps));
    if (!steps) return pm_error_nomem();
    for (uint32_t i = distance; i > 0; i--) {
        pm_node before = paths->steps[node].before;
        steps[i] = (struct pm_path_step){node, edge_between(paths->graph, before, node)};
        node = before;
    }
    steps[0] = (struct pm_path_step){0, UINT64_MAX};
    *ret = steps;
    *count_ret = (size_t)distance + 1;
    return NULL;
}
