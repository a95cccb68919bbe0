/* log_words.h - the last words of a process in a log: read again once it is known where they stand. */
#ifndef PM_PARSERS_LOG_WORDS_H
#define PM_PARSERS_LOG_WORDS_H

#include "parsers/log_scan.h"
#include "postmortem/model/gc_log.h"

#define PM_LOG_NOWHERE UINT64_MAX

/* "FATAL ERROR: location message": is it V8's or Node's own (and not a program's)? `end` is the line's end.
 */
bool pm_log_is_fatal(const struct pm_log_scan *scan, const char *line, uint64_t end);
/* Fatal line, its parts and the kind of death, and the native stack behind it. */
struct pm_error *pm_log_read_fatal(const struct pm_log_scan *scan, uint64_t start, struct pm_arena *arena,
                                   struct pm_gc_log *log);
struct pm_error *pm_log_read_js_stack(const struct pm_log_scan *scan, uint64_t start, struct pm_arena *arena,
                                      struct pm_gc_log *log);
/* The exception whose mark stands in the line at `start`. */
struct pm_error *pm_log_read_error(const struct pm_log_scan *scan, uint64_t start, struct pm_arena *arena,
                                   struct pm_gc_log *log);
/* Is it the mark of an uncaught exception, with Node's "file:line" two lines above? */
bool pm_log_is_error(const struct pm_log_scan *scan, uint64_t start, const char *line);
/* "Segmentation fault (core dumped)", "Killed": what a shell prints; 0 = none. */
uint64_t pm_log_shell_signal(const char *line);
/* "exit code 137", "exited with code: 134"; PM_UNKNOWN = none of 129 and more. */
uint64_t pm_log_exit_code(const char *line);

#endif
