#include "postmortem/base/checked.h"
#include "v8layout/maps.h"
#include "v8layout/variants/sizes.h"

/* walk.c - every object of a page, in order of address.
 *
 *   area start                      top        limit                         area end
 *     | object | object | filler | object | (free) | object | object ... | 0 0 0 |
 *
 * An object begins with the tagged address of its map; the map says how long the object is, so the next one
 * follows directly. Three things stand between objects: fillers and free space (objects too, FreeSpace and
 * Filler, src/heap/free-list), an open allocation area [top, limit) whose bytes mean nothing, and the never
 * used end of a new-space page. During a scavenge or compaction an object that has moved keeps its place, but
 * its map word is the untagged address of the copy; it counts there.
 *
 * Where the word is no map the walk is lost: it looks for the next position from which three objects follow
 * one another, and counts what lies between as unparsed. Truth: HeapObjectIterator, src/heap/paged-spaces.cc.
 * Checked on V8 9.4 to 14.6. */

struct v8_walker {
    const struct v8 *v8;
    struct v8_map_table *maps;
};

struct v8_walker *v8_walker_create(const struct v8 *v8) {
    struct v8_walker *walker = malloc(sizeof(*walker));
    if (!walker) return NULL;
    walker->v8 = v8;
    walker->maps = v8_map_table_create();
    if (!walker->maps) {
        free(walker);
        return NULL;
    }
    return walker;
}

void v8_walker_destroy(struct v8_walker *walker) {
    if (!walker) return;
    v8_map_table_destroy(walker->maps);
    free(walker);
}

/* A piece of a page that lies in one part of the core: addresses start..end are at bytes. */
struct piece {
    pm_addr start, end;
    const uint8_t *bytes;
};

static bool piece_at(const struct v8 *v8, const struct v8_page *page, pm_addr at, struct piece *piece) {
    uint64_t length = 0;
    const uint8_t *bytes = pm_mem_view_some(v8->mem, at, &length);
    if (!bytes) return false;
    if (length > page->end - at) length = page->end - at;
    *piece = (struct piece){at, at + (length & ~(uint64_t)7), bytes};
    return piece->end > at;
}

/* The object whose first `available` bytes are at `bytes`, `left` bytes before the end of its page: map and
 * size, or 0. */
static inline uint64_t parse(struct v8_walker *walker, const struct v8_map **last, const uint8_t *bytes,
                             uint64_t available, uint64_t left) {
    v8_word word = pm_load_u64(bytes);
    if (!v8_is_strong(word)) return 0;
    pm_addr address = v8_untag(word);
    const struct v8_map *map = *last;
    if (!map || map->address != address) {
        map = v8_map_table_get(walker->maps, walker->v8, address);
        if (!map) return 0;
        *last = map;
    }
    uint64_t size =
        map->fixed_size ? map->fixed_size : v8_object_size(walker->v8, map, &map->rule, bytes, available);
    return size >= 8 && (size & 7) == 0 && size <= left ? size : 0;
}

static bool all_zero(const uint8_t *bytes, uint64_t length) {
    while (length >= 8) {
        if (pm_load_u64(bytes)) return false;
        bytes += 8;
        length -= 8;
    }
    return true;
}

/* The size of the copy that a moved object became; 0 = the word is no forwarding address. */
static uint64_t copy_size(struct v8_walker *walker, v8_word word) {
    const struct v8 *v8 = walker->v8;
    const struct v8_page *page = word && (word & 7) == 0 ? v8_page_of(v8, word) : NULL;
    const struct v8_map *map = NULL;
    struct piece piece;
    if (!page || !piece_at(v8, page, word, &piece)) return 0;
    return parse(walker, &map, piece.bytes, piece.end - word, page->end - word);
}

/* The end of the allocation area that begins at `top`, where no object stands; 0 = none begins there. */
static pm_addr lab_limit(const struct v8 *v8, const struct v8_page *page, pm_addr top) {
    if (page->isolate >= v8->isolate_count) return 0;
    const struct v8_isolate *isolate = &v8->isolates[page->isolate];
    for (size_t i = 0; i < isolate->lab_count; i++)
        if (isolate->labs[i].top == top && isolate->labs[i].limit <= page->end &&
            isolate->labs[i].limit > top)
            return isolate->labs[i].limit;
    return 0;
}

/* The first position of the piece from `at` on where objects follow one another again; its end when there is
 * none. */
static pm_addr resynchronise(struct v8_walker *walker, const struct v8_page *page, const struct piece *piece,
                             pm_addr at) {
    for (; at < piece->end; at += 8) {
        const struct v8_map *map = NULL;
        pm_addr next = at;
        int found = 0;
        if (page->skip_start == at) return at;
        while (found < 3 && next < piece->end && next != page->skip_start) {
            uint64_t size = parse(walker, &map, piece->bytes + (next - piece->start), piece->end - next,
                                  page->end - next);
            if (!size) break;
            next += size;
            found++;
        }
        if (found == 3 || (found > 0 && (next >= piece->end || next == page->skip_start))) return at;
    }
    return piece->end;
}

/* Moves over memory that the core does not hold, to the first object behind it. */
static pm_addr skip_not_saved(struct v8_walker *walker, const struct v8_page *page, pm_addr at,
                              struct v8_walk_stats *stats) {
    const struct pm_mem_range *range = pm_mem_find(walker->v8->mem, at);
    pm_addr next = range && range->end < page->end ? range->end : page->end;
    struct piece piece;
    stats->not_saved_bytes += next - at;
    if (next >= page->end || !piece_at(walker->v8, page, next, &piece)) return next;
    pm_addr object = resynchronise(walker, page, &piece, next);
    stats->unparsed_bytes += object - next;
    return object;
}

bool v8_walk_page(struct v8_walker *walker, const struct v8_page *page, v8_visit *visit, void *context,
                  struct v8_walk_stats *stats) {
    const struct v8 *v8 = walker->v8;
    const struct v8_map *map = NULL;
    struct piece piece = {0};
    pm_addr at = page->start;
    while (at < page->end) {
        if (at == page->skip_start && page->skip_end > at) {
            pm_addr next = page->skip_end < page->end ? page->skip_end : page->end;
            stats->skipped_bytes += next - at;
            at = next;
            continue;
        }
        if (at >= piece.end && !piece_at(v8, page, at, &piece)) {
            at = skip_not_saved(walker, page, at, stats);
            piece.end = 0;
            continue;
        }
        const uint8_t *bytes = piece.bytes + (at - piece.start);
        uint64_t available = piece.end - at, left = page->end - at;
        uint64_t size = parse(walker, &map, bytes, available, left);
        if (size) {
            if (map->type == V8_T_FREE_SPACE || map->type == V8_T_FILLER) {
                stats->filler_bytes += size;
                bool unused = page->current || (page->space == V8_SPACE_NEW && at == page->start);
                if (unused && at + size >= page->end) stats->unused_tail += size;
            } else {
                struct v8_object object = {at, size <= available ? bytes : NULL, size, map};
                stats->objects++;
                stats->object_bytes += size;
                if (visit && !visit(context, &object)) return false;
            }
            at += size;
            if (page->large) break; /* one object; what follows is the unused end of its last page */
            continue;
        }
        v8_word word = pm_load_u64(bytes);
        pm_addr limit = lab_limit(v8, page, at);
        if (limit) {
            stats->skipped_bytes += limit - at;
            at = limit;
        } else if (word == 0 && all_zero(bytes, available)) {
            stats->skipped_bytes += available;
            at = piece.end;
        } else if ((size = copy_size(walker, word)) != 0 && size <= left) {
            stats->forwarded++;
            stats->forwarded_bytes += size;
            at += size;
        } else {
            pm_addr next = resynchronise(walker, page, &piece, at + 8);
            stats->unparsed_bytes += next - at;
            stats->unparsed_gaps++;
            at = next;
        }
    }
    return true;
}

bool v8_walk(const struct v8 *v8, uint32_t isolate, v8_visit *visit, void *context,
             struct v8_walk_stats *stats) {
    struct v8_walker *walker = v8_walker_create(v8);
    bool more = walker != NULL;
    for (size_t i = 0; more && i < v8->page_count; i++)
        if (v8->pages[i].live && v8->pages[i].isolate == isolate)
            more = v8_walk_page(walker, &v8->pages[i], visit, context, stats);
    v8_walker_destroy(walker);
    return more;
}
