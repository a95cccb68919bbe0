#include "postmortem/model/string_census.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "postmortem/base/big_array.h"
#include "postmortem/base/limits.h"
#include "postmortem/base/sort.h"
#include "postmortem/base/vec.h"

#define LEAST_HUGE    (16 * 1024) /* bytes from which on a string is worth a row of its own */
#define SHOWN_UNITS   80
#define SNAPSHOT_TEXT 1024 /* bytes of a text from which on a snapshot may have cut it */

struct hashed {
    uint64_t hash;
    pm_node node;
};

struct found { /* a row before its text is looked up */
    pm_node node;
    uint64_t count, bytes, wasted;
};

struct census {
    const struct pm_heap_tree *tree;
    struct pm_string_census *ret;
    struct pm_arena *arena;
    size_t most;
    PM_VEC(struct hashed) flat;
    PM_VEC(struct found) lists[PM_STRING_LISTS];
};

static enum pm_node_kind kind_of(const struct census *census, pm_node node) {
    return (enum pm_node_kind)census->tree->graph->kinds[node];
}

static uint64_t bytes_of(const struct census *census, pm_node node) {
    return pm_graph_shallow(census->tree->graph, node) + pm_graph_external_of(census->tree->graph, node);
}

static bool is_string(enum pm_node_kind kind) {
    return kind == PM_NODE_STRING || kind == PM_NODE_CONS_STRING || kind == PM_NODE_SLICED_STRING;
}

static bool is_reachable(const struct census *census, pm_node node) {
    return census->tree->dominators->dominator[node] != PM_NO_NODE;
}

/* ---- lists ---- */

static int most_wasted(const void *left, const void *right) {
    const struct found *a = left, *b = right;
    if (a->wasted != b->wasted) return a->wasted > b->wasted ? -1 : 1;
    if (a->bytes != b->bytes) return a->bytes > b->bytes ? -1 : 1;
    return a->node < b->node ? -1 : a->node > b->node;
}

static int most_bytes(const void *left, const void *right) {
    const struct found *a = left, *b = right;
    if (a->bytes != b->bytes) return a->bytes > b->bytes ? -1 : 1;
    return a->node < b->node ? -1 : a->node > b->node;
}

static struct pm_error *finish_list(struct census *census, enum pm_string_list list) {
    const struct pm_graph *graph = census->tree->graph;
    struct found *items = census->lists[list].items;
    size_t count = census->lists[list].count, shown = count < census->most ? count : census->most;
    pm_sort(items, count, sizeof(*items), list == PM_STRINGS_DUPLICATE ? most_wasted : most_bytes);
    census->ret->lists[list].total = count;
    for (size_t i = 0; i < count; i++) census->ret->lists[list].wasted += items[i].wasted;
    struct pm_string_row *rows = pm_arena_array(census->arena, shown ? shown : 1, sizeof(*rows));
    if (!rows) return pm_error_nomem();
    for (size_t i = 0; i < shown; i++) {
        PM_AUTO_STRBUF struct pm_strbuf text = {0};
        if (!graph->source->text ||
            !graph->source->text(graph->source_self, items[i].node, SHOWN_UNITS, &text)) {
            pm_strbuf_clear(&text);
            graph->source->describe(graph->source_self, items[i].node, SHOWN_UNITS, &text);
        }
        rows[i] = (struct pm_string_row){graph->source->identity(graph->source_self, items[i].node),
                                         pm_arena_copy(census->arena, pm_strbuf_text(&text), text.length),
                                         items[i].count, items[i].bytes, items[i].wasted};
        if (!rows[i].text) return pm_error_nomem();
    }
    census->ret->lists[list].rows = rows;
    census->ret->lists[list].count = shown;
    return NULL;
}

/* ---- duplicates and huge ones ---- */

static bool hash_flat(struct census *census, pm_node node, struct pm_strbuf *text) {
    const struct pm_graph *graph = census->tree->graph;
    uint64_t bytes = bytes_of(census, node);
    pm_strbuf_clear(text);
    if (!graph->source->text || !graph->source->text(graph->source_self, node, PM_MAX_STRING_UNITS, text))
        return true; /* not readable: no copy of anything */
    if (text->failed) return false;
    if (graph->from_snapshot && text->length >= SNAPSHOT_TEXT) census->ret->cut_texts++;
    struct hashed hashed = {XXH3_64bits_withSeed(pm_strbuf_text(text), text->length, bytes), node};
    return pm_vec_push(&census->flat, hashed);
}

static struct pm_error *read_strings(struct census *census) {
    const struct pm_graph *graph = census->tree->graph;
    PM_AUTO_STRBUF struct pm_strbuf text = {0};
    for (pm_node node = 1; node < graph->node_count; node++) {
        enum pm_node_kind kind = kind_of(census, node);
        if (!is_string(kind) || !is_reachable(census, node)) continue;
        uint64_t bytes = bytes_of(census, node);
        census->ret->count++;
        census->ret->bytes += bytes;
        if (kind != PM_NODE_STRING) continue;
        if (bytes >= LEAST_HUGE &&
            !pm_vec_push(&census->lists[PM_STRINGS_HUGE], ((struct found){node, 1, bytes, 0})))
            return pm_error_nomem();
        if (!hash_flat(census, node, &text)) return pm_error_nomem();
    }
    return NULL;
}

static int by_hash(const void *left, const void *right) {
    const struct hashed *a = left, *b = right;
    if (a->hash != b->hash) return a->hash < b->hash ? -1 : 1;
    return a->node < b->node ? -1 : a->node > b->node;
}

static struct pm_error *find_duplicates(struct census *census) {
    struct hashed *items = census->flat.items;
    size_t count = census->flat.count;
    pm_sort(items, count, sizeof(*items), by_hash);
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && items[end].hash == items[i].hash;) end++;
        if (end - i < 2) continue;
        uint64_t bytes = bytes_of(census, items[i].node);
        struct found row = {items[i].node, end - i, bytes * (end - i), bytes * (end - i - 1)};
        if (!pm_vec_push(&census->lists[PM_STRINGS_DUPLICATE], row)) return pm_error_nomem();
    }
    pm_vec_deinit(&census->flat);
    return finish_list(census, PM_STRINGS_DUPLICATE);
}

/* ---- slices ---- */

struct slice {
    pm_node parent;
};

static int by_parent(const void *left, const void *right) {
    const struct slice *a = left, *b = right;
    return a->parent < b->parent ? -1 : a->parent > b->parent;
}

/* A parent that nothing but slices has a reference to is kept for parts of its text. */
static struct pm_error *only_slices(const struct census *census, pm_node parent, bool *ret) {
    struct pm_path_step *steps PM_AUTO_FREE = NULL;
    size_t count;
    PM_TRY(pm_graph_referrers(census->tree->graph, parent, &steps, &count));
    *ret = true;
    for (size_t i = 0; i < count && *ret; i++)
        *ret =
            !is_reachable(census, steps[i].node) || kind_of(census, steps[i].node) == PM_NODE_SLICED_STRING;
    return NULL;
}

static struct pm_error *find_slices(struct census *census) {
    const struct pm_graph *graph = census->tree->graph;
    PM_VEC(struct slice) slices = {0};
    struct pm_error *err = NULL;
    for (pm_node node = 1; node < graph->node_count && !err; node++) {
        if (kind_of(census, node) != PM_NODE_SLICED_STRING || !is_reachable(census, node)) continue;
        for (uint64_t edge = graph->first_edge[node]; edge < graph->first_edge[node + 1]; edge++) {
            pm_node to = graph->edges[edge];
            if (!is_string(kind_of(census, to))) continue;
            if (!pm_vec_push(&slices, (struct slice){to})) err = pm_error_nomem();
            break;
        }
    }
    pm_sort(slices.items, slices.count, sizeof(*slices.items), by_parent);
    for (size_t i = 0, end; !err && i < slices.count; i = end) {
        pm_node parent = slices.items[i].parent;
        for (end = i + 1; end < slices.count && slices.items[end].parent == parent;) end++;
        struct found row = {parent, end - i, bytes_of(census, parent), 0};
        bool alone = false;
        err = only_slices(census, parent, &alone);
        if (alone) row.wasted = row.bytes;
        if (!err && !pm_vec_push(&census->lists[PM_STRINGS_SLICED], row)) err = pm_error_nomem();
    }
    pm_vec_deinit(&slices);
    return err ? err : finish_list(census, PM_STRINGS_SLICED);
}

/* ---- ropes ----
 *
 * A rope is a string that no other rope has as a part. What two ropes share counts with the first of them, so
 * that every string is looked at once. */

struct ropes {
    struct census *census;
    uint8_t *seen; /* bit 0: part of another rope; bit 1: counted */
    PM_VEC(pm_node) stack;
};

static bool measure_rope(struct ropes *ropes, pm_node root, struct found *ret) {
    const struct pm_graph *graph = ropes->census->tree->graph;
    *ret = (struct found){.node = root};
    if (!pm_vec_push(&ropes->stack, root)) return false;
    ropes->seen[root] |= 2;
    while (ropes->stack.count) {
        pm_node node = ropes->stack.items[--ropes->stack.count];
        ret->bytes += bytes_of(ropes->census, node);
        if (kind_of(ropes->census, node) != PM_NODE_CONS_STRING) continue;
        ret->count++;
        for (uint64_t edge = graph->first_edge[node]; edge < graph->first_edge[node + 1]; edge++) {
            pm_node to = graph->edges[edge];
            if (!is_string(kind_of(ropes->census, to)) || ropes->seen[to] & 2) continue;
            ropes->seen[to] |= 2;
            if (!pm_vec_push(&ropes->stack, to)) return false;
        }
    }
    return true;
}

static struct pm_error *find_ropes(struct census *census) {
    const struct pm_graph *graph = census->tree->graph;
    uint8_t *seen PM_AUTO_FREE = PM_BIG_ARRAY(uint8_t, graph->node_count);
    struct ropes ropes = {.census = census, .seen = seen};
    bool fine = seen != NULL;
    for (pm_node node = 1; fine && node < graph->node_count; node++) {
        if (kind_of(census, node) != PM_NODE_CONS_STRING || !is_reachable(census, node)) continue;
        for (uint64_t edge = graph->first_edge[node]; edge < graph->first_edge[node + 1]; edge++)
            if (graph->edges[edge] != node) seen[graph->edges[edge]] |= 1;
    }
    /* The second time for rings, which damage makes: no member of one is a root. */
    for (unsigned pass = 0; pass < 2; pass++)
        for (pm_node node = 1; fine && node < graph->node_count; node++) {
            if (kind_of(census, node) != PM_NODE_CONS_STRING || !is_reachable(census, node)) continue;
            if (seen[node] & 2 || (pass == 0 && seen[node] & 1)) continue;
            struct found row;
            fine = measure_rope(&ropes, node, &row) && pm_vec_push(&census->lists[PM_STRINGS_ROPE], row);
        }
    pm_vec_deinit(&ropes.stack);
    return fine ? finish_list(census, PM_STRINGS_ROPE) : pm_error_nomem();
}

struct pm_error *pm_string_census_make(const struct pm_heap_tree *tree, size_t most, struct pm_arena *arena,
                                       struct pm_string_census *ret) {
    struct census census = {.tree = tree, .ret = ret, .arena = arena, .most = most};
    *ret = (struct pm_string_census){0};
    struct pm_error *err = read_strings(&census);
    if (!err) err = find_duplicates(&census);
    if (!err) err = finish_list(&census, PM_STRINGS_HUGE);
    if (!err) err = find_slices(&census);
    if (!err) err = find_ropes(&census);
    pm_vec_deinit(&census.flat);
    for (size_t i = 0; i < PM_STRING_LISTS; i++) pm_vec_deinit(&census.lists[i]);
    return err;
}
