#include "v8layout/async_frames.h"

#include <stdio.h>
#include <string.h>

#include "v8layout/object_access.h"
#include "v8layout/objects.h"

/* Promises passed on the way from one frame to the next; generic chains (.then) add none. */
#define MAX_PROMISES 100000u

/* ---- roots of this isolate ---- */

static pm_addr isolate_root(const struct v8 *v8, const struct v8_isolate *isolate, const char *name) {
    const struct v8_layout *layout = &v8->layout;
    for (uint32_t i = 0; layout->root_names && i < layout->roots_count; i++) {
        v8_word word;
        if (!layout->root_names[i] || strcmp(layout->root_names[i], name) != 0) continue;
        return pm_mem_u64(v8->mem, isolate->address + layout->roots_table + 8ull * i, &word)
                   ? v8_target(v8, word)
                   : 0;
    }
    return 0;
}

/* "promise_all_resolve_element" + "_shared_fun", from V8 13 on + "_closure_shared_fun". */
static pm_addr closure_root(const struct v8 *v8, const struct v8_isolate *isolate, const char *stem) {
    char name[96];
    snprintf(name, sizeof(name), "%s_closure_shared_fun", stem);
    pm_addr root = isolate_root(v8, isolate, name);
    if (root) return root;
    snprintf(name, sizeof(name), "%s_shared_fun", stem);
    return isolate_root(v8, isolate, name);
}

enum closure {
    AWAIT_RESOLVE,
    AWAIT_REJECT,
    GENERATOR_AWAIT_RESOLVE,
    GENERATOR_AWAIT_REJECT,
    GENERATOR_YIELD, /* async_generator_yield_resolve before V8 11 */
    GENERATOR_YIELD_OLD,
    ALL_ELEMENT,
    ALL_SETTLED_ELEMENT,
    ANY_ELEMENT,
    DEFAULT_RESOLVE,
    CLOSURES
};
static const char *const closure_stems[CLOSURES] = {
    [AWAIT_RESOLVE] = "async_function_await_resolve",
    [AWAIT_REJECT] = "async_function_await_reject",
    [GENERATOR_AWAIT_RESOLVE] = "async_generator_await_resolve",
    [GENERATOR_AWAIT_REJECT] = "async_generator_await_reject",
    [GENERATOR_YIELD] = "async_generator_yield_with_await_resolve",
    [GENERATOR_YIELD_OLD] = "async_generator_yield_resolve",
    [ALL_ELEMENT] = "promise_all_resolve_element",
    [ALL_SETTLED_ELEMENT] = "promise_all_settled_resolve_element",
    [ANY_ELEMENT] = "promise_any_reject_element",
    [DEFAULT_RESOLVE] = "promise_capability_default_resolve",
};

struct chain {
    const struct v8 *v8;
    pm_addr closures[CLOSURES]; /* SharedFunctionInfos */
};

static void chain_init(struct chain *chain, const struct v8 *v8, const struct v8_isolate *isolate) {
    chain->v8 = v8;
    for (int i = 0; i < CLOSURES; i++) chain->closures[i] = closure_root(v8, isolate, closure_stems[i]);
}

static bool is_closure(const struct chain *chain, pm_addr function, enum closure which) {
    if (!function || !chain->closures[which] || !v8_is_function_type(v8_type_at(chain->v8, function)))
        return false;
    return v8_ref(chain->v8, function, chain->v8->layout.function_shared) == chain->closures[which];
}

static bool is_await_resolve(const struct chain *chain, pm_addr handler) {
    return is_closure(chain, handler, AWAIT_RESOLVE) || is_closure(chain, handler, GENERATOR_AWAIT_RESOLVE) ||
           is_closure(chain, handler, GENERATOR_YIELD) || is_closure(chain, handler, GENERATOR_YIELD_OLD);
}

static bool is_await_reject(const struct chain *chain, pm_addr handler) {
    return is_closure(chain, handler, AWAIT_REJECT) || is_closure(chain, handler, GENERATOR_AWAIT_REJECT);
}

/* ---- objects ---- */

/* The first object of a type in the slots of a closure's context (these contexts are made by builtins and
 * have few). */
static pm_addr in_context(const struct v8 *v8, pm_addr function, enum v8_type type, enum v8_type type2) {
    struct v8_thing context;
    pm_addr address = v8_ref(v8, function, v8->layout.function_context);
    if (!v8_thing_load(v8, address, &context) || context.type == V8_T_NATIVE_CONTEXT) return 0;
    for (uint64_t offset = 32; offset < 32 + 6 * 8; offset += 8) {
        v8_word word;
        if (!v8_thing_word(v8, &context, offset, &word)) break;
        pm_addr target = v8_target(v8, word);
        enum v8_type found = target ? v8_type_at(v8, target) : V8_T_OTHER;
        if (target && (found == type || found == type2)) return target;
    }
    return 0;
}

static pm_addr awaiting_generator(const struct v8 *v8, pm_addr handler) {
    return in_context(v8, handler, V8_T_JS_ASYNC_FUNCTION_OBJECT, V8_T_JS_ASYNC_GENERATOR_OBJECT);
}

static pm_addr as_promise(const struct v8 *v8, pm_addr object) {
    return object && v8_type_at(v8, object) == V8_T_JS_PROMISE ? object : 0;
}

static pm_addr promise_of_capability(const struct v8 *v8, pm_addr capability) {
    v8_word word;
    if (!capability || v8_type_at(v8, capability) != V8_T_PROMISE_CAPABILITY ||
        !v8_word_at(v8, capability, 8, &word))
        return 0;
    return as_promise(v8, v8_target(v8, word));
}

/* What an async function or async generator fulfils when it goes on. */
static pm_addr promise_of_generator(const struct v8 *v8, pm_addr generator) {
    if (v8_type_at(v8, generator) == V8_T_JS_ASYNC_FUNCTION_OBJECT)
        return as_promise(v8, v8_ref(v8, generator, v8->layout.async_promise));
    pm_addr request = v8_ref(v8, generator, v8->layout.async_generator_queue);
    v8_word word; /* AsyncGeneratorRequest: next, resume mode, value, promise */
    if (!request || v8_type_at(v8, request) != V8_T_ASYNC_GENERATOR_REQUEST ||
        !v8_word_at(v8, request, 32, &word))
        return 0;
    return as_promise(v8, v8_target(v8, word));
}

static bool generator_frame(const struct v8 *v8, pm_addr generator, struct v8_async_frame *ret) {
    const struct v8_layout *layout = &v8->layout;
    v8_word word;
    *ret = (struct v8_async_frame){.bytecode_offset = -1};
    ret->function = v8_ref(v8, generator, layout->generator_function);
    if (!ret->function || !v8_is_function_type(v8_type_at(v8, ret->function))) return false;
    if (!v8_field_word(v8, generator, layout->generator_receiver, &ret->receiver)) return false;
    /* The stored offset counts from the start of the BytecodeArray object as its tagged pointer sees it. */
    if (v8_field_word(v8, generator, layout->generator_position, &word) && v8_is_smi(word) &&
        layout->bytecode_data.present)
        ret->bytecode_offset = v8_smi(word) - ((int32_t)layout->bytecode_data.offset - 1);
    return true;
}

/* The promise's number is the element closure's identity hash - 1. */
static struct v8_async_frame combinator_frame(const struct v8 *v8, pm_addr closure, const char *name) {
    struct v8_async_frame frame = {.combinator = name, .index = -1, .bytecode_offset = -1};
    v8_word word;
    if (v8_field_word(v8, closure, v8->layout.js_properties, &word) && v8_is_smi(word) && v8_smi(word) > 0)
        frame.index = v8_smi(word) - 1;
    return frame;
}

/* The only reaction of a pending promise; 0 = settled, nobody waits, or several do. */
static pm_addr only_reaction(const struct v8 *v8, pm_addr promise) {
    v8_word flags, next;
    if (!v8_field_word(v8, promise, v8->layout.promise_flags, &flags) || !v8_is_smi(flags) ||
        (v8_smi(flags) & 3) != 0)
        return 0;
    pm_addr reaction = v8_ref(v8, promise, v8->layout.promise_result);
    if (!reaction || v8_type_at(v8, reaction) != V8_T_PROMISE_REACTION) return 0;
    return v8_field_word(v8, reaction, v8->layout.reaction_next, &next) && v8_is_smi(next) ? reaction : 0;
}

/* ---- the chain ---- */

static size_t follow(const struct chain *chain, pm_addr promise, struct v8_async_frame *frames, size_t most) {
    const struct v8 *v8 = chain->v8;
    static const struct {
        enum closure closure;
        bool reject_handler;
        const char *name;
    } combinators[] = {
        {ALL_ELEMENT, false, "all"}, {ALL_SETTLED_ELEMENT, false, "allSettled"}, {ANY_ELEMENT, true, "any"}};
    size_t count = 0;
    for (uint32_t i = 0; promise && count < most && i < MAX_PROMISES; i++) {
        pm_addr reaction = only_reaction(v8, promise);
        if (!reaction) break;
        pm_addr fulfill = v8_ref(v8, reaction, v8->layout.reaction_fulfill);
        pm_addr reject = v8_ref(v8, reaction, v8->layout.reaction_reject);
        pm_addr generator = is_await_resolve(chain, fulfill) ? awaiting_generator(v8, fulfill) : 0;
        promise = 0;
        if (generator) {
            if (!generator_frame(v8, generator, &frames[count])) break;
            count++;
            promise = promise_of_generator(v8, generator);
            continue;
        }
        bool combined = false;
        for (size_t c = 0; c < sizeof(combinators) / sizeof(combinators[0]) && !combined; c++) {
            pm_addr closure = combinators[c].reject_handler ? reject : fulfill;
            if (!is_closure(chain, closure, combinators[c].closure)) continue;
            combined = true;
            frames[count++] = combinator_frame(v8, closure, combinators[c].name);
            promise = promise_of_capability(
                v8, in_context(v8, closure, V8_T_PROMISE_CAPABILITY, V8_T_PROMISE_CAPABILITY));
        }
        if (combined) continue;
        if (is_closure(chain, fulfill, DEFAULT_RESOLVE)) {
            promise = in_context(v8, fulfill, V8_T_JS_PROMISE, V8_T_JS_PROMISE);
            continue;
        }
        pm_addr next =
            v8_ref(v8, reaction, v8->layout.reaction_promise); /* .then(): go on with the chained promise */
        promise = as_promise(v8, next);
        if (!promise) promise = promise_of_capability(v8, next);
    }
    return count;
}

/* PromiseReactionJobTask: argument, context, handler, promise or capability; they begin where a
 * PromiseReaction's `next` is (after the continuation data that V8 12 added to both). `generator_ret`: the
 * async function that the task is about to resume, 0 = none, or it runs already and is on the stack. */
static pm_addr current_promise(const struct chain *chain, const struct v8_isolate *isolate,
                               pm_addr *generator_ret) {
    const struct v8 *v8 = chain->v8;
    pm_addr task = isolate_root(v8, isolate, "current_microtask");
    enum v8_type type = task ? v8_type_at(v8, task) : V8_T_OTHER;
    *generator_ret = 0;
    if (type != V8_T_PROMISE_FULFILL_REACTION_JOB_TASK && type != V8_T_PROMISE_REJECT_REACTION_JOB_TASK)
        return 0;
    if (!v8->layout.reaction_next.present) return 0;
    uint32_t base = v8->layout.reaction_next.offset;
    v8_word word;
    pm_addr handler = v8_word_at(v8, task, base + 16, &word) ? v8_target(v8, word) : 0;
    if (is_await_resolve(chain, handler) || is_await_reject(chain, handler)) {
        pm_addr generator = awaiting_generator(v8, handler);
        if (!generator || !v8_field_word(v8, generator, v8->layout.generator_continuation, &word) ||
            !v8_is_smi(word) || v8_smi(word) == -1)
            return 0;
        if (v8_smi(word) >= 0) *generator_ret = generator;
        return promise_of_generator(v8, generator);
    }
    return v8_word_at(v8, task, base + 24, &word) ? as_promise(v8, v8_target(v8, word)) : 0;
}

size_t v8_async_frames(const struct v8 *v8, const struct v8_isolate *isolate, struct v8_async_frame *frames,
                       size_t most) {
    struct chain chain;
    pm_addr generator;
    chain_init(&chain, v8, isolate);
    pm_addr promise = current_promise(&chain, isolate, &generator);
    /* V8 itself shows nothing there: killed between the microtask's start and the function's first
     * instruction. */
    size_t count = generator && most && generator_frame(v8, generator, &frames[0]);
    return count + follow(&chain, promise, frames + count, most - count);
}

size_t v8_async_waiters(const struct v8 *v8, const struct v8_isolate *isolate, pm_addr promise,
                        struct v8_async_frame *frames, size_t most) {
    struct chain chain;
    chain_init(&chain, v8, isolate);
    return follow(&chain, as_promise(v8, promise), frames, most);
}

bool v8_suspended_at(const struct v8 *v8, pm_addr generator, struct pm_arena *arena,
                     struct v8_suspended *ret) {
    struct v8_async_frame frame;
    struct v8_function function;
    switch (v8_type_at(v8, generator)) {
    case V8_T_JS_GENERATOR_OBJECT:
    case V8_T_JS_ASYNC_FUNCTION_OBJECT:
    case V8_T_JS_ASYNC_GENERATOR_OBJECT: break;
    default: return false;
    }
    if (!generator_frame(v8, generator, &frame) || !v8_function_load(v8, frame.function, arena, &function))
        return false;
    *ret = (struct v8_suspended){
        .name = function.name, .file = function.file, .line = function.line, .column = function.column};
    pm_addr bytecode = v8_shared_bytecode(v8, function.shared);
    pm_addr table = bytecode ? v8_ref(v8, bytecode, v8->layout.bytecode_source_positions) : 0;
    int32_t position = table ? v8_source_position(v8, table, frame.bytecode_offset, NULL) : -1;
    if (position >= 0 && function.script)
        v8_script_position(v8, function.script, position, &ret->line, &ret->column);
    return true;
}
