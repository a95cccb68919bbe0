/* A sampling heap profile (--heap-prof, DevTools, the inspector): allocations that were live when it was
 * taken. Each stands for so many bytes that the sum is right on average: sizes are already scaled by V8. */
#include <string.h>

#include "parsers/profile.h"
#include "parsers/profile_reader.h"

/* V8 takes a sample about every `interval` bytes and does not write the interval down. A sample of an object
 * of s bytes stands for s / (1 - exp(-s / interval)), which is never less than the interval and comes near it
 * for small objects: so the smallest sample tells it. */
static void estimate_interval(const struct pm_raw_profile *raw, struct pm_profile *profile) {
    static const uint64_t usual[] = {524288, 32768, 16384, 8192, 4096, 1024, 65536, 131072, 262144, 1048576};
    uint64_t least = PM_UNKNOWN;
    for (size_t i = 0; i < raw->sizes.count; i++)
        if (raw->sizes.items[i] && raw->sizes.items[i] < least) least = raw->sizes.items[i];
    profile->interval = least;
    profile->interval_estimated = true;
    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
        if (least != PM_UNKNOWN && least >= usual[i] - usual[i] / 50 && least <= usual[i] + usual[i] / 10)
            profile->interval = usual[i];
}

/* Samples give the counts; where the file was cut before them, counts are unknown. */
static void count_samples(struct pm_raw_profile *raw, const struct pm_id_table *ids,
                          struct pm_profile *profile) {
    for (size_t i = 0; i < raw->samples.count; i++) {
        size_t call = pm_id_table_find(ids, raw->samples.items[i]);
        if (call != SIZE_MAX && raw->calls.items[call].hits < UINT32_MAX) raw->calls.items[call].hits++;
    }
    profile->samples = raw->samples.count ? raw->samples.count : PM_UNKNOWN;
    estimate_interval(raw, profile);
}

static struct pm_error *build(struct pm_raw_profile *raw, struct pm_profile *profile, struct pm_error *cut,
                              struct pm_diagnosis *diagnosis) {
    struct pm_id_table ids;
    uint64_t detached = 0, lost = 0;
    struct pm_error *err = pm_id_table_init(&ids, raw);
    if (!err) {
        lost = pm_raw_profile_link(raw, &ids);
        count_samples(raw, &ids, profile);
        err = pm_raw_profile_build(raw, profile, NULL, &detached);
    }
    uint64_t duplicates = ids.duplicates;
    pm_id_table_deinit(&ids);
    if (err) return pm_error_destroy(cut), err;
    pm_raw_profile_note(raw, cut, duplicates, lost + detached, profile, diagnosis);
    return pm_diagnosis_append(diagnosis, (void ***)&diagnosis->profiles, &diagnosis->profile_count, profile);
}

struct pm_error *pm_heap_profile_load(const struct pm_input *input, struct pm_diagnosis *diagnosis) {
    struct pm_raw_profile raw;
    struct pm_profile *profile = pm_arena_alloc(diagnosis->arena, sizeof(*profile));
    if (!profile) return pm_error_nomem();
    *profile = (struct pm_profile){.input = diagnosis->input_count ? diagnosis->input_count - 1 : 0,
                                   .kind = PM_PROFILE_HEAP,
                                   .source = "heapprofile",
                                   .duration = PM_UNKNOWN,
                                   .long_tasks = PM_UNKNOWN,
                                   .long_task_time = PM_UNKNOWN};
    pm_raw_profile_init(&raw, diagnosis->arena);
    struct pm_error *cut = pm_raw_profile_read(&raw, input), *err;
    if (!raw.calls.count || (cut && cut->kind == PM_ERR_NOMEM))
        err = cut ? cut : pm_error_create(PM_ERR_FORMAT, "a heap profile without calls");
    else
        err = build(&raw, profile, cut, diagnosis);
    pm_raw_profile_deinit(&raw);
    return err;
}
