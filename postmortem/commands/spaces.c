#include "postmortem/commands.h"
#include "postmortem/report/writer.h"

static struct pm_error *run(struct pm_session *session) {
    PM_TRY(pm_session_need_v8(session));
    return pm_session_heap(session, true);
}

const struct pm_command pm_command_spaces = {
    .name = "spaces",
    .arguments = "CORE",
    .summary = "V8's heap spaces: pages, committed, used, free; limits",
    .details = "Names are those of v8.getHeapSpaceStatistics(). A low share of used bytes is fragmentation: "
               "pages that are kept for "
               "few objects.",
    .examples = (const char *const[]){"spaces core.4711", "spaces core.4711 --format json", NULL},
    .least_files = 1,
    .most_files = 1,
    .open = PM_OPEN_CORE | PM_OPEN_V8,
    .sections = PM_SHOW_SPACES,
    .run = run,
};
