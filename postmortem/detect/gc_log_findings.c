/* What a log tells: how the process ended, and what its collections say: growth, thrash, long pauses. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "postmortem/detect/detector.h"
#include "postmortem/detect/profile_thresholds.h"
#include "postmortem/detect/report_finding.h"
#include "postmortem/model/gc_log.h"

/* ---- the end ---- */

static void tell_collections(struct pm_claim *claim, const struct pm_gc_log *log) {
    if (!log->series_count || !log->series[0].fatal || !log->series[0].row_count) return;
    const struct pm_gc_series *series = &log->series[0];
    const struct pm_gc_row *last = &series->rows[series->row_count - 1];
    pm_claim_evidence(claim, "the last collection left %.1f MB of %.1f MB", last->after, last->before);
    if (!isnan(series->mu_current))
        pm_claim_evidence(claim, "the program still had %.1f %% of the time (mutator utilisation)",
                          series->mu_current * 100);
}

static bool uncaught_by_report(const struct pm_diagnosis *diagnosis) {
    for (size_t i = 0; i < diagnosis->report_count; i++)
        if (diagnosis->reports[i]->error.message) return true;
    return false;
}

/* With a core or a report of the same death those say it better. */
static bool told_elsewhere(const struct pm_diagnosis *diagnosis) {
    for (size_t i = 0; i < diagnosis->input_count; i++)
        if (strcmp(diagnosis->inputs[i].kind, "core") == 0) return true;
    return diagnosis->report_count > 0;
}

static struct pm_error *fatal(struct pm_diagnosis *diagnosis, const struct pm_gc_log *log) {
    const char *fatal = log->fatal ? log->fatal : "";
    bool heap = log->death == PM_DEATH_HEAP_LIMIT || log->death == PM_DEATH_INEFFECTIVE_GC;
    bool size = strstr(fatal, "nvalid ") != NULL;
    if (log->death == PM_DEATH_UNKNOWN || log->death == PM_DEATH_UNCAUGHT || told_elsewhere(diagnosis))
        return NULL;
    const char *id = heap                               ? "heap-limit"
                     : size                             ? "oversized-allocation"
                     : log->death == PM_DEATH_BAD_ALLOC ? "native-memory"
                                                        : "fatal-error";
    struct pm_claim claim = pm_claim_begin(diagnosis, id, PM_SEVERITY_CRITICAL, PM_CONFIDENCE_HIGH);
    if (log->death == PM_DEATH_INEFFECTIVE_GC) {
        pm_claim_title(&claim, "the heap is full: collecting frees nothing");
        pm_claim_text(
            &claim,
            "V8 gave up near the heap limit, because collections took most of the time and freed next "
            "to nothing (\"%s\").",
            fatal);
    } else if (heap) {
        pm_claim_title(&claim, "the JavaScript heap reached its limit");
        pm_claim_text(&claim, "The JavaScript heap reached its limit (\"%s\").", fatal);
    } else if (size) {
        pm_claim_title(&claim, "one allocation was too large");
        pm_claim_text(&claim,
                      "One allocation was too large for V8 (\"%s\"): a higher heap limit does not help.",
                      fatal);
    } else if (log->death == PM_DEATH_BAD_ALLOC) {
        pm_claim_title(&claim, "native code could not get memory");
        pm_claim_text(&claim, "C++ code could not get memory (\"%s\").", fatal);
    } else {
        pm_claim_title(&claim, "fatal error in V8 or Node.js");
        pm_claim_text(&claim, "V8 or Node.js ended the process: \"%s\".", fatal);
    }
    tell_collections(&claim, log);
    if (log->deaths > 1) pm_claim_evidence(&claim, "%" PRIu64 " deaths like this in the log", log->deaths);
    if (heap)
        pm_claim_advice(&claim, "A log does not say who holds the memory; a core does (ulimit -c unlimited), "
                                "or a heap profile (--heap-prof) says who "
                                "allocates it.");
    else if (size)
        pm_claim_advice(&claim,
                        "Look for an array, a string, a Map or a join of them that grows to hundreds of "
                        "megabytes, and work in pieces.");
    const struct pm_frame *user = pm_report_user_frame(log->javascript, log->javascript_count);
    if (user) pm_claim_position(&claim, "blocked", user);
    return pm_claim_end(&claim);
}

static struct pm_error *exception(struct pm_diagnosis *diagnosis, const struct pm_gc_log *log) {
    const struct pm_log_error *error = log->error;
    struct pm_arena *arena = diagnosis->arena;
    if (!error || log->death != PM_DEATH_UNCAUGHT || uncaught_by_report(diagnosis)) return NULL;
    struct pm_claim claim =
        pm_claim_begin(diagnosis, error->rejection ? "unhandled-rejection" : "uncaught-exception",
                       PM_SEVERITY_CRITICAL, PM_CONFIDENCE_HIGH);
    const struct pm_frame *user = pm_report_user_frame(error->frames, error->frame_count);
    const char *name = error->name ? error->name : "what was thrown";
    pm_claim_title(&claim,
                   error->rejection ? "a promise was rejected and nobody handled it" : "%s was not caught",
                   name);
    pm_claim_text(&claim, "%s%s\"%s\"%s%s%s ended the process.", error->name ? error->name : "",
                  error->name ? ": " : "", error->message ? error->message : "?", user ? ", thrown in " : "",
                  user ? pm_report_frame_text(arena, user) : "", user ? "," : "");
    if (error->source && error->thrown.file)
        pm_claim_evidence(&claim, "%s:%" PRIu32 "  \"%s\"", error->thrown.file, error->thrown.line,
                          error->source);
    if (error->code) pm_claim_evidence(&claim, "code %s", error->code);
    if (error->cause_message)
        pm_claim_evidence(&claim, "caused by %s%s\"%s\"", error->cause_name ? error->cause_name : "",
                          error->cause_name ? ": " : "", error->cause_message);
    if (log->errors > 1) pm_claim_evidence(&claim, "%" PRIu64 " uncaught exceptions in the log", log->errors);
    pm_claim_advice(&claim, error->rejection
                                ? "Handle the rejection where the promise is made (await in try, or .catch)."
                                : "Catch it where it can be handled, or mend what throws.");
    if (user) pm_claim_position(&claim, "blocked", user);
    struct pm_frame cause = {.position = error->cause};
    if (error->cause.file) pm_claim_position(&claim, "creator", &cause);
    return pm_claim_end(&claim);
}

static struct pm_error *worker(struct pm_diagnosis *diagnosis, const struct pm_gc_log *log) {
    if (!log->worker_error) return NULL;
    struct pm_claim claim =
        pm_claim_begin(diagnosis, "worker-heap-limit", PM_SEVERITY_HIGH, PM_CONFIDENCE_HIGH);
    pm_claim_title(&claim, "a worker thread reached its memory limit");
    pm_claim_text(&claim, "A worker thread ran out of memory and was ended: %s", log->worker_error);
    pm_claim_advice(
        &claim, "A worker's limit is resourceLimits of new Worker(), else that of the process: look at what "
                "the worker keeps, or raise resourceLimits.maxOldGenerationSizeMb.");
    return pm_claim_end(&claim);
}

/* ---- the collections ---- */

static struct pm_error *growth(struct pm_diagnosis *diagnosis, const struct pm_gc_series *series) {
    const struct pm_gc_trend *trend = &series->trend;
    double grown = trend->last - trend->first;
    if (!trend->known || trend->slope_low <= 0 || trend->fit < PM_TREND_FIT || grown < PM_TREND_LEAST_MB ||
        grown < PM_TREND_GROWTH * trend->first)
        return NULL;
    bool solid = trend->fit >= PM_TREND_SOLID && trend->points >= PM_TREND_POINTS;
    bool soon = !isnan(series->minutes_to_limit) && series->minutes_to_limit < 60 && !series->fatal;
    struct pm_claim claim =
        pm_claim_begin(diagnosis, "heap-grows", soon ? PM_SEVERITY_HIGH : PM_SEVERITY_MEDIUM,
                       solid ? PM_CONFIDENCE_HIGH : PM_CONFIDENCE_MEDIUM);
    /* What happened within seconds is no rate of minutes. */
    bool brief = trend->minutes < 2;
    double unit = brief ? 60 : 1;
    const char *per = brief ? "second" : "minute";
    pm_claim_title(&claim, "the heap grows by %.1f MB a %s", trend->slope / unit, per);
    pm_claim_text(&claim, "After full collections the heap grew from %.1f to %.1f MB, by %.1f MB a %s%s.",
                  trend->first, trend->last, trend->slope / unit, per,
                  isnan(series->minutes_to_limit) || series->fatal ? ""
                                                                   : "; at this rate it reaches its limit");
    if (!isnan(series->minutes_to_limit) && !series->fatal)
        pm_claim_text(
            &claim,
            "After full collections the heap grew from %.1f to %.1f MB, by %.1f MB a %s; at this rate it "
            "reaches its limit of %.0f MB %.1f minutes after the last collection.",
            trend->first, trend->last, trend->slope / unit, per, series->limit, series->minutes_to_limit);
    pm_claim_evidence(
        &claim, "a line through %" PRIu64 " collections in %.1f %ss: %.1f to %.1f MB a %s (95 %%), R² %.2f",
        trend->points, trend->minutes * unit, per, trend->slope_low / unit, trend->slope_high / unit, per,
        trend->fit);
    if (!isnan(series->limit)) pm_claim_evidence(&claim, "the limit is known from %s", series->limit_from);
    pm_claim_advice(
        &claim, "What survives full collections is held by something: take a core or a heap snapshot, and "
                "two of them (postmortem compare) to see what grows.");
    if (!claim.failed && !isnan(series->limit) && series->limit > 0)
        claim.finding->share = trend->last > series->limit ? 1 : trend->last / series->limit;
    return pm_claim_end(&claim);
}

static struct pm_error *thrash(struct pm_diagnosis *diagnosis, const struct pm_gc_series *series) {
    bool low_mu = !isnan(series->mu_average) && series->mu_average < PM_THRASH_MU;
    bool paused = !isnan(series->gc_share_last) && series->gc_share_last >= PM_THRASH_SHARE;
    if (series->mark_compacts < PM_THRASH_LEAST || (!low_mu && !paused)) return NULL;
    struct pm_claim claim = pm_claim_begin(diagnosis, "gc-thrash", PM_SEVERITY_HIGH, PM_CONFIDENCE_HIGH);
    pm_claim_title(&claim, "garbage collection leaves little time to the program");
    if (low_mu)
        pm_claim_text(
            &claim,
            "At the end the program had %.0f %% of the time, the rest was garbage collection (V8's mutator "
            "utilisation: %.3f on average, %.3f at last).",
            series->mu_average * 100, series->mu_average, series->mu_current);
    else
        pm_claim_text(&claim, "In the last minute %.0f %% of the time was pauses of garbage collection.",
                      series->gc_share_last * 100);
    pm_claim_evidence(&claim, "%" PRIu64 " collections, %" PRIu64 " of them full; the longest pause %.0f ms",
                      series->seen, series->mark_compacts, series->pause_longest);
    if (series->ineffective > 1)
        pm_claim_evidence(&claim, "the last %" PRIu64 " full collections freed less than 2 %%",
                          series->ineffective);
    pm_claim_advice(
        &claim,
        "The heap is nearly full, so V8 collects again and again: see what keeps the memory, or raise "
        "--max-old-space-size. Requests are slow long before the process dies of it.");
    return pm_claim_end(&claim);
}

static struct pm_error *load(struct pm_diagnosis *diagnosis, const struct pm_gc_series *series) {
    bool busy = !isnan(series->gc_share) && series->gc_share >= PM_BUSY_GC_SHARE &&
                series->last_time - series->first_time > 10000;
    bool pause = series->pause_longest >= PM_LONG_PAUSE_MS;
    if (!busy && !pause) return NULL;
    struct pm_claim claim = pm_claim_begin(diagnosis, "gc-pauses",
                                           pause ? PM_SEVERITY_MEDIUM : PM_SEVERITY_LOW, PM_CONFIDENCE_HIGH);
    pm_claim_title(&claim,
                   pause ? "garbage collection stops the program for up to %.0f ms"
                         : "garbage collection takes a tenth of the time or more (longest pause %.0f ms)",
                   series->pause_longest);
    pm_claim_text(&claim,
                  "%" PRIu64
                  " collections stopped the program for %.1f s in all (%.1f %% of the time), the longest "
                  "for %.0f ms.",
                  series->seen, series->pause_total / 1000, series->gc_share * 100, series->pause_longest);
    if (!isnan(series->allocation_rate))
        pm_claim_evidence(&claim, "the program allocates %.1f MB a second", series->allocation_rate);
    pm_claim_advice(
        &claim, "Long pauses come with a large heap, many collections with a high rate of allocation: a heap "
                "profile names who allocates; a larger --max-semi-space-size makes scavenges rarer.");
    return pm_claim_end(&claim);
}

static struct pm_error *run(struct pm_diagnosis *diagnosis, const struct pm_heap_view *heap) {
    (void)heap;
    for (size_t i = 0; i < diagnosis->gc_log_count; i++) {
        const struct pm_gc_log *log = diagnosis->gc_logs[i];
        PM_TRY(fatal(diagnosis, log));
        PM_TRY(exception(diagnosis, log));
        PM_TRY(worker(diagnosis, log));
        /* Of many isolates and restarts the first: the one that died, or with most collections. */
        if (!log->series_count) continue;
        PM_TRY(growth(diagnosis, &log->series[0]));
        PM_TRY(thrash(diagnosis, &log->series[0]));
        PM_TRY(load(diagnosis, &log->series[0]));
    }
    return NULL;
}

const struct pm_detector pm_detect_gc_log = {
    .name = "gc-log",
    .summary = "how a process ended by its log, and what its collections say",
    .needs = PM_NEEDS_GC_LOG,
    .run = run,
};
