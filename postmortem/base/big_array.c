#include "postmortem/base/big_array.h"

#include "postmortem/base/checked.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE_PAGE (2 << 20)

/* Left alone, glibc learns from every large array that is freed to keep the next ones of up to 32 MiB in its
 * heap, which then cannot shrink below them. */
static void keep_large_arrays_apart(void) {
#ifdef M_MMAP_THRESHOLD
    static atomic_flag done = ATOMIC_FLAG_INIT;
    if (!atomic_flag_test_and_set(&done)) mallopt(M_MMAP_THRESHOLD, HUGE_PAGE);
#endif
}

/* An array of this size has a mapping of its own: calloc need not clear it, and free() unmaps it. The advice
 * goes to whole pages inside the array, so that no neighbour is meant; that the kernel may refuse it does not
 * matter. */
void *pm_big_array(size_t count, size_t item_size) {
    size_t bytes;
    if (!pm_mul_size(count, item_size, &bytes)) return NULL;
    if (bytes >= HUGE_PAGE) keep_large_arrays_apart();
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
