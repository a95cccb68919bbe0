/* position_table.h - the numbers in a source position table (src/codegen/source-position-table.cc).
 *
 * A ByteArray of pairs: first the code offset since the last entry, then the source position since the last
 * entry, both as integers of variable length, 7 bits each byte, low ones first, bit 7 = more follows. The
 * position's difference is a zigzag (n: 2n, -n: 2n - 1). The code offset's was a zigzag whose sign told
 * statements (n) from expressions (-n - 1) up to V8 13.6; from 14.1 on it is unsigned, delta << 2 | breakable
 * << 1 | statement. A table begins at code offset -1, position 0. Internal. */
#ifndef PM_V8LAYOUT_POSITION_TABLE_H
#define PM_V8LAYOUT_POSITION_TABLE_H

#include <stdbool.h>
#include <stdint.h>

struct v8_position_entry {
    int64_t code_offset, raw;
    uint32_t at; /* of the next pair */
};
#define V8_POSITION_TABLE_START ((struct v8_position_entry){.code_offset = -1})

static inline bool v8_position_number(const uint8_t *bytes, uint32_t length, uint32_t *at, uint64_t *ret) {
    uint64_t value = 0;
    for (unsigned shift = 0; *at < length && shift < 64; shift += 7) {
        uint8_t byte = bytes[(*at)++];
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *ret = value;
            return true;
        }
    }
    return false;
}

static inline int64_t v8_position_zigzag(uint64_t value) {
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

/* Moves on to the next entry; false = the end, or not a table. */
static inline bool v8_position_next(const uint8_t *bytes, uint32_t length, bool is_unsigned,
                                    struct v8_position_entry *entry) {
    uint64_t first, second;
    if (!v8_position_number(bytes, length, &entry->at, &first) ||
        !v8_position_number(bytes, length, &entry->at, &second))
        return false;
    int64_t delta = is_unsigned ? (int64_t)(first >> 2) : v8_position_zigzag(first);
    if (delta < 0) delta = -(delta + 1);
    return !__builtin_add_overflow(entry->code_offset, delta, &entry->code_offset) &&
           !__builtin_add_overflow(entry->raw, v8_position_zigzag(second), &entry->raw);
}

#endif
