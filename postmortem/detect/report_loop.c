/* Time, as a report tells it: is the loop's thread busy, is it the thread pool or other threads, does the
 * loop wait, and what for; timers that should have fired. */
#include <math.h>
#include <string.h>

#include "postmortem/base/strbuf.h"
#include "postmortem/detect/detector.h"
#include "postmortem/detect/report_finding.h"
#include "postmortem/detect/report_thresholds.h"

static const struct pm_report_handle *loop_of(const struct pm_report_facts *facts) {
    for (size_t i = 0; i < facts->handle_count; i++)
        if (facts->handles[i].kind == PM_HANDLE_LOOP) return &facts->handles[i];
    return NULL;
}

/* Of its life the loop waited; NAN = unknown. */
static double idle_share(const struct pm_report_facts *facts) {
    const struct pm_report_handle *loop = loop_of(facts);
    double uptime = pm_report_uptime(facts);
    return loop && uptime > 0 && loop->idle_seconds >= 0 ? loop->idle_seconds / uptime : (double)NAN;
}

static bool asked_for(const struct pm_report_facts *facts) {
    const char *trigger = facts->header.trigger ? facts->header.trigger : "";
    return !strcmp(trigger, "API") || !strcmp(trigger, "Signal");
}

static struct pm_error *saturated(struct pm_diagnosis *diagnosis, const struct pm_report_facts *facts) {
    double percent = facts->thread_usage.cpu_percent, seconds = pm_report_cpu_seconds(&facts->thread_usage);
    if (!(percent >= PM_CPU_SATURATED) || !(seconds >= PM_CPU_LEAST_SECONDS)) return NULL;
    const struct pm_frame *user = pm_report_user_frame(facts->error.frames, facts->error.frame_count);
    double idle = idle_share(facts);
    struct pm_claim claim = pm_claim_begin(diagnosis, "loop-saturated", PM_SEVERITY_HIGH, PM_CONFIDENCE_HIGH);
    pm_claim_title(&claim, "the event loop's thread is busy all the time");
    pm_claim_text(&claim,
                  "The thread of the event loop used %.0f %% of a core since it was started%s%s: it does "
                  "work instead of "
                  "answering.",
                  percent, user && asked_for(facts) ? "; when the report was written it was in " : "",
                  user && asked_for(facts) ? pm_report_frame_text(diagnosis->arena, user) : "");
    pm_claim_evidence(&claim, "%.1f CPU seconds of %.1f seconds", seconds, pm_report_uptime(facts));
    if (idle == idle) pm_claim_evidence(&claim, "the loop waited %.1f %% of the time", 100 * idle);
    if (asked_for(facts)) pm_claim_position(&claim, "blocked", user);
    pm_claim_advice(&claim, "Take a CPU profile (node --cpu-prof, or the inspector), and move long work to a "
                            "worker thread or into "
                            "pieces; more replicas help only when it is load.");
    return pm_claim_end(&claim);
}

/* CPU time of other threads: libuv's pool, workers, V8's helpers. */
static struct pm_error *elsewhere(struct pm_diagnosis *diagnosis, const struct pm_report_facts *facts) {
    double all = facts->usage.cpu_percent, own = facts->thread_usage.cpu_percent;
    double seconds = pm_report_cpu_seconds(&facts->usage) - pm_report_cpu_seconds(&facts->thread_usage);
    if (!(all - own >= PM_OTHER_CPU_PERCENT) || !(all - own >= PM_OTHER_CPU_SHARE * all) ||
        !(seconds >= PM_CPU_LEAST_SECONDS))
        return NULL;
    const char *size = pm_report_variable(facts, "UV_THREADPOOL_SIZE");
    struct pm_claim claim =
        pm_claim_begin(diagnosis, "cpu-outside-loop", PM_SEVERITY_MEDIUM, PM_CONFIDENCE_MEDIUM);
    pm_claim_title(&claim, "other threads use the CPU");
    pm_claim_text(&claim,
                  "Threads other than the event loop's used %.0f %% of a core since it was started (the loop "
                  "%.0f %%): %s.",
                  all - own, own,
                  facts->worker_count
                      ? "worker threads, libuv's thread pool, or garbage collection"
                      : "libuv's thread pool (crypto, zlib, fs, DNS), a native addon, or garbage collection");
    pm_claim_evidence(&claim, "%.1f CPU seconds, %zu worker threads, %zu cores", seconds, facts->worker_count,
                      facts->header.cpu_count);
    pm_claim_evidence(&claim, "UV_THREADPOOL_SIZE is %s", size ? size : "not set: 4 threads");
    pm_claim_advice(&claim, "What waits behind a full pool looks like a slow disk or network: look at what "
                            "calls crypto, zlib and fs, "
                            "and set UV_THREADPOOL_SIZE to the number of cores the container has.");
    return pm_claim_end(&claim);
}

/* ---- waiting ---- */

static const char *kind_words(enum pm_handle_kind kind) {
    static const char *const words[] = {
        [PM_HANDLE_FS_EVENT] = "file watcher",
        [PM_HANDLE_FS_POLL] = "polled file",
        [PM_HANDLE_PIPE] = "pipe",
        [PM_HANDLE_POLL] = "descriptor",
        [PM_HANDLE_PROCESS] = "child process",
        [PM_HANDLE_SIGNAL] = "signal handler",
        [PM_HANDLE_TCP] = "TCP socket",
        [PM_HANDLE_TIMER] = "timer",
        [PM_HANDLE_TTY] = "terminal",
        [PM_HANDLE_UDP] = "UDP socket",
    };
    return (size_t)kind < sizeof(words) / sizeof(words[0]) ? words[kind] : NULL;
}

static bool keeps_alive(const struct pm_report_handle *handle) {
    return handle->active == PM_YES && handle->referenced == PM_YES && kind_words(handle->kind);
}

static bool is_server(const struct pm_report_handle *handle) {
    return (handle->kind == PM_HANDLE_TCP || handle->kind == PM_HANDLE_PIPE) && handle->local.host &&
           !handle->remote.host && handle->readable != PM_YES && handle->writable != PM_YES;
}

static void say_handle(struct pm_claim *claim, const struct pm_report_handle *handle) {
    const char *words = is_server(handle) ? "server" : kind_words(handle->kind);
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    pm_strbuf_append(&text, words);
    if (handle->kind == PM_HANDLE_TIMER && handle->fires_in_ms == handle->fires_in_ms)
        pm_strbuf_appendf(&text, " due in %.0f ms", handle->fires_in_ms);
    if (handle->kind == PM_HANDLE_PROCESS && handle->pid != PM_UNKNOWN)
        pm_strbuf_appendf(&text, ", pid %llu", (unsigned long long)handle->pid);
    if (handle->kind == PM_HANDLE_SIGNAL && handle->signal_name)
        pm_strbuf_appendf(&text, " of %s", handle->signal_name);
    if (handle->filename) pm_strbuf_appendf(&text, " of %s", handle->filename);
    if (handle->local.host) {
        pm_strbuf_appendf(&text, " at \"%s", handle->local.host);
        if (handle->local.port != PM_UNKNOWN)
            pm_strbuf_appendf(&text, ":%llu", (unsigned long long)handle->local.port);
        pm_strbuf_append(&text, "\"");
    }
    if (handle->remote.host) {
        pm_strbuf_appendf(&text, " to \"%s", handle->remote.host);
        if (handle->remote.port != PM_UNKNOWN)
            pm_strbuf_appendf(&text, ":%llu", (unsigned long long)handle->remote.port);
        pm_strbuf_append(&text, "\"");
    }
    if (handle->fd != PM_UNKNOWN) pm_strbuf_appendf(&text, ", fd %llu", (unsigned long long)handle->fd);
    pm_claim_evidence(claim, "%s", pm_strbuf_text(&text));
}

/* "1 child process, 2 pipes" */
static void say_kinds(struct pm_strbuf *text, const struct pm_report_facts *facts) {
    for (enum pm_handle_kind kind = PM_HANDLE_OTHER; kind <= PM_HANDLE_UDP; kind++) {
        size_t count = 0, servers = 0;
        for (size_t i = 0; i < facts->handle_count; i++)
            if (facts->handles[i].kind == kind && keeps_alive(&facts->handles[i])) {
                if (is_server(&facts->handles[i]))
                    servers++;
                else
                    count++;
            }
        if (servers)
            pm_strbuf_appendf(text, "%s%zu server%s", text->length ? ", " : "", servers,
                              servers == 1 ? "" : "s");
        if (count)
            pm_strbuf_appendf(text, "%s%zu %s%s", text->length ? ", " : "", count, kind_words(kind),
                              count == 1                  ? ""
                              : kind == PM_HANDLE_PROCESS ? "es"
                                                          : "s");
    }
}

/* A report for a signal while nothing ran: libuv has not counted the last wait, but the CPU time tells. */
static bool waited_for_signal(const struct pm_report_facts *facts) {
    const char *trigger = facts->header.trigger ? facts->header.trigger : "";
    return !strcmp(trigger, "Signal") && !facts->error.frame_count && facts->usage.cpu_percent <= PM_IDLE_CPU;
}

static struct pm_error *waiting(struct pm_diagnosis *diagnosis, const struct pm_report_facts *facts) {
    double idle = idle_share(facts), uptime = pm_report_uptime(facts);
    struct pm_strbuf kinds PM_AUTO_STRBUF = {0};
    bool counted = idle >= PM_IDLE_SHARE;
    if (!asked_for(facts) || !(counted || waited_for_signal(facts)) || !(uptime >= PM_IDLE_LEAST_SECONDS))
        return NULL;
    say_kinds(&kinds, facts);
    struct pm_claim claim = pm_claim_begin(diagnosis, "waiting", PM_SEVERITY_INFO, PM_CONFIDENCE_HIGH);
    const char *what = kinds.length ? "What it waits for: " : "Nothing keeps it alive";
    pm_claim_title(&claim, "the event loop waits");
    if (counted)
        pm_claim_text(&claim,
                      "The event loop waited %.0f %% of its life of %.1f seconds: it is not blocked, but "
                      "nothing came. %s%s.",
                      100 * (idle > 1 ? 1 : idle), uptime, what, pm_strbuf_text(&kinds));
    else
        pm_claim_text(&claim,
                      "The process used the CPU for %.1f %% of its %.1f seconds: it is not blocked, but "
                      "nothing came. %s%s.",
                      facts->usage.cpu_percent, uptime, what, pm_strbuf_text(&kinds));
    for (size_t i = 0, shown = 0; i < facts->handle_count && shown < 8; i++)
        if (keeps_alive(&facts->handles[i])) {
            say_handle(&claim, &facts->handles[i]);
            shown++;
        }
    pm_claim_advice(&claim,
                    "If it should be doing something: it waits for an answer that never comes (a child "
                    "process, a socket, a "
                    "promise nobody settles). A core shows the pending promises and who awaits them.");
    return pm_claim_end(&claim);
}

/* ---- blocked ---- */

static struct pm_error *blocked(struct pm_diagnosis *diagnosis, const struct pm_report_facts *facts) {
    double worst = 0, idle = idle_share(facts), uptime = pm_report_uptime(facts);
    size_t overdue = 0;
    const char *trigger = facts->header.trigger ? facts->header.trigger : "";
    for (size_t i = 0; i < facts->handle_count; i++) {
        const struct pm_report_handle *handle = &facts->handles[i];
        if (handle->kind != PM_HANDLE_TIMER || handle->active != PM_YES ||
            !(handle->fires_in_ms <= -PM_OVERDUE_MS))
            continue;
        overdue++;
        if (-handle->fires_in_ms > worst) worst = -handle->fires_in_ms;
    }
    bool hardly_waits = idle <= PM_BUSY_IDLE_SHARE && uptime >= PM_IDLE_LEAST_SECONDS &&
                        facts->thread_usage.cpu_percent >= PM_BUSY_CPU;
    if (!overdue && !(hardly_waits && !strcmp(trigger, "API") && facts->error.frame_count)) return NULL;
    const struct pm_frame *user = pm_report_user_frame(facts->error.frames, facts->error.frame_count);
    struct pm_claim claim =
        pm_claim_begin(diagnosis, "loop-blocked",
                       worst >= PM_OVERDUE_LONG_MS || hardly_waits ? PM_SEVERITY_HIGH : PM_SEVERITY_MEDIUM,
                       PM_CONFIDENCE_MEDIUM);
    pm_claim_title(&claim, "the event loop is blocked");
    if (overdue)
        pm_claim_text(&claim,
                      "%zu timer%s should have fired, the latest %.0f ms ago: the loop did not get to %s.",
                      overdue, overdue == 1 ? "" : "s", worst, overdue == 1 ? "it" : "them");
    else
        pm_claim_text(&claim,
                      "The loop waited only %.1f of %.1f seconds: JavaScript ran nearly all the time%s%s.",
                      loop_of(facts)->idle_seconds, uptime, user ? ", last in " : "",
                      user ? pm_report_frame_text(diagnosis->arena, user) : "");
    pm_claim_position(&claim, "blocked", user);
    pm_claim_advice(&claim,
                    "Synchronous work holds up everything else: split it, or move it to a worker thread.");
    return pm_claim_end(&claim);
}

static struct pm_error *run(struct pm_diagnosis *diagnosis, const struct pm_heap_view *heap) {
    const struct pm_report_facts *facts = pm_report_to_judge(diagnosis);
    (void)heap;
    PM_TRY(blocked(diagnosis, facts));
    PM_TRY(saturated(diagnosis, facts));
    PM_TRY(elsewhere(diagnosis, facts));
    return waiting(diagnosis, facts);
}

const struct pm_detector pm_detect_report_loop = {
    .name = "report-loop",
    .summary = "the event loop: busy, blocked, waiting; CPU time of other threads",
    .needs = PM_NEEDS_REPORT,
    .run = run,
};
