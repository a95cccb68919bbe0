/* discover.c - the layout of a V8 heap from nothing but a core (and what the binary publishes).
 *
 *   256 KiB aligned            Space                     Heap (inside Isolate)
 *   chunk header               +---------+               +----------------------+
 *   | flags, size, heap* ------+---------+-------------> | ...                  |
 *   | owner* ----------------> | +8 heap*|-------------> | gc_state, spaces,    |
 *   | area_start, area_end     | +16 id  |               | ReadOnlySpace* ...   |
 *   | objects ...              +---------+               +----------------------+
 *
 * 1. Chunks: of all 256 KiB aligned addresses take the header words, or the words of the metadata object that
 * the header points to (V8 12.9 and later). The offsets (h, o) for which word[h] == H and word[o] -> Space,
 * Space + 8 -> the same H, in most chunks, are Heap* and owner; each H is a heap of an isolate. Nothing else
 * in a process has that shape tens of times.
 * 2. Isolate: members of Isolate behind its Heap point back to it.
 * 3. Roots: the table whose meta_map is its own map, and whose *_map entries have that map.
 * 4. Instance types: published; roots name many of them again.
 * 5. Spaces by their pages' properties, allocation areas by shape, size rules by what stands behind an
 * object.
 *
 * Truth: src/heap/memory-chunk-layout.h, memory-chunk-metadata.h, mutable-page-metadata.h, src/heap/heap.h,
 * src/execution/isolate.h. Checked on V8 9.4 to 14.6, x86-64 and aarch64. */
#include "v8layout/discover/finder.h"

#include <stdio.h>

struct pm_error *v8_discover(struct v8 *v8) {
    struct v8_finder *f = calloc(1, sizeof(*f));
    struct pm_error *err;
    if (!f) return pm_error_nomem();
    f->v8 = v8;
    f->mem = v8->mem;
    v8->layout.machine = pm_core_info(v8->core)->machine;
    snprintf(v8->layout.v8_version, sizeof(v8->layout.v8_version), "%s",
             v8_facts_v8_version(v8->facts) ? v8_facts_v8_version(v8->facts) : "");
    snprintf(v8->layout.node_version, sizeof(v8->layout.node_version), "%s",
             v8_facts_node_version(v8->facts) ? v8_facts_node_version(v8->facts) : "");
    err = v8_collect_aligned(f);
    if (!err) err = v8_find_chunk_form(f);
    if (!err) err = v8_collect_chunks(f);
    if (!err) err = v8_find_area(f);
    if (!err) err = v8_collect_heaps(f);
    if (!err) err = v8_find_isolate_offset(f);
    if (!err) err = v8_find_roots(f);
    if (!err) err = v8_collect_isolates(f);
    if (!err) err = v8_find_types(f);
    if (!err) err = v8_collect_pages(f);
    if (!err) {
        v8_order_isolates(f);
        v8_find_gc_state(f);
        v8_find_limits(f);
        v8_find_space_array(f, f->chunks.items, f->chunks.count);
        v8_find_links(f);
        v8_drop_unlinked_pages(f);
        err = v8_find_labs(f);
    }
    if (!err) err = v8_find_size_rules(f);
    if (!err) {
        v8_find_entry(f);
        v8_find_entry_by_content(f);
    }
    pm_vec_deinit(&f->aligned);
    pm_vec_deinit(&f->chunks);
    free(f);
    return err;
}
