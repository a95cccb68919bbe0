/* detector.h - findings: a detector reads the model and appends findings. It prints nothing and sees no
 * other's findings.
 *
 * TO ADD A DETECTOR: NAME.c with one `const struct pm_detector`, a line in detectors.c, the source in
 * CMakeLists.txt, a test in tests/detect/ with a hand-built model, and a case in corpora/cores/ whose app.js
 * has the fault planted.
 *
 * The words of a finding name the user's things (variable, file, line), not V8's. Text goes to the diagnosis'
 * arena. OWNERSHIP  the diagnosis owns everything a detector adds. FAILURE  a detector that fails becomes a
 * problem of the run. */
#ifndef PM_DETECT_DETECTOR_H
#define PM_DETECT_DETECTOR_H

#include "postmortem/detect/heap_view.h"
#include "postmortem/model/diagnosis.h"

enum pm_needs {
    PM_NEEDS_PROCESS = 1 << 0,
    PM_NEEDS_THREADS = 1 << 1,
    PM_NEEDS_ISOLATES = 1 << 2,
    PM_NEEDS_HISTOGRAM = 1 << 3,
    PM_NEEDS_HEAP = 1 << 4, /* the graph with its dominators, of a core or a snapshot */
    PM_NEEDS_REPORT = 1 << 5,
    PM_NEEDS_PROFILE = 1 << 6,
    PM_NEEDS_GC_LOG = 1 << 7,
    PM_NEEDS_POD = 1 << 8,
};

struct pm_detector {
    const char *name; /* the finding's id */
    const char *summary;
    unsigned needs; /* of enum pm_needs: it is not run without them */
    struct pm_error *(*run)(struct pm_diagnosis *diagnosis, const struct pm_heap_view *heap);
};

/* clang-format off */
extern const struct pm_detector pm_detect_leaks;
extern const struct pm_detector pm_detect_blocked;
extern const struct pm_detector pm_detect_gc_log;
extern const struct pm_detector pm_detect_overflow;
extern const struct pm_detector pm_detect_pod;
extern const struct pm_detector pm_detect_profile_cpu;
extern const struct pm_detector pm_detect_profile_heap;
extern const struct pm_detector pm_detect_report_death;
extern const struct pm_detector pm_detect_report_growth;
extern const struct pm_detector pm_detect_report_handles;
extern const struct pm_detector pm_detect_report_loop;
extern const struct pm_detector pm_detect_report_memory;
extern const struct pm_detector pm_detect_report_system;
extern const struct pm_detector pm_detect_uncaught;
extern const struct pm_detector pm_detect_worker_memory;
/* clang-format on */

const struct pm_detector *const *pm_detectors(size_t *count_ret);
/* Runs every detector whose needs are met; heap may be NULL. What fails is a problem of the run. */
void pm_detect(struct pm_diagnosis *diagnosis, const struct pm_heap_view *heap);

#endif
