#include "postmortem/join.h"

#include <math.h>
#include <signal.h>
#include <string.h>

#include "postmortem/model/gc_log.h"
#include "postmortem/model/pod.h"
#include "postmortem/process.h"
#include "postmortem/report_process.h"

/* ---- where a fact comes from ---- */

static void note_origin(struct pm_diagnosis *diagnosis, const char *fact, size_t input) {
    struct pm_process *process = &diagnosis->process;
    size_t count = process->origin_count;
    if ((count & (count - 1)) == 0) {
        struct pm_origin *rows = pm_arena_array(diagnosis->arena, count ? 2 * count : 1, sizeof(*rows));
        if (!rows) return;
        if (count) memcpy(rows, process->origins, count * sizeof(*rows));
        process->origins = rows;
    }
    process->origins[process->origin_count++] = (struct pm_origin){fact, input};
}

/* What was unknown before and is known now is of this input. */
static void note_changes(struct pm_diagnosis *diagnosis, const struct pm_process *before, size_t input) {
    const struct pm_process *now = &diagnosis->process;
    if (before->pid == PM_UNKNOWN && now->pid != PM_UNKNOWN) note_origin(diagnosis, "pid", input);
    if (!before->node_version && now->node_version) note_origin(diagnosis, "node_version", input);
    if (!before->v8_version && now->v8_version) note_origin(diagnosis, "v8_version", input);
    if (!before->arch && now->arch) note_origin(diagnosis, "arch", input);
    if (!before->argc && now->argc) note_origin(diagnosis, "command_line", input);
    if (!before->environment_count && now->environment_count) note_origin(diagnosis, "environment", input);
    if (before->signal == PM_UNKNOWN && now->signal != PM_UNKNOWN) note_origin(diagnosis, "signal", input);
    if (before->death != now->death) note_origin(diagnosis, "death", input);
    if (before->heap_used_at_death == PM_UNKNOWN && now->heap_used_at_death != PM_UNKNOWN)
        note_origin(diagnosis, "heap_used", input);
    if (before->heap_limit_at_death == PM_UNKNOWN && now->heap_limit_at_death != PM_UNKNOWN)
        note_origin(diagnosis, "heap_limit", input);
}

/* A report or core of a living process says nothing of the death that came later. */
static bool death_is_open(const struct pm_process *process) {
    return process->death == PM_DEATH_UNKNOWN || process->death == PM_DEATH_REPORT;
}

static void add_report(struct pm_diagnosis *diagnosis) {
    const struct pm_report_facts *facts = pm_report_of_death(diagnosis);
    struct pm_process before = diagnosis->process;
    if (!facts) return;
    pm_diagnosis_problem(diagnosis, pm_report_find_comparison(diagnosis, false));
    pm_diagnosis_problem(diagnosis, pm_report_describe_process(facts, diagnosis));
    pm_diagnosis_problem(diagnosis, pm_report_describe_heap(facts, diagnosis));
    pm_diagnosis_problem(diagnosis, pm_report_describe_threads(facts, diagnosis));
    note_changes(diagnosis, &before, facts->input);
}

/* ---- a log ---- */

static const struct pm_gc_log *best_log(const struct pm_diagnosis *diagnosis) {
    const struct pm_gc_log *best = NULL;
    for (size_t i = 0; i < diagnosis->gc_log_count; i++) {
        const struct pm_gc_log *log = diagnosis->gc_logs[i];
        if (!best || (log->death != PM_DEATH_UNKNOWN && best->death == PM_DEATH_UNKNOWN)) best = log;
    }
    return best;
}

static const char *message_of(struct pm_diagnosis *diagnosis, const struct pm_gc_log *log) {
    const struct pm_log_error *error = log->error;
    if (log->death != PM_DEATH_UNCAUGHT || !error || !error->name) return log->message;
    return error->message ? pm_arena_printf(diagnosis->arena, "%s: %s", error->name, error->message)
                          : error->name;
}

static void add_stack(struct pm_diagnosis *diagnosis, const struct pm_gc_log *log) {
    const struct pm_frame *frames = log->javascript_count ? log->javascript : log->native;
    size_t count = log->javascript_count ? log->javascript_count : log->native_count;
    if (log->error && log->error->frame_count) {
        frames = log->error->frames;
        count = log->error->frame_count;
    }
    if (diagnosis->thread_count || !count) return;
    struct pm_thread *thread = pm_arena_alloc(diagnosis->arena, sizeof(*thread));
    struct pm_frame *copy = pm_arena_dup(diagnosis->arena, frames, count, sizeof(*frames));
    if (!thread || !copy) return;
    *thread = (struct pm_thread){.tid = log->pid,
                                 .role = PM_ROLE_MAIN,
                                 .crashed = log->death != PM_DEATH_UNKNOWN,
                                 .frames = copy,
                                 .frame_count = count};
    diagnosis->threads = thread;
    diagnosis->thread_count = 1;
    diagnosis->has_threads = true;
    note_origin(diagnosis, "stack", log->input);
}

static void add_log(struct pm_diagnosis *diagnosis) {
    const struct pm_gc_log *log = best_log(diagnosis);
    struct pm_process *process = &diagnosis->process, before = *process;
    if (!log) return;
    if (log->death != PM_DEATH_UNKNOWN || log->pid != PM_UNKNOWN || log->series_count)
        diagnosis->has_process = true;
    if (process->pid == PM_UNKNOWN) process->pid = log->pid;
    if (!process->node_version) process->node_version = log->node_version;
    if (process->signal == PM_UNKNOWN) process->signal = log->signal;
    /* A report calls every heap that ran full the same; the log knows V8's own words. */
    bool finer = process->death == PM_DEATH_HEAP_LIMIT && log->death == PM_DEATH_INEFFECTIVE_GC &&
                 pm_report_of_death(diagnosis) && !process->death_location;
    if (log->death != PM_DEATH_UNKNOWN && (death_is_open(process) || finer)) {
        process->death = log->death;
        process->death_message = message_of(diagnosis, log);
        process->death_location = log->location;
    } else if (log->death == process->death && !process->death_location) {
        process->death_location = log->location;
    }
    note_changes(diagnosis, &before, log->input);
    add_stack(diagnosis, log);
}

/* A limit that the log itself does not print. */
static void share_limit(struct pm_diagnosis *diagnosis) {
    if (diagnosis->process.heap_limit_at_death == PM_UNKNOWN) return;
    for (size_t i = 0; i < diagnosis->gc_log_count; i++)
        for (size_t k = 0; k < diagnosis->gc_logs[i]->series_count; k++)
            if (isnan(diagnosis->gc_logs[i]->series[k].limit))
                pm_gc_series_set_limit(&diagnosis->gc_logs[i]->series[k],
                                       (double)diagnosis->process.heap_limit_at_death / 1048576,
                                       diagnosis->report_count ? "the report" : "the core");
}

/* ---- a pod ---- */

static bool ended_badly(const struct pm_pod_state *state) {
    return state->kind == PM_POD_STATE_TERMINATED && ((state->exit_code != PM_UNKNOWN && state->exit_code) ||
                                                      (state->reason && !strcmp(state->reason, "OOMKilled")));
}

static const struct pm_pod_state *death_in(const struct pm_pod *pod) {
    for (size_t k = 0; k < pod->container_count; k++) {
        const struct pm_pod_container *container = &pod->containers[k];
        if (ended_badly(&container->state)) return &container->state;
        if (ended_badly(&container->last_state)) return &container->last_state;
    }
    return NULL;
}

/* Exit codes above 128 are 128 + the signal. Only what no other file knows. */
static void add_pod(struct pm_diagnosis *diagnosis) {
    struct pm_process *process = &diagnosis->process, before = *process;
    const struct pm_pod_state *state = NULL;
    size_t i = 0;
    for (; i < diagnosis->pod_count && !state; i++) state = death_in(diagnosis->pods[i]);
    if (!state) return;
    diagnosis->has_process = true;
    uint64_t code = state->exit_code;
    if (process->signal == PM_UNKNOWN && code != PM_UNKNOWN && code > 128 && code <= 128 + 64)
        process->signal = code - 128;
    if (death_is_open(process)) {
        bool out_of_memory = state->reason && !strcmp(state->reason, "OOMKilled");
        enum pm_death_kind death = PM_DEATH_UNKNOWN;
        if (out_of_memory)
            death = PM_DEATH_OOM_KILLED;
        else if (process->signal == SIGKILL || process->signal == SIGTERM)
            death = PM_DEATH_KILLED;
        else if (process->signal == SIGSEGV || process->signal == SIGBUS)
            death = PM_DEATH_NATIVE_CRASH;
        else if (process->signal == SIGABRT)
            death = PM_DEATH_ABORT;
        if (death != PM_DEATH_UNKNOWN) {
            process->death = death;
            process->death_message = state->message;
        }
    }
    note_changes(diagnosis, &before, diagnosis->pods[i - 1]->input);
}

void pm_join_process(struct pm_diagnosis *diagnosis) {
    add_report(diagnosis);
    add_log(diagnosis);
    add_pod(diagnosis);
    share_limit(diagnosis);
}
