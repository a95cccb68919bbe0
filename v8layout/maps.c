#include "v8layout/maps.h"

#include "postmortem/base/checked.h"
#include "postmortem/base/vec.h"

#include <string.h>

#define BLOCK_MAPS 512

struct block {
    struct block *next;
    size_t used;
    struct v8_map maps[BLOCK_MAPS];
};

struct v8_map_table {
    struct v8_map **slots; /* open addressing; capacity is a power of two */
    size_t capacity, count;
    struct block *blocks;
};

struct v8_map_table *v8_map_table_create(void) {
    struct v8_map_table *table = calloc(1, sizeof(*table));
    if (!table) return NULL;
    table->capacity = 4096;
    table->slots = calloc(table->capacity, sizeof(*table->slots));
    if (!table->slots) {
        free(table);
        return NULL;
    }
    return table;
}

void v8_map_table_destroy(struct v8_map_table *table) {
    if (!table) return;
    for (struct block *block = table->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    free(table->slots);
    free(table);
}

size_t v8_map_table_count(const struct v8_map_table *table) {
    return table->count;
}

static size_t hash(pm_addr address, size_t capacity) {
    return (size_t)((address >> 3) * 0x9e3779b97f4a7c15u >> 32) & (capacity - 1);
}

static bool grow(struct v8_map_table *table) {
    size_t capacity = table->capacity * 2;
    struct v8_map **slots = calloc(capacity, sizeof(*slots));
    if (!slots) return false;
    for (size_t i = 0; i < table->capacity; i++) {
        if (!table->slots[i]) continue;
        size_t at = hash(table->slots[i]->address, capacity);
        while (slots[at]) at = (at + 1) & (capacity - 1);
        slots[at] = table->slots[i];
    }
    free(table->slots);
    table->slots = slots;
    table->capacity = capacity;
    return true;
}

/* Map (src/objects/map.h): u8 @8 instance size in words, u8 @9 start of in-object properties, u16 @12
 * instance type, u8 @14 and
 * @15 bit fields, u32 @16 bit field 3. The same in V8 9.4 to 14.6. */
static const uint8_t *map_bytes(const struct v8 *v8, pm_addr address) {
    const struct v8_page *page = v8_page_of(v8, address);
    return page && page->end - address >= 64 ? pm_mem_view(v8->mem, address, 64) : NULL;
}

/* Compaction moves maps, too (from V8 11 on they are in old space): then the objects that were not updated
 * yet lead to the old place, whose first word is the address of the copy. */
static bool load(const struct v8 *v8, pm_addr address, struct v8_map *map) {
    const uint8_t *bytes = map_bytes(v8, address), *meta;
    if (!bytes) return false;
    uint64_t meta_word = pm_load_u64(bytes);
    if (meta_word && (meta_word & 7) == 0) {
        if (!(bytes = map_bytes(v8, meta_word))) return false;
        meta_word = pm_load_u64(bytes);
    }
    if (!v8_is_strong(meta_word)) return false;
    if (v8_untag(meta_word) != v8->meta_map) {
        if (!(meta = pm_mem_view(v8->mem, v8_untag(meta_word), 16)) || !v8_page_of(v8, v8_untag(meta_word)) ||
            pm_load_u16(meta + 12) != v8->layout.number_of[V8_T_MAP])
            return false;
    }
    uint16_t type = pm_load_u16(bytes + 12);
    if (type >= V8_MAX_INSTANCE_TYPE) return false;
    *map = (struct v8_map){
        .address = address,
        .fixed_size = (uint32_t)bytes[8] * 8,
        .instance_type = type,
        .type = v8->layout.type_of[type],
        .size_words = bytes[8],
        .inobject_start_words = bytes[9],
        .bit_field = bytes[14],
        .bit_field2 = bytes[15],
        .bit_field3 = pm_load_u32(bytes + 16),
        .rule = v8->layout.size_of[type],
    };
    return true;
}

const struct v8_map *v8_map_table_get(struct v8_map_table *table, const struct v8 *v8, pm_addr address) {
    size_t at = hash(address, table->capacity);
    for (; table->slots[at]; at = (at + 1) & (table->capacity - 1))
        if (table->slots[at]->address == address) return table->slots[at];
    struct v8_map map;
    if (!load(v8, address, &map)) return NULL;
    if (table->count * 2 >= table->capacity) {
        if (!grow(table)) return NULL;
        at = hash(address, table->capacity);
        while (table->slots[at]) at = (at + 1) & (table->capacity - 1);
    }
    if (!table->blocks || table->blocks->used == BLOCK_MAPS) {
        struct block *block = malloc(sizeof(*block));
        if (!block) return NULL;
        block->used = 0;
        block->next = table->blocks;
        table->blocks = block;
    }
    struct v8_map *kept = &table->blocks->maps[table->blocks->used++];
    *kept = map;
    kept->id = (uint32_t)table->count++;
    table->slots[at] = kept;
    return kept;
}

void v8_map_table_refresh(struct v8_map_table *table, const struct v8 *v8) {
    for (struct block *block = table->blocks; block; block = block->next)
        for (size_t i = 0; i < block->used; i++) {
            struct v8_map *map = &block->maps[i];
            map->rule = v8->layout.size_of[map->instance_type];
            map->type = v8->layout.type_of[map->instance_type];
        }
}
