#include "postmortem/heap_groups.h"

#include <stdlib.h>
#include <string.h>

#include "postmortem/base/big_array.h"
#include "postmortem/base/vec.h"
#include "postmortem/model/profile.h"
#include "postmortem/options.h"

#define NONE 0 /* the first group: no script is known */

/* Names of groups by number: a small hash table with open addressing. */
struct groups {
    const struct pm_session *session;
    struct pm_arena *names;
    PM_VEC(const char *) list;
    uint32_t *slots; /* number + 1; a power of two */
    size_t slot_count;
    uint32_t *of_node; /* of nodes and, while it is made, of shapes: number + 1 of what their objects are */
    uint32_t *of_shape;
};

static uint64_t hash_text(const char *text) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *text; text++) hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return hash ^ hash >> 29;
}

static void put_slot(struct groups *groups, uint32_t number) {
    size_t at = hash_text(groups->list.items[number]) & (groups->slot_count - 1);
    while (groups->slots[at]) at = (at + 1) & (groups->slot_count - 1);
    groups->slots[at] = number + 1;
}

static bool grow_slots(struct groups *groups) {
    size_t count = groups->slot_count ? groups->slot_count * 2 : 64;
    uint32_t *slots = calloc(count, sizeof(*slots));
    if (!slots) return false;
    free(groups->slots);
    groups->slots = slots;
    groups->slot_count = count;
    for (uint32_t i = 0; i < groups->list.count; i++) put_slot(groups, i);
    return true;
}

/* The number of a name; UINT32_MAX without memory. */
static uint32_t number_of(struct groups *groups, const char *name) {
    if (2 * groups->list.count >= groups->slot_count && !grow_slots(groups)) return UINT32_MAX;
    for (size_t at = hash_text(name) & (groups->slot_count - 1); groups->slots[at];
         at = (at + 1) & (groups->slot_count - 1))
        if (!strcmp(groups->list.items[groups->slots[at] - 1], name)) return groups->slots[at] - 1;
    const char *copy = pm_arena_strdup(groups->names, name);
    if (!copy || !pm_vec_push(&groups->list, copy)) return UINT32_MAX;
    put_slot(groups, (uint32_t)groups->list.count - 1);
    return (uint32_t)groups->list.count - 1;
}

/* The group of what a function defines or makes; UINT32_MAX without memory. */
static uint32_t group_of_function(struct groups *groups, pm_node function) {
    const struct pm_graph *graph = groups->session->graph;
    struct pm_graph_position position = {0};
    char *name PM_AUTO_FREE = NULL;
    if (function == PM_NO_NODE || !graph->source->position ||
        !graph->source->position(graph->source_self, function, &name, &position))
        return NONE;
    char *file PM_AUTO_FREE = position.file;
    if (!file || !*file) return NONE;
    if (groups->session->options->by == PM_BY_SCRIPT) return number_of(groups, file);
    const char *start;
    size_t length = pm_package_of(file, &start);
    char *package PM_AUTO_FREE = strndup(start, length);
    return package ? number_of(groups, package) : UINT32_MAX;
}

/* Objects with the same shape were made by the same function. */
static pm_node shape_of(const struct pm_graph *graph, pm_node node) {
    for (uint64_t edge = graph->first_edge[node];
         edge < graph->first_edge[node + 1] && edge < graph->first_edge[node] + 8; edge++)
        if (graph->kinds[graph->edges[edge]] == PM_NODE_SHAPE) return graph->edges[edge];
    return PM_NO_NODE;
}

static bool has_constructor(enum pm_node_kind kind) {
    switch (kind) {
    case PM_NODE_OTHER:
    case PM_NODE_ROOT:
    case PM_NODE_CONTEXT:
    case PM_NODE_NATIVE_CONTEXT:
    case PM_NODE_STRING:
    case PM_NODE_CONS_STRING:
    case PM_NODE_SLICED_STRING:
    case PM_NODE_NUMBER:
    case PM_NODE_BIGINT:
    case PM_NODE_SYMBOL:
    case PM_NODE_STORE:
    case PM_NODE_SHAPE:
    case PM_NODE_NATIVE:
    case PM_NODE_CODE: return false;
    default: return true;
    }
}

static uint32_t group_of_object(struct groups *groups, pm_node node) {
    const struct pm_graph *graph = groups->session->graph;
    enum pm_node_kind kind = (enum pm_node_kind)graph->kinds[node];
    if (kind == PM_NODE_CLOSURE || kind == PM_NODE_CODE) return group_of_function(groups, node);
    if (!has_constructor(kind) || !graph->source->constructor) return NONE;
    pm_node shape = shape_of(graph, node);
    if (shape != PM_NO_NODE && groups->of_shape[shape]) return groups->of_shape[shape] - 1;
    uint32_t group = group_of_function(groups, graph->source->constructor(graph->source_self, node));
    if (shape != PM_NO_NODE && group != UINT32_MAX) groups->of_shape[shape] = group + 1;
    return group;
}

static uint32_t group_of_space(struct groups *groups, pm_node node) {
    const struct pm_graph *graph = groups->session->graph;
    const struct v8_page *page =
        v8_page_of(groups->session->v8, graph->source->identity(graph->source_self, node));
    return page ? number_of(groups, v8_space_name((enum v8_space_id)page->space)) : NONE;
}

static struct pm_error *group_all(struct groups *groups, struct pm_isolate *isolate) {
    const struct pm_session *session = groups->session;
    const struct pm_graph *graph = session->graph;
    struct pm_heap_tree tree;
    bool by_space = session->options->by == PM_BY_SPACE;
    groups->of_node = PM_BIG_ARRAY(uint32_t, graph->node_count);
    groups->of_shape = PM_BIG_ARRAY(uint32_t, graph->node_count);
    groups->names = pm_arena_create();
    if (!groups->of_node || !groups->of_shape || !groups->names || number_of(groups, "(none)") != NONE)
        return pm_error_nomem();
    for (pm_node node = 1; node < graph->node_count; node++) {
        groups->of_node[node] = by_space ? group_of_space(groups, node) : group_of_object(groups, node);
        if (groups->of_node[node] == UINT32_MAX) return pm_error_nomem();
    }
    if (!pm_session_tree(session, &tree)) return NULL;
    return pm_group_rows(&tree, groups->of_node, groups->list.items, groups->list.count,
                         session->diagnosis->arena, &isolate->groups, &isolate->group_count);
}

struct pm_error *pm_heap_group(struct pm_session *session) {
    static const char *const words[] = {"constructor", "package", "script", "space"};
    struct pm_diagnosis *diagnosis = session->diagnosis;
    enum pm_by by = session->options->by;
    if (session->graph_isolate >= diagnosis->isolate_count) return NULL;
    if (by == PM_BY_SPACE && !session->v8)
        return pm_error_hint(pm_error_create(PM_ERR_UNSUPPORTED,
                                             "%s: a heap snapshot does not say where objects lie",
                                             session->files[0].input->path),
                             "--by space reads cores; --by constructor, package and script read both.");
    struct groups groups = {.session = session};
    struct pm_isolate *isolate = &diagnosis->isolates[session->graph_isolate];
    pm_session_say(session, "grouping the objects");
    struct pm_error *err = group_all(&groups, isolate);
    if (!err) isolate->grouped_by = words[by];
    pm_arena_destroy(groups.names);
    pm_vec_deinit(&groups.list);
    free(groups.slots);
    free(groups.of_node);
    free(groups.of_shape);
    return err;
}
