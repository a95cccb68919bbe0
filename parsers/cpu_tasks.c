#include "parsers/cpu_tasks.h"

#include <string.h>

#include "postmortem/base/limits.h"
#include "postmortem/base/sort.h"
#include "postmortem/base/vec.h"

/* What a sample says of the turn: (idle) and (program) end it, except one single (program) sample between two
 * of the same outermost call (V8 could not read the stack at that moment). The garbage collector belongs to
 * whatever turn it interrupts. */
struct split {
    const struct pm_cpu_sample *samples;
    size_t count;
    const struct pm_profile *profile;
    uint32_t *outermost; /* of each call: the callee of the root above it */
    uint64_t *spent;     /* scratch, of each call */
    PM_VEC(struct pm_long_task) tasks;
    uint64_t time;
};

static enum pm_call_kind kind_at(const struct split *split, size_t sample) {
    uint32_t call = split->samples[sample].call;
    return split->profile->functions[split->profile->calls[split->outermost[call]].function].kind;
}

static bool is_gap(const struct split *split, size_t at) {
    enum pm_call_kind kind = kind_at(split, at);
    if (kind == PM_CALL_IDLE || kind == PM_CALL_ROOT) return true;
    if (kind != PM_CALL_PROGRAM) return false;
    return at == 0 || at + 1 == split->count ||
           split->outermost[split->samples[at - 1].call] != split->outermost[split->samples[at + 1].call] ||
           kind_at(split, at + 1) == PM_CALL_PROGRAM || kind_at(split, at + 1) == PM_CALL_IDLE;
}

static bool is_startup(const struct pm_profile *profile, uint32_t function) {
    const char *file = profile->functions[function].position.file;
    static const char *const folders[] = {"node:internal/main/", "internal/main/", "node:internal/bootstrap/",
                                          "internal/bootstrap/"};
    for (size_t i = 0; file && i < sizeof(folders) / sizeof(folders[0]); i++)
        if (strncmp(file, folders[i], strlen(folders[i])) == 0) return true;
    return false;
}

/* Samples from `first` to `last` (not included) are one turn. */
static struct pm_error *close_task(struct split *split, size_t first, size_t last) {
    const struct pm_profile *profile = split->profile;
    uint64_t start = split->samples[first].start, end = split->samples[last - 1].end;
    if (end - start < PM_LONG_TASK_US) return NULL;
    struct pm_long_task task = {.start = start, .duration = end - start, .entry = UINT32_MAX};
    for (size_t i = first; i < last; i++) {
        const struct pm_cpu_sample *sample = &split->samples[i];
        uint64_t length = sample->end - sample->start;
        enum pm_call_kind kind = kind_at(split, i);
        if (kind == PM_CALL_GC) task.gc += length;
        if (kind != PM_CALL_CODE && kind != PM_CALL_NATIVE) continue;
        uint32_t entry = profile->calls[split->outermost[sample->call]].function;
        if (task.entry == UINT32_MAX) task.entry = entry;
        task.startup |= is_startup(profile, entry);
        split->spent[sample->call] += length;
        if (split->spent[sample->call] > task.call_self) {
            task.call_self = split->spent[sample->call];
            task.call = sample->call;
        }
    }
    for (size_t i = first; i < last; i++) split->spent[split->samples[i].call] = 0;
    if (task.entry == UINT32_MAX) { /* nothing but garbage collection */
        task.call = split->samples[first].call;
        task.entry = profile->calls[split->outermost[task.call]].function;
    }
    split->time += task.duration;
    return pm_vec_push(&split->tasks, task) ? NULL : pm_error_nomem();
}

static struct pm_error *split_all(struct split *split) {
    size_t first = SIZE_MAX;
    for (size_t i = 0; i < split->count; i++) {
        if (!is_gap(split, i)) {
            if (first == SIZE_MAX) first = i;
            continue;
        }
        if (first != SIZE_MAX) PM_TRY(close_task(split, first, i));
        first = SIZE_MAX;
    }
    return first == SIZE_MAX ? NULL : close_task(split, first, split->count);
}

static int longest_first(const void *a, const void *b) {
    const struct pm_long_task *x = a, *y = b;
    if (x->duration != y->duration) return x->duration < y->duration ? 1 : -1;
    return x->start < y->start ? -1 : x->start > y->start;
}

static struct pm_error *keep(struct pm_arena *arena, struct split *split, struct pm_profile *profile) {
    profile->long_tasks = split->tasks.count;
    profile->long_task_time = split->time;
    if (!split->tasks.count) return NULL;
    pm_sort(split->tasks.items, split->tasks.count, sizeof(*split->tasks.items), longest_first);
    profile->task_count = split->tasks.count < PM_MAX_LONG_TASKS ? split->tasks.count : PM_MAX_LONG_TASKS;
    profile->tasks = pm_arena_dup(arena, split->tasks.items, profile->task_count, sizeof(*profile->tasks));
    if (profile->tasks) return NULL;
    profile->task_count = 0;
    return pm_error_nomem();
}

struct pm_error *pm_cpu_tasks(struct pm_arena *arena, const struct pm_cpu_sample *samples, size_t count,
                              struct pm_profile *profile) {
    uint32_t *outermost PM_AUTO_FREE = malloc(profile->call_count * sizeof(*outermost));
    uint64_t *spent PM_AUTO_FREE = calloc(profile->call_count, sizeof(*spent));
    if (!outermost || !spent) return pm_error_nomem();
    for (uint32_t i = 0; i < profile->call_count; i++) {
        uint32_t caller = profile->calls[i].caller;
        outermost[i] = caller == UINT32_MAX || caller == 0 ? i : outermost[caller];
    }
    struct split split = {samples, count, profile, outermost, spent, {0}, 0};
    struct pm_error *err = split_all(&split);
    if (!err) err = keep(arena, &split, profile);
    pm_vec_deinit(&split.tasks);
    return err;
}
