/* The HTML page: the answers of inspect, objects and layouts. */
#include <inttypes.h>
#include <string.h>

#include "postmortem/model/words.h"
#include "postmortem/report/html.h"

static void cell_address(const struct pm_html *page, uint64_t address) {
    char text[PM_NUMBER_TEXT];
    pm_html_cell(page, address ? pm_format_address(text, address) : NULL);
}

static void put_fields(const struct pm_html *page, const struct pm_object_detail *object) {
    static const char *const columns[] = {"Kind", "Name", "Value", "Address"};
    size_t i = 0;
    pm_html_table(page, "sorts filters", columns, 4);
    for (; i < object->field_count && pm_html_room(page); i++) {
        const struct pm_object_field *field = &object->fields[i];
        pm_strbuf_append(page->out, "<tr>");
        pm_html_cell(page, pm_field_group_word(field->group));
        pm_html_cell(page, field->name);
        pm_html_cell(page, field->value);
        cell_address(page, field->address);
        pm_strbuf_append(page->out, "</tr>\n");
    }
    pm_html_table_end(page);
    pm_html_left_out(page, object->field_total > i ? object->field_total - i : 0, "fields");
}

static void put_object(const struct pm_html *page, const struct pm_object_detail *object) {
    char number[PM_NUMBER_TEXT];
    pm_strbuf_append(page->out, "<h3>");
    pm_html_text(page, object->class_name, PM_HTML_NAME);
    pm_strbuf_appendf(page->out, " <code>0x%" PRIx64 "</code></h3>\n", object->address);
    if (object->summary) {
        pm_strbuf_append(page->out, "<p>");
        pm_html_code(page, object->summary);
        pm_strbuf_append(page->out, "</p>\n");
    }
    pm_strbuf_append(page->out, "<dl>\n");
    pm_html_fact(page, "Type", object->type);
    pm_html_fact(page, "Space", object->space);
    pm_html_fact(page, "Size", pm_format_bytes(number, object->size));
    if (object->function || object->position.file) {
        pm_strbuf_append(page->out, "<dt>Function</dt><dd>");
        if (object->function) pm_html_code(page, object->function);
        pm_strbuf_append(page->out, " ");
        pm_html_position(page, &object->position);
        pm_strbuf_append(page->out, "</dd>\n");
    }
    pm_strbuf_append(page->out, "</dl>\n");
    if (object->text) pm_html_lines(page, object->text);
    if (object->field_count) put_fields(page, object);
}

static void put_list(const struct pm_html *page, const struct pm_object_list *list) {
    static const char *const columns[] = {"Object", "#Size", "Address"};
    char count[PM_NUMBER_TEXT], bytes[PM_NUMBER_TEXT];
    size_t i = 0;
    pm_strbuf_append(page->out, "<h3>");
    pm_html_text(page, list->class_name, PM_HTML_NAME);
    pm_strbuf_appendf(page->out, "</h3>\n<p>%s objects, %s.</p>\n", pm_format_count(count, list->count),
                      pm_format_bytes(bytes, list->bytes));
    pm_html_table(page, "sorts filters", columns, 3);
    for (; i < list->row_count && pm_html_room(page); i++) {
        pm_strbuf_append(page->out, "<tr>");
        pm_html_cell(page, list->rows[i].summary);
        pm_html_cell_bytes(page, list->rows[i].size);
        cell_address(page, list->rows[i].address);
        pm_strbuf_append(page->out, "</tr>\n");
    }
    pm_html_table_end(page);
    pm_html_left_out(page, list->count > i ? list->count - i : 0, "objects");
}

void pm_html_object(const struct pm_html *page) {
    if (page->diagnosis->object) put_object(page, page->diagnosis->object);
    if (page->diagnosis->object_list) put_list(page, page->diagnosis->object_list);
}

void pm_html_layout(const struct pm_html *page) {
    static const char *const columns[] = {"Field", "Value", "Origin", "Evidence"};
    const struct pm_diagnosis *diagnosis = page->diagnosis;
    size_t i = 0;
    if (!diagnosis->has_layout) return;
    if (diagnosis->layout_score >= 0)
        pm_strbuf_appendf(page->out, "<p>Score of the validation: %.4f.</p>\n", diagnosis->layout_score);
    pm_html_table(page, "sorts filters", columns, 4);
    for (; i < diagnosis->layout_count && pm_html_room(page); i++) {
        const struct pm_layout_row *row = &diagnosis->layout[i];
        pm_strbuf_append(page->out, "<tr>");
        pm_html_cell(page, row->name);
        pm_html_cell(page, row->value);
        pm_html_cell(page, row->origin);
        pm_html_cell(page, row->evidence);
        pm_strbuf_append(page->out, "</tr>\n");
    }
    pm_html_table_end(page);
    pm_html_left_out(page, diagnosis->layout_count - i, "fields");
}
