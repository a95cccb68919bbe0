/* gc_series.h - collects rows of collections, whatever their number: the last ones whole, older ones as an
 * even sample, full collections and others apart (one full collection comes with hundreds of scavenges). */
#ifndef PM_PARSERS_GC_SERIES_H
#define PM_PARSERS_GC_SERIES_H

#include "parsers/gc_row.h"
#include "postmortem/base/vec.h"

#define PM_GC_ROWS   4096 /* of each kind: a plot has no more pixels */
#define PM_GC_SERIES 256  /* isolates and restarts in one log */

/* Keeps at most PM_GC_ROWS: when it is full every second one goes, and only every second one comes in. */
struct pm_gc_sample {
    struct pm_gc_row *rows;
    size_t count;
    uint64_t seen, step;
};

struct pm_gc_collector {
    struct pm_gc_series series;
    struct pm_gc_sample full, others;
    struct pm_gc_row last; /* the newest row, whether it is in a sample or not */
    double allocated, allocated_ms;
    uint64_t death; /* the last words in which it was, 0 = none */
};

struct pm_gc_collectors {
    struct pm_arena *arena; /* borrowed */
    PM_VEC(struct pm_gc_collector) list;
    PM_VEC(const char *) reasons;
    uint64_t deaths;  /* "Last few GCs" seen so far: the caller counts them */
    uint64_t dropped; /* rows of series beyond the limit */
};

void pm_gc_collectors_deinit(struct pm_gc_collectors *all);
/* dying: printed by V8 when it gave up ("Last few GCs"), so it may repeat what was there. */
struct pm_error *pm_gc_collect(struct pm_gc_collectors *all, const struct pm_gc_row_text *text, bool dying);
/* The series of a process and isolate; NULL = none. The newest, when there are several. */
struct pm_gc_series *pm_gc_series_of(struct pm_gc_collectors *all, uint64_t pid, pm_addr isolate);
/* Hands the series over, in the order of struct pm_gc_log, rows and derived numbers filled. */
struct pm_error *pm_gc_collectors_finish(struct pm_gc_collectors *all, struct pm_gc_log *log);

/* The rows of a short text, such as V8's own ring buffer in a core, as one series: that of the last row.
 * NULL = the text has none. */
struct pm_error *pm_gc_series_of_text(struct pm_arena *arena, const char *text, struct pm_gc_series **ret);

#endif
