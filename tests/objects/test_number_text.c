/* Numbers, BigInts and dates as JavaScript prints them; the expected texts were printed by Node. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "v8layout/number_text.h"

static void expect_number(double number, const char *wanted) {
    PM_AUTO_STRBUF struct pm_strbuf text = {0};
    v8_number_text(number, &text);
    assert_string_equal(pm_strbuf_text(&text), wanted);
}

static void test_numbers(void **state) {
    (void)state;
    expect_number(0, "0");
    expect_number(-0.0, "-0");
    expect_number(1, "1");
    expect_number(-1.25, "-1.25");
    expect_number(0.1, "0.1");
    expect_number(0.1 + 0.2, "0.30000000000000004");
    expect_number(1e21, "1e+21");
    expect_number(123456789012345680000.0, "123456789012345680000");
    expect_number(9007199254740993.0, "9007199254740992");
    expect_number(1.5e300, "1.5e+300");
    expect_number(0.000001, "0.000001");
    expect_number(0.0000001, "1e-7");
    expect_number(1.2345e-10, "1.2345e-10");
    expect_number(100, "100");
    expect_number(4294967296.5, "4294967296.5");
    expect_number(DBL_MAX, "1.7976931348623157e+308");
    expect_number(5e-324, "5e-324");
    expect_number((double)NAN, "NaN");
    expect_number((double)INFINITY, "Infinity");
    expect_number(-(double)INFINITY, "-Infinity");
}

static void expect_bigint(const uint64_t *digits, uint32_t count, bool negative, size_t most,
                          const char *wanted) {
    PM_AUTO_STRBUF struct pm_strbuf text = {0};
    v8_bigint_text(digits, count, negative, most, &text);
    assert_string_equal(pm_strbuf_text(&text), wanted);
}

static void test_bigints(void **state) {
    (void)state;
    const uint64_t one = 1, most = UINT64_MAX, fifty[] = {0, 0x83c7088e1aab65db, 0x44}, zeros[] = {7, 0, 0};
    const uint64_t ten_to_20[] = {0x6bc75e2d63100000, 5};
    expect_bigint(NULL, 0, false, 100, "0n");
    expect_bigint(&one, 1, true, 100, "-1n");
    expect_bigint(&most, 1, false, 100, "18446744073709551615n");
    expect_bigint(ten_to_20, 2, false, 100, "100000000000000000000n");
    expect_bigint(zeros, 3, false, 100, "7n");
    expect_bigint(fifty, 3, false, 10, "0x4483c7088e1aab65db…n"); /* no room: hexadecimal, cut */
}

static void expect_date(double milliseconds, const char *wanted) {
    PM_AUTO_STRBUF struct pm_strbuf text = {0};
    v8_date_text(milliseconds, &text);
    assert_string_equal(pm_strbuf_text(&text), wanted);
}

static void test_dates(void **state) {
    (void)state;
    expect_date(0, "1970-01-01T00:00:00.000Z");
    expect_date(1700000000000.0, "2023-11-14T22:13:20.000Z");
    expect_date(-1, "1969-12-31T23:59:59.999Z");
    expect_date(951782400000.0, "2000-02-29T00:00:00.000Z");
    expect_date(-62167219200000.0, "0000-01-01T00:00:00.000Z");
    expect_date(-62198755200000.0, "-000001-01-01T00:00:00.000Z");
    expect_date(253402300800000.0, "+010000-01-01T00:00:00.000Z");
    expect_date(8.64e15, "+275760-09-13T00:00:00.000Z");
    expect_date(8.64e15 + 1, "Invalid Date");
    expect_date((double)NAN, "Invalid Date");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_bigints),
        cmocka_unit_test(test_dates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
