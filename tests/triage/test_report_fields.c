/* Nothing that Node 14 to 26 writes into a report is lost: report-fields.txt lists every path with its types
 * (collected from real reports); each gets a value of its own in one made-up report, and that value has to be
 * in the JSON output. What is left out deliberately stands in report-fields-ignored.txt, with a reason. */
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

#include "tests/cli/run_program.h"
#include "tests/support/folder.h"

enum kind { KIND_OTHER, KIND_TEXT, KIND_NUMBER, KIND_BOOLEAN, KIND_OBJECT };

struct field {
    char path[160];
    enum kind kind;
    unsigned number;   /* makes its value unlike all others */
    const char *value; /* as it has to appear in the output; NULL = a boolean */
};

static struct field fields[1000];
static size_t field_count;
static char *folder;

/* ---- the lists ---- */

static bool is_ignored(const char *path) {
    char name[512], line[512];
    bool found = false;
    snprintf(name, sizeof(name), "%s/tests/triage/report-fields-ignored.txt", source_directory());
    FILE *file = fopen(name, "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        char *reason = strchr(line, '\t');
        if (line[0] == '#') continue;
        if (!reason || strlen(reason) < 10) fail_msg("no reason: %s", line);
        *reason = 0;
        found |= !strcmp(line, path);
    }
    fclose(file);
    return found;
}

static void read_list(void) {
    char name[512], line[512];
    snprintf(name, sizeof(name), "%s/tests/triage/report-fields.txt", source_directory());
    FILE *file = fopen(name, "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        struct field *field = &fields[field_count];
        size_t length = strcspn(line, ":\t");
        const char *type = line[length] == ':' ? line + length + 2 : "";
        if (strstr(line, "(empty)") || length >= sizeof(field->path)) continue;
        memcpy(field->path, line, length);
        field->path[length] = 0;
        field->kind = !strncmp(type, "string", 6)    ? KIND_TEXT
                      : !strncmp(type, "number", 6)  ? KIND_NUMBER
                      : !strncmp(type, "boolean", 7) ? KIND_BOOLEAN
                      : !*type || *type == ' '       ? KIND_OBJECT
                                                     : KIND_OTHER; /* null */
        if (field->kind == KIND_OTHER || is_ignored(field->path)) continue;
        field->number = 700000 + 13 * (unsigned)field_count;
        field_count++;
    }
    fclose(file);
    assert_true(field_count > 300);
}

/* ---- the report ---- */

static bool ends(const char *path, const char *tail) {
    size_t a = strlen(path), b = strlen(tail);
    return a >= b && !strcmp(path + a - b, tail);
}

/* The value of one field, and the text by which the output must show it. */
static cJSON *value_for(struct field *field, bool flipped) {
    static char texts[1000][40];
    char *text = texts[field - fields];
    bool limit = strstr(field->path, "userLimits") != NULL; /* "unlimited" in the machine of the list */
    if (field->kind == KIND_BOOLEAN) return cJSON_CreateBool(!flipped);
    if (field->kind == KIND_NUMBER || limit || ends(field->path, "dumpEventTimeStamp")) {
        snprintf(text, sizeof(texts[0]), "%u", field->number);
        field->value = text;
        return ends(field->path, "dumpEventTimeStamp") ? cJSON_CreateString(text)
                                                       : cJSON_CreateNumber(field->number);
    }
    if (ends(field->path, ".address") && strstr(field->path, "libuv")) {
        snprintf(text, sizeof(texts[0]), "0x%x", field->number);
    } else if (ends(field->path, ".pc")) {
        snprintf(text, sizeof(texts[0]), "0x%x", field->number);
    } else {
        snprintf(text, sizeof(texts[0]), "text-%u", field->number);
    }
    field->value = text;
    return cJSON_CreateString(text);
}

static cJSON *member(cJSON *object, const char *name, bool array) {
    cJSON *found = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!found) found = array ? cJSON_AddArrayToObject(object, name) : cJSON_AddObjectToObject(object, name);
    return found;
}

/* A handle for each field of libuv: what one kind has, another has not. */
static cJSON *handle_for(cJSON *list, const char *field) {
    static const char *const kinds[][2] = {{"firesInMsFromNow", "timer"},
                                           {"repeat", "timer"},
                                           {"expired", "timer"},
                                           {"loopIdleTimeSeconds", "loop"}};
    cJSON *handle = cJSON_CreateObject();
    const char *type = "tcp";
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (!strcmp(field, kinds[i][0])) type = kinds[i][1];
    cJSON_AddItemToArray(list, handle);
    if (strcmp(field, "type") != 0) cJSON_AddStringToObject(handle, "type", type);
    return handle;
}

static void plant(cJSON *root, struct field *field, bool flipped) {
    char path[160];
    cJSON *at = root;
    snprintf(path, sizeof(path), "%s", field->path + 1);
    char *rest = path;
    for (char *name = strsep(&rest, "."); name; name = strsep(&rest, ".")) {
        size_t length = strlen(name);
        bool array = length > 2 && !strcmp(name + length - 2, "[]");
        if (array) name[length - 2] = 0;
        if (!strcmp(name, "*"))
            name = strstr(field->path, "environment") ? (char *)"NODE_ENV" : (char *)"old_space";
        if (!rest && !array) {
            if (field->kind == KIND_OBJECT) {
                field->value = strrchr(field->path, '.') + 1;
                member(at, name, false);
            } else {
                cJSON_DeleteItemFromObjectCaseSensitive(at, name);
                cJSON_AddItemToObject(at, name, value_for(field, flipped));
            }
        } else if (!rest) {
            cJSON_AddItemToArray(member(at, name, true), value_for(field, flipped));
        } else if (array) {
            cJSON *list = member(at, name, true);
            if (!strcmp(name, "libuv"))
                at = handle_for(list, rest);
            else {
                if (!list->child) cJSON_AddItemToArray(list, cJSON_CreateObject());
                at = list->child;
            }
        } else {
            at = member(at, name, false);
        }
    }
}

static char *output_for(const struct field *flipped) {
    cJSON *root = cJSON_CreateObject();
    char *path = path_of(folder, "report.json");
    for (size_t i = 0; i < field_count; i++) plant(root, &fields[i], &fields[i] == flipped);
    char *text = cJSON_Print(root);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    free(text);
    cJSON_Delete(root);
    struct run run = RUN(path, "--format", "json", "--redact=none");
    assert_run(&run, 0, NULL, NULL);
    text = strdup(run.out);
    run_free(&run);
    free(path);
    return text;
}

/* ---- the tests ---- */

static void test_every_value_is_in_the_output(void **state) {
    (void)state;
    size_t missing = 0;
    char *output = output_for(NULL);
    for (size_t i = 0; i < field_count; i++)
        if (fields[i].kind != KIND_BOOLEAN && !strstr(output, fields[i].value)) {
            printf("not in the output: %s (%s)\n", fields[i].path, fields[i].value);
            missing++;
        }
    assert_int_equal(missing, 0);
    if (strstr(output, "\"what\"")) fail_msg("something was skipped: %.300s", strstr(output, "\"skipped\""));
    free(output);
}

static void test_every_truth_value_is_in_the_output(void **state) {
    (void)state;
    size_t count = 0;
    char *output = output_for(NULL);
    for (size_t i = 0; i < field_count; i++) {
        if (fields[i].kind != KIND_BOOLEAN) continue;
        char *other = output_for(&fields[i]);
        if (!strcmp(other, output)) fail_msg("makes no difference: %s", fields[i].path);
        free(other);
        count++;
    }
    assert_true(count >= 10);
    free(output);
}

/* A field that nobody knows is counted, so that the first test cannot pass by accident. */
static void test_unknown_fields_are_counted(void **state) {
    (void)state;
    char *path = path_of(folder, "new.json");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("{\"header\":{\"reportVersion\":6,\"mood\":\"good\"},\"weather\":{}}", file);
    fclose(file);
    struct run run = RUN(path, "--format", "json");
    assert_run(&run, 1, "\"fields of the report\"", NULL);
    assert_non_null(strstr(run.out, "\"count\": 2"));
    run_free(&run);
    free(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_value_is_in_the_output),
        cmocka_unit_test(test_every_truth_value_is_in_the_output),
        cmocka_unit_test(test_unknown_fields_are_counted),
    };
    folder = folder_new();
    read_list();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    folder_remove(folder);
    return failed;
}
