/* heap_answers.h - what single commands find out about a heap: who keeps an object, its strings, what grew.
 *
 * Plain data in the diagnosis' arena, as in diagnosis.h; numbers of objects are addresses or, where
 * diagnosis->objects_by_id, a snapshot's ids. */
#ifndef PM_MODEL_HEAP_ANSWERS_H
#define PM_MODEL_HEAP_ANSWERS_H

#include "postmortem/model/diagnosis.h"

/* ---- retainers ---- */
struct pm_retainer {
    uint64_t object; /* 0: the roots */
    const char *class_name, *label;
    const char *name; /* what it calls the next one (a path), or the object (referrers) */
    struct pm_position
        position; /* where the name is declared or the function is defined; file NULL = unknown */
    uint64_t retained;
    bool weak;
};

struct pm_retention {
    uint64_t object;
    const char *class_name, *label;
    uint64_t shallow, retained; /* retained 0: nothing but weak references leads to it */
    bool reachable;
    const char *path;          /* "cache (/app/src/cache.js:4) -> Map entry 'sess:17' -> UserSession" */
    struct pm_retainer *steps; /* of the shortest way, the roots first; the object itself is not among them */
    size_t step_count;
    const char *owner_name, *owner_path; /* the variable or property that a person would name; NULL */
    struct pm_position owner;
    struct pm_retainer dominator;  /* nearest object without which it would go */
    struct pm_retainer *referrers; /* those that have a direct reference, largest first */
    size_t referrer_count;
    uint64_t referrer_total;
    uint64_t weak_total; /* PM_UNKNOWN: not looked for */
};

/* ---- strings ---- */
struct pm_string_row {
    uint64_t object; /* the string, or one of its copies */
    const char *text;
    uint64_t count;  /* copies; slices of a parent; links of a rope; 1 */
    uint64_t bytes;  /* all copies; the parent; all of the rope; the string */
    uint64_t wasted; /* bytes that one copy less each would save; a parent that only slices keep; else 0 */
};
enum pm_string_list {
    PM_STRINGS_DUPLICATE, /* largest waste first */
    PM_STRINGS_HUGE,      /* largest first */
    PM_STRINGS_SLICED,    /* parents of slices */
    PM_STRINGS_ROPE,      /* ropes: strings glued together and never flattened */
    PM_STRING_LISTS
};
struct pm_string_census {
    uint64_t count, bytes; /* all reachable strings, with what they own outside the heap */
    struct {
        uint64_t total, wasted; /* of all, also those without a row; duplicates: different texts */
        struct pm_string_row *rows;
        size_t count;
    } lists[PM_STRING_LISTS];
    uint64_t cut_texts; /* texts of which only the beginning is known (snapshots): equal beginnings and sizes
                           count as equal */
};

/* ---- compare ---- */
#define PM_COMPARED 3
struct pm_compare_cell {
    uint64_t count, shallow, retained;
    uint64_t
        kept; /* self size of the objects whose immediate dominator is of the class: adds up to the heap */
};
struct pm_compare_row {
    const char *class_name;
    struct pm_compare_cell cells[PM_COMPARED];
};
struct pm_survivor_row { /* objects that are in the second and third heap, but not in the first */
    const char *class_name;
    uint64_t count, bytes;
    uint64_t object;   /* the one that retains most */
    const char *label; /* about it */
};
struct pm_heap_comparison {
    size_t input_count; /* 2 or 3 */
    struct {
        const char *path;
        uint64_t objects, bytes; /* reachable */
        bool by_id;
    } inputs[PM_COMPARED];
    struct pm_compare_row *rows; /* largest growth of `kept` from the first to the last heap first */
    size_t row_count;
    uint64_t row_total;
    const char *why_no_survivors; /* three heaps whose objects cannot be told apart: why; NULL */
    struct pm_survivor_row *survivors;
    size_t survivor_count;
    uint64_t survivor_objects, survivor_bytes;
};

/* ---- export ---- */
struct pm_export {
    const char *path, *format;
    uint64_t bytes;
};

#endif
