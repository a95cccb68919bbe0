#include "postmortem/report/format.h"

#include "postmortem/model/diagnosis.h"
#include "postmortem/report/table.h"
#include "tests/support/assert_error.h"

static void assert_bytes(uint64_t bytes, const char *expected) {
    char text[PM_NUMBER_TEXT];
    assert_string_equal(pm_format_bytes(text, bytes), expected);
}

static void test_bytes(void **state) {
    (void)state;
    assert_bytes(0, "0 B");
    assert_bytes(999, "999 B");
    assert_bytes(1000, "1.0 kB");
    assert_bytes(1049, "1.0 kB");
    assert_bytes(1050, "1.1 kB");
    assert_bytes(187200000, "187.2 MB");
    assert_bytes(999949, "999.9 kB");
    assert_bytes(999950, "1.0 MB"); /* never "1000.0 kB" */
    assert_bytes(999999999999, "1.0 TB");
    assert_bytes(UINT64_MAX - 1, "18.4 EB");
    assert_bytes(PM_UNKNOWN, "?");
}

static void test_counts(void **state) {
    (void)state;
    char text[PM_NUMBER_TEXT];
    assert_string_equal(pm_format_count(text, 0), "0");
    assert_string_equal(pm_format_count(text, 999), "999");
    assert_string_equal(pm_format_count(text, 1000), "1,000");
    assert_string_equal(pm_format_count(text, 512334), "512,334");
    assert_string_equal(pm_format_count(text, UINT64_MAX - 1), "18,446,744,073,709,551,614");
    assert_string_equal(pm_format_count(text, PM_UNKNOWN), "?");
    assert_string_equal(pm_format_share(text, 1, 3), "33.3 %");
    assert_string_equal(pm_format_share(text, 1, 0), "-");
    assert_string_equal(pm_format_share(text, PM_UNKNOWN, 3), "-");
}

static void assert_cut(const char *text, size_t width, bool start, const char *expected) {
    struct pm_strbuf out PM_AUTO_STRBUF = {0};
    pm_text_cut(&out, text, width, start);
    assert_string_equal(pm_strbuf_text(&out), expected);
    assert_true(pm_text_width(pm_strbuf_text(&out)) <= (width > 3 ? width : 3));
}

static void test_cut(void **state) {
    (void)state;
    assert_cut("abcdefgh", 8, false, "abcdefgh");
    assert_cut("abcdefghi", 8, false, "abcde...");
    assert_cut("abcdefghi", 8, true, "...efghi");
    assert_cut("abcdefghi", 2, false, "...");
    assert_cut("äöüäöüäöü", 6, false, "äöü...");
    assert_cut("", 0, false, "");
}

static void test_table(void **state) {
    (void)state;
    static const struct pm_column columns[] = {
        {"name", PM_COLUMN_ELASTIC}, {"count", PM_COLUMN_NUMBER}, {"why", PM_COLUMN_TEXT}};
    struct pm_table *table = pm_table_create(columns, 3);
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    pm_table_cell(table, "a name that is far too long");
    pm_table_cell(table, "7");
    pm_table_cell(table, "because");
    pm_table_cell(table, "\033[2J");
    pm_table_cell(table, "1,234");
    pm_table_cell(table, NULL);
    pm_table_print(table, 2, 40, false, out);
    fclose(out);
    assert_string_equal(text, "  name                    count  why\n"
                              "  a name that is far ...      7  because\n"
                              "  \\x1b[2J                 1,234\n");
    free(text);
    pm_table_destroy(table);
    pm_table_destroy(NULL);
    pm_table_cell(NULL, "x");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bytes), cmocka_unit_test(test_counts),
                                       cmocka_unit_test(test_cut), cmocka_unit_test(test_table)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
