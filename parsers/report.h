/* report.h - diagnostic reports of Node.js (JSON), reportVersion 1 to 5, full or --report-compact, whole or
 * cut.
 *
 * Knows the names Node gives its fields and their changes (facts: struct pm_report_facts). Decides nothing.
 *
 *   version 1 (Node 12)   no threadId; libuv endpoints as texts in some releases
 *   version 2, 3          workers, cpus; rss, constrained_memory (3)
 *   version 4             ip4 and ip6 beside host
 *   version 5             userLimits in *_bytes; environment and network may be left out
 *
 * FAILURE  pm_report_load(): without memory, or when it is no JSON. What is cut, unknown or of a wrong type
 * is counted in the coverage. */
#ifndef PM_PARSERS_REPORT_H
#define PM_PARSERS_REPORT_H

#include "parsers/input.h"
#include "postmortem/model/diagnosis.h"

struct pm_error *pm_report_load(const struct pm_input *input, struct pm_diagnosis *diagnosis);

#endif
