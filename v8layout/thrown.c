#include "v8layout/thrown.h"

#include <string.h>

#include "parsers/stack_text.h"
#include "postmortem/base/strbuf.h"
#include "v8layout/object_access.h"
#include "v8layout/objects.h"

#define MOST_MESSAGE 1000
#define MOST_STACK   20000 /* characters; an error keeps 10 frames unless told otherwise */
#define MOST_FRAMES  200
#define ERROR_WINDOW 65536u /* bytes of native frames that are searched */

/* ---- the stack an error remembers ---- */

struct memory_of_stack {
    const struct v8 *v8;
    struct pm_arena *arena;
    struct pm_frame frames[MOST_FRAMES];
    size_t count;
};

static void read_lines(struct memory_of_stack *stack, pm_addr string) {
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    v8_string_text(stack->v8, string, 0, MOST_STACK, &text);
    const char *line = text.failed || !text.length ? NULL : strstr(pm_strbuf_text(&text), "\n    at ");
    while (line && stack->count < MOST_FRAMES) {
        bool failed = false;
        line++;
        size_t length = strcspn(line, "\n");
        if (pm_stack_line(line, length, stack->arena, &stack->frames[stack->count], &failed)) stack->count++;
        line = line[length] ? line + length : NULL;
    }
}

/* CallSiteInfo (StackFrameInfo before V8 9.7): receiver, function, code, code offset, flags, parameters.
 * While the text is not made the offset is one of the bytecode. */
static void read_call_site(struct memory_of_stack *stack, pm_addr site) {
    const struct v8 *v8 = stack->v8;
    struct v8_thing thing;
    struct v8_function function;
    v8_word function_word, offset;
    if (stack->count >= MOST_FRAMES || !v8_thing_load(v8, site, &thing) ||
        !v8_thing_word(v8, &thing, 16, &function_word) || !v8_thing_word(v8, &thing, 32, &offset))
        return;
    pm_addr address = v8_target(v8, function_word);
    if (!address || !v8_is_function_type(v8_type_at(v8, address)) ||
        !v8_function_load(v8, address, stack->arena, &function))
        return;
    struct pm_frame *frame = &stack->frames[stack->count++];
    *frame = (struct pm_frame){.kind = function.script ? PM_FRAME_JS : PM_FRAME_BUILTIN,
                               .offset = PM_UNKNOWN,
                               .function = function.name,
                               .approximate = true,
                               .position = {function.file, function.line, function.column}};
    pm_addr bytecode = v8_shared_bytecode(v8, function.shared);
    pm_addr table = bytecode ? v8_ref(v8, bytecode, v8->layout.bytecode_source_positions) : 0;
    int32_t position = table && v8_is_smi(offset) ? v8_source_position(v8, table, v8_smi(offset), NULL) : -1;
    if (position >= 0 && function.script &&
        v8_script_position(v8, function.script, position, &frame->position.line, &frame->position.column))
        frame->approximate = false;
}

static void read_call_sites(struct memory_of_stack *stack, pm_addr array) {
    const struct v8 *v8 = stack->v8;
    v8_word length, word;
    if (!v8_field_word(v8, array, v8->layout.array_length, &length) || !v8_is_smi(length)) return;
    for (int32_t i = 0; i < v8_smi(length) && i < MOST_FRAMES; i++) {
        if (!v8_word_at(v8, array, v8->layout.array_data.offset + 8u * (uint32_t)i, &word)) return;
        pm_addr site = v8_target(v8, word);
        enum v8_type type = site ? v8_type_at(v8, site) : V8_T_OTHER;
        if (type == V8_T_CALL_SITE_INFO || type == V8_T_STACK_FRAME_INFO) read_call_site(stack, site);
    }
}

static void read_stack_value(struct memory_of_stack *stack, pm_addr value) {
    const struct v8_map *map = v8_map(stack->v8, value);
    if (!map) return;
    if (v8_is_string(map))
        read_lines(stack, value);
    else if (map->type == V8_T_FIXED_ARRAY)
        read_call_sites(stack, value);
}

/* The stack stands under a symbol of V8's own, or (V8's text, a program's own) under `stack`; what is none of
 * it has no such lines. */
static bool visit_property(void *context, const struct v8_property *property) {
    struct memory_of_stack *stack = context;
    const struct v8 *v8 = stack->v8;
    pm_addr value = property->is_element || property->is_accessor || property->is_double
                        ? 0
                        : v8_target(v8, property->value);
    struct v8_thing data;
    v8_word word;
    if (!value) return true;
    if (v8_type_at(v8, value) == V8_T_ERROR_STACK_DATA && v8_thing_load(v8, value, &data)) {
        for (uint64_t offset = 8; offset < data.size && !stack->count; offset += 8)
            if (v8_thing_word(v8, &data, offset, &word) && v8_target(v8, word))
                read_stack_value(stack, v8_target(v8, word));
    } else {
        read_stack_value(stack, value);
    }
    return stack->count == 0;
}

/* ---- the error ---- */

static bool is_error(const struct v8 *v8, v8_word word) {
    return v8_is_strong(word) && v8_type_at(v8, v8_untag(word)) == V8_T_JS_ERROR;
}

static void read_error(const struct v8 *v8, v8_word thrown, struct pm_arena *arena, struct v8_thrown *ret) {
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    struct memory_of_stack stack = {.v8 = v8, .arena = arena};
    pm_addr object = v8_is_pointer(thrown) ? v8_untag(thrown) : 0;
    v8_word message;
    *ret = (struct v8_thrown){0};
    if (object && v8_is_js_object(v8, v8_map(v8, object))) v8_properties(v8, object, visit_property, &stack);
    if (is_error(v8, thrown) || stack.count) {
        const char *name = v8_class_name(v8, object, arena);
        pm_strbuf_append(&text, name ? name : "Error");
        if (v8_property_named(v8, object, "message", &message) && v8_is_pointer(message)) {
            pm_strbuf_append(&text, ": ");
            v8_string_text(v8, v8_untag(message), 0, MOST_MESSAGE, &text);
        }
    } else {
        v8_describe(v8, thrown, MOST_MESSAGE, &text);
    }
    ret->text = text.length && !text.failed ? pm_arena_copy(arena, text.bytes, text.length) : NULL;
    ret->frames = stack.count ? pm_arena_array(arena, stack.count, sizeof(*ret->frames)) : NULL;
    if (!ret->frames) return;
    memcpy(ret->frames, stack.frames, stack.count * sizeof(*ret->frames));
    ret->frame_count = stack.count;
}

void v8_thrown_argument(const struct v8 *v8, pm_addr frame_pointer, struct pm_arena *arena,
                        struct v8_thrown *ret) {
    v8_word thrown;
    *ret = (struct v8_thrown){0};
    if (pm_mem_u64(v8->mem, frame_pointer + 16, &thrown)) read_error(v8, thrown, arena, ret);
}

void v8_thrown_between(const struct v8 *v8, pm_addr from, pm_addr to, struct pm_arena *arena,
                       struct v8_thrown *ret) {
    *ret = (struct v8_thrown){0};
    /* The error itself; if no frame kept it, a handle to it; errors that are no Error to V8 (a class of the
     * old style, as axios has) are told by the stack they carry. */
    for (int kind = 0; kind < 4; kind++)
        for (pm_addr at = from & ~(pm_addr)7; at < to && at - from < ERROR_WINDOW; at += 8) {
            v8_word word;
            bool by_handle = kind & 1, by_stack = kind & 2;
            if (!pm_mem_u64(v8->mem, at, &word)) break;
            if (by_handle && ((word & 7) || !pm_mem_u64(v8->mem, word, &word))) continue;
            if (!by_stack && !is_error(v8, word)) continue;
            if (by_stack && (!v8_is_strong(word) || !v8_is_js_object(v8, v8_map(v8, v8_untag(word)))))
                continue;
            read_error(v8, word, arena, ret);
            if (!by_stack || ret->frame_count) return;
            *ret = (struct v8_thrown){0};
        }
}
