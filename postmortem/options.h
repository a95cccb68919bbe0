/* options.h - the command line as a plain struct. One table (options.c) gives parsing, --help and the tests'
 * list.
 *
 * TO ADD AN OPTION: a row in the table of options.c, a member below, the case that sets it in apply(). */
#ifndef PM_OPTIONS_H
#define PM_OPTIONS_H

#include <stdio.h>

#include "postmortem/commands.h"
#include "postmortem/redact.h"
#include "postmortem/report/writer.h"

enum pm_by { PM_BY_CONSTRUCTOR, PM_BY_PACKAGE, PM_BY_SCRIPT, PM_BY_SPACE };
enum pm_when { PM_AUTO_WHEN, PM_ALWAYS, PM_NEVER };

struct pm_options {
    const struct pm_command *command;
    const char *const *files; /* of argv */
    size_t file_count;
    /* The object of the command line: an address (0x7f.., tag bits and all) or a snapshot's id (@17). */
    bool has_object, object_is_id;
    uint64_t object;
    uint64_t object_as_decimal; /* of digits without 0x and @, which may be either; else UINT64_MAX */
    pm_addr address;            /* object as an address without tag bits */
    const char *exe, *sysroot;
    /* The heap to look at of a process with workers: "main", the number of a thread, or an isolate's address.
     */
    const char *isolate;
    const struct pm_writer *writer;
    const char *output; /* NULL = standard output */
    size_t max_bytes;   /* 0 = not given */
    size_t limit;       /* 0 = not given, SIZE_MAX = all */
    enum pm_redaction redaction;
    bool redaction_given;
    enum pm_when color;
    bool no_progress, verbose, explain;
    const char *class_name;
    enum pm_by by;
    bool all, weak;        /* referrers: every one; weak ones too */
    const char *export_as; /* a name of the table of exports */
    size_t timeout;        /* seconds for one file of a batch; 0 = any */
    size_t max_memory;     /* MB for one file of a batch; 0 = not given */
    int fail_on;           /* enum pm_severity; -1 = not given */
    const char *hide_facts;
};

enum pm_parse { PM_PARSED, PM_PARSE_HELP, PM_PARSE_VERSION, PM_PARSE_USAGE };

/* Reorders argv. PM_PARSE_USAGE: what is wrong stands in `message` (malloc, NULL without arguments).
 * PM_PARSE_HELP: ret->command is the command to explain, or NULL. */
enum pm_parse pm_options_parse(int argc, char **argv, struct pm_options *ret, char **message);
/* Help of the whole program (command NULL) or of one command. */
void pm_options_help(const struct pm_command *command, FILE *out);

#endif
