#include "v8layout/variants/sizes.h"

#include "postmortem/base/checked.h"

#define LINEAR(base_, scale_, offset_)                                                                       \
    {                                                                                                        \
        .rule = { V8_SIZE_LINEAR, (offset_), (scale_), (base_) }                                             \
    }
#define FIXED(base_)                                                                                         \
    {                                                                                                        \
        .rule = { V8_SIZE_FIXED, 0, 0, (base_) }                                                             \
    }
#define SPECIAL(which, base_)                                                                                \
    {                                                                                                        \
        .rule = { V8_SIZE_SPECIAL, 0, (which), (base_) }                                                     \
    }
/* The same for shapes that came with another type. */
#define LINEAR_SINCE(type_, base_, scale_, offset_)                                                          \
    { .rule = {V8_SIZE_LINEAR, (offset_), (scale_), (base_)}, .needs = (type_) }
#define SPECIAL_SINCE(type_, which, base_)                                                                   \
    { .rule = {V8_SIZE_SPECIAL, 0, (which), (base_)}, .needs = (type_) }

/* u32@12 is the value of the Smi at +8. */
static const struct v8_size_variant words_16[] = {LINEAR(16, 8, 12)};
static const struct v8_size_variant words_24[] = {LINEAR(24, 8, 12)};
static const struct v8_size_variant words_32_or_16[] = {LINEAR_SINCE(V8_T_TRUSTED_FIXED_ARRAY, 32, 8, 12),
                                                        LINEAR(16, 8, 12)}; /* 12.4 and later; before */
static const struct v8_size_variant bytes_16[] = {LINEAR(16, 1, 12)};
static const struct v8_size_variant native_context[] = {
    LINEAR(24, 8, 12)}; /* the microtask queue stands behind the slots */
static const struct v8_size_variant feedback_vector[] = {
    LINEAR_SINCE(V8_T_PROTECTED_WEAK_FIXED_ARRAY, 48, 8, 8), LINEAR_SINCE(V8_T_INSTRUCTION_STREAM, 56, 8, 8),
    LINEAR(48, 8, 8)}; /* 13+; 11-12; before */
static const struct v8_size_variant free_space[] = {
    LINEAR(0, 8, 12), LINEAR(0, 1, 12)}; /* words from Node 24.12 on; bytes before */
static const struct v8_size_variant bytecode_array[] = {
    LINEAR_SINCE(V8_T_TRUSTED_FIXED_ARRAY, 64, 1, 12), LINEAR_SINCE(V8_T_INSTRUCTION_STREAM, 54, 1, 12),
    LINEAR_SINCE(V8_T_CALL_SITE_INFO, 56, 1, 12), LINEAR(54, 1, 12),
    LINEAR(52, 1, 12)}; /* 12+; 11.3; 10.2; 9.4; 11.8 */
static const struct v8_size_variant descriptors[] = {SPECIAL(V8_SIZE_DESCRIPTORS, 24),
                                                     SPECIAL(V8_SIZE_DESCRIPTORS, 32)}; /* to 13.6; 14 */
static const struct v8_size_variant property_array[] = {SPECIAL(V8_SIZE_PROPERTY_ARRAY, 0)};
static const struct v8_size_variant feedback_metadata[] = {
    SPECIAL_SINCE(V8_T_PROTECTED_WEAK_FIXED_ARRAY, V8_SIZE_FEEDBACK_METADATA, 1),
    SPECIAL(V8_SIZE_FEEDBACK_METADATA, 0)}; /* 13+; before */
static const struct v8_size_variant bigint[] = {SPECIAL(V8_SIZE_BIGINT, 0)};
static const struct v8_size_variant preparse_data[] = {SPECIAL(V8_SIZE_PREPARSE_DATA, 0)};
static const struct v8_size_variant code[] = {SPECIAL(V8_SIZE_CODE_BODY, 128),
                                              SPECIAL(V8_SIZE_CODE_BODY, 96)}; /* 10.2; 9.4 */
static const struct v8_size_variant stream[] = {SPECIAL(V8_SIZE_STREAM, 32),
                                                SPECIAL(V8_SIZE_STREAM_BY_CODE, 16)}; /* 12+; 11.3 */
static const struct v8_size_variant small_map[] = {SPECIAL(V8_SIZE_SMALL_HASH_MAP, 0)};
static const struct v8_size_variant small_set[] = {SPECIAL(V8_SIZE_SMALL_HASH_SET, 0)};
static const struct v8_size_variant small_names[] = {SPECIAL(V8_SIZE_SMALL_NAME_DICTIONARY, 0)};
static const struct v8_size_variant swiss[] = {LINEAR_SINCE(V8_NEEDS_X86_64, 40, 18, 12),
                                               LINEAR(32, 18, 12)}; /* group width 16 (SSE2); 8 */
static const struct v8_size_variant hole[] = {FIXED(65544)}; /* 14: holes are unmapped-looking payloads */
static const struct v8_size_variant scope_info[] = {SPECIAL(V8_SIZE_NEXT_MAP, 0)};
static const struct v8_size_variant coverage[] = {LINEAR(16, 16, 8)};
static const struct v8_size_variant match_info[] = {LINEAR(40, 8, 12)};
static const struct v8_size_variant dispatch_table[] = {
    LINEAR_SINCE(V8_T_CONTEXT_CELL, 40, 16, 12), LINEAR_SINCE(V8_T_PROTECTED_WEAK_FIXED_ARRAY, 40, 24, 12),
    LINEAR(16, 24, 12)}; /* 14; 13; 12 */
static const struct v8_size_variant dispatch_imports[] = {LINEAR(24, 16, 8)};
static const struct v8_size_variant wasm_type_info[] = {
    LINEAR_SINCE(V8_T_PROTECTED_WEAK_FIXED_ARRAY, 24, 8, 20),
    LINEAR_SINCE(V8_T_INSTRUCTION_STREAM, 40, 8, 36), LINEAR(16, 8, 12)}; /* 13+; 11-12; before */
static const struct v8_size_variant wasm_array[] = {SPECIAL(V8_SIZE_WASM_ARRAY, 0)};
static const struct v8_size_variant wasm_struct[] = {
    SPECIAL_SINCE(V8_T_TRUSTED_BYTE_ARRAY, V8_SIZE_WASM_STRUCT, 8), SPECIAL(V8_SIZE_WASM_STRUCT, 1)};
static const struct v8_size_variant word32_set[] = {LINEAR(9, 4, 8)};
static const struct v8_size_variant word64_set[] = {LINEAR(16, 8, 8)};
static const struct v8_size_variant struct_elements[] = {LINEAR(40, 24, 20)};
static const struct v8_size_variant wasm_null[] = {FIXED(8)};
/* A type nobody has told us about: what variable-size types usually look like. Tried only where one appears.
 */
static const struct v8_size_variant unknown[] = {
    LINEAR(16, 8, 12),  LINEAR(24, 8, 12), LINEAR(32, 8, 12),  LINEAR(40, 8, 12),           LINEAR(16, 1, 12),
    LINEAR(16, 16, 12), LINEAR(16, 16, 8), LINEAR(16, 24, 12), SPECIAL(V8_SIZE_NEXT_MAP, 0)};

#define LIST(rules)                                                                                          \
    do {                                                                                                     \
        *count_ret = sizeof(rules) / sizeof((rules)[0]);                                                     \
        return (rules);                                                                                      \
    } while (0)

const struct v8_size_variant *v8_size_variants(enum v8_type type, size_t *count_ret) {
    switch (type) {
    case V8_T_FIXED_ARRAY:
    case V8_T_HASH_TABLE:
    case V8_T_EPHEMERON_HASH_TABLE:
    case V8_T_GLOBAL_DICTIONARY:
    case V8_T_NAME_DICTIONARY:
    case V8_T_NUMBER_DICTIONARY:
    case V8_T_ORDERED_HASH_MAP:
    case V8_T_ORDERED_HASH_SET:
    case V8_T_ORDERED_NAME_DICTIONARY:
    case V8_T_SIMPLE_NUMBER_DICTIONARY:
    case V8_T_SIMPLE_NAME_DICTIONARY:
    case V8_T_NAME_TO_INDEX_HASH_TABLE:
    case V8_T_REGISTERED_SYMBOL_TABLE:
    case V8_T_CLOSURE_FEEDBACK_CELL_ARRAY:
    case V8_T_FIXED_DOUBLE_ARRAY:
    case V8_T_AWAIT_CONTEXT:
    case V8_T_BLOCK_CONTEXT:
    case V8_T_CATCH_CONTEXT:
    case V8_T_DEBUG_EVALUATE_CONTEXT:
    case V8_T_EVAL_CONTEXT:
    case V8_T_FUNCTION_CONTEXT:
    case V8_T_MODULE_CONTEXT:
    case V8_T_SCRIPT_CONTEXT:
    case V8_T_WITH_CONTEXT:
    case V8_T_WEAK_FIXED_ARRAY:
    case V8_T_TRANSITION_ARRAY:
    case V8_T_EMBEDDER_DATA_ARRAY:
    case V8_T_EXTERNAL_POINTER_ARRAY:
    case V8_T_PROTECTED_FIXED_ARRAY:
    case V8_T_PROTECTED_WEAK_FIXED_ARRAY:
    case V8_T_TRUSTED_FIXED_ARRAY:
    case V8_T_TRUSTED_WEAK_FIXED_ARRAY:
    case V8_T_CLASS_BOILERPLATE:
    case V8_T_TURBOSHAFT_FLOAT64_SET_TYPE: LIST(words_16);
    case V8_T_OBJECT_BOILERPLATE_DESCRIPTION:
    case V8_T_SCRIPT_CONTEXT_TABLE:
    case V8_T_SLOPPY_ARGUMENTS_ELEMENTS:
    case V8_T_INTERNAL_CLASS_WITH_SMI_ELEMENTS: LIST(words_32_or_16);
    case V8_T_WEAK_ARRAY_LIST:
    case V8_T_ARRAY_LIST: LIST(words_24);
    case V8_T_BYTE_ARRAY:
    case V8_T_TRUSTED_BYTE_ARRAY: LIST(bytes_16);
    case V8_T_NATIVE_CONTEXT: LIST(native_context);
    case V8_T_FEEDBACK_VECTOR: LIST(feedback_vector);
    case V8_T_FREE_SPACE: LIST(free_space);
    case V8_T_BYTECODE_ARRAY: LIST(bytecode_array);
    case V8_T_DESCRIPTOR_ARRAY:
    case V8_T_STRONG_DESCRIPTOR_ARRAY: LIST(descriptors);
    case V8_T_PROPERTY_ARRAY: LIST(property_array);
    case V8_T_FEEDBACK_METADATA: LIST(feedback_metadata);
    case V8_T_BIG_INT_BASE: LIST(bigint);
    case V8_T_PREPARSE_DATA: LIST(preparse_data);
    case V8_T_CODE: LIST(code);
    case V8_T_INSTRUCTION_STREAM: LIST(stream);
    case V8_T_SMALL_ORDERED_HASH_MAP: LIST(small_map);
    case V8_T_SMALL_ORDERED_HASH_SET: LIST(small_set);
    case V8_T_SMALL_ORDERED_NAME_DICTIONARY: LIST(small_names);
    case V8_T_SWISS_NAME_DICTIONARY: LIST(swiss);
    case V8_T_HOLE: LIST(hole);
    case V8_T_SCOPE_INFO: LIST(scope_info);
    case V8_T_COVERAGE_INFO:
    case V8_T_DOUBLE_STRING_CACHE: LIST(coverage);
    case V8_T_REG_EXP_MATCH_INFO: LIST(match_info);
    case V8_T_WASM_DISPATCH_TABLE: LIST(dispatch_table);
    case V8_T_WASM_DISPATCH_TABLE_FOR_IMPORTS: LIST(dispatch_imports);
    case V8_T_WASM_TYPE_INFO: LIST(wasm_type_info);
    case V8_T_WASM_ARRAY: LIST(wasm_array);
    case V8_T_WASM_STRUCT: LIST(wasm_struct);
    case V8_T_WASM_NULL: LIST(wasm_null);
    case V8_T_TURBOSHAFT_WORD32_SET_TYPE: LIST(word32_set);
    case V8_T_TURBOSHAFT_WORD64_SET_TYPE: LIST(word64_set);
    case V8_T_INTERNAL_CLASS_WITH_STRUCT_ELEMENTS: LIST(struct_elements);
    default: LIST(unknown);
    }
}

static uint64_t positive(const uint8_t *bytes) {
    int32_t value = (int32_t)pm_load_u32(bytes);
    return value > 0 ? (uint64_t)value : 0;
}

static uint64_t next_map(const struct v8 *v8, const uint8_t *bytes, uint64_t available) {
    for (uint64_t at = 8; at + 8 <= available; at += 8)
        if (v8_is_map_word(v8, pm_load_u64(bytes + at))) return at;
    return available;
}

static uint64_t special_size(const struct v8 *v8, const struct v8_map *map, const struct v8_size_rule *rule,
                             const uint8_t *bytes, uint64_t available) {
    uint64_t alignment = v8->layout.code_alignment ? v8->layout.code_alignment : 64;
    if (available < 16) return 0;
    switch ((enum v8_special_size)rule->scale) {
    case V8_SIZE_DESCRIPTORS: {
        int16_t count = (int16_t)pm_load_u16(bytes + 8);
        return count < 0 ? 0 : rule->base + 24 * (uint64_t)count;
    }
    case V8_SIZE_PROPERTY_ARRAY: return 16 + 8 * (uint64_t)(pm_load_u32(bytes + 12) & 0x3ff);
    case V8_SIZE_FEEDBACK_METADATA:
        return pm_align_up(
            16 + 4 * ((positive(bytes + 8) + 5) / 6) + (rule->base ? 2 * positive(bytes + 12) : 0), 8);
    case V8_SIZE_BIGINT: return 16 + 8 * (uint64_t)(pm_load_u32(bytes + 8) >> 1);
    case V8_SIZE_PREPARSE_DATA: return pm_align_up(16 + positive(bytes + 8), 8) + 8 * positive(bytes + 12);
    case V8_SIZE_CODE_BODY:
        return available < 48
                   ? 0
                   : pm_align_up(rule->base + positive(bytes + 40) + positive(bytes + 44), alignment);
    case V8_SIZE_STREAM_BY_CODE: {
        uint64_t owner = pm_load_u64(bytes + 8);
        const uint8_t *sizes = v8_is_strong(owner) ? pm_mem_view(v8->mem, v8_untag(owner) + 56, 8) : NULL;
        return sizes ? pm_align_up(rule->base + positive(sizes) + positive(sizes + 4), alignment) : 0;
    }
    case V8_SIZE_STREAM:
        return available < 32 ? 0 : pm_align_up(rule->base + positive(bytes + 24), alignment);
    case V8_SIZE_SMALL_HASH_MAP: return pm_align_up(16 + 35 * (uint64_t)bytes[10], 8);
    case V8_SIZE_SMALL_HASH_SET: return pm_align_up(16 + 19 * (uint64_t)bytes[10], 8);
    case V8_SIZE_SMALL_NAME_DICTIONARY:
        return available < 24 ? 0 : pm_align_up(24 + 51 * (uint64_t)bytes[18], 8);
    case V8_SIZE_WASM_ARRAY: /* element size in the map's second byte; length u32 @16 */
        return available < 24
                   ? 0
                   : pm_align_up(24 + (uint64_t)map->inobject_start_words * pm_load_u32(bytes + 16), 8);
    case V8_SIZE_WASM_STRUCT: { /* size in u16 @9 of the map, in words or bytes */
        const uint8_t *size = pm_mem_view(v8->mem, map->address + 9, 2);
        return size ? pm_align_up((uint64_t)pm_load_u16(size) * rule->base, 8) : 0;
    }
    case V8_SIZE_NEXT_MAP: return next_map(v8, bytes, available);
    }
    return 0;
}

uint64_t v8_object_size(const struct v8 *v8, const struct v8_map *map, const struct v8_size_rule *rule,
                        const uint8_t *bytes, uint64_t available) {
    if (map->fixed_size) return map->fixed_size;
    switch ((enum v8_size_kind)rule->kind) {
    case V8_SIZE_FIXED: return rule->base;
    case V8_SIZE_LINEAR:
        if (available < (uint64_t)rule->offset + 4) return 0;
        return pm_align_up(rule->base + (uint64_t)rule->scale * pm_load_u32(bytes + rule->offset), 8);
    case V8_SIZE_SPECIAL: return special_size(v8, map, rule, bytes, available);
    case V8_SIZE_NONE: break;
    }
    return 0;
}
