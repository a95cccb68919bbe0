#include <string.h>

#include "parsers/heap_snapshot_source.h"

/* heap_snapshot_roots.c - roots that do not last.
 *
 * A snapshot has root -> (GC roots) -> (Stack roots) -> what the stack holds. What hangs from a stack or a
 * handle scope there would be owned by it in part, although it is only at hand while the snapshot is written.
 * The graph has a place for such references: the first edges of the root, which count only where nothing else
 * does (pm_graph.transient_roots). So the edges of these groups are lifted to the root, and the groups have
 * none any more. The file still has them where they were: pm_snapshot_seek() translates. */

#define SEARCHED 4096 /* groups of roots are among the first nodes of a file, right behind the root */

static bool is_transient(const struct pm_snapshot *snapshot, pm_node node) {
    struct pm_snapshot_node record;
    if (pm_snapshot_kind(snapshot, node) != PM_NODE_ROOT) return false;
    pm_snapshot_node_at(&snapshot->file, node, &record);
    struct pm_json_text name = pm_snapshot_string(&snapshot->file, record.name);
    return pm_json_is(name, "(Stack roots)") || pm_json_is(name, "(Handle scope)");
}

static void find_groups(struct pm_snapshot *snapshot) {
    const struct pm_graph *graph = snapshot->graph;
    for (pm_node node = 1; node < graph->node_count && node < SEARCHED; node++) {
        uint64_t first = graph->first_edge[node], count = graph->first_edge[node + 1] - first;
        if (count == 0 || snapshot->lifted_count == PM_SNAPSHOT_LIFTED || !is_transient(snapshot, node))
            continue;
        snapshot->lifted[snapshot->lifted_count++] = (struct pm_snapshot_lifted){node, first, count};
    }
}

struct pm_error *pm_snapshot_lift_roots(struct pm_snapshot *snapshot, struct pm_graph *graph) {
    find_groups(snapshot);
    if (snapshot->lifted_count == 0) return NULL;
    pm_node last = snapshot->lifted[snapshot->lifted_count - 1].node;
    uint64_t count = graph->first_edge[last + 1], done = 0, from = 0;
    pm_node *edges PM_AUTO_FREE = malloc(count * sizeof(*edges));
    if (!edges) return pm_error_nomem();
    memcpy(edges, graph->edges, count * sizeof(*edges));
    for (unsigned i = 0; i < snapshot->lifted_count; i++) {
        const struct pm_snapshot_lifted *group = &snapshot->lifted[i];
        memcpy(graph->edges + done, edges + group->first, group->count * sizeof(*edges));
        done += group->count;
    }
    graph->transient_roots = done;
    for (unsigned i = 0; i < snapshot->lifted_count; i++) { /* what was between them */
        const struct pm_snapshot_lifted *group = &snapshot->lifted[i];
        memcpy(graph->edges + done, edges + from, (group->first - from) * sizeof(*edges));
        done += group->first - from;
        from = group->first + group->count;
    }
    uint64_t moved = graph->transient_roots; /* edges that now stand in front and stood behind */
    for (pm_node node = 1, next = 0; node <= last; node++) {
        graph->first_edge[node] += moved;
        if (node == snapshot->lifted[next].node) moved -= snapshot->lifted[next++].count;
    }
    return NULL;
}

pm_node pm_snapshot_lifted_from(const struct pm_snapshot *snapshot, uint64_t edge) {
    for (unsigned i = 0; i < snapshot->lifted_count; i++) {
        if (edge < snapshot->lifted[i].count) return snapshot->lifted[i].node;
        edge -= snapshot->lifted[i].count;
    }
    return 0;
}

/* The number an edge of the graph would have if none had been lifted. */
static uint64_t original(const struct pm_snapshot *snapshot, uint64_t edge) {
    uint64_t number = edge - snapshot->graph->transient_roots;
    if (edge < snapshot->graph->transient_roots) { /* lifted itself */
        unsigned i = 0;
        for (; edge >= snapshot->lifted[i].count; i++) edge -= snapshot->lifted[i].count;
        return snapshot->lifted[i].first + edge;
    }
    for (unsigned i = 0; i < snapshot->lifted_count && number >= snapshot->lifted[i].first; i++)
        number += snapshot->lifted[i].count;
    return number;
}

void pm_snapshot_seek(const struct pm_snapshot *snapshot, pm_node node, uint64_t edge,
                      struct pm_snapshot_edges *ret) {
    const struct pm_graph *graph = snapshot->graph;
    uint64_t first = graph->first_edge[node];
    if (node == 0) first = graph->transient_roots;
    if (edge < graph->transient_roots) {
        node = pm_snapshot_lifted_from(snapshot, edge);
        pm_snapshot_edges_of(&snapshot->file, node, ret);
        for (unsigned i = 0; i < snapshot->lifted_count; i++)
            if (snapshot->lifted[i].node == node)
                pm_snapshot_edges_seek(ret, snapshot->lifted[i].first, original(snapshot, edge));
        return;
    }
    pm_snapshot_edges_of(&snapshot->file, node, ret);
    pm_snapshot_edges_seek(ret, original(snapshot, first), original(snapshot, edge));
}
