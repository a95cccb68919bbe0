#include "v8layout/deopt.h"

#include <string.h>

#include "postmortem/base/checked.h"
#include "v8layout/object_access.h"
#include "v8layout/objects.h"
#include "v8layout/vlq.h"

/* A translation of a function with everything inlined has some thousand instructions. */
#define MAX_STEPS 200000u

/* ---- what the opcodes mean ---- */

static uint8_t role_of_name(const char *name) {
    static const struct {
        const char *name;
        uint8_t role;
        bool is_prefix;
    } roles[] = {
        {"BEGIN", V8_OP_BEGIN, true},
        {"INTERPRETED_FRAME", V8_OP_INTERPRETED, true},
        {"JAVA_SCRIPT_BUILTIN_CONTINUATION", V8_OP_CONTINUATION, true},
        {"JAVASCRIPT_BUILTIN_CONTINUATION", V8_OP_CONTINUATION, true},
        {"CONSTRUCT_", V8_OP_CONSTRUCT, true},
        {"BUILTIN_CONTINUATION_FRAME", V8_OP_OTHER_FRAME, false},
        {"JS_TO_WASM_BUILTIN_CONTINUATION_FRAME", V8_OP_OTHER_FRAME, false},
        {"WASM_INLINED_INTO_JS_FRAME", V8_OP_OTHER_FRAME, false},
        {"LIFTOFF_FRAME", V8_OP_OTHER_FRAME, false},
        {"INLINED_EXTRA_ARGUMENTS", V8_OP_OTHER_FRAME, false},
        {"ARGUMENTS_ADAPTOR_FRAME", V8_OP_OTHER_FRAME, false},
        {"UPDATE_FEEDBACK", V8_OP_UPDATE_FEEDBACK, false},
        {"LITERAL", V8_OP_LITERAL, false},
        {"STACK_SLOT", V8_OP_STACK_SLOT, false},
        {"TAGGED_STACK_SLOT", V8_OP_STACK_SLOT, false},
        {"CAPTURED_OBJECT", V8_OP_CAPTURED, false},
        {"MATCH_PREVIOUS_TRANSLATION", V8_OP_MATCH, false},
    };
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
        if (roles[i].is_prefix ? strncmp(name, roles[i].name, strlen(roles[i].name)) == 0
                               : strcmp(name, roles[i].name) == 0)
            return roles[i].role;
    return V8_OP_VALUE;
}

static bool init_from_names(struct v8_opcodes *opcodes, const char *const *names) {
    bool begin = false, interpreted = false;
    for (unsigned i = 0; i < opcodes->count; i++) {
        if (!names[i] || !*names[i]) return false;
        opcodes->role[i] = role_of_name(names[i]);
        begin |= opcodes->role[i] == V8_OP_BEGIN;
        interpreted |= opcodes->role[i] == V8_OP_INTERPRETED;
    }
    /* The lookback of BEGIN came together with MATCH_PREVIOUS_TRANSLATION (V8 11). */
    opcodes->forms = opcodes->role[opcodes->count - 1] == V8_OP_MATCH
                         ? V8_TRANSLATION_LOOKBACK
                         : V8_TRANSLATION_OLD | V8_TRANSLATION_SIGNED | V8_TRANSLATION_BYTES;
    opcodes->evidence = "names in the binary";
    return begin && interpreted;
}

/* V8 11.8 and later publish no names, but since then the order has a shape: JavaScript frames first
 * (interpreted with and without return value, two builtin continuations), other frames up to
 * INLINED_EXTRA_ARGUMENTS (2, later 3), ARGUMENTS_ELEMENTS (1), lengths (0), two BEGINs (3, 3), values, and
 * at the end OPTIMIZED_OUT (0), LITERAL, REGISTER, TAGGED_STACK_SLOT, two of uint32 (1 each), UPDATE_FEEDBACK
 * (2), MATCH_PREVIOUS_TRANSLATION (1). CAPTURED_OBJECT is the third value. */
static bool init_from_shape(struct v8_opcodes *opcodes) {
    const uint8_t *counts = opcodes->operands;
    unsigned n = opcodes->count;
    if (n < 24 || counts[0] != counts[1] + 2 || counts[2] != 3 || counts[3] != 3) return false;
    static const uint8_t tail[] = {0, 1, 1, 1, 1, 1, 2, 1};
    if (memcmp(counts + n - sizeof(tail), tail, sizeof(tail)) != 0) return false;
    unsigned at = 4;
    while (at < n && counts[at] != 0) at++; /* ARGUMENTS_LENGTH */
    if (at < 7 || counts[at - 1] != 1 || counts[at - 2] < 2) return false;
    unsigned frames_end = at - 1;
    while (at < n && counts[at] == 0) at++;
    if (at + 5 > n || counts[at] != 3 || counts[at + 1] != 3 || counts[at + 4] != 1) return false;
    memset(opcodes->role, V8_OP_VALUE, sizeof(opcodes->role));
    opcodes->role[0] = opcodes->role[1] = V8_OP_INTERPRETED;
    opcodes->role[2] = opcodes->role[3] = V8_OP_CONTINUATION;
    opcodes->role[4] = opcodes->role[5] = V8_OP_CONSTRUCT; /* create stub, invoke stub */
    if (counts[4] != 2 || counts[5] != 1) return false;
    for (unsigned i = 6; i < frames_end; i++) opcodes->role[i] = V8_OP_OTHER_FRAME;
    opcodes->role[at] = opcodes->role[at + 1] = V8_OP_BEGIN;
    opcodes->role[at + 4] = V8_OP_CAPTURED;
    opcodes->role[n - 7] = V8_OP_LITERAL;
    opcodes->role[n - 5] = V8_OP_STACK_SLOT;
    opcodes->role[n - 2] = V8_OP_UPDATE_FEEDBACK;
    opcodes->role[n - 1] = V8_OP_MATCH;
    opcodes->forms = V8_TRANSLATION_LOOKBACK;
    opcodes->evidence = "shape of the operand counts";
    return true;
}

bool v8_opcodes_init(struct v8_opcodes *opcodes, const int32_t *counts, size_t count,
                     const char *const *names) {
    memset(opcodes, 0, sizeof(*opcodes));
    if (count < 8 || count > sizeof(opcodes->operands)) return false;
    opcodes->count = (uint8_t)count;
    for (size_t i = 0; i < count; i++) {
        if (counts[i] < 0 || counts[i] > 8) return false;
        opcodes->operands[i] = (uint8_t)counts[i];
    }
    return names ? init_from_names(opcodes, names) : init_from_shape(opcodes);
}

bool v8_opcodes_load(struct v8_opcodes *opcodes, const struct v8 *v8) {
    static const char counts_symbol[] =
        "_ZZN2v88internal29TranslationOpcodeOperandCountENS0_17TranslationOpcodeEE6counts";
    static const char names_symbol[] =
        "_ZZN2v88internal25TranslationOpcodeToStringENS0_17TranslationOpcodeEE5names";
    int32_t counts[128];
    char texts[128][64];
    const char *names[128];
    memset(opcodes, 0, sizeof(*opcodes));
    pm_addr addr;
    uint64_t size;
    if (!v8_facts_symbol(v8->facts, counts_symbol, &addr, &size) || size % 4 != 0 || size > sizeof(counts))
        return false;
    if (!pm_mem_copy(v8->mem, addr, counts, size)) {
        const uint8_t *bytes = v8_facts_code(v8->facts, counts_symbol, &size);
        if (!bytes || size > sizeof(counts)) return false;
        memcpy(counts, bytes, size);
    }
    size_t count = size / 4;
    bool has_names = v8_facts_symbol(v8->facts, names_symbol, &addr, &size) && size == count * 8;
    for (size_t i = 0; i < count && has_names; i++) {
        uint64_t text;
        has_names = pm_mem_u64(v8->mem, addr + 8 * i, &text);
        for (size_t at = 0; has_names && at < sizeof(texts[i]); at++) {
            uint8_t byte;
            has_names = pm_mem_u8(v8->mem, text + at, &byte) && (byte || at);
            texts[i][at] = (char)byte;
            if (has_names && !byte) break;
            if (at + 1 == sizeof(texts[i])) has_names = false;
        }
        names[i] = texts[i];
    }
    return v8_opcodes_init(opcodes, counts, count, has_names ? names : NULL);
}

/* ---- the instruction stream ---- */

static uint32_t *cursor(struct v8_translation *it) {
    return it->left_of_previous ? &it->previous : &it->position;
}

static bool read_unsigned(struct v8_translation *it, uint32_t *ret) {
    uint32_t *position = cursor(it);
    if (it->failed) return false;
    if (it->form != V8_TRANSLATION_OLD) {
        it->failed = !v8_vlq_unsigned(it->bytes, it->length, position, ret);
        return !it->failed;
    }
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        if (*position >= it->length) break;
        uint8_t byte = it->bytes[(*position)++];
        value |= (uint64_t)(byte >> 1) << shift;
        if (byte & 1) continue;
        *ret = (uint32_t)value;
        return true;
    }
    it->failed = true;
    return false;
}

bool v8_translation_signed(struct v8_translation *it, int32_t *ret) {
    uint32_t value;
    if (!read_unsigned(it, &value)) return false;
    int32_t magnitude = (int32_t)(value >> 1);
    *ret = value & 1 ? -magnitude : magnitude;
    return true;
}

bool v8_translation_skip(struct v8_translation *it, uint32_t operands) {
    uint32_t value;
    for (uint32_t i = 0; i < operands; i++)
        if (!read_unsigned(it, &value)) return false;
    return !it->failed;
}

static bool fail(struct v8_translation *it) {
    it->failed = true;
    return false;
}

static bool opcode_at_previous(struct v8_translation *it, uint8_t *ret) {
    if (it->previous >= it->length || it->previous >= it->position) return fail(it);
    *ret = it->bytes[it->previous++];
    return *ret < it->opcodes->count && it->opcodes->role[*ret] != V8_OP_MATCH ? true : fail(it);
}

static bool match(struct v8_translation *it, uint32_t instructions, uint8_t *ret) {
    if (instructions == 0) return fail(it);
    /* The instructions of the earlier translation that were not taken from it are passed over. */
    it->left_of_previous = instructions;
    for (; it->since_previous; it->since_previous--) {
        uint8_t skipped;
        if (++it->steps > MAX_STEPS) return fail(it);
        if (!opcode_at_previous(it, &skipped) || !v8_translation_skip(it, it->opcodes->operands[skipped]))
            return fail(it);
    }
    return opcode_at_previous(it, ret);
}

bool v8_translation_next(struct v8_translation *it, uint8_t *opcode_ret) {
    if (it->failed || ++it->steps > MAX_STEPS) return fail(it);
    if (it->left_of_previous && --it->left_of_previous) return opcode_at_previous(it, opcode_ret);
    if (it->form == V8_TRANSLATION_SIGNED || it->form == V8_TRANSLATION_OLD) {
        int32_t opcode;
        if (!v8_translation_signed(it, &opcode) || opcode < 0 || opcode >= it->opcodes->count)
            return fail(it);
        *opcode_ret = (uint8_t)opcode;
        return true;
    }
    if (it->position >= it->length) return fail(it);
    uint8_t byte = it->bytes[it->position++];
    /* A byte above the last opcode is a short MATCH. */
    if (byte >= it->opcodes->count && it->form != V8_TRANSLATION_LOOKBACK) return fail(it);
    if (byte >= it->opcodes->count) return match(it, byte - it->opcodes->count, opcode_ret);
    if (it->opcodes->role[byte] == V8_OP_MATCH) {
        uint32_t instructions;
        if (!v8_vlq_unsigned(it->bytes, it->length, &it->position, &instructions)) return fail(it);
        return match(it, instructions, opcode_ret);
    }
    it->since_previous++;
    *opcode_ret = byte;
    return true;
}

bool v8_translation_start(struct v8_translation *it, const struct v8_opcodes *opcodes,
                          enum v8_translation_form form, const uint8_t *bytes, uint32_t length,
                          uint32_t index, uint32_t *frames_ret, uint32_t *js_frames_ret) {
    *it = (struct v8_translation){
        .opcodes = opcodes, .bytes = bytes, .length = length, .position = index, .form = form};
    uint8_t opcode;
    int32_t frames, js_frames;
    if (index >= length || !v8_translation_next(it, &opcode) || opcodes->role[opcode] != V8_OP_BEGIN)
        return fail(it);
    uint32_t left = opcodes->operands[opcode];
    if (form == V8_TRANSLATION_LOOKBACK) {
        uint32_t lookback;
        if (left-- == 0 || !v8_vlq_unsigned(bytes, length, &it->position, &lookback) || lookback > index)
            return fail(it);
        it->previous = lookback ? index - lookback : UINT32_MAX;
        /* An earlier translation that itself looks back would never end. */
        if (lookback &&
            (bytes[it->previous] >= opcodes->count || opcodes->role[bytes[it->previous]] != V8_OP_BEGIN))
            return fail(it);
        it->since_previous = 1;
    }
    if (left < 2 || !v8_translation_signed(it, &frames) || !v8_translation_signed(it, &js_frames))
        return fail(it);
    if (!v8_translation_skip(it, left - 2)) return false;
    if (js_frames < 1 || frames < js_frames || frames > 100000) return fail(it);
    *frames_ret = (uint32_t)frames;
    *js_frames_ret = (uint32_t)js_frames;
    return true;
}

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
        if (!v8_translation_signed(it, &operand) || operand < 0 || operand > 100000) return fail(it);
        /* Its first field is its map. Fields may be captured objects in turn. */
        uint64_t left = (uint64_t)operand;
        bool first = true;
        while (left--) {
            uint8_t field;
            if (!v8_translation_next(it, &field)) return false;
            int32_t nested;
            if (it->opcodes->role[field] == V8_OP_CAPTURED) {
                if (!v8_translation_signed(it, &nested) || nested < 0 || nested > 100000) return fail(it);
                left += (uint64_t)nested;
                if (left > MAX_STEPS) return fail(it);
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
    default: return fail(it); /* a frame where a value should be */
    }
}

static bool read_value(struct reader *reader, struct value *ret, uint8_t *opcode_ret) {
    return v8_translation_next(&reader->it, opcode_ret) && value_of_opcode(reader, *opcode_ret, ret);
}

static bool read_js_frame(struct reader *reader, uint8_t opcode, struct v8_deopt_frame *frame) {
    struct v8_translation *it = &reader->it;
    int32_t offset, literal;
    if (it->opcodes->operands[opcode] < 2) return fail(it);
    if (!v8_translation_signed(it, &offset) || !v8_translation_signed(it, &literal)) return false;
    if (!v8_translation_skip(it, it->opcodes->operands[opcode] - 2u)) return false;
    frame->continuation = it->opcodes->role[opcode] == V8_OP_CONTINUATION;
    frame->bytecode_offset = frame->continuation ? -1 : offset;
    frame->shared = literal_shared(reader->v8, reader->form, reader->data, literal);
    if (!frame->shared) return fail(it);
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
