/* core_file.h - an ELF core file, as the kernel, gcore or qemu wrote it.
 *
 * Knows segments (more than 65,535 too: PN_XNUM), threads with registers, signal, auxv, mapped files. Knows
 * nothing of V8. A core that was cut short is opened as long as its program headers are there: its missing
 * segments are NOT_SAVED, `missing_bytes` says how much. Without its notes it has no threads.
 *
 * OWNERSHIP  everything handed out lives until pm_core_close(); the input must outlive the core.
 * FAILURE    only pm_core_open(); its messages begin with the input's path. */
#ifndef PM_PARSERS_CORE_FILE_H
#define PM_PARSERS_CORE_FILE_H

#include "parsers/address_space.h"
#include "parsers/input.h"

enum pm_machine { PM_MACHINE_X86_64, PM_MACHINE_AARCH64 };

/* Registers in DWARF numbering. x86-64: 0 rax 1 rdx 2 rcx 3 rbx 4 rsi 5 rdi 6 rbp 7 rsp 8-15 r8-r15 16 rip.
 * aarch64: 0-30 x0-x30, 31 sp, 32 pc. A register without its bit in `valid` has no known value. */
#define PM_REG_COUNT 33
struct pm_regs {
    uint64_t value[PM_REG_COUNT];
    uint64_t valid;
};

struct pm_core_thread {
    uint32_t tid;
    int signal; /* NT_PRSTATUS cursig; 0 = none */
    struct pm_regs regs;
    uint64_t thread_pointer; /* fs_base / tpidr_el0 */
    bool has_thread_pointer;
};

struct pm_core_mapping { /* NT_FILE */
    pm_addr start, end;
    uint64_t file_offset;
    const char *path;
};

struct pm_core_info {
    enum pm_machine machine;
    uint32_t pid, ppid;      /* NT_PRPSINFO; 0 = no such note */
    const char *name, *args; /* NT_PRPSINFO, NULL = none */
    bool has_siginfo;
    int signal, signal_code;         /* NT_SIGINFO */
    uint32_t sender_pid, sender_uid; /* valid for SI_USER, SI_TKILL, SI_QUEUE */
    pm_addr fault_address;           /* valid for SIGSEGV, SIGBUS, SIGILL, SIGFPE raised by the kernel */
    pm_addr entry, phdr, execfn, sysinfo_ehdr,
        random;                /* NT_AUXV: AT_ENTRY, AT_PHDR, AT_EXECFN ...; 0 = none */
    pm_addr base;              /* AT_BASE: the dynamic loader; 0 = none */
    uint64_t phdr_count;       /* AT_PHNUM */
    uint64_t page_size;        /* AT_PAGESZ, or of NT_FILE, else 4096 */
    bool has_files;            /* NT_FILE was there (qemu's cores have none) */
    uint64_t expected_size;    /* what the program headers say the file should hold */
    uint64_t missing_bytes;    /* of it cut off */
    uint64_t pac_mask;         /* bits of a signed code pointer to clear; 0 on x86-64 */
    uint64_t segment_count;    /* PT_LOAD */
    uint64_t skipped_segments; /* with impossible addresses */
    uint64_t skipped_threads;  /* above PM_MAX_THREADS */
    bool notes_cut;            /* the notes end early or are damaged: threads or facts may be missing */
};

struct pm_core;

bool pm_core_sniff(
    const struct pm_input *input); /* is it an ELF file of type core, whatever class and machine? */
struct pm_error *pm_core_open(const struct pm_input *input, struct pm_core **ret);
void pm_core_close(struct pm_core *core);

const struct pm_core_info *pm_core_info(const struct pm_core *core);
struct pm_mem *pm_core_memory(const struct pm_core *core);
size_t pm_core_thread_count(const struct pm_core *core);
const struct pm_core_thread *pm_core_thread(const struct pm_core *core,
                                            size_t index); /* 0 = the one that took the signal */
size_t pm_core_mapping_count(const struct pm_core *core);
const struct pm_core_mapping *pm_core_mapping(const struct pm_core *core, size_t index); /* ascending */
/* The original command line and environment, from the initial stack (auxv copy). Returns malloc'd
 * NULL-terminated arrays of pointers into one block; free() the array only. NULL when the stack does not hold
 * them. */
char **pm_core_argv(const struct pm_core *core, size_t *count_ret);
char **pm_core_environ(const struct pm_core *core, size_t *count_ret);

PM_DEFINE_AUTO(core, struct pm_core, pm_core_close)

#endif
