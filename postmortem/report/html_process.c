/* The HTML page: findings, the process and its death, environment, coverage. */
#include <inttypes.h>
#include <string.h>

#include "postmortem/model/gc_log.h"
#include "postmortem/model/words.h"
#include "postmortem/report/html.h"

static void put_positions(const struct pm_html *page, const struct pm_finding *finding) {
    if (!finding->position_count && !finding->object_count) return;
    pm_strbuf_append(page->out, "<dl>\n");
    for (size_t i = 0; i < finding->position_count; i++) {
        const struct pm_role_position *position = &finding->positions[i];
        pm_strbuf_append(page->out, "<dt>");
        pm_html_text(page, position->role, PM_HTML_NAME);
        pm_strbuf_append(page->out, "</dt><dd>");
        if (position->function && *position->function) {
            pm_html_code(page, position->function);
            if (position->position.file) pm_strbuf_append(page->out, " at ");
        }
        pm_html_position(page, &position->position);
        pm_strbuf_append(page->out, "</dd>\n");
    }
    for (size_t i = 0; i < finding->object_count && i < 20; i++) {
        pm_strbuf_appendf(page->out,
                          page->diagnosis->objects_by_id ? "<dt>object</dt><dd><code>@%" PRIu64 "</code> "
                                                         : "<dt>object</dt><dd><code>0x%" PRIx64 "</code> ",
                          finding->objects[i].address);
        pm_html_text(page, finding->objects[i].class_name, PM_HTML_NAME);
        pm_strbuf_append(page->out, "</dd>\n");
    }
    pm_strbuf_append(page->out, "</dl>\n");
}

static void put_badges(const struct pm_html *page, const struct pm_finding *finding) {
    char bytes[PM_NUMBER_TEXT];
    const char *severity = pm_severity_word(finding->severity);
    pm_strbuf_appendf(
        page->out, "<p><span class=\"badge %s\">%s</span><span class=\"badge plain\">confidence %s</span>",
        severity ? severity : "info", severity ? severity : "info", pm_confidence_word(finding->confidence));
    if (finding->retained_bytes != PM_UNKNOWN) {
        pm_strbuf_appendf(page->out, "<span class=\"badge plain\">keeps %s",
                          pm_format_bytes(bytes, finding->retained_bytes));
        if (finding->share >= 0) pm_strbuf_appendf(page->out, ", %.1f %% of the heap", finding->share * 100);
        pm_strbuf_append(page->out, "</span>");
    }
    pm_strbuf_append(page->out, "<span class=\"badge plain\">");
    pm_html_text(page, finding->id, PM_HTML_NAME);
    pm_strbuf_append(page->out, "</span></p>\n");
}

static void put_finding(const struct pm_html *page, const struct pm_finding *finding) {
    const char *severity = pm_severity_word(finding->severity);
    pm_strbuf_appendf(page->out, "<article class=\"finding %s\">\n<h3>", severity ? severity : "info");
    pm_html_prose(page, finding->title);
    pm_strbuf_append(page->out, "</h3>\n");
    put_badges(page, finding);
    if (finding->claim) pm_html_paragraph(page, NULL, finding->claim);
    put_positions(page, finding);
    bool told = false; /* the evidence may begin with it */
    for (size_t i = 0; finding->owner_path && i < finding->evidence_count; i++)
        told |= finding->evidence[i] && strstr(finding->evidence[i], finding->owner_path);
    if (finding->owner_path && !told) {
        pm_strbuf_append(page->out, "<p>Held by: ");
        pm_html_code(page, finding->owner_path);
        pm_strbuf_append(page->out, "</p>\n");
    }
    if (finding->evidence_count) pm_strbuf_append(page->out, "<ul>\n");
    for (size_t i = 0; i < finding->evidence_count && pm_html_room(page); i++) {
        pm_strbuf_append(page->out, "<li>");
        pm_html_prose(page, finding->evidence[i]);
        pm_strbuf_append(page->out, "</li>\n");
    }
    if (finding->evidence_count) pm_strbuf_append(page->out, "</ul>\n");
    if (finding->advice) {
        pm_strbuf_append(page->out, "<p class=\"advice\"><strong>Advice:</strong> ");
        pm_html_prose(page, finding->advice);
        pm_strbuf_append(page->out, "</p>\n");
    }
    if (finding->next_count) pm_strbuf_append(page->out, "<p class=\"note\">To dig further:</p>\n");
    for (size_t i = 0; i < finding->next_count && pm_html_room(page); i++)
        pm_html_command(page, finding->next[i]);
    pm_strbuf_append(page->out, "</article>\n");
}

void pm_html_findings(const struct pm_html *page) {
    const struct pm_diagnosis *diagnosis = page->diagnosis;
    size_t i = 0;
    for (; i < diagnosis->finding_count && pm_html_room(page); i++)
        put_finding(page, &diagnosis->findings[i]);
    pm_html_left_out(page, diagnosis->finding_count - i, "findings");
}

static void put_command(const struct pm_html *page) {
    const struct pm_process *process = &page->diagnosis->process;
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    for (size_t i = 0; i < process->argc; i++) {
        const char *argument = process->argv[i];
        bool quote = !*argument || strpbrk(argument, " \t\n'\"\\$`&|;<>()*?");
        pm_strbuf_appendf(&text, quote ? "%s'%s'" : "%s%s", i ? " " : "", argument);
    }
    if (!text.length && !process->title) return;
    pm_strbuf_appendf(page->out, "<dt>%s</dt><dd>", text.length ? "Command" : "Title");
    pm_strbuf_append(page->out, "<code>");
    pm_html_text(page, text.length ? pm_strbuf_text(&text) : process->title, PM_HTML_LONG);
    pm_strbuf_append(page->out, "</code></dd>\n");
}

static void put_signal(const struct pm_html *page) {
    const struct pm_process *process = &page->diagnosis->process;
    const char *name = pm_signal_name(process->signal);
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    if (!name) return;
    pm_strbuf_append(&text, name);
    if (process->has_fault_address)
        pm_strbuf_appendf(&text, " at address 0x%" PRIx64, process->fault_address);
    else if (process->sender_pid != PM_UNKNOWN && process->sender_pid)
        pm_strbuf_appendf(&text, ", sent by process %" PRIu64, process->sender_pid);
    else if (process->death == PM_DEATH_KILLED)
        pm_strbuf_append(&text, ", sent from outside");
    pm_html_fact(page, "Signal", pm_strbuf_text(&text));
}

static void put_death(const struct pm_html *page) {
    const struct pm_process *process = &page->diagnosis->process;
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    char used[PM_NUMBER_TEXT], limit[PM_NUMBER_TEXT];
    pm_html_fact(page, "Death", pm_death_phrase(process->death));
    if (process->death_location && process->death_message)
        pm_strbuf_appendf(&text, "%s - %s", process->death_location, process->death_message);
    else if (process->death_message || process->death_location)
        pm_strbuf_append(&text, process->death_message ? process->death_message : process->death_location);
    pm_html_fact(page, "Message", text.length ? pm_strbuf_text(&text) : NULL);
    pm_strbuf_clear(&text);
    if (process->heap_used_at_death != PM_UNKNOWN && process->heap_limit_at_death != PM_UNKNOWN)
        pm_strbuf_appendf(&text, "%s used, at most %s for both generations",
                          pm_format_bytes(used, process->heap_used_at_death),
                          pm_format_bytes(limit, process->heap_limit_at_death));
    pm_html_fact(page, "V8's own count", text.length ? pm_strbuf_text(&text) : NULL);
    put_signal(page);
}

void pm_html_process(const struct pm_html *page) {
    const struct pm_process *process = &page->diagnosis->process;
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    if (!page->diagnosis->has_process) return;
    pm_strbuf_append(page->out, "<dl>\n");
    put_death(page);
    if (process->node_version) pm_strbuf_appendf(&text, "Node.js %s", process->node_version);
    if (process->v8_version)
        pm_strbuf_appendf(&text, "%sV8 %s", text.length ? ", " : "", process->v8_version);
    if (process->arch) pm_strbuf_appendf(&text, "%s%s", text.length ? ", " : "", process->arch);
    pm_html_fact(page, "Runtime", text.length ? pm_strbuf_text(&text) : process->program);
    pm_strbuf_clear(&text);
    if (process->pid != PM_UNKNOWN) pm_strbuf_appendf(&text, "%" PRIu64, process->pid);
    pm_html_fact(page, "Pid", text.length ? pm_strbuf_text(&text) : NULL);
    put_command(page);
    pm_strbuf_append(page->out, "</dl>\n");
}

void pm_html_environment(const struct pm_html *page) {
    static const char *const columns[] = {"Name", "Value"};
    const struct pm_process *process = &page->diagnosis->process;
    if (!page->diagnosis->has_process) return;
    if (process->environment_count) {
        size_t i = 0;
        pm_html_table(page, "", columns, 2);
        for (; i < process->environment_count && pm_html_room(page); i++) {
            pm_strbuf_append(page->out, "<tr>");
            pm_html_cell(page, process->environment[i].name);
            pm_strbuf_append(page->out, "<td class=\"path\">");
            pm_html_text(page, process->environment[i].value, PM_HTML_LONG);
            pm_strbuf_append(page->out, "</td></tr>\n");
        }
        pm_html_table_end(page);
        pm_html_left_out(page, process->environment_count - i, "variables");
    }
    if (process->last_collections && process->last_collections->row_count > 2)
        pm_html_gc_plot(page, process->last_collections);
    if (process->last_gcs && *process->last_gcs) {
        pm_strbuf_append(page->out,
                         "<details><summary>The last garbage collections, as V8 recorded them</summary>\n");
        pm_html_lines(page, process->last_gcs);
        pm_strbuf_append(page->out, "</details>\n");
    }
}

static void put_skipped(const struct pm_html *page) {
    static const char *const columns[] = {"Skipped", "#Count", "#Bytes", "Why"};
    const struct pm_diagnosis *diagnosis = page->diagnosis;
    size_t i = 0;
    if (!diagnosis->skipped_count) return;
    pm_html_table(page, "", columns, 4);
    for (; i < diagnosis->skipped_count && pm_html_room(page); i++) {
        const struct pm_skipped *row = &diagnosis->skipped[i];
        pm_strbuf_append(page->out, "<tr>");
        pm_html_cell(page, row->what);
        pm_html_cell_count(page, row->count);
        pm_html_cell_bytes(page, row->bytes);
        pm_html_cell(page, row->why);
        pm_strbuf_append(page->out, "</tr>\n");
    }
    pm_html_table_end(page);
    pm_html_left_out(page, diagnosis->skipped_count - i, "rows");
}

void pm_html_coverage(const struct pm_html *page) {
    const struct pm_diagnosis *diagnosis = page->diagnosis;
    char number[PM_NUMBER_TEXT];
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    if (diagnosis->read_objects != PM_UNKNOWN)
        pm_strbuf_appendf(&text, "%s object%s", pm_format_count(number, diagnosis->read_objects),
                          diagnosis->read_objects == 1 ? "" : "s");
    if (diagnosis->has_threads)
        pm_strbuf_appendf(&text, "%s%s thread%s", text.length ? ", " : "",
                          pm_format_count(number, diagnosis->thread_count),
                          diagnosis->thread_count == 1 ? "" : "s");
    struct {
        size_t count;
        const char *word;
    } files[] = {{diagnosis->report_count, "report"},
                 {diagnosis->profile_count, "profile"},
                 {diagnosis->gc_log_count, "log"},
                 {diagnosis->pod_count, "pod"}};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        if (files[i].count)
            pm_strbuf_appendf(&text, "%s%zu %s%s", text.length ? ", " : "", files[i].count, files[i].word,
                              files[i].count == 1 ? "" : "s");
    pm_strbuf_appendf(page->out, "<p>Read: %s.",
                      text.length ? pm_strbuf_text(&text) : "nothing of a heap and no stacks");
    if (!diagnosis->skipped_count) pm_strbuf_append(page->out, " Nothing was skipped.");
    if (diagnosis->problem_count)
        pm_strbuf_appendf(page->out, " %zu part%s could not be analysed: see the top of the page.",
                          diagnosis->problem_count, diagnosis->problem_count == 1 ? "" : "s");
    pm_strbuf_append(page->out, "</p>\n");
    put_skipped(page);
}
