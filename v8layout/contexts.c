#include "v8layout/objects.h"

#include "postmortem/base/checked.h"
#include "v8layout/object_access.h"
#include "v8layout/variants/scope_info.h"

#include <string.h>

/* contexts.c - the variables of closures.
 *
 * Context (src/objects/contexts.h): a row of words like a FixedArray. Slot 0 ScopeInfo, 1 the outer context,
 * 2 an extension when the ScopeInfo says so, then the variables in the ScopeInfo's order, last the function's
 * own name if it is captured. Variables of modules stand in Cells of the SourceTextModule, which is the
 * extension of the module's context. */

struct context_visit {
    const struct v8 *v8;
    struct v8_thing context;
    struct pm_arena *arena;
    bool (*visit)(void *context, const struct v8_variable *variable);
    void *visit_context;
};

/* ContextCell (src/objects/contexts.tq, V8 14): tagged value @8, dependent code @16, state i32@24, then the
 * number that the states "int32" and "float64" keep outside of the tagged value: the object's last word. */
enum { CELL_STATE = 24, CELL_INT32 = 2, CELL_FLOAT64 = 3 };

static void open_cell(const struct v8 *v8, pm_addr address, struct v8_variable *variable) {
    struct v8_thing cell;
    uint32_t state = 0;
    uint64_t raw;
    variable->known = false;
    if (!v8_thing_load(v8, address, &cell) || !v8_thing_u32(v8, &cell, CELL_STATE, &state)) return;
    if (state == CELL_INT32 || state == CELL_FLOAT64) {
        if (cell.size < CELL_STATE + 16 || !v8_thing_word(v8, &cell, cell.size - 8, &raw)) return;
        variable->is_double = state == CELL_FLOAT64;
        variable->value = state == CELL_INT32 ? raw << 32 : 0;
        if (variable->is_double) memcpy(&variable->number, &raw, sizeof(raw));
        variable->known = true;
        return;
    }
    variable->known = v8_field_word(v8, address, v8->layout.context_cell_value, &variable->value);
}

static bool give(const struct context_visit *to, pm_addr name, v8_word value, bool known) {
    const struct v8 *v8 = to->v8;
    struct v8_variable variable = {.name = v8_name_text(v8, name, to->arena), .value = value, .known = known};
    pm_addr cell = known ? v8_target(v8, value) : 0;
    if (!variable.name) return true;
    if (cell && v8_type_at(v8, cell) == V8_T_CONTEXT_CELL) {
        variable.cell = cell;
        open_cell(v8, cell, &variable);
    }
    return to->visit(to->visit_context, &variable);
}

static bool slot_word(const struct context_visit *to, uint64_t slot, v8_word *ret) {
    *ret = 0;
    return v8_thing_word(to->v8, &to->context, to->v8->layout.array_data.offset + 8 * slot, ret);
}

/* Names of a hashed scope by index: 0 where none. NULL without memory. */
static pm_addr *names_of_table(const struct v8 *v8, const struct v8_scope *scope, struct pm_arena *arena) {
    struct v8_thing table;
    uint32_t capacity;
    pm_addr *names = pm_arena_array(arena, scope->local_count, sizeof(*names));
    if (!names || !v8_thing_load(v8, scope->names_table, &table) ||
        !v8_thing_count(v8, &table, 32, &capacity) || 40 + 16 * (uint64_t)capacity > table.size)
        return names;
    for (uint32_t i = 0; i < capacity; i++) {
        v8_word key;
        uint32_t index;
        if (!v8_thing_count(v8, &table, 48 + 16 * (uint64_t)i, &index) || index >= scope->local_count ||
            !v8_thing_word(v8, &table, 40 + 16 * (uint64_t)i, &key))
            continue;
        pm_addr name = v8_target(v8, key);
        if (v8_is_name(v8_map(v8, name))) names[index] = name;
    }
    return names;
}

/* SourceTextModule (src/objects/source-text-module.tq) has regular_exports and regular_imports side by side,
 * two FixedArrays of Cells; their place moved with the Module's own fields, so they are known by what is in
 * them. */
static bool is_cell_array(const struct v8 *v8, pm_addr array, uint32_t *count_ret) {
    struct v8_thing thing;
    uint32_t count;
    if (!v8_thing_of_type(v8, array, V8_T_FIXED_ARRAY, &thing) ||
        !v8_thing_count(v8, &thing, v8->layout.array_length.offset, &count) ||
        v8->layout.array_data.offset + 8 * (uint64_t)count > thing.size)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        v8_word word;
        if (!v8_thing_word(v8, &thing, v8->layout.array_data.offset + 8 * (uint64_t)i, &word)) return false;
        if (v8_type_at(v8, v8_target(v8, word)) != V8_T_CELL && v8_oddball_of(v8, word) == V8_NOT_ODDBALL)
            return false;
    }
    *count_ret = count;
    return true;
}

static bool find_module_cells(const struct v8 *v8, pm_addr module, pm_addr *exports_ret,
                              pm_addr *imports_ret) {
    struct v8_thing thing;
    if (!v8_thing_of_type(v8, module, V8_T_SOURCE_TEXT_MODULE, &thing)) return false;
    for (uint64_t offset = 8; offset + 16 <= thing.size; offset += 8) {
        v8_word first, second;
        uint32_t exports, imports;
        if (!v8_thing_word(v8, &thing, offset, &first) || !v8_thing_word(v8, &thing, offset + 8, &second))
            return false;
        if (is_cell_array(v8, v8_target(v8, first), &exports) &&
            is_cell_array(v8, v8_target(v8, second), &imports) && exports + imports > 0) {
            *exports_ret = v8_target(v8, first);
            *imports_ret = v8_target(v8, second);
            return true;
        }
    }
    return false;
}

static void module_variables(const struct context_visit *to, const struct v8_scope *scope) {
    const struct v8 *v8 = to->v8;
    v8_word word;
    pm_addr exports = 0, imports = 0;
    bool found = slot_word(to, 2, &word) && find_module_cells(v8, v8_target(v8, word), &exports, &imports);
    for (uint32_t i = 0; i < scope->module_count; i++) {
        uint64_t at = scope->module_offset + 24 * (uint64_t)i;
        v8_word name, index, value = 0;
        if (!v8_thing_word(v8, &scope->info, at, &name) || !v8_thing_word(v8, &scope->info, at + 8, &index))
            return;
        bool known = false;
        if (found && v8_is_smi(index) && v8_smi(index) != 0 &&
            v8_smi(index) > INT32_MIN) { /* > 0 export, < 0 import */
            int32_t cell_index = v8_smi(index);
            struct v8_thing cells;
            uint32_t position = (uint32_t)(cell_index > 0 ? cell_index : -cell_index) - 1;
            if (v8_thing_load(v8, cell_index > 0 ? exports : imports, &cells) &&
                v8_thing_word(v8, &cells, v8->layout.array_data.offset + 8 * (uint64_t)position, &word))
                known = v8_field_word(v8, v8_target(v8, word), v8->layout.cell_value, &value);
        }
        if (!give(to, v8_target(v8, name), value, known)) return;
    }
}

void v8_context_variables(const struct v8 *v8, pm_addr context, struct pm_arena *arena,
                          bool (*visit)(void *context, const struct v8_variable *variable),
                          void *visit_context) {
    struct context_visit to = {.v8 = v8, .arena = arena, .visit = visit, .visit_context = visit_context};
    struct v8_scope scope;
    v8_word value;
    if (!v8_thing_load(v8, context, &to.context) || !v8_is_context_type(to.context.type) ||
        to.context.type == V8_T_NATIVE_CONTEXT || !v8->layout.array_data.present ||
        !v8_scope_load(v8, v8_thing_ref(v8, &to.context, v8->layout.context_scope_info),
                       v8->layout.scope_info_form, &scope))
        return;
    uint32_t header = scope.has_extension ? 3 : 2;
    pm_addr *names = scope.names_table ? names_of_table(v8, &scope, arena) : NULL;
    for (uint32_t i = 0; i < scope.local_count; i++) {
        pm_addr name = scope.names_table ? (names ? names[i] : 0) : v8_scope_local_name(v8, &scope, i);
        bool known = slot_word(&to, header + (uint64_t)i, &value);
        if (name && !give(&to, name, value, known)) return;
    }
    pm_addr own_name = v8_target(v8, scope.function_name);
    if (scope.function_slot >= (int32_t)header && own_name) {
        bool known = slot_word(&to, (uint32_t)scope.function_slot, &value);
        if (!give(&to, own_name, value, known)) return;
    }
    if (scope.is_module) module_variables(&to, &scope);
}
