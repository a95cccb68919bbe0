#include "v8layout/fields/finder.h"

#include "postmortem/base/checked.h"
#include "v8layout/objects.h"
#include "v8layout/position_table.h"

/* checks.c - fields that the type of what a slot refers to cannot tell: sizes that must come out, pairs that
 * must agree, bytes that must be there. */

static enum verdict verdict_if(bool condition) {
    return condition ? YES : NO;
}

enum verdict v8_check_map_bits(struct finder *f, const struct sample *sample, uint32_t offset) {
    uint32_t bits;
    uint16_t rows;
    pm_addr descriptors = v8_ref(f->v8, sample->address, f->v8->layout.map_descriptors);
    if (!v8_sample_u32(f, sample, offset, &bits) || !pm_mem_u16(f->v8->mem, descriptors + 8, &rows))
        return UNSURE;
    return verdict_if(V8_MAP_OWN_DESCRIPTORS(bits) <= rows);
}

enum verdict v8_check_map_start(struct finder *f, const struct sample *sample, uint32_t offset) {
    uint8_t start;
    if (!pm_mem_u8(f->v8->mem, sample->address + offset, &start)) return UNSURE;
    return verdict_if(start >= 2 && start <= sample->map->size_words);
}

enum verdict v8_check_array_length(struct finder *f, const struct sample *sample, uint32_t offset) {
    uint32_t length = v8_sample_smi(f, sample, offset);
    return verdict_if(sample->size == 16 + 8 * (uint64_t)length);
}

enum verdict v8_check_array_data(struct finder *f, const struct sample *sample, uint32_t offset) {
    uint32_t length = v8_sample_smi(f, sample, f->v8->layout.array_length.offset);
    return verdict_if(sample->size == offset + 8 * (uint64_t)length);
}

enum verdict v8_check_property_array_length(struct finder *f, const struct sample *sample, uint32_t offset) {
    v8_word word;
    if (!v8_sample_word(f, sample, offset, &word) || !v8_is_smi(word)) return NO;
    return verdict_if(sample->size == 16 + 8 * (uint64_t)((word >> 32) & 0x3ff));
}

enum verdict v8_check_descriptor_header(struct finder *f, const struct sample *sample, uint32_t offset) {
    uint16_t rows;
    enum v8_type type;
    v8_word key;
    if (!pm_mem_u16(f->v8->mem, sample->address + 8, &rows) || sample->size != offset + 24 * (uint64_t)rows)
        return NO;
    return rows == 0 || !v8_sample_word(f, sample, offset, &key)
               ? UNSURE
               : verdict_if(v8_classify(f->v8, key, &type) & IS_NAME);
}

/* JSDispatchHandle: u32, an index << 8, not a tagged word; src/objects/js-function.h with leaptiering (V8
 * 13). Behind it are four bytes that optimised code leaves as they are. */
enum verdict v8_check_dispatch_handle(struct finder *f, const struct sample *sample, uint32_t offset) {
    v8_word word;
    if (!v8_sample_word(f, sample, offset, &word)) return NO;
    return (uint32_t)word == 0 ? UNSURE : verdict_if((word & 0xff) == 0);
}

enum verdict v8_check_prototype_slot(struct finder *f, const struct sample *sample, uint32_t offset) {
    v8_word word;
    enum v8_type type;
    if (!(sample->map->bit_field & V8_MAP_PROTOTYPE_SLOT)) return UNSURE;
    if (!v8_sample_word(f, sample, offset, &word)) return NO;
    unsigned is = v8_classify(f->v8, word, &type);
    return verdict_if((is & (IS_RECEIVER | IS_ODDBALL)) || type == V8_T_MAP || type == V8_T_TUPLE2);
}

enum verdict v8_check_line_end(struct finder *f, const struct sample *sample, uint32_t offset) {
    v8_word word;
    enum v8_type type;
    if (!v8_sample_word(f, sample, offset, &word)) return NO;
    unsigned is = v8_classify(f->v8, word, &type);
    return type == V8_T_FIXED_ARRAY ? YES : is & (IS_ODDBALL | IS_SMI) ? UNSURE : NO;
}

enum verdict v8_check_position_pair(struct finder *f, const struct sample *sample, uint32_t offset) {
    uint32_t start, end;
    return verdict_if(v8_sample_u32(f, sample, offset, &start) &&
                      v8_sample_u32(f, sample, offset + 4, &end) && start <= end && end < (1u << 30));
}

enum verdict v8_check_bytecode_header(struct finder *f, const struct sample *sample, uint32_t offset) {
    return verdict_if(sample->size == pm_align_up(offset + (uint64_t)v8_sample_smi(f, sample, 8), 8));
}

enum verdict v8_check_frame_size(struct finder *f, const struct sample *sample, uint32_t offset) {
    uint32_t size;
    return verdict_if(v8_sample_u32(f, sample, offset, &size) && size % 8 == 0 && size < (1u << 20));
}

/* Does an object of `size` bytes consist of a header, the instructions and the metadata whose sizes stand at
 * `offset`? */
static bool sizes_add_up(struct finder *f, const struct sample *sample, uint32_t offset, uint64_t header,
                         uint64_t size) {
    uint32_t instructions, metadata;
    if (!v8_sample_u32(f, sample, offset, &instructions) || !v8_sample_u32(f, sample, offset + 4, &metadata))
        return false;
    uint64_t bytes = header + instructions + metadata;
    return size == pm_align_up(bytes, 64) || size == pm_align_up(bytes, 32);
}

enum {
    LEAST_CODE = 32,
    EMPTY_ARRAY = 24,
    INLINE_CODE = 64
}; /* larger offsets: the instructions stand in the Code object itself, V8 9.0 to 10.8 */

enum verdict v8_check_instruction_start(struct finder *f, const struct sample *sample, uint32_t offset) {
    v8_word word;
    if (offset >= INLINE_CODE)
        return verdict_if(
            sizes_add_up(f, sample, 40, offset, sample->size)); /* sizes at 40 and 44 in all of them */
    const struct pm_mem_range *range =
        v8_sample_word(f, sample, offset, &word) ? pm_mem_find(f->v8->mem, word) : NULL;
    /* A reference to the stream has a tag. */
    return verdict_if(range && (range->protection & PM_MEM_EXECUTE) && (word & 7) == 0);
}

/* The InstructionStream of a Code (V8 11 and later); 0 = none, the code is a builtin's. */
static pm_addr stream_of(struct finder *f, const struct sample *sample) {
    for (uint64_t offset = 8; offset < 64; offset += 8) {
        pm_addr target = v8_sample_target(f, sample, offset);
        if (target && v8_type_at(f->v8, target) == V8_T_INSTRUCTION_STREAM) return target;
    }
    return 0;
}

/* Instruction size; the metadata's follows it. Both together fill the InstructionStream, whose header is 16
 * or 32 bytes. */
enum verdict v8_check_code_sizes(struct finder *f, const struct sample *sample, uint32_t offset) {
    struct v8_field start = f->v8->layout.code_instruction_start;
    if (start.present && start.offset >= INLINE_CODE)
        return verdict_if(sizes_add_up(f, sample, offset, start.offset, sample->size));
    pm_addr stream = stream_of(f, sample);
    uint64_t size = stream ? v8_size(f->v8, stream) : 0;
    uint32_t instructions;
    if (!size) return UNSURE;
    /* Flags stand before the size, and those of baseline code are a small number; code is not that short. */
    if (!v8_sample_u32(f, sample, offset, &instructions) || instructions < LEAST_CODE) return NO;
    return verdict_if(sizes_add_up(f, sample, offset, 16, size) || sizes_add_up(f, sample, offset, 32, size));
}

/* CodeKind in the low bits: baseline code, known by the bytecode it refers to, was 9 to 12 in all versions,
 * and optimised code, known by its deoptimisation data, the kinds behind it. */
enum verdict v8_check_code_flags(struct finder *f, const struct sample *sample, uint32_t offset) {
    uint32_t flags;
    v8_word word;
    pm_addr data = v8_ref(f->v8, sample->address, f->v8->layout.code_deoptimization_data);
    if (!v8_sample_u32(f, sample, offset, &flags)) return NO;
    if (v8_sample_word(f, sample, offset & ~7u, &word) && pm_mem_find(f->v8->mem, word))
        return NO; /* half of an address */
    enum v8_type type = v8_type_at(f->v8, data);
    if (type == V8_T_BYTECODE_ARRAY) return verdict_if((flags & 15) >= 9 && (flags & 15) <= 12);
    bool is_array =
        type == V8_T_FIXED_ARRAY || type == V8_T_PROTECTED_FIXED_ARRAY || type == V8_T_TRUSTED_FIXED_ARRAY;
    if (is_array && v8_size(f->v8, data) > EMPTY_ARRAY)
        return verdict_if((flags & 15) >= 9 && (flags & 15) <= 14);
    bool is_builtin = f->v8->layout.code_instruction_start.offset < INLINE_CODE && !stream_of(f, sample);
    return is_builtin && (flags & 15) > 4 ? NO : UNSURE;
}

enum verdict v8_check_string_length(struct finder *f, const struct sample *sample, uint32_t offset) {
    uint32_t length, width = sample->map->instance_type & V8_STRING_ONE_BYTE ? 1 : 2;
    return verdict_if(v8_sample_u32(f, sample, offset, &length) &&
                      sample->size == pm_align_up(16 + (uint64_t)length * width, 8));
}

enum verdict v8_check_first_unit(struct finder *f, const struct sample *sample, uint32_t offset) {
    uint32_t length, width = sample->map->instance_type & V8_STRING_ONE_BYTE ? 1 : 2;
    if (!v8_field_u32(f->v8, sample->address, f->v8->layout.string_length, &length)) return UNSURE;
    return verdict_if(sample->size == pm_align_up(offset + (uint64_t)length * width, 8));
}

enum verdict v8_check_external_data(struct finder *f, const struct sample *sample, uint32_t offset) {
    v8_word data;
    if (!v8_sample_word(f, sample, offset, &data) || data == 0) return UNSURE;
    return verdict_if(pm_mem_probe(f->v8->mem, data, 1) != PM_MEM_NOT_MAPPED);
}

enum verdict v8_check_oddball_text(struct finder *f, const struct sample *sample, uint32_t offset) {
    static const char *const texts[] = {"undefined", "null", "true", "false"};
    pm_addr text = v8_sample_target(f, sample, offset);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (v8_string_equals(f->v8, text, texts[i])) return YES;
    return v8_is_string(v8_map(f->v8, text)) ? UNSURE : NO;
}

/* The class name is a string, and the name of the template's SharedFunctionInfo, where that exists, is the
 * same object. */
enum verdict v8_check_class_name(struct finder *f, const struct sample *sample, uint32_t offset) {
    v8_word word, name;
    enum v8_type type;
    if (!v8_sample_word(f, sample, offset, &word)) return NO;
    unsigned is = v8_classify(f->v8, word, &type);
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
enum verdict v8_check_buffer_length(struct finder *f, const struct sample *sample, uint32_t offset) {
    uint64_t length, most;
    enum v8_type type;
    if (!v8_sample_word(f, sample, offset, &length) || !v8_sample_word(f, sample, offset + 8, &most) ||
        length >> 40 || !(v8_classify(f->v8, length, &type) & (IS_RAW | IS_SMI)))
        return NO;
    return length && length == most ? YES : UNSURE;
}

/* In front of the store stands a length: the greatest one, or the only one (V8 9.0); behind it the extension,
 * also a pointer. */
enum verdict v8_check_buffer_store(struct finder *f, const struct sample *sample, uint32_t offset) {
    const struct pm_mem *mem = f->v8->mem;
    uint64_t store, length, before;
    if (!v8_sample_word(f, sample, offset, &store) || !v8_sample_word(f, sample, offset - 8, &before) ||
        !v8_sample_word(f, sample, f->v8->layout.array_buffer_byte_length.offset, &length))
        return NO;
    if (length == 0 || store == 0) return UNSURE;
    if (before != length && pm_mem_probe(mem, before, 1) != PM_MEM_NOT_MAPPED) return NO;
    return verdict_if(pm_mem_probe(mem, store, length) != PM_MEM_NOT_MAPPED &&
                      !v8_page_of(f->v8, store & ~(pm_addr)7));
}

/* Does the part [offset, offset + length) lie inside of the view's buffer? */
enum verdict v8_check_own_buffer(struct finder *f, const struct sample *sample, uint32_t offset) {
    uint64_t start, length, whole;
    pm_addr buffer = v8_ref(f->v8, sample->address, f->v8->layout.view_buffer);
    if (!v8_sample_word(f, sample, offset, &start) || !v8_sample_word(f, sample, offset + 8, &length) ||
        !v8_field_word(f->v8, buffer, f->v8->layout.array_buffer_byte_length, &whole))
        return NO;
    return whole == 0 ? UNSURE : verdict_if(start <= whole && length <= whole - start && length > 0);
}

enum verdict v8_check_view_length(struct finder *f, const struct sample *sample, uint32_t offset) {
    uint64_t count, bytes;
    if (offset == f->v8->layout.view_byte_length.offset || !v8_sample_word(f, sample, offset, &count) ||
        !v8_field_word(f->v8, sample->address, f->v8->layout.view_byte_length, &bytes))
        return NO;
    if (bytes == 0) return UNSURE;
    return verdict_if(count && bytes % count == 0 && bytes / count <= 8);
}

enum verdict v8_check_typed_base(struct finder *f, const struct sample *sample, uint32_t offset) {
    v8_word word;
    enum v8_type type;
    if (!v8_sample_word(f, sample, offset, &word)) return NO;
    return v8_classify(f->v8, word, &type) & IS_ZERO ? UNSURE : verdict_if(type == V8_T_BYTE_ARRAY);
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

enum verdict v8_check_position_table(struct finder *f, const struct sample *sample, uint32_t offset) {
    v8_word word;
    enum v8_type type;
    uint32_t length, code_length = v8_sample_smi(f, sample, 8);
    if (!v8_sample_word(f, sample, offset, &word)) return NO;
    unsigned is = v8_classify(f->v8, word, &type);
    if (is & (IS_SMI | IS_ODDBALL)) return UNSURE;
    const uint8_t *bytes = byte_array(f, v8_target(f->v8, word), &length);
    if (!bytes) return NO;
    if (length == 0) return UNSURE;
    return verdict_if(table_reads(bytes, length, code_length, false) ||
                      table_reads(bytes, length, code_length, true));
}

/* Tables of the unsigned form (V8 14.1 and later) do not read as signed ones; the reverse cannot be told. */
bool v8_positions_are_unsigned(struct finder *f) {
    unsigned failed = 0, tables = 0;
    struct v8_field field = f->v8->layout.bytecode_source_positions;
    for (uint16_t i = 0; field.present && i < f->count[K_BYTECODE]; i++) {
        const struct sample *sample = &f->samples[K_BYTECODE][i];
        uint32_t length;
        const uint8_t *bytes = byte_array(f, v8_sample_target(f, sample, field.offset), &length);
        if (!bytes || length == 0) continue;
        tables++;
        failed += !table_reads(bytes, length, v8_sample_smi(f, sample, 8), false);
    }
    return tables && failed * 50 > tables;
}
