/* elf_builder.h - makes small ELF programs and libraries for tests: segments, build-id, symbols, thread-local
 * storage.
 *
 * The file looks like a linker's: a read-only first segment with ELF header, program headers and the build-id
 * note (one page at vaddr `base`), then the segments that were added, each at an offset congruent to its
 * vaddr, then .symtab, .dynsym with .gnu.hash, and the section headers. Section 1 is the first page, section
 * 1 + n the n-th segment added. */
#ifndef PM_TESTS_ELF_BUILDER_H
#define PM_TESTS_ELF_BUILDER_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_builder;

struct elf_builder *elf_builder_new(unsigned machine, unsigned type /* ET_EXEC, ET_DYN */, uint64_t base);
void elf_builder_destroy(struct elf_builder *elf);
void elf_builder_segment(struct elf_builder *elf, uint64_t vaddr, const void *bytes, uint64_t file_size,
                         uint64_t memory_size, uint32_t flags);
void elf_builder_build_id(struct elf_builder *elf, const void *bytes, size_t size);
void elf_builder_entry(struct elf_builder *elf, uint64_t vaddr);
void elf_builder_tls(struct elf_builder *elf, uint64_t vaddr, uint64_t memory_size, uint64_t alignment);
void elf_builder_dynamic(struct elf_builder *elf, uint64_t vaddr, uint64_t size); /* PT_DYNAMIC */
/* info: ELF64_ST_INFO(binding, type). dynamic: into .dynsym instead of .symtab. */
void elf_builder_symbol(struct elf_builder *elf, const char *name, uint64_t value, uint64_t size,
                        unsigned info, unsigned section, bool dynamic);

uint8_t *elf_builder_bytes(struct elf_builder *elf,
                           size_t *size_ret); /* lives until the next call or _destroy() */
char *elf_builder_write(struct elf_builder *elf, const char *folder, const char *name); /* the path, malloc */

#endif
