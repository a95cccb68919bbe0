#include "v8layout/discover/finder.h"

#include "v8layout/variants/sizes.h"

#include <ctype.h>
#include <string.h>

/* ---- instance types ---- */

static enum v8_type type_by_name(const char *name) {
    for (int i = V8_T_STRING + 1; i < V8_TYPE_COUNT; i++)
        if (strcmp(v8_type_name((enum v8_type)i), name) == 0) return (enum v8_type)i;
    return V8_T_OTHER;
}

static void set_type(struct v8_layout *layout, uint16_t number, const char *name) {
    if (number < layout->first_nonstring || number >= V8_MAX_INSTANCE_TYPE || layout->type_of[number]) return;
    enum v8_type type = type_by_name(name);
    layout->type_of[number] = (uint16_t)type;
    if (type != V8_T_OTHER && !layout->number_of[type]) layout->number_of[type] = number;
}

/* A root such as fixed_array_map leads to a map with the number of FIXED_ARRAY. */
static void types_from_roots(struct v8_finder *f) {
    struct v8_layout *layout = &f->v8->layout;
    for (uint32_t i = 0; i < layout->roots_count; i++) {
        const char *root = layout->root_names[i];
        char name[128];
        size_t length = strlen(root);
        v8_word word;
        uint16_t number;
        if (!v8_ends_with(root, "_map") || length >= sizeof(name)) continue;
        for (size_t k = 0; k < length - 4; k++) name[k] = (char)toupper((unsigned char)root[k]);
        name[length - 4] = 0;
        if (!v8_finder_u64(f, f->heaps[0] - layout->heap_in_isolate + layout->roots_table + 8 * (uint64_t)i,
                           &word) ||
            !v8_is_strong(word) || !pm_mem_u16(f->mem, v8_untag(word) + 12, &number))
            continue;
        if (strcmp(name, "BIGINT") == 0)
            strcpy(name, "BIG_INT_BASE");
        else if (strcmp(name, "ONE_POINTER_FILLER") == 0)
            strcpy(name, "FILLER");
        else if (strcmp(name, "UNDEFINED") == 0)
            strcpy(name, "ODDBALL");
        else if (strcmp(name, "META") == 0)
            strcpy(name, "MAP");
        else if (strcmp(name, "THE_HOLE") == 0 && number != layout->number_of[V8_T_ODDBALL])
            strcpy(name, "HOLE");
        else if (strcmp(name, "FEEDBACK_CELL") == 0 || strcmp(name, "NO_CLOSURES_CELL") == 0)
            strcpy(name, "FEEDBACK_CELL");
        set_type(layout, number, name);
    }
}

/* Symbols are the first type behind the strings. */
static uint16_t first_nonstring(const struct v8_finder *f, const struct v8_type_name *types, size_t count) {
    const struct v8_layout *layout = &f->v8->layout;
    int64_t published;
    v8_word word;
    uint16_t number;
    for (size_t i = 0; i < count; i++)
        if (strcmp(types[i].name, "SYMBOL") == 0) return types[i].number;
    if (v8_facts_constant(f->v8->facts, "FirstNonstringType", &published) &&
        (published == 64 || published == 128))
        return (uint16_t)published;
    size_t root = v8_root_index(layout, "symbol_map");
    if (root != SIZE_MAX &&
        v8_finder_u64(f, f->heaps[0] - layout->heap_in_isolate + layout->roots_table + 8 * root, &word) &&
        v8_is_strong(word) && pm_mem_u16(f->mem, v8_untag(word) + 12, &number))
        return number;
    return 128;
}

struct pm_error *v8_find_types(struct v8_finder *f) {
    struct v8 *v8 = f->v8;
    struct v8_layout *layout = &v8->layout;
    size_t count;
    const struct v8_type_name *types = v8_facts_types(v8->facts, &count);
    layout->first_nonstring = first_nonstring(f, types, count);
    for (unsigned i = 0; i < layout->first_nonstring; i++) layout->type_of[i] = V8_T_STRING;
    for (size_t i = 0; i < count; i++) set_type(layout, types[i].number, types[i].name);
    layout->types_origin = count ? V8_PUBLISHED : V8_DISCOVERED;
    /* v8dbg_type_<Class>__<NAME>_TYPE */
    for (int i = V8_T_STRING + 1; i < V8_TYPE_COUNT; i++) {
        int64_t number;
        if (!layout->number_of[i] && v8_facts_type(v8->facts, v8_type_name((enum v8_type)i), &number) &&
            number > 0 && number < V8_MAX_INSTANCE_TYPE)
            set_type(layout, (uint16_t)number, v8_type_name((enum v8_type)i));
    }
    types_from_roots(f);
    if (layout->number_of[V8_T_MAP] && layout->number_of[V8_T_MAP] != f->map_type)
        return pm_error_create(
            PM_ERR_LAYOUT,
            "the binary does not belong to this core: it numbers maps %u, the core's meta map says %u",
            layout->number_of[V8_T_MAP], f->map_type);
    set_type(layout, f->map_type, "MAP");
    static const uint16_t required[] = {V8_T_FIXED_ARRAY, V8_T_FREE_SPACE, V8_T_FILLER, V8_T_JS_OBJECT};
    for (unsigned i = 0; i < sizeof(required) / sizeof(required[0]); i++)
        if (!layout->number_of[required[i]])
            return pm_error_hint(
                pm_error_create(PM_ERR_LAYOUT,
                                "the instance type number of %s is not known: the binary publishes "
                                "none and the roots do not show it",
                                v8_type_name((enum v8_type)required[i])),
                v8_facts_module(v8->facts) && v8_facts_module(v8->facts)->elf
                    ? "The symbols of the executable were stripped: give the same build with its symbols "
                      "with --exe."
                    : "Give the executable of the process with --exe.");
    /* Receivers are the last block of numbers and begin with JSProxy (and WebAssembly objects); JSObjects
     * follow. */
    layout->first_js_receiver = layout->number_of[V8_T_JS_PROXY];
    /* WebAssembly objects stand directly before it, but for V8 9.0, where other types lie between. */
    static const uint16_t wasm[] = {V8_T_WASM_STRUCT, V8_T_WASM_ARRAY};
    for (unsigned i = 0; i < 2; i++) {
        uint16_t number = layout->number_of[wasm[i]];
        if (number && number < layout->first_js_receiver && number + 2 >= layout->number_of[V8_T_JS_PROXY])
            layout->first_js_receiver = number;
    }
    if (!layout->first_js_receiver) layout->first_js_receiver = layout->number_of[V8_T_JS_OBJECT];
    layout->first_js_object = layout->number_of[V8_T_JS_GLOBAL_OBJECT]
                                  ? layout->number_of[V8_T_JS_GLOBAL_OBJECT]
                                  : layout->first_js_receiver;
    /* Embedders number their own objects between these two (Node does). */
    uint16_t api = layout->number_of[V8_T_JS_API_OBJECT],
             last = layout->number_of[V8_T_JS_LAST_DUMMY_API_OBJECT];
    layout->last_api_object = last;
    for (unsigned i = api; api && last && i <= last && i < V8_MAX_INSTANCE_TYPE; i++)
        if (!layout->type_of[i]) layout->type_of[i] = V8_T_JS_API_OBJECT;
    for (unsigned i = 0; i < V8_MAX_INSTANCE_TYPE; i++) {
        if (i < layout->first_nonstring) {
            if ((i & V8_STRING_SHAPE_MASK) == V8_STRING_SEQ)
                layout->size_of[i] =
                    (struct v8_size_rule){V8_SIZE_LINEAR, 12, i & V8_STRING_ONE_BYTE ? 1 : 2, 16};
            continue;
        }
        static const struct v8_rule_points no_samples;
        size_t count_of_type;
        const struct v8_size_variant *variants =
            v8_size_variants((enum v8_type)layout->type_of[i], &count_of_type);
        layout->size_of[i] = variants[v8_best_rule(layout, &no_samples, variants, count_of_type)].rule;
    }
    return NULL;
}
