/* cleanup.h - scope guards, so that no function needs a ladder of gotos. */
#ifndef PM_BASE_CLEANUP_H
#define PM_BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PM_CLEANUP(function) __attribute__((cleanup(function)))

static inline void pm_cleanup_free(void *pointer) {
    free(*(void **)pointer);
}
static inline void pm_cleanup_close(const int *fd) {
    if (*fd >= 0) close(*fd);
}
static inline void pm_cleanup_fclose(FILE **file) {
    if (*file) fclose(*file);
}

#define PM_AUTO_FREE   PM_CLEANUP(pm_cleanup_free)
#define PM_AUTO_CLOSE  PM_CLEANUP(pm_cleanup_close)
#define PM_AUTO_FCLOSE PM_CLEANUP(pm_cleanup_fclose)

/* Declares the guard PM_AUTO(name) for a type with a destroy function that accepts NULL. */
#define PM_DEFINE_AUTO(name, type, destroy)                                                                  \
    static inline void pm_cleanup_##name(type **pointer) {                                                   \
        destroy(*pointer);                                                                                   \
    }
#define PM_AUTO(name) PM_CLEANUP(pm_cleanup_##name)

/* Hands a guarded pointer out of its scope: `*ret = PM_TAKE(thing);` */
#define PM_TAKE(pointer)                                                                                     \
    __extension__({                                                                                          \
        __auto_type pm_taken = (pointer);                                                                    \
        (pointer) = NULL;                                                                                    \
        pm_taken;                                                                                            \
    })

/* Passes an error on to the caller. */
#define PM_TRY(expression)                                                                                   \
    do {                                                                                                     \
        struct pm_error *pm_try_error = (expression);                                                        \
        if (pm_try_error) return pm_try_error;                                                               \
    } while (0)

#endif
