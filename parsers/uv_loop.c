#include "parsers/uv_loop.h"

#include <stdlib.h>
#include <string.h>

#include "parsers/arch/arch.h"
#include "postmortem/base/limits.h"
#include "postmortem/base/vec.h"

#define LOOP_SIZE    1024u /* its own handles lie inside: 848 bytes with glibc on x86-64 */
#define HANDLE_QUEUE 32u
#define STACK_MOST   (64u << 20)

/* uv_handle_type, in order. */
static const char *const type_names[] = {"unknown", "async", "check", "fs_event", "fs_poll", "handle",
                                         "idle",    "pipe",  "poll",  "prepare",  "process", "stream",
                                         "tcp",     "timer", "tty",   "udp",      "signal"};
enum {
    TYPE_ASYNC = 1,
    TYPE_PIPE = 7,
    TYPE_POLL = 8,
    TYPE_PROCESS = 10,
    TYPE_STREAM = 11,
    TYPE_TCP = 12,
    TYPE_TTY = 14,
    TYPE_UDP = 15,
    TYPE_SIGNAL = 16,
    TYPES = sizeof(type_names) / sizeof(type_names[0])
};

enum { /* handle flags */
       CLOSING = 1,
       CLOSED = 2,
       ACTIVE = 4,
       REF = 8,
       INTERNAL = 16,
       READABLE = 0x4000,
       WRITABLE = 0x8000
};

struct ring {
    const struct pm_mem *mem;
    pm_addr loop;
    PM_VEC(struct pm_uv_handle) handles;
    bool has_own; /* the handle inside of the loop */
    bool no_memory;
};

static bool read_link(const struct pm_mem *mem, pm_addr at, pm_addr *next, pm_addr *prev) {
    return pm_mem_u64(mem, at, next) && pm_mem_u64(mem, at + 8, prev);
}

/* uv__io_t: callback, two queues, wanted events, ready events, fd. The loop's table of watchers leads from
 * the fd back to it, while it watches. */
static int64_t fd_of(const struct pm_mem *mem, pm_addr handle, uint32_t type) {
    uint32_t fd, offset = type == TYPE_POLL  ? 104
                          : type == TYPE_UDP ? 128
                          : type == TYPE_TCP || type == TYPE_PIPE || type == TYPE_TTY || type == TYPE_STREAM
                              ? 136
                              : 0;
    if (!offset || !pm_mem_u32(mem, handle + offset + 48, &fd)) return -1;
    return (int32_t)fd >= 0 && fd < 1u << 30 ? (int64_t)fd : -1;
}

static bool read_handle(struct ring *ring, pm_addr queue) {
    const struct pm_mem *mem = ring->mem;
    struct pm_uv_handle handle = {.address = queue - HANDLE_QUEUE, .fd = -1, .number = -1};
    pm_addr loop;
    uint32_t type, flags, number;
    if (!pm_mem_u64(mem, handle.address, &handle.data) || !pm_mem_u64(mem, handle.address + 8, &loop) ||
        !pm_mem_u32(mem, handle.address + 16, &type) || !pm_mem_u32(mem, handle.address + 88, &flags) ||
        loop != ring->loop || type == 0 || type >= TYPES)
        return false;
    handle.type = type_names[type];
    handle.active = flags & ACTIVE;
    handle.referenced = flags & REF;
    handle.closing = flags & (CLOSING | CLOSED);
    handle.internal = flags & INTERNAL;
    bool stream = type == TYPE_TCP || type == TYPE_PIPE || type == TYPE_TTY || type == TYPE_STREAM;
    uint64_t on_connection = 0, connect = 0;
    if (stream) (void)pm_mem_u64(mem, handle.address + 224, &on_connection);
    if (stream) (void)pm_mem_u64(mem, handle.address + 120, &connect);
    handle.listening = on_connection != 0;
    handle.connecting = connect != 0;
    handle.readable = stream && flags & READABLE;
    handle.writable = stream && flags & WRITABLE;
    handle.fd = fd_of(mem, handle.address, type);
    if (stream && !pm_mem_u64(mem, handle.address + 96, &handle.queued_bytes)) handle.queued_bytes = 0;
    if (type == TYPE_SIGNAL && pm_mem_u32(mem, handle.address + 104, &number)) handle.number = number;
    if (type == TYPE_PROCESS && pm_mem_u32(mem, handle.address + 104, &number)) handle.number = number;
    ring->has_own |= type == TYPE_ASYNC && handle.address > loop && handle.address < loop + LOOP_SIZE;
    if (!pm_vec_push(&ring->handles, handle)) ring->no_memory = true;
    return !ring->no_memory;
}

/* Does a loop begin here? Then its handles are read. */
static bool read_ring(struct ring *ring) {
    pm_addr head = ring->loop + 16, at, prev, next, back;
    uint32_t active;
    ring->has_own = false;
    ring->handles.count = 0;
    if (!read_link(ring->mem, head, &at, &prev) || at == head || at % 8 != 0 || prev % 8 != 0) return false;
    if (!pm_mem_u32(ring->mem, ring->loop + 8, &active)) return false;
    for (pm_addr from = head; at != head; from = at, at = next) {
        if (at % 8 != 0 || !read_link(ring->mem, at, &next, &back) || back != from) return false;
        if (ring->handles.count >= PM_MAX_UV_HANDLES || !read_handle(ring, at)) return false;
    }
    return ring->has_own && prev == ring->handles.items[ring->handles.count - 1].address + HANDLE_QUEUE &&
           active <= ring->handles.count;
}

static bool is_loop(struct ring *ring, pm_addr at) {
    if (at % 8 != 0 || at < 4096) return false;
    ring->loop = at;
    return read_ring(ring);
}

pm_addr pm_uv_default_loop(const struct pm_modules *modules) {
    pm_addr address;
    return pm_modules_symbol(modules, "default_loop_struct", &address, NULL, NULL) ? address : 0;
}

struct pm_error *pm_uv_loop_find(const struct pm_core *core, const struct pm_core_thread *thread,
                                 pm_addr guess, struct pm_uv_loop *ret) {
    const struct pm_arch *arch = pm_arch(pm_core_info(core)->machine);
    struct ring ring = {.mem = pm_core_memory(core)};
    *ret = (struct pm_uv_loop){0};
    pm_addr sp = arch ? thread->regs.value[arch->public.sp] & ~(pm_addr)7 : 0, last = 0;
    const struct pm_mem_range *stack = sp ? pm_mem_find(ring.mem, sp) : NULL;
    bool found = false;
    pm_addr low = stack && stack->end - sp > STACK_MOST ? stack->end - STACK_MOST : sp;
    for (pm_addr at = stack && stack->bytes ? stack->end - 8 : 0; at && at >= low && !found; at -= 8) {
        uint64_t word;
        if (!pm_mem_u64(ring.mem, at, &word) || word == last) continue;
        last = word;
        found = is_loop(&ring, word);
        if (ring.no_memory) break;
    }
    for (unsigned i = 0; i < PM_REG_COUNT && !found && !ring.no_memory; i++)
        found = pm_regs_has(&thread->regs, i) && is_loop(&ring, thread->regs.value[i]);
    if (!found && !ring.no_memory) found = is_loop(&ring, guess);
    uint32_t backend = 0;
    if (found) {
        *ret = (struct pm_uv_loop){
            .address = ring.loop, .handles = ring.handles.items, .handle_count = ring.handles.count};
        (void)pm_mem_u32(ring.mem, ring.loop + 8, &ret->active_handles);
        (void)pm_mem_u32(ring.mem, ring.loop + 32, &ret->active_requests);
        (void)pm_mem_u32(ring.mem, ring.loop + 64, &backend);
        ret->backend_fd = (int)backend;
        return NULL;
    }
    pm_vec_deinit(&ring.handles);
    return ring.no_memory ? pm_error_nomem() : NULL;
}

void pm_uv_loop_deinit(struct pm_uv_loop *loop) {
    free(loop->handles);
    *loop = (struct pm_uv_loop){0};
}

/* uv__work: what to do, what to do then, the loop, the queue. libuv keeps slow work (name lookups) in a
 * second queue, for which a marker stands in the first one. */
static bool walk_queue(const struct pm_modules *modules, const struct pm_mem *mem, const char *name,
                       pm_addr skip, void (*visit)(void *context, pm_addr work), void *context) {
    pm_addr head, at, prev, work;
    uint64_t size;
    if (!pm_modules_symbol(modules, name, &head, &size, NULL) || size != 16 ||
        !read_link(mem, head, &at, &prev))
        return false;
    if (!at && !prev) return true; /* the pool never ran */
    pm_addr from = head;
    for (size_t i = 0; at != head && i < PM_MAX_UV_HANDLES; i++) {
        pm_addr next;
        if (!read_link(mem, at, &next, &prev) || prev != from) return i > 0;
        if (at != skip && pm_mem_u64(mem, at - 24, &work) && work) visit(context, work);
        from = at, at = next;
    }
    return true;
}

bool pm_uv_pool_queue(const struct pm_modules *modules, const struct pm_mem *mem,
                      void (*visit)(void *context, pm_addr work), void *context) {
    pm_addr marker = 0;
    (void)pm_modules_symbol(modules, "run_slow_work_message", &marker, NULL, NULL);
    return walk_queue(modules, mem, "wq", marker, visit, context) &&
           walk_queue(modules, mem, "slow_io_pending_wq", 0, visit, context);
}
