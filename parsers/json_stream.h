/* json_stream.h - JSON read where it lies, one token after the other: for files too large for a tree. Knows
 * no format.
 *
 * Values that nobody asks for are skipped without looking inside them: brackets are only counted, so a depth
 * of millions costs nothing. Strings stay as they are in the file until pm_json_unescape().
 *
 * OWNERSHIP  nothing is allocated; texts point into the bytes.
 * FAILURE    every function that returns struct pm_error *: PM_ERR_FORMAT with the place. */
#ifndef PM_PARSERS_JSON_STREAM_H
#define PM_PARSERS_JSON_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "postmortem/base/error.h"
#include "postmortem/base/strbuf.h"

struct pm_json {
    const uint8_t *bytes;
    uint64_t size;
    uint64_t at;
};

/* The inside of a string, escapes and all. */
struct pm_json_text {
    const uint8_t *bytes;
    uint64_t length;
};

/* The next byte that is no white space, which is not taken; 0 at the end. */
uint8_t pm_json_peek(struct pm_json *json);
/* Takes one punctuation mark. */
struct pm_error *pm_json_take(struct pm_json *json, char mark);
struct pm_error *pm_json_string(struct pm_json *json, struct pm_json_text *ret);
/* A whole number from 0 to 2^64 - 1. */
struct pm_error *pm_json_whole(struct pm_json *json, uint64_t *ret);
/* Any value. */
struct pm_error *pm_json_skip(struct pm_json *json);

/* Members of an object or array, one by one; the first call stands behind the opening bracket:
 *
 *     PM_TRY(pm_json_take(json, '{'));
 *     for (bool first = true, more;; first = false) {
 *         PM_TRY(pm_json_more(json, first, '}', &more));
 *         if (!more) break;
 *         PM_TRY(pm_json_key(json, &key));
 *         ... the value, or pm_json_skip()
 *     } */
struct pm_error *pm_json_more(struct pm_json *json, bool first, char closing, bool *more_ret);
struct pm_error *pm_json_key(struct pm_json *json, struct pm_json_text *ret);

bool pm_json_is(struct pm_json_text text, const char *expected);
/* The text as UTF-8, at most `most` UTF-16 units; returns how many units it was. Lone surrogates and escapes
 * that are none become U+FFFD; bytes that are no UTF-8 stay as they are. */
size_t pm_json_unescape(struct pm_json_text text, size_t most, struct pm_strbuf *out);

/* The closing quote of a string whose inside begins at `at`; NULL = it has none before `end`. */
const uint8_t *pm_json_string_end(const uint8_t *at, const uint8_t *end);

/* ---- long arrays of whole numbers ---- */

/* Takes the digits at `at`; returns what follows them, NULL = there are none, or the number is too large.
 * Looks at 8 bytes at once where `end` allows. */
static inline const uint8_t *pm_json_digits(const uint8_t *at, const uint8_t *end, uint64_t *ret) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (end - at >= 8) {
        uint64_t word;
        __builtin_memcpy(&word, at, sizeof(word));
        /* A byte is a digit when its high nibble is 3, also after 6 was added. */
        const uint64_t high = 0xf0f0f0f0f0f0f0f0, threes = 0x3030303030303030;
        uint64_t other = ((word & high) ^ threes) | (((word + 0x0606060606060606) & high) ^ threes);
        if (other) {
            unsigned digits = (unsigned)__builtin_ctzll(other) / 8;
            if (digits == 0) return NULL;
            word <<= 64 - 8 * digits;
            word = (word & 0x0f0f0f0f0f0f0f0f) * 2561 >> 8; /* pairs: 10 * a + b */
            word = (word & 0x00ff00ff00ff00ff) * 6553601 >> 16;
            *ret = (word & 0x0000ffff0000ffff) * 42949672960001 >> 32;
            return at + digits;
        }
    }
#endif
    uint64_t value = 0;
    const uint8_t *start = at;
    for (; at < end && *at >= '0' && *at <= '9'; at++)
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *at - '0', &value))
            return NULL;
    *ret = value;
    return at == start ? NULL : at;
}

#endif
