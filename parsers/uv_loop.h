/* uv_loop.h - libuv's event loop in a core: which handles it has, how many requests, what waits for the
 * thread pool.
 *
 * libuv keeps the layout of its structures within version 1 (Node.js 4 to 26), but no symbol says where a
 * loop is, and the sizes of the C library's locks shift what follows them. So a loop is found by its
 * structure: a word on the stack of the thread that points to something whose queue of handles is a ring, in
 * which every handle points back to the loop and has a type that exists, and one lies inside of the loop
 * itself (the handle that other threads wake it with).
 *
 *   uv_loop_t                           uv_handle_t (head of every handle)
 *     0 data                              0 data: Node's HandleWrap
 *     8 active_handles (u32)              8 loop
 *    16 handle_queue  <------------+     16 type (u32)
 *    32 active_reqs.count (u32)    |     24 close_cb
 *    64 backend_fd                 +---> 32 handle_queue
 *   104 watchers: by file descriptor     88 flags (u32)
 *   112 nwatchers (u32)                  96 what the type adds
 *
 * Truth: uv.h, uv/unix.h; the diagnostic report of the same process lists the same handles. */
#ifndef PM_PARSERS_UV_LOOP_H
#define PM_PARSERS_UV_LOOP_H

#include "parsers/core_file.h"
#include "parsers/modules.h"

struct pm_uv_handle {
    pm_addr address;
    const char *type; /* as uv_handle_type_name(): "tcp", "timer" ... */
    pm_addr data;
    bool active, referenced, closing, internal;
    bool listening, connecting, readable, writable; /* of a stream */
    int64_t fd;                                     /* -1 = none, or not known */
    int64_t number;        /* signal: its number; process: the pid of the child; else -1 */
    uint64_t queued_bytes; /* of a stream: written and not yet taken by the kernel */
};

struct pm_uv_loop {
    pm_addr address;
    uint32_t active_handles, active_requests;
    int backend_fd;
    struct pm_uv_handle *handles; /* in the order of the queue; malloc'd */
    size_t handle_count;
};

/* The outermost loop on the stack of a thread: a nested one (spawnSync) is nearer to the stack pointer.
 * `guess`: tried when there is none, 0 = nothing. ret->address 0 = none was found. */
struct pm_error *pm_uv_loop_find(const struct pm_core *core, const struct pm_core_thread *thread,
                                 pm_addr guess, struct pm_uv_loop *ret);
/* libuv's default loop, which is the main thread's, where its symbol is not stripped; else 0. */
pm_addr pm_uv_default_loop(const struct pm_modules *modules);
void pm_uv_loop_deinit(struct pm_uv_loop *loop);

/* What stands in the queue of the thread pool, by the function that will do it ("uv__fs_work"). Calls visit
 * for each. false = the queue was not found (its symbol is local to libuv). */
bool pm_uv_pool_queue(const struct pm_modules *modules, const struct pm_mem *mem,
                      void (*visit)(void *context, pm_addr work), void *context);

#endif
