/* The commands that dig in a heap, on the core and on the snapshot that Node wrote of the same process: both
 * are read in different ways, and what they say must agree; each JSON is what docs/schema.json promises. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/cli/json_schema.h"
#include "tests/cli/run_program.h"
#include "tests/support/assert_error.h"
#include "tests/support/folder.h"

static char *core, *snapshot;
static cJSON *schema;

static int set_up(void **state) {
    (void)state;
    struct run run = run_shell("cat '%s/docs/schema.json'", source_directory());
    schema = cJSON_Parse(run.out);
    run_free(&run);
    return schema ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    cJSON_Delete(schema);
    free(core);
    free(snapshot);
    return 0;
}

static void need_files(void) {
    if (core) return;
    char *directory = core_directory("snapshot", "22.23.3");
    core = path_of(directory, "core");
    snapshot = path_of(directory, "heap.heapsnapshot");
    free(directory);
}

static cJSON *run_json(int exit_code, const char *const *words) {
    struct run run = run_program(words);
    assert_run(&run, exit_code, NULL, NULL);
    cJSON *document = cJSON_ParseWithOpts(run.out, NULL, true);
    if (!document) fail_msg("no JSON: %.200s", run.out);
    char *wrong = json_schema_check(schema, document);
    if (wrong) fail_msg("not of docs/schema.json: %s", wrong);
    run_free(&run);
    return document;
}
#define JSON(...) run_json(0, (const char *const[]){__VA_ARGS__, "-fjson", NULL})

static cJSON *isolate_of(cJSON *document) {
    return cJSON_GetArrayItem(cJSON_GetObjectItem(document, "isolates"), 0);
}

static double number(const cJSON *object, const char *key) {
    const cJSON *item = cJSON_GetObjectItem(object, key);
    return cJSON_IsNumber(item) ? item->valuedouble : -1;
}

static const char *text(const cJSON *object, const char *key) {
    const cJSON *item = cJSON_GetObjectItem(object, key);
    return cJSON_IsString(item) ? item->valuestring : "";
}

static const cJSON *row_of(const cJSON *rows, const char *key, const char *value) {
    const cJSON *row;
    cJSON_ArrayForEach(row, rows) {
        if (!strcmp(text(row, key), value)) return row;
    }
    return NULL;
}

static void assert_near(double a, double b, double share, const char *what, const char *of) {
    double difference = a > b ? a - b : b - a, larger = a > b ? a : b;
    if (difference > larger * share) fail_msg("%s of %s: %.0f and %.0f", what, of, a, b);
}

/* Classes of V8 and Node whose objects the snapshot itself makes, moves or leaves out (docs/performance.md
 * and the tests of the graph have the details): those of the user have to agree. */
static bool is_users(const char *class_name) {
    return class_name[0] != '(' && strncmp(class_name, "system /", 8) != 0 &&
           strncmp(class_name, "Node /", 6) != 0;
}

static void test_histograms_agree(void **state) {
    (void)state;
    need_files();
    cJSON *of_core = JSON("histogram", core), *of_snapshot = JSON("histogram", snapshot);
    const cJSON *row, *rows = cJSON_GetObjectItem(isolate_of(of_core), "histogram");
    const cJSON *others = cJSON_GetObjectItem(isolate_of(of_snapshot), "histogram");
    unsigned compared = 0;
    cJSON_ArrayForEach(row, rows) {
        const char *name = text(row, "class");
        const cJSON *other = row_of(others, "class", name);
        if (!other || !is_users(name) || number(other, "shallow") < 20000) continue;
        assert_near(number(row, "count"), number(other, "count"), 0.01, "count", name);
        assert_near(number(row, "shallow"), number(other, "shallow"), 0.01, "shallow size", name);
        /* V8's snapshots leave out the memory of external strings: the sources of Node's own modules, which
         * hang from an Object. */
        if (strcmp(name, "Object") != 0)
            assert_near(number(row, "retained"), number(other, "retained"), 0.02, "retained size", name);
        compared++;
    }
    assert_true(compared >= 2);
    assert_near(number(isolate_of(of_core), "reachable_objects"),
                number(isolate_of(of_snapshot), "reachable_objects"), 0.02, "objects", "the heap");
    cJSON_Delete(of_core);
    cJSON_Delete(of_snapshot);
}

/* Children follow their parent, largest first, and never retain more than it. */
static void check_tree(cJSON *document) {
    const cJSON *rows = cJSON_GetObjectItem(isolate_of(document), "dominators");
    int count = cJSON_GetArraySize(rows);
    assert_true(count > 3);
    for (int i = 0; i < count; i++) {
        const cJSON *row = cJSON_GetArrayItem(rows, i);
        double parent = number(row, "parent");
        assert_true(number(row, "shallow") <= number(row, "retained"));
        if (number(row, "depth") == 0) {
            assert_true(parent < 0);
            continue;
        }
        assert_true(parent >= 0 && parent < i);
        const cJSON *above = cJSON_GetArrayItem(rows, (int)parent);
        assert_true(number(above, "depth") + 1 == number(row, "depth"));
        assert_true(number(above, "retained") >= number(row, "retained"));
    }
}

static void test_dominators(void **state) {
    (void)state;
    need_files();
    const char *files[] = {core, snapshot};
    for (int i = 0; i < 2; i++) {
        cJSON *document = JSON("dominators", files[i], "--limit", "60");
        check_tree(document);
        const cJSON *first = cJSON_GetArrayItem(cJSON_GetObjectItem(isolate_of(document), "dominators"), 0);
        char address[40];
        snprintf(address, sizeof(address), "%s", text(first, "address"));
        cJSON *under = JSON("dominators", files[i], "--under", address, "--limit", "5");
        assert_non_null(cJSON_GetObjectItem(isolate_of(under), "dominators"));
        cJSON_Delete(under);
        cJSON_Delete(document);
    }
}

/* From the largest instance of a class to what keeps it, on both files. */
static void test_retainers(void **state) {
    (void)state;
    need_files();
    const char *files[] = {core, snapshot};
    for (int i = 0; i < 2; i++) {
        cJSON *list = JSON("objects", files[i], "--class", "map", "--limit", "2"); /* whatever the case */
        const cJSON *objects = cJSON_GetObjectItem(list, "objects");
        assert_string_equal(text(objects, "class"), "Map");
        const cJSON *largest = cJSON_GetArrayItem(cJSON_GetObjectItem(objects, "instances"), 0);
        char address[40];
        snprintf(address, sizeof(address), "%s", text(largest, "address"));
        cJSON *document = JSON("retainers", files[i], address, "--all");
        const cJSON *retainers = cJSON_GetObjectItem(document, "retainers");
        assert_string_equal(text(retainers, "address"), address);
        assert_true(number(retainers, "retained") == number(largest, "retained"));
        assert_true(cJSON_IsTrue(cJSON_GetObjectItem(retainers, "reachable")));
        assert_true(cJSON_GetArraySize(cJSON_GetObjectItem(retainers, "steps")) > 1);
        assert_non_null(strstr(text(retainers, "path"), " -> "));
        assert_true(number(retainers, "referrer_total") ==
                    cJSON_GetArraySize(cJSON_GetObjectItem(retainers, "referrers")));
        cJSON_Delete(document);
        cJSON_Delete(JSON("inspect", files[i], address));
        cJSON_Delete(list);
    }
}

/* An object that a WeakRef, a registration, a WeakMap and a WeakSet know (population.js of the case) has
 * four weak referrers, on the snapshot and on the core. */
static void test_weak_referrers(void **state) {
    (void)state;
    need_files();
    cJSON *maps = JSON("objects", core, "--class", "WeakMap", "--limit", "1");
    const cJSON *largest =
        cJSON_GetArrayItem(cJSON_GetObjectItem(cJSON_GetObjectItem(maps, "objects"), "instances"), 0);
    cJSON *map = JSON("inspect", core, text(largest, "address"), "--limit", "0");
    const cJSON *field, *fields = cJSON_GetObjectItem(cJSON_GetObjectItem(map, "object"), "fields");
    char address[40] = "";
    cJSON_ArrayForEach(field, fields) {
        const char *at = strstr(text(field, "name"), "{weakKey: 17} @");
        if (at) snprintf(address, sizeof(address), "%s", strchr(at, '@') + 1);
    }
    assert_true(*address);
    cJSON *document = JSON("retainers", core, address, "--weak");
    const cJSON *row, *retainers = cJSON_GetObjectItem(document, "retainers");
    unsigned found = 0;
    assert_int_equal(number(retainers, "weak_total"), 4);
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(retainers, "referrers")) {
        static const char *const classes[] = {"WeakRef", "WeakMap", "WeakSet"};
        if (!cJSON_IsTrue(cJSON_GetObjectItem(row, "weak"))) continue;
        for (unsigned i = 0; i < 3; i++) found |= (unsigned)!strcmp(text(row, "class"), classes[i]) << i;
    }
    assert_int_equal(found, 7);
    cJSON_Delete(document);
    cJSON_Delete(map);
    cJSON_Delete(maps);
}

static void test_strings_agree(void **state) {
    (void)state;
    need_files();
    cJSON *of_core = JSON("strings", core), *of_snapshot = JSON("strings", snapshot);
    const cJSON *a = cJSON_GetObjectItem(of_core, "strings"),
                *b = cJSON_GetObjectItem(of_snapshot, "strings");
    assert_near(number(a, "count"), number(b, "count"), 0.05, "count", "strings");
    const char *const lists[] = {"sliced", "ropes"};
    for (int i = 0; i < 2; i++)
        assert_near(number(cJSON_GetObjectItem(a, lists[i]), "total"),
                    number(cJSON_GetObjectItem(b, lists[i]), "total"), 0.05, "total", lists[i]);
    cJSON_Delete(of_core);
    cJSON_Delete(of_snapshot);
}

static void test_groups(void **state) {
    (void)state;
    need_files();
    const char *const bys[] = {"package", "script", "space"};
    for (int i = 0; i < 3; i++) {
        cJSON *document = JSON("histogram", core, "--by", bys[i]);
        const cJSON *groups = cJSON_GetObjectItem(isolate_of(document), "groups"), *row;
        double sum = 0;
        assert_string_equal(text(groups, "by"), bys[i]);
        cJSON_ArrayForEach(row, cJSON_GetObjectItem(groups, "rows")) sum += number(row, "count");
        assert_near(sum, number(isolate_of(document), "objects"), 0.02, "objects by", bys[i]);
        cJSON_Delete(document);
    }
    struct run run = RUN("histogram", snapshot, "--by", "space");
    assert_run(&run, 2, NULL, "does not say where objects lie");
    run_free(&run);
}

static void test_compare(void **state) {
    (void)state;
    need_files();
    cJSON *document = JSON("compare", snapshot, core, "--limit", "0");
    const cJSON *comparison = cJSON_GetObjectItem(document, "comparison"), *row;
    double kept[2] = {0};
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(comparison, "growth")) {
        for (int i = 0; i < 2; i++)
            kept[i] += number(cJSON_GetArrayItem(cJSON_GetObjectItem(row, "heaps"), i), "kept");
    }
    for (int i = 0; i < 2; i++) /* each object counts once */
        assert_true(kept[i] ==
                    number(cJSON_GetArrayItem(cJSON_GetObjectItem(comparison, "heaps"), i), "bytes"));
    cJSON_Delete(document);
    document = JSON("compare", snapshot, snapshot, snapshot); /* nothing appeared in between */
    const cJSON *survivors = cJSON_GetObjectItem(cJSON_GetObjectItem(document, "comparison"), "survivors");
    assert_true(number(survivors, "count") == 0);
    cJSON_Delete(document);
    document = JSON("compare", snapshot, snapshot, core);
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(cJSON_GetObjectItem(document, "comparison"), "survivors")));
    cJSON_Delete(document);
}

static void test_export(void **state) {
    (void)state;
    need_files();
    char *folder = folder_new(), out[4096];
    snprintf(out, sizeof(out), "%s/out.heapsnapshot", folder);
    cJSON_Delete(JSON("export", core, "--as", "heapsnapshot", "-o", out));
    cJSON *document = JSON("histogram", out, "--limit", "5");
    assert_true(number(isolate_of(document), "objects") > 10000);
    cJSON_Delete(document);
    struct run run = RUN("export", core, "--as", "nothing", "-o", out);
    assert_run(&run, 2, NULL, "no format 'nothing'");
    run_free(&run);
    run = RUN("export", core, "--as", "heapsnapshot", "-o", "/no/such/folder/out");
    assert_run(&run, 2, NULL, "/no/such/folder/out");
    run_free(&run);
    folder_remove(folder);
}

static void test_wrong_objects(void **state) {
    (void)state;
    need_files();
    struct run run = RUN("retainers", core, "@17");
    assert_run(&run, 2, NULL, "have addresses, no ids");
    run_free(&run);
    run = RUN("retainers", snapshot, "@999999999");
    assert_run(&run, 2, NULL, "no object has the id");
    run_free(&run);
    run = RUN("retainers", core, "0x10");
    assert_run(&run, 2, NULL, "no object begins there");
    run_free(&run);
    run = RUN("objects", core, "--class", "Mapp");
    assert_run(&run, 2, NULL, "did you mean 'Map'");
    run_free(&run);
    run = RUN("dominators", "/etc/passwd");
    assert_run(&run, 2, NULL, "/etc/passwd");
    run_free(&run);
}

/* Strict redaction leaves no content of strings in any of the answers. */
static void test_strict(void **state) {
    (void)state;
    need_files();
    struct run run = RUN("strings", core, "--redact=strict", "--limit", "30");
    assert_run(&run, 0, "(string hidden)", NULL);
    assert_null(strstr(run.out, "use strict"));
    run_free(&run);
    run = RUN("dominators", snapshot, "--redact=strict", "--limit", "50", "-f", "markdown");
    assert_run(&run, 0, "Dominators", NULL);
    run_free(&run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_histograms_agree), cmocka_unit_test(test_dominators),
        cmocka_unit_test(test_retainers),        cmocka_unit_test(test_strings_agree),
        cmocka_unit_test(test_groups),           cmocka_unit_test(test_compare),
        cmocka_unit_test(test_export),           cmocka_unit_test(test_wrong_objects),
        cmocka_unit_test(test_strict),           cmocka_unit_test(test_weak_referrers),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
