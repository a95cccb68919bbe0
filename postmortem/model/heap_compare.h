/* heap_compare.h - what grew from one heap to the next.
 *
 *   for each heap, one after the other: pm_heap_sheet_make(), the third time pm_heap_survivors(), close the
 * heap pm_heap_compare()           joins the sheets
 *
 * A sheet is what is kept of a heap: a row for each class and, of a snapshot, 8 bytes for each object. Growth
 * is measured by `kept`: each object's own size counts once, with the class of the object that keeps it (its
 * nearest dominator that is no table or elements array of another one), so that the sum of all growth is that
 * of the heap; retained sizes would count everything many times.
 *
 * Objects of two snapshots are the same if they have one id, which holds as long as the snapshots are of one
 * process: V8 never uses an id again. Whether they are shows in the classes of objects with common ids.
 * Objects of cores have addresses, which the collector changes.
 *
 * OWNERSHIP  sheets are the caller's: pm_heap_sheet_deinit(). Names and rows go to the arena.
 * FAILURE    no memory. */
#ifndef PM_MODEL_HEAP_COMPARE_H
#define PM_MODEL_HEAP_COMPARE_H

#include "postmortem/model/heap_answers.h"
#include "postmortem/model/heap_rows.h"

struct pm_heap_sheet {
    struct pm_sheet_row {
        const char *name;
        struct pm_compare_cell cell;
    } * rows; /* ascending by name */
    size_t row_count;
    uint64_t objects, bytes;
    bool by_id;
    uint64_t *ids; /* id << 32 | hash of the class; ascending; of snapshots */
    size_t id_count;
};

struct pm_error *pm_heap_sheet_make(const struct pm_heap_tree *tree, struct pm_arena *arena,
                                    struct pm_heap_sheet *ret);
void pm_heap_sheet_deinit(struct pm_heap_sheet *sheet);

/* Fills the survivors of ret: objects of the third heap (tree and third) that are in the second, but not in
 * the first; or why they cannot be told. */
struct pm_error *pm_heap_survivors(const struct pm_heap_tree *tree, const struct pm_heap_sheet *first,
                                   const struct pm_heap_sheet *second, const struct pm_heap_sheet *third,
                                   size_t most, struct pm_arena *arena, struct pm_heap_comparison *ret);
/* Fills rows and numbers of ret from two or three sheets; ret->inputs[].path is the caller's. */
struct pm_error *pm_heap_compare(const struct pm_heap_sheet *sheets, size_t count, size_t most,
                                 struct pm_arena *arena, struct pm_heap_comparison *ret);

#endif
