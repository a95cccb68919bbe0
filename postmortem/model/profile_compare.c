#include "postmortem/model/profile_compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "postmortem/base/sort.h"

#define NONE UINT32_MAX

/* ------------------------------------------------------------------ which functions are the same */

struct sorted {
    const struct pm_profile_function *function;
    uint32_t index; /* in its own profile; those of the second behind those of the first */
};

static int text_order(const char *x, const char *y) {
    if (!x || !y) return x ? 1 : y ? -1 : 0;
    return strcmp(x, y);
}

/* By name and file first: functions that may be the same stand together. */
static int by_identity(const void *a, const void *b) {
    const struct sorted *x = a, *y = b;
    const struct pm_position *left = &x->function->position, *right = &y->function->position;
    int order = strcmp(x->function->name, y->function->name);
    if (!order) order = text_order(left->file, right->file);
    if (order) return order;
    if (x->function->kind != y->function->kind) return x->function->kind < y->function->kind ? -1 : 1;
    if (left->line != right->line) return left->line < right->line ? -1 : 1;
    if (left->column != right->column) return left->column < right->column ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static bool same_name(const struct sorted *x, const struct sorted *y) {
    return x->function->kind == y->function->kind && !strcmp(x->function->name, y->function->name) &&
           !text_order(x->function->position.file, y->function->position.file);
}

static bool same_place(const struct sorted *x, const struct sorted *y) {
    return x->function->position.line == y->function->position.line &&
           x->function->position.column == y->function->position.column;
}

static bool is_pair(const struct sorted *x, const struct sorted *y, size_t first_count) {
    return x->index < first_count && y->index >= first_count && same_place(x, y);
}

/* list[0..count): all of one name and file. Fills partner: of functions of the second profile, the one of
 * the first. */
static void pair(const struct sorted *list, size_t count, size_t first_count, uint32_t *partner) {
    const struct sorted *before = NULL, *after = NULL; /* without a partner: the last one */
    size_t alone_before = 0, alone_after = 0;
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count && is_pair(&list[i], &list[i + 1], first_count)) {
            partner[list[i + 1].index - first_count] = list[i].index;
            i++;
        } else if (list[i].index < first_count) {
            before = &list[i];
            alone_before++;
        } else {
            after = &list[i];
            alone_after++;
        }
    }
    if (alone_before == 1 && alone_after == 1) partner[after->index - first_count] = before->index;
}

static struct pm_error *find_partners(const struct pm_profile *before, const struct pm_profile *after,
                                      uint32_t *partner) {
    size_t count = before->function_count + after->function_count;
    struct sorted *list PM_AUTO_FREE = malloc((count + 1) * sizeof(*list));
    if (!list) return pm_error_nomem();
    for (size_t i = 0; i < before->function_count; i++)
        list[i] = (struct sorted){&before->functions[i], (uint32_t)i};
    for (size_t i = 0; i < after->function_count; i++)
        list[before->function_count + i] =
            (struct sorted){&after->functions[i], (uint32_t)(before->function_count + i)};
    pm_sort(list, count, sizeof(*list), by_identity);
    memset(partner, 0xff, after->function_count * sizeof(*partner));
    for (size_t i = 0, k; i < count; i = k) {
        for (k = i + 1; k < count && same_name(&list[i], &list[k]);) k++;
        pair(list + i, k - i, before->function_count, partner);
    }
    return NULL;
}

/* ------------------------------------------------------------------ the tree of both */

struct merged {
    uint32_t *caller, *function, *hits, *call_of;
    uint64_t *self;
    struct pm_profile_function *functions;
    size_t function_count;
};

static void merged_deinit(struct merged *merged) {
    free(merged->caller);
    free(merged->function);
    free(merged->hits);
    free(merged->call_of);
    free(merged->self);
    free(merged->functions);
}

static bool merged_init(struct merged *merged, size_t calls, size_t functions) {
    merged->caller = malloc((calls + 1) * sizeof(*merged->caller));
    merged->function = malloc((calls + 1) * sizeof(*merged->function));
    merged->hits = malloc((calls + 1) * sizeof(*merged->hits));
    merged->call_of = malloc((calls + 1) * sizeof(*merged->call_of));
    merged->self = malloc((calls + 1) * sizeof(*merged->self));
    merged->functions = malloc((functions + 1) * sizeof(*merged->functions));
    return merged->caller && merged->function && merged->hits && merged->call_of && merged->self &&
           merged->functions;
}

static void take_function(struct merged *merged, const struct pm_profile_function *function) {
    struct pm_profile_function *own = &merged->functions[merged->function_count++];
    *own = *function;
    own->self = own->total = own->count = 0;
    own->file = own->package = 0;
}

/* Places are those of the second profile, which is the newer code. */
static void take_functions(struct merged *merged, const struct pm_profile_comparison *comparison,
                           const uint32_t *partner, uint32_t *number) {
    const struct pm_profile *before = comparison->before, *after = comparison->after;
    for (size_t i = 0; i < before->function_count; i++) take_function(merged, &before->functions[i]);
    for (size_t i = 0; i < after->function_count; i++) {
        number[i] = partner[i] == NONE ? (uint32_t)merged->function_count : partner[i];
        if (partner[i] == NONE)
            take_function(merged, &after->functions[i]);
        else
            merged->functions[partner[i]].position = after->functions[i].position;
    }
}

static void take_calls(struct merged *merged, const struct pm_profile *profile, size_t base,
                       const uint32_t *number) {
    for (size_t i = 0; i < profile->call_count; i++) {
        const struct pm_call *call = &profile->calls[i];
        merged->caller[base + i] = call->caller == NONE ? NONE : (uint32_t)(base + call->caller);
        merged->function[base + i] = number ? number[call->function] : call->function;
        merged->self[base + i] = call->self;
        merged->hits[base + i] = call->count;
    }
}

static bool is_idle(const struct pm_profile *profile, size_t call) {
    return profile->functions[profile->calls[call].function].kind == PM_CALL_IDLE;
}

/* Own values where the calls are now; from there up. */
static void sum_calls(const struct pm_profile_comparison *comparison, const struct pm_profile *one,
                      const uint32_t *call_of, uint64_t *totals) {
    const struct pm_profile *both = &comparison->both;
    for (size_t i = 0; i < one->call_count; i++)
        if (!is_idle(one, i) &&
            __builtin_add_overflow(totals[call_of[i]], one->calls[i].self, &totals[call_of[i]]))
            totals[call_of[i]] = UINT64_MAX - 1;
    for (size_t i = both->call_count - 1; i > 0; i--) {
        uint64_t *above = &totals[both->calls[i].caller];
        if (__builtin_add_overflow(*above, totals[i], above)) *above = UINT64_MAX - 1;
    }
}

/* ------------------------------------------------------------------ rows */

/* The largest change first, whether it grew or shrank. */
static int by_change(const void *a, const void *b) {
    const struct pm_profile_change *x = a, *y = b;
    double left = fabs(x->growth), right = fabs(y->growth);
    if (left < right || left > right) return left < right ? 1 : -1;
    left = fabs(x->total_growth);
    right = fabs(y->total_growth);
    if (left < right || left > right) return left < right ? 1 : -1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* Numbers of samples are Poisson: their difference has the variance of their sum. Two deviations. */
static bool by_chance(const struct pm_profile_comparison *comparison, const struct pm_profile_change *row) {
    const struct pm_profile *before = comparison->before, *after = comparison->after;
    if (before->samples == PM_UNKNOWN || after->samples == PM_UNKNOWN) return false;
    double factor = comparison->scale; /* samples of the first that the second would have */
    if (before->interval != PM_UNKNOWN && after->interval != PM_UNKNOWN && after->interval)
        factor *= (double)before->interval / (double)after->interval;
    double expected = factor * (double)row->before.count, seen = (double)row->after.count;
    double variance = factor * expected + seen;
    return fabs(seen - expected) <= 2 * sqrt(variance);
}

static void finish_row(const struct pm_profile_comparison *comparison, struct pm_profile_change *row) {
    row->growth = (double)row->after.self - comparison->scale * (double)row->before.self;
    row->total_growth = (double)row->after.total - comparison->scale * (double)row->before.total;
    row->by_chance = by_chance(comparison, row);
}

static size_t keep_changed(const struct pm_profile_comparison *comparison, struct pm_profile_change *rows,
                           size_t count) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        finish_row(comparison, &rows[i]);
        if (fabs(rows[i].growth) >= 0.5 || fabs(rows[i].total_growth) >= 0.5) rows[kept++] = rows[i];
    }
    pm_sort(rows, kept, sizeof(*rows), by_change);
    return kept;
}

/* Where the functions and packages of one profile are among those of both: through a call of theirs. */
static void fill_rows(struct pm_profile_comparison *comparison, const struct pm_profile *one,
                      const uint32_t *call_of, bool after) {
    const struct pm_profile *both = &comparison->both;
    for (size_t i = 0; i < one->call_count; i++) {
        const struct pm_profile_function *function = &one->functions[one->calls[i].function];
        if (function->kind == PM_CALL_IDLE || function->kind == PM_CALL_ROOT) continue;
        const struct pm_profile_group *package = &one->packages[function->package];
        uint32_t index = both->calls[call_of[i]].function;
        struct pm_profile_change *row = &comparison->functions[index],
                                 *group = &comparison->packages[both->functions[index].package];
        *(after ? &row->after : &row->before) =
            (struct pm_profile_cell){function->self, function->total, function->count};
        *(after ? &group->after : &group->before) =
            (struct pm_profile_cell){package->self, package->total, package->count};
    }
}

static struct pm_error *make_rows(struct pm_profile_comparison *comparison, const uint32_t *call_of,
                                  struct pm_arena *arena) {
    const struct pm_profile *both = &comparison->both, *before = comparison->before;
    comparison->functions = pm_arena_array(arena, both->function_count, sizeof(*comparison->functions));
    comparison->packages = pm_arena_array(arena, both->package_count, sizeof(*comparison->packages));
    comparison->call_before = pm_arena_array(arena, both->call_count, sizeof(uint64_t));
    comparison->call_after = pm_arena_array(arena, both->call_count, sizeof(uint64_t));
    if (!comparison->functions || !comparison->packages || !comparison->call_before ||
        !comparison->call_after)
        return pm_error_nomem();
    for (size_t i = 0; i < both->function_count; i++)
        comparison->functions[i] = (struct pm_profile_change){.index = (uint32_t)i};
    for (size_t i = 0; i < both->package_count; i++)
        comparison->packages[i] = (struct pm_profile_change){.index = (uint32_t)i};
    memset(comparison->call_before, 0, both->call_count * sizeof(uint64_t));
    memset(comparison->call_after, 0, both->call_count * sizeof(uint64_t));
    fill_rows(comparison, before, call_of, false);
    fill_rows(comparison, comparison->after, call_of + before->call_count, true);
    sum_calls(comparison, before, call_of, comparison->call_before);
    sum_calls(comparison, comparison->after, call_of + before->call_count, comparison->call_after);
    comparison->function_count = keep_changed(comparison, comparison->functions, both->function_count);
    comparison->package_count = keep_changed(comparison, comparison->packages, both->package_count);
    return NULL;
}

/* ------------------------------------------------------------------ the whole */

static double scale_of(const struct pm_profile *before, const struct pm_profile *after) {
    if (before->kind != PM_PROFILE_CPU) return 1;
    uint64_t one = before->duration == PM_UNKNOWN ? before->total : before->duration;
    uint64_t other = after->duration == PM_UNKNOWN ? after->total : after->duration;
    double scale = one && other ? (double)other / (double)one : 1;
    return fabs(scale - 1) < PM_SAME_DURATION ? 1 : scale;
}

static struct pm_error *compare(struct pm_profile_comparison *comparison, struct merged *merged,
                                struct pm_arena *arena) {
    const struct pm_profile *before = comparison->before, *after = comparison->after;
    uint32_t *partner PM_AUTO_FREE = malloc((after->function_count + 1) * sizeof(*partner));
    uint32_t *number PM_AUTO_FREE = malloc((after->function_count + 1) * sizeof(*number));
    size_t calls = before->call_count + after->call_count;
    if (calls >= NONE)
        return pm_error_create(PM_ERR_LIMIT, "profiles of %zu calls are too large to compare", calls);
    if (!partner || !number || !merged_init(merged, calls, before->function_count + after->function_count))
        return pm_error_nomem();
    PM_TRY(find_partners(before, after, partner));
    take_functions(merged, comparison, partner, number);
    take_calls(merged, before, 0, NULL);
    take_calls(merged, after, before->call_count, number);
    struct pm_profile_input input = {
        .caller = merged->caller,
        .function = merged->function,
        .self = merged->self,
        .hits = merged->hits,
        .count = calls,
        .functions = merged->functions,
        .function_count = merged->function_count,
        .call_of = merged->call_of,
    };
    PM_TRY(pm_profile_build(arena, &input, &comparison->both));
    return make_rows(comparison, merged->call_of, arena);
}

struct pm_error *pm_profile_compare(const struct pm_profile *before, const struct pm_profile *after,
                                    struct pm_arena *arena, struct pm_profile_comparison *ret) {
    struct merged merged = {0};
    struct pm_profile_comparison comparison = {
        .before = before, .after = after, .scale = scale_of(before, after)};
    comparison.both = (struct pm_profile){.kind = after->kind,
                                          .source = after->source,
                                          .input = after->input,
                                          .duration = PM_UNKNOWN,
                                          .samples = PM_UNKNOWN,
                                          .interval = PM_UNKNOWN,
                                          .long_tasks = PM_UNKNOWN,
                                          .long_task_time = PM_UNKNOWN};
    struct pm_error *err = compare(&comparison, &merged, arena);
    merged_deinit(&merged);
    if (!err) *ret = comparison;
    return err;
}
