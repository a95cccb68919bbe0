#include "v8layout/root_names.h"

#include "postmortem/base/checked.h"

#include <ctype.h>
#include <string.h>

#define FEWEST 100
#define MOST   10000

static bool is_name(const struct pm_mem *mem, pm_addr addr) {
    char *text = pm_mem_string(mem, addr, 256);
    bool fits = text && *text;
    for (const char *c = text; fits && *c; c++) fits = isalnum((unsigned char)*c) || *c == '_';
    free(text);
    return fits;
}

/* The word leads to a name, and is not a small number or the like. */
static bool leads_to_name(const struct pm_mem *mem, pm_addr at) {
    uint64_t pointer;
    return pm_mem_u64(mem, at, &pointer) && pointer > 0x1000 && is_name(mem, pointer);
}

/* The array that `at` is a part of: as far as words lead to names. */
static bool array_around(const struct pm_mem *mem, pm_addr at, pm_addr *addr_ret, uint64_t *size_ret) {
    uint64_t before = 0, after = 1;
    while (before < MOST && leads_to_name(mem, at - 8 * (before + 1))) before++;
    while (after < MOST && leads_to_name(mem, at + 8 * after)) after++;
    *addr_ret = at - 8 * before;
    *size_ret = 8 * (before + after);
    return before + after >= FEWEST && before + after <= MOST;
}

/* In what the program can write (or could, until its relocations were done): a word with this value inside
 * such an array. */
static bool array_with(const struct pm_module *module, const struct pm_mem *mem, pm_addr text,
                       pm_addr *addr_ret, uint64_t *size_ret) {
    for (size_t i = 0; i < pm_elf_segment_count(module->elf); i++) {
        const struct pm_elf_segment *segment = pm_elf_segment(module->elf, i);
        if (!(segment->flags & 2)) continue; /* PF_W */
        pm_addr at = pm_align_up(pm_module_address(module, segment->vaddr), 8);
        pm_addr end = pm_module_address(module, segment->vaddr) + segment->file_size;
        for (uint64_t word; at < end && end - at >= 8; at += 8)
            if (pm_mem_u64(mem, at, &word) && word == text && array_around(mem, at, addr_ret, size_ret))
                return true;
    }
    return false;
}

bool v8_root_names_by_content(const struct pm_module *module, const struct pm_mem *mem, pm_addr *addr_ret,
                              uint64_t *size_ret) {
    static const char wanted[] = "\0meta_map"; /* and the 0 behind it */
    for (size_t i = 0; i < pm_elf_segment_count(module->elf); i++) {
        const struct pm_elf_segment *segment = pm_elf_segment(module->elf, i);
        const uint8_t *bytes = pm_elf_bytes(module->elf, segment->vaddr, segment->file_size), *at = bytes;
        if (!bytes) continue;
        for (; (at = memmem(at, segment->file_size - (uint64_t)(at - bytes), wanted, sizeof(wanted))); at++) {
            uint64_t vaddr = segment->vaddr + (uint64_t)(at - bytes) + 1;
            if (array_with(module, mem, pm_module_address(module, vaddr), addr_ret, size_ret)) return true;
        }
    }
    return false;
}
