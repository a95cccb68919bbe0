/* From the calls of a file to the tree of the model: ids become indexes, links callers. */
#include <string.h>

#include "parsers/profile_reader.h"
#include "postmortem/base/sort.h"

#define NONE UINT32_MAX

/* ------------------------------------------------------------------ ids */

static int by_id(const void *a, const void *b) {
    const struct pm_id_entry *x = a, *y = b;
    if (x->id != y->id) return x->id < y->id ? -1 : 1;
    return x->call < y->call ? -1 : x->call > y->call;
}

static struct pm_error *sorted_table(struct pm_id_table *table, const struct pm_raw_profile *raw) {
    table->entries = malloc((raw->calls.count + 1) * sizeof(*table->entries));
    if (!table->entries) return pm_error_nomem();
    for (size_t i = 0; i < raw->calls.count; i++)
        if (raw->calls.items[i].id != PM_UNKNOWN)
            table->entries[table->count++] = (struct pm_id_entry){raw->calls.items[i].id, (uint32_t)i};
    pm_sort(table->entries, table->count, sizeof(*table->entries), by_id);
    size_t kept = 0;
    for (size_t i = 0; i < table->count; i++) {
        if (kept && table->entries[kept - 1].id == table->entries[i].id)
            table->duplicates++;
        else
            table->entries[kept++] = table->entries[i];
    }
    table->count = kept;
    return NULL;
}

struct pm_error *pm_id_table_init(struct pm_id_table *table, const struct pm_raw_profile *raw) {
    uint64_t largest = 0;
    *table = (struct pm_id_table){0};
    for (size_t i = 0; i < raw->calls.count; i++)
        if (raw->calls.items[i].id != PM_UNKNOWN && raw->calls.items[i].id > largest)
            largest = raw->calls.items[i].id;
    if (largest > raw->calls.count * 4 + 1024) return sorted_table(table, raw);
    table->direct_size = largest + 1;
    table->direct = calloc(table->direct_size, sizeof(*table->direct));
    if (!table->direct) return pm_error_nomem();
    for (size_t i = 0; i < raw->calls.count; i++) {
        uint64_t id = raw->calls.items[i].id;
        if (id == PM_UNKNOWN) continue;
        if (table->direct[id])
            table->duplicates++;
        else
            table->direct[id] = (uint32_t)i + 1;
    }
    return NULL;
}

void pm_id_table_deinit(struct pm_id_table *table) {
    free(table->entries);
    free(table->direct);
}

size_t pm_id_table_find(const struct pm_id_table *table, uint64_t id) {
    if (table->direct) return id < table->direct_size && table->direct[id] ? table->direct[id] - 1 : SIZE_MAX;
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->entries[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < table->count && table->entries[low].id == id ? table->entries[low].call : SIZE_MAX;
}

/* ------------------------------------------------------------------ callers */

uint64_t pm_raw_profile_link(struct pm_raw_profile *raw, const struct pm_id_table *table) {
    uint64_t lost = 0;
    for (size_t i = 0; i < raw->links.count; i++) {
        const struct pm_raw_link *link = &raw->links.items[i];
        size_t other = pm_id_table_find(table, link->id);
        if (other == SIZE_MAX || other == link->call || link->call >= raw->calls.count) {
            lost++;
            continue;
        }
        uint32_t callee = link->up ? link->call : (uint32_t)other;
        uint32_t caller = link->up ? (uint32_t)other : link->call;
        /* A call has one caller: the first that names it. */
        if (raw->calls.items[callee].caller == NONE)
            raw->calls.items[callee].caller = caller;
        else if (raw->calls.items[callee].caller != caller)
            lost++;
    }
    return lost;
}

/* ------------------------------------------------------------------ lines */

static int by_line(const void *a, const void *b) {
    const struct pm_raw_line *x = a, *y = b;
    if (x->function != y->function) return x->function < y->function ? -1 : 1;
    return x->line < y->line ? -1 : x->line > y->line;
}

/* The line of each function where most samples were taken. */
static void hot_lines(struct pm_raw_profile *raw) {
    for (size_t i = 0; i < raw->lines.count; i++) {
        struct pm_raw_line *line = &raw->lines.items[i];
        line->function = raw->calls.items[line->function].function; /* it was the call's index */
    }
    pm_sort(raw->lines.items, raw->lines.count, sizeof(*raw->lines.items), by_line);
    uint64_t ticks = 0;
    for (size_t i = 0; i < raw->lines.count; i++) {
        const struct pm_raw_line *line = &raw->lines.items[i];
        ticks = i && by_line(line - 1, line) == 0 ? ticks : 0;
        if (__builtin_add_overflow(ticks, line->ticks, &ticks)) ticks = UINT64_MAX - 1;
        if (line->function == NONE) continue;
        struct pm_profile_function *function = &raw->functions.items[line->function];
        if (ticks > function->hot_line_count) {
            function->hot_line = line->line;
            function->hot_line_count = ticks;
        }
    }
}

/* ------------------------------------------------------------------ the tree */

struct pm_error *pm_raw_profile_build(struct pm_raw_profile *raw, struct pm_profile *profile,
                                      uint32_t *call_of, uint64_t *detached_ret) {
    size_t count = raw->calls.count;
    uint32_t *caller PM_AUTO_FREE = malloc((count + 1) * sizeof(*caller));
    uint32_t *function PM_AUTO_FREE = malloc((count + 1) * sizeof(*function));
    uint32_t *hits PM_AUTO_FREE = malloc((count + 1) * sizeof(*hits));
    uint64_t *self PM_AUTO_FREE = malloc((count + 1) * sizeof(*self));
    if (!caller || !function || !hits || !self) return pm_error_nomem();
    hot_lines(raw);
    for (size_t i = 0; i < count; i++) {
        const struct pm_raw_call *call = &raw->calls.items[i];
        caller[i] = call->caller;
        function[i] = call->function;
        hits[i] = call->hits;
        self[i] = call->self;
    }
    struct pm_profile_input input = {
        .caller = caller,
        .function = function,
        .self = self,
        .hits = hits,
        .count = count,
        .functions = raw->functions.items,
        .function_count = raw->functions.count,
        .call_of = call_of,
    };
    PM_TRY(pm_profile_build(raw->arena, &input, profile));
    *detached_ret = input.detached;
    return NULL;
}

void pm_raw_profile_note(const struct pm_raw_profile *raw, struct pm_error *cut, uint64_t duplicates,
                         uint64_t lost, struct pm_profile *profile, struct pm_diagnosis *diagnosis) {
    if (cut) {
        profile->incomplete =
            pm_arena_printf(diagnosis->arena, "%s%s", cut->message ? cut->message : "the file ends early",
                            raw->samples.count || raw->nested ? "" : "; its samples are lost");
        pm_diagnosis_skip(diagnosis, "end of the profile", PM_UNKNOWN, PM_UNKNOWN, profile->incomplete);
        if (profile->input < diagnosis->input_count) diagnosis->inputs[profile->input].complete = false;
        pm_error_destroy(cut);
    }
    if (duplicates)
        pm_diagnosis_skip(diagnosis, "ids of calls", duplicates, PM_UNKNOWN, "used twice in the profile");
    if (lost)
        pm_diagnosis_skip(diagnosis, "links between calls", lost, PM_UNKNOWN,
                          "they lead nowhere, in a circle, or a call has two callers");
    if (raw->bad_numbers)
        pm_diagnosis_skip(diagnosis, "numbers", raw->bad_numbers, PM_UNKNOWN,
                          "no finite number where the profile should have one");
}
