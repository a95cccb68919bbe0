#include "v8layout/objects.h"

#include "postmortem/base/limits.h"
#include "v8layout/object_access.h"

/* collections.c - Map, Set, WeakMap, WeakSet.
 *
 *   OrderedHashTable     words: live elements, deleted elements, buckets; a word for each bucket; then rows
 *                        key, value (not in sets), chain in order of insertion, up to 2 for each bucket. A
 *                        deleted row has a hole as its key. A table that was replaced while an iterator stood
 *                        in it has the next table in its first word.
 *   EphemeronHashTable   words: elements, deleted, capacity; then pairs key, value. A key is a receiver or a
 *                        symbol; undefined = empty, the hole = deleted.
 *
 * Truth: src/objects/ordered-hash-table.h, hash-table.h. Checked on V8 9.0 to 14.6. */

struct ordered {
    struct v8_thing table;
    uint32_t live, deleted, buckets, row_words;
    uint64_t start;
};

static bool ordered_load(const struct v8 *v8, pm_addr address, struct ordered *ret) {
    struct ordered ordered = {0};
    uint64_t data = v8->layout.array_data.offset;
    v8_word word;
    for (int i = 0;; i++) {
        if (i > PM_MAX_PROTOTYPES || !v8->layout.array_data.present ||
            !v8_thing_load(v8, address, &ordered.table) ||
            (ordered.table.type != V8_T_ORDERED_HASH_MAP && ordered.table.type != V8_T_ORDERED_HASH_SET) ||
            !v8_thing_word(v8, &ordered.table, data, &word))
            return false;
        if (v8_is_smi(word)) break;
        address = v8_target(v8, word);
    }
    ordered.row_words = ordered.table.type == V8_T_ORDERED_HASH_MAP ? 3 : 2;
    if (!v8_thing_count(v8, &ordered.table, data, &ordered.live) ||
        !v8_thing_count(v8, &ordered.table, data + 8, &ordered.deleted) ||
        !v8_thing_count(v8, &ordered.table, data + 16, &ordered.buckets))
        return false;
    ordered.start = data + 24 + 8 * (uint64_t)ordered.buckets;
    uint64_t rows = (uint64_t)ordered.live + ordered.deleted;
    if (rows > 2 * (uint64_t)ordered.buckets ||
        ordered.start + rows * 8 * ordered.row_words > ordered.table.size)
        return false;
    *ret = ordered;
    return true;
}

struct ephemerons {
    struct v8_thing table;
    uint32_t live, capacity;
    uint64_t start;
};

static bool ephemerons_load(const struct v8 *v8, pm_addr address, struct ephemerons *ret) {
    struct ephemerons found;
    uint64_t data = v8->layout.array_data.offset;
    if (!v8->layout.array_data.present ||
        !v8_thing_of_type(v8, address, V8_T_EPHEMERON_HASH_TABLE, &found.table) ||
        !v8_thing_count(v8, &found.table, data, &found.live) ||
        !v8_thing_count(v8, &found.table, data + 16, &found.capacity))
        return false;
    found.start = data + 24;
    if (found.start + 16 * (uint64_t)found.capacity > found.table.size || found.live > found.capacity)
        return false;
    *ret = found;
    return true;
}

static pm_addr table_of(const struct v8 *v8, pm_addr collection) {
    switch (v8_type_at(v8, collection)) {
    case V8_T_JS_MAP:
    case V8_T_JS_SET: return v8_ref(v8, collection, v8->layout.map_table);
    case V8_T_JS_WEAK_MAP:
    case V8_T_JS_WEAK_SET: return v8_ref(v8, collection, v8->layout.weak_collection_table);
    default: return collection;
    }
}

static bool ordered_entries(const struct v8 *v8, const struct ordered *ordered,
                            bool (*visit)(void *context, v8_word key, v8_word value), void *context) {
    uint64_t at = ordered->start;
    for (uint32_t i = 0; i < ordered->live + ordered->deleted; i++, at += 8 * (uint64_t)ordered->row_words) {
        v8_word key, value;
        if (!v8_thing_word(v8, &ordered->table, at, &key)) return false;
        value = key;
        if (ordered->row_words == 3 && !v8_thing_word(v8, &ordered->table, at + 8, &value)) return false;
        if (v8_oddball_of(v8, key) != V8_HOLE && !visit(context, key, value)) break;
    }
    return true;
}

static bool ephemeron_entries(const struct v8 *v8, const struct ephemerons *found,
                              bool (*visit)(void *context, v8_word key, v8_word value), void *context) {
    for (uint32_t i = 0; i < found->capacity; i++) {
        v8_word key, value;
        if (!v8_thing_word(v8, &found->table, found->start + 16 * (uint64_t)i, &key) ||
            !v8_thing_word(v8, &found->table, found->start + 16 * (uint64_t)i + 8, &value))
            return false;
        const struct v8_map *map = v8_map(v8, v8_target(v8, key));
        if (!v8_is_receiver(v8, map) && !(map && map->type == V8_T_SYMBOL)) continue;
        if (!visit(context, key, value)) break;
    }
    return true;
}

bool v8_entries(const struct v8 *v8, pm_addr collection,
                bool (*visit)(void *context, v8_word key, v8_word value), void *context) {
    pm_addr address = table_of(v8, collection);
    struct ordered ordered;
    struct ephemerons found;
    if (ordered_load(v8, address, &ordered)) return ordered_entries(v8, &ordered, visit, context);
    return ephemerons_load(v8, address, &found) && ephemeron_entries(v8, &found, visit, context);
}

bool v8_entry_count(const struct v8 *v8, pm_addr collection, uint32_t *count_ret, uint32_t *capacity_ret) {
    pm_addr address = table_of(v8, collection);
    struct ordered ordered;
    struct ephemerons found;
    if (ordered_load(v8, address, &ordered)) {
        *count_ret = ordered.live;
        if (capacity_ret) *capacity_ret = 2 * ordered.buckets;
        return true;
    }
    if (!ephemerons_load(v8, address, &found)) return false;
    *count_ret = found.live;
    if (capacity_ret) *capacity_ret = found.capacity;
    return true;
}
