/* stack_words.h - how frames and threads are spelled, the same in every format for people. Texts are raw:
 * the writer escapes them. */
#ifndef PM_REPORT_STACK_WORDS_H
#define PM_REPORT_STACK_WORDS_H

#include "postmortem/base/strbuf.h"
#include "postmortem/model/diagnosis.h"

/* JavaScript that is not Node's own. */
bool pm_frame_is_user(const struct pm_frame *frame);
/* "handleRequest", "new UserSession", "async load" */
void pm_frame_function(const struct pm_frame *frame, struct pm_strbuf *out);
/* "/app/src/server.js:31:5", "node+0x1234" (whole_path: "/usr/bin/node+0x1234"), "built-in"; a "~" behind a
 * line that is only the nearest known one. */
void pm_frame_place(const struct pm_frame *frame, bool whole_path, struct pm_strbuf *out);
/* "main thread 4711: in the fatal error handler" */
void pm_thread_title(const struct pm_thread *thread, struct pm_strbuf *out);
/* Recursion: how many frames from `at` on are one group that stands there at least four times in a row, and
 * how often; 0 = no recursion here, once. */
size_t pm_stack_recursion(const struct pm_thread *thread, size_t at, size_t *times_ret);
/* The threads that say the same as this one (role, state), itself included; 0 = an earlier one has said it.
 * `shown` is left out. */
size_t pm_threads_alike(const struct pm_diagnosis *diagnosis, size_t at, const struct pm_thread *shown);
/* The thread a reader wants first: the one that died, else the main one; NULL = none. */
const struct pm_thread *pm_first_thread(const struct pm_diagnosis *diagnosis);

#endif
