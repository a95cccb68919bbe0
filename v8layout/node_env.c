#include "v8layout/node_env.h"

#include <stdlib.h>
#include <string.h>

#include "postmortem/base/sort.h"
#include "postmortem/base/strbuf.h"
#include "postmortem/base/vec.h"
#include "v8layout/async_frames.h"
#include "v8layout/object_access.h"
#include "v8layout/objects.h"

#define MOST_TEXT  120
#define MOST_ROWS  1000u /* places of timers or of awaits in one program */
#define WRAP_WORDS 8u    /* BaseObject: vtable, persistent handle, realm or environment */

/* ---- objects of the program ---- */

/* The object a property refers to; 0 = absent, or a plain value. */
static pm_addr object_property(const struct v8 *v8, pm_addr object, const char *name) {
    v8_word word;
    return object && v8_property_named(v8, object, name, &word) ? v8_target(v8, word) : 0;
}

/* Appends "before" and the text of a string or small number; false = it is neither. */
static bool put_word(const struct v8 *v8, v8_word word, const char *before, struct pm_strbuf *out) {
    if (v8_is_smi(word)) {
        pm_strbuf_appendf(out, "%s%d", before, v8_smi(word));
        return true;
    }
    pm_addr text = v8_target(v8, word);
    uint32_t length;
    if (!text || !v8_is_string(v8_map(v8, text)) || !v8_string_length(v8, text, &length) || !length)
        return false;
    pm_strbuf_append(out, before);
    v8_string_text(v8, text, 0, MOST_TEXT, out);
    return true;
}

static bool put_property(const struct v8 *v8, pm_addr object, const char *name, const char *before,
                         struct pm_strbuf *out) {
    v8_word word;
    return object && v8_property_named(v8, object, name, &word) && put_word(v8, word, before, out);
}

/* The same in quotes: redaction knows the program's own words by them. */
static bool put_quoted(const struct v8 *v8, pm_addr object, const char *name, const char *before,
                       struct pm_strbuf *out) {
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    if (!put_property(v8, object, name, "", &text) || text.failed) return false;
    pm_strbuf_appendf(out, "%s\"%s\"", before, pm_strbuf_text(&text));
    return true;
}

static bool is_true(const struct v8 *v8, pm_addr object, const char *name) {
    v8_word word;
    return object && v8_property_named(v8, object, name, &word) && v8_oddball_of(v8, word) == V8_TRUE;
}

struct owner_search {
    const struct v8 *v8;
    const char *description;
    v8_word found;
    bool has_found;
};

static bool visit_symbol(void *context, const struct v8_property *property) {
    struct owner_search *search = context;
    const struct v8 *v8 = search->v8;
    if (property->is_element || property->is_accessor || property->is_double || !property->key ||
        v8_type_at(v8, property->key) != V8_T_SYMBOL)
        return true;
    pm_addr description = v8_ref(v8, property->key, v8->layout.symbol_description);
    if (!description || !v8_string_equals(v8, description, search->description)) return true;
    search->found = property->value;
    search->has_found = true;
    return false;
}

static bool symbol_property(const struct v8 *v8, pm_addr object, const char *description, v8_word *ret) {
    struct owner_search search = {.v8 = v8, .description = description};
    v8_properties(v8, object, visit_symbol, &search);
    *ret = search.found;
    return search.has_found;
}

/* The JavaScript object of a HandleWrap: what its persistent handle leads to, if that has the wrap in one of
 * its own words. */
static pm_addr object_of_wrap(const struct v8 *v8, pm_addr wrap) {
    for (unsigned i = 1; wrap && wrap % 8 == 0 && i < WRAP_WORDS; i++) {
        uint64_t slot, tagged, word;
        if (!pm_mem_u64(v8->mem, wrap + 8 * i, &slot) || slot % 8 != 0 ||
            !pm_mem_u64(v8->mem, slot, &tagged) || !v8_is_pointer(tagged))
            continue;
        struct v8_thing thing;
        if (!v8_thing_load(v8, v8_untag(tagged), &thing) || !v8_is_js_object(v8, thing.map)) continue;
        for (uint64_t offset = 8; offset < thing.size && offset < 256; offset += 8)
            if (v8_thing_word(v8, &thing, offset, &word) && word == wrap) return thing.address;
    }
    return 0;
}

/* ---- handles ---- */

/* "GET /slow of localhost" of a ClientRequest, "GET /orders" of a ServerResponse. */
static bool put_message(const struct v8 *v8, pm_addr socket, struct pm_arena *arena, struct pm_strbuf *out) {
    pm_addr message = object_property(v8, socket, "_httpMessage");
    if (!message) return false;
    const char *class = v8_class_name(v8, message, arena);
    pm_addr request = object_property(v8, message, "req");
    if (!put_property(v8, message, "method", ", waits for the answer to ", out)) {
        if (!put_property(v8, request, "method", ", has not answered ", out)) return false;
        put_quoted(v8, request, "url", " ", out);
        return true;
    }
    struct pm_strbuf hidden PM_AUTO_STRBUF = {0}; /* from Node.js 26 on behind an accessor */
    v8_word path;
    if (!put_quoted(v8, message, "path", " ", out) && symbol_property(v8, message, "kPath", &path) &&
        put_word(v8, path, "", &hidden))
        pm_strbuf_appendf(out, " \"%s\"", pm_strbuf_text(&hidden));
    put_quoted(v8, message, "host", " of ", out);
    if (class && strcmp(class, "ClientRequest") != 0) pm_strbuf_appendf(out, " (%s)", class);
    return true;
}

/* "6::::3000" (family, address, port) as ":::3000"; of port 0 the system chose one. */
static bool put_address(const struct v8 *v8, pm_addr server, const char *before, struct pm_strbuf *out) {
    struct pm_strbuf key PM_AUTO_STRBUF = {0};
    if (!put_property(v8, server, "_connectionKey", "", &key) || key.failed) return false;
    const char *text = pm_strbuf_text(&key), *port = strrchr(text, ':');
    bool family = (text[0] == '4' || text[0] == '6') && text[1] == ':';
    bool pipe = port && strcmp(port, ":-1") == 0; /* "-1:/run/app.sock:-1" */
    if (pipe && strncmp(text, "-1:", 3) == 0) text += 3;
    if (family) text += 2;
    bool chosen = port && port >= text && strcmp(port, ":0") == 0;
    size_t length = port && port >= text && (chosen || pipe) ? (size_t)(port - text) : strlen(text);
    pm_strbuf_append(out, before);
    pm_strbuf_append_bytes(out, text, length);
    if (chosen) pm_strbuf_append(out, ", any port");
    return true;
}

static void put_socket(const struct v8 *v8, pm_addr socket, struct pm_arena *arena, struct pm_strbuf *out) {
    pm_addr peer = object_property(v8, socket, "_peername");
    if (is_true(v8, socket, "connecting")) pm_strbuf_append(out, ", connecting");
    if (put_quoted(v8, peer, "address", ", peer ", out))
        put_property(v8, peer, "port", " port ", out);
    else
        put_quoted(v8, socket, "_host", ", host ", out);
    pm_addr server = object_property(v8, socket, "server");
    if (server && v8_is_js_object(v8, v8_map(v8, server)))
        put_address(v8, server, ", accepted by the server at ", out);
    put_message(v8, socket, arena, out);
    if (is_true(v8, socket, "destroyed")) pm_strbuf_append(out, ", destroyed");
}

const char *v8_handle_detail(const struct v8 *v8, pm_addr wrap, struct pm_arena *arena,
                             const char **class_ret) {
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    v8_word word;
    pm_addr handle = object_of_wrap(v8, wrap), owner = 0;
    *class_ret = NULL;
    if (!handle) return NULL;
    if (symbol_property(v8, handle, "owner_symbol", &word)) owner = v8_target(v8, word);
    const char *class = v8_class_name(v8, owner ? owner : handle, arena);
    *class_ret = pm_arena_strdup(arena, class);
    if (!owner || !v8_is_js_object(v8, v8_map(v8, owner))) return NULL;
    if (!put_address(v8, owner, ", at ", &text)) put_property(v8, owner, "_pipeName", ", pipe ", &text);
    put_socket(v8, owner, arena, &text);
    put_quoted(v8, owner, "spawnfile", ", ", &text);
    if (text.failed || text.length < 3) return NULL;
    return pm_arena_copy(arena, text.bytes + 2, text.length - 2);
}

/* ---- timers and suspended functions: by a walk over the heap ---- */

enum wanted { WANTED_UNKNOWN, WANTED_NOT, WANTED_TIMEOUT, WANTED_IMMEDIATE };

struct row {
    pm_addr key; /* the function's SharedFunctionInfo */
    uint64_t detail;
    union {
        struct pm_loop_timer timer;
        struct pm_loop_wait wait;
    };
};
typedef PM_VEC(struct row) rows;

struct waits {
    const struct v8 *v8;
    struct pm_arena *arena;
    PM_VEC(uint8_t) wanted; /* by the map's number */
    rows timers, functions;
    bool no_memory;
};

static struct row *find_row(struct waits *waits, rows *list, pm_addr key, uint64_t detail, bool *new_ret) {
    *new_ret = false;
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].key == key && list->items[i].detail == detail) return &list->items[i];
    struct row row = {.key = key, .detail = detail};
    if (list->count >= MOST_ROWS) return NULL;
    if (!pm_vec_push(list, row)) {
        waits->no_memory = true;
        return NULL;
    }
    *new_ret = true;
    return &list->items[list->count - 1];
}

static enum wanted wanted_of(struct waits *waits, const struct v8_map *map) {
    if (map->id >= waits->wanted.count) {
        size_t count = (size_t)map->id + 256;
        if (!pm_vec_reserve(&waits->wanted, count)) {
            waits->no_memory = true;
            return WANTED_NOT;
        }
        memset(waits->wanted.items + waits->wanted.count, WANTED_UNKNOWN, count - waits->wanted.count);
        waits->wanted.count = count;
    }
    uint8_t *known = &waits->wanted.items[map->id];
    if (*known == WANTED_UNKNOWN) {
        const char *name = NULL;
        (void)v8_class_name_of_map(waits->v8, map, waits->arena, &name);
        *known = !name                            ? WANTED_NOT
                 : strcmp(name, "Timeout") == 0   ? WANTED_TIMEOUT
                 : strcmp(name, "Immediate") == 0 ? WANTED_IMMEDIATE
                                                  : WANTED_NOT;
    }
    return (enum wanted) * known;
}

/* A Timeout or Immediate of Node's own that is still to come: in a list, not destroyed, with a function. */
static void add_timer(struct waits *waits, pm_addr timer, enum wanted wanted) {
    const struct v8 *v8 = waits->v8;
    bool immediate = wanted == WANTED_IMMEDIATE, is_new;
    pm_addr function = object_property(v8, timer, immediate ? "_onImmediate" : "_onTimeout");
    v8_word word, refed;
    uint64_t ms = PM_UNKNOWN;
    struct v8_function read;
    if (!function || !v8_is_function_type(v8_type_at(v8, function)) || is_true(v8, timer, "_destroyed"))
        return;
    if (!immediate) {
        if (!object_property(v8, timer, "_idlePrev") ||
            !v8_is_receiver(v8, v8_map(v8, object_property(v8, timer, "_idlePrev"))))
            return;
        if (v8_property_named(v8, timer, "_idleTimeout", &word) && v8_is_smi(word) && v8_smi(word) >= 0)
            ms = (uint64_t)v8_smi(word);
    }
    bool repeats = !immediate && v8_property_named(v8, timer, "_repeat", &word) && v8_is_smi(word);
    bool unref =
        (symbol_property(v8, timer, "refed", &refed) || symbol_property(v8, timer, "kRefed", &refed)) &&
        v8_oddball_of(v8, refed) == V8_FALSE;
    uint64_t detail = (ms == PM_UNKNOWN ? 0 : ms + 1) * 8 + repeats * 4u + unref * 2u + immediate;
    struct row *row =
        find_row(waits, &waits->timers, v8_ref(v8, function, v8->layout.function_shared), detail, &is_new);
    if (!row) return;
    if (is_new) {
        row->timer = (struct pm_loop_timer){.kind = immediate ? "immediate"
                                                    : repeats ? "interval"
                                                              : "timeout",
                                            .milliseconds = ms,
                                            .referenced = !unref};
        if (v8_function_load(v8, function, waits->arena, &read)) {
            row->timer.function = read.name && *read.name ? read.name : NULL;
            row->timer.position = (struct pm_position){read.file, read.line, read.column};
        }
    }
    row->timer.count++;
}

static void add_function(struct waits *waits, pm_addr generator) {
    const struct v8 *v8 = waits->v8;
    v8_word continuation, position = 0;
    bool is_new;
    struct v8_suspended at;
    if (!v8_field_word(v8, generator, v8->layout.generator_continuation, &continuation) ||
        !v8_is_smi(continuation) || v8_smi(continuation) < 0)
        return;
    pm_addr function = v8_ref(v8, generator, v8->layout.generator_function);
    if (!function || !v8_is_function_type(v8_type_at(v8, function))) return;
    (void)v8_field_word(v8, generator, v8->layout.generator_position, &position);
    struct row *row = find_row(waits, &waits->functions, v8_ref(v8, function, v8->layout.function_shared),
                               position, &is_new);
    if (!row) return;
    if (is_new && v8_suspended_at(v8, generator, waits->arena, &at))
        row->wait = (struct pm_loop_wait){.function = at.name && *at.name ? at.name : NULL,
                                          .position = {at.file, at.line, at.column}};
    row->wait.count++;
}

static bool visit(void *context, const struct v8_object *object) {
    struct waits *waits = context;
    switch ((enum v8_type)object->map->type) {
    case V8_T_JS_ASYNC_FUNCTION_OBJECT:
    case V8_T_JS_ASYNC_GENERATOR_OBJECT: add_function(waits, object->address); break;
    case V8_T_JS_OBJECT: {
        enum wanted wanted = wanted_of(waits, object->map);
        if (wanted != WANTED_NOT) add_timer(waits, object->address, wanted);
        break;
    }
    default: break;
    }
    return !waits->no_memory;
}

static bool is_nodes(const struct pm_position *position) {
    return !position->file || strncmp(position->file, "node:", 5) == 0 ||
           strncmp(position->file, "internal/", 9) == 0;
}

/* The program's own before Node's, then those of which there are most. */
static int by_importance(const struct pm_position *a, uint64_t count_a, const struct pm_position *b,
                         uint64_t count_b) {
    if (is_nodes(a) != is_nodes(b)) return is_nodes(a) ? 1 : -1;
    return count_a < count_b ? 1 : count_a > count_b ? -1 : 0;
}
static int by_timer(const void *a, const void *b) {
    const struct pm_loop_timer *x = a, *y = b;
    return by_importance(&x->position, x->count, &y->position, y->count);
}
static int by_wait(const void *a, const void *b) {
    const struct pm_loop_wait *x = a, *y = b;
    return by_importance(&x->position, x->count, &y->position, y->count);
}

static struct pm_error *keep(struct waits *waits, struct pm_event_loop *loop) {
    size_t timers = waits->timers.count, functions = waits->functions.count;
    loop->timers = pm_arena_array(waits->arena, timers + 1, sizeof(*loop->timers));
    loop->waits = pm_arena_array(waits->arena, functions + 1, sizeof(*loop->waits));
    if (!loop->timers || !loop->waits) return pm_error_nomem();
    for (size_t i = 0; i < timers; i++) loop->timers[i] = waits->timers.items[i].timer;
    for (size_t i = 0; i < functions; i++) loop->waits[i] = waits->functions.items[i].wait;
    loop->timer_count = timers;
    loop->wait_count = functions;
    loop->has_heap = true;
    pm_sort(loop->timers, timers, sizeof(*loop->timers), by_timer);
    pm_sort(loop->waits, functions, sizeof(*loop->waits), by_wait);
    return NULL;
}

struct pm_error *v8_loop_waits(const struct v8 *v8, uint32_t isolate, struct pm_arena *arena,
                               struct pm_event_loop *loop) {
    struct waits waits = {.v8 = v8, .arena = arena};
    struct v8_walk_stats stats = {0};
    (void)v8_walk(v8, isolate, visit, &waits, &stats);
    struct pm_error *err = waits.no_memory ? pm_error_nomem() : keep(&waits, loop);
    pm_vec_deinit(&waits.wanted);
    pm_vec_deinit(&waits.timers);
    pm_vec_deinit(&waits.functions);
    return err;
}
