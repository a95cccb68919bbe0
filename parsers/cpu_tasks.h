/* cpu_tasks.h - turns of the event loop in a CPU profile: what ran without a gap. */
#ifndef PM_PARSERS_CPU_TASKS_H
#define PM_PARSERS_CPU_TASKS_H

#include "postmortem/model/profile.h"

struct pm_cpu_sample {
    uint64_t start, end; /* µs from the profile's start */
    uint32_t call;       /* index in profile->calls, once they are built */
    uint32_t order;      /* in the file */
};

#define PM_LONG_TASK_US 50000 /* DevTools' and the web's own mark of a long task */

/* Fills tasks, task_count, long_tasks and long_task_time. Samples are in order of time. */
struct pm_error *pm_cpu_tasks(struct pm_arena *arena, const struct pm_cpu_sample *samples, size_t count,
                              struct pm_profile *profile);

#endif
