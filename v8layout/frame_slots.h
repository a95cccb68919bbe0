/* frame_slots.h - the slots of one V8 frame, checked: no word is taken for an object whose map does not say
 * so. Internal to the frame_*.c files; the picture is at the head of js_frames.c. */
#ifndef PM_V8LAYOUT_FRAME_SLOTS_H
#define PM_V8LAYOUT_FRAME_SLOTS_H

#include "v8layout/object_access.h"
#include "v8layout/stack_walk.h"

/* Offsets from the frame pointer. */
enum v8_frame_slot {
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

static inline bool v8_slot(const struct v8_walk *walk, pm_addr fp, int offset, uint64_t *ret) {
    return pm_mem_u64(walk->stacks->mem, fp + (pm_addr)(int64_t)offset, ret);
}

static inline pm_addr v8_walk_fp(const struct v8_walk *walk) {
    return walk->regs.value[walk->stacks->arch->fp];
}
static inline pm_addr v8_walk_sp(const struct v8_walk *walk) {
    return walk->regs.value[walk->stacks->arch->sp];
}
static inline pm_addr v8_walk_pc(const struct v8_walk *walk) {
    return walk->pc_unknown ? 0 : walk->regs.value[walk->stacks->arch->pc];
}

static inline bool v8_walk_in_stack(const struct v8_walk *walk, pm_addr address) {
    return address % 8 == 0 && address >= walk->stack_start && address < walk->stack_end;
}

/* An object a slot of the stack refers to; the type must fit. */
static inline pm_addr v8_slot_object(const struct v8_walk *walk, pm_addr fp, int offset) {
    uint64_t word;
    return v8_slot(walk, fp, offset, &word) ? v8_target(walk->stacks->v8, word) : 0;
}

static inline pm_addr v8_slot_function(const struct v8_walk *walk, pm_addr fp, int offset) {
    pm_addr object = v8_slot_object(walk, fp, offset);
    return object && v8_is_function_type(v8_type_at(walk->stacks->v8, object)) ? object : 0;
}

static inline pm_addr v8_slot_of_type(const struct v8_walk *walk, pm_addr fp, int offset, enum v8_type type) {
    pm_addr object = v8_slot_object(walk, fp, offset);
    return object && v8_type_at(walk->stacks->v8, object) == type ? object : 0;
}

static inline enum v8_frame_type v8_marker_at(const struct v8_walk *walk, pm_addr fp) {
    uint64_t word;
    return v8_slot(walk, fp, SLOT_MARKER, &word) ? v8_frame_type_of_marker(&walk->stacks->types, word)
                                                 : V8_FT_NONE;
}

static inline bool v8_has_marker(const struct v8_walk *walk, pm_addr fp) {
    uint64_t word;
    return v8_slot(walk, fp, SLOT_MARKER, &word) && !(word & 1) && word >> 1 < V8_MAX_FRAME_TYPE;
}

static inline bool v8_called_by_new(const struct v8_walk *walk, pm_addr fp) {
    uint64_t caller;
    if (!v8_slot(walk, fp, SLOT_CALLER_FP, &caller) || !v8_walk_in_stack(walk, caller)) return false;
    enum v8_frame_type type = v8_marker_at(walk, caller);
    return type == V8_FT_CONSTRUCT || type == V8_FT_FAST_CONSTRUCT;
}

/* ---- frames to show: false = no room for more ---- */

struct pm_frame v8_frame_new(const struct v8_walk *walk, enum pm_frame_kind kind);
bool v8_push_plumbing(struct v8_walk *walk,
                      const char *name); /* hidden; the builtin's name wins over `name` */
extern const char v8_wasm_function_name[];
bool v8_push_generated(struct v8_walk *walk,
                       const char *name); /* machine code of V8's that is not in the binary */
/* Looks for the regular expression in and right above the frame of walk->regs, until a function is reached.
 */
void v8_note_regexp_near(struct v8_walk *walk);
/* A function that V8 or Node implements in machine code or C++. `values`: slot of the receiver, arguments
 * above it; 0 = not known. */
bool v8_push_builtin(struct v8_walk *walk, struct v8_call_site *site, pm_addr values, uint64_t arguments);
/* The frame of walk->regs belongs to this function: all frames it stands for. */
bool v8_push_js(struct v8_walk *walk, pm_addr function);
/* A compiled function that has no frame yet (or no more): its JSFunction is still in the register where calls
 * pass it. */
bool v8_push_entered(struct v8_walk *walk, const struct v8_code *code);
/* Exit frames that keep their function (frame_exit.c). */
bool v8_push_builtin_exit(struct v8_walk *walk);
bool v8_is_api_exit(const struct v8_walk *walk); /* does the frame have one of the forms of an API call? */
bool v8_push_api_exit(struct v8_walk *walk, bool construct);
bool v8_push_accessor_exit(struct v8_walk *walk);

/* The BytecodeArray a baseline code object was made from; 0 = it does not say. */
pm_addr v8_bytecode_of_code(const struct v8 *v8, const struct v8_code *code);
/* What was interrupted above the frame at fp, if anything; then walk->regs are those of that frame
 * (frame_top.c). */
bool v8_top_frame(struct v8_walk *walk);

#endif
