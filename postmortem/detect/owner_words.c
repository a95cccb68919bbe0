/* An owner in words: the whole way, and the part of it that goes into the claim. */
#include <stdlib.h>
#include <string.h>

#include "postmortem/detect/detect_words.h"
#include "postmortem/detect/owner.h"

const char *pm_owner_path(const struct pm_heap_view *view, struct pm_arena *arena,
                          const struct pm_owner *owner, pm_node node) {
    const char *path = "";
    for (size_t i = owner->link_count; i > 0 && path; i--) {
        const struct pm_link *link = &owner->links[i - 1];
        bool last_was_object =
            i < owner->link_count && !link->is_variable && link->class_name && link->class_name[0] != '(';
        const char *of =
            last_was_object || (i == owner->link_count && link->kind == PM_EDGE_PROPERTY && !link->is_global)
                ? pm_arena_printf(arena, "%s%s", link->class_name ? link->class_name : "",
                                  link->name && link->kind == PM_EDGE_PROPERTY ? "." : " ")
                : "";
        const char *name = link->name ? link->name : link->kind == PM_EDGE_ELEMENT ? "[element]" : "";
        const char *kind = link->is_global ? " (global)" : link->is_variable ? " (variable)" : "";
        if (link->position.file && link->exact)
            kind =
                pm_arena_printf(arena, link->position.column > PM_LONG_LINE ? " (%s%s:%u:%u)" : " (%s%s:%u)",
                                link->is_global     ? "global, "
                                : link->is_variable ? "variable, "
                                                    : "",
                                link->position.file, link->position.line, link->position.column);
        if (!*name && !*of) continue;
        path = pm_arena_printf(arena, "%s%s%s%s -> ", path, of, name, kind);
    }
    return path ? pm_arena_printf(arena, "%s%s", path, pm_view_class(view, node)) : NULL;
}

/* How the program writes the step: ".list", "[...]". */
static const char *step_text(struct pm_arena *arena, const struct pm_link *link) {
    if (link->kind == PM_EDGE_ELEMENT || !link->name || strncmp(link->name, "entry ", 6) == 0)
        return link->kind == PM_EDGE_ELEMENT || link->name ? "[...]" : "";
    if (link->kind != PM_EDGE_PROPERTY) return "";
    if (strncmp(link->name, "<symbol ", 8) == 0)
        return pm_arena_printf(arena, "[%.*s]", (int)strcspn(link->name + 8, ">"), link->name + 8);
    return pm_arena_printf(arena, ".%s", link->name);
}

#define MOST_STEPS 3 /* names behind the first one */

const char *pm_owner_expression(struct pm_arena *arena, const struct pm_owner *owner) {
    const char *steps[PM_MAX_LINKS];
    size_t count = 0;
    for (size_t i = owner->chosen; i > 0; i--) {
        const char *text = step_text(arena, &owner->links[i - 1]);
        if (text && *text && !(count && strcmp(text, "[...]") == 0 && strcmp(steps[count - 1], text) == 0))
            steps[count++] = text;
    }
    const char *words = owner->links[owner->chosen].name;
    for (size_t i = 0; i < count && words; i++) {
        bool left_out = count > MOST_STEPS && i > 0 && i + 1 < count;
        bool behind = count > MOST_STEPS && i + 1 == count && steps[i][0] == '.';
        if (!left_out)
            words = pm_arena_printf(arena, "%s%s", words, steps[i] + behind);
        else if (i == 1)
            words = pm_arena_printf(arena, "%s\xe2\x80\xa6", words); /* an ellipsis */
    }
    return words;
}

/* "AuditTrail", "function `quote`", "class Template", "an object" */
const char *pm_owner_of(const struct pm_heap_view *view, struct pm_arena *arena, const struct pm_link *link) {
    if (!link->of_function)
        return !link->class_name || strcmp(link->class_name, "Object") == 0 ? "an object" : link->class_name;
    const char *function = NULL;
    (void)pm_view_position(view, arena, link->from, &function);
    bool is_class = strncmp(pm_view_describe(view, arena, link->from, 60), "class", 5) == 0;
    if (!function || !*function) return is_class ? "a class" : "a function";
    return pm_arena_printf(arena, is_class ? "class %s" : "function `%s`", function);
}

bool pm_owner_is_export(const struct pm_owner *owner, size_t index) {
    return index + 1 < owner->link_count && owner->links[index + 1].is_module &&
           owner->links[index].kind == PM_EDGE_PROPERTY;
}

/* The version in the package.json of a package's own directory, when the program has loaded it as a module
 * (require('./package.json')); NULL = nobody did. */
static const char *version_of(const struct pm_heap_view *view, struct pm_arena *arena, const char *file,
                              const char *package) {
    static const char folder[] = "/node_modules/";
    const struct pm_graph *graph = view->graph;
    const char *last = NULL;
    for (const char *at = file; (at = strstr(at, folder)); at += sizeof(folder) - 1) last = at;
    if (!last || !graph->source->property) return NULL;
    const char *path =
        pm_arena_printf(arena, "%.*s%s%s/package.json", (int)(last - file), file, folder, package);
    for (pm_node node = 1; path && node < graph->node_count; node++) {
        if (graph->kinds[node] != PM_NODE_OBJECT || strcmp(pm_view_class(view, node), "Module") != 0)
            continue;
        const char *its = pm_view_text_of(view, arena, node, "filename");
        if (!its || strcmp(its, path) != 0) continue;
        pm_node exports = graph->source->property(graph->source_self, node, "exports");
        const char *name = exports == PM_NO_NODE ? NULL : pm_view_text_of(view, arena, exports, "name");
        return name && strcmp(name, package) == 0 ? pm_view_text_of(view, arena, exports, "version") : NULL;
    }
    return NULL;
}

/* The packages on the way, outermost first: "pg@8.11.0, pg-pool". */
const char *pm_owner_packages(const struct pm_heap_view *view, struct pm_arena *arena,
                              const struct pm_owner *owner) {
    const char *words = NULL, *seen[4];
    size_t count = 0;
    for (size_t i = owner->link_count; i > 0 && count < sizeof(seen) / sizeof(seen[0]); i--) {
        const char *package = pm_words_package(arena, owner->links[i - 1].position.file);
        bool known = !package;
        for (size_t k = 0; k < count && !known; k++) known = strcmp(seen[k], package) == 0;
        if (known) continue;
        seen[count++] = package;
        const char *version = strchr(package + 1, '@')
                                  ? NULL
                                  : version_of(view, arena, owner->links[i - 1].position.file, package);
        if (version) package = pm_arena_printf(arena, "%s@%s", package, version);
        words = words ? pm_arena_printf(arena, "%s, %s", words, package) : package;
    }
    return words;
}
