#include "postmortem/options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "postmortem/base/escape.h"
#include "postmortem/model/words.h"

enum option_id {
    OPTION_EXE = 256,
    OPTION_SYSROOT,
    OPTION_ISOLATE,
    OPTION_FORMAT,
    OPTION_OUTPUT,
    OPTION_MAX_BYTES,
    OPTION_LIMIT,
    OPTION_REDACT,
    OPTION_COLOR,
    OPTION_NO_PROGRESS,
    OPTION_VERBOSE,
    OPTION_FAIL_ON,
    OPTION_BY,
    OPTION_CLASS,
    OPTION_TIMEOUT,
    OPTION_MAX_MEMORY,
    OPTION_UNDER,
    OPTION_ALL,
    OPTION_WEAK,
    OPTION_AS,
    OPTION_EXPLAIN,
    OPTION_HIDE_FACTS,
    OPTION_HELP,
    OPTION_VERSION,
};

/* Groups in the order of the help. */
enum option_group { GROUP_INPUT, GROUP_OUTPUT, GROUP_COMMAND, GROUP_OTHER, GROUP_TEST, GROUP_COUNT };
static const char *const group_titles[] = {"Input", "Output", "Of single commands", "Other", "For tests"};

static const struct option_row {
    enum option_id id;
    const char *name;
    char letter;
    int has_argument;     /* no_argument ... of getopt.h */
    const char *argument; /* as the help spells it */
    enum option_group group;
    const char *command; /* only of this command; NULL = of all */
    const char *help;
} rows[] = {
    {OPTION_EXE, "exe", 0, required_argument, "PATH", GROUP_INPUT, NULL, "the node binary the process ran"},
    {OPTION_SYSROOT, "sysroot", 0, required_argument, "DIR", GROUP_INPUT, NULL,
     "root of the container image: its binaries are looked up below DIR"},
    {OPTION_ISOLATE, "isolate", 0, required_argument, "WHICH", GROUP_INPUT, NULL,
     "of a process with workers, the heap to look at: main, a thread's number, or the isolate's address "
     "(default: the one that died, or has most memory)"},
    {OPTION_FORMAT, "format", 'f', required_argument, "FORMAT", GROUP_OUTPUT, NULL,
     "text (default), json, markdown or html"},
    {OPTION_OUTPUT, "output", 'o', required_argument, "FILE", GROUP_OUTPUT, NULL,
     "write to FILE: complete or not at all"},
    {OPTION_MAX_BYTES, "max-bytes", 0, required_argument, "N", GROUP_OUTPUT, NULL,
     "cut a ticket to N bytes, at least 1000 (default 30000)"},
    {OPTION_LIMIT, "limit", 'n', required_argument, "N", GROUP_OUTPUT, NULL,
     "rows of a table, frames of a stack; 0 = all"},
    {OPTION_REDACT, "redact", 0, optional_argument, "LEVEL", GROUP_OUTPUT, NULL,
     "none: hide nothing; default: hide what looks like a secret, heap strings too; strict: show no heap "
     "string at all. "
     "Without the option secrets in arguments and environment are hidden, in tickets also those in heap "
     "strings"},
    {OPTION_COLOR, "color", 0, required_argument, "WHEN", GROUP_OUTPUT, NULL,
     "auto (default), always or never; NO_COLOR is respected"},
    {OPTION_NO_PROGRESS, "no-progress", 0, no_argument, NULL, GROUP_OUTPUT, NULL,
     "no progress line on a terminal"},
    {OPTION_VERBOSE, "verbose", 'v', no_argument, NULL, GROUP_OUTPUT, NULL, "every frame, every space"},
    {OPTION_FAIL_ON, "fail-on", 0, required_argument, "SEVERITY", GROUP_OUTPUT, NULL,
     "exit with 1 when a finding is at least info, low, medium, high or critical"},
    {OPTION_BY, "by", 0, required_argument, "WHAT", GROUP_COMMAND, "histogram",
     "constructor (default); package or script of the function that made the object; space of the heap"},
    {OPTION_UNDER, "under", 0, required_argument, "OBJECT", GROUP_COMMAND, "dominators",
     "only what this object keeps alive"},
    {OPTION_ALL, "all", 0, no_argument, NULL, GROUP_COMMAND, "retainers", "list every direct referrer"},
    {OPTION_WEAK, "weak", 0, no_argument, NULL, GROUP_COMMAND, "retainers",
     "look for weak references, too, which keep nothing alive (reads all objects)"},
    {OPTION_AS, "as", 0, required_argument, "FORMAT", GROUP_COMMAND, "export",
     "heapsnapshot: loads in Chrome DevTools and memlab; folded, pprof: profiles for other tools"},
    {OPTION_CLASS, "class", 0, required_argument, "NAME", GROUP_COMMAND, "objects",
     "the constructor, as histogram names it"},
    {OPTION_TIMEOUT, "timeout", 0, required_argument, "SECONDS", GROUP_COMMAND, "batch",
     "for one file (default 600); 0 = as long as it takes"},
    {OPTION_MAX_MEMORY, "max-memory", 0, required_argument, "MB", GROUP_COMMAND, "batch",
     "of the reader of one file (default: what is free, divided by the readers)"},
    {OPTION_EXPLAIN, "explain", 0, no_argument, NULL, GROUP_COMMAND, "layouts",
     "each field of V8's layout in this core: its value and where it comes from"},
    {OPTION_HELP, "help", 'h', no_argument, NULL, GROUP_OTHER, NULL,
     "this help; after a command, the command's"},
    {OPTION_VERSION, "version", 0, no_argument, NULL, GROUP_OTHER, NULL, "the version"},
    {OPTION_HIDE_FACTS, "hide-facts", 0, required_argument, "PATTERNS", GROUP_TEST, NULL,
     "pretend that the binary does not publish these facts (comma-separated fnmatch patterns, such as "
     "'v8dbg_*')"},
};
static const size_t row_count = sizeof(rows) / sizeof(rows[0]);

/* ---- parsing ---- */

static void complain(char **message, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void complain(char **message, const char *format, ...) {
    struct pm_strbuf text = {0}, shown = {0};
    va_list args;
    va_start(args, format);
    pm_strbuf_vappendf(&text, format, args);
    va_end(args);
    pm_escape_terminal(&shown, pm_strbuf_text(&text), text.length);
    pm_strbuf_deinit(&text);
    free(*message);
    *message = pm_strbuf_take(&shown);
    pm_strbuf_deinit(&shown);
}

static bool parse_number(const char *text, uint64_t *ret) {
    char *end;
    errno = 0;
    if (*text < '0' || *text > '9') return false;
    *ret = strtoull(text, &end, 10);
    return !errno && !*end;
}

/* 0x7f00 or 7f00: an address; @17: the id of a snapshot's object. Digits alone may be either. */
static bool parse_object(const char *text, struct pm_options *ret) {
    char *end;
    bool is_id = *text == '@';
    uint64_t decimal = UINT64_MAX;
    if (is_id) text++;
    if (!*text || strspn(text, is_id ? "0123456789" : "0123456789abcdefABCDEFxX") != strlen(text))
        return false;
    if (!is_id && !parse_number(text, &decimal)) decimal = UINT64_MAX;
    errno = 0;
    uint64_t value = strtoull(text, &end, is_id ? 10 : 16);
    if (errno || *end) return false;
    ret->has_object = true;
    ret->object_is_id = is_id;
    ret->object = value;
    ret->object_as_decimal = decimal;
    ret->address = value & ~(uint64_t)3;
    return true;
}

static bool one_of(const char *text, const char *const *words, size_t count, int *ret) {
    for (size_t i = 0; i < count; i++)
        if (words[i] && !strcmp(text, words[i])) {
            *ret = (int)i;
            return true;
        }
    return false;
}

static bool apply_word(const struct option_row *row, const char *value, struct pm_options *ret,
                       char **message) {
    static const char *const whens[] = {
        [PM_AUTO_WHEN] = "auto", [PM_ALWAYS] = "always", [PM_NEVER] = "never"};
    static const char *const levels[] = {
        [PM_REDACT_NONE] = "none", [PM_REDACT_DEFAULT] = "default", [PM_REDACT_STRICT] = "strict"};
    static const char *const bys[] = {[PM_BY_CONSTRUCTOR] = "constructor",
                                      [PM_BY_PACKAGE] = "package",
                                      [PM_BY_SCRIPT] = "script",
                                      [PM_BY_SPACE] = "space"};
    int word = 0;
    if (row->id == OPTION_COLOR) {
        if (!one_of(value, whens, 3, &word))
            return complain(message, "--color takes auto, always or never"), false;
        ret->color = (enum pm_when)word;
    } else if (row->id == OPTION_REDACT) {
        if (!one_of(value ? value : "default", levels, 3, &word))
            return complain(message, "--redact takes none, default or strict"), false;
        ret->redaction = (enum pm_redaction)word;
        ret->redaction_given = true;
    } else if (row->id == OPTION_FAIL_ON) {
        for (ret->fail_on = PM_SEVERITY_CRITICAL; ret->fail_on >= 0; ret->fail_on--)
            if (!strcmp(value, pm_severity_word((enum pm_severity)ret->fail_on))) return true;
        return complain(message, "--fail-on takes info, low, medium, high or critical"), false;
    } else { /* OPTION_BY */
        if (!one_of(value, bys, 4, &word))
            return complain(message, "--by takes constructor, package, script or space"), false;
        ret->by = (enum pm_by)word;
    }
    return true;
}

static bool apply(const struct option_row *row, const char *value, struct pm_options *ret, char **message) {
    uint64_t number = 0;
    switch (row->id) {
    case OPTION_EXE: ret->exe = value; return true;
    case OPTION_SYSROOT: ret->sysroot = value; return true;
    case OPTION_ISOLATE: ret->isolate = value; return true;
    case OPTION_OUTPUT: ret->output = value; return true;
    case OPTION_CLASS: ret->class_name = value; return true;
    case OPTION_AS: ret->export_as = value; return true;
    case OPTION_ALL: return ret->all = true;
    case OPTION_WEAK: return ret->weak = true;
    case OPTION_UNDER:
        if (!parse_object(value, ret))
            complain(message, "--under takes an address (0x...) or an id (@17), not '%s'", value);
        return ret->has_object;
    case OPTION_HIDE_FACTS: ret->hide_facts = value; return true;
    case OPTION_NO_PROGRESS: return ret->no_progress = true;
    case OPTION_VERBOSE: return ret->verbose = true;
    case OPTION_EXPLAIN: return ret->explain = true;
    case OPTION_FORMAT:
        ret->writer = pm_writer_find(value);
        if (!ret->writer) complain(message, "--format takes text, json, markdown or html");
        return ret->writer != NULL;
    case OPTION_MAX_BYTES:
    case OPTION_LIMIT:
    case OPTION_TIMEOUT:
    case OPTION_MAX_MEMORY:
        if (!parse_number(value, &number) || number > SIZE_MAX / 2)
            return complain(message, "--%s takes a number, not '%s'", row->name, value), false;
        if (row->id == OPTION_TIMEOUT)
            ret->timeout = number < 1000000 ? (size_t)number : 0;
        else if (row->id == OPTION_MAX_MEMORY)
            ret->max_memory = (size_t)number;
        else if (row->id == OPTION_LIMIT)
            ret->limit = number ? (size_t)number : SIZE_MAX;
        else
            ret->max_bytes = (size_t)number;
        if (row->id == OPTION_MAX_BYTES && number < 1000)
            return complain(message, "--max-bytes takes at least 1000"), false;
        return true;
    default: return apply_word(row, value, ret, message);
    }
}

static const struct option_row *row_of(int id) {
    for (size_t i = 0; i < row_count; i++)
        if ((int)rows[i].id == id || (rows[i].letter && rows[i].letter == id)) return &rows[i];
    return NULL;
}

/* getopt's own tables from ours. */
static void build_tables(struct option *longs, char *shorts) {
    *shorts++ = ':'; /* tell a missing argument from an unknown option, print nothing */
    for (size_t i = 0; i < row_count; i++) {
        longs[i] = (struct option){rows[i].name, rows[i].has_argument, NULL, (int)rows[i].id};
        if (!rows[i].letter) continue;
        *shorts++ = rows[i].letter;
        if (rows[i].has_argument == required_argument) *shorts++ = ':';
    }
    longs[row_count] = (struct option){0};
    *shorts = 0;
}

/* Which command, and which of the arguments are its files. */
static bool choose_command(struct pm_options *ret, char **message) {
    const char *first = ret->file_count ? ret->files[0] : NULL;
    ret->command = first ? pm_command_find(first) : NULL;
    if (ret->command) {
        ret->files++;
        ret->file_count--;
        return true;
    }
    size_t count;
    ret->command = pm_commands(&count)[0];
    if (!first || access(first, F_OK) == 0 || strpbrk(first, "./")) return true;
    const struct pm_command *near = pm_command_near(first);
    if (near)
        complain(message, "'%s' is neither a command nor a file; did you mean '%s'?", first, near->name);
    else
        complain(message, "'%s' is neither a command nor a file", first);
    return false;
}

static bool check_arguments(struct pm_options *ret, char **message) {
    const struct pm_command *command = ret->command;
    if (command->takes_address && ret->file_count > 1) {
        const char *last = ret->files[--ret->file_count];
        if (!parse_object(last, ret))
            return complain(message, "'%s' is neither an address (0x...) nor an id of a snapshot (@17)",
                            last),
                   false;
    } else if (command->takes_address) {
        return complain(message, "%s takes: %s", command->name, command->arguments), false;
    }
    if (ret->explain && !ret->file_count) return complain(message, "--explain takes a core"), false;
    if (!ret->explain && ret->file_count && command->most_files == 0)
        return complain(message, "%s takes a core only with --explain", command->name), false;
    if (ret->file_count < command->least_files || ret->file_count > (ret->explain ? 1 : command->most_files))
        return complain(message, "%s takes: %s", command->name, command->arguments), false;
    if (command == &pm_command_objects && !ret->class_name)
        return complain(message, "objects takes: %s", command->arguments), false;
    if (command->writes_file && (!ret->output || !ret->export_as))
        return complain(message, "%s takes: %s", command->name, command->arguments), false;
    return true;
}

enum pm_parse pm_options_parse(int argc, char **argv, struct pm_options *ret, char **message) {
    struct option longs[sizeof(rows) / sizeof(rows[0]) + 1];
    char shorts[2 * sizeof(rows) / sizeof(rows[0]) + 2];
    uint64_t given = 0;
    bool help = false;
    *message = NULL;
    *ret = (struct pm_options){
        .fail_on = -1, .timeout = 600, .redaction = PM_REDACT_DEFAULT, .writer = &pm_writer_text};
    build_tables(longs, shorts);
    optind = 0; /* start anew: tests parse more than once */
    for (int id; (id = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
        const struct option_row *row = row_of(id);
        const char *asked = optind > 0 && optind <= argc ? argv[optind - 1] : "";
        if (id == ':') return complain(message, "option '%s' takes an argument", asked), PM_PARSE_USAGE;
        if (!row) return complain(message, "unknown or ambiguous option '%s'", asked), PM_PARSE_USAGE;
        if (row->id == OPTION_VERSION) return PM_PARSE_VERSION;
        if (row->id == OPTION_HELP)
            help = true;
        else if (!apply(row, optarg, ret, message))
            return PM_PARSE_USAGE;
        given |= 1ull << (row - rows);
    }
    ret->files = (const char *const *)(argv + optind);
    ret->file_count = (size_t)(argc - optind);
    if (help) {
        ret->command = ret->file_count ? pm_command_find(ret->files[0]) : NULL;
        return PM_PARSE_HELP;
    }
    if (argc <= 1) return PM_PARSE_USAGE;
    if (!choose_command(ret, message)) return PM_PARSE_USAGE;
    for (size_t i = 0; i < row_count; i++)
        if ((given >> i & 1) && rows[i].command && strcmp(rows[i].command, ret->command->name) != 0)
            return complain(message, "--%s is an option of '%s'", rows[i].name, rows[i].command),
                   PM_PARSE_USAGE;
    return check_arguments(ret, message) ? PM_PARSED : PM_PARSE_USAGE;
}

/* ---- help ---- */

static void put_wrapped(const char *text, size_t indent, FILE *out) {
    size_t column = indent;
    while (*text) {
        size_t length = strcspn(text, " ");
        if (column > indent && column + 1 + length > 98) {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
        }
        column += (size_t)fprintf(out, "%s%.*s", column > indent ? " " : "", (int)length, text);
        text += length + strspn(text + length, " ");
    }
    putc('\n', out);
}

static void put_option(const struct option_row *row, bool name_command, FILE *out) {
    char name[64];
    const char *equals = row->has_argument == optional_argument ? "[=" : row->argument ? " " : "";
    snprintf(name, sizeof(name), "%s%s%s--%s%s%s%s", row->letter ? "-" : "  ",
             row->letter ? (char[]){row->letter, 0} : "", row->letter ? ", " : "  ", row->name, equals,
             row->argument ? row->argument : "", row->has_argument == optional_argument ? "]" : "");
    fprintf(out, "  %-26s ", name);
    struct pm_strbuf help PM_AUTO_STRBUF = {0};
    if (name_command && row->command) pm_strbuf_appendf(&help, "%s: ", row->command);
    pm_strbuf_append(&help, row->help);
    put_wrapped(pm_strbuf_text(&help), 29, out);
}

static void put_options(const struct pm_command *command, FILE *out) {
    for (enum option_group group = 0; group < GROUP_COUNT; group++) {
        bool titled = false;
        for (size_t i = 0; i < row_count; i++) {
            bool wanted = !command || !rows[i].command || !strcmp(rows[i].command, command->name);
            if (rows[i].group != group || !wanted) continue;
            if (!titled) fprintf(out, "\n%s\n", group_titles[group]);
            titled = true;
            put_option(&rows[i], !command, out);
        }
    }
}

static void put_exit_codes(FILE *out) {
    fputs("\nExit code\n"
          "  0   analysed completely\n"
          "  1   analysed in part: the output says what is missing (or --fail-on found something)\n"
          "  2   could not analyse\n"
          "  64  wrong usage\n",
          out);
}

void pm_options_help(const struct pm_command *command, FILE *out) {
    size_t count;
    const struct pm_command *const *commands = pm_commands(&count);
    if (command) {
        fprintf(out, "Usage: postmortem %s %s [OPTION...]\n\n", command->name, command->arguments);
        put_wrapped(command->summary, 0, out);
        if (command->details) {
            putc('\n', out);
            put_wrapped(command->details, 0, out);
        }
    } else {
        fputs("Usage: postmortem [COMMAND] FILE... [OPTION...]\n\n"
              "Says why a Node.js process died: from its core, without a debugger.\n\nCommands\n",
              out);
        for (size_t i = 0; i < count; i++) {
            char usage[64];
            snprintf(usage, sizeof(usage), "%s %s", commands[i]->name, commands[i]->arguments);
            fprintf(out, "  %-26s %s\n", usage, commands[i]->summary);
        }
    }
    put_options(command, out);
    fputs("\nExamples\n", out);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; (!command || command == commands[i]) && commands[i]->examples[k]; k++)
            if (command || k == 0 || i == 0) fprintf(out, "  postmortem %s\n", commands[i]->examples[k]);
    put_exit_codes(out);
}
