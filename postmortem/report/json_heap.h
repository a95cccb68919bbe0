/* json_heap.h - inside the JSON writer: the parts of it that tell of a heap. */
#ifndef PM_REPORT_JSON_HEAP_H
#define PM_REPORT_JSON_HEAP_H

#include "postmortem/report/json_writer.h"
#include "postmortem/report/writer.h"

void pm_json_dominators(struct pm_json *json, const struct pm_diagnosis *diagnosis,
                        const struct pm_isolate *isolate, size_t limit);
void pm_json_groups(struct pm_json *json, const struct pm_isolate *isolate, size_t limit);
void pm_json_object_list(struct pm_json *json, const struct pm_diagnosis *diagnosis);
/* retainers, strings, comparison, exported: what is there. */
void pm_json_answers(struct pm_json *json, const struct pm_diagnosis *diagnosis, unsigned show);

#endif
