/* vlq.h - V8's variable-length numbers (src/base/vlq.h): seven bits a byte, lowest first, bit 7 = one more
 * byte follows. A signed one has its sign in bit 0. Readers stop at the end of the bytes: false, and the
 * position stays. */
#ifndef PM_V8LAYOUT_VLQ_H
#define PM_V8LAYOUT_VLQ_H

#include <stdbool.h>
#include <stdint.h>

static inline bool v8_vlq_unsigned(const uint8_t *bytes, uint32_t length, uint32_t *position, uint32_t *ret) {
    uint32_t value = 0, at = *position;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        if (at >= length) return false;
        uint8_t byte = bytes[at++];
        value |= (uint32_t)((uint64_t)(byte & 0x7f) << shift);
        if (byte & 0x80) continue;
        *position = at;
        *ret = value;
        return true;
    }
    return false;
}

static inline bool v8_vlq_signed(const uint8_t *bytes, uint32_t length, uint32_t *position, int32_t *ret) {
    uint32_t value;
    if (!v8_vlq_unsigned(bytes, length, position, &value)) return false;
    int32_t magnitude = (int32_t)(value >> 1);
    *ret = value & 1 ? -magnitude : magnitude;
    return true;
}

#endif
