/* The tables behind compiled code, from bytes made by hand, and from bytes that are none: every reader stops
 * inside its bytes (the sanitizers see to it) and believes nothing it cannot check. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "v8layout/call_site.h"
#include "v8layout/deopt.h"
#include "v8layout/frame_types.h"
#include "v8layout/vlq.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A copy of exactly these bytes, so that a read behind them is found. */
static uint8_t *exact(const uint8_t *bytes, size_t length) {
    uint8_t *copy = malloc(length ? length : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, length);
    return copy;
}

static uint64_t random_state = 88172645463325252ull;
static uint32_t next_random(uint32_t most) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % most;
}

/* ---- numbers ---- */

static void test_vlq(void **state) {
    (void)state;
    static const uint8_t bytes[] = {0x05, 0x81, 0x01, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x07, 0x80};
    uint32_t at = 0, value;
    int32_t number;
    assert_true(v8_vlq_unsigned(bytes, sizeof(bytes), &at, &value) && value == 5 && at == 1);
    assert_true(v8_vlq_unsigned(bytes, sizeof(bytes), &at, &value) && value == 129 && at == 3);
    assert_true(v8_vlq_unsigned(bytes, sizeof(bytes), &at, &value) && value == UINT32_MAX && at == 8);
    assert_true(v8_vlq_signed(bytes, sizeof(bytes), &at, &number) && number == -3 && at == 9);
    assert_false(v8_vlq_unsigned(bytes, sizeof(bytes), &at, &value)); /* more is said to follow */
    assert_int_equal(at, 9);
    static const uint8_t endless[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00};
    at = 0;
    assert_false(v8_vlq_unsigned(endless, sizeof(endless), &at, &value));
}

/* ---- baseline ---- */

/* Bytecodes 0 to 3 are prefixes (1 byte); 4 has 2 bytes, wide 3, extra wide 5; 5 has 1. */
static const uint8_t sizes[] = {1, 1, 1, 1, 2, 1, 1, 1, 1, 1, 3, 1, 1, 1, 1, 1, 5, 1};

static void test_baseline(void **state) {
    (void)state;
    /* prologue 10 | 4 -> 20 | Wide 4 -> 200 | 5 -> 1 */
    static const uint8_t table[] = {10, 20, 0xc8, 0x01, 1}, codes[] = {4, 9, 0, 4, 9, 9, 5};
    static const struct {
        uint32_t pc;
        int32_t offset;
    } rows[] = {{1, -1}, {10, -1}, {11, 0}, {30, 0}, {31, 2}, {230, 2}, {231, 6}};
    int32_t offset;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_true(v8_decode_baseline_offset(table, sizeof(table), codes, sizeof(codes), sizes, 6,
                                              rows[i].pc, &offset));
        assert_int_equal(offset, rows[i].offset);
    }
    assert_false(
        v8_decode_baseline_offset(table, sizeof(table), codes, sizeof(codes), sizes, 6, 232, &offset));
    assert_false(v8_decode_baseline_offset(table, 2, codes, sizeof(codes), sizes, 6, 231, &offset));
    assert_false(v8_decode_baseline_offset(table, sizeof(table), codes, 3, sizes, 6, 31,
                                           &offset)); /* a prefix ends it */
}

/* ---- safepoint tables ---- */

static void put(uint8_t *bytes, size_t *at, uint32_t value, unsigned size) {
    for (unsigned i = 0; i < size; i++) bytes[(*at)++] = (uint8_t)(value >> (8 * i));
}

/* Three entries: pc 100 index 0, pc 200 without index, pc 300 index 7 and trampoline 900. */
static size_t make_table(enum v8_safepoint_form form, uint8_t *bytes) {
    static const int32_t entries[3][3] = {{100, 0, -1}, {200, -1, -1}, {300, 7, 900}};
    size_t at = 0;
    bool maglev = form == V8_SAFEPOINT_MAGLEV || form == V8_SAFEPOINT_MAGLEV_SLOTS;
    if (form == V8_SAFEPOINT_SLOTS || form == V8_SAFEPOINT_MAGLEV_SLOTS) put(bytes, &at, 12, 4);
    put(bytes, &at, 3, 4);
    if (form == V8_SAFEPOINT_FIXED) {
        put(bytes, &at, 2, 4);
        for (int i = 0; i < 3; i++)
            for (int k = 0; k < 3; k++) put(bytes, &at, (uint32_t)entries[i][k], 4);
        return at;
    }
    put(bytes, &at, 1 | 2 << 4 | 1 << 7, 4); /* deoptimisation data, pc 2 bytes, index 1 byte, no registers */
    if (maglev) put(bytes, &at, 4, 4);
    if (form == V8_SAFEPOINT_MAGLEV) put(bytes, &at, 5, 4);
    for (int i = 0; i < 3; i++) {
        put(bytes, &at, (uint32_t)entries[i][0], 2);
        put(bytes, &at, (uint32_t)(entries[i][1] + 1), 1);
        put(bytes, &at, (uint32_t)(entries[i][2] + 1), 2);
        if (maglev) put(bytes, &at, 0, 1);
    }
    return at;
}

static void test_safepoints(void **state) {
    (void)state;
    for (int form = 0; form < V8_SAFEPOINT_FORMS; form++) {
        uint8_t bytes[128];
        size_t length = make_table((enum v8_safepoint_form)form, bytes);
        uint8_t *table = exact(bytes, length);
        int32_t index;
        assert_true(
            v8_decode_safepoint((enum v8_safepoint_form)form, table, (uint32_t)length, 1000, 100, &index));
        assert_int_equal(index, 0);
        assert_true(
            v8_decode_safepoint((enum v8_safepoint_form)form, table, (uint32_t)length, 1000, 200, &index));
        assert_int_equal(index, -1);
        assert_true(
            v8_decode_safepoint((enum v8_safepoint_form)form, table, (uint32_t)length, 1000, 900, &index));
        assert_int_equal(index, 7); /* the return address was replaced by the trampoline's */
        assert_true(
            v8_decode_safepoint((enum v8_safepoint_form)form, table, (uint32_t)length, 1000, 150, &index));
        assert_int_equal(index, -1);
        assert_false(
            v8_decode_safepoint((enum v8_safepoint_form)form, table, (uint32_t)length, 250, 100, &index));
        free(table);
        for (size_t cut = 0; cut < length; cut++) {
            uint8_t *part = exact(bytes, cut);
            assert_false(
                v8_decode_safepoint((enum v8_safepoint_form)form, part, (uint32_t)cut, 1000, 100, &index));
            free(part);
        }
    }
}

static void test_random_tables(void **state) {
    (void)state;
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[96];
        uint32_t length = next_random(sizeof(bytes));
        for (uint32_t i = 0; i < length; i++)
            bytes[i] = (uint8_t)(next_random(3) ? next_random(8) : next_random(256));
        uint8_t *table = exact(bytes, length);
        int32_t value;
        for (int form = 0; form < V8_SAFEPOINT_FORMS; form++)
            (void)v8_decode_safepoint((enum v8_safepoint_form)form, table, length, next_random(2000),
                                      next_random(2000), &value);
        (void)v8_decode_baseline_offset(table, length, table, length, sizes, 6, next_random(5000), &value);
        free(table);
    }
}

/* ---- translations ---- */

/* Operand counts as the binaries have them. */
static const int32_t counts_12_4[] = {5, 3, 3, 3, 2, 1, 3, 4, 3, 2, 1, 0, 3, 3, 1, 1, 1, 1, 1, 1,
                                      1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 2, 1};
static const int32_t counts_13_6[] = {6, 4, 3, 3, 2, 1, 3, 4, 3, 3, 3, 1, 0, 0, 3, 3, 1, 1, 1, 0, 1, 1, 1,
                                      1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 2, 1};
static const int32_t counts_10_2[] = {2, 1, 0, 3, 1, 1, 3, 1, 3, 1, 1, 1, 1, 1,
                                      1, 1, 1, 1, 5, 3, 3, 4, 1, 1, 1, 1, 1, 2};
static const char *const names_10_2[] = {"ARGUMENTS_ADAPTOR_FRAME",
                                         "ARGUMENTS_ELEMENTS",
                                         "ARGUMENTS_LENGTH",
                                         "BEGIN",
                                         "BOOL_REGISTER",
                                         "BOOL_STACK_SLOT",
                                         "BUILTIN_CONTINUATION_FRAME",
                                         "CAPTURED_OBJECT",
                                         "CONSTRUCT_STUB_FRAME",
                                         "DOUBLE_REGISTER",
                                         "DOUBLE_STACK_SLOT",
                                         "DUPLICATED_OBJECT",
                                         "FLOAT_REGISTER",
                                         "FLOAT_STACK_SLOT",
                                         "INT32_REGISTER",
                                         "INT32_STACK_SLOT",
                                         "INT64_REGISTER",
                                         "INT64_STACK_SLOT",
                                         "INTERPRETED_FRAME",
                                         "JAVA_SCRIPT_BUILTIN_CONTINUATION_FRAME",
                                         "JAVA_SCRIPT_BUILTIN_CONTINUATION_WITH_CATCH_FRAME",
                                         "JS_TO_WASM_BUILTIN_CONTINUATION_FRAME",
                                         "LITERAL",
                                         "REGISTER",
                                         "STACK_SLOT",
                                         "UINT32_REGISTER",
                                         "UINT32_STACK_SLOT",
                                         "UPDATE_FEEDBACK"};

static void test_opcodes(void **state) {
    (void)state;
    struct v8_opcodes opcodes;
    assert_true(v8_opcodes_init(&opcodes, counts_12_4, COUNT(counts_12_4), NULL));
    assert_int_equal(opcodes.role[0], V8_OP_INTERPRETED);
    assert_int_equal(opcodes.role[12], V8_OP_BEGIN);
    assert_int_equal(opcodes.role[33], V8_OP_LITERAL);
    assert_int_equal(opcodes.role[35], V8_OP_STACK_SLOT);
    assert_int_equal(opcodes.role[39], V8_OP_MATCH);
    assert_true(v8_opcodes_init(&opcodes, counts_13_6, COUNT(counts_13_6), NULL));
    assert_int_equal(opcodes.role[14], V8_OP_BEGIN);
    assert_int_equal(opcodes.role[18], V8_OP_CAPTURED);
    assert_true(v8_opcodes_init(&opcodes, counts_10_2, COUNT(counts_10_2), names_10_2));
    assert_int_equal(opcodes.role[3], V8_OP_BEGIN);
    assert_int_equal(opcodes.role[18], V8_OP_INTERPRETED);
    assert_int_equal(opcodes.role[8], V8_OP_CONSTRUCT);
    assert_false(
        v8_opcodes_init(&opcodes, counts_10_2, COUNT(counts_10_2), NULL)); /* no names, no known shape */
    assert_false(v8_opcodes_init(&opcodes, counts_12_4, 7, NULL));
    static const int32_t negative[] = {5, 3, 3, 3, 2, 1, -3, 4, 3, 2, 1, 0};
    assert_false(v8_opcodes_init(&opcodes, negative, COUNT(negative), NULL));
}

static void test_translation(void **state) {
    (void)state;
    struct v8_opcodes opcodes;
    assert_true(v8_opcodes_init(&opcodes, counts_12_4, COUNT(counts_12_4), NULL));
    /* BEGIN(0, 1, 1) INTERPRETED_WITHOUT_RETURN(7, literal 2, 3) LITERAL(4) STACK_SLOT(5) |
     * BEGIN(back 13, 1, 1) MATCH 1, then STACK_SLOT(6), MATCH of what follows in the first */
    static const uint8_t bytes[] = {12, 0, 2, 2, 1, 14, 4, 6, 33, 8, 35, 10, 13, 12, 2, 2, 41, 33, 16, 41};
    uint8_t *copy = exact(bytes, sizeof(bytes));
    struct v8_translation it;
    uint32_t frames, js_frames;
    uint8_t opcode;
    int32_t operand;
    assert_true(v8_translation_start(&it, &opcodes, V8_TRANSLATION_LOOKBACK, copy, sizeof(bytes), 12, &frames,
                                     &js_frames));
    assert_int_equal(frames, 1);
    assert_int_equal(js_frames, 1);
    assert_true(v8_translation_next(&it, &opcode) && opcode == 1); /* taken from the first translation */
    assert_true(v8_translation_signed(&it, &operand) && operand == 7);
    assert_true(v8_translation_signed(&it, &operand) && operand == 2);
    assert_true(v8_translation_skip(&it, 1));
    assert_true(v8_translation_next(&it, &opcode) && opcode == 33); /* its own */
    assert_true(v8_translation_signed(&it, &operand) && operand == 8);
    assert_true(v8_translation_next(&it, &opcode) && opcode == 35); /* the first one's third */
    assert_true(v8_translation_signed(&it, &operand) && operand == 5);
    assert_false(v8_translation_next(&it, &opcode));
    /* Not a BEGIN, or one that looks back to something else. */
    assert_false(v8_translation_start(&it, &opcodes, V8_TRANSLATION_LOOKBACK, copy, sizeof(bytes), 4, &frames,
                                      &js_frames));
    copy[13] = 11;
    assert_false(v8_translation_start(&it, &opcodes, V8_TRANSLATION_LOOKBACK, copy, sizeof(bytes), 12,
                                      &frames, &js_frames));
    free(copy);
}

static void test_old_translations(void **state) {
    (void)state;
    struct v8_opcodes opcodes;
    struct v8_translation it;
    uint32_t frames, js_frames;
    uint8_t opcode;
    int32_t operand;
    assert_true(v8_opcodes_init(&opcodes, counts_10_2, COUNT(counts_10_2), names_10_2));
    /* BEGIN(2, 1, 0) INTERPRETED_FRAME(-1, ...): signed numbers, bit 7 or bit 0 = more follows */
    static const uint8_t vlq[] = {6, 4, 2, 0, 36, 3, 0, 0, 0, 0}, old[] = {12, 8, 4, 0, 72, 6, 0, 0, 0, 0};
    for (int i = 0; i < 2; i++) {
        enum v8_translation_form form = i ? V8_TRANSLATION_OLD : V8_TRANSLATION_SIGNED;
        const uint8_t *bytes = i ? old : vlq;
        assert_true(v8_translation_start(&it, &opcodes, form, bytes, sizeof(vlq), 0, &frames, &js_frames));
        assert_int_equal(frames, 2);
        assert_true(v8_translation_next(&it, &opcode) && opcode == 18);
        assert_true(v8_translation_signed(&it, &operand) && operand == -1);
    }
}

/* Whatever the bytes are, reading ends. */
static void test_random_translations(void **state) {
    (void)state;
    struct v8_opcodes opcodes[2];
    assert_true(v8_opcodes_init(&opcodes[0], counts_13_6, COUNT(counts_13_6), NULL));
    assert_true(v8_opcodes_init(&opcodes[1], counts_10_2, COUNT(counts_10_2), names_10_2));
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[200];
        uint32_t length = 1 + next_random(sizeof(bytes) - 1), frames, js_frames;
        for (uint32_t i = 0; i < length; i++)
            bytes[i] = (uint8_t)(next_random(2) ? next_random(52) : next_random(256));
        bytes[0] = 14;
        bytes[1] = 0;
        uint8_t *copy = exact(bytes, length);
        for (unsigned form = V8_TRANSLATION_OLD; form <= V8_TRANSLATION_LOOKBACK; form <<= 1) {
            const struct v8_opcodes *table = &opcodes[form != V8_TRANSLATION_LOOKBACK];
            struct v8_translation it;
            uint8_t opcode;
            if (!v8_translation_start(&it, table, (enum v8_translation_form)form, copy, length,
                                      next_random(length), &frames, &js_frames))
                continue;
            while (v8_translation_next(&it, &opcode) && v8_translation_skip(&it, table->operands[opcode])) {
            }
            assert_true(it.position <= length);
        }
        free(copy);
    }
}

/* ---- frame types, names ---- */

static void test_frame_types(void **state) {
    (void)state;
    struct v8_frame_types types;
    size_t variants = 0;
    for (; v8_frame_types_variant(&types, variants); variants++) {
        assert_int_equal(v8_frame_type_of_marker(&types, 1 << 1), V8_FT_ENTRY);
        assert_int_equal(v8_frame_type_of_marker(&types, 3 << 1), V8_FT_EXIT);
        assert_int_equal(v8_frame_type_of_marker(&types, 0x1000), V8_FT_NONE);
        assert_int_equal(v8_frame_type_of_marker(&types, 3), V8_FT_NONE); /* a tagged pointer */
        bool seen[V8_FT_COUNT] = {false};
        for (unsigned i = 1; i < V8_MAX_FRAME_TYPE; i++) {
            if (types.type_of[i]) assert_false(seen[types.type_of[i]]);
            seen[types.type_of[i]] = true;
        }
    }
    assert_int_equal(variants, 6);
    v8_frame_types_published(&types, NULL);
    assert_int_equal(types.origin, V8_MISSING);
}

static void test_names(void **state) {
    (void)state;
    assert_true(v8_is_identifier("total") && v8_is_identifier("$_9") && v8_is_identifier("\xc3\xbc"));
    assert_false(v8_is_identifier("") || v8_is_identifier("9a") || v8_is_identifier("get total") ||
                 v8_is_identifier("#check") || v8_is_identifier("a.b"));
    assert_true(v8_name_says_method("a.b.load", "load", false) && v8_name_says_method("load", "load", false));
    assert_true(v8_name_says_method("get total", "total", true));
    assert_false(v8_name_says_method("get total", "total", false) ||
                 v8_name_says_method("upload", "load", true) || v8_name_says_method("ad", "load", true));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vlq),
        cmocka_unit_test(test_baseline),
        cmocka_unit_test(test_safepoints),
        cmocka_unit_test(test_random_tables),
        cmocka_unit_test(test_opcodes),
        cmocka_unit_test(test_translation),
        cmocka_unit_test(test_old_translations),
        cmocka_unit_test(test_random_translations),
        cmocka_unit_test(test_frame_types),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
