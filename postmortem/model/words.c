#include <inttypes.h>

#include "postmortem/model/words.h"

/* A kind beyond the table is a mistake of ours; it must not become a crash over somebody's core. */
#define PICK(table, kind) ((size_t)(kind) < sizeof(table) / sizeof((table)[0]) ? (table)[kind] : NULL)

const char *pm_frame_kind_word(enum pm_frame_kind kind) {
    static const char *const words[] = {
        [PM_FRAME_JS] = "js",
        [PM_FRAME_BUILTIN] = "builtin",
        [PM_FRAME_NATIVE] = "native",
        [PM_FRAME_ENTRY] = "entry",
    };
    return PICK(words, kind);
}

const char *pm_tier_word(enum pm_tier tier) {
    static const char *const words[] = {
        [PM_TIER_NONE] = NULL,       [PM_TIER_INTERPRETED] = "interpreted", [PM_TIER_BASELINE] = "baseline",
        [PM_TIER_MAGLEV] = "maglev", [PM_TIER_TURBOFAN] = "turbofan",
    };
    return PICK(words, tier);
}

const char *pm_role_word(enum pm_thread_role role) {
    static const char *const words[] = {
        [PM_ROLE_OTHER] = "other", [PM_ROLE_MAIN] = "main", [PM_ROLE_WORKER] = "worker",
        [PM_ROLE_POOL] = "pool",   [PM_ROLE_GC] = "gc",
    };
    return PICK(words, role);
}

static const struct {
    const char *word, *phrase;
} states[] = {
    [PM_STATE_UNKNOWN] = {"unknown", "state unknown"},
    [PM_STATE_RUNNING_JS] = {"javascript", "running JavaScript"},
    [PM_STATE_REGEXP] = {"regexp", "inside a regular expression"},
    [PM_STATE_JSON] = {"json", "inside JSON"},
    [PM_STATE_SYNC_FS] = {"fs", "in a synchronous file operation"},
    [PM_STATE_SYNC_CRYPTO] = {"crypto", "in synchronous cryptography"},
    [PM_STATE_SYNC_ZLIB] = {"zlib", "in synchronous compression"},
    [PM_STATE_CHILD_PROCESS] = {"child-process", "waiting for a child process"},
    [PM_STATE_ATOMICS_WAIT] = {"atomics-wait", "waiting in Atomics.wait"},
    [PM_STATE_GC] = {"gc", "collecting garbage"},
    [PM_STATE_COMPILING] = {"compiling", "compiling"},
    [PM_STATE_NATIVE] = {"native", "inside native code"},
    [PM_STATE_POLLING] = {"idle", "idle in the event loop"},
    [PM_STATE_POOL_IDLE] = {"pool-idle", "idle in the thread pool"},
    [PM_STATE_POOL_WORK] = {"pool", "working in the thread pool"},
    [PM_STATE_HELPER_IDLE] = {"helper-idle", "idle"},
    [PM_STATE_WAITING] = {"waiting", "waiting for a lock"},
    [PM_STATE_FATAL] = {"fatal", "in the fatal error handler"},
};

const char *pm_state_word(enum pm_state_kind state) {
    return (size_t)state < sizeof(states) / sizeof(states[0]) ? states[state].word : NULL;
}

const char *pm_state_phrase(enum pm_state_kind state) {
    return (size_t)state < sizeof(states) / sizeof(states[0]) ? states[state].phrase : NULL;
}

static const struct {
    const char *word, *phrase;
} deaths[] = {
    [PM_DEATH_UNKNOWN] = {"unknown", "unknown"},
    [PM_DEATH_HEAP_LIMIT] = {"heap-limit", "out of memory: the JavaScript heap reached its limit"},
    [PM_DEATH_INEFFECTIVE_GC] = {"ineffective-mark-compacts",
                                 "out of memory: garbage collection near the heap limit freed too little"},
    [PM_DEATH_FATAL_ERROR] = {"fatal-error", "fatal error of V8 or Node.js"},
    [PM_DEATH_UNCAUGHT] = {"uncaught-exception", "uncaught exception"},
    [PM_DEATH_BAD_ALLOC] = {"bad-alloc", "out of memory in native code (C++ std::bad_alloc)"},
    [PM_DEATH_ABORT] = {"abort", "aborted itself"},
    [PM_DEATH_NATIVE_CRASH] = {"native-crash", "crash in native code"},
    [PM_DEATH_KILLED] = {"signal", "killed by a signal from outside"},
    [PM_DEATH_SNAPSHOT] = {"snapshot", "none: a core of a process that lived on"},
    [PM_DEATH_OOM_KILLED] = {"oom-killed", "killed by the kernel: the container reached its memory limit"},
    [PM_DEATH_REPORT] = {"report", "none: a report of a process that lived on"},
};

const char *pm_death_word(enum pm_death_kind death) {
    return (size_t)death < sizeof(deaths) / sizeof(deaths[0]) ? deaths[death].word : NULL;
}

const char *pm_death_phrase(enum pm_death_kind death) {
    return (size_t)death < sizeof(deaths) / sizeof(deaths[0]) ? deaths[death].phrase : NULL;
}

const char *pm_severity_word(enum pm_severity severity) {
    static const char *const words[] = {
        [PM_SEVERITY_INFO] = "info", [PM_SEVERITY_LOW] = "low",           [PM_SEVERITY_MEDIUM] = "medium",
        [PM_SEVERITY_HIGH] = "high", [PM_SEVERITY_CRITICAL] = "critical",
    };
    return PICK(words, severity);
}

const char *pm_confidence_word(enum pm_confidence confidence) {
    static const char *const words[] = {
        [PM_CONFIDENCE_LOW] = "low", [PM_CONFIDENCE_MEDIUM] = "medium", [PM_CONFIDENCE_HIGH] = "high"};
    return PICK(words, confidence);
}

const char *pm_field_group_word(enum pm_field_group group) {
    static const char *const words[] = {
        [PM_FIELD_PROPERTY] = "property", [PM_FIELD_ELEMENT] = "element",   [PM_FIELD_ENTRY] = "entry",
        [PM_FIELD_VARIABLE] = "variable", [PM_FIELD_INTERNAL] = "internal",
    };
    return PICK(words, group);
}

const char *pm_signal_name(uint64_t signal) {
    /* Numbers of Linux on x86-64 and aarch64: the core's, not of the system this program runs on. */
    static const char *const names[] = {
        NULL,        "SIGHUP",  "SIGINT",    "SIGQUIT", "SIGILL",   "SIGTRAP", "SIGABRT", "SIGBUS",
        "SIGFPE",    "SIGKILL", "SIGUSR1",   "SIGSEGV", "SIGUSR2",  "SIGPIPE", "SIGALRM", "SIGTERM",
        "SIGSTKFLT", "SIGCHLD", "SIGCONT",   "SIGSTOP", "SIGTSTP",  "SIGTTIN", "SIGTTOU", "SIGURG",
        "SIGXCPU",   "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO",   "SIGPWR",  "SIGSYS",
    };
    if (signal == PM_UNKNOWN || signal == 0) return NULL;
    return signal < sizeof(names) / sizeof(names[0]) ? names[signal] : "real-time signal";
}

void pm_worker_words(struct pm_strbuf *out, const struct pm_worker *worker) {
    const char *before = " (";
    pm_strbuf_append(out, worker->number == PM_UNKNOWN ? "a worker thread" : "worker thread");
    if (worker->number != PM_UNKNOWN) pm_strbuf_appendf(out, " %" PRIu64, worker->number);
    if (worker->name) pm_strbuf_appendf(out, "%s`%s`", before, worker->name);
    if (worker->name) before = ", ";
    if (worker->script) pm_strbuf_appendf(out, "%s%s", before, worker->script);
    if (worker->script) before = ", ";
    if (worker->old_generation_mb != PM_UNKNOWN)
        pm_strbuf_appendf(out, "%sresourceLimits.maxOldGenerationSizeMb %" PRIu64, before,
                          worker->old_generation_mb);
    if (worker->name || worker->script || worker->old_generation_mb != PM_UNKNOWN) pm_strbuf_append(out, ")");
}
