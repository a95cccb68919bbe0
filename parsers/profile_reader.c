#include "parsers/profile_reader.h"

#include <math.h>
#include <string.h>
#include <xxhash.h>

#include "postmortem/base/limits.h"

#define NONE UINT32_MAX

void pm_raw_profile_init(struct pm_raw_profile *raw, struct pm_arena *arena) {
    *raw = (struct pm_raw_profile){.arena = arena, .start = NAN, .end = NAN};
}

void pm_raw_profile_deinit(struct pm_raw_profile *raw) {
    pm_vec_deinit(&raw->calls);
    pm_vec_deinit(&raw->links);
    pm_vec_deinit(&raw->lines);
    pm_vec_deinit(&raw->functions);
    pm_vec_deinit(&raw->samples);
    pm_vec_deinit(&raw->sizes);
    pm_vec_deinit(&raw->deltas);
    pm_vec_deinit(&raw->timestamps);
    pm_vec_deinit(&raw->name);
    free(raw->table);
    free(raw->hashes);
    raw->table = NULL;
    raw->hashes = NULL;
}

/* ------------------------------------------------------------------ numbers */

/* Any JSON number; what is none (null, a text) or not finite is NAN and counted. */
static struct pm_error *number(struct pm_raw_profile *raw, struct pm_json *json, double *ret) {
    char text[64];
    size_t length = 0;
    uint64_t whole;
    uint8_t first = pm_json_peek(json);
    if (first >= '0' && first <= '9') {
        const uint8_t *end = json->bytes + json->size;
        const uint8_t *after = pm_json_digits(json->bytes + json->at, end, &whole);
        if (after && after < end && *after != '.' && *after != 'e' && *after != 'E') {
            json->at = (uint64_t)(after - json->bytes);
            *ret = (double)whole;
            return NULL;
        }
    }
    uint64_t start = json->at;
    PM_TRY(pm_json_skip(json));
    *ret = NAN;
    if ((first == '-' || (first >= '0' && first <= '9')) && json->at - start < sizeof(text)) {
        length = (size_t)(json->at - start);
        memcpy(text, json->bytes + start, length);
        text[length] = 0;
        char *end;
        *ret = strtod(text, &end);
        if (end != text + length || !isfinite(*ret)) *ret = NAN;
    }
    if (isnan(*ret)) raw->bad_numbers++;
    return NULL;
}

/* A whole number from 0 to 2^63; else `otherwise`. */
static struct pm_error *whole(struct pm_raw_profile *raw, struct pm_json *json, uint64_t otherwise,
                              uint64_t *ret) {
    double value;
    PM_TRY(number(raw, json, &value));
    *ret = value >= 0 && value < 0x1p63 ? (uint64_t)value : otherwise;
    return NULL;
}

/* lineNumber and columnNumber start at 0, -1 is none; ours start at 1, 0 is none. */
static struct pm_error *place(struct pm_raw_profile *raw, struct pm_json *json, uint32_t *ret) {
    double value;
    PM_TRY(number(raw, json, &value));
    *ret = value >= 0 && value < UINT32_MAX - 1 ? (uint32_t)value + 1 : 0;
    return NULL;
}

/* ------------------------------------------------------------------ functions */

struct call_frame {
    struct pm_json_text name, url;
    uint32_t line, column;
};

static enum pm_call_kind kind_of(const char *name, bool has_url) {
    static const struct {
        const char *name;
        enum pm_call_kind kind;
    } kinds[] = {{"(root)", PM_CALL_ROOT},
                 {"(program)", PM_CALL_PROGRAM},
                 {"(idle)", PM_CALL_IDLE},
                 {"(garbage collector)", PM_CALL_GC}};
    if (has_url) return PM_CALL_CODE;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(name, kinds[i].name) == 0) return kinds[i].kind;
    return PM_CALL_NATIVE;
}

static int hex(char c) {
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* "file:///app/my%20app.js" -> "/app/my app.js"; "file:///C:/x.js" -> "C:/x.js". Other names stay. */
void pm_path_of_url(char *url) {
    if (strncmp(url, "file://", 7) != 0) return;
    const char *from = url + 7;
    if (from[0] == '/' && from[1] && from[2] == ':') from++;
    char *to = url;
    while (*from) {
        int high = *from == '%' ? hex(from[1]) : -1, low = high >= 0 ? hex(from[2]) : -1;
        bool escape = low >= 0 && (high || low);
        *to++ = (char)(escape ? high << 4 | low : *from);
        from += escape ? 3 : 1;
    }
    *to = 0;
}

static char *text_of(struct pm_raw_profile *raw, struct pm_json_text text, size_t most) {
    struct pm_strbuf buf PM_AUTO_STRBUF = {0};
    pm_json_unescape(text, most, &buf);
    /* A NUL would cut the name where others go on. */
    for (size_t i = 0; i < buf.length; i++)
        if (!buf.bytes[i]) buf.bytes[i] = ' ';
    return buf.failed ? NULL : pm_arena_copy(raw->arena, pm_strbuf_text(&buf), buf.length);
}

static struct pm_error *grow_table(struct pm_raw_profile *raw) {
    size_t slots = raw->mask ? (raw->mask + 1) * 2 : 1024;
    uint32_t *table = calloc(slots, sizeof(*table));
    uint64_t *hashes = realloc(raw->hashes, slots * sizeof(*hashes));
    if (hashes) raw->hashes = hashes;
    if (!table || !hashes) return free(table), pm_error_nomem();
    free(raw->table);
    raw->table = table;
    raw->mask = slots - 1;
    for (size_t i = 0; i < raw->functions.count; i++) {
        size_t slot = raw->hashes[i] & raw->mask;
        while (table[slot]) slot = (slot + 1) & raw->mask;
        table[slot] = (uint32_t)i + 1;
    }
    return NULL;
}

static struct pm_error *new_function(struct pm_raw_profile *raw, const struct call_frame *frame) {
    struct pm_profile_function function = {.position = {NULL, frame->line, frame->column}};
    char *name = text_of(raw, frame->name, PM_MAX_NAME), *url = NULL;
    if (frame->url.length && !(url = text_of(raw, frame->url, PM_MAX_PATH))) return pm_error_nomem();
    if (!name) return pm_error_nomem();
    function.kind = kind_of(name, url != NULL);
    function.name = *name ? name : "(anonymous)";
    if (url) pm_path_of_url(url);
    function.position.file = url;
    if (!url) function.position.line = function.position.column = 0;
    return pm_vec_push(&raw->functions, function) ? NULL : pm_error_nomem();
}

struct pm_error *pm_raw_profile_function(struct pm_raw_profile *raw, uint64_t hash, bool *known,
                                         uint32_t *ret) {
    if (raw->functions.count * 2 >= raw->mask) PM_TRY(grow_table(raw));
    size_t slot = hash & raw->mask;
    for (; raw->table[slot]; slot = (slot + 1) & raw->mask)
        if (raw->hashes[raw->table[slot] - 1] == hash) {
            *ret = raw->table[slot] - 1;
            *known = true;
            return NULL;
        }
    *ret = (uint32_t)raw->functions.count;
    *known = false;
    raw->hashes[*ret] = hash;
    raw->table[slot] = *ret + 1;
    return NULL;
}

/* The function of a call frame; hashes stand for the texts, 64 bits of them. */
static struct pm_error *function_of(struct pm_raw_profile *raw, const struct call_frame *frame,
                                    uint32_t *ret) {
    const uint64_t parts[4] = {XXH3_64bits(frame->name.bytes, frame->name.length),
                               XXH3_64bits(frame->url.bytes, frame->url.length), frame->line, frame->column};
    bool known;
    PM_TRY(pm_raw_profile_function(raw, XXH3_64bits(parts, sizeof(parts)), &known, ret));
    return known ? NULL : new_function(raw, frame);
}

/* ------------------------------------------------------------------ calls */

static struct pm_error *text_or_other(struct pm_json *json, struct pm_json_text *ret) {
    return pm_json_peek(json) == '"' ? pm_json_string(json, ret) : pm_json_skip(json);
}

static struct pm_error *frame_member(struct pm_raw_profile *raw, struct pm_json *json,
                                     struct pm_json_text key, struct call_frame *frame) {
    if (pm_json_is(key, "functionName")) return text_or_other(json, &frame->name);
    if (pm_json_is(key, "url")) return text_or_other(json, &frame->url);
    if (pm_json_is(key, "lineNumber")) return place(raw, json, &frame->line);
    if (pm_json_is(key, "columnNumber")) return place(raw, json, &frame->column);
    return pm_json_skip(json);
}

static struct pm_error *call_frame(struct pm_raw_profile *raw, struct pm_json *json,
                                   struct call_frame *frame) {
    struct pm_json_text key;
    if (pm_json_peek(json) != '{') return pm_json_skip(json);
    PM_TRY(pm_json_take(json, '{'));
    for (bool first = true, more;; first = false) {
        PM_TRY(pm_json_more(json, first, '}', &more));
        if (!more) return NULL;
        PM_TRY(pm_json_key(json, &key));
        PM_TRY(frame_member(raw, json, key, frame));
    }
}

static struct pm_error *position_ticks(struct pm_raw_profile *raw, struct pm_json *json, uint32_t call) {
    struct pm_json_text key;
    if (pm_json_peek(json) != '[') return pm_json_skip(json);
    PM_TRY(pm_json_take(json, '['));
    for (bool first = true, more;; first = false) {
        PM_TRY(pm_json_more(json, first, ']', &more));
        if (!more) return NULL;
        uint64_t line = 0, ticks = 0;
        PM_TRY(pm_json_take(json, '{'));
        for (bool first_member = true;; first_member = false) {
            PM_TRY(pm_json_more(json, first_member, '}', &more));
            if (!more) break;
            PM_TRY(pm_json_key(json, &key));
            if (pm_json_is(key, "line"))
                PM_TRY(whole(raw, json, 0, &line));
            else if (pm_json_is(key, "ticks"))
                PM_TRY(whole(raw, json, 0, &ticks));
            else
                PM_TRY(pm_json_skip(json));
        }
        /* The function is not known yet: it is put in when all calls are read. */
        struct pm_raw_line row = {call, line < NONE ? (uint32_t)line : 0, ticks};
        if (line && ticks && !pm_vec_push(&raw->lines, row)) return pm_error_nomem();
    }
}

/* The callees of a call in a list of calls: ids. */
static struct pm_error *callee_ids(struct pm_raw_profile *raw, struct pm_json *json, uint32_t call) {
    for (bool first = true, more;; first = false) {
        uint64_t id;
        PM_TRY(pm_json_more(json, first, ']', &more));
        if (!more) return NULL;
        PM_TRY(whole(raw, json, PM_UNKNOWN, &id));
        struct pm_raw_link link = {call, false, id};
        if (id != PM_UNKNOWN && !pm_vec_push(&raw->links, link)) return pm_error_nomem();
    }
}

static struct pm_error *call_member(struct pm_raw_profile *raw, struct pm_json *json, struct pm_json_text key,
                                    uint32_t index, struct call_frame *frame) {
    struct pm_raw_call *call = &raw->calls.items[index];
    uint64_t value;
    if (pm_json_is(key, "callFrame")) return call_frame(raw, json, frame);
    if (pm_json_is(key, "id")) return whole(raw, json, PM_UNKNOWN, &call->id);
    if (pm_json_is(key, "selfSize")) return whole(raw, json, 0, &call->self);
    if (pm_json_is(key, "hitCount")) {
        PM_TRY(whole(raw, json, 0, &value));
        call->hits = value < NONE ? (uint32_t)value : NONE;
        return NULL;
    }
    if (pm_json_is(key, "parent")) {
        PM_TRY(whole(raw, json, PM_UNKNOWN, &value));
        struct pm_raw_link link = {index, true, value};
        if (value != PM_UNKNOWN && !pm_vec_push(&raw->links, link)) return pm_error_nomem();
        return NULL;
    }
    if (pm_json_is(key, "positionTicks")) return position_ticks(raw, json, index);
    return frame_member(raw, json, key, frame);
}

static struct pm_error *begin_call(struct pm_raw_profile *raw, struct pm_json *json, uint32_t caller,
                                   uint32_t *ret) {
    PM_TRY(pm_json_take(json, '{'));
    if (raw->calls.count >= NONE - 1)
        return pm_error_at(PM_ERR_LIMIT, json->at, "more than %u calls", NONE - 1);
    struct pm_raw_call call = {.id = PM_UNKNOWN, .function = NONE, .caller = caller};
    if (!pm_vec_push(&raw->calls, call)) return pm_error_nomem();
    *ret = (uint32_t)raw->calls.count - 1;
    return NULL;
}

static struct pm_error *name_call(struct pm_raw_profile *raw, uint32_t call, const struct call_frame *frame) {
    return function_of(raw, frame, &raw->calls.items[call].function);
}

/* A call with all that is nested in it. The frame is named as soon as its callees begin: they stand last in
 * what V8 writes; a frame that comes after them is taken all the same. */
static struct pm_error *call_tree(struct pm_raw_profile *raw, struct pm_json *json) {
    struct pm_json_text key;
    struct call_frame frame = {0};
    uint32_t open;
    bool first = true, more;
    PM_TRY(begin_call(raw, json, NONE, &open));
    while (open != NONE) {
        PM_TRY(pm_json_more(json, first, '}', &more));
        first = false;
        if (more) {
            PM_TRY(pm_json_key(json, &key));
            if (!pm_json_is(key, "children") || pm_json_peek(json) != '[') {
                PM_TRY(call_member(raw, json, key, open, &frame));
                continue;
            }
            PM_TRY(pm_json_take(json, '['));
            if (pm_json_peek(json) == '{') {
                PM_TRY(name_call(raw, open, &frame));
                PM_TRY(begin_call(raw, json, open, &open));
                frame = (struct call_frame){0};
                first = true;
            } else {
                PM_TRY(callee_ids(raw, json, open));
            }
            continue;
        }
        /* The call ends: then the next of its caller's, or the end of their list. */
        if (raw->calls.items[open].function == NONE || frame.name.bytes) PM_TRY(name_call(raw, open, &frame));
        frame = (struct call_frame){0};
        uint32_t caller = raw->calls.items[open].caller;
        if (caller == NONE) return NULL;
        if (pm_json_peek(json) == ',') {
            PM_TRY(pm_json_take(json, ','));
            PM_TRY(begin_call(raw, json, caller, &open));
            first = true;
        } else {
            PM_TRY(pm_json_take(json, ']'));
            open = caller;
        }
    }
    return NULL;
}

static struct pm_error *call_list(struct pm_raw_profile *raw, struct pm_json *json) {
    PM_TRY(pm_json_take(json, '['));
    for (bool first = true, more;; first = false) {
        PM_TRY(pm_json_more(json, first, ']', &more));
        if (!more) return NULL;
        PM_TRY(call_tree(raw, json));
    }
}

/* ------------------------------------------------------------------ samples */

static struct pm_error *heap_sample(struct pm_raw_profile *raw, struct pm_json *json) {
    struct pm_json_text key;
    uint64_t id = PM_UNKNOWN, size = 0;
    PM_TRY(pm_json_take(json, '{'));
    for (bool first = true, more;; first = false) {
        PM_TRY(pm_json_more(json, first, '}', &more));
        if (!more) break;
        PM_TRY(pm_json_key(json, &key));
        if (pm_json_is(key, "nodeId"))
            PM_TRY(whole(raw, json, PM_UNKNOWN, &id));
        else if (pm_json_is(key, "size"))
            PM_TRY(whole(raw, json, 0, &size));
        else
            PM_TRY(pm_json_skip(json));
    }
    return pm_vec_push(&raw->samples, id) && pm_vec_push(&raw->sizes, size) ? NULL : pm_error_nomem();
}

static struct pm_error *samples(struct pm_raw_profile *raw, struct pm_json *json) {
    if (pm_json_peek(json) != '[') return pm_json_skip(json);
    PM_TRY(pm_json_take(json, '['));
    for (bool first = true, more;; first = false) {
        uint64_t id;
        PM_TRY(pm_json_more(json, first, ']', &more));
        if (!more) return NULL;
        if (pm_json_peek(json) == '{') {
            PM_TRY(heap_sample(raw, json));
            continue;
        }
        PM_TRY(whole(raw, json, PM_UNKNOWN, &id));
        if (!pm_vec_push(&raw->samples, id)) return pm_error_nomem();
    }
}

static struct pm_error *times(struct pm_raw_profile *raw, struct pm_json *json, bool deltas) {
    if (pm_json_peek(json) != '[') return pm_json_skip(json);
    PM_TRY(pm_json_take(json, '['));
    for (bool first = true, more;; first = false) {
        double value;
        PM_TRY(pm_json_more(json, first, ']', &more));
        if (!more) return NULL;
        PM_TRY(number(raw, json, &value));
        bool kept = deltas ? pm_vec_push(&raw->deltas, value) : pm_vec_push(&raw->timestamps, value);
        if (!kept) return pm_error_nomem();
    }
}

static struct pm_error *top_member(struct pm_raw_profile *raw, struct pm_json *json,
                                   struct pm_json_text key) {
    bool head = pm_json_is(key, "head") && pm_json_peek(json) == '{';
    bool nodes = pm_json_is(key, "nodes") && pm_json_peek(json) == '[';
    if ((head || nodes) && !raw->seen_tree) {
        raw->seen_tree = true;
        raw->nested = head;
        return head ? call_tree(raw, json) : call_list(raw, json);
    }
    if (pm_json_is(key, "samples") && !raw->samples.count) return samples(raw, json);
    if (pm_json_is(key, "timeDeltas") && !raw->deltas.count) return times(raw, json, true);
    if (pm_json_is(key, "timestamps") && !raw->timestamps.count) return times(raw, json, false);
    if (pm_json_is(key, "startTime")) return number(raw, json, &raw->start);
    if (pm_json_is(key, "endTime")) return number(raw, json, &raw->end);
    return pm_json_skip(json);
}

static struct pm_error *read_all(struct pm_raw_profile *raw, const struct pm_input *input) {
    struct pm_json json = {input->bytes, input->size, 0};
    struct pm_json_text key;
    if (input->size >= 3 && memcmp(input->bytes, "\xef\xbb\xbf", 3) == 0) json.at = 3;
    PM_TRY(pm_json_take(&json, '{'));
    for (bool first = true, more;; first = false) {
        PM_TRY(pm_json_more(&json, first, '}', &more));
        if (!more) return NULL;
        PM_TRY(pm_json_key(&json, &key));
        PM_TRY(top_member(raw, &json, key));
    }
}

struct pm_error *pm_raw_profile_read(struct pm_raw_profile *raw, const struct pm_input *input) {
    struct pm_error *err = read_all(raw, input);
    /* Only the last call can be without a function: its frame was cut off. */
    if (raw->calls.count && raw->calls.items[raw->calls.count - 1].function == NONE) raw->calls.count--;
    return err;
}
