/* modules_private.h - what the sources of modules.h share: a module while it is being found and placed.
 * modules_gather.c lists the modules of a core, modules_find.c finds and verifies their files,
 * modules_place.c says what is mapped where. */
#ifndef PM_PARSERS_MODULES_PRIVATE_H
#define PM_PARSERS_MODULES_PRIVATE_H

#include <elf.h>

#include "parsers/modules.h"
#include "postmortem/base/vec.h"

#define MAX_SEGMENTS 16 /* PT_LOADs of one file looked at; linkers make 2 to 8 */

struct span { /* one mapping of a module's file */
    pm_addr start, end;
    uint64_t file_offset;
    uint64_t bias; /* address = vaddr + bias, for this mapping only */
    uint32_t module;
};

struct module {
    struct pm_module public; /* first */
    char *path, *found;
    size_t first, count; /* its spans, while they are still grouped by file */
    struct pm_elf_segment segments[MAX_SEGMENTS];
    size_t segment_count;
    bool placed;
    bool unlisted;           /* not from NT_FILE: its spans come from the file that is found */
    pm_addr loaded, dynamic; /* of an unlisted library: what the dynamic loader noted, bias and PT_DYNAMIC */
};

struct pm_modules {
    const struct pm_core *core;
    struct pm_module_options options;
    PM_VEC(struct module *) items; /* ascending by start */
    PM_VEC(struct span) spans;     /* file mappings; ascending in the end */
    PM_VEC(struct span) segments;  /* the same by the files' segments, for memory without a file mapping */
    size_t skipped;
    struct module *program, *v8;
    struct pm_elf *exe; /* --exe until a module takes it */
    bool exe_used;
};

void pm_module_destroy(struct module *module);
PM_DEFINE_AUTO(module, struct module, pm_module_destroy)

/* What the core itself holds from addr on; not what was filled in from a file. NULL: nothing. */
const uint8_t *pm_module_core_bytes(const struct pm_core *core, pm_addr addr, uint64_t *size_ret);

/* PM_MEM_* of the page at addr; 0 where nothing is mapped. */
uint32_t pm_module_protection(const struct pm_core *core, pm_addr addr);

/* ---- modules_place.c ---- */

void pm_module_set_segments(struct module *module, const struct pm_elf *elf);

/* Segments and build-id from the file's first bytes, as the core has them. */
void pm_module_read_header(struct module *module, const uint8_t *bytes, uint64_t size);

/* The bias that a mapping would have if it showed `segment`; false when the two have no page in common, or
 * the segment cannot be mapped at all. */
bool pm_module_bias_of(const struct pm_elf_segment *segment, const struct span *span, uint64_t page,
                       uint64_t *ret);

/* The bias that most mappings agree on; returns how many do. */
size_t pm_module_choose_bias(const struct pm_modules *modules, struct module *module, uint64_t *ret);

/* Where the kernel put this program, from the two addresses that the auxiliary vector gives. */
bool pm_module_program_bias(const struct pm_core *core, const struct pm_elf *elf, uint64_t *ret);

/* Biases and hull, and the text that the core has not saved, from the file. A second call does nothing. */
struct pm_error *pm_module_place(struct pm_modules *modules, struct module *module);

/* ---- modules_find.c ---- */

/* Looks for the module's file where the options say; what was found is in module->public.state. */
void pm_module_find_file(struct pm_modules *modules, struct module *module);

/* --exe fits no module: the error that says so, or NULL when the core cannot contradict. */
struct pm_error *pm_modules_refuse_exe(struct pm_modules *modules);

/* The length of a path without the mark of files that were deleted or replaced while they were mapped. */
size_t pm_module_path_length(const char *path);

/* ---- modules_gather.c ---- */

/* From NT_FILE. */
struct pm_error *pm_modules_gather(struct pm_modules *modules);

/* Without NT_FILE (qemu's cores): from the auxiliary vector and the dynamic loader's list. Finds the files,
 * too. */
struct pm_error *pm_modules_gather_unlisted(struct pm_modules *modules);

struct pm_error *pm_modules_add_vdso(struct pm_modules *modules);

#endif
