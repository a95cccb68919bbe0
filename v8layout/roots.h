/* roots.h - what keeps objects alive from outside the heap: V8's roots table, handles, global and eternal
 * handles, the thread's current state, every stack. Internal to v8layout.
 *
 * Found conservatively where that is complete and cheap: every tagged word of the Isolate and its Heap counts
 * (the roots table and ThreadLocalTop are inside), every tagged word of a stack that leads to an object's
 * start. Handle blocks and global handles are found by their structure. Weak global handles are no roots.
 * Truth: Heap::IterateRoots, src/heap/heap.cc; checked on V8 9.4 to 14.6. */
#ifndef PM_V8LAYOUT_ROOTS_H
#define PM_V8LAYOUT_ROOTS_H

#include "v8layout/heap.h"

enum v8_root_kind {
    V8_ROOT_TABLE, /* index: of the roots table */
    V8_ROOT_ISOLATE,
    V8_ROOT_HANDLE_SCOPE,
    V8_ROOT_GLOBAL_HANDLE,
    V8_ROOT_ETERNAL_HANDLE,
    V8_ROOT_CACHE, /* start-up and shareable object caches */
    V8_ROOT_COMPILATION_CACHE,
    V8_ROOT_MICROTASK, /* callbacks that wait for their turn: promise reactions, queueMicrotask() */
    V8_ROOT_STACK,     /* index: thread id */
    V8_ROOT_KINDS
};
const char *
v8_root_kind_name(enum v8_root_kind kind); /* as V8's snapshot names the group: "(Handle scope)" ... */

/* Whether it lasts no longer than the work at hand. Of Isolate's and Heap's own words those that last are in
 * the roots table; the others are the state of the running code, and marks that the collector left behind. */
bool v8_root_is_transient(enum v8_root_kind kind);

struct v8_root {
    pm_addr object; /* untagged; not checked to be an object */
    uint32_t kind;
    uint32_t index;
};

struct v8_root_list {
    struct v8_root *items;
    size_t count, capacity;
};

/* All roots of one isolate, in the order of the kinds above but stacks last. */
struct pm_error *v8_roots_collect(const struct v8 *v8, uint32_t isolate, struct v8_root_list *ret);
void v8_root_list_deinit(struct v8_root_list *list);

#endif
