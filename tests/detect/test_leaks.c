/* Every planted leak is named first, with the kind, the name, the file and the line that its expected.json
 * says; and programs that simply need more memory than they were given are not called leaks. */
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

#define VERSION "22.23.3"

static char *run(const char *format, const char *a, const char *b) {
    char command[2048];
    snprintf(command, sizeof(command), format, a, b);
    FILE *pipe = popen(command, "r");
    size_t length = 0, capacity = 1 << 16;
    char *text = malloc(capacity);
    assert_non_null(pipe);
    while (text) {
        size_t got = fread(text + length, 1, capacity - length - 1, pipe);
        if (!got) break;
        length += got;
        if (capacity - length < 4096) text = realloc(text, capacity *= 2);
    }
    assert_non_null(text);
    pclose(pipe);
    text[length] = 0;
    return text;
}

static cJSON *diagnose(const char *name) {
    char *folder = run("'%s/corpora/make-core' '%s' " VERSION, getenv("POSTMORTEM_SOURCE"), name);
    folder[strcspn(folder, "\n")] = 0;
    char *text = run("'%s' '%s/core' --format json", getenv("POSTMORTEM_PROGRAM"), folder);
    cJSON *diagnosis = cJSON_Parse(text);
    free(folder);
    free(text);
    if (!diagnosis) fail_msg("%s: no JSON", name);
    return diagnosis;
}

static cJSON *expected(const char *name) {
    char *text = run("cat '%s/corpora/cores/%s/expected.json'", getenv("POSTMORTEM_SOURCE"), name);
    cJSON *truth = cJSON_Parse(text);
    free(text);
    assert_non_null(truth);
    return truth;
}

static const char *text_of(const cJSON *object, const char *key) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(object, key));
    return text ? text : "";
}

static const cJSON *first_finding(const cJSON *diagnosis) {
    return cJSON_GetArrayItem(cJSON_GetObjectItem(diagnosis, "findings"), 0);
}

static unsigned check(const char *name) {
    cJSON *diagnosis = diagnose(name), *truth = expected(name);
    const cJSON *finding = first_finding(diagnosis), *owner = cJSON_GetObjectItem(finding, "owner");
    const cJSON *holder = cJSON_GetObjectItem(truth, "holder");
    const char *file = text_of(owner, "file"), *wanted = text_of(holder, "file");
    size_t length = strlen(file), wanted_length = strlen(wanted);
    bool same_file =
        length > wanted_length && wanted_length && strcmp(file + length - wanted_length, wanted) == 0;
    double line = cJSON_GetNumberValue(cJSON_GetObjectItem(owner, "line"));
    double wanted_line = cJSON_GetNumberValue(cJSON_GetObjectItem(holder, "line"));
    double share = cJSON_GetNumberValue(cJSON_GetObjectItem(finding, "share"));
    double least = cJSON_GetNumberValue(cJSON_GetObjectItem(truth, "min_share"));
    bool right = strcmp(text_of(finding, "id"), text_of(truth, "finding")) == 0 &&
                 strcmp(text_of(owner, "name"), text_of(holder, "name")) == 0 && same_file &&
                 line == wanted_line && share >= least - 0.05;
    printf("%s: %s `%s` %s:%.0f %.0f %%%s\n", name, text_of(finding, "id"), text_of(owner, "name"), wanted,
           line, share * 100, right ? "" : "  WRONG");
    cJSON_Delete(diagnosis);
    cJSON_Delete(truth);
    return !right;
}

static void test_planted(void **state) {
    (void)state;
    static const char *const cases[] = {
        "leak-map",           "leak-map-ids",        "leak-map-times",   "leak-private-map",
        "leak-array",         "leak-object",         "leak-weakmap",     "leak-buffers",
        "leak-buffer-slices", "leak-sliced-strings", "leak-huge-object", "leak-stream-buffer",
        "leak-map-oom",
    };
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) wrong += check(cases[i]);
    assert_int_equal(wrong, 0);
}

/* The kind of leak is told, the owner by another name than the expected one. */
static void test_kinds(void **state) {
    (void)state;
    static const char *const cases[][2] = {{"leak-listeners", "listener-leak"},
                                           {"leak-timers", "timer-leak"},
                                           {"leak-rope", "rope"},
                                           {"leak-context-chain", "context-chain"},
                                           {"leak-prototype-chain", "prototype-chain"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cJSON *diagnosis = diagnose(cases[i][0]);
        assert_string_equal(text_of(first_finding(diagnosis), "id"), cases[i][1]);
        cJSON_Delete(diagnosis);
    }
}

static void test_working_sets(void **state) {
    (void)state;
    static const char *const cases[] = {"need-prettier", "need-typescript-oom"};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cJSON *diagnosis = diagnose(cases[i]);
        assert_string_equal(text_of(first_finding(diagnosis), "id"), "working-set");
        assert_non_null(strstr(text_of(diagnosis, "verdict"), "not a leak"));
        cJSON_Delete(diagnosis);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_planted), cmocka_unit_test(test_kinds),
                                       cmocka_unit_test(test_working_sets)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
