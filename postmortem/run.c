#include "postmortem/run.h"

#include "postmortem/batch.h"
#include "postmortem/death.h"
#include "postmortem/detect/detector.h"
#include "postmortem/incident.h"
#include "postmortem/join.h"
#include "postmortem/process.h"

/* The isolate of a thread is known from the thread's stack. */
static void link_isolates(struct pm_diagnosis *diagnosis) {
    for (size_t i = 0; i < diagnosis->isolate_count; i++)
        for (size_t k = 0; k < diagnosis->thread_count; k++) {
            const struct pm_thread *thread = &diagnosis->threads[k];
            bool runs_it = thread->role == PM_ROLE_MAIN || thread->role == PM_ROLE_WORKER;
            if (runs_it && thread->isolate == diagnosis->isolates[i].address)
                diagnosis->isolates[i].tid = thread->tid;
        }
}

static struct pm_error *open_core(struct pm_session *session) {
    struct pm_diagnosis *diagnosis = session->diagnosis;
    PM_TRY(pm_session_open_core(session));
    pm_diagnosis_problem(diagnosis, pm_process_read(session->core, diagnosis));
    if (!(session->options->command->open & PM_OPEN_V8)) return NULL;
    PM_TRY(pm_session_open_modules(session)); /* a wrong --exe ends the run: the user can mend that at once */
    pm_session_open_v8(session);
    return NULL;
}

/* The open files of one incident. */
static struct pm_error *analyse_incident(struct pm_session *session) {
    const struct pm_command *command = session->options->command;
    struct pm_heap_view heap;
    if (session->input) PM_TRY(open_core(session));
    struct pm_error *err = command->run(session);
    pm_diagnosis_problem(session->diagnosis, PM_TAKE(session->v8_failure));
    if (err) return err;
    link_isolates(session->diagnosis);
    pm_session_say(session, "examining the death");
    if (session->core) pm_death_examine(session);
    if (command->open & PM_OPEN_GRAPH) err = pm_session_graph(session);
    if (command->open & PM_OPEN_GRAPH && !err) err = pm_session_heap_rows(session, &PM_USUAL_TREE_CUT);
    if (err && !session->core && !pm_session_has_facts(session)) return err; /* nothing else to say */
    pm_diagnosis_problem(session->diagnosis, err);
    pm_join_process(session->diagnosis);
    if (!(command->sections & PM_SHOW_FINDINGS) && session->options->fail_on < 0) return NULL;
    pm_session_say(session, "looking for findings");
    bool has_names = !session->graph || !session->graph->names_lost;
    if (!has_names)
        pm_diagnosis_skip(session->diagnosis, "findings about the heap", PM_UNKNOWN, PM_UNKNOWN,
                          "objects cannot be told apart without their names");
    pm_detect(session->diagnosis, has_names && pm_session_view(session, &heap) ? &heap : NULL);
    pm_join_findings(session->diagnosis);
    return NULL;
}

/* Another incident: it borrows the open files. */
static void analyse_other(const struct pm_session *session, size_t group) {
    struct pm_session own = {.options = session->options,
                             .diagnosis = session->diagnosis->others[group - 1],
                             .progress = session->progress};
    for (size_t i = 0; i < session->file_count; i++) {
        const struct pm_session_file *file = &session->files[i];
        if (file->group != group) continue;
        if (file->format->use == PM_USE_CORE) own.input = file->input;
        if (file->format->use == PM_USE_SNAPSHOT) own.snapshot = file->input;
    }
    pm_diagnosis_problem(own.diagnosis, analyse_incident(&own));
    pm_session_close(&own);
}

static struct pm_error *analyse(struct pm_session *session) {
    const struct pm_command *command = session->options->command;
    if (!session->options->file_count || command->finds_files) return analyse_incident(session);
    PM_TRY(pm_session_open_inputs(session));
    if (command->incidents) pm_diagnosis_problem(session->diagnosis, pm_incident_split(session));
    for (size_t i = 1; i <= session->diagnosis->other_count; i++) analyse_other(session, i);
    return analyse_incident(session);
}

/* Hashes of what the files say: the same at every level of redaction. */
static void identify(struct pm_diagnosis *diagnosis) {
    pm_signature_write(diagnosis);
    pm_batch_describe(diagnosis);
}

/* Secrets leave the diagnosis before anything is written; the verdict is put together from what stays. */
static void redact(struct pm_redactor *redactor, bool heap_strings, struct pm_diagnosis *diagnosis) {
    for (size_t i = 0; i < diagnosis->other_count; i++)
        pm_redact_diagnosis(redactor, heap_strings, diagnosis->others[i]);
    pm_redact_diagnosis(redactor, heap_strings, diagnosis);
}

struct pm_error *pm_run(const struct pm_options *options, pm_progress *progress,
                        struct pm_diagnosis *diagnosis) {
    struct pm_session session = {.options = options, .diagnosis = diagnosis, .progress = progress};
    struct pm_redactor *redactor PM_AUTO(redactor) = NULL;
    PM_TRY(pm_redactor_create(options->redaction, &redactor)); /* nothing may be shown without */
    struct pm_error *err = analyse(&session);
    bool whole = !err && !diagnosis->batch;
    pm_session_close(&session);
    for (size_t i = 0; i < diagnosis->other_count; i++) identify(diagnosis->others[i]);
    if (whole) identify(diagnosis);
    redact(redactor, options->writer->ticket || options->redaction_given, diagnosis);
    for (size_t i = 0; i < diagnosis->other_count; i++) pm_verdict_write(diagnosis->others[i]);
    if (whole) pm_verdict_write(diagnosis);
    return pm_redact_error(redactor, err);
}
