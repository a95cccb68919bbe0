/* commands.h - what the program can be asked for.
 *
 * TO ADD A COMMAND: commands/NAME.c with one `const struct pm_command`, a line in commands.c, the source in
 * CMakeLists.txt, a case in tests/cli/. Help, usage errors and the README's table come from the struct.
 *
 * A command gets a session in which the core is open; what could not be opened is NULL and already noted as a
 * problem. It adds to the diagnosis and prints nothing. */
#ifndef PM_COMMANDS_H
#define PM_COMMANDS_H

#include "parsers/core_file.h"
#include "parsers/modules.h"
#include "parsers/unwind.h"
#include "postmortem/model/diagnosis.h"
#include "v8layout/heap.h"

struct pm_options;

/* What a command needs opened before it runs. */
enum pm_open {
    PM_OPEN_NOTHING = 0,
    PM_OPEN_CORE = 1 << 0,
    PM_OPEN_V8 = 1 << 1,    /* with the core and the binaries */
    PM_OPEN_GRAPH = 1 << 2, /* afterwards: who keeps the memory alive */
};

/* Long work says what it is at; total 0 = not known. */
typedef void pm_progress(const char *what, uint64_t done, uint64_t total);

struct pm_session {
    const struct pm_options *options;
    struct pm_diagnosis *diagnosis;
    pm_progress *progress;  /* NULL = nobody watches */
    struct pm_input *input; /* NULL with PM_OPEN_NOTHING */
    struct pm_core *core;
    struct pm_modules *modules;
    struct v8 *v8;               /* NULL: no layout; everything that needs none is still delivered */
    struct pm_error *v8_failure; /* why there is none */
};

struct pm_command {
    const char *name;
    const char *arguments; /* "CORE", "FILE ADDR" */
    const char *summary;
    const char *details;         /* a paragraph of the command's own help, or NULL */
    const char *const *examples; /* NULL-terminated: arguments behind "postmortem " */
    size_t least_files, most_files;
    bool takes_address; /* the last argument is an address */
    unsigned open;      /* of enum pm_open */
    unsigned sections;  /* of enum pm_section: what it shows */
    /* An error ends the run with exit code 2 when nothing else was found out. */
    struct pm_error *(*run)(struct pm_session *session);
};

extern const struct pm_command pm_command_diagnose, pm_command_stacks, pm_command_spaces,
    pm_command_histogram, pm_command_inspect, pm_command_objects, pm_command_layouts;

const struct pm_command *const *pm_commands(size_t *count_ret); /* the first one is the default */
const struct pm_command *pm_command_find(const char *name);     /* NULL = no such command */
/* The command that is spelled most alike, NULL = none is near. */
const struct pm_command *pm_command_near(const char *name);

/* Steps that several commands share (session.c). Without what they need they do nothing: that was already
 * noted. */
struct pm_error *pm_session_stacks(struct pm_session *session);                 /* diagnosis->threads */
struct pm_error *pm_session_heap(struct pm_session *session, bool spaces_only); /* diagnosis->isolates */
struct pm_error *pm_session_leaks(struct pm_session *session); /* diagnosis->findings, reachable objects */
/* What is being done: for the progress line, and for the message if this program itself crashes. */
void pm_session_say(const struct pm_session *session, const char *what);
/* For commands that are nothing without it: why there is no layout. */
struct pm_error *pm_session_need_v8(struct pm_session *session);

#endif
