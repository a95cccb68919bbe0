/* references.h - which words of an object are references. Internal to v8layout.
 *
 * Most objects are references from their second word to their end, mixed with raw words (lengths, flags,
 * external pointers). A raw word never passes for a reference to an object: the tag bits must be 01 and an
 * object must begin at exactly that address (graph.c asks its bitmap). So only the types with arbitrary data
 * in them need to be known: strings, byte and double arrays, bytecode, machine code, BigInts. Weak references
 * have tag bits 11, except in the few types that keep weak references without the tag ("custom weak":
 * JSWeakRef, WeakCell, ephemeron tables). Truth: HeapObject::Iterate and the BodyDescriptors,
 * src/objects/objects-body-descriptors-inl.h; checked on V8 9.4 to 14.6. */
#ifndef PM_V8LAYOUT_REFERENCES_H
#define PM_V8LAYOUT_REFERENCES_H

#include "v8layout/heap.h"

struct v8_reference_range {
    uint32_t start, end;           /* byte offsets; the map word at 0 is not in it */
    uint32_t weak_start, weak_end; /* inside it: custom weak slots; empty when equal */
    bool ephemerons;               /* from `end` on: (key, value) pairs up to the object's end */
};

struct v8_reference_range v8_reference_range(const struct v8_layout *layout, const struct v8_map *map,
                                             uint64_t size);

#endif
