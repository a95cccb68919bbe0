/* Answers that compare: heaps, reports, profiles. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "postmortem/model/heap_answers.h"
#include "postmortem/model/profile_compare.h"
#include "postmortem/model/report_compare.h"
#include "postmortem/report/answers.h"
#include "postmortem/report/format.h"
#include "postmortem/report/profile_words.h"

#define USUAL_CHANGES  25
#define USUAL_PACKAGES 12
#define LEAD(...)      pm_arena_printf(answers->arena, __VA_ARGS__)

/* "+1.2 MB", "-3.4 kB", "0 B" */
static const char *signed_bytes(char *text, uint64_t before, uint64_t after) {
    char bytes[PM_NUMBER_TEXT];
    pm_format_bytes(bytes, after >= before ? after - before : before - after);
    snprintf(text, 2 * PM_NUMBER_TEXT, "%s%s", after > before ? "+" : after < before ? "-" : "", bytes);
    return text;
}

static const char *signed_count(char *text, uint64_t before, uint64_t after) {
    char count[PM_NUMBER_TEXT];
    pm_format_count(count, after >= before ? after - before : before - after);
    snprintf(text, 2 * PM_NUMBER_TEXT, "%s%s", after > before ? "+" : after < before ? "-" : "", count);
    return text;
}

/* ---- heaps ---- */

static void add_growth(struct pm_answers *answers, const struct pm_heap_comparison *comparison) {
    static const struct pm_column columns[] = {
        {"kept by", PM_COLUMN_ELASTIC},     {"growth", PM_COLUMN_NUMBER},  {"of it 1-2", PM_COLUMN_NUMBER},
        {"of it 2-3", PM_COLUMN_NUMBER},    {"objects", PM_COLUMN_NUMBER}, {"shallow", PM_COLUMN_NUMBER},
        {"retained now", PM_COLUMN_NUMBER},
    };
    static const struct pm_column two[] = {
        {"kept by", PM_COLUMN_ELASTIC}, {"growth", PM_COLUMN_NUMBER},       {"objects", PM_COLUMN_NUMBER},
        {"shallow", PM_COLUMN_NUMBER},  {"retained now", PM_COLUMN_NUMBER},
    };
    bool three = comparison->input_count > 2;
    size_t last = comparison->input_count - 1;
    char text[2 * PM_NUMBER_TEXT];
    struct pm_answer *block = pm_answers_block(
        answers, "Growth",
        "own size of the objects that objects of a class keep (tables and elements count with their owner); "
        "objects, shallow: change of the class itself",
        three ? columns : two, three ? 7 : 5);
    for (size_t i = 0; i < comparison->row_count; i++) {
        const struct pm_compare_cell *cells = comparison->rows[i].cells;
        if (cells[0].kept == cells[last].kept && cells[0].shallow == cells[last].shallow &&
            cells[0].count == cells[last].count)
            continue;
        pm_answers_cell(answers, block, comparison->rows[i].class_name);
        pm_answers_cell(answers, block, signed_bytes(text, cells[0].kept, cells[last].kept));
        for (size_t k = 1; three && k <= last; k++)
            pm_answers_cell(answers, block, signed_bytes(text, cells[k - 1].kept, cells[k].kept));
        pm_answers_cell(answers, block, signed_count(text, cells[0].count, cells[last].count));
        pm_answers_cell(answers, block, signed_bytes(text, cells[0].shallow, cells[last].shallow));
        pm_answers_bytes(answers, block, cells[last].retained);
    }
    if (comparison->row_count < comparison->row_total)
        block->rest = LEAD("%" PRIu64 " more classes (--limit 0 shows all, shrunk ones too)",
                           comparison->row_total - comparison->row_count);
}

static void add_survivors(struct pm_answers *answers, const struct pm_heap_comparison *comparison) {
    static const struct pm_column columns[] = {{"class", PM_COLUMN_ELASTIC},
                                               {"objects", PM_COLUMN_NUMBER},
                                               {"bytes", PM_COLUMN_NUMBER},
                                               {"the largest in the third", PM_COLUMN_ELASTIC},
                                               {"", PM_COLUMN_TEXT}};
    char count[PM_NUMBER_TEXT], bytes[PM_NUMBER_TEXT];
    if (comparison->input_count < 3) return;
    if (comparison->why_no_survivors) {
        pm_answers_block(answers, "Survivors", LEAD("not told apart: %s", comparison->why_no_survivors), NULL,
                         0);
        return;
    }
    struct pm_answer *block = pm_answers_block(
        answers, "Survivors",
        LEAD("%s objects (%s) appeared between the first and the second and are still in the third",
             pm_format_count(count, comparison->survivor_objects),
             pm_format_bytes(bytes, comparison->survivor_bytes)),
        columns, 5);
    for (size_t i = 0; i < comparison->survivor_count; i++) {
        const struct pm_survivor_row *row = &comparison->survivors[i];
        pm_answers_cell(answers, block, row->class_name);
        pm_answers_count(answers, block, row->count);
        pm_answers_bytes(answers, block, row->bytes);
        pm_answers_cell(answers, block, row->label);
        pm_answers_cell(answers, block, pm_format_object(count, true, row->object));
    }
}

static void add_heaps(struct pm_answers *answers, const struct pm_heap_comparison *comparison) {
    static const struct pm_column columns[] = {{"", PM_COLUMN_NUMBER},
                                               {"file", PM_COLUMN_ELASTIC_PATH},
                                               {"objects", PM_COLUMN_NUMBER},
                                               {"bytes", PM_COLUMN_NUMBER},
                                               {"growth", PM_COLUMN_NUMBER}};
    struct pm_answer *block = pm_answers_block(answers, "Heaps", "reachable objects", columns, 5);
    char text[2 * PM_NUMBER_TEXT];
    for (size_t i = 0; i < comparison->input_count; i++) {
        pm_answers_cell(answers, block, LEAD("%zu", i + 1));
        pm_answers_cell(answers, block, comparison->inputs[i].path);
        pm_answers_count(answers, block, comparison->inputs[i].objects);
        pm_answers_bytes(answers, block, comparison->inputs[i].bytes);
        pm_answers_cell(answers, block,
                        i ? signed_bytes(text, comparison->inputs[i - 1].bytes, comparison->inputs[i].bytes)
                          : NULL);
    }
    add_growth(answers, comparison);
    add_survivors(answers, comparison);
}

/* ---- reports ---- */

static const char *amount(char *text, const struct pm_report_change *change, double value) {
    if (change->unit == PM_CHANGE_BYTES) return pm_format_bytes(text, (uint64_t)value);
    if (change->unit == PM_CHANGE_COUNT) return pm_format_count(text, (uint64_t)value);
    snprintf(text, PM_NUMBER_TEXT, "%.2f s", value);
    return text;
}

static void add_reports(struct pm_answers *answers, const struct pm_report_comparison *comparison) {
    static const struct pm_column columns[] = {{"what", PM_COLUMN_ELASTIC},
                                               {"before", PM_COLUMN_NUMBER},
                                               {"after", PM_COLUMN_NUMBER},
                                               {"change", PM_COLUMN_NUMBER}};
    char number[PM_NUMBER_TEXT];
    const char *time = isfinite(comparison->seconds) ? LEAD(", %.0f s apart", comparison->seconds) : "";
    struct pm_answer *block = pm_answers_block(
        answers, "Change",
        LEAD("%s%s%s", comparison->same_process ? "two reports of one process" : "reports of two processes",
             time ? time : "", comparison->change_count ? "" : ": none"),
        columns, comparison->change_count ? 4 : 0);
    for (size_t i = 0; i < comparison->change_count; i++) {
        const struct pm_report_change *change = &comparison->changes[i];
        double more = change->after - change->before;
        pm_answers_cell(answers, block, change->what);
        pm_answers_cell(answers, block, amount(number, change, change->before));
        pm_answers_cell(answers, block, amount(number, change, change->after));
        pm_answers_cell(answers, block,
                        LEAD("%c%s", more < 0 ? '-' : '+', amount(number, change, more < 0 ? -more : more)));
    }
}

/* ---- profiles ---- */

static const char *signed_value(struct pm_answers *answers, const struct pm_profile *profile, double value) {
    char text[PM_NUMBER_TEXT];
    double size = fabs(value) < 0x1p62 ? fabs(value) : 0x1p62;
    return LEAD("%s%s",
                value > 0   ? "+"
                : value < 0 ? "-"
                            : "",
                pm_format_value(profile, text, (uint64_t)(size + 0.5)));
}

static void cell_value(struct pm_answers *answers, struct pm_answer *block, const struct pm_profile *profile,
                       double value) {
    char text[PM_NUMBER_TEXT];
    pm_answers_cell(answers, block,
                    pm_format_value(profile, text, (uint64_t)((value < 0x1p62 ? value : 0x1p62) + 0.5)));
}

static void add_profile_files(struct pm_answers *answers, const struct pm_profile_comparison *comparison) {
    static const struct pm_column columns[] = {
        {"", PM_COLUMN_NUMBER},    {"file", PM_COLUMN_ELASTIC_PATH}, {"samples", PM_COLUMN_NUMBER},
        {"all", PM_COLUMN_NUMBER}, {"idle", PM_COLUMN_NUMBER},       {"gc", PM_COLUMN_NUMBER}};
    bool cpu = comparison->both.kind == PM_PROFILE_CPU;
    const char *lead = "heap profiles: what was live when each was taken, from samples";
    if (cpu) lead = "CPU profiles: time on the processor, from samples; waiting is no growth";
    if (comparison->scale < 1 || comparison->scale > 1)
        lead = LEAD("%s. They are not of one length: values of the first are multiplied by %.3f", lead,
                    comparison->scale);
    struct pm_answer *block = pm_answers_block(answers, "Profiles", lead, columns, cpu ? 6 : 4);
    for (unsigned i = 0; i < 2; i++) {
        const struct pm_profile *profile = i ? comparison->after : comparison->before;
        const struct pm_diagnosis *diagnosis = answers->diagnosis;
        pm_answers_cell(answers, block, i ? "2" : "1");
        pm_answers_cell(answers, block,
                        profile->input < diagnosis->input_count ? diagnosis->inputs[profile->input].path
                                                                : NULL);
        pm_answers_count(answers, block, profile->samples);
        cell_value(answers, block, profile, (double)profile->total);
        if (cpu) cell_value(answers, block, profile, (double)profile->idle);
        if (cpu) cell_value(answers, block, profile, (double)profile->gc);
    }
}

static void add_values(struct pm_answers *answers, struct pm_answer *block,
                       const struct pm_profile_comparison *comparison, const struct pm_profile_change *row) {
    const struct pm_profile *both = &comparison->both;
    cell_value(answers, block, both, comparison->scale * (double)row->before.self);
    cell_value(answers, block, both, (double)row->after.self);
    pm_answers_cell(answers, block, signed_value(answers, both, row->growth));
    pm_answers_cell(answers, block, signed_value(answers, both, row->total_growth));
    pm_answers_cell(answers, block, row->by_chance ? "chance?" : NULL);
}

static void add_rest(struct pm_answers *answers, struct pm_answer *block, size_t shown, size_t count,
                     const char *what) {
    char number[PM_NUMBER_TEXT];
    if (shown < count)
        block->rest = LEAD("%s more %s (--limit 0 shows all)", pm_format_count(number, count - shown), what);
}

/* Rows with a change of their own; what only what they call changed is behind them. */
static size_t own_changes(const struct pm_profile_change *rows, size_t count) {
    size_t own = 0;
    while (own < count && fabs(rows[own].growth) >= 0.5) own++;
    return own;
}

static void add_profile_functions(struct pm_answers *answers,
                                  const struct pm_profile_comparison *comparison) {
    static const struct pm_column columns[] = {
        {"before", PM_COLUMN_NUMBER},       {"after", PM_COLUMN_NUMBER}, {"growth", PM_COLUMN_NUMBER},
        {"with callees", PM_COLUMN_NUMBER}, {"", PM_COLUMN_TEXT},        {"function", PM_COLUMN_ELASTIC},
        {"at", PM_COLUMN_ELASTIC_PATH}};
    const struct pm_profile *both = &comparison->both;
    size_t own = own_changes(comparison->functions, comparison->function_count), rows = own;
    if (!answers->options->limit && rows > USUAL_CHANGES) rows = USUAL_CHANGES;
    if (answers->options->limit)
        rows = answers->options->limit < comparison->function_count ? answers->options->limit
                                                                    : comparison->function_count;
    struct pm_answer *block = pm_answers_block(
        answers, "Functions",
        rows ? "what functions take or hold themselves, the largest change first; chance?: the "
               "numbers of samples differ by no more than two profiles of one program do"
             : "none differs",
        columns, rows ? 7 : 0);
    for (size_t i = 0; i < rows; i++) {
        const struct pm_profile_change *row = &comparison->functions[i];
        const struct pm_profile_function *function = &both->functions[row->index];
        struct pm_strbuf place PM_AUTO_STRBUF = {0};
        pm_spell_place(&function->position, &place);
        add_values(answers, block, comparison, row);
        pm_answers_cell(answers, block, function->name);
        pm_answers_cell(answers, block, pm_strbuf_text(&place));
    }
    add_rest(answers, block, rows, comparison->function_count, "functions");
}

static void add_profile_packages(struct pm_answers *answers, const struct pm_profile_comparison *comparison) {
    static const struct pm_column columns[] = {
        {"before", PM_COLUMN_NUMBER},       {"after", PM_COLUMN_NUMBER}, {"growth", PM_COLUMN_NUMBER},
        {"with callees", PM_COLUMN_NUMBER}, {"", PM_COLUMN_TEXT},        {"package", PM_COLUMN_ELASTIC}};
    size_t limit = answers->options->limit ? answers->options->limit : USUAL_PACKAGES;
    size_t rows = comparison->package_count < limit ? comparison->package_count : limit;
    if (!rows) return;
    struct pm_answer *block = pm_answers_block(answers, "Packages", "the same by package", columns, 6);
    for (size_t i = 0; i < rows; i++) {
        add_values(answers, block, comparison, &comparison->packages[i]);
        pm_answers_cell(answers, block, comparison->both.packages[comparison->packages[i].index].name);
    }
    add_rest(answers, block, rows, comparison->package_count, "packages");
}

/* ---- all of them ---- */

void pm_answers_comparisons(struct pm_answers *answers) {
    const struct pm_diagnosis *diagnosis = answers->diagnosis;
    unsigned show = answers->options->sections;
    if (diagnosis->report_comparison && (show & (PM_SHOW_DETAILS | PM_SHOW_COMPARISON)))
        add_reports(answers, diagnosis->report_comparison);
    if (!(show & PM_SHOW_COMPARISON)) return;
    if (diagnosis->comparison) add_heaps(answers, diagnosis->comparison);
    if (!diagnosis->profile_comparison) return;
    add_profile_files(answers, diagnosis->profile_comparison);
    add_profile_functions(answers, diagnosis->profile_comparison);
    add_profile_packages(answers, diagnosis->profile_comparison);
}
