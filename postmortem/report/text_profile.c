/* The text page: profiles and logs. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "postmortem/model/gc_log.h"
#include "postmortem/model/profile.h"
#include "postmortem/model/profile_view.h"
#include "postmortem/model/words.h"
#include "postmortem/report/format.h"
#include "postmortem/report/profile_words.h"
#include "postmortem/report/table.h"
#include "postmortem/report/text.h"

static void put_path(const struct pm_page *page, const char *label, size_t input, const char *more) {
    const struct pm_diagnosis *diagnosis = page->diagnosis;
    if (input < diagnosis->input_count)
        pm_page_entryf(page, label, PM_BOLD, "%s%s%s", diagnosis->inputs[input].path, *more ? ": " : "",
                       more);
    else
        pm_page_entry(page, label, PM_BOLD, more);
}

static void put_functions(const struct pm_page *page, const struct pm_profile *profile) {
    static const struct pm_column columns[] = {{"self", PM_COLUMN_NUMBER},
                                               {"share", PM_COLUMN_NUMBER},
                                               {"total", PM_COLUMN_NUMBER},
                                               {"function", PM_COLUMN_ELASTIC},
                                               {"at", PM_COLUMN_ELASTIC_PATH}};
    struct pm_table *table PM_AUTO(table) = pm_table_create(columns, 5);
    char number[PM_NUMBER_TEXT];
    size_t rows = pm_page_rows(page, profile->function_count, 12);
    uint64_t whole = profile->total - profile->idle;
    for (size_t i = 0; i < rows; i++) {
        const struct pm_profile_function *function = &profile->functions[i];
        if (!function->self || function->kind == PM_CALL_ROOT || function->kind == PM_CALL_IDLE) continue;
        struct pm_strbuf place PM_AUTO_STRBUF = {0};
        pm_spell_place(&function->position, &place);
        pm_table_cell(table, pm_format_value(profile, number, function->self));
        pm_table_cell(table, pm_format_share(number, function->self, whole));
        pm_table_cell(table, pm_format_value(profile, number, function->total));
        pm_table_cell(table, function->name);
        pm_table_cell(table, pm_strbuf_text(&place));
    }
    pm_table_print(table, PM_LABEL_WIDTH, page->columns, page->options->color, page->out);
}

static void put_packages(const struct pm_page *page, const struct pm_profile *profile) {
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    char number[PM_NUMBER_TEXT];
    uint64_t whole = profile->total - profile->idle;
    size_t shown = 0;
    for (size_t i = 0; i < profile->package_count && shown < 8; i++) {
        const struct pm_profile_group *package = &profile->packages[i];
        if (!package->self || strcmp(package->name, "(idle)") == 0 || strcmp(package->name, "(root)") == 0)
            continue;
        pm_strbuf_appendf(&text, "%s%s %s", shown++ ? ", " : "", package->name,
                          pm_format_share(number, package->self, whole));
    }
    if (shown) pm_page_entry(page, "Packages", PM_PLAIN, pm_strbuf_text(&text));
}

static void put_tree(const struct pm_page *page, const struct pm_profile *profile, const char *label,
                     const struct pm_profile_rows *rows) {
    static const struct pm_column columns[] = {
        {NULL, PM_COLUMN_NUMBER}, {NULL, PM_COLUMN_NUMBER}, {NULL, PM_COLUMN_ELASTIC}};
    if (!rows->count) return;
    struct pm_table *table PM_AUTO(table) = pm_table_create(columns, 3);
    char number[PM_NUMBER_TEXT];
    uint64_t whole = profile->total - profile->idle;
    pm_page_entry(page, label, PM_PLAIN,
                  page->options->verbose ? "" : "(total; below each caller what it called)");
    for (size_t i = 0; i < rows->count; i++) {
        const struct pm_profile_row *row = &rows->rows[i];
        const struct pm_profile_function *function = &profile->functions[row->function];
        struct pm_strbuf text PM_AUTO_STRBUF = {0};
        uint32_t depth = row->depth < 40 ? row->depth : 40;
        for (uint32_t k = 0; k < depth; k++) pm_strbuf_append(&text, " ");
        pm_strbuf_append(&text, function->name);
        if (function->position.file) {
            pm_strbuf_append(&text, "  ");
            pm_spell_place(&function->position, &text);
        }
        pm_table_cell(table, pm_format_value(profile, number, row->total));
        pm_table_cell(table, pm_format_share(number, row->total, whole));
        pm_table_cell(table, pm_strbuf_text(&text));
    }
    pm_table_print(table, PM_LABEL_WIDTH, page->columns, page->options->color, page->out);
}

static void put_tasks(const struct pm_page *page, const struct pm_profile *profile) {
    static const struct pm_column columns[] = {{"long task", PM_COLUMN_NUMBER},
                                               {"at", PM_COLUMN_NUMBER},
                                               {"of it gc", PM_COLUMN_NUMBER},
                                               {"mostly in", PM_COLUMN_ELASTIC}};
    if (!profile->task_count) return;
    struct pm_table *table PM_AUTO(table) = pm_table_create(columns, 4);
    char number[PM_NUMBER_TEXT];
    pm_page_entryf(page, "Blocked", PM_PLAIN, "%" PRIu64 " turns of the event loop above 50 ms, %s in all",
                   profile->long_tasks, pm_format_us(number, profile->long_task_time));
    size_t rows = pm_page_rows(page, profile->task_count, 5);
    for (size_t i = 0; i < rows; i++) {
        const struct pm_long_task *task = &profile->tasks[i];
        const struct pm_profile_function *function = &profile->functions[profile->calls[task->call].function];
        struct pm_strbuf text PM_AUTO_STRBUF = {0};
        pm_strbuf_appendf(&text, "%s ", function->name);
        pm_spell_place(&function->position, &text);
        if (task->startup) pm_strbuf_append(&text, " (start of the program)");
        pm_table_cell(table, pm_format_us(number, task->duration));
        pm_table_cell(table, pm_format_us(number, task->start));
        pm_table_cell(table, pm_format_us(number, task->gc));
        pm_table_cell(table, pm_strbuf_text(&text));
    }
    pm_table_print(table, PM_LABEL_WIDTH, page->columns, page->options->color, page->out);
}

static void put_profile(const struct pm_page *page, const struct pm_profile *profile) {
    struct pm_strbuf summary PM_AUTO_STRBUF = {0};
    struct pm_profile_rows rows = {0};
    pm_spell_profile(profile, &summary);
    put_path(page, "Profile", profile->input, pm_strbuf_text(&summary));
    put_packages(page, profile);
    put_functions(page, profile);
    put_tasks(page, profile);
    pm_profile_hot_path(profile, &rows);
    if (page->options->verbose) {
        put_tree(page, profile, "Hot path", &rows);
        pm_profile_top_down(profile, PM_PROFILE_CUT, 60, &rows);
        put_tree(page, profile, "Top down", &rows);
        pm_profile_bottom_up(profile, PM_PROFILE_CUT, 60, &rows);
        put_tree(page, profile, "Bottom up", &rows);
    } else {
        /* The outer end of a long path is Node's own start. */
        size_t hidden = rows.count > 10 ? rows.count - 10 : 0;
        struct pm_profile_rows end = {hidden ? rows.rows + hidden : rows.rows, rows.count - hidden, 0};
        for (size_t i = 0; i < end.count; i++) end.rows[i].depth -= (uint32_t)hidden;
        put_tree(page, profile, "Hot path", &end);
    }
    pm_profile_rows_deinit(&rows);
    pm_page_gap(page);
}

void pm_page_profiles(const struct pm_page *page) {
    for (size_t i = 0; i < page->diagnosis->profile_count; i++)
        put_profile(page, page->diagnosis->profiles[i]);
}

/* ---- logs ---- */

static void put_series(const struct pm_page *page, const struct pm_gc_series *series) {
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    pm_spell_gc_series(series, &text);
    pm_page_entry(page, "GC", PM_PLAIN, pm_strbuf_text(&text));
    pm_strbuf_clear(&text);
    size_t width = page->columns > PM_LABEL_WIDTH + 30 ? page->columns - PM_LABEL_WIDTH - 20 : 40;
    pm_spell_sparkline(series, width < 80 ? width : 80, &text);
    if (text.length) pm_page_entry(page, NULL, PM_PLAIN, pm_strbuf_text(&text));
    static const struct pm_column columns[] = {{"time", PM_COLUMN_NUMBER},   {"kind", PM_COLUMN_TEXT},
                                               {"before", PM_COLUMN_NUMBER}, {"after", PM_COLUMN_NUMBER},
                                               {"total", PM_COLUMN_NUMBER},  {"pause", PM_COLUMN_NUMBER},
                                               {"mu", PM_COLUMN_NUMBER},     {"reason", PM_COLUMN_ELASTIC}};
    struct pm_table *table PM_AUTO(table) = pm_table_create(columns, 8);
    size_t rows = pm_page_rows(page, series->row_count, 6);
    for (size_t i = series->row_count - rows; i < series->row_count; i++) {
        const struct pm_gc_row *row = &series->rows[i];
        char number[PM_NUMBER_TEXT];
        pm_table_cell(table, pm_format_us(number, (uint64_t)(row->time * 1000)));
        pm_table_cell(table, pm_gc_kind_word(row->kind));
        pm_table_cell(table, pm_format_mb(number, row->before));
        pm_table_cell(table, pm_format_mb(number, row->after));
        pm_table_cell(table, pm_format_mb(number, row->total_after));
        pm_table_cell(table, pm_format_us(number, (uint64_t)(row->pause * 1000)));
        if (isnan(row->mu_current))
            strcpy(number, "?");
        else
            snprintf(number, sizeof(number), "%.3f", row->mu_current);
        pm_table_cell(table, number);
        pm_table_cell(table, row->reason);
    }
    pm_table_print(table, PM_LABEL_WIDTH, page->columns, page->options->color, page->out);
}

static void put_frames(const struct pm_page *page, const char *label, const struct pm_frame *frames,
                       size_t count, size_t most) {
    for (size_t i = 0; i < count && i < most; i++) {
        struct pm_strbuf text PM_AUTO_STRBUF = {0};
        pm_strbuf_appendf(&text, "%s ", frames[i].function ? frames[i].function : "(no name)");
        pm_spell_place(&frames[i].position, &text);
        if (frames[i].module) pm_strbuf_appendf(&text, "[%s]", frames[i].module);
        pm_page_entry(page, i ? NULL : label, i < 12 ? PM_PLAIN : PM_DIM, pm_strbuf_text(&text));
    }
    if (count > most) pm_page_entryf(page, NULL, PM_DIM, "%zu more frames (-v shows all)", count - most);
}

static void put_log(const struct pm_page *page, const struct pm_gc_log *log) {
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    size_t frames = page->options->verbose ? SIZE_MAX : 6;
    pm_spell_log(log, &text);
    put_path(page, "Log", log->input, pm_strbuf_text(&text));
    if (log->fatal) pm_page_entryf(page, "Fatal", PM_WARN, "%s", log->fatal);
    if (log->worker_error) pm_page_entry(page, "Worker", PM_WARN, log->worker_error);
    if (log->error) {
        pm_strbuf_clear(&text);
        pm_spell_log_error(log->error, &text);
        pm_page_entry(page, "Thrown", PM_WARN, pm_strbuf_text(&text));
        if (log->error->source) pm_page_entry(page, NULL, PM_DIM, log->error->source);
        put_frames(page, NULL, log->error->frames, log->error->frame_count, frames);
    }
    put_frames(page, "JavaScript", log->javascript, log->javascript_count, frames);
    put_frames(page, "Native", log->native, log->native_count, frames);
    size_t most = page->options->verbose ? log->series_count : 3;
    for (size_t i = 0; i < log->series_count && i < most; i++) put_series(page, &log->series[i]);
    if (log->series_count > most)
        pm_page_entryf(page, NULL, PM_DIM, "%zu more processes or workers in this log (-v shows them)",
                       log->series_count - most);
    pm_page_gap(page);
}

void pm_page_logs(const struct pm_page *page) {
    for (size_t i = 0; i < page->diagnosis->gc_log_count; i++) put_log(page, page->diagnosis->gc_logs[i]);
}
