/* fuzz_elf.c - any bytes as a program or library: every question that is asked about one, its line table, and
 * its names demangled. */
#include <stdlib.h>
#include <string.h>

#include "parsers/demangle.h"
#include "parsers/dwarf_line.h"
#include "parsers/elf_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool visit(void *context, const struct pm_elf_symbol *symbol) {
    size_t *left = context;
    free(pm_demangle(symbol->name));
    free(pm_demangle_path(symbol->name));
    return --*left > 0;
}

static void ask_symbols(const struct pm_elf *elf) {
    static const char *const names[] = {"main", "v8dbg_SmiTag", "_ZN4node5AbortEv", ""};
    struct pm_elf_symbol symbol;
    size_t left = 200;
    pm_elf_each_symbol(elf, "", visit, &left);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (pm_elf_find_symbol(elf, names[i], &symbol)) free(pm_demangle(symbol.name));
    for (uint64_t at = 0; at < 0x4000; at += 0x155)
        if (pm_elf_symbol_at(elf, pm_elf_entry(elf) + at, &symbol)) (void)strlen(symbol.name);
}

static void ask_sections(const struct pm_elf *elf) {
    static const char *const names[] = {".eh_frame", ".text", ".symtab", ".dynsym", ".debug_line", ""};
    uint64_t size, vaddr;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const uint8_t *bytes = pm_elf_section(elf, names[i], &size, &vaddr);
        if (bytes && size) (void)*(const volatile uint8_t *)(bytes + size - 1);
    }
    for (size_t i = 0; i < pm_elf_segment_count(elf); i++) {
        const struct pm_elf_segment *segment = pm_elf_segment(elf, i);
        const uint8_t *bytes = pm_elf_bytes(elf, segment->vaddr, segment->file_size);
        if (bytes && segment->file_size) (void)*(const volatile uint8_t *)(bytes + segment->file_size - 1);
        pm_elf_bytes(elf, segment->vaddr + segment->memory_size - 1, 2);
        pm_elf_offset_to_vaddr(elf, segment->file_offset, &vaddr);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pm_elf *elf PM_AUTO(elf) = NULL;
    struct pm_error *err = pm_elf_open_memory(data, size, "fuzz", &elf);
    if (err) {
        pm_error_destroy(err);
        return 0;
    }
    uint64_t a, b;
    size_t length;
    const char *file;
    unsigned line;
    const uint8_t *id = pm_elf_build_id(elf, &length);
    if (id && length) (void)*(const volatile uint8_t *)(id + length - 1);
    pm_elf_phdr(elf, &a);
    pm_elf_dynamic(elf, &a, &b);
    pm_elf_tls(elf, &a, &b);
    ask_sections(elf);
    ask_symbols(elf);
    struct pm_line_table *table = pm_line_open(elf);
    if (table && pm_line_find(table, pm_elf_entry(elf), &file, &line)) (void)strlen(file);
    pm_line_close(table);
    return 0;
}
