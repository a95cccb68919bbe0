/* The HTML page: memory by space, objects by constructor, for every isolate. */
#include <inttypes.h>
#include <string.h>

#include "postmortem/model/words.h"
#include "postmortem/report/html.h"

static uint64_t sum(const struct pm_isolate *isolate, bool committed) {
    uint64_t total = 0;
    for (size_t i = 0; i < isolate->space_count; i++) {
        uint64_t bytes = committed ? isolate->spaces[i].committed : isolate->spaces[i].used;
        if (bytes != PM_UNKNOWN) total += bytes;
    }
    return isolate->space_count ? total : PM_UNKNOWN;
}

static uint64_t outside(const struct pm_isolate *isolate) {
    uint64_t total = 0;
    if (isolate->array_buffer_bytes != PM_UNKNOWN) total += isolate->array_buffer_bytes;
    if (isolate->external_string_bytes != PM_UNKNOWN) total += isolate->external_string_bytes;
    return total;
}

/* A strip: used, free but committed, memory outside the heap; a mark at the limit. */
static void put_bar(const struct pm_html *page, const struct pm_isolate *isolate) {
    uint64_t used = sum(isolate, false), committed = sum(isolate, true), beside = outside(isolate);
    uint64_t limit = isolate->max_old_generation;
    char number[PM_NUMBER_TEXT];
    if (used == PM_UNKNOWN || committed == PM_UNKNOWN) return;
    if (committed < used) committed = used;
    double inside = (double)committed + (double)beside, whole = inside;
    bool has_limit = limit != PM_UNKNOWN && limit && (double)limit < inside * 20;
    if (has_limit && (double)limit > whole) whole = (double)limit;
    if (!(whole > 0)) return;
    double scale = 1000 / (whole * 1.02);
    struct {
        const char *class_name;
        double bytes;
    } parts[] = {{"used", (double)used}, {"free", (double)(committed - used)}, {"outside", (double)beside}};
    double x = 0;
    pm_strbuf_append(page->out, "<svg class=\"bar\" width=\"100%\" height=\"26\" viewBox=\"0 0 1000 26\" "
                                "preserveAspectRatio=\"none\" aria-hidden=\"true\">");
    for (size_t i = 0; i < 3; i++) {
        pm_strbuf_appendf(page->out, "<rect class=\"%s\" x=\"%.1f\" y=\"3\" width=\"%.1f\" height=\"20\"/>",
                          parts[i].class_name, x, parts[i].bytes * scale);
        x += parts[i].bytes * scale;
    }
    pm_strbuf_append(page->out, "<rect class=\"whole\" x=\"0\" y=\"3\" width=\"1000\" height=\"20\"/>");
    if (has_limit)
        pm_strbuf_appendf(page->out, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"0\" y2=\"26\"/>",
                          (double)limit * scale, (double)limit * scale);
    pm_strbuf_appendf(page->out, "</svg>\n<p class=\"note\"><span class=\"swatch used\"></span>used %s",
                      pm_format_bytes(number, used));
    pm_strbuf_appendf(page->out, "<span class=\"swatch free\"></span>committed, not used %s",
                      pm_format_bytes(number, committed - used));
    if (beside)
        pm_strbuf_appendf(page->out, "<span class=\"swatch outside\"></span>outside the heap %s",
                          pm_format_bytes(number, beside));
    if (has_limit)
        pm_strbuf_appendf(page->out, "; the line is the limit of the old generation, %s",
                          pm_format_bytes(number, limit));
    pm_strbuf_append(page->out, "</p>\n");
}

static void fact_bytes(const struct pm_html *page, const char *name, uint64_t bytes) {
    char number[PM_NUMBER_TEXT];
    pm_html_fact(page, name, bytes == PM_UNKNOWN ? NULL : pm_format_bytes(number, bytes));
}

static void put_numbers(const struct pm_html *page, const struct pm_isolate *isolate) {
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    char number[PM_NUMBER_TEXT], share[PM_NUMBER_TEXT];
    uint64_t used = sum(isolate, false);
    pm_strbuf_append(page->out, "<dl>\n");
    if (used != PM_UNKNOWN) pm_strbuf_append(&text, pm_format_bytes(number, used));
    if (used != PM_UNKNOWN && isolate->max_old_generation != PM_UNKNOWN)
        pm_strbuf_appendf(&text, ", %s of the old generation's limit of %s",
                          pm_format_share(share, used, isolate->max_old_generation),
                          pm_format_bytes(number, isolate->max_old_generation));
    pm_html_fact(page, "Heap used", text.length ? pm_strbuf_text(&text) : NULL);
    fact_bytes(page, "Limit of a semi-space", isolate->max_semi_space);
    fact_bytes(page, "Limit of both generations", isolate->heap_limit);
    fact_bytes(page, "Buffers outside the heap", isolate->array_buffer_bytes);
    fact_bytes(page, "External strings", isolate->external_string_bytes);
    if (isolate->reachable_objects != PM_UNKNOWN && isolate->reachable_bytes != PM_UNKNOWN) {
        pm_strbuf_clear(&text);
        pm_strbuf_appendf(&text, "%s objects, %s", pm_format_count(number, isolate->reachable_objects),
                          pm_format_bytes(share, isolate->reachable_bytes));
        pm_html_fact(page, "Reachable", pm_strbuf_text(&text));
    }
    if (isolate->unreachable_objects != PM_UNKNOWN && isolate->unreachable_bytes != PM_UNKNOWN) {
        pm_strbuf_clear(&text);
        pm_strbuf_appendf(&text, "%s objects, %s", pm_format_count(number, isolate->unreachable_objects),
                          pm_format_bytes(share, isolate->unreachable_bytes));
        pm_html_fact(page, "Garbage not collected yet", pm_strbuf_text(&text));
    }
    pm_strbuf_append(page->out, "</dl>\n");
}

static void put_spaces(const struct pm_html *page, const struct pm_isolate *isolate) {
    static const char *const columns[] = {"Space",  "#Pages", "#Committed", "#Used",
                                          "#Share", "#Free",  "#Objects"};
    bool any = false;
    for (size_t i = 0; i < isolate->space_count; i++) any |= isolate->spaces[i].pages != 0;
    if (!any) return;
    pm_html_table(page, "sorts", columns, 7);
    for (size_t i = 0; i < isolate->space_count; i++) {
        const struct pm_space *space = &isolate->spaces[i];
        if (!space->pages && !page->options->verbose) continue;
        pm_strbuf_append(page->out, "<tr>");
        pm_html_cell(page, space->name);
        pm_html_cell_count(page, space->pages);
        pm_html_cell_bytes(page, space->committed);
        pm_html_cell_bytes(page, space->used);
        pm_html_cell_share(page, space->used, space->committed);
        pm_html_cell_bytes(page, space->free);
        pm_html_cell_count(page, space->objects);
        pm_strbuf_append(page->out, "</tr>\n");
    }
    pm_html_table_end(page);
}

void pm_html_isolate_title(const struct pm_html *page, const struct pm_isolate *isolate) {
    if (page->diagnosis->isolate_count < 2) return;
    pm_strbuf_appendf(page->out, "<h3>%s isolate", isolate->is_main ? "Main" : "Worker");
    if (isolate->worker) {
        struct pm_strbuf worker PM_AUTO_STRBUF = {0};
        pm_worker_words(&worker, isolate->worker);
        pm_strbuf_append(page->out, ", ");
        pm_html_text(page, pm_strbuf_text(&worker), SIZE_MAX);
    }
    if (isolate->tid != PM_UNKNOWN) pm_strbuf_appendf(page->out, ", thread %" PRIu64, isolate->tid);
    pm_strbuf_appendf(page->out, ", <code>0x%" PRIx64 "</code></h3>\n", isolate->address);
}

void pm_html_memory(const struct pm_html *page) {
    const struct pm_diagnosis *diagnosis = page->diagnosis;
    size_t i = 0;
    if (!diagnosis->has_isolates) return;
    for (; i < diagnosis->isolate_count && pm_html_room(page); i++) {
        const struct pm_isolate *isolate = &diagnosis->isolates[i];
        pm_html_isolate_title(page, isolate);
        put_bar(page, isolate);
        put_numbers(page, isolate);
        put_spaces(page, isolate);
    }
    pm_html_left_out(page, diagnosis->isolate_count - i, "isolates");
}

static void put_histogram(const struct pm_html *page, const struct pm_isolate *isolate) {
    static const char *const columns[] = {"Constructor", "#Count", "#Shallow", "#Share", "#Retained"};
    size_t rows = pm_html_rows(page, isolate->histogram_count, 500), i = 0;
    bool retained = false;
    char number[PM_NUMBER_TEXT], bytes[PM_NUMBER_TEXT];
    for (size_t k = 0; k < rows; k++) retained |= isolate->histogram[k].retained != PM_UNKNOWN;
    pm_strbuf_appendf(page->out, "<p>%s objects of %zu constructors, %s.</p>\n",
                      pm_format_count(number, isolate->objects), isolate->histogram_count,
                      pm_format_bytes(bytes, isolate->object_bytes));
    pm_html_table(page, "sorts filters", columns, retained ? 5 : 4);
    for (; i < rows && pm_html_room(page); i++) {
        const struct pm_class_row *row = &isolate->histogram[i];
        pm_strbuf_append(page->out, "<tr>");
        pm_html_cell(page, row->name);
        pm_html_cell_count(page, row->count);
        pm_html_cell_bytes(page, row->shallow);
        pm_html_cell_share(page, row->shallow, isolate->object_bytes);
        if (retained) pm_html_cell_bytes(page, row->retained);
        pm_strbuf_append(page->out, "</tr>\n");
    }
    pm_html_table_end(page);
    pm_html_left_out(page, isolate->histogram_count - i, "constructors");
}

void pm_html_objects(const struct pm_html *page) {
    const struct pm_diagnosis *diagnosis = page->diagnosis;
    if (!diagnosis->has_isolates || !diagnosis->has_histogram) return;
    for (size_t i = 0; i < diagnosis->isolate_count && pm_html_room(page); i++) {
        const struct pm_isolate *isolate = &diagnosis->isolates[i];
        if (!isolate->histogram_count) continue;
        bool folded = diagnosis->isolate_count > 1 && !isolate->is_main;
        if (folded) pm_strbuf_append(page->out, "<details><summary>A worker's objects</summary>\n");
        pm_html_isolate_title(page, isolate);
        put_histogram(page, isolate);
        if (folded) pm_strbuf_append(page->out, "</details>\n");
    }
}
