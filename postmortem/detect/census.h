/* census.h - what hangs below a node of the dominator tree, counted by kind and class. */
#ifndef PM_DETECT_CENSUS_H
#define PM_DETECT_CENSUS_H

#include "postmortem/detect/heap_view.h"

#define PM_KIND_COUNT (PM_NODE_NATIVE + 1)

struct pm_census {
    uint64_t objects, bytes, external; /* bytes without external */
    uint64_t by_kind[PM_KIND_COUNT], bytes_by_kind[PM_KIND_COUNT];
    uint64_t *class_count, *class_bytes; /* by class */
    pm_node *class_one;                  /* by class: one of them, where class_count is not 0 */
    pm_node a_generator, a_closure;      /* one of them; PM_NO_NODE */
    bool complete;                       /* false = it stopped at a limit: shares are those of a sample */
};

/* Below `top`, itself included. FAILURE no memory. */
struct pm_error *pm_census_take(const struct pm_heap_view *view, const pm_node *tops, size_t count,
                                struct pm_census *ret);
void pm_census_deinit(struct pm_census *census);

/* The class a person would name: of the program's own, else of a package's or Node's, else of the built-in
 * ones; NULL = only plain values. `members` is how many there are at the top: as many count, however small.
 */
const char *pm_census_main_class(const struct pm_heap_view *view, struct pm_arena *arena,
                                 const struct pm_census *census, uint64_t members, uint64_t *count_ret);
/* Object, Map, (string), system / ...: says nothing about the program. */
bool pm_is_plain_class(const char *name);

#endif
