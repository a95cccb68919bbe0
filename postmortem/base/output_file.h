/* output_file.h - a file that appears when it is complete: written beside its place under a temporary name,
 * then renamed, so that a failure leaves no half file. What is no regular file (/dev/stdout, a named pipe) is
 * written directly.
 *
 * USAGE    pm_output_open(), write to `file`, pm_output_close() with what happened in between: it takes the
 * error over and returns the first one. */
#ifndef PM_BASE_OUTPUT_FILE_H
#define PM_BASE_OUTPUT_FILE_H

#include <stdio.h>

#include "postmortem/base/error.h"

struct pm_output {
    FILE *file;
    bool regular;
    char *path, *temporary;
};

struct pm_error *pm_output_open(const char *path, struct pm_output *ret);
struct pm_error *pm_output_close(struct pm_output *output, struct pm_error *err);

#endif
