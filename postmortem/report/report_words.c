#include "postmortem/report/report_words.h"

#include <string.h>

#include "postmortem/report/format.h"

static struct pm_strbuf *row(struct pm_report_rows *rows, const char *label) {
    static struct pm_strbuf nothing; /* never written: a full table has no more rows */
    if (rows->count == PM_REPORT_ROWS) {
        nothing.failed = true;
        return &nothing;
    }
    rows->rows[rows->count].label = label;
    return &rows->rows[rows->count++].text;
}

void pm_report_rows_deinit(struct pm_report_rows *rows) {
    for (size_t i = 0; i < rows->count; i++) pm_strbuf_deinit(&rows->rows[i].text);
    rows->count = 0;
}

static const char *size_text(char *text, uint64_t bytes) {
    return bytes == PM_UNLIMITED ? "none" : pm_format_bytes(text, bytes);
}

static void put_origin(const struct pm_report_facts *facts, struct pm_report_rows *rows) {
    const struct pm_report_header *header = &facts->header;
    struct pm_strbuf *text = row(rows, "Report");
    pm_strbuf_appendf(text, "%s (%s)", header->trigger ? header->trigger : "trigger not known",
                      header->event ? header->event : "event not known");
    if (header->time) pm_strbuf_appendf(text, ", %s", header->time);
    if (header->host) pm_strbuf_appendf(text, ", host %s", header->host);
    if (header->thread_id != PM_UNKNOWN && header->thread_id)
        pm_strbuf_appendf(text, ", of worker thread %llu", (unsigned long long)header->thread_id);
    if (!facts->complete) pm_strbuf_append(text, ", cut short");
}

static void put_usage(const struct pm_report_facts *facts, struct pm_report_rows *rows) {
    char a[PM_NUMBER_TEXT], b[PM_NUMBER_TEXT], c[PM_NUMBER_TEXT];
    const struct pm_report_usage *usage = &facts->usage;
    if (!(facts->sections & PM_REPORT_USAGE)) return;
    struct pm_strbuf *text = row(rows, "Resident");
    pm_strbuf_appendf(text, "%s, at most %s; limit of the container %s", size_text(a, usage->rss),
                      size_text(b, usage->max_rss), size_text(c, usage->constrained_memory));
    if (pm_is_number(usage->total_memory))
        pm_strbuf_appendf(text, "; machine %s", pm_format_bytes(a, usage->total_memory));
    text = row(rows, "CPU");
    if (usage->cpu_percent == usage->cpu_percent)
        pm_strbuf_appendf(text, "%.1f %% of a core since the start", usage->cpu_percent);
    if (facts->thread_usage.cpu_percent == facts->thread_usage.cpu_percent)
        pm_strbuf_appendf(text, "%sthe thread of the loop %.1f %%", text->length ? ", " : "",
                          facts->thread_usage.cpu_percent);
    if (facts->header.cpu_count)
        pm_strbuf_appendf(text, "%s%zu cores", text->length ? "; " : "", facts->header.cpu_count);
    if (!text->length) pm_strbuf_append(text, "not known");
}

static void put_loop(const struct pm_report_facts *facts, struct pm_report_rows *rows) {
    static const struct {
        enum pm_handle_kind kind;
        const char *one, *many;
    } kinds[] = {
        {PM_HANDLE_TIMER, "timer", "timers"},
        {PM_HANDLE_TCP, "TCP socket", "TCP sockets"},
        {PM_HANDLE_PIPE, "pipe", "pipes"},
        {PM_HANDLE_UDP, "UDP socket", "UDP sockets"},
        {PM_HANDLE_TTY, "terminal", "terminals"},
        {PM_HANDLE_PROCESS, "child process", "child processes"},
        {PM_HANDLE_FS_EVENT, "file watcher", "file watchers"},
        {PM_HANDLE_FS_POLL, "polled file", "polled files"},
        {PM_HANDLE_SIGNAL, "signal handler", "signal handlers"},
        {PM_HANDLE_POLL, "polled descriptor", "polled descriptors"},
    };
    if (!(facts->sections & PM_REPORT_LIBUV)) return;
    struct pm_strbuf *text = row(rows, "Handles");
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        size_t count = 0, referenced = 0;
        for (size_t i = 0; i < facts->handle_count; i++)
            if (facts->handles[i].kind == kinds[k].kind) {
                count++;
                referenced += facts->handles[i].active == PM_YES && facts->handles[i].referenced == PM_YES;
            }
        if (!count) continue;
        pm_strbuf_appendf(text, "%s%zu %s", text->length ? ", " : "", count,
                          count == 1 ? kinds[k].one : kinds[k].many);
        if (referenced != count) pm_strbuf_appendf(text, " (%zu active)", referenced);
    }
    if (!text->length)
        pm_strbuf_append(text, facts->handle_count ? "none of the program's own" : "none listed");
    for (size_t i = 0; i < facts->handle_count; i++)
        if (facts->handles[i].kind == PM_HANDLE_LOOP && facts->handles[i].idle_seconds >= 0)
            pm_strbuf_appendf(text, "; the loop waited %.2f s", facts->handles[i].idle_seconds);
}

static void put_workers(const struct pm_report_facts *facts, struct pm_report_rows *rows) {
    char a[PM_NUMBER_TEXT];
    if (!facts->worker_count) return;
    struct pm_strbuf *text = row(rows, "Workers");
    pm_strbuf_appendf(text, "%zu:", facts->worker_count);
    for (size_t i = 0; i < facts->worker_count && i < 6; i++) {
        const struct pm_report_facts *worker = &facts->workers[i];
        pm_strbuf_appendf(text, "%s thread %s", i ? "," : "", pm_format_count(a, worker->header.thread_id));
        pm_strbuf_appendf(text, " heap %s", pm_format_bytes(a, worker->heap.used));
    }
    if (facts->worker_count > 6) pm_strbuf_append(text, ", ...");
}

static void put_limit(struct pm_strbuf *text, const struct pm_report_facts *facts, const char *name,
                      const char *words, bool bytes) {
    char number[PM_NUMBER_TEXT];
    const struct pm_report_limit *limit = pm_report_limit(facts, name);
    if (!limit || limit->soft == PM_UNKNOWN) return;
    const char *value = limit->soft == PM_UNLIMITED ? "unlimited"
                        : bytes                     ? pm_format_bytes(number, limit->soft)
                                                    : pm_format_count(number, limit->soft);
    pm_strbuf_appendf(text, "%s%s %s", text->length ? ", " : "", words, value);
}

static void put_limits(const struct pm_report_facts *facts, struct pm_report_rows *rows) {
    if (!facts->limit_count) return;
    struct pm_strbuf *text = row(rows, "Limits");
    put_limit(text, facts, "open_files", "open files", false);
    put_limit(text, facts, "core_file_size", "core", true);
    put_limit(text, facts, "max_user_processes", "processes", false);
    put_limit(text, facts, "stack_size", "stack", true);
    put_limit(text, facts, "virtual_memory", "virtual memory", true);
    if (!text->length) pm_strbuf_append(text, "not known");
}

void pm_report_words(const struct pm_report_facts *facts, struct pm_report_rows *ret) {
    *ret = (struct pm_report_rows){0};
    put_origin(facts, ret);
    put_usage(facts, ret);
    put_loop(facts, ret);
    put_workers(facts, ret);
    put_limits(facts, ret);
}

/* ---- pods ---- */

static void put_state(struct pm_strbuf *text, const char *words, const struct pm_pod_state *state) {
    static const char *const kinds[] = {"unknown", "waiting", "running", "terminated"};
    if (state->kind == PM_POD_STATE_NONE) return;
    pm_strbuf_appendf(text, "%s %s", words, kinds[state->kind]);
    if (state->reason) pm_strbuf_appendf(text, " (%s)", state->reason);
    if (state->exit_code != PM_UNKNOWN)
        pm_strbuf_appendf(text, ", exit code %llu", (unsigned long long)state->exit_code);
    if (state->finished_at) pm_strbuf_appendf(text, " at %s", state->finished_at);
}

void pm_pod_words(const struct pm_pod *pod, struct pm_report_rows *ret) {
    char number[PM_NUMBER_TEXT];
    *ret = (struct pm_report_rows){0};
    struct pm_strbuf *text = row(ret, "Pod");
    pm_strbuf_appendf(text, "%s/%s", pod->namespace_name ? pod->namespace_name : "?",
                      pod->name ? pod->name : "?");
    if (pod->node) pm_strbuf_appendf(text, " on %s", pod->node);
    if (pod->phase) pm_strbuf_appendf(text, ", %s", pod->phase);
    if (pod->qos) pm_strbuf_appendf(text, ", QoS class %s", pod->qos);
    if (pod->reason) pm_strbuf_appendf(text, ", %s", pod->reason);
    for (size_t i = 0; i < pod->container_count && ret->count + 1 < PM_REPORT_ROWS; i++) {
        const struct pm_pod_container *container = &pod->containers[i];
        text = row(ret, "Container");
        pm_strbuf_appendf(text, "%s", container->name);
        put_state(text, ": ", &container->state);
        put_state(text, "; before: ", &container->last_state);
        if (container->restart_count != PM_UNKNOWN)
            pm_strbuf_appendf(text, "; %s restarts", pm_format_count(number, container->restart_count));
        if (container->memory_limit != PM_UNKNOWN)
            pm_strbuf_appendf(text, "; memory limit %s", pm_format_bytes(number, container->memory_limit));
        if (container->cpu_limit != PM_UNKNOWN)
            pm_strbuf_appendf(text, "; CPU limit %.2f", (double)container->cpu_limit / 1000);
    }
    if (pod->container_count + 1 > PM_REPORT_ROWS) pm_strbuf_append(text, "; ... more containers");
}
