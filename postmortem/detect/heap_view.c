#include "postmortem/detect/heap_view.h"

#include <stdlib.h>
#include <string.h>

#include "postmortem/detect/thresholds.h"

enum pm_place pm_place_of(const char *file) {
    if (!file || !*file) return PM_PLACE_UNKNOWN;
    if (strncmp(file, "node:", 5) == 0 || strncmp(file, "internal/", 9) == 0) return PM_PLACE_NODE;
    return strstr(file, "/node_modules/") ? PM_PLACE_PACKAGE : PM_PLACE_USER;
}

const char *pm_view_describe(const struct pm_heap_view *view, struct pm_arena *arena, pm_node node,
                             size_t most) {
    PM_AUTO_STRBUF struct pm_strbuf text = {0};
    view->graph->source->describe(view->graph->source_self, node, most, &text);
    const char *kept = pm_arena_strdup(arena, pm_strbuf_text(&text));
    return kept ? kept : "?";
}

bool pm_view_dominated_by(const struct pm_heap_view *view, pm_node node, pm_node by) {
    for (unsigned steps = 0; steps < 1000; steps++) {
        if (node == by) return true;
        if (node == 0 || node == PM_NO_NODE) return false;
        node = view->dominators->dominator[node];
    }
    return false;
}

const char *pm_view_edge(const struct pm_heap_view *view, struct pm_arena *arena, pm_node from, uint64_t edge,
                         enum pm_edge_kind *kind_ret) {
    struct pm_edge_name name = {0};
    view->graph->source->edge_name(view->graph->source_self, from, edge, &name);
    *kind_ret = name.kind;
    const char *text = name.text.length ? pm_arena_strdup(arena, pm_strbuf_text(&name.text)) : NULL;
    pm_strbuf_deinit(&name.text);
    return text;
}

const char *pm_view_text_of(const struct pm_heap_view *view, struct pm_arena *arena, pm_node node,
                            const char *property) {
    const struct pm_graph_source *source = view->graph->source;
    PM_AUTO_STRBUF struct pm_strbuf text = {0};
    pm_node value =
        source->property ? source->property(view->graph->source_self, node, property) : PM_NO_NODE;
    if (value == PM_NO_NODE || !source->text(view->graph->source_self, value, 1000, &text)) return NULL;
    return text.length ? pm_arena_strdup(arena, pm_strbuf_text(&text)) : NULL;
}

uint64_t pm_view_edge_to(const struct pm_heap_view *view, pm_node from, pm_node to) {
    const struct pm_graph *graph = view->graph;
    for (uint64_t edge = graph->first_edge[from]; edge < graph->first_edge[from + 1]; edge++)
        if (graph->edges[edge] == to) return edge;
    return UINT64_MAX;
}

bool pm_view_is_container(const struct pm_heap_view *view, pm_node node) {
    switch (pm_view_kind(view, node)) {
    case PM_NODE_MAP:
    case PM_NODE_SET:
    case PM_NODE_ARRAY:
    case PM_NODE_OBJECT:
    case PM_NODE_WEAK_MAP:
    case PM_NODE_WEAK_SET:
    case PM_NODE_ERROR:
    case PM_NODE_GLOBAL: return true;
    default: return false;
    }
}

pm_node pm_view_owner_of_store(const struct pm_heap_view *view, pm_node store) {
    pm_node at = store;
    for (unsigned up = 0; up < 3 && pm_view_kind(view, at) == PM_NODE_STORE; up++) {
        struct pm_path_step *steps = NULL;
        size_t count = 0;
        pm_node owner = PM_NO_NODE, outer = PM_NO_NODE;
        struct pm_error *err = pm_graph_referrers(view->graph, at, &steps, &count);
        for (size_t i = 0; !err && i < count && i < PM_REFERRER_LIMIT && owner == PM_NO_NODE; i++) {
            pm_node from = steps[i].node;
            if (!pm_view_reachable(view, from)) continue;
            if (pm_view_is_container(view, from)) owner = from;
            if (pm_view_kind(view, from) == PM_NODE_STORE && from != at && outer == PM_NO_NODE) outer = from;
        }
        pm_error_destroy(err);
        free(steps);
        if (owner != PM_NO_NODE) return owner;
        if (outer == PM_NO_NODE) return store;
        at = outer;
    }
    return store;
}

struct pm_position pm_view_position(const struct pm_heap_view *view, struct pm_arena *arena, pm_node node,
                                    const char **function_ret) {
    const struct pm_graph_source *source = view->graph->source;
    struct pm_graph_position position = {0};
    struct pm_position found = {0};
    char *function = NULL;
    bool suspended = pm_view_kind(view, node) == PM_NODE_GENERATOR && source->suspended;
    bool known = suspended ? source->suspended(view->graph->source_self, node, &function, &position)
                           : source->position &&
                                 source->position(view->graph->source_self, node, &function, &position);
    if (known)
        found = (struct pm_position){pm_arena_strdup(arena, position.file), position.line, position.column};
    if (function_ret) *function_ret = known && function ? pm_arena_strdup(arena, function) : NULL;
    free(position.file);
    free(function);
    return found;
}
