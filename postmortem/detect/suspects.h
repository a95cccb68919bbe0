/* suspects.h - where memory accumulates.
 *
 *   root -- 97 % --> closure -- 97 % --> Context -- 97 % --> Map -- 97 % --> table -- 0.0002 % --> one
 * UserSession ^container       ^ the big drop: the point
 *
 * From each large child of the root the walk goes down. A node whose small children together are a suspect's
 * share is a point; a large child is walked on its own; a child that has most of what its parent has is
 * followed. So every byte counts for one suspect only, and two caches side by side are two suspects. Small
 * children of a node that many things hang from (the root, a scope, a module) are grouped by class first
 * (MAT's group rule).
 *
 * The container is what has the members: the Map, Set, array or object to whose table or elements most of
 * them belong, also when it shares them with another one, so that neither dominates them.
 *
 * A list of links never drops: a walk of hundreds of steps with nothing lost on the way is a chain, and its
 * first link is the container. */
#ifndef PM_DETECT_SUSPECTS_H
#define PM_DETECT_SUSPECTS_H

#include "postmortem/detect/heap_view.h"
#include "postmortem/detect/thresholds.h"

enum pm_suspect_kind {
    PM_SUSPECT_MEMBERS, /* many below one node */
    PM_SUSPECT_GROUP,   /* many of one class below a node that says nothing */
    PM_SUSPECT_CHAIN,
    PM_SUSPECT_HUGE, /* one object whose own bytes they are */
};

struct pm_suspect {
    enum pm_suspect_kind kind;
    pm_node point;                     /* of a group: the node the members hang from */
    pm_node container;                 /* PM_NO_NODE: a group that no single object holds */
    uint64_t bytes;                    /* retained, with external memory */
    pm_node members[PM_MEMBER_SAMPLE]; /* a sample: direct children of the point */
    size_t member_count;
    uint64_t member_total;
    const char *member_class; /* of most of them; NULL = mixed */
    bool links_each_other;    /* members refer to each other: a doubly linked list */
    /* Without a container: what most members hang from */
    const char *holder_class, *holder_edge;
    /* chains */
    uint64_t chain_kinds[PM_NODE_NATIVE + 1];
    unsigned chain_seen;
    uint64_t depth; /* links followed; at least */
    const char *link_class;
    pm_node link; /* one of the links, in the middle */
};

/* The suspects of the heap, largest first: malloc array. FAILURE no memory. */
struct pm_error *pm_find_suspects(const struct pm_heap_view *view, struct pm_arena *arena,
                                  struct pm_suspect **ret, size_t *count_ret);

#endif
