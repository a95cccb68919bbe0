/* The plot of garbage collections: heap before (area) and after (line), full collections as red dots, the
 * limit as a dashed line. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "postmortem/base/escape.h"
#include "postmortem/model/diagnosis.h"
#include "postmortem/report/format.h"
#include "postmortem/report/svg.h"

#define WIDE   760.0
#define HIGH   240.0
#define LEFT   70.0 /* room for the numbers of the axis */
#define BOTTOM 24.0
#define TOP    14.0
#define MOST   600 /* points drawn at most: more are thinned out evenly */

struct scale {
    double from, span; /* seconds */
    double top;        /* bytes */
};

static double at_x(const struct scale *scale, double seconds) {
    return LEFT + (seconds - scale->from) / scale->span * (WIDE - LEFT - 10);
}

static double at_y(const struct scale *scale, double bytes) {
    return TOP + (1 - bytes / scale->top) * (HIGH - TOP - BOTTOM);
}

/* A round number of bytes between lines of the grid: four or five of them. */
static double grid_step(double top) {
    double step = 1;
    while (step * 10 < top) step *= 10;
    if (step * 2 >= top) return step / 2;
    if (step * 5 >= top) return step;
    return step * 2;
}

static void put_grid(struct pm_strbuf *out, const struct scale *scale) {
    char number[PM_NUMBER_TEXT];
    double step = grid_step(scale->top);
    for (double bytes = 0; bytes <= scale->top; bytes += step) {
        double y = at_y(scale, bytes);
        pm_strbuf_appendf(out,
                          "<line class=\"axis\" x1=\"%.0f\" x2=\"%.0f\" y1=\"%.1f\" y2=\"%.1f\"/>"
                          "<text x=\"%.0f\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
                          LEFT, WIDE - 10, y, y, LEFT - 6, y + 4, pm_format_bytes(number, (uint64_t)bytes));
    }
    for (int i = 0; i <= 4; i++) {
        double seconds = scale->from + scale->span * i / 4;
        pm_strbuf_appendf(out, "<text x=\"%.1f\" y=\"%.0f\" text-anchor=\"%s\">%.*f s</text>\n",
                          at_x(scale, seconds), HIGH - 6,
                          i == 0   ? "start"
                          : i == 4 ? "end"
                                   : "middle",
                          scale->span < 10    ? 2
                          : scale->span < 100 ? 1
                                              : 0,
                          seconds);
    }
}

static void put_limit(struct pm_strbuf *out, const struct scale *scale, uint64_t limit) {
    char number[PM_NUMBER_TEXT];
    double y = at_y(scale, (double)limit);
    pm_strbuf_appendf(out,
                      "<line class=\"limit\" x1=\"%.0f\" x2=\"%.0f\" y1=\"%.1f\" y2=\"%.1f\"/>"
                      "<text class=\"limit-text\" x=\"%.0f\" y=\"%.1f\">limit %s</text>\n",
                      LEFT, WIDE - 10, y, y, LEFT + 6, y - 3, pm_format_bytes(number, limit));
}

static void put_curves(struct pm_strbuf *out, const struct scale *scale, const struct pm_plot_point *points,
                       size_t count, size_t step) {
    pm_strbuf_appendf(out, "<path class=\"before\" d=\"M%.1f %.1f", at_x(scale, points[0].seconds),
                      at_y(scale, 0));
    size_t last = 0;
    for (size_t i = 0; i < count; i += step, last = i - step)
        pm_strbuf_appendf(out, "L%.1f %.1f", at_x(scale, points[i].seconds),
                          at_y(scale, (double)points[i].before));
    pm_strbuf_appendf(out, "L%.1f %.1fZ\"/>\n<path class=\"after\" d=\"", at_x(scale, points[last].seconds),
                      at_y(scale, 0));
    for (size_t i = 0; i < count; i += step)
        pm_strbuf_appendf(out, "%c%.1f %.1f", i ? 'L' : 'M', at_x(scale, points[i].seconds),
                          at_y(scale, (double)points[i].after));
    pm_strbuf_append(out, "\"/>\n");
}

static void put_points(struct pm_strbuf *out, const struct scale *scale, const struct pm_plot_point *points,
                       size_t count, size_t step) {
    char before[PM_NUMBER_TEXT], after[PM_NUMBER_TEXT];
    for (size_t i = 0; i < count; i += step)
        pm_strbuf_appendf(out,
                          "<circle%s cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\"><title>%.3f s, %s: %s to "
                          "%s</title></circle>\n",
                          points[i].full ? " class=\"full\"" : "", at_x(scale, points[i].seconds),
                          at_y(scale, (double)points[i].after), points[i].seconds,
                          points[i].full ? "mark-compact" : "scavenge",
                          pm_format_bytes(before, points[i].before), pm_format_bytes(after, points[i].after));
}

void pm_svg_gc_plot(struct pm_strbuf *out, const char *label, const struct pm_plot_point *points,
                    size_t count, uint64_t limit) {
    if (!count) return;
    struct scale scale = {points[0].seconds, points[count - 1].seconds - points[0].seconds, 1};
    for (size_t i = 0; i < count; i++) {
        if ((double)points[i].before > scale.top) scale.top = (double)points[i].before;
        if ((double)points[i].after > scale.top) scale.top = (double)points[i].after;
    }
    /* A limit far above would press the curve to the ground. */
    bool show_limit = limit != PM_UNKNOWN && limit && (double)limit < scale.top * 4;
    if (show_limit && (double)limit > scale.top) scale.top = (double)limit;
    scale.top *= 1.05;
    if (!(scale.span > 0)) scale.span = 1;
    pm_strbuf_appendf(out, "<svg class=\"plot\" role=\"img\" viewBox=\"0 0 %.0f %.0f\" aria-label=\"", WIDE,
                      HIGH);
    pm_escape_html(out, label, strlen(label));
    pm_strbuf_append(out, "\">\n");
    size_t step = (count + MOST - 1) / MOST;
    put_grid(out, &scale);
    put_curves(out, &scale, points, count, step);
    put_points(out, &scale, points, count, step);
    if (show_limit) put_limit(out, &scale, limit);
    pm_strbuf_append(out, "</svg>\n");
}
