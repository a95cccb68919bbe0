#include "postmortem/detect/detector.h"

/* One line each; the order is only the order of the report. */
/* clang-format off */
static const struct pm_detector *const detectors[] = {
    &pm_detect_blocked,
    &pm_detect_uncaught,
    &pm_detect_overflow,
    &pm_detect_worker_memory,
    &pm_detect_leaks,
    &pm_detect_report_death,
    &pm_detect_pod,
    &pm_detect_report_growth,
    &pm_detect_report_memory,
    &pm_detect_report_loop,
    &pm_detect_report_handles,
    &pm_detect_report_system,
    &pm_detect_gc_log,
    &pm_detect_profile_heap,
    &pm_detect_profile_cpu,
};
/* clang-format on */
static const size_t detector_count = sizeof(detectors) / sizeof(detectors[0]);

const struct pm_detector *const *pm_detectors(size_t *count_ret) {
    *count_ret = detector_count;
    return detectors;
}

static unsigned available(const struct pm_diagnosis *diagnosis, const struct pm_heap_view *heap) {
    return (diagnosis->has_process ? (unsigned)PM_NEEDS_PROCESS : 0) |
           (diagnosis->has_threads ? (unsigned)PM_NEEDS_THREADS : 0) |
           (diagnosis->has_isolates ? (unsigned)PM_NEEDS_ISOLATES : 0) |
           (diagnosis->has_histogram ? (unsigned)PM_NEEDS_HISTOGRAM : 0) |
           (heap ? (unsigned)PM_NEEDS_HEAP : 0) | (diagnosis->report_count ? (unsigned)PM_NEEDS_REPORT : 0) |
           (diagnosis->profile_count ? (unsigned)PM_NEEDS_PROFILE : 0) |
           (diagnosis->gc_log_count ? (unsigned)PM_NEEDS_GC_LOG : 0) |
           (diagnosis->pod_count ? (unsigned)PM_NEEDS_POD : 0);
}

/* The gravest first; of equal ones in the order of the detectors. Information last. */
static void sort(struct pm_diagnosis *diagnosis) {
    for (size_t i = 1; i < diagnosis->finding_count; i++) {
        struct pm_finding finding = diagnosis->findings[i];
        size_t at = i;
        for (; at > 0 && diagnosis->findings[at - 1].severity < finding.severity; at--)
            diagnosis->findings[at] = diagnosis->findings[at - 1];
        diagnosis->findings[at] = finding;
    }
}

void pm_detect(struct pm_diagnosis *diagnosis, const struct pm_heap_view *heap) {
    for (size_t i = 0; i < detector_count; i++)
        if ((detectors[i]->needs & ~available(diagnosis, heap)) == 0)
            pm_diagnosis_problem(diagnosis, detectors[i]->run(diagnosis, heap));
    sort(diagnosis);
}
