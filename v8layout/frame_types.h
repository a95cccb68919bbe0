/* frame_types.h - what the marker in a V8 frame means in this V8.
 *
 * A frame that is not a JavaScript function's has (type << 1) at fp - 8, where a function's frame has its
 * Context (a tagged pointer, odd). The numbers are renumbered between versions, so they come from
 * v8dbg_frametype_*; without those from one of the variants that were seen (V8's STACK_FRAME_TYPE_LIST in
 * src/execution/frames.h), the one that fits the frames of this core. */
#ifndef PM_V8LAYOUT_FRAME_TYPES_H
#define PM_V8LAYOUT_FRAME_TYPES_H

#include "v8layout/facts.h"

enum v8_frame_type {
    V8_FT_NONE, /* not a marker, or a number without a meaning here */
#define V8_FRAME_TYPE(id, name) V8_FT_##id,
#include "v8layout/frame_types.def"
#undef V8_FRAME_TYPE
    V8_FT_COUNT
};

#define V8_MAX_FRAME_TYPE 64 /* V8 14.6 has 34 */

struct v8_frame_types {
    uint8_t type_of[V8_MAX_FRAME_TYPE]; /* number -> enum v8_frame_type */
    uint8_t published;                  /* how many numbers the binary says */
    enum v8_origin origin;
    const char *variant; /* the V8 versions of the variant, NULL = published */
};

const char *v8_frame_type_name(enum v8_frame_type type);
/* From the binary; without a fact origin stays V8_MISSING. facts may be NULL. */
void v8_frame_types_published(struct v8_frame_types *types, const struct v8_facts *facts);
/* The variants: index 0.. until false. */
bool v8_frame_types_variant(struct v8_frame_types *types, size_t index);

/* The type behind the word at fp - 8; V8_FT_NONE when it is no marker. */
static inline enum v8_frame_type v8_frame_type_of_marker(const struct v8_frame_types *types, uint64_t word) {
    return (word & 1) || (word >> 1) >= V8_MAX_FRAME_TYPE ? V8_FT_NONE
                                                          : (enum v8_frame_type)types->type_of[word >> 1];
}

#endif
