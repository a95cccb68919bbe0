/* unwind.c - one step up the native stack.
 *
 * A frame is known by its registers: pc says which function, sp and fp where its memory is. For every pc the
 * compiler has left a row of rules (CFI), seen from this pc:
 *
 *      higher addresses                             rules of such a row
 *      |  frame of the caller     |                   CFA    = rsp + 48   or rbp + 16, or an expression
 *      |--------------------------| <- CFA            rip    = [CFA - 8]
 *      |  return address          |    = the          rbp    = [CFA - 16]
 *      |  saved rbp, rbx ...      |    caller's       rbx    = [CFA - 24]
 *      |  locals                  |    sp             r12    no rule: as it is (the ABI preserves it)
 *      |--------------------------| <- sp             rax    no rule: lost (a call may destroy it)
 *      lower addresses
 *
 * The CFA ("canonical frame address") is the value sp had before the call. Applying the row to the registers
 * gives the registers of the caller at its return address: the same problem, one frame further. A row whose
 * rule for the return address is "undefined" (_start, clone) ends the stack.
 *
 * WHICH PC  A return address is the instruction behind the call. When the call never returns (abort) that may
 * already be another function, so pc - 1 is looked up. Where execution really stood at pc (the top frame, and
 * a frame that a signal interrupted), pc itself is. glibc's signal trampoline is described from one byte
 * before its start, so that pc - 1 finds it, too.
 *
 * WHERE  Rows come from the file on disk, because a core does not save program text. V8 maps parts of the
 * program a second time, so the way from pc to the file's address goes through the mapping that holds pc, not
 * through one bias for each file. Where the file is missing, gcore may have saved what was mapped of it: then
 * the rows are read from the core.
 *
 * NO ROW  The caller (v8layout/js_frames.c) knows V8's frames. Solved here, because they are native:
 * - signal trampolines, known by their instructions: musl's have no CFI, arm64's loses the interrupted pc;
 * - PLT stubs (lld gives them no CFI): nothing, or one or two words are pushed;
 * - V8's PushAllRegistersAndIterateStack, hand-written assembly in every stack of a garbage collection: a
 *   plain rbp frame that leaves the preserved registers as they are;
 * - a jump to an address without code (a call through a null pointer): only the return address is pushed;
 * - aarch64 keeps frame pointers everywhere: they are followed where a module's CFI is silent.
 *
 * MUST END  The stack is data of a crashed process. A caller's sp must be above ours: on x86-64 always,
 * because a call pushes; on aarch64 a leaf may have the same sp, but then not the same pc. Only a signal may
 * have come from another stack (sigaltstack). Expressions have a limit of steps, and whoever walks has a
 * limit of frames.
 *
 * SIGNED  arm64 return addresses on the stack carry a signature in their upper bits (PAC): cleared, not
 * checked. */
#include "parsers/unwind.h"

#include <elf.h>
#include <string.h>

#include "parsers/arch/arch.h"
#include "parsers/cursor.h"
#include "parsers/dwarf_cfi.h"
#include "parsers/dwarf_line.h"
#include "postmortem/base/checked.h"
#include "postmortem/base/vec.h"

#define CACHED_ROWS       1024 /* by pc; deep stacks repeat a few hundred */
#define MAX_IMAGE_HEADERS 64   /* program headers of an image in memory; usual are 4 to 14 */

struct cached_row {
    pm_addr key;
    enum pm_cfi_result result;
    uint64_t bias;
    struct pm_cfi_row row; /* only when found */
};

struct source { /* the CFI of one module or image; opened when it is first needed */
    const struct pm_module *module;
    struct pm_cfi *cfi; /* NULL = there is none */
    bool in_memory;     /* of the image in the core: addresses go by `bias` */
    uint64_t bias;
    struct pm_line_table *lines;
    bool lines_tried;
};

struct image { /* an ELF file as the process had it in memory */
    uint64_t bias;
    struct pm_cfi_sections sections;
};

struct pm_unwinder {
    const struct pm_modules *modules;
    const struct pm_mem *mem;
    const struct pm_arch *arch;
    uint64_t pac_mask;
    PM_VEC(struct source *) sources;
    struct cached_row *rows[CACHED_ROWS];
};

/* ------------------------------------------------------------------ ELF images in the process's memory */

static uint64_t view_section(const struct pm_mem *mem, uint64_t bias, uint64_t vaddr, uint64_t most,
                             struct pm_cfi_section *ret) {
    uint64_t length = 0;
    const uint8_t *bytes = pm_mem_view_some(mem, vaddr + bias, &length);
    if (length > most) length = most;
    *ret = (struct pm_cfi_section){.bytes = length ? bytes : NULL, .size = length, .vaddr = vaddr};
    return length;
}

/* .eh_frame lies where its search table says, in the same segment or another: what is there bounds it. */
static void find_image_frames(const struct pm_mem *mem, struct image *image, const Elf64_Phdr *header) {
    struct pm_cfi_section table, frames;
    uint64_t position = 4, vaddr;
    if (view_section(mem, image->bias, header->p_vaddr, header->p_memsz, &table) < 8) return;
    if (!pm_cfi_pointer(&table, &position, table.bytes[1], table.vaddr, &vaddr)) return;
    if (!view_section(mem, image->bias, vaddr, UINT64_MAX, &frames)) return;
    image->sections.eh_frame_hdr = table;
    image->sections.eh_frame = frames;
}

static bool read_image(const struct pm_mem *mem, pm_addr start, struct image *ret) {
    Elf64_Ehdr header;
    if (!pm_mem_copy(mem, start, &header, sizeof(header)) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_phentsize != sizeof(Elf64_Phdr))
        return false;
    Elf64_Phdr programs[MAX_IMAGE_HEADERS];
    size_t count = header.e_phnum < MAX_IMAGE_HEADERS ? header.e_phnum : MAX_IMAGE_HEADERS;
    if (!pm_mem_copy(mem, start + header.e_phoff, programs, count * sizeof(*programs))) return false;
    struct image image = {0};
    bool loaded = false;
    for (size_t i = 0; i < count && !loaded; i++) {
        if (programs[i].p_type != PT_LOAD || programs[i].p_offset != 0) continue;
        image.bias = start - programs[i].p_vaddr;
        loaded = true;
    }
    if (!loaded) return false;
    for (size_t i = 0; i < count; i++)
        if (programs[i].p_type == PT_GNU_EH_FRAME) find_image_frames(mem, &image, &programs[i]);
    *ret = image;
    return true;
}

/* ------------------------------------------------------------------ CFI of a pc */

static void source_destroy(struct source *source) {
    if (!source) return;
    pm_cfi_destroy(source->cfi);
    pm_line_close(source->lines);
    free(source);
}

static void open_source(struct pm_unwinder *unwinder, struct source *source) {
    const struct pm_module *module = source->module;
    struct pm_cfi_sections sections = {0};
    struct image image;
    if (module->elf) {
        pm_cfi_sections_of_elf(module->elf, &sections);
    } else if (read_image(unwinder->mem, module->start, &image)) {
        source->in_memory = true;
        source->bias = image.bias;
        sections = image.sections;
    }
    if (!sections.eh_frame.bytes && !sections.debug_frame.bytes) return;
    struct pm_error *error = pm_cfi_create(&sections, &source->cfi);
    pm_error_destroy(error); /* no memory: as if there were none */
}

static struct source *find_source(struct pm_unwinder *unwinder, const struct pm_module *module) {
    for (size_t i = 0; i < unwinder->sources.count; i++)
        if (unwinder->sources.items[i]->module == module) return unwinder->sources.items[i];
    struct source *source = calloc(1, sizeof(*source));
    if (!source) return NULL;
    source->module = module;
    open_source(unwinder, source);
    if (!pm_vec_push(&unwinder->sources, source)) {
        source_destroy(source);
        return NULL;
    }
    return source;
}

/* The row at an address that is to be looked up as it is. */
static const struct cached_row *find_row(struct pm_unwinder *unwinder, pm_addr lookup) {
    struct cached_row **slot = &unwinder->rows[(lookup ^ lookup >> 10 ^ lookup >> 20) % CACHED_ROWS];
    if (*slot && (*slot)->key == lookup) return *slot;
    if (!*slot && !(*slot = malloc(sizeof(**slot)))) return NULL;
    (*slot)->key = lookup;
    (*slot)->result = PM_CFI_NONE;
    uint64_t vaddr = 0;
    const struct pm_module *module = pm_modules_find(unwinder->modules, lookup, &vaddr);
    if (!module) return *slot;
    struct source *source = find_source(unwinder, module);
    if (!source || !source->cfi) return *slot;
    (*slot)->bias = source->in_memory ? source->bias : lookup - vaddr;
    (*slot)->result = pm_cfi_find(source->cfi, lookup - (*slot)->bias, &(*slot)->row);
    return *slot;
}

/* ------------------------------------------------------------------ applying a row */

struct frame {
    const struct pm_unwinder *unwinder;
    const struct pm_regs *in;
    uint64_t bias;
    uint64_t cfa;
};

static bool find_cfa(struct frame *frame, const struct pm_cfi_rule *rule) {
    if (rule->kind == PM_CFI_EXPRESSION || rule->kind == PM_CFI_VAL_EXPRESSION)
        return pm_cfi_evaluate(rule->block, rule->length, frame->in, frame->unwinder->mem, frame->bias, NULL,
                               &frame->cfa);
    if (rule->kind != PM_CFI_REGISTER && rule->kind != PM_CFI_OFFSET) return false;
    if (!pm_regs_has(frame->in, rule->reg)) return false;
    frame->cfa = frame->in->value[rule->reg] + (uint64_t)rule->offset;
    return true;
}

/* The value of a register in the caller; false = not known. */
static bool apply_rule(const struct frame *frame, const struct pm_cfi_rule *rule, unsigned number,
                       uint64_t *ret) {
    const struct pm_mem *mem = frame->unwinder->mem;
    uint64_t value;
    switch (rule->kind) {
    case PM_CFI_UNSPECIFIED:
        if (!(frame->unwinder->arch->preserved >> number & 1)) return false;
        break;
    case PM_CFI_SAME: break;
    case PM_CFI_OFFSET: return pm_mem_u64(mem, frame->cfa + (uint64_t)rule->offset, ret);
    case PM_CFI_VAL_OFFSET: *ret = frame->cfa + (uint64_t)rule->offset; return true;
    case PM_CFI_REGISTER:
        if (!pm_regs_has(frame->in, rule->reg)) return false;
        *ret = frame->in->value[rule->reg];
        return true;
    case PM_CFI_EXPRESSION:
        return pm_cfi_evaluate(rule->block, rule->length, frame->in, mem, frame->bias, &frame->cfa, &value) &&
               pm_mem_u64(mem, value, ret);
    case PM_CFI_VAL_EXPRESSION:
        return pm_cfi_evaluate(rule->block, rule->length, frame->in, mem, frame->bias, &frame->cfa, ret);
    default: return false;
    }
    if (!pm_regs_has(frame->in, number)) return false;
    *ret = frame->in->value[number];
    return true;
}

static enum pm_unwind_result check(const struct pm_unwinder *unwinder, const struct pm_regs *in,
                                   const struct pm_regs *out, bool may_keep_sp) {
    const struct pm_unwind_arch *arch = &unwinder->arch->public;
    if (out->value[arch->pc] == 0) return PM_UNWIND_END;
    if (!pm_regs_has(in, arch->sp)) return PM_UNWIND_OK;
    uint64_t before = in->value[arch->sp], after = out->value[arch->sp];
    if (after > before) return PM_UNWIND_OK;
    bool leaf = after == before && may_keep_sp && out->value[arch->pc] != in->value[arch->pc];
    return leaf ? PM_UNWIND_OK : PM_UNWIND_BAD_MEMORY;
}

static enum pm_unwind_result apply_row(const struct pm_unwinder *unwinder, const struct cached_row *found,
                                       const struct pm_regs *in, bool exact_pc, struct pm_regs *ret) {
    const struct pm_arch *arch = unwinder->arch;
    const struct pm_cfi_row *row = &found->row;
    struct frame frame = {.unwinder = unwinder, .in = in, .bias = found->bias};
    unsigned column = row->return_address;
    if (column >= PM_REG_COUNT) return PM_UNWIND_NO_CFI;
    if (row->regs[column].kind == PM_CFI_UNDEFINED) return PM_UNWIND_END;
    if (!find_cfa(&frame, &row->cfa)) return PM_UNWIND_BAD_MEMORY;

    struct pm_regs out = {0};
    uint64_t value;
    for (unsigned i = 0; i < PM_REG_COUNT; i++) {
        if (!arch->public.names[i] || (i == arch->public.pc && i != column)) continue;
        if (apply_rule(&frame, &row->regs[i], i, &value)) pm_regs_set(&out, i, value);
    }
    if (!pm_regs_has(&out, column)) return PM_UNWIND_BAD_MEMORY;
    if (row->regs[arch->public.sp].kind == PM_CFI_UNSPECIFIED || !pm_regs_has(&out, arch->public.sp))
        pm_regs_set(&out, arch->public.sp, frame.cfa);
    out.value[column] &= ~unwinder->pac_mask;
    pm_regs_set(&out, arch->public.pc, out.value[column]);
    if (row->signal_frame) {
        *ret = out;
        return out.value[arch->public.pc] ? PM_UNWIND_OK : PM_UNWIND_END;
    }
    /* lr in another register is how an outlined call keeps sp */
    bool may_keep_sp = !arch->pushes_return && (exact_pc || row->regs[column].kind == PM_CFI_REGISTER);
    enum pm_unwind_result result = check(unwinder, in, &out, may_keep_sp);
    if (result == PM_UNWIND_OK) *ret = out;
    return result;
}

/* ------------------------------------------------------------------ frames without a row */

enum pm_unwind_result pm_unwind_step_fp(struct pm_unwinder *unwinder, const struct pm_regs *in,
                                        struct pm_regs *out) {
    const struct pm_unwind_arch *arch = &unwinder->arch->public;
    uint64_t saved[2];
    if (!pm_regs_has(in, arch->fp)) return PM_UNWIND_BAD_MEMORY;
    uint64_t fp = in->value[arch->fp];
    if (fp == 0) return PM_UNWIND_END;
    if (fp % 8 || fp > UINT64_MAX - sizeof(saved) || !pm_mem_copy(unwinder->mem, fp, saved, sizeof(saved)))
        return PM_UNWIND_BAD_MEMORY;
    struct pm_regs next = {0};
    pm_regs_set(&next, arch->fp, saved[0]);
    pm_regs_set(&next, arch->pc, saved[1] & ~unwinder->pac_mask);
    pm_regs_set(&next, arch->sp, fp + sizeof(saved));
    enum pm_unwind_result result = check(unwinder, in, &next, false);
    if (result == PM_UNWIND_OK) *out = next;
    return result;
}

/* As pm_unwind_step_fp(), for a function that is known to leave the other preserved registers alone. */
static enum pm_unwind_result step_fp_preserving(struct pm_unwinder *unwinder, const struct pm_regs *in,
                                                struct pm_regs *out) {
    const struct pm_arch *arch = unwinder->arch;
    struct pm_regs next;
    enum pm_unwind_result result = pm_unwind_step_fp(unwinder, in, &next);
    if (result != PM_UNWIND_OK) return result;
    for (unsigned i = 0; i < PM_REG_COUNT; i++)
        if ((arch->preserved >> i & 1) && pm_regs_has(in, i) && !pm_regs_has(&next, i))
            pm_regs_set(&next, i, in->value[i]);
    *out = next;
    return PM_UNWIND_OK;
}

/* Only the call has happened: the return address is on the stack (`depth` bytes up) or in its register. */
static enum pm_unwind_result step_call(const struct pm_unwinder *unwinder, const struct pm_regs *in,
                                       unsigned depth, struct pm_regs *out) {
    const struct pm_arch *arch = unwinder->arch;
    struct pm_regs next = *in;
    if (!pm_regs_has(in, arch->public.sp)) return PM_UNWIND_BAD_MEMORY;
    uint64_t sp = in->value[arch->public.sp] + depth, pc;
    if (arch->pushes_return) {
        if (!pm_mem_u64(unwinder->mem, sp, &pc)) return PM_UNWIND_BAD_MEMORY;
        sp += 8;
    } else {
        if (!pm_regs_has(in, arch->public.return_address)) return PM_UNWIND_BAD_MEMORY;
        pc = in->value[arch->public.return_address];
    }
    pm_regs_set(&next, arch->public.sp, sp);
    pm_regs_set(&next, arch->public.pc, pc & ~unwinder->pac_mask);
    next.valid &= arch->preserved | 1ull << arch->public.sp | 1ull << arch->public.pc;
    enum pm_unwind_result result = check(unwinder, in, &next, !arch->pushes_return);
    if (result == PM_UNWIND_OK) *out = next;
    return result;
}

/* gcore leaves program text out of the core, and with it the protection: then the file says what is code. */
static bool is_code(const struct pm_unwinder *unwinder, pm_addr addr) {
    const struct pm_mem_range *range = pm_mem_find(unwinder->mem, addr);
    if (range && (range->protection & PM_MEM_EXECUTE)) return true;
    uint64_t vaddr;
    const struct pm_module *module = pm_modules_find(unwinder->modules, addr, &vaddr);
    for (size_t i = 0; module && module->elf && i < pm_elf_segment_count(module->elf); i++) {
        const struct pm_elf_segment *segment = pm_elf_segment(module->elf, i);
        if (vaddr >= segment->vaddr && vaddr - segment->vaddr < segment->memory_size)
            return segment->flags & PF_X;
    }
    return false;
}

/* A call through a bad pointer: believed only when the return address leads back to code. */
static enum pm_unwind_result step_bad_jump(const struct pm_unwinder *unwinder, const struct pm_regs *in,
                                           struct pm_regs *out) {
    struct pm_regs next;
    enum pm_unwind_result result = step_call(unwinder, in, 0, &next);
    if (result != PM_UNWIND_OK || !is_code(unwinder, next.value[unwinder->arch->public.pc] - 1))
        return PM_UNWIND_NO_CFI;
    *out = next;
    return PM_UNWIND_OK;
}

static enum pm_unwind_result step_without_row(struct pm_unwinder *unwinder, const struct pm_regs *in,
                                              bool exact_pc, struct pm_regs *out) {
    const struct pm_arch *arch = unwinder->arch;
    pm_addr pc = in->value[arch->public.pc], lookup = exact_pc ? pc : pc - 1;
    uint64_t vaddr;
    const struct pm_module *module = pm_modules_find(unwinder->modules, lookup, &vaddr);
    if (!module) return PM_UNWIND_NO_CFI;
    uint64_t plt;
    if (exact_pc && module->elf && pm_cfi_plt_of_elf(module->elf, vaddr, &plt))
        return step_call(unwinder, in, arch->plt_depth(vaddr, plt), out);
    const char *symbol = pm_unwind_raw_symbol(unwinder, pc, exact_pc, NULL);
    if ((symbol && strcmp(symbol, "PushAllRegistersAndIterateStack") == 0) ||
        (!exact_pc && arch->is_v8_push_registers && arch->is_v8_push_registers(unwinder->mem, pc)))
        return step_fp_preserving(unwinder, in, out);
    if (!arch->pushes_return && !(symbol && strncmp(symbol, "Builtins_", 9) == 0))
        return pm_unwind_step_fp(unwinder, in, out);
    return PM_UNWIND_NO_CFI;
}

enum pm_unwind_result pm_unwind_step(struct pm_unwinder *unwinder, const struct pm_regs *in, bool exact_pc,
                                     struct pm_regs *out, bool *signal_ret) {
    const struct pm_arch *arch = unwinder->arch;
    *signal_ret = false;
    if (!pm_regs_has(in, arch->public.pc)) return PM_UNWIND_BAD_MEMORY;
    pm_addr pc = in->value[arch->public.pc];
    if (exact_pc && !is_code(unwinder, pc)) return step_bad_jump(unwinder, in, out);
    if (pc == 0) return PM_UNWIND_END;

    if (arch->sigreturn(unwinder->mem, in, out)) {
        *signal_ret = true;
        return PM_UNWIND_OK;
    }
    const struct cached_row *found = find_row(unwinder, exact_pc ? pc : pc - 1);
    if (!found || found->result != PM_CFI_FOUND) return step_without_row(unwinder, in, exact_pc, out);
    enum pm_unwind_result result = apply_row(unwinder, found, in, exact_pc, out);
    *signal_ret = result == PM_UNWIND_OK && found->row.signal_frame;
    return result;
}

/* ------------------------------------------------------------------ names */

const char *pm_unwind_raw_symbol(struct pm_unwinder *unwinder, pm_addr pc, bool exact_pc,
                                 uint64_t *offset_ret) {
    pm_addr lookup = exact_pc ? pc : pc - 1;
    uint64_t vaddr;
    const struct pm_module *module = pm_modules_find(unwinder->modules, lookup, &vaddr);
    struct pm_elf_symbol symbol;
    if (!module || !module->elf || !pm_elf_symbol_at(module->elf, vaddr, &symbol)) return NULL;
    if (offset_ret) *offset_ret = vaddr + (exact_pc ? 0 : 1) - symbol.value;
    return symbol.name;
}

char *pm_unwind_symbol(struct pm_unwinder *unwinder, pm_addr pc, bool exact_pc, uint64_t *offset_ret) {
    const char *raw = pm_unwind_raw_symbol(unwinder, pc, exact_pc, offset_ret);
    return raw ? pm_demangle(raw) : NULL;
}

bool pm_unwind_line(struct pm_unwinder *unwinder, pm_addr pc, bool exact_pc, const char **file_ret,
                    unsigned *line_ret) {
    uint64_t vaddr;
    const struct pm_module *module = pm_modules_find(unwinder->modules, exact_pc ? pc : pc - 1, &vaddr);
    if (!module || !module->elf) return false;
    struct source *source = find_source(unwinder, module);
    if (!source) return false;
    if (!source->lines_tried) {
        source->lines_tried = true;
        source->lines = pm_line_open(module->elf);
    }
    return source->lines && pm_line_find(source->lines, vaddr, file_ret, line_ret);
}

/* ------------------------------------------------------------------ life */

struct pm_error *pm_unwinder_create(const struct pm_core *core, const struct pm_modules *modules,
                                    struct pm_unwinder **ret) {
    struct pm_unwinder *unwinder = calloc(1, sizeof(*unwinder));
    if (!unwinder) return pm_error_nomem();
    const struct pm_core_info *info = pm_core_info(core);
    unwinder->modules = modules;
    unwinder->mem = pm_core_memory(core);
    unwinder->arch = pm_arch(info->machine);
    unwinder->pac_mask = info->pac_mask;
    *ret = unwinder;
    return NULL;
}

void pm_unwinder_destroy(struct pm_unwinder *unwinder) {
    if (!unwinder) return;
    for (size_t i = 0; i < unwinder->sources.count; i++) source_destroy(unwinder->sources.items[i]);
    for (size_t i = 0; i < CACHED_ROWS; i++) free(unwinder->rows[i]);
    pm_vec_deinit(&unwinder->sources);
    free(unwinder);
}
