/* graph.h - the heap graph of one isolate of a core (model/heap_graph.h): nodes from the walk, references of
 * every object type, roots. Unreachable objects are nodes too. */
#ifndef PM_V8LAYOUT_GRAPH_H
#define PM_V8LAYOUT_GRAPH_H

#include "postmortem/model/heap_graph.h"
#include "v8layout/heap.h"

/* The graph borrows v8, which must outlive it. */
struct pm_error *v8_graph_create(const struct v8 *v8, uint32_t isolate, struct pm_graph **ret);

#endif
