/* stack_walk.h - what the files of the stack walk share. Internal to these files:
 *
 *   js_frames.c      one thread: native code <-> V8 code, fallbacks, async frames
 *   v8_frame.c       one machine frame of V8: which kind, and its caller
 *   frame_js.c       a JavaScript function's frame; frame_exit.c: of C++ called by it; frame_top.c:
 * interrupted code thread_state.c   what the finished stack says about the thread */
#ifndef PM_V8LAYOUT_STACK_WALK_H
#define PM_V8LAYOUT_STACK_WALK_H

#include "parsers/unwind.h"
#include "postmortem/base/vec.h"
#include "postmortem/model/diagnosis.h"
#include "v8layout/arch/arch.h"
#include "v8layout/call_site.h"
#include "v8layout/deopt.h"
#include "v8layout/frame_types.h"

#define V8_MAX_SHOWN_ARGUMENTS 16  /* f(...array) may have 60,000 */
#define V8_MAX_INLINED         256 /* inlining stops at a bytecode budget long before */

struct v8_stacks {       /* one per core */
    const struct v8 *v8; /* NULL = native frames only */
    const struct pm_core *core;
    const struct pm_modules *modules;
    const struct pm_mem *mem;
    struct pm_unwinder *unwinder;
    struct pm_arena *arena;
    const struct v8_frame_arch *arch;
    struct v8_codes *codes;      /* NULL without v8 */
    struct v8_call_sites *sites; /* NULL without v8 */
    struct v8_opcodes opcodes;
    struct v8_deopt_forms deopt_forms;
    struct v8_frame_types types;
    bool argc_counts_receiver;
    unsigned markers_right,
        markers_wrong; /* frames whose content fits what their marker means, or does not */
    bool nomem;
};

struct v8_walk { /* one per thread */
    struct v8_stacks *stacks;
    const struct pm_core_thread *thread;
    struct pm_thread *out;
    PM_VEC(struct pm_frame) frames;
    pm_addr stack_start, stack_end; /* the mapping the stack pointer is in */
    struct pm_regs regs;            /* of the frame to look at next */
    bool exact;                     /* regs.pc is where execution stopped, not a return address */
    bool sp_unknown;                /* regs.sp is a guess: native code by frame pointers only */
    bool pc_unknown;                /* the frame at regs.fp is known, its pc is not */
    struct pm_regs top;             /* registers of the innermost V8 code that was interrupted */
    struct v8_builtin top_builtin;  /* the builtin they were in; name NULL = none */
    bool has_top;
    pm_addr next_exit_fp;   /* the exit frame below the native code walked now; 0 = none known */
    const char *regexp;     /* source of the regular expression nearest to the top */
    pm_addr first_function; /* innermost JSFunction: its page tells the isolate */
    bool has_entry;
    bool kernel_only; /* a worker of io_uring: the kernel's, without any user space */
};

/* Frame types as published, or variant `index`: false = there is none. */
bool v8_stacks_frame_types(struct v8_stacks *stacks, size_t variant);

/* Appends a frame; false when there is no room for more. */
bool v8_walk_push(struct v8_walk *walk, const struct pm_frame *frame);

enum v8_step {
    V8_STEP_ON /* walk->regs are the caller's */,
    V8_STEP_END,
    V8_STEP_BAD /* cannot go on: no such frame */
};
/* The V8 frame of walk->regs (or what is left of it, when it was interrupted before or after it had a frame
 * of its own). */
enum v8_step v8_walk_frame(struct v8_walk *walk);

/* Name, role, isolate's user, state: from the frames. */
void v8_thread_state(struct v8_walk *walk);

#endif
