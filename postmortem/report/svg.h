/* svg.h - pictures of the HTML page: flame graph, treemap, plot of garbage collections.
 *
 * A picture is complete without scripts: every box has its text (cut by its own small <svg>) and a <title>;
 * page/page.js adds zoom, search, bread crumbs and keys. Sizes in percent, so that the page may be of any
 * width. Texts are untrusted: they are escaped and cut here. Colours are classes of page/page.css.
 * FAILURE  without memory a picture is left out. */
#ifndef PM_REPORT_SVG_H
#define PM_REPORT_SVG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "postmortem/base/strbuf.h"

/* A node of a tree. Nodes stand in an order in which each comes after its parent; the first is the root. */
struct pm_box {
    size_t parent;     /* its index; ignored for the root */
    uint64_t value;    /* what decides the size: its own and all below it */
    const char *name;  /* on the box */
    const char *note;  /* what the tooltip says besides the name: "187.2 MB, 94.1 %"; NULL = nothing */
    const char *group; /* boxes of a group have one colour; NULL = by name */
    double change;     /* compare: how much the value grew, as part of the root's value, negative = shrank */
};

struct pm_picture {
    const char *label; /* what a screen reader says */
    size_t most;       /* boxes to draw at most, the largest ones */
    bool compare;      /* colours tell growth (pm_box.change) */
};

/* Root on top, callees below. Returns how many boxes are drawn. */
size_t pm_svg_flame(struct pm_strbuf *out, const struct pm_picture *picture, const struct pm_box *boxes,
                    size_t count);
/* Rectangles in rectangles, three levels; the script shows what is below when it is clicked into. */
size_t pm_svg_treemap(struct pm_strbuf *out, const struct pm_picture *picture, const struct pm_box *boxes,
                      size_t count);

/* One garbage collection. */
struct pm_plot_point {
    double seconds; /* since the start */
    uint64_t before, after;
    bool full; /* mark-compact */
};
/* Heap before (area) and after (line) each collection, in the order of time; limit PM_UNKNOWN = no line. */
void pm_svg_gc_plot(struct pm_strbuf *out, const char *label, const struct pm_plot_point *points,
                    size_t count, uint64_t limit);

#endif
