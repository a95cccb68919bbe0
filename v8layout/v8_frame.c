#include "v8layout/frame_slots.h"

/* v8_frame.c - one machine frame of V8, and its caller. The picture and the terms are at the head of
 * js_frames.c. */

static bool step_by_fp(struct v8_walk *walk) {
    const struct v8_frame_arch *arch = walk->stacks->arch;
    pm_addr fp = v8_walk_fp(walk);
    uint64_t caller_fp, pc;
    if (!v8_slot(walk, fp, SLOT_CALLER_FP, &caller_fp) || !v8_slot(walk, fp, SLOT_RETURN, &pc)) return false;
    struct pm_regs regs = {0};
    regs.value[arch->pc] = pc & arch->code_bits;
    regs.value[arch->fp] = caller_fp;
    regs.value[arch->sp] = fp + 16;
    regs.valid = 1ull << arch->pc | 1ull << arch->fp | 1ull << arch->sp;
    walk->regs = regs;
    walk->exact = walk->pc_unknown = false;
    return true;
}

/* Back into the C++ code that called JavaScript: JSEntry saved its registers. */
static bool step_from_entry(struct v8_walk *walk) {
    const struct v8_frame_arch *arch = walk->stacks->arch;
    pm_addr fp = v8_walk_fp(walk);
    uint64_t exit_fp = 0;
    v8_slot(walk, fp, arch->entry_c_entry_fp, &exit_fp);
    if (!step_by_fp(walk)) return false;
    walk->regs.value[arch->sp] = fp + (pm_addr)arch->entry_sp;
    for (unsigned i = 0; i < arch->entry_saved_count; i++) {
        const struct v8_saved_register *saved = &arch->entry_saved[i];
        if (!v8_slot(walk, fp, saved->offset, &walk->regs.value[saved->reg])) return false;
        walk->regs.valid |= 1ull << saved->reg;
    }
    walk->next_exit_fp = v8_walk_in_stack(walk, exit_fp) && exit_fp > fp ? exit_fp : 0;
    walk->has_entry = true;
    walk->sp_unknown = false;
    return true;
}

/* Does the frame hold what its marker says? 1 yes, 0 cannot be told, -1 no. */
static int judge(const struct v8_walk *walk, enum v8_frame_type type) {
    const struct v8_stacks *stacks = walk->stacks;
    pm_addr fp = v8_walk_fp(walk), pc = v8_walk_pc(walk);
    switch (type) {
    case V8_FT_BUILTIN_EXIT: return v8_slot_function(walk, fp, 24) ? 1 : -1;
    case V8_FT_API_CALLBACK_EXIT:
    case V8_FT_API_CONSTRUCT_EXIT: return v8_is_api_exit(walk) ? 1 : -1;
    case V8_FT_CONSTRUCT: return v8_slot_function(walk, fp, -32) ? 1 : -1; /* context, length, constructor */
    case V8_FT_FAST_CONSTRUCT: {
        pm_addr context = v8_slot_object(walk, fp, -16);
        return context && v8_is_context_type(v8_type_at(stacks->v8, context)) ? 1 : -1;
    }
    case V8_FT_JS_CONTINUATION:
    case V8_FT_JS_CONTINUATION_CATCH: return v8_slot_function(walk, fp, SLOT_FUNCTION) ? 1 : -1;
    case V8_FT_IRREGEXP:
    case V8_FT_WASM: return pc && v8_codes_classify(stacks->codes, pc) == V8_PC_JIT ? 1 : -1;
    case V8_FT_ENTRY:
    case V8_FT_CONSTRUCT_ENTRY:
    case V8_FT_EXIT:
    case V8_FT_INTERNAL:
    case V8_FT_STUB:
    case V8_FT_TURBOFAN_STUB:
    case V8_FT_BUILTIN_CONTINUATION: return 0;
    default: return -1; /* never a marker, or seldom on a stack */
    }
}

static bool push_of_type(struct v8_walk *walk, enum v8_frame_type type) {
    pm_addr fp = v8_walk_fp(walk);
    switch (type) {
    case V8_FT_BUILTIN_EXIT: return v8_push_builtin_exit(walk);
    case V8_FT_API_CALLBACK_EXIT: return v8_push_api_exit(walk, false);
    case V8_FT_API_CONSTRUCT_EXIT: return v8_push_api_exit(walk, true);
    case V8_FT_API_ACCESSOR_EXIT:
    case V8_FT_API_INDEXED_EXIT: return v8_push_accessor_exit(walk);
    case V8_FT_IRREGEXP: return v8_push_generated(walk, "(compiled regular expression)");
    case V8_FT_WASM: return v8_push_generated(walk, v8_wasm_function_name);
    case V8_FT_JS_CONTINUATION:
    case V8_FT_JS_CONTINUATION_CATCH: {
        struct v8_call_site site = {.function = v8_slot_function(walk, fp, SLOT_FUNCTION)};
        return site.function ? v8_push_builtin(walk, &site, 0, 0)
                             : v8_push_plumbing(walk, "builtin continuation");
    }
    case V8_FT_ENTRY:
    case V8_FT_CONSTRUCT_ENTRY: return v8_push_plumbing(walk, "JSEntry");
    case V8_FT_EXIT: return v8_push_plumbing(walk, "exit");
    case V8_FT_CONSTRUCT:
    case V8_FT_FAST_CONSTRUCT: return v8_push_plumbing(walk, "construct stub");
    case V8_FT_INTERNAL: return v8_push_plumbing(walk, "internal stub");
    default: return v8_push_plumbing(walk, "stub");
    }
}

enum v8_step v8_walk_frame(struct v8_walk *walk) {
    struct v8_stacks *stacks = walk->stacks;
    if (walk->exact && !v8_top_frame(walk)) return V8_STEP_END;
    pm_addr fp = v8_walk_fp(walk), pc = v8_walk_pc(walk);
    if (!v8_walk_in_stack(walk, fp) || (!walk->exact && fp < v8_walk_sp(walk))) return V8_STEP_BAD;
    bool ok;
    struct v8_code code;
    if (v8_has_marker(walk, fp) ? v8_marker_at(walk, fp) != V8_FT_IRREGEXP
                                : !v8_slot_function(walk, fp, SLOT_FUNCTION))
        v8_note_regexp_near(walk);
    if (pc && v8_codes_classify(stacks->codes, pc) == V8_PC_JIT && v8_codes_find(stacks->codes, pc, &code) &&
        code.kind == V8_CODE_REGEXP) {
        ok = v8_push_generated(walk,
                               "(compiled regular expression)"); /* V8 10 and older put no marker there */
    } else if (v8_has_marker(walk, fp)) {
        enum v8_frame_type type = v8_marker_at(walk, fp);
        int fits = judge(walk, type);
        stacks->markers_right += fits > 0;
        stacks->markers_wrong += fits < 0;
        ok = push_of_type(walk, type);
        if (!ok) return V8_STEP_END;
        if (type == V8_FT_ENTRY || type == V8_FT_CONSTRUCT_ENTRY)
            return step_from_entry(walk) ? V8_STEP_ON : V8_STEP_BAD;
    } else {
        pm_addr function = v8_slot_function(walk, fp, SLOT_FUNCTION);
        ok = function ? v8_push_js(walk, function) : v8_push_plumbing(walk, "stub");
    }
    if (!ok) return V8_STEP_END;
    /* While the innermost handler's own stub frame is left, its registers still tell the interpreter's state.
     */
    if (walk->has_top && !(v8_has_marker(walk, fp) && walk->exact)) walk->has_top = false;
    return step_by_fp(walk) ? V8_STEP_ON : V8_STEP_BAD;
}
