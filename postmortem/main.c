/* postmortem - argv to options, options to a diagnosis, the diagnosis to a file or standard output. The only
 * place that ends the process or writes to the standard streams. */
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>

#include "postmortem/base/escape.h"
#include "postmortem/base/output_file.h"
#include "postmortem/crash.h"
#include "postmortem/run.h"

static bool progress_shown;

static void hide_progress(void) {
    if (progress_shown) fputs("\r\033[K", stderr);
    progress_shown = false;
}

static void show_progress(const char *what, uint64_t done, uint64_t total) {
    if (total)
        fprintf(stderr, "\r\033[Kpostmortem: %s, %" PRIu64 " %%", what, done * 100 / total);
    else if (done)
        fprintf(stderr, "\r\033[Kpostmortem: %s, %" PRIu64 " MB", what, done / 1000000);
    else
        fprintf(stderr, "\r\033[Kpostmortem: %s", what);
    progress_shown = true;
}

/* The one place where errors are printed. */
static void print_error(const struct pm_error *err) {
    struct pm_strbuf message PM_AUTO_STRBUF = {0}; /* file names may hold anything */
    pm_escape_terminal(&message, err->message, strlen(err->message));
    hide_progress();
    fprintf(stderr, "postmortem: %s", pm_strbuf_text(&message));
    if (err->has_where) fprintf(stderr, " (at 0x%" PRIx64 ")", err->where);
    fprintf(stderr, "\n");
    if (err->hint) fprintf(stderr, "  %s\n", err->hint);
}

static unsigned columns_of(FILE *out) {
    const char *text = getenv("COLUMNS");
    unsigned long columns = text ? strtoul(text, NULL, 10) : 0;
    struct winsize size;
    if (columns < 40 && ioctl(fileno(out), TIOCGWINSZ, &size) == 0) columns = size.ws_col;
    if (columns < 40) return 100;
    return columns > 1000 ? 1000 : (unsigned)columns;
}

static bool wants_color(const struct pm_options *options, FILE *out) {
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    if (options->color != PM_AUTO_WHEN) return options->color == PM_ALWAYS;
    return isatty(fileno(out)) && !(no_color && *no_color) && !(term && !strcmp(term, "dumb"));
}

static void write_diagnosis(const struct pm_options *options, const struct pm_diagnosis *diagnosis,
                            FILE *out) {
    struct pm_write_options writing = {
        .sections = options->command->sections,
        .columns = columns_of(out),
        .color = wants_color(options, out),
        .verbose = options->verbose,
        .limit = options->limit,
        .max_bytes = options->max_bytes,
    };
    pm_crash_position("writing the output", options->file_count ? options->files[0] : NULL);
    options->writer->write(diagnosis, &writing, out);
}

static struct pm_error *file_error(const char *path) {
    return pm_error_create(PM_ERR_IO, "%s: %s", path, strerror(errno));
}

/* A pipe whose reader has seen enough (head, a pager) is no failure. */
static struct pm_error *write_standard_output(const struct pm_options *options,
                                              const struct pm_diagnosis *diagnosis) {
    errno = 0;
    write_diagnosis(options, diagnosis, stdout);
    if (fflush(stdout) == 0 && !ferror(stdout)) return NULL;
    return errno == EPIPE ? NULL : file_error("standard output");
}

static struct pm_error *write_file(const struct pm_options *options, const struct pm_diagnosis *diagnosis) {
    struct pm_output output;
    PM_TRY(pm_output_open(options->output, &output));
    write_diagnosis(options, diagnosis, output.file);
    return pm_output_close(&output, NULL);
}

static bool finds(const struct pm_diagnosis *diagnosis, int severity) {
    for (size_t i = 0; i < diagnosis->finding_count; i++)
        if (severity >= 0 && (int)diagnosis->findings[i].severity >= severity) return true;
    return false;
}

static int run(const struct pm_options *options) {
    struct pm_diagnosis *diagnosis PM_AUTO(diagnosis) = pm_diagnosis_create();
    if (!diagnosis) {
        fputs("postmortem: out of memory\n", stderr);
        return PM_EXIT_FAILED;
    }
    bool watched = !options->no_progress && isatty(STDERR_FILENO);
    struct pm_error *err = pm_run(options, watched ? show_progress : NULL, diagnosis);
    hide_progress();
    if (err) {
        print_error(err);
        bool for_programs = options->writer == &pm_writer_json && diagnosis->redaction;
        pm_diagnosis_problem(diagnosis, err);
        diagnosis->exit_code = PM_EXIT_FAILED;
        if (!for_programs) return PM_EXIT_FAILED; /* JSON: a broken file is a row of a batch, too */
    }
    bool to_file = options->output && !options->command->writes_file;
    err = to_file ? write_file(options, diagnosis) : write_standard_output(options, diagnosis);
    if (err) {
        print_error(err);
        pm_error_destroy(err);
        return PM_EXIT_FAILED;
    }
    bool found = finds(diagnosis, options->fail_on);
    for (size_t i = 0; i < diagnosis->other_count; i++)
        found |= diagnosis->others[i]->exit_code != PM_EXIT_COMPLETE ||
                 finds(diagnosis->others[i], options->fail_on);
    return diagnosis->exit_code == PM_EXIT_COMPLETE && found ? PM_EXIT_PARTIAL : (int)diagnosis->exit_code;
}

int main(int argc, char **argv) {
    struct pm_options options;
    char *message = NULL;
    signal(SIGPIPE, SIG_IGN);
    setlocale(LC_CTYPE, "C.UTF-8"); /* widths of characters; everything is written as UTF-8 */
    pm_crash_install();
    switch (pm_options_parse(argc, argv, &options, &message)) {
    case PM_PARSE_HELP:
        pm_options_help(options.command, stdout);
        return fflush(stdout) || ferror(stdout) ? PM_EXIT_FAILED : 0;
    case PM_PARSE_VERSION: puts("postmortem " PM_VERSION); return fflush(stdout) ? PM_EXIT_FAILED : 0;
    case PM_PARSE_USAGE:
        if (message)
            fprintf(stderr, "postmortem: %s\n  postmortem --help tells more\n", message);
        else
            pm_options_help(NULL, stderr);
        free(message);
        return PM_EXIT_USAGE;
    case PM_PARSED: break;
    }
    return run(&options);
}
