/* death.h - how the process died: from the signal, the stack of the thread that took it, and the last words
 * V8 left there.
 *
 *   heap-limit            V8's statistics block, or node::OOMErrorHandler on the stack;
 *                         so does ineffective-mark-compacts
 *   fatal-error           V8_Fatal, node::OnFatalError, node::Assert, other out-of-memory locations
 *   uncaught-exception    Runtime_Throw above abort(): --abort-on-uncaught-exception
 *   bad-alloc, abort      std::terminate, process.abort(), abort() in native code
 *   native-crash          SIGSEGV, SIGBUS, SIGILL, SIGFPE raised by the kernel
 *   signal                somebody else's kill()
 *   snapshot              gcore: no fatal signal at all
 *
 * Whatever is not there (stacks, V8, the binary) makes the answer less exact, never wrong: unknown is an
 * answer. */
#ifndef PM_DEATH_H
#define PM_DEATH_H

#include "postmortem/commands.h"

/* Fills death, message, location and the heap numbers of diagnosis->process. FAILURE: none. */
void pm_death_examine(const struct pm_session *session);

/* The one sentence. Written last: from what the diagnosis says, after redaction. */
void pm_verdict_write(struct pm_diagnosis *diagnosis);
/* diagnosis->signature: the same for the same bug (signature.c); NULL when there is nothing to tell it by. */
void pm_signature_write(struct pm_diagnosis *diagnosis);

#endif
