/* discover.h - finds the layout of the heap in this core: chunks, heaps and isolates, roots, spaces, pages,
 * allocation areas, size rules. Fields of objects are fields.c's. Internal to v8layout. */
#ifndef PM_V8LAYOUT_DISCOVER_H
#define PM_V8LAYOUT_DISCOVER_H

#include "v8layout/heap.h"

/* Fills layout (but fields.def), isolates, pages, meta_map. LAYOUT errors name the step that found nothing.
 */
struct pm_error *v8_discover(struct v8 *v8);

/* After a walk that left gaps: learns the size rules again from the given pages. true = a rule changed, walk
 * again. */
bool v8_relearn_sizes(struct v8 *v8, const uint32_t *pages, size_t count);

#endif
