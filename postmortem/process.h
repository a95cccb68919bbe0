/* process.h - the process as the core file tells it: numbers, command line, environment, limits. No heap, no
 * stack. */
#ifndef PM_PROCESS_H
#define PM_PROCESS_H

#include "parsers/core_file.h"
#include "postmortem/model/diagnosis.h"

/* Fills diagnosis->process but its versions and its death. FAILURE: without memory. */
struct pm_error *pm_process_read(const struct pm_core *core, struct pm_diagnosis *diagnosis);
/* Is it a variable whose value may explain a death? Others are not shown. */
bool pm_process_wants(const char *name);
/* The limits that argv and NODE_OPTIONS set; the others keep their value. */
void pm_process_read_flags(struct pm_process *process);

#endif
