/* heap_snapshot.h - a .heapsnapshot or .heaptimeline of V8 (Node.js 14 to 26) as the heap graph of
 * model/heap_graph.h.
 *
 * Fields and types are read from the file's own meta, so versions need not be known. The text is parsed where
 * it lies, on all cores; only the columns of the graph are kept, and names are read again from the text when
 * they are asked for (heap_snapshot_file.h). Peak memory is about 40 % of the file.
 *
 * What differs from the file's own view:
 *   weak edges are no edges of the graph (weak_edges() lists them); shortcut edges only those of the root
 *   WeakMap entries: key -> value only, not table -> value
 *   classes are named as DevTools names them: constructor of objects, (closure), (string), (system) ...
 *   nodes of type native lie outside V8's heap: their bytes are external memory
 *
 * What a snapshot does not have: numbers (unless it was written with exposeNumericValues, or near the heap
 * limit), so Maps of numbers to numbers have no entries to see; strings behind their first 1,024 characters;
 * which part of its parent a sliced string is.
 *
 * OWNERSHIP  the graph borrows the input, which must outlive it.
 * DAMAGE     of a file that is cut off or damaged (the disk was full, the process was killed while it wrote)
 * the graph holds what is there:
 *   strings are missing      objects have sizes, references and types; names are "(name not saved)"
 *   edges or nodes, too      only counts and sizes: the graph has no edges (references_lost)
 *   a few wrong numbers      these references, names and sizes are left out
 * FAILURE    a file without nodes is refused: one error with the place. Memory is only allocated for what is
 * really in the file, never for what its counts claim. */
#ifndef PM_PARSERS_HEAP_SNAPSHOT_H
#define PM_PARSERS_HEAP_SNAPSHOT_H

#include "parsers/input.h"
#include "postmortem/model/diagnosis.h"
#include "postmortem/model/heap_graph.h"

struct pm_snapshot_facts {
    uint64_t nodes, edges;                            /* in the file */
    uint64_t claimed_nodes, claimed_edges;            /* by its head; PM_UNKNOWN */
    uint64_t self_size;                               /* of all nodes */
    uint64_t native_size;                             /* of nodes outside V8's heap, in self_size */
    uint64_t weak_edges, shortcut_edges, table_edges; /* left out of the graph */
    uint64_t detached_nodes;
    uint64_t strings;
    uint64_t extra_native_bytes; /* native memory that V8 knows of, but no node stands for */
    uint64_t allocation_bytes;   /* text of recorded allocations */
    struct pm_error *damage;     /* what is wrong with the file; the caller's, NULL = nothing */
    bool nodes_cut, names_cut, references_lost;
    uint64_t wrong_edges; /* left out of the graph */
};

/* Told from the first bytes. */
bool pm_heap_snapshot_sniff(const struct pm_input *input);
/* facts may be NULL; else written on success only. */
struct pm_error *pm_heap_snapshot_read(const struct pm_input *input, struct pm_graph **ret,
                                       struct pm_snapshot_facts *facts);
/* Adds what was not read to the coverage, and the damage (which it takes) to the problems. */
void pm_heap_snapshot_coverage(struct pm_snapshot_facts *facts, struct pm_diagnosis *diagnosis);

#endif
