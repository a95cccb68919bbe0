/* snapshot_builder.h - makes heap snapshots for tests, in memory.
 *
 *     struct snapshot_builder *b = snapshot_builder_new(NULL);
 *     unsigned map = snapshot_builder_node(b, "object", "Map", 32);     node 1; the root is there already
 *     snapshot_builder_edge(b, 0, "element", 1, map);                   from any node, in any order
 *     snapshot_builder_named(b, map, "internal", "table", table);
 *     snapshot_read(b, &graph)                                          pm_heap_snapshot_read() of it
 *     snapshot_builder_free(b);
 *
 * Ids are 2 * node + 1. Without memory the test program ends. */
#ifndef PM_TESTS_SNAPSHOT_BUILDER_H
#define PM_TESTS_SNAPSHOT_BUILDER_H

#include "parsers/heap_snapshot.h"

struct snapshot_form {
    const char *node_fields;     /* words with blanks between them; NULL = those of V8 12 */
    const char *edge_fields;     /* NULL = as V8 */
    const char *location_fields; /* NULL = as V8 */
    const char *node_types;      /* with commas between them; NULL = those of V8 12 */
    const char
        *sections; /* letters in the order of the sections: s n e t (traces, samples) l S; NULL = "snetlS" */
    const char *separator;    /* between two numbers; NULL = "," */
    const char *record_start; /* in front of each record but the first, before its separator; NULL = "\n" */
};

struct snapshot_builder;

struct snapshot_builder *snapshot_builder_new(const struct snapshot_form *form);
void snapshot_builder_free(struct snapshot_builder *b);
unsigned snapshot_builder_node(struct snapshot_builder *b, const char *type, const char *name, uint64_t size);
void snapshot_builder_detached(struct snapshot_builder *b, unsigned node);
/* Edges with an index: element, hidden. */
void snapshot_builder_edge(struct snapshot_builder *b, unsigned from, const char *kind, uint64_t index,
                           unsigned to);
void snapshot_builder_named(struct snapshot_builder *b, unsigned from, const char *kind, const char *name,
                            unsigned to);
void snapshot_builder_location(struct snapshot_builder *b, unsigned node, unsigned script, int line,
                               int column);
/* The text; lives until snapshot_builder_free(). */
const char *snapshot_builder_text(struct snapshot_builder *b, size_t *length_ret);

/* Reads a text as a snapshot. The graph borrows it. */
struct pm_error *snapshot_read_text(const char *text, size_t length, struct pm_graph **ret,
                                    struct pm_snapshot_facts *facts);
struct pm_error *snapshot_read(struct snapshot_builder *b, struct pm_graph **ret);

#endif
