/* commands.h - what the program can be asked for.
 *
 * TO ADD A COMMAND: commands/NAME.c with one `const struct pm_command`, a line in commands.c, the source in
 * CMakeLists.txt, a case in tests/cli/. Help, usage errors and the README's table come from the struct.
 *
 * A command gets a session in which the files are open: facts of small files (reports, profiles, logs) are in
 * the diagnosis, the core is open, a snapshot is mapped; what could not be opened is NULL and already noted
 * as a problem. It adds to the diagnosis and prints nothing. */
#ifndef PM_COMMANDS_H
#define PM_COMMANDS_H

#include "parsers/core_file.h"
#include "parsers/formats.h"
#include "parsers/modules.h"
#include "parsers/unwind.h"
#include "postmortem/detect/heap_view.h"
#include "postmortem/model/diagnosis.h"
#include "postmortem/model/heap_rows.h"
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

struct pm_session_file {
    struct pm_input *input;
    const struct pm_format *format;
    size_t skipped_from, skipped_to; /* what was lost of it: rows of diagnosis->skipped */
    size_t group;                    /* incident it is of; 0 = the first */
};

struct pm_session {
    const struct pm_options *options;
    struct pm_diagnosis *diagnosis;
    pm_progress *progress; /* NULL = nobody watches */
    struct pm_session_file *files;
    size_t file_count;
    struct pm_input *input;    /* borrowed: of the core; NULL = none was given */
    struct pm_input *snapshot; /* borrowed: of the heap snapshot; NULL */
    struct pm_core *core;
    struct pm_modules *modules;
    struct v8 *v8;               /* NULL: no layout; everything that needs none is still delivered */
    struct pm_error *v8_failure; /* why there is none */
    /* Who keeps what alive, of the core's isolate at fault or else of the snapshot (heap.c). */
    struct pm_graph *graph;
    struct pm_dominators *dominators;
    struct pm_dominator_children *children;
    size_t graph_isolate; /* index in diagnosis->isolates; SIZE_MAX = of a snapshot */
};

struct pm_command {
    const char *name;
    const char *arguments; /* "CORE", "FILE ADDR" */
    const char *summary;
    const char *details;         /* a paragraph of the command's own help, or NULL */
    const char *const *examples; /* NULL-terminated: arguments behind "postmortem " */
    size_t least_files, most_files;
    bool takes_address; /* the last argument is an address */
    bool incidents;     /* its files may be of several incidents: each is told apart */
    bool finds_files;   /* its arguments are not opened before it runs: it looks for files itself */
    bool many_heaps;    /* several cores or snapshots: none is opened for the session, all are in its files */
    bool writes_file;   /* --output is the command's own */
    unsigned open;      /* of enum pm_open */
    unsigned sections;  /* of enum pm_section: what it shows */
    /* An error ends the run with exit code 2 when nothing else was found out. */
    struct pm_error *(*run)(struct pm_session *session);
};

extern const struct pm_command pm_command_diagnose, pm_command_stacks, pm_command_spaces,
    pm_command_histogram, pm_command_dominators, pm_command_objects, pm_command_inspect, pm_command_retainers,
    pm_command_strings, pm_command_loop, pm_command_compare, pm_command_export, pm_command_layouts,
    pm_command_batch;

const struct pm_command *const *pm_commands(size_t *count_ret); /* the first one is the default */
const struct pm_command *pm_command_find(const char *name);     /* NULL = no such command */
/* The command that is spelled most alike, NULL = none is near. */
const struct pm_command *pm_command_near(const char *name);

/* Edits from a to b: insert, delete, replace, swap neighbours; of words longer than 32 letters 32. */
size_t pm_word_distance(const char *a, const char *b);

/* Steps that several commands share (session.c). Without what they need they do nothing: that was already
 * noted. */
struct pm_error *pm_session_stacks(struct pm_session *session);                 /* diagnosis->threads */
struct pm_error *pm_session_heap(struct pm_session *session, bool spaces_only); /* diagnosis->isolates */
struct pm_error *
pm_session_loops(struct pm_session *session); /* diagnosis->loops, after the stacks (loop.c) */
/* The graph with dominators and their children (graph, dominators, children), once; without a heap they stay
 * NULL. */
struct pm_error *pm_session_graph(struct pm_session *session);
/* The references alone (graph), which is all that looking at single objects takes. */
struct pm_error *pm_session_references(struct pm_session *session);
/* The rows of the isolate that the graph is of: histogram, retained sizes, the top of the dominator tree. */
struct pm_error *pm_session_heap_rows(struct pm_session *session, const struct pm_tree_cut *cut);
/* For commands that are nothing without a graph: makes it, or says why there is none. */
struct pm_error *pm_session_need_graph(struct pm_session *session);
struct pm_error *pm_session_need_references(struct pm_session *session);
/* Also when the file has the objects without their references. */
struct pm_error *pm_session_need_objects(struct pm_session *session);
/* The object of the command line: an address of a core, an id of a snapshot. */
struct pm_error *pm_session_find(const struct pm_session *session, pm_node *ret);
/* One more heap beside the session's, from one of its files; what could not be read of it is in `scratch`.
 * Close it before the next one is opened, and the memory is that of one heap. */
struct pm_error *pm_session_open_heap(const struct pm_session *parent, const struct pm_session_file *file,
                                      struct pm_diagnosis *scratch, struct pm_session *ret);
void pm_session_close(struct pm_session *session);
/* false = there is no graph. */
bool pm_session_tree(const struct pm_session *session, struct pm_heap_tree *ret);
bool pm_session_view(const struct pm_session *session, struct pm_heap_view *ret);
/* What is being done: for the progress line, and for the message if this program itself crashes. */
void pm_session_say(const struct pm_session *session, const char *what);
/* For commands that are nothing without it: why there is no layout. */
struct pm_error *pm_session_need_v8(struct pm_session *session);

#endif
