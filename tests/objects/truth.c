#include "truth.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

bool truth_open(const char *name, const char *version, const char *hide, bool with_snapshot,
                struct truth *ret) {
    struct truth truth = {.version = version};
    struct pm_error *err = real_core_open(name, version, hide, &truth.core);
    if (err) {
        fprintf(stderr, "%s %s: %s\n", name, version, err->message);
        pm_error_destroy(err);
        return false;
    }
    truth.arena = pm_arena_create();
    if (with_snapshot) {
        size_t size = 0;
        char *text = real_core_file(&truth.core, "heap.heapsnapshot", &size);
        truth.snapshot = text ? snapshot_parse(text, size) : NULL;
        free(text);
        if (!truth.snapshot) {
            fprintf(stderr, "%s %s: no heap snapshot\n", name, version);
            truth_close(&truth);
            return false;
        }
    }
    *ret = truth;
    return true;
}

void truth_close(struct truth *truth) {
    snapshot_destroy(truth->snapshot);
    pm_arena_destroy(truth->arena);
    real_core_close(&truth->core);
}

void truth_walk(const struct truth *truth, v8_visit *visit, void *context) {
    struct v8_walk_stats stats = {0};
    v8_walk(truth->core.v8, UINT32_MAX, visit, context, &stats);
    v8_walk(truth->core.v8, 0, visit, context, &stats);
}

struct global_search {
    const struct v8 *v8;
    v8_word kept;
    bool found;
};

static bool find_kept(void *context, const struct v8_object *object) {
    struct global_search *search = context;
    if (object->map->type != V8_T_JS_GLOBAL_OBJECT) return true;
    search->found = v8_property_named(search->v8, object->address, "kept", &search->kept);
    return !search->found;
}

struct element_search {
    uint32_t index;
    v8_word value;
    bool found;
};

static bool find_element(void *context, const struct v8_property *property) {
    struct element_search *search = context;
    if (!property->is_element || property->is_double || property->index != search->index) return true;
    search->value = property->value;
    search->found = true;
    return false;
}

v8_word truth_value(const struct truth *truth, ...) {
    const struct v8 *v8 = truth->core.v8;
    struct global_search search = {.v8 = v8};
    struct v8_walk_stats stats = {0};
    v8_walk(v8, 0, find_kept, &search, &stats);
    if (!search.found) fail_msg("%s: globalThis.kept was not found", truth->version);
    v8_word value = search.kept;
    va_list names;
    va_start(names, truth);
    for (const char *name; (name = va_arg(names, const char *));) {
        if (isdigit((unsigned char)name[0])) {
            struct element_search element = {.index = (uint32_t)atoi(name)};
            v8_properties(v8, truth_object(value), find_element, &element);
            if (!element.found) fail_msg("%s: no element %s", truth->version, name);
            value = element.value;
        } else if (!v8_property_named(v8, truth_object(value), name, &value)) {
            fail_msg("%s: no property %s", truth->version, name);
        }
    }
    va_end(names);
    return value;
}
