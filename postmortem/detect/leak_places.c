/* Where the leaked objects are made, and where they are added: from the program's own text. */
#include <stdlib.h>
#include <string.h>

#include "postmortem/base/vec.h"
#include "postmortem/detect/leak_case.h"

/* A closure of each file of the user's. */
static void find_files(const struct pm_case *leak, struct pm_files *ret) {
    const struct pm_graph *graph = leak->view->graph;
    unsigned asked = 0;
    for (pm_node node = 1; node < graph->node_count && asked < PM_CLOSURE_LIMIT && ret->count < PM_MAX_FILES;
         node++) {
        if (graph->kinds[node] != PM_NODE_CLOSURE || !pm_view_reachable(leak->view, node)) continue;
        if (pm_is_bound(leak->view, node)) continue;
        asked++;
        struct pm_position position = pm_view_position(leak->view, leak->arena, node, NULL);
        if (pm_place_of(position.file) != PM_PLACE_USER) continue;
        size_t i = 0;
        while (i < ret->count && strcmp(ret->items[i].file, position.file) != 0) i++;
        if (i < ret->count) continue;
        ret->items[ret->count].file = position.file;
        ret->items[ret->count++].closure = node;
    }
}

static bool find_use(const struct pm_case *leak, pm_node closure, enum pm_graph_use what, const char *name,
                     const char **function_ret, struct pm_position *ret) {
    const struct pm_graph_source *source = leak->view->graph->source;
    struct pm_graph_position position = {0};
    char *function = NULL;
    uint64_t count = 0;
    if (!source->use || closure == PM_NO_NODE ||
        !source->use(leak->view->graph->source_self, closure, what, name, &count, &function, &position))
        return false;
    *function_ret = function ? pm_arena_strdup(leak->arena, function) : NULL;
    *ret = (struct pm_position){pm_arena_strdup(leak->arena, position.file), position.line, position.column};
    free(function);
    free(position.file);
    return ret->file != NULL;
}

/* The closure in whose text the chosen name stands. */
static pm_node closure_of_link(const struct pm_case *leak, const struct pm_link *link) {
    const struct pm_heap_view *view = leak->view;
    switch (pm_view_kind(view, link->from)) {
    case PM_NODE_CONTEXT: return pm_closure_of_context(view, link->from);
    case PM_NODE_CLOSURE: return link->from;
    default: break;
    }
    const struct pm_graph_source *source = view->graph->source;
    return source->constructor ? source->constructor(view->graph->source_self, link->from) : PM_NO_NODE;
}

static void find_maker(struct pm_case *leak, const struct pm_files *files) {
    const char *function;
    struct pm_position position;
    if (!leak->main_class || pm_is_plain_class(leak->main_class)) return;
    for (size_t i = 0; i < files->count; i++)
        if (find_use(leak, files->items[i].closure, PM_GRAPH_MAKES, leak->main_class, &function, &position)) {
            pm_case_position(leak, "creator", function, position);
            return;
        }
    /* else the class itself */
    const struct pm_graph *graph = leak->view->graph;
    for (size_t i = 0; i < leak->suspect->member_count; i++) {
        pm_node member = leak->suspect->members[i];
        if (strcmp(pm_view_class(leak->view, member), leak->main_class) != 0 || !graph->source->constructor)
            continue;
        pm_node maker = graph->source->constructor(graph->source_self, member);
        if (maker == PM_NO_NODE) return;
        pm_case_position(leak, "creator", leak->main_class,
                         pm_view_position(leak->view, leak->arena, maker, NULL));
        return;
    }
}

/* In the text that declares the name; else in the one other file that adds to such a name. */
static void find_adder(struct pm_case *leak, const struct pm_files *files) {
    const struct pm_link *link = pm_owner_link(&leak->owner);
    const char *function = NULL;
    struct pm_position position = {0};
    if (!link || !link->name || leak->no_adder) return;
    bool found =
        find_use(leak, closure_of_link(leak, link), PM_GRAPH_ADDS, link->name, &function, &position) &&
        pm_place_of(position.file) == PM_PLACE_USER;
    unsigned others = 0;
    for (size_t i = 0; i < files->count && !found && others < 2; i++)
        others += find_use(leak, files->items[i].closure, PM_GRAPH_ADDS, link->name,
                           others ? &(const char *){NULL} : &function,
                           others ? &(struct pm_position){0} : &position);
    if (found || others == 1) pm_case_position(leak, "adder", function, position);
}

/* A property of the global object is set anywhere. */
static void find_global(struct pm_case *leak, const struct pm_files *files) {
    const struct pm_link *link = pm_owner_link(&leak->owner);
    const struct pm_graph_source *source = leak->view->graph->source;
    if (!link || !link->is_global || link->position.file || !source->declaration) return;
    for (size_t i = 0; i < files->count; i++) {
        struct pm_graph_position place = {0};
        if (!source->declaration(leak->view->graph->source_self, files->items[i].closure, link->name, true,
                                 &place))
            continue;
        leak->name = link->name;
        leak->position =
            (struct pm_position){pm_arena_strdup(leak->arena, place.file), place.line, place.column};
        leak->owner.links[leak->owner.chosen].position = leak->position;
        pm_case_position(leak, "holder", leak->name, leak->position);
        free(place.file);
        return;
    }
}

void pm_case_find_makers(struct pm_case *leak) {
    struct pm_files *files = leak->files;
    if (!files->searched) find_files(leak, files);
    files->searched = true;
    find_global(leak, files);
    find_maker(leak, files);
    find_adder(leak, files);
}
