/* json_report.h - inside the JSON writer: what single reports and pods say, and the event loop as a report
 * lists it. */
#ifndef PM_REPORT_JSON_REPORT_H
#define PM_REPORT_JSON_REPORT_H

#include "postmortem/report/json_writer.h"
#include "postmortem/report/writer.h"

void pm_json_reports(struct pm_json *json, const struct pm_diagnosis *diagnosis);
/* Of two reports; diagnosis->report_comparison is not NULL. */
void pm_json_report_comparison(struct pm_json *json, const struct pm_diagnosis *diagnosis);
void pm_json_pods(struct pm_json *json, const struct pm_diagnosis *diagnosis);
/* One loop for the main thread and each worker of every report. */
void pm_json_core_loops(struct pm_json *json, const struct pm_diagnosis *diagnosis); /* json_loop.c */
void pm_json_thread_pool(struct pm_json *json, const struct pm_thread_pool *pool);
void pm_json_event_loops(struct pm_json *json, const struct pm_diagnosis *diagnosis);

#endif
