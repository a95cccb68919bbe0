/* retainers: why an object is still there: the shortest way from a root, the direct referrers, the owner. */
#include <inttypes.h>
#include <string.h>

#include "postmortem/base/vec.h"
#include "postmortem/commands.h"
#include "postmortem/detect/owner.h"
#include "postmortem/model/heap_answers.h"
#include "postmortem/options.h"
#include "postmortem/report/writer.h"

#define USUAL_REFERRERS 10
#define ALL_REFERRERS   1000
#define MOST_LABEL      100

struct search {
    struct pm_session *session;
    const struct pm_graph *graph;
    struct pm_arena *arena;
    pm_node node;
    struct pm_retention *ret;
};

static struct pm_retainer retainer_of(const struct search *search, pm_node node) {
    const struct pm_graph *graph = search->graph;
    PM_AUTO_STRBUF struct pm_strbuf text = {0};
    if (node == 0)
        return (struct pm_retainer){.class_name = "(roots)", .label = "(roots)", .retained = PM_UNKNOWN};
    pm_object_label(graph, node, MOST_LABEL, &text);
    return (struct pm_retainer){
        .object = graph->source->identity(graph->source_self, node),
        .class_name = pm_arena_strdup(search->arena, graph->classes[graph->class_of[node]]),
        .label = pm_arena_copy(search->arena, pm_strbuf_text(&text), text.length),
        .retained = search->session->dominators->retained[node],
    };
}

static const char *words_of(const struct search *search, pm_node owner, pm_node from, uint64_t edge) {
    PM_AUTO_STRBUF struct pm_strbuf text = {0};
    pm_edge_words(search->graph, owner, from, edge, &text);
    return pm_arena_copy(search->arena, pm_strbuf_text(&text), text.length);
}

/* ---- the shortest way ---- */

static void place(const struct search *search, const struct pm_graph_position *from,
                  struct pm_position *ret) {
    *ret = (struct pm_position){pm_arena_strdup(search->arena, from->file), from->line, from->column};
    free(from->file);
}

/* Where a closure of the way is defined; where a variable is declared, when the closure that sees it comes
 * before its scope. */
static void add_position(const struct search *search, const struct pm_path_step *steps, size_t at,
                         struct pm_retainer *retainer) {
    const struct pm_graph_source *source = search->graph->source;
    void *self = search->graph->source_self;
    pm_node node = steps[at].node, before = at ? steps[at - 1].node : PM_NO_NODE;
    struct pm_graph_position found = {0};
    char *function PM_AUTO_FREE = NULL;
    if (search->graph->kinds[node] == PM_NODE_CONTEXT && before != PM_NO_NODE &&
        search->graph->kinds[before] == PM_NODE_CLOSURE && source->declaration && retainer->name) {
        if (source->declaration(self, before, retainer->name, false, &found))
            place(search, &found, &retainer->position);
    } else if (search->graph->kinds[node] == PM_NODE_CLOSURE && source->position) {
        if (source->position(self, node, &function, &found)) place(search, &found, &retainer->position);
    }
}

static bool is_plumbing(const struct pm_graph *graph, pm_node node) {
    switch ((enum pm_node_kind)graph->kinds[node]) {
    case PM_NODE_STORE:
    case PM_NODE_CONTEXT:
    case PM_NODE_CODE:
    case PM_NODE_SHAPE:
    case PM_NODE_NATIVE_CONTEXT:
    case PM_NODE_ROOT:
    case PM_NODE_NATIVE: return true;
    default: return false;
    }
}

static void put_position(struct pm_strbuf *out, const struct pm_position *position) {
    if (position->file && position->line)
        pm_strbuf_appendf(out, " (%s:%" PRIu32 ")", position->file, position->line);
}

/* "function handle (server.js:31)" with the whole path. */
static void put_function(const struct pm_retainer *retainer, struct pm_strbuf *out) {
    const char *brace = retainer->position.line ? strstr(retainer->label, " (") : NULL;
    pm_strbuf_append_bytes(out, retainer->label,
                           brace ? (size_t)(brace - retainer->label) : strlen(retainer->label));
    put_position(out, &retainer->position);
}

/* One reference of the way, as a person would say it: what stands inside V8 only is left out. */
static void put_link(const struct search *search, const struct pm_path_step *steps, size_t at,
                     const struct pm_retainer *retainer, struct pm_strbuf *out) {
    const struct pm_graph *graph = search->graph;
    pm_node from = steps[at].node, to = steps[at + 1].node;
    uint64_t edge = steps[at + 1].edge;
    struct pm_edge_name name = {0};
    size_t before = out->length;
    bool group =
        graph->kinds[to] == PM_NODE_ROOT; /* V8's snapshots put groups between the root and objects */
    if (group || (from && graph->kinds[from] == PM_NODE_ROOT)) {
        if (!group) pm_strbuf_append(out, retainer->label);
    } else if (from == 0) {
        pm_strbuf_append(out, retainer->name);
    } else if (at >= 1 && graph->kinds[from] == PM_NODE_STORE && steps[at - 1].node != 0 &&
               graph->source->store_edge_name &&
               graph->source->store_edge_name(graph->source_self, steps[at - 1].node, from, edge, &name)) {
        const char *owner = graph->classes[graph->class_of[steps[at - 1].node]];
        bool collection = name.kind != PM_EDGE_PROPERTY && name.kind != PM_EDGE_ELEMENT;
        pm_strbuf_appendf(out,
                          name.kind == PM_EDGE_PROPERTY ? "%s.%s"
                          : collection                  ? "%s %s"
                                                        : "%s%s",
                          owner, retainer->name);
    } else {
        pm_strbuf_deinit(&name.text);
        name = (struct pm_edge_name){0};
        graph->source->edge_name(graph->source_self, from, edge, &name);
        const char *class_name = graph->classes[graph->class_of[from]];
        if (name.kind == PM_EDGE_CONTEXT)
            pm_strbuf_append(out, retainer->name), put_position(out, &retainer->position);
        else if (name.kind == PM_EDGE_PROPERTY)
            pm_strbuf_appendf(out, "%s.%s", class_name, retainer->name);
        else if (name.kind == PM_EDGE_ELEMENT)
            pm_strbuf_appendf(out, "%s%s", class_name, retainer->name);
        else if (graph->kinds[from] == PM_NODE_CLOSURE && is_plumbing(graph, to))
            put_function(retainer, out);
        else if (!is_plumbing(graph, from) && !is_plumbing(graph, to))
            pm_strbuf_appendf(out, "%s %s", class_name, retainer->name);
    }
    if (out->length > before) pm_strbuf_append(out, " -> ");
    pm_strbuf_deinit(&name.text);
}

static struct pm_error *fill_path(struct search *search) {
    struct pm_retention *ret = search->ret;
    struct pm_path_step *steps PM_AUTO_FREE = NULL;
    struct pm_paths *paths PM_AUTO(paths) = NULL;
    PM_AUTO_STRBUF struct pm_strbuf text = {0};
    size_t count = 0;
    PM_TRY(pm_paths_create(search->graph, &paths));
    PM_TRY(pm_paths_to(paths, search->node, &steps, &count));
    ret->step_count = count - 1;
    ret->steps = pm_arena_array(search->arena, count, sizeof(*ret->steps));
    if (!ret->steps) return pm_error_nomem();
    for (size_t i = 0; i + 1 < count; i++) {
        pm_node owner = i ? steps[i - 1].node : PM_NO_NODE;
        ret->steps[i] = retainer_of(search, steps[i].node);
        ret->steps[i].name = words_of(search, owner ? owner : PM_NO_NODE, steps[i].node, steps[i + 1].edge);
        if (!ret->steps[i].label || !ret->steps[i].name) return pm_error_nomem();
        add_position(search, steps, i, &ret->steps[i]);
        put_link(search, steps, i, &ret->steps[i], &text);
    }
    pm_strbuf_append(&text, ret->class_name);
    ret->path = pm_arena_copy(search->arena, pm_strbuf_text(&text), text.length);
    return ret->path ? NULL : pm_error_nomem();
}

/* ---- direct referrers ---- */

struct weak_search {
    const struct search *search;
    pm_node from;
    PM_VEC(pm_node) found;
    bool failed;
};

static void visit_weak(void *context, pm_node to) {
    struct weak_search *weak = context;
    if (to != weak->search->node) return;
    if (weak->found.count && weak->found.items[weak->found.count - 1] == weak->from) return;
    weak->failed |= !pm_vec_push(&weak->found, weak->from);
}

static int by_retained(const void *left, const void *right, void *context) {
    const struct pm_path_step *a = left, *b = right;
    const struct pm_dominators *dominators = context;
    uint64_t x = dominators->retained[a->node], y = dominators->retained[b->node];
    if ((a->node == 0) != (b->node == 0)) return a->node ? 1 : -1;
    if (x != y) return x > y ? -1 : 1;
    return a->edge < b->edge ? -1 : a->edge > b->edge;
}

/* The object that a store belongs to, so that its references have their names. */
static pm_node owner_of(const struct search *search, pm_node from) {
    return from && search->graph->kinds[from] == PM_NODE_STORE ? search->session->dominators->dominator[from]
                                                               : PM_NO_NODE;
}

/* The table of a WeakMap is shown as the WeakMap. */
static pm_node collection_of(const struct search *search, pm_node node) {
    const uint8_t *kinds = search->graph->kinds;
    pm_node owner = owner_of(search, node);
    bool weak = owner != PM_NO_NODE && (kinds[owner] == PM_NODE_WEAK_MAP || kinds[owner] == PM_NODE_WEAK_SET);
    return weak ? owner : node;
}

static struct pm_error *fill_weak(struct search *search, size_t most) {
    const struct pm_graph *graph = search->graph;
    struct pm_retention *ret = search->ret;
    if (!graph->source->weak_edges) {
        pm_diagnosis_skip(search->session->diagnosis, "weak references", PM_UNKNOWN, PM_UNKNOWN,
                          "they are not listed for this kind of file");
        return NULL;
    }
    struct weak_search weak = {.search = search};
    for (pm_node node = 1; node < graph->node_count && !weak.failed; node++) {
        weak.from = node;
        graph->source->weak_edges(graph->source_self, node, visit_weak, &weak);
    }
    ret->weak_total = weak.found.count;
    for (size_t i = 0; i < weak.found.count && ret->referrer_count < most; i++) {
        ret->referrers[ret->referrer_count] = retainer_of(search, collection_of(search, weak.found.items[i]));
        ret->referrers[ret->referrer_count++].weak = true;
    }
    pm_vec_deinit(&weak.found);
    return weak.failed ? pm_error_nomem() : NULL;
}

static struct pm_error *fill_referrers(struct search *search) {
    const struct pm_options *options = search->session->options;
    struct pm_retention *ret = search->ret;
    struct pm_path_step *steps PM_AUTO_FREE = NULL;
    size_t count = 0;
    size_t most = options->limit ? options->limit : options->all ? ALL_REFERRERS : USUAL_REFERRERS;
    PM_TRY(pm_graph_referrers(search->graph, search->node, &steps, &count));
    if (count) qsort_r(steps, count, sizeof(*steps), by_retained, search->session->dominators);
    ret->referrer_total = count;
    if (most > count) most = count;
    ret->referrers = pm_arena_array(search->arena, most + ALL_REFERRERS, sizeof(*ret->referrers));
    if (!ret->referrers) return pm_error_nomem();
    for (size_t i = 0; i < most; i++) {
        struct pm_retainer *row = &ret->referrers[ret->referrer_count++];
        *row = retainer_of(search, steps[i].node);
        row->name = words_of(search, owner_of(search, steps[i].node), steps[i].node, steps[i].edge);
    }
    return options->weak ? fill_weak(search, ret->referrer_count + ALL_REFERRERS) : NULL;
}

static struct pm_error *fill_owner(struct search *search) {
    struct pm_heap_view view;
    struct pm_owner owner = {0};
    if (!pm_session_view(search->session, &view)) return NULL;
    PM_TRY(pm_find_owner(&view, search->arena, search->node, &owner));
    const struct pm_link *link = pm_owner_link(&owner);
    if (!link) return NULL;
    search->ret->owner_name = link->name;
    search->ret->owner_path = pm_owner_path(&view, search->arena, &owner, search->node);
    search->ret->owner = link->position;
    return NULL;
}

static struct pm_error *run(struct pm_session *session) {
    struct pm_diagnosis *diagnosis = session->diagnosis;
    struct search search = {.session = session, .arena = diagnosis->arena};
    PM_TRY(pm_session_need_graph(session));
    PM_TRY(pm_session_find(session, &search.node));
    search.graph = session->graph;
    struct pm_retention *ret = search.ret = pm_arena_alloc(diagnosis->arena, sizeof(*ret));
    if (!ret) return pm_error_nomem();
    struct pm_retainer self = retainer_of(&search, search.node);
    *ret = (struct pm_retention){
        .object = self.object,
        .class_name = self.class_name,
        .label = self.label,
        .shallow =
            pm_graph_shallow(search.graph, search.node) + pm_graph_external_of(search.graph, search.node),
        .retained = session->dominators->retained[search.node],
        .reachable = session->dominators->dominator[search.node] != PM_NO_NODE,
        .weak_total = PM_UNKNOWN,
    };
    if (!ret->class_name || !ret->label) return pm_error_nomem();
    pm_session_say(session, "looking for referrers");
    if (ret->reachable && search.node) {
        ret->dominator = retainer_of(&search, session->dominators->dominator[search.node]);
        PM_TRY(fill_path(&search));
        PM_TRY(fill_owner(&search));
    }
    PM_TRY(fill_referrers(&search));
    diagnosis->retention = ret;
    return NULL;
}

const struct pm_command pm_command_retainers = {
    .name = "retainers",
    .arguments = "FILE OBJECT",
    .summary = "why an object is still there: way from a root, referrers",
    .details = "OBJECT is an address of a core (0x3f1c44a0) or an id of a snapshot (@4711). Weak references "
               "keep nothing "
               "alive and are left out; --weak looks for them. Ten referrers are listed, --all lists all (to "
               "--limit).",
    .examples = (const char *const[]){"retainers core.4711 0x3f1c44a0",
                                      "retainers app.heapsnapshot @4711 --all --weak", NULL},
    .least_files = 1,
    .most_files = 1,
    .takes_address = true,
    .open = PM_OPEN_CORE | PM_OPEN_V8,
    .sections = PM_SHOW_RETENTION,
    .run = run,
};
