/* A process unwinds itself with LLVM libunwind (fixture.c) and dies; our walk of its core must give the same
 * frames. Once with the kernel's core, once with gcore's. */
#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "parsers/unwind.h"
#include "postmortem/base/limits.h"
#include "tests/support/assert_error.h"
#include "tests/support/folder.h"

enum { MOST_FRAMES = 256, MOST_THREADS = 16, SKIPPED = 77 };

struct frame {
    uint64_t pc, sp;
};
struct recorded {
    uint32_t tid;
    char name[32];
    struct frame frames[MOST_FRAMES];
    size_t count;
};
static struct recorded recorded[MOST_THREADS];
static size_t recorded_count;
static int done;
static pid_t running; /* killed when a test fails half-way */

/* ------------------------------------------------------------------ running it */

static pid_t start_fixture(const char *folder, const char *argument) {
    fflush(NULL);
    pid_t pid = fork();
    if (pid != 0) return running = pid;
    struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    getrlimit(RLIMIT_CORE, &unlimited);
    unlimited.rlim_cur = unlimited.rlim_max;
    setrlimit(RLIMIT_CORE, &unlimited);
    if (chdir(folder) != 0 || !freopen("frames", "w", stdout)) _exit(1);
    execl(PM_FIXTURE, PM_FIXTURE, argument, (char *)NULL);
    _exit(1);
}

static bool read_frames(const char *folder) {
    char *path PM_AUTO_FREE = NULL, line[200];
    assert_true(asprintf(&path, "%s/frames", folder) > 0);
    FILE *file PM_AUTO_FCLOSE = fopen(path, "r");
    bool ready = false;
    recorded_count = 0;
    struct recorded *thread = NULL;
    while (file && fgets(line, sizeof(line), file)) {
        unsigned long pc, sp;
        if (strncmp(line, "ready", 5) == 0) {
            ready = true;
        } else if (strncmp(line, "thread ", 7) == 0) {
            assert_true(recorded_count < MOST_THREADS);
            thread = &recorded[recorded_count++];
            memset(thread, 0, sizeof(*thread));
            assert_int_equal(sscanf(line, "thread %u %31s", &thread->tid, thread->name), 2);
        } else if (thread && sscanf(line, "%lx %lx", &pc, &sp) == 2) {
            assert_true(thread->count < MOST_FRAMES);
            thread->frames[thread->count++] = (struct frame){pc, sp};
        }
    }
    return ready;
}

static char *find_core(const char *folder) {
    DIR *directory = opendir(folder);
    char *path = NULL;
    for (struct dirent *entry; directory && (entry = readdir(directory));)
        if (strncmp(entry->d_name, "core", 4) == 0 && !path &&
            asprintf(&path, "%s/%s", folder, entry->d_name) < 0)
            abort();
    if (directory) closedir(directory);
    return path;
}

static int stop_fixture(void **state) {
    (void)state;
    if (running > 0) {
        kill(running, SIGKILL);
        waitpid(running, NULL, 0);
    }
    running = 0;
    return 0;
}

/* ------------------------------------------------------------------ comparing */

static size_t walk(struct pm_unwinder *unwinder, const struct pm_core_thread *thread, struct frame *frames,
                   size_t most) {
    const struct pm_unwind_arch *arch = pm_unwind_arch(PM_MACHINE_X86_64);
    struct pm_regs regs = thread->regs;
    bool exact = true, signal;
    size_t count = 0;
    do {
        frames[count++] = (struct frame){regs.value[arch->pc], regs.value[arch->sp]};
        enum pm_unwind_result result = pm_unwind_step(unwinder, &regs, exact, &regs, &signal);
        if (result == PM_UNWIND_END) return count;
        if (result != PM_UNWIND_OK) {
            print_error("thread %u: frame %zu at 0x%lx: result %d\n", thread->tid, count,
                        (unsigned long)regs.value[arch->pc], (int)result);
            return 0;
        }
        exact = signal;
    } while (count < most);
    return 0;
}

static bool same_frames(struct pm_unwinder *unwinder, const struct pm_core *core,
                        const struct recorded *expected) {
    const struct pm_core_thread *thread = NULL;
    for (size_t i = 0; i < pm_core_thread_count(core); i++)
        if (pm_core_thread(core, i)->tid == expected->tid) thread = pm_core_thread(core, i);
    assert_non_null(thread);
    struct frame frames[MOST_FRAMES];
    size_t count = walk(unwinder, thread, frames, MOST_FRAMES), first = 0;
    /* record() itself has moved on since; its caller is the first one with the recorded stack pointer */
    while (first < count && frames[first].sp != expected->frames[0].sp) first++;
    bool same = count - first == expected->count && expected->count > 2;
    for (size_t i = 0; same && i < expected->count; i++)
        same =
            frames[first + i].pc == expected->frames[i].pc && frames[first + i].sp == expected->frames[i].sp;
    if (same) {
        char *symbol PM_AUTO_FREE = pm_unwind_symbol(unwinder, frames[first - 1].pc, false, NULL);
        assert_string_equal(symbol, "record");
        return true;
    }
    print_error("thread %u (%s): the walk gives %zu frames, LLVM libunwind %zu\n", expected->tid,
                expected->name, count - first, expected->count);
    for (size_t i = 0; i < expected->count || first + i < count; i++) {
        struct frame ours = first + i < count ? frames[first + i] : (struct frame){0};
        struct frame theirs = i < expected->count ? expected->frames[i] : (struct frame){0};
        print_error("  %2zu  ours %lx %lx  theirs %lx %lx%s\n", i, (unsigned long)ours.pc,
                    (unsigned long)ours.sp, (unsigned long)theirs.pc, (unsigned long)theirs.sp,
                    ours.pc != theirs.pc || ours.sp != theirs.sp ? "  <--" : "");
    }
    return false;
}

static void compare(const char *core_path) {
    struct pm_input *input PM_AUTO(input) = NULL;
    struct pm_core *core PM_AUTO(core) = NULL;
    struct pm_modules *modules PM_AUTO(modules) = NULL;
    struct pm_unwinder *unwinder PM_AUTO(unwinder) = NULL;
    struct pm_module_options options = {.exe = PM_FIXTURE};
    assert_pm_ok(pm_input_open(core_path, NULL, NULL, &input));
    assert_pm_ok(pm_core_open(input, &core));
    assert_pm_ok(pm_modules_open(core, &options, &modules));
    assert_pm_ok(pm_unwinder_create(core, modules, &unwinder));
    assert_int_equal(recorded_count, 7);
    size_t wrong = 0;
    for (size_t i = 0; i < recorded_count; i++) wrong += !same_frames(unwinder, core, &recorded[i]);
    assert_int_equal(wrong, 0);

    const char *file = NULL;
    unsigned line = 0;
    assert_true(pm_unwind_line(unwinder, recorded[0].frames[0].pc, false, &file, &line));
    assert_non_null(strstr(file, "/tests/unwind/fixture.c"));
    assert_true(line > 0);
    done++;
}

static void test_core_of_the_kernel(void **state) {
    (void)state;
    char pattern[200] = "";
    FILE *file = fopen("/proc/sys/kernel/core_pattern", "r");
    if (!file || !fgets(pattern, sizeof(pattern), file)) pattern[0] = 0;
    if (file) fclose(file);
    if (pattern[0] == '|' || strchr(pattern, '/') || strncmp(pattern, "core", 4) != 0) {
        print_message("the kernel does not write cores into the process's folder: core_pattern is %s",
                      pattern);
        skip();
        return;
    }
    char *folder = folder_new();
    pid_t pid = start_fixture(folder, "die");
    assert_true(pid > 0);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    running = 0;
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    char *core PM_AUTO_FREE = find_core(folder);
    if (!core) {
        folder_remove(folder);
        print_message("the fixture died without a core (ulimit -H -c?)\n");
        skip();
        return;
    }
    assert_true(read_frames(folder));
    compare(core);
    folder_remove(folder);
}

static void test_core_of_gcore(void **state) {
    (void)state;
    if (system("command -v gcore >/dev/null") != 0) {
        print_message("gcore (package gdb) is missing\n");
        skip();
        return;
    }
    char *folder = folder_new(), *command PM_AUTO_FREE = NULL;
    pid_t pid = start_fixture(folder, "wait");
    assert_true(pid > 0);
    for (int tries = 0; tries < 1000 && !read_frames(folder); tries++) usleep(10000);
    assert_true(asprintf(&command, "gcore -o %s/core %d >%s/gcore.log 2>&1", folder, (int)pid, folder) > 0);
    int failed = system(command);
    stop_fixture(state);
    char *core PM_AUTO_FREE = find_core(folder);
    if (failed || !core) {
        folder_remove(folder);
        print_message("gcore may not trace here\n");
        skip();
        return;
    }
    compare(core);
    folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_core_of_the_kernel, stop_fixture),
        cmocka_unit_test_teardown(test_core_of_gcore, stop_fixture),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed ? 1 : done ? 0 : SKIPPED;
}
