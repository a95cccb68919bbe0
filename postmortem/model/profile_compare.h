/* profile_compare.h - two profiles of one kind: what grew, by function and package, and a tree of both.
 *
 * Functions are the same when name, file, line and column agree; of those that are left, when name and file
 * do and there is only one such function on each side (the code above it was edited).
 *
 * CPU profiles of different lengths are compared per second: the values of the first one are multiplied by
 * `scale` before growth is computed. Waiting is no growth: (idle) has no row and no box.
 *
 * OWNERSHIP  everything in the arena; `before` and `after` are borrowed. FAILURE  without memory. */
#ifndef PM_MODEL_PROFILE_COMPARE_H
#define PM_MODEL_PROFILE_COMPARE_H

#include "postmortem/model/profile.h"

/* Two durations that differ by less are equal. */
#define PM_SAME_DURATION 0.05

struct pm_profile_cell {
    uint64_t self, total, count;
};

struct pm_profile_change {
    uint32_t index; /* in both.functions or both.packages */
    struct pm_profile_cell before, after;
    double growth, total_growth; /* of self and total, after - scale * before */
    bool by_chance; /* the numbers of samples differ by no more than two samplings of one program would */
};

struct pm_profile_comparison {
    const struct pm_profile *before, *after;
    double scale;           /* 1 unless the durations differ */
    struct pm_profile both; /* values are sums of the two, unscaled: for names, places and the tree */
    uint64_t *call_before, *call_after;  /* totals of each of both.calls, waiting left out */
    struct pm_profile_change *functions; /* largest change of self first; only those with one */
    struct pm_profile_change *packages;  /* likewise */
    size_t function_count, package_count;
};

struct pm_error *pm_profile_compare(const struct pm_profile *before, const struct pm_profile *after,
                                    struct pm_arena *arena, struct pm_profile_comparison *ret);

#endif
