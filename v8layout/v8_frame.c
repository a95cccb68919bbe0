#include "v8layout/stack_walk.h"

#include <stdlib.h>
#include <string.h>

#include "v8layout/object_access.h"

/* v8_frame.c - one machine frame of V8. The picture and the terms are at the head of js_frames.c. */

/* ---- slots ---- */

enum {
    SLOT_CALLER_FP = 0,
    SLOT_RETURN = 8,
    SLOT_MARKER = -8,
    SLOT_FUNCTION = -16,
    SLOT_ARGC = -24,
    SLOT_BYTECODE = -32,
    SLOT_OFFSET = -40,
    SLOT_RECEIVER = 16,
    SLOT_ARGUMENTS = 24
};

static bool slot(const struct v8_walk *walk, pm_addr fp, int offset, uint64_t *ret) {
    return pm_mem_u64(walk->stacks->mem, fp + (pm_addr)(int64_t)offset, ret);
}

static pm_addr fp_of(const struct v8_walk *walk) {
    return walk->regs.value[walk->stacks->arch->fp];
}
static pm_addr sp_of(const struct v8_walk *walk) {
    return walk->regs.value[walk->stacks->arch->sp];
}
static pm_addr pc_of(const struct v8_walk *walk) {
    return walk->pc_unknown ? 0 : walk->regs.value[walk->stacks->arch->pc];
}

static bool is_stack(const struct v8_walk *walk, pm_addr address) {
    return address % 8 == 0 && address >= walk->stack_start && address < walk->stack_end;
}

/* An object a slot of the stack refers to; the type must fit. */
static pm_addr slot_object(const struct v8_walk *walk, pm_addr fp, int offset) {
    uint64_t word;
    return slot(walk, fp, offset, &word) ? v8_target(walk->stacks->v8, word) : 0;
}

static pm_addr slot_function(const struct v8_walk *walk, pm_addr fp, int offset) {
    pm_addr object = slot_object(walk, fp, offset);
    return object && v8_is_function_type(v8_type_at(walk->stacks->v8, object)) ? object : 0;
}

static pm_addr slot_of_type(const struct v8_walk *walk, pm_addr fp, int offset, enum v8_type type) {
    pm_addr object = slot_object(walk, fp, offset);
    return object && v8_type_at(walk->stacks->v8, object) == type ? object : 0;
}

static enum v8_frame_type type_at(const struct v8_walk *walk, pm_addr fp) {
    uint64_t word;
    return slot(walk, fp, SLOT_MARKER, &word) ? v8_frame_type_of_marker(&walk->stacks->types, word)
                                              : V8_FT_NONE;
}

static bool is_marker(const struct v8_walk *walk, pm_addr fp) {
    uint64_t word;
    return slot(walk, fp, SLOT_MARKER, &word) && !(word & 1) && word >> 1 < V8_MAX_FRAME_TYPE;
}

static bool called_by_new(const struct v8_walk *walk, pm_addr fp) {
    uint64_t caller;
    if (!slot(walk, fp, SLOT_CALLER_FP, &caller) || !is_stack(walk, caller)) return false;
    enum v8_frame_type type = type_at(walk, caller);
    return type == V8_FT_CONSTRUCT || type == V8_FT_FAST_CONSTRUCT;
}

/* ---- frames to show ---- */

static struct pm_frame new_frame(const struct v8_walk *walk, enum pm_frame_kind kind) {
    struct pm_frame frame = {
        .kind = kind, .offset = PM_UNKNOWN, .address = pc_of(walk), .frame_pointer = fp_of(walk)};
    return frame;
}

static bool push_plumbing(struct v8_walk *walk, const char *name) {
    struct pm_frame frame = new_frame(walk, PM_FRAME_ENTRY);
    struct v8_builtin builtin;
    frame.hidden = true;
    frame.function = name;
    if (v8_codes_builtin(walk->stacks->codes, pc_of(walk), walk->exact, &builtin) && builtin.name)
        frame.function = builtin.name;
    return v8_walk_push(walk, &frame);
}

/* Native code of V8's that is not in the binary. */
static bool push_generated(struct v8_walk *walk, const char *name) {
    struct pm_frame frame = new_frame(walk, PM_FRAME_NATIVE);
    frame.function = name;
    return v8_walk_push(walk, &frame);
}

static void note_regexp(struct v8_walk *walk, v8_word word) {
    const struct v8 *v8 = walk->stacks->v8;
    pm_addr object = walk->regexp ? 0 : v8_target(v8, word);
    if (!object || v8_type_at(v8, object) != V8_T_JS_REG_EXP) return;
    pm_addr source = v8_ref(v8, object, v8->layout.regexp_source);
    if (v8_is_string(v8_map(v8, source))) walk->regexp = v8_name_text(v8, source, walk->stacks->arena);
}

/* Receiver and arguments, which lie in ascending slots from `at` on. */
static void add_values(struct v8_walk *walk, struct pm_frame *frame, pm_addr at, uint64_t arguments) {
    struct v8_stacks *stacks = walk->stacks;
    v8_word word;
    if (!is_stack(walk, at) || !pm_mem_u64(stacks->mem, at, &word)) return;
    note_regexp(walk, word);
    enum v8_oddball oddball = v8_oddball_of(stacks->v8, word);
    if (oddball != V8_UNDEFINED && oddball != V8_HOLE)
        frame->receiver = v8_call_site_value(stacks->sites, word);
    uint64_t shown = arguments < V8_MAX_SHOWN_ARGUMENTS ? arguments : V8_MAX_SHOWN_ARGUMENTS;
    if (shown == 0) return;
    frame->arguments = pm_arena_array(stacks->arena, shown, sizeof(*frame->arguments));
    if (!frame->arguments) {
        stacks->nomem = true;
        return;
    }
    for (uint64_t i = 0; i < shown && is_stack(walk, at + 8 + 8 * i); i++) {
        if (!pm_mem_u64(stacks->mem, at + 8 + 8 * i, &word)) break;
        note_regexp(walk, word);
        const char *text = v8_call_site_value(stacks->sites, word);
        if (!text) break;
        frame->arguments[frame->argument_count++] = text;
    }
}

/* A function that V8 or Node implements in machine code or C++. */
static bool push_builtin(struct v8_walk *walk, struct v8_call_site *site, pm_addr values,
                         uint64_t arguments) {
    struct v8_stacks *stacks = walk->stacks;
    struct pm_frame frame = new_frame(walk, PM_FRAME_BUILTIN);
    site->shared =
        site->shared ? site->shared : v8_ref(stacks->v8, site->function, stacks->v8->layout.function_shared);
    bool api = v8_shared_is_api(stacks->v8, site->shared);
    const struct v8_function *function = v8_call_site_function(stacks->sites, site->shared);
    site->receiver_known = values && pm_mem_u64(stacks->mem, values, &site->receiver);
    frame.constructor = site->constructor;
    frame.function = v8_call_site_name(stacks->sites, site);
    /* As Error.stack: builtins without the native bit are V8's internal helpers; API functions are Node's
     * bindings. */
    frame.hidden = !api && !(function && function->script) && !v8_shared_is_native(stacks->v8, site->shared);
    if (!walk->first_function) walk->first_function = site->function;
    if (values) add_values(walk, &frame, values, arguments);
    return v8_walk_push(walk, &frame);
}

/* ---- positions ---- */

static pm_addr position_table(const struct v8 *v8, pm_addr bytecode) {
    return bytecode ? v8_ref(v8, bytecode, v8->layout.bytecode_source_positions) : 0;
}

/* Where in the script a bytecode is; the function's start (approximate) when its table says nothing. */
static void set_position(struct v8_walk *walk, struct pm_frame *frame, pm_addr shared, pm_addr bytecode,
                         int32_t offset) {
    struct v8_stacks *stacks = walk->stacks;
    int32_t position = v8_source_position(stacks->v8, position_table(stacks->v8, bytecode), offset, NULL);
    const struct v8_function *function = v8_call_site_function(stacks->sites, shared);
    if (position < 0 && function) {
        position = function->start;
        frame->approximate = true;
    }
    v8_call_site_position(stacks->sites, shared, position, &frame->position);
}

static void finish_js(struct v8_walk *walk, struct pm_frame *frame, const struct v8_call_site *site) {
    frame->constructor = site->constructor;
    frame->function = v8_call_site_name(walk->stacks->sites, site);
    if (!walk->first_function) walk->first_function = site->function;
}

/* argc as the caller counted it; garbage is 0. */
static uint64_t argument_count(const struct v8_walk *walk, pm_addr fp) {
    uint64_t argc;
    if (!slot(walk, fp, SLOT_ARGC, &argc) || argc > 1u << 20) return 0;
    if (walk->stacks->argc_counts_receiver) return argc ? argc - 1 : 0;
    return argc;
}

/* ---- interpreted and baseline ---- */

static bool offset_of_smi(const struct v8 *v8, pm_addr bytecode, v8_word word, int32_t *ret) {
    v8_word length;
    int32_t header = (int32_t)v8->layout.bytecode_data.offset - 1;
    if (!v8_is_smi(word) || !v8_word_at(v8, bytecode, v8->layout.array_length.offset, &length) ||
        !v8_is_smi(length))
        return false;
    int64_t offset = (int64_t)v8_smi(word) - header;
    if (offset < -1 || offset >= v8_smi(length)) return false;
    *ret = (int32_t)offset;
    return true;
}

/* A bytecode handler was interrupted: the offset is in a register, in the frame is the one of the last call.
 * The handler that the dispatch table has for the bytecode must be the one that ran. */
static bool offset_of_registers(const struct v8_walk *walk, pm_addr bytecode, int32_t *ret) {
    const struct v8_stacks *stacks = walk->stacks;
    const struct v8_frame_arch *arch = stacks->arch;
    const struct pm_regs *regs = &walk->top;
    if (!walk->has_top || v8_untag(regs->value[arch->bytecode_array]) != bytecode) return false;
    uint64_t raw = regs->value[arch->bytecode_offset];
    int32_t offset;
    uint8_t code;
    pm_addr handler;
    if (raw > INT32_MAX || !offset_of_smi(stacks->v8, bytecode, raw << 32, &offset) || offset < 0)
        return false;
    if (!pm_mem_u8(stacks->mem, bytecode + stacks->v8->layout.bytecode_data.offset + (pm_addr)offset, &code))
        return false;
    struct v8_builtin found;
    if (code > 3 && walk->top_builtin.name &&
        pm_mem_u64(stacks->mem, regs->value[arch->dispatch_table] + 8ull * code, &handler) &&
        v8_codes_builtin(stacks->codes, handler, true, &found) && found.name &&
        found.start != walk->top_builtin.start)
        return false;
    *ret = offset;
    return true;
}

static pm_addr bytecode_of_code(const struct v8 *v8, const struct v8_code *code) {
    if (!code->deopt_data) return 0;
    if (v8_type_at(v8, code->deopt_data) == V8_T_BYTECODE_ARRAY) return code->deopt_data;
    v8_word word; /* InterpreterData: bytecode array first */
    pm_addr inner = v8_word_at(v8, code->deopt_data, 8, &word) ? v8_target(v8, word) : 0;
    return inner && v8_type_at(v8, inner) == V8_T_BYTECODE_ARRAY ? inner : 0;
}

/* The last return address into the frame's own compiled code that lies between the callee's frame and this
 * one: helpers like BaselineLeaveFrame are called without a frame of their own. */
static bool find_return(const struct v8_walk *walk, pm_addr from, pm_addr fp, pm_addr bytecode,
                        struct v8_code *code_ret, pm_addr *pc_ret) {
    const struct v8_stacks *stacks = walk->stacks;
    for (pm_addr at = from; at < fp && at < from + 4096; at += 8) {
        uint64_t word;
        if (!is_stack(walk, at) || !pm_mem_u64(stacks->mem, at, &word)) return false;
        word &= stacks->arch->code_bits;
        if (v8_codes_classify(stacks->codes, word) != V8_PC_JIT ||
            !v8_codes_find(stacks->codes, word, code_ret))
            continue;
        if (code_ret->kind != V8_CODE_BASELINE || bytecode_of_code(stacks->v8, code_ret) != bytecode)
            continue;
        *pc_ret = word;
        return true;
    }
    return false;
}

static bool push_unoptimized(struct v8_walk *walk, pm_addr function, pm_addr bytecode,
                             const struct v8_code *code) {
    struct v8_stacks *stacks = walk->stacks;
    pm_addr fp = fp_of(walk), pc = pc_of(walk);
    struct pm_frame frame = new_frame(walk, PM_FRAME_JS);
    struct v8_call_site site = {.function = function,
                                .shared = v8_ref(stacks->v8, function, stacks->v8->layout.function_shared),
                                .constructor = called_by_new(walk, fp)};
    int32_t offset = -1;
    v8_word word;
    struct v8_code found;
    bool known = false;
    frame.tier = PM_TIER_INTERPRETED;
    if (code) {
        frame.tier = PM_TIER_BASELINE;
        known = v8_codes_baseline_offset(stacks->codes, code, bytecode, (uint32_t)(pc - code->start),
                                         walk->exact, &offset);
    } else if (offset_of_registers(walk, bytecode, &offset)) {
        known = true;
    } else if (slot(walk, fp, SLOT_OFFSET, &word) && offset_of_smi(stacks->v8, bytecode, word, &offset)) {
        known = !walk->exact;
    } else if (find_return(walk, sp_of(walk), fp, bytecode, &found, &pc)) {
        frame.tier = PM_TIER_BASELINE;
        known = v8_codes_baseline_offset(stacks->codes, &found, bytecode, (uint32_t)(pc - found.start), false,
                                         &offset);
    }
    set_position(walk, &frame, site.shared, bytecode, offset);
    if (!known) frame.approximate = true;
    site.receiver_known = slot(walk, fp, SLOT_RECEIVER, &site.receiver);
    finish_js(walk, &frame, &site);
    add_values(walk, &frame, fp + SLOT_RECEIVER, argument_count(walk, fp));
    return v8_walk_push(walk, &frame);
}

/* ---- optimised ---- */

static bool push_inlined(struct v8_walk *walk, const struct v8_deopt_frame *inner, bool inlined,
                         enum pm_tier tier, bool constructor) {
    struct v8_stacks *stacks = walk->stacks;
    const struct v8 *v8 = stacks->v8;
    struct v8_call_site site = {.function = inner->function,
                                .shared = inner->shared,
                                .receiver_known = inner->receiver_known,
                                .receiver = inner->receiver,
                                .receiver_map = inner->receiver_map,
                                .constructor = inner->constructor || constructor};
    struct pm_frame frame = new_frame(walk, inner->continuation ? PM_FRAME_BUILTIN : PM_FRAME_JS);
    frame.tier = tier;
    frame.inlined = inlined;
    if (inner->continuation) {
        frame.hidden = !v8_shared_is_native(v8, inner->shared);
        frame.tier = PM_TIER_NONE;
    } else {
        set_position(walk, &frame, inner->shared, v8_shared_bytecode(v8, inner->shared),
                     inner->bytecode_offset);
    }
    finish_js(walk, &frame, &site);
    if (!inlined) {
        add_values(walk, &frame, fp_of(walk) + SLOT_RECEIVER, argument_count(walk, fp_of(walk)));
    } else if (inner->receiver_known) {
        note_regexp(walk, inner->receiver);
        enum v8_oddball oddball = v8_oddball_of(v8, inner->receiver);
        if (oddball != V8_UNDEFINED && oddball != V8_HOLE && oddball != V8_OTHER_ODDBALL)
            frame.receiver = v8_call_site_value(stacks->sites, inner->receiver);
    }
    return v8_walk_push(walk, &frame);
}

/* Positions of the source position table: the functions' own objects are not known then. */
static bool push_by_positions(struct v8_walk *walk, const struct v8_call_site *outer,
                              const struct v8_code *code, uint32_t pc_offset, enum pm_tier tier,
                              bool approximate) {
    struct v8_stacks *stacks = walk->stacks;
    struct v8_inlined_position rows[V8_MAX_INLINED];
    size_t count = v8_inlined_positions(stacks->v8, &stacks->deopt_forms, code, pc_offset, outer->shared,
                                        rows, V8_MAX_INLINED);
    if (count == 0) {
        const struct v8_function *function = v8_call_site_function(stacks->sites, outer->shared);
        rows[0] = (struct v8_inlined_position){outer->shared, function ? function->start : -1};
        count = 1;
        approximate = true;
    }
    for (size_t i = count; i-- > 0;) {
        struct pm_frame frame = new_frame(walk, PM_FRAME_JS);
        struct v8_call_site site = {.shared = rows[i].shared,
                                    .constructor =
                                        v8_shared_is_class_constructor(stacks->v8, rows[i].shared)};
        if (i == 0) site = *outer;
        frame.tier = tier;
        frame.inlined = i > 0;
        frame.approximate = approximate;
        v8_call_site_position(stacks->sites, rows[i].shared, rows[i].position, &frame.position);
        finish_js(walk, &frame, &site);
        if (i == 0) add_values(walk, &frame, fp_of(walk) + SLOT_RECEIVER, argument_count(walk, fp_of(walk)));
        if (!v8_walk_push(walk, &frame)) return false;
    }
    return true;
}

static bool push_optimized(struct v8_walk *walk, pm_addr function, const struct v8_code *code) {
    struct v8_stacks *stacks = walk->stacks;
    const struct v8 *v8 = stacks->v8;
    pm_addr fp = fp_of(walk);
    uint32_t pc_offset = (uint32_t)(pc_of(walk) - code->start);
    enum pm_tier tier = code->kind == V8_CODE_MAGLEV ? PM_TIER_MAGLEV : PM_TIER_TURBOFAN;
    struct v8_call_site outer = {.function = function,
                                 .shared = v8_ref(v8, function, v8->layout.function_shared),
                                 .constructor = called_by_new(walk, fp)};
    outer.receiver_known = slot(walk, fp, SLOT_RECEIVER, &outer.receiver);
    struct v8_deopt_frame *frames = walk->exact ? NULL : calloc(V8_MAX_INLINED, sizeof(*frames));
    size_t count = 0;
    int32_t index;
    if (frames && v8_codes_deopt_index(stacks->codes, code, pc_offset, &index))
        count = v8_deopt_frames(v8, &stacks->opcodes, &stacks->deopt_forms, code, index, fp, outer.shared,
                                frames, V8_MAX_INLINED);
    bool ok = true;
    if (count) {
        if (!frames[0].function) frames[0].function = function;
        if (!frames[0].receiver_known && !frames[0].receiver_map) {
            frames[0].receiver_known = outer.receiver_known;
            frames[0].receiver = outer.receiver;
        }
        for (size_t i = count; i-- > 0 && ok;)
            ok = push_inlined(walk, &frames[i], i > 0, tier, i == 0 && outer.constructor);
    } else {
        /* Calls that cannot deoptimise, or an interrupted pc. Maglev's table has only function entries. */
        bool exact = !walk->exact && tier == PM_TIER_TURBOFAN;
        ok = push_by_positions(walk, &outer, code, walk->exact ? pc_offset : pc_offset - 1, tier, !exact);
    }
    free(frames);
    return ok;
}

/* ---- JavaScript frames ---- */

static bool push_js(struct v8_walk *walk, pm_addr function) {
    struct v8_stacks *stacks = walk->stacks;
    const struct v8 *v8 = stacks->v8;
    pm_addr fp = fp_of(walk), pc = pc_of(walk);
    struct v8_call_site site = {.function = function, .constructor = called_by_new(walk, fp)};
    site.shared = v8_ref(v8, function, v8->layout.function_shared);
    const struct v8_function *loaded = v8_call_site_function(stacks->sites, site.shared);
    /* A builtin's frame may hold anything at fp - 32, a BytecodeArray too. */
    if (!loaded || !loaded->script)
        return push_builtin(walk, &site, fp + SLOT_RECEIVER, argument_count(walk, fp));
    pm_addr bytecode = slot_of_type(walk, fp, SLOT_BYTECODE, V8_T_BYTECODE_ARRAY);
    struct v8_code code;
    if (pc && v8_codes_classify(stacks->codes, pc) == V8_PC_JIT && v8_codes_find(stacks->codes, pc, &code)) {
        if (code.kind == V8_CODE_BASELINE && bytecode)
            return push_unoptimized(walk, function, bytecode, &code);
        if (code.kind == V8_CODE_MAGLEV || code.kind == V8_CODE_TURBOFAN)
            return push_optimized(walk, function, &code);
    } else if (bytecode) {
        return push_unoptimized(walk, function, bytecode, NULL);
    }
    /* A function of a script in code we do not know: where it starts is all there is. */
    struct pm_frame frame = new_frame(walk, PM_FRAME_JS);
    site.receiver_known = slot(walk, fp, SLOT_RECEIVER, &site.receiver);
    set_position(walk, &frame, site.shared, 0, -1);
    finish_js(walk, &frame, &site);
    add_values(walk, &frame, fp + SLOT_RECEIVER, argument_count(walk, fp));
    return v8_walk_push(walk, &frame);
}

/* ---- exit frames with a function ---- */

static bool push_builtin_exit(struct v8_walk *walk) {
    /* new.target, target, argc (Smi: with receiver, target, new.target, itself and the padding), padding (a
     * hole; gone in V8 14), receiver, arguments */
    const struct v8 *v8 = walk->stacks->v8;
    pm_addr fp = fp_of(walk);
    v8_word new_target, argc, padding;
    struct v8_call_site site = {.function = slot_function(walk, fp, 24)};
    if (!site.function || !slot(walk, fp, 16, &new_target) || !slot(walk, fp, 32, &argc) ||
        !slot(walk, fp, 40, &padding))
        return push_plumbing(walk, "exit");
    site.constructor = v8_oddball_of(v8, new_target) != V8_UNDEFINED;
    int32_t extra = v8_oddball_of(v8, padding) == V8_HOLE ? 5 : 4;
    int32_t count = v8_is_smi(argc) && v8_smi(argc) > extra ? v8_smi(argc) - extra : 0;
    return push_builtin(walk, &site, fp + (pm_addr)(8 * (extra + 1)), (uint64_t)count);
}

/* Where a call of an API function keeps its target, in the three forms that were seen. The one fits whose
 * target is a function or its template and whose context is a context. */
static const struct api_form {
    int16_t target, context, receiver, new_target; /* of fp; new_target 0 = none */
    int16_t argc;                                  /* > 0 a Smi there; < 0 raw there */
} api_forms[] = {
    {48, 32, 64, 16, -24}, /* V8 13 */
    {40, 32, 48, 0, -24},  /* V8 14 */
    {16, 32, 88, 80, 24},  /* V8 12 on x86-64 */
    {16, 32, 96, 88, 24},  /* and on aarch64, with padding */
};

static pm_addr template_shared(const struct v8 *v8, pm_addr template) {
    pm_addr shared = v8_ref(v8, template, v8->layout.template_shared);
    if (shared && v8_type_at(v8, shared) == V8_T_SHARED_FUNCTION_INFO) return shared;
    for (uint32_t offset = 8; offset <= 112; offset += 8) {
        v8_word word;
        if (!v8_word_at(v8, template, offset, &word)) break;
        shared = v8_target(v8, word);
        if (shared && v8_type_at(v8, shared) == V8_T_SHARED_FUNCTION_INFO) return shared;
    }
    return 0;
}

static bool push_api_exit(struct v8_walk *walk, bool construct) {
    const struct v8 *v8 = walk->stacks->v8;
    pm_addr fp = fp_of(walk);
    for (size_t i = 0; i < sizeof(api_forms) / sizeof(api_forms[0]); i++) {
        const struct api_form *form = &api_forms[i];
        pm_addr target = slot_object(walk, fp, form->target), context = slot_object(walk, fp, form->context);
        if (!target || !context || !v8_is_context_type(v8_type_at(v8, context))) continue;
        enum v8_type type = v8_type_at(v8, target);
        struct v8_call_site site = {.constructor = construct};
        if (v8_is_function_type(type))
            site.function = target;
        else if (type == V8_T_FUNCTION_TEMPLATE_INFO)
            site.shared = template_shared(v8, target);
        if (!site.function && !site.shared) continue;
        v8_word word;
        uint64_t count = 0;
        if (form->new_target && slot(walk, fp, form->new_target, &word) && v8_is_pointer(word))
            site.constructor = v8_oddball_of(v8, word) != V8_UNDEFINED;
        if (slot(walk, fp, form->argc, &word)) {
            if (form->argc < 0)
                count = word <= 1u << 20 ? word : 0;
            else if (v8_is_smi(word) && v8_smi(word) > 0)
                count = (uint64_t)v8_smi(word);
        }
        if (form->argc < 0 && count && walk->stacks->argc_counts_receiver) count--;
        return push_builtin(walk, &site, fp + (pm_addr)form->receiver, count);
    }
    return push_plumbing(walk, "API callback");
}

/* Getter or setter of an API object: only the property's name is told. */
static bool push_accessor_exit(struct v8_walk *walk) {
    struct v8_stacks *stacks = walk->stacks;
    struct pm_frame frame = new_frame(walk, PM_FRAME_BUILTIN);
    frame.function = "(API accessor)";
    for (int offset = 16; offset <= 96; offset += 8) {
        pm_addr object = slot_object(walk, fp_of(walk), offset);
        if (!object || !v8_is_name(v8_map(stacks->v8, object))) continue;
        const char *name = v8_name_text(stacks->v8, object, stacks->arena);
        const char *text = name ? pm_arena_printf(stacks->arena, "get %s", name) : NULL;
        if (text) frame.function = text;
        break;
    }
    return v8_walk_push(walk, &frame);
}

/* ---- from one frame to its caller ---- */

static bool step_by_fp(struct v8_walk *walk) {
    const struct v8_frame_arch *arch = walk->stacks->arch;
    pm_addr fp = fp_of(walk);
    uint64_t caller_fp, pc;
    if (!slot(walk, fp, SLOT_CALLER_FP, &caller_fp) || !slot(walk, fp, SLOT_RETURN, &pc)) return false;
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
    pm_addr fp = fp_of(walk);
    uint64_t exit_fp = 0;
    slot(walk, fp, arch->entry_c_entry_fp, &exit_fp);
    if (!step_by_fp(walk)) return false;
    walk->regs.value[arch->sp] = fp + (pm_addr)arch->entry_sp;
    for (unsigned i = 0; i < arch->entry_saved_count; i++) {
        const struct v8_saved_register *saved = &arch->entry_saved[i];
        if (!slot(walk, fp, saved->offset, &walk->regs.value[saved->reg])) return false;
        walk->regs.valid |= 1ull << saved->reg;
    }
    walk->next_exit_fp = is_stack(walk, exit_fp) && exit_fp > fp ? exit_fp : 0;
    walk->has_entry = true;
    return true;
}

static bool push_of_type(struct v8_walk *walk, enum v8_frame_type type) {
    pm_addr fp = fp_of(walk);
    switch (type) {
    case V8_FT_BUILTIN_EXIT: return push_builtin_exit(walk);
    case V8_FT_API_CALLBACK_EXIT: return push_api_exit(walk, false);
    case V8_FT_API_CONSTRUCT_EXIT: return push_api_exit(walk, true);
    case V8_FT_API_ACCESSOR_EXIT:
    case V8_FT_API_INDEXED_EXIT: return push_accessor_exit(walk);
    case V8_FT_IRREGEXP: return push_generated(walk, "(compiled regular expression)");
    case V8_FT_WASM: return push_generated(walk, "(WebAssembly function)");
    case V8_FT_JS_CONTINUATION:
    case V8_FT_JS_CONTINUATION_CATCH: {
        struct v8_call_site site = {.function = slot_function(walk, fp, SLOT_FUNCTION)};
        return site.function ? push_builtin(walk, &site, 0, 0) : push_plumbing(walk, "builtin continuation");
    }
    case V8_FT_ENTRY:
    case V8_FT_CONSTRUCT_ENTRY: return push_plumbing(walk, "JSEntry");
    case V8_FT_EXIT: return push_plumbing(walk, "exit");
    case V8_FT_CONSTRUCT:
    case V8_FT_FAST_CONSTRUCT: return push_plumbing(walk, "construct stub");
    case V8_FT_INTERNAL: return push_plumbing(walk, "internal stub");
    default: return push_plumbing(walk, "stub");
    }
}

/* ---- interrupted code ---- */

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
    if (!is_stack(walk, fp)) return false;
    if (is_marker(walk, fp)) {
        enum v8_frame_type type = type_at(walk, fp);
        if (!jit) return true;
        if (!found) return type == V8_FT_WASM;
        return (code.kind == V8_CODE_REGEXP && type == V8_FT_IRREGEXP) ||
               (code.kind == V8_CODE_OTHER && type != V8_FT_NONE);
    }
    pm_addr function = slot_function(walk, fp, SLOT_FUNCTION);
    if (!function) return found && code.kind == V8_CODE_REGEXP && !exact;
    pm_addr bytecode = slot_of_type(walk, fp, SLOT_BYTECODE, V8_T_BYTECODE_ARRAY);
    if (jit) {
        if (!found) return false;
        if (exact && in_frame_setup(walk, &code, (uint32_t)(pc - code.start))) return false;
        if (code.kind == V8_CODE_BASELINE) {
            pm_addr own = bytecode_of_code(v8, &code);
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
    pm_addr fp = fp_of(walk), sp = sp_of(walk);
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
        if (!is_stack(walk, at) || !pm_mem_u64(stacks->mem, at, &word)) return false;
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

/* A compiled function that has no frame yet (or no more): its JSFunction is still in the register where calls
 * pass it. */
static bool push_frameless(struct v8_walk *walk, const struct v8_code *code) {
    struct v8_stacks *stacks = walk->stacks;
    const struct v8 *v8 = stacks->v8;
    struct pm_frame frame = new_frame(walk, PM_FRAME_JS);
    struct v8_call_site site = {0};
    frame.frame_pointer = 0;
    pm_addr function = v8_target(v8, walk->regs.value[stacks->arch->function]);
    if (function && v8_is_function_type(v8_type_at(v8, function))) {
        site.function = function;
        site.shared = v8_ref(v8, function, v8->layout.function_shared);
    }
    if (code->kind == V8_CODE_BASELINE) {
        frame.tier = PM_TIER_BASELINE;
        pm_addr own = bytecode_of_code(v8, code);
        if (!site.shared || (own && v8_shared_bytecode(v8, site.shared) != own))
            return push_plumbing(walk, "baseline code");
    } else {
        frame.tier = code->kind == V8_CODE_MAGLEV ? PM_TIER_MAGLEV : PM_TIER_TURBOFAN;
        pm_addr own = v8_deopt_shared(v8, &stacks->deopt_forms, code);
        if (!own) return push_plumbing(walk, "optimised code");
        if (site.shared != own) site = (struct v8_call_site){.shared = own};
    }
    set_position(walk, &frame, site.shared, 0, -1);
    finish_js(walk, &frame, &site);
    return v8_walk_push(walk, &frame);
}

/* What was interrupted above the frame at fp, if anything; then the registers are those of that frame. */
static bool top_frame(struct v8_walk *walk) {
    struct v8_stacks *stacks = walk->stacks;
    pm_addr pc = pc_of(walk), fp = fp_of(walk);
    walk->top = walk->regs;
    walk->has_top = true;
    (void)v8_codes_builtin(stacks->codes, pc, true, &walk->top_builtin);
    if (frame_is_of(walk, fp, pc, true)) return true;
    struct v8_code code;
    bool ok = true;
    if (v8_codes_classify(stacks->codes, pc) == V8_PC_JIT) {
        if (!v8_codes_find(stacks->codes, pc, &code))
            ok = push_generated(walk, "(generated code)");
        else if (code.kind == V8_CODE_REGEXP)
            ok = push_generated(walk, "(compiled regular expression)");
        else if (code.kind == V8_CODE_OTHER || code.kind == V8_CODE_UNKNOWN)
            ok = push_plumbing(walk, "generated code");
        else
            ok = push_frameless(walk, &code);
    } else {
        ok = push_plumbing(walk, "builtin");
    }
    pm_addr caller;
    walk->pc_unknown = !find_caller_pc(walk, &caller);
    if (!walk->pc_unknown) walk->regs.value[stacks->arch->pc] = caller;
    walk->exact = false;
    return ok;
}

enum v8_step v8_walk_frame(struct v8_walk *walk) {
    struct v8_stacks *stacks = walk->stacks;
    if (walk->exact && !top_frame(walk)) return V8_STEP_END;
    pm_addr fp = fp_of(walk), pc = pc_of(walk);
    if (!is_stack(walk, fp) || (!walk->exact && fp < sp_of(walk))) return V8_STEP_BAD;
    bool ok;
    struct v8_code code;
    if (pc && v8_codes_classify(stacks->codes, pc) == V8_PC_JIT && v8_codes_find(stacks->codes, pc, &code) &&
        code.kind == V8_CODE_REGEXP) {
        ok = push_generated(walk, "(compiled regular expression)"); /* V8 10 and older put no marker there */
    } else if (is_marker(walk, fp)) {
        enum v8_frame_type type = type_at(walk, fp);
        ok = push_of_type(walk, type);
        if (!ok) return V8_STEP_END;
        if (type == V8_FT_ENTRY || type == V8_FT_CONSTRUCT_ENTRY)
            return step_from_entry(walk) ? V8_STEP_ON : V8_STEP_BAD;
    } else {
        pm_addr function = slot_function(walk, fp, SLOT_FUNCTION);
        ok = function ? push_js(walk, function) : push_plumbing(walk, "stub");
    }
    if (!ok) return V8_STEP_END;
    /* While the innermost handler's own stub frame is left, its registers still tell the interpreter's state.
     */
    if (walk->has_top && !(is_marker(walk, fp) && walk->exact)) walk->has_top = false;
    return step_by_fp(walk) ? V8_STEP_ON : V8_STEP_BAD;
}
