/* Reports that are cut anywhere, of wrong types, bombs: a partial result or one clear line, in bounded
 * memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/resource.h>

#include "parsers/pod.h"
#include "parsers/report.h"
#include "postmortem/model/pod.h"
#include "postmortem/model/report_facts.h"
#include "tests/cli/run_program.h"
#include "tests/support/folder.h"

static char *folder;

static struct pm_diagnosis *load(const char *text, size_t length, struct pm_error **err_ret) {
    struct pm_diagnosis *diagnosis = pm_diagnosis_create();
    static struct pm_input_info info;
    /* A copy of just this size: a read behind its end is seen by ASan. */
    uint8_t *bytes = malloc(length ? length : 1);
    if (length) memcpy(bytes, text, length);
    struct pm_input input = {
        .path = (char *)"report.json", .bytes = bytes, .size = length, .file_size = length};
    info = (struct pm_input_info){.path = "report.json", .kind = "report", .complete = true};
    diagnosis->inputs = &info;
    diagnosis->input_count = 1;
    *err_ret = pm_report_load(&input, diagnosis);
    free(bytes);
    return diagnosis;
}

static const struct pm_report_facts *facts_of(const char *text, struct pm_diagnosis **diagnosis_ret) {
    struct pm_error *err;
    *diagnosis_ret = load(text, strlen(text), &err);
    if (err) fail_msg("%s: %s", text, err->message);
    return (*diagnosis_ret)->reports[0];
}

static char *real_report(const char *name, size_t *length_ret) {
    struct run run = run_shell("cat '%s/corpora/reports/%s'", source_directory(), name);
    char *text = malloc(run.out_length + 1);
    memcpy(text, run.out, run.out_length + 1);
    *length_ret = run.out_length;
    run_free(&run);
    return text;
}

/* Cut anywhere: the sections before the cut are there, exactly as in the whole file. */
static void cut_everywhere(const char *name, size_t step) {
    size_t length;
    char *text = real_report(name, &length);
    struct pm_error *err;
    struct pm_diagnosis *whole = load(text, length, &err);
    assert_null(err);
    const struct pm_report_facts *all = whole->reports[0];
    assert_true(all->complete);
    assert_int_equal(whole->exit_code, PM_EXIT_COMPLETE);
    const char *after_header = strstr(text, "\"javascriptStack\""),
               *after_heap = strstr(text, "\"nativeStack\"");
    for (size_t cut = 1; cut < length - 2; cut += step) {
        struct pm_diagnosis *part = load(text, cut, &err);
        if (err) {
            assert_true(cut < 200); /* nothing of use yet */
            pm_error_destroy(err);
        } else {
            const struct pm_report_facts *some = part->reports[0];
            assert_false(some->complete);
            assert_int_equal(part->exit_code, PM_EXIT_PARTIAL);
            assert_true(part->skipped_count > 0);
            if (text + cut > after_header) {
                assert_true(some->header.pid == all->header.pid);
                assert_string_equal(some->header.host, all->header.host);
            }
            if (text + cut > after_heap) {
                assert_true(some->heap.used == all->heap.used);
                assert_int_equal(some->heap.space_count, all->heap.space_count);
            }
        }
        pm_diagnosis_destroy(part);
    }
    pm_diagnosis_destroy(whole);
    free(text);
}

static void test_cut(void **state) {
    (void)state;
    cut_everywhere("oom/22.23.3.json", 9);
    cut_everywhere("uncaught/14.21.3.json", 13);
    cut_everywhere("compact-workers/26.10.0.json", 61);
}

/* Every value of another type: counted, unknown, and everything else is there. */
static void test_wrong_types(void **state) {
    (void)state;
    struct pm_diagnosis *diagnosis;
    const struct pm_report_facts *facts = facts_of(
        "{\"header\":{\"reportVersion\":\"three\",\"processId\":[1],\"threadId\":-1,\"cwd\":7,\"host\":\"h\","
        "\"commandLine\":\"node\",\"cpus\":{},\"componentVersions\":[],\"release\":3,\"networkInterfaces\":["
        "1,{\"internal\":1}]},"
        "\"javascriptStack\":[],\"javascriptHeap\":{\"usedMemory\":1.5,\"memoryLimit\":1e999,\"heapSpaces\":["
        "]},"
        "\"nativeStack\":{},\"resourceUsage\":7,\"libuv\":[7,{\"type\":9,\"address\":\"zz\",\"fd\":\"3\","
        "\"localEndpoint\":[]}],"
        "\"workers\":[[],3],\"environmentVariables\":[],\"userLimits\":{\"open_files\":{\"soft\":\"many\","
        "\"hard\":5}},"
        "\"sharedObjects\":[1]}",
        &diagnosis);
    assert_int_equal(diagnosis->exit_code, PM_EXIT_PARTIAL);
    assert_string_equal(facts->header.host, "h");
    assert_true(facts->header.report_version == PM_UNKNOWN && facts->header.pid == PM_UNKNOWN &&
                facts->header.thread_id == PM_UNKNOWN);
    assert_null(facts->header.cwd);
    assert_null(facts->header.argv);
    assert_true(facts->heap.used == PM_UNKNOWN && facts->heap.limit == PM_UNKNOWN);
    assert_int_equal(facts->handle_count, 1);
    assert_true(facts->handles[0].fd == PM_UNKNOWN && facts->handles[0].address == PM_UNKNOWN);
    assert_int_equal(facts->worker_count, 0);
    assert_int_equal(facts->limit_count, 1);
    assert_true(facts->limits[0].soft == PM_UNKNOWN && facts->limits[0].hard == 5);
    assert_true(diagnosis->skipped[0].count >= 20);
    pm_diagnosis_destroy(diagnosis);
}

static void test_numbers(void **state) {
    (void)state;
    struct pm_diagnosis *diagnosis;
    const struct pm_report_facts *facts = facts_of(
        "{\"header\":{\"reportVersion\":3,\"processId\":9007199254740993,\"dumpEventTimeStamp\":"
        "\"1795633857317\"},"
        "\"resourceUsage\":{\"constrained_memory\":18446744073709552000,\"available_memory\":"
        "9223372036786950000,\"rss\":nan,"
        "\"maxRss\":12345678901234567890123456789012345678901234567890123456789012345678901234567890},"
        "\"userLimits\":{\"a\":{\"soft\":\"unlimited\",\"hard\":18446744073709551615}},"
        "\"libuv\":[{\"type\":\"timer\",\"firesInMsFromNow\":-1234}]}",
        &diagnosis);
    assert_true(facts->usage.constrained_memory == PM_UNLIMITED &&
                facts->usage.available_memory == PM_UNLIMITED);
    assert_true(facts->usage.rss == PM_UNKNOWN && facts->usage.max_rss == PM_UNKNOWN);
    assert_true(facts->header.time_ms == 1795633857317);
    assert_true(facts->limits[0].soft == PM_UNLIMITED && facts->limits[0].hard == PM_UNLIMITED);
    assert_true(facts->handles[0].fires_in_ms <= -1234 && facts->handles[0].fires_in_ms >= -1234);
    pm_diagnosis_destroy(diagnosis);
}

/* The last of two members of one name holds, as in JSON.parse; lists do not add up. */
static void test_duplicate_keys(void **state) {
    (void)state;
    struct pm_diagnosis *diagnosis;
    const struct pm_report_facts *facts =
        facts_of("{\"header\":{\"reportVersion\":1,\"reportVersion\":2,\"commandLine\":[\"a\",\"b\",\"c\"],"
                 "\"commandLine\":[\"d\"]},"
                 "\"libuv\":[{},{}],\"libuv\":[{\"type\":\"tcp\"}],\"header\":{\"processId\":5}}",
                 &diagnosis);
    assert_true(facts->header.report_version == 2 && facts->header.pid == 5);
    assert_int_equal(facts->header.argc, 1);
    assert_string_equal(facts->header.argv[0], "d");
    assert_int_equal(facts->handle_count, 1);
    pm_diagnosis_destroy(diagnosis);
}

static void test_texts(void **state) {
    (void)state;
    struct pm_diagnosis *diagnosis;
    const struct pm_report_facts *facts =
        facts_of("{\"header\":{\"reportVersion\":1,\"cwd\":\"a\\ud800b\\u0000c\\q\",\"host\":\"\xff\xc3(\","
                 "\"event\":\"\\ud83d\\ude00\"}}",
                 &diagnosis);
    assert_string_equal(facts->header.cwd, "a\xef\xbf\xbd"
                                           "b\xef\xbf\xbd"
                                           "c?q");
    assert_string_equal(facts->header.event, "\xf0\x9f\x98\x80");
    assert_string_equal(facts->header.host, "\xff\xc3("); /* writers make it valid */
    assert_int_equal(diagnosis->exit_code, PM_EXIT_PARTIAL);
    pm_diagnosis_destroy(diagnosis);
}

/* ---- whole runs ---- */

static char *file_of(const char *name, const char *start, size_t count, const char *piece, const char *end) {
    char *path = path_of(folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(start, file);
    for (size_t i = 0; i < count; i++) fputs(piece, file);
    fputs(end, file);
    fclose(file);
    return path;
}

static void test_depth_bomb(void **state) {
    (void)state;
    char *path =
        file_of("deep", "{\"header\":{\"reportVersion\":3,\"processId\":4711},\"workers\":", 100000, "[", "");
    struct run run = RUN(path, "--format", "json");
    assert_run(&run, 1, "nested too deeply", NULL);
    assert_non_null(strstr(run.out, "\"pid\": 4711"));
    run_free(&run);
    free(path);
    path = file_of("workers", "{\"header\":{\"reportVersion\":3}", 5000, ",\"workers\":[{\"header\":{}", "");
    run = RUN(path);
    assert_run(&run, 1, NULL, NULL);
    run_free(&run);
    free(path);
}

/* 1 GB of one text: the file is sparse, the text is what is not read. */
static void test_huge(void **state) {
    (void)state;
    char *path = file_of("huge", "{\"header\":{\"reportVersion\":3,\"processId\":4711},\"x\":\"", 0, "", "");
    struct rusage before, after;
    assert_int_equal(truncate(path, 1l << 30), 0);
    getrusage(RUSAGE_CHILDREN, &before);
    struct run run = RUN(path, "--format", "json");
    getrusage(RUSAGE_CHILDREN, &after);
    assert_run(&run, 1, "too large", NULL);
    assert_non_null(strstr(run.out, "\"pid\": 4711"));
    assert_true(after.ru_maxrss < 600 * 1024); /* kB; ASan's own memory is in it */
    run_free(&run);
    free(path);
    path = file_of("numbers", "{\"header\":{\"reportVersion\":3},\"libuv\":[0", 6000000, ",0", "]}");
    run = RUN(path, "--format", "json");
    assert_run(&run, 1, "too many values", NULL);
    run_free(&run);
    free(path);
}

static void test_nothing_of_use(void **state) {
    (void)state;
    char *path = file_of("nothing", "{\"header\" \"reportVersion\"", 0, "", "");
    struct run run = RUN(path);
    assert_run(&run, 2, NULL, "nothing of the report could be read");
    run_free(&run);
    free(path);
}

/* ---- pods ---- */

static void test_quantities(void **state) {
    (void)state;
    assert_true(pm_pod_quantity_milli("512Mi") == 512ull * 1048576 * 1000);
    assert_true(pm_pod_quantity_milli("1.5G") == 1500000000000ull);
    assert_true(pm_pod_quantity_milli("250m") == 250 && pm_pod_quantity_milli("2") == 2000);
    assert_true(pm_pod_quantity_milli("1e3") == 1000000 &&
                pm_pod_quantity_milli("128974848") == 128974848000ull);
    assert_true(pm_pod_quantity_milli("") == PM_UNKNOWN && pm_pod_quantity_milli("12 Mi") == PM_UNKNOWN);
    assert_true(pm_pod_quantity_milli("-5") == PM_UNKNOWN && pm_pod_quantity_milli("99999Ei") == PM_UNKNOWN);
    assert_true(pm_pod_quantity_milli("0x10") == PM_UNKNOWN && pm_pod_quantity_milli("nan") == PM_UNKNOWN);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_wrong_types),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_duplicate_keys),
        cmocka_unit_test(test_depth_bomb),
        cmocka_unit_test(test_huge),
        cmocka_unit_test(test_nothing_of_use),
        cmocka_unit_test(test_quantities),
    };
    folder = folder_new();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    folder_remove(folder);
    return failed;
}
