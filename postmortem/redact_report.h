/* redact_report.h - secrets out of what single reports and pods say. */
#ifndef PM_REDACT_REPORT_H
#define PM_REDACT_REPORT_H

#include "postmortem/redact.h"

/* By default texts are searched for secrets as everywhere, and the error's message like a heap string when
 * heap_strings is set. Strict: no content of errors, no host, address or path of a socket, MAC, IP, host
 * name. */
void pm_redact_reports(const struct pm_redactor *redactor, bool heap_strings, bool strict,
                       struct pm_diagnosis *diagnosis);

#endif
