/* The text page: answers of the commands that dig in a heap. */
#include "postmortem/report/answers.h"
#include "postmortem/report/text.h"

static void put_answer(const struct pm_page *page, const struct pm_answer *answer) {
    pm_page_entry(page, answer->title, PM_PLAIN, answer->lead);
    if (answer->column_count) {
        struct pm_table *table PM_AUTO(table) = pm_table_create(answer->columns, answer->column_count);
        for (size_t i = 0; i < answer->cell_count; i++) pm_table_cell(table, answer->cells[i]);
        pm_table_print(table, PM_LABEL_WIDTH, page->columns, page->options->color, page->out);
    }
    if (answer->rest) pm_page_entry(page, NULL, PM_DIM, answer->rest);
    pm_page_gap(page);
}

void pm_page_answers(const struct pm_page *page) {
    struct pm_answers *answers PM_AUTO(answers) = pm_answers_create(page->diagnosis, page->options);
    for (size_t i = 0; answers && i < answers->count; i++) put_answer(page, &answers->items[i]);
}
