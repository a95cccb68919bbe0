/* make_seeds.c - writes the seeds of the fuzz targets core, elf and cfi: small files of every shape there is.
 * `fuzz_seeds corpora/fuzz`. */
#include <dwarf.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "tests/support/bytes.h"
#include "tests/support/core_builder.h"
#include "tests/support/elf_builder.h"
#include "tests/unwind/frame_builder.h"

static char folder[4000];

static void into(const char *base, const char *name) {
    snprintf(folder, sizeof(folder), "%s/%s", base, name);
    mkdir(folder, 0777);
}

static void save(const char *name, const void *bytes, size_t size) {
    free(bytes_write(bytes, size, folder, name));
}

/* ---- cores ---- */

static void save_core(const char *name, struct core_builder *core) {
    size_t size;
    const uint8_t *bytes = core_builder_bytes(core, &size);
    save(name, bytes, size);
    core_builder_destroy(core);
}

/* The top of the stack as a program finds it: argc, argv, environ, auxv. */
static void add_stack(struct core_builder *core) {
    uint64_t stack[24] = {2, 0x7f0080, 0x7f0088, 0, 0x7f0090, 0, AT_PAGESZ, 4096, AT_NULL, 0};
    memcpy((char *)stack + 0x80, "node\0   app.js\0 A=b\0", 21);
    core_builder_segment(core, 0x7f0000, stack, sizeof(stack), 4096, PF_R | PF_W);
    uint64_t pairs[] = {AT_PAGESZ, 4096,      AT_ENTRY, 0x401000,  AT_PHDR,  0x400040,        AT_PHNUM,
                        3,         AT_EXECFN, 0x7f0080, AT_RANDOM, 0x7f0088, AT_SYSINFO_EHDR, 0x600000};
    core_builder_auxv(core, pairs, sizeof(pairs) / 16);
}

static struct core_builder *usual_core(unsigned machine) {
    struct core_builder *core = core_builder_new(machine);
    struct pm_regs regs = {.value = {[6] = 0x7f0040, [7] = 0x7f0000, [16] = 0x401004, [31] = 0x7f0000}};
    regs.valid = machine == EM_X86_64 ? (1ull << 17) - 1 : (1ull << 33) - 1;
    core_builder_thread(core, 42, 6, &regs, 0x7f0100);
    core_builder_prpsinfo(core, 42, 1, "node", "node app.js");
    core_builder_siginfo(core, 6, -6, 42);
    add_stack(core);
    core_builder_thread(core, 43, 0, &regs, 0);
    core_builder_segment(core, 0x401000, "\x55\x48\x89\xe5\xc3", 5, 4096, PF_R | PF_X);
    core_builder_file(core, 0x400000, 0x402000, 0, "/usr/bin/node");
    return core;
}

static void make_cores(void) {
    save_core("x86-64", usual_core(EM_X86_64));
    save_core("aarch64", usual_core(EM_AARCH64));
    save_core("32-bit", usual_core(EM_386));
    struct core_builder *core = usual_core(EM_X86_64);
    core_builder_extended(core);
    save_core("pn-xnum", core);
    core = usual_core(EM_X86_64);
    core_builder_file_unit(core, 1);
    core_builder_file(core, 0x500000, 0x501000, 0x3000, "/lib/libc.so.6");
    core_builder_note(core, "GNU", 3, "\1\2\3\4\5\6\7\10", 8);
    save_core("gdb", core);
    core = core_builder_new(EM_X86_64);
    core_builder_segment(core, 0x1000, NULL, 0, 0x10000, PF_R);
    core_builder_segment(core, 0x8000, "overlaps", 8, 8, PF_R);
    save_core("nothing-saved", core);
    core = usual_core(EM_AARCH64);
    size_t size;
    const uint8_t *bytes = core_builder_bytes(core, &size);
    save("cut", bytes, size * 2 / 3);
    core_builder_destroy(core);
}

/* ---- programs and libraries ---- */

static void make_elf(const char *name, unsigned machine, unsigned type, bool rich) {
    struct elf_builder *elf = elf_builder_new(machine, type, type == ET_EXEC ? 0x400000 : 0);
    uint64_t base = type == ET_EXEC ? 0x400000 : 0;
    elf_builder_segment(elf, base + 0x1000, "\x55\x48\x89\xe5\xc3", 5, 5, PF_R | PF_X);
    if (rich) {
        elf_builder_build_id(elf, "0123456789abcdefghij", 20);
        elf_builder_entry(elf, base + 0x1000);
        elf_builder_segment(elf, base + 0x2000, "data", 4, 64, PF_R | PF_W);
        elf_builder_tls(elf, base + 0x2000, 16, 8);
        elf_builder_symbol(elf, "main", base + 0x1000, 5, ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), 2, false);
        elf_builder_symbol(elf, "_ZN4node5AbortEv", base + 0x1001, 0, ELF64_ST_INFO(STB_LOCAL, STT_FUNC), 2,
                           false);
        elf_builder_symbol(elf, "v8dbg_SmiTag", base + 0x2000, 4, ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT), 3,
                           true);
        elf_builder_dynamic(elf, base + 0x2000, 32);
    }
    size_t size;
    const uint8_t *bytes = elf_builder_bytes(elf, &size);
    save(name, bytes, size);
    elf_builder_destroy(elf);
}

/* ---- call frame information ---- */

static void save_frames(const char *name, int kind, const struct bytes *table, const struct bytes *frames) {
    struct bytes out = {0};
    uint8_t head[2] = {(uint8_t)kind, (uint8_t)(table ? table->size : 0)};
    bytes_add(&out, head, 2);
    if (table) bytes_add(&out, table->data, table->size);
    bytes_add(&out, frames->data, frames->size);
    save(name, out.data, out.size);
    bytes_free(&out);
}

static void make_frames(void) {
    static const uint8_t entry[] = {DW_CFA_def_cfa, 7, 8, DW_CFA_offset | 16, 1};
    static const uint8_t rules[] = {
        DW_CFA_advance_loc | 1, DW_CFA_def_cfa_offset,   16, DW_CFA_offset | 6,   2,
        DW_CFA_remember_state,  DW_CFA_def_cfa_register, 6,  DW_CFA_advance_loc1, 8,
        DW_CFA_restore_state,   DW_CFA_undefined,        3};
    static const uint8_t expressions[] = {DW_CFA_def_cfa_expression,
                                          3,
                                          DW_OP_breg7,
                                          8,
                                          DW_OP_deref,
                                          DW_CFA_expression,
                                          3,
                                          2,
                                          DW_OP_breg6,
                                          0,
                                          DW_CFA_val_expression,
                                          12,
                                          4,
                                          DW_OP_lit8,
                                          DW_OP_dup,
                                          DW_OP_mul,
                                          DW_OP_neg};
    struct frames f = {.vaddr = 0x2000};
    size_t cie = frames_cie(&f, "zR", 1, -8, 16, "\x1b", 1, entry, sizeof(entry));
    size_t first = frames_fde(&f, cie, 0x1000, 0x40, rules, sizeof(rules));
    size_t second = frames_fde(&f, cie, 0x1100, 0x40, expressions, sizeof(expressions));
    frames_end(&f);
    save_frames("eh-frame", 0, NULL, &f.out);
    struct bytes table = {0};
    uint64_t pairs[] = {0x1000, 0x2000 + first, 0x1100, 0x2000 + second};
    frames_table(&table, 0x8000, 0x2000, pairs, 2);
    save_frames("eh-frame-hdr", 2, &table, &f.out);
    bytes_free(&table);
    bytes_free(&f.out);
    f = (struct frames){.vaddr = 0x2000, .debug = true};
    cie = frames_cie_version(&f, 4, "", 1, -8, 16, NULL, 0, entry, sizeof(entry));
    frames_fde(&f, cie, 0x1000, 0x40, rules, sizeof(rules));
    frames_end(&f);
    save_frames("debug-frame", 1, NULL, &f.out);
    bytes_free(&f.out);
    struct bytes code = {0};
    bytes_add(&code, expressions + 2, 3);
    bytes_add(&code, expressions + 13, 4);
    save_frames("expression", 3, NULL, &code);
    bytes_free(&code);
}

int main(int argc, char **argv) {
    if (argc != 2) return fprintf(stderr, "usage: fuzz_seeds FOLDER\n"), 64;
    into(argv[1], "core");
    make_cores();
    into(argv[1], "elf");
    make_elf("program", EM_X86_64, ET_EXEC, true);
    make_elf("library", EM_AARCH64, ET_DYN, true);
    make_elf("stripped", EM_X86_64, ET_DYN, false);
    into(argv[1], "cfi");
    make_frames();
    return 0;
}
