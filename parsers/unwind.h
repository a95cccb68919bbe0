/* unwind.h - native frames: registers + call frame information + memory -> the caller's registers.
 *
 * LLVM libunwind cannot unwind a core, so the walk is ours; CFI rows come from libdwarf (.eh_frame,
 * .debug_frame). V8's own frames have no CFI: v8layout/js_frames.c steps over those and comes back here. Ask
 * there first: on aarch64 a native pc without CFI is stepped by its frame pointer here.
 *
 * OWNERSHIP  the core and modules must outlive the unwinder. THREADS  not thread-safe. */
#ifndef PM_PARSERS_UNWIND_H
#define PM_PARSERS_UNWIND_H

#include "parsers/demangle.h"
#include "parsers/modules.h"

struct pm_unwinder;

enum pm_unwind_result {
    PM_UNWIND_OK,
    PM_UNWIND_END,        /* outermost frame: return address undefined, or 0 */
    PM_UNWIND_NO_CFI,     /* pc is in no module, or the module has no CFI for it, or its file is missing */
    PM_UNWIND_BAD_MEMORY, /* the stack is not saved or does not make progress */
};

/* Register numbers and names of a machine (names as LLVM libunwind gives them). */
struct pm_unwind_arch {
    enum pm_machine machine;
    unsigned pc, sp, fp, return_address;
    const char *names[PM_REG_COUNT];
};
const struct pm_unwind_arch *pm_unwind_arch(enum pm_machine machine);

struct pm_error *pm_unwinder_create(const struct pm_core *core, const struct pm_modules *modules,
                                    struct pm_unwinder **ret);
void pm_unwinder_destroy(struct pm_unwinder *unwinder);

/* One step from `in` to its caller. `exact_pc`: pc is where execution stopped (top frame, or interrupted by a
 * signal), so it is looked up as it is; otherwise it is a return address and pc - 1 is looked up. signal_ret:
 * `in` is a signal trampoline, so the frame in `out` was interrupted (pass exact_pc = true for it). `out` is
 * set when the result is OK; in and out may be the same. It has sp, pc and what the caller gets back from a
 * call; registers that a call may destroy are not valid, except behind a signal trampoline, which has them
 * all. A step never goes down the stack, but for signal frames; whoever walks must still bound the number of
 * frames (PM_MAX_FRAMES). */
enum pm_unwind_result pm_unwind_step(struct pm_unwinder *unwinder, const struct pm_regs *in, bool exact_pc,
                                     struct pm_regs *out, bool *signal_ret);
/* One step by frame pointer only: caller fp = [fp], pc = [fp + 8], sp = fp + 16; nothing else is valid in
 * out. */
enum pm_unwind_result pm_unwind_step_fp(struct pm_unwinder *unwinder, const struct pm_regs *in,
                                        struct pm_regs *out);

/* The demangled function at a pc (no parameters), as arena-less malloc text; NULL = no symbol. `offset_ret`
 * (may be NULL) bytes behind its start. A compiler's suffix of a copy (.isra.0, .constprop.1, .cold) is left
 * out. */
char *pm_unwind_symbol(struct pm_unwinder *unwinder, pm_addr pc, bool exact_pc, uint64_t *offset_ret);
/* The same without demangling; the text belongs to the module. */
const char *pm_unwind_raw_symbol(struct pm_unwinder *unwinder, pm_addr pc, bool exact_pc,
                                 uint64_t *offset_ret);
/* Source file and line, where the module has DWARF line tables (official node: libuv and other C parts). With
 * inlining it is the line of the innermost function. The text lives as long as the unwinder. */
bool pm_unwind_line(struct pm_unwinder *unwinder, pm_addr pc, bool exact_pc, const char **file_ret,
                    unsigned *line_ret);

PM_DEFINE_AUTO(unwinder, struct pm_unwinder, pm_unwinder_destroy)

#endif
