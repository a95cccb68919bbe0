/* The base library: arena, text builder, growable arrays, errors, escaping, parallel runs. */
#include <stdatomic.h>
#include <stdlib.h>

#include "postmortem/base/arena.h"
#include "postmortem/base/checked.h"
#include "postmortem/base/escape.h"
#include "postmortem/base/parallel.h"
#include "postmortem/base/strbuf.h"
#include "postmortem/base/vec.h"
#include "tests/support/assert_error.h"

static void test_arena(void **state) {
    (void)state;
    struct pm_arena *arena = pm_arena_create();
    assert_non_null(arena);
    for (size_t size = 1; size < 300000; size = size * 3 + 1) {
        unsigned char *bytes = pm_arena_alloc(arena, size);
        assert_non_null(bytes);
        assert_int_equal((uintptr_t)bytes % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++) assert_int_equal(bytes[i], 0);
        memset(bytes, 0xff, size);
    }
    assert_null(pm_arena_array(arena, SIZE_MAX / 2, 4)); /* the product does not fit */
    assert_null(pm_arena_alloc(arena, SIZE_MAX));
    assert_string_equal(pm_arena_copy(arena, "abcdef", 3), "abc");
    assert_string_equal(pm_arena_strdup(arena, ""), "");
    assert_null(pm_arena_strdup(arena, NULL));
    assert_string_equal(pm_arena_printf(arena, "%s-%d", "x", 7), "x-7");
    static const int numbers[] = {1, 2, 3};
    assert_memory_equal(pm_arena_dup(arena, numbers, 3, sizeof(numbers[0])), numbers, sizeof(numbers));
    pm_arena_destroy(arena);
    pm_arena_destroy(NULL);
}

static void test_strbuf(void **state) {
    (void)state;
    struct pm_strbuf text = {0};
    assert_string_equal(pm_strbuf_text(&text), "");
    pm_strbuf_append(&text, "a");
    pm_strbuf_append_char(&text, 'b');
    pm_strbuf_appendf(&text, "%05d", 42);
    pm_strbuf_append_bytes(&text, "\0x", 2);
    assert_int_equal(text.length, 9);
    pm_strbuf_clear(&text);
    static const uint32_t points[] = {'a', 0xe4, 0x20ac, 0x1f600, 0xd800, 0x110000};
    for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) pm_strbuf_append_utf8(&text, points[i]);
    assert_string_equal(pm_strbuf_text(&text), "aä€😀\xef\xbf\xbd\xef\xbf\xbd");
    char *taken = pm_strbuf_take(&text);
    assert_int_equal(text.length, 0);
    free(taken);
    for (int i = 0; i < 100000; i++) pm_strbuf_append(&text, "0123456789");
    assert_int_equal(text.length, 1000000);
    assert_false(text.failed);
    pm_strbuf_append_bytes(&text, "", SIZE_MAX - 5); /* refused, nothing lost */
    assert_true(text.failed);
    assert_int_equal(text.length, 1000000);
    pm_strbuf_deinit(&text);
}

static void test_vec(void **state) {
    (void)state;
    PM_VEC(uint64_t) numbers = {0};
    for (uint64_t i = 0; i < 100000; i++) assert_true(pm_vec_push(&numbers, i * i));
    assert_int_equal(numbers.count, 100000);
    assert_true(numbers.items[99999] == UINT64_C(99999) * 99999);
    assert_false(pm_vec_reserve(&numbers, SIZE_MAX / 4));
    assert_int_equal(numbers.count, 100000);
    pm_vec_deinit(&numbers);
    assert_null(numbers.items);
}

static void test_errors(void **state) {
    (void)state;
    struct pm_error *err = pm_error_at(PM_ERR_FORMAT, 0x40, "bad %s", "thing");
    err = pm_error_hint(pm_error_prefix(err, "%s", "core.1"), "try again");
    assert_string_equal(err->message, "core.1: bad thing");
    assert_string_equal(err->hint, "try again");
    assert_true(err->has_where && err->where == 0x40);
    pm_error_destroy(err);
    pm_error_destroy(NULL);
    err = pm_error_nomem();
    assert_int_equal(err->kind, PM_ERR_NOMEM);
    assert_true(err->is_static);
    pm_error_destroy(pm_error_prefix(err, "x"));
}

typedef void escaper(struct pm_strbuf *out, const char *text, size_t length);

static void assert_escaped(escaper *escape, const char *text, const char *expected) {
    struct pm_strbuf out PM_AUTO_STRBUF = {0};
    escape(&out, text, strlen(text));
    assert_string_equal(pm_strbuf_text(&out), expected);
}

static void test_escape(void **state) {
    (void)state;
    assert_escaped(pm_escape_terminal, "a\033[31m\tb\n\x7f", "a\\x1b[31m\\tb\\n\\x7f");
    assert_escaped(pm_escape_terminal,
                   "\xc2\x9b"
                   "31m",
                   "\\x9b31m"); /* C1 control sequence introducer */
    assert_escaped(pm_escape_terminal,
                   "\xe2\x80\xae"
                   "abc",
                   "\\u{202e}abc");
    assert_escaped(pm_escape_terminal, "äß\xff\xc3(", "äß\xef\xbf\xbd\xef\xbf\xbd(");
    assert_escaped(pm_escape_terminal, "\xed\xa0\x80",
                   "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");                     /* a surrogate */
    assert_escaped(pm_escape_terminal, "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"); /* overlong */
    assert_escaped(pm_escape_json, "\"\\\b\n", "\\\"\\\\\\u0008\\u000a");
    assert_escaped(pm_escape_html, "<a href='x'>&\"", "&lt;a href=&#39;x&#39;&gt;&amp;&quot;");
    struct pm_strbuf out PM_AUTO_STRBUF = {0};
    pm_escape_markdown(&out, "[x](javascript:y) @all <b> | `c`", 32);
    assert_string_equal(pm_strbuf_text(&out), "\\[x\\](javascript:y) `@all` &lt;b> \\| `c`");
}

static void assert_markdown(const char *text, const char *expected) {
    assert_escaped(pm_escape_markdown, text, expected);
}

/* What trackers make links of after Markdown was rendered stands in code. */
static void test_markdown_references(void **state) {
    (void)state;
    assert_markdown("ask @team, see #12.", "ask `@team`, see `#12`.");
    assert_markdown("94.1 % of the heap", "94.1 % of the heap");
    assert_markdown("(/app/src/cache.js:4)", "(`/app/src/cache.js:4`)");
    assert_markdown("http://evil/x|y", "`http://evil/x`\\|`y`");
    assert_markdown("WWW.evil.com GH-7 deadbee1", "`WWW.evil.com` `GH-7` `deadbee1`");
    assert_markdown("mail@example.org", "`mail@example.org`");
    assert_markdown("a:100:b 12345678", "`a:100:b` 12345678");
    assert_markdown("- no list", "\\- no list");
    assert_markdown("    1. no list", "1\\. no list");
    assert_markdown("# no # heading", "\\# no # heading");
    assert_markdown("`a` `b`", "`a` `b`");
    assert_markdown("x`a``b`", "x`a` `b`");
    assert_markdown("`open @all", "\\`open `@all`");
    assert_markdown("`<script>`", "&lt;`script>`");
    assert_markdown("@a<@b", "`@a`&lt;`@b`");
    assert_markdown("@a\n@b\xe2\x80\xae", "`@a\\n@b\\u{202e}`");
}

static void test_checked(void **state) {
    (void)state;
    uint64_t result;
    assert_true(pm_add_u64(1, 2, &result) && result == 3);
    assert_false(pm_add_u64(UINT64_MAX, 1, &result));
    assert_false(pm_mul_u64(UINT64_MAX / 2, 3, &result));
    assert_true(pm_range_inside(10, 0, 0, 10));
    assert_true(pm_range_inside(0, 10, 0, 10));
    assert_false(pm_range_inside(1, 10, 0, 10));
    assert_false(pm_range_inside(5, UINT64_MAX, 0, 10));
    assert_int_equal(pm_align_up(17, 16), 32);
}

static void count_item(void *context, size_t item, unsigned worker) {
    _Atomic int *seen = context;
    assert_true(worker < pm_parallel_workers());
    atomic_fetch_add(&seen[item], 1);
}

static void test_parallel(void **state) {
    (void)state;
    static _Atomic int seen[5000];
    pm_parallel_run(5000, count_item, seen);
    for (size_t i = 0; i < 5000; i++) assert_int_equal(seen[i], 1);
    pm_parallel_run(0, count_item, seen);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena),   cmocka_unit_test(test_strbuf),
        cmocka_unit_test(test_vec),     cmocka_unit_test(test_errors),
        cmocka_unit_test(test_escape),  cmocka_unit_test(test_markdown_references),
        cmocka_unit_test(test_checked), cmocka_unit_test(test_parallel)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
