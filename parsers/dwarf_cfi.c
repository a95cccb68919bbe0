/* dwarf_cfi.c - finding one function's CFI and letting libdwarf run it.
 *
 * libdwarf's public way to CFI is the list of all FDEs of a file. Official Node has 60,000 to 130,000 of
 * them: 50 to 120 ms and 37 to 80 MB for each file, and one CIE with an augmentation that this libdwarf does
 * not know (the B of arm64's "zRB") loses the whole file. A stack needs a hundred of them. So:
 *
 *     .eh_frame_hdr            .eh_frame                  what libdwarf is given
 *     sorted (pc, FDE) pairs
 *     binary search  ------->  FDE --> CIE                an .eh_frame of 100 to 7,000 bytes, two records:
 *                              their headers are    --->  CIE  alignments, return column, instructions
 *                              read here                  FDE  absolute start, length, instructions
 *
 * through dwarf_object_init_b(), which takes sections from callbacks instead of a file. libdwarf runs the
 * instructions, we read the headers: 7 to 13 us for each new pc, no memory kept, and nothing but these two
 * records of a hostile file gets into libdwarf. A file without .eh_frame_hdr has its headers read once, front
 * to back, and sorted.
 *
 * Two instructions that no compiler writes into .eh_frame are not right: DW_CFA_set_loc takes an absolute
 * address, whatever encoding the CIE has, and DW_CFA_val_offset_sf (in libdwarf 20210528) sets register 0. */
#include "parsers/dwarf_cfi.h"

#include <dwarf.h>
#include <elf.h>
#include <string.h>

#include "parsers/dwarf_object.h"
#include "parsers/leb128.h"
#include "postmortem/base/checked.h"
#include "postmortem/base/sort.h"
#include "postmortem/base/vec.h"

#ifndef DW_EH_PE_indirect /* not in this libdwarf's list */
#define DW_EH_PE_indirect 0x80
#endif

#define MAX_INSTRUCTIONS 65536 /* bytes of one record; official builds need at most 6,800 */
#define MAX_REMEMBERED   4096  /* DW_CFA_remember_state: libdwarf keeps 3 KB for each */

/* Columns of libdwarf's table: aarch64's vector registers end at 95. The numbers below mean no register. */
enum { COLUMNS = 96, NO_RULE = 5000, SAME_VALUE, UNDEFINED_VALUE, CFA_COLUMN };

struct fde_range { /* of a file without a search table */
    uint64_t start, end, offset;
};
struct fde_list {
    PM_VEC(struct fde_range) items;
    bool ready;
};

struct pm_cfi {
    struct pm_cfi_sections sections;
    bool has_table;
    uint8_t table_encoding;
    uint64_t table, table_count, entry_size; /* of .eh_frame_hdr: position, pairs, bytes of a pair */
    struct fde_list eh_list, debug_list;
    uint8_t *scratch;
    size_t scratch_size;
};

/* ------------------------------------------------------------------ numbers */

static size_t write_uleb(uint8_t *to, uint64_t value) {
    size_t length = 0;
    do {
        to[length++] = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        value >>= 7;
    } while (value);
    return length;
}

static size_t write_sleb(uint8_t *to, int64_t value) {
    size_t length = 0;
    for (;;) {
        uint8_t byte = value & 0x7f;
        value >>= 7; /* arithmetic: gcc and clang both */
        bool last = (value == 0 && !(byte & 0x40)) || (value == -1 && (byte & 0x40));
        to[length++] = (uint8_t)(byte | (last ? 0 : 0x80));
        if (last) return length;
    }
}

static struct pm_cursor section_cursor(const struct pm_cfi_section *section, uint64_t position) {
    struct pm_cursor c = pm_cursor_make(section->bytes, section->size, section->vaddr);
    pm_cursor_seek(&c, position);
    return c;
}

static uint64_t read_encoded(struct pm_cursor *c, uint8_t format) {
    switch (format & 0x0f) {
    case DW_EH_PE_absptr:
    case DW_EH_PE_udata8:
    case DW_EH_PE_sdata8: return pm_cursor_u64(c);
    case DW_EH_PE_uleb128: return pm_cursor_uleb(c);
    case DW_EH_PE_sleb128: return (uint64_t)pm_cursor_sleb(c);
    case DW_EH_PE_udata2: return pm_cursor_u16(c);
    case DW_EH_PE_sdata2: return (uint64_t)(int16_t)pm_cursor_u16(c);
    case DW_EH_PE_udata4: return pm_cursor_u32(c);
    case DW_EH_PE_sdata4: return (uint64_t)(int32_t)pm_cursor_u32(c);
    }
    c->failed = true;
    return 0;
}

/* c->base is the section's vaddr */
static bool read_pointer(struct pm_cursor *c, uint8_t encoding, uint64_t data_base, uint64_t *ret) {
    if (encoding == DW_EH_PE_omit || (encoding & DW_EH_PE_indirect)) return false;
    if (encoding == DW_EH_PE_aligned) {
        pm_cursor_align(c, 8);
        *ret = pm_cursor_u64(c);
        return !c->failed;
    }
    uint64_t where = pm_cursor_where(c);
    uint64_t value = read_encoded(c, encoding);
    switch (encoding & 0x70) {
    case DW_EH_PE_absptr: break;
    case DW_EH_PE_pcrel: value += where; break;
    case DW_EH_PE_datarel: value += data_base; break;
    default: return false;
    }
    *ret = value;
    return !c->failed;
}

bool pm_cfi_pointer(const struct pm_cfi_section *section, uint64_t *position, uint8_t encoding,
                    uint64_t data_base, uint64_t *ret) {
    struct pm_cursor c = section_cursor(section, *position);
    if (!read_pointer(&c, encoding, data_base, ret)) return false;
    *position = c.position;
    return true;
}

/* ------------------------------------------------------------------ the headers of CIE and FDE */

struct record {
    struct pm_cursor c; /* behind the id, bounded by the record */
    uint64_t next;      /* offset of the record behind it */
    bool is_cie;
    uint64_t cie; /* offset of an FDE's CIE */
};

struct cie {
    uint64_t code_alignment, return_address;
    int64_t data_alignment;
    uint8_t encoding;
    bool augmented; /* FDEs have a length of augmentation data */
    bool signal_frame;
    const uint8_t *instructions;
    uint64_t length;
};

struct fde {
    uint64_t start, range;
    const uint8_t *instructions;
    uint64_t length;
};

/* False at the end of the section, at its terminator and where it is broken. */
static bool read_record(const struct pm_cfi_section *section, bool eh, uint64_t offset, struct record *ret) {
    struct pm_cursor c = section_cursor(section, offset);
    uint64_t length = pm_cursor_u32(&c);
    bool wide = length == 0xffffffff;
    if (wide) length = pm_cursor_u64(&c);
    if (c.failed || length == 0 || length > pm_cursor_left(&c)) return false;
    c.size = c.position + length;
    ret->next = c.size;
    uint64_t id_position = c.position, id;
    if (eh || !wide)
        id = pm_cursor_u32(&c);
    else
        id = pm_cursor_u64(&c);
    if (c.failed) return false;
    if (eh) {
        ret->is_cie = id == 0;
        ret->cie = id_position - id; /* a wrapped one is behind the end */
    } else {
        ret->is_cie = id == (wide ? ~0ull : 0xffffffff);
        ret->cie = id;
    }
    ret->c = c;
    return true;
}

static bool read_cie(const struct pm_cfi_section *section, bool eh, uint64_t offset, struct cie *ret) {
    struct record record;
    if (!read_record(section, eh, offset, &record) || !record.is_cie) return false;
    struct pm_cursor *c = &record.c;
    struct cie cie = {.encoding = DW_EH_PE_absptr};
    uint8_t version = pm_cursor_u8(c);
    const char *augmentation = pm_cursor_string(c);
    if (c->failed || (version != 1 && version != 3 && version != 4)) return false;
    if (version == 4 && (pm_cursor_u8(c) != 8 || pm_cursor_u8(c) != 0)) return false; /* address, segment */
    cie.code_alignment = pm_cursor_uleb(c);
    cie.data_alignment = pm_cursor_sleb(c);
    cie.return_address = version == 1 ? pm_cursor_u8(c) : pm_cursor_uleb(c);
    if (*augmentation == 'z') {
        uint64_t length = pm_cursor_uleb(c), end, pointer;
        if (c->failed || !pm_add_u64(c->position, length, &end) || end > c->size) return false;
        for (const char *letter = augmentation + 1; *letter; letter++) {
            if (*letter == 'R') {
                cie.encoding = pm_cursor_u8(c);
            } else if (*letter == 'L') {
                pm_cursor_u8(c);
            } else if (*letter == 'P') { /* the personality routine: only its size matters */
                uint8_t encoding = pm_cursor_u8(c);
                if (encoding == DW_EH_PE_omit) continue;
                if (encoding != DW_EH_PE_aligned) encoding &= 0x0f;
                if (!read_pointer(c, encoding, 0, &pointer)) return false;
            } else if (*letter == 'S') {
                cie.signal_frame = true;
            } else if (*letter != 'B') { /* B: return addresses are signed with the other key */
                break; /* unknown: what comes behind it cannot be placed, but its end is known */
            }
        }
        if (!pm_cursor_seek(c, end)) return false;
        cie.augmented = true;
    } else if (*augmentation) {
        return false;
    }
    cie.length = pm_cursor_left(c);
    cie.instructions = pm_cursor_take(c, cie.length);
    *ret = cie;
    return !c->failed;
}

static bool read_fde(const struct pm_cfi *cfi, const struct cie *cie, struct record *record,
                     struct fde *ret) {
    struct pm_cursor *c = &record->c;
    if (!read_pointer(c, cie->encoding, cfi->sections.eh_frame_hdr.vaddr, &ret->start)) return false;
    ret->range = read_encoded(c, cie->encoding);
    if (cie->augmented) {
        uint64_t length = pm_cursor_uleb(c);
        pm_cursor_take(c, length);
    }
    ret->length = pm_cursor_left(c);
    ret->instructions = pm_cursor_take(c, ret->length);
    uint64_t end;
    return !c->failed && pm_add_u64(ret->start, ret->range, &end);
}

/* ------------------------------------------------------------------ pc -> FDE */

static unsigned encoded_size(uint8_t encoding) {
    switch (encoding & 0x0f) {
    case DW_EH_PE_absptr:
    case DW_EH_PE_udata8:
    case DW_EH_PE_sdata8: return 8;
    case DW_EH_PE_udata4:
    case DW_EH_PE_sdata4: return 4;
    case DW_EH_PE_udata2:
    case DW_EH_PE_sdata2: return 2;
    }
    return 0;
}

static void read_table_header(struct pm_cfi *cfi) {
    const struct pm_cfi_section *section = &cfi->sections.eh_frame_hdr;
    struct pm_cursor c = section_cursor(section, 0);
    uint8_t version = pm_cursor_u8(&c), frame_encoding = pm_cursor_u8(&c), count_encoding = pm_cursor_u8(&c),
            table_encoding = pm_cursor_u8(&c);
    uint64_t frame, count;
    if (c.failed || version != 1 || !read_pointer(&c, frame_encoding, section->vaddr, &frame) ||
        !read_pointer(&c, count_encoding, section->vaddr, &count))
        return;
    unsigned size = encoded_size(table_encoding);
    if (!size || table_encoding == DW_EH_PE_omit || (table_encoding & DW_EH_PE_indirect)) return;
    uint64_t most = pm_cursor_left(&c) / (2 * size);
    cfi->table_encoding = table_encoding;
    cfi->table = c.position;
    cfi->table_count = count < most ? count : most;
    cfi->entry_size = 2 * size;
    cfi->has_table = cfi->table_count > 0;
}

/* The offset of the last FDE in the table that does not start behind vaddr. */
static bool search_table(const struct pm_cfi *cfi, uint64_t vaddr, uint64_t *ret) {
    const struct pm_cfi_section *section = &cfi->sections.eh_frame_hdr;
    uint64_t low = 0, high = cfi->table_count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2, position = cfi->table + middle * cfi->entry_size, start;
        if (!pm_cfi_pointer(section, &position, cfi->table_encoding, section->vaddr, &start)) return false;
        if (start <= vaddr)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0) return false;
    uint64_t position = cfi->table + (low - 1) * cfi->entry_size, start, fde;
    if (!pm_cfi_pointer(section, &position, cfi->table_encoding, section->vaddr, &start) ||
        !pm_cfi_pointer(section, &position, cfi->table_encoding, section->vaddr, &fde))
        return false;
    *ret = fde - cfi->sections.eh_frame.vaddr;
    return *ret < cfi->sections.eh_frame.size;
}

static int compare_ranges(const void *a, const void *b) {
    const struct fde_range *left = a, *right = b;
    return left->start < right->start ? -1 : left->start > right->start;
}

static void read_list(const struct pm_cfi *cfi, const struct pm_cfi_section *section, bool eh,
                      struct fde_list *list) {
    list->ready = true;
    struct record record;
    struct cie cie = {0};
    uint64_t cie_offset = UINT64_MAX;
    bool cie_fine = false;
    for (uint64_t offset = 0; read_record(section, eh, offset, &record); offset = record.next) {
        if (record.is_cie) continue;
        if (record.cie != cie_offset) {
            cie_offset = record.cie;
            cie_fine = read_cie(section, eh, cie_offset, &cie);
        }
        struct fde fde;
        if (!cie_fine || !read_fde(cfi, &cie, &record, &fde) || fde.range == 0) continue;
        if (!pm_vec_push(&list->items, ((struct fde_range){fde.start, fde.start + fde.range, offset}))) break;
    }
    pm_sort(list->items.items, list->items.count, sizeof(*list->items.items), compare_ranges);
}

static bool search_list(const struct fde_list *list, uint64_t vaddr, uint64_t *ret) {
    size_t low = 0, high = list->items.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->items.items[middle].start <= vaddr)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || vaddr >= list->items.items[low - 1].end) return false;
    *ret = list->items.items[low - 1].offset;
    return true;
}

/* ------------------------------------------------------------------ one FDE through libdwarf */

struct slice { /* the .eh_frame that libdwarf sees */
    uint8_t *bytes;
    uint64_t size;
    uint64_t cie_instructions, fde_instructions; /* offsets */
};

static bool too_much(const uint8_t *instructions, uint64_t length) {
    if (length > MAX_INSTRUCTIONS) return true;
    unsigned remembered = 0;
    for (uint64_t i = 0; i < length; i++) remembered += instructions[i] == DW_CFA_remember_state;
    return remembered > MAX_REMEMBERED;
}

/* A record's length field, once its end is known; the gap becomes DW_CFA_nop. */
static uint64_t close_record(uint8_t *bytes, uint64_t start, uint64_t end) {
    uint64_t aligned = pm_align_up(end, 8);
    memset(bytes + end, DW_CFA_nop, aligned - end);
    uint32_t length = (uint32_t)(aligned - start - 4);
    memcpy(bytes + start, &length, 4);
    return aligned;
}

static bool write_slice(struct pm_cfi *cfi, const struct cie *cie, const struct fde *fde, struct slice *ret) {
    size_t needed = (size_t)(cie->length + fde->length) + 128;
    if (needed > cfi->scratch_size) {
        uint8_t *scratch = realloc(cfi->scratch, needed);
        if (!scratch) return false;
        cfi->scratch = scratch;
        cfi->scratch_size = needed;
    }
    uint8_t *bytes = cfi->scratch;
    uint64_t at = 4;
    memset(bytes + at, 0, 4); /* id of a CIE */
    at += 4;
    bytes[at++] = 3; /* version */
    bytes[at++] = 0; /* no augmentation: addresses are absolute */
    at += write_uleb(bytes + at, cie->code_alignment);
    at += write_sleb(bytes + at, cie->data_alignment);
    at += write_uleb(bytes + at, cie->return_address);
    ret->cie_instructions = at;
    if (cie->length) memcpy(bytes + at, cie->instructions, cie->length);
    at = close_record(bytes, 0, at + cie->length);

    uint64_t start = at;
    at += 4;
    uint32_t back = (uint32_t)at; /* to the CIE, which is at 0 */
    memcpy(bytes + at, &back, 4);
    at += 4;
    memcpy(bytes + at, &fde->start, 8);
    memcpy(bytes + at + 8, &fde->range, 8);
    at += 16;
    ret->fde_instructions = at;
    if (fde->length) memcpy(bytes + at, fde->instructions, fde->length);
    at = close_record(bytes, start, at + fde->length);
    ret->bytes = bytes;
    ret->size = at;
    return true;
}

/* A block of the slice as the same block of the file. */
static const uint8_t *original(const struct slice *slice, const struct cie *cie, const struct fde *fde,
                               const uint8_t *block, uint64_t length) {
    if (block < slice->bytes || block > slice->bytes + slice->size) return NULL;
    uint64_t offset = (uint64_t)(block - slice->bytes);
    if (pm_range_inside(offset, length, slice->fde_instructions, slice->fde_instructions + fde->length))
        return fde->instructions + (offset - slice->fde_instructions);
    if (pm_range_inside(offset, length, slice->cie_instructions, slice->cie_instructions + cie->length))
        return cie->instructions + (offset - slice->cie_instructions);
    return NULL;
}

static struct pm_cfi_rule make_rule(const struct Dwarf_Regtable_Entry3_s *entry, const struct slice *slice,
                                    const struct cie *cie, const struct fde *fde) {
    struct pm_cfi_rule rule = {.reg = entry->dw_regnum, .offset = (int64_t)entry->dw_offset_or_block_len};
    switch (entry->dw_value_type) {
    case DW_EXPR_OFFSET:
        if (entry->dw_regnum == NO_RULE)
            rule.kind = PM_CFI_UNSPECIFIED;
        else if (entry->dw_regnum == SAME_VALUE)
            rule.kind = PM_CFI_SAME;
        else if (entry->dw_regnum == UNDEFINED_VALUE)
            rule.kind = PM_CFI_UNDEFINED;
        else
            rule.kind = entry->dw_offset_relevant ? PM_CFI_OFFSET : PM_CFI_REGISTER;
        break;
    case DW_EXPR_VAL_OFFSET: rule.kind = PM_CFI_VAL_OFFSET; break;
    case DW_EXPR_EXPRESSION:
    case DW_EXPR_VAL_EXPRESSION:
        rule.block = original(slice, cie, fde, entry->dw_block_ptr, entry->dw_offset_or_block_len);
        rule.length = (uint32_t)entry->dw_offset_or_block_len;
        rule.kind = !rule.block                                  ? PM_CFI_UNDEFINED
                    : entry->dw_value_type == DW_EXPR_EXPRESSION ? PM_CFI_EXPRESSION
                                                                 : PM_CFI_VAL_EXPRESSION;
        break;
    default: rule.kind = PM_CFI_UNDEFINED;
    }
    return rule;
}

static bool libdwarf_row(Dwarf_Debug debug, uint64_t vaddr, Dwarf_Regtable3 *table, Dwarf_Error *error) {
    Dwarf_Cie *cies;
    Dwarf_Fde *fdes, fde;
    Dwarf_Signed cie_count, fde_count;
    Dwarf_Addr low, high, row;
    if (dwarf_get_fde_list_eh(debug, &cies, &cie_count, &fdes, &fde_count, error) != DW_DLV_OK) return false;
    bool fine = dwarf_get_fde_at_pc(fdes, vaddr, &fde, &low, &high, error) == DW_DLV_OK &&
                dwarf_get_fde_info_for_all_regs3(fde, vaddr, table, &row, error) == DW_DLV_OK;
    dwarf_fde_cie_list_dealloc(debug, cies, cie_count, fdes, fde_count);
    return fine;
}

static enum pm_cfi_result run(struct pm_cfi *cfi, const struct cie *cie, const struct fde *fde,
                              uint64_t vaddr, struct pm_cfi_row *ret) {
    struct slice slice;
    if (too_much(cie->instructions, cie->length) || too_much(fde->instructions, fde->length) ||
        !write_slice(cfi, cie, fde, &slice))
        return PM_CFI_BROKEN;

    struct pm_dwarf_section section = {".eh_frame", slice.bytes, slice.size};
    struct pm_dwarf_object object = {.sections = &section, .count = 1};
    Dwarf_Debug debug;
    Dwarf_Error error = NULL;
    if (!pm_dwarf_open(&object, &debug)) return PM_CFI_BROKEN;
    dwarf_set_frame_rule_table_size(debug, COLUMNS);
    dwarf_set_frame_rule_initial_value(debug, NO_RULE);
    dwarf_set_frame_same_value(debug, SAME_VALUE);
    dwarf_set_frame_undefined_value(debug, UNDEFINED_VALUE);
    dwarf_set_frame_cfa_value(debug, CFA_COLUMN);

    struct Dwarf_Regtable_Entry3_s rules[COLUMNS];
    Dwarf_Regtable3 table = {.rt3_reg_table_size = COLUMNS, .rt3_rules = rules};
    bool fine = libdwarf_row(debug, vaddr, &table, &error);
    if (fine) {
        *ret = (struct pm_cfi_row){
            .start = fde->start,
            .end = fde->start + fde->range,
            .signal_frame = cie->signal_frame,
            .return_address = cie->return_address < UINT16_MAX ? (uint16_t)cie->return_address : UINT16_MAX,
            .cfa = make_rule(&table.rt3_cfa_rule, &slice, cie, fde),
        };
        for (unsigned i = 0; i < PM_REG_COUNT; i++) ret->regs[i] = make_rule(&rules[i], &slice, cie, fde);
    }
    pm_dwarf_forget(debug, &error);
    dwarf_object_finish(debug, NULL);
    return fine ? PM_CFI_FOUND : PM_CFI_BROKEN;
}

static enum pm_cfi_result row_at(struct pm_cfi *cfi, bool eh, uint64_t offset, uint64_t vaddr,
                                 struct pm_cfi_row *ret) {
    const struct pm_cfi_section *section = eh ? &cfi->sections.eh_frame : &cfi->sections.debug_frame;
    struct record record;
    struct cie cie;
    struct fde fde;
    if (!read_record(section, eh, offset, &record) || record.is_cie) return PM_CFI_BROKEN;
    if (!read_cie(section, eh, record.cie, &cie) || !read_fde(cfi, &cie, &record, &fde)) return PM_CFI_BROKEN;
    if (vaddr < fde.start || vaddr - fde.start >= fde.range) return PM_CFI_NONE;
    return run(cfi, &cie, &fde, vaddr, ret);
}

enum pm_cfi_result pm_cfi_find(struct pm_cfi *cfi, uint64_t vaddr, struct pm_cfi_row *ret) {
    enum pm_cfi_result result = PM_CFI_NONE;
    uint64_t offset;
    if (cfi->has_table) {
        if (search_table(cfi, vaddr, &offset)) result = row_at(cfi, true, offset, vaddr, ret);
    } else if (cfi->sections.eh_frame.bytes) {
        if (!cfi->eh_list.ready) read_list(cfi, &cfi->sections.eh_frame, true, &cfi->eh_list);
        if (search_list(&cfi->eh_list, vaddr, &offset)) result = row_at(cfi, true, offset, vaddr, ret);
    }
    if (result == PM_CFI_FOUND || !cfi->sections.debug_frame.bytes) return result;
    if (!cfi->debug_list.ready) read_list(cfi, &cfi->sections.debug_frame, false, &cfi->debug_list);
    if (search_list(&cfi->debug_list, vaddr, &offset)) result = row_at(cfi, false, offset, vaddr, ret);
    return result;
}

struct pm_error *pm_cfi_create(const struct pm_cfi_sections *sections, struct pm_cfi **ret) {
    struct pm_cfi *cfi = calloc(1, sizeof(*cfi));
    if (!cfi) return pm_error_nomem();
    cfi->sections = *sections;
    if (sections->eh_frame_hdr.bytes && sections->eh_frame.bytes) read_table_header(cfi);
    *ret = cfi;
    return NULL;
}

void pm_cfi_destroy(struct pm_cfi *cfi) {
    if (!cfi) return;
    pm_vec_deinit(&cfi->eh_list.items);
    pm_vec_deinit(&cfi->debug_list.items);
    free(cfi->scratch);
    free(cfi);
}

/* ------------------------------------------------------------------ the sections of a file */

static struct pm_cfi_section find_section(const struct pm_elf *elf, const char *name) {
    struct pm_cfi_section section = {0};
    section.bytes = pm_elf_section(elf, name, &section.size, &section.vaddr);
    return section;
}

/* Without section headers: the program header of .eh_frame_hdr, which points to .eh_frame. */
static void sections_of_segments(const struct pm_elf *elf, struct pm_cfi_sections *ret) {
    uint64_t file_size;
    const uint8_t *file = pm_elf_file(elf, &file_size);
    struct pm_cursor c = pm_cursor_make(file, file_size, 0);
    Elf64_Ehdr header;
    const uint8_t *bytes = pm_cursor_take(&c, sizeof(header));
    if (!bytes) return;
    memcpy(&header, bytes, sizeof(header));
    pm_cursor_seek(&c, header.e_phoff);
    for (unsigned i = 0; i < header.e_phnum && (bytes = pm_cursor_take(&c, sizeof(Elf64_Phdr))); i++) {
        Elf64_Phdr program;
        memcpy(&program, bytes, sizeof(program));
        if (program.p_type != PT_GNU_EH_FRAME) continue;
        struct pm_cfi_section table = {pm_elf_bytes(elf, program.p_vaddr, program.p_filesz), program.p_filesz,
                                       program.p_vaddr};
        uint64_t position = 4, frame;
        if (!table.bytes || table.size < 4 ||
            !pm_cfi_pointer(&table, &position, table.bytes[1], table.vaddr, &frame))
            return;
        for (size_t k = 0; k < pm_elf_segment_count(elf); k++) {
            const struct pm_elf_segment *segment = pm_elf_segment(elf, k);
            if (frame < segment->vaddr || frame - segment->vaddr >= segment->file_size) continue;
            uint64_t size = segment->file_size - (frame - segment->vaddr);
            ret->eh_frame_hdr = table;
            ret->eh_frame = (struct pm_cfi_section){pm_elf_bytes(elf, frame, size), size, frame};
            return;
        }
    }
}

void pm_cfi_sections_of_elf(const struct pm_elf *elf, struct pm_cfi_sections *ret) {
    *ret = (struct pm_cfi_sections){
        .eh_frame_hdr = find_section(elf, ".eh_frame_hdr"),
        .eh_frame = find_section(elf, ".eh_frame"),
        .debug_frame = find_section(elf, ".debug_frame"),
    };
    if (!ret->eh_frame.bytes) sections_of_segments(elf, ret);
}

bool pm_cfi_plt_of_elf(const struct pm_elf *elf, uint64_t vaddr, uint64_t *start_ret) {
    static const char *const names[] = {".plt", ".plt.sec", ".plt.got", ".iplt"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        struct pm_cfi_section section = find_section(elf, names[i]);
        if (!section.bytes || vaddr < section.vaddr || vaddr - section.vaddr >= section.size) continue;
        *start_ret = section.vaddr;
        return true;
    }
    return false;
}
