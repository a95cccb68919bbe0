/* Every real report of corpora/reports/, and every pod of corpora/pods/: parsed without loss, and the triage
 * is what the case's expected.json says: the kind of death, all findings in order, words of the verdict and
 * the claims, places in the script. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>
#include <glob.h>
#include <libgen.h>

#include "tests/cli/json_schema.h"
#include "tests/cli/run_program.h"

static size_t wrong_count;
static cJSON *schema;

static void wrong(const char *file, const char *what, const char *expected, const char *got) {
    printf("%s: %s: expected %s, got %s\n", file, what, expected ? expected : "nothing",
           got ? got : "nothing");
    wrong_count++;
}

static cJSON *read_json(const char *path) {
    struct run run = run_shell("cat '%s'", path);
    cJSON *document = cJSON_Parse(run.out);
    if (!document) fail_msg("%s: no JSON", path);
    run_free(&run);
    return document;
}

static const char *text_at(const cJSON *object, const char *key) {
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

static void check_findings(const char *file, const cJSON *expected, const cJSON *got) {
    char wanted[512] = "", have[512] = "";
    const cJSON *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(expected, "findings"))
        snprintf(wanted + strlen(wanted), sizeof(wanted) - strlen(wanted), "%s ", item->valuestring);
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(got, "findings")) {
        const char *id = text_at(item, "id");
        snprintf(have + strlen(have), sizeof(have) - strlen(have), "%s ", id ? id : "?");
    }
    if (strcmp(wanted, have) != 0) wrong(file, "findings", wanted, have);
}

/* Words that must stand in the verdict, or in the text of any finding. */
static void check_words(const char *file, const cJSON *expected, const cJSON *got) {
    const cJSON *item;
    const char *verdict = text_at(got, "verdict");
    char *findings = cJSON_PrintUnformatted(cJSON_GetObjectItemCaseSensitive(got, "findings"));
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(
                                 expected, "verdict")) if (!verdict || !strstr(verdict, item->valuestring))
        wrong(file, "verdict", item->valuestring, verdict);
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(
                                 expected, "words")) if (!findings || !strstr(findings, item->valuestring))
        wrong(file, "finding", item->valuestring, findings);
    free(findings);
}

/* "place": "app.js:14:11" of the first finding that has a position. */
static void check_place(const char *file, const cJSON *expected, const cJSON *got) {
    const char *place = text_at(expected, "place");
    char have[512] = "";
    const cJSON *finding;
    if (!place) return;
    cJSON_ArrayForEach(finding, cJSON_GetObjectItemCaseSensitive(got, "findings")) {
        const cJSON *position = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(finding, "positions"), 0);
        const char *path = text_at(position, "file");
        if (!path || *have) continue;
        snprintf(have, sizeof(have), "%s:%.0f:%.0f", path,
                 cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(position, "line")),
                 cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(position, "column")));
    }
    size_t tail = strlen(place), length = strlen(have);
    if (length < tail || strcmp(have + length - tail, place) != 0) wrong(file, "place", place, have);
}

static void check(const char *path, const char *folder) {
    char name[1024];
    snprintf(name, sizeof(name), "%s/expected.json", folder);
    cJSON *expected = read_json(name);
    struct run run = RUN(path, "--format", "json");
    assert_run(&run, 0, NULL, NULL);
    cJSON *got = cJSON_Parse(run.out);
    assert_non_null(got);
    char *invalid = json_schema_check(schema, got);
    if (invalid) wrong(path, "schema", "valid", invalid);
    free(invalid);
    const cJSON *coverage = cJSON_GetObjectItemCaseSensitive(got, "coverage");
    if (cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(coverage, "skipped")))
        wrong(path, "skipped", NULL, run.out);
    const char *death = text_at(expected, "death");
    const char *kind = text_at(
        cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(got, "process"), "death"), "kind");
    if (death && (!kind || strcmp(kind, death) != 0)) wrong(path, "death", death, kind);
    check_findings(path, expected, got);
    check_words(path, expected, got);
    check_place(path, expected, got);
    cJSON_Delete(got);
    cJSON_Delete(expected);
    run_free(&run);
}

static size_t check_all(const char *kind, const char *pattern) {
    char name[1024];
    glob_t found;
    size_t count = 0;
    snprintf(name, sizeof(name), "%s/corpora/%s/*/%s", source_directory(), kind, pattern);
    assert_int_equal(glob(name, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char *copy = strdup(found.gl_pathv[i]);
        check(found.gl_pathv[i], dirname(copy));
        free(copy);
        count++;
    }
    globfree(&found);
    return count;
}

static void test_reports(void **state) {
    (void)state;
    wrong_count = 0;
    assert_true(check_all("reports", "[0-9]*.json") >= 70);
    assert_int_equal(wrong_count, 0);
}

static void test_pods(void **state) {
    (void)state;
    wrong_count = 0;
    assert_true(check_all("pods", "pod*.json") >= 4);
    assert_int_equal(wrong_count, 0);
}

/* Two reports of one process, in whatever order they are given: what the script added between them. */
static void test_growth(void **state) {
    (void)state;
    char before[1024], after[1024];
    snprintf(before, sizeof(before), "%s/corpora/reports/growth/before-22.23.3.json", source_directory());
    snprintf(after, sizeof(after), "%s/corpora/reports/growth/22.23.3.json", source_directory());
    for (unsigned order = 0; order < 2; order++) {
        struct run run = RUN(order ? before : after, order ? after : before, "--format", "json");
        assert_run(&run, 0, NULL, NULL);
        cJSON *got = cJSON_Parse(run.out);
        assert_non_null(got);
        char *invalid = json_schema_check(schema, got);
        if (invalid) fail_msg("schema: %s", invalid);
        const cJSON *comparison = cJSON_GetObjectItemCaseSensitive(got, "report_comparison"), *row;
        assert_true(cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(comparison, "same_process")));
        unsigned seen = 0;
        cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(comparison, "changes")) {
            double more = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(row, "after")) -
                          cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(row, "before"));
            if (!strcmp(text_at(row, "what"), "TCP sockets")) {
                assert_true(more > 59.5 && more < 60.5); /* 30 connections, both ends */
                seen++;
            }
            if (!strcmp(text_at(row, "what"), "used heap")) {
                assert_true(more > 15e6); /* 300,000 objects with a text each */
                seen++;
            }
        }
        assert_int_equal(seen, 2);
        cJSON *expected = cJSON_Parse("{\"findings\":[\"growth\"]}");
        check_findings(after, expected, got);
        cJSON_Delete(expected);
        assert_int_equal(wrong_count, 0);
        cJSON_Delete(got);
        run_free(&run);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_reports), cmocka_unit_test(test_pods),
                                       cmocka_unit_test(test_growth)};
    char name[1024];
    snprintf(name, sizeof(name), "%s/docs/schema.json", source_directory());
    schema = read_json(name);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    cJSON_Delete(schema);
    return failed;
}
