/* detect_words.h - how findings spell sizes, numbers, places, packages. Texts in the arena. */
#ifndef PM_DETECT_WORDS_H
#define PM_DETECT_WORDS_H

#include "postmortem/base/arena.h"
#include "postmortem/model/diagnosis.h"

const char *pm_words_bytes(struct pm_arena *arena, uint64_t bytes); /* 1.2 MB */
const char *pm_words_count(struct pm_arena *arena, uint64_t value); /* 512,334 */
const char *pm_words_place(struct pm_arena *arena,
                           const struct pm_position *place); /* " (/app/a.js:4)" or "" */
/* "12 Job objects", "1 Job object" */
const char *pm_words_objects(struct pm_arena *arena, uint64_t count, const char *class_name);
/* The package of a file in node_modules: "lru-cache", "@scope/name", with "@6.0.0" where the path says it;
 * NULL = in none. */
const char *pm_words_package(struct pm_arena *arena, const char *file);

#endif
