/* diagnosis.h - WHAT WE KNOW: the plain data that parsers and v8layout fill, detectors read and writers
 * print.
 *
 * Knows no format, no V8 layout, no output. All texts are raw UTF-8 as found (untrusted!): writers escape and
 * redact them. OWNERSHIP  everything hangs in the diagnosis' arena and lives until pm_diagnosis_destroy().
 * UNKNOWN    a number that could not be read is PM_UNKNOWN, a text NULL, a line or column 0. Never a silent
 * zero. The JSON spelling of every field is fixed in docs/json.md. */
#ifndef PM_MODEL_DIAGNOSIS_H
#define PM_MODEL_DIAGNOSIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "postmortem/base/arena.h"
#include "postmortem/base/error.h"

#define PM_UNKNOWN UINT64_MAX

struct pm_position {
    const char *file;
    uint32_t line, column; /* start at 1 */
};
/* Behind this column a line says little: texts give the column, too (minified bundles). */
#define PM_LONG_LINE 300

/* ---- stacks ---- */
enum pm_frame_kind {
    PM_FRAME_JS,      /* a JavaScript function of a script */
    PM_FRAME_BUILTIN, /* a JavaScript function that V8 or Node implements natively: Array.forEach, fs binding
                       */
    PM_FRAME_NATIVE,  /* C or C++ */
    PM_FRAME_ENTRY,   /* V8's own plumbing between the two: entry, exit, internal, construct stubs */
};
enum pm_tier { PM_TIER_NONE, PM_TIER_INTERPRETED, PM_TIER_BASELINE, PM_TIER_MAGLEV, PM_TIER_TURBOFAN };

struct pm_frame {
    enum pm_frame_kind kind;
    enum pm_tier tier;
    bool inlined;
    bool constructor;            /* called as `new F` */
    bool is_async;               /* not on the stack: a function that waits for the one above it */
    bool approximate;            /* the line is the nearest known one */
    bool hidden;                 /* runtime plumbing: counted as elided, shown with -v */
    const char *function;        /* JavaScript: as V8 prints it (class.method); native: demangled symbol */
    struct pm_position position; /* where it was executing */
    const char *module;          /* native: path of the ELF file */
    uint64_t offset;        /* native: pc as a virtual address of the module; PM_UNKNOWN without module */
    uint64_t symbol_offset; /* native: bytes behind the symbol's start */
    pm_addr address;        /* pc */
    pm_addr frame_pointer;  /* 0 = unknown */
    const char *receiver;   /* short text of `this`, NULL = not known or undefined */
    const char **arguments; /* short texts; only those really passed */
    size_t argument_count;
    uint64_t longest_text; /* characters of the longest string among receiver and arguments; 0 = none seen */
};

enum pm_thread_role { PM_ROLE_OTHER, PM_ROLE_MAIN, PM_ROLE_WORKER, PM_ROLE_POOL, PM_ROLE_GC };
enum pm_state_kind {
    PM_STATE_UNKNOWN,
    PM_STATE_RUNNING_JS,
    PM_STATE_REGEXP,
    PM_STATE_JSON,
    PM_STATE_SYNC_FS,
    PM_STATE_SYNC_CRYPTO,
    PM_STATE_SYNC_ZLIB,
    PM_STATE_CHILD_PROCESS,
    PM_STATE_ATOMICS_WAIT,
    PM_STATE_GC,
    PM_STATE_COMPILING,
    PM_STATE_NATIVE,  /* inside native code called from JavaScript */
    PM_STATE_POLLING, /* idle in the event loop */
    PM_STATE_POOL_IDLE,
    PM_STATE_POOL_WORK,
    PM_STATE_HELPER_IDLE, /* a V8 platform worker, the signal watchdog ... waiting */
    PM_STATE_WAITING,     /* a lock or condition that is none of the above */
    PM_STATE_FATAL,       /* in abort() or V8's fatal error handler */
};

struct pm_thread {
    uint64_t tid;
    const char *name;
    enum pm_thread_role role;
    enum pm_state_kind state;
    const char *state_detail; /* "regular expression, `validate` at form.js:12" */
    const char *regexp;       /* in a regular expression: its source; NULL = not in one, or not known */
    bool spinning;            /* in the event loop, which asked for events but did not wait for any */
    bool crashed;             /* the thread that took the signal */
    uint64_t overflowed;      /* bytes of its stack, which recursion used up; 0 = it did not */
    pm_addr isolate;          /* 0 = none */
    struct pm_frame *frames;  /* innermost first */
    size_t frame_count;
    const char *incomplete; /* why the stack ends early, NULL = it reaches the thread's start */
    bool js_fallback;       /* native unwinding failed; JavaScript frames come from the isolate */
};

/* ---- heap ---- */
struct pm_space {
    const char *name; /* of v8.getHeapSpaceStatistics() */
    uint64_t pages, committed, used, free, objects, unparsed;
};

struct pm_class_row {
    const char *name; /* of V8's heap snapshot: `UserSession`, `Map`, `(closure)`, `(string)` ... */
    uint64_t count, shallow;
    uint64_t
        retained; /* by the reachable instances together: those inside another one of the class count once */
};

/* One object of the dominator tree. Rows stand in preorder: a row's children follow it, largest first. What
 * is too small, too deep or too much for the table is summed up in the rest of its parent. */
#define PM_NO_ROW UINT32_MAX
struct pm_dominator_row {
    uint64_t object; /* address, or id in a snapshot (diagnosis->objects_by_id) */
    const char *class_name;
    const char *label; /* one line about it: "UserSession {id: 17}" */
    const char *name; /* what its parent calls it: "cache", "[12]", "entry 'sess:17'"; NULL: its parent has no
                         reference to it, only what the parent keeps has */
    uint64_t shallow, retained;      /* with the memory outside the heap that it owns */
    uint32_t depth;                  /* 0: nothing but the roots keeps it */
    uint32_t parent;                 /* row; PM_NO_ROW at depth 0 */
    uint64_t rest_count, rest_bytes; /* children without a row of their own */
    const char *rest_class;          /* the class that most of rest_bytes is of; NULL: it is little */
    uint64_t rest_class_count;
};

/* A worker thread, as its own heap knows it. */
struct pm_worker {
    uint64_t number;            /* worker_threads.threadId; PM_UNKNOWN */
    const char *name, *script;  /* NULL = none, not known */
    uint64_t old_generation_mb; /* resourceLimits.maxOldGenerationSizeMb; PM_UNKNOWN */
};

struct pm_isolate {
    bool is_snapshot; /* of a heap snapshot: no addresses, spaces, limits */
    pm_addr address, heap;
    uint64_t tid; /* of its thread; PM_UNKNOWN */
    bool is_main;
    struct pm_worker *worker; /* NULL = not known to be a worker's */
    uint64_t gc_state;        /* 0 not in GC, 1 scavenge, 2 mark-compact, 3 minor mark */
    struct pm_space *spaces;
    size_t space_count;
    uint64_t array_buffer_bytes, external_string_bytes; /* backing stores outside the heap */
    uint64_t external_bytes; /* all of that as V8 counted it itself, where a report says it */
    uint64_t max_old_generation, max_semi_space, heap_limit;
    uint64_t objects, object_bytes, unparsed_bytes, free_bytes;
    uint64_t reachable_objects, reachable_bytes; /* with what they own outside the heap */
    uint64_t unreachable_objects,
        unreachable_bytes;          /* garbage not collected yet; without read-only objects */
    struct pm_class_row *histogram; /* largest shallow first */
    size_t histogram_count;
    const char *grouped_by;      /* "package", "script", "space": what groups are; NULL = no groups */
    struct pm_class_row *groups; /* the same objects by something else, largest shallow first */
    size_t group_count;
    struct pm_dominator_row *dominators; /* NULL = not analysed */
    size_t dominator_count;
    uint64_t dominator_rest_count, dominator_rest_bytes; /* objects at depth 0 without a row */
};

/* ---- process ---- */
enum pm_death_kind {
    PM_DEATH_UNKNOWN,
    PM_DEATH_HEAP_LIMIT,     /* V8: Reached heap limit / Allocation failed - JavaScript heap out of memory */
    PM_DEATH_INEFFECTIVE_GC, /* V8: Ineffective mark-compacts near heap limit */
    PM_DEATH_FATAL_ERROR,    /* any other V8 or Node fatal error */
    PM_DEATH_UNCAUGHT,       /* --abort-on-uncaught-exception */
    PM_DEATH_ABORT,          /* process.abort() or abort() in native code */
    PM_DEATH_BAD_ALLOC,      /* C++ std::bad_alloc that nobody caught */
    PM_DEATH_NATIVE_CRASH,   /* SIGSEGV, SIGBUS, SIGILL, SIGFPE inside the process */
    PM_DEATH_KILLED,         /* a signal from another process */
    PM_DEATH_SNAPSHOT,       /* gcore: the process lived on */
    PM_DEATH_OOM_KILLED,     /* the kernel, for the memory limit of the container */
    PM_DEATH_REPORT,         /* none: a report that was asked for by a signal or by the program */
};

struct pm_env_value {
    const char *name, *value;
};

/* A fact that comes from another file than the core. */
struct pm_origin {
    const char *fact; /* as in the JSON output */
    size_t input;     /* index in diagnosis->inputs */
};

struct pm_gc_series; /* model/gc_log.h */

struct pm_process {
    uint64_t pid;
    const char *program; /* NT_PRPSINFO's name */
    const char *title;   /* its argument text (process.title may have overwritten it) */
    const char *node_version, *v8_version, *arch;
    const char **argv; /* the original command line, NULL = not known */
    size_t argc;
    struct pm_env_value *environment; /* only the names that matter, see docs */
    size_t environment_count;
    struct pm_env_value *whole_environment; /* of a core; never shown: it tells what is secret elsewhere */
    size_t whole_environment_count;
    uint64_t signal; /* PM_UNKNOWN */
    uint64_t signal_code;
    uint64_t sender_pid; /* PM_UNKNOWN unless another process sent the signal */
    pm_addr fault_address;
    bool has_fault_address;
    enum pm_death_kind death;
    const char *death_message;  /* the message V8 or Node printed, or the thrown error's */
    const char *death_location; /* V8's location text */
    bool is_rejection;          /* uncaught: a promise was rejected, and nobody caught it */
    struct pm_frame
        *error_frames;        /* uncaught: where the error itself remembers it was made, innermost first */
    size_t error_frame_count; /* 0 = not known */
    uint64_t heap_used_at_death, heap_limit_at_death;
    struct pm_origin *origins;
    size_t origin_count;
    const char *last_gcs;                  /* V8's ring buffer of the last collections, lines */
    struct pm_gc_series *last_collections; /* the same as rows (model/gc_log.h); NULL = none could be read */
    uint64_t max_old_space_flag, max_semi_space_flag; /* bytes, from the command line or NODE_OPTIONS */
};

/* ---- findings ---- */
enum pm_severity {
    PM_SEVERITY_INFO,
    PM_SEVERITY_LOW,
    PM_SEVERITY_MEDIUM,
    PM_SEVERITY_HIGH,
    PM_SEVERITY_CRITICAL
};
enum pm_confidence { PM_CONFIDENCE_LOW, PM_CONFIDENCE_MEDIUM, PM_CONFIDENCE_HIGH };

struct pm_role_position {
    const char *role; /* holder, creator, adder, blocked, waiting */
    const char *function;
    struct pm_position position;
};
struct pm_object_ref {
    pm_addr address;
    const char *class_name;
};

struct pm_finding {
    const char *id;
    enum pm_severity severity;
    enum pm_confidence confidence;
    const char *title, *claim, *advice;
    const char *allocation; /* who allocated what is kept, by a heap profile: a sentence; NULL */
    const char **evidence;
    size_t evidence_count;
    uint64_t retained_bytes; /* PM_UNKNOWN */
    double share;            /* of the heap, 0..1; negative = unknown */
    const char *owner_path, *owner_name;
    const char *subject; /* class of the objects it is about; NULL */
    struct pm_position owner;
    struct pm_role_position *positions;
    size_t position_count;
    struct pm_object_ref *objects;
    size_t object_count;
    const char **next;
    size_t next_count;
};

/* ---- single objects: `inspect` and `objects` ---- */
enum pm_field_group {
    PM_FIELD_PROPERTY,
    PM_FIELD_ELEMENT,
    PM_FIELD_ENTRY,
    PM_FIELD_VARIABLE,
    PM_FIELD_INTERNAL
};

struct pm_object_field {
    enum pm_field_group group;
    const char *name;  /* property key, element index, closure variable, V8's field name; of an entry the
                          described key */
    const char *value; /* short text */
    pm_addr address;   /* of the object it refers to; 0 = a plain value */
};

struct pm_object_detail {
    pm_addr address, map;
    const char *class_name; /* as in the histogram */
    const char *type;       /* V8's instance type */
    const char *space;
    pm_addr isolate; /* 0 = shared by all */
    uint64_t size;
    const char *summary;  /* the short text other objects show for it */
    const char *text;     /* strings: the content, NULL = not a string */
    uint64_t text_length; /* in code units, all of it */
    const char *function; /* functions and frames: name and where the source starts, NULL = not a function */
    struct pm_position position;
    struct pm_object_field *fields;
    size_t field_count;
    uint64_t field_total; /* more than field_count when a limit bit */
};

struct pm_object_row {
    pm_addr address;
    uint64_t size, retained; /* retained 0 = unreachable */
    const char *summary;
};
struct pm_object_list {
    const char *class_name;
    uint64_t count, bytes;      /* of all instances */
    struct pm_object_row *rows; /* largest retained first */
    size_t row_count;
};

/* ---- what was read ---- */
struct pm_skipped {
    const char *what, *why;
    uint64_t count, bytes; /* PM_UNKNOWN when it has no such number */
};

struct pm_input_info {
    const char *path;
    const char *kind; /* core, report, heapprofile, cpuprofile, heapsnapshot, log */
    uint64_t bytes;
    bool complete;
};

/* Where a layout constant came from: `layouts --explain`. */
struct pm_layout_row {
    const char *name, *value, *origin; /* origin: published, discovered, variant, known build, missing */
    const char *evidence;
};

enum pm_exit { PM_EXIT_COMPLETE = 0, PM_EXIT_PARTIAL = 1, PM_EXIT_FAILED = 2, PM_EXIT_USAGE = 64 };

struct pm_retention; /* model/heap_answers.h */
struct pm_string_census;
struct pm_heap_comparison;
struct pm_export;

/* What single files said, each in a header of its own. */
struct pm_report_facts;       /* model/report_facts.h: a diagnostic report */
struct pm_report_comparison;  /* model/report_compare.h: two reports of one process */
struct pm_profile;            /* model/profile.h: a heap or CPU profile */
struct pm_profile_comparison; /* model/profile_compare.h: two profiles */
struct pm_gc_log;             /* model/gc_log.h: collections and last words of a log */
struct pm_event_loop;         /* model/event_loop.h: what a thread's event loop waits for */
struct pm_thread_pool;
struct pm_pod; /* model/pod.h: what Kubernetes says of the container */

struct pm_diagnosis {
    struct pm_arena *arena;
    enum pm_exit exit_code;
    struct pm_input_info *inputs;
    size_t input_count;
    bool has_process, has_threads, has_isolates, has_histogram, has_layout; /* sections that were analysed */
    struct pm_process process;
    bool objects_by_id;    /* numbers of objects are ids of a snapshot ("@17"), no addresses */
    const char *verdict;   /* one sentence */
    const char *signature; /* hex */
    struct pm_finding *findings;
    size_t finding_count;
    struct pm_thread *threads;
    size_t thread_count;
    struct pm_isolate *isolates;
    size_t isolate_count;
    struct pm_layout_row *layout;
    size_t layout_count;
    double layout_score;         /* 0..1; negative = no layout */
    struct pm_event_loop *loops; /* one per main thread and worker; NULL = not looked at */
    size_t loop_count;
    struct pm_thread_pool *pool;      /* NULL = not looked at */
    struct pm_report_facts **reports; /* in the order of the inputs */
    size_t report_count;
    struct pm_report_comparison *report_comparison; /* of the first and the last of one process; NULL */
    struct pm_profile **profiles;
    size_t profile_count;
    struct pm_profile_comparison *profile_comparison; /* of the first and the last; NULL = not asked for */
    struct pm_gc_log **gc_logs;
    size_t gc_log_count;
    struct pm_pod **pods;
    size_t pod_count;
    /* Answers of single commands, NULL = not asked for; the last ones in model/heap_answers.h. */
    struct pm_object_detail *object;
    struct pm_object_list *object_list;
    struct pm_retention *retention;
    struct pm_string_census *strings;
    struct pm_heap_comparison *comparison;
    struct pm_export *exported;
    /* The same for the same fault, whatever the pod: the signature, or death and place; where and when. For
     * batch. */
    const char *incident_key, *incident_host;
    uint64_t incident_time;       /* ms since 1970; PM_UNKNOWN */
    struct pm_diagnosis **others; /* other incidents among the files of this run */
    size_t other_count;
    struct pm_batch *batch; /* model/batch.h; NULL = not asked for */
    const char *redaction;  /* level that was applied: none, default, strict; NULL = none yet */
    uint64_t read_objects;  /* PM_UNKNOWN when no heap was read */
    struct pm_skipped *skipped;
    size_t skipped_count;
    /* Errors that did not end the run: what could not be delivered, with the next step. */
    struct pm_problem {
        const char *message, *hint;
    } * problems;
    size_t problem_count;
};

struct pm_diagnosis *
pm_diagnosis_create(void); /* NULL without memory; exit_code complete, everything else unknown */
void pm_diagnosis_destroy(struct pm_diagnosis *diagnosis);
/* Record something that was skipped (texts are copied). Without memory the record is lost, exit_code is still
 * partial. */
void pm_diagnosis_skip(struct pm_diagnosis *diagnosis, const char *what, uint64_t count, uint64_t bytes,
                       const char *why);
/* A new finding, the last of the list; NULL without memory. Unknown numbers are PM_UNKNOWN, the share
 * negative. The pointer is good until the next call. */
struct pm_finding *pm_diagnosis_finding(struct pm_diagnosis *diagnosis);
/* Appends to one of the lists of artefacts: pm_diagnosis_append(d, (void ***)&d->reports, &d->report_count,
 * facts). */
struct pm_error *pm_diagnosis_append(struct pm_diagnosis *diagnosis, void ***items, size_t *count,
                                     void *item);
/* Takes the error over: it becomes a problem, exit_code at least partial. NULL is fine (nothing happens). */
void pm_diagnosis_problem(struct pm_diagnosis *diagnosis, struct pm_error *err);

PM_DEFINE_AUTO(diagnosis, struct pm_diagnosis, pm_diagnosis_destroy)

#endif
