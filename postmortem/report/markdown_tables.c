/* The ticket: its tables - what keeps the memory, objects, spaces, reports, environment. */
#include <inttypes.h>
#include <string.h>

#include "postmortem/base/escape.h"
#include "postmortem/report/markdown.h"
#include "postmortem/report/report_words.h"

#define USUAL_ROWS 15

static const struct pm_isolate *main_isolate(const struct pm_diagnosis *diagnosis) {
    for (size_t i = 0; i < diagnosis->isolate_count; i++)
        if (diagnosis->isolates[i].is_main) return &diagnosis->isolates[i];
    return diagnosis->isolate_count ? &diagnosis->isolates[0] : NULL;
}

static size_t row_count(const struct pm_write_options *options, size_t count) {
    size_t most = options->limit ? options->limit : USUAL_ROWS;
    return count < most ? count : most;
}

static void cell_bytes(struct pm_strbuf *out, uint64_t bytes) {
    char number[PM_NUMBER_TEXT];
    pm_ticket_cell(out, pm_format_bytes(number, bytes));
}

static void cell_count(struct pm_strbuf *out, uint64_t count) {
    char number[PM_NUMBER_TEXT];
    pm_ticket_cell(out, pm_format_count(number, count));
}

static void cell_share(struct pm_strbuf *out, uint64_t part, uint64_t whole) {
    char number[PM_NUMBER_TEXT];
    pm_ticket_cell(out, pm_format_share(number, part, whole));
}

void pm_ticket_dominators(const struct pm_diagnosis *diagnosis, const struct pm_write_options *options,
                          struct pm_strbuf *out) {
    const struct pm_isolate *isolate = main_isolate(diagnosis);
    if (!isolate || !isolate->dominator_count) return;
    pm_strbuf_append(
        out, "### What keeps the memory\n\nAn object with all that would be freed with it; indented: what "
             "it keeps.\n\n| object | class | retained | share |\n|---|---|--:|--:|\n");
    for (size_t i = 0; i < row_count(options, isolate->dominator_count); i++) {
        const struct pm_dominator_row *row = &isolate->dominators[i];
        struct pm_strbuf name PM_AUTO_STRBUF = {0};
        if (row->name) pm_strbuf_appendf(&name, "%s: ", row->name);
        pm_strbuf_append(&name, row->label ? row->label : row->class_name ? row->class_name : "?");
        pm_strbuf_append(out, "| ");
        for (uint32_t k = 0; k < row->depth && k < 20; k++) pm_strbuf_append(out, "&nbsp;&nbsp;");
        pm_ticket_text(out, pm_strbuf_text(&name), PM_TICKET_CELL);
        pm_strbuf_append(out, " |");
        pm_ticket_cell(out, row->class_name);
        cell_bytes(out, row->retained);
        cell_share(out, row->retained, isolate->reachable_bytes);
        pm_strbuf_append(out, "\n");
    }
    pm_strbuf_append(out, "\n");
}

void pm_ticket_objects(const struct pm_diagnosis *diagnosis, const struct pm_write_options *options,
                       struct pm_strbuf *out) {
    const struct pm_isolate *isolate = main_isolate(diagnosis);
    bool retained = false;
    if (!isolate || !diagnosis->has_histogram || !isolate->histogram_count || isolate->grouped_by) return;
    size_t rows = row_count(options, isolate->histogram_count);
    for (size_t i = 0; i < rows; i++) retained |= isolate->histogram[i].retained != PM_UNKNOWN;
    pm_strbuf_append(
        out, retained ? "### Objects by constructor\n\n| constructor | count | shallow | share | retained "
                        "|\n|---|--:|--:|--:|--:|\n"
                      : "### Objects by constructor\n\n| constructor | count | shallow | share "
                        "|\n|---|--:|--:|--:|\n");
    for (size_t i = 0; i < rows; i++) {
        const struct pm_class_row *row = &isolate->histogram[i];
        pm_strbuf_append(out, "|");
        pm_ticket_cell(out, row->name);
        cell_count(out, row->count);
        cell_bytes(out, row->shallow);
        cell_share(out, row->shallow, isolate->object_bytes);
        if (retained) cell_bytes(out, row->retained);
        pm_strbuf_append(out, "\n");
    }
    pm_strbuf_append(out, "\n");
}

void pm_ticket_spaces(const struct pm_diagnosis *diagnosis, const struct pm_write_options *options,
                      struct pm_strbuf *out) {
    const struct pm_isolate *isolate = main_isolate(diagnosis);
    (void)options;
    if (!isolate || !isolate->space_count) return;
    pm_strbuf_append(
        out, "### Heap spaces\n\n| space | pages | committed | used | free |\n|---|--:|--:|--:|--:|\n");
    for (size_t i = 0; i < isolate->space_count; i++) {
        const struct pm_space *space = &isolate->spaces[i];
        if (!space->pages || (space->pages == PM_UNKNOWN && !space->committed)) continue;
        pm_strbuf_append(out, "|");
        pm_ticket_cell(out, space->name);
        cell_count(out, space->pages);
        cell_bytes(out, space->committed);
        cell_bytes(out, space->used);
        cell_bytes(out, space->free);
        pm_strbuf_append(out, "\n");
    }
    pm_strbuf_append(out, "\n");
}

static void put_rows(const struct pm_report_rows *rows, struct pm_strbuf *out) {
    for (size_t i = 0; i < rows->count; i++)
        pm_ticket_item(out, rows->rows[i].label, pm_strbuf_text(&rows->rows[i].text));
    pm_strbuf_append(out, "\n");
}

static void put_report(const struct pm_report_facts *facts, struct pm_strbuf *out) {
    struct pm_report_rows rows PM_AUTO_REPORT_ROWS;
    struct pm_strbuf lines PM_AUTO_STRBUF = {0};
    pm_report_words(facts, &rows);
    put_rows(&rows, out);
    for (size_t i = 0; i < facts->error.line_count && i < 30; i++) {
        size_t length = strlen(facts->error.lines[i]);
        pm_escape_terminal(&lines, facts->error.lines[i], length < 300 ? length : 300);
        pm_strbuf_append(&lines, "\n");
    }
    if (lines.length) pm_ticket_code(out, &lines);
}

void pm_ticket_reports(const struct pm_diagnosis *diagnosis, const struct pm_write_options *options,
                       struct pm_strbuf *out) {
    (void)options;
    for (size_t i = 0; i < diagnosis->report_count && i < PM_TICKET_FILES; i++) {
        pm_ticket_title(diagnosis, "Report", diagnosis->reports[i]->input, out);
        put_report(diagnosis->reports[i], out);
    }
    if (diagnosis->report_count > PM_TICKET_FILES)
        pm_strbuf_appendf(out, "%zu more reports.\n\n", diagnosis->report_count - PM_TICKET_FILES);
    for (size_t i = 0; i < diagnosis->pod_count && i < PM_TICKET_FILES; i++) {
        struct pm_report_rows rows PM_AUTO_REPORT_ROWS;
        pm_ticket_title(diagnosis, "Pod", diagnosis->pods[i]->input, out);
        pm_pod_words(diagnosis->pods[i], &rows);
        put_rows(&rows, out);
    }
    if (diagnosis->pod_count > PM_TICKET_FILES)
        pm_strbuf_appendf(out, "%zu more pods.\n\n", diagnosis->pod_count - PM_TICKET_FILES);
}

void pm_ticket_details(const struct pm_diagnosis *diagnosis, const struct pm_write_options *options,
                       struct pm_strbuf *out) {
    const struct pm_process *process = &diagnosis->process;
    struct pm_strbuf lines PM_AUTO_STRBUF = {0};
    (void)options;
    if (!diagnosis->has_process) return;
    if (process->environment_count) {
        pm_strbuf_append(out, "### Environment\n\n| name | value |\n|---|---|\n");
        for (size_t i = 0; i < process->environment_count; i++) {
            pm_strbuf_append(out, "|");
            pm_ticket_cell(out, process->environment[i].name);
            pm_ticket_cell(out, process->environment[i].value);
            pm_strbuf_append(out, "\n");
        }
        pm_strbuf_append(out, "\n");
    }
    for (const char *line = process->last_gcs; line && *line;) {
        size_t length = strcspn(line, "\n");
        pm_escape_terminal(&lines, line, length < 300 ? length : 300);
        pm_strbuf_append(&lines, "\n");
        line += length + (line[length] == '\n');
    }
    if (!lines.length) return;
    pm_strbuf_append(out, "### Last garbage collections\n\n");
    pm_ticket_code(out, &lines);
}
