/* leak_case.h - one suspect on its way to a finding: everything the patterns look at, and what they say.
 *
 * To add a pattern: a file pattern_NAME.c with a function of type pm_pattern_tell, declared here, a line in
 * the table of leaks.c (the order there decides: the more special one first), a case in corpora/, a row in
 * docs/findings.md. */
#ifndef PM_DETECT_LEAK_CASE_H
#define PM_DETECT_LEAK_CASE_H

#include "postmortem/detect/census.h"
#include "postmortem/detect/detect_words.h"
#include "postmortem/detect/owner.h"
#include "postmortem/detect/suspects.h"

#define PM_MAX_EVIDENCE  14
#define PM_MAX_POSITIONS 8

/* A closure of each file of the user's, in whose text names are searched. */
#define PM_MAX_FILES 300
struct pm_files {
    struct {
        const char *file;
        pm_node closure;
    } items[PM_MAX_FILES];
    size_t count;
    bool searched;
};

struct pm_case {
    struct pm_files *files; /* shared by all cases */
    struct pm_diagnosis *diagnosis;
    const struct pm_heap_view *view;
    struct pm_arena *arena;
    struct pm_suspect *suspect;
    struct pm_census census; /* below the point, or below the members of a group */
    struct pm_owner owner;   /* of the container, or of the first member */
    pm_node node;            /* the container, or the first member */
    bool counted;            /* node is a collection: */
    uint64_t entries, capacity;
    uint64_t bytes;
    double share;
    const char *main_class; /* a person would name it; NULL */
    uint64_t main_count;
    bool main_exact; /* false: counted in a part of what hangs below, there are more */

    /* ---- what the pattern says ---- */
    const char *id, *what, *advice;
    const char *claim; /* NULL = the usual sentence */
    /* Instead of the owner's name: */
    const char *name;
    struct pm_position position;
    bool about_variable; /* the name stands without the class before it */
    const char *of;      /* ", mostly 12 Job objects": instead of main_class; NULL */
    bool no_holder;      /* V8's or Node's own structure holds them: no name */
    bool innocent;       /* no leak: severity info */
    bool unsure;         /* of that: confidence low */
    bool no_adder;       /* who adds is told otherwise */
    bool backlog;        /* work that waits in a row: no working set, whatever it hangs from */
    const char *evidence[PM_MAX_EVIDENCE];
    size_t evidence_count;
    struct pm_role_position positions[PM_MAX_POSITIONS];
    size_t position_count;
};

typedef bool pm_pattern_tell(struct pm_case *leak); /* true = it is this one */

pm_pattern_tell pm_pattern_timer, pm_pattern_listener, pm_pattern_stream, pm_pattern_socket,
    pm_pattern_contexts, pm_pattern_modules, pm_pattern_async_context, pm_pattern_chain, pm_pattern_buffer,
    pm_pattern_error, pm_pattern_promise, pm_pattern_sliced, pm_pattern_duplicates, pm_pattern_wasted,
    pm_pattern_closure, pm_pattern_huge, pm_pattern_list, pm_pattern_collection, pm_pattern_bounded;

/* ---- for patterns ---- */
void pm_case_evidence(struct pm_case *leak, const char *text); /* NULL is left out */
void pm_case_position(struct pm_case *leak, const char *role, const char *function,
                      struct pm_position position);
/* The nodes of a kind below the members (or the point), breadth first: at most `most`, of at most
 * PM_CENSUS_LIMIT / 10 objects looked at. Returns how many. */
size_t pm_case_below(const struct pm_case *leak, enum pm_node_kind kind, pm_node *ret, size_t most);
/* The same, evenly spread over all there are below. */
size_t pm_case_sample_below(const struct pm_case *leak, enum pm_node_kind kind, pm_node *ret, size_t most);
/* All reachable nodes of a class or kind, an even sample of at most `most`; *total_ret all of them. */
size_t pm_case_all_of_class(const struct pm_case *leak, const char *class_name, pm_node *ret, size_t most,
                            uint64_t *total_ret);
size_t pm_case_all_of_kind(const struct pm_case *leak, enum pm_node_kind kind, pm_node *ret, size_t most,
                           uint64_t *total_ret);
/* A property's object; PM_NO_NODE. */
pm_node pm_case_property(const struct pm_case *leak, pm_node node, const char *name);
/* Is the promise pending? false = settled or not known. */
bool pm_case_pending(const struct pm_case *leak, pm_node promise);
/* Evidence and positions of suspended functions, of all there are; false = none. */
bool pm_case_tell_waiting(struct pm_case *leak);
/* pattern_serial.c: the whole claim about a chain of promises that nothing of the program's holds. */
void pm_case_tell_serial(struct pm_case *leak);
/* The places that nodes (closures, suspended functions) stand for, most frequent first. */
struct pm_place_count {
    const char *function;
    struct pm_position position;
    uint64_t count;
};
size_t pm_case_places(const struct pm_case *leak, const pm_node *nodes, size_t count,
                      struct pm_place_count *ret, size_t most);
/* "`name` (/app/a.js:3)" or "an anonymous function (...)" */
const char *pm_case_function(const struct pm_case *leak, const char *function,
                             const struct pm_position *position);

/* ", mostly 12 Job objects" */
const char *pm_case_of_words(const struct pm_case *leak);
/* working_set.c. Is a name of the program's own on the way? */
bool pm_owner_is_program(const struct pm_owner *owner);
/* Work at hand and nothing that outlives it; *suspended_ret: it hangs from suspended functions. */
bool pm_case_is_working_set(struct pm_case *leak, struct pm_paths **paths, bool *suspended_ret);
void pm_case_tell_working_set(struct pm_case *leak, bool suspended);

/* pattern_strings.c. Of all strings those with 1,000 and more copies of the same text, estimated from a
 * sample: evidence; how many, and the bytes that one of each would save. */
bool pm_case_copies(struct pm_case *leak, uint64_t *copies_ret, uint64_t *waste_ret);
/* accumulations.c. `leak` is empty but for the diagnosis, view and arena; findings from `first` on were told.
 */
struct pm_error *pm_tell_accumulations(struct pm_case *leak, size_t first);

/* leak_places.c: where the leaked objects are made and added; fills positions. */
void pm_case_find_makers(struct pm_case *leak);

#endif
