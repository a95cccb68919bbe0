#include "postmortem/report/short_paths.h"

#include <ctype.h>
#include <string.h>

#include "postmortem/report/stack_words.h"

#define LEAST_LENGTH 20 /* "/app/" is no burden */

/* How much of `file` is the folder of its application: up to node_modules, else up to the last slash. */
static size_t folder_length(const char *file) {
    const char *packages = strstr(file, "/node_modules/"), *slash = strrchr(file, '/');
    if (packages) return (size_t)(packages - file) + 1;
    return slash ? (size_t)(slash - file) + 1 : 0;
}

/* Narrows the folder found so far; false: nothing in common. */
static bool narrow(const char **folder, size_t *length, const char *file) {
    if (!file || file[0] != '/') return true; /* node:, file:, evalmachine: not shortened */
    size_t own = folder_length(file), same = 0, slash = 0;
    if (!*folder) {
        *folder = file;
        *length = own;
        return own > 0;
    }
    while (same < own && same < *length && (*folder)[same] == file[same]) {
        if (file[same] == '/') slash = same + 1;
        same++;
    }
    *length = slash;
    return slash >= LEAST_LENGTH;
}

static bool narrow_all(const struct pm_diagnosis *diagnosis, const char **folder, size_t *length) {
    for (size_t i = 0; i < diagnosis->finding_count; i++) {
        const struct pm_finding *finding = &diagnosis->findings[i];
        if (!narrow(folder, length, finding->owner.file)) return false;
        for (size_t k = 0; k < finding->position_count; k++)
            if (!narrow(folder, length, finding->positions[k].position.file)) return false;
    }
    const struct pm_thread *thread = pm_first_thread(diagnosis);
    for (size_t i = 0; thread && i < thread->frame_count; i++)
        if (pm_frame_is_user(&thread->frames[i]) && !narrow(folder, length, thread->frames[i].position.file))
            return false;
    return *folder != NULL;
}

/* "/srv/shop/src/" is better known as "/srv/shop/": src then stands in the paths. */
static size_t without_source_folder(const char *folder, size_t length) {
    static const char *const names[] = {"/src/", "/lib/", "/dist/", "/build/", "/bin/"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t size = strlen(names[i]);
        if (length > size && !memcmp(folder + length - size, names[i], size)) return length - size + 1;
    }
    return length;
}

char *pm_common_folder(const struct pm_diagnosis *diagnosis) {
    const char *folder = NULL;
    size_t length = 0;
    if (!narrow_all(diagnosis, &folder, &length)) return NULL;
    length = without_source_folder(folder, length);
    return length >= LEAST_LENGTH ? strndup(folder, length) : NULL;
}

void pm_shorten_paths(struct pm_strbuf *out, const char *folder, const char *text) {
    size_t length = folder ? strlen(folder) : 0;
    const char *rest = text, *found;
    while (length && (found = strstr(rest, folder))) {
        /* only where a path begins, and something is left of it */
        bool begins = found == text || !(isalnum((unsigned char)found[-1]) || strchr("/._-", found[-1]));
        bool goes_on = found[length] && !strchr(" \t\n\"'`)", found[length]);
        pm_strbuf_append_bytes(out, rest, (size_t)(found - rest) + (begins && goes_on ? 0 : length));
        rest = found + length;
    }
    pm_strbuf_append(out, rest);
}
