/* The ticket: answers of the commands that dig in a heap. */
#include "postmortem/report/answers.h"
#include "postmortem/report/markdown.h"

/* Indentation of a tree, which Markdown would drop. */
static const char *put_indent(struct pm_strbuf *out, const char *text) {
    for (; text && text[0] == ' ' && text[1] == ' '; text += 2) pm_strbuf_append(out, " ·");
    return text;
}

static void put_table(const struct pm_answer *answer, struct pm_strbuf *out) {
    pm_strbuf_append(out, "|");
    for (size_t i = 0; i < answer->column_count; i++)
        pm_strbuf_appendf(out, " %s |", answer->columns[i].title);
    pm_strbuf_append(out, "\n|");
    for (size_t i = 0; i < answer->column_count; i++)
        pm_strbuf_append(out, answer->columns[i].kind == PM_COLUMN_NUMBER ? "--:|" : "---|");
    for (size_t i = 0; i < answer->cell_count; i++) {
        if (i % answer->column_count == 0) pm_strbuf_append(out, "\n|");
        pm_ticket_cell(out, put_indent(out, answer->cells[i]));
    }
    pm_strbuf_append(out, "\n\n");
}

void pm_ticket_answers(const struct pm_diagnosis *diagnosis, const struct pm_write_options *options,
                       struct pm_strbuf *out) {
    struct pm_answers *answers PM_AUTO(answers) = pm_answers_create(diagnosis, options);
    for (size_t i = 0; answers && i < answers->count; i++) {
        const struct pm_answer *answer = &answers->items[i];
        pm_strbuf_appendf(out, "### %s\n\n", answer->title);
        pm_ticket_text(out, answer->lead, PM_TICKET_LONG);
        if (answer->lead) pm_strbuf_append(out, "\n\n");
        if (answer->column_count) put_table(answer, out);
        pm_ticket_text(out, answer->rest, PM_TICKET_LONG);
        if (answer->rest) pm_strbuf_append(out, "\n\n");
    }
}
