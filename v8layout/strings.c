#include "v8layout/objects.h"

#include "postmortem/base/checked.h"
#include "postmortem/base/limits.h"
#include "postmortem/base/vec.h"
#include "v8layout/object_access.h"

#include <string.h>

/* strings.c - one text out of the shapes V8 has for a string (src/objects/string.h):
 *
 *   seq        length u32@12, units from 16 on, one or two bytes each
 *   cons       first@16, second@24: the concatenation. Flattened later: first = the flat copy, second = ""
 *   sliced     parent@16 (flat), offset Smi@24
 *   thin       actual@16: the internalized copy
 *   external   resource@16, data@24: units outside of the heap. Uncached external strings (bit 4) have no
 *              data word; their text is only known to the C++ resource
 *
 * The instance type says which: bits 0-2 the shape, bit 3 one-byte. A string of 10^6 concatenations is a
 * chain of 10^6 cons nodes: the parts are visited with a stack of our own, lengths let it skip what is
 * outside of the asked range, and PM_MAX_STRING_DEPTH bounds the nodes. Checked on V8 9.0 to 14.6. */

struct range {
    pm_addr string;
    uint32_t from, count;
};

struct ranges {
    struct range *items;
    size_t count, capacity;
};

static unsigned shape_of(const struct v8_map *map) {
    return map->instance_type & V8_STRING_SHAPE_MASK;
}

static bool length_of(const struct v8 *v8, pm_addr string, uint32_t *ret) {
    return v8_field_u32(v8, string, v8->layout.string_length, ret) && *ret <= PM_MAX_STRING_UNITS;
}

bool v8_string_length(const struct v8 *v8, pm_addr string, uint32_t *ret) {
    uint32_t length;
    if (!v8_is_string(v8_map(v8, string)) || !length_of(v8, string, &length)) return false;
    *ret = length;
    return true;
}

/* The bytes of a flat string's units [from, from + count); NULL = not saved, not there, or no flat string. */
static const uint8_t *flat_units(const struct v8 *v8, pm_addr string, const struct v8_map *map, uint32_t from,
                                 uint32_t count, unsigned width) {
    uint64_t offset = (uint64_t)from * width, bytes = (uint64_t)count * width;
    if (shape_of(map) == V8_STRING_SEQ) {
        uint64_t start = v8->layout.seq_string_chars.offset + offset;
        if (!v8->layout.seq_string_chars.present || start + bytes > v8_size(v8, string)) return NULL;
        return pm_mem_view(v8->mem, string + start, bytes);
    }
    v8_word data;
    if ((map->instance_type & V8_STRING_UNCACHED) ||
        !v8_field_word(v8, string, v8->layout.external_data, &data) || !data)
        return NULL;
    return pm_mem_view(v8->mem, data + offset, bytes);
}

enum step { STEP_DOWN, STEP_FLAT, STEP_BROKEN };

/* Goes from a string to the one that has its units: one step down. Of a cons string whose both sides are
 * wanted the right one is kept for later. */
static enum step step_down(const struct v8 *v8, const struct v8_map *map, struct range *now,
                           struct ranges *pending) {
    const struct v8_layout *layout = &v8->layout;
    uint32_t length;
    v8_word word;
    switch (shape_of(map)) {
    case V8_STRING_SEQ:
    case V8_STRING_EXTERNAL: return STEP_FLAT;
    case V8_STRING_THIN: now->string = v8_ref(v8, now->string, layout->thin_actual); return STEP_DOWN;
    case V8_STRING_SLICED:
        if (!v8_field_word(v8, now->string, layout->sliced_offset, &word) || !v8_is_smi(word) ||
            v8_smi(word) < 0 || (uint64_t)now->from + (uint64_t)v8_smi(word) > PM_MAX_STRING_UNITS)
            return STEP_BROKEN;
        now->string = v8_ref(v8, now->string, layout->sliced_parent);
        now->from += (uint32_t)v8_smi(word);
        return STEP_DOWN;
    case V8_STRING_CONS: {
        pm_addr first = v8_ref(v8, now->string, layout->cons_first),
                second = v8_ref(v8, now->string, layout->cons_second);
        if (!v8_string_length(v8, first, &length)) return STEP_BROKEN;
        if (now->from >= length) {
            *now = (struct range){second, now->from - length, now->count};
            return STEP_DOWN;
        }
        uint32_t left = length - now->from;
        if (left < now->count) {
            if (!pm_vec_push(pending, ((struct range){second, 0, now->count - left}))) return STEP_BROKEN;
            now->count = left;
        }
        now->string = first;
        return STEP_DOWN;
    }
    default: return STEP_BROKEN;
    }
}

bool v8_string_units(const struct v8 *v8, pm_addr string, uint32_t from, uint32_t most, v8_visit_units *visit,
                     void *context) {
    uint32_t length, visited = 0;
    if (!v8_string_length(v8, string, &length)) return false;
    if (from > length) from = length;
    if (most > length - from) most = length - from;
    bool complete = true, more = most > 0;
    struct ranges pending = {0};
    struct range now = {string, from, most};
    while (more) {
        const struct v8_map *map = v8_map(v8, now.string);
        enum step step = STEP_BROKEN;
        if (++visited <= PM_MAX_STRING_DEPTH && v8_is_string(map) && length_of(v8, now.string, &length) &&
            now.from <= length && now.count <= length - now.from)
            step = step_down(v8, map, &now, &pending);
        if (step == STEP_DOWN) continue;
        unsigned width = map && (map->instance_type & V8_STRING_ONE_BYTE) ? 1 : 2;
        const uint8_t *units =
            step == STEP_FLAT ? flat_units(v8, now.string, map, now.from, now.count, width) : NULL;
        if (units)
            more = visit(context, units, width, now.count);
        else
            complete = false;
        if (pending.count == 0) break;
        now = pending.items[--pending.count];
    }
    pm_vec_deinit(&pending);
    return complete;
}

/* ---- UTF-8 ---- */

struct utf8 {
    struct pm_strbuf *out;
    uint32_t high; /* a leading surrogate that waits for its partner, perhaps in the next part */
};

static bool append_units(void *context, const uint8_t *units, unsigned width, uint32_t count) {
    struct utf8 *utf8 = context;
    uint32_t plain = 0; /* ASCII seen since the last append */
    for (uint32_t i = 0; i < count; i++) {
        uint32_t unit = width == 1 ? units[i] : pm_load_u16(units + 2 * (size_t)i);
        if (width == 1 && unit < 0x80 && !utf8->high) {
            plain++;
            continue;
        }
        if (plain) pm_strbuf_append_bytes(utf8->out, units + i - plain, plain);
        plain = 0;
        if (utf8->high && unit >= 0xdc00 && unit < 0xe000) {
            pm_strbuf_append_utf8(utf8->out, 0x10000 + ((utf8->high - 0xd800) << 10) + (unit - 0xdc00));
            utf8->high = 0;
            continue;
        }
        if (utf8->high) pm_strbuf_append_utf8(utf8->out, 0xfffd);
        utf8->high = unit >= 0xd800 && unit < 0xdc00 ? unit : 0;
        if (!utf8->high) pm_strbuf_append_utf8(utf8->out, unit);
    }
    if (plain) pm_strbuf_append_bytes(utf8->out, units + count - plain, plain);
    return !utf8->out->failed;
}

bool v8_string_text(const struct v8 *v8, pm_addr string, uint32_t from, uint32_t most,
                    struct pm_strbuf *out) {
    struct utf8 utf8 = {.out = out};
    bool complete = v8_string_units(v8, string, from, most, append_units, &utf8);
    if (utf8.high) pm_strbuf_append_utf8(out, 0xfffd);
    return complete && !out->failed;
}

const char *v8_name_text(const struct v8 *v8, pm_addr name, struct pm_arena *arena) {
    const struct v8_map *map = v8_map(v8, name);
    PM_AUTO_STRBUF struct pm_strbuf text = {0};
    if (map && map->type == V8_T_SYMBOL) {
        name = v8_ref(v8, name, v8->layout.symbol_description);
        map = v8_map(v8, name);
        if (!v8_is_string(map)) return ""; /* Symbol() */
    }
    if (!v8_is_string(map) || !v8_string_text(v8, name, 0, PM_MAX_NAME, &text)) return NULL;
    for (size_t i = 0; i < text.length; i++)
        if (text.bytes[i] == 0)
            text.bytes[i] = ' '; /* as in V8's heap snapshot: the result ends at the first NUL */
    return text.length ? pm_arena_copy(arena, text.bytes, text.length) : "";
}

/* ---- comparing ---- */

struct comparison {
    const char *rest;
    bool equal;
};

static bool compare_units(void *context, const uint8_t *units, unsigned width, uint32_t count) {
    struct comparison *comparison = context;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t unit = width == 1 ? units[i] : pm_load_u16(units + 2 * (size_t)i);
        if (unit != (unsigned char)*comparison->rest++) return comparison->equal = false;
    }
    return true;
}

bool v8_string_equals(const struct v8 *v8, pm_addr string, const char *ascii) {
    uint32_t length;
    size_t wanted = strlen(ascii);
    struct comparison comparison = {ascii, true};
    return v8_string_length(v8, string, &length) && length == wanted &&
           v8_string_units(v8, string, 0, length, compare_units, &comparison) && comparison.equal;
}

/* ---- oddballs ---- */

#define ODDBALL_KIND_HOLE 2 /* Oddball::kTheHole, V8 9.4 to 11.3 */

enum v8_oddball v8_oddball_of(const struct v8 *v8, v8_word word) {
    if (!v8_is_strong(word)) return V8_NOT_ODDBALL;
    pm_addr object = v8_untag(word);
    enum v8_type type = v8_type_at(v8, object);
    if (type == V8_T_HOLE) return V8_HOLE;
    if (type != V8_T_ODDBALL) return V8_NOT_ODDBALL;
    if (v8->layout.number_of[V8_T_HOLE] == 0 && v8_field_word(v8, object, v8->layout.oddball_kind, &word) &&
        v8_is_smi(word) && v8_smi(word) == ODDBALL_KIND_HOLE)
        return V8_HOLE;
    pm_addr text = v8_ref(v8, object, v8->layout.oddball_to_string);
    if (v8_string_equals(v8, text, "undefined")) return V8_UNDEFINED;
    if (v8_string_equals(v8, text, "null")) return V8_NULL;
    if (v8_string_equals(v8, text, "true")) return V8_TRUE;
    if (v8_string_equals(v8, text, "false")) return V8_FALSE;
    return V8_OTHER_ODDBALL;
}
