/* bags.h - two bags of texts, V8's and ours, and how they differ. */
#ifndef PM_TESTS_OBJECTS_BAGS_H
#define PM_TESTS_OBJECTS_BAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bag {
    char **texts;
    size_t count, capacity;
};

void bag_add(struct bag *bag, const char *text); /* copies */
void bag_addf(struct bag *bag, const char *format, ...) __attribute__((format(printf, 2, 3)));
void bag_deinit(struct bag *bag);

/* Sorts both and calls `differs` for each text that they do not hold equally often. */
void bags_compare(struct bag *truth, struct bag *ours,
                  void (*differs)(void *context, const char *text, size_t truth, size_t ours), void *context);

/* What is missing in ours and what it has too much; the first few of each go to stderr. */
struct difference {
    size_t missing, extra;
};
struct difference bags_difference(const char *title, struct bag *truth, struct bag *ours, unsigned shown);

#endif
