/* tagged.h - tagged words of a 64-bit V8 without pointer compression (src/common/globals.h,
 * src/objects/tagged-impl.h): a Smi has its value in the upper half and zero below; a heap pointer has low
 * bits 01, a weak one 11. */
#ifndef PM_V8LAYOUT_TAGGED_H
#define PM_V8LAYOUT_TAGGED_H

#include "postmortem/base/error.h"

typedef uint64_t v8_word; /* a tagged word as it stands in memory */

#define V8_CLEARED_WEAK 3u /* low half of a cleared weak reference */

static inline bool v8_is_smi(v8_word word) {
    return (word & 0xffffffffu) == 0;
}
static inline int32_t v8_smi(v8_word word) {
    return (int32_t)(word >> 32);
}
static inline bool v8_is_strong(v8_word word) {
    return (word & 3) == 1;
}
static inline bool v8_is_weak(v8_word word) {
    return (word & 3) == 3 && (uint32_t)word != V8_CLEARED_WEAK;
}
static inline bool v8_is_pointer(v8_word word) {
    return (word & 1) == 1 && (uint32_t)word != V8_CLEARED_WEAK;
}
/* The object's address without tag bits: everywhere in this program objects are named by it. */
static inline pm_addr v8_untag(v8_word word) {
    return word & ~(uint64_t)3;
}
static inline v8_word v8_tag(pm_addr object) {
    return object | 1;
}

#endif
