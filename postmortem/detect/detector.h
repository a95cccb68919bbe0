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

#include "postmortem/model/diagnosis.h"

enum pm_needs {
    PM_NEEDS_PROCESS = 1 << 0,
    PM_NEEDS_THREADS = 1 << 1,
    PM_NEEDS_ISOLATES = 1 << 2,
    PM_NEEDS_HISTOGRAM = 1 << 3
};

struct pm_detector {
    const char *name; /* the finding's id */
    const char *summary;
    unsigned needs; /* of enum pm_needs: it is not run without them */
    struct pm_error *(*run)(struct pm_diagnosis *diagnosis);
};

const struct pm_detector *const *pm_detectors(size_t *count_ret);
/* Runs every detector whose needs are met. */
void pm_detect(struct pm_diagnosis *diagnosis);

#endif
