#include "tests/cli/run_program.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "postmortem/base/strbuf.h"
#include "tests/support/assert_error.h"

static char *read_all(FILE *file, size_t *length_ret) {
    struct pm_strbuf text = {0};
    char block[65536];
    rewind(file);
    for (size_t n; (n = fread(block, 1, sizeof(block), file)) > 0;) pm_strbuf_append_bytes(&text, block, n);
    fclose(file);
    *length_ret = text.length;
    return pm_strbuf_take(&text);
}

static struct run run_words(const char *const *words) {
    FILE *out = tmpfile(), *err = tmpfile();
    if (!out || !err) abort();
    pid_t child = fork();
    if (child == 0) {
        int nothing = open("/dev/null", O_RDONLY);
        dup2(nothing, STDIN_FILENO);
        dup2(fileno(out), STDOUT_FILENO);
        dup2(fileno(err), STDERR_FILENO);
        alarm(120);
        execvp(words[0], (char *const *)words);
        perror(words[0]);
        _exit(127);
    }
    int status = 0;
    struct run run;
    size_t length;
    waitpid(child, &status, 0);
    run.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    run.out = read_all(out, &run.out_length);
    run.err = read_all(err, &length);
    return run;
}

struct run run_program(const char *const *words) {
    const char *all[64] = {getenv("POSTMORTEM_PROGRAM")};
    size_t count = 1;
    if (!all[0]) {
        fputs("POSTMORTEM_PROGRAM is not set: run this test with ctest\n", stderr);
        exit(77);
    }
    while (*words && count < 63) all[count++] = *words++;
    return run_words(all);
}

struct run run_shell(const char *format, ...) {
    struct pm_strbuf command = {0};
    va_list args;
    va_start(args, format);
    pm_strbuf_vappendf(&command, format, args);
    va_end(args);
    struct run run = run_words((const char *const[]){"bash", "-c", pm_strbuf_text(&command), NULL});
    pm_strbuf_deinit(&command);
    return run;
}

void run_free(struct run *run) {
    free(run->out);
    free(run->err);
    *run = (struct run){0};
}

const char *source_directory(void) {
    const char *source = getenv("POSTMORTEM_SOURCE");
    return source ? source : ".";
}

char *path_of(const char *directory, const char *name) {
    char *path = NULL;
    if (asprintf(&path, "%s/%s", directory, name) < 0) abort();
    return path;
}

char *core_directory(const char *name, const char *version) {
    struct run run = run_shell("'%s/corpora/make-core' %s %s", source_directory(), name, version);
    if (run.exit_code != 0) {
        print_message("no core of %s on %s: %s\n", name, version, run.err);
        run_free(&run);
        skip();
    }
    char *directory = run.out;
    directory[strcspn(directory, "\n")] = 0;
    free(run.err);
    return directory;
}

void assert_run(const struct run *run, int exit_code, const char *out_words, const char *err_words) {
    static const char *const reports[] = {"AddressSanitizer", "runtime error:", "LeakSanitizer"};
    const char *wrong = NULL;
    for (size_t i = 0; i < sizeof(reports) / sizeof(reports[0]); i++)
        if (strstr(run->err, reports[i])) wrong = reports[i];
    if (run->exit_code != exit_code) wrong = "exit code";
    if (out_words && !strstr(run->out, out_words)) wrong = "standard output";
    if (err_words && !strstr(run->err, err_words)) wrong = "standard error";
    if (!wrong) return;
    print_error(
        "%s: exit code %d, expected %d; \"%s\" / \"%s\"\n---- out\n%.3000s\n---- err\n%.6000s\n----\n", wrong,
        run->exit_code, exit_code, out_words ? out_words : "", err_words ? err_words : "", run->out,
        run->err);
    fail();
}
