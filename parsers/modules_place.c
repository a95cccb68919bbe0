#include "parsers/modules_private.h"

#include <string.h>

#include "postmortem/base/checked.h"

#define MAX_VOTERS 32 /* mappings of one file that decide on its bias; usually 4 to 8 */

/* ------------------------------------------------------------------ what the core says about a file */

void pm_module_set_segments(struct module *module, const struct pm_elf *elf) {
    size_t count = pm_elf_segment_count(elf);
    module->segment_count = count < MAX_SEGMENTS ? count : MAX_SEGMENTS;
    for (size_t i = 0; i < module->segment_count; i++) module->segments[i] = *pm_elf_segment(elf, i);
}

void pm_module_read_header(struct module *module, const uint8_t *bytes, uint64_t size) {
    const uint8_t *id;
    size_t length;
    size_t count = pm_elf_header_segments(bytes, size, module->segments, MAX_SEGMENTS);
    module->segment_count = count < MAX_SEGMENTS ? count : MAX_SEGMENTS;
    if (pm_elf_header_build_id(bytes, size, &id, &length) && length <= sizeof(module->public.build_id)) {
        memcpy(module->public.build_id, id, length);
        module->public.build_id_length = length;
    }
}

/* The bias that a mapping would have if it showed `segment`; false when the two have no page in common, or
 * the segment cannot be mapped at all. */
bool pm_module_bias_of(const struct pm_elf_segment *segment, const struct span *span, uint64_t page,
                       uint64_t *ret) {
    uint64_t start = segment->file_offset & ~(page - 1), end;
    if (!pm_add_u64(segment->file_offset, segment->file_size, &end) || !pm_add_u64(end, page - 1, &end))
        return false;
    end &= ~(page - 1); /* files are mapped by whole pages */
    if (span->file_offset >= end || span->file_offset + (span->end - span->start) <= start) return false;
    *ret = span->start - span->file_offset + segment->file_offset - segment->vaddr;
    return (*ret & (page - 1)) == 0;
}

static bool has_bias(const struct module *module, const struct span *span, uint64_t page, uint64_t bias) {
    uint64_t other;
    for (size_t i = 0; i < module->segment_count; i++)
        if (pm_module_bias_of(&module->segments[i], span, page, &other) && other == bias) return true;
    return false;
}

/* The loader maps all segments with one bias; a segment that V8 maps once more elsewhere has another. The
 * bias of the most mappings is the loader's (the first one on a tie). */
size_t pm_module_choose_bias(const struct pm_modules *modules, struct module *module, uint64_t *ret) {
    uint64_t page = pm_core_info(modules->core)->page_size;
    const struct span *spans = modules->spans.items + module->first;
    size_t best = 0;
    for (size_t i = 0; i < module->count && i < MAX_VOTERS; i++) {
        for (size_t s = 0; s < module->segment_count; s++) {
            uint64_t bias;
            size_t agree = 0;
            if (!pm_module_bias_of(&module->segments[s], &spans[i], page, &bias)) continue;
            for (size_t k = 0; k < module->count && k < MAX_VOTERS; k++)
                agree += has_bias(module, &spans[k], page, bias);
            if (agree <= best) continue;
            best = agree;
            *ret = bias;
        }
    }
    return best;
}

static bool starts_in(const struct pm_elf_segment *segment, const struct span *span) {
    return segment->file_offset <= span->file_offset &&
           span->file_offset - segment->file_offset < segment->file_size;
}

static void place(struct pm_modules *modules, struct module *module) {
    uint64_t page = pm_core_info(modules->core)->page_size, bias;
    struct span *spans = modules->spans.items + module->first;
    bool known = pm_module_choose_bias(modules, module, &bias) != 0;
    module->public.bias = known ? bias : spans[0].start - spans[0].file_offset;
    module->public.start = UINT64_MAX;
    module->public.end = 0;
    for (size_t i = 0; i < module->count; i++) {
        struct span *span = &spans[i];
        span->bias = known ? module->public.bias : span->start - span->file_offset;
        if (known && !has_bias(module, span, page, module->public.bias)) {
            for (size_t s = 0; s < module->segment_count; s++) {
                bool exact = starts_in(&module->segments[s], span);
                if (pm_module_bias_of(&module->segments[s], span, page, &bias) &&
                    (exact || span->bias == module->public.bias))
                    span->bias = bias;
            }
            continue; /* a second view of a piece: not part of the hull */
        }
        if (span->start < module->public.start) module->public.start = span->start;
        if (span->end > module->public.end) module->public.end = span->end;
    }
    if (module->public.start > module->public.end) {
        module->public.start = spans[0].start;
        module->public.end = spans[0].end;
    }
}

/* Where the kernel put this program, from the two addresses that the auxiliary vector gives. */
bool pm_module_program_bias(const struct pm_core *core, const struct pm_elf *elf, uint64_t *ret) {
    const struct pm_core_info *info = pm_core_info(core);
    uint64_t phdr, bias = 0;
    bool fits =
        !info->entry && !info->phdr && pm_elf_is_executable(elf); /* no notes: only one place is possible */
    if (info->entry) {
        bias = info->entry - pm_elf_entry(elf);
        fits = true;
    }
    if (info->phdr && pm_elf_phdr(elf, &phdr)) {
        if (fits && info->phdr - phdr != bias) return false;
        bias = info->phdr - phdr;
        fits = true;
    }
    *ret = bias;
    return fits && (bias == 0 || !pm_elf_is_executable(elf));
}

/* ------------------------------------------------------------------ placing, and text from the files */

static bool writable_in_file(const struct module *module, const struct span *span, uint64_t page) {
    uint64_t bias;
    for (size_t i = 0; i < module->segment_count; i++)
        if (pm_module_bias_of(&module->segments[i], span, page, &bias) && bias == span->bias &&
            module->segments[i].flags & PF_W)
            return true;
    return false;
}

/* Where the file that was found has what is mapped at `span`. It need not be at the same offset as in the
 * file that was mapped: strip moves the segments, and keeps the build-id. */
static uint64_t offset_in_file(const struct module *module, const struct span *span, uint64_t page) {
    uint64_t vaddr = span->start - span->bias;
    for (size_t i = 0; i < pm_elf_segment_count(module->public.elf); i++) {
        const struct pm_elf_segment *segment = pm_elf_segment(module->public.elf, i);
        uint64_t skew = segment->vaddr & (page - 1), start = segment->vaddr - skew;
        if (skew == (segment->file_offset & (page - 1)) && vaddr >= start &&
            vaddr - start < skew + segment->file_size)
            return segment->file_offset - skew + (vaddr - start);
    }
    return span->file_offset;
}

/* Program text that the core has not saved. Never data: what a writable segment held at the end is not in the
 * file, and relocated data that was made read-only later comes from a writable segment too. */
static struct pm_error *fill_text(struct pm_modules *modules, const struct module *module) {
    uint64_t size, page = pm_core_info(modules->core)->page_size;
    const uint8_t *file = pm_elf_file(module->public.elf, &size);
    for (size_t i = 0; i < module->count; i++) {
        const struct span *span = &modules->spans.items[module->first + i];
        const struct pm_mem_range *range = pm_mem_find(pm_core_memory(modules->core), span->start);
        uint32_t protection = range ? range->protection : PM_MEM_READ;
        uint64_t offset = offset_in_file(module, span, page), length = span->end - span->start;
        if (protection & PM_MEM_WRITE || writable_in_file(module, span, page) || offset >= size) continue;
        if (length > size - offset) length = size - offset;
        PM_TRY(pm_mem_fill(pm_core_memory(modules->core), span->start, file + offset, length, protection));
    }
    return NULL;
}

struct pm_error *pm_module_place(struct pm_modules *modules, struct module *module) {
    if (module->placed) return NULL;
    module->placed = true;
    /* What was mapped has the segments of the header that the core has; the file that was found may have them
     * elsewhere. The spans of an unlisted module are those of that file. */
    if (module->public.elf && (module->unlisted || !module->segment_count))
        pm_module_set_segments(module, module->public.elf);
    if (module->count) place(modules, module);
    bool from_disk = module->found && module->public.elf;
    return from_disk ? fill_text(modules, module) : NULL;
}
