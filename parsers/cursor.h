/* cursor.h - a bounded reader over bytes that knows where it is. On failure it does not move and stays
 * failed=true; a parser may read several fields and check once. No parser does pointer arithmetic on raw
 * input bytes. */
#ifndef PM_PARSERS_CURSOR_H
#define PM_PARSERS_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct pm_cursor {
    const uint8_t *bytes;
    uint64_t size;
    uint64_t position;
    uint64_t base; /* file offset or address of bytes[0], for messages */
    bool failed;
};

/* bytes may be NULL when size is 0. */
static inline struct pm_cursor pm_cursor_make(const void *bytes, uint64_t size, uint64_t base) {
    return (struct pm_cursor){.bytes = size ? bytes : (const uint8_t *)"", .size = size, .base = base};
}
static inline uint64_t pm_cursor_left(const struct pm_cursor *c) {
    return c->size - c->position;
}
static inline uint64_t pm_cursor_where(const struct pm_cursor *c) {
    return c->base + c->position;
}
/* The next `length` bytes, or NULL (failed). */
static inline const uint8_t *pm_cursor_take(struct pm_cursor *c, uint64_t length) {
    if (c->failed || length > pm_cursor_left(c)) {
        c->failed = true;
        return NULL;
    }
    const uint8_t *at = c->bytes + c->position;
    c->position += length;
    return at;
}
#define PM_CURSOR_READER(name, type)                                                                         \
    static inline type pm_cursor_##name(struct pm_cursor *c) {                                               \
        type value = 0;                                                                                      \
        const uint8_t *at = pm_cursor_take(c, sizeof(type));                                                 \
        if (at) memcpy(&value, at, sizeof(type));                                                            \
        return value;                                                                                        \
    }
PM_CURSOR_READER(u8, uint8_t)
PM_CURSOR_READER(u16, uint16_t)
PM_CURSOR_READER(u32, uint32_t)
PM_CURSOR_READER(u64, uint64_t)
#undef PM_CURSOR_READER
/* A NUL-terminated text inside the bytes, or NULL (failed) when the NUL is missing. */
static inline const char *pm_cursor_string(struct pm_cursor *c) {
    const void *end = c->failed ? NULL : memchr(c->bytes + c->position, 0, pm_cursor_left(c));
    if (!end) {
        c->failed = true;
        return NULL;
    }
    const char *text = (const char *)c->bytes + c->position;
    c->position += (uint64_t)((const uint8_t *)end - (const uint8_t *)text) + 1;
    return text;
}
/* Moves to an absolute position; false (failed) behind the end. */
static inline bool pm_cursor_seek(struct pm_cursor *c, uint64_t position) {
    if (c->failed || position > c->size) {
        c->failed = true;
        return false;
    }
    c->position = position;
    return true;
}
/* Moves to the next multiple of alignment (a power of two), or to the end when that is nearer: the last
 * record of a table may lack its padding. */
static inline void pm_cursor_align(struct pm_cursor *c, uint64_t alignment) {
    if (c->failed) return;
    uint64_t pad = -c->position & (alignment - 1);
    c->position += pad < pm_cursor_left(c) ? pad : pm_cursor_left(c);
}

#endif
