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
    census->class_count[graph->class_of[node]]++;
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
    bool memory = ret->class_count && ret->class_bytes;
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
    census->class_count = census->class_bytes = NULL;
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

const char *pm_census_main_class(const struct pm_heap_view *view, const struct pm_census *census,
                                 uint64_t *count_ret) {
    const char *best = NULL;
    uint64_t most = 0;
    for (unsigned round = 0; round < 2 && !best; round++) /* named classes first, then the plain ones */
        for (size_t i = 0; i < view->graph->class_count; i++) {
            const char *name = view->graph->classes[i];
            uint64_t count = census->class_count[i];
            if (count <= most || is_internal(name) || (round == 0 && is_builtin(name))) continue;
            /* noise beside the mass */
            if (round == 0 && count * 50 < census->objects && census->class_bytes[i] * 20 < census->bytes)
                continue;
            most = count;
            best = name;
        }
    *count_ret = most;
    return best;
}
