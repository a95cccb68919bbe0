/* Whole outputs of every writer against golden files: tests/report/golden/NAME. POSTMORTEM_UPDATE_GOLDEN=1
 * writes them anew; read the difference before you commit it. */
#include "tests/report/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postmortem/report/writer.h"
#include "tests/report/golden.h"
#include "tests/support/assert_error.h"

#define ONE_PAGE                                                                                             \
    (PM_SHOW_PROCESS | PM_SHOW_FINDINGS | PM_SHOW_SPACES | PM_SHOW_HISTOGRAM | PM_SHOW_STACK |               \
     PM_SHOW_DETAILS)

static char *render(const struct pm_writer *writer, const struct pm_diagnosis *diagnosis,
                    struct pm_write_options options) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    writer->write(diagnosis, &options, out);
    fclose(out);
    assert_int_equal(length, strlen(text)); /* no NUL inside */
    return text;
}

/* No control character reaches the output, whatever stood in the heap. */
static void assert_harmless(const char *text, bool color) {
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (color && *p == 0x1b) continue;
        assert_true(*p == '\n' || *p >= 0x20);
        assert_int_not_equal(*p, 0x7f);
    }
    assert_null(strstr(text, "\xe2\x80\xae")); /* right-to-left override */
    assert_null(strstr(text, "\xff"));
}

static void test_text_page(void **state) {
    (void)state;
    struct pm_diagnosis *diagnosis = sample_full();
    char *text = render(&pm_writer_text, diagnosis, (struct pm_write_options){.sections = ONE_PAGE});
    assert_harmless(text, false);
    assert_golden("page.txt", text);
    pm_diagnosis_destroy(diagnosis);
}

static void test_text_color(void **state) {
    (void)state;
    struct pm_diagnosis *diagnosis = sample_full();
    char *text =
        render(&pm_writer_text, diagnosis, (struct pm_write_options){.sections = ONE_PAGE, .color = true});
    assert_harmless(text, true);
    assert_null(strstr(text, "\033[31m")); /* the one from the heap */
    assert_non_null(strstr(text, "\033[1mOut of memory"));
    free(text);
    pm_diagnosis_destroy(diagnosis);
}

static void test_text_narrow(void **state) {
    (void)state;
    struct pm_diagnosis *diagnosis = sample_full();
    char *text =
        render(&pm_writer_text, diagnosis, (struct pm_write_options){.sections = ONE_PAGE, .columns = 60});
    assert_golden("page-60.txt", text);
    pm_diagnosis_destroy(diagnosis);
}

static void test_text_stacks(void **state) {
    (void)state;
    struct pm_diagnosis *diagnosis = sample_full();
    assert_golden("stacks.txt",
                  render(&pm_writer_text, diagnosis, (struct pm_write_options){.sections = PM_SHOW_THREADS}));
    assert_golden("stacks-v.txt",
                  render(&pm_writer_text, diagnosis,
                         (struct pm_write_options){.sections = PM_SHOW_THREADS, .verbose = true}));
    pm_diagnosis_destroy(diagnosis);
}

static void test_text_limit(void **state) {
    (void)state;
    struct pm_diagnosis *diagnosis = sample_full();
    assert_golden("page-limit-2.txt", render(&pm_writer_text, diagnosis,
                                             (struct pm_write_options){.sections = ONE_PAGE, .limit = 2}));
    pm_diagnosis_destroy(diagnosis);
}

static void test_text_objects(void **state) {
    (void)state;
    struct pm_diagnosis *diagnosis = sample_full();
    sample_add_objects(diagnosis);
    char *text =
        render(&pm_writer_text, diagnosis,
               (struct pm_write_options){.sections = PM_SHOW_OBJECT | PM_SHOW_OBJECT_LIST | PM_SHOW_LAYOUT});
    assert_harmless(text, false);
    assert_golden("objects.txt", text);
    pm_diagnosis_destroy(diagnosis);
}

static void test_text_poor(void **state) {
    (void)state;
    struct pm_diagnosis *diagnosis = sample_poor();
    assert_int_equal(diagnosis->exit_code, PM_EXIT_PARTIAL);
    assert_golden("poor.txt",
                  render(&pm_writer_text, diagnosis, (struct pm_write_options){.sections = ONE_PAGE}));
    pm_diagnosis_destroy(diagnosis);
}

/* The coverage is the last thing of every output, and there is always one. */
static void test_coverage_is_last(void **state) {
    (void)state;
    struct pm_diagnosis *samples[] = {sample_full(), sample_poor()};
    for (unsigned sections = 0; sections < 1u << 10; sections = sections * 2 + 1)
        for (size_t i = 0; i < 2; i++) {
            char *text = render(&pm_writer_text, samples[i], (struct pm_write_options){.sections = sections});
            const char *last = strstr(text, "Coverage");
            assert_non_null(last);
            assert_null(strstr(last, "\n\n"));
            free(text);
        }
    for (size_t i = 0; i < 2; i++) pm_diagnosis_destroy(samples[i]);
}

static void test_json(void **state) {
    (void)state;
    struct pm_diagnosis *diagnosis = sample_full();
    sample_add_objects(diagnosis);
    char *text = render(&pm_writer_json, diagnosis, (struct pm_write_options){.sections = ~0u});
    assert_harmless(text, false);
    assert_non_null(strstr(text, "18446744073709551614")); /* exact beyond 2^53 */
    assert_golden("full.json", text);
    pm_diagnosis_destroy(diagnosis);
    diagnosis = sample_poor();
    assert_golden("poor.json",
                  render(&pm_writer_json, diagnosis, (struct pm_write_options){.sections = ONE_PAGE}));
    pm_diagnosis_destroy(diagnosis);
}

static void test_markdown(void **state) {
    (void)state;
    struct pm_diagnosis *diagnosis = sample_full();
    char *text = render(&pm_writer_markdown, diagnosis, (struct pm_write_options){.sections = ONE_PAGE});
    assert_harmless(text, false);
    assert_null(strstr(text, "<script"));
    assert_golden("ticket.md", text);
    pm_diagnosis_destroy(diagnosis);
}

static void test_markdown_size(void **state) {
    (void)state;
    struct pm_diagnosis *diagnosis = sample_full();
    for (size_t most = 100; most < 6000; most += 37) {
        char *text = render(&pm_writer_markdown, diagnosis,
                            (struct pm_write_options){.sections = ONE_PAGE, .max_bytes = most});
        assert_true(strlen(text) <= most);
        size_t fences = 0;
        for (const char *p = text; (p = strstr(p, "```")); p += 3) fences++;
        assert_int_equal(fences % 2, 0);
        free(text);
    }
    pm_diagnosis_destroy(diagnosis);
}

static void test_list_of_writers(void **state) {
    (void)state;
    size_t count;
    const struct pm_writer *const *writers = pm_writers(&count);
    assert_true(count >= 3);
    assert_ptr_equal(writers[0], &pm_writer_text);
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(pm_writer_find(writers[i]->name), writers[i]);
        struct pm_diagnosis *empty = pm_diagnosis_create();
        char *text =
            render(writers[i], empty, (struct pm_write_options){.sections = ~0u}); /* nothing known at all */
        assert_true(strlen(text) > 0);
        free(text);
        pm_diagnosis_destroy(empty);
    }
    assert_null(pm_writer_find("xml"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_page),     cmocka_unit_test(test_text_color),
        cmocka_unit_test(test_text_narrow),   cmocka_unit_test(test_text_stacks),
        cmocka_unit_test(test_text_limit),    cmocka_unit_test(test_text_objects),
        cmocka_unit_test(test_text_poor),     cmocka_unit_test(test_coverage_is_last),
        cmocka_unit_test(test_json),          cmocka_unit_test(test_markdown),
        cmocka_unit_test(test_markdown_size), cmocka_unit_test(test_list_of_writers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
