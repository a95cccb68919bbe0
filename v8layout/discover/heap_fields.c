#include "v8layout/discover/finder.h"

#include "postmortem/base/checked.h"

#include <string.h>

#define LINK_FIRST 0xc0
#define LINK_LAST  0x180

/* ---- Heap fields ---- */

void v8_find_gc_state(struct v8_finder *f) {
    struct v8 *v8 = f->v8;
    uint32_t offset = v8_facts_gc_state_in_heap(v8->facts);
    if (!offset || offset > 0x4000) return;
    v8->layout.gc_state = (struct v8_field){(uint16_t)offset, true, V8_PUBLISHED};
    v8->layout.origin_gc_state = V8_PUBLISHED;
    for (size_t i = 0; i < v8->isolate_count; i++) {
        uint32_t state;
        if (pm_mem_u32(f->mem, v8->isolates[i].heap + offset, &state) && state <= 8)
            v8->isolates[i].gc_state = state;
    }
}

void v8_find_limits(struct v8_finder *f) {
    struct v8 *v8 = f->v8;
    struct v8_limit_offsets at;
    if (!v8_facts_limits(v8->facts, &at)) return;
    for (size_t i = 0; i < v8->isolate_count; i++) {
        struct v8_isolate *isolate = &v8->isolates[i];
        uint64_t semi, old;
        if (!v8_finder_u64(f, isolate->heap + at.semi_space, &semi) ||
            !v8_finder_u64(f, isolate->heap + at.old_generation, &old))
            continue;
        if (at.indirect && !v8_finder_u64(f, old + at.indirect, &old)) continue;
        /* Sizes are multiples of pages; anything else is another field. */
        if (semi && semi < (1ull << 40) && (semi & 4095) == 0) isolate->max_semi_space = semi;
        if (old && old < (1ull << 46) && (old & 4095) == 0) isolate->max_old_generation = old;
    }
}

/* Heap::space_[]: the offset at which Heap + offset + 8 * id leads to the owners of the pages. There may be
 * two hits (an older array of pointers per space stands before it); the later one is the array. */
void v8_find_space_array(struct v8_finder *f, const struct v8_chunk *chunks, size_t count) {
    struct v8_layout *layout = &f->v8->layout;
    pm_addr owner[64] = {0};
    for (size_t i = 0; i < count; i++) {
        uint32_t id;
        if (chunks[i].heap == f->heaps[0] && pm_mem_u32(f->mem, chunks[i].owner + 16, &id) && id < 64)
            owner[id] = chunks[i].owner;
    }
    unsigned owners = 0, best = 0;
    for (unsigned id = 0; id < 64; id++) owners += owner[id] != 0;
    for (uint32_t offset = 0; offset < 0x400; offset += 8) {
        unsigned fit = 0;
        for (unsigned id = 0; id < 64; id++) {
            uint64_t space;
            fit += owner[id] && v8_finder_u64(f, f->heaps[0] + offset + 8 * id, &space) && space == owner[id];
        }
        if (fit >= best && fit > 0) {
            best = fit;
            layout->space_array = v8_discovered(offset);
        }
    }
    if (best * 2 < owners) layout->space_array = (struct v8_field){0};
}

void v8_find_links(struct v8_finder *f) {
    struct v8_layout *layout = &f->v8->layout;
    uint32_t best = 0;
    for (uint32_t offset = LINK_FIRST; offset <= LINK_LAST; offset += 8) {
        uint32_t hits = 0;
        for (size_t i = 0; i < f->chunks.count && i < 2000; i++) {
            const struct v8_chunk *chunk = &f->chunks.items[i];
            uint64_t next, owner;
            if (!v8_finder_u64(f, chunk->header + offset, &next) || !v8_plausible_pointer(next) ||
                next == chunk->header)
                continue;
            hits += v8_finder_u64(f, next + layout->chunk_owner.offset, &owner) && owner == chunk->owner;
        }
        if (hits > best) { /* next and prev are neighbours and tie almost: the first one counts */
            if (best && hits < best + best / 20 && layout->chunk_list_next.offset + 8u == offset) continue;
            best = hits;
            layout->chunk_list_next = v8_discovered(offset);
            layout->chunk_list_prev = v8_discovered(offset + 8);
        }
    }
}

/* ---- the thread's entry into JavaScript ---- */

void v8_find_entry(struct v8_finder *f) {
    struct v8_layout *layout = &f->v8->layout;
    struct v8_entry_offsets entry = v8_facts_entry(f->v8->facts);
    layout->root_register_bias =
        layout->machine == PM_MACHINE_X86_64 ? 0x80 : 0x100; /* kRootRegisterBias of the two ports */
    if (entry.c_entry_fp) {
        layout->c_entry_fp = entry.c_entry_fp + layout->root_register_bias;
        layout->context = entry.context + layout->root_register_bias;
        layout->js_entry_sp = entry.js_entry_sp + layout->root_register_bias;
        layout->origin_c_entry_fp = V8_PUBLISHED;
    }
}

/* Without the code of JSEntry: c_entry_fp is the one word of the isolate that points into a thread's stack
 * and from which frame pointers lead through frames with type markers to an entry frame. */
static bool reaches_entry(const struct v8_finder *f, pm_addr fp, int64_t entry, int64_t construct_entry,
                          pm_addr limit) {
    for (unsigned guard = 0; guard < 2000 && v8_plausible_pointer(fp) && fp < limit; guard++) {
        uint64_t marker, next;
        if (!v8_finder_u64(f, fp - 8, &marker) || !v8_finder_u64(f, fp, &next)) return false;
        if (guard == 0 && (marker & 1)) return false; /* an exit frame has a marker */
        if ((int64_t)marker == entry << 1 || (int64_t)marker == construct_entry << 1) return guard > 0;
        if (next <= fp) return false;
        fp = next;
    }
    return false;
}

void v8_find_entry_by_content(struct v8_finder *f) {
    struct v8 *v8 = f->v8;
    int64_t entry = 1, construct_entry = 2;
    if (v8->layout.c_entry_fp) return;
    v8_facts_constant(v8->facts, "frametype_EntryFrame", &entry);
    v8_facts_constant(v8->facts, "frametype_ConstructEntryFrame", &construct_entry);
    for (size_t i = 0; i < v8->isolate_count; i++) {
        const struct v8_isolate *isolate = &v8->isolates[i];
        for (uint32_t offset = 0x80; offset < v8->layout.heap_in_isolate + 0x4000; offset += 8) {
            uint64_t fp;
            if (!v8_finder_u64(f, isolate->address + offset, &fp) || !v8_plausible_pointer(fp)) continue;
            for (size_t t = 0; t < pm_core_thread_count(v8->core); t++) {
                const struct pm_core_thread *thread = pm_core_thread(v8->core, t);
                pm_addr sp = thread->regs.value[v8->layout.machine == PM_MACHINE_X86_64 ? 7 : 31];
                const struct pm_mem_range *stack = pm_mem_find(f->mem, sp);
                if (!stack || fp < sp || fp >= stack->end ||
                    !reaches_entry(f, fp, entry, construct_entry, stack->end))
                    continue;
                v8->layout.c_entry_fp = offset;
                v8->layout.origin_c_entry_fp = V8_DISCOVERED;
                return;
            }
        }
    }
}
