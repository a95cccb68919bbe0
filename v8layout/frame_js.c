#include <stdlib.h>
#include <string.h>

#include "v8layout/frame_slots.h"

/* frame_js.c - the frame of a JavaScript function: which functions it stands for (inlining), where each of
 * them was, with what receiver and arguments. */

/* ---- frames to show ---- */

struct pm_frame v8_frame_new(const struct v8_walk *walk, enum pm_frame_kind kind) {
    struct pm_frame frame = {
        .kind = kind, .offset = PM_UNKNOWN, .address = v8_walk_pc(walk), .frame_pointer = v8_walk_fp(walk)};
    return frame;
}

bool v8_push_plumbing(struct v8_walk *walk, const char *name) {
    struct pm_frame frame = v8_frame_new(walk, PM_FRAME_ENTRY);
    struct v8_builtin builtin;
    frame.hidden = true;
    frame.function = name;
    if (v8_codes_builtin(walk->stacks->codes, v8_walk_pc(walk), walk->exact, &builtin) && builtin.name)
        frame.function = builtin.name;
    return v8_walk_push(walk, &frame);
}

const char v8_wasm_function_name[] = "(WebAssembly function)";

bool v8_push_generated(struct v8_walk *walk, const char *name) {
    struct pm_frame frame = v8_frame_new(walk, PM_FRAME_NATIVE);
    frame.function = name;
    return v8_walk_push(walk, &frame);
}

static void note_regexp(struct v8_walk *walk, v8_word word) {
    const struct v8 *v8 = walk->stacks->v8;
    pm_addr object = walk->regexp ? 0 : v8_target(v8, word);
    if (object && v8_type_at(v8, object) == V8_T_JS_REG_EXP_STRING_ITERATOR) {
        v8_word inner; /* of matchAll(): its own first field */
        object = v8_word_at(v8, object, 24, &inner) ? v8_target(v8, inner) : 0;
    }
    if (!object || v8_type_at(v8, object) != V8_T_JS_REG_EXP) return;
    pm_addr source = v8_ref(v8, object, v8->layout.regexp_source);
    if (v8_is_string(v8_map(v8, source))) walk->regexp = v8_name_text(v8, source, walk->stacks->arena);
}

static void note_text(const struct v8 *v8, struct pm_frame *frame, v8_word word) {
    uint32_t length;
    pm_addr object = v8_target(v8, word);
    if (!object || !v8_is_string(v8_map(v8, object)) || !v8_string_length(v8, object, &length)) return;
    if (frame->longest_text < length) frame->longest_text = length;
}

/* Optimised code and V8's helpers call the regular expression without a frame that names it: it is among the
 * arguments of the runtime function, which lie above its exit frame, or among what the helper keeps in its
 * own.
 */
void v8_note_regexp_near(struct v8_walk *walk) {
    enum { MOST_SAVED = 512, ARGUMENTS = 64 };
    pm_addr fp = v8_walk_fp(walk), sp = v8_walk_sp(walk);
    if (walk->regexp || walk->first_function) return;
    pm_addr from = sp < fp && fp - sp <= MOST_SAVED ? sp : fp - MOST_SAVED;
    for (pm_addr at = from & ~(pm_addr)7; at < fp + 16 + ARGUMENTS && !walk->regexp; at += 8) {
        uint64_t word;
        if (v8_walk_in_stack(walk, at) && pm_mem_u64(walk->stacks->mem, at, &word)) note_regexp(walk, word);
    }
}

/* Receiver and arguments, which lie in ascending slots from `at` on. */
static void add_values(struct v8_walk *walk, struct pm_frame *frame, pm_addr at, uint64_t arguments) {
    struct v8_stacks *stacks = walk->stacks;
    v8_word word;
    if (!v8_walk_in_stack(walk, at) || !pm_mem_u64(stacks->mem, at, &word)) return;
    note_regexp(walk, word);
    note_text(stacks->v8, frame, word); /* text.replace(...): the receiver is the text */
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
    for (uint64_t i = 0; i < shown && v8_walk_in_stack(walk, at + 8 + 8 * i); i++) {
        if (!pm_mem_u64(stacks->mem, at + 8 + 8 * i, &word)) break;
        note_regexp(walk, word);
        note_text(stacks->v8, frame, word);
        const char *text = v8_call_site_value(stacks->sites, word);
        if (!text) break;
        frame->arguments[frame->argument_count++] = text;
    }
}

bool v8_push_builtin(struct v8_walk *walk, struct v8_call_site *site, pm_addr values, uint64_t arguments) {
    struct v8_stacks *stacks = walk->stacks;
    struct pm_frame frame = v8_frame_new(walk, PM_FRAME_BUILTIN);
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
    if (!v8_slot(walk, fp, SLOT_ARGC, &argc) || argc > 1u << 20) return 0;
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

pm_addr v8_bytecode_of_code(const struct v8 *v8, const struct v8_code *code) {
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
        if (!v8_walk_in_stack(walk, at) || !pm_mem_u64(stacks->mem, at, &word)) return false;
        word &= stacks->arch->code_bits;
        if (v8_codes_classify(stacks->codes, word) != V8_PC_JIT ||
            !v8_codes_find(stacks->codes, word, code_ret))
            continue;
        if (code_ret->kind != V8_CODE_BASELINE || v8_bytecode_of_code(stacks->v8, code_ret) != bytecode)
            continue;
        *pc_ret = word;
        return true;
    }
    return false;
}

static bool push_unoptimized(struct v8_walk *walk, pm_addr function, pm_addr bytecode,
                             const struct v8_code *code) {
    struct v8_stacks *stacks = walk->stacks;
    pm_addr fp = v8_walk_fp(walk), pc = v8_walk_pc(walk);
    struct pm_frame frame = v8_frame_new(walk, PM_FRAME_JS);
    struct v8_call_site site = {.function = function,
                                .shared = v8_ref(stacks->v8, function, stacks->v8->layout.function_shared),
                                .constructor = v8_called_by_new(walk, fp)};
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
    } else if (v8_slot(walk, fp, SLOT_OFFSET, &word) && offset_of_smi(stacks->v8, bytecode, word, &offset)) {
        known = !walk->exact;
    } else if (find_return(walk, v8_walk_sp(walk), fp, bytecode, &found, &pc)) {
        frame.tier = PM_TIER_BASELINE;
        known = v8_codes_baseline_offset(stacks->codes, &found, bytecode, (uint32_t)(pc - found.start), false,
                                         &offset);
    }
    set_position(walk, &frame, site.shared, bytecode, offset);
    if (!known) frame.approximate = true;
    site.receiver_known = v8_slot(walk, fp, SLOT_RECEIVER, &site.receiver);
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
    struct pm_frame frame = v8_frame_new(walk, inner->continuation ? PM_FRAME_BUILTIN : PM_FRAME_JS);
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
        add_values(walk, &frame, v8_walk_fp(walk) + SLOT_RECEIVER, argument_count(walk, v8_walk_fp(walk)));
    } else if (inner->receiver_known) {
        note_regexp(walk, inner->receiver);
        enum v8_oddball oddball = v8_oddball_of(v8, inner->receiver);
        if (oddball != V8_UNDEFINED && oddball != V8_HOLE && oddball != V8_OTHER_ODDBALL)
            frame.receiver = v8_call_site_value(stacks->sites, inner->receiver);
    }
    return v8_walk_push(walk, &frame);
}

/* The place in the code whose position counts for a call. Entries of the table say where a position begins,
 * in the order of the code; instructions without one continue the entry before. A rare path (the slow half of
 * an allocation) stands at the end of the code, where the entry before is a stranger's: there the jump to it
 * tells. */
static uint32_t offset_of_position(const struct v8_stacks *stacks, const struct v8_code *code,
                                   uint32_t pc_offset) {
    const uint8_t *bytes = pm_mem_view(stacks->mem, code->start, code->size);
    uint32_t start, jump;
    if (!bytes || pc_offset == 0 || pc_offset >= code->size || pc_offset > INT32_MAX) return pc_offset;
    if (!stacks->arch->jump_to_block(bytes, code->size, pc_offset, &start, &jump) || start == 0)
        return pc_offset;
    int32_t inlining, before_inlining;
    int32_t here = v8_source_position(stacks->v8, code->positions, (int32_t)pc_offset, &inlining);
    int32_t before = v8_source_position(stacks->v8, code->positions, (int32_t)start - 1, &before_inlining);
    return here == before && inlining == before_inlining ? jump : pc_offset;
}

/* Positions of the source position table: the functions' own objects are not known then. */
static bool push_by_positions(struct v8_walk *walk, const struct v8_call_site *outer,
                              const struct v8_code *code, uint32_t pc_offset, enum pm_tier tier,
                              bool approximate) {
    struct v8_stacks *stacks = walk->stacks;
    struct v8_inlined_position rows[V8_MAX_INLINED];
    pc_offset = offset_of_position(stacks, code, pc_offset);
    size_t count = v8_inlined_positions(stacks->v8, &stacks->deopt_forms, code, pc_offset, outer->shared,
                                        rows, V8_MAX_INLINED);
    if (count == 0) {
        const struct v8_function *function = v8_call_site_function(stacks->sites, outer->shared);
        rows[0] = (struct v8_inlined_position){outer->shared, function ? function->start : -1};
        count = 1;
        approximate = true;
    }
    for (size_t i = count; i-- > 0;) {
        struct pm_frame frame = v8_frame_new(walk, PM_FRAME_JS);
        struct v8_call_site site = {.shared = rows[i].shared,
                                    .constructor =
                                        v8_shared_is_class_constructor(stacks->v8, rows[i].shared)};
        if (i == 0) site = *outer;
        frame.tier = tier;
        frame.inlined = i > 0;
        frame.approximate = approximate;
        v8_call_site_position(stacks->sites, rows[i].shared, rows[i].position, &frame.position);
        finish_js(walk, &frame, &site);
        if (i == 0)
            add_values(walk, &frame, v8_walk_fp(walk) + SLOT_RECEIVER,
                       argument_count(walk, v8_walk_fp(walk)));
        if (!v8_walk_push(walk, &frame)) return false;
    }
    return true;
}

static bool push_optimized(struct v8_walk *walk, pm_addr function, const struct v8_code *code) {
    struct v8_stacks *stacks = walk->stacks;
    const struct v8 *v8 = stacks->v8;
    pm_addr fp = v8_walk_fp(walk);
    uint32_t pc_offset = (uint32_t)(v8_walk_pc(walk) - code->start);
    enum pm_tier tier = code->kind == V8_CODE_MAGLEV ? PM_TIER_MAGLEV : PM_TIER_TURBOFAN;
    struct v8_call_site outer = {.function = function,
                                 .shared = v8_ref(v8, function, v8->layout.function_shared),
                                 .constructor = v8_called_by_new(walk, fp)};
    outer.receiver_known = v8_slot(walk, fp, SLOT_RECEIVER, &outer.receiver);
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

/* ---- a function without a frame ---- */

bool v8_push_entered(struct v8_walk *walk, const struct v8_code *code) {
    struct v8_stacks *stacks = walk->stacks;
    const struct v8 *v8 = stacks->v8;
    struct pm_frame frame = v8_frame_new(walk, PM_FRAME_JS);
    struct v8_call_site site = {0};
    frame.frame_pointer = 0;
    pm_addr function = v8_target(v8, walk->regs.value[stacks->arch->function]);
    if (function && v8_is_function_type(v8_type_at(v8, function))) {
        site.function = function;
        site.shared = v8_ref(v8, function, v8->layout.function_shared);
    }
    if (code->kind == V8_CODE_BASELINE) {
        frame.tier = PM_TIER_BASELINE;
        pm_addr own = v8_bytecode_of_code(v8, code);
        if (!site.shared || (own && v8_shared_bytecode(v8, site.shared) != own))
            return v8_push_plumbing(walk, "baseline code");
    } else {
        frame.tier = code->kind == V8_CODE_MAGLEV ? PM_TIER_MAGLEV : PM_TIER_TURBOFAN;
        pm_addr own = v8_deopt_shared(v8, &stacks->deopt_forms, code);
        if (!own) return v8_push_plumbing(walk, "optimised code");
        if (site.shared != own) site = (struct v8_call_site){.shared = own};
    }
    set_position(walk, &frame, site.shared, 0, -1);
    finish_js(walk, &frame, &site);
    return v8_walk_push(walk, &frame);
}

/* ---- JavaScript frames ---- */

/* An exported WebAssembly function as JavaScript calls it: its name is the function's index. The frame above
 * is that function. */
static bool push_wasm_wrapper(struct v8_walk *walk, const struct v8_function *function) {
    struct pm_frame *above = walk->frames.count ? &walk->frames.items[walk->frames.count - 1] : NULL;
    for (size_t i = walk->frames.count; i-- > 0 && above->kind == PM_FRAME_ENTRY;)
        above = &walk->frames.items[i];
    if (above && above->kind == PM_FRAME_NATIVE && above->function == v8_wasm_function_name) {
        above->function = pm_arena_printf(walk->stacks->arena, "wasm-function[%s]", function->name);
        above->position.file = function->file;
        if (!above->function) walk->stacks->nomem = true;
    }
    return v8_push_plumbing(walk, "JavaScript to WebAssembly");
}

bool v8_push_js(struct v8_walk *walk, pm_addr function) {
    struct v8_stacks *stacks = walk->stacks;
    const struct v8 *v8 = stacks->v8;
    pm_addr fp = v8_walk_fp(walk), pc = v8_walk_pc(walk);
    struct v8_call_site site = {.function = function, .constructor = v8_called_by_new(walk, fp)};
    site.shared = v8_ref(v8, function, v8->layout.function_shared);
    const struct v8_function *loaded = v8_call_site_function(stacks->sites, site.shared);
    /* A builtin's frame may hold anything at fp - 32, a BytecodeArray too. */
    if (loaded && loaded->file && strncmp(loaded->file, "wasm://", 7) == 0)
        return push_wasm_wrapper(walk, loaded);
    if (!loaded || !loaded->script)
        return v8_push_builtin(walk, &site, fp + SLOT_RECEIVER, argument_count(walk, fp));
    pm_addr bytecode = v8_slot_of_type(walk, fp, SLOT_BYTECODE, V8_T_BYTECODE_ARRAY);
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
    struct pm_frame frame = v8_frame_new(walk, PM_FRAME_JS);
    site.receiver_known = v8_slot(walk, fp, SLOT_RECEIVER, &site.receiver);
    set_position(walk, &frame, site.shared, 0, -1);
    finish_js(walk, &frame, &site);
    add_values(walk, &frame, fp + SLOT_RECEIVER, argument_count(walk, fp));
    return v8_walk_push(walk, &frame);
}
