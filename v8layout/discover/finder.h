/* finder.h - what the steps of the discovery share (discover.c calls them in order). Internal to
 * v8layout/discover. */
#ifndef PM_V8LAYOUT_DISCOVER_FINDER_H
#define PM_V8LAYOUT_DISCOVER_FINDER_H

#include "postmortem/base/limits.h"
#include "postmortem/base/vec.h"
#include "v8layout/discover.h"
#include "v8layout/variants/sizes.h"

#define V8_CHUNK ((uint64_t)256 * 1024)

struct v8_chunk {
    pm_addr address;
    pm_addr header; /* the chunk itself, or its metadata object */
    pm_addr heap, owner;
};

struct v8_finder {
    struct v8 *v8;
    const struct pm_mem *mem;
    PM_VEC(pm_addr) aligned; /* places where a chunk could begin */
    PM_VEC(struct v8_chunk) chunks;
    pm_addr heaps[PM_MAX_ISOLATES];
    size_t heap_count;
    uint16_t map_type;
};

/* How often each of a few values was seen. */
#define V8_MAX_VALUES 64
struct v8_votes {
    pm_addr value[V8_MAX_VALUES];
    uint32_t votes[V8_MAX_VALUES];
};

/* Points of each shape of a type: objects behind which an object stands when the shape is right. */
struct v8_rule_points {
    uint32_t points[10];
    uint32_t samples;
};

static inline bool v8_finder_u64(const struct v8_finder *f, pm_addr addr, uint64_t *ret) {
    return pm_mem_u64(f->mem, addr, ret);
}
static inline bool v8_plausible_pointer(uint64_t value) {
    return value >= 0x10000 && value < (1ull << 48) && (value & 7) == 0;
}
static inline struct v8_field v8_discovered(uint64_t offset) {
    return (struct v8_field){(uint16_t)offset, true, V8_DISCOVERED};
}

/* chunks.c */
struct pm_error *v8_collect_aligned(struct v8_finder *f);
void v8_vote(struct v8_votes *form, pm_addr heap);
bool v8_chunk_header(const struct v8_finder *f, pm_addr chunk, bool metadata, unsigned link, pm_addr *ret);
struct pm_error *v8_find_chunk_form(struct v8_finder *f);
struct pm_error *v8_collect_chunks(struct v8_finder *f);
struct pm_error *v8_find_area(struct v8_finder *f);
struct pm_error *v8_collect_heaps(struct v8_finder *f);
struct pm_error *v8_find_isolate_offset(struct v8_finder *f);
/* roots.c */
size_t v8_root_index(const struct v8_layout *layout, const char *name);
bool v8_ends_with(const char *text, const char *tail);
bool v8_has_map(const struct v8_finder *f, v8_word word, pm_addr meta);
struct pm_error *v8_find_roots(struct v8_finder *f);
/* types.c */
struct pm_error *v8_find_types(struct v8_finder *f);
/* pages.c */
bool v8_is_new(uint8_t space);
struct pm_error *v8_collect_pages(struct v8_finder *f);
void v8_drop_unlinked_pages(struct v8_finder *f); /* after v8_find_links() */
struct v8_page *v8_page_at(struct v8 *v8, pm_addr addr);
struct v8_page *v8_next_page(const struct v8_finder *f, const struct v8_page *page);
/* isolates.c */
struct pm_error *v8_collect_isolates(struct v8_finder *f);
void v8_order_isolates(struct v8_finder *f);
/* heap_fields.c */
void v8_find_gc_state(struct v8_finder *f);
void v8_find_limits(struct v8_finder *f);
void v8_find_space_array(struct v8_finder *f, const struct v8_chunk *chunks, size_t count);
void v8_find_links(struct v8_finder *f);
void v8_find_entry(struct v8_finder *f);
void v8_find_entry_by_content(struct v8_finder *f);
/* areas.c */
struct pm_error *v8_find_labs(struct v8_finder *f);
/* size_rules.c */
unsigned v8_best_rule(const struct v8_layout *layout, const struct v8_rule_points *points,
                      const struct v8_size_variant *variants, size_t count);
struct pm_error *v8_find_size_rules(struct v8_finder *f);

#endif
