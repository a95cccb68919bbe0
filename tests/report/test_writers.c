/* Whole outputs of every writer against golden files: tests/report/golden/NAME. POSTMORTEM_UPDATE_GOLDEN=1
 * writes them anew; read the difference before you commit it. */
#include "tests/report/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postmortem/base/escape.h"
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
    sample_add_facts(diagnosis);
    assert_golden("ticket-facts.md",
                  render(&pm_writer_markdown, diagnosis, (struct pm_write_options){.sections = ~0u}));
    pm_diagnosis_destroy(diagnosis);
}

/* What is left of a line when code spans are taken out and escapes undone. */
static void outside_code(const char *line, size_t length, char *ret) {
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        if (line[i] == '\\' && i + 1 < length) {
            ret[used++] = line[++i];
        } else if (line[i] == '`') {
            const char *close = memchr(line + i + 1, '`', length - i - 1);
            assert_non_null(close); /* a span that does not end */
            i = (size_t)(close - line);
            ret[used++] = ' ';
        } else if (!strncmp(line + i, "&#64;", 5)) {
            ret[used++] = '@';
            i += 4;
        } else {
            ret[used++] = line[i];
        }
    }
    ret[used] = 0;
}

static size_t cells_of(const char *line, size_t length) {
    size_t pipes = 0;
    for (size_t i = 0; i < length; i++) {
        if (line[i] == '\\')
            i++;
        else
            pipes += line[i] == '|';
    }
    return pipes;
}

/* Every line is whole; no mention, reference or link outside of code; tables have their columns; code ends.
 */
static void assert_ticket(const char *text, bool whole) {
    static char plain[65536];
    bool fence = false;
    size_t cells = 0;
    for (const char *line = text; *line;) {
        size_t length = strcspn(line, "\n");
        bool is_fence = length >= 3 && !strncmp(line, "```", 3);
        if (is_fence) fence = !fence;
        if (!fence && !is_fence) {
            outside_code(line, length, plain);
            for (const char *p = plain; *p; p++)
                if (strchr("@#!", *p) &&
                    (p[1] == '_' || (p[1] >= '0' && p[1] <= '9') || (p[1] >= 'a' && p[1] <= 'z')))
                    fail_msg("a reference: %s", plain);
            assert_null(strstr(plain, "://"));
            assert_null(strstr(plain, "www."));
            assert_null(strstr(plain, "<s"));
            if (line[0] != '|') {
                cells = 0;
            } else {
                assert_int_equal(line[length - 1], '|');
                if (cells) assert_int_equal(cells_of(line, length), cells);
                cells = cells_of(line, length);
            }
        }
        line += length;
        if (whole) assert_int_equal(*line, '\n');
        if (*line) line++;
    }
    assert_false(fence);
    for (size_t i = 0, length = strlen(text); i < length;) {
        size_t start = i;
        if (pm_utf8_next(text, length, &i) == 0xfffd)
            assert_int_equal(i - start, 3); /* ours, not a broken one */
    }
}

static void test_markdown_size(void **state) {
    (void)state;
    struct pm_diagnosis *diagnosis = sample_full();
    sample_add_facts(diagnosis);
    char *whole = render(&pm_writer_markdown, diagnosis, (struct pm_write_options){.sections = ~0u});
    size_t full = strlen(whole);
    assert_ticket(whole, true);
    for (size_t most = 40; most < full + 10; most += most < 1000 ? 13 : 7) {
        char *text = render(&pm_writer_markdown, diagnosis,
                            (struct pm_write_options){.sections = ~0u, .max_bytes = most});
        assert_true(strlen(text) <= most);
        assert_ticket(text, most >= 1000);
        if (most >= 1000 && most < full) assert_non_null(strstr(text, "left out or not complete: "));
        if (most >= full) assert_string_equal(text, whole);
        free(text);
    }
    free(whole);
    pm_diagnosis_destroy(diagnosis);
}

/* The usual limit holds whatever is in the heap. */
static void test_markdown_huge(void **state) {
    (void)state;
    enum { LENGTH = 200000 };
    struct pm_diagnosis *diagnosis = sample_full();
    sample_add_facts(diagnosis);
    char *name = calloc(1, LENGTH + 1);
    assert_non_null(name);
    for (size_t i = 0; i < LENGTH; i++) name[i] = "`@a |\xc3\xa4<"[i % 8];
    struct pm_finding huge = diagnosis->findings[0];
    huge.title = huge.claim = huge.advice = name;
    diagnosis->verdict = name;
    diagnosis->findings = &huge;
    diagnosis->isolates[0].histogram[0].name = name;
    for (size_t most = 1000; most < 40000; most += 1501) {
        char *text = render(&pm_writer_markdown, diagnosis,
                            (struct pm_write_options){.sections = ~0u, .max_bytes = most == 1000 ? 0 : most});
        assert_true(strlen(text) <= (most == 1000 ? 30000 : most));
        assert_ticket(text, false);
        free(text);
    }
    diagnosis->isolates[0].histogram[0].name = "Date";
    free(name);
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
        cmocka_unit_test(test_text_page),
        cmocka_unit_test(test_text_color),
        cmocka_unit_test(test_text_narrow),
        cmocka_unit_test(test_text_stacks),
        cmocka_unit_test(test_text_limit),
        cmocka_unit_test(test_text_objects),
        cmocka_unit_test(test_text_poor),
        cmocka_unit_test(test_coverage_is_last),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_markdown),
        cmocka_unit_test(test_markdown_size),
        cmocka_unit_test(test_markdown_huge),
        cmocka_unit_test(test_list_of_writers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
