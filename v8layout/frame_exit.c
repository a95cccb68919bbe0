#include "v8layout/frame_slots.h"

/* frame_exit.c - frames out of JavaScript into C++ that keep the called function: builtins written in C++,
 * API callbacks (Node's bindings, addons). */

bool v8_push_builtin_exit(struct v8_walk *walk) {
    /* new.target, target, argc (Smi: with receiver, target, new.target, itself and the padding), padding (a
     * hole; gone in V8 14), receiver, arguments */
    const struct v8 *v8 = walk->stacks->v8;
    pm_addr fp = v8_walk_fp(walk);
    v8_word new_target, argc, padding;
    struct v8_call_site site = {.function = v8_slot_function(walk, fp, 24)};
    if (!site.function || !v8_slot(walk, fp, 16, &new_target) || !v8_slot(walk, fp, 32, &argc) ||
        !v8_slot(walk, fp, 40, &padding))
        return v8_push_plumbing(walk, "exit");
    site.constructor = v8_oddball_of(v8, new_target) != V8_UNDEFINED;
    int32_t extra = v8_oddball_of(v8, padding) == V8_HOLE ? 5 : 4;
    int32_t count = v8_is_smi(argc) && v8_smi(argc) > extra ? v8_smi(argc) - extra : 0;
    return v8_push_builtin(walk, &site, fp + (pm_addr)(8 * (extra + 1)), (uint64_t)count);
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

/* The form of walk's frame, and the called function; NULL = none fits. */
static const struct api_form *find_form(const struct v8_walk *walk, struct v8_call_site *site) {
    const struct v8 *v8 = walk->stacks->v8;
    pm_addr fp = v8_walk_fp(walk);
    for (size_t i = 0; i < sizeof(api_forms) / sizeof(api_forms[0]); i++) {
        const struct api_form *form = &api_forms[i];
        pm_addr target = v8_slot_object(walk, fp, form->target),
                context = v8_slot_object(walk, fp, form->context);
        if (!target || !context || !v8_is_context_type(v8_type_at(v8, context))) continue;
        enum v8_type type = v8_type_at(v8, target);
        *site = (struct v8_call_site){0};
        if (v8_is_function_type(type)) site->function = target;
        if (type == V8_T_FUNCTION_TEMPLATE_INFO) site->shared = template_shared(v8, target);
        if (site->function || site->shared) return form;
    }
    return NULL;
}

bool v8_is_api_exit(const struct v8_walk *walk) {
    struct v8_call_site site;
    return find_form(walk, &site) != NULL;
}

bool v8_push_api_exit(struct v8_walk *walk, bool construct) {
    pm_addr fp = v8_walk_fp(walk);
    struct v8_call_site site;
    const struct api_form *form = find_form(walk, &site);
    if (!form) return v8_push_plumbing(walk, "API callback");
    v8_word word;
    uint64_t count = 0;
    site.constructor = construct;
    if (form->new_target && v8_slot(walk, fp, form->new_target, &word) && v8_is_pointer(word))
        site.constructor = v8_oddball_of(walk->stacks->v8, word) != V8_UNDEFINED;
    if (v8_slot(walk, fp, form->argc, &word)) {
        if (form->argc < 0)
            count = word <= 1u << 20 ? word : 0;
        else if (v8_is_smi(word) && v8_smi(word) > 0)
            count = (uint64_t)v8_smi(word);
    }
    if (form->argc < 0 && count && walk->stacks->argc_counts_receiver) count--;
    return v8_push_builtin(walk, &site, fp + (pm_addr)form->receiver, count);
}

/* Getter or setter of an API object: only the property's name is told. */
bool v8_push_accessor_exit(struct v8_walk *walk) {
    struct v8_stacks *stacks = walk->stacks;
    struct pm_frame frame = v8_frame_new(walk, PM_FRAME_BUILTIN);
    frame.function = "(API accessor)";
    for (int offset = 16; offset <= 96; offset += 8) {
        pm_addr object = v8_slot_object(walk, v8_walk_fp(walk), offset);
        if (!object || !v8_is_name(v8_map(stacks->v8, object))) continue;
        const char *name = v8_name_text(stacks->v8, object, stacks->arena);
        const char *text = name ? pm_arena_printf(stacks->arena, "get %s", name) : NULL;
        if (text) frame.function = text;
        break;
    }
    return v8_walk_push(walk, &frame);
}
