#include "postmortem/detect/owner.h"

#include <stdlib.h>
#include <string.h>

#include "postmortem/base/vec.h"
#include "postmortem/detect/census.h"
#include "postmortem/detect/detect_words.h"
#include "postmortem/detect/thresholds.h"

/* What a step costs: the less a link says to the user, the more. */
enum {
    COST_STORE = 1,
    COST_PROPERTY = 2,
    COST_ELEMENT = 4,
    COST_LINK = 6, /* promises, generators, V8's own fields of objects */
    COST_SCOPE = 9,
    COST_NOISE = 12,
    COST_CODE = 60,
    COST_IMPORTED = 16,
    COST_MODULE = 12,
    COST_PACKAGE = 44,
    COST_NODE = 50,
    COST_ROOT = 70,
    COST_ONE_OF_MANY =
        14, /* scopes and objects alike by the dozen: calls and requests, not what outlives them */
    COST_TRANSIENT = 75,
    MOST_COST = 200,
};

struct visit {
    pm_node node, from; /* the visit before it: index in visits, nearer to the object */
    uint64_t edge;      /* node -> the node of `from` */
    unsigned cost;
    bool done;
};

struct search {
    const struct pm_heap_view *view;
    struct pm_arena *arena;
    pm_node object;
    PM_VEC(struct visit) visits;
    PM_VEC(uint32_t) ready[MOST_COST + 1]; /* visits by cost */
    uint32_t *slots;                       /* hash of nodes -> visit + 1 */
    unsigned variables;
    bool failed;
    /* the best end so far */
    uint32_t best;
    unsigned best_cost;
    enum pm_owner_end best_end;
    struct pm_link best_link;
};

#define SLOTS 16384 /* a power of two, larger than the visits that can be made */

static uint32_t *slot_of(struct search *search, pm_node node) {
    uint32_t at = (uint32_t)(node * 0x9e3779b1u) & (SLOTS - 1);
    while (search->slots[at] && search->visits.items[search->slots[at] - 1].node != node)
        at = (at + 1) & (SLOTS - 1);
    return &search->slots[at];
}

static void reach(struct search *search, pm_node node, uint32_t from, uint64_t edge, unsigned cost) {
    if (cost >= MOST_COST || cost >= search->best_cost) return;
    uint32_t *slot = slot_of(search, node);
    if (!*slot) {
        struct visit visit = {.node = node, .from = from, .edge = edge, .cost = cost};
        if (search->visits.count >= SLOTS / 2 || !pm_vec_push(&search->visits, visit)) return;
        *slot = (uint32_t)search->visits.count;
    } else {
        struct visit *known = &search->visits.items[*slot - 1];
        if (known->done || known->cost <= cost) return;
        known->from = from;
        known->edge = edge;
        known->cost = cost;
    }
    if (!pm_vec_push(&search->ready[cost], *slot - 1)) search->failed = true;
}

/* ---- scopes and names ---- */

static pm_node first_closure(const struct pm_heap_view *view, pm_node of, pm_node *inner) {
    struct pm_path_step *steps = NULL;
    size_t count = 0;
    pm_node found = PM_NO_NODE;
    struct pm_error *err = pm_graph_referrers(view->graph, of, &steps, &count);
    for (size_t i = 0; !err && i < count && i < PM_REFERRER_LIMIT && found == PM_NO_NODE; i++) {
        enum pm_node_kind kind = pm_view_kind(view, steps[i].node);
        if (kind == PM_NODE_CLOSURE)
            found = steps[i].node;
        else if (kind == PM_NODE_CONTEXT && steps[i].node != of && *inner == PM_NO_NODE)
            *inner = steps[i].node;
    }
    pm_error_destroy(err);
    free(steps);
    return found;
}

pm_node pm_closure_of_context(const struct pm_heap_view *view, pm_node context) {
    for (unsigned depth = 0; depth < 6 && context != PM_NO_NODE; depth++) {
        pm_node inner = PM_NO_NODE, closure = first_closure(view, context, &inner);
        if (closure != PM_NO_NODE) return closure;
        context = inner;
    }
    return PM_NO_NODE;
}

bool pm_is_bound(const struct pm_heap_view *view, pm_node closure) {
    const struct pm_graph *graph = view->graph;
    for (uint64_t edge = graph->first_edge[closure]; edge < graph->first_edge[closure + 1]; edge++)
        if (graph->kinds[graph->edges[edge]] == PM_NODE_CODE) return false;
    return true;
}

pm_node pm_closure_of_file(const struct pm_heap_view *view, struct pm_arena *arena, const char *file) {
    const struct pm_graph *graph = view->graph;
    unsigned asked = 0;
    for (pm_node node = 1; node < graph->node_count && asked < PM_CLOSURE_LIMIT; node++) {
        if (graph->kinds[node] != PM_NODE_CLOSURE || !pm_view_reachable(view, node)) continue;
        if (pm_is_bound(view, node)) continue;
        asked++;
        struct pm_position position = pm_view_position(view, arena, node, NULL);
        if (position.file && strcmp(position.file, file) == 0) return node;
    }
    return PM_NO_NODE;
}

static bool is_noise(const char *name) {
    static const char *const noise[] = {"require", "prototype", "constructor", "__proto__", "map",
                                        "exports", "children",  "module",      "parent",    "paths",
                                        "this",    "default",   "context",     "loaded"};
    for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++)
        if (strcmp(name, noise[i]) == 0) return true;
    return false;
}

static bool is_symbol_name(const char *name) {
    return name[0] == '<' || (name[0] == 'k' && name[1] >= 'A' && name[1] <= 'Z');
}

/* Where a name is declared, as far as that can be told: in the text around a closure, else the function's or
 * class's own position. */
static void locate(const struct pm_heap_view *view, struct pm_arena *arena, struct pm_link *link,
                   pm_node closure, bool is_property) {
    const struct pm_graph_source *source = view->graph->source;
    struct pm_graph_position position = {0};
    if (closure == PM_NO_NODE) return;
    if (link->name && source->declaration &&
        source->declaration(view->graph->source_self, closure, link->name, is_property, &position)) {
        link->position =
            (struct pm_position){pm_arena_strdup(arena, position.file), position.line, position.column};
        link->imported = position.imported;
        link->in_function = position.in_function;
        link->exact = true;
        free(position.file);
    } else {
        link->position = pm_view_position(view, arena, closure, NULL);
    }
    link->place = pm_place_of(link->position.file);
}

/* The class that a class extends; PM_NO_NODE. Cores have the prototype in the shape, snapshots in the object.
 */
static pm_node base_of(const struct pm_heap_view *view, struct pm_arena *arena, pm_node closure) {
    const struct pm_graph *graph = view->graph;
    uint64_t first = graph->first_edge[closure];
    bool shaped =
        first < graph->first_edge[closure + 1] && graph->kinds[graph->edges[first]] == PM_NODE_SHAPE;
    pm_node from = shaped ? graph->edges[first] : closure;
    for (uint64_t edge = graph->first_edge[from]; edge < graph->first_edge[from + 1]; edge++) {
        enum pm_edge_kind kind;
        if (graph->kinds[graph->edges[edge]] != PM_NODE_CLOSURE) continue;
        const char *name = pm_view_edge(view, arena, from, edge, &kind);
        if (name && strcmp(name, shaped && !graph->from_snapshot ? "prototype" : "__proto__") == 0)
            return graph->edges[edge];
    }
    return PM_NO_NODE;
}

#define MOST_BASES 4

/* A property of instances: in the text of their class, or of one that it extends. */
static void locate_member(const struct pm_heap_view *view, struct pm_arena *arena, struct pm_link *link,
                          pm_node class) {
    locate(view, arena, link, class, true);
    struct pm_link first = *link;
    for (unsigned i = 0; i < MOST_BASES && !link->exact && class != PM_NO_NODE; i++) {
        class = base_of(view, arena, class);
        locate(view, arena, link, class, true);
    }
    if (!link->exact) *link = first;
}

static pm_node constructor_of(const struct pm_heap_view *view, pm_node node) {
    if (pm_view_kind(view, node) == PM_NODE_CLOSURE) return node;
    const struct pm_graph_source *source = view->graph->source;
    return source->constructor ? source->constructor(view->graph->source_self, node) : PM_NO_NODE;
}

/* ---- one step ---- */

static void take_end(struct search *search, uint32_t visit, unsigned cost, enum pm_owner_end end,
                     const struct pm_link *link) {
    if (cost >= search->best_cost) return;
    search->best = visit;
    search->best_cost = cost;
    search->best_end = end;
    search->best_link = *link;
}

/* A variable: of the user's code it ends the way. */
static void try_variable(struct search *search, uint32_t at, struct pm_link *link, unsigned cost) {
    pm_node closure = pm_closure_of_context(search->view, link->from);
    link->position =
        pm_view_position(search->view, search->arena, closure != PM_NO_NODE ? closure : link->from, NULL);
    link->place = pm_place_of(link->position.file);
    if (link->place == PM_PLACE_USER && search->variables++ >= PM_VARIABLE_LIMIT) return;
    if (link->place == PM_PLACE_USER || cost + COST_PACKAGE < search->best_cost)
        locate(search->view, search->arena, link, closure, false);
    link->is_variable = true;
    unsigned more = link->imported ? COST_IMPORTED : 0;
    if (link->place == PM_PLACE_USER)
        take_end(search, at, cost + more, PM_END_VARIABLE, link);
    else if (link->place == PM_PLACE_PACKAGE)
        take_end(search, at, cost + more + COST_PACKAGE, PM_END_PACKAGE, link);
    else
        take_end(search, at, cost + more + COST_NODE, PM_END_ROOT, link);
}

/* module.exports, module.children: as good as a variable, when it is a module of the user's. */
static void try_module(struct search *search, uint32_t at, struct pm_link *link, unsigned cost) {
    const struct pm_graph *graph = search->view->graph;
    PM_AUTO_STRBUF struct pm_strbuf text = {0};
    pm_node file = graph->source->property
                       ? graph->source->property(graph->source_self, link->from, "filename")
                       : PM_NO_NODE;
    if (file == PM_NO_NODE || !graph->source->text(graph->source_self, file, 1000, &text)) return;
    link->position = (struct pm_position){pm_arena_strdup(search->arena, pm_strbuf_text(&text)), 0, 0};
    link->place = pm_place_of(link->position.file);
    unsigned more = link->place == PM_PLACE_USER ? COST_MODULE : COST_MODULE + COST_PACKAGE;
    if (strcmp(link->name, "exports") == 0) link->name = "module.exports";
    link->is_module = true;
    take_end(search, at, cost + more, link->place == PM_PLACE_USER ? PM_END_MODULE : PM_END_PACKAGE, link);
}

/* fetch, structuredClone ...: functions of Node's and V8's own are no variables of the program. */
static bool is_own_global(const struct search *search, pm_node value) {
    if (pm_view_kind(search->view, value) != PM_NODE_CLOSURE) return false;
    return !pm_is_user_file(pm_view_position(search->view, search->arena, value, NULL).file);
}

static void step_from_object(struct search *search, uint32_t at, const struct pm_path_step *step,
                             unsigned more) {
    unsigned cost = search->visits.items[at].cost + more;
    const struct pm_heap_view *view = search->view;
    struct pm_link link = {.from = step->node, .to = search->visits.items[at].node};
    enum pm_node_kind kind = pm_view_kind(view, step->node);
    link.name = pm_view_edge(view, search->arena, step->node, step->edge, &link.kind);
    link.class_name = pm_view_class(view, step->node);
    bool named = link.name && (link.kind == PM_EDGE_PROPERTY || link.kind == PM_EDGE_CONTEXT);
    bool noise = link.name && is_noise(link.name);
    if (named && !noise && (kind == PM_NODE_OTHER || kind == PM_NODE_CODE)) {
        /* the cell of a property of the global object */
        link.is_global = true;
        if (!is_own_global(search, link.to)) take_end(search, at, cost + COST_PROPERTY, PM_END_GLOBAL, &link);
    }
    if (link.kind == PM_EDGE_CONTEXT) {
        link.one_of_many = more > 0;
        if (kind == PM_NODE_CONTEXT && !noise) try_variable(search, at, &link, cost);
        reach(search, step->node, at, step->edge, cost + COST_SCOPE);
        return;
    }
    if (named && strcmp(link.class_name, "Module") == 0 && noise) try_module(search, at, &link, cost);
    unsigned price = link.kind == PM_EDGE_ELEMENT ? COST_ELEMENT
                     : named                      ? (noise ? COST_NOISE : COST_PROPERTY)
                                                  : COST_LINK;
    if (kind == PM_NODE_CLOSURE && !named) price = COST_SCOPE;
    reach(search, step->node, at, step->edge, cost + price);
}

static void step(struct search *search, uint32_t at, const struct pm_path_step *step, unsigned more) {
    const struct pm_heap_view *view = search->view;
    const struct pm_graph *graph = view->graph;
    unsigned cost = search->visits.items[at].cost + more;
    struct pm_link link = {.from = step->node, .to = search->visits.items[at].node, .kind = PM_EDGE_INTERNAL};
    if (step->node == 0) {
        bool transient = step->edge < graph->first_edge[0] + graph->transient_roots;
        take_end(search, at, cost + (transient ? COST_TRANSIENT : COST_ROOT),
                 transient ? PM_END_TRANSIENT : PM_END_ROOT, &link);
        return;
    }
    switch (pm_view_kind(view, step->node)) {
    case PM_NODE_STORE: reach(search, step->node, at, step->edge, cost + COST_STORE); return;
    case PM_NODE_GLOBAL: {
        link.name = pm_view_edge(view, search->arena, step->node, step->edge, &link.kind);
        link.is_global = true;
        if (link.name && link.kind == PM_EDGE_PROPERTY && !is_noise(link.name) &&
            !is_own_global(search, link.to))
            take_end(search, at, cost + COST_PROPERTY, PM_END_GLOBAL, &link);
        return;
    }
    case PM_NODE_CODE: {
        /* the cell of a property of the global object; a module's cells */
        bool is_cell = strstr(pm_view_class(view, step->node), "Cell") != NULL;
        if (is_cell)
            step_from_object(search, at, step, more);
        else
            reach(search, step->node, at, step->edge, cost + COST_CODE);
        return;
    }
    case PM_NODE_SHAPE:
    case PM_NODE_NATIVE_CONTEXT: reach(search, step->node, at, step->edge, cost + COST_CODE); return;
    default: step_from_object(search, at, step, more);
    }
}

#define KINDS 4096

/* The same for objects of a class and shape, and for scopes of a function. */
static unsigned kind_of_referrer(const struct pm_heap_view *view, pm_node from) {
    const struct pm_graph *graph = view->graph;
    uint32_t hash = graph->class_of[from] * 0x9e3779b1u;
    uint64_t first = graph->first_edge[from];
    /* in cores the first reference is that to the shape */
    if (first < graph->first_edge[from + 1] && graph->kinds[graph->edges[first]] == PM_NODE_SHAPE)
        hash = (hash ^ graph->edges[first]) * 0x85ebca6bu;
    /* in snapshots, which have no shapes, as many references */
    if (graph->from_snapshot) hash = (hash ^ (uint32_t)(graph->first_edge[from + 1] - first)) * 0x85ebca6bu;
    if (graph->kinds[from] == PM_NODE_CONTEXT)
        for (uint64_t edge = first; edge < first + 2 && edge < graph->first_edge[from + 1]; edge++)
            hash = (hash ^ graph->edges[edge]) * 0x85ebca6bu;
    return hash >> 20;
}

static bool expand(struct search *search, uint32_t at) {
    struct pm_path_step *steps = NULL;
    size_t count = 0;
    struct pm_error *err =
        pm_graph_referrers(search->view->graph, search->visits.items[at].node, &steps, &count);
    size_t looked = 0;
    uint8_t alike[KINDS] = {0};
    uint16_t many[KINDS] = {0};
    for (size_t i = 0; !err && i < count && i < PM_REFERRER_LIMIT * 4; i++) {
        if (steps[i].node != 0 && pm_view_reachable(search->view, steps[i].node))
            many[kind_of_referrer(search->view, steps[i].node)]++;
    }
    for (size_t i = 0; !err && i < count && looked < PM_REFERRER_LIMIT; i++) {
        pm_node from = steps[i].node;
        if (from != 0 && (from == search->object || !pm_view_reachable(search->view, from))) continue;
        /* Thousands of referrers alike say no more than a few: the one that tells the owner stands between
         * them. */
        unsigned kind = kind_of_referrer(search->view, from);
        uint8_t *seen = &alike[kind];
        if (*seen >= PM_ALIKE_LIMIT) continue;
        /* what an object itself keeps is no way to it */
        pm_node here = search->visits.items[at].node;
        if (from != 0 && (pm_view_dominated_by(search->view, from, here) ||
                          pm_view_dominated_by(search->view, from, search->object)))
            continue;
        ++*seen;
        looked++;
        /* a snapshot has no shapes: all plain objects look alike */
        bool alike_known =
            !search->view->graph->from_snapshot || !pm_is_plain_class(pm_view_class(search->view, from));
        bool one_of_many = from != 0 && alike_known && many[kind] > 2 * PM_ALIKE_LIMIT;
        step(search, at, &steps[i], one_of_many ? COST_ONE_OF_MANY : 0);
    }
    bool fine = err == NULL;
    pm_error_destroy(err);
    free(steps);
    return fine;
}

static void run_search(struct search *search) {
    unsigned visited = 0;
    reach(search, search->object, 0, UINT64_MAX, 0);
    for (unsigned cost = 0; cost < MOST_COST && cost < search->best_cost; cost++)
        for (size_t i = 0; i < search->ready[cost].count && visited < PM_OWNER_VISITS; i++) {
            uint32_t at = search->ready[cost].items[i];
            struct visit *visit = &search->visits.items[at];
            if (visit->done || visit->cost != cost) continue;
            visit->done = true;
            visited++;
            if (!expand(search, at)) return;
        }
}

/* ---- the way, told ---- */

static void add_link(struct pm_owner *owner, const struct pm_link *link) {
    if (owner->link_count < PM_MAX_LINKS) owner->links[owner->link_count++] = *link;
}

/* The edge as the owner of a store knows it. */
static const char *store_name(const struct search *search, pm_node owner, pm_node store, uint64_t edge,
                              enum pm_edge_kind *kind_ret) {
    const struct pm_graph *graph = search->view->graph;
    struct pm_edge_name name = {0};
    bool known = graph->source->store_edge_name &&
                 graph->source->store_edge_name(graph->source_self, owner, store, edge, &name);
    const char *text = NULL;
    *kind_ret = name.kind;
    if (known && name.kind == PM_EDGE_ELEMENT)
        text = pm_arena_printf(search->arena, "[%u]", name.index);
    else if (known && name.text.length)
        text = pm_arena_strdup(search->arena, pm_strbuf_text(&name.text));
    pm_strbuf_deinit(&name.text);
    return text;
}

static void tell_way(struct search *search, struct pm_owner *owner) {
    const struct pm_heap_view *view = search->view;
    uint32_t order[64];
    size_t count = 0;
    for (uint32_t at = search->best; count < 64; at = search->visits.items[at].from) {
        order[count++] = at;
        if (search->visits.items[at].node == search->object) break;
    }
    /* order[count-1] is the object; each earlier one refers to the one behind it in the array. */
    for (size_t i = count; i > 1; i--) {
        const struct visit *visit = &search->visits.items[order[i - 2]];
        pm_node to = search->visits.items[order[i - 1]].node;
        enum pm_node_kind kind = pm_view_kind(view, visit->node);
        struct pm_link link = {.from = visit->node, .to = to, .class_name = pm_view_class(view, visit->node)};
        owner->suspended |=
            kind == PM_NODE_GENERATOR || kind == PM_NODE_PROMISE || kind == PM_NODE_PROMISE_REACTION;
        if (kind == PM_NODE_STORE) continue; /* named with its owner */
        link.name = pm_view_edge(view, search->arena, visit->node, visit->edge, &link.kind);
        if (pm_view_kind(view, to) == PM_NODE_STORE && i < count + 1) {
            /* the store's own edge is that of the visit nearer to the object */
            uint64_t inner = search->visits.items[order[i - 1]].edge;
            pm_node store = to;
            enum pm_edge_kind inner_kind = link.kind;
            const char *name =
                inner == UINT64_MAX ? NULL : store_name(search, visit->node, store, inner, &inner_kind);
            if (i < count) link.to = search->visits.items[order[i]].node;
            if (name) {
                link.name = name;
                link.kind = inner_kind;
            }
        }
        if (link.kind == PM_EDGE_ELEMENT && !link.name) link.name = NULL;
        link.is_variable = link.kind == PM_EDGE_CONTEXT;
        bool meaning = link.kind == PM_EDGE_PROPERTY || link.kind == PM_EDGE_CONTEXT ||
                       link.kind == PM_EDGE_ELEMENT || pm_view_kind(view, to) == PM_NODE_STORE ||
                       kind == PM_NODE_PROMISE || kind == PM_NODE_GENERATOR || kind == PM_NODE_CLOSURE;
        if (meaning) add_link(owner, &link);
    }
    if (search->best_link.name) {
        struct pm_link end = search->best_link;
        /* a variable that leads to a store's owner */
        end.class_name = pm_view_class(view, end.from);
        add_link(owner, &end);
    }
}

/* Places of the names between the object and the end. */
static void locate_links(const struct pm_heap_view *view, struct pm_arena *arena, struct pm_owner *owner) {
    pm_node scope =
        PM_NO_NODE; /* a closure near the end: in its text the names of plain objects are searched */
    enum pm_place place = PM_PLACE_UNKNOWN;
    const char *module_file = NULL;
    bool exports = false; /* the link before was module.exports */
    for (size_t i = owner->link_count; i > 0; i--) {
        struct pm_link *link = &owner->links[i - 1];
        if (link->name) link->is_symbol = is_symbol_name(link->name);
        if (link->is_module) {
            scope = pm_closure_of_file(view, arena, link->position.file);
            place = link->place;
            if (scope != PM_NO_NODE && strcmp(link->name, "module.exports") == 0)
                locate(view, arena, link, scope, true);
            exports = true;
            module_file = link->position.file;
            continue;
        }
        if (link->is_variable || link->is_global) {
            if (!link->position.file && pm_view_kind(view, link->from) == PM_NODE_CONTEXT)
                locate(view, arena, link, pm_closure_of_context(view, link->from), false);
            scope = pm_view_kind(view, link->from) == PM_NODE_CONTEXT
                        ? pm_closure_of_context(view, link->from)
                        : scope;
            if (link->place != PM_PLACE_UNKNOWN) place = link->place;
            if (link->imported) { /* another module's object: this text does not make its properties */
                scope = PM_NO_NODE;
                place = PM_PLACE_UNKNOWN;
            }
            continue;
        }
        if (!link->name || link->kind != PM_EDGE_PROPERTY) continue;
        link->of_function = pm_view_kind(view, link->from) == PM_NODE_CLOSURE;
        pm_node maker = constructor_of(view, link->from);
        struct pm_position class_position =
            maker != PM_NO_NODE ? pm_view_position(view, arena, maker, NULL) : (struct pm_position){0};
        if (pm_place_of(class_position.file) != PM_PLACE_UNKNOWN) {
            locate_member(view, arena, link, maker);
            place = link->place;
            scope = maker;
        } else {
            /* what a module exports is mostly a variable of it */
            if (exports && scope != PM_NO_NODE) locate(view, arena, link, scope, false);
            if (!link->exact || link->imported) locate(view, arena, link, scope, true);
            if (!link->exact) {
                link->position = (struct pm_position){exports ? module_file : NULL, 0, 0};
                link->place = PM_PLACE_UNKNOWN;
            }
            if (exports && !link->exact) link->place = pm_place_of(module_file);
            /* a property that nothing in this text makes says less than the variable that holds its object */
            if (link->place == PM_PLACE_UNKNOWN && place != PM_PLACE_USER) link->place = place;
        }
        exports = false;
    }
}

static bool is_public(const struct pm_link *link) {
    if (!link->name || link->is_symbol || is_noise(link->name)) return false;
    if (link->kind != PM_EDGE_PROPERTY && link->kind != PM_EDGE_CONTEXT) return false;
    if (link->place == PM_PLACE_NODE) return false;
    if (link->place == PM_PLACE_PACKAGE)
        return link->kind == PM_EDGE_PROPERTY && (link->exact || link->of_function) && link->name[0] != '_' &&
               link->name[0] != '#' && strlen(link->name) > 2;
    return true;
}

/* Parts of a list are not what a person calls it. */
static bool is_list_part(const char *name) {
    static const char *const names[] = {"head", "tail", "first", "last", "next",
                                        "prev", "root", "start", "end"};
    while (*name == '#' || *name == '_') name++;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0) return true;
    return false;
}

size_t pm_owner_list(const struct pm_owner *owner) {
    size_t i = 0;
    while (i + 1 < owner->link_count && (!owner->links[i].name || is_list_part(owner->links[i].name))) i++;
    return i;
}

/* The name of the program's own near the object says more than that of a package still nearer. */
static size_t own_name(const struct pm_owner *owner, size_t from) {
    unsigned steps = 0;
    for (size_t i = from; i < owner->link_count && steps <= PM_OWN_NAME_STEPS; i++) {
        if (owner->links[i].place == PM_PLACE_USER && is_public(&owner->links[i])) return i;
        steps += owner->links[i].name != NULL && owner->links[i].kind != PM_EDGE_ELEMENT;
    }
    return SIZE_MAX;
}

void pm_owner_choose(struct pm_owner *owner, size_t from) {
    owner->chosen = own_name(owner, from);
    for (size_t i = from; i < owner->link_count && owner->chosen == SIZE_MAX; i++)
        if (is_public(&owner->links[i])) owner->chosen = i;
    for (size_t i = from; i < owner->link_count && owner->chosen == SIZE_MAX; i++) {
        const struct pm_link *link = &owner->links[i];
        if (link->name && (link->is_variable || link->is_global) && link->place != PM_PLACE_NODE)
            owner->chosen = i;
    }
    for (size_t i = from; i < owner->link_count && owner->chosen == SIZE_MAX; i++)
        if (owner->links[i].name && owner->links[i].kind == PM_EDGE_PROPERTY) owner->chosen = i;
}

const struct pm_link *pm_owner_link(const struct pm_owner *owner) {
    return owner->chosen < owner->link_count ? &owner->links[owner->chosen] : NULL;
}

const struct pm_link *pm_owner_holder(const struct pm_owner *owner) {
    const struct pm_link *last = owner->link_count ? &owner->links[owner->link_count - 1] : NULL;
    if (!last || !last->name || owner->chosen + 1 >= owner->link_count) return NULL;
    return last->is_variable || last->is_global || last->is_module ? last : NULL;
}

size_t pm_owner_find(const struct pm_owner *owner, const char *const *names) {
    for (size_t i = 0; i < owner->link_count; i++)
        for (size_t k = 0; owner->links[i].name && names[k]; k++) {
            const char *name = owner->links[i].name;
            size_t length = strlen(names[k]);
            bool symbol = strncmp(name, "<symbol ", 8) == 0 && strncmp(name + 8, names[k], length) == 0 &&
                          strcmp(name + 8 + length, ">") == 0;
            if (symbol || strcmp(name, names[k]) == 0) return i;
        }
    return SIZE_MAX;
}

struct pm_error *pm_find_owner(const struct pm_heap_view *view, struct pm_arena *arena, pm_node node,
                               struct pm_owner *ret) {
    struct search search = {.view = view, .arena = arena, .object = node, .best_cost = MOST_COST};
    *ret = (struct pm_owner){.chosen = SIZE_MAX};
    search.slots = calloc(SLOTS, sizeof(*search.slots));
    if (!search.slots) return pm_error_nomem();
    run_search(&search);
    if (search.best_cost < MOST_COST) {
        ret->end = search.best_end;
        tell_way(&search, ret);
        locate_links(view, arena, ret);
        pm_owner_choose(ret, 0);
    }
    for (unsigned i = 0; i <= MOST_COST; i++) pm_vec_deinit(&search.ready[i]);
    pm_vec_deinit(&search.visits);
    free(search.slots);
    return search.failed ? pm_error_nomem() : NULL;
}
