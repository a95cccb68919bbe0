/* finder.h - what fields.c, and the files of this folder, work with. Internal to them. */
#ifndef PM_V8LAYOUT_FIELDS_FINDER_H
#define PM_V8LAYOUT_FIELDS_FINDER_H

#include "v8layout/object_access.h"

enum { V8_COLUMNS = 7, V8_SAMPLES = 300 };

/* clang-format off */
enum kind { /* of objects that are sampled */
    K_NONE, K_MAP, K_OBJECT, K_ARRAY, K_FIXED_ARRAY, K_PROPERTY_ARRAY, K_DESCRIPTORS, K_FUNCTION,
    K_SHARED, K_SCRIPT, K_UNCOMPILED, K_BYTECODE, K_INTERPRETER_DATA, K_CODE, K_STREAM, K_CONTEXT,
    K_CONTEXT_CELL, K_SEQ, K_CONS, K_SLICED, K_THIN, K_EXTERNAL, K_SYMBOL, K_NUMBER, K_ODDBALL,
    K_CELL, K_PROPERTY_CELL, K_FEEDBACK_CELL, K_COLLECTION, K_WEAK_COLLECTION, K_PROMISE,
    K_REACTION, K_GENERATOR, K_ASYNC_FUNCTION, K_ASYNC_GENERATOR, K_PROXY, K_BOUND, K_WEAK_REF,
    K_WEAK_CELL, K_DATE, K_REGEXP, K_WRAPPER, K_BUFFER, K_VIEW, K_TEMPLATE, K_FOREIGN,
    K_SCOPE_INFO, K_NAME_DICTIONARY, K_ORDERED,
    K_CALLABLE /* of no known type */, K_MODULE_CONTEXT, K_COUNT
};
/* clang-format on */

/* What a word is: several bits may be set. */
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
    const struct v8_map *map; /* of K_MAP: the map itself */
};

struct finder {
    struct v8 *v8;
    struct v8_walker *walker;
    struct sample samples[K_COUNT][V8_SAMPLES];
    uint16_t count[K_COUNT], from_page[K_COUNT];
    uint64_t walked;
    unsigned votes[V8_COLUMNS];               /* of all decided fields */
    unsigned kind_votes[K_COUNT][V8_COLUMNS]; /* of those of one kind */
    unsigned overruled;                       /* published offsets that objects contradict */
    char overruled_name[48];
};

enum field_id {
#define V8_FIELD(id, type, class_name, field_names, what) F_##id,
#include "v8layout/fields.def"
#undef V8_FIELD
    F_COUNT
};

enum verdict { NO, UNSURE, YES };
/* Does this object confirm that the field stands at this offset? */
typedef enum verdict v8_check_field(struct finder *f, const struct sample *sample, uint32_t offset);

struct rule {
    enum kind kind;
    unsigned yes;          /* IS_* that confirm the field */
    unsigned unsure;       /* IS_* that neither confirm nor contradict; everything else contradicts */
    uint16_t types[6];     /* enum v8_type that confirm it; ends with 0 */
    v8_check_field *check; /* instead of these */
    uint8_t step; /* with a check: distance of the places to look at when none of `seen` fits; 0 = do not */
    uint8_t seen[V8_COLUMNS]; /* offsets in V8 9.0, 9.4, 10.2, 11.3, 12.4, 13.6, 14.6; 0 = no such field */
};
extern const struct rule v8_field_rules[F_COUNT]; /* rules.c */

v8_check_field v8_check_map_bits, v8_check_map_start, v8_check_array_length, v8_check_array_data,
    v8_check_property_array_length, v8_check_descriptor_header, v8_check_dispatch_handle,
    v8_check_prototype_slot, v8_check_line_end, v8_check_position_pair, v8_check_bytecode_header,
    v8_check_position_table, v8_check_frame_size, v8_check_instruction_start, v8_check_code_sizes,
    v8_check_code_flags, v8_check_string_length, v8_check_first_unit, v8_check_external_data,
    v8_check_oddball_text, v8_check_class_name, v8_check_buffer_length, v8_check_buffer_store,
    v8_check_view_length, v8_check_own_buffer, v8_check_typed_base; /* checks.c */
/* Are the numbers of source position tables unsigned? checks.c */
bool v8_positions_are_unsigned(struct finder *f);

/* Takes samples of every kind from pages all over the heap. samples.c */
void v8_collect_samples(struct finder *f);
unsigned v8_classify(const struct v8 *v8, v8_word word, enum v8_type *type_ret); /* IS_*; samples.c */

/* The column that agrees best with what is decided, fields of the same kind first. fields.c */
unsigned v8_best_column(const struct finder *f, enum kind kind);
/* Sets the forms at the end of struct v8_layout. forms.c */
void v8_find_forms(struct finder *f);

/* ---- words of samples ---- */

static inline bool v8_sample_word(const struct finder *f, const struct sample *sample, uint64_t offset,
                                  v8_word *ret) {
    return offset + 8 <= sample->size && pm_mem_u64(f->v8->mem, sample->address + offset, ret);
}

static inline bool v8_sample_u32(const struct finder *f, const struct sample *sample, uint64_t offset,
                                 uint32_t *ret) {
    return offset + 4 <= sample->size && pm_mem_u32(f->v8->mem, sample->address + offset, ret);
}

/* The value of a Smi field; UINT32_MAX when it is none or negative. */
static inline uint32_t v8_sample_smi(const struct finder *f, const struct sample *sample, uint64_t offset) {
    v8_word word;
    return v8_sample_word(f, sample, offset, &word) && v8_is_smi(word) && v8_smi(word) >= 0
               ? (uint32_t)v8_smi(word)
               : UINT32_MAX;
}

static inline pm_addr v8_sample_target(const struct finder *f, const struct sample *sample, uint64_t offset) {
    v8_word word;
    return v8_sample_word(f, sample, offset, &word) ? v8_target(f->v8, word) : 0;
}

#endif
