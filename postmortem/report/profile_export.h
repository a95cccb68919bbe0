/* profile_export.h - a heap or CPU profile for other tools.
 *
 *   folded   a line for each call path: frames from the outermost to the innermost with ';' between them, a
 *            blank, its own value (bytes, or microseconds). flamegraph.pl, inferno, speedscope.
 *   pprof    gzip'ed protobuf (pprof.proto): go tool pprof, Pyroscope, Parca, speedscope. Values are the
 *            number of samples, and bytes or nanoseconds.
 *
 * (root) is no frame. A path of more than PM_MAX_EXPORTED_FRAMES loses its outermost frames, and `cut_ret`
 * counts it. FAILURE  out of memory, no room; the file appears when it is complete. */
#ifndef PM_REPORT_PROFILE_EXPORT_H
#define PM_REPORT_PROFILE_EXPORT_H

#include <stdio.h>

#include "postmortem/model/profile.h"

/* V8 takes 255 frames of a CPU sample and 128 of a heap sample at most: what is deeper was made by hand, and
 * paths take the square of the depth. */
#define PM_MAX_EXPORTED_FRAMES 2048

struct pm_error *pm_profile_write_folded(const struct pm_profile *profile, FILE *out, uint64_t *cut_ret);
struct pm_error *pm_profile_write_pprof(const struct pm_profile *profile, FILE *out, uint64_t *cut_ret);

/* For the two above. The functions of a call and its callers, the innermost first, into
 * frames[PM_MAX_EXPORTED_FRAMES]; returns how many. */
size_t pm_profile_frames(const struct pm_profile *profile, size_t call, uint32_t *frames, uint64_t *cut);

#endif
