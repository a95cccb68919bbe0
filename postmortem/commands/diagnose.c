#include "postmortem/commands.h"
#include "postmortem/report/writer.h"

static struct pm_error *run(struct pm_session *session) {
    pm_diagnosis_problem(session->diagnosis, pm_session_stacks(session));
    pm_diagnosis_problem(session->diagnosis, pm_session_heap(session, false));
    for (size_t i = 0; i < session->diagnosis->thread_count; i++) {
        const struct pm_thread *thread = &session->diagnosis->threads[i];
        if (thread->role == PM_ROLE_MAIN && thread->state == PM_STATE_POLLING)
            pm_diagnosis_problem(session->diagnosis, pm_session_loops(session));
    }
    return NULL;
}

const struct pm_command pm_command_diagnose = {
    .name = "diagnose",
    .arguments = "FILE...",
    .summary = "what died and how, where the memory is, what was running",
    .details = "Inputs are told apart by content; a core may be compressed (gzip, zstd, lz4, xz, bzip2). The "
               "binary is looked for "
               "in --exe, below --sysroot, beside the core and at its recorded path, and used only when its "
               "build-id fits.",
    .examples = (const char *const[]){"core.4711", "core.zst --sysroot /tmp/image",
                                      "diagnose core --format markdown -o ticket.md", NULL},
    .incidents = true,
    .least_files = 1,
    .most_files = 4096,
    .open = PM_OPEN_CORE | PM_OPEN_V8 | PM_OPEN_GRAPH,
    .sections = PM_SHOW_PROCESS | PM_SHOW_FINDINGS | PM_SHOW_SPACES | PM_SHOW_HISTOGRAM | PM_SHOW_DOMINATORS |
                PM_SHOW_STACK | PM_SHOW_DETAILS,
    .run = run,
};
