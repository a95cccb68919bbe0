/* heapsnapshot_strings.h - the string table of a heap snapshot while it is written: every text gets a number,
 * equal texts the same one.
 *
 * The strings come last in the file, but their numbers are needed from the first node on. So the texts go to
 * a temporary file, ready for the end of the snapshot, and only a 128-bit hash of each stays in memory: 34 to
 * 68 bytes for a text of any length.
 *
 * FAILURE    adding cannot be refused: the first error is kept and comes out of _finish(). */
#ifndef PM_REPORT_HEAPSNAPSHOT_STRINGS_H
#define PM_REPORT_HEAPSNAPSHOT_STRINGS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "postmortem/base/cleanup.h"
#include "postmortem/base/error.h"

struct pm_snapshot_strings;

/* folder: for the temporary file, which has no name; NULL = TMPDIR, /var/tmp or /tmp. */
struct pm_error *pm_snapshot_strings_create(const char *folder, struct pm_snapshot_strings **ret);
void pm_snapshot_strings_destroy(struct pm_snapshot_strings *strings);
uint32_t pm_snapshot_strings_add(struct pm_snapshot_strings *strings, const char *text, size_t length);
/* Writes them all as the elements of a JSON array. */
struct pm_error *pm_snapshot_strings_finish(struct pm_snapshot_strings *strings, FILE *out);

PM_DEFINE_AUTO(snapshot_strings, struct pm_snapshot_strings, pm_snapshot_strings_destroy)

#endif
