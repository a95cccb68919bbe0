/* The HTML page: texts, facts, tables. */
#include <inttypes.h>
#include <string.h>

#include "postmortem/base/escape.h"
#include "postmortem/report/html.h"

/* The first `most` characters. */
static size_t cut_at(const char *text, size_t length, size_t most) {
    if (length <= most) return length;
    size_t end = 0;
    for (size_t i = 0; i < most && end < length; i++) (void)pm_utf8_next(text, length, &end);
    return end;
}

void pm_html_text(const struct pm_html *page, const char *text, size_t most) {
    if (!text) return;
    size_t length = strlen(text), end = cut_at(text, length, most);
    pm_escape_html(page->out, text, end);
    if (end < length)
        pm_strbuf_appendf(page->out, "\xe2\x80\xa6 <span class=\"note\">(%zu more bytes)</span>",
                          length - end);
}

void pm_html_prose(const struct pm_html *page, const char *text) {
    if (!text) return;
    size_t length = strlen(text), end = cut_at(text, length, PM_HTML_LONG);
    const char *p = text, *stop = text + end;
    while (p < stop) {
        const char *open = memchr(p, '`', (size_t)(stop - p));
        const char *close = open ? memchr(open + 1, '`', (size_t)(stop - open - 1)) : NULL;
        if (!close) break;
        pm_escape_html(page->out, p, (size_t)(open - p));
        pm_strbuf_append(page->out, "<code>");
        pm_escape_html(page->out, open + 1, (size_t)(close - open - 1));
        pm_strbuf_append(page->out, "</code>");
        p = close + 1;
    }
    pm_escape_html(page->out, p, (size_t)(stop - p));
    if (end < length)
        pm_strbuf_appendf(page->out, "\xe2\x80\xa6 <span class=\"note\">(%zu more bytes)</span>",
                          length - end);
}

void pm_html_paragraph(const struct pm_html *page, const char *class_name, const char *text) {
    pm_strbuf_appendf(page->out, class_name ? "<p class=\"%s\">" : "<p>", class_name);
    pm_html_prose(page, text);
    pm_strbuf_append(page->out, "</p>\n");
}

void pm_html_code(const struct pm_html *page, const char *text) {
    pm_strbuf_append(page->out, "<code>");
    pm_html_text(page, text, PM_HTML_NAME);
    pm_strbuf_append(page->out, "</code>");
}

void pm_html_command(const struct pm_html *page, const char *text) {
    pm_strbuf_append(page->out, "<div class=\"command\"><pre>");
    pm_html_text(page, text, PM_HTML_LONG);
    pm_strbuf_append(page->out, "</pre></div>\n");
}

void pm_html_lines(const struct pm_html *page, const char *text) {
    pm_strbuf_append(page->out, "<pre tabindex=\"0\">");
    while (*text && pm_html_room(page)) {
        size_t length = strcspn(text, "\n");
        pm_escape_html(page->out, text, cut_at(text, length, PM_HTML_LONG));
        pm_strbuf_append(page->out, "\n");
        text += length + (text[length] == '\n');
    }
    pm_strbuf_append(page->out, "</pre>\n");
    if (*text) pm_html_left_out(page, strlen(text), "bytes");
}

void pm_html_position(const struct pm_html *page, const struct pm_position *position) {
    if (!position->file) return;
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    pm_strbuf_append(&text, position->file);
    if (position->line) pm_strbuf_appendf(&text, ":%" PRIu32, position->line);
    if (position->line && position->column) pm_strbuf_appendf(&text, ":%" PRIu32, position->column);
    pm_html_code(page, pm_strbuf_text(&text));
}

void pm_html_fact(const struct pm_html *page, const char *name, const char *value) {
    if (!value) return;
    pm_strbuf_append(page->out, "<dt>");
    pm_html_text(page, name, PM_HTML_NAME);
    pm_strbuf_append(page->out, "</dt><dd>");
    pm_html_prose(page, value);
    pm_strbuf_append(page->out, "</dd>\n");
}

void pm_html_table(const struct pm_html *page, const char *kind, const char *const *columns, size_t count) {
    pm_strbuf_appendf(page->out, "<div class=\"wide\" tabindex=\"0\"><table class=\"%s\"><thead><tr>", kind);
    for (size_t i = 0; i < count; i++) {
        bool number = columns[i][0] == '#';
        pm_strbuf_appendf(page->out, "<th scope=\"col\"%s>%s</th>", number ? " class=\"n\"" : "",
                          columns[i] + number);
    }
    pm_strbuf_append(page->out, "</tr></thead><tbody>\n");
}

void pm_html_table_end(const struct pm_html *page) {
    pm_strbuf_append(page->out, "</tbody></table></div>\n");
}

void pm_html_cell(const struct pm_html *page, const char *text) {
    pm_strbuf_append(page->out, "<td class=\"name\">");
    pm_html_text(page, text, PM_HTML_NAME);
    pm_strbuf_append(page->out, "</td>");
}

void pm_html_cell_number(const struct pm_html *page, uint64_t value, const char *shown) {
    if (value == PM_UNKNOWN)
        pm_strbuf_append(page->out, "<td class=\"n\">?</td>");
    else
        pm_strbuf_appendf(page->out, "<td class=\"n\" data-v=\"%" PRIu64 "\">%s</td>", value, shown);
}

void pm_html_cell_bytes(const struct pm_html *page, uint64_t bytes) {
    char number[PM_NUMBER_TEXT];
    pm_html_cell_number(page, bytes, pm_format_bytes(number, bytes));
}

void pm_html_cell_count(const struct pm_html *page, uint64_t count) {
    char number[PM_NUMBER_TEXT];
    pm_html_cell_number(page, count, pm_format_count(number, count));
}

void pm_html_cell_share(const struct pm_html *page, uint64_t part, uint64_t whole) {
    char number[PM_NUMBER_TEXT];
    bool known = part != PM_UNKNOWN && whole != PM_UNKNOWN && whole;
    pm_html_cell_number(page, known ? part : PM_UNKNOWN, pm_format_share(number, part, whole));
}

bool pm_html_room(const struct pm_html *page) {
    return page->out->length < page->most;
}

void pm_html_left_out(const struct pm_html *page, uint64_t count, const char *what) {
    char number[PM_NUMBER_TEXT];
    if (!count) return;
    pm_strbuf_appendf(page->out, "<p class=\"note\">%s more %s not shown here.</p>\n",
                      pm_format_count(number, count), what);
}

size_t pm_html_rows(const struct pm_html *page, size_t count, size_t usual) {
    size_t limit = page->options->limit ? page->options->limit : usual;
    return count < limit ? count : limit;
}
