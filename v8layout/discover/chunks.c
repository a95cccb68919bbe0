#include "v8layout/discover/finder.h"

#include "postmortem/base/checked.h"
#include "postmortem/base/limits.h"

#include <string.h>

#define HEADER_WORDS 16 /* Heap*, owner, area and size all stand in the first 128 bytes */

/* ---- 1. chunks ---- */

struct pm_error *v8_collect_aligned(struct v8_finder *f) {
    size_t count = pm_mem_range_count(f->mem);
    pm_addr last = 0;
    for (size_t i = 0; i < count; i++) {
        const struct pm_mem_range *range = pm_mem_range_at(f->mem, i);
        if (!range->bytes || range->from_file || range->end - range->start < 64) continue;
        for (pm_addr at = pm_align_up(range->start, V8_CHUNK);
             at >= range->start && at < range->end && range->end - at >= 64; at += V8_CHUNK) {
            if (at == last && at) continue;
            last = at;
            pm_addr next = pm_mem_after_hole(f->mem, at); /* no header in a page that nobody touched */
            if (next - at >= V8_CHUNK) {
                at += (next - at) / V8_CHUNK * V8_CHUNK - V8_CHUNK;
                continue;
            }
            if (!pm_vec_push(&f->aligned, at)) return pm_error_nomem();
        }
    }
    return NULL;
}

void v8_vote(struct v8_votes *form, pm_addr heap) {
    for (unsigned i = 0; i < V8_MAX_VALUES; i++) {
        if (form->value[i] == heap || form->votes[i] == 0) {
            form->value[i] = heap;
            form->votes[i]++;
            return;
        }
    }
}

/* Votes of heaps that at least two chunks name. */
static uint32_t form_total(const struct v8_votes *form) {
    uint32_t total = 0;
    for (unsigned i = 0; i < V8_MAX_VALUES; i++)
        if (form->votes[i] >= 2) total += form->votes[i];
    return total;
}

bool v8_chunk_header(const struct v8_finder *f, pm_addr chunk, bool metadata, unsigned link, pm_addr *ret) {
    if (!metadata) {
        *ret = chunk;
        return true;
    }
    return v8_finder_u64(f, chunk + link, ret) && v8_plausible_pointer(*ret) &&
           (*ret & ~(V8_CHUNK - 1)) != chunk;
}

/* Counts, for one kind of header, all pairs of offsets; the best one. */
static uint32_t try_form(struct v8_finder *f, bool metadata, unsigned link, unsigned *heap_ret,
                         unsigned *owner_ret) {
    struct v8_votes *forms = calloc((size_t)HEADER_WORDS * HEADER_WORDS, sizeof(*forms));
    uint32_t best = 0;
    if (!forms) return 0;
    pm_addr last = 0;
    size_t step = f->aligned.count > 4096 ? f->aligned.count / 4096 : 1;
    for (size_t i = 0; i < f->aligned.count; i += step) {
        pm_addr header;
        uint64_t words[HEADER_WORDS];
        if (!v8_chunk_header(f, f->aligned.items[i], metadata, link, &header) ||
            !pm_mem_copy(f->mem, header, words, sizeof(words)) || header == last)
            continue;
        last =
            header; /* every page has a metadata object of its own; what many share is the Heap or a Space */
        for (unsigned o = 1; o < HEADER_WORDS; o++) {
            uint64_t heap;
            if (!v8_plausible_pointer(words[o]) || !v8_finder_u64(f, words[o] + 8, &heap) ||
                !v8_plausible_pointer(heap))
                continue;
            for (unsigned h = 1; h < HEADER_WORDS; h++)
                if (h != o && words[h] == heap && words[o] != heap)
                    v8_vote(&forms[h * HEADER_WORDS + o], heap);
        }
    }
    for (unsigned k = 0; k < HEADER_WORDS * HEADER_WORDS; k++) {
        uint32_t total = form_total(&forms[k]);
        if (total > best) {
            best = total;
            *heap_ret = k / HEADER_WORDS * 8;
            *owner_ret = k % HEADER_WORDS * 8;
        }
    }
    free(forms);
    return best;
}

struct pm_error *v8_find_chunk_form(struct v8_finder *f) {
    struct v8_layout *layout = &f->v8->layout;
    static const struct {
        bool metadata;
        unsigned link;
    } forms[] = {{false, 0}, {true, 8}, {true, 16}, {true, 0}};
    uint32_t best = 0;
    for (unsigned i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        unsigned heap = 0, owner = 0;
        uint32_t total = try_form(f, forms[i].metadata, forms[i].link, &heap, &owner);
        if (total <= best) continue;
        best = total;
        layout->has_metadata = forms[i].metadata;
        layout->chunk_metadata = (uint16_t)forms[i].link;
        layout->chunk_heap = v8_discovered(heap);
        layout->chunk_owner = v8_discovered(owner);
    }
    if (best < 4)
        return pm_error_hint(
            pm_error_create(
                PM_ERR_LAYOUT,
                "no V8 heap found: of %zu places where a heap page could begin, none has the shape of one",
                f->aligned.count),
            "Is this a core of a Node.js process, and was its anonymous memory saved (coredump_filter bit "
            "0)? A build with pointer "
            "compression or another page size is not supported.");
    return NULL;
}

struct pm_error *v8_collect_chunks(struct v8_finder *f) {
    const struct v8_layout *layout = &f->v8->layout;
    for (size_t i = 0; i < f->aligned.count; i++) {
        struct v8_chunk chunk = {.address = f->aligned.items[i]};
        uint64_t heap;
        if (!v8_chunk_header(f, chunk.address, layout->has_metadata, layout->chunk_metadata, &chunk.header) ||
            !v8_finder_u64(f, chunk.header + layout->chunk_heap.offset, &chunk.heap) ||
            !v8_finder_u64(f, chunk.header + layout->chunk_owner.offset, &chunk.owner) ||
            !v8_plausible_pointer(chunk.heap) || !v8_plausible_pointer(chunk.owner) ||
            !v8_finder_u64(f, chunk.owner + 8, &heap) || heap != chunk.heap)
            continue;
        if (!pm_vec_push(&f->chunks, chunk)) return pm_error_nomem();
    }
    return NULL;
}

/* area_start and area_end: the words that point into the chunk (the end may be just behind it) in at least
 * half of the chunks. */
struct pm_error *v8_find_area(struct v8_finder *f) {
    struct v8_layout *layout = &f->v8->layout;
    uint32_t inside[HEADER_WORDS] = {0}, sized[HEADER_WORDS] = {0};
    uint64_t sum[HEADER_WORDS] = {0};
    uint32_t total = 0;
    for (size_t i = 0; i < f->chunks.count; i++) {
        const struct v8_chunk *chunk = &f->chunks.items[i];
        uint64_t words[HEADER_WORDS];
        if (!pm_mem_copy(f->mem, chunk->header, words, sizeof(words))) continue;
        total++;
        for (unsigned k = 0; k < HEADER_WORDS; k++) {
            if (words[k] > chunk->address && words[k] <= chunk->address + V8_CHUNK && (words[k] & 7) == 0) {
                inside[k]++;
                sum[k] += words[k] - chunk->address;
            }
            if (words[k] == V8_CHUNK) sized[k]++; /* large pages are more, but never most */
        }
    }
    int start = -1, end = -1, size = -1;
    for (int k = 0; k < HEADER_WORDS; k++) {
        if (inside[k] * 2 >= total && inside[k]) {
            if (start < 0 || sum[k] / inside[k] < sum[start] / inside[start]) start = k;
            if (end < 0 || sum[k] / inside[k] > sum[end] / inside[end]) end = k;
        }
        if (sized[k] * 2 >= total && sized[k] && (size < 0 || sized[k] > sized[size])) size = k;
    }
    if (start < 0 || end < 0 || start == end)
        return pm_error_create(PM_ERR_LAYOUT, "no V8 heap found: %u pages have a heap, but no object area",
                               total);
    layout->chunk_area_start = v8_discovered((uint64_t)start * 8);
    layout->chunk_area_end = v8_discovered((uint64_t)end * 8);
    if (size >= 0) layout->chunk_size = v8_discovered((uint64_t)size * 8);
    /* Flags: in the chunk's first word with metadata, and in V8 12; before, behind the size. The other word
     * is no set of flags. */
    unsigned flags_offset = layout->has_metadata || (size >= 0 && size * 8 != 0) ? 0 : 8;
    layout->chunk_flags = (struct v8_field){(uint16_t)flags_offset, true, V8_VARIANT};
    layout->flag_from_page = 8;
    layout->flag_to_page = 16;
    return NULL;
}

/* ---- heaps and isolates ---- */

struct pm_error *v8_collect_heaps(struct v8_finder *f) {
    for (size_t i = 0; i < f->chunks.count; i++) {
        pm_addr heap = f->chunks.items[i].heap;
        size_t k = 0;
        while (k < f->heap_count && f->heaps[k] != heap) k++;
        if (k == f->heap_count && f->heap_count < PM_MAX_ISOLATES) f->heaps[f->heap_count++] = heap;
    }
    return f->heap_count ? NULL : pm_error_create(PM_ERR_LAYOUT, "no V8 heap found in the pages");
}

/* Members of Isolate stand behind its Heap; many point to objects whose first word is the Isolate. Counts the
 * members by that word. */
static void count_members(const struct v8_finder *f, pm_addr heap, struct v8_votes *votes) {
    for (uint32_t offset = 0x800; offset < 0x4000; offset += 8) {
        uint64_t member, first;
        if (!v8_finder_u64(f, heap + offset, &member) || !v8_plausible_pointer(member) ||
            !v8_finder_u64(f, member, &first))
            continue;
        if (first < heap && heap - first < 0x40000 && heap - first > 0x1000 && v8_plausible_pointer(first))
            v8_vote(votes, first);
    }
}

/* Of all heaps: the offset that most members agree on, and how many agree on the published one. */
static uint32_t offset_by_members(const struct v8_finder *f, uint32_t published, uint32_t *published_votes) {
    struct v8_votes offsets = {0};
    *published_votes = 0;
    for (size_t i = 0; i < f->heap_count; i++) {
        struct v8_votes votes = {0};
        unsigned best = 0;
        count_members(f, f->heaps[i], &votes);
        for (unsigned k = 0; k < V8_MAX_VALUES; k++) {
            if (votes.votes[k] > votes.votes[best]) best = k;
            if (votes.votes[k] && f->heaps[i] - votes.value[k] == published)
                *published_votes += votes.votes[k];
        }
        if (votes.votes[best] >= 4) v8_vote(&offsets, f->heaps[i] - votes.value[best]);
    }
    unsigned best = 0;
    for (unsigned i = 1; i < V8_MAX_VALUES; i++)
        if (offsets.votes[i] > offsets.votes[best]) best = i;
    return offsets.votes[best] ? (uint32_t)offsets.value[best] : 0;
}

struct pm_error *v8_find_isolate_offset(struct v8_finder *f) {
    struct v8_layout *layout = &f->v8->layout;
    uint32_t published = v8_facts_heap_in_isolate(f->v8->facts);
    uint32_t agree, members = offset_by_members(f, published, &agree);
    if (!published && !members)
        return pm_error_create(PM_ERR_LAYOUT,
                               "the V8 isolate was not found: nothing behind the heap points back to it");
    /* Members that point back to where the code says the Isolate is settle it, even where another object is
     * pointed to more often. The code on aarch64 builds the offset in two steps, so only the structure is
     * believed there. */
    if (published && agree >= 3) members = published;
    if (published && members && published != members && layout->machine == PM_MACHINE_X86_64)
        return pm_error_hint(
            pm_error_create(
                PM_ERR_LAYOUT,
                "the binary does not belong to this core: its code has the heap at isolate + 0x%x, "
                "the core at isolate + 0x%x",
                published, members),
            "Give the exact executable of the process with --exe.");
    layout->heap_in_isolate = members ? members : published;
    layout->origin_heap_in_isolate =
        published && published == layout->heap_in_isolate ? V8_PUBLISHED : V8_DISCOVERED;
    return NULL;
}
