/* real_core.h - a real core of a corpora case, opened down to its V8 heap, and the truth files beside it. */
#ifndef PM_TESTS_HEAP_REAL_CORE_H
#define PM_TESTS_HEAP_REAL_CORE_H

#include "v8layout/heap.h"

struct real_core {
    char folder[600];
    struct pm_input *input;
    struct pm_core *core;
    struct pm_modules *modules;
    struct v8 *v8;
};

/* Opens the core of (case, version), made by corpora/make-core unless it is cached. `hide`: facts to pretend
 * absent, or "strip": the executable of x86-64 as strip leaves it. The error, if any, is that of the first
 * step that failed; the core is closed then. */
struct pm_error *real_core_open(const char *name, const char *version, const char *hide,
                                struct real_core *ret);
void real_core_close(struct real_core *core);
/* A truth file as malloc memory with a NUL behind it; NULL = there is none. */
char *real_core_file(const struct real_core *core, const char *file, size_t *size_ret);

/* The versions a test runs over: its arguments, else the six of everyday. */
void real_core_versions(int argc, char **argv, const char *const **versions_ret, size_t *count_ret);

#endif
