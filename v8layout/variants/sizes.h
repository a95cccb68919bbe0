/* sizes.h - how long an object is, when its map does not say (instance_size_in_words == 0).
 *
 * Each type has the few shapes that ever existed, newest first. Which one holds is decided on the objects of
 * this core (discover.c): behind an object of the right size stands another map. TO ADD a shape: a line in
 * its list, with the V8 versions. The truth is HeapObject::SizeFromMap (src/objects/objects-inl.h). */
#ifndef PM_V8LAYOUT_VARIANTS_SIZES_H
#define PM_V8LAYOUT_VARIANTS_SIZES_H

#include "v8layout/heap.h"

/* Kinds of V8_SIZE_SPECIAL, in v8_size_rule.scale. */
enum v8_special_size {
    V8_SIZE_DESCRIPTORS,       /* base + 24 * i16@8 */
    V8_SIZE_PROPERTY_ARRAY,    /* 16 + 8 * (u32@12 & 0x3ff) */
    V8_SIZE_FEEDBACK_METADATA, /* 16 + 4 * ceil(i32@8 / 6) [+ 2 * i32@12 when base is 1] */
    V8_SIZE_BIGINT,            /* 16 + 8 * (u32@8 >> 1) */
    V8_SIZE_PREPARSE_DATA,     /* align8(16 + i32@8) + 8 * i32@12 */
    V8_SIZE_CODE_BODY,         /* align(base + i32@40 + i32@44): instructions inside Code, V8 9.4 and 10.2 */
    V8_SIZE_STREAM_BY_CODE,    /* align(base + the Code's instruction and metadata sizes), V8 11.3 */
    V8_SIZE_STREAM,            /* align(base + i32@24), V8 12 and later */
    V8_SIZE_SMALL_HASH_MAP,
    V8_SIZE_SMALL_HASH_SET,
    V8_SIZE_SMALL_NAME_DICTIONARY,
    V8_SIZE_WASM_ARRAY,
    V8_SIZE_WASM_STRUCT,
    V8_SIZE_NEXT_MAP, /* up to the next word that is a map: objects whose body holds no map (ScopeInfo) */
};

/* One shape. `needs` breaks ties where no object of this core tells two shapes apart: a type that exists
 * since about the same V8 version (0 = any core), or V8_NEEDS_X86_64. It is never asked where objects give
 * the answer. */
struct v8_size_variant {
    struct v8_size_rule rule;
    uint16_t needs;
};
#define V8_NEEDS_X86_64 V8_TYPE_COUNT

/* The shapes of a type; count 0 = this type always has its size in the map (or is not known). */
const struct v8_size_variant *v8_size_variants(enum v8_type type, size_t *count_ret);

/* Bytes of the object whose first `available` bytes are at `bytes`; 0 = cannot be sized. The result may
 * exceed `available`. */
uint64_t v8_object_size(const struct v8 *v8, const struct v8_map *map, const struct v8_size_rule *rule,
                        const uint8_t *bytes, uint64_t available);

/* Is this word the tagged address of a map? (Of any page of this process.) */
bool v8_is_map_word(const struct v8 *v8, v8_word word);

#endif
