#include "parsers/prof_names.h"

#include <string.h>

#include "parsers/profile_reader.h"
#include "postmortem/base/limits.h"
#include "postmortem/base/strbuf.h"

#define NAME_BYTES (4 * PM_MAX_PATH) /* of one name in the log; more is cut */

enum pm_prof_type pm_prof_type(const char *text, size_t length) {
    static const struct {
        const char *name;
        enum pm_prof_type type;
    } types[] = {
        {"Builtin", PM_PROF_BUILTIN},  {"BytecodeHandler", PM_PROF_HANDLER}, {"RegExp", PM_PROF_REGEXP},
        {"Stub", PM_PROF_BUILTIN},     {"Handler", PM_PROF_BUILTIN},         {"Callback", PM_PROF_BUILTIN},
        {"CodeStub", PM_PROF_BUILTIN}, {"StoreIC", PM_PROF_BUILTIN},         {"LoadIC", PM_PROF_BUILTIN}};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (strlen(types[i].name) == length && !memcmp(types[i].name, text, length)) return types[i].type;
    return PM_PROF_JAVASCRIPT;
}

/* ---- escapes ---- */

static int digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* `count` hexadecimal digits; -1 = they are none. */
static long hex(const char *text, const char *end, int count) {
    long value = 0;
    if (end - text < count) return -1;
    for (int i = 0; i < count; i++) {
        int one = digit(text[i]);
        if (one < 0) return -1;
        value = value << 4 | one;
    }
    return value;
}

/* A NUL would cut the name where others go on. */
static void append_unit(struct pm_strbuf *out, uint32_t unit) {
    pm_strbuf_append_utf8(out, unit ? unit : ' ');
}

static void unescape(const char *text, size_t length, struct pm_strbuf *out) {
    const char *end = text + length;
    uint32_t lead = 0;
    while (text < end) {
        long unit = -1;
        size_t taken = 1;
        if (*text == '\\' && end - text > 1) {
            if (text[1] == 'x' && (unit = hex(text + 2, end, 2)) >= 0) taken = 4;
            if (text[1] == 'u' && (unit = hex(text + 2, end, 4)) >= 0) taken = 6;
            if (text[1] == 'n') unit = ' ', taken = 2;
            if (text[1] == '\\') unit = '\\', taken = 2;
        }
        if (lead && unit >= 0xdc00 && unit <= 0xdfff) {
            append_unit(out, 0x10000 + ((lead - 0xd800) << 10) + ((uint32_t)unit - 0xdc00));
            lead = 0;
        } else {
            if (lead) append_unit(out, lead);
            lead = unit >= 0xd800 && unit <= 0xdbff ? (uint32_t)unit : 0;
            if (unit >= 0 && !lead) append_unit(out, (uint32_t)unit);
            if (unit < 0) pm_strbuf_append_char(out, *text ? *text : ' ');
        }
        text += taken;
    }
    if (lead) append_unit(out, lead);
}

/* ---- names of JavaScript ---- */

/* The number behind the last colon, which is cut off; 0 = there is none. */
static uint32_t cut_number(char *text, size_t *length) {
    size_t at = *length;
    uint64_t value = 0, unit = 1;
    while (at && text[at - 1] >= '0' && text[at - 1] <= '9' && unit <= 1000000000) {
        value += (uint64_t)(text[--at] - '0') * unit;
        unit *= 10;
    }
    if (at == *length || !at || text[at - 1] != ':' || value >= UINT32_MAX) return 0;
    *length = at - 1;
    text[at - 1] = 0;
    return (uint32_t)value;
}

/* Where the script's name begins: names of functions and of scripts may hold blanks, so a blank before
 * something that can only be a script comes first, else the last blank. */
static char *script_of(char *text) {
    static const char *const beginnings[] = {
        "/", "file:", "node:", "http:", "https:", "wasm:", "evalmachine."};
    for (char *at = text; (at = strchr(at, ' ')); at++) {
        const char *next = at + 1;
        for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++)
            if (!strncmp(next, beginnings[i], strlen(beginnings[i]))) return at;
        bool drive = ((*next | 32) >= 'a' && (*next | 32) <= 'z') && next[1] == ':' && next[2] == '\\';
        if (drive) return at;
    }
    return strrchr(text, ' ');
}

static bool javascript(struct pm_arena *arena, char *text, size_t length, struct pm_profile_function *ret) {
    ret->position.column = cut_number(text, &length);
    ret->position.line = cut_number(text, &length);
    char *blank = ret->position.line ? script_of(text) : NULL;
    if (blank) *blank = 0;
    if (blank && blank[1]) {
        pm_path_of_url(blank + 1);
        if (!(ret->position.file = pm_arena_strdup(arena, blank + 1))) return false;
    } else {
        ret->position.line = ret->position.column = 0;
    }
    ret->kind = PM_CALL_CODE;
    ret->name = *text ? pm_arena_strdup(arena, text) : "(anonymous)";
    return ret->name;
}

/* ---- the others ---- */

static const char *last_part(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

bool pm_prof_function(struct pm_arena *arena, enum pm_prof_type type, const char *text, size_t length,
                      struct pm_profile_function *ret) {
    struct pm_strbuf buf PM_AUTO_STRBUF = {0};
    unescape(text, length < NAME_BYTES ? length : NAME_BYTES, &buf);
    if (buf.failed) return false;
    *ret = (struct pm_profile_function){.kind = PM_CALL_NATIVE};
    switch (type) {
    case PM_PROF_JAVASCRIPT:
        if (buf.bytes) return javascript(arena, buf.bytes, buf.length, ret);
        ret->name = "(anonymous)";
        break;
    case PM_PROF_REGEXP: ret->name = pm_arena_printf(arena, "RegExp: %s", pm_strbuf_text(&buf)); break;
    case PM_PROF_LIBRARY:
        ret->name = pm_arena_printf(arena, "(native code of %s)", last_part(pm_strbuf_text(&buf)));
        break;
    case PM_PROF_BUILTIN:
    case PM_PROF_HANDLER: ret->name = pm_arena_strdup(arena, pm_strbuf_text(&buf)); break;
    }
    return ret->name;
}
