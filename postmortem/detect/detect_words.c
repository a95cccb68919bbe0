#include "postmortem/detect/detect_words.h"

#include <stdio.h>
#include <string.h>

const char *pm_words_bytes(struct pm_arena *arena, uint64_t bytes) {
    if (bytes < 1000) return pm_arena_printf(arena, "%llu B", (unsigned long long)bytes);
    if (bytes < 1000000) return pm_arena_printf(arena, "%.1f kB", (double)bytes / 1e3);
    if (bytes < 1000000000) return pm_arena_printf(arena, "%.1f MB", (double)bytes / 1e6);
    return pm_arena_printf(arena, "%.2f GB", (double)bytes / 1e9);
}

const char *pm_words_count(struct pm_arena *arena, uint64_t value) {
    char digits[32], out[48];
    int length = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value), k = 0;
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0) out[k++] = ',';
        out[k++] = digits[i];
    }
    out[k] = 0;
    return pm_arena_strdup(arena, out);
}

const char *pm_words_place(struct pm_arena *arena, const struct pm_position *place) {
    if (!place->file) return "";
    if (!place->line) return pm_arena_printf(arena, " (%s)", place->file);
    if (place->column > PM_LONG_LINE)
        return pm_arena_printf(arena, " (%s:%u:%u)", place->file, place->line, place->column);
    return pm_arena_printf(arena, " (%s:%u)", place->file, place->line);
}

const char *pm_words_objects(struct pm_arena *arena, uint64_t count, const char *class_name) {
    return pm_arena_printf(arena, "%s %s object%s", pm_words_count(arena, count), class_name,
                           count == 1 ? "" : "s");
}

const char *pm_words_package(struct pm_arena *arena, const char *file) {
    static const char folder[] = "/node_modules/";
    const char *last = NULL;
    for (const char *at = file; at && (at = strstr(at, folder)); at += sizeof(folder) - 1) last = at;
    if (!last) return NULL;
    const char *name = last + sizeof(folder) - 1;
    size_t length = strcspn(name, "/");
    if (*name == '@' && name[length]) length += 1 + strcspn(name + length + 1, "/");
    const char *package = pm_arena_copy(arena, name, length);
    /* pnpm: node_modules/.pnpm/lru-cache@6.0.0/node_modules/lru-cache, @scope+name@1.0.0_peer@2 */
    const char *store = package ? strstr(file, "/.pnpm/") : NULL;
    const char *at = store ? strchr(store + 7 + (store[7] == '@'), '@') : NULL;
    if (!at || at > last) return package;
    return pm_arena_printf(arena, "%s@%.*s", package, (int)strcspn(at + 1, "/_("), at + 1);
}
