#include "postmortem/report/table.h"

#include <string.h>
#include <wchar.h>

#include "postmortem/base/arena.h"
#include "postmortem/base/escape.h"
#include "postmortem/base/vec.h"

struct pm_table {
    struct pm_arena *arena;
    const struct pm_column *columns;
    size_t column_count;
    PM_VEC(const char *) cells;
};

struct pm_table *pm_table_create(const struct pm_column *columns, size_t count) {
    struct pm_arena *arena = pm_arena_create();
    struct pm_table *table = arena ? pm_arena_alloc(arena, sizeof(*table)) : NULL;
    if (!table) {
        pm_arena_destroy(arena);
        return NULL;
    }
    table->arena = arena;
    table->columns = columns;
    table->column_count = count;
    return table;
}

void pm_table_destroy(struct pm_table *table) {
    if (!table) return;
    pm_vec_deinit(&table->cells);
    pm_arena_destroy(table->arena);
}

void pm_table_cell(struct pm_table *table, const char *text) {
    if (!table) return;
    struct pm_strbuf escaped PM_AUTO_STRBUF = {0};
    if (text) pm_escape_terminal(&escaped, text, strlen(text));
    const char *copy = pm_arena_copy(table->arena, pm_strbuf_text(&escaped), escaped.length);
    if (copy) (void)pm_vec_push(&table->cells, copy);
}

static size_t code_point_width(uint32_t c) {
    /* In the C locale (tests) wcwidth() knows ASCII only: everything else counts as one column. */
    int width = wcwidth((wchar_t)c);
    return width < 0 ? 1 : (size_t)width;
}

size_t pm_text_width(const char *text) {
    size_t width = 0, length = strlen(text);
    for (size_t i = 0; i < length;) width += code_point_width(pm_utf8_next(text, length, &i));
    return width;
}

void pm_text_cut(struct pm_strbuf *out, const char *text, size_t width, bool cut_start) {
    size_t total = pm_text_width(text), length = strlen(text), used = 0;
    if (total <= width) {
        pm_strbuf_append(out, text);
        return;
    }
    size_t keep = width > 3 ? width - 3 : 0;
    if (cut_start) {
        size_t i = 0;
        while (i < length && total - used > keep) used += code_point_width(pm_utf8_next(text, length, &i));
        pm_strbuf_append(out, "...");
        pm_strbuf_append(out, text + i);
        return;
    }
    for (size_t i = 0; i < length;) {
        size_t start = i;
        used += code_point_width(pm_utf8_next(text, length, &i));
        if (used > keep) break;
        pm_strbuf_append_bytes(out, text + start, i - start);
    }
    pm_strbuf_append(out, "...");
}

static bool has_header(const struct pm_table *table) {
    for (size_t i = 0; i < table->column_count; i++)
        if (table->columns[i].title) return true;
    return false;
}

static bool is_elastic(const struct pm_column *column) {
    return column->kind == PM_COLUMN_ELASTIC || column->kind == PM_COLUMN_ELASTIC_PATH;
}

/* The width of each column, after the elastic ones have given way: always the widest of them. */
static void measure(const struct pm_table *table, unsigned indent, unsigned width, size_t *widths) {
    const size_t least = 12;
    size_t total = indent;
    for (size_t k = 0; k < table->column_count; k++)
        widths[k] = table->columns[k].title ? pm_text_width(table->columns[k].title) : 0;
    for (size_t i = 0; i < table->cells.count; i++) {
        size_t cell = pm_text_width(table->cells.items[i]), k = i % table->column_count;
        if (cell > widths[k]) widths[k] = cell;
    }
    for (size_t k = 0; k < table->column_count; k++) total += widths[k] + (k ? 2 : 0);
    for (; total > width; total--) {
        size_t widest = table->column_count;
        for (size_t k = 0; k < table->column_count; k++)
            if (is_elastic(&table->columns[k]) && widths[k] > least &&
                (widest == table->column_count || widths[k] > widths[widest]))
                widest = k;
        if (widest == table->column_count) return;
        widths[widest]--;
    }
}

static void print_cell(const struct pm_table *table, size_t k, const char *text, size_t width,
                       struct pm_strbuf *line) {
    struct pm_strbuf shown PM_AUTO_STRBUF = {0};
    pm_text_cut(&shown, text, width, table->columns[k].kind == PM_COLUMN_ELASTIC_PATH);
    size_t used = pm_text_width(pm_strbuf_text(&shown)), pad = width > used ? width - used : 0;
    if (k) pm_strbuf_append(line, "  ");
    if (table->columns[k].kind == PM_COLUMN_NUMBER) pm_strbuf_appendf(line, "%*s", (int)pad, "");
    pm_strbuf_append(line, pm_strbuf_text(&shown));
    if (table->columns[k].kind != PM_COLUMN_NUMBER && k + 1 < table->column_count)
        pm_strbuf_appendf(line, "%*s", (int)pad, "");
}

static void print_line(struct pm_strbuf *line, bool dim, FILE *out) {
    while (line->length && line->bytes[line->length - 1] == ' ') line->bytes[--line->length] = 0;
    fprintf(out, "%s%s%s\n", dim ? "\033[2m" : "", pm_strbuf_text(line), dim ? "\033[0m" : "");
    pm_strbuf_clear(line);
}

void pm_table_print(const struct pm_table *table, unsigned indent, unsigned width, bool color, FILE *out) {
    if (!table) return;
    size_t *widths PM_AUTO_FREE = calloc(table->column_count, sizeof(*widths));
    struct pm_strbuf line PM_AUTO_STRBUF = {0};
    if (!widths) return;
    measure(table, indent, width, widths);
    if (has_header(table)) {
        pm_strbuf_appendf(&line, "%*s", (int)indent, "");
        for (size_t k = 0; k < table->column_count; k++)
            print_cell(table, k, table->columns[k].title ? table->columns[k].title : "", widths[k], &line);
        print_line(&line, color, out);
    }
    for (size_t i = 0; i < table->cells.count; i++) {
        size_t k = i % table->column_count;
        if (k == 0) pm_strbuf_appendf(&line, "%*s", (int)indent, "");
        print_cell(table, k, table->cells.items[i], widths[k], &line);
        if (k + 1 == table->column_count) print_line(&line, false, out);
    }
}
