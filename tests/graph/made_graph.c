#include "tests/graph/made_graph.h"

#include <stdlib.h>

#include "postmortem/base/big_array.h"

static void *must(void *memory) {
    if (!memory) abort();
    return memory;
}

struct pm_graph *made_graph_empty(size_t node_count, size_t edge_count) {
    struct pm_graph *graph = must(calloc(1, sizeof(*graph)));
    graph->node_count = (pm_node)node_count;
    graph->edge_count = edge_count;
    graph->first_edge = must(PM_BIG_ARRAY(uint64_t, node_count + 1));
    graph->edges = must(PM_BIG_ARRAY(pm_node, edge_count));
    graph->shallow = must(PM_BIG_ARRAY(uint32_t, node_count));
    for (size_t i = 0; i < node_count; i++) graph->shallow[i] = (uint32_t)(i % 7 + 1);
    return graph;
}

struct pm_graph *made_graph(pm_node node_count, const struct made_edge *edges, size_t edge_count) {
    struct pm_graph *graph = made_graph_empty(node_count, edge_count);
    uint64_t *place = must(calloc((size_t)node_count + 1, sizeof(*place)));
    for (size_t i = 0; i < edge_count; i++) graph->first_edge[edges[i].from + 1]++;
    for (size_t i = 0; i < node_count; i++) {
        graph->first_edge[i + 1] += graph->first_edge[i];
        place[i] = graph->first_edge[i];
    }
    for (size_t i = 0; i < edge_count; i++) graph->edges[place[edges[i].from]++] = edges[i].to;
    free(place);
    return graph;
}

void made_graph_external(struct pm_graph *graph, pm_node node, uint64_t bytes) {
    graph->external = must(realloc(graph->external, (graph->external_count + 1) * sizeof(*graph->external)));
    graph->external[graph->external_count++] = (struct pm_graph_external){node, bytes};
}

uint32_t made_random(uint64_t *state, uint32_t below) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((*state >> 32) * below >> 32);
}

static struct made_edge random_edge(uint64_t *state, pm_node nodes, unsigned shape) {
    pm_node from = made_random(state, nodes), to = made_random(state, nodes);
    switch (shape) {
    case 0: /* anything */ break;
    case 1: /* mostly a chain, with a few steps forwards and backwards */
        to = from + 1 + (made_random(state, 4) ? 0 : made_random(state, 3));
        if (made_random(state, 8) == 0) to = from - made_random(state, from + 1);
        break;
    case 2: /* a tree with cross references */
        if (made_random(state, 4)) from = to / 2;
        break;
    case 3: /* neighbours */ to = from + made_random(state, 5) - 2; break;
    default: /* much from few */ from = made_random(state, nodes < 3 ? nodes : 3); break;
    }
    return (struct made_edge){from, to < nodes ? to : nodes - 1};
}

struct pm_graph *made_graph_random(uint64_t *state, pm_node most_nodes) {
    pm_node nodes = 1 + made_random(state, most_nodes);
    size_t count = made_random(state, nodes * (made_random(state, 4) ? 2 : 6) + 1);
    struct made_edge *edges = must(calloc(count + 1, sizeof(*edges)));
    unsigned shape = made_random(state, 6);
    for (size_t i = 0; i < count; i++) {
        edges[i] = random_edge(state, nodes, shape == 5 ? made_random(state, 5) : shape);
        if (i && made_random(state, 10) == 0) edges[i] = edges[i - 1];
        if (made_random(state, 12) == 0) edges[i].from = 0;
    }
    struct pm_graph *graph = made_graph(nodes, edges, count);
    free(edges);
    if (made_random(state, 3) == 0)
        graph->transient_roots = made_random(state, (uint32_t)graph->first_edge[1] + 1);
    for (pm_node i = 0; i < nodes; i++)
        if (made_random(state, 5) == 0) made_graph_external(graph, i, made_random(state, 100000));
    return graph;
}
