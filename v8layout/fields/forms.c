#include "v8layout/fields/finder.h"

#include "v8layout/maps.h"
#include "v8layout/variants/scope_info.h"

#include <string.h>

/* forms.c - what is not one offset: bits of property details, encodings, the form of ScopeInfos and dates. */

enum { FIRST_V8_11 = 3, FIRST_V8_13 = 5, FIRST_V8_14 = 6 }; /* columns of rules.c */

/* PropertyDetails: accessors always stand in the descriptor, data nearly always in a field; so one bit goes
 * with the kind. */
static uint8_t find_location_bit(struct finder *f) {
    static const uint8_t bits[] = {5, 1}; /* V8 10 and later; 9.4 */
    unsigned agree[2] = {0};
    int64_t published;
    if (v8_facts_constant(f->v8->facts, "prop_location_shift", &published) &&
        (published == 1 || published == 5))
        return (uint8_t)published;
    uint64_t header = f->v8->layout.descriptor_header.offset;
    for (uint16_t i = 0; i < f->count[K_DESCRIPTORS]; i++) {
        const struct sample *sample = &f->samples[K_DESCRIPTORS][i];
        for (uint64_t row = header; row + 24 <= sample->size; row += 24) {
            uint32_t details = v8_sample_smi(f, sample, row + 8);
            if (details == UINT32_MAX) continue;
            for (unsigned k = 0; k < 2; k++)
                agree[k] += (details >> bits[k] & 1) == (details & V8_DETAILS_ACCESSOR);
        }
    }
    return agree[1] > agree[0] ? bits[1] : bits[0];
}

static uint8_t find_dictionary_prefix(struct finder *f) {
    unsigned votes[4] = {0};
    int64_t published;
    if (v8_facts_constant(f->v8->facts, "namedictionaryshape_prefix_size", &published) &&
        (published == 2 || published == 3))
        return (uint8_t)published;
    for (uint16_t i = 0; i < f->count[K_NAME_DICTIONARY]; i++) {
        const struct sample *sample = &f->samples[K_NAME_DICTIONARY][i];
        uint64_t words = (sample->size - 16) / 8, capacity = v8_sample_smi(f, sample, 32);
        uint64_t prefix = words - 3 - 3 * capacity;
        if (prefix < 4) votes[prefix]++;
    }
    if (votes[2] + votes[3] == 0) return v8_best_column(f, K_NONE) < FIRST_V8_11 ? 2 : 3;
    return votes[2] > votes[3] ? 2 : 3;
}

static bool scope_fits(struct finder *f, pm_addr scope_info, uint8_t form) {
    struct v8_scope scope;
    return v8_scope_load(f->v8, scope_info, form, &scope) && scope.size == scope.info.size;
}

/* The form whose parts fill the most ScopeInfos; modules are rare and have parts of their own, so theirs are
 * looked for. */
static unsigned scope_form_hits(struct finder *f, uint8_t form) {
    unsigned hits = 0;
    for (uint16_t i = 0; i < f->count[K_SCOPE_INFO]; i++)
        hits += scope_fits(f, f->samples[K_SCOPE_INFO][i].address, form);
    for (uint16_t i = 0; i < f->count[K_MODULE_CONTEXT]; i++) {
        const struct sample *sample = &f->samples[K_MODULE_CONTEXT][i];
        hits += scope_fits(f, v8_sample_target(f, sample, f->v8->layout.context_scope_info.offset), form);
    }
    return hits;
}

static void find_scope_form(struct finder *f) {
    static const uint8_t of_column[V8_COLUMNS] = {0, 1, 2, 3, 4, 5, 6};
    struct v8_layout *layout = &f->v8->layout;
    layout->scope_info_form = of_column[v8_best_column(f, K_NONE)];
    unsigned best_hits = scope_form_hits(f, layout->scope_info_form);
    for (uint8_t form = 0; form < v8_scope_form_count(); form++) {
        unsigned hits = scope_form_hits(f, form);
        if (hits <= best_hits) continue;
        best_hits = hits;
        layout->scope_info_form = form;
    }
    layout->scope_info_new_form = v8_scope_form_is_new(layout->scope_info_form);
}

/* JSDate: a tagged number (Smi, HeapNumber, undefined) or, in V8 13 and later, the double itself. */
static void find_date_form(struct finder *f) {
    struct v8_layout *layout = &f->v8->layout;
    unsigned raw = 0, tagged = 0;
    for (uint16_t i = 0; layout->date_value.present && i < f->count[K_DATE]; i++) {
        v8_word word;
        enum v8_type type;
        if (!v8_sample_word(f, &f->samples[K_DATE][i], layout->date_value.offset, &word)) continue;
        unsigned is = v8_classify(f->v8, word, &type);
        raw += is == IS_RAW;
        tagged += type == V8_T_HEAP_NUMBER || (is & IS_ODDBALL);
    }
    bool decided = raw + tagged > 0;
    if (decided ? raw > tagged : v8_best_column(f, K_NONE) >= FIRST_V8_13)
        layout->date_is_raw = (struct v8_field){.offset = layout->date_value.offset,
                                                .present = true,
                                                .origin = decided ? V8_DISCOVERED : V8_VARIANT};
}

/* Deleted keys of Map and Set: hash_table_hole since V8 13, a hole of its own. */
static bool find_hash_table_hole(struct finder *f) {
    pm_addr hole = v8_root(f->v8, "hash_table_hole_value");
    return hole != 0 || (!f->v8->layout.root_names && v8_best_column(f, K_NONE) >= FIRST_V8_13);
}

/* Functions come in some twenty instance types (class constructors, constructors of builtins), which the
 * roots do not show and v8dbg constants do not name. Callable objects with a SharedFunctionInfo where
 * functions have it are functions, so where the binary does not publish these numbers they are learned here.
 * They are one block of numbers: what lies between two of them is one, too, also when no sample had it. */
static void learn_function_types(struct finder *f) {
    enum { MOST_FUNCTION_TYPES = 24 };
    struct v8_layout *layout = &f->v8->layout;
    uint16_t first = layout->number_of[V8_T_JS_FUNCTION], last = first;
    bool learned = false;
    for (uint16_t i = 0; layout->function_shared.present && i < f->count[K_CALLABLE]; i++) {
        const struct sample *sample = &f->samples[K_CALLABLE][i];
        pm_addr shared = v8_sample_target(f, sample, layout->function_shared.offset);
        if (v8_type_at(f->v8, shared) != V8_T_SHARED_FUNCTION_INFO) continue;
        uint16_t number = sample->map->instance_type;
        layout->type_of[number] = V8_T_JS_FUNCTION;
        if (number < first || !first) first = number;
        if (number > last) last = number;
        learned = true;
    }
    for (uint16_t number = first; learned && last - first < MOST_FUNCTION_TYPES && number < last; number++)
        if (layout->type_of[number] == V8_T_OTHER) layout->type_of[number] = V8_T_JS_FUNCTION;
    if (learned) v8_map_table_refresh(f->v8->maps, f->v8);
}

/* Two roots that names.c needs for every object it names: looked up once. */
static struct v8_field find_root(const struct v8_layout *layout, const char *name) {
    for (uint32_t i = 0; layout->root_names && i < layout->roots_count && i < UINT16_MAX / 8; i++)
        if (strcmp(layout->root_names[i], name) == 0)
            return (struct v8_field){
                .offset = (uint16_t)(8 * i), .present = true, .origin = (uint8_t)layout->origin_roots};
    return (struct v8_field){0};
}

void v8_find_forms(struct finder *f) {
    struct v8_layout *layout = &f->v8->layout;
    layout->root_to_string_tag = find_root(layout, "to_string_tag_symbol");
    layout->root_constructor = find_root(layout, "constructor_string");
    learn_function_types(f);
    layout->location_bit = find_location_bit(f);
    layout->name_dictionary_prefix = find_dictionary_prefix(f);
    layout->source_positions_unsigned = v8_positions_are_unsigned(f);
    if (f->count[K_BYTECODE] == 0)
        layout->source_positions_unsigned = v8_best_column(f, K_NONE) >= FIRST_V8_14;
    find_scope_form(f);
    find_date_form(f);
    layout->trusted_function_data = layout->shared_untrusted_data.present;
    layout->hash_table_hole = find_hash_table_hole(f);
    layout->context_cells = layout->number_of[V8_T_CONTEXT_CELL] != 0;
    if (layout->code_instruction_size.present && layout->code_metadata_size.origin != V8_PUBLISHED)
        layout->code_metadata_size =
            (struct v8_field){.offset = (uint16_t)(layout->code_instruction_size.offset + 4),
                              .present = true,
                              .origin = layout->code_instruction_size.origin};
    if (layout->array_buffer_store.present && layout->array_buffer_extension.origin != V8_PUBLISHED)
        layout->array_buffer_extension =
            (struct v8_field){.offset = (uint16_t)(layout->array_buffer_store.offset + 8),
                              .present = true,
                              .origin = V8_VARIANT}; /* the next field in all versions */
    if (!layout->context_cells) layout->context_cell_value = (struct v8_field){0};
    if (!layout->number_of[V8_T_INSTRUCTION_STREAM]) layout->stream_code = (struct v8_field){0};
    if (layout->function_code.present &&
        layout->function_code.offset == layout->function_dispatch_handle.offset)
        layout->function_dispatch_handle = (struct v8_field){0};
    /* V8 up to 12 has one slot for both. */
    if (layout->shared_untrusted_data.present &&
        layout->shared_untrusted_data.offset == layout->shared_function_data.offset)
        layout->shared_untrusted_data = (struct v8_field){0};
}
