/* aarch64.c - checked on V8 10.2 to 14.6 (src/codegen/arm64/register-arm64.h,
 * src/execution/arm64/frame-constants-arm64.h, Builtins::Generate_JSEntry: PushCalleeSavedRegisters puts
 * d14..d8, x27..x19 above fp and lr). */
#include "v8layout/arch/arch.h"

enum { X0 = 0, X1, X19 = 19, X20, X21, X22, X23, X24, X25, X26, X27, X28, X29, X30, SP, PC };

static const struct v8_saved_register entry_saved[] = {
    {X19, 16}, {X20, 24}, {X21, 32}, {X22, 40}, {X23, 48},
    {X24, 56}, {X25, 64}, {X26, 72}, {X27, 80}, {X28, 88},
};

static uint32_t word_at(const uint8_t *code) {
    return (uint32_t)code[0] | (uint32_t)code[1] << 8 | (uint32_t)code[2] << 16 | (uint32_t)code[3] << 24;
}

/* stp x29, x30, [sp, #-n]! and then mov x29, sp or add x29, sp, #n, both near the start. V8 pushes more
 * registers at once (stp in another order), so the point that counts is the instruction that sets x29. */
static uint32_t frame_setup(const uint8_t *code, uint32_t length, uint32_t *frame_ret) {
    for (uint32_t at = 0; at + 4 <= length; at += 4) {
        uint32_t word = word_at(code + at);
        if ((word & 0xffc003ff) != 0x910003fd) continue; /* add x29, sp, #imm (mov x29, sp with imm 0) */
        *frame_ret = at >= 4 ? at - 4 : 0;
        return at + 4 - *frame_ret;
    }
    return UINT32_MAX;
}

static int64_t signed_field(uint32_t word, unsigned shift, unsigned bits) {
    int64_t value = (int64_t)(word >> shift & ((1u << bits) - 1));
    return value >= 1ll << (bits - 1) ? value - (1ll << bits) : value;
}

/* The distance of a conditional branch in bytes; 0 = the instruction is none. */
static int64_t conditional(uint32_t word) {
    if ((word & 0xff000010) == 0x54000000 || (word & 0x7e000000) == 0x34000000) /* b.cond; cbz, cbnz */
        return signed_field(word, 5, 19) * 4;
    if ((word & 0x7e000000) == 0x36000000) return signed_field(word, 5, 14) * 4; /* tbz, tbnz */
    return 0;
}

static bool jump_to_block(const uint8_t *code, uint32_t length, uint32_t at, uint32_t *start_ret,
                          uint32_t *jump_ret) {
    uint32_t lowest = at > 256 ? at - 256 : 0;
    for (uint32_t start = at & ~3u; start > lowest && start >= 4; start -= 4) {
        if ((word_at(code + start - 4) & 0xfc000000) != 0x14000000) continue; /* b */
        for (uint32_t jump = 0; jump + 4 <= length; jump += 4) {
            int64_t distance = conditional(word_at(code + jump));
            if (distance == 0 || (int64_t)jump + distance != start) continue;
            *start_ret = start;
            *jump_ret = jump;
            return true;
        }
    }
    return false;
}

static bool after_call(const uint8_t *bytes, uint32_t length) {
    if (length < 4) return false;
    uint32_t word = word_at(bytes + length - 4);
    return (word & 0xfc000000) == 0x94000000 /* bl */ || (word & 0xfffffc1f) == 0xd63f0000 /* blr */;
}

extern const struct v8_frame_arch v8_frame_arch_aarch64;
const struct v8_frame_arch v8_frame_arch_aarch64 = {
    .machine = PM_MACHINE_AARCH64,
    .name = "aarch64",
    .pc = PC,
    .sp = SP,
    .fp = X29,
    .link = X30,
    .function = X1,
    .bytecode_array = X20,
    .bytecode_offset = X19,
    .dispatch_table = X21,
    .accumulator = X0,
    .entry_c_entry_fp = -24,
    .entry_sp = 160,
    .entry_saved = entry_saved,
    .entry_saved_count = sizeof(entry_saved) / sizeof(entry_saved[0]),
    .code_bits = 0x0000ffffffffffffull, /* 48 bits of addresses in user space; above it signature and tag */
    .frame_setup = frame_setup,
    .jump_to_block = jump_to_block,
    .after_call = after_call,
};
