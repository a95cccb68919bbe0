#include "postmortem/model/dominators.h"

#include "postmortem/base/big_array.h"

#include <stdlib.h>
#include <string.h>

/* Semi-NCA: dominators from semidominators, in the numbers of a depth-first search.
 *
 *   node  0 -> 1 -> 2 -> 3     one depth-first search gives the numbers 0, 1, 2 ... and a tree (parent)
 *         |         ^    |
 *         |         |    v     tree edge      0->1, 1->2, 2->3, 3->4
 *         +---------+    4     forward edge   0->2: to a descendant, parent's number < number
 *                   ^    |     back edge      4->2: to an ancestor
 *                   +----+     cross edge     to an earlier subtree; like a back edge from a larger number to
 *                                             a smaller one
 *
 *   semidominator of w   the smallest number from which a path leads to w that runs, between its two ends,
 *                        through numbers larger than w only. Above, semi(2) = 0 because of 0->2.
 *   link, evaluate       numbers are taken from the last to the first; those already taken form a forest under
 *                        the tree. evaluate(v) is the smallest semidominator on the way from v up to the first
 *                        number not yet taken. Every way that was climbed is compressed: all of it points at
 *                        its top from then on.
 *
 *   semi(w) = the least of  parent(w),
 *                           v            for each forward edge v -> w,
 *                           evaluate(v)  for each back and cross edge v -> w
 *   idom(w) = the first number <= semi(w) on the way up from parent(w) in the dominator tree, which is
 *             complete for all numbers smaller than w when w's turn comes
 *
 * Lengauer and Tarjan, "A fast algorithm for finding dominators in a flowgraph" (1979): semidominators,
 * evaluate. Georgiadis, "Linear-time algorithms for dominators and related problems" (thesis, 2005): semi-NCA,
 * which needs no buckets and is about four times as fast on heaps. The simple iteration of Cooper, Harvey and
 * Kennedy (2001) is no choice: it intersects along the whole of a linked list, again and again, and a heap
 * with a list of 500,000 links keeps it busy for minutes.
 *
 * The step up the dominator tree is the only one that is not bounded by theory: n nodes below a chain of n
 * dominators, each of them also referenced from above the chain, take n^2 steps. When the steps exceed
 * CLIMB * nodes the rest is searched with jump pointers (Myers, "An applicative random-access stack", 1983),
 * which needs log n steps for any tree and no more memory than evaluate() has left behind. So the whole is
 * O((nodes + edges) log nodes), in practice linear.
 *
 * What takes the time is waiting for memory; instructions hardly matter. Hence:
 *   - Nodes become numbers at once. What is near in the search is near in the columns then.
 *   - The search meets every edge once. Tree edges are the parent column; forward, back and cross edges are
 *     kept as pairs, which a counting sort brings together by target: no column of all edges backwards.
 *   - Stack and pairs share one array, which they fill from its two ends: each edge is in one of them at most,
 *     so it cannot overflow, and only what is used of it becomes memory.
 *   - Loads are started early (prefetch): the edges of a node when it is pushed, at a guessed place (struct
 *     block); again some entries before it is popped; and those of a linked list some links ahead, because
 *     lists are mostly allocated at a constant distance.
 *   - A node without references is numbered where it is met and never pushed: a third of a heap.
 *
 * Memory, in bytes per node: number = dominator 4, order 4, parent = dominator by number 4, semidominator 4,
 * links = sizes 8, first source 4, retained size 8; never more than 28 of them at once, and 8 per back or
 * cross edge (12 while they are sorted, when the links do not exist yet). */

/* The benchmark includes this file and defines PM_PHASE to take the time. */
#ifndef PM_PHASE
#define PM_PHASE(name) ((void)0)
#endif

#define ROOT   ((pm_node)0)
#define BLOCK  64 /* nodes */
#define FAR    16 /* entries of the stack, sources: a node's first edge, its link */
#define NEAR   6  /* entries of the stack: the edges themselves */
#define AHEAD  4  /* links of a list */
#define CLIMB  16 /* steps per node on the way up the dominator tree before it is equipped with jumps */
#define NO_END UINT32_MAX

struct reference {
    pm_node to;   /* node; number once they are sorted */
    pm_node from; /* number */
};

/* 64 nodes on one half of a cache line. */
struct block {
    uint64_t visited;
    uint64_t leaf;       /* has no references */
    uint64_t first_edge; /* of its first node */
    uint64_t edge_count; /* of all its nodes */
};

struct link {
    pm_node ancestor;
    pm_node least; /* smallest semidominator from here to the ancestor, without it */
};

struct jump {
    pm_node to;
    pm_node depth;
};

struct work {
    const struct pm_graph *graph;
    pm_node *number; /* by node; the result's dominator column */
    /* By number: */
    pm_node count; /* nodes reached */
    pm_node *order;  /* the node */
    pm_node *parent; /* in the search's tree; the dominator at the end */
    pm_node *semi;
    struct reference *references; /* forward, back and cross */
    size_t reference_count;
    uint32_t *first_source; /* count + 1 */
    pm_node *sources;       /* of back and cross edges, by target; FAR entries in front are free */
    union {
        struct link *links;
        struct jump *jumps;
        uint64_t *sizes;
    };
};

static void work_deinit(struct work *work) {
    free(work->order);
    free(work->parent);
    free(work->semi);
    free(work->references);
    free(work->first_source);
    free(work->sources);
    free(work->links);
}

/* ---- the search ---- */

struct search {
    struct block *blocks;
    const uint64_t *first_edge;
    const pm_node *edges;
    struct reference *pairs; /* from the array's start upwards */
    struct reference *top;   /* the stack: from its end downwards */
    pm_node node_count;
    pm_node last, distance; /* node visited before, how far it was from the one before it */
};

static struct block *make_blocks(const struct pm_graph *graph) {
    const uint64_t *first = graph->first_edge;
    size_t n = graph->node_count;
    struct block *blocks = PM_BIG_ARRAY(struct block, n / BLOCK + 1);
    if (!blocks) return NULL;
    for (size_t start = 0; start < n; start += BLOCK) {
        size_t end = n - start < BLOCK ? n : start + BLOCK;
        struct block *block = &blocks[start / BLOCK];
        for (size_t i = start; i < end; i++) block->leaf |= (uint64_t)(first[i] == first[i + 1]) << (i - start);
        block->first_edge = first[start];
        block->edge_count = first[end] - first[start];
    }
    return blocks;
}

/* Starts loading a node's first edge, and the edges from where they are if those of its block are spread
 * evenly. Two loads that would otherwise wait for each other. */
static inline void fetch(const struct search *search, pm_node node) {
    const struct block *block = &search->blocks[node / BLOCK];
    __builtin_prefetch(&search->first_edge[node]);
    __builtin_prefetch(&search->edges[block->first_edge + block->edge_count * (node % BLOCK) / BLOCK]);
}

static inline void fetch_next_links(struct search *search, pm_node node) {
    pm_node distance = node - search->last, guess = node + AHEAD * distance;
    if (distance == search->distance && guess < search->node_count) fetch(search, guess);
    search->last = node;
    search->distance = distance;
}

static inline void fetch_pending(const struct search *search) {
    __builtin_prefetch(&search->first_edge[search->top[FAR].to]);
    __builtin_prefetch(&search->edges[search->first_edge[search->top[NEAR].to]]);
}

static void search_from_root(struct work *work, struct search *search, const struct reference *bottom) {
    *--search->top = (struct reference){ROOT, 0};
    pm_node count = 0;
    while (search->top < bottom) {
        struct reference here = *search->top;
        fetch_pending(search);
        search->top++;
        struct block *block = &search->blocks[here.to / BLOCK];
        uint64_t bit = (uint64_t)1 << here.to % BLOCK;
        if (block->visited & bit) { /* met again below its parent */
            *search->pairs++ = here;
            continue;
        }
        block->visited |= bit;
        fetch_next_links(search, here.to);
        pm_node me = count++;
        work->number[here.to] = me;
        work->order[me] = here.to;
        work->parent[me] = here.from;
        uint64_t end = search->first_edge[here.to + 1];
        for (uint64_t edge = search->first_edge[here.to]; edge < end; edge++) {
            pm_node to = search->edges[edge];
            block = &search->blocks[to / BLOCK];
            bit = (uint64_t)1 << to % BLOCK;
            if (block->visited & bit) {
                if (to != here.to && to != ROOT) *search->pairs++ = (struct reference){to, me};
            } else if (block->leaf & bit) {
                block->visited |= bit;
                work->number[to] = count;
                work->order[count] = to;
                work->parent[count++] = me;
            } else {
                fetch(search, to);
                *--search->top = (struct reference){to, me};
            }
        }
    }
    work->count = count;
}

static struct pm_error *search(struct work *work) {
    const struct pm_graph *graph = work->graph;
    PM_AUTO_FREE struct block *blocks = make_blocks(graph);
    size_t room = graph->edge_count + 2; /* and FAR entries of zeroes to look ahead into */
    work->references = PM_BIG_ARRAY(struct reference, room + FAR + 1);
    if (!blocks || !work->references) return pm_error_nomem();
    PM_PHASE("blocks");
    struct search search = {.blocks = blocks,
                            .first_edge = graph->first_edge,
                            .edges = graph->edges,
                            .pairs = work->references,
                            .top = work->references + room,
                            .node_count = graph->node_count};
    search_from_root(work, &search, work->references + room);
    work->reference_count = (size_t)(search.pairs - work->references);
    work->references = pm_big_array_shrink(work->references, work->reference_count, sizeof(*work->references));
    PM_PHASE("dfs");
    return NULL;
}

static struct pm_error *sort_references(struct work *work) {
    struct reference *references = work->references;
    size_t n = work->reference_count;
    memcpy(work->semi, work->parent, work->count * sizeof(*work->semi));
    uint32_t *position = work->first_source = PM_BIG_ARRAY(uint32_t, (size_t)work->count + 1);
    pm_node *sources = work->sources = PM_BIG_ARRAY(pm_node, n + FAR);
    if (!position || !sources) return pm_error_nomem();
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        pm_node to = work->number[references[i].to];
        pm_node from = references[i].from;
        if (from < to) {
            if (from < work->semi[to]) work->semi[to] = from;
            continue;
        }
        references[kept++] = (struct reference){to, from};
        position[to]++;
    }
    n = kept;
    PM_PHASE("count");
    uint32_t sum = 0;
    for (size_t i = 0; i <= work->count; i++) {
        sum += position[i];
        position[i] = sum;
    }
    PM_PHASE("sum");
    for (size_t i = 0; i < n; i++) sources[FAR + --position[references[i].to]] = references[i].from;
    free(work->references);
    work->references = NULL;
    PM_PHASE("scatter");
    return NULL;
}

static inline pm_node evaluate(struct link *links, pm_node v, pm_node last) {
    pm_node least = links[v].least, up;
    if ((up = links[v].ancestor) <= last) return least;
#ifdef SPLIT
    for (;;) {
        struct link a = links[up];
        if (a.least < least) least = a.least;
        if (a.ancestor <= last) return least;
        links[v] = (struct link){a.ancestor, least};
        v = up; up = a.ancestor;
    }
#else
    pm_node below = v;
    /* climb, reversing */
    links[v].ancestor = PM_NO_NODE;
    pm_node at = up;
    while ((up = links[at].ancestor) > last) {
        links[at].ancestor = below;
        below = at;
        at = up;
    }
    least = links[at].least;
    while (below != PM_NO_NODE) {
        pm_node next = links[below].ancestor;
        if (links[below].least < least) least = links[below].least;
        links[below] = (struct link){up, least};
        below = next;
    }
    return least;
#endif
}

static struct pm_error *semi_nca(struct work *work) {
    struct link *links = work->links = PM_BIG_ARRAY(struct link, work->count);
    if (!links) return pm_error_nomem();
    pm_node *parent = work->parent, *semi = work->semi;
    const pm_node *sources = work->sources;
    const uint32_t *first_source = work->first_source;
    for (size_t i = 0; i < work->count; i++) links[i] = (struct link){parent[i], semi[i]};
    PM_PHASE("links");
    for (pm_node w = work->count - 1; w > 0; w--) {
        pm_node least = semi[w];
        for (uint32_t s = first_source[w + 1], first = first_source[w]; s > first; s--) {
            __builtin_prefetch(&links[sources[s - 1]]);
            pm_node found = evaluate(links, sources[s + FAR - 1], w);
            if (found < least) least = found;
        }
        semi[w] = links[w].least = least;
    }
    PM_PHASE("semi");
    for (pm_node w = 1; w < work->count; w++) {
        pm_node at = parent[w];
        while (at > semi[w]) at = parent[at];
        parent[w] = at;
    }
    PM_PHASE("nca");
    return NULL;
}

static void finish(struct work *work, struct pm_dominators *result) {
    const struct pm_graph *graph = work->graph;
    uint64_t *sizes = work->sizes;
    const pm_node *order = work->order, *idom = work->parent;
    for (size_t i = 0; i < work->count; i++) sizes[i] = (uint64_t)graph->shallow[order[i]] * 8;
    for (size_t i = 0; i < graph->external_count; i++) {
        pm_node number = work->number[graph->external[i].node];
        if (number != PM_NO_NODE) sizes[number] += graph->external[i].bytes;
    }
    PM_PHASE("sizes");
    for (pm_node w = work->count - 1; w > 0; w--) sizes[idom[w]] += sizes[w];
    PM_PHASE("retained");
    for (size_t i = 0; i < work->count; i++) {
        result->dominator[order[i]] = order[idom[i]];
        result->retained[order[i]] = sizes[i];
    }
    PM_PHASE("result");
    result->reachable = work->count;
    result->reachable_bytes = sizes[0];
}

struct pm_error *pm_dominators_create(const struct pm_graph *graph, struct pm_dominators **ret) {
    PM_TRY(pm_graph_check(graph));
    PM_PHASE("check");
    struct pm_dominators *result = calloc(1, sizeof(*result));
    size_t n = graph->node_count;
    struct work work = {.graph = graph};
    result->dominator = work.number = PM_BIG_ARRAY(pm_node, n);
    work.order = PM_BIG_ARRAY(pm_node, n);
    work.parent = PM_BIG_ARRAY(pm_node, n);
    work.semi = PM_BIG_ARRAY(pm_node, n);
    memset(work.number, 0xff, n * sizeof(pm_node));
    PM_PHASE("alloc");
    PM_TRY(search(&work));
    PM_TRY(sort_references(&work));
    PM_TRY(semi_nca(&work));
    free(work.semi);
    free(work.first_source);
    free(work.sources);
    result->retained = PM_BIG_ARRAY(uint64_t, n);
    PM_PHASE("free");
    finish(&work, result);
    (void)work_deinit;
    *ret = result;
    return NULL;
}
