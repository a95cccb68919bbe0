/* thrown.h - the error that ended a process: its text, and the stack it remembers from where it was made.
 *
 * Where a promise was rejected, or an error is thrown again, the stack of the thread shows only who found it;
 * the error itself remembers the place (its `stack`: lines of text once somebody asked for it, before that
 * the functions and bytecode offsets V8 collected). */
#ifndef PM_V8LAYOUT_THROWN_H
#define PM_V8LAYOUT_THROWN_H

#include "postmortem/base/arena.h"
#include "postmortem/model/diagnosis.h"
#include "v8layout/heap.h"

struct v8_thrown {
    const char *text;        /* "PaymentError: cannot pay 12.5"; NULL = not readable */
    struct pm_frame *frames; /* the error's own stack, innermost first */
    size_t frame_count;      /* 0 = none, or not readable */
};

/* The argument of the exit frame of Runtime_Throw or Runtime_ReThrow (at fp + 16 in V8 9.4 to 14.6). Where a
 * process is aborted for an uncaught exception V8 has not stored it anywhere else yet. */
void v8_thrown_argument(const struct v8 *v8, pm_addr frame_pointer, struct pm_arena *arena,
                        struct v8_thrown *ret);
/* Where another runtime function made the error itself: the first error object that the frames between hold,
 * else the first object with an error's stack. */
void v8_thrown_between(const struct v8 *v8, pm_addr from, pm_addr to, struct pm_arena *arena,
                       struct v8_thrown *ret);

#endif
