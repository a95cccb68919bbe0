/* What several files say together: contradictions, and who allocated what is kept. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "postmortem/base/strbuf.h"
#include "postmortem/join.h"
#include "postmortem/model/gc_log.h"
#include "postmortem/model/pod.h"
#include "postmortem/model/profile.h"
#include "postmortem/report/format.h"
#include "postmortem/report_process.h"

#define MOST_DIFFERENCE 0.05    /* two counts of the same heap that differ by more do not fit */
#define FAR_APART_MS    3600000 /* an hour between two files about one death */
#define MOST_CLAIMS     16

/* ---- contradictions ---- */

struct disagreement {
    struct pm_diagnosis *diagnosis;
    const char *lines[MOST_CLAIMS];
    size_t count;
};

static const char *name_of(const struct pm_diagnosis *diagnosis, size_t input) {
    const char *path = input < diagnosis->input_count ? diagnosis->inputs[input].path : NULL;
    const char *slash = path ? strrchr(path, '/') : NULL;
    return slash ? slash + 1 : path ? path : "another file";
}

static size_t core_input(const struct pm_diagnosis *diagnosis) {
    for (size_t i = 0; i < diagnosis->input_count; i++)
        if (!strcmp(diagnosis->inputs[i].kind, "core")) return i;
    return SIZE_MAX;
}

static void disagree(struct disagreement *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void disagree(struct disagreement *d, const char *format, ...) {
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    va_list args;
    va_start(args, format);
    pm_strbuf_vappendf(&text, format, args);
    va_end(args);
    if (d->count == MOST_CLAIMS) return;
    const char *line = pm_arena_copy(d->diagnosis->arena, pm_strbuf_text(&text), text.length);
    if (line) d->lines[d->count++] = line;
}

static void compare_numbers(struct disagreement *d, const char *what, size_t input, uint64_t value,
                            size_t other_input, uint64_t other) {
    if (value == PM_UNKNOWN || other == PM_UNKNOWN || value == other) return;
    disagree(d, "%s: %s says %s %" PRIu64 ", %s says %" PRIu64, what, name_of(d->diagnosis, input), what,
             value, name_of(d->diagnosis, other_input), other);
}

static void compare_texts(struct disagreement *d, const char *what, size_t input, const char *value,
                          size_t other_input, const char *other) {
    if (!value || !other || !strcmp(value, other)) return;
    disagree(d, "%s: %s in %s, %s in %s", what, value, name_of(d->diagnosis, input), other,
             name_of(d->diagnosis, other_input));
}

static void compare_heaps(struct disagreement *d, const char *name, double bytes, const char *other_name,
                          double other) {
    char text[PM_NUMBER_TEXT], other_text[PM_NUMBER_TEXT];
    double larger = bytes > other ? bytes : other;
    if (!(bytes > 0) || !(other > 0) || fabs(bytes - other) <= larger * MOST_DIFFERENCE) return;
    disagree(d, "heap in use: %s in %s, %s in %s", pm_format_bytes(text, (uint64_t)bytes), name,
             pm_format_bytes(other_text, (uint64_t)other), other_name);
}

/* The origin of a fact that the core did not give. */
static size_t origin_of(const struct pm_diagnosis *diagnosis, const char *fact) {
    for (size_t i = 0; i < diagnosis->process.origin_count; i++)
        if (!strcmp(diagnosis->process.origins[i].fact, fact)) return diagnosis->process.origins[i].input;
    return core_input(diagnosis);
}

static double heap_of_core(const struct pm_diagnosis *diagnosis) {
    double sum = 0;
    if (core_input(diagnosis) == SIZE_MAX) return 0;
    for (size_t i = 0; i < diagnosis->isolate_count; i++)
        if (diagnosis->isolates[i].is_main)
            for (size_t k = 0; k < diagnosis->isolates[i].space_count; k++)
                if (diagnosis->isolates[i].spaces[k].used != PM_UNKNOWN)
                    sum += (double)diagnosis->isolates[i].spaces[k].used;
    return sum;
}

static bool is_fatal(const struct pm_report_facts *facts) {
    const char *trigger = facts->header.trigger;
    return trigger && (!strcmp(trigger, "OOMError") || !strcmp(trigger, "FatalError"));
}

static void compare_reports(struct disagreement *d) {
    const struct pm_diagnosis *diagnosis = d->diagnosis;
    const struct pm_process *process = &diagnosis->process;
    const struct pm_report_facts *death = pm_report_of_death(diagnosis);
    for (size_t i = 0; i < diagnosis->report_count; i++) {
        const struct pm_report_facts *facts = diagnosis->reports[i];
        compare_numbers(d, "process", origin_of(diagnosis, "pid"), process->pid, facts->input,
                        facts->header.pid);
        compare_texts(d, "version of Node.js", origin_of(diagnosis, "node_version"), process->node_version,
                      facts->input, facts->header.node_version);
        compare_texts(d, "host", diagnosis->reports[0]->input, diagnosis->reports[0]->header.host,
                      facts->input, facts->header.host);
        if (is_fatal(facts) && facts->heap.used != PM_UNKNOWN)
            compare_heaps(d, "the core", heap_of_core(diagnosis), name_of(diagnosis, facts->input),
                          (double)facts->heap.used);
        uint64_t time = facts->header.time_ms, other = death->header.time_ms;
        if (facts != death && time != PM_UNKNOWN && other != PM_UNKNOWN && time + FAR_APART_MS < other)
            disagree(d, "time: %s was written %" PRIu64 " minutes before %s",
                     name_of(diagnosis, facts->input), (other - time) / 60000,
                     name_of(diagnosis, death->input));
    }
}

static void compare_logs(struct disagreement *d) {
    const struct pm_diagnosis *diagnosis = d->diagnosis;
    const struct pm_process *process = &diagnosis->process;
    for (size_t i = 0; i < diagnosis->gc_log_count; i++) {
        const struct pm_gc_log *log = diagnosis->gc_logs[i];
        compare_numbers(d, "process", origin_of(diagnosis, "pid"), process->pid, log->input, log->pid);
        compare_texts(d, "version of Node.js", origin_of(diagnosis, "node_version"), process->node_version,
                      log->input, log->node_version);
        const struct pm_gc_series *series = log->series_count ? &log->series[0] : NULL;
        if (!series || !series->row_count || !series->fatal || process->heap_used_at_death == PM_UNKNOWN)
            continue;
        /* The last collection saw the heap between its two sizes. */
        const struct pm_gc_row *last = &series->rows[series->row_count - 1];
        double used = (double)process->heap_used_at_death, low = last->after * 1048576,
               high = (last->before > last->after ? last->before : last->after) * 1048576;
        if (used < low) compare_heaps(d, "the other files", used, name_of(diagnosis, log->input), low);
        if (used > high) compare_heaps(d, "the other files", used, name_of(diagnosis, log->input), high);
    }
}

static bool pod_has_host(const struct pm_pod *pod, const char *host) {
    return (pod->name && !strcmp(pod->name, host)) || (pod->node && !strcmp(pod->node, host));
}

static void compare_pods(struct disagreement *d) {
    const struct pm_diagnosis *diagnosis = d->diagnosis;
    for (size_t i = 0; i < diagnosis->pod_count; i++)
        for (size_t k = 0; k < diagnosis->report_count; k++) {
            const struct pm_report_facts *facts = diagnosis->reports[k];
            if (facts->header.host && diagnosis->pods[i]->name &&
                !pod_has_host(diagnosis->pods[i], facts->header.host))
                compare_texts(d, "host", facts->input, facts->header.host, diagnosis->pods[i]->input,
                              diagnosis->pods[i]->name);
        }
}

/* A profile counts what is still live: never more than the heap, but for chance. */
static void compare_profiles(struct disagreement *d) {
    const struct pm_diagnosis *diagnosis = d->diagnosis;
    double heap = heap_of_core(diagnosis);
    if (!(heap > 0) && diagnosis->process.heap_used_at_death != PM_UNKNOWN)
        heap = (double)diagnosis->process.heap_used_at_death;
    for (size_t i = 0; i < diagnosis->profile_count && heap > 0; i++) {
        const struct pm_profile *profile = diagnosis->profiles[i];
        if (profile->kind != PM_PROFILE_HEAP || profile->samples == PM_UNKNOWN || !profile->samples) continue;
        double chance = 1 + 3 / sqrt((double)profile->samples);
        if ((double)profile->total > heap * chance)
            compare_heaps(d, "the other files", heap, name_of(diagnosis, profile->input),
                          (double)profile->total);
    }
}

static void add_contradictions(struct pm_diagnosis *diagnosis) {
    struct disagreement d = {.diagnosis = diagnosis};
    compare_reports(&d);
    compare_logs(&d);
    compare_pods(&d);
    compare_profiles(&d);
    if (!d.count) return;
    struct pm_finding *finding = pm_diagnosis_finding(diagnosis);
    if (!finding) return;
    finding->id = "inputs-disagree";
    finding->severity = PM_SEVERITY_MEDIUM;
    finding->confidence = PM_CONFIDENCE_HIGH;
    finding->title = "The files contradict each other";
    finding->claim = pm_arena_printf(diagnosis->arena,
                                     "The files do not fit together in %zu point%s; they may be of different "
                                     "processes or moments.",
                                     d.count, d.count == 1 ? "" : "s");
    finding->evidence = pm_arena_dup(diagnosis->arena, d.lines, d.count, sizeof(*d.lines));
    finding->evidence_count = finding->evidence ? d.count : 0;
    finding->advice = "Give only the files of one process and one death to a run.";
}

/* ---- who allocated it ---- */

static const char *plain_path(const char *file) {
    return file && !strncmp(file, "file://", 7) ? file + 7 : file;
}

/* Does this function of the profile contain the place? The one that begins last before it does. */
static bool is_at(const struct pm_profile *profile, size_t function, const struct pm_position *place) {
    const struct pm_position *begin = &profile->functions[function].position;
    const char *file = plain_path(place->file);
    if (!file || !place->line || !begin->file || strcmp(plain_path(begin->file), file) != 0) return false;
    if (begin->line > place->line) return false;
    for (size_t i = 0; i < profile->function_count; i++) {
        const struct pm_position *other = &profile->functions[i].position;
        if (other->file && !strcmp(plain_path(other->file), file) && other->line <= place->line &&
            other->line > begin->line)
            return false;
    }
    return true;
}

static bool has_class(const struct pm_finding *finding, const char *name) {
    for (size_t i = 0; i < finding->object_count; i++)
        if (finding->objects[i].class_name && !strcmp(finding->objects[i].class_name, name)) return true;
    return false;
}

/* How well a function of the profile fits what is kept: 3 its constructor, 2 where it is made or added, 1
 * code of the holder's file; 0 not at all. */
static int fit(const struct pm_profile *profile, size_t function, const struct pm_finding *finding) {
    const struct pm_profile_function *f = &profile->functions[function];
    if (!pm_profile_is_user(profile, (uint32_t)function)) return 0;
    if (has_class(finding, f->name)) return 3;
    for (size_t i = 0; i < finding->position_count; i++)
        if (strcmp(finding->positions[i].role, "holder") != 0 &&
            is_at(profile, function, &finding->positions[i].position))
            return 2;
    const char *file = plain_path(finding->owner.file);
    return file && f->position.file && !strcmp(plain_path(f->position.file), file) ? 1 : 0;
}

/* Of the user's functions the one with most live bytes; a fit wins when it is not negligible beside it. */
static size_t allocator(const struct pm_profile *profile, const struct pm_finding *finding) {
    size_t best = SIZE_MAX;
    int best_fit = 0;
    for (size_t i = 0; i < profile->function_count; i++) { /* largest self first */
        const struct pm_profile_function *f = &profile->functions[i];
        if (!pm_profile_is_user(profile, (uint32_t)i) || f->self * 20 < profile->total) continue;
        int its = fit(profile, i, finding);
        if (best == SIZE_MAX || (its > best_fit && f->self * 3 >= profile->functions[best].self)) {
            best = i;
            best_fit = its;
        }
    }
    return best;
}

/* The user's function that called it most often, by bytes. */
static size_t caller_of(const struct pm_profile *profile, size_t function) {
    uint64_t most = 0;
    size_t best = SIZE_MAX;
    for (size_t i = 1; i < profile->call_count; i++) {
        if (profile->calls[i].function != function || profile->calls[i].self <= most) continue;
        for (uint32_t c = profile->calls[i].caller; c != UINT32_MAX && c < profile->call_count;
             c = profile->calls[c].caller)
            if (pm_profile_is_user(profile, profile->calls[c].function) &&
                profile->calls[c].function != function) {
                most = profile->calls[i].self;
                best = profile->calls[c].function;
                break;
            }
    }
    return best;
}

static void put_place(struct pm_strbuf *out, const struct pm_profile_function *function) {
    pm_strbuf_appendf(out, "`%s`", function->name);
    if (function->position.file)
        pm_strbuf_appendf(out, " (%s:%" PRIu32 ")", function->position.file,
                          function->hot_line ? function->hot_line : function->position.line);
}

static void add_evidence(struct pm_diagnosis *diagnosis, struct pm_finding *finding, const char *line) {
    const char **lines =
        pm_arena_array(diagnosis->arena, finding->evidence_count + 1, sizeof(*finding->evidence));
    if (!lines || !line) return;
    if (finding->evidence_count) memcpy(lines, finding->evidence, finding->evidence_count * sizeof(*lines));
    lines[finding->evidence_count] = line;
    finding->evidence = lines;
    finding->evidence_count++;
}

static void add_creator(struct pm_diagnosis *diagnosis, struct pm_finding *finding,
                        const struct pm_profile_function *function) {
    for (size_t i = 0; i < finding->position_count; i++)
        if (!strcmp(finding->positions[i].role, "creator")) return;
    struct pm_role_position *rows =
        pm_arena_array(diagnosis->arena, finding->position_count + 1, sizeof(*rows));
    if (!rows || !function->position.file) return;
    if (finding->position_count) memcpy(rows, finding->positions, finding->position_count * sizeof(*rows));
    rows[finding->position_count] = (struct pm_role_position){"creator", function->name, function->position};
    finding->positions = rows;
    finding->position_count++;
}

static void add_allocation(struct pm_diagnosis *diagnosis, const struct pm_profile *profile,
                           struct pm_finding *finding) {
    size_t function = allocator(profile, finding);
    char bytes[PM_NUMBER_TEXT], share[PM_NUMBER_TEXT];
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    if (function == SIZE_MAX) return;
    const struct pm_profile_function *f = &profile->functions[function];
    size_t caller = caller_of(profile, function);
    pm_strbuf_append(&text, "Allocated in ");
    put_place(&text, f);
    if (caller != SIZE_MAX) {
        pm_strbuf_append(&text, ", called from ");
        put_place(&text, &profile->functions[caller]);
    }
    pm_strbuf_appendf(&text, ": %s of the live bytes in the heap profile",
                      pm_format_share(share, f->self, profile->total));
    finding->allocation = pm_arena_printf(diagnosis->arena, "%s.", pm_strbuf_text(&text));
    pm_strbuf_appendf(&text, " %s (%s)", name_of(diagnosis, profile->input), pm_format_bytes(bytes, f->self));
    add_evidence(diagnosis, finding, pm_arena_copy(diagnosis->arena, pm_strbuf_text(&text), text.length));
    add_creator(diagnosis, finding, f);
}

void pm_join_findings(struct pm_diagnosis *diagnosis) {
    for (size_t i = 0; i < diagnosis->profile_count; i++) {
        const struct pm_profile *profile = diagnosis->profiles[i];
        if (profile->kind != PM_PROFILE_HEAP || !profile->total) continue;
        for (size_t k = 0; k < diagnosis->finding_count; k++) {
            struct pm_finding *finding = &diagnosis->findings[k];
            bool of_heap = finding->object_count || finding->owner_name || finding->owner_path;
            if (of_heap && finding->retained_bytes != PM_UNKNOWN && !finding->allocation)
                add_allocation(diagnosis, profile, finding);
        }
    }
    if (diagnosis->input_count > 1) add_contradictions(diagnosis);
}
