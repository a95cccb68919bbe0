#include "postmortem/commands/inspect_snapshot.h"

#include <inttypes.h>
#include <string.h>

#include "postmortem/base/vec.h"

#define MOST_FRAMES 10 /* of an allocation */
#define MOST_VALUE  120
#define MOST_TEXT   2000 /* code units; V8 writes 1,024 of a string */

struct inspection {
    const struct pm_graph *graph;
    struct pm_arena *arena;
    struct pm_object_detail *object;
    PM_VEC(struct pm_object_field) fields;
    size_t most;
    bool failed;
};

static const char *describe(const struct inspection *inspection, pm_node node, size_t most) {
    PM_AUTO_STRBUF struct pm_strbuf text = {0};
    inspection->graph->source->describe(inspection->graph->source_self, node, most, &text);
    return pm_arena_copy(inspection->arena, pm_strbuf_text(&text), text.length);
}

static void add(struct inspection *inspection, enum pm_field_group group, const struct pm_strbuf *name,
                pm_node to) {
    const struct pm_graph *graph = inspection->graph;
    inspection->object->field_total++;
    if (inspection->fields.count >= inspection->most) return;
    struct pm_object_field field = {
        group, pm_arena_copy(inspection->arena, pm_strbuf_text(name), name->length),
        describe(inspection, to, MOST_VALUE), graph->source->identity(graph->source_self, to)};
    if (!field.name || !field.value || !pm_vec_push(&inspection->fields, field)) inspection->failed = true;
}

static enum pm_field_group group_of(enum pm_edge_kind kind) {
    switch (kind) {
    case PM_EDGE_CONTEXT: return PM_FIELD_VARIABLE;
    case PM_EDGE_ELEMENT: return PM_FIELD_ELEMENT;
    case PM_EDGE_PROPERTY: return PM_FIELD_PROPERTY;
    default: return PM_FIELD_INTERNAL;
    }
}

/* One reference; of a store as its owner calls it, where it does. */
static void add_edge(struct inspection *inspection, pm_node owner, pm_node from, uint64_t edge) {
    const struct pm_graph *graph = inspection->graph;
    struct pm_edge_name name = {0};
    PM_AUTO_STRBUF struct pm_strbuf text = {0};
    bool is_entry = owner != from && graph->source->store_edge_name &&
                    graph->source->store_edge_name(graph->source_self, owner, from, edge, &name);
    if (!is_entry) {
        pm_strbuf_deinit(&name.text);
        name = (struct pm_edge_name){0};
        graph->source->edge_name(graph->source_self, from, edge, &name);
    }
    bool is_number = name.kind == PM_EDGE_ELEMENT || (name.kind == PM_EDGE_HIDDEN && !name.text.length);
    if (is_number)
        pm_strbuf_appendf(&text, "%" PRIu32, name.index);
    else
        pm_strbuf_append_bytes(&text, pm_strbuf_text(&name.text), name.text.length);
    add(inspection, is_entry ? PM_FIELD_ENTRY : group_of(name.kind), &text, graph->edges[edge]);
    pm_strbuf_deinit(&name.text);
}

/* Maps and Sets have their entries in a table of their own. */
static bool is_collection(const struct pm_graph *graph, pm_node node) {
    enum pm_node_kind kind = (enum pm_node_kind)graph->kinds[node];
    return kind == PM_NODE_MAP || kind == PM_NODE_SET || kind == PM_NODE_WEAK_MAP || kind == PM_NODE_WEAK_SET;
}

static void add_edges(struct inspection *inspection, pm_node node) {
    const struct pm_graph *graph = inspection->graph;
    for (uint64_t edge = graph->first_edge[node]; edge < graph->first_edge[node + 1] && !inspection->failed;
         edge++) {
        if (inspection->fields.count >= inspection->most) { /* names are looked up for what is shown */
            inspection->object->field_total++;
            continue;
        }
        add_edge(inspection, node, node, edge);
        pm_node to = graph->edges[edge];
        if (!is_collection(graph, node) || graph->kinds[to] != PM_NODE_STORE) continue;
        for (uint64_t entry = graph->first_edge[to]; entry < graph->first_edge[to + 1]; entry++) {
            if (inspection->fields.count < inspection->most)
                add_edge(inspection, node, to, entry);
            else
                inspection->object->field_total++;
        }
    }
}

static void add_position(struct inspection *inspection, pm_node node) {
    const struct pm_graph *graph = inspection->graph;
    struct pm_graph_position position = {0};
    char *function PM_AUTO_FREE = NULL;
    if (graph->kinds[node] != PM_NODE_CLOSURE ||
        !graph->source->position(graph->source_self, node, &function, &position))
        return;
    inspection->object->function =
        pm_arena_strdup(inspection->arena, function && *function ? function : "<anonymous>");
    inspection->object->position = (struct pm_position){pm_arena_strdup(inspection->arena, position.file),
                                                        position.line, position.column};
    free(position.file);
}

/* Who allocated it, where the snapshot recorded that. */
static void add_allocation(struct inspection *inspection, pm_node node) {
    const struct pm_graph *graph = inspection->graph;
    PM_AUTO_STRBUF struct pm_strbuf text = {0};
    if (!graph->source->allocation ||
        !graph->source->allocation(graph->source_self, node, MOST_FRAMES, &text))
        return;
    const char *line = pm_strbuf_text(&text);
    for (const char *name = "allocated by"; *line; name = "called by") {
        size_t length = strcspn(line, "\n");
        struct pm_object_field field = {PM_FIELD_INTERNAL, name,
                                        pm_arena_copy(inspection->arena, line, length), 0};
        inspection->object->field_total++;
        if (!field.value || !pm_vec_push(&inspection->fields, field)) inspection->failed = true;
        line += length + (line[length] == '\n');
    }
}

static void add_text(struct inspection *inspection, pm_node node) {
    const struct pm_graph *graph = inspection->graph;
    PM_AUTO_STRBUF struct pm_strbuf text = {0};
    enum pm_node_kind kind = (enum pm_node_kind)graph->kinds[node];
    if (kind != PM_NODE_STRING && kind != PM_NODE_CONS_STRING && kind != PM_NODE_SLICED_STRING) return;
    if (!graph->source->text(graph->source_self, node, MOST_TEXT, &text)) return;
    inspection->object->text = pm_arena_copy(inspection->arena, pm_strbuf_text(&text), text.length);
    inspection->object->text_length = PM_UNKNOWN; /* the file cuts strings */
}

struct pm_error *pm_inspect_snapshot(struct pm_session *session, size_t most) {
    struct pm_diagnosis *diagnosis = session->diagnosis;
    pm_node node;
    PM_TRY(pm_session_need_objects(session));
    PM_TRY(pm_session_find(session, &node));
    const struct pm_graph *graph = session->graph;
    struct pm_object_detail *object = pm_arena_alloc(diagnosis->arena, sizeof(*object));
    if (!object) return pm_error_nomem();
    struct inspection inspection = {
        .graph = graph, .arena = diagnosis->arena, .object = object, .most = most};
    *object = (struct pm_object_detail){
        .address = graph->source->identity(graph->source_self, node),
        .class_name = pm_arena_strdup(diagnosis->arena, graph->classes[graph->class_of[node]]),
        .size = pm_graph_shallow(graph, node) + pm_graph_external_of(graph, node),
        .summary = describe(&inspection, node, MOST_VALUE),
    };
    add_position(&inspection, node);
    add_text(&inspection, node);
    add_allocation(&inspection, node);
    add_edges(&inspection, node);
    object->fields = pm_arena_dup(diagnosis->arena, inspection.fields.items, inspection.fields.count,
                                  sizeof(*object->fields));
    inspection.failed |= inspection.fields.count && !object->fields;
    object->field_count = object->fields ? inspection.fields.count : 0;
    pm_vec_deinit(&inspection.fields);
    diagnosis->object = object;
    diagnosis->read_objects = graph->node_count - 1;
    return inspection.failed ? pm_error_nomem() : NULL;
}
