/* sample.h - a diagnosis built by hand: everything a writer has to print, with hostile texts where a heap
 * would put them. */
#ifndef PM_TESTS_SAMPLE_H
#define PM_TESTS_SAMPLE_H

#include "postmortem/model/diagnosis.h"

/* An out-of-memory core with a worker, a finding, unknown values and skipped parts. */
struct pm_diagnosis *sample_full(void);
/* A core of which nearly nothing could be read. */
struct pm_diagnosis *sample_poor(void);
/* What inspect, objects and layouts add. */
void sample_add_objects(struct pm_diagnosis *diagnosis);
/* Dominators, a report, a profile, a log, a pod. */
void sample_add_facts(struct pm_diagnosis *diagnosis);

#endif
