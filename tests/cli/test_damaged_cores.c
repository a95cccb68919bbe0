/* Cores that are damaged at random: bits flipped, pages zeroed, words replaced by hostile ones, program
 * headers and notes that lie, files cut. Whatever is in them, a run ends by itself with one of its exit
 * codes, and the sanitizers find nothing. The damage depends on the seed only.
 *
 *   test_damaged_cores                          a few seeds on small cores of three releases
 *   test_damaged_cores CASE VERSION FROM TO     these seeds on that core */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/cli/run_program.h"
#include "tests/support/assert_error.h"
#include "tests/support/folder.h"

#define MOST_PATCHES 4096
#define PAGE         4096u

struct patch { /* what stood there */
    off_t at;
    size_t length;
    unsigned char *bytes;
};
struct damaged {
    int file;
    char *folder, *path;
    off_t size;
    off_t extent[4096][2]; /* where the file has data */
    size_t extents;
    off_t data; /* bytes in them */
    struct patch patches[MOST_PATCHES];
    size_t count;
    uint64_t random;
};

static uint64_t next_random(struct damaged *core) { /* splitmix64 */
    uint64_t z = (core->random += 0x9e3779b97f4a7c15ull);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

static off_t below(struct damaged *core, off_t limit) {
    return limit > 0 ? (off_t)(next_random(core) % (uint64_t)limit) : 0;
}

/* A place where the file has data; holes are pages nobody wrote to. */
static off_t somewhere(struct damaged *core) {
    off_t n = below(core, core->data);
    for (size_t i = 0; i < core->extents; i++) {
        off_t length = core->extent[i][1] - core->extent[i][0];
        if (n < length) return core->extent[i][0] + n;
        n -= length;
    }
    return 0;
}

static void find_data(struct damaged *core) {
    off_t at = 0;
    while (core->extents < 4096 && (at = lseek(core->file, at, SEEK_DATA)) >= 0) {
        off_t end = lseek(core->file, at, SEEK_HOLE);
        core->extent[core->extents][0] = at;
        core->extent[core->extents++][1] = end;
        core->data += end - at;
        at = end;
    }
}

static void patch(struct damaged *core, off_t at, const void *bytes, size_t length) {
    unsigned char *old = calloc(1, length);
    if (!old || core->count == MOST_PATCHES || at + (off_t)length > core->size ||
        pread(core->file, old, length, at) != (ssize_t)length) {
        free(old);
        return;
    }
    core->patches[core->count++] = (struct patch){at, length, old};
    assert_int_equal(pwrite(core->file, bytes, length, at), length);
}

static void undo(struct damaged *core) {
    assert_int_equal(ftruncate(core->file, core->size), 0);
    while (core->count) {
        struct patch *last = &core->patches[--core->count];
        assert_int_equal(pwrite(core->file, last->bytes, last->length, last->at), last->length);
        free(last->bytes);
    }
}

/* ---- kinds of damage ---- */

static void flip_bits(struct damaged *core, off_t limit, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        off_t at = limit ? below(core, limit) : somewhere(core);
        unsigned char byte;
        if (pread(core->file, &byte, 1, at) != 1) continue;
        byte ^= (unsigned char)(1u << next_random(core) % 8);
        patch(core, at, &byte, 1);
    }
}

static void zero_pages(struct damaged *core, unsigned runs, size_t pages) {
    unsigned char *zeros = calloc(pages, PAGE);
    assert_non_null(zeros);
    for (unsigned i = 0; i < runs; i++) {
        off_t at = somewhere(core) & ~(off_t)(PAGE - 1);
        size_t length = pages * PAGE;
        if (at + (off_t)length > core->size) length = (size_t)(core->size - at);
        patch(core, at, zeros, length);
    }
    free(zeros);
}

/* Words that are what readers trip over: lengths of 2^60, pointers to themselves, pointers of elsewhere. */
static void replace_words(struct damaged *core, unsigned count) {
    static const uint64_t hostile[] = {0,
                                       1,
                                       UINT64_MAX,
                                       INT64_MAX,
                                       1ull << 63,
                                       1ull << 60,
                                       0x7fffffff,
                                       0x7fffffff00000000ull,
                                       8,
                                       UINT32_MAX,
                                       3,
                                       0x100000001,
                                       0xfffffffffffffff9ull};
    for (unsigned i = 0; i < count; i++) {
        off_t at = somewhere(core) & ~(off_t)7;
        uint64_t word = hostile[next_random(core) % (sizeof(hostile) / sizeof(hostile[0]))];
        if (next_random(core) % 2 && pread(core->file, &word, 8, somewhere(core) & ~(off_t)7) != 8) continue;
        patch(core, at, &word, 8);
    }
}

static void lie_in_headers(struct damaged *core, unsigned count) {
    static const uint64_t lies[] = {0,         1,          PAGE,       UINT64_MAX,     1ull << 62,
                                    INT64_MAX, 1ull << 40, UINT32_MAX, 0x7fffffffffff, 64};
    Elf64_Ehdr header;
    if (pread(core->file, &header, sizeof(header), 0) != sizeof(header) || !header.e_phnum) return;
    for (unsigned i = 0; i < count; i++) {
        off_t at = (off_t)header.e_phoff + below(core, header.e_phnum) * (off_t)sizeof(Elf64_Phdr);
        off_t field = 8 * below(core, sizeof(Elf64_Phdr) / 8);
        uint64_t lie = lies[next_random(core) % (sizeof(lies) / sizeof(lies[0]))];
        patch(core, at + field, &lie, 8);
    }
}

static const char *damage(struct damaged *core, uint64_t seed) {
    core->random = seed * 0x2545f4914f6cdd1dull + 1;
    switch (seed % 10) {
    case 0: flip_bits(core, 0, 60); return "bits flipped";
    case 1: flip_bits(core, 0, 3000); return "many bits flipped";
    case 2: zero_pages(core, 8, 1); return "pages zeroed";
    case 3: zero_pages(core, 6, 128); return "runs of pages zeroed";
    case 4: replace_words(core, 300); return "hostile words";
    case 5: replace_words(core, 4000); return "many hostile words";
    case 6: lie_in_headers(core, 3); return "program headers that lie";
    case 7: flip_bits(core, 64 * 1024, 40); return "headers and notes damaged";
    case 8: assert_int_equal(ftruncate(core->file, somewhere(core)), 0); return "cut";
    default:
        lie_in_headers(core, 1);
        replace_words(core, 500);
        zero_pages(core, 2, 16);
        return "of everything";
    }
}

/* ---- runs ---- */

static bool is_fine(const struct run *run) {
    static const char *const reports[] = {"Sanitizer", "runtime error:", "postmortem crashed"};
    bool fine = run->exit_code >= 0 && run->exit_code <= 2;
    for (size_t i = 0; i < sizeof(reports) / sizeof(reports[0]); i++) fine &= !strstr(run->err, reports[i]);
    return fine;
}

static unsigned check_seeds(const char *name, const char *version, uint64_t from, uint64_t to) {
    static const char *const commands[] = {"diagnose", "stacks", "histogram", "spaces"};
    char *directory = core_directory(name, version), *exe = path_of(directory, "node");
    struct damaged *core = calloc(1, sizeof(*core));
    unsigned wrong = 0;
    assert_non_null(core);
    core->folder = folder_new();
    core->path = path_of(core->folder, "core");
    struct run copied = run_shell("cp --sparse=always '%s/core' '%s'", directory, core->path);
    assert_run(&copied, 0, NULL, NULL);
    run_free(&copied);
    core->file = open(core->path, O_RDWR);
    assert_true(core->file >= 0);
    core->size = lseek(core->file, 0, SEEK_END);
    find_data(core);
    for (uint64_t seed = from; seed < to; seed++) {
        const char *what = damage(core, seed);
        /* Half of the runs are the whole diagnosis. */
        const char *command = commands[seed / 10 % 2 ? 0 : seed / 20 % 4];
        struct run run = RUN(command, core->path, "--exe", exe, "--format", seed % 3 ? "json" : "text");
        if (!is_fine(&run)) {
            print_error("%s %s, seed %llu (%s), %s: exit code %d\n%.4000s\n", name, version,
                        (unsigned long long)seed, what, command, run.exit_code, run.err);
            wrong++;
        }
        run_free(&run);
        undo(core);
    }
    close(core->file);
    folder_remove(core->folder);
    free(core->path);
    free(core);
    free(exe);
    free(directory);
    return wrong;
}

static char **arguments;

static void test_seeds(void **state) {
    (void)state;
    unsigned wrong = 0;
    if (arguments) {
        wrong = check_seeds(arguments[1], arguments[2], strtoull(arguments[3], NULL, 10),
                            strtoull(arguments[4], NULL, 10));
    } else {
        wrong += check_seeds("die-segv", "22.23.3", 0, 40);
        wrong += check_seeds("stack-worker", "16.20.2", 100, 120);
        wrong += check_seeds("stack-worker", "26.10.0", 200, 220);
    }
    assert_int_equal(wrong, 0);
}

int main(int argc, char **argv) {
    if (argc == 5) arguments = argv;
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_seeds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
