/* stack_text.h - lines of V8's stack traces ("at handle (/app/server.js:4:7)") back to frames. Knows no file
 * format.
 *
 * Frames without a place in a script (native, <anonymous>, index 0) are builtins; "at async" sets is_async,
 * "at new" constructor, and of code in eval the outer place is taken, which is in a file. */
#ifndef PM_PARSERS_STACK_TEXT_H
#define PM_PARSERS_STACK_TEXT_H

#include "postmortem/base/arena.h"
#include "postmortem/model/diagnosis.h"

/* false = the line is none, or there is no memory (then *failed_ret is set). */
bool pm_stack_line(const char *line, size_t length, struct pm_arena *arena, struct pm_frame *ret,
                   bool *failed_ret);

#endif
