/* The diagnosis: what is unknown stays unknown, what is skipped is kept; every kind has its word. */
#include <stdio.h>

#include "postmortem/model/words.h"
#include "tests/support/assert_error.h"

static void test_unknown(void **state) {
    (void)state;
    struct pm_diagnosis *diagnosis = pm_diagnosis_create();
    assert_int_equal(diagnosis->exit_code, PM_EXIT_COMPLETE);
    assert_true(diagnosis->process.pid == PM_UNKNOWN);
    assert_true(diagnosis->process.sender_pid == PM_UNKNOWN);
    assert_true(diagnosis->process.max_old_space_flag == PM_UNKNOWN);
    assert_true(diagnosis->read_objects == PM_UNKNOWN);
    assert_true(diagnosis->layout_score < 0);
    pm_diagnosis_destroy(diagnosis);
    pm_diagnosis_destroy(NULL);
}

static void test_skipped(void **state) {
    (void)state;
    struct pm_diagnosis *diagnosis = pm_diagnosis_create();
    for (uint64_t i = 0; i < 100; i++) {
        char what[32];
        snprintf(what, sizeof(what), "thing %d", (int)i);
        pm_diagnosis_skip(diagnosis, what, i, i * 2, i % 2 ? "why" : NULL);
    }
    assert_int_equal(diagnosis->exit_code, PM_EXIT_PARTIAL);
    assert_int_equal(diagnosis->skipped_count, 100);
    assert_string_equal(diagnosis->skipped[1].why, "why");
    pm_diagnosis_destroy(diagnosis);
}

static void test_problems(void **state) {
    (void)state;
    struct pm_diagnosis *diagnosis = pm_diagnosis_create();
    pm_diagnosis_problem(diagnosis, NULL);
    assert_int_equal(diagnosis->exit_code, PM_EXIT_COMPLETE);
    pm_diagnosis_problem(diagnosis, pm_error_hint(pm_error_at(PM_ERR_LAYOUT, 16, "no layout"), "do this"));
    pm_diagnosis_problem(diagnosis, pm_error_nomem());
    assert_int_equal(diagnosis->exit_code, PM_EXIT_PARTIAL);
    assert_int_equal(diagnosis->problem_count, 2);
    assert_string_equal(diagnosis->problems[0].message, "no layout (at 0x10)");
    assert_string_equal(diagnosis->problems[0].hint, "do this");
    diagnosis->exit_code = PM_EXIT_FAILED;
    pm_diagnosis_problem(diagnosis, pm_error_create(PM_ERR_IO, "x"));
    assert_int_equal(diagnosis->exit_code, PM_EXIT_FAILED); /* never better than it was */
    pm_diagnosis_destroy(diagnosis);
}

static void test_words(void **state) {
    (void)state;
    for (int i = PM_FRAME_JS; i <= PM_FRAME_ENTRY; i++)
        assert_non_null(pm_frame_kind_word((enum pm_frame_kind)i));
    for (int i = PM_TIER_INTERPRETED; i <= PM_TIER_TURBOFAN; i++)
        assert_non_null(pm_tier_word((enum pm_tier)i));
    for (int i = PM_ROLE_OTHER; i <= PM_ROLE_GC; i++) assert_non_null(pm_role_word((enum pm_thread_role)i));
    for (int i = PM_STATE_UNKNOWN; i <= PM_STATE_FATAL; i++) {
        assert_non_null(pm_state_word((enum pm_state_kind)i));
        assert_non_null(pm_state_phrase((enum pm_state_kind)i));
    }
    for (int i = PM_DEATH_UNKNOWN; i <= PM_DEATH_SNAPSHOT; i++) {
        assert_non_null(pm_death_word((enum pm_death_kind)i));
        assert_non_null(pm_death_phrase((enum pm_death_kind)i));
    }
    for (int i = PM_SEVERITY_INFO; i <= PM_SEVERITY_CRITICAL; i++)
        assert_non_null(pm_severity_word((enum pm_severity)i));
    for (int i = PM_CONFIDENCE_LOW; i <= PM_CONFIDENCE_HIGH; i++)
        assert_non_null(pm_confidence_word((enum pm_confidence)i));
    for (int i = PM_FIELD_PROPERTY; i <= PM_FIELD_INTERNAL; i++)
        assert_non_null(pm_field_group_word((enum pm_field_group)i));
    assert_null(pm_state_word((enum pm_state_kind)1000));
    assert_string_equal(pm_signal_name(6), "SIGABRT");
    assert_string_equal(pm_signal_name(31), "SIGSYS");
    assert_string_equal(pm_signal_name(40), "real-time signal");
    assert_null(pm_signal_name(0));
    assert_null(pm_signal_name(PM_UNKNOWN));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_unknown), cmocka_unit_test(test_skipped),
                                       cmocka_unit_test(test_problems), cmocka_unit_test(test_words)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
