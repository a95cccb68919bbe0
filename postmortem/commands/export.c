/* export: what was read, in a form that other tools load.
 *
 * TO ADD A FORMAT: a row in the table below (and its name in the help of --as, options.c). */
#include <string.h>
#include <sys/stat.h>

#include "postmortem/base/escape.h"
#include "postmortem/base/output_file.h"
#include "postmortem/commands.h"
#include "postmortem/model/heap_answers.h"
#include "postmortem/options.h"
#include "postmortem/report/heapsnapshot_export.h"
#include "postmortem/report/profile_export.h"
#include "postmortem/report/writer.h"

static struct pm_error *export_heapsnapshot(struct pm_session *session, const char *path) {
    if (session->options->redaction == PM_REDACT_STRICT)
        return pm_error_hint(
            pm_error_create(PM_ERR_UNSUPPORTED, "export: a heap snapshot is made of the strings of the heap"),
            "Leave --redact=strict away, and the file in the house.");
    PM_TRY(pm_session_need_references(session));
    pm_session_say(session, "writing the snapshot");
    session->diagnosis->read_objects = session->graph->node_count - 1;
    return pm_heapsnapshot_export(session->graph, path);
}

/* The file leaves before everything else is redacted. */
static struct pm_error *redact(struct pm_session *session) {
    struct pm_redactor *redactor PM_AUTO(redactor) = NULL;
    PM_TRY(pm_redactor_create(session->options->redaction, &redactor));
    pm_redact_diagnosis(redactor, true, session->diagnosis);
    return NULL;
}

typedef struct pm_error *write_profile(const struct pm_profile *profile, FILE *out, uint64_t *cut_ret);

static struct pm_error *export_profile(struct pm_session *session, const char *path, write_profile *write) {
    struct pm_diagnosis *diagnosis = session->diagnosis;
    struct pm_output output;
    uint64_t cut = 0;
    if (!diagnosis->profile_count)
        return pm_error_hint(
            pm_error_create(PM_ERR_UNSUPPORTED, "%s: no profile, which this format is for",
                            session->files[0].input->path),
            "Of a .cpuprofile or .heapprofile; --as heapsnapshot exports the heap of a core.");
    pm_session_say(session, "writing the profile");
    PM_TRY(redact(session));
    PM_TRY(pm_output_open(path, &output));
    PM_TRY(pm_output_close(&output, write(diagnosis->profiles[0], output.file, &cut)));
    if (cut)
        pm_diagnosis_skip(diagnosis, "outermost frames of very deep call paths", cut, PM_UNKNOWN,
                          "a path has at most 2,048 frames in the export");
    return NULL;
}

static struct pm_error *export_folded(struct pm_session *session, const char *path) {
    return export_profile(session, path, pm_profile_write_folded);
}

static struct pm_error *export_pprof(struct pm_session *session, const char *path) {
    return export_profile(session, path, pm_profile_write_pprof);
}

static const struct export_kind {
    const char *name; /* what --as takes */
    struct pm_error *(*run)(struct pm_session *session, const char *path);
} kinds[] = {
    {"heapsnapshot", export_heapsnapshot},
    {"folded", export_folded},
    {"pprof", export_pprof},
};
static const size_t kind_count = sizeof(kinds) / sizeof(kinds[0]);

static struct pm_error *unknown_kind(const char *name) {
    PM_AUTO_STRBUF struct pm_strbuf known = {0}, shown = {0};
    for (size_t i = 0; i < kind_count; i++) pm_strbuf_appendf(&known, "%s%s", i ? ", " : "", kinds[i].name);
    pm_escape_terminal(&shown, name, strlen(name));
    return pm_error_hint(pm_error_create(PM_ERR_UNSUPPORTED, "export: no format '%s'; there is: %s",
                                         pm_strbuf_text(&shown), pm_strbuf_text(&known)),
                         "postmortem export --help");
}

static struct pm_error *run(struct pm_session *session) {
    const struct pm_options *options = session->options;
    struct pm_diagnosis *diagnosis = session->diagnosis;
    const struct export_kind *kind = NULL;
    struct stat info;
    for (size_t i = 0; i < kind_count; i++)
        if (!strcmp(kinds[i].name, options->export_as)) kind = &kinds[i];
    if (!kind) return unknown_kind(options->export_as);
    PM_TRY(kind->run(session, options->output));
    struct pm_export *done = pm_arena_alloc(diagnosis->arena, sizeof(*done));
    if (!done) return pm_error_nomem();
    *done = (struct pm_export){.path = pm_arena_strdup(diagnosis->arena, options->output),
                               .format = kind->name,
                               .bytes = stat(options->output, &info) == 0 && S_ISREG(info.st_mode)
                                            ? (uint64_t)info.st_size
                                            : PM_UNKNOWN};
    diagnosis->exported = done;
    return NULL;
}

const struct pm_command pm_command_export = {
    .name = "export",
    .arguments = "FILE --as FORMAT -o OUTPUT",
    .summary = "the same data for other tools: --as heapsnapshot, folded, pprof",
    .details =
        "heapsnapshot: the heap of a core (or of a snapshot) as a .heapsnapshot, which Chrome DevTools "
        "(Memory, "
        "Load profile) and memlab open. It holds the strings of the heap, secrets too, so there is none at "
        "--redact=strict. "
        "folded, pprof: a CPU or heap profile for flamegraph.pl, inferno, speedscope; for go tool pprof, "
        "Pyroscope, Parca.",
    .examples = (const char *const[]){"export core.4711 --as heapsnapshot -o app.heapsnapshot",
                                      "export app.cpuprofile --as pprof -o app.pb.gz",
                                      "export app.heapprofile --as folded -o app.folded", NULL},
    .least_files = 1,
    .most_files = 1,
    .writes_file = true,
    .open = PM_OPEN_CORE | PM_OPEN_V8,
    .sections = PM_SHOW_EXPORT,
    .run = run,
};
