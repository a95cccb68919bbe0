/* heap_worker.h - is a heap that of a worker thread, and of which? */
#ifndef PM_HEAP_WORKER_H
#define PM_HEAP_WORKER_H

#include "postmortem/model/diagnosis.h"
#include "postmortem/model/heap_graph.h"

/* Fills isolate->worker when the graph is a worker's; leaves it alone when it is not, or cannot be told. */
struct pm_error *pm_heap_worker(const struct pm_graph *graph, struct pm_arena *arena,
                                struct pm_isolate *isolate);

#endif
