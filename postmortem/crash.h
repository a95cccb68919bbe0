/* crash.h - what happens when postmortem itself crashes: one sentence that says so, where in which input it
 * was, our own backtrace, and what to report. Then the process dies of the signal as it would have.
 *
 * Everything in the handler is async-signal-safe, but for the backtrace (LLVM libunwind and dladdr() take the
 * loader's lock); an alarm ends it should that hang. Under AddressSanitizer nothing is installed: its own
 * report says more. */
#ifndef PM_CRASH_H
#define PM_CRASH_H

#include <stdint.h>

/* Call once, from main(). Handles SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT; also when the main thread's stack
 * overflows. */
void pm_crash_install(void);

/* What is being done, and with which input: "walking the heap", path of the core (NULL = none). Both are
 * copied. From the main thread only; cheap enough to be called for each phase. Resets the offset. */
void pm_crash_position(const char *phase, const char *path);
/* How far inside it: a file offset or an address, whatever the phase goes by. From any thread; one store. */
void pm_crash_offset(uint64_t offset);

#endif
