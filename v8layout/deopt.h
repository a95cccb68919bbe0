/* deopt.h - which functions an optimised frame stands for: the frames V8 would make of it if it deoptimised
 * now.
 *
 * Optimised code has inlined functions, so one machine frame is several JavaScript frames. For each call V8
 * keeps a translation: a byte program that rebuilds the interpreter's frames, outermost first, each with its
 * bytecode offset, its SharedFunctionInfo and where its values are (stack slot, literal). Read here:
 * function, receiver, position. Truth: src/deoptimizer/translation-opcode.h,
 * src/objects/deoptimization-data.cc (Iterator), translated-state.cc.
 *
 * Nothing depends on a version number: operand counts come from the binary
 * (TranslationOpcodeOperandCount), meanings from its names where it has some, else from the shape of the
 * count table; a translation is believed only when it decodes completely and its outermost function is the
 * frame's own. */
#ifndef PM_V8LAYOUT_DEOPT_H
#define PM_V8LAYOUT_DEOPT_H

#include "v8layout/code.h"

enum v8_opcode_role {
    V8_OP_VALUE,        /* any other value */
    V8_OP_BEGIN,        /* lookback, frames, JavaScript frames */
    V8_OP_INTERPRETED,  /* bytecode offset, literal of the SharedFunctionInfo, ... */
    V8_OP_CONTINUATION, /* the same for a builtin that goes on after a call: Array.prototype.map ... */
    V8_OP_CONSTRUCT,    /* the next JavaScript frame was called with new */
    V8_OP_OTHER_FRAME,
    V8_OP_UPDATE_FEEDBACK,
    V8_OP_LITERAL,
    V8_OP_STACK_SLOT, /* a tagged one */
    V8_OP_CAPTURED,   /* an object that was never allocated: number of fields, then the fields */
    V8_OP_MATCH,      /* the next n instructions are those of an earlier translation */
};

/* How instructions are written. The newest that may hold is tried first. */
enum v8_translation_form {
    V8_TRANSLATION_OLD = 1,    /* opcodes and operands signed, bit 0 of a byte = one more follows: V8 9.0 */
    V8_TRANSLATION_SIGNED = 2, /* opcodes and operands are signed VLQs: V8 9.4 to 10.2 */
    V8_TRANSLATION_BYTES = 4,  /* an opcode is a byte; operands signed or unsigned VLQs: V8 10.8 */
    /* The same, and instructions may be taken from an earlier translation: V8 11 and later. */
    V8_TRANSLATION_LOOKBACK = 8,
};

struct v8_opcodes {
    uint8_t count;
    uint8_t operands[128];
    uint8_t role[128];    /* enum v8_opcode_role */
    uint8_t forms;        /* bits of enum v8_translation_form: those that may hold */
    const char *evidence; /* where the meanings come from */
};

/* From the counts alone: the table of V8 11 to 12 (frames first, 40 opcodes), 13 and later (45); false = no
 * known shape. names may be NULL; with them the meaning is published. */
bool v8_opcodes_init(struct v8_opcodes *opcodes, const int32_t *counts, size_t count,
                     const char *const *names);
/* From the binary. */
bool v8_opcodes_load(struct v8_opcodes *opcodes, const struct v8 *v8);

/* ---- one translation, as a stream of instructions ---- */
struct v8_translation {
    const struct v8_opcodes *opcodes;
    const uint8_t *bytes;
    uint32_t length, position;
    enum v8_translation_form form;
    /* MATCH: instructions taken from an earlier translation. */
    uint32_t previous, left_of_previous, since_previous;
    bool failed;
    uint32_t steps; /* bound */
};
/* `index`: of its BEGIN. Counts are those of the BEGIN instruction. */
bool v8_translation_start(struct v8_translation *it, const struct v8_opcodes *opcodes,
                          enum v8_translation_form form, const uint8_t *bytes, uint32_t length,
                          uint32_t index, uint32_t *frames_ret, uint32_t *js_frames_ret);
/* The next opcode; false = end or broken. Its operands must be read (or skipped) before the next call. */
bool v8_translation_next(struct v8_translation *it, uint8_t *opcode_ret);
bool v8_translation_signed(struct v8_translation *it, int32_t *ret);
bool v8_translation_skip(struct v8_translation *it, uint32_t operands);
bool v8_translation_fail(struct v8_translation *it); /* marks it broken; false */

/* Instructions read for one translation: with everything inlined they are some thousand. */
#define V8_TRANSLATION_STEPS 200000u

/* ---- the frames of one optimised frame ---- */
struct v8_deopt_frame {
    pm_addr shared;          /* SharedFunctionInfo */
    pm_addr function;        /* JSFunction, 0 = not known */
    int32_t bytecode_offset; /* -1 = entry */
    bool continuation;       /* of a builtin: no position */
    bool constructor;
    bool receiver_known;
    v8_word receiver;
    pm_addr receiver_map; /* when the receiver was never allocated: what it would be; 0 */
};
/* Indexes inside DeoptimizationData (src/objects/deoptimization-data.h), as published, else the variant that
 * fits an object. */
struct v8_deopt_form {
    uint32_t literals, protected_literals /* 0 = none */, shared, inlining_positions, first_entry;
};
struct v8_deopt_forms {
    struct v8_deopt_form items[3];
    unsigned count;
    bool published; /* then count is 1 */
};
void v8_deopt_forms(struct v8_deopt_forms *forms, const struct v8 *v8);

/* Fills at most `most` frames, outermost first, and says how many; 0 = it does not decode. `outer` is the
 * frame's own SharedFunctionInfo. */
size_t v8_deopt_frames(const struct v8 *v8, const struct v8_opcodes *opcodes,
                       const struct v8_deopt_forms *forms, const struct v8_code *code, int32_t deopt_index,
                       pm_addr fp, pm_addr outer, struct v8_deopt_frame *frames, size_t most);

/* Without a translation: source position and inlining chain of a pc (Turbofan's table has both, Maglev's is
 * not usable). Positions are script offsets. Outermost first; 0 = unknown. */
struct v8_inlined_position {
    pm_addr shared;
    int32_t position;
};
size_t v8_inlined_positions(const struct v8 *v8, const struct v8_deopt_forms *forms,
                            const struct v8_code *code, uint32_t pc_offset, pm_addr outer,
                            struct v8_inlined_position *positions, size_t most);

/* The SharedFunctionInfo an optimised code object was made for; 0 = unknown. */
pm_addr v8_deopt_shared(const struct v8 *v8, const struct v8_deopt_forms *forms, const struct v8_code *code);

#endif
