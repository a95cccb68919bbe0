#include "v8layout/objects.h"

#include "postmortem/base/limits.h"
#include "v8layout/object_access.h"
#include "v8layout/variants/scope_info.h"

#include <string.h>

/* names.c - the class of an object, as V8's heap snapshot and DevTools' class column name it, so that our
 * histogram and the snapshot of the same process can be laid side by side.
 *
 * A node of a snapshot has a type and a name: V8HeapExplorer::AddEntry in
 * src/profiler/heap-snapshot-generator.cc. DevTools makes the class of it: JSHeapSnapshotNode.className in
 * front_end/entrypoints/heap_snapshot_worker/HeapSnapshot.ts:
 *
 *   type object        the name: the constructor's, see below; `system / Context` for contexts
 *   type hidden        (system)
 *   type code          (compiled code)
 *   any other type T   (T): (closure) (regexp) (string) (concatenated string) (sliced string) (number)
 *                      (bigint) (symbol) (array) (object shape)
 *
 * Which internal objects are hidden, code or object shape moved between V8 versions: shapes were hidden up to
 * V8 10.2, ScopeInfo and FeedbackCell were hidden in 9.4, CodeWrapper was in 12.4. We follow the lists of V8
 * 13.6 for every version, so these rows can be compared between processes, but their border lines differ from
 * the ones in a snapshot written by another V8. Two things no list of types can tell, and we do not: a
 * snapshot shows arrays that only code refers to (constant pools, boilerplate elements, line ends) as
 * (compiled code), we as (array); and V8 14 says `global (global*)` for global objects, we `global`.
 *
 * THE CONSTRUCTOR'S NAME: JSReceiver::GetConstructorName in src/objects/js-objects.cc.
 *
 *   1. If the map says "new.target was the base constructor" and is no prototype's map: the constructor of
 *      the map, found by following back pointers. A JSFunction: the name of its SharedFunctionInfo (or the
 *      one the parser inferred) unless it is empty or "Object". A FunctionTemplateInfo: its class name.
 *   2. Else along the prototype chain: a string under Symbol.toStringTag, of the object itself or of a
 *      prototype, and from the first prototype on the name of the function under "constructor", again unless
 *      empty or "Object". Data properties only. V8 10.1 to 14.6 ask for both on each object in turn, so
 *      `class Cache extends Map` is Cache; V8 9.0 to 9.6 looked for the tag on the whole chain first, so
 *      there it is Map. Which of the two holds is told by the ScopeInfo's form, which changed between 9.6
 *      and 10.1.
 *   3. Else the name of the kind of object (JSReceiver::class_name).
 *
 * Checked against the heap snapshots of 24 releases from Node 16.0 to 26.10: all other rows are equal. */

/* ---- internal objects ---- */

static const char *class_of_string(const struct v8_map *map) {
    switch (map->instance_type & V8_STRING_SHAPE_MASK) {
    case V8_STRING_CONS: return "(concatenated string)";
    case V8_STRING_SLICED: return "(sliced string)";
    default: return "(string)";
    }
}

/* clang-format off */
static const uint16_t array_types[] = {
    V8_T_FIXED_ARRAY, V8_T_HASH_TABLE, V8_T_EPHEMERON_HASH_TABLE, V8_T_GLOBAL_DICTIONARY, V8_T_NAME_DICTIONARY,
    V8_T_NUMBER_DICTIONARY, V8_T_ORDERED_HASH_MAP, V8_T_ORDERED_HASH_SET, V8_T_ORDERED_NAME_DICTIONARY,
    V8_T_SIMPLE_NUMBER_DICTIONARY, V8_T_SIMPLE_NAME_DICTIONARY, V8_T_NAME_TO_INDEX_HASH_TABLE,
    V8_T_REGISTERED_SYMBOL_TABLE, V8_T_FIXED_DOUBLE_ARRAY, V8_T_BYTE_ARRAY, 0};

/* V8HeapExplorer::GetSystemEntryType, and the arrays that a BytecodeArray tags as code. */
static const uint16_t code_types[] = {
    V8_T_CODE, V8_T_CODE_DATA_CONTAINER, V8_T_INSTRUCTION_STREAM, V8_T_SHARED_FUNCTION_INFO, V8_T_SCRIPT,
    V8_T_ALLOCATION_SITE, V8_T_ARRAY_BOILERPLATE_DESCRIPTION, V8_T_BYTECODE_ARRAY, V8_T_BYTECODE_WRAPPER,
    V8_T_CLOSURE_FEEDBACK_CELL_ARRAY, V8_T_CODE_WRAPPER, V8_T_FEEDBACK_CELL, V8_T_FEEDBACK_METADATA,
    V8_T_FEEDBACK_VECTOR, V8_T_INTERPRETER_DATA, V8_T_LOAD_HANDLER, V8_T_OBJECT_BOILERPLATE_DESCRIPTION,
    V8_T_PREPARSE_DATA, V8_T_REG_EXP_BOILERPLATE_DESCRIPTION, V8_T_SCOPE_INFO, V8_T_STORE_HANDLER,
    V8_T_TEMPLATE_OBJECT_DESCRIPTION, V8_T_UNCOMPILED_DATA_WITH_PREPARSE_DATA,
    V8_T_UNCOMPILED_DATA_WITHOUT_PREPARSE_DATA, V8_T_UNCOMPILED_DATA_WITH_PREPARSE_DATA_AND_JOB,
    V8_T_UNCOMPILED_DATA_WITHOUT_PREPARSE_DATA_WITH_JOB, V8_T_TRUSTED_BYTE_ARRAY, V8_T_TRUSTED_FIXED_ARRAY,
    V8_T_PROTECTED_FIXED_ARRAY, 0};

static const uint16_t shape_types[] = {
    V8_T_MAP, V8_T_DESCRIPTOR_ARRAY, V8_T_STRONG_DESCRIPTOR_ARRAY, V8_T_TRANSITION_ARRAY, V8_T_PROTOTYPE_INFO,
    V8_T_ENUM_CACHE, 0};
/* clang-format on */

static bool is_one_of(enum v8_type type, const uint16_t *types) {
    while (*types && *types != type) types++;
    return *types != 0;
}

/* Objects that are not receivers (and the receivers V8 counts as internal). */
static const char *class_of_internal(enum v8_type type) {
    if (type == V8_T_SYMBOL) return "(symbol)";
    if (type == V8_T_HEAP_NUMBER) return "(number)";
    if (type == V8_T_BIG_INT_BASE) return "(bigint)";
    if (v8_is_context_type(type) && type != V8_T_NATIVE_CONTEXT) return "system / Context";
    if (is_one_of(type, array_types)) return "(array)";
    if (is_one_of(type, code_types)) return "(compiled code)";
    return is_one_of(type, shape_types) ? "(object shape)" : "(system)";
}

/* ---- constructors ---- */

pm_addr v8_map_constructor(const struct v8 *v8, const struct v8_map *map) {
    pm_addr at = map->address;
    for (int i = 0; i < PM_MAX_BACK_POINTERS; i++) {
        at = v8_ref(v8, at, v8->layout.map_constructor);
        switch (v8_type_at(v8, at)) {
        case V8_T_MAP: continue; /* back pointer to the map this one was made from */
        case V8_T_TUPLE2: {      /* (constructor, non-instance prototype) */
            v8_word word;
            return v8_word_at(v8, at, 8, &word) ? v8_target(v8, word) : 0;
        }
        default: return at;
        }
    }
    return 0;
}

/* The name a constructor function gives to its objects; NULL = none of its own. */
static const char *name_of_constructor(const struct v8 *v8, pm_addr constructor, struct pm_arena *arena) {
    if (!v8_is_function_type(v8_type_at(v8, constructor))) return NULL;
    const char *name = v8_function_name(v8, constructor, arena);
    return name && name[0] && strcmp(name, "Object") != 0 ? name : NULL;
}

static const char *template_class_name(const struct v8 *v8, pm_addr template, struct pm_arena *arena) {
    if (v8_type_at(v8, template) != V8_T_FUNCTION_TEMPLATE_INFO) return NULL;
    pm_addr name = v8_ref(v8, template, v8->layout.template_class_name);
    return v8_is_string(v8_map(v8, name)) ? v8_name_text(v8, name, arena) : NULL;
}

/* Rule 1. */
static const char *name_by_map(const struct v8 *v8, const struct v8_map *map, struct pm_arena *arena) {
    if (!(map->bit_field2 & V8_MAP_NEW_TARGET_IS_BASE) || (map->bit_field3 & V8_MAP_IS_PROTOTYPE))
        return NULL;
    pm_addr constructor = v8_map_constructor(v8, map);
    const char *name = name_of_constructor(v8, constructor, arena);
    return name ? name : template_class_name(v8, constructor, arena);
}

struct chain_keys {
    struct v8_key tag, constructor;
};

/* The object at a place of the roots table; 0 = not known, then keys are compared by their text. */
static pm_addr root_at(const struct v8 *v8, struct v8_field place) {
    v8_word word;
    if (!place.present || v8->isolate_count == 0 ||
        !v8_word_at(v8, v8->isolates[0].address, v8->layout.roots_table + place.offset, &word))
        return 0;
    return v8_target(v8, word);
}

static struct v8_key to_string_tag(const struct v8 *v8) {
    return (struct v8_key){
        .address = root_at(v8, v8->layout.root_to_string_tag), .text = "Symbol.toStringTag", .symbol = true};
}

static struct chain_keys chain_keys(const struct v8 *v8) {
    return (struct chain_keys){
        .tag = to_string_tag(v8),
        .constructor = {.address = root_at(v8, v8->layout.root_constructor), .text = "constructor"},
    };
}

static const char *own_tag(const struct v8 *v8, const struct chain_keys *keys, const struct v8_thing *object,
                           bool *stop, struct pm_arena *arena) {
    v8_word value;
    enum v8_found found = v8_own_property(v8, object, &keys->tag, &value);
    pm_addr string = found == V8_DATA ? v8_target(v8, value) : 0;
    *stop = found != V8_ABSENT;
    return v8_is_string(v8_map(v8, string)) ? v8_name_text(v8, string, arena) : NULL;
}

static const char *own_constructor(const struct v8 *v8, const struct chain_keys *keys,
                                   const struct v8_thing *object, bool *stop, struct pm_arena *arena) {
    v8_word value;
    enum v8_found found = v8_own_property(v8, object, &keys->constructor, &value);
    *stop = found != V8_ABSENT;
    return found == V8_DATA ? name_of_constructor(v8, v8_target(v8, value), arena) : NULL;
}

/* The prototype of a map as an object; false at the end of the chain (null, or a proxy). */
static bool next_prototype(const struct v8 *v8, const struct v8_map *map, struct v8_thing *ret) {
    return v8_thing_load(v8, v8_ref(v8, map->address, v8->layout.map_prototype), ret) &&
           v8_is_js_object(v8, ret->map);
}

pm_addr v8_class_constructor(const struct v8 *v8, const struct v8_map *map) {
    struct chain_keys keys = chain_keys(v8);
    struct v8_thing prototype;
    v8_word value;
    bool derived = !(map->bit_field2 & V8_MAP_NEW_TARGET_IS_BASE) && !(map->bit_field3 & V8_MAP_IS_PROTOTYPE);
    if (derived && next_prototype(v8, map, &prototype) &&
        v8_own_property(v8, &prototype, &keys.constructor, &value) == V8_DATA &&
        v8_is_function_type(v8_type_at(v8, v8_target(v8, value))))
        return v8_target(v8, value);
    return v8_map_constructor(v8, map);
}

/* Rule 2 on the prototypes of a map, each in turn. */
static const char *name_by_prototypes(const struct v8 *v8, const struct chain_keys *keys,
                                      const struct v8_map *map, struct pm_arena *arena) {
    struct v8_thing at;
    const char *name;
    bool stop;
    for (int i = 0; i < PM_MAX_PROTOTYPES && next_prototype(v8, map, &at); i++, map = at.map) {
        if ((name = own_tag(v8, keys, &at, &stop, arena))) return name;
        if ((name = own_constructor(v8, keys, &at, &stop, arena))) return name;
    }
    return NULL;
}

/* Rule 2 as in V8 9.4: GetDataProperty along the whole chain; the first property of that name ends the
 * search, whatever it holds. `tag_found`: the object itself has a tag, but no string. */
static const char *name_by_prototypes_old(const struct v8 *v8, const struct chain_keys *keys,
                                          const struct v8_map *first, bool tag_found,
                                          struct pm_arena *arena) {
    struct v8_thing at;
    const struct v8_map *map = first;
    const char *name = NULL;
    for (int i = 0; !tag_found && i < PM_MAX_PROTOTYPES && next_prototype(v8, map, &at); i++, map = at.map)
        if ((name = own_tag(v8, keys, &at, &tag_found, arena))) return name;
    map = first;
    bool found = false;
    for (int i = 0; !found && i < PM_MAX_PROTOTYPES && next_prototype(v8, map, &at); i++, map = at.map)
        name = own_constructor(v8, keys, &at, &found, arena);
    return name;
}

/* Rule 3 by type; NULL = depends on the object. */
static const char *name_by_kind(const struct v8_map *map) {
    switch ((enum v8_type)map->type) {
    case V8_T_JS_BOUND_FUNCTION:
    case V8_T_JS_WRAPPED_FUNCTION: return "Function";
    case V8_T_JS_ARGUMENTS_OBJECT: return "Arguments";
    case V8_T_JS_ARRAY: return "Array";
    case V8_T_JS_ARRAY_BUFFER: return "ArrayBuffer";
    case V8_T_JS_ARRAY_ITERATOR: return "Array Iterator";
    case V8_T_JS_DATE: return "Date";
    case V8_T_JS_ERROR: return "Error";
    case V8_T_JS_GENERATOR_OBJECT:
    case V8_T_JS_ASYNC_FUNCTION_OBJECT:
    case V8_T_JS_ASYNC_GENERATOR_OBJECT: return "Generator";
    case V8_T_JS_MAP: return "Map";
    case V8_T_JS_MAP_KEY_ITERATOR:
    case V8_T_JS_MAP_KEY_VALUE_ITERATOR:
    case V8_T_JS_MAP_VALUE_ITERATOR: return "Map Iterator";
    case V8_T_JS_SET: return "Set";
    case V8_T_JS_SET_KEY_VALUE_ITERATOR:
    case V8_T_JS_SET_VALUE_ITERATOR: return "Set Iterator";
    case V8_T_JS_WEAK_MAP: return "WeakMap";
    case V8_T_JS_WEAK_SET: return "WeakSet";
    case V8_T_JS_GLOBAL_PROXY: return "global";
    case V8_T_JS_PRIMITIVE_WRAPPER: return NULL;
    default: return "Object";
    }
}

static const char *name_of_wrapper(const struct v8 *v8, const struct v8_thing *object) {
    v8_word word;
    const struct v8_layout *layout = &v8->layout;
    if (!layout->primitive_wrapper_value.present ||
        !v8_thing_word(v8, object, layout->primitive_wrapper_value.offset, &word))
        return "Object";
    if (v8_is_smi(word)) return "Number";
    const struct v8_map *map = v8_map(v8, v8_target(v8, word));
    if (v8_is_string(map)) return "String";
    switch (map ? (enum v8_type)map->type : V8_T_OTHER) {
    case V8_T_HEAP_NUMBER: return "Number";
    case V8_T_BIG_INT_BASE: return "BigInt";
    case V8_T_SYMBOL: return "Symbol";
    case V8_T_SCRIPT: return "Script";
    case V8_T_ODDBALL: return "Boolean";
    default: return "Object";
    }
}

/* A fast map has a row for each own property: without the key no object of it has a tag of its own. */
static bool may_have_own_tag(const struct v8 *v8, const struct chain_keys *keys, const struct v8_map *map) {
    if (map->bit_field3 & V8_MAP_IS_DICTIONARY) return true;
    pm_addr descriptors = v8_ref(v8, map->address, v8->layout.map_descriptors);
    struct v8_thing rows;
    v8_word word;
    if (!v8_thing_load(v8, descriptors, &rows)) return false;
    for (uint32_t i = 0; i < V8_MAP_OWN_DESCRIPTORS(map->bit_field3); i++) {
        if (!v8_thing_word(v8, &rows, v8->layout.descriptor_header.offset + 24 * (uint64_t)i, &word))
            return false;
        if (keys->tag.address ? v8_untag(word) == keys->tag.address
                              : v8_type_at(v8, v8_target(v8, word)) == V8_T_SYMBOL)
            return true;
    }
    return false;
}

static const char *name_by_chain(const struct v8 *v8, const struct chain_keys *keys, const struct v8_map *map,
                                 bool tag_found, struct pm_arena *arena) {
    return v8_scope_form_is_old(v8->layout.scope_info_form)
               ? name_by_prototypes_old(v8, keys, map, tag_found, arena)
               : name_by_prototypes(v8, keys, map, arena);
}

/* ---- the two entrances ---- */

static bool first_is_hash(void *context, const uint8_t *units, unsigned width, uint32_t count) {
    (void)count;
    *(bool *)context = units[0] == '#' && (width == 1 || units[1] == 0);
    return false;
}

/* Symbols that only V8 sees: keys of private fields and methods, and internal ones (Symbol::is_any_private,
 * src/objects/name.h). Flags u32@12: up to V8 13.6 bit 0 means private and bit 1 well-known; in V8 14.6 bits
 * 0 and 1 are the kind, 1 private, 2 private name, 3 private brand. Private names begin with #, the
 * descriptions of well-known symbols with "Symbol.". */
static bool is_private_symbol(const struct v8 *v8, const struct v8_thing *symbol) {
    uint32_t flags;
    bool is_hash = false;
    if (!v8_thing_u32(v8, symbol, 12, &flags) || (flags & 3) == 0) return false;
    v8_string_units(v8, v8_thing_ref(v8, symbol, v8->layout.symbol_description), 0, 1, first_is_hash,
                    &is_hash);
    return (flags & 1) || is_hash;
}

bool v8_class_name_of_map(const struct v8 *v8, const struct v8_map *map, struct pm_arena *arena,
                          const char **ret) {
    enum v8_type type = (enum v8_type)map->type;
    *ret = NULL;
    if (v8_is_string(map)) {
        *ret = class_of_string(map);
    } else if (type == V8_T_WASM_ARRAY || type == V8_T_WASM_STRUCT) {
        *ret = type == V8_T_WASM_ARRAY ? "WasmArray" : "WasmStruct";
    } else if (!v8_is_js_object(v8, map)) {
        *ret = class_of_internal(type);
        return type != V8_T_MAP && type != V8_T_SYMBOL; /* hidden: those of V8's own */
    } else if (v8_is_function_type(type) || type == V8_T_JS_BOUND_FUNCTION) {
        *ret = "(closure)";
    } else if (type == V8_T_JS_REG_EXP) {
        *ret = "(regexp)";
    } else if (!(*ret = name_by_map(v8, map, arena))) {
        struct chain_keys keys = chain_keys(v8);
        *ret = name_by_chain(v8, &keys, map, false, arena);
        if (!*ret) *ret = name_by_kind(map);
        return *ret && !may_have_own_tag(v8, &keys, map);
    }
    return true;
}

const char *v8_class_name_of_object(const struct v8 *v8, pm_addr address, const char *of_map,
                                    struct pm_arena *arena) {
    struct v8_thing object;
    bool tag_found;
    if (!v8_thing_load(v8, address, &object)) return "(system)";
    if (object.type == V8_T_MAP) {
        const struct v8_page *page = v8_page_of(v8, address);
        return page && page->space == V8_SPACE_RO ? "(system)" : "(object shape)";
    }
    if (object.type == V8_T_SYMBOL) return is_private_symbol(v8, &object) ? "(system)" : "(symbol)";
    struct chain_keys keys = {.tag = to_string_tag(v8)};
    const char *name = own_tag(v8, &keys, &object, &tag_found, arena);
    if (name) return name;
    if (tag_found) { /* an own tag that is no string: the search for a tag ended here in V8 9.4 */
        keys = chain_keys(v8);
        name = name_by_chain(v8, &keys, object.map, true, arena);
        of_map = name ? name : name_by_kind(object.map);
    }
    return of_map ? of_map : name_of_wrapper(v8, &object);
}

const char *v8_class_name(const struct v8 *v8, pm_addr address, struct pm_arena *arena) {
    const struct v8_map *map = v8_map(v8, address);
    const char *name;
    if (!map) return "(system)";
    return v8_class_name_of_map(v8, map, arena, &name) ? name
                                                       : v8_class_name_of_object(v8, address, name, arena);
}
