#include "postmortem/base/big_array.h"

#include "postmortem/base/checked.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE_PAGE ((size_t)2 << 20)

/* malloc gives every array of this size a mapping of its own (glibc from 128 KiB to 32 MiB on, as it learns;
 * musl from 128 KiB on): calloc need not clear it, and free() unmaps it. The advice goes to whole pages
 * inside the array, so that no neighbour is meant; that the kernel may refuse it does not matter. */
void *pm_big_array(size_t count, size_t item_size) {
    size_t bytes;
    if (!pm_mul_size(count, item_size, &bytes)) return NULL;
    void *array = calloc(1, bytes ? bytes : 1);
    if (!array || bytes < HUGE_PAGE) return array;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t start = ((uintptr_t)array + page - 1) & ~(page - 1);
    uintptr_t end = ((uintptr_t)array + bytes) & ~(page - 1);
    (void)madvise((void *)start, end - start, MADV_HUGEPAGE);
    return array;
}

void *pm_big_array_shrink(void *array, size_t count, size_t item_size) {
    size_t bytes = count * item_size;
    void *shrunk = realloc(array, bytes ? bytes : 1);
    return shrunk ? shrunk : array;
}
