#include "postmortem/report/json_profile.h"

#include <math.h>

#include "postmortem/model/gc_log.h"
#include "postmortem/model/profile_compare.h"
#include "postmortem/model/profile_view.h"
#include "postmortem/model/words.h"

/* ---- profiles ---- */

static void write_position(struct pm_json *json, const struct pm_position *position) {
    pm_json_text(json, "file", position->file);
    pm_json_u64(json, "line", position->line ? position->line : PM_UNKNOWN);
    pm_json_u64(json, "column", position->column ? position->column : PM_UNKNOWN);
}

static void write_function(struct pm_json *json, const struct pm_profile *profile, uint32_t index) {
    const struct pm_profile_function *function = &profile->functions[index];
    pm_json_text(json, "function", function->name);
    write_position(json, &function->position);
    pm_json_text(json, "package", profile->packages[function->package].name);
}

static void write_functions(struct pm_json *json, const struct pm_profile *profile, size_t limit) {
    pm_json_array(json, "functions");
    for (size_t i = 0; i < profile->function_count && i < limit; i++) {
        const struct pm_profile_function *function = &profile->functions[i];
        if (function->kind == PM_CALL_ROOT) continue;
        pm_json_object(json, NULL);
        write_function(json, profile, (uint32_t)i);
        pm_json_text(json, "kind", pm_call_kind_word(function->kind));
        pm_json_u64(json, "self", function->self);
        pm_json_u64(json, "total", function->total);
        pm_json_u64(json, "samples", profile->samples == PM_UNKNOWN ? PM_UNKNOWN : function->count);
        pm_json_u64(json, "hot_line", function->hot_line ? function->hot_line : PM_UNKNOWN);
        pm_json_end(json);
    }
    pm_json_end(json);
}

static void write_groups(struct pm_json *json, const char *key, const struct pm_profile_group *groups,
                         size_t count, size_t limit) {
    pm_json_array(json, key);
    for (size_t i = 0; i < count && i < limit; i++) {
        pm_json_object(json, NULL);
        pm_json_text(json, "name", groups[i].name);
        pm_json_u64(json, "self", groups[i].self);
        pm_json_u64(json, "total", groups[i].total);
        pm_json_end(json);
    }
    pm_json_end(json);
}

static void write_tree(struct pm_json *json, const char *key, const struct pm_profile *profile,
                       const struct pm_profile_rows *rows) {
    pm_json_array(json, key);
    for (size_t i = 0; i < rows->count; i++) {
        const struct pm_profile_row *row = &rows->rows[i];
        pm_json_object(json, NULL);
        pm_json_u64(json, "depth", row->depth);
        write_function(json, profile, row->function);
        pm_json_u64(json, "self", row->self);
        pm_json_u64(json, "total", row->total);
        pm_json_end(json);
    }
    pm_json_end(json);
}

static void write_tasks(struct pm_json *json, const struct pm_profile *profile, size_t limit) {
    pm_json_array(json, "tasks");
    for (size_t i = 0; i < profile->task_count && i < limit; i++) {
        const struct pm_long_task *task = &profile->tasks[i];
        pm_json_object(json, NULL);
        pm_json_u64(json, "start_us", task->start);
        pm_json_u64(json, "duration_us", task->duration);
        pm_json_u64(json, "gc_us", task->gc);
        pm_json_bool(json, "startup", task->startup);
        pm_json_object(json, "entry");
        write_function(json, profile, task->entry);
        pm_json_end(json);
        pm_json_object(json, "busiest");
        write_function(json, profile, profile->calls[task->call].function);
        pm_json_u64(json, "self_us", task->call_self);
        pm_json_end(json);
        pm_json_end(json);
    }
    pm_json_end(json);
}

static void write_profile(struct pm_json *json, const struct pm_profile *profile, size_t limit) {
    bool cpu = profile->kind == PM_PROFILE_CPU;
    pm_json_object(json, NULL);
    pm_json_u64(json, "input", profile->input);
    pm_json_text(json, "kind", cpu ? "cpu" : "heap");
    pm_json_text(json, "source", profile->source);
    pm_json_text(json, "unit", cpu ? "us" : "bytes");
    pm_json_u64(json, "total", profile->total);
    pm_json_u64(json, "samples", profile->samples);
    pm_json_u64(json, "interval", profile->interval);
    pm_json_bool(json, "interval_estimated", profile->interval_estimated);
    pm_json_u64(json, "calls", profile->call_count);
    if (cpu) {
        pm_json_u64(json, "duration_us", profile->duration);
        pm_json_u64(json, "idle_us", profile->idle);
        pm_json_u64(json, "program_us", profile->program);
        pm_json_u64(json, "gc_us", profile->gc);
        pm_json_u64(json, "long_tasks", profile->long_tasks);
        pm_json_u64(json, "long_task_us", profile->long_task_time);
        write_tasks(json, profile, limit);
    }
    write_functions(json, profile, limit);
    write_groups(json, "packages", profile->packages, profile->package_count, limit);
    write_groups(json, "files", profile->files, profile->file_count, limit);
    struct pm_profile_rows rows = {0};
    pm_profile_hot_path(profile, &rows);
    write_tree(json, "hot_path", profile, &rows);
    pm_profile_top_down(profile, PM_PROFILE_CUT, PM_PROFILE_ROWS, &rows);
    write_tree(json, "top_down", profile, &rows);
    pm_profile_bottom_up(profile, PM_PROFILE_CUT, PM_PROFILE_ROWS, &rows);
    write_tree(json, "bottom_up", profile, &rows);
    pm_profile_rows_deinit(&rows);
    pm_json_text(json, "incomplete", profile->incomplete);
    pm_json_end(json);
}

void pm_json_profiles(struct pm_json *json, const struct pm_diagnosis *diagnosis, size_t limit) {
    pm_json_array(json, "profiles");
    for (size_t i = 0; i < diagnosis->profile_count; i++)
        write_profile(json, diagnosis->profiles[i], limit ? limit : PM_PROFILE_ROWS);
    pm_json_end(json);
}

/* ---- two profiles ---- */

static void write_cell(struct pm_json *json, const char *key, const struct pm_profile *profile,
                       const struct pm_profile_cell *cell) {
    pm_json_object(json, key);
    pm_json_u64(json, "self", cell->self);
    pm_json_u64(json, "total", cell->total);
    pm_json_u64(json, "samples", profile->samples == PM_UNKNOWN ? PM_UNKNOWN : cell->count);
    pm_json_end(json);
}

static void write_change(struct pm_json *json, const struct pm_profile_comparison *comparison,
                         const struct pm_profile_change *row) {
    write_cell(json, "before", comparison->before, &row->before);
    write_cell(json, "after", comparison->after, &row->after);
    pm_json_number(json, "growth", row->growth);
    pm_json_number(json, "total_growth", row->total_growth);
    pm_json_bool(json, "by_chance", row->by_chance);
}

void pm_json_profile_comparison(struct pm_json *json, const struct pm_diagnosis *diagnosis, size_t limit) {
    const struct pm_profile_comparison *comparison = diagnosis->profile_comparison;
    const struct pm_profile *both = &comparison->both;
    bool cpu = both->kind == PM_PROFILE_CPU;
    size_t most = limit ? limit : PM_PROFILE_ROWS;
    pm_json_object(json, "profile_comparison");
    pm_json_text(json, "kind", cpu ? "cpu" : "heap");
    pm_json_text(json, "unit", cpu ? "us" : "bytes");
    pm_json_number(json, "scale", comparison->scale);
    pm_json_array(json, "profiles");
    for (unsigned i = 0; i < 2; i++) {
        const struct pm_profile *profile = i ? comparison->after : comparison->before;
        pm_json_object(json, NULL);
        pm_json_u64(json, "input", profile->input);
        pm_json_u64(json, "total", profile->total);
        pm_json_u64(json, "samples", profile->samples);
        pm_json_u64(json, "interval", profile->interval);
        pm_json_u64(json, "duration_us", profile->duration);
        pm_json_u64(json, "idle_us", cpu ? profile->idle : PM_UNKNOWN);
        pm_json_u64(json, "gc_us", cpu ? profile->gc : PM_UNKNOWN);
        pm_json_end(json);
    }
    pm_json_end(json);
    pm_json_u64(json, "function_total", comparison->function_count);
    pm_json_array(json, "functions");
    for (size_t i = 0; i < comparison->function_count && i < most; i++) {
        pm_json_object(json, NULL);
        write_function(json, both, comparison->functions[i].index);
        write_change(json, comparison, &comparison->functions[i]);
        pm_json_end(json);
    }
    pm_json_end(json);
    pm_json_u64(json, "package_total", comparison->package_count);
    pm_json_array(json, "packages");
    for (size_t i = 0; i < comparison->package_count && i < most; i++) {
        pm_json_object(json, NULL);
        pm_json_text(json, "name", both->packages[comparison->packages[i].index].name);
        write_change(json, comparison, &comparison->packages[i]);
        pm_json_end(json);
    }
    pm_json_end(json);
    pm_json_end(json);
}

/* ---- logs ---- */

static void write_rows(struct pm_json *json, const struct pm_gc_series *series, size_t limit) {
    pm_json_array(json, "collections");
    size_t from = series->row_count > limit ? series->row_count - limit : 0;
    for (size_t i = from; i < series->row_count; i++) {
        const struct pm_gc_row *row = &series->rows[i];
        pm_json_object(json, NULL);
        pm_json_number(json, "time_ms", row->time);
        pm_json_text(json, "kind", pm_gc_kind_word(row->kind));
        pm_json_number(json, "before_mb", row->before);
        pm_json_number(json, "after_mb", row->after);
        pm_json_number(json, "total_before_mb", row->total_before);
        pm_json_number(json, "total_after_mb", row->total_after);
        pm_json_number(json, "pause_ms", row->pause);
        pm_json_number(json, "steps_ms", row->steps);
        pm_json_number(json, "mu_average", row->mu_average);
        pm_json_number(json, "mu_current", row->mu_current);
        pm_json_text(json, "reason", row->reason);
        pm_json_end(json);
    }
    pm_json_end(json);
}

static void write_series(struct pm_json *json, const struct pm_gc_series *series, size_t limit) {
    pm_json_object(json, NULL);
    pm_json_u64(json, "pid", series->pid);
    pm_json_address(json, "isolate", series->isolate);
    pm_json_bool(json, "fatal", series->fatal);
    pm_json_u64(json, "seen", series->seen);
    pm_json_u64(json, "scavenges", series->scavenges);
    pm_json_u64(json, "mark_compacts", series->mark_compacts);
    pm_json_u64(json, "minor", series->minors);
    pm_json_number(json, "first_ms", series->first_time);
    pm_json_number(json, "last_ms", series->last_time);
    pm_json_number(json, "pause_total_ms", series->pause_total);
    pm_json_number(json, "pause_longest_ms", series->pause_longest);
    pm_json_number(json, "gc_share", series->gc_share);
    pm_json_number(json, "gc_share_last_minute", series->gc_share_last);
    pm_json_number(json, "mu_average", series->mu_average);
    pm_json_number(json, "mu_current", series->mu_current);
    pm_json_number(json, "allocation_mb_per_s", series->allocation_rate);
    pm_json_number(json, "peak_mb", series->peak_before);
    pm_json_number(json, "limit_mb", series->limit);
    pm_json_text(json, "limit_from", series->limit_from);
    pm_json_number(json, "minutes_to_limit", series->minutes_to_limit);
    pm_json_u64(json, "external_bytes", series->external_bytes);
    pm_json_u64(json, "ineffective", series->ineffective);
    const struct pm_gc_trend *trend = &series->trend;
    pm_json_object(json, "trend");
    pm_json_number(json, "mb_per_minute", trend->known ? trend->slope : NAN);
    pm_json_number(json, "low", trend->known ? trend->slope_low : NAN);
    pm_json_number(json, "high", trend->known ? trend->slope_high : NAN);
    pm_json_number(json, "fit", trend->known ? trend->fit : NAN);
    pm_json_u64(json, "points", trend->points);
    pm_json_end(json);
    write_rows(json, series, limit);
    pm_json_end(json);
}

static void write_frames(struct pm_json *json, const char *key, const struct pm_frame *frames, size_t count) {
    pm_json_array(json, key);
    for (size_t i = 0; i < count; i++) {
        pm_json_object(json, NULL);
        pm_json_text(json, "kind", pm_frame_kind_word(frames[i].kind));
        pm_json_text(json, "function", frames[i].function);
        write_position(json, &frames[i].position);
        pm_json_text(json, "module", frames[i].module);
        pm_json_address(json, "address", frames[i].address);
        pm_json_end(json);
    }
    pm_json_end(json);
}

static void write_error(struct pm_json *json, const struct pm_log_error *error) {
    if (!error) {
        pm_json_null(json, "error");
        return;
    }
    pm_json_object(json, "error");
    pm_json_text(json, "name", error->name);
    pm_json_text(json, "message", error->message);
    pm_json_text(json, "code", error->code);
    pm_json_bool(json, "rejection", error->rejection);
    pm_json_text(json, "source", error->source);
    pm_json_object(json, "thrown");
    write_position(json, &error->thrown);
    pm_json_end(json);
    write_frames(json, "frames", error->frames, error->frame_count);
    pm_json_text(json, "cause_name", error->cause_name);
    pm_json_text(json, "cause_message", error->cause_message);
    pm_json_object(json, "cause");
    write_position(json, &error->cause);
    pm_json_end(json);
    pm_json_end(json);
}

static void write_log(struct pm_json *json, const struct pm_gc_log *log, size_t limit) {
    pm_json_object(json, NULL);
    pm_json_u64(json, "input", log->input);
    pm_json_u64(json, "lines", log->lines);
    pm_json_u64(json, "known_lines", log->known_lines);
    pm_json_text(json, "wrapping", log->wrapping);
    pm_json_text(json, "death", log->death == PM_DEATH_UNKNOWN ? NULL : pm_death_word(log->death));
    pm_json_text(json, "fatal", log->fatal);
    pm_json_text(json, "location", log->location);
    pm_json_text(json, "message", log->message);
    pm_json_text(json, "worker_error", log->worker_error);
    pm_json_u64(json, "deaths", log->deaths);
    pm_json_u64(json, "errors", log->errors);
    pm_json_u64(json, "exit_code", log->exit_code);
    pm_json_u64(json, "signal_number", log->signal);
    pm_json_text(json, "node_version", log->node_version);
    pm_json_u64(json, "pid", log->pid);
    write_error(json, log->error);
    write_frames(json, "native_stack", log->native, log->native_count);
    write_frames(json, "javascript_stack", log->javascript, log->javascript_count);
    pm_json_array(json, "series");
    for (size_t i = 0; i < log->series_count; i++) write_series(json, &log->series[i], limit);
    pm_json_end(json);
    pm_json_end(json);
}

void pm_json_logs(struct pm_json *json, const struct pm_diagnosis *diagnosis, size_t limit) {
    pm_json_array(json, "logs");
    for (size_t i = 0; i < diagnosis->gc_log_count; i++)
        write_log(json, diagnosis->gc_logs[i], limit ? limit : PM_GC_ROWS_SHOWN);
    pm_json_end(json);
}
