/* truth.h - a core of the case "snapshot" with the snapshot, opened; and objects of the case by name. */
#ifndef PM_TESTS_OBJECTS_TRUTH_H
#define PM_TESTS_OBJECTS_TRUTH_H

#include "real_core.h"
#include "snapshot.h"
#include "v8layout/objects.h"

struct truth {
    struct real_core core;
    struct snapshot *snapshot; /* NULL unless asked for */
    struct pm_arena *arena;
    const char *version;
};

/* Prints why and returns false when the core cannot be opened. `name`: the case. */
bool truth_open(const char *name, const char *version, const char *hide, bool with_snapshot,
                struct truth *ret);
void truth_close(struct truth *truth);

/* Every object of the isolate and of the read-only space. */
void truth_walk(const struct truth *truth, v8_visit *visit, void *context);

/* A value below globalThis.kept: truth_value(t, "objects", "accessors", NULL). Fails the test when it is not
 * there. Numbers name elements. */
v8_word truth_value(const struct truth *truth, ...) __attribute__((sentinel));
static inline pm_addr truth_object(v8_word word) {
    return v8_is_pointer(word) ? v8_untag(word) : 0;
}

#endif
