#include "parsers/gc_series.h"

#include <math.h>
#include <string.h>

#include "postmortem/base/sort.h"

void pm_gc_collectors_deinit(struct pm_gc_collectors *all) {
    for (size_t i = 0; i < all->list.count; i++) {
        free(all->list.items[i].full.rows);
        free(all->list.items[i].others.rows);
    }
    pm_vec_deinit(&all->list);
    pm_vec_deinit(&all->reasons);
}

static struct pm_gc_collector *collector_of(struct pm_gc_collectors *all, uint64_t pid, pm_addr isolate) {
    for (size_t i = all->list.count; i-- > 0;)
        if (all->list.items[i].series.pid == pid && all->list.items[i].series.isolate == isolate)
            return &all->list.items[i];
    return NULL;
}

struct pm_gc_series *pm_gc_series_of(struct pm_gc_collectors *all, uint64_t pid, pm_addr isolate) {
    struct pm_gc_collector *collector = collector_of(all, pid, isolate);
    return collector ? &collector->series : NULL;
}

static bool sample(struct pm_gc_sample *sample, const struct pm_gc_row *row) {
    if (!sample->rows && !(sample->rows = malloc(PM_GC_ROWS * sizeof(*sample->rows)))) return false;
    if (!sample->step) sample->step = 1;
    if (sample->seen++ % sample->step) return true;
    if (sample->count == PM_GC_ROWS) {
        for (size_t i = 0; i < PM_GC_ROWS / 2; i++) sample->rows[i] = sample->rows[2 * i];
        sample->count = PM_GC_ROWS / 2;
        sample->step *= 2;
        if ((sample->seen - 1) % sample->step) return true;
    }
    sample->rows[sample->count++] = *row;
    return true;
}

/* Reasons are few: each text once. */
static const char *reason_of(struct pm_gc_collectors *all, const struct pm_gc_row_text *text) {
    if (!text->reason_length) return NULL;
    for (size_t i = 0; i < all->reasons.count; i++)
        if (strlen(all->reasons.items[i]) == text->reason_length &&
            memcmp(all->reasons.items[i], text->reason, text->reason_length) == 0)
            return all->reasons.items[i];
    if (all->reasons.count >= 64) return NULL; /* no V8 has so many: somebody makes them up */
    const char *copy = pm_arena_copy(all->arena, text->reason, text->reason_length);
    return copy && pm_vec_push(&all->reasons, copy) ? copy : NULL;
}

static double larger(double a, double b) {
    return isnan(a) || b > a ? b : a;
}

static void count(struct pm_gc_collector *collector, const struct pm_gc_row *row) {
    struct pm_gc_series *series = &collector->series;
    if (series->seen) {
        double allocated = row->before - collector->last.after, time = row->time - collector->last.time;
        if (allocated >= 0 && time > 0) {
            collector->allocated += allocated;
            collector->allocated_ms += time;
        }
    } else {
        series->first_time = row->time;
    }
    series->seen++;
    series->scavenges += row->kind == PM_GC_SCAVENGE;
    series->mark_compacts += row->kind == PM_GC_MARK_COMPACT;
    series->minors += row->kind == PM_GC_MINOR;
    series->pause_total += row->pause;
    series->pause_longest = larger(series->pause_longest, row->pause);
    series->peak_before = larger(series->peak_before, row->before);
    series->peak_total = larger(series->peak_total, row->total_before);
    series->last_time = row->time;
    collector->last = *row;
}

/* Another process with the same pid and isolate, as in a container that was restarted: the one before died,
 * or the clock went back. */
static bool is_another(const struct pm_gc_collectors *all, const struct pm_gc_collector *collector,
                       const struct pm_gc_row *row, bool dying) {
    if (collector->death) return !dying || collector->death != all->deaths;
    return !dying && row->time < collector->series.last_time - 1;
}

struct pm_error *pm_gc_collect(struct pm_gc_collectors *all, const struct pm_gc_row_text *text, bool dying) {
    struct pm_gc_collector *collector = collector_of(all, text->pid, text->isolate);
    struct pm_gc_row row = text->row;
    if (collector && is_another(all, collector, &row, dying)) collector = NULL;
    if (collector && dying) {
        collector->death = all->deaths;
        collector->series.fatal = true;
        if (row.time <= collector->series.last_time) return NULL; /* --trace-gc had printed it */
    }
    if (!collector) {
        if (all->list.count >= PM_GC_SERIES) {
            all->dropped++;
            return NULL;
        }
        struct pm_gc_collector fresh = {.series = {.pid = text->pid,
                                                   .isolate = text->isolate,
                                                   .pause_longest = NAN,
                                                   .peak_before = NAN,
                                                   .peak_total = NAN,
                                                   .limit = NAN,
                                                   .minutes_to_limit = NAN,
                                                   .external_bytes = PM_UNKNOWN}};
        if (!pm_vec_push(&all->list, fresh)) return pm_error_nomem();
        collector = &all->list.items[all->list.count - 1];
    }
    if (dying) {
        collector->death = all->deaths;
        collector->series.fatal = true;
    }
    row.reason = reason_of(all, text);
    count(collector, &row);
    bool kept = sample(row.kind == PM_GC_MARK_COMPACT ? &collector->full : &collector->others, &row);
    return kept ? NULL : pm_error_nomem();
}

/* ------------------------------------------------------------------ handing over */

static struct pm_error *finish(struct pm_arena *arena, struct pm_gc_collector *collector) {
    struct pm_gc_series *series = &collector->series;
    size_t i = 0, k = 0, most = collector->full.count + collector->others.count + 1;
    series->rows = pm_arena_array(arena, most, sizeof(*series->rows));
    if (!series->rows) return pm_error_nomem();
    while (i < collector->full.count || k < collector->others.count) {
        bool full =
            k >= collector->others.count ||
            (i < collector->full.count && collector->full.rows[i].time <= collector->others.rows[k].time);
        series->rows[series->row_count++] = full ? collector->full.rows[i++] : collector->others.rows[k++];
    }
    const struct pm_gc_row *last = &series->rows[series->row_count - 1];
    if (last->time < collector->last.time) series->rows[series->row_count++] = collector->last;
    series->allocation_rate =
        collector->allocated_ms > 0 ? collector->allocated / collector->allocated_ms * 1000 : NAN;
    pm_gc_series_derive(series);
    return NULL;
}

/* Who died comes first (the last of them), then who collected most. */
static int order(const void *a, const void *b) {
    const struct pm_gc_series *x = a, *y = b;
    if (x->fatal != y->fatal) return x->fatal ? -1 : 1;
    if (x->seen != y->seen) return x->seen < y->seen ? 1 : -1;
    return 0;
}

struct pm_error *pm_gc_collectors_finish(struct pm_gc_collectors *all, struct pm_gc_log *log) {
    if (!all->list.count) return NULL;
    log->series = pm_arena_array(all->arena, all->list.count, sizeof(*log->series));
    if (!log->series) return pm_error_nomem();
    for (size_t i = 0; i < all->list.count; i++) {
        PM_TRY(finish(all->arena, &all->list.items[i]));
        log->series[i] = all->list.items[i].series;
    }
    log->series_count = all->list.count;
    pm_sort(log->series, log->series_count, sizeof(*log->series), order);
    return NULL;
}

static struct pm_error *collect_text(struct pm_gc_collectors *all, const char *text,
                                     struct pm_gc_row_text *last) {
    for (struct pm_gc_row_text row; pm_gc_row_find(text, &row); text = row.end) {
        PM_TRY(pm_gc_collect(all, &row, true));
        *last = row;
    }
    return NULL;
}

struct pm_error *pm_gc_series_of_text(struct pm_arena *arena, const char *text, struct pm_gc_series **ret) {
    struct pm_gc_collectors all = {.arena = arena, .deaths = 1};
    struct pm_gc_row_text last = {0};
    struct pm_gc_log log = {0};
    struct pm_error *err = collect_text(&all, text, &last);
    if (!err) err = pm_gc_collectors_finish(&all, &log);
    pm_gc_collectors_deinit(&all);
    *ret = NULL;
    for (size_t i = 0; i < log.series_count && !err; i++)
        if (log.series[i].pid == last.pid && log.series[i].isolate == last.isolate) *ret = &log.series[i];
    return err;
}
