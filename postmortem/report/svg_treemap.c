/* The treemap, squarified (Bruls, Huizing, van Wijk 2000): children in order of size are laid in rows along
 * the shorter side as long as that makes their boxes squarer. page/page.js does the same again when somebody
 * clicks into a box. */
#include <stdlib.h>
#include <string.h>

#include "postmortem/base/escape.h"
#include "postmortem/report/svg_tree.h"

#define WIDE   1000.0 /* drawn for this width; the page stretches it */
#define HIGH   520.0
#define LEVELS 3 /* below the root */

struct layout {
    const struct pm_svg_tree *tree;
    size_t *first, *next;        /* children of a box, largest first; SIZE_MAX = none */
    struct pm_svg_place *places; /* by box, in pixels of WIDE x HIGH */
    bool *placed;
};

struct area {
    double x, y, width, height;
};

static double larger(double a, double b) {
    return a > b ? a : b;
}

/* The worst ratio of sides in a row of boxes: values from `most` to `least`, `sum` in all. */
static double worst(double sum, double most, double least, double side, double scale) {
    double area = sum * scale;
    return larger(side * side * most * scale / (area * area), area * area / (side * side * least * scale));
}

static void place_box(struct layout *layout, size_t box, struct area area) {
    if (area.width < 2 || area.height < 2) return;
    layout->places[box] =
        (struct pm_svg_place){.x = area.x, .y = area.y, .width = area.width, .height = area.height};
    layout->placed[box] = true;
}

/* One row of children from `from` up to (not including) `to`, along the shorter side; shrinks the area. */
static void place_row(struct layout *layout, size_t from, size_t to, double sum, double scale,
                      struct area *area) {
    bool upright = area->width >= area->height;
    double side = upright ? area->height : area->width, thick = sum * scale / side, along = 0;
    for (size_t box = from; box != to; box = layout->next[box]) {
        double length = (double)layout->tree->value[box] * scale / thick;
        place_box(layout, box,
                  upright ? (struct area){area->x, area->y + along, thick, length}
                          : (struct area){area->x + along, area->y, length, thick});
        along += length;
    }
    if (upright) {
        area->x += thick;
        area->width -= thick;
    } else {
        area->y += thick;
        area->height -= thick;
    }
}

static void place_children(struct layout *layout, size_t parent, struct area area) {
    double total = 0;
    for (size_t box = layout->first[parent]; box != SIZE_MAX; box = layout->next[box])
        total += (double)layout->tree->value[box];
    size_t from = layout->first[parent];
    while (from != SIZE_MAX && area.width > 0.5 && area.height > 0.5) {
        double side = area.width < area.height ? area.width : area.height;
        double scale = area.width * area.height / total, sum = 0;
        double most = (double)layout->tree->value[from], least = most;
        size_t to = from;
        for (; to != SIZE_MAX; to = layout->next[to]) {
            double value = (double)layout->tree->value[to];
            if (to != from &&
                worst(sum + value, most, value, side, scale) > worst(sum, most, least, side, scale))
                break;
            sum += value;
            least = value;
        }
        place_row(layout, from, to, sum, scale, &area);
        total -= sum;
        from = to;
    }
}

static int smaller_first(const void *a, const void *b, void *values) {
    uint64_t x = ((const uint64_t *)values)[*(const size_t *)a],
             y = ((const uint64_t *)values)[*(const size_t *)b];
    if (x != y) return x < y ? -1 : 1;
    return *(const size_t *)a > *(const size_t *)b ? -1 : 1;
}

/* The lists of children, largest first: the boxes in order of size, each put before its siblings. */
static bool link_children(struct layout *layout) {
    const struct pm_svg_tree *tree = layout->tree;
    size_t *order PM_AUTO_FREE = calloc(tree->drawn_count, sizeof(*order));
    if (!order) return false;
    memcpy(order, tree->drawn, tree->drawn_count * sizeof(*order));
    qsort_r(order, tree->drawn_count, sizeof(*order), smaller_first, tree->value);
    for (size_t i = 0; i < tree->count; i++) layout->first[i] = layout->next[i] = SIZE_MAX;
    for (size_t k = 0; k < tree->drawn_count; k++) {
        size_t box = order[k];
        if (!box) continue; /* the root */
        size_t parent = tree->boxes[box].parent;
        layout->next[box] = layout->first[parent];
        layout->first[parent] = box;
    }
    return true;
}

/* Boxes inside boxes, below the strip with the parent's name. */
static void place_all(struct layout *layout) {
    const struct pm_svg_tree *tree = layout->tree;
    place_box(layout, 0, (struct area){0, 0, WIDE, HIGH});
    for (size_t k = 0; k < tree->drawn_count; k++) { /* parents come before their children */
        size_t box = tree->drawn[k];
        struct pm_svg_place *place = &layout->places[box];
        if (!layout->placed[box] || tree->depth[box] >= LEVELS || layout->first[box] == SIZE_MAX) continue;
        place->parent = true;
        if (place->width > 20 && place->height > 36)
            place_children(layout, box,
                           (struct area){place->x + 3, place->y + 19, place->width - 6, place->height - 22});
    }
}

size_t pm_svg_treemap(struct pm_strbuf *out, const struct pm_picture *picture, const struct pm_box *boxes,
                      size_t count) {
    struct pm_svg_tree *tree PM_AUTO(svg_tree) = pm_svg_tree_create(picture, boxes, count);
    if (!tree) return 0;
    size_t *first PM_AUTO_FREE = calloc(count, sizeof(*first));
    size_t *next PM_AUTO_FREE = calloc(count, sizeof(*next));
    struct pm_svg_place *places PM_AUTO_FREE = calloc(count, sizeof(*places));
    bool *placed PM_AUTO_FREE = calloc(count, sizeof(*placed));
    if (!first || !next || !places || !placed) return 0;
    struct layout layout = {tree, first, next, places, placed};
    if (!link_children(&layout)) return 0;
    place_all(&layout);
    pm_strbuf_appendf(out, "<svg class=\"tree\" role=\"group\" height=\"%.0f\" aria-label=\"", HIGH);
    pm_escape_html(out, picture->label, strlen(picture->label));
    pm_strbuf_append(out, "\">\n");
    for (size_t k = 0; k < tree->drawn_count; k++) {
        size_t box = tree->drawn[k];
        struct pm_svg_place place = places[box];
        place.x *= 100 / WIDE;
        place.width *= 100 / WIDE;
        place.hidden = !placed[box]; /* the script shows it when its parent is clicked into */
        pm_svg_box(out, picture, tree, box, &place);
    }
    pm_strbuf_append(out, "</svg>\n");
    return tree->drawn_count;
}
