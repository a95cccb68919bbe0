/* text.h - inside the text writer: one page for a terminal, its parts in text_*.c. */
#ifndef PM_REPORT_TEXT_H
#define PM_REPORT_TEXT_H

#include "postmortem/base/strbuf.h"
#include "postmortem/report/writer.h"

struct pm_page {
    const struct pm_diagnosis *diagnosis;
    const struct pm_write_options *options;
    unsigned columns;
    FILE *out;
    const char *
        folder; /* of the user's code: said once, left out of paths (short_paths.h); NULL = paths are whole */
};

enum pm_style { PM_PLAIN, PM_BOLD, PM_DIM, PM_WARN };

/* The label column of the page; texts of an entry start behind it. */
#define PM_LABEL_WIDTH 11

/* A labelled paragraph, wrapped at words; untrusted text is escaped. label NULL continues the entry before.
 */
void pm_page_entry(const struct pm_page *page, const char *label, enum pm_style style, const char *text);
void pm_page_entryf(const struct pm_page *page, const char *label, enum pm_style style, const char *format,
                    ...) __attribute__((format(printf, 4, 5)));
/* The same with short paths. */
void pm_page_prose(const struct pm_page *page, const char *label, enum pm_style style, const char *text);
void pm_page_gap(const struct pm_page *page); /* an empty line */
const char *pm_page_style(const struct pm_page *page, enum pm_style style);
const char *pm_page_reset(const struct pm_page *page, enum pm_style style);
/* Rows to show: --limit, else `usual`. */
size_t pm_page_rows(const struct pm_page *page, size_t count, size_t usual);

void pm_page_process(const struct pm_page *page);
void pm_page_details(const struct pm_page *page);
void pm_page_isolates(const struct pm_page *page);
void pm_page_stack(const struct pm_page *page, const struct pm_thread *thread, size_t usual_frames);
void pm_page_other_threads(const struct pm_page *page, const struct pm_thread *shown);
void pm_page_reports(const struct pm_page *page); /* and pods */
void pm_page_object(const struct pm_page *page);
void pm_page_object_list(const struct pm_page *page);
void pm_page_profiles(const struct pm_page *page);
void pm_page_logs(const struct pm_page *page);
void pm_page_answers(const struct pm_page *page);
void pm_page_layout(const struct pm_page *page);

#endif
