/* The verdict: one sentence for an engineer at 3 a.m. It only puts together what the diagnosis says. */
#include <inttypes.h>
#include <string.h>

#include "postmortem/base/strbuf.h"
#include "postmortem/death.h"
#include "postmortem/detect/report_finding.h"
#include "postmortem/model/event_loop.h"
#include "postmortem/model/words.h"
#include "postmortem/report/format.h"
#include "postmortem/report/stack_words.h"

static const struct pm_thread *thread_of_role(const struct pm_diagnosis *diagnosis, bool crashed) {
    for (size_t i = 0; i < diagnosis->thread_count; i++) {
        const struct pm_thread *thread = &diagnosis->threads[i];
        if (crashed ? thread->crashed : thread->role == PM_ROLE_MAIN) return thread;
    }
    return NULL;
}

struct stack {
    const struct pm_frame *frames;
    size_t count;
    bool waiting; /* functions that wait for the others count: an error remembers them, too */
};

/* Async functions that wait count when none of the program's runs: the innermost was about to go on. */
static struct stack stack_of(const struct pm_thread *thread) {
    if (!thread) return (struct stack){0};
    struct stack stack = {thread->frames, thread->frame_count, true};
    for (size_t i = 0; i < stack.count && stack.waiting; i++)
        if (stack.frames[i].kind == PM_FRAME_JS && !stack.frames[i].is_async &&
            pm_is_user_file(stack.frames[i].position.file))
            stack.waiting = false;
    return stack;
}

/* The innermost function of the user's own code; without one the innermost JavaScript function. */
static const struct pm_frame *user_frame(struct stack stack) {
    const struct pm_frame *any = NULL;
    for (size_t i = 0; i < stack.count; i++) {
        const struct pm_frame *frame = &stack.frames[i];
        if (frame->kind != PM_FRAME_JS || (frame->is_async && !stack.waiting)) continue;
        if (!pm_report_is_foreign(frame->position.file)) return frame;
        if (!any) any = frame;
    }
    return any;
}

/* " while `pump` (/app/app.js:10) was running" */
static void put_where(struct pm_strbuf *out, const struct pm_frame *frame, const char *before,
                      const char *after) {
    if (!frame) return;
    const char *name = frame->function && *frame->function ? frame->function : "<anonymous>";
    if (frame->is_async && strncmp(name, "async ", 6) == 0) name += 6;
    bool needs_new = frame->constructor && strncmp(name, "new ", 4) != 0;
    pm_strbuf_appendf(out, "%s`%s%s`", before, needs_new ? "new " : "", name);
    if (frame->position.file && frame->position.line)
        pm_strbuf_appendf(out,
                          frame->position.column > PM_LONG_LINE ? " (%s:%" PRIu32 ":%" PRIu32 ")"
                                                                : " (%s:%" PRIu32 ")",
                          frame->position.file, frame->position.line, frame->position.column);
    pm_strbuf_append(out, after);
}

static void put_fill(struct pm_strbuf *out, const struct pm_diagnosis *diagnosis) {
    char used[PM_NUMBER_TEXT], limit[PM_NUMBER_TEXT];
    const struct pm_process *process = &diagnosis->process;
    const struct pm_thread *crashed = thread_of_role(diagnosis, true);
    for (size_t i = 0; i < diagnosis->isolate_count; i++) {
        const struct pm_isolate *isolate = &diagnosis->isolates[i];
        uint64_t sum = 0;
        bool its = crashed && crashed->isolate ? isolate->address == crashed->isolate : isolate->is_main;
        uint64_t old = isolate->max_old_generation;
        if (old == PM_UNKNOWN && isolate->is_main) old = process->max_old_space_flag;
        if (!its || old == PM_UNKNOWN || !isolate->space_count) continue;
        for (size_t k = 0; k < isolate->space_count; k++) sum += isolate->spaces[k].used;
        pm_strbuf_appendf(out, " (%s used, limit %s)", pm_format_bytes(used, sum),
                          pm_format_bytes(limit, old));
        return;
    }
    if (process->heap_used_at_death != PM_UNKNOWN && process->heap_limit_at_death != PM_UNKNOWN)
        pm_strbuf_appendf(out, " (%s used, limit %s for both generations)",
                          pm_format_bytes(used, process->heap_used_at_death),
                          pm_format_bytes(limit, process->heap_limit_at_death));
}

/* The innermost function that is not Node's own; NULL = there is none. */
static const struct pm_frame *inner_frame(struct stack stack) {
    for (size_t i = 0; i < stack.count; i++) {
        const struct pm_frame *frame = &stack.frames[i];
        if (frame->kind == PM_FRAME_JS && (!frame->is_async || stack.waiting) &&
            pm_is_user_file(frame->position.file))
            return frame;
    }
    return NULL;
}

/* ", in `validate` (/app/form.js:12)"; of a package's function also which function of the program called it:
 * ", in `new Range` of semver (classes/range.js:97), called from `resolve` (/app/deps.js:5)". */
static void put_place(struct pm_strbuf *out, struct stack stack, const char *before) {
    static const char folder[] = "/node_modules/";
    const struct pm_frame *inner = inner_frame(stack), *user = user_frame(stack);
    const char *in_package = NULL, *at = inner ? inner->position.file : NULL;
    while (at && (at = strstr(at, folder))) in_package = at += sizeof(folder) - 1;
    if (!in_package || !user || !inner->position.line) {
        put_where(out, user, before, "");
        return;
    }
    size_t name = strcspn(in_package, "/");
    if (*in_package == '@' && in_package[name]) name += 1 + strcspn(in_package + name + 1, "/");
    const char *file = in_package[name] ? in_package + name + 1 : in_package;
    struct pm_frame shown = *inner;
    shown.position = (struct pm_position){0};
    put_where(out, &shown, before, "");
    pm_strbuf_appendf(out, " of %.*s (%s:%" PRIu32 ")", (int)name, in_package, file, inner->position.line);
    if (user != inner && !pm_report_is_foreign(user->position.file))
        put_where(out, user, ", called from ", "");
}

/* What a thread was doing: "inside a regular expression, in `validate` (/app/form.js:12)". A collection that
 * is not the trouble itself is only what V8 did at that moment for the function that ran. */
static void put_doing(struct pm_strbuf *out, const struct pm_diagnosis *diagnosis,
                      const struct pm_thread *thread) {
    bool collects = thread->state == PM_STATE_GC && inner_frame(stack_of(thread));
    for (size_t i = 0; collects && i < diagnosis->finding_count; i++)
        collects = strcmp(diagnosis->findings[i].id, "gc-thrash") != 0;
    pm_strbuf_append(out, collects ? "running JavaScript (V8 was just collecting garbage for it)"
                                   : pm_state_phrase(thread->state));
    put_place(out, stack_of(thread), ", in ");
}

/* Of an idle main thread: "; async function `listOrders` (/app/orders.js:5) waits, 12 times". */
static void put_waiting(struct pm_strbuf *out, const struct pm_diagnosis *diagnosis) {
    for (size_t i = 0; i < diagnosis->loop_count; i++) {
        const struct pm_event_loop *loop = &diagnosis->loops[i];
        const struct pm_loop_wait *wait = loop->waits;
        if (!loop->is_main || !loop->wait_count || pm_report_is_foreign(wait->position.file)) continue;
        struct pm_frame shown = {.function = wait->function, .position = wait->position};
        put_where(out, &shown, "; async function ", " waits");
        if (wait->count > 1) pm_strbuf_appendf(out, ", %" PRIu64 " times", wait->count);
        return;
    }
}

static void put_state(struct pm_strbuf *out, const struct pm_diagnosis *diagnosis, const char *before) {
    const struct pm_thread *thread = thread_of_role(diagnosis, false), *first = pm_first_thread(diagnosis);
    if (!thread || thread->state == PM_STATE_UNKNOWN) return;
    pm_strbuf_append(out, before);
    put_doing(out, diagnosis, thread);
    if (thread->state != PM_STATE_POLLING) return;
    if (!first || first->role != PM_ROLE_WORKER) {
        put_waiting(out, diagnosis);
        return;
    }
    size_t alike = 0;
    for (size_t i = 0; i < diagnosis->thread_count; i++) {
        const struct pm_thread *other = &diagnosis->threads[i];
        alike += other->role == first->role && other->state == first->state && other->state_detail &&
                 first->state_detail && !strcmp(other->state_detail, first->state_detail);
    }
    if (alike > 1)
        pm_strbuf_appendf(out, "; %zu worker threads were ", alike);
    else
        pm_strbuf_appendf(out, "; worker thread %" PRIu64 " was ", first->tid);
    put_doing(out, diagnosis, first);
}

static void put_fatal(struct pm_strbuf *out, const struct pm_process *process) {
    pm_strbuf_append(out, "Fatal error");
    if (process->death_location) pm_strbuf_appendf(out, ": %s", process->death_location);
    if (process->death_message)
        pm_strbuf_appendf(out, process->death_location ? " (%s)" : ": %s", process->death_message);
}

static void put_crash(struct pm_strbuf *out, const struct pm_diagnosis *diagnosis,
                      const struct pm_thread *crashed) {
    const struct pm_process *process = &diagnosis->process;
    if (crashed && crashed->overflowed) {
        char size[PM_NUMBER_TEXT];
        pm_strbuf_appendf(out, "Stack overflow: recursion used up the %s of the stack",
                          pm_format_bytes(size, crashed->overflowed));
        put_place(out, stack_of(crashed), ", in ");
        return;
    }
    const char *name = pm_signal_name(process->signal);
    pm_strbuf_appendf(out, "Crash in native code: %s", name ? name : "a fault");
    if (process->has_fault_address) pm_strbuf_appendf(out, " at address 0x%" PRIx64, process->fault_address);
    if (crashed && crashed->frame_count && crashed->frames[0].kind == PM_FRAME_NATIVE) {
        const struct pm_frame *top = &crashed->frames[0];
        const char *slash = top->module ? strrchr(top->module, '/') : NULL;
        const char *module = slash ? slash + 1 : top->module;
        if (top->function) pm_strbuf_appendf(out, " in `%s`", top->function);
        if (module) pm_strbuf_appendf(out, top->function ? " (%s)" : " in %s", module);
    }
}

static void put_uncaught(struct pm_strbuf *out, const struct pm_process *process,
                         const struct pm_thread *crashed) {
    const char *message = process->death_message;
    struct stack thread = stack_of(crashed),
                 error = {process->error_frames, process->error_frame_count, true};
    pm_strbuf_append(out, process->is_rejection ? "Unhandled rejection" : "Uncaught ");
    /* The rest of a message in several lines stands below, with the death. */
    if (message) {
        pm_strbuf_append(out, process->is_rejection ? ": " : "");
        pm_strbuf_append_bytes(out, message, strcspn(message, "\r\n"));
    } else if (!process->is_rejection) {
        pm_strbuf_append(out, "exception");
    }
    /* Who threw is what the error remembers; on the stack of the thread is who found it. */
    if (inner_frame(error))
        put_place(out, error, ", thrown in ");
    else if (!process->is_rejection)
        put_place(out, thread, ", thrown in ");
}

static void put_killed(struct pm_strbuf *out, const struct pm_diagnosis *diagnosis) {
    const struct pm_process *process = &diagnosis->process;
    const char *name = pm_signal_name(process->signal);
    pm_strbuf_appendf(out, "Killed from outside by %s", name ? name : "a signal");
    if (process->sender_pid != PM_UNKNOWN && process->sender_pid)
        pm_strbuf_appendf(out, " of process %" PRIu64, process->sender_pid);
    put_state(out, diagnosis, "; the main thread was ");
}

/* What keeps the memory: the leak that explains most of it; a working set; or that nothing stands out. */
#define VERDICT_SHARE 0.25 /* of the heap: less explains no incident */

static bool out_of_memory(const struct pm_diagnosis *diagnosis) {
    return diagnosis->process.death == PM_DEATH_HEAP_LIMIT ||
           diagnosis->process.death == PM_DEATH_INEFFECTIVE_GC;
}

/* Of objects, or (of a death by memory) of a space that is full, as a report tells it. */
static bool is_about_memory(const struct pm_diagnosis *diagnosis, const struct pm_finding *finding) {
    if (finding->retained_bytes != PM_UNKNOWN) return diagnosis->has_process || finding->object_count;
    return out_of_memory(diagnosis) && finding->severity == PM_SEVERITY_CRITICAL;
}

static const struct pm_finding *memory_finding(const struct pm_diagnosis *diagnosis) {
    const struct pm_finding *leak = NULL, *other = NULL;
    for (size_t i = 0; i < diagnosis->finding_count; i++) {
        const struct pm_finding *finding = &diagnosis->findings[i];
        if (!finding->claim) continue;
        bool nothing = strcmp(finding->id, "nothing-stands-out") == 0;
        bool working = strcmp(finding->id, "working-set") == 0;
        bool explains = finding->severity > PM_SEVERITY_LOW && finding->share >= VERDICT_SHARE &&
                        is_about_memory(diagnosis, finding);
        /* What objects keep says more than numbers of spaces. */
        bool better = !leak || (finding->object_count && !leak->object_count) ||
                      (!finding->object_count == !leak->object_count && finding->share > leak->share);
        if (explains && better) leak = finding;
        if ((nothing || working) && !other) other = finding;
    }
    if (leak && !leak->object_count && other && other->object_count) return other;
    return leak ? leak : other;
}

/* The worker whose heap was looked at; NULL = it was the main thread's. */
static const struct pm_worker *worker_of(const struct pm_diagnosis *diagnosis) {
    for (size_t i = 0; i < diagnosis->isolate_count; i++)
        if (diagnosis->isolates[i].worker) return diagnosis->isolates[i].worker;
    return NULL;
}

/* A heap that is gone explains more than what is left of the others. */
static bool put_lost_heap(struct pm_strbuf *out, const struct pm_diagnosis *diagnosis) {
    for (size_t i = 0; i < diagnosis->finding_count; i++) {
        const struct pm_finding *finding = &diagnosis->findings[i];
        if (strcmp(finding->id, "worker-out-of-memory") != 0 || !finding->claim) continue;
        pm_strbuf_appendf(out, " %s", finding->claim);
        return true;
    }
    return false;
}

static void put_suspect(struct pm_strbuf *out, const struct pm_diagnosis *diagnosis) {
    bool by_memory = out_of_memory(diagnosis);
    const struct pm_finding *most = memory_finding(diagnosis);
    const struct pm_worker *worker = worker_of(diagnosis);
    if (!most || (diagnosis->has_process && !by_memory && most->severity == PM_SEVERITY_INFO)) return;
    if (diagnosis->has_process) pm_strbuf_append_char(out, ' ');
    if (worker) {
        pm_strbuf_append(out, by_memory ? "In " : "Memory, in ");
        pm_worker_words(out, worker);
        pm_strbuf_append(out, ": ");
    } else if (!diagnosis->has_process || !by_memory) {
        pm_strbuf_append(out, "Memory: ");
    }
    pm_strbuf_append(out, most->claim);
    if (most->allocation && (by_memory || !diagnosis->has_process))
        pm_strbuf_appendf(out, " %s", most->allocation);
}

/* Of a report that tells no death, or not all of it: the gravest finding. The error itself was already told.
 */
static void put_gravest(struct pm_strbuf *out, const struct pm_diagnosis *diagnosis) {
    static const char *const told[] = {"uncaught-exception", "unhandled-rejection", "fatal-error",
                                       "secrets-in-report", "no-core"};
    enum pm_death_kind death = diagnosis->process.death;
    const struct pm_finding *most = NULL;
    if (!diagnosis->report_count) return;
    if (death != PM_DEATH_REPORT && death != PM_DEATH_UNCAUGHT && death != PM_DEATH_FATAL_ERROR) return;
    for (size_t i = 0; i < diagnosis->finding_count; i++) {
        const struct pm_finding *finding = &diagnosis->findings[i];
        bool was_told =
            !finding->claim || (death != PM_DEATH_REPORT && finding->severity < PM_SEVERITY_CRITICAL);
        for (size_t k = 0; k < sizeof(told) / sizeof(told[0]); k++) was_told |= !strcmp(finding->id, told[k]);
        if (!was_told && (!most || finding->severity > most->severity)) most = finding;
    }
    if (most) pm_strbuf_appendf(out, " %s", most->claim);
}

/* Without a process (a pod, a snapshot) the first of the gravest findings is all there is to say. */
static void write_finding(struct pm_diagnosis *diagnosis) {
    for (int severity = PM_SEVERITY_CRITICAL; severity >= PM_SEVERITY_INFO; severity--)
        for (size_t i = 0; i < diagnosis->finding_count; i++)
            if ((int)diagnosis->findings[i].severity == severity && diagnosis->findings[i].claim) {
                diagnosis->verdict = diagnosis->findings[i].claim;
                return;
            }
}

void pm_verdict_write(struct pm_diagnosis *diagnosis) {
    const struct pm_process *process = &diagnosis->process;
    const struct pm_thread *crashed = thread_of_role(diagnosis, true);
    const struct pm_frame *user =
        crashed ? user_frame((struct stack){crashed->frames, crashed->frame_count, false}) : NULL;
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    bool only_pod = diagnosis->pod_count && !diagnosis->report_count && !diagnosis->gc_log_count &&
                    !diagnosis->thread_count && diagnosis->finding_count;
    if ((!diagnosis->has_process && !memory_finding(diagnosis)) || only_pod) {
        write_finding(diagnosis);
        return;
    }
    switch (process->death) {
    case PM_DEATH_HEAP_LIMIT:
        pm_strbuf_append(&text,
                         crashed && crashed->role == PM_ROLE_WORKER
                             ? "Out of memory: the JavaScript heap of a worker thread reached its limit"
                             : "Out of memory: the JavaScript heap reached its limit");
        put_fill(&text, diagnosis);
        put_where(&text, user, " while ", " was running");
        break;
    case PM_DEATH_INEFFECTIVE_GC:
        pm_strbuf_append(&text, "Out of memory: garbage collection near the heap limit freed too little");
        put_fill(&text, diagnosis);
        put_where(&text, user, " while ", " was running");
        break;
    case PM_DEATH_FATAL_ERROR:
        put_fatal(&text, process);
        put_where(&text, user, ", in ", "");
        break;
    case PM_DEATH_UNCAUGHT: put_uncaught(&text, process, crashed); break;
    case PM_DEATH_ABORT:
        pm_strbuf_append(&text, "The process aborted itself");
        if (process->death_message) pm_strbuf_appendf(&text, " (%s)", process->death_message);
        put_where(&text, user, ", called from ", "");
        break;
    case PM_DEATH_BAD_ALLOC:
        pm_strbuf_append(&text, "Native code could not get memory (C++ std::bad_alloc)");
        put_where(&text, user, ", called from ", "");
        break;
    case PM_DEATH_NATIVE_CRASH:
        put_crash(&text, diagnosis, crashed);
        if (!crashed || !crashed->overflowed) put_where(&text, user, ", called from ", "");
        break;
    case PM_DEATH_KILLED: put_killed(&text, diagnosis); break;
    case PM_DEATH_SNAPSHOT:
        pm_strbuf_append(&text, "A core of a living process, taken by a debugger or gcore");
        put_state(&text, diagnosis, "; the main thread was ");
        break;
    case PM_DEATH_OOM_KILLED:
        pm_strbuf_append(&text, "Killed by the kernel (OOMKilled): the container reached its memory limit");
        break;
    case PM_DEATH_REPORT:
        pm_strbuf_append(&text, "A report of a living process");
        if (process->death_message) pm_strbuf_appendf(&text, " (%s)", process->death_message);
        put_state(&text, diagnosis, "; the main thread was ");
        break;
    case PM_DEATH_UNKNOWN: pm_strbuf_append(&text, "How the process ended is not known"); break;
    }
    if (!diagnosis->has_process && memory_finding(diagnosis))
        pm_strbuf_clear(&text); /* a heap alone: nothing is known of an end */
    else
        pm_strbuf_append_char(&text, '.');
    if (out_of_memory(diagnosis) || !put_lost_heap(&text, diagnosis)) put_suspect(&text, diagnosis);
    put_gravest(&text, diagnosis);
    diagnosis->verdict = text.failed ? NULL : pm_arena_copy(diagnosis->arena, text.bytes, text.length);
}
