/* x86-64, System V ABI. */
#include <libunwind.h>

#include "parsers/arch/arch.h"

#define BIT(number) (1ull << (number))

/* mov $15, %rax; syscall: __restore_rt of glibc (which has CFI) and of musl (which has none). The kernel
 * pushed pretcode, struct ucontext, siginfo; the handler's return has popped pretcode, so sp is at the
 * ucontext. */
static bool sigreturn(const struct pm_mem *mem, const struct pm_regs *in, struct pm_regs *out) {
    static const uint8_t code[9] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};
    uint8_t found[sizeof(code)];
    /* uc_mcontext.gregs in the kernel's order, as DWARF numbers */
    static const uint8_t order[] = {8, 9, 10, 11, 12, 13, 14, 15, 5, 4, 6, 3, 1, 0, 2, 7, 16};
    enum { gregs_in_ucontext = 40 };

    if (!pm_regs_has(in, UNW_X86_64_RSP)) return false;
    if (!pm_mem_copy(mem, in->value[UNW_X86_64_RIP], found, sizeof(found)) ||
        memcmp(found, code, sizeof(code)) != 0)
        return false;
    uint64_t value[sizeof(order)];
    if (!pm_mem_copy(mem, in->value[UNW_X86_64_RSP] + gregs_in_ucontext, value, sizeof(value))) return false;
    *out = (struct pm_regs){0};
    for (size_t i = 0; i < sizeof(order); i++) pm_regs_set(out, order[i], value[i]);
    return true;
}

/* Lazy binding: an entry of .plt is 16 bytes, `jmp *got; push $n; jmp PLT0`; PLT0 is `push got[1]; jmp
 * *got[2]`. */
static unsigned plt_depth(pm_addr pc, pm_addr section_start) {
    uint64_t offset = pc - section_start;
    if (offset < 16) return offset < 6 ? 8 : 16;
    return (pc & 15) >= 11 ? 8 : 0;
}

/* call *%r8; add $48, %rsp; pop %rbp; ret - the same bytes in V8 9.4 to 14.6 */
static bool is_v8_push_registers(const struct pm_mem *mem, pm_addr return_address) {
    static const uint8_t code[9] = {0x41, 0xff, 0xd0, 0x48, 0x83, 0xc4, 0x30, 0x5d, 0xc3};
    uint8_t found[sizeof(code)];
    return pm_mem_copy(mem, return_address - 3, found, sizeof(found)) &&
           memcmp(found, code, sizeof(code)) == 0;
}

const struct pm_arch pm_arch_x86_64 = {
    .public =
        {
            .machine = PM_MACHINE_X86_64,
            .pc = UNW_X86_64_RIP,
            .sp = UNW_X86_64_RSP,
            .fp = UNW_X86_64_RBP,
            .return_address = UNW_X86_64_RIP,
            .names =
                {
                    [UNW_X86_64_RAX] = "rax",
                    [UNW_X86_64_RDX] = "rdx",
                    [UNW_X86_64_RCX] = "rcx",
                    [UNW_X86_64_RBX] = "rbx",
                    [UNW_X86_64_RSI] = "rsi",
                    [UNW_X86_64_RDI] = "rdi",
                    [UNW_X86_64_RBP] = "rbp",
                    [UNW_X86_64_RSP] = "rsp",
                    [UNW_X86_64_R8] = "r8",
                    [UNW_X86_64_R9] = "r9",
                    [UNW_X86_64_R10] = "r10",
                    [UNW_X86_64_R11] = "r11",
                    [UNW_X86_64_R12] = "r12",
                    [UNW_X86_64_R13] = "r13",
                    [UNW_X86_64_R14] = "r14",
                    [UNW_X86_64_R15] = "r15",
                    [UNW_X86_64_RIP] = "rip",
                },
        },
    .preserved = BIT(UNW_X86_64_RBX) | BIT(UNW_X86_64_RBP) | BIT(UNW_X86_64_R12) | BIT(UNW_X86_64_R13) |
                 BIT(UNW_X86_64_R14) | BIT(UNW_X86_64_R15),
    .pushes_return = true,
    .sigreturn = sigreturn,
    .plt_depth = plt_depth,
    .is_v8_push_registers = is_v8_push_registers,
};
