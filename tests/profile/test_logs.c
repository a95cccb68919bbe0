/* Logs: whatever a logger puts around the lines of a real one, the same is read; cut and hostile ones. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parsers/gc_log.h"
#include "postmortem/base/escape.h"
#include "postmortem/base/strbuf.h"
#include "tests/support/assert_error.h"

static struct pm_gc_log *load(const char *bytes, size_t size, struct pm_diagnosis **diagnosis) {
    struct pm_input input = {.bytes = (const uint8_t *)bytes, .size = size, .file_size = size};
    *diagnosis = pm_diagnosis_create();
    assert_null(pm_gc_log_load(&input, *diagnosis));
    return (*diagnosis)->gc_logs[0];
}

static char *read_log(const char *name, size_t *size) {
    char path[4096];
    snprintf(path, sizeof(path), "%s/corpora/logs/%s", getenv("POSTMORTEM_SOURCE"), name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *bytes = malloc(1 << 20);
    *size = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    return bytes;
}

static void wrap(struct pm_strbuf *out, const char *line, size_t length, int how) {
    switch (how) {
    case 0:
        pm_strbuf_append(out, "{\"log\":\"");
        pm_escape_json(out, line, length);
        pm_strbuf_append(out, "\\n\",\"stream\":\"stderr\",\"time\":\"2024-05-01T12:00:00.1Z\"}\n");
        return;
    case 1: pm_strbuf_append(out, "2024-05-01T12:00:00.123456789Z stderr F "); break;
    case 2: pm_strbuf_append(out, "2024-05-01T12:00:00.123456789Z "); break;
    case 3: pm_strbuf_append(out, "[pod/web-7d9f/app] "); break;
    case 4: pm_strbuf_append(out, "web-1  | "); break;
    case 5: pm_strbuf_append(out, "May  1 12:00:00 host node[4711]: "); break;
    case 6: pm_strbuf_append(out, "\x1b[31m"); break;
    default: break;
    }
    pm_strbuf_append_bytes(out, line, length);
    pm_strbuf_append(out, how == 6 ? "\x1b[0m\n" : how == 7 ? "\r\n" : "\n");
}

static void test_wrappings(void **state) {
    (void)state;
    static const char *const names[] = {"oom/22.23.3.log", "oom/14.21.3.log", "exception/26.10.0.log"};
    for (size_t n = 0; n < 3; n++) {
        size_t size;
        char *bytes = read_log(names[n], &size);
        struct pm_diagnosis *plain_diagnosis;
        struct pm_gc_log *plain = load(bytes, size, &plain_diagnosis);
        for (int how = 0; how < 8; how++) {
            struct pm_strbuf text PM_AUTO_STRBUF = {0};
            struct pm_diagnosis *diagnosis;
            for (char *at = bytes, *next; at < bytes + size; at = next + 1) {
                next = memchr(at, '\n', (size_t)(bytes + size - at));
                if (!next) next = bytes + size;
                wrap(&text, at, (size_t)(next - at), how);
                if (how != 7) wrap(&text, "GET /health 200 in 3 ms", 23, how == 0 ? 0 : -1);
            }
            /* A line of something else between those of an exception would end it: only before and after. */
            if (n == 2) {
                pm_strbuf_clear(&text);
                for (char *at = bytes, *next; at < bytes + size; at = next + 1) {
                    next = memchr(at, '\n', (size_t)(bytes + size - at));
                    if (!next) next = bytes + size;
                    wrap(&text, at, (size_t)(next - at), how);
                }
            }
            struct pm_gc_log *log = load(text.bytes, text.length, &diagnosis);
            assert_int_equal(log->death, plain->death);
            assert_int_equal(log->series_count, plain->series_count);
            if (log->series_count) assert_int_equal(log->series[0].seen, plain->series[0].seen);
            assert_int_equal(log->fatal != NULL, plain->fatal != NULL);
            if (log->fatal) assert_string_equal(log->fatal, plain->fatal);
            if (plain->error) {
                assert_non_null(log->error);
                assert_string_equal(log->error->message, plain->error->message);
                assert_int_equal(log->error->frame_count, plain->error->frame_count);
                assert_string_equal(log->error->cause_message, plain->error->cause_message);
            }
            pm_diagnosis_destroy(diagnosis);
        }
        pm_diagnosis_destroy(plain_diagnosis);
        free(bytes);
    }
}

/* A program's own words are no death. */
static void test_plain_log(void **state) {
    (void)state;
    static const char text[] =
        "listening on 3000\nFATAL ERROR: cannot connect to the database\nretry ^\nbye\n";
    struct pm_input input = {.path = "x.log",
                             .bytes = (const uint8_t *)text,
                             .size = sizeof(text) - 1,
                             .file_size = sizeof(text) - 1};
    struct pm_diagnosis *diagnosis = pm_diagnosis_create();
    assert_pm_error(pm_gc_log_load(&input, diagnosis), PM_ERR_UNSUPPORTED,
                    "x.log: a text of 4 lines with nothing of Node.js in it");
    assert_int_equal(diagnosis->gc_log_count, 0);
    pm_diagnosis_destroy(diagnosis);
}

/* A container that restarts: pid 1 again, the clock begins anew. */
static void test_restarts(void **state) {
    (void)state;
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    for (int life = 0; life < 3; life++)
        for (int i = 0; i < 20; i++)
            pm_strbuf_appendf(&text,
                              "[1:0x5000]  %d ms: Mark-Compact %d.0 (90.0) -> %d.0 (90.0) MB, 5.0 / 0.0 ms  "
                              "(average mu = 0.9, current mu = 0.9) task; \n",
                              60000 * (i + 1), 20 + i, 10 + i);
    struct pm_diagnosis *diagnosis;
    struct pm_gc_log *log = load(text.bytes, text.length, &diagnosis);
    assert_int_equal(log->series_count, 3);
    assert_int_equal(log->series[0].seen, 20);
    assert_true(log->series[0].trend.known);
    assert_true(fabs(log->series[0].trend.slope - 1) < 0.001); /* MB a minute */
    pm_gc_series_set_limit(&log->series[0], 129, "the test");
    assert_true(fabs(log->series[0].minutes_to_limit - 100) < 0.1);
    pm_diagnosis_destroy(diagnosis);
}

/* Millions of rows: a bounded number is kept, all are counted. */
static void test_many_rows(void **state) {
    (void)state;
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    for (int i = 0; i < 60000; i++)
        pm_strbuf_appendf(&text, "[7:0x1]  %d ms: %s 20.0 (30.0) -> 10.0 (30.0) MB, 1.0 / 0.0 ms  task \n", i,
                          i % 50 ? "Scavenge" : "Mark-sweep");
    struct pm_diagnosis *diagnosis;
    struct pm_gc_log *log = load(text.bytes, text.length, &diagnosis);
    assert_int_equal(log->series[0].seen, 60000);
    assert_int_equal(log->series[0].mark_compacts, 1200);
    assert_true(log->series[0].row_count <= 8193);
    assert_true(log->series[0].trend.points >= 900);
    pm_diagnosis_destroy(diagnosis);
}

static void test_cut(void **state) {
    (void)state;
    size_t size;
    char *bytes = read_log("exception/26.10.0.log", &size);
    size_t refused = 0;
    for (size_t cut = 0; cut <= size; cut++) {
        struct pm_diagnosis *diagnosis = pm_diagnosis_create();
        char *copy = malloc(cut + 1);
        memcpy(copy, bytes, cut);
        struct pm_input input = {
            .path = "cut.log", .bytes = (const uint8_t *)copy, .size = cut, .file_size = cut};
        struct pm_error *err = pm_gc_log_load(&input, diagnosis);
        refused += err != NULL;
        if (err) assert_pm_error(err, PM_ERR_UNSUPPORTED, "with nothing of Node.js in it");
        pm_diagnosis_destroy(diagnosis);
        free(copy);
    }
    /* The first known words stand near the beginning; from there on something is read. */
    assert_true(refused > 0 && refused < 200);
    free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_wrappings), cmocka_unit_test(test_plain_log),
                                       cmocka_unit_test(test_restarts), cmocka_unit_test(test_many_rows),
                                       cmocka_unit_test(test_cut)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
