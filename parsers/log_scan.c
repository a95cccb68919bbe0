#include "parsers/log_scan.h"

#include <stdlib.h>
#include <string.h>

/* Each with the two bytes of it that are rarest in logs: the scan stops there, then compares the word. */
static const struct word {
    const char *text;
    uint8_t rare; /* where those two bytes are */
} words[] = {
    {" ms: ", 2},
    {"FATAL ERROR: ", 0},
    {"# Fatal ", 1},
    {"<--- ", 0},
    {"Node.js v", 0},
    {"Native stack trace", 0},
    {"xit code", 0},
    {"xited with", 0},
    {"core dumped)", 10},
    {"Killed", 0},
    {"Aborted", 0},
    {"OUT_OF_MEMORY", 3},
    {"heap out of m", 2},
    {"terminate called", 3},
    {"bad_alloc", 2},
    {"Assertion", 0},
    {"-old-space-size", 0},
    {"_old_space_size", 0},
    {"Memory allocator,", 15},
    {"External memory r", 0},
    {"Segmentation f", 0},
    {"Bus error", 0},
    {"Illegal instr", 0},
};
#define WORDS (sizeof(words) / sizeof(words[0]))

static unsigned pair(const uint8_t *at) {
    return (unsigned)(at[0] << 8 | at[1]);
}

void pm_log_scan_init(struct pm_log_scan *scan, const uint8_t *bytes, uint64_t size) {
    *scan = (struct pm_log_scan){.bytes = bytes, .size = size};
    for (size_t i = 0; i < WORDS; i++) {
        unsigned bit = pair((const uint8_t *)words[i].text + words[i].rare);
        scan->triggers[bit / 64] |= 1ull << bit % 64;
    }
    /* The mark under an error in the source: "^" and whatever comes then. */
    for (unsigned other = 0; other < 256; other++) {
        unsigned bit = (unsigned)('^' << 8) | other;
        scan->triggers[bit / 64] |= 1ull << bit % 64;
    }
}

/* Does a known word really stand here? Returns its start. */
static bool word_at(const struct pm_log_scan *scan, uint64_t at, uint64_t *start_ret) {
    for (size_t i = 0; i < WORDS; i++) {
        const struct word *word = &words[i];
        size_t length = strlen(word->text);
        if (at < word->rare || scan->size - (at - word->rare) < length) continue;
        *start_ret = at - word->rare;
        if (memcmp(scan->bytes + *start_ret, word->text, length) == 0) return true;
    }
    *start_ret = at;
    /* A mark alone on its line: blanks or the logger's own text before it, the line's end behind it. */
    if (scan->bytes[at] != '^') return false;
    uint8_t after = at + 1 < scan->size ? scan->bytes[at + 1] : '\n';
    return after == '\n' || after == '\r' || after == '\\' || after == '\x1b' || after == '^' || after == '"';
}

uint64_t pm_log_next(const struct pm_log_scan *scan, uint64_t from, uint64_t until) {
    uint64_t last = until < scan->size ? until : scan->size, start;
    for (uint64_t i = from; i + 1 < last; i++) {
        unsigned bit = pair(scan->bytes + i);
        if (!(scan->triggers[bit / 64] >> bit % 64 & 1)) continue;
        if (word_at(scan, i, &start) && start >= from) return start;
    }
    /* The last byte of the file has no pair. */
    if (last == scan->size && last > from && scan->bytes[last - 1] == '^') return last - 1;
    return scan->size;
}

uint64_t pm_log_line_start(const struct pm_log_scan *scan, uint64_t at, uint64_t from) {
    uint64_t least = at - from > PM_LOG_LINE / 2 ? at - PM_LOG_LINE / 2 : from;
    const uint8_t *newline = at > least ? memrchr(scan->bytes + least, '\n', at - least) : NULL;
    return newline ? (uint64_t)(newline - scan->bytes) + 1 : least;
}

uint64_t pm_log_line_end(const struct pm_log_scan *scan, uint64_t start) {
    uint64_t most = scan->size - start < PM_LOG_LINE ? scan->size - start : PM_LOG_LINE;
    const uint8_t *newline = most ? memchr(scan->bytes + start, '\n', most) : NULL;
    return newline ? (uint64_t)(newline - scan->bytes) : start + most;
}

/* ------------------------------------------------------------------ what loggers add */

struct text {
    const char *at, *end;
};

static bool starts(const struct text *text, const char *word) {
    size_t length = strlen(word);
    return (size_t)(text->end - text->at) >= length && memcmp(text->at, word, length) == 0;
}

static bool digits(const char *at, const char *end, size_t count) {
    if ((size_t)(end - at) < count) return false;
    for (size_t i = 0; i < count; i++)
        if (at[i] < '0' || at[i] > '9') return false;
    return true;
}

/* 2024-05-01T12:00:00.123456789Z, 2024-05-01 12:00:00,123 +02:00, with or without brackets; then one blank.
 */
static bool take_timestamp(struct text *text) {
    const char *p = text->at, *end = text->end;
    bool bracket = p < end && *p == '[';
    p += bracket;
    if (end - p < 19 || !digits(p, end, 4) || p[4] != '-' || !digits(p + 5, end, 2) || p[7] != '-' ||
        !digits(p + 8, end, 2) || (p[10] != 'T' && p[10] != ' ') || !digits(p + 11, end, 2) || p[13] != ':')
        return false;
    p += 16;
    while (p < end && ((*p >= '0' && *p <= '9') || *p == ':' || *p == '.' || *p == ',')) p++;
    if (p < end && *p == 'Z')
        p++;
    else if (end - p >= 5 && (*p == '+' || *p == '-') && digits(p + 1, end, 2))
        p += p[3] == ':' ? 6 : 5;
    if (p > end) return false;
    if (bracket && p < end && *p == ']') p++;
    if (p < end && (*p == ' ' || *p == '\t')) p++;
    text->at = p;
    return true;
}

/* "stdout F text" of containerd, behind the timestamp; P marks a part of a long line. */
static bool take_cri(struct text *text) {
    if (!starts(text, "stdout ") && !starts(text, "stderr ")) return false;
    const char *p = text->at + 7;
    if (text->end - p < 2 || (p[0] != 'F' && p[0] != 'P') || p[1] != ' ') return false;
    text->at = p + 2;
    return true;
}

/* "web-1  | text" of docker compose, pm2 and foreman. */
static bool take_service(struct text *text) {
    const char *p = text->at;
    while (p < text->end && p - text->at < 80 &&
           ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || *p == '-' ||
            *p == '_' || *p == '.' || *p == '/'))
        p++;
    if (p == text->at) return false;
    const char *name = p;
    while (p < text->end && *p == ' ') p++;
    if (p == text->end || *p != '|' || (p == name && p[-1] != ' ')) return false;
    p++;
    if (p < text->end && *p == ' ') p++;
    text->at = p;
    return true;
}

/* "[pod/name/container] text" of kubectl logs --prefix. */
static bool take_pod(struct text *text) {
    if (!starts(text, "[pod/")) return false;
    const char *close = memchr(text->at, ']', (size_t)(text->end - text->at));
    if (!close) return false;
    text->at = close + 1;
    if (text->at < text->end && *text->at == ' ') text->at++;
    return true;
}

/* "May  1 12:00:00 host node[4711]: text" of syslog and journalctl. */
static bool take_syslog(struct text *text) {
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const char *p = text->at;
    if (text->end - p < 20 || p[3] != ' ' || p[6] != ' ' || !digits(p + 7, text->end, 2) || p[9] != ':')
        return false;
    bool month = false;
    for (size_t i = 0; i < 12; i++) month |= memcmp(months + 3 * i, p, 3) == 0;
    const char *colon = memmem(p + 15, (size_t)(text->end - p - 15), "]: ", 3);
    if (!month || !colon) return false;
    text->at = colon + 3;
    return true;
}

static bool is_message_key(const char *key, size_t length) {
    static const char *const keys[] = {"log", "message", "msg", "textPayload", "line", "text"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (strlen(keys[i]) == length && memcmp(key, keys[i], length) == 0) return true;
    return false;
}

/* {"log":"text\n","stream":"stderr"}: the text. Other loggers call it message or msg. */
static bool take_json(const struct text *text, struct pm_strbuf *out) {
    if (text->end - text->at < 8 || *text->at != '{') return false;
    for (const char *p = text->at + 1; p < text->end;) {
        const char *open = memchr(p, '"', (size_t)(text->end - p));
        if (!open) return false;
        const char *key = open + 1, *close = memchr(key, '"', (size_t)(text->end - key));
        if (!close) return false;
        p = close + 1;
        while (p < text->end && *p == ' ') p++;
        if (p == text->end || *p != ':' || !is_message_key(key, (size_t)(close - key))) continue;
        p++;
        while (p < text->end && *p == ' ') p++;
        if (p == text->end || *p != '"') continue;
        struct text value = {p + 1, text->end};
        for (p = value.at; p < text->end && *p != '"'; p++) {
            if (*p != '\\' || p + 1 == text->end) {
                pm_strbuf_append_char(out, *p);
                continue;
            }
            p++;
            if (*p == 'n')
                pm_strbuf_append_char(out, '\n');
            else if (*p == 't')
                pm_strbuf_append_char(out, '\t');
            else if (*p == 'u' && text->end - p > 4) {
                char code[5] = {p[1], p[2], p[3], p[4], 0};
                pm_strbuf_append_utf8(out, (uint32_t)strtoul(code, NULL, 16));
                p += 4;
            } else if (*p != 'r')
                pm_strbuf_append_char(out, *p);
        }
        return true;
    }
    return false;
}

/* Colours and other escape sequences, and the CR at the end. */
static void clean(struct pm_strbuf *out) {
    size_t kept = 0;
    for (size_t i = 0; i < out->length; i++) {
        char c = out->bytes[i];
        if (c == '\x1b' && i + 1 < out->length && out->bytes[i + 1] == '[') {
            for (i += 2; i < out->length && (out->bytes[i] < '@' || out->bytes[i] > '~'); i++) {
            }
            continue;
        }
        if (c) out->bytes[kept++] = c;
    }
    while (kept && (out->bytes[kept - 1] == '\r' || out->bytes[kept - 1] == '\n')) kept--;
    out->length = kept;
    if (out->bytes) out->bytes[kept] = 0;
}

const char *pm_log_line(const struct pm_log_scan *scan, uint64_t start, uint64_t end, struct pm_strbuf *out) {
    struct text text = {(const char *)scan->bytes + start, (const char *)scan->bytes + end};
    const char *wrapping = NULL;
    pm_strbuf_clear(out);
    if (start >= end) return NULL;
    if (take_pod(&text)) wrapping = "kubernetes";
    if (take_service(&text)) wrapping = "service names";
    if (take_syslog(&text)) wrapping = "syslog";
    if (take_timestamp(&text)) wrapping = take_cri(&text) ? "kubernetes" : "timestamps";
    if (take_json(&text, out))
        wrapping = "docker json";
    else
        pm_strbuf_append_bytes(out, text.at, (size_t)(text.end - text.at));
    clean(out);
    return wrapping;
}

bool pm_log_is_text(const uint8_t *bytes, uint64_t size) {
    uint64_t length = size < 65536 ? size : 65536, odd = 0;
    for (uint64_t i = 0; i < length; i++) {
        if (!bytes[i]) return false;
        odd += bytes[i] < ' ' && bytes[i] != '\n' && bytes[i] != '\r' && bytes[i] != '\t' &&
               bytes[i] != '\x1b' && bytes[i] != '\b' && bytes[i] != '\f';
    }
    return length && odd * 100 <= length;
}
