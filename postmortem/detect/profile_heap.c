/* Who allocated what is still live: sites of a sampling heap profile, put on the application's own functions.
 *
 * A heap profile alone is no proof of a leak: what is live may be needed. It says where the memory was made;
 * the core, a snapshot, or a second profile says whether it grows and who holds it. */
#include <math.h>

#include "postmortem/detect/detector.h"
#include "postmortem/detect/profile_blame.h"
#include "postmortem/detect/profile_thresholds.h"

static enum pm_confidence confidence_of(uint64_t samples) {
    if (samples < PM_FEW_SAMPLES) return PM_CONFIDENCE_LOW;
    return samples < PM_SOME_SAMPLES ? PM_CONFIDENCE_MEDIUM : PM_CONFIDENCE_HIGH;
}

/* What the function called to allocate, when that is not its own code. */
static void tell_callees(struct pm_claim *claim, const struct pm_profile *profile,
                         const struct pm_blame *blame, uint32_t user) {
    uint32_t best = UINT32_MAX;
    uint64_t most = 0;
    for (size_t i = 1; i < profile->call_count; i++)
        if (blame->user[i] == user && profile->calls[i].function != user && profile->calls[i].self > most) {
            most = profile->calls[i].self;
            best = profile->calls[i].function;
        }
    if (best == UINT32_MAX || (double)most < 0.3 * (double)blame->value[user]) return;
    pm_claim_evidence(claim, "of it %s in %s", pm_report_bytes(claim->diagnosis->arena, most),
                      pm_profile_function_text(claim->diagnosis->arena, &profile->functions[best]));
}

static struct pm_error *site(struct pm_diagnosis *diagnosis, const struct pm_profile *profile,
                             const struct pm_blame *blame, uint32_t user) {
    struct pm_arena *arena = diagnosis->arena;
    const struct pm_profile_function *function = &profile->functions[user];
    uint64_t value = blame->value[user], count = blame->count[user];
    double share = (double)value / (double)profile->total;
    bool large = value >= PM_SITE_LARGE && share >= PM_SITE_HIGH_SHARE;
    bool counted = profile->samples != PM_UNKNOWN;
    struct pm_claim claim =
        pm_claim_begin(diagnosis, "allocation-site", large ? PM_SEVERITY_MEDIUM : PM_SEVERITY_LOW,
                       counted ? confidence_of(count) : PM_CONFIDENCE_LOW);
    pm_claim_title(&claim, "most live memory was allocated by `%s`", function->name);
    if (share < PM_SITE_HIGH_SHARE) pm_claim_title(&claim, "live memory allocated by `%s`", function->name);
    pm_claim_text(&claim,
                  "%s allocated about %s of the %s that were live when the profile was taken (%.1f %%).",
                  pm_profile_function_text(arena, function), pm_report_bytes(arena, value),
                  pm_report_bytes(arena, profile->total), share * 100);
    const char *way = pm_profile_way(arena, profile, user);
    if (way && *way) pm_claim_evidence(&claim, "called as %s", way);
    tell_callees(&claim, profile, blame, user);
    if (counted && count)
        pm_claim_evidence(
            &claim, "a sample, one allocation about every %s: %s samples, so the size may be %.0f %% off",
            pm_report_bytes(arena, profile->interval), pm_report_count_text(arena, count),
            100 / sqrt((double)count));
    else
        pm_claim_evidence(&claim, "a sample; how many allocations it rests on is lost");
    pm_claim_advice(
        &claim, "See what keeps these objects: a core or a heap snapshot names the holder, and two profiles "
                "some minutes apart say whether they grow.");
    pm_claim_function(&claim, "creator", function, 0);
    if (!claim.failed) {
        claim.finding->share = share;
        claim.finding->retained_bytes = value;
    }
    return pm_claim_end(&claim);
}

static struct pm_error *look(struct pm_diagnosis *diagnosis, const struct pm_profile *profile,
                             struct pm_blame *blame) {
    for (int told = 0; told < PM_MAX_SITES; told++) {
        uint32_t best = UINT32_MAX;
        for (uint32_t i = 0; i < profile->function_count; i++)
            if (blame->value[i] && (best == UINT32_MAX || blame->value[i] > blame->value[best])) best = i;
        if (best == UINT32_MAX || blame->value[best] < PM_SITE_LEAST ||
            (double)blame->value[best] < PM_SITE_SHARE * (double)profile->total)
            return NULL;
        PM_TRY(site(diagnosis, profile, blame, best));
        blame->value[best] = 0;
    }
    return NULL;
}

static struct pm_error *run(struct pm_diagnosis *diagnosis, const struct pm_heap_view *heap) {
    (void)heap;
    for (size_t i = 0; i < diagnosis->profile_count; i++) {
        const struct pm_profile *profile = diagnosis->profiles[i];
        struct pm_blame blame;
        if (profile->kind != PM_PROFILE_HEAP || !profile->total) continue;
        struct pm_error *err = pm_blame_init(profile, &blame);
        if (!err) err = look(diagnosis, profile, &blame);
        pm_blame_deinit(&blame);
        if (err) return err;
    }
    return NULL;
}

const struct pm_detector pm_detect_profile_heap = {
    .name = "allocation-site",
    .summary = "the function that allocated most of what is live in a heap profile",
    .needs = PM_NEEDS_PROFILE,
    .run = run,
};
