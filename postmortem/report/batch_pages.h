/* batch_pages.h - the groups of a batch in each format (inside the writers). */
#ifndef PM_REPORT_BATCH_PAGES_H
#define PM_REPORT_BATCH_PAGES_H

#include "postmortem/model/batch.h"
#include "postmortem/report/html.h"
#include "postmortem/report/json_writer.h"
#include "postmortem/report/text.h"

void pm_page_batch(const struct pm_page *page);
void pm_json_batch(struct pm_json *json, const struct pm_batch *batch);
void pm_markdown_batch(const struct pm_batch *batch, struct pm_strbuf *out);
void pm_html_batch(const struct pm_html *page);

#endif
