/* The dominator tree from the top: children of each node, largest retained first. */
#include "postmortem/model/dominators.h"

#include <stdlib.h>

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

static int by_retained(const void *a, const void *b, void *context) {
    const uint64_t *retained = context;
    pm_node x = *(const pm_node *)a, y = *(const pm_node *)b;
    if (retained[x] != retained[y]) return retained[x] > retained[y] ? -1 : 1;
    return x < y ? -1 : x > y;
}

/* Counting sort by dominator: nodes are visited in order, so equal ones stay in order too. */
struct pm_error *pm_dominator_children_create(const struct pm_graph *graph,
                                              const struct pm_dominators *dominators,
                                              struct pm_dominator_children **ret) {
    size_t count = graph->node_count;
    struct pm_dominator_children *children PM_AUTO(dominator_children) = calloc(1, sizeof(*children));
    if (!children) return pm_error_nomem();
    children->first = calloc(count + 2, sizeof(*children->first));
    children->child = malloc((count ? count : 1) * sizeof(*children->child));
    if (!children->first || !children->child) return pm_error_nomem();
    uint64_t *next =
        children->first + 1; /* shifted by one: when all are placed, first[] is what it should be */
    for (pm_node i = 1; i < count; i++)
        if (dominators->dominator[i] != PM_NO_NODE) next[dominators->dominator[i] + 1]++;
    for (size_t i = 0; i < count; i++) next[i + 1] += next[i];
    for (pm_node i = 1; i < count; i++)
        if (dominators->dominator[i] != PM_NO_NODE) children->child[next[dominators->dominator[i]]++] = i;
    for (size_t i = 0; i < count; i++) {
        uint64_t length = children->first[i + 1] - children->first[i];
        if (length > 1)
            qsort_r(children->child + children->first[i], length, sizeof(pm_node), by_retained,
                    dominators->retained);
    }
    *ret = PM_TAKE(children);
    return NULL;
}
