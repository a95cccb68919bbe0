/* layout.h - the layout of V8 in one core: discovered (discover.c, fields.c), validated (validate.c), then
 * frozen.
 *
 * Nothing here depends on a version number. Every constant remembers where it came from:
 *   PUBLISHED   the binary says so: v8dbg_* symbols, tables, machine code of an accessor
 *   DISCOVERED  the structure of this core shows it
 *   VARIANT     one of the few shapes that ever existed, the one that fits this core
 *   KNOWN       table of known builds (fallback only)
 * A field that is absent in this version is all zero: never "offset 0".
 *
 * TO ADD A V8 VERSION with a new shape: a variant in variants/TYPE.c (size rules) or in fields.c (field
 * offsets), the V8 source file and version in its comment, and a case in `make test-all`. */
#ifndef PM_V8LAYOUT_LAYOUT_H
#define PM_V8LAYOUT_LAYOUT_H

#include "parsers/core_file.h"
#include "v8layout/tagged.h"

enum v8_type {
    V8_T_OTHER,  /* a type this program has no name for */
    V8_T_STRING, /* instance type below first_nonstring: see v8_string_shape */
#define V8_TYPE(name) V8_T_##name,
#include "v8layout/types.def"
#undef V8_TYPE
    V8_TYPE_COUNT
};
const char *v8_type_name(enum v8_type type);

/* Strings of every version (src/objects/instance-type.h): representation in bits 0-2. */
enum v8_string_shape {
    V8_STRING_SEQ = 0,
    V8_STRING_CONS = 1,
    V8_STRING_EXTERNAL = 2,
    V8_STRING_SLICED = 3,
    V8_STRING_THIN = 5
};
#define V8_STRING_SHAPE_MASK       7u
#define V8_STRING_ONE_BYTE         8u
#define V8_STRING_UNCACHED         16u /* external without the data pointer */
#define V8_STRING_NOT_INTERNALIZED 32u

enum v8_origin { V8_MISSING, V8_PUBLISHED, V8_DISCOVERED, V8_VARIANT, V8_KNOWN };

struct v8_field {    /* all zero = this version has no such field, or it could not be found */
    uint16_t offset; /* from the untagged object start */
    bool present;
    uint8_t origin; /* enum v8_origin */
};

/* Size of objects whose map says instance_size_in_words == 0: variants/sizes.c. */
enum v8_size_kind {
    V8_SIZE_NONE,   /* unknown: an object of this type cannot be sized */
    V8_SIZE_FIXED,  /* base */
    V8_SIZE_LINEAR, /* align8(base + scale * u32@offset) */
    V8_SIZE_SPECIAL /* computed by variants/sizes.c from the type */
};
struct v8_size_rule {
    uint8_t kind;
    uint8_t offset;
    uint16_t scale;
    uint32_t base;
};

#define V8_MAX_INSTANCE_TYPE 4096 /* highest seen: 2160 (JS_WEAK_REF and WASM objects of V8 13) */

enum v8_space_id { /* names of v8.getHeapSpaceStatistics() in v8_space_name() */
                   V8_SPACE_NONE,
                   V8_SPACE_RO,
                   V8_SPACE_NEW,
                   V8_SPACE_OLD,
                   V8_SPACE_CODE,
                   V8_SPACE_MAP,
                   V8_SPACE_SHARED,
                   V8_SPACE_TRUSTED,
                   V8_SPACE_SHARED_TRUSTED,
                   V8_SPACE_NEW_LO,
                   V8_SPACE_LO,
                   V8_SPACE_CODE_LO,
                   V8_SPACE_SHARED_LO,
                   V8_SPACE_SHARED_TRUSTED_LO,
                   V8_SPACE_TRUSTED_LO,
                   V8_SPACE_COUNT
};
const char *v8_space_name(enum v8_space_id id); /* "old_space", "large_object_space" ... */

struct v8_layout {
    enum pm_machine machine;
    char v8_version[64], node_version[64]; /* "" = not found; for display only, nothing may ask for them */

    /* Instance types: number -> name. */
    uint16_t type_of[V8_MAX_INSTANCE_TYPE]; /* enum v8_type */
    struct v8_size_rule size_of[V8_MAX_INSTANCE_TYPE];
    uint16_t number_of[V8_TYPE_COUNT]; /* the reverse; 0 = absent (0 is a string) */
    uint16_t first_nonstring;          /* 64 in V8 9, 128 since: strings are the numbers below */
    uint16_t first_js_receiver, first_js_object, last_api_object;
    enum v8_origin types_origin;

    /* Chunks of 256 KiB (src/heap/memory-chunk-layout.h, mutable-page.h). Offsets inside the header, or
     * inside the metadata object that chunk + chunk_metadata points to when has_metadata (V8 12.9 and later).
     */
    bool has_metadata;
    uint16_t chunk_metadata;
    struct v8_field chunk_size, chunk_flags /* always in the chunk itself */, chunk_heap, chunk_area_start,
        chunk_area_end, chunk_owner, chunk_allocated, chunk_list_next, chunk_list_prev;
    uint64_t flag_from_page, flag_to_page;

    /* Isolate and Heap (src/execution/isolate.h, src/heap/heap.h). Offsets from the Isolate unless said. */
    uint32_t heap_in_isolate;
    uint32_t root_register_bias; /* root register = Isolate + this */
    uint32_t roots_table, roots_count;
    const char *const *root_names; /* roots_count names, lower case without _root */
    struct v8_field space_array /* in Heap */, read_only_space /* in Heap */, gc_state /* in Heap */;
    uint32_t current_page; /* in the new-space owner object: SemiSpace::current_page_; 0 = not found */
    uint32_t c_entry_fp, js_entry_sp, context, exception,
        handler; /* ThreadLocalTop, from the Isolate; 0 = not found */
    uint32_t handle_scope_data, handle_scope_implementer, global_handles, eternal_handles; /* 0 = not found */
    uint32_t node_space_in_global_handles;
    enum v8_origin origin_heap_in_isolate, origin_roots, origin_gc_state, origin_c_entry_fp;

    uint32_t code_alignment; /* InstructionStream: 64 on x86-64, 32 on aarch64 and in V8 9.4 */

    /* Fields of objects: fields.def. */
#define V8_FIELD(id, type, class_name, field_names, what) struct v8_field id;
#include "v8layout/fields.def"
#undef V8_FIELD

    /* Forms that are not one offset: fields.c chooses and says why. */
    uint8_t location_bit;           /* PropertyDetails: bit of "in descriptor": 1 (V8 9.4) or 5 */
    uint8_t name_dictionary_prefix; /* words before the entries: 2 or 3 */
    bool source_positions_unsigned; /* encoding of source position tables: V8 14.1 and later */
    bool scope_info_new_form;       /* flags u32@8, positions always at 32/40 (V8 13 and later) */
    uint8_t scope_info_form;        /* which of the forms in variants/scope_info.c */
    bool trusted_function_data;     /* SharedFunctionInfo has trusted and untrusted data words */
    bool hash_table_hole;           /* deleted OrderedHashTable keys are hash_table_hole, not the_hole */
    bool context_cells;             /* context slots may hold ContextCells */
};

#endif
