#include "parsers/script_text.h"

#include "tests/support/assert_error.h"

static const char program[] = "'use strict';\n"
                              "const { Map, cache } = require('x');\n"
                              "let total = cache, wrong = 1;\n"
                              "export default async function handle(request) {\n"
                              "  const ж = 1, total = 2;\n"
                              "  this.total = 3; if (this.sum == 4) {}\n"
                              "}\n"
                              "class Store {\n"
                              "  #items = new Map();\n"
                              "  static shared;\n"
                              "  limit\n"
                              "  constructor() { this.seen = new Set(); this.#items = 1; other.seen = 2; }\n"
                              "}\n"
                              "import fs from 'fs';\n";

static struct pm_script_text text(void) {
    return (struct pm_script_text){program, sizeof(program) - 1};
}

static void assert_declared(const char *name, size_t near, bool is_property, uint32_t line, uint32_t column) {
    struct pm_script_place place = {0};
    assert_true(pm_script_declaration(text(), name, near, is_property, &place));
    assert_int_equal(place.line, line);
    assert_int_equal(place.column, column);
    assert_memory_equal(program + place.offset, name, strlen(name));
}

static void test_variables(void **state) {
    (void)state;
    struct pm_script_place place;
    size_t end = sizeof(program) - 1;
    assert_declared("cache", end, false, 2, 14);
    assert_declared("total", 100, false, 3, 5);
    assert_declared("handle", 0, false, 4, 31);
    assert_declared("Store", 0, false, 8, 7);
    assert_declared("fs", 0, false, 14, 8);
    assert_declared("ж", end, false, 5, 9);
    static const char *const none[] = {"request", "require", "wrong", "otal", "tota", "", "nothing", "this"};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        assert_false(pm_script_declaration(text(), none[i], end, false, &place));
}

static void test_properties(void **state) {
    (void)state;
    struct pm_script_place place;
    assert_declared("total", 0, true, 6, 8);
    assert_declared("#items", 0, true, 9, 3);
    assert_declared("shared", 0, true, 10, 10);
    assert_declared("limit", 0, true, 11, 3);
    assert_declared("seen", 0, true, 12, 24);
    static const char *const none[] = {"sum", "items", "constructor", "Map"};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        assert_false(pm_script_declaration(text(), none[i], 0, true, &place));
    assert_false(pm_script_declaration(text(), "total", 300, true, &place)); /* only behind the class */
}

static void test_offsets(void **state) {
    (void)state;
    assert_int_equal(pm_script_offset(text(), 1, 1), 0);
    assert_int_equal(pm_script_offset(text(), 2, 1), 14);
    assert_int_equal(pm_script_offset(text(), 2, 7), 20);
    assert_int_equal(pm_script_offset(text(), 100, 1), sizeof(program) - 1);
    assert_int_equal(pm_script_offset(text(), 14, 1000), sizeof(program) - 1);
    /* Columns are UTF-16 units: two for a character of four bytes. */
    static const char wide[] = "\xf0\x9f\x98\x80 const x = 1;";
    struct pm_script_place place;
    assert_int_equal(pm_script_offset((struct pm_script_text){wide, sizeof(wide) - 1}, 1, 4), 5);
    assert_false(
        pm_script_declaration((struct pm_script_text){wide, sizeof(wide) - 1}, "x", 0, false, &place));
    assert_false(pm_script_declaration((struct pm_script_text){"", 0}, "x", 0, false, &place));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_variables), cmocka_unit_test(test_properties),
                                       cmocka_unit_test(test_offsets)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
