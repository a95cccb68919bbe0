/* blob.h - where V8's builtins are in a process whose binary has no symbols for them (strip takes them away
 * from Node 23 on). Every isolate says where the copy of the builtins is that it calls
 * (src/execution/isolate.h: embedded_blob_code_, embedded_blob_code_size_, and the same of the data); the
 * binary has the first copy. */
#ifndef PM_V8LAYOUT_BLOB_H
#define PM_V8LAYOUT_BLOB_H

#include "v8layout/heap.h"

/* The offsets of the two fields in the Isolate, by their content; false = not found. */
bool v8_blob_find_fields(const struct v8 *v8, uint32_t *code_ret, uint32_t *size_ret);

/* The address in the binary's own mapping of what stands at `copy`; 0 = not known. */
pm_addr v8_blob_in_file(const struct v8 *v8, pm_addr copy, uint64_t size);

#endif
