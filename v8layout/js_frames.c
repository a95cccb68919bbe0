#include "v8layout/js_frames.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "postmortem/base/limits.h"
#include "v8layout/async_frames.h"
#include "v8layout/stack_walk.h"

/* js_frames.c - the stack of a thread, native code and JavaScript in one list.
 *
 * A thread that runs JavaScript has sections of two kinds on its stack, innermost first:
 *
 *      C++      uv__fs_open <- node::fs::ReadFileUtf8              unwound by CFI (parsers/unwind.h)
 *      V8       exit frame, JavaScript frames, entry frame         unwound by frame pointer, no CFI exists
 * for them C++      Execution::Call <- node::InternalMakeCallback <- uv_run V8       ... entry frame C++
 * node::Start <- main <- _start
 *
 * C++ -> V8   The return address lies in V8's builtins or in JIT memory. C++ has restored the frame pointer
 * by CFI, so it is V8's. V8 -> C++   The entry frame (JSEntry) has saved the registers C++ wants to keep:
 * arch/. Regular expressions compiled to machine code were called by C++ directly up to V8 12.4; their caller
 * is C++ too, and its frame follows.
 *
 * A FRAME OF V8 (the same on all 64-bit machines), from its frame pointer fp:
 *
 *      fp + 24 + 8i   argument i                          fp + 8    return address
 *      fp + 16        receiver                            fp        the caller's fp
 *      fp - 8         Context (tagged: odd), or a marker, type << 1: frame_types.h
 *      fp - 16        JSFunction                          }
 *      fp - 24        argc                                }  of JavaScript functions
 *      fp - 32        BytecodeArray                       }  interpreted and baseline
 *      fp - 40        bytecode offset + header - 1, Smi   }  interpreted
 *
 * Which function and where it was:
 *   interpreted   pc in a bytecode handler or the interpreter's entry: offset at fp - 40 -> the
 * BytecodeArray's position table baseline      pc in JIT code of kind baseline: its table of code sizes gives
 * the bytecode offset Maglev, Turbofan   several functions in one frame: pc -> safepoint table ->
 * deoptimisation entry -> translation (deopt.h), which names the inlined functions with their bytecode
 * offsets. Where a call has no entry, Turbofan's position table with its inlining chain; Maglev's has only
 * function entries, so the frame is marked approximate builtin       pc in the blob, the function has no
 * script: name from the function exit          out of JavaScript into C++: EXIT (runtime function),
 * BUILTIN_EXIT and the API ones keep their function A JavaScript frame is told by what is in it, not by the
 * name of the builtin at its pc, so binaries without symbols (Debian's) work; names only refine.
 *
 * INTERRUPTED CODE. When a signal came while V8's code ran, pc is anywhere: before a function has set its
 * frame up, after it was taken down, or in a helper without a frame. fp is always some frame of V8's; if that
 * one does not belong to pc, the first return address on the stack that fits it is its pc (v8_frame.c).
 *
 * FALLBACK. When native unwinding ends early, the isolate knows the innermost exit frame
 * (ThreadLocalTop::c_entry_fp), and each entry frame saved the one below: JavaScript is reached without any
 * CFI.
 *
 * Truth: V8's src/execution/frames.{h,cc}, frame-constants.h, isolate.cc (CaptureSimpleStackTrace),
 * src/objects/code.h. Checked on V8 9.4, 10.2, 11.3, 12.4, 13.6, 14.6 (Node 16 to 26). */

bool v8_walk_push(struct v8_walk *walk, const struct pm_frame *frame) {
    if (walk->frames.count >= PM_MAX_FRAMES) {
        walk->out->incomplete = "too many frames";
        return false;
    }
    if (!pm_vec_push(&walk->frames, *frame)) {
        walk->stacks->nomem = true;
        walk->out->incomplete = "out of memory";
        return false;
    }
    return true;
}

/* ---- native frames ---- */

static bool starts_with(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Between the JavaScript that calls and the C++ that is called (and back) stand V8's and Node's adapters:
 * always the same. */
static bool is_adapter(const char *function) {
    static const char *const prefixes[] = {
        "v8::internal::Builtin_",
        "v8::internal::Runtime_",
        "v8::internal::Builtins::",
        "v8::internal::Execution::",
        "v8::internal::FunctionCallbackArguments::",
        "v8::internal::MicrotaskQueue::",
        "v8::internal::(anonymous namespace)::Invoke",
        ("v8::internal::MaybeHandle<v8::internal::Object> v8::internal::(anonymous "
         "namespace)::HandleApiCallHelper"),
        "v8::Function::Call",
        "v8::Object::CallAsFunction",
        "v8::internal::__RT_impl_",
        "PushAllRegistersAndIterateStack",
        "node::InternalMakeCallback",
        "node::InternalCallbackScope::",
        "node::CallbackScope::",
        "node::AsyncWrap::MakeCallback",
        "node::MakeCallback",
    };
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (starts_with(function, prefixes[i])) return true;
    return strstr(function, "HandleApiCallHelper<") != NULL;
}

static bool push_native(struct v8_walk *walk, pm_addr pc) {
    struct v8_stacks *stacks = walk->stacks;
    const struct v8_frame_arch *arch = stacks->arch;
    struct pm_frame frame = {.kind = PM_FRAME_NATIVE, .address = pc, .offset = PM_UNKNOWN};
    if (walk->regs.valid & 1ull << arch->fp) frame.frame_pointer = walk->regs.value[arch->fp];
    uint64_t vaddr;
    const struct pm_module *module = pm_modules_find(stacks->modules, pc, &vaddr);
    if (module) {
        frame.module = pm_arena_strdup(stacks->arena, module->path);
        frame.offset = vaddr;
    }
    PM_AUTO_FREE char *symbol = pm_unwind_symbol(stacks->unwinder, pc, walk->exact, &frame.symbol_offset);
    if (symbol) {
        frame.function = pm_arena_strdup(stacks->arena, symbol);
        frame.hidden = is_adapter(symbol);
    }
    return v8_walk_push(walk, &frame);
}

static const char *reason(enum pm_unwind_result result) {
    return result == PM_UNWIND_BAD_MEMORY ? "the stack is not readable here"
                                          : "no call frame information for this code";
}

static enum v8_pc_kind classify(const struct v8_walk *walk, pm_addr pc) {
    const struct v8_stacks *stacks = walk->stacks;
    if (stacks->codes) return v8_codes_classify(stacks->codes, pc);
    return pm_modules_find(stacks->modules, pc, NULL) ? V8_PC_NATIVE : V8_PC_NOWHERE;
}

/* JavaScript without native unwinding: on with the next exit frame that is known to lie below. */
static bool jump_to_exit_frame(struct v8_walk *walk) {
    const struct v8_frame_arch *arch = walk->stacks->arch;
    pm_addr fp = walk->next_exit_fp;
    walk->next_exit_fp = 0;
    if (!walk->stacks->codes || !fp || fp % 8 != 0 || fp < walk->stack_start || fp >= walk->stack_end)
        return false;
    if (walk->has_entry && fp <= walk->regs.value[arch->sp]) return false;
    struct pm_regs regs = {0};
    regs.value[arch->fp] = fp;
    regs.value[arch->sp] = walk->stack_start; /* unknown: somewhere below fp */
    regs.valid = 1ull << arch->fp;
    /* The exit stub pushed its stack pointer at fp - 16; the return address of the C++ function is right
     * below it. */
    uint64_t sp, pc;
    walk->pc_unknown = true;
    if (pm_mem_u64(walk->stacks->mem, fp - 16, &sp) && sp < fp && sp >= walk->stack_start + 8 &&
        pm_mem_u64(walk->stacks->mem, sp - 8, &pc)) {
        regs.value[arch->pc] = pc & arch->code_bits;
        walk->pc_unknown = classify(walk, pc & arch->code_bits) != V8_PC_BUILTIN;
        regs.value[arch->sp] = sp;
    }
    walk->regs = regs;
    walk->exact = false;
    walk->out->js_fallback = true;
    return true;
}

static bool step_native_by_fp(struct v8_walk *walk, struct pm_regs *ret) {
    const struct v8_frame_arch *arch = walk->stacks->arch;
    pm_addr fp = walk->regs.value[arch->fp], sp = walk->regs.value[arch->sp];
    return (walk->regs.valid & 1ull << arch->fp) && fp >= sp && fp < walk->stack_end &&
           pm_unwind_step_fp(walk->stacks->unwinder, &walk->regs, ret) == PM_UNWIND_OK &&
           classify(walk, ret->value[arch->pc]) != V8_PC_NOWHERE;
}

/* One native frame; false = the walk is over. */
static bool walk_native(struct v8_walk *walk, bool *in_v8) {
    struct v8_stacks *stacks = walk->stacks;
    const struct v8_frame_arch *arch = stacks->arch;
    pm_addr pc = walk->regs.value[arch->pc];
    if (!push_native(walk, pc)) return false;
    struct pm_regs next;
    bool signal = false;
    enum pm_unwind_result result =
        walk->sp_unknown ? pm_unwind_step_fp(stacks->unwinder, &walk->regs, &next)
                         : pm_unwind_step(stacks->unwinder, &walk->regs, walk->exact, &next, &signal);
    if (result == PM_UNWIND_END) return false;
    if (result != PM_UNWIND_OK) {
        /* Hand-written assembly in V8's collector has a frame pointer and no CFI; aarch64 code has frame
         * pointers everywhere. */
        const char *symbol = pm_unwind_raw_symbol(stacks->unwinder, pc, walk->exact, NULL);
        bool framed = arch->link >= 0 || (symbol && strcmp(symbol, "PushAllRegistersAndIterateStack") == 0);
        bool stepped = framed && step_native_by_fp(walk, &next);
        if (!stepped && jump_to_exit_frame(walk)) {
            *in_v8 = true;
            return true;
        }
        if (!stepped && !step_native_by_fp(walk, &next)) {
            walk->out->incomplete = reason(result);
            return false;
        }
        signal = false;
    }
    /* A frame record of aarch64 is at the low end of its frame, so a step by it (no call frame information)
     * tells the caller's frame pointer, but not its stack pointer: from there on frame pointers only. */
    if (arch->link >= 0 && next.value[arch->sp] == walk->regs.value[arch->fp] + 16) walk->sp_unknown = true;
    walk->regs = next;
    walk->exact = signal;
    enum v8_pc_kind kind = classify(walk, next.value[arch->pc]);
    if (kind == V8_PC_NOWHERE) {
        if (next.value[arch->pc] == 0) return false; /* outermost frame */
        if (!jump_to_exit_frame(walk)) {
            walk->out->incomplete = "a return address leads nowhere";
            return false;
        }
        *in_v8 = true;
        return true;
    }
    *in_v8 = kind != V8_PC_NATIVE;
    return true;
}

/* ---- one thread ---- */

static const struct v8_isolate *isolate_at(const struct v8_stacks *stacks, pm_addr address) {
    for (size_t i = 0; stacks->v8 && address && i < stacks->v8->isolate_count; i++)
        if (stacks->v8->isolates[i].address == address) return &stacks->v8->isolates[i];
    return NULL;
}

/* A word of ThreadLocalTop that points into this thread's stack. */
static pm_addr top_word(const struct v8_walk *walk, const struct v8_isolate *isolate, uint32_t offset) {
    uint64_t word;
    if (!offset || !pm_mem_u64(walk->stacks->mem, isolate->address + offset, &word)) return 0;
    return word >= walk->stack_start && word < walk->stack_end ? word : 0;
}

/* The isolate this thread runs: thread-local storage says it, but helper threads have it too; a stack address
 * in the isolate does not lie. */
static const struct v8_isolate *find_isolate(struct v8_walk *walk) {
    const struct v8 *v8 = walk->stacks->v8;
    if (!v8) return NULL;
    const struct v8_isolate *by_storage =
        isolate_at(walk->stacks, v8_facts_thread_isolate(v8->facts, walk->thread));
    for (size_t i = 0; i < v8->isolate_count; i++) {
        const struct v8_isolate *isolate = &v8->isolates[i];
        pm_addr exit_fp = top_word(walk, isolate, v8->layout.c_entry_fp);
        if (!exit_fp && !top_word(walk, isolate, v8->layout.js_entry_sp)) continue;
        walk->next_exit_fp = exit_fp;
        return isolate;
    }
    return by_storage;
}

static void add_async_frames(struct v8_walk *walk, const struct v8_isolate *isolate) {
    struct v8_stacks *stacks = walk->stacks;
    const struct v8 *v8 = stacks->v8;
    size_t most = PM_MAX_FRAMES - walk->frames.count;
    if (most > 1000) most = 1000;
    struct v8_async_frame *rows = calloc(most + 1, sizeof(*rows));
    if (!rows) {
        stacks->nomem = true;
        return;
    }
    size_t count = v8_async_frames(v8, isolate, rows, most);
    for (size_t i = 0; i < count; i++) {
        struct pm_frame frame = {.kind = PM_FRAME_JS, .is_async = true, .offset = PM_UNKNOWN};
        if (rows[i].combinator) {
            frame.kind = PM_FRAME_BUILTIN;
            frame.function = rows[i].index < 0
                                 ? pm_arena_printf(stacks->arena, "async Promise.%s", rows[i].combinator)
                                 : pm_arena_printf(stacks->arena, "async Promise.%s (index %d)",
                                                   rows[i].combinator, rows[i].index);
        } else {
            struct v8_call_site site = {.function = rows[i].function,
                                        .receiver_known = true,
                                        .receiver = rows[i].receiver,
                                        .is_async = true};
            site.shared = v8_ref(v8, site.function, v8->layout.function_shared);
            frame.function = v8_call_site_name(stacks->sites, &site);
            pm_addr bytecode = v8_shared_bytecode(v8, site.shared);
            pm_addr table = bytecode ? v8_ref(v8, bytecode, v8->layout.bytecode_source_positions) : 0;
            int32_t position = v8_source_position(v8, table, rows[i].bytecode_offset, NULL);
            const struct v8_function *function = v8_call_site_function(stacks->sites, site.shared);
            if (position < 0 && function) {
                position = function->start;
                frame.approximate = true;
            }
            v8_call_site_position(stacks->sites, site.shared, position, &frame.position);
        }
        if (!v8_walk_push(walk, &frame)) break;
    }
    free(rows);
}

/* Recursion used up the stack: the stack pointer stands in front of the mapping, or in its guard page, and
 * the caller's frame is still in it. */
#define MOST_OVERFLOW (1u << 20) /* bytes: one frame may be large */

#define LEAST_STACK (1u << 20) /* bytes: a stack that has grown to less has not met a limit */
#define SIGNAL_ROOM 16384      /* bytes that the kernel needs at most to deliver a signal */

/* The stack pointer is still in the mapping, but what stood next was not: the kernel names an address below,
 * or it had no room for the frame of the signal (SI_KERNEL, no address). */
static bool is_used_up(const struct v8_walk *walk, const struct pm_mem_range *stack, pm_addr sp) {
    const struct pm_core_info *info = pm_core_info(walk->stacks->core);
    pm_addr at = info->fault_address;
    if (!walk->out->crashed || info->signal != SIGSEGV || stack->end - stack->start < LEAST_STACK)
        return false;
    if (info->signal_code == SI_KERNEL) return at == 0 && sp - stack->start < SIGNAL_ROOM;
    return info->signal_code > 0 && at && at < stack->start && stack->start - at <= MOST_OVERFLOW &&
           sp - stack->start <= MOST_OVERFLOW;
}

static const struct pm_mem_range *find_stack(struct v8_walk *walk) {
    const struct v8_frame_arch *arch = walk->stacks->arch;
    const struct pm_mem *mem = walk->stacks->mem;
    pm_addr sp = walk->regs.value[arch->sp], fp = walk->regs.value[arch->fp];
    const struct pm_mem_range *stack = pm_mem_find(mem, sp);
    if (stack && stack->bytes) {
        if (is_used_up(walk, stack, sp)) walk->out->overflowed = stack->end - stack->start;
        return stack;
    }
    const struct pm_mem_range *above = fp > sp ? pm_mem_find(mem, fp) : NULL;
    if (!above || !above->bytes)
        above = pm_mem_find(mem, sp + 4096) ? pm_mem_find(mem, sp + 4096) : pm_mem_find(mem, sp + 65536);
    if (!walk->out->crashed || !sp || !above || !above->bytes || above->start <= sp ||
        above->start - sp > MOST_OVERFLOW)
        return stack;
    walk->out->overflowed = above->end - above->start;
    return above;
}

static void walk_thread(struct v8_walk *walk) {
    struct v8_stacks *stacks = walk->stacks;
    const struct v8_frame_arch *arch = stacks->arch;
    walk->regs = walk->thread->regs;
    walk->exact = true;
    walk->kernel_only = !walk->out->crashed && !walk->regs.value[arch->pc] && !walk->regs.value[arch->sp];
    const struct pm_mem_range *stack = find_stack(walk);
    if (stack) {
        walk->stack_start = stack->start;
        walk->stack_end = stack->end;
    }
    const struct v8_isolate *isolate = find_isolate(walk);
    enum v8_pc_kind kind = classify(walk, walk->regs.value[arch->pc]);
    bool in_v8 = kind == V8_PC_BUILTIN || kind == V8_PC_JIT;
    if (walk->kernel_only) return;
    if (kind == V8_PC_NOWHERE) {
        /* A jump to a bad address: the return address is on the stack (or in the link register), where a call
         * put it. */
        push_native(walk, walk->regs.value[arch->pc]);
        uint64_t caller = 0;
        if (arch->link >= 0)
            caller = walk->regs.value[arch->link] & arch->code_bits;
        else if (pm_mem_u64(stacks->mem, walk->regs.value[arch->sp], &caller))
            walk->regs.value[arch->sp] += 8;
        walk->regs.value[arch->pc] = caller;
        walk->exact = false;
        kind = classify(walk, caller);
        in_v8 = kind == V8_PC_BUILTIN || kind == V8_PC_JIT;
        if (kind == V8_PC_NOWHERE && !(in_v8 = jump_to_exit_frame(walk))) {
            walk->out->incomplete = "the program counter leads nowhere";
            return;
        }
    }
    bool on = true;
    while (on) {
        if (!in_v8) {
            on = walk_native(walk, &in_v8);
            continue;
        }
        switch (v8_walk_frame(walk)) {
        case V8_STEP_END: on = false; break;
        case V8_STEP_BAD:
            if (!jump_to_exit_frame(walk)) {
                walk->out->incomplete = "a frame of V8 is damaged";
                on = false;
            }
            break;
        case V8_STEP_ON:
            kind = classify(walk, walk->regs.value[arch->pc]);
            in_v8 = kind == V8_PC_BUILTIN || kind == V8_PC_JIT;
            if (kind == V8_PC_NOWHERE && !jump_to_exit_frame(walk)) {
                walk->out->incomplete = "a return address leads nowhere";
                on = false;
            } else if (kind == V8_PC_NOWHERE) {
                in_v8 = true;
            }
            break;
        }
    }
    if (walk->first_function && stacks->v8) {
        const struct v8_page *page = v8_page_of(stacks->v8, walk->first_function);
        if (!isolate && page && page->isolate < stacks->v8->isolate_count)
            isolate = &stacks->v8->isolates[page->isolate];
        if (isolate) add_async_frames(walk, isolate);
    }
    if (isolate) walk->out->isolate = isolate->address;
}

/* ---- all threads ---- */

bool v8_stacks_frame_types(struct v8_stacks *stacks, size_t variant) {
    v8_frame_types_published(&stacks->types, stacks->v8->facts);
    if (stacks->types.origin == V8_MISSING ? !v8_frame_types_variant(&stacks->types, variant) : variant > 0)
        return false;
    /* V8 9.8 began to count the receiver in argc; stack switching frames came in the version after. */
    stacks->argc_counts_receiver = false;
    for (unsigned i = 0; i < V8_MAX_FRAME_TYPE; i++)
        if (stacks->types.type_of[i] == V8_FT_STACK_SWITCH) stacks->argc_counts_receiver = true;
    return true;
}

static void stacks_deinit(struct v8_stacks *stacks) {
    v8_codes_destroy(stacks->codes);
    v8_call_sites_destroy(stacks->sites);
}

static bool collect_thread(struct v8_stacks *stacks, size_t index, struct pm_thread *ret) {
    const struct pm_core_thread *thread = pm_core_thread(stacks->core, index);
    struct v8_walk walk = {.stacks = stacks, .thread = thread, .out = ret};
    *ret = (struct pm_thread){.tid = thread->tid, .crashed = index == 0};
    walk_thread(&walk);
    v8_thread_state(&walk);
    ret->frame_count = walk.frames.count;
    ret->frames =
        pm_arena_dup(stacks->arena, walk.frames.items, walk.frames.count, sizeof(*walk.frames.items));
    if (!ret->frames && walk.frames.count) stacks->nomem = true;
    pm_vec_deinit(&walk.frames);
    return !stacks->nomem;
}

static bool collect_threads(struct v8_stacks *stacks, struct pm_thread *threads, size_t count) {
    stacks->markers_right = stacks->markers_wrong = 0;
    for (size_t i = 0; i < count; i++)
        if (!collect_thread(stacks, i, &threads[i])) return false;
    return true;
}

/* No frame types are published: walk with each list that ever was, keep the one whose markers fit the frames.
 */
static bool collect_with_variants(struct v8_stacks *stacks, struct pm_thread *threads, size_t count) {
    int64_t best_score = INT64_MIN;
    size_t best = 0;
    for (size_t variant = 0; v8_stacks_frame_types(stacks, variant); variant++) {
        if (!collect_threads(stacks, threads, count)) return false;
        int64_t score = (int64_t)stacks->markers_right - 4 * (int64_t)stacks->markers_wrong;
        if (score <= best_score) continue;
        best_score = score;
        best = variant;
    }
    return v8_stacks_frame_types(stacks, best) && collect_threads(stacks, threads, count);
}

struct pm_error *v8_collect_stacks(const struct v8 *v8, const struct pm_core *core,
                                   const struct pm_modules *modules, struct pm_unwinder *unwinder,
                                   struct pm_diagnosis *diagnosis) {
    PM_CLEANUP(stacks_deinit)
    struct v8_stacks stacks = {.v8 = v8,
                               .core = core,
                               .modules = modules,
                               .mem = pm_core_memory(core),
                               .unwinder = unwinder,
                               .arena = diagnosis->arena,
                               .arch = v8_frame_arch(pm_core_info(core)->machine)};
    if (v8) {
        stacks.codes = v8_codes_create(v8);
        stacks.sites = v8_call_sites_create(v8, diagnosis->arena);
        if (!stacks.codes || !stacks.sites) return pm_error_nomem();
        (void)v8_opcodes_load(&stacks.opcodes, v8);
        v8_deopt_forms(&stacks.deopt_forms, v8);
        (void)v8_stacks_frame_types(&stacks, 0);
    }
    size_t count = pm_core_thread_count(core);
    if (count > PM_MAX_THREADS) count = PM_MAX_THREADS;
    struct pm_thread *threads = pm_arena_array(diagnosis->arena, count ? count : 1, sizeof(*threads));
    if (!threads) return pm_error_nomem();
    bool by_variants = v8 && stacks.types.origin != V8_PUBLISHED;
    if (!(by_variants ? collect_with_variants(&stacks, threads, count)
                      : collect_threads(&stacks, threads, count)))
        return pm_error_nomem();
    diagnosis->threads = threads;
    diagnosis->thread_count = count;
    diagnosis->has_threads = true;
    return NULL;
}
