/* Promises that stay pending, queues of work, contexts of AsyncLocalStorage. */
#include <string.h>

#include "postmortem/detect/leak_case.h"

/* ---- who waits where ---- */

/* Suspended functions, of all there are: "12,000 calls of `load` wait at /app/a.js:16". */
bool pm_case_tell_waiting(struct pm_case *leak) {
    pm_node nodes[400];
    struct pm_place_count places[4];
    uint64_t total = 0;
    bool any = false;
    size_t count = pm_case_all_of_kind(leak, PM_NODE_GENERATOR, nodes, 400, &total);
    size_t kinds = pm_case_places(leak, nodes, count, places, 4);
    for (size_t i = 0; i < kinds; i++) {
        if (places[i].count * 50 < count || pm_place_of(places[i].position.file) == PM_PLACE_NODE) continue;
        uint64_t about = total == count ? places[i].count : total * places[i].count / count;
        if (about < PM_GROUP_LEAST) continue;
        pm_case_evidence(leak,
                         pm_arena_printf(leak->arena, "%s%s calls of %s%s wait at its await%s",
                                         total == count ? "" : "about ", pm_words_count(leak->arena, about),
                                         places[i].function ? places[i].function : "an async function", "",
                                         pm_words_place(leak->arena, &places[i].position)));
        pm_case_position(leak, "waiting", places[i].function, places[i].position);
        any = true;
    }
    return any;
}

/* Pending promises among those below. */
static bool mostly_pending(const struct pm_case *leak) {
    pm_node promises[40];
    size_t count = pm_case_below(leak, PM_NODE_PROMISE, promises, 40), pending = 0;
    for (size_t i = 0; i < count; i++) pending += pm_case_pending(leak, promises[i]);
    return count > 0 && pending * 2 >= count;
}

/* Records of work to do: they have somebody's resolve and reject, or a callback. */
static bool are_tasks(const struct pm_case *leak, uint64_t *count_ret) {
    static const char *const names[] = {"resolve", "reject", "callback", "cb", "task", "run"};
    const struct pm_suspect *suspect = leak->suspect;
    size_t fits = 0, alike = 0;
    for (size_t i = 0; i < suspect->member_count; i++) {
        pm_node member = suspect->members[i];
        bool is = false;
        if (suspect->member_class && pm_view_class(leak->view, member) != suspect->member_class) continue;
        alike++;
        for (size_t k = 0; k < sizeof(names) / sizeof(names[0]) && !is; k++) {
            pm_node to = pm_case_property(leak, member, names[k]);
            is = to != PM_NO_NODE && pm_view_kind(leak->view, to) == PM_NODE_CLOSURE;
        }
        fits += is;
    }
    *count_ret = fits ? suspect->member_total * fits / suspect->member_count : 0;
    return fits * 2 > alike;
}

/* Do suspended functions hold half of it? By a sample. */
static bool suspended_hold(const struct pm_case *leak) {
    pm_node nodes[100];
    uint64_t all = leak->census.by_kind[PM_NODE_GENERATOR], bytes = 0;
    if (all < PM_PROMISE_LEAST || !leak->census.by_kind[PM_NODE_PROMISE]) return false;
    size_t count = pm_case_sample_below(leak, PM_NODE_GENERATOR, nodes, 100);
    for (size_t i = 0; i < count; i++) bytes += pm_view_retained(leak->view, nodes[i]);
    return count &&
           (double)bytes / (double)count * (double)all > PM_WAITING_PART * (double)leak->census.bytes;
}

/* One promise, and a long list of what waits for it. */
static void tell_one_promise(struct pm_case *leak) {
    const struct pm_link *link = pm_owner_link(&leak->owner);
    if (!link || leak->suspect->chain_kinds[PM_NODE_PROMISE_REACTION] * 4 < leak->suspect->chain_seen) return;
    const char *expression = pm_owner_expression(leak->arena, &leak->owner);
    leak->claim = pm_arena_printf(
        leak->arena,
        "the promise `%s`%s%s%s stays pending, and at least %s reactions wait for it; they retain %s (%.1f "
        "%% of the heap)",
        expression, link->is_variable || link->is_global ? "" : " of ",
        link->is_variable || link->is_global ? "" : pm_owner_of(leak->view, leak->arena, link),
        pm_words_place(leak->arena, &link->position), pm_words_count(leak->arena, leak->suspect->depth),
        pm_words_bytes(leak->arena, leak->bytes), leak->share * 100);
    leak->advice = "Each await, then() or Promise.race() with a promise that lives long adds a reaction that "
                   "stays until it "
                   "settles: do not race with one promise again and again (use an AbortSignal and remove the "
                   "listener), or give it a timeout.";
}

bool pm_pattern_promise(struct pm_case *leak) {
    const struct pm_census *census = &leak->census;
    const struct pm_suspect *suspect = leak->suspect;
    uint64_t promises = census->by_kind[PM_NODE_PROMISE],
             reactions = census->by_kind[PM_NODE_PROMISE_REACTION];
    uint64_t waiting = promises > reactions ? promises : reactions;
    bool of_library = suspect->link_class && strcmp(suspect->link_class, "Promise") == 0;
    bool in_chain =
        suspect->kind == PM_SUSPECT_CHAIN &&
        (of_library ||
         (suspect->chain_kinds[PM_NODE_PROMISE] + suspect->chain_kinds[PM_NODE_PROMISE_REACTION]) * 5 >
             suspect->chain_seen);
    enum pm_node_kind kind = pm_view_kind(leak->view, leak->node);
    bool is_queue = kind == PM_NODE_ARRAY || suspect->links_each_other ||
                    (suspect->kind == PM_SUSPECT_CHAIN && kind == PM_NODE_OBJECT);
    uint64_t task_count = 0;
    bool tasks = is_queue && are_tasks(leak, &task_count) && task_count >= PM_PROMISE_LEAST;
    if (!in_chain && !tasks) {
        bool many =
            waiting >= PM_PROMISE_LEAST && (double)waiting >= PM_PROMISE_PART * (double)census->objects;
        if (!many && !suspended_hold(leak)) return false;
        if (!mostly_pending(leak)) return false;
    }
    pm_case_tell_waiting(leak);
    if (promises)
        pm_case_evidence(leak,
                         pm_arena_printf(leak->arena, "promises: %s", pm_words_count(leak->arena, promises)));
    bool promise_like =
        kind == PM_NODE_PROMISE || kind == PM_NODE_PROMISE_REACTION || kind == PM_NODE_GENERATOR;
    if ((tasks || is_queue) && !promise_like && !(in_chain && of_library)) {
        pm_owner_choose(&leak->owner, pm_owner_list(&leak->owner));
        /* a ring has room for more than is in it */
        bool properties = kind == PM_NODE_OBJECT && leak->entries <= PM_DICTIONARY; /* head, tail, length */
        if (tasks && (task_count < leak->entries || properties)) leak->entries = task_count;
        leak->id = "promise-queue";
        leak->what = "tasks that wait for their turn";
        leak->advice = "Work comes in faster than it is done, or what is being done never ends: limit the "
                       "queue (refuse, or "
                       "wait before adding), and give each task a timeout.";
        return true;
    }
    leak->id = "pending-promises";
    leak->what = kind == PM_NODE_MAP || kind == PM_NODE_OBJECT ? "entries whose promises are pending"
                                                               : "pending promises";
    leak->advice =
        in_chain
            ? "All these wait for one promise that never settles: give it a timeout, and do not append to a "
              "chain without bound."
            : "What they wait for never comes: add timeouts, reject on close, and limit how many may wait.";
    if (in_chain) tell_one_promise(leak);
    bool held = leak->owner.end == PM_END_VARIABLE || leak->owner.end == PM_END_GLOBAL ||
                leak->owner.end == PM_END_MODULE;
    if (in_chain && !held && suspect->depth >= PM_PROMISE_LEAST) pm_case_tell_serial(leak);
    return true;
}

/* ---- AsyncLocalStorage ---- */

static bool is_async_holder(const struct pm_case *leak, pm_node node) {
    struct pm_path_step *steps = NULL;
    size_t count = 0;
    bool found = false;
    struct pm_error *err = pm_graph_referrers(leak->view->graph, node, &steps, &count);
    for (size_t i = 0; !err && i < count && i < 20 && !found; i++) {
        enum pm_edge_kind kind;
        if (steps[i].node == 0) continue;
        pm_node from = pm_view_owner_of_store(leak->view, steps[i].node);
        const char *edge = pm_view_edge(leak->view, leak->arena, steps[i].node, steps[i].edge, &kind);
        found = (edge && strstr(edge, "kResourceStore")) ||
                strcmp(pm_view_class(leak->view, from), "AsyncContextFrame") == 0;
    }
    pm_error_destroy(err);
    free(steps);
    return found;
}

/* The property that leads from one link to the next. */
static const char *link_edge(const struct pm_case *leak, pm_node link) {
    const struct pm_graph *graph = leak->view->graph;
    for (uint64_t edge = graph->first_edge[link]; edge < graph->first_edge[link + 1]; edge++) {
        enum pm_edge_kind kind;
        pm_node to = graph->edges[edge];
        if (graph->kinds[to] != PM_NODE_OBJECT || leak->view->dominators->dominator[to] != link ||
            pm_view_class(leak->view, to) != leak->suspect->link_class)
            continue;
        const char *name = pm_view_edge(leak->view, leak->arena, link, edge, &kind);
        if (name && kind == PM_EDGE_PROPERTY) return name;
    }
    return NULL;
}

bool pm_pattern_async_context(struct pm_case *leak) {
    static const char *const signs[] = {"kResourceStore", "storage", NULL};
    const struct pm_graph *graph = leak->view->graph;
    const struct pm_suspect *suspect = leak->suspect;
    if (suspect->kind != PM_SUSPECT_CHAIN) return false;
    uint64_t storages = 0;
    pm_node storage = PM_NO_NODE;
    pm_case_all_of_class(leak, "AsyncLocalStorage", &storage, 1, &storages);
    if (!storages) return false;
    pm_node at = suspect->container;
    bool held = pm_owner_find(&leak->owner, signs) != SIZE_MAX && is_async_holder(leak, at);
    for (unsigned i = 0; i < 6 && !held && at != PM_NO_NODE; i++) {
        held = is_async_holder(leak, at);
        at = pm_view_child_count(leak->view, at) ? pm_view_child(leak->view, at, 0) : PM_NO_NODE;
    }
    held = held || is_async_holder(leak, suspect->link);
    if (!held) return false;
    const char *edge = link_edge(leak, suspect->link);
    if (edge) {
        pm_node maker = graph->source->constructor
                            ? graph->source->constructor(graph->source_self, suspect->link)
                            : PM_NO_NODE;
        struct pm_graph_position place = {0};
        if (maker != PM_NO_NODE && graph->source->declaration &&
            graph->source->declaration(graph->source_self, maker, edge, true, &place)) {
            leak->position =
                (struct pm_position){pm_arena_strdup(leak->arena, place.file), place.line, place.column};
            free(place.file);
        }
        leak->name = edge;
        pm_case_evidence(
            leak, pm_arena_printf(leak->arena, "each %s keeps the one before it in its property `%s`%s",
                                  suspect->link_class, edge, pm_words_place(leak->arena, &leak->position)));
    }
    struct pm_owner owner;
    if (!pm_find_owner(leak->view, leak->arena, storage, &owner)) {
        const struct pm_link *link = pm_owner_link(&owner);
        if (link)
            pm_case_evidence(leak, pm_arena_printf(leak->arena, "AsyncLocalStorage `%s`%s", link->name,
                                                   pm_words_place(leak->arena, &link->position)));
    }
    leak->id = "async-context";
    leak->what = pm_arena_printf(leak->arena, "a chain of at least %s contexts of AsyncLocalStorage",
                                 pm_words_count(leak->arena, suspect->depth));
    leak->advice =
        "Each asynchronous context keeps the one it was made in. Start long-lived loops and timers outside "
        "of a "
        "context (AsyncLocalStorage.exit, or run with a new store), and do not keep the parent object.";
    return true;
}
