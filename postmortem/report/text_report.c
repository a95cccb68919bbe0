/* The text page: what single reports and pods say. */
#include "postmortem/model/report_compare.h"
#include "postmortem/report/format.h"
#include "postmortem/report/report_words.h"
#include "postmortem/report/table.h"
#include "postmortem/report/text.h"

#define USUAL_REPORTS 5
#define USUAL_PODS    10

static void put_rows(const struct pm_page *page, const struct pm_report_rows *rows) {
    for (size_t i = 0; i < rows->count; i++)
        pm_page_entry(page, rows->rows[i].label, PM_PLAIN, pm_strbuf_text(&rows->rows[i].text));
    pm_page_gap(page);
}

static const char *amount(char *text, const struct pm_report_change *change, double value) {
    if (change->unit == PM_CHANGE_BYTES) return pm_format_bytes(text, (uint64_t)value);
    if (change->unit == PM_CHANGE_COUNT) return pm_format_count(text, (uint64_t)value);
    snprintf(text, PM_NUMBER_TEXT, "%.2f s", value);
    return text;
}

void pm_page_report_comparison(const struct pm_page *page) {
    const struct pm_report_comparison *comparison = page->diagnosis->report_comparison;
    static const struct pm_column columns[] = {{"what", PM_COLUMN_ELASTIC},
                                               {"before", PM_COLUMN_NUMBER},
                                               {"after", PM_COLUMN_NUMBER},
                                               {"change", PM_COLUMN_NUMBER}};
    struct pm_table *table PM_AUTO(table) = pm_table_create(columns, 4);
    char number[PM_NUMBER_TEXT], signed_number[PM_NUMBER_TEXT + 2];
    pm_page_entryf(page, "Change", PM_PLAIN, "%s%s",
                   comparison->same_process ? "of one process" : "of two processes",
                   comparison->change_count ? "" : ": none");
    for (size_t i = 0; i < comparison->change_count; i++) {
        const struct pm_report_change *change = &comparison->changes[i];
        double more = change->after - change->before;
        pm_table_cell(table, change->what);
        pm_table_cell(table, amount(number, change, change->before));
        pm_table_cell(table, amount(number, change, change->after));
        snprintf(signed_number, sizeof(signed_number), "%c%s", more < 0 ? '-' : '+',
                 amount(number, change, more < 0 ? -more : more));
        pm_table_cell(table, signed_number);
    }
    pm_table_print(table, PM_LABEL_WIDTH, page->columns, page->options->color, page->out);
    pm_page_gap(page);
}

void pm_page_reports(const struct pm_page *page) {
    const struct pm_diagnosis *diagnosis = page->diagnosis;
    size_t reports = pm_page_rows(page, diagnosis->report_count, USUAL_REPORTS);
    size_t pods = pm_page_rows(page, diagnosis->pod_count, USUAL_PODS);
    for (size_t i = 0; i < reports; i++) {
        struct pm_report_rows rows PM_AUTO_REPORT_ROWS;
        pm_report_words(diagnosis->reports[i], &rows);
        put_rows(page, &rows);
    }
    for (size_t i = 0; i < pods; i++) {
        struct pm_report_rows rows PM_AUTO_REPORT_ROWS;
        pm_pod_words(diagnosis->pods[i], &rows);
        put_rows(page, &rows);
    }
    if (reports < diagnosis->report_count)
        pm_page_entryf(page, NULL, PM_DIM, "%zu more reports (--limit 0 shows all)",
                       diagnosis->report_count - reports);
    if (pods < diagnosis->pod_count)
        pm_page_entryf(page, NULL, PM_DIM, "%zu more pods (--limit 0 shows all)",
                       diagnosis->pod_count - pods);
}
