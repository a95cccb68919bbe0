#include <stdio.h>
#include <string.h>

#include "v8layout/js_frames.h"
#include "v8layout/stack_walk.h"

/* frames_explain.c - `layouts --explain`, the part of the stack walk. */

struct rows {
    struct pm_arena *arena;
    struct pm_layout_row items[16];
    size_t count;
};

static void add(struct rows *rows, const char *name, const char *value, const char *origin,
                const char *evidence) {
    if (rows->count < sizeof(rows->items) / sizeof(rows->items[0]))
        rows->items[rows->count++] = (struct pm_layout_row){name, value, origin, evidence};
}

static void add_builtins(struct rows *rows, const struct v8_codes *codes) {
    pm_addr start, end;
    const char *evidence;
    for (size_t i = 0; i < 4 && v8_codes_blob(codes, i, &start, &end, &evidence); i++)
        add(rows, "builtins",
            pm_arena_printf(rows->arena, "0x%llx to 0x%llx", (unsigned long long)start,
                            (unsigned long long)end),
            strcmp(evidence, "fields of the Isolate") == 0 ? "discovered" : "published", evidence);
    if (v8_codes_blob_count(codes) == 0) add(rows, "builtins", NULL, "missing", "no symbols, no accessors");
    add(rows, "names of builtins", v8_codes_have_names(codes) ? "Builtins_*" : NULL,
        v8_codes_have_names(codes) ? "published" : "missing",
        "symbols; frames are told by their content without them");
}

struct pm_error *v8_frames_explain(const struct v8 *v8, struct pm_diagnosis *diagnosis) {
    struct rows rows = {.arena = diagnosis->arena};
    struct v8_stacks stacks = {.v8 = v8};
    struct v8_codes *codes = v8_codes_create(v8);
    if (!codes) return pm_error_nomem();
    (void)v8_stacks_frame_types(&stacks, 0);
    if (stacks.types.origin == V8_PUBLISHED)
        add(&rows, "frame types", pm_arena_printf(rows.arena, "%u", stacks.types.published), "published",
            "v8dbg_frametype_*");
    else
        add(&rows, "frame types", NULL, "variant",
            "not published: the list that fits the frames of the stacks");
    add_builtins(&rows, codes);
    if (v8_opcodes_load(&stacks.opcodes, v8))
        add(&rows, "deoptimisation opcodes", pm_arena_printf(rows.arena, "%u", stacks.opcodes.count),
            strncmp(stacks.opcodes.evidence, "names", 5) == 0 ? "published" : "discovered",
            stacks.opcodes.evidence);
    else
        add(&rows, "deoptimisation opcodes", NULL, "missing", "inlined functions come from position tables");
    v8_deopt_forms(&stacks.deopt_forms, v8);
    add(&rows, "DeoptimizationData",
        stacks.deopt_forms.published
            ? pm_arena_printf(rows.arena, "literals at %u", stacks.deopt_forms.items[0].literals)
            : NULL,
        stacks.deopt_forms.published ? "published" : "variant",
        stacks.deopt_forms.published ? "v8dbg_DeoptimizationData*Index" : "the form whose function is one");
    v8_codes_destroy(codes);

    size_t all = diagnosis->layout_count + rows.count;
    struct pm_layout_row *layout = pm_arena_array(diagnosis->arena, all, sizeof(*layout));
    if (!layout) return pm_error_nomem();
    if (diagnosis->layout_count) memcpy(layout, diagnosis->layout, diagnosis->layout_count * sizeof(*layout));
    memcpy(layout + diagnosis->layout_count, rows.items, rows.count * sizeof(*layout));
    diagnosis->layout = layout;
    diagnosis->layout_count = all;
    diagnosis->has_layout = true;
    return NULL;
}
