/* profile_reader.h - the JSON of .heapprofile and .cpuprofile files, read in one pass, whatever its size.
 *
 * Both hold calls: a heap profile nests them ("head", "children": [{...}]), a CPU profile lists them
 * ("nodes", "children": [ids], or "parent": id as in Chrome's traces). One reader takes both, and what old
 * versions of Chrome wrote: names beside instead of in "callFrame". There is no stack: the call that is open
 * knows its caller, so nesting may be as deep as it likes.
 *
 * OWNERSHIP  pm_raw_profile_init() is always paired with _deinit(). FAILURE  a file that ends early keeps
 * what was complete; the error says where it ended. */
#ifndef PM_PARSERS_PROFILE_READER_H
#define PM_PARSERS_PROFILE_READER_H

#include "parsers/input.h"
#include "parsers/json_stream.h"
#include "postmortem/base/vec.h"
#include "postmortem/model/profile.h"

struct pm_raw_call {
    uint64_t id; /* PM_UNKNOWN */
    uint64_t self;
    uint32_t function, caller, hits;
};
struct pm_raw_link { /* "call N has the callee with this id" (or, as `up`, the caller) */
    uint32_t call;
    bool up;
    uint64_t id;
};
struct pm_raw_line { /* positionTicks */
    uint32_t function, line;
    uint64_t ticks;
};

struct pm_raw_profile {
    struct pm_arena *arena; /* borrowed: names */
    PM_VEC(struct pm_raw_call) calls;
    PM_VEC(struct pm_raw_link) links;
    PM_VEC(struct pm_raw_line) lines;
    PM_VEC(struct pm_profile_function) functions;
    PM_VEC(uint64_t) samples;  /* ids of calls */
    PM_VEC(uint64_t) sizes;    /* heap: bytes of each sample */
    PM_VEC(double) deltas;     /* µs */
    PM_VEC(double) timestamps; /* µs; old Chrome, instead of deltas */
    PM_VEC(char) name;         /* scratch */
    uint32_t *table;           /* functions by name and place, open addressing, index + 1 */
    uint64_t *hashes;          /* of each function */
    size_t mask, hash_capacity;
    double start, end; /* µs; NAN */
    bool seen_tree;    /* head or nodes was there */
    bool nested;       /* head */
    uint64_t bad_numbers;
};

void pm_raw_profile_init(struct pm_raw_profile *raw, struct pm_arena *arena);
void pm_raw_profile_deinit(struct pm_raw_profile *raw);
/* Reads all of it. On an error raw holds what came before. */
struct pm_error *pm_raw_profile_read(struct pm_raw_profile *raw, const struct pm_input *input);

/* The function with this hash (of all that tells it apart). Not known: its place is *ret, and the caller
 * pushes it onto raw->functions at once, or gives the profile up. */
struct pm_error *pm_raw_profile_function(struct pm_raw_profile *raw, uint64_t hash, bool *known,
                                         uint32_t *ret);
/* "file:///app/my%20app.js" becomes "/app/my app.js", in place; other names stay. */
void pm_path_of_url(char *url);

/* Index of the call with an id, SIZE_MAX = none. Ids are looked up in a table made once; of two calls with
 * one id the first counts. */
struct pm_id_table {
    struct pm_id_entry {
        uint64_t id;
        uint32_t call;
    } * entries;
    size_t count;
    uint32_t *direct; /* when ids are dense: call + 1 */
    uint64_t direct_size, duplicates;
};
struct pm_error *pm_id_table_init(struct pm_id_table *table, const struct pm_raw_profile *raw);
void pm_id_table_deinit(struct pm_id_table *table);
size_t pm_id_table_find(const struct pm_id_table *table, uint64_t id);

/* Fills callers from the links; returns how many led nowhere. */
uint64_t pm_raw_profile_link(struct pm_raw_profile *raw, const struct pm_id_table *table);
/* The tree of the model. call_of (may be NULL) has room for raw->calls.count; detached_ret too. */
struct pm_error *pm_raw_profile_build(struct pm_raw_profile *raw, struct pm_profile *profile,
                                      uint32_t *call_of, uint64_t *detached_ret);
/* What of the file was lost becomes profile->incomplete, coverage and the input's completeness. Takes cut
 * over. */
void pm_raw_profile_note(const struct pm_raw_profile *raw, struct pm_error *cut, uint64_t duplicates,
                         uint64_t lost, struct pm_profile *profile, struct pm_diagnosis *diagnosis);

#endif
