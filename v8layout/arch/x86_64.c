/* x86_64.c - checked on V8 9.4 to 14.6 (src/codegen/x64/register-x64.h,
 * src/execution/x64/frame-constants-x64.h, Builtins::Generate_JSEntry: five pushes of callee-saved registers
 * after the three of marker, context and padding). */
#include <string.h>

#include "v8layout/arch/arch.h"

enum { RBX = 3, RDI = 5, RBP = 6, RSP = 7, RAX = 0, R9 = 9, R12 = 12, R13, R14, R15, RIP };

static const struct v8_saved_register entry_saved[] = {
    {R12, -24}, {R13, -32}, {R14, -40}, {R15, -48}, {RBX, -56},
};

/* push rbp; mov rbp, rsp. Optimised code checks before it whether it was deoptimised. */
static uint32_t frame_setup(const uint8_t *code, uint32_t length, uint32_t *frame_ret) {
    static const uint8_t setup[] = {0x55, 0x48, 0x89, 0xe5};
    for (uint32_t at = 0; at + sizeof(setup) <= length; at++) {
        if (memcmp(code + at, setup, sizeof(setup)) == 0) {
            *frame_ret = at;
            return sizeof(setup);
        }
    }
    return UINT32_MAX;
}

static int64_t relative(const uint8_t *at) {
    int32_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

/* jmp rel32 or rel8 that ends right before `at` and stays in the code. */
static bool behind_jump(const uint8_t *code, uint32_t length, uint32_t at) {
    if (at >= 5 && code[at - 5] == 0xe9) {
        int64_t target = at + relative(code + at - 4);
        if (target >= 0 && target < length) return true;
    }
    return at >= 2 && code[at - 2] == 0xeb;
}

static bool jump_to_block(const uint8_t *code, uint32_t length, uint32_t at, uint32_t *start_ret,
                          uint32_t *jump_ret) {
    uint32_t lowest = at > 256 ? at - 256 : 0;
    for (uint32_t start = at; start > lowest; start--) {
        if (!behind_jump(code, length, start)) continue;
        for (uint32_t jump = 0; jump + 6 <= length; jump++) {
            /* jcc rel32; nothing else jumps into a rare path */
            if (code[jump] != 0x0f || (code[jump + 1] & 0xf0) != 0x80) continue;
            if ((int64_t)jump + 6 + relative(code + jump + 2) != start) continue;
            *start_ret = start;
            *jump_ret = jump;
            return true;
        }
    }
    return false;
}

static bool after_call(const uint8_t *bytes, uint32_t length) {
    if (length >= 5 && bytes[length - 5] == 0xe8) return true; /* call rel32 */
    if (length >= 2 && bytes[length - 2] == 0xff && (bytes[length - 1] & 0xf8) == 0xd0)
        return true; /* call reg */
    if (length >= 3 && bytes[length - 3] == 0xff && (bytes[length - 2] & 0x38) == 0x10)
        return true; /* call [reg+d8] */
    if (length >= 4 && bytes[length - 4] == 0xff && (bytes[length - 3] & 0x3f) == 0x14)
        return true; /* with SIB */
    if (length >= 6 && bytes[length - 6] == 0xff && (bytes[length - 5] & 0x38) == 0x10)
        return true; /* [reg+d32] */
    return length >= 7 && bytes[length - 7] == 0xff && (bytes[length - 6] & 0x3f) == 0x14;
}

extern const struct v8_frame_arch v8_frame_arch_x86_64;
const struct v8_frame_arch v8_frame_arch_x86_64 = {
    .machine = PM_MACHINE_X86_64,
    .name = "x86-64",
    .pc = RIP,
    .sp = RSP,
    .fp = RBP,
    .link = -1,
    .function = RDI,
    .bytecode_array = R12,
    .bytecode_offset = R9,
    .dispatch_table = R15,
    .accumulator = RAX,
    .entry_c_entry_fp = -64,
    .entry_sp = 16,
    .entry_saved = entry_saved,
    .entry_saved_count = sizeof(entry_saved) / sizeof(entry_saved[0]),
    .code_bits = UINT64_MAX,
    .frame_setup = frame_setup,
    .jump_to_block = jump_to_block,
    .after_call = after_call,
};
