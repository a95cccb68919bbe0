/* sort.h - qsort() that takes an empty array as what it is: NULL with count 0 is undefined for qsort(). */
#ifndef PM_BASE_SORT_H
#define PM_BASE_SORT_H

#include <stdlib.h>

static inline void pm_sort(void *items, size_t count, size_t size,
                           int (*compare)(const void *, const void *)) {
    if (count > 1) qsort(items, count, size, compare);
}

#endif
