/* The HTML page: answers of the commands that dig in a heap. */
#include <string.h>

#include "postmortem/report/answers.h"
#include "postmortem/report/html.h"

static void put_table(const struct pm_html *page, const struct pm_answer *answer) {
    size_t columns = answer->column_count, i = 0;
    if (columns > PM_ANSWER_COLUMNS) return;
    pm_strbuf_append(page->out, "<div class=\"wide\" tabindex=\"0\"><table class=\"filters\"><thead><tr>");
    for (size_t k = 0; k < columns; k++)
        pm_strbuf_appendf(page->out, "<th scope=\"col\"%s>%s</th>",
                          answer->columns[k].kind == PM_COLUMN_NUMBER ? " class=\"n\"" : "",
                          answer->columns[k].title ? answer->columns[k].title : "");
    pm_strbuf_append(page->out, "</tr></thead><tbody>\n");
    for (; i + columns <= answer->cell_count && pm_html_room(page); i += columns) {
        pm_strbuf_append(page->out, "<tr>");
        for (size_t k = 0; k < columns; k++) {
            const char *text = answer->cells[i + k] ? answer->cells[i + k] : "";
            bool number = answer->columns[k].kind == PM_COLUMN_NUMBER;
            size_t indent = strspn(text, " ");
            pm_strbuf_append(page->out, number ? "<td class=\"n\">" : "<td class=\"name\">");
            if (indent) /* a tree */
                pm_strbuf_appendf(page->out, "<span class=\"depth\">%*s</span>",
                                  (int)(indent < 80 ? indent : 80), "");
            pm_html_text(page, text + indent, PM_HTML_NAME);
            pm_strbuf_append(page->out, "</td>");
        }
        pm_strbuf_append(page->out, "</tr>\n");
    }
    pm_html_table_end(page);
    pm_html_left_out(page, (answer->cell_count - i) / columns, "rows");
}

void pm_html_answers(const struct pm_html *page) {
    struct pm_answers *answers PM_AUTO(answers) = pm_answers_create(page->diagnosis, page->options);
    for (size_t i = 0; answers && i < answers->count && pm_html_room(page); i++) {
        const struct pm_answer *answer = &answers->items[i];
        pm_strbuf_append(page->out, "<h3>");
        pm_html_text(page, answer->title, PM_HTML_NAME);
        pm_strbuf_append(page->out, "</h3>\n");
        if (answer->lead) pm_html_paragraph(page, NULL, answer->lead);
        if (answer->column_count) put_table(page, answer);
        if (answer->rest) pm_html_paragraph(page, "note", answer->rest);
    }
}
