/* Work that is done one after the other and comes in faster: each promise waits for the one before
 * (`this.tail = this.tail.then(...)`, a mutex of promises). Nothing holds the first one but what it waits
 * for, so the chain hangs from a timer or a socket, as work in flight does; what tells the place is the
 * variable that has the last one, and the functions on the way. */
#include <string.h>

#include "postmortem/detect/leak_case.h"

#define MOST_AHEAD  1000 /* objects behind the end of the chain that are looked at */
#define MOST_TAILS  24   /* promises among them whose owner is looked for */
#define PATH_WINDOW 16   /* links before the end */

static bool is_promise(const struct pm_case *leak, pm_node node) {
    return pm_view_kind(leak->view, node) == PM_NODE_PROMISE ||
           strcmp(pm_view_class(leak->view, node), "Promise") == 0;
}

/* The last links of the chain, by the largest child each time. */
static size_t last_links(const struct pm_case *leak, pm_node *ret) {
    pm_node node = leak->suspect->container, window[PATH_WINDOW];
    uint64_t count = 0;
    for (; count < leak->view->graph->node_count; count++) {
        window[count % PATH_WINDOW] = node;
        if (!pm_view_child_count(leak->view, node)) break;
        node = pm_view_child(leak->view, node, 0);
    }
    size_t kept = count < PATH_WINDOW ? (size_t)count : PATH_WINDOW;
    for (size_t i = 0; i < kept; i++) ret[i] = window[(count - i) % PATH_WINDOW];
    return kept;
}

/* A variable of the one call that made it is not where the next one looks. */
static bool is_named_by_program(const struct pm_owner *owner) {
    const struct pm_link *link = pm_owner_link(owner);
    return link && link->name && link->place == PM_PLACE_USER &&
           !(link->is_variable && (link->in_function || !link->exact)) &&
           (owner->end == PM_END_VARIABLE || owner->end == PM_END_GLOBAL || owner->end == PM_END_MODULE);
}

/* The variable of the program that has the last promise: it is not the chain's alone. */
static bool find_tail(struct pm_case *leak, struct pm_owner *ret) {
    const struct pm_graph *graph = leak->view->graph;
    pm_node queue[PATH_WINDOW + MOST_AHEAD];
    size_t count = last_links(leak, queue), tails = 0;
    for (size_t head = 0; head < count && tails < MOST_TAILS; head++) {
        pm_node node = queue[head];
        for (uint64_t edge = graph->first_edge[node]; edge < graph->first_edge[node + 1]; edge++) {
            pm_node to = graph->edges[edge];
            bool known = graph->kinds[to] == PM_NODE_SHAPE || graph->kinds[to] == PM_NODE_CODE;
            for (size_t i = 0; i < count && !known; i++) known = queue[i] == to;
            if (known || count == PATH_WINDOW + MOST_AHEAD) continue;
            queue[count++] = to;
            if (!is_promise(leak, to) || tails++ >= MOST_TAILS) continue;
            struct pm_error *err = pm_find_owner(leak->view, leak->arena, to, ret);
            bool found = !err && is_named_by_program(ret);
            pm_error_destroy(err);
            if (found) return true;
        }
    }
    return false;
}

/* Functions of the program below, most frequent first; the first one's place. */
static const char *tell_functions(struct pm_case *leak) {
    pm_node nodes[300];
    struct pm_place_count places[8];
    const char *first = NULL;
    size_t count = pm_case_sample_below(leak, PM_NODE_CLOSURE, nodes, 300);
    size_t kinds = pm_case_places(leak, nodes, count, places, 8), told = 0;
    for (size_t i = 0; i < kinds && told < 3; i++) {
        if (pm_place_of(places[i].position.file) != PM_PLACE_USER || places[i].count * 20 < count) continue;
        const char *words = pm_case_function(leak, places[i].function, &places[i].position);
        uint64_t about = leak->census.by_kind[PM_NODE_CLOSURE] * places[i].count / count;
        pm_case_evidence(leak, pm_arena_printf(leak->arena, "about %s of the functions in it: %s",
                                               pm_words_count(leak->arena, about), words));
        pm_case_position(leak, "creator", places[i].function, places[i].position);
        if (!told++) first = words;
    }
    return first;
}

void pm_case_tell_serial(struct pm_case *leak) {
    struct pm_arena *arena = leak->arena;
    struct pm_owner tail;
    const char *function = tell_functions(leak), *last = "";
    leak->backlog = true;
    leak->no_adder = true;
    if (find_tail(leak, &tail)) {
        const struct pm_link *link = pm_owner_link(&tail);
        leak->name = link->name;
        leak->position = link->position;
        bool variable = link->is_variable || link->is_global;
        last = pm_arena_printf(arena, "; `%s`%s%s%s has the last one", pm_owner_expression(arena, &tail),
                               variable ? "" : " of ", variable ? "" : pm_owner_of(leak->view, arena, link),
                               pm_words_place(arena, &link->position));
    } else {
        leak->no_holder = true;
    }
    leak->of = "";
    leak->what = "promises that wait one for the other";
    leak->claim = pm_arena_printf(
        arena, "at least %s promises wait one for the other%s%s%s and retain %s (%.1f %% of the heap)%s",
        pm_words_count(arena, leak->suspect->depth), function ? ", with " : "", function ? function : "",
        function ? "," : "", pm_words_bytes(arena, leak->bytes), leak->share * 100, last);
    leak->advice = "Work that is done one after the other comes in faster than it is done, or the first one "
                   "never ends: limit how many may wait (refuse, or drop), do more at once, and give each a "
                   "timeout.";
}
