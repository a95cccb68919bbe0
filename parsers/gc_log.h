/* gc_log.h - the text a process left: `kubectl logs --previous`, stderr, docker's files. Collections, last
 * words, the uncaught exception; everything else is passed over.
 *
 * Any size, constant memory: one pass looks at lines with a known word (log_scan.h), keeps a bounded number
 * of rows and remembers where the last of each kind of last words stands; those are then read. */
#ifndef PM_PARSERS_GC_LOG_H
#define PM_PARSERS_GC_LOG_H

#include "parsers/input.h"
#include "postmortem/model/gc_log.h"

/* Text that may be a log: plain text, or a JSON object on each line. */
bool pm_gc_log_sniff(const struct pm_input *input);
struct pm_error *pm_gc_log_load(const struct pm_input *input, struct pm_diagnosis *diagnosis);

#endif
