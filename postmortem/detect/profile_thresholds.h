/* profile_thresholds.h - every number that decides whether something in a profile or a log is told, with
 * where it comes from. */
#ifndef PM_DETECT_PROFILE_THRESHOLDS_H
#define PM_DETECT_PROFILE_THRESHOLDS_H

/* ---- heap profiles ---- */
#define PM_SITE_SHARE      0.10 /* of what is live: MAT's threshold of a suspect */
#define PM_SITE_HIGH_SHARE 0.30
#define PM_SITE_LEAST      2000000  /* bytes: below, nobody's memory is full */
#define PM_SITE_LARGE      20000000 /* a fifth of the smallest usual limits (100 MB) */
#define PM_MAX_SITES       3
#define PM_FEW_SAMPLES     10 /* the error of a share is about 1 / sqrt(n): 30 % */
#define PM_SOME_SAMPLES    50 /* 14 % */

/* ---- CPU profiles ---- */
#define PM_HOT_SHARE      0.20 /* of the time that was not waiting */
#define PM_HOT_HIGH_SHARE 0.60
#define PM_HOT_LEAST_US   20000 /* 20 samples at the usual distance */
#define PM_SYNC_SHARE     0.05
#define PM_GC_SHARE       0.15 /* of the busy time: V8's own aim is a mutator utilisation of 0.97 */
#define PM_GC_HIGH_SHARE  0.40
#define PM_TASK_MEDIUM_US 200000  /* clinic doctor: a delay of 100 ms is bad */
#define PM_TASK_HIGH_US   1000000 /* health checks of Kubernetes give up after 1 s by default */

/* ---- logs ---- */
#define PM_THRASH_MU                                                                                         \
    0.30 /* V8 gives up below 0.4 with a heap that frees nothing (Heap::kMutatorUtilizationThreshold) */
#define PM_THRASH_SHARE   0.50 /* of the last minute was pauses */
#define PM_BUSY_GC_SHARE  0.10
#define PM_THRASH_LEAST   4    /* full collections */
#define PM_TREND_FIT      0.60 /* R squared: a saw tooth has less */
#define PM_TREND_SOLID    0.85
#define PM_TREND_POINTS   10
#define PM_TREND_GROWTH   0.10 /* of the heap at the first point */
#define PM_TREND_LEAST_MB 5.0
#define PM_LONG_PAUSE_MS  500.0

#endif
