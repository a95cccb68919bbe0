/* snapshot.h - the heap snapshot that Node itself wrote just before it died: the truth for names, texts,
 * positions and properties. Reads only what the tests compare. */
#ifndef PM_TESTS_OBJECTS_SNAPSHOT_H
#define PM_TESTS_OBJECTS_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

struct snapshot_node {
    const char *type; /* object, closure, string, hidden ... */
    const char *name;
    uint32_t self_size, edge_count, first_edge;
};
struct snapshot_edge {
    const char *type; /* property, element, context, internal ... */
    const char *name; /* "" for elements and hidden edges */
    uint32_t to;      /* node */
};
struct snapshot_location {
    uint32_t node, line, column; /* from 0 */
};
struct snapshot {
    struct snapshot_node *nodes;
    struct snapshot_edge *edges;
    struct snapshot_location *locations;
    size_t node_count, edge_count, location_count;
    char **strings;
    size_t string_count;
};

/* NULL = not a snapshot. */
struct snapshot *snapshot_parse(const char *text, size_t size);
void snapshot_destroy(struct snapshot *snapshot);

#endif
