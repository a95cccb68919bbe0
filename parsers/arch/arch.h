/* arch.h - what the unwinder must know of a machine: registers, the calling convention, the two kinds of code
 * that often have no call frame information (signal trampolines, PLT stubs).
 *
 * Registers are in DWARF numbering (core_file.h); names and numbers are those of LLVM libunwind.
 *
 * To add a machine: a file arch/NAME.c with one `const struct pm_arch`, its line in arch.c and in
 * parsers/CMakeLists.txt, its value in enum pm_machine (core_file.h) with the register note in core_file.c.
 * Test: tests/unwind/test_arch.c compares numbers and names with libunwind's; tests/unwind/test_node_stacks.c
 * walks real cores. */
#ifndef PM_PARSERS_ARCH_ARCH_H
#define PM_PARSERS_ARCH_ARCH_H

#include "parsers/unwind.h"

struct pm_arch {
    struct pm_unwind_arch public;
    uint64_t preserved; /* registers that a function must give back as they were: the rule without a rule */
    bool pushes_return; /* a call pushes the return address (x86-64); else it is in return_address */

    /* Is pc at the system call of a signal trampoline? Then the interrupted registers, from the signal frame
     * on the stack. Known by the instructions, because musl's and the arm64 kernel's trampolines lack usable
     * CFI. */
    bool (*sigreturn)(const struct pm_mem *mem, const struct pm_regs *in, struct pm_regs *out);

    /* pc is inside a PLT section that starts at section_start: how far sp is below its value at the call. 0 =
     * the return address is where a call left it. */
    unsigned (*plt_depth)(pm_addr pc, pm_addr section_start);

    /* The frame of V8's PushAllRegistersAndIterateStack, recognised by the code at a return address (a
     * stripped library has no symbol for it). NULL = not known. */
    bool (*is_v8_push_registers)(const struct pm_mem *mem, pm_addr return_address);
};

extern const struct pm_arch pm_arch_x86_64;
extern const struct pm_arch pm_arch_aarch64;

const struct pm_arch *pm_arch(enum pm_machine machine);

static inline bool pm_regs_has(const struct pm_regs *regs, unsigned number) {
    return number < PM_REG_COUNT && (regs->valid >> number & 1);
}
static inline void pm_regs_set(struct pm_regs *regs, unsigned number, uint64_t value) {
    regs->value[number] = value;
    regs->valid |= 1ull << number;
}

#endif
