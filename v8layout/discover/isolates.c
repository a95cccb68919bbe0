#include "v8layout/discover/finder.h"

#include "postmortem/base/checked.h"

#include <string.h>

/* ---- isolates ---- */

static const struct pm_core_thread *main_thread(const struct pm_core *core) {
    const struct pm_core_info *info = pm_core_info(core);
    for (size_t i = 0; i < pm_core_thread_count(core); i++)
        if (pm_core_thread(core, i)->tid == info->pid) return pm_core_thread(core, i);
    return pm_core_thread_count(core) == 1 ? pm_core_thread(core, 0) : NULL;
}

struct pm_error *v8_collect_isolates(struct v8_finder *f) {
    struct v8 *v8 = f->v8;
    const struct v8_layout *layout = &v8->layout;
    v8->isolates = calloc(f->heap_count, sizeof(*v8->isolates));
    if (!v8->isolates) return pm_error_nomem();
    size_t meta_index = v8_root_index(layout, "meta_map");
    for (size_t i = 0; i < f->heap_count; i++) {
        pm_addr isolate = f->heaps[i] - layout->heap_in_isolate;
        v8_word meta;
        /* Isolates share one read-only heap, and so one meta map; in V8 9 each has its own. Without a meta
         * map that describes itself these are the remains of an isolate that is gone. */
        if (meta_index != SIZE_MAX &&
            (!v8_finder_u64(f, isolate + layout->roots_table + 8 * meta_index, &meta) ||
             !v8_is_strong(meta) || !v8_has_map(f, meta, v8_untag(meta))))
            continue;
        v8->isolates[v8->isolate_count++] = (struct v8_isolate){.address = isolate,
                                                                .heap = f->heaps[i],
                                                                .max_old_generation = UINT64_MAX,
                                                                .max_semi_space = UINT64_MAX};
    }
    if (!v8->isolate_count) return pm_error_create(PM_ERR_LAYOUT, "no V8 isolate has a valid roots table");
    f->heaps[0] = v8->isolates[0].heap;
    return NULL;
}

/* The main isolate first: the one of the main thread, else the one with most pages. */
void v8_order_isolates(struct v8_finder *f) {
    struct v8 *v8 = f->v8;
    const struct pm_core_thread *thread = main_thread(v8->core);
    pm_addr current = thread ? v8_facts_thread_isolate(v8->facts, thread) : 0;
    size_t first = SIZE_MAX, most = 0;
    for (size_t i = 0; i < v8->isolate_count; i++) {
        if (v8->isolates[i].address == current && current) first = i;
        if (v8->isolates[i].page_count > v8->isolates[most].page_count) most = i;
    }
    if (first == SIZE_MAX) { /* the malloc heap of the main thread is [heap]; its isolate is allocated first
                                and lowest */
        first = most;
        for (size_t i = 0; i < v8->isolate_count; i++)
            if (v8->isolates[i].address < v8->isolates[first].address && v8->isolates[first].address >> 40)
                first = i;
    }
    if (!first) return;
    struct v8_isolate swap = v8->isolates[0];
    v8->isolates[0] = v8->isolates[first];
    v8->isolates[first] = swap;
    for (size_t i = 0; i < v8->page_count; i++) {
        if (v8->pages[i].isolate == 0)
            v8->pages[i].isolate = (uint32_t)first;
        else if (v8->pages[i].isolate == first)
            v8->pages[i].isolate = 0;
    }
    f->heaps[0] = v8->isolates[0].heap;
}
