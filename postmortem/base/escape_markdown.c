/* Markdown for trackers. They render in two steps: Markdown to HTML, where a backslash helps; then they look
 * through the text of that HTML for mentions (@user), references (#12, !7, GH-3, user/repo@commit), commits,
 * :emoji:, addresses and links, where neither backslashes nor entities help any more. Both leave code alone.
 * So words that may be such are written as code spans. A span never holds a backtick, a pipe (tables) or <
 * (trackers that know no Markdown): these stand between spans, escaped. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "postmortem/base/escape.h"

/* Quoted in backticks: names of functions and variables, not paragraphs. */
#define QUOTED_MOST 300

static bool is_word(unsigned char c) {
    return isalnum(c) || c >= 0x80;
}

/* A sign and what follows it: @user, #12, !7, ~label, %2, $3, &4, ^5. */
static bool has_sign(const char *word, size_t length) {
    for (size_t i = 0; i + 1 < length; i++)
        if (strchr("@#!~%$&^", word[i]) && word[i] &&
            (is_word((unsigned char)word[i + 1]) || strchr("_-\"'{[(", word[i + 1])))
            return true;
    return false;
}

static bool contains(const char *word, size_t length, const char *part) {
    size_t size = strlen(part);
    for (size_t i = 0; i + size <= length; i++)
        if (!strncasecmp(word + i, part, size)) return true;
    return false;
}

/* Hexadecimal with digits and letters: a commit for some tracker. */
static bool is_commit(const char *word, size_t length) {
    bool digit = false, letter = false;
    for (size_t i = 0; i < length; i++) {
        if (!isxdigit((unsigned char)word[i])) return false;
        digit |= isdigit((unsigned char)word[i]) != 0;
        letter |= isalpha((unsigned char)word[i]) != 0;
    }
    return length >= 7 && digit && letter;
}

static bool is_reference(const char *word, size_t length) {
    size_t colons = 0, slashes = 0, dots = 0;
    for (size_t i = 0; i < length; i++) {
        colons += word[i] == ':';
        slashes += word[i] == '/';
        dots += word[i] == '.' && i + 1 < length && is_word((unsigned char)word[i + 1]);
    }
    return has_sign(word, length) || contains(word, length, "://") || contains(word, length, "www.") ||
           contains(word, length, "gh-") || contains(word, length, "mailto:") ||
           contains(word, length, "xmpp:") || colons > 1 || (slashes && dots) || is_commit(word, length);
}

/* `first`: the text begins a line, where "- ", "1. ", "# " and "---" mean something. */
static void put_plain(struct pm_strbuf *out, const char *text, size_t length, bool first) {
    size_t digits = 0;
    while (digits < length && isdigit((unsigned char)text[digits])) digits++;
    for (size_t i = 0; i < length;) {
        size_t start = i;
        uint32_t c = pm_utf8_next(text, length, &i);
        bool mark = start == 0 ? c < 0x80 && c && strchr("#+-=", (int)c)
                               : start == digits && (c == '.' || c == ')') && (i == length || text[i] == ' ');
        if (c == '<')
            pm_strbuf_append(out, "&lt;");
        else if (c == '>' && first &&
                 start == 0) /* a quotation; elsewhere it ends nothing that < could begin */
            pm_strbuf_append(out, "&gt;");
        else if (c == '&')
            pm_strbuf_append(out, "&amp;");
        else if (c == '@')
            pm_strbuf_append(out, "&#64;");
        else if ((c < 0x80 && c && strchr("\\`*_[]|~", (int)c)) || (first && mark)) {
            pm_strbuf_append_char(out, '\\');
            pm_strbuf_append_char(out, (char)c);
        } else {
            pm_escape_terminal(out, text + start, i - start);
        }
    }
}

/* A code span; two of them never touch. */
static void put_code(struct pm_strbuf *out, const char *text, size_t length) {
    size_t blanks = 0;
    while (blanks < length && text[blanks] == ' ') blanks++;
    if (blanks == length) {
        pm_strbuf_append_bytes(out, text, length);
        return;
    }
    if (out->length && out->bytes[out->length - 1] == '`') pm_strbuf_append_char(out, ' ');
    pm_strbuf_append_char(out, '`');
    pm_escape_terminal(out, text, length);
    pm_strbuf_append_char(out, '`');
}

/* As code, but for the characters that no span may hold. */
static void put_spans(struct pm_strbuf *out, const char *text, size_t length) {
    for (size_t i = 0; i < length;) {
        size_t end = i;
        while (end < length && !strchr("<|`", text[end])) end++;
        if (end > i) put_code(out, text + i, end - i);
        i = end;
        while (end < length && strchr("<|`", text[end])) end++;
        put_plain(out, text + i, end - i, false);
        i = end;
    }
}

/* A word without the brackets, quotes and full stops around it. */
static void put_word(struct pm_strbuf *out, const char *word, size_t length, bool first) {
    size_t from = 0, to = length;
    while (from < to && strchr("([{\"',;", word[from])) from++;
    while (to > from && strchr(")]}\"'.,;:", word[to - 1])) to--;
    if (!is_reference(word + from, to - from)) {
        put_plain(out, word, length, first);
        return;
    }
    put_plain(out, word, from, first);
    put_spans(out, word + from, to - from);
    put_plain(out, word + to, length - to, false);
}

void pm_escape_markdown(struct pm_strbuf *out, const char *text, size_t length) {
    size_t begin = 0;
    while (begin < length && text[begin] == ' ') begin++; /* four would make the line code */
    for (size_t i = begin; i < length;) {
        const char *close = text[i] == '`' ? memchr(text + i + 1, '`', length - i - 1) : NULL;
        size_t quoted = close ? (size_t)(close - text) - i - 1 : 0;
        if (quoted && quoted <= QUOTED_MOST) {
            put_spans(out, text + i + 1, quoted);
            i += quoted + 2;
            continue;
        }
        size_t end = i;
        while (end < length && text[end] != ' ' && (text[end] != '`' || end == i)) end++;
        put_word(out, text + i, end - i, i == begin);
        if (end < length && text[end] == ' ') pm_strbuf_append_char(out, text[end++]);
        i = end;
    }
}
