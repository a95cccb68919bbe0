/* formats.h - the kinds of input, told apart by content, never by file name.
 *
 * TO ADD A FORMAT: its sniffer and row in formats.c (order: the most certain first), a parser beside it, a
 * case in tests/parsers/test_formats.c and a fuzz target. */
#ifndef PM_PARSERS_FORMATS_H
#define PM_PARSERS_FORMATS_H

#include "parsers/input.h"

struct pm_format {
    const char *name;  /* word of the JSON output: core, report ... */
    const char *title; /* "a diagnostic report" */
    bool readable;     /* this version can analyse it */
    const char *hint;  /* what to do with one that it cannot; NULL */
    bool (*sniff)(const struct pm_input *input);
};

/* The format of an input: never NULL; the last one is "unknown". */
const struct pm_format *pm_format_of(const struct pm_input *input);

#endif
