/* report_thresholds.h - every number that decides whether something in a report or a pod is told, with where
 * it comes from. Sizes are bytes. */
#ifndef PM_DETECT_REPORT_THRESHOLDS_H
#define PM_DETECT_REPORT_THRESHOLDS_H

#define PM_MB 1000000ull

/* ---- memory ---- */
#define PM_HEAP_NEAR_LIMIT 0.85 /* V8 collects without a pause from about there on */
#define PM_OVERSIZED_FILL                                                                                    \
    0.60 /* out of memory with a heap that is not even this full: one allocation was too large */
#define PM_SPACE_OF_LIMIT   0.50 /* the space that holds more of what is used is the one that is full */
#define PM_CONTAINER_FULL   0.90 /* of the limit: page cache and the next peak take the rest */
#define PM_CONTAINER_HEAP   0.90 /* a heap limit above leaves no room for what is outside the heap */
#define PM_CONTAINER_UNUSED 0.50 /* a heap limit below wastes the container */
#define PM_CONTAINER_ADVICE 0.75 /* what Node's documentation gives as an example: 1,536 of 2,048 MB */
#define PM_EXTERNAL_LEAST   (64 * PM_MB)
#define PM_NATIVE_LEAST     (100 * PM_MB)
#define PM_NATIVE_SHARE     0.40 /* of the resident memory */
#define PM_NATIVE_USUAL                                                                                      \
    (60 * PM_MB) /* resident beside the heap in an idle Node 14 to 26: 35 to 60 MB, binary and libraries */
#define PM_CONTEXTS_SOME   9 /* native contexts: the main one, and a test runner's */
#define PM_CONTEXTS_MANY   50
#define PM_HANDLES_MEMORY  (8 * PM_MB)  /* global handles have 32 bytes each: 250,000 of them */
#define PM_CODE_MEMORY     (64 * PM_MB) /* a large server has 10 to 20 */
#define PM_MALLOCED_MEMORY (64 * PM_MB) /* V8's own: zones of compiler, parser and regular expressions */
#define PM_PEAK_RATIO      2.0          /* resident memory was once this much more */
#define PM_PEAK_LEAST      (200 * PM_MB)
#define PM_HOST_FREE       0.05 /* of the machine's memory */

/* ---- growth between two reports ---- */
#define PM_GROWTH_SHARE   0.20 /* more than a garbage collection makes */
#define PM_GROWTH_BYTES   (double)(10 * PM_MB)
#define PM_GROWTH_HANDLES 20.0

/* ---- time ---- */
#define PM_CPU_SATURATED                                                                                     \
    90.0 /* percent of one core, mean since the start: rtk warns from 50, which a busy server has */
#define PM_CPU_LEAST_SECONDS  2.0  /* below, starting up is all there was */
#define PM_OTHER_CPU_PERCENT  25.0 /* of a core, beside the loop's thread; a small container has a quarter */
#define PM_OTHER_CPU_SHARE    0.60
#define PM_IDLE_SHARE         0.75 /* of the life of the process, waiting in the loop */
#define PM_IDLE_LEAST_SECONDS 3.0
#define PM_BUSY_IDLE_SHARE    0.05 /* hardly ever waiting: clinic doctor warns at a utilisation of 95 % */
#define PM_BUSY_CPU           25.0 /* percent: less, and it may have waited without libuv counting it (a signal) */
#define PM_IDLE_CPU           10.0  /* percent: such a process waits, whatever it waits for */
#define PM_OVERDUE_MS         100.0 /* clinic doctor: a delay of 100 ms is bad */
#define PM_OVERDUE_LONG_MS    1000.0
#define PM_FAR_TIMER_MS       86400000.0

/* ---- handles ---- */
#define PM_CONNECTIONS_SOME  100  /* to one peer; Node's own agents have no limit by default */
#define PM_CONNECTIONS_MANY  1000 /* memlab's threshold for sockets */
#define PM_HANDLES_SOME      100  /* of one kind */
#define PM_HANDLES_MANY      1000
#define PM_CHILDREN_SOME     20
#define PM_WRITE_QUEUE       (1 * PM_MB) /* the usual high-water mark is 16 to 64 KB */
#define PM_WRITE_QUEUE_LARGE (16 * PM_MB)
#define PM_FILES_NEAR_LIMIT  0.80

/* ---- process and system ---- */
#define PM_WORKERS_SOME 8
#define PM_FAULTS_LEAST                                                                                      \
    1000 /* page faults that needed the disk; starting from a cold disk costs some hundred */
#define PM_FAULTS_PER_SECOND 100.0
#define PM_RESTARTS_SOME     5

#endif
