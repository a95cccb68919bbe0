#include "v8layout/roots.h"

#include "postmortem/base/vec.h"

#include <string.h>

#define HANDLE_BLOCK_SLOTS      1022 /* kHandleBlockSize, src/api/api.h */
#define NODE_BLOCK_NODES        256  /* GlobalHandles::NodeBlock, src/handles/global-handles.cc */
#define NODE_SIZE               32
#define ETERNAL_BLOCK           256
#define BEHIND_HEAP             0x4000 /* members of Isolate behind its Heap */
#define MAX_BLOCKS              1000000
#define MAX_VECTOR              (8 << 20) /* bytes; the largest cache has 9,000 entries */
#define COMPILATION_CACHE_WORDS 32

const char *v8_root_kind_name(enum v8_root_kind kind) {
    static const char *const names[V8_ROOT_KINDS] = {
        [V8_ROOT_TABLE] = "(Strong root list)",
        [V8_ROOT_ISOLATE] = "(Isolate)",
        [V8_ROOT_HANDLE_SCOPE] = "(Handle scope)",
        [V8_ROOT_GLOBAL_HANDLE] = "(Global handles)",
        [V8_ROOT_ETERNAL_HANDLE] = "(Eternal handles)",
        [V8_ROOT_CACHE] = "(Startup object cache)",
        [V8_ROOT_COMPILATION_CACHE] = "(Compilation cache)",
        [V8_ROOT_MICROTASK] = "(Microtasks)",
        [V8_ROOT_STACK] = "(Stack roots)",
    };
    return kind < V8_ROOT_KINDS ? names[kind] : "(Unknown roots)";
}

bool v8_root_is_transient(enum v8_root_kind kind) {
    return kind == V8_ROOT_STACK || kind == V8_ROOT_HANDLE_SCOPE || kind == V8_ROOT_ISOLATE;
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

/* Heap has the heads of V8's weak lists among its members: all native contexts, allocation sites, registries
 * whose cells died (Heap::native_contexts_list_ ...). What only such a list leads to is garbage. */
static void scan_heap_members(struct collector *c, pm_addr start, pm_addr end) {
    uint64_t word;
    for (pm_addr at = start; at < end; at += 8) {
        if (!u64(c, at, &word) || !v8_is_strong(word) || (word & 7) != 1) continue;
        enum v8_type type = v8_type_at(c->v8, v8_untag(word));
        if (type == V8_T_NATIVE_CONTEXT || type == V8_T_ALLOCATION_SITE ||
            type == V8_T_JS_FINALIZATION_REGISTRY)
            continue;
        add(c, word, V8_ROOT_ISOLATE, (at - c->isolate->address) / 8);
    }
}

/* The roots table by index, so that it has names; the rest of Isolate and Heap around it. */
static void scan_isolate(struct collector *c) {
    const struct v8_layout *layout = &c->v8->layout;
    pm_addr isolate = c->isolate->address, heap = c->isolate->heap, end = heap + BEHIND_HEAP;
    pm_addr table = layout->roots_count ? isolate + layout->roots_table : end;
    pm_addr table_end = layout->roots_count ? table + 8 * (uint64_t)layout->roots_count : end;
    scan(c, table, table_end, V8_ROOT_TABLE);
    scan(c, isolate, table, V8_ROOT_ISOLATE);
    scan(c, table_end, heap, V8_ROOT_ISOLATE);
    scan_heap_members(c, heap > table_end ? heap : table_end, end);
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

/* EternalHandles: int size, vector of blocks of 256 words. */
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

static bool is_external_string(const struct v8 *v8, pm_addr object) {
    const struct v8_map *map = v8_map(v8, object);
    return map && map->type == V8_T_STRING &&
           (map->instance_type & V8_STRING_SHAPE_MASK) == V8_STRING_EXTERNAL;
}

/* A vector of references in the Isolate, {begin, end, capacity}: the start-up and shareable object caches.
 * Not the tables of external strings, which are weak, nor the allocation areas {start, top, limit} on pages
 * of the heap, nor neighbouring pointers to hash tables of V8's own. */
static void scan_vector(struct collector *c, pm_addr member) {
    uint64_t begin, end, capacity, word, external = 0;
    if (!u64(c, member, &begin) || !u64(c, member + 8, &end) || !u64(c, member + 16, &capacity) ||
        end <= begin || end > capacity || capacity - begin > MAX_VECTOR || (end - begin) % 8 != 0 ||
        v8_page_of(c->v8, begin))
        return;
    for (pm_addr at = begin; at < end; at += 8) {
        if (!u64(c, at, &word) || !v8_is_strong(word) || !v8_page_of(c->v8, v8_untag(word))) return;
        external += is_external_string(c->v8, v8_untag(word));
    }
    if (external <= (end - begin) / 8 / 2) scan(c, begin, end, V8_ROOT_CACHE);
}

/* CompilationCache: first word the Isolate; then, one for each kind of source, an object of its own that has
 * a hash table (src/codegen/compilation-cache.h). */
static void scan_compilation_cache(struct collector *c, pm_addr cache) {
    uint64_t word;
    if (!u64(c, cache, &word) || word != c->isolate->address) return;
    for (uint32_t i = 1; i < COMPILATION_CACHE_WORDS; i++)
        if (u64(c, cache + 8 * i, &word) && v8_is_strong(word) && (word & 7) == 1 &&
            v8_type_at(c->v8, v8_untag(word)) == V8_T_HASH_TABLE)
            add(c, word, V8_ROOT_COMPILATION_CACHE, i);
}

/* MicrotaskQueue: {size, capacity, start, ring buffer, next, previous}, behind a vtable and a counter; a
 * power of two of tasks, of which `size` from `start` on wait. All queues of an isolate are a ring
 * (src/execution/microtask-queue.h). Returns the next queue; 0 = this is none. */
static pm_addr scan_microtasks(struct collector *c, pm_addr queue, uint32_t offset) {
    uint64_t size, capacity, start, ring, next, previous, back, word;
    pm_addr at = queue + offset;
    if (!u64(c, at, &size) || !u64(c, at + 8, &capacity) || !u64(c, at + 16, &start) ||
        !u64(c, at + 24, &ring) || !u64(c, at + 32, &next) || !u64(c, at + 40, &previous) ||
        !plausible(next) || !plausible(previous) || !u64(c, next + offset + 40, &back) || back != queue ||
        size > capacity || (start && start >= capacity) || capacity > 1ull << 32 ||
        (capacity & (capacity - 1)) || (capacity ? !plausible(ring) : ring != 0))
        return 0;
    for (uint64_t i = 0; i < size; i++)
        if (!u64(c, ring + 8 * ((start + i) & (capacity - 1)), &word))
            i += 511; /* not in the core; on to the next page */
        else
            add(c, word, V8_ROOT_MICROTASK, i);
    return next;
}

static bool scan_microtask_queues(struct collector *c, pm_addr first) {
    for (uint32_t offset = 8; offset <= 24; offset += 8) {
        pm_addr queue = scan_microtasks(c, first, offset);
        if (!queue) continue;
        for (size_t guard = 0; queue && queue != first && guard < MAX_BLOCKS; guard++)
            queue = scan_microtasks(c, queue, offset);
        return true;
    }
    return false;
}

static void scan_members(struct collector *c) {
    pm_addr start = c->isolate->address, heap = c->isolate->heap, end = heap + BEHIND_HEAP;
    bool handles = false, global = false, eternal = false, microtasks = false;
    for (pm_addr at = start; at < end; at += 8) {
        uint64_t member;
        if (!u64(c, at, &member) || !plausible(member)) continue;
        if (!handles) handles = scan_handle_blocks(c, member);
        if (!global) global = scan_global_handles(c, member);
        if (!microtasks) microtasks = scan_microtask_queues(c, member);
        if (!eternal && at > heap) eternal = scan_eternal_handles(c, member);
        scan_compilation_cache(c, member);
        scan_vector(c, at);
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
