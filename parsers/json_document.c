#include "parsers/json_document.h"

#include <stdlib.h>
#include <string.h>

#include "parsers/json_stream.h"
#include "postmortem/base/cleanup.h"
#include "postmortem/base/limits.h"

/* cJSON copies a number to 64 bytes before it reads it. */
#define LONGEST_NUMBER 60

/* What may come next. */
enum expect {
    EXPECT_VALUE,       /* after a colon, or a comma in an array */
    EXPECT_FIRST_VALUE, /* after [ : or a ] */
    EXPECT_KEY,         /* after a comma in an object */
    EXPECT_FIRST_KEY,   /* after { : or a } */
    EXPECT_COLON,
    EXPECT_COMMA, /* or the closing bracket */
};

/* The pass over the bytes. `text` is a copy that is mended in place; text[0, good) can be closed. */
struct pass {
    char *text;
    size_t size, at, good;
    size_t good_depth, depth, values;
    uint64_t mended;
    bool in_object[PM_MAX_JSON_DEPTH];
    const char *damage;
};

static bool is_space(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* ---- strings ---- */

static bool hex_unit(const char *at, unsigned *ret) {
    unsigned value = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        unsigned digit = is_digit(c)            ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                                : 16;
        if (digit == 16) return false;
        value = value << 4 | digit;
    }
    *ret = value;
    return true;
}

/* The escape at text[at], a backslash; what cJSON would refuse is mended. Returns its length. */
static size_t take_escape(struct pass *pass, size_t at, size_t end) {
    char *text = pass->text + at;
    unsigned unit, low;
    if (text[1] == 'u' && end - at >= 6 && hex_unit(text + 2, &unit)) {
        if (unit && (unit < 0xd800 || unit >= 0xe000)) return 6;
        bool pair = unit >= 0xd800 && unit < 0xdc00 && end - at >= 12 && text[6] == '\\' && text[7] == 'u' &&
                    hex_unit(text + 8, &low) && low >= 0xdc00 && low < 0xe000;
        if (pair) return 12;
        memcpy(text + 2, "fffd", 4);
        pass->mended++;
        return 6;
    }
    if (text[1] && strchr("\"\\/bfnrt", text[1])) return 2;
    text[0] = '?';
    pass->mended++;
    return 1;
}

static bool take_string(struct pass *pass) {
    const uint8_t *start = (const uint8_t *)pass->text + pass->at + 1;
    const uint8_t *end = pm_json_string_end(start, (const uint8_t *)pass->text + pass->size);
    if (!end) {
        pass->damage = "it ends inside a text";
        return false;
    }
    size_t stop = (size_t)((const char *)end - pass->text);
    for (size_t i = pass->at + 1; i < stop;) {
        char *found = memchr(pass->text + i, '\\', stop - i);
        if (!found) break;
        i = (size_t)(found - pass->text);
        i += take_escape(pass, i, stop);
    }
    pass->at = stop + 1;
    return true;
}

/* ---- numbers and words ---- */

/* Length of the JSON number at text; 0 = it is none. */
static size_t number_length(const char *text, size_t most) {
    size_t i = 0;
    if (i < most && text[i] == '-') i++;
    size_t digits = i;
    while (i < most && is_digit(text[i])) i++;
    if (i == digits) return 0;
    if (i < most && text[i] == '.') {
        size_t fraction = ++i;
        while (i < most && is_digit(text[i])) i++;
        if (i == fraction) return 0;
    }
    if (i < most && (text[i] == 'e' || text[i] == 'E')) {
        i++;
        if (i < most && (text[i] == '+' || text[i] == '-')) i++;
        size_t exponent = i;
        while (i < most && is_digit(text[i])) i++;
        if (i == exponent) return 0;
    }
    return i;
}

static bool is_word_byte(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '+' ||
           c == '.';
}

static bool take_word(struct pass *pass) {
    char *text = pass->text + pass->at;
    size_t length = 0;
    while (pass->at + length < pass->size && is_word_byte(text[length])) length++;
    if (pass->at + length == pass->size) { /* 12 of 1234 */
        pass->damage = "it ends inside a number or word";
        return false;
    }
    bool fine = (length == 4 && (!memcmp(text, "true", 4) || !memcmp(text, "null", 4))) ||
                (length == 5 && !memcmp(text, "false", 5)) ||
                (length && length <= LONGEST_NUMBER && number_length(text, length) == length);
    if (!fine && length < 3) {
        pass->damage = "it is no JSON from there on";
        return false;
    }
    if (!fine) {
        memset(text, ' ', length);
        memcpy(text, "\"?\"", 3);
        pass->mended++;
    }
    pass->at += length;
    return true;
}

/* ---- structure ---- */

static bool open_bracket(struct pass *pass, bool object) {
    if (pass->depth == PM_MAX_JSON_DEPTH) {
        pass->damage = "it is nested too deeply";
        return false;
    }
    pass->in_object[pass->depth++] = object;
    pass->at++;
    return true;
}

static void value_done(struct pass *pass) {
    pass->good = pass->at;
    pass->good_depth = pass->depth;
}

/* One token. false = the prefix ends here. */
static bool step(struct pass *pass, enum expect *expect) {
    char c = pass->text[pass->at];
    bool in_object = pass->depth && pass->in_object[pass->depth - 1];
    bool may_close =
        *expect == EXPECT_COMMA || *expect == (in_object ? EXPECT_FIRST_KEY : EXPECT_FIRST_VALUE);
    if (may_close && pass->depth && c == (in_object ? '}' : ']')) {
        pass->depth--;
        pass->at++;
        value_done(pass);
        *expect = EXPECT_COMMA;
        return true;
    }
    pass->damage = "it is no JSON from there on";
    switch (*expect) {
    case EXPECT_COMMA:
        if (c != ',' || !pass->depth) return false;
        pass->at++;
        *expect = in_object ? EXPECT_KEY : EXPECT_VALUE;
        break;
    case EXPECT_COLON:
        if (c != ':') return false;
        pass->at++;
        *expect = EXPECT_VALUE;
        break;
    case EXPECT_KEY:
    case EXPECT_FIRST_KEY:
        if (c != '"' || !take_string(pass)) return false;
        *expect = EXPECT_COLON;
        break;
    case EXPECT_VALUE:
    case EXPECT_FIRST_VALUE:
        if (++pass->values > PM_MAX_JSON_VALUES) {
            pass->damage = "it has too many values";
            return false;
        }
        if (c == '{' || c == '[') {
            if (!open_bracket(pass, c == '{')) return false;
            value_done(pass);
            *expect = c == '{' ? EXPECT_FIRST_KEY : EXPECT_FIRST_VALUE;
            break;
        }
        if (!(c == '"' ? take_string(pass) : take_word(pass))) return false;
        value_done(pass);
        *expect = EXPECT_COMMA;
        break;
    }
    pass->damage = NULL;
    return true;
}

static void find_prefix(struct pass *pass) {
    enum expect expect = EXPECT_VALUE;
    for (;;) {
        while (pass->at < pass->size && is_space(pass->text[pass->at])) pass->at++;
        bool done = pass->good && !pass->depth;
        if (pass->at == pass->size) {
            if (!done) pass->damage = "it is cut off";
            return;
        }
        if (done) { /* something follows the document */
            pass->damage = "something follows its end";
            return;
        }
        if (!step(pass, &expect)) return;
    }
}

struct pm_error *pm_json_document_init(struct pm_json_document *document, const uint8_t *bytes,
                                       uint64_t size) {
    struct pass *pass PM_AUTO_FREE = calloc(1, sizeof(*pass));
    size_t skip = size >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3) ? 3 : 0;
    uint64_t whole = size - skip;
    size_t length = (size_t)(whole > PM_MAX_JSON_BYTES ? PM_MAX_JSON_BYTES : whole);
    char *text PM_AUTO_FREE = malloc(length + PM_MAX_JSON_DEPTH + 1);
    if (!pass || !text) return pm_error_nomem();
    if (length) memcpy(text, bytes + skip, length);
    text[length] = 0;
    pass->text = text;
    pass->size = length;
    find_prefix(pass);
    if (whole > PM_MAX_JSON_BYTES && pass->damage) pass->damage = "it is too large";
    if (!pass->good || (text[strspn(text, " \t\r\n")] != '{' && text[strspn(text, " \t\r\n")] != '['))
        return pm_error_at(PM_ERR_FORMAT, pass->at, "no JSON document: %s",
                           pass->damage ? pass->damage : "it is a single value");
    size_t end = pass->good;
    for (size_t i = pass->good_depth; i-- > 0;) text[end++] = pass->in_object[i] ? '}' : ']';
    text[end] = 0;
    cJSON *root = cJSON_ParseWithLength(text, end + 1);
    if (!root) {
        /* The pass accepts only what cJSON accepts: it is out of memory. */
        return pm_error_nomem();
    }
    *document = (struct pm_json_document){
        .root = root,
        .damage = pass->damage,
        .rest_at = pass->damage ? pass->good + skip : size,
        .rest_bytes = pass->damage ? size - skip - pass->good : 0,
        .mended = pass->mended,
    };
    return NULL;
}

void pm_json_document_deinit(struct pm_json_document *document) {
    cJSON_Delete(document->root);
    document->root = NULL;
}

bool pm_json_document_coverage(const struct pm_json_document *document, const char *what,
                               struct pm_diagnosis *diagnosis) {
    struct pm_arena *arena = diagnosis->arena;
    if (document->damage)
        pm_diagnosis_skip(diagnosis, pm_arena_printf(arena, "end of %s", what), PM_UNKNOWN,
                          document->rest_bytes,
                          pm_arena_printf(arena, "from byte %llu: %s", (unsigned long long)document->rest_at,
                                          document->damage));
    if (document->mended)
        pm_diagnosis_skip(diagnosis, pm_arena_printf(arena, "values of %s", what), document->mended,
                          PM_UNKNOWN, "no JSON");
    return !document->damage;
}
