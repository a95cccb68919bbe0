#include "parsers/modules.h"

#include <string.h>

#include "parsers/modules_private.h"
#include "postmortem/base/checked.h"
#include "postmortem/base/sort.h"

void pm_module_destroy(struct module *module) {
    if (!module) return;
    pm_elf_close(module->public.elf);
    free(module->path);
    free(module->found);
    free(module);
}

void pm_modules_close(struct pm_modules *modules) {
    if (!modules) return;
    for (size_t i = 0; i < modules->items.count; i++) pm_module_destroy(modules->items.items[i]);
    pm_vec_deinit(&modules->items);
    pm_vec_deinit(&modules->spans);
    pm_vec_deinit(&modules->segments);
    pm_elf_close(modules->exe);
    free(modules);
}

/* What the core itself holds from addr on; not what we filled in from a file. */
const uint8_t *pm_module_core_bytes(const struct pm_core *core, pm_addr addr, uint64_t *size_ret) {
    const struct pm_mem_range *range = pm_mem_find(pm_core_memory(core), addr);
    if (!range || !range->bytes || range->from_file) return NULL;
    *size_ret = range->end - addr;
    return range->bytes + (addr - range->start);
}

uint32_t pm_module_protection(const struct pm_core *core, pm_addr addr) {
    const struct pm_mem_range *range = pm_mem_find(pm_core_memory(core), addr);
    return range ? range->protection : 0;
}

/* ------------------------------------------------------------------ putting it together */

static bool is_v8(const struct module *module) {
    static const char *const names[] = {"v8dbg_frametype_EntryFrame", "v8dbg_SmiTag",
                                        "_ZN2v87Isolate10GetCurrentEv"};
    struct pm_elf_symbol symbol;
    for (size_t i = 0; module->public.elf && i < sizeof(names) / sizeof(names[0]); i++)
        if (pm_elf_find_symbol(module->public.elf, names[i], &symbol)) return true;
    return false;
}

static void find_v8(struct pm_modules *modules) {
    if (modules->program && is_v8(modules->program)) modules->v8 = modules->program;
    for (size_t i = 0; !modules->v8 && i < modules->items.count; i++)
        if (is_v8(modules->items.items[i])) modules->v8 = modules->items.items[i];
}

static int by_module_start(const void *a, const void *b) {
    const struct module *x = *(struct module *const *)a, *y = *(struct module *const *)b;
    return x->public.start < y->public.start ? -1 : x->public.start > y->public.start;
}

static int by_span_start(const void *a, const void *b) {
    const struct span *x = a, *y = b;
    return x->start < y->start ? -1 : x->start > y->start;
}

static struct pm_error *add_whole_segments(struct pm_modules *modules, const struct module *module,
                                           uint32_t number) {
    for (size_t i = 0; i < module->segment_count && module->count; i++) {
        const struct pm_elf_segment *segment = &module->segments[i];
        struct span span = {
            .start = segment->vaddr + module->public.bias, .bias = module->public.bias, .module = number};
        if (!pm_add_u64(span.start, segment->memory_size, &span.end)) continue;
        if (!pm_vec_push(&modules->segments, span)) return pm_error_nomem();
    }
    return NULL;
}

static struct pm_error *place_all(struct pm_modules *modules) {
    for (size_t i = 0; i < modules->items.count; i++) {
        PM_TRY(pm_module_place(modules, modules->items.items[i]));
    }
    PM_TRY(pm_mem_finish(pm_core_memory(modules->core)));
    pm_sort(modules->items.items, modules->items.count, sizeof(*modules->items.items), by_module_start);
    for (size_t i = 0; i < modules->items.count; i++) {
        const struct module *module = modules->items.items[i];
        for (size_t k = 0; k < module->count; k++)
            modules->spans.items[module->first + k].module = (uint32_t)i;
        PM_TRY(add_whole_segments(modules, module, (uint32_t)i));
    }
    pm_sort(modules->segments.items, modules->segments.count, sizeof(*modules->segments.items),
            by_span_start);
    pm_sort(modules->spans.items, modules->spans.count, sizeof(*modules->spans.items), by_span_start);
    return NULL;
}

static struct pm_error *open_exe(struct pm_modules *modules) {
    if (!modules->options.exe) return NULL;
    return pm_error_hint(pm_elf_open(modules->options.exe, &modules->exe),
                         "--exe wants the node binary that the process ran");
}

struct pm_error *pm_modules_open(const struct pm_core *core, const struct pm_module_options *options,
                                 struct pm_modules **ret) {
    struct pm_modules *modules PM_AUTO(modules) = calloc(1, sizeof(*modules));
    if (!modules) return pm_error_nomem();
    modules->core = core;
    if (options) modules->options = *options;
    PM_TRY(open_exe(modules));
    if (pm_core_info(core)->has_files) {
        PM_TRY(pm_modules_gather(modules));
        for (size_t i = 0; i < modules->items.count; i++)
            pm_module_find_file(modules, modules->items.items[i]);
    } else {
        PM_TRY(pm_modules_gather_unlisted(modules));
    }
    if (modules->exe && !modules->exe_used) PM_TRY(pm_modules_refuse_exe(modules));
    PM_TRY(pm_modules_add_vdso(modules));
    PM_TRY(place_all(modules));
    find_v8(modules);
    *ret = PM_TAKE(modules);
    return NULL;
}

/* ------------------------------------------------------------------ accessors */

size_t pm_modules_count(const struct pm_modules *modules) {
    return modules->items.count;
}

size_t pm_modules_skipped(const struct pm_modules *modules) {
    return modules->skipped;
}

const struct pm_module *pm_modules_at(const struct pm_modules *modules, size_t index) {
    return &modules->items.items[index]->public;
}

const struct pm_module *pm_modules_program(const struct pm_modules *modules) {
    return modules->program ? &modules->program->public : NULL;
}

static const struct span *find_span(const struct span *spans, size_t count, pm_addr addr) {
    size_t low = 0, high = count;
    while (low < high) { /* the first one that starts behind addr */
        size_t middle = low + (high - low) / 2;
        if (spans[middle].start <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low && addr < spans[low - 1].end ? &spans[low - 1] : NULL;
}

const struct pm_module *pm_modules_find(const struct pm_modules *modules, pm_addr addr, uint64_t *vaddr_ret) {
    const struct span *span = find_span(modules->spans.items, modules->spans.count, addr);
    if (!span) span = find_span(modules->segments.items, modules->segments.count, addr);
    if (!span) return NULL;
    if (vaddr_ret) *vaddr_ret = addr - span->bias;
    return &modules->items.items[span->module]->public;
}

pm_addr pm_module_address(const struct pm_module *module, uint64_t vaddr) {
    return vaddr + module->bias;
}

static bool symbol_in(const struct pm_module *module, const char *name, pm_addr *addr_ret,
                      uint64_t *size_ret) {
    struct pm_elf_symbol symbol;
    if (!module->elf || !pm_elf_find_symbol(module->elf, name, &symbol) || symbol.type == STT_TLS)
        return false;
    *addr_ret = pm_module_address(module, symbol.value);
    if (size_ret) *size_ret = symbol.size;
    return true;
}

bool pm_modules_symbol(const struct pm_modules *modules, const char *name, pm_addr *addr_ret,
                       uint64_t *size_ret, const struct pm_module **module_ret) {
    const struct pm_module *found = NULL;
    if (modules->program && symbol_in(&modules->program->public, name, addr_ret, size_ret))
        found = &modules->program->public;
    for (size_t i = 0; !found && i < modules->items.count; i++) {
        const struct pm_module *module = &modules->items.items[i]->public;
        if (!module->is_program && symbol_in(module, name, addr_ret, size_ret)) found = module;
    }
    if (found && module_ret) *module_ret = found;
    return found != NULL;
}

const struct pm_module *pm_modules_v8(const struct pm_modules *modules) {
    return modules->v8 ? &modules->v8->public : NULL;
}
