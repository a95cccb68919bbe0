/* vec.h - growable arrays. `PM_VEC(struct thing) v = {0};` then pm_vec_push(&v, x), v.items[i], v.count,
 * pm_vec_deinit(&v).
 *
 * pm_vec_push() is an expression: false without memory (nothing is changed then). Items move when the array
 * grows. */
#ifndef PM_BASE_VEC_H
#define PM_BASE_VEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#define PM_VEC(type)                                                                                         \
    struct {                                                                                                 \
        type *items;                                                                                         \
        size_t count;                                                                                        \
        size_t capacity;                                                                                     \
    }

bool pm_vec_grow(void **items, size_t *capacity, size_t wanted, size_t item_size);

#define pm_vec_reserve(vec, wanted)                                                                          \
    ((vec)->capacity >= (wanted) ||                                                                          \
     pm_vec_grow((void **)&(vec)->items, &(vec)->capacity, (wanted), sizeof(*(vec)->items)))
#define pm_vec_push(vec, item)                                                                               \
    (pm_vec_reserve((vec), (vec)->count + 1) ? ((vec)->items[(vec)->count++] = (item), true) : false)
#define pm_vec_deinit(vec) (free((vec)->items), (vec)->items = NULL, (vec)->count = (vec)->capacity = 0)

#endif
