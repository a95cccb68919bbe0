#include "postmortem/base/strbuf.h"

#include "postmortem/base/vec.h"

#include <stdio.h>
#include <string.h>

static bool reserve(struct pm_strbuf *buf, size_t more) {
    size_t wanted;
    if (buf->failed || __builtin_add_overflow(buf->length, more, &wanted) || wanted == SIZE_MAX ||
        (buf->capacity < wanted + 1 && !pm_vec_grow((void **)&buf->bytes, &buf->capacity, wanted + 1, 1))) {
        buf->failed = true;
        return false;
    }
    return true;
}

void pm_strbuf_deinit(struct pm_strbuf *buf) {
    free(buf->bytes);
    *buf = (struct pm_strbuf){0};
}

void pm_strbuf_clear(struct pm_strbuf *buf) {
    buf->length = 0;
    if (buf->bytes) buf->bytes[0] = 0;
}

void pm_strbuf_append_bytes(struct pm_strbuf *buf, const void *bytes, size_t length) {
    if (!reserve(buf, length)) return;
    if (length) memcpy(buf->bytes + buf->length, bytes, length);
    buf->length += length;
    buf->bytes[buf->length] = 0;
}

void pm_strbuf_append(struct pm_strbuf *buf, const char *text) {
    pm_strbuf_append_bytes(buf, text, strlen(text));
}

void pm_strbuf_append_char(struct pm_strbuf *buf, char c) {
    pm_strbuf_append_bytes(buf, &c, 1);
}

void pm_strbuf_append_utf8(struct pm_strbuf *buf, uint32_t c) {
    char out[4];
    size_t n;
    if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) c = 0xfffd;
    if (c < 0x80) {
        out[0] = (char)c;
        n = 1;
    } else if (c < 0x800) {
        out[0] = (char)(0xc0 | (c >> 6));
        out[1] = (char)(0x80 | (c & 0x3f));
        n = 2;
    } else if (c < 0x10000) {
        out[0] = (char)(0xe0 | (c >> 12));
        out[1] = (char)(0x80 | ((c >> 6) & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        n = 3;
    } else {
        out[0] = (char)(0xf0 | (c >> 18));
        out[1] = (char)(0x80 | ((c >> 12) & 0x3f));
        out[2] = (char)(0x80 | ((c >> 6) & 0x3f));
        out[3] = (char)(0x80 | (c & 0x3f));
        n = 4;
    }
    pm_strbuf_append_bytes(buf, out, n);
}

void pm_strbuf_vappendf(struct pm_strbuf *buf, const char *format, va_list args) {
    char *text = NULL;
    int length = vasprintf(&text, format, args);
    if (length < 0) {
        buf->failed = true;
        return;
    }
    pm_strbuf_append_bytes(buf, text, (size_t)length);
    free(text);
}

void pm_strbuf_appendf(struct pm_strbuf *buf, const char *format, ...) {
    va_list args;
    va_start(args, format);
    pm_strbuf_vappendf(buf, format, args);
    va_end(args);
}

char *pm_strbuf_take(struct pm_strbuf *buf) {
    if (!reserve(buf, 0)) {
        pm_strbuf_deinit(buf);
        return NULL;
    }
    buf->bytes[buf->length] = 0;
    char *text = buf->bytes;
    *buf = (struct pm_strbuf){0};
    return text;
}
