#include "v8layout/fields/finder.h"

#include <string.h>

/* samples.c - some hundred objects of each kind, from all over the heap, and what their words are. */

enum {
    SAMPLES_PER_PAGE = 40,
    WALK_OBJECTS = 600000,
    REACHED_OBJECTS = 1 << 16, /* from the roots */
    REACHED_SLOTS = 1 << 18,
    REACHED_WORDS = 512, /* of one object: one large array must not be all that is seen */
    UNNAMED_ROOTS = 1200
};

static enum kind kind_of_type(enum v8_type type) {
    switch (type) {
    case V8_T_JS_ARRAY: return K_ARRAY;
    case V8_T_FIXED_ARRAY: return K_FIXED_ARRAY;
    case V8_T_PROPERTY_ARRAY: return K_PROPERTY_ARRAY;
    case V8_T_DESCRIPTOR_ARRAY:
    case V8_T_STRONG_DESCRIPTOR_ARRAY: return K_DESCRIPTORS;
    case V8_T_SHARED_FUNCTION_INFO: return K_SHARED;
    case V8_T_SCRIPT: return K_SCRIPT;
    case V8_T_UNCOMPILED_DATA_WITH_PREPARSE_DATA:
    case V8_T_UNCOMPILED_DATA_WITHOUT_PREPARSE_DATA: return K_UNCOMPILED;
    case V8_T_BYTECODE_ARRAY: return K_BYTECODE;
    case V8_T_INTERPRETER_DATA: return K_INTERPRETER_DATA;
    case V8_T_CODE: return K_CODE;
    case V8_T_INSTRUCTION_STREAM: return K_STREAM;
    case V8_T_CONTEXT_CELL: return K_CONTEXT_CELL;
    case V8_T_SYMBOL: return K_SYMBOL;
    case V8_T_HEAP_NUMBER: return K_NUMBER;
    case V8_T_ODDBALL: return K_ODDBALL;
    case V8_T_CELL: return K_CELL;
    case V8_T_PROPERTY_CELL: return K_PROPERTY_CELL;
    case V8_T_FEEDBACK_CELL: return K_FEEDBACK_CELL;
    case V8_T_JS_MAP:
    case V8_T_JS_SET: return K_COLLECTION;
    case V8_T_JS_WEAK_MAP:
    case V8_T_JS_WEAK_SET: return K_WEAK_COLLECTION;
    case V8_T_JS_PROMISE: return K_PROMISE;
    case V8_T_PROMISE_REACTION: return K_REACTION;
    case V8_T_JS_GENERATOR_OBJECT: return K_GENERATOR;
    case V8_T_JS_ASYNC_FUNCTION_OBJECT: return K_ASYNC_FUNCTION;
    case V8_T_JS_ASYNC_GENERATOR_OBJECT: return K_ASYNC_GENERATOR;
    case V8_T_JS_PROXY: return K_PROXY;
    case V8_T_JS_BOUND_FUNCTION: return K_BOUND;
    case V8_T_JS_WEAK_REF: return K_WEAK_REF;
    case V8_T_WEAK_CELL: return K_WEAK_CELL;
    case V8_T_JS_DATE: return K_DATE;
    case V8_T_JS_REG_EXP: return K_REGEXP;
    case V8_T_JS_PRIMITIVE_WRAPPER: return K_WRAPPER;
    case V8_T_JS_ARRAY_BUFFER: return K_BUFFER;
    case V8_T_JS_TYPED_ARRAY: return K_VIEW;
    case V8_T_FUNCTION_TEMPLATE_INFO: return K_TEMPLATE;
    case V8_T_FOREIGN: return K_FOREIGN;
    case V8_T_SCOPE_INFO: return K_SCOPE_INFO;
    case V8_T_NAME_DICTIONARY: return K_NAME_DICTIONARY;
    case V8_T_ORDERED_HASH_MAP:
    case V8_T_ORDERED_HASH_SET: return K_ORDERED;
    default:
        if (v8_is_function_type(type)) return K_FUNCTION;
        return v8_is_context_type(type) && type != V8_T_NATIVE_CONTEXT ? K_CONTEXT : K_NONE;
    }
}

static enum kind kind_of_string(const struct v8_map *map) {
    switch (map->instance_type & V8_STRING_SHAPE_MASK) {
    case V8_STRING_SEQ: return K_SEQ;
    case V8_STRING_CONS: return K_CONS;
    case V8_STRING_SLICED: return K_SLICED;
    case V8_STRING_THIN: return K_THIN;
    case V8_STRING_EXTERNAL: return map->instance_type & V8_STRING_UNCACHED ? K_NONE : K_EXTERNAL;
    default: return K_NONE;
    }
}

unsigned v8_classify(const struct v8 *v8, v8_word word, enum v8_type *type_ret) {
    *type_ret = V8_T_OTHER;
    if (v8_is_smi(word)) return IS_SMI | (word == 0 ? IS_ZERO : 0);
    const struct v8_map *map = v8_map(v8, v8_target(v8, word));
    if (!map) return IS_RAW;
    *type_ret = (enum v8_type)map->type;
    if (v8_is_string(map)) return IS_STRING;
    if (v8_is_receiver(v8, map)) return IS_RECEIVER | (map->bit_field & V8_MAP_IS_CALLABLE ? IS_CALLABLE : 0);
    if (map->type == V8_T_SYMBOL) return IS_SYMBOL;
    if (map->type == V8_T_ODDBALL || map->type == V8_T_HOLE) return IS_ODDBALL;
    return v8_is_context_type((enum v8_type)map->type) ? IS_CONTEXT | IS_OTHER : IS_OTHER;
}

static void take(struct finder *f, enum kind kind, const struct v8_object *object) {
    if (kind == K_NONE || f->count[kind] == V8_SAMPLES || f->from_page[kind] == SAMPLES_PER_PAGE) return;
    f->samples[kind][f->count[kind]++] = (struct sample){object->address, object->size, object->map};
    f->from_page[kind]++;
}

static bool visit(void *context, const struct v8_object *object) {
    struct finder *f = context;
    const struct v8_map *map = object->map;
    f->walked++;
    if (v8_is_string(map)) {
        take(f, kind_of_string(map), object);
    } else if (map->type == V8_T_MAP) {
        const struct v8_map *self = v8_map_at(f->v8, object->address);
        if (self && v8_is_js_object(f->v8, self))
            take(f, K_MAP, &(struct v8_object){object->address, object->bytes, object->size, self});
    } else {
        take(f, kind_of_type((enum v8_type)map->type), object);
        if (map->type == V8_T_MODULE_CONTEXT) take(f, K_MODULE_CONTEXT, object);
        if (v8_is_js_object(f->v8, map)) {
            take(f, K_OBJECT, object);
            if (map->type == V8_T_OTHER && (map->bit_field & V8_MAP_IS_CALLABLE)) take(f, K_CALLABLE, object);
        }
    }
    return true;
}

/* ---- from the roots ----
 *
 * In a large heap that is full of one program's data, scripts, functions and code are on a few pages out of
 * thousands, and no fair choice of pages finds them. But they are near the roots: breadth first from there.
 */

struct reached {
    pm_addr *queue, *seen; /* seen: open addressing, at most a quarter full */
    size_t count;
};

static void reach(struct finder *f, struct reached *reached, v8_word word) {
    pm_addr object = v8_is_smi(word) ? 0 : v8_target(f->v8, word);
    if (!object || reached->count == REACHED_OBJECTS) return;
    size_t slot = (size_t)((object >> 3) * 0x9e3779b97f4a7c15u >> 46);
    while (reached->seen[slot] && reached->seen[slot] != object) slot = (slot + 1) % REACHED_SLOTS;
    if (reached->seen[slot]) return;
    reached->seen[slot] = object;
    reached->queue[reached->count++] = object;
}

static void reach_from(struct finder *f, struct reached *reached, pm_addr object) {
    const struct v8_map *map = v8_map(f->v8, object);
    uint64_t size = map ? v8_size(f->v8, object) : 0;
    if (size < 8) return;
    memset(f->from_page, 0, sizeof(f->from_page));
    visit(f, &(struct v8_object){.address = object, .size = size, .map = map});
    if (v8_is_string(map)) return;
    for (uint64_t offset = 0; offset + 8 <= size && offset < 8 * REACHED_WORDS; offset += 8) {
        v8_word word;
        if (pm_mem_u64(f->v8->mem, object + offset, &word)) reach(f, reached, word);
    }
}

static void collect_reached(struct finder *f) {
    const struct v8 *v8 = f->v8;
    struct reached reached = {calloc(REACHED_OBJECTS, sizeof(pm_addr)),
                              calloc(REACHED_SLOTS, sizeof(pm_addr)), 0};
    uint32_t roots = v8->layout.roots_count ? v8->layout.roots_count : UNNAMED_ROOTS;
    v8_word word;
    if (reached.queue && reached.seen && v8->isolate_count && v8->layout.roots_table) {
        pm_addr table = v8->isolates[0].address + v8->layout.roots_table;
        for (uint32_t i = 0; i < roots; i++)
            if (pm_mem_u64(v8->mem, table + 8 * (uint64_t)i, &word)) reach(f, &reached, word);
    }
    for (size_t i = 0; i < reached.count; i++) reach_from(f, &reached, reached.queue[i]);
    free(reached.queue);
    free(reached.seen);
}

/* Pages in an order that is spread over the whole heap; the read-only ones first: they have the oddballs. */
void v8_collect_samples(struct finder *f) {
    const struct v8 *v8 = f->v8;
    struct v8_walk_stats stats = {0};
    size_t count = v8->page_count, step = count * 5 / 8 | 1;
    for (size_t i = 0; i < count; i++)
        if (v8->pages[i].live && v8->pages[i].space == V8_SPACE_RO) {
            memset(f->from_page, 0, sizeof(f->from_page));
            v8_walk_page(f->walker, &v8->pages[i], visit, f, &stats);
        }
    while (count > 1 && __builtin_expect(count % step == 0, 0)) step += 2;
    for (size_t i = 0, at = 0; i < count && f->walked < WALK_OBJECTS; i++, at = (at + step) % count)
        if (v8->pages[at].live && v8->pages[at].space != V8_SPACE_RO) {
            memset(f->from_page, 0, sizeof(f->from_page));
            v8_walk_page(f->walker, &v8->pages[at], visit, f, &stats);
        }
    collect_reached(f);
}
