/* Values that a closure's scope keeps; collections with much room and little in them. */
#include <stdlib.h>
#include <string.h>

#include "postmortem/detect/leak_case.h"

/* The variable of the largest value that a closure keeps alone: its context's largest child. */
static bool kept_variable(const struct pm_case *leak, pm_node node, struct pm_link *ret) {
    const struct pm_heap_view *view = leak->view;
    for (unsigned depth = 0; depth < 6; depth++) {
        if (!pm_view_child_count(view, node)) return false;
        pm_node next = pm_view_child(view, node, 0);
        if (pm_view_kind(view, node) == PM_NODE_CONTEXT &&
            pm_view_retained(view, next) * 2 > pm_view_retained(view, node)) {
            uint64_t edge = pm_view_edge_to(view, node, next);
            *ret = (struct pm_link){.from = node, .to = next, .class_name = pm_view_class(view, next)};
            if (edge != UINT64_MAX) ret->name = pm_view_edge(view, leak->arena, node, edge, &ret->kind);
            if (ret->name && ret->kind == PM_EDGE_CONTEXT) return true;
        }
        node = next;
    }
    return false;
}

static void tell_variable(struct pm_case *leak, const struct pm_link *variable) {
    const struct pm_graph *graph = leak->view->graph;
    struct pm_graph_position place = {0};
    pm_node closure = pm_closure_of_context(leak->view, variable->from);
    leak->name = variable->name;
    if (closure == PM_NO_NODE) return;
    if (graph->source->declaration &&
        graph->source->declaration(graph->source_self, closure, variable->name, false, &place)) {
        leak->position =
            (struct pm_position){pm_arena_strdup(leak->arena, place.file), place.line, place.column};
        free(place.file);
    } else {
        leak->position = pm_view_position(leak->view, leak->arena, closure, NULL);
    }
}

static const char advice[] = "A function that lives long keeps every variable of its scope that any function "
                             "there uses. Set large variables to null "
                             "after use, or move them out of that scope.";

/* Many functions, each with a scope of its own. */
static bool many_closures(struct pm_case *leak) {
    const struct pm_suspect *suspect = leak->suspect;
    size_t closures = 0;
    for (size_t i = 0; i < suspect->member_count; i++) {
        enum pm_node_kind kind = pm_view_kind(leak->view, suspect->members[i]);
        closures += kind == PM_NODE_CLOSURE || kind == PM_NODE_CONTEXT;
    }
    if (suspect->member_count < 2 || (double)closures < PM_CLOSURE_PART * (double)suspect->member_count)
        return false;
    struct pm_link variable;
    struct pm_place_count places[2];
    size_t kinds = pm_case_places(leak, suspect->members, suspect->member_count, places, 2);
    for (size_t i = 0; i < kinds; i++) {
        pm_case_evidence(leak,
                         pm_arena_printf(leak->arena, "function: %s",
                                         pm_case_function(leak, places[i].function, &places[i].position)));
        pm_case_position(leak, "creator", places[i].function, places[i].position);
    }
    const struct pm_link *via = pm_owner_link(&leak->owner);
    if (via)
        pm_case_evidence(leak, pm_arena_printf(leak->arena, "held by `%s`%s", via->name,
                                               pm_words_place(leak->arena, &via->position)));
    bool known = false;
    for (size_t i = 0; i < suspect->member_count && i < 5 && !known; i++) {
        pm_node member = suspect->members[i];
        known = kept_variable(leak, member, &variable) &&
                pm_view_retained(leak->view, variable.to) * 3 > pm_view_retained(leak->view, member);
    }
    /* Without one value that stands out it is the collection of functions that grows. */
    if (!known || leak->bytes / (suspect->member_total ? suspect->member_total : 1) < 4096) return false;
    tell_variable(leak, &variable);
    leak->id = "closure-retains";
    leak->what = pm_arena_printf(leak->arena, "%s functions, each with its own `%s`",
                                 pm_words_count(leak->arena, suspect->member_total), variable.name);
    if (via)
        leak->claim = pm_arena_printf(leak->arena,
                                      "%s functions held by `%s`%s keep their scope: each its own `%s`%s; "
                                      "together they retain %s (%.1f %% of the heap)",
                                      pm_words_count(leak->arena, suspect->member_total), via->name,
                                      pm_words_place(leak->arena, &via->position), variable.name,
                                      pm_words_place(leak->arena, &leak->position),
                                      pm_words_bytes(leak->arena, leak->bytes), leak->share * 100);
    leak->advice = advice;
    return true;
}

/* A variable of a function that has ended, that nothing adds to: the functions made there keep it. */
static bool ended_scope(struct pm_case *leak) {
    const struct pm_link *link = pm_owner_link(&leak->owner);
    const struct pm_graph *graph = leak->view->graph;
    if (!link || !link->is_variable || link->place != PM_PLACE_USER || !link->exact ||
        leak->owner.chosen != 0)
        return false;
    if (pm_view_kind(leak->view, link->from) != PM_NODE_CONTEXT) return false;
    pm_node closure = pm_closure_of_context(leak->view, link->from);
    struct pm_graph_position place = {0};
    uint64_t count = 0;
    char *function = NULL;
    if (closure == PM_NO_NODE || !graph->source->use) return false;
    bool added =
        graph->source->use(graph->source_self, closure, PM_GRAPH_ADDS, link->name, &count, &function, &place);
    free(function);
    free(place.file);
    if (added) return false;
    /* in a function: the scope around it is not the module's */
    place = (struct pm_graph_position){0};
    bool declared = graph->source->declaration &&
                    graph->source->declaration(graph->source_self, closure, link->name, false, &place);
    bool in_function = declared && place.in_function;
    free(place.file);
    if (!in_function) return false;
    struct pm_path_step *steps = NULL;
    size_t referrers = 0;
    pm_node closures[20];
    size_t closure_count = 0;
    struct pm_error *err = pm_graph_referrers(graph, link->from, &steps, &referrers);
    for (size_t i = 0; !err && i < referrers && closure_count < 20; i++)
        if (graph->kinds[steps[i].node] == PM_NODE_CLOSURE) closures[closure_count++] = steps[i].node;
    pm_error_destroy(err);
    free(steps);
    struct pm_place_count places[4];
    size_t kinds = pm_case_places(leak, closures, closure_count, places, 4);
    for (size_t i = 0; i < kinds; i++) {
        pm_case_evidence(leak,
                         pm_arena_printf(leak->arena, "kept by %s",
                                         pm_case_function(leak, places[i].function, &places[i].position)));
        pm_case_position(leak, "creator", places[i].function, places[i].position);
    }
    leak->id = "closure-retains";
    leak->what = "values, kept by the functions made in the same scope";
    leak->advice = advice;
    return true;
}

bool pm_pattern_closure(struct pm_case *leak) {
    enum pm_node_kind kind = pm_view_kind(leak->view, leak->node);
    if (many_closures(leak) || ended_scope(leak)) return true;
    if (kind != PM_NODE_CONTEXT && kind != PM_NODE_CLOSURE) return false;
    leak->id = "closure-retains";
    leak->what = "values held by a closure's scope";
    leak->advice = advice;
    return true;
}

/* ---- much room, little in it ---- */

/* Slots of a store that hold something of its own. */
static bool is_waste(const struct pm_case *leak, pm_node store, uint64_t *bytes_ret) {
    const struct pm_graph *graph = leak->view->graph;
    uint64_t bytes = pm_graph_shallow(graph, store);
    uint64_t slots = bytes / 8, used = 0;
    /* Small arrays have room for 17 from the first push on. Of snapshots the numbers are not known. */
    if (slots < (graph->from_snapshot ? 64 : 24)) return false;
    /* Numbers have no edges: only stores whose owner counts entries of its own can be told. */
    pm_node owner = pm_view_owner_of_store(leak->view, store);
    uint64_t entries = 0, capacity = 0;
    used = graph->first_edge[store + 1] - graph->first_edge[store];
    enum pm_node_kind kind = pm_view_kind(leak->view, owner);
    if (kind == PM_NODE_MAP || kind == PM_NODE_SET) {
        if (!graph->source->entries(graph->source_self, owner, &entries, &capacity)) return false;
        used = entries * 3;
    } else if (kind != PM_NODE_ARRAY) {
        return false;
    } else {
        PM_AUTO_STRBUF struct pm_strbuf key = {0};
        uint64_t cursor = 0;
        double number;
        bool is_number;
        entries = 0;
        while (entries * 4 < slots &&
               graph->source->next_key(graph->source_self, owner, &cursor, &key, &number, &is_number)) {
            entries++;
            pm_strbuf_clear(&key);
        }
        used = entries > used ? entries : used;
    }
    *bytes_ret = bytes;
    return (double)used < PM_WASTE_FILL * (double)slots;
}

bool pm_pattern_wasted(struct pm_case *leak) {
    const struct pm_census *census = &leak->census;
    pm_node stores[300];
    uint64_t wasted = 0, all = 0;
    pm_node example = PM_NO_NODE;
    uint64_t example_bytes = 0;
    if ((double)census->bytes_by_kind[PM_NODE_STORE] < PM_WASTE_PART * (double)census->bytes ||
        leak->suspect->member_total < PM_GROUP_LEAST)
        return false;
    size_t count = pm_case_below(leak, PM_NODE_STORE, stores, 300);
    for (size_t i = 0; i < count; i++) {
        uint64_t bytes = 0;
        all += pm_graph_shallow(leak->view->graph, stores[i]);
        if (!is_waste(leak, stores[i], &bytes)) continue;
        wasted += bytes;
        if (bytes > example_bytes) {
            example = stores[i];
            example_bytes = bytes;
        }
    }
    if (!count || !all) return false;
    double part =
        (double)wasted / (double)all * (double)census->bytes_by_kind[PM_NODE_STORE] / (double)census->bytes;
    if (part < PM_WASTE_PART) return false;
    const struct pm_link *via = pm_owner_link(&leak->owner);
    if (via)
        pm_case_evidence(leak, pm_arena_printf(leak->arena, "held by `%s`%s", via->name,
                                               pm_words_place(leak->arena, &via->position)));
    struct pm_owner owner;
    pm_node collection = pm_view_owner_of_store(leak->view, example);
    if (!pm_find_owner(leak->view, leak->arena, collection, &owner) && owner.link_count &&
        owner.links[0].name) {
        leak->name = owner.links[0].name;
        leak->position = owner.links[0].position;
        pm_case_evidence(leak,
                         pm_arena_printf(leak->arena, "for example property `%s` of %s: %s in use of %s",
                                         leak->name, owner.links[0].class_name, "little",
                                         pm_words_bytes(leak->arena, example_bytes)));
    }
    pm_case_evidence(
        leak, pm_arena_printf(leak->arena,
                              "%.0f %% of the bytes in tables and elements are those of nearly empty ones",
                              100.0 * (double)wasted / (double)all));
    leak->id = "wasted-collections";
    leak->what = "collections with much room and little in them";
    leak->advice = "Make collections when the first entry comes, not before; use arrays of the size that is "
                   "needed, and one Map for "
                   "all instead of one for each.";
    return true;
}
