#include "postmortem/report/profile_words.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "postmortem/base/cleanup.h"
#include "postmortem/model/words.h"
#include "postmortem/report/format.h"

const char *pm_format_us(char *text, uint64_t us) {
    if (us == PM_UNKNOWN)
        strcpy(text, "?");
    else if (us < 1000)
        snprintf(text, PM_NUMBER_TEXT, "%" PRIu64 " us", us);
    else if (us < 1000000)
        snprintf(text, PM_NUMBER_TEXT, "%.1f ms", (double)us / 1e3);
    else if (us < 120000000)
        snprintf(text, PM_NUMBER_TEXT, "%.1f s", (double)us / 1e6);
    else
        snprintf(text, PM_NUMBER_TEXT, "%.1f min", (double)us / 6e7);
    return text;
}

const char *pm_format_value(const struct pm_profile *profile, char *text, uint64_t value) {
    return profile->kind == PM_PROFILE_HEAP ? pm_format_bytes(text, value) : pm_format_us(text, value);
}

const char *pm_format_mb(char *text, double mb) {
    if (isnan(mb))
        strcpy(text, "?");
    else
        snprintf(text, PM_NUMBER_TEXT, "%.1f MB", mb);
    return text;
}

void pm_spell_place(const struct pm_position *position, struct pm_strbuf *out) {
    if (!position->file) return;
    pm_strbuf_append(out, position->file);
    if (position->line) pm_strbuf_appendf(out, ":%" PRIu32, position->line);
}

void pm_spell_profile(const struct pm_profile *profile, struct pm_strbuf *out) {
    char number[PM_NUMBER_TEXT], other[PM_NUMBER_TEXT];
    if (profile->kind == PM_PROFILE_HEAP) {
        pm_strbuf_appendf(out, "heap profile, %s still live when it was taken",
                          pm_format_bytes(number, profile->total));
        if (profile->samples != PM_UNKNOWN)
            pm_strbuf_appendf(out, ", from %s samples", pm_format_count(number, profile->samples));
        if (profile->interval != PM_UNKNOWN)
            pm_strbuf_appendf(out, ", one about every %s", pm_format_bytes(number, profile->interval));
        return;
    }
    bool ticks = !strcmp(profile->source, "prof-log");
    pm_strbuf_appendf(
        out, ticks ? "profile of V8's ticks over %s" : "CPU profile of %s",
        pm_format_us(number, profile->duration == PM_UNKNOWN ? profile->total : profile->duration));
    if (profile->samples != PM_UNKNOWN)
        pm_strbuf_appendf(out, ticks ? ", %s ticks" : ", %s samples",
                          pm_format_count(number, profile->samples));
    if (profile->interval != PM_UNKNOWN)
        pm_strbuf_appendf(out, ticks ? ", each counted as %s%s" : ", one every %s%s",
                          pm_format_us(number, profile->interval),
                          profile->interval_estimated ? " (assumed)" : "");
    pm_strbuf_appendf(out, "; idle %s, of the rest %s garbage collection",
                      pm_format_share(number, profile->idle, profile->total),
                      pm_format_share(other, profile->gc, profile->total - profile->idle));
}

void pm_spell_log(const struct pm_gc_log *log, struct pm_strbuf *out) {
    char number[PM_NUMBER_TEXT];
    uint64_t seen = 0;
    for (size_t i = 0; i < log->series_count; i++) seen += log->series[i].seen;
    pm_strbuf_appendf(out, "%s lines", pm_format_count(number, log->lines));
    if (seen) pm_strbuf_appendf(out, ", %s collections", pm_format_count(number, seen));
    if (log->node_version) pm_strbuf_appendf(out, ", Node.js %s", log->node_version);
    if (log->deaths > 1) pm_strbuf_appendf(out, ", %s fatal errors", pm_format_count(number, log->deaths));
    if (log->errors > 1)
        pm_strbuf_appendf(out, ", %s uncaught exceptions", pm_format_count(number, log->errors));
    if (log->exit_code != PM_UNKNOWN) pm_strbuf_appendf(out, ", exit code %" PRIu64, log->exit_code);
    const char *signal = log->signal == PM_UNKNOWN ? NULL : pm_signal_name(log->signal);
    if (signal) pm_strbuf_appendf(out, " (%s)", signal);
}

void pm_spell_log_error(const struct pm_log_error *error, struct pm_strbuf *out) {
    if (error->name) pm_strbuf_appendf(out, "%s: ", error->name);
    if (error->message) pm_strbuf_append(out, error->message);
    if (error->code) pm_strbuf_appendf(out, " (%s)", error->code);
    if (error->rejection) pm_strbuf_append(out, " (a promise that was rejected, and nobody handled it)");
    if (error->cause_message)
        pm_strbuf_appendf(out, ", caused by %s%s%s", error->cause_name ? error->cause_name : "",
                          error->cause_name ? ": " : "", error->cause_message);
}

static void spell_trend(const struct pm_gc_series *series, struct pm_strbuf *out) {
    const struct pm_gc_trend *trend = &series->trend;
    if (!trend->known) return;
    /* What happened within seconds is no rate of minutes. */
    bool brief = trend->minutes < 2;
    double unit = brief ? 60 : 1;
    if (trend->slope_low > 0)
        pm_strbuf_appendf(out, "; after full collections the heap grows by %.1f MB a %s (%.1f to %.1f)",
                          trend->slope / unit, brief ? "second" : "minute", trend->slope_low / unit,
                          trend->slope_high / unit);
    else if (trend->slope_high < 0)
        pm_strbuf_append(out, "; after full collections the heap shrinks");
    else
        pm_strbuf_append(out, "; after full collections the heap neither grows nor shrinks surely");
    if (!isnan(series->minutes_to_limit) && !series->fatal)
        pm_strbuf_appendf(out, ", the limit of %.0f MB is reached in %.1f minutes", series->limit,
                          series->minutes_to_limit);
}

void pm_spell_gc_series(const struct pm_gc_series *series, struct pm_strbuf *out) {
    if (series->pid != PM_UNKNOWN) pm_strbuf_appendf(out, "process %" PRIu64 ": ", series->pid);
    pm_strbuf_appendf(out,
                      "%" PRIu64 " collections, %" PRIu64 " full; pauses %.0f ms in all, %.1f ms at most",
                      series->seen, series->mark_compacts, series->pause_total, series->pause_longest);
    if (!isnan(series->gc_share)) pm_strbuf_appendf(out, " (%.1f %% of the time", series->gc_share * 100);
    if (!isnan(series->gc_share) && !isnan(series->gc_share_last) &&
        series->last_time - series->first_time > 60000)
        pm_strbuf_appendf(out, ", %.1f %% of the last minute", series->gc_share_last * 100);
    if (!isnan(series->gc_share)) pm_strbuf_append(out, ")");
    if (!isnan(series->allocation_rate))
        pm_strbuf_appendf(out, "; allocates %.1f MB/s", series->allocation_rate);
    spell_trend(series, out);
    pm_strbuf_append(out, ".");
}

void pm_spell_sparkline(const struct pm_gc_series *series, size_t width, struct pm_strbuf *out) {
    static const char *const bars[] = {"\xe2\x96\x81", "\xe2\x96\x82", "\xe2\x96\x83", "\xe2\x96\x84",
                                       "\xe2\x96\x85", "\xe2\x96\x86", "\xe2\x96\x87", "\xe2\x96\x88"};
    double span = series->last_time - series->first_time, most = 0;
    if (series->row_count < 4 || !(span > 0)) return;
    if (series->row_count < width) width = series->row_count;
    double *tops PM_AUTO_FREE = calloc(width, sizeof(*tops));
    if (!tops) return;
    for (size_t i = 0; i < series->row_count; i++) {
        double place = (series->rows[i].time - series->first_time) / span * (double)width;
        size_t at = place <= 0 ? 0 : place >= (double)width ? width - 1 : (size_t)place;
        if (series->rows[i].after > tops[at]) tops[at] = series->rows[i].after;
        if (series->rows[i].after > most) most = series->rows[i].after;
    }
    double last = 0;
    for (size_t i = 0; i < width && most > 0; i++) {
        if (tops[i] > 0) last = tops[i]; /* nothing was collected here: as before */
        int level = (int)(last / most * 7.99);
        pm_strbuf_append(out, bars[level < 0 ? 0 : level > 7 ? 7 : level]);
    }
    pm_strbuf_appendf(out, " after GC, up to %.1f MB", most);
}
