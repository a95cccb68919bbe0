#include "parsers/json_stream.h"

#include <string.h>

#include "postmortem/base/cleanup.h"

/* ------------------------------------------------------------------ tokens */

static struct pm_error *wrong(const struct pm_json *json, const char *expected) {
    if (json->at >= json->size)
        return pm_error_at(PM_ERR_FORMAT, json->size, "the file ends where %s should be", expected);
    return pm_error_at(PM_ERR_FORMAT, json->at, "no JSON: %s should be here", expected);
}

static bool is_space(uint8_t byte) {
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

uint8_t pm_json_peek(struct pm_json *json) {
    while (json->at < json->size && is_space(json->bytes[json->at])) json->at++;
    return json->at < json->size ? json->bytes[json->at] : 0;
}

struct pm_error *pm_json_take(struct pm_json *json, char mark) {
    char expected[] = {'\'', mark, '\'', 0};
    if (pm_json_peek(json) != (uint8_t)mark) return wrong(json, expected);
    json->at++;
    return NULL;
}

/* Bytes of the word that are `byte` have their high bit set; bytes above the first such one may, too. */
static uint64_t bytes_like(uint64_t word, uint8_t byte) {
    const uint64_t ones = 0x0101010101010101;
    uint64_t difference = word ^ ones * byte;
    return (difference - ones) & ~difference & (ones << 7);
}

const uint8_t *pm_json_string_end(const uint8_t *at, const uint8_t *end) {
    for (;;) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        while (end - at >= 8) {
            uint64_t word;
            memcpy(&word, at, sizeof(word));
            uint64_t found = bytes_like(word, '"') | bytes_like(word, '\\');
            if (found) {
                at += __builtin_ctzll(found) / 8;
                break;
            }
            at += 8;
        }
#endif
        while (at < end && *at != '"' && *at != '\\') at++;
        if (at >= end) return NULL;
        if (*at == '"') return at;
        if (end - at < 2) return NULL;
        at += 2;
    }
}

struct pm_error *pm_json_string(struct pm_json *json, struct pm_json_text *ret) {
    if (pm_json_peek(json) != '"') return wrong(json, "a string");
    const uint8_t *start = json->bytes + json->at + 1;
    const uint8_t *end = pm_json_string_end(start, json->bytes + json->size);
    if (!end) return pm_error_at(PM_ERR_FORMAT, json->size, "the file ends inside a string");
    *ret = (struct pm_json_text){start, (uint64_t)(end - start)};
    json->at = (uint64_t)(end - json->bytes) + 1;
    return NULL;
}

struct pm_error *pm_json_whole(struct pm_json *json, uint64_t *ret) {
    uint64_t value;
    pm_json_peek(json);
    const uint8_t *end = pm_json_digits(json->bytes + json->at, json->bytes + json->size, &value);
    if (!end) return wrong(json, "a whole number");
    json->at = (uint64_t)(end - json->bytes);
    *ret = value;
    return NULL;
}

/* A number, true, false or null: what may stand in them, not how. */
static bool skip_word(struct pm_json *json) {
    uint64_t start = json->at;
    while (json->at < json->size) {
        uint8_t byte = json->bytes[json->at];
        bool inside = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || byte == 'E' ||
                      byte == '-' || byte == '+' || byte == '.';
        if (!inside) break;
        json->at++;
    }
    return json->at > start;
}

struct pm_error *pm_json_skip(struct pm_json *json) {
    uint64_t depth = 0;
    struct pm_json_text text;
    do {
        switch (pm_json_peek(json)) {
        case '"': PM_TRY(pm_json_string(json, &text)); break;
        case '[':
        case '{':
            depth++;
            json->at++;
            break;
        case ']':
        case '}':
            if (depth == 0) return wrong(json, "a value");
            depth--;
            json->at++;
            break;
        case ',':
        case ':':
            if (depth == 0) return wrong(json, "a value");
            json->at++;
            break;
        default:
            if (!skip_word(json)) return wrong(json, "a value");
        }
    } while (depth > 0);
    return NULL;
}

struct pm_error *pm_json_more(struct pm_json *json, bool first, char closing, bool *more_ret) {
    bool ends = pm_json_peek(json) == (uint8_t)closing;
    if (ends)
        json->at++;
    else if (!first)
        PM_TRY(pm_json_take(json, ','));
    *more_ret = !ends;
    return NULL;
}

struct pm_error *pm_json_key(struct pm_json *json, struct pm_json_text *ret) {
    PM_TRY(pm_json_string(json, ret));
    return pm_json_take(json, ':');
}

bool pm_json_is(struct pm_json_text text, const char *expected) {
    size_t length = strlen(expected);
    return text.length == length && memcmp(text.bytes, expected, length) == 0;
}

/* ------------------------------------------------------------------ the text of a string */

static bool hex_unit(const uint8_t *at, const uint8_t *end, uint32_t *ret) {
    uint32_t value = 0;
    if (end - at < 6 || at[0] != '\\' || at[1] != 'u') return false;
    for (int i = 2; i < 6; i++) {
        uint32_t digit = at[i];
        if (digit >= '0' && digit <= '9')
            digit -= '0';
        else if ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f')
            digit = (digit | 0x20) - 'a' + 10;
        else
            return false;
        value = value << 4 | digit;
    }
    *ret = value;
    return true;
}

/* The code point of the escape at `at` (which is a backslash); returns what follows it. */
static const uint8_t *escape(const uint8_t *at, const uint8_t *end, uint32_t *ret) {
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    uint32_t unit, low;
    *ret = 0xfffd;
    if (hex_unit(at, end, &unit)) {
        *ret = unit; /* a lone surrogate becomes U+FFFD when it is appended */
        at += 6;
        if (unit >= 0xd800 && unit < 0xdc00 && hex_unit(at, end, &low) && low >= 0xdc00 && low < 0xe000) {
            *ret = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            at += 6;
        }
        return at;
    }
    if (end - at < 2) return end;
    const char *letter = at[1] ? strchr(letters, at[1]) : NULL;
    if (letter) *ret = (uint32_t)(uint8_t)meanings[letter - letters];
    return at + 2;
}

size_t pm_json_unescape(struct pm_json_text text, size_t most, struct pm_strbuf *out) {
    if (!text.length) return 0;
    const uint8_t *at = text.bytes, *end = at + text.length;
    size_t units = 0;
    while (at < end && units < most) {
        const uint8_t *start = at;
        /* What needs no change goes as a whole; a character of 4 bytes is two units. */
        for (unsigned tail = 0; at < end && *at != '\\'; at++) {
            if ((*at & 0xc0) == 0x80 && tail > 0) {
                tail--;
                continue;
            }
            size_t more = *at >= 0xf0 ? 2 : 1;
            if (units + more > most) break;
            units += more;
            tail = *at >= 0xf0 ? 3 : *at >= 0xe0 ? 2 : *at >= 0xc0 ? 1 : 0;
        }
        pm_strbuf_append_bytes(out, start, (size_t)(at - start));
        if (at == end || *at != '\\' || units >= most) break;
        uint32_t point;
        const uint8_t *next = escape(at, end, &point);
        if (units + (point > 0xffff ? 2 : 1) > most) break;
        units += point > 0xffff ? 2 : 1;
        pm_strbuf_append_utf8(out, point);
        at = next;
    }
    return units;
}
