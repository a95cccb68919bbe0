#include "postmortem/model/dominators.h"

#include "postmortem/base/big_array.h"

#include <stdlib.h>
#include <string.h>

/* Semi-NCA: dominators from semidominators, in the numbers of a depth-first search.
 *
 *      0 -> 1 -> 2 -> 3     the numbers 0, 1, 2 ... are given in the order of the visits
 *      |         ^    |
 *      |         |    v     tree edges     0->1, 1->2, 2->3, 3->4: the first way to a node, from its parent
 *      +---------+    4     forward edge   0->2: to a descendant, from a smaller number to a larger one
 *                ^    |     back edge      4->2: to an ancestor, from a larger number to a smaller one
 *                |    |     cross edge     to an earlier subtree: from a larger number to a smaller one, too;
 *                +----+                    there are none to a later subtree
 *
 *   semidominator of w   the smallest number from which a path leads to w that runs, between its two ends,
 *                        through numbers larger than w only. Above semi(2) = 0, because of 0->2.
 *   evaluate(v)          numbers are taken from the last one down; those already taken are linked to their
 *                        parents. It is the smallest semidominator on the way from v up to the first number
 *                        that is not yet taken. A way that was climbed is compressed: all of it points to
 *                        its top from then on.
 *
 *   semi(w) = the least of   parent(w),
 *                            v             for each forward edge v -> w,
 *                            evaluate(v)   for each back or cross edge v -> w
 *   idom(w) = the first number <= semi(w) on the way from parent(w) up the dominator tree, which is complete
 *             for all numbers smaller than w when it is w's turn
 *
 * Semidominators and evaluate() are from Lengauer and Tarjan, "A fast algorithm for finding dominators in a
 * flowgraph" (1979); semi-NCA, which needs no buckets and is about four times as fast on heaps, from
 * Georgiadis, "Linear-time algorithms for dominators and related problems" (2005). The simple iteration of
 * Cooper, Harvey and Kennedy (2001) is no choice: it walks along the whole of a linked list again and again,
 * and a heap with a list of 500,000 links keeps it busy for minutes.
 *
 * Only the way up the dominator tree is not bounded by theory: n nodes below a chain of n dominators, each
 * of them also referenced from above the chain, take n^2 steps. When there are more than PM_CLIMB steps per
 * node, the rest is done with jump pointers (Myers, "An applicative random-access stack", 1983): log n steps
 * in any tree, in the memory that evaluate() has left behind. So all is O((nodes + edges) log nodes), and in
 * practice linear.
 *
 * The time goes into waiting for memory. Hence:
 *   - Everything is done in numbers: what is near in the search is near in the columns.
 *   - The search meets each edge once. Tree edges become the parent column; the others are kept as pairs,
 *     which a counting sort brings together by target. There is no column of all edges backwards.
 *   - The stack and the pairs fill one array from its two ends. An edge is in one of them at most, so they
 *     cannot meet, and what is never used of the array is no memory.
 *   - Loads are started early: a node's edges when it is pushed, at a guessed place (struct block), and
 *     again some entries before it is popped; links of a list some links ahead, as if they were allocated
 *     at a constant distance, which they often are.
 *   - A node without references is numbered where it is met, never pushed: a third of a heap.
 *   - What is referenced from everywhere (hidden classes, functions) soon has the root for semidominator;
 *     no other reference to it is looked at then.
 *
 * Memory in bytes per node: number 4, order 4, parent 4 and references 8 each in the search; order 4, parent
 * 4, semidominator 4, end of the row of sources 4 and 12 for each reference while they are sorted; order 4,
 * parent 4, semidominator 4, number of sources 1, links, which become jumps and sizes, 8 and 4 for each back
 * or cross edge afterwards; order 4, parent 4, sizes 8, retained size 8, then dominator 4 at the end. So 24
 * at most beside the references. */

/* The benchmark includes this file and defines PM_PHASE to take the time. */
#ifndef PM_PHASE
#define PM_PHASE(name) ((void)0)
#endif

/* Steps per node up the dominator tree before it is equipped with jumps. A test includes this file with 0. */
#ifndef PM_CLIMB
#define PM_CLIMB 16
#endif

#define ROOT  ((pm_node)0)
#define BLOCK 64 /* nodes */
#define FAR   24 /* entries ahead: where something will be found */
#define NEAR  10 /* entries ahead: the thing itself */
#define AHEAD 4  /* links of a list */
#define MANY  UINT8_MAX

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
    pm_node least; /* smallest semidominator from here up to the ancestor, which is not counted */
};

struct many { /* a target of MANY sources or more */
    pm_node target;
    uint32_t count;
};

struct jump {
    pm_node to;
    pm_node depth;
};

struct work {
    const struct pm_graph *graph;
    pm_node *number; /* by node; PM_NO_NODE = not reached */
    pm_node count;   /* nodes reached; what follows is by number */
    pm_node lasting; /* of these, that lasting roots lead to: the smaller numbers */
    pm_node *order;  /* the node; and FAR zeroes */
    pm_node *parent; /* in the tree of the search; the dominator at the end */
    pm_node *semi;
    pm_node *external_numbers;    /* of graph->external */
    struct reference *references; /* forward, back and cross */
    size_t reference_count;       /* and FAR zeroes */
    uint8_t *source_counts;       /* by target, MANY = see its row's end in many */
    struct many *many;            /* descending by target */
    pm_node *sources; /* of back and cross edges, by target; FAR entries in front to look ahead into */
    union {
        struct link *links;
        struct jump *jumps;
        uint64_t *sizes;
    };
};

static void work_deinit(struct work *work) {
    free(work->number);
    free(work->external_numbers);
    free(work->order);
    free(work->parent);
    free(work->semi);
    free(work->references);
    free(work->source_counts);
    free(work->many);
    free(work->sources);
    free(work->links);
}

/* ---- The search ---- */

struct columns { /* passed by value, so that the compiler need not look at it again after every store */
    struct block *blocks;
    const uint64_t *first_edge;
    const pm_node *edges;
    pm_node node_count;
};

struct search {
    struct columns columns;
    struct reference *pairs;  /* grows up from the start of the array */
    struct reference *top;    /* the stack: grows down from ... */
    struct reference *bottom; /* ... here; FAR entries of zeroes follow, to look ahead into */
};

static struct block *make_blocks(const struct pm_graph *graph) {
    const uint64_t *first = graph->first_edge;
    size_t n = graph->node_count;
    struct block *blocks = PM_BIG_ARRAY(struct block, n / BLOCK + 1);
    if (!blocks) return NULL;
    for (size_t start = 0; start < n; start += BLOCK) {
        size_t end = n - start < BLOCK ? n : start + BLOCK;
        uint64_t leaf = 0;
        for (size_t i = start; i < end; i++) leaf |= (uint64_t)(first[i] == first[i + 1]) << (i - start);
        blocks[start / BLOCK] =
            (struct block){.leaf = leaf, .first_edge = first[start], .edge_count = first[end] - first[start]};
    }
    return blocks;
}

/* gcc 12 takes a function of nothing but prefetches for one without effects, and drops calls that it has not
 * yet inlined. */
#define PREFETCHES static inline __attribute__((always_inline)) void

/* Starts loading a node's first edge, and its edges from where they are if the edges of its block are spread
 * evenly: two loads that would otherwise wait for each other. */
PREFETCHES fetch(struct columns columns, pm_node node) {
    const struct block *block = &columns.blocks[node / BLOCK];
    __builtin_prefetch(&columns.first_edge[node]);
    __builtin_prefetch(&columns.edges[block->first_edge + block->edge_count * (node % BLOCK) / BLOCK]);
}

PREFETCHES fetch_pending(struct columns columns, const struct reference *top) {
    __builtin_prefetch(&columns.first_edge[top[FAR].to]);
    __builtin_prefetch(&columns.edges[columns.first_edge[top[NEAR].to]]);
}

static void search_pending(struct work *work, struct search *search) {
    const struct columns columns = search->columns;
    struct reference *pairs = search->pairs, *top = search->top, *bottom = search->bottom;
    pm_node *number = work->number, *order = work->order, *parent = work->parent;
    pm_node count = work->count, last = ROOT, distance = 0;
    while (top < bottom) {
        struct reference here = *top;
        fetch_pending(columns, top++);
        struct block *block = &columns.blocks[here.to / BLOCK];
        uint64_t bit = (uint64_t)1 << here.to % BLOCK;
        if (block->visited & bit) { /* met again, below the node that pushed it: a forward edge */
            *pairs++ = here;
            continue;
        }
        block->visited |= bit;
        if (here.to - last == distance && here.to + AHEAD * distance < columns.node_count)
            fetch(columns, here.to + AHEAD * distance);
        distance = here.to - last;
        last = here.to;
        pm_node me = count++;
        number[here.to] = me;
        order[me] = here.to;
        parent[me] = here.from;
        uint64_t end = columns.first_edge[here.to + 1];
        for (uint64_t edge = columns.first_edge[here.to]; edge < end; edge++) {
            pm_node to = columns.edges[edge];
            block = &columns.blocks[to / BLOCK];
            bit = (uint64_t)1 << to % BLOCK;
            if (block->visited & bit) {
                if (to != here.to && to != ROOT) *pairs++ = (struct reference){to, me};
            } else if (block->leaf & bit) {
                block->visited |= bit;
                number[to] = count;
                order[count] = to;
                parent[count++] = me;
            } else {
                fetch(columns, to);
                *--top = (struct reference){to, me};
            }
        }
    }
    search->pairs = pairs;
    search->top = top;
    work->count = count;
}

static inline bool is_visited(const struct search *search, pm_node node) {
    return search->columns.blocks[node / BLOCK].visited >> node % BLOCK & 1;
}

static void push_roots(struct search *search, uint64_t first, uint64_t end) {
    for (uint64_t edge = first; edge < end; edge++) {
        pm_node to = search->columns.edges[edge];
        if (!is_visited(search, to)) *--search->top = (struct reference){to, ROOT};
    }
}

/* Transient roots count only where the lasting ones do not lead: of the others no edge remains, nor of what
 * is found through them. */
static void search_from_root(struct work *work, struct search *search) {
    const uint64_t *first_edge = search->columns.first_edge;
    uint64_t lasting = first_edge[ROOT] + work->graph->transient_roots;
    search->columns.blocks[0].visited |= 1;
    work->number[ROOT] = work->order[0] = work->parent[0] = 0;
    work->count = 1;
    push_roots(search, lasting, first_edge[ROOT + 1]);
    search_pending(work, search);
    work->lasting = work->count;
    push_roots(search, first_edge[ROOT], lasting);
    search_pending(work, search);
}

/* What look-ahead finds behind the end is harmless. */
static void end_references(struct work *work, size_t count) {
    work->reference_count = count;
    memset(work->references + count, 0, FAR * sizeof(*work->references));
}

static struct pm_error *depth_first(struct work *work) {
    const struct pm_graph *graph = work->graph;
    PM_AUTO_FREE struct block *blocks = make_blocks(graph);
    size_t room = graph->edge_count;
    work->references = PM_BIG_ARRAY(struct reference, room + FAR + 1);
    if (!blocks || !work->references) return pm_error_nomem();
    PM_PHASE("blocks");
    struct search search = {
        .columns = {.blocks = blocks,
                    .first_edge = graph->first_edge,
                    .edges = graph->edges,
                    .node_count = graph->node_count},
        .pairs = work->references,
        .top = work->references + room,
        .bottom = work->references + room,
    };
    search_from_root(work, &search);
    end_references(work, (size_t)(search.pairs - work->references));
    work->references =
        pm_big_array_shrink(work->references, work->reference_count + FAR, sizeof(*work->references));
    PM_PHASE("search");
    return NULL;
}

/* ---- References by target ---- */

/* Targets become numbers; forward edges are spent on the first guess of the semidominators, the others stay
 * and are counted by target. */
static void number_references(struct work *work, uint32_t *counts) {
    struct reference *references = work->references;
    size_t kept = 0;
    for (size_t i = 0; i < work->reference_count; i++) {
        __builtin_prefetch(&work->number[references[i + FAR].to]);
        __builtin_prefetch(&counts[work->number[references[i + NEAR].to]], 1);
        struct reference reference = {work->number[references[i].to], references[i].from};
        if (reference.from >= work->lasting && reference.to < work->lasting) continue;
        if (reference.from > reference.to) {
            references[kept++] = reference;
            counts[reference.to]++;
        } else if (reference.from < work->semi[reference.to]) {
            work->semi[reference.to] = reference.from;
        }
    }
    end_references(work, kept);
}

/* Where external memory is: the column of numbers is given back before sizes are added up. */
static struct pm_error *number_external(struct work *work) {
    const struct pm_graph *graph = work->graph;
    work->external_numbers = malloc((graph->external_count + 1) * sizeof(*work->external_numbers));
    if (!work->external_numbers) return pm_error_nomem();
    for (size_t i = 0; i < graph->external_count; i++)
        work->external_numbers[i] = work->number[graph->external[i].node];
    free(PM_TAKE(work->number));
    return NULL;
}

/* Rows of sources are met from the last one down, so that their lengths say where they are: a byte each. */
static struct pm_error *shorten_rows(struct work *work, const uint32_t *starts) {
    size_t many = 0;
    for (size_t i = 0; i < work->count; i++) many += starts[i + 1] - starts[i] >= MANY;
    work->source_counts = PM_BIG_ARRAY(uint8_t, work->count);
    work->many = malloc((many + 1) * sizeof(*work->many));
    if (!work->source_counts || !work->many) return pm_error_nomem();
    work->many[many] = (struct many){0, 0};
    for (size_t i = 0; i < work->count; i++) {
        uint32_t length = starts[i + 1] - starts[i];
        work->source_counts[i] = (uint8_t)(length < MANY ? length : MANY);
        if (length >= MANY) work->many[--many] = (struct many){(pm_node)i, length};
    }
    return NULL;
}

static struct pm_error *sort_references(struct work *work) {
    if (work->reference_count >= UINT32_MAX)
        return pm_error_create(PM_ERR_LIMIT,
                               "heap graph: %zu references beside the tree; dominators are for 4 billion",
                               work->reference_count);
    PM_AUTO_FREE uint32_t *ends = PM_BIG_ARRAY(uint32_t, (size_t)work->count + 1);
    work->semi = PM_BIG_ARRAY(pm_node, work->count);
    if (!ends || !work->semi) return pm_error_nomem();
    memcpy(work->semi, work->parent, work->count * sizeof(*work->semi));
    number_references(work, ends);
    PM_TRY(number_external(work));
    PM_PHASE("number");
    pm_node *sources = work->sources = PM_BIG_ARRAY(pm_node, work->reference_count + FAR);
    if (!sources) return pm_error_nomem();
    uint32_t sum = 0;
    for (size_t i = 0; i <= work->count; i++) ends[i] = sum += ends[i];
    for (size_t i = 0; i < work->reference_count; i++) {
        const struct reference *reference = &work->references[i];
        __builtin_prefetch(&ends[reference[FAR].to], 1);
        __builtin_prefetch(&sources[FAR + ends[reference[NEAR].to]], 1);
        sources[FAR + --ends[reference->to]] = reference->from;
    }
    free(PM_TAKE(work->references));
    PM_TRY(shorten_rows(work, ends));
    PM_PHASE("sort");
    return NULL;
}

/* ---- Semidominators and dominators ---- */

/* The way up is remembered in the ancestors themselves, which point down until the way back. */
static pm_node evaluate_and_compress(struct link *links, pm_node v, pm_node taken) {
    pm_node below = PM_NO_NODE, at = v, up;
    while ((up = links[at].ancestor) >= taken) {
        links[at].ancestor = below;
        below = at;
        at = up;
    }
    pm_node least = links[at].least;
    while (below != PM_NO_NODE) {
        at = below;
        below = links[at].ancestor;
        if (links[at].least < least) least = links[at].least;
        links[at] = (struct link){up, least};
    }
    return least;
}

/* The numbers from `taken` on are linked. */
static inline pm_node evaluate(struct link *links, pm_node v, pm_node taken) {
    return links[v].ancestor < taken ? links[v].least : evaluate_and_compress(links, v, taken);
}

static struct pm_error *find_semidominators(struct work *work) {
    struct link *links = work->links = PM_BIG_ARRAY(struct link, work->count);
    if (!links) return pm_error_nomem();
    pm_node *semi = work->semi;
    for (size_t i = 0; i < work->count; i++) links[i] = (struct link){work->parent[i], semi[i]};
    const pm_node *ahead = work->sources, *sources = ahead + FAR;
    const struct many *many = work->many;
    uint32_t end = (uint32_t)work->reference_count, first; /* of the row of w */
    for (pm_node w = work->count - 1; w > 0; w--, end = first) {
        pm_node least = semi[w];
        first = end - (work->source_counts[w] < MANY ? work->source_counts[w] : many++->count);
        for (uint32_t i = end; i > first && least != ROOT; i--) {
            __builtin_prefetch(&links[ahead[i - 1]]);
            pm_node found = evaluate(links, sources[i - 1], w + 1);
            if (found < least) least = found;
        }
        semi[w] = links[w].least = least;
    }
    free(PM_TAKE(work->source_counts));
    free(PM_TAKE(work->many));
    free(PM_TAKE(work->sources));
    PM_PHASE("semi");
    return NULL;
}

/* Every node jumps over as many as its dominator and that one's target did together, if both jumped equally
 * far; else to its dominator. */
static void add_jump(struct jump *jumps, const pm_node *dominator, pm_node number) {
    pm_node up = dominator[number], over = jumps[up].to;
    pm_node near = jumps[up].depth - jumps[over].depth, far = jumps[over].depth - jumps[jumps[over].to].depth;
    jumps[number] = (struct jump){near == far ? jumps[over].to : up, jumps[up].depth + 1};
}

static void find_rest_by_jumps(struct work *work, pm_node first) {
    struct jump *jumps = work->jumps;
    pm_node *dominator = work->parent;
    jumps[0] = (struct jump){0, 0};
    for (pm_node w = 1; w < first; w++) add_jump(jumps, dominator, w);
    for (pm_node w = first; w < work->count; w++) {
        pm_node at = dominator[w];
        while (at > work->semi[w]) at = jumps[at].to > work->semi[w] ? jumps[at].to : dominator[at];
        dominator[w] = at;
        add_jump(jumps, dominator, w);
    }
}

static void find_dominators(struct work *work) {
    pm_node *dominator = work->parent;
    const pm_node *semi = work->semi;
    uint64_t steps = 0, most = PM_CLIMB * (uint64_t)work->count;
    pm_node w = 1;
    for (; w < work->count && steps <= most; w++) {
        pm_node at = dominator[w];
        for (; at > semi[w]; steps++) at = dominator[at];
        dominator[w] = at;
    }
    if (w < work->count) find_rest_by_jumps(work, w);
    free(PM_TAKE(work->semi));
    PM_PHASE("dominators");
}

/* ---- Sizes ---- */

static void add_up(struct work *work) {
    const struct pm_graph *graph = work->graph;
    uint64_t *sizes = work->sizes;
    for (size_t i = 0; i < work->count; i++) {
        __builtin_prefetch(&graph->shallow[work->order[i + FAR]]);
        sizes[i] = pm_graph_shallow(graph, work->order[i]);
    }
    for (size_t i = 0; i < graph->external_count; i++) {
        pm_node number = work->external_numbers[i];
        if (number != PM_NO_NODE) sizes[number] += graph->external[i].bytes;
    }
    for (pm_node w = work->count - 1; w > 0; w--) sizes[work->parent[w]] += sizes[w];
    PM_PHASE("add up");
}

static uint64_t all_bytes(const struct pm_graph *graph) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < graph->node_count; i++) bytes += graph->shallow[i];
    bytes *= 8;
    for (size_t i = 0; i < graph->external_count; i++) bytes += graph->external[i].bytes;
    return bytes;
}

/* From numbers back to nodes. */
static struct pm_error *hand_over(struct work *work, struct pm_dominators *result) {
    const pm_node *order = work->order;
    size_t n = work->graph->node_count;
    result->reachable = work->count;
    result->reachable_bytes = work->sizes[ROOT];
    result->unreachable_bytes = all_bytes(work->graph) - work->sizes[ROOT];
    result->retained = PM_BIG_ARRAY(uint64_t, n);
    if (!result->retained) return pm_error_nomem();
    for (size_t i = 0; i < work->count; i++) {
        __builtin_prefetch(&result->retained[order[i + FAR]], 1);
        result->retained[order[i]] = work->sizes[i];
    }
    free(PM_TAKE(work->sizes));
    result->dominator = PM_BIG_ARRAY(pm_node, n);
    if (!result->dominator) return pm_error_nomem();
    memset(result->dominator, 0xff, n * sizeof(*result->dominator)); /* PM_NO_NODE */
    for (size_t i = 0; i < work->count; i++) {
        __builtin_prefetch(&result->dominator[order[i + FAR]], 1);
        result->dominator[order[i]] = order[work->parent[i]];
    }
    PM_PHASE("hand over");
    return NULL;
}

static struct pm_error *compute(struct work *work, struct pm_dominators *result) {
    size_t n = work->graph->node_count;
    work->number = PM_BIG_ARRAY(pm_node, n);
    work->order = PM_BIG_ARRAY(pm_node, n + FAR);
    work->parent = PM_BIG_ARRAY(pm_node, n);
    if (!work->number || !work->order || !work->parent) return pm_error_nomem();
    memset(work->number, 0xff, n * sizeof(*work->number)); /* PM_NO_NODE */
    PM_TRY(depth_first(work));
    PM_TRY(sort_references(work));
    PM_TRY(find_semidominators(work));
    find_dominators(work);
    add_up(work);
    return hand_over(work, result);
}

struct pm_error *pm_dominators_create(const struct pm_graph *graph, struct pm_dominators **ret) {
    PM_TRY(pm_graph_check(graph));
    PM_PHASE("check");
    struct pm_dominators *result PM_AUTO(dominators) = calloc(1, sizeof(*result));
    if (!result) return pm_error_nomem();
    struct work work __attribute__((cleanup(work_deinit))) = {.graph = graph};
    PM_TRY(compute(&work, result));
    *ret = PM_TAKE(result);
    return NULL;
}
