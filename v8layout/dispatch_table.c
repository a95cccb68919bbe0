#include "v8layout/dispatch_table.h"

#include "postmortem/base/checked.h"
#include "v8layout/object_access.h"

#define HANDLE_SHIFT 8 /* kJSDispatchHandleShift */
#define ENTRY_SIZE   16
#define CODE_SHIFT   16
#define ALIGNMENT    0x1000 /* of a table: it is mapped by itself */
#define SAMPLES      64
#define ENOUGH       8
#define BEHIND_HEAP  0x4000

static v8_word code_of_entry(const struct v8 *v8, pm_addr table, uint32_t handle) {
    uint64_t word;
    if (!pm_mem_u64(v8->mem, table + (uint64_t)(handle >> HANDLE_SHIFT) * ENTRY_SIZE + 8, &word)) return 0;
    return word >> CODE_SHIFT ? word >> CODE_SHIFT | 1 : 0;
}

v8_word v8_dispatch_code(const struct v8 *v8, uint32_t isolate, uint32_t handle) {
    pm_addr table = isolate < v8->isolate_count ? v8->isolates[isolate].dispatch_table : 0;
    return table && handle ? code_of_entry(v8, table, handle) : 0;
}

struct handles {
    uint32_t offset;
    uint32_t items[SAMPLES];
    unsigned count;
};

static bool collect_handle(void *context, const struct v8_object *object) {
    struct handles *handles = context;
    if (!v8_is_function_type((enum v8_type)object->map->type) || !object->bytes ||
        object->size < handles->offset + 4)
        return true;
    uint32_t handle = pm_load_u32(object->bytes + handles->offset);
    if (handle && (!handles->count || handles->items[handles->count - 1] != handle))
        handles->items[handles->count++] = handle;
    return handles->count < SAMPLES;
}

static bool is_table(const struct v8 *v8, pm_addr table, const struct handles *handles) {
    unsigned good = 0;
    for (unsigned i = 0; i < handles->count; i++) {
        v8_word code = code_of_entry(v8, table, handles->items[i]);
        good += code && v8_type_at(v8, v8_untag(code)) == V8_T_CODE;
        if (i >= ENOUGH && good * 2 < i) return false;
    }
    return good >= ENOUGH && good * 10 >= handles->count * 9;
}

static pm_addr find_table(const struct v8 *v8, const struct v8_isolate *isolate,
                          const struct handles *handles) {
    uint64_t word;
    if (handles->count < ENOUGH) return 0;
    for (pm_addr at = isolate->address; at < isolate->heap + BEHIND_HEAP; at += 8)
        if (pm_mem_u64(v8->mem, at, &word) && word && word % ALIGNMENT == 0 && word < 1ull << 48 &&
            is_table(v8, word, handles))
            return word;
    return 0;
}

struct pm_error *v8_find_dispatch_tables(struct v8 *v8) {
    if (!v8->layout.function_dispatch_handle.present) return NULL;
    struct v8_walker *walker = v8_walker_create(v8);
    if (!walker) return pm_error_nomem();
    for (uint32_t index = 0; index < v8->isolate_count; index++) {
        struct handles handles = {.offset = v8->layout.function_dispatch_handle.offset};
        struct v8_walk_stats stats = {0};
        for (size_t i = 0; i < v8->page_count && handles.count < SAMPLES; i++)
            if (v8->pages[i].isolate == index && v8->pages[i].live && v8->pages[i].space == V8_SPACE_OLD)
                v8_walk_page(walker, &v8->pages[i], collect_handle, &handles, &stats);
        v8->isolates[index].dispatch_table = find_table(v8, &v8->isolates[index], &handles);
    }
    v8_walker_destroy(walker);
    return NULL;
}
