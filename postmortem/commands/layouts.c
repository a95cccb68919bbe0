#include "postmortem/commands.h"
#include "postmortem/options.h"
#include "postmortem/report/writer.h"
#include "v8layout/releases.h"
#include "v8layout/summary.h"

static struct pm_error *run(struct pm_session *session) {
    if (!session->options->file_count) return v8_known_releases(session->diagnosis);
    PM_TRY(pm_session_need_v8(session));
    return v8_explain(session->v8, session->diagnosis);
}

const struct pm_command pm_command_layouts = {
    .name = "layouts",
    .arguments = "[--explain CORE]",
    .summary = "the V8 releases tested; where a core's layout comes from",
    .details = "Layouts are discovered in each core and validated on it, never looked up by version. "
               "Origins: published (the binary "
               "says so), discovered (the core's own structure shows it), variant (one of the shapes that "
               "ever existed, the one "
               "that fits), known build.",
    .examples = (const char *const[]){"layouts --explain core.4711", NULL},
    .least_files = 0,
    .most_files = 0,
    .open = PM_OPEN_CORE | PM_OPEN_V8,
    .sections = PM_SHOW_LAYOUT,
    .run = run,
};
