/* batch.h - many files in worker processes: a file that crashes or hangs the reader costs one row.
 *
 * Each worker takes the next file, diagnoses it as `postmortem diagnose FILE` would, and sends one row to the
 * parent through a pipe. A worker that dies (a signal, or the file's time is over, or it needs too much
 * memory) is replaced; the file it was at is a failed row. Output of earlier runs (`--format json`, of
 * diagnose or batch) is a file like any other: it is merged, not analysed again. */
#ifndef PM_BATCH_RUN_H
#define PM_BATCH_RUN_H

#include "postmortem/model/batch.h"
#include "postmortem/options.h"

/* Every file of `paths`, spread over the cores. FAILURE: no worker could be started. */
struct pm_error *pm_batch_run(const struct pm_options *options, const char *const *paths, size_t count,
                              pm_progress *progress, struct pm_batch *batch);

/* diagnosis->incident_*: what a batch needs to know of a run that it only reads the output of. */
void pm_batch_describe(struct pm_diagnosis *diagnosis);

/* Calls `add` for each row that one file gives; texts live until it returns. */
typedef void pm_batch_sink(void *context, const struct pm_batch_row *row);
void pm_batch_read(const struct pm_options *options, const char *path, pm_batch_sink *add, void *context);

#endif
