/* A CPU profile (--cpu-prof, DevTools, the inspector): every so many microseconds the call that was running.
 *
 * A sample holds until the next one: times are differences of timestamps, as in DevTools' own flame chart
 * (which puts samples in the order of their times first; V8 writes negative deltas now and then). The time
 * before the first sample belongs to nobody; the last sample holds until the profile ends, as long as that is
 * not far. */
#include <math.h>
#include <string.h>

#include "parsers/cpu_tasks.h"
#include "parsers/profile.h"
#include "parsers/profile_reader.h"
#include "postmortem/base/sort.h"

/* The last sample holds at most this many intervals: the profile may have been stopped much later. */
#define LAST_SAMPLE_INTERVALS 10
#define DEFAULT_INTERVAL      1000 /* µs, of --cpu-prof */

static int by_time(const void *a, const void *b) {
    const struct pm_cpu_sample *x = a, *y = b;
    if (x->start != y->start) return x->start < y->start ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static int by_value(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* The usual distance of two samples. */
static uint64_t median(const struct pm_cpu_sample *samples, size_t count) {
    enum { ENOUGH = 10001 };
    size_t step = count / ENOUGH + 1, taken = 0;
    uint64_t *gaps PM_AUTO_FREE = malloc((count / step + 1) * sizeof(*gaps));
    if (!gaps) return PM_UNKNOWN;
    for (size_t i = step; i < count; i += step) gaps[taken++] = samples[i].start - samples[i - 1].start;
    if (!taken) return PM_UNKNOWN;
    pm_sort(gaps, taken, sizeof(*gaps), by_value);
    return gaps[taken / 2];
}

static double clamp_time(double time) {
    return time < 0 ? 0 : time > 0x1p60 ? 0x1p60 : time;
}

/* Timestamps from the profile's start, in order; samples without a call are left out. */
static size_t time_samples(const struct pm_raw_profile *raw, const struct pm_id_table *ids,
                           struct pm_cpu_sample *samples) {
    bool stamps = raw->timestamps.count > 0;
    size_t times = stamps ? raw->timestamps.count : raw->deltas.count, count = 0;
    double now = 0, base = stamps && !isnan(raw->start) ? raw->start : stamps ? raw->timestamps.items[0] : 0;
    bool ordered = true;
    for (size_t i = 0; i < raw->samples.count && i < times; i++) {
        double given = stamps ? raw->timestamps.items[i] : raw->deltas.items[i];
        if (!isnan(given)) now = stamps ? given - base : now + given;
        size_t call = pm_id_table_find(ids, raw->samples.items[i]);
        if (call == SIZE_MAX) continue;
        samples[count] = (struct pm_cpu_sample){
            .start = (uint64_t)clamp_time(now), .call = (uint32_t)call, .order = (uint32_t)i};
        if (count && samples[count].start < samples[count - 1].start) ordered = false;
        count++;
    }
    if (!ordered) pm_sort(samples, count, sizeof(*samples), by_time);
    return count;
}

static void measure(struct pm_raw_profile *raw, struct pm_cpu_sample *samples, size_t count,
                    struct pm_profile *profile) {
    for (size_t i = 0; i < raw->calls.count; i++) raw->calls.items[i].hits = 0;
    profile->interval = median(samples, count);
    uint64_t longest = profile->interval == PM_UNKNOWN ? 0 : profile->interval * LAST_SAMPLE_INTERVALS;
    for (size_t i = 0; i < count; i++) {
        uint64_t end = samples[i].start;
        if (i + 1 < count)
            end = samples[i + 1].start;
        else if (profile->duration != PM_UNKNOWN && profile->duration > end)
            end = profile->duration - end < longest ? profile->duration : end + longest;
        samples[i].end = end;
        struct pm_raw_call *call = &raw->calls.items[samples[i].call];
        call->self += end - samples[i].start; /* all of them together are below 2^61 */
        if (call->hits < UINT32_MAX) call->hits++;
    }
}

/* Without times of samples: their number, each worth the same. */
static void measure_hits(struct pm_raw_profile *raw, struct pm_profile *profile) {
    uint64_t hits = 0;
    for (size_t i = 0; i < raw->calls.count; i++) hits += raw->calls.items[i].hits;
    profile->samples = hits;
    profile->interval_estimated = true;
    profile->interval = DEFAULT_INTERVAL;
    if (profile->duration != PM_UNKNOWN && profile->duration && hits) {
        profile->interval = profile->duration / hits;
        if (!profile->interval) profile->interval = 1;
    }
    for (size_t i = 0; i < raw->calls.count; i++)
        if (__builtin_mul_overflow(profile->interval, raw->calls.items[i].hits, &raw->calls.items[i].self))
            raw->calls.items[i].self = UINT64_MAX / 4;
}

static struct pm_error *build(struct pm_raw_profile *raw, const struct pm_id_table *ids,
                              struct pm_profile *profile, uint64_t *lost, struct pm_arena *arena) {
    size_t times = raw->timestamps.count ? raw->timestamps.count : raw->deltas.count;
    struct pm_cpu_sample *samples PM_AUTO_FREE = malloc((raw->samples.count + 1) * sizeof(*samples));
    uint32_t *call_of PM_AUTO_FREE = malloc((raw->calls.count + 1) * sizeof(*call_of));
    uint64_t detached = 0;
    if (!samples || !call_of) return pm_error_nomem();
    *lost = pm_raw_profile_link(raw, ids);
    size_t count = times ? time_samples(raw, ids, samples) : 0;
    profile->samples = count;
    if (count)
        measure(raw, samples, count, profile);
    else
        measure_hits(raw, profile);
    PM_TRY(pm_raw_profile_build(raw, profile, call_of, &detached));
    *lost += detached;
    for (size_t i = 0; i < count; i++) samples[i].call = call_of[samples[i].call];
    return count ? pm_cpu_tasks(arena, samples, count, profile) : NULL;
}

static struct pm_error *build_and_note(struct pm_raw_profile *raw, struct pm_profile *profile,
                                       struct pm_error *cut, struct pm_diagnosis *diagnosis) {
    struct pm_id_table ids;
    uint64_t lost = 0;
    if (!isnan(raw->start) && !isnan(raw->end) && raw->end >= raw->start)
        profile->duration = (uint64_t)clamp_time(raw->end - raw->start);
    struct pm_error *err = pm_id_table_init(&ids, raw);
    if (!err) err = build(raw, &ids, profile, &lost, diagnosis->arena);
    uint64_t duplicates = ids.duplicates;
    pm_id_table_deinit(&ids);
    if (err) return pm_error_destroy(cut), err;
    pm_raw_profile_note(raw, cut, duplicates, lost, profile, diagnosis);
    size_t times = raw->timestamps.count ? raw->timestamps.count : raw->deltas.count;
    size_t unused = raw->samples.count > times ? raw->samples.count - times : times - raw->samples.count;
    if (unused)
        pm_diagnosis_skip(diagnosis, "samples", unused, PM_UNKNOWN,
                          "the profile has more samples than times, or the other way round");
    return pm_diagnosis_append(diagnosis, (void ***)&diagnosis->profiles, &diagnosis->profile_count, profile);
}

struct pm_error *pm_cpu_profile_load(const struct pm_input *input, struct pm_diagnosis *diagnosis) {
    struct pm_raw_profile raw;
    struct pm_profile *profile = pm_arena_alloc(diagnosis->arena, sizeof(*profile));
    if (!profile) return pm_error_nomem();
    *profile = (struct pm_profile){.input = diagnosis->input_count ? diagnosis->input_count - 1 : 0,
                                   .kind = PM_PROFILE_CPU,
                                   .source = "cpuprofile",
                                   .duration = PM_UNKNOWN,
                                   .long_tasks = PM_UNKNOWN,
                                   .long_task_time = PM_UNKNOWN};
    pm_raw_profile_init(&raw, diagnosis->arena);
    struct pm_error *cut = pm_raw_profile_read(&raw, input), *err;
    if (!raw.calls.count || (cut && cut->kind == PM_ERR_NOMEM))
        err = cut ? cut : pm_error_create(PM_ERR_FORMAT, "a CPU profile without calls");
    else
        err = build_and_note(&raw, profile, cut, diagnosis);
    pm_raw_profile_deinit(&raw);
    return err;
}
