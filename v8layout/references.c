#include "v8layout/references.h"

static struct v8_reference_range range(uint64_t start, uint64_t end) {
    if (end < start) end = start;
    return (struct v8_reference_range){.start = (uint32_t)start, .end = (uint32_t)end};
}

static struct v8_reference_range weak(uint64_t size, struct v8_field field, unsigned words) {
    struct v8_reference_range result = range(8, size);
    if (field.present && field.offset + 8u * words <= size) {
        result.weak_start = field.offset;
        result.weak_end = field.offset + 8 * words;
    }
    return result;
}

static struct v8_reference_range of_string(const struct v8_map *map, uint64_t size) {
    switch (map->instance_type & V8_STRING_SHAPE_MASK) {
    case V8_STRING_CONS:
    case V8_STRING_SLICED:
    case V8_STRING_THIN: return range(16, size);
    default: return range(8, 8);
    }
}

struct v8_reference_range v8_reference_range(const struct v8_layout *layout, const struct v8_map *map,
                                             uint64_t size) {
    if (size > UINT32_MAX) size = UINT32_MAX & ~7u; /* no object with references is that large */
    switch (map->type) {
    case V8_T_STRING: return of_string(map, size);
    case V8_T_BYTE_ARRAY:
    case V8_T_TRUSTED_BYTE_ARRAY:
    case V8_T_FIXED_DOUBLE_ARRAY:
    case V8_T_EXTERNAL_POINTER_ARRAY:
    case V8_T_BIG_INT_BASE:
    case V8_T_HEAP_NUMBER:
    case V8_T_FOREIGN:
    case V8_T_TRUSTED_FOREIGN:
    case V8_T_FEEDBACK_METADATA:
    case V8_T_FREE_SPACE:
    case V8_T_FILLER:
    case V8_T_HOLE:
    case V8_T_COVERAGE_INFO:
    case V8_T_WASM_NULL: return range(8, 8);
    case V8_T_PREPARSE_DATA:
        return range(16, size); /* children behind the bytes; bytes are no object starts */
    case V8_T_BYTECODE_ARRAY:
        return range(8, layout->bytecode_data.present ? layout->bytecode_data.offset & ~7u : 48);
    case V8_T_INSTRUCTION_STREAM: return range(8, size < 32 ? size : 32);
    case V8_T_CODE: return range(8, size < 64 ? size : 64); /* with instructions inside up to V8 10 */
    case V8_T_CODE_DATA_CONTAINER: /* next_code_link: the list of optimised code is weak (src/objects/code.h)
                                    */
        return weak(size, (struct v8_field){8, true, V8_VARIANT}, 1);
    case V8_T_WEAK_CELL: return weak(size, layout->weak_cell_target, 2); /* target and unregister token */
    case V8_T_JS_WEAK_REF: return weak(size, layout->weakref_target, 1);
    case V8_T_ALLOCATION_SITE: /* the last word of the larger ones links all sites (weak_next) */
        return range(8, size < 40 ? size : 40);
    case V8_T_EPHEMERON_HASH_TABLE: {
        struct v8_reference_range result = range(8, size < 40 ? size : 40);
        result.ephemerons = true;
        return result;
    }
    default: return range(8, size);
    }
}
