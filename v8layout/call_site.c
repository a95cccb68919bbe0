#include "v8layout/call_site.h"

#include <stdlib.h>
#include <string.h>

#include "postmortem/base/limits.h"
#include "v8layout/object_access.h"

/* Properties looked at for one method name: an object used as a dictionary may have millions, V8 itself would
 * look at all. */
#define MAX_PROPERTIES 50000u
/* eval inside of eval inside of ... */
#define MAX_EVAL_DEPTH 16
#define VALUE_WIDTH    40

/* ---- one table for everything that is computed once ---- */

enum entry_kind { ENTRY_FUNCTION = 1, ENTRY_NAME, ENTRY_LINE, ENTRY_FILE, ENTRY_VALUE };

struct entry {
    uint8_t kind; /* enum entry_kind, 0 = free */
    bool flag, flag2;
    uint64_t key, key2;
    const void *value; /* ENTRY_LINE: unused */
    uint32_t line, column;
};

/* The wording changed a few times. Which one holds is told by parts of the layout that changed about then; no
 * version is asked. */
struct rules {
    bool type_unless_prefix;  /* V8 9: a type goes before every name that does not begin with it */
    bool class_is_type;       /* V8 10.2 and later: a class as receiver gives its own name */
    bool space_ends_name;     /* V8 12 and later: `get total` says `total` already */
    bool function_is_type;    /* V8 13.6 and later: every function as receiver does */
    bool constructor_by_name; /* V8 14.6: the property `name` of a constructor counts */
};

struct v8_call_sites {
    const struct v8 *v8;
    struct rules rules;
    struct pm_arena *arena;
    struct entry *entries;
    size_t capacity, count; /* capacity is a power of two */
};

struct v8_call_sites *v8_call_sites_create(const struct v8 *v8, struct pm_arena *arena) {
    struct v8_call_sites *sites = calloc(1, sizeof(*sites));
    if (!sites) return NULL;
    sites->v8 = v8;
    sites->arena = arena;
    sites->rules = (struct rules){
        .type_unless_prefix =
            v8->layout.location_bit == 1 || (v8->layout.root_names && !v8_root(v8, "call_site_info_map")),
        .class_is_type =
            v8_root(v8, "promise_on_stack_map") || v8->layout.stream_code.present || !v8->layout.root_names,
        .space_ends_name = v8->layout.chunk_flags.present && v8->layout.chunk_flags.offset == 0,
        .function_is_type = v8->layout.function_dispatch_handle.present,
        .constructor_by_name = v8_root(v8, "prototype_shared_closure_info_map") != 0,
    };
    sites->capacity = 256;
    sites->entries = calloc(sites->capacity, sizeof(*sites->entries));
    if (!sites->entries) {
        free(sites);
        return NULL;
    }
    return sites;
}

void v8_call_sites_destroy(struct v8_call_sites *sites) {
    if (!sites) return;
    free(sites->entries);
    free(sites);
}

static size_t slot_of(const struct v8_call_sites *sites, const struct entry *key) {
    /* Addresses differ in their middle bits only: mix them all into the low ones. */
    uint64_t hash = key->key ^ (key->key2 * 0x9e3779b97f4a7c15ull) ^ ((uint64_t)key->kind << 56) ^
                    ((uint64_t)key->flag << 50) ^ ((uint64_t)key->flag2 << 51);
    hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9ull;
    hash = (hash ^ hash >> 27) * 0x94d049bb133111ebull;
    hash ^= hash >> 31;
    for (size_t at = hash & (sites->capacity - 1);; at = (at + 1) & (sites->capacity - 1)) {
        const struct entry *entry = &sites->entries[at];
        if (!entry->kind || (entry->kind == key->kind && entry->key == key->key && entry->key2 == key->key2 &&
                             entry->flag == key->flag && entry->flag2 == key->flag2))
            return at;
    }
}

static const struct entry *find(const struct v8_call_sites *sites, const struct entry *key) {
    const struct entry *entry = &sites->entries[slot_of(sites, key)];
    return entry->kind ? entry : NULL;
}

static void remember(struct v8_call_sites *sites, const struct entry *entry) {
    if (sites->count * 2 >= sites->capacity) {
        struct entry *old = sites->entries;
        size_t old_capacity = sites->capacity;
        struct entry *grown = calloc(old_capacity * 2, sizeof(*grown));
        if (!grown) return; /* it is only a cache */
        sites->entries = grown;
        sites->capacity = old_capacity * 2;
        for (size_t i = 0; i < old_capacity; i++)
            if (old[i].kind) grown[slot_of(sites, &old[i])] = old[i];
        free(old);
    }
    struct entry *at = &sites->entries[slot_of(sites, entry)];
    if (!at->kind) sites->count++;
    *at = *entry;
}

/* ---- functions ---- */

const struct v8_function *v8_call_site_function(struct v8_call_sites *sites, pm_addr shared) {
    struct entry key = {.kind = ENTRY_FUNCTION, .key = shared};
    const struct entry *known = find(sites, &key);
    if (known) return known->value;
    struct v8_function function;
    if (shared && v8_function_load(sites->v8, shared, sites->arena, &function) && function.shared == shared)
        key.value = pm_arena_dup(sites->arena, &function, 1, sizeof(function));
    remember(sites, &key);
    return key.value;
}

bool v8_shared_is_native(const struct v8 *v8, pm_addr shared) {
    uint32_t flags;
    return v8_field_u32(v8, shared, v8->layout.shared_flags, &flags) && (flags & 1u << 5);
}

/* FunctionKind, the same numbers in V8 9.0 to 14.6. */
enum {
    KIND_FIRST_CONSTRUCTOR = 3, /* base, default base, default derived, derived */
    KIND_LAST_CONSTRUCTOR = 6,
    KIND_MEMBERS_INITIALIZER = 24,
    KIND_STATIC_INITIALIZER = 25
};

static uint32_t kind_of(const struct v8 *v8, pm_addr shared) {
    uint32_t flags;
    return v8_field_u32(v8, shared, v8->layout.shared_flags, &flags) ? flags & 31 : 0;
}

bool v8_shared_is_class_constructor(const struct v8 *v8, pm_addr shared) {
    uint32_t kind = kind_of(v8, shared);
    return kind >= KIND_FIRST_CONSTRUCTOR && kind <= KIND_LAST_CONSTRUCTOR;
}

bool v8_shared_is_api(const struct v8 *v8, pm_addr shared) {
    const struct v8_field fields[] = {v8->layout.shared_function_data, v8->layout.shared_untrusted_data};
    for (size_t i = 0; i < 2; i++) {
        pm_addr data = v8_ref(v8, shared, fields[i]);
        if (data && v8_type_at(v8, data) == V8_T_FUNCTION_TEMPLATE_INFO) return true;
    }
    return false;
}

/* ---- words ---- */

bool v8_is_identifier(const char *text) {
    const unsigned char *at = (const unsigned char *)text;
    if (!*at || (*at >= '0' && *at <= '9')) return false;
    for (; *at; at++) {
        bool letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || *at == '_' || *at == '$' ||
                      *at >= 0x80;
        if (!letter && !(*at >= '0' && *at <= '9')) return false;
    }
    return true;
}

bool v8_name_says_method(const char *name, const char *method, bool space_too) {
    size_t name_length = strlen(name), method_length = strlen(method);
    if (method_length > name_length) return false;
    if (strcmp(name + name_length - method_length, method) != 0) return false;
    if (method_length == name_length) return true;
    char before = name[name_length - method_length - 1];
    return before == '.' || (space_too && before == ' ');
}

static const char *string_text(struct v8_call_sites *sites, pm_addr string) {
    return v8_is_string(v8_map(sites->v8, string)) ? v8_name_text(sites->v8, string, sites->arena) : NULL;
}

/* A script that came from eval() or new Function(): the function that called it, 0 = another kind of script.
 */
static pm_addr eval_origin(const struct v8 *v8, pm_addr script) {
    pm_addr shared = script ? v8_ref(v8, script, v8->layout.script_eval_from_shared) : 0;
    return shared && v8_type_at(v8, shared) == V8_T_SHARED_FUNCTION_INFO ? shared : 0;
}

static const char *shared_name(struct v8_call_sites *sites, pm_addr shared) {
    uint32_t kind = kind_of(sites->v8, shared);
    if (kind == KIND_MEMBERS_INITIALIZER) return "<instance_members_initializer>";
    if (kind == KIND_STATIC_INITIALIZER) return "<static_initializer>";
    const struct v8_function *function = v8_call_site_function(sites, shared);
    return function && function->name ? function->name : "";
}

/* JSFunction::GetDebugName: a data property `name` wins over what the parser knew. */
static const char *debug_name(struct v8_call_sites *sites, const struct v8_call_site *site) {
    const struct v8 *v8 = sites->v8;
    struct v8_thing thing;
    v8_word value;
    if (site->function && v8_thing_load(v8, site->function, &thing)) {
        struct v8_key key = {.text = "name"};
        if (v8_own_property(v8, &thing, &key, &value) == V8_DATA) {
            const char *text = string_text(sites, v8_target(v8, value));
            if (text) return text;
        }
    }
    return shared_name(sites, site->shared);
}

static const char *function_debug_name(struct v8_call_sites *sites, pm_addr function) {
    struct v8_call_site site = {.function = function,
                                .shared = v8_ref(sites->v8, function, sites->v8->layout.function_shared)};
    return debug_name(sites, &site);
}

/* ---- receiver ---- */

enum receiver_kind { RECEIVER_UNKNOWN, RECEIVER_TOPLEVEL, RECEIVER_PRIMITIVE, RECEIVER_OBJECT };

struct receiver {
    enum receiver_kind kind;
    const char *type; /* constructor name, NULL */
    pm_addr object;   /* RECEIVER_OBJECT */
    bool is_class;    /* it is a class: its own name is the type */
};

static const char *primitive_type(const struct v8 *v8, v8_word word) {
    if (v8_is_smi(word)) return "Number";
    const struct v8_map *map = v8_map(v8, v8_target(v8, word));
    if (v8_is_string(map)) return "String";
    switch (map ? (enum v8_type)map->type : V8_T_OTHER) {
    case V8_T_HEAP_NUMBER: return "Number";
    case V8_T_BIG_INT_BASE: return "BigInt";
    case V8_T_SYMBOL: return "Symbol";
    case V8_T_ODDBALL: return "Boolean";
    default: return NULL;
    }
}

static pm_addr prototype_of_map(const struct v8 *v8, const struct v8_map *map) {
    pm_addr prototype = map ? v8_ref(v8, map->address, v8->layout.map_prototype) : 0;
    return prototype && v8_is_js_object(v8, v8_map(v8, prototype)) ? prototype : 0;
}

/* Functions and regular expressions have class names of their own in a heap snapshot ("(closure)"), so their
 * constructor is looked up here: Symbol.toStringTag (AsyncFunction ...) or constructor, the first on the
 * prototype chain. */
static const char *type_by_chain(struct v8_call_sites *sites, const struct v8_map *map,
                                 const char *fallback) {
    const struct v8 *v8 = sites->v8;
    /* By text: the roots of a worker's isolate are others in V8 9. */
    struct v8_key tag = {.text = "Symbol.toStringTag", .symbol = true}, constructor = {.text = "constructor"};
    pm_addr at = prototype_of_map(v8, map);
    for (int i = 0; at && i < PM_MAX_PROTOTYPES; i++, at = prototype_of_map(v8, v8_map(v8, at))) {
        struct v8_thing thing;
        v8_word value;
        if (!v8_thing_load(v8, at, &thing)) break;
        const char *name = NULL;
        if (v8_own_property(v8, &thing, &tag, &value) == V8_DATA)
            name = string_text(sites, v8_target(v8, value));
        if (!name && v8_own_property(v8, &thing, &constructor, &value) == V8_DATA)
            name = v8_function_name(v8, v8_target(v8, value), sites->arena);
        if (name && *name && strcmp(name, "Object") != 0) return name;
    }
    return fallback;
}

static const char *type_of_map(struct v8_call_sites *sites, const struct v8_map *map, pm_addr object) {
    const char *name = NULL;
    enum v8_type type = (enum v8_type)map->type;
    if (type == V8_T_JS_PROXY) return "Proxy";
    if (type == V8_T_JS_REG_EXP) return type_by_chain(sites, map, "RegExp");
    if (v8_is_function_type(type) || type == V8_T_JS_BOUND_FUNCTION)
        return type_by_chain(sites, map, "Function");
    if (sites->rules.constructor_by_name && (map->bit_field2 & V8_MAP_NEW_TARGET_IS_BASE) &&
        !(map->bit_field3 & V8_MAP_IS_PROTOTYPE)) {
        pm_addr constructor = v8_map_constructor(sites->v8, map);
        if (v8_is_function_type(v8_type_at(sites->v8, constructor)))
            name = function_debug_name(sites, constructor);
        if (name && *name && strcmp(name, "Object") != 0) return name;
    }
    if (object) return v8_class_name(sites->v8, object, sites->arena);
    return v8_class_name_of_map(sites->v8, map, sites->arena, &name) ? name : NULL;
}

static struct receiver receiver_of(struct v8_call_sites *sites, const struct v8_call_site *site) {
    const struct v8 *v8 = sites->v8;
    struct receiver receiver = {0};
    if (site->receiver_map) {
        const struct v8_map *map = v8_map_at(v8, site->receiver_map);
        if (map && v8_is_receiver(v8, map)) {
            receiver.kind = RECEIVER_OBJECT;
            receiver.type = type_of_map(sites, map, 0);
        }
        return receiver;
    }
    if (!site->receiver_known) return receiver;
    pm_addr object = v8_target(v8, site->receiver);
    const struct v8_map *map = object ? v8_map(v8, object) : NULL;
    if (map && v8_is_receiver(v8, map)) {
        if (map->type == V8_T_JS_GLOBAL_PROXY) {
            receiver.kind = RECEIVER_TOPLEVEL;
            return receiver;
        }
        receiver = (struct receiver){.kind = RECEIVER_OBJECT, .object = object};
        bool own_name = sites->rules.function_is_type
                            ? v8_is_function_type((enum v8_type)map->type)
                            : sites->rules.class_is_type && map->type == V8_T_JS_CLASS_CONSTRUCTOR;
        if (own_name) receiver.type = function_debug_name(sites, object);
        if (!receiver.type || !*receiver.type) receiver.type = type_of_map(sites, map, object);
        return receiver;
    }
    switch (v8_oddball_of(v8, site->receiver)) {
    case V8_UNDEFINED:
    case V8_NULL:
    case V8_HOLE: receiver.kind = RECEIVER_TOPLEVEL; return receiver;
    case V8_OTHER_ODDBALL: return receiver; /* optimized_out */
    default: break;
    }
    receiver.type = primitive_type(v8, site->receiver);
    if (receiver.type) receiver.kind = RECEIVER_PRIMITIVE;
    return receiver;
}

/* ---- the method's name on the receiver ---- */

struct infer {
    const struct v8 *v8;
    pm_addr function, found;
    bool ambiguous;
    uint32_t left;
};

static bool is_function(const struct v8 *v8, v8_word value, bool is_accessor, pm_addr function) {
    pm_addr object = v8_target(v8, value);
    if (!object) return false;
    if (!is_accessor) return object == function;
    v8_word getter, setter; /* AccessorPair */
    return v8_type_at(v8, object) == V8_T_ACCESSOR_PAIR &&
           ((v8_word_at(v8, object, 8, &getter) && v8_target(v8, getter) == function) ||
            (v8_word_at(v8, object, 16, &setter) && v8_target(v8, setter) == function));
}

static bool infer_visit(void *context, const struct v8_property *property) {
    struct infer *infer = context;
    if (property->is_element || infer->left-- == 0) return false;
    if (property->is_double ||
        !is_function(infer->v8, property->value, property->is_accessor, infer->function))
        return true;
    if (!v8_is_string(v8_map(infer->v8, property->key))) return true; /* symbols do not count */
    if (infer->found && infer->found != property->key) infer->ambiguous = true;
    infer->found = property->key;
    return true;
}

static pm_addr prototype_of(const struct v8 *v8, pm_addr object) {
    return prototype_of_map(v8, v8_map(v8, object));
}

/* V8 first looks the function's own name up; when another value (or nothing) is there, it searches all
 * properties. */
static const char *method_name(struct v8_call_sites *sites, pm_addr object, const struct v8_call_site *site) {
    const struct v8 *v8 = sites->v8;
    const struct v8_function *function = v8_call_site_function(sites, site->shared);
    if (!function || !site->function) return NULL;
    const char *name = function->name;
    if (kind_of(v8, site->shared) == KIND_MEMBERS_INITIALIZER ||
        kind_of(v8, site->shared) == KIND_STATIC_INITIALIZER)
        return NULL;
    if (function->is_inferred) {
        const char *dot = strrchr(name, '.');
        if (dot) name = dot + 1;
    } else if (strncmp(name, "get ", 4) == 0 || strncmp(name, "set ", 4) == 0) {
        name += 4;
    }
    if (*name) {
        struct v8_key key = {.text = name};
        pm_addr at = object;
        for (int i = 0; at && i < PM_MAX_PROTOTYPES; i++, at = prototype_of(v8, at)) {
            struct v8_thing thing;
            v8_word value;
            if (!v8_thing_load(v8, at, &thing) || !v8_is_js_object(v8, thing.map)) break;
            enum v8_found found = v8_own_property(v8, &thing, &key, &value);
            if (found == V8_ABSENT) continue;
            if (is_function(v8, value, found == V8_ACCESSOR, site->function)) return name;
            break;
        }
    }
    struct infer infer = {.v8 = v8, .function = site->function, .left = MAX_PROPERTIES};
    pm_addr at = object;
    for (int i = 0; at && i < PM_MAX_PROTOTYPES && infer.left; i++, at = prototype_of(v8, at)) {
        const struct v8_map *map = v8_map(v8, at);
        if (!map || !v8_is_js_object(v8, map) || (map->bit_field & V8_MAP_ACCESS_CHECK)) break;
        v8_properties(v8, at, infer_visit, &infer);
        if (infer.left == UINT32_MAX) infer.left = 0;
    }
    return infer.found && !infer.ambiguous ? string_text(sites, infer.found) : NULL;
}

/* A primitive's methods are on the prototype of its wrapper: the function's own home is not searched, names
 * agree there. */
static const char *method_of(struct v8_call_sites *sites, const struct receiver *receiver,
                             const struct v8_call_site *site) {
    return receiver->kind == RECEIVER_OBJECT && receiver->object ? method_name(sites, receiver->object, site)
                                                                 : NULL;
}

/* ---- the name ---- */

static void append_method_call(const struct rules *rules, struct pm_strbuf *out, const char *name,
                               const char *type, const char *method) {
    if (*name) {
        bool with_type = type && *type;
        if (with_type && rules->type_unless_prefix)
            with_type = strncmp(name, type, strlen(type)) != 0;
        else if (with_type)
            with_type = v8_is_identifier(name) && strcmp(name, type) != 0;
        if (with_type) {
            pm_strbuf_append(out, type);
            pm_strbuf_append_char(out, '.');
        }
        pm_strbuf_append(out, name);
        if (method && *method && !v8_name_says_method(name, method, rules->space_ends_name)) {
            pm_strbuf_append(out, " [as ");
            pm_strbuf_append(out, method);
            pm_strbuf_append_char(out, ']');
        }
        return;
    }
    if (type && *type) {
        pm_strbuf_append(out, type);
        pm_strbuf_append_char(out, '.');
    }
    pm_strbuf_append(out, method && *method ? method : "<anonymous>");
}

static const char *compute_name(struct v8_call_sites *sites, const struct v8_call_site *site) {
    const struct v8_function *function = v8_call_site_function(sites, site->shared);
    const char *name = debug_name(sites, site);
    if (!*name && function && eval_origin(sites->v8, function->script)) name = "eval";
    PM_AUTO_STRBUF struct pm_strbuf out = {0};
    if (site->is_async) pm_strbuf_append(&out, "async ");
    if (site->constructor) {
        pm_strbuf_append(&out, "new ");
        pm_strbuf_append(&out, *name ? name : "<anonymous>");
    } else {
        struct receiver receiver = receiver_of(sites, site);
        if (receiver.kind == RECEIVER_OBJECT || receiver.kind == RECEIVER_PRIMITIVE)
            append_method_call(&sites->rules, &out, name, receiver.type, method_of(sites, &receiver, site));
        else
            pm_strbuf_append(&out, *name ? name : "<anonymous>");
    }
    const char *text = out.failed ? NULL : pm_arena_strdup(sites->arena, pm_strbuf_text(&out));
    return text ? text : "<anonymous>";
}

const char *v8_call_site_name(struct v8_call_sites *sites, const struct v8_call_site *site) {
    struct entry key = {.kind = ENTRY_NAME, .flag = site->constructor, .flag2 = site->is_async};
    key.key = site->function ? site->function : site->shared;
    key.key2 = site->constructor      ? 0
               : site->receiver_map   ? site->receiver_map
               : site->receiver_known ? site->receiver
                                      : 2;
    const struct entry *known = find(sites, &key);
    if (known) return known->value;
    key.value = compute_name(sites, site);
    remember(sites, &key);
    return key.value;
}

/* ---- the file ---- */

static void line_of(struct v8_call_sites *sites, pm_addr script, int32_t position, uint32_t *line_ret,
                    uint32_t *column_ret) {
    *line_ret = *column_ret = 0;
    if (position < 0) return;
    struct entry key = {.kind = ENTRY_LINE, .key = script, .key2 = (uint32_t)position};
    const struct entry *known = find(sites, &key);
    if (!known) {
        if (!v8_script_position(sites->v8, script, position, &key.line, &key.column))
            key.line = key.column = 0;
        remember(sites, &key);
        known = &key;
    }
    *line_ret = known->line;
    *column_ret = known->column;
}

/* Where eval was called: a position, or while nobody asked for it a negative bytecode offset in the calling
 * function. */
static int32_t eval_position(const struct v8 *v8, pm_addr script, pm_addr caller) {
    v8_word word;
    if (!v8_field_word(v8, script, v8->layout.script_eval_from_position, &word) || !v8_is_smi(word))
        return -1;
    int32_t position = v8_smi(word);
    if (position >= 0) return position;
    if (position == INT32_MIN) return -1;
    pm_addr bytecode = v8_shared_bytecode(v8, caller);
    pm_addr table = bytecode ? v8_ref(v8, bytecode, v8->layout.bytecode_source_positions) : 0;
    return table ? v8_source_position(v8, table, -position, NULL) : -1;
}

static void append_eval_origin(struct v8_call_sites *sites, pm_addr script, int depth,
                               struct pm_strbuf *out) {
    const struct v8 *v8 = sites->v8;
    pm_addr caller = eval_origin(v8, script);
    if (!caller || depth >= MAX_EVAL_DEPTH) {
        pm_strbuf_append(out, "<anonymous>");
        return;
    }
    const struct v8_function *function = v8_call_site_function(sites, caller);
    pm_strbuf_append(out, "eval at ");
    pm_strbuf_append(out, function && function->name[0] ? function->name : "<anonymous>");
    if (!function || !function->script) return;
    pm_strbuf_append(out, " (");
    if (function->file) {
        pm_strbuf_append(out, function->file);
        uint32_t line, column;
        line_of(sites, function->script, eval_position(v8, script, caller), &line, &column);
        if (line) pm_strbuf_appendf(out, ":%u:%u", line, column);
    } else if (eval_origin(v8, function->script)) {
        append_eval_origin(sites, function->script, depth + 1, out);
    } else {
        pm_strbuf_append(out, "unknown source");
    }
    pm_strbuf_append_char(out, ')');
}

static const char *file_of(struct v8_call_sites *sites, const struct v8_function *function) {
    if (function->file) return function->file;
    if (!function->script) return NULL;
    struct entry key = {.kind = ENTRY_FILE, .key = function->script};
    const struct entry *known = find(sites, &key);
    if (known) return known->value;
    PM_AUTO_STRBUF struct pm_strbuf out = {0};
    if (eval_origin(sites->v8, function->script)) {
        append_eval_origin(sites, function->script, 0, &out);
        pm_strbuf_append(&out, ", ");
    }
    pm_strbuf_append(&out, "<anonymous>");
    key.value = out.failed ? NULL : pm_arena_strdup(sites->arena, pm_strbuf_text(&out));
    remember(sites, &key);
    return key.value;
}

void v8_call_site_position(struct v8_call_sites *sites, pm_addr shared, int32_t position,
                           struct pm_position *ret) {
    *ret = (struct pm_position){0};
    const struct v8_function *function = v8_call_site_function(sites, shared);
    if (!function || !function->script) return;
    ret->file = file_of(sites, function);
    line_of(sites, function->script, position, &ret->line, &ret->column);
}

const char *v8_call_site_value(struct v8_call_sites *sites, v8_word value) {
    struct entry key = {.kind = ENTRY_VALUE, .key = value};
    const struct entry *known = find(sites, &key);
    if (known) return known->value;
    PM_AUTO_STRBUF struct pm_strbuf out = {0};
    v8_describe(sites->v8, value, VALUE_WIDTH, &out);
    key.value = out.failed ? NULL : pm_arena_strdup(sites->arena, pm_strbuf_text(&out));
    remember(sites, &key);
    return key.value;
}
