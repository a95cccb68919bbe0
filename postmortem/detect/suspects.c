#include "postmortem/detect/suspects.h"

#include <stdlib.h>
#include <string.h>

#include "postmortem/base/sort.h"
#include "postmortem/base/vec.h"
#include "postmortem/detect/census.h"
#include "postmortem/detect/container.h"

struct finder {
    const struct pm_heap_view *view;
    struct pm_arena *arena;
    uint64_t threshold;
    PM_VEC(pm_node) todo;
    PM_VEC(struct pm_suspect) found;
};

/* Children that are suspects of their own: the first ones, they are sorted. */
static size_t big_children(const struct finder *finder, pm_node node, uint64_t *sum_ret) {
    size_t count = pm_view_child_count(finder->view, node), i = 0;
    uint64_t sum = 0;
    for (; i < count; i++) {
        uint64_t bytes = pm_view_retained(finder->view, pm_view_child(finder->view, node, i));
        if (bytes < finder->threshold) break;
        sum += bytes;
    }
    *sum_ret = sum;
    return i;
}

/* Says nothing about what hangs from it: many different things may. */
static bool is_hub(const struct pm_heap_view *view, pm_node node) {
    switch (pm_view_kind(view, node)) {
    case PM_NODE_ROOT:
    case PM_NODE_CONTEXT:
    case PM_NODE_NATIVE_CONTEXT:
    case PM_NODE_GLOBAL:
    case PM_NODE_CODE:
    case PM_NODE_SHAPE:
    case PM_NODE_NATIVE:
    case PM_NODE_CLOSURE:
    case PM_NODE_GENERATOR:
    case PM_NODE_OTHER: return true;
    default: return node == 0 || strcmp(pm_view_class(view, node), "Module") == 0;
    }
}

static bool push(struct finder *finder, const struct pm_suspect *suspect) {
    return pm_vec_push(&finder->found, *suspect);
}

/* ---- members ---- */

/* An even sample of the children from `first` on that are of the class (UINT32_MAX = any). */
static void sample_members(const struct finder *finder, pm_node node, size_t first, uint32_t class_index,
                           struct pm_suspect *suspect) {
    const struct pm_heap_view *view = finder->view;
    size_t count = pm_view_child_count(view, node);
    uint64_t fits = 0;
    for (size_t i = first; i < count; i++)
        fits +=
            class_index == UINT32_MAX || view->graph->class_of[pm_view_child(view, node, i)] == class_index;
    suspect->member_total = fits;
    uint64_t stride = fits / PM_MEMBER_SAMPLE + 1, seen = 0;
    for (size_t i = first; i < count && suspect->member_count < PM_MEMBER_SAMPLE; i++) {
        pm_node child = pm_view_child(view, node, i);
        if (class_index != UINT32_MAX && view->graph->class_of[child] != class_index) continue;
        if (seen++ % stride == 0) suspect->members[suspect->member_count++] = child;
    }
}

/* The class with most bytes among the small children. */
static uint32_t main_group(const struct finder *finder, pm_node node, size_t first, uint64_t *bytes_ret,
                           uint64_t *count_ret, bool *memory) {
    const struct pm_heap_view *view = finder->view;
    const struct pm_graph *graph = view->graph;
    uint64_t *sums = calloc(graph->class_count + 1, sizeof(*sums));
    uint64_t *counts = calloc(graph->class_count + 1, sizeof(*counts));
    uint32_t best = UINT32_MAX;
    *memory = sums && counts;
    for (size_t i = first; *memory && i < pm_view_child_count(view, node); i++) {
        pm_node child = pm_view_child(view, node, i);
        sums[graph->class_of[child]] += pm_view_retained(view, child);
        counts[graph->class_of[child]]++;
    }
    for (uint32_t i = 0; *memory && i < graph->class_count; i++) {
        const char *name = graph->classes[i];
        bool of_v8 = strncmp(name, "system", 6) == 0 || strcmp(name, "(compiled code)") == 0 ||
                     strcmp(name, "(object shape)") == 0 || strcmp(name, "(system)") == 0 ||
                     strcmp(name, "(code)") == 0;
        bool contexts = strcmp(name, "system / NativeContext") == 0 || strcmp(name, "system / Context") == 0;
        if ((of_v8 && !contexts) || counts[i] < PM_GROUP_LEAST) continue;
        if (best == UINT32_MAX || sums[i] > sums[best]) best = i;
    }
    if (best != UINT32_MAX) {
        *bytes_ret = sums[best];
        *count_ret = counts[best];
    }
    free(sums);
    free(counts);
    return best;
}

/* What hangs from a hub in small pieces. */
static bool find_group(struct finder *finder, pm_node node, size_t first) {
    uint64_t bytes = 0, count = 0;
    bool memory;
    uint32_t class_index = main_group(finder, node, first, &bytes, &count, &memory);
    if (!memory) return false;
    if (class_index == UINT32_MAX || bytes < finder->threshold) return true;
    struct pm_suspect suspect = {
        .kind = PM_SUSPECT_GROUP, .point = node, .container = PM_NO_NODE, .bytes = bytes};
    suspect.member_class = finder->view->graph->classes[class_index];
    sample_members(finder, node, first, class_index, &suspect);
    pm_find_container(finder->view, finder->arena, &suspect);
    if (suspect.bytes < finder->threshold) return true;
    /* Strings and the like that nobody's collection has are the program itself. */
    bool held = suspect.container != PM_NO_NODE && pm_view_is_container(finder->view, suspect.container);
    if (suspect.member_class[0] == '(' && !held) return true;
    return push(finder, &suspect);
}

/* Of more than half of them, or of more than half of their bytes: each task of a queue may have something
 * small beside it. */
static const char *common_class(const struct pm_heap_view *view, const struct pm_suspect *suspect) {
    for (size_t i = 0; i < suspect->member_count && i < 3; i++) {
        size_t same = 0;
        uint64_t bytes = 0, all = 0;
        const char *name = pm_view_class(view, suspect->members[i]);
        for (size_t k = 0; k < suspect->member_count; k++) {
            bool is = pm_view_class(view, suspect->members[k]) == name;
            uint64_t its = pm_view_retained(view, suspect->members[k]);
            same += is;
            bytes += is ? its : 0;
            all += its;
        }
        if (same * 2 > suspect->member_count || (same >= PM_GROUP_LEAST && bytes > all / 2)) return name;
    }
    return NULL;
}

static bool find_members(struct finder *finder, pm_node node, size_t first, uint64_t bytes) {
    const struct pm_heap_view *view = finder->view;
    struct pm_suspect suspect = {
        .kind = PM_SUSPECT_MEMBERS, .point = node, .container = node, .bytes = bytes};
    sample_members(finder, node, first, UINT32_MAX, &suspect);
    suspect.member_class = common_class(view, &suspect);
    if (suspect.member_total == 0) suspect.kind = PM_SUSPECT_HUGE;
    suspect.container = PM_NO_NODE;
    if (pm_view_kind(view, node) == PM_NODE_STORE) suspect.container = pm_view_owner_of_store(view, node);
    if (suspect.container == PM_NO_NODE) pm_find_container(view, finder->arena, &suspect);
    if (suspect.container == PM_NO_NODE) suspect.container = node;
    return push(finder, &suspect);
}

/* ---- chains ---- */

/* The period of a chain: after how many steps the classes repeat; 0 = they do not. */
static unsigned period_of(const struct pm_heap_view *view, const pm_node *path, size_t count) {
    for (unsigned period = 1; period <= 8; period++) {
        size_t same = 0, window = 96;
        if (count < window + period) return 0;
        for (size_t i = count - window; i < count; i++)
            same += view->graph->class_of[path[i]] == view->graph->class_of[path[i - period]];
        if (same * 100 >= window * 95) return period;
    }
    return 0;
}

/* Of the first links, the one that a person would name: an object rather than V8's own. */
static pm_node first_link(const struct pm_heap_view *view, const pm_node *path, size_t start, unsigned period,
                          struct pm_suspect *suspect, size_t count) {
    size_t best = start;
    int most = -1;
    for (size_t i = start; i < start + (period ? period : 1) && i < count; i++) {
        enum pm_node_kind kind = pm_view_kind(view, path[i]);
        int rank = !pm_is_plain_class(pm_view_class(view, path[i])) ? 4
                   : kind == PM_NODE_PROMISE                        ? 3
                   : kind == PM_NODE_OBJECT || kind == PM_NODE_CONS_STRING || kind == PM_NODE_MAP ||
                           kind == PM_NODE_ARRAY
                       ? 2
                   : kind == PM_NODE_CLOSURE || kind == PM_NODE_GENERATOR ? 1
                                                                          : 0;
        if (rank > most) {
            most = rank;
            best = i;
        }
    }
    size_t middle = best + period * ((count - best) / 2 / (period ? period : 1));
    suspect->link = path[middle < count ? middle : best];
    suspect->link_class = pm_view_class(view, path[best]);
    return path[best];
}

/* A chain that starts somewhere on the path; false = the way down is none. */
static bool find_chain(struct finder *finder, const pm_node *path, size_t count, struct pm_suspect *suspect) {
    const struct pm_heap_view *view = finder->view;
    unsigned period = period_of(view, path, count);
    size_t start = count - PM_CHAIN_STEPS;
    if (period) {
        start = count - period;
        while (start > 0 &&
               view->graph->class_of[path[start - 1]] == view->graph->class_of[path[start - 1 + period]])
            start--;
    }
    *suspect = (struct pm_suspect){
        .kind = PM_SUSPECT_CHAIN, .point = path[start], .bytes = pm_view_retained(view, path[start])};
    for (size_t i = count - PM_CHAIN_STEPS; i < count; i++)
        suspect->chain_kinds[pm_view_kind(view, path[i])]++;
    suspect->chain_seen = PM_CHAIN_STEPS;
    suspect->container = first_link(view, path, start, period, suspect, count);
    suspect->point = suspect->container;
    suspect->bytes = pm_view_retained(view, suspect->container);
    /* how deep it goes */
    pm_node node = path[count - 1];
    uint64_t steps = count - start;
    while (pm_view_child_count(view, node) && steps < view->graph->node_count) {
        node = pm_view_child(view, node, 0);
        steps++;
    }
    suspect->depth = steps / (period ? period : 1);
    return true;
}

/* ---- the walk ---- */

/* Down from one node: either it ends in a suspect, or it splits into more to do. */
static bool walk(struct finder *finder, pm_node node) {
    const struct pm_heap_view *view = finder->view;
    PM_VEC(pm_node) path = {0};
    unsigned steps = 0;
    bool memory = true;
    for (;;) {
        uint64_t sum = 0, bytes = pm_view_retained(view, node);
        size_t big = big_children(finder, node, &sum);
        memory = pm_vec_push(&path, node);
        if (!memory) break;
        uint64_t rest = bytes > sum ? bytes - sum : 0;
        uint64_t own = pm_graph_shallow(view->graph, node) + pm_graph_external_of(view->graph, node);
        if (big == 1 && rest < finder->threshold) {
            pm_node next = pm_view_child(view, node, 0);
            bool link = (double)pm_view_retained(view, next) >= PM_CHAIN_RATIO * (double)bytes;
            steps = link ? steps + 1 : 0;
            if (steps >= 2 * PM_CHAIN_STEPS) {
                struct pm_suspect suspect;
                find_chain(finder, path.items, path.count, &suspect);
                memory = push(finder, &suspect);
                break;
            }
            node = next;
            continue;
        }
        if (big == 0 && (double)own >= PM_HUGE_PART * (double)bytes &&
            pm_view_kind(view, node) != PM_NODE_ROOT) {
            struct pm_suspect suspect = {
                .kind = PM_SUSPECT_HUGE, .point = node, .container = node, .bytes = bytes};
            /* a table without members of its own, or elements that are numbers */
            if (pm_view_kind(view, node) == PM_NODE_STORE)
                suspect.container = pm_view_owner_of_store(view, node);
            sample_members(finder, node, 0, UINT32_MAX, &suspect);
            suspect.member_class = common_class(view, &suspect);
            if (suspect.member_total > PM_GROUP_LEAST) suspect.kind = PM_SUSPECT_MEMBERS;
            memory = push(finder, &suspect);
            break;
        }
        /* siblings alike are members, however large */
        if (big >= 2 && pm_view_kind(view, node) == PM_NODE_STORE &&
            view->graph->class_of[pm_view_child(view, node, 0)] ==
                view->graph->class_of[pm_view_child(view, node, big - 1)]) {
            memory = find_members(finder, node, 0, bytes);
            break;
        }
        if (rest >= finder->threshold)
            memory = is_hub(view, node) ? find_group(finder, node, big)
                                        : find_members(finder, node, big, big ? rest : bytes);
        for (size_t i = 0; i < big && memory; i++)
            memory = pm_vec_push(&finder->todo, pm_view_child(view, node, i));
        break;
    }
    pm_vec_deinit(&path);
    return memory;
}

static int compare_suspects(const void *a, const void *b) {
    const struct pm_suspect *left = a, *right = b;
    if (left->bytes != right->bytes) return left->bytes < right->bytes ? 1 : -1;
    return left->point < right->point ? -1 : left->point > right->point;
}

struct pm_error *pm_find_suspects(const struct pm_heap_view *view, struct pm_arena *arena,
                                  struct pm_suspect **ret, size_t *count_ret) {
    struct finder finder = {.view = view, .arena = arena};
    finder.threshold = (uint64_t)(PM_SUSPECT_SHARE * (double)view->dominators->reachable_bytes);
    if (!finder.threshold) finder.threshold = 1;
    bool memory = pm_vec_push(&finder.todo, 0);
    while (memory && finder.todo.count) memory = walk(&finder, finder.todo.items[--finder.todo.count]);
    pm_vec_deinit(&finder.todo);
    if (!memory) {
        pm_vec_deinit(&finder.found);
        return pm_error_nomem();
    }
    pm_sort(finder.found.items, finder.found.count, sizeof(*finder.found.items), compare_suspects);
    *ret = finder.found.items;
    *count_ret = finder.found.count;
    return NULL;
}
