/* Listeners that pile up at an emitter; timers that nobody clears. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "postmortem/detect/leak_case.h"

/* ---- which function ---- */

/* A function to show for a listener or timer: itself, what it is bound to, or what a record holds. */
static pm_node function_of(const struct pm_case *leak, pm_node node) {
    static const char *const names[] = {"callback",  "listener",   "fn",   "handler",
                                        "fulfilled", "_onTimeout", "next", "_next"};
    const struct pm_graph *graph = leak->view->graph;
    for (unsigned depth = 0; depth < 3 && node != PM_NO_NODE; depth++) {
        pm_node next = PM_NO_NODE;
        if (pm_view_kind(leak->view, node) == PM_NODE_CLOSURE) {
            struct pm_position position = pm_view_position(leak->view, leak->arena, node, NULL);
            if (position.file && pm_place_of(position.file) != PM_PLACE_NODE) return node;
            /* bound functions, and the wrappers of once() */
            for (uint64_t edge = graph->first_edge[node]; edge < graph->first_edge[node + 1]; edge++)
                if (graph->kinds[graph->edges[edge]] == PM_NODE_CLOSURE && next == PM_NO_NODE)
                    next = graph->edges[edge];
            if (next == PM_NO_NODE) next = pm_case_property(leak, node, "listener");
            if (next == PM_NO_NODE) return position.file ? node : PM_NO_NODE;
        } else {
            for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && next == PM_NO_NODE; i++)
                next = pm_case_property(leak, node, names[i]);
        }
        node = next;
    }
    return PM_NO_NODE;
}

#define SEARCH_WIDTH 250

/* Behind a library's wrappers: the nearest function of the program that the record alone keeps. */
static pm_node own_function(const struct pm_case *leak, pm_node record) {
    const struct pm_graph *graph = leak->view->graph;
    pm_node queue[SEARCH_WIDTH] = {record};
    size_t count = 1;
    for (size_t head = 0; head < count; head++) {
        pm_node node = queue[head];
        if (pm_view_kind(leak->view, node) == PM_NODE_CLOSURE &&
            pm_place_of(pm_view_position(leak->view, leak->arena, node, NULL).file) == PM_PLACE_USER)
            return node;
        for (uint64_t edge = graph->first_edge[node]; edge < graph->first_edge[node + 1]; edge++) {
            pm_node to = graph->edges[edge];
            bool known = graph->kinds[to] == PM_NODE_SHAPE || graph->kinds[to] == PM_NODE_CODE;
            for (size_t i = 0; i < count && !known; i++) known = queue[i] == to;
            /* the function itself may be one for all: then its text is the same for all */
            if (known || count == SEARCH_WIDTH) continue;
            if (graph->kinds[to] == PM_NODE_CLOSURE || pm_view_dominated_by(leak->view, to, record))
                queue[count++] = to;
        }
    }
    return PM_NO_NODE;
}

/* Functions of some of the nodes. */
static size_t functions_of(const struct pm_case *leak, const pm_node *nodes, size_t count, pm_node *ret) {
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        pm_node function = function_of(leak, nodes[i]), own = PM_NO_NODE;
        bool foreign =
            function == PM_NO_NODE ||
            pm_place_of(pm_view_position(leak->view, leak->arena, function, NULL).file) != PM_PLACE_USER;
        if (foreign) own = own_function(leak, nodes[i]);
        if (own != PM_NO_NODE) function = own;
        if (function != PM_NO_NODE) ret[found++] = function;
    }
    return found;
}

/* ---- listeners ---- */

/* Does the same object stand again and again in the container's elements? Fills a sample of the elements. */
static size_t elements(const struct pm_case *leak, pm_node *ret, size_t most, bool *same_ret) {
    const struct pm_graph *graph = leak->view->graph;
    pm_node store = leak->node;
    size_t found = 0, same = 0;
    for (uint64_t edge = graph->first_edge[leak->node]; edge < graph->first_edge[leak->node + 1]; edge++)
        if (graph->kinds[graph->edges[edge]] == PM_NODE_STORE &&
            pm_view_retained(leak->view, graph->edges[edge]) >
                (store == leak->node ? 0 : pm_view_retained(leak->view, store)))
            store = graph->edges[edge];
    uint64_t first = graph->first_edge[store], count = graph->first_edge[store + 1] - first;
    for (uint64_t i = 0; i < count && found < most; i += count / most + 1) {
        pm_node to = graph->edges[first + i];
        if (graph->kinds[to] == PM_NODE_SHAPE || graph->kinds[to] == PM_NODE_STORE) continue;
        same += found && ret[found - 1] == to;
        ret[found++] = to;
    }
    *same_ret = found > PM_GROUP_LEAST && same * 10 > found * 9;
    return found;
}

static const char *event_of(const struct pm_case *leak, size_t sign) {
    for (size_t i = sign; i > 0; i--) {
        const char *name = leak->owner.links[i - 1].name;
        if (!name || strcmp(name, "next") == 0 || strcmp(name, "root") == 0) continue;
        if (strncmp(name, "entry ", 6) == 0) name += 6;
        size_t length = strlen(name);
        if (length > 1 && name[0] == '"' && name[length - 1] == '"')
            return pm_arena_copy(leak->arena, name + 1, length - 2);
        return name;
    }
    return NULL;
}

static void tell_listener(struct pm_case *leak, size_t sign, const char *event) {
    struct pm_arena *arena = leak->arena;
    pm_node sample[200], functions[200];
    bool same = false;
    struct pm_place_count places[3];
    size_t count = elements(leak, sample, 200, &same);
    size_t found = functions_of(leak, sample, count, functions);
    if (!found) found = functions_of(leak, leak->suspect->members, leak->suspect->member_count, functions);
    size_t kinds = pm_case_places(leak, functions, found, places, 3);
    uint64_t listeners = leak->counted                             ? leak->entries
                         : leak->suspect->kind == PM_SUSPECT_CHAIN ? leak->suspect->depth
                                                                   : leak->suspect->member_total;
    const struct pm_link *emitter = sign < leak->owner.link_count ? &leak->owner.links[sign] : NULL;
    if (sign != SIZE_MAX) pm_owner_choose(&leak->owner, sign + 1);
    const struct pm_link *link = pm_owner_link(&leak->owner);
    pm_case_evidence(leak, event
                               ? pm_arena_printf(arena, "event: '%s'%s%s", event, emitter ? " of class " : "",
                                                 emitter ? emitter->class_name : "")
                               : NULL);
    pm_case_evidence(leak, pm_arena_printf(arena, "listeners: %s%s", pm_words_count(arena, listeners),
                                           same ? ", the same function again and again" : ""));
    for (size_t i = 0; i < kinds; i++) {
        pm_case_evidence(leak,
                         pm_arena_printf(arena, "listener: %s, %.0f %% of those looked at",
                                         pm_case_function(leak, places[i].function, &places[i].position),
                                         100.0 * (double)places[i].count / (double)found));
        if (i == 0) pm_case_position(leak, "creator", places[i].function, places[i].position);
    }
    const char *what =
        pm_arena_printf(arena, "listeners%s%s%s", event ? " of '" : "", event ? event : "", event ? "'" : "");
    leak->claim = pm_arena_printf(
        arena, "%s%s%s has %s %s%s and retains %s (%.1f %% of the heap)",
        link && link->name ? "`" : "An emitter without a name", link && link->name ? link->name : "",
        link && link->name ? pm_arena_printf(arena, "`%s", pm_words_place(arena, &link->position)) : "",
        pm_words_count(arena, listeners), what,
        kinds ? pm_arena_printf(arena, ", mostly %s,",
                                pm_case_function(leak, places[0].function, &places[0].position))
              : "",
        pm_words_bytes(arena, leak->bytes), leak->share * 100);
    leak->id = "listener-leak";
    leak->no_adder = true; /* the listener tells it */
    leak->what = what;
    leak->advice =
        same ? "The same function is subscribed again and again: subscribe once (outside of what runs "
               "repeatedly), or use once()."
             : "Remove each listener when its subscriber goes (off, removeListener, unsubscribe, an "
               "AbortSignal, once), or subscribe once instead of per request.";
}

/* Names on the way from a table of listeners to the object that are no event and no list of listeners: then
 * a listener is only how the object is reached. */
static bool only_reached(const struct pm_case *leak, size_t sign) {
    static const char *const list[] = {"next", "root", "listener", "head", "tail"};
    unsigned names = 0;
    for (size_t i = 0; i < sign; i++) {
        const struct pm_link *link = &leak->owner.links[i];
        if (link->kind == PM_EDGE_CONTEXT) return true;
        if (!link->name || link->kind != PM_EDGE_PROPERTY) continue;
        bool of_list = false;
        for (size_t k = 0; k < sizeof(list) / sizeof(list[0]); k++)
            of_list |= strcmp(link->name, list[k]) == 0;
        names += !of_list;
    }
    return names > 1;
}

/* The table itself was found: the event with most listeners is what is meant. */
static const char *largest_event(struct pm_case *leak) {
    const struct pm_graph *graph = leak->view->graph;
    pm_node best = PM_NO_NODE;
    uint64_t at = 0;
    for (uint64_t edge = graph->first_edge[leak->node]; edge < graph->first_edge[leak->node + 1]; edge++) {
        uint64_t entries = 0, capacity = 0;
        pm_node to = graph->edges[edge];
        if (graph->kinds[to] != PM_NODE_ARRAY ||
            !graph->source->entries(graph->source_self, to, &entries, &capacity) ||
            entries < PM_LISTENERS_LEAST)
            continue;
        if (best != PM_NO_NODE && pm_view_retained(leak->view, to) <= pm_view_retained(leak->view, best))
            continue;
        best = to;
        at = edge;
    }
    if (best == PM_NO_NODE) return NULL;
    enum pm_edge_kind kind;
    const char *event = pm_view_edge(leak->view, leak->arena, leak->node, at, &kind);
    leak->node = best;
    leak->counted = graph->source->entries(graph->source_self, best, &leak->entries, &leak->capacity);
    return event;
}

/* A table of listeners by its name, with or without the marks of private names; SIZE_MAX. */
static size_t table_of(const struct pm_owner *owner) {
    static const char *const tables[] = {
        "_events",      "kEvents",          "_listeners",     "eventMap",   "__events",   "_eventHandlers",
        "observers",    "currentObservers", "_observers",     "observers_", "#listeners", "#observers",
        "#subscribers", "_subscribers",     "_subscriptions", NULL};
    return pm_owner_find(owner, tables);
}

static bool ends_in(const char *name, const char *word) {
    size_t length = strlen(name), end = strlen(word);
    return length >= end && strcasecmp(name + length - end, word) == 0;
}

/* A list whose name says that it is of listeners: `#handlers`, `currentListeners`; SIZE_MAX. */
static size_t loose_table(const struct pm_owner *owner) {
    static const char *const words[] = {"listeners", "subscribers", "handlers", "callbacks"};
    for (size_t i = 0; i < owner->link_count; i++) {
        const char *name = owner->links[i].name;
        if (!name) continue;
        if (strcmp(name, "all") == 0) return i;
        for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); k++)
            if (ends_in(name, words[k])) return i;
    }
    return SIZE_MAX;
}

bool pm_pattern_listener(struct pm_case *leak) {
    size_t sign = table_of(&leak->owner);
    const char *event = NULL;
    if (sign != SIZE_MAX && (sign > 4 || only_reached(leak, sign)))
        return false; /* a listener is how it is reached, not what it holds */
    if (sign == 0 && leak->counted && leak->entries < PM_LISTENERS_LEAST) event = largest_event(leak);
    if (sign == SIZE_MAX) {
        sign = loose_table(&leak->owner);
        if (sign == SIZE_MAX || sign > 2) return false;
        size_t closures = 0;
        for (size_t i = 0; i < leak->suspect->member_count; i++)
            closures += pm_view_kind(leak->view, leak->suspect->members[i]) == PM_NODE_CLOSURE;
        if (closures * 2 < leak->suspect->member_count || closures < PM_GROUP_LEAST) return false;
    }
    uint64_t listeners = leak->counted                             ? leak->entries
                         : leak->suspect->kind == PM_SUSPECT_CHAIN ? leak->suspect->depth
                                                                   : leak->suspect->member_total;
    if (listeners < PM_LISTENERS_LEAST) return false;
    tell_listener(leak, sign, event ? event : event_of(leak, sign));
    return true;
}

/* ---- timers ---- */

static bool is_timer_class(const char *name) {
    return name && (strcmp(name, "Timeout") == 0 || strcmp(name, "TimersList") == 0 ||
                    strcmp(name, "Immediate") == 0 || strcmp(name, "ImmediateList") == 0);
}

static bool through_timers(const struct pm_case *leak) {
    if (is_timer_class(leak->suspect->member_class) || is_timer_class(leak->suspect->holder_class) ||
        is_timer_class(leak->suspect->link_class) || is_timer_class(pm_view_class(leak->view, leak->node)))
        return true;
    for (size_t i = 0; i < leak->owner.link_count && i < 3; i++) {
        const struct pm_link *link = &leak->owner.links[i];
        if (is_timer_class(link->class_name)) return true;
        if (link->class_name && strcmp(link->class_name, "PriorityQueue") == 0) return true;
    }
    return false;
}

static const char *interval_text(const struct pm_case *leak, pm_node timer) {
    const struct pm_graph_source *source = leak->view->graph->source;
    void *self = leak->view->graph->source_self;
    double ms = 0, repeat = 0;
    bool known = source->number && source->number(self, timer, "_idleTimeout", &ms);
    bool repeats = source->number && source->number(self, timer, "_repeat", &repeat) && repeat > 0;
    pm_node null_or_number = repeats ? PM_NO_NODE : pm_case_property(leak, timer, "_repeat");
    const char *kind = repeats ? "interval" : null_or_number != PM_NO_NODE || known ? "timeout" : "timer";
    return known ? pm_arena_printf(leak->arena, "%s of %.0f ms", kind, ms) : kind;
}

/* What the timers call, of all there are. */
static void tell_timers(struct pm_case *leak, const char *class_name) {
    struct pm_arena *arena = leak->arena;
    pm_node timers[300], functions[300];
    struct pm_place_count places[3];
    uint64_t total = 0;
    size_t count = pm_case_all_of_class(leak, class_name, timers, 300, &total);
    size_t found = functions_of(leak, timers, count, functions);
    size_t kinds = pm_case_places(leak, functions, found, places, 3);
    if (!count) return;
    for (size_t i = 0; i < kinds; i++) {
        const char *interval = NULL;
        for (size_t k = 0; k < count && !interval; k++) {
            pm_node function = function_of(leak, timers[k]);
            if (function == PM_NO_NODE) continue;
            struct pm_position position = pm_view_position(leak->view, arena, function, NULL);
            if (position.line == places[i].position.line && position.file &&
                strcmp(position.file, places[i].position.file) == 0)
                interval = interval_text(leak, timers[k]);
        }
        uint64_t about = total == count ? places[i].count : total * places[i].count / found;
        const char *text = pm_arena_printf(arena, "%s%s timers (%s) call %s", total == count ? "" : "about ",
                                           pm_words_count(arena, about), interval ? interval : "?",
                                           pm_case_function(leak, places[i].function, &places[i].position));
        pm_case_evidence(leak, text);
        if (i == 0) pm_case_position(leak, "creator", places[i].function, places[i].position);
        if (i == 0 && text)
            leak->claim = pm_arena_printf(arena, "%c%s and retain %s (%.1f %% of the heap)",
                                          text[0] >= 'a' && text[0] <= 'z' ? text[0] - 32 : text[0], text + 1,
                                          pm_words_bytes(arena, leak->bytes), leak->share * 100);
    }
    if (!leak->claim)
        leak->claim =
            pm_arena_printf(arena, "%s timers retain %s (%.1f %% of the heap)", pm_words_count(arena, total),
                            pm_words_bytes(arena, leak->bytes), leak->share * 100);
}

/* One-shot timers that are all due soon, and functions that wait for them: a burst of work, no timers that
 * were forgotten. */
static bool is_burst(struct pm_case *leak) {
    const struct pm_graph_source *source = leak->view->graph->source;
    void *self = leak->view->graph->source_self;
    pm_node timers[100];
    uint64_t total = 0;
    double longest = 0;
    size_t count = pm_case_all_of_class(leak, "Timeout", timers, 100, &total), shorts = 0, known = 0;
    for (size_t i = 0; i < count; i++) {
        double ms = 0, repeat = 0;
        if (!source->number || !source->number(self, timers[i], "_idleTimeout", &ms)) continue;
        known++;
        bool repeats = source->number(self, timers[i], "_repeat", &repeat) && repeat > 0;
        if (repeats || ms > PM_BURST_MS) continue;
        shorts++;
        if (ms > longest) longest = ms;
    }
    if (!known || shorts * 10 < known * 9 || leak->census.by_kind[PM_NODE_GENERATOR] < PM_TIMERS_LEAST)
        return false;
    leak->no_holder = leak->innocent = true;
    leak->id = "working-set";
    (void)pm_case_tell_waiting(leak);
    leak->claim = pm_arena_printf(
        leak->arena,
        "Work in flight, probably not a leak: %s calls that wait for timers of at most %.0f s hold %s "
        "(%.1f %% of the heap)",
        pm_words_count(leak->arena, leak->census.by_kind[PM_NODE_GENERATOR]), longest / 1000,
        pm_words_bytes(leak->arena, leak->bytes), leak->share * 100);
    leak->advice =
        "Unless they wait again and again (a loop that polls or retries), all of it is done within that "
        "time, "
        "so it is as much as comes in: limit how many run at once (a queue with a limit, refuse when it is "
        "full), or give the process more memory.";
    return true;
}

bool pm_pattern_timer(struct pm_case *leak) {
    if (!through_timers(leak)) return false;
    bool immediates =
        (leak->suspect->member_class && strcmp(leak->suspect->member_class, "Immediate") == 0) ||
        (leak->suspect->link_class && strcmp(leak->suspect->link_class, "Immediate") == 0);
    uint64_t total = 0;
    pm_node one;
    pm_case_all_of_class(leak, immediates ? "Immediate" : "Timeout", &one, 1, &total);
    if (total < PM_TIMERS_LEAST) return false;
    if (!immediates && is_burst(leak)) return true;
    leak->no_holder = true;
    tell_timers(leak, immediates ? "Immediate" : "Timeout");
    leak->id = "timer-leak";
    leak->what = "timers";
    leak->advice =
        immediates
            ? "setImmediate() is called faster than the event loop gets to run them: limit how many wait."
            : "Clear timers when what they serve is gone (clearTimeout, clearInterval); a long timeout "
              "keeps all that its function refers to until it fires.";
    return true;
}
