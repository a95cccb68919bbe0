/* What keeps the memory alive: the graph of the isolate that matters, dominators, findings. */
#include "postmortem/detect/accumulation.h"
#include "postmortem/run.h"
#include "v8layout/graph.h"

#include <stdlib.h>

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

static struct pm_error *analyse(struct pm_session *session, size_t index, struct pm_graph *graph) {
    struct pm_dominators *dominators PM_AUTO(dominators) = NULL;
    struct pm_dominator_children *children PM_AUTO(dominator_children) = NULL;
    pm_session_say(session, "computing retained sizes");
    PM_TRY(pm_dominators_create(graph, &dominators));
    PM_TRY(pm_dominator_children_create(graph, dominators, &children));
    if (index < session->diagnosis->isolate_count) {
        struct pm_isolate *isolate = &session->diagnosis->isolates[index];
        isolate->reachable_objects = dominators->reachable - 1; /* without the root */
        isolate->reachable_bytes = dominators->reachable_bytes;
    }
    struct pm_heap_view view = {.graph = graph, .dominators = dominators, .children = children};
    pm_session_say(session, "looking for leaks");
    return pm_detect_accumulation(session->diagnosis, &view);
}

struct pm_error *pm_session_leaks(struct pm_session *session) {
    struct pm_graph *graph PM_AUTO(graph) = NULL;
    if (!session->v8) return NULL;
    size_t index = isolate_at_fault(session);
    pm_session_say(session, "reading the references");
    PM_TRY(v8_graph_create(session->v8, (uint32_t)index, &graph));
    return analyse(session, index, graph);
}
