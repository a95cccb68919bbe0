/* The dominator tree from the top: children of each node, largest retained first. */
#include "postmortem/base/big_array.h"
#include "postmortem/model/dominators.h"

#include <stdlib.h>
#include <string.h>

void pm_dominators_destroy(struct pm_dominators *dominators) {
    if (!dominators) return;
    free(dominators->dominator);
    free(dominators->retained);
    free(dominators);
}

void pm_dominator_children_destroy(struct pm_dominator_children *children) {
    if (!children) return;
    free(children->first);
    free(children->child);
    free(children);
}

/* ---- Sorting one node's children. They come in ascending order, and equal ones stay in it. ---- */

#define FEW   32 /* children sorted by insertion: all but a few thousand nodes of a heap */
#define BYTES 8

static void sort_few(pm_node *child, size_t count, const uint64_t *retained) {
    for (size_t i = 1; i < count; i++) {
        pm_node node = child[i];
        size_t place = i;
        for (; place && retained[child[place - 1]] < retained[node]; place--) child[place] = child[place - 1];
        child[place] = node;
    }
}

/* Two columns of keys and a second one of nodes, as long as the longest row of children. */
struct rows {
    uint64_t *keys[2];
    pm_node *nodes;
};

static void rows_deinit(struct rows *rows) {
    free(rows->keys[0]);
    free(rows->keys[1]);
    free(rows->nodes);
}

static void count_digits(const uint64_t *keys, size_t count, size_t digits[BYTES][256]) {
    for (size_t i = 0; i < count; i++)
        for (unsigned byte = 0; byte < BYTES; byte++) digits[byte][keys[i] >> 8 * byte & 0xff]++;
}

/* Counts become places; false = all keys have the same byte here. */
static bool place_digits(size_t digits[256], size_t count) {
    size_t place = 0;
    for (unsigned digit = 0; digit < 256; digit++) {
        size_t length = digits[digit];
        if (length == count) return false;
        digits[digit] = place;
        place += length;
    }
    return true;
}

/* Radix sort from the lowest byte up; of complements, so that it descends. */
static void sort_many(pm_node *child, size_t count, const uint64_t *retained, const struct rows *rows) {
    uint64_t *keys = rows->keys[0], *next_keys = rows->keys[1];
    pm_node *nodes = child, *next_nodes = rows->nodes;
    size_t digits[BYTES][256] = {0};
    for (size_t i = 0; i < count; i++) keys[i] = ~retained[child[i]];
    count_digits(keys, count, digits);
    for (unsigned byte = 0; byte < BYTES; byte++) {
        if (!place_digits(digits[byte], count)) continue;
        for (size_t i = 0; i < count; i++) {
            size_t place = digits[byte][keys[i] >> 8 * byte & 0xff]++;
            next_keys[place] = keys[i];
            next_nodes[place] = nodes[i];
        }
        uint64_t *sorted_keys = next_keys;
        pm_node *sorted_nodes = next_nodes;
        next_keys = keys, keys = sorted_keys;
        next_nodes = nodes, nodes = sorted_nodes;
    }
    if (nodes != child) memcpy(child, nodes, count * sizeof(*child));
}

static struct pm_error *sort_rows(struct pm_dominator_children *children, size_t node_count,
                                  const uint64_t *retained) {
    struct rows rows __attribute__((cleanup(rows_deinit))) = {0};
    size_t longest = 0;
    for (size_t i = 0; i < node_count; i++) {
        size_t count = children->first[i + 1] - children->first[i];
        if (count > longest) longest = count;
    }
    if (longest > FEW) {
        rows.keys[0] = PM_BIG_ARRAY(uint64_t, longest);
        rows.keys[1] = PM_BIG_ARRAY(uint64_t, longest);
        rows.nodes = PM_BIG_ARRAY(pm_node, longest);
        if (!rows.keys[0] || !rows.keys[1] || !rows.nodes) return pm_error_nomem();
    }
    for (size_t i = 0; i < node_count; i++) {
        pm_node *child = children->child + children->first[i];
        size_t count = children->first[i + 1] - children->first[i];
        if (count > FEW)
            sort_many(child, count, retained, &rows);
        else
            sort_few(child, count, retained);
    }
    return NULL;
}

/* Counting sort by dominator, in the order of the nodes. */
struct pm_error *pm_dominator_children_create(const struct pm_graph *graph,
                                              const struct pm_dominators *dominators,
                                              struct pm_dominator_children **ret) {
    size_t count = graph->node_count;
    const pm_node *dominator = dominators->dominator;
    struct pm_dominator_children *children PM_AUTO(dominator_children) = calloc(1, sizeof(*children));
    if (!children) return pm_error_nomem();
    children->first = PM_BIG_ARRAY(uint32_t, count + 2);
    children->child = PM_BIG_ARRAY(pm_node, dominators->reachable);
    if (!children->first || !children->child) return pm_error_nomem();
    uint32_t *place = children->first + 1; /* one further: first[] is right when all are placed */
    for (size_t i = 1; i < count; i++)
        if (dominator[i] != PM_NO_NODE) place[dominator[i] + 1]++;
    for (size_t i = 0; i < count; i++) place[i + 1] += place[i];
    for (size_t i = 1; i < count; i++)
        if (dominator[i] != PM_NO_NODE) children->child[place[dominator[i]]++] = (pm_node)i;
    PM_TRY(sort_rows(children, count, dominators->retained));
    *ret = PM_TAKE(children);
    return NULL;
}
