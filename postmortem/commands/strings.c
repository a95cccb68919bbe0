#include "postmortem/commands.h"
#include "postmortem/model/string_census.h"
#include "postmortem/options.h"
#include "postmortem/report/writer.h"

#define USUAL_ROWS 10

static struct pm_error *run(struct pm_session *session) {
    const struct pm_options *options = session->options;
    struct pm_diagnosis *diagnosis = session->diagnosis;
    struct pm_heap_tree tree;
    PM_TRY(pm_session_need_graph(session));
    if (!pm_session_tree(session, &tree)) return NULL;
    struct pm_string_census *census = pm_arena_alloc(diagnosis->arena, sizeof(*census));
    if (!census) return pm_error_nomem();
    pm_session_say(session, "reading the strings");
    PM_TRY(
        pm_string_census_make(&tree, options->limit ? options->limit : USUAL_ROWS, diagnosis->arena, census));
    diagnosis->strings = census;
    return NULL;
}

const struct pm_command pm_command_strings = {
    .name = "strings",
    .arguments = "FILE",
    .summary = "duplicate texts, huge strings, slices that keep their parents, ropes",
    .details = "Wasted is what one copy of each text would save, and strings that only slices of them keep. "
               "A rope is a "
               "text put together piece by piece (a += b), which V8 keeps in pieces of 32 bytes until it is "
               "read. Of a "
               "heap snapshot only the first 1,024 characters of a text are known.",
    .examples =
        (const char *const[]){"strings core.4711", "strings app.heapsnapshot --limit 50 --format json", NULL},
    .least_files = 1,
    .most_files = 1,
    .open = PM_OPEN_CORE | PM_OPEN_V8,
    .sections = PM_SHOW_STRINGS,
    .run = run,
};
