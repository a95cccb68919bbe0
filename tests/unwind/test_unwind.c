/* Steps over frames made by hand: a process whose only library is missing on disk, so that its CFI is read
 * from the core.
 *
 *     0x400000  ELF header, program headers; .eh_frame_hdr at +0x400, .eh_frame at +0x600
 *     0x401000  text, executable: functions of 0x100 bytes, described below
 *     0x700000  stack: 0x1000 bytes saved, 0x1000 bytes not saved
 *
 * Function n is at TEXT + n * 0x100. */
#include <dwarf.h>

#include "parsers/arch/arch.h"
#include "postmortem/base/limits.h"
#include "tests/support/assert_error.h"
#include "tests/support/core_builder.h"
#include "tests/unwind/frame_builder.h"

enum {
    IMAGE = 0x400000,
    TABLE = 0x400400,
    FRAMES = 0x400600,
    TEXT = 0x401000,
    STACK = 0x700000,
    SAVED = 0x1000
};
enum { BYTES_PER_FUNCTION = 0x100, FUNCTIONS = 16 };
enum { RBX = 3, RBP = 6, RSP = 7, R12 = 12, RIP = 16 };
enum { X19 = 19, FP = 29, LR = 30, SP = 31, PC = 32 };

struct process {
    struct core_builder *builder;
    struct pm_core *core;
    struct pm_modules *modules;
    struct pm_unwinder *unwinder;
    uint8_t text[FUNCTIONS * BYTES_PER_FUNCTION];
    uint64_t stack[SAVED / 8];
    struct frames frames;
    uint64_t pairs[2 * FUNCTIONS];
    size_t count;
    unsigned machine;
};

static pm_addr function(unsigned number) {
    return TEXT + (pm_addr)number * BYTES_PER_FUNCTION;
}

static void process_init(struct process *p, unsigned machine) {
    memset(p, 0, sizeof(*p));
    p->machine = machine;
    p->frames.vaddr = FRAMES;
}

static void describe(struct process *p, unsigned number, const char *augmentation, const uint8_t *code,
                     size_t size) {
    bool arm = p->machine == EM_AARCH64;
    static const uint8_t x86_entry[] = {DW_CFA_def_cfa, 7, 8, DW_CFA_offset | 16, 1};
    static const uint8_t arm_entry[] = {DW_CFA_def_cfa, 31, 0};
    size_t cie = frames_cie(&p->frames, augmentation, arm ? 4 : 1, -8, arm ? 30 : 16, "\x1b", 1,
                            arm ? arm_entry : x86_entry, arm ? sizeof(arm_entry) : sizeof(x86_entry));
    p->pairs[2 * p->count] = function(number);
    p->pairs[2 * p->count + 1] =
        FRAMES + frames_fde(&p->frames, cie, function(number), BYTES_PER_FUNCTION, code, size);
    p->count++;
}
#define DESCRIBE(p, number, ...)                                                                             \
    describe((p), (number), "zR", (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void process_open(struct process *p) {
    frames_end(&p->frames);
    struct bytes table = {0}, image = {0};
    frames_table(&table, TABLE, FRAMES, p->pairs, p->count);
    assert_true(table.size <= FRAMES - TABLE);
    Elf64_Ehdr header = {.e_type = ET_DYN,
                         .e_machine = (Elf64_Half)p->machine,
                         .e_version = EV_CURRENT,
                         .e_phoff = sizeof(header),
                         .e_ehsize = sizeof(header),
                         .e_phentsize = sizeof(Elf64_Phdr),
                         .e_phnum = 3};
    memcpy(header.e_ident, ELFMAG "\2\1\1", 7);
    Elf64_Phdr programs[3] = {
        {.p_type = PT_LOAD, .p_flags = PF_R, .p_filesz = 0x1000, .p_memsz = 0x1000, .p_align = 0x1000},
        {.p_type = PT_LOAD,
         .p_flags = PF_R | PF_X,
         .p_offset = 0x1000,
         .p_vaddr = 0x1000,
         .p_filesz = sizeof(p->text),
         .p_memsz = sizeof(p->text),
         .p_align = 0x1000},
        {.p_type = PT_GNU_EH_FRAME,
         .p_flags = PF_R,
         .p_offset = TABLE - IMAGE,
         .p_vaddr = TABLE - IMAGE,
         .p_filesz = table.size,
         .p_memsz = table.size,
         .p_align = 4}};
    bytes_add(&image, &header, sizeof(header));
    bytes_add(&image, programs, sizeof(programs));
    bytes_add(&image, NULL, 0x1000 - image.size);
    bytes_put(&image, TABLE - IMAGE, table.data, table.size);
    bytes_put(&image, FRAMES - IMAGE, p->frames.out.data, p->frames.out.size);

    p->builder = core_builder_new(p->machine);
    core_builder_segment(p->builder, IMAGE, image.data, image.size, image.size, PF_R);
    core_builder_segment(p->builder, TEXT, p->text, sizeof(p->text), sizeof(p->text), PF_R | PF_X);
    core_builder_segment(p->builder, STACK, p->stack, SAVED, 2 * SAVED, PF_R | PF_W);
    struct pm_regs regs = {0};
    core_builder_thread(p->builder, 1, 6, &regs, 0);
    core_builder_file(p->builder, IMAGE, IMAGE + 0x1000, 0, "/nonexistent/libtest.so");
    core_builder_file(p->builder, TEXT, TEXT + sizeof(p->text), 0x1000, "/nonexistent/libtest.so");
    struct pm_module_options options = {0};
    assert_pm_ok(pm_core_open(core_builder_input(p->builder), &p->core));
    assert_pm_ok(pm_modules_open(p->core, &options, &p->modules));
    assert_pm_ok(pm_unwinder_create(p->core, p->modules, &p->unwinder));
    bytes_free(&table);
    bytes_free(&image);
}

static void process_close(struct process *p) {
    pm_unwinder_destroy(p->unwinder);
    pm_modules_close(p->modules);
    pm_core_close(p->core);
    core_builder_destroy(p->builder);
    bytes_free(&p->frames.out);
}

static struct pm_regs regs_at(const struct process *p, pm_addr pc, pm_addr sp) {
    const struct pm_unwind_arch *arch =
        pm_unwind_arch(p->machine == EM_AARCH64 ? PM_MACHINE_AARCH64 : PM_MACHINE_X86_64);
    struct pm_regs regs = {0};
    pm_regs_set(&regs, arch->pc, pc);
    pm_regs_set(&regs, arch->sp, sp);
    return regs;
}

static void put(struct process *p, pm_addr addr, uint64_t value) {
    p->stack[(addr - STACK) / 8] = value;
}

static void assert_register(const struct pm_regs *regs, unsigned number, uint64_t value) {
    assert_true(pm_regs_has(regs, number));
    assert_int_equal(regs->value[number], value);
}

static enum pm_unwind_result step(struct process *p, struct pm_regs *regs, bool exact) {
    bool signal;
    enum pm_unwind_result result = pm_unwind_step(p->unwinder, regs, exact, regs, &signal);
    assert_false(signal);
    return result;
}

/* ------------------------------------------------------------------ x86-64 */

static void test_three_frames(void **state) {
    (void)state;
    struct process p;
    process_init(&p, EM_X86_64);
    DESCRIBE(&p, 0, DW_CFA_nop); /* a leaf */
    /* push rbp; mov rbp, rsp; push rbx */
    DESCRIBE(&p, 1, DW_CFA_advance_loc | 1, DW_CFA_def_cfa_offset, 16, DW_CFA_offset | RBP, 2,
             DW_CFA_advance_loc | 3, DW_CFA_def_cfa_register, RBP, DW_CFA_advance_loc | 1,
             DW_CFA_offset | RBX, 3);
    DESCRIBE(&p, 2, DW_CFA_undefined, RIP); /* _start */
    put(&p, STACK + 0x100, function(1) + 0x20);
    put(&p, STACK + 0x118, 0xb0b);         /* rbx */
    put(&p, STACK + 0x120, STACK + 0x800); /* rbp */
    put(&p, STACK + 0x128, function(2) + 0x30);
    process_open(&p);

    struct pm_regs regs = regs_at(&p, function(0) + 4, STACK + 0x100);
    pm_regs_set(&regs, RBP, STACK + 0x120);
    pm_regs_set(&regs, R12, 12);
    pm_regs_set(&regs, 0, 99); /* rax: a call may destroy it */
    assert_int_equal(step(&p, &regs, true), PM_UNWIND_OK);
    assert_register(&regs, RIP, function(1) + 0x20);
    assert_register(&regs, RSP, STACK + 0x108);
    assert_register(&regs, RBP, STACK + 0x120);
    assert_false(pm_regs_has(&regs, 0));
    assert_int_equal(step(&p, &regs, false), PM_UNWIND_OK);
    assert_register(&regs, RIP, function(2) + 0x30);
    assert_register(&regs, RSP, STACK + 0x130);
    assert_register(&regs, RBP, STACK + 0x800);
    assert_register(&regs, RBX, 0xb0b);
    assert_register(&regs, R12, 12);
    assert_int_equal(step(&p, &regs, false), PM_UNWIND_END);
    process_close(&p);
}

static void test_a_call_at_the_end_of_a_function(void **state) {
    (void)state;
    struct process p;
    process_init(&p, EM_X86_64);
    DESCRIBE(&p, 0, DW_CFA_def_cfa_offset, 32); /* calls abort() with its last instruction */
    DESCRIBE(&p, 1, DW_CFA_undefined, RIP);
    put(&p, STACK + 0x100, function(0) + 0x10);
    put(&p, STACK + 0x118, function(0) + 0x10);
    process_open(&p);
    struct pm_regs regs = regs_at(&p, function(1), STACK + 0x100);
    struct pm_regs same = regs;
    assert_int_equal(step(&p, &regs, false), PM_UNWIND_OK); /* the return address: still function 0 */
    assert_register(&regs, RSP, STACK + 0x120);
    assert_int_equal(step(&p, &same, true), PM_UNWIND_END); /* stopped there: function 1 */
    process_close(&p);
}

static void test_ends(void **state) {
    (void)state;
    struct process p;
    process_init(&p, EM_X86_64);
    DESCRIBE(&p, 0, DW_CFA_nop);
    process_open(&p);
    struct pm_regs regs = regs_at(&p, function(0), STACK + 0x100); /* the return address is 0 */
    assert_int_equal(step(&p, &regs, true), PM_UNWIND_END);
    regs = regs_at(&p, 0, STACK + 0x100);
    assert_int_equal(step(&p, &regs, false), PM_UNWIND_END);
    process_close(&p);
}

static void test_no_cfi(void **state) {
    (void)state;
    struct process p;
    process_init(&p, EM_X86_64);
    DESCRIBE(&p, 0, DW_CFA_nop);
    process_open(&p);
    struct pm_regs regs = regs_at(&p, function(3), STACK + 0x100);
    assert_int_equal(step(&p, &regs, true), PM_UNWIND_NO_CFI);
    assert_int_equal(step(&p, &regs, false), PM_UNWIND_NO_CFI);
    regs = regs_at(&p, STACK + 8, STACK + 0x100); /* in no module */
    assert_int_equal(step(&p, &regs, false), PM_UNWIND_NO_CFI);
    regs = regs_at(&p, 0x123456789, STACK + 0x100);
    assert_int_equal(step(&p, &regs, false), PM_UNWIND_NO_CFI);
    process_close(&p);
}

static void test_a_damaged_stack(void **state) {
    (void)state;
    struct process p;
    process_init(&p, EM_X86_64);
    DESCRIBE(&p, 0, DW_CFA_nop);
    DESCRIBE(&p, 1, DW_CFA_def_cfa, RBP, 16);
    DESCRIBE(&p, 2, DW_CFA_def_cfa_expression, 3, DW_OP_breg7, 0, DW_OP_deref);
    DESCRIBE(&p, 3, DW_CFA_def_cfa, RSP, 0, DW_CFA_register, RIP, RBX); /* stays where it is */
    put(&p, STACK + 0xf8, function(0) + 1);
    put(&p, STACK + 0x108, function(0) + 1);
    put(&p, STACK + 0x200, STACK + 0x110); /* down the stack */
    process_open(&p);

    struct pm_regs regs = regs_at(&p, function(0), STACK + SAVED); /* mapped, not saved */
    assert_int_equal(step(&p, &regs, true), PM_UNWIND_BAD_MEMORY);
    regs = regs_at(&p, function(0), 0xdead0000); /* not mapped */
    assert_int_equal(step(&p, &regs, true), PM_UNWIND_BAD_MEMORY);
    regs = regs_at(&p, function(0), UINT64_MAX - 3);
    assert_int_equal(step(&p, &regs, true), PM_UNWIND_BAD_MEMORY);
    regs = regs_at(&p, function(1), STACK + 0x100); /* rbp is not known */
    assert_int_equal(step(&p, &regs, true), PM_UNWIND_BAD_MEMORY);
    pm_regs_set(&regs, RBP, STACK + 0xf0); /* would lead to a frame below */
    assert_int_equal(step(&p, &regs, true), PM_UNWIND_BAD_MEMORY);
    regs = regs_at(&p, function(2), STACK + 0x200);
    assert_int_equal(step(&p, &regs, true), PM_UNWIND_BAD_MEMORY);
    regs = regs_at(&p, function(3), STACK + 0x100);
    pm_regs_set(&regs, RBX, function(0));
    assert_int_equal(step(&p, &regs, true), PM_UNWIND_BAD_MEMORY);
    regs = (struct pm_regs){0};
    assert_int_equal(step(&p, &regs, true), PM_UNWIND_BAD_MEMORY);
    process_close(&p);
}

static void test_a_call_through_a_bad_pointer(void **state) {
    (void)state;
    struct process p;
    process_init(&p, EM_X86_64);
    DESCRIBE(&p, 0, DW_CFA_def_cfa_offset, 32);
    put(&p, STACK + 0x100, function(0) + 0x10);
    put(&p, STACK + 0x200, 0x1234);
    process_open(&p);
    static const pm_addr bad[] = {0, 0x10, STACK + 0x40, 0xdeadbeefdead0000};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct pm_regs regs = regs_at(&p, bad[i], STACK + 0x100);
        pm_regs_set(&regs, RBX, 77);
        assert_int_equal(step(&p, &regs, true), PM_UNWIND_OK);
        assert_register(&regs, RIP, function(0) + 0x10);
        assert_register(&regs, RSP, STACK + 0x108);
        assert_register(&regs, RBX, 77);
        regs = regs_at(&p, bad[i], STACK + 0x200); /* what is on the stack is no return address */
        assert_int_equal(step(&p, &regs, true), PM_UNWIND_NO_CFI);
    }
    process_close(&p);
}

/* A ucontext at STACK + 0x100 as the kernel writes it: register number n has the value 0x1000 + n, but sp and
 * pc. */
static void put_x86_signal_frame(struct process *p) {
    static const uint8_t order[] = {8, 9, 10, 11, 12, 13, 14, 15, 5, 4, 6, 3, 1, 0, 2, 7, 16};
    for (unsigned i = 0; i < sizeof(order); i++) put(p, STACK + 0x100 + 40 + 8 * i, 0x1000u + order[i]);
    put(p, STACK + 0x100 + 40 + 8 * 15,
        STACK + 0x80); /* the interrupted code ran on a stack below: sigaltstack */
    put(p, STACK + 0x100 + 40 + 8 * 16, function(5));
}

static void assert_x86_signal_frame(const struct pm_regs *regs) {
    for (unsigned i = 0; i < 16; i++)
        if (i != RSP) assert_register(regs, i, 0x1000 + i);
    assert_register(regs, RSP, STACK + 0x80);
    assert_register(regs, RIP, function(5));
}

static void test_signal_trampoline_without_cfi(void **state) {
    (void)state;
    struct process p;
    process_init(&p, EM_X86_64);
    DESCRIBE(&p, 0, DW_CFA_nop);
    static const uint8_t code[] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};
    memcpy(p.text + 3 * BYTES_PER_FUNCTION, code, sizeof(code));
    put_x86_signal_frame(&p);
    process_open(&p);
    struct pm_regs regs = regs_at(&p, function(3), STACK + 0x100);
    bool signal;
    assert_int_equal(pm_unwind_step(p.unwinder, &regs, false, &regs, &signal), PM_UNWIND_OK);
    assert_true(signal);
    assert_x86_signal_frame(&regs);
    regs = regs_at(&p, function(3), STACK + SAVED - 0x20); /* the signal frame is not all there */
    assert_int_equal(pm_unwind_step(p.unwinder, &regs, false, &regs, &signal), PM_UNWIND_NO_CFI);
    process_close(&p);
}

static void test_signal_trampoline_with_cfi(void **state) {
    (void)state;
    struct process p;
    process_init(&p, EM_X86_64);
    struct bytes code = {0};
    static const uint8_t offsets[17] = {144, 136, 152, 128, 112, 104, 120, 160, 40,
                                        48,  56,  64,  72,  80,  88,  96,  168};
    bytes_add(&code, (const uint8_t[]){DW_CFA_def_cfa_expression, 4, DW_OP_breg7, 0xa0, 1, DW_OP_deref}, 6);
    for (unsigned i = 0; i < 17; i++) {
        uint8_t rule[] = {DW_CFA_expression, (uint8_t)i, 3, DW_OP_breg7, (uint8_t)(offsets[i] | 0x80), 0};
        rule[5] = offsets[i] >> 7; /* sleb of two bytes: 7 low bits, then the rest */
        rule[4] = (uint8_t)((offsets[i] & 0x7f) | 0x80);
        bytes_add(&code, rule, sizeof(rule));
    }
    describe(&p, 3, "zRS", code.data, code.size);
    bytes_free(&code);
    put_x86_signal_frame(&p);
    process_open(&p);
    struct pm_regs regs = regs_at(&p, function(3) + 1, STACK + 0x100);
    bool signal;
    assert_int_equal(pm_unwind_step(p.unwinder, &regs, false, &regs, &signal), PM_UNWIND_OK);
    assert_true(signal);
    assert_x86_signal_frame(&regs);
    process_close(&p);
}

static void test_v8_push_registers(void **state) {
    (void)state;
    struct process p;
    process_init(&p, EM_X86_64);
    DESCRIBE(&p, 0, DW_CFA_nop);
    static const uint8_t code[] = {0x41, 0xff, 0xd0, 0x48, 0x83, 0xc4, 0x30, 0x5d, 0xc3};
    memcpy(p.text + 3 * BYTES_PER_FUNCTION + 0x20, code, sizeof(code));
    put(&p, STACK + 0x200, STACK + 0x900);
    put(&p, STACK + 0x208, function(0) + 5);
    process_open(&p);
    struct pm_regs regs = regs_at(&p, function(3) + 0x23, STACK + 0x1c0);
    pm_regs_set(&regs, RBP, STACK + 0x200);
    pm_regs_set(&regs, RBX, 3);
    pm_regs_set(&regs, R12, 12);
    assert_int_equal(step(&p, &regs, false), PM_UNWIND_OK);
    assert_register(&regs, RIP, function(0) + 5);
    assert_register(&regs, RBP, STACK + 0x900);
    assert_register(&regs, RSP, STACK + 0x210);
    assert_register(&regs, RBX, 3);
    assert_register(&regs, R12, 12);
    process_close(&p);
}

static void test_step_by_frame_pointer(void **state) {
    (void)state;
    struct process p;
    process_init(&p, EM_X86_64);
    DESCRIBE(&p, 0, DW_CFA_nop);
    put(&p, STACK + 0x200, STACK + 0x900);
    put(&p, STACK + 0x208, 0x5555);
    put(&p, STACK + 0x300, STACK + 0x900); /* pc = 0 */
    put(&p, STACK + 0x88, 0x5555);
    process_open(&p);
    struct pm_regs regs = regs_at(&p, 0x4444, STACK + 0x100), out;
    assert_int_equal(pm_unwind_step_fp(p.unwinder, &regs, &out), PM_UNWIND_BAD_MEMORY);
    pm_regs_set(&regs, RBP, STACK + 0x200);
    pm_regs_set(&regs, RBX, 3);
    assert_int_equal(pm_unwind_step_fp(p.unwinder, &regs, &out), PM_UNWIND_OK);
    assert_register(&out, RIP, 0x5555);
    assert_register(&out, RBP, STACK + 0x900);
    assert_register(&out, RSP, STACK + 0x210);
    assert_false(pm_regs_has(&out, RBX));
    pm_regs_set(&regs, RBP, STACK + 0x300);
    assert_int_equal(pm_unwind_step_fp(p.unwinder, &regs, &out), PM_UNWIND_END);
    pm_regs_set(&regs, RBP, 0);
    assert_int_equal(pm_unwind_step_fp(p.unwinder, &regs, &out), PM_UNWIND_END);
    static const pm_addr bad[] = {STACK + 0x204, STACK + 0x80, STACK + SAVED - 8, 0xdead0000, UINT64_MAX - 7};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        pm_regs_set(&regs, RBP, bad[i]);
        assert_int_equal(pm_unwind_step_fp(p.unwinder, &regs, &out), PM_UNWIND_BAD_MEMORY);
    }
    process_close(&p);
}

static void test_plt_depths(void **state) {
    (void)state;
    const struct pm_arch *x86 = pm_arch(PM_MACHINE_X86_64), *arm = pm_arch(PM_MACHINE_AARCH64);
    /* PLT0: push got[1] (6 bytes); jmp */
    assert_int_equal(x86->plt_depth(0x1000, 0x1000), 8);
    assert_int_equal(x86->plt_depth(0x1006, 0x1000), 16);
    /* entry: jmp *got (6 bytes); push $n (5 bytes); jmp PLT0 */
    assert_int_equal(x86->plt_depth(0x1010, 0x1000), 0);
    assert_int_equal(x86->plt_depth(0x1016, 0x1000), 0);
    assert_int_equal(x86->plt_depth(0x101b, 0x1000), 8);
    assert_int_equal(arm->plt_depth(0x1000, 0x1000), 0);
    assert_int_equal(arm->plt_depth(0x1004, 0x1000), 16);
    assert_int_equal(arm->plt_depth(0x1020, 0x1000), 0);
}

/* ------------------------------------------------------------------ aarch64 */

static void test_aarch64_leaf_and_signed_addresses(void **state) {
    (void)state;
    struct process p;
    process_init(&p, EM_AARCH64);
    DESCRIBE(&p, 0, DW_CFA_nop); /* a leaf: x30 holds the return address, sp is the caller's */
    /* paciasp; stp x29, x30, [sp, #-32]! */
    describe(&p, 1, "zRB",
             (const uint8_t[]){DW_CFA_advance_loc | 1, 0x2d, DW_CFA_advance_loc | 1, DW_CFA_def_cfa_offset,
                               32, DW_CFA_offset | FP, 4, DW_CFA_offset | LR, 3},
             9);
    DESCRIBE(&p, 2, DW_CFA_undefined, LR);
    put(&p, STACK + 0x100, STACK + 0x800);
    put(&p, STACK + 0x108, 0x0046000000000000 | (function(2) + 0x30)); /* signed */
    process_open(&p);
    struct pm_regs regs = regs_at(&p, function(0) + 4, STACK + 0x100);
    pm_regs_set(&regs, LR, 0x0046000000000000 | (function(1) + 0x20));
    pm_regs_set(&regs, X19, 19);
    pm_regs_set(&regs, 0, 99);
    assert_int_equal(step(&p, &regs, true), PM_UNWIND_OK);
    assert_register(&regs, PC, function(1) + 0x20);
    assert_register(&regs, SP, STACK + 0x100);
    assert_register(&regs, X19, 19);
    assert_false(pm_regs_has(&regs, 0));
    assert_int_equal(step(&p, &regs, false), PM_UNWIND_OK);
    assert_register(&regs, PC, function(2) + 0x30);
    assert_register(&regs, SP, STACK + 0x120);
    assert_register(&regs, FP, STACK + 0x800);
    assert_int_equal(step(&p, &regs, false), PM_UNWIND_END);

    /* A caller that still has its own return address in x30 has called nobody: no progress. */
    regs = regs_at(&p, function(0) + 4, STACK + 0x100);
    pm_regs_set(&regs, LR, function(1) + 0x20);
    assert_int_equal(step(&p, &regs, false), PM_UNWIND_BAD_MEMORY);
    regs = regs_at(&p, function(0) + 4, STACK + 0x100);
    pm_regs_set(&regs, LR, function(0) + 4);
    assert_int_equal(step(&p, &regs, true), PM_UNWIND_BAD_MEMORY);
    process_close(&p);
}

static void test_aarch64_frame_pointer_without_cfi(void **state) {
    (void)state;
    struct process p;
    process_init(&p, EM_AARCH64);
    DESCRIBE(&p, 0, DW_CFA_nop);
    put(&p, STACK + 0x100, STACK + 0x800);
    put(&p, STACK + 0x108, 0x0046000000000000 | (function(0) + 0x30));
    process_open(&p);
    struct pm_regs regs = regs_at(&p, function(4), STACK + 0x100);
    pm_regs_set(&regs, FP, STACK + 0x100);
    assert_int_equal(step(&p, &regs, false), PM_UNWIND_OK);
    assert_register(&regs, PC, function(0) + 0x30);
    assert_register(&regs, FP, STACK + 0x800);
    regs = regs_at(&p, 0x12345678, STACK + 0x100); /* in no module: could be V8's */
    pm_regs_set(&regs, FP, STACK + 0x100);
    assert_int_equal(step(&p, &regs, false), PM_UNWIND_NO_CFI);
    process_close(&p);
}

static void test_aarch64_signal_trampoline(void **state) {
    (void)state;
    struct process p;
    process_init(&p, EM_AARCH64);
    /* the vdso's own description, which finds only x29 and x30 */
    describe(&p, 3, "zRS", (const uint8_t[]){DW_CFA_def_cfa, FP, 0, DW_CFA_offset | FP, 0}, 5);
    static const uint8_t code[] = {0x68, 0x11, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4};
    memcpy(p.text + 3 * BYTES_PER_FUNCTION, code, sizeof(code));
    for (unsigned i = 0; i < PM_REG_COUNT; i++) put(&p, STACK + 0x100 + 312 + 8 * i, 0x1000u + i);
    process_open(&p);
    struct pm_regs regs = regs_at(&p, function(3), STACK + 0x100);
    bool signal;
    assert_int_equal(pm_unwind_step(p.unwinder, &regs, false, &regs, &signal), PM_UNWIND_OK);
    assert_true(signal);
    for (unsigned i = 0; i < PM_REG_COUNT; i++) assert_register(&regs, i, 0x1000 + i);
    process_close(&p);
}

static void test_aarch64_call_through_a_bad_pointer(void **state) {
    (void)state;
    struct process p;
    process_init(&p, EM_AARCH64);
    DESCRIBE(&p, 0, DW_CFA_nop);
    process_open(&p);
    struct pm_regs regs = regs_at(&p, 0, STACK + 0x100);
    pm_regs_set(&regs, LR, function(0) + 0x10);
    assert_int_equal(step(&p, &regs, true), PM_UNWIND_OK);
    assert_register(&regs, PC, function(0) + 0x10);
    assert_register(&regs, SP, STACK + 0x100);
    process_close(&p);
}

/* ------------------------------------------------------------------ hostile stacks */

static void test_random_stacks_end(void **state) {
    (void)state;
    static const unsigned machines[] = {EM_X86_64, EM_AARCH64};
    srand(3);
    for (int round = 0; round < 60; round++) {
        struct process p;
        process_init(&p, machines[round % 2]);
        bool arm = p.machine == EM_AARCH64;
        uint8_t sp = arm ? SP : RSP, fp = arm ? FP : RBP, ra = arm ? LR : RIP;
        DESCRIBE(&p, 0, DW_CFA_nop);
        DESCRIBE(&p, 1, DW_CFA_def_cfa, fp, 16, (uint8_t)(DW_CFA_offset | fp), 2,
                 (uint8_t)(DW_CFA_offset | ra), 1);
        DESCRIBE(&p, 2, DW_CFA_def_cfa_expression, 3, (uint8_t)(DW_OP_breg0 + sp), 0, DW_OP_deref);
        DESCRIBE(&p, 3, DW_CFA_register, ra, fp);
        DESCRIBE(&p, 4, DW_CFA_def_cfa, sp, 0, DW_CFA_expression, ra, 2, (uint8_t)(DW_OP_breg0 + fp), 8);
        describe(&p, 5, "zRS", (const uint8_t[]){DW_CFA_def_cfa, sp, 8, (uint8_t)(DW_CFA_offset | ra), 1}, 5);
        for (size_t i = 0; i < SAVED / 8; i++)
            p.stack[i] = rand() % 2 ? function((unsigned)rand() % 8) + (unsigned)rand() % 0x100
                                    : STACK + (uint64_t)(rand() % (SAVED + 0x100)) / 8 * 8;
        process_open(&p);
        for (int start = 0; start < 50; start++) {
            struct pm_regs regs =
                regs_at(&p, function((unsigned)rand() % 6), STACK + (uint64_t)rand() % SAVED / 8 * 8);
            pm_regs_set(&regs, fp, STACK + (uint64_t)rand() % SAVED / 8 * 8);
            if (arm) pm_regs_set(&regs, LR, function((unsigned)rand() % 6) + 1);
            bool exact = true, signal;
            for (int n = 0; n < PM_MAX_FRAMES; n++) {
                if (pm_unwind_step(p.unwinder, &regs, exact, &regs, &signal) != PM_UNWIND_OK) break;
                exact = signal;
                pm_unwind_raw_symbol(p.unwinder, regs.value[arm ? PC : RIP], exact, NULL);
            }
        }
        process_close(&p);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_three_frames),
        cmocka_unit_test(test_a_call_at_the_end_of_a_function),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_no_cfi),
        cmocka_unit_test(test_a_damaged_stack),
        cmocka_unit_test(test_a_call_through_a_bad_pointer),
        cmocka_unit_test(test_signal_trampoline_without_cfi),
        cmocka_unit_test(test_signal_trampoline_with_cfi),
        cmocka_unit_test(test_v8_push_registers),
        cmocka_unit_test(test_step_by_frame_pointer),
        cmocka_unit_test(test_plt_depths),
        cmocka_unit_test(test_aarch64_leaf_and_signed_addresses),
        cmocka_unit_test(test_aarch64_frame_pointer_without_cfi),
        cmocka_unit_test(test_aarch64_signal_trampoline),
        cmocka_unit_test(test_aarch64_call_through_a_bad_pointer),
        cmocka_unit_test(test_random_stacks_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
