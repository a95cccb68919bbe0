#include <string.h>

#include "v8layout/deopt.h"
#include "v8layout/vlq.h"

/* translation.c - deoptimisation translations as a stream of instructions: what the opcodes mean, how they
 * are written. */

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

bool v8_translation_fail(struct v8_translation *it) {
    it->failed = true;
    return false;
}

static bool opcode_at_previous(struct v8_translation *it, uint8_t *ret) {
    if (it->previous >= it->length || it->previous >= it->position) return v8_translation_fail(it);
    *ret = it->bytes[it->previous++];
    return *ret < it->opcodes->count && it->opcodes->role[*ret] != V8_OP_MATCH ? true
                                                                               : v8_translation_fail(it);
}

static bool match(struct v8_translation *it, uint32_t instructions, uint8_t *ret) {
    if (instructions == 0) return v8_translation_fail(it);
    /* The instructions of the earlier translation that were not taken from it are passed over. */
    it->left_of_previous = instructions;
    for (; it->since_previous; it->since_previous--) {
        uint8_t skipped;
        if (++it->steps > V8_TRANSLATION_STEPS) return v8_translation_fail(it);
        if (!opcode_at_previous(it, &skipped) || !v8_translation_skip(it, it->opcodes->operands[skipped]))
            return v8_translation_fail(it);
    }
    return opcode_at_previous(it, ret);
}

bool v8_translation_next(struct v8_translation *it, uint8_t *opcode_ret) {
    if (it->failed || ++it->steps > V8_TRANSLATION_STEPS) return v8_translation_fail(it);
    if (it->left_of_previous && --it->left_of_previous) return opcode_at_previous(it, opcode_ret);
    if (it->form == V8_TRANSLATION_SIGNED || it->form == V8_TRANSLATION_OLD) {
        int32_t opcode;
        if (!v8_translation_signed(it, &opcode) || opcode < 0 || opcode >= it->opcodes->count)
            return v8_translation_fail(it);
        *opcode_ret = (uint8_t)opcode;
        return true;
    }
    if (it->position >= it->length) return v8_translation_fail(it);
    uint8_t byte = it->bytes[it->position++];
    /* A byte above the last opcode is a short MATCH. */
    if (byte >= it->opcodes->count && it->form != V8_TRANSLATION_LOOKBACK) return v8_translation_fail(it);
    if (byte >= it->opcodes->count) return match(it, byte - it->opcodes->count, opcode_ret);
    if (it->opcodes->role[byte] == V8_OP_MATCH) {
        uint32_t instructions;
        if (!v8_vlq_unsigned(it->bytes, it->length, &it->position, &instructions))
            return v8_translation_fail(it);
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
        return v8_translation_fail(it);
    uint32_t left = opcodes->operands[opcode];
    if (form == V8_TRANSLATION_LOOKBACK) {
        uint32_t lookback;
        if (left-- == 0 || !v8_vlq_unsigned(bytes, length, &it->position, &lookback) || lookback > index)
            return v8_translation_fail(it);
        it->previous = lookback ? index - lookback : UINT32_MAX;
        /* An earlier translation that itself looks back would never end. */
        if (lookback &&
            (bytes[it->previous] >= opcodes->count || opcodes->role[bytes[it->previous]] != V8_OP_BEGIN))
            return v8_translation_fail(it);
        it->since_previous = 1;
    }
    if (left < 2 || !v8_translation_signed(it, &frames) || !v8_translation_signed(it, &js_frames))
        return v8_translation_fail(it);
    if (!v8_translation_skip(it, left - 2)) return false;
    if (js_frames < 1 || frames < js_frames || frames > 100000) return v8_translation_fail(it);
    *frames_ret = (uint32_t)frames;
    *js_frames_ret = (uint32_t)js_frames;
    return true;
}
