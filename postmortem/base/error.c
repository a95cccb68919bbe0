#include "postmortem/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static struct pm_error out_of_memory = {
    .kind = PM_ERR_NOMEM,
    .message = (char *)"out of memory",
    .hint = "postmortem itself ran out of memory; run it on a machine with more, or on one input at a time",
    .is_static = true,
};

struct pm_error *pm_error_nomem(void) {
    return &out_of_memory;
}

static struct pm_error *create(enum pm_error_kind kind, uint64_t where, bool has_where, const char *format,
                               va_list args) {
    struct pm_error *err = calloc(1, sizeof(*err));
    if (!err) return &out_of_memory;
    if (vasprintf(&err->message, format, args) < 0) {
        free(err);
        return &out_of_memory;
    }
    err->kind = kind;
    err->where = where;
    err->has_where = has_where;
    return err;
}

struct pm_error *pm_error_create(enum pm_error_kind kind, const char *format, ...) {
    va_list args;
    va_start(args, format);
    struct pm_error *err = create(kind, 0, false, format, args);
    va_end(args);
    return err;
}

struct pm_error *pm_error_at(enum pm_error_kind kind, uint64_t where, const char *format, ...) {
    va_list args;
    va_start(args, format);
    struct pm_error *err = create(kind, where, true, format, args);
    va_end(args);
    return err;
}

struct pm_error *pm_error_hint(struct pm_error *err, const char *hint) {
    if (err && !err->is_static) err->hint = hint;
    return err;
}

struct pm_error *pm_error_prefix(struct pm_error *err, const char *format, ...) {
    if (!err || err->is_static) return err;
    char *prefix = NULL, *message = NULL;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&prefix, format, args);
    va_end(args);
    if (length < 0) return err;
    if (asprintf(&message, "%s: %s", prefix, err->message) >= 0) {
        free(err->message);
        err->message = message;
    }
    free(prefix);
    return err;
}

void pm_error_destroy(struct pm_error *err) {
    if (!err || err == &out_of_memory || err->is_static) return;
    free(err->message);
    free(err);
}
