#include "v8layout/oom.h"

#include <string.h>

#include "parsers/unwind.h"
#include "postmortem/base/checked.h"
#include "postmortem/base/strbuf.h"
#include "v8layout/objects.h"

#define HEAP_STATS_BEGIN UINT64_C(0xffffffffdecade00)
#define HEAP_STATS_END   UINT64_C(0xffffffffdecade01)
#define FAILURE_BEGIN    UINT64_C(0xdecade10)
#define FAILURE_END      UINT64_C(0xdecade11)
#define FAILURE_TEXT     512
#define RING_BUFFER      512

/* The blocks stand near the top of the stack: V8's out-of-memory path needs some KB, garbage collection above
 * it some 10. */
#define STACK_WINDOW (512u * 1024)
/* Literals are referred to by the frames right above abort() and by those around the block. */
#define LITERAL_WINDOW 4096u
/* Making the message of a TypeError runs the parser: frames of 10 KB. */
#define BELOW_STACK 16384u
#define MOST_HEAP   (UINT64_C(1) << 44)

/* HeapStats: words behind the start marker. */
enum {
    WORD_RO_SIZE = 1,
    WORD_NEW_SIZE = 3,
    WORD_OLD_SIZE = 5,
    WORD_CODE_SIZE = 7,
    WORD_MAP_SIZE = 9,
    WORD_LO_SIZE = 11,
    WORD_CODE_LO_SIZE = 12,
    WORD_ALLOCATOR_SIZE = 18,
    WORD_ALLOCATOR_CAPACITY = 19,
    WORD_COUNT = 22,
};

struct stack {
    const struct pm_mem *mem;
    struct pm_arena *arena;
    pm_addr start;
    const uint8_t *bytes;
    uint64_t length;
};

static uint64_t word(const struct stack *stack, uint64_t offset) {
    return pm_load_u64(stack->bytes + offset);
}

/* Where a word stands at or behind `from`; UINT64_MAX = nowhere. */
static uint64_t find_word(const struct stack *stack, uint64_t from, uint64_t wanted) {
    for (uint64_t i = from; i + 8 <= stack->length; i += 8)
        if (word(stack, i) == wanted) return i;
    return UINT64_MAX;
}

/* ---- the statistics ---- */

static bool plausible(const struct stack *stack, uint64_t block) {
    if (stack->length - block < (WORD_COUNT + 2) * 8) return false;
    for (unsigned i = 1; i < WORD_COUNT; i++)
        if (word(stack, block + 8 * i) >= MOST_HEAP) return false;
    /* Sizes are below capacities; the limit is not zero. The end marker follows within the texts. */
    if (word(stack, block + 8 * WORD_OLD_SIZE) > word(stack, block + 8 * (WORD_OLD_SIZE + 1))) return false;
    if (!word(stack, block + 8 * WORD_ALLOCATOR_CAPACITY)) return false;
    uint64_t end = find_word(stack, block + 8 * WORD_COUNT, HEAP_STATS_END);
    return end != UINT64_MAX && end - block < 64 * 1024;
}

static bool is_gc_text(const char *text, size_t length) {
    return memmem(text, length, " ms: ", 5) && memmem(text, length, " MB", 3);
}

/* The ring buffer begins in the middle of a line. Each line begins with "[pid:isolate]"; some lack the
 * newline before. */
static const char *gc_lines(const struct stack *stack, const char *text, size_t length) {
    struct pm_strbuf out PM_AUTO_STRBUF = {0};
    bool begun = false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '[' && i + 1 < length && text[i + 1] >= '0' && text[i + 1] <= '9') {
            if (begun && out.length && out.bytes[out.length - 1] != '\n') pm_strbuf_append_char(&out, '\n');
            begun = true;
        }
        if (begun) pm_strbuf_append_char(&out, text[i]);
    }
    return out.length && !out.failed ? pm_arena_copy(stack->arena, out.bytes, out.length) : NULL;
}

static size_t text_length(const char *text, uint64_t most) {
    return strnlen(text, most);
}

static uint64_t ring_most(uint64_t left) {
    return left < RING_BUFFER ? left : RING_BUFFER;
}

/* V8 13 and later: the text stands in the block. Before: a pointer to it stands among those behind the block.
 */
static const char *read_last_gcs(const struct stack *stack, uint64_t block) {
    uint64_t after = block + 8 * WORD_COUNT, most = stack->length - after;
    for (uint64_t i = after; i + 8 <= stack->length && i < after + 64 * 8; i += 8) {
        uint64_t pointer = word(stack, i);
        if (!pm_range_inside(pointer, 8, stack->start, stack->start + stack->length)) continue;
        uint64_t offset = pointer - stack->start;
        size_t length = text_length((const char *)stack->bytes + offset, ring_most(stack->length - offset));
        if (is_gc_text((const char *)stack->bytes + offset, length))
            return gc_lines(stack, (const char *)stack->bytes + offset, length);
    }
    const char *bytes = (const char *)stack->bytes + after;
    const char *inside = memmem(bytes, most < 1024 ? most : 1024, " ms: ", 5);
    if (!inside) return NULL;
    const char *begin = inside;
    while (begin > bytes && begin[-1] && inside - begin < RING_BUFFER) begin--;
    size_t length =
        text_length(begin, ring_most((uint64_t)((const char *)stack->bytes + stack->length - begin)));
    return is_gc_text(begin, length) ? gc_lines(stack, begin, length) : NULL;
}

static bool read_statistics(const struct stack *stack, struct v8_last_words *ret, uint64_t *block_ret) {
    static const unsigned sizes[] = {WORD_NEW_SIZE, WORD_OLD_SIZE, WORD_CODE_SIZE,
                                     WORD_MAP_SIZE, WORD_LO_SIZE,  WORD_CODE_LO_SIZE};
    for (uint64_t block = 0; (block = find_word(stack, block, HEAP_STATS_BEGIN)) != UINT64_MAX; block += 8) {
        if (!plausible(stack, block)) continue;
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
            ret->used += word(stack, block + 8 * sizes[i]);
        ret->committed = word(stack, block + 8 * WORD_ALLOCATOR_SIZE);
        ret->limit = word(stack, block + 8 * WORD_ALLOCATOR_CAPACITY);
        ret->last_gcs = read_last_gcs(stack, block);
        ret->has_statistics = true;
        *block_ret = block;
        return true;
    }
    return false;
}

/* ---- V8_Fatal ---- */

static bool read_failure(const struct stack *stack, struct v8_last_words *ret) {
    for (uint64_t block = 0; (block = find_word(stack, block, FAILURE_BEGIN)) != UINT64_MAX; block += 8) {
        if (stack->length - block < 16 + FAILURE_TEXT || word(stack, block + 8 + FAILURE_TEXT) != FAILURE_END)
            continue;
        const char *text = (const char *)stack->bytes + block + 8;
        size_t length = text_length(text, FAILURE_TEXT);
        if (!length) continue;
        ret->fatal = pm_arena_copy(stack->arena, text, length);
        return ret->fatal != NULL;
    }
    return false;
}

/* V8 14: FatalNoSecurityImpact() prints without making a block. What it printed still stands in the dead part
 * of the stack, where vfprintf() had its buffer; its end may be overwritten. */
static const char *printed(const struct stack *stack) {
    static const char begin[] = "Fatal JavaScript ";
    uint64_t length = 0;
    pm_addr from = stack->start > BELOW_STACK ? stack->start - BELOW_STACK : 0;
    const uint8_t *bytes = pm_mem_view_some(stack->mem, from, &length);
    if (length > BELOW_STACK + LITERAL_WINDOW) length = BELOW_STACK + LITERAL_WINDOW;
    const char *best = NULL;
    uint64_t best_length = 0;
    for (uint64_t i = 0; bytes && i < length;) {
        const char *found = memmem(bytes + i, length - i, begin, sizeof(begin) - 1);
        if (!found) break;
        uint64_t at = (uint64_t)((const uint8_t *)found - bytes), shown = 0;
        while (at + shown < length && shown < 200 && found[shown] >= ' ' && found[shown] < 0x7f) shown++;
        if (shown > best_length && !memchr(found, '%', shown)) best = found, best_length = shown;
        i = at + shown;
    }
    const char *note = best ? memmem(best, best_length, " (", 2) : NULL;
    if (note && !memchr(note, ')', best_length - (uint64_t)(note - best)))
        best_length = (uint64_t)(note - best);
    return best ? pm_arena_copy(stack->arena, best, best_length) : NULL;
}

/* ---- literals ---- */

/* A printable text of the binary that begins where the pointer says: the byte before it ends the text before
 * it. */
static char *literal(const struct stack *stack, pm_addr pointer) {
    const struct pm_mem_range *range = pm_mem_find(stack->mem, pointer);
    uint8_t before;
    if (!range || (range->protection & PM_MEM_WRITE) || !pm_mem_u8(stack->mem, pointer - 1, &before) ||
        before)
        return NULL;
    char *text = pm_mem_string(stack->mem, pointer, 200);
    size_t length = text ? strlen(text) : 0;
    bool printable = length >= 5;
    for (size_t i = 0; i < length; i++) printable &= text[i] >= ' ' && text[i] < 0x7f;
    if (printable) return text;
    free(text);
    return NULL;
}

/* The locations that V8 and Node give; others are taken only when they stand beside the detail. */
static bool is_location(const char *text) {
    static const char *const known[] = {
        "Reached heap limit",
        "CALL_AND_RETRY_LAST",
        "Ineffective mark-compacts near heap limit",
        "invalid array length",
        "invalid table size",
        "Scavenger: semi-space copy",
        "Scavenger: promoting marked",
        "Zone",
        "NewSpace::Rebalance",
        "MarkCompactCollector: semi-space copy, fallback in old gen",
        "MarkCompactCollector: young object promotion failed",
        "Committing semi space failed.",
        "Failed to reserve memory for new V8 context",
        "v8::ArrayBuffer::New",
        "Array buffer allocation failed",
        "Heap setup supports only single instance",
        "Heap::ReserveAndCommitSemiSpace",
        "Evacuator: fallback in old gen",
        "CodeRange setup: allocate virtual memory",
        "NewArray",
        "AlignedAlloc",
        "invalid weakmap size",
        "String::Copy",
        "Fatal JavaScript invalid size error",
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (!strcmp(text, known[i])) return true;
    return false;
}

static bool is_detail(const char *text) {
    return strstr(text, "Allocation failed") || strstr(text, "out of memory");
}

static void keep(const struct stack *stack, const char **ret, const char *text) {
    if (!*ret) *ret = pm_arena_strdup(stack->arena, text);
}

static void read_literals(const struct stack *stack, uint64_t from, uint64_t to, struct v8_last_words *ret) {
    for (uint64_t i = from & ~UINT64_C(7); i + 8 <= stack->length && i < to; i += 8) {
        uint64_t pointer = word(stack, i);
        if (pm_range_inside(pointer, 1, stack->start, stack->start + stack->length)) continue;
        char *text PM_AUTO_FREE = literal(stack, pointer);
        if (!text) continue;
        if (is_location(text))
            keep(stack, &ret->location, text);
        else if (is_detail(text))
            keep(stack, &ret->detail, text);
        else if (strstr(text, "::") && !strchr(text, ' '))
            keep(stack, &ret->api_location, text);
        else if (strchr(text, ' '))
            keep(stack, &ret->api_message, text);
    }
}

bool v8_last_words_read(const struct pm_core *core, const struct pm_core_thread *thread,
                        struct pm_arena *arena, struct v8_last_words *ret) {
    const struct pm_unwind_arch *arch = pm_unwind_arch(pm_core_info(core)->machine);
    struct stack stack = {.mem = pm_core_memory(core), .arena = arena};
    *ret = (struct v8_last_words){0};
    if (!(thread->regs.valid >> arch->sp & 1)) return false;
    stack.start = thread->regs.value[arch->sp] & ~(pm_addr)7;
    stack.length = STACK_WINDOW;
    stack.bytes = pm_mem_view_some(stack.mem, stack.start, &stack.length);
    if (!stack.bytes) return false;
    if (stack.length > STACK_WINDOW) stack.length = STACK_WINDOW;
    uint64_t block = 0;
    bool statistics = read_statistics(&stack, ret, &block), failure = read_failure(&stack, ret);
    read_literals(&stack, 0, LITERAL_WINDOW, ret);
    if (statistics) read_literals(&stack, block > LITERAL_WINDOW ? block - LITERAL_WINDOW : 0, block, ret);
    if (!failure) ret->fatal = printed(&stack);
    return statistics || failure || ret->fatal || ret->detail;
}
