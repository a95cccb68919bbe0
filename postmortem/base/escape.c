#include "postmortem/base/escape.h"

#include <string.h>

uint32_t pm_utf8_next(const char *text, size_t length, size_t *position) {
    const unsigned char *bytes = (const unsigned char *)text + *position;
    size_t left = length - *position, need;
    uint32_t code, least;
    if (bytes[0] < 0x80) {
        (*position)++;
        return bytes[0];
    }
    if ((bytes[0] & 0xe0) == 0xc0) {
        need = 2, least = 0x80, code = bytes[0] & 0x1f;
    } else if ((bytes[0] & 0xf0) == 0xe0) {
        need = 3, least = 0x800, code = bytes[0] & 0x0f;
    } else if ((bytes[0] & 0xf8) == 0xf0) {
        need = 4, least = 0x10000, code = bytes[0] & 0x07;
    } else {
        (*position)++;
        return 0xfffd;
    }
    if (left < need) {
        (*position)++;
        return 0xfffd;
    }
    for (size_t i = 1; i < need; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            (*position)++;
            return 0xfffd;
        }
        code = code << 6 | (bytes[i] & 0x3f);
    }
    if (code < least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
        (*position)++;
        return 0xfffd;
    }
    *position += need;
    return code;
}

/* Characters that change how the text around them is shown: bidirectional controls, zero-width characters,
 * BOM, tags. */
static bool is_invisible(uint32_t c) {
    return (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
           c == 0x061c || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}

static bool is_control(uint32_t c) {
    return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

/* Appends the visible spelling of a control or invisible character; false when c is neither. */
static bool spell_out(struct pm_strbuf *out, uint32_t c) {
    switch (c) {
    case '\n': pm_strbuf_append(out, "\\n"); return true;
    case '\r': pm_strbuf_append(out, "\\r"); return true;
    case '\t': pm_strbuf_append(out, "\\t"); return true;
    default: break;
    }
    if (is_control(c))
        pm_strbuf_appendf(out, "\\x%02x", c);
    else if (is_invisible(c))
        pm_strbuf_appendf(out, "\\u{%x}", c);
    else
        return false;
    return true;
}

void pm_escape_terminal(struct pm_strbuf *out, const char *text, size_t length) {
    for (size_t i = 0; i < length;) {
        uint32_t c = pm_utf8_next(text, length, &i);
        if (!spell_out(out, c)) pm_strbuf_append_utf8(out, c);
    }
}

void pm_escape_json(struct pm_strbuf *out, const char *text, size_t length) {
    for (size_t i = 0; i < length;) {
        uint32_t c = pm_utf8_next(text, length, &i);
        if (c == '"' || c == '\\') {
            pm_strbuf_append_char(out, '\\');
            pm_strbuf_append_char(out, (char)c);
        } else if (is_control(c) || (is_invisible(c) && c < 0x10000)) {
            pm_strbuf_appendf(out, "\\u%04x", c);
        } else {
            pm_strbuf_append_utf8(out, c);
        }
    }
}

void pm_escape_html(struct pm_strbuf *out, const char *text, size_t length) {
    for (size_t i = 0; i < length;) {
        uint32_t c = pm_utf8_next(text, length, &i);
        switch (c) {
        case '<': pm_strbuf_append(out, "&lt;"); break;
        case '>': pm_strbuf_append(out, "&gt;"); break;
        case '&': pm_strbuf_append(out, "&amp;"); break;
        case '"': pm_strbuf_append(out, "&quot;"); break;
        case '\'': pm_strbuf_append(out, "&#39;"); break;
        default:
            if (!spell_out(out, c)) pm_strbuf_append_utf8(out, c);
        }
    }
}
