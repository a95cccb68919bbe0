/* Whose heap it is: that of a worker thread says so itself. Node.js keeps in every isolate the module
 * worker_threads, in a worker with its number, its name (from Node 22 on), its parent's port and its limits,
 * and process.argv, whose second text is the worker's script. */
#include "postmortem/heap_worker.h"

#include <string.h>

#include "postmortem/base/strbuf.h"

#define MOST_TEXT 1000

static const char *text_at(const struct pm_graph *graph, struct pm_arena *arena, pm_node node) {
    PM_AUTO_STRBUF struct pm_strbuf text = {0};
    if (node == PM_NO_NODE || !graph->source->text(graph->source_self, node, MOST_TEXT, &text)) return NULL;
    return text.length ? pm_arena_strdup(arena, pm_strbuf_text(&text)) : NULL;
}

static pm_node property(const struct pm_graph *graph, pm_node node, const char *name) {
    if (node == PM_NO_NODE || !graph->source->property) return PM_NO_NODE;
    return graph->source->property(graph->source_self, node, name);
}

static uint32_t class_named(const struct pm_graph *graph, const char *name) {
    uint32_t i = 0;
    while (i < graph->class_count && strcmp(graph->classes[i], name) != 0) i++;
    return i;
}

/* The exports of one of Node's own modules; PM_NO_NODE. */
static pm_node exports_of(const struct pm_graph *graph, struct pm_arena *arena, const char *id) {
    uint32_t module = class_named(graph, "BuiltinModule"), old = class_named(graph, "NativeModule");
    for (pm_node node = 1; node < graph->node_count; node++) {
        if (graph->class_of[node] != module && graph->class_of[node] != old) continue;
        const char *its = text_at(graph, arena, property(graph, node, "id"));
        if (its && strcmp(its, id) == 0) return property(graph, node, "exports");
    }
    return PM_NO_NODE;
}

/* The second text of process.argv. */
static const char *script_of(const struct pm_graph *graph, struct pm_arena *arena) {
    uint32_t process = class_named(graph, "process");
    for (pm_node node = 1; node < graph->node_count; node++) {
        if (graph->class_of[node] != process) continue;
        pm_node argv = property(graph, node, "argv");
        if (argv == PM_NO_NODE || graph->kinds[argv] != PM_NODE_ARRAY) continue;
        for (uint64_t edge = graph->first_edge[argv]; edge < graph->first_edge[argv + 1]; edge++) {
            pm_node to = graph->edges[edge];
            struct pm_edge_name name = {0};
            const char *text = NULL;
            /* in cores the elements are a store of their own */
            for (uint64_t k = graph->first_edge[to];
                 graph->kinds[to] == PM_NODE_STORE && k < graph->first_edge[to + 1] && !text; k++) {
                if (graph->source->store_edge_name &&
                    graph->source->store_edge_name(graph->source_self, argv, to, k, &name) &&
                    name.kind == PM_EDGE_ELEMENT && name.index == 1)
                    text = text_at(graph, arena, graph->edges[k]);
                pm_strbuf_deinit(&name.text);
            }
            if (graph->kinds[to] != PM_NODE_STORE) {
                graph->source->edge_name(graph->source_self, argv, edge, &name);
                if (name.kind == PM_EDGE_ELEMENT && name.index == 1) text = text_at(graph, arena, to);
                pm_strbuf_deinit(&name.text);
            }
            if (text) return text;
        }
    }
    return NULL;
}

struct pm_error *pm_heap_worker(const struct pm_graph *graph, struct pm_arena *arena,
                                struct pm_isolate *isolate) {
    double number = 0, limit = 0;
    pm_node threads = exports_of(graph, arena, "worker_threads");
    if (threads == PM_NO_NODE || isolate->worker) return NULL;
    pm_node port = property(graph, threads, "parentPort"),
            limits = property(graph, threads, "resourceLimits");
    bool numbered = graph->source->number &&
                    graph->source->number(graph->source_self, threads, "threadId", &number) && number >= 1;
    bool ported = port != PM_NO_NODE && strcmp(graph->classes[graph->class_of[port]], "MessagePort") == 0;
    if (!numbered && !ported) return NULL;
    struct pm_worker *worker = pm_arena_alloc(arena, sizeof(*worker));
    if (!worker) return pm_error_nomem();
    *worker = (struct pm_worker){
        .number = numbered && number < 1e9 ? (uint64_t)number : PM_UNKNOWN,
        .name = text_at(graph, arena, property(graph, threads, "threadName")),
        .script = script_of(graph, arena),
        .old_generation_mb = PM_UNKNOWN,
    };
    if (limits != PM_NO_NODE && graph->source->number &&
        graph->source->number(graph->source_self, limits, "maxOldGenerationSizeMb", &limit) && limit > 0 &&
        limit < 1e9)
        worker->old_generation_mb = (uint64_t)limit;
    isolate->worker = worker;
    isolate->is_main = false;
    return NULL;
}
