#include "v8layout/variants/scope_info.h"

#include "postmortem/base/checked.h"

/* ScopeInfo, src/objects/scope-info.tq:
 *
 *   V8 9.0           like 9.4, but 8 bytes later: it was still a FixedArray, with its length @8
 *   V8 9.4 to 12.x   flags Smi@8, parameter count @16, n = context local count @24, then from 32 on
 *   V8 12.9, later   flags u32@8, parameter count @16, n @24, start position @32, end position @40, then
 *                    from 48 on
 *
 * followed by the parts below, each there or not by a flag. Flag bits that did not move: 0-3 scope type, 7-8
 * receiver, 10 saved class variable, 12-13 function variable (2 = in the context), 14 inferred name, 22 outer
 * scope, 26 contexts have an extension slot. The scope types were renumbered with the last form.
 *
 * Checked against the sizes of the ScopeInfos in cores of V8 9.0 to 14.6, which the walk finds without
 * knowing any of this. TO ADD a form: a row, newest last; the names of the columns say what the part is. */

enum {
    BIT_DEPENDENT_CODE = 4,
    BIT_SAVED_CLASS = 10,
    BIT_INFERRED_NAME = 14,
    BIT_OUTER_SCOPE = 22,
    BIT_EXTENSION = 26,
    BIT_BLOCK_LIST = 28,
    BIT_EMPTY = 29
};
#define RECEIVER(flags)          (((flags) >> 7) & 3u)
#define FUNCTION_VARIABLE(flags) (((flags) >> 12) & 3u)
#define IN_CONTEXT               2u
#define TYPE(flags)              ((flags)&15u)
#define INLINE_NAMES             75u /* kScopeInfoMaxInlinedLocalNamesSize */

static const struct form {
    const char *seen;
    bool in_fixed_array;      /* has a length of its own in front: everything stands 8 bytes later */
    bool positions_first;     /* and the flags are a raw u32 */
    bool module_count_first;  /* the number of module variables stands in front of the names, not behind */
    bool names_always_inline; /* no hash table for many names */
    bool receiver_word;       /* a word for the receiver's slot when it is on the stack or in the context */
    bool block_list;          /* locals_block_list */
    bool dependent_code;      /* a word for sloppy eval scopes */
    bool parameter_bits;      /* a word in function scopes: unused parameters */
    bool class_positions;     /* class scopes that are not empty have positions */
    uint16_t position_types;  /* scope types with positions, a bit each */
    uint8_t module_type, class_type, function_type;
} forms[] = {
    {.seen = "V8 9.0",
     .in_fixed_array = true,
     .names_always_inline = true,
     .receiver_word = true,
     .block_list = true,
     .position_types = 0x01e,
     .module_type = 3,
     .class_type = 0,
     .function_type = 2},
    {.seen = "V8 9.4",
     .names_always_inline = true,
     .receiver_word = true,
     .block_list = true,
     .position_types = 0x01e,
     .module_type = 3,
     .class_type = 0,
     .function_type = 2},
    {.seen = "V8 10.2",
     .block_list = true,
     .class_positions = true,
     .position_types = 0x01e,
     .module_type = 3,
     .class_type = 0,
     .function_type = 2},
    {.seen = "V8 11.3",
     .class_positions = true,
     .position_types = 0x11e,
     .module_type = 3,
     .class_type = 0,
     .function_type = 2},
    {.seen = "V8 12.4",
     .module_count_first = true,
     .class_positions = true,
     .position_types = 0x11e,
     .module_type = 3,
     .class_type = 0,
     .function_type = 2},
    {.seen = "V8 13.6",
     .module_count_first = true,
     .positions_first = true,
     .dependent_code = true,
     .module_type = 5,
     .class_type = 2,
     .function_type = 4},
    {.seen = "V8 14.6",
     .module_count_first = true,
     .positions_first = true,
     .dependent_code = true,
     .parameter_bits = true,
     .module_type = 5,
     .class_type = 2,
     .function_type = 4},
};

size_t v8_scope_form_count(void) {
    return sizeof(forms) / sizeof(forms[0]);
}

bool v8_scope_form_is_new(uint8_t form) {
    return form < v8_scope_form_count() && forms[form].positions_first;
}

bool v8_scope_form_is_old(uint8_t form) {
    return form < v8_scope_form_count() && forms[form].names_always_inline;
}

static bool bit(uint32_t flags, unsigned number) {
    return flags >> number & 1;
}

/* Takes the next `words` words of the object. */
static bool take(const struct v8_scope *scope, uint64_t *at, uint64_t words, uint64_t *ret) {
    *ret = *at;
    if (words > scope->info.size / 8 || *at + words * 8 > scope->info.size) return false;
    *at += words * 8;
    return true;
}

static bool take_positions(const struct v8 *v8, struct v8_scope *scope, uint64_t *at) {
    uint64_t here;
    uint32_t start, end;
    if (!take(scope, at, 2, &here)) return false;
    if (v8_thing_count(v8, &scope->info, here, &start) && v8_thing_count(v8, &scope->info, here + 8, &end) &&
        start <= end) {
        scope->start = (int32_t)start;
        scope->end = (int32_t)end;
    }
    return true;
}

/* The parts after the names: false = they do not fit into the object. */
static bool take_parts(const struct v8 *v8, const struct form *form, struct v8_scope *scope, uint64_t *at) {
    uint32_t flags = scope->flags, type = TYPE(flags);
    const struct v8_thing *info = &scope->info;
    uint64_t here;
    v8_word word;
    bool fits = take(scope, at, scope->local_count, &here); /* context_local_infos */
    if (fits && bit(flags, BIT_SAVED_CLASS)) fits = take(scope, at, 1, &here);
    if (fits && form->receiver_word && (RECEIVER(flags) == 1 || RECEIVER(flags) == 2))
        fits = take(scope, at, 1, &here);
    if (fits && FUNCTION_VARIABLE(flags)) {
        fits = take(scope, at, 2, &here) && v8_thing_word(v8, info, here, &scope->function_name) &&
               v8_thing_word(v8, info, here + 8, &word);
        if (fits && FUNCTION_VARIABLE(flags) == IN_CONTEXT && v8_is_smi(word))
            scope->function_slot = v8_smi(word);
    }
    if (fits && bit(flags, BIT_INFERRED_NAME))
        fits = take(scope, at, 1, &here) && v8_thing_word(v8, info, here, &scope->inferred_name);
    if (fits && !form->positions_first &&
        (form->position_types >> type & 1 ||
         (form->class_positions && type == form->class_type && !bit(flags, BIT_EMPTY))))
        fits = take_positions(v8, scope, at);
    if (fits && bit(flags, BIT_OUTER_SCOPE)) fits = take(scope, at, 1, &here);
    if (fits && form->block_list && bit(flags, BIT_BLOCK_LIST)) fits = take(scope, at, 1, &here);
    if (fits && form->dependent_code && bit(flags, BIT_DEPENDENT_CODE)) fits = take(scope, at, 1, &here);
    if (fits && form->parameter_bits && type == form->function_type) fits = take(scope, at, 1, &here);
    if (fits && scope->is_module) {
        fits = take(scope, at, 1, &here); /* SourceTextModuleInfo */
        if (fits && !form->module_count_first)
            fits = take(scope, at, 1, &here) && v8_thing_count(v8, info, here, &scope->module_count);
        if (fits) fits = take(scope, at, 3 * (uint64_t)scope->module_count, &here);
        scope->module_offset = (uint32_t)here;
    }
    return fits;
}

bool v8_scope_load(const struct v8 *v8, pm_addr scope_info, uint8_t number, struct v8_scope *ret) {
    struct v8_scope scope = {.function_slot = -1, .start = -1, .end = -1};
    uint64_t here;
    if (number >= v8_scope_form_count() || !v8_thing_of_type(v8, scope_info, V8_T_SCOPE_INFO, &scope.info))
        return false;
    const struct form *form = &forms[number];
    uint64_t shift = form->in_fixed_array ? 8 : 0, at = 32 + shift;
    if (!v8_thing_u32(v8, &scope.info, (form->positions_first ? 8 : 12) + shift, &scope.flags) ||
        !v8_thing_count(v8, &scope.info, 24 + shift, &scope.local_count))
        return false;
    scope.is_module = TYPE(scope.flags) == form->module_type;
    scope.has_extension = bit(scope.flags, BIT_EXTENSION);
    if (form->positions_first && !take_positions(v8, &scope, &at)) return false;
    if (form->module_count_first && scope.is_module &&
        (!take(&scope, &at, 1, &here) || !v8_thing_count(v8, &scope.info, here, &scope.module_count)))
        return false;
    bool hashed = !form->names_always_inline && scope.local_count >= INLINE_NAMES;
    if (!take(&scope, &at, hashed ? 1 : scope.local_count, &here)) return false;
    scope.names_offset = (uint32_t)here;
    if (hashed) {
        v8_word word;
        if (!v8_thing_word(v8, &scope.info, here, &word)) return false;
        scope.names_table = v8_target(v8, word);
    }
    if (!take_parts(v8, form, &scope, &at)) return false;
    scope.size = at;
    *ret = scope;
    return true;
}

/* NameToIndexHashTable (src/objects/hash-table.h): words elements, deleted, capacity from 16 on, then pairs
 * from 40 on. */
static pm_addr name_in_table(const struct v8 *v8, const struct v8_scope *scope, uint32_t index) {
    struct v8_thing table;
    uint32_t capacity;
    if (!v8_thing_load(v8, scope->names_table, &table) || !v8_thing_count(v8, &table, 32, &capacity) ||
        40 + 16 * (uint64_t)capacity > table.size)
        return 0;
    for (uint32_t i = 0; i < capacity; i++) {
        v8_word key, value;
        if (!v8_thing_word(v8, &table, 48 + 16 * (uint64_t)i, &value) || value != (uint64_t)index << 32 ||
            !v8_thing_word(v8, &table, 40 + 16 * (uint64_t)i, &key))
            continue;
        pm_addr name = v8_target(v8, key);
        if (v8_is_name(v8_map(v8, name))) return name;
    }
    return 0;
}

pm_addr v8_scope_local_name(const struct v8 *v8, const struct v8_scope *scope, uint32_t index) {
    v8_word word;
    if (index >= scope->local_count) return 0;
    if (scope->names_table) return name_in_table(v8, scope, index);
    if (!v8_thing_word(v8, &scope->info, scope->names_offset + 8 * (uint64_t)index, &word)) return 0;
    pm_addr name = v8_target(v8, word);
    return v8_is_name(v8_map(v8, name)) ? name : 0;
}
