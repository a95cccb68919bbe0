/* accumulation.h - where the memory piles up: the points of the dominator tree at which a large part of the
 * heap falls apart into many small ones. */
#ifndef PM_DETECT_ACCUMULATION_H
#define PM_DETECT_ACCUMULATION_H

#include "postmortem/detect/heap_view.h"
#include "postmortem/model/diagnosis.h"

/* Appends a finding for each accumulation point that keeps at least a tenth of the heap, largest first; or
 * one that says that nothing stands out. */
struct pm_error *pm_detect_accumulation(struct pm_diagnosis *diagnosis, const struct pm_heap_view *view);

#endif
