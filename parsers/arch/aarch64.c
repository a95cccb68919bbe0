/* aarch64, AAPCS64 as on Linux. Return addresses on the stack may be signed (PAC): unwind.c clears those
 * bits. */
#include <libunwind.h>

#include "parsers/arch/arch.h"

/* mov x8, #139; svc #0: the vdso's __kernel_rt_sigreturn (its CFI finds x29 and x30, not the interrupted pc),
 * and qemu's own trampoline. On the stack: siginfo (128 bytes), ucontext with uc_mcontext at +176, there
 * x0-x30, sp, pc behind fault_address. */
static bool sigreturn(const struct pm_mem *mem, const struct pm_regs *in, struct pm_regs *out) {
    static const uint8_t code[8] = {0x68, 0x11, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4};
    uint8_t found[sizeof(code)];
    enum { registers_in_frame = 128 + 176 + 8 };

    if (!pm_regs_has(in, UNW_AARCH64_SP)) return false;
    if (!pm_mem_copy(mem, in->value[UNW_AARCH64_PC], found, sizeof(found)) ||
        memcmp(found, code, sizeof(code)) != 0)
        return false;
    uint64_t value[PM_REG_COUNT];
    if (!pm_mem_copy(mem, in->value[UNW_AARCH64_SP] + registers_in_frame, value, sizeof(value))) return false;
    *out = (struct pm_regs){0};
    for (unsigned i = 0; i < PM_REG_COUNT; i++) pm_regs_set(out, i, value[i]);
    return true;
}

/* Entries of the PLT leave sp and x30 alone. PLT0 (32 bytes) begins with stp x16, x30, [sp, #-16]!, but x30
 * still holds the return address, so only sp matters. */
static unsigned plt_depth(pm_addr pc, pm_addr section_start) {
    uint64_t offset = pc - section_start;
    return offset >= 4 && offset < 32 ? 16 : 0;
}

const struct pm_arch pm_arch_aarch64 = {
    .public =
        {
            .machine = PM_MACHINE_AARCH64,
            .pc = UNW_AARCH64_PC,
            .sp = UNW_AARCH64_SP,
            .fp = UNW_AARCH64_FP,
            .return_address = UNW_AARCH64_LR,
            .names =
                {
                    [UNW_AARCH64_X0] = "x0",   [UNW_AARCH64_X1] = "x1",   [UNW_AARCH64_X2] = "x2",
                    [UNW_AARCH64_X3] = "x3",   [UNW_AARCH64_X4] = "x4",   [UNW_AARCH64_X5] = "x5",
                    [UNW_AARCH64_X6] = "x6",   [UNW_AARCH64_X7] = "x7",   [UNW_AARCH64_X8] = "x8",
                    [UNW_AARCH64_X9] = "x9",   [UNW_AARCH64_X10] = "x10", [UNW_AARCH64_X11] = "x11",
                    [UNW_AARCH64_X12] = "x12", [UNW_AARCH64_X13] = "x13", [UNW_AARCH64_X14] = "x14",
                    [UNW_AARCH64_X15] = "x15", [UNW_AARCH64_X16] = "x16", [UNW_AARCH64_X17] = "x17",
                    [UNW_AARCH64_X18] = "x18", [UNW_AARCH64_X19] = "x19", [UNW_AARCH64_X20] = "x20",
                    [UNW_AARCH64_X21] = "x21", [UNW_AARCH64_X22] = "x22", [UNW_AARCH64_X23] = "x23",
                    [UNW_AARCH64_X24] = "x24", [UNW_AARCH64_X25] = "x25", [UNW_AARCH64_X26] = "x26",
                    [UNW_AARCH64_X27] = "x27", [UNW_AARCH64_X28] = "x28", [UNW_AARCH64_X29] = "x29",
                    [UNW_AARCH64_X30] = "x30", [UNW_AARCH64_SP] = "sp",   [UNW_AARCH64_PC] = "pc",
                },
        },
    /* x19 to x29. x30 too: in a function that has not saved it, it still is the return address. */
    .preserved = 0x7ff80000ull,
    .pushes_return = false,
    .sigreturn = sigreturn,
    .plt_depth = plt_depth,
};
