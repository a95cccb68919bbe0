/* Class names against V8's own: the classes of the heap snapshot Node wrote, in DevTools' sense, and how many
 * objects each has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bags.h"
#include "truth.h"

static const char *const *versions;
static size_t version_count;

/* Rows that V8 sorts differently in each version: only their sum is compared. */
static const char *inner_class(const char *name) {
    static const char *const inner[] = {"(system)", "(compiled code)", "(array)", "(object shape)"};
    for (size_t i = 0; i < sizeof(inner) / sizeof(inner[0]); i++)
        if (strcmp(inner[i], name) == 0) return "(internal)";
    return name;
}

/* HeapSnapshotNode.className of DevTools, but uniformly in parentheses; see names.c. */
static void add_truth(struct bag *bag, const struct snapshot_node *node) {
    static const char *const global[] = {" (global)", " (global*)"}; /* V8 14 marks global objects */
    if (strcmp(node->type, "native") == 0 || strcmp(node->type, "synthetic") == 0) return;
    if (strcmp(node->type, "hidden") == 0 || strcmp(node->type, "code") == 0) {
        bag_add(bag, "(internal)");
    } else if (strcmp(node->type, "object") != 0) {
        char name[64];
        snprintf(name, sizeof(name), "(%s)", node->type);
        bag_add(bag, inner_class(name));
    } else if (strncmp(node->name, "system / Context", 16) == 0) {
        bag_add(bag, "system / Context");
    } else {
        int length = (int)strlen(node->name);
        for (size_t i = 0; i < 2; i++) {
            size_t end = strlen(global[i]);
            if ((size_t)length > end && strcmp(node->name + length - end, global[i]) == 0) length -= (int)end;
        }
        bag_addf(bag, "%.*s", length, node->name);
    }
}

struct classes {
    const struct truth *truth;
    struct bag ours;
    size_t checked, wrong;
};

static bool visit_object(void *context, const struct v8_object *object) {
    struct classes *classes = context;
    const struct v8 *v8 = classes->truth->core.v8;
    const char *name;
    if (!v8_class_name_of_map(v8, object->map, classes->truth->arena, &name))
        name = v8_class_name_of_object(v8, object->address, name, classes->truth->arena);
    bag_add(&classes->ours, inner_class(name));
    if (object->address / 8 % 16 == 0) { /* the two ways say the same */
        const char *direct = v8_class_name(v8, object->address, classes->truth->arena);
        classes->checked++;
        if (strcmp(direct, name) != 0 && classes->wrong++ < 5)
            fprintf(stderr, "  %s: 0x%llx is %s by its map and %s by itself\n", classes->truth->version,
                    (unsigned long long)object->address, name, direct);
    }
    return true;
}

struct verdict {
    const char *version;
    size_t classes, wrong;
};

/* What may differ: objects that were made between the snapshot and the end (the statistics of the spaces:
 * some objects, arrays, strings, numbers), and objects that nothing refers to any more, which a snapshot
 * leaves out. */
static size_t allowed_extra(const char *name) {
    if (strcmp(name, "(internal)") == 0) return 250;
    if (strcmp(name, "(number)") == 0) return 200;
    if (strcmp(name, "(string)") == 0 || strcmp(name, "(concatenated string)") == 0 ||
        strcmp(name, "Object") == 0)
        return 30;
    if (strcmp(name, "Array") == 0) return 6;
    /* The wrapper of a script; the global object of a vm context, which V8 14 calls Object. */
    return strcmp(name, "Script") == 0 || strcmp(name, "global") == 0 ? 1 : 0;
}

static void differs(void *context, const char *name, size_t truth, size_t ours) {
    struct verdict *verdict = context;
    if (ours >= truth && ours - truth <= allowed_extra(name)) return;
    fprintf(stderr, "  %s: %s: %zu in the snapshot, %zu by us\n", verdict->version, name, truth, ours);
    verdict->wrong++;
}

static size_t check(const char *version, const char *hide) {
    struct truth truth;
    struct bag wanted = {0};
    struct classes classes = {.truth = &truth};
    struct verdict verdict = {.version = version};
    if (!truth_open("snapshot", version, hide, true, &truth)) return 1;
    for (size_t i = 0; i < truth.snapshot->node_count; i++) add_truth(&wanted, &truth.snapshot->nodes[i]);
    truth_walk(&truth, visit_object, &classes);
    bags_compare(&wanted, &classes.ours, differs, &verdict);
    printf("%s%s%s: %zu objects, %zu nodes, %zu classes differ\n", version, hide ? " without " : "",
           hide ? hide : "", classes.ours.count, wanted.count, verdict.wrong);
    verdict.wrong += classes.wrong;
    bag_deinit(&wanted);
    bag_deinit(&classes.ours);
    truth_close(&truth);
    return verdict.wrong;
}

static void check_versions(const char *hide) {
    size_t wrong = 0;
    for (size_t i = 0; i < version_count; i++) wrong += check(versions[i], hide);
    assert_int_equal(wrong, 0);
}

static void test_classes(void **state) {
    (void)state;
    check_versions(NULL);
}

/* Instance types by the roots and v8dbg constants only: functions are known by what they refer to. */
static void test_without_types(void **state) {
    (void)state;
    check_versions("types");
}

/* Keys by their text. */
static void test_without_root_names(void **state) {
    (void)state;
    check_versions("root_names");
}

int main(int argc, char **argv) {
    real_core_versions(argc, argv, &versions, &version_count);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_classes), cmocka_unit_test(test_without_types),
                                       cmocka_unit_test(test_without_root_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
