#include "v8layout/summary.h"

#include "postmortem/base/parallel.h"
#include "postmortem/base/sort.h"
#include "postmortem/base/vec.h"
#include "v8layout/classes.h"
#include "v8layout/discover.h"
#include "v8layout/objects.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* ---- the census: one walk of everything, on all cores ----
 *
 * No list of objects is built; classes are asked for once per map (classes.h). The few objects whose own
 * properties decide their name are kept by address and named at the end. */

#define MAX_BY_OBJECT                                                                                        \
    1000000 /* objects named one by one; more of them count under the name of their map's kind */

struct class_count {
    uint64_t count, bytes;
};

struct named_later {
    pm_addr address;
    uint64_t size;
    uint32_t isolate;
};

struct tally {                   /* of one isolate in one worker */
    struct class_count *classes; /* index: class id */
    size_t capacity;
    struct v8_walk_stats space[V8_SPACE_COUNT];
    uint64_t array_buffer_bytes, external_string_bytes;
};

struct worker {
    struct census *census;
    struct v8_walker *walker;
    struct v8_class_cache cache;
    struct tally *tallies; /* isolates, then the read-only space */
    struct tally *tally;   /* of the page at hand */
    uint32_t isolate;
    PM_VEC(struct named_later) later;
    PM_VEC(uint32_t) gaps; /* pages that did not parse completely */
    bool failed;
};

struct census {
    struct v8 *v8;
    struct pm_arena *arena;
    struct worker *workers;
    unsigned worker_count;
    struct v8_classes *classes;
    atomic_size_t done;
    v8_progress *progress;
    void *progress_context;
};

static bool add_to_class(struct tally *tally, uint32_t id, uint64_t size) {
    if (id >= tally->capacity) {
        size_t capacity = tally->capacity ? tally->capacity * 2 : 1024;
        while (capacity <= id) capacity *= 2;
        struct class_count *grown = realloc(tally->classes, capacity * sizeof(*grown));
        if (!grown) return false;
        memset(grown + tally->capacity, 0, (capacity - tally->capacity) * sizeof(*grown));
        tally->classes = grown;
        tally->capacity = capacity;
    }
    tally->classes[id].count++;
    tally->classes[id].bytes += size;
    return true;
}

static uint64_t field_u64(const struct v8_object *object, struct v8_field field) {
    uint64_t value = 0;
    if (field.present && object->bytes && field.offset + 8u <= object->size)
        memcpy(&value, object->bytes + field.offset, 8);
    return value;
}

/* Memory outside the heap that an object owns. */
static void count_external(const struct v8_layout *layout, struct tally *tally,
                           const struct v8_object *object) {
    if (object->map->type == V8_T_JS_ARRAY_BUFFER) {
        uint64_t length = field_u64(object, layout->array_buffer_byte_length);
        if (length < (1ull << 48) && field_u64(object, layout->array_buffer_store))
            tally->array_buffer_bytes += length;
    } else if ((object->map->instance_type & V8_STRING_SHAPE_MASK) == V8_STRING_EXTERNAL && object->bytes &&
               object->size >= 16) {
        uint32_t length;
        memcpy(&length, object->bytes + 12, 4);
        tally->external_string_bytes += (uint64_t)length
                                        << (object->map->instance_type & V8_STRING_ONE_BYTE ? 0 : 1);
    }
}

static bool count_object(void *context, const struct v8_object *object) {
    struct worker *worker = context;
    uint32_t class = v8_classes_of_map(worker->census->classes, &worker->cache, object->map);
    if (class == V8_CLASS_BY_OBJECT && worker->later.count < MAX_BY_OBJECT) {
        struct named_later later = {object->address, object->size, worker->isolate};
        if (!pm_vec_push(&worker->later, later)) worker->failed = true;
    } else if (class == V8_CLASS_FAILED ||
               (class != V8_CLASS_BY_OBJECT && !add_to_class(worker->tally, class, object->size))) {
        worker->failed = true;
    }
    if (object->map->type == V8_T_STRING || object->map->type == V8_T_JS_ARRAY_BUFFER)
        count_external(&worker->census->v8->layout, worker->tally, object);
    return !worker->failed;
}

static void walk_page(void *context, size_t item, unsigned index) {
    struct census *census = context;
    struct worker *worker = &census->workers[index];
    const struct v8_page *page = &census->v8->pages[item];
    size_t done = atomic_fetch_add_explicit(&census->done, 1, memory_order_relaxed);
    if (index == 0 && census->progress && done % 64 == 0)
        census->progress(census->progress_context, done, census->v8->page_count);
    if (!page->live || worker->failed) return;
    uint32_t isolate =
        page->isolate < census->v8->isolate_count ? page->isolate : (uint32_t)census->v8->isolate_count;
    worker->tally = &worker->tallies[isolate];
    worker->isolate = isolate;
    struct v8_walk_stats *stats = &worker->tally->space[page->space];
    uint64_t unparsed = stats->unparsed_bytes;
    v8_walk_page(worker->walker, page, count_object, worker, stats);
    if (stats->unparsed_bytes != unparsed && !pm_vec_push(&worker->gaps, (uint32_t)item))
        worker->failed = true;
}

static void census_deinit(struct census *census) {
    for (unsigned i = 0; census->workers && i < census->worker_count; i++) {
        struct worker *worker = &census->workers[i];
        v8_walker_destroy(worker->walker);
        v8_class_cache_deinit(&worker->cache);
        for (size_t k = 0; worker->tallies && k <= census->v8->isolate_count; k++)
            free(worker->tallies[k].classes);
        free(worker->tallies);
        pm_vec_deinit(&worker->later);
        pm_vec_deinit(&worker->gaps);
    }
    free(census->workers);
    v8_classes_destroy(census->classes);
}

static struct pm_error *census_run(struct v8 *v8, struct pm_arena *arena, v8_progress *progress,
                                   void *context, struct census *census) {
    *census = (struct census){.v8 = v8,
                              .arena = arena,
                              .worker_count = pm_parallel_workers(),
                              .progress = progress,
                              .progress_context = context};
    census->classes = v8_classes_create(v8, arena);
    census->workers = calloc(census->worker_count, sizeof(*census->workers));
    if (!census->workers || !census->classes) return pm_error_nomem();
    for (unsigned i = 0; i < census->worker_count; i++) {
        census->workers[i].census = census;
        census->workers[i].walker = v8_walker_create(v8);
        census->workers[i].tallies = calloc(v8->isolate_count + 1, sizeof(struct tally));
        if (!census->workers[i].walker || !census->workers[i].tallies) return pm_error_nomem();
    }
    pm_parallel_run(v8->page_count, walk_page, census);
    for (unsigned i = 0; i < census->worker_count; i++)
        if (census->workers[i].failed) return pm_error_nomem();
    for (unsigned i = 0; i < census->worker_count; i++) {
        struct worker *worker = &census->workers[i];
        for (size_t k = 0; k < worker->later.count; k++) {
            const struct named_later *later = &worker->later.items[k];
            uint32_t id = v8_classes_of_object(census->classes, later->address);
            if (id == V8_CLASS_FAILED || !add_to_class(&worker->tallies[later->isolate], id, later->size))
                return pm_error_nomem();
        }
    }
    return NULL;
}

/* Gaps may mean that a rare type has another shape than the sample showed: learn from these pages, and walk
 * again. */
static bool census_learn(struct census *census) {
    PM_VEC(uint32_t) gaps = {0};
    bool changed = false;
    for (unsigned i = 0; i < census->worker_count; i++)
        for (size_t k = 0; k < census->workers[i].gaps.count; k++)
            if (!pm_vec_push(&gaps, census->workers[i].gaps.items[k])) break;
    if (gaps.count) changed = v8_relearn_sizes(census->v8, gaps.items, gaps.count);
    pm_vec_deinit(&gaps);
    return changed;
}

/* ---- results ---- */

static int compare_rows(const void *a, const void *b) {
    const struct pm_class_row *x = a, *y = b;
    if (x->shallow != y->shallow) return x->shallow > y->shallow ? -1 : 1;
    return strcmp(x->name, y->name);
}

static struct pm_error *fill_histogram(const struct census *census, size_t index,
                                       struct pm_isolate *isolate) {
    size_t count = v8_classes_count(census->classes), kept = 0;
    struct pm_class_row *rows = pm_arena_array(census->arena, count ? count : 1, sizeof(*rows));
    if (!rows) return pm_error_nomem();
    for (size_t id = 0; id < count; id++) {
        struct pm_class_row row = {.name = v8_classes_name(census->classes, (uint32_t)id),
                                   .retained = PM_UNKNOWN};
        for (unsigned i = 0; i < census->worker_count; i++) {
            /* The read-only space is shared by all isolates; its objects are shown with the main one. */
            const struct tally *own = &census->workers[i].tallies[index];
            const struct tally *shared = &census->workers[i].tallies[census->v8->isolate_count];
            if (id < own->capacity)
                row.count += own->classes[id].count, row.shallow += own->classes[id].bytes;
            if (index == 0 && id < shared->capacity)
                row.count += shared->classes[id].count, row.shallow += shared->classes[id].bytes;
        }
        if (row.count) rows[kept++] = row;
    }
    pm_sort(rows, kept, sizeof(*rows), compare_rows);
    isolate->histogram = rows;
    isolate->histogram_count = kept;
    return NULL;
}

static void add_stats(struct v8_walk_stats *sum, const struct v8_walk_stats *more) {
    sum->objects += more->objects;
    sum->object_bytes += more->object_bytes;
    sum->filler_bytes += more->filler_bytes;
    sum->unused_tail += more->unused_tail;
    sum->skipped_bytes += more->skipped_bytes;
    sum->forwarded += more->forwarded;
    sum->forwarded_bytes += more->forwarded_bytes;
    sum->unparsed_bytes += more->unparsed_bytes;
    sum->unparsed_gaps += more->unparsed_gaps;
    sum->not_saved_bytes += more->not_saved_bytes;
}

static bool belongs(const struct v8 *v8, const struct v8_page *page, size_t index) {
    return page->isolate == index || (index == 0 && page->isolate >= v8->isolate_count);
}

/* Young space: V8 counts everything below the allocation top as used, dead or not. */
static uint64_t used_bytes(uint8_t space, const struct v8_walk_stats *stats) {
    return stats->object_bytes + (space == V8_SPACE_NEW ? stats->filler_bytes - stats->unused_tail : 0);
}

/* pages and committed from the headers, the rest from the walk. */
static struct pm_error *fill_spaces(struct v8 *v8, struct pm_arena *arena, size_t index,
                                    const struct v8_walk_stats *walked, struct pm_isolate *isolate) {
    struct pm_space *spaces = pm_arena_array(arena, V8_SPACE_COUNT, sizeof(*spaces));
    if (!spaces) return pm_error_nomem();
    for (uint8_t id = V8_SPACE_RO; id < V8_SPACE_COUNT; id++) {
        struct pm_space *space = &spaces[isolate->space_count];
        uint64_t area = 0;
        *space = (struct pm_space){.name = v8_space_name(id)};
        for (size_t i = 0; i < v8->page_count; i++) {
            const struct v8_page *page = &v8->pages[i];
            if (page->space != id || !belongs(v8, page, index)) continue;
            space->pages++;
            space->committed += page->size;
            if (page->live) area += page->end - page->start;
        }
        if (!space->pages) continue;
        const struct v8_walk_stats *stats = &walked[id];
        space->used = used_bytes(id, stats);
        space->objects = stats->objects;
        space->unparsed = stats->unparsed_bytes;
        uint64_t taken = space->used + stats->unparsed_bytes + stats->not_saved_bytes;
        space->free = area > taken ? area - taken : 0;
        isolate->unparsed_bytes += stats->unparsed_bytes;
        isolate->objects += stats->objects;
        isolate->object_bytes += stats->object_bytes;
        isolate->free_bytes += space->free;
        isolate->space_count++;
    }
    isolate->spaces = spaces;
    return NULL;
}

static void fill_limits(const struct v8 *v8, size_t index, struct pm_isolate *isolate) {
    const struct v8_isolate *from = &v8->isolates[index];
    isolate->address = from->address;
    isolate->heap = from->heap;
    isolate->tid = PM_UNKNOWN;
    isolate->is_main = index == 0;
    isolate->gc_state = v8->layout.gc_state.present ? from->gc_state : PM_UNKNOWN;
    isolate->max_old_generation = from->max_old_generation;
    isolate->max_semi_space = from->max_semi_space;
    /* Heap::MaxReserved(): the young generation may take three semispaces (two and a large object space). */
    isolate->heap_limit = from->max_old_generation == UINT64_MAX || from->max_semi_space == UINT64_MAX
                              ? PM_UNKNOWN
                              : from->max_old_generation + 3 * from->max_semi_space;
    isolate->reachable_objects = isolate->reachable_bytes = PM_UNKNOWN;
    isolate->unreachable_objects = isolate->unreachable_bytes = PM_UNKNOWN;
    isolate->array_buffer_bytes = isolate->external_string_bytes = isolate->external_bytes = PM_UNKNOWN;
    for (size_t i = 0; i < pm_core_thread_count(v8->core); i++)
        if (v8_facts_thread_isolate(v8->facts, pm_core_thread(v8->core, i)) == from->address)
            if (isolate->tid == PM_UNKNOWN || pm_core_thread(v8->core, i)->tid == pm_core_info(v8->core)->pid)
                isolate->tid = pm_core_thread(v8->core, i)->tid;
}

/* ---- spaces without a walk ----
 *
 * A page's header holds the bytes allocated on it. Which word that is shows on a few pages that are walked.
 */

#define PROBE_PAGES  24
#define HEADER_BYTES 0x80

static uint64_t header_of(const struct v8 *v8, const struct v8_page *page) {
    uint64_t header = page->chunk;
    if (v8->layout.has_metadata) pm_mem_u64(v8->mem, page->chunk + v8->layout.chunk_metadata, &header);
    return header;
}

static bool find_allocated(struct v8 *v8) {
    unsigned hits[HEADER_BYTES / 8] = {0}, probed = 0;
    struct v8_walker *walker = v8_walker_create(v8);
    for (size_t i = 0; walker && i < v8->page_count && probed < PROBE_PAGES; i++) {
        const struct v8_page *page = &v8->pages[i];
        struct v8_walk_stats stats = {0};
        if (!page->live || page->space != V8_SPACE_OLD || page->skip_start) continue;
        v8_walk_page(walker, page, NULL, NULL, &stats);
        if (stats.filler_bytes == 0 || stats.unparsed_bytes)
            continue; /* a full page equals other numbers too */
        probed++;
        for (unsigned k = 0; k < HEADER_BYTES / 8; k++) {
            uint64_t word;
            hits[k] += pm_mem_u64(v8->mem, header_of(v8, page) + 8 * k, &word) && word == stats.object_bytes;
        }
    }
    v8_walker_destroy(walker);
    unsigned best = 0, second = 0;
    for (unsigned k = 1; k < HEADER_BYTES / 8; k++)
        if (hits[k] > hits[best]) best = k;
    for (unsigned k = 0; k < HEADER_BYTES / 8; k++)
        if (k != best && hits[k] > second) second = hits[k];
    /* Pages on which V8 allocates or that it sweeps at the moment have other numbers: not all agree. But a
     * number of this size is no chance. */
    if (hits[best] * 8 < probed || hits[best] <= 2 * second) return false;
    v8->layout.chunk_allocated = (struct v8_field){(uint16_t)(best * 8), true, V8_DISCOVERED};
    return true;
}

static struct pm_error *summarize_headers(struct v8 *v8, struct pm_arena *arena, size_t index,
                                          struct pm_isolate *isolate) {
    struct v8_walk_stats stats[V8_SPACE_COUNT] = {{0}};
    bool known = v8->layout.chunk_allocated.present || find_allocated(v8);
    struct v8_walker *walker = v8_walker_create(v8);
    if (!walker) return pm_error_nomem();
    for (size_t i = 0; i < v8->page_count; i++) {
        const struct v8_page *page = &v8->pages[i];
        uint64_t used = 0;
        if (!page->live || !belongs(v8, page, index)) continue;
        uint64_t area = page->end - page->start;
        bool listed =
            page->space != V8_SPACE_NEW && page->space != V8_SPACE_RO; /* the others have no such count */
        if (page->large) {
            used = v8_size(v8, page->start);
        } else if (listed && known) {
            pm_mem_u64(v8->mem, header_of(v8, page) + v8->layout.chunk_allocated.offset, &used);
        }
        /* A page that waits to be swept counts as full. */
        if (!page->large && (!listed || used >= area)) {
            struct v8_walk_stats page_stats = {0};
            v8_walk_page(walker, page, NULL, NULL, &page_stats);
            used = used_bytes(page->space, &page_stats);
        }
        stats[page->space].object_bytes += used < area ? used : area;
    }
    v8_walker_destroy(walker);
    PM_TRY(fill_spaces(v8, arena, index, stats, isolate));
    for (size_t i = 0; i < isolate->space_count; i++) {
        isolate->spaces[i].objects = isolate->spaces[i].unparsed = PM_UNKNOWN;
        if (!known && strstr(isolate->spaces[i].name, "large") == NULL)
            isolate->spaces[i].used = isolate->spaces[i].free = PM_UNKNOWN;
    }
    isolate->objects = isolate->unparsed_bytes = PM_UNKNOWN;
    if (!known) isolate->object_bytes = isolate->free_bytes = PM_UNKNOWN;
    return NULL;
}

static void note_coverage(const struct v8_walk_stats *all, const struct v8 *v8,
                          struct pm_diagnosis *diagnosis) {
    bool collecting = false;
    for (size_t i = 0; i < v8->isolate_count; i++) collecting |= v8->isolates[i].gc_state != 0;
    if (all->unparsed_bytes)
        pm_diagnosis_skip(diagnosis, "heap bytes", all->unparsed_gaps, all->unparsed_bytes,
                          collecting ? "not parsed: the process died during a garbage collection"
                                     : "not parsed: no object of a known shape stands there");
    /* V8 14's hole objects have a payload that is never mapped readable; it is not data. */
    uint64_t lost = pm_core_info(v8->core)->missing_bytes ? all->not_saved_bytes : 0;
    if (lost) pm_diagnosis_skip(diagnosis, "heap pages", PM_UNKNOWN, lost, "not saved in this core");
}

struct pm_error *v8_summarize(struct v8 *v8, bool spaces_only, v8_progress *progress, void *context,
                              struct pm_diagnosis *diagnosis) {
    struct pm_arena *arena = diagnosis->arena;
    struct census census = {0};
    struct pm_error *err = NULL;
    struct pm_isolate *isolates = pm_arena_array(arena, v8->isolate_count, sizeof(*isolates));
    if (!isolates) return pm_error_nomem();
    /* Without that number in the headers only a walk tells what is used. */
    if (spaces_only && !v8->layout.chunk_allocated.present && !find_allocated(v8)) spaces_only = false;
    for (unsigned round = 0; !spaces_only && round < 3; round++) {
        err = census_run(v8, arena, progress, context, &census);
        if (err || round == 2 || !census_learn(&census)) break;
        census_deinit(&census);
    }
    struct v8_walk_stats all = {0};
    for (size_t index = 0; !err && index < v8->isolate_count; index++) {
        struct pm_isolate *isolate = &isolates[index];
        fill_limits(v8, index, isolate);
        if (spaces_only) {
            err = summarize_headers(v8, arena, index, isolate);
            continue;
        }
        struct v8_walk_stats walked[V8_SPACE_COUNT] = {{0}};
        isolate->array_buffer_bytes = isolate->external_string_bytes = 0;
        for (unsigned i = 0; i < census.worker_count; i++)
            for (size_t which = 0; which < 2; which++) {
                if (which == 1 && index != 0) continue;
                const struct tally *tally = &census.workers[i].tallies[which ? v8->isolate_count : index];
                for (unsigned id = 0; id < V8_SPACE_COUNT; id++) add_stats(&walked[id], &tally->space[id]);
                isolate->array_buffer_bytes += tally->array_buffer_bytes;
                isolate->external_string_bytes += tally->external_string_bytes;
            }
        if (!v8->layout.array_buffer_byte_length.present) isolate->array_buffer_bytes = PM_UNKNOWN;
        for (unsigned id = 0; id < V8_SPACE_COUNT; id++) add_stats(&all, &walked[id]);
        err = fill_spaces(v8, arena, index, walked, isolate);
        if (!err) err = fill_histogram(&census, index, isolate);
    }
    if (census.v8) census_deinit(&census);
    if (err) return err;
    diagnosis->isolates = isolates;
    diagnosis->isolate_count = v8->isolate_count;
    diagnosis->has_isolates = true;
    diagnosis->has_histogram = !spaces_only;
    if (!spaces_only) {
        diagnosis->read_objects = all.objects;
        note_coverage(&all, v8, diagnosis);
    }
    return NULL;
}

/* ---- where the layout came from ---- */

struct rows {
    struct pm_arena *arena;
    PM_VEC(struct pm_layout_row) items;
    bool failed;
};

static const char *origin_name(enum v8_origin origin) {
    static const char *const names[] = {"missing", "published", "discovered", "variant", "known build"};
    return origin <= V8_KNOWN ? names[origin] : "missing";
}

static void add_row(struct rows *rows, const char *name, enum v8_origin origin, const char *evidence,
                    const char *format, ...) __attribute__((format(printf, 5, 6)));

static void add_row(struct rows *rows, const char *name, enum v8_origin origin, const char *evidence,
                    const char *format, ...) {
    char value[256];
    va_list args;
    va_start(args, format);
    vsnprintf(value, sizeof(value), format, args);
    va_end(args);
    struct pm_layout_row row = {name, pm_arena_strdup(rows->arena, value), origin_name(origin),
                                pm_arena_strdup(rows->arena, evidence)};
    if (!row.value || !pm_vec_push(&rows->items, row)) rows->failed = true;
}

static void add_offset(struct rows *rows, const char *name, struct v8_field field, const char *evidence) {
    if (field.present)
        add_row(rows, name, (enum v8_origin)field.origin, evidence, "0x%x", field.offset);
    else
        add_row(rows, name, V8_MISSING, evidence, "-");
}

struct pm_error *v8_explain(const struct v8 *v8, struct pm_diagnosis *diagnosis) {
    const struct v8_layout *layout = &v8->layout;
    struct rows rows = {.arena = diagnosis->arena};
    add_row(&rows, "v8 version", layout->v8_version[0] ? V8_PUBLISHED : V8_MISSING, "for display only", "%s",
            layout->v8_version[0] ? layout->v8_version : "-");
    add_row(&rows, "isolates", V8_DISCOVERED, "heaps named by their pages", "%zu", v8->isolate_count);
    add_row(&rows, "chunk header", V8_DISCOVERED, "", "%s",
            layout->has_metadata ? "metadata object behind the chunk" : "inline in the chunk");
    add_offset(&rows, "chunk.heap", layout->chunk_heap, "equals Heap* of the page's Space");
    add_offset(&rows, "chunk.owner", layout->chunk_owner, "");
    add_offset(&rows, "chunk.area_start", layout->chunk_area_start, "");
    add_offset(&rows, "chunk.area_end", layout->chunk_area_end, "");
    add_offset(&rows, "chunk.size", layout->chunk_size, "");
    add_offset(&rows, "chunk.flags", layout->chunk_flags, "");
    add_offset(&rows, "chunk.next", layout->chunk_list_next, "");
    add_row(&rows, "heap in isolate", layout->origin_heap_in_isolate,
            "members of Isolate point back; code of GetHeapStatistics", "0x%x", layout->heap_in_isolate);
    add_row(&rows, "roots table", layout->origin_roots, "meta map describes itself", "0x%x, %u roots",
            layout->roots_table, layout->roots_count);
    add_row(&rows, "instance types", layout->types_origin,
            "code of ObjectStats::PrintJSON, v8dbg_type_*, roots", "map is %u", layout->number_of[V8_T_MAP]);
    add_offset(&rows, "heap.space[]", layout->space_array, "");
    add_offset(&rows, "heap.read_only_space", layout->read_only_space,
               "vector of the pages that roots point into");
    add_offset(&rows, "heap.gc_state", layout->gc_state, "code of Heap::SetGCState");
    add_row(&rows, "isolate.c_entry_fp", layout->origin_c_entry_fp,
            "code of JSEntry, or the word that leads to an entry frame", "0x%x", layout->c_entry_fp);
    add_row(&rows, "code alignment", V8_DISCOVERED, "what stands behind code", "%u", layout->code_alignment);
    for (unsigned type = 0; type < V8_TYPE_COUNT; type++) {
        uint16_t number = layout->number_of[type];
        if (!number || layout->size_of[number].kind == V8_SIZE_NONE) continue;
        static const uint16_t shown[] = {V8_T_FREE_SPACE,
                                         V8_T_FEEDBACK_VECTOR,
                                         V8_T_DESCRIPTOR_ARRAY,
                                         V8_T_BYTECODE_ARRAY,
                                         V8_T_FEEDBACK_METADATA,
                                         V8_T_INSTRUCTION_STREAM,
                                         V8_T_CODE};
        for (unsigned i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
            if (shown[i] == type)
                add_row(&rows,
                        pm_arena_printf(diagnosis->arena, "size of %s", v8_type_name((enum v8_type)type)),
                        V8_VARIANT, "what stands behind such objects", "%u + %u * u32@%u (kind %u)",
                        layout->size_of[number].base, layout->size_of[number].scale,
                        layout->size_of[number].offset, layout->size_of[number].kind);
    }
#define V8_FIELD(id, type, class_name, fields, what) add_offset(&rows, #id, layout->id, what);
#include "v8layout/fields.def"
#undef V8_FIELD
    for (size_t i = 0; i < v8->check_count; i++)
        add_row(&rows, pm_arena_printf(diagnosis->arena, "check: %s", v8->checks[i].name), V8_DISCOVERED,
                v8->checks[i].detail, "%.4f", v8->checks[i].score);
    diagnosis->layout =
        pm_arena_dup(diagnosis->arena, rows.items.items, rows.items.count, sizeof(*rows.items.items));
    diagnosis->layout_count = diagnosis->layout ? rows.items.count : 0;
    diagnosis->layout_score = v8->score;
    diagnosis->has_layout = true;
    bool failed = rows.failed || !diagnosis->layout;
    pm_vec_deinit(&rows.items);
    return failed ? pm_error_nomem() : NULL;
}
