/* What keeps the memory alive: the graph of the isolate that matters, or of a snapshot, with its dominators.
 */
#include "parsers/heap_snapshot.h"
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

struct pm_error *pm_session_graph(struct pm_session *session) {
    struct pm_diagnosis *diagnosis = session->diagnosis;
    if (session->children) return NULL;
    if (!session->graph) PM_TRY(read_graph(session));
    if (!session->graph) return NULL;
    pm_session_say(session, "computing retained sizes");
    if (!session->dominators) PM_TRY(pm_dominators_create(session->graph, &session->dominators));
    PM_TRY(pm_dominator_children_create(session->graph, session->dominators, &session->children));
    if (session->graph_isolate < diagnosis->isolate_count) {
        struct pm_isolate *isolate = &diagnosis->isolates[session->graph_isolate];
        isolate->reachable_objects = session->dominators->reachable - 1; /* without the root */
        isolate->reachable_bytes = session->dominators->reachable_bytes;
    } else {
        diagnosis->read_objects = session->graph->node_count - 1;
    }
    return NULL;
}

bool pm_session_view(const struct pm_session *session, struct pm_heap_view *ret) {
    if (!session->children) return false;
    *ret = (struct pm_heap_view){
        .graph = session->graph, .dominators = session->dominators, .children = session->children};
    return true;
}
