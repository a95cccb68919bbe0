#include "parsers/modules.h"

#include <sys/stat.h>

#include "tests/support/assert_error.h"
#include "tests/support/bytes.h"
#include "tests/support/core_builder.h"
#include "tests/support/elf_builder.h"
#include "tests/support/folder.h"

/* One process for most tests: a program and a library, each an ELF file of three segments:
 *
 *     file offset   vaddr          what
 *     0x0000        base           ELF header, build-id note (r--)
 *     0x1000        base + 0x1000  text of 0x1800 bytes (r-x): two pages
 *     0x3000        base + 0x4000  data (rw-), 0x1200 of 0x2000 bytes in the file: two pages
 *
 * The core keeps the header page and the data, not the text, as the kernel does. */

#define FUNC   ELF64_ST_INFO(STB_GLOBAL, STT_FUNC)
#define OBJECT ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT)

struct file {
    uint64_t base, bias; /* first vaddr; address - vaddr */
    unsigned type, machine;
    uint8_t id; /* the build-id is this byte 20 times; 0 = none */
    const char *symbol, *data_symbol;
    uint8_t text; /* text byte i is text + i */
};

static char *folder;

static int make_folder(void **state) {
    (void)state;
    folder = folder_new();
    return 0;
}

static int drop_folder(void **state) {
    (void)state;
    folder_remove(folder);
    return 0;
}

static struct elf_builder *file_builder(const struct file *file) {
    struct elf_builder *b =
        elf_builder_new(file->machine ? file->machine : EM_X86_64, file->type, file->base);
    uint8_t text[0x1800], data[0x1200], id[20];
    for (unsigned i = 0; i < sizeof(text); i++) text[i] = (uint8_t)(file->text + i);
    memset(data, 'F', sizeof(data));
    memset(id, file->id, sizeof(id));
    elf_builder_segment(b, file->base + 0x1000, text, sizeof(text), sizeof(text), PF_R | PF_X);
    elf_builder_segment(b, file->base + 0x4000, data, sizeof(data), 0x2000, PF_R | PF_W);
    if (file->id) elf_builder_build_id(b, id, sizeof(id));
    elf_builder_entry(b, file->base + 0x1010);
    if (file->symbol) elf_builder_symbol(b, file->symbol, file->base + 0x1020, 0x20, FUNC, 2, false);
    if (file->data_symbol) elf_builder_symbol(b, file->data_symbol, file->base + 0x4010, 4, OBJECT, 3, true);
    return b;
}

/* Writes the file below `where` (made if it is not there) and returns its path. */
static char *write_file(const struct file *file, const char *where, const char *name) {
    char *command PM_AUTO_FREE = NULL;
    struct elf_builder *b = file_builder(file);
    if (asprintf(&command, "mkdir -p '%s'", where) < 0 || system(command) != 0) abort();
    char *path = elf_builder_write(b, where, name);
    elf_builder_destroy(b);
    return path;
}

static char *in_folder(const char *name) {
    char *path;
    if (asprintf(&path, "%s/%s", folder, name) < 0) abort();
    return path;
}

/* The file as the loader maps it; `header`: the core keeps its first page. */
static void map_file(struct core_builder *core, const struct file *file, const char *path, bool header) {
    pm_addr at = file->base + file->bias;
    struct elf_builder *b = file_builder(file);
    size_t size;
    const uint8_t *bytes = elf_builder_bytes(b, &size);
    uint8_t data[0x2000] = "live data";
    core_builder_segment(core, at, bytes, header ? 4096 : 0, 4096, PF_R);
    core_builder_segment(core, at + 0x1000, NULL, 0, 0x2000, PF_R | PF_X);
    core_builder_segment(core, at + 0x4000, data, sizeof(data), sizeof(data), PF_R | PF_W);
    if (path) {
        core_builder_file(core, at, at + 0x1000, 0, path);
        core_builder_file(core, at + 0x1000, at + 0x3000, 0x1000, path);
        core_builder_file(core, at + 0x4000, at + 0x6000, 0x3000, path);
    }
    elf_builder_destroy(b);
}

static const struct file program = {
    .base = 0x400000, .type = ET_EXEC, .id = 0xaa, .symbol = "main", .text = 1};
static const struct file library = {.bias = 0x7f0000000000,
                                    .type = ET_DYN,
                                    .id = 0xbb,
                                    .symbol = "library_call",
                                    .data_symbol = "v8dbg_SmiTag",
                                    .text = 2};

static void add_auxv(struct core_builder *core, const struct file *file, pm_addr vdso, pm_addr execfn) {
    const uint64_t auxv[] = {AT_SYSINFO_EHDR, vdso,
                             AT_PAGESZ,       4096,
                             AT_ENTRY,        file->base + file->bias + 0x1010,
                             AT_PHDR,         file->base + file->bias + 64,
                             AT_EXECFN,       execfn};
    core_builder_auxv(core, auxv, 5);
}

static struct pm_core *open_core(struct core_builder *builder) {
    struct pm_core *core = NULL;
    assert_pm_ok(pm_core_open(core_builder_input(builder), &core));
    return core;
}

static struct pm_modules *open_modules(const struct pm_core *core, const struct pm_module_options *options) {
    struct pm_modules *modules = NULL;
    assert_pm_ok(pm_modules_open(core, options, &modules));
    return modules;
}

static const struct pm_module *by_path(const struct pm_modules *modules, const char *path) {
    for (size_t i = 0; i < pm_modules_count(modules); i++)
        if (strcmp(pm_modules_at(modules, i)->path, path) == 0) return pm_modules_at(modules, i);
    fail_msg("no module %s", path);
    return NULL;
}

/* A core of the two files, recorded under the paths that are given. */
static struct core_builder *usual_core(const char *program_path, const char *library_path) {
    struct core_builder *core = core_builder_new(EM_X86_64);
    add_auxv(core, &program, 0, 0);
    map_file(core, &program, program_path, true);
    map_file(core, &library, library_path, true);
    return core;
}

/* ------------------------------------------------------------------ finding and verifying */

static void test_recorded_paths(void **state) {
    (void)state;
    char *node PM_AUTO_FREE = write_file(&program, folder, "node");
    char *lib PM_AUTO_FREE = write_file(&library, folder, "lib.so");
    struct core_builder *b = usual_core(node, lib);
    struct pm_core *core PM_AUTO(core) = open_core(b);
    struct pm_modules *modules PM_AUTO(modules) = open_modules(core, NULL);
    assert_int_equal(pm_modules_count(modules), 2);
    const struct pm_module *first = pm_modules_at(modules, 0), *second = pm_modules_at(modules, 1);
    assert_string_equal(first->path, node);
    assert_string_equal(first->found, node);
    assert_int_equal(first->state, PM_MODULE_VERIFIED);
    assert_true(first->is_program);
    assert_ptr_equal(first, pm_modules_program(modules));
    assert_int_equal(first->bias, 0);
    assert_int_equal(first->start, 0x400000);
    assert_int_equal(first->end, 0x406000);
    assert_int_equal(first->build_id_length, 20);
    assert_int_equal(first->build_id[19], 0xaa);
    assert_int_equal(second->state, PM_MODULE_VERIFIED);
    assert_int_equal(second->bias, 0x7f0000000000);
    assert_int_equal(second->end, 0x7f0000006000);
    assert_false(second->is_program);
    assert_ptr_equal(pm_modules_v8(modules), second);
    core_builder_destroy(b);
}

static void test_addresses_and_symbols(void **state) {
    (void)state;
    char *node PM_AUTO_FREE = write_file(&program, folder, "node");
    char *lib PM_AUTO_FREE = write_file(&library, folder, "lib.so");
    struct core_builder *b = usual_core(node, lib);
    struct pm_core *core PM_AUTO(core) = open_core(b);
    struct pm_modules *modules PM_AUTO(modules) = open_modules(core, NULL);
    const struct pm_module *found;
    uint64_t vaddr, size;
    pm_addr addr;
    assert_string_equal(pm_modules_find(modules, 0x7f0000001234, &vaddr)->path, lib);
    assert_int_equal(vaddr, 0x1234);
    assert_string_equal(pm_modules_find(modules, 0x7f0000004010, &vaddr)->path, lib);
    assert_int_equal(vaddr, 0x4010);
    assert_string_equal(pm_modules_find(modules, 0x400000, NULL)->path, node);
    assert_null(pm_modules_find(modules, 0x403000, &vaddr)); /* the gap between text and data */
    assert_null(pm_modules_find(modules, 0x3fffff, &vaddr));
    assert_null(pm_modules_find(modules, 0x7f0000006000, &vaddr));
    assert_true(pm_modules_symbol(modules, "library_call", &addr, &size, &found));
    assert_int_equal(addr, 0x7f0000001020);
    assert_int_equal(size, 0x20);
    assert_string_equal(found->path, lib);
    assert_int_equal(pm_module_address(found, 0x1020), addr);
    assert_true(pm_modules_symbol(modules, "v8dbg_SmiTag", &addr, NULL, NULL));
    assert_int_equal(addr, 0x7f0000004010);
    assert_false(pm_modules_symbol(modules, "nobody", &addr, &size, &found));
    core_builder_destroy(b);
}

/* Memory of a module without a file mapping: .bss behind the data, text that node moved to huge pages. */
static void test_memory_without_a_file_mapping(void **state) {
    (void)state;
    struct elf_builder *e = elf_builder_new(EM_X86_64, ET_EXEC, 0x400000);
    uint8_t text[0x3000] = {0};
    elf_builder_segment(e, 0x401000, text, sizeof(text), sizeof(text), PF_R | PF_X);
    elf_builder_segment(e, 0x405000, "data", 4, 0x3000, PF_R | PF_W);
    elf_builder_build_id(e, "id of a build", 13);
    char *node PM_AUTO_FREE = elf_builder_write(e, folder, "node-huge");
    size_t size;
    const uint8_t *bytes = elf_builder_bytes(e, &size);
    struct core_builder *b = core_builder_new(EM_X86_64);
    core_builder_segment(b, 0x400000, bytes, 4096, 4096, PF_R);
    core_builder_segment(b, 0x401000, NULL, 0, 0x3000, PF_R | PF_X);
    core_builder_segment(b, 0x405000, NULL, 0, 0x3000, PF_R | PF_W);
    core_builder_file(b, 0x400000, 0x401000, 0, node);
    core_builder_file(b, 0x401000, 0x402000, 0x1000, node);
    core_builder_file(b, 0x403000, 0x404000, 0x3000, node); /* 0x402000 is anonymous now */
    core_builder_file(b, 0x405000, 0x406000, 0x4000, node);
    struct pm_core *core PM_AUTO(core) = open_core(b);
    struct pm_modules *modules PM_AUTO(modules) = open_modules(core, NULL);
    uint64_t vaddr;
    assert_int_equal(pm_modules_at(modules, 0)->state, PM_MODULE_VERIFIED);
    assert_non_null(pm_modules_find(modules, 0x402345, &vaddr));
    assert_int_equal(vaddr, 0x402345);
    assert_non_null(pm_modules_find(modules, 0x407fff, &vaddr));
    assert_int_equal(vaddr, 0x407fff);
    assert_null(pm_modules_find(modules, 0x408000, &vaddr));
    assert_null(pm_modules_find(modules, 0x404000, &vaddr));
    /* and nothing is filled where the process had no file any more */
    assert_int_equal(pm_mem_probe(pm_core_memory(core), 0x401000, 0x1000), PM_MEM_BYTES);
    assert_int_equal(pm_mem_probe(pm_core_memory(core), 0x402000, 1), PM_MEM_NOT_SAVED);
    core_builder_destroy(b);
    elf_builder_destroy(e);
}

static void test_text_is_filled_and_data_is_not(void **state) {
    (void)state;
    char *node PM_AUTO_FREE = write_file(&program, folder, "node");
    struct core_builder *b = core_builder_new(EM_X86_64);
    add_auxv(b, &program, 0, 0);
    core_builder_segment(b, 0x400000, NULL, 0, 4096, PF_R);
    core_builder_segment(b, 0x401000, NULL, 0, 0x2000, PF_R | PF_X);
    core_builder_segment(b, 0x404000, "live", 4, 0x1000, PF_R | PF_W); /* the rest of the data is lost */
    core_builder_segment(b, 0x405000, NULL, 0, 0x1000, PF_R); /* relocated, then made read-only, then lost */
    core_builder_file(b, 0x400000, 0x401000, 0, node);
    core_builder_file(b, 0x401000, 0x403000, 0x1000, node);
    core_builder_file(b, 0x404000, 0x405000, 0x3000, node);
    core_builder_file(b, 0x405000, 0x406000, 0x4000, node);
    struct pm_core *core PM_AUTO(core) = open_core(b);
    const struct pm_mem *mem = pm_core_memory(core);
    uint8_t bytes[4];
    assert_pm_error_at(pm_mem_read(mem, 0x401000, 4, bytes), PM_ERR_NOT_SAVED, 0x401000, "not saved");
    struct pm_modules *modules PM_AUTO(modules) = open_modules(core, NULL);
    assert_int_equal(pm_modules_at(modules, 0)->state,
                     PM_MODULE_UNVERIFIED); /* no header page, no build-id */
    assert_pm_ok(pm_mem_read(mem, 0x401000, 4, bytes));
    assert_memory_equal(bytes, "\1\2\3\4", 4);
    assert_pm_ok(pm_mem_read(mem, 0x4027fc, 4, bytes));
    assert_true(pm_mem_find(mem, 0x401000)->from_file);
    assert_int_equal(pm_mem_find(mem, 0x401000)->protection, PM_MEM_READ | PM_MEM_EXECUTE);
    assert_int_equal(pm_mem_probe(mem, 0x400000, 64), PM_MEM_BYTES);
    assert_pm_ok(pm_mem_read(mem, 0x404000, 4, bytes));
    assert_memory_equal(bytes, "live", 4);
    assert_pm_error_at(pm_mem_read(mem, 0x404000, 8, bytes), PM_ERR_NOT_SAVED, 0x404004, "not saved");
    assert_pm_error_at(pm_mem_read(mem, 0x405000, 4, bytes), PM_ERR_NOT_SAVED, 0x405000, "not saved");
    core_builder_destroy(b);
}

/* V8 maps a piece of the program's text a second time near its code range. */
static void test_text_mapped_twice(void **state) {
    (void)state;
    char *node PM_AUTO_FREE = write_file(&program, folder, "node");
    struct core_builder *b = usual_core(node, "/nowhere/lib.so");
    const pm_addr again = 0x7e0000000000;
    core_builder_segment(b, again, NULL, 0, 0x1000, PF_R | PF_X);
    core_builder_file(b, again, again + 0x1000, 0x2000, node); /* the text's second page */
    struct pm_core *core PM_AUTO(core) = open_core(b);
    struct pm_modules *modules PM_AUTO(modules) = open_modules(core, NULL);
    const struct pm_module *module = pm_modules_program(modules);
    uint64_t vaddr;
    uint8_t twice[2];
    assert_int_equal(module->bias, 0);
    assert_int_equal(module->end, 0x406000); /* the hull is that of the first mappings */
    assert_ptr_equal(pm_modules_find(modules, again + 0x123, &vaddr), module);
    assert_int_equal(vaddr, 0x402123);
    assert_ptr_equal(pm_modules_find(modules, 0x402123, &vaddr), module);
    assert_int_equal(vaddr, 0x402123);
    assert_true(pm_mem_u8(pm_core_memory(core), again + 0x123, &twice[0]));
    assert_true(pm_mem_u8(pm_core_memory(core), 0x402123, &twice[1]));
    assert_int_equal(twice[0], twice[1]);
    core_builder_destroy(b);
}

/* One page of the file holds the end of one segment and the start of the next: it is mapped twice. */
static void test_segments_that_share_a_page(void **state) {
    (void)state;
    struct elf_builder *e = elf_builder_new(EM_X86_64, ET_DYN, 0);
    elf_builder_segment(e, 0x1000, NULL, 0x1100, 0x1100, PF_R);
    elf_builder_segment(e, 0x3e00, NULL, 0x300, 0x300, PF_R | PF_W);
    size_t size;
    uint8_t *bytes = elf_builder_bytes(e, &size);
    /* Move the second segment's file part into the page where the first one ends, as linkers do. */
    uint64_t offset = 0x2e00;
    memcpy(bytes + 64 + 3 * 56 + 8, &offset, 8);
    char *path PM_AUTO_FREE = bytes_write(bytes, size, folder, "shared.so");
    struct core_builder *b = core_builder_new(EM_X86_64);
    const pm_addr at = 0x7f1000000000;
    core_builder_segment(b, at, bytes, 0x1000, 0x1000, PF_R);
    core_builder_segment(b, at + 0x1000, NULL, 0, 0x2000, PF_R);
    core_builder_segment(b, at + 0x3000, NULL, 0, 0x2000, PF_R | PF_W);
    core_builder_file(b, at, at + 0x3000, 0, path);
    core_builder_file(b, at + 0x3000, at + 0x4000, 0x2000, path);
    core_builder_file(b, at + 0x4000, at + 0x5000, 0x3000, path);
    struct pm_core *core PM_AUTO(core) = open_core(b);
    struct pm_modules *modules PM_AUTO(modules) = open_modules(core, NULL);
    uint64_t vaddr;
    assert_int_equal(pm_modules_at(modules, 0)->bias, at);
    assert_non_null(pm_modules_find(modules, at + 0x3e08, &vaddr));
    assert_int_equal(vaddr, 0x3e08);
    assert_non_null(pm_modules_find(modules, at + 0x2050, &vaddr));
    assert_int_equal(vaddr, 0x2050);
    core_builder_destroy(b);
    elf_builder_destroy(e);
}

/* A segment whose file offset and vaddr differ inside a page cannot have been mapped; it does not decide on
 * the bias. */
static void test_segment_that_cannot_be_mapped(void **state) {
    (void)state;
    struct elf_builder *e = elf_builder_new(EM_X86_64, ET_DYN, 0);
    elf_builder_segment(e, 0x1000, NULL, 0x100, 0x100, PF_R);
    size_t size;
    uint8_t *bytes = elf_builder_bytes(e, &size);
    uint64_t offset = 8;
    memcpy(bytes + 64 + 2 * 56 + 8, &offset,
           8); /* now in the header page as well, before the real one in the vote */
    uint8_t swap[56];
    memcpy(swap, bytes + 64 + 56, 56);
    memcpy(bytes + 64 + 56, bytes + 64 + 2 * 56, 56);
    memcpy(bytes + 64 + 2 * 56, swap, 56);
    struct core_builder *b = core_builder_new(EM_X86_64);
    const pm_addr at = 0x7f1000000000;
    core_builder_segment(b, at, bytes, 0x1000, 0x1000, PF_R);
    core_builder_file(b, at, at + 0x1000, 0, "/nowhere/odd.so");
    struct pm_core *core PM_AUTO(core) = open_core(b);
    struct pm_modules *modules PM_AUTO(modules) = open_modules(core, NULL);
    assert_int_equal(pm_modules_at(modules, 0)->bias, at);
    core_builder_destroy(b);
    elf_builder_destroy(e);
}

static void test_deleted_and_replaced_files(void **state) {
    (void)state;
    struct file newer = library;
    newer.id = 0xbc;
    char *node PM_AUTO_FREE = write_file(&program, folder, "node");
    char *lib PM_AUTO_FREE = write_file(&newer, folder, "replaced.so");
    char *recorded PM_AUTO_FREE = NULL, *lib_recorded PM_AUTO_FREE = NULL;
    assert_true(asprintf(&recorded, "%s (deleted)", node) > 0 &&
                asprintf(&lib_recorded, "%s (deleted)", lib) > 0);
    struct core_builder *b = usual_core(recorded, lib_recorded);
    struct pm_core *core PM_AUTO(core) = open_core(b);
    struct pm_modules *modules PM_AUTO(modules) = open_modules(core, NULL);
    assert_string_equal(pm_modules_program(modules)->path, node);
    assert_int_equal(pm_modules_program(modules)->state, PM_MODULE_VERIFIED);
    const struct pm_module *other = by_path(modules, lib);
    assert_int_equal(other->state, PM_MODULE_WRONG);
    assert_string_equal(other->found, lib); /* what was tried */
    assert_null(other->elf);
    assert_int_equal(other->bias, 0x7f0000000000); /* known from the header page */
    assert_null(pm_modules_v8(modules));
    core_builder_destroy(b);
}

static void test_missing_files(void **state) {
    (void)state;
    struct core_builder *b = usual_core("/nowhere/bin/node", "/nowhere/lib.so");
    struct pm_core *core PM_AUTO(core) = open_core(b);
    struct pm_modules *modules PM_AUTO(modules) = open_modules(core, NULL);
    const struct pm_module *module = pm_modules_program(modules);
    uint64_t vaddr;
    assert_int_equal(module->state, PM_MODULE_MISSING);
    assert_null(module->found);
    assert_null(module->elf);
    assert_string_equal(pm_modules_find(modules, 0x7f0000001234, &vaddr)->path, "/nowhere/lib.so");
    assert_int_equal(vaddr, 0x1234);
    assert_int_equal(pm_mem_probe(pm_core_memory(core), 0x401000, 1), PM_MEM_NOT_SAVED);
    core_builder_destroy(b);
}

/* ------------------------------------------------------------------ where files come from */

static void test_beside_the_core(void **state) {
    (void)state;
    char *beside PM_AUTO_FREE = in_folder("beside");
    char *node PM_AUTO_FREE = write_file(&program, beside, "node");
    char *lib PM_AUTO_FREE = write_file(&library, beside, "lib.so");
    struct core_builder *b = usual_core("/usr/local/bin/node", "/app/lib.so");
    struct pm_core *core PM_AUTO(core) = open_core(b);
    struct pm_modules *modules PM_AUTO(modules) =
        open_modules(core, &(struct pm_module_options){.beside = beside});
    assert_string_equal(pm_modules_program(modules)->found, node);
    assert_string_equal(by_path(modules, "/app/lib.so")->found, lib);
    core_builder_destroy(b);
}

static void test_sysroot(void **state) {
    (void)state;
    char *root PM_AUTO_FREE = in_folder("root"), *bin PM_AUTO_FREE = in_folder("root/usr/local/bin");
    char *libs PM_AUTO_FREE = in_folder("root/usr/lib/x86_64-linux-gnu"),
               *link PM_AUTO_FREE = in_folder("root/lib");
    char *node PM_AUTO_FREE = write_file(&program, bin, "node");
    free(write_file(&library, libs, "lib.so"));
    /* As in Debian: /lib is a link, here an absolute one that must stay inside the root. */
    assert_int_equal(symlink("/usr/lib", link), 0);
    struct core_builder *b = usual_core("/usr/local/bin/node", "/lib/x86_64-linux-gnu/lib.so");
    struct pm_core *core PM_AUTO(core) = open_core(b);
    const struct pm_module_options options = {.sysroot = root};
    struct pm_modules *modules PM_AUTO(modules) = open_modules(core, &options);
    assert_string_equal(pm_modules_program(modules)->found, node);
    assert_int_equal(by_path(modules, "/lib/x86_64-linux-gnu/lib.so")->state, PM_MODULE_VERIFIED);
    core_builder_destroy(b);
    /* Recorded elsewhere, found in one of the usual folders. */
    b = usual_core("/somewhere/else/node", "/opt/old/lib.so");
    struct pm_core *core2 PM_AUTO(core) = open_core(b);
    struct pm_modules *modules2 PM_AUTO(modules) = open_modules(core2, &options);
    assert_string_equal(pm_modules_program(modules2)->found, node);
    assert_int_equal(by_path(modules2, "/opt/old/lib.so")->state, PM_MODULE_VERIFIED);
    core_builder_destroy(b);
}

static void test_sysroot_is_not_left(void **state) {
    (void)state;
    char *root PM_AUTO_FREE = in_folder("jail"), *inside PM_AUTO_FREE = in_folder("jail/inside");
    char *kept PM_AUTO_FREE = write_file(&program, inside, "node");
    free(write_file(&library, folder, "outside.so"));
    struct core_builder *b = usual_core("/inside/node", "/inside/../../outside.so");
    struct pm_core *core PM_AUTO(core) = open_core(b);
    struct pm_modules *modules PM_AUTO(modules) =
        open_modules(core, &(struct pm_module_options){.sysroot = root});
    assert_int_equal(by_path(modules, "/inside/../../outside.so")->state, PM_MODULE_MISSING);
    assert_string_equal(pm_modules_program(modules)->found, kept);
    core_builder_destroy(b);
}

/* ------------------------------------------------------------------ --exe */

static void test_exe(void **state) {
    (void)state;
    char *node PM_AUTO_FREE = write_file(&program, folder, "any-name");
    struct core_builder *b = usual_core("/usr/bin/node", "/nowhere/lib.so");
    struct pm_core *core PM_AUTO(core) = open_core(b);
    struct pm_modules *modules PM_AUTO(modules) =
        open_modules(core, &(struct pm_module_options){.exe = node});
    assert_int_equal(pm_modules_program(modules)->state, PM_MODULE_VERIFIED);
    assert_string_equal(pm_modules_program(modules)->found, node);
    core_builder_destroy(b);
}

static void test_exe_that_is_a_library_of_the_core(void **state) {
    (void)state;
    char *lib PM_AUTO_FREE = write_file(&library, folder, "libnode.so.108");
    struct core_builder *b = usual_core("/nowhere/node", "/nowhere/libnode.so.108");
    struct pm_core *core PM_AUTO(core) = open_core(b);
    struct pm_modules *modules PM_AUTO(modules) = open_modules(core, &(struct pm_module_options){.exe = lib});
    assert_int_equal(pm_modules_program(modules)->state, PM_MODULE_MISSING);
    assert_int_equal(by_path(modules, "/nowhere/libnode.so.108")->state, PM_MODULE_VERIFIED);
    assert_ptr_equal(pm_modules_v8(modules), by_path(modules, "/nowhere/libnode.so.108"));
    core_builder_destroy(b);
}

static void test_wrong_exe(void **state) {
    (void)state;
    struct file other = program;
    other.id = 0xcc;
    char *node PM_AUTO_FREE = write_file(&other, folder, "wrong-node"), *words PM_AUTO_FREE = NULL;
    struct core_builder *b = usual_core("/usr/bin/node", "/nowhere/lib.so");
    struct pm_core *core PM_AUTO(core) = open_core(b);
    struct pm_modules *modules = NULL;
    assert_true(asprintf(&words,
                         "%s: not the program of this core: its build-id is "
                         "cccccccccccccccccccccccccccccccccccccccc, the core's program /usr/bin/node has "
                         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                         node) > 0);
    assert_pm_error(pm_modules_open(core, &(struct pm_module_options){.exe = node}, &modules), PM_ERR_FORMAT,
                    words);
    assert_pm_error(pm_modules_open(core, &(struct pm_module_options){.exe = "/nowhere/x"}, &modules),
                    PM_ERR_IO, "/nowhere/x: No such file");
    char *script PM_AUTO_FREE = bytes_write("#!/bin/sh\n", 10, folder, "script");
    assert_pm_error(pm_modules_open(core, &(struct pm_module_options){.exe = script}, &modules),
                    PM_ERR_FORMAT, "script: is not an ELF file");
    other = program;
    other.machine = EM_AARCH64;
    char *arm PM_AUTO_FREE = write_file(&other, folder, "arm-node");
    assert_pm_error(pm_modules_open(core, &(struct pm_module_options){.exe = arm}, &modules), PM_ERR_FORMAT,
                    "another machine");
    assert_null(modules);
    core_builder_destroy(b);
}

/* Without a header page in the core (coredump_filter without bit 4) segments and entry point must agree. */
static void test_exe_without_a_build_id_to_compare(void **state) {
    (void)state;
    struct file elsewhere = program;
    elsewhere.base = 0x500000;
    char *good PM_AUTO_FREE = write_file(&program, folder, "good"),
               *bad PM_AUTO_FREE = write_file(&elsewhere, folder, "bad");
    struct core_builder *b = core_builder_new(EM_X86_64);
    add_auxv(b, &program, 0, 0);
    map_file(b, &program, "/usr/bin/node", false);
    struct pm_core *core PM_AUTO(core) = open_core(b);
    struct pm_modules *modules PM_AUTO(modules) =
        open_modules(core, &(struct pm_module_options){.exe = good});
    assert_int_equal(pm_modules_program(modules)->state, PM_MODULE_UNVERIFIED);
    struct pm_modules *none = NULL;
    assert_pm_error(pm_modules_open(core, &(struct pm_module_options){.exe = bad}, &none), PM_ERR_FORMAT,
                    "mapped with other segments");
    core_builder_destroy(b);
}

/* The core holds other text than the file: same shape, other program. */
static void test_saved_text_must_agree(void **state) {
    (void)state;
    struct file other = program;
    other.text = 99;
    char *good PM_AUTO_FREE = write_file(&program, folder, "good"),
               *bad PM_AUTO_FREE = write_file(&other, folder, "bad");
    struct core_builder *b = core_builder_new(EM_X86_64);
    struct elf_builder *e = file_builder(&program);
    size_t size;
    const uint8_t *bytes = elf_builder_bytes(e, &size);
    add_auxv(b, &program, 0, 0);
    core_builder_segment(b, 0x400000, NULL, 0, 4096, PF_R);
    core_builder_segment(b, 0x401000, bytes + 0x1000, 0x1000, 0x2000, PF_R | PF_X);
    core_builder_segment(b, 0x404000, "live", 4, 0x2000, PF_R | PF_W);
    core_builder_file(b, 0x400000, 0x401000, 0, "/usr/bin/node");
    core_builder_file(b, 0x401000, 0x403000, 0x1000, "/usr/bin/node");
    core_builder_file(b, 0x404000, 0x406000, 0x3000, "/usr/bin/node");
    struct pm_core *core PM_AUTO(core) = open_core(b);
    struct pm_modules *modules PM_AUTO(modules) =
        open_modules(core, &(struct pm_module_options){.exe = good}),
                               *none = NULL;
    assert_int_equal(pm_modules_program(modules)->state, PM_MODULE_UNVERIFIED);
    assert_pm_error(pm_modules_open(core, &(struct pm_module_options){.exe = bad}, &none), PM_ERR_FORMAT,
                    "not the program of this core");
    core_builder_destroy(b);
    elf_builder_destroy(e);
}

/* ------------------------------------------------------------------ cores without NT_FILE */

static void test_qemu_core(void **state) {
    (void)state;
    const struct file arm = {
        .base = 0x400000, .type = ET_EXEC, .machine = EM_AARCH64, .id = 0xaa, .symbol = "main"};
    struct file other = arm;
    other.base = 0x600000;
    char *beside PM_AUTO_FREE = in_folder("qemu"), *node PM_AUTO_FREE = write_file(&arm, beside, "node");
    char *wrong PM_AUTO_FREE = write_file(&other, folder, "wrong");
    struct core_builder *b = core_builder_new(EM_AARCH64);
    add_auxv(b, &arm, 0, 0x7fff0000);
    map_file(b, &arm, NULL, false);
    core_builder_segment(b, 0x7fff0000, "/far/away/node", 15, 15, PF_R | PF_W);
    struct pm_core *core PM_AUTO(core) = open_core(b);
    assert_false(pm_core_info(core)->has_files);
    struct pm_modules *modules PM_AUTO(modules) =
        open_modules(core, &(struct pm_module_options){.beside = beside});
    const struct pm_module *module = pm_modules_program(modules);
    assert_string_equal(module->path, "/far/away/node");
    assert_string_equal(module->found, node);
    assert_int_equal(module->state, PM_MODULE_UNVERIFIED);
    assert_int_equal(module->bias, 0);
    assert_int_equal(module->start, 0x400000);
    assert_ptr_equal(pm_modules_find(modules, 0x401020, NULL), module);
    uint8_t byte;
    assert_true(pm_mem_u8(pm_core_memory(core), 0x401020, &byte));
    assert_int_equal(byte, 0x20);
    struct pm_modules *given PM_AUTO(modules) = open_modules(core, &(struct pm_module_options){.exe = node}),
                             *none = NULL;
    assert_int_equal(pm_modules_program(given)->state, PM_MODULE_UNVERIFIED);
    assert_pm_error(pm_modules_open(core, &(struct pm_module_options){.exe = wrong}, &none), PM_ERR_FORMAT,
                    "wrong: not the program of this core");
    struct pm_modules *missing PM_AUTO(modules) = open_modules(core, NULL);
    assert_int_equal(pm_modules_program(missing)->state, PM_MODULE_MISSING);
    assert_string_equal(pm_modules_program(missing)->path, "/far/away/node");
    core_builder_destroy(b);
}

/* Cut off before its notes: nothing says which program it was, so --exe is tried and never an error. */
static void test_core_without_notes(void **state) {
    (void)state;
    struct file pie = program;
    pie.type = ET_DYN, pie.base = 0;
    char *node PM_AUTO_FREE = write_file(&program, folder, "node"),
               *other PM_AUTO_FREE = write_file(&pie, folder, "pie");
    struct core_builder *b = core_builder_new(EM_X86_64);
    map_file(b, &program, NULL, false);
    struct pm_core *core PM_AUTO(core) = open_core(b);
    struct pm_modules *given PM_AUTO(modules) = open_modules(core, &(struct pm_module_options){.exe = node});
    assert_int_equal(pm_modules_program(given)->state, PM_MODULE_UNVERIFIED);
    assert_ptr_equal(pm_modules_find(given, 0x401020, NULL), pm_modules_program(given));
    struct pm_modules *wrong PM_AUTO(modules) = open_modules(core, &(struct pm_module_options){.exe = other});
    assert_int_equal(pm_modules_program(wrong)->state, PM_MODULE_WRONG);
    assert_string_equal(pm_modules_program(wrong)->found, other);
    assert_null(pm_modules_program(wrong)->elf);
    core_builder_destroy(b);
    struct file elsewhere = program; /* linked for another place, where the process has something else */
    elsewhere.base = 0x403000;
    char *third PM_AUTO_FREE = write_file(&elsewhere, folder, "elsewhere");
    b = core_builder_new(EM_X86_64);
    map_file(b, &program, NULL, false);
    core_builder_segment(b, 0x403000, NULL, 0, 0x1000, PF_R);
    core_builder_segment(b, 0x407000, NULL, 0, 0x2000, PF_R | PF_W);
    struct pm_core *core2 PM_AUTO(core) = open_core(b);
    struct pm_modules *none PM_AUTO(modules) = open_modules(core2, &(struct pm_module_options){.exe = third});
    assert_int_equal(pm_modules_program(none)->state, PM_MODULE_WRONG);
    core_builder_destroy(b);
}

/* Position independent: the bias comes from the entry point; the header page, where it is saved, verifies it.
 */
static void test_position_independent_without_a_list(void **state) {
    (void)state;
    const struct file pie = {.bias = 0x555500000000, .type = ET_DYN, .id = 0xdd, .symbol = "main"};
    char *node PM_AUTO_FREE = write_file(&pie, folder, "pie");
    struct core_builder *b = core_builder_new(EM_X86_64);
    add_auxv(b, &pie, 0, 0);
    map_file(b, &pie, NULL, true);
    struct pm_core *core PM_AUTO(core) = open_core(b);
    struct pm_modules *modules PM_AUTO(modules) =
        open_modules(core, &(struct pm_module_options){.exe = node});
    pm_addr addr;
    assert_int_equal(pm_modules_program(modules)->state, PM_MODULE_VERIFIED);
    assert_true(pm_modules_program(modules)->bias == 0x555500000000);
    assert_true(pm_modules_symbol(modules, "main", &addr, NULL, NULL));
    assert_true(addr == 0x555500001020);
    core_builder_destroy(b);
}

/* The dynamic loader's list, with a name in program text that the core has not saved, and an end that bites
 * its own tail. */
static void test_libraries_without_a_list(void **state) {
    (void)state;
    const pm_addr at = 0x5500000000;
    struct elf_builder *e = elf_builder_new(EM_AARCH64, ET_EXEC, 0x400000),
                       *l = elf_builder_new(EM_AARCH64, ET_DYN, 0);
    char text[0x200] = {0};
    uint64_t data[128] = {0};
    elf_builder_segment(l, 0x1000, "library text", 12, 12, PF_R | PF_X);
    elf_builder_segment(l, 0x2000, "library data", 12, 0x200, PF_R | PF_W);
    elf_builder_dynamic(l, 0x2100, 0x80);
    elf_builder_symbol(l, "abort", 0x1004, 4, FUNC, 2, true);
    char *lib PM_AUTO_FREE = elf_builder_write(l, folder, "libc.so.6");
    snprintf(text, sizeof(text), "%s", lib);
    elf_builder_segment(e, 0x401000, text, sizeof(text), sizeof(text), PF_R | PF_X);
    elf_builder_segment(e, 0x402000, data, sizeof(data), sizeof(data), PF_R | PF_W);
    elf_builder_entry(e, 0x401000);
    elf_builder_dynamic(e, 0x402000, 0x100);
    char *node PM_AUTO_FREE = elf_builder_write(e, folder, "node-arm");
    data[0] = 5;                                                   /* any other entry first */
    data[2] = DT_DEBUG, data[3] = 0x402100;                        /* -> struct r_debug */
    data[32] = 1, data[33] = 0x402140;                             /* -> struct link_map */
    data[41] = 0x402300, data[42] = 0x402000, data[43] = 0x402180; /* the program: "" */
    data[48] = at, data[49] = 0x401000, data[50] = at + 0x2100, data[51] = 0x4021c0;
    data[56] = 0x5600000000, data[57] = 0x402310, data[58] = 0x5600002100,
    data[59] = 0x402180; /* back again */
    memcpy(&data[98], "/nowhere/libm", 14);
    struct core_builder *b = core_builder_new(EM_AARCH64);
    const uint64_t auxv[] = {AT_PAGESZ, 4096, AT_ENTRY, 0x401000, AT_PHDR, 0x400040};
    core_builder_auxv(b, auxv, 3);
    core_builder_segment(b, 0x400000, NULL, 0, 0x2000, PF_R | PF_X);
    core_builder_segment(b, 0x402000, data, sizeof(data), sizeof(data), PF_R | PF_W);
    core_builder_segment(b, at, NULL, 0, 0x2000, PF_R | PF_X);
    core_builder_segment(b, at + 0x2000, "live", 4, 0x1000, PF_R | PF_W);
    struct pm_core *core PM_AUTO(core) = open_core(b);
    struct pm_modules *modules PM_AUTO(modules) =
        open_modules(core, &(struct pm_module_options){.exe = node});
    const struct pm_module *module = by_path(modules, lib);
    pm_addr addr;
    assert_int_equal(module->state, PM_MODULE_UNVERIFIED);
    assert_true(module->bias == at);
    assert_true(pm_modules_symbol(modules, "abort", &addr, NULL, NULL));
    assert_true(addr == at + 0x1004);
    assert_ptr_equal(pm_modules_find(modules, at + 0x1004, NULL), module);
    assert_ptr_equal(pm_modules_find(modules, at + 0x2004, NULL), module);
    assert_int_equal(by_path(modules, "/nowhere/libm")->state, PM_MODULE_MISSING);
    assert_true(by_path(modules, "/nowhere/libm")->bias == 0x5600000000);
    assert_int_equal(pm_modules_count(modules), 3); /* each once, though the list goes round */
    /* Another build of the library: its PT_DYNAMIC is not where the loader found it. */
    elf_builder_dynamic(l, 0x2110, 0x80);
    free(elf_builder_write(l, folder, "libc.so.6"));
    struct pm_modules *other PM_AUTO(modules) = open_modules(core, &(struct pm_module_options){.exe = node});
    assert_int_equal(by_path(other, lib)->state, PM_MODULE_WRONG);
    core_builder_destroy(b);
    elf_builder_destroy(e);
    elf_builder_destroy(l);
}

/* ------------------------------------------------------------------ the vdso, and what is no module */

static void test_vdso(void **state) {
    (void)state;
    const struct file vdso = {.bias = 0x7ffff000000, .type = ET_DYN, .id = 0xee, .symbol = "clock_gettime"};
    struct elf_builder *e = file_builder(&vdso);
    size_t size;
    const uint8_t *bytes = elf_builder_bytes(e, &size);
    struct core_builder *b = core_builder_new(EM_X86_64);
    add_auxv(b, &program, 0x7ffff000000, 0);
    core_builder_segment(b, 0x7ffff000000, bytes, size, size, PF_R | PF_X);
    struct pm_core *core PM_AUTO(core) = open_core(b);
    struct pm_modules *modules PM_AUTO(modules) = open_modules(core, NULL);
    struct pm_elf_symbol symbol;
    uint64_t vaddr;
    const struct pm_module *module = pm_modules_find(modules, 0x7ffff001030, &vaddr);
    assert_non_null(module);
    assert_string_equal(module->path, "[vdso]");
    assert_true(pm_elf_symbol_at(module->elf, vaddr, &symbol));
    assert_string_equal(symbol.name, "clock_gettime");
    core_builder_destroy(b);
    elf_builder_destroy(e);
}

static void test_mapped_files_that_are_no_modules(void **state) {
    (void)state;
    char *node PM_AUTO_FREE = write_file(&program, folder, "node");
    struct core_builder *b = usual_core(node, "/nowhere/lib.so");
    core_builder_segment(b, 0x10000000, "locale archive", 14, 4096, PF_R);
    core_builder_file(b, 0x10000000, 0x10001000, 0, "/usr/lib/locale/locale-archive");
    core_builder_segment(b, 0x20000000, NULL, 0, 4096, PF_R);
    core_builder_file(b, 0x20000000, 0x20001000, 0, "/data/not-saved");
    core_builder_file(b, 0x30000000, 0x30001000, 0, "anon_inode:[io_uring]");
    struct pm_core *core PM_AUTO(core) = open_core(b);
    struct pm_modules *modules PM_AUTO(modules) = open_modules(core, NULL);
    assert_int_equal(pm_modules_count(modules), 2);
    assert_null(pm_modules_find(modules, 0x10000000, NULL));
    core_builder_destroy(b);
}

/* Paths come from the core: they must not hang or harm us, and messages show them harmlessly. */
static void test_hostile_paths(void **state) {
    (void)state;
    char *fifo PM_AUTO_FREE = in_folder("fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    const char *const paths[] = {fifo, "/dev/zero", "/dev/tty",      folder,          "",
                                 "/",  "..",        "relative/node", "/proc/self/mem"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct core_builder *b = usual_core("\033]0;title\007/node", paths[i]);
        struct pm_core *core PM_AUTO(core) = open_core(b);
        const struct pm_module_options options = {.sysroot = folder, .beside = folder};
        struct pm_modules *modules PM_AUTO(modules) = open_modules(core, &options), *none = NULL;
        assert_int_not_equal(by_path(modules, paths[i])->state, PM_MODULE_VERIFIED);
        assert_null(by_path(modules, paths[i])->elf);
        struct file stranger = library;
        stranger.id = 0x11;
        char *exe PM_AUTO_FREE = write_file(&stranger, folder, "stranger");
        struct pm_error *err = pm_modules_open(core, &(struct pm_module_options){.exe = exe}, &none);
        assert_non_null(err);
        assert_null(strchr(err->message, '\033'));
        assert_pm_error(err, PM_ERR_FORMAT, "\\x1b]0;title\\x07/node");
        core_builder_destroy(b);
    }
}

/* Every byte of the header page and of the file list changed: an answer, and no harm. */
static void test_damaged_anywhere(void **state) {
    (void)state;
    char *node PM_AUTO_FREE = write_file(&program, folder, "node");
    char *lib PM_AUTO_FREE = write_file(&library, folder, "lib.so");
    struct core_builder *b = usual_core(node, lib);
    struct pm_input *input = core_builder_input(b);
    uint8_t *bytes = (uint8_t *)(uintptr_t)input->bytes;
    for (size_t at = 64; at < 0x1000 + 0x900; at++) {
        if (at > 0x600 && at < 0x1000) continue;
        if (at > 0x1180 && at < 0x1800) continue;
        uint8_t was = bytes[at];
        const uint8_t bad[] = {0, 0xff, 0x80};
        for (size_t i = 0; i < sizeof(bad); i++) {
            bytes[at] = bad[i];
            struct pm_core *core PM_AUTO(core) = NULL;
            struct pm_modules *modules PM_AUTO(modules) = NULL;
            pm_error_destroy(pm_core_open(input, &core));
            if (core) pm_error_destroy(pm_modules_open(core, NULL, &modules));
            if (!modules) continue;
            pm_addr addr;
            pm_modules_symbol(modules, "main", &addr, NULL, NULL);
            pm_modules_find(modules, 0x401000, NULL);
        }
        bytes[at] = was;
    }
    core_builder_destroy(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded_paths),
        cmocka_unit_test(test_addresses_and_symbols),
        cmocka_unit_test(test_memory_without_a_file_mapping),
        cmocka_unit_test(test_text_is_filled_and_data_is_not),
        cmocka_unit_test(test_text_mapped_twice),
        cmocka_unit_test(test_segments_that_share_a_page),
        cmocka_unit_test(test_segment_that_cannot_be_mapped),
        cmocka_unit_test(test_deleted_and_replaced_files),
        cmocka_unit_test(test_missing_files),
        cmocka_unit_test(test_beside_the_core),
        cmocka_unit_test(test_sysroot),
        cmocka_unit_test(test_sysroot_is_not_left),
        cmocka_unit_test(test_exe),
        cmocka_unit_test(test_exe_that_is_a_library_of_the_core),
        cmocka_unit_test(test_wrong_exe),
        cmocka_unit_test(test_exe_without_a_build_id_to_compare),
        cmocka_unit_test(test_saved_text_must_agree),
        cmocka_unit_test(test_qemu_core),
        cmocka_unit_test(test_core_without_notes),
        cmocka_unit_test(test_position_independent_without_a_list),
        cmocka_unit_test(test_libraries_without_a_list),
        cmocka_unit_test(test_vdso),
        cmocka_unit_test(test_mapped_files_that_are_no_modules),
        cmocka_unit_test(test_hostile_paths),
        cmocka_unit_test(test_damaged_anywhere),
    };
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
