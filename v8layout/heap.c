#include "v8layout/heap.h"

#include "postmortem/base/checked.h"
#include "postmortem/base/limits.h"
#include "v8layout/discover.h"
#include "v8layout/dispatch_table.h"
#include "v8layout/fields.h"
#include "v8layout/maps.h"
#include "v8layout/validate.h"
#include "v8layout/variants/sizes.h"

#include <string.h>

static const char *const type_names[] = {
    "OTHER",
    "STRING",
#define V8_TYPE(name) #name,
#include "v8layout/types.def"
#undef V8_TYPE
};

const char *v8_type_name(enum v8_type type) {
    return type < V8_TYPE_COUNT ? type_names[type] : "OTHER";
}

const char *v8_space_name(enum v8_space_id id) {
    static const char *const names[V8_SPACE_COUNT] = {
        [V8_SPACE_NONE] = "unknown_space",
        [V8_SPACE_RO] = "read_only_space",
        [V8_SPACE_NEW] = "new_space",
        [V8_SPACE_OLD] = "old_space",
        [V8_SPACE_CODE] = "code_space",
        [V8_SPACE_MAP] = "map_space",
        [V8_SPACE_SHARED] = "shared_space",
        [V8_SPACE_TRUSTED] = "trusted_space",
        [V8_SPACE_SHARED_TRUSTED] = "shared_trusted_space",
        [V8_SPACE_NEW_LO] = "new_large_object_space",
        [V8_SPACE_LO] = "large_object_space",
        [V8_SPACE_CODE_LO] = "code_large_object_space",
        [V8_SPACE_SHARED_LO] = "shared_large_object_space",
        [V8_SPACE_SHARED_TRUSTED_LO] = "shared_trusted_large_object_space",
        [V8_SPACE_TRUSTED_LO] = "trusted_large_object_space",
    };
    return id < V8_SPACE_COUNT ? names[id] : names[V8_SPACE_NONE];
}

/* ---- life ---- */

struct pm_error *v8_open(const struct pm_core *core, const struct pm_modules *modules,
                         const struct v8_options *options, struct v8 **ret) {
    struct v8 *v8 = calloc(1, sizeof(*v8));
    struct pm_error *err;
    if (!v8 || !(v8->maps = v8_map_table_create())) {
        v8_close(v8);
        return pm_error_nomem();
    }
    v8->core = core;
    v8->modules = modules;
    v8->mem = pm_core_memory(core);
    err = v8_facts_create(core, modules, options ? options->hide : NULL, &v8->facts);
    if (!err) err = v8_discover(v8);
    if (!err) err = v8_discover_fields(v8);
    if (!err) err = v8_find_dispatch_tables(v8);
    if (!err) err = v8_validate(v8);
    if (err) {
        v8_close(v8);
        return err;
    }
    *ret = v8;
    return NULL;
}

void v8_close(struct v8 *v8) {
    if (!v8) return;
    for (size_t i = 0; i < v8->isolate_count; i++) free(v8->isolates[i].labs);
    free(v8->isolates);
    free(v8->pages);
    v8_map_table_destroy(v8->maps);
    v8_facts_destroy(v8->facts);
    free(v8);
}

/* ---- single objects ---- */

const struct v8_page *v8_page_of(const struct v8 *v8, pm_addr object) {
    size_t low = 0, high = v8->page_count;
    while (low < high) { /* first page behind the object */
        size_t middle = (low + high) / 2;
        if (v8->pages[middle].chunk <= object)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0) return NULL;
    const struct v8_page *page = &v8->pages[low - 1];
    return page->live && object >= page->start && object < page->end ? page : NULL;
}

const struct v8_map *v8_map_at(const struct v8 *v8, pm_addr map) {
    return v8_map_table_get(v8->maps, v8, map);
}

const struct v8_map *v8_map(const struct v8 *v8, pm_addr object) {
    v8_word word;
    if ((object & 7) || !v8_page_of(v8, object) || !pm_mem_u64(v8->mem, object, &word) || !v8_is_strong(word))
        return NULL;
    return v8_map_at(v8, v8_untag(word));
}

enum v8_type v8_type_at(const struct v8 *v8, pm_addr object) {
    const struct v8_map *map = v8_map(v8, object);
    return map ? (enum v8_type)map->type : V8_T_OTHER;
}

uint64_t v8_size(const struct v8 *v8, pm_addr object) {
    const struct v8_map *map = v8_map(v8, object);
    const struct v8_page *page = map ? v8_page_of(v8, object) : NULL;
    if (!page) return 0;
    uint64_t available = page->end - object;
    const uint8_t *bytes = pm_mem_view_some(v8->mem, object, &available);
    if (!bytes) return 0;
    uint64_t size = v8_object_size(v8, map, &map->rule, bytes, available);
    return size <= page->end - object ? size : 0;
}

bool v8_word_at(const struct v8 *v8, pm_addr object, uint32_t offset, v8_word *ret) {
    return pm_mem_u64(v8->mem, object + offset, ret);
}

/* The object behind a reference: where a collection moved it, its map word holds the new address
 * (MapWord::FromForwardingAddress). */
static pm_addr follow_forwarding(const struct v8 *v8, pm_addr object) {
    v8_word word;
    if (pm_mem_u64(v8->mem, object, &word) && (word & 3) == 0 && word != 0 && (word & 7) == 0 &&
        v8_map(v8, word))
        return word;
    return object;
}

pm_addr v8_ref(const struct v8 *v8, pm_addr object, struct v8_field field) {
    v8_word word;
    if (!v8_field_word(v8, object, field, &word) || !v8_is_pointer(word)) return 0;
    return follow_forwarding(v8, v8_untag(word));
}

bool v8_field_word(const struct v8 *v8, pm_addr object, struct v8_field field, v8_word *ret) {
    return field.present && object && pm_mem_u64(v8->mem, object + field.offset, ret);
}

bool v8_field_u32(const struct v8 *v8, pm_addr object, struct v8_field field, uint32_t *ret) {
    return field.present && object && pm_mem_u32(v8->mem, object + field.offset, ret);
}

pm_addr v8_root(const struct v8 *v8, const char *name) {
    const struct v8_layout *layout = &v8->layout;
    v8_word word;
    if (!layout->root_names || v8->isolate_count == 0) return 0;
    for (uint32_t i = 0; i < layout->roots_count; i++)
        if (strcmp(layout->root_names[i], name) == 0)
            return pm_mem_u64(v8->mem, v8->isolates[0].address + layout->roots_table + 8 * (uint64_t)i,
                              &word) &&
                           v8_is_strong(word)
                       ? v8_untag(word)
                       : 0;
    return 0;
}

bool v8_is_map_word(const struct v8 *v8, v8_word word) {
    v8_word meta;
    uint16_t type;
    if (!v8_is_strong(word) || (word & 7) != 1) return false;
    pm_addr map = v8_untag(word);
    if (!pm_mem_u64(v8->mem, map, &meta) || !v8_is_strong(meta)) return false;
    if (v8_untag(meta) == v8->meta_map) return v8_page_of(v8, map) != NULL;
    return v8_page_of(v8, map) && v8_page_of(v8, v8_untag(meta)) &&
           pm_mem_u16(v8->mem, v8_untag(meta) + 12, &type) && type == v8->layout.number_of[V8_T_MAP];
}
