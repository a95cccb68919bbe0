/* oom.h - the last words of V8: what it leaves on the stack of the thread in which it gave up.
 *
 *   V8::FatalProcessOutOfMemory()            V8_Fatal()
 *   +-----------------------------+          +---------------------+
 *   | 0xffffffffdecade00          |          | 0xdecade10          |
 *   | sizes of the spaces ...     |          | the message, 512    |
 *   | 0xffffffffdecade01          |          | bytes               |
 *   | pointers to the words above |          | 0xdecade11          |
 *   | text of the last GCs, 512 B |          +---------------------+
 *   +-----------------------------+
 *
 * V8 makes these blocks for exactly this purpose: that they are found in a dump by their markers
 * (src/heap/heap.h, HeapStats; src/base/logging.cc, FailureMessage; the same from V8 9.4 to 14.6, where from
 * 13 on the texts stand inside the block and the end marker is behind them). The location ("Reached heap
 * limit") and the detail are literals of the binary that the frames around keep pointers to. Everything is
 * checked for plausibility, and absent when in doubt. */
#ifndef PM_V8LAYOUT_OOM_H
#define PM_V8LAYOUT_OOM_H

#include "parsers/core_file.h"
#include "postmortem/base/arena.h"
#include "v8layout/heap.h"

struct v8_last_words {
    bool has_statistics;                    /* the block of an out-of-memory error was found */
    uint64_t used;                          /* bytes of objects in all spaces but the read-only one */
    uint64_t committed;                     /* by V8's memory allocator */
    uint64_t limit;                         /* of the allocator: both generations together */
    const char *last_gcs;                   /* lines; NULL = none */
    const char *location;                   /* "Reached heap limit"; NULL = not found */
    const char *detail;                     /* "Allocation failed - JavaScript heap out of memory"; NULL */
    const char *fatal;                      /* V8_Fatal's message; NULL */
    const char *api_location, *api_message; /* misuse of V8's API ("v8::ToLocalChecked", "Empty MaybeLocal");
                                               guesses: use only when the stack has node::OnFatalError */
};

/* Texts go to the arena. false = nothing of the kind on this stack. */
bool v8_last_words_read(const struct pm_core *core, const struct pm_core_thread *thread,
                        struct pm_arena *arena, struct v8_last_words *ret);

#endif
