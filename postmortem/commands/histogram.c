#include "postmortem/commands.h"
#include "postmortem/heap_groups.h"
#include "postmortem/options.h"
#include "postmortem/report/writer.h"

static struct pm_error *run(struct pm_session *session) {
    struct pm_tree_cut none = {.least_share = 1};
    if (!session->snapshot) {
        PM_TRY(pm_session_need_v8(session));
        PM_TRY(pm_session_heap(session, false));
    }
    bool by_constructor = session->options->by == PM_BY_CONSTRUCTOR;
    struct pm_error *err = by_constructor ? pm_session_need_objects(session) : pm_session_need_graph(session);
    if (!err) err = pm_session_graph(session);
    if (!err) err = pm_session_heap_rows(session, &none);
    if (!err && !by_constructor) return pm_heap_group(session);
    if (!err || session->snapshot) return err;
    pm_diagnosis_problem(session->diagnosis, err); /* counts and sizes are there without retained sizes */
    return NULL;
}

const struct pm_command pm_command_histogram = {
    .name = "histogram",
    .arguments = "FILE",
    .summary = "objects by constructor, package, script or space",
    .details = "Names are those of V8's own heap snapshot, so that the two can be compared row by row: user "
               "classes, (closure), (string), (array), (object shape) and so on. Retained is what would be "
               "freed if all "
               "objects of the row went. --by package: the npm package whose function made the object "
               "(closures: that "
               "defines them); what V8 or Node made, as plain objects, arrays and strings, is (none). --by "
               "space reads "
               "cores only.",
    .examples = (const char *const[]){"histogram core.4711 --limit 20", "histogram core.4711 --by package",
                                      "histogram app.heapsnapshot --by script", NULL},
    .least_files = 1,
    .most_files = 1,
    .open = PM_OPEN_CORE | PM_OPEN_V8,
    .sections = PM_SHOW_HISTOGRAM,
    .run = run,
};
