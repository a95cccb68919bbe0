/* batch.h - many files, one row each, in groups of the same signature.
 *
 *     pm_batch_add(batch, &row);  for every file, in any order: the result does not depend on it
 *     pm_batch_finish(batch);     groups by number of files, the largest first
 *
 * Memory grows with the groups, not with the files: a group keeps its numbers, an example and at most
 * PM_BATCH_NAMES of its hosts and versions; of files that could not be read at most PM_BATCH_FAILED are
 * kept by name, all are counted.
 * OWNERSHIP  texts of a row are copied to the arena. FAILURE  without memory a row is counted only. */
#ifndef PM_MODEL_BATCH_H
#define PM_MODEL_BATCH_H

#include "postmortem/model/diagnosis.h"

#define PM_BATCH_NAMES    20
#define PM_BATCH_EXAMPLES 5
#define PM_BATCH_FAILED   1000

struct pm_batch_row {
    const char *path;
    const char *key; /* the signature; NULL = the file could not be read */
    const char *verdict, *death, *finding, *host, *node_version;
    const char *reason;         /* why it could not be read */
    uint64_t first_ms, last_ms; /* when, ms since 1970; PM_UNKNOWN */
    uint64_t count;             /* files it stands for: 1, more in a group of another batch */
    uint64_t partial;           /* of them read in part */
    int severity;               /* of the worst finding, enum pm_severity; -1 = none */
};

struct pm_batch_names {
    const char *names[PM_BATCH_NAMES];
    size_t count;
    bool more; /* there were others */
};

struct pm_batch_group {
    const char *key, *verdict, *death, *finding;
    const char *examples[PM_BATCH_EXAMPLES]; /* the first one is that of the verdict */
    size_t example_count;
    uint64_t count, partial, first_ms, last_ms;
    int severity, example_severity;
    uint64_t example_partial;
    struct pm_batch_names hosts, versions;
};

struct pm_batch_failure {
    const char *path, *reason;
};

struct pm_batch {
    struct pm_arena *arena;
    uint64_t files;  /* all */
    uint64_t failed; /* of them not read */
    struct pm_batch_group **groups;
    size_t group_count, group_room;
    size_t *slots; /* hash table: index + 1 */
    size_t slot_count;
    struct pm_batch_failure *failures;
    size_t failure_count;
};

struct pm_batch *pm_batch_create(struct pm_arena *arena); /* NULL without memory */
void pm_batch_add(struct pm_batch *batch, const struct pm_batch_row *row);
void pm_batch_finish(struct pm_batch *batch);

#endif
