/* fuzz_heap_snapshot.c - any bytes as a heap snapshot: read, every question asked about every node, written,
 * read again. What was written must be readable. */
#include <stdlib.h>

#include "parsers/heap_snapshot.h"
#include "postmortem/report/heapsnapshot_export.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void visit(void *context, pm_node to) {
    (void)context, (void)to;
}

static void ask_node(const struct pm_graph *graph, pm_node node) {
    const struct pm_graph_source *source = graph->source;
    void *self = graph->source_self;
    PM_AUTO_STRBUF struct pm_strbuf text = {0};
    struct pm_graph_position position = {0};
    char *function PM_AUTO_FREE = NULL;
    uint64_t count, capacity, cursor = 0;
    double number;
    bool is_number;
    source->describe(self, node, 120, &text);
    source->text(self, node, 200, &text);
    if (source->position(self, node, &function, &position)) free(position.file);
    if (source->declaration(self, node, "cache", node % 2, &position)) free(position.file);
    source->constructor(self, node);
    source->entries(self, node, &count, &capacity);
    source->number(self, node, "length", &number);
    source->property(self, node, "table");
    if (node < 64) source->find(self, source->identity(self, node));
    source->weak_edges(self, node, visit, NULL);
    source->allocation(self, node, 20, &text);
    while (source->next_key(self, node, &cursor, &text, &number, &is_number)) {
    }
}

static void ask_edges(const struct pm_graph *graph, pm_node node) {
    for (uint64_t edge = graph->first_edge[node]; edge < graph->first_edge[node + 1]; edge++) {
        struct pm_edge_name name = {0};
        graph->source->edge_name(graph->source_self, node, edge, &name);
        graph->source->store_edge_name(graph->source_self, graph->edges[edge], node, edge, &name);
        pm_strbuf_deinit(&name.text);
    }
}

static void write_and_read(const struct pm_graph *graph) {
    struct pm_graph *again PM_AUTO(graph) = NULL;
    char *bytes = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&bytes, &size);
    struct pm_error *err = out ? pm_heapsnapshot_write(graph, out, NULL) : pm_error_nomem();
    if (out) fclose(out);
    struct pm_input input = {.bytes = (const uint8_t *)bytes, .size = size, .file_size = size};
    if (!err) err = pm_heap_snapshot_read(&input, &again, NULL);
    if (err || again->edge_count < graph->edge_count) abort();
    pm_graph_destroy(PM_TAKE(again)); /* it borrows the bytes */
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pm_graph *graph PM_AUTO(graph) = NULL;
    struct pm_input input = {.bytes = data, .size = size, .file_size = size};
    pm_heap_snapshot_sniff(&input);
    struct pm_error *err = pm_heap_snapshot_read(&input, &graph, NULL);
    if (!err) err = pm_graph_check(graph);
    if (err) {
        if (graph) abort(); /* a graph that is handed out is right */
        pm_error_destroy(err);
        return 0;
    }
    for (pm_node node = 0; node < graph->node_count; node++) {
        ask_node(graph, node);
        ask_edges(graph, node);
    }
    write_and_read(graph);
    return 0;
}
