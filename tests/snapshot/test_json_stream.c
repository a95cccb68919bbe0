#include "parsers/json_stream.h"

#include "postmortem/base/cleanup.h"
#include "tests/support/assert_error.h"

static struct pm_json json_of(const char *text) {
    return (struct pm_json){(const uint8_t *)text, strlen(text), 0};
}

static void test_values(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t length; /* of the first value; 0 = there is none */
    } cases[] = {
        {"1,2", 1},
        {"-1.5e+7 x", 7},
        {"\"a\\\"]b\" ", 7},
        {"[1,[2,{\"a\":[]}]],3", 16},
        {"true}", 4},
        {" null", 5},
        {"{}", 2},
        {"{\"a\":\"}\"}", 9},
        {"", 0},
        {"  ", 0},
        {",", 0},
        {"]", 0},
        {"[", 0},
        {"[1", 0},
        {"\"abc", 0},
        {"\"abc\\", 0},
        {"\"abc\\\"", 0},
        {"[\"", 0},
        {"?", 0},
        {"[?]", 0},
        {"\"12345678\"", 10},
        {"\"1234567\\\\\"", 11},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pm_json json = json_of(cases[i].text);
        struct pm_error *err = pm_json_skip(&json);
        if (cases[i].length) {
            assert_pm_ok(err);
            assert_int_equal(json.at, cases[i].length);
        } else {
            assert_pm_error(err, PM_ERR_FORMAT, "");
        }
    }
}

static void test_members(void **state) {
    (void)state;
    struct pm_json json = json_of(" { \"a\" : 1 , \"b\\u0063\":[ 2,3 ] }");
    struct pm_json_text key;
    uint64_t number, sum = 0;
    bool more;
    assert_pm_ok(pm_json_take(&json, '{'));
    assert_pm_ok(pm_json_more(&json, true, '}', &more));
    assert_true(more);
    assert_pm_ok(pm_json_key(&json, &key));
    assert_true(pm_json_is(key, "a"));
    assert_pm_ok(pm_json_whole(&json, &number));
    assert_int_equal(number, 1);
    assert_pm_ok(pm_json_more(&json, false, '}', &more));
    assert_pm_ok(pm_json_key(&json, &key));
    assert_false(pm_json_is(key, "bc")); /* keys are compared as they stand there */
    assert_pm_ok(pm_json_take(&json, '['));
    for (bool first = true;; first = false) {
        assert_pm_ok(pm_json_more(&json, first, ']', &more));
        if (!more) break;
        assert_pm_ok(pm_json_whole(&json, &number));
        sum += number;
    }
    assert_int_equal(sum, 5);
    assert_pm_ok(pm_json_more(&json, false, '}', &more));
    assert_false(more);
    assert_int_equal(pm_json_peek(&json), 0);
    assert_pm_error_at(pm_json_take(&json, ','), PM_ERR_FORMAT, json.size,
                       "the file ends where ',' should be");
}

static void test_texts(void **state) {
    (void)state;
    static const struct {
        const char *raw, *text;
        size_t most, units;
    } cases[] = {
        {"abc", "abc", 100, 3},
        {"abc", "ab", 2, 2},
        {"", "", 100, 0},
        {"\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t", 100, 8},
        {"\\u0436\\u00E9", "жé", 100, 2},
        {"\\ud83d\\ude00x", "\xf0\x9f\x98\x80x", 100, 3},
        {"\\ud83d\\ude00x", "", 1, 0},
        {"\\ud83dx\\ude00", "\xef\xbf\xbdx\xef\xbf\xbd", 100, 3},
        {"\\ud83d\\u0041",
         "\xef\xbf\xbd"
         "A",
         100, 2},
        {"\\q\\u12\\u12xyz",
         "\xef\xbf\xbd\xef\xbf\xbd"
         "12\xef\xbf\xbd"
         "12xyz",
         100, 10},
        {"жы", "ж", 1, 1},
        {"\xf0\x9f\x98\x80", "", 1, 0},
        {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", 2, 2},
        {"\x80\x80\x80\x80", "\x80\x80", 2, 2}, /* no UTF-8: each byte counts */
        {"\xd0\x80\x80\x80", "\xd0\x80\x80", 2, 2},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pm_strbuf text PM_AUTO_STRBUF = {0};
        struct pm_json_text raw = {(const uint8_t *)cases[i].raw, strlen(cases[i].raw)};
        assert_int_equal(pm_json_unescape(raw, cases[i].most, &text), cases[i].units);
        assert_string_equal(pm_strbuf_text(&text), cases[i].text);
    }
}

static void test_digits(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t value;
        size_t digits; /* 0 = no number */
    } cases[] = {
        {"0,", 0, 1},
        {"7]", 7, 1},
        {"12345678,", 12345678, 8},
        {"123456789,", 123456789, 9},
        {"1234567,23456789", 1234567, 7},
        {"00012,1111111111", 12, 5},
        {"18446744073709551615,", UINT64_MAX, 20},
        {"18446744073709551616,", 0, 0},
        {"99999999999999999999999", 0, 0},
        {"", 0, 0},
        {",11111111", 0, 0},
        {"/1111111", 0, 0},
        {":1111111", 0, 0},
        {"\xff\xff\xff\xff\xff\xff\xff\xff", 0, 0},
        {"1\xfa\xfa\xfa\xfa\xfa\xfa\xfa", 1, 1},
        {"1:/.*?@`", 1, 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t length = strlen(cases[i].text);
        uint8_t *exact = malloc(length ? length : 1); /* so that one byte too far is seen */
        memcpy(exact, cases[i].text, length);
        uint64_t value = 0;
        const uint8_t *end = pm_json_digits(exact, exact + length, &value);
        assert_int_equal(end ? end - exact : 0, cases[i].digits);
        if (end) assert_true(value == cases[i].value);
        free(exact);
    }
    for (uint64_t number = 1, k = 0; k < 2000; k++, number = number * 3 + k) {
        char digits[32];
        uint64_t value = 0;
        int length = snprintf(digits, sizeof(digits), "%llu,", (unsigned long long)number);
        const uint8_t *end = pm_json_digits((uint8_t *)digits, (uint8_t *)digits + length, &value);
        assert_true(end == (uint8_t *)digits + length - 1 && value == number);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_values), cmocka_unit_test(test_members),
                                       cmocka_unit_test(test_texts), cmocka_unit_test(test_digits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
