#include "v8layout/deopt.h"

#include "postmortem/base/checked.h"
#include "v8layout/object_access.h"
#include "v8layout/objects.h"

/* deopt.c - DeoptimizationData, and the frames its translations describe. */

/* ---- DeoptimizationData ---- */

void v8_deopt_forms(struct v8_deopt_forms *forms, const struct v8 *v8) {
    *forms = (struct v8_deopt_forms){
        .items =
            {
                {.literals = 2, .shared = 6, .inlining_positions = 7, .first_entry = 11}, /* V8 9 to 12 */
                /* V8 13 put the protected literals (what may not be reached from outside the sandbox) before
                   the others. */
                {.literals = 3,
                 .protected_literals = 2,
                 .shared = 7,
                 .inlining_positions = 8,
                 .first_entry = 12},
            },
        .count = 2,
    };
    int64_t literals, positions, shared;
    if (!v8_facts_constant(v8->facts, "DeoptimizationDataLiteralArrayIndex", &literals) ||
        !v8_facts_constant(v8->facts, "DeoptimizationDataInliningPositionsIndex", &positions) ||
        literals < 2 || literals > 8 || positions < 4 || positions > 16)
        return;
    if (!v8_facts_constant(v8->facts, "DeoptimizationDataSharedFunctionInfoIndex", &shared) &&
        !v8_facts_constant(v8->facts, "DeoptimizationDataWrappedSharedFunctionInfoIndex", &shared) &&
        !v8_facts_constant(v8->facts, "DeoptimizationDataSharedFunctionInfoWrapperIndex", &shared))
        shared = positions - 1;
    if (shared < 2 || shared > 16) return;
    forms->items[0] = (struct v8_deopt_form){
        .literals = (uint32_t)literals,
        .protected_literals = literals == 3 ? 2 : 0,
        .shared = (uint32_t)shared,
        .inlining_positions = (uint32_t)positions,
        .first_entry = (uint32_t)positions + 4, /* DeoptExitStart and two counts between */
    };
    forms->count = 1;
    forms->published = true;
}

/* FixedArray and its weak, trusted and protected relatives: length, then elements. */
static bool element(const struct v8 *v8, pm_addr array, uint32_t index, v8_word *ret) {
    struct v8_thing thing;
    uint32_t count;
    return v8_thing_load(v8, array, &thing) &&
           v8_thing_count(v8, &thing, v8->layout.array_length.offset, &count) && index < count &&
           v8_thing_word(v8, &thing, v8->layout.array_data.offset + 8ull * index, ret);
}

static pm_addr element_ref(const struct v8 *v8, pm_addr array, uint32_t index) {
    v8_word word;
    return element(v8, array, index, &word) ? v8_target(v8, word) : 0;
}

static bool element_smi(const struct v8 *v8, pm_addr array, uint32_t index, int32_t *ret) {
    v8_word word;
    if (!element(v8, array, index, &word) || !v8_is_smi(word)) return false;
    *ret = v8_smi(word);
    return true;
}

static pm_addr as_shared(const struct v8 *v8, pm_addr object) {
    if (!object) return 0;
    enum v8_type type = v8_type_at(v8, object);
    if (type == V8_T_SHARED_FUNCTION_INFO) return object;
    v8_word word;
    if (type == V8_T_SHARED_FUNCTION_INFO_WRAPPER && v8_word_at(v8, object, 8, &word)) {
        pm_addr shared = v8_target(v8, word);
        if (shared && v8_type_at(v8, shared) == V8_T_SHARED_FUNCTION_INFO) return shared;
    }
    return 0;
}

static pm_addr literal_shared(const struct v8 *v8, const struct v8_deopt_form *form, pm_addr data,
                              int32_t literal) {
    if (literal < 0) return 0;
    pm_addr shared = as_shared(v8, element_ref(v8, element_ref(v8, data, form->literals), (uint32_t)literal));
    if (!shared && form->protected_literals)
        shared = as_shared(
            v8, element_ref(v8, element_ref(v8, data, form->protected_literals), (uint32_t)literal));
    return shared;
}

/* The form whose function is a function; NULL = this is no DeoptimizationData. */
static const struct v8_deopt_form *form_of(const struct v8 *v8, const struct v8_deopt_forms *forms,
                                           pm_addr data) {
    for (unsigned i = 0; data && i < forms->count; i++)
        if (as_shared(v8, element_ref(v8, data, forms->items[i].shared))) return &forms->items[i];
    return NULL;
}

pm_addr v8_deopt_shared(const struct v8 *v8, const struct v8_deopt_forms *forms, const struct v8_code *code) {
    const struct v8_deopt_form *form = form_of(v8, forms, code->deopt_data);
    return form ? as_shared(v8, element_ref(v8, code->deopt_data, form->shared)) : 0;
}

static const uint8_t *bytes_of(const struct v8 *v8, pm_addr array, uint32_t *length_ret) {
    struct v8_thing thing;
    uint32_t length;
    if (!v8_thing_load(v8, array, &thing) ||
        !v8_thing_count(v8, &thing, v8->layout.array_length.offset, &length))
        return NULL;
    uint64_t start = v8->layout.array_data.offset;
    if (start > thing.size || length > thing.size - start || length == 0) return NULL;
    *length_ret = length;
    return pm_mem_view(v8->mem, array + start, length);
}

/* ---- frames ---- */

struct value {
    bool known;
    v8_word word;
    pm_addr captured_map;
};

struct reader {
    const struct v8 *v8;
    const struct v8_deopt_form *form;
    pm_addr data, fp;
    struct v8_translation it;
};

static bool read_value(struct reader *reader, struct value *ret, uint8_t *opcode_ret);

static bool value_of_opcode(struct reader *reader, uint8_t opcode, struct value *ret) {
    struct v8_translation *it = &reader->it;
    int32_t operand;
    *ret = (struct value){0};
    switch (it->opcodes->role[opcode]) {
    case V8_OP_LITERAL:
        if (!v8_translation_signed(it, &operand)) return false;
        if (operand >= 0)
            ret->known = element(reader->v8, element_ref(reader->v8, reader->data, reader->form->literals),
                                 (uint32_t)operand, &ret->word);
        if (ret->known && v8_is_weak(ret->word)) ret->word &= ~(v8_word)2;
        return true;
    case V8_OP_STACK_SLOT: /* slot 0 is the return address, 1 the saved fp, 2 the context ... */
        if (!v8_translation_signed(it, &operand)) return false;
        if (operand > -100000 && operand < 100000)
            ret->known =
                pm_mem_u64(reader->v8->mem, reader->fp + (pm_addr)(8 - 8 * (int64_t)operand), &ret->word);
        return true;
    case V8_OP_CAPTURED: {
        if (!v8_translation_signed(it, &operand) || operand < 0 || operand > 100000)
            return v8_translation_fail(it);
        /* Its first field is its map. Fields may be captured objects in turn. */
        uint64_t left = (uint64_t)operand;
        bool first = true;
        while (left--) {
            uint8_t field;
            if (!v8_translation_next(it, &field)) return false;
            int32_t nested;
            if (it->opcodes->role[field] == V8_OP_CAPTURED) {
                if (!v8_translation_signed(it, &nested) || nested < 0 || nested > 100000)
                    return v8_translation_fail(it);
                left += (uint64_t)nested;
                if (left > V8_TRANSLATION_STEPS) return v8_translation_fail(it);
            } else if (first && it->opcodes->role[field] == V8_OP_LITERAL) {
                struct value map;
                if (!value_of_opcode(reader, field, &map)) return false;
                pm_addr object = map.known ? v8_target(reader->v8, map.word) : 0;
                if (object && v8_map_at(reader->v8, object)) ret->captured_map = object;
            } else if (!v8_translation_skip(it, it->opcodes->operands[field])) {
                return false;
            }
            first = false;
        }
        return true;
    }
    case V8_OP_VALUE: return v8_translation_skip(it, it->opcodes->operands[opcode]);
    default: return v8_translation_fail(it); /* a frame where a value should be */
    }
}

static bool read_value(struct reader *reader, struct value *ret, uint8_t *opcode_ret) {
    return v8_translation_next(&reader->it, opcode_ret) && value_of_opcode(reader, *opcode_ret, ret);
}

static bool read_js_frame(struct reader *reader, uint8_t opcode, struct v8_deopt_frame *frame) {
    struct v8_translation *it = &reader->it;
    int32_t offset, literal;
    if (it->opcodes->operands[opcode] < 2) return v8_translation_fail(it);
    if (!v8_translation_signed(it, &offset) || !v8_translation_signed(it, &literal)) return false;
    if (!v8_translation_skip(it, it->opcodes->operands[opcode] - 2u)) return false;
    frame->continuation = it->opcodes->role[opcode] == V8_OP_CONTINUATION;
    frame->bytecode_offset = frame->continuation ? -1 : offset;
    frame->shared = literal_shared(reader->v8, reader->form, reader->data, literal);
    if (!frame->shared) return v8_translation_fail(it);
    /* The function is the first value, the receiver the second. */
    struct value function, receiver;
    uint8_t unused;
    if (!read_value(reader, &function, &unused) || !read_value(reader, &receiver, &unused)) return false;
    pm_addr object = function.known ? v8_target(reader->v8, function.word) : 0;
    if (object && v8_ref(reader->v8, object, reader->v8->layout.function_shared) == frame->shared)
        frame->function = object;
    frame->receiver_known = receiver.known;
    frame->receiver = receiver.word;
    frame->receiver_map = receiver.captured_map;
    return true;
}

static size_t decode_frames(struct reader *reader, uint32_t wanted, pm_addr outer,
                            struct v8_deopt_frame *frames, size_t most) {
    const struct v8_opcodes *opcodes = reader->it.opcodes;
    size_t count = 0;
    bool constructor = false;
    while (count < wanted) {
        uint8_t opcode;
        if (!v8_translation_next(&reader->it, &opcode)) return 0;
        uint8_t role = opcodes->role[opcode];
        if (role == V8_OP_BEGIN) return 0;
        if (role == V8_OP_CONSTRUCT) constructor = true;
        if (role != V8_OP_INTERPRETED && role != V8_OP_CONTINUATION) {
            if (!v8_translation_skip(&reader->it, opcodes->operands[opcode])) return 0;
            continue;
        }
        struct v8_deopt_frame frame = {.constructor = constructor};
        constructor = false;
        if (!read_js_frame(reader, opcode, &frame)) return 0;
        if (count == 0 && outer && frame.shared != outer) return 0;
        if (count >= most) return 0;
        frames[count++] = frame;
    }
    return count;
}

size_t v8_deopt_frames(const struct v8 *v8, const struct v8_opcodes *opcodes,
                       const struct v8_deopt_forms *forms, const struct v8_code *code, int32_t deopt_index,
                       pm_addr fp, pm_addr outer, struct v8_deopt_frame *frames, size_t most) {
    int32_t index;
    uint32_t length, all, wanted;
    const struct v8_deopt_form *form = form_of(v8, forms, code->deopt_data);
    if (!opcodes->forms || !form || deopt_index < 0 || deopt_index > 1 << 24) return 0;
    if (!element_smi(v8, code->deopt_data, form->first_entry + 3 * (uint32_t)deopt_index + 1, &index) ||
        index < 0)
        return 0;
    const uint8_t *bytes =
        bytes_of(v8, element_ref(v8, code->deopt_data, 0 /* translations, in every form */), &length);
    if (!bytes) return 0;
    size_t count = 0;
    for (unsigned bit = V8_TRANSLATION_LOOKBACK; bit && count == 0; bit >>= 1) {
        struct reader reader = {.v8 = v8, .form = form, .data = code->deopt_data, .fp = fp};
        if ((opcodes->forms & bit) && v8_translation_start(&reader.it, opcodes, (enum v8_translation_form)bit,
                                                           bytes, length, (uint32_t)index, &all, &wanted))
            count = decode_frames(&reader, wanted, outer, frames, most);
    }
    return count;
}

size_t v8_inlined_positions(const struct v8 *v8, const struct v8_deopt_forms *forms,
                            const struct v8_code *code, uint32_t pc_offset, pm_addr outer,
                            struct v8_inlined_position *positions, size_t most) {
    if (!code->positions || !outer || pc_offset > INT32_MAX || most == 0) return 0;
    int32_t inlining = -1;
    int32_t position = v8_source_position(v8, code->positions, (int32_t)pc_offset, &inlining);
    if (position < 0) return 0;
    uint32_t length = 0;
    const struct v8_deopt_form *form = form_of(v8, forms, code->deopt_data);
    const uint8_t *table =
        form ? bytes_of(v8, element_ref(v8, code->deopt_data, form->inlining_positions), &length) : NULL;
    size_t count = 0;
    while (count < most) {
        struct v8_inlined_position row = {outer, position};
        if (inlining < 0) {
            positions[count++] = row;
            break;
        }
        /* InliningPosition: the call's position (as in the table: script offset + 1 in bits 1-30, inlining id
         * + 1 in bits 31-46), the function as a literal. */
        if (!table || (uint64_t)inlining * 16 + 16 > length) return 0;
        uint64_t raw = pm_load_u64(table + (size_t)inlining * 16);
        row.shared = literal_shared(v8, form, code->deopt_data,
                                    (int32_t)pm_load_u32(table + (size_t)inlining * 16 + 8));
        if (!row.shared) return 0;
        positions[count++] = row;
        int32_t next = (int32_t)(raw >> 31 & 0xffff) - 1;
        if (next >= inlining) return 0; /* callers come first: anything else would run in circles */
        position = (int32_t)(raw >> 1 & 0x3fffffff) - 1;
        inlining = next;
    }
    for (size_t i = 0; i < count / 2; i++) {
        struct v8_inlined_position swapped = positions[i];
        positions[i] = positions[count - 1 - i];
        positions[count - 1 - i] = swapped;
    }
    return count;
}
