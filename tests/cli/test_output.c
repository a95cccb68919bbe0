/* Where the output goes, and that every command's JSON is what docs/schema.json promises. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/cli/json_schema.h"
#include "tests/cli/run_program.h"
#include "tests/support/assert_error.h"
#include "tests/support/folder.h"

#define PM_LABEL 11 /* columns of the labels */

static char *core;
static cJSON *schema;

static int set_up(void **state) {
    (void)state;
    struct run run = run_shell("cat '%s/docs/schema.json'", source_directory());
    schema = cJSON_Parse(run.out);
    run_free(&run);
    return schema ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    cJSON_Delete(schema);
    free(core);
    return 0;
}

static void need_core(void) {
    if (core) return;
    char *directory = core_directory("oom-small", "22.23.3");
    core = path_of(directory, "core");
    free(directory);
}

static cJSON *valid(const struct run *run) {
    cJSON *document = cJSON_ParseWithOpts(run->out, NULL, true);
    if (!document) fail_msg("no JSON: %.200s", run->out);
    char *wrong = json_schema_check(schema, document);
    if (wrong) fail_msg("not of docs/schema.json: %s", wrong);
    return document;
}

/* The checker itself: what must not pass does not. */
static void test_checker(void **state) {
    (void)state;
    static const char *const bad[] = {
        "{}",
        "[]",
        "{\"schema\":\"postmortem/"
        "2\",\"tool\":{\"name\":\"postmortem\",\"version\":\"1\"},\"exit_code\":0,\"inputs\":[],"
        "\"coverage\":{\"read_objects\":null,\"skipped\":[]}}",
        "{\"schema\":\"postmortem/"
        "1\",\"tool\":{\"name\":\"postmortem\",\"version\":\"1\"},\"exit_code\":0,\"inputs\":[],"
        "\"coverage\":{\"read_objects\":-1,\"skipped\":[]}}",
        "{\"schema\":\"postmortem/"
        "1\",\"tool\":{\"name\":\"postmortem\",\"version\":\"1\"},\"exit_code\":0,\"inputs\":[],"
        "\"coverage\":{\"read_objects\":1,\"skipped\":[]},\"surprise\":1}",
        "{\"schema\":\"postmortem/"
        "1\",\"tool\":{\"name\":\"postmortem\",\"version\":\"1\"},\"exit_code\":0,\"inputs\":[],"
        "\"coverage\":{\"read_objects\":1.5,\"skipped\":[]}}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cJSON *document = cJSON_Parse(bad[i]);
        assert_non_null(document);
        char *wrong = json_schema_check(schema, document);
        if (!wrong) fail_msg("passes: %s", bad[i]);
        free(wrong);
        cJSON_Delete(document);
    }
}

static void test_schema_of_commands(void **state) {
    (void)state;
    need_core();
    static const char *const sections[][2] = {
        {"diagnose", "process"}, {"stacks", "threads"}, {"spaces", "isolates"}, {"histogram", "isolates"}};
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
        struct run run = RUN(sections[i][0], core, "--format", "json");
        assert_run(&run, 0, NULL, NULL);
        cJSON *document = valid(&run);
        if (!cJSON_GetObjectItem(document, sections[i][1]))
            fail_msg("%s has no %s", sections[i][0], sections[i][1]);
        cJSON_Delete(document);
        run_free(&run);
    }
    struct run run = RUN("layouts", "--format", "json");
    assert_run(&run, 0, NULL, NULL);
    cJSON_Delete(valid(&run));
    run_free(&run);
    run = RUN("layouts", "--explain", core, "-fjson");
    assert_run(&run, 0, NULL, NULL);
    cJSON_Delete(valid(&run));
    run_free(&run);
    run = RUN("/dev/null", "-fjson");
    cJSON_Delete(valid(&run));
    run_free(&run);
}

/* From a class to an instance to what it refers to. */
static void test_digging(void **state) {
    (void)state;
    need_core();
    struct run run = RUN("objects", core, "--class", "UserSession", "--limit", "3", "--format", "json");
    assert_run(&run, 0, NULL, NULL);
    cJSON *document = valid(&run), *objects = cJSON_GetObjectItem(document, "objects");
    assert_true(cJSON_GetObjectItem(objects, "count")->valuedouble > 50000);
    cJSON *instances = cJSON_GetObjectItem(objects, "instances");
    assert_int_equal(cJSON_GetArraySize(instances), 3);
    char address[32];
    snprintf(address, sizeof(address), "%s",
             cJSON_GetObjectItem(cJSON_GetArrayItem(instances, 0), "address")->valuestring);
    cJSON_Delete(document);
    run_free(&run);
    run = RUN("inspect", core, address, "--format", "json");
    assert_run(&run, 0, NULL, NULL);
    document = valid(&run);
    cJSON *object = cJSON_GetObjectItem(document, "object"), *fields = cJSON_GetObjectItem(object, "fields"),
          *field;
    assert_string_equal(cJSON_GetObjectItem(object, "class")->valuestring, "UserSession");
    bool has_id = false;
    cJSON_ArrayForEach(field, fields) {
        const cJSON *name = cJSON_GetObjectItem(field, "name");
        has_id |= cJSON_IsString(name) && !strcmp(name->valuestring, "id");
    }
    assert_true(has_id);
    cJSON_Delete(document);
    run_free(&run);
    run = RUN("inspect", core, "0x1234560");
    assert_run(&run, 2, NULL, "no object begins there");
    run_free(&run);
    run = RUN("objects", core, "--class", "NoSuchClass");
    assert_run(&run, 2, NULL, "no object of class 'NoSuchClass'");
    run_free(&run);
}

static void test_output_file(void **state) {
    (void)state;
    need_core();
    char *folder = folder_new(), *path = path_of(folder, "out.txt");
    struct run run = RUN("spaces", core, "-o", path), shown;
    assert_run(&run, 0, NULL, NULL);
    assert_int_equal(run.out_length, 0);
    run_free(&run);
    run = run_shell("ls -A '%s'; cat '%s'", folder, path);
    assert_non_null(strstr(run.out, "old_space"));
    assert_int_equal(strncmp(run.out, "out.txt\n", 8), 0); /* nothing else is left behind */
    run_free(&run);
    /* A failure leaves what was there. */
    shown = RUN("spaces", "/dev/null", "-o", path);
    assert_run(&shown, 2, NULL, NULL);
    run_free(&shown);
    run = run_shell("cat '%s'", path);
    assert_non_null(strstr(run.out, "old_space"));
    run_free(&run);
    run = RUN("spaces", core, "-o", "/no/such/folder/out");
    assert_run(&run, 2, NULL, "/no/such/folder/out");
    run_free(&run);
    run = RUN("spaces", core, "-o", "/dev/full");
    assert_run(&run, 2, NULL, "No space left");
    run_free(&run);
    free(path);
    folder_remove(folder);
}

static void test_standard_output(void **state) {
    (void)state;
    need_core();
    const char *program = getenv("POSTMORTEM_PROGRAM");
    struct run run = run_shell("'%s' histogram '%s' >/dev/full", program, core);
    assert_run(&run, 2, NULL, "No space left");
    run_free(&run);
    run = run_shell("set -o pipefail; '%s' histogram '%s' --limit 0 | head -1", program, core);
    assert_run(&run, 0, "Objects", NULL);
    assert_string_equal(run.err, "");
    run_free(&run);
    run = run_shell("'%s' --help >/dev/full", program);
    assert_int_equal(run.exit_code, 2);
    run_free(&run);
    run = run_shell("'%s' spaces '%s' >&-", program, core);
    assert_int_equal(run.exit_code, 2);
    run_free(&run);
}

/* Columns of a line: bytes that begin a character. */
static size_t columns_of(const char *line) {
    size_t columns = 0;
    for (; *line && *line != '\n'; line++) columns += ((unsigned char)*line & 0xc0) != 0x80;
    return columns;
}

static void test_terminal(void **state) {
    (void)state;
    need_core();
    struct run run = RUN("spaces", core);
    assert_null(strchr(run.out, '\033')); /* not a terminal */
    assert_string_equal(run.err, "");     /* and no progress */
    run_free(&run);
    run = RUN("spaces", core, "--color", "always");
    assert_non_null(strstr(run.out, "\033[1m"));
    run_free(&run);
    const char *program = getenv("POSTMORTEM_PROGRAM");
    run = run_shell("NO_COLOR=1 COLUMNS=60 '%s' '%s'", program, core);
    assert_run(&run, 0, NULL, NULL);
    const char *stack = strstr(run.out, "\nMemory");
    for (const char *line = run.out; line < stack; line += strcspn(line, "\n") + 1)
        if (columns_of(line) > 60)
            assert_null(memchr(line + PM_LABEL, ' ', strcspn(line, "\n") - PM_LABEL)); /* one long word */
    run_free(&run);
}

static void test_version_and_usage(void **state) {
    (void)state;
    struct run run = RUN("--version");
    assert_run(&run, 0, "postmortem ", NULL);
    run_free(&run);
    run = RUN("--help");
    assert_run(&run, 0, "Exit code", NULL);
    run_free(&run);
    run = run_program((const char *const[]){NULL});
    assert_run(&run, 64, NULL, "Usage:");
    run_free(&run);
    run = RUN("stakcs");
    assert_run(&run, 64, NULL, "did you mean 'stacks'");
    run_free(&run);
}

static void test_redaction(void **state) {
    (void)state;
    need_core();
    struct run run = RUN(core, "--format", "markdown");
    assert_run(&run, 0, "Out of memory", NULL);
    assert_true(run.out_length < 30000);
    run_free(&run);
    run = RUN(core, "--format", "markdown", "--max-bytes", "1000");
    assert_run(&run, 0, "left out", NULL);
    assert_true(run.out_length <= 1000);
    run_free(&run);
    run = RUN("objects", core, "--class", "(string)", "--redact=strict", "--limit", "30");
    assert_run(&run, 0, "(string hidden)", NULL);
    assert_null(strchr(run.out, '\''));
    run_free(&run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checker),           cmocka_unit_test(test_schema_of_commands),
        cmocka_unit_test(test_digging),           cmocka_unit_test(test_output_file),
        cmocka_unit_test(test_standard_output),   cmocka_unit_test(test_terminal),
        cmocka_unit_test(test_version_and_usage), cmocka_unit_test(test_redaction),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
