#include "parsers/heap_snapshot_source.h"

#include <string.h>

#include "parsers/script_text.h"
#include "postmortem/base/limits.h"
#include "postmortem/base/vec.h"

/* heap_snapshot_source.c - what a snapshot tells about single nodes: texts, names of edges, properties. */

/* ------------------------------------------------------------------ nodes */

pm_node pm_snapshot_follow(const struct pm_snapshot *snapshot, pm_node node, enum pm_snapshot_word word) {
    struct pm_snapshot_edges edges;
    struct pm_snapshot_edge edge;
    uint32_t wanted = snapshot->words[word];
    if (wanted == PM_NO_NAME) return PM_NO_NODE;
    bool of_program = word == PM_WORD_PROTO || word == PM_WORD_CONSTRUCTOR;
    enum pm_edge_kind kind = of_program ? PM_EDGE_PROPERTY : PM_EDGE_INTERNAL;
    pm_snapshot_edges_of(&snapshot->file, node, &edges);
    while (pm_snapshot_edges_next(&edges, &edge))
        if (edge.kind == kind && pm_snapshot_name_is(snapshot, edge.name, wanted)) return edge.to;
    return PM_NO_NODE;
}

struct pm_json_text pm_snapshot_name_of(const struct pm_snapshot *snapshot, pm_node node) {
    struct pm_snapshot_node record;
    pm_snapshot_node_at(&snapshot->file, node, &record);
    return pm_snapshot_string(&snapshot->file, record.name);
}

char *pm_snapshot_node_name(const struct pm_snapshot *snapshot, pm_node node, size_t most) {
    struct pm_strbuf text = {0};
    pm_json_unescape(pm_snapshot_name_of(snapshot, node), most, &text);
    return pm_strbuf_take(&text);
}

uint64_t pm_snapshot_identity(const void *self, pm_node node) {
    const struct pm_snapshot *snapshot = self;
    struct pm_snapshot_node record;
    pm_snapshot_node_at(&snapshot->file, node, &record);
    return record.id;
}

static pm_node find(const void *self, uint64_t wanted) {
    const struct pm_snapshot *snapshot = self;
    const struct pm_snapshot_file *file = &snapshot->file;
    const uint8_t *at = file->bytes + file->node_at[0], *end = file->bytes + file->nodes.end;
    uint64_t value = 0, id = 0;
    for (pm_node node = 0; node < file->node_count; node++) {
        for (unsigned i = 0; i < file->meta.node_fields && at; i++) {
            at = pm_snapshot_number(at, end, &value);
            if (i == file->meta.id) id = value;
        }
        if (id == wanted) return node;
    }
    return PM_NO_NODE;
}

/* ------------------------------------------------------------------ texts */

static bool has_name(const struct pm_snapshot *snapshot, pm_node node) {
    struct pm_snapshot_node record;
    pm_snapshot_node_at(&snapshot->file, node, &record);
    return pm_snapshot_saved(&snapshot->file, record.name);
}

/* Both halves of a rope in one go. */
static bool halves(const struct pm_snapshot *snapshot, pm_node node, pm_node *first, pm_node *second) {
    struct pm_snapshot_edges edges;
    struct pm_snapshot_edge edge;
    *first = *second = PM_NO_NODE;
    pm_snapshot_edges_of(&snapshot->file, node, &edges);
    while (pm_snapshot_edges_next(&edges, &edge) && (*first == PM_NO_NODE || *second == PM_NO_NODE)) {
        if (edge.kind != PM_EDGE_INTERNAL) continue;
        if (pm_snapshot_name_is(snapshot, edge.name, snapshot->words[PM_WORD_FIRST])) *first = edge.to;
        if (pm_snapshot_name_is(snapshot, edge.name, snapshot->words[PM_WORD_SECOND])) *second = edge.to;
    }
    return *first != PM_NO_NODE && *second != PM_NO_NODE;
}

/* A string's text from the rope of its parts. The parts still to come are a stack: ropes are deep on either
 * side. How many parts are looked at depends on what is asked for, or the texts of all parts of a rope of a
 * million would never be finished. */
static bool rope_text(const struct pm_snapshot *snapshot, pm_node node, size_t most, struct pm_strbuf *out) {
    PM_VEC(pm_node) stack = {0};
    size_t units = 0, before = out->length,
           parts = most < PM_MAX_STRING_DEPTH / 16 ? 1000 + 16 * most : PM_MAX_STRING_DEPTH;
    bool more = pm_vec_push(&stack, node);
    while (more && stack.count && units < most && parts-- > 0) {
        node = stack.items[--stack.count];
        pm_node first, second;
        if (pm_snapshot_kind(snapshot, node) == PM_NODE_CONS_STRING) {
            more = halves(snapshot, node, &first, &second) && pm_vec_push(&stack, second) &&
                   pm_vec_push(&stack, first);
        } else {
            more = pm_snapshot_kind(snapshot, node) == PM_NODE_STRING && has_name(snapshot, node);
            size_t length =
                more ? pm_json_unescape(pm_snapshot_name_of(snapshot, node), most - units, out) : 0;
            units += length;
            if (length >= PM_SNAPSHOT_TEXT)
                more = false; /* cut by V8: what follows would be in a wrong place */
        }
    }
    bool any = out->length > before || stack.count == 0;
    pm_vec_deinit(&stack);
    return any;
}

bool pm_snapshot_text(const void *self, pm_node node, size_t most, struct pm_strbuf *out) {
    const struct pm_snapshot *snapshot = self;
    enum pm_node_kind kind = pm_snapshot_kind(snapshot, node);
    if (kind == PM_NODE_CONS_STRING) return rope_text(snapshot, node, most, out);
    /* Of a slice nobody knows where it begins. */
    if (kind != PM_NODE_STRING || !has_name(snapshot, node)) return false;
    pm_json_unescape(pm_snapshot_name_of(snapshot, node), most, out);
    return true;
}

/* ------------------------------------------------------------------ edges */

/* Who asks for the name of an edge mostly asks for the next one then: where that is, for each thread. */
static _Thread_local struct {
    uint64_t serial; /* of the snapshot; 0 = none */
    uint64_t edge;
    struct pm_snapshot_edges edges;
} next_edge;

static void edge_name(const void *self, pm_node from, uint64_t edge, struct pm_edge_name *ret) {
    const struct pm_snapshot *snapshot = self;
    struct pm_snapshot_edge found = {.kind = PM_EDGE_INTERNAL};
    ret->index = 0;
    if (edge < snapshot->graph->transient_roots) {
        ret->kind = PM_EDGE_INTERNAL;
        pm_json_unescape(pm_snapshot_name_of(snapshot, pm_snapshot_lifted_from(snapshot, edge)), PM_MAX_NAME,
                         &ret->text);
        return;
    }
    bool known =
        next_edge.serial == snapshot->serial && next_edge.edges.node == from && next_edge.edge == edge;
    if (!known) pm_snapshot_seek(snapshot, from, edge, &next_edge.edges);
    while (pm_snapshot_edges_next(&next_edge.edges, &found) && !found.strong) {
    }
    next_edge.serial = snapshot->serial;
    next_edge.edge = edge + 1;
    ret->kind = found.kind;
    if (pm_snapshot_is_named(found.kind))
        pm_json_unescape(pm_snapshot_string(&snapshot->file, found.name), PM_MAX_NAME, &ret->text);
    else
        ret->index = (uint32_t)found.name;
}

static void weak_edges(const void *self, pm_node node, void (*visit)(void *context, pm_node to),
                       void *context) {
    const struct pm_snapshot *snapshot = self;
    struct pm_snapshot_edges edges;
    struct pm_snapshot_edge edge;
    pm_snapshot_edges_of(&snapshot->file, node, &edges);
    while (pm_snapshot_edges_next(&edges, &edge))
        if (edge.kind == PM_EDGE_WEAK) visit(context, edge.to);
}

static pm_node property(const void *self, pm_node node, const char *wanted) {
    const struct pm_snapshot *snapshot = self;
    struct pm_snapshot_edges edges;
    struct pm_snapshot_edge edge;
    uint32_t name = pm_snapshot_name(snapshot, wanted);
    if (name == PM_NO_NAME) return PM_NO_NODE;
    pm_snapshot_edges_of(&snapshot->file, node, &edges);
    while (pm_snapshot_edges_next(&edges, &edge))
        if ((edge.kind == PM_EDGE_PROPERTY || edge.kind == PM_EDGE_CONTEXT) &&
            pm_snapshot_name_is(snapshot, edge.name, name))
            return edge.to;
    return PM_NO_NODE;
}

/* ------------------------------------------------------------------ values */

struct pm_json_text pm_snapshot_oddball(const struct pm_snapshot *snapshot, pm_node node) {
    struct pm_snapshot_edges edges;
    struct pm_snapshot_edge edge;
    pm_snapshot_edges_of(&snapshot->file, node, &edges);
    struct pm_json_text name = pm_snapshot_string(&snapshot->file, edges.from.name);
    if (edges.from.type != PM_SNAPSHOT_HIDDEN) return (struct pm_json_text){NULL, 0};
    if (!pm_json_is(name, "system / Oddball")) return name;
    while (pm_snapshot_edges_next(&edges, &edge))
        if (edge.kind == PM_EDGE_HIDDEN && pm_snapshot_kind(snapshot, edge.to) == PM_NODE_STRING)
            return pm_snapshot_name_of(snapshot, edge.to);
    return name;
}

/* Numbers have their text behind the edge `value`, if the snapshot was asked for it. */
bool pm_snapshot_number_value(const struct pm_snapshot *snapshot, pm_node node, double *ret) {
    if (pm_snapshot_kind(snapshot, node) != PM_NODE_NUMBER) return false;
    pm_node value = pm_snapshot_follow(snapshot, node, PM_WORD_VALUE);
    if (value == PM_NO_NODE || pm_snapshot_kind(snapshot, value) != PM_NODE_STRING) return false;
    char *digits PM_AUTO_FREE = pm_snapshot_node_name(snapshot, value, 64), *end;
    if (!digits || !*digits) return false;
    *ret = strtod(digits, &end);
    return *end == 0;
}

static bool number(const void *self, pm_node node, const char *wanted, double *ret) {
    const struct pm_snapshot *snapshot = self;
    pm_node value = property(self, node, wanted);
    if (value == PM_NO_NODE) return false;
    if (pm_snapshot_kind(snapshot, value) != PM_NODE_OTHER)
        return pm_snapshot_number_value(snapshot, value, ret);
    struct pm_json_text word = pm_snapshot_oddball(snapshot, value);
    if (!pm_json_is(word, "true") && !pm_json_is(word, "false")) return false;
    *ret = pm_json_is(word, "true");
    return true;
}

/* ------------------------------------------------------------------ program text */

static pm_node constructor(const void *self, pm_node node) {
    const struct pm_snapshot *snapshot = self;
    pm_node prototype = pm_snapshot_follow(snapshot, node, PM_WORD_PROTO);
    pm_node closure =
        prototype == PM_NO_NODE ? prototype : pm_snapshot_follow(snapshot, prototype, PM_WORD_CONSTRUCTOR);
    if (closure == PM_NO_NODE || pm_snapshot_kind(snapshot, closure) != PM_NODE_CLOSURE) return PM_NO_NODE;
    return closure;
}

/* The program of a closure, and where in it the closure begins. The snapshot has the first 1,024 characters
 * of a script: what stands at its top is found. */
static bool program_of(const struct pm_snapshot *snapshot, pm_node closure, struct pm_strbuf *program,
                       struct pm_graph_position *place) {
    char *function PM_AUTO_FREE = NULL;
    pm_node script = pm_snapshot_script_of(snapshot, closure);
    pm_node source = script == PM_NO_NODE ? script : pm_snapshot_follow(snapshot, script, PM_WORD_SOURCE);
    if (source == PM_NO_NODE || !pm_snapshot_text(snapshot, source, PM_SNAPSHOT_TEXT, program)) return false;
    return pm_snapshot_position(snapshot, closure, &function, place) && place->file;
}

static bool declaration(const void *self, pm_node closure, const char *name, bool is_property,
                        struct pm_graph_position *ret) {
    struct pm_graph_position place = {0};
    PM_AUTO_STRBUF struct pm_strbuf program = {0};
    if (!program_of(self, closure, &program, &place)) return false;
    struct pm_script_text text = {.bytes = pm_strbuf_text(&program), .length = program.length};
    size_t start = pm_script_offset(text, place.line, place.column);
    struct pm_script_place found;
    if (!pm_script_declaration(text, name, start, is_property, &found)) {
        free(place.file);
        return false;
    }
    *ret = (struct pm_graph_position){.file = place.file,
                                      .line = found.line,
                                      .column = found.column,
                                      .in_function = found.in_function,
                                      .imported = found.imported};
    return true;
}

static bool use(const void *self, pm_node closure, enum pm_graph_use what, const char *name,
                uint64_t *count_ret, char **function_ret, struct pm_graph_position *ret) {
    struct pm_graph_position place = {0};
    PM_AUTO_STRBUF struct pm_strbuf program = {0};
    if (!program_of(self, closure, &program, &place)) return false;
    struct pm_script_text text = {.bytes = pm_strbuf_text(&program), .length = program.length};
    struct pm_script_uses uses;
    if (!pm_script_uses(text, (enum pm_script_use)what, name, &uses)) {
        free(place.file);
        return false;
    }
    *ret =
        (struct pm_graph_position){.file = place.file, .line = uses.first.line, .column = uses.first.column};
    *function_ret = uses.function_length ? strndup(uses.function, uses.function_length) : NULL;
    *count_ret = uses.count;
    return true;
}

/* Where it waits is a number, which a snapshot does not have: where its function begins. */
static bool suspended(const void *self, pm_node node, char **function_ret, struct pm_graph_position *ret) {
    const struct pm_snapshot *snapshot = self;
    if (pm_snapshot_kind(snapshot, node) != PM_NODE_GENERATOR) return false;
    pm_node function = pm_snapshot_follow(snapshot, node, PM_WORD_FUNCTION);
    return function != PM_NO_NODE && pm_snapshot_position(self, function, function_ret, ret);
}

/* ------------------------------------------------------------------ the table */

static void destroy(void *self) {
    struct pm_snapshot *snapshot = self;
    pm_snapshot_file_close(&snapshot->file);
    pm_snapshot_places_free(snapshot);
    free(snapshot->used);
    free(snapshot->names);
    free(snapshot->detached);
    free(snapshot->traces);
    free(snapshot->makers);
    pm_arena_destroy(snapshot->arena);
    pthread_mutex_destroy(&snapshot->scopes_lock);
    free(snapshot);
}

const struct pm_graph_source pm_snapshot_source = {
    .destroy = destroy,
    .identity = pm_snapshot_identity,
    .find = find,
    .describe = pm_snapshot_describe,
    .edge_name = edge_name,
    .store_edge_name = pm_snapshot_store_edge_name,
    .position = pm_snapshot_position,
    .declaration = declaration,
    .constructor = constructor,
    .text = pm_snapshot_text,
    .entries = pm_snapshot_entries,
    .number = number,
    .property = property,
    .next_key = pm_snapshot_next_key,
    .weak_edges = weak_edges,
    .use = use,
    .suspended = suspended,
    .allocation = pm_snapshot_allocation,
};
