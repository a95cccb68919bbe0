/* object_access.h - one object, checked once, then read word by word. Internal to the readers of objects.h.
 *
 * A v8_thing is an address with a sane map and a size that lies inside its page. Words are read only inside
 * that size, so no count or offset found in memory can lead out of the object. Nothing here fails loudly:
 * what is not there is false / 0. */
#ifndef PM_V8LAYOUT_OBJECT_ACCESS_H
#define PM_V8LAYOUT_OBJECT_ACCESS_H

#include "v8layout/heap.h"

struct v8_thing {
    pm_addr address;
    uint64_t size;
    const struct v8_map *map;
    enum v8_type type;
};

static inline bool v8_thing_load(const struct v8 *v8, pm_addr address, struct v8_thing *ret) {
    const struct v8_map *map = address ? v8_map(v8, address) : NULL;
    if (!map) return false;
    uint64_t size = v8_size(v8, address);
    if (size < 8) return false;
    *ret = (struct v8_thing){address, size, map, (enum v8_type)map->type};
    return true;
}
static inline bool v8_thing_of_type(const struct v8 *v8, pm_addr address, enum v8_type type,
                                    struct v8_thing *ret) {
    return v8_thing_load(v8, address, ret) && ret->type == type;
}
static inline bool v8_thing_word(const struct v8 *v8, const struct v8_thing *thing, uint64_t offset,
                                 v8_word *ret) {
    return offset + 8 <= thing->size && pm_mem_u64(v8->mem, thing->address + offset, ret);
}
static inline bool v8_thing_u32(const struct v8 *v8, const struct v8_thing *thing, uint64_t offset,
                                uint32_t *ret) {
    return offset + 4 <= thing->size && pm_mem_u32(v8->mem, thing->address + offset, ret);
}
/* A Smi that counts something: never negative. */
static inline bool v8_thing_count(const struct v8 *v8, const struct v8_thing *thing, uint64_t offset,
                                  uint32_t *ret) {
    v8_word word;
    if (!v8_thing_word(v8, thing, offset, &word) || !v8_is_smi(word) || v8_smi(word) < 0) return false;
    *ret = (uint32_t)v8_smi(word);
    return true;
}

/* The object a word refers to (weakly or not), followed to where a collection moved it; 0 = a Smi, cleared,
 * or no object. */
static inline pm_addr v8_target(const struct v8 *v8, v8_word word) {
    if (!v8_is_pointer(word)) return 0;
    pm_addr object = v8_untag(word);
    v8_word first;
    if (v8_map(v8, object)) return object;
    if (pm_mem_u64(v8->mem, object, &first) && first != 0 && (first & 7) == 0 && v8_map(v8, first))
        return first;
    return 0;
}
static inline pm_addr v8_thing_ref(const struct v8 *v8, const struct v8_thing *thing, struct v8_field field) {
    v8_word word;
    return field.present && v8_thing_word(v8, thing, field.offset, &word) ? v8_target(v8, word) : 0;
}

/* Names: String or Symbol. */
static inline bool v8_is_name(const struct v8_map *map) {
    return map && (v8_is_string(map) || map->type == V8_T_SYMBOL);
}

/* JSObject in the sense of src/objects/instance-type.h: receivers but proxies and WebAssembly objects. */
static inline bool v8_is_js_object(const struct v8 *v8, const struct v8_map *map) {
    return map && v8->layout.first_js_object && map->instance_type >= v8->layout.first_js_object;
}

/* JSFunction and its subclasses (FIRST_JS_FUNCTION_TYPE .. LAST_JS_FUNCTION_TYPE), not bound or wrapped
 * functions. */
static inline bool v8_is_function_type(enum v8_type type) {
    switch (type) {
    case V8_T_JS_FUNCTION:
    case V8_T_BIGINT64_TYPED_ARRAY_CONSTRUCTOR:
    case V8_T_BIGUINT64_TYPED_ARRAY_CONSTRUCTOR:
    case V8_T_FLOAT16_TYPED_ARRAY_CONSTRUCTOR:
    case V8_T_FLOAT32_TYPED_ARRAY_CONSTRUCTOR:
    case V8_T_FLOAT64_TYPED_ARRAY_CONSTRUCTOR:
    case V8_T_INT8_TYPED_ARRAY_CONSTRUCTOR:
    case V8_T_INT16_TYPED_ARRAY_CONSTRUCTOR:
    case V8_T_INT32_TYPED_ARRAY_CONSTRUCTOR:
    case V8_T_UINT8_TYPED_ARRAY_CONSTRUCTOR:
    case V8_T_UINT16_TYPED_ARRAY_CONSTRUCTOR:
    case V8_T_UINT32_TYPED_ARRAY_CONSTRUCTOR:
    case V8_T_UINT8_CLAMPED_TYPED_ARRAY_CONSTRUCTOR:
    case V8_T_JS_ARRAY_CONSTRUCTOR:
    case V8_T_JS_PROMISE_CONSTRUCTOR:
    case V8_T_JS_REG_EXP_CONSTRUCTOR:
    case V8_T_JS_CLASS_CONSTRUCTOR: return true;
    default: return false;
    }
}

static inline bool v8_is_context_type(enum v8_type type) {
    switch (type) {
    case V8_T_AWAIT_CONTEXT:
    case V8_T_BLOCK_CONTEXT:
    case V8_T_CATCH_CONTEXT:
    case V8_T_DEBUG_EVALUATE_CONTEXT:
    case V8_T_EVAL_CONTEXT:
    case V8_T_FUNCTION_CONTEXT:
    case V8_T_MODULE_CONTEXT:
    case V8_T_NATIVE_CONTEXT:
    case V8_T_SCRIPT_CONTEXT:
    case V8_T_WITH_CONTEXT: return true;
    default: return false;
    }
}

/* Oddballs and holes by what they are, not by where the roots table has them: undefined, null, true, false
 * are told by their to_string text; a hole is a HOLE object (V8 12 and later) or the oddball of kind 2
 * (before; src/objects/oddball.h). */
enum v8_oddball { V8_NOT_ODDBALL, V8_UNDEFINED, V8_NULL, V8_TRUE, V8_FALSE, V8_HOLE, V8_OTHER_ODDBALL };
enum v8_oddball v8_oddball_of(const struct v8 *v8, v8_word word); /* strings.c */

/* The parts of a string, left to right, without recursion: calls visit with the units of each flat part.
 * `width` is 1 or 2 (not aligned). Returns true when all of [from, from + most) was readable; visit false =
 * stop. strings.c */
typedef bool v8_visit_units(void *context, const uint8_t *units, unsigned width, uint32_t count);
bool v8_string_units(const struct v8 *v8, pm_addr string, uint32_t from, uint32_t most, v8_visit_units *visit,
                     void *context);

/* One own property by its key (the address of an internalized string or symbol; 0 = by text), or by the key's
 * text; no elements. properties.c */
struct v8_key {
    pm_addr address;
    const char *text; /* ASCII; of a symbol: its description */
    bool symbol;
};
enum v8_found { V8_ABSENT, V8_DATA, V8_ACCESSOR };
enum v8_found v8_own_property(const struct v8 *v8, const struct v8_thing *object, const struct v8_key *key,
                              v8_word *ret);

/* bit_field3 of a map (src/objects/map.h), the same in V8 9.4 to 14.6; the second and third are published as
 * v8dbg constants. */
#define V8_MAP_OWN_DESCRIPTORS(bits) (((bits) >> 10) & 0x3ffu)
#define V8_MAP_IS_PROTOTYPE          (1u << 20)
#define V8_MAP_IS_DICTIONARY         (1u << 21)
/* bit_field and bit_field2 */
#define V8_MAP_IS_CALLABLE         (1u << 1)
#define V8_MAP_ACCESS_CHECK        (1u << 5)
#define V8_MAP_PROTOTYPE_SLOT      (1u << 7)
#define V8_MAP_NEW_TARGET_IS_BASE  (1u << 0)
#define V8_MAP_ELEMENTS_KIND(bits) (((unsigned)(bits) >> 2) & 0x3fu)

/* PropertyDetails (src/objects/property-details.h): a Smi. */
#define V8_DETAILS_ACCESSOR       1u
#define V8_DETAILS_FIELD_INDEX(d) (((d) >> 19) & 0x3ffu)

/* The constructor of a map: back pointers followed (Map::GetConstructor); 0 = none. names.c */
pm_addr v8_map_constructor(const struct v8 *v8, const struct v8_map *map);
/* The function whose class the objects of a map are of. The map of `class Orders extends EventEmitter` has
 * EventEmitter as its constructor (JSFunction::GetDerivedMap, src/objects/js-function.cc): Orders is what the
 * prototype says. 0 = none. */
pm_addr v8_class_constructor(const struct v8 *v8, const struct v8_map *map);

#endif
