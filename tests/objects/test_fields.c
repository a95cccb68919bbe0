/* Where the fields of objects are: found without the binary's v8dbg constants they are where these constants
 * say; no two fields of one kind of object share a place; each comes with its origin. */
#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "truth.h"

static const char *const *versions;
static size_t version_count;

struct field_row {
    const char *name, *class_name, *field_names;
    enum v8_type type;
    size_t at;
};
static const struct field_row rows[] = {
#define V8_FIELD(id, type, class_name, field_names, what)                                                    \
    {#id, class_name, field_names, V8_T_##type, offsetof(struct v8_layout, id)},
#include "v8layout/fields.def"
#undef V8_FIELD
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static const struct v8_field *field_of(const struct v8_layout *layout, const struct field_row *row) {
    return (const struct v8_field *)((const char *)layout + row->at);
}

/* The binary's own words. */
static size_t check_published(const char *version, const struct v8 *v8) {
    size_t wrong = 0, compared = 0;
    for (size_t i = 0; i < ROWS; i++) {
        int64_t published;
        const struct v8_field *field = field_of(&v8->layout, &rows[i]);
        if (!rows[i].field_names[0] ||
            !v8_facts_class_field(v8->facts, rows[i].class_name, rows[i].field_names, &published))
            continue;
        compared++;
        if (field->present && field->offset == published && field->origin == V8_PUBLISHED) continue;
        fprintf(stderr, "  %s %s: published %lld, found %d by %d\n", version, rows[i].name,
                (long long)published, field->present ? field->offset : -1, field->origin);
        wrong++;
    }
    assert_true(compared >= 40);
    return wrong;
}

static size_t check_hidden(const char *name, const char *version, const struct v8_layout *wanted) {
    struct truth truth;
    size_t wrong = 0, published = 0;
    if (!truth_open(name, version, "v8dbg_*", false, &truth)) return 1;
    const struct v8_layout *layout = &truth.core.v8->layout;
    for (size_t i = 0; i < ROWS; i++) {
        const struct v8_field *a = field_of(wanted, &rows[i]), *b = field_of(layout, &rows[i]);
        published += rows[i].field_names[0] && b->present && b->origin == V8_PUBLISHED;
        if (a->present == b->present && a->offset == b->offset) continue;
        fprintf(stderr, "  %s %s: %d with constants, %d without\n", version, rows[i].name,
                a->present ? a->offset : -1, b->present ? b->offset : -1);
        wrong++;
    }
    if (published || layout->location_bit != wanted->location_bit ||
        layout->name_dictionary_prefix != wanted->name_dictionary_prefix ||
        layout->source_positions_unsigned != wanted->source_positions_unsigned ||
        layout->scope_info_form != wanted->scope_info_form ||
        layout->trusted_function_data != wanted->trusted_function_data ||
        layout->hash_table_hole != wanted->hash_table_hole ||
        layout->context_cells != wanted->context_cells) {
        fprintf(stderr, "  %s: another form without the constants\n", version);
        wrong++;
    }
    truth_close(&truth);
    return wrong;
}

/* Fields of one class never overlap; date_is_raw is no place of its own. */
static size_t check_overlap(const char *version, const struct v8_layout *layout) {
    size_t wrong = 0;
    for (size_t i = 0; i < ROWS; i++)
        for (size_t k = i + 1; k < ROWS; k++) {
            const struct v8_field *a = field_of(layout, &rows[i]), *b = field_of(layout, &rows[k]);
            if (!a->present || !b->present || a->offset != b->offset || rows[i].type != rows[k].type)
                continue;
            if (strcmp(rows[i].class_name, rows[k].class_name) != 0) continue;
            fprintf(stderr, "  %s: %s and %s are both at %u\n", version, rows[i].name, rows[k].name,
                    a->offset);
            wrong++;
        }
    return wrong;
}

/* Kinds of objects that every heap of the case has: their fields must be there. */
static size_t check_present(const char *version, const struct v8_layout *layout) {
    static const char *const absent[] = {"function_code", "function_dispatch_handle", "shared_untrusted_data",
                                         "stream_code",   "context_cell_value",       "date_is_raw",
                                         "typed_length"};
    size_t wrong = 0;
    for (size_t i = 0; i < ROWS; i++) {
        const struct v8_field *field = field_of(layout, &rows[i]);
        bool may_be_absent = false;
        for (size_t k = 0; k < sizeof(absent) / sizeof(absent[0]); k++)
            may_be_absent = may_be_absent || strcmp(absent[k], rows[i].name) == 0;
        if (field->present ? field->origin != V8_MISSING : may_be_absent) continue;
        fprintf(stderr, "  %s: %s was not found\n", version, rows[i].name);
        wrong++;
    }
    if (layout->function_code.present == layout->function_dispatch_handle.present) wrong++;
    return wrong;
}

static size_t check(const char *name, const char *version) {
    struct truth truth;
    if (!truth_open(name, version, NULL, false, &truth)) return 1;
    const struct v8_layout *layout = &truth.core.v8->layout;
    size_t wrong = check_published(version, truth.core.v8) + check_hidden(name, version, layout) +
                   check_overlap(version, layout) + check_present(version, layout);
    printf("%s %s: %zu fields wrong\n", name, version, wrong);
    truth_close(&truth);
    return wrong;
}

static void test_all_hidden(void **state) {
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < version_count; i++)
        wrong += check("objects", versions[i]) + check("snapshot", versions[i]);
    assert_int_equal(wrong, 0);
}

/* One constant after the other absent, the others there. */
static void test_one_hidden(void **state) {
    (void)state;
    static const char *const constants[] = {"v8dbg_class_*", "v8dbg_prop_*",
                                            "v8dbg_namedictionaryshape_prefix_size"};
    struct truth truth, without;
    const char *version = versions[version_count / 2];
    char pattern[200];
    size_t wrong = 0;
    if (!truth_open("objects", version, NULL, false, &truth)) fail();
    for (size_t i = 0; i < ROWS + sizeof(constants) / sizeof(constants[0]); i++) {
        int64_t published;
        if (i < ROWS &&
            (!rows[i].field_names[0] || !v8_facts_class_field(truth.core.v8->facts, rows[i].class_name,
                                                              rows[i].field_names, &published)))
            continue;
        if (i < ROWS) {
            int length = (int)strcspn(rows[i].field_names, "|");
            snprintf(pattern, sizeof(pattern), "v8dbg_class_%s__%.*s*", rows[i].class_name, length,
                     rows[i].field_names);
        } else {
            snprintf(pattern, sizeof(pattern), "%s", constants[i - ROWS]);
        }
        if (!truth_open("objects", version, pattern, false, &without)) fail();
        for (size_t k = 0; k < ROWS; k++) {
            const struct v8_field *a = field_of(&truth.core.v8->layout, &rows[k]);
            const struct v8_field *b = field_of(&without.core.v8->layout, &rows[k]);
            if (a->present == b->present && a->offset == b->offset) continue;
            fprintf(stderr, "  without %s: %s moved\n", pattern, rows[k].name);
            wrong++;
        }
        truth_close(&without);
    }
    truth_close(&truth);
    assert_int_equal(wrong, 0);
}

/* A heap full of one program's data, where functions and scripts are on a few pages: what every process
 * has is found where a small heap has it. */
static void test_full_heap(void **state) {
    (void)state;
    static const char *const everywhere[] = {"shared_outer_or_feedback",
                                             "shared_script",
                                             "script_source",
                                             "script_line_offset",
                                             "script_type",
                                             "bytecode_source_positions",
                                             "bytecode_frame_size",
                                             "code_instruction_start",
                                             "code_instruction_size"};
    size_t wrong = 0;
    for (size_t i = 0; i < version_count; i++) {
        struct real_core core, small;
        struct pm_error *err = real_core_open("oom-small", versions[i], NULL, &core);
        if (!err) err = real_core_open("objects", versions[i], NULL, &small);
        if (err) fail_msg("%s", err->message);
        for (size_t k = 0; k < sizeof(everywhere) / sizeof(everywhere[0]); k++)
            for (size_t row = 0; row < ROWS; row++) {
                const struct v8_field *field = field_of(&core.v8->layout, &rows[row]),
                                      *known = field_of(&small.v8->layout, &rows[row]);
                if (strcmp(rows[row].name, everywhere[k]) != 0 ||
                    (field->present && known->present && field->offset == known->offset))
                    continue;
                fprintf(stderr, "  %s %s: at %d, in the small heap at %d\n", versions[i], everywhere[k],
                        field->present ? field->offset : -1, known->present ? known->offset : -1);
                wrong++;
            }
        real_core_close(&small);
        real_core_close(&core);
    }
    assert_int_equal(wrong, 0);
}

int main(int argc, char **argv) {
    real_core_versions(argc, argv, &versions, &version_count);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_hidden), cmocka_unit_test(test_one_hidden),
                                       cmocka_unit_test(test_full_heap)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
