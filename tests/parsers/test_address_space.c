#include "parsers/address_space.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "tests/support/assert_error.h"

/* What one address answers: the byte, or one of these. */
#define NOT_SAVED  -1
#define NOT_MAPPED -2

static int at(const struct pm_mem *mem, pm_addr addr) {
    uint8_t byte;
    if (pm_mem_u8(mem, addr, &byte)) return byte;
    return pm_mem_probe(mem, addr, 1) == PM_MEM_NOT_SAVED ? NOT_SAVED : NOT_MAPPED;
}

static struct pm_mem *mem_new(void) {
    struct pm_mem *mem;
    assert_pm_ok(pm_mem_create(&mem));
    return mem;
}

static void add(struct pm_mem *mem, pm_addr start, pm_addr end, const char *bytes, uint64_t saved) {
    assert_pm_ok(pm_mem_add(mem, start, end, (const uint8_t *)bytes, saved, PM_MEM_READ | PM_MEM_WRITE));
}

static void test_three_answers(void **state) {
    (void)state;
    struct pm_mem *mem PM_AUTO(mem) = mem_new();
    uint8_t buf[8];
    add(mem, 0x1000, 0x1010, "hello", 5);
    assert_pm_ok(pm_mem_finish(mem));
    assert_int_equal(at(mem, 0x0fff), NOT_MAPPED);
    assert_int_equal(at(mem, 0x1000), 'h');
    assert_int_equal(at(mem, 0x1004), 'o');
    assert_int_equal(at(mem, 0x1005), NOT_SAVED);
    assert_int_equal(at(mem, 0x100f), NOT_SAVED);
    assert_int_equal(at(mem, 0x1010), NOT_MAPPED);
    assert_int_equal(pm_mem_probe(mem, 0x1000, 5), PM_MEM_BYTES);
    assert_int_equal(pm_mem_probe(mem, 0x1000, 6), PM_MEM_NOT_SAVED);
    assert_int_equal(pm_mem_probe(mem, 0x1000, 0x11), PM_MEM_NOT_SAVED); /* the first of the two reasons */
    assert_null(pm_mem_view(mem, 0x1001, 5));
    assert_non_null(pm_mem_view(mem, 0x1001, 4));
    assert_pm_error_at(pm_mem_read(mem, 0x1003, 4, buf), PM_ERR_NOT_SAVED, 0x1005, "not saved");
    assert_pm_error_at(pm_mem_read(mem, 0x1010, 1, buf), PM_ERR_NOT_MAPPED, 0x1010, "not mapped");
    assert_pm_ok(pm_mem_read(mem, 0x1000, 5, buf));
    assert_memory_equal(buf, "hello", 5);
}

static void test_an_empty_one(void **state) {
    (void)state;
    struct pm_mem *mem PM_AUTO(mem) = mem_new();
    uint64_t value;
    assert_false(pm_mem_u64(mem, 0x1000, &value)); /* before the first finish, too */
    assert_pm_ok(pm_mem_finish(mem));
    assert_null(pm_mem_find(mem, 0));
    assert_null(pm_mem_view(mem, 0, 0));
    assert_int_equal(pm_mem_range_count(mem), 0);
    assert_pm_error_at(pm_mem_read(mem, 7, 1, &value), PM_ERR_NOT_MAPPED, 7, "not mapped");
    pm_mem_destroy(NULL);
}

static void test_reads_across_ranges(void **state) {
    (void)state;
    struct pm_mem *mem PM_AUTO(mem) = mem_new();
    static const char together[] = "abcdefgh", apart[] = "ABCD";
    uint64_t value, length;
    char buf[13] = {0};
    add(mem, 0x1000, 0x1004, together, 4); /* these two follow each other in the file too */
    add(mem, 0x1004, 0x1008, together + 4, 4);
    add(mem, 0x1008, 0x100c, apart, 4);
    assert_pm_ok(pm_mem_finish(mem));
    assert_int_equal(pm_mem_range_count(mem), 3);
    assert_ptr_equal(pm_mem_view(mem, 0x1002, 6), together + 2);
    assert_null(pm_mem_view(mem, 0x1002, 7)); /* there, but not contiguous here */
    assert_ptr_equal(pm_mem_view_some(mem, 0x1002, &length), together + 2);
    assert_int_equal(length, 6);
    assert_true(pm_mem_copy(mem, 0x1000, buf, 12));
    assert_string_equal(buf, "abcdefghABCD");
    assert_false(pm_mem_copy(mem, 0x1000, buf, 13));
    assert_true(pm_mem_u64(mem, 0x1004, &value));
    assert_memory_equal(&value, "efghABCD", 8);
    assert_false(pm_mem_u64(mem, 0x1005, &value));
}

static void test_overlaps(void **state) {
    (void)state;
    struct pm_mem *mem PM_AUTO(mem) = mem_new();
    add(mem, 0x10, 0x20, "aaaaaaaa", 8); /* 10-18 saved, 18-20 not */
    add(mem, 0x14, 0x1c, "bbbbbbbb", 8); /* loses 14-18, wins 18-1c over not saved */
    add(mem, 0x08, 0x30, "cccccccccccccccccccccccccccccccccccccccc", 40);
    assert_pm_ok(pm_mem_finish(mem));
    char all[0x29] = {0};
    assert_true(pm_mem_copy(mem, 0x08, all, 0x28));
    assert_string_equal(all, "ccccccccaaaaaaaabbbbcccccccccccccccccccc");
    for (size_t i = 1; i < pm_mem_range_count(mem); i++)
        assert_true(pm_mem_range_at(mem, i)->start >= pm_mem_range_at(mem, i - 1)->end);
}

static void test_fill_only_what_is_not_saved(void **state) {
    (void)state;
    struct pm_mem *mem PM_AUTO(mem) = mem_new();
    static const char file[] = "0123456789abcdef";
    add(mem, 0x104, 0x10c, "SAVE", 4);
    assert_pm_ok(pm_mem_finish(mem));
    assert_pm_ok(pm_mem_fill(mem, 0x100, (const uint8_t *)file, 16, PM_MEM_READ | PM_MEM_EXECUTE));
    assert_int_equal(at(mem, 0x108), NOT_SAVED); /* not before finish */
    assert_pm_ok(pm_mem_finish(mem));
    char all[17] = {0};
    assert_true(pm_mem_copy(mem, 0x100, all, 16));
    assert_string_equal(all, "0123SAVE89abcdef");
    assert_true(pm_mem_find(mem, 0x100)->from_file);
    assert_false(pm_mem_find(mem, 0x104)->from_file);
    assert_true(pm_mem_find(mem, 0x108)->from_file);
    assert_pm_ok(pm_mem_fill(mem, 0x100, (const uint8_t *)"XXXXXXXXXXXXXXXXXXXX", 20, PM_MEM_READ));
    assert_pm_ok(pm_mem_finish(mem));
    assert_true(pm_mem_copy(mem, 0x100, all, 16));
    assert_string_equal(all, "0123SAVE89abcdef"); /* the first file stays */
    assert_int_equal(at(mem, 0x113), 'X');
    assert_int_equal(at(mem, 0x114), NOT_MAPPED);
    assert_pm_error_at(pm_mem_fill(mem, UINT64_MAX - 1, (const uint8_t *)file, 16, 0), PM_ERR_FORMAT,
                       UINT64_MAX - 1, "address space");
    assert_pm_error_at(pm_mem_add(mem, 0x20, 0x10, NULL, 0, 0), PM_ERR_FORMAT, 0x20, "ends before");
}

static void test_the_top_of_the_address_space(void **state) {
    (void)state;
    struct pm_mem *mem PM_AUTO(mem) = mem_new();
    uint64_t value;
    add(mem, UINT64_MAX - 16, UINT64_MAX, "0123456789abcdef", 16);
    assert_pm_ok(pm_mem_finish(mem));
    assert_int_equal(at(mem, UINT64_MAX - 1), 'f');
    assert_int_equal(at(mem, UINT64_MAX), NOT_MAPPED);
    assert_false(pm_mem_u64(mem, UINT64_MAX - 4, &value));
    assert_null(pm_mem_view(mem, UINT64_MAX - 4, UINT64_MAX));
    assert_int_equal(pm_mem_probe(mem, UINT64_MAX - 4, UINT64_MAX), PM_MEM_NOT_MAPPED);
}

static void test_strings(void **state) {
    (void)state;
    struct pm_mem *mem PM_AUTO(mem) = mem_new();
    add(mem, 0x1000, 0x1003, "abc", 3);
    add(mem, 0x1003, 0x1010, "def\0xyz", 7);
    assert_pm_ok(pm_mem_finish(mem));
    char *text PM_AUTO_FREE = pm_mem_string(mem, 0x1000, 100);
    assert_string_equal(text, "abcdef");
    char *exact PM_AUTO_FREE = pm_mem_string(mem, 0x1000, 6);
    assert_string_equal(exact, "abcdef");
    char *empty PM_AUTO_FREE = pm_mem_string(mem, 0x1006, 0);
    assert_string_equal(empty, "");
    assert_null(pm_mem_string(mem, 0x1000, 5));
    assert_null(pm_mem_string(mem, 0x1007, 100)); /* runs into what is not saved */
    assert_null(pm_mem_string(mem, 0x2000, 100));
    assert_null(pm_mem_string(mem, 0x1000, 2));
}

/* Against a plain array: pieces anywhere, in any order, overlapping. */
static void test_random_pieces_against_an_array(void **state) {
    (void)state;
    enum { SIZE = 256, PIECES = 24 };
    static uint8_t bytes[PIECES][SIZE];
    uint32_t random = 12345;
#define NEXT() (random = random * 1664525 + 1013904223, random >> 8)
    for (int round = 0; round < 2000; round++) {
        struct pm_mem *mem PM_AUTO(mem) = mem_new();
        int answer[SIZE], rank[SIZE];
        for (int i = 0; i < SIZE; i++) answer[i] = NOT_MAPPED, rank[i] = 3;
        unsigned pieces = NEXT() % PIECES;
        for (unsigned p = 0; p < pieces; p++) {
            unsigned start = NEXT() % SIZE, end = start + NEXT() % (SIZE - start + 1),
                     saved = NEXT() % (end - start + 1);
            bool fill = NEXT() % 3 == 0;
            memset(bytes[p], (int)p, SIZE);
            if (fill) {
                saved = end - start;
                assert_pm_ok(pm_mem_fill(mem, start, bytes[p], saved, 0));
            } else {
                assert_pm_ok(pm_mem_add(mem, start, end, bytes[p], saved, 0));
            }
            for (unsigned i = start; i < end; i++) {
                int mine = i >= start + saved ? 2 : fill ? 1 : 0;
                if (mine >= rank[i]) continue;
                rank[i] = mine;
                answer[i] = mine == 2 ? NOT_SAVED : (int)p;
            }
            if (NEXT() % 4 == 0) assert_pm_ok(pm_mem_finish(mem));
        }
        assert_pm_ok(pm_mem_finish(mem));
        for (int i = 0; i < SIZE; i++) assert_int_equal(at(mem, (pm_addr)i), answer[i]);
    }
}

/* Many threads over many ranges. */
enum { RANGES = 20000, STEP = 0x40000 };
static atomic_int wrong_answers;

static void *walk(void *argument) {
    const struct pm_mem *mem = argument;
    uint64_t random = (uint64_t)(uintptr_t)&random;
    for (int i = 0; i < 200000; i++) {
        random = random * 6364136223846793005ull + 1442695040888963407ull;
        uint64_t n = (random >> 33) % RANGES, value;
        if (!pm_mem_u64(mem, n * STEP + 8, &value) || value != n || pm_mem_u64(mem, n * STEP + 16, &value))
            atomic_fetch_add(&wrong_answers, 1);
    }
    return NULL;
}

static void test_threads(void **state) {
    (void)state;
    struct pm_mem *mem PM_AUTO(mem) = mem_new();
    uint64_t *words PM_AUTO_FREE = calloc(RANGES, 16);
    for (uint64_t i = 0; i < RANGES; i++) {
        words[i * 2 + 1] = i;
        assert_pm_ok(pm_mem_add(mem, i * STEP, i * STEP + STEP, (const uint8_t *)&words[i * 2], 16, 0));
    }
    assert_pm_ok(pm_mem_finish(mem));
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, walk, mem), 0);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    assert_int_equal(wrong_answers, 0);
}

/* Several ranges in one 256 KB grain, ranges over many grains, and one that is too large for the table of
 * grains. */
static void test_grains(void **state) {
    (void)state;
    struct pm_mem *mem PM_AUTO(mem) = mem_new();
    const uint64_t grain = 1 << 18, large = grain << 17;
    uint8_t *bytes = mmap(NULL, large, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_ptr_not_equal(bytes, MAP_FAILED);
    for (pm_addr i = 0; i < 64; i++) add(mem, grain + i * 64, grain + i * 64 + 32, "0123456789abcdef", 16);
    assert_pm_ok(pm_mem_add(mem, 4 * grain + 8, 20 * grain + 8, bytes, 16 * grain, 0));
    assert_pm_ok(pm_mem_add(mem, 1ull << 40, (1ull << 40) + large, bytes, large, 0));
    assert_pm_ok(pm_mem_add(mem, 1ull << 60, 1ull << 61, NULL, 0, 0));
    assert_pm_ok(pm_mem_finish(mem));
    for (pm_addr i = 0; i < 64; i++) {
        assert_int_equal(at(mem, grain + i * 64 + 15), 'f');
        assert_int_equal(at(mem, grain + i * 64 + 16), NOT_SAVED);
        assert_int_equal(at(mem, grain + i * 64 + 32), NOT_MAPPED);
    }
    assert_int_equal(at(mem, 4 * grain + 7), NOT_MAPPED);
    for (pm_addr i = 4; i < 20; i++) assert_int_equal(at(mem, i * grain + 8), 0);
    assert_int_equal(at(mem, 20 * grain + 7), 0);
    assert_int_equal(at(mem, 20 * grain + 8), NOT_MAPPED);
    assert_int_equal(at(mem, (1ull << 40) + large - 1), 0);
    assert_int_equal(at(mem, (1ull << 40) + large), NOT_MAPPED);
    assert_int_equal(at(mem, (1ull << 61) - 1), NOT_SAVED);
    munmap(bytes, large);
}

static void test_holes(void **state) {
    (void)state;
    struct pm_mem *mem PM_AUTO(mem) = NULL;
    assert_pm_ok(pm_mem_create(&mem));
    assert_int_equal(pm_mem_after_hole(mem, 0x5000), 0x5000);
    assert_pm_ok(pm_mem_add_hole(mem, 0x1000, 0x3000));
    assert_pm_ok(pm_mem_add_hole(mem, 0x8000, 0x8000)); /* none */
    assert_pm_ok(pm_mem_add_hole(mem, 0x10000, 0x20000));
    assert_int_equal(pm_mem_after_hole(mem, 0xfff), 0xfff);
    assert_int_equal(pm_mem_after_hole(mem, 0x1000), 0x3000);
    assert_int_equal(pm_mem_after_hole(mem, 0x2fff), 0x3000);
    assert_int_equal(pm_mem_after_hole(mem, 0x3000), 0x3000);
    assert_int_equal(pm_mem_after_hole(mem, 0x8000), 0x8000);
    assert_int_equal(pm_mem_after_hole(mem, 0x1ffff), 0x20000);
    assert_int_equal(pm_mem_after_hole(mem, 0x20000), 0x20000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_three_answers),
        cmocka_unit_test(test_an_empty_one),
        cmocka_unit_test(test_reads_across_ranges),
        cmocka_unit_test(test_overlaps),
        cmocka_unit_test(test_fill_only_what_is_not_saved),
        cmocka_unit_test(test_the_top_of_the_address_space),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_random_pieces_against_an_array),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_grains),
        cmocka_unit_test(test_holes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
