/* profile_sums.h - sums over a call tree that is laid out: by function, file and package, and its hot path.
 * For profile.c only. */
#ifndef PM_MODEL_PROFILE_SUMS_H
#define PM_MODEL_PROFILE_SUMS_H

#include "postmortem/model/profile.h"

struct pm_error *pm_profile_sum(struct pm_arena *arena, struct pm_profile *profile);

#endif
