#include "postmortem/commands.h"
#include "postmortem/options.h"
#include "postmortem/report/writer.h"

#define USUAL_ROWS 60

static struct pm_error *run(struct pm_session *session) {
    const struct pm_options *options = session->options;
    struct pm_tree_cut cut = {
        .least_share = 0.01, .most_rows = options->limit ? options->limit : USUAL_ROWS, .most_depth = 40};
    if (options->limit || options->has_object) cut.least_share = 0;
    if (!session->snapshot) PM_TRY(pm_session_heap(session, true));
    PM_TRY(pm_session_need_graph(session));
    if (options->has_object) PM_TRY(pm_session_find(session, &cut.under));
    return pm_session_heap_rows(session, &cut);
}

const struct pm_command pm_command_dominators = {
    .name = "dominators",
    .arguments = "FILE [--under OBJECT]",
    .summary = "who keeps the memory: the dominator tree, largest first",
    .details =
        "An object stands below the one without which it would be garbage; retained is what would be freed "
        "with "
        "it, memory outside the heap included. Shown are objects that retain 1 % of the heap or more; with "
        "--limit N the N largest, whatever their size; with --under OBJECT what one object keeps alive.",
    .examples =
        (const char *const[]){"dominators core.4711", "dominators core.4711 --under 0x3f1c44a0 --limit 100",
                              "dominators app.heapsnapshot --under @4711", NULL},
    .least_files = 1,
    .most_files = 1,
    .open = PM_OPEN_CORE | PM_OPEN_V8,
    .sections = PM_SHOW_DOMINATORS,
    .run = run,
};
