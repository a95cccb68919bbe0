/* Our own crash: what is printed, and that the process dies of the signal. */
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/assert_error.h"

static char text[16384];

static int run(const char *how) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        dup2(ends[1], STDERR_FILENO);
        execl(PM_FIXTURE, PM_FIXTURE, how, (char *)NULL);
        _exit(1);
    }
    close(ends[1]);
    size_t length = 0;
    for (ssize_t n; (n = read(ends[0], text + length, sizeof(text) - 1 - length)) > 0;) length += (size_t)n;
    text[length] = 0;
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

static void assert_says(const char *words) {
    if (!strstr(text, words)) fail_msg("\"%s\" is missing in:\n%s", words, text);
}

static size_t times(const char *words) {
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, words)); at++) count++;
    return count;
}

static void test_a_fault(void **state) {
    (void)state;
    assert_int_equal(run("segv"), SIGSEGV);
    assert_says("this is a bug in postmortem");
    assert_says("SIGSEGV at 0x10.");
    assert_says("version " PM_VERSION ", while walking the heap: /data/core.?[31m4711, at 0xabc0\n");
    assert_says("coverage line");
    assert_says("Do not send the input");
    assert_null(strchr(text, '\x1b'));
    const char *first = strstr(text, "  #0 "), *second = strstr(text, "  #1 ");
    assert_non_null(first);
    assert_non_null(second);
    const char *function = strstr(first, "write_nowhere"); /* the handler's own frames are not shown */
    assert_true(function && function < second);
    assert_true(strstr(first, "crash_fixture+0x") < second);
}

static void test_without_a_position(void **state) {
    (void)state;
    assert_int_equal(run("nothing"), SIGSEGV);
    assert_says("version " PM_VERSION "\n");
    assert_null(strstr(text, "while"));
}

static void test_other_signals(void **state) {
    (void)state;
    assert_int_equal(run("abort"), SIGABRT);
    assert_says("SIGABRT.");
    assert_says("  #1 ");
    assert_int_equal(run("divide"), SIGFPE);
    assert_says("SIGFPE at 0x");
    assert_int_equal(run("sent"), SIGSEGV);
    assert_says("SIGSEGV.");
    assert_int_equal(run("bus"), SIGBUS);
    assert_says("SIGBUS at 0x");
    assert_says("cut short or replaced");
    assert_int_equal(run("fine"), 0);
    assert_string_equal(text, "");
}

static void test_stack_overflow(void **state) {
    (void)state;
    assert_int_equal(run("overflow"), SIGSEGV);
    assert_says("overflow_stack");
    assert_says("  #63 ");
    assert_null(strstr(text, "  #64 "));
    assert_says("coverage line");
}

static void test_many_threads_at_once(void **state) {
    (void)state;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(run("threads"), SIGSEGV);
        assert_int_equal(times("this is a bug"), 1);
        assert_int_equal(times("coverage line"), 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_fault),
        cmocka_unit_test(test_without_a_position),
        cmocka_unit_test(test_other_signals),
        cmocka_unit_test(test_stack_overflow),
        cmocka_unit_test(test_many_threads_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
