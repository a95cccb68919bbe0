/* The ticket: its tables - what keeps the memory, objects, spaces, reports, profiles, logs, environment. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "postmortem/base/escape.h"
#include "postmortem/model/gc_log.h"
#include "postmortem/model/profile.h"
#include "postmortem/model/report_compare.h"
#include "postmortem/report/markdown.h"
#include "postmortem/report/report_words.h"

#define USUAL_ROWS 15
#define FILES_MOST 5 /* reports, profiles, logs that have a part of their own */

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

static void put_title(const struct pm_diagnosis *diagnosis, const char *word, size_t input,
                      struct pm_strbuf *out) {
    pm_strbuf_appendf(out, "### %s", word);
    if (input < diagnosis->input_count) {
        pm_strbuf_append(out, " ");
        pm_ticket_text(out, diagnosis->inputs[input].path, PM_TICKET_CELL);
    }
    pm_strbuf_append(out, "\n\n");
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

static void put_comparison(const struct pm_report_comparison *comparison, struct pm_strbuf *out) {
    char number[PM_NUMBER_TEXT];
    pm_strbuf_append(out, "### Between two reports\n\n| what | before | after |\n|---|--:|--:|\n");
    for (size_t i = 0; i < comparison->change_count; i++) {
        const struct pm_report_change *change = &comparison->changes[i];
        pm_strbuf_append(out, "|");
        pm_ticket_cell(out, change->what);
        for (unsigned k = 0; k < 2; k++) {
            double value = k ? change->after : change->before;
            if (change->unit == PM_CHANGE_SECONDS)
                snprintf(number, sizeof(number), "%.2f s", value);
            else if (change->unit == PM_CHANGE_BYTES)
                pm_format_bytes(number, (uint64_t)value);
            else
                pm_format_count(number, (uint64_t)value);
            pm_ticket_cell(out, number);
        }
        pm_strbuf_append(out, "\n");
    }
    pm_strbuf_append(out, "\n");
}

void pm_ticket_reports(const struct pm_diagnosis *diagnosis, const struct pm_write_options *options,
                       struct pm_strbuf *out) {
    (void)options;
    if (diagnosis->report_comparison) put_comparison(diagnosis->report_comparison, out);
    for (size_t i = 0; i < diagnosis->report_count && i < FILES_MOST; i++) {
        put_title(diagnosis, "Report", diagnosis->reports[i]->input, out);
        put_report(diagnosis->reports[i], out);
    }
    if (diagnosis->report_count > FILES_MOST)
        pm_strbuf_appendf(out, "%zu more reports.\n\n", diagnosis->report_count - FILES_MOST);
    for (size_t i = 0; i < diagnosis->pod_count && i < FILES_MOST; i++) {
        struct pm_report_rows rows PM_AUTO_REPORT_ROWS;
        put_title(diagnosis, "Pod", diagnosis->pods[i]->input, out);
        pm_pod_words(diagnosis->pods[i], &rows);
        put_rows(&rows, out);
    }
    if (diagnosis->pod_count > FILES_MOST)
        pm_strbuf_appendf(out, "%zu more pods.\n\n", diagnosis->pod_count - FILES_MOST);
}

static void put_value(struct pm_strbuf *out, const struct pm_profile *profile, uint64_t value) {
    char number[PM_NUMBER_TEXT];
    if (profile->kind == PM_PROFILE_HEAP)
        pm_format_bytes(number, value);
    else
        snprintf(number, sizeof(number), "%.1f ms", (double)value / 1000);
    pm_ticket_cell(out, number);
}

static void put_profile(const struct pm_profile *profile, size_t rows, struct pm_strbuf *out) {
    pm_strbuf_append(out, profile->kind == PM_PROFILE_HEAP
                              ? "Who allocated what was live when it was taken:\n\n"
                              : "Where the time went:\n\n");
    pm_strbuf_append(out, "| function | package | self | share | total |\n|---|---|--:|--:|--:|\n");
    for (size_t i = 0; i < rows; i++) {
        const struct pm_profile_function *function = &profile->functions[i];
        struct pm_strbuf name PM_AUTO_STRBUF = {0};
        pm_strbuf_append(&name, function->name);
        if (function->position.file) pm_strbuf_appendf(&name, " %s", function->position.file);
        if (function->position.file && function->position.line)
            pm_strbuf_appendf(&name, ":%" PRIu32, function->position.line);
        pm_strbuf_append(out, "|");
        pm_ticket_cell(out, pm_strbuf_text(&name));
        pm_ticket_cell(out, function->package < profile->package_count
                                ? profile->packages[function->package].name
                                : NULL);
        put_value(out, profile, function->self);
        cell_share(out, function->self, profile->total);
        put_value(out, profile, function->total);
        pm_strbuf_append(out, "\n");
    }
    pm_strbuf_append(out, "\n");
}

void pm_ticket_profiles(const struct pm_diagnosis *diagnosis, const struct pm_write_options *options,
                        struct pm_strbuf *out) {
    for (size_t i = 0; i < diagnosis->profile_count && i < FILES_MOST; i++) {
        const struct pm_profile *profile = diagnosis->profiles[i];
        put_title(diagnosis, "Profile", profile->input, out);
        put_profile(profile, row_count(options, profile->function_count), out);
    }
    if (diagnosis->profile_count > FILES_MOST)
        pm_strbuf_appendf(out, "%zu more profiles.\n\n", diagnosis->profile_count - FILES_MOST);
}

static void item_number(struct pm_strbuf *out, const char *name, double value, const char *format) {
    char text[64];
    if (!isfinite(value) || fabs(value) > 1e15) return;
    snprintf(text, sizeof(text), format, value);
    pm_ticket_item(out, name, text);
}

static void put_series(const struct pm_gc_series *series, struct pm_strbuf *out) {
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    char all[PM_NUMBER_TEXT], full[PM_NUMBER_TEXT];
    pm_strbuf_appendf(&text, "%s, of these %s mark-compacts", pm_format_count(all, series->seen),
                      pm_format_count(full, series->mark_compacts));
    pm_ticket_item(out, "Collections", pm_strbuf_text(&text));
    item_number(out, "Longest pause", series->pause_longest, "%.0f ms");
    item_number(out, "Share of time in GC", series->gc_share * 100, "%.1f %%");
    if (series->trend.known) item_number(out, "Growth", series->trend.slope, "%+.1f MB a minute");
    item_number(out, "Limit", series->limit, "%.0f MB");
    item_number(out, "Minutes to the limit", series->minutes_to_limit, "%.1f");
}

void pm_ticket_logs(const struct pm_diagnosis *diagnosis, const struct pm_write_options *options,
                    struct pm_strbuf *out) {
    (void)options;
    for (size_t i = 0; i < diagnosis->gc_log_count && i < FILES_MOST; i++) {
        const struct pm_gc_log *log = diagnosis->gc_logs[i];
        struct pm_strbuf text PM_AUTO_STRBUF = {0};
        put_title(diagnosis, "Log", log->input, out);
        pm_ticket_item(out, "Fatal error", log->fatal);
        if (log->error)
            pm_strbuf_appendf(&text, "%s: %s", log->error->name ? log->error->name : "Error",
                              log->error->message ? log->error->message : "");
        pm_ticket_item(out, "Uncaught", text.length ? pm_strbuf_text(&text) : NULL);
        if (log->series_count) put_series(&log->series[0], out);
        pm_strbuf_append(out, "\n");
    }
    if (diagnosis->gc_log_count > FILES_MOST)
        pm_strbuf_appendf(out, "%zu more logs.\n\n", diagnosis->gc_log_count - FILES_MOST);
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
