#include "postmortem/commands.h"

#include <string.h>

static const struct pm_command *const commands[] = {
    &pm_command_diagnose,   &pm_command_stacks,  &pm_command_spaces,  &pm_command_histogram,
    &pm_command_dominators, &pm_command_objects, &pm_command_inspect, &pm_command_retainers,
    &pm_command_strings,    &pm_command_loop,    &pm_command_compare, &pm_command_export,
    &pm_command_layouts,    &pm_command_batch,
};
static const size_t command_count = sizeof(commands) / sizeof(commands[0]);

const struct pm_command *const *pm_commands(size_t *count_ret) {
    *count_ret = command_count;
    return commands;
}

const struct pm_command *pm_command_find(const char *name) {
    for (size_t i = 0; i < command_count; i++)
        if (!strcmp(commands[i]->name, name)) return commands[i];
    return NULL;
}

size_t pm_word_distance(const char *a, const char *b) {
    enum { MOST = 32 };
    size_t rows[3][MOST + 1], length_a = strlen(a), length_b = strlen(b);
    if (length_a > MOST || length_b > MOST) return MOST;
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t k = 0; k <= length_b; k++) last[k] = k;
    for (size_t i = 1; i <= length_a; i++) {
        row[0] = i;
        for (size_t k = 1; k <= length_b; k++) {
            size_t best = last[k - 1] + (a[i - 1] != b[k - 1]);
            if (last[k] + 1 < best) best = last[k] + 1;
            if (row[k - 1] + 1 < best) best = row[k - 1] + 1;
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1] && before[k - 2] + 1 < best)
                best = before[k - 2] + 1;
            row[k] = best;
        }
        size_t *next = before;
        before = last, last = row, row = next;
    }
    return last[length_b];
}

const struct pm_command *pm_command_near(const char *name) {
    const struct pm_command *nearest = NULL;
    size_t least = 3;
    for (size_t i = 0; i < command_count; i++) {
        size_t edits = pm_word_distance(name, commands[i]->name);
        if (edits < least) {
            least = edits;
            nearest = commands[i];
        }
    }
    return nearest;
}
