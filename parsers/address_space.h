/* address_space.h - the memory of the dead process.
 *
 * A sorted list of ranges. Asking for bytes has three answers: BYTES, NOT_SAVED (mapped in the process, but
 * neither in the core nor known from a binary) and NOT_MAPPED. A segment of a core has a memory size and a
 * (smaller) file size:
 *
 *     start        start+saved          end
 *       |--- bytes ---|--- not saved ----|            no read may cross from one into the other silently
 *
 * Not-saved parts of read-only file mappings (program text) are filled from the binaries, once they are
 * verified (modules.h). Ranges point into the mapped files: nothing is copied.
 *
 * THREADS    after pm_mem_finish() all readers may be used from many threads at once: nothing they look at
 *            changes any more.
 * SIGBUS     a core that someone truncates while it is mapped kills us on the next read. The file's size
 *            when it was opened is the bound of every range; nothing else can be done about it.
 * OWNERSHIP  the bytes belong to whoever mapped them and must outlive the address space. */
#ifndef PM_PARSERS_ADDRESS_SPACE_H
#define PM_PARSERS_ADDRESS_SPACE_H

#include <stddef.h>
#include <string.h>

#include "postmortem/base/cleanup.h"
#include "postmortem/base/error.h"

struct pm_mem;

enum pm_mem_state { PM_MEM_NOT_MAPPED, PM_MEM_NOT_SAVED, PM_MEM_BYTES };
enum pm_mem_protection { PM_MEM_READ = 4, PM_MEM_WRITE = 2, PM_MEM_EXECUTE = 1 }; /* as in ELF p_flags */

struct pm_mem_range {
    pm_addr start, end;
    const uint8_t *bytes; /* NULL = not saved */
    uint32_t protection;
    bool from_file; /* bytes of a binary, not of the core */
};

struct pm_error *pm_mem_create(struct pm_mem **ret);
void pm_mem_destroy(struct pm_mem *mem);
/* One segment of the core: `saved` bytes at `bytes`, then up to end not saved. Overlaps: bytes win over not
 * saved, then the first one wins. */
struct pm_error *pm_mem_add(struct pm_mem *mem, pm_addr start, pm_addr end, const uint8_t *bytes,
                            uint64_t saved, uint32_t protection);
/* Fills only what is not saved inside [start, start + length); addresses that no segment covers become
 * mapped. */
struct pm_error *pm_mem_fill(struct pm_mem *mem, pm_addr start, const uint8_t *bytes, uint64_t length,
                             uint32_t protection);
/* [start, end) is zeros that the process never touched: a large hole of the core's file. Ascending by start,
 * or in any order where segments overlap: it only saves looking. */
struct pm_error *pm_mem_add_hole(struct pm_mem *mem, pm_addr start, pm_addr end);
/* Sorts; may be called again after more pm_mem_fill(). What was added is not seen before. */
struct pm_error *pm_mem_finish(struct pm_mem *mem);

size_t pm_mem_range_count(const struct pm_mem *mem);
const struct pm_mem_range *pm_mem_range_at(const struct pm_mem *mem, size_t index); /* ascending */
static inline const struct pm_mem_range *pm_mem_find(const struct pm_mem *mem,
                                                     pm_addr addr); /* NULL = not mapped */

/* Where the hole that holds addr ends; addr itself where there is none. Reading a hole is right, but costs a
 * page of the system's memory for each. */
pm_addr pm_mem_after_hole(const struct pm_mem *mem, pm_addr addr);

/* Silent: for scanning. The state of the first address that has no bytes. */
enum pm_mem_state pm_mem_probe(const struct pm_mem *mem, pm_addr addr, uint64_t length);
/* NULL unless all of it is BYTES and contiguous in our memory */
static inline const uint8_t *pm_mem_view(const struct pm_mem *mem, pm_addr addr, uint64_t length);
/* What there is from addr on; NULL = nothing. */
const uint8_t *pm_mem_view_some(const struct pm_mem *mem, pm_addr addr, uint64_t *length_ret);
bool pm_mem_copy(const struct pm_mem *mem, pm_addr addr, void *ret,
                 uint64_t length); /* may cross adjacent ranges */
static inline bool pm_mem_u64(const struct pm_mem *mem, pm_addr addr, uint64_t *ret);
static inline bool pm_mem_u32(const struct pm_mem *mem, pm_addr addr, uint32_t *ret);
static inline bool pm_mem_u16(const struct pm_mem *mem, pm_addr addr, uint16_t *ret);
static inline bool pm_mem_u8(const struct pm_mem *mem, pm_addr addr, uint8_t *ret);
/* A NUL-terminated text of at most `most` bytes as malloc memory; NULL when the NUL is missing or not all of
 * it is there. */
char *pm_mem_string(const struct pm_mem *mem, pm_addr addr, size_t most);

/* Loud: the error names the first address that has no bytes, and which of the two reasons it is. */
struct pm_error *pm_mem_read(const struct pm_mem *mem, pm_addr addr, uint64_t length, void *ret);

/* ---- only for the inline readers below: these are the hot calls of every heap walk ---- */

struct pm_mem_head { /* the first member of struct pm_mem */
    const struct pm_mem_range
        *ranges; /* ascending; behind the last one an empty range that holds no address */
    size_t count;
    const uint32_t *slots; /* hash table: 256 KB of addresses -> index of a range with bytes in them */
    unsigned slot_shift;
};

const struct pm_mem_range *pm_mem_find_slow(const struct pm_mem *mem, pm_addr addr);
const uint8_t *pm_mem_view_slow(const struct pm_mem *mem, pm_addr addr, uint64_t length);

#define PM_MEM_GRAIN_BITS 18 /* V8's pages are 256 KB: nearly always one range for each */

/* The range that most likely holds addr; the caller checks it. */
static inline const struct pm_mem_range *pm_mem_guess(const struct pm_mem *mem, pm_addr addr) {
    const struct pm_mem_head *head = (const struct pm_mem_head *)(const void *)mem;
    return &head->ranges[head->slots[(addr >> PM_MEM_GRAIN_BITS) * 0x9e3779b97f4a7c15ull >>
                                     head->slot_shift]];
}
static inline const struct pm_mem_range *pm_mem_find(const struct pm_mem *mem, pm_addr addr) {
    const struct pm_mem_range *range = pm_mem_guess(mem, addr);
    return addr >= range->start && addr < range->end ? range : pm_mem_find_slow(mem, addr);
}
static inline const uint8_t *pm_mem_view(const struct pm_mem *mem, pm_addr addr, uint64_t length) {
    const struct pm_mem_range *range = pm_mem_guess(mem, addr); /* the table has only ranges with bytes */
    if (addr >= range->start && addr < range->end && length <= range->end - addr)
        return range->bytes + (addr - range->start);
    return pm_mem_view_slow(mem, addr, length);
}
#define PM_MEM_READER(name, type)                                                                            \
    static inline bool pm_mem_##name(const struct pm_mem *mem, pm_addr addr, type *ret) {                    \
        const uint8_t *bytes = pm_mem_view(mem, addr, sizeof(type));                                         \
        if (!bytes) return pm_mem_copy(mem, addr, ret, sizeof(type));                                        \
        memcpy(ret, bytes, sizeof(type));                                                                    \
        return true;                                                                                         \
    }
PM_MEM_READER(u64, uint64_t)
PM_MEM_READER(u32, uint32_t)
PM_MEM_READER(u16, uint16_t)
PM_MEM_READER(u8, uint8_t)
#undef PM_MEM_READER

PM_DEFINE_AUTO(mem, struct pm_mem, pm_mem_destroy)

#endif
