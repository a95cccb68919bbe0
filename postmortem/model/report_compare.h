/* report_compare.h - two reports of one process: what grew between them.
 *
 * OWNERSHIP  rows and texts are in the arena. FAILURE  without memory. */
#ifndef PM_MODEL_REPORT_COMPARE_H
#define PM_MODEL_REPORT_COMPARE_H

#include "postmortem/model/report_facts.h"

enum pm_change_unit { PM_CHANGE_BYTES, PM_CHANGE_COUNT, PM_CHANGE_SECONDS };

struct pm_report_change {
    const char *what; /* "resident memory", "used in old_space", "TCP sockets" */
    enum pm_change_unit unit;
    double before, after;
};

struct pm_report_comparison {
    size_t first, second; /* indices in diagnosis->inputs, by time */
    double seconds;       /* between the two; NAN = unknown */
    bool same_process;    /* pid, host and version agree, and the clock goes forward */
    struct pm_report_change
        *changes; /* only what both have and what differs; memory, loop, handles, in this order */
    size_t change_count;
};

/* The order of the two is by their time; without times as given. */
struct pm_error *pm_report_compare(const struct pm_report_facts *one, const struct pm_report_facts *other,
                                   struct pm_arena *arena, struct pm_report_comparison *ret);
/* The change of that name; NULL = none. */
const struct pm_report_change *pm_report_change(const struct pm_report_comparison *comparison,
                                                const char *what);

#endif
