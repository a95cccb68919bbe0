/* Bad input on real cores: the right exit code, one clear line, what can be delivered, and nothing for the
 * sanitizers. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/cli/run_program.h"
#include "tests/support/assert_error.h"
#include "tests/support/folder.h"

static char *folder, *directory, *core;

static int set_up(void **state) {
    (void)state;
    folder = folder_new();
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    folder_remove(folder);
    free(directory);
    free(core);
    return 0;
}

static void need_core(void) {
    if (core) return;
    directory = core_directory("oom-small", "22.23.3");
    core = path_of(directory, "core");
}

static char *file_with(const char *name, const void *bytes, size_t length) {
    char *path = path_of(folder, name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, length, out), length);
    fclose(out);
    return path;
}

/* Every message is one line and, below it, an indented hint. */
static void assert_one_line(const char *err) {
    assert_int_equal(strncmp(err, "postmortem: ", 12), 0);
    const char *second = strchr(err, '\n');
    assert_non_null(second);
    if (second[1]) assert_int_equal(strncmp(second + 1, "  ", 2), 0);
}

static void assert_refused(const char *path, const char *words) {
    struct run run = RUN(path);
    assert_run(&run, 2, NULL, words);
    assert_one_line(run.err);
    assert_int_equal(run.out_length, 0);
    run_free(&run);
    /* For programs the same is a document. */
    run = RUN(path, "--format", "json");
    assert_run(&run, 2, "\"exit_code\": 2", words);
    run_free(&run);
}

static void test_not_a_core(void **state) {
    (void)state;
    need_core();
    char *path = file_with("empty", "", 0);
    assert_refused(path, "an empty file");
    free(path);
    path = file_with("text", "hello\n", 6);
    assert_refused(path, "a text of 1 lines with nothing of Node.js in it");
    free(path);
    path = file_with("binary", "\0\1\2\3\377\376", 6);
    assert_refused(path, "not a core");
    free(path);
    path = file_with("x.heapsnapshot", "{\"snapshot\":{\"meta\":{\"node_fields\":[]}}}", 41);
    assert_refused(path, "snapshot.meta has no node_types");
    free(path);
    path = path_of(directory, "node");
    assert_refused(path, "an ELF file, but not a core");
    free(path);
}

static void test_no_file(void **state) {
    (void)state;
    struct run run = RUN("/no/such/file");
    assert_run(&run, 2, NULL, "/no/such/file");
    assert_one_line(run.err);
    run_free(&run);
    run = RUN(folder);
    assert_run(&run, 2, NULL, folder);
    run_free(&run);
    run = RUN("stacks", "/dev/null");
    assert_run(&run, 2, NULL, "/dev/null");
    run_free(&run);
    char *path = file_with("bad\033[31mname", "x", 1);
    run = RUN(path);
    assert_run(&run, 2, NULL, "bad\\x1b[31mname");
    run_free(&run);
    free(path);
}

static void copy_part(const char *name, uint64_t length, char **ret) {
    *ret = path_of(folder, name);
    struct run run =
        run_shell("head -c %llu '%s' | dd of='%s' conv=sparse bs=64k iflag=fullblock 2>/dev/null",
                  (unsigned long long)length, core, *ret);
    assert_int_equal(run.exit_code, 0);
    run_free(&run);
    assert_int_equal(truncate(*ret, (off_t)length), 0);
}

static void test_truncated(void **state) {
    (void)state;
    need_core();
    struct stat info;
    assert_int_equal(stat(core, &info), 0);
    const uint64_t size = (uint64_t)info.st_size;
    /* Inside the ELF header; inside the program headers; inside the notes; at some places of memory; at the
     * last byte. */
    const uint64_t places[] = {5, 40, 64, 700, 12000, 40000, size / 10, size / 3, size / 10 * 9, size - 1};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        char *path;
        copy_part("core.cut", places[i], &path);
        struct run run = RUN(path);
        assert_run(&run, run.exit_code == 2 ? 2 : 1, NULL, NULL);
        if (run.exit_code == 2) {
            assert_one_line(run.err);
        } else {
            assert_int_equal(run.err[0], 0);
            assert_non_null(strstr(run.out, "\nCoverage"));
            assert_non_null(strstr(run.out, "cut"));
        }
        if (places[i] <= 64) assert_int_equal(run.exit_code, 2);
        if (places[i] >= size / 10) assert_int_equal(run.exit_code, 1);
        /* Nearly all of it: nearly everything is there. */
        if (places[i] == size - 1) assert_non_null(strstr(run.out, "UserSession"));
        run_free(&run);
        unlink(path);
        free(path);
    }
}

static void test_wrong_binary(void **state) {
    (void)state;
    need_core();
    char *other_directory = core_directory("oom-small", "20.20.2"), *other = path_of(other_directory, "node");
    struct run run = RUN(core, "--exe", other);
    assert_run(&run, 2, NULL, "build-id");
    assert_one_line(run.err);
    assert_non_null(strstr(run.err, other));
    run_free(&run);
    run = RUN(core, "--exe", "/no/such/node");
    assert_run(&run, 2, NULL, "/no/such/node");
    run_free(&run);
    char *text = file_with("node.txt", "not a program", 13);
    run = RUN(core, "--exe", text);
    assert_run(&run, 2, NULL, text);
    run_free(&run);
    free(text);
    char *right = path_of(directory, "node");
    run = RUN("spaces", core, "--exe", right);
    assert_run(&run, 0, "old_space", NULL);
    run_free(&run);
    free(right);
    free(other);
    free(other_directory);
}

/* The recorded path leads nowhere, as on any machine but the pod's. */
static void test_no_binary(void **state) {
    (void)state;
    need_core();
    char *path = path_of(folder, "core.alone");
    struct run run = run_shell("cp --sparse=always '%s' '%s' && node=$(readlink '%s/node') && "
                               "gone=/X${node:2} && sed -i \"s|$node|$gone|g\" '%s'",
                               core, path, directory, path);
    assert_int_equal(run.exit_code, 0);
    run_free(&run);
    run = RUN(path);
    assert_run(&run, 1, "build-id", NULL);
    assert_non_null(strstr(run.out, "--exe"));
    assert_non_null(strstr(run.out, "\nCoverage"));
    run_free(&run);
    /* With the binary beside it nothing is missing. */
    char *beside = path_of(folder, "node"), *node = path_of(directory, "node");
    assert_int_equal(symlink(node, beside), 0);
    run = RUN("histogram", path);
    assert_run(&run, 0, "UserSession", NULL);
    run_free(&run);
    unlink(beside);
    unlink(path);
    free(beside);
    free(node);
    free(path);
}

static void test_foreign_cores(void **state) {
    (void)state;
    need_core();
    /* A 32-bit core: its header is enough. */
    unsigned char header[52] = {0x7f, 'E',      'L',      'F',      1,         1,        1,
                                0,    [16] = 4, [18] = 3, [20] = 1, [40] = 52, [42] = 32};
    char *path = file_with("core.32", header, sizeof(header));
    assert_refused(path, "32-bit");
    free(path);
    header[4] = 2, header[18] = 21; /* 64-bit PowerPC */
    path = file_with("core.ppc", header, sizeof(header));
    struct run run = RUN(path);
    assert_run(&run, 2, NULL, "core.ppc");
    assert_one_line(run.err);
    run_free(&run);
    free(path);
    /* The core of another program: stacks are delivered, and a word about the rest. */
    run = run_shell("sleep 100 & pid=$!; sleep 0.3; gcore -o '%s/core' $pid >/dev/null 2>&1; kill $pid; "
                    "mv '%s'/core.$pid '%s/core.sleep'",
                    folder, folder, folder);
    if (run.exit_code != 0) {
        print_message("gcore does not work here: %s\n", run.err);
        run_free(&run);
        return;
    }
    run_free(&run);
    path = path_of(folder, "core.sleep");
    run = RUN(path);
    assert_run(&run, 1, "Not read", NULL);
    assert_non_null(strstr(run.out, "nanosleep"));
    run_free(&run);
    run = RUN("spaces", path);
    assert_run(&run, 2, NULL, "V8");
    run_free(&run);
    free(path);
}

static void test_compressed(void **state) {
    (void)state;
    need_core();
    static const char *const tools[] = {"gzip -1 -c", "zstd -1 -q -c", "lz4 -1 -q -c", "xz -0 -c"};
    struct run plain = RUN("histogram", core);
    assert_run(&plain, 0, "UserSession", NULL);
    for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++) {
        char *path = path_of(directory, "core.packed");
        struct run run = run_shell("%s '%s' >'%s'", tools[i], core, path);
        assert_int_equal(run.exit_code, 0);
        run_free(&run);
        run = RUN("histogram", path);
        assert_run(&run, 0, plain.out, NULL);
        run_free(&run);
        if (i == 1) { /* a download that broke off */
            struct stat info;
            assert_int_equal(stat(path, &info), 0);
            assert_int_equal(truncate(path, info.st_size / 2), 0);
            run = RUN("diagnose", path);
            assert_run(&run, 1, "cut", NULL);
            run_free(&run);
        }
        unlink(path);
        free(path);
    }
    run_free(&plain);
}

/* Bytes turned over at pseudo-random places, most of them in what the parsers read first. */
static void test_damaged(void **state) {
    (void)state;
    need_core();
    char *path = path_of(folder, "core.damaged");
    uint32_t random = 4711;
    for (int round = 0; round < 12; round++) {
        struct run copy = run_shell("cp --sparse=always '%s' '%s'", core, path);
        assert_int_equal(copy.exit_code, 0);
        run_free(&copy);
        int fd = open(path, O_WRONLY);
        struct stat info;
        assert_int_equal(fstat(fd, &info), 0);
        for (int i = 0; i < 400; i++) {
            random = random * 1664525 + 1013904223;
            uint64_t reach = round % 3 == 0 ? 4096 : round % 3 == 1 ? 65536 : (uint64_t)info.st_size;
            uint64_t place = 16 + (uint64_t)random * 2654435761u % (reach - 16);
            unsigned char byte = (unsigned char)(random >> 24);
            assert_int_equal(pwrite(fd, &byte, 1, (off_t)place), 1);
        }
        close(fd);
        struct run run = RUN(path);
        assert_true(run.exit_code == 0 || run.exit_code == 1 || run.exit_code == 2);
        assert_run(&run, run.exit_code, NULL, NULL);
        run_free(&run);
    }
    unlink(path);
    free(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_not_a_core), cmocka_unit_test(test_no_file),
        cmocka_unit_test(test_truncated),  cmocka_unit_test(test_wrong_binary),
        cmocka_unit_test(test_no_binary),  cmocka_unit_test(test_foreign_cores),
        cmocka_unit_test(test_compressed), cmocka_unit_test(test_damaged),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
