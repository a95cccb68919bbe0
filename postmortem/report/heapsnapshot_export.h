/* heapsnapshot_export.h - a heap graph as a .heapsnapshot, which Chrome DevTools and memlab load.
 *
 * The file has the form that V8 12 to 14 write: six fields for each node. It is written in one go along the
 * graph; memory is needed for the hashes of different strings only.
 *
 *   roots    root -> (GC roots) -> a group for each kind of root -> objects, and a shortcut from the root to
 * each native context, which is where DevTools counts distances from ids      those of the snapshot the graph
 * came from; for a core odd numbers made of the address, so that an object that did not move has the same id
 * in a second core of the same process sizes    shallow; memory outside the heap is a node `system /
 * JSArrayBufferData` behind the edge backing_store of its owner, as V8 has it; that of external strings is
 * part of the string missing  weak references, and positions of anything but functions
 *
 * FAILURE    out of memory, no room. */
#ifndef PM_REPORT_HEAPSNAPSHOT_EXPORT_H
#define PM_REPORT_HEAPSNAPSHOT_EXPORT_H

#include <stdio.h>

#include "postmortem/model/heap_graph.h"

/* spool_folder: for a temporary file of the size of all different strings; NULL = TMPDIR, /var/tmp or /tmp.
 */
struct pm_error *pm_heapsnapshot_write(const struct pm_graph *graph, FILE *out, const char *spool_folder);
/* The same into a file, which appears when it is complete. */
struct pm_error *pm_heapsnapshot_export(const struct pm_graph *graph, const char *path);

#endif
