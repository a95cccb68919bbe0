/* stack_core.h - the stacks of a real core of a corpora case, collected, and helpers to look for frames. */
#ifndef PM_TESTS_FRAMES_STACK_CORE_H
#define PM_TESTS_FRAMES_STACK_CORE_H

#include "real_core.h"
#include "v8layout/js_frames.h"

struct stack_core {
    struct real_core real;
    struct pm_unwinder *unwinder;
    struct pm_diagnosis *diagnosis;
};

/* The error, if any, is that of the first step that failed; all is closed then. */
struct pm_error *stack_core_open(const char *name, const char *version, const char *hide,
                                 struct stack_core *ret);
void stack_core_close(struct stack_core *core);

const struct pm_thread *stack_core_main(const struct stack_core *core);    /* NULL = none has that role */
const struct pm_thread *stack_core_crashed(const struct stack_core *core); /* that took the signal */

/* Is this the frame of a user's function? `name`: without type, "new", "async" and "[as ...]"; file: last
 * part of the path. */
bool stack_frame_is(const struct pm_frame *frame, const char *name, const char *file);

/* (case, version) pairs: the arguments of the program, else the default list. */
struct stack_pair {
    const char *name, *version;
};
size_t stack_pairs(int argc, char **argv, const struct stack_pair *everyday, size_t count,
                   const struct stack_pair **ret);

#endif
