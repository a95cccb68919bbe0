#include "postmortem/death.h"

#include <signal.h>
#include <string.h>

#include "parsers/gc_series.h"
#include "v8layout/oom.h"
#include "v8layout/thrown.h"

struct corpse {
    const struct pm_session *session;
    struct pm_diagnosis *diagnosis;
    struct pm_process *process;
    const struct pm_thread *thread; /* the one that took the signal; NULL without stacks */
    struct v8_last_words words;
};

/* Is it this function, with or without its parameters, or a member of the class or namespace that ends in
 * "::"? */
static bool is_function(const char *shown, const char *name) {
    size_t length = strlen(name);
    if (strncmp(shown, name, length) != 0) return false;
    return length &&
           (name[length - 1] == ':' || !shown[length] || shown[length] == '(' || shown[length] == '<');
}

/* The first native frame of one of the functions; NULL-terminated list. */
static const struct pm_frame *find_frame(const struct corpse *corpse, const char *const *names) {
    for (size_t i = 0; corpse->thread && i < corpse->thread->frame_count; i++) {
        const struct pm_frame *frame = &corpse->thread->frames[i];
        for (size_t k = 0; frame->kind == PM_FRAME_NATIVE && frame->function && names[k]; k++)
            if (is_function(frame->function, names[k])) return frame;
    }
    return NULL;
}

static bool on_stack(const struct corpse *corpse, const char *name) {
    return find_frame(corpse, (const char *const[]){name, NULL}) != NULL;
}

static void set(const struct corpse *corpse, enum pm_death_kind kind, const char *message) {
    corpse->process->death = kind;
    if (!corpse->process->death_message) corpse->process->death_message = message;
}

/* ---- out of memory ---- */

static bool is_heap_limit(const char *location) {
    static const char *const locations[] = {
        "Reached heap limit",
        "CALL_AND_RETRY_LAST",
        "Scavenger: semi-space copy",
        "Scavenger: promoting marked",
        "MarkCompactCollector: semi-space copy, fallback in old gen",
        "MarkCompactCollector: young object promotion failed",
        "Evacuator: fallback in old gen",
    };
    for (size_t i = 0; location && i < sizeof(locations) / sizeof(locations[0]); i++)
        if (!strcmp(location, locations[i])) return true;
    return false;
}

static bool examine_out_of_memory(const struct corpse *corpse) {
    static const char *const handlers[] = {"node::OOMErrorHandler", "v8::Utils::ReportOOMFailure",
                                           "v8::internal::V8::FatalProcessOutOfMemory",
                                           "v8::internal::Heap::FatalProcessOutOfMemory", NULL};
    struct pm_process *process = corpse->process;
    const struct v8_last_words *words = &corpse->words;
    if (!words->has_statistics && !find_frame(corpse, handlers)) return false;
    process->death_location = words->location;
    process->death_message = words->detail;
    process->last_gcs = words->last_gcs;
    if (words->last_gcs)
        pm_diagnosis_problem(
            corpse->diagnosis,
            pm_gc_series_of_text(corpse->diagnosis->arena, words->last_gcs, &process->last_collections));
    if (words->has_statistics) {
        process->heap_used_at_death = words->used;
        process->heap_limit_at_death = words->limit;
    }
    if (words->location && strstr(words->location, "Ineffective mark-compacts"))
        process->death = PM_DEATH_INEFFECTIVE_GC;
    else if (is_heap_limit(words->location))
        process->death = PM_DEATH_HEAP_LIMIT;
    else if (words->location)
        process->death = PM_DEATH_FATAL_ERROR; /* one array or table too large, a zone */
    /* Without the location: a heap that is nearly empty is something else than the limit. */
    else
        process->death = words->has_statistics && words->used < words->limit / 4 ? PM_DEATH_FATAL_ERROR
                                                                                 : PM_DEATH_HEAP_LIMIT;
    return true;
}

/* ---- fatal errors ---- */

static bool examine_fatal_error(const struct corpse *corpse) {
    static const char *const handlers[] = {"node::OnFatalError", "v8::Utils::ReportApiFailure",
                                           "v8::api_internal::", NULL};
    static const char *const checks[] = {"V8_Fatal", "V8_Dcheck", "v8::base::FatalNoSecurityImpact",
                                         "v8::base::FatalOOM", NULL};
    const struct v8_last_words *words = &corpse->words;
    if (words->fatal) {
        set(corpse, PM_DEATH_FATAL_ERROR, words->fatal);
    } else if (find_frame(corpse, handlers)) {
        corpse->process->death_location = words->location ? words->location : words->api_location;
        set(corpse, PM_DEATH_FATAL_ERROR, words->detail ? words->detail : words->api_message);
    } else if (on_stack(corpse, "node::Assert")) {
        set(corpse, PM_DEATH_FATAL_ERROR, "an assertion of Node.js failed");
    } else if (find_frame(corpse, checks)) {
        set(corpse, PM_DEATH_FATAL_ERROR, "a check of V8 failed");
    } else {
        return false;
    }
    return true;
}

/* ---- uncaught exceptions ---- */

#define TRIGGER_UNCAUGHT    "node::errors::TriggerUncaughtException"
#define MOST_ARGUMENT_BYTES 256

/* The frame in which V8 left JavaScript stands right below the native ones. That of Runtime_Throw has the
 * thrown value as its argument; elsewhere one of the native frames holds the error. */
static void read_thrown(const struct corpse *corpse, struct v8_thrown *ret) {
    static const char *const runtime[] = {"v8::internal::Runtime_Throw", "v8::internal::Runtime_ReThrow",
                                          NULL};
    const struct pm_frame *frame = find_frame(corpse, runtime),
                          *end = corpse->thread->frames + corpse->thread->frame_count;
    const struct pm_core_thread *thread = pm_core_thread(corpse->session->core, 0);
    const struct v8 *v8 = corpse->session->v8;
    struct pm_arena *arena = corpse->diagnosis->arena;
    bool is_throw = frame != NULL;
    if (!v8) return;
    for (frame = frame ? frame : corpse->thread->frames; frame < end && frame->kind == PM_FRAME_NATIVE;)
        frame++;
    if (frame == end || !frame->frame_pointer) return;
    if (is_throw) {
        v8_thrown_argument(v8, frame->frame_pointer, arena, ret);
        return;
    }
    /* Node's own function has it among its arguments, above its frame; V8's make it in theirs, below. */
    pm_addr sp = thread->regs.value[pm_unwind_arch(pm_core_info(corpse->session->core)->machine)->sp];
    if (on_stack(corpse, TRIGGER_UNCAUGHT))
        v8_thrown_between(v8, frame->frame_pointer, frame->frame_pointer + MOST_ARGUMENT_BYTES, arena, ret);
    else
        v8_thrown_between(v8, sp, frame->frame_pointer, arena, ret);
}

/* Node's own function that looks after rejected promises ended the process. */
static bool is_rejection(const struct corpse *corpse) {
    static const char *const names[] = {"processPromiseRejections", "throwUnhandledRejectionsMode",
                                        "strictUnhandledRejectionsMode", "triggerUncaughtException", NULL};
    size_t i = 0, found = 0;
    while (i < corpse->thread->frame_count && corpse->thread->frames[i].kind != PM_FRAME_JS) i++;
    for (; i < corpse->thread->frame_count && i < 64; i++) {
        const struct pm_frame *frame = &corpse->thread->frames[i];
        const char *file = frame->position.file;
        if (frame->kind != PM_FRAME_JS || !file || strncmp(file, "node:", 5) != 0) break;
        for (size_t k = 0; names[k]; k++) found += frame->function && strstr(frame->function, names[k]);
    }
    return found > 0;
}

/* Thrown while nobody could catch it; or rejected, and Node found that nobody had caught it. */
static bool examine_uncaught(const struct corpse *corpse) {
    static const char *const throwers[] = {"v8::internal::Runtime_Throw",
                                           "v8::internal::Runtime_ReThrow",
                                           "v8::internal::Isolate::Throw",
                                           "v8::internal::Isolate::CreateMessageOrAbort",
                                           TRIGGER_UNCAUGHT,
                                           NULL};
    bool aborted = corpse->process->signal == SIGABRT || corpse->process->signal == SIGTRAP ||
                   corpse->process->signal == SIGILL;
    if (!aborted || !find_frame(corpse, throwers)) return false;
    struct v8_thrown thrown = {0};
    read_thrown(corpse, &thrown);
    corpse->process->error_frames = thrown.frames;
    corpse->process->error_frame_count = thrown.frame_count;
    corpse->process->is_rejection = is_rejection(corpse);
    set(corpse, PM_DEATH_UNCAUGHT, thrown.text);
    return true;
}

/* ---- abort() and signals ---- */

static bool examine_terminate(const struct corpse *corpse) {
    static const char *const throwers[] = {"std::__throw_bad_alloc", "operator new", "operator new[]", NULL};
    if (!on_stack(corpse, "std::terminate") && !on_stack(corpse, "__cxxabiv1::__terminate")) return false;
    const struct pm_core_thread *thread = pm_core_thread(corpse->session->core, 0);
    bool bad_alloc = find_frame(corpse, throwers) != NULL;
    /* Where the thrower has no name: the type's description is an argument of __cxa_throw, which spills it.
     */
    pm_addr type;
    if (!bad_alloc && corpse->session->modules && on_stack(corpse, "__cxa_throw")) {
        const struct pm_unwind_arch *arch = pm_unwind_arch(pm_core_info(corpse->session->core)->machine);
        pm_addr sp = thread->regs.value[arch->sp];
        for (size_t m = 0; !bad_alloc && m < pm_modules_count(corpse->session->modules); m++) {
            const struct pm_module *module = pm_modules_at(corpse->session->modules, m);
            struct pm_elf_symbol symbol;
            if (!module->elf || !pm_elf_find_symbol(module->elf, "_ZTISt9bad_alloc", &symbol)) continue;
            type = pm_module_address(module, symbol.value);
            uint64_t word;
            for (pm_addr at = sp & ~(pm_addr)7; !bad_alloc && at < sp + 2048; at += 8)
                bad_alloc = pm_mem_u64(pm_core_memory(corpse->session->core), at, &word) && word == type;
        }
    }
    if (bad_alloc)
        set(corpse, PM_DEATH_BAD_ALLOC, "std::bad_alloc");
    else
        set(corpse, PM_DEATH_ABORT, "std::terminate: a C++ exception that nobody caught");
    return true;
}

static bool is_fatal_signal(uint64_t signal) {
    static const int fatal[] = {SIGQUIT, SIGILL,  SIGTRAP, SIGABRT, SIGBUS,
                                SIGFPE,  SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS};
    for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
        if (signal == (uint64_t)fatal[i]) return true;
    return false;
}

/* Node handles SIGSEGV (for WebAssembly) and raises a fault that is not its own again, so the signal comes
 * from the process itself, but at the faulting instruction. A real raise() or kill() has that function on
 * top. */
static bool raised_by_call(const struct corpse *corpse) {
    static const char *const callers[] = {"raise", "__GI_raise",   "gsignal",        "kill",  "tgkill",
                                          "tkill", "pthread_kill", "__pthread_kill", "abort", NULL};
    for (size_t i = 0; corpse->thread && i < corpse->thread->frame_count && i < 4; i++)
        for (size_t k = 0; corpse->thread->frames[i].function && callers[k]; k++)
            if (!strcmp(corpse->thread->frames[i].function, callers[k])) return true;
    return false;
}

static void examine_signal(const struct corpse *corpse) {
    struct pm_process *process = corpse->process;
    const struct pm_core_info *info = pm_core_info(corpse->session->core);
    bool fault = process->signal == SIGSEGV || process->signal == SIGBUS || process->signal == SIGILL ||
                 process->signal == SIGFPE;
    if (!is_fatal_signal(process->signal)) {
        process->death =
            PM_DEATH_SNAPSHOT; /* gcore stops a process and lets it go on: no signal, SIGSTOP, SIGTRAP */
    } else if (info->has_siginfo && info->signal_code <= 0 && process->sender_pid != PM_UNKNOWN) {
        process->death = PM_DEATH_KILLED;
    } else if (fault && (!info->has_siginfo || info->signal_code > 0 || !raised_by_call(corpse))) {
        set(corpse, PM_DEATH_NATIVE_CRASH,
            corpse->thread && corpse->thread->overflowed ? "the stack overflowed" : NULL);
    } else if (process->signal == SIGABRT || (info->has_siginfo && info->signal_code <= 0)) {
        bool sent = info->has_siginfo && info->signal_code == SI_USER;
        set(corpse, PM_DEATH_ABORT,
            on_stack(corpse, "node::Abort") ? "process.abort()"
            : sent                          ? "it sent itself the signal"
                                            : NULL);
    } else if (process->signal == SIGTRAP) {
        /* A breakpoint that nobody watched: V8 and Chromium's base library end with int3. With no thread in
         * it, a debugger. */
        process->death = on_stack(corpse, "v8::base::OS::Abort") ? PM_DEATH_ABORT : PM_DEATH_SNAPSHOT;
    } else {
        process->death = PM_DEATH_KILLED;
    }
}

/* Was the process ended from inside? Only then do frames of an error handler mean anything: a process that is
 * killed while it prints a fatal error is not what we look for, but one whose heap happens to hold an old
 * block must not be misread. */
static bool ended_itself(const struct corpse *corpse) {
    return is_fatal_signal(corpse->process->signal) && corpse->process->sender_pid == PM_UNKNOWN;
}

void pm_death_examine(const struct pm_session *session) {
    struct pm_diagnosis *diagnosis = session->diagnosis;
    struct corpse corpse = {.session = session, .diagnosis = diagnosis, .process = &diagnosis->process};
    for (size_t i = 0; i < diagnosis->thread_count && !corpse.thread; i++)
        if (diagnosis->threads[i].crashed) corpse.thread = &diagnosis->threads[i];
    if (ended_itself(&corpse) && pm_core_thread_count(session->core)) {
        v8_last_words_read(session->core, pm_core_thread(session->core, 0), diagnosis->arena, &corpse.words);
        if (examine_out_of_memory(&corpse) || examine_fatal_error(&corpse) || examine_uncaught(&corpse) ||
            examine_terminate(&corpse))
            return;
    }
    examine_signal(&corpse);
}
