/* dwarf_cfi.h - one ELF file's call frame information: pc -> the rules that give the caller's registers; the
 * expressions in those rules (dwarf_expression.c). libdwarf stays behind it.
 *
 * Not for walking: that is unwind.c. Knows no registers but their DWARF numbers. Addresses are the file's own
 * ("vaddr").
 *
 * OWNERSHIP  a pm_cfi points into the bytes it was made of (the pm_elf, the core's memory), which must
 *            outlive it; blocks in rows point there too.
 * FAILURE    creating fails only without memory. Broken or missing information is an answer of
 *            pm_cfi_find(). */
#ifndef PM_PARSERS_DWARF_CFI_H
#define PM_PARSERS_DWARF_CFI_H

#include "parsers/core_file.h"
#include "parsers/elf_file.h"

enum pm_cfi_kind {
    PM_CFI_UNSPECIFIED,    /* no rule: what the ABI says */
    PM_CFI_UNDEFINED,      /* lost */
    PM_CFI_SAME,           /* as it is */
    PM_CFI_OFFSET,         /* saved at CFA + offset */
    PM_CFI_VAL_OFFSET,     /* is CFA + offset */
    PM_CFI_REGISTER,       /* is in register `reg`; for the CFA: reg + offset */
    PM_CFI_EXPRESSION,     /* saved at the address that the block computes; for the CFA: the value itself */
    PM_CFI_VAL_EXPRESSION, /* is what the block computes */
};

struct pm_cfi_rule {
    uint8_t kind;
    uint16_t reg;
    uint32_t length; /* of the block */
    int64_t offset;
    const uint8_t *block;
};

struct pm_cfi_row {
    uint64_t start, end;     /* the function's range (the FDE's) */
    bool signal_frame;       /* augmentation 'S': the caller was interrupted, it did not call */
    uint16_t return_address; /* column of the return address; may be PM_REG_COUNT or more in broken input */
    struct pm_cfi_rule cfa;
    struct pm_cfi_rule regs[PM_REG_COUNT];
};

enum pm_cfi_result { PM_CFI_FOUND, PM_CFI_NONE, PM_CFI_BROKEN };

struct pm_cfi_section {
    const uint8_t *bytes; /* NULL = there is none */
    uint64_t size;
    uint64_t vaddr;
};
struct pm_cfi_sections {
    struct pm_cfi_section eh_frame_hdr; /* with its search table; without one all of eh_frame is read once */
    struct pm_cfi_section eh_frame;     /* may be longer than the real one: ends at a zero length */
    struct pm_cfi_section debug_frame;
};

struct pm_cfi;

struct pm_error *pm_cfi_create(const struct pm_cfi_sections *sections, struct pm_cfi **ret);
void pm_cfi_destroy(struct pm_cfi *cfi);
enum pm_cfi_result pm_cfi_find(struct pm_cfi *cfi, uint64_t vaddr, struct pm_cfi_row *ret);

/* The sections of a file on disk. */
void pm_cfi_sections_of_elf(const struct pm_elf *elf, struct pm_cfi_sections *ret);
/* Is vaddr in a PLT section? Its start. */
bool pm_cfi_plt_of_elf(const struct pm_elf *elf, uint64_t vaddr, uint64_t *start_ret);

/* Runs a DWARF expression of a rule. `cfa` is on the stack at the start; NULL = the stack is empty (the rule
 * of the CFA itself). `bias` is added to addresses of the file. False: not an expression, too long, or it
 * needs a register or memory that is not there. */
bool pm_cfi_evaluate(const uint8_t *block, uint64_t length, const struct pm_regs *regs,
                     const struct pm_mem *mem, uint64_t bias, const uint64_t *cfa, uint64_t *ret);

/* Decodes a pointer as .eh_frame and .eh_frame_hdr store them (DW_EH_PE_*), at *position of the section, and
 * moves on. `data_base` is what DW_EH_PE_datarel adds. False: not there, or an encoding that needs the
 * running process. */
bool pm_cfi_pointer(const struct pm_cfi_section *section, uint64_t *position, uint8_t encoding,
                    uint64_t data_base, uint64_t *ret);

PM_DEFINE_AUTO(cfi, struct pm_cfi, pm_cfi_destroy)

#endif
