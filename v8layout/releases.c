#include "v8layout/releases.h"

/* The cores of corpora/lists: a row changes when a list does. */
static const struct {
    const char *v8, *node, *tested;
} lines[] = {
    {"V8 9.4", "Node.js 16", "16.0.0, 16.20.2"},
    {"V8 10.2", "Node.js 18", "18.0.0, 18.12.1, 18.20.8; Debian's libnode108; arm64"},
    {"V8 10.8", "Node.js 19", "19.8.1"},
    {"V8 11.3", "Node.js 20", "20.0.0, 20.9.0, 20.20.2; arm64"},
    {"V8 11.8", "Node.js 21", "21.7.3"},
    {"V8 12.4", "Node.js 22", "22.0.0, 22.14.0, 22.23.3; arm64"},
    {"V8 12.9", "Node.js 23", "23.11.1"},
    {"V8 13.6", "Node.js 24", "24.0.0, 24.11.0, 24.21.0; arm64"},
    {"V8 14.1", "Node.js 25", "25.9.0"},
    {"V8 14.6", "Node.js 26", "26.0.0, 26.10.0"},
};

struct pm_error *v8_known_releases(struct pm_diagnosis *diagnosis) {
    const size_t count = sizeof(lines) / sizeof(lines[0]);
    struct pm_layout_row *rows = pm_arena_array(diagnosis->arena, count, sizeof(*rows));
    if (!rows) return pm_error_nomem();
    for (size_t i = 0; i < count; i++)
        rows[i] = (struct pm_layout_row){
            .name = lines[i].v8,
            .value = lines[i].node,
            .origin = "discovered",
            .evidence = pm_arena_printf(diagnosis->arena, "tested with %s", lines[i].tested)};
    diagnosis->layout = rows;
    diagnosis->layout_count = count;
    diagnosis->has_layout = true;
    return NULL;
}
