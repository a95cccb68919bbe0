#include "v8layout/classes.h"

#include "postmortem/base/vec.h"
#include "v8layout/objects.h"

#include <pthread.h>
#include <string.h>

struct v8_classes {
    const struct v8 *v8;
    struct pm_arena *arena;
    pthread_mutex_t lock; /* everything below, and v8->maps */
    PM_VEC(const char *) names;
    uint32_t *slots; /* hash of names -> class id + 1 */
    size_t capacity;
};

struct v8_classes *v8_classes_create(const struct v8 *v8, struct pm_arena *arena) {
    struct v8_classes *classes = calloc(1, sizeof(*classes));
    if (!classes) return NULL;
    classes->v8 = v8;
    classes->arena = arena;
    pthread_mutex_init(&classes->lock, NULL);
    return classes;
}

void v8_classes_destroy(struct v8_classes *classes) {
    if (!classes) return;
    pthread_mutex_destroy(&classes->lock);
    pm_vec_deinit(&classes->names);
    free(classes->slots);
    free(classes);
}

size_t v8_classes_count(const struct v8_classes *classes) {
    return classes->names.count;
}

const char *v8_classes_name(const struct v8_classes *classes, uint32_t id) {
    return id < classes->names.count ? classes->names.items[id] : "(unknown)";
}

static uint32_t hash_text(const char *text) {
    uint32_t hash = 2166136261u;
    for (; *text; text++) hash = (hash ^ (unsigned char)*text) * 16777619u;
    return hash;
}

static bool grow_slots(struct v8_classes *classes) {
    size_t capacity = classes->capacity ? classes->capacity * 2 : 1024;
    uint32_t *slots = calloc(capacity, sizeof(*slots));
    if (!slots) return false;
    for (uint32_t i = 0; i < classes->names.count; i++) {
        size_t at = hash_text(classes->names.items[i]) & (capacity - 1);
        while (slots[at]) at = (at + 1) & (capacity - 1);
        slots[at] = i + 1;
    }
    free(classes->slots);
    classes->slots = slots;
    classes->capacity = capacity;
    return true;
}

uint32_t v8_classes_intern(struct v8_classes *classes, const char *name) {
    if ((classes->names.count + 1) * 2 > classes->capacity && !grow_slots(classes)) return V8_CLASS_FAILED;
    size_t at = hash_text(name) & (classes->capacity - 1);
    for (; classes->slots[at]; at = (at + 1) & (classes->capacity - 1))
        if (strcmp(classes->names.items[classes->slots[at] - 1], name) == 0) return classes->slots[at] - 1;
    const char *kept = pm_arena_strdup(classes->arena, name);
    if (!kept || !pm_vec_push(&classes->names, kept)) return V8_CLASS_FAILED;
    classes->slots[at] = (uint32_t)classes->names.count;
    return (uint32_t)classes->names.count - 1;
}

uint32_t v8_classes_of_object(struct v8_classes *classes, pm_addr object) {
    const char *name = v8_class_name(classes->v8, object, classes->arena);
    return v8_classes_intern(classes, name ? name : "(unknown)");
}

uint32_t v8_classes_ask(struct v8_classes *classes, struct v8_class_cache *cache, const struct v8_map *map) {
    const char *name = NULL;
    uint32_t result = V8_CLASS_BY_OBJECT;
    if (map->id >= cache->capacity) {
        size_t capacity = cache->capacity ? cache->capacity * 2 : 4096;
        while (capacity <= map->id) capacity *= 2;
        uint32_t *grown = realloc(cache->of_map, capacity * sizeof(*grown));
        if (!grown) return V8_CLASS_FAILED;
        memset(grown + cache->capacity, 0, (capacity - cache->capacity) * sizeof(*grown));
        cache->of_map = grown;
        cache->capacity = capacity;
    }
    pthread_mutex_lock(&classes->lock);
    if (v8_class_name_of_map(classes->v8, map, classes->arena, &name))
        result = v8_classes_intern(classes, name ? name : "(unknown)");
    pthread_mutex_unlock(&classes->lock);
    cache->of_map[map->id] = result >= V8_CLASS_FAILED ? result : result + 1;
    return result;
}

void v8_class_cache_deinit(struct v8_class_cache *cache) {
    free(cache->of_map);
    *cache = (struct v8_class_cache){0};
}
