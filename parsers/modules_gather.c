#include "parsers/modules_private.h"

#include <string.h>

#include "postmortem/base/limits.h"
#include "postmortem/base/sort.h"

static struct pm_error *add_module(struct pm_modules *modules, struct module *module) {
    return pm_vec_push(&modules->items, module) ? NULL : pm_error_nomem();
}

/* ------------------------------------------------------------------ cores with NT_FILE */

struct row {
    const struct pm_core_mapping *mapping;
    size_t length; /* of the path without " (deleted)" */
};

static int by_path(const void *a, const void *b) {
    const struct row *x = a, *y = b;
    size_t length = x->length < y->length ? x->length : y->length;
    int order = memcmp(x->mapping->path, y->mapping->path, length);
    if (order) return order;
    if (x->length != y->length) return x->length < y->length ? -1 : 1;
    return x->mapping->start < y->mapping->start ? -1 : x->mapping->start > y->mapping->start;
}

/* Is this file an ELF image? Its header page says so; where the core has none, something executable in it
 * does. */
static bool is_module(const struct pm_modules *modules, const struct row *rows, size_t count,
                      const uint8_t **header_ret, uint64_t *size_ret) {
    bool executable = false, other = false;
    *header_ret = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct pm_core_mapping *mapping = rows[i].mapping;
        uint64_t size;
        if (pm_module_protection(modules->core, mapping->start) & PM_MEM_EXECUTE) executable = true;
        const uint8_t *bytes =
            mapping->file_offset ? NULL : pm_module_core_bytes(modules->core, mapping->start, &size);
        if (!bytes || *header_ret) continue;
        if (size > mapping->end - mapping->start) size = mapping->end - mapping->start;
        if (size >= SELFMAG && memcmp(bytes, ELFMAG, SELFMAG) == 0) {
            *header_ret = bytes;
            *size_ret = size;
        } else {
            other = true;
        }
    }
    return *header_ret || (executable && !other);
}

static bool covers(const struct row *rows, size_t count, pm_addr addr) {
    for (size_t i = 0; i < count; i++)
        if (addr >= rows[i].mapping->start && addr < rows[i].mapping->end) return true;
    return false;
}

static struct pm_error *add_file(struct pm_modules *modules, const struct row *rows, size_t count) {
    const struct pm_core_info *info = pm_core_info(modules->core);
    const uint8_t *header;
    uint64_t size = 0;
    if (!is_module(modules, rows, count, &header, &size) || modules->items.count >= PM_MAX_MODULES)
        return NULL;
    struct module *module PM_AUTO(module) = calloc(1, sizeof(*module));
    if (!module || !(module->path = strndup(rows[0].mapping->path, rows[0].length))) return pm_error_nomem();
    module->public.path = module->path;
    module->public.state = PM_MODULE_MISSING;
    module->first = modules->spans.count;
    module->count = count;
    for (size_t i = 0; i < count; i++) {
        const struct pm_core_mapping *mapping = rows[i].mapping;
        struct span span = {mapping->start, mapping->end, mapping->file_offset, 0, 0};
        if (!pm_vec_push(&modules->spans, span)) return pm_error_nomem();
    }
    if (header) pm_module_read_header(module, header, size);
    pm_addr known = info->phdr ? info->phdr : info->entry;
    if (known && !modules->program && covers(rows, count, known)) {
        module->public.is_program = true;
        modules->program = module;
    }
    PM_TRY(add_module(modules, module));
    module = NULL;
    return NULL;
}

struct pm_error *pm_modules_gather(struct pm_modules *modules) {
    size_t count = pm_core_mapping_count(modules->core);
    struct row *rows PM_AUTO_FREE = calloc(count + 1, sizeof(*rows));
    if (!rows) return pm_error_nomem();
    for (size_t i = 0; i < count; i++) {
        rows[i].mapping = pm_core_mapping(modules->core, i);
        rows[i].length = pm_module_path_length(rows[i].mapping->path);
    }
    pm_sort(rows, count, sizeof(*rows), by_path);
    for (size_t i = 0; i < count;) {
        size_t end = i + 1;
        while (end < count && rows[end].length == rows[i].length &&
               memcmp(rows[end].mapping->path, rows[i].mapping->path, rows[i].length) == 0)
            end++;
        PM_TRY(add_file(modules, rows + i, end - i));
        i = end;
    }
    return NULL;
}

/* ------------------------------------------------------------------ cores without NT_FILE (qemu)
 *
 * The program is found through the auxiliary vector. Its libraries are in the list that the dynamic loader
 * keeps for debuggers (glibc and musl, <link.h>): DT_DEBUG of the program's PT_DYNAMIC points to
 *
 *     struct r_debug { int version; struct link_map *map; ... }           at 0 and 8
 *     struct link_map { bias, char *name, PT_DYNAMIC's address, next }    at 0, 8, 16, 24
 */

static struct pm_error *add_unlisted(struct pm_modules *modules, char *path, struct module **ret) {
    struct module *module PM_AUTO(module) = calloc(1, sizeof(*module));
    if (!module || !(module->path = strdup(path))) return pm_error_nomem();
    module->public.path = module->path;
    module->public.state = PM_MODULE_MISSING;
    module->unlisted = true;
    module->first = modules->spans.count;
    PM_TRY(add_module(modules, module));
    *ret = PM_TAKE(module);
    return NULL;
}

static pm_addr loader_list(const struct pm_core *core, const struct module *program) {
    const struct pm_mem *mem = pm_core_memory(core);
    uint64_t vaddr, size, bias, tag, value;
    if (!pm_elf_dynamic(program->public.elf, &vaddr, &size) ||
        !pm_module_program_bias(core, program->public.elf, &bias))
        return 0;
    for (uint64_t at = 0; at < size; at += 16) {
        if (!pm_mem_u64(mem, vaddr + bias + at, &tag) || !pm_mem_u64(mem, vaddr + bias + at + 8, &value) ||
            !tag)
            return 0;
        if (tag == DT_DEBUG) return pm_mem_u64(mem, value + 8, &value) ? value : 0;
    }
    return 0;
}

static bool is_listed(const struct pm_modules *modules, pm_addr dynamic) {
    for (size_t i = 0; i < modules->items.count; i++)
        if (modules->items.items[i]->dynamic == dynamic) return true;
    return false;
}

static struct pm_error *gather_libraries(struct pm_modules *modules) {
    const struct pm_mem *mem = pm_core_memory(modules->core);
    pm_addr at = loader_list(modules->core, modules->program);
    for (size_t count = 0; at && count < PM_MAX_MODULES; count++) {
        uint64_t bias, name, dynamic, next;
        if (!pm_mem_u64(mem, at, &bias) || !pm_mem_u64(mem, at + 8, &name) ||
            !pm_mem_u64(mem, at + 16, &dynamic) || !pm_mem_u64(mem, at + 24, &next))
            return NULL;
        if (is_listed(modules, dynamic)) return NULL; /* a damaged list may go round */
        at = next;
        if (count == 0) {
            modules->program->dynamic = dynamic; /* the first one is the program */
            continue;
        }
        char *path PM_AUTO_FREE = pm_mem_string(mem, name, 4096);
        if (!path || path[0] != '/') continue; /* the vdso has no path */
        struct module *module;
        PM_TRY(add_unlisted(modules, path, &module));
        module->loaded = bias;
        module->dynamic = dynamic;
        module->public.bias = bias;
        module->public.start = module->public.end = bias;
        pm_module_find_file(modules, module);
    }
    return NULL;
}

struct pm_error *pm_modules_gather_unlisted(struct pm_modules *modules) {
    const struct pm_core_info *info = pm_core_info(modules->core);
    char *path PM_AUTO_FREE =
        info->execfn ? pm_mem_string(pm_core_memory(modules->core), info->execfn, 4096) : NULL;
    if (!path && info->name) path = strdup(info->name);
    if (!path) path = strdup("");
    if (!path) return pm_error_nomem();
    PM_TRY(add_unlisted(modules, path, &modules->program));
    modules->program->public.is_program = true;
    pm_module_find_file(modules, modules->program);
    if (!modules->program->public.elf) return NULL;
    PM_TRY(pm_module_place(modules, modules->program)); /* the loader's own name is in the program's text */
    PM_TRY(pm_mem_finish(pm_core_memory(modules->core)));
    return gather_libraries(modules);
}

/* ------------------------------------------------------------------ the vdso */

struct pm_error *pm_modules_add_vdso(struct pm_modules *modules) {
    pm_addr start = pm_core_info(modules->core)->sysinfo_ehdr;
    uint64_t size;
    const uint8_t *bytes = start ? pm_module_core_bytes(modules->core, start, &size) : NULL;
    if (!bytes) return NULL;
    struct module *module PM_AUTO(module) = calloc(1, sizeof(*module));
    if (!module || !(module->path = strdup("[vdso]"))) return pm_error_nomem();
    struct pm_error *err = pm_elf_open_memory(bytes, size, "[vdso]", &module->public.elf);
    if (err) {
        pm_error_destroy(err);
        return NULL;
    }
    module->public.path = module->path;
    module->public.state = PM_MODULE_VERIFIED; /* these are the process's own bytes */
    pm_module_read_header(module, bytes, size);
    module->first = modules->spans.count;
    module->count = 1;
    struct span span = {start, start + size, 0, 0, 0};
    if (!pm_vec_push(&modules->spans, span)) return pm_error_nomem();
    PM_TRY(add_module(modules, module));
    module = NULL;
    return NULL;
}
