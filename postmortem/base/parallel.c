#include "postmortem/base/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#define MAX_WORKERS 64

struct job {
    atomic_size_t next;
    size_t count;
    pm_parallel_item *run;
    void *context;
};

struct worker {
    struct job *job;
    unsigned index;
};

unsigned pm_parallel_workers(void) {
    const char *wanted = getenv("PM_THREADS");
    long count = wanted ? strtol(wanted, NULL, 10) : 0;
    if (count <= 0) {
        cpu_set_t set;
        count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
    }
    if (count < 1) count = 1;
    return count > MAX_WORKERS ? MAX_WORKERS : (unsigned)count;
}

static void *work(void *argument) {
    struct worker *worker = argument;
    struct job *job = worker->job;
    for (;;) {
        size_t item = atomic_fetch_add_explicit(&job->next, 1, memory_order_relaxed);
        if (item >= job->count) return NULL;
        job->run(job->context, item, worker->index);
    }
}

void pm_parallel_run(size_t count, pm_parallel_item *run, void *context) {
    struct job job = {.count = count, .run = run, .context = context};
    struct worker workers[MAX_WORKERS];
    pthread_t threads[MAX_WORKERS];
    unsigned wanted = pm_parallel_workers(), started = 1;
    if (wanted > count) wanted = count ? (unsigned)count : 1;
    workers[0] = (struct worker){&job, 0};
    while (started < wanted) {
        workers[started] = (struct worker){&job, started};
        if (pthread_create(&threads[started], NULL, work, &workers[started]) != 0) break;
        started++;
    }
    work(&workers[0]);
    for (unsigned i = 1; i < started; i++) pthread_join(threads[i], NULL);
}
