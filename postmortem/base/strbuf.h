/* strbuf.h - builds text. `struct pm_strbuf text = {0};` is an empty one; the bytes are always
 * NUL-terminated.
 *
 * FAILURE  appending cannot be refused: without memory the buffer keeps what it has and `failed` is set;
 * check it once at the end (pm_strbuf_take() does). */
#ifndef PM_BASE_STRBUF_H
#define PM_BASE_STRBUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pm_strbuf {
    char *bytes; /* NULL while empty: use pm_strbuf_text() to read */
    size_t length;
    size_t capacity;
    bool failed;
};

void pm_strbuf_deinit(struct pm_strbuf *buf);
void pm_strbuf_clear(struct pm_strbuf *buf); /* keeps the memory */
void pm_strbuf_append(struct pm_strbuf *buf, const char *text);
void pm_strbuf_append_bytes(struct pm_strbuf *buf, const void *bytes, size_t length);
void pm_strbuf_append_char(struct pm_strbuf *buf, char c);
void pm_strbuf_append_utf8(struct pm_strbuf *buf,
                           uint32_t code_point); /* surrogates and > 10ffff become U+FFFD */
void pm_strbuf_appendf(struct pm_strbuf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void pm_strbuf_vappendf(struct pm_strbuf *buf, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
static inline const char *pm_strbuf_text(const struct pm_strbuf *buf) {
    return buf->bytes ? buf->bytes : "";
}
/* The text as malloc memory (never NULL unless memory ran out); the buffer is empty afterwards. */
char *pm_strbuf_take(struct pm_strbuf *buf);

#define PM_AUTO_STRBUF __attribute__((cleanup(pm_strbuf_deinit)))

#endif
