/* fields.h - finds where the fields of objects are (fields.def) and which forms they have. Internal to
 * v8layout. */
#ifndef PM_V8LAYOUT_FIELDS_H
#define PM_V8LAYOUT_FIELDS_H

#include "v8layout/heap.h"

/* Fills fields.def and the forms at the end of struct v8_layout; the heap is known and can be walked. Adds a
 * check "fields". A field nobody could find stays absent, that is no error. */
struct pm_error *v8_discover_fields(struct v8 *v8);

#endif
