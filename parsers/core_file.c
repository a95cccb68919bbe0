#include "parsers/core_file.h"

#include <elf.h>
#include <string.h>

#include "parsers/elf_notes.h"
#include "postmortem/base/checked.h"
#include "postmortem/base/escape.h"
#include "postmortem/base/limits.h"
#include "postmortem/base/sort.h"
#include "postmortem/base/vec.h"

#ifndef NT_ARM_PAC_MASK
#define NT_ARM_PAC_MASK 0x406
#endif
#define NT_FILE_ENTRY 24 /* start, end, offset in pages */

struct pm_core {
    struct pm_core_info info;
    struct pm_mem *memory;
    PM_VEC(struct pm_core_thread) threads;
    PM_VEC(struct pm_core_mapping) mappings;
    char *name, *args;
    struct pm_cursor auxv; /* the note's bytes */
    bool has_pac_mask, has_prpsinfo;
    int first_signal; /* NT_PRSTATUS of the first thread, for cores without NT_SIGINFO */
};

/* ------------------------------------------------------------------ the ELF header */

static struct pm_error *core_error(enum pm_error_kind kind, const struct pm_input *input, const char *what) {
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    pm_escape_terminal(&text, input->path, strlen(input->path));
    return pm_error_create(kind, "%s: %s", pm_strbuf_text(&text), what);
}

static struct pm_error *core_error_at(enum pm_error_kind kind, const struct pm_input *input, uint64_t where,
                                      const char *what) {
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    pm_escape_terminal(&text, input->path, strlen(input->path));
    return pm_error_at(kind, where, "%s: %s", pm_strbuf_text(&text), what);
}

static uint16_t field16(const uint8_t *bytes, bool big_endian) {
    unsigned first = bytes[0], second = bytes[1];
    return (uint16_t)(big_endian ? first << 8 | second : second << 8 | first);
}

bool pm_core_sniff(const struct pm_input *input) {
    return input->size >= EI_NIDENT + 4 && memcmp(input->bytes, ELFMAG, SELFMAG) == 0 &&
           field16(input->bytes + EI_NIDENT, input->bytes[EI_DATA] == ELFDATA2MSB) == ET_CORE;
}

static struct pm_error *not_a_core(const struct pm_input *input) {
    static const char hint[] =
        "a core comes from the kernel (ulimit -c unlimited, /proc/sys/kernel/core_pattern), from "
        "`gcore PID`, or on systemd from `coredumpctl dump -o FILE`";
    if (input->size == 0)
        return pm_error_hint(
            core_error(PM_ERR_FORMAT, input, "the file is empty"),
            "a core of 0 bytes means that writing it failed: the disk was full or ulimit -c was 0");
    if (input->size < EI_NIDENT + 4 || memcmp(input->bytes, ELFMAG, SELFMAG) != 0)
        return pm_error_hint(core_error(PM_ERR_FORMAT, input, "not an ELF core"), hint);
    uint16_t type = field16(input->bytes + EI_NIDENT, input->bytes[EI_DATA] == ELFDATA2MSB);
    if (type == ET_EXEC || type == ET_DYN)
        return pm_error_hint(core_error(PM_ERR_FORMAT, input, "an ELF program or library, not a core"),
                             "give the core first and the program with --exe");
    return pm_error_hint(core_error(PM_ERR_FORMAT, input, "an ELF file, but not a core"), hint);
}

static struct pm_error *check_header(const struct pm_input *input, Elf64_Ehdr *ret) {
    if (!pm_core_sniff(input)) return not_a_core(input);
    if (input->bytes[EI_CLASS] != ELFCLASS64)
        return pm_error_hint(
            core_error(PM_ERR_UNSUPPORTED, input, "32-bit core; only 64-bit processes can be analysed"),
            "gdb reads 32-bit cores; Node.js has no 32-bit builds for Linux x86 since version 10");
    if (input->bytes[EI_DATA] != ELFDATA2LSB)
        return core_error(PM_ERR_UNSUPPORTED, input,
                          "core of a big-endian machine; x86-64 and aarch64 are supported");
    if (input->size < sizeof(*ret))
        return core_error_at(PM_ERR_FORMAT, input, input->size, "the core is cut off inside its ELF header");
    memcpy(ret, input->bytes, sizeof(*ret));
    if (ret->e_machine != EM_X86_64 && ret->e_machine != EM_AARCH64) {
        struct pm_strbuf text PM_AUTO_STRBUF = {0};
        pm_strbuf_appendf(&text, "core of another machine (ELF machine %u); x86-64 and aarch64 are supported",
                          ret->e_machine);
        return core_error(PM_ERR_UNSUPPORTED, input, pm_strbuf_text(&text));
    }
    if (ret->e_phentsize != sizeof(Elf64_Phdr))
        return core_error_at(PM_ERR_FORMAT, input, offsetof(Elf64_Ehdr, e_phentsize),
                             "the core's program headers have an impossible size");
    return NULL;
}

/* ------------------------------------------------------------------ program headers */

static Elf64_Phdr header_at(const uint8_t *table, uint64_t index) {
    Elf64_Phdr header;
    memcpy(&header, table + index * sizeof(header), sizeof(header));
    return header;
}

/* With 65,535 headers or more e_phnum says PN_XNUM and the count is in section header 0. The kernel writes
 * that one behind all data, so a core that was cut short has lost it; but it also writes the notes directly
 * behind the program headers. */
static bool count_extended(const struct pm_input *input, const Elf64_Ehdr *header, uint64_t *ret) {
    if (pm_range_inside(header->e_shoff, sizeof(Elf64_Shdr), 1, input->size)) {
        Elf64_Shdr section;
        memcpy(&section, input->bytes + header->e_shoff, sizeof(section));
        *ret = section.sh_info;
        return true;
    }
    uint64_t room = (input->size - header->e_phoff) / sizeof(Elf64_Phdr);
    for (uint64_t i = 0; i < room && i < PM_MAX_SEGMENTS; i++) {
        Elf64_Phdr program = header_at(input->bytes + header->e_phoff, i);
        if (program.p_type != PT_NOTE || program.p_offset < header->e_phoff) continue;
        *ret = (program.p_offset - header->e_phoff) / sizeof(Elf64_Phdr);
        return true;
    }
    return false;
}

static struct pm_error *count_headers(const struct pm_input *input, const Elf64_Ehdr *header, uint64_t *ret) {
    static const char hint[] =
        "the copy or the disk ended too early: nothing of the process's memory is in this file";
    uint64_t count = header->e_phnum;
    if (header->e_phoff < sizeof(*header))
        return core_error_at(PM_ERR_FORMAT, input, offsetof(Elf64_Ehdr, e_phoff),
                             "the core has no program headers");
    bool known =
        header->e_phoff <= input->size && (count != PN_XNUM || count_extended(input, header, &count));
    if (known && count > PM_MAX_SEGMENTS)
        return core_error(PM_ERR_LIMIT, input, "the core has more than 4,000,000 segments");
    if (known && count == 0)
        return core_error_at(PM_ERR_FORMAT, input, offsetof(Elf64_Ehdr, e_phnum),
                             "the core has no program headers");
    if (!known || !pm_range_inside(header->e_phoff, count * sizeof(Elf64_Phdr), 0, input->size))
        return pm_error_hint(core_error_at(PM_ERR_FORMAT, input, input->size,
                                           "the core is cut off inside its program headers"),
                             hint);
    *ret = count;
    return NULL;
}

/* The first hole that ends behind `offset`. */
static size_t first_hole(const struct pm_input *input, uint64_t offset) {
    size_t low = 0, high = input->hole_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (input->holes[middle].end <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The holes of the file inside of a segment. */
static struct pm_error *add_holes(struct pm_core *core, const struct pm_input *input,
                                  const Elf64_Phdr *program, uint64_t saved) {
    uint64_t start = program->p_offset, size = saved < program->p_memsz ? saved : program->p_memsz;
    for (size_t i = first_hole(input, start); i < input->hole_count && input->holes[i].start < start + size;
         i++) {
        const struct pm_hole *hole = &input->holes[i];
        uint64_t from = hole->start > start ? hole->start - start : 0, to = hole->end - start;
        PM_TRY(pm_mem_add_hole(core->memory, program->p_vaddr + from,
                               program->p_vaddr + (to < size ? to : size)));
    }
    return NULL;
}

static struct pm_error *add_segment(struct pm_core *core, const struct pm_input *input,
                                    const Elf64_Phdr *program) {
    core->info.segment_count++;
    pm_addr end;
    if (!pm_add_u64(program->p_vaddr, program->p_memsz, &end)) {
        core->info.skipped_segments++;
        return NULL;
    }
    uint64_t saved = 0;
    if (program->p_offset < input->size) saved = input->size - program->p_offset;
    if (saved > program->p_filesz) saved = program->p_filesz;
    PM_TRY(add_holes(core, input, program, saved));
    return pm_mem_add(core->memory, program->p_vaddr, end, saved ? input->bytes + program->p_offset : NULL,
                      saved, program->p_flags & (PM_MEM_READ | PM_MEM_WRITE | PM_MEM_EXECUTE));
}

static void note_expected(struct pm_core_info *info, const Elf64_Phdr *program) {
    uint64_t end;
    if (program->p_filesz && pm_add_u64(program->p_offset, program->p_filesz, &end) &&
        end > info->expected_size)
        info->expected_size = end;
}

/* ------------------------------------------------------------------ notes */

static void read_x86_64_regs(struct pm_cursor *c, struct pm_core_thread *thread) {
    /* struct user_regs_struct, by DWARF number; -1 = not a register we keep */
    static const int8_t order[] = {15, 14, 13, 12, 6, 3, 11, 10, 9, 8, 0, 2, 1, 4, 5, -1, 16, -1, -1, 7};
    for (size_t i = 0; i < sizeof(order); i++) {
        uint64_t value = pm_cursor_u64(c);
        if (order[i] < 0 || c->failed) continue;
        thread->regs.value[order[i]] = value;
        thread->regs.valid |= 1ull << order[i];
    }
    pm_cursor_u64(c); /* ss */
    thread->thread_pointer = pm_cursor_u64(c);
    thread->has_thread_pointer = !c->failed;
}

static void read_aarch64_regs(struct pm_cursor *c, struct pm_core_thread *thread) {
    for (unsigned i = 0; i < 33; i++) { /* x0-x30, sp, pc: as DWARF counts them */
        uint64_t value = pm_cursor_u64(c);
        if (c->failed) return;
        thread->regs.value[i] = value;
        thread->regs.valid |= 1ull << i;
    }
}

static struct pm_error *read_prstatus(struct pm_core *core, struct pm_cursor c) {
    struct pm_core_thread thread = {0};
    int number = (int)pm_cursor_u32(&c); /* si_signo */
    pm_cursor_seek(&c, 12);
    thread.signal = (int16_t)pm_cursor_u16(&c);
    pm_cursor_seek(&c, 32);
    thread.tid = pm_cursor_u32(&c);
    pm_cursor_seek(&c, 112);
    if (c.failed) {
        core->info.notes_cut = true;
        return NULL;
    }
    if (core->info.machine == PM_MACHINE_X86_64)
        read_x86_64_regs(&c, &thread);
    else
        read_aarch64_regs(&c, &thread);
    if (c.failed) core->info.notes_cut = true;
    if (core->threads.count >= PM_MAX_THREADS) {
        core->info.skipped_threads++;
        return NULL;
    }
    if (!core->threads.count) core->first_signal = thread.signal ? thread.signal : number;
    return pm_vec_push(&core->threads, thread) ? NULL : pm_error_nomem();
}

static struct pm_error *read_prpsinfo(struct pm_core *core, struct pm_cursor c) {
    if (core->has_prpsinfo) return NULL;
    pm_cursor_seek(&c, 24);
    uint32_t pid = pm_cursor_u32(&c), ppid = pm_cursor_u32(&c);
    pm_cursor_seek(&c, 40);
    const char *name = (const char *)pm_cursor_take(&c, 16), *args = (const char *)pm_cursor_take(&c, 80);
    if (c.failed) {
        core->info.notes_cut = true;
        return NULL;
    }
    core->has_prpsinfo = true;
    core->info.pid = pid;
    core->info.ppid = ppid;
    core->info.name = core->name = strndup(name, 16); /* neither needs a NUL */
    core->info.args = core->args = strndup(args, 80);
    return core->name && core->args ? NULL : pm_error_nomem();
}

static void read_siginfo(struct pm_core *core, struct pm_cursor c) {
    struct pm_core_info *info = &core->info;
    if (info->has_siginfo) return;
    int number = (int)pm_cursor_u32(&c);
    pm_cursor_u32(&c); /* si_errno */
    int code = (int)pm_cursor_u32(&c);
    pm_cursor_seek(&c, 16);
    if (c.failed || !number) return; /* gcore writes an empty one for a process that had no signal */
    info->has_siginfo = true;
    info->signal = number;
    info->signal_code = code;
    struct pm_cursor sender = c;
    if (code == 0 || code == -1 || code == -6) { /* SI_USER, SI_QUEUE, SI_TKILL */
        info->sender_pid = pm_cursor_u32(&sender);
        info->sender_uid = pm_cursor_u32(&sender);
    } else if (code > 0 && code != 0x80 && (number == 11 || number == 7 || number == 4 || number == 8)) {
        info->fault_address = pm_cursor_u64(&c); /* SI_KERNEL (0x80) says none */
    }
}

static void read_auxv(struct pm_core *core, struct pm_cursor c) {
    struct pm_core_info *info = &core->info;
    if (core->auxv.size) return;
    core->auxv = c;
    for (;;) {
        uint64_t type = pm_cursor_u64(&c), value = pm_cursor_u64(&c);
        if (c.failed || type == AT_NULL) return;
        switch (type) {
        case AT_PHDR: info->phdr = value; break;
        case AT_PHNUM: info->phdr_count = value; break;
        case AT_BASE: info->base = value; break;
        case AT_ENTRY: info->entry = value; break;
        case AT_EXECFN: info->execfn = value; break;
        case AT_SYSINFO_EHDR: info->sysinfo_ehdr = value; break;
        case AT_RANDOM: info->random = value; break;
        case AT_PAGESZ:
            if (value >= 4096 && value <= 1 << 20 && (value & (value - 1)) == 0) info->page_size = value;
            break;
        default: break;
        }
    }
}

static struct pm_error *read_files(struct pm_core *core, struct pm_cursor c) {
    if (core->info.has_files) return NULL;
    uint64_t count = pm_cursor_u64(&c), unit = pm_cursor_u64(&c); /* gcore's unit is 1 byte */
    if (c.failed || count > PM_MAX_SEGMENTS || count > pm_cursor_left(&c) / NT_FILE_ENTRY) {
        core->info.notes_cut = true;
        return NULL;
    }
    core->info.has_files = true;
    if (!core->info.page_size && unit >= 4096 && unit <= 1 << 20) core->info.page_size = unit;
    struct pm_cursor paths = c;
    pm_cursor_take(&paths, count * NT_FILE_ENTRY);
    if (!pm_vec_reserve(&core->mappings, count)) return pm_error_nomem();
    for (uint64_t i = 0; i < count; i++) {
        struct pm_core_mapping mapping = {.start = pm_cursor_u64(&c), .end = pm_cursor_u64(&c)};
        uint64_t pages = pm_cursor_u64(&c);
        mapping.path = pm_cursor_string(&paths);
        if (!mapping.path) {
            core->info.notes_cut = true;
            break;
        }
        if (mapping.start >= mapping.end || !pm_mul_u64(pages, unit, &mapping.file_offset)) continue;
        if (!pm_vec_push(&core->mappings, mapping)) return pm_error_nomem();
    }
    return NULL;
}

static void read_arm_tls(struct pm_core *core, struct pm_cursor c) {
    if (core->info.machine != PM_MACHINE_AARCH64 || !core->threads.count || core->info.skipped_threads)
        return;
    struct pm_core_thread *thread = &core->threads.items[core->threads.count - 1];
    uint64_t value = pm_cursor_u64(&c);
    if (c.failed || thread->has_thread_pointer) return;
    thread->thread_pointer = value;
    thread->has_thread_pointer = true;
}

static void read_pac_mask(struct pm_core *core, struct pm_cursor c) {
    pm_cursor_u64(&c); /* of data pointers */
    uint64_t code = pm_cursor_u64(&c);
    if (c.failed || core->info.machine != PM_MACHINE_AARCH64 || core->has_pac_mask) return;
    core->has_pac_mask = true;
    core->info.pac_mask = code;
}

static struct pm_error *read_note(struct pm_core *core, const struct pm_note *note) {
    if (pm_note_is(note, "CORE", NT_PRSTATUS)) return read_prstatus(core, note->desc);
    if (pm_note_is(note, "CORE", NT_PRPSINFO)) return read_prpsinfo(core, note->desc);
    if (pm_note_is(note, "CORE", NT_FILE)) return read_files(core, note->desc);
    if (pm_note_is(note, "CORE", NT_SIGINFO)) read_siginfo(core, note->desc);
    if (pm_note_is(note, "CORE", NT_AUXV)) read_auxv(core, note->desc);
    if (pm_note_is(note, "LINUX", NT_ARM_TLS)) read_arm_tls(core, note->desc);
    if (pm_note_is(note, "LINUX", NT_ARM_PAC_MASK)) read_pac_mask(core, note->desc);
    return NULL;
}

static struct pm_error *read_notes(struct pm_core *core, const struct pm_input *input,
                                   const Elf64_Phdr *program, uint64_t *total) {
    uint64_t size = program->p_offset < input->size ? input->size - program->p_offset : 0;
    if (size < program->p_filesz) core->info.notes_cut = true;
    if (size > program->p_filesz) size = program->p_filesz;
    if (size > PM_MAX_NOTE_BYTES - *total) {
        size = PM_MAX_NOTE_BYTES - *total;
        core->info.notes_cut = true;
    }
    *total += size;
    if (!size) return NULL;
    struct pm_cursor cursor = pm_cursor_make(input->bytes + program->p_offset, size, program->p_offset);
    struct pm_note note;
    while (pm_note_next(&cursor, program->p_align, &note)) PM_TRY(read_note(core, &note));
    if (cursor.failed) core->info.notes_cut = true;
    return NULL;
}

/* ------------------------------------------------------------------ opening */

static int by_start(const void *a, const void *b) {
    const struct pm_core_mapping *x = a, *y = b;
    return x->start < y->start ? -1 : x->start > y->start;
}

static void settle(struct pm_core *core, const struct pm_input *input) {
    struct pm_core_info *info = &core->info;
    if (!info->page_size) info->page_size = 4096;
    if (info->expected_size > input->size) info->missing_bytes = info->expected_size - input->size;
    if (!info->has_siginfo) info->signal = core->first_signal;
    if (!info->pid && core->threads.count) info->pid = core->threads.items[0].tid;
    /* Linux gives a process 48 bits of addresses unless it asks for more, which Node.js does not. */
    if (info->machine == PM_MACHINE_AARCH64 && !core->has_pac_mask) info->pac_mask = 0xffffull << 48;
    pm_sort(core->mappings.items, core->mappings.count, sizeof(*core->mappings.items), by_start);
}

struct pm_error *pm_core_open(const struct pm_input *input, struct pm_core **ret) {
    Elf64_Ehdr header;
    uint64_t count = 0, note_bytes = 0;
    PM_TRY(check_header(input, &header));
    PM_TRY(count_headers(input, &header, &count));
    struct pm_core *core PM_AUTO(core) = calloc(1, sizeof(*core));
    if (!core) return pm_error_nomem();
    PM_TRY(pm_mem_create(&core->memory));
    core->info.machine = header.e_machine == EM_X86_64 ? PM_MACHINE_X86_64 : PM_MACHINE_AARCH64;
    core->auxv = pm_cursor_make(NULL, 0, 0);
    for (uint64_t i = 0; i < count; i++) {
        Elf64_Phdr program = header_at(input->bytes + header.e_phoff, i);
        if (program.p_type != PT_LOAD && program.p_type != PT_NOTE) continue;
        note_expected(&core->info, &program);
        PM_TRY(program.p_type == PT_LOAD ? add_segment(core, input, &program)
                                         : read_notes(core, input, &program, &note_bytes));
    }
    PM_TRY(pm_mem_finish(core->memory));
    settle(core, input);
    *ret = PM_TAKE(core);
    return NULL;
}

void pm_core_close(struct pm_core *core) {
    if (!core) return;
    pm_mem_destroy(core->memory);
    pm_vec_deinit(&core->threads);
    pm_vec_deinit(&core->mappings);
    free(core->name);
    free(core->args);
    free(core);
}

/* ------------------------------------------------------------------ accessors */

const struct pm_core_info *pm_core_info(const struct pm_core *core) {
    return &core->info;
}

struct pm_mem *pm_core_memory(const struct pm_core *core) {
    return core->memory;
}

size_t pm_core_thread_count(const struct pm_core *core) {
    return core->threads.count;
}

const struct pm_core_thread *pm_core_thread(const struct pm_core *core, size_t index) {
    return &core->threads.items[index];
}

size_t pm_core_mapping_count(const struct pm_core *core) {
    return core->mappings.count;
}

const struct pm_core_mapping *pm_core_mapping(const struct pm_core *core, size_t index) {
    return &core->mappings.items[index];
}

/* ------------------------------------------------------------------ argv and environ
 *
 * The initial stack, as the kernel laid it out (fs/binfmt_elf.c, create_elf_tables()), addresses growing to
 * the right:
 *
 *     argc | argv[0] .. argv[argc-1] | 0 | envp[0] .. | 0 | auxv | ... | AT_RANDOM's 16 bytes | ... | the
 * texts
 *
 * The copy of auxv is recognised by its bytes, which the note repeats. Below it argc is the number that is
 * followed by as many pointers to the texts and a 0. What is between is the environment; the process may have
 * changed it: setenv() replaces pointers by such to its heap, unsetenv() moves the rest up and leaves zeroes.
 * A program that sets its title (process.title) overwrites the texts, not the pointers: then the texts are
 * the title's. */

#define SEARCH_BACK (4u << 20) /* of stack, for auxv and then for argc: argv and envp are never more */
#define MAX_TEXT    131072     /* MAX_ARG_STRLEN of the kernel */
#define MAX_TEXTS   (8u << 20) /* of one list; the kernel takes 6 MB */

struct stack {
    const uint8_t *bytes;
    pm_addr start, end;
};

struct initial_stack {
    pm_addr argv, envp;
    size_t argc, envc; /* envc: words, zeroes among them */
};

static bool find_stack(const struct pm_core *core, pm_addr *from_ret, struct stack *ret) {
    const struct pm_core_info *info = &core->info;
    pm_addr from = info->random ? info->random : info->execfn;
    const struct pm_mem_range *range = from ? pm_mem_find(core->memory, from) : NULL;
    if (!range || !range->bytes || (range->start & 7)) return false;
    *ret = (struct stack){range->bytes, range->start, range->end};
    *from_ret = from;
    return true;
}

static uint64_t word(const struct stack *stack, pm_addr addr) {
    return pm_load_u64(stack->bytes + (addr - stack->start));
}

static pm_addr lowest_from(const struct stack *stack, pm_addr from) {
    return from - stack->start > SEARCH_BACK ? from - SEARCH_BACK : stack->start;
}

/* The address of auxv's copy: three entries in a row are enough to know it. */
static bool find_auxv(const struct pm_core *core, const struct stack *stack, pm_addr from, pm_addr *ret) {
    const uint64_t length = 48;
    if (core->auxv.size < length) return false;
    pm_addr lowest = lowest_from(stack, from);
    for (pm_addr at = from & ~7ull; at >= lowest + 8;) {
        at -= 8;
        if (stack->end - at < length) continue;
        if (memcmp(stack->bytes + (at - stack->start), core->auxv.bytes, length) != 0) continue;
        *ret = at;
        return true;
    }
    return false;
}

/* Is the word at `at` argc? No pointer is this small, so runs of pointers are looked at once: linear in all.
 */
static bool is_argc(const struct stack *stack, pm_addr at, pm_addr auxv) {
    uint64_t count = word(stack, at), room = (auxv - at) / 8;
    if (count == 0 || room < 3 || count > room - 3) return false;
    if (word(stack, at + 8 + count * 8) != 0) return false;
    for (uint64_t i = 1; i <= count; i++) {
        uint64_t text = word(stack, at + i * 8);
        if (text < auxv || text >= stack->end) return false;
    }
    return true;
}

static bool find_lists(const struct pm_core *core, struct initial_stack *ret) {
    struct stack stack;
    pm_addr from, auxv;
    if (!find_stack(core, &from, &stack) || !find_auxv(core, &stack, from, &auxv)) return false;
    for (pm_addr at = auxv, lowest = lowest_from(&stack, auxv); at >= lowest + 8;) {
        at -= 8;
        if (!is_argc(&stack, at, auxv)) continue;
        ret->argc = (size_t)word(&stack, at);
        ret->argv = at + 8;
        ret->envp = ret->argv + (ret->argc + 1) * 8;
        ret->envc = (size_t)(auxv - ret->envp) / 8;
        return true;
    }
    return false;
}

/* What has no readable text is left out. */
static char **read_list(const struct pm_core *core, pm_addr list, size_t count, size_t *count_ret) {
    PM_VEC(char *) texts = {0};
    size_t total = 0, kept = 0;
    bool ok = true;
    for (size_t i = 0; i < count && ok; i++) {
        uint64_t at = 0;
        pm_mem_u64(core->memory, list + i * 8, &at);
        char *text = at ? pm_mem_string(core->memory, at, MAX_TEXT) : NULL;
        if (!text) continue;
        size_t length = strlen(text) + 1;
        ok = total + length <= MAX_TEXTS && pm_vec_push(&texts, text);
        if (ok)
            total += length;
        else
            free(text);
    }
    char **block = malloc((texts.count + 1) * sizeof(*block) + total);
    char *to =
        block ? (char *)(block + texts.count + 1) : NULL; /* the texts follow the array in the same block */
    for (size_t i = 0; i < texts.count; i++) {
        size_t length = strlen(texts.items[i]) + 1;
        if (block) {
            memcpy(to, texts.items[i], length);
            block[kept++] = to;
            to += length;
        }
        free(texts.items[i]);
    }
    pm_vec_deinit(&texts);
    if (!block) return NULL;
    block[kept] = NULL;
    *count_ret = kept;
    return block;
}

char **pm_core_argv(const struct pm_core *core, size_t *count_ret) {
    struct initial_stack stack;
    return find_lists(core, &stack) ? read_list(core, stack.argv, stack.argc, count_ret) : NULL;
}

char **pm_core_environ(const struct pm_core *core, size_t *count_ret) {
    struct initial_stack stack;
    return find_lists(core, &stack) ? read_list(core, stack.envp, stack.envc, count_ret) : NULL;
}
