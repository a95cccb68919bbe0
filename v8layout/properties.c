#include "v8layout/objects.h"

#include "postmortem/base/checked.h"
#include "postmortem/base/limits.h"
#include "v8layout/object_access.h"

#include <string.h>

/* properties.c - the forms an object's properties have:
 *
 *   fast         map -> DescriptorArray: rows key, details, value. A row's value stands in the row itself
 *                (accessors, constants), or in the object (field index < number of in-object words), or in
 *                the PropertyArray behind it
 *   dictionary   bit 21 of bit_field3: properties_or_hash is a NameDictionary, a hash table of rows key,
 *                value, details (or a SwissNameDictionary, in builds made with it)
 *   global       the global object's GlobalDictionary: a hash table of PropertyCells, which know their name
 *   elements     integer keys: FixedArray, FixedDoubleArray with a NaN of its own for holes,
 *                NumberDictionary, or SloppyArgumentsElements, whose mapped entries live in the function's
 *                context
 *
 * What kind the elements are is told by the elements object itself, so the numbering of elements kinds (which
 * moved in V8 11) is not needed. Double fields are boxed in HeapNumbers: these builds have no unboxed ones.
 * Truth: property-details.h, descriptor-array.h, dictionary.h, hash-table.h, arguments.tq in src/objects/.
 * Checked on V8 9.0 to 14.6. */

#define HOLE_NAN         0xfff7fffffff7ffffu /* kHoleNanInt64, src/common/globals.h */
#define HASH_TABLE_WORDS 3                   /* elements, deleted elements, capacity */

struct visit {
    const struct v8 *v8;
    bool (*visit)(void *context, const struct v8_property *property);
    void *context;
    bool stopped;
};

static bool give(struct visit *to, const struct v8_property *property) {
    if (!to->stopped && !to->visit(to->context, property)) to->stopped = true;
    return !to->stopped;
}

/* ---- fast properties ---- */

struct fast_object {
    struct v8_thing object, descriptors, out_of_object;
    bool has_out_of_object;
    uint32_t count, inobject; /* own descriptors; in-object words */
};

static bool fast_load(const struct v8 *v8, const struct v8_thing *object, struct fast_object *ret) {
    const struct v8_map *map = object->map;
    struct fast_object fast = {.object = *object, .count = V8_MAP_OWN_DESCRIPTORS(map->bit_field3)};
    if (fast.count == 0) {
        *ret = fast;
        return true;
    }
    pm_addr descriptors = v8_ref(v8, map->address, v8->layout.map_descriptors);
    if (!v8->layout.descriptor_header.present || !v8_thing_load(v8, descriptors, &fast.descriptors) ||
        (fast.descriptors.type != V8_T_DESCRIPTOR_ARRAY &&
         fast.descriptors.type != V8_T_STRONG_DESCRIPTOR_ARRAY) ||
        v8->layout.descriptor_header.offset + 24 * (uint64_t)fast.count > fast.descriptors.size)
        return false;
    if (map->size_words > map->inobject_start_words)
        fast.inobject = (uint32_t)(map->size_words - map->inobject_start_words);
    fast.has_out_of_object = v8_thing_of_type(v8, v8_thing_ref(v8, object, v8->layout.js_properties),
                                              V8_T_PROPERTY_ARRAY, &fast.out_of_object);
    *ret = fast;
    return true;
}

static uint64_t row_at(const struct v8 *v8, uint32_t index) {
    return v8->layout.descriptor_header.offset + 24 * (uint64_t)index;
}

/* The value of one row; false = unreadable. */
static bool fast_value(const struct v8 *v8, const struct fast_object *fast, uint32_t index,
                       bool *is_accessor_ret, v8_word *ret) {
    v8_word word;
    uint64_t row = row_at(v8, index);
    if (!v8_thing_word(v8, &fast->descriptors, row + 8, &word) || !v8_is_smi(word)) return false;
    uint32_t details = (uint32_t)v8_smi(word);
    *is_accessor_ret = details & V8_DETAILS_ACCESSOR;
    if (details >> v8->layout.location_bit & 1) return v8_thing_word(v8, &fast->descriptors, row + 16, ret);
    uint32_t field = V8_DETAILS_FIELD_INDEX(details);
    if (field < fast->inobject)
        return v8_thing_word(v8, &fast->object,
                             8 * ((uint64_t)fast->object.map->inobject_start_words + field), ret);
    return fast->has_out_of_object &&
           v8_thing_word(v8, &fast->out_of_object,
                         v8->layout.array_data.offset + 8 * (uint64_t)(field - fast->inobject), ret);
}

static bool visit_fast(struct visit *to, const struct v8_thing *object) {
    const struct v8 *v8 = to->v8;
    struct fast_object fast;
    bool complete = true;
    if (!fast_load(v8, object, &fast)) return false;
    for (uint32_t i = 0; i < fast.count; i++) {
        struct v8_property property = {0};
        v8_word key;
        if (!v8_thing_word(v8, &fast.descriptors, row_at(v8, i), &key) ||
            !v8_is_name(v8_map(v8, property.key = v8_target(v8, key))) ||
            !fast_value(v8, &fast, i, &property.is_accessor, &property.value))
            complete = false;
        else if (!give(to, &property))
            return complete;
    }
    return complete;
}

/* ---- hash tables of names ---- */

struct table {
    struct v8_thing thing;
    uint32_t capacity;
    uint64_t start; /* offset of the first row */
    uint32_t row_bytes;
};

static bool table_load(const struct v8 *v8, pm_addr address, uint32_t prefix, uint32_t row_words,
                       struct table *ret) {
    struct table table = {.row_bytes = 8 * row_words};
    if (!v8->layout.array_data.present || !v8_thing_load(v8, address, &table.thing)) return false;
    uint64_t data = v8->layout.array_data.offset;
    table.start = data + 8 * (uint64_t)(HASH_TABLE_WORDS + prefix);
    if (!v8_thing_count(v8, &table.thing, data + 16, &table.capacity) ||
        table.start + (uint64_t)table.capacity * table.row_bytes > table.thing.size)
        return false;
    *ret = table;
    return true;
}

static uint64_t table_row(const struct table *table, uint32_t entry) {
    return table->start + (uint64_t)entry * table->row_bytes;
}

struct name_row {
    pm_addr key;
    v8_word value;
    bool is_accessor;
};

/* One row of a NameDictionary or GlobalDictionary; false = empty, deleted or unreadable. */
static bool name_row(const struct v8 *v8, const struct table *table, uint32_t entry, struct name_row *ret) {
    v8_word word, details;
    if (!v8_thing_word(v8, &table->thing, table_row(table, entry), &word)) return false;
    pm_addr key = v8_target(v8, word);
    if (table->thing.type == V8_T_GLOBAL_DICTIONARY) {
        pm_addr cell = key;
        const struct v8_layout *layout = &v8->layout;
        if (v8_type_at(v8, cell) != V8_T_PROPERTY_CELL ||
            !v8_field_word(v8, cell, layout->property_cell_value, &ret->value) ||
            v8_oddball_of(v8, ret->value) == V8_HOLE || !layout->property_cell_name.present ||
            /* PropertyCell: name, property details, value; src/objects/property-cell.tq */
            !v8_word_at(v8, cell, layout->property_cell_name.offset + 8u, &details))
            return false;
        key = v8_ref(v8, cell, layout->property_cell_name);
    } else if (!v8_thing_word(v8, &table->thing, table_row(table, entry) + 8, &ret->value) ||
               !v8_thing_word(v8, &table->thing, table_row(table, entry) + 16, &details)) {
        return false;
    }
    if (!v8_is_name(v8_map(v8, key))) return false;
    ret->key = key;
    ret->is_accessor = v8_is_smi(details) && ((uint32_t)v8_smi(details) & V8_DETAILS_ACCESSOR);
    return true;
}

/* Between capacity and rows a table has a few words of its own: 2 in a GlobalDictionary, 2 or 3 in a
 * NameDictionary (V8 9.4, 10.2; 11.3 and later). The array's length says how many. */
static bool names_load(const struct v8 *v8, pm_addr address, struct table *ret) {
    struct table table;
    uint32_t words, row_words;
    enum v8_type type = v8_type_at(v8, address);
    if (type != V8_T_NAME_DICTIONARY && type != V8_T_GLOBAL_DICTIONARY) return false;
    row_words = type == V8_T_NAME_DICTIONARY ? 3 : 1;
    if (!v8->layout.array_length.present || !table_load(v8, address, 0, row_words, &table) ||
        !v8_thing_count(v8, &table.thing, v8->layout.array_length.offset, &words))
        return false;
    uint64_t used = HASH_TABLE_WORDS + (uint64_t)row_words * table.capacity;
    return words >= used && words - used <= 4 &&
           table_load(v8, address, (uint32_t)(words - used), row_words, ret);
}

/* SwissNameDictionary (src/objects/swiss-name-dictionary.h): capacity i32@12, then a table pointer, then from
 * 24 on pairs key, value; the control bytes and details behind them are not needed to list it. */
static bool visit_swiss(struct visit *to, pm_addr address) {
    const struct v8 *v8 = to->v8;
    struct v8_thing thing;
    uint32_t capacity;
    if (!v8_thing_load(v8, address, &thing) || !v8_thing_u32(v8, &thing, 12, &capacity) ||
        24 + 16 * (uint64_t)capacity > thing.size)
        return false;
    for (uint32_t i = 0; i < capacity; i++) {
        struct v8_property property = {0};
        v8_word key;
        if (!v8_thing_word(v8, &thing, 24 + 16 * (uint64_t)i, &key) ||
            !v8_thing_word(v8, &thing, 32 + 16 * (uint64_t)i, &property.value))
            return false;
        property.key = v8_target(v8, key);
        property.is_accessor = v8_type_at(v8, v8_target(v8, property.value)) == V8_T_ACCESSOR_PAIR;
        if (v8_is_name(v8_map(v8, property.key)) && !give(to, &property)) return true;
    }
    return true;
}

static bool visit_dictionary(struct visit *to, pm_addr address) {
    const struct v8 *v8 = to->v8;
    struct table table;
    if (v8_type_at(v8, address) == V8_T_SWISS_NAME_DICTIONARY) return visit_swiss(to, address);
    if (!names_load(v8, address, &table)) return false;
    for (uint32_t i = 0; i < table.capacity; i++) {
        struct name_row row;
        if (!name_row(v8, &table, i, &row)) continue;
        struct v8_property property = {.key = row.key, .value = row.value, .is_accessor = row.is_accessor};
        if (!give(to, &property)) break;
    }
    return true;
}

/* ---- elements ---- */

static bool give_element(struct visit *to, uint32_t index, v8_word value, bool is_accessor) {
    struct v8_property property = {
        .index = index, .is_element = true, .is_accessor = is_accessor, .value = value};
    return v8_oddball_of(to->v8, value) == V8_HOLE || give(to, &property);
}

/* How many elements an array object really has room for, and not more than `most`. */
static uint32_t array_count(const struct v8 *v8, const struct v8_thing *array, uint32_t most) {
    uint32_t count;
    uint64_t data = v8->layout.array_data.offset;
    if (!v8->layout.array_length.present || !v8->layout.array_data.present || data > array->size ||
        !v8_thing_count(v8, array, v8->layout.array_length.offset, &count))
        return 0;
    uint64_t room = (array->size - data) / 8;
    if (count > room) count = (uint32_t)room;
    return count < most ? count : most;
}

static bool visit_tagged(struct visit *to, const struct v8_thing *array, uint32_t most) {
    uint32_t count = array_count(to->v8, array, most);
    for (uint32_t i = 0; i < count; i++) {
        v8_word value;
        if (!v8_thing_word(to->v8, array, to->v8->layout.array_data.offset + 8 * (uint64_t)i, &value))
            return false;
        if (!give_element(to, i, value, false)) return true;
    }
    return true;
}

static bool visit_doubles(struct visit *to, const struct v8_thing *array, uint32_t most) {
    uint32_t count = array_count(to->v8, array, most);
    for (uint32_t i = 0; i < count; i++) {
        struct v8_property property = {.index = i, .is_element = true, .is_double = true};
        uint64_t bits;
        if (!v8_thing_word(to->v8, array, to->v8->layout.array_data.offset + 8 * (uint64_t)i, &bits))
            return false;
        memcpy(&property.number, &bits, sizeof(bits));
        if (bits != HOLE_NAN && !give(to, &property)) return true;
    }
    return true;
}

static bool visit_number_dictionary(struct visit *to, pm_addr address) {
    const struct v8 *v8 = to->v8;
    struct table table;
    if (!table_load(v8, address, 1, 3, &table)) return false;
    for (uint32_t i = 0; i < table.capacity; i++) {
        v8_word key, value, details;
        uint32_t index;
        double number;
        if (!v8_thing_word(v8, &table.thing, table_row(&table, i), &key) ||
            !v8_thing_word(v8, &table.thing, table_row(&table, i) + 8, &value) ||
            !v8_thing_word(v8, &table.thing, table_row(&table, i) + 16, &details))
            return false;
        if (v8_is_smi(key)) {
            if (v8_smi(key) < 0) continue;
            index = (uint32_t)v8_smi(key);
        } else { /* indices of 2^31 and more are HeapNumbers */
            pm_addr boxed = v8_target(v8, key);
            uint64_t bits;
            if (v8_type_at(v8, boxed) != V8_T_HEAP_NUMBER ||
                !v8_field_word(v8, boxed, v8->layout.heap_number_value, &bits))
                continue;
            memcpy(&number, &bits, sizeof(bits));
            if (!(number >= 0 && number < 4294967295.0)) continue;
            index = (uint32_t)number;
        }
        bool is_accessor = v8_is_smi(details) && ((uint32_t)v8_smi(details) & V8_DETAILS_ACCESSOR);
        if (!give_element(to, index, value, is_accessor)) return true;
    }
    return true;
}

/* SloppyArgumentsElements (src/objects/arguments.tq): length@8, context@16, arguments@24, then per parameter
 * the context slot that holds it (Smi) or the hole: then it is in `arguments` like the rest. */
static bool visit_sloppy_arguments(struct visit *to, const struct v8_thing *elements) {
    const struct v8 *v8 = to->v8;
    struct v8_thing context, arguments;
    uint32_t mapped;
    v8_word context_word, arguments_word, word, value;
    if (!v8_thing_count(v8, elements, 8, &mapped) || !v8_thing_word(v8, elements, 16, &context_word) ||
        !v8_thing_word(v8, elements, 24, &arguments_word) || 32 + 8 * (uint64_t)mapped > elements->size)
        return false;
    bool has_context = v8_thing_load(v8, v8_target(v8, context_word), &context);
    for (uint32_t i = 0; has_context && i < mapped; i++) {
        if (!v8_thing_word(v8, elements, 32 + 8 * (uint64_t)i, &word)) return false;
        if (!v8_is_smi(word) || v8_smi(word) < 0 ||
            !v8_thing_word(v8, &context, v8->layout.array_data.offset + 8 * (uint64_t)v8_smi(word), &value))
            continue;
        if (!give_element(to, i, value, false)) return true;
    }
    if (!v8_thing_load(v8, v8_target(v8, arguments_word), &arguments)) return has_context;
    if (arguments.type == V8_T_NUMBER_DICTIONARY) return visit_number_dictionary(to, arguments.address);
    return visit_tagged(to, &arguments, UINT32_MAX);
}

static bool visit_elements(struct visit *to, const struct v8_thing *object) {
    const struct v8 *v8 = to->v8;
    struct v8_thing elements;
    uint32_t most = UINT32_MAX;
    if (!v8_thing_load(v8, v8_thing_ref(v8, object, v8->layout.js_elements), &elements)) return false;
    if (object->type == V8_T_JS_ARRAY && v8->layout.js_array_length.present &&
        !v8_thing_count(v8, object, v8->layout.js_array_length.offset, &most))
        most = UINT32_MAX; /* a length beyond Smi range: a HeapNumber, and a dictionary behind it */
    switch (elements.type) {
    case V8_T_FIXED_ARRAY: return visit_tagged(to, &elements, most);
    case V8_T_FIXED_DOUBLE_ARRAY: return visit_doubles(to, &elements, most);
    case V8_T_NUMBER_DICTIONARY: return visit_number_dictionary(to, elements.address);
    case V8_T_SLOPPY_ARGUMENTS_ELEMENTS: return visit_sloppy_arguments(to, &elements);
    default: return true; /* typed arrays keep theirs elsewhere */
    }
}

/* ---- objects ---- */

bool v8_properties(const struct v8 *v8, pm_addr address,
                   bool (*visit)(void *context, const struct v8_property *property), void *context) {
    struct v8_thing object;
    struct visit to = {.v8 = v8, .visit = visit, .context = context};
    if (!v8_thing_load(v8, address, &object) || !v8_is_js_object(v8, object.map)) return false;
    bool complete = object.map->bit_field3 & V8_MAP_IS_DICTIONARY
                        ? visit_dictionary(&to, v8_thing_ref(v8, &object, v8->layout.js_properties))
                        : visit_fast(&to, &object);
    if (!to.stopped && !visit_elements(&to, &object)) complete = false;
    return complete;
}

static bool key_matches(const struct v8 *v8, const struct v8_key *key, pm_addr name) {
    if (key->address) return name == key->address;
    const struct v8_map *map = v8_map(v8, name);
    if (!map || (map->type == V8_T_SYMBOL) != key->symbol) return false;
    return v8_string_equals(v8, key->symbol ? v8_ref(v8, name, v8->layout.symbol_description) : name,
                            key->text);
}

/* Name::raw_hash_field u32@8 (src/objects/name.h): the hash from bit 2 on; bit 0 set = not computed. */
static bool name_hash(const struct v8 *v8, pm_addr name, uint32_t *ret) {
    uint32_t field;
    if (!pm_mem_u32(v8->mem, name + 8, &field) || (field & 1)) return false;
    *ret = field >> 2;
    return true;
}

static enum v8_found own_in_dictionary(const struct v8 *v8, pm_addr address, const struct v8_key *key,
                                       v8_word *ret) {
    struct table table;
    struct name_row row;
    uint32_t hash;
    if (!names_load(v8, address, &table) || table.capacity == 0) return V8_ABSENT;
    bool probe =
        key->address && (table.capacity & (table.capacity - 1)) == 0 && name_hash(v8, key->address, &hash);
    uint32_t entry = probe ? hash & (table.capacity - 1) : 0;
    for (uint32_t i = 1; i <= table.capacity; i++) {
        if (name_row(v8, &table, entry, &row)) {
            if (key_matches(v8, key, row.key)) {
                *ret = row.value;
                return row.is_accessor ? V8_ACCESSOR : V8_DATA;
            }
        } else if (probe) { /* HashTable::FindEntry ends at the first undefined; deleted rows are the hole */
            v8_word word;
            if (!v8_thing_word(v8, &table.thing, table_row(&table, entry), &word) ||
                v8_oddball_of(v8, word) == V8_UNDEFINED)
                return V8_ABSENT;
        }
        entry = (probe ? entry + i : entry + 1) & (probe ? table.capacity - 1 : UINT32_MAX);
    }
    return V8_ABSENT;
}

enum v8_found v8_own_property(const struct v8 *v8, const struct v8_thing *object, const struct v8_key *key,
                              v8_word *ret) {
    struct fast_object fast;
    bool is_accessor;
    if (!v8_is_js_object(v8, object->map)) return V8_ABSENT;
    if (object->map->bit_field3 & V8_MAP_IS_DICTIONARY)
        return own_in_dictionary(v8, v8_thing_ref(v8, object, v8->layout.js_properties), key, ret);
    if (!fast_load(v8, object, &fast)) return V8_ABSENT;
    for (uint32_t i = 0; i < fast.count; i++) {
        v8_word word;
        if (!v8_thing_word(v8, &fast.descriptors, row_at(v8, i), &word) || !v8_is_pointer(word)) continue;
        if (key->address ? v8_untag(word) != key->address : !key_matches(v8, key, v8_target(v8, word)))
            continue;
        if (!fast_value(v8, &fast, i, &is_accessor, ret)) return V8_ABSENT;
        return is_accessor ? V8_ACCESSOR : V8_DATA;
    }
    return V8_ABSENT;
}

bool v8_property_named(const struct v8 *v8, pm_addr address, const char *name, v8_word *ret) {
    struct v8_thing object;
    struct v8_key key = {.text = name},
                  symbol = {.text = name, .symbol = true}; /* #private names are symbols */
    v8_word value;
    if (!v8_thing_load(v8, address, &object)) return false;
    if (v8_own_property(v8, &object, &key, &value) != V8_DATA &&
        v8_own_property(v8, &object, &symbol, &value) != V8_DATA)
        return false;
    *ret = value;
    return true;
}
