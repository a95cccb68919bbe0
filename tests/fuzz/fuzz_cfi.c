/* fuzz_cfi.c - any bytes as call frame information. The first byte says as what: 0 .eh_frame, 1 .debug_frame,
 * 2 .eh_frame behind an .eh_frame_hdr of the length in the second byte, 3 one DWARF expression. */
#include <stdlib.h>

#include "parsers/dwarf_cfi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FRAMES = 0x2000, TABLE = 0x8000 }; /* as in tests/unwind/test_cfi.c */

static void evaluate(const uint8_t *block, uint64_t length) {
    static const uint8_t stack[64] = {1, 2, 3};
    struct pm_mem *mem PM_AUTO(mem) = NULL;
    struct pm_regs regs = {.value = {[6] = 0x7000, [7] = 0x7008}, .valid = 1u << 6 | 1u << 7};
    uint64_t cfa = 0x7010, value;
    if (pm_mem_create(&mem)) abort();
    if (pm_mem_add(mem, 0x7000, 0x7000 + sizeof(stack), stack, sizeof(stack), PM_MEM_READ)) abort();
    if (pm_mem_finish(mem)) abort();
    pm_cfi_evaluate(block, length, &regs, mem, 0x1000, &cfa, &value);
    pm_cfi_evaluate(block, length, &regs, mem, 0, NULL, &value);
}

static void ask_row(const struct pm_cfi_row *row) {
    if (row->cfa.kind == PM_CFI_EXPRESSION) evaluate(row->cfa.block, row->cfa.length);
    for (unsigned i = 0; i < PM_REG_COUNT; i++)
        if (row->regs[i].kind == PM_CFI_EXPRESSION || row->regs[i].kind == PM_CFI_VAL_EXPRESSION)
            evaluate(row->regs[i].block, row->regs[i].length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pm_cfi_sections sections = {0};
    struct pm_cfi *cfi PM_AUTO(cfi) = NULL;
    struct pm_cfi_row row;
    if (size < 2) return 0;
    const uint8_t *bytes = data + 2;
    size_t length = size - 2, table = data[1] < length ? data[1] : length;
    switch (data[0] & 3) {
    case 0: sections.eh_frame = (struct pm_cfi_section){bytes, length, FRAMES}; break;
    case 1: sections.debug_frame = (struct pm_cfi_section){bytes, length, FRAMES}; break;
    case 2:
        sections.eh_frame_hdr = (struct pm_cfi_section){bytes, table, TABLE};
        sections.eh_frame = (struct pm_cfi_section){bytes + table, length - table, FRAMES};
        break;
    default: evaluate(bytes, length); return 0;
    }
    if (pm_cfi_create(&sections, &cfi)) abort(); /* only without memory */
    for (uint64_t at = 0x1000; at < 0x1200; at += 7)
        if (pm_cfi_find(cfi, at, &row) == PM_CFI_FOUND) ask_row(&row);
    if (pm_cfi_find(cfi, 0, &row) == PM_CFI_FOUND) ask_row(&row);
    if (pm_cfi_find(cfi, UINT64_MAX, &row) == PM_CFI_FOUND) ask_row(&row);
    return 0;
}
