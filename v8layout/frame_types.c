#include "v8layout/frame_types.h"

#include <stdio.h>
#include <string.h>

static const char *const names[V8_FT_COUNT] = {
    [V8_FT_NONE] = "",
#define V8_FRAME_TYPE(id, name) [V8_FT_##id] = name,
#include "v8layout/frame_types.def"
#undef V8_FRAME_TYPE
};

/* The lists that were seen, number 1 first. Wasm types are in all official builds. */
static const struct {
    const char *versions;
    uint8_t count;
    uint8_t types[40];
} variants[] = {
    {"V8 14",
     34,
     {V8_FT_ENTRY,
      V8_FT_CONSTRUCT_ENTRY,
      V8_FT_EXIT,
      V8_FT_INTERPRETED,
      V8_FT_BASELINE,
      V8_FT_MAGLEV,
      V8_FT_TURBOFAN,
      V8_FT_STUB,
      V8_FT_TURBOFAN_STUB,
      V8_FT_BUILTIN_CONTINUATION,
      V8_FT_JS_CONTINUATION,
      V8_FT_JS_CONTINUATION_CATCH,
      V8_FT_INTERNAL,
      V8_FT_CONSTRUCT,
      V8_FT_FAST_CONSTRUCT,
      V8_FT_BUILTIN,
      V8_FT_BUILTIN_EXIT,
      V8_FT_API_CALLBACK_EXIT,
      V8_FT_API_CONSTRUCT_EXIT,
      V8_FT_API_ACCESSOR_EXIT,
      V8_FT_API_INDEXED_EXIT,
      V8_FT_NATIVE,
      V8_FT_IRREGEXP,
      V8_FT_WASM,
      V8_FT_WASM_TO_JS,
      V8_FT_JS_TO_WASM,
      V8_FT_STACK_SWITCH,
      V8_FT_WASM_DEBUG_BREAK,
      V8_FT_C_WASM_ENTRY,
      V8_FT_WASM_STACK_ENTRY,
      V8_FT_WASM_STACK_EXIT,
      V8_FT_WASM_EXIT,
      V8_FT_WASM_LIFTOFF_SETUP,
      V8_FT_WASM_SEGMENT_START}},
    {"V8 13",
     31,
     {V8_FT_ENTRY,
      V8_FT_CONSTRUCT_ENTRY,
      V8_FT_EXIT,
      V8_FT_WASM,
      V8_FT_WASM_TO_JS,
      V8_FT_WASM_TO_JS_FUNCTION,
      V8_FT_JS_TO_WASM,
      V8_FT_STACK_SWITCH,
      V8_FT_WASM_DEBUG_BREAK,
      V8_FT_C_WASM_ENTRY,
      V8_FT_WASM_EXIT,
      V8_FT_WASM_LIFTOFF_SETUP,
      V8_FT_WASM_SEGMENT_START,
      V8_FT_INTERPRETED,
      V8_FT_BASELINE,
      V8_FT_MAGLEV,
      V8_FT_TURBOFAN,
      V8_FT_STUB,
      V8_FT_TURBOFAN_STUB,
      V8_FT_BUILTIN_CONTINUATION,
      V8_FT_JS_CONTINUATION,
      V8_FT_JS_CONTINUATION_CATCH,
      V8_FT_INTERNAL,
      V8_FT_CONSTRUCT,
      V8_FT_FAST_CONSTRUCT,
      V8_FT_BUILTIN,
      V8_FT_BUILTIN_EXIT,
      V8_FT_API_CALLBACK_EXIT,
      V8_FT_API_ACCESSOR_EXIT,
      V8_FT_NATIVE,
      V8_FT_IRREGEXP}},
    {"V8 12",
     29,
     {V8_FT_ENTRY,
      V8_FT_CONSTRUCT_ENTRY,
      V8_FT_EXIT,
      V8_FT_WASM,
      V8_FT_WASM_TO_JS,
      V8_FT_WASM_TO_JS_FUNCTION,
      V8_FT_JS_TO_WASM,
      V8_FT_STACK_SWITCH,
      V8_FT_WASM_DEBUG_BREAK,
      V8_FT_C_WASM_ENTRY,
      V8_FT_WASM_EXIT,
      V8_FT_WASM_LIFTOFF_SETUP,
      V8_FT_INTERPRETED,
      V8_FT_BASELINE,
      V8_FT_MAGLEV,
      V8_FT_TURBOFAN,
      V8_FT_STUB,
      V8_FT_TURBOFAN_STUB,
      V8_FT_BUILTIN_CONTINUATION,
      V8_FT_JS_CONTINUATION,
      V8_FT_JS_CONTINUATION_CATCH,
      V8_FT_INTERNAL,
      V8_FT_CONSTRUCT,
      V8_FT_FAST_CONSTRUCT,
      V8_FT_BUILTIN,
      V8_FT_BUILTIN_EXIT,
      V8_FT_API_CALLBACK_EXIT,
      V8_FT_NATIVE,
      V8_FT_IRREGEXP}},
    {"V8 11",
     27,
     {V8_FT_ENTRY,
      V8_FT_CONSTRUCT_ENTRY,
      V8_FT_EXIT,
      V8_FT_WASM,
      V8_FT_WASM_TO_JS,
      V8_FT_WASM_TO_JS_FUNCTION,
      V8_FT_JS_TO_WASM,
      V8_FT_STACK_SWITCH,
      V8_FT_WASM_DEBUG_BREAK,
      V8_FT_C_WASM_ENTRY,
      V8_FT_WASM_EXIT,
      V8_FT_WASM_LIFTOFF_SETUP,
      V8_FT_INTERPRETED,
      V8_FT_BASELINE,
      V8_FT_MAGLEV,
      V8_FT_TURBOFAN,
      V8_FT_STUB,
      V8_FT_TURBOFAN_STUB,
      V8_FT_BUILTIN_CONTINUATION,
      V8_FT_JS_CONTINUATION,
      V8_FT_JS_CONTINUATION_CATCH,
      V8_FT_INTERNAL,
      V8_FT_CONSTRUCT,
      V8_FT_BUILTIN,
      V8_FT_BUILTIN_EXIT,
      V8_FT_NATIVE,
      V8_FT_IRREGEXP}},
    {"V8 10",
     23,
     {V8_FT_ENTRY,
      V8_FT_CONSTRUCT_ENTRY,
      V8_FT_EXIT,
      V8_FT_WASM,
      V8_FT_WASM_TO_JS,
      V8_FT_JS_TO_WASM,
      V8_FT_STACK_SWITCH,
      V8_FT_WASM_DEBUG_BREAK,
      V8_FT_C_WASM_ENTRY,
      V8_FT_WASM_EXIT,
      V8_FT_WASM_COMPILE_LAZY,
      V8_FT_INTERPRETED,
      V8_FT_BASELINE,
      V8_FT_TURBOFAN,
      V8_FT_STUB,
      V8_FT_BUILTIN_CONTINUATION,
      V8_FT_JS_CONTINUATION,
      V8_FT_JS_CONTINUATION_CATCH,
      V8_FT_INTERNAL,
      V8_FT_CONSTRUCT,
      V8_FT_BUILTIN,
      V8_FT_BUILTIN_EXIT,
      V8_FT_NATIVE}},
    {"V8 9",
     22,
     {V8_FT_ENTRY,
      V8_FT_CONSTRUCT_ENTRY,
      V8_FT_EXIT,
      V8_FT_WASM,
      V8_FT_WASM_TO_JS,
      V8_FT_JS_TO_WASM,
      V8_FT_WASM_DEBUG_BREAK,
      V8_FT_C_WASM_ENTRY,
      V8_FT_WASM_EXIT,
      V8_FT_WASM_COMPILE_LAZY,
      V8_FT_INTERPRETED,
      V8_FT_BASELINE,
      V8_FT_TURBOFAN,
      V8_FT_STUB,
      V8_FT_BUILTIN_CONTINUATION,
      V8_FT_JS_CONTINUATION,
      V8_FT_JS_CONTINUATION_CATCH,
      V8_FT_INTERNAL,
      V8_FT_CONSTRUCT,
      V8_FT_BUILTIN,
      V8_FT_BUILTIN_EXIT,
      V8_FT_NATIVE}},
};

const char *v8_frame_type_name(enum v8_frame_type type) {
    return type < V8_FT_COUNT ? names[type] : "";
}

void v8_frame_types_published(struct v8_frame_types *types, const struct v8_facts *facts) {
    *types = (struct v8_frame_types){.origin = V8_MISSING};
    if (!facts) return;
    for (unsigned type = 1; type < V8_FT_COUNT; type++) {
        for (const char *name = names[type]; name && *name;) {
            size_t length = strcspn(name, "|");
            char fact[96];
            snprintf(fact, sizeof(fact), "frametype_%.*s", (int)length, name);
            int64_t number;
            if (v8_facts_constant(facts, fact, &number) && number > 0 && number < V8_MAX_FRAME_TYPE) {
                types->type_of[number] = (uint8_t)type;
                types->published++;
            }
            name += length + (name[length] == '|');
        }
    }
    if (types->type_of[0] == V8_FT_NONE && types->published >= 10) types->origin = V8_PUBLISHED;
}

bool v8_frame_types_variant(struct v8_frame_types *types, size_t index) {
    if (index >= sizeof(variants) / sizeof(variants[0])) return false;
    *types = (struct v8_frame_types){.origin = V8_VARIANT, .variant = variants[index].versions};
    memcpy(types->type_of + 1, variants[index].types, variants[index].count);
    return true;
}
