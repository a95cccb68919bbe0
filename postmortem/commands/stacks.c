#include "postmortem/commands.h"
#include "postmortem/report/writer.h"

static struct pm_error *run(struct pm_session *session) {
    return pm_session_stacks(session);
}

const struct pm_command pm_command_stacks = {
    .name = "stacks",
    .arguments = "CORE",
    .summary = "every thread: native and JavaScript frames woven together",
    .details = "Frames of V8's and Node's plumbing are counted, -v shows them, with tiers, modules and "
               "arguments. A line with ~ is "
               "the nearest known one.",
    .examples = (const char *const[]){"stacks core.4711", "stacks core.4711 -v --limit 0", NULL},
    .least_files = 1,
    .most_files = 1,
    .open = PM_OPEN_CORE | PM_OPEN_V8,
    .sections = PM_SHOW_THREADS,
    .run = run,
};
