/* report_words.h - a report or a pod in a few labelled lines, the same for every format for people. */
#ifndef PM_REPORT_REPORT_WORDS_H
#define PM_REPORT_REPORT_WORDS_H

#include "postmortem/base/strbuf.h"
#include "postmortem/model/pod.h"
#include "postmortem/model/report_facts.h"

#define PM_REPORT_ROWS 16

struct pm_report_rows {
    struct {
        const char *label;     /* NULL continues the row before */
        struct pm_strbuf text; /* untrusted */
    } rows[PM_REPORT_ROWS];
    size_t count;
};

void pm_report_words(const struct pm_report_facts *facts, struct pm_report_rows *ret);
void pm_pod_words(const struct pm_pod *pod, struct pm_report_rows *ret);
void pm_report_rows_deinit(struct pm_report_rows *rows);

#define PM_AUTO_REPORT_ROWS __attribute__((cleanup(pm_report_rows_deinit)))

#endif
