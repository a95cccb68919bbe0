/* modules.h - which ELF files the dead process had mapped, where, and the file on our disk for each.
 *
 * A candidate file is searched in this order: --exe (for the program, or for the library whose build-id it
 * has), --sysroot + recorded path, --sysroot's usual folders, beside the core, the recorded path. It is
 * accepted when its build-id equals the one in the core's copy of the ELF header page; where the core has no
 * such page, when segments, entry point and saved text agree, and then it is marked unverified.
 *
 * V8 may map parts of the program a second time near its code range ("short builtin calls"): bias is looked
 * up by mapping, never per file. Without NT_FILE (qemu) the auxiliary vector places the program, and the
 * dynamic loader's own list its libraries.
 *
 * OWNERSHIP  modules live until pm_modules_close(); the core must outlive them. Text that the core has not
 *            saved is filled into the core's address space from the files found, which must outlive its use:
 *            do not read the core's memory after pm_modules_close().
 * THREADS    pm_modules_find() may be used from many threads; what looks at symbols may not (elf_file.h). */
#ifndef PM_PARSERS_MODULES_H
#define PM_PARSERS_MODULES_H

#include "parsers/core_file.h"
#include "parsers/elf_file.h"

struct pm_module_options {
    const char *exe;     /* NULL = not given */
    const char *sysroot; /* NULL = not given */
    const char *beside;  /* folder of the core, NULL = do not look there */
};

enum pm_module_state { PM_MODULE_VERIFIED, PM_MODULE_UNVERIFIED, PM_MODULE_MISSING, PM_MODULE_WRONG };

struct pm_module {
    const char *path;   /* recorded in the process */
    const char *found;  /* file on our disk, NULL */
    struct pm_elf *elf; /* NULL unless verified or unverified */
    enum pm_module_state state;
    uint8_t build_id[64]; /* from the core; length 0 = not in the core */
    size_t build_id_length;
    pm_addr start, end; /* hull of its (first) mappings */
    uint64_t bias;      /* of the first mappings: address = vaddr + bias */
    bool is_program;    /* the executable itself */
};

struct pm_modules;

/* A wrong --exe is an error (both build-ids and the tried file in the message). Missing files are not: see
 * state. */
struct pm_error *pm_modules_open(const struct pm_core *core, const struct pm_module_options *options,
                                 struct pm_modules **ret);
void pm_modules_close(struct pm_modules *modules);

size_t pm_modules_count(const struct pm_modules *modules);
size_t pm_modules_skipped(const struct pm_modules *modules); /* files above PM_MAX_MODULES */
const struct pm_module *pm_modules_at(const struct pm_modules *modules, size_t index);
const struct pm_module *pm_modules_program(const struct pm_modules *modules); /* NULL */
/* The module and vaddr behind an address of the process, by mapping; NULL = in none. Memory of a module's
 * segments that has no file mapping counts too: .bss, and text that node moved to huge pages. vaddr_ret may
 * be NULL. */
const struct pm_module *pm_modules_find(const struct pm_modules *modules, pm_addr addr, uint64_t *vaddr_ret);
pm_addr pm_module_address(const struct pm_module *module, uint64_t vaddr); /* in its first mappings */
/* A symbol anywhere, program first: its address in the process. */
bool pm_modules_symbol(const struct pm_modules *modules, const char *name, pm_addr *addr_ret,
                       uint64_t *size_ret, const struct pm_module **module_ret);
/* The module that holds V8: the one with v8dbg_* symbols (program or libnode.so); NULL = none found. */
const struct pm_module *pm_modules_v8(const struct pm_modules *modules);

PM_DEFINE_AUTO(modules, struct pm_modules, pm_modules_close)

#endif
