/* The command loop against Node's own list of the handles: the libuv section of a diagnostic report that the
 * same process wrote right before it aborted (case loop).
 *
 *   test_loop             Node 22.23.3
 *   test_loop VERSION...  others */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/cli/json_schema.h"
#include "tests/cli/run_program.h"
#include "tests/support/assert_error.h"

static const char *const usual[] = {"22.23.3"};
static const char *const *versions = usual;
static size_t version_count = 1;

static const char *text_at(const cJSON *object, const char *name) {
    const cJSON *item = cJSON_GetObjectItem(object, name);
    return cJSON_IsString(item) ? item->valuestring : "";
}

static unsigned long long address_of(const cJSON *object) {
    return strtoull(text_at(object, "address"), NULL, 16);
}

static const cJSON *by_address(const cJSON *rows, unsigned long long address) {
    const cJSON *row;
    cJSON_ArrayForEach(row, rows) if (address_of(row) == address) return row;
    return NULL;
}

static cJSON *json_of(struct run *run) {
    cJSON *document = cJSON_Parse(run->out);
    if (!document) print_error("no JSON: %s\n", run->out);
    assert_non_null(document);
    run_free(run);
    return document;
}

static bool is_true(const cJSON *object, const char *name) {
    return cJSON_IsTrue(cJSON_GetObjectItem(object, name));
}

/* Handles: the same, with the same state. The timer that wrote the report is the same one at the abort. */
static void compare_handles(const char *version, const cJSON *loop, const cJSON *truth) {
    const cJSON *handles = cJSON_GetObjectItem(loop, "handles"), *row;
    int expected = 0;
    cJSON_ArrayForEach(row, truth) {
        const cJSON *fd = cJSON_GetObjectItem(row, "fd");
        if (!strcmp(text_at(row, "type"), "loop")) {
            assert_int_equal(address_of(row), address_of(loop));
            continue;
        }
        const cJSON *found = by_address(handles, address_of(row));
        expected++;
        if (!found) print_error("%s: no %s at %s\n", version, text_at(row, "type"), text_at(row, "address"));
        assert_non_null(found);
        assert_string_equal(text_at(found, "type"), text_at(row, "type"));
        assert_int_equal(is_true(found, "active"), is_true(row, "is_active"));
        assert_int_equal(is_true(found, "referenced"), is_true(row, "is_referenced"));
        if (cJSON_IsNumber(fd) && fd->valuedouble >= 0 && cJSON_IsNumber(cJSON_GetObjectItem(found, "fd")))
            assert_int_equal(cJSON_GetObjectItem(found, "fd")->valuedouble, fd->valuedouble);
        bool has_fd = !strcmp(text_at(row, "type"), "tcp") || !strcmp(text_at(row, "type"), "pipe") ||
                      !strcmp(text_at(row, "type"), "udp");
        if (has_fd) assert_true(cJSON_IsNumber(cJSON_GetObjectItem(found, "fd")));
    }
    assert_true(expected > 8);
    /* What the report leaves out is libuv's own. */
    int own = 0;
    cJSON_ArrayForEach(row, handles) own += is_true(row, "internal");
    assert_true(cJSON_GetArraySize(handles) <= expected + own);
}

static bool has_detail(const cJSON *loop, const char *class, const char *detail) {
    const cJSON *row;
    cJSON_ArrayForEach(
        row, cJSON_GetObjectItem(loop, "handles")) if (!strcmp(text_at(row, "class"), class) &&
                                                       strstr(text_at(row, "detail"), detail)) return true;
    return false;
}

static double count_of(const cJSON *rows, const char *function, double milliseconds) {
    const cJSON *row;
    double count = 0;
    cJSON_ArrayForEach(row, rows) {
        const cJSON *ms = cJSON_GetObjectItem(row, "milliseconds");
        if (!strcmp(text_at(row, "function"), function) && (!ms || ms->valuedouble == milliseconds))
            count += cJSON_GetObjectItem(row, "count")->valuedouble;
    }
    return count;
}

static void check_version(const char *version) {
    char *directory = core_directory("loop", version), *core = path_of(directory, "core"),
         *root = path_of(directory, "sysroot");
    bool has_root = access(root, F_OK) == 0;
    struct run run = has_root ? RUN("loop", core, "--format", "json", "--sysroot", root)
                              : RUN("loop", core, "--format", "json");
    assert_run(&run, 0, NULL, NULL);
    cJSON *document = json_of(&run);
    run = run_shell("cat '%s/report.json'", directory);
    cJSON *report = json_of(&run);
    const cJSON *loop = cJSON_GetArrayItem(cJSON_GetObjectItem(document, "event_loop"), 0);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(document, "event_loop")), 1);
    compare_handles(version, loop, cJSON_GetObjectItem(report, "libuv"));
    assert_true(has_detail(loop, "Server", "127.0.0.1"));
    assert_true(has_detail(loop, "Socket", "waits for the answer to GET \"/slow\" of \"127.0.0.1\""));
    assert_true(has_detail(loop, "Socket", "has not answered GET \"/slow\""));
    const cJSON *timers = cJSON_GetObjectItem(loop, "timers");
    assert_int_equal(count_of(timers, "heartbeat", 30000), 1);
    assert_int_equal(count_of(timers, "refresh", 60000), 3);
    assert_int_equal(count_of(timers, "refresh", 90000), 1);
    assert_int_equal(count_of(timers, "refresh", 70000), 0);
    assert_int_equal(count_of(cJSON_GetObjectItem(loop, "waiting"), "load", 0), 4);
    cJSON_Delete(report);
    cJSON_Delete(document);
    free(root);
    free(core);
    free(directory);
}

static void test_loops(void **state) {
    (void)state;
    for (size_t i = 0; i < version_count; i++) check_version(versions[i]);
}

int main(int argc, char **argv) {
    if (argc > 1) {
        versions = (const char *const *)(argv + 1);
        version_count = (size_t)argc - 1;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_loops)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
