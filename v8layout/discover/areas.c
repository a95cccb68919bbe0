#include "v8layout/discover/finder.h"

#include "postmortem/base/checked.h"

#include <string.h>

/* ---- allocation areas ---- */

static bool read_lab(const struct v8_finder *f, pm_addr at, struct v8_lab *lab, struct v8_page **page_ret) {
    if (!v8_finder_u64(f, at, &lab->start) || !v8_plausible_pointer(lab->start) ||
        !v8_finder_u64(f, at + 8, &lab->top) || !v8_finder_u64(f, at + 16, &lab->limit))
        return false;
    if (lab->start > lab->top || lab->top > lab->limit || (lab->top & 7) || (lab->limit & 7) ||
        lab->limit - lab->start > V8_CHUNK)
        return false;
    struct v8_page *page = v8_page_at(f->v8, lab->start);
    if (!page || page->large || lab->limit > page->end || lab->start < page->start) return false;
    *page_ret = page;
    return true;
}

static bool add_lab(struct v8_isolate *isolate, size_t *capacity, const struct v8_lab *lab) {
    if (lab->top == lab->limit) return true;
    if (isolate->lab_count == *capacity &&
        !pm_vec_grow((void **)&isolate->labs, capacity, isolate->lab_count + 1, sizeof(*lab)))
        return false;
    isolate->labs[isolate->lab_count++] = *lab;
    return true;
}

static void skip_area(struct v8_page *page, const struct v8_lab *lab, bool to_end) {
    page->skip_start = lab->top;
    page->skip_end = to_end ? page->end : lab->limit;
}

/* SemiSpace::current_page_: in the new space's owner object the highest word that leads to one of its
 * to-pages, or to the page of the open allocation area. Returns the page; NULL = not found. */
static struct v8_page *current_page(struct v8_finder *f, pm_addr owner, uint32_t isolate,
                                    const struct v8_page *lab_page) {
    struct v8 *v8 = f->v8;
    struct v8_page *found = NULL;
    for (uint32_t offset = 0x38; offset < 0x200; offset += 8) {
        uint64_t word, start;
        if (!v8_finder_u64(f, owner + offset, &word) || !v8_plausible_pointer(word)) continue;
        if (!v8_finder_u64(f, word + v8->layout.chunk_area_start.offset, &start) ||
            !v8_plausible_pointer(start))
            continue;
        struct v8_page *page = v8_page_at(v8, start);
        pm_addr header;
        if (!page || page->isolate != isolate || page->space != V8_SPACE_NEW ||
            !(page->flags & v8->layout.flag_to_page) || page->start != start ||
            !v8_chunk_header(f, page->chunk, v8->layout.has_metadata, v8->layout.chunk_metadata, &header) ||
            header != word)
            continue;
        if (lab_page && page != lab_page) continue;
        found = page;
        v8->layout.current_page = offset;
    }
    return found;
}

/* To-space pages behind the current one have not been used since the last flip: what is on them is stale. */
static void retire_later_pages(struct v8_finder *f, struct v8_page *current) {
    struct v8 *v8 = f->v8;
    struct v8_layout *layout = &v8->layout;
    struct v8_page *page = current;
    for (size_t guard = 0; guard <= v8->page_count; guard++) {
        struct v8_page *later = v8_next_page(f, page);
        if (!later || later == page || later == current || later->isolate != current->isolate ||
            later->space != V8_SPACE_NEW || !(later->flags & layout->flag_to_page))
            return;
        later->live = false;
        page = later;
    }
}

static pm_addr owner_of(const struct v8_finder *f, const struct v8_page *page) {
    pm_addr header, owner = 0;
    if (!v8_chunk_header(f, page->chunk, f->v8->layout.has_metadata, f->v8->layout.chunk_metadata, &header) ||
        !v8_finder_u64(f, header + f->v8->layout.chunk_owner.offset, &owner))
        return 0;
    return owner;
}

static void find_young(struct v8_finder *f, uint32_t index) {
    struct v8 *v8 = f->v8;
    struct v8_isolate *isolate = &v8->isolates[index];
    struct v8_page *lab_page = NULL, *to_page = NULL;
    for (size_t i = 0; i < v8->page_count; i++) {
        struct v8_page *page = &v8->pages[i];
        if (page->isolate != index || !v8_is_new(page->space)) continue;
        /* During a scavenge the survivors are still in from-space. */
        page->live = isolate->gc_state == 1 || (page->flags & v8->layout.flag_to_page) ||
                     !(page->flags & v8->layout.flag_from_page);
        if (page->space != V8_SPACE_NEW || !(page->flags & v8->layout.flag_to_page)) continue;
        to_page = page;
        if (page->skip_start) lab_page = page;
    }
    if (!to_page || isolate->gc_state == 1) return;
    pm_addr owner = owner_of(f, to_page);
    struct v8_page *current = owner ? current_page(f, owner, index, lab_page) : NULL;
    if (!current) current = lab_page;
    if (!current) return;
    /* Everything from the allocation top to the end of the current page is unallocated; the limit may stand
     * before the end (allocation observers). */
    current->current = true;
    if (current->skip_start) current->skip_end = current->end;
    retire_later_pages(f, current);
}

/* Threads that allocate have a LocalHeap (its first word is the Heap), the LocalHeap an allocator, the
 * allocator an allocation area (src/heap/local-heap.h, concurrent-allocator.h). LocalHeaps are linked with
 * each other; the Heap leads to one of them. */
static bool labs_of_local_heaps(struct v8_finder *f, uint32_t index, size_t *capacity) {
    struct v8_isolate *isolate = &f->v8->isolates[index];
    pm_addr heaps[256];
    size_t count = 0;
    for (uint32_t offset = 0; offset < 0x1000 && count < 256; offset += 8) {
        uint64_t local, heap;
        if (v8_finder_u64(f, isolate->heap + offset, &local) && v8_plausible_pointer(local) &&
            v8_finder_u64(f, local, &heap) && heap == isolate->heap)
            heaps[count++] = local;
    }
    for (size_t i = 0; i < count; i++) {
        for (uint32_t offset = 8; offset < 0x200; offset += 8) {
            uint64_t member, first;
            struct v8_lab lab;
            struct v8_page *page;
            if (!v8_finder_u64(f, heaps[i] + offset, &member) || !v8_plausible_pointer(member)) continue;
            bool known = !v8_finder_u64(f, member, &first) || first != isolate->heap || count == 256;
            for (size_t k = 0; k < count; k++) known |= heaps[k] == member;
            if (!known) heaps[count++] = member;
            for (uint32_t k = 0; k < 0x60; k += 8)
                if (read_lab(f, member + k, &lab, &page) && page->isolate == index &&
                    !add_lab(isolate, capacity, &lab))
                    return false;
        }
    }
    return true;
}

struct pm_error *v8_find_labs(struct v8_finder *f) {
    struct v8 *v8 = f->v8;
    for (uint32_t index = 0; index < v8->isolate_count; index++) {
        struct v8_isolate *isolate = &v8->isolates[index];
        size_t capacity = 0;
        struct v8_lab lab;
        struct v8_page *page;
        bool enough = true;
        /* Exact places: Isolate's first kilobyte (V8 11 and later), just before Heap (V8 10), and the Space
         * objects themselves (V8 9, and code space later), there only for pages of that very space. */
        for (uint32_t offset = 0x40; offset < 0x400; offset += 8)
            if (read_lab(f, isolate->address + offset, &lab, &page) && page->isolate == index)
                skip_area(page, &lab, false);
        for (uint32_t offset = 0x100; offset > 0x10; offset -= 8)
            if (read_lab(f, isolate->heap - offset, &lab, &page) && page->isolate == index)
                skip_area(page, &lab, false);
        pm_addr last_owner = 0;
        for (size_t i = 0; i < v8->page_count; i++) {
            pm_addr owner =
                v8->pages[i].isolate == index && !v8->pages[i].large ? owner_of(f, &v8->pages[i]) : 0;
            if (!owner || owner == last_owner) continue;
            last_owner = owner;
            for (uint32_t offset = 0x18; offset < 0x240; offset += 8)
                if (read_lab(f, owner + offset, &lab, &page) && owner_of(f, page) == owner)
                    skip_area(page, &lab, false);
        }
        /* Young pages of V8 9 and 10: the semispace is embedded in the NewSpace that has the area. */
        for (uint32_t offset = 0; offset < 0x400 && enough; offset += 8) {
            uint64_t space, id;
            if (!v8_finder_u64(f, isolate->heap + offset, &space) || !v8_plausible_pointer(space) ||
                !v8_finder_u64(f, space + 8, &id) || id != isolate->heap)
                continue;
            for (uint32_t k = 0x18; k < 0x240; k += 8)
                if (read_lab(f, space + k, &lab, &page) && page->isolate == index) {
                    if (page->space == V8_SPACE_NEW && !page->skip_start) skip_area(page, &lab, false);
                    enough &= add_lab(isolate, &capacity, &lab);
                }
        }
        /* Anywhere else an area is believed only where no object stands at its top (walk.c asks): in Heap,
         * and in what it points to. */
        for (uint32_t offset = 0; offset < 0x3000 && enough; offset += 8) {
            uint64_t member;
            if (read_lab(f, isolate->heap + offset, &lab, &page) && page->isolate == index)
                enough &= add_lab(isolate, &capacity, &lab);
            if (offset >= 0x1000 || !v8_finder_u64(f, isolate->heap + offset, &member) ||
                !v8_plausible_pointer(member))
                continue;
            for (uint32_t k = 8; k < 0x700 && enough; k += 8)
                if (read_lab(f, member + k, &lab, &page) && page->isolate == index)
                    enough &= add_lab(isolate, &capacity, &lab);
        }
        if (!enough || !labs_of_local_heaps(f, index, &capacity)) return pm_error_nomem();
        find_young(f, index);
    }
    return NULL;
}
