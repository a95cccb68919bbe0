/* graph_weak.c - the references of an object that keep nothing alive. The graph has none of them: they are
 * read from the core when somebody asks.
 *
 *   weak tag      tag bits 11: shapes in feedback and transitions, what optimised code was made for ...
 *   custom weak   slots without the tag: the target of a WeakRef, target and token of a registration
 *   ephemerons    key and value of a WeakMap's entry, as seen from its table */
#include "postmortem/base/checked.h"
#include "v8layout/graph_source.h"
#include "v8layout/object_access.h"
#include "v8layout/references.h"

static bool is_weak(const struct v8_reference_range *range, uint64_t offset, v8_word word) {
    if ((word & 7) == 3) return offset < range->end;
    if ((word & 7) != 1) return false;
    return (offset >= range->weak_start && offset < range->weak_end) || offset >= range->end;
}

void v8_graph_weak_edges(const void *self, pm_node node, void (*visit)(void *context, pm_node to),
                         void *context) {
    const struct v8_graph_source *source = self;
    struct v8_thing thing;
    if (!v8_thing_load(source->v8, v8_graph_address_of(source, node), &thing)) return;
    const uint8_t *bytes = pm_mem_view(source->v8->mem, thing.address, thing.size);
    if (!bytes) return;
    struct v8_reference_range range = v8_reference_range(&source->v8->layout, thing.map, thing.size);
    uint64_t end = range.ephemerons ? thing.size & ~(uint64_t)7 : range.end;
    for (uint64_t offset = range.start; offset + 8 <= end; offset += 8) {
        v8_word word = pm_load_u64(bytes + offset);
        if (!is_weak(&range, offset, word)) continue;
        pm_node to = v8_graph_node_of(source, v8_target(source->v8, word));
        if (to != PM_NO_NODE) visit(context, to);
    }
}
