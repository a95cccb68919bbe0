/* classes.h - class names by number, for passes over all objects on several threads. Internal to v8layout.
 *
 * The class of an object nearly always follows from its map, so a worker asks once per map (under a lock,
 * because naming reads other objects) and keeps the answer by the map's id. Objects whose own properties
 * decide are named later, on one thread. */
#ifndef PM_V8LAYOUT_CLASSES_H
#define PM_V8LAYOUT_CLASSES_H

#include "postmortem/base/arena.h"
#include "v8layout/heap.h"

#define V8_CLASS_BY_OBJECT UINT32_MAX /* the map does not decide */
#define V8_CLASS_FAILED    (UINT32_MAX - 1)

struct v8_classes;

struct v8_classes *v8_classes_create(const struct v8 *v8,
                                     struct pm_arena *arena); /* NULL without memory; names go to the arena */
void v8_classes_destroy(struct v8_classes *classes);
size_t v8_classes_count(const struct v8_classes *classes);
const char *v8_classes_name(const struct v8_classes *classes, uint32_t id);
uint32_t v8_classes_of_object(struct v8_classes *classes,
                              pm_addr object); /* one thread only; V8_CLASS_FAILED without memory */
uint32_t v8_classes_intern(struct v8_classes *classes, const char *name); /* one thread only */

/* A worker's cache: map id of its walker -> class id, V8_CLASS_BY_OBJECT or V8_CLASS_FAILED. */
struct v8_class_cache {
    uint32_t *of_map; /* class id + 1; 0 = not asked */
    size_t capacity;
};
uint32_t v8_classes_ask(struct v8_classes *classes, struct v8_class_cache *cache, const struct v8_map *map);
void v8_class_cache_deinit(struct v8_class_cache *cache);

static inline uint32_t v8_classes_of_map(struct v8_classes *classes, struct v8_class_cache *cache,
                                         const struct v8_map *map) {
    if (map->id < cache->capacity && cache->of_map[map->id]) {
        uint32_t known = cache->of_map[map->id];
        return known >= V8_CLASS_FAILED ? known : known - 1;
    }
    return v8_classes_ask(classes, cache, map);
}

#endif
