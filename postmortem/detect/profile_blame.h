/* profile_blame.h - whose fault is a call: what libraries, Node and builtins do is put on the innermost
 * function of the application that called them.
 *
 * FAILURE  NULL without memory. */
#ifndef PM_DETECT_PROFILE_BLAME_H
#define PM_DETECT_PROFILE_BLAME_H

#include "postmortem/detect/report_finding.h"
#include "postmortem/model/profile.h"

struct pm_blame {
    uint64_t *value, *count; /* of each function of the application: its own and what it called elsewhere */
    uint32_t *user;          /* of each call: the function that is blamed, UINT32_MAX = nobody's */
    uint32_t most;           /* the function that is blamed most; UINT32_MAX */
    uint64_t nobody;         /* below no function of the application */
};

struct pm_error *pm_blame_init(const struct pm_profile *profile, struct pm_blame *ret);
void pm_blame_deinit(struct pm_blame *blame);
/* All but waiting. */
uint64_t pm_profile_busy(const struct pm_profile *profile);
/* "`handle` (/app/server.js:31)" */
const char *pm_profile_function_text(struct pm_arena *arena, const struct pm_profile_function *function);
void pm_claim_function(struct pm_claim *claim, const char *role, const struct pm_profile_function *function,
                       uint32_t line);
/* The functions of the application on the way to the call of `function` with the largest total, outermost
 * first: "main > serve > handle". */
const char *pm_profile_way(struct pm_arena *arena, const struct pm_profile *profile, uint32_t function);
/* "1.2 s", "12 ms" */
const char *pm_profile_time(struct pm_arena *arena, uint64_t us);

#endif
