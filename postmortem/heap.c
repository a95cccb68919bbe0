/* What keeps the memory alive: the graph of the isolate that matters, or of a snapshot, with its dominators.
 */
#include "parsers/heap_snapshot.h"
#include "postmortem/model/heap_rows.h"
#include "postmortem/run.h"
#include "v8layout/graph.h"

/* The isolate whose thread died; else the main one. */
static size_t isolate_at_fault(const struct pm_session *session) {
    const struct pm_diagnosis *diagnosis = session->diagnosis;
    for (size_t t = 0; t < diagnosis->thread_count; t++)
        for (size_t i = 0; i < session->v8->isolate_count; i++)
            if (diagnosis->threads[t].crashed && diagnosis->threads[t].isolate &&
                diagnosis->threads[t].isolate == session->v8->isolates[i].address)
                return i;
    return 0;
}

static struct pm_error *read_graph(struct pm_session *session) {
    session->graph_isolate = SIZE_MAX;
    if (session->v8) {
        session->graph_isolate = isolate_at_fault(session);
        pm_session_say(session, "reading the references");
        return v8_graph_create(session->v8, (uint32_t)session->graph_isolate, &session->graph);
    }
    if (!session->snapshot) return NULL;
    struct pm_snapshot_facts facts;
    pm_session_say(session, "reading the heap snapshot");
    PM_TRY(pm_heap_snapshot_read(session->snapshot, &session->graph, &facts));
    pm_heap_snapshot_coverage(&facts, session->diagnosis);
    return NULL;
}

/* A snapshot has an isolate, too: what it says of it. */
static struct pm_error *snapshot_isolate(struct pm_session *session) {
    struct pm_diagnosis *diagnosis = session->diagnosis;
    const struct pm_graph *graph = session->graph;
    struct pm_isolate *isolate = pm_arena_alloc(diagnosis->arena, sizeof(*isolate));
    if (!isolate) return pm_error_nomem();
    *isolate = (struct pm_isolate){
        .is_snapshot = true,
        .is_main = true,
        .tid = PM_UNKNOWN,
        .gc_state = PM_UNKNOWN,
        .array_buffer_bytes = PM_UNKNOWN,
        .external_bytes = PM_UNKNOWN,
        .external_string_bytes = PM_UNKNOWN,
        .max_old_generation = PM_UNKNOWN,
        .max_semi_space = PM_UNKNOWN,
        .heap_limit = PM_UNKNOWN,
        .unparsed_bytes = PM_UNKNOWN,
        .free_bytes = PM_UNKNOWN,
        .objects = graph->node_count - 1,
    };
    for (pm_node node = 1; node < graph->node_count; node++)
        isolate->object_bytes += pm_graph_shallow(graph, node);
    diagnosis->isolates = isolate;
    diagnosis->isolate_count = 1;
    diagnosis->has_isolates = true;
    diagnosis->objects_by_id = true;
    session->graph_isolate = 0;
    return NULL;
}

/* The rows of the isolate that the graph is of. */
static struct pm_error *fill_isolate(struct pm_session *session) {
    struct pm_diagnosis *diagnosis = session->diagnosis;
    struct pm_heap_tree tree = {session->graph, session->dominators, session->children};
    struct pm_tree_cut cut = PM_USUAL_TREE_CUT;
    if (session->graph->from_snapshot && !diagnosis->isolate_count) PM_TRY(snapshot_isolate(session));
    if (session->graph_isolate >= diagnosis->isolate_count) return NULL;
    struct pm_isolate *isolate = &diagnosis->isolates[session->graph_isolate];
    isolate->reachable_objects = session->dominators->reachable - 1; /* without the root */
    isolate->reachable_bytes = session->dominators->reachable_bytes;
    isolate->unreachable_objects = session->graph->node_count - session->dominators->reachable;
    isolate->unreachable_bytes = session->dominators->unreachable_bytes;
    if (isolate->is_snapshot) {
        diagnosis->read_objects = isolate->objects;
        PM_TRY(pm_class_rows(&tree, diagnosis->arena, &isolate->histogram, &isolate->histogram_count));
        diagnosis->has_histogram = true;
    } else {
        PM_TRY(pm_class_rows_retained(&tree, isolate->histogram, isolate->histogram_count));
    }
    return pm_dominator_rows(&tree, &cut, diagnosis->arena, isolate);
}

struct pm_error *pm_session_graph(struct pm_session *session) {
    if (session->children) return NULL;
    if (!session->graph) PM_TRY(read_graph(session));
    if (!session->graph) return NULL;
    pm_session_say(session, "computing retained sizes");
    if (!session->dominators) PM_TRY(pm_dominators_create(session->graph, &session->dominators));
    PM_TRY(pm_dominator_children_create(session->graph, session->dominators, &session->children));
    return fill_isolate(session);
}

bool pm_session_view(const struct pm_session *session, struct pm_heap_view *ret) {
    if (!session->children) return false;
    *ret = (struct pm_heap_view){
        .graph = session->graph, .dominators = session->dominators, .children = session->children};
    return true;
}
