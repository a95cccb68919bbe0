/* event_loop.h - what an event loop waits for: handles, requests, timers, the thread pool, async functions.
 */
#ifndef PM_MODEL_EVENT_LOOP_H
#define PM_MODEL_EVENT_LOOP_H

#include "postmortem/model/diagnosis.h"

struct pm_loop_handle {
    pm_addr address;
    const char *type;       /* libuv's: "tcp", "pipe", "timer", "process" ... */
    const char *class_name; /* of the object of the program behind it: "Server", "Socket"; NULL */
    const char *detail;     /* what the program knows of it: "listening at :::3000"; NULL */
    bool active, referenced, closing, internal;
    bool listening, connecting, readable, writable;
    uint64_t fd;           /* PM_UNKNOWN = none */
    uint64_t pid;          /* of a child process; PM_UNKNOWN */
    uint64_t signal;       /* that it waits for; PM_UNKNOWN */
    uint64_t queued_bytes; /* written, and not yet taken by the kernel */
};

/* Timers or suspended functions of one place. */
struct pm_loop_timer {
    const char *kind;     /* "timeout", "interval", "immediate" */
    const char *function; /* that it calls; NULL */
    struct pm_position position;
    uint64_t milliseconds; /* PM_UNKNOWN */
    uint64_t count;
    bool referenced; /* keeps the process alive */
};
struct pm_loop_wait {
    const char *function;
    struct pm_position position; /* of the `await` */
    uint64_t count;
};

struct pm_event_loop {
    uint64_t tid;
    bool is_main;
    pm_addr isolate; /* 0 = not known */
    pm_addr address;
    enum pm_state_kind state;                 /* of its thread */
    uint64_t active_handles, active_requests; /* as libuv counts them: handles that keep it alive */
    struct pm_loop_handle *handles;
    size_t handle_count;
    bool has_heap; /* timers and waits were looked for */
    struct pm_loop_timer *timers;
    size_t timer_count;
    struct pm_loop_wait *waits;
    size_t wait_count;
};

/* All loops share one. */
struct pm_thread_pool {
    uint64_t size, busy; /* threads; PM_UNKNOWN */
    uint64_t queued;     /* PM_UNKNOWN = not readable */
    struct pm_pool_work {
        const char *what; /* "file system request" */
        uint64_t count;
    } * work; /* in the queue */
    size_t work_count;
};

#endif
