#include "parsers/heap_snapshot.h"

#include <string.h>

#include "parsers/heap_snapshot_source.h"
#include "postmortem/base/escape.h"

static struct pm_error *build(const struct pm_input *input, struct pm_snapshot *snapshot,
                              struct pm_graph *graph, struct pm_snapshot_facts *facts) {
    struct pm_snapshot_file *file = &snapshot->file;
    PM_TRY(pm_snapshot_file_open(input->bytes, input->size, file));
    PM_TRY(pm_snapshot_read_columns(snapshot, graph, facts));
    *facts = (struct pm_snapshot_facts){
        .nodes = graph->node_count,
        .edges = file->edges.count / file->meta.edge_fields,
        .claimed_nodes = file->meta.claimed_nodes == UINT64_MAX ? PM_UNKNOWN : file->meta.claimed_nodes,
        .claimed_edges = file->meta.claimed_edges == UINT64_MAX ? PM_UNKNOWN : file->meta.claimed_edges,
        .self_size = facts->self_size,
        .native_size = facts->native_size,
        .weak_edges = facts->weak_edges,
        .shortcut_edges = facts->shortcut_edges,
        .table_edges = facts->table_edges,
        .detached_nodes = facts->detached_nodes,
        .strings = file->strings.count,
        .extra_native_bytes = file->meta.extra_native_bytes,
        .allocation_bytes = file->allocation_bytes,
        .nodes_cut = file->nodes.cut,
        .names_cut = file->strings.cut,
        .references_lost = graph->references_lost,
        .wrong_edges = facts->wrong_edges,
    };
    PM_TRY(pm_snapshot_names_build(snapshot));
    PM_TRY(pm_snapshot_classify(snapshot, graph));
    PM_TRY(pm_snapshot_lift_roots(snapshot, graph));
    return pm_snapshot_damaged(file, pm_snapshot_places_read(snapshot));
}

static struct pm_error *explain(struct pm_error *err, const struct pm_input *input) {
    PM_AUTO_STRBUF struct pm_strbuf path = {0};
    if (err->kind == PM_ERR_FORMAT && err->has_where && err->where == input->size)
        err = pm_error_hint(
            err, "The snapshot was cut off: writing one takes several times the heap's memory, and the "
                 "process was probably killed meanwhile. A core (ulimit -c unlimited) holds the same "
                 "and costs the process nothing.");
    if (input->path) pm_escape_terminal(&path, input->path, strlen(input->path));
    return pm_error_prefix(err, "%s", pm_strbuf_text(&path));
}

struct pm_error *pm_heap_snapshot_read(const struct pm_input *input, struct pm_graph **ret,
                                       struct pm_snapshot_facts *facts) {
    struct pm_snapshot_facts own = {0};
    struct pm_graph *graph PM_AUTO(graph) = calloc(1, sizeof(*graph));
    struct pm_snapshot *snapshot = calloc(1, sizeof(*snapshot));
    if (!graph || !snapshot) return free(snapshot), pm_error_nomem();
    static uint64_t serial;
    snapshot->serial = __atomic_add_fetch(&serial, 1, __ATOMIC_RELAXED);
    pthread_mutex_init(&snapshot->scopes_lock, NULL);
    snapshot->graph = graph;
    graph->from_snapshot = true;
    graph->referrers = pm_referrers_create();
    graph->source = &pm_snapshot_source;
    graph->source_self = snapshot;
    struct pm_error *err = build(input, snapshot, graph, &own);
    if (err) return explain(err, input);
    if (facts) {
        *facts = own;
        if (snapshot->file.damage) facts->damage = explain(PM_TAKE(snapshot->file.damage), input);
    }
    *ret = PM_TAKE(graph);
    return NULL;
}

bool pm_heap_snapshot_sniff(const struct pm_input *input) {
    uint64_t size = input->size < 65536 ? input->size : 65536, at = 0;
    const char *const words[] = {"\"snapshot\"", "\"node_fields\""};
    if (size >= 3 && memcmp(input->bytes, "\xef\xbb\xbf", 3) == 0) at = 3;
    struct pm_json json = {input->bytes, size, at};
    if (pm_json_peek(&json) != '{') return false;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (!memmem(input->bytes, size, words[i], strlen(words[i]))) return false;
    return true;
}

/* What is missing of so many that the head claims; PM_UNKNOWN. */
static uint64_t missing(uint64_t claimed, uint64_t found) {
    return claimed == PM_UNKNOWN || claimed < found ? PM_UNKNOWN : claimed - found;
}

static void damage_coverage(struct pm_snapshot_facts *facts, struct pm_diagnosis *diagnosis) {
    if (!facts->damage) return;
    pm_diagnosis_problem(diagnosis, facts->damage);
    facts->damage = NULL;
    if (facts->nodes_cut)
        pm_diagnosis_skip(diagnosis, "objects", missing(facts->claimed_nodes, facts->nodes), PM_UNKNOWN,
                          "not saved in this file");
    if (facts->references_lost)
        pm_diagnosis_skip(diagnosis, "references", facts->claimed_edges, PM_UNKNOWN,
                          "not complete in this file: what keeps an object and what it retains is not known");
    else if (facts->wrong_edges)
        pm_diagnosis_skip(diagnosis, "references", facts->wrong_edges, PM_UNKNOWN, "they lead nowhere");
    if (facts->names_cut)
        pm_diagnosis_skip(diagnosis, "names", PM_UNKNOWN, PM_UNKNOWN,
                          facts->strings ? "not all are saved in this file" : "not saved in this file");
}

void pm_heap_snapshot_coverage(struct pm_snapshot_facts *facts, struct pm_diagnosis *diagnosis) {
    diagnosis->read_objects = facts->nodes;
    if (facts->allocation_bytes)
        pm_diagnosis_skip(diagnosis, "recorded allocations", PM_UNKNOWN, facts->allocation_bytes,
                          "inspect shows that of an object; they are not summed up");
    bool claims = facts->claimed_nodes != PM_UNKNOWN && facts->claimed_edges != PM_UNKNOWN;
    bool differ = facts->claimed_nodes != facts->nodes || facts->claimed_edges != facts->edges;
    if (claims && differ && !facts->damage)
        pm_diagnosis_skip(diagnosis, "the counts in the snapshot's head", PM_UNKNOWN, PM_UNKNOWN,
                          "the file has other numbers of nodes and edges");
    damage_coverage(facts, diagnosis);
}
