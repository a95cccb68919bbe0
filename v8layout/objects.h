/* objects.h - reading single objects: strings, names, properties, functions, positions. Normalised: whatever
 * the V8, a string is text, a property is struct v8_property.
 *
 * Every function takes any address: what is not the asked kind gives false / 0 / NULL / an empty text, never
 * a guess. Chains (cons strings, prototypes, back pointers) are bounded by limits.h. Texts are UTF-8 (lone
 * surrogates become U+FFFD), untrusted.
 *
 * OWNERSHIP  texts go to the caller's strbuf or arena. */
#ifndef PM_V8LAYOUT_OBJECTS_H
#define PM_V8LAYOUT_OBJECTS_H

#include "postmortem/base/arena.h"
#include "postmortem/base/strbuf.h"
#include "v8layout/heap.h"

/* ---- strings (strings.c) ---- */
bool v8_string_length(const struct v8 *v8, pm_addr string, uint32_t *ret);
/* Appends at most `most` code units as UTF-8. true = the whole text was readable (not: was short enough).
 * `from` is the first unit. */
bool v8_string_text(const struct v8 *v8, pm_addr string, uint32_t from, uint32_t most, struct pm_strbuf *out);
/* Whole text up to PM_MAX_NAME units in the arena; NULL = not a readable string. Symbols give their
 * description. */
const char *v8_name_text(const struct v8 *v8, pm_addr name, struct pm_arena *arena);
bool v8_string_equals(const struct v8 *v8, pm_addr string, const char *ascii);

/* ---- classes (names.c) ---- */
/* The constructor name as V8's own heap snapshot shows it for this object: `UserSession`, `Map`, `(closure)`,
 * `(string)`,
 * `(array)`, `(object shape)`, `(system)`, `system / Context` ... The text lives in `arena` or is static. */
const char *v8_class_name(const struct v8 *v8, pm_addr object, struct pm_arena *arena);
/* The same for all objects of a map, where that is enough: false = depends on the object (its own
 * Symbol.toStringTag, the value of a wrapper object; maps and symbols that are V8's own). *ret is then the
 * name of those objects of the map that have nothing of their own, or NULL; ask v8_class_name_of_object()
 * with it, which is cheaper than v8_class_name(). */
bool v8_class_name_of_map(const struct v8 *v8, const struct v8_map *map, struct pm_arena *arena,
                          const char **ret);
const char *v8_class_name_of_object(const struct v8 *v8, pm_addr object, const char *of_map,
                                    struct pm_arena *arena);

/* ---- functions and scripts (functions.c) ---- */
struct v8_function {
    pm_addr shared;        /* SharedFunctionInfo */
    const char *name;      /* "" = anonymous; from ScopeInfo, inferred name, or builtin */
    bool is_inferred;      /* the name was guessed by V8's parser */
    pm_addr script;        /* 0 = none: native or builtin */
    const char *file;      /* script name, NULL */
    int32_t start, end;    /* source positions of the function literal, -1 = unknown */
    uint32_t line, column; /* of start; 0 = unknown */
    pm_addr scope_info;    /* 0 */
};
bool v8_function_load(const struct v8 *v8, pm_addr function_or_shared, struct pm_arena *arena,
                      struct v8_function *ret);
/* The Code of a JSFunction, tagged; 0 = not known. */
v8_word v8_function_code(const struct v8 *v8, pm_addr function);
/* Only its name, which is cheaper; NULL = no function. */
const char *v8_function_name(const struct v8 *v8, pm_addr function_or_shared, struct pm_arena *arena);
/* Line and column (from 1) of a source position of a script; false = source and line ends are not known. */
bool v8_script_position(const struct v8 *v8, pm_addr script, int32_t position, uint32_t *line_ret,
                        uint32_t *column_ret);
const char *v8_script_name(const struct v8 *v8, pm_addr script, struct pm_arena *arena);
/* BytecodeArray of a SharedFunctionInfo (or of its InterpreterData / baseline code); 0 = not compiled. */
pm_addr v8_shared_bytecode(const struct v8 *v8, pm_addr shared);
/* Source position of a bytecode offset; -1 = unknown. `code_offset` as in the table. */
int32_t v8_source_position(const struct v8 *v8, pm_addr table, int32_t code_offset, int32_t *inlining_id_ret);

/* ---- scopes ---- */
struct v8_variable {
    const char *name;
    v8_word value;
    bool known;     /* false = value not readable */
    bool is_double; /* a number that stands raw in its ContextCell: number holds it, value is 0 */
    double number;
    pm_addr cell; /* the ContextCell the value stands in (V8 14 and later); 0 = it stands in the context */
};
/* Calls visit for the variables of one context (not of its parents). */
void v8_context_variables(const struct v8 *v8, pm_addr context, struct pm_arena *arena,
                          bool (*visit)(void *context, const struct v8_variable *variable),
                          void *visit_context);

/* ---- properties (properties.c) ---- */
struct v8_property {
    pm_addr key;    /* String or Symbol; 0 for elements */
    uint32_t index; /* elements */
    bool is_element, is_accessor,
        is_double; /* accessor: value is the AccessorPair; double: number holds it */
    v8_word value;
    double number;
};
/* Own properties: fast, dictionary, global, then elements (fast, double, dictionary, typed arrays not). Stops
 * when visit says false. Returns false when a part was unreadable. */
bool v8_properties(const struct v8 *v8, pm_addr object,
                   bool (*visit)(void *context, const struct v8_property *property), void *context);
/* One own data property by ASCII name; false = absent. */
bool v8_property_named(const struct v8 *v8, pm_addr object, const char *name, v8_word *ret);
/* Entries of Map, Set (value = key), WeakMap, WeakSet and their tables. */
bool v8_entries(const struct v8 *v8, pm_addr collection,
                bool (*visit)(void *context, v8_word key, v8_word value), void *context);
/* Live entries of a Map or Set (or its table); false = not one. capacity_ret may be NULL. */
bool v8_entry_count(const struct v8 *v8, pm_addr collection, uint32_t *count_ret, uint32_t *capacity_ret);

/* ---- short texts (describe.c) ---- */
/* One line about any word: 42, 3.14, 'text...', Symbol(x), null, class UserSession @0x..., function handle
 * @file:line, [Array 12]. */
void v8_describe(const struct v8 *v8, v8_word word, size_t most, struct pm_strbuf *out);

/* What V8 calls the word at an offset of an object of this type ("shared", "target"); NULL = it is none of
 * fields.def. Objects of a program: with the fields of the types they derive from, but for properties and
 * elements. */
const char *v8_field_at(const struct v8_layout *layout, enum v8_type type, uint32_t offset);
const char *v8_receiver_field_at(const struct v8_layout *layout, enum v8_type type, uint32_t offset);

#endif
