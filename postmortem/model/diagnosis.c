#include "postmortem/model/diagnosis.h"

#include <string.h>

struct pm_diagnosis *pm_diagnosis_create(void) {
    struct pm_arena *arena = pm_arena_create();
    struct pm_diagnosis *diagnosis = arena ? pm_arena_alloc(arena, sizeof(*diagnosis)) : NULL;
    if (!diagnosis) {
        pm_arena_destroy(arena);
        return NULL;
    }
    diagnosis->arena = arena;
    diagnosis->read_objects = PM_UNKNOWN;
    diagnosis->layout_score = -1;
    diagnosis->incident_time = PM_UNKNOWN;
    diagnosis->process = (struct pm_process){
        .pid = PM_UNKNOWN,
        .signal = PM_UNKNOWN,
        .signal_code = PM_UNKNOWN,
        .sender_pid = PM_UNKNOWN,
        .heap_used_at_death = PM_UNKNOWN,
        .heap_limit_at_death = PM_UNKNOWN,
        .max_old_space_flag = PM_UNKNOWN,
        .max_semi_space_flag = PM_UNKNOWN,
    };
    return diagnosis;
}

void pm_diagnosis_destroy(struct pm_diagnosis *diagnosis) {
    if (!diagnosis) return;
    for (size_t i = 0; i < diagnosis->other_count; i++) pm_diagnosis_destroy(diagnosis->others[i]);
    pm_arena_destroy(diagnosis->arena);
}

/* Appends one item to an arena array that doubles at powers of two; NULL without memory. */
static void *append(struct pm_arena *arena, void *items, size_t count, size_t item_size, void **grown) {
    *grown = items;
    if ((count & (count - 1)) == 0) {
        void *next = pm_arena_array(arena, count ? count * 2 : 1, item_size);
        if (!next) return NULL;
        if (count) memcpy(next, items, count * item_size);
        *grown = next;
    }
    return (char *)*grown + count * item_size;
}

static void partial(struct pm_diagnosis *diagnosis) {
    if (diagnosis->exit_code == PM_EXIT_COMPLETE) diagnosis->exit_code = PM_EXIT_PARTIAL;
}

void pm_diagnosis_skip(struct pm_diagnosis *diagnosis, const char *what, uint64_t count, uint64_t bytes,
                       const char *why) {
    partial(diagnosis);
    void *grown;
    struct pm_skipped *row =
        append(diagnosis->arena, diagnosis->skipped, diagnosis->skipped_count, sizeof(*row), &grown);
    diagnosis->skipped = grown;
    if (!row) return;
    row->what = pm_arena_strdup(diagnosis->arena, what);
    row->why = pm_arena_strdup(diagnosis->arena, why);
    row->count = count;
    row->bytes = bytes;
    if (row->what && (row->why || !why)) diagnosis->skipped_count++;
}

void pm_diagnosis_problem(struct pm_diagnosis *diagnosis, struct pm_error *err) {
    if (!err) return;
    partial(diagnosis);
    void *grown;
    struct pm_problem *row =
        append(diagnosis->arena, diagnosis->problems, diagnosis->problem_count, sizeof(*row), &grown);
    diagnosis->problems = grown;
    if (row) {
        if (err->has_where)
            row->message = pm_arena_printf(diagnosis->arena, "%s (at 0x%llx)", err->message,
                                           (unsigned long long)err->where);
        else
            row->message = pm_arena_strdup(diagnosis->arena, err->message);
        row->hint = err->hint;
        if (row->message) diagnosis->problem_count++;
    }
    pm_error_destroy(err);
}

struct pm_finding *pm_diagnosis_finding(struct pm_diagnosis *diagnosis) {
    void *grown;
    struct pm_finding *finding =
        append(diagnosis->arena, diagnosis->findings, diagnosis->finding_count, sizeof(*finding), &grown);
    diagnosis->findings = grown;
    if (!finding) return NULL;
    *finding = (struct pm_finding){.retained_bytes = PM_UNKNOWN, .share = -1};
    diagnosis->finding_count++;
    return finding;
}

struct pm_error *pm_diagnosis_append(struct pm_diagnosis *diagnosis, void ***items, size_t *count,
                                     void *item) {
    void *grown;
    void **place = append(diagnosis->arena, *items, *count, sizeof(*place), &grown);
    *items = grown;
    if (!place) return pm_error_nomem();
    *place = item;
    (*count)++;
    return NULL;
}
