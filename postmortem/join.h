/* join.h - several files of one incident read as one. What the core does not say (or there is no core) is
 * taken from the next best file, in this order, and process.origins says from which:
 *
 *   core -> report -> log -> pod
 *
 * What files contradict each other in becomes a finding, "inputs-disagree": nothing is merged in silence. A
 * heap profile adds who allocated what a finding says is kept.
 * OWNERSHIP  everything in the diagnosis' arena. FAILURE  none: without memory a fact stays unknown. */
#ifndef PM_JOIN_H
#define PM_JOIN_H

#include "postmortem/model/diagnosis.h"

/* Before the detectors; a core has filled the process by then. Errors become problems. */
void pm_join_process(struct pm_diagnosis *diagnosis);
/* Behind them: contradictions, and the places of allocation. */
void pm_join_findings(struct pm_diagnosis *diagnosis);

#endif
