/* gc_log.h - what the text of a dead process says: its garbage collections and its last words.
 *
 * A log may hold several processes (restarts of a container) and isolates (workers): each has a series of its
 * own. Sizes are MB as V8 prints them (2^20 bytes), times ms of the process. NAN = not known.
 *
 * OWNERSHIP  everything in the diagnosis' arena. */
#ifndef PM_MODEL_GC_LOG_H
#define PM_MODEL_GC_LOG_H

#include "postmortem/model/diagnosis.h"

enum pm_gc_kind {
    PM_GC_SCAVENGE,
    PM_GC_MARK_COMPACT, /* Mark-sweep, Mark-Compact: the whole heap */
    PM_GC_MINOR,        /* Minor Mark-Sweep / Mark-Compact: the young generation */
};

struct pm_gc_row {
    double time;                      /* ms since the isolate started */
    double before, after;             /* MB of objects */
    double total_before, total_after; /* MB committed */
    double pause;                     /* ms the program stood still */
    double steps;                     /* ms of incremental marking before the pause */
    double mu_average, mu_current;    /* mutator utilisation, 0..1: how much of the time was the program's */
    enum pm_gc_kind kind;
    bool reduce;        /* "(reduce)": V8 saves memory */
    const char *reason; /* "allocation failure", "last resort" ...; NULL */
};

/* A straight line through the heap after full collections. */
struct pm_gc_trend {
    bool known;                   /* enough points */
    double slope;                 /* MB per minute */
    double slope_low, slope_high; /* 95 % interval */
    double fit;                   /* R squared, 0..1 */
    uint64_t points;
    double first, last; /* MB at both ends of the line's data */
    double minutes;     /* between them */
};

struct pm_gc_series {
    uint64_t pid;           /* PM_UNKNOWN */
    pm_addr isolate;        /* 0 = not printed (Node 14 prints it, trace_gc_nvp too) */
    struct pm_gc_row *rows; /* oldest first; when there were too many, older ones are a sample */
    size_t row_count;
    uint64_t seen; /* collections in the log */
    uint64_t scavenges, mark_compacts, minors;
    double pause_total, pause_longest; /* ms */
    double first_time, last_time;      /* ms */
    double gc_share;                   /* pause_total / (last_time - first_time); of the whole series */
    double gc_share_last;              /* of its last minute (or of all, when shorter) */
    double mu_average, mu_current;     /* the last ones printed */
    double utilisation_last;           /* 1 - gc_share_last */
    double allocation_rate;            /* MB per second between collections */
    double peak_before, peak_total;    /* MB */
    uint64_t external_bytes;           /* --trace-gc-verbose; PM_UNKNOWN */
    struct pm_gc_trend trend;
    double limit;            /* MB; NAN */
    const char *limit_from;  /* where it comes from, NULL */
    double minutes_to_limit; /* from the last row; NAN = no growth or no limit */
    uint64_t ineffective;    /* the last so many full collections in a row freed next to nothing */
    bool fatal;              /* its last rows were printed by a dying process */
};

/* An exception that ended the process, as Node prints it. */
struct pm_log_error {
    const char *name, *message; /* "TypeError", "x is not a function"; the message's first lines */
    const char *source;         /* the line of code above the caret; NULL */
    struct pm_position thrown;  /* of the "file:line" line above the code */
    struct pm_frame *frames;    /* innermost first */
    size_t frame_count;
    const char *cause_name, *cause_message; /* [cause]: NULL = none */
    struct pm_position cause;               /* its first frame */
    const char *code;                       /* "ECONNREFUSED"; NULL */
    bool rejection;                         /* an unhandled rejection */
};

struct pm_gc_log {
    size_t input;                /* index in diagnosis->inputs */
    struct pm_gc_series *series; /* the one that died first, then by number of collections */
    size_t series_count;
    /* last words */
    enum pm_death_kind death;       /* PM_DEATH_UNKNOWN = the log does not say */
    const char *fatal;              /* "FATAL ERROR: " line without these words, NULL */
    const char *location, *message; /* its two parts: "Reached heap limit", "Allocation failed - ..." */
    const char *worker_error;       /* ERR_WORKER_OUT_OF_MEMORY's message, NULL */
    struct pm_frame *native;        /* native stack trace, innermost first */
    size_t native_count;
    struct pm_frame *javascript; /* JS stacktrace */
    size_t javascript_count;
    struct pm_log_error *error; /* the last uncaught exception, NULL */
    uint64_t errors;            /* how many uncaught exceptions */
    uint64_t deaths;            /* FATAL ERROR lines: a container that restarts has several */
    uint64_t exit_code, signal; /* "exited with code 137", "Aborted (core dumped)"; PM_UNKNOWN */
    const char *node_version;   /* "Node.js v22.23.3"; without the v */
    uint64_t pid;               /* of the process that died; PM_UNKNOWN */
    /* how much of the text was of use */
    uint64_t lines, known_lines;
    const char *wrapping; /* "docker json", "kubernetes", "timestamps", NULL = plain */
};

/* A limit that another file of the incident knows: fills limit and minutes_to_limit of a series that has
 * none. */
void pm_gc_series_set_limit(struct pm_gc_series *series, double limit_mb, const char *from);
/* Fills everything that is derived from the rows; for parsers. */
void pm_gc_series_derive(struct pm_gc_series *series);

const char *pm_gc_kind_word(enum pm_gc_kind kind); /* scavenge, mark-compact, minor */

#endif
