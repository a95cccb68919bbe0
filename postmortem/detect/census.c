#include "postmortem/detect/census.h"

#include <stdlib.h>
#include <string.h>

#include "postmortem/base/vec.h"
#include "postmortem/detect/thresholds.h"

static void count(const struct pm_heap_view *view, pm_node node, struct pm_census *census) {
    const struct pm_graph *graph = view->graph;
    enum pm_node_kind kind = (enum pm_node_kind)graph->kinds[node];
    uint64_t bytes = pm_graph_shallow(graph, node);
    census->objects++;
    census->bytes += bytes;
    census->by_kind[kind]++;
    census->bytes_by_kind[kind] += bytes;
    if (!census->class_count[graph->class_of[node]]++) census->class_one[graph->class_of[node]] = node;
    census->class_bytes[graph->class_of[node]] += bytes;
    if (graph->external_count) census->external += pm_graph_external_of(graph, node);
    if (kind == PM_NODE_GENERATOR && census->a_generator == PM_NO_NODE) census->a_generator = node;
    if (kind == PM_NODE_CLOSURE && census->a_closure == PM_NO_NODE) census->a_closure = node;
}

struct pm_error *pm_census_take(const struct pm_heap_view *view, const pm_node *tops, size_t top_count,
                                struct pm_census *ret) {
    PM_VEC(pm_node) queue = {0};
    *ret = (struct pm_census){.complete = true, .a_generator = PM_NO_NODE, .a_closure = PM_NO_NODE};
    ret->class_count = calloc(view->graph->class_count + 1, sizeof(uint64_t));
    ret->class_bytes = calloc(view->graph->class_count + 1, sizeof(uint64_t));
    ret->class_one = calloc(view->graph->class_count + 1, sizeof(pm_node));
    bool memory = ret->class_count && ret->class_bytes && ret->class_one;
    for (size_t i = 0; i < top_count && memory; i++) memory = pm_vec_push(&queue, tops[i]);
    for (size_t head = 0; head < queue.count && memory; head++) {
        pm_node node = queue.items[head];
        count(view, node, ret);
        uint64_t first = view->children->first[node], end = view->children->first[node + 1];
        for (uint64_t i = first; i < end && memory; i++) {
            if (queue.count >= PM_CENSUS_LIMIT) {
                ret->complete = false;
                break;
            }
            memory = pm_vec_push(&queue, view->children->child[i]);
        }
    }
    pm_vec_deinit(&queue);
    if (memory) return NULL;
    pm_census_deinit(ret);
    return pm_error_nomem();
}

void pm_census_deinit(struct pm_census *census) {
    free(census->class_count);
    free(census->class_bytes);
    free(census->class_one);
    census->class_count = census->class_bytes = NULL;
    census->class_one = NULL;
}

static bool is_builtin(const char *name) {
    static const char *const names[] = {
        "Object",  "Array",       "Map",           "Set",        "Date",           "Function",
        "Promise", "ArrayBuffer", "Uint8Array",    "FastBuffer", "Buffer",         "WeakRef",
        "RegExp",  "Symbol",      "AsyncFunction", "Generator",  "AsyncGenerator", "Number",
        "String",  "Boolean",     "BigInt",        "WeakMap",    "WeakSet",        "PromiseReaction"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0) return true;
    return false;
}

static bool is_internal(const char *name) {
    return name[0] == '(' || strncmp(name, "system /", 8) == 0 || strncmp(name, "Node / ", 7) == 0;
}

bool pm_is_plain_class(const char *name) {
    return is_internal(name) || is_builtin(name);
}

/* Noise beside the mass: few, and few bytes. */
static bool is_noise(const struct pm_census *census, size_t class_index, uint64_t members) {
    uint64_t count = census->class_count[class_index];
    if (members >= PM_GROUP_LEAST && count * 2 >= members) return false;
    return count * 50 < census->objects && census->class_bytes[class_index] * 20 < census->bytes;
}

/* The most frequent of a round: 0 the program's own classes, 1 all classes with a name, 2 the built-in ones.
 * Of round 0 those that are not few beside what `most` counted for a later round. */
static const char *best_class(const struct pm_heap_view *view, struct pm_arena *arena,
                              const struct pm_census *census, uint64_t members, unsigned round,
                              uint64_t *most_ret) {
    const char *best = NULL;
    uint64_t most = 0, most_bytes = 0;
    for (size_t i = 0; i < view->graph->class_count; i++) {
        const char *name = view->graph->classes[i];
        uint64_t count = census->class_count[i];
        /* of those that are there as often as each other the one that is itself the largest */
        bool more =
            count > most + most / 4 || (count * 5 >= most * 4 && best && census->class_bytes[i] > most_bytes);
        if (!count || !more || is_internal(name) || (round < 2 && is_builtin(name))) continue;
        if (round < 2 && is_noise(census, i, members)) continue;
        if (round == 0) {
            const struct pm_graph_source *source = view->graph->source;
            pm_node maker = source->constructor
                                ? source->constructor(view->graph->source_self, census->class_one[i])
                                : PM_NO_NODE;
            if (maker == PM_NO_NODE ||
                pm_place_of(pm_view_position(view, arena, maker, NULL).file) != PM_PLACE_USER)
                continue;
        }
        most = count;
        most_bytes = census->class_bytes[i];
        best = name;
    }
    *most_ret = most;
    return best;
}

const char *pm_census_main_class(const struct pm_heap_view *view, struct pm_arena *arena,
                                 const struct pm_census *census, uint64_t members, uint64_t *count_ret) {
    uint64_t own = 0;
    const char *of_program = best_class(view, arena, census, members, 0, &own);
    const char *named = best_class(view, arena, census, members, 1, count_ret);
    if (of_program && own * PM_OWN_CLASS_PART >= *count_ret) return *count_ret = own, of_program;
    return named ? named : best_class(view, arena, census, members, 2, count_ret);
}
