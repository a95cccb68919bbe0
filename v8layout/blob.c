#include "v8layout/blob.h"

#include <string.h>

enum {
    CODE_LEAST = 256 << 10, /* 9.4 has 1.4 MB of builtins, 14.6 2.2 MB, and 70 to 110 kB of data about them */
    CODE_MOST = 64 << 20,
    DATA_LEAST = 4 << 10,
    DATA_MOST = 8 << 20,
    FIELDS_END = 0x20000,
    ENTRIES_LEAST = 400 /* Isolate has a table with the entry of each builtin; there are 1,500 and more */
};

static bool is_executable(const struct v8 *v8, pm_addr start, uint64_t size) {
    const struct pm_mem_range *first = pm_mem_find(v8->mem, start),
                              *last = pm_mem_find(v8->mem, start + size - 1);
    return first && last && first->protection & last->protection & PM_MEM_EXECUTE;
}

static bool has_entries(const struct v8 *v8, pm_addr isolate, pm_addr start, uint64_t size) {
    unsigned entries = 0;
    for (uint32_t offset = 0; offset < FIELDS_END && entries < ENTRIES_LEAST; offset += 8) {
        uint64_t word;
        entries += pm_mem_u64(v8->mem, isolate + offset, &word) && word - start < size;
    }
    return entries >= ENTRIES_LEAST;
}

bool v8_blob_find_fields(const struct v8 *v8, uint32_t *code_ret, uint32_t *size_ret) {
    const struct pm_module *module = v8_facts_module(v8->facts);
    if (!module || !v8->isolate_count) return false;
    pm_addr isolate = v8->isolates[0].address;
    for (uint32_t offset = 0; offset < FIELDS_END; offset += 8) {
        pm_addr code, data;
        uint32_t code_size, data_size;
        uint64_t vaddr;
        if (!pm_mem_u64(v8->mem, isolate + offset, &code) ||
            !pm_mem_u32(v8->mem, isolate + offset + 8, &code_size) ||
            !pm_mem_u64(v8->mem, isolate + offset + 16, &data) ||
            !pm_mem_u32(v8->mem, isolate + offset + 24, &data_size))
            continue;
        if (code_size < CODE_LEAST || code_size > CODE_MOST || data_size < DATA_LEAST ||
            data_size > DATA_MOST || code > UINT64_MAX - code_size || !is_executable(v8, code, code_size) ||
            pm_modules_find(v8->modules, data, &vaddr) != module ||
            !has_entries(v8, isolate, code, code_size))
            continue;
        *code_ret = offset;
        *size_ret = offset + 8;
        return true;
    }
    return false;
}

/* The same bytes in the text of the binary. */
static pm_addr same_text(const struct v8 *v8, const struct pm_module *module, pm_addr copy, uint64_t size) {
    const uint8_t *wanted = size >= 4096 ? pm_mem_view(v8->mem, copy, 4096) : NULL;
    for (size_t i = 0; wanted && module->elf && i < pm_elf_segment_count(module->elf); i++) {
        const struct pm_elf_segment *segment = pm_elf_segment(module->elf, i);
        const uint8_t *bytes = segment->flags & 1
                                   ? pm_elf_bytes(module->elf, segment->vaddr, segment->file_size)
                                   : NULL; /* PF_X */
        const uint8_t *at = bytes ? memmem(bytes, segment->file_size, wanted, 4096) : NULL;
        if (at) return pm_module_address(module, segment->vaddr + (uint64_t)(at - bytes));
    }
    return 0;
}

pm_addr v8_blob_in_file(const struct v8 *v8, pm_addr copy, uint64_t size) {
    const struct pm_module *module = v8_facts_module(v8->facts);
    uint64_t vaddr;
    if (!module) return 0;
    /* Mapped a second time, or the first copy itself. */
    if (pm_modules_find(v8->modules, copy, &vaddr) == module) return pm_module_address(module, vaddr);
    return same_text(v8, module, copy, size);
}
