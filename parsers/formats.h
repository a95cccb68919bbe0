/* formats.h - the kinds of input, told apart by content, never by file name.
 *
 * TO ADD A FORMAT: its sniffer and row in formats.c (order: the most certain first), a parser beside it, a
 * case in tests/parsers/test_formats.c and a fuzz target.
 *
 * A heap (core, snapshot) is large and stays open while it is analysed: the session does that. Everything
 * else is read at once: load() parses the file and appends what it says to the diagnosis (its arena, its
 * list), deciding nothing. A damaged file: what could be read is appended, the rest is noted with
 * pm_diagnosis_skip(); an error only when nothing of it is of use. */
#ifndef PM_PARSERS_FORMATS_H
#define PM_PARSERS_FORMATS_H

#include "parsers/input.h"
#include "postmortem/model/diagnosis.h"

enum pm_format_use {
    PM_USE_NONE,     /* known, but not readable by this version */
    PM_USE_CORE,     /* opened by the session */
    PM_USE_SNAPSHOT, /* likewise */
    PM_USE_FACTS,    /* load() */
};

struct pm_format {
    const char *name;  /* word of the JSON output: core, report ... */
    const char *title; /* "a diagnostic report" */
    enum pm_format_use use;
    const char *hint; /* what to do with one that cannot be used; NULL */
    bool (*sniff)(const struct pm_input *input);
    struct pm_error *(*load)(const struct pm_input *input, struct pm_diagnosis *diagnosis);
};

/* The format of an input: never NULL; the last one is "unknown". */
const struct pm_format *pm_format_of(const struct pm_input *input);

#endif
