#include "postmortem/detect/detector.h"

/* One line each; the order is only the order of the report. */
static const struct pm_detector *const detectors[] = {
    NULL, /* the end */
};

const struct pm_detector *const *pm_detectors(size_t *count_ret) {
    *count_ret = sizeof(detectors) / sizeof(detectors[0]) - 1;
    return detectors;
}

static unsigned available(const struct pm_diagnosis *diagnosis) {
    return (diagnosis->has_process ? (unsigned)PM_NEEDS_PROCESS : 0) |
           (diagnosis->has_threads ? (unsigned)PM_NEEDS_THREADS : 0) |
           (diagnosis->has_isolates ? (unsigned)PM_NEEDS_ISOLATES : 0) |
           (diagnosis->has_histogram ? (unsigned)PM_NEEDS_HISTOGRAM : 0);
}

void pm_detect(struct pm_diagnosis *diagnosis) {
    for (size_t i = 0; detectors[i]; i++)
        if ((detectors[i]->needs & ~available(diagnosis)) == 0)
            pm_diagnosis_problem(diagnosis, detectors[i]->run(diagnosis));
}
