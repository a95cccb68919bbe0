/* core_builder.h - makes ELF cores for tests: any machine and class, threads, notes, files, segments that are
 * not saved, more than 65,535 of them, cut off anywhere.
 *
 *     struct core_builder *core = core_builder_new(EM_X86_64);
 *     core_builder_segment(core, 0x1000, "hello", 5, 16, PF_R | PF_W);    5 bytes saved of 16
 *     core_builder_thread(core, 42, &regs, 0x7000);
 *     pm_core_open(core_builder_input(core), &opened);                    in memory, no file
 *     core_builder_destroy(core);
 *
 * Bytes are copied. Notes come out in the order of the calls, NT_FILE last. Without memory the test program
 * ends. */
#ifndef PM_TESTS_CORE_BUILDER_H
#define PM_TESTS_CORE_BUILDER_H

#include <elf.h>

#include "parsers/core_file.h"

struct core_builder;

struct core_builder *core_builder_new(unsigned machine); /* EM_386 and EM_ARM make 32-bit cores */
void core_builder_destroy(struct core_builder *core);

void core_builder_segment(struct core_builder *core, pm_addr start, const void *bytes, uint64_t saved,
                          uint64_t memory_size, uint32_t flags);
void core_builder_note(struct core_builder *core, const char *owner, uint32_t type, const void *bytes,
                       size_t size);
/* NT_PRSTATUS; on aarch64 a thread pointer other than 0 becomes NT_ARM_TLS. */
void core_builder_thread(struct core_builder *core, uint32_t tid, int signal, const struct pm_regs *regs,
                         uint64_t thread_pointer);
void core_builder_prpsinfo(struct core_builder *core, uint32_t pid, uint32_t ppid, const char *name,
                           const char *args);
/* payload: sender pid and uid (low and high half), or the fault address. */
void core_builder_siginfo(struct core_builder *core, int signal, int code, uint64_t payload);
void core_builder_auxv(struct core_builder *core, const uint64_t *pairs,
                       size_t pair_count); /* AT_NULL is added */
void core_builder_file(struct core_builder *core, pm_addr start, pm_addr end, uint64_t file_offset,
                       const char *path);
void core_builder_file_unit(struct core_builder *core,
                            uint64_t unit);            /* of NT_FILE's offsets: 4096; gdb writes 1 */
void core_builder_extended(struct core_builder *core); /* PN_XNUM, with its section header behind all data */

/* The finished file; lives until the next call or core_builder_destroy(). */
uint8_t *core_builder_bytes(struct core_builder *core, size_t *size_ret);
/* The same as an input; `size` may be made smaller to cut it off. */
struct pm_input *core_builder_input(struct core_builder *core);
/* Writes it to a file and returns the path (malloc). */
char *core_builder_write(struct core_builder *core, const char *folder);

#endif
