#include <string.h>

#include "v8layout/frame_slots.h"

/* frame_top.c - V8 code that a signal interrupted: pc is anywhere, fp is some frame of V8's, perhaps not that
 * of pc. */

static bool in_frame_setup(const struct v8_walk *walk, const struct v8_code *code, uint32_t pc_offset) {
    const struct v8_stacks *stacks = walk->stacks;
    uint32_t length = code->size < 96 ? code->size : 96, start = 0;
    const uint8_t *bytes = pm_mem_view(stacks->mem, code->start, length);
    uint32_t size = bytes ? stacks->arch->frame_setup(bytes, length, &start) : UINT32_MAX;
    return size != UINT32_MAX && pc_offset < start + size;
}

static bool is_interpreter(const char *name) {
    size_t length = strlen(name);
    return strncmp(name, "Interpreter", 11) == 0 || (length > 7 && strcmp(name + length - 7, "Handler") == 0);
}

/* Does the frame at fp belong to the code at pc? */
static bool frame_is_of(const struct v8_walk *walk, pm_addr fp, pm_addr pc, bool exact) {
    const struct v8_stacks *stacks = walk->stacks;
    const struct v8 *v8 = stacks->v8;
    bool jit = v8_codes_classify(stacks->codes, pc) == V8_PC_JIT;
    struct v8_code code;
    bool found = jit && v8_codes_find(stacks->codes, pc, &code);
    if (!v8_walk_in_stack(walk, fp)) return false;
    if (v8_has_marker(walk, fp)) {
        enum v8_frame_type type = v8_marker_at(walk, fp);
        if (!jit) return true;
        if (!found) return type == V8_FT_WASM;
        return (code.kind == V8_CODE_REGEXP && type == V8_FT_IRREGEXP) ||
               (code.kind == V8_CODE_OTHER && type != V8_FT_NONE);
    }
    pm_addr function = v8_slot_function(walk, fp, SLOT_FUNCTION);
    if (!function) return found && code.kind == V8_CODE_REGEXP && !exact;
    pm_addr bytecode = v8_slot_of_type(walk, fp, SLOT_BYTECODE, V8_T_BYTECODE_ARRAY);
    if (jit) {
        if (!found) return false;
        if (exact && in_frame_setup(walk, &code, (uint32_t)(pc - code.start))) return false;
        if (code.kind == V8_CODE_BASELINE) {
            pm_addr own = v8_bytecode_of_code(v8, &code);
            return bytecode && (own ? own == bytecode : true);
        }
        pm_addr shared = v8_deopt_shared(v8, &stacks->deopt_forms, &code);
        return shared && shared == v8_ref(v8, function, v8->layout.function_shared);
    }
    struct v8_builtin builtin;
    if (!v8_codes_builtin(stacks->codes, pc, exact, &builtin)) return false;
    if (!builtin.name) return true;
    if (bytecode) return is_interpreter(builtin.name);
    return !is_interpreter(builtin.name);
}

/* The first return address above the stack pointer that fits the frame at fp. */
static bool find_caller_pc(const struct v8_walk *walk, pm_addr *pc_ret) {
    const struct v8_stacks *stacks = walk->stacks;
    pm_addr fp = v8_walk_fp(walk), sp = v8_walk_sp(walk);
    if (stacks->arch->link >= 0) {
        pm_addr pc = walk->regs.value[stacks->arch->link] & stacks->arch->code_bits;
        enum v8_pc_kind kind = v8_codes_classify(stacks->codes, pc);
        if ((kind == V8_PC_BUILTIN || kind == V8_PC_JIT) && frame_is_of(walk, fp, pc, false)) {
            *pc_ret = pc;
            return true;
        }
    }
    for (pm_addr at = sp; at < fp && at < sp + 1024; at += 8) {
        uint64_t word;
        if (!v8_walk_in_stack(walk, at) || !pm_mem_u64(stacks->mem, at, &word)) return false;
        word &= stacks->arch->code_bits;
        enum v8_pc_kind kind = v8_codes_classify(stacks->codes, word);
        if (kind != V8_PC_BUILTIN && kind != V8_PC_JIT) continue;
        const uint8_t *before = pm_mem_view(stacks->mem, word - 8, 8);
        if (!before || !stacks->arch->after_call(before, 8) || !frame_is_of(walk, fp, word, false)) continue;
        *pc_ret = word;
        return true;
    }
    return false;
}

bool v8_top_frame(struct v8_walk *walk) {
    struct v8_stacks *stacks = walk->stacks;
    pm_addr pc = v8_walk_pc(walk), fp = v8_walk_fp(walk);
    walk->top = walk->regs;
    walk->has_top = true;
    (void)v8_codes_builtin(stacks->codes, pc, true, &walk->top_builtin);
    if (frame_is_of(walk, fp, pc, true)) return true;
    struct v8_code code;
    bool ok = true;
    if (v8_codes_classify(stacks->codes, pc) == V8_PC_JIT) {
        if (!v8_codes_find(stacks->codes, pc, &code))
            ok = v8_push_generated(walk, "(generated code)");
        else if (code.kind == V8_CODE_REGEXP)
            ok = v8_push_generated(walk, "(compiled regular expression)");
        else if (code.kind == V8_CODE_OTHER || code.kind == V8_CODE_UNKNOWN)
            ok = v8_push_plumbing(walk, "generated code");
        else
            ok = v8_push_entered(walk, &code);
    } else {
        ok = v8_push_plumbing(walk, "builtin");
    }
    pm_addr caller;
    walk->pc_unknown = !find_caller_pc(walk, &caller);
    if (!walk->pc_unknown) walk->regs.value[stacks->arch->pc] = caller;
    walk->exact = false;
    return ok;
}
