/* profile.h - a heap or CPU profile: who allocated what is still live, or where the time went.
 *
 * The call tree lies in `calls` in preorder, callees with the largest total first: a caller stands before its
 * callees, a subtree is one run of the array, and nobody needs recursion or a list of children:
 *
 *     calls[0]                                     the root; calls[0].total is everything
 *     for (c = i + 1; c < calls[i].end; c = calls[c].end)   the callees of i, the largest first
 *
 * Two calls with the same caller are never of the same function (they were merged when the tree was built).
 * Values are bytes (heap) or microseconds (CPU). A heap profile is a sample: only allocations that were live
 * when it was taken, each standing for about `interval` bytes.
 *
 * OWNERSHIP  everything in the diagnosis' arena. UNKNOWN as in diagnosis.h. */
#ifndef PM_MODEL_PROFILE_H
#define PM_MODEL_PROFILE_H

#include "postmortem/model/diagnosis.h"

enum pm_profile_kind { PM_PROFILE_HEAP, PM_PROFILE_CPU };

/* What a function really is. Only PM_CALL_CODE is somebody's code. */
enum pm_call_kind {
    PM_CALL_CODE,
    PM_CALL_ROOT,    /* (root) */
    PM_CALL_PROGRAM, /* (program): native code without JavaScript above it */
    PM_CALL_IDLE,    /* (idle): the loop waits. No signal */
    PM_CALL_GC,      /* (garbage collector) */
    PM_CALL_NATIVE,  /* a builtin or runtime function: no script; (V8 API), (BYTECODE_COMPILER) ... */
};

/* Totals count a recursive function, file or package once for each outermost call. */
struct pm_profile_function {
    const char *name;            /* "(anonymous)" for one without a name; never NULL */
    struct pm_position position; /* where it begins; the file as a path (file:// taken off), NULL = none */
    enum pm_call_kind kind;
    uint32_t file, package; /* indexes */
    uint64_t self, total;
    uint64_t count;    /* samples in it itself */
    uint32_t hot_line; /* the line with most samples, 0 = not known */
    uint64_t hot_line_count;
};

/* A script or a package: sums over its functions. */
struct pm_profile_group {
    const char *name; /* path; package: "express", "@scope/name", "(app)", "(node)", "(native)", "(gc)",
                         "(idle)", "(program)", "(root)" */
    uint64_t self, total, count;
};

struct pm_call {
    uint32_t function; /* index */
    uint32_t caller;   /* index; the root's is UINT32_MAX */
    uint32_t end;      /* one past its subtree */
    uint32_t count;    /* samples in it itself */
    uint64_t self, total;
};

/* One turn of the event loop without a gap, CPU profiles only. */
struct pm_long_task {
    uint64_t start, duration; /* µs from the profile's start */
    uint64_t gc;              /* µs of it in the garbage collector */
    uint32_t entry;           /* function that the loop called */
    uint32_t call;            /* the call (index in calls) with the most self time in it */
    uint64_t call_self;       /* its self time in this task */
    bool startup;             /* loading the program's main module */
};

struct pm_profile {
    size_t input; /* index in diagnosis->inputs */
    enum pm_profile_kind kind;
    const char *source; /* heapprofile, cpuprofile, prof-log */
    struct pm_call *calls;
    size_t call_count;
    struct pm_profile_function *functions; /* largest self first */
    size_t function_count;
    struct pm_profile_group *files, *packages; /* likewise */
    size_t file_count, package_count;
    uint64_t samples;  /* PM_UNKNOWN */
    uint64_t interval; /* bytes or µs between two samples; PM_UNKNOWN */
    bool interval_estimated;
    uint64_t total;  /* of everything, = calls[0].total */
    size_t hot_call; /* the end of the hot path (idle, program and gc left out); SIZE_MAX = there is none */
    /* CPU only */
    uint64_t duration;          /* end - start; PM_UNKNOWN */
    uint64_t idle, program, gc; /* parts of total */
    struct pm_long_task *tasks; /* the longest first, at most PM_MAX_LONG_TASKS */
    size_t task_count;
    uint64_t long_tasks, long_task_time; /* all of them; PM_UNKNOWN without times of samples */
    const char *incomplete;              /* what of the file was lost, NULL = nothing */
};

/* ---- building one, for parsers (profile.c) ----
 * Give every call of the file with the index of its caller in the same numbering (any order; UINT32_MAX = no
 * caller). Calls that cannot be reached from the root, cycles and lost callers hang below the root. */
struct pm_profile_input {
    const uint32_t *caller;                /* [count] */
    const uint32_t *function;              /* [count], index in functions */
    uint64_t *self;                        /* [count] */
    uint32_t *hits;                        /* [count] */
    size_t count;                          /* 1 and more; < UINT32_MAX */
    struct pm_profile_function *functions; /* name, position, kind, hot_line are set; no two alike */
    size_t function_count;
    uint32_t *call_of; /* [count], filled: index in calls of each input call; may be NULL */
    uint64_t detached; /* result: calls without a way to the root */
};
struct pm_error *pm_profile_build(struct pm_arena *arena, struct pm_profile_input *input,
                                  struct pm_profile *profile);

/* "/app/node_modules/@a/b/c.js" -> "@a/b"; "(node)" for node: files, "(app)" for other files. Returns the
 * length; the text is inside `file` or a constant. */
size_t pm_package_of(const char *file, const char **ret);
/* Is it code of the user: no package from npm, no Node, no builtin? */
bool pm_profile_is_user(const struct pm_profile *profile, uint32_t function);

#endif
