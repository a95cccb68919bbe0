#include "postmortem/base/sort.h"
#include "v8layout/discover/finder.h"

#include "postmortem/base/checked.h"

#include <string.h>

/* ---- pages ---- */

static bool page_of_chunk(const struct v8_finder *f, pm_addr chunk, pm_addr header, struct v8_page *page) {
    const struct v8_layout *layout = &f->v8->layout;
    uint64_t size = V8_CHUNK;
    *page = (struct v8_page){.chunk = chunk, .isolate = UINT32_MAX, .live = true};
    if (!v8_finder_u64(f, header + layout->chunk_area_start.offset, &page->start) ||
        !v8_finder_u64(f, header + layout->chunk_area_end.offset, &page->end) ||
        !v8_finder_u64(f, chunk + layout->chunk_flags.offset, &page->flags))
        return false;
    if (layout->chunk_size.present) v8_finder_u64(f, header + layout->chunk_size.offset, &size);
    /* A page of the snapshot may be smaller than a chunk; a large page has one object that ends anywhere
     * behind it. */
    if (page->start <= chunk || page->start > chunk + V8_CHUNK || page->end < page->start ||
        (page->start & 7) || page->end - chunk > (1ull << 40))
        return false;
    page->size = size >= 4096 && size < (1ull << 40) ? size : V8_CHUNK;
    page->large = page->end > chunk + V8_CHUNK || page->size > V8_CHUNK;
    const struct pm_mem_range *range = pm_mem_find(f->mem, page->start);
    page->executable = range && (range->protection & PM_MEM_EXECUTE);
    return true;
}

static int compare_pages(const void *a, const void *b) {
    const struct v8_page *x = a, *y = b;
    return x->chunk < y->chunk ? -1 : x->chunk > y->chunk;
}

/* ReadOnlySpace: an object that the Heap points to, with a vector of its pages (chunks, or their metadata)
 * that begins with chunks which the roots point into. */
static bool read_only_vector(const struct v8_finder *f, pm_addr begin, pm_addr end, pm_addr meta_chunk,
                             bool *has_meta) {
    const struct v8_layout *layout = &f->v8->layout;
    *has_meta = false;
    if (!v8_plausible_pointer(begin) || end <= begin || (end - begin) % 8 || end - begin > 8 * 256)
        return false;
    for (pm_addr at = begin; at < end; at += 8) {
        uint64_t element, start;
        if (!v8_finder_u64(f, at, &element) || !v8_plausible_pointer(element) ||
            !v8_finder_u64(f, element + layout->chunk_area_start.offset, &start) ||
            !v8_plausible_pointer(start))
            return false;
        if (!layout->has_metadata && (element & (V8_CHUNK - 1))) return false;
        *has_meta |= (start & ~(V8_CHUNK - 1)) == meta_chunk;
    }
    return true;
}

static struct pm_error *add_page(struct v8 *v8, size_t *capacity, const struct v8_page *page) {
    if (v8->page_count == *capacity &&
        !pm_vec_grow((void **)&v8->pages, capacity, v8->page_count + 1, sizeof(*page)))
        return pm_error_nomem();
    v8->pages[v8->page_count++] = *page;
    return NULL;
}

static struct pm_error *collect_read_only(struct v8_finder *f, size_t *capacity) {
    struct v8 *v8 = f->v8;
    struct v8_layout *layout = &v8->layout;
    pm_addr meta_chunk = v8->meta_map & ~(V8_CHUNK - 1);
    for (size_t h = 0; h < f->heap_count; h++) {
        for (uint32_t offset = 0; offset < 0x800; offset += 8) {
            uint64_t space;
            if (!v8_finder_u64(f, f->heaps[h] + offset, &space) || !v8_plausible_pointer(space)) continue;
            for (uint32_t vector = 0x18; vector < 0x100; vector += 8) {
                uint64_t begin, end;
                bool has_meta;
                if (!v8_finder_u64(f, space + vector, &begin) ||
                    !v8_finder_u64(f, space + vector + 8, &end) ||
                    !read_only_vector(f, begin, end, meta_chunk, &has_meta) || !has_meta)
                    continue;
                for (pm_addr at = begin; at < end; at += 8) {
                    uint64_t element = 0, start = 0;
                    struct v8_page page;
                    v8_finder_u64(f, at, &element);
                    v8_finder_u64(f, element + layout->chunk_area_start.offset, &start);
                    if (!page_of_chunk(f, start & ~(V8_CHUNK - 1), element, &page)) continue;
                    page.space = V8_SPACE_RO;
                    page.large = false;
                    PM_TRY(add_page(v8, capacity, &page));
                }
                layout->read_only_space = v8_discovered(offset);
                return NULL;
            }
        }
    }
    return NULL;
}

/* Pages that roots point into, but nothing else has told us of: read-only ones whose space was not found. */
static struct pm_error *collect_root_pages(struct v8_finder *f, size_t *capacity) {
    struct v8 *v8 = f->v8;
    const struct v8_layout *layout = &v8->layout;
    for (uint32_t i = 0; i <= layout->roots_count; i++) {
        v8_word word = v8_tag(v8->meta_map);
        if (i < layout->roots_count &&
            !v8_finder_u64(f, f->heaps[0] - layout->heap_in_isolate + layout->roots_table + 8 * (uint64_t)i,
                           &word))
            continue;
        if (!v8_is_strong(word)) continue;
        pm_addr chunk = v8_untag(word) & ~(V8_CHUNK - 1), header;
        bool known = false;
        for (size_t k = 0; k < v8->page_count && !known; k++)
            known = v8_untag(word) >= v8->pages[k].start && v8_untag(word) < v8->pages[k].end;
        struct v8_page page;
        if (known || !v8_chunk_header(f, chunk, layout->has_metadata, layout->chunk_metadata, &header) ||
            !page_of_chunk(f, chunk, header, &page) || v8_untag(word) < page.start ||
            v8_untag(word) >= page.end)
            continue;
        page.space = V8_SPACE_RO;
        page.large = false;
        PM_TRY(add_page(v8, capacity, &page));
    }
    return NULL;
}

/* AllocationSpace numbers (src/common/globals.h): the four orders that existed. */
struct space_order {
    const char *what;
    uint8_t space[14];
};
static const struct space_order space_orders[] = {
    {"V8 13 and later",
     {V8_SPACE_RO, V8_SPACE_NEW, V8_SPACE_OLD, V8_SPACE_CODE, V8_SPACE_SHARED, V8_SPACE_TRUSTED,
      V8_SPACE_SHARED_TRUSTED, V8_SPACE_NEW_LO, V8_SPACE_LO, V8_SPACE_CODE_LO, V8_SPACE_SHARED_LO,
      V8_SPACE_SHARED_TRUSTED_LO, V8_SPACE_TRUSTED_LO}},
    {"V8 11.8 to 12",
     {V8_SPACE_RO, V8_SPACE_NEW, V8_SPACE_OLD, V8_SPACE_CODE, V8_SPACE_SHARED, V8_SPACE_TRUSTED,
      V8_SPACE_NEW_LO, V8_SPACE_LO, V8_SPACE_CODE_LO, V8_SPACE_SHARED_LO, V8_SPACE_TRUSTED_LO}},
    {"V8 11",
     {V8_SPACE_RO, V8_SPACE_NEW, V8_SPACE_OLD, V8_SPACE_CODE, V8_SPACE_SHARED, V8_SPACE_NEW_LO, V8_SPACE_LO,
      V8_SPACE_CODE_LO, V8_SPACE_SHARED_LO}},
    {"V8 10.8",
     {V8_SPACE_RO, V8_SPACE_OLD, V8_SPACE_CODE, V8_SPACE_MAP, V8_SPACE_SHARED, V8_SPACE_NEW, V8_SPACE_LO,
      V8_SPACE_CODE_LO, V8_SPACE_NEW_LO, V8_SPACE_SHARED_LO}},
    {"V8 9 and 10",
     {V8_SPACE_RO, V8_SPACE_OLD, V8_SPACE_CODE, V8_SPACE_MAP, V8_SPACE_LO, V8_SPACE_CODE_LO, V8_SPACE_NEW_LO,
      V8_SPACE_NEW}},
};

bool v8_is_new(uint8_t space) {
    return space == V8_SPACE_NEW || space == V8_SPACE_NEW_LO;
}
static bool is_large(uint8_t space) {
    return space == V8_SPACE_NEW_LO || space == V8_SPACE_LO || space == V8_SPACE_CODE_LO ||
           space == V8_SPACE_SHARED_LO || space == V8_SPACE_TRUSTED_LO || space == V8_SPACE_SHARED_TRUSTED_LO;
}

/* What a page shows of its space: young by its flags, large by its size, its content by the first objects. */
struct page_signs {
    uint32_t id;
    bool young, large, only_maps, has_code, has_bytecode, has_js;
};

static void read_signs(const struct v8_finder *f, const struct v8_page *page, struct page_signs *signs) {
    const struct v8_layout *layout = &f->v8->layout;
    signs->young = (page->flags & (layout->flag_from_page | layout->flag_to_page)) != 0;
    signs->large = page->large;
    unsigned maps = 0, seen = 0;
    for (pm_addr at = page->start; at + 64 < page->end && seen < 600 && at < page->start + V8_CHUNK;
         at += 8) {
        v8_word word, meta;
        uint16_t type;
        if (!v8_finder_u64(f, at, &word) || !v8_is_strong(word) || (word & 7) != 1) continue;
        if (!v8_finder_u64(f, v8_untag(word), &meta) || !v8_has_map(f, meta, v8_untag(meta)) ||
            !pm_mem_u16(f->mem, v8_untag(meta) + 12, &type) || type != f->map_type ||
            !pm_mem_u16(f->mem, v8_untag(word) + 12, &type))
            continue;
        seen++;
        if (type == f->map_type) maps++;
        signs->has_code |= type && type == layout->number_of[V8_T_INSTRUCTION_STREAM];
        signs->has_bytecode |= type && type == layout->number_of[V8_T_BYTECODE_ARRAY];
        signs->has_js |= type && type == layout->number_of[V8_T_JS_FUNCTION];
        if (page->large) break;
    }
    signs->only_maps = seen > 8 && maps * 10 > seen * 4;
}

static unsigned order_fit(const struct space_order *order, const struct page_signs *signs, size_t count,
                          unsigned *against) {
    unsigned fit = 0;
    *against = 0;
    for (size_t i = 0; i < count; i++) {
        uint8_t space = signs[i].id < 14 ? order->space[signs[i].id] : V8_SPACE_NONE;
        if (space == V8_SPACE_NONE || v8_is_new(space) != signs[i].young ||
            is_large(space) != signs[i].large) {
            (*against)++;
            continue;
        }
        fit++;
        if (signs[i].has_code && !signs[i].large) *against += space != V8_SPACE_CODE;
        if (space == V8_SPACE_MAP && !signs[i].only_maps) (*against)++;
    }
    return fit;
}

static struct pm_error *name_spaces(struct v8_finder *f) {
    struct v8 *v8 = f->v8;
    struct page_signs signs[512];
    size_t count = 0, step = 1 + v8->page_count / 48;
    bool seen[64] = {false};
    for (size_t i = 0; i < v8->page_count && count < 512; i++) {
        struct v8_page *page = &v8->pages[i];
        if (page->isolate == UINT32_MAX) continue;
        uint32_t id = page->space; /* the raw number until now */
        if (id < 64 && seen[id] && i % step) continue;
        if (id < 64) seen[id] = true;
        signs[count] = (struct page_signs){.id = id};
        read_signs(f, page, &signs[count++]);
    }
    const struct space_order *best = NULL;
    unsigned best_against = UINT32_MAX;
    for (unsigned i = 0; i < sizeof(space_orders) / sizeof(space_orders[0]); i++) {
        unsigned against;
        order_fit(&space_orders[i], signs, count, &against);
        if (against < best_against) {
            best_against = against;
            best = &space_orders[i];
        }
    }
    if (!best || best_against * 4 > count)
        return pm_error_create(
            PM_ERR_LAYOUT,
            "the V8 spaces were not recognised: %u of %zu sampled pages do not fit any known order",
            best_against, count);
    for (size_t i = 0; i < v8->page_count; i++) {
        struct v8_page *page = &v8->pages[i];
        if (page->isolate == UINT32_MAX) continue;
        page->space = page->space < 14 ? best->space[page->space] : V8_SPACE_NONE;
        if (is_large(page->space)) page->large = true;
    }
    return NULL;
}

struct pm_error *v8_collect_pages(struct v8_finder *f) {
    struct v8 *v8 = f->v8;
    size_t capacity = 0;
    struct pm_error *err = collect_read_only(f, &capacity);
    for (size_t i = 0; !err && i < f->chunks.count; i++) {
        const struct v8_chunk *chunk = &f->chunks.items[i];
        struct v8_page page;
        uint32_t id;
        bool known = false;
        if (!page_of_chunk(f, chunk->address, chunk->header, &page) ||
            !pm_mem_u32(f->mem, chunk->owner + 16, &id) || id > 63)
            continue;
        for (size_t k = 0; k < v8->page_count && v8->pages[k].isolate == UINT32_MAX && !known; k++)
            known = v8->pages[k].chunk == page.chunk;
        for (size_t k = 0; k < v8->isolate_count; k++)
            if (v8->isolates[k].heap == chunk->heap) page.isolate = (uint32_t)k;
        if (known || page.isolate == UINT32_MAX) continue;
        page.space = (uint8_t)id;
        v8->isolates[page.isolate].page_count++;
        err = add_page(v8, &capacity, &page);
    }
    if (!err) err = collect_root_pages(f, &capacity);
    if (err) return err;
    pm_sort(v8->pages, v8->page_count, sizeof(*v8->pages), compare_pages);
    /* What stands inside a large page is its object, not another chunk. */
    size_t kept = 0;
    for (size_t i = 0; i < v8->page_count; i++) {
        if (kept && v8->pages[kept - 1].large && v8->pages[i].chunk < v8->pages[kept - 1].end) continue;
        if (kept && v8->pages[kept - 1].chunk == v8->pages[i].chunk) continue;
        v8->pages[kept++] = v8->pages[i];
    }
    v8->page_count = kept;
    return name_spaces(f);
}

struct v8_page *v8_page_at(struct v8 *v8, pm_addr addr) { /* whether live or not; area_end counts as inside */
    size_t low = 0, high = v8->page_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (v8->pages[middle].chunk < addr)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0) return NULL;
    struct v8_page *page = &v8->pages[low - 1];
    return addr >= page->start && addr <= page->end ? page : NULL;
}

struct v8_page *v8_next_page(const struct v8_finder *f, const struct v8_page *page) {
    const struct v8_layout *layout = &f->v8->layout;
    pm_addr header, next, start;
    if (!layout->chunk_list_next.present ||
        !v8_chunk_header(f, page->chunk, layout->has_metadata, layout->chunk_metadata, &header) ||
        !v8_finder_u64(f, header + layout->chunk_list_next.offset, &next) || !v8_plausible_pointer(next) ||
        !v8_finder_u64(f, next + layout->chunk_area_start.offset, &start))
        return NULL;
    return v8_page_at(f->v8, start);
}

/* ---- pages that left their space ----
 *
 * A page that V8 gives back is taken out of its space's list at once (Unlink sets both links to null), but
 * unmapped by a background task: with few cores or a small --v8-pool-size that is much later, and until then
 * its header looks like that of any page, and its area holds whatever was there. Truth: heap::List in
 * src/heap/list.h, Space::RemovePage, Unmapper in src/heap/memory-allocator.h. */

static bool read_links(const struct v8_finder *f, pm_addr header, uint64_t *next, uint64_t *prev) {
    return v8_finder_u64(f, header + f->v8->layout.chunk_list_next.offset, next) &&
           v8_finder_u64(f, header + f->v8->layout.chunk_list_prev.offset, prev);
}

/* The Space has the first and the last page of its list; a list of one page has no other sign of it. */
static bool owner_has(const struct v8_finder *f, pm_addr header) {
    uint64_t owner, word;
    if (!v8_finder_u64(f, header + f->v8->layout.chunk_owner.offset, &owner)) return true;
    for (uint32_t offset = 0x18; offset < 0x240; offset += 8)
        if (!v8_finder_u64(f, owner + offset, &word) || word == header) return true;
    return false;
}

void v8_drop_unlinked_pages(struct v8_finder *f) {
    struct v8 *v8 = f->v8;
    const struct v8_layout *layout = &v8->layout;
    size_t linked = 0, linked_back = 0, kept = 0;
    if (!layout->chunk_list_next.present || !layout->chunk_list_prev.present) return;
    for (size_t i = 0; i < v8->page_count; i++) {
        pm_addr header;
        uint64_t next, prev, back;
        if (!v8_chunk_header(f, v8->pages[i].chunk, layout->has_metadata, layout->chunk_metadata, &header) ||
            !read_links(f, header, &next, &prev) || !next)
            continue;
        linked++;
        linked_back += read_links(f, next, &prev, &back) && back == header;
    }
    if (!linked || linked_back * 2 < linked) return; /* these words are no links */
    for (size_t i = 0; i < v8->page_count; i++) {
        struct v8_page *page = &v8->pages[i];
        pm_addr header;
        uint64_t next, prev;
        if (page->isolate < v8->isolate_count &&
            v8_chunk_header(f, page->chunk, layout->has_metadata, layout->chunk_metadata, &header) &&
            read_links(f, header, &next, &prev) && !next && !prev && !owner_has(f, header)) {
            v8->isolates[page->isolate].page_count--;
            v8->unlinked_page_count++;
            continue;
        }
        v8->pages[kept++] = *page;
    }
    v8->page_count = kept;
}
