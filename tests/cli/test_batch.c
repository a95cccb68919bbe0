/* batch: two thousand reports of real runs, three hundred of them damaged in different ways: right groups, no
 * crash, little memory, seconds. Merging of earlier outputs, lists of paths, a file that takes too long. */
#include <cjson/cJSON.h>
#include <dirent.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "tests/cli/json_schema.h"
#include "tests/cli/run_program.h"
#include "tests/support/assert_error.h"
#include "tests/support/bytes.h"
#include "tests/support/folder.h"

enum { FILES = 2000, DAMAGED = 300, WAYS = 12 };

/* Real faults, each in a group of its own: the frame that threw, or the kind of death. */
static const char *const cases[] = {
    "uncaught/22.23.3.json", "port-in-use/22.23.3.json", "api/22.23.3.json",
    "oom/22.23.3.json",      "rejection/22.23.3.json",
};
static const char *const words[] = {"lookUp", "EADDRINUSE", "Server.<anonymous>", "Out of memory",
                                    "loadOrder"};
enum { CASES = sizeof(cases) / sizeof(cases[0]) };

static char *read_file(const char *path, size_t *size_ret) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(size + 1);
    assert_int_equal(fread(bytes, 1, size, file), size);
    bytes[size] = 0;
    fclose(file);
    *size_ret = size;
    return bytes;
}

static void write_file(const char *folder, size_t number, const char *bytes, size_t size) {
    char name[64];
    snprintf(name, sizeof(name), "pod-%zu", number % 7);
    char *below = path_of(folder, name);
    mkdir(below, 0777);
    snprintf(name, sizeof(name), "report.%04zu.json", number);
    free(bytes_write(bytes, size, below, name));
    free(below);
}

/* Another pod at another time: as many characters as before. */
static void vary(char *bytes, size_t number) {
    char *host = strstr(bytes, "\"host\": \"");
    char *time_text = strstr(bytes, "\"dumpEventTimeStamp\": \"");
    if (time_text) {
        char digits[8];
        snprintf(digits, sizeof(digits), "%06zu", number);
        memcpy(time_text + 23 + 7, digits, 6);
    }
    if (host && host[9] && host[9] != '"') host[9] = (char)('a' + number % 7);
}

/* Returns the size after the damage. */
static size_t damage(char *bytes, size_t size, size_t number) {
    size_t at = number * 7919 % size;
    switch (number % WAYS) {
    case 0: return at;                           /* cut off */
    case 1: return 0;                            /* the disk was full */
    case 2: memset(bytes, 0, size); return size; /* written, never filled */
    case 3: bytes[at] = '\0'; return size;       /* one byte */
    case 4: memset(bytes + at, 0xff, size - at); return size;
    case 5: bytes[0] = '['; return size;
    case 6: memmove(bytes, bytes + at, size - at); return size - at; /* the start is lost */
    case 7: memset(bytes + at, '[', size - at); return size;         /* nesting */
    case 8: memset(bytes + at, '"', size - at); return size;
    case 9: memset(bytes + size / 2, '9', size / 2); return size; /* a number of 20,000 digits */
    case 10: memcpy(bytes, "\x1f\x8b\x08", 3); return size;       /* not gzip */
    default:
        memcpy(bytes,
               "\x7f"
               "ELF\2\1\1",
               7);
        return size; /* no core */
    }
}

/* Which of the cases each intact file is of: counts[]. */
static char *make_files(size_t counts[CASES]) {
    char *folder = folder_new();
    for (size_t i = 0; i < FILES; i++) {
        size_t kind = i % CASES, size;
        char *below = path_of(source_directory(), "corpora/reports"), *path = path_of(below, cases[kind]);
        char *bytes = read_file(path, &size);
        vary(bytes, i);
        if (i * DAMAGED / FILES != (i + 1) * DAMAGED / FILES)
            size = damage(bytes, size, i * DAMAGED / FILES);
        else
            counts[kind]++;
        write_file(folder, i, bytes, size);
        free(bytes);
        free(path);
        free(below);
    }
    return folder;
}

static cJSON *parse(const struct run *run) {
    cJSON *root = cJSON_ParseWithLength(run->out, run->out_length);
    assert_non_null(root);
    return root;
}

static const cJSON *batch_of(const cJSON *root) {
    const cJSON *batch = cJSON_GetObjectItem(root, "batch");
    assert_non_null(batch);
    return batch;
}

static double number(const cJSON *object, const char *key) {
    const cJSON *item = cJSON_GetObjectItem(object, key);
    assert_true(cJSON_IsNumber(item));
    return item->valuedouble;
}

static void check_schema(const cJSON *root) {
    size_t size;
    char *path = path_of(source_directory(), "docs/schema.json"), *text = read_file(path, &size);
    cJSON *schema = cJSON_Parse(text);
    char *wrong = json_schema_check(schema, root);
    if (wrong) fail_msg("%s", wrong);
    cJSON_Delete(schema);
    free(text);
    free(path);
}

/* The group of a case: found by a name in its verdict or its death. */
static const cJSON *group_with(const cJSON *batch, const char *word) {
    const cJSON *group;
    cJSON_ArrayForEach(group, cJSON_GetObjectItem(batch, "groups")) {
        const char *verdict = cJSON_GetStringValue(cJSON_GetObjectItem(group, "verdict"));
        if (verdict && strstr(verdict, word)) return group;
    }
    fail_msg("no group with '%s'", word);
    return NULL;
}

static void test_two_thousand(void **state) {
    (void)state;
    size_t counts[CASES] = {0};
    char *folder = make_files(counts);
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    struct run run = RUN("batch", folder, "--format", "json");
    clock_gettime(CLOCK_MONOTONIC, &end);
    assert_run(&run, 1, NULL, NULL);
    cJSON *root = parse(&run);
    const cJSON *batch = batch_of(root), *groups = cJSON_GetObjectItem(batch, "groups"), *group;
    check_schema(root);
    check_schema(root);
    assert_int_equal(number(batch, "files"), FILES);
    /* A damaged file is read in part, or a row that says why: never lost, never more. */
    double sum = number(batch, "failed");
    assert_true(sum > DAMAGED / 3 && sum <= DAMAGED);
    cJSON_ArrayForEach(group, groups) sum += number(group, "count");
    assert_int_equal(sum, FILES);
    /* Every intact file is in the group of its fault; damaged ones may have joined it, as partial ones. */
    for (size_t i = 0; i < CASES; i++) {
        group = group_with(batch, words[i]);
        double whole = number(group, "count") - number(group, "partial");
        assert_true(whole >= (double)counts[i] && whole <= (double)counts[i] + DAMAGED / 10);
        assert_true(number(group, "last_seen") >= number(group, "first_seen"));
        assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(group, "node_versions")), 1);
        assert_true(cJSON_GetArraySize(cJSON_GetObjectItem(group, "hosts")) >= 7);
    }
    struct rusage usage;
    getrusage(RUSAGE_CHILDREN, &usage);
    double seconds = (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
    printf("2,000 reports: %.1f s, largest process %ld MB (with the sanitizers)\n", seconds,
           usage.ru_maxrss / 1024);
    assert_true(seconds < 100); /* ten times the goal: this is the build with the sanitizers */
    cJSON_Delete(root);
    run_free(&run);
    folder_remove(folder);
}

/* Machines read, one merges: the same groups as of the files themselves. */
static void test_merge(void **state) {
    (void)state;
    char *folder = folder_new();
    struct run whole = run_shell(
        "cd %s/corpora/reports && $POSTMORTEM_PROGRAM batch uncaught oom --format json", source_directory());
    struct run merged = run_shell("cd %s/corpora/reports && n=0; for f in uncaught/*.json oom/*.json; do "
                                  "$POSTMORTEM_PROGRAM $f --format json -o %s/$((n=n+1)).json; done; "
                                  "$POSTMORTEM_PROGRAM batch uncaught/app.js uncaught/versions oom/app.js "
                                  "oom/versions --format json -o %s/rest.json;"
                                  "$POSTMORTEM_PROGRAM batch %s --format json",
                                  source_directory(), folder, folder, folder);
    cJSON *a = parse(&whole), *b = parse(&merged);
    const cJSON *groups_a = cJSON_GetObjectItem(batch_of(a), "groups"),
                *groups_b = cJSON_GetObjectItem(batch_of(b), "groups");
    assert_int_equal(cJSON_GetArraySize(groups_a), cJSON_GetArraySize(groups_b));
    for (int i = 0; i < cJSON_GetArraySize(groups_a); i++) {
        const cJSON *x = cJSON_GetArrayItem(groups_a, i), *y = cJSON_GetArrayItem(groups_b, i);
        static const char *const keys[] = {"signature", "count",         "verdict", "hosts",  "first_seen",
                                           "last_seen", "node_versions", "death",   "finding"};
        for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
            if (!cJSON_Compare(cJSON_GetObjectItem(x, keys[k]), cJSON_GetObjectItem(y, keys[k]), true))
                fail_msg("group %d differs in %s", i, keys[k]);
    }
    /* Merging what is merged changes nothing. */
    char *path = bytes_write(merged.out, merged.out_length, folder, "again.txt");
    struct run again = RUN("batch", path, "--format", "json");
    cJSON *c = parse(&again);
    assert_int_equal(number(batch_of(c), "files"), number(batch_of(b), "files"));
    assert_true(cJSON_Compare(cJSON_GetObjectItem(batch_of(c), "groups"), groups_b, true));
    cJSON_Delete(a);
    cJSON_Delete(b);
    cJSON_Delete(c);
    free(path);
    run_free(&whole);
    run_free(&merged);
    run_free(&again);
    folder_remove(folder);
}

static void test_lists_and_formats(void **state) {
    (void)state;
    struct run run = run_shell("ls %s/corpora/reports/uncaught/[0-9]*.json | $POSTMORTEM_PROGRAM batch -",
                               source_directory());
    assert_run(&run, 0, " files in ", NULL);
    run_free(&run);
    run = run_shell("$POSTMORTEM_PROGRAM batch %s/corpora/reports/uncaught --format markdown",
                    source_directory());
    assert_run(&run, 1, "| files | what |", NULL);
    run_free(&run);
    run =
        run_shell("$POSTMORTEM_PROGRAM batch %s/corpora/reports/uncaught --format html", source_directory());
    assert_run(&run, 1, "<th", NULL);
    run_free(&run);
    run = RUN("batch", "/nowhere/at/all");
    assert_run(&run, 2, NULL, "/nowhere/at/all");
    run_free(&run);
}

/* The row of a file that could not be read. */
static const char *reason_of(const cJSON *batch, const char *name) {
    const cJSON *row;
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(batch, "unreadable")) {
        const char *path = cJSON_GetStringValue(cJSON_GetObjectItem(row, "path"));
        if (path && strstr(path, name)) return cJSON_GetStringValue(cJSON_GetObjectItem(row, "reason"));
    }
    fail_msg("no row for %s", name);
    return "";
}

static void assert_reason(const cJSON *batch, const char *name, const char *words_in_it) {
    const char *reason = reason_of(batch, name);
    if (!strstr(reason, words_in_it)) fail_msg("%s: '%s' instead of '%s'", name, reason, words_in_it);
}

static char *hostile_folder(void) {
    char *folder = folder_new();
    struct run run =
        run_shell("cd %s && cp %s/corpora/reports/uncaught/22.23.3.json good.json && mkfifo fifo.json && "
                  /* 400 GB of nothing in 13 MB: minutes to unpack */
                  "head -c 1G /dev/zero | zstd -q -o 1.zst && for i in $(seq 400); do cat 1.zst; done > "
                  "slow.zst && rm 1.zst && "
                  /* numbers take thirty times their room in the file */
                  "{ printf '{\"header\": {\"reportVersion\": 3, \"event\": \"x\"}, \"x\": [1'; "
                  "yes ,1 | head -n 4000000 | tr -d '\\n'; printf ']}'; } > large.json",
                  folder, source_directory());
    assert_int_equal(run.exit_code, 0);
    run_free(&run);
    return folder;
}

/* What hangs a reader, or needs too much memory, is a row; the others are read. */
static void test_hostile_files(void **state) {
    (void)state;
    char *folder = hostile_folder();
    struct run run = RUN("batch", folder, "--timeout", "15", "--max-memory", "200", "--format", "json");
    assert_run(&run, 1, NULL, NULL);
    cJSON *root = parse(&run);
    const cJSON *batch = batch_of(root);
    check_schema(root);
    assert_int_equal(number(batch, "files"), 3); /* a pipe in a folder is no file */
    assert_int_equal(number(batch, "failed"), 2);
    assert_reason(batch, "slow.zst", "longer than 15 seconds");
    assert_reason(batch, "large.json", "memory");
    group_with(batch, "lookUp");
    cJSON_Delete(root);
    run_free(&run);
    folder_remove(folder);
}

/* A reader that dies: here by a signal, in the minutes it takes to unpack a file. */
static void test_dying_reader(void **state) {
    (void)state;
    char *folder = hostile_folder();
    struct run run =
        run_shell("cd %s && { until reader=$(ls -l /proc/[0-9]*/fd 2> crash.txt | awk '/^.proc/ "
                  "{ split($1, part, \"/\") } /'${PWD##*/}'.slow.zst$/ { print part[3]; exit }') "
                  "&& [ -n \"$reader\" ]; do :; done; kill -BUS $reader; } & cd %s && "
                  "$POSTMORTEM_PROGRAM batch good.json slow.zst --timeout 120 --format json "
                  "2> crash.txt",
                  folder, folder);
    cJSON *root = parse(&run);
    const cJSON *batch = batch_of(root);
    assert_int_equal(run.exit_code, 1);
    assert_int_equal(number(batch, "files"), 2);
    assert_reason(batch, "slow.zst", "the reader");
    group_with(batch, "lookUp");
    cJSON_Delete(root);
    run_free(&run);
    folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_thousand),      cmocka_unit_test(test_merge),
        cmocka_unit_test(test_lists_and_formats), cmocka_unit_test(test_hostile_files),
        cmocka_unit_test(test_dying_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
