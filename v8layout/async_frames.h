/* async_frames.h - below the last frame of a stack: who waits for it. The chain of suspended async functions
 * that Error.stack prints as `at async f`.
 *
 *   microtask that runs now -> its async function -> the function's promise -> the one reaction on it ->
 * await of the next async function, or an element of Promise.all / allSettled / any -> its promise -> ...
 *
 * The chain ends where a promise is settled, or has no or several reactions, as in V8 (CaptureAsyncStackTrace
 * in src/execution/isolate.cc). Builtin closures are told by their SharedFunctionInfo, which is a root. */
#ifndef PM_V8LAYOUT_ASYNC_FRAMES_H
#define PM_V8LAYOUT_ASYNC_FRAMES_H

#include "postmortem/base/arena.h"
#include "v8layout/heap.h"

struct v8_async_frame {
    pm_addr function; /* JSFunction; 0 for a combinator */
    v8_word receiver;
    int32_t bytecode_offset; /* of the await: as in the bytecode's source position table */
    const char *combinator;  /* "all", "allSettled", "any"; NULL = an async function */
    int32_t index;           /* which promise of the combinator */
};

/* At most `most` frames of what the isolate runs right now; returns how many. */
size_t v8_async_frames(const struct v8 *v8, const struct v8_isolate *isolate, struct v8_async_frame *frames,
                       size_t most);

/* The same from any promise on: who waits for it. */
size_t v8_async_waiters(const struct v8 *v8, const struct v8_isolate *isolate, pm_addr promise,
                        struct v8_async_frame *frames, size_t most);

/* Where a suspended generator or async function waits, or begins when that is not known. */
struct v8_suspended {
    const char *name, *file; /* in the arena; NULL */
    uint32_t line, column;   /* 0 = unknown */
};
bool v8_suspended_at(const struct v8 *v8, pm_addr generator, struct pm_arena *arena,
                     struct v8_suspended *ret);

#endif
