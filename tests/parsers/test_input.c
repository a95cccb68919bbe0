#include "parsers/input.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/support/assert_error.h"
#include "tests/support/bytes.h"
#include "tests/support/folder.h"

static char *folder;

static int make_folder(void **state) {
    (void)state;
    folder = folder_new();
    return 0;
}

static int drop_folder(void **state) {
    (void)state;
    folder_remove(folder);
    return 0;
}

/* Some megabytes of three kinds: text-like, noise, and a long run of zeroes in the middle. */
enum { SIZE = 3 << 20, ZERO_FROM = 1 << 20, ZERO_TO = 2 << 20 };

static uint8_t *sample(void) {
    uint8_t *bytes = bytes_need(calloc(SIZE + 5, 1));
    uint32_t random = 7;
    for (size_t i = 0; i < SIZE + 5; i++) {
        random = random * 1664525 + 1013904223;
        if (i < ZERO_FROM) bytes[i] = (uint8_t)("postmortem "[i % 11]);
        if (i >= ZERO_TO) bytes[i] = (uint8_t)(random >> 24);
    }
    return bytes;
}

static char *compress_with(int (*filter)(struct archive *), const char *name, const void *bytes,
                           size_t size) {
    char *path = NULL;
    if (asprintf(&path, "%s/%s", folder, name) < 0) abort();
    struct archive *out = archive_write_new();
    struct archive_entry *entry = archive_entry_new();
    assert_int_equal(filter(out), ARCHIVE_OK);
    /* Blocks of 64 KB instead of 4 MB: a block is what a cut costs. */
    if (filter == archive_write_add_filter_lz4)
        assert_int_equal(archive_write_set_filter_option(out, "lz4", "block-size", "4"), ARCHIVE_OK);
    assert_int_equal(archive_write_set_format_raw(out), ARCHIVE_OK);
    assert_int_equal(archive_write_set_bytes_in_last_block(out, 1), ARCHIVE_OK);
    assert_int_equal(archive_write_open_filename(out, path), ARCHIVE_OK);
    archive_entry_set_filetype(entry, AE_IFREG);
    assert_int_equal(archive_write_header(out, entry), ARCHIVE_OK);
    assert_int_equal(archive_write_data(out, bytes, size), (la_ssize_t)size);
    assert_int_equal(archive_write_close(out), ARCHIVE_OK);
    archive_entry_free(entry);
    archive_write_free(out);
    return path;
}

static const struct {
    const char *name;
    int (*filter)(struct archive *);
} filters[] = {
    {"x.gz", archive_write_add_filter_gzip},   {"x.zst", archive_write_add_filter_zstd},
    {"x.lz4", archive_write_add_filter_lz4},   {"x.xz", archive_write_add_filter_xz},
    {"x.bz2", archive_write_add_filter_bzip2},
};

static struct pm_error *open_path(const char *path, struct pm_input **ret) {
    return pm_input_open(path, NULL, NULL, ret);
}

static void test_plain_file(void **state) {
    (void)state;
    char *path PM_AUTO_FREE = bytes_write("hello", 5, folder, "plain");
    struct pm_input *input PM_AUTO(input) = NULL;
    assert_pm_ok(open_path(path, &input));
    assert_string_equal(input->path, path);
    assert_int_equal(input->size, 5);
    assert_int_equal(input->file_size, 5);
    assert_memory_equal(input->bytes, "hello", 5);
    assert_false(input->decompressed);
    assert_false(input->truncated);
}

static void test_empty_file(void **state) {
    (void)state;
    char *path PM_AUTO_FREE = bytes_write("", 0, folder, "empty");
    struct pm_input *input PM_AUTO(input) = NULL;
    assert_pm_ok(open_path(path, &input));
    assert_int_equal(input->size, 0);
    assert_null(input->bytes);
}

static void test_what_cannot_be_opened(void **state) {
    (void)state;
    struct pm_input *input = NULL;
    char *missing PM_AUTO_FREE = NULL, *fifo PM_AUTO_FREE = NULL, *expected PM_AUTO_FREE = NULL;
    assert_true(asprintf(&missing, "%s/\033[31mmissing", folder) > 0 &&
                asprintf(&fifo, "%s/fifo", folder) > 0);
    assert_pm_error(open_path(missing, &input), PM_ERR_IO,
                    "\\x1b[31mmissing: cannot be opened: No such file");
    struct pm_error *err = open_path(folder, &input);
    assert_true(asprintf(&expected, "%s: is a directory", folder) > 0);
    assert_non_null(err->hint);
    assert_pm_error(err, PM_ERR_IO, expected);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_pm_error(open_path(fifo, &input), PM_ERR_IO, "is not a regular file"); /* and does not wait */
    assert_pm_error(open_path("/dev/zero", &input), PM_ERR_IO, "is not a regular file");
    assert_null(input);
}

/* 1 TB apparent size, nothing on disk: only what is touched may cost anything. */
static void test_sparse_file(void **state) {
    (void)state;
    char *path PM_AUTO_FREE = bytes_write("ELF?", 4, folder, "sparse");
    if (truncate(path, 1ll << 40) != 0) skip(); /* not on this file system */
    struct pm_input *input PM_AUTO(input) = NULL;
    assert_pm_ok(open_path(path, &input));
    assert_true(input->size == 1ull << 40);
    assert_memory_equal(input->bytes, "ELF?", 5);
    assert_int_equal(input->bytes[(1ull << 40) - 1], 0);
}

static void count_progress(void *context, uint64_t done) {
    uint64_t *last = context;
    assert_true(done >= *last);
    *last = done;
}

/* Of a file that is mostly holes they are known; a small one is not worth it. */
static void test_large_holes(void **state) {
    (void)state;
    struct pm_input *input = NULL;
    char *path = bytes_write("begin", 5, folder, "terabytes");
    const off_t middle = (off_t)1 << 40, end = (off_t)3 << 40;
    int fd = open(path, O_WRONLY);
    bool large = pwrite(fd, "middle", 6, middle) == 6 && ftruncate(fd, end) == 0;
    close(fd);
    if (!large) skip(); /* not on this file system */
    assert_pm_ok(open_path(path, &input));
    assert_int_equal(input->hole_count, 2);
    assert_true(input->holes[0].start > 0 && input->holes[0].start < 1 << 20);
    assert_true(input->holes[0].end <= (uint64_t)middle &&
                input->holes[0].end + (1 << 20) > (uint64_t)middle);
    assert_true(input->holes[1].start > (uint64_t)middle);
    assert_int_equal(input->holes[1].end, end);
    pm_input_close(input);
    assert_int_equal(truncate(path, 1 << 20), 0);
    assert_pm_ok(open_path(path, &input));
    assert_int_equal(input->hole_count, 0);
    pm_input_close(input);
    free(path);
}

static void test_each_compression(void **state) {
    (void)state;
    uint8_t *bytes PM_AUTO_FREE = sample();
    for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
        char *path PM_AUTO_FREE = compress_with(filters[i].filter, filters[i].name, bytes, SIZE + 5);
        struct pm_input *input PM_AUTO(input) = NULL;
        struct stat info;
        assert_pm_ok(open_path(path, &input));
        assert_int_equal(input->size, SIZE + 5);
        assert_memory_equal(input->bytes, bytes, SIZE + 5);
        assert_true(input->decompressed);
        assert_false(input->truncated);
        assert_int_equal(stat(path, &info), 0);
        assert_int_equal(input->file_size, info.st_size);
    }
}

static void test_zeroes_become_holes(void **state) {
    (void)state;
    const size_t size = 64 << 20;
    uint8_t *bytes PM_AUTO_FREE = bytes_need(calloc(size, 1));
    bytes[0] = bytes[size / 2] = 1; /* and it ends with zeroes */
    char *path PM_AUTO_FREE = compress_with(archive_write_add_filter_gzip, "zeroes.gz", bytes, size);
    uint64_t last = 0;
    struct pm_input *input PM_AUTO(input) = NULL;
    assert_pm_ok(pm_input_open(path, count_progress, &last, &input));
    assert_int_equal(input->size, size);
    assert_memory_equal(input->bytes, bytes, size);
    assert_true(last > 0 && last <= input->file_size);
    /* The temporary file has no name any more; the only way to it is our own mapping. */
    char line[512];
    unsigned long long start, end, inode = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof(line), maps))
        if (sscanf(line, "%llx-%llx %*s %*x %*x:%*x %llu", &start, &end, &inode) == 3 &&
            start == (uintptr_t)input->bytes)
            break;
    fclose(maps);
    assert_non_null(strstr(line, "(deleted)"));
    char file[80];
    struct stat info;
    snprintf(file, sizeof(file), "/proc/self/map_files/%llx-%llx", start, end);
    if (stat(file, &info) == 0) assert_true(info.st_blocks * 512 < 1 << 20); /* only root may look */
    assert_true(inode != 0);
}

static void test_cut_and_damaged_streams(void **state) {
    (void)state;
    uint8_t *bytes PM_AUTO_FREE = sample();
    for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
        char *path PM_AUTO_FREE = compress_with(filters[i].filter, filters[i].name, bytes, SIZE);
        struct stat info;
        assert_int_equal(stat(path, &info), 0);
        assert_int_equal(truncate(path, info.st_size - info.st_size / 4), 0);
        struct pm_input *input PM_AUTO(input) = NULL;
        assert_pm_ok(open_path(path, &input));
        assert_true(input->truncated);
        assert_true(input->size > 0 && input->size < SIZE);
        assert_memory_equal(input->bytes, bytes, input->size); /* what there is is right */
    }
}

static void test_streams_that_hold_nothing(void **state) {
    (void)state;
    static const char *const heads[] = {"\x1f\x8b\x08\x00garbage garbage garbage",
                                        "\x28\xb5\x2f\xfdgarbage garbage garbage",
                                        ("\xfd"
                                         "7zXZ\x00garbage garbage garbage")};
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        char *path PM_AUTO_FREE = bytes_write(heads[i], 24, folder, "garbage");
        struct pm_input *input = NULL;
        assert_pm_error(open_path(path, &input), PM_ERR_FORMAT, "garbage: cannot be decompressed: ");
        assert_null(input);
    }
}

static void test_no_room(void **state) {
    (void)state;
    uint8_t *bytes PM_AUTO_FREE = sample();
    char *path PM_AUTO_FREE = compress_with(archive_write_add_filter_gzip, "room.gz", bytes, SIZE);
    struct pm_input *input = NULL;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        /* A file size limit stands in for a full disk: the write fails with EFBIG instead of ENOSPC. */
        struct sigaction ignore = {.sa_handler = SIG_IGN};
        sigaction(SIGXFSZ, &ignore, NULL);
        struct rlimit limit = {1 << 16, 1 << 16};
        setrlimit(RLIMIT_FSIZE, &limit);
        struct pm_error *err = open_path(path, &input);
        bool good = err && err->kind == PM_ERR_IO && strstr(err->message, "room.gz: decompressing to ") &&
                    strstr(err->message, "failed after") && err->hint && strstr(err->hint, "TMPDIR");
        pm_error_destroy(err);
        _exit(good ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void test_where_temporary_files_go(void **state) {
    (void)state;
    char *path PM_AUTO_FREE = compress_with(archive_write_add_filter_gzip, "small.gz", "hello", 5);
    struct pm_input *input = NULL;
    char *was = getenv("TMPDIR") ? strdup(getenv("TMPDIR")) : NULL;
    setenv("TMPDIR", "/proc/nowhere", 1); /* cannot be written: beside the input */
    assert_pm_ok(open_path(path, &input));
    assert_memory_equal(input->bytes, "hello", 5);
    pm_input_close(input);
    if (was)
        setenv("TMPDIR", was, 1);
    else
        unsetenv("TMPDIR");
    free(was);
    pm_input_close(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_file),
        cmocka_unit_test(test_empty_file),
        cmocka_unit_test(test_what_cannot_be_opened),
        cmocka_unit_test(test_sparse_file),
        cmocka_unit_test(test_large_holes),
        cmocka_unit_test(test_each_compression),
        cmocka_unit_test(test_zeroes_become_holes),
        cmocka_unit_test(test_cut_and_damaged_streams),
        cmocka_unit_test(test_streams_that_hold_nothing),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_where_temporary_files_go),
    };
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
