/* arch.h - how V8 uses the registers and the stack of one machine: the only machine knowledge of v8layout's
 * stack walk.
 *
 * The slots of V8's own frames are the same on all 64-bit machines (js_frames.c shows them); what differs is
 * here: which registers the entry frame has saved for the C++ code below it and where, which registers hold
 * the interpreter's state while a bytecode handler runs, how a function sets its frame up, which bits of a
 * return address are a signature.
 *
 * TO ADD A MACHINE  one file arch/NAME.c with a struct v8_frame_arch, one line in arch.c. Facts come from
 * V8's src/codegen/NAME/register-NAME.h, src/execution/NAME/frame-constants-NAME.h and
 * Builtins::Generate_JSEntry in src/builtins/NAME/builtins-NAME.cc. Test: an entry in tests/frames of a core
 * of that machine. */
#ifndef PM_V8LAYOUT_ARCH_ARCH_H
#define PM_V8LAYOUT_ARCH_ARCH_H

#include "parsers/core_file.h"

struct v8_saved_register {
    uint8_t reg;    /* DWARF number */
    int16_t offset; /* of its saved value from the entry frame's frame pointer */
};

struct v8_frame_arch {
    enum pm_machine machine;
    const char *name;
    /* DWARF numbers of registers. */
    uint8_t pc, sp, fp;
    int8_t link;            /* holds the return address right after a call; -1 = it is on the stack */
    uint8_t function;       /* JSFunction at the entry of a JavaScript function */
    uint8_t bytecode_array; /* tagged; while a bytecode handler runs, as the next two */
    uint8_t bytecode_offset;
    uint8_t dispatch_table; /* addresses of the bytecode handlers */
    uint8_t accumulator;
    /* The entry frame (JSEntry, called from C++). */
    int16_t entry_c_entry_fp; /* saved Isolate::c_entry_fp: the exit frame below, 0 = none */
    int16_t entry_sp;         /* stack pointer of the C++ caller minus the entry frame's frame pointer */
    const struct v8_saved_register *entry_saved;
    uint8_t entry_saved_count;
    uint64_t code_bits; /* of a return address; the others may be a signature */
    /* Bytes from the start of a function's frame set-up ("push fp; fp = sp") to the point where fp is the
     * function's own; UINT32_MAX = there is no such set-up in [code, code + length). `frame_ret`: where it
     * begins. */
    uint32_t (*frame_setup)(const uint8_t *code, uint32_t length, uint32_t *frame_ret);
    /* The block of straight code that holds `at`, when it begins behind a jump away and is itself jumped to:
     * its first offset, and the jump that leads there. Rare paths stand so at the end of optimised code. */
    bool (*jump_to_block)(const uint8_t *code, uint32_t length, uint32_t at, uint32_t *start_ret,
                          uint32_t *jump_ret);
    bool (*after_call)(const uint8_t *bytes_before,
                       uint32_t length); /* do these bytes end in a call instruction? */
};

const struct v8_frame_arch *v8_frame_arch(enum pm_machine machine);

#endif
