/* Several files of one death give one diagnosis whose numbers agree; files of other deaths are told apart;
 * what contradicts is said. */
#include <cjson/cJSON.h>
#include <string.h>

#include "tests/cli/run_program.h"
#include "tests/support/assert_error.h"
#include "tests/support/bytes.h"
#include "tests/support/folder.h"

static cJSON *diagnose(const char *folder, const char *files, int exit_code) {
    struct run run = run_shell("cd %s && $POSTMORTEM_PROGRAM %s --format json", folder, files);
    assert_run(&run, exit_code, NULL, NULL);
    cJSON *root = cJSON_ParseWithLength(run.out, run.out_length);
    assert_non_null(root);
    run_free(&run);
    return root;
}

static const cJSON *find(const cJSON *root, const char *id) {
    const cJSON *finding;
    cJSON_ArrayForEach(finding, cJSON_GetObjectItem(root, "findings")) {
        const char *its = cJSON_GetStringValue(cJSON_GetObjectItem(finding, "id"));
        if (its && !strcmp(its, id)) return finding;
    }
    return NULL;
}

static const char *text(const cJSON *object, const char *key) {
    const char *value = cJSON_GetStringValue(cJSON_GetObjectItem(object, key));
    return value ? value : "";
}

static double number(const cJSON *object, const char *key) {
    const cJSON *item = cJSON_GetObjectItem(object, key);
    if (!cJSON_IsNumber(item)) fail_msg("%s is no number", key);
    return item->valuedouble;
}

static void assert_near(double a, double b, double share) {
    double larger = a > b ? a : b;
    if (!(a > 0) || !(b > 0) || (a > b ? a - b : b - a) > larger * share) fail_msg("%.0f and %.0f", a, b);
}

/* The heap: as the walk of the core counts it, as V8's own report says, as the last collection of the log,
 * and what the profile sampled. */
static void check_numbers(const cJSON *root, const char *folder) {
    char *path = path_of(folder, "report.json");
    struct run report = run_shell("cat %s", path);
    cJSON *truth = cJSON_ParseWithLength(report.out, report.out_length);
    double used = number(cJSON_GetObjectItem(truth, "javascriptHeap"), "usedMemory"), walked = 0;
    const cJSON *space, *log, *isolate = cJSON_GetArrayItem(cJSON_GetObjectItem(root, "isolates"), 0);
    cJSON_ArrayForEach(space, cJSON_GetObjectItem(isolate, "spaces")) walked += number(space, "used");
    assert_near(walked, used, 0.05);
    const cJSON *death = cJSON_GetObjectItem(cJSON_GetObjectItem(root, "process"), "death");
    assert_near(number(death, "heap_used"), used, 0.05);
    assert_int_equal(number(cJSON_GetObjectItem(root, "process"), "pid"),
                     number(cJSON_GetObjectItem(truth, "header"), "processId"));
    cJSON_ArrayForEach(log, cJSON_GetObjectItem(root, "logs")) {
        const cJSON *series = cJSON_GetArrayItem(cJSON_GetObjectItem(log, "series"), 0);
        if (series) assert_near(number(series, "peak_mb") * 1048576, used, 0.1);
    }
    const cJSON *profile = cJSON_GetArrayItem(cJSON_GetObjectItem(root, "profiles"), 0);
    assert_true(number(profile, "total") < used * 1.05);
    cJSON_Delete(truth);
    run_free(&report);
    free(path);
}

static void test_one_incident(void **state) {
    (void)state;
    char *folder = core_directory("incident", "22.23.3");
    cJSON *root = diagnose(folder, "core report.json app.heapprofile stdout stderr", 0);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(root, "inputs")), 5);
    assert_null(cJSON_GetObjectItem(root, "other_incidents"));
    if (find(root, "inputs-disagree"))
        fail_msg("%s", cJSON_Print(cJSON_GetObjectItem(find(root, "inputs-disagree"), "evidence")));
    check_numbers(root, folder);
    const char *verdict = text(root, "verdict");
    assert_non_null(strstr(verdict, "`cache`"));
    assert_non_null(strstr(verdict, "src/cache.js:4"));
    assert_non_null(strstr(verdict, "Allocated in `"));
    /* By V8's sampler, which sees inlined functions as their caller when the code is hot. */
    const char *site = strstr(verdict, "Allocated in `") + 14;
    if (strncmp(site, "UserSession`", 12) != 0 && strncmp(site, "handleRequest`", 14) != 0 &&
        strncmp(site, "pump`", 5) != 0)
        fail_msg("%s", verdict);
    cJSON_Delete(root);
    free(folder);
}

/* The same without the core: what is left still names the death and who allocated. */
static void test_without_core(void **state) {
    (void)state;
    char *folder = core_directory("incident", "22.23.3");
    cJSON *root = diagnose(folder, "stdout stderr app.heapprofile", 0);
    const cJSON *process = cJSON_GetObjectItem(root, "process"), *origin;
    size_t of_log = 0;
    assert_string_equal(text(cJSON_GetObjectItem(process, "death"), "kind"), "heap-limit");
    cJSON_ArrayForEach(origin, cJSON_GetObjectItem(process, "origins")) of_log +=
        !strcmp(text(origin, "fact"), "death") || !strcmp(text(origin, "fact"), "pid");
    assert_int_equal(of_log, 2);
    cJSON_Delete(root);
    free(folder);
}

/* A report of another process is reported apart, with the reason; and both verdicts are there. */
static void test_two_incidents(void **state) {
    (void)state;
    char *folder = core_directory("incident", "22.23.3");
    char *files = NULL;
    if (asprintf(&files, "core report.json %s/corpora/reports/uncaught/22.23.3.json", source_directory()) < 0)
        abort();
    cJSON *root = diagnose(folder, files, 0);
    const cJSON *others = cJSON_GetObjectItem(root, "other_incidents"),
                *other = cJSON_GetArrayItem(others, 0);
    assert_int_equal(cJSON_GetArraySize(others), 1);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(root, "inputs")), 2);
    assert_non_null(strstr(text(find(root, "other-incident"), "claim"), "its process is "));
    assert_non_null(strstr(text(other, "verdict"), "PriceError"));
    assert_null(strstr(text(root, "verdict"), "PriceError"));
    free(files);
    cJSON_Delete(root);
    free(folder);
}

/* A report that was made smaller by hand: the heaps do not fit any more, and that is said. */
static void test_contradiction(void **state) {
    (void)state;
    char *folder = core_directory("incident", "22.23.3"), *own = folder_new(), *files = NULL;
    struct run made =
        run_shell("sed 's/\"usedMemory\": [0-9]*/\"usedMemory\": 30000000/' %s/report.json", folder);
    free(bytes_write(made.out, made.out_length, own, "changed.json"));
    if (asprintf(&files, "core %s/changed.json", own) < 0) abort();
    cJSON *root = diagnose(folder, files, 0);
    const cJSON *finding = find(root, "inputs-disagree");
    assert_non_null(finding);
    const char *line = cJSON_GetStringValue(cJSON_GetArrayItem(cJSON_GetObjectItem(finding, "evidence"), 0));
    assert_non_null(strstr(line, "heap in use: "));
    assert_non_null(strstr(line, "30.0 MB in changed.json"));
    run_free(&made);
    free(files);
    cJSON_Delete(root);
    free(folder);
    folder_remove(own);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_incident),
        cmocka_unit_test(test_without_core),
        cmocka_unit_test(test_two_incidents),
        cmocka_unit_test(test_contradiction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
