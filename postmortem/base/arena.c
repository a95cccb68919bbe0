#include "postmortem/base/arena.h"

#include "postmortem/base/checked.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BLOCK_SIZE ((size_t)64 * 1024)

struct block {
    struct block *next;
    size_t used, size;
    _Alignas(16) unsigned char bytes[];
};

struct pm_arena {
    struct block *blocks;
};

struct pm_arena *pm_arena_create(void) {
    return calloc(1, sizeof(struct pm_arena));
}

void pm_arena_destroy(struct pm_arena *arena) {
    if (!arena) return;
    for (struct block *block = arena->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    free(arena);
}

void *pm_arena_alloc(struct pm_arena *arena, size_t size) {
    if (size > SIZE_MAX / 2) return NULL;
    size = (size + 15) & ~(size_t)15;
    struct block *block = arena->blocks;
    if (!block || block->size - block->used < size) {
        size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
        struct block *fresh = calloc(1, sizeof(*fresh) + room);
        if (!fresh) return NULL;
        fresh->size = room;
        if (block && size > BLOCK_SIZE / 2) { /* keep filling the block in use */
            fresh->next = block->next;
            block->next = fresh;
        } else {
            fresh->next = block;
            arena->blocks = fresh;
        }
        block = fresh;
    }
    void *memory = block->bytes + block->used;
    block->used += size;
    return memory;
}

void *pm_arena_array(struct pm_arena *arena, size_t count, size_t item_size) {
    size_t bytes;
    return pm_mul_size(count, item_size, &bytes) ? pm_arena_alloc(arena, bytes) : NULL;
}

void *pm_arena_dup(struct pm_arena *arena, const void *items, size_t count, size_t item_size) {
    void *copy = pm_arena_array(arena, count, item_size);
    if (copy && count) memcpy(copy, items, count * item_size);
    return copy;
}

char *pm_arena_copy(struct pm_arena *arena, const char *text, size_t length) {
    char *copy = length < SIZE_MAX ? pm_arena_alloc(arena, length + 1) : NULL;
    if (copy && length) memcpy(copy, text, length);
    return copy;
}

char *pm_arena_strdup(struct pm_arena *arena, const char *text) {
    return text ? pm_arena_copy(arena, text, strlen(text)) : NULL;
}

char *pm_arena_printf(struct pm_arena *arena, const char *format, ...) {
    va_list args;
    char *text = NULL;
    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    if (length < 0) return NULL;
    char *copy = pm_arena_copy(arena, text, (size_t)length);
    free(text);
    return copy;
}
