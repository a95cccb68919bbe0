#include "postmortem/commands.h"
#include "postmortem/report/writer.h"

static struct pm_error *run(struct pm_session *session) {
    PM_TRY(pm_session_need_v8(session));
    return pm_session_heap(session, false);
}

const struct pm_command pm_command_histogram = {
    .name = "histogram",
    .arguments = "FILE",
    .summary = "objects by constructor: count and shallow bytes",
    .details = "Names are those of V8's own heap snapshot, so that the two can be compared row by row: user "
               "classes, (closure), "
               "(string), (array), (object shape) and so on.",
    .examples = (const char *const[]){"histogram core.4711 --limit 20", NULL},
    .least_files = 1,
    .most_files = 1,
    .open = PM_OPEN_CORE | PM_OPEN_V8,
    .sections = PM_SHOW_HISTOGRAM,
    .run = run,
};
