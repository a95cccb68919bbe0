#include "parsers/elf_file.h"

#include <dlfcn.h>

#include "tests/support/assert_error.h"
#include "tests/support/bytes.h"
#include "tests/support/elf_builder.h"

#define FUNC(binding)   ELF64_ST_INFO(binding, STT_FUNC)
#define OBJECT(binding) ELF64_ST_INFO(binding, STT_OBJECT)
#define NOTYPE(binding) ELF64_ST_INFO(binding, STT_NOTYPE)

static const uint8_t id[20] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20};

/* Text at 0x401000-0x401100 (section 2), data at 0x403010 with 0x20 of 0x80 bytes in the file (section 3). */
static struct elf_builder *small_program(void) {
    struct elf_builder *b = elf_builder_new(EM_X86_64, ET_EXEC, 0x400000);
    uint8_t text[0x100];
    for (unsigned i = 0; i < sizeof(text); i++) text[i] = (uint8_t)i;
    elf_builder_segment(b, 0x401000, text, sizeof(text), sizeof(text), PF_R | PF_X);
    elf_builder_segment(b, 0x403010, "data data data data data data da", 0x20, 0x80, PF_R | PF_W);
    elf_builder_build_id(b, id, sizeof(id));
    elf_builder_entry(b, 0x401010);
    return b;
}

static struct pm_elf *open_built(struct elf_builder *b) {
    size_t size;
    const uint8_t *bytes = elf_builder_bytes(b, &size);
    struct pm_elf *elf = NULL;
    assert_pm_ok(pm_elf_open_memory(bytes, size, "built", &elf));
    return elf;
}

static const char *symbol_at(const struct pm_elf *elf, uint64_t vaddr) {
    struct pm_elf_symbol symbol;
    return pm_elf_symbol_at(elf, vaddr, &symbol) ? symbol.name : "-";
}

/* ------------------------------------------------------------------ headers and segments */

static void test_headers(void **state) {
    (void)state;
    struct elf_builder *b = small_program();
    elf_builder_tls(b, 0x403010, 0x58, 8);
    struct pm_elf *elf PM_AUTO(elf) = open_built(b);
    size_t length;
    uint64_t size, alignment, vaddr;
    assert_string_equal(pm_elf_path(elf), "built");
    assert_int_equal(pm_elf_machine(elf), EM_X86_64);
    assert_true(pm_elf_is_executable(elf));
    assert_int_equal(pm_elf_entry(elf), 0x401010);
    assert_memory_equal(pm_elf_build_id(elf, &length), id, sizeof(id));
    assert_int_equal(length, sizeof(id));
    assert_true(pm_elf_tls(elf, &size, &alignment));
    assert_int_equal(size, 0x58);
    assert_int_equal(alignment, 8);
    assert_true(pm_elf_phdr(elf, &vaddr));
    assert_int_equal(vaddr, 0x400040);
    assert_int_equal(pm_elf_segment_count(elf), 3);
    assert_int_equal(pm_elf_segment(elf, 2)->vaddr, 0x403010);
    assert_int_equal(pm_elf_segment(elf, 2)->file_offset, 0x2010);
    assert_int_equal(pm_elf_segment(elf, 2)->flags, PF_R | PF_W);
    assert_non_null(pm_elf_handle(elf));
    elf_builder_destroy(b);
}

static void test_bytes_behind_addresses(void **state) {
    (void)state;
    struct elf_builder *b = small_program();
    struct pm_elf *elf PM_AUTO(elf) = open_built(b);
    uint64_t vaddr, size;
    const uint8_t *file = pm_elf_file(elf, &size);
    assert_memory_equal(pm_elf_bytes(elf, 0x401020, 4), "\x20\x21\x22\x23", 4);
    assert_ptr_equal(pm_elf_bytes(elf, 0x403010, 0x20), file + 0x2010);
    assert_null(pm_elf_bytes(elf, 0x403010, 0x21)); /* .bss begins there */
    assert_null(pm_elf_bytes(elf, 0x4010ff, 2));
    assert_null(pm_elf_bytes(elf, 0x402000, 1));
    assert_null(pm_elf_bytes(elf, 0x401000, UINT64_MAX));
    assert_null(pm_elf_bytes(elf, UINT64_MAX, 1));
    assert_true(pm_elf_offset_to_vaddr(elf, 0x1080, &vaddr));
    assert_int_equal(vaddr, 0x401080);
    assert_true(pm_elf_offset_to_vaddr(elf, 0x2010, &vaddr));
    assert_int_equal(vaddr, 0x403010);
    assert_false(pm_elf_offset_to_vaddr(elf, 0x1100, &vaddr));
    elf_builder_destroy(b);
}

/* More in the file than in memory, and more than the file has: a vaddr leads only to bytes that are both. */
static void test_segments_that_lie(void **state) {
    (void)state;
    struct elf_builder *b = elf_builder_new(EM_X86_64, ET_DYN, 0);
    elf_builder_segment(b, 0x1000, "0123456789abcdef", 16, 8, PF_R);
    elf_builder_segment(b, 0x2000, "tail", 4, 0x1000, PF_R);
    size_t size;
    uint8_t *bytes = elf_builder_bytes(b, &size);
    uint64_t much = UINT64_MAX / 2;
    memcpy(bytes + 64 + 3 * 56 + offsetof(Elf64_Phdr, p_filesz), &much, 8);
    memcpy(bytes + 64 + 3 * 56 + offsetof(Elf64_Phdr, p_memsz), &much, 8);
    struct pm_elf *elf PM_AUTO(elf) = NULL;
    assert_pm_ok(pm_elf_open_memory(bytes, size, "lies", &elf));
    assert_int_equal(pm_elf_segment(elf, 1)->file_size, 8);
    assert_non_null(pm_elf_bytes(elf, 0x1000, 8));
    assert_null(pm_elf_bytes(elf, 0x1000, 9));
    assert_int_equal(pm_elf_segment(elf, 2)->file_size, size - pm_elf_segment(elf, 2)->file_offset);
    assert_null(pm_elf_bytes(elf, 0x2000, size));
    elf_builder_destroy(b);
}

static void test_name_without_an_end(void **state) {
    (void)state;
    struct elf_builder *b = small_program();
    elf_builder_symbol(b, "first", 0x401010, 16, FUNC(STB_GLOBAL), 2, false);
    elf_builder_symbol(b, "last", 0x401020, 16, FUNC(STB_GLOBAL), 2, false);
    struct pm_elf *whole PM_AUTO(elf) = open_built(b);
    size_t size;
    uint64_t names_size;
    const uint8_t *names = pm_elf_section(whole, ".strtab", &names_size, NULL);
    uint8_t *bytes = (uint8_t *)(uintptr_t)pm_elf_file(whole, &size);
    bytes[names + names_size - 1 - bytes] = '!';
    struct pm_elf *elf PM_AUTO(elf) = NULL;
    struct pm_elf_symbol symbol;
    assert_pm_ok(pm_elf_open_memory(bytes, size, "cut", &elf));
    assert_true(pm_elf_find_symbol(elf, "first", &symbol));
    assert_false(pm_elf_find_symbol(elf, "last", &symbol));
    assert_string_equal(symbol_at(elf, 0x401010), "first");
    assert_string_equal(symbol_at(elf, 0x401020), "-");
    elf_builder_destroy(b);
}

static void test_sections(void **state) {
    (void)state;
    struct elf_builder *b = small_program();
    elf_builder_symbol(b, "main", 0x401010, 16, FUNC(STB_GLOBAL), 2, false);
    struct pm_elf *elf PM_AUTO(elf) = open_built(b);
    uint64_t size, vaddr;
    assert_non_null(pm_elf_section(elf, ".symtab", &size, &vaddr));
    assert_int_equal(size, 2 * sizeof(Elf64_Sym));
    const char *names = (const char *)pm_elf_section(elf, ".strtab", &size, NULL);
    assert_non_null(names);
    assert_string_equal(names + 1, "main");
    assert_null(pm_elf_section(elf, ".debug_info", &size, &vaddr));
    elf_builder_destroy(b);
}

/* ------------------------------------------------------------------ symbols by name */

static void test_find_symbol(void **state) {
    (void)state;
    struct elf_builder *b = small_program();
    elf_builder_symbol(b, "local", 0x401000, 16, FUNC(STB_LOCAL), 2, false);
    elf_builder_symbol(b, "twice", 0x401040, 0, NOTYPE(STB_LOCAL), 2, false); /* sizeless, then sized */
    elf_builder_symbol(b, "twice", 0x401050, 8, FUNC(STB_LOCAL), 2, false);
    elf_builder_symbol(b, "twice", 0x401060, 0, FUNC(STB_GLOBAL), 2, false);
    elf_builder_symbol(b, "static", 0x401070, 8, FUNC(STB_LOCAL), 2, false);
    elf_builder_symbol(b, "static", 0x401080, 8, FUNC(STB_GLOBAL), 2, false);
    elf_builder_symbol(b, "imported", 0, 0, FUNC(STB_GLOBAL), SHN_UNDEF, false);
    elf_builder_symbol(b, "file.c", 0, 0, ELF64_ST_INFO(STB_LOCAL, STT_FILE), SHN_ABS, false);
    elf_builder_symbol(b, "exported", 0x401020, 16, FUNC(STB_GLOBAL), 2, true);
    elf_builder_symbol(b, "v8dbg_SmiTag", 0x403010, 4, OBJECT(STB_GLOBAL), 3, true);
    elf_builder_symbol(b, "other", 0x403018, 0, OBJECT(STB_GLOBAL), 3, true);
    elf_builder_symbol(b, "needed", 0, 0, FUNC(STB_GLOBAL), SHN_UNDEF, true);
    elf_builder_symbol(b, "variable", 0x10, 8, ELF64_ST_INFO(STB_GLOBAL, STT_TLS), 3, true);
    struct pm_elf *elf PM_AUTO(elf) = open_built(b);
    struct pm_elf_symbol symbol;
    static const struct {
        const char *name;
        uint64_t value;
    } expected[] = {{"local", 0x401000},    {"twice", 0x401050},        {"static", 0x401080},
                    {"exported", 0x401020}, {"v8dbg_SmiTag", 0x403010}, {"other", 0x403018},
                    {"variable", 0x10}};
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        assert_true(pm_elf_find_symbol(elf, expected[i].name, &symbol));
        assert_string_equal(symbol.name, expected[i].name);
        assert_int_equal(symbol.value, expected[i].value);
    }
    assert_int_equal(symbol.type, STT_TLS);
    assert_int_equal(symbol.binding, STB_GLOBAL);
    static const char *const absent[] = {"imported", "needed", "file.c", "loca", "locall", ""};
    for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
        assert_false(pm_elf_find_symbol(elf, absent[i], &symbol));
    elf_builder_destroy(b);
}

struct seen {
    char text[512];
    int most;
};

static bool see(void *context, const struct pm_elf_symbol *symbol) {
    struct seen *seen = context;
    strcat(strcat(seen->text, symbol->name), " ");
    return --seen->most > 0;
}

static void test_each_symbol(void **state) {
    (void)state;
    struct elf_builder *b = small_program();
    elf_builder_symbol(b, "v8dbg_a", 0x403010, 4, OBJECT(STB_GLOBAL), 3, false);
    elf_builder_symbol(b, "v8dbg_b", 0x403014, 4, OBJECT(STB_GLOBAL), 3, false);
    elf_builder_symbol(b, "v8db", 0x403018, 4, OBJECT(STB_GLOBAL), 3, false);
    elf_builder_symbol(b, "v8dbg_gone", 0, 0, OBJECT(STB_GLOBAL), SHN_UNDEF, false);
    elf_builder_symbol(b, "v8dbg_b", 0x403014, 4, OBJECT(STB_GLOBAL), 3, true); /* the same once more */
    elf_builder_symbol(b, "v8dbg_a", 0x403030, 4, OBJECT(STB_GLOBAL), 3, true); /* another one of the name */
    elf_builder_symbol(b, "v8dbg_c", 0x403020, 4, OBJECT(STB_GLOBAL), 3, true);
    struct pm_elf *elf PM_AUTO(elf) = open_built(b);
    struct seen all = {{0}, 100}, one = {{0}, 1}, every = {{0}, 100};
    pm_elf_each_symbol(elf, "v8dbg_", see, &all);
    assert_true(strcmp(all.text, "v8dbg_a v8dbg_b v8dbg_a v8dbg_c ") == 0 ||
                strcmp(all.text, "v8dbg_a v8dbg_b v8dbg_c v8dbg_a ") == 0);
    pm_elf_each_symbol(elf, "v8dbg_", see, &one);
    assert_string_equal(one.text, "v8dbg_a ");
    pm_elf_each_symbol(elf, "", see, &every);
    assert_non_null(strstr(every.text, "v8db "));
    elf_builder_destroy(b);
}

/* ------------------------------------------------------------------ symbols by address */

static void test_symbol_at(void **state) {
    (void)state;
    struct elf_builder *b = small_program();
    elf_builder_symbol(b, "outer", 0x401010, 0x40, FUNC(STB_GLOBAL), 2, false);
    elf_builder_symbol(b, "inner", 0x401020, 0x10, FUNC(STB_LOCAL), 2, false);
    elf_builder_symbol(b, "label", 0x401034, 0, NOTYPE(STB_LOCAL), 2,
                       false); /* inside a sized one: not asked */
    elf_builder_symbol(b, "alias_local", 0x401060, 0x10, FUNC(STB_LOCAL), 2, false);
    elf_builder_symbol(b, "alias_global", 0x401060, 0x10, FUNC(STB_GLOBAL), 2, false);
    elf_builder_symbol(b, "alias_weak", 0x401060, 0x10, FUNC(STB_WEAK), 2, false);
    elf_builder_symbol(b, "asm1", 0x401080, 0, NOTYPE(STB_LOCAL), 2, false);
    elf_builder_symbol(b, "asm2", 0x401090, 0, FUNC(STB_LOCAL), 2, false);
    elf_builder_symbol(b, "sized", 0x4010a0, 0x10, FUNC(STB_LOCAL), 2, false);
    elf_builder_symbol(b, "too_long", 0x4010f0, 0x1000, FUNC(STB_LOCAL), 2, false); /* past its section */
    elf_builder_symbol(b, "vtable", 0x403010, 0x70, OBJECT(STB_WEAK), 3, true);
    elf_builder_symbol(b, "last", 0x403090, 0, NOTYPE(STB_LOCAL), 3, false); /* at the section's end */
    elf_builder_symbol(b, "absolute", 0x401008, 4, OBJECT(STB_GLOBAL), SHN_ABS, false);
    elf_builder_symbol(b, "thread", 0x401004, 4, ELF64_ST_INFO(STB_GLOBAL, STT_TLS), 3, false);
    struct pm_elf *elf PM_AUTO(elf) = open_built(b);
    static const struct {
        uint64_t vaddr;
        const char *name;
    } expected[] = {
        {0, "-"},
        {0x400fff, "-"},
        {0x401004, "-"},
        {0x401008, "-"},
        {0x40100f, "-"},
        {0x401010, "outer"},
        {0x40101f, "outer"},
        {0x401020, "inner"},
        {0x40102f, "inner"},
        {0x401030, "outer"},
        {0x401034, "outer"},
        {0x40104f, "outer"},
        {0x401050, "-"},
        {0x401060, "alias_global"},
        {0x40106f, "alias_global"},
        {0x401070, "-"},
        {0x401080, "asm1"},
        {0x40108f, "asm1"},
        {0x401090, "asm2"},
        {0x40109f, "asm2"},
        {0x4010a0, "sized"},
        {0x4010b0, "-"},
        {0x4010f0, "too_long"},
        {0x4010ff, "too_long"},
        {0x401100, "-"},
        {0x403010, "vtable"},
        {0x40307f, "vtable"},
        {0x403080, "-"},
        {0x403090, "-"},
        {UINT64_MAX, "-"},
    };
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        assert_string_equal(symbol_at(elf, expected[i].vaddr), expected[i].name);
    elf_builder_destroy(b);
}

/* Against a plain search over all symbols: nested, overlapping, aliased, in any order. */
static void test_symbol_at_against_a_search(void **state) {
    (void)state;
    uint32_t random = 99;
#define NEXT() (random = random * 1664525 + 1013904223, random >> 8)
    for (int round = 0; round < 300; round++) {
        struct elf_builder *b = small_program();
        uint64_t start[40], size[40];
        char name[40][8];
        unsigned count = 1 + NEXT() % 40;
        for (unsigned i = 0; i < count; i++) {
            bool fresh;
            do { /* starts differ, so that the innermost one is clear */
                fresh = true;
                start[i] = 0x401000 + NEXT() % 0x100;
                for (unsigned k = 0; k < i; k++) fresh &= start[k] != start[i];
            } while (!fresh);
            size[i] = 1 + NEXT() % 0x60;
            snprintf(name[i], sizeof(name[i]), "s%u", i);
            unsigned binding = NEXT() % 2;
            elf_builder_symbol(b, name[i], start[i], size[i], FUNC(binding), 2, NEXT() % 4 == 0);
        }
        struct pm_elf *elf PM_AUTO(elf) = open_built(b);
        for (uint64_t at = 0x401000; at < 0x401100; at++) {
            int best = -1;
            for (unsigned i = 0; i < count; i++)
                if (at >= start[i] && at < start[i] + size[i] && (best < 0 || start[i] > start[best]))
                    best = (int)i;
            assert_string_equal(symbol_at(elf, at), best < 0 ? "-" : name[best]);
        }
        elf_builder_destroy(b);
    }
}

static void test_aarch64_marks_are_not_names(void **state) {
    (void)state;
    struct elf_builder *b = elf_builder_new(EM_AARCH64, ET_DYN, 0);
    struct pm_elf_symbol symbol;
    elf_builder_segment(b, 0x1000, "1234567812345678", 16, 16, PF_R | PF_X);
    elf_builder_symbol(b, "assembly", 0x1000, 0, NOTYPE(STB_LOCAL), 2, false);
    elf_builder_symbol(b, "$x", 0x1000, 0, NOTYPE(STB_LOCAL), 2, false);
    elf_builder_symbol(b, "$d", 0x1008, 0, NOTYPE(STB_LOCAL), 2, false);
    struct pm_elf *elf PM_AUTO(elf) = open_built(b);
    assert_string_equal(symbol_at(elf, 0x100c), "assembly");
    assert_false(pm_elf_find_symbol(elf, "$x", &symbol));
    elf_builder_destroy(b);
}

/* ------------------------------------------------------------------ our own program, with the loader as the
 * oracle */

__attribute__((noinline)) static int a_local_function(int n) {
    return n * 3;
}

static void test_this_program(void **state) {
    (void)state;
    struct pm_elf *elf PM_AUTO(elf) = NULL;
    struct pm_elf_symbol symbol, found;
    Dl_info info;
    assert_pm_ok(pm_elf_open("/proc/self/exe", &elf));
    assert_true(dladdr((void *)(uintptr_t)&a_local_function, &info));
    uint64_t bias = pm_elf_is_executable(elf) ? 0 : (uint64_t)(uintptr_t)info.dli_fbase;
    assert_true(pm_elf_find_symbol(elf, "a_local_function", &symbol));
    assert_int_equal(symbol.value + bias, (uint64_t)(uintptr_t)&a_local_function);
    assert_int_equal(symbol.type, STT_FUNC);
    assert_true(pm_elf_symbol_at(elf, symbol.value + symbol.size - 1, &found));
    assert_string_equal(found.name, "a_local_function");
    assert_memory_equal(pm_elf_bytes(elf, symbol.value, symbol.size), (void *)(uintptr_t)&a_local_function,
                        symbol.size);
    assert_int_equal(a_local_function(2), 6);
}

static void test_the_c_library(void **state) {
    (void)state;
    struct pm_elf *elf PM_AUTO(elf) = NULL;
    struct pm_elf_symbol symbol;
    Dl_info info;
    assert_true(dladdr(dlsym(RTLD_NEXT, "getenv"), &info));
    assert_pm_ok(pm_elf_open(info.dli_fname, &elf)); /* stripped: only .dynsym */
    assert_true(pm_elf_find_symbol(elf, "getenv", &symbol));
    assert_int_equal(symbol.value + (uint64_t)(uintptr_t)info.dli_fbase, (uint64_t)(uintptr_t)info.dli_saddr);
    assert_string_equal(symbol_at(elf, symbol.value), "getenv");
    assert_false(pm_elf_is_executable(elf));
}

/* ------------------------------------------------------------------ hostile files */

static struct pm_error *open_bytes(const void *bytes, size_t size) {
    struct pm_elf *elf = NULL;
    struct pm_error *err = pm_elf_open_memory(bytes, size, "some.so", &elf);
    if (!err) pm_elf_close(elf);
    return err;
}

static void test_what_is_not_a_program(void **state) {
    (void)state;
    Elf64_Ehdr header = {.e_type = ET_CORE, .e_machine = EM_X86_64, .e_phentsize = 56};
    struct pm_elf *elf = NULL;
    memcpy(header.e_ident, ELFMAG "\2\1\1", 7);
    assert_pm_error(open_bytes("#!/usr/bin/env node\nconsole.log(1)\nconsole.log(1)\nconsole.log(1)\n", 64),
                    PM_ERR_FORMAT, "some.so: is not an ELF file");
    assert_pm_error(open_bytes(&header, 63), PM_ERR_FORMAT, "some.so: is not an ELF file");
    assert_pm_error(open_bytes(&header, 64), PM_ERR_FORMAT, "some.so: is a core, not a program");
    header.e_type = ET_REL;
    assert_pm_error(open_bytes(&header, 64), PM_ERR_FORMAT, "neither a program nor a shared library");
    header.e_ident[EI_CLASS] = ELFCLASS32;
    assert_pm_error(open_bytes(&header, 64), PM_ERR_UNSUPPORTED, "64-bit little-endian");
    assert_pm_error(pm_elf_open("/nowhere/node", &elf), PM_ERR_IO, "/nowhere/node: No such file");
    assert_pm_error(pm_elf_open("/tmp", &elf), PM_ERR_FORMAT, "/tmp: is not a regular file");
    assert_pm_error(pm_elf_open("/dev/null", &elf), PM_ERR_FORMAT, "/dev/null: is not a regular file");
    assert_null(elf);
    pm_elf_close(NULL);
}

static void use_everything(const struct pm_elf *elf) {
    struct pm_elf_symbol symbol;
    struct seen seen = {{0}, 5};
    uint64_t a, b;
    size_t length;
    for (uint64_t at = 0x400000; at < 0x404000; at += 0x10) {
        const uint8_t *bytes = pm_elf_bytes(elf, at, 16);
        if (bytes) a = bytes[0] + bytes[15];
        if (pm_elf_symbol_at(elf, at, &symbol)) length = strlen(symbol.name);
    }
    pm_elf_find_symbol(elf, "exported", &symbol);
    pm_elf_find_symbol(elf, "nobody", &symbol);
    pm_elf_each_symbol(elf, "outer", see, &seen);
    pm_elf_section(elf, ".symtab", &a, &b);
    pm_elf_build_id(elf, &length);
    pm_elf_offset_to_vaddr(elf, 0x1000, &a);
    (void)a, (void)b, (void)length;
}

static struct elf_builder *rich_program(void) {
    struct elf_builder *b = small_program();
    elf_builder_symbol(b, "outer", 0x401010, 0x40, FUNC(STB_GLOBAL), 2, false);
    elf_builder_symbol(b, "inner", 0x401020, 0x10, FUNC(STB_LOCAL), 2, false);
    elf_builder_symbol(b, "sizeless", 0x401080, 0, NOTYPE(STB_LOCAL), 2, false);
    elf_builder_symbol(b, "exported", 0x401020, 16, FUNC(STB_GLOBAL), 2, true);
    elf_builder_symbol(b, "vtable", 0x403010, 0x70, OBJECT(STB_WEAK), 3, true);
    elf_builder_tls(b, 0x403010, 0x58, 8);
    return b;
}

/* Every byte but the segments' own, changed: no crash, no read outside (the copy has exactly the file's size,
 * for ASan). */
static void test_damaged_anywhere(void **state) {
    (void)state;
    struct elf_builder *b = rich_program();
    size_t size;
    const uint8_t *whole = elf_builder_bytes(b, &size);
    uint8_t *bytes PM_AUTO_FREE = bytes_need(malloc(size));
    memcpy(bytes, whole, size);
    for (size_t at = 0; at < size; at++) {
        bool interesting = at < 0x240 || (at >= 0x800 && at < 0x840) || at >= 0x2030;
        const uint8_t was = bytes[at], bad[] = {0, 0xff, 0x80, 0x7f, (uint8_t)(was + 1), (uint8_t)(was - 1)};
        for (size_t i = 0; interesting && i < sizeof(bad); i++) {
            struct pm_elf *elf PM_AUTO(elf) = NULL;
            bytes[at] = bad[i];
            pm_error_destroy(pm_elf_open_memory(bytes, size, "damaged", &elf));
            if (elf) use_everything(elf);
        }
        bytes[at] = was;
    }
    elf_builder_destroy(b);
}

static void test_cut_off_anywhere(void **state) {
    (void)state;
    struct elf_builder *b = rich_program();
    size_t size;
    const uint8_t *whole = elf_builder_bytes(b, &size);
    for (size_t cut = 1; cut < size; cut += cut < 0x300 || cut > 0x2000 ? 1 : 61) {
        uint8_t *bytes PM_AUTO_FREE = bytes_need(malloc(cut));
        struct pm_elf *elf PM_AUTO(elf) = NULL;
        memcpy(bytes, whole, cut);
        pm_error_destroy(pm_elf_open_memory(bytes, cut, "cut", &elf));
        if (elf) use_everything(elf);
    }
    elf_builder_destroy(b);
}

static void test_header_page(void **state) {
    (void)state;
    struct elf_builder *b = small_program();
    size_t size, length;
    const uint8_t *whole = elf_builder_bytes(b, &size), *found;
    for (size_t available = 0; available <= 4096; available += available < 0x900 ? 1 : 256) {
        uint8_t *page PM_AUTO_FREE = bytes_need(malloc(available ? available : 1));
        struct pm_elf_segment segments[2];
        memcpy(page, whole, available);
        bool there = pm_elf_header_build_id(page, available, &found, &length);
        assert_int_equal(there, available >= 0x800 + 16 + sizeof(id));
        if (there) assert_memory_equal(found, id, sizeof(id));
        size_t count = pm_elf_header_segments(page, available, segments, 2);
        assert_int_equal(count, available < 64 + 2 * 56   ? 0
                                : available < 64 + 3 * 56 ? 1
                                : available < 64 + 4 * 56 ? 2
                                                          : 3);
    }
    elf_builder_destroy(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_bytes_behind_addresses),
        cmocka_unit_test(test_segments_that_lie),
        cmocka_unit_test(test_name_without_an_end),
        cmocka_unit_test(test_sections),
        cmocka_unit_test(test_find_symbol),
        cmocka_unit_test(test_each_symbol),
        cmocka_unit_test(test_symbol_at),
        cmocka_unit_test(test_symbol_at_against_a_search),
        cmocka_unit_test(test_aarch64_marks_are_not_names),
        cmocka_unit_test(test_this_program),
        cmocka_unit_test(test_the_c_library),
        cmocka_unit_test(test_what_is_not_a_program),
        cmocka_unit_test(test_damaged_anywhere),
        cmocka_unit_test(test_cut_off_anywhere),
        cmocka_unit_test(test_header_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
