/* big_array.h - arrays with one entry per object of a heap: 10^7 entries and more, read in random order.
 *
 * Such an array lives in huge pages where the kernel allows it (a random load costs a fifth less then), is
 * zeroed without being touched, so that what is never used costs no memory, and goes back to the system as
 * soon as it is freed. (For that the first one sets glibc's M_MMAP_THRESHOLD, for the whole program.)
 *
 * OWNERSHIP  the memory is malloc's: free() and PM_AUTO_FREE end it, a column may be handed on to somebody
 *            who knows nothing of this header, and AddressSanitizer watches its ends.
 * FAILURE    NULL without memory, or when count * item_size is no size. */
#ifndef PM_BASE_BIG_ARRAY_H
#define PM_BASE_BIG_ARRAY_H

#include <stddef.h>

/* count items of zeroes; count 0 gives a pointer too. */
void *pm_big_array(size_t count, size_t item_size);
/* Gives the memory behind the first `count` items back; returns the array, which may have moved. Cannot
 * fail. */
void *pm_big_array_shrink(void *array, size_t count, size_t item_size);

#define PM_BIG_ARRAY(type, count) ((type *)pm_big_array((count), sizeof(type)))

#endif
