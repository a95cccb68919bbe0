/* compare and export of profiles, and pages of several incidents: what the program prints of real files, in
 * every format. That the sums are right, tests/profile says. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/cli/json_schema.h"
#include "tests/cli/run_program.h"
#include "tests/support/assert_error.h"

static char *corpus(const char *name) {
    char path[200];
    snprintf(path, sizeof(path), "corpora/%s", name);
    return path_of(source_directory(), path);
}

static cJSON *json_of(const struct run *run) {
    char *path = path_of(source_directory(), "docs/schema.json");
    struct run text = run_shell("cat '%s'", path);
    cJSON *schema = cJSON_Parse(text.out), *document = cJSON_Parse(run->out);
    assert_non_null(schema);
    assert_non_null(document);
    char *wrong = json_schema_check(schema, document);
    if (wrong) fail_msg("%s", wrong);
    cJSON_Delete(schema);
    run_free(&text);
    free(path);
    return document;
}

/* Needs `words` in what is printed. */
static void assert_compared(const char *one, const char *other, const char *format, const char *words) {
    char *before = corpus(one), *after = corpus(other);
    struct run run = RUN("compare", before, after, "--format", format);
    assert_run(&run, 0, words, NULL);
    run_free(&run);
    free(before);
    free(after);
}

static void test_profiles(void **state) {
    (void)state;
    static const char *const kinds[][2] = {
        {"profiles/work/18.20.8.cpuprofile", "profiles/work/22.23.3.cpuprofile"},
        {"profiles/work/18.20.8.heapprofile", "profiles/work/22.23.3.heapprofile"},
    };
    for (size_t i = 0; i < 2; i++) {
        char *before = corpus(kinds[i][0]), *after = corpus(kinds[i][1]);
        struct run run = RUN("compare", before, after, "--format", "json", "--limit", "0");
        assert_run(&run, 0, NULL, NULL);
        cJSON *document = json_of(&run);
        cJSON *comparison = cJSON_GetObjectItem(document, "profile_comparison");
        assert_non_null(comparison);
        assert_true(cJSON_GetArraySize(cJSON_GetObjectItem(comparison, "functions")) > 10);
        cJSON_Delete(document);
        run_free(&run);
        assert_compared(kinds[i][0], kinds[i][1], "text", "Functions");
        assert_compared(kinds[i][0], kinds[i][1], "markdown", "| before | after | growth |");
        assert_compared(kinds[i][0], kinds[i][1], "html", "<section id=\"growth\"");
        assert_compared(kinds[i][0], kinds[i][1], "html", "class=\"flame\"");
        free(before);
        free(after);
    }
    char *heap = corpus(kinds[1][0]), *cpu = corpus(kinds[0][0]),
         *report = corpus("reports/oom/22.23.3.json");
    struct run run = RUN("compare", heap, cpu);
    assert_run(&run, 2, NULL, "nothing in common");
    run_free(&run);
    run = RUN("compare", cpu, report);
    assert_run(&run, 2, NULL, "compare reads");
    run_free(&run);
    free(heap);
    free(cpu);
    free(report);
}

static void test_reports(void **state) {
    (void)state;
    static const char *const names[] = {"reports/growth/before-22.23.3.json", "reports/growth/22.23.3.json"};
    assert_compared(names[0], names[1], "text", "resident memory");
    assert_compared(names[0], names[1], "markdown", "| what | before | after | change |");
    assert_compared(names[0], names[1], "html", "<td class=\"name\">resident memory</td>");
}

/* Files of two deaths: in every format both are told. */
static void test_incidents(void **state) {
    (void)state;
    static const char *const formats[][2] = {
        {"text", "Another incident, 2 of 2"}, {"markdown", "Another incident, 2 of 2"},
        {"html", "<section id=\"others\""},   {"html", "PriceError"},
        {"markdown", "PriceError"},           {"json", "other_incidents"}};
    char *one = corpus("reports/oom/22.23.3.json"), *other = corpus("reports/uncaught/20.20.2.json");
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        struct run run = RUN(one, other, "--format", formats[i][0]);
        assert_run(&run, 0, formats[i][1], NULL);
        run_free(&run);
    }
    free(one);
    free(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_profiles), cmocka_unit_test(test_reports),
                                       cmocka_unit_test(test_incidents)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
