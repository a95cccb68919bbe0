/* The walk finds exactly the objects that V8's own heap iterator lists: 0 missing, 0 extra, 0 wrong sizes.
 * objects.bin is written by the truth addon inside the process (corpora/addon/heaptruth.cc). Also with
 * published facts hidden one after the other: then the same objects, or a refusal with the reason, never
 * others. And with a stripped executable: the same objects. */
#include "real_core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "postmortem/base/vec.h"

struct found {
    uint64_t address, size;
    uint16_t type;
};
struct found_list {
    PM_VEC(struct found) items;
};

static bool remember(void *context, const struct v8_object *object) {
    struct found_list *list = context;
    struct found found = {object->address, object->size, object->map->type};
    return pm_vec_push(&list->items, found);
}

static int by_address(const void *a, const void *b) {
    uint64_t x = ((const struct found *)a)->address, y = ((const struct found *)b)->address;
    return x < y ? -1 : x > y;
}

/* Number of differences; prints the first few. */
static unsigned compare(const struct found_list *ours, const uint64_t *truth, size_t truth_count) {
    size_t i = 0, k = 0;
    unsigned wrong = 0;
    while (i < ours->items.count || k < truth_count) {
        const struct found *own = i < ours->items.count ? &ours->items.items[i] : NULL;
        uint64_t address = k < truth_count ? truth[2 * k] : UINT64_MAX;
        const char *what = NULL;
        if (own && own->address < address) {
            /* V8 14.1's iterator (Node 25) leaves the holes of the read-only space out; the heap has them. */
            if (own->type != V8_T_HOLE) what = "extra";
            i++;
        } else if (!own || own->address > address) {
            what = "missing";
            k++;
        } else {
            if (own->size != truth[2 * k + 1]) what = "wrong size";
            i++;
            k++;
        }
        if (what && wrong++ < 5)
            fprintf(stderr, "  %s: 0x%llx %s\n", what, (unsigned long long)(own ? own->address : address),
                    own ? v8_type_name(own->type) : "");
    }
    return wrong;
}

static unsigned check(const char *version, const char *hide) {
    struct real_core core;
    struct pm_error *err = real_core_open("objects", version, hide, &core);
    if (err && hide && strcmp(hide, "strip") != 0) { /* refused with a reason: fine */
        bool reasonable = err->kind == PM_ERR_LAYOUT && strlen(err->message) > 20;
        printf("%s without %s: refused: %s\n", version, hide, err->message);
        pm_error_destroy(err);
        return !reasonable;
    }
    if (err) {
        fprintf(stderr, "%s: %s\n", version, err->message);
        pm_error_destroy(err);
        return 1;
    }
    size_t size;
    uint64_t *truth = (uint64_t *)(void *)real_core_file(&core, "objects.bin", &size);
    unsigned wrong = 1;
    struct found_list ours = {0};
    struct v8_walk_stats stats = {0};
    v8_walk(core.v8, UINT32_MAX, remember, &ours, &stats);
    for (uint32_t i = 0; i < core.v8->isolate_count; i++) v8_walk(core.v8, i, remember, &ours, &stats);
    if (truth && size >= 16 * 50000) { /* an empty truth proves nothing */
        qsort(ours.items.items, ours.items.count, sizeof(struct found), by_address);
        wrong = compare(&ours, truth, size / 16) + (stats.unparsed_bytes != 0);
    }
    printf("%s%s%s: %zu objects, V8 lists %zu, %u differences, %llu bytes unparsed\n", version,
           hide ? " without " : "", hide ? hide : "", ours.items.count, truth ? size / 16 : 0, wrong,
           (unsigned long long)stats.unparsed_bytes);
    pm_vec_deinit(&ours.items);
    free(truth);
    real_core_close(&core);
    return wrong;
}

static const char *const *versions;
static size_t version_count;

static void test_all_facts(void **state) {
    (void)state;
    unsigned wrong = 0;
    for (size_t i = 0; i < version_count; i++) wrong += check(versions[i], NULL);
    assert_int_equal(wrong, 0);
}

static void test_hidden_facts(void **state) {
    (void)state;
    static const char *const hidden[] = {"v8dbg_*",       "root_names",       "types",  "heap_in_isolate",
                                         "gc_state",      "jsentry",          "tls",    "blob",
                                         "v8dbg_*,types", "root_names,types", "symbols"};
    unsigned wrong = 0;
    for (size_t i = 0; i < version_count; i++)
        for (size_t k = 0; k < sizeof(hidden) / sizeof(hidden[0]); k++)
            wrong += check(versions[i], hidden[k]);
    assert_int_equal(wrong, 0);
}

static void test_stripped(void **state) {
    (void)state;
    unsigned wrong = 0;
    for (size_t i = 0; i < version_count; i++)
        if (!strstr(versions[i], "arm64") && strncmp(versions[i], "deb", 3) != 0) /* Debian's is stripped */
            wrong += check(versions[i], "strip");
    assert_int_equal(wrong, 0);
}

int main(int argc, char **argv) {
    real_core_versions(argc, argv, &versions, &version_count);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_facts), cmocka_unit_test(test_hidden_facts),
                                       cmocka_unit_test(test_stripped)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
