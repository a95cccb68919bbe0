/* The HTML page: profiles (flame graph, tables) and logs (plot of collections, last words). */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "postmortem/base/arena.h"
#include "postmortem/model/gc_log.h"
#include "postmortem/model/profile.h"
#include "postmortem/model/words.h"
#include "postmortem/report/html.h"
#include "postmortem/report/profile_words.h"
#include "postmortem/report/stack_words.h"
#include "postmortem/report/svg.h"

#define BOXES_MOST 1500
#define ROWS_USUAL 100

static void put_input(const struct pm_html *page, size_t input) {
    if (input >= page->diagnosis->input_count) return;
    pm_strbuf_append(page->out, "<h3>");
    pm_html_text(page, page->diagnosis->inputs[input].path, PM_HTML_NAME);
    pm_strbuf_append(page->out, "</h3>\n");
}

/* ---- profiles ---- */

static void spell_function(const struct pm_profile_function *function, struct pm_strbuf *out) {
    pm_strbuf_append(out, function->name);
    if (!function->position.file) return;
    pm_strbuf_appendf(out, " %s", function->position.file);
    if (function->position.line) pm_strbuf_appendf(out, ":%" PRIu32, function->position.line);
}

static void put_flame(const struct pm_html *page, const struct pm_profile *profile) {
    struct pm_arena *arena = pm_arena_create();
    struct pm_box *boxes = calloc(profile->call_count, sizeof(*boxes));
    for (size_t i = 0; arena && boxes && i < profile->call_count; i++) {
        const struct pm_call *call = &profile->calls[i];
        const struct pm_profile_function *function = &profile->functions[call->function];
        struct pm_strbuf note PM_AUTO_STRBUF = {0};
        char value[PM_NUMBER_TEXT], own[PM_NUMBER_TEXT], share[PM_NUMBER_TEXT];
        boxes[i] = (struct pm_box){.parent = call->caller, .value = call->total, .name = function->name};
        /* Only the boxes that may be drawn need a note. */
        if (call->total < profile->total / 5000) continue;
        if (function->position.file) {
            pm_strbuf_append(&note, function->position.file);
            if (function->position.line) pm_strbuf_appendf(&note, ":%" PRIu32, function->position.line);
            pm_strbuf_append(&note, ", ");
        }
        pm_strbuf_appendf(&note, "%s (%s), itself %s", pm_format_value(profile, value, call->total),
                          pm_format_share(share, call->total, profile->total),
                          pm_format_value(profile, own, call->self));
        boxes[i].note = pm_arena_copy(arena, pm_strbuf_text(&note), note.length);
        if (function->package < profile->package_count)
            boxes[i].group = profile->packages[function->package].name;
    }
    if (arena && boxes) {
        struct pm_picture picture = {
            "flame graph: callers above, callees below; the table below says the same",
            page->diagnosis->profile_count > 2 ? BOXES_MOST / 3 : BOXES_MOST, false};
        pm_strbuf_append(page->out,
                         "<p class=\"note\">Callers stand above what they called; colours are packages. A "
                         "click makes a box as wide as the picture.</p>\n<figure>\n");
        pm_svg_flame(page->out, &picture, boxes, profile->call_count);
        pm_strbuf_append(page->out, "</figure>\n");
    }
    free(boxes);
    pm_arena_destroy(arena);
}

static void cell_value(const struct pm_html *page, const struct pm_profile *profile, uint64_t value) {
    char text[PM_NUMBER_TEXT];
    pm_html_cell_number(page, value, pm_format_value(profile, text, value));
}

static void put_functions(const struct pm_html *page, const struct pm_profile *profile) {
    static const char *const columns[] = {"Function", "Package", "#Self", "#Share", "#Total"};
    size_t rows = pm_html_rows(page, profile->function_count, ROWS_USUAL), i = 0;
    pm_html_table(page, "sorts filters", columns, 5);
    for (; i < rows && pm_html_room(page); i++) {
        const struct pm_profile_function *function = &profile->functions[i];
        struct pm_strbuf name PM_AUTO_STRBUF = {0};
        if (function->kind == PM_CALL_ROOT) continue;
        spell_function(function, &name);
        pm_strbuf_append(page->out, "<tr>");
        pm_html_cell(page, pm_strbuf_text(&name));
        pm_html_cell(page, function->package < profile->package_count
                               ? profile->packages[function->package].name
                               : NULL);
        cell_value(page, profile, function->self);
        pm_html_cell_share(page, function->self, profile->total);
        cell_value(page, profile, function->total);
        pm_strbuf_append(page->out, "</tr>\n");
    }
    pm_html_table_end(page);
    pm_html_left_out(page, profile->function_count - i, "functions");
}

static void put_tasks(const struct pm_html *page, const struct pm_profile *profile) {
    static const char *const columns[] = {"Called by the loop", "Most time in", "#Start", "#Duration", "#GC"};
    char time[PM_NUMBER_TEXT], count[PM_NUMBER_TEXT];
    if (!profile->task_count) return;
    pm_strbuf_appendf(page->out, "<p>Turns of the event loop above 50 ms: %s, %s in all.</p>\n",
                      pm_format_count(count, profile->long_tasks),
                      pm_format_us(time, profile->long_task_time));
    pm_html_table(page, "sorts", columns, 5);
    for (size_t i = 0; i < profile->task_count && pm_html_room(page); i++) {
        const struct pm_long_task *task = &profile->tasks[i];
        struct pm_strbuf entry PM_AUTO_STRBUF = {0}, most PM_AUTO_STRBUF = {0};
        if (task->entry < profile->function_count) spell_function(&profile->functions[task->entry], &entry);
        if (task->call < profile->call_count)
            spell_function(&profile->functions[profile->calls[task->call].function], &most);
        if (task->startup) pm_strbuf_append(&entry, " (start of the program)");
        pm_strbuf_append(page->out, "<tr>");
        pm_html_cell(page, pm_strbuf_text(&entry));
        pm_html_cell(page, pm_strbuf_text(&most));
        pm_html_cell_number(page, task->start, pm_format_us(time, task->start));
        pm_html_cell_number(page, task->duration, pm_format_us(time, task->duration));
        pm_html_cell_number(page, task->gc, pm_format_us(time, task->gc));
        pm_strbuf_append(page->out, "</tr>\n");
    }
    pm_html_table_end(page);
}

static void put_profile(const struct pm_html *page, const struct pm_profile *profile) {
    char value[PM_NUMBER_TEXT], share[PM_NUMBER_TEXT], number[PM_NUMBER_TEXT];
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    bool heap = profile->kind == PM_PROFILE_HEAP;
    put_input(page, profile->input);
    pm_strbuf_append(page->out, "<dl>\n");
    pm_html_fact(page, heap ? "Live when taken" : "Time", pm_format_value(profile, value, profile->total));
    if (profile->samples != PM_UNKNOWN) pm_strbuf_append(&text, pm_format_count(number, profile->samples));
    if (profile->samples != PM_UNKNOWN && profile->interval != PM_UNKNOWN)
        pm_strbuf_appendf(&text, ", one every %s%s", pm_format_value(profile, value, profile->interval),
                          profile->interval_estimated ? " (estimated)" : "");
    pm_html_fact(page, "Samples", text.length ? pm_strbuf_text(&text) : NULL);
    if (!heap) {
        pm_strbuf_clear(&text);
        pm_strbuf_appendf(&text, "%s (%s)", pm_format_us(value, profile->gc),
                          pm_format_share(share, profile->gc, profile->total));
        pm_html_fact(page, "Garbage collector", pm_strbuf_text(&text));
        pm_strbuf_clear(&text);
        pm_strbuf_appendf(&text, "%s (%s)", pm_format_us(value, profile->idle),
                          pm_format_share(share, profile->idle, profile->total));
        pm_html_fact(page, "Idle", pm_strbuf_text(&text));
    }
    pm_html_fact(page, "Lost", profile->incomplete);
    pm_strbuf_append(page->out, "</dl>\n");
    if (profile->call_count && pm_html_room(page)) put_flame(page, profile);
    if (profile->function_count) put_functions(page, profile);
    put_tasks(page, profile);
}

void pm_html_profiles(const struct pm_html *page) {
    const struct pm_diagnosis *diagnosis = page->diagnosis;
    size_t i = 0;
    for (; i < diagnosis->profile_count && pm_html_room(page); i++) put_profile(page, diagnosis->profiles[i]);
    pm_html_left_out(page, diagnosis->profile_count - i, "profiles");
}

/* ---- logs ---- */

static uint64_t mb_bytes(double mb) {
    return isfinite(mb) && mb >= 0 && mb < 1e12 ? (uint64_t)(mb * 1048576) : PM_UNKNOWN;
}

void pm_html_gc_plot(const struct pm_html *page, const struct pm_gc_series *series) {
    struct pm_plot_point *points = calloc(series->row_count, sizeof(*points));
    size_t count = 0;
    for (size_t i = 0; points && i < series->row_count; i++) {
        const struct pm_gc_row *row = &series->rows[i];
        uint64_t before = mb_bytes(row->before), after = mb_bytes(row->after);
        if (before == PM_UNKNOWN || after == PM_UNKNOWN || !isfinite(row->time)) continue;
        if (count && row->time / 1000 < points[count - 1].seconds) continue; /* the clock never goes back */
        points[count++] =
            (struct pm_plot_point){row->time / 1000, before, after, row->kind == PM_GC_MARK_COMPACT};
    }
    if (count > 1) {
        pm_strbuf_append(page->out, "<figure>\n");
        pm_svg_gc_plot(page->out, "heap before and after garbage collections over time", points, count,
                       mb_bytes(series->limit));
        pm_strbuf_append(page->out,
                         "</figure>\n<p class=\"note\">Area: heap before a collection; line: after; red "
                         "dots: mark-compacts.</p>\n");
    }
    free(points);
}

static void fact_number(const struct pm_html *page, const char *name, double value, const char *format) {
    char text[64];
    if (!isfinite(value) || fabs(value) > 1e15) return;
    snprintf(text, sizeof(text), format, value);
    pm_html_fact(page, name, text);
}

static void put_series(const struct pm_html *page, const struct pm_gc_series *series) {
    char number[PM_NUMBER_TEXT];
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    if (series->pid != PM_UNKNOWN)
        pm_strbuf_appendf(page->out, "<h3>Garbage collections of process %" PRIu64 "</h3>\n", series->pid);
    else
        pm_strbuf_append(page->out, "<h3>Garbage collections</h3>\n");
    pm_html_gc_plot(page, series);
    pm_strbuf_append(page->out, "<dl>\n");
    pm_strbuf_appendf(&text, "%s, ", pm_format_count(number, series->seen));
    pm_strbuf_appendf(&text, "of these %s mark-compacts", pm_format_count(number, series->mark_compacts));
    pm_html_fact(page, "Collections", pm_strbuf_text(&text));
    fact_number(page, "Paused in all", series->pause_total, "%.0f ms");
    fact_number(page, "Longest pause", series->pause_longest, "%.0f ms");
    fact_number(page, "Share of time in GC", series->gc_share * 100, "%.1f %%");
    fact_number(page, "Share in the last minute", series->gc_share_last * 100, "%.1f %%");
    fact_number(page, "Allocation rate", series->allocation_rate, "%.1f MB/s");
    if (series->trend.known) {
        pm_strbuf_clear(&text);
        pm_strbuf_appendf(&text, "%+.1f MB a minute (95 %%: %+.1f to %+.1f)", series->trend.slope,
                          series->trend.slope_low, series->trend.slope_high);
        pm_html_fact(page, "Trend", pm_strbuf_text(&text));
    }
    uint64_t limit = mb_bytes(series->limit);
    pm_html_fact(page, "Limit", limit == PM_UNKNOWN ? NULL : pm_format_bytes(number, limit));
    fact_number(page, "Minutes to the limit", series->minutes_to_limit, "%.1f");
    pm_strbuf_append(page->out, "</dl>\n");
}

static void put_frames(const struct pm_html *page, const char *title, const struct pm_frame *frames,
                       size_t count, bool open) {
    size_t i = 0;
    if (!count) return;
    pm_strbuf_appendf(page->out, "<details%s><summary>%s</summary><ol class=\"stack\">\n",
                      open ? " open=\"\"" : "", title);
    for (; i < count && i < 200 && pm_html_room(page); i++) pm_html_frame(page, &frames[i], i);
    pm_strbuf_append(page->out, "</ol></details>\n");
    pm_html_left_out(page, count - i, "frames");
}

static void put_error(const struct pm_html *page, const struct pm_log_error *error) {
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    pm_strbuf_append(page->out,
                     error->rejection ? "<h3>Unhandled rejection</h3>\n" : "<h3>Uncaught exception</h3>\n");
    pm_strbuf_appendf(&text, "%s: %s", error->name ? error->name : "Error",
                      error->message ? error->message : "");
    pm_html_lines(page, pm_strbuf_text(&text));
    if (error->source) pm_html_lines(page, error->source);
    put_frames(page, "Stack", error->frames, error->frame_count, true);
}

static void put_log(const struct pm_html *page, const struct pm_gc_log *log) {
    put_input(page, log->input);
    pm_strbuf_append(page->out, "<dl>\n");
    if (log->death != PM_DEATH_UNKNOWN) pm_html_fact(page, "Death", pm_death_phrase(log->death));
    pm_html_fact(page, "Fatal error", log->fatal);
    pm_html_fact(page, "Worker", log->worker_error);
    pm_strbuf_append(page->out, "</dl>\n");
    for (size_t i = 0; i < log->series_count && i < 20 && pm_html_room(page); i++)
        put_series(page, &log->series[i]);
    if (log->error) put_error(page, log->error);
    put_frames(page, "JavaScript stack", log->javascript, log->javascript_count, true);
    put_frames(page, "Native stack", log->native, log->native_count, false);
}

void pm_html_logs(const struct pm_html *page) {
    const struct pm_diagnosis *diagnosis = page->diagnosis;
    size_t i = 0;
    for (; i < diagnosis->gc_log_count && pm_html_room(page); i++) put_log(page, diagnosis->gc_logs[i]);
    pm_html_left_out(page, diagnosis->gc_log_count - i, "logs");
}
