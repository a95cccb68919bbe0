#include "v8layout/discover/finder.h"

#include "postmortem/base/checked.h"

#include <string.h>

/* ---- roots ---- */

size_t v8_root_index(const struct v8_layout *layout, const char *name) {
    for (size_t i = 0; i < layout->roots_count; i++)
        if (strcmp(layout->root_names[i], name) == 0) return i;
    return SIZE_MAX;
}

bool v8_ends_with(const char *text, const char *tail) {
    size_t length = strlen(text), tail_length = strlen(tail);
    return length >= tail_length && strcmp(text + length - tail_length, tail) == 0;
}

/* Is the word the tagged address of a map whose own map is `meta`? */
bool v8_has_map(const struct v8_finder *f, v8_word word, pm_addr meta) {
    uint64_t map;
    return v8_is_strong(word) && v8_finder_u64(f, v8_untag(word), &map) && map == v8_tag(meta);
}

/* The share of *_map roots that are maps when the table begins at `offset`; the meta map must describe
 * itself. */
static double roots_fit(const struct v8_finder *f, pm_addr isolate, uint32_t offset, size_t meta_index,
                        pm_addr *meta_ret) {
    const struct v8_layout *layout = &f->v8->layout;
    v8_word meta, word;
    unsigned maps = 0, fit = 0;
    if (!v8_finder_u64(f, isolate + offset + 8 * meta_index, &meta) || !v8_has_map(f, meta, v8_untag(meta)))
        return 0;
    for (uint32_t i = 0; i < layout->roots_count; i++) {
        if (!v8_ends_with(layout->root_names[i], "_map")) continue;
        maps++;
        fit += v8_finder_u64(f, isolate + offset + 8 * (uint64_t)i, &word) &&
               v8_has_map(f, word, v8_untag(meta));
    }
    *meta_ret = v8_untag(meta);
    return maps ? (double)fit / maps : 0;
}

/* Without names: the self-describing map that most words in the isolate's first 32 KiB lead to. */
static pm_addr meta_map_by_content(const struct v8_finder *f, pm_addr isolate) {
    struct v8_votes votes = {0};
    for (uint32_t offset = 0x40; offset < 0x8000; offset += 8) {
        v8_word word, map;
        if (v8_finder_u64(f, isolate + offset, &word) && v8_is_strong(word) &&
            v8_finder_u64(f, v8_untag(word), &map) && v8_is_strong(map) && v8_has_map(f, map, v8_untag(map)))
            v8_vote(&votes, v8_untag(map));
    }
    unsigned best = 0;
    for (unsigned i = 1; i < V8_MAX_VALUES; i++)
        if (votes.votes[i] > votes.votes[best]) best = i;
    return votes.votes[best] >= 50 ? votes.value[best] : 0;
}

struct pm_error *v8_find_roots(struct v8_finder *f) {
    struct v8 *v8 = f->v8;
    struct v8_layout *layout = &v8->layout;
    uint16_t type;
    layout->roots_count = (uint32_t)v8_facts_root_count(v8->facts);
    layout->root_names = v8_facts_root_names(v8->facts);
    double best = 0;
    size_t meta_index = v8_root_index(layout, "meta_map");
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
            return pm_error_hint(
                pm_error_create(PM_ERR_LAYOUT,
                                "the V8 roots table was not found: at best %.0f %% of its maps are maps",
                                best * 100),
                "The binary is of another Node.js version than the core: give the right one with --exe.");
        layout->roots_count = 0;
        layout->root_names = NULL;
        for (size_t i = 0; i < f->heap_count && !v8->meta_map; i++)
            v8->meta_map = meta_map_by_content(f, f->heaps[i] - layout->heap_in_isolate);
        if (!v8->meta_map)
            return pm_error_create(PM_ERR_LAYOUT, "the V8 roots were not found: no map describes itself");
    }
    if (!pm_mem_u16(f->mem, v8->meta_map + 12, &type) || type < 64 || type >= V8_MAX_INSTANCE_TYPE)
        return pm_error_create(PM_ERR_LAYOUT, "the V8 meta map has no instance type");
    f->map_type = type;
    return NULL;
}
