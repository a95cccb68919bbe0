#include "postmortem/redact_known.h"

#include <string.h>

#include "postmortem/base/sort.h"

void pm_known_deinit(struct pm_known *known) {
    for (size_t i = 0; i < known->words.count; i++) free(known->words.items[i].text);
    pm_vec_deinit(&known->words);
}

void pm_known_add(struct pm_known *known, const char *text, size_t length, const char *instead, bool whole) {
    if (!length || known->words.count >= PM_MOST_KNOWN) return;
    for (size_t i = 0; i < known->words.count; i++)
        if (known->words.items[i].length == length && !memcmp(known->words.items[i].text, text, length))
            return;
    struct pm_known_word word = {strndup(text, length), length, instead, whole};
    if (word.text && pm_vec_push(&known->words, word)) {
        known->sorted = false;
        return;
    }
    free(word.text);
    known->failed = true;
}

static int by_first_byte_longest_first(const void *a, const void *b) {
    const struct pm_known_word *one = a, *other = b;
    unsigned char first = (unsigned char)one->text[0], second = (unsigned char)other->text[0];
    if (first != second) return first < second ? -1 : 1;
    if (one->length != other->length) return one->length > other->length ? -1 : 1;
    return memcmp(one->text, other->text, one->length);
}

static void sort(struct pm_known *known) {
    size_t at = 0;
    pm_sort(known->words.items, known->words.count, sizeof(*known->words.items), by_first_byte_longest_first);
    for (unsigned byte = 0; byte <= 256; byte++) {
        while (at < known->words.count && (unsigned char)known->words.items[at].text[0] < byte) at++;
        known->first[byte] = (uint32_t)at;
    }
    known->sorted = true;
}

static bool is_word_byte(char c) {
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
}

static const struct pm_known_word *word_at(const struct pm_known *known, const char *bytes, size_t length,
                                           size_t at) {
    unsigned char first = (unsigned char)bytes[at];
    for (uint32_t i = known->first[first]; i < known->first[first + 1u]; i++) {
        const struct pm_known_word *word = &known->words.items[i];
        size_t end = at + word->length;
        if (word->length > length - at || memcmp(bytes + at, word->text, word->length) != 0) continue;
        bool inside =
            (at && is_word_byte(bytes[at - 1]) && is_word_byte(word->text[0])) ||
            (end < length && is_word_byte(bytes[end]) && is_word_byte(word->text[word->length - 1]));
        if (!word->whole || !inside) return word;
    }
    return NULL;
}

bool pm_known_replace(struct pm_known *known, struct pm_strbuf *text) {
    struct pm_strbuf out = {0};
    size_t kept = 0;
    if (!known->words.count) return false;
    if (!known->sorted) sort(known);
    for (size_t at = 0; at < text->length;) {
        const struct pm_known_word *word = word_at(known, text->bytes, text->length, at);
        if (!word) {
            at++;
            continue;
        }
        pm_strbuf_append_bytes(&out, text->bytes + kept, at - kept);
        pm_strbuf_append(&out, word->instead);
        kept = at += word->length;
    }
    if (!kept) return false;
    pm_strbuf_append_bytes(&out, text->bytes + kept, text->length - kept);
    pm_strbuf_deinit(text);
    *text = out;
    return true;
}
