#include "v8layout/objects.h"

#include "postmortem/base/escape.h"
#include "v8layout/number_text.h"
#include "v8layout/object_access.h"

#include <ctype.h>
#include <string.h>

/* describe.c - one line about anything:
 *
 *   42   -0   "text…"   Symbol(x)   null   12345678901234567890n
 *   function handle (app.js:12)                class UserSession (session.js:3)
 *   UserSession {id: 17, name: "x", …} @0x…    Array(3) [1, 2, …] @0x…    Map(2) {"a" => 1, …} @0x…
 *   RangeError: no such user @0x…              Promise {<pending>} @0x…   Date 2023-11-14T22:13:20.000Z @0x…
 *   FixedArray(12) @0x…                        <hole>  <cleared>  <unreadable 0x…>
 *
 * Values inside of braces are short: objects only by their class. So the depth is two, whatever the data. */

enum {
    ADDRESS_ROOM = 18 /* " @0x7ffff0123456" and a closing brace */,
    MIN_ROOM = 8,
    SHORT_STRING = 24,
    VISITED_MOST = 200,
    MOST = 1 << 20
};

struct line {
    const struct v8 *v8;
    struct pm_arena *arena;
    struct pm_strbuf text;
    size_t most;    /* code points */
    size_t reserve; /* of them for what still follows the list */
    bool first, full, brief;
    unsigned visited; /* entries looked at for the list */
};

static size_t points(const char *text, size_t length) {
    size_t count = 0;
    for (size_t i = 0; i < length; i++) count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

static size_t used(const struct line *line) {
    return points(pm_strbuf_text(&line->text), line->text.length);
}

/* Cuts the text to `most` code points, the last of which is then an ellipsis. */
static void cut(struct pm_strbuf *text, size_t most) {
    if (points(pm_strbuf_text(text), text->length) <= most || most == 0) return;
    size_t at = 0, count = 0;
    while (at < text->length && (count < most - 1 || ((unsigned char)text->bytes[at] & 0xc0) == 0x80)) {
        at++;
        if (at == text->length || ((unsigned char)text->bytes[at] & 0xc0) != 0x80) count++;
    }
    text->length = at;
    text->bytes[at] = 0;
    pm_strbuf_append(text, "…");
}

/* Code points left for a text that something of `reserve` code points follows. */
static uint32_t room(const struct line *line, size_t reserve) {
    size_t taken = used(line) + reserve, least = MIN_ROOM;
    return (uint32_t)(line->most > taken + least ? line->most - taken : least);
}

static void describe(struct line *line, v8_word word);

/* ---- primitives ---- */

static void quoted(struct line *line, pm_addr string) {
    PM_AUTO_STRBUF struct pm_strbuf text = {0};
    uint32_t length = 0, units = line->brief ? SHORT_STRING : room(line, 2);
    v8_string_length(line->v8, string, &length);
    if (length > units) units--; /* for the ellipsis */
    bool readable = v8_string_text(line->v8, string, 0, units, &text);
    pm_strbuf_append_char(&line->text, '"');
    for (size_t at = 0; at < text.length;) {
        size_t start = at;
        uint32_t point = pm_utf8_next(text.bytes, text.length, &at);
        if (point == '\n')
            pm_strbuf_append(&line->text, "\\n");
        else if (point == '\r')
            pm_strbuf_append(&line->text, "\\r");
        else if (point == '\t')
            pm_strbuf_append(&line->text, "\\t");
        else if (point == '"' || point == '\\')
            pm_strbuf_appendf(&line->text, "\\%c", (char)point);
        else if (point < 0x20 || point == 0x7f)
            pm_strbuf_appendf(&line->text, "\\x%02x", point);
        else
            pm_strbuf_append_bytes(&line->text, text.bytes + start, at - start);
    }
    if (!readable || length > units) pm_strbuf_append(&line->text, "…");
    pm_strbuf_append_char(&line->text, '"');
}

static void number(struct line *line, pm_addr object) {
    uint64_t bits;
    double value;
    if (!v8_field_word(line->v8, object, line->v8->layout.heap_number_value, &bits)) {
        pm_strbuf_append(&line->text, "<number>");
        return;
    }
    memcpy(&value, &bits, sizeof(bits));
    v8_number_text(value, &line->text);
}

/* BigInt (src/objects/bigint.h): u32@8 sign in bit 0, number of digits from bit 1 on; 64-bit digits from 16
 * on. */
static void bigint(struct line *line, const struct v8_thing *object) {
    uint32_t bits;
    if (!v8_thing_u32(line->v8, object, 8, &bits)) return;
    uint32_t count = bits >> 1;
    const uint8_t *bytes = 16 + 8 * (uint64_t)count <= object->size
                               ? pm_mem_view(line->v8->mem, object->address + 16, 8 * (uint64_t)count)
                               : NULL;
    uint64_t *digits = bytes ? pm_arena_array(line->arena, count, sizeof(*digits)) : NULL;
    if (!digits) {
        pm_strbuf_append(&line->text, count ? "<bigint>" : "0n");
        return;
    }
    memcpy(digits, bytes, count * sizeof(*digits));
    v8_bigint_text(digits, count, bits & 1, line->brief ? 2 * SHORT_STRING : line->most, &line->text);
}

/* The part of a path that tells files apart at a glance; internal modules keep their whole name. */
static const char *base_name(const char *file) {
    const char *slash = strrchr(file, '/');
    return slash && slash[1] && strncmp(file, "node:", 5) != 0 ? slash + 1 : file;
}

static void function(struct line *line, pm_addr address, const char *what) {
    struct v8_function loaded;
    pm_strbuf_append(&line->text, what);
    if (!v8_function_load(line->v8, address, line->arena, &loaded)) return;
    pm_strbuf_appendf(&line->text, " %s", loaded.name[0] ? loaded.name : "(anonymous)");
    if (line->brief || !loaded.file) return;
    pm_strbuf_appendf(&line->text, " (%s", base_name(loaded.file));
    if (loaded.line) pm_strbuf_appendf(&line->text, ":%u", loaded.line);
    pm_strbuf_append_char(&line->text, ')');
}

static void bound_function(struct line *line, pm_addr address) {
    for (int i = 0; i < 10; i++) {
        pm_strbuf_append(&line->text, i == 0 ? "function bound" : " bound");
        address = v8_ref(line->v8, address, line->v8->layout.bound_target);
        if (v8_type_at(line->v8, address) != V8_T_JS_BOUND_FUNCTION) break;
    }
    function(line, address, "");
}

/* ---- lists ---- */

static void open_list(struct line *line, const char *opening, size_t reserve) {
    pm_strbuf_append(&line->text, opening);
    line->first = true;
    line->full = false;
    line->visited = 0;
    line->reserve = reserve;
}

/* Adds an entry that was written behind `start`; without room it becomes an ellipsis and ends the list. */
static bool close_entry(struct line *line, size_t start) {
    if (used(line) + line->reserve + 3 <= line->most) { /* ", …" may follow */
        line->first = false;
        return true;
    }
    line->text.length = start;
    line->text.bytes[start] = 0;
    pm_strbuf_append(&line->text, line->first ? "…" : ", …");
    line->full = true;
    return false;
}

static void brief_value(struct line *line, v8_word word) {
    bool brief = line->brief;
    line->brief = true;
    describe(line, word);
    line->brief = brief;
}

static bool add_property(void *context, const struct v8_property *property) {
    struct line *line = context;
    if (property->is_element ||
        (property->is_accessor &&
         v8_type_at(line->v8, v8_target(line->v8, property->value)) != V8_T_ACCESSOR_PAIR))
        return ++line->visited < VISITED_MOST; /* length of arrays and the like */
    const char *name = v8_name_text(line->v8, property->key, line->arena);
    size_t start = line->text.length;
    bool symbol = v8_type_at(line->v8, property->key) == V8_T_SYMBOL;
    pm_strbuf_appendf(&line->text, symbol ? "%s[%s]: " : "%s%s: ", line->first ? "" : ", ",
                      name ? name : "?");
    if (property->is_accessor)
        pm_strbuf_append(&line->text, "<accessor>");
    else
        brief_value(line, property->value);
    return close_entry(line, start);
}

static bool add_element(void *context, const struct v8_property *property) {
    struct line *line = context;
    if (!property->is_element) return ++line->visited < VISITED_MOST;
    size_t start = line->text.length;
    if (!line->first) pm_strbuf_append(&line->text, ", ");
    if (property->is_double)
        v8_number_text(property->number, &line->text);
    else
        brief_value(line, property->value);
    return close_entry(line, start);
}

static bool add_entry(void *context, v8_word key, v8_word value) {
    struct line *line = context;
    size_t start = line->text.length;
    if (!line->first) pm_strbuf_append(&line->text, ", ");
    brief_value(line, key);
    if (key != value) {
        pm_strbuf_append(&line->text, " => ");
        brief_value(line, value);
    }
    return close_entry(line, start);
}

static bool add_variable(void *context, const struct v8_variable *variable) {
    struct line *line = context;
    size_t start = line->text.length;
    pm_strbuf_appendf(&line->text, "%s%s: ", line->first ? "" : ", ", variable->name);
    if (!variable->known)
        pm_strbuf_append_char(&line->text, '?');
    else if (variable->is_double)
        v8_number_text(variable->number, &line->text);
    else
        brief_value(line, variable->value);
    return close_entry(line, start);
}

/* ---- objects ---- */

static void properties(struct line *line, pm_addr object) {
    open_list(line, " {", ADDRESS_ROOM);
    v8_properties(line->v8, object, add_property, line);
    pm_strbuf_append_char(&line->text, '}');
}

static void array(struct line *line, const struct v8_thing *object) {
    uint32_t length = 0;
    if (v8_thing_count(line->v8, object, line->v8->layout.js_array_length.offset, &length))
        pm_strbuf_appendf(&line->text, "(%u)", length);
    if (line->brief) return;
    open_list(line, " [", ADDRESS_ROOM);
    v8_properties(line->v8, object->address, add_element, line);
    pm_strbuf_append_char(&line->text, ']');
}

static void collection(struct line *line, pm_addr object) {
    uint32_t count;
    if (v8_entry_count(line->v8, object, &count, NULL)) pm_strbuf_appendf(&line->text, "(%u)", count);
    if (line->brief) return;
    open_list(line, " {", ADDRESS_ROOM);
    v8_entries(line->v8, object, add_entry, line);
    pm_strbuf_append_char(&line->text, '}');
}

static void promise(struct line *line, pm_addr object) {
    static const char *const states[] = {"<pending>", "<fulfilled>: ", "<rejected>: ", "<?>"};
    v8_word flags, result;
    if (line->brief || !v8_field_word(line->v8, object, line->v8->layout.promise_flags, &flags) ||
        !v8_is_smi(flags))
        return;
    unsigned state = (unsigned)v8_smi(flags) & 3;
    pm_strbuf_appendf(&line->text, " {%s", states[state]);
    if ((state == 1 || state == 2) &&
        v8_field_word(line->v8, object, line->v8->layout.promise_result, &result))
        brief_value(line, result);
    pm_strbuf_append_char(&line->text, '}');
}

static void date(struct line *line, pm_addr object) {
    const struct v8_layout *layout = &line->v8->layout;
    uint64_t word;
    double time;
    if (!v8_field_word(line->v8, object, layout->date_value, &word)) return;
    if (layout->date_is_raw.present) {
        memcpy(&time, &word, sizeof(word));
    } else if (v8_is_smi(word)) {
        time = v8_smi(word);
    } else if (v8_type_at(line->v8, v8_target(line->v8, word)) != V8_T_HEAP_NUMBER ||
               !v8_field_word(line->v8, v8_target(line->v8, word), layout->heap_number_value, &word)) {
        return;
    } else {
        memcpy(&time, &word, sizeof(word));
    }
    pm_strbuf_append_char(&line->text, ' ');
    v8_date_text(time, &line->text);
}

/* JSRegExp::Flags (src/regexp/regexp-flags.h): a Smi, or the bits themselves. */
static void regexp(struct line *line, pm_addr object) {
    static const struct {
        unsigned bit;
        char letter;
    } letters[] = {{7, 'd'}, {0, 'g'}, {1, 'i'}, {2, 'm'}, {5, 's'}, {4, 'u'}, {8, 'v'}, {3, 'y'}};
    const struct v8_layout *layout = &line->v8->layout;
    v8_word flags = 0;
    pm_strbuf_append_char(&line->text, '/');
    v8_string_text(line->v8, v8_ref(line->v8, object, layout->regexp_source), 0,
                   line->brief ? SHORT_STRING : room(line, ADDRESS_ROOM), &line->text);
    pm_strbuf_append_char(&line->text, '/');
    if (!v8_field_word(line->v8, object, layout->regexp_flags, &flags)) return;
    uint32_t bits = v8_is_smi(flags) ? (uint32_t)v8_smi(flags) : (uint32_t)flags;
    for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
        if (bits >> letters[i].bit & 1) pm_strbuf_append_char(&line->text, letters[i].letter);
}

static void error(struct line *line, pm_addr object) {
    v8_word message;
    if (line->brief || !v8_property_named(line->v8, object, "message", &message) ||
        !v8_is_string(v8_map(line->v8, v8_target(line->v8, message))))
        return;
    pm_strbuf_append(&line->text, ": ");
    v8_string_text(line->v8, v8_target(line->v8, message), 0, room(line, ADDRESS_ROOM), &line->text);
}

static void bytes_of(struct line *line, pm_addr object, struct v8_field field) {
    uint64_t bytes;
    if (v8_field_word(line->v8, object, field, &bytes) && bytes >> 53 == 0)
        pm_strbuf_appendf(&line->text, "(%llu bytes)", (unsigned long long)bytes);
}

static void generator(struct line *line, pm_addr object) {
    const struct v8_layout *layout = &line->v8->layout;
    v8_word continuation;
    if (line->brief) return;
    function(line, v8_ref(line->v8, object, layout->generator_function), " of");
    if (!v8_field_word(line->v8, object, layout->generator_continuation, &continuation) ||
        !v8_is_smi(continuation))
        return;
    int32_t state = v8_smi(continuation); /* JSGeneratorObject::kGeneratorExecuting, kGeneratorClosed */
    pm_strbuf_append(&line->text, state >= 0 ? ", suspended" : state == -2 ? ", running" : ", finished");
}

static void inner(struct line *line, pm_addr object, struct v8_field field) {
    v8_word word;
    if (line->brief || !v8_field_word(line->v8, object, field, &word)) return;
    pm_strbuf_append_char(&line->text, '(');
    brief_value(line, word);
    pm_strbuf_append_char(&line->text, ')');
}

static void receiver(struct line *line, const struct v8_thing *object) {
    const struct v8_layout *layout = &line->v8->layout;
    pm_addr at = object->address;
    if (v8_is_function_type(object->type)) {
        function(line, at, object->type == V8_T_JS_CLASS_CONSTRUCTOR ? "class" : "function");
        return;
    }
    if (object->type == V8_T_JS_BOUND_FUNCTION) {
        bound_function(line, at);
        return;
    }
    if (object->type == V8_T_JS_REG_EXP)
        regexp(line, at);
    else if (object->type == V8_T_JS_PROXY)
        pm_strbuf_append(&line->text, "Proxy");
    else
        pm_strbuf_append(&line->text, v8_class_name(line->v8, at, line->arena));
    switch (object->type) {
    case V8_T_JS_REG_EXP: break;
    case V8_T_JS_PROXY: inner(line, at, layout->proxy_target); break;
    case V8_T_JS_WEAK_REF: inner(line, at, layout->weakref_target); break;
    case V8_T_JS_PRIMITIVE_WRAPPER: inner(line, at, layout->primitive_wrapper_value); break;
    case V8_T_JS_ARRAY: array(line, object); break;
    case V8_T_JS_MAP:
    case V8_T_JS_SET:
    case V8_T_JS_WEAK_MAP:
    case V8_T_JS_WEAK_SET: collection(line, at); break;
    case V8_T_JS_PROMISE: promise(line, at); break;
    case V8_T_JS_DATE: date(line, at); break;
    case V8_T_JS_ERROR: error(line, at); break;
    case V8_T_JS_ARRAY_BUFFER: bytes_of(line, at, layout->array_buffer_byte_length); break;
    case V8_T_JS_TYPED_ARRAY:
    case V8_T_JS_DATA_VIEW: bytes_of(line, at, layout->view_byte_length); break;
    case V8_T_JS_GENERATOR_OBJECT:
    case V8_T_JS_ASYNC_FUNCTION_OBJECT:
    case V8_T_JS_ASYNC_GENERATOR_OBJECT: generator(line, at); break;
    default:
        if (!line->brief) properties(line, at);
    }
    if (!line->brief) pm_strbuf_appendf(&line->text, " @0x%llx", (unsigned long long)at);
}

/* FIXED_ARRAY -> FixedArray */
static void internal_name(struct line *line, enum v8_type type) {
    bool upper = true;
    for (const char *at = v8_type_name(type); *at; at++) {
        if (*at != '_') pm_strbuf_append_char(&line->text, upper ? *at : (char)tolower((unsigned char)*at));
        upper = *at == '_';
    }
}

static void internal(struct line *line, const struct v8_thing *object) {
    uint32_t count;
    if (v8_is_context_type(object->type)) {
        pm_strbuf_append(&line->text, "Context");
        if (!line->brief) {
            open_list(line, " {", ADDRESS_ROOM);
            v8_context_variables(line->v8, object->address, line->arena, add_variable, line);
            pm_strbuf_append_char(&line->text, '}');
        }
    } else if (object->type == V8_T_SHARED_FUNCTION_INFO) {
        function(line, object->address, "code of");
    } else if (object->type == V8_T_SCRIPT) {
        const char *name = v8_script_name(line->v8, object->address, line->arena);
        pm_strbuf_appendf(&line->text, "script %s", name ? name : "(no name)");
    } else {
        internal_name(line, object->type);
        if ((object->type == V8_T_FIXED_ARRAY || object->type == V8_T_FIXED_DOUBLE_ARRAY) &&
            v8_thing_count(line->v8, object, line->v8->layout.array_length.offset, &count))
            pm_strbuf_appendf(&line->text, "(%u)", count);
    }
    if (!line->brief) pm_strbuf_appendf(&line->text, " @0x%llx", (unsigned long long)object->address);
}

static void oddball(struct line *line, v8_word word) {
    static const char *const texts[] = {[V8_UNDEFINED] = "undefined",
                                        [V8_NULL] = "null",
                                        [V8_TRUE] = "true",
                                        [V8_FALSE] = "false",
                                        [V8_HOLE] = "<hole>"};
    enum v8_oddball is = v8_oddball_of(line->v8, word);
    pm_strbuf_append(&line->text,
                     is < sizeof(texts) / sizeof(texts[0]) && texts[is] ? texts[is] : "<oddball>");
}

static void describe(struct line *line, v8_word word) {
    struct v8_thing object;
    if (v8_is_smi(word)) {
        pm_strbuf_appendf(&line->text, "%d", v8_smi(word));
        return;
    }
    if ((uint32_t)word == V8_CLEARED_WEAK) {
        pm_strbuf_append(&line->text, "<cleared>");
        return;
    }
    if (!v8_thing_load(line->v8, v8_target(line->v8, word), &object)) {
        pm_strbuf_appendf(&line->text, "<unreadable 0x%llx>", (unsigned long long)word);
        return;
    }
    if (v8_is_string(object.map)) {
        quoted(line, object.address);
        return;
    }
    switch (object.type) {
    case V8_T_HEAP_NUMBER: number(line, object.address); break;
    case V8_T_BIG_INT_BASE: bigint(line, &object); break;
    case V8_T_ODDBALL:
    case V8_T_HOLE: oddball(line, v8_tag(object.address)); break;
    case V8_T_SYMBOL: {
        const char *name = v8_name_text(line->v8, object.address, line->arena);
        pm_strbuf_appendf(&line->text, "Symbol(%s)", name ? name : "?");
        break;
    }
    default:
        if (v8_is_receiver(line->v8, object.map))
            receiver(line, &object);
        else
            internal(line, &object);
    }
}

void v8_describe(const struct v8 *v8, v8_word word, size_t most, struct pm_strbuf *out) {
    PM_AUTO(arena) struct pm_arena *arena = pm_arena_create();
    struct line line = {.v8 = v8,
                        .arena = arena,
                        .most = most < MIN_ROOM ? MIN_ROOM
                                : most > MOST   ? MOST
                                                : most};
    if (!arena) return;
    describe(&line, word);
    cut(&line.text, line.most);
    pm_strbuf_append(out, pm_strbuf_text(&line.text));
    pm_strbuf_deinit(&line.text);
}
