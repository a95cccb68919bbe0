#include "postmortem/report/format.h"

#include <stdlib.h>
#include <string.h>

#include "postmortem/model/diagnosis.h"
#include "postmortem/report/short_paths.h"
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

static void assert_short(const char *folder, const char *text, const char *expected) {
    struct pm_strbuf out PM_AUTO_STRBUF = {0};
    pm_shorten_paths(&out, folder, text);
    assert_string_equal(pm_strbuf_text(&out), expected);
}

static void test_shorten_paths(void **state) {
    (void)state;
    assert_short("/srv/shop/", "`x` (/srv/shop/src/a.js:4) and /srv/shop/b.js", "`x` (src/a.js:4) and b.js");
    assert_short("/srv/shop/", "/old/srv/shop/a.js", "/old/srv/shop/a.js"); /* another folder */
    assert_short("/srv/shop/", "in /srv/shop/ itself", "in /srv/shop/ itself");
    assert_short("/srv/shop/", "/srv/shop/", "/srv/shop/");
    assert_short(NULL, "/srv/shop/a.js", "/srv/shop/a.js");
}

static void assert_folder(const char *expected, size_t count, const char *const *files) {
    struct pm_diagnosis *diagnosis = pm_diagnosis_create();
    struct pm_frame frames[8] = {0};
    struct pm_thread thread = {.role = PM_ROLE_MAIN, .frames = frames, .frame_count = count};
    assert_non_null(diagnosis);
    for (size_t i = 0; i < count; i++) frames[i].position.file = files[i];
    diagnosis->threads = &thread;
    diagnosis->thread_count = 1;
    char *folder = pm_common_folder(diagnosis);
    if (expected)
        assert_string_equal(folder ? folder : "none", expected);
    else
        assert_null(folder);
    free(folder);
    pm_diagnosis_destroy(diagnosis);
}

static void test_common_folder(void **state) {
    (void)state;
    assert_folder("/home/service/shop-api/", 4,
                  (const char *const[]){"/home/service/shop-api/src/a.js", "node:internal/timers",
                                        "/home/service/shop-api/src/b/c.js",
                                        "/home/service/shop-api/node_modules/x/lib/y.js"});
    assert_folder("/home/service/shop-api/", 1, (const char *const[]){"/home/service/shop-api/src/a.js"});
    assert_folder(NULL, 2,
                  (const char *const[]){"/home/service/shop-api/src/a.js", "/usr/lib/node_modules/n.js"});
    assert_folder(NULL, 1, (const char *const[]){"/app/a.js"});
    assert_folder(NULL, 0, (const char *const[]){"-"});
    /* not "/home/service/shop" */
    assert_folder(NULL, 2,
                  (const char *const[]){"/home/service/shop-api/a.js", "/home/service/shop-web/a.js"});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),         cmocka_unit_test(test_counts),
        cmocka_unit_test(test_cut),           cmocka_unit_test(test_shorten_paths),
        cmocka_unit_test(test_common_folder), cmocka_unit_test(test_table)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
