/* table.h - a table of texts for a terminal: columns as wide as their cells, numbers to the right.
 *
 *   struct pm_table *table = pm_table_create(columns, 3);
 *   pm_table_cell(table, "old_space"); pm_table_cell(table, "12"); pm_table_cell(table, "4.0 MB");  // a row
 *   pm_table_print(table, indent, width, color, out);
 *
 * Cells are untrusted: they are escaped here. A table wider than `width` has the cells of its widest elastic
 * columns cut. FAILURE  without memory cells are lost; nothing crashes. */
#ifndef PM_REPORT_TABLE_H
#define PM_REPORT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "postmortem/base/cleanup.h"
#include "postmortem/base/strbuf.h"

enum pm_column_kind {
    PM_COLUMN_TEXT,
    PM_COLUMN_NUMBER,       /* to the right */
    PM_COLUMN_ELASTIC,      /* text that gives way: its end is cut */
    PM_COLUMN_ELASTIC_PATH, /* its start is cut */
};
struct pm_column {
    const char *title; /* NULL in all columns = no header line */
    enum pm_column_kind kind;
};

struct pm_table;

struct pm_table *pm_table_create(const struct pm_column *columns, size_t count); /* NULL without memory */
void pm_table_destroy(struct pm_table *table);
void pm_table_cell(
    struct pm_table *table,
    const char *text); /* NULL is an empty cell; a full row begins the next; table NULL is fine */
void pm_table_print(const struct pm_table *table, unsigned indent, unsigned width, bool color, FILE *out);

/* Columns a text takes on a terminal. */
size_t pm_text_width(const char *text);
/* Appends text cut to `width` columns, with "..." at its end (or start). */
void pm_text_cut(struct pm_strbuf *out, const char *text, size_t width, bool cut_start);

PM_DEFINE_AUTO(table, struct pm_table, pm_table_destroy)

#endif
