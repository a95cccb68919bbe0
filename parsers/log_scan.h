/* log_scan.h - the text of a log, of any size: where something of interest stands, and its lines as the
 * program wrote them.
 *
 * Most of a log is of no use, so only lines with one of the known words are looked at (pm_log_next), at about
 * the speed of memory. A line is then freed of what loggers put around it (pm_log_line): docker's JSON, the
 * fields of containerd (CRI), timestamps, "[pod/...]", "service | ", syslog's head, ANSI colours, CR.
 *
 * OWNERSHIP  borrows the bytes. FAILURE  none: without memory a line is empty. */
#ifndef PM_PARSERS_LOG_SCAN_H
#define PM_PARSERS_LOG_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "postmortem/base/strbuf.h"

#define PM_LOG_LINE (64 * 1024) /* more of one line is looked at as a line of its own */

struct pm_log_scan {
    const uint8_t *bytes;
    uint64_t size;
    uint64_t triggers[1024]; /* bit set: two bytes that are in a known word */
};

void pm_log_scan_init(struct pm_log_scan *scan, const uint8_t *bytes, uint64_t size);
/* The place of the next known word at or after `from`; scan->size = there is none before `until`. */
uint64_t pm_log_next(const struct pm_log_scan *scan, uint64_t from, uint64_t until);
/* The line around `at` begins here, but not before `from`. */
uint64_t pm_log_line_start(const struct pm_log_scan *scan, uint64_t at, uint64_t from);
/* One past the line's last byte (the newline itself, or the end); at most PM_LOG_LINE further. */
uint64_t pm_log_line_end(const struct pm_log_scan *scan, uint64_t start);
/* Puts the line's text into out (cleared before); returns what was taken off: "docker json" ... or NULL. */
const char *pm_log_line(const struct pm_log_scan *scan, uint64_t start, uint64_t end, struct pm_strbuf *out);
/* Is it text: no NUL and few control characters at its start? */
bool pm_log_is_text(const uint8_t *bytes, uint64_t size);

#endif
