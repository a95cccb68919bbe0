/* objects: the instances of one class, those that retain most first. */
#include <string.h>
#include <strings.h>

#include "postmortem/base/escape.h"
#include "postmortem/commands.h"
#include "postmortem/options.h"
#include "postmortem/report/writer.h"

#define USUAL_ROWS   20
#define MOST_SUMMARY 100

/* The largest instances: a heap, the smallest on top, so that it can give way. */
struct largest {
    const uint64_t *retained;
    pm_node *nodes;
    size_t count, most;
};

static bool is_larger(const struct largest *largest, pm_node a, pm_node b) {
    if (largest->retained[a] != largest->retained[b]) return largest->retained[a] > largest->retained[b];
    return a < b;
}

static void sift_down(struct largest *largest, size_t at) {
    pm_node *nodes = largest->nodes;
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < largest->count; child++)
            if (is_larger(largest, nodes[least], nodes[child])) least = child;
        if (least == at) return;
        pm_node node = nodes[at];
        nodes[at] = nodes[least];
        nodes[least] = node;
        at = least;
    }
}

static void keep(struct largest *largest, pm_node node) {
    if (largest->count < largest->most) {
        pm_node *nodes = largest->nodes;
        size_t at = largest->count++;
        for (; at && is_larger(largest, nodes[(at - 1) / 2], node); at = (at - 1) / 2)
            nodes[at] = nodes[(at - 1) / 2];
        nodes[at] = node;
    } else if (largest->count && is_larger(largest, node, largest->nodes[0])) {
        largest->nodes[0] = node;
        sift_down(largest, 0);
    }
}

/* Marks the classes that the name means: as it is spelled, else whatever the case. NULL in `spelled`: none.
 */
static void find_classes(const struct pm_graph *graph, const char *name, bool *wanted, const char **spelled) {
    *spelled = NULL;
    for (unsigned pass = 0; pass < 2 && !*spelled; pass++)
        for (size_t i = 0; i < graph->class_count; i++)
            if ((pass ? strcasecmp : strcmp)(graph->classes[i], name) == 0) {
                wanted[i] = true;
                if (!*spelled) *spelled = graph->classes[i];
            }
}

static struct pm_error *no_such_class(const struct pm_session *session, const char *name) {
    const struct pm_graph *graph = session->graph;
    const char *near = NULL;
    size_t least = 4;
    PM_AUTO_STRBUF struct pm_strbuf shown = {0}, other = {0};
    for (size_t i = 0; i < graph->class_count; i++) {
        size_t edits = pm_word_distance(name, graph->classes[i]);
        bool part = strlen(name) >= 3 && strcasestr(graph->classes[i], name) != NULL;
        if (part && least > 3) near = graph->classes[i], least = 3;
        if (edits < least) near = graph->classes[i], least = edits;
    }
    pm_escape_terminal(&shown, name, strlen(name));
    if (near) pm_escape_terminal(&other, near, strlen(near));
    return pm_error_hint(pm_error_create(PM_ERR_NOT_FOUND, "%s: no object of class '%s'%s%s%s",
                                         session->files[0].input->path, pm_strbuf_text(&shown),
                                         near ? "; did you mean '" : "", pm_strbuf_text(&other),
                                         near ? "'?" : ""),
                         "The command histogram lists the classes as they are spelled.");
}

static struct pm_error *fill_rows(const struct pm_session *session, struct largest *largest,
                                  struct pm_object_list *list) {
    const struct pm_graph *graph = session->graph;
    struct pm_arena *arena = session->diagnosis->arena;
    size_t count = largest->count;
    list->rows = pm_arena_array(arena, count ? count : 1, sizeof(*list->rows));
    if (!list->rows) return pm_error_nomem();
    list->row_count = count;
    while (largest->count) { /* the smallest comes first */
        pm_node node = largest->nodes[0];
        largest->nodes[0] = largest->nodes[--largest->count];
        sift_down(largest, 0);
        PM_AUTO_STRBUF struct pm_strbuf text = {0};
        pm_object_label(graph, node, MOST_SUMMARY, &text);
        list->rows[largest->count] = (struct pm_object_row){
            .address = graph->source->identity(graph->source_self, node),
            .size = pm_graph_shallow(graph, node),
            .retained = session->dominators->retained[node],
            .summary = text.length ? pm_arena_copy(arena, text.bytes, text.length) : NULL,
        };
    }
    return NULL;
}

static struct pm_error *run(struct pm_session *session) {
    const struct pm_options *options = session->options;
    struct pm_diagnosis *diagnosis = session->diagnosis;
    PM_TRY(pm_session_need_graph(session));
    const struct pm_graph *graph = session->graph;
    const char *spelled;
    bool *wanted PM_AUTO_FREE = calloc(graph->class_count + 1, sizeof(*wanted));
    if (!wanted) return pm_error_nomem();
    find_classes(graph, options->class_name, wanted, &spelled);
    struct pm_object_list *list = pm_arena_alloc(diagnosis->arena, sizeof(*list));
    if (!list) return pm_error_nomem();
    for (pm_node node = 1; node < graph->node_count; node++) {
        if (!wanted[graph->class_of[node]]) continue;
        list->count++;
        list->bytes += pm_graph_shallow(graph, node);
    }
    if (!list->count) return no_such_class(session, options->class_name);
    size_t most = options->limit ? options->limit : USUAL_ROWS;
    if (most > list->count) most = (size_t)list->count;
    pm_node *nodes PM_AUTO_FREE = calloc(most, sizeof(*nodes));
    if (!nodes) return pm_error_nomem();
    struct largest largest = {.retained = session->dominators->retained, .nodes = nodes, .most = most};
    for (pm_node node = 1; node < graph->node_count; node++)
        if (wanted[graph->class_of[node]]) keep(&largest, node);
    list->class_name = pm_arena_strdup(diagnosis->arena, spelled);
    diagnosis->object_list = list;
    return fill_rows(session, &largest, list);
}

const struct pm_command pm_command_objects = {
    .name = "objects",
    .arguments = "FILE --class NAME",
    .summary = "the instances of a class, those that retain most first",
    .details =
        "The class is a name of the command histogram: UserSession, Map, (closure), (string). Objects that "
        "nothing refers to any more are among them; they retain nothing.",
    .examples = (const char *const[]){"objects core.4711 --class UserSession --limit 50",
                                      "objects app.heapsnapshot --class Map", NULL},
    .least_files = 1,
    .most_files = 1,
    .open = PM_OPEN_CORE | PM_OPEN_V8,
    .sections = PM_SHOW_OBJECT_LIST,
    .run = run,
};
