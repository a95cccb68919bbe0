/* elf_file.h - one ELF executable or shared library on disk: segments, symbols, build-id, notes. libelf stays in here.
 *
 * Addresses are the file's own virtual addresses ("vaddr"); bias belongs to modules.h.
 * OWNERSHIP  everything lives until pm_elf_close(). FAILURE  only pm_elf_open(). Symbols are sorted at the first look-up by
 * address (lazily: official node has 165,000). THREADS  not thread-safe. */
#ifndef PM_PARSERS_ELF_FILE_H
#define PM_PARSERS_ELF_FILE_H

#include <stddef.h>

#include "parsers/input.h"

struct pm_elf;
struct Elf; /* libelf's, for libdwarf's adapter only */

struct pm_elf_symbol {
    const char *name;
    uint64_t value; /* vaddr */
    uint64_t size;
    uint8_t type;   /* STT_ */
    uint8_t binding;
};

struct pm_elf_segment { /* PT_LOAD */
    uint64_t vaddr, memory_size, file_offset, file_size;
    uint32_t flags; /* PF_ */
};

struct pm_error *pm_elf_open(const char *path, struct pm_elf **ret);
void pm_elf_close(struct pm_elf *elf);

const char *pm_elf_path(const struct pm_elf *elf);
unsigned pm_elf_machine(const struct pm_elf *elf); /* EM_X86_64, EM_AARCH64 ... */
bool pm_elf_is_executable(const struct pm_elf *elf); /* ET_EXEC: linked at fixed addresses */
const uint8_t *pm_elf_build_id(const struct pm_elf *elf, size_t *length_ret); /* NULL = none */
size_t pm_elf_segment_count(const struct pm_elf *elf);
const struct pm_elf_segment *pm_elf_segment(const struct pm_elf *elf, size_t index);
/* PT_TLS: false = none. */
bool pm_elf_tls(const struct pm_elf *elf, uint64_t *memory_size_ret, uint64_t *alignment_ret);
/* Bytes of the file behind a vaddr (through PT_LOAD); NULL when not all of them are in one segment's file part. */
const uint8_t *pm_elf_bytes(const struct pm_elf *elf, uint64_t vaddr, uint64_t length);
bool pm_elf_offset_to_vaddr(const struct pm_elf *elf, uint64_t file_offset, uint64_t *ret);
/* .symtab and .dynsym together. By exact name; the one with a size wins. */
bool pm_elf_find_symbol(const struct pm_elf *elf, const char *name, struct pm_elf_symbol *ret);
/* The function that contains vaddr (sized symbols that cover it win; without any, the nearest sizeless one before it
 * inside the same section); false = none. */
bool pm_elf_symbol_at(const struct pm_elf *elf, uint64_t vaddr, struct pm_elf_symbol *ret);
/* Calls visit for every symbol whose name starts with prefix ("" = all), until it returns false. */
void pm_elf_each_symbol(const struct pm_elf *elf, const char *prefix,
                        bool (*visit)(void *context, const struct pm_elf_symbol *symbol), void *context);
struct Elf *pm_elf_handle(const struct pm_elf *elf);

PM_DEFINE_AUTO(elf, struct pm_elf, pm_elf_close)

#endif
