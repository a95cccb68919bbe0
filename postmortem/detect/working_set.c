/* What hangs from running or suspended work, without a variable of the program that outlives it: no leak. */
#include <stdlib.h>
#include <string.h>

#include "postmortem/detect/leak_case.h"

/* Is the object there only because something is running? By its shortest way from the roots: from a stack, or
 * through a suspended function. */
static bool hangs_from_running(const struct pm_case *leak, const struct pm_paths *paths, bool *suspended) {
    struct pm_path_step *steps = NULL;
    size_t count = 0;
    struct pm_error *err = paths ? pm_paths_to(paths, leak->node, &steps, &count) : NULL;
    bool transient = !err && count > 1 && steps[1].edge < leak->view->graph->transient_roots;
    /* the running function's scope and the running microtask stand among V8's own roots, in snapshots some
     * steps down */
    for (size_t i = 1; !err && i < count && i < 4 && !transient; i++) {
        enum pm_edge_kind kind;
        const char *edge = pm_view_edge(leak->view, leak->arena, steps[i - 1].node, steps[i].edge, &kind);
        enum pm_node_kind to = pm_view_kind(leak->view, steps[i].node);
        transient = to == PM_NODE_CONTEXT || (edge && strstr(edge, "current_microtask"));
        if (to != PM_NODE_OTHER && to != PM_NODE_NATIVE && to != PM_NODE_ROOT) break;
    }
    for (size_t i = 1; !err && i < count; i++)
        switch ((enum pm_node_kind)leak->view->graph->kinds[steps[i].node]) {
        case PM_NODE_GENERATOR:
        case PM_NODE_PROMISE:
        case PM_NODE_PROMISE_REACTION: *suspended = true; break;
        default: break;
        }
    pm_error_destroy(err);
    free(steps);
    return transient;
}

bool pm_owner_is_program(const struct pm_owner *owner) {
    for (size_t i = 0; i < owner->link_count; i++)
        if (owner->links[i].name && owner->links[i].place == PM_PLACE_USER &&
            (owner->links[i].kind == PM_EDGE_PROPERTY || owner->links[i].is_variable ||
             owner->links[i].is_global))
            return true;
    return false;
}

/* Requests that are being served or waited for: evidence of work in flight. */
static void tell_requests(struct pm_case *leak) {
    static const struct {
        const char *class_name, *what;
    } kinds[] = {{"ServerResponse", "requests being answered"},
                 {"Http2ServerResponse", "HTTP/2 requests being answered"},
                 {"ClientRequest", "requests sent to others"}};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        uint64_t total = 0;
        pm_node one;
        (void)pm_case_all_of_class(leak, kinds[i].class_name, &one, 1, &total);
        if (total >= PM_GROUP_LEAST)
            pm_case_evidence(leak, pm_arena_printf(leak->arena, "%s: %s (objects %s)", kinds[i].what,
                                                   pm_words_count(leak->arena, total), kinds[i].class_name));
    }
}

/* Many suspended calls are work in flight, and whether they ever go on one dump cannot tell; a few, or the
 * running code, are a job. */
void pm_case_tell_working_set(struct pm_case *leak, bool suspended) {
    struct pm_arena *arena = leak->arena;
    uint64_t calls = leak->census.by_kind[PM_NODE_GENERATOR];
    leak->id = "working-set";
    leak->innocent = true;
    leak->position_count = 0;
    leak->unsure = suspended && calls >= PM_IN_FLIGHT_LEAST;
    const char *bytes = pm_words_bytes(arena, leak->bytes);
    if (leak->unsure) {
        (void)pm_case_tell_waiting(leak);
        tell_requests(leak);
        leak->claim =
            pm_arena_printf(arena,
                            "Work in flight, probably not a leak: %s (%.1f %% of the heap%s) are held "
                            "by %s calls that are suspended at an await.",
                            bytes, leak->share * 100, pm_case_of_words(leak), pm_words_count(arena, calls));
        leak->advice =
            "No variable of the program keeps them, so it is as much as comes in; but one dump cannot tell "
            "whether what they wait for ever comes. Limit how many run at once and give each a timeout; "
            "compare a second dump if the load was not unusual.";
        return;
    }
    leak->claim =
        pm_arena_printf(arena, "A working set, not a leak: %s (%.1f %% of the heap%s) are held by %s.", bytes,
                        leak->share * 100, pm_case_of_words(leak),
                        suspended ? "work that is suspended at an await" : "the running code");
    leak->advice =
        "This memory hangs from the running code, not from a variable that outlives it: it is what the work "
        "at hand "
        "needs. Give the process a larger heap (--max-old-space-size), or do the work in smaller parts.";
}

bool pm_case_is_working_set(struct pm_case *leak, struct pm_paths **paths, bool *suspended) {
    const struct pm_owner *owner = &leak->owner;
    if (owner->end == PM_END_VARIABLE || owner->end == PM_END_GLOBAL || leak->no_holder || leak->innocent ||
        leak->backlog)
        return false;
    bool group = leak->suspect->container == PM_NO_NODE;
    if (!group && owner->end != PM_END_TRANSIENT && owner->end != PM_END_NOTHING &&
        pm_owner_is_program(owner))
        return false;
    if (pm_owner_is_program(owner) && owner->link_count && owner->links[0].place == PM_PLACE_USER)
        return false;
    if (!*paths) pm_error_destroy(pm_paths_create(leak->view->graph, paths));
    bool transient = hangs_from_running(leak, *paths, suspended);
    if (owner->end == PM_END_TRANSIENT || owner->end == PM_END_NOTHING) return true;
    return transient || *suspended;
}
