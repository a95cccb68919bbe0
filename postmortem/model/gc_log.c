#include "postmortem/model/gc_log.h"

#include <math.h>

#define TREND_LEAST 5 /* points: fewer fit any line */
#define MINUTE_MS   60000.0

const char *pm_gc_kind_word(enum pm_gc_kind kind) {
    switch (kind) {
    case PM_GC_SCAVENGE: return "scavenge";
    case PM_GC_MARK_COMPACT: return "mark-compact";
    case PM_GC_MINOR: return "minor";
    }
    return "scavenge";
}

/* Two-sided 95 % quantile of Student's t, good to 1 %. */
static double t_quantile(uint64_t freedom) {
    static const double table[] = {12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23};
    if (!freedom) return INFINITY;
    if (freedom <= 10) return table[freedom - 1];
    return 1.96 + 2.5 / (double)freedom;
}

/* Full collections that count for the trend: all but those of the first quarter of the time, when the program
 * still fills its heap with what it needs anyway; all of them when that leaves too few. */
static double trend_start(const struct pm_gc_series *series) {
    double start = series->first_time + (series->last_time - series->first_time) / 4;
    size_t left = 0;
    for (size_t i = 0; i < series->row_count; i++)
        left += series->rows[i].kind == PM_GC_MARK_COMPACT && series->rows[i].time >= start;
    return left >= 2 * TREND_LEAST ? start : -INFINITY;
}

static void derive_trend(struct pm_gc_series *series) {
    struct pm_gc_trend *trend = &series->trend;
    double start = trend_start(series), n = 0, sum_x = 0, sum_y = 0, from = NAN, to = NAN;
    *trend = (struct pm_gc_trend){0};
    for (size_t i = 0; i < series->row_count; i++) {
        const struct pm_gc_row *row = &series->rows[i];
        if (row->kind != PM_GC_MARK_COMPACT || row->time < start) continue;
        if (isnan(from)) {
            from = row->time;
            trend->first = row->after;
        }
        to = row->time;
        trend->last = row->after;
        n++;
        sum_x += row->time / MINUTE_MS;
        sum_y += row->after;
    }
    trend->points = (uint64_t)n;
    if (n < 2) return;
    trend->minutes = (to - from) / MINUTE_MS;
    double mean_x = sum_x / n, mean_y = sum_y / n, xx = 0, xy = 0, yy = 0;
    for (size_t i = 0; i < series->row_count; i++) {
        const struct pm_gc_row *row = &series->rows[i];
        if (row->kind != PM_GC_MARK_COMPACT || row->time < start) continue;
        double x = row->time / MINUTE_MS - mean_x, y = row->after - mean_y;
        xx += x * x;
        xy += x * y;
        yy += y * y;
    }
    if (n < TREND_LEAST || xx <= 0) return;
    trend->slope = xy / xx;
    double rest = yy - trend->slope * xy;
    if (rest < 0) rest = 0;
    double error = sqrt(rest / (n - 2) / xx), t = t_quantile((uint64_t)n - 2);
    trend->fit = yy > 0 ? 1 - rest / yy : 1;
    trend->slope_low = trend->slope - t * error;
    trend->slope_high = trend->slope + t * error;
    trend->known = true;
}

/* The end of the series: how much of its last minute was collection. */
static void derive_end(struct pm_gc_series *series) {
    double from = series->last_time - MINUTE_MS, pause = 0, first = NAN;
    series->mu_average = series->mu_current = NAN;
    series->ineffective = 0;
    for (size_t i = 0; i < series->row_count; i++) {
        const struct pm_gc_row *row = &series->rows[i];
        if (!isnan(row->mu_average)) series->mu_average = row->mu_average;
        if (!isnan(row->mu_current)) series->mu_current = row->mu_current;
        if (row->kind == PM_GC_MARK_COMPACT) {
            /* V8's own measure is 1 % of the heap or less freed, and little time for the program. */
            bool freed = row->before - row->after > row->before * 0.02;
            series->ineffective = freed ? 0 : series->ineffective + 1;
        }
        if (row->time < from) continue;
        /* The first pause of the window lies before its first row. */
        if (isnan(first))
            first = row->time;
        else
            pause += row->pause;
    }
    double span = series->last_time - first;
    series->gc_share_last = span > 0 ? pause / span : NAN;
    if (series->gc_share_last > 1) series->gc_share_last = 1;
    series->utilisation_last = 1 - series->gc_share_last;
    double whole = series->last_time - series->first_time;
    double first_pause = series->row_count ? series->rows[0].pause : 0;
    series->gc_share = whole > 0 ? (series->pause_total - first_pause) / whole : NAN;
    if (series->gc_share > 1) series->gc_share = 1;
}

static void derive_limit(struct pm_gc_series *series) {
    const struct pm_gc_trend *trend = &series->trend;
    series->minutes_to_limit = NAN;
    if (!trend->known || isnan(series->limit) || trend->slope_low <= 0 || series->limit <= trend->last)
        return;
    series->minutes_to_limit = (series->limit - trend->last) / trend->slope;
}

void pm_gc_series_derive(struct pm_gc_series *series) {
    derive_trend(series);
    derive_end(series);
    derive_limit(series);
}

void pm_gc_series_set_limit(struct pm_gc_series *series, double limit_mb, const char *from) {
    if (!isnan(series->limit) || !(limit_mb > 0)) return;
    series->limit = limit_mb;
    series->limit_from = from;
    derive_limit(series);
}
