#include "postmortem/redact_strict.h"

#include <stdlib.h>
#include <string.h>

#include "postmortem/redact_patterns.h"

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
    return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || c == '$';
}

bool pm_strict_is_code(const char *name, size_t length) {
    enum { LONGEST = 48, MOST_DIGITS = 3 };
    size_t at = length && name[0] == '#' ? 1 : 0, digits = 0;
    if (at == length || length > LONGEST || is_digit(name[at])) return false;
    for (; at < length; at++) {
        if (!is_letter(name[at]) && !is_digit(name[at])) return false;
        digits += is_digit(name[at]);
    }
    return digits <= MOST_DIGITS;
}

/* ---- quotes ---- */

/* Where a quoted text begins: a quote that is not an apostrophe inside or at the end of a word. NULL =
 * nowhere. */
static const char *opening_quote(const char *text, const char *from) {
    for (const char *p = from; (p = strpbrk(p, "'\"")); p++)
        if (p == text || !(is_letter(p[-1]) || is_digit(p[-1]) || (p[-1] & 0x80))) return p;
    return NULL;
}

/* Quoted parts go, whatever is in them; so does what follows an open quote. The content may hold quotes of
 * its own: only the last one of its kind surely ends it. */
static void without_quoted(const char *text, struct pm_strbuf *out) {
    const char *p = text, *quote;
    while ((quote = opening_quote(text, p))) {
        pm_strbuf_append_bytes(out, p, (size_t)(quote - p));
        pm_strbuf_append(out, PM_HIDDEN_STRING);
        const char *last = strrchr(quote, *quote);
        p = last + 1;
        if (last == quote) p += strlen(p);
    }
    pm_strbuf_append(out, p);
}

/* ---- labels ---- */

static bool begins(const char *text, size_t length, const char *with) {
    size_t its = strlen(with);
    return length >= its && !memcmp(text, with, its);
}

/* A short value: number, keyword, class with a count, "(string hidden)", <hole>. Not a regular expression,
 * not a text. */
static bool is_plain_value(const char *text, size_t length) {
    if (length && text[length - 1] == 'n' && length > 1 && is_digit(text[length - 2]))
        length--; /* a BigInt */
    if (begins(text, length, "Symbol(")) return false;
    for (size_t i = 0; i < length; i++)
        if (!is_letter(text[i]) && !is_digit(text[i]) && !strchr(" .+-()<>?", text[i]) && !(text[i] & 0x80))
            return false;
    return true;
}

/* "id", "[#secret]", "[kHandle]": a property, a private name, a symbol. */
static bool is_property(const char *text, size_t length) {
    bool bracketed = length > 2 && text[0] == '[' && text[length - 1] == ']';
    return bracketed ? pm_strict_is_code(text + 1, length - 2) : pm_strict_is_code(text, length);
}

/* One entry between braces: "id: 17", ""a" => 1", "3". */
static void put_entry(const char *text, size_t length, struct pm_strbuf *out) {
    const char *colon = memmem(text, length, ": ", 2), *arrow = memmem(text, length, " => ", 4);
    const char *value = arrow ? arrow + 4 : colon ? colon + 2 : text;
    size_t rest = (size_t)(text + length - value);
    bool named = value == text || (arrow ? is_plain_value(text, (size_t)(arrow - text))
                                         : is_property(text, (size_t)(colon - text)));
    if (named)
        pm_strbuf_append_bytes(out, text, (size_t)(value - text));
    else
        pm_strbuf_append(out, arrow ? PM_HIDDEN_NAME " => " : PM_HIDDEN_NAME ": ");
    if (is_plain_value(value, rest))
        pm_strbuf_append_bytes(out, value, rest);
    else
        pm_strbuf_append(out, PM_HIDDEN_STRING);
}

static void put_entries(const char *text, size_t length, struct pm_strbuf *out) {
    for (size_t at = 0; at <= length;) {
        const char *comma = memmem(text + at, length - at, ", ", 2);
        size_t end = comma ? (size_t)(comma - text) : length;
        if (at) pm_strbuf_append(out, ", ");
        if (end > at) put_entry(text + at, end - at, out);
        if (!comma) return;
        at = end + 2;
    }
}

/* Where " @0x7f00" or " @4711" begins, or the end. */
static size_t number_of_object(const char *text, size_t length) {
    for (size_t at = length; at > 1; at--) {
        const char *p = text + at - 2;
        if (p[0] != ' ' || p[1] != '@') continue;
        size_t digits = strspn(p + 2, "0123456789abcdefx");
        if (digits && p[2 + digits] == 0) return at - 2;
    }
    return length;
}

/* "UserSession", "Map(2)", "function f (a.js:1)"; of "RangeError: no such user" the first word; of a regular
 * expression nothing. */
static void put_head(const char *text, size_t length, struct pm_strbuf *out) {
    const char *colon = memmem(text, length, ": ", 2);
    if (!length) return;
    if (colon) {
        if (pm_strict_is_code(text, (size_t)(colon - text)))
            pm_strbuf_append_bytes(out, text, (size_t)(colon - text + 2));
        pm_strbuf_append(out, PM_HIDDEN_STRING);
    } else if (text[0] == '/') {
        pm_strbuf_append(out, "/…/");
    } else if (begins(text, length, "Symbol(")) {
        pm_strbuf_append(out, "Symbol");
    } else {
        pm_strbuf_append_bytes(out, text, length);
    }
}

void pm_strict_label(const char *text, struct pm_strbuf *out) {
    PM_AUTO_STRBUF struct pm_strbuf clean = {0};
    if (*text == '"' || *text == '\'') { /* may have been cut before its closing quote */
        pm_strbuf_append(out, PM_HIDDEN_STRING);
        return;
    }
    size_t whole = strlen(text), end = number_of_object(text, whole);
    const char *open = text[0] == '/' ? NULL : memchr(text, '{', end),
               *bracket = text[0] == '/' ? NULL : memchr(text, '[', end);
    if (bracket && (!open || bracket < open)) open = bracket;
    put_head(text, open ? (size_t)(open - text) : end, out);
    if (open) {
        const char *inside = open + 1;
        size_t length = end - (size_t)(inside - text);
        bool closed = length && (inside[length - 1] == '}' || inside[length - 1] == ']');
        char *copy = strndup(inside, length - closed);
        if (copy) without_quoted(copy, &clean);
        free(copy);
        pm_strbuf_append_bytes(out, open, 1);
        put_entries(pm_strbuf_text(&clean), clean.length, out);
        if (closed) pm_strbuf_append_bytes(out, inside + length - 1, 1);
    }
    pm_strbuf_append_bytes(out, text + end, whole - end);
}

/* ---- sentences ---- */

bool pm_strict_is_name(const char *text, size_t length) {
    size_t digits = 0;
    for (size_t i = 0; i < length; i++) {
        digits = is_digit(text[i]) ? digits + 1 : 0;
        if (digits > 3 || !(is_letter(text[i]) || is_digit(text[i]) || strchr(" .#[]()<>*'-,", text[i]) ||
                            (text[i] & 0x80)))
            return false;
    }
    return true;
}

/* Names stand in `these`; a command line or an option of ours does too. */
static void without_strange_names(const char *text, struct pm_strbuf *out) {
    for (const char *p = text;;) {
        const char *tick = strchr(p, '`'), *end = tick ? strchr(tick + 1, '`') : NULL;
        if (!end) {
            pm_strbuf_append(out, p);
            return;
        }
        size_t length = (size_t)(end - tick) - 1;
        pm_strbuf_append_bytes(out, p, (size_t)(tick - p) + 1);
        bool ours = pm_strict_is_name(tick + 1, length) || begins(tick + 1, length, "--") ||
                    begins(tick + 1, length, "postmortem ");
        if (ours)
            pm_strbuf_append_bytes(out, tick + 1, length);
        else
            pm_strbuf_append(out, PM_HIDDEN_NAME);
        pm_strbuf_append(out, "`");
        p = end + 1;
    }
}

/* "cache (variable, /app/cache.js:4) -> alice@example.com -> Map": a step is a name, with where it is in
 * parentheses. */
static void put_step(const char *text, size_t length, struct pm_strbuf *out) {
    const char *where = memmem(text, length, " (", 2), *colon = memmem(text, length, ": ", 2);
    size_t start = colon && (!where || colon < where) ? (size_t)(colon - text) + 2 : 0; /* "way: cache" */
    size_t end = where ? (size_t)(where - text) : length;
    bool name = end < start || pm_strict_is_name(text + start, end - start);
    pm_strbuf_append_bytes(out, text, start);
    if (name)
        pm_strbuf_append_bytes(out, text + start, length - start);
    else
        pm_strbuf_append(out, PM_HIDDEN_NAME);
}

static void put_steps(const char *text, struct pm_strbuf *out) {
    const char *arrow;
    for (const char *p = text;; p = arrow + 4) {
        arrow = strstr(p, " -> ");
        put_step(p, arrow ? (size_t)(arrow - p) : strlen(p), out);
        if (!arrow) return;
        pm_strbuf_append(out, " -> ");
    }
}

/* "holds: UserSession {id: 1} @0x5ba0, 352 B": the label of an object behind words of ours. */
static bool put_labelled(const char *text, struct pm_strbuf *out) {
    const char *colon = strstr(text, ": "), *at = strstr(text, " @");
    size_t words = colon ? strspn(text, "abcdefghijklmnopqrstuvwxyz ") : 0;
    if (!colon || !at || at < colon || words != (size_t)(colon - text)) return false;
    for (const char *next; (next = strstr(at + 1, " @"));) at = next;
    const char *end = at + 2 + strspn(at + 2, "0123456789abcdefx");
    if (end == at + 2 || (*end && *end != ',' && *end != ' ')) return false;
    char *label = strndup(colon + 2, (size_t)(end - colon - 2));
    pm_strbuf_append_bytes(out, text, words + 2);
    if (label) pm_strict_label(label, out);
    pm_strbuf_append(out, label ? end : "");
    free(label);
    return true;
}

void pm_strict_sentence(const char *text, struct pm_strbuf *out) {
    PM_AUTO_STRBUF struct pm_strbuf clean = {0}, named = {0};
    if (put_labelled(text, out)) return;
    without_quoted(text, &clean);
    without_strange_names(pm_strbuf_text(&clean), &named);
    if (strstr(pm_strbuf_text(&named), " -> "))
        put_steps(pm_strbuf_text(&named), out);
    else
        pm_strbuf_append_bytes(out, pm_strbuf_text(&named), named.length);
}
