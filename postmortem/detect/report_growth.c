/* What grew between two reports of one process: how fast, and when it will meet its limit. */
#include <math.h>

#include "postmortem/detect/detector.h"
#include "postmortem/detect/report_finding.h"
#include "postmortem/detect/report_thresholds.h"
#include "postmortem/model/report_compare.h"

static const struct {
    const char *what;
    double least; /* of growth */
} watched[] = {
    {"used heap", PM_GROWTH_BYTES},        {"memory outside the heap", PM_GROWTH_BYTES},
    {"resident memory", PM_GROWTH_BYTES},  {"TCP sockets", PM_GROWTH_HANDLES},
    {"pipes", PM_GROWTH_HANDLES},          {"timers", PM_GROWTH_HANDLES},
    {"file watchers", PM_GROWTH_HANDLES},  {"child processes", PM_GROWTH_HANDLES},
    {"UDP sockets", PM_GROWTH_HANDLES},    {"native contexts", PM_GROWTH_HANDLES},
    {"worker threads", PM_GROWTH_HANDLES},
};

static bool grew(const struct pm_report_change *change, double least) {
    return change && change->after - change->before >= least &&
           change->after >= change->before * (1 + PM_GROWTH_SHARE);
}

static const char *amount(struct pm_arena *arena, const struct pm_report_change *change, double value) {
    return change->unit == PM_CHANGE_BYTES ? pm_report_bytes(arena, (uint64_t)value)
                                           : pm_report_count_text(arena, (uint64_t)value);
}

static struct pm_error *run(struct pm_diagnosis *diagnosis, const struct pm_heap_view *heap) {
    const struct pm_report_comparison *comparison = diagnosis->report_comparison;
    struct pm_arena *arena = diagnosis->arena;
    const struct pm_report_change *first = NULL;
    (void)heap;
    if (!comparison || !comparison->same_process) return NULL;
    for (size_t i = 0; i < sizeof(watched) / sizeof(watched[0]) && !first; i++) {
        const struct pm_report_change *change = pm_report_change(comparison, watched[i].what);
        if (grew(change, watched[i].least)) first = change;
    }
    if (!first) return NULL;
    struct pm_claim claim = pm_claim_begin(diagnosis, "growth", PM_SEVERITY_HIGH, PM_CONFIDENCE_MEDIUM);
    double gain = first->after - first->before, seconds = comparison->seconds;
    pm_claim_title(&claim, "%s grew", first->what);
    if (seconds > 0)
        pm_claim_text(&claim, "Between the two reports (%.0f seconds) %s grew from %s to %s.", seconds,
                      first->what, amount(arena, first, first->before), amount(arena, first, first->after));
    else
        pm_claim_text(&claim, "Between the two reports %s grew from %s to %s.", first->what,
                      amount(arena, first, first->before), amount(arena, first, first->after));
    for (size_t i = 0; i < sizeof(watched) / sizeof(watched[0]); i++) {
        const struct pm_report_change *change = pm_report_change(comparison, watched[i].what);
        if (change != first && grew(change, watched[i].least))
            pm_claim_evidence(&claim, "%s: %s, then %s", change->what, amount(arena, change, change->before),
                              amount(arena, change, change->after));
    }
    const struct pm_report_facts *facts = pm_report_to_judge(diagnosis);
    uint64_t limit = diagnosis->process.max_old_space_flag != PM_UNKNOWN
                         ? diagnosis->process.max_old_space_flag
                         : facts->heap.limit;
    const struct pm_report_change *used = pm_report_change(comparison, "used heap");
    if (first == used && seconds > 0 && pm_is_number(limit) && (double)limit > used->after)
        pm_claim_evidence(&claim, "at this rate the heap limit of %s is reached %.0f minutes later",
                          pm_report_bytes(arena, limit),
                          ((double)limit - used->after) / (gain / seconds) / 60);
    pm_claim_advice(&claim, "Two reports do not tell a leak from a warm cache: take a third one. If it grows "
                            "again, take a core (gcore) or a "
                            "heap snapshot, which says who holds it.");
    return pm_claim_end(&claim);
}

const struct pm_detector pm_detect_report_growth = {
    .name = "growth",
    .summary = "what grew between two reports of one process",
    .needs = PM_NEEDS_REPORT,
    .run = run,
};
