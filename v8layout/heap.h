/* heap.h - one process' V8: isolates, pages, maps, and the exact walk over all objects.
 *
 *   struct v8 *v8;
 *   v8_open(core, modules, &options, &v8)      discovers, validates, freezes; LAYOUT errors name the check
 * that failed v8_walk(v8, isolate, visit, context)       every object once; or v8_walk_page() on many threads
 *   v8_close(v8)
 *
 * Objects are named by their untagged address everywhere.
 * OWNERSHIP  everything lives until v8_close(); core and modules must outlive it.
 * THREADS    v8_map() and what uses it may be called from one thread; walks on several threads use one struct
 * v8_walker each. */
#ifndef PM_V8LAYOUT_HEAP_H
#define PM_V8LAYOUT_HEAP_H

#include "v8layout/facts.h"
#include "v8layout/layout.h"

struct v8_map { /* a Map object, loaded and checked once */
    pm_addr address;
    uint32_t fixed_size; /* bytes; 0 = variable, see rule */
    uint16_t instance_type;
    uint16_t type; /* enum v8_type */
    uint32_t id;   /* dense, 0.. in order of first sight in its table */
    uint8_t inobject_start_words, size_words;
    uint8_t bit_field, bit_field2;
    uint32_t bit_field3;
    struct v8_size_rule rule;
};

struct v8_page {
    pm_addr chunk, start, end;    /* chunk header; object area */
    pm_addr skip_start, skip_end; /* an open allocation area inside: no objects there */
    uint64_t size;                /* committed bytes of the chunk */
    uint64_t flags;
    uint32_t isolate; /* index; UINT32_MAX = read-only or shared by all */
    uint8_t space;    /* enum v8_space_id */
    bool large, executable;
    bool current; /* the young page on which V8 was allocating */
    bool live;    /* false: from-space, later to-space pages: stale data */
};

struct v8_lab { /* linear allocation area: [top, limit) holds no objects */
    pm_addr start, top, limit;
};

struct v8_isolate {
    pm_addr address, heap;
    uint32_t gc_state;
    pm_addr native_context; /* 0 = none found */
    struct v8_lab *labs;
    size_t lab_count;
    uint64_t max_old_generation, max_semi_space; /* PM_UNKNOWN-like UINT64_MAX = not found */
    size_t page_count;
    pm_addr read_only_space;
    pm_addr dispatch_table; /* dispatch_table.h; 0 = not in this V8, or not found */
};

struct v8 {
    const struct pm_core *core;
    const struct pm_modules *modules;
    struct pm_mem *mem;
    struct v8_facts *facts;
    struct v8_layout layout;     /* frozen after v8_open() */
    struct v8_isolate *isolates; /* the main one first */
    size_t isolate_count;
    struct v8_page *pages; /* ascending by chunk; read-only ones too */
    size_t page_count;
    size_t unlinked_page_count; /* given back by V8, not unmapped yet: not among the pages */
    struct v8_map_table *maps;
    pm_addr meta_map;
    double score;     /* 0..1 of the validation */
    struct v8_check { /* validation: what was checked and how it ended */
        const char *name;
        double score;
        char detail[160];
    } checks[16];
    size_t check_count;
};

struct v8_options {
    const char *hide; /* facts to pretend absent (tests); NULL */
};

struct pm_error *v8_open(const struct pm_core *core, const struct pm_modules *modules,
                         const struct v8_options *options, struct v8 **ret);
void v8_close(struct v8 *v8); /* NULL is fine */

/* ---- single objects ---- */
/* The page that holds an object address; NULL = not in the heap (or in a stale page). */
const struct v8_page *v8_page_of(const struct v8 *v8, pm_addr object);
/* The map of an object (read-only and shared pages too); NULL = there is no object with a sane map. */
const struct v8_map *v8_map(const struct v8 *v8, pm_addr object);
/* The map at a map's own address. */
const struct v8_map *v8_map_at(const struct v8 *v8, pm_addr map);
enum v8_type v8_type_at(const struct v8 *v8, pm_addr object); /* V8_T_OTHER also when there is no object */
/* Bytes of an object; 0 = cannot be sized. */
uint64_t v8_size(const struct v8 *v8, pm_addr object);
/* One word of an object, inside its size is the caller's business; false = no bytes there. */
bool v8_word_at(const struct v8 *v8, pm_addr object, uint32_t offset, v8_word *ret);
/* The object a field refers to: 0 when the field is absent in this layout, unreadable, or a Smi. Weak bits
 * are dropped; forwarded objects are followed. */
pm_addr v8_ref(const struct v8 *v8, pm_addr object, struct v8_field field);
bool v8_field_word(const struct v8 *v8, pm_addr object, struct v8_field field, v8_word *ret);
bool v8_field_u32(const struct v8 *v8, pm_addr object, struct v8_field field, uint32_t *ret);
/* A root by name ("undefined_value"); 0 = no such root. */
pm_addr v8_root(const struct v8 *v8, const char *name);
static inline bool v8_is_receiver(const struct v8 *v8, const struct v8_map *map) {
    return map && map->instance_type >= v8->layout.first_js_receiver;
}
static inline bool v8_is_string(const struct v8_map *map) {
    return map && map->type == V8_T_STRING;
}

/* ---- the walk ---- */
struct v8_object {
    pm_addr address;
    const uint8_t
        *bytes; /* of the whole object; NULL when the core does not hold all of it (V8 14's holes) */
    uint64_t size;
    const struct v8_map *map;
};
struct v8_walk_stats {
    uint64_t objects, object_bytes; /* live objects: no fillers, no forwarded ones */
    uint64_t filler_bytes;          /* free space and fillers */
    uint64_t unused_tail;   /* of it, at the end of the current young page (behind the allocation top), or all
                               of a young page */
    uint64_t skipped_bytes; /* allocation areas and unallocated ends */
    uint64_t forwarded, forwarded_bytes;
    uint64_t unparsed_bytes, unparsed_gaps; /* lost until the walk found the next object */
    uint64_t not_saved_bytes;
};
/* false = stop. Fillers and forwarded objects are not visited. */
typedef bool v8_visit(void *context, const struct v8_object *object);

struct v8_walker; /* one per thread: its own cache of maps. Map pointers live as long as the walker. */
struct v8_walker *v8_walker_create(const struct v8 *v8); /* NULL without memory */
void v8_walker_destroy(struct v8_walker *walker);
bool v8_walk_page(struct v8_walker *walker, const struct v8_page *page, v8_visit *visit, void *context,
                  struct v8_walk_stats *stats); /* adds to stats; false = visit stopped it */
/* All live pages of an isolate (UINT32_MAX: the read-only ones), one thread. */
bool v8_walk(const struct v8 *v8, uint32_t isolate, v8_visit *visit, void *context,
             struct v8_walk_stats *stats);

#endif
