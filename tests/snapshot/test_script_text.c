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
    assert_declared("wrong", end, false, 3, 20);
    assert_declared("handle", 0, false, 4, 31);
    assert_declared("Store", 0, false, 8, 7);
    assert_declared("fs", 0, false, 14, 8);
    assert_declared("ж", end, false, 5, 9);
    static const char *const none[] = {"request", "require", "otal", "tota", "", "nothing", "this"};
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
    assert_true(
        pm_script_declaration((struct pm_script_text){wide, sizeof(wide) - 1}, "x", 0, false, &place));
    assert_int_equal(place.column, 10);
    assert_false(pm_script_declaration((struct pm_script_text){"", 0}, "x", 0, false, &place));
}

static void assert_place(const char *code, const char *name, const char *near, bool is_property,
                         const char *wanted, bool imported) {
    struct pm_script_place place = {0};
    size_t offset = (size_t)(strstr(code, near) - code);
    assert_true(pm_script_declaration((struct pm_script_text){code, strlen(code)}, name, offset, is_property,
                                      &place));
    assert_int_equal(place.offset, strstr(code, wanted) - code);
    assert_int_equal(place.imported, imported);
}

/* One line, as bundlers write it: the scope decides, not the distance. */
static void test_scopes(void **state) {
    (void)state;
    static const char code[] =
        "var a=1,b=new Map;function f(t,b){return ()=>t+b}const c=require('c'),d=require('d')(),"
        "{e,f:g}=require('./x');class K{static s=new Set;#p=/[/}]/;constructor(q){this.r={u:`${{b:1}.b}`}}"
        "m(b){let h=b;return function k(){return h}}}(b=>{const z=b;return()=>z})(1);"
        "import v,{w as x}from'y'";
    assert_place(code, "b", "()=>t", false, "b){return ()", false);
    assert_place(code, "t", "()=>t", false, "t,b)", false);
    assert_place(code, "b", "(t,b)", false, "b=new", false);
    assert_place(code, "c", "class K", false, "c=require", true);
    assert_place(code, "d", "class K", false, "d=require", false);
    assert_place(code, "e", "class K", false, "e,f:g", true);
    assert_place(code, "g", "class K", false, "g}=require", true);
    assert_place(code, "h", "{return h}", false, "h=b", false);
    assert_place(code, "z", "()=>z", false, "z=b", false);
    assert_place(code, "x", "class K", false, "x}from", true);
    assert_place(code, "s", "(q)", true, "s=new", false);
    assert_place(code, "#p", "(q)", true, "#p=", false);
    assert_place(code, "r", "(q)", true, "r={u", false);
    assert_place(code, "u", "var a", true, "u:`", false);
}

static void test_uses(void **state) {
    (void)state;
    static const char code[] = "class Job { constructor(x) { this.all.push(x); } }\n"
                               "const run = async (id) => {\n  jobs.set(id, new lib.Job('new Job('));\n};\n"
                               "function index(key) { table[key.map((a) => a[0])] = 1; table[1]; }\n";
    struct pm_script_text text = {code, sizeof(code) - 1};
    struct pm_script_uses uses;
    assert_true(pm_script_uses(text, PM_SCRIPT_NEW, "Job", &uses));
    assert_int_equal(uses.count, 1);
    assert_int_equal(uses.first.line, 3);
    assert_memory_equal(uses.function, "run", uses.function_length);
    assert_true(pm_script_uses(text, PM_SCRIPT_ADD, "jobs", &uses));
    assert_int_equal(uses.first.line, 3);
    assert_true(pm_script_uses(text, PM_SCRIPT_ADD, "all", &uses));
    assert_memory_equal(uses.function, "Job", uses.function_length);
    assert_true(pm_script_uses(text, PM_SCRIPT_ADD, "table", &uses));
    assert_int_equal(uses.count, 1);
    assert_memory_equal(uses.function, "index", uses.function_length);
    assert_false(pm_script_uses(text, PM_SCRIPT_ADD, "run", &uses));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_variables), cmocka_unit_test(test_properties),
                                       cmocka_unit_test(test_scopes), cmocka_unit_test(test_uses),
                                       cmocka_unit_test(test_offsets)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
