/* validate.h - does this layout fit this core? A score with reasons; below the threshold the heap is refused.
 * Internal. */
#ifndef PM_V8LAYOUT_VALIDATE_H
#define PM_V8LAYOUT_VALIDATE_H

#include "v8layout/heap.h"

struct pm_error *v8_validate(struct v8 *v8);

#endif
