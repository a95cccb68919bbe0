#include "v8layout/discover/finder.h"

#include "postmortem/base/checked.h"
#include "v8layout/maps.h"
#include "v8layout/variants/sizes.h"

#include <string.h>

#define SAMPLE_PAGES 400

/* ---- choosing among shapes ---- */

/* For every type with several possible shapes, each shape gets a point for each sampled object behind which a
 * map stands. */
static bool is_of_this_age(const struct v8_layout *layout, const struct v8_size_variant *variant) {
    if (variant->needs == V8_NEEDS_X86_64) return layout->machine == PM_MACHINE_X86_64;
    return variant->needs == 0 || layout->number_of[variant->needs] != 0;
}

/* The shape with most points. Of equals the first one whose companion type exists. Of a type nobody knows
 * (its last guess is "up to the next map") a formula is believed only when it fits many objects without
 * exception. */
unsigned v8_best_rule(const struct v8_layout *layout, const struct v8_rule_points *points,
                      const struct v8_size_variant *variants, size_t count) {
    unsigned best = 0;
    while (best + 1 < count && !is_of_this_age(layout, &variants[best])) best++;
    for (unsigned i = 0; i < count; i++)
        if (points->points[i] > points->points[best]) best = i;
    const struct v8_size_rule *last = &variants[count - 1].rule;
    bool is_guess = count > 1 && last->kind == V8_SIZE_SPECIAL && last->scale == V8_SIZE_NEXT_MAP;
    if (is_guess && (points->samples < 8 || points->points[best] < points->samples))
        return (unsigned)count - 1;
    return best;
}

/* ---- size rules ---- */

static bool behind_is_object(const struct v8 *v8, const struct v8_page *page, pm_addr next) {
    v8_word word;
    if (next == page->end || next == page->skip_start) return true;
    if (next > page->end || !pm_mem_u64(v8->mem, next, &word)) return false;
    return v8_is_map_word(v8, word);
}

/* Contexts have no roots and no v8dbg numbers: where the table of names is not published they show themselves
 * by a ScopeInfo in their first slot. The native context is the one with hundreds of slots and a raw word
 * behind them. */
static void recognise_context(struct v8 *v8, const struct v8_page *page, const struct v8_map *map,
                              pm_addr object) {
    struct v8_layout *layout = &v8->layout;
    uint64_t length, scope_info;
    uint16_t type = map->instance_type;
    if (!layout->number_of[V8_T_SCOPE_INFO] || !pm_mem_u64(v8->mem, object + 8, &length) ||
        !v8_is_smi(length) || v8_smi(length) < 2 || !pm_mem_u64(v8->mem, object + 16, &scope_info) ||
        !v8_is_strong(scope_info))
        return;
    const struct v8_map *first = v8_map(v8, v8_untag(scope_info));
    if (!first || first->type != V8_T_SCOPE_INFO) return;
    uint64_t slots = (uint64_t)v8_smi(length);
    enum v8_type found = slots > 150 && behind_is_object(v8, page, object + 24 + 8 * slots)
                             ? V8_T_NATIVE_CONTEXT
                         : behind_is_object(v8, page, object + 16 + 8 * slots) ? V8_T_FUNCTION_CONTEXT
                                                                               : V8_T_OTHER;
    if (found == V8_T_OTHER) return;
    size_t count;
    layout->type_of[type] = (uint16_t)found;
    if (!layout->number_of[found]) layout->number_of[found] = type;
    layout->size_of[type] = v8_size_variants(found, &count)[0].rule;
    v8_map_table_refresh(v8->maps, v8);
}

static void sample_page(struct v8 *v8, const struct v8_page *page, struct v8_rule_points *points) {
    uint64_t left = page->end - page->start;
    const uint8_t *base = pm_mem_view_some(v8->mem, page->start, &left);
    if (!base) return;
    if (left > page->end - page->start) left = page->end - page->start;
    if (page->large && left > 64 * 1024) return; /* one object, nothing stands behind it */
    for (uint64_t at = 0; at + 16 <= left;) {
        if (page->start + at == page->skip_start && page->skip_end > page->skip_start) { /* it may be full */
            at = page->skip_end - page->start;
            continue;
        }
        v8_word word = pm_load_u64(base + at);
        const struct v8_map *map = v8_is_strong(word) ? v8_map_at(v8, v8_untag(word)) : NULL;
        if (!map) {
            at += 8;
            continue;
        }
        uint64_t size = 0;
        if (map->type == V8_T_OTHER && !map->fixed_size) recognise_context(v8, page, map, page->start + at);
        if (map->fixed_size || map->type == V8_T_STRING) {
            struct v8_size_rule rule = v8->layout.size_of[map->instance_type];
            size = v8_object_size(v8, map, &rule, base + at, left - at);
        } else {
            size_t count;
            const struct v8_size_variant *rules = v8_size_variants((enum v8_type)map->type, &count);
            struct v8_rule_points *row = &points[map->instance_type];
            row->samples++;
            for (unsigned i = 0; i < count && i < 10; i++) {
                uint64_t guess = v8_object_size(v8, map, &rules[i].rule, base + at, left - at);
                if (guess >= 8 && (guess & 7) == 0 && guess <= left - at &&
                    behind_is_object(v8, page, page->start + at + guess))
                    row->points[i]++;
            }
            size = v8_object_size(v8, map, &rules[v8_best_rule(&v8->layout, row, rules, count)].rule,
                                  base + at, left - at);
        }
        at += size >= 8 && (size & 7) == 0 && size <= left - at ? size : 8;
    }
}

/* The first pages of the main isolate's spaces hold what the start-up snapshot and the program's modules
 * brought: code, bytecode, feedback, one of everything. */
static void sample_first_pages(struct v8_finder *f, struct v8_rule_points *points) {
    enum { MOST_FIRST_PAGES = 4 }; /* of a space; a damaged list may begin anew at every page */
    struct v8 *v8 = f->v8;
    const struct v8_layout *layout = &v8->layout;
    unsigned begun[V8_SPACE_COUNT] = {0};
    for (size_t i = 0; i < v8->page_count; i++) {
        struct v8_page *page = &v8->pages[i], *before;
        pm_addr header, prev, start;
        if (page->isolate != 0 || !page->live || page->large || !layout->chunk_list_prev.present ||
            !v8_chunk_header(f, page->chunk, layout->has_metadata, layout->chunk_metadata, &header) ||
            !v8_finder_u64(f, header + layout->chunk_list_prev.offset, &prev))
            continue;
        before =
            v8_plausible_pointer(prev) && v8_finder_u64(f, prev + layout->chunk_area_start.offset, &start)
                ? v8_page_at(v8, start)
                : NULL;
        if ((before && before->space == page->space) || begun[page->space]++ >= MOST_FIRST_PAGES) continue;
        for (unsigned k = 0; page && k < 24; k++) {
            if (page->live) sample_page(v8, page, points);
            page = v8_next_page(f, page);
        }
    }
}

/* Takes the best shapes; true = one is not what it was. */
static bool adopt_rules(struct v8_layout *layout, const struct v8_rule_points *points) {
    bool changed = false;
    for (unsigned type = layout->first_nonstring; type < V8_MAX_INSTANCE_TYPE; type++) {
        size_t count;
        const struct v8_size_variant *variants =
            v8_size_variants((enum v8_type)layout->type_of[type], &count);
        if (!points[type].samples) continue;
        struct v8_size_rule best = variants[v8_best_rule(layout, &points[type], variants, count)].rule;
        changed |= memcmp(&best, &layout->size_of[type], sizeof(best)) != 0;
        layout->size_of[type] = best;
    }
    return changed;
}

bool v8_relearn_sizes(struct v8 *v8, const uint32_t *pages, size_t count) {
    struct v8_rule_points *points = calloc(V8_MAX_INSTANCE_TYPE, sizeof(*points));
    if (!points) return false;
    for (size_t i = 0; i < count && i < SAMPLE_PAGES; i++) sample_page(v8, &v8->pages[pages[i]], points);
    bool changed = adopt_rules(&v8->layout, points);
    free(points);
    if (changed) v8_map_table_refresh(v8->maps, v8);
    return changed;
}

struct pm_error *v8_find_size_rules(struct v8_finder *f) {
    struct v8 *v8 = f->v8;
    struct v8_layout *layout = &v8->layout;
    struct v8_rule_points *points = calloc(V8_MAX_INSTANCE_TYPE, sizeof(*points));
    if (!points) return pm_error_nomem();
    static const uint32_t alignments[] = {64, 32};
    int64_t header;
    /* Pages of every space: the rare types (code, bytecode, feedback) live in few of them. */
    size_t per_space[V8_SPACE_COUNT] = {0}, taken[V8_SPACE_COUNT] = {0};
    for (size_t i = 0; i < v8->page_count; i++) per_space[v8->pages[i].space]++;
    uint64_t code_good[2] = {0};
    for (unsigned a = 0; a < 2; a++) { /* the alignment of code first: it decides where code pages go on */
        struct v8_rule_points *trial = calloc(V8_MAX_INSTANCE_TYPE, sizeof(*trial));
        if (!trial) break;
        layout->code_alignment = alignments[a];
        unsigned pages = 0;
        for (size_t i = 0; i < v8->page_count && pages < 8; i++)
            if (v8->pages[i].live && v8->pages[i].space == V8_SPACE_CODE)
                sample_page(v8, &v8->pages[i], trial), pages++;
        const uint16_t code_types[] = {layout->number_of[V8_T_CODE],
                                       layout->number_of[V8_T_INSTRUCTION_STREAM]};
        for (unsigned t = 0; t < 2; t++) {
            const struct v8_rule_points *row = &trial[code_types[t]];
            if (code_types[t] && row->samples)
                code_good[a] += 1000ull *
                                (row->points[0] > row->points[1] ? row->points[0] : row->points[1]) /
                                row->samples;
        }
        free(trial);
    }
    layout->code_alignment = code_good[1] > code_good[0] ? 32 : 64;
    sample_first_pages(f, points);
    for (size_t i = 0; i < v8->page_count; i++) {
        const struct v8_page *page = &v8->pages[i];
        size_t wanted = page->space == V8_SPACE_OLD || page->space == V8_SPACE_NEW ? 64 : 32;
        size_t step = per_space[page->space] / wanted + 1;
        if (!page->live || taken[page->space]++ % step) continue;
        sample_page(v8, page, points);
    }
    adopt_rules(layout, points);
    free(points);
    /* What the binary says of headers outweighs the samples, where a type is rare. */
    uint16_t bytecode = layout->number_of[V8_T_BYTECODE_ARRAY];
    if (bytecode && v8_facts_class_field(v8->facts, "BytecodeArray", "data", &header) && header >= 40 &&
        header <= 128)
        layout->size_of[bytecode].base = (uint32_t)header;
    v8_map_table_refresh(v8->maps, v8);
    return NULL;
}
