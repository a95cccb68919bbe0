/* report_parts.h - inside the reader of reports: one function for each section. */
#ifndef PM_PARSERS_REPORT_PARTS_H
#define PM_PARSERS_REPORT_PARTS_H

#include "parsers/json_fields.h"
#include "postmortem/model/report_facts.h"

/* Each is given an item of any type and fills what is of use. */
void pm_report_clear(struct pm_report_facts *facts); /* everything unknown */
void pm_report_read_header(struct pm_json_reader *reader, const cJSON *item, struct pm_report_facts *facts);
void pm_report_read_error(struct pm_json_reader *reader, const cJSON *item, struct pm_report_facts *facts);
void pm_report_read_native(struct pm_json_reader *reader, const cJSON *item, struct pm_report_facts *facts);
void pm_report_read_heap(struct pm_json_reader *reader, const cJSON *item, struct pm_report_facts *facts);
void pm_report_read_usage(struct pm_json_reader *reader, const cJSON *item, struct pm_report_facts *facts);
void pm_report_read_thread_usage(struct pm_json_reader *reader, const cJSON *item,
                                 struct pm_report_facts *facts);
void pm_report_read_handles(struct pm_json_reader *reader, const cJSON *item, struct pm_report_facts *facts);
void pm_report_read_limits(struct pm_json_reader *reader, const cJSON *item, struct pm_report_facts *facts);
void pm_report_clear_usage(struct pm_report_usage *usage);
void pm_report_clear_heap(struct pm_report_heap *heap);

#endif
