/* error.h - the one error type: NULL is success, everything else says what, where and what to do next.
 *
 * OWNERSHIP  a returned error belongs to the caller: pass it on, or pm_error_destroy() it.
 * FAILURE    creating an error cannot fail: without memory it becomes the static out-of-memory error. */
#ifndef PM_BASE_ERROR_H
#define PM_BASE_ERROR_H

#include <stdbool.h>
#include <stdint.h>

typedef uint64_t pm_addr; /* an address in the target process, never one of ours */

enum pm_error_kind {
    PM_ERR_NOMEM,
    PM_ERR_IO,          /* the file system said no */
    PM_ERR_FORMAT,      /* the bytes are not what they should be */
    PM_ERR_NOT_SAVED,   /* mapped in the process, but not written to the core */
    PM_ERR_NOT_MAPPED,  /* not an address of the process */
    PM_ERR_LAYOUT,      /* the V8 layout could not be found or did not validate */
    PM_ERR_UNSUPPORTED, /* understood, but not something we can read */
    PM_ERR_LIMIT,       /* a limit of limits.h */
    PM_ERR_NOT_FOUND,   /* what was asked for is not there */
};

struct pm_error {
    enum pm_error_kind kind;
    char *message;    /* one line, no newline, printable (untrusted text is already escaped) */
    const char *hint; /* what to do next, or NULL; a string literal */
    uint64_t where;   /* file offset or target address, only when has_where */
    bool has_where;
    bool is_static;
};

struct pm_error *pm_error_create(enum pm_error_kind kind, const char *format, ...)
    __attribute__((format(printf, 2, 3), warn_unused_result));
struct pm_error *pm_error_at(enum pm_error_kind kind, uint64_t where, const char *format, ...)
    __attribute__((format(printf, 3, 4), warn_unused_result));
struct pm_error *pm_error_nomem(void);
/* Returns err with the hint set (the last one wins). */
struct pm_error *pm_error_hint(struct pm_error *err, const char *hint);
/* Puts "PREFIX: " before the message; returns err. */
struct pm_error *pm_error_prefix(struct pm_error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void pm_error_destroy(struct pm_error *err); /* NULL is fine */

#endif
