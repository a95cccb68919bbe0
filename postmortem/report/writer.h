/* writer.h - output formats: a finished diagnosis in, text out. Writers compute nothing.
 *
 * TO ADD A FORMAT: NAME.c with one `const struct pm_writer`, a line in writers.c, the source in
 * CMakeLists.txt, a golden file in tests/report/golden/ (the test writes the shared sample diagnosis through
 * every writer of the list).
 *
 * Every text of a diagnosis is untrusted: a writer escapes it for where it goes (base/escape.h). Redaction
 * has happened before (postmortem/redact.h). FAILURE  writing to the stream: the caller asks ferror(). */
#ifndef PM_REPORT_WRITER_H
#define PM_REPORT_WRITER_H

#include <stdbool.h>
#include <stdio.h>

#include "postmortem/model/diagnosis.h"

/* The parts of a diagnosis that a command wants to see. */
enum pm_section {
    PM_SHOW_PROCESS = 1 << 0,
    PM_SHOW_FINDINGS = 1 << 1, /* verdict and findings */
    PM_SHOW_SPACES = 1 << 2,
    PM_SHOW_HISTOGRAM = 1 << 3,
    PM_SHOW_STACK = 1 << 4,   /* the thread that died; JSON: all threads */
    PM_SHOW_THREADS = 1 << 5, /* the stacks of all threads */
    PM_SHOW_OBJECT = 1 << 6,
    PM_SHOW_OBJECT_LIST = 1 << 7,
    PM_SHOW_LAYOUT = 1 << 8,
    PM_SHOW_DETAILS = 1 << 9, /* environment, last collections, other threads */
    PM_SHOW_DOMINATORS = 1 << 10,
    PM_SHOW_RETENTION = 1 << 11,
    PM_SHOW_STRINGS = 1 << 12,
    PM_SHOW_COMPARISON = 1 << 13,
    PM_SHOW_EXPORT = 1 << 14,
    PM_SHOW_BATCH = 1 << 15,
    PM_SHOW_LOOP = 1 << 16,
};

struct pm_write_options {
    unsigned sections; /* of enum pm_section */
    unsigned columns;  /* width of the terminal; 0 = 100 */
    bool color;
    bool verbose;
    size_t limit;     /* rows of a table, frames of a stack; SIZE_MAX = all, 0 = the writer's own idea */
    size_t max_bytes; /* size limit of a ticket; 0 = the writer's own idea */
};

struct pm_writer {
    const char *name; /* what --format takes */
    const char *summary;
    bool ticket; /* leaves the house: heap strings are redacted by default too */
    void (*write)(const struct pm_diagnosis *diagnosis, const struct pm_write_options *options, FILE *out);
};

extern const struct pm_writer pm_writer_text, pm_writer_json, pm_writer_markdown, pm_writer_html;

const struct pm_writer *const *pm_writers(size_t *count_ret);
const struct pm_writer *pm_writer_find(const char *name); /* NULL = no such format */

#endif
