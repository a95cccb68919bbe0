/* graph_source.h - what the graph of a core keeps to find objects again: address <-> node, roots, and the
 * functions that look texts up in the core. Internal to v8layout. */
#ifndef PM_V8LAYOUT_GRAPH_SOURCE_H
#define PM_V8LAYOUT_GRAPH_SOURCE_H

#include "parsers/script_text.h"
#include "postmortem/base/arena.h"
#include "postmortem/model/heap_graph.h"
#include "v8layout/roots.h"

struct v8_graph_block { /* 512 bytes of heap */
    uint64_t bits;      /* one for each 8 bytes: an object begins here */
    pm_node first;      /* node of the first of them */
};

struct v8_graph_page {
    const struct v8_page *page;
    pm_addr chunk, start, end;
    struct v8_graph_block *blocks;
    uint32_t block_count;
    pm_node first_node, node_count;
};

struct v8_graph_root {
    pm_node node;
    uint32_t kind, index; /* enum v8_root_kind */
};

struct v8_graph_source {
    const struct v8 *v8;
    uint32_t isolate;
    struct pm_graph *graph;
    struct pm_arena *arena;      /* class names */
    struct v8_graph_page *pages; /* ascending by chunk and by first_node */
    size_t page_count;
    uint32_t *slots; /* hash of chunks -> page index + 1 */
    size_t slot_count;
    struct v8_graph_root *roots; /* the edges of node 0, in their order */
    size_t root_count;
    struct pm_strbuf program; /* text of the script that was asked for last */
    pm_addr program_script;   /* 0 = none */
    bool has_forwarded;       /* the process died while objects were moving */
};

extern const struct pm_graph_source v8_graph_source_functions;

struct v8_graph_source *v8_graph_source_create(const struct v8 *v8, uint32_t isolate, struct pm_graph *graph);
void v8_graph_source_destroy(void *source);

struct v8_graph_page *v8_graph_page_of(const struct v8_graph_source *source, pm_addr object);
pm_node v8_graph_node_of(const struct v8_graph_source *source, pm_addr object);  /* PM_NO_NODE */
pm_addr v8_graph_address_of(const struct v8_graph_source *source, pm_node node); /* 0 for the root */
/* The strong edges of an object in slot order, without those of ephemerons; offset 0 is the map. */
void v8_graph_each_edge(const struct v8_graph_source *source, const struct v8_map *map, const uint8_t *bytes,
                        uint64_t size, bool (*visit)(void *context, uint32_t offset, pm_node to),
                        void *context);
/* pm_graph_source.weak_edges (graph_weak.c) */
void v8_graph_weak_edges(const void *self, pm_node node, void (*visit)(void *context, pm_node to),
                         void *context);
enum pm_node_kind v8_node_kind(const struct v8 *v8, const struct v8_map *map);

#endif
