/* parallel.h - runs independent pieces of work on all cores.
 *
 * Work is a range of items 0..count; workers take the next item when they are done with one, so uneven items
 * balance. */
#ifndef PM_BASE_PARALLEL_H
#define PM_BASE_PARALLEL_H

#include <stddef.h>

/* Called once per item; `worker` is in 0..pm_parallel_workers()-1 and no two calls with the same worker
 * overlap. */
typedef void pm_parallel_item(void *context, size_t item, unsigned worker);

/* Threads used by pm_parallel_run(): PM_THREADS of the environment, else the cores this process may use (1 to
 * 64). */
unsigned pm_parallel_workers(void);

/* Runs all items; returns when all are done. Cannot fail: where threads cannot be started the caller's thread
 * does the work. */
void pm_parallel_run(size_t count, pm_parallel_item *run, void *context);

#endif
