/* Opening what a command needs: input, core, binaries, V8; and the steps that several commands share. */
#include <libgen.h>
#include <stdlib.h>
#include <string.h>

#include "postmortem/commands.h"
#include "postmortem/crash.h"
#include "postmortem/options.h"
#include "postmortem/run.h"
#include "v8layout/js_frames.h"
#include "v8layout/summary.h"

void pm_session_say(const struct pm_session *session, const char *what) {
    const struct pm_input *input = session->input ? session->input : session->snapshot;
    pm_crash_position(what, input ? input->path : NULL);
    if (session->progress) session->progress(what, 0, 0);
}

static void input_progress(void *context, uint64_t done) {
    const struct pm_session *session = context;
    if (session->progress) session->progress("unpacking", done, 0);
}

static struct pm_error *remember_input(struct pm_session *session, const struct pm_input *input,
                                       const char *kind) {
    struct pm_diagnosis *diagnosis = session->diagnosis;
    size_t wanted = session->options->file_count;
    if (!diagnosis->inputs)
        diagnosis->inputs = pm_arena_array(diagnosis->arena, wanted, sizeof(*diagnosis->inputs));
    if (!diagnosis->inputs || diagnosis->input_count >= wanted) return pm_error_nomem();
    diagnosis->inputs[diagnosis->input_count++] = (struct pm_input_info){
        .path = pm_arena_strdup(diagnosis->arena, input->path),
        .kind = kind,
        .bytes = input->file_size,
        .complete = !input->truncated,
    };
    return NULL;
}

/* Of several cores or snapshots the first is analysed: each is an incident of its own. */
static struct pm_error *take_heap(const struct pm_session *session, struct pm_input **place,
                                  const struct pm_session_file *file) {
    if (*place && session->options->command->incidents && file->format->use == PM_USE_CORE) return NULL;
    if (*place)
        return pm_error_hint(
            pm_error_create(PM_ERR_UNSUPPORTED, "%s: %s beside another one", file->input->path,
                            file->format->title),
            "One core is one incident: run the program once for each, or see the command compare.");
    *place = file->input;
    return NULL;
}

static struct pm_error *load_facts(struct pm_session *session, struct pm_session_file *file) {
    file->skipped_from = session->diagnosis->skipped_count;
    struct pm_error *err = file->format->load(file->input, session->diagnosis);
    file->skipped_to = session->diagnosis->skipped_count;
    return err;
}

static struct pm_error *open_input(struct pm_session *session, const char *path) {
    struct pm_session_file *file = &session->files[session->file_count];
    pm_crash_position("opening the input", path);
    PM_TRY(pm_input_open(path, input_progress, session, &file->input));
    session->file_count++;
    file->format = pm_format_of(file->input);
    PM_TRY(remember_input(session, file->input, file->format->name));
    bool is_heap = file->format->use == PM_USE_CORE || file->format->use == PM_USE_SNAPSHOT;
    if (is_heap && session->options->command->many_heaps) return NULL;
    switch (file->format->use) {
    case PM_USE_CORE: return take_heap(session, &session->input, file);
    case PM_USE_SNAPSHOT: return take_heap(session, &session->snapshot, file);
    case PM_USE_FACTS: return load_facts(session, file);
    case PM_USE_NONE: break;
    }
    return pm_error_hint(pm_error_create(PM_ERR_UNSUPPORTED, "%s: %s", path, file->format->title),
                         file->format->hint);
}

bool pm_session_has_facts(const struct pm_session *session) {
    const struct pm_diagnosis *diagnosis = session->diagnosis;
    return diagnosis->report_count || diagnosis->profile_count || diagnosis->gc_log_count ||
           diagnosis->pod_count;
}

struct pm_error *pm_session_open_inputs(struct pm_session *session) {
    const struct pm_options *options = session->options;
    struct pm_error *first = NULL;
    session->files = calloc(options->file_count, sizeof(*session->files));
    if (!session->files) return pm_error_nomem();
    for (size_t i = 0; i < options->file_count; i++) {
        struct pm_error *err = open_input(session, options->files[i]);
        if (err && !first)
            first = err; /* may be the only thing there is to say */
        else
            pm_diagnosis_problem(session->diagnosis, err);
    }
    if (options->command->many_heaps) return first;
    if (!session->input && !session->snapshot && !pm_session_has_facts(session)) return first;
    pm_diagnosis_problem(session->diagnosis, first);
    return NULL;
}

struct pm_error *pm_session_open_core(struct pm_session *session) {
    pm_session_say(session, "reading the core file");
    PM_TRY(pm_core_open(session->input, &session->core));
    struct pm_diagnosis *diagnosis = session->diagnosis;
    const struct pm_core_info *info = pm_core_info(session->core);
    for (size_t i = 0; i < diagnosis->input_count; i++) {
        struct pm_input_info *input = &diagnosis->inputs[i];
        if (!strcmp(input->kind, "core") && !strcmp(input->path, session->input->path))
            input->complete &= info->missing_bytes == 0;
    }
    if (info->missing_bytes)
        pm_diagnosis_skip(diagnosis, "end of the core", PM_UNKNOWN, info->missing_bytes,
                          "cut off: the disk was full, or the core limit too small");
    else if (session->input->truncated)
        pm_diagnosis_skip(diagnosis, "end of the compressed file", PM_UNKNOWN, PM_UNKNOWN, "cut off");
    return NULL;
}

/* A missing binary is the user's to fetch: the output says which file. */
static void note_missing_program(struct pm_session *session) {
    const struct pm_module *program = pm_modules_program(session->modules);
    if (!program || program->elf) return;
    char id[2 * sizeof(program->build_id) + 1] = "";
    for (size_t i = 0; i < program->build_id_length; i++)
        snprintf(id + 2 * i, 3, "%02x", program->build_id[i]);
    pm_diagnosis_problem(
        session->diagnosis,
        pm_error_hint(pm_error_create(PM_ERR_NOT_FOUND, "the program %s is not here%s%s%s", program->path,
                                      *id ? " (build-id " : "", id, *id ? ")" : ""),
                      "Fetch this file from the container image, put it beside the core or name it with "
                      "--exe (or the root of "
                      "the image with --sysroot)."));
}

struct pm_error *pm_session_open_modules(struct pm_session *session) {
    char *folder PM_AUTO_FREE = strdup(session->input->path);
    if (!folder) return pm_error_nomem();
    pm_session_say(session, "reading the binaries");
    struct pm_module_options options = {
        .exe = session->options->exe, .sysroot = session->options->sysroot, .beside = dirname(folder)};
    PM_TRY(pm_modules_open(session->core, &options, &session->modules));
    note_missing_program(session);
    return NULL;
}

void pm_session_open_v8(struct pm_session *session) {
    struct v8_options options = {.hide = session->options->hide_facts};
    struct pm_process *process = &session->diagnosis->process;
    pm_session_say(session, "finding the layout of V8");
    session->v8_failure = v8_open(session->core, session->modules, &options, &session->v8);
    /* The versions are in the binary, even where the heap is not readable. */
    struct v8_facts *facts = session->v8 ? session->v8->facts : NULL, *own = NULL;
    if (!facts) {
        struct pm_error *err = v8_facts_create(session->core, session->modules, options.hide, &own);
        facts = err ? NULL : own;
        pm_error_destroy(err);
    }
    if (facts) {
        process->node_version = pm_arena_strdup(session->diagnosis->arena, v8_facts_node_version(facts));
        process->v8_version = pm_arena_strdup(session->diagnosis->arena, v8_facts_v8_version(facts));
    }
    v8_facts_destroy(own);
}

void pm_session_close(struct pm_session *session) {
    pm_error_destroy(session->v8_failure);
    pm_dominator_children_destroy(session->children);
    pm_dominators_destroy(session->dominators);
    pm_graph_destroy(session->graph); /* borrows what follows */
    v8_close(session->v8);
    pm_modules_close(session->modules);
    pm_core_close(session->core);
    for (size_t i = 0; i < session->file_count; i++) pm_input_close(session->files[i].input);
    free(session->files);
}

/* Names of builtins and symbols may still stand in the mapped binary, which is closed before anything is
 * written. */
static struct pm_error *keep_names(struct pm_diagnosis *diagnosis) {
    for (size_t i = 0; i < diagnosis->thread_count; i++)
        for (size_t k = 0; k < diagnosis->threads[i].frame_count; k++) {
            struct pm_frame *frame = &diagnosis->threads[i].frames[k];
            const char *name = frame->function;
            frame->function = pm_arena_strdup(diagnosis->arena, name);
            if (name && !frame->function) return pm_error_nomem();
        }
    return NULL;
}

struct pm_error *pm_session_stacks(struct pm_session *session) {
    struct pm_unwinder *unwinder PM_AUTO(unwinder) = NULL;
    if (!session->modules) return NULL;
    pm_session_say(session, "reading the stacks");
    PM_TRY(pm_unwinder_create(session->core, session->modules, &unwinder));
    PM_TRY(v8_collect_stacks(session->v8, session->core, session->modules, unwinder, session->diagnosis));
    session->diagnosis->has_threads = true;
    return keep_names(session->diagnosis);
}

static void heap_progress(void *context, uint64_t done, uint64_t total) {
    const struct pm_session *session = context;
    pm_crash_offset(done);
    if (session->progress) session->progress("reading the heap", done, total);
}

struct pm_error *pm_session_heap(struct pm_session *session, bool spaces_only) {
    if (!session->v8) return NULL;
    pm_session_say(session, "reading the heap");
    return v8_summarize(session->v8, spaces_only, heap_progress, session, session->diagnosis);
}

struct pm_error *pm_session_need_v8(struct pm_session *session) {
    if (session->v8) return NULL;
    if (session->v8_failure) return PM_TAKE(session->v8_failure);
    const char *path = session->file_count ? session->files[0].input->path : "no input";
    if (!session->input)
        return pm_error_hint(pm_error_create(PM_ERR_UNSUPPORTED, "%s: this command reads cores", path),
                             "postmortem --help lists what each command reads.");
    return pm_error_create(PM_ERR_LAYOUT, "%s: the V8 heap could not be read", path);
}
