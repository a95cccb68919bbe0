/* Shortest paths from the root, and who refers to a node. */
#include "postmortem/base/vec.h"
#include "postmortem/model/dominators.h"

#include <stdlib.h>

struct pm_paths {
    const struct pm_graph *graph;
    pm_node *before; /* the node before on the shortest path; PM_NO_NODE = not reached */
    uint32_t *distance;
};

void pm_paths_destroy(struct pm_paths *paths) {
    if (!paths) return;
    free(paths->before);
    free(paths->distance);
    free(paths);
}

/* Breadth first from what is in the queue already. */
static size_t spread(struct pm_paths *paths, pm_node *queue, size_t head, size_t tail) {
    const struct pm_graph *graph = paths->graph;
    while (head < tail) {
        pm_node node = queue[head++];
        for (uint64_t edge = graph->first_edge[node]; edge < graph->first_edge[node + 1]; edge++) {
            pm_node to = graph->edges[edge];
            if (paths->before[to] != PM_NO_NODE) continue;
            paths->before[to] = node;
            paths->distance[to] = paths->distance[node] + 1;
            queue[tail++] = to;
        }
    }
    return tail;
}

static size_t enter(struct pm_paths *paths, uint64_t from, uint64_t to, pm_node *queue, size_t tail) {
    for (uint64_t edge = from; edge < to; edge++) {
        pm_node node = paths->graph->edges[edge];
        if (paths->before[node] != PM_NO_NODE) continue;
        paths->before[node] = 0;
        paths->distance[node] = 1;
        queue[tail++] = node;
    }
    return tail;
}

struct pm_error *pm_paths_create(const struct pm_graph *graph, struct pm_paths **ret) {
    size_t count = graph->node_count;
    struct pm_paths *paths PM_AUTO(paths) = calloc(1, sizeof(*paths));
    PM_AUTO_FREE pm_node *queue = malloc((count ? count : 1) * sizeof(*queue));
    if (!paths || !queue) return pm_error_nomem();
    paths->graph = graph;
    paths->before = malloc((count ? count : 1) * sizeof(*paths->before));
    paths->distance = malloc((count ? count : 1) * sizeof(*paths->distance));
    if (!paths->before || !paths->distance) return pm_error_nomem();
    for (size_t i = 0; i < count; i++) paths->before[i] = PM_NO_NODE, paths->distance[i] = UINT32_MAX;
    paths->before[0] = 0;
    paths->distance[0] = 0;
    /* Stacks and handles last: a value that lies on a stack by chance has a better explanation, if there is
     * one. */
    uint64_t lasting = graph->first_edge[0] + graph->transient_roots;
    size_t tail = enter(paths, lasting, graph->first_edge[1], queue, 0);
    tail = spread(paths, queue, 0, tail);
    size_t head = tail;
    tail = enter(paths, graph->first_edge[0], lasting, queue, tail);
    spread(paths, queue, head, tail);
    *ret = PM_TAKE(paths);
    return NULL;
}

uint32_t pm_paths_distance(const struct pm_paths *paths, pm_node node) {
    return node < paths->graph->node_count ? paths->distance[node] : UINT32_MAX;
}

static uint64_t edge_between(const struct pm_graph *graph, pm_node from, pm_node to) {
    uint64_t edge = graph->first_edge[from];
    if (from == 0) edge += graph->transient_roots; /* prefer a lasting root */
    for (; edge < graph->first_edge[from + 1]; edge++)
        if (graph->edges[edge] == to) return edge;
    for (edge = graph->first_edge[from]; edge < graph->first_edge[from + 1]; edge++)
        if (graph->edges[edge] == to) return edge;
    return UINT64_MAX;
}

struct pm_error *pm_paths_to(const struct pm_paths *paths, pm_node node, struct pm_path_step **ret,
                             size_t *count_ret) {
    uint32_t distance = pm_paths_distance(paths, node);
    if (distance == UINT32_MAX)
        return pm_error_create(PM_ERR_NOT_FOUND, "no root leads to this object: it is garbage");
    struct pm_path_step *steps = malloc(((size_t)distance + 1) * sizeof(*steps));
    if (!steps) return pm_error_nomem();
    for (uint32_t i = distance; i > 0; i--) {
        pm_node before = paths->before[node];
        steps[i] = (struct pm_path_step){node, edge_between(paths->graph, before, node)};
        node = before;
    }
    steps[0] = (struct pm_path_step){0, UINT64_MAX};
    *ret = steps;
    *count_ret = (size_t)distance + 1;
    return NULL;
}

struct pm_error *pm_graph_referrers(const struct pm_graph *graph, pm_node node, struct pm_path_step **ret,
                                    size_t *count_ret) {
    PM_VEC(struct pm_path_step) found = {0};
    uint64_t edge = 0;
    for (pm_node from = 0; from < graph->node_count; from++)
        for (uint64_t end = graph->first_edge[from + 1]; edge < end; edge++) {
            if (graph->edges[edge] != node) continue;
            struct pm_path_step step = {from, edge};
            if (!pm_vec_push(&found, step)) {
                pm_vec_deinit(&found);
                return pm_error_nomem();
            }
        }
    *ret = found.items;
    *count_ret = found.count;
    return NULL;
}
