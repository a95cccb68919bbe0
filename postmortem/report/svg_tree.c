#include "postmortem/report/svg_tree.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "postmortem/base/escape.h"
#include "postmortem/base/sort.h"

#define NAME_MOST 100 /* characters on a box, which is rarely as wide */
#define NOTE_MOST 400 /* of a tooltip */
#define COLOURS   8   /* classes c0 ... c7 */

static int larger_first(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* The value of the `most`-th largest box: smaller ones are not drawn. */
static uint64_t least_value(const struct pm_box *boxes, size_t count, size_t most) {
    if (count <= most) return 1;
    uint64_t *values PM_AUTO_FREE = calloc(count, sizeof(*values));
    if (!values) return UINT64_MAX;
    for (size_t i = 0; i < count; i++) values[i] = boxes[i].value;
    pm_sort(values, count, sizeof(*values), larger_first);
    return values[most - 1] ? values[most - 1] : 1;
}

void pm_svg_tree_destroy(struct pm_svg_tree *tree) {
    if (!tree) return;
    free(tree->drawn);
    free(tree->is_drawn);
    free(tree->depth);
    free(tree->value);
    free(tree);
}

struct pm_svg_tree *pm_svg_tree_create(const struct pm_picture *picture, const struct pm_box *boxes,
                                       size_t count) {
    struct pm_svg_tree *tree PM_AUTO(svg_tree) = calloc(1, sizeof(*tree));
    if (!tree || !count || !picture->most || !boxes[0].value) return NULL;
    uint64_t least = least_value(boxes, count, picture->most);
    uint64_t *left PM_AUTO_FREE = calloc(count, sizeof(*left)); /* of a box's value, for its children */
    tree->boxes = boxes;
    tree->count = count;
    tree->drawn = calloc(count < picture->most ? count : picture->most, sizeof(*tree->drawn));
    tree->is_drawn = calloc(count, sizeof(*tree->is_drawn));
    tree->depth = calloc(count, sizeof(*tree->depth));
    tree->value = calloc(count, sizeof(*tree->value));
    if (!left || !tree->drawn || !tree->is_drawn || !tree->depth || !tree->value) return NULL;
    for (size_t i = 0; i < count && tree->drawn_count < picture->most; i++) {
        size_t parent = boxes[i].parent;
        uint64_t value = boxes[i].value;
        if (i) {
            if (value < least || parent >= i || !tree->is_drawn[parent]) continue;
            if (value > left[parent]) value = left[parent];
            if (!value) continue;
            left[parent] -= value;
            tree->depth[i] = tree->depth[parent] + 1;
        }
        tree->value[i] = left[i] = value;
        tree->is_drawn[i] = true;
        tree->drawn[tree->drawn_count++] = i;
    }
    return PM_TAKE(tree);
}

static void put_cut(struct pm_strbuf *out, const char *text, size_t most) {
    size_t length = strlen(text), end = 0;
    for (size_t i = 0; i < most && end < length; i++) (void)pm_utf8_next(text, length, &end);
    pm_escape_html(out, text, end);
    if (end < length) pm_strbuf_append(out, "\xe2\x80\xa6");
}

static const char *colour(const struct pm_picture *picture, const struct pm_box *box, char *text) {
    static const char *const shades[] = {"s2", "s1", "same", "g1", "g2"};
    if (picture->compare) {
        int step = box->change > 0.05 ? 4 : box->change > 0.002 ? 3 : 2;
        if (box->change < -0.002) step = box->change < -0.05 ? 0 : 1;
        return shades[step];
    }
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (const char *p = box->group ? box->group : box->name; *p; p++)
        hash = (hash ^ (unsigned char)*p) * 16777619u;
    hash ^= hash >> 13;
    text[0] = 'c';
    text[1] = (char)('0' + hash % COLOURS);
    text[2] = 0;
    return text;
}

void pm_svg_box(struct pm_strbuf *out, const struct pm_picture *picture, const struct pm_svg_tree *tree,
                size_t index, const struct pm_svg_place *place) {
    const struct pm_box *box = &tree->boxes[index];
    char class[3];
    pm_strbuf_appendf(out, "<svg data-i=\"%zu\"", index);
    if (index) pm_strbuf_appendf(out, " data-p=\"%zu\"", box->parent);
    pm_strbuf_appendf(out, " data-v=\"%" PRIu64 "\" class=\"%s%s%s\"", tree->value[index],
                      colour(picture, box, class), place->parent ? " parent" : "",
                      place->hidden ? " gone" : "");
    if (!place->hidden)
        pm_strbuf_appendf(
            out, " data-x=\"%.4f\" data-w=\"%.4f\" x=\"%.4f%%\" width=\"%.4f%%\" y=\"%.1f\" height=\"%.1f\"",
            place->x, place->width, place->x, place->width, place->y, place->height);
    pm_strbuf_append(out, "><title>");
    put_cut(out, box->name, NOTE_MOST);
    if (box->note) {
        pm_strbuf_append(out, ": ");
        put_cut(out, box->note, NOTE_MOST);
    }
    pm_strbuf_append(out, "</title><rect width=\"100%\" height=\"100%\"/><text x=\"4\" y=\"13\">");
    put_cut(out, box->name, NAME_MOST);
    pm_strbuf_append(out, "</text></svg>\n");
}
