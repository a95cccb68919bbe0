/* report_process.h - what a diagnostic report knows of the process, its heap and its threads, put where a
 * core would put it.
 *
 * Each function fills only what is not known yet, so that a core (exact, with objects) goes first and the
 * report adds to it. */
#ifndef PM_REPORT_PROCESS_H
#define PM_REPORT_PROCESS_H

#include "postmortem/model/report_facts.h"

/* Of several reports the one that tells the death: an out-of-memory, fatal error or exception before those
 * that were asked for, a later one before an earlier one. NULL without reports. */
const struct pm_report_facts *pm_report_of_death(const struct pm_diagnosis *diagnosis);

/* diagnosis->process: pid, versions, command line, environment, flags, kind and message of the death, heap
 * used and limit. */
struct pm_error *pm_report_describe_process(const struct pm_report_facts *facts,
                                            struct pm_diagnosis *diagnosis);
/* diagnosis->isolates: the heap and its spaces, of the thread of the report and of its workers; nothing when
 * there are some. */
struct pm_error *pm_report_describe_heap(const struct pm_report_facts *facts, struct pm_diagnosis *diagnosis);
/* diagnosis->threads: the JavaScript stack (without one the native stack), also of workers; nothing when
 * there are some. */
struct pm_error *pm_report_describe_threads(const struct pm_report_facts *facts,
                                            struct pm_diagnosis *diagnosis);

/* diagnosis->report_comparison: the first and the last report of the process that pm_report_of_death() is of,
 * when there are two. `any`: two reports are compared whatever process they are of. */
struct pm_error *pm_report_find_comparison(struct pm_diagnosis *diagnosis, bool any);

#endif
