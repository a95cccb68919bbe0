#include "v8layout/objects.h"

#include "postmortem/base/checked.h"
#include "postmortem/base/limits.h"
#include "v8layout/dispatch_table.h"
#include "v8layout/object_access.h"
#include "v8layout/position_table.h"
#include "v8layout/variants/scope_info.h"

#include <string.h>

/* functions.c - JSFunction -> SharedFunctionInfo -> name, Script, position, BytecodeArray.
 *
 * SharedFunctionInfo: src/objects/shared-function-info.tq. name_or_scope_info is a ScopeInfo for functions
 * that were compiled, else a String, or Smi 0 = no name. Positions: of the ScopeInfo, or of the
 * UncompiledData while the function never ran. The script slot may hold a DebugInfo, which has the script.
 * Function data is one word up to V8 12.4; from 12.9 on two: a trusted one (BytecodeArray, Code of baseline
 * code, InterpreterData) and an untrusted one (UncompiledData, Smi = builtin id, templates). Checked on V8
 * 9.0 to 14.6. */

/* ---- the parts of a SharedFunctionInfo ---- */

static bool is_uncompiled(enum v8_type type) {
    return type == V8_T_UNCOMPILED_DATA_WITH_PREPARSE_DATA ||
           type == V8_T_UNCOMPILED_DATA_WITHOUT_PREPARSE_DATA ||
           type == V8_T_UNCOMPILED_DATA_WITH_PREPARSE_DATA_AND_JOB ||
           type == V8_T_UNCOMPILED_DATA_WITHOUT_PREPARSE_DATA_WITH_JOB;
}

/* The first word of an object that refers to an object of this type; for small objects whose fields have no
 * published place. */
static pm_addr slot_of_type(const struct v8 *v8, pm_addr object, enum v8_type type) {
    struct v8_thing thing;
    v8_word word;
    if (!v8_thing_load(v8, object, &thing)) return 0;
    for (uint64_t offset = 8; offset + 8 <= thing.size && offset < 256; offset += 8) {
        pm_addr target = v8_thing_word(v8, &thing, offset, &word) ? v8_target(v8, word) : 0;
        if (target && v8_type_at(v8, target) == type) return target;
    }
    return 0;
}

static pm_addr uncompiled_data(const struct v8 *v8, pm_addr shared) {
    const struct v8_field fields[] = {v8->layout.shared_function_data, v8->layout.shared_untrusted_data};
    for (size_t i = 0; i < 2; i++) {
        pm_addr data = v8_ref(v8, shared, fields[i]);
        if (data && is_uncompiled(v8_type_at(v8, data))) return data;
    }
    return 0;
}

static pm_addr script_of(const struct v8 *v8, pm_addr shared) {
    pm_addr script = v8_ref(v8, shared, v8->layout.shared_script);
    enum v8_type type = v8_type_at(v8, script);
    if (type == V8_T_DEBUG_INFO) return slot_of_type(v8, script, V8_T_SCRIPT);
    return type == V8_T_SCRIPT ? script : 0;
}

static pm_addr bytecode_in(const struct v8 *v8, pm_addr data, int depth) {
    switch (v8_type_at(v8, data)) {
    case V8_T_BYTECODE_ARRAY: return data;
    case V8_T_INTERPRETER_DATA:
    case V8_T_BASELINE_DATA: {
        pm_addr inner = slot_of_type(v8, data, V8_T_BYTECODE_ARRAY);
        return inner || depth == 0
                   ? inner
                   : bytecode_in(v8, slot_of_type(v8, data, V8_T_INTERPRETER_DATA), depth - 1);
    }
    case V8_T_CODE: /* baseline code: the BytecodeArray stands where other code has its deoptimization data */
        return depth == 0 ? 0
                          : bytecode_in(v8, v8_ref(v8, data, v8->layout.code_deoptimization_data), depth - 1);
    default: return 0;
    }
}

pm_addr v8_shared_bytecode(const struct v8 *v8, pm_addr shared) {
    if (v8_type_at(v8, shared) != V8_T_SHARED_FUNCTION_INFO) return 0;
    return bytecode_in(v8, v8_ref(v8, shared, v8->layout.shared_function_data), 2);
}

/* ---- functions ---- */

static const char *text_of(const struct v8 *v8, v8_word word, struct pm_arena *arena) {
    pm_addr string = v8_target(v8, word);
    const char *text = v8_is_string(v8_map(v8, string)) ? v8_name_text(v8, string, arena) : NULL;
    return text ? text : "";
}

/* What stands in the name slot: its scope, if it is a ScopeInfo, and the two names. */
struct name_slot {
    struct v8_scope scope;
    bool has_scope;
    v8_word name, inferred;
};

static void load_name_slot(const struct v8 *v8, pm_addr shared, pm_addr uncompiled, struct name_slot *ret) {
    *ret = (struct name_slot){0};
    v8_word word;
    if (!v8_field_word(v8, shared, v8->layout.shared_name_or_scope_info, &word)) return;
    ret->has_scope = v8_scope_load(v8, v8_target(v8, word), v8->layout.scope_info_form, &ret->scope);
    ret->name = ret->has_scope ? ret->scope.function_name : word;
    if (ret->has_scope) ret->inferred = ret->scope.inferred_name;
    /* UncompiledData::inferred_name: the first field in V8 9.4 to 14.6 */
    else if (!uncompiled || !v8_word_at(v8, uncompiled, 8, &ret->inferred))
        ret->inferred = 0;
}

static const char *choose_name(const struct v8 *v8, const struct name_slot *slot, bool *is_inferred_ret,
                               struct pm_arena *arena) {
    const char *name = text_of(v8, slot->name, arena);
    *is_inferred_ret = false;
    if (name[0]) return name;
    name = text_of(v8, slot->inferred, arena);
    *is_inferred_ret = name[0] != 0;
    return name;
}

/* The SharedFunctionInfo of a function, or the one given; 0 = neither. */
static pm_addr shared_of(const struct v8 *v8, pm_addr function_or_shared) {
    enum v8_type type = v8_type_at(v8, function_or_shared);
    if (!v8_is_function_type(type)) return type == V8_T_SHARED_FUNCTION_INFO ? function_or_shared : 0;
    pm_addr shared = v8_ref(v8, function_or_shared, v8->layout.function_shared);
    return v8_type_at(v8, shared) == V8_T_SHARED_FUNCTION_INFO ? shared : 0;
}

const char *v8_function_name(const struct v8 *v8, pm_addr function_or_shared, struct pm_arena *arena) {
    struct name_slot slot;
    bool is_inferred;
    pm_addr shared = shared_of(v8, function_or_shared);
    if (!shared) return NULL;
    load_name_slot(v8, shared, uncompiled_data(v8, shared), &slot);
    return choose_name(v8, &slot, &is_inferred, arena);
}

static void load_positions(const struct v8 *v8, const struct name_slot *slot, pm_addr uncompiled,
                           struct v8_function *function) {
    uint32_t start, end;
    if (slot->has_scope && slot->scope.start >= 0) {
        function->start = slot->scope.start;
        function->end = slot->scope.end;
    } else if (uncompiled && v8_field_u32(v8, uncompiled, v8->layout.uncompiled_start, &start) &&
               v8_field_u32(v8, uncompiled, v8->layout.uncompiled_end, &end) && start <= end &&
               end <= PM_MAX_STRING_UNITS) {
        function->start = (int32_t)start;
        function->end = (int32_t)end;
    }
}

bool v8_function_load(const struct v8 *v8, pm_addr function_or_shared, struct pm_arena *arena,
                      struct v8_function *ret) {
    struct v8_function function = {.shared = shared_of(v8, function_or_shared), .start = -1, .end = -1};
    struct name_slot slot;
    if (!function.shared) return false;
    pm_addr uncompiled = uncompiled_data(v8, function.shared);
    load_name_slot(v8, function.shared, uncompiled, &slot);
    function.name = choose_name(v8, &slot, &function.is_inferred, arena);
    function.scope_info = slot.has_scope ? slot.scope.info.address : 0;
    load_positions(v8, &slot, uncompiled, &function);
    function.script = script_of(v8, function.shared);
    if (function.script) {
        function.file = v8_script_name(v8, function.script, arena);
        if (function.start >= 0)
            v8_script_position(v8, function.script, function.start, &function.line, &function.column);
    }
    *ret = function;
    return true;
}

/* ---- scripts ---- */

const char *v8_script_name(const struct v8 *v8, pm_addr script, struct pm_arena *arena) {
    if (v8_type_at(v8, script) != V8_T_SCRIPT) return NULL;
    pm_addr name = v8_ref(v8, script, v8->layout.script_name);
    PM_AUTO_STRBUF struct pm_strbuf text = {0};
    /* Paths may be longer than names; 4096 = PATH_MAX. */
    if (!v8_is_string(v8_map(v8, name)) || !v8_string_text(v8, name, 0, 4096, &text) || text.length == 0)
        return NULL;
    return pm_arena_copy(arena, text.bytes, text.length);
}

struct line_scan { /* what stands in front of a source position */
    uint32_t line, line_start, at;
    bool after_cr;
};

/* Line ends as String::CalculateLineEnds (src/objects/string.cc): \n, \r without \n behind it, U+2028,
 * U+2029. */
static bool scan_lines(void *context, const uint8_t *units, unsigned width, uint32_t count) {
    struct line_scan *scan = context;
    for (uint32_t i = 0; i < count; i++, scan->at++) {
        uint32_t unit = width == 1 ? units[i] : pm_load_u16(units + 2 * (size_t)i);
        if (scan->after_cr && unit != '\n') {
            scan->line++;
            scan->line_start = scan->at;
        }
        scan->after_cr = unit == '\r';
        if (unit == '\n' || unit == 0x2028 || unit == 0x2029) {
            scan->line++;
            scan->line_start = scan->at + 1;
        }
    }
    return true;
}

/* By Script.line_ends: a FixedArray with the position of each line terminator, ascending, and of the end of
 * the source. */
static bool line_by_ends(const struct v8 *v8, pm_addr script, uint32_t position, struct line_scan *ret) {
    struct v8_thing ends;
    uint32_t count, end;
    pm_addr array = v8_ref(v8, script, v8->layout.script_line_ends);
    uint64_t data = v8->layout.array_data.offset;
    if (!v8_thing_of_type(v8, array, V8_T_FIXED_ARRAY, &ends) ||
        !v8_thing_count(v8, &ends, v8->layout.array_length.offset, &count) || count == 0 ||
        data + 8 * (uint64_t)count > ends.size)
        return false;
    uint32_t low = 0, high = count; /* the first line whose end is not in front of the position */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (!v8_thing_count(v8, &ends, data + 8 * (uint64_t)middle, &end)) return false;
        if (end < position)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == count) return false;
    end = 0;
    if (low > 0 && !v8_thing_count(v8, &ends, data + 8 * (uint64_t)(low - 1), &end)) return false;
    *ret = (struct line_scan){.line = low, .line_start = low > 0 ? end + 1 : 0};
    return true;
}

static int32_t script_smi(const struct v8 *v8, pm_addr script, struct v8_field field) {
    v8_word word;
    return v8_field_word(v8, script, field, &word) && v8_is_smi(word) && v8_smi(word) > 0 ? v8_smi(word) : 0;
}

bool v8_script_position(const struct v8 *v8, pm_addr script, int32_t position, uint32_t *line_ret,
                        uint32_t *column_ret) {
    struct line_scan scan = {0};
    uint32_t length;
    if (position < 0 || v8_type_at(v8, script) != V8_T_SCRIPT) return false;
    if (!line_by_ends(v8, script, (uint32_t)position, &scan)) {
        pm_addr source = v8_ref(v8, script, v8->layout.script_source);
        scan = (struct line_scan){0};
        if (!v8_string_length(v8, source, &length) || (uint32_t)position > length ||
            !v8_string_units(v8, source, 0, (uint32_t)position, scan_lines, &scan))
            return false;
        if (scan.after_cr) { /* the unit at the position decides whether that \r ended a line */
            uint32_t line = scan.line, start = scan.line_start;
            v8_string_units(v8, source, (uint32_t)position, 1, scan_lines, &scan);
            if (scan.line_start > (uint32_t)position) {
                scan.line = line;
                scan.line_start = start;
            }
        }
    }
    /* A script inside of another file (Script::GetPositionInfo with OffsetFlag::kWithOffset). */
    uint32_t column = (uint32_t)position - scan.line_start;
    if (scan.line == 0) column += (uint32_t)script_smi(v8, script, v8->layout.script_column_offset);
    *line_ret = scan.line + (uint32_t)script_smi(v8, script, v8->layout.script_line_offset) + 1;
    *column_ret = column + 1;
    return true;
}

/* ---- source positions ---- */

int32_t v8_source_position(const struct v8 *v8, pm_addr table, int32_t code_offset,
                           int32_t *inlining_id_ret) {
    struct v8_thing thing;
    struct v8_position_entry entry = V8_POSITION_TABLE_START;
    uint32_t length;
    uint64_t data = v8->layout.array_data.offset;
    int64_t found = -1;
    if (inlining_id_ret) *inlining_id_ret = -1;
    if (!v8_thing_load(v8, table, &thing) ||
        (thing.type != V8_T_BYTE_ARRAY && thing.type != V8_T_TRUSTED_BYTE_ARRAY) ||
        !v8_thing_count(v8, &thing, v8->layout.array_length.offset, &length) || data + length > thing.size ||
        length == 0)
        return -1;
    const uint8_t *bytes = pm_mem_view(v8->mem, table + data, length);
    while (bytes && v8_position_next(bytes, length, v8->layout.source_positions_unsigned, &entry) &&
           entry.code_offset <= code_offset)
        found = entry.raw;
    /* SourcePosition (src/codegen/source-position.h): bit 0 external, 30 bits position + 1, 16 bits inlining
     * id + 1 */
    if (found < 0 || (found & 1)) return -1;
    if (inlining_id_ret) *inlining_id_ret = (int32_t)(found >> 31 & 0xffff) - 1;
    return (int32_t)(found >> 1 & 0x3fffffff) - 1;
}

v8_word v8_function_code(const struct v8 *v8, pm_addr function) {
    const struct v8_layout *layout = &v8->layout;
    const struct v8_page *page = v8_page_of(v8, function);
    uint32_t handle;
    v8_word code;
    if (layout->function_code.present)
        return v8_word_at(v8, function, layout->function_code.offset, &code) ? code : 0;
    if (!page || !layout->function_dispatch_handle.present ||
        !pm_mem_u32(v8->mem, function + layout->function_dispatch_handle.offset, &handle))
        return 0;
    return v8_dispatch_code(v8, page->isolate, handle);
}
