/* input.h - an input file as read-only bytes: mapped, or decompressed to an unlinked temporary file and then
 * mapped.
 *
 * Knows compression by content (gzip, zstd, lz4, xz, bzip2 through libarchive's raw format). Knows no format
 * inside. Sparse files stay sparse: nothing is read or allocated by apparent size, decompression writes holes
 * for zero blocks. Pipes and devices are refused. The temporary file goes to TMPDIR, else beside the input,
 * else to /var/tmp or /tmp.
 *
 * SIGBUS     a file that someone truncates while it is mapped kills us on the next read; `size` is that of
 *            opening time.
 * OWNERSHIP  bytes live until pm_input_close().
 * FAILURE    only pm_input_open() can fail; its messages begin with the path. */
#ifndef PM_PARSERS_INPUT_H
#define PM_PARSERS_INPUT_H

#include <stddef.h>

#include "postmortem/base/cleanup.h"
#include "postmortem/base/error.h"

struct pm_hole { /* of a sparse file: zeros that nobody wrote */
    uint64_t start, end;
};

struct pm_input {
    char *path;           /* as given */
    const uint8_t *bytes; /* NULL when size is 0 */
    uint64_t size;        /* after decompression */
    uint64_t file_size;   /* on disk */
    bool decompressed;
    bool mapped;           /* the bytes are a mapping of a file: pages that were read can be given back */
    struct pm_hole *holes; /* the large ones, ascending; only of files that are mostly holes */
    size_t hole_count;
    bool truncated; /* the compressed stream ended early; bytes hold what came before */
};

/* Progress: called now and then while decompressing, with the bytes of the file on disk that are done; may be
 * NULL. */
typedef void pm_input_progress(void *context, uint64_t done);

struct pm_error *pm_input_open(const char *path, pm_input_progress *progress, void *context,
                               struct pm_input **ret);
void pm_input_close(struct pm_input *input);
/* Bytes from `start` up to `end` will hardly be read again: keeps a pass over a huge file out of our memory.
 * They stay readable. */
void pm_input_release(const struct pm_input *input, uint64_t start, uint64_t end);

PM_DEFINE_AUTO(input, struct pm_input, pm_input_close)

#endif
