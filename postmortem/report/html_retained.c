/* The HTML page: who keeps the memory - a treemap to click into, and the dominator tree as a table. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "postmortem/base/arena.h"
#include "postmortem/report/html.h"
#include "postmortem/report/svg.h"

#define BOXES_MOST 1200
#define ROWS_USUAL 300

/* What the rows and the rest of the top level keep together. */
static uint64_t whole_of(const struct pm_isolate *isolate) {
    uint64_t sum = isolate->dominator_rest_bytes == PM_UNKNOWN ? 0 : isolate->dominator_rest_bytes;
    for (size_t i = 0; i < isolate->dominator_count; i++)
        if (isolate->dominators[i].parent == PM_NO_ROW) sum += isolate->dominators[i].retained;
    return sum;
}

/* "cache: Map(131073)" */
static void spell_row(const struct pm_dominator_row *row, struct pm_strbuf *out) {
    const char *label = row->label ? row->label : row->class_name;
    if (row->name) pm_strbuf_appendf(out, "%s: ", row->name);
    pm_strbuf_append(out, label ? label : "?");
}

struct tree {
    struct pm_arena *arena; /* of the texts */
    struct pm_box *boxes;
    size_t count;
    uint64_t whole;
};

static void add_box(struct tree *tree, size_t parent, uint64_t value, const char *name, const char *group) {
    char bytes[PM_NUMBER_TEXT], share[PM_NUMBER_TEXT], note[2 * PM_NUMBER_TEXT + 4];
    snprintf(note, sizeof(note), "%s, %s", pm_format_bytes(bytes, value),
             pm_format_share(share, value, tree->whole));
    const char *kept_name = pm_arena_strdup(tree->arena, name),
               *kept_note = pm_arena_strdup(tree->arena, note);
    if (!kept_name || !kept_note) return;
    tree->boxes[tree->count++] = (struct pm_box){
        .parent = parent, .value = value, .name = kept_name, .note = kept_note, .group = group};
}

static void add_rest(struct tree *tree, size_t parent, uint64_t count, uint64_t bytes) {
    char number[PM_NUMBER_TEXT], name[PM_NUMBER_TEXT + 24];
    if (!bytes || bytes == PM_UNKNOWN) return;
    snprintf(name, sizeof(name), "%s smaller objects", pm_format_count(number, count));
    add_box(tree, parent, bytes, name, "");
}

/* Each row is a box, beside it in its parent's one for the parent itself and one for what has no row: so the
 * areas are right. */
static void add_rows(struct tree *tree, const struct pm_isolate *isolate) {
    size_t *box_of PM_AUTO_FREE = calloc(isolate->dominator_count + 1, sizeof(*box_of));
    bool *has_rows PM_AUTO_FREE = calloc(isolate->dominator_count + 1, sizeof(*has_rows));
    if (!box_of || !has_rows) return;
    for (size_t i = 0; i < isolate->dominator_count; i++)
        if (isolate->dominators[i].parent < i) has_rows[isolate->dominators[i].parent] = true;
    add_box(tree, 0, tree->whole, "everything reachable", NULL);
    for (size_t i = 0; i < isolate->dominator_count; i++) {
        const struct pm_dominator_row *row = &isolate->dominators[i];
        struct pm_strbuf name PM_AUTO_STRBUF = {0};
        spell_row(row, &name);
        box_of[i] = tree->count;
        add_box(tree, row->parent < i ? box_of[row->parent] : 0, row->retained, pm_strbuf_text(&name),
                row->class_name);
        if (has_rows[i] || row->rest_bytes) {
            add_box(tree, box_of[i], row->shallow, "the object itself", row->class_name);
            add_rest(tree, box_of[i], row->rest_count, row->rest_bytes);
        }
    }
    add_rest(tree, 0, isolate->dominator_rest_count, isolate->dominator_rest_bytes);
}

static void put_treemap(const struct pm_html *page, const struct pm_isolate *isolate) {
    struct tree tree = {.arena = pm_arena_create(), .whole = whole_of(isolate)};
    tree.boxes = calloc(isolate->dominator_count * 3 + 2, sizeof(*tree.boxes));
    if (tree.arena && tree.boxes && tree.whole) {
        struct pm_picture picture = {
            "treemap of the memory that objects retain; the table below says the same",
            page->diagnosis->isolate_count > 2 ? BOXES_MOST / 3 : BOXES_MOST, false};
        add_rows(&tree, isolate);
        pm_strbuf_append(page->out,
                         "<p class=\"note\">A box is an object with all that would be freed with it; the "
                         "boxes in it are what it keeps. A click goes into it.</p>\n<figure>\n");
        pm_svg_treemap(page->out, &picture, tree.boxes, tree.count);
        pm_strbuf_append(page->out, "</figure>\n");
    }
    free(tree.boxes);
    pm_arena_destroy(tree.arena);
}

static void put_object(const struct pm_html *page, uint64_t object) {
    pm_strbuf_appendf(page->out,
                      page->diagnosis->objects_by_id ? "<td class=\"address\">@%" PRIu64 "</td>"
                                                     : "<td class=\"address\">0x%" PRIx64 "</td>",
                      object);
}

static void put_table(const struct pm_html *page, const struct pm_isolate *isolate) {
    static const char *const columns[] = {"Object", "Class", "#Retained", "#Share", "#Shallow", "Address"};
    size_t rows = pm_html_rows(page, isolate->dominator_count, ROWS_USUAL), i = 0;
    uint64_t whole = whole_of(isolate);
    pm_html_table(page, "sorts filters", columns, 6);
    for (; i < rows && pm_html_room(page); i++) {
        const struct pm_dominator_row *row = &isolate->dominators[i];
        struct pm_strbuf name PM_AUTO_STRBUF = {0};
        spell_row(row, &name);
        pm_strbuf_append(page->out, "<tr><td class=\"name\">");
        if (row->depth)
            pm_strbuf_appendf(page->out, "<span class=\"depth\">%*s\xe2\x94\x94 </span>",
                              (int)(row->depth < 40 ? row->depth : 40) * 2 - 2, "");
        pm_html_text(page, pm_strbuf_text(&name), PM_HTML_NAME);
        pm_strbuf_append(page->out, "</td>");
        pm_html_cell(page, row->class_name);
        pm_html_cell_bytes(page, row->retained);
        pm_html_cell_share(page, row->retained, whole);
        pm_html_cell_bytes(page, row->shallow);
        put_object(page, row->object);
        pm_strbuf_append(page->out, "</tr>\n");
    }
    pm_html_table_end(page);
    pm_html_left_out(page, isolate->dominator_count - i, "rows");
}

void pm_html_retained(const struct pm_html *page) {
    const struct pm_diagnosis *diagnosis = page->diagnosis;
    for (size_t i = 0; i < diagnosis->isolate_count && pm_html_room(page); i++) {
        const struct pm_isolate *isolate = &diagnosis->isolates[i];
        if (!isolate->dominator_count) continue;
        pm_html_isolate_title(page, isolate);
        put_treemap(page, isolate);
        put_table(page, isolate);
    }
}
