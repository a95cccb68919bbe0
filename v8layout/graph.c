/* graph.c - the heap graph of a core: three passes over the pages, on all cores.
 *
 *   1. mark      one bit per 8 bytes of heap at every object's start; objects per page
 *   2. number    page by page: bits and the number of the first object in each 512 bytes stand in one record,
 *                  { u64 bits; u32 first } so an address becomes a node with one load and a popcount
 *   3. collect   for every object: class, kind, size; every reference that leads to an object's start becomes
 * an edge
 *
 * Nodes are in order of address inside a page, and their edges too, so a page's edges are one piece.
 * References to read-only objects find no page and fall away: two thirds of all references, and they dominate
 * nothing (facts in docs/performance.md).
 *
 * WeakMap entries are ephemerons: the value is kept by its key as long as the table lives. As V8's own heap
 * snapshots do, the edge goes from the key to the value. */
#include "v8layout/graph.h"

#include "postmortem/base/checked.h"
#include "postmortem/base/parallel.h"
#include "postmortem/base/sort.h"
#include "postmortem/base/vec.h"
#include "v8layout/classes.h"
#include "v8layout/dispatch_table.h"
#include "v8layout/graph_source.h"
#include "v8layout/object_access.h"
#include "v8layout/references.h"

#include <stdatomic.h>
#include <string.h>

#define CHUNK_BITS 18

struct pair {
    pm_node key, value;
};
struct named_later {
    pm_node node;
    pm_addr object;
};

struct worker {
    struct v8_walker *walker;
    struct v8_class_cache cache;
    PM_VEC(pm_node) edges; /* of the page at hand */
    PM_VEC(struct pair) ephemerons;
    PM_VEC(struct named_later) later;
    PM_VEC(struct pm_graph_external) external;
    struct builder *builder;
    struct v8_graph_page *page;
    pm_node node; /* next one of the page */
    bool failed;
};

struct builder {
    const struct v8 *v8;
    uint32_t isolate;
    struct pm_graph *graph;
    struct v8_graph_source *source;
    struct v8_classes *classes;
    struct worker *workers;
    unsigned worker_count;
    pm_node **page_edges; /* of each page, until they are put together */
    uint64_t *page_edge_count;
};

/* ---- address -> node ---- */

static size_t slot_of(const struct v8_graph_source *source, pm_addr chunk) {
    return (size_t)((chunk >> CHUNK_BITS) * 0x9e3779b97f4a7c15u >> 32) & (source->slot_count - 1);
}

struct v8_graph_page *v8_graph_page_of(const struct v8_graph_source *source, pm_addr object) {
    pm_addr chunk = object >> CHUNK_BITS << CHUNK_BITS;
    for (size_t at = slot_of(source, chunk); source->slots[at]; at = (at + 1) & (source->slot_count - 1)) {
        struct v8_graph_page *page = &source->pages[source->slots[at] - 1];
        if (page->chunk == chunk) return object >= page->start && object < page->end ? page : NULL;
    }
    return NULL;
}

pm_node v8_graph_node_of(const struct v8_graph_source *source, pm_addr object) {
    const struct v8_graph_page *page = v8_graph_page_of(source, object);
    if (!page) return PM_NO_NODE;
    uint64_t offset = (object - page->start) >> 3;
    if ((offset >> 6) >= page->block_count || (object & 7)) return PM_NO_NODE;
    const struct v8_graph_block *block = &page->blocks[offset >> 6];
    uint64_t bit = 1ull << (offset & 63);
    if (!(block->bits & bit)) return PM_NO_NODE;
    return block->first + (pm_node)__builtin_popcountll(block->bits & (bit - 1));
}

pm_addr v8_graph_address_of(const struct v8_graph_source *source, pm_node node) {
    size_t low = 0, high = source->page_count; /* last page whose first node is not behind `node` */
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (source->pages[middle].first_node <= node)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || node == 0) return 0;
    const struct v8_graph_page *page = &source->pages[low - 1];
    if (node - page->first_node >= page->node_count) return 0;
    size_t left = 0, right = page->block_count;
    while (left < right) {
        size_t middle = (left + right) / 2;
        if (page->blocks[middle].first <= node)
            left = middle + 1;
        else
            right = middle;
    }
    /* Blocks without objects repeat the number of the next one: the last of the run has the object. */
    const struct v8_graph_block *block = &page->blocks[left - 1];
    uint64_t bits = block->bits;
    for (pm_node skip = node - block->first; skip && bits; skip--) bits &= bits - 1;
    if (!bits) return 0;
    return page->start + 8 * ((uint64_t)(left - 1) * 64 + (uint64_t)__builtin_ctzll(bits));
}

/* ---- pages ---- */

static struct pm_error *collect_pages(struct builder *b) {
    struct v8_graph_source *source = b->source;
    size_t count = 0;
    for (size_t i = 0; i < b->v8->page_count; i++)
        count += b->v8->pages[i].isolate == b->isolate && b->v8->pages[i].live &&
                 b->v8->pages[i].space != V8_SPACE_RO;
    source->slot_count = 64;
    while (source->slot_count < count * 2) source->slot_count *= 2;
    source->pages = calloc(count ? count : 1, sizeof(*source->pages));
    source->slots = calloc(source->slot_count, sizeof(*source->slots));
    b->page_edges = calloc(count ? count : 1, sizeof(*b->page_edges));
    b->page_edge_count = calloc(count ? count : 1, sizeof(*b->page_edge_count));
    if (!source->pages || !source->slots || !b->page_edges || !b->page_edge_count) return pm_error_nomem();
    for (size_t i = 0; i < b->v8->page_count; i++) {
        const struct v8_page *from = &b->v8->pages[i];
        if (from->isolate != b->isolate || !from->live || from->space == V8_SPACE_RO) continue;
        struct v8_graph_page *page = &source->pages[source->page_count++];
        uint64_t bytes =
            from->large ? 8 : from->end - from->start; /* a large page has one object, at its start */
        page->page = from;
        page->chunk = from->chunk;
        page->start = from->start;
        page->end = from->end;
        page->block_count = (uint32_t)((bytes + 511) / 512);
        page->blocks = calloc(page->block_count ? page->block_count : 1, sizeof(*page->blocks));
        if (!page->blocks) return pm_error_nomem();
        size_t at = slot_of(source, page->chunk);
        while (source->slots[at]) at = (at + 1) & (source->slot_count - 1);
        source->slots[at] = (uint32_t)source->page_count;
    }
    return NULL;
}

static bool mark(void *context, const struct v8_object *object) {
    struct v8_graph_page *page = context;
    uint64_t offset = (object->address - page->start) >> 3;
    page->blocks[offset >> 6].bits |= 1ull << (offset & 63);
    page->node_count++;
    return true;
}

static void mark_page(void *context, size_t item, unsigned index) {
    struct builder *b = context;
    struct v8_graph_page *page = &b->source->pages[item];
    struct v8_walk_stats stats = {0};
    v8_walk_page(b->workers[index].walker, page->page, mark, page, &stats);
}

static struct pm_error *number(struct builder *b) {
    uint64_t next = 1; /* node 0 is the root */
    for (size_t i = 0; i < b->source->page_count; i++) {
        struct v8_graph_page *page = &b->source->pages[i];
        page->first_node = (pm_node)next;
        pm_node first = (pm_node)next;
        for (uint32_t k = 0; k < page->block_count; k++) {
            page->blocks[k].first = first;
            first += (pm_node)__builtin_popcountll(page->blocks[k].bits);
        }
        next += page->node_count;
        if (next >= PM_NO_NODE)
            return pm_error_create(PM_ERR_LIMIT,
                                   "more than 4,294,967,294 objects: this version numbers them with 32 bits");
    }
    b->graph->node_count = (pm_node)next;
    return NULL;
}

/* ---- columns and edges ---- */

enum pm_node_kind v8_node_kind(const struct v8 *v8, const struct v8_map *map) {
    switch (map->type) {
    case V8_T_STRING:
        switch (map->instance_type & V8_STRING_SHAPE_MASK) {
        case V8_STRING_CONS: return PM_NODE_CONS_STRING;
        case V8_STRING_SLICED: return PM_NODE_SLICED_STRING;
        default: return PM_NODE_STRING;
        }
    case V8_T_JS_ARRAY: return PM_NODE_ARRAY;
    case V8_T_JS_MAP: return PM_NODE_MAP;
    case V8_T_JS_SET: return PM_NODE_SET;
    case V8_T_JS_WEAK_MAP: return PM_NODE_WEAK_MAP;
    case V8_T_JS_WEAK_SET: return PM_NODE_WEAK_SET;
    case V8_T_JS_FUNCTION:
    case V8_T_JS_CLASS_CONSTRUCTOR:
    case V8_T_JS_BOUND_FUNCTION:
    case V8_T_JS_ARRAY_CONSTRUCTOR:
    case V8_T_JS_PROMISE_CONSTRUCTOR:
    case V8_T_JS_REG_EXP_CONSTRUCTOR: return PM_NODE_CLOSURE;
    case V8_T_NATIVE_CONTEXT: return PM_NODE_NATIVE_CONTEXT;
    case V8_T_FUNCTION_CONTEXT:
    case V8_T_BLOCK_CONTEXT:
    case V8_T_CATCH_CONTEXT:
    case V8_T_EVAL_CONTEXT:
    case V8_T_MODULE_CONTEXT:
    case V8_T_SCRIPT_CONTEXT:
    case V8_T_WITH_CONTEXT:
    case V8_T_AWAIT_CONTEXT:
    case V8_T_DEBUG_EVALUATE_CONTEXT: return PM_NODE_CONTEXT;
    case V8_T_JS_GLOBAL_OBJECT:
    case V8_T_JS_GLOBAL_PROXY: return PM_NODE_GLOBAL;
    case V8_T_JS_PROMISE: return PM_NODE_PROMISE;
    case V8_T_PROMISE_REACTION: return PM_NODE_PROMISE_REACTION;
    case V8_T_JS_GENERATOR_OBJECT:
    case V8_T_JS_ASYNC_FUNCTION_OBJECT:
    case V8_T_JS_ASYNC_GENERATOR_OBJECT: return PM_NODE_GENERATOR;
    case V8_T_JS_ARRAY_BUFFER: return PM_NODE_ARRAY_BUFFER;
    case V8_T_JS_TYPED_ARRAY:
    case V8_T_JS_DATA_VIEW: return PM_NODE_TYPED_ARRAY;
    case V8_T_JS_DATE: return PM_NODE_DATE;
    case V8_T_JS_REG_EXP: return PM_NODE_REGEXP;
    case V8_T_JS_ERROR: return PM_NODE_ERROR;
    case V8_T_HEAP_NUMBER: return PM_NODE_NUMBER;
    case V8_T_BIG_INT_BASE: return PM_NODE_BIGINT;
    case V8_T_SYMBOL: return PM_NODE_SYMBOL;
    case V8_T_FIXED_ARRAY:
    case V8_T_FIXED_DOUBLE_ARRAY:
    case V8_T_PROPERTY_ARRAY:
    case V8_T_NAME_DICTIONARY:
    case V8_T_SWISS_NAME_DICTIONARY:
    case V8_T_GLOBAL_DICTIONARY:
    case V8_T_NUMBER_DICTIONARY:
    case V8_T_ORDERED_HASH_MAP:
    case V8_T_ORDERED_HASH_SET:
    case V8_T_EPHEMERON_HASH_TABLE:
    case V8_T_HASH_TABLE:
    case V8_T_SLOPPY_ARGUMENTS_ELEMENTS:
    case V8_T_ARRAY_LIST:
    case V8_T_WEAK_ARRAY_LIST:
    case V8_T_WEAK_FIXED_ARRAY: return PM_NODE_STORE;
    case V8_T_CODE:
    case V8_T_INSTRUCTION_STREAM:
    case V8_T_BYTECODE_ARRAY:
    case V8_T_SCRIPT:
    case V8_T_SHARED_FUNCTION_INFO:
    case V8_T_SCOPE_INFO:
    case V8_T_FEEDBACK_VECTOR:
    case V8_T_FEEDBACK_CELL:
    case V8_T_FEEDBACK_METADATA: return PM_NODE_CODE;
    case V8_T_MAP:
    case V8_T_DESCRIPTOR_ARRAY:
    case V8_T_STRONG_DESCRIPTOR_ARRAY:
    case V8_T_TRANSITION_ARRAY:
    case V8_T_PROTOTYPE_INFO: return PM_NODE_SHAPE;
    default: return v8_is_receiver(v8, map) ? PM_NODE_OBJECT : PM_NODE_OTHER;
    }
}

/* A reference that counts, as a node; references to forwarded originals lead to the copy. */
static inline pm_node target(const struct v8_graph_source *source, v8_word word) {
    if ((word & 7) != 1) return PM_NO_NODE;
    return v8_graph_node_of(source, v8_untag(word));
}

static pm_node follow_forwarded(const struct v8_graph_source *source, v8_word word) {
    v8_word moved;
    if ((word & 7) != 1 || !v8_graph_page_of(source, v8_untag(word)) ||
        !pm_mem_u64(source->v8->mem, v8_untag(word), &moved) || (moved & 7) != 0 || moved == 0)
        return PM_NO_NODE;
    return v8_graph_node_of(source, moved);
}

/* Asked of memory: the target's node may not be filled in yet. */
static bool is_native_context(const struct v8_graph_source *source, v8_word word) {
    v8_word map;
    uint16_t type;
    return pm_mem_u64(source->v8->mem, v8_untag(word), &map) &&
           pm_mem_u16(source->v8->mem, v8_untag(map) + 12, &type) &&
           type == source->v8->layout.number_of[V8_T_NATIVE_CONTEXT];
}

/* The handle of a function's code stands for a reference. */
static void visit_code(const struct v8_graph_source *source, const uint8_t *bytes, uint64_t size,
                       bool (*visit)(void *context, uint32_t offset, pm_node to), void *context) {
    uint32_t offset = source->v8->layout.function_dispatch_handle.offset;
    if (offset + 4u > size) return;
    v8_word code = v8_dispatch_code(source->v8, source->isolate, pm_load_u32(bytes + offset));
    pm_node to = code ? target(source, code) : PM_NO_NODE;
    if (to != PM_NO_NODE) visit(context, offset, to);
}

void v8_graph_each_edge(const struct v8_graph_source *source, const struct v8_map *map, const uint8_t *bytes,
                        uint64_t size, bool (*visit)(void *context, uint32_t offset, pm_node to),
                        void *context) {
    struct v8_reference_range range = v8_reference_range(&source->v8->layout, map, size);
    bool native_context = map->type == V8_T_NATIVE_CONTEXT;
    for (uint32_t offset = 0; offset < range.end; offset = offset ? offset + 8 : range.start) {
        if (offset >= range.weak_start && offset < range.weak_end) continue;
        v8_word word = pm_load_u64(bytes + offset);
        if ((word & 7) != 1) continue;
        pm_node to = target(source, word);
        if (to == PM_NO_NODE &&
            (!source->has_forwarded || (to = follow_forwarded(source, word)) == PM_NO_NODE))
            continue;
        /* The last slots of a native context link all contexts weakly (NEXT_CONTEXT_LINK). */
        if (native_context && offset + 40 >= size && is_native_context(source, word)) continue;
        if (!visit(context, offset, to)) return;
    }
    if (source->v8->layout.function_dispatch_handle.present && v8_is_function_type((enum v8_type)map->type))
        visit_code(source, bytes, size, visit, context);
}

static bool keep_edge(void *context, uint32_t offset, pm_node to) {
    struct worker *worker = context;
    (void)offset;
    if (!pm_vec_push(&worker->edges, to)) worker->failed = true;
    return !worker->failed;
}

static void keep_ephemerons(struct worker *worker, const struct v8_object *object) {
    const struct v8_graph_source *source = worker->builder->source;
    for (uint64_t offset = 40; offset + 16 <= object->size; offset += 16) {
        struct pair pair = {target(source, pm_load_u64(object->bytes + offset)),
                            target(source, pm_load_u64(object->bytes + offset + 8))};
        if (pair.key != PM_NO_NODE && pair.value != PM_NO_NODE && !pm_vec_push(&worker->ephemerons, pair))
            worker->failed = true;
    }
}

static void keep_external(struct worker *worker, const struct v8_object *object, pm_node node) {
    const struct v8_layout *layout = &worker->builder->v8->layout;
    struct pm_graph_external external = {.node = node};
    if (object->map->type == V8_T_JS_ARRAY_BUFFER) {
        struct v8_field length = layout->array_buffer_byte_length, store = layout->array_buffer_store;
        if (!length.present || !store.present || length.offset + 8u > object->size ||
            store.offset + 8u > object->size || pm_load_u64(object->bytes + store.offset) == 0)
            return;
        external.bytes = pm_load_u64(object->bytes + length.offset);
    } else if (object->size >= 16) {
        external.bytes = (uint64_t)pm_load_u32(object->bytes + 12)
                         << (object->map->instance_type & V8_STRING_ONE_BYTE ? 0 : 1);
    }
    if (external.bytes && external.bytes < 1ull << 48 && !pm_vec_push(&worker->external, external))
        worker->failed = true;
}

static bool is_external_string(const struct v8_map *map) {
    return map->type == V8_T_STRING && (map->instance_type & V8_STRING_SHAPE_MASK) == V8_STRING_EXTERNAL;
}

static bool collect(void *context, const struct v8_object *object) {
    struct worker *worker = context;
    struct builder *b = worker->builder;
    struct pm_graph *graph = b->graph;
    pm_node node = worker->node++;
    uint32_t class = v8_classes_of_map(b->classes, &worker->cache, object->map);
    size_t before = worker->edges.count;
    if (class == V8_CLASS_BY_OBJECT) {
        struct named_later later = {node, object->address};
        if (!pm_vec_push(&worker->later, later)) worker->failed = true;
        class = 0;
    } else if (class == V8_CLASS_FAILED) {
        worker->failed = true;
    }
    graph->class_of[node] = class;
    graph->shallow[node] = (uint32_t)(object->size / 8 < UINT32_MAX ? object->size / 8 : UINT32_MAX);
    graph->kinds[node] = (uint8_t)v8_node_kind(b->v8, object->map);
    if (object->bytes) {
        v8_graph_each_edge(b->source, object->map, object->bytes, object->size, keep_edge, worker);
        if (object->map->type == V8_T_EPHEMERON_HASH_TABLE) keep_ephemerons(worker, object);
        if (object->map->type == V8_T_JS_ARRAY_BUFFER || is_external_string(object->map))
            keep_external(worker, object, node);
    }
    graph->first_edge[node + 1] = worker->edges.count - before; /* a degree until put_together() */
    return !worker->failed;
}

static void collect_page(void *context, size_t item, unsigned index) {
    struct builder *b = context;
    struct worker *worker = &b->workers[index];
    struct v8_graph_page *page = &b->source->pages[item];
    struct v8_walk_stats stats = {0};
    if (worker->failed) return;
    worker->page = page;
    worker->node = page->first_node;
    worker->edges.count = 0;
    v8_walk_page(worker->walker, page->page, collect, worker, &stats);
    b->page_edge_count[item] = worker->edges.count;
    if (!worker->edges.count) return;
    b->page_edges[item] = malloc(worker->edges.count * sizeof(pm_node));
    if (!b->page_edges[item])
        worker->failed = true;
    else
        memcpy(b->page_edges[item], worker->edges.items, worker->edges.count * sizeof(pm_node));
}

/* ---- putting together ---- */

static int compare_pairs(const void *a, const void *b) {
    const struct pair *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return x->value < y->value ? -1 : x->value > y->value;
}

static int compare_external(const void *a, const void *b) {
    const struct pm_graph_external *x = a, *y = b;
    return x->node < y->node ? -1 : x->node > y->node;
}

/* Roots become the edges of node 0, each object once, under the first root that names it. */
static struct pm_error *collect_roots(struct builder *b) {
    struct v8_graph_source *source = b->source;
    struct v8_root_list list;
    PM_TRY(v8_roots_collect(b->v8, b->isolate, &list));
    uint64_t *seen = calloc(b->graph->node_count / 64 + 1, sizeof(*seen));
    source->roots = malloc((list.count ? list.count : 1) * sizeof(*source->roots));
    if (!seen || !source->roots) {
        free(seen);
        v8_root_list_deinit(&list);
        return pm_error_nomem();
    }
    /* Lasting roots decide who owns what, so they are taken first; transient ones then stand before them in
     * the list. */
    for (unsigned round = 0; round < 2; round++) {
        size_t first = source->root_count;
        for (size_t i = 0; i < list.count; i++) {
            bool transient = v8_root_is_transient((enum v8_root_kind)list.items[i].kind);
            pm_node node =
                transient == (round == 1) ? v8_graph_node_of(source, list.items[i].object) : PM_NO_NODE;
            if (node == PM_NO_NODE || seen[node / 64] >> (node % 64) & 1) continue;
            seen[node / 64] |= 1ull << (node % 64);
            source->roots[source->root_count++] =
                (struct v8_graph_root){node, list.items[i].kind, list.items[i].index};
        }
        if (round == 1) {
            size_t transient_count = source->root_count - first;
            struct v8_graph_root *moved = malloc((source->root_count + 1) * sizeof(*moved));
            if (!moved) break;
            memcpy(moved, source->roots + first, transient_count * sizeof(*moved));
            memcpy(moved + transient_count, source->roots, first * sizeof(*moved));
            free(source->roots);
            source->roots = moved;
            b->graph->transient_roots = transient_count;
        }
    }
    free(seen);
    v8_root_list_deinit(&list);
    return NULL;
}

static struct pm_error *put_together(struct builder *b) {
    struct pm_graph *graph = b->graph;
    struct v8_graph_source *source = b->source;
    PM_VEC(struct pair) pairs = {0};
    bool enough = true;
    for (unsigned i = 0; i < b->worker_count; i++)
        for (size_t k = 0; k < b->workers[i].ephemerons.count; k++)
            enough &= pm_vec_push(&pairs, b->workers[i].ephemerons.items[k]);
    pm_sort(pairs.items, pairs.count, sizeof(*pairs.items), compare_pairs);
    for (size_t i = 0; i < pairs.count; i++) graph->first_edge[pairs.items[i].key + 1]++;
    graph->first_edge[0] = 0;
    graph->first_edge[1] = source->root_count;
    for (pm_node i = 1; i < graph->node_count; i++) graph->first_edge[i + 1] += graph->first_edge[i];
    graph->edge_count = graph->first_edge[graph->node_count];
    graph->edges = enough ? malloc((graph->edge_count ? graph->edge_count : 1) * sizeof(pm_node)) : NULL;
    for (size_t i = 0; graph->edges && i < source->root_count; i++) graph->edges[i] = source->roots[i].node;
    size_t pair = 0;
    for (size_t i = 0; graph->edges && i < source->page_count; i++) {
        const struct v8_graph_page *page = &source->pages[i];
        pm_node end = page->first_node + page->node_count;
        pm_node *to = graph->edges + graph->first_edge[page->first_node];
        if (pair == pairs.count || pairs.items[pair].key >= end) {
            if (b->page_edge_count[i]) memcpy(to, b->page_edges[i], b->page_edge_count[i] * sizeof(pm_node));
        } else { /* own edges of each node, then those of ephemerons with it as key */
            const pm_node *from = b->page_edges[i];
            for (pm_node node = page->first_node; node < end; node++) {
                uint64_t degree = graph->first_edge[node + 1] - graph->first_edge[node];
                size_t last = pair;
                while (last < pairs.count && pairs.items[last].key == node) last++;
                uint64_t own = degree - (last - pair);
                if (own) memcpy(to, from, own * sizeof(pm_node));
                from += own;
                to += own;
                for (; pair < last; pair++) *to++ = pairs.items[pair].value;
            }
        }
        free(b->page_edges[i]);
        b->page_edges[i] = NULL;
    }
    pm_vec_deinit(&pairs);
    return graph->edges ? NULL : pm_error_nomem();
}

static struct pm_error *finish_columns(struct builder *b) {
    struct pm_graph *graph = b->graph;
    size_t externals = 0;
    for (unsigned i = 0; i < b->worker_count; i++) {
        for (size_t k = 0; k < b->workers[i].later.count; k++) {
            uint32_t class = v8_classes_of_object(b->classes, b->workers[i].later.items[k].object);
            if (class == V8_CLASS_FAILED) return pm_error_nomem();
            graph->class_of[b->workers[i].later.items[k].node] = class;
        }
        externals += b->workers[i].external.count;
    }
    uint32_t root_class = v8_classes_intern(b->classes, "(GC roots)");
    if (root_class == V8_CLASS_FAILED) return pm_error_nomem();
    graph->class_of[0] = root_class;
    graph->kinds[0] = PM_NODE_ROOT;
    graph->class_count = v8_classes_count(b->classes);
    graph->classes = malloc(graph->class_count * sizeof(*graph->classes));
    graph->external = malloc((externals ? externals : 1) * sizeof(*graph->external));
    if (!graph->classes || !graph->external) return pm_error_nomem();
    for (size_t i = 0; i < graph->class_count; i++)
        graph->classes[i] = v8_classes_name(b->classes, (uint32_t)i);
    for (unsigned i = 0; i < b->worker_count; i++)
        for (size_t k = 0; k < b->workers[i].external.count; k++)
            graph->external[graph->external_count++] = b->workers[i].external.items[k];
    pm_sort(graph->external, graph->external_count, sizeof(*graph->external), compare_external);
    return NULL;
}

static struct pm_error *allocate_columns(struct pm_graph *graph) {
    size_t count = graph->node_count;
    graph->first_edge = calloc(count + 1, sizeof(*graph->first_edge));
    graph->class_of = calloc(count, sizeof(*graph->class_of));
    graph->shallow = calloc(count, sizeof(*graph->shallow));
    graph->kinds = calloc(count, sizeof(*graph->kinds));
    return graph->first_edge && graph->class_of && graph->shallow && graph->kinds ? NULL : pm_error_nomem();
}

static struct pm_error *any_failed(const struct builder *b) {
    for (unsigned i = 0; i < b->worker_count; i++)
        if (b->workers[i].failed) return pm_error_nomem();
    return NULL;
}

static struct pm_error *build(struct builder *b) {
    b->worker_count = pm_parallel_workers();
    b->workers = calloc(b->worker_count, sizeof(*b->workers));
    b->classes = v8_classes_create(b->v8, b->source->arena);
    if (!b->workers || !b->classes) return pm_error_nomem();
    for (unsigned i = 0; i < b->worker_count; i++) {
        b->workers[i].builder = b;
        if (!(b->workers[i].walker = v8_walker_create(b->v8))) return pm_error_nomem();
    }
    PM_TRY(collect_pages(b));
    pm_parallel_run(b->source->page_count, mark_page, b);
    PM_TRY(number(b));
    PM_TRY(allocate_columns(b->graph));
    PM_TRY(collect_roots(b));
    pm_parallel_run(b->source->page_count, collect_page, b);
    PM_TRY(any_failed(b));
    PM_TRY(put_together(b));
    return finish_columns(b);
}

static void builder_deinit(struct builder *b) {
    for (unsigned i = 0; b->workers && i < b->worker_count; i++) {
        v8_walker_destroy(b->workers[i].walker);
        v8_class_cache_deinit(&b->workers[i].cache);
        pm_vec_deinit(&b->workers[i].edges);
        pm_vec_deinit(&b->workers[i].ephemerons);
        pm_vec_deinit(&b->workers[i].later);
        pm_vec_deinit(&b->workers[i].external);
    }
    for (size_t i = 0; b->page_edges && i < b->source->page_count; i++) free(b->page_edges[i]);
    free(b->page_edges);
    free(b->page_edge_count);
    free(b->workers);
    v8_classes_destroy(b->classes);
}

struct pm_error *v8_graph_create(const struct v8 *v8, uint32_t isolate, struct pm_graph **ret) {
    struct pm_graph *graph = calloc(1, sizeof(*graph));
    struct v8_graph_source *source = v8_graph_source_create(v8, isolate, graph);
    if (!graph || !source) {
        free(graph);
        if (source) v8_graph_source_destroy(source);
        return pm_error_nomem();
    }
    graph->source = &v8_graph_source_functions;
    graph->source_self = source;
    struct builder b = {.v8 = v8, .isolate = isolate, .graph = graph, .source = source};
    graph->referrers = pm_referrers_create();
    source->has_forwarded = v8->isolates[isolate].gc_state != 0;
    struct pm_error *err = build(&b);
    builder_deinit(&b);
    if (err)
        pm_graph_destroy(graph);
    else
        *ret = graph;
    return err;
}
