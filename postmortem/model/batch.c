#include "postmortem/model/batch.h"

#include <string.h>

#include "postmortem/base/sort.h"

struct pm_batch *pm_batch_create(struct pm_arena *arena) {
    struct pm_batch *batch = pm_arena_alloc(arena, sizeof(*batch));
    if (!batch) return NULL;
    batch->arena = arena;
    batch->failures = pm_arena_array(arena, PM_BATCH_FAILED, sizeof(*batch->failures));
    return batch->failures ? batch : NULL;
}

/* ---- the groups by their key ---- */

static size_t slot_of(const struct pm_batch *batch, const char *key) {
    uint64_t hash = 0xcbf29ce484222325ull; /* FNV-1a */
    for (const char *p = key; *p; p++) hash = (hash ^ (unsigned char)*p) * 0x100000001b3ull;
    size_t slot = (size_t)(hash ^ hash >> 32) & (batch->slot_count - 1);
    while (batch->slots[slot] && strcmp(batch->groups[batch->slots[slot] - 1]->key, key) != 0)
        slot = (slot + 1) & (batch->slot_count - 1);
    return slot;
}

/* Room for one more group; arrays of before stay in the arena: half of the final size in all. */
static bool make_room(struct pm_batch *batch) {
    if (batch->group_count < batch->group_room) return true;
    size_t room = batch->group_room ? batch->group_room * 2 : 64;
    struct pm_batch_group **groups = pm_arena_array(batch->arena, room, sizeof(*groups));
    size_t *slots = pm_arena_array(batch->arena, room * 4, sizeof(*slots));
    if (!groups || !slots) return false;
    if (batch->group_count) memcpy(groups, batch->groups, batch->group_count * sizeof(*groups));
    batch->groups = groups;
    batch->group_room = room;
    batch->slots = slots;
    batch->slot_count = room * 4;
    for (size_t i = 0; i < batch->group_count; i++) batch->slots[slot_of(batch, groups[i]->key)] = i + 1;
    return true;
}

static struct pm_batch_group *group_of(struct pm_batch *batch, const char *key) {
    if (!make_room(batch)) return NULL;
    size_t slot = slot_of(batch, key);
    if (batch->slots[slot]) return batch->groups[batch->slots[slot] - 1];
    struct pm_batch_group *group = pm_arena_alloc(batch->arena, sizeof(*group));
    if (!group || !(group->key = pm_arena_strdup(batch->arena, key))) return NULL;
    group->first_ms = group->last_ms = PM_UNKNOWN;
    group->severity = -1;
    batch->groups[batch->group_count++] = group;
    batch->slots[slot] = batch->group_count;
    return group;
}

/* ---- one row more ---- */

/* The names that come first in the alphabet: the same ones whatever the order of the files. */
static void add_name(struct pm_batch *batch, struct pm_batch_names *names, const char *name) {
    size_t at = 0;
    if (!name) return;
    while (at < names->count && strcmp(names->names[at], name) < 0) at++;
    if (at < names->count && !strcmp(names->names[at], name)) return;
    if (names->count == PM_BATCH_NAMES) names->more = true;
    if (at == PM_BATCH_NAMES) return;
    const char *copy = pm_arena_strdup(batch->arena, name);
    if (!copy) return;
    if (names->count < PM_BATCH_NAMES) names->count++;
    for (size_t i = names->count - 1; i > at; i--) names->names[i] = names->names[i - 1];
    names->names[at] = copy;
}

/* The best example: read completely, with the worst finding, first in the alphabet. */
static bool is_better(const struct pm_batch_group *group, const struct pm_batch_row *row) {
    if (!group->example_count) return true;
    if (!row->count) return false; /* only names */
    if (!row->partial != !group->example_partial) return !row->partial;
    if (row->severity != group->example_severity) return row->severity > group->example_severity;
    return strcmp(row->path, group->examples[0]) < 0;
}

static void add_example(struct pm_batch *batch, struct pm_batch_group *group,
                        const struct pm_batch_row *row) {
    bool better = is_better(group, row);
    if (!better && group->example_count == PM_BATCH_EXAMPLES &&
        strcmp(row->path, group->examples[PM_BATCH_EXAMPLES - 1]) > 0)
        return;
    const char *path = pm_arena_strdup(batch->arena, row->path);
    if (!path) return;
    size_t at = 0;
    for (size_t i = 0; i < group->example_count; i++)
        if (!strcmp(group->examples[i], path)) return;
    if (!better)
        for (at = 1; at < group->example_count && strcmp(group->examples[at], path) < 0;) at++;
    if (group->example_count < PM_BATCH_EXAMPLES) group->example_count++;
    for (size_t i = group->example_count - 1; i > at; i--) group->examples[i] = group->examples[i - 1];
    if (at < PM_BATCH_EXAMPLES) group->examples[at] = path;
    if (!better) return;
    group->verdict = pm_arena_strdup(batch->arena, row->verdict);
    group->death = pm_arena_strdup(batch->arena, row->death);
    group->finding = pm_arena_strdup(batch->arena, row->finding);
    group->example_severity = row->severity;
    group->example_partial = row->partial;
}

static void add_failure(struct pm_batch *batch, const struct pm_batch_row *row) {
    batch->failed += row->count;
    if (batch->failure_count == PM_BATCH_FAILED) return;
    batch->failures[batch->failure_count++] = (struct pm_batch_failure){
        pm_arena_strdup(batch->arena, row->path), pm_arena_strdup(batch->arena, row->reason)};
}

void pm_batch_add(struct pm_batch *batch, const struct pm_batch_row *row) {
    batch->files += row->count;
    if (!row->key) {
        add_failure(batch, row);
        return;
    }
    struct pm_batch_group *group = group_of(batch, row->key);
    if (!group) return;
    group->count += row->count;
    group->partial += row->partial;
    if (row->severity > group->severity) group->severity = row->severity;
    if (row->first_ms != PM_UNKNOWN && (group->first_ms == PM_UNKNOWN || row->first_ms < group->first_ms))
        group->first_ms = row->first_ms;
    if (row->last_ms != PM_UNKNOWN && (group->last_ms == PM_UNKNOWN || row->last_ms > group->last_ms))
        group->last_ms = row->last_ms;
    add_name(batch, &group->hosts, row->host);
    add_name(batch, &group->versions, row->node_version);
    add_example(batch, group, row);
}

static int by_count(const void *a, const void *b) {
    const struct pm_batch_group *x = *(struct pm_batch_group *const *)a,
                                *y = *(struct pm_batch_group *const *)b;
    if (x->count != y->count) return x->count < y->count ? 1 : -1;
    return strcmp(x->key, y->key);
}

static int by_path(const void *a, const void *b) {
    const char *x = ((const struct pm_batch_failure *)a)->path,
               *y = ((const struct pm_batch_failure *)b)->path;
    return strcmp(x ? x : "", y ? y : "");
}

void pm_batch_finish(struct pm_batch *batch) {
    pm_sort(batch->groups, batch->group_count, sizeof(*batch->groups), by_count);
    pm_sort(batch->failures, batch->failure_count, sizeof(*batch->failures), by_path);
    batch->slot_count = 0; /* the table is of the order before */
}
