#include "parsers/core_file.h"

#include "postmortem/base/limits.h"
#include "tests/support/assert_error.h"
#include "tests/support/core_builder.h"

static struct pm_core *open_core(struct core_builder *builder) {
    struct pm_core *core = NULL;
    assert_pm_ok(pm_core_open(core_builder_input(builder), &core));
    return core;
}

static struct pm_input input_of(const void *bytes, size_t size) {
    return (struct pm_input){.path = (char *)"some.file", .bytes = size ? bytes : NULL, .size = size};
}

static struct pm_error *open_bytes(const void *bytes, size_t size) {
    struct pm_input input = input_of(bytes, size);
    struct pm_core *core = (struct pm_core *)&input;
    struct pm_error *err = pm_core_open(&input, &core);
    if (err)
        assert_ptr_equal(core, &input); /* results are written on success only */
    else
        pm_core_close(core);
    return err;
}

static struct pm_regs numbered_regs(uint64_t base) {
    struct pm_regs regs = {.valid = UINT64_MAX};
    for (unsigned i = 0; i < PM_REG_COUNT; i++) regs.value[i] = base + i;
    return regs;
}

/* ------------------------------------------------------------------ what is in a core */

static void test_segments(void **state) {
    (void)state;
    struct core_builder *b = core_builder_new(EM_X86_64);
    core_builder_segment(b, 0x1000, "hello", 5, 0x1000, PF_R | PF_W);
    core_builder_segment(b, 0x3000, NULL, 0, 0x1000, PF_R | PF_X);
    struct pm_core *core PM_AUTO(core) = open_core(b);
    const struct pm_mem *mem = pm_core_memory(core);
    uint8_t buf[8];
    assert_int_equal(pm_core_info(core)->segment_count, 2);
    assert_int_equal(pm_mem_range_count(mem), 3);
    assert_int_equal(pm_mem_find(mem, 0x3000)->protection, PM_MEM_READ | PM_MEM_EXECUTE);
    assert_pm_ok(pm_mem_read(mem, 0x1000, 5, buf));
    assert_memory_equal(buf, "hello", 5);
    assert_pm_error_at(pm_mem_read(mem, 0x1003, 4, buf), PM_ERR_NOT_SAVED, 0x1005, "not saved");
    assert_pm_error_at(pm_mem_read(mem, 0x2000, 4, buf), PM_ERR_NOT_MAPPED, 0x2000, "not mapped");
    assert_int_equal(pm_core_info(core)->missing_bytes, 0);
    assert_int_equal(pm_core_thread_count(core), 0);
    core_builder_destroy(b);
}

static void test_threads_x86_64(void **state) {
    (void)state;
    struct core_builder *b = core_builder_new(EM_X86_64);
    struct pm_regs first = numbered_regs(0x100), second = numbered_regs(0x200);
    core_builder_thread(b, 42, 6, &first, 0x7f0000001000);
    core_builder_thread(b, 43, 0, &second, 0x7f0000002000);
    struct pm_core *core PM_AUTO(core) = open_core(b);
    assert_int_equal(pm_core_thread_count(core), 2);
    const struct pm_core_thread *thread = pm_core_thread(core, 0);
    assert_int_equal(thread->tid, 42);
    assert_int_equal(thread->signal, 6);
    assert_true(thread->has_thread_pointer);
    assert_int_equal(thread->thread_pointer, 0x7f0000001000);
    for (unsigned i = 0; i <= 16; i++) assert_int_equal(thread->regs.value[i], 0x100 + i);
    assert_int_equal(thread->regs.valid, 0x1ffff);
    assert_int_equal(pm_core_thread(core, 1)->tid, 43);
    assert_int_equal(pm_core_thread(core, 1)->regs.value[16], 0x210);
    assert_int_equal(pm_core_info(core)->machine, PM_MACHINE_X86_64);
    assert_int_equal(pm_core_info(core)->pac_mask, 0);
    assert_int_equal(pm_core_info(core)->signal, 6); /* no NT_SIGINFO: from the first thread */
    assert_false(pm_core_info(core)->has_siginfo);
    core_builder_destroy(b);
}

static void test_threads_aarch64(void **state) {
    (void)state;
    struct core_builder *b = core_builder_new(EM_AARCH64);
    struct pm_regs first = numbered_regs(0x100), second = numbered_regs(0x200);
    uint64_t masks[2] = {0x1111, 0x007f000000000000};
    core_builder_thread(b, 42, 6, &first, 0x7f0000001000);
    core_builder_note(b, "LINUX", 0x406, masks, sizeof(masks));
    core_builder_thread(b, 43, 6, &second, 0); /* qemu: no thread pointer */
    struct pm_core *core PM_AUTO(core) = open_core(b);
    assert_int_equal(pm_core_thread_count(core), 2);
    const struct pm_core_thread *thread = pm_core_thread(core, 0);
    for (unsigned i = 0; i <= 32; i++) assert_int_equal(thread->regs.value[i], 0x100 + i);
    assert_true(thread->regs.valid == 0x1ffffffff);
    assert_true(thread->has_thread_pointer);
    assert_int_equal(thread->thread_pointer, 0x7f0000001000);
    assert_false(pm_core_thread(core, 1)->has_thread_pointer);
    assert_int_equal(pm_core_info(core)->machine, PM_MACHINE_AARCH64);
    assert_true(pm_core_info(core)->pac_mask == 0x007f000000000000);
    core_builder_destroy(b);
}

static void test_pac_mask_without_a_note(void **state) {
    (void)state;
    struct core_builder *b = core_builder_new(EM_AARCH64);
    struct pm_core *core PM_AUTO(core) = open_core(b);
    assert_true(pm_core_info(core)->pac_mask == 0xffff000000000000);
    assert_false(pm_core_info(core)->has_files);
    core_builder_destroy(b);
}

static void test_process_and_signal(void **state) {
    (void)state;
    struct core_builder *b = core_builder_new(EM_X86_64);
    core_builder_prpsinfo(b, 4711, 1, "sixteen-letters!", "node app.js");
    core_builder_siginfo(b, 6, -6, 1000ull << 32 | 4711);
    struct pm_core *core PM_AUTO(core) = open_core(b);
    const struct pm_core_info *info = pm_core_info(core);
    assert_int_equal(info->pid, 4711);
    assert_int_equal(info->ppid, 1);
    assert_string_equal(info->name, "sixteen-letters!"); /* the kernel's field has no room for a NUL */
    assert_string_equal(info->args, "node app.js");
    assert_true(info->has_siginfo);
    assert_int_equal(info->signal, 6);
    assert_int_equal(info->signal_code, -6);
    assert_int_equal(info->sender_pid, 4711);
    assert_int_equal(info->sender_uid, 1000);
    assert_int_equal(info->fault_address, 0);
    core_builder_destroy(b);
}

static void test_fault_address(void **state) {
    (void)state;
    struct core_builder *b = core_builder_new(EM_X86_64);
    core_builder_siginfo(b, 11, 1, 0xdeadbeef000);
    struct pm_core *core PM_AUTO(core) = open_core(b);
    assert_int_equal(pm_core_info(core)->fault_address, 0xdeadbeef000);
    assert_int_equal(pm_core_info(core)->sender_pid, 0);
    core_builder_destroy(b);
    b = core_builder_new(EM_X86_64);
    core_builder_siginfo(b, 11, 0x80, 0xdeadbeef000); /* SI_KERNEL: the kernel knows no address */
    struct pm_core *other PM_AUTO(core) = open_core(b);
    assert_int_equal(pm_core_info(other)->fault_address, 0);
    core_builder_destroy(b);
}

static void test_notes_of_others_are_ignored(void **state) {
    (void)state;
    struct core_builder *b = core_builder_new(EM_X86_64);
    uint8_t junk[400];
    memset(junk, 0x55, sizeof(junk));
    core_builder_note(b, "GDB", NT_PRSTATUS, junk, sizeof(junk));
    core_builder_note(b, "LINUX", NT_PRPSINFO, junk, sizeof(junk));
    core_builder_note(b, "CORE", NT_PRSTATUS, junk, 111); /* too short */
    struct pm_core *core PM_AUTO(core) = open_core(b);
    assert_int_equal(pm_core_thread_count(core), 0);
    assert_int_equal(pm_core_info(core)->pid, 0);
    assert_null(pm_core_info(core)->name);
    assert_true(pm_core_info(core)->notes_cut);
    core_builder_destroy(b);
}

static void test_auxv_and_files(void **state) {
    (void)state;
    struct core_builder *b = core_builder_new(EM_X86_64);
    const uint64_t auxv[] = {AT_PHDR,  0x400040, AT_PHNUM, 13,        AT_PAGESZ, 16384,           AT_ENTRY,
                             0x401000, AT_BASE,  0x7f00,   AT_EXECFN, 0x7fff,    AT_SYSINFO_EHDR, 0x7ffe000};
    core_builder_auxv(b, auxv, sizeof(auxv) / 16);
    core_builder_file(b, 0x7f0000, 0x7f1000, 0x2000, "/lib/two.so");
    core_builder_file(b, 0x400000, 0x401000, 0, "/usr/bin/node");
    core_builder_file(b, 0x600000, 0x500000, 0, "/ends/before/it/starts");
    struct pm_core *core PM_AUTO(core) = open_core(b);
    const struct pm_core_info *info = pm_core_info(core);
    assert_int_equal(info->phdr, 0x400040);
    assert_int_equal(info->phdr_count, 13);
    assert_int_equal(info->entry, 0x401000);
    assert_int_equal(info->base, 0x7f00);
    assert_int_equal(info->execfn, 0x7fff);
    assert_int_equal(info->sysinfo_ehdr, 0x7ffe000);
    assert_int_equal(info->page_size, 16384);
    assert_true(info->has_files);
    assert_int_equal(pm_core_mapping_count(core), 2);
    assert_string_equal(pm_core_mapping(core, 0)->path, "/usr/bin/node"); /* ascending */
    assert_int_equal(pm_core_mapping(core, 1)->start, 0x7f0000);
    assert_int_equal(pm_core_mapping(core, 1)->file_offset, 0x2000);
    core_builder_destroy(b);
}

/* gdb's gcore counts file offsets in bytes: its "page size" is 1. */
static void test_gcore_files(void **state) {
    (void)state;
    struct core_builder *b = core_builder_new(EM_X86_64);
    core_builder_file(b, 0x400000, 0x401000, 0x3000, "/usr/bin/node");
    core_builder_file_unit(b, 1);
    struct pm_core *core PM_AUTO(core) = open_core(b);
    assert_int_equal(pm_core_mapping(core, 0)->file_offset, 0x3000);
    assert_int_equal(pm_core_info(core)->page_size, 4096);
    core_builder_destroy(b);
}

static void test_file_note_that_lies(void **state) {
    (void)state;
    const uint64_t counts[] = {UINT64_MAX, UINT64_MAX / 24, 1ull << 60, 4};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        struct core_builder *b = core_builder_new(EM_X86_64);
        uint64_t note[11] = {counts[i], 4096, 1, 2, 3, 4, 5, 6, 7, 8, 9}; /* 4 rows claimed, 3 there */
        core_builder_note(b, "CORE", NT_FILE, note, sizeof(note));
        struct pm_core *core PM_AUTO(core) = open_core(b);
        assert_int_equal(pm_core_mapping_count(core), 0);
        assert_true(pm_core_info(core)->notes_cut);
        core_builder_destroy(b);
    }
    struct core_builder *b = core_builder_new(EM_X86_64);
    uint64_t note[9] = {2, 4096, 0x1000, 0x2000, 0, 0x3000, 0x4000, UINT64_MAX / 4096 + 1, 0};
    memcpy(&note[8], "/a\0/b no", 8); /* the second path has no end, the second offset wraps */
    core_builder_note(b, "CORE", NT_FILE, note, sizeof(note));
    struct pm_core *core PM_AUTO(core) = open_core(b);
    assert_int_equal(pm_core_mapping_count(core), 1);
    assert_string_equal(pm_core_mapping(core, 0)->path, "/a");
    core_builder_destroy(b);
}

/* ------------------------------------------------------------------ many segments */

static void add_many_segments(struct core_builder *b, size_t count) {
    for (uint64_t i = 0; i < count; i++)
        core_builder_segment(b, 0x10000 + i * 0x2000, &i, sizeof(i), 0x1000, PF_R | PF_W);
}

static void check_many_segments(const struct pm_core *core, size_t count) {
    uint64_t value;
    assert_int_equal(pm_core_info(core)->segment_count, count);
    for (uint64_t i = 0; i < count; i += 997) {
        assert_true(pm_mem_u64(pm_core_memory(core), 0x10000 + i * 0x2000, &value));
        assert_int_equal(value, i);
    }
    assert_int_equal(pm_core_info(core)->pid, 77);
}

static void test_more_segments_than_16_bits(void **state) {
    (void)state;
    struct core_builder *b = core_builder_new(EM_X86_64);
    core_builder_prpsinfo(b, 77, 1, "node", "node");
    add_many_segments(b, 70000);
    struct pm_core *core PM_AUTO(core) = open_core(b);
    check_many_segments(core, 70000);
    core_builder_destroy(b);
}

/* The section header with the count is the last thing in the file: a core that is cut short has lost it. */
static void test_extended_count_cut_off(void **state) {
    (void)state;
    struct core_builder *b = core_builder_new(EM_X86_64);
    core_builder_prpsinfo(b, 77, 1, "node", "node");
    add_many_segments(b, 1000);
    core_builder_extended(b);
    struct pm_input *input = core_builder_input(b);
    input->size -= 1;
    struct pm_core *core = NULL;
    assert_pm_ok(pm_core_open(input, &core));
    check_many_segments(core, 1000);
    pm_core_close(core);
    core_builder_destroy(b);
}

static void test_segments_with_impossible_addresses(void **state) {
    (void)state;
    struct core_builder *b = core_builder_new(EM_X86_64);
    core_builder_segment(b, UINT64_MAX - 0xfff, "x", 1, 0x2000, PF_R);
    core_builder_segment(b, 0x1000, "too much", 8, 4, PF_R); /* more in the file than in memory */
    core_builder_segment(b, 0x2000, "none", 4, 0, PF_R);
    struct pm_core *core PM_AUTO(core) = open_core(b);
    assert_int_equal(pm_core_info(core)->skipped_segments, 1);
    assert_int_equal(pm_mem_range_count(pm_core_memory(core)), 1);
    assert_int_equal(pm_mem_range_at(pm_core_memory(core), 0)->end, 0x1004);
    core_builder_destroy(b);
}

/* ------------------------------------------------------------------ damage */

/* A core with everything, cut off at every size: an error or a core, never anything else; what is there stays
 * readable. */
static void test_cut_off_anywhere(void **state) {
    (void)state;
    struct core_builder *b = core_builder_new(EM_X86_64);
    struct pm_regs regs = numbered_regs(0);
    const uint64_t auxv[] = {AT_PAGESZ, 4096};
    char page[4096];
    memset(page, 'x', sizeof(page));
    core_builder_thread(b, 1, 6, &regs, 1);
    core_builder_prpsinfo(b, 1, 2, "node", "node x");
    core_builder_siginfo(b, 6, 0, 1);
    core_builder_auxv(b, auxv, 1);
    core_builder_file(b, 0x1000, 0x2000, 0, "/bin/node");
    core_builder_segment(b, 0x1000, page, sizeof(page), sizeof(page), PF_R);
    core_builder_segment(b, 0x2000, page, sizeof(page), sizeof(page), PF_R);
    struct pm_input *input = core_builder_input(b);
    uint64_t full = input->size, headers = 64 + 3 * 56;
    const uint8_t *bytes = input->bytes;
    for (uint64_t size = 0; size < full; size += size < 2048 ? 1 : 127) {
        uint8_t *copy PM_AUTO_FREE = malloc(size + 1); /* exactly this big, for ASan */
        copy = realloc(copy, size ? size : 1);
        memcpy(copy, bytes, size);
        struct pm_input cut = input_of(copy, size);
        struct pm_core *core PM_AUTO(core) = NULL;
        struct pm_error *err = pm_core_open(&cut, &core);
        if (size == 0) {
            assert_pm_error(err, PM_ERR_FORMAT, "some.file: the file is empty");
        } else if (size < 20) {
            assert_pm_error(err, PM_ERR_FORMAT, "some.file: not an ELF core");
        } else if (size < 64) {
            assert_pm_error_at(err, PM_ERR_FORMAT, size, "cut off inside its ELF header");
        } else if (size < headers) {
            assert_pm_error_at(err, PM_ERR_FORMAT, size, "cut off inside its program headers");
        } else {
            assert_pm_ok(err);
            assert_int_equal(pm_core_info(core)->missing_bytes, full - size);
            assert_int_equal(pm_core_info(core)->expected_size, full);
            for (pm_addr addr = 0x1000; addr < 0x3000; addr += 0x7f) {
                bool there = full - 0x3000 + addr < size;
                assert_int_equal(pm_mem_probe(pm_core_memory(core), addr, 1),
                                 there ? PM_MEM_BYTES : PM_MEM_NOT_SAVED);
            }
        }
    }
    core_builder_destroy(b);
}

/* Each byte of headers and notes set to 0, 0xff and 0x80: nothing but errors and cores. */
static void test_damaged_anywhere(void **state) {
    (void)state;
    struct core_builder *b = core_builder_new(EM_AARCH64);
    struct pm_regs regs = numbered_regs(0);
    const uint64_t auxv[] = {AT_PAGESZ, 4096, AT_RANDOM, 0x1800, AT_EXECFN, 0x1900};
    core_builder_thread(b, 1, 6, &regs, 1);
    core_builder_prpsinfo(b, 1, 2, "node", "node x");
    core_builder_siginfo(b, 6, 0, 1);
    core_builder_auxv(b, auxv, 3);
    core_builder_file(b, 0x1000, 0x2000, 0, "/bin/node");
    core_builder_segment(b, 0x1000, "hello", 5, 0x1000, PF_R);
    core_builder_extended(b);
    struct pm_input *input = core_builder_input(b);
    uint8_t *bytes = (uint8_t *)(uintptr_t)input->bytes;
    for (size_t at = 0; at < input->size; at++) {
        uint8_t was = bytes[at];
        const uint8_t bad[] = {0, 0xff, 0x80, (uint8_t)(was + 1), (uint8_t)(was - 1)};
        if (at > 2000 && at < input->size - 64) continue; /* padding and data */
        for (size_t i = 0; i < sizeof(bad); i++) {
            bytes[at] = bad[i];
            struct pm_core *core PM_AUTO(core) = NULL;
            pm_error_destroy(pm_core_open(input, &core));
            size_t count;
            if (core) free(pm_core_argv(core, &count));
        }
        bytes[at] = was;
    }
    core_builder_destroy(b);
}

/* ------------------------------------------------------------------ other files */

static void test_not_a_core(void **state) {
    (void)state;
    Elf64_Ehdr header = {.e_type = ET_DYN, .e_machine = EM_X86_64, .e_phentsize = 56};
    memcpy(header.e_ident, ELFMAG "\2\1\1", 7);
    struct pm_input input = input_of(&header, sizeof(header));
    assert_false(pm_core_sniff(&input));
    assert_pm_error(open_bytes(NULL, 0), PM_ERR_FORMAT, "some.file: the file is empty");
    assert_pm_error(open_bytes("{\"header\": {\"reportVersion\": 3}}", 32), PM_ERR_FORMAT, "not an ELF core");
    assert_pm_error(open_bytes(&header, sizeof(header)), PM_ERR_FORMAT, "program or library, not a core");
    header.e_type = ET_REL;
    assert_pm_error(open_bytes(&header, sizeof(header)), PM_ERR_FORMAT, "an ELF file, but not a core");
    header.e_type = ET_CORE;
    header.e_machine = EM_PPC64;
    assert_true(pm_core_sniff(&input));
    assert_pm_error(open_bytes(&header, sizeof(header)), PM_ERR_UNSUPPORTED,
                    "core of another machine (ELF machine 21)");
    header.e_machine = EM_X86_64;
    assert_pm_error_at(open_bytes(&header, sizeof(header)), PM_ERR_FORMAT, 32, "no program headers");
    header.e_phoff = 64;
    assert_pm_error_at(open_bytes(&header, sizeof(header)), PM_ERR_FORMAT, 56, "no program headers");
    header.e_phoff = UINT64_MAX - 8;
    header.e_phnum = 2;
    assert_pm_error(open_bytes(&header, sizeof(header)), PM_ERR_FORMAT, "cut off inside its program headers");
    header.e_phentsize = 8;
    assert_pm_error_at(open_bytes(&header, sizeof(header)), PM_ERR_FORMAT, 54, "impossible size");
}

static void test_32_bit_and_big_endian(void **state) {
    (void)state;
    struct core_builder *b = core_builder_new(EM_386);
    struct pm_input *input = core_builder_input(b);
    struct pm_core *core = NULL;
    assert_true(pm_core_sniff(input));
    struct pm_error *err = pm_core_open(input, &core);
    assert_non_null(err->hint);
    assert_pm_error(err, PM_ERR_UNSUPPORTED, "test.core: 32-bit core;");
    core_builder_destroy(b);
    Elf64_Ehdr header = {.e_type = ET_CORE << 8, .e_machine = EM_S390 << 8};
    memcpy(header.e_ident, ELFMAG "\2\2\1", 7);
    struct pm_input big = input_of(&header, sizeof(header));
    assert_true(pm_core_sniff(&big));
    assert_pm_error(open_bytes(&header, sizeof(header)), PM_ERR_UNSUPPORTED, "big-endian");
}

static void test_too_many_segments(void **state) {
    (void)state;
    struct {
        Elf64_Ehdr header;
        Elf64_Shdr section;
    } file = {.header = {.e_type = ET_CORE,
                         .e_machine = EM_X86_64,
                         .e_phentsize = 56,
                         .e_phoff = 64,
                         .e_phnum = PN_XNUM,
                         .e_shoff = 64},
              .section = {.sh_info = PM_MAX_SEGMENTS + 1}};
    memcpy(file.header.e_ident, ELFMAG "\2\1\1", 7);
    assert_pm_error(open_bytes(&file, sizeof(file)), PM_ERR_LIMIT, "more than 4,000,000 segments");
    file.section.sh_info = PM_MAX_SEGMENTS;
    assert_pm_error(open_bytes(&file, sizeof(file)), PM_ERR_FORMAT, "cut off inside its program headers");
    file.section.sh_info = 0;
    assert_pm_error(open_bytes(&file, sizeof(file)), PM_ERR_FORMAT, "no program headers");
}

static void test_too_many_threads(void **state) {
    (void)state;
    struct core_builder *b = core_builder_new(EM_X86_64);
    struct pm_regs regs = numbered_regs(0);
    for (uint32_t i = 0; i < PM_MAX_THREADS + 3; i++) core_builder_thread(b, i, 0, &regs, 0);
    struct pm_core *core PM_AUTO(core) = open_core(b);
    assert_int_equal(pm_core_thread_count(core), PM_MAX_THREADS);
    assert_int_equal(pm_core_info(core)->skipped_threads, 3);
    core_builder_destroy(b);
}

/* ------------------------------------------------------------------ argv and environ */

#define STACK 0x7ffc00000000ull

struct initial_stack {
    uint64_t words[128];
    char texts[512];
};

static const uint64_t stack_auxv[] = {AT_SYSINFO_EHDR, 0x7000,   AT_PAGESZ, 4096,
                                      AT_PHDR,         0x400040, AT_RANDOM, STACK + 1024};

/* words: argc, pointers ... as the kernel lays them out; the texts start at STACK + 1024 + 16. */
static struct core_builder *core_with_stack(const uint64_t *words, size_t count, const char *texts,
                                            size_t size) {
    struct initial_stack stack = {{0}, {0}};
    struct core_builder *b = core_builder_new(EM_X86_64);
    memset(stack.words, 0xee, sizeof(stack.words));
    memcpy(stack.words + 8, words, count * 8);
    memcpy(stack.words + 8 + count, stack_auxv, sizeof(stack_auxv));
    memcpy(stack.texts + 16, texts, size);
    core_builder_auxv(b, stack_auxv, sizeof(stack_auxv) / 16);
    core_builder_segment(b, STACK, &stack, sizeof(stack), sizeof(stack), PF_R | PF_W);
    return b;
}

#define TEXT (STACK + 1024 + 16)

static void test_argv_and_environ(void **state) {
    (void)state;
    static const char texts[] = "node\0--x=1\0app.js\0A=1\0HOME=/root";
    const uint64_t words[] = {3, TEXT, TEXT + 5, TEXT + 11, 0, TEXT + 18, TEXT + 22, 0};
    struct core_builder *b = core_with_stack(words, 8, texts, sizeof(texts));
    struct pm_core *core PM_AUTO(core) = open_core(b);
    size_t count;
    char **argv PM_AUTO_FREE = pm_core_argv(core, &count);
    assert_non_null(argv);
    assert_int_equal(count, 3);
    assert_string_equal(argv[0], "node");
    assert_string_equal(argv[1], "--x=1");
    assert_string_equal(argv[2], "app.js");
    assert_null(argv[3]);
    char **environment PM_AUTO_FREE = pm_core_environ(core, &count);
    assert_int_equal(count, 2);
    assert_string_equal(environment[0], "A=1");
    assert_string_equal(environment[1], "HOME=/root");
    assert_null(environment[2]);
    core_builder_destroy(b);
}

static void test_no_environment(void **state) {
    (void)state;
    const uint64_t words[] = {1, TEXT, 0, 0};
    struct core_builder *b = core_with_stack(words, 4, "node", 5);
    struct pm_core *core PM_AUTO(core) = open_core(b);
    size_t count;
    char **argv PM_AUTO_FREE = pm_core_argv(core, &count);
    assert_int_equal(count, 1);
    assert_string_equal(argv[0], "node");
    char **environment PM_AUTO_FREE = pm_core_environ(core, &count);
    assert_int_equal(count, 0);
    assert_null(environment[0]);
    core_builder_destroy(b);
}

/* setenv() puts pointers to the heap into the kernel's array, unsetenv() moves the others up. */
static void test_environment_that_was_changed(void **state) {
    (void)state;
    const uint64_t words[] = {2, TEXT, TEXT + 5, 0, 0x5000, TEXT + 12, 0x9000, 0, 0, 0};
    struct core_builder *b = core_with_stack(words, 10, "node\0app.js\0A=1", 16);
    core_builder_segment(b, 0x5000, "NEW=value", 10, 10, PF_R | PF_W);
    struct pm_core *core PM_AUTO(core) = open_core(b);
    size_t count;
    char **argv PM_AUTO_FREE = pm_core_argv(core, &count);
    assert_int_equal(count, 2);
    assert_string_equal(argv[1], "app.js");
    char **environment PM_AUTO_FREE = pm_core_environ(core, &count);
    assert_int_equal(count, 2); /* 0x9000 is not mapped */
    assert_string_equal(environment[0], "NEW=value");
    assert_string_equal(environment[1], "A=1");
    core_builder_destroy(b);
}

static void test_initial_stack_that_is_damaged(void **state) {
    (void)state;
    size_t count = 99;
    const uint64_t wrong_count[] = {7, TEXT, 0, TEXT, 0}, no_end[] = {1, TEXT, TEXT, TEXT, TEXT};
    const uint64_t elsewhere[] = {1, 0x1000, 0, 0}, none[] = {0, 0, 0};
    const struct {
        const uint64_t *words;
        size_t count;
    } bad[] = {{wrong_count, 5}, {no_end, 5}, {elsewhere, 4}, {none, 3}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct core_builder *b = core_with_stack(bad[i].words, bad[i].count, "node", 5);
        struct pm_core *core PM_AUTO(core) = open_core(b);
        assert_null(pm_core_argv(core, &count));
        assert_null(pm_core_environ(core, &count));
        core_builder_destroy(b);
    }
    assert_int_equal(count, 99); /* results are written on success only */
}

/* Many pointers to one long text do not multiply it without end. */
static void test_environment_that_is_a_bomb(void **state) {
    (void)state;
    uint64_t words[110] = {1, TEXT, 0};
    for (size_t i = 3; i < 109; i++) words[i] = 0x100000;
    char *big PM_AUTO_FREE = malloc(1 << 20);
    memset(big, 'x', 1 << 20);
    for (size_t i = 1; i <= 8; i++) big[(i << 17) - 1] = 0;
    struct core_builder *b = core_with_stack(words, 110, "node", 5);
    core_builder_segment(b, 0x100000, big, 1 << 20, 1 << 20, PF_R | PF_W);
    struct pm_core *core PM_AUTO(core) = open_core(b);
    size_t count, total = 0;
    char **environment PM_AUTO_FREE = pm_core_environ(core, &count);
    assert_non_null(environment);
    for (size_t i = 0; i < count; i++) total += strlen(environment[i]) + 1;
    assert_in_range(total, 7 << 20, 8 << 20);
    core_builder_destroy(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_segments),
        cmocka_unit_test(test_threads_x86_64),
        cmocka_unit_test(test_threads_aarch64),
        cmocka_unit_test(test_pac_mask_without_a_note),
        cmocka_unit_test(test_process_and_signal),
        cmocka_unit_test(test_fault_address),
        cmocka_unit_test(test_notes_of_others_are_ignored),
        cmocka_unit_test(test_auxv_and_files),
        cmocka_unit_test(test_gcore_files),
        cmocka_unit_test(test_file_note_that_lies),
        cmocka_unit_test(test_more_segments_than_16_bits),
        cmocka_unit_test(test_extended_count_cut_off),
        cmocka_unit_test(test_segments_with_impossible_addresses),
        cmocka_unit_test(test_cut_off_anywhere),
        cmocka_unit_test(test_damaged_anywhere),
        cmocka_unit_test(test_not_a_core),
        cmocka_unit_test(test_32_bit_and_big_endian),
        cmocka_unit_test(test_too_many_segments),
        cmocka_unit_test(test_too_many_threads),
        cmocka_unit_test(test_argv_and_environ),
        cmocka_unit_test(test_no_environment),
        cmocka_unit_test(test_environment_that_was_changed),
        cmocka_unit_test(test_initial_stack_that_is_damaged),
        cmocka_unit_test(test_environment_that_is_a_bomb),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
