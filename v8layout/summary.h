/* summary.h - heap facts of the whole process for a diagnosis: spaces, histogram, external memory, limits,
 * where the layout came from. */
#ifndef PM_V8LAYOUT_SUMMARY_H
#define PM_V8LAYOUT_SUMMARY_H

#include "postmortem/model/diagnosis.h"
#include "v8layout/heap.h"

/* Called now and then during the walk; may be NULL. */
typedef void v8_progress(void *context, uint64_t done_pages, uint64_t all_pages);

/* Fills diagnosis->isolates. spaces_only reads page headers and no objects (object counts and external bytes
 * stay unknown). */
struct pm_error *v8_summarize(struct v8 *v8, bool spaces_only, v8_progress *progress, void *context,
                              struct pm_diagnosis *diagnosis);
/* Fills diagnosis->layout and layout_score. */
struct pm_error *v8_explain(const struct v8 *v8, struct pm_diagnosis *diagnosis);

#endif
