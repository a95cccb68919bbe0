#include "postmortem/detect/owner.h"

#include <stdlib.h>
#include <string.h>

#define MAX_HOPS      10
#define MAX_REFERRERS 200 /* of one object that are looked at; a shared object with more has no single owner anyway */

const char *pm_view_describe(const struct pm_heap_view *view, struct pm_arena *arena, pm_node node, size_t most) {
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

/* One way into a node, judged by how much it says. */
struct way {
    pm_node from;
    enum pm_edge_kind kind;
    const char *name; /* NULL = none worth showing */
    int score;
};

static bool is_noise(const char *name) {
    static const char *const noise[] = {"prototype", "constructor", "__proto__", "map", "exports", "children", "module", "parent", "paths"};
    for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++)
        if (strcmp(name, noise[i]) == 0) return true;
    return false;
}

static struct way judge(const struct pm_heap_view *view, struct pm_arena *arena, const struct pm_path_step *step) {
    const struct pm_graph *graph = view->graph;
    struct way way = {.from = step->node, .score = 1};
    struct pm_edge_name edge = {0};
    if (step->node == 0) {
        way.score = 2;
        return way;
    }
    graph->source->edge_name(graph->source_self, step->node, step->edge, &edge);
    way.kind = edge.kind;
    way.name = pm_arena_strdup(arena, pm_strbuf_text(&edge.text));
    pm_strbuf_deinit(&edge.text);
    enum pm_node_kind kind = (enum pm_node_kind)graph->kinds[step->node];
    switch (way.kind) {
    case PM_EDGE_CONTEXT: way.score = 90; break;
    case PM_EDGE_PROPERTY: way.score = way.name && is_noise(way.name) ? 30 : kind == PM_NODE_GLOBAL ? 85 : 80; break;
    case PM_EDGE_ELEMENT: way.score = 60; break;
    default:
        /* A store stands between a collection or object and its contents. */
        way.score = kind == PM_NODE_STORE ? 50 : kind == PM_NODE_CONTEXT || kind == PM_NODE_CLOSURE ? 20 : kind == PM_NODE_CODE ? 5 : 40;
        way.name = NULL;
    }
    return way;
}

/* The way into `node` that says most; score 0 = there is none but from what it keeps itself. */
static struct pm_error *best_way(const struct pm_heap_view *view, struct pm_arena *arena, pm_node node, pm_node container,
                                 struct way *ret) {
    struct pm_path_step *steps = NULL;
    size_t count;
    *ret = (struct way){0};
    PM_TRY(pm_graph_referrers(view->graph, node, &steps, &count));
    size_t looked = 0;
    for (size_t i = 0; i < count && looked < MAX_REFERRERS; i++) {
        if (steps[i].node == node || view->dominators->dominator[steps[i].node] == PM_NO_NODE) continue;
        if (steps[i].node != 0 && pm_view_dominated_by(view, steps[i].node, container)) continue;
        if (steps[i].node == 0 && steps[i].edge < view->graph->transient_roots && ret->score) continue;
        looked++;
        struct way way = judge(view, arena, &steps[i]);
        if (way.score > ret->score) *ret = way;
    }
    free(steps);
    return NULL;
}

/* A closure of the user's that sees a context; PM_NO_NODE. */
static pm_node closure_of(const struct pm_heap_view *view, pm_node context) {
    struct pm_path_step *steps = NULL;
    size_t count;
    pm_node found = PM_NO_NODE;
    struct pm_error *err = pm_graph_referrers(view->graph, context, &steps, &count);
    if (err) {
        pm_error_destroy(err);
        return PM_NO_NODE;
    }
    for (size_t i = 0; i < count && i < MAX_REFERRERS; i++) {
        if (view->graph->kinds[steps[i].node] == PM_NODE_CLOSURE) {
            found = steps[i].node;
            break;
        }
    }
    for (size_t i = 0; found == PM_NO_NODE && i < count && i < 20; i++) /* a block's scope: closures see it through inner scopes */
        if (view->graph->kinds[steps[i].node] == PM_NODE_CONTEXT && steps[i].node != context) {
            struct pm_path_step *inner = NULL;
            size_t inner_count;
            if (pm_graph_referrers(view->graph, steps[i].node, &inner, &inner_count)) break;
            for (size_t k = 0; k < inner_count && k < MAX_REFERRERS; k++)
                if (view->graph->kinds[inner[k].node] == PM_NODE_CLOSURE) found = inner[k].node;
            free(inner);
        }
    free(steps);
    return found;
}

static void take_position(struct pm_arena *arena, struct pm_graph_position *from, struct pm_position *ret) {
    *ret = (struct pm_position){pm_arena_strdup(arena, from->file), from->line, from->column};
    free(from->file);
}

static void locate(const struct pm_heap_view *view, struct pm_arena *arena, const struct way *way, struct pm_position *ret) {
    const struct pm_graph_source *source = view->graph->source;
    bool is_property = way->kind != PM_EDGE_CONTEXT;
    pm_node closure = is_property ? way->from : closure_of(view, way->from);
    struct pm_graph_position position = {0};
    char *function = NULL;
    if (is_property && view->graph->kinds[way->from] != PM_NODE_CLOSURE)
        closure = source->constructor ? source->constructor(view->graph->source_self, way->from) : PM_NO_NODE;
    if (closure == PM_NO_NODE) return;
    if (source->declaration && way->name && source->declaration(view->graph->source_self, closure, way->name, is_property, &position)) {
        take_position(arena, &position, ret);
    } else if (source->position && source->position(view->graph->source_self, closure, &function, &position)) {
        take_position(arena, &position, ret);
        free(function);
    }
}

struct pm_error *pm_find_owner(const struct pm_heap_view *view, struct pm_arena *arena, pm_node node, struct pm_owner *ret) {
    const struct pm_graph *graph = view->graph;
    pm_node at = node;
    *ret = (struct pm_owner){0};
    const char *path = pm_view_class(view, node);
    for (unsigned hop = 0; hop < MAX_HOPS; hop++) {
        struct way way;
        PM_TRY(best_way(view, arena, at, node, &way));
        if (way.score == 0) break;
        if (way.from == 0) {
            ret->transient = hop == 0 && !ret->name;
            break;
        }
        const char *class_name = pm_view_class(view, way.from);
        if (way.name && way.score >= 30) {
            if (strcmp(way.name, "_events") == 0 || strcmp(way.name, "kEvents") == 0) ret->is_listener = true;
            if (strcmp(class_name, "TimersList") == 0 || strcmp(class_name, "Timeout") == 0) ret->is_timer = true;
            if (!ret->name || (ret->is_listener && !ret->holder_name && way.kind == PM_EDGE_CONTEXT)) {
                if (ret->name && ret->is_listener) ret->of_class = pm_view_class(view, at);
                else if (way.kind != PM_EDGE_CONTEXT) ret->of_class = class_name;
                ret->name = way.name;
                ret->is_variable = way.kind == PM_EDGE_CONTEXT;
                locate(view, arena, &way, &ret->position);
            } else if (!ret->holder_name && way.kind == PM_EDGE_CONTEXT) {
                ret->holder_name = way.name;
                locate(view, arena, &way, &ret->holder);
            }
            path = way.kind == PM_EDGE_CONTEXT
                       ? pm_arena_printf(arena, "%s -> %s", way.name, path)
                       : pm_arena_printf(arena, "%s.%s -> %s", class_name, way.name, path);
        } else if (way.kind == PM_EDGE_ELEMENT) {
            path = pm_arena_printf(arena, "[element] -> %s", path);
        }
        if (!path) return pm_error_nomem();
        if (way.kind == PM_EDGE_CONTEXT || graph->kinds[way.from] == PM_NODE_GLOBAL || graph->kinds[way.from] == PM_NODE_NATIVE_CONTEXT)
            break;
        at = way.from;
    }
    ret->path = path;
    return NULL;
}
