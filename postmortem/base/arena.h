/* arena.h - memory that is freed all at once: the texts and tables of one diagnosis.
 *
 * OWNERSHIP  everything handed out lives until pm_arena_destroy(). Memory is zeroed. Not thread-safe.
 * FAILURE    NULL without memory. */
#ifndef PM_BASE_ARENA_H
#define PM_BASE_ARENA_H

#include <stddef.h>

#include "postmortem/base/cleanup.h"

struct pm_arena;

struct pm_arena *pm_arena_create(void);
void pm_arena_destroy(struct pm_arena *arena); /* NULL is fine */
void *pm_arena_alloc(struct pm_arena *arena, size_t size);
void *pm_arena_array(struct pm_arena *arena, size_t count, size_t item_size); /* checks the product */
char *pm_arena_copy(struct pm_arena *arena, const char *text, size_t length); /* adds the NUL */
char *pm_arena_strdup(struct pm_arena *arena, const char *text);              /* NULL gives NULL */
char *pm_arena_printf(struct pm_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
void *pm_arena_dup(struct pm_arena *arena, const void *items, size_t count, size_t item_size);

PM_DEFINE_AUTO(arena, struct pm_arena, pm_arena_destroy)

#endif
