/* Profiles: odd and damaged ones. That right ones are read right, test_profile_truth says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs those first */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parsers/profile.h"
#include "postmortem/base/strbuf.h"

typedef struct pm_error *load_function(const struct pm_input *, struct pm_diagnosis *);

/* Reads a text; NULL = nothing of it is of use. The caller destroys the diagnosis. */
static struct pm_profile *load(load_function *function, const char *bytes, size_t size,
                               struct pm_diagnosis **diagnosis) {
    struct pm_input input = {.bytes = (const uint8_t *)bytes, .size = size, .file_size = size};
    *diagnosis = pm_diagnosis_create();
    struct pm_error *err = function(&input, *diagnosis);
    if (err) {
        assert_int_equal((*diagnosis)->profile_count, 0);
        pm_error_destroy(err);
        return NULL;
    }
    struct pm_profile *profile = (*diagnosis)->profiles[0];
    /* What every profile promises. */
    assert_int_equal(profile->calls[0].end, profile->call_count);
    for (uint32_t i = 1; i < profile->call_count; i++) {
        assert_true(profile->calls[i].caller < i);
        assert_true(profile->calls[i].end > i);
        assert_true(profile->calls[i].end <= profile->calls[profile->calls[i].caller].end);
        assert_true(profile->calls[i].function < profile->function_count);
    }
    return profile;
}

#define NODE(id, name, more)                                                                                 \
    "{\"id\":" id ",\"callFrame\":{\"functionName\":\"" name                                                 \
    "\",\"scriptId\":\"1\",\"url\":\"file:///a/" name ".js\",\"lineNumber\":0,\"columnNumber\":4}," more "}"
#define ROOT(more)                                                                                           \
    "{\"id\":1,\"callFrame\":{\"functionName\":\"(root)\",\"scriptId\":\"0\",\"url\":\"\",\"lineNumber\":-"  \
    "1,"                                                                                                     \
    "\"columnNumber\":-1}," more "}"

static void test_cycle_and_duplicates(void **state) {
    (void)state;
    static const char text[] =
        "{\"nodes\":[" ROOT("\"hitCount\":0,\"children\":[2]") "," NODE("2", "a", "\"hitCount\":1,\"children\":[3]") "," NODE(
            "3", "b",
            "\"hitCount\":1,\"children\":[2,1]") "," NODE("4", "c",
                                                          "\"hitCount\":2,\"children\":[5]") "," NODE("5",
                                                                                                      "d",
                                                                                                      "\"hitC"
                                                                                                      "ount\""
                                                                                                      ":2,"
                                                                                                      "\"chil"
                                                                                                      "dren\""
                                                                                                      ":[4]") "," NODE("5",
                                                                                                                       "e",
                                                                                                                       "\"hitCount\":1e999") "],\"startTime\":0,\"endTime\":100,\"samples\":[2,3,4,5,5,99],\"timeDeltas\":[10,"
                                                                                                                                             "10,-5,10,10,1e999]}";
    struct pm_diagnosis *diagnosis;
    struct pm_profile *profile = load(pm_cpu_profile_load, text, sizeof(text) - 1, &diagnosis);
    assert_non_null(profile);
    assert_int_equal(profile->call_count, 6);
    assert_int_equal(profile->samples, 5);
    assert_true(diagnosis->skipped_count >= 2); /* the duplicate id, the links, the numbers */
    pm_diagnosis_destroy(diagnosis);
}

static void test_no_root(void **state) {
    (void)state;
    static const char text[] = "{\"nodes\":[" NODE("7", "a", "\"hitCount\":3") "," NODE(
        "9", "b", "\"hitCount\":1") "],\"startTime\":1000,\"endTime\":5000}";
    struct pm_diagnosis *diagnosis;
    struct pm_profile *profile = load(pm_cpu_profile_load, text, sizeof(text) - 1, &diagnosis);
    assert_non_null(profile);
    assert_int_equal(profile->call_count, 3);
    assert_int_equal(profile->total, 4000);
    assert_int_equal(profile->calls[1].total, 3000); /* the largest first */
    assert_string_equal(profile->functions[profile->calls[1].function].position.file, "/a/a.js");
    assert_int_equal(profile->functions[profile->calls[1].function].position.line, 1);
    pm_diagnosis_destroy(diagnosis);
}

static void test_deep_chain(void **state) {
    (void)state;
    enum { DEPTH = 200000 };
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    pm_strbuf_append(&text, "{\"head\":");
    for (int i = 0; i < DEPTH; i++)
        pm_strbuf_appendf(&text,
                          "{\"callFrame\":{\"functionName\":\"f%d\",\"url\":\"/a.js\",\"lineNumber\":1,"
                          "\"columnNumber\":1},\"selfSize\":1,\"id\":%d,\"children\":[",
                          i % 1000, i + 1);
    for (int i = 0; i < DEPTH; i++) pm_strbuf_append(&text, "]}");
    pm_strbuf_append(&text, ",\"samples\":[]}");
    struct pm_diagnosis *diagnosis;
    struct pm_profile *profile = load(pm_heap_profile_load, text.bytes, text.length, &diagnosis);
    assert_non_null(profile);
    assert_int_equal(profile->call_count, DEPTH + 1);
    assert_int_equal(profile->total, DEPTH);
    for (size_t i = 0; i < profile->function_count; i++) /* recursion counts once */
        assert_true(profile->functions[i].total <= DEPTH);
    pm_diagnosis_destroy(diagnosis);
}

static void test_packages(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"/app/node_modules/@a/b/c.js", "@a/b"}, {"/app/node_modules/.pnpm/x@1/node_modules/x/i.js", "x"},
        {"C:\\app\\node_modules\\y\\i.js", "y"}, {"node:internal/timers", "(node)"},
        {"internal/timers.js", "(node)"},        {"/app/server.js", "(app)"},
        {"evalmachine.<anonymous>", "(app)"},    {NULL, "(native)"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *name;
        size_t length = pm_package_of(rows[i][0], &name);
        assert_int_equal(length, strlen(rows[i][1]));
        assert_memory_equal(name, rows[i][1], length);
    }
}

static char *read_file(const char *name, size_t *size) {
    char path[4096];
    snprintf(path, sizeof(path), "%s/corpora/profiles/work/%s", getenv("POSTMORTEM_SOURCE"), name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *bytes = malloc(1 << 20);
    *size = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    return bytes;
}

/* Cut anywhere: what is complete, or one clear line. */
static void cut_everywhere(const char *name, load_function *function) {
    size_t size, usable = 0;
    char *bytes = read_file(name, &size);
    uint64_t total = 0;
    for (size_t cut = 0; cut <= size; cut = cut + 37 > size && cut < size ? size : cut + 37) {
        struct pm_diagnosis *diagnosis;
        char *copy = malloc(cut + 1); /* of the exact size, for the sanitizer */
        memcpy(copy, bytes, cut);
        struct pm_profile *profile = load(function, copy, cut, &diagnosis);
        if (profile) {
            usable++;
            total = profile->total;
            assert_true(cut == size || profile->incomplete || cut + 2 >= size);
        }
        pm_diagnosis_destroy(diagnosis);
        free(copy);
    }
    assert_true(usable > size / 37 / 2);
    assert_true(total > 0);
    free(bytes);
}

static void test_cut(void **state) {
    (void)state;
    cut_everywhere("22.23.3.heapprofile", pm_heap_profile_load);
    cut_everywhere("22.23.3.cpuprofile", pm_cpu_profile_load);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cycle_and_duplicates),
                                       cmocka_unit_test(test_no_root), cmocka_unit_test(test_deep_chain),
                                       cmocka_unit_test(test_packages), cmocka_unit_test(test_cut)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
