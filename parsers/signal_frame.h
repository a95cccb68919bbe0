/* signal_frame.h - the first signal of a thread that died of a second one.
 *
 * Node.js handles SIGSEGV for WebAssembly; one that is not WebAssembly's it raises again, with the default
 * action. The core's NT_SIGINFO then tells of the second one only: no fault address, and sent by the process
 * itself. But the kernel had written the first one onto the stack, below the stack pointer of the interrupted
 * code, and nothing has overwritten it:
 *
 *   sp of the core ->  | interrupted frame        |
 *                      | red zone, FPU state      |
 *                      | ucontext: all registers  |  pc and sp are those of the core: that proves it
 *                      | siginfo                  |  signal, code, sender or address
 *
 * (aarch64 has the siginfo below the ucontext.) Layouts: the kernel's asm/sigframe.h, asm/ucontext.h. */
#ifndef PM_PARSERS_SIGNAL_FRAME_H
#define PM_PARSERS_SIGNAL_FRAME_H

#include "parsers/core_file.h"

struct pm_signal_frame {
    int signal, code;
    uint32_t sender_pid;   /* when code says that somebody sent it */
    pm_addr fault_address; /* when the kernel raised it for a fault */
};

/* false = there is none. */
bool pm_signal_frame_find(const struct pm_core *core, const struct pm_core_thread *thread,
                          struct pm_signal_frame *ret);

#endif
