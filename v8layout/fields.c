#include "v8layout/fields.h"

#include "postmortem/base/checked.h"
#include "v8layout/object_access.h"
#include "v8layout/objects.h"
#include "v8layout/position_table.h"
#include "v8layout/variants/scope_info.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* fields.c - where each field of each kind of object is, without asking for a version.
 *
 * For a field there are up to three witnesses:
 *   published   v8dbg_class_<Class>__<field>__... in the binary, if there
 *   seen        the offsets this field had in the V8 versions we looked into (the six columns of the table
 * below: V8 9.4, 10.2, 11.3, 12.4, 13.6, 14.6; 0 = no such field) the slots   what real objects of this core
 * hold at an offset: a JSFunction's `shared` is the slot with a SharedFunctionInfo
 *
 * Objects decide: some hundred of each kind are taken from pages all over the heap, and an offset that they
 * contradict is not used, whoever published it. What they confirm is PUBLISHED, if it was, else DISCOVERED.
 * What they cannot tell (a raw number, or a kind of object this heap has none of) follows the column that
 * agrees best with the decided fields, those of the same kind of object first: VARIANT. If objects contradict
 * all known offsets, the one slot that fits is taken.
 *
 * Offsets were read in src/objects/ *.tq and *.h and checked in cores of the versions above.
 * TO ADD a version: a column is not needed as long as its offsets stand in some column; else add the new one
 * to COLUMNS. */

enum { COLUMNS = 6, SAMPLES = 300, SAMPLES_PER_PAGE = 40, WALK_OBJECTS = 600000 };

/* ---- kinds of objects ---- */

enum kind {
    K_NONE,
    K_MAP,
    K_OBJECT,
    K_ARRAY,
    K_FIXED_ARRAY,
    K_PROPERTY_ARRAY,
    K_DESCRIPTORS,
    K_FUNCTION,
    K_SHARED,
    K_SCRIPT,
    K_UNCOMPILED,
    K_BYTECODE,
    K_INTERPRETER_DATA,
    K_CODE,
    K_STREAM,
    K_CONTEXT,
    K_CONTEXT_CELL,
    K_SEQ,
    K_CONS,
    K_SLICED,
    K_THIN,
    K_EXTERNAL,
    K_SYMBOL,
    K_NUMBER,
    K_ODDBALL,
    K_CELL,
    K_PROPERTY_CELL,
    K_FEEDBACK_CELL,
    K_COLLECTION,
    K_WEAK_COLLECTION,
    K_PROMISE,
    K_REACTION,
    K_GENERATOR,
    K_ASYNC_FUNCTION,
    K_ASYNC_GENERATOR,
    K_PROXY,
    K_BOUND,
    K_WEAK_REF,
    K_WEAK_CELL,
    K_DATE,
    K_REGEXP,
    K_WRAPPER,
    K_BUFFER,
    K_VIEW,
    K_TEMPLATE,
    K_FOREIGN,
    K_SCOPE_INFO,
    K_NAME_DICTIONARY,
    K_ORDERED,
    K_COUNT
};

static enum kind kind_of_type(enum v8_type type) {
    switch (type) {
    case V8_T_JS_ARRAY: return K_ARRAY;
    case V8_T_FIXED_ARRAY: return K_FIXED_ARRAY;
    case V8_T_PROPERTY_ARRAY: return K_PROPERTY_ARRAY;
    case V8_T_DESCRIPTOR_ARRAY:
    case V8_T_STRONG_DESCRIPTOR_ARRAY: return K_DESCRIPTORS;
    case V8_T_SHARED_FUNCTION_INFO: return K_SHARED;
    case V8_T_SCRIPT: return K_SCRIPT;
    case V8_T_UNCOMPILED_DATA_WITH_PREPARSE_DATA:
    case V8_T_UNCOMPILED_DATA_WITHOUT_PREPARSE_DATA: return K_UNCOMPILED;
    case V8_T_BYTECODE_ARRAY: return K_BYTECODE;
    case V8_T_INTERPRETER_DATA: return K_INTERPRETER_DATA;
    case V8_T_CODE: return K_CODE;
    case V8_T_INSTRUCTION_STREAM: return K_STREAM;
    case V8_T_CONTEXT_CELL: return K_CONTEXT_CELL;
    case V8_T_SYMBOL: return K_SYMBOL;
    case V8_T_HEAP_NUMBER: return K_NUMBER;
    case V8_T_ODDBALL: return K_ODDBALL;
    case V8_T_CELL: return K_CELL;
    case V8_T_PROPERTY_CELL: return K_PROPERTY_CELL;
    case V8_T_FEEDBACK_CELL: return K_FEEDBACK_CELL;
    case V8_T_JS_MAP:
    case V8_T_JS_SET: return K_COLLECTION;
    case V8_T_JS_WEAK_MAP:
    case V8_T_JS_WEAK_SET: return K_WEAK_COLLECTION;
    case V8_T_JS_PROMISE: return K_PROMISE;
    case V8_T_PROMISE_REACTION: return K_REACTION;
    case V8_T_JS_GENERATOR_OBJECT: return K_GENERATOR;
    case V8_T_JS_ASYNC_FUNCTION_OBJECT: return K_ASYNC_FUNCTION;
    case V8_T_JS_ASYNC_GENERATOR_OBJECT: return K_ASYNC_GENERATOR;
    case V8_T_JS_PROXY: return K_PROXY;
    case V8_T_JS_BOUND_FUNCTION: return K_BOUND;
    case V8_T_JS_WEAK_REF: return K_WEAK_REF;
    case V8_T_WEAK_CELL: return K_WEAK_CELL;
    case V8_T_JS_DATE: return K_DATE;
    case V8_T_JS_REG_EXP: return K_REGEXP;
    case V8_T_JS_PRIMITIVE_WRAPPER: return K_WRAPPER;
    case V8_T_JS_ARRAY_BUFFER: return K_BUFFER;
    case V8_T_JS_TYPED_ARRAY: return K_VIEW;
    case V8_T_FUNCTION_TEMPLATE_INFO: return K_TEMPLATE;
    case V8_T_FOREIGN: return K_FOREIGN;
    case V8_T_SCOPE_INFO: return K_SCOPE_INFO;
    case V8_T_NAME_DICTIONARY: return K_NAME_DICTIONARY;
    case V8_T_ORDERED_HASH_MAP:
    case V8_T_ORDERED_HASH_SET: return K_ORDERED;
    default:
        if (v8_is_function_type(type)) return K_FUNCTION;
        return v8_is_context_type(type) && type != V8_T_NATIVE_CONTEXT ? K_CONTEXT : K_NONE;
    }
}

static enum kind kind_of_string(const struct v8_map *map) {
    switch (map->instance_type & V8_STRING_SHAPE_MASK) {
    case V8_STRING_SEQ: return K_SEQ;
    case V8_STRING_CONS: return K_CONS;
    case V8_STRING_SLICED: return K_SLICED;
    case V8_STRING_THIN: return K_THIN;
    case V8_STRING_EXTERNAL: return map->instance_type & V8_STRING_UNCACHED ? K_NONE : K_EXTERNAL;
    default: return K_NONE;
    }
}

/* ---- what a word is ---- */

enum {
    IS_SMI = 1 << 0,     /* any Smi */
    IS_ZERO = 1 << 1,    /* Smi 0 */
    IS_ODDBALL = 1 << 2, /* undefined, null, true, false, a hole */
    IS_STRING = 1 << 3,
    IS_SYMBOL = 1 << 4,
    IS_RECEIVER = 1 << 5,
    IS_CALLABLE = 1 << 6, /* functions, bound functions, proxies of functions */
    IS_CONTEXT = 1 << 7,
    IS_OTHER = 1 << 8, /* another object; its type decides */
    IS_RAW = 1 << 9,   /* neither Smi nor object */
    IS_NAME = IS_STRING | IS_SYMBOL,
    IS_ANY = (1 << 9) - 1,
};

struct sample {
    pm_addr address;
    uint64_t size;
    const struct v8_map *map;
};

struct finder {
    struct v8 *v8;
    struct v8_walker *walker;
    struct sample samples[K_COUNT][SAMPLES];
    uint16_t count[K_COUNT], from_page[K_COUNT];
    uint64_t walked;
    unsigned votes[COLUMNS];               /* of all decided fields */
    unsigned kind_votes[K_COUNT][COLUMNS]; /* of those of one kind */
    unsigned overruled;                    /* published offsets that objects contradict */
    char overruled_name[48];
};

static unsigned classify(const struct v8 *v8, v8_word word, enum v8_type *type_ret) {
    *type_ret = V8_T_OTHER;
    if (v8_is_smi(word)) return IS_SMI | (word == 0 ? IS_ZERO : 0);
    const struct v8_map *map = v8_map(v8, v8_target(v8, word));
    if (!map) return IS_RAW;
    *type_ret = (enum v8_type)map->type;
    if (v8_is_string(map)) return IS_STRING;
    if (v8_is_receiver(v8, map)) return IS_RECEIVER | (map->bit_field & V8_MAP_IS_CALLABLE ? IS_CALLABLE : 0);
    if (map->type == V8_T_SYMBOL) return IS_SYMBOL;
    if (map->type == V8_T_ODDBALL || map->type == V8_T_HOLE) return IS_ODDBALL;
    return v8_is_context_type((enum v8_type)map->type) ? IS_CONTEXT | IS_OTHER : IS_OTHER;
}

/* ---- the table ---- */

enum field_id {
#define V8_FIELD(id, type, class_name, field_names, what) F_##id,
#include "v8layout/fields.def"
#undef V8_FIELD
    F_COUNT
};

static const struct {
    const char *name, *class_name, *field_names;
    size_t at; /* in struct v8_layout */
} fields[F_COUNT] = {
#define V8_FIELD(id, type, class_name, field_names, what)                                                    \
    [F_##id] = {#id, class_name, field_names, offsetof(struct v8_layout, id)},
#include "v8layout/fields.def"
#undef V8_FIELD
};

enum verdict { NO, UNSURE, YES };
typedef enum verdict check_field(struct finder *f, const struct sample *sample, uint32_t offset);

static check_field map_bits, map_start, array_length, array_data, property_array_length, descriptor_header,
    dispatch_handle, prototype_slot, line_end, position_pair, bytecode_header, position_table, frame_size,
    instruction_start, small_number, string_length, first_unit, external_data, oddball_text, class_name,
    buffer_length, buffer_store, view_length, own_buffer, typed_base;

struct rule {
    enum kind kind;
    unsigned yes;          /* IS_* that confirm the field */
    unsigned unsure;       /* IS_* that neither confirm nor contradict; everything else contradicts */
    uint16_t types[6];     /* enum v8_type that confirm it; ends with 0 */
    check_field *check;    /* instead of these */
    uint8_t seen[COLUMNS]; /* offsets in V8 9.4, 10.2, 11.3, 12.4, 13.6, 14.6 */
};

#define SEEN(a)                                                                                              \
    { a, a, a, a, a, a }
#define ARRAYS V8_T_FIXED_ARRAY
#define BYTES  V8_T_BYTE_ARRAY, V8_T_TRUSTED_BYTE_ARRAY

static const struct rule rules[F_COUNT] = {
    [F_map_prototype] = {K_MAP, IS_RECEIVER, IS_ODDBALL, .seen = SEEN(24)},
    [F_map_constructor] =
        {K_MAP, IS_CALLABLE, IS_ANY, {V8_T_MAP, V8_T_FUNCTION_TEMPLATE_INFO}, .seen = SEEN(32)},
    [F_map_descriptors] =
        {K_MAP, 0, 0, {V8_T_DESCRIPTOR_ARRAY, V8_T_STRONG_DESCRIPTOR_ARRAY}, .seen = SEEN(40)},
    [F_map_transitions] =
        {K_MAP, 0, IS_ANY | IS_RAW, {V8_T_TRANSITION_ARRAY, V8_T_PROTOTYPE_INFO}, .seen = SEEN(64)},
    [F_map_bit_field] = {K_MAP, .seen = SEEN(14)},
    [F_map_bit_field2] = {K_MAP, .seen = SEEN(15)},
    [F_map_bit_field3] = {K_MAP, .check = map_bits, .seen = SEEN(16)},
    [F_map_inobject_start] = {K_MAP, .check = map_start, .seen = SEEN(9)},
    [F_js_properties] = {K_OBJECT,
                         0,
                         IS_SMI,
                         {V8_T_PROPERTY_ARRAY, V8_T_FIXED_ARRAY, V8_T_NAME_DICTIONARY, V8_T_GLOBAL_DICTIONARY,
                          V8_T_SWISS_NAME_DICTIONARY},
                         .seen = SEEN(8)},
    [F_js_elements] = {K_OBJECT,
                       0,
                       0,
                       {V8_T_FIXED_ARRAY, V8_T_FIXED_DOUBLE_ARRAY, V8_T_NUMBER_DICTIONARY,
                        V8_T_SLOPPY_ARGUMENTS_ELEMENTS, V8_T_BYTE_ARRAY},
                       .seen = SEEN(16)},
    [F_js_array_length] = {K_ARRAY, IS_SMI, 0, {V8_T_HEAP_NUMBER}, .seen = SEEN(24)},
    [F_array_length] = {K_FIXED_ARRAY, .check = array_length, .seen = SEEN(8)},
    [F_array_data] = {K_FIXED_ARRAY, .check = array_data, .seen = SEEN(16)},
    [F_property_array_length] = {K_PROPERTY_ARRAY, .check = property_array_length, .seen = SEEN(8)},
    [F_descriptor_header] = {K_DESCRIPTORS, .check = descriptor_header, .seen = {24, 24, 24, 24, 24, 32}},
    [F_function_shared] = {K_FUNCTION, 0, 0, {V8_T_SHARED_FUNCTION_INFO}, .seen = {24, 24, 24, 32, 32, 32}},
    [F_function_context] = {K_FUNCTION, IS_CONTEXT, 0, .seen = {32, 32, 32, 40, 40, 40}},
    [F_function_feedback_cell] = {K_FUNCTION, 0, 0, {V8_T_FEEDBACK_CELL}, .seen = {40, 40, 40, 48, 48, 48}},
    [F_function_code] =
        {K_FUNCTION, 0, 0, {V8_T_CODE, V8_T_CODE_DATA_CONTAINER}, .seen = {48, 48, 48, 24, 0, 0}},
    [F_function_dispatch_handle] = {K_FUNCTION, .check = dispatch_handle, .seen = {0, 0, 0, 0, 24, 24}},
    [F_function_prototype_or_map] = {K_FUNCTION, .check = prototype_slot, .seen = SEEN(56)},
    [F_shared_function_data] = {K_SHARED,
                                0,
                                IS_SMI | IS_ODDBALL | IS_OTHER,
                                {V8_T_BYTECODE_ARRAY, V8_T_CODE, V8_T_UNCOMPILED_DATA_WITHOUT_PREPARSE_DATA,
                                 V8_T_UNCOMPILED_DATA_WITH_PREPARSE_DATA, V8_T_BASELINE_DATA},
                                .seen = SEEN(8)},
    [F_shared_untrusted_data] = {K_SHARED,
                                 IS_SMI,
                                 IS_ODDBALL,
                                 {V8_T_UNCOMPILED_DATA_WITHOUT_PREPARSE_DATA,
                                  V8_T_UNCOMPILED_DATA_WITH_PREPARSE_DATA, V8_T_FUNCTION_TEMPLATE_INFO,
                                  V8_T_WASM_EXPORTED_FUNCTION_DATA},
                                 .seen = {0, 0, 0, 0, 16, 16}},
    [F_shared_name_or_scope_info] =
        {K_SHARED, IS_STRING, IS_ZERO, {V8_T_SCOPE_INFO}, .seen = {16, 16, 16, 16, 24, 24}},
    [F_shared_outer_or_feedback] = {K_SHARED,
                                    0,
                                    IS_ODDBALL,
                                    {V8_T_FEEDBACK_METADATA, V8_T_SCOPE_INFO},
                                    .seen = {24, 24, 24, 24, 32, 32}},
    [F_shared_script] =
        {K_SHARED, 0, IS_ODDBALL, {V8_T_SCRIPT, V8_T_DEBUG_INFO}, .seen = {32, 32, 32, 32, 40, 40}},
    [F_shared_flags] = {K_SHARED, .seen = {48, 48, 48, 48, 56, 56}},
    [F_shared_length] = {K_SHARED, .seen = {40, 40, 40, 40, 48, 48}},
    [F_script_source] = {K_SCRIPT, IS_STRING, IS_ODDBALL, .seen = SEEN(8)},
    [F_script_name] = {K_SCRIPT, IS_STRING, IS_ANY, .seen = SEEN(16)},
    [F_script_line_offset] = {K_SCRIPT, IS_SMI, 0, .seen = SEEN(24)},
    [F_script_column_offset] = {K_SCRIPT, IS_SMI, 0, .seen = SEEN(32)},
    [F_script_type] = {K_SCRIPT, IS_SMI, 0, .seen = SEEN(48)},
    [F_script_line_ends] = {K_SCRIPT, .check = line_end, .seen = SEEN(56)},
    [F_script_id] = {K_SCRIPT, IS_SMI, 0, .seen = SEEN(64)},
    [F_script_eval_from_shared] = {K_SCRIPT, 0, IS_ANY, {V8_T_SHARED_FUNCTION_INFO}, .seen = SEEN(72)},
    [F_script_eval_from_position] = {K_SCRIPT, IS_SMI, IS_ANY, .seen = SEEN(80)},
    [F_uncompiled_start] = {K_UNCOMPILED, .check = position_pair, .seen = SEEN(16)},
    [F_uncompiled_end] = {K_UNCOMPILED, .seen = SEEN(20)},
    [F_bytecode_data] = {K_BYTECODE, .check = bytecode_header, .seen = {54, 56, 54, 64, 64, 64}},
    [F_bytecode_source_positions] = {K_BYTECODE, .check = position_table, .seen = {32, 32, 32, 24, 24, 24}},
    [F_bytecode_frame_size] = {K_BYTECODE, .check = frame_size, .seen = {40, 40, 40, 48, 48, 48}},
    [F_interpreter_data_bytecode] = {K_INTERPRETER_DATA, 0, 0, {V8_T_BYTECODE_ARRAY}, .seen = SEEN(8)},
    [F_code_deoptimization_data] = {K_CODE,
                                    0,
                                    IS_SMI | IS_ODDBALL,
                                    {V8_T_FIXED_ARRAY, V8_T_BYTECODE_ARRAY, V8_T_INTERPRETER_DATA,
                                     V8_T_PROTECTED_FIXED_ARRAY, V8_T_TRUSTED_FIXED_ARRAY},
                                    .seen = {16, 16, 16, 8, 8, 8}},
    [F_code_source_positions] = {K_CODE, 0, IS_SMI | IS_ODDBALL, {BYTES}, .seen = {24, 24, 24, 16, 16, 16}},
    [F_code_instruction_start] = {K_CODE, .check = instruction_start, .seen = {96, 128, 40, 40, 40, 40}},
    [F_code_flags] = {K_CODE, .seen = {48, 48, 48, 48, 52, 52}},
    [F_code_instruction_size] = {K_CODE, .check = small_number, .seen = {40, 40, 56, 52, 56, 56}},
    [F_code_metadata_size] = {K_CODE, .check = small_number, .seen = {44, 44, 60, 56, 60, 60}},
    [F_stream_code] = {K_STREAM, 0, 0, {V8_T_CODE}, .seen = {0, 0, 8, 8, 8, 8}},
    [F_context_scope_info] = {K_CONTEXT, 0, 0, {V8_T_SCOPE_INFO}, .seen = SEEN(16)},
    [F_context_previous] = {K_CONTEXT, IS_CONTEXT, IS_ZERO | IS_ODDBALL, .seen = SEEN(24)},
    [F_context_cell_value] = {K_CONTEXT_CELL, 0, IS_ANY, .seen = SEEN(8)},
    [F_string_length] = {K_SEQ, .check = string_length, .seen = SEEN(12)},
    [F_seq_string_chars] = {K_SEQ, .check = first_unit, .seen = SEEN(16)},
    [F_cons_first] = {K_CONS, IS_STRING, 0, .seen = SEEN(16)},
    [F_cons_second] = {K_CONS, IS_STRING, 0, .seen = SEEN(24)},
    [F_sliced_parent] = {K_SLICED, IS_STRING, 0, .seen = SEEN(16)},
    [F_sliced_offset] = {K_SLICED, IS_SMI, 0, .seen = SEEN(24)},
    [F_thin_actual] = {K_THIN, IS_STRING, 0, .seen = SEEN(16)},
    [F_external_resource] = {K_EXTERNAL, IS_RAW, IS_SMI, .seen = SEEN(16)},
    [F_external_data] = {K_EXTERNAL, .check = external_data, .seen = SEEN(24)},
    [F_symbol_description] = {K_SYMBOL, IS_STRING, IS_ODDBALL, .seen = SEEN(16)},
    [F_heap_number_value] = {K_NUMBER, .seen = SEEN(8)},
    [F_oddball_to_string] = {K_ODDBALL, .check = oddball_text, .seen = SEEN(16)},
    [F_oddball_kind] = {K_ODDBALL, IS_SMI, 0, .seen = SEEN(40)},
    [F_cell_value] = {K_CELL, 0, IS_ANY | IS_RAW, .seen = SEEN(8)},
    [F_property_cell_name] = {K_PROPERTY_CELL, IS_NAME, 0, .seen = SEEN(8)},
    [F_property_cell_value] = {K_PROPERTY_CELL, 0, IS_ANY, .seen = SEEN(24)},
    [F_feedback_cell_value] = {K_FEEDBACK_CELL,
                               0,
                               IS_ODDBALL | IS_OTHER,
                               {V8_T_FEEDBACK_VECTOR, V8_T_CLOSURE_FEEDBACK_CELL_ARRAY},
                               .seen = SEEN(8)},
    [F_map_table] =
        {K_COLLECTION, 0, IS_ODDBALL, {V8_T_ORDERED_HASH_MAP, V8_T_ORDERED_HASH_SET}, .seen = SEEN(24)},
    [F_weak_collection_table] =
        {K_WEAK_COLLECTION, 0, IS_ODDBALL, {V8_T_EPHEMERON_HASH_TABLE}, .seen = SEEN(24)},
    [F_promise_result] = {K_PROMISE, 0, IS_ANY, {V8_T_PROMISE_REACTION}, .seen = SEEN(24)},
    [F_promise_flags] = {K_PROMISE, IS_SMI, 0, .seen = SEEN(32)},
    [F_reaction_next] = {K_REACTION, IS_ZERO, 0, {V8_T_PROMISE_REACTION}, .seen = {8, 8, 8, 16, 16, 16}},
    [F_reaction_reject] = {K_REACTION, IS_CALLABLE, IS_ODDBALL, .seen = {16, 16, 16, 24, 24, 24}},
    [F_reaction_fulfill] = {K_REACTION, IS_CALLABLE, IS_ODDBALL, .seen = {24, 24, 24, 32, 32, 32}},
    [F_reaction_promise] = {K_REACTION,
                            0,
                            IS_ODDBALL,
                            {V8_T_JS_PROMISE, V8_T_PROMISE_CAPABILITY},
                            .seen = {32, 32, 32, 40, 40, 40}},
    [F_generator_function] = {K_GENERATOR, IS_CALLABLE, 0, .seen = SEEN(24)},
    [F_generator_context] = {K_GENERATOR, IS_CONTEXT, 0, .seen = SEEN(32)},
    [F_generator_receiver] = {K_GENERATOR, 0, IS_ANY, .seen = SEEN(40)},
    [F_generator_position] = {K_GENERATOR, IS_SMI, IS_ANY, .seen = SEEN(48)},
    [F_generator_continuation] = {K_GENERATOR, IS_SMI, 0, .seen = SEEN(64)},
    [F_generator_registers] = {K_GENERATOR, 0, 0, {ARRAYS}, .seen = SEEN(72)},
    [F_async_promise] = {K_ASYNC_FUNCTION, 0, 0, {V8_T_JS_PROMISE}, .seen = SEEN(80)},
    [F_async_generator_queue] =
        {K_ASYNC_GENERATOR, 0, IS_ODDBALL, {V8_T_ASYNC_GENERATOR_REQUEST}, .seen = SEEN(80)},
    [F_proxy_target] = {K_PROXY, IS_RECEIVER, IS_ODDBALL, .seen = SEEN(16)},
    [F_proxy_handler] = {K_PROXY, IS_RECEIVER, IS_ODDBALL, .seen = SEEN(24)},
    [F_bound_target] = {K_BOUND, IS_CALLABLE, 0, .seen = SEEN(24)},
    [F_bound_this] = {K_BOUND, 0, IS_ANY, .seen = SEEN(32)},
    [F_bound_arguments] = {K_BOUND, 0, 0, {ARRAYS}, .seen = SEEN(40)},
    [F_weak_ref_target] = {K_WEAK_REF, IS_RECEIVER | IS_SYMBOL, IS_ODDBALL, .seen = SEEN(24)},
    [F_weak_cell_target] = {K_WEAK_CELL, IS_RECEIVER | IS_SYMBOL, IS_ODDBALL,
                            .seen = {16, 16, 16, 16, 16, 24}},
    [F_date_value] = {K_DATE, .seen = SEEN(24)},
    [F_date_is_raw] = {.kind = K_NONE},
    [F_regexp_source] = {K_REGEXP, IS_STRING, IS_ODDBALL, .seen = SEEN(32)},
    [F_regexp_flags] = {K_REGEXP, .seen = SEEN(40)},
    [F_primitive_wrapper_value] = {K_WRAPPER, 0, IS_ANY, .seen = SEEN(24)},
    [F_array_buffer_byte_length] = {K_BUFFER, .check = buffer_length, .seen = {24, 24, 32, 32, 40, 40}},
    [F_array_buffer_store] = {K_BUFFER, .check = buffer_store, .seen = {40, 40, 48, 48, 56, 56}},
    [F_array_buffer_extension] = {K_BUFFER, .seen = {48, 48, 56, 56, 64, 64}},
    [F_view_buffer] = {K_VIEW, 0, 0, {V8_T_JS_ARRAY_BUFFER}, .seen = {24, 24, 24, 24, 32, 32}},
    [F_view_byte_offset] = {K_VIEW, .check = own_buffer, .seen = {32, 32, 32, 32, 48, 48}},
    [F_view_byte_length] = {K_VIEW, .seen = {40, 40, 40, 40, 56, 56}},
    [F_typed_length] = {K_VIEW, .check = view_length, .seen = {48, 56, 56, 56, 64, 0}},
    [F_typed_external_pointer] = {K_VIEW, .seen = {56, 64, 64, 64, 72, 72}},
    [F_typed_base_pointer] = {K_VIEW, .check = typed_base, .seen = {64, 72, 72, 72, 80, 80}},
    [F_template_class_name] = {K_TEMPLATE, .check = class_name, .seen = {56, 56, 56, 40, 40, 40}},
    [F_template_shared] =
        {K_TEMPLATE, 0, IS_ODDBALL, {V8_T_SHARED_FUNCTION_INFO}, .seen = {80, 80, 80, 64, 72, 72}},
    [F_foreign_address] = {K_FOREIGN, .seen = SEEN(8)},
};

static struct v8_field *field_at(struct v8_layout *layout, enum field_id id) {
    return (struct v8_field *)((char *)layout + fields[id].at);
}

static bool word_of(const struct finder *f, const struct sample *sample, uint64_t offset, v8_word *ret) {
    return offset + 8 <= sample->size && pm_mem_u64(f->v8->mem, sample->address + offset, ret);
}

static bool u32_of(const struct finder *f, const struct sample *sample, uint64_t offset, uint32_t *ret) {
    return offset + 4 <= sample->size && pm_mem_u32(f->v8->mem, sample->address + offset, ret);
}

/* The value of a Smi field; UINT32_MAX when it is none or negative. */
static uint32_t smi_of(const struct finder *f, const struct sample *sample, uint64_t offset) {
    v8_word word;
    return word_of(f, sample, offset, &word) && v8_is_smi(word) && v8_smi(word) >= 0 ? (uint32_t)v8_smi(word)
                                                                                     : UINT32_MAX;
}

static pm_addr target_of(const struct finder *f, const struct sample *sample, uint64_t offset) {
    v8_word word;
    return word_of(f, sample, offset, &word) ? v8_target(f->v8, word) : 0;
}

static enum verdict verdict_if(bool condition) {
    return condition ? YES : NO;
}

/* ---- checks of single fields ---- */

static enum verdict map_bits(struct finder *f, const struct sample *sample, uint32_t offset) {
    uint32_t bits;
    uint16_t rows;
    pm_addr descriptors = v8_ref(f->v8, sample->address, f->v8->layout.map_descriptors);
    if (!u32_of(f, sample, offset, &bits) || !pm_mem_u16(f->v8->mem, descriptors + 8, &rows)) return UNSURE;
    return verdict_if(V8_MAP_OWN_DESCRIPTORS(bits) <= rows);
}

static enum verdict map_start(struct finder *f, const struct sample *sample, uint32_t offset) {
    uint8_t start;
    if (!pm_mem_u8(f->v8->mem, sample->address + offset, &start)) return UNSURE;
    return verdict_if(start >= 2 && start <= sample->map->size_words);
}

static enum verdict array_length(struct finder *f, const struct sample *sample, uint32_t offset) {
    uint32_t length = smi_of(f, sample, offset);
    return verdict_if(sample->size == 16 + 8 * (uint64_t)length);
}

static enum verdict array_data(struct finder *f, const struct sample *sample, uint32_t offset) {
    uint32_t length = smi_of(f, sample, f->v8->layout.array_length.offset);
    return verdict_if(sample->size == offset + 8 * (uint64_t)length);
}

static enum verdict property_array_length(struct finder *f, const struct sample *sample, uint32_t offset) {
    v8_word word;
    if (!word_of(f, sample, offset, &word) || !v8_is_smi(word)) return NO;
    return verdict_if(sample->size == 16 + 8 * (uint64_t)((word >> 32) & 0x3ff));
}

static enum verdict descriptor_header(struct finder *f, const struct sample *sample, uint32_t offset) {
    uint16_t rows;
    enum v8_type type;
    v8_word key;
    if (!pm_mem_u16(f->v8->mem, sample->address + 8, &rows) || sample->size != offset + 24 * (uint64_t)rows)
        return NO;
    return rows == 0 || !word_of(f, sample, offset, &key) ? UNSURE
                                                          : verdict_if(classify(f->v8, key, &type) & IS_NAME);
}

/* JSDispatchHandle: u32, not a tagged word; src/objects/js-function.h with leaptiering (V8 13). */
static enum verdict dispatch_handle(struct finder *f, const struct sample *sample, uint32_t offset) {
    v8_word word;
    return verdict_if(word_of(f, sample, offset, &word) && (uint32_t)word != 0 && word >> 32 == 0);
}

static enum verdict prototype_slot(struct finder *f, const struct sample *sample, uint32_t offset) {
    v8_word word;
    enum v8_type type;
    if (!(sample->map->bit_field & V8_MAP_PROTOTYPE_SLOT)) return UNSURE;
    if (!word_of(f, sample, offset, &word)) return NO;
    unsigned is = classify(f->v8, word, &type);
    return verdict_if((is & (IS_RECEIVER | IS_ODDBALL)) || type == V8_T_MAP || type == V8_T_TUPLE2);
}

static enum verdict line_end(struct finder *f, const struct sample *sample, uint32_t offset) {
    v8_word word;
    enum v8_type type;
    if (!word_of(f, sample, offset, &word)) return NO;
    unsigned is = classify(f->v8, word, &type);
    return type == V8_T_FIXED_ARRAY ? YES : is & (IS_ODDBALL | IS_SMI) ? UNSURE : NO;
}

static enum verdict position_pair(struct finder *f, const struct sample *sample, uint32_t offset) {
    uint32_t start, end;
    return verdict_if(u32_of(f, sample, offset, &start) && u32_of(f, sample, offset + 4, &end) &&
                      start <= end && end < (1u << 30));
}

static enum verdict bytecode_header(struct finder *f, const struct sample *sample, uint32_t offset) {
    return verdict_if(sample->size == pm_align_up(offset + (uint64_t)smi_of(f, sample, 8), 8));
}

static enum verdict frame_size(struct finder *f, const struct sample *sample, uint32_t offset) {
    uint32_t size;
    return verdict_if(u32_of(f, sample, offset, &size) && size % 8 == 0 && size < (1u << 20));
}

static enum verdict instruction_start(struct finder *f, const struct sample *sample, uint32_t offset) {
    v8_word word;
    /* The object's own bytes (V8 9.4, 10.2; but the entries of embedded builtins are not code), or a pointer
     * to code. */
    bool is_inline = offset >= 64;
    pm_addr code = is_inline ? sample->address + offset : word_of(f, sample, offset, &word) ? word : 0;
    const struct pm_mem_range *range = pm_mem_find(f->v8->mem, code);
    if (range && (range->protection & PM_MEM_EXECUTE) && (!is_inline || sample->size > offset)) return YES;
    return is_inline ? UNSURE : NO;
}

static enum verdict small_number(struct finder *f, const struct sample *sample, uint32_t offset) {
    uint32_t number;
    return !u32_of(f, sample, offset, &number) || number > (1u << 28) ? NO : UNSURE;
}

static enum verdict string_length(struct finder *f, const struct sample *sample, uint32_t offset) {
    uint32_t length, width = sample->map->instance_type & V8_STRING_ONE_BYTE ? 1 : 2;
    return verdict_if(u32_of(f, sample, offset, &length) &&
                      sample->size == pm_align_up(16 + (uint64_t)length * width, 8));
}

static enum verdict first_unit(struct finder *f, const struct sample *sample, uint32_t offset) {
    uint32_t length, width = sample->map->instance_type & V8_STRING_ONE_BYTE ? 1 : 2;
    if (!v8_field_u32(f->v8, sample->address, f->v8->layout.string_length, &length)) return UNSURE;
    return verdict_if(sample->size == pm_align_up(offset + (uint64_t)length * width, 8));
}

static enum verdict external_data(struct finder *f, const struct sample *sample, uint32_t offset) {
    v8_word data;
    if (!word_of(f, sample, offset, &data) || data == 0) return UNSURE;
    return verdict_if(pm_mem_probe(f->v8->mem, data, 1) != PM_MEM_NOT_MAPPED);
}

static enum verdict oddball_text(struct finder *f, const struct sample *sample, uint32_t offset) {
    static const char *const texts[] = {"undefined", "null", "true", "false"};
    pm_addr text = target_of(f, sample, offset);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (v8_string_equals(f->v8, text, texts[i])) return YES;
    return v8_is_string(v8_map(f->v8, text)) ? UNSURE : NO;
}

/* The class name is a string, and the name of the template's SharedFunctionInfo, where that exists, is the
 * same object. */
static enum verdict class_name(struct finder *f, const struct sample *sample, uint32_t offset) {
    v8_word word, name;
    enum v8_type type;
    if (!word_of(f, sample, offset, &word)) return NO;
    unsigned is = classify(f->v8, word, &type);
    if (is & IS_ODDBALL) return UNSURE;
    if (!(is & IS_STRING)) return NO;
    pm_addr shared = v8_ref(f->v8, sample->address, f->v8->layout.template_shared);
    return shared && v8_field_word(f->v8, shared, f->v8->layout.shared_name_or_scope_info, &name) &&
                   name == word
               ? YES
               : UNSURE;
}

/* byte_length and max_byte_length stand side by side and are equal for buffers that cannot grow (before V8 12
 * the second one was left unset where there is no store). */
static enum verdict buffer_length(struct finder *f, const struct sample *sample, uint32_t offset) {
    uint64_t length, most;
    enum v8_type type;
    if (!word_of(f, sample, offset, &length) || !word_of(f, sample, offset + 8, &most) || length >> 40 ||
        !(classify(f->v8, length, &type) & (IS_RAW | IS_SMI)))
        return NO;
    return length && length == most ? YES : UNSURE;
}

static enum verdict buffer_store(struct finder *f, const struct sample *sample, uint32_t offset) {
    uint64_t store, length;
    if (!word_of(f, sample, offset, &store) ||
        !word_of(f, sample, f->v8->layout.array_buffer_byte_length.offset, &length))
        return NO;
    if (length == 0 || store == 0) return UNSURE;
    return verdict_if(pm_mem_probe(f->v8->mem, store, length) != PM_MEM_NOT_MAPPED &&
                      !v8_page_of(f->v8, store & ~(pm_addr)7));
}

/* Does the part [offset, offset + length) lie inside of the view's buffer? */
static enum verdict own_buffer(struct finder *f, const struct sample *sample, uint32_t offset) {
    uint64_t start, length, whole;
    pm_addr buffer = v8_ref(f->v8, sample->address, f->v8->layout.view_buffer);
    if (!word_of(f, sample, offset, &start) || !word_of(f, sample, offset + 8, &length) ||
        !v8_field_word(f->v8, buffer, f->v8->layout.array_buffer_byte_length, &whole))
        return NO;
    return whole == 0 ? UNSURE : verdict_if(start <= whole && length <= whole - start && length > 0);
}

static enum verdict view_length(struct finder *f, const struct sample *sample, uint32_t offset) {
    uint64_t count, bytes;
    if (offset == f->v8->layout.view_byte_length.offset || !word_of(f, sample, offset, &count) ||
        !v8_field_word(f->v8, sample->address, f->v8->layout.view_byte_length, &bytes))
        return NO;
    if (bytes == 0) return UNSURE;
    return verdict_if(count && bytes % count == 0 && bytes / count <= 8);
}

static enum verdict typed_base(struct finder *f, const struct sample *sample, uint32_t offset) {
    v8_word word;
    enum v8_type type;
    if (!word_of(f, sample, offset, &word)) return NO;
    return classify(f->v8, word, &type) & IS_ZERO ? UNSURE : verdict_if(type == V8_T_BYTE_ARRAY);
}

/* ---- source position tables ---- */

/* Does this table read as pairs whose code offsets stay inside of the bytecode? */
static bool table_reads(const uint8_t *bytes, uint32_t length, uint32_t code_length, bool is_unsigned) {
    struct v8_position_entry entry = V8_POSITION_TABLE_START;
    while (entry.at < length)
        if (!v8_position_next(bytes, length, is_unsigned, &entry) || entry.raw < 0 ||
            entry.code_offset >= code_length)
            return false;
    return true;
}

static const uint8_t *byte_array(const struct finder *f, pm_addr array, uint32_t *length_ret) {
    struct v8_thing thing;
    if (!v8_thing_load(f->v8, array, &thing) ||
        (thing.type != V8_T_BYTE_ARRAY && thing.type != V8_T_TRUSTED_BYTE_ARRAY) ||
        !v8_thing_count(f->v8, &thing, 8, length_ret) || 16 + (uint64_t)*length_ret > thing.size)
        return NULL;
    return pm_mem_view(f->v8->mem, array + 16, *length_ret);
}

static enum verdict position_table(struct finder *f, const struct sample *sample, uint32_t offset) {
    v8_word word;
    enum v8_type type;
    uint32_t length, code_length = smi_of(f, sample, 8);
    if (!word_of(f, sample, offset, &word)) return NO;
    unsigned is = classify(f->v8, word, &type);
    if (is & (IS_SMI | IS_ODDBALL)) return UNSURE;
    const uint8_t *bytes = byte_array(f, v8_target(f->v8, word), &length);
    if (!bytes) return NO;
    if (length == 0) return UNSURE;
    return verdict_if(table_reads(bytes, length, code_length, false) ||
                      table_reads(bytes, length, code_length, true));
}

/* Tables of the unsigned form (V8 14.1 and later) do not read as signed ones; the reverse cannot be told. */
static bool positions_are_unsigned(struct finder *f) {
    unsigned failed = 0, tables = 0;
    struct v8_field field = f->v8->layout.bytecode_source_positions;
    for (uint16_t i = 0; field.present && i < f->count[K_BYTECODE]; i++) {
        const struct sample *sample = &f->samples[K_BYTECODE][i];
        uint32_t length;
        const uint8_t *bytes = byte_array(f, target_of(f, sample, field.offset), &length);
        if (!bytes || length == 0) continue;
        tables++;
        failed += !table_reads(bytes, length, smi_of(f, sample, 8), false);
    }
    return tables && failed * 50 > tables;
}

/* ---- sampling ---- */

static void take(struct finder *f, enum kind kind, const struct v8_object *object) {
    if (kind == K_NONE || f->count[kind] == SAMPLES || f->from_page[kind] == SAMPLES_PER_PAGE) return;
    f->samples[kind][f->count[kind]++] = (struct sample){object->address, object->size, object->map};
    f->from_page[kind]++;
}

static bool visit(void *context, const struct v8_object *object) {
    struct finder *f = context;
    const struct v8_map *map = object->map;
    f->walked++;
    if (v8_is_string(map)) {
        take(f, kind_of_string(map), object);
    } else if (map->type == V8_T_MAP) {
        const struct v8_map *self = v8_map_at(f->v8, object->address);
        if (self && v8_is_js_object(f->v8, self))
            take(f, K_MAP, &(struct v8_object){object->address, object->bytes, object->size, self});
    } else {
        take(f, kind_of_type((enum v8_type)map->type), object);
        if (v8_is_js_object(f->v8, map)) take(f, K_OBJECT, object);
    }
    return true;
}

/* Pages in an order that is spread over the whole heap; the read-only ones first: they have the oddballs. */
static void collect(struct finder *f) {
    const struct v8 *v8 = f->v8;
    struct v8_walk_stats stats = {0};
    size_t count = v8->page_count, step = count * 5 / 8 | 1;
    for (size_t i = 0; i < count; i++)
        if (v8->pages[i].live && v8->pages[i].space == V8_SPACE_RO) {
            memset(f->from_page, 0, sizeof(f->from_page));
            v8_walk_page(f->walker, &v8->pages[i], visit, f, &stats);
        }
    while (count > 1 && __builtin_expect(count % step == 0, 0)) step += 2;
    for (size_t i = 0, at = 0; i < count && f->walked < WALK_OBJECTS; i++, at = (at + step) % count)
        if (v8->pages[at].live && v8->pages[at].space != V8_SPACE_RO) {
            memset(f->from_page, 0, sizeof(f->from_page));
            v8_walk_page(f->walker, &v8->pages[at], visit, f, &stats);
        }
}

/* ---- deciding ---- */

struct score {
    unsigned yes, no;
};

static struct score score(struct finder *f, enum field_id id, uint32_t offset) {
    const struct rule *rule = &rules[id];
    struct score result = {0};
    for (uint16_t i = 0; i < f->count[rule->kind]; i++) {
        const struct sample *sample = &f->samples[rule->kind][i];
        enum verdict verdict = NO;
        v8_word word;
        enum v8_type type;
        if (rule->check) {
            verdict = rule->check(f, sample, offset);
        } else if (word_of(f, sample, offset, &word)) {
            unsigned is = classify(f->v8, word, &type);
            bool listed = false;
            for (size_t k = 0; k < sizeof(rule->types) / sizeof(rule->types[0]) && rule->types[k]; k++)
                listed = listed || rule->types[k] == type;
            verdict = listed || (is & rule->yes) ? YES : is & rule->unsure ? UNSURE : NO;
        }
        result.yes += verdict == YES;
        result.no += verdict == NO;
#ifdef DEBUG_FIELDS
        if (verdict == NO && getenv("DBG") && !strcmp(getenv("DBG"), fields[id].name))
            fprintf(stderr, "%s @%u: NO %lx\n", fields[id].name, offset, sample->address);
#endif
    }
    return result;
}

/* Is anything known about this field that objects can confirm or contradict? */
static bool can_check(const struct rule *rule) {
    return rule->check || rule->yes || rule->unsure || rule->types[0];
}

static bool contradicts(struct score score) {
    return score.no * 50 > score.yes + score.no;
}

static void decide(struct finder *f, enum field_id id, uint32_t offset, enum v8_origin origin) {
    *field_at(&f->v8->layout, id) =
        (struct v8_field){.offset = (uint16_t)offset, .present = true, .origin = (uint8_t)origin};
}

static void vote(struct finder *f, enum field_id id, uint32_t offset) {
    const struct rule *rule = &rules[id];
    for (unsigned c = 0; c < COLUMNS; c++)
        if (rule->seen[c] == offset) {
            f->votes[c]++;
            f->kind_votes[rule->kind][c]++;
        }
}

/* The one slot that fits, when no known offset does. */
static uint32_t search_slots(struct finder *f, enum field_id id) {
    uint32_t found = 0;
    if (f->count[rules[id].kind] < 3 || rules[id].check || !(rules[id].yes || rules[id].types[0])) return 0;
    for (uint32_t offset = 8; offset < 256; offset += 8) {
        struct score result = score(f, id, offset);
        if (result.yes == 0 || contradicts(result)) continue;
        if (found) return 0;
        found = offset;
    }
    return found;
}

/* What objects say, first round: true = decided. */
static bool decide_by_objects(struct finder *f, enum field_id id) {
    const struct rule *rule = &rules[id];
    int64_t published = 0;
    bool is_published =
        fields[id].field_names[0] &&
        v8_facts_class_field(f->v8->facts, fields[id].class_name, fields[id].field_names, &published) &&
        published > 0 && published < 4096;
    if (is_published) {
        struct score result = can_check(rule) ? score(f, id, (uint32_t)published) : (struct score){0};
        if (!contradicts(result)) {
            decide(f, id, (uint32_t)published, V8_PUBLISHED);
            vote(f, id, (uint32_t)published);
            return true;
        }
    }
    uint32_t confirmed = 0, possible = 0;
    bool several = false, is_constant = true;
    for (unsigned c = 0; c < COLUMNS; c++) {
        uint32_t offset = rule->seen[c];
        is_constant = is_constant && offset == rule->seen[0];
        if (offset == 0 || offset == confirmed || !can_check(rule) || f->count[rule->kind] == 0) continue;
        struct score result = score(f, id, offset);
        if (contradicts(result)) continue;
        possible = offset;
        if (result.yes == 0) continue;
        several = several || confirmed;
        confirmed = offset;
    }
    if (is_published && (confirmed || (possible && possible != published))) {
        f->overruled++;
        snprintf(f->overruled_name, sizeof(f->overruled_name), "%s", fields[id].name);
    }
    if (confirmed && !several) {
        decide(f, id, confirmed, V8_DISCOVERED);
        vote(f, id, confirmed);
        return true;
    }
    if (!confirmed && !possible && can_check(rule) && (confirmed = search_slots(f, id))) {
        decide(f, id, confirmed, V8_DISCOVERED);
        return true;
    }
    return false;
}

static unsigned best_column(const struct finder *f, enum kind kind) {
    unsigned best = 0;
    for (unsigned c = 1; c < COLUMNS; c++)
        if (f->kind_votes[kind][c] * 8 + f->votes[c] >= f->kind_votes[kind][best] * 8 + f->votes[best])
            best = c;
    return best;
}

/* Second round: the column that agrees best, unless objects contradict it. */
static void decide_by_column(struct finder *f, enum field_id id) {
    const struct rule *rule = &rules[id];
    uint32_t offset = rule->seen[best_column(f, rule->kind)];
    if (offset == 0) return;
    if (can_check(rule) && contradicts(score(f, id, offset))) {
        for (unsigned c = 0; c < COLUMNS; c++)
            if (rule->seen[c] && !contradicts(score(f, id, rule->seen[c]))) {
                decide(f, id, rule->seen[c], V8_VARIANT);
                return;
            }
        return;
    }
    decide(f, id, offset, V8_VARIANT);
}

/* ---- forms ---- */

/* PropertyDetails: accessors always stand in the descriptor, data nearly always in a field; so one bit goes
 * with the kind. */
static uint8_t find_location_bit(struct finder *f) {
    static const uint8_t bits[] = {5, 1}; /* V8 10 and later; 9.4 */
    unsigned agree[2] = {0};
    int64_t published;
    if (v8_facts_constant(f->v8->facts, "prop_location_shift", &published) &&
        (published == 1 || published == 5))
        return (uint8_t)published;
    uint64_t header = f->v8->layout.descriptor_header.offset;
    for (uint16_t i = 0; i < f->count[K_DESCRIPTORS]; i++) {
        const struct sample *sample = &f->samples[K_DESCRIPTORS][i];
        for (uint64_t row = header; row + 24 <= sample->size; row += 24) {
            uint32_t details = smi_of(f, sample, row + 8);
            if (details == UINT32_MAX) continue;
            for (unsigned k = 0; k < 2; k++)
                agree[k] += (details >> bits[k] & 1) == (details & V8_DETAILS_ACCESSOR);
        }
    }
    return agree[1] > agree[0] ? bits[1] : bits[0];
}

static uint8_t find_dictionary_prefix(struct finder *f) {
    unsigned votes[4] = {0};
    int64_t published;
    if (v8_facts_constant(f->v8->facts, "namedictionaryshape_prefix_size", &published) &&
        (published == 2 || published == 3))
        return (uint8_t)published;
    for (uint16_t i = 0; i < f->count[K_NAME_DICTIONARY]; i++) {
        const struct sample *sample = &f->samples[K_NAME_DICTIONARY][i];
        uint64_t words = (sample->size - 16) / 8, capacity = smi_of(f, sample, 32);
        uint64_t prefix = words - 3 - 3 * capacity;
        if (prefix < 4) votes[prefix]++;
    }
    if (votes[2] + votes[3] == 0) return best_column(f, K_NONE) < 2 ? 2 : 3;
    return votes[2] > votes[3] ? 2 : 3;
}

static void find_scope_form(struct finder *f) {
    unsigned best_hits = 0;
    static const uint8_t of_column[COLUMNS] = {0, 1, 2, 2, 3, 4};
    struct v8_layout *layout = &f->v8->layout;
    layout->scope_info_form = of_column[best_column(f, K_NONE)];
    for (uint8_t form = 0; form < v8_scope_form_count(); form++) {
        unsigned hits = 0;
        for (uint16_t i = 0; i < f->count[K_SCOPE_INFO]; i++) {
            struct v8_scope scope;
            const struct sample *sample = &f->samples[K_SCOPE_INFO][i];
            hits += v8_scope_load(f->v8, sample->address, form, &scope) && scope.size == sample->size;
        }
        if (hits > best_hits) {
            best_hits = hits;
            layout->scope_info_form = form;
        }
    }
    layout->scope_info_new_form = v8_scope_form_is_new(layout->scope_info_form);
}

/* JSDate: a tagged number (Smi, HeapNumber, undefined) or, in V8 13 and later, the double itself. */
static void find_date_form(struct finder *f) {
    struct v8_layout *layout = &f->v8->layout;
    unsigned raw = 0, tagged = 0;
    for (uint16_t i = 0; layout->date_value.present && i < f->count[K_DATE]; i++) {
        v8_word word;
        enum v8_type type;
        if (!word_of(f, &f->samples[K_DATE][i], layout->date_value.offset, &word)) continue;
        unsigned is = classify(f->v8, word, &type);
        raw += is == IS_RAW;
        tagged += type == V8_T_HEAP_NUMBER || (is & IS_ODDBALL);
    }
    bool decided = raw + tagged > 0;
    if (decided ? raw > tagged : best_column(f, K_NONE) >= 4)
        layout->date_is_raw = (struct v8_field){.offset = layout->date_value.offset,
                                                .present = true,
                                                .origin = decided ? V8_DISCOVERED : V8_VARIANT};
}

/* Deleted keys of Map and Set: hash_table_hole since V8 13, a hole of its own. */
static bool find_hash_table_hole(struct finder *f) {
    pm_addr hole = v8_root(f->v8, "hash_table_hole_value");
    return hole != 0 || (!f->v8->layout.root_names && best_column(f, K_NONE) >= 4);
}

static void find_forms(struct finder *f) {
    struct v8_layout *layout = &f->v8->layout;
    layout->location_bit = find_location_bit(f);
    layout->name_dictionary_prefix = find_dictionary_prefix(f);
    layout->source_positions_unsigned = positions_are_unsigned(f);
    if (f->count[K_BYTECODE] == 0) layout->source_positions_unsigned = best_column(f, K_NONE) == COLUMNS - 1;
    find_scope_form(f);
    find_date_form(f);
    layout->trusted_function_data = layout->shared_untrusted_data.present;
    layout->hash_table_hole = find_hash_table_hole(f);
    layout->context_cells = layout->number_of[V8_T_CONTEXT_CELL] != 0;
    if (!layout->context_cells) layout->context_cell_value = (struct v8_field){0};
    if (!layout->number_of[V8_T_INSTRUCTION_STREAM]) layout->stream_code = (struct v8_field){0};
    if (layout->function_code.present &&
        layout->function_code.offset == layout->function_dispatch_handle.offset)
        layout->function_dispatch_handle = (struct v8_field){0};
}

static void report(struct finder *f) {
    struct v8 *v8 = f->v8;
    unsigned origins[V8_KNOWN + 1] = {0};
    for (enum field_id id = 0; id < F_COUNT; id++) {
        const struct v8_field *field = field_at(&v8->layout, id);
        origins[field->present ? field->origin : V8_MISSING]++;
    }
    if (v8->check_count == sizeof(v8->checks) / sizeof(v8->checks[0])) return;
    struct v8_check *check = &v8->checks[v8->check_count++];
    check->name = "fields";
    check->score = 1;
    int written = snprintf(
        check->detail, sizeof(check->detail), "%u published, %u discovered, %u by variant, %u not in this V8",
        origins[V8_PUBLISHED], origins[V8_DISCOVERED], origins[V8_VARIANT], origins[V8_MISSING]);
    if (f->overruled && written > 0 && (size_t)written < sizeof(check->detail))
        snprintf(check->detail + written, sizeof(check->detail) - (size_t)written,
                 "; %u published offsets overruled (%s)", f->overruled, f->overruled_name);
}

struct pm_error *v8_discover_fields(struct v8 *v8) {
    struct finder *f = calloc(1, sizeof(*f));
    bool decided[F_COUNT];
    if (!f || !(f->walker = v8_walker_create(v8))) {
        free(f);
        return pm_error_nomem();
    }
    f->v8 = v8;
    collect(f);
    for (enum field_id id = 0; id < F_COUNT; id++) decided[id] = decide_by_objects(f, id);
    for (enum field_id id = 0; id < F_COUNT; id++)
        if (!decided[id] && rules[id].kind != K_NONE) decide_by_column(f, id);
    find_forms(f);
    report(f);
    v8_walker_destroy(f->walker);
    free(f);
    return NULL;
}
