/* compare: what grew between two or three heaps, cores and snapshots mixed, each closed before the next is
 * opened; or between reports, or profiles. */
#include <string.h>

#include "postmortem/commands.h"
#include "postmortem/model/heap_compare.h"
#include "postmortem/model/profile_compare.h"
#include "postmortem/options.h"
#include "postmortem/report/writer.h"
#include "postmortem/report_process.h"

#define USUAL_ROWS 25

static bool is_heap(const struct pm_session_file *file) {
    return file->format && (file->format->use == PM_USE_CORE || file->format->use == PM_USE_SNAPSHOT);
}

/* What could not be read of one heap is a problem of the whole, with the file's name. */
static void take_problems(struct pm_diagnosis *diagnosis, const struct pm_diagnosis *scratch,
                          const char *path) {
    for (size_t i = 0; i < scratch->problem_count; i++)
        pm_diagnosis_problem(diagnosis, pm_error_create(PM_ERR_FORMAT, "%s", scratch->problems[i].message));
    for (size_t i = 0; i < scratch->skipped_count; i++) {
        const struct pm_skipped *row = &scratch->skipped[i];
        const char *what = pm_arena_printf(diagnosis->arena, "%s: %s", path, row->what);
        pm_diagnosis_skip(diagnosis, what ? what : row->what, row->count, row->bytes, row->why);
    }
}

static struct pm_error *read_one(struct pm_session *session, const struct pm_session_file *file,
                                 struct pm_heap_sheet *sheets, size_t at, size_t most,
                                 struct pm_heap_comparison *comparison) {
    struct pm_diagnosis *diagnosis = session->diagnosis;
    struct pm_diagnosis *scratch PM_AUTO(diagnosis) = pm_diagnosis_create();
    struct pm_heap_tree tree;
    struct pm_session one;
    if (!scratch) return pm_error_nomem();
    struct pm_error *err = pm_session_open_heap(session, file, scratch, &one);
    if (!err && pm_session_tree(&one, &tree)) {
        err = pm_heap_sheet_make(&tree, diagnosis->arena, &sheets[at]);
        if (!err && at == 2)
            err = pm_heap_survivors(&tree, &sheets[0], &sheets[1], &sheets[2], most, diagnosis->arena,
                                    comparison);
    }
    pm_session_close(&one);
    take_problems(diagnosis, scratch, file->input->path);
    return err;
}

static struct pm_error *compare(struct pm_session *session, struct pm_heap_sheet *sheets,
                                struct pm_heap_comparison *comparison) {
    struct pm_diagnosis *diagnosis = session->diagnosis;
    size_t most = session->options->limit ? session->options->limit : USUAL_ROWS;
    diagnosis->read_objects = 0;
    for (size_t i = 0; i < session->file_count; i++) {
        PM_TRY(read_one(session, &session->files[i], sheets, i, most, comparison));
        comparison->inputs[i].path = pm_arena_strdup(diagnosis->arena, session->files[i].input->path);
        diagnosis->read_objects += sheets[i].objects;
    }
    return pm_heap_compare(sheets, session->file_count, most, diagnosis->arena, comparison);
}

/* Are all files of one of these formats, and was each read? */
static bool all_are(const struct pm_session *session, const char *const *names, size_t facts) {
    for (size_t i = 0; i < session->file_count; i++) {
        const struct pm_format *format = session->files[i].format;
        bool is = false;
        for (size_t k = 0; names[k]; k++) is |= format && strcmp(format->name, names[k]) == 0;
        if (!is) return false;
    }
    return facts == session->file_count && facts >= 2;
}

static struct pm_error *compare_profiles(struct pm_diagnosis *diagnosis) {
    const struct pm_profile *first = diagnosis->profiles[0],
                            *last = diagnosis->profiles[diagnosis->profile_count - 1];
    if (first->kind != last->kind)
        return pm_error_create(PM_ERR_UNSUPPORTED,
                               "compare: a heap profile and a CPU profile have nothing in "
                               "common");
    diagnosis->profile_comparison = pm_arena_alloc(diagnosis->arena, sizeof(*diagnosis->profile_comparison));
    if (!diagnosis->profile_comparison) return pm_error_nomem();
    struct pm_error *err = pm_profile_compare(first, last, diagnosis->arena, diagnosis->profile_comparison);
    if (err) diagnosis->profile_comparison = NULL;
    return err;
}

static struct pm_error *compare_heaps(struct pm_session *session) {
    struct pm_heap_sheet sheets[PM_COMPARED] = {0};
    for (size_t i = 0; i < session->file_count; i++)
        if (!is_heap(&session->files[i]))
            return pm_error_hint(
                pm_error_create(PM_ERR_UNSUPPORTED,
                                "%s: compare reads cores and heap snapshots, or reports, or profiles",
                                session->files[i].input->path),
                "Cores and heap snapshots may be mixed; reports are compared with reports, CPU profiles with "
                "CPU profiles, heap profiles with heap profiles.");
    struct pm_heap_comparison *comparison = pm_arena_alloc(session->diagnosis->arena, sizeof(*comparison));
    if (!comparison) return pm_error_nomem();
    struct pm_error *err = compare(session, sheets, comparison);
    for (size_t i = 0; i < PM_COMPARED; i++) pm_heap_sheet_deinit(&sheets[i]);
    if (!err) session->diagnosis->comparison = comparison;
    return err;
}

static struct pm_error *run(struct pm_session *session) {
    static const char *const reports[] = {"report", NULL}, *const profiles[] = {"cpuprofile", "heapprofile",
                                                                                "prof-log", NULL};
    struct pm_diagnosis *diagnosis = session->diagnosis;
    if (all_are(session, reports, diagnosis->report_count)) return pm_report_find_comparison(diagnosis, true);
    if (all_are(session, profiles, diagnosis->profile_count)) return compare_profiles(diagnosis);
    return compare_heaps(session);
}

const struct pm_command pm_command_compare = {
    .name = "compare",
    .arguments = "FILE FILE [FILE]",
    .summary = "what grew between two or three heaps, two reports, or two profiles",
    .details =
        "Oldest first. Growth counts each object's own size once, with the class of the object that keeps "
        "it, so "
        "that it adds up. Three snapshots of one process: what appeared between the first and the second and "
        "is "
        "still there in the third, which is what leaks look like. Objects of cores move, so three cores are "
        "compared by class. Of diagnostic reports the first and the last are compared: memory, spaces, CPU "
        "time, handles. Of CPU or heap profiles likewise: functions and packages; --format html adds a "
        "differential flame graph.",
    .examples =
        (const char *const[]){"compare before.heapsnapshot after.heapsnapshot",
                              "compare 1.heapsnapshot 2.heapsnapshot 3.heapsnapshot",
                              "compare core.monday core.tuesday --limit 50",
                              "compare report.1.json report.2.json",
                              "compare before.cpuprofile after.cpuprofile --format html -o diff.html", NULL},
    .least_files = 2,
    .most_files = PM_COMPARED,
    .many_heaps = true,
    .sections = PM_SHOW_COMPARISON,
    .run = run,
};
