/* The text page: memory by space, objects by constructor, for every isolate. */
#include <inttypes.h>
#include <string.h>

#include "postmortem/model/words.h"
#include "postmortem/report/format.h"
#include "postmortem/report/table.h"
#include "postmortem/report/text.h"

static uint64_t sum_used(const struct pm_isolate *isolate) {
    uint64_t sum = 0;
    for (size_t i = 0; i < isolate->space_count; i++)
        if (isolate->spaces[i].used != PM_UNKNOWN) sum += isolate->spaces[i].used;
    return isolate->space_count ? sum : PM_UNKNOWN;
}

static void put_memory_line(const struct pm_page *page, const struct pm_isolate *isolate, const char *label) {
    char number[PM_NUMBER_TEXT], share[PM_NUMBER_TEXT];
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    uint64_t used = sum_used(isolate);
    pm_strbuf_appendf(&text, "%s used", pm_format_bytes(number, used));
    if (isolate->max_old_generation != PM_UNKNOWN)
        pm_strbuf_appendf(&text, ", %s of the old generation's limit of %s",
                          pm_format_share(share, used, isolate->max_old_generation),
                          pm_format_bytes(number, isolate->max_old_generation));
    else if (isolate->heap_limit != PM_UNKNOWN)
        pm_strbuf_appendf(&text, ", %s of the limit of %s for both generations",
                          pm_format_share(share, used, isolate->heap_limit),
                          pm_format_bytes(number, isolate->heap_limit));
    if (isolate->max_semi_space != PM_UNKNOWN)
        pm_strbuf_appendf(&text, " (semi-space %s)", pm_format_bytes(number, isolate->max_semi_space));
    if (isolate->array_buffer_bytes != PM_UNKNOWN)
        pm_strbuf_appendf(&text, "; outside the heap %s in buffers",
                          pm_format_bytes(number, isolate->array_buffer_bytes));
    if (isolate->external_string_bytes != PM_UNKNOWN)
        pm_strbuf_appendf(&text, ", %s in external strings",
                          pm_format_bytes(number, isolate->external_string_bytes));
    if (isolate->external_bytes != PM_UNKNOWN)
        pm_strbuf_appendf(&text, "; outside the heap %s", pm_format_bytes(number, isolate->external_bytes));
    pm_page_entry(page, label, PM_PLAIN, pm_strbuf_text(&text));
}

static void put_spaces(const struct pm_page *page, const struct pm_isolate *isolate) {
    static const struct pm_column columns[] = {
        {"space", PM_COLUMN_ELASTIC},  {"pages", PM_COLUMN_NUMBER}, {"committed", PM_COLUMN_NUMBER},
        {"used", PM_COLUMN_NUMBER},    {"share", PM_COLUMN_NUMBER}, {"free", PM_COLUMN_NUMBER},
        {"objects", PM_COLUMN_NUMBER},
    };
    struct pm_table *table PM_AUTO(table) = pm_table_create(columns, 7);
    char number[PM_NUMBER_TEXT];
    for (size_t i = 0; i < isolate->space_count; i++) {
        const struct pm_space *space = &isolate->spaces[i];
        bool empty = !space->pages || (space->pages == PM_UNKNOWN && !space->committed);
        if (empty && !page->options->verbose) continue;
        pm_table_cell(table, space->name);
        pm_table_cell(table, pm_format_count(number, space->pages));
        pm_table_cell(table, pm_format_bytes(number, space->committed));
        pm_table_cell(table, pm_format_bytes(number, space->used));
        pm_table_cell(table, pm_format_share(number, space->used, space->committed));
        pm_table_cell(table, pm_format_bytes(number, space->free));
        pm_table_cell(table, pm_format_count(number, space->objects));
    }
    pm_table_print(table, PM_LABEL_WIDTH, page->columns, page->options->color, page->out);
}

static void put_histogram(const struct pm_page *page, const struct pm_isolate *isolate) {
    static const struct pm_column columns[] = {{"constructor", PM_COLUMN_ELASTIC},
                                               {"count", PM_COLUMN_NUMBER},
                                               {"shallow", PM_COLUMN_NUMBER},
                                               {"share", PM_COLUMN_NUMBER},
                                               {"retained", PM_COLUMN_NUMBER}};
    bool retained = isolate->histogram_count && isolate->histogram[0].retained != PM_UNKNOWN;
    struct pm_table *table PM_AUTO(table) = pm_table_create(columns, retained ? 5 : 4);
    char number[PM_NUMBER_TEXT], bytes[PM_NUMBER_TEXT];
    bool whole_command = !(page->options->sections & PM_SHOW_PROCESS);
    size_t rows = pm_page_rows(page, isolate->histogram_count, whole_command ? 40 : 10);
    pm_page_entryf(page, "Objects", PM_PLAIN, "%s of %zu constructors, %s",
                   pm_format_count(number, isolate->objects), isolate->histogram_count,
                   pm_format_bytes(bytes, isolate->object_bytes));
    if (isolate->unreachable_bytes != PM_UNKNOWN && isolate->unreachable_bytes > isolate->object_bytes / 100)
        pm_page_entryf(page, NULL, PM_PLAIN, "%s of them, %s, are garbage that was not collected yet",
                       pm_format_count(number, isolate->unreachable_objects),
                       pm_format_bytes(bytes, isolate->unreachable_bytes));
    for (size_t i = 0; i < rows; i++) {
        const struct pm_class_row *row = &isolate->histogram[i];
        pm_table_cell(table, row->name);
        pm_table_cell(table, pm_format_count(number, row->count));
        pm_table_cell(table, pm_format_bytes(number, row->shallow));
        pm_table_cell(table, pm_format_share(number, row->shallow, isolate->object_bytes));
        if (retained) pm_table_cell(table, pm_format_bytes(number, row->retained));
    }
    pm_table_print(table, PM_LABEL_WIDTH, page->columns, page->options->color, page->out);
    if (rows < isolate->histogram_count) {
        uint64_t rest = 0;
        for (size_t i = rows; i < isolate->histogram_count; i++) rest += isolate->histogram[i].shallow;
        pm_page_entryf(page, NULL, PM_DIM, "%zu more constructors with %s (--limit 0 shows all%s)",
                       isolate->histogram_count - rows, pm_format_bytes(number, rest),
                       whole_command ? "" : ", or the command histogram");
    }
}

static void put_isolate(const struct pm_page *page, const struct pm_isolate *isolate) {
    if (page->diagnosis->isolate_count > 1) {
        struct pm_strbuf worker PM_AUTO_STRBUF = {0};
        if (isolate->worker) pm_worker_words(&worker, isolate->worker);
        if (isolate->tid != PM_UNKNOWN && isolate->worker)
            pm_page_entryf(page, "Isolate", PM_BOLD, "%s, thread %" PRIu64, pm_strbuf_text(&worker),
                           isolate->tid);
        else if (isolate->tid != PM_UNKNOWN)
            pm_page_entryf(page, "Isolate", PM_BOLD, "%s, thread %" PRIu64,
                           isolate->is_main ? "main" : "worker", isolate->tid);
        else
            pm_page_entryf(page, "Isolate", PM_BOLD, "%s, 0x%" PRIx64, isolate->is_main ? "main" : "worker",
                           isolate->address);
    }
    if ((page->options->sections & PM_SHOW_SPACES) && !isolate->is_snapshot) {
        put_memory_line(page, isolate, "Memory");
        put_spaces(page, isolate);
        pm_page_gap(page);
    }
    bool by_constructor = page->diagnosis->has_histogram && !isolate->grouped_by; /* else among the answers */
    if (by_constructor && (page->options->sections & PM_SHOW_HISTOGRAM)) {
        put_histogram(page, isolate);
        pm_page_gap(page);
    }
}

void pm_page_isolates(const struct pm_page *page) {
    const struct pm_diagnosis *diagnosis = page->diagnosis;
    const struct pm_isolate *largest = NULL;
    bool one_page = page->options->sections & PM_SHOW_PROCESS && !page->options->verbose;
    for (size_t i = 0; i < diagnosis->isolate_count; i++) {
        const struct pm_isolate *isolate = &diagnosis->isolates[i];
        if (!largest || isolate->object_bytes > largest->object_bytes) largest = isolate;
    }
    /* On the one page: the main isolate and the largest; the others in one line each. */
    for (size_t i = 0; i < diagnosis->isolate_count; i++) {
        const struct pm_isolate *isolate = &diagnosis->isolates[i];
        if (!one_page || isolate->is_main || isolate == largest || diagnosis->isolate_count == 1)
            put_isolate(page, isolate);
    }
    bool others = false;
    for (size_t i = 0; one_page && i < diagnosis->isolate_count; i++) {
        const struct pm_isolate *isolate = &diagnosis->isolates[i];
        if (isolate->is_main || isolate == largest || diagnosis->isolate_count == 1) continue;
        put_memory_line(page, isolate, others ? NULL : "Workers");
        others = true;
    }
    if (others) pm_page_gap(page);
}
