/* leb128.h - DWARF's numbers of variable length, read from a cursor. Bits that do not fit into 64 are
 * dropped. */
#ifndef PM_PARSERS_LEB128_H
#define PM_PARSERS_LEB128_H

#include "parsers/cursor.h"

static inline uint64_t pm_cursor_uleb(struct pm_cursor *c) {
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint8_t byte = pm_cursor_u8(c);
        if (shift < 64) value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) return value; /* also what a failed read gives */
    }
}

static inline int64_t pm_cursor_sleb(struct pm_cursor *c) {
    uint64_t value = 0;
    for (unsigned shift = 0;;) {
        uint8_t byte = pm_cursor_u8(c);
        if (shift < 64) value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
        if (byte & 0x80) continue;
        if (shift < 64 && (byte & 0x40)) value |= ~0ull << shift;
        return (int64_t)value;
    }
}

#endif
