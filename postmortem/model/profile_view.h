/* profile_view.h - a profile as rows of an indented tree, for those who print it.
 *
 * Branches below `least` (part of everything, 0.01) are cut, so are rows beyond `most`. FAILURE  without
 * memory there are fewer rows. */
#ifndef PM_MODEL_PROFILE_VIEW_H
#define PM_MODEL_PROFILE_VIEW_H

#include "postmortem/model/profile.h"

#define PM_PROFILE_CUT   0.01
#define PM_PROFILE_ROWS  100
#define PM_GC_ROWS_SHOWN 200

struct pm_profile_row {
    uint32_t function, depth; /* depth 0 = outermost of the view */
    uint64_t self, total;
};
struct pm_profile_rows {
    struct pm_profile_row *rows;
    size_t count, capacity;
};

/* Each fills `rows` anew. */
void pm_profile_hot_path(const struct pm_profile *profile, struct pm_profile_rows *rows);
/* Callers first; (idle) is left out. */
void pm_profile_top_down(const struct pm_profile *profile, double least, size_t most,
                         struct pm_profile_rows *rows);
/* Functions by their own part; below each its callers, with the part that came through them. */
void pm_profile_bottom_up(const struct pm_profile *profile, double least, size_t most,
                          struct pm_profile_rows *rows);
void pm_profile_rows_deinit(struct pm_profile_rows *rows);

const char *pm_call_kind_word(enum pm_call_kind kind); /* code, root, program, idle, gc, native */

#endif
