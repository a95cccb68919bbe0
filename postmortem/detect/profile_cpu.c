/* Where the time of a CPU profile went: the function of the application that is blamed most, synchronous
 * calls that block the event loop, garbage collection, long turns of the loop. Waiting is no sign of
 * anything. */
#include <inttypes.h>
#include <string.h>

#include "postmortem/detect/detector.h"
#include "postmortem/detect/profile_blame.h"
#include "postmortem/detect/profile_thresholds.h"

/* ---- the dominant function ---- */

static struct pm_error *hot_function(struct pm_diagnosis *diagnosis, const struct pm_profile *profile,
                                     const struct pm_blame *blame) {
    struct pm_arena *arena = diagnosis->arena;
    uint64_t busy = pm_profile_busy(profile);
    if (blame->most == UINT32_MAX || !busy) return NULL;
    const struct pm_profile_function *function = &profile->functions[blame->most];
    uint64_t value = blame->value[blame->most];
    double share = (double)value / (double)busy;
    if (share < PM_HOT_SHARE || value < PM_HOT_LEAST_US) return NULL;
    enum pm_severity severity = share >= PM_HOT_HIGH_SHARE ? PM_SEVERITY_MEDIUM : PM_SEVERITY_LOW;
    struct pm_claim claim = pm_claim_begin(
        diagnosis, "cpu-hot-function", severity,
        blame->count[blame->most] >= PM_SOME_SAMPLES ? PM_CONFIDENCE_HIGH : PM_CONFIDENCE_MEDIUM);
    pm_claim_title(&claim, "`%s` takes %.0f %% of the busy time", function->name, share * 100);
    pm_claim_text(&claim,
                  "%s, with what it calls in libraries, took %s of the %s that were not waiting (%.1f %%).",
                  pm_profile_function_text(arena, function), pm_profile_time(arena, value),
                  pm_profile_time(arena, busy), share * 100);
    pm_claim_evidence(&claim, "itself %s, with everything below it %s",
                      pm_profile_time(arena, function->self), pm_profile_time(arena, function->total));
    if (function->hot_line && function->position.file)
        pm_claim_evidence(&claim, "most samples of its own are in line %" PRIu32, function->hot_line);
    const char *way = pm_profile_way(arena, profile, blame->most);
    if (way && *way) pm_claim_evidence(&claim, "called as %s", way);
    pm_claim_advice(&claim, "Make this function cheaper, call it less often, or move it to a worker thread.");
    pm_claim_function(&claim, "blocked", function, function->hot_line);
    if (!claim.failed) claim.finding->share = share;
    return pm_claim_end(&claim);
}

/* ---- synchronous calls ---- */

struct sync_kind {
    const char *id, *file, *name, *what, *advice;
};

/* Functions of Node that do not return before the work is done: by the file they are in and a part of their
 * name. RegExp frames have no file; V8 names them after the expression. */
static const struct sync_kind sync_kinds[] = {
    {"blocked-sync-crypto", "crypto", "Sync", "synchronous cryptography",
     "Use the asynchronous call, which runs in the thread pool, and check the number of rounds."},
    {"blocked-sync-zlib", "zlib", "Sync", "synchronous compression",
     "Use the asynchronous call or a stream, and a lower level for large data."},
    {"blocked-sync-zlib", "zlib", "processChunkSync", "synchronous compression",
     "Use the asynchronous call or a stream, and a lower level for large data."},
    {"blocked-child-process", "child_process", "Sync", "waiting for child processes",
     "Use spawn or execFile without Sync: until the child ends nothing else runs here."},
    {"blocked-sync-fs", "fs", "Sync", "synchronous file operations",
     "Use the asynchronous call (fs.promises), or read the files once at the start."},
    {"blocked-regexp", NULL, "RegExp: ", "a regular expression",
     "Nested or overlapping repetitions try every way to split the text: rewrite the expression, or limit "
     "the "
     "length of the text first."},
};

static bool is_of_kind(const struct pm_profile *profile, uint32_t index, const struct sync_kind *kind) {
    const struct pm_profile_function *function = &profile->functions[index];
    const char *file = function->position.file;
    if (!kind->file) return !file && strncmp(function->name, kind->name, strlen(kind->name)) == 0;
    if (!file || strcmp(profile->packages[function->package].name, "(node)") != 0) return false;
    if (!strstr(function->name, kind->name)) return false;
    /* "node:fs", "fs.js", "node:internal/crypto/pbkdf2": one part of the path */
    const char *at = strstr(file, kind->file);
    if (!at) return false;
    char before = at == file ? '/' : at[-1], after = at[strlen(kind->file)];
    return (before == '/' || before == ':') && (after == 0 || after == '/' || after == '.');
}

/* Time in outermost calls of the kind, and whose function called most of it. */
static uint64_t time_of_kind(const struct pm_profile *profile, const struct pm_blame *blame,
                             const bool *matches, uint32_t *api_ret, uint32_t *user_ret) {
    uint64_t sum = 0, most = 0;
    *api_ret = *user_ret = UINT32_MAX;
    for (size_t i = 1; i < profile->call_count;) {
        const struct pm_call *call = &profile->calls[i];
        if (!matches[call->function]) {
            i++;
            continue;
        }
        sum += call->total;
        if (call->total > most) {
            most = call->total;
            *api_ret = call->function;
            *user_ret = blame->user[i];
        }
        i = call->end;
    }
    return sum;
}

static struct pm_error *sync_call(struct pm_diagnosis *diagnosis, const struct pm_profile *profile,
                                  const struct pm_blame *blame, const struct sync_kind *kind, bool *matches) {
    struct pm_arena *arena = diagnosis->arena;
    uint64_t busy = pm_profile_busy(profile);
    uint32_t api, user;
    bool any = false;
    for (uint32_t i = 0; i < profile->function_count; i++) any |= matches[i] = is_of_kind(profile, i, kind);
    if (!any) return NULL;
    uint64_t sum = time_of_kind(profile, blame, matches, &api, &user);
    double share = busy ? (double)sum / (double)busy : 0;
    if (api == UINT32_MAX || share < PM_SYNC_SHARE || sum < PM_HOT_LEAST_US) return NULL;
    /* Loading of modules reads files synchronously, that is as it should be. */
    if (user == UINT32_MAX) return NULL;
    enum pm_severity severity = share >= PM_HOT_SHARE ? PM_SEVERITY_HIGH : PM_SEVERITY_MEDIUM;
    struct pm_claim claim = pm_claim_begin(diagnosis, kind->id, severity, PM_CONFIDENCE_HIGH);
    pm_claim_title(&claim, "the event loop is blocked by %s", kind->what);
    pm_claim_text(&claim,
                  "%s of the %s that were not waiting (%.1f %%) went into %s, most of it `%s` called by %s.",
                  pm_profile_time(arena, sum), pm_profile_time(arena, busy), share * 100, kind->what,
                  profile->functions[api].name, pm_profile_function_text(arena, &profile->functions[user]));
    const char *way = pm_profile_way(arena, profile, user);
    if (way && *way) pm_claim_evidence(&claim, "called as %s", way);
    pm_claim_advice(&claim, "%s", kind->advice);
    pm_claim_function(&claim, "blocked", &profile->functions[user], 0);
    if (!claim.failed) claim.finding->share = share;
    return pm_claim_end(&claim);
}

static struct pm_error *sync_calls(struct pm_diagnosis *diagnosis, const struct pm_profile *profile,
                                   const struct pm_blame *blame) {
    bool *matches PM_AUTO_FREE = calloc(profile->function_count, sizeof(*matches));
    if (!matches) return pm_error_nomem();
    for (size_t i = 0; i < sizeof(sync_kinds) / sizeof(sync_kinds[0]); i++)
        PM_TRY(sync_call(diagnosis, profile, blame, &sync_kinds[i], matches));
    return NULL;
}

/* ---- garbage collection ---- */

static struct pm_error *collection(struct pm_diagnosis *diagnosis, const struct pm_profile *profile) {
    struct pm_arena *arena = diagnosis->arena;
    uint64_t busy = pm_profile_busy(profile);
    double share = busy ? (double)profile->gc / (double)busy : 0;
    if (share < PM_GC_SHARE || profile->gc < PM_HOT_LEAST_US) return NULL;
    enum pm_severity severity = share >= PM_GC_HIGH_SHARE ? PM_SEVERITY_HIGH : PM_SEVERITY_MEDIUM;
    struct pm_claim claim = pm_claim_begin(diagnosis, "cpu-gc", severity, PM_CONFIDENCE_HIGH);
    pm_claim_title(&claim, "garbage collection takes %.0f %% of the busy time", share * 100);
    pm_claim_text(&claim, "%s of the %s that were not waiting (%.1f %%) went into garbage collection.",
                  pm_profile_time(arena, profile->gc), pm_profile_time(arena, busy), share * 100);
    pm_claim_advice(
        &claim, "Either much is allocated, or the heap is nearly full: run with --trace-gc to see which. A "
                "heap profile (--heap-prof) names who allocates what stays; for short-lived objects a "
                "larger --max-semi-space-size helps.");
    if (!claim.failed) claim.finding->share = share;
    return pm_claim_end(&claim);
}

/* ---- long turns of the event loop ---- */

/* The innermost function of the application that was running for most of the turn. */
static uint32_t user_of(const struct pm_blame *blame, const struct pm_long_task *task) {
    return blame->user[task->call];
}

static struct pm_error *long_tasks(struct pm_diagnosis *diagnosis, const struct pm_profile *profile,
                                   const struct pm_blame *blame) {
    struct pm_arena *arena = diagnosis->arena;
    const struct pm_long_task *longest = NULL;
    uint64_t count = 0;
    for (size_t i = 0; i < profile->task_count; i++) {
        if (profile->tasks[i].startup) continue;
        if (!longest) longest = &profile->tasks[i];
        count++;
    }
    if (!longest) return NULL;
    enum pm_severity severity = longest->duration >= PM_TASK_HIGH_US     ? PM_SEVERITY_HIGH
                                : longest->duration >= PM_TASK_MEDIUM_US ? PM_SEVERITY_MEDIUM
                                                                         : PM_SEVERITY_LOW;
    uint32_t user = user_of(blame, longest);
    const struct pm_profile_function *function =
        &profile->functions[user == UINT32_MAX ? profile->calls[longest->call].function : user];
    struct pm_claim claim = pm_claim_begin(diagnosis, "long-task", severity, PM_CONFIDENCE_HIGH);
    pm_claim_title(&claim, "the event loop was blocked for up to %s",
                   pm_profile_time(arena, longest->duration));
    pm_claim_text(&claim,
                  "%s%" PRIu64
                  " turn%s of the event loop took longer than 50 ms, the longest %s (%s after the start), "
                  "mostly in %s. Nothing else ran meanwhile: no request, no timer.",
                  profile->long_tasks > profile->task_count ? "More than " : "", count, count == 1 ? "" : "s",
                  pm_profile_time(arena, longest->duration), pm_profile_time(arena, longest->start),
                  pm_profile_function_text(arena, function));
    if (longest->gc)
        pm_claim_evidence(&claim, "of the longest %s was garbage collection",
                          pm_profile_time(arena, longest->gc));
    pm_claim_evidence(
        &claim, "%s itself took %s of it",
        pm_profile_function_text(arena, &profile->functions[profile->calls[longest->call].function]),
        pm_profile_time(arena, longest->call_self));
    pm_claim_advice(&claim,
                    "Cut the work into parts with setImmediate between them, or move it to a worker thread.");
    pm_claim_function(&claim, "blocked", function, 0);
    return pm_claim_end(&claim);
}

static struct pm_error *look(struct pm_diagnosis *diagnosis, const struct pm_profile *profile,
                             const struct pm_blame *blame) {
    PM_TRY(sync_calls(diagnosis, profile, blame));
    PM_TRY(hot_function(diagnosis, profile, blame));
    PM_TRY(long_tasks(diagnosis, profile, blame));
    return collection(diagnosis, profile);
}

static struct pm_error *run(struct pm_diagnosis *diagnosis, const struct pm_heap_view *heap) {
    (void)heap;
    for (size_t i = 0; i < diagnosis->profile_count; i++) {
        const struct pm_profile *profile = diagnosis->profiles[i];
        struct pm_blame blame;
        if (profile->kind != PM_PROFILE_CPU || !profile->total) continue;
        struct pm_error *err = pm_blame_init(profile, &blame);
        if (!err) err = look(diagnosis, profile, &blame);
        pm_blame_deinit(&blame);
        if (err) return err;
    }
    return NULL;
}

const struct pm_detector pm_detect_profile_cpu = {
    .name = "cpu-hot-function",
    .summary = "where the time of a CPU profile went, and what blocked the event loop",
    .needs = PM_NEEDS_PROFILE,
    .run = run,
};
