/* The text page: what single reports and pods say. */
#include "postmortem/report/report_words.h"
#include "postmortem/report/text.h"

#define USUAL_REPORTS 5
#define USUAL_PODS    10

static void put_rows(const struct pm_page *page, const struct pm_report_rows *rows) {
    for (size_t i = 0; i < rows->count; i++)
        pm_page_entry(page, rows->rows[i].label, PM_PLAIN, pm_strbuf_text(&rows->rows[i].text));
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
