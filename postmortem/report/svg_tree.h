/* svg_tree.h - inside the pictures of trees: which boxes are drawn, and how one is written. */
#ifndef PM_REPORT_SVG_TREE_H
#define PM_REPORT_SVG_TREE_H

#include "postmortem/base/cleanup.h"
#include "postmortem/report/svg.h"

struct pm_svg_tree {
    const struct pm_box *boxes;
    size_t count;       /* of boxes */
    size_t *drawn;      /* indices of the boxes that are drawn, in their order: ancestors first */
    size_t drawn_count; /* at most picture->most */
    bool *is_drawn;     /* by box */
    uint32_t *depth;    /* by box; only of drawn ones */
    uint64_t *value;    /* by box: never more than what its parent has left */
};

/* Takes the largest boxes; a box is drawn only with its parent. Children of hostile trees may have more than
 * their parent: their values are cut to fit. NULL without memory or boxes. */
struct pm_svg_tree *pm_svg_tree_create(const struct pm_picture *picture, const struct pm_box *boxes,
                                       size_t count);
void pm_svg_tree_destroy(struct pm_svg_tree *tree);

struct pm_svg_place {
    double x, width;  /* percent */
    double y, height; /* pixels */
    bool hidden, parent;
};
void pm_svg_box(struct pm_strbuf *out, const struct pm_picture *picture, const struct pm_svg_tree *tree,
                size_t index, const struct pm_svg_place *place);

PM_DEFINE_AUTO(svg_tree, struct pm_svg_tree, pm_svg_tree_destroy)

#endif
