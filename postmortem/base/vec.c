#include "postmortem/base/vec.h"

#include "postmortem/base/checked.h"

bool pm_vec_grow(void **items, size_t *capacity, size_t wanted, size_t item_size) {
    size_t next = *capacity < 8 ? 8 : *capacity + *capacity / 2;
    if (next < wanted) next = wanted;
    size_t bytes;
    if (!pm_mul_size(next, item_size, &bytes)) return false;
    void *grown = realloc(*items, bytes);
    if (!grown) return false;
    *items = grown;
    *capacity = next;
    return true;
}
