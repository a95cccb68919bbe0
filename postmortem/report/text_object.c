/* The text page: one object, the instances of a class, the layout. */
#include <inttypes.h>
#include <string.h>

#include "postmortem/model/words.h"
#include "postmortem/report/format.h"
#include "postmortem/report/table.h"
#include "postmortem/report/text.h"

static void put_fields(const struct pm_page *page, enum pm_field_group group, const char *label) {
    static const struct pm_column columns[] = {
        {NULL, PM_COLUMN_TEXT}, {NULL, PM_COLUMN_ELASTIC}, {NULL, PM_COLUMN_TEXT}};
    const struct pm_object_detail *object = page->diagnosis->object;
    struct pm_table *table PM_AUTO(table) = pm_table_create(columns, 3);
    char number[PM_NUMBER_TEXT];
    size_t count = 0;
    for (size_t i = 0; i < object->field_count; i++) {
        const struct pm_object_field *field = &object->fields[i];
        struct pm_strbuf name PM_AUTO_STRBUF = {0}, cut PM_AUTO_STRBUF = {0};
        if (field->group != group) continue;
        count++;
        if (group == PM_FIELD_ELEMENT)
            pm_strbuf_appendf(&name, "[%s]", field->name ? field->name : "?");
        else if (group == PM_FIELD_ENTRY)
            pm_strbuf_appendf(&name, "%s =>", field->name ? field->name : "?");
        else
            pm_strbuf_append(&name, field->name ? field->name : "?");
        pm_text_cut(&cut, pm_strbuf_text(&name), 40, false);
        pm_table_cell(table, pm_strbuf_text(&cut));
        pm_table_cell(table, field->value);
        pm_table_cell(table, field->address
                                 ? pm_format_object(number, page->diagnosis->objects_by_id, field->address)
                                 : NULL);
    }
    if (!count) return;
    pm_page_entryf(page, label, PM_PLAIN, "%zu", count);
    pm_table_print(table, PM_LABEL_WIDTH, page->columns, page->options->color, page->out);
}

void pm_page_object(const struct pm_page *page) {
    const struct pm_object_detail *object = page->diagnosis->object;
    bool by_id = page->diagnosis->objects_by_id;
    char address[PM_NUMBER_TEXT], bytes[PM_NUMBER_TEXT], map[PM_NUMBER_TEXT];
    pm_page_entryf(page, "Object", PM_BOLD, "%s %s", object->class_name ? object->class_name : "?",
                   pm_format_object(address, by_id, object->address));
    if (by_id)
        pm_page_entry(page, NULL, PM_PLAIN, pm_format_bytes(bytes, object->size));
    else
        pm_page_entryf(page, NULL, PM_PLAIN, "%s, %s, in %s, map %s", object->type ? object->type : "?",
                       pm_format_bytes(bytes, object->size), object->space ? object->space : "?",
                       pm_format_address(map, object->map));
    if (object->function && object->position.file && object->position.line)
        pm_page_entryf(page, "Function", PM_PLAIN, "%s (%s:%" PRIu32 ":%" PRIu32 ")", object->function,
                       object->position.file, object->position.line, object->position.column);
    else if (object->function)
        pm_page_entry(page, "Function", PM_PLAIN, object->function);
    if (object->text && object->text_length == PM_UNKNOWN)
        pm_page_entry(page, "Text", PM_PLAIN, object->text);
    else if (object->text)
        pm_page_entryf(page, "Text", PM_PLAIN, "%s code units:", pm_format_count(bytes, object->text_length)),
            pm_page_entry(page, NULL, PM_PLAIN, object->text);
    else if (object->summary)
        pm_page_entry(page, "Value", PM_PLAIN, object->summary);
    put_fields(page, PM_FIELD_PROPERTY, "Properties");
    put_fields(page, PM_FIELD_ELEMENT, "Elements");
    put_fields(page, PM_FIELD_ENTRY, "Entries");
    put_fields(page, PM_FIELD_VARIABLE, "Variables");
    put_fields(page, PM_FIELD_INTERNAL, "Internal");
    if (object->field_total > object->field_count)
        pm_page_entryf(page, NULL, PM_DIM, "%s more (--limit 0 shows all)",
                       pm_format_count(bytes, object->field_total - object->field_count));
    pm_page_gap(page);
}

void pm_page_object_list(const struct pm_page *page) {
    static const struct pm_column columns[] = {{"object", PM_COLUMN_TEXT},
                                               {"retained", PM_COLUMN_NUMBER},
                                               {"shallow", PM_COLUMN_NUMBER},
                                               {"", PM_COLUMN_ELASTIC}};
    const struct pm_object_list *list = page->diagnosis->object_list;
    struct pm_table *table PM_AUTO(table) = pm_table_create(columns, 4);
    char number[PM_NUMBER_TEXT], bytes[PM_NUMBER_TEXT];
    pm_page_entryf(page, "Objects", PM_PLAIN, "%s of class %s, %s", pm_format_count(number, list->count),
                   list->class_name, pm_format_bytes(bytes, list->bytes));
    for (size_t i = 0; i < list->row_count; i++) {
        pm_table_cell(table, pm_format_object(number, page->diagnosis->objects_by_id, list->rows[i].address));
        pm_table_cell(table, pm_format_bytes(bytes, list->rows[i].retained));
        pm_table_cell(table, pm_format_bytes(bytes, list->rows[i].size));
        pm_table_cell(table, list->rows[i].summary);
    }
    pm_table_print(table, PM_LABEL_WIDTH, page->columns, page->options->color, page->out);
    if (list->count > list->row_count)
        pm_page_entryf(page, NULL, PM_DIM, "%s more (--limit 0 shows all)",
                       pm_format_count(number, list->count - list->row_count));
    pm_page_gap(page);
}

void pm_page_layout(const struct pm_page *page) {
    static const struct pm_column columns[] = {{"field", PM_COLUMN_TEXT},
                                               {"value", PM_COLUMN_TEXT},
                                               {"origin", PM_COLUMN_TEXT},
                                               {"evidence", PM_COLUMN_ELASTIC}};
    const struct pm_diagnosis *diagnosis = page->diagnosis;
    struct pm_table *table PM_AUTO(table) = pm_table_create(columns, 4);
    if (diagnosis->layout_score >= 0)
        pm_page_entryf(page, "Layout", PM_PLAIN, "validated on this core, score %.3f of 1",
                       diagnosis->layout_score);
    for (size_t i = 0; i < diagnosis->layout_count; i++) {
        const struct pm_layout_row *row = &diagnosis->layout[i];
        pm_table_cell(table, row->name);
        pm_table_cell(table, row->value);
        pm_table_cell(table, row->origin);
        pm_table_cell(table, row->evidence);
    }
    pm_table_print(table, 0, page->columns, page->options->color, page->out);
    pm_page_gap(page);
}
