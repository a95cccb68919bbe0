/* bench_dominators.c - time and memory of dominators, children and paths on synthetic heaps.
 *
 *   bench_dominators [lists|mix|shuffled|star|chain] [millions of nodes]
 *
 * lists     half of the nodes are links of a few very long lists, half of those doubly linked and in a table
 * mix       records in tables: object -> shape, string, store -> numbers, other records; an LRU list
 * shuffled  mix with the nodes in random order: no reference is near its object
 * star      one array that holds everything
 * chain     one list that holds everything
 *
 * Times are of one thread. It includes dominators.c to time its phases. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "postmortem/base/vec.h"

static void phase(const char *name);
#define PM_PHASE(name) phase(name)
#include "postmortem/model/dominators.c"

static double last_time;
static double nodes;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void phase(const char *name) {
    double time = now();
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("  %-12s %8.3f s %7.2f ns/node   peak %5ld MB\n", name, time - last_time,
           (time - last_time) * 1e9 / nodes, usage.ru_maxrss / 1024);
    last_time = now();
}

static uint64_t state = 88172645463325252u;
static uint64_t any(uint64_t below) { /* xorshift64* */
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint64_t)(((unsigned __int128)(state * 2685821657736338717u) * below) >> 64);
}

struct maker {
    struct pm_graph *graph;
    size_t edge_room, node_room;
};

static void edge(struct maker *maker, uint64_t to) {
    struct pm_graph *graph = maker->graph;
    if (graph->edge_count == maker->edge_room) {
        maker->edge_room = maker->edge_room * 2 + 1024;
        graph->edges = realloc(graph->edges, maker->edge_room * sizeof(pm_node));
        if (!graph->edges) abort();
    }
    graph->edges[graph->edge_count++] = (pm_node)to;
}

/* Ends the references of the node that is being made. */
static void node(struct maker *maker, uint32_t words) {
    struct pm_graph *graph = maker->graph;
    if (graph->node_count + 2 > maker->node_room) {
        maker->node_room = maker->node_room * 2 + 1024;
        graph->first_edge = realloc(graph->first_edge, maker->node_room * sizeof(uint64_t));
        graph->shallow = realloc(graph->shallow, maker->node_room * sizeof(uint32_t));
        if (!graph->first_edge || !graph->shallow) abort();
        graph->first_edge[0] = 0;
    }
    graph->shallow[graph->node_count] = words;
    graph->first_edge[++graph->node_count] = graph->edge_count;
}

static void make_lists(struct maker *maker, uint64_t wanted) {
    enum { LISTS = 20 };
    uint64_t rows = wanted / LISTS / 2, base = 2 + LISTS;
    edge(maker, 1);
    for (uint64_t i = 0; i < LISTS; i++) edge(maker, 2 + i);
    node(maker, 0);
    for (uint64_t i = 0; i < rows; i++)
        for (uint64_t list = 0; list < LISTS / 2; list++) edge(maker, base + (i * LISTS + list) * 2);
    node(maker, 2);
    for (uint64_t list = 0; list < LISTS; list++) {
        edge(maker, base + list * 2);
        node(maker, 4);
    }
    for (uint64_t i = 0; i < rows; i++) {
        for (uint64_t list = 0; list < LISTS; list++) {
            uint64_t me = base + (i * LISTS + list) * 2;
            edge(maker, me + 1);
            if (i + 1 < rows) edge(maker, me + LISTS * 2);
            if (list < LISTS / 2 && i) edge(maker, me - LISTS * 2);
            node(maker, 5);
            node(maker, 3);
        }
    }
}

static void make_mix(struct maker *maker, uint64_t wanted) {
    enum { SHAPES = 500, TABLES = 1000, LIST = 540000 };
    /* A record is 8 nodes with 11 to 14 references; the i-th starts at first_record + 8 i. */
    uint64_t list = wanted > 4 * LIST ? LIST : wanted / 8;
    uint64_t first_table = 1 + SHAPES, first_list = first_table + TABLES, first_record = first_list + list;
    uint64_t records = (wanted - first_record) / 8;
    for (uint64_t i = 0; i < TABLES; i++) edge(maker, first_table + i);
    for (uint64_t i = 0; i < 3; i++) edge(maker, 1 + i);
    node(maker, 0);
    for (uint64_t i = 0; i < SHAPES; i++) {
        edge(maker, 1 + any(SHAPES));
        edge(maker, 1 + i / 8);
        node(maker, 10);
    }
    for (uint64_t i = 0, record = 0; i < TABLES;
         i++) { /* the i-th table gets every 2^k-th part of what is left */
        uint64_t end = i + 1 == TABLES ? records : record + (records - record) / (i % 10 ? 200 : 10);
        for (; record < end; record++) edge(maker, first_record + 8 * record);
        if (i == 500)
            for (uint64_t k = 0; k < list; k++) edge(maker, first_list + k);
        node(maker, 2);
    }
    for (uint64_t i = 0; i < list; i++) {
        if (i + 1 < list) edge(maker, first_list + i + 1);
        if (i) edge(maker, first_list + i - 1);
        edge(maker, first_record + 8 * any(records));
        node(maker, 5);
    }
    for (uint64_t i = 0; i < records; i++) {
        uint64_t me = first_record + 8 * i;
        edge(maker, 1 + any(40)); /* object: shape, name, store, closure */
        edge(maker, me + 1);
        edge(maker, me + 2);
        edge(maker, me + 5);
        node(maker, 6);
        node(maker, 4); /* name */
        edge(maker, me + 3);
        edge(maker, me + 4);
        if (any(4) == 0) edge(maker, first_record + 8 * any(records));
        if (any(4) == 0 && i > 50) edge(maker, me - 8 * any(50));
        node(maker, 6); /* store */
        node(maker, 2);
        node(maker, 2);
        edge(maker, me + 6);
        edge(maker, 1 + any(SHAPES));
        node(maker, 8); /* closure */
        edge(maker, me);
        edge(maker, me + 7);
        edge(maker, first_table + any(TABLES));
        node(maker, 5); /* context */
        node(maker, 3);
    }
}

static void make_star(struct maker *maker, uint64_t wanted) {
    for (uint64_t i = 1; i < wanted; i++) edge(maker, i);
    node(maker, 2);
    for (uint64_t i = 1; i < wanted; i++) node(maker, 3);
}

static void make_chain(struct maker *maker, uint64_t wanted) {
    for (uint64_t i = 0; i + 1 < wanted; i++) {
        edge(maker, i + 1);
        node(maker, 3);
    }
    node(maker, 3);
}

static void shuffle(struct pm_graph *graph) {
    size_t n = graph->node_count;
    pm_node *to = PM_BIG_ARRAY(pm_node, n), *from = PM_BIG_ARRAY(pm_node, n);
    uint64_t *first = PM_BIG_ARRAY(uint64_t, n + 1);
    pm_node *edges = PM_BIG_ARRAY(pm_node, graph->edge_count);
    for (size_t i = 0; i < n; i++) to[i] = (pm_node)i;
    for (size_t i = n - 1; i > 1; i--) {
        size_t k = 1 + any(i);
        pm_node swap = to[i];
        to[i] = to[k];
        to[k] = swap;
    }
    for (size_t i = 0; i < n; i++) from[to[i]] = (pm_node)i;
    uint64_t e = 0;
    for (size_t i = 0; i < n; i++) {
        for (uint64_t k = graph->first_edge[from[i]]; k < graph->first_edge[from[i] + 1]; k++)
            edges[e++] = to[graph->edges[k]];
        first[i + 1] = e;
    }
    free(to);
    free(from);
    free(graph->edges);
    free(graph->first_edge);
    graph->edges = edges;
    graph->first_edge = first;
}

/* As the readers of cores and snapshots make them: columns of their size, in huge pages. */
static void settle(struct pm_graph *graph) {
    pm_node *edges = PM_BIG_ARRAY(pm_node, graph->edge_count);
    uint64_t *first = PM_BIG_ARRAY(uint64_t, (size_t)graph->node_count + 1);
    uint32_t *shallow = PM_BIG_ARRAY(uint32_t, graph->node_count);
    memcpy(edges, graph->edges, graph->edge_count * sizeof(*edges));
    memcpy(first, graph->first_edge, ((size_t)graph->node_count + 1) * sizeof(*first));
    memcpy(shallow, graph->shallow, graph->node_count * sizeof(*shallow));
    free(graph->edges);
    free(graph->first_edge);
    free(graph->shallow);
    graph->edges = edges;
    graph->first_edge = first;
    graph->shallow = shallow;
}

int main(int count, char **arguments) {
    const char *kind = count > 1 ? arguments[1] : "mix";
    uint64_t wanted = (uint64_t)((count > 2 ? atof(arguments[2]) : 20) * 1e6);
    struct maker maker = {.graph = calloc(1, sizeof(struct pm_graph))};
    if (!maker.graph) return 1;
    if (strcmp(kind, "lists") == 0)
        make_lists(&maker, wanted);
    else if (strcmp(kind, "star") == 0)
        make_star(&maker, wanted);
    else if (strcmp(kind, "chain") == 0)
        make_chain(&maker, wanted);
    else
        make_mix(&maker, wanted);
    if (strcmp(kind, "shuffled") == 0) shuffle(maker.graph);
    settle(maker.graph);
    struct pm_graph *graph = maker.graph;
    nodes = (double)graph->node_count;
    printf("%s: %u nodes, %llu references\n", kind, graph->node_count, (unsigned long long)graph->edge_count);
    last_time = now();
    phase("before");
    struct pm_dominators *dominators;
    struct pm_dominator_children *children;
    struct pm_paths *paths;
    struct pm_path_step *steps;
    size_t step_count;
    double start = now();
    if (pm_dominators_create(graph, &dominators)) return 1;
    printf("  %-12s %8.3f s; %u reachable, %llu bytes\n", "together", now() - start, dominators->reachable,
           (unsigned long long)dominators->reachable_bytes);
    last_time = now();
    if (pm_dominator_children_create(graph, dominators, &children)) return 1;
    phase("children");
    if (pm_paths_create(graph, &paths)) return 1;
    phase("paths");
    if (pm_graph_referrers(graph, 1, &steps, &step_count)) return 1;
    phase("referrers");
    graph->referrers = pm_referrers_create();
    for (int i = 0; i < 17; i++)
        if (pm_graph_referrers(graph, 1, &steps, &step_count)) return 1;
    phase("16, an index");
    return 0;
}
