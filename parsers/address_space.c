#include "parsers/address_space.h"

#include <string.h>

#include "postmortem/base/checked.h"
#include "postmortem/base/sort.h"
#include "postmortem/base/vec.h"

/* How overlaps are settled. A damaged core may claim the same address twice, and a binary fills what the core
 * has not saved, so each piece of memory gets a rank (smaller wins) and a line sweeps over all piece borders:
 *
 *     rank 0   bytes of the core
 *     rank 1   bytes of a binary
 *     rank 2   mapped, not saved
 *
 * Equal ranks: the piece that was added first wins. Almost always nothing overlaps and the pieces come in
 * order; then they are only checked. */

typedef PM_VEC(struct pm_mem_range) range_vec;

struct pm_mem_hole {
    pm_addr start, end;
};

struct pm_mem {
    struct pm_mem_head head; /* first: the inline readers of the header look at it */
    range_vec ranges;  /* ascending, without overlaps: the answer; one more item than counts, the empty one */
    range_vec pending; /* added since the last pm_mem_finish(), in the order of adding */
    PM_VEC(struct pm_mem_hole) holes;
    pm_addr *starts; /* ranges[i].start, dense for the binary search */
    uint32_t *slots;
};

/* An address space without ranges: one slot for all addresses, which leads to the empty range. */
static const struct pm_mem_range no_range;
static const uint32_t no_slots[2];

static void clear_head(struct pm_mem *mem) {
    mem->head = (struct pm_mem_head){.ranges = &no_range, .slots = no_slots, .slot_shift = 63};
}

struct pm_error *pm_mem_create(struct pm_mem **ret) {
    struct pm_mem *mem = calloc(1, sizeof(*mem));
    if (!mem) return pm_error_nomem();
    clear_head(mem);
    *ret = mem;
    return NULL;
}

void pm_mem_destroy(struct pm_mem *mem) {
    if (!mem) return;
    pm_vec_deinit(&mem->ranges);
    pm_vec_deinit(&mem->pending);
    pm_vec_deinit(&mem->holes);
    free(mem->starts);
    free(mem->slots);
    free(mem);
}

enum { MOST_HOLES = 1 << 20 }; /* segments of a damaged core may all be of the same part of the file */

struct pm_error *pm_mem_add_hole(struct pm_mem *mem, pm_addr start, pm_addr end) {
    struct pm_mem_hole hole = {start, end};
    if (start >= end || mem->holes.count >= MOST_HOLES) return NULL;
    return pm_vec_push(&mem->holes, hole) ? NULL : pm_error_nomem();
}

/* Holes in the wrong order are not found, that is all. */
pm_addr pm_mem_after_hole(const struct pm_mem *mem, pm_addr addr) {
    size_t low = 0, high = mem->holes.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (mem->holes.items[middle].end <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    bool inside =
        low < mem->holes.count && mem->holes.items[low].start <= addr && addr < mem->holes.items[low].end;
    return inside ? mem->holes.items[low].end : addr;
}

static bool push(range_vec *vec, pm_addr start, pm_addr end, const uint8_t *bytes, uint32_t protection,
                 bool from_file) {
    if (start >= end) return true;
    struct pm_mem_range range = {start, end, bytes, protection, from_file};
    return pm_vec_push(vec, range);
}

struct pm_error *pm_mem_add(struct pm_mem *mem, pm_addr start, pm_addr end, const uint8_t *bytes,
                            uint64_t saved, uint32_t protection) {
    if (end < start) return pm_error_at(PM_ERR_FORMAT, start, "a segment ends before it starts");
    if (!bytes) saved = 0;
    if (saved > end - start) saved = end - start;
    size_t before = mem->pending.count;
    if (!push(&mem->pending, start, start + saved, bytes, protection, false) ||
        !push(&mem->pending, start + saved, end, NULL, protection, false)) {
        mem->pending.count = before;
        return pm_error_nomem();
    }
    return NULL;
}

struct pm_error *pm_mem_fill(struct pm_mem *mem, pm_addr start, const uint8_t *bytes, uint64_t length,
                             uint32_t protection) {
    pm_addr end;
    if (!pm_add_u64(start, length, &end))
        return pm_error_at(PM_ERR_FORMAT, start,
                           "a file mapping reaches behind the end of the address space");
    if (!bytes) return NULL;
    return push(&mem->pending, start, end, bytes, protection, true) ? NULL : pm_error_nomem();
}

/* ------------------------------------------------------------------ the sweep */

struct piece {
    struct pm_mem_range range;
    uint64_t rank; /* class and order of adding in one number */
};

static uint64_t rank_of(const struct pm_mem_range *range, size_t order) {
    uint64_t class = range->bytes ? (range->from_file ? 1 : 0) : 2;
    return class << 60 | order;
}

static int by_start(const void *a, const void *b) {
    const struct piece *x = a, *y = b;
    if (x->range.start != y->range.start) return x->range.start < y->range.start ? -1 : 1;
    return x->rank < y->rank ? -1 : x->rank > y->rank;
}

/* A binary heap of pieces (indices), smallest rank on top. */
struct heap {
    const struct piece *pieces;
    size_t *items;
    size_t count;
};

static bool heap_less(const struct heap *heap, size_t a, size_t b) {
    return heap->pieces[heap->items[a]].rank < heap->pieces[heap->items[b]].rank;
}

static void heap_swap(struct heap *heap, size_t a, size_t b) {
    size_t item = heap->items[a];
    heap->items[a] = heap->items[b];
    heap->items[b] = item;
}

static void heap_push(struct heap *heap, size_t item) {
    size_t at = heap->count++;
    heap->items[at] = item;
    for (; at && heap_less(heap, at, (at - 1) / 2); at = (at - 1) / 2) heap_swap(heap, at, (at - 1) / 2);
}

static void heap_pop(struct heap *heap) {
    heap->items[0] = heap->items[--heap->count];
    for (size_t at = 0;;) {
        size_t least = at, left = 2 * at + 1, right = left + 1;
        if (left < heap->count && heap_less(heap, left, least)) least = left;
        if (right < heap->count && heap_less(heap, right, least)) least = right;
        if (least == at) return;
        heap_swap(heap, at, least);
        at = least;
    }
}

static bool emit(range_vec *out, const struct pm_mem_range *source, pm_addr start, pm_addr end) {
    const uint8_t *bytes = source->bytes ? source->bytes + (start - source->start) : NULL;
    struct pm_mem_range *last = out->count ? &out->items[out->count - 1] : NULL;
    /* A winner that stays the winner at a loser's border goes on as one range. */
    if (last && last->end == start && start != source->start && last->protection == source->protection &&
        last->from_file == source->from_file &&
        (bytes ? last->bytes && last->bytes + (last->end - last->start) == bytes : !last->bytes)) {
        last->end = end;
        return true;
    }
    return push(out, start, end, bytes, source->protection, source->from_file);
}

static bool sweep(const struct piece *pieces, size_t count, size_t *heap_items, range_vec *out) {
    struct heap heap = {.pieces = pieces, .items = heap_items};
    pm_addr at = 0;
    for (size_t next = 0; next < count || heap.count;) {
        if (!heap.count && at < pieces[next].range.start) at = pieces[next].range.start;
        while (next < count && pieces[next].range.start <= at) heap_push(&heap, next++);
        while (heap.count && pieces[heap.items[0]].range.end <= at) heap_pop(&heap);
        if (!heap.count) continue;
        const struct pm_mem_range *winner = &pieces[heap.items[0]].range;
        pm_addr end = winner->end;
        if (next < count && pieces[next].range.start < end) end = pieces[next].range.start;
        if (!emit(out, winner, at, end)) return false;
        at = end;
    }
    return true;
}

static bool in_order(const range_vec *vec) {
    for (size_t i = 1; i < vec->count; i++)
        if (vec->items[i].start < vec->items[i - 1].end) return false;
    return true;
}

static bool settle(const range_vec *all, range_vec *out) {
    struct piece *pieces PM_AUTO_FREE = calloc(all->count + 1, sizeof(*pieces));
    size_t *heap PM_AUTO_FREE = calloc(all->count + 1, sizeof(*heap));
    if (!pieces || !heap) return false;
    for (size_t i = 0; i < all->count; i++)
        pieces[i] = (struct piece){all->items[i], rank_of(&all->items[i], i)};
    pm_sort(pieces, all->count, sizeof(*pieces), by_start);
    return sweep(pieces, all->count, heap, out);
}

/* ------------------------------------------------------------------ the table of 256 KB grains
 *
 * Open addressing, at most a quarter full, so that the first look is nearly always right. A grain with
 * several ranges has a slot for each. What is not in the table (ranges without bytes, and what the limits
 * leave out) is found by binary search. */

#define MAX_GRAINS       (1u << 20) /* of all ranges: 256 GB of saved memory, a table of 16 MB */
#define MAX_RANGE_GRAINS (1u << 16) /* of one range */

static uint64_t grains_of(const struct pm_mem_range *range) {
    if (!range->bytes) return 0;
    uint64_t grains = ((range->end - 1) >> PM_MEM_GRAIN_BITS) - (range->start >> PM_MEM_GRAIN_BITS) + 1;
    return grains <= MAX_RANGE_GRAINS ? grains : 0;
}

static uint32_t *build_table(const range_vec *ranges, size_t count, unsigned *shift_ret) {
    uint64_t grains = 0;
    unsigned bits = 4;
    for (size_t i = 0; i < count && grains < MAX_GRAINS; i++) grains += grains_of(&ranges->items[i]);
    while (1ull << bits < grains * 4 && bits < 22) bits++;
    uint32_t *slots = malloc(sizeof(*slots) << bits), empty = (uint32_t)count;
    if (!slots) return NULL;
    for (uint64_t i = 0; i < 1ull << bits; i++) slots[i] = empty;
    uint64_t room = (1ull << bits) / 2, mask = (1ull << bits) - 1; /* never full: a search must end */
    for (size_t i = 0; i < count; i++) {
        uint64_t here = grains_of(&ranges->items[i]), first = ranges->items[i].start >> PM_MEM_GRAIN_BITS;
        if (here > room) break;
        room -= here;
        for (uint64_t grain = first; grain < first + here; grain++) {
            uint64_t at = grain * 0x9e3779b97f4a7c15ull >> (64 - bits);
            while (slots[at] != empty) at = (at + 1) & mask;
            slots[at] = (uint32_t)i;
        }
    }
    *shift_ret = 64 - bits;
    return slots;
}

/* ------------------------------------------------------------------ finishing */

/* Everything is built beside the old state and then exchanged: on failure nothing has changed. */
struct pm_error *pm_mem_finish(struct pm_mem *mem) {
    static const struct pm_mem_range nothing;
    size_t settled = mem->head.count, added = mem->pending.count, count;
    range_vec all = {0}, out = {0};
    if (!added) return NULL;
    if (!pm_vec_reserve(&all, settled + added + 1)) return pm_error_nomem();
    if (settled)
        memcpy(all.items, mem->ranges.items, settled * sizeof(*all.items)); /* these were added first */
    memcpy(all.items + settled, mem->pending.items, added * sizeof(*all.items));
    all.count = settled + added;
    bool ok = true;
    if (!in_order(&all)) {
        ok = settle(&all, &out);
        pm_vec_deinit(&all);
        all = out;
    }
    count = all.count;
    ok = ok && count < UINT32_MAX && pm_vec_push(&all, nothing);
    pm_addr *starts = ok ? malloc((count + 1) * sizeof(*starts)) : NULL;
    unsigned shift = 0;
    uint32_t *slots = starts ? build_table(&all, count, &shift) : NULL;
    if (!slots) {
        free(starts);
        pm_vec_deinit(&all);
        return pm_error_nomem();
    }
    for (size_t i = 0; i < count; i++) starts[i] = all.items[i].start;
    pm_vec_deinit(&mem->ranges);
    pm_vec_deinit(&mem->pending);
    free(mem->starts);
    free(mem->slots);
    mem->ranges = all;
    mem->starts = starts;
    mem->slots = slots;
    mem->head =
        (struct pm_mem_head){.ranges = all.items, .count = count, .slots = slots, .slot_shift = shift};
    return NULL;
}

/* ------------------------------------------------------------------ look-up */

size_t pm_mem_range_count(const struct pm_mem *mem) {
    return mem->head.count;
}

const struct pm_mem_range *pm_mem_range_at(const struct pm_mem *mem, size_t index) {
    return &mem->head.ranges[index];
}

static const struct pm_mem_range *find_by_search(const struct pm_mem *mem, pm_addr addr) {
    const pm_addr *base = mem->starts;
    size_t count = mem->head.count;
    if (!count || addr < base[0]) return NULL;
    while (count > 1) { /* the last start that is <= addr; no branch to mispredict */
        size_t half = count / 2;
        base = base[half] <= addr ? base + half : base;
        count -= half;
    }
    const struct pm_mem_range *range = &mem->head.ranges[base - mem->starts];
    return addr < range->end ? range : NULL;
}

const struct pm_mem_range *pm_mem_find_slow(const struct pm_mem *mem, pm_addr addr) {
    const struct pm_mem_head *head = &mem->head;
    uint64_t mask = UINT64_MAX >> head->slot_shift;
    uint64_t at = (addr >> PM_MEM_GRAIN_BITS) * 0x9e3779b97f4a7c15ull >> head->slot_shift;
    for (; head->slots[at] < head->count; at = (at + 1) & mask) {
        const struct pm_mem_range *range = &head->ranges[head->slots[at]];
        if (addr >= range->start && addr < range->end) return range;
    }
    return find_by_search(mem, addr);
}

/* The range behind `range` when it starts where this one ends. */
static const struct pm_mem_range *following(const struct pm_mem *mem, const struct pm_mem_range *range) {
    const struct pm_mem_range *next = range + 1;
    return next < mem->head.ranges + mem->head.count && next->start == range->end ? next : NULL;
}

enum pm_mem_state pm_mem_probe(const struct pm_mem *mem, pm_addr addr, uint64_t length) {
    const struct pm_mem_range *range = pm_mem_find(mem, addr);
    for (; range; range = following(mem, range)) {
        if (!range->bytes) return PM_MEM_NOT_SAVED;
        uint64_t here = range->end - addr;
        if (length <= here) return PM_MEM_BYTES;
        length -= here;
        addr = range->end;
    }
    return PM_MEM_NOT_MAPPED;
}

const uint8_t *pm_mem_view_some(const struct pm_mem *mem, pm_addr addr, uint64_t *length_ret) {
    const struct pm_mem_range *range = pm_mem_find(mem, addr);
    if (!range || !range->bytes) return NULL;
    const uint8_t *bytes = range->bytes + (addr - range->start);
    uint64_t length = range->end - addr;
    for (const struct pm_mem_range *next = following(mem, range);
         next && next->bytes && next->bytes == bytes + length; next = following(mem, next))
        length += next->end - next->start;
    *length_ret = length;
    return bytes;
}

const uint8_t *pm_mem_view_slow(const struct pm_mem *mem, pm_addr addr, uint64_t length) {
    const struct pm_mem_range *range = pm_mem_find_slow(mem, addr);
    if (!range || !range->bytes) return NULL;
    const uint8_t *bytes = range->bytes + (addr - range->start);
    uint64_t have = range->end - addr;
    while (have < length) {
        range = following(mem, range);
        if (!range || !range->bytes || range->bytes != bytes + have) return NULL;
        have += range->end - range->start;
    }
    return bytes;
}

bool pm_mem_copy(const struct pm_mem *mem, pm_addr addr, void *ret, uint64_t length) {
    if (!length) return true;
    if (pm_mem_probe(mem, addr, length) != PM_MEM_BYTES) return false;
    uint8_t *out = ret;
    for (const struct pm_mem_range *range = pm_mem_find(mem, addr); range; range = following(mem, range)) {
        uint64_t here = range->end - addr;
        if (here > length) here = length;
        memcpy(out, range->bytes + (addr - range->start), here);
        out += here;
        addr += here;
        length -= here;
        if (!length) break;
    }
    return true;
}

char *pm_mem_string(const struct pm_mem *mem, pm_addr addr, size_t most) {
    uint64_t length = 0;
    const struct pm_mem_range *range = pm_mem_find(mem, addr);
    for (pm_addr at = addr; range && range->bytes && length <= most; range = following(mem, range)) {
        uint64_t here = range->end - at;
        if (here > most - length + 1) here = most - length + 1; /* the NUL may follow `most` bytes */
        const uint8_t *bytes = range->bytes + (at - range->start);
        const uint8_t *nul = memchr(bytes, 0, here);
        if (nul) {
            length += (uint64_t)(nul - bytes);
            char *text = malloc(length + 1);
            if (!text) return NULL;
            pm_mem_copy(mem, addr, text, length);
            text[length] = 0;
            return text;
        }
        length += here;
        at = range->end;
    }
    return NULL;
}

struct pm_error *pm_mem_read(const struct pm_mem *mem, pm_addr addr, uint64_t length, void *ret) {
    if (pm_mem_copy(mem, addr, ret, length)) return NULL;
    const struct pm_mem_range *range = pm_mem_find(mem, addr);
    for (; range && range->bytes; range = following(mem, range)) addr = range->end;
    if (range) return pm_error_at(PM_ERR_NOT_SAVED, addr, "memory is mapped, but not saved in the core");
    return pm_error_at(PM_ERR_NOT_MAPPED, addr, "memory is not mapped in the process");
}
