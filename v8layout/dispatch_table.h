/* dispatch_table.h - the table between functions and their code. Internal to v8layout.
 *
 * With leaptiering (V8 13.6 and later) a JSFunction has no pointer to its Code, but a handle: the index << 8
 * of an entry of a table outside the heap,
 *
 *   base + 16 * index:  entrypoint (raw)  |  Code << 16 | parameter count;  bit 16 is a mark of the collector
 *
 * base is a word of the Isolate. Truth: src/sandbox/js-dispatch-table.h; checked on V8 13.6 to 14.6. */
#ifndef PM_V8LAYOUT_DISPATCH_TABLE_H
#define PM_V8LAYOUT_DISPATCH_TABLE_H

#include "v8layout/heap.h"

/* Sets dispatch_table of every isolate in which functions have handles and their entries lead to Code. */
struct pm_error *v8_find_dispatch_tables(struct v8 *v8);
/* The Code of a handle, tagged; 0 = the table was not found or not saved, or the entry is free. */
v8_word v8_dispatch_code(const struct v8 *v8, uint32_t isolate, uint32_t handle);

#endif
