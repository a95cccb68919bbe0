/* --prof logs: what V8 may write, and what it never would. That real ones are read right, test_prof_truth
 * says. */
#include <string.h>

#include "parsers/profile.h"
#include "tests/support/assert_error.h"

static struct pm_profile *load(const char *text, size_t size, struct pm_diagnosis **diagnosis) {
    struct pm_input input = {
        .path = "v8.log", .bytes = (const uint8_t *)text, .size = size, .file_size = size};
    *diagnosis = pm_diagnosis_create();
    struct pm_error *err = pm_prof_log_load(&input, *diagnosis);
    if (!err) return (*diagnosis)->profiles[0];
    assert_int_equal((*diagnosis)->profile_count, 0);
    pm_error_destroy(err);
    return NULL;
}

static const struct pm_profile_function *find(const struct pm_profile *profile, const char *name) {
    for (size_t i = 0; i < profile->function_count; i++)
        if (!strcmp(profile->functions[i].name, name)) return &profile->functions[i];
    return NULL;
}

static void assert_function(const struct pm_profile *profile, const char *name, uint64_t self,
                            uint64_t total) {
    const struct pm_profile_function *function = find(profile, name);
    assert_non_null(function);
    assert_int_equal(function->self, self);
    assert_int_equal(function->total, total);
}

#define HEAD                                                                                                 \
    "v8-version,12,4,254,21,-node.57,0\n"                                                                    \
    "shared-library,/usr/local/bin/node,0x400000,0x500000,0\n"                                               \
    "shared-library,/lib/libc.so.6,0x7f0000000000,0x7f0000100000,0\n"                                        \
    "profiler,begin,500\n"                                                                                   \
    "code-creation,Builtin,2,1,0x410000,256,ArrayForEach\n"                                                  \
    "code-creation,BytecodeHandler,0,1,0x420000,256,LdaZero\n"                                               \
    "code-creation,JS,10,1,0x1000,256,outer file:///app/my%20app.js:3:7,0x9,~\n"                             \
    "code-creation,JS,10,1,0x2000,256,inner /app/lib\\x2Cb.js:5:16,0x9,^\n"                                  \
    "code-creation,RegExp,4,1,0x3000,256,(a+)+\\u0024\n"

static void test_frames(void **state) {
    (void)state;
    static const char text[] =
        HEAD "tick,0x2010,1000,0,0x0,0,0x410010,0x1010\n"     /* outer > ArrayForEach > inner */
             "tick,0x420010,1500,0,0x0,0,-0x41e000,-0x1000\n" /* interpreted: outer > inner */
             "tick,0x7f0000000010,2000,1,0x400010,6,0x1010\n" /* outer > native code of node */
             "tick,0x3010,2500,0,0x0,0,0x2020\n"              /* inner > regular expression */
             "tick,0x450000,3000,0,0x2000,0,0x1010\n"         /* outer > inner, not yet in its frame > node */
             "tick,0x7f0000000010,3500,0,0x0,6\n"             /* native alone */
             "tick,0x1010,4000,0,0x0,1\ntick,0x0,4500,0,0x0,8\n" /* collection, idle */
             "tick,0x999999,5000,0,0x0,0,0x1010,overflow\n";     /* code that is not in the log */
    struct pm_diagnosis *diagnosis;
    struct pm_profile *profile = load(text, sizeof(text) - 1, &diagnosis);
    assert_non_null(profile);
    assert_int_equal(profile->samples, 9);
    assert_int_equal(profile->interval, 500);
    assert_int_equal(profile->total, 4500);
    assert_int_equal(profile->duration, 4000);
    assert_int_equal(profile->gc, 500);
    assert_int_equal(profile->idle, 500);
    assert_int_equal(profile->program, 500);
    assert_int_equal(profile->long_tasks, PM_UNKNOWN);
    assert_function(profile, "inner", 1000, 2000);
    assert_function(profile, "outer", 0, 2500);
    assert_function(profile, "ArrayForEach", 0, 500);
    assert_function(profile, "RegExp: (a+)+$", 500, 500);
    assert_function(profile, "(native code of node)", 1000, 1000);
    assert_function(profile, "(code not in the log)", 500, 500);
    assert_null(find(profile, "LdaZero"));
    assert_string_equal(find(profile, "outer")->position.file, "/app/my app.js");
    assert_string_equal(find(profile, "inner")->position.file, "/app/lib,b.js");
    assert_int_equal(find(profile, "inner")->position.line, 5);
    assert_int_equal(find(profile, "inner")->position.column, 16);
    assert_int_equal(diagnosis->skipped_count, 1); /* the overflow */
    pm_diagnosis_destroy(diagnosis);
}

/* Code moves, and other code takes its place. */
static void test_moves(void **state) {
    (void)state;
    static const char text[] = HEAD "tick,0x1010,1,0,0x0,0\n"
                                    "code-move,0x1000,0x8000\n"
                                    "tick,0x8010,2,0,0x0,0\ntick,0x1010,3,0,0x0,0\n"
                                    "code-creation,JS,10,1,0x7f80,256,later /app/c.js:1:1,0x9,*\n"
                                    "tick,0x8010,4,0,0x0,0\n"
                                    "code-move,0x5555,0x6666\ncode-move,0x2000,0xfffffffffffffff0\n"
                                    "tick,0x8090,5,0,0x0,0\n";
    struct pm_diagnosis *diagnosis;
    struct pm_profile *profile = load(text, sizeof(text) - 1, &diagnosis);
    assert_non_null(profile);
    assert_function(profile, "outer", 1000, 1000);
    assert_function(profile, "later", 500, 500);
    assert_int_equal(profile->program, 1000);
    pm_diagnosis_destroy(diagnosis);
}

static void test_names(void **state) {
    (void)state;
    static const char *const rows[][3] = {
        {" /app/a.js:1:1", "(anonymous)", "/app/a.js"},
        {"get a b node:internal/x:2:3", "get a b", "node:internal/x"},
        {"f /my app/x y.js:2:3", "f", "/my app/x y.js"},
        {"wrap internal/util.js:9:9", "wrap", "internal/util.js"},
        {"run C:\\\\app\\\\x.js:4:5", "run", "C:\\app\\x.js"},
        {"\\u0066\\u00fc\\ud83d\\ude00 /a.js:1:2", "f\xc3\xbc\xf0\x9f\x98\x80", "/a.js"},
        {"wasm-function[3]", "wasm-function[3]", NULL},
        {"", "(anonymous)", NULL},
        {"f evalmachine.<anonymous>:1:2", "f", "evalmachine.<anonymous>"},
        {"f :1:2", "f", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[512];
        struct pm_diagnosis *diagnosis;
        snprintf(text, sizeof(text),
                 "v8-version,1\ncode-creation,JS,10,1,0x1000,16,%s\ntick,0x1000,1,0,0x0,0\n", rows[i][0]);
        struct pm_profile *profile = load(text, strlen(text), &diagnosis);
        assert_non_null(profile);
        const struct pm_profile_function *function = find(profile, rows[i][1]);
        assert_non_null(function);
        if (rows[i][2])
            assert_string_equal(function->position.file, rows[i][2]);
        else
            assert_null(function->position.file);
        pm_diagnosis_destroy(diagnosis);
    }
}

/* Rows that V8 does not write are counted; without a tick there is nothing. */
static void test_bad_rows(void **state) {
    (void)state;
    static const char text[] =
        HEAD "tick,0x1010,1,0,0x0,0,zz\ntick\ntick,,,,,\ntick,0x1ffffffffffffffff,1,0,0x0,0\n"
             "code-creation,JS\ncode-creation,JS,10,1,0xfffffffffffffff0,256,x\n"
             "code-move,1\nshared-library,x,5,4\n\n,\nunknown-event,1,2,3\r\n"
             "tick,0x1010,1,0,0x0,0\r\ntick,0x10";
    struct pm_diagnosis *diagnosis;
    struct pm_profile *profile = load(text, sizeof(text) - 1, &diagnosis);
    assert_non_null(profile);
    assert_int_equal(profile->samples, 1);
    assert_non_null(profile->incomplete);
    assert_int_equal(diagnosis->skipped_count, 2);
    assert_int_equal(diagnosis->skipped[1].count, 8);
    pm_diagnosis_destroy(diagnosis);
    assert_null(load(HEAD, sizeof(HEAD) - 1, &diagnosis));
    pm_diagnosis_destroy(diagnosis);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_frames), cmocka_unit_test(test_moves),
                                       cmocka_unit_test(test_names), cmocka_unit_test(test_bad_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
