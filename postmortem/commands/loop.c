#include "postmortem/commands.h"
#include "postmortem/report/writer.h"

static struct pm_error *run(struct pm_session *session) {
    PM_TRY(pm_session_stacks(session));
    if (!session->diagnosis->thread_count)
        return pm_error_create(PM_ERR_UNSUPPORTED, "the event loop could not be read: there is no stack");
    return pm_session_loops(session);
}

const struct pm_command pm_command_loop = {
    .name = "loop",
    .arguments = "CORE",
    .summary = "what the event loop waits for: handles, requests, timers, await",
    .details =
        "Handles are libuv's, with their file descriptor and what the program knows of them. Handles that "
        "do not keep the process alive are counted, -v shows them. Timers and async functions that wait are "
        "looked for "
        "in the whole heap, so some of them may be garbage that V8 has not collected yet.",
    .examples = (const char *const[]){"loop core.4711", "loop core.4711 -v --format json", NULL},
    .least_files = 1,
    .most_files = 1,
    .open = PM_OPEN_CORE | PM_OPEN_V8,
    .sections = PM_SHOW_LOOP,
    .run = run,
};
