/* node_env.h - what the event loop of Node.js waits for, as the program knows it: the JavaScript objects
 * behind libuv's handles, timers, async functions that wait.
 *
 *   uv_handle_t.data -> HandleWrap (C++) -> persistent handle -> TCP {} -> owner_symbol -> Socket {}
 *                            ^                                   |
 *                            +--------- embedder field ----------+     both ways, or it is not believed
 *
 * Timers are no handles of their own: Node.js has one uv_timer_t and lists of Timeout objects in the heap,
 * which are found by a walk over it, as are suspended async functions. The walk does not know what is
 * garbage: what nobody can resume any more counts, until V8 has collected it. */
#ifndef PM_V8LAYOUT_NODE_ENV_H
#define PM_V8LAYOUT_NODE_ENV_H

#include "postmortem/model/event_loop.h"
#include "v8layout/heap.h"

/* "Server, listening at 0.0.0.0:3000", "Socket: ClientRequest GET /slow of localhost waits": what the program
 * knows of a handle; NULL = nothing, or not readable. class_ret: of the object in the program ("Server"),
 * NULL. */
const char *v8_handle_detail(const struct v8 *v8, pm_addr wrap, struct pm_arena *arena,
                             const char **class_ret);

/* Timers and suspended async functions of an isolate (an index): rows by place, most first. */
struct pm_error *v8_loop_waits(const struct v8 *v8, uint32_t isolate, struct pm_arena *arena,
                               struct pm_event_loop *loop);

#endif
