/* run_program.h - runs the built program as a user does, and looks at what it said. */
#ifndef PM_TESTS_RUN_PROGRAM_H
#define PM_TESTS_RUN_PROGRAM_H

#include <stddef.h>

struct run {
    int exit_code;   /* 128 + signal when it was killed */
    char *out, *err; /* NUL-terminated */
    size_t out_length;
};

/* Runs POSTMORTEM_PROGRAM with the words, NULL-terminated. Kills it after two minutes. */
struct run run_program(const char *const *words);
#define RUN(...) run_program((const char *const[]){__VA_ARGS__, NULL})
/* The same for any command of a shell; its output and exit code. */
struct run run_shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
void run_free(struct run *run);

/* The directory of a core that corpora/make-core has made (making it when it is not there); skips the test
 * without it. */
char *core_directory(const char *name, const char *version);
char *path_of(const char *directory, const char *name);
const char *source_directory(void);

/* Exit code, no sanitizer report, and `words` in what it printed (NULL = do not look). */
void assert_run(const struct run *run, int exit_code, const char *out_words, const char *err_words);

#endif
