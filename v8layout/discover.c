/* discover.c - the layout of a V8 heap from nothing but a core (and what the binary publishes).
 *
 *   256 KiB aligned            Space                     Heap (inside Isolate)
 *   chunk header               +---------+               +----------------------+
 *   | flags, size, heap* ------+---------+-------------> | ...                  |
 *   | owner* ----------------> | +8 heap*|-------------> | gc_state, spaces,    |
 *   | area_start, area_end     | +16 id  |               | ReadOnlySpace* ...   |
 *   | objects ...              +---------+               +----------------------+
 *
 * 1. Chunks: of all 256 KiB aligned addresses take the header words, or the words of the metadata object that the header points
 *    to (V8 12.9 and later). The offsets (h, o) for which word[h] == H and word[o] -> Space, Space + 8 -> the same H, in most
 *    chunks, are Heap* and owner; each H is a heap of an isolate. Nothing else in a process has that shape tens of times.
 * 2. Isolate: members of Isolate behind its Heap point back to it.
 * 3. Roots: the table whose meta_map is its own map, and whose *_map entries have that map.
 * 4. Instance types: published; roots name many of them again.
 * 5. Spaces by their pages' properties, allocation areas by shape, size rules by what stands behind an object.
 *
 * Truth: src/heap/memory-chunk-layout.h, memory-chunk-metadata.h, mutable-page-metadata.h, src/heap/heap.h,
 * src/execution/isolate.h. Checked on V8 9.4 to 14.6, x86-64 and aarch64. */
#include "v8layout/discover.h"

#include "postmortem/base/checked.h"
#include "postmortem/base/limits.h"
#include "postmortem/base/vec.h"
#include "v8layout/maps.h"
#include "v8layout/variants/sizes.h"

#include <ctype.h>
#include <string.h>

#define CHUNK        ((uint64_t)256 * 1024)
#define HEADER_WORDS 16 /* Heap*, owner, area and size all stand in the first 128 bytes */
#define LINK_FIRST   0xc0
#define LINK_LAST    0x180
#define MAX_VALUES   64
#define SAMPLE_PAGES 400

struct chunk {
    pm_addr address;
    pm_addr header; /* the chunk itself, or its metadata object */
    pm_addr heap, owner;
};

struct finder {
    struct v8 *v8;
    const struct pm_mem *mem;
    PM_VEC(pm_addr) aligned; /* candidates */
    PM_VEC(struct chunk) chunks;
    pm_addr heaps[PM_MAX_ISOLATES];
    size_t heap_count;
    uint16_t map_type;
};

static bool u64(const struct finder *f, pm_addr addr, uint64_t *ret) {
    return pm_mem_u64(f->mem, addr, ret);
}

static bool plausible_pointer(uint64_t value) {
    return value >= 0x10000 && value < (1ull << 48) && (value & 7) == 0;
}

/* ---- 1. chunks ---- */

static struct pm_error *collect_aligned(struct finder *f) {
    size_t count = pm_mem_range_count(f->mem);
    pm_addr last = 0;
    for (size_t i = 0; i < count; i++) {
        const struct pm_mem_range *range = pm_mem_range_at(f->mem, i);
        if (!range->bytes || range->from_file || range->end - range->start < 64) continue;
        for (pm_addr at = pm_align_up(range->start, CHUNK); at >= range->start && at < range->end && range->end - at >= 64;
             at += CHUNK) {
            if (at == last && at) continue;
            last = at;
            if (!pm_vec_push(&f->aligned, at)) return pm_error_nomem();
        }
    }
    return NULL;
}

struct form_votes {
    pm_addr heap[MAX_VALUES];
    uint32_t votes[MAX_VALUES];
    uint32_t overflow;
};

static void vote(struct form_votes *form, pm_addr heap) {
    for (unsigned i = 0; i < MAX_VALUES; i++) {
        if (form->heap[i] == heap || form->votes[i] == 0) {
            form->heap[i] = heap;
            form->votes[i]++;
            return;
        }
    }
    form->overflow++;
}

/* Votes of heaps that at least two chunks name. */
static uint32_t form_total(const struct form_votes *form) {
    uint32_t total = 0;
    for (unsigned i = 0; i < MAX_VALUES; i++)
        if (form->votes[i] >= 2) total += form->votes[i];
    return total;
}

static bool chunk_header(const struct finder *f, pm_addr chunk, bool metadata, unsigned link, pm_addr *ret) {
    if (!metadata) {
        *ret = chunk;
        return true;
    }
    return u64(f, chunk + link, ret) && plausible_pointer(*ret) && (*ret & ~(CHUNK - 1)) != chunk;
}

/* Counts, for one kind of header, all pairs of offsets; the best one. */
static uint32_t try_form(struct finder *f, bool metadata, unsigned link, unsigned *heap_ret, unsigned *owner_ret) {
    struct form_votes *forms = calloc((size_t)HEADER_WORDS * HEADER_WORDS, sizeof(*forms));
    uint32_t best = 0;
    if (!forms) return 0;
    size_t step = f->aligned.count > 4096 ? f->aligned.count / 4096 : 1;
    for (size_t i = 0; i < f->aligned.count; i += step) {
        pm_addr header;
        uint64_t words[HEADER_WORDS];
        if (!chunk_header(f, f->aligned.items[i], metadata, link, &header) ||
            !pm_mem_copy(f->mem, header, words, sizeof(words)))
            continue;
        for (unsigned o = 1; o < HEADER_WORDS; o++) {
            uint64_t heap;
            if (!plausible_pointer(words[o]) || !u64(f, words[o] + 8, &heap) || !plausible_pointer(heap)) continue;
            for (unsigned h = 1; h < HEADER_WORDS; h++)
                if (h != o && words[h] == heap && words[o] != heap) vote(&forms[h * HEADER_WORDS + o], heap);
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

static struct v8_field discovered(uint64_t offset) {
    return (struct v8_field){(uint16_t)offset, true, V8_DISCOVERED};
}

static struct pm_error *find_chunk_form(struct finder *f) {
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
        layout->chunk_heap = discovered(heap);
        layout->chunk_owner = discovered(owner);
    }
    if (best < 4)
        return pm_error_hint(
            pm_error_create(PM_ERR_LAYOUT, "no V8 heap found: of %zu places where a heap page could begin, none has the shape of one",
                            f->aligned.count),
            "Is this a core of a Node.js process, and was its anonymous memory saved (coredump_filter bit 0)? A build with pointer "
            "compression or another page size is not supported.");
    return NULL;
}

static struct pm_error *collect_chunks(struct finder *f) {
    const struct v8_layout *layout = &f->v8->layout;
    for (size_t i = 0; i < f->aligned.count; i++) {
        struct chunk chunk = {.address = f->aligned.items[i]};
        uint64_t heap;
        if (!chunk_header(f, chunk.address, layout->has_metadata, layout->chunk_metadata, &chunk.header) ||
            !u64(f, chunk.header + layout->chunk_heap.offset, &chunk.heap) ||
            !u64(f, chunk.header + layout->chunk_owner.offset, &chunk.owner) || !plausible_pointer(chunk.heap) ||
            !plausible_pointer(chunk.owner) || !u64(f, chunk.owner + 8, &heap) || heap != chunk.heap)
            continue;
        if (!pm_vec_push(&f->chunks, chunk)) return pm_error_nomem();
    }
    return NULL;
}

/* area_start and area_end: the words that point into the chunk (the end may be just behind it) in at least half of the chunks. */
static struct pm_error *find_area(struct finder *f) {
    struct v8_layout *layout = &f->v8->layout;
    uint32_t inside[HEADER_WORDS] = {0}, sized[HEADER_WORDS] = {0};
    uint64_t sum[HEADER_WORDS] = {0};
    uint32_t total = 0;
    for (size_t i = 0; i < f->chunks.count; i++) {
        const struct chunk *chunk = &f->chunks.items[i];
        uint64_t words[HEADER_WORDS];
        if (!pm_mem_copy(f->mem, chunk->header, words, sizeof(words))) continue;
        total++;
        for (unsigned k = 0; k < HEADER_WORDS; k++) {
            if (words[k] > chunk->address && words[k] <= chunk->address + CHUNK && (words[k] & 7) == 0) {
                inside[k]++;
                sum[k] += words[k] - chunk->address;
            }
            if (words[k] == CHUNK) sized[k]++; /* large pages are more, but never most */
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
        return pm_error_create(PM_ERR_LAYOUT, "no V8 heap found: %u pages have a heap, but no object area", total);
    layout->chunk_area_start = discovered((uint64_t)start * 8);
    layout->chunk_area_end = discovered((uint64_t)end * 8);
    if (size >= 0) layout->chunk_size = discovered((uint64_t)size * 8);
    /* Flags: in the chunk's first word with metadata, and in V8 12; before, behind the size. The other word is no set of flags. */
    unsigned flags_offset = layout->has_metadata || (size >= 0 && size * 8 != 0) ? 0 : 8;
    layout->chunk_flags = (struct v8_field){(uint16_t)flags_offset, true, V8_VARIANT};
    layout->flag_from_page = 8;
    layout->flag_to_page = 16;
    return NULL;
}

/* ---- heaps and isolates ---- */

static struct pm_error *collect_heaps(struct finder *f) {
    for (size_t i = 0; i < f->chunks.count; i++) {
        pm_addr heap = f->chunks.items[i].heap;
        size_t k = 0;
        while (k < f->heap_count && f->heaps[k] != heap) k++;
        if (k == f->heap_count && f->heap_count < PM_MAX_ISOLATES) f->heaps[f->heap_count++] = heap;
    }
    return f->heap_count ? NULL : pm_error_create(PM_ERR_LAYOUT, "no V8 heap found in the pages");
}

/* Members of Isolate stand behind its Heap; many point to objects whose first word is the Isolate. 0 = not clear. */
static pm_addr isolate_by_members(const struct finder *f, pm_addr heap) {
    struct form_votes votes = {0};
    for (uint32_t offset = 0x800; offset < 0x4000; offset += 8) {
        uint64_t member, first;
        if (!u64(f, heap + offset, &member) || !plausible_pointer(member) || !u64(f, member, &first)) continue;
        if (first < heap && heap - first < 0x40000 && heap - first > 0x1000 && plausible_pointer(first)) vote(&votes, first);
    }
    unsigned best = 0;
    for (unsigned i = 1; i < MAX_VALUES; i++)
        if (votes.votes[i] > votes.votes[best]) best = i;
    return votes.votes[best] >= 4 ? votes.heap[best] : 0;
}

static struct pm_error *find_isolate_offset(struct finder *f) {
    struct v8_layout *layout = &f->v8->layout;
    uint32_t published = v8_facts_heap_in_isolate(f->v8->facts);
    struct form_votes votes = {0};
    for (size_t i = 0; i < f->heap_count; i++) {
        pm_addr isolate = isolate_by_members(f, f->heaps[i]);
        if (isolate) vote(&votes, f->heaps[i] - isolate);
    }
    unsigned best = 0;
    for (unsigned i = 1; i < MAX_VALUES; i++)
        if (votes.votes[i] > votes.votes[best]) best = i;
    uint32_t members = votes.votes[best] ? (uint32_t)votes.heap[best] : 0;
    if (!published && !members)
        return pm_error_create(PM_ERR_LAYOUT, "the V8 isolate was not found: nothing behind the heap points back to it");
    /* The code on aarch64 builds the offset in two steps, so only the structure is believed there; on x86-64 the two must agree. */
    if (published && members && published != members && layout->machine == PM_MACHINE_X86_64)
        return pm_error_hint(pm_error_create(PM_ERR_LAYOUT,
                                             "the binary does not belong to this core: its code has the heap at isolate + 0x%x, "
                                             "the core at isolate + 0x%x",
                                             published, members),
                             "Give the exact executable of the process with --exe.");
    layout->heap_in_isolate = members ? members : published;
    layout->origin_heap_in_isolate = published && published == layout->heap_in_isolate ? V8_PUBLISHED : V8_DISCOVERED;
    return NULL;
}

/* ---- roots ---- */

static size_t root_index(const struct v8_layout *layout, const char *name) {
    for (size_t i = 0; i < layout->roots_count; i++)
        if (strcmp(layout->root_names[i], name) == 0) return i;
    return SIZE_MAX;
}

static bool ends_with(const char *text, const char *tail) {
    size_t length = strlen(text), tail_length = strlen(tail);
    return length >= tail_length && strcmp(text + length - tail_length, tail) == 0;
}

/* Is the word the tagged address of a map whose own map is `meta`? */
static bool has_map(const struct finder *f, v8_word word, pm_addr meta) {
    uint64_t map;
    return v8_is_strong(word) && u64(f, v8_untag(word), &map) && map == v8_tag(meta);
}

/* The share of *_map roots that are maps when the table begins at `offset`; the meta map must describe itself. */
static double roots_fit(const struct finder *f, pm_addr isolate, uint32_t offset, size_t meta_index, pm_addr *meta_ret) {
    const struct v8_layout *layout = &f->v8->layout;
    v8_word meta, word;
    unsigned maps = 0, fit = 0;
    if (!u64(f, isolate + offset + 8 * meta_index, &meta) || !has_map(f, meta, v8_untag(meta))) return 0;
    for (uint32_t i = 0; i < layout->roots_count; i++) {
        if (!ends_with(layout->root_names[i], "_map")) continue;
        maps++;
        fit += u64(f, isolate + offset + 8 * (uint64_t)i, &word) && has_map(f, word, v8_untag(meta));
    }
    *meta_ret = v8_untag(meta);
    return maps ? (double)fit / maps : 0;
}

/* Without names: the self-describing map that most words in the isolate's first 32 KiB lead to. */
static pm_addr meta_map_by_content(const struct finder *f, pm_addr isolate) {
    struct form_votes votes = {0};
    for (uint32_t offset = 0x40; offset < 0x8000; offset += 8) {
        v8_word word, map;
        if (u64(f, isolate + offset, &word) && v8_is_strong(word) && u64(f, v8_untag(word), &map) && v8_is_strong(map) &&
            has_map(f, map, v8_untag(map)))
            vote(&votes, v8_untag(map));
    }
    unsigned best = 0;
    for (unsigned i = 1; i < MAX_VALUES; i++)
        if (votes.votes[i] > votes.votes[best]) best = i;
    return votes.votes[best] >= 50 ? votes.heap[best] : 0;
}

static struct pm_error *find_roots(struct finder *f) {
    struct v8 *v8 = f->v8;
    struct v8_layout *layout = &v8->layout;
    uint16_t type;
    layout->roots_count = (uint32_t)v8_facts_root_count(v8->facts);
    layout->root_names = v8_facts_root_names(v8->facts);
    double best = 0;
    size_t meta_index = root_index(layout, "meta_map");
    for (size_t i = 0; i < f->heap_count && meta_index != SIZE_MAX && best < 0.9; i++) {
        pm_addr isolate = f->heaps[i] - layout->heap_in_isolate, meta = 0;
        for (uint32_t offset = 0x40; offset < 0x1000; offset += 8) {
            double fit = roots_fit(f, isolate, offset, meta_index, &meta);
            if (fit <= best) continue;
            best = fit;
            layout->roots_table = offset;
            v8->meta_map = meta;
        }
    }
    if (best >= 0.9) {
        layout->origin_roots = V8_PUBLISHED;
    } else {
        if (layout->roots_count && best > 0)
            return pm_error_hint(pm_error_create(PM_ERR_LAYOUT,
                                                 "the V8 roots table was not found: at best %.0f %% of its maps are maps",
                                                 best * 100),
                                 "The binary is of another Node.js version than the core: give the right one with --exe.");
        layout->roots_count = 0;
        layout->root_names = NULL;
        for (size_t i = 0; i < f->heap_count && !v8->meta_map; i++)
            v8->meta_map = meta_map_by_content(f, f->heaps[i] - layout->heap_in_isolate);
        if (!v8->meta_map) return pm_error_create(PM_ERR_LAYOUT, "the V8 roots were not found: no map describes itself");
    }
    if (!pm_mem_u16(f->mem, v8->meta_map + 12, &type) || type < 64 || type >= V8_MAX_INSTANCE_TYPE)
        return pm_error_create(PM_ERR_LAYOUT, "the V8 meta map has no instance type");
    f->map_type = type;
    return NULL;
}

/* ---- choosing among shapes ---- */

/* For every type with several possible shapes, each shape gets a point for each sampled object behind which a map stands. */
struct rule_points {
    uint32_t points[10];
    uint32_t samples;
};

static bool is_of_this_age(const struct v8_layout *layout, const struct v8_size_variant *variant) {
    if (variant->needs == V8_NEEDS_X86_64) return layout->machine == PM_MACHINE_X86_64;
    return variant->needs == 0 || layout->number_of[variant->needs] != 0;
}

/* The shape with most points. Of equals the first one whose companion type exists. Of a type nobody knows (its last guess is "up
 * to the next map") a formula is believed only when it fits many objects without exception. */
static unsigned best_rule(const struct v8_layout *layout, const struct rule_points *points,
                          const struct v8_size_variant *variants, size_t count) {
    unsigned best = 0;
    while (best + 1 < count && !is_of_this_age(layout, &variants[best])) best++;
    for (unsigned i = 0; i < count; i++)
        if (points->points[i] > points->points[best]) best = i;
    const struct v8_size_rule *last = &variants[count - 1].rule;
    bool is_guess = count > 1 && last->kind == V8_SIZE_SPECIAL && last->scale == V8_SIZE_NEXT_MAP;
    if (is_guess && (points->samples < 8 || points->points[best] < points->samples)) return (unsigned)count - 1;
    return best;
}

/* ---- instance types ---- */

static enum v8_type type_by_name(const char *name) {
    for (int i = V8_T_STRING + 1; i < V8_TYPE_COUNT; i++)
        if (strcmp(v8_type_name((enum v8_type)i), name) == 0) return (enum v8_type)i;
    return V8_T_OTHER;
}

static void set_type(struct v8_layout *layout, uint16_t number, const char *name) {
    if (number < layout->first_nonstring || number >= V8_MAX_INSTANCE_TYPE || layout->type_of[number]) return;
    enum v8_type type = type_by_name(name);
    layout->type_of[number] = (uint16_t)type;
    if (type != V8_T_OTHER && !layout->number_of[type]) layout->number_of[type] = number;
}

/* A root such as fixed_array_map leads to a map with the number of FIXED_ARRAY. */
static void types_from_roots(struct finder *f) {
    struct v8_layout *layout = &f->v8->layout;
    for (uint32_t i = 0; i < layout->roots_count; i++) {
        const char *root = layout->root_names[i];
        char name[128];
        size_t length = strlen(root);
        v8_word word;
        uint16_t number;
        if (!ends_with(root, "_map") || length >= sizeof(name)) continue;
        for (size_t k = 0; k < length - 4; k++) name[k] = (char)toupper((unsigned char)root[k]);
        name[length - 4] = 0;
        if (!u64(f, f->heaps[0] - layout->heap_in_isolate + layout->roots_table + 8 * (uint64_t)i, &word) ||
            !v8_is_strong(word) || !pm_mem_u16(f->mem, v8_untag(word) + 12, &number))
            continue;
        if (strcmp(name, "BIGINT") == 0) strcpy(name, "BIG_INT_BASE");
        else if (strcmp(name, "ONE_POINTER_FILLER") == 0) strcpy(name, "FILLER");
        else if (strcmp(name, "UNDEFINED") == 0) strcpy(name, "ODDBALL");
        else if (strcmp(name, "META") == 0) strcpy(name, "MAP");
        else if (strcmp(name, "THE_HOLE") == 0 && number != layout->number_of[V8_T_ODDBALL]) strcpy(name, "HOLE");
        else if (strcmp(name, "FEEDBACK_CELL") == 0 || strcmp(name, "NO_CLOSURES_CELL") == 0) strcpy(name, "FEEDBACK_CELL");
        set_type(layout, number, name);
    }
}

/* Symbols are the first type behind the strings. */
static uint16_t first_nonstring(const struct finder *f, const struct v8_type_name *types, size_t count) {
    const struct v8_layout *layout = &f->v8->layout;
    int64_t published;
    v8_word word;
    uint16_t number;
    for (size_t i = 0; i < count; i++)
        if (strcmp(types[i].name, "SYMBOL") == 0) return types[i].number;
    if (v8_facts_constant(f->v8->facts, "FirstNonstringType", &published) && (published == 64 || published == 128))
        return (uint16_t)published;
    size_t root = root_index(layout, "symbol_map");
    if (root != SIZE_MAX && u64(f, f->heaps[0] - layout->heap_in_isolate + layout->roots_table + 8 * root, &word) &&
        v8_is_strong(word) && pm_mem_u16(f->mem, v8_untag(word) + 12, &number))
        return number;
    return 128;
}

static struct pm_error *find_types(struct finder *f) {
    struct v8 *v8 = f->v8;
    struct v8_layout *layout = &v8->layout;
    size_t count;
    const struct v8_type_name *types = v8_facts_types(v8->facts, &count);
    layout->first_nonstring = first_nonstring(f, types, count);
    for (unsigned i = 0; i < layout->first_nonstring; i++) layout->type_of[i] = V8_T_STRING;
    for (size_t i = 0; i < count; i++) set_type(layout, types[i].number, types[i].name);
    layout->types_origin = count ? V8_PUBLISHED : V8_DISCOVERED;
    /* v8dbg_type_<Class>__<NAME>_TYPE */
    for (int i = V8_T_STRING + 1; i < V8_TYPE_COUNT; i++) {
        int64_t number;
        if (!layout->number_of[i] && v8_facts_type(v8->facts, v8_type_name((enum v8_type)i), &number) && number > 0 &&
            number < V8_MAX_INSTANCE_TYPE)
            set_type(layout, (uint16_t)number, v8_type_name((enum v8_type)i));
    }
    types_from_roots(f);
    if (layout->number_of[V8_T_MAP] && layout->number_of[V8_T_MAP] != f->map_type)
        return pm_error_create(PM_ERR_LAYOUT,
                               "the binary does not belong to this core: it numbers maps %u, the core's meta map says %u",
                               layout->number_of[V8_T_MAP], f->map_type);
    set_type(layout, f->map_type, "MAP");
    static const uint16_t required[] = {V8_T_FIXED_ARRAY, V8_T_FREE_SPACE, V8_T_FILLER, V8_T_JS_OBJECT};
    for (unsigned i = 0; i < sizeof(required) / sizeof(required[0]); i++)
        if (!layout->number_of[required[i]])
            return pm_error_hint(pm_error_create(PM_ERR_LAYOUT, "the instance type number of %s is not known: the binary publishes "
                                                                "none and the roots do not show it",
                                                 v8_type_name((enum v8_type)required[i])),
                                 "Give the executable of the process with --exe.");
    /* Receivers are the last block of numbers and begin with JSProxy (and WebAssembly objects); JSObjects follow. */
    layout->first_js_receiver = layout->number_of[V8_T_JS_PROXY];
    if (layout->number_of[V8_T_WASM_STRUCT] && layout->number_of[V8_T_WASM_STRUCT] < layout->first_js_receiver)
        layout->first_js_receiver = layout->number_of[V8_T_WASM_STRUCT];
    if (layout->number_of[V8_T_WASM_ARRAY] && layout->number_of[V8_T_WASM_ARRAY] < layout->first_js_receiver)
        layout->first_js_receiver = layout->number_of[V8_T_WASM_ARRAY];
    if (!layout->first_js_receiver) layout->first_js_receiver = layout->number_of[V8_T_JS_OBJECT];
    layout->first_js_object = layout->number_of[V8_T_JS_GLOBAL_OBJECT] ? layout->number_of[V8_T_JS_GLOBAL_OBJECT]
                                                                       : layout->first_js_receiver;
    /* Embedders number their own objects between these two (Node does). */
    uint16_t api = layout->number_of[V8_T_JS_API_OBJECT], last = layout->number_of[V8_T_JS_LAST_DUMMY_API_OBJECT];
    layout->last_api_object = last;
    for (unsigned i = api; api && last && i <= last && i < V8_MAX_INSTANCE_TYPE; i++)
        if (!layout->type_of[i]) layout->type_of[i] = V8_T_JS_API_OBJECT;
    for (unsigned i = 0; i < V8_MAX_INSTANCE_TYPE; i++) {
        if (i < layout->first_nonstring) {
            if ((i & V8_STRING_SHAPE_MASK) == V8_STRING_SEQ)
                layout->size_of[i] = (struct v8_size_rule){V8_SIZE_LINEAR, 12, i & V8_STRING_ONE_BYTE ? 1 : 2, 16};
            continue;
        }
        static const struct rule_points no_samples;
        size_t count_of_type;
        const struct v8_size_variant *variants = v8_size_variants((enum v8_type)layout->type_of[i], &count_of_type);
        layout->size_of[i] = variants[best_rule(layout, &no_samples, variants, count_of_type)].rule;
    }
    return NULL;
}

/* ---- pages ---- */

static bool page_of_chunk(const struct finder *f, pm_addr chunk, pm_addr header, struct v8_page *page) {
    const struct v8_layout *layout = &f->v8->layout;
    uint64_t size = CHUNK;
    *page = (struct v8_page){.chunk = chunk, .isolate = UINT32_MAX, .live = true};
    if (!u64(f, header + layout->chunk_area_start.offset, &page->start) ||
        !u64(f, header + layout->chunk_area_end.offset, &page->end) || !u64(f, chunk + layout->chunk_flags.offset, &page->flags))
        return false;
    if (layout->chunk_size.present) u64(f, header + layout->chunk_size.offset, &size);
    /* A page of the snapshot may be smaller than a chunk; a large page has one object that ends anywhere behind it. */
    if (page->start <= chunk || page->start > chunk + CHUNK || page->end < page->start || (page->start & 7) ||
        page->end - chunk > (1ull << 40))
        return false;
    page->size = size >= 4096 && size < (1ull << 40) ? size : CHUNK;
    page->large = page->end > chunk + CHUNK || page->size > CHUNK;
    const struct pm_mem_range *range = pm_mem_find(f->mem, page->start);
    page->executable = range && (range->protection & PM_MEM_EXECUTE);
    return true;
}

static int compare_pages(const void *a, const void *b) {
    const struct v8_page *x = a, *y = b;
    return x->chunk < y->chunk ? -1 : x->chunk > y->chunk;
}

/* ReadOnlySpace: an object that the Heap points to, with a vector of its pages (chunks, or their metadata) that begins with chunks
 * which the roots point into. */
static bool read_only_vector(const struct finder *f, pm_addr begin, pm_addr end, pm_addr meta_chunk, bool *has_meta) {
    const struct v8_layout *layout = &f->v8->layout;
    *has_meta = false;
    if (!plausible_pointer(begin) || end <= begin || (end - begin) % 8 || end - begin > 8 * 256) return false;
    for (pm_addr at = begin; at < end; at += 8) {
        uint64_t element, start;
        if (!u64(f, at, &element) || !plausible_pointer(element) ||
            !u64(f, element + layout->chunk_area_start.offset, &start) || !plausible_pointer(start))
            return false;
        if (!layout->has_metadata && (element & (CHUNK - 1))) return false;
        *has_meta |= (start & ~(CHUNK - 1)) == meta_chunk;
    }
    return true;
}

static struct pm_error *add_page(struct v8 *v8, size_t *capacity, const struct v8_page *page) {
    if (v8->page_count == *capacity && !pm_vec_grow((void **)&v8->pages, capacity, v8->page_count + 1, sizeof(*page)))
        return pm_error_nomem();
    v8->pages[v8->page_count++] = *page;
    return NULL;
}

static struct pm_error *collect_read_only(struct finder *f, size_t *capacity) {
    struct v8 *v8 = f->v8;
    struct v8_layout *layout = &v8->layout;
    pm_addr meta_chunk = v8->meta_map & ~(CHUNK - 1);
    for (size_t h = 0; h < f->heap_count; h++) {
        for (uint32_t offset = 0; offset < 0x800; offset += 8) {
            uint64_t space;
            if (!u64(f, f->heaps[h] + offset, &space) || !plausible_pointer(space)) continue;
            for (uint32_t vector = 0x18; vector < 0x100; vector += 8) {
                uint64_t begin, end;
                bool has_meta;
                if (!u64(f, space + vector, &begin) || !u64(f, space + vector + 8, &end) ||
                    !read_only_vector(f, begin, end, meta_chunk, &has_meta) || !has_meta)
                    continue;
                for (pm_addr at = begin; at < end; at += 8) {
                    uint64_t element = 0, start = 0;
                    struct v8_page page;
                    u64(f, at, &element);
                    u64(f, element + layout->chunk_area_start.offset, &start);
                    if (!page_of_chunk(f, start & ~(CHUNK - 1), element, &page)) continue;
                    page.space = V8_SPACE_RO;
                    page.large = false;
                    PM_TRY(add_page(v8, capacity, &page));
                }
                layout->read_only_space = discovered(offset);
                return NULL;
            }
        }
    }
    return NULL;
}

/* Pages that roots point into, but nothing else has told us of: read-only ones whose space was not found. */
static struct pm_error *collect_root_pages(struct finder *f, size_t *capacity) {
    struct v8 *v8 = f->v8;
    const struct v8_layout *layout = &v8->layout;
    for (uint32_t i = 0; i <= layout->roots_count; i++) {
        v8_word word = v8_tag(v8->meta_map);
        if (i < layout->roots_count &&
            !u64(f, f->heaps[0] - layout->heap_in_isolate + layout->roots_table + 8 * (uint64_t)i, &word))
            continue;
        if (!v8_is_strong(word)) continue;
        pm_addr chunk = v8_untag(word) & ~(CHUNK - 1), header;
        bool known = false;
        for (size_t k = 0; k < v8->page_count && !known; k++)
            known = v8_untag(word) >= v8->pages[k].start && v8_untag(word) < v8->pages[k].end;
        struct v8_page page;
        if (known || !chunk_header(f, chunk, layout->has_metadata, layout->chunk_metadata, &header) ||
            !page_of_chunk(f, chunk, header, &page) || v8_untag(word) < page.start || v8_untag(word) >= page.end)
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
    {"V8 13 and later", {V8_SPACE_RO, V8_SPACE_NEW, V8_SPACE_OLD, V8_SPACE_CODE, V8_SPACE_SHARED, V8_SPACE_TRUSTED,
                         V8_SPACE_SHARED_TRUSTED, V8_SPACE_NEW_LO, V8_SPACE_LO, V8_SPACE_CODE_LO, V8_SPACE_SHARED_LO,
                         V8_SPACE_SHARED_TRUSTED_LO, V8_SPACE_TRUSTED_LO}},
    {"V8 11.8 to 12", {V8_SPACE_RO, V8_SPACE_NEW, V8_SPACE_OLD, V8_SPACE_CODE, V8_SPACE_SHARED, V8_SPACE_TRUSTED,
                       V8_SPACE_NEW_LO, V8_SPACE_LO, V8_SPACE_CODE_LO, V8_SPACE_SHARED_LO, V8_SPACE_TRUSTED_LO}},
    {"V8 11", {V8_SPACE_RO, V8_SPACE_NEW, V8_SPACE_OLD, V8_SPACE_CODE, V8_SPACE_SHARED, V8_SPACE_NEW_LO, V8_SPACE_LO,
               V8_SPACE_CODE_LO, V8_SPACE_SHARED_LO}},
    {"V8 10.8", {V8_SPACE_RO, V8_SPACE_OLD, V8_SPACE_CODE, V8_SPACE_MAP, V8_SPACE_SHARED, V8_SPACE_NEW, V8_SPACE_LO,
                 V8_SPACE_CODE_LO, V8_SPACE_NEW_LO, V8_SPACE_SHARED_LO}},
    {"V8 9 and 10", {V8_SPACE_RO, V8_SPACE_OLD, V8_SPACE_CODE, V8_SPACE_MAP, V8_SPACE_LO, V8_SPACE_CODE_LO, V8_SPACE_NEW_LO,
                     V8_SPACE_NEW}},
};

static bool is_new(uint8_t space) {
    return space == V8_SPACE_NEW || space == V8_SPACE_NEW_LO;
}
static bool is_large(uint8_t space) {
    return space == V8_SPACE_NEW_LO || space == V8_SPACE_LO || space == V8_SPACE_CODE_LO || space == V8_SPACE_SHARED_LO ||
           space == V8_SPACE_TRUSTED_LO || space == V8_SPACE_SHARED_TRUSTED_LO;
}

/* What a page shows of its space: young by its flags, large by its size, its content by the first objects. */
struct page_signs {
    uint32_t id;
    bool young, large, only_maps, has_code, has_bytecode, has_js;
};

static void read_signs(const struct finder *f, const struct v8_page *page, struct page_signs *signs) {
    const struct v8_layout *layout = &f->v8->layout;
    signs->young = (page->flags & (layout->flag_from_page | layout->flag_to_page)) != 0;
    signs->large = page->large;
    unsigned maps = 0, seen = 0;
    for (pm_addr at = page->start; at + 64 < page->end && seen < 600 && at < page->start + CHUNK; at += 8) {
        v8_word word, meta;
        uint16_t type;
        if (!u64(f, at, &word) || !v8_is_strong(word) || (word & 7) != 1) continue;
        if (!u64(f, v8_untag(word), &meta) || !has_map(f, meta, v8_untag(meta)) ||
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

static unsigned order_fit(const struct space_order *order, const struct page_signs *signs, size_t count, unsigned *against) {
    unsigned fit = 0;
    *against = 0;
    for (size_t i = 0; i < count; i++) {
        uint8_t space = signs[i].id < 14 ? order->space[signs[i].id] : V8_SPACE_NONE;
        if (space == V8_SPACE_NONE || is_new(space) != signs[i].young || is_large(space) != signs[i].large) {
            (*against)++;
            continue;
        }
        fit++;
        if (signs[i].has_code && !signs[i].large) *against += space != V8_SPACE_CODE;
        if (space == V8_SPACE_MAP && !signs[i].only_maps) (*against)++;
    }
    return fit;
}

static struct pm_error *name_spaces(struct finder *f) {
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
        return pm_error_create(PM_ERR_LAYOUT, "the V8 spaces were not recognised: %u of %zu sampled pages do not fit any known order",
                               best_against, count);
    for (size_t i = 0; i < v8->page_count; i++) {
        struct v8_page *page = &v8->pages[i];
        if (page->isolate == UINT32_MAX) continue;
        page->space = page->space < 14 ? best->space[page->space] : V8_SPACE_NONE;
        if (is_large(page->space)) page->large = true;
    }
    return NULL;
}

static struct pm_error *collect_pages(struct finder *f) {
    struct v8 *v8 = f->v8;
    size_t capacity = 0;
    struct pm_error *err = collect_read_only(f, &capacity);
    for (size_t i = 0; !err && i < f->chunks.count; i++) {
        const struct chunk *chunk = &f->chunks.items[i];
        struct v8_page page;
        uint32_t id;
        bool known = false;
        if (!page_of_chunk(f, chunk->address, chunk->header, &page) || !pm_mem_u32(f->mem, chunk->owner + 16, &id) || id > 63)
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
    qsort(v8->pages, v8->page_count, sizeof(*v8->pages), compare_pages);
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

static struct v8_page *page_at(struct v8 *v8, pm_addr addr) { /* whether live or not; area_end counts as inside */
    size_t low = 0, high = v8->page_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (v8->pages[middle].chunk < addr) low = middle + 1;
        else high = middle;
    }
    if (low == 0) return NULL;
    struct v8_page *page = &v8->pages[low - 1];
    return addr >= page->start && addr <= page->end ? page : NULL;
}

static struct v8_page *next_page(const struct finder *f, const struct v8_page *page) {
    const struct v8_layout *layout = &f->v8->layout;
    pm_addr header, next, start;
    if (!layout->chunk_list_next.present ||
        !chunk_header(f, page->chunk, layout->has_metadata, layout->chunk_metadata, &header) ||
        !u64(f, header + layout->chunk_list_next.offset, &next) || !plausible_pointer(next) ||
        !u64(f, next + layout->chunk_area_start.offset, &start))
        return NULL;
    return page_at(f->v8, start);
}

/* ---- isolates ---- */

static const struct pm_core_thread *main_thread(const struct pm_core *core) {
    const struct pm_core_info *info = pm_core_info(core);
    for (size_t i = 0; i < pm_core_thread_count(core); i++)
        if (pm_core_thread(core, i)->tid == info->pid) return pm_core_thread(core, i);
    return pm_core_thread_count(core) == 1 ? pm_core_thread(core, 0) : NULL;
}

static struct pm_error *collect_isolates(struct finder *f) {
    struct v8 *v8 = f->v8;
    const struct v8_layout *layout = &v8->layout;
    v8->isolates = calloc(f->heap_count, sizeof(*v8->isolates));
    if (!v8->isolates) return pm_error_nomem();
    size_t meta_index = root_index(layout, "meta_map");
    for (size_t i = 0; i < f->heap_count; i++) {
        pm_addr isolate = f->heaps[i] - layout->heap_in_isolate;
        v8_word meta;
        /* Isolates share one read-only heap, and so one meta map; in V8 9 each has its own. Without a meta map that describes itself
         * these are the remains of an isolate that is gone. */
        if (meta_index != SIZE_MAX && (!u64(f, isolate + layout->roots_table + 8 * meta_index, &meta) ||
                                       !v8_is_strong(meta) || !has_map(f, meta, v8_untag(meta))))
            continue;
        v8->isolates[v8->isolate_count++] =
            (struct v8_isolate){.address = isolate, .heap = f->heaps[i], .max_old_generation = UINT64_MAX, .max_semi_space = UINT64_MAX};
    }
    if (!v8->isolate_count) return pm_error_create(PM_ERR_LAYOUT, "no V8 isolate has a valid roots table");
    f->heaps[0] = v8->isolates[0].heap;
    return NULL;
}

/* The main isolate first: the one of the main thread, else the one with most pages. */
static void order_isolates(struct finder *f) {
    struct v8 *v8 = f->v8;
    const struct pm_core_thread *thread = main_thread(v8->core);
    pm_addr current = thread ? v8_facts_thread_isolate(v8->facts, thread) : 0;
    size_t first = SIZE_MAX, most = 0;
    for (size_t i = 0; i < v8->isolate_count; i++) {
        if (v8->isolates[i].address == current && current) first = i;
        if (v8->isolates[i].page_count > v8->isolates[most].page_count) most = i;
    }
    if (first == SIZE_MAX) { /* the malloc heap of the main thread is [heap]; its isolate is allocated first and lowest */
        first = most;
        for (size_t i = 0; i < v8->isolate_count; i++)
            if (v8->isolates[i].address < v8->isolates[first].address && v8->isolates[first].address >> 40) first = i;
    }
    if (!first) return;
    struct v8_isolate swap = v8->isolates[0];
    v8->isolates[0] = v8->isolates[first];
    v8->isolates[first] = swap;
    for (size_t i = 0; i < v8->page_count; i++) {
        if (v8->pages[i].isolate == 0) v8->pages[i].isolate = (uint32_t)first;
        else if (v8->pages[i].isolate == first) v8->pages[i].isolate = 0;
    }
    f->heaps[0] = v8->isolates[0].heap;
}

/* ---- Heap fields ---- */

static void find_gc_state(struct finder *f) {
    struct v8 *v8 = f->v8;
    uint32_t offset = v8_facts_gc_state_in_heap(v8->facts);
    if (!offset || offset > 0x4000) return;
    v8->layout.gc_state = (struct v8_field){(uint16_t)offset, true, V8_PUBLISHED};
    v8->layout.origin_gc_state = V8_PUBLISHED;
    for (size_t i = 0; i < v8->isolate_count; i++) {
        uint32_t state;
        if (pm_mem_u32(f->mem, v8->isolates[i].heap + offset, &state) && state <= 8) v8->isolates[i].gc_state = state;
    }
}

static void find_limits(struct finder *f) {
    struct v8 *v8 = f->v8;
    struct v8_limit_offsets at;
    if (!v8_facts_limits(v8->facts, &at)) return;
    for (size_t i = 0; i < v8->isolate_count; i++) {
        struct v8_isolate *isolate = &v8->isolates[i];
        uint64_t semi, old;
        if (!u64(f, isolate->heap + at.semi_space, &semi) || !u64(f, isolate->heap + at.old_generation, &old)) continue;
        if (at.indirect && !u64(f, old + at.indirect, &old)) continue;
        /* Sizes are multiples of pages; anything else is another field. */
        if (semi && semi < (1ull << 40) && (semi & 4095) == 0) isolate->max_semi_space = semi;
        if (old && old < (1ull << 46) && (old & 4095) == 0) isolate->max_old_generation = old;
    }
}

/* Heap::space_[]: the offset at which Heap + offset + 8 * id leads to the owners of the pages. There may be two hits (an older
 * array of pointers per space stands before it); the later one is the array. */
static void find_space_array(struct finder *f, const struct chunk *chunks, size_t count) {
    struct v8_layout *layout = &f->v8->layout;
    pm_addr owner[64] = {0};
    for (size_t i = 0; i < count; i++) {
        uint32_t id;
        if (chunks[i].heap == f->heaps[0] && pm_mem_u32(f->mem, chunks[i].owner + 16, &id) && id < 64) owner[id] = chunks[i].owner;
    }
    unsigned owners = 0, best = 0;
    for (unsigned id = 0; id < 64; id++) owners += owner[id] != 0;
    for (uint32_t offset = 0; offset < 0x400; offset += 8) {
        unsigned fit = 0;
        for (unsigned id = 0; id < 64; id++) {
            uint64_t space;
            fit += owner[id] && u64(f, f->heaps[0] + offset + 8 * id, &space) && space == owner[id];
        }
        if (fit >= best && fit > 0) {
            best = fit;
            layout->space_array = discovered(offset);
        }
    }
    if (best * 2 < owners) layout->space_array = (struct v8_field){0};
}

static void find_links(struct finder *f) {
    struct v8_layout *layout = &f->v8->layout;
    uint32_t best = 0;
    for (uint32_t offset = LINK_FIRST; offset <= LINK_LAST; offset += 8) {
        uint32_t hits = 0;
        for (size_t i = 0; i < f->chunks.count && i < 2000; i++) {
            const struct chunk *chunk = &f->chunks.items[i];
            uint64_t next, owner;
            if (!u64(f, chunk->header + offset, &next) || !plausible_pointer(next) || next == chunk->header) continue;
            hits += u64(f, next + layout->chunk_owner.offset, &owner) && owner == chunk->owner;
        }
        if (hits > best) { /* next and prev are neighbours and tie almost: the first one counts */
            if (best && hits < best + best / 20 && layout->chunk_list_next.offset + 8u == offset) continue;
            best = hits;
            layout->chunk_list_next = discovered(offset);
            layout->chunk_list_prev = discovered(offset + 8);
        }
    }
}

/* ---- allocation areas ---- */

static bool read_lab(const struct finder *f, pm_addr at, struct v8_lab *lab, struct v8_page **page_ret) {
    if (!u64(f, at, &lab->start) || !plausible_pointer(lab->start) || !u64(f, at + 8, &lab->top) || !u64(f, at + 16, &lab->limit))
        return false;
    if (lab->start > lab->top || lab->top > lab->limit || (lab->top & 7) || (lab->limit & 7) || lab->limit - lab->start > CHUNK)
        return false;
    struct v8_page *page = page_at(f->v8, lab->start);
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

/* SemiSpace::current_page_: in the new space's owner object the highest word that leads to one of its to-pages, or to the page of
 * the open allocation area. Returns the page; NULL = not found. */
static struct v8_page *current_page(struct finder *f, pm_addr owner, uint32_t isolate, const struct v8_page *lab_page) {
    struct v8 *v8 = f->v8;
    struct v8_page *found = NULL;
    for (uint32_t offset = 0x38; offset < 0x200; offset += 8) {
        uint64_t word, start;
        if (!u64(f, owner + offset, &word) || !plausible_pointer(word)) continue;
        if (!u64(f, word + v8->layout.chunk_area_start.offset, &start) || !plausible_pointer(start)) continue;
        struct v8_page *page = page_at(v8, start);
        pm_addr header;
        if (!page || page->isolate != isolate || page->space != V8_SPACE_NEW || !(page->flags & v8->layout.flag_to_page) ||
            page->start != start || !chunk_header(f, page->chunk, v8->layout.has_metadata, v8->layout.chunk_metadata, &header) ||
            header != word)
            continue;
        if (lab_page && page != lab_page) continue;
        found = page;
        v8->layout.current_page = offset;
    }
    return found;
}

/* To-space pages behind the current one have not been used since the last flip: what is on them is stale. */
static void retire_later_pages(struct finder *f, struct v8_page *current) {
    struct v8 *v8 = f->v8;
    struct v8_layout *layout = &v8->layout;
    struct v8_page *page = current;
    for (size_t guard = 0; guard <= v8->page_count; guard++) {
        struct v8_page *later = next_page(f, page);
        if (!later || later == page || later == current || later->isolate != current->isolate || later->space != V8_SPACE_NEW ||
            !(later->flags & layout->flag_to_page))
            return;
        later->live = false;
        page = later;
    }
}

static pm_addr owner_of(const struct finder *f, const struct v8_page *page) {
    pm_addr header, owner = 0;
    if (!chunk_header(f, page->chunk, f->v8->layout.has_metadata, f->v8->layout.chunk_metadata, &header) ||
        !u64(f, header + f->v8->layout.chunk_owner.offset, &owner))
        return 0;
    return owner;
}

static void find_young(struct finder *f, uint32_t index) {
    struct v8 *v8 = f->v8;
    struct v8_isolate *isolate = &v8->isolates[index];
    struct v8_page *lab_page = NULL, *to_page = NULL;
    for (size_t i = 0; i < v8->page_count; i++) {
        struct v8_page *page = &v8->pages[i];
        if (page->isolate != index || !is_new(page->space)) continue;
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
    /* Everything from the allocation top to the end of the current page is unallocated; the limit may stand before the end
     * (allocation observers). */
    if (current->skip_start) current->skip_end = current->end;
    retire_later_pages(f, current);
}

/* Threads that allocate have a LocalHeap (its first word is the Heap), the LocalHeap an allocator, the allocator an allocation area
 * (src/heap/local-heap.h, concurrent-allocator.h). LocalHeaps are linked with each other; the Heap leads to one of them. */
static bool labs_of_local_heaps(struct finder *f, uint32_t index, size_t *capacity) {
    struct v8_isolate *isolate = &f->v8->isolates[index];
    pm_addr heaps[256];
    size_t count = 0;
    for (uint32_t offset = 0; offset < 0x1000 && count < 256; offset += 8) {
        uint64_t local, heap;
        if (u64(f, isolate->heap + offset, &local) && plausible_pointer(local) && u64(f, local, &heap) && heap == isolate->heap)
            heaps[count++] = local;
    }
    for (size_t i = 0; i < count; i++) {
        for (uint32_t offset = 8; offset < 0x200; offset += 8) {
            uint64_t member, first;
            struct v8_lab lab;
            struct v8_page *page;
            if (!u64(f, heaps[i] + offset, &member) || !plausible_pointer(member)) continue;
            bool known = !u64(f, member, &first) || first != isolate->heap || count == 256;
            for (size_t k = 0; k < count; k++) known |= heaps[k] == member;
            if (!known) heaps[count++] = member;
            for (uint32_t k = 0; k < 0x60; k += 8)
                if (read_lab(f, member + k, &lab, &page) && page->isolate == index && !add_lab(isolate, capacity, &lab))
                    return false;
        }
    }
    return true;
}

static struct pm_error *find_labs(struct finder *f) {
    struct v8 *v8 = f->v8;
    for (uint32_t index = 0; index < v8->isolate_count; index++) {
        struct v8_isolate *isolate = &v8->isolates[index];
        size_t capacity = 0;
        struct v8_lab lab;
        struct v8_page *page;
        bool enough = true;
        /* Exact places: Isolate's first kilobyte (V8 11 and later), just before Heap (V8 10), and the Space objects themselves
         * (V8 9, and code space later), there only for pages of that very space. */
        for (uint32_t offset = 0x40; offset < 0x400; offset += 8)
            if (read_lab(f, isolate->address + offset, &lab, &page) && page->isolate == index) skip_area(page, &lab, false);
        for (uint32_t offset = 0x100; offset > 0x10; offset -= 8)
            if (read_lab(f, isolate->heap - offset, &lab, &page) && page->isolate == index) skip_area(page, &lab, false);
        pm_addr last_owner = 0;
        for (size_t i = 0; i < v8->page_count; i++) {
            pm_addr owner = v8->pages[i].isolate == index && !v8->pages[i].large ? owner_of(f, &v8->pages[i]) : 0;
            if (!owner || owner == last_owner) continue;
            last_owner = owner;
            for (uint32_t offset = 0x18; offset < 0x240; offset += 8)
                if (read_lab(f, owner + offset, &lab, &page) && owner_of(f, page) == owner) skip_area(page, &lab, false);
        }
        /* Young pages of V8 9 and 10: the semispace is embedded in the NewSpace that has the area. */
        for (uint32_t offset = 0; offset < 0x400 && enough; offset += 8) {
            uint64_t space, id;
            if (!u64(f, isolate->heap + offset, &space) || !plausible_pointer(space) || !u64(f, space + 8, &id) ||
                id != isolate->heap)
                continue;
            for (uint32_t k = 0x18; k < 0x240; k += 8)
                if (read_lab(f, space + k, &lab, &page) && page->isolate == index) {
                    if (page->space == V8_SPACE_NEW && !page->skip_start) skip_area(page, &lab, false);
                    enough &= add_lab(isolate, &capacity, &lab);
                }
        }
        /* Anywhere else an area is believed only where no object stands at its top (walk.c asks): in Heap, and in what it points to. */
        for (uint32_t offset = 0; offset < 0x3000 && enough; offset += 8) {
            uint64_t member;
            if (read_lab(f, isolate->heap + offset, &lab, &page) && page->isolate == index)
                enough &= add_lab(isolate, &capacity, &lab);
            if (offset >= 0x1000 || !u64(f, isolate->heap + offset, &member) || !plausible_pointer(member)) continue;
            for (uint32_t k = 8; k < 0x700 && enough; k += 8)
                if (read_lab(f, member + k, &lab, &page) && page->isolate == index) enough &= add_lab(isolate, &capacity, &lab);
        }
        if (!enough || !labs_of_local_heaps(f, index, &capacity)) return pm_error_nomem();
        find_young(f, index);
    }
    return NULL;
}

/* ---- size rules ---- */

static bool behind_is_object(const struct v8 *v8, const struct v8_page *page, pm_addr next) {
    v8_word word;
    if (next == page->end || next == page->skip_start) return true;
    if (next > page->end || !pm_mem_u64(v8->mem, next, &word)) return false;
    return v8_is_map_word(v8, word);
}

/* Contexts have no roots and no v8dbg numbers: where the table of names is not published they show themselves by a ScopeInfo in
 * their first slot. The native context is the one with hundreds of slots and a raw word behind them. */
static void recognise_context(struct v8 *v8, const struct v8_page *page, const struct v8_map *map, pm_addr object) {
    struct v8_layout *layout = &v8->layout;
    uint64_t length, scope_info;
    uint16_t type = map->instance_type;
    if (!layout->number_of[V8_T_SCOPE_INFO] || !pm_mem_u64(v8->mem, object + 8, &length) || !v8_is_smi(length) ||
        v8_smi(length) < 2 || !pm_mem_u64(v8->mem, object + 16, &scope_info) || !v8_is_strong(scope_info))
        return;
    const struct v8_map *first = v8_map(v8, v8_untag(scope_info));
    if (!first || first->type != V8_T_SCOPE_INFO) return;
    uint64_t slots = (uint64_t)v8_smi(length);
    enum v8_type found = slots > 150 && behind_is_object(v8, page, object + 24 + 8 * slots) ? V8_T_NATIVE_CONTEXT
                         : behind_is_object(v8, page, object + 16 + 8 * slots)              ? V8_T_FUNCTION_CONTEXT
                                                                                            : V8_T_OTHER;
    if (found == V8_T_OTHER) return;
    size_t count;
    layout->type_of[type] = (uint16_t)found;
    if (!layout->number_of[found]) layout->number_of[found] = type;
    layout->size_of[type] = v8_size_variants(found, &count)[0].rule;
    v8_map_table_refresh(v8->maps, v8);
}

static void sample_page(struct v8 *v8, const struct v8_page *page, struct rule_points *points) {
    uint64_t left = page->end - page->start;
    const uint8_t *base = pm_mem_view_some(v8->mem, page->start, &left);
    if (!base) return;
    if (left > page->end - page->start) left = page->end - page->start;
    if (page->large && left > 64 * 1024) return; /* one object, nothing stands behind it */
    for (uint64_t at = 0; at + 16 <= left;) {
        if (page->start + at == page->skip_start) {
            at = page->skip_end - page->start;
            continue;
        }
        v8_word word = pm_load_u64(base + at);
        const struct v8_map *map = v8_is_strong(word) ? v8_map_at(v8, v8_untag(word)) : NULL;
        if (!map) {
            at += 8;
            continue;
        }
        uint64_t size = 0;
        if (map->type == V8_T_OTHER && !map->fixed_size) recognise_context(v8, page, map, page->start + at);
        if (map->fixed_size || map->type == V8_T_STRING) {
            struct v8_size_rule rule = v8->layout.size_of[map->instance_type];
            size = v8_object_size(v8, map, &rule, base + at, left - at);
        } else {
            size_t count;
            const struct v8_size_variant *rules = v8_size_variants((enum v8_type)map->type, &count);
            struct rule_points *row = &points[map->instance_type];
            row->samples++;
            for (unsigned i = 0; i < count && i < 10; i++) {
                uint64_t guess = v8_object_size(v8, map, &rules[i].rule, base + at, left - at);
                if (guess >= 8 && (guess & 7) == 0 && guess <= left - at && behind_is_object(v8, page, page->start + at + guess))
                    row->points[i]++;
            }
            size = v8_object_size(v8, map, &rules[best_rule(&v8->layout, row, rules, count)].rule, base + at, left - at);
        }
        at += size >= 8 && (size & 7) == 0 && size <= left - at ? size : 8;
    }
}

/* The first pages of the main isolate's spaces hold what the start-up snapshot and the program's modules brought: code, bytecode,
 * feedback, one of everything. */
static void sample_first_pages(struct finder *f, struct rule_points *points) {
    struct v8 *v8 = f->v8;
    const struct v8_layout *layout = &v8->layout;
    for (size_t i = 0; i < v8->page_count; i++) {
        struct v8_page *page = &v8->pages[i], *before;
        pm_addr header, prev, start;
        if (page->isolate != 0 || !page->live || page->large || !layout->chunk_list_prev.present ||
            !chunk_header(f, page->chunk, layout->has_metadata, layout->chunk_metadata, &header) ||
            !u64(f, header + layout->chunk_list_prev.offset, &prev))
            continue;
        before = plausible_pointer(prev) && u64(f, prev + layout->chunk_area_start.offset, &start) ? page_at(v8, start) : NULL;
        if (before && before->space == page->space) continue;
        for (unsigned k = 0; page && k < 24; k++) {
            if (page->live) sample_page(v8, page, points);
            page = next_page(f, page);
        }
    }
}

/* Takes the best shapes; true = one is not what it was. */
static bool adopt_rules(struct v8_layout *layout, const struct rule_points *points) {
    bool changed = false;
    for (unsigned type = layout->first_nonstring; type < V8_MAX_INSTANCE_TYPE; type++) {
        size_t count;
        const struct v8_size_variant *variants = v8_size_variants((enum v8_type)layout->type_of[type], &count);
        if (!points[type].samples) continue;
        struct v8_size_rule best = variants[best_rule(layout, &points[type], variants, count)].rule;
        changed |= memcmp(&best, &layout->size_of[type], sizeof(best)) != 0;
        layout->size_of[type] = best;
    }
    return changed;
}

bool v8_relearn_sizes(struct v8 *v8, const uint32_t *pages, size_t count) {
    struct rule_points *points = calloc(V8_MAX_INSTANCE_TYPE, sizeof(*points));
    if (!points) return false;
    for (size_t i = 0; i < count && i < SAMPLE_PAGES; i++) sample_page(v8, &v8->pages[pages[i]], points);
    bool changed = adopt_rules(&v8->layout, points);
    free(points);
    if (changed) v8_map_table_refresh(v8->maps, v8);
    return changed;
}

static struct pm_error *find_size_rules(struct finder *f) {
    struct v8 *v8 = f->v8;
    struct v8_layout *layout = &v8->layout;
    struct rule_points *points = calloc(V8_MAX_INSTANCE_TYPE, sizeof(*points));
    if (!points) return pm_error_nomem();
    static const uint32_t alignments[] = {64, 32};
    int64_t header;
    /* Pages of every space: the rare types (code, bytecode, feedback) live in few of them. */
    size_t per_space[V8_SPACE_COUNT] = {0}, taken[V8_SPACE_COUNT] = {0};
    for (size_t i = 0; i < v8->page_count; i++) per_space[v8->pages[i].space]++;
    uint64_t code_good[2] = {0};
    for (unsigned a = 0; a < 2; a++) { /* the alignment of code first: it decides where code pages go on */
        struct rule_points *trial = calloc(V8_MAX_INSTANCE_TYPE, sizeof(*trial));
        if (!trial) break;
        layout->code_alignment = alignments[a];
        unsigned pages = 0;
        for (size_t i = 0; i < v8->page_count && pages < 8; i++)
            if (v8->pages[i].live && v8->pages[i].space == V8_SPACE_CODE) sample_page(v8, &v8->pages[i], trial), pages++;
        const uint16_t code_types[] = {layout->number_of[V8_T_CODE], layout->number_of[V8_T_INSTRUCTION_STREAM]};
        for (unsigned t = 0; t < 2; t++) {
            const struct rule_points *row = &trial[code_types[t]];
            if (code_types[t] && row->samples)
                code_good[a] += 1000ull * (row->points[0] > row->points[1] ? row->points[0] : row->points[1]) / row->samples;
        }
        free(trial);
    }
    layout->code_alignment = code_good[1] > code_good[0] ? 32 : 64;
    sample_first_pages(f, points);
    for (size_t i = 0; i < v8->page_count; i++) {
        const struct v8_page *page = &v8->pages[i];
        size_t wanted = page->space == V8_SPACE_OLD || page->space == V8_SPACE_NEW ? 64 : 32;
        size_t step = per_space[page->space] / wanted + 1;
        if (!page->live || taken[page->space]++ % step) continue;
        sample_page(v8, page, points);
    }
    adopt_rules(layout, points);
    free(points);
    /* What the binary says of headers outweighs the samples, where a type is rare. */
    uint16_t bytecode = layout->number_of[V8_T_BYTECODE_ARRAY];
    if (bytecode && v8_facts_class_field(v8->facts, "BytecodeArray", "data", &header) && header >= 40 && header <= 128)
        layout->size_of[bytecode].base = (uint32_t)header;
    v8_map_table_refresh(v8->maps, v8);
    return NULL;
}

/* ---- the thread's entry into JavaScript ---- */

static void find_entry(struct finder *f) {
    struct v8_layout *layout = &f->v8->layout;
    struct v8_entry_offsets entry = v8_facts_entry(f->v8->facts);
    layout->root_register_bias = layout->machine == PM_MACHINE_X86_64 ? 0x80 : 0x100; /* kRootRegisterBias of the two ports */
    if (entry.c_entry_fp) {
        layout->c_entry_fp = entry.c_entry_fp + layout->root_register_bias;
        layout->context = entry.context + layout->root_register_bias;
        layout->js_entry_sp = entry.js_entry_sp + layout->root_register_bias;
        layout->origin_c_entry_fp = V8_PUBLISHED;
    }
}

/* Without the code of JSEntry: c_entry_fp is the one word of the isolate that points into a thread's stack and from which frame
 * pointers lead through frames with type markers to an entry frame. */
static bool reaches_entry(const struct finder *f, pm_addr fp, int64_t entry, int64_t construct_entry, pm_addr limit) {
    for (unsigned guard = 0; guard < 2000 && plausible_pointer(fp) && fp < limit; guard++) {
        uint64_t marker, next;
        if (!u64(f, fp - 8, &marker) || !u64(f, fp, &next)) return false;
        if (guard == 0 && (marker & 1)) return false; /* an exit frame has a marker */
        if ((int64_t)marker == entry << 1 || (int64_t)marker == construct_entry << 1) return guard > 0;
        if (next <= fp) return false;
        fp = next;
    }
    return false;
}

static void find_entry_by_content(struct finder *f) {
    struct v8 *v8 = f->v8;
    int64_t entry = 1, construct_entry = 2;
    if (v8->layout.c_entry_fp) return;
    v8_facts_constant(v8->facts, "frametype_EntryFrame", &entry);
    v8_facts_constant(v8->facts, "frametype_ConstructEntryFrame", &construct_entry);
    for (size_t i = 0; i < v8->isolate_count; i++) {
        const struct v8_isolate *isolate = &v8->isolates[i];
        for (uint32_t offset = 0x80; offset < v8->layout.heap_in_isolate + 0x4000; offset += 8) {
            uint64_t fp;
            if (!u64(f, isolate->address + offset, &fp) || !plausible_pointer(fp)) continue;
            for (size_t t = 0; t < pm_core_thread_count(v8->core); t++) {
                const struct pm_core_thread *thread = pm_core_thread(v8->core, t);
                pm_addr sp = thread->regs.value[v8->layout.machine == PM_MACHINE_X86_64 ? 7 : 31];
                const struct pm_mem_range *stack = pm_mem_find(f->mem, sp);
                if (!stack || fp < sp || fp >= stack->end || !reaches_entry(f, fp, entry, construct_entry, stack->end)) continue;
                v8->layout.c_entry_fp = offset;
                v8->layout.origin_c_entry_fp = V8_DISCOVERED;
                return;
            }
        }
    }
}

struct pm_error *v8_discover(struct v8 *v8) {
    struct finder *f = calloc(1, sizeof(*f));
    struct pm_error *err;
    if (!f) return pm_error_nomem();
    f->v8 = v8;
    f->mem = v8->mem;
    v8->layout.machine = pm_core_info(v8->core)->machine;
    snprintf(v8->layout.v8_version, sizeof(v8->layout.v8_version), "%s",
             v8_facts_v8_version(v8->facts) ? v8_facts_v8_version(v8->facts) : "");
    snprintf(v8->layout.node_version, sizeof(v8->layout.node_version), "%s",
             v8_facts_node_version(v8->facts) ? v8_facts_node_version(v8->facts) : "");
    err = collect_aligned(f);
    if (!err) err = find_chunk_form(f);
    if (!err) err = collect_chunks(f);
    if (!err) err = find_area(f);
    if (!err) err = collect_heaps(f);
    if (!err) err = find_isolate_offset(f);
    if (!err) err = find_roots(f);
    if (!err) err = collect_isolates(f);
    if (!err) err = find_types(f);
    if (!err) err = collect_pages(f);
    if (!err) {
        order_isolates(f);
        find_gc_state(f);
        find_limits(f);
        find_space_array(f, f->chunks.items, f->chunks.count);
        find_links(f);
        err = find_labs(f);
    }
    if (!err) err = find_size_rules(f);
    if (!err) {
        find_entry(f);
        find_entry_by_content(f);
    }
    pm_vec_deinit(&f->aligned);
    pm_vec_deinit(&f->chunks);
    free(f);
    return err;
}
