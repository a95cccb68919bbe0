#include "postmortem/detect/profile_blame.h"

#include <inttypes.h>
#include <stdlib.h>

#include "postmortem/base/strbuf.h"

#define NOBODY    UINT32_MAX
#define WAY_STEPS 6

uint64_t pm_profile_busy(const struct pm_profile *profile) {
    return profile->total > profile->idle ? profile->total - profile->idle : 0;
}

struct pm_error *pm_blame_init(const struct pm_profile *profile, struct pm_blame *ret) {
    *ret = (struct pm_blame){.value = calloc(profile->function_count, sizeof(uint64_t)),
                             .count = calloc(profile->function_count, sizeof(uint64_t)),
                             .user = malloc(profile->call_count * sizeof(uint32_t)),
                             .most = NOBODY};
    if (!ret->value || !ret->count || !ret->user) return pm_error_nomem();
    for (size_t i = 0; i < profile->call_count; i++) {
        const struct pm_call *call = &profile->calls[i];
        bool own = pm_profile_is_user(profile, call->function);
        ret->user[i] = own ? call->function : call->caller == UINT32_MAX ? NOBODY : ret->user[call->caller];
        uint32_t user = ret->user[i];
        if (user == NOBODY) {
            ret->nobody += call->self;
            continue;
        }
        ret->value[user] += call->self;
        ret->count[user] += call->count;
        if (ret->most == NOBODY || ret->value[user] > ret->value[ret->most]) ret->most = user;
    }
    return NULL;
}

void pm_blame_deinit(struct pm_blame *blame) {
    free(blame->value);
    free(blame->count);
    free(blame->user);
}

const char *pm_profile_function_text(struct pm_arena *arena, const struct pm_profile_function *function) {
    if (!function->position.file) return pm_arena_printf(arena, "`%s`", function->name);
    return pm_arena_printf(arena, "`%s` (%s:%" PRIu32 ")", function->name, function->position.file,
                           function->position.line);
}

void pm_claim_function(struct pm_claim *claim, const char *role, const struct pm_profile_function *function,
                       uint32_t line) {
    struct pm_frame frame = {.function = function->name, .position = function->position};
    if (line) frame.position = (struct pm_position){function->position.file, line, 0};
    if (frame.position.file) pm_claim_position(claim, role, &frame);
}

const char *pm_profile_way(struct pm_arena *arena, const struct pm_profile *profile, uint32_t function) {
    size_t best = 0;
    uint32_t steps[WAY_STEPS];
    size_t count = 0;
    for (size_t i = 1; i < profile->call_count; i++)
        if (profile->calls[i].function == function &&
            profile->calls[i].total > profile->calls[best].total * !!best)
            best = i;
    for (size_t at = best; at && count < WAY_STEPS; at = profile->calls[at].caller)
        if (pm_profile_is_user(profile, profile->calls[at].function))
            steps[count++] = profile->calls[at].function;
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    while (count) {
        pm_strbuf_append(&text, profile->functions[steps[--count]].name);
        if (count) pm_strbuf_append(&text, " > ");
    }
    return text.failed ? NULL : pm_arena_copy(arena, pm_strbuf_text(&text), text.length);
}

const char *pm_profile_time(struct pm_arena *arena, uint64_t us) {
    if (us < 1000) return pm_arena_printf(arena, "%" PRIu64 " us", us);
    if (us < 1000000) return pm_arena_printf(arena, "%.1f ms", (double)us / 1e3);
    return pm_arena_printf(arena, "%.1f s", (double)us / 1e6);
}
