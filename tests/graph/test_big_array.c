#include "postmortem/base/big_array.h"

#include <stdint.h>
#include <stdlib.h>

#include "tests/support/assert_error.h"

static void test_zeroes_of_any_size(void **state) {
    (void)state;
    const size_t counts[] = {0, 1, 1000, 262143, 262144, 5000000};
    for (size_t k = 0; k < sizeof(counts) / sizeof(*counts); k++) {
        uint64_t *array = PM_BIG_ARRAY(uint64_t, counts[k]);
        assert_non_null(array);
        for (size_t i = 0; i < counts[k]; i++) {
            assert_true(array[i] == 0);
            array[i] = i;
        }
        size_t half = counts[k] / 2;
        array = pm_big_array_shrink(array, half, sizeof(*array));
        assert_non_null(array);
        for (size_t i = 0; i < half; i++) assert_true(array[i] == i);
        free(array);
    }
}

static void test_sizes_that_are_none(void **state) {
    (void)state;
    volatile size_t many = SIZE_MAX / 4; /* volatile: the compiler need not warn */
    assert_null(pm_big_array(many, 8));
    assert_null(pm_big_array(8, many));
    assert_null(pm_big_array(many, many));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zeroes_of_any_size),
        cmocka_unit_test(test_sizes_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
