/* checked.h - arithmetic on sizes and addresses that come from the input. Every function says true on
 * success. */
#ifndef PM_BASE_CHECKED_H
#define PM_BASE_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool pm_add_u64(uint64_t a, uint64_t b, uint64_t *ret) {
    return !__builtin_add_overflow(a, b, ret);
}
static inline bool pm_mul_u64(uint64_t a, uint64_t b, uint64_t *ret) {
    return !__builtin_mul_overflow(a, b, ret);
}
static inline bool pm_mul_size(size_t a, size_t b, size_t *ret) {
    return !__builtin_mul_overflow(a, b, ret);
}
/* Is [start, start + length) inside [low, high)? An empty range at high is inside. */
static inline bool pm_range_inside(uint64_t start, uint64_t length, uint64_t low, uint64_t high) {
    return start >= low && start <= high && length <= high - start;
}
static inline uint64_t pm_align_up(uint64_t value, uint64_t alignment) {
    return (value + alignment - 1) & ~(alignment - 1);
}
static inline uint16_t pm_load_u16(const void *bytes) {
    uint16_t value;
    __builtin_memcpy(&value, bytes, sizeof(value));
    return value;
}
static inline uint32_t pm_load_u32(const void *bytes) {
    uint32_t value;
    __builtin_memcpy(&value, bytes, sizeof(value));
    return value;
}
static inline uint64_t pm_load_u64(const void *bytes) {
    uint64_t value;
    __builtin_memcpy(&value, bytes, sizeof(value));
    return value;
}

#endif
