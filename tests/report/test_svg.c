/* Pictures: boxes lie inside their parents, areas are right, hostile trees end. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "postmortem/model/diagnosis.h"
#include "postmortem/report/svg.h"
#include "tests/support/assert_error.h"

struct drawn {
    size_t index, parent;
    double x, y, width, height;
    bool hidden;
};

/* Reads the boxes back from the picture's text. */
static size_t read_boxes(const char *text, struct drawn *boxes, size_t most) {
    size_t count = 0;
    for (const char *p = text; (p = strstr(p, "<svg data-i=\"")) && count < most; p++) {
        struct drawn *box = &boxes[count++];
        const char *end = strstr(p, "><title>"), *parent = strstr(p, " data-p=\""), *x = strstr(p, " x=\"");
        assert_non_null(end);
        *box = (struct drawn){.index = strtoul(p + 13, NULL, 10), .parent = SIZE_MAX};
        if (parent && parent < end) box->parent = strtoul(parent + 9, NULL, 10);
        box->hidden = !x || x > end;
        if (box->hidden) continue;
        assert_int_equal(sscanf(x, " x=\"%lf%%\" width=\"%lf%%\" y=\"%lf\" height=\"%lf\"", &box->x,
                                &box->width, &box->y, &box->height),
                         4);
    }
    return count;
}

static const struct drawn *find(const struct drawn *boxes, size_t count, size_t index) {
    for (size_t i = 0; i < count; i++)
        if (boxes[i].index == index) return &boxes[i];
    return NULL;
}

static void assert_inside(const struct drawn *boxes, size_t count, bool flame) {
    for (size_t i = 1; i < count; i++) {
        const struct drawn *box = &boxes[i], *parent = find(boxes, count, box->parent);
        assert_non_null(parent); /* never without it */
        if (box->hidden) continue;
        assert_false(parent->hidden);
        assert_true(box->x >= parent->x - 0.001 && box->x + box->width <= parent->x + parent->width + 0.001);
        if (flame)
            assert_true(fabs(box->y - parent->y - parent->height) < 0.01);
        else
            assert_true(box->y >= parent->y && box->y + box->height <= parent->y + parent->height + 0.11);
    }
}

static struct pm_box tree[] = {
    {.value = 1000, .name = "root"},          {.parent = 0, .value = 600, .name = "a"},
    {.parent = 1, .value = 400, .name = "b"}, {.parent = 1, .value = 200, .name = "c"},
    {.parent = 0, .value = 300, .name = "d"}, {.parent = 0, .value = 100, .name = "e", .note = "<&\">"},
};
#define TREE_COUNT (sizeof(tree) / sizeof(tree[0]))

static void test_flame(void **state) {
    (void)state;
    struct pm_strbuf out PM_AUTO_STRBUF = {0};
    struct pm_picture picture = {"a", 100, false};
    struct drawn boxes[16];
    assert_int_equal(pm_svg_flame(&out, &picture, tree, TREE_COUNT), TREE_COUNT);
    size_t count = read_boxes(pm_strbuf_text(&out), boxes, 16);
    assert_int_equal(count, TREE_COUNT);
    assert_inside(boxes, count, true);
    assert_true(fabs(find(boxes, count, 2)->width - 40) < 0.001);
    assert_true(fabs(find(boxes, count, 5)->x - 90) < 0.001);
    assert_non_null(strstr(pm_strbuf_text(&out), "<title>e: &lt;&amp;&quot;&gt;</title>"));
}

/* Siblings have areas as their values; the root has the whole picture. */
static void test_treemap(void **state) {
    (void)state;
    struct pm_strbuf out PM_AUTO_STRBUF = {0};
    struct pm_picture picture = {"a", 100, false};
    struct drawn boxes[16];
    assert_int_equal(pm_svg_treemap(&out, &picture, tree, TREE_COUNT), TREE_COUNT);
    size_t count = read_boxes(pm_strbuf_text(&out), boxes, 16);
    assert_inside(boxes, count, false);
    const struct drawn *a = find(boxes, count, 1), *d = find(boxes, count, 4), *e = find(boxes, count, 5);
    assert_true(fabs(a->width * a->height / (d->width * d->height) - 2) < 0.02);
    assert_true(fabs(d->width * d->height / (e->width * e->height) - 3) < 0.03);
    assert_true(find(boxes, count, 0)->width > 99.99);
}

/* Growth and shrinkage have their colours. */
static void test_compare(void **state) {
    (void)state;
    struct pm_box boxes[] = {{.value = 100, .name = "r"},
                             {.parent = 0, .value = 40, .name = "grown", .change = 0.2},
                             {.parent = 0, .value = 40, .name = "less", .change = -0.01},
                             {.parent = 0, .value = 20, .name = "same", .change = 0}};
    struct pm_strbuf out PM_AUTO_STRBUF = {0};
    pm_svg_flame(&out, &(struct pm_picture){"a", 100, true}, boxes, 4);
    assert_non_null(strstr(pm_strbuf_text(&out), "data-i=\"1\" data-p=\"0\" data-v=\"40\" class=\"g2\""));
    assert_non_null(strstr(pm_strbuf_text(&out), "data-i=\"2\" data-p=\"0\" data-v=\"40\" class=\"s1\""));
    assert_non_null(strstr(pm_strbuf_text(&out), "data-i=\"3\" data-p=\"0\" data-v=\"20\" class=\"same\""));
}

/* Children that claim more than there is, parents that come later or not at all, depth, zero, many. */
static void test_hostile(void **state) {
    (void)state;
    enum { COUNT = 200000, MOST = 300 };
    struct pm_box *boxes = calloc(COUNT, sizeof(*boxes));
    struct drawn *drawn = calloc(MOST + 1, sizeof(*drawn));
    assert_non_null(boxes);
    assert_non_null(drawn);
    for (int round = 0; round < 4; round++) {
        uint32_t seed = 7;
        for (size_t i = 0; i < COUNT; i++) {
            seed = seed * 1664525u + 1013904223u;
            boxes[i] = (struct pm_box){.name = "x", .value = round == 2 ? UINT64_MAX : seed % 1000};
            boxes[i].parent = round == 0 ? seed % COUNT : round == 1 ? i - 1 : round == 2 ? i / 2 : 0;
        }
        boxes[0].value = round == 2 ? UINT64_MAX : 1000000;
        struct pm_strbuf flame PM_AUTO_STRBUF = {0}, map PM_AUTO_STRBUF = {0};
        struct pm_picture picture = {"a", MOST, false};
        assert_true(pm_svg_flame(&flame, &picture, boxes, COUNT) <= MOST);
        assert_inside(drawn, read_boxes(pm_strbuf_text(&flame), drawn, MOST + 1), true);
        assert_true(pm_svg_treemap(&map, &picture, boxes, COUNT) <= MOST);
        assert_inside(drawn, read_boxes(pm_strbuf_text(&map), drawn, MOST + 1), false);
        assert_true(flame.length < 200000 && map.length < 200000);
    }
    boxes[0].value = 0;
    struct pm_strbuf none PM_AUTO_STRBUF = {0};
    assert_int_equal(pm_svg_flame(&none, &(struct pm_picture){"a", MOST, false}, boxes, COUNT), 0);
    assert_int_equal(pm_svg_treemap(&none, &(struct pm_picture){"a", MOST, false}, boxes, 0), 0);
    free(boxes);
    free(drawn);
}

static void test_plot(void **state) {
    (void)state;
    struct pm_strbuf out PM_AUTO_STRBUF = {0};
    struct pm_plot_point same[] = {{1, 0, 0, false}, {1, 0, 0, true}}; /* no time, no bytes */
    pm_svg_gc_plot(&out, "a", same, 2, PM_UNKNOWN);
    assert_null(strstr(pm_strbuf_text(&out), "nan"));
    assert_null(strstr(pm_strbuf_text(&out), "inf"));
    struct pm_plot_point *many = calloc(100000, sizeof(*many));
    assert_non_null(many);
    for (size_t i = 0; i < 100000; i++)
        many[i] = (struct pm_plot_point){(double)i, UINT64_MAX - 2, i, i % 9 == 0};
    pm_strbuf_clear(&out);
    pm_svg_gc_plot(&out, "a", many, 100000, 5);
    assert_true(out.length < 200000);
    pm_strbuf_clear(&out);
    pm_svg_gc_plot(&out, "a", many, 0, 5);
    assert_int_equal(out.length, 0);
    free(many);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flame),   cmocka_unit_test(test_treemap), cmocka_unit_test(test_compare),
        cmocka_unit_test(test_hostile), cmocka_unit_test(test_plot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
