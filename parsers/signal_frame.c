#include "parsers/signal_frame.h"

#include <string.h>

#include "parsers/arch/arch.h"

#define FARTHEST 32768u /* below sp: the FPU state takes up to 11 kB (AMX) */

/* Offsets from where the interrupted pc stands. */
struct shape {
    enum pm_machine machine;
    int sp, siginfo;
};

static const struct shape shapes[] = {
    {PM_MACHINE_X86_64, -8, 312 - (48 + 16 * 8)},
    {PM_MACHINE_AARCH64, -8, 0 - (304 + 8 + 32 * 8)},
};

static bool read_siginfo(const struct pm_mem *mem, pm_addr at, struct pm_signal_frame *ret) {
    uint32_t signal, code, pid;
    uint64_t address;
    if (!pm_mem_u32(mem, at, &signal) || !pm_mem_u32(mem, at + 8, &code) || !pm_mem_u32(mem, at + 16, &pid) ||
        !pm_mem_u64(mem, at + 16, &address) || signal == 0 || signal > 64)
        return false;
    *ret = (struct pm_signal_frame){(int)signal, (int)(int32_t)code, pid, address};
    return true;
}

bool pm_signal_frame_find(const struct pm_core *core, const struct pm_core_thread *thread,
                          struct pm_signal_frame *ret) {
    const struct pm_mem *mem = pm_core_memory(core);
    const struct pm_arch *arch = pm_arch(pm_core_info(core)->machine);
    const struct shape *shape = NULL;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
        if (shapes[i].machine == pm_core_info(core)->machine) shape = &shapes[i];
    if (!arch || !shape || !pm_regs_has(&thread->regs, arch->public.sp) ||
        !pm_regs_has(&thread->regs, arch->public.pc))
        return false;
    pm_addr sp = thread->regs.value[arch->public.sp], pc = thread->regs.value[arch->public.pc];
    /* The nearest one: what lies deeper may be of an earlier time. */
    for (pm_addr at = (sp & ~(pm_addr)7) - 8; at < sp && sp - at <= FARTHEST; at -= 8) {
        uint64_t word, interrupted_sp;
        if (!pm_mem_u64(mem, at, &word)) break;
        if (word != pc || !pm_mem_u64(mem, at + (pm_addr)(int64_t)shape->sp, &interrupted_sp) ||
            interrupted_sp != sp)
            continue;
        if (read_siginfo(mem, at + (pm_addr)(int64_t)shape->siginfo, ret)) return true;
    }
    return false;
}
