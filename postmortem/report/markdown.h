/* markdown.h - inside the Markdown writer: a ticket is a row of blocks in the order of their worth. */
#ifndef PM_REPORT_MARKDOWN_H
#define PM_REPORT_MARKDOWN_H

#include "postmortem/base/strbuf.h"
#include "postmortem/report/format.h"
#include "postmortem/report/writer.h"

/* Bytes of one text at most: a ticket is read, not searched. */
#define PM_TICKET_CELL  200
#define PM_TICKET_LONG  1500
#define PM_TICKET_FILES 5 /* reports, profiles, logs that have a part of their own */

/* One line of escaped text, cut at `most` bytes. */
void pm_ticket_text(struct pm_strbuf *out, const char *text, size_t most);
void pm_ticket_item(struct pm_strbuf *out, const char *name,
                    const char *value); /* "- **name:** value", "- value" without a name; value NULL = none */
void pm_ticket_cell(struct pm_strbuf *out, const char *text);
/* "### WORD path of the input" */
void pm_ticket_title(const struct pm_diagnosis *diagnosis, const char *word, size_t input,
                     struct pm_strbuf *out);
void pm_ticket_code(struct pm_strbuf *out, const struct pm_strbuf *lines); /* a fenced block */

/* Blocks: each appends what it has, ending with an empty line. */
typedef void pm_ticket_block(const struct pm_diagnosis *diagnosis, const struct pm_write_options *options,
                             struct pm_strbuf *out);
pm_ticket_block pm_ticket_verdict, pm_ticket_findings, pm_ticket_stack, pm_ticket_coverage;
pm_ticket_block pm_ticket_answers, pm_ticket_reports, pm_ticket_profiles, pm_ticket_logs;
pm_ticket_block pm_ticket_others;
pm_ticket_block pm_ticket_dominators, pm_ticket_objects, pm_ticket_spaces, pm_ticket_details;

#endif
