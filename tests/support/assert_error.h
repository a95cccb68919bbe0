/* assert_error.h - cmocka assertions on struct pm_error: kind, words and place. They take the error and
 * destroy it. */
#ifndef PM_TESTS_ASSERT_ERROR_H
#define PM_TESTS_ASSERT_ERROR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "postmortem/base/error.h"

static inline void pm_check_ok(struct pm_error *err, const char *file, int line) {
    if (!err) return;
    print_error("unexpected error: %s\n", err->message);
    pm_error_destroy(err);
    _fail(file, line);
}

static inline void pm_check_error(struct pm_error *err, enum pm_error_kind kind, const char *words,
                                  bool has_where, uint64_t where, const char *file, int line) {
    const char *wrong = NULL;
    if (!err) {
        print_error("success where \"%s\" was expected\n", words);
        _fail(file, line);
        return;
    }
    if (err->kind != kind) wrong = "kind";
    if (!strstr(err->message, words)) wrong = "message";
    if (strchr(err->message, '\n')) wrong = "number of lines";
    if (has_where && (!err->has_where || err->where != where)) wrong = "place";
    if (wrong) {
        print_error("wrong %s: kind %d, \"%s\", at 0x%llx; expected kind %d, \"%s\", at 0x%llx\n", wrong,
                    (int)err->kind, err->message, (unsigned long long)err->where, (int)kind, words,
                    (unsigned long long)where);
        pm_error_destroy(err);
        _fail(file, line);
        return;
    }
    pm_error_destroy(err);
}

#define assert_pm_ok(expression) pm_check_ok((expression), __FILE__, __LINE__)
#define assert_pm_error(expression, kind, words)                                                             \
    pm_check_error((expression), kind, words, false, 0, __FILE__, __LINE__)
#define assert_pm_error_at(expression, kind, place, words)                                                   \
    pm_check_error((expression), kind, words, true, (place), __FILE__, __LINE__)

#endif
