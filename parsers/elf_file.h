/* elf_file.h - one ELF executable or shared library, on disk or in the memory of the dead process: segments,
 * symbols, build-id, notes. libelf stays in here.
 *
 * Addresses are the file's own virtual addresses ("vaddr"); bias belongs to modules.h. 64-bit little-endian
 * only. The file is mapped, not read; libelf finds the tables, and what lies in them is checked here.
 *
 * COST       opening reads headers only. Exported names are found through the file's own hash table; the
 *            first other name indexes .symtab (official node, 165,000 symbols: about 30 ms), the first
 *            address sorts all symbols (about 15 ms).
 * OWNERSHIP  everything lives until pm_elf_close().
 * FAILURE    only the _open functions; their messages begin with the path.
 * THREADS    not thread-safe. */
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
    uint8_t type; /* STT_ */
    uint8_t binding;
};

struct pm_elf_segment { /* PT_LOAD */
    uint64_t vaddr, memory_size, file_offset, file_size;
    uint32_t flags; /* PF_ */
};

struct pm_error *pm_elf_open(const char *path, struct pm_elf **ret);
/* The same for a file that is open already; `path` is only for messages. The descriptor stays the caller's.
 */
struct pm_error *pm_elf_open_fd(int fd, const char *path, struct pm_elf **ret);
/* An ELF image in memory that outlives it (the vdso in a core). */
struct pm_error *pm_elf_open_memory(const uint8_t *bytes, uint64_t size, const char *name,
                                    struct pm_elf **ret);
void pm_elf_close(struct pm_elf *elf);

const char *pm_elf_path(const struct pm_elf *elf);
unsigned pm_elf_machine(const struct pm_elf *elf);   /* EM_X86_64, EM_AARCH64 ... */
bool pm_elf_is_executable(const struct pm_elf *elf); /* ET_EXEC: linked at fixed addresses */
uint64_t pm_elf_entry(const struct pm_elf *elf);     /* vaddr */
bool pm_elf_phdr(const struct pm_elf *elf,
                 uint64_t *vaddr_ret); /* where a process sees the program headers */
bool pm_elf_dynamic(const struct pm_elf *elf, uint64_t *vaddr_ret, uint64_t *size_ret); /* PT_DYNAMIC */
const uint8_t *pm_elf_file(const struct pm_elf *elf, uint64_t *size_ret);     /* all bytes of the file */
const uint8_t *pm_elf_build_id(const struct pm_elf *elf, size_t *length_ret); /* NULL = none */
size_t pm_elf_segment_count(const struct pm_elf *elf);
const struct pm_elf_segment *pm_elf_segment(const struct pm_elf *elf, size_t index);
/* PT_TLS: false = none. */
bool pm_elf_tls(const struct pm_elf *elf, uint64_t *memory_size_ret, uint64_t *alignment_ret);
/* Bytes of the file behind a vaddr (through PT_LOAD); NULL when not all of them are in one segment's file
 * part. */
const uint8_t *pm_elf_bytes(const struct pm_elf *elf, uint64_t vaddr, uint64_t length);
/* A section by name: its bytes in the file (NULL = none, empty, compressed or .bss). */
const uint8_t *pm_elf_section(const struct pm_elf *elf, const char *name, uint64_t *size_ret,
                              uint64_t *vaddr_ret);
bool pm_elf_offset_to_vaddr(const struct pm_elf *elf, uint64_t file_offset, uint64_t *ret);
/* .symtab and .dynsym together. By exact name; the one with a size wins, then a global one, then the first.
 */
bool pm_elf_find_symbol(const struct pm_elf *elf, const char *name, struct pm_elf_symbol *ret);
/* The function or object that contains vaddr (sized symbols that cover it win, the innermost first; without
 * any, the nearest sizeless one before it inside the same section, up to the next symbol); false = none. */
bool pm_elf_symbol_at(const struct pm_elf *elf, uint64_t vaddr, struct pm_elf_symbol *ret);
/* Calls visit for every defined symbol whose name starts with prefix ("" = all), until it returns false. What
 * is in both tables is visited once. */
void pm_elf_each_symbol(const struct pm_elf *elf, const char *prefix,
                        bool (*visit)(void *context, const struct pm_elf_symbol *symbol), void *context);
struct Elf *pm_elf_handle(const struct pm_elf *elf);

/* The build-id in the notes of an ELF image of which only `available` bytes from the start are there (the
 * header page that a core keeps of a mapped file); false = none in these bytes. */
bool pm_elf_header_build_id(const uint8_t *bytes, uint64_t available, const uint8_t **ret,
                            size_t *length_ret);
/* The PT_LOAD headers in such bytes; returns how many there are, of which at most `most` are stored. */
size_t pm_elf_header_segments(const uint8_t *bytes, uint64_t available, struct pm_elf_segment *ret,
                              size_t most);

PM_DEFINE_AUTO(elf, struct pm_elf, pm_elf_close)

#endif
