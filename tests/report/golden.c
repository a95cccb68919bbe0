#include "tests/report/golden.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/assert_error.h"

#define MOST (1u << 20)

static void golden_path(char *path, size_t size, const char *name) {
    const char *source = getenv("POSTMORTEM_SOURCE");
    snprintf(path, size, "%s/tests/report/golden/%s", source ? source : ".", name);
}

void assert_golden(const char *name, char *text) {
    char path[4096], actual[4200], command[9000];
    golden_path(path, sizeof(path), name);
    if (getenv("POSTMORTEM_UPDATE_GOLDEN")) {
        FILE *out = fopen(path, "w");
        assert_non_null(out);
        fputs(text, out);
        fclose(out);
    }
    FILE *in = fopen(path, "r");
    if (!in) fail_msg("%s is missing: run with POSTMORTEM_UPDATE_GOLDEN=1 and read what it wrote", path);
    char *expected = calloc(1, MOST);
    assert_non_null(expected);
    (void)!fread(expected, 1, MOST - 1, in);
    fclose(in);
    if (strcmp(expected, text) != 0) {
        snprintf(actual, sizeof(actual), "%s.actual", name);
        FILE *out = fopen(actual, "w");
        assert_non_null(out);
        fputs(text, out);
        fclose(out);
        snprintf(command, sizeof(command), "diff -u '%s' '%s' >&2", path, actual);
        (void)!system(command);
        fail_msg("%s differs (above; in %s)", name, actual);
    }
    free(expected);
    free(text);
}
