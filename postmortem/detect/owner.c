#include "postmortem/detect/owner.h"

#include <stdlib.h>
#include <string.h>

#define MAX_HOPS 12
#define MAX_REFERRERS                                                                                        \
    200 /* of one object that are looked at; a shared object with more has no single owner anyway */
#define MAX_VARIABLES 8 /* variables that lead to one object, whose declarations are compared */

bool pm_is_user_file(const char *file) {
    return file && strncmp(file, "node:", 5) != 0 && strncmp(file, "internal/", 9) != 0;
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

/* One way into a node, judged by how much it says. */
struct way {
    pm_node from;
    enum pm_edge_kind kind;
    const char *name;            /* NULL = none worth showing */
    struct pm_position position; /* where the name is declared, once located */
    bool located;
    bool transient; /* from the root by a stack or handle scope */
    int score;
};

/* ---- where a name is declared ---- */

static pm_node first_closure(const struct pm_heap_view *view, pm_node of, pm_node *inner_context) {
    struct pm_path_step *steps = NULL;
    size_t count;
    pm_node found = PM_NO_NODE;
    struct pm_error *err = pm_graph_referrers(view->graph, of, &steps, &count);
    for (size_t i = 0; !err && i < count && i < MAX_REFERRERS && found == PM_NO_NODE; i++) {
        enum pm_node_kind kind = (enum pm_node_kind)view->graph->kinds[steps[i].node];
        if (kind == PM_NODE_CLOSURE)
            found = steps[i].node;
        else if (kind == PM_NODE_CONTEXT && steps[i].node != of && *inner_context == PM_NO_NODE)
            *inner_context = steps[i].node;
    }
    pm_error_destroy(err);
    free(steps);
    return found;
}

/* A closure that sees a context, through inner scopes if need be; PM_NO_NODE. */
static pm_node closure_of(const struct pm_heap_view *view, pm_node context) {
    for (unsigned depth = 0; depth < 4 && context != PM_NO_NODE; depth++) {
        pm_node inner = PM_NO_NODE, closure = first_closure(view, context, &inner);
        if (closure != PM_NO_NODE) return closure;
        context = inner;
    }
    return PM_NO_NODE;
}

/* Fills way->position; true = the declaration only imports the name. */
static bool locate(const struct pm_heap_view *view, struct pm_arena *arena, struct way *way) {
    const struct pm_graph_source *source = view->graph->source;
    void *self = view->graph->source_self;
    bool is_property = way->kind != PM_EDGE_CONTEXT, found = false;
    struct pm_graph_position position = {0};
    char *function = NULL;
    pm_node closure = is_property ? way->from : closure_of(view, way->from);
    way->located = true;
    if (is_property && view->graph->kinds[way->from] != PM_NODE_CLOSURE)
        closure = source->constructor ? source->constructor(self, way->from) : PM_NO_NODE;
    if (closure == PM_NO_NODE) return false;
    if (source->declaration && way->name)
        found = source->declaration(self, closure, way->name, is_property, &position);
    if (!found && source->position) found = source->position(self, closure, &function, &position);
    free(function);
    if (!found) return false;
    way->position =
        (struct pm_position){pm_arena_strdup(arena, position.file), position.line, position.column};
    free(position.file);
    return position.imported;
}

/* ---- ways into a node ---- */

static bool is_noise(const char *name) {
    static const char *const noise[] = {"prototype", "constructor", "__proto__", "map",   "exports",
                                        "children",  "module",      "parent",    "paths", "this"};
    for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++)
        if (strcmp(name, noise[i]) == 0) return true;
    return false;
}

static struct way judge(const struct pm_heap_view *view, struct pm_arena *arena,
                        const struct pm_path_step *step) {
    const struct pm_graph *graph = view->graph;
    struct way way = {.from = step->node, .score = 1};
    struct pm_edge_name edge = {0};
    if (step->node == 0) {
        way.transient = step->edge < graph->transient_roots;
        way.score = way.transient ? 1 : 2;
        return way;
    }
    graph->source->edge_name(graph->source_self, step->node, step->edge, &edge);
    way.kind = edge.kind;
    way.name = pm_arena_strdup(arena, pm_strbuf_text(&edge.text));
    pm_strbuf_deinit(&edge.text);
    enum pm_node_kind kind = (enum pm_node_kind)graph->kinds[step->node];
    bool noise = way.name && is_noise(way.name);
    switch (way.kind) {
    case PM_EDGE_CONTEXT: way.score = noise ? 35 : 90; break;
    case PM_EDGE_PROPERTY: way.score = noise ? 30 : kind == PM_NODE_GLOBAL ? 85 : 80; break;
    case PM_EDGE_ELEMENT: way.score = 60; break;
    default:
        /* A store stands between a collection or object and its contents. */
        way.score = kind == PM_NODE_STORE                                ? 50
                    : kind == PM_NODE_CONTEXT || kind == PM_NODE_CLOSURE ? 20
                    : kind == PM_NODE_CODE                               ? 5
                                                                         : 40;
        way.name = NULL;
    }
    return way;
}

/* The way into `node` that says most; score 0 = there is none but from what `container` keeps itself. */
static struct pm_error *best_way(const struct pm_heap_view *view, struct pm_arena *arena, pm_node node,
                                 pm_node container, struct way *ret) {
    struct pm_path_step *steps = NULL;
    size_t count, looked = 0, variables = 0;
    *ret = (struct way){0};
    PM_TRY(pm_graph_referrers(view->graph, node, &steps, &count));
    for (size_t i = 0; i < count && looked < MAX_REFERRERS; i++) {
        if (steps[i].node == node || view->dominators->dominator[steps[i].node] == PM_NO_NODE) continue;
        if (steps[i].node != 0 && pm_view_dominated_by(view, steps[i].node, container)) continue;
        if (steps[i].node == 0 && steps[i].edge < view->graph->transient_roots && ret->score) continue;
        looked++;
        struct way way = judge(view, arena, &steps[i]);
        /* Several modules see the same object as a variable: the one that makes it says more than those that
         * import it. */
        if (way.score == 90 && variables++ < MAX_VARIABLES) {
            if (locate(view, arena, &way)) way.score -= 2;
            if (!pm_is_user_file(way.position.file)) way.score -= way.position.file ? 15 : 5;
        }
        if (way.score > ret->score) *ret = way;
    }
    free(steps);
    return NULL;
}

/* ---- the owner ---- */

struct climb {
    struct pm_owner *owner;
    bool owner_is_users;
};

/* Names inside Node and listener tables are the way, not the owner: the first name of the user's is. */
static void take_name(struct climb *climb, const struct way *way, const char *class_name) {
    struct pm_owner *owner = climb->owner;
    bool is_variable = way->kind == PM_EDGE_CONTEXT;
    bool is_users =
        pm_is_user_file(way->position.file) && (is_variable || !owner->is_listener) && !is_noise(way->name);
    if (!owner->name || (is_users && !climb->owner_is_users)) {
        owner->name = way->name;
        owner->is_variable = is_variable;
        owner->of_class = is_variable ? NULL : class_name;
        owner->position = way->position;
        climb->owner_is_users = is_users;
    } else if (!owner->holder_name && is_variable && !owner->is_variable && !is_noise(way->name)) {
        owner->holder_name = way->name;
        owner->holder = way->position;
    }
}

static void take_signs(struct pm_owner *owner, const char *name, const char *class_name) {
    if (strcmp(name, "_events") == 0 || strcmp(name, "kEvents") == 0) owner->is_listener = true;
    if (strcmp(class_name, "TimersList") == 0 || strcmp(class_name, "Timeout") == 0) owner->is_timer = true;
    if (strcmp(name, "kBufferedValue") == 0 || strcmp(name, "bufferedRequest") == 0)
        owner->is_stream_buffer = true;
}

struct pm_error *pm_find_owner(const struct pm_heap_view *view, struct pm_arena *arena, pm_node node,
                               struct pm_owner *ret) {
    const struct pm_graph *graph = view->graph;
    struct climb climb = {.owner = ret};
    const char *path = pm_arena_strdup(arena, pm_view_class(view, node));
    pm_node at = node;
    *ret = (struct pm_owner){0};
    for (unsigned hop = 0; hop < MAX_HOPS; hop++) {
        struct way way;
        PM_TRY(best_way(view, arena, at, node, &way));
        if (way.score == 0 || way.from == 0) {
            ret->transient = way.score == 0 || way.transient;
            break;
        }
        const char *class_name = pm_view_class(view, way.from);
        if (way.name && way.score >= 30) {
            if (!way.located) locate(view, arena, &way);
            take_signs(ret, way.name, class_name);
            take_name(&climb, &way, class_name);
            path = way.kind == PM_EDGE_CONTEXT
                       ? pm_arena_printf(arena, "%s -> %s", way.name, path)
                       : pm_arena_printf(arena, "%s.%s -> %s", class_name, way.name, path);
        } else if (way.kind == PM_EDGE_ELEMENT) {
            path = pm_arena_printf(arena, "[element] -> %s", path);
        }
        if (!path) return pm_error_nomem();
        bool known = climb.owner_is_users && (ret->is_variable || ret->holder_name);
        if (known || graph->kinds[way.from] == PM_NODE_GLOBAL ||
            graph->kinds[way.from] == PM_NODE_NATIVE_CONTEXT)
            break;
        at = way.from;
    }
    ret->path = path;
    return NULL;
}
