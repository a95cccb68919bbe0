/* thread_state.c - what a thread was doing, from the finished stack.
 *
 * A blocked event loop is the usual reason to kill a process from outside, and its stack says why: markers in
 * the native frames above the innermost JavaScript of the user (a JSON parser, a regular expression, a wait
 * for a child ...), else what V8 was doing for it (a collection, a compilation), else plain JavaScript. The
 * outer markers win over the inner ones: a collection inside of JSON.parse is JSON.parse. Truth: cores of
 * corpora/cores/hang-*, looked at in gdb. */
#include <stdio.h>
#include <string.h>

#include "v8layout/stack_walk.h"

struct marker {
    const char *text; /* in the demangled name of a native frame, or a builtin's name */
    enum pm_state_kind state;
    const char *phrase;
};

/* What a call from JavaScript was for. */
static const struct marker call_markers[] = {
    {"JsonParser<", PM_STATE_JSON, "JSON.parse"},
    {"JsonParse", PM_STATE_JSON, "JSON.parse"},
    {"JsonStringifier", PM_STATE_JSON, "JSON.stringify"},
    {"JsonStringify", PM_STATE_JSON, "JSON.stringify"},
    {"JSON.parse", PM_STATE_JSON, "JSON.parse"},
    {"JSON.stringify", PM_STATE_JSON, "JSON.stringify"},
    {"(compiled regular expression)", PM_STATE_REGEXP, "regular expression"},
    {"IrregexpInterpreter", PM_STATE_REGEXP, "regular expression"},
    {"v8::internal::RegExp", PM_STATE_REGEXP, "regular expression"},
    {"v8::internal::NativeRegExpMacroAssembler", PM_STATE_REGEXP, "regular expression"},
    {"Runtime_RegExp", PM_STATE_REGEXP, "regular expression"},
    {"RegExpExecInternal", PM_STATE_REGEXP, "regular expression"},
    {"SyncProcessRunner", PM_STATE_CHILD_PROCESS, "waiting for a child process (spawnSync, execSync)"},
    {"FutexEmulation", PM_STATE_ATOMICS_WAIT, "Atomics.wait"},
    {"AtomicsWait", PM_STATE_ATOMICS_WAIT, "Atomics.wait"},
    {"node::crypto::", PM_STATE_SYNC_CRYPTO, "synchronous crypto"},
    {"node::zlib::", PM_STATE_SYNC_ZLIB, "synchronous compression"},
    {"ZlibContext", PM_STATE_SYNC_ZLIB, "synchronous compression"},
    {"BrotliEncoder", PM_STATE_SYNC_ZLIB, "synchronous compression"},
    {"BrotliDecoder", PM_STATE_SYNC_ZLIB, "synchronous decompression"},
    {"ZSTD_", PM_STATE_SYNC_ZLIB, "synchronous compression"},
    {"CompressionStream<", PM_STATE_SYNC_ZLIB, "synchronous compression"},
    {"ValueSerializer", PM_STATE_NATIVE, "copying a value (structuredClone, postMessage, v8.serialize)"},
    {"ValueDeserializer", PM_STATE_NATIVE, "copying a value (structuredClone, postMessage, v8.deserialize)"},
    {"wasm-function[", PM_STATE_NATIVE, "running WebAssembly"},
    {"(WebAssembly function)", PM_STATE_NATIVE, "running WebAssembly"},
    {"v8::bigint::", PM_STATE_RUNNING_JS, "BigInt arithmetic"},
    {"v8::internal::BigInt::", PM_STATE_RUNNING_JS, "BigInt arithmetic"},
    {"Runtime_BigInt", PM_STATE_RUNNING_JS, "BigInt arithmetic"},
    {"node::fs::", PM_STATE_SYNC_FS, "synchronous file system call"},
    {"uv_fs_", PM_STATE_SYNC_FS, "synchronous file system call"},
};

/* What V8 does on its own account. */
static const struct marker engine_markers[] = {
    {"v8::internal::Heap::CollectGarbage", PM_STATE_GC, "garbage collection"},
    {"v8::internal::Heap::PerformGarbageCollection", PM_STATE_GC, "garbage collection"},
    {"v8::internal::MarkCompactCollector", PM_STATE_GC, "garbage collection (mark-compact)"},
    {"v8::internal::Scavenger", PM_STATE_GC, "garbage collection (scavenge)"},
    {"v8::internal::IncrementalMarking", PM_STATE_GC, "garbage collection (marking)"},
    {"v8::internal::ConcurrentMarking", PM_STATE_GC, "garbage collection (marking)"},
    {"v8::internal::Sweeper", PM_STATE_GC, "garbage collection (sweeping)"},
    {"v8::internal::Evacuat", PM_STATE_GC, "garbage collection (evacuation)"},
    {"v8::internal::PointersUpdating", PM_STATE_GC, "garbage collection (evacuation)"},
    {"v8::internal::PageEvacuation", PM_STATE_GC, "garbage collection (evacuation)"},
    {"v8::internal::ArrayBufferSweeper", PM_STATE_GC, "garbage collection (array buffers)"},
    {"v8::internal::ClearStringTableJobItem", PM_STATE_GC, "garbage collection"},
    {"heap::base::", PM_STATE_GC, "garbage collection"},
    {"cppgc::internal::", PM_STATE_GC, "garbage collection"},
    {"v8::internal::Compiler::", PM_STATE_COMPILING, "compiling"},
    {"v8::internal::compiler::", PM_STATE_COMPILING, "compiling (TurboFan)"},
    {"v8::internal::maglev::", PM_STATE_COMPILING, "compiling (Maglev)"},
    {"v8::internal::baseline::", PM_STATE_COMPILING, "compiling (baseline)"},
    {"v8::internal::OptimizedCompilationJob", PM_STATE_COMPILING, "compiling"},
    {"v8::internal::OptimizingCompileDispatcher", PM_STATE_COMPILING, "compiling"},
    {"v8::internal::parsing::", PM_STATE_COMPILING, "parsing JavaScript"},
    {"v8::internal::wasm::CompileImport", PM_STATE_COMPILING, "compiling WebAssembly"},
    {"v8::internal::wasm::ExecuteCompilationUnits", PM_STATE_COMPILING, "compiling WebAssembly"},
};

static const struct marker fatal_markers[] = {
    {"FatalProcessOutOfMemory", PM_STATE_FATAL, "V8's fatal error: out of memory"},
    {"node::OOMErrorHandler", PM_STATE_FATAL, "V8's fatal error: out of memory"},
    {"V8_Fatal", PM_STATE_FATAL, "V8's fatal error"},
    {"node::OnFatalError", PM_STATE_FATAL, "V8's fatal error"},
    {"node::Assert", PM_STATE_FATAL, "failed assertion in Node.js"},
    {"std::terminate", PM_STATE_FATAL, "uncaught C++ exception"},
    {"__assert_fail", PM_STATE_FATAL, "failed assertion"},
    {"node::Abort", PM_STATE_FATAL, "abort()"},
    {"v8::base::OS::Abort", PM_STATE_FATAL, "abort()"},
};

/* Waiting: the innermost frames, C names as they are. */
static const char *const wait_names[] = {
    "epoll_pwait",
    "epoll_wait",
    "uv__io_poll",
    "__futex_abstimed_wait",
    "pthread_cond_wait",
    "pthread_cond_timedwait",
    "sem_wait",
    "sem_timedwait",
    "uv_cond_wait",
    "uv_sem_wait",
    "__lll_lock_wait",
    "pthread_mutex_lock",
    "futex_wait",
    "__new_sem_wait",
    "poll",
    "__poll",
    "nanosleep",
    "syscall",
    "read",
    "__GI___libc_read",
};

/* Threads Node and libuv start; the outermost frame with a symbol tells. */
static const struct {
    const char *text, *name;
    enum pm_thread_role role;
    bool exact;
} threads[] = {
    {"node::worker::Worker::StartThread", "worker", PM_ROLE_WORKER, false},
    {"node::worker::Worker::Run", "worker", PM_ROLE_WORKER, false},
    {"PlatformWorkerThread", "V8 platform worker", PM_ROLE_OTHER, false},
    {"DelayedTaskScheduler", "DelayedTaskScheduler", PM_ROLE_OTHER, false},
    {"StartIoThreadMain", "SignalInspector", PM_ROLE_OTHER, false},
    {"SigintWatchdogHelper", "SigintWatchdog", PM_ROLE_OTHER, false},
    {"node::Watchdog::Run", "Watchdog", PM_ROLE_OTHER, false},
    {"node::inspector::InspectorIo", "inspector", PM_ROLE_OTHER, false},
    {"node::tracing::", "tracing agent", PM_ROLE_OTHER, false},
    {"worker", "libuv pool", PM_ROLE_POOL, true},
};

/* ---- small helpers on frames ---- */

static const char *name_of(const struct pm_frame *frame) {
    return frame->function ? frame->function : "";
}

static bool is_javascript(const struct pm_frame *frame) {
    return frame->kind == PM_FRAME_JS && !frame->is_async;
}

static bool is_internal(const struct pm_frame *frame) {
    return !frame->position.file || strncmp(frame->position.file, "node:", 5) == 0 ||
           strncmp(frame->position.file, "internal/", 9) == 0;
}

/* Node's own that only runs promises: what it runs is somebody else's. */
static bool runs_microtasks(const struct pm_frame *frame) {
    return strstr(name_of(frame), "processTicksAndRejections") || strstr(name_of(frame), "runMicrotasks") ||
           strstr(name_of(frame), "runNextTicks");
}

/* The innermost JavaScript frame of the user; an async function that was about to go on when only the runner
 * of promises is on the stack, or nothing; else of Node's own; NULL = nothing. */
static const struct pm_frame *user_frame(const struct v8_walk *walk) {
    const struct pm_frame *any = NULL;
    for (size_t i = 0; i < walk->frames.count; i++) {
        const struct pm_frame *frame = &walk->frames.items[i];
        if (!is_javascript(frame)) continue;
        if (!is_internal(frame)) return frame;
        if (!any) any = frame;
    }
    for (size_t i = 0; (!any || runs_microtasks(any)) && i < walk->frames.count; i++) {
        const struct pm_frame *frame = &walk->frames.items[i];
        if (frame->kind == PM_FRAME_JS && frame->is_async && (!any || !is_internal(frame))) return frame;
    }
    return any;
}

static const struct marker *find_marker(const struct marker *markers, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (strstr(name, markers[i].text)) return &markers[i];
    return NULL;
}
#define FIND_MARKER(markers, name) find_marker((markers), sizeof(markers) / sizeof((markers)[0]), (name))

/* Of frames [0, end): the outermost match. */
static const struct marker *outermost(const struct v8_walk *walk, size_t end, const struct marker *markers,
                                      size_t count) {
    const struct marker *found = NULL;
    for (size_t i = 0; i < end; i++) {
        const struct pm_frame *frame = &walk->frames.items[i];
        if (is_javascript(frame)) continue;
        const struct marker *marker = find_marker(markers, count, name_of(frame));
        if (marker) found = marker;
    }
    return found;
}
#define OUTERMOST(walk, end, markers)                                                                        \
    outermost((walk), (end), (markers), sizeof(markers) / sizeof((markers)[0]))

static bool has_native(const struct v8_walk *walk, const char *text) {
    for (size_t i = 0; i < walk->frames.count; i++)
        if (walk->frames.items[i].kind == PM_FRAME_NATIVE && strstr(name_of(&walk->frames.items[i]), text))
            return true;
    return false;
}

/* ---- texts ---- */

static const char *base_name(const char *path) {
    if (strncmp(path, "node:", 5) == 0) return path;
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

static const char *where(const struct v8_walk *walk, const struct pm_frame *frame) {
    struct pm_arena *arena = walk->stacks->arena;
    if (!frame->position.file) return pm_arena_printf(arena, "`%s`", name_of(frame));
    if (!frame->position.line)
        return pm_arena_printf(arena, "`%s` in %s", name_of(frame), base_name(frame->position.file));
    return pm_arena_printf(arena, "`%s` at %s:%u", name_of(frame), base_name(frame->position.file),
                           frame->position.line);
}

static void set_state(struct v8_walk *walk, enum pm_state_kind state, const char *phrase) {
    struct pm_arena *arena = walk->stacks->arena;
    walk->out->state = state;
    const struct pm_frame *user = user_frame(walk);
    const char *what = phrase;
    if (state == PM_STATE_REGEXP && walk->regexp)
        what = pm_arena_printf(arena, "%s `/%s/`", phrase, walk->out->regexp = walk->regexp);
    if (user && what) {
        const char *place = where(walk, user);
        const char *link = state == PM_STATE_RUNNING_JS || state == PM_STATE_GC || state == PM_STATE_COMPILING
                               ? "in"
                               : "called by";
        if (place)
            what = pm_arena_printf(arena, state == PM_STATE_FATAL ? "%s; JavaScript was %s %s" : "%s, %s %s",
                                   what, state == PM_STATE_FATAL ? "in" : link, place);
    }
    walk->out->state_detail = what ? what : phrase;
}

/* ---- which thread ---- */

/* libuv's and Node's thread functions are static: where only exported symbols are left (Debian), a waiting
 * thread is told by the library whose nameless function waits. */
static void guess_helper(struct v8_walk *walk) {
    for (size_t i = 0; i + 1 < walk->frames.count; i++) {
        const char *name = walk->frames.items[i].function;
        const struct pm_frame *caller = &walk->frames.items[i + 1];
        if (!name || (strcmp(name, "uv_cond_wait") != 0 && strcmp(name, "uv_sem_wait") != 0)) continue;
        if (caller->function || !caller->module) return;
        if (strstr(caller->module, "libuv")) {
            walk->out->name = "libuv pool";
            walk->out->role = PM_ROLE_POOL;
        } else if (strstr(caller->module, "libnode")) {
            walk->out->name = "Node.js helper";
        }
        return;
    }
}

static void set_role(struct v8_walk *walk) {
    struct pm_thread *out = walk->out;
    const struct pm_core_info *info = pm_core_info(walk->stacks->core);
    out->role = PM_ROLE_OTHER;
    for (size_t i = walk->frames.count; i-- > 0 && !out->name;) {
        const struct pm_frame *frame = &walk->frames.items[i];
        if (frame->kind != PM_FRAME_NATIVE || !frame->function) continue;
        for (size_t t = 0; t < sizeof(threads) / sizeof(threads[0]); t++) {
            if (threads[t].exact ? strcmp(frame->function, threads[t].text) != 0
                                 : !strstr(frame->function, threads[t].text))
                continue;
            out->name = threads[t].name;
            out->role = threads[t].role;
            break;
        }
    }
    if (!out->name) guess_helper(walk);
    if (out->tid == info->pid || (info->pid == 0 && has_native(walk, "node::Start"))) {
        out->role = PM_ROLE_MAIN;
        out->name = "main";
    } else if (walk->first_function || walk->has_entry) {
        out->role = PM_ROLE_WORKER;
        out->name = "worker";
    }
    /* Helper threads of V8 have the isolate in their thread-local storage too: it is not theirs. */
    if (out->role != PM_ROLE_MAIN && out->role != PM_ROLE_WORKER) out->isolate = 0;
}

/* ---- what it did ---- */

static bool is_waiting(const struct v8_walk *walk) {
    size_t seen = 0;
    for (size_t i = 0; i < walk->frames.count && seen < 3; i++, seen++) {
        const char *name = name_of(&walk->frames.items[i]);
        for (size_t w = 0; w < sizeof(wait_names) / sizeof(wait_names[0]); w++)
            if (strncmp(name, wait_names[w], strlen(wait_names[w])) == 0) return true;
    }
    return false;
}

static void pool_state(struct v8_walk *walk) {
    size_t worker = walk->frames.count;
    for (size_t i = 0; i < walk->frames.count; i++)
        if (strcmp(name_of(&walk->frames.items[i]), "worker") == 0) worker = i;
    if (worker == walk->frames.count) { /* no names: guess_helper() saw it wait */
        set_state(walk, PM_STATE_POOL_IDLE, "waiting for work");
        return;
    }
    if (worker > 0 && strncmp(name_of(&walk->frames.items[worker - 1]), "uv_cond_", 8) == 0) {
        set_state(walk, PM_STATE_POOL_IDLE, "waiting for work");
        return;
    }
    static const struct marker work[] = {
        {"uv__fs_", PM_STATE_POOL_WORK, "file system request"},
        {"uv__getaddrinfo_work", PM_STATE_POOL_WORK, "DNS lookup (getaddrinfo)"},
        {"uv__getnameinfo_work", PM_STATE_POOL_WORK, "DNS lookup (getnameinfo)"},
        {"node::crypto::", PM_STATE_POOL_WORK, "crypto job"},
        {"ZlibContext", PM_STATE_POOL_WORK, "compression"},
        {"CompressionStream", PM_STATE_POOL_WORK, "compression"},
        {"node::zlib", PM_STATE_POOL_WORK, "compression"},
        {"uv__random_work", PM_STATE_POOL_WORK, "random bytes"},
        {"ncrypto::", PM_STATE_POOL_WORK, "crypto job"},
        {"EVP_", PM_STATE_POOL_WORK, "crypto job"},
        {"PKCS5_", PM_STATE_POOL_WORK, "crypto job"},
        {"Brotli", PM_STATE_POOL_WORK, "compression"},
        {"ZSTD_", PM_STATE_POOL_WORK, "compression"},
        {"deflate", PM_STATE_POOL_WORK, "compression"},
        {"ThreadPoolWork", PM_STATE_POOL_WORK, "job of an addon or of Node.js"},
        {"uv__queue_work", PM_STATE_POOL_WORK, "job of an addon or of Node.js"},
    };
    const struct marker *marker = NULL;
    for (size_t i = worker < walk->frames.count ? worker : 0; i-- > 0 && !marker;)
        marker = FIND_MARKER(work, name_of(&walk->frames.items[i]));
    /* The jobs' outermost frame is only the queue's: look further in for what is in it. */
    if (marker && strncmp(marker->text, "uv__queue_work", 14) == 0)
        for (size_t i = 0; i < worker && i < walk->frames.count; i++) {
            const struct marker *inner = FIND_MARKER(work, name_of(&walk->frames.items[i]));
            if (inner && strcmp(inner->text, "uv__queue_work") != 0) marker = inner;
        }
    set_state(walk, PM_STATE_POOL_WORK, marker ? marker->phrase : "a job");
}

/* How long the loop was ready to wait: the fourth argument of epoll_wait() and epoll_pwait(), which the
 * kernel leaves in its register. libuv asks without waiting when something is due at once, over and over when
 * it always is (setImmediate that sets the next one). */
static void polling_state(struct v8_walk *walk) {
    enum { X86_64_R10 = 10, AARCH64_X3 = 3 };
    const struct v8_frame_arch *arch = walk->stacks->arch;
    const struct pm_regs *regs = &walk->thread->regs;
    unsigned reg = arch->link >= 0 ? AARCH64_X3 : X86_64_R10;
    const char *phrase = "idle: waiting for events";
    if (strstr(name_of(&walk->frames.items[0]), "epoll_") && (regs->valid >> reg & 1)) {
        int32_t timeout = (int32_t)(uint32_t)regs->value[reg];
        walk->out->spinning = timeout == 0;
        if (timeout == 0)
            phrase = "turning without waiting: something is always due at once";
        else if (timeout > 0)
            phrase = pm_arena_printf(walk->stacks->arena,
                                     "idle: waiting for events or the next timer, at most %.1f s",
                                     timeout / 1000.0);
        else if (timeout == -1)
            phrase = "idle: waiting for events, without any timer";
    }
    set_state(walk, PM_STATE_POLLING, phrase);
}

/* A thread without JavaScript on its stack. */
static void native_state(struct v8_walk *walk) {
    struct pm_thread *out = walk->out;
    const struct marker *marker;
    if (out->role == PM_ROLE_MAIN || out->role == PM_ROLE_WORKER) {
        if ((marker = OUTERMOST(walk, walk->frames.count, engine_markers)))
            set_state(walk, marker->state, marker->phrase);
        else if (has_native(walk, "uv__io_poll") ||
                 (has_native(walk, "epoll_") && has_native(walk, "uv_run")))
            polling_state(walk);
        else if (is_waiting(walk))
            set_state(walk, PM_STATE_WAITING, "waiting for a lock or another thread");
        else
            set_state(walk, PM_STATE_NATIVE, "native code");
        return;
    }
    if (out->role == PM_ROLE_POOL) {
        pool_state(walk);
        return;
    }
    if ((marker = OUTERMOST(walk, walk->frames.count, engine_markers))) {
        set_state(walk, marker->state, marker->phrase);
        if (marker->state == PM_STATE_GC) out->role = PM_ROLE_GC;
    } else if (is_waiting(walk)) {
        set_state(walk, out->name ? PM_STATE_HELPER_IDLE : PM_STATE_WAITING,
                  out->name ? "waiting for work" : "waiting");
    } else {
        out->state = PM_STATE_UNKNOWN;
    }
}

/* V8's own C++ on behalf of the JavaScript (Date.now(), a string that is split) is JavaScript that runs;
 * Node's bindings and addons are native code. The outermost native frame tells: it is what JavaScript called.
 */
static bool is_native_call(const struct v8_walk *walk, size_t top) {
    for (size_t i = top; i-- > 0;) {
        const struct pm_frame *frame = &walk->frames.items[i];
        if (frame->kind != PM_FRAME_NATIVE) continue;
        const char *name = name_of(frame);
        if (strstr(name, "HandleApiCall") || strstr(name, "FunctionCallbackArguments")) return true;
        return strncmp(name, "v8::internal::Runtime_", 22) != 0 &&
               strncmp(name, "v8::internal::Builtin_", 22) != 0 &&
               strncmp(name, "v8::internal::__RT_impl_", 24) != 0;
    }
    return false;
}

/* The function of V8 that the user's function is in: Array.sort, String.split. */
static const char *running_phrase(const struct v8_walk *walk, size_t top) {
    for (size_t i = top; i-- > 0;) {
        const struct pm_frame *frame = &walk->frames.items[i];
        if (frame->kind == PM_FRAME_BUILTIN && !frame->hidden && frame->function)
            return pm_arena_printf(walk->stacks->arena, "running JavaScript, inside `%s`", frame->function);
        if (frame->kind != PM_FRAME_ENTRY) break;
    }
    return "running JavaScript";
}

static void javascript_state(struct v8_walk *walk) {
    size_t top =
        0; /* the innermost JavaScript frame of a script that is the user's, or the innermost of all */
    const struct pm_frame *user = user_frame(walk);
    while (top < walk->frames.count && &walk->frames.items[top] != user) top++;
    /* Nothing of it on the stack yet: what called the loop's callback says nothing about it. */
    const struct marker *marker = user->is_async ? NULL : OUTERMOST(walk, top, call_markers);
    if (!marker) marker = OUTERMOST(walk, top, engine_markers);
    if (marker) {
        set_state(walk, marker->state, marker->phrase);
        return;
    }
    if (user->is_async || !is_native_call(walk, top))
        set_state(walk, PM_STATE_RUNNING_JS,
                  user->is_async ? "running JavaScript" : running_phrase(walk, top));
    else if (is_waiting(walk))
        set_state(walk, PM_STATE_WAITING, "native code that waits");
    else
        set_state(walk, PM_STATE_NATIVE, "native code");
}

void v8_thread_state(struct v8_walk *walk) {
    if (walk->kernel_only) {
        walk->out->name = "io_uring worker of the kernel";
        walk->out->role = PM_ROLE_OTHER;
        set_state(walk, PM_STATE_HELPER_IDLE, "in the kernel");
        return;
    }
    set_role(walk);
    const struct marker *marker = OUTERMOST(walk, walk->frames.count, fatal_markers);
    if (marker)
        set_state(walk, PM_STATE_FATAL, marker->phrase);
    else if (user_frame(walk))
        javascript_state(walk);
    else
        native_state(walk);
}
