/* The ticket: profiles and logs. */
#include <inttypes.h>
#include <string.h>

#include "postmortem/base/escape.h"
#include "postmortem/model/gc_log.h"
#include "postmortem/model/profile_view.h"
#include "postmortem/model/words.h"
#include "postmortem/report/markdown.h"
#include "postmortem/report/profile_words.h"

#define USUAL_ROWS  15
#define SERIES_MOST 3
#define LINES_MOST  20 /* frames of a stack, rows of a log */
#define SPARK_WIDE  60
#define LINE_MOST   300 /* bytes of a preformatted line */

/* One line inside a fence. */
static void put_line(struct pm_strbuf *lines, const struct pm_strbuf *text) {
    pm_escape_terminal(lines, pm_strbuf_text(text), text->length < LINE_MOST ? text->length : LINE_MOST);
    pm_strbuf_append(lines, "\n");
}

static void spell_function(const struct pm_profile_function *function, struct pm_strbuf *out) {
    pm_strbuf_append(out, function->name);
    if (function->position.file) pm_strbuf_append(out, " ");
    pm_spell_place(&function->position, out);
}

/* ---- profiles ---- */

static void cell_value(struct pm_strbuf *out, const struct pm_profile *profile, uint64_t value) {
    char number[PM_NUMBER_TEXT];
    pm_ticket_cell(out, pm_format_value(profile, number, value));
}

static void put_packages(const struct pm_profile *profile, struct pm_strbuf *out) {
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    char number[PM_NUMBER_TEXT];
    size_t shown = 0;
    for (size_t i = 0; i < profile->package_count && shown < 8; i++) {
        const struct pm_profile_group *package = &profile->packages[i];
        if (!package->self || !strcmp(package->name, "(idle)") || !strcmp(package->name, "(root)")) continue;
        pm_strbuf_appendf(&text, "%s%s %s", shown++ ? ", " : "", package->name,
                          pm_format_share(number, package->self, profile->total - profile->idle));
    }
    pm_ticket_item(out, "Packages", shown ? pm_strbuf_text(&text) : NULL);
}

static void put_functions(const struct pm_profile *profile, size_t most, struct pm_strbuf *out) {
    char number[PM_NUMBER_TEXT];
    size_t shown = 0;
    pm_strbuf_append(out, "\n| function | package | self | share | total |\n|---|---|--:|--:|--:|\n");
    for (size_t i = 0; i < profile->function_count && shown < most; i++) {
        const struct pm_profile_function *function = &profile->functions[i];
        struct pm_strbuf name PM_AUTO_STRBUF = {0};
        if (function->kind == PM_CALL_IDLE || function->kind == PM_CALL_ROOT) continue;
        spell_function(function, &name);
        pm_strbuf_append(out, "|");
        pm_ticket_cell(out, pm_strbuf_text(&name));
        pm_ticket_cell(out, profile->packages[function->package].name);
        cell_value(out, profile, function->self);
        pm_ticket_cell(out, pm_format_share(number, function->self, profile->total - profile->idle));
        cell_value(out, profile, function->total);
        pm_strbuf_append(out, "\n");
        shown++;
    }
    pm_strbuf_append(out, "\n");
}

static void put_tasks(const struct pm_profile *profile, struct pm_strbuf *out) {
    char number[PM_NUMBER_TEXT];
    if (!profile->task_count) return;
    pm_strbuf_appendf(out, "%" PRIu64 " turn%s of the event loop above 50 ms, %s in all:\n\n",
                      profile->long_tasks, profile->long_tasks == 1 ? "" : "s",
                      pm_format_us(number, profile->long_task_time));
    pm_strbuf_append(out, "| long task | at | of it gc | mostly in |\n|--:|--:|--:|---|\n");
    for (size_t i = 0; i < profile->task_count && i < 5; i++) {
        const struct pm_long_task *task = &profile->tasks[i];
        struct pm_strbuf name PM_AUTO_STRBUF = {0};
        spell_function(&profile->functions[profile->calls[task->call].function], &name);
        if (task->startup) pm_strbuf_append(&name, " (start of the program)");
        pm_strbuf_append(out, "|");
        pm_ticket_cell(out, pm_format_us(number, task->duration));
        pm_ticket_cell(out, pm_format_us(number, task->start));
        pm_ticket_cell(out, pm_format_us(number, task->gc));
        pm_ticket_cell(out, pm_strbuf_text(&name));
        pm_strbuf_append(out, "\n");
    }
    pm_strbuf_append(out, "\n");
}

static void put_hot_path(const struct pm_profile *profile, struct pm_strbuf *out) {
    struct pm_profile_rows rows = {0};
    struct pm_strbuf lines PM_AUTO_STRBUF = {0};
    char number[PM_NUMBER_TEXT];
    pm_profile_hot_path(profile, &rows);
    /* The outer end of a long path is Node's own start. */
    for (size_t i = rows.count > 12 ? rows.count - 12 : 0; i < rows.count; i++) {
        struct pm_strbuf text PM_AUTO_STRBUF = {0};
        pm_strbuf_appendf(&text, "%10s  ", pm_format_value(profile, number, rows.rows[i].total));
        spell_function(&profile->functions[rows.rows[i].function], &text);
        put_line(&lines, &text);
    }
    pm_profile_rows_deinit(&rows);
    if (!lines.length) return;
    pm_strbuf_append(out, "The way with most of it, callers first:\n\n");
    pm_ticket_code(out, &lines);
}

void pm_ticket_profiles(const struct pm_diagnosis *diagnosis, const struct pm_write_options *options,
                        struct pm_strbuf *out) {
    for (size_t i = 0; i < diagnosis->profile_count && i < PM_TICKET_FILES; i++) {
        const struct pm_profile *profile = diagnosis->profiles[i];
        struct pm_strbuf text PM_AUTO_STRBUF = {0};
        pm_ticket_title(diagnosis, "Profile", profile->input, out);
        pm_spell_profile(profile, &text);
        pm_ticket_item(out, NULL, pm_strbuf_text(&text));
        put_packages(profile, out);
        pm_ticket_item(out, "Lost", profile->incomplete);
        put_functions(profile, options->limit ? options->limit : USUAL_ROWS, out);
        put_tasks(profile, out);
        put_hot_path(profile, out);
    }
    if (diagnosis->profile_count > PM_TICKET_FILES)
        pm_strbuf_appendf(out, "%zu more profiles.\n\n", diagnosis->profile_count - PM_TICKET_FILES);
}

/* ---- logs ---- */

static void put_frames(const char *title, const struct pm_frame *frames, size_t count,
                       struct pm_strbuf *out) {
    struct pm_strbuf lines PM_AUTO_STRBUF = {0};
    if (!count) return;
    for (size_t i = 0; i < count && i < LINES_MOST; i++) {
        struct pm_strbuf text PM_AUTO_STRBUF = {0};
        pm_strbuf_appendf(&text, "at %s ", frames[i].function ? frames[i].function : "(no name)");
        pm_spell_place(&frames[i].position, &text);
        put_line(&lines, &text);
    }
    if (count > LINES_MOST) pm_strbuf_appendf(&lines, "... %zu more frames\n", count - LINES_MOST);
    pm_strbuf_appendf(out, "%s:\n\n", title);
    pm_ticket_code(out, &lines);
}

/* The last collections as a table, and the curve over them. */
static void put_rows(const struct pm_gc_series *series, size_t most, struct pm_strbuf *out) {
    struct pm_strbuf spark PM_AUTO_STRBUF = {0};
    char number[PM_NUMBER_TEXT];
    size_t rows = series->row_count < most ? series->row_count : most;
    pm_spell_sparkline(series, SPARK_WIDE, &spark);
    if (spark.length) {
        pm_strbuf_append(&spark, "\n");
        pm_ticket_code(out, &spark);
    }
    pm_strbuf_append(out, "| time | kind | before | after | pause | reason |\n|--:|---|--:|--:|--:|---|\n");
    for (size_t i = series->row_count - rows; i < series->row_count; i++) {
        const struct pm_gc_row *row = &series->rows[i];
        pm_strbuf_append(out, "|");
        pm_ticket_cell(out, pm_format_us(number, (uint64_t)(row->time * 1000)));
        pm_ticket_cell(out, pm_gc_kind_word(row->kind));
        pm_ticket_cell(out, pm_format_mb(number, row->before));
        pm_ticket_cell(out, pm_format_mb(number, row->after));
        pm_ticket_cell(out, pm_format_us(number, (uint64_t)(row->pause * 1000)));
        pm_ticket_cell(out, row->reason);
        pm_strbuf_append(out, "\n");
    }
    pm_strbuf_append(out, "\n");
}

static void put_log(const struct pm_gc_log *log, size_t rows, struct pm_strbuf *out) {
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    pm_spell_log(log, &text);
    pm_ticket_item(out, NULL, pm_strbuf_text(&text));
    pm_ticket_item(out, "Fatal error", log->fatal);
    pm_ticket_item(out, "Worker", log->worker_error);
    pm_strbuf_clear(&text);
    if (log->error) pm_spell_log_error(log->error, &text);
    pm_ticket_item(out, log->error && log->error->rejection ? "Rejected" : "Uncaught",
                   text.length ? pm_strbuf_text(&text) : NULL);
    pm_strbuf_append(out, "\n");
    if (log->error) put_frames("Thrown", log->error->frames, log->error->frame_count, out);
    put_frames("JavaScript", log->javascript, log->javascript_count, out);
    for (size_t i = 0; i < log->series_count && i < SERIES_MOST; i++) {
        pm_strbuf_clear(&text);
        pm_spell_gc_series(&log->series[i], &text);
        pm_ticket_item(out, "GC", pm_strbuf_text(&text));
        pm_strbuf_append(out, "\n");
        if (log->series[i].row_count) put_rows(&log->series[i], rows, out);
    }
    if (log->series_count > SERIES_MOST)
        pm_strbuf_appendf(out, "%zu more processes or workers in this log.\n\n",
                          log->series_count - SERIES_MOST);
}

void pm_ticket_logs(const struct pm_diagnosis *diagnosis, const struct pm_write_options *options,
                    struct pm_strbuf *out) {
    for (size_t i = 0; i < diagnosis->gc_log_count && i < PM_TICKET_FILES; i++) {
        pm_ticket_title(diagnosis, "Log", diagnosis->gc_logs[i]->input, out);
        put_log(diagnosis->gc_logs[i], options->limit ? options->limit : 6, out);
    }
    if (diagnosis->gc_log_count > PM_TICKET_FILES)
        pm_strbuf_appendf(out, "%zu more logs.\n\n", diagnosis->gc_log_count - PM_TICKET_FILES);
}
