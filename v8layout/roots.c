#include "v8layout/roots.h"

#include "postmortem/base/vec.h"

#include <string.h>

#define HANDLE_BLOCK_SLOTS 1022 /* kHandleBlockSize, src/api/api.h */
#define NODE_BLOCK_NODES   256  /* GlobalHandles::NodeBlock, src/handles/global-handles.cc */
#define NODE_SIZE          32
#define ETERNAL_BLOCK      256
#define BEHIND_HEAP        0x4000 /* members of Isolate behind its Heap */
#define MAX_BLOCKS         1000000

const char *v8_root_kind_name(enum v8_root_kind kind) {
    static const char *const names[V8_ROOT_KINDS] = {
        [V8_ROOT_TABLE] = "(Strong root list)",
        [V8_ROOT_ISOLATE] = "(Isolate)",
        [V8_ROOT_HANDLE_SCOPE] = "(Handle scope)",
        [V8_ROOT_GLOBAL_HANDLE] = "(Global handles)",
        [V8_ROOT_ETERNAL_HANDLE] = "(Eternal handles)",
        [V8_ROOT_CACHE] = "(Startup object cache)",
        [V8_ROOT_STACK] = "(Stack roots)",
    };
    return kind < V8_ROOT_KINDS ? names[kind] : "(Unknown roots)";
}

struct collector {
    const struct v8 *v8;
    const struct pm_mem *mem;
    const struct v8_isolate *isolate;
    struct v8_root_list *list;
    bool failed;
};

static bool u64(const struct collector *c, pm_addr addr, uint64_t *ret) {
    return pm_mem_u64(c->mem, addr, ret);
}

static bool plausible(uint64_t value) {
    return value >= 0x10000 && value < (1ull << 48) && (value & 7) == 0;
}

static void add(struct collector *c, v8_word word, enum v8_root_kind kind, uint64_t index) {
    if (!v8_is_strong(word) || (word & 7) != 1) return;
    struct v8_root_list *list = c->list;
    if (list->count == list->capacity &&
        !pm_vec_grow((void **)&list->items, &list->capacity, list->count + 1, sizeof(*list->items))) {
        c->failed = true;
        return;
    }
    list->items[list->count++] = (struct v8_root){v8_untag(word), (uint32_t)kind, (uint32_t)index};
}

static void scan(struct collector *c, pm_addr start, pm_addr end, enum v8_root_kind kind) {
    uint64_t word;
    for (pm_addr at = start; at < end; at += 8)
        if (u64(c, at, &word)) add(c, word, kind, (at - start) / 8);
}

/* The roots table by index, so that it has names; the rest of Isolate and Heap around it. */
static void scan_isolate(struct collector *c) {
    const struct v8_layout *layout = &c->v8->layout;
    pm_addr isolate = c->isolate->address, end = c->isolate->heap + BEHIND_HEAP;
    pm_addr table = layout->roots_count ? isolate + layout->roots_table : end;
    pm_addr table_end = layout->roots_count ? table + 8 * (uint64_t)layout->roots_count : end;
    scan(c, table, table_end, V8_ROOT_TABLE);
    scan(c, isolate, table, V8_ROOT_ISOLATE);
    scan(c, table_end, end, V8_ROOT_ISOLATE);
}

/* HandleScopeImplementer: first word the Isolate, then a vector of blocks of 1022 handles. The last block is
 * used up to HandleScopeData.next, which lies in it. */
static bool scan_handle_blocks(struct collector *c, pm_addr implementer) {
    uint64_t isolate, blocks, first;
    if (!u64(c, implementer, &isolate) || isolate != c->isolate->address ||
        !u64(c, implementer + 8, &blocks) || !plausible(blocks) || !u64(c, blocks, &first) ||
        !plausible(first))
        return false;
    /* HandleScopeData {next, limit, level} inside the isolate: limit is the end of one of the blocks. */
    uint64_t next = 0, limit = 0;
    size_t count = 0;
    for (uint32_t offset = 0; offset < c->v8->layout.heap_in_isolate + BEHIND_HEAP && !count; offset += 8) {
        uint64_t level, block;
        if (!u64(c, c->isolate->address + offset, &next) ||
            !u64(c, c->isolate->address + offset + 8, &limit) || next > limit ||
            limit - next > 8 * HANDLE_BLOCK_SLOTS || !plausible(limit) ||
            !u64(c, c->isolate->address + offset + 16, &level) || (level & 0xffffffffu) > 10000)
            continue;
        for (size_t i = 0; i < 4096 && u64(c, blocks + 8 * i, &block) && plausible(block); i++)
            if (block + 8 * HANDLE_BLOCK_SLOTS == limit) {
                count = i + 1;
                break;
            }
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t block;
        if (!u64(c, blocks + 8 * i, &block)) break;
        pm_addr end = i + 1 == count ? next : block + 8 * HANDLE_BLOCK_SLOTS;
        scan(c, block, end, V8_ROOT_HANDLE_SCOPE);
    }
    return count > 0;
}

/* GlobalHandles: member p; p + 8 or + 16 a NodeSpace whose first word is p and second a block of 256 nodes of
 * 32 bytes {object, class id u16, index u8, flags u8, ...}; behind them next block. State in the low bits of
 * flags: 1 is strong. */
static bool scan_global_handles(struct collector *c, pm_addr handles) {
    for (uint32_t at = 8; at <= 16; at += 8) {
        uint64_t space, self, block, owner;
        if (!u64(c, handles + at, &space) || !plausible(space) || !u64(c, space, &self) || self != handles ||
            !u64(c, space + 8, &block) || !plausible(block) ||
            !u64(c, block + NODE_BLOCK_NODES * NODE_SIZE + 8, &owner) || owner != handles)
            continue;
        for (size_t guard = 0; guard < MAX_BLOCKS && plausible(block); guard++) {
            for (unsigned i = 0; i < NODE_BLOCK_NODES; i++) {
                uint64_t object, bits;
                if (!u64(c, block + NODE_SIZE * i, &object) || !u64(c, block + NODE_SIZE * i + 8, &bits))
                    break;
                if ((bits >> 24 & 3) == 1)
                    add(c, object, V8_ROOT_GLOBAL_HANDLE, guard * NODE_BLOCK_NODES + i);
            }
            if (!u64(c, block + NODE_BLOCK_NODES * NODE_SIZE, &block)) break;
        }
        return true;
    }
    return false;
}

/* EternalHandles: int size, vector of blocks of 256 words. Also the two object caches: vectors of tagged
 * words in the Isolate. */
static bool scan_eternal_handles(struct collector *c, pm_addr handles) {
    uint64_t size, begin, end, block;
    if (!u64(c, handles, &size) || !u64(c, handles + 8, &begin) || !u64(c, handles + 16, &end)) return false;
    size &= 0xffffffffu;
    if (size == 0 || size > 100000 || !plausible(begin) || end < begin ||
        (end - begin) / 8 != (size + ETERNAL_BLOCK - 1) / ETERNAL_BLOCK)
        return false;
    for (uint64_t i = 0; i < size; i++) {
        uint64_t word;
        if (!u64(c, begin + i / ETERNAL_BLOCK * 8, &block) || !plausible(block) ||
            !u64(c, block + i % ETERNAL_BLOCK * 8, &word))
            return i > 0;
        if (i == 0 && !v8_is_strong(word) && !v8_is_smi(word)) return false;
        add(c, word, V8_ROOT_ETERNAL_HANDLE, i);
    }
    return true;
}

static void scan_members(struct collector *c) {
    pm_addr start = c->isolate->address, end = c->isolate->heap + BEHIND_HEAP;
    bool handles = false, global = false, eternal = false;
    for (pm_addr at = start; at < end; at += 8) {
        uint64_t member, next, capacity, word;
        if (!u64(c, at, &member) || !plausible(member)) continue;
        if (!handles) handles = scan_handle_blocks(c, member);
        if (!global) global = scan_global_handles(c, member);
        if (!eternal && at > c->isolate->heap) eternal = scan_eternal_handles(c, member);
        /* std::vector<Object> {begin, end, capacity} of tagged words: the start-up and shareable object
         * caches. */
        if (u64(c, at + 8, &next) && u64(c, at + 16, &capacity) && next > member && next <= capacity &&
            capacity - member < 1 << 20 && (next - member) % 8 == 0 && u64(c, member, &word) &&
            v8_is_strong(word) && v8_page_of(c->v8, v8_untag(word)))
            scan(c, member, next, V8_ROOT_CACHE);
    }
}

static void scan_stacks(struct collector *c) {
    unsigned sp = c->v8->layout.machine == PM_MACHINE_X86_64 ? 7 : 31;
    for (size_t i = 0; i < pm_core_thread_count(c->v8->core); i++) {
        const struct pm_core_thread *thread = pm_core_thread(c->v8->core, i);
        pm_addr top = thread->regs.value[sp] & ~(uint64_t)7;
        const struct pm_mem_range *stack = pm_mem_find(c->mem, top);
        for (unsigned r = 0; r < PM_REG_COUNT; r++)
            if (thread->regs.valid >> r & 1) add(c, thread->regs.value[r], V8_ROOT_STACK, thread->tid);
        if (!stack || !stack->bytes) continue;
        for (pm_addr at = top; at + 8 <= stack->end; at += 8) {
            uint64_t word;
            memcpy(&word, stack->bytes + (at - stack->start), 8);
            add(c, word, V8_ROOT_STACK, thread->tid);
        }
    }
}

struct pm_error *v8_roots_collect(const struct v8 *v8, uint32_t isolate, struct v8_root_list *ret) {
    *ret = (struct v8_root_list){0};
    struct collector c = {.v8 = v8, .mem = v8->mem, .isolate = &v8->isolates[isolate], .list = ret};
    scan_isolate(&c);
    scan_members(&c);
    scan_stacks(&c);
    if (!c.failed) return NULL;
    v8_root_list_deinit(ret);
    return pm_error_nomem();
}

void v8_root_list_deinit(struct v8_root_list *list) {
    free(list->items);
    *list = (struct v8_root_list){0};
}
