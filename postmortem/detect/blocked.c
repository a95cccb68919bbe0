/* blocked.c - what keeps the event loop from turning: of a process that was killed from outside, or whose
 * core was taken while it lived, the state of the main thread (and of workers) as a finding.
 *
 * A core is one moment. A thread inside of a call that does not return (a wait, a child process, a regular
 * expression that backtracks) says what blocks; plain JavaScript may have been there by chance, so its
 * confidence is lower, and the advice says how to make sure: take a second core.
 *
 * The way is told as a person would: what called into JavaScript (a timer, an HTTP request, the loading of a
 * module ...), the user's functions from there on, the API that does not return. */
#include <string.h>

#include "postmortem/detect/detector.h"
#include "postmortem/model/event_loop.h"

#define SHOWN_STEPS   6
#define MAX_POSITIONS 4
#define HEAP_FULL     0.85 /* of the old generation's limit: collecting then is thrash */
#define POOL_LEAST    2    /* busy threads that make a saturated pool; libuv's default size is 4 */

struct kind {
    enum pm_state_kind state;
    const char *id, *what, *advice;
    enum pm_confidence confidence;
};

static const struct kind kinds[] = {
    {PM_STATE_RUNNING_JS, "blocked-javascript", "running JavaScript",
     "While a function runs nothing else does: cut long loops into parts (setImmediate between them), move "
     "the "
     "work to a worker thread, or make it cheaper. One core is one moment: take a second one a few seconds "
     "later to see that it is still there.",
     PM_CONFIDENCE_MEDIUM},
    {PM_STATE_REGEXP, "blocked-regexp", "inside a regular expression",
     "Nested or overlapping repetitions try every way to split the text: rewrite the expression without "
     "them, "
     "limit the length of the text first, or use an engine without backtracking (re2).",
     PM_CONFIDENCE_HIGH},
    {PM_STATE_JSON, "blocked-json", "inside JSON",
     "JSON of this size blocks the loop: limit the size, use a stream parser, or do it in a worker thread.",
     PM_CONFIDENCE_HIGH},
    {PM_STATE_SYNC_FS, "blocked-sync-fs", "inside a synchronous file operation",
     "Use the asynchronous call (fs.promises); a path on a network volume, a named pipe or a device may "
     "never "
     "answer.",
     PM_CONFIDENCE_HIGH},
    {PM_STATE_SYNC_CRYPTO, "blocked-sync-crypto", "inside synchronous cryptography",
     "Use the asynchronous call, which runs in the thread pool, and check the number of rounds.",
     PM_CONFIDENCE_HIGH},
    {PM_STATE_SYNC_ZLIB, "blocked-sync-zlib", "inside synchronous compression",
     "Use the asynchronous call or a stream, and a lower level for large data.", PM_CONFIDENCE_HIGH},
    {PM_STATE_CHILD_PROCESS, "blocked-child-process", "waiting for a child process",
     "Use spawn or execFile without Sync, with a timeout: until the child ends nothing else runs here.",
     PM_CONFIDENCE_HIGH},
    {PM_STATE_ATOMICS_WAIT, "blocked-atomics-wait", "waiting in Atomics.wait",
     "The one who should call Atomics.notify did not: look at the stacks of the workers. Use "
     "Atomics.waitAsync, or wait with a timeout.",
     PM_CONFIDENCE_HIGH},
    {PM_STATE_GC, "blocked-javascript", "collecting garbage for running JavaScript",
     "V8 was collecting at this moment; what runs around it is named above. Take a second core a few seconds "
     "later to see whether it is still there.",
     PM_CONFIDENCE_MEDIUM},
    {PM_STATE_COMPILING, "blocked-javascript", "compiling JavaScript",
     "V8 was compiling at this moment; what runs around it is named above. Take a second core a few seconds "
     "later to see whether it is still there.",
     PM_CONFIDENCE_LOW},
    {PM_STATE_NATIVE, "blocked-native", "inside native code called from JavaScript",
     "A native function works on the main thread: give it less at a time, or use an asynchronous form of it.",
     PM_CONFIDENCE_MEDIUM},
    {PM_STATE_WAITING, "blocked-lock", "waiting inside native code",
     "A native function waits for a lock, another thread or a device: look at the stacks of the other "
     "threads.",
     PM_CONFIDENCE_MEDIUM},
};

static const struct kind thrash = {
    PM_STATE_GC, "gc-thrash", "collecting garbage, with the heap nearly full",
    "The heap is nearly full, so V8 collects again and again and frees little: see what keeps the memory, or "
    "raise --max-old-space-size.",
    PM_CONFIDENCE_HIGH};

#define MODULE_LOAD   "loading of a module"
#define PROGRAM_START "start of the program" /* which loads its first module: it says more than that */

/* Who called into JavaScript: the outermost functions of Node's own that say so. */
static const struct {
    const char *function, *words;
} triggers[] = {
    {"listOnTimeout", "timer"},
    {"processTimers", "timer"},
    {"processImmediate", "setImmediate"},
    {"parserOnIncoming", "HTTP request"},
    {"parserOnHeadersComplete", "HTTP request"},
    {"parserOnMessageComplete", "HTTP message"},
    {"resOnFinish", "HTTP response"},
    {"onStreamRead", "data of a socket or pipe"},
    {"onconnection", "new connection"},
    {"emitMessage", "message of a worker or port"},
    {"[nodejs.internal.kHybridDispatch]", "event"},
    {"executeUserEntryPoint", PROGRAM_START},
    {"runEntryPointWithESMLoader", PROGRAM_START},
    {"process.reallyExit", "exit of the process"},
    {"process.exit", "exit of the process"},
    {"ModuleJob.run", MODULE_LOAD},
    {"Module._compile", MODULE_LOAD},
    {"processTicksAndRejections", "promise or nextTick"},
    {"runMicrotasks", "promise"},
    {"RunMicrotasks", "promise"},
    {"onhandshakedone", "TLS handshake"},
    {"readFileAfterClose", "file that was read"},
    {"oncomplete", "file operation"},
};

static bool is_own(const struct pm_frame *frame) {
    return frame->kind == PM_FRAME_JS && pm_is_user_file(frame->position.file);
}

/* Of a thread: is it a function of the user's? An async function that waits is one only while none runs: the
 * promise it waits for was about to let it go on. */
struct users {
    bool async;
};

static struct users users_of(const struct pm_thread *thread) {
    for (size_t i = 0; i < thread->frame_count; i++)
        if (is_own(&thread->frames[i]) && !thread->frames[i].is_async) return (struct users){false};
    return (struct users){true};
}

static bool is_user(struct users users, const struct pm_frame *frame) {
    return is_own(frame) && frame->is_async == users.async;
}

static bool is_package(const struct pm_frame *frame) {
    return strstr(frame->position.file, "/node_modules/") != NULL;
}

static const char *name_of(const struct pm_frame *frame) {
    const char *name = frame->function;
    if (name && frame->is_async && strncmp(name, "async ", 6) == 0) name += 6;
    return name && *name ? name : "an anonymous function";
}

/* The innermost frame of the user's: of a script that is not Node's own. SIZE_MAX = there is none. */
static size_t blocked_frame(const struct pm_thread *thread) {
    struct users users = users_of(thread);
    for (size_t i = 0; i < thread->frame_count; i++)
        if (is_user(users, &thread->frames[i])) return i;
    return SIZE_MAX;
}

/* What called the outermost function of the user's. */
static const char *trigger_of(const struct pm_thread *thread) {
    const char *words = NULL;
    size_t from = 0;
    struct users users = users_of(thread);
    for (size_t i = 0; !users.async && i < thread->frame_count; i++)
        if (is_user(users, &thread->frames[i])) from = i;
    for (size_t i = from; i < thread->frame_count; i++)
        for (size_t t = 0; t < sizeof(triggers) / sizeof(triggers[0]); t++) {
            const struct pm_frame *frame = &thread->frames[i];
            if (!frame->function || is_own(frame) || !strstr(frame->function, triggers[t].function)) continue;
            bool starts = strcmp(triggers[t].words, PROGRAM_START) == 0;
            if (!words || (starts && strcmp(words, MODULE_LOAD) == 0)) words = triggers[t].words;
            break;
        }
    return words;
}

/* What the user's function called: a builtin or a function of Node's that has not returned. */
static const struct pm_frame *called_api(const struct pm_thread *thread, size_t user) {
    if (user != SIZE_MAX && thread->frames[user].is_async) return NULL; /* it has not called anything yet */
    for (size_t i = user == SIZE_MAX ? 0 : user; i-- > 0;) {
        const struct pm_frame *frame = &thread->frames[i];
        if ((frame->kind == PM_FRAME_BUILTIN || frame->kind == PM_FRAME_JS) && !frame->hidden) return frame;
        if (frame->kind == PM_FRAME_NATIVE) return NULL;
    }
    return NULL;
}

static const char *place(struct pm_arena *arena, const struct pm_position *position) {
    if (!position->file) return "";
    if (!position->line) return pm_arena_printf(arena, " (%s)", position->file);
    return pm_arena_printf(arena, " (%s:%u)", position->file, position->line);
}

/* "HTTP request -> onRequest (/app/server.js:10) -> validate (/app/form.js:12) -> RegExp.test": of many
 * functions the outermost and the innermost ones, of a recursion one with its depth. */
static const char *way(struct pm_arena *arena, const struct pm_thread *thread, size_t user,
                       const struct pm_frame *api) {
    const char *text = trigger_of(thread);
    const struct pm_frame *last = NULL;
    size_t left = 0, seen = 0, left_out = 0;
    struct users users = users_of(thread);
    for (size_t i = user; i < thread->frame_count; i++) left += is_user(users, &thread->frames[i]);
    for (size_t i = thread->frame_count; i-- > user;) {
        const struct pm_frame *frame = &thread->frames[i];
        if (!is_user(users, frame)) continue;
        left--, seen++;
        bool again =
            last && strcmp(name_of(last), name_of(frame)) == 0 && last->position.line == frame->position.line;
        if ((again && left > 0) || (seen > SHOWN_STEPS / 2 && left >= SHOWN_STEPS / 2)) {
            left_out++;
            last = frame;
            continue;
        }
        if (left_out) text = pm_arena_printf(arena, "%s -> (%zu more)", text ? text : "", left_out);
        left_out = 0;
        last = frame;
        text = pm_arena_printf(arena, "%s%s%s%s", text ? text : "", text ? " -> " : "", name_of(frame),
                               place(arena, &frame->position));
        if (!text) return NULL;
    }
    if (api && text) text = pm_arena_printf(arena, "%s -> %s", text, name_of(api));
    return text;
}

static void add_evidence(struct pm_finding *finding, const char *text) {
    if (text && finding->evidence) finding->evidence[finding->evidence_count++] = text;
}

static void add_positions(struct pm_arena *arena, struct pm_finding *finding, const struct pm_thread *thread,
                          size_t user) {
    finding->positions = pm_arena_array(arena, MAX_POSITIONS, sizeof(*finding->positions));
    if (!finding->positions || user == SIZE_MAX) return;
    const struct pm_frame *inner = &thread->frames[user];
    struct users users = users_of(thread);
    finding->positions[finding->position_count++] =
        (struct pm_role_position){"blocked", inner->function ? name_of(inner) : NULL, inner->position};
    /* Inside of a package: the program's own function that called it, too. */
    for (size_t i = user; is_package(inner) && i < thread->frame_count; i++)
        if (is_user(users, &thread->frames[i]) && !is_package(&thread->frames[i])) {
            finding->positions[finding->position_count++] =
                (struct pm_role_position){"blocked", thread->frames[i].function, thread->frames[i].position};
            return;
        }
}

static double heap_fill(const struct pm_diagnosis *diagnosis, const struct pm_thread *thread) {
    for (size_t i = 0; i < diagnosis->isolate_count; i++) {
        const struct pm_isolate *isolate = &diagnosis->isolates[i];
        uint64_t used = 0;
        if (isolate->address != thread->isolate || isolate->max_old_generation == PM_UNKNOWN ||
            !isolate->max_old_generation)
            continue;
        for (size_t k = 0; k < isolate->space_count; k++)
            if (isolate->spaces[k].used != PM_UNKNOWN) used += isolate->spaces[k].used;
        return (double)used / (double)isolate->max_old_generation;
    }
    return 0;
}

static const struct kind *kind_of(const struct pm_diagnosis *diagnosis, const struct pm_thread *thread) {
    if (thread->state == PM_STATE_GC && heap_fill(diagnosis, thread) >= HEAP_FULL) return &thrash;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (kinds[i].state == thread->state) return &kinds[i];
    return NULL;
}

/* A short expression stands in the claim, a long one in the evidence. */
static bool is_short_regexp(const struct pm_thread *thread) {
    return thread->regexp && strlen(thread->regexp) <= 80;
}

/* Of the regular expression, the JSON, the file: what is worth knowing, without its content. */
static void add_operands(struct pm_arena *arena, struct pm_finding *finding, const struct pm_thread *thread,
                         size_t user, const struct pm_frame *api) {
    if (thread->state == PM_STATE_REGEXP && thread->regexp && !is_short_regexp(thread))
        add_evidence(finding, pm_arena_printf(arena, "expression: /%s/", thread->regexp));
    uint64_t length = api ? api->longest_text : 0;
    for (size_t i = 0; length == 0 && i < user && i < thread->frame_count; i++)
        length = thread->frames[i].longest_text;
    bool is_text = thread->state == PM_STATE_REGEXP || thread->state == PM_STATE_JSON;
    if (is_text && length)
        add_evidence(finding, pm_arena_printf(arena, "text: %llu characters", (unsigned long long)length));
    bool is_named = thread->state == PM_STATE_SYNC_FS || thread->state == PM_STATE_CHILD_PROCESS;
    if (is_named && api && api->argument_count)
        add_evidence(finding, pm_arena_printf(arena, "of: %s", api->arguments[0]));
}

/* The state in words, without the place: "running WebAssembly". NULL = not said. */
static const char *state_words(struct pm_arena *arena, const struct pm_thread *thread) {
    if (!thread->state_detail) return NULL;
    const char *end = strstr(thread->state_detail, ", called by `");
    if (!end) end = strstr(thread->state_detail, ", in `");
    return end ? pm_arena_copy(arena, thread->state_detail, (size_t)(end - thread->state_detail))
               : thread->state_detail;
}

static const char *operation(struct pm_arena *arena, const struct kind *kind, const struct pm_thread *thread,
                             const struct pm_frame *api) {
    const char *what = kind->what, *words = state_words(arena, thread);
    if (thread->state == PM_STATE_REGEXP && is_short_regexp(thread))
        return pm_arena_printf(arena, "inside the regular expression `/%s/`", thread->regexp);
    bool telling = thread->state == PM_STATE_RUNNING_JS || thread->state == PM_STATE_NATIVE;
    if (telling && words && strcmp(words, "native code") != 0) what = words;
    if (thread->state == PM_STATE_RUNNING_JS && what && strncmp(what, "running", 7) != 0)
        what = pm_arena_printf(arena, "running JavaScript (%s)", what);
    bool named = api && api->function && *api->function && thread->state != PM_STATE_RUNNING_JS &&
                 thread->state != PM_STATE_CHILD_PROCESS && thread->state != PM_STATE_ATOMICS_WAIT &&
                 thread->state != PM_STATE_GC && thread->state != PM_STATE_COMPILING;
    return named ? pm_arena_printf(arena, "%s (`%s`)", what, api->function) : what;
}

/* ---- workers ---- */

static bool at_same_place(const struct pm_thread *one, const struct pm_thread *other) {
    size_t a = blocked_frame(one), b = blocked_frame(other);
    if (one->role != other->role || one->state != other->state || a == SIZE_MAX || b == SIZE_MAX)
        return false;
    const struct pm_frame *first = &one->frames[a], *second = &other->frames[b];
    return strcmp(name_of(first), name_of(second)) == 0 && first->position.line == second->position.line &&
           strcmp(first->position.file, second->position.file) == 0;
}

static size_t count_alike(const struct pm_diagnosis *diagnosis, const struct pm_thread *thread) {
    size_t alike = 1;
    for (size_t i = 0; i < diagnosis->thread_count; i++)
        alike += &diagnosis->threads[i] != thread && at_same_place(thread, &diagnosis->threads[i]);
    return alike;
}

static bool is_told(const struct pm_diagnosis *diagnosis, size_t at) {
    for (size_t i = 0; i < at; i++)
        if (at_same_place(&diagnosis->threads[i], &diagnosis->threads[at])) return true;
    return false;
}

static bool main_is_idle(const struct pm_diagnosis *diagnosis) {
    for (size_t i = 0; i < diagnosis->thread_count; i++)
        if (diagnosis->threads[i].role == PM_ROLE_MAIN)
            return diagnosis->threads[i].state == PM_STATE_POLLING;
    return false;
}

/* Packages that keep a pool of workers let them wait in Atomics.wait when there is nothing to do. */
static bool waits_in_package(const struct pm_thread *thread) {
    size_t user = blocked_frame(thread);
    return user == SIZE_MAX || is_package(&thread->frames[user]);
}

/* A worker may work as long as it likes; but if the main thread has nothing to do, it is what all wait for.
 * Several that wait for each other are the usual deadlock. */
static enum pm_severity worker_severity(const struct pm_diagnosis *diagnosis, const struct pm_thread *thread,
                                        size_t alike) {
    if (thread->state == PM_STATE_ATOMICS_WAIT)
        return waits_in_package(thread) ? PM_SEVERITY_INFO : alike > 1 ? PM_SEVERITY_HIGH : PM_SEVERITY_LOW;
    return main_is_idle(diagnosis) ? PM_SEVERITY_MEDIUM : PM_SEVERITY_LOW;
}

static struct pm_error *describe(struct pm_diagnosis *diagnosis, const struct pm_thread *thread,
                                 const struct kind *kind) {
    struct pm_arena *arena = diagnosis->arena;
    size_t user = blocked_frame(thread);
    const struct pm_frame *api = called_api(thread, user);
    struct pm_finding *finding = pm_diagnosis_finding(diagnosis);
    if (!finding) return pm_error_nomem();
    bool is_main = thread->role == PM_ROLE_MAIN;
    size_t alike = count_alike(diagnosis, thread);
    const char *who = is_main ? "the main thread"
                      : alike > 1
                          ? pm_arena_printf(arena, "%zu worker threads", alike)
                          : pm_arena_printf(arena, "the worker thread %llu", (unsigned long long)thread->tid);
    const char *what = operation(arena, kind, thread, api);
    finding->id = kind->id;
    finding->confidence = kind->confidence;
    finding->severity = !is_main ? worker_severity(diagnosis, thread, alike)
                        : diagnosis->process.death == PM_DEATH_KILLED ? PM_SEVERITY_CRITICAL
                        : kind->confidence == PM_CONFIDENCE_LOW       ? PM_SEVERITY_MEDIUM
                                                                      : PM_SEVERITY_HIGH;
    if (kind->confidence != PM_CONFIDENCE_HIGH && finding->severity == PM_SEVERITY_CRITICAL)
        finding->severity = PM_SEVERITY_HIGH;
    finding->advice = kind->advice;
    const char *trigger = trigger_of(thread);
    if (trigger && strncmp(trigger, "promise", 7) == 0 &&
        (thread->state == PM_STATE_RUNNING_JS || thread->state == PM_STATE_GC))
        finding->advice = pm_arena_printf(
            arena,
            "%s It was called for a promise or by nextTick: a chain of these that goes on and on starves the "
            "event loop, too, because timers and I/O wait until none is left.",
            kind->advice);
    if (user != SIZE_MAX) {
        const struct pm_frame *frame = &thread->frames[user];
        finding->title =
            pm_arena_printf(arena, "%s blocks %s", name_of(frame), is_main ? "the event loop" : who);
        if (!is_main && kind->confidence != PM_CONFIDENCE_HIGH)
            finding->title = pm_arena_printf(arena, "%s keeps %s busy", name_of(frame), who);
        finding->claim =
            pm_arena_printf(arena, "`%s`%s held %s: %s %s.", name_of(frame), place(arena, &frame->position),
                            who, alike > 1 && !is_main ? "they were" : "it was", what);
        finding->owner_name = frame->function ? name_of(frame) : NULL;
        finding->owner = frame->position;
    } else {
        finding->title = pm_arena_printf(arena, "%s is blocked", is_main ? "the event loop" : who);
        finding->claim = pm_arena_printf(arena, "%s was %s; no function of the program is on its stack.",
                                         is_main ? "The main thread" : who, what);
    }
    finding->evidence = pm_arena_array(arena, 8, sizeof(*finding->evidence));
    finding->owner_path = way(arena, thread, user == SIZE_MAX ? thread->frame_count : user, api);
    if (finding->owner_path) add_evidence(finding, pm_arena_printf(arena, "way: %s", finding->owner_path));
    add_operands(arena, finding, thread, user, api);
    add_positions(arena, finding, thread, user);
    finding->next = pm_arena_array(arena, 1, sizeof(*finding->next));
    if (finding->next && diagnosis->input_count)
        finding->next[finding->next_count++] =
            pm_arena_printf(arena, "postmortem stacks %s -v", diagnosis->inputs[0].path);
    return NULL;
}

/* All threads of libuv's pool at work: what comes next waits. */
static struct pm_error *examine_pool(struct pm_diagnosis *diagnosis) {
    struct pm_arena *arena = diagnosis->arena;
    size_t threads = 0, busy = 0, lookups = 0;
    const char *work = NULL;
    bool same = true;
    for (size_t i = 0; i < diagnosis->thread_count; i++) {
        const struct pm_thread *thread = &diagnosis->threads[i];
        if (thread->role != PM_ROLE_POOL) continue;
        threads++;
        if (thread->state != PM_STATE_POOL_WORK) continue;
        busy++;
        lookups += thread->state_detail && strstr(thread->state_detail, "DNS lookup");
        if (work && thread->state_detail) same &= strcmp(work, thread->state_detail) == 0;
        if (!work) work = thread->state_detail;
    }
    /* libuv gives name lookups, which may take minutes, half of the threads and no more. */
    bool by_lookups = lookups == busy && busy < threads && busy == (threads + 1) / 2;
    if (busy < POOL_LEAST || (busy < threads && !by_lookups)) return NULL;
    struct pm_finding *finding = pm_diagnosis_finding(diagnosis);
    if (!finding) return pm_error_nomem();
    finding->id = "pool-saturated";
    finding->severity = PM_SEVERITY_HIGH;
    finding->confidence = PM_CONFIDENCE_HIGH;
    finding->title = pm_arena_printf(arena, "all %zu threads of libuv's pool are busy", threads);
    finding->claim = pm_arena_printf(
        arena,
        "All %zu threads of libuv's pool are at work (%s%s), so file operations, DNS lookups, "
        "compression and asynchronous crypto wait for one of them.",
        threads, work ? work : "a job", same ? "" : ", and others");
    if (by_lookups) {
        finding->title = pm_arena_printf(arena, "all %zu threads for DNS lookups are busy", busy);
        finding->claim = pm_arena_printf(
            arena,
            "%zu of the %zu threads of libuv's pool look names up (getaddrinfo), and more libuv does not "
            "give to "
            "lookups: the next connection to a host name waits until one of them has an answer.",
            busy, threads);
    }
    finding->advice =
        by_lookups
            ? "Look at the resolver (/etc/resolv.conf, its timeout and search list), cache the answers, "
              "use dns.resolve, which needs no thread, or raise UV_THREADPOOL_SIZE."
            : "Limit how many of these calls run at a time, or raise UV_THREADPOOL_SIZE (it is read "
              "once, at the first use).";
    return NULL;
}

/* ---- an idle loop: what it waits for ---- */

#define MOST_WAITS    9
#define MOST_COMPARED 100 /* kinds of handles: each is compared with all */

static const char *times(struct pm_arena *arena, uint64_t count) {
    return count > 1 ? pm_arena_printf(arena, " (%llu times)", (unsigned long long)count) : "";
}

static bool is_waited_for(const struct pm_loop_handle *handle) {
    return handle->active && handle->referenced && !handle->internal && !handle->closing &&
           handle->class_name && handle->detail && !handle->listening;
}

static bool is_like(const struct pm_loop_handle *a, const struct pm_loop_handle *b) {
    return is_waited_for(a) && is_waited_for(b) && strcmp(a->class_name, b->class_name) == 0 &&
           strcmp(a->detail, b->detail) == 0;
}

static const char *handle_text(struct pm_arena *arena, const struct pm_loop_handle *handle) {
    if (handle->fd == PM_UNKNOWN) return pm_arena_printf(arena, "%s: %s", handle->class_name, handle->detail);
    return pm_arena_printf(arena, "%s, fd %llu: %s", handle->class_name, (unsigned long long)handle->fd,
                           handle->detail);
}

static void add_waits(const struct pm_diagnosis *diagnosis, struct pm_finding *finding,
                      const struct pm_event_loop *loop) {
    struct pm_arena *arena = diagnosis->arena;
    size_t shown = 0, rest = 0;
    for (size_t i = 0; i < loop->wait_count; i++) {
        const struct pm_loop_wait *wait = &loop->waits[i];
        if (!pm_is_user_file(wait->position.file)) continue;
        if (shown < MOST_WAITS / 3)
            add_evidence(finding, pm_arena_printf(arena, "async function `%s` waits%s%s",
                                                  wait->function ? wait->function : "<anonymous>",
                                                  place(arena, &wait->position), times(arena, wait->count)));
        rest += shown++ >= MOST_WAITS / 3;
    }
    shown = 0;
    for (size_t i = 0; i < loop->handle_count && shown <= MOST_COMPARED; i++) {
        const struct pm_loop_handle *handle = &loop->handles[i];
        size_t before = 0, alike = 0;
        if (!is_waited_for(handle)) continue;
        for (size_t k = 0; k < loop->handle_count; k++) {
            alike += is_like(handle, &loop->handles[k]);
            before += k < i && is_like(handle, &loop->handles[k]);
        }
        if (before) continue;
        if (shown < 2 * MOST_WAITS / 3 && alike > 1)
            add_evidence(finding,
                         pm_arena_printf(arena, "%zu x %s: %s", alike, handle->class_name, handle->detail));
        else if (shown < 2 * MOST_WAITS / 3)
            add_evidence(finding, handle_text(arena, handle));
        rest += shown++ >= 2 * MOST_WAITS / 3;
    }
    if (loop->active_requests && loop->active_requests != PM_UNKNOWN)
        add_evidence(finding, pm_arena_printf(arena, "%llu request%s of libuv under way",
                                              (unsigned long long)loop->active_requests,
                                              loop->active_requests == 1 ? "" : "s"));
    if (rest)
        add_evidence(finding, pm_arena_printf(arena, "and %s%zu more kinds of functions and handles",
                                              shown > MOST_COMPARED ? "at least " : "", rest));
    if (!diagnosis->input_count) return;
    finding->next = pm_arena_array(arena, 1, sizeof(*finding->next));
    if (finding->next)
        finding->next[finding->next_count++] =
            pm_arena_printf(arena, "postmortem loop %s", diagnosis->inputs[0].path);
}

/* Nothing blocks: that is an answer, too. */
static struct pm_error *describe_idle(struct pm_diagnosis *diagnosis, const struct pm_thread *thread) {
    struct pm_finding *finding = pm_diagnosis_finding(diagnosis);
    if (!finding) return pm_error_nomem();
    finding->id = "idle-waiting";
    finding->severity = PM_SEVERITY_INFO;
    finding->confidence = PM_CONFIDENCE_HIGH;
    finding->title = "the event loop was idle";
    finding->claim = pm_arena_printf(diagnosis->arena,
                                     "The event loop of the main thread (%llu) was idle: it waited for "
                                     "events, and nothing blocked it.",
                                     (unsigned long long)thread->tid);
    finding->evidence = pm_arena_array(diagnosis->arena, MOST_WAITS + 3, sizeof(*finding->evidence));
    add_evidence(finding, thread->state_detail);
    for (size_t i = 0; i < diagnosis->loop_count; i++)
        if (diagnosis->loops[i].is_main) add_waits(diagnosis, finding, &diagnosis->loops[i]);
    finding->advice =
        "If it should have been working, what it waits for did not come: an answer without "
        "timeout, a promise that nobody settles, a connection that is closed on the other side.";
    return NULL;
}

/* A callback that asks for the next turn at once: no function is long, and yet the process is never at rest.
 */
static struct pm_error *describe_spinning(struct pm_diagnosis *diagnosis, const struct pm_thread *thread) {
    struct pm_finding *finding = pm_diagnosis_finding(diagnosis);
    if (!finding) return pm_error_nomem();
    finding->id = "busy-loop";
    finding->severity = PM_SEVERITY_MEDIUM;
    finding->confidence = PM_CONFIDENCE_MEDIUM;
    finding->title = "the event loop turned without waiting";
    finding->claim = pm_arena_printf(diagnosis->arena,
                                     "The event loop of the main thread (%llu) asked for events but did not "
                                     "wait for any: something was due at once.",
                                     (unsigned long long)thread->tid);
    finding->advice =
        "When the CPU is busy while nothing is done, look for a setImmediate that sets the next one, "
        "or for polling with it: use a timer, or wait for an event. One core is one moment: take a "
        "second one, or a CPU profile.";
    return NULL;
}

static bool was_interrupted(const struct pm_diagnosis *diagnosis) {
    enum pm_death_kind death = diagnosis->process.death;
    return death == PM_DEATH_KILLED || death == PM_DEATH_SNAPSHOT || death == PM_DEATH_UNKNOWN;
}

static struct pm_error *run(struct pm_diagnosis *diagnosis, const struct pm_heap_view *heap) {
    (void)heap;
    if (!was_interrupted(diagnosis)) return NULL;
    bool pool = false;
    for (size_t i = 0; i < diagnosis->thread_count; i++) {
        const struct pm_thread *thread = &diagnosis->threads[i];
        const struct kind *kind = kind_of(diagnosis, thread);
        pool |= thread->role == PM_ROLE_POOL;
        if (thread->role == PM_ROLE_MAIN && thread->state == PM_STATE_POLLING)
            PM_TRY((thread->spinning ? describe_spinning : describe_idle)(diagnosis, thread));
        if (!kind) continue;
        bool main_blocked = thread->role == PM_ROLE_MAIN;
        bool worker_counts = thread->role == PM_ROLE_WORKER && !is_told(diagnosis, i) &&
                             (thread->state == PM_STATE_ATOMICS_WAIT || thread->state == PM_STATE_REGEXP ||
                              (main_is_idle(diagnosis) && blocked_frame(thread) != SIZE_MAX));
        if (main_blocked || worker_counts) PM_TRY(describe(diagnosis, thread, kind));
    }
    return pool ? examine_pool(diagnosis) : NULL;
}

const struct pm_detector pm_detect_blocked = {
    .name = "blocked",
    .summary = "what keeps the event loop from turning: JavaScript, regular expressions, synchronous calls, "
               "waits, a saturated thread pool",
    .needs = PM_NEEDS_PROCESS | PM_NEEDS_THREADS,
    .run = run,
};
