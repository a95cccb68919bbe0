/* The flame graph: a row for each depth, boxes as wide as their values, from left to right in their order. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "postmortem/base/escape.h"
#include "postmortem/report/svg_tree.h"

#define ROW        18
#define ROWS_MOST  150  /* deeper boxes (recursion) are not drawn */
#define LEAST_WIDE 0.02 /* percent: a fifth of a pixel */

static void put_head(struct pm_strbuf *out, const char *label, uint32_t rows) {
    pm_strbuf_appendf(out, "<svg class=\"flame\" role=\"group\" height=\"%u\" aria-label=\"",
                      (unsigned)(rows * ROW + 1));
    pm_escape_html(out, label, strlen(label));
    pm_strbuf_append(out, "\">\n");
}

size_t pm_svg_flame(struct pm_strbuf *out, const struct pm_picture *picture, const struct pm_box *boxes,
                    size_t count) {
    struct pm_svg_tree *tree PM_AUTO(svg_tree) = pm_svg_tree_create(picture, boxes, count);
    if (!tree) return 0;
    uint64_t *start PM_AUTO_FREE = calloc(count, sizeof(*start)); /* of a box, in units of value */
    uint64_t *next PM_AUTO_FREE = calloc(count, sizeof(*next));   /* where its next child starts */
    if (!start || !next) return 0;
    double whole = (double)tree->value[0];
    uint32_t rows = 0;
    size_t written = 0;
    for (size_t k = 0; k < tree->drawn_count; k++) {
        size_t i = tree->drawn[k];
        if (i) {
            start[i] = next[boxes[i].parent];
            next[boxes[i].parent] += tree->value[i];
        }
        next[i] = start[i];
        bool visible = tree->depth[i] < ROWS_MOST && (double)tree->value[i] / whole * 100 >= LEAST_WIDE;
        if (visible && tree->depth[i] + 1 > rows) rows = tree->depth[i] + 1;
    }
    put_head(out, picture->label, rows);
    for (size_t k = 0; k < tree->drawn_count; k++) {
        size_t i = tree->drawn[k];
        struct pm_svg_place place = {
            .x = (double)start[i] / whole * 100,
            .width = (double)tree->value[i] / whole * 100,
            .y = tree->depth[i] * ROW,
            .height = ROW,
        };
        if (tree->depth[i] >= ROWS_MOST || place.width < LEAST_WIDE) continue;
        pm_svg_box(out, picture, tree, i, &place);
        written++;
    }
    pm_strbuf_append(out, "</svg>\n");
    return written;
}
