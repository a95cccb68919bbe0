/* dump.c - everything the graph of a snapshot says, line by line, for check.js to compare with the file
 * itself.
 *
 *   N id kind bytes "class"       a node; then of it
 *   L file line column function   its position
 *   T "text"                      its text, at most 300 units; of ropes every 7th node
 *   C entries capacity            of a collection
 *   E kind index|"name" id        its strong edges, in order
 *   W id                          its weak edges
 *
 * Texts are JSON strings. */
#include <string.h>

#include "parsers/heap_snapshot.h"
#include "postmortem/base/escape.h"

static void put_text(const char *text, size_t length) {
    PM_AUTO_STRBUF struct pm_strbuf escaped = {0};
    pm_escape_json(&escaped, text, length);
    printf("\"%s\"", pm_strbuf_text(&escaped));
}

static void put_weak(void *context, pm_node to) {
    const struct pm_graph *graph = context;
    printf("W %llu\n", (unsigned long long)graph->source->identity(graph->source_self, to));
}

static void put_details(const struct pm_graph *graph, pm_node node) {
    const struct pm_graph_source *source = graph->source;
    PM_AUTO_STRBUF struct pm_strbuf text = {0};
    char *function PM_AUTO_FREE = NULL;
    struct pm_graph_position position;
    uint64_t count, capacity;
    if (graph->kinds[node] != PM_NODE_CONTEXT &&
        source->position(graph->source_self, node, &function, &position)) {
        printf("L %s %u %u %s\n", position.file ? position.file : "-", position.line, position.column,
               function ? function : "-");
        free(position.file);
    }
    bool asked =
        graph->kinds[node] != PM_NODE_CONS_STRING || node % 7 == 0; /* a rope has as many texts as parts */
    if (asked && source->text(graph->source_self, node, 300, &text)) {
        fputs("T ", stdout);
        put_text(pm_strbuf_text(&text), text.length);
        puts("");
    }
    if (source->entries(graph->source_self, node, &count, &capacity))
        printf("C %llu %llu\n", (unsigned long long)count, (unsigned long long)capacity);
}

static void put_edges(const struct pm_graph *graph, pm_node node) {
    const struct pm_graph_source *source = graph->source;
    for (uint64_t edge = graph->first_edge[node]; edge < graph->first_edge[node + 1]; edge++) {
        struct pm_edge_name name = {0};
        source->edge_name(graph->source_self, node, edge, &name);
        printf("E %d ", (int)name.kind);
        if (name.kind == PM_EDGE_ELEMENT || name.kind == PM_EDGE_HIDDEN)
            printf("%u", name.index);
        else
            put_text(pm_strbuf_text(&name.text), name.text.length);
        printf(" %llu\n", (unsigned long long)source->identity(graph->source_self, graph->edges[edge]));
        pm_strbuf_deinit(&name.text);
    }
    source->weak_edges(graph->source_self, node, put_weak, (void *)(uintptr_t)graph);
}

int main(int argc, char **argv) {
    struct pm_input *input PM_AUTO(input) = NULL;
    struct pm_graph *graph PM_AUTO(graph) = NULL;
    struct pm_error *err = argc == 2 ? pm_input_open(argv[1], NULL, NULL, &input)
                                     : pm_error_create(PM_ERR_IO, "usage: snapshot_dump FILE");
    if (!err) err = pm_heap_snapshot_read(input, &graph, NULL);
    if (!err) err = pm_graph_check(graph);
    if (err) {
        fprintf(stderr, "%s\n", err->message);
        pm_error_destroy(err);
        return 1;
    }
    printf("G %u %llu %llu\n", graph->node_count, (unsigned long long)graph->edge_count,
           (unsigned long long)graph->transient_roots);
    for (pm_node node = 0; node < graph->node_count; node++) {
        const char *class = graph->classes[graph->class_of[node]];
        printf("N %llu %d %llu ", (unsigned long long)graph->source->identity(graph->source_self, node),
               graph->kinds[node],
               (unsigned long long)(pm_graph_shallow(graph, node) + pm_graph_external_of(graph, node)));
        put_text(class, strlen(class));
        puts("");
        put_details(graph, node);
        put_edges(graph, node);
    }
    return 0;
}
