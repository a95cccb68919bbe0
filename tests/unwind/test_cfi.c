/* Call frame information made by hand: what each instruction, augmentation and encoding gives, and that
 * broken bytes give an answer too. */
#include <dwarf.h>

#include "parsers/dwarf_cfi.h"
#include "tests/support/assert_error.h"
#include "tests/unwind/frame_builder.h"

enum { FRAMES = 0x2000, TABLE = 0x8000, START = 0x1000, RANGE = 0x40, RA = 16 };

/* rsp + 8, return address at CFA - 8: what every x86-64 function starts with */
static const uint8_t entry_code[] = {DW_CFA_def_cfa, 7, 8, DW_CFA_offset | 16, 1};

static struct pm_cfi *open_sections(const struct pm_cfi_sections *sections) {
    struct pm_cfi *cfi;
    assert_pm_ok(pm_cfi_create(sections, &cfi));
    return cfi;
}

static struct pm_cfi *open_frames(const struct frames *f) {
    struct pm_cfi_section section = {f->out.data, f->out.size, f->vaddr};
    struct pm_cfi_sections sections = {0};
    if (f->debug)
        sections.debug_frame = section;
    else
        sections.eh_frame = section;
    return open_sections(&sections);
}

/* One function of x86-64 with the usual start and `code`; the row at START + offset. */
static enum pm_cfi_result row_of(const uint8_t *code, size_t size, uint64_t offset, struct pm_cfi_row *ret) {
    struct frames f = {.vaddr = FRAMES};
    size_t cie = frames_cie(&f, "zR", 1, -8, RA, "\x1b", 1, entry_code, sizeof(entry_code));
    frames_fde(&f, cie, START, RANGE, code, size);
    frames_end(&f);
    struct pm_cfi *cfi = open_frames(&f);
    enum pm_cfi_result result = pm_cfi_find(cfi, START + offset, ret);
    if (result == PM_CFI_FOUND) { /* the rules' blocks point into the section, which goes away */
        for (unsigned i = 0; i < PM_REG_COUNT; i++)
            if (ret->regs[i].block)
                assert_in_range((uintptr_t)ret->regs[i].block, (uintptr_t)f.out.data,
                                (uintptr_t)f.out.data + f.out.size - ret->regs[i].length);
    }
    pm_cfi_destroy(cfi);
    bytes_free(&f.out);
    return result;
}
#define ROW_OF(offset, row, ...)                                                                             \
    row_of((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), (offset), (row))

static void assert_rule(const struct pm_cfi_rule *rule, enum pm_cfi_kind kind, unsigned reg, int64_t offset) {
    assert_int_equal(rule->kind, kind);
    if (kind == PM_CFI_REGISTER) assert_int_equal(rule->reg, reg);
    if (kind == PM_CFI_REGISTER || kind == PM_CFI_OFFSET || kind == PM_CFI_VAL_OFFSET)
        assert_int_equal(rule->offset, offset);
}
/* libdwarf gives the CFA as register + offset */
static void assert_cfa(const struct pm_cfi_row *row, unsigned reg, int64_t offset) {
    assert_true(row->cfa.kind == PM_CFI_OFFSET || row->cfa.kind == PM_CFI_REGISTER);
    assert_int_equal(row->cfa.reg, reg);
    assert_int_equal(row->cfa.offset, offset);
}

/* ------------------------------------------------------------------ finding */

static void test_where_a_function_begins_and_ends(void **state) {
    (void)state;
    struct frames f = {.vaddr = FRAMES};
    size_t cie = frames_cie(&f, "zR", 1, -8, RA, "\x1b", 1, entry_code, sizeof(entry_code));
    /* in no order, with a gap between them */
    size_t second = frames_fde(&f, cie, START + 0x100, 0x10, NULL, 0);
    size_t first = frames_fde(&f, cie, START, RANGE, NULL, 0);
    frames_end(&f);
    struct bytes table = {0};
    uint64_t pairs[] = {START, FRAMES + first, START + 0x100, FRAMES + second};
    frames_table(&table, TABLE, FRAMES, pairs, 2);

    for (int with_table = 0; with_table < 2; with_table++) {
        struct pm_cfi_sections sections = {.eh_frame = {f.out.data, f.out.size, FRAMES}};
        if (with_table) sections.eh_frame_hdr = (struct pm_cfi_section){table.data, table.size, TABLE};
        struct pm_cfi *cfi = open_sections(&sections);
        struct pm_cfi_row row;
        assert_int_equal(pm_cfi_find(cfi, START - 1, &row), PM_CFI_NONE);
        assert_int_equal(pm_cfi_find(cfi, START + RANGE, &row), PM_CFI_NONE);
        assert_int_equal(pm_cfi_find(cfi, START + 0x110, &row), PM_CFI_NONE);
        assert_int_equal(pm_cfi_find(cfi, 0, &row), PM_CFI_NONE);
        assert_int_equal(pm_cfi_find(cfi, UINT64_MAX, &row), PM_CFI_NONE);
        assert_int_equal(pm_cfi_find(cfi, START, &row), PM_CFI_FOUND);
        assert_int_equal(row.start, START);
        assert_int_equal(row.end, START + RANGE);
        assert_int_equal(pm_cfi_find(cfi, START + RANGE - 1, &row), PM_CFI_FOUND);
        assert_int_equal(pm_cfi_find(cfi, START + 0x10f, &row), PM_CFI_FOUND);
        assert_int_equal(row.start, START + 0x100);
        assert_int_equal(row.return_address, RA);
        assert_false(row.signal_frame);
        assert_cfa(&row, 7, 8);
        assert_rule(&row.regs[RA], PM_CFI_OFFSET, 0, -8);
        assert_rule(&row.regs[6], PM_CFI_UNSPECIFIED, 0, 0);
        pm_cfi_destroy(cfi);
    }
    bytes_free(&table);
    bytes_free(&f.out);
}

static void test_debug_frame(void **state) {
    (void)state;
    static const unsigned versions[] = {1, 3, 4};
    for (size_t i = 0; i < 3; i++) {
        struct frames f = {.vaddr = 0, .debug = true};
        size_t cie =
            frames_cie_version(&f, versions[i], "", 1, -8, RA, NULL, 0, entry_code, sizeof(entry_code));
        frames_fde(&f, cie, START, RANGE, NULL, 0);
        struct pm_cfi *cfi = open_frames(&f);
        struct pm_cfi_row row;
        assert_int_equal(pm_cfi_find(cfi, START + 1, &row), PM_CFI_FOUND);
        assert_cfa(&row, 7, 8);
        pm_cfi_destroy(cfi);
        bytes_free(&f.out);
    }
}

static void test_debug_frame_fills_gaps_of_eh_frame(void **state) {
    (void)state;
    struct frames eh = {.vaddr = FRAMES}, debug = {.debug = true};
    size_t cie = frames_cie(&eh, "zR", 1, -8, RA, "\x1b", 1, entry_code, sizeof(entry_code));
    frames_fde(&eh, cie, START, RANGE, NULL, 0);
    frames_end(&eh);
    static const uint8_t other[] = {DW_CFA_def_cfa, 6, 16, DW_CFA_offset | 16, 1};
    cie = frames_cie_version(&debug, 4, "", 1, -8, RA, NULL, 0, other, sizeof(other));
    frames_fde(&debug, cie, START, 2 * RANGE, NULL, 0);
    struct pm_cfi_sections sections = {.eh_frame = {eh.out.data, eh.out.size, FRAMES},
                                       .debug_frame = {debug.out.data, debug.out.size, 0}};
    struct pm_cfi *cfi = open_sections(&sections);
    struct pm_cfi_row row;
    assert_int_equal(pm_cfi_find(cfi, START, &row), PM_CFI_FOUND);
    assert_cfa(&row, 7, 8);
    assert_int_equal(pm_cfi_find(cfi, START + RANGE, &row), PM_CFI_FOUND);
    assert_cfa(&row, 6, 16);
    pm_cfi_destroy(cfi);
    bytes_free(&eh.out);
    bytes_free(&debug.out);
}

struct augmentation {
    const char *letters, *data;
    size_t size;
    bool fine, signal;
};

static void test_augmentations(void **state) {
    (void)state;
    static const struct augmentation cases[] = {
        {"", NULL, 0, true, false},
        {"zR", "\x1b", 1, true, false},
        {"zPLR", "\x9b\1\2\3\4\x1b\x1b", 7, true, false},            /* personality: indirect pcrel sdata4 */
        {"zPLR", "\x00\1\2\3\4\5\6\7\x08\x1b\x1b", 11, true, false}, /* personality: absptr */
        {"zPR", "\xff\x1b", 2, true, false},                         /* no personality */
        {"zRS", "\x1b", 1, true, true},
        {"zRB", "\x1b", 1, true, false},
        {"zSR", "\x1b", 1, true, true},
        {"zR?", "\x1b\7\7", 3, true, false}, /* a letter of the future: its data is skipped by length */
        {"zP", "\x0f\1", 2, false, false},   /* an encoding that nobody knows */
        {"armcc+", NULL, 0, false, false},
        {"eh", NULL, 0, false, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct frames f = {.vaddr = FRAMES};
        size_t cie = frames_cie(&f, cases[i].letters, 1, -8, RA, cases[i].data, cases[i].size, entry_code,
                                sizeof(entry_code));
        frames_fde(&f, cie, START, RANGE, NULL, 0);
        frames_end(&f);
        struct pm_cfi *cfi = open_frames(&f);
        struct pm_cfi_row row;
        enum pm_cfi_result result = pm_cfi_find(cfi, START, &row);
        assert_int_equal(result, cases[i].fine ? PM_CFI_FOUND : PM_CFI_NONE);
        if (cases[i].fine) {
            assert_int_equal(row.signal_frame, cases[i].signal);
            assert_cfa(&row, 7, 8);
        }
        pm_cfi_destroy(cfi);
        bytes_free(&f.out);
    }
}

/* ------------------------------------------------------------------ pointers */

static void test_pointers(void **state) {
    (void)state;
    static const uint8_t bytes[] = {0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xe5, 0x8e, 0x26, 0x7f};
    struct pm_cfi_section section = {bytes, sizeof(bytes), 0x100};
    struct {
        uint8_t encoding;
        uint64_t at, value, next;
        bool fine;
    } cases[] = {
        {DW_EH_PE_absptr, 0, 0x7ffffffffffffffe, 8, true},
        {DW_EH_PE_udata2, 0, 0xfffe, 2, true},
        {DW_EH_PE_sdata2, 0, (uint64_t)-2, 2, true},
        {DW_EH_PE_udata4, 0, 0xfffffffe, 4, true},
        {DW_EH_PE_sdata4, 0, (uint64_t)-2, 4, true},
        {DW_EH_PE_udata8, 0, 0x7ffffffffffffffe, 8, true},
        {DW_EH_PE_sdata8, 0, 0x7ffffffffffffffe, 8, true},
        {DW_EH_PE_uleb128, 8, 624485, 11, true},
        {DW_EH_PE_sleb128, 11, (uint64_t)-1, 12, true},
        {DW_EH_PE_pcrel | DW_EH_PE_sdata4, 0, 0xfe, 4, true},
        {DW_EH_PE_pcrel | DW_EH_PE_sdata2, 2, 0x101, 4, true},
        {DW_EH_PE_datarel | DW_EH_PE_sdata4, 0, 0x4ffe, 4, true},
        {DW_EH_PE_aligned, 0, 0x7ffffffffffffffe, 8, true},
        {DW_EH_PE_aligned, 1, 0, 0, false}, /* the next aligned word is not all there */
        {DW_EH_PE_omit, 0, 0, 0, false},
        {0x80 | DW_EH_PE_absptr, 0, 0, 0, false}, /* indirect */
        {DW_EH_PE_textrel | DW_EH_PE_sdata4, 0, 0, 0, false},
        {DW_EH_PE_funcrel | DW_EH_PE_sdata4, 0, 0, 0, false},
        {0x05, 0, 0, 0, false},
        {DW_EH_PE_udata4, 9, 0, 0, false},
        {DW_EH_PE_udata4, 13, 0, 0, false},
        {DW_EH_PE_udata4, UINT64_MAX, 0, 0, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        uint64_t position = cases[i].at, value = 0;
        assert_int_equal(pm_cfi_pointer(&section, &position, cases[i].encoding, 0x5000, &value),
                         cases[i].fine);
        if (!cases[i].fine) continue;
        assert_int_equal(value, cases[i].value);
        assert_int_equal(position, cases[i].next);
    }
}

/* ------------------------------------------------------------------ instructions */

static void test_a_usual_function(void **state) {
    (void)state;
    /* push rbp; mov rbp, rsp; ...; pop rbp; ret, and code behind it that still has the frame */
    static const uint8_t code[] = {DW_CFA_advance_loc | 1,
                                   DW_CFA_def_cfa_offset,
                                   16,
                                   DW_CFA_offset | 6,
                                   2,
                                   DW_CFA_advance_loc | 3,
                                   DW_CFA_def_cfa_register,
                                   6,
                                   DW_CFA_remember_state,
                                   DW_CFA_advance_loc1,
                                   16,
                                   DW_CFA_restore | 6,
                                   DW_CFA_def_cfa,
                                   7,
                                   8,
                                   DW_CFA_advance_loc2,
                                   1,
                                   0,
                                   DW_CFA_restore_state};
    struct pm_cfi_row row;
    assert_int_equal(row_of(code, sizeof(code), 0, &row), PM_CFI_FOUND);
    assert_cfa(&row, 7, 8);
    assert_rule(&row.regs[6], PM_CFI_UNSPECIFIED, 0, 0);
    assert_int_equal(row_of(code, sizeof(code), 1, &row), PM_CFI_FOUND);
    assert_cfa(&row, 7, 16);
    assert_rule(&row.regs[6], PM_CFI_OFFSET, 0, -16);
    assert_int_equal(row_of(code, sizeof(code), 3, &row), PM_CFI_FOUND);
    assert_cfa(&row, 7, 16);
    assert_int_equal(row_of(code, sizeof(code), 4, &row), PM_CFI_FOUND);
    assert_cfa(&row, 6, 16);
    assert_int_equal(row_of(code, sizeof(code), 19, &row), PM_CFI_FOUND);
    assert_cfa(&row, 6, 16);
    assert_int_equal(row_of(code, sizeof(code), 20, &row), PM_CFI_FOUND);
    assert_cfa(&row, 7, 8);
    assert_rule(&row.regs[6], PM_CFI_UNSPECIFIED, 0, 0);
    assert_int_equal(row_of(code, sizeof(code), 21, &row), PM_CFI_FOUND);
    assert_cfa(&row, 6, 16);
    assert_rule(&row.regs[6], PM_CFI_OFFSET, 0, -16);
}

static void test_register_rules(void **state) {
    (void)state;
    struct pm_cfi_row row;
    assert_int_equal(ROW_OF(0, &row, DW_CFA_undefined, 16, DW_CFA_same_value, 3, DW_CFA_register, 12, 1,
                            DW_CFA_offset_extended, 13, 4, DW_CFA_offset_extended_sf, 14, 0x7f,
                            DW_CFA_val_offset, 15, 3),
                     PM_CFI_FOUND);
    assert_rule(&row.regs[16], PM_CFI_UNDEFINED, 0, 0);
    assert_rule(&row.regs[3], PM_CFI_SAME, 0, 0);
    assert_rule(&row.regs[12], PM_CFI_REGISTER, 1, 0);
    assert_rule(&row.regs[13], PM_CFI_OFFSET, 0, -32);
    assert_rule(&row.regs[14], PM_CFI_OFFSET, 0, 8);
    assert_rule(&row.regs[15], PM_CFI_VAL_OFFSET, 0, -24);
    /* libdwarf 20210528 writes DW_CFA_val_offset_sf to register 0; no compiler emits it */
    assert_int_equal(ROW_OF(0, &row, DW_CFA_val_offset_sf, 6, 0x7e, DW_CFA_same_value, 3), PM_CFI_FOUND);
    assert_rule(&row.regs[3], PM_CFI_SAME, 0, 0);
    assert_int_equal(ROW_OF(0, &row, DW_CFA_same_value, 6, DW_CFA_restore_extended, 6), PM_CFI_FOUND);
    assert_rule(&row.regs[6], PM_CFI_UNSPECIFIED, 0, 0);
}

static void test_cfa_rules(void **state) {
    (void)state;
    struct pm_cfi_row row;
    assert_int_equal(ROW_OF(0, &row, DW_CFA_def_cfa_sf, 6, 0x7e), PM_CFI_FOUND);
    assert_cfa(&row, 6, 16); /* times the data alignment of -8 */
    assert_int_equal(ROW_OF(0, &row, DW_CFA_def_cfa_offset_sf, 0x7d), PM_CFI_FOUND);
    assert_cfa(&row, 7, 24);
    assert_int_equal(ROW_OF(0, &row, DW_CFA_def_cfa_register, 10), PM_CFI_FOUND);
    assert_cfa(&row, 10, 8);
}

static void test_expression_rules(void **state) {
    (void)state;
    struct pm_cfi_row row;
    assert_int_equal(ROW_OF(0, &row, DW_CFA_def_cfa_expression, 2, DW_OP_breg7, 8, DW_CFA_expression, 6, 2,
                            DW_OP_plus_uconst, 5, DW_CFA_val_expression, 3, 1, DW_OP_lit9),
                     PM_CFI_FOUND);
    assert_int_equal(row.cfa.kind, PM_CFI_EXPRESSION);
    assert_int_equal(row.cfa.length, 2);
    assert_int_equal(row.regs[6].kind, PM_CFI_EXPRESSION);
    assert_int_equal(row.regs[6].length, 2);
    assert_int_equal(row.regs[3].kind, PM_CFI_VAL_EXPRESSION);
    assert_int_equal(row.regs[3].length, 1);
}

static void test_instructions_without_effect(void **state) {
    (void)state;
    struct pm_cfi_row row;
    /* the size of pushed arguments; on aarch64 0x2d says that the return address is signed from here on */
    assert_int_equal(
        ROW_OF(0, &row, DW_CFA_nop, DW_CFA_GNU_args_size, 0x90, 1, 0x2d, DW_CFA_def_cfa_offset, 24),
        PM_CFI_FOUND);
    assert_cfa(&row, 7, 24);
}

static void test_advancing(void **state) {
    (void)state;
    struct pm_cfi_row row;
    static const uint8_t far[] = {DW_CFA_advance_loc4, 4, 0, 0, 0, DW_CFA_def_cfa_offset, 16};
    assert_int_equal(row_of(far, sizeof(far), 3, &row), PM_CFI_FOUND);
    assert_cfa(&row, 7, 8);
    assert_int_equal(row_of(far, sizeof(far), 4, &row), PM_CFI_FOUND);
    assert_cfa(&row, 7, 16);

    static const uint8_t set[] = {DW_CFA_set_loc, 8, 0x10, 0, 0, 0, 0, 0, 0, DW_CFA_def_cfa_offset, 16};
    assert_int_equal(row_of(set, sizeof(set), 7, &row), PM_CFI_FOUND);
    assert_cfa(&row, 7, 8);
    assert_int_equal(row_of(set, sizeof(set), 8, &row), PM_CFI_FOUND);
    assert_cfa(&row, 7, 16);
}

static void test_aarch64_function(void **state) {
    (void)state;
    /* paciasp; stp x29, x30, [sp, #-32]!; code alignment 4 */
    static const uint8_t entry[] = {DW_CFA_def_cfa, 31, 0};
    static const uint8_t code[] = {DW_CFA_advance_loc | 1,
                                   0x2d,
                                   DW_CFA_advance_loc | 1,
                                   DW_CFA_def_cfa_offset,
                                   32,
                                   DW_CFA_offset | 29,
                                   4,
                                   DW_CFA_offset | 30,
                                   3};
    struct frames f = {.vaddr = FRAMES};
    size_t cie = frames_cie(&f, "zRB", 4, -8, 30, "\x1b", 1, entry, sizeof(entry));
    frames_fde(&f, cie, START, RANGE, code, sizeof(code));
    frames_end(&f);
    struct pm_cfi *cfi = open_frames(&f);
    struct pm_cfi_row row;
    assert_int_equal(pm_cfi_find(cfi, START + 4, &row), PM_CFI_FOUND);
    assert_int_equal(row.return_address, 30);
    assert_rule(&row.regs[30], PM_CFI_UNSPECIFIED, 0, 0);
    assert_int_equal(pm_cfi_find(cfi, START + 8, &row), PM_CFI_FOUND);
    assert_cfa(&row, 31, 32);
    assert_rule(&row.regs[30], PM_CFI_OFFSET, 0, -24);
    pm_cfi_destroy(cfi);
    bytes_free(&f.out);
}

/* ------------------------------------------------------------------ broken bytes */

static void test_broken_instructions(void **state) {
    (void)state;
    struct pm_cfi_row row;
    assert_int_equal(ROW_OF(0, &row, DW_CFA_restore_state), PM_CFI_BROKEN);
    assert_int_equal(ROW_OF(0, &row, 0x3f), PM_CFI_BROKEN);
    assert_int_equal(ROW_OF(0, &row, DW_CFA_undefined, 0xff, 0xff, 0x7f),
                     PM_CFI_BROKEN); /* no such register */
    /* a block that is longer than the record */
    assert_int_equal(ROW_OF(0, &row, DW_CFA_def_cfa_expression, 0xff, 0x7f, DW_OP_lit0), PM_CFI_BROKEN);

    struct bytes remember = {0};
    for (int i = 0; i < 5000; i++) bytes_add(&remember, "\x0a", 1);
    assert_int_equal(row_of(remember.data, remember.size, 0, &row), PM_CFI_BROKEN);
    bytes_free(&remember);
    struct bytes nops = {0};
    bytes_add(&nops, NULL, 100000);
    assert_int_equal(row_of(nops.data, nops.size, 0, &row), PM_CFI_BROKEN);
    bytes_free(&nops);
}

static void make_sections(struct frames *f, struct bytes *table) {
    static const uint8_t code[] = {DW_CFA_advance_loc | 1,
                                   DW_CFA_def_cfa_offset,
                                   16,
                                   DW_CFA_offset | 6,
                                   2,
                                   DW_CFA_remember_state,
                                   DW_CFA_advance_loc | 4,
                                   DW_CFA_def_cfa_expression,
                                   3,
                                   DW_OP_breg7,
                                   8,
                                   DW_OP_deref,
                                   DW_CFA_expression,
                                   3,
                                   2,
                                   DW_OP_plus_uconst,
                                   5,
                                   DW_CFA_advance_loc | 1,
                                   DW_CFA_restore_state};
    *f = (struct frames){.vaddr = FRAMES};
    *table = (struct bytes){0};
    size_t cie = frames_cie(f, "zPLR", 1, -8, RA, "\x9b\1\2\3\4\x1b\x1b", 7, entry_code, sizeof(entry_code));
    uint64_t pairs[8];
    for (unsigned i = 0; i < 4; i++) {
        pairs[2 * i] = START + i * 0x80u;
        pairs[2 * i + 1] = FRAMES + frames_fde(f, cie, START + i * 0x80u, 0x60, code, sizeof(code));
    }
    frames_end(f);
    frames_table(table, TABLE, FRAMES, pairs, 4);
}

/* Exact copies, so that AddressSanitizer sees a read behind the end. */
static void look_everywhere(const uint8_t *frames, size_t frames_size, const uint8_t *table,
                            size_t table_size, bool debug) {
    uint8_t *exact = malloc(frames_size ? frames_size : 1),
            *exact_table = malloc(table_size ? table_size : 1);
    assert_non_null(exact);
    assert_non_null(exact_table);
    memcpy(exact, frames, frames_size);
    if (table_size) memcpy(exact_table, table, table_size);
    struct pm_cfi_sections sections = {0};
    *(debug ? &sections.debug_frame : &sections.eh_frame) =
        (struct pm_cfi_section){exact, frames_size, FRAMES};
    if (table_size) sections.eh_frame_hdr = (struct pm_cfi_section){exact_table, table_size, TABLE};
    struct pm_cfi *cfi = open_sections(&sections);
    struct pm_cfi_row row;
    for (uint64_t pc = START - 1; pc < START + 0x200; pc += 7) pm_cfi_find(cfi, pc, &row);
    pm_cfi_destroy(cfi);
    free(exact);
    free(exact_table);
}

static void test_cut_short(void **state) {
    (void)state;
    struct frames f;
    struct bytes table;
    make_sections(&f, &table);
    for (size_t size = 0; size < f.out.size; size++) {
        look_everywhere(f.out.data, size, NULL, 0, false);
        look_everywhere(f.out.data, size, table.data, table.size, false);
        look_everywhere(f.out.data, size, NULL, 0, true);
    }
    for (size_t size = 0; size < table.size; size++)
        look_everywhere(f.out.data, f.out.size, table.data, size, false);
    bytes_free(&f.out);
    bytes_free(&table);
}

static void test_damaged(void **state) {
    (void)state;
    static const uint8_t bad[] = {0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x0b, 0x0f, 0x3b, 0x40, 0xc6};
    struct frames f;
    struct bytes table;
    make_sections(&f, &table);
    srand(1);
    for (int round = 0; round < 4000; round++) {
        uint8_t *frames = malloc(f.out.size), *pairs = malloc(table.size);
        assert_non_null(frames);
        assert_non_null(pairs);
        memcpy(frames, f.out.data, f.out.size);
        memcpy(pairs, table.data, table.size);
        for (int i = rand() % 4; i >= 0; i--)
            frames[(size_t)rand() % f.out.size] =
                rand() % 2 ? bad[(size_t)rand() % sizeof(bad)] : (uint8_t)rand();
        if (rand() % 4 == 0) pairs[(size_t)rand() % table.size] = (uint8_t)rand();
        look_everywhere(frames, f.out.size, NULL, 0, round % 3 == 0);
        look_everywhere(frames, f.out.size, pairs, table.size, false);
        free(frames);
        free(pairs);
    }
    bytes_free(&f.out);
    bytes_free(&table);
}

/* ------------------------------------------------------------------ expressions */

static struct pm_mem *memory;

static int make_memory(void **state) {
    (void)state;
    static const uint8_t bytes[16] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99};
    assert_pm_ok(pm_mem_create(&memory));
    assert_pm_ok(pm_mem_add(memory, 0x7000, 0x8000, bytes, sizeof(bytes), PM_MEM_READ));
    assert_pm_ok(pm_mem_finish(memory));
    return 0;
}
static int drop_memory(void **state) {
    (void)state;
    pm_mem_destroy(memory);
    return 0;
}

static bool evaluate(const uint8_t *block, size_t size, const uint64_t *cfa, uint64_t *ret) {
    struct pm_regs regs = {.valid = 1u << 7 | 1u << 16};
    regs.value[7] = 0x7000;
    regs.value[16] = 0x123456789abcull;
    uint8_t *exact = malloc(size ? size : 1);
    assert_non_null(exact);
    memcpy(exact, block, size);
    bool fine = pm_cfi_evaluate(exact, size, &regs, memory, 0x100000, cfa, ret);
    free(exact);
    return fine;
}

#define BLOCK(...) ((const uint8_t[]){__VA_ARGS__}), sizeof((const uint8_t[]){__VA_ARGS__})

static void check_value(uint64_t expected, const uint8_t *block, size_t size) {
    uint64_t value = 0;
    assert_true(evaluate(block, size, NULL, &value));
    assert_int_equal(value, expected);
}
static void check_refused(const uint8_t *block, size_t size) {
    uint64_t value;
    assert_false(evaluate(block, size, NULL, &value));
}

static void test_constants(void **state) {
    (void)state;
    check_value(0, BLOCK(DW_OP_lit0));
    check_value(31, BLOCK(DW_OP_lit31));
    check_value(0x80, BLOCK(DW_OP_const1u, 0x80));
    check_value((uint64_t)-128, BLOCK(DW_OP_const1s, 0x80));
    check_value(0x8001, BLOCK(DW_OP_const2u, 1, 0x80));
    check_value((uint64_t)-32767, BLOCK(DW_OP_const2s, 1, 0x80));
    check_value(0x80000001, BLOCK(DW_OP_const4u, 1, 0, 0, 0x80));
    check_value(0xffffffff80000001, BLOCK(DW_OP_const4s, 1, 0, 0, 0x80));
    check_value(0x8000000000000001, BLOCK(DW_OP_const8u, 1, 0, 0, 0, 0, 0, 0, 0x80));
    check_value(624485, BLOCK(DW_OP_constu, 0xe5, 0x8e, 0x26));
    check_value((uint64_t)-123456, BLOCK(DW_OP_consts, 0xc0, 0xbb, 0x78));
    check_value(0x100000 + 0x1234, BLOCK(DW_OP_addr, 0x34, 0x12, 0, 0, 0, 0, 0, 0));
}

static void test_registers_and_memory(void **state) {
    (void)state;
    check_value(0x7008, BLOCK(DW_OP_breg7, 8));
    check_value(0x6ff8, BLOCK(DW_OP_breg7, 0x78));
    check_value(0x123456789abd, BLOCK(DW_OP_bregx, 16, 1));
    check_value(0x8877665544332211, BLOCK(DW_OP_breg7, 0, DW_OP_deref));
    check_value(0x2211, BLOCK(DW_OP_breg7, 0, DW_OP_deref_size, 2));
    check_value(0x99, BLOCK(DW_OP_breg7, 8, DW_OP_deref_size, 1));
    check_refused(BLOCK(DW_OP_breg6, 0));               /* not known */
    check_refused(BLOCK(DW_OP_bregx, 99, 0));           /* no such register */
    check_refused(BLOCK(DW_OP_lit8, DW_OP_deref));      /* not mapped */
    check_refused(BLOCK(DW_OP_breg7, 16, DW_OP_deref)); /* not saved */
    check_refused(BLOCK(DW_OP_breg7, 12, DW_OP_deref)); /* the end of what is saved */
    check_refused(BLOCK(DW_OP_breg7, 0, DW_OP_deref_size, 0));
    check_refused(BLOCK(DW_OP_breg7, 0, DW_OP_deref_size, 9));
}

static void test_arithmetic(void **state) {
    (void)state;
    check_value(7, BLOCK(DW_OP_lit9, DW_OP_lit2, DW_OP_minus));
    check_value(11, BLOCK(DW_OP_lit9, DW_OP_lit2, DW_OP_plus));
    check_value(209, BLOCK(DW_OP_lit9, DW_OP_plus_uconst, 0xc8, 1));
    check_value(18, BLOCK(DW_OP_lit9, DW_OP_lit2, DW_OP_mul));
    check_value((uint64_t)-4, BLOCK(DW_OP_lit9, DW_OP_neg, DW_OP_lit2, DW_OP_div));
    check_value(1, BLOCK(DW_OP_lit9, DW_OP_lit2, DW_OP_mod));
    check_value(8, BLOCK(DW_OP_lit9, DW_OP_lit24, DW_OP_and));
    check_value(25, BLOCK(DW_OP_lit9, DW_OP_lit24, DW_OP_or));
    check_value(17, BLOCK(DW_OP_lit9, DW_OP_lit24, DW_OP_xor));
    check_value(~9ull, BLOCK(DW_OP_lit9, DW_OP_not));
    check_value(9, BLOCK(DW_OP_lit9, DW_OP_neg, DW_OP_abs));
    check_value(36, BLOCK(DW_OP_lit9, DW_OP_lit2, DW_OP_shl));
    check_value(2, BLOCK(DW_OP_lit9, DW_OP_lit2, DW_OP_shr));
    check_value((uint64_t)-3, BLOCK(DW_OP_lit9, DW_OP_neg, DW_OP_lit2, DW_OP_shra));
    check_value(0, BLOCK(DW_OP_lit9, DW_OP_const1u, 64, DW_OP_shl));
    check_value(0, BLOCK(DW_OP_lit9, DW_OP_const1u, 64, DW_OP_shr));
    check_value(~0ull, BLOCK(DW_OP_lit9, DW_OP_neg, DW_OP_const1u, 200, DW_OP_shra));
    check_value(0x8000000000000000,
                BLOCK(DW_OP_const8u, 0, 0, 0, 0, 0, 0, 0, 0x80, DW_OP_lit1, DW_OP_neg, DW_OP_div));
    check_refused(BLOCK(DW_OP_lit9, DW_OP_lit0, DW_OP_div));
    check_refused(BLOCK(DW_OP_lit9, DW_OP_lit0, DW_OP_mod));
}

static void test_comparisons(void **state) {
    (void)state;
    static const struct {
        uint8_t op;
        int less, equal, greater;
    } cases[] = {{DW_OP_eq, 0, 1, 0}, {DW_OP_ne, 1, 0, 1}, {DW_OP_lt, 1, 0, 0},
                 {DW_OP_le, 1, 1, 0}, {DW_OP_gt, 0, 0, 1}, {DW_OP_ge, 0, 1, 1}};
    for (size_t i = 0; i < 6; i++) {
        check_value((uint64_t)cases[i].less,
                    BLOCK(DW_OP_const1s, 0xff, DW_OP_lit1, cases[i].op)); /* signed */
        check_value((uint64_t)cases[i].equal, BLOCK(DW_OP_lit1, DW_OP_lit1, cases[i].op));
        check_value((uint64_t)cases[i].greater, BLOCK(DW_OP_lit2, DW_OP_lit1, cases[i].op));
    }
}

static void test_stack_operations(void **state) {
    (void)state;
    check_value(18, BLOCK(DW_OP_lit9, DW_OP_dup, DW_OP_plus));
    check_value(1, BLOCK(DW_OP_lit1, DW_OP_lit9, DW_OP_drop));
    check_value(8, BLOCK(DW_OP_lit1, DW_OP_lit9, DW_OP_swap, DW_OP_minus));
    check_value(1, BLOCK(DW_OP_lit1, DW_OP_lit9, DW_OP_over));
    check_value(1, BLOCK(DW_OP_lit1, DW_OP_lit2, DW_OP_lit3, DW_OP_pick, 2));
    /* 1 2 3 -> 3 1 2 */
    check_value(2, BLOCK(DW_OP_lit1, DW_OP_lit2, DW_OP_lit3, DW_OP_rot));
    check_value(1, BLOCK(DW_OP_lit1, DW_OP_lit2, DW_OP_lit3, DW_OP_rot, DW_OP_drop));
    check_value(3, BLOCK(DW_OP_lit1, DW_OP_lit2, DW_OP_lit3, DW_OP_rot, DW_OP_drop, DW_OP_drop));
    check_refused(BLOCK(DW_OP_dup));
    check_refused(BLOCK(DW_OP_drop));
    check_refused(BLOCK(DW_OP_lit1, DW_OP_over));
    check_refused(BLOCK(DW_OP_lit1, DW_OP_swap));
    check_refused(BLOCK(DW_OP_lit1, DW_OP_lit1, DW_OP_rot));
    check_refused(BLOCK(DW_OP_lit1, DW_OP_pick, 1));
    check_refused(BLOCK(DW_OP_lit1, DW_OP_pick, 255));
    check_refused(BLOCK(DW_OP_lit1, DW_OP_plus));
}

static void test_jumps(void **state) {
    (void)state;
    check_value(2, BLOCK(DW_OP_lit2, DW_OP_skip, 1, 0, DW_OP_lit9));
    check_value(2, BLOCK(DW_OP_lit2, DW_OP_lit1, DW_OP_bra, 1, 0, DW_OP_lit9));
    check_value(9, BLOCK(DW_OP_lit2, DW_OP_lit0, DW_OP_bra, 1, 0, DW_OP_lit9));
    check_value(2, BLOCK(DW_OP_lit2, DW_OP_skip, 0, 0)); /* to the very end */
    /* 5 4 3 2 1 0 */
    check_value(0, BLOCK(DW_OP_lit5, DW_OP_lit1, DW_OP_minus, DW_OP_dup, DW_OP_bra, 0xfa, 0xff));
    check_refused(BLOCK(DW_OP_lit2, DW_OP_skip, 2, 0, DW_OP_lit9)); /* behind the end */
    check_refused(BLOCK(DW_OP_lit2, DW_OP_skip, 0xf0, 0xff));       /* before the start */
    check_refused(BLOCK(DW_OP_skip, 0xfd, 0xff));                   /* for ever */
    check_refused(BLOCK(DW_OP_lit1, DW_OP_skip, 0xfc, 0xff));       /* until the stack is full */
}

static void test_the_cfa_comes_first(void **state) {
    (void)state;
    uint64_t cfa = 0x5000, value;
    assert_true(evaluate(BLOCK(DW_OP_plus_uconst, 8), &cfa, &value));
    assert_int_equal(value, 0x5008);
    assert_true(evaluate(BLOCK(DW_OP_lit0, DW_OP_call_frame_cfa), &cfa, &value));
    assert_int_equal(value, 0x5000);
    assert_true(evaluate((const uint8_t *)"", 0, &cfa, &value));
    assert_int_equal(value, 0x5000);
    check_refused(BLOCK(DW_OP_plus_uconst, 8));
    check_refused(BLOCK(DW_OP_call_frame_cfa));
    check_refused((const uint8_t *)"", 0);
}

/* glibc's lazy binding, as the linker describes .plt: 8 or 16 below, by the place in the 16-byte entry */
static void test_the_plt_expression(void **state) {
    (void)state;
    static const uint8_t block[] = {DW_OP_breg7, 8,        DW_OP_breg16, 0,         DW_OP_lit15, DW_OP_and,
                                    DW_OP_lit11, DW_OP_ge, DW_OP_lit3,   DW_OP_shl, DW_OP_plus};
    struct pm_regs regs = {.valid = 1u << 7 | 1u << 16};
    regs.value[7] = 0x7000;
    for (uint64_t pc = 0x1000; pc < 0x1010; pc++) {
        uint64_t value;
        regs.value[16] = pc;
        assert_true(pm_cfi_evaluate(block, sizeof(block), &regs, memory, 0, NULL, &value));
        assert_int_equal(value, pc - 0x1000 >= 11 ? 0x7010 : 0x7008);
    }
}

static void test_unknown_and_cut_operations(void **state) {
    (void)state;
    for (unsigned op = 0; op < 256; op++) { /* every operation alone: most need more */
        uint8_t block[1] = {(uint8_t)op};
        uint64_t value, cfa = 1;
        evaluate(block, 1, NULL, &value);
        evaluate(block, 1, &cfa, &value);
    }
    check_refused(BLOCK(0xe0));
    check_refused(BLOCK(DW_OP_reg0));
    check_refused(BLOCK(DW_OP_lit1, DW_OP_stack_value));
    check_refused(BLOCK(DW_OP_const4u, 1, 2, 3));
    check_refused(BLOCK(DW_OP_constu, 0x80));
    check_refused(BLOCK(DW_OP_breg7));
    check_refused(BLOCK(DW_OP_lit1, DW_OP_plus_uconst));
    check_refused(BLOCK(DW_OP_addr, 1));
}

static void test_random_expressions(void **state) {
    (void)state;
    srand(2);
    for (int round = 0; round < 100000; round++) {
        uint8_t block[40];
        size_t size = (size_t)rand() % sizeof(block);
        for (size_t i = 0; i < size; i++)
            block[i] = (uint8_t)(rand() % 3   ? DW_OP_lit0 + rand() % 8
                                 : rand() % 2 ? 0x06 + rand() % 0x2a
                                              : rand());
        uint64_t value, cfa = 0x7000;
        evaluate(block, size, round % 2 ? &cfa : NULL, &value);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_where_a_function_begins_and_ends),
        cmocka_unit_test(test_debug_frame),
        cmocka_unit_test(test_debug_frame_fills_gaps_of_eh_frame),
        cmocka_unit_test(test_augmentations),
        cmocka_unit_test(test_pointers),
        cmocka_unit_test(test_a_usual_function),
        cmocka_unit_test(test_register_rules),
        cmocka_unit_test(test_cfa_rules),
        cmocka_unit_test(test_expression_rules),
        cmocka_unit_test(test_instructions_without_effect),
        cmocka_unit_test(test_advancing),
        cmocka_unit_test(test_aarch64_function),
        cmocka_unit_test(test_broken_instructions),
        cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_constants),
        cmocka_unit_test(test_registers_and_memory),
        cmocka_unit_test(test_arithmetic),
        cmocka_unit_test(test_comparisons),
        cmocka_unit_test(test_stack_operations),
        cmocka_unit_test(test_jumps),
        cmocka_unit_test(test_the_cfa_comes_first),
        cmocka_unit_test(test_the_plt_expression),
        cmocka_unit_test(test_unknown_and_cut_operations),
        cmocka_unit_test(test_random_expressions),
    };
    return cmocka_run_group_tests(tests, make_memory, drop_memory);
}
