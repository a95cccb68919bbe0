/* Real cores of Node: every thread's native frames are gdb's, up to the first frame of V8's, which gdb cannot
 * unwind.
 *
 *     test_node_stacks                     the cases below
 *     test_node_stacks CASE VERSION ...    others */
#include <sys/stat.h>

#include "parsers/unwind.h"
#include "postmortem/base/limits.h"
#include "tests/support/assert_error.h"
#include "tests/support/folder.h"

enum { SKIPPED = 77, MOST_FRAMES = 4000 };

static const char *const everyday[][2] = {
    {"hang-gc", "16.20.2"},   {"hang-gc", "18.20.8"},     {"hang-gc", "20.20.2"},
    {"hang-gc", "22.23.3"},   {"hang-gc", "24.21.0"},     {"hang-gc", "26.10.0"},
    {"oom-small", "16.20.2"}, {"oom-small", "18.20.8"},   {"oom-small", "20.20.2"},
    {"oom-small", "22.23.3"}, {"oom-small", "24.21.0"},   {"oom-small", "26.10.0"},
    {"die-segv", "26.10.0"},  {"hang-crypto", "26.10.0"}, {"hang-regexp", "18.20.8"},
    {"hang-fs", "22.23.3"},   {"hang-json", "22.23.3"},   {"stack-worker", "24.21.0"},
    {"pool", "22.23.3"},
};

struct frame {
    uint64_t pc, sp;
    unsigned line; /* 0 = not known */
    char name[120];
};
static struct frame expected[MOST_FRAMES], found[MOST_FRAMES];

struct totals {
    size_t cores, threads, frames, lines, to_the_end;
};
static struct totals totals;

static char *make_core(const char *name, const char *version) {
    char *command PM_AUTO_FREE = NULL, line[1000];
    assert_true(asprintf(&command, "%s/corpora/make-core %s %s", getenv("POSTMORTEM_SOURCE"), name, version) >
                0);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    char *text = fgets(line, sizeof(line), pipe) ? strdup(line) : NULL;
    assert_int_equal(pclose(pipe), 0);
    assert_non_null(text);
    text[strcspn(text, "\n")] = 0;
    return text;
}

/* gdb's frames in a file of `folder`. */
static FILE *run_gdb(const char *core_folder, const char *folder) {
    char *command PM_AUTO_FREE = NULL, *frames PM_AUTO_FREE = NULL, *sysroot PM_AUTO_FREE = NULL;
    struct stat info;
    assert_true(asprintf(&sysroot, "%s/sysroot", core_folder) > 0);
    assert_true(asprintf(&frames, "%s/frames", folder) > 0);
    assert_true(
        asprintf(&command,
                 "GDB_FRAMES=%s gdb -nx -batch -iex 'set debuginfod enabled off' -iex 'set sysroot %s' "
                 "-ex 'file %s/node' -ex 'core-file %s/core' -x %s/tests/unwind/gdb_frames.py >%s/log 2>&1",
                 frames, stat(sysroot, &info) == 0 ? sysroot : "/", core_folder, core_folder,
                 getenv("POSTMORTEM_SOURCE"), folder) > 0);
    assert_int_equal(system(command), 0);
    FILE *file = fopen(frames, "r");
    assert_non_null(file);
    return file;
}

static size_t walk(struct pm_unwinder *unwinder, enum pm_machine machine, const struct pm_core_thread *thread,
                   enum pm_unwind_result *result_ret) {
    const struct pm_unwind_arch *arch = pm_unwind_arch(machine);
    struct pm_regs regs = thread->regs;
    bool exact = true, signal;
    size_t count = 0;
    do {
        found[count].pc = regs.value[arch->pc];
        found[count].sp = regs.value[arch->sp];
        const char *file;
        if (!pm_unwind_line(unwinder, found[count].pc, exact, &file, &found[count].line))
            found[count].line = 0;
        char *symbol PM_AUTO_FREE = pm_unwind_symbol(unwinder, regs.value[arch->pc], exact, NULL);
        snprintf(found[count++].name, sizeof(found[0].name), "%s", symbol ? symbol : "?");
        *result_ret = pm_unwind_step(unwinder, &regs, exact, &regs, &signal);
        exact = signal;
    } while (*result_ret == PM_UNWIND_OK && count < MOST_FRAMES);
    return count;
}

static void print_frames(const char *whose, const struct frame *frames, size_t count) {
    print_error("  %s:\n", whose);
    for (size_t i = 0; i < count && i < 80; i++)
        print_error("    %2zu %lx %lx :%u %s\n", i, (unsigned long)frames[i].pc, (unsigned long)frames[i].sp,
                    frames[i].line, frames[i].name);
}

static bool is_of_program(
    const struct frame *frame) { /* libraries are mapped within 2 TB below the stack, node far lower */
    return frame->pc < 0x7d0000000000;
}

/* gdb shows parameters: ours must be a part of it. In libc it has debug symbols of its own, with other names.
 */
static bool same_name(const struct frame *ours, const struct frame *theirs) {
    if (strcmp(ours->name, "?") == 0 || strcmp(theirs->name, "None") == 0 || !is_of_program(ours))
        return true;
    if (strncmp(theirs->name, "_Z", 2) == 0) return true; /* newer than gdb */
    if (strchr(ours->name, '(') || strchr(ours->name, '<') || strchr(theirs->name, '<')) return true;
    return strstr(theirs->name, ours->name) != NULL;
}

static bool same_frame(const struct frame *ours, const struct frame *theirs) {
    totals.lines += ours->line != 0;
    return ours->pc == theirs->pc && ours->sp == theirs->sp && same_name(ours, theirs) &&
           (ours->line == theirs->line || (ours->line == 0 && !is_of_program(ours)));
}

static bool compare_thread(struct pm_unwinder *unwinder, const struct pm_core *core, uint32_t tid,
                           size_t count) {
    const struct pm_core_thread *thread = NULL;
    for (size_t i = 0; i < pm_core_thread_count(core); i++)
        if (pm_core_thread(core, i)->tid == tid) thread = pm_core_thread(core, i);
    assert_non_null(thread);
    enum pm_unwind_result result;
    size_t ours = walk(unwinder, pm_core_info(core)->machine, thread, &result);
    /* Where we stop for lack of CFI gdb goes on guessing; an end must be the end for both. */
    bool same = ours > 0 && ours <= count && result != PM_UNWIND_BAD_MEMORY &&
                (result == PM_UNWIND_NO_CFI || ours == count);
    for (size_t i = 0; same && i < ours; i++) same = same_frame(&found[i], &expected[i]);
    totals.threads++;
    totals.frames += ours;
    totals.to_the_end += result == PM_UNWIND_END;
    if (same) return true;
    print_error("thread %u: result %d\n", tid, (int)result);
    print_frames("ours", found, ours);
    print_frames("gdb's", expected, count < ours + 4 ? count : ours + 4);
    return false;
}

static size_t compare_threads(struct pm_unwinder *unwinder, const struct pm_core *core, FILE *frames) {
    char line[2000];
    uint32_t tid = 0, next;
    size_t count = 0, wrong = 0, threads = 0;
    bool done = false;
    while (!done && fgets(line, sizeof(line), frames)) {
        done = strncmp(line, "done", 4) == 0;
        if (done || sscanf(line, "thread %u", &next) == 1) {
            if (tid) wrong += !compare_thread(unwinder, core, tid, count);
            threads += !done;
            tid = done ? 0 : next;
            count = 0;
            continue;
        }
        assert_true(count < MOST_FRAMES);
        struct frame *frame = &expected[count++];
        unsigned long pc, sp;
        assert_int_equal(sscanf(line, "%lx %lx %u %119[^\n]", &pc, &sp, &frame->line, frame->name), 4);
        frame->pc = pc;
        frame->sp = sp;
    }
    assert_true(done);
    assert_int_equal(threads, pm_core_thread_count(core));
    return wrong;
}

/* Of the frames that a chain of frame pointers visits, those that the CFI walk has not; both start at the
 * top. */
static size_t strangers_in_chain(struct pm_unwinder *unwinder, const struct pm_core_thread *thread,
                                 size_t count, bool to_the_end) {
    const struct pm_unwind_arch *arch = pm_unwind_arch(PM_MACHINE_AARCH64);
    struct pm_regs regs = thread->regs;
    size_t at = 0, strangers = 0;
    while (pm_unwind_step_fp(unwinder, &regs, &regs) == PM_UNWIND_OK) {
        size_t next = at + 1;
        while (next < count && found[next].pc != regs.value[arch->pc]) next++;
        if (next < count)
            at = next;
        else if (to_the_end)
            strangers++;
        else
            break; /* it goes on into V8's frames */
    }
    return strangers;
}

static size_t compare_with_frame_pointers(struct pm_unwinder *unwinder, const struct pm_core *core) {
    size_t wrong = 0;
    for (size_t i = 0; i < pm_core_thread_count(core); i++) {
        const struct pm_core_thread *thread = pm_core_thread(core, i);
        enum pm_unwind_result result;
        size_t count = walk(unwinder, PM_MACHINE_AARCH64, thread, &result);
        size_t strangers = strangers_in_chain(unwinder, thread, count, result == PM_UNWIND_END);
        bool same = strangers == 0 && (result == PM_UNWIND_END || result == PM_UNWIND_NO_CFI);
        totals.threads++;
        totals.frames += count;
        totals.to_the_end += result == PM_UNWIND_END;
        if (same) continue;
        print_error("thread %u: result %d, %zu frames of the chain are not ours\n", thread->tid, (int)result,
                    strangers);
        print_frames("ours", found, count);
        wrong++;
    }
    return wrong;
}

static size_t compare_with_gdb(struct pm_unwinder *unwinder, const struct pm_core *core,
                               const char *core_folder) {
    char *folder = folder_new();
    FILE *frames = run_gdb(core_folder, folder);
    size_t wrong = compare_threads(unwinder, core, frames);
    fclose(frames);
    folder_remove(folder);
    return wrong;
}

static void compare_core(const char *core_folder) {
    struct pm_input *input PM_AUTO(input) = NULL;
    struct pm_core *core PM_AUTO(core) = NULL;
    struct pm_modules *modules PM_AUTO(modules) = NULL;
    struct pm_unwinder *unwinder PM_AUTO(unwinder) = NULL;
    char *core_path PM_AUTO_FREE = NULL, *exe PM_AUTO_FREE = NULL, *sysroot PM_AUTO_FREE = NULL;
    struct stat info;
    assert_true(asprintf(&core_path, "%s/core", core_folder) > 0 &&
                asprintf(&exe, "%s/node", core_folder) > 0 &&
                asprintf(&sysroot, "%s/sysroot", core_folder) > 0);
    struct pm_module_options options = {.exe = exe, .sysroot = stat(sysroot, &info) == 0 ? sysroot : NULL};
    assert_pm_ok(pm_input_open(core_path, NULL, NULL, &input));
    assert_pm_ok(pm_core_open(input, &core));
    assert_pm_ok(pm_modules_open(core, &options, &modules));
    assert_pm_ok(pm_unwinder_create(core, modules, &unwinder));
    size_t wrong = pm_core_info(core)->machine == PM_MACHINE_AARCH64
                       ? compare_with_frame_pointers(unwinder, core)
                       : compare_with_gdb(unwinder, core, core_folder);
    totals.cores++;
    if (wrong) fail_msg("%s: %zu threads differ", core_folder, wrong);
}

static int case_count;
static char **case_words;

static void test_native_frames(void **state) {
    (void)state;
    size_t count = case_count ? (size_t)case_count / 2 : sizeof(everyday) / sizeof(*everyday);
    for (size_t i = 0; i < count; i++) {
        char *folder PM_AUTO_FREE = case_count ? make_core(case_words[2 * i], case_words[2 * i + 1])
                                               : make_core(everyday[i][0], everyday[i][1]);
        compare_core(folder);
    }
    print_message("%zu cores, %zu threads, %zu frames (%zu with a line) are right; %zu threads end in their "
                  "outermost frame\n",
                  totals.cores, totals.threads, totals.frames, totals.lines, totals.to_the_end);
}

int main(int argc, char **argv) {
    if (!getenv("POSTMORTEM_SOURCE")) setenv("POSTMORTEM_SOURCE", ".", 1);
    if (system("gdb -nx -batch -ex 'python import gdb' >/dev/null 2>&1") != 0) {
        puts("gdb with Python is not installed");
        return SKIPPED;
    }
    case_count = argc - 1;
    case_words = argv + 1;
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_native_frames)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
