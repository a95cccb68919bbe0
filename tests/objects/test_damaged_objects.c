/* Damaged heaps: the words of objects are overwritten with references to other objects, huge counts and
 * noise, in our private mapping of the core; then every reader reads everything. Nothing may crash, hang or
 * run out of an object (ASan, UBSan). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "truth.h"
#include "v8layout/object_access.h"

enum { OBJECTS = 6000, ROUNDS = 3 };

static const char *const *versions;
static size_t version_count;

struct picked {
    const struct v8 *v8;
    pm_addr objects[OBJECTS];
    size_t count, seen;
    uint64_t random;
};

static uint64_t next_random(uint64_t *state) { /* xorshift64 */
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* A fair sample of the heap, but every object of a rare kind is likely in. */
static bool pick(void *context, const struct v8_object *object) {
    struct picked *picked = context;
    picked->seen++;
    if (picked->count < OBJECTS) {
        if (next_random(&picked->random) % 20 == 0 || v8_is_js_object(picked->v8, object->map))
            picked->objects[picked->count++] = object->address;
    } else {
        uint64_t at = next_random(&picked->random) % picked->seen;
        if (at < OBJECTS) picked->objects[at] = object->address;
    }
    return true;
}

static void damage(struct picked *picked) {
    for (size_t i = 0; i < picked->count; i++) {
        uint64_t size = v8_size(picked->v8, picked->objects[i]), word;
        if (size < 16) continue;
        uint64_t offset = 8 + next_random(&picked->random) % ((size < 256 ? size : 256) / 8 - 1) * 8;
        uint8_t *bytes = (uint8_t *)(uintptr_t)pm_mem_view(picked->v8->mem, picked->objects[i] + offset, 8);
        switch (next_random(&picked->random) % 6) {
        case 0: word = v8_tag(picked->objects[next_random(&picked->random) % picked->count]); break;
        case 1: word = v8_tag(picked->objects[i]); break; /* itself */
        case 2: word = next_random(&picked->random) << 32; break;
        case 3: word = 0x7fffffffull << 32; break;
        case 4: word = next_random(&picked->random); break;
        default: word = UINT64_MAX; break;
        }
        if (bytes) memcpy(bytes, &word, 8);
    }
}

struct reading {
    const struct v8 *v8;
    size_t visited;
};

static bool read_property(void *context, const struct v8_property *property) {
    struct reading *reading = context;
    (void)property;
    return ++reading->visited < 2000;
}
static bool read_entry(void *context, v8_word key, v8_word value) {
    struct reading *reading = context;
    (void)key;
    (void)value;
    return ++reading->visited < 2000;
}
static bool read_variable(void *context, const struct v8_variable *variable) {
    struct reading *reading = context;
    reading->visited += strlen(variable->name) + 1;
    return reading->visited < 2000;
}

static void read_all(const struct v8 *v8, pm_addr object) {
    PM_AUTO_STRBUF struct pm_strbuf text = {0};
    PM_AUTO(arena) struct pm_arena *arena = pm_arena_create();
    struct reading reading = {.v8 = v8};
    struct v8_function function;
    uint32_t line, column, count;
    v8_word value;
    assert_non_null(v8_class_name(v8, object, arena));
    v8_describe(v8, v8_tag(object), 120, &text);
    assert_true(text.length > 0);
    v8_string_text(v8, object, 0, 200, &text);
    v8_name_text(v8, object, arena);
    v8_properties(v8, object, read_property, &reading);
    v8_property_named(v8, object, "constructor", &value);
    reading.visited = 0;
    v8_entries(v8, object, read_entry, &reading);
    v8_entry_count(v8, object, &count, NULL);
    reading.visited = 0;
    v8_context_variables(v8, object, arena, read_variable, &reading);
    v8_function_load(v8, object, arena, &function);
    v8_script_position(v8, object, 100, &line, &column);
    v8_source_position(v8, object, 100, NULL);
    v8_shared_bytecode(v8, object);
}

static void check(const char *version, uint64_t seed) {
    struct truth truth;
    struct v8_walk_stats stats = {0};
    if (!truth_open("objects", version, NULL, false, &truth)) fail();
    struct picked *picked = calloc(1, sizeof(*picked));
    assert_non_null(picked);
    picked->v8 = truth.core.v8;
    picked->random = seed;
    v8_walk(truth.core.v8, 0, pick, picked, &stats);
    assert_true(picked->count == OBJECTS);
    /* The mapping is private: what we write stays with us. */
    void *start = (void *)(uintptr_t)truth.core.input->bytes;
    assert_int_equal(mprotect(start, truth.core.input->size, PROT_READ | PROT_WRITE), 0);
    damage(picked);
    for (size_t i = 0; i < picked->count; i++) read_all(truth.core.v8, picked->objects[i]);
    /* Not objects at all. */
    for (size_t i = 0; i < 200; i++)
        read_all(truth.core.v8, picked->objects[i] + 8 * (next_random(&picked->random) % 4));
    read_all(truth.core.v8, 0);
    read_all(truth.core.v8, UINT64_MAX - 7);
    free(picked);
    truth_close(&truth);
}

static void test_damaged(void **state) {
    (void)state;
    for (size_t i = 0; i < version_count; i++)
        for (uint64_t round = 1; round <= ROUNDS; round++) check(versions[i], round * 0x9e3779b97f4a7c15u);
}

int main(int argc, char **argv) {
    real_core_versions(argc, argv, &versions, &version_count);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_damaged)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
