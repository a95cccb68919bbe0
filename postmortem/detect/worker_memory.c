/* worker_memory.c - a worker thread that reached the limit of its heap takes that heap along: what is left is
 * the error on the main thread, and the Worker object, which tells nothing but its name and who holds it. */
#include <string.h>

#include "postmortem/detect/detect_words.h"
#include "postmortem/detect/detector.h"
#include "postmortem/detect/owner.h"
#include "postmortem/detect/report_finding.h"

static pm_node find_error(const struct pm_heap_view *view, struct pm_arena *arena) {
    for (pm_node node = 1; node < view->graph->node_count; node++) {
        if (pm_view_kind(view, node) != PM_NODE_ERROR || !pm_view_reachable(view, node)) continue;
        const char *code = pm_view_text_of(view, arena, node, "code");
        if (code && strcmp(code, "ERR_WORKER_OUT_OF_MEMORY") == 0) return node;
    }
    return PM_NO_NODE;
}

static bool has(const struct pm_heap_view *view, pm_node node, const char *property) {
    return view->graph->source->property(view->graph->source_self, node, property) != PM_NO_NODE;
}

/* The Worker objects whose thread has ended (their handle is null); how many, and one of them. */
static size_t find_ended(const struct pm_heap_view *view, pm_node *ret) {
    size_t count = 0;
    for (pm_node node = 1; view->graph->source->property && node < view->graph->node_count; node++) {
        if (pm_view_kind(view, node) != PM_NODE_OBJECT || strcmp(pm_view_class(view, node), "Worker") != 0 ||
            !pm_view_reachable(view, node) || !has(view, node, "performance") || has(view, node, "kHandle"))
            continue;
        if (!count++) *ret = node;
    }
    return count;
}

static struct pm_error *run(struct pm_diagnosis *diagnosis, const struct pm_heap_view *view) {
    struct pm_arena *arena = diagnosis->arena;
    pm_node error = find_error(view, arena), worker = PM_NO_NODE;
    if (error == PM_NO_NODE) return NULL;
    struct pm_claim claim =
        pm_claim_begin(diagnosis, "worker-out-of-memory", PM_SEVERITY_HIGH, PM_CONFIDENCE_HIGH);
    if (claim.failed) return pm_error_nomem();
    const char *which = "";
    pm_claim_title(&claim, "a worker thread ran out of memory");
    if (find_ended(view, &worker) == 1) {
        struct pm_owner owner;
        PM_TRY(pm_find_owner(view, arena, worker, &owner));
        const struct pm_link *link = pm_owner_link(&owner);
        bool named = link && link->place == PM_PLACE_USER && link->name;
        if (named)
            which = pm_arena_printf(arena, "%s, held by `%s`%s,", which, pm_owner_expression(arena, &owner),
                                    pm_words_place(arena, &link->position));
        if (named) {
            claim.finding->owner_name = link->name;
            claim.finding->owner = link->position;
        }
    }
    pm_claim_text(&claim,
                  "The worker thread%s reached the limit of its own heap (ERR_WORKER_OUT_OF_MEMORY); that "
                  "heap went with it, this one is another thread's.",
                  which);
    pm_claim_advice(&claim, "Raise resourceLimits.maxOldGenerationSizeMb of the Worker if it needs more. To "
                            "see what fills its heap, take worker.getHeapSnapshot() while it grows, or a "
                            "core of the process before the limit, and give that to postmortem.");
    pm_claim_evidence(&claim, "error: %s", pm_view_describe(view, arena, error, 120));
    return pm_claim_end(&claim);
}

const struct pm_detector pm_detect_worker_memory = {
    .name = "worker-out-of-memory",
    .summary = "a worker thread that reached the limit of its heap",
    .needs = PM_NEEDS_PROCESS | PM_NEEDS_HEAP,
    .run = run,
};
