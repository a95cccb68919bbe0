/* html.h - inside the HTML writer: the page and its parts in html_*.c.
 *
 * TO ADD A SECTION: a function that appends the inside of the section (nothing = there is no such section), a
 * row in html.c. Texts of the diagnosis go through pm_html_text(), pm_html_prose() or pm_html_cell*() only:
 * they escape and cut. The Content-Security-Policy allows no inline style and no inline event handler. */
#ifndef PM_REPORT_HTML_H
#define PM_REPORT_HTML_H

#include "postmortem/base/strbuf.h"
#include "postmortem/report/format.h"
#include "postmortem/report/writer.h"

struct pm_html {
    const struct pm_diagnosis *diagnosis;
    const struct pm_write_options *options;
    struct pm_strbuf *out; /* the section that is being written */
    size_t most;           /* bytes the section may have: then tables end and say so */
};

/* Characters of one text at most. */
#define PM_HTML_NAME 300
#define PM_HTML_LONG 4000

void pm_html_text(const struct pm_html *page, const char *text, size_t most); /* NULL = nothing */
/* Our own sentences, which may quote the user's names: `like this` becomes code. */
void pm_html_prose(const struct pm_html *page, const char *text);
void pm_html_paragraph(const struct pm_html *page, const char *class_name, const char *text);
void pm_html_code(const struct pm_html *page, const char *text);    /* inline */
void pm_html_command(const struct pm_html *page, const char *text); /* with a button to copy it */
void pm_html_lines(const struct pm_html *page, const char *text);   /* a block of preformatted lines */
void pm_html_position(const struct pm_html *page, const struct pm_position *position);
/* A row of a <dl>; value NULL = no row. */
void pm_html_fact(const struct pm_html *page, const char *name, const char *value);

/* Tables: columns are "name" or "#name" (numbers, to the right). `kind`: "sorts", "sorts filters", "". */
void pm_html_table(const struct pm_html *page, const char *kind, const char *const *columns, size_t count);
void pm_html_table_end(const struct pm_html *page);
void pm_html_cell(const struct pm_html *page, const char *text);
void pm_html_cell_number(const struct pm_html *page, uint64_t value,
                         const char *shown); /* value: to sort by */
void pm_html_cell_bytes(const struct pm_html *page, uint64_t bytes);
void pm_html_cell_count(const struct pm_html *page, uint64_t count);
void pm_html_cell_share(const struct pm_html *page, uint64_t part, uint64_t whole);
/* false: the section is full; no more rows. */
bool pm_html_room(const struct pm_html *page);
/* "12 more rows are not shown." unless there are none. */
void pm_html_left_out(const struct pm_html *page, uint64_t count, const char *what);
/* Rows to show: --limit, else `usual`. */
size_t pm_html_rows(const struct pm_html *page, size_t count, size_t usual);

/* A heading, when there are several isolates. */
void pm_html_isolate_title(const struct pm_html *page, const struct pm_isolate *isolate);

/* One line of a stack, inside <ol class="stack">. */
void pm_html_frame(const struct pm_html *page, const struct pm_frame *frame, size_t number);

/* The sections. */
void pm_html_findings(const struct pm_html *page);
void pm_html_process(const struct pm_html *page);
void pm_html_environment(const struct pm_html *page);
void pm_html_memory(const struct pm_html *page);
void pm_html_retained(const struct pm_html *page);
void pm_html_objects(const struct pm_html *page);
void pm_html_stack(const struct pm_html *page);
void pm_html_threads(const struct pm_html *page);
void pm_html_reports(const struct pm_html *page);
void pm_html_pods(const struct pm_html *page);
void pm_html_profiles(const struct pm_html *page);
void pm_html_profile_comparison(const struct pm_html *page);
void pm_html_logs(const struct pm_html *page);
void pm_html_object(const struct pm_html *page);
void pm_html_answers(const struct pm_html *page);
void pm_html_layout(const struct pm_html *page);
void pm_html_coverage(const struct pm_html *page);
void pm_html_others(const struct pm_html *page);

struct pm_gc_series;
void pm_html_gc_plot(const struct pm_html *page, const struct pm_gc_series *series);

#endif
