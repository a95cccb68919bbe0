/* The JavaScript part of the stack of a process that died at a known place equals the text of `new
 * Error().stack` taken there: every name, file, line and column, inlined and async frames too. stack.txt is
 * written by the function die() that then aborts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

static bool breadth;

/* The output of a command; NULL when it could not be run. */
static char *output_of(const char *command) {
    FILE *pipe = popen(command, "r");
    size_t length = 0, capacity = 1 << 16;
    char *text = malloc(capacity);
    while (pipe && text) {
        size_t got = fread(text + length, 1, capacity - length - 1, pipe);
        if (!got) break;
        length += got;
        if (capacity - length < 4096) text = realloc(text, capacity *= 2);
    }
    if (pipe) pclose(pipe);
    if (text) text[length] = 0;
    return text;
}

static const char *text_of(const cJSON *object, const char *key) {
    return cJSON_GetStringValue(cJSON_GetObjectItem(object, key));
}

/* One line as Error.stack writes it. */
static void write_frame(const cJSON *frame, char *line, size_t size) {
    const char *name = text_of(frame, "function"), *file = text_of(frame, "file");
    const cJSON *number = cJSON_GetObjectItem(frame, "line"), *column = cJSON_GetObjectItem(frame, "column");
    char place[1024] = "<anonymous>";
    bool anonymous = !name || strcmp(name, "<anonymous>") == 0;
    if (cJSON_IsNumber(number))
        snprintf(place, sizeof(place), "%s:%.0f:%.0f", file ? file : "<anonymous>", number->valuedouble,
                 column->valuedouble);
    if (name && strncmp(name, "async Promise.", 14) == 0)
        snprintf(line, size, "%s", name); /* has its own brackets */
    else if (anonymous)
        snprintf(line, size, "%s", place);
    else
        snprintf(line, size, "%s (%s)", name, place);
}

/* The frames of Error.stack: behind die(), without what the program itself hides. */
static unsigned compare(const char *what, const cJSON *frames, char *expected) {
    const cJSON *frame;
    bool below = false;
    unsigned wrong = 0, compared = 0;
    char *rest = expected, *wanted;
    strsep(&rest, "\n"); /* "Error" */
    cJSON_ArrayForEach(frame, frames) {
        const char *kind = text_of(frame, "kind"), *name = text_of(frame, "function");
        char line[2048];
        if (!kind || (strcmp(kind, "js") != 0 && strcmp(kind, "builtin") != 0) ||
            cJSON_IsTrue(cJSON_GetObjectItem(frame, "hidden")))
            continue;
        if (!below) {
            const char *file = text_of(frame, "file");
            below = name && strstr(name, "die") && file && strstr(file, "/die.js");
            continue;
        }
        write_frame(frame, line, sizeof(line));
        wanted = strsep(&rest, "\n");
        if (wanted && strncmp(wanted, "    at ", 7) == 0) wanted += 7;
        compared++;
        if (wanted && strcmp(line, wanted) == 0) continue;
        if (wrong++ < 3)
            fprintf(stderr, "  %s\n    ours  %s\n    V8's  %s\n", what, line,
                    wanted ? wanted : "(no more frames)");
    }
    while ((wanted = strsep(&rest, "\n")) && *wanted)
        if (wrong++ < 3) fprintf(stderr, "  %s\n    missing %s\n", what, wanted);
    printf("%s: %u frames, %u different\n", what, compared, wrong);
    return wrong + (compared == 0);
}

static unsigned check(const char *name, const char *version) {
    char command[4096], folder[600], sysroot[700], path[700];
    snprintf(command, sizeof(command), "'%s/corpora/make-core' '%s' '%s'", getenv("POSTMORTEM_SOURCE"), name,
             version);
    char *text = output_of(command);
    assert_non_null(text);
    snprintf(folder, sizeof(folder), "%.*s", (int)strcspn(text, "\n"), text);
    free(text);
    snprintf(sysroot, sizeof(sysroot), "%s/sysroot", folder);
    bool has_sysroot = access(sysroot, F_OK) == 0;
    bool is_library = strncmp(version, "deb", 3) ==
                      0; /* node itself is a small program there, V8 is in a library of the sysroot */
    snprintf(command, sizeof(command), "'%s' stacks '%s/core' --format json %s%s%s %s%s%s",
             getenv("POSTMORTEM_PROGRAM"), folder, has_sysroot ? "--sysroot '" : "",
             has_sysroot ? sysroot : "", has_sysroot ? "'" : "", is_library ? "" : "--exe '",
             is_library ? "" : folder, is_library ? "" : "/node'");
    char *json = output_of(command);
    cJSON *diagnosis = json ? cJSON_Parse(json) : NULL;
    snprintf(path, sizeof(path), "cat '%s/stack.txt'", folder);
    char *expected = output_of(path);
    unsigned wrong = 1;
    const cJSON *thread;
    cJSON_ArrayForEach(thread, cJSON_GetObjectItem(diagnosis, "threads")) {
        char what[200];
        if (!cJSON_IsTrue(cJSON_GetObjectItem(thread, "crashed"))) continue;
        snprintf(what, sizeof(what), "%s %s", name, version);
        wrong = compare(what, cJSON_GetObjectItem(thread, "frames"), expected);
    }
    if (!diagnosis) fprintf(stderr, "  %s %s: no JSON\n", name, version);
    free(json);
    free(expected);
    cJSON_Delete(diagnosis);
    return wrong;
}

static void test_stacks(void **state) {
    (void)state;
    static const char *const everyday[] = {"stack-interpreted", "stack-turbofan",  "stack-classes",
                                           "stack-async",       "stack-callbacks", "stack-worker"};
    static const char *const six[] = {"16.20.2", "18.20.8", "20.20.2", "22.23.3", "24.21.0", "26.10.0"};
    static const char *const more[] = {"stack-baseline", "stack-turbofan-forced", "stack-eval-esm"};
    unsigned wrong = 0;
    for (size_t v = 0; v < sizeof(six) / sizeof(six[0]); v++) {
        for (size_t c = 0; !breadth && c < sizeof(everyday) / sizeof(everyday[0]); c++)
            wrong += check(everyday[c], six[v]);
        for (size_t c = 0; breadth && c < sizeof(more) / sizeof(more[0]); c++)
            wrong += check(more[c], six[v]);
    }
    if (breadth) {
        wrong += check("stack-maglev", "22.0.0") + check("stack-maglev", "24.21.0") +
                 check("stack-maglev", "26.10.0");
        static const char *const others[] = {"18.0.0", "20.9.0",         "22.14.0",       "24.0.0",
                                             "26.0.0", "deb-libnode108", "20.20.2-arm64", "22.23.3-arm64"};
        for (size_t v = 0; v < sizeof(others) / sizeof(others[0]); v++)
            wrong += check("stack-turbofan", others[v]);
    }
    assert_int_equal(wrong, 0);
}

int main(int argc, char **argv) {
    breadth = argc > 1 && strcmp(argv[1], "breadth") == 0;
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_stacks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
