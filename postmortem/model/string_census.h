/* string_census.h - the strings of a heap: the same text many times, huge ones, slices that keep their
 * parents, ropes.
 *
 * Texts are read once and only their hashes (64 bits, with the size) are kept: 16 bytes for each string. Two
 * different texts of one size that have one hash would count as copies; among 10 million that is once in
 * 400,000 heaps.
 *
 * FAILURE    no memory. */
#ifndef PM_MODEL_STRING_CENSUS_H
#define PM_MODEL_STRING_CENSUS_H

#include "postmortem/model/heap_answers.h"
#include "postmortem/model/heap_rows.h"

/* At most `most` rows for each list; texts and rows go to the arena. */
struct pm_error *pm_string_census_make(const struct pm_heap_tree *tree, size_t most, struct pm_arena *arena,
                                       struct pm_string_census *ret);

#endif
