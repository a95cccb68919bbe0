/* js_frames.h - every thread's stack: native frames by CFI and V8 frames by frame pointer, woven together.
 *
 * OWNERSHIP  frames and texts go to the diagnosis' arena. v8 == NULL: native frames only.
 * FAILURE    a stack that cannot be walked to its end says why in pm_thread.incomplete. */
#ifndef PM_V8LAYOUT_JS_FRAMES_H
#define PM_V8LAYOUT_JS_FRAMES_H

#include "parsers/unwind.h"
#include "postmortem/model/diagnosis.h"
#include "v8layout/objects.h"

/* Fills diagnosis->threads (frames, role, isolate, state). */
struct pm_error *v8_collect_stacks(const struct v8 *v8, const struct pm_core *core,
                                   const struct pm_modules *modules, struct pm_unwinder *unwinder,
                                   struct pm_diagnosis *diagnosis);

/* Appends to diagnosis->layout what the walk relies on: frame types, builtins, translations ... and where
 * each comes from. */
struct pm_error *v8_frames_explain(const struct v8 *v8, struct pm_diagnosis *diagnosis);

#endif
