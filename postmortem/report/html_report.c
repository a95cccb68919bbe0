/* The HTML page: what diagnostic reports and Kubernetes say. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "postmortem/model/pod.h"
#include "postmortem/model/report_facts.h"
#include "postmortem/report/html.h"

#define HANDLES_USUAL 200

static void fact_bytes(const struct pm_html *page, const char *name, uint64_t bytes) {
    char number[PM_NUMBER_TEXT];
    if (bytes == PM_UNKNOWN) return;
    pm_html_fact(page, name, bytes == PM_UNLIMITED ? "unlimited" : pm_format_bytes(number, bytes));
}

static void fact_count(const struct pm_html *page, const char *name, uint64_t count) {
    char number[PM_NUMBER_TEXT];
    if (pm_is_number(count)) pm_html_fact(page, name, pm_format_count(number, count));
}

static void fact_double(const struct pm_html *page, const char *name, double value, const char *format) {
    char text[64];
    if (!(value >= 0) || value > 1e15) return;
    snprintf(text, sizeof(text), format, value);
    pm_html_fact(page, name, text);
}

static void put_input(const struct pm_html *page, size_t input) {
    if (input >= page->diagnosis->input_count) return;
    pm_strbuf_append(page->out, "<h3>");
    pm_html_text(page, page->diagnosis->inputs[input].path, PM_HTML_NAME);
    pm_strbuf_append(page->out, "</h3>\n");
}

static void put_header(const struct pm_html *page, const struct pm_report_facts *facts) {
    const struct pm_report_header *header = &facts->header;
    struct pm_strbuf command PM_AUTO_STRBUF = {0};
    char pid[PM_NUMBER_TEXT];
    pm_html_fact(page, "Event", header->event);
    pm_html_fact(page, "Trigger", header->trigger);
    pm_html_fact(page, "Time", header->time);
    pm_html_fact(page, "Node.js", header->node_version);
    snprintf(pid, sizeof(pid), "%" PRIu64, header->pid); /* a name, not an amount */
    pm_html_fact(page, "Pid", pm_is_number(header->pid) ? pid : NULL);
    pm_html_fact(page, "Host", header->host);
    pm_html_fact(page, "Folder", header->cwd);
    for (size_t i = 0; i < header->argc; i++) pm_strbuf_appendf(&command, i ? " %s" : "%s", header->argv[i]);
    pm_html_fact(page, "Command", command.length ? pm_strbuf_text(&command) : NULL);
}

static void put_memory(const struct pm_html *page, const struct pm_report_facts *facts) {
    const struct pm_report_heap *heap = &facts->heap;
    const struct pm_report_usage *usage = &facts->usage;
    fact_bytes(page, "Resident (RSS)", usage->rss);
    fact_bytes(page, "Resident at most", usage->max_rss);
    fact_bytes(page, "Heap used", heap->used);
    fact_bytes(page, "Heap limit", heap->limit);
    fact_bytes(page, "Heap committed", heap->total_committed);
    fact_bytes(page, "External memory", heap->external);
    fact_bytes(page, "Allocated by V8 outside", heap->malloced);
    fact_bytes(page, "Limit of the container", usage->constrained_memory);
    fact_bytes(page, "Available", usage->available_memory);
    fact_count(page, "Native contexts", heap->native_contexts);
    fact_count(page, "Detached contexts", heap->detached_contexts);
    fact_double(page, "CPU", usage->cpu_percent, "%.1f %% of one core");
    fact_double(page, "CPU of the loop's thread", facts->thread_usage.cpu_percent, "%.1f %% of one core");
}

static void put_stack(const struct pm_html *page, const struct pm_report_facts *facts) {
    const struct pm_report_error *error = &facts->error;
    size_t i = 0;
    if (error->message) pm_html_lines(page, error->message);
    if (error->unavailable) {
        pm_strbuf_append(page->out, "<p class=\"note\">The report has no JavaScript stack: ");
        pm_html_text(page, error->unavailable, PM_HTML_NAME);
        pm_strbuf_append(page->out, "</p>\n");
    }
    if (!error->line_count) return;
    pm_strbuf_append(page->out, "<pre tabindex=\"0\">");
    for (; i < error->line_count && i < 200 && pm_html_room(page); i++) {
        pm_html_text(page, error->lines[i], PM_HTML_NAME);
        pm_strbuf_append(page->out, "\n");
    }
    pm_strbuf_append(page->out, "</pre>\n");
    pm_html_left_out(page, error->line_count - i, "frames");
}

static void put_native(const struct pm_html *page, const struct pm_report_facts *facts) {
    size_t i = 0;
    if (!facts->native_count) return;
    pm_strbuf_append(page->out, "<details><summary>Native stack</summary><pre>");
    for (; i < facts->native_count && i < 200 && pm_html_room(page); i++) {
        pm_strbuf_appendf(page->out, "0x%" PRIx64 " ", facts->native_stack[i].pc);
        pm_html_text(page, facts->native_stack[i].symbol, PM_HTML_NAME);
        if (facts->native_stack[i].module) {
            pm_strbuf_append(page->out, " (");
            pm_html_text(page, facts->native_stack[i].module, PM_HTML_NAME);
            pm_strbuf_append(page->out, ")");
        }
        pm_strbuf_append(page->out, "\n");
    }
    pm_strbuf_append(page->out, "</pre></details>\n");
    pm_html_left_out(page, facts->native_count - i, "frames");
}

static void put_spaces(const struct pm_html *page, const struct pm_report_facts *facts) {
    static const char *const columns[] = {"Space", "#Committed", "#Used", "#Available"};
    if (!facts->heap.space_count) return;
    pm_html_table(page, "sorts", columns, 4);
    for (size_t i = 0; i < facts->heap.space_count && pm_html_room(page); i++) {
        const struct pm_report_space *space = &facts->heap.spaces[i];
        pm_strbuf_append(page->out, "<tr>");
        pm_html_cell(page, space->name);
        pm_html_cell_bytes(page, space->committed);
        pm_html_cell_bytes(page, space->used);
        pm_html_cell_bytes(page, space->available);
        pm_strbuf_append(page->out, "</tr>\n");
    }
    pm_html_table_end(page);
}

static void spell_endpoint(struct pm_strbuf *out, const char *word,
                           const struct pm_report_endpoint *endpoint) {
    if (!endpoint->host) return;
    pm_strbuf_appendf(out, "%s%s %s", out->length ? ", " : "", word, endpoint->host);
    if (pm_is_number(endpoint->port)) pm_strbuf_appendf(out, ":%" PRIu64, endpoint->port);
}

/* What a handle is about: its other end, when it fires, its file. */
static void spell_handle(const struct pm_report_handle *handle, struct pm_strbuf *out) {
    spell_endpoint(out, "from", &handle->local);
    spell_endpoint(out, "to", &handle->remote);
    if (isfinite(handle->fires_in_ms))
        pm_strbuf_appendf(out, handle->fires_in_ms < 0 ? "overdue by %.0f ms" : "fires in %.0f ms",
                          fabs(handle->fires_in_ms));
    if (handle->filename) pm_strbuf_appendf(out, "%s%s", out->length ? ", " : "", handle->filename);
    if (handle->signal_name) pm_strbuf_appendf(out, "%s%s", out->length ? ", " : "", handle->signal_name);
    if (pm_is_number(handle->pid))
        pm_strbuf_appendf(out, "%spid %" PRIu64, out->length ? ", " : "", handle->pid);
    if (pm_is_number(handle->write_queue_bytes) && handle->write_queue_bytes)
        pm_strbuf_appendf(out, ", %" PRIu64 " bytes to write", handle->write_queue_bytes);
}

static const char *yes_no(enum pm_maybe value) {
    return value == PM_YES ? "yes" : value == PM_NO ? "no" : "?";
}

/* "161 handles of the event loop: 150 tcp, 4 async ..." */
static void put_handle_kinds(const struct pm_html *page, const struct pm_report_facts *facts) {
    size_t counts[PM_HANDLE_UDP + 1] = {0};
    for (size_t i = 0; i < facts->handle_count; i++)
        if ((size_t)facts->handles[i].kind <= PM_HANDLE_UDP) counts[facts->handles[i].kind]++;
    pm_strbuf_appendf(page->out, "<p>%zu handle%s of the event loop", facts->handle_count,
                      facts->handle_count == 1 ? "" : "s");
    const char *comma = ": ";
    for (size_t kind = 0; kind <= PM_HANDLE_UDP; kind++) {
        const char *type = NULL;
        for (size_t i = 0; counts[kind] && !type && i < facts->handle_count; i++)
            if ((size_t)facts->handles[i].kind == kind) type = facts->handles[i].type;
        if (!type) continue;
        pm_strbuf_appendf(page->out, "%s%zu ", comma, counts[kind]);
        pm_html_text(page, kind == PM_HANDLE_OTHER ? "other" : type, PM_HTML_NAME);
        comma = ", ";
    }
    pm_strbuf_append(page->out, ".</p>\n");
}

static void put_handles(const struct pm_html *page, const struct pm_report_facts *facts) {
    static const char *const columns[] = {"Handle", "Active", "Keeps the loop alive", "What", "#fd"};
    size_t rows = pm_html_rows(page, facts->handle_count, HANDLES_USUAL), i = 0;
    if (!facts->handle_count) return;
    put_handle_kinds(page, facts);
    pm_strbuf_append(page->out, "<details><summary>Every handle</summary>\n");
    pm_html_table(page, "sorts filters", columns, 5);
    for (; i < rows && pm_html_room(page); i++) {
        const struct pm_report_handle *handle = &facts->handles[i];
        struct pm_strbuf what PM_AUTO_STRBUF = {0};
        spell_handle(handle, &what);
        pm_strbuf_append(page->out, "<tr>");
        pm_html_cell(page, handle->type);
        pm_html_cell(page, yes_no(handle->active));
        pm_html_cell(page, yes_no(handle->referenced));
        pm_html_cell(page, pm_strbuf_text(&what));
        pm_html_cell_count(page, pm_is_number(handle->fd) ? handle->fd : PM_UNKNOWN);
        pm_strbuf_append(page->out, "</tr>\n");
    }
    pm_html_table_end(page);
    pm_html_left_out(page, facts->handle_count - i, "handles");
    pm_strbuf_append(page->out, "</details>\n");
}

static void cell_limit(const struct pm_html *page, uint64_t limit) {
    char number[PM_NUMBER_TEXT];
    pm_html_cell_number(page, limit, limit == PM_UNLIMITED ? "unlimited" : pm_format_count(number, limit));
}

static void put_limits(const struct pm_html *page, const struct pm_report_facts *facts) {
    static const char *const columns[] = {"Limit", "#Soft", "#Hard"};
    if (!facts->limit_count) return;
    pm_strbuf_append(page->out, "<details><summary>Limits of the user</summary>\n");
    pm_html_table(page, "", columns, 3);
    for (size_t i = 0; i < facts->limit_count && pm_html_room(page); i++) {
        pm_strbuf_append(page->out, "<tr>");
        pm_html_cell(page, facts->limits[i].name);
        cell_limit(page, facts->limits[i].soft);
        cell_limit(page, facts->limits[i].hard);
        pm_strbuf_append(page->out, "</tr>\n");
    }
    pm_html_table_end(page);
    pm_strbuf_append(page->out, "</details>\n");
}

static void put_facts(const struct pm_html *page, const struct pm_report_facts *facts) {
    pm_strbuf_append(page->out, "<dl>\n");
    put_header(page, facts);
    put_memory(page, facts);
    pm_strbuf_append(page->out, "</dl>\n");
    put_stack(page, facts);
    put_spaces(page, facts);
    put_native(page, facts);
    put_handles(page, facts);
    put_limits(page, facts);
}

void pm_html_reports(const struct pm_html *page) {
    const struct pm_diagnosis *diagnosis = page->diagnosis;
    size_t i = 0;
    for (; i < diagnosis->report_count && pm_html_room(page); i++) {
        const struct pm_report_facts *facts = diagnosis->reports[i];
        put_input(page, facts->input);
        if (!facts->complete)
            pm_strbuf_append(
                page->out, "<p class=\"warn\">The report is cut or damaged; this is what came before.</p>\n");
        put_facts(page, facts);
        for (size_t k = 0; k < facts->worker_count && pm_html_room(page); k++) {
            pm_strbuf_appendf(page->out, "<details><summary>Worker thread %" PRIu64 "</summary>\n",
                              facts->workers[k].header.thread_id);
            put_facts(page, &facts->workers[k]);
            pm_strbuf_append(page->out, "</details>\n");
        }
    }
    pm_html_left_out(page, diagnosis->report_count - i, "reports");
}

static void spell_state(const struct pm_pod_state *state, struct pm_strbuf *out) {
    static const char *const words[] = {"", "waiting", "running", "terminated"};
    pm_strbuf_append(out, words[state->kind]);
    if (state->reason) pm_strbuf_appendf(out, ": %s", state->reason);
    if (pm_is_number(state->exit_code)) pm_strbuf_appendf(out, ", exit code %" PRIu64, state->exit_code);
    if (state->finished_at) pm_strbuf_appendf(out, ", %s", state->finished_at);
}

static void put_containers(const struct pm_html *page, const struct pm_pod *pod) {
    static const char *const columns[] = {"Container", "State", "Before", "#Restarts", "#Memory limit"};
    pm_html_table(page, "", columns, 5);
    for (size_t i = 0; i < pod->container_count && pm_html_room(page); i++) {
        const struct pm_pod_container *container = &pod->containers[i];
        struct pm_strbuf state PM_AUTO_STRBUF = {0}, last PM_AUTO_STRBUF = {0};
        spell_state(&container->state, &state);
        spell_state(&container->last_state, &last);
        pm_strbuf_append(page->out, "<tr>");
        pm_html_cell(page, container->name);
        pm_html_cell(page, pm_strbuf_text(&state));
        pm_html_cell(page, pm_strbuf_text(&last));
        pm_html_cell_count(page, container->restart_count);
        pm_html_cell_bytes(page, container->memory_limit);
        pm_strbuf_append(page->out, "</tr>\n");
    }
    pm_html_table_end(page);
}

void pm_html_pods(const struct pm_html *page) {
    const struct pm_diagnosis *diagnosis = page->diagnosis;
    size_t i = 0;
    for (; i < diagnosis->pod_count && pm_html_room(page); i++) {
        const struct pm_pod *pod = diagnosis->pods[i];
        pm_strbuf_append(page->out, "<dl>\n");
        pm_html_fact(page, "Pod", pod->name);
        pm_html_fact(page, "Namespace", pod->namespace_name);
        pm_html_fact(page, "Phase", pod->phase);
        pm_html_fact(page, "Reason", pod->reason);
        pm_html_fact(page, "Message", pod->message);
        pm_html_fact(page, "Quality of service", pod->qos);
        pm_strbuf_append(page->out, "</dl>\n");
        put_containers(page, pod);
    }
    pm_html_left_out(page, diagnosis->pod_count - i, "pods");
}
