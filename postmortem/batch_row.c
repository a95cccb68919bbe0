/* One file of a batch: diagnosed, or the output of an earlier run. */
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "parsers/json_document.h"
#include "postmortem/batch.h"
#include "postmortem/model/pod.h"
#include "postmortem/model/report_facts.h"
#include "postmortem/model/words.h"
#include "postmortem/run.h"

#define OUR_SCHEMA "\"postmortem/1\""

static void fail_row(const char *path, const char *reason, pm_batch_sink *add, void *context) {
    size_t length = strlen(path);
    if (reason && !strncmp(reason, path, length) && reason[length] == ':')
        reason += length + 1 + strspn(reason + length + 1, " ");
    struct pm_batch_row row = {.path = path, .reason = reason, .count = 1, .severity = -1};
    row.first_ms = row.last_ms = PM_UNKNOWN;
    add(context, &row);
}

/* ---- from a diagnosis ---- */

/* The user's own function that ran or threw; else any of JavaScript. */
static const struct pm_frame *frame_of(const struct pm_diagnosis *diagnosis) {
    const struct pm_frame *any = NULL;
    const struct pm_thread *thread = NULL;
    for (size_t i = 0; i < diagnosis->thread_count; i++)
        if (diagnosis->threads[i].crashed || (!thread && diagnosis->threads[i].role == PM_ROLE_MAIN))
            thread = &diagnosis->threads[i];
    for (size_t i = 0; thread && i < thread->frame_count; i++) {
        const struct pm_frame *frame = &thread->frames[i];
        if (frame->kind != PM_FRAME_JS || frame->is_async || !frame->position.file) continue;
        if (strncmp(frame->position.file, "node:", 5) != 0 && !strstr(frame->position.file, "/node_modules/"))
            return frame;
        if (!any) any = frame;
    }
    return any;
}

static const struct pm_finding *worst_finding(const struct pm_diagnosis *diagnosis) {
    const struct pm_finding *worst = NULL;
    for (size_t i = 0; i < diagnosis->finding_count; i++)
        if (!worst || diagnosis->findings[i].severity > worst->severity) worst = &diagnosis->findings[i];
    return worst;
}

/* Where the diagnosis has no signature: the kind of death and where it happened, so that the same fault on
 * another pod, with other numbers in its message, is the same. */
static const char *key_of(struct pm_diagnosis *diagnosis) {
    const struct pm_frame *frame = frame_of(diagnosis);
    const struct pm_finding *worst = worst_finding(diagnosis);
    const char *message = diagnosis->process.death_message;
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    if (diagnosis->signature) return diagnosis->signature;
    const char *death = pm_death_word(diagnosis->process.death);
    pm_strbuf_appendf(&text, "%s|", death ? death : "");
    if (frame)
        pm_strbuf_appendf(&text, "%s|%s|%" PRIu32, frame->function ? frame->function : "",
                          frame->position.file, frame->position.line);
    else if (message && diagnosis->process.death == PM_DEATH_UNCAUGHT)
        pm_strbuf_append_bytes(&text, message, strcspn(message, ":0123456789'\""));
    else if (worst && worst->severity >= PM_SEVERITY_HIGH)
        pm_strbuf_append(&text, worst->id);
    return pm_arena_printf(diagnosis->arena, "%016llx",
                           (unsigned long long)XXH64(pm_strbuf_text(&text), text.length, 0));
}

static const char *host_of(const struct pm_diagnosis *diagnosis) {
    if (diagnosis->report_count && diagnosis->reports[0]->header.host)
        return diagnosis->reports[0]->header.host;
    if (diagnosis->pod_count) return diagnosis->pods[0]->name;
    for (size_t i = 0; i < diagnosis->process.environment_count; i++)
        if (!strcmp(diagnosis->process.environment[i].name, "HOSTNAME"))
            return diagnosis->process.environment[i].value;
    return NULL;
}

/* When it happened: as the file says, else when the file was last written. */
static uint64_t time_of(const struct pm_diagnosis *diagnosis, const char *path) {
    struct stat info;
    if (diagnosis->report_count && diagnosis->reports[0]->header.time_ms != PM_UNKNOWN)
        return diagnosis->reports[0]->header.time_ms;
    if (stat(path, &info) != 0 || info.st_mtime < 0) return PM_UNKNOWN;
    return (uint64_t)info.st_mtime * 1000;
}

static void diagnose(const struct pm_options *batch_options, const char *path, pm_batch_sink *add,
                     void *context) {
    struct pm_diagnosis *diagnosis PM_AUTO(diagnosis) = pm_diagnosis_create();
    struct pm_options options = *batch_options;
    options.command = &pm_command_diagnose;
    options.files = &path;
    options.file_count = 1;
    if (!diagnosis) {
        fail_row(path, "out of memory", add, context);
        return;
    }
    struct pm_error *err = pm_run(&options, NULL, diagnosis);
    if (err) {
        fail_row(path, err->message, add, context);
        pm_error_destroy(err);
        return;
    }
    if (!diagnosis->incident_key) {
        fail_row(path,
                 diagnosis->problem_count ? diagnosis->problems[0].message : "nothing in it about a process",
                 add, context);
        return;
    }
    const struct pm_finding *worst = worst_finding(diagnosis);
    struct pm_batch_row row = {
        .path = path,
        .key = diagnosis->incident_key,
        .verdict = diagnosis->verdict,
        .death =
            diagnosis->process.death == PM_DEATH_UNKNOWN ? NULL : pm_death_word(diagnosis->process.death),
        .finding = worst ? worst->id : NULL,
        .host = diagnosis->incident_host,
        .node_version = diagnosis->process.node_version,
        .first_ms = diagnosis->incident_time,
        .count = 1,
        .partial = diagnosis->exit_code == PM_EXIT_PARTIAL,
        .severity = worst ? (int)worst->severity : -1,
    };
    row.last_ms = row.first_ms;
    add(context, &row);
}

/* ---- from the output of an earlier run ---- */

static const char *text_of(const cJSON *object, const char *key) {
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

static uint64_t number_of(const cJSON *object, const char *key, uint64_t otherwise) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) || item->valuedouble > 9e15) return otherwise;
    return (uint64_t)item->valuedouble;
}

static int severity_of(const char *word) {
    for (int i = PM_SEVERITY_CRITICAL; word && i >= 0; i--)
        if (!strcmp(word, pm_severity_word((enum pm_severity)i))) return i;
    return -1;
}

/* Rows of another batch: each group stands for all its files. */
static void merge_groups(const char *path, const cJSON *batch, pm_batch_sink *add, void *context) {
    const cJSON *group, *failure;
    uint64_t named = 0, failed = number_of(batch, "failed", 0);
    cJSON_ArrayForEach(group, cJSON_GetObjectItemCaseSensitive(batch, "groups")) {
        struct pm_batch_row row = {
            .path = text_of(group, "example"),
            .key = text_of(group, "signature"),
            .verdict = text_of(group, "verdict"),
            .death = text_of(group, "death"),
            .finding = text_of(group, "finding"),
            .first_ms = number_of(group, "first_seen", PM_UNKNOWN),
            .last_ms = number_of(group, "last_seen", PM_UNKNOWN),
            .count = number_of(group, "count", 0),
            .partial = number_of(group, "partial", 0),
            .severity = severity_of(text_of(group, "severity")),
        };
        if (!row.path) row.path = path;
        if (!row.key || !row.count) continue;
        const cJSON *hosts = cJSON_GetObjectItemCaseSensitive(group, "hosts"),
                    *versions = cJSON_GetObjectItemCaseSensitive(group, "node_versions"),
                    *examples = cJSON_GetObjectItemCaseSensitive(group, "examples");
        /* Names of the set come one by one, with rows that count nothing. */
        add(context, &row);
        row.count = row.partial = 0;
        int most = cJSON_GetArraySize(hosts), others = cJSON_GetArraySize(versions),
            files = cJSON_GetArraySize(examples);
        if (others > most) most = others;
        if (files > most) most = files;
        for (int i = 0; i < most; i++) {
            row.host = cJSON_GetStringValue(cJSON_GetArrayItem(hosts, i));
            row.node_version = cJSON_GetStringValue(cJSON_GetArrayItem(versions, i));
            const char *example = cJSON_GetStringValue(cJSON_GetArrayItem(examples, i));
            if (example) row.path = example;
            add(context, &row);
        }
    }
    cJSON_ArrayForEach(failure, cJSON_GetObjectItemCaseSensitive(batch, "unreadable")) {
        const char *its_path = text_of(failure, "path");
        fail_row(its_path ? its_path : path, text_of(failure, "reason"), add, context);
        named++;
    }
    for (; named < failed; named++) fail_row(path, "not named by the earlier batch", add, context);
}

static void merge_run(const char *path, const cJSON *root, pm_batch_sink *add, void *context) {
    const cJSON *process = cJSON_GetObjectItemCaseSensitive(root, "process"), *finding, *worst = NULL,
                *inputs = cJSON_GetObjectItemCaseSensitive(root, "inputs"),
                *incident = cJSON_GetObjectItemCaseSensitive(root, "incident");
    int severity = -1;
    cJSON_ArrayForEach(finding, cJSON_GetObjectItemCaseSensitive(root, "findings")) {
        int its = severity_of(text_of(finding, "severity"));
        if (its > severity) {
            severity = its;
            worst = finding;
        }
    }
    const char *input = text_of(cJSON_GetArrayItem(inputs, 0), "path"), *key = text_of(incident, "key");
    if (!input) input = path;
    if (number_of(root, "exit_code", PM_EXIT_FAILED) >= PM_EXIT_FAILED || !key) {
        const cJSON *problems =
            cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(root, "coverage"), "problems");
        const char *reason = text_of(cJSON_GetArrayItem(problems, 0), "message");
        fail_row(input, reason ? reason : "no diagnosis in it", add, context);
        return;
    }
    struct pm_batch_row row = {
        .path = input,
        .key = key,
        .verdict = text_of(root, "verdict"),
        .death = text_of(cJSON_GetObjectItemCaseSensitive(process, "death"), "kind"),
        .finding = text_of(worst, "id"),
        .host = text_of(incident, "host"),
        .node_version = text_of(process, "node_version"),
        .first_ms = number_of(incident, "time", PM_UNKNOWN),
        .count = 1,
        .partial = number_of(root, "exit_code", 0) == PM_EXIT_PARTIAL,
        .severity = severity,
    };
    row.last_ms = row.first_ms;
    add(context, &row);
}

/* Does it begin as our own output does? */
static bool is_ours(const char *path) {
    FILE *file PM_AUTO_FCLOSE = fopen(path, "rb");
    char bytes[256];
    size_t size = file ? fread(bytes, 1, sizeof(bytes), file) : 0;
    return size && bytes[0] == '{' && memmem(bytes, size, OUR_SCHEMA, strlen(OUR_SCHEMA));
}

static void merge_document(const char *path, const cJSON *root, pm_batch_sink *add, void *context) {
    const cJSON *batch = cJSON_GetObjectItemCaseSensitive(root, "batch"), *run;
    const cJSON *others = cJSON_GetObjectItemCaseSensitive(root, "other_incidents");
    if (batch) {
        merge_groups(path, batch, add, context);
        return;
    }
    merge_run(path, root, add, context);
    cJSON_ArrayForEach(run, others) merge_run(path, run, add, context);
}

static void merge(const char *path, pm_batch_sink *add, void *context) {
    struct pm_input *input PM_AUTO(input) = NULL;
    PM_AUTO_JSON_DOCUMENT struct pm_json_document document = {0};
    struct pm_error *err = pm_input_open(path, NULL, NULL, &input);
    if (!err) err = pm_json_document_init(&document, input->bytes, input->size);
    if (err || document.damage)
        fail_row(path, err ? err->message : document.damage, add, context);
    else
        merge_document(path, document.root, add, context);
    pm_error_destroy(err);
}

void pm_batch_describe(struct pm_diagnosis *diagnosis) {
    const char *path = diagnosis->input_count ? diagnosis->inputs[0].path : "";
    if (!diagnosis->has_process && !diagnosis->finding_count && !diagnosis->profile_count) return;
    diagnosis->incident_key = key_of(diagnosis);
    diagnosis->incident_host = host_of(diagnosis);
    diagnosis->incident_time = time_of(diagnosis, path);
}

void pm_batch_read(const struct pm_options *options, const char *path, pm_batch_sink *add, void *context) {
    if (is_ours(path))
        merge(path, add, context);
    else
        diagnose(options, path, add, context);
}
