#include "postmortem/report/answers.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "postmortem/model/heap_answers.h"
#include "postmortem/report/format.h"

#define MOST_BLOCKS 96 /* three for each event loop that is shown */

/* ---- building ---- */

struct pm_answer *pm_answers_block(struct pm_answers *answers, const char *title, const char *lead,
                                   const struct pm_column *columns, size_t column_count) {
    static struct pm_answer lost;
    struct pm_answer *block = answers->count < MOST_BLOCKS ? &answers->items[answers->count++] : &lost;
    *block =
        (struct pm_answer){.title = title, .lead = lead, .columns = columns, .column_count = column_count};
    return block;
}

void pm_answers_cell(struct pm_answers *answers, struct pm_answer *block, const char *text) {
    if (block->cell_count == block->cell_room) {
        size_t room = block->cell_room ? block->cell_room * 2 : 64;
        const char **cells = pm_arena_array(answers->arena, room, sizeof(*cells));
        if (!cells) return;
        if (block->cell_count) memcpy(cells, block->cells, block->cell_count * sizeof(*cells));
        block->cells = cells;
        block->cell_room = room;
    }
    block->cells[block->cell_count++] = text ? pm_arena_strdup(answers->arena, text) : NULL;
}

void pm_answers_bytes(struct pm_answers *answers, struct pm_answer *block, uint64_t bytes) {
    char text[PM_NUMBER_TEXT];
    pm_answers_cell(answers, block, pm_format_bytes(text, bytes));
}

void pm_answers_count(struct pm_answers *answers, struct pm_answer *block, uint64_t count) {
    char text[PM_NUMBER_TEXT];
    pm_answers_cell(answers, block, pm_format_count(text, count));
}

static void cell_share(struct pm_answers *answers, struct pm_answer *block, uint64_t part, uint64_t whole) {
    char text[PM_NUMBER_TEXT];
    pm_answers_cell(answers, block, pm_format_share(text, part, whole));
}

static void cell_object(struct pm_answers *answers, struct pm_answer *block, uint64_t object) {
    char text[PM_NUMBER_TEXT];
    pm_answers_cell(answers, block,
                    object ? pm_format_object(text, answers->diagnosis->objects_by_id, object) : NULL);
}

#define MOST_DEPTH 64 /* of the rows of a dominator tree that one page shows */

#define LEAD(...) pm_arena_printf(answers->arena, __VA_ARGS__)

/* ---- groups of the histogram ---- */

static void add_groups(struct pm_answers *answers, const struct pm_isolate *isolate) {
    static const struct pm_column columns[] = {{"", PM_COLUMN_ELASTIC_PATH},
                                               {"count", PM_COLUMN_NUMBER},
                                               {"shallow", PM_COLUMN_NUMBER},
                                               {"share", PM_COLUMN_NUMBER},
                                               {"retained", PM_COLUMN_NUMBER}};
    uint64_t sum = 0, rest = 0;
    size_t limit = answers->options->limit ? answers->options->limit : 40;
    for (size_t i = 0; i < isolate->group_count; i++) sum += isolate->groups[i].shallow;
    struct pm_answer *block = pm_answers_block(
        answers, "Objects",
        LEAD("by %s: %zu in all.%s", isolate->grouped_by, isolate->group_count,
             strcmp(isolate->grouped_by, "space") != 0
                 ? " (none): made by V8 or Node itself, as plain objects, arrays and strings are."
                 : ""),
        columns, 5);
    for (size_t i = 0; i < isolate->group_count; i++) {
        const struct pm_class_row *row = &isolate->groups[i];
        if (i >= limit) {
            rest += row->shallow;
            continue;
        }
        pm_answers_cell(answers, block, row->name);
        pm_answers_count(answers, block, row->count);
        pm_answers_bytes(answers, block, row->shallow);
        cell_share(answers, block, row->shallow, sum);
        pm_answers_bytes(answers, block, row->retained);
    }
    char text[PM_NUMBER_TEXT];
    if (isolate->group_count > limit)
        block->rest = LEAD("%zu more with %s (--limit 0 shows all)", isolate->group_count - limit,
                           pm_format_bytes(text, rest));
}

/* ---- dominators ---- */

/* "and 1,602: 1,600 RequestLog, …", below the object that keeps them. */
static void add_rest_row(struct pm_answers *answers, struct pm_answer *block,
                         const struct pm_isolate *isolate, const struct pm_dominator_row *row) {
    char count[PM_NUMBER_TEXT], alike[PM_NUMBER_TEXT];
    unsigned indent = row->depth < 19 ? 2 * row->depth + 2 : 40;
    pm_answers_bytes(answers, block, row->rest_bytes);
    cell_share(answers, block, row->rest_bytes, isolate->reachable_bytes);
    pm_answers_cell(answers, block, "");
    if (row->rest_count == row->rest_class_count)
        pm_answers_cell(
            answers, block,
            LEAD("%*sand %s %s", (int)indent, "", pm_format_count(count, row->rest_count), row->rest_class));
    else
        pm_answers_cell(answers, block,
                        LEAD("%*sand %s: %s %s, …", (int)indent, "", pm_format_count(count, row->rest_count),
                             pm_format_count(alike, row->rest_class_count), row->rest_class));
    pm_answers_cell(answers, block, "");
}

static void add_dominators(struct pm_answers *answers, const struct pm_isolate *isolate) {
    const struct pm_dominator_row *open[MOST_DEPTH]; /* rows whose children are being listed */
    size_t open_count = 0;
    static const struct pm_column columns[] = {{"retained", PM_COLUMN_NUMBER},
                                               {"share", PM_COLUMN_NUMBER},
                                               {"shallow", PM_COLUMN_NUMBER},
                                               {"object", PM_COLUMN_ELASTIC},
                                               {"", PM_COLUMN_TEXT}};
    char count[PM_NUMBER_TEXT], bytes[PM_NUMBER_TEXT];
    struct pm_answer *block = pm_answers_block(
        answers, "Dominators",
        LEAD("%s reachable objects retain %s. Below an object stands what would be garbage without it.",
             pm_format_count(count, isolate->reachable_objects),
             pm_format_bytes(bytes, isolate->reachable_bytes)),
        columns, 5);
    for (size_t i = 0; i < isolate->dominator_count; i++) {
        const struct pm_dominator_row *row = &isolate->dominators[i];
        unsigned indent = row->depth < 20 ? 2 * row->depth : 40;
        const char *between = row->name ? ": " : "";
        while (open_count && open[open_count - 1]->depth >= row->depth)
            add_rest_row(answers, block, isolate, open[--open_count]);
        pm_answers_bytes(answers, block, row->retained);
        cell_share(answers, block, row->retained, isolate->reachable_bytes);
        pm_answers_bytes(answers, block, row->shallow);
        pm_answers_cell(answers, block,
                        LEAD("%*s%s%s%s", (int)indent, "", row->name ? row->name : "", between, row->label));
        cell_object(answers, block, row->object);
        if (row->rest_class && open_count < MOST_DEPTH) open[open_count++] = row;
    }
    while (open_count) add_rest_row(answers, block, isolate, open[--open_count]);
    if (!isolate->dominator_rest_count) return;
    block->rest =
        LEAD("and %s of %s smaller or deeper ones at the top (--limit N shows the N largest; --under OBJECT "
             "goes down)",
             pm_format_bytes(bytes, isolate->dominator_rest_bytes),
             pm_format_count(count, isolate->dominator_rest_count));
}

/* ---- retainers ---- */

static const char *position_text(struct pm_answers *answers, const struct pm_position *position) {
    if (!position->file) return NULL;
    return position->line ? LEAD("%s:%" PRIu32, position->file, position->line) : position->file;
}

static void add_way(struct pm_answers *answers, const struct pm_retention *ret) {
    static const struct pm_column columns[] = {{"object", PM_COLUMN_ELASTIC},
                                               {"refers by", PM_COLUMN_ELASTIC},
                                               {"retained", PM_COLUMN_NUMBER},
                                               {"", PM_COLUMN_TEXT},
                                               {"declared", PM_COLUMN_ELASTIC_PATH}};
    char bytes[PM_NUMBER_TEXT];
    struct pm_answer *block = pm_answers_block(answers, "Way", ret->path, columns, 5);
    for (size_t i = 0; i < ret->step_count; i++) {
        pm_answers_cell(answers, block, ret->steps[i].label);
        pm_answers_cell(answers, block, ret->steps[i].name);
        pm_answers_cell(answers, block,
                        ret->steps[i].object ? pm_format_bytes(bytes, ret->steps[i].retained) : NULL);
        cell_object(answers, block, ret->steps[i].object);
        pm_answers_cell(answers, block, position_text(answers, &ret->steps[i].position));
    }
}

static void add_referrers(struct pm_answers *answers, const struct pm_retention *ret) {
    static const struct pm_column columns[] = {{"object", PM_COLUMN_ELASTIC},
                                               {"refers by", PM_COLUMN_ELASTIC},
                                               {"retained", PM_COLUMN_NUMBER},
                                               {"", PM_COLUMN_TEXT}};
    char count[PM_NUMBER_TEXT], weak[PM_NUMBER_TEXT];
    const char *note = ret->weak_total == PM_UNKNOWN
                           ? "; weak ones keep nothing alive and were not looked for (--weak)"
                           : LEAD(" and %s weak ones", pm_format_count(weak, ret->weak_total));
    struct pm_answer *block =
        pm_answers_block(answers, "Referrers",
                         LEAD("%s reference%s to it%s", pm_format_count(count, ret->referrer_total),
                              ret->referrer_total == 1 ? "" : "s", note),
                         columns, 4);
    for (size_t i = 0; i < ret->referrer_count; i++) {
        const struct pm_retainer *row = &ret->referrers[i];
        pm_answers_cell(answers, block, row->label);
        pm_answers_cell(answers, block, row->weak ? "(weak)" : row->name);
        pm_answers_bytes(answers, block, row->retained);
        cell_object(answers, block, row->object);
    }
    uint64_t all = ret->referrer_total + (ret->weak_total == PM_UNKNOWN ? 0 : ret->weak_total);
    if (ret->referrer_count < all)
        block->rest = LEAD("%s more (--all, --limit N)", pm_format_count(count, all - ret->referrer_count));
}

static void add_retention(struct pm_answers *answers, const struct pm_retention *ret) {
    char object[PM_NUMBER_TEXT], shallow[PM_NUMBER_TEXT], retained[PM_NUMBER_TEXT];
    pm_answers_block(answers, "Object",
                     LEAD("%s %s: %s itself, %s retained", ret->label,
                          pm_format_object(object, answers->diagnosis->objects_by_id, ret->object),
                          pm_format_bytes(shallow, ret->shallow), pm_format_bytes(retained, ret->retained)),
                     NULL, 0);
    if (!ret->reachable) {
        pm_answers_block(answers, "Way",
                         "No root leads to it: it is garbage that the next collection would free.", NULL, 0);
    } else {
        if (ret->owner_name) {
            const char *where = position_text(answers, &ret->owner);
            pm_answers_block(answers, "Owner",
                             LEAD("%s%s%s%s, by way of %s", ret->owner_name, where ? " (" : "",
                                  where ? where : "", where ? ")" : "", ret->owner_path),
                             NULL, 0);
        }
        if (ret->dominator.label)
            pm_answers_block(
                answers, "Kept by",
                ret->dominator.object
                    ? LEAD("%s %s: without it this object would be garbage", ret->dominator.label,
                           pm_format_object(object, answers->diagnosis->objects_by_id, ret->dominator.object))
                    : "no single object: several ways lead to it",
                NULL, 0);
        add_way(answers, ret);
    }
    add_referrers(answers, ret);
}

/* ---- strings ---- */

static void add_string_list(struct pm_answers *answers, const struct pm_string_census *census,
                            enum pm_string_list list) {
    static const struct pm_column duplicates[] = {{"copies", PM_COLUMN_NUMBER},
                                                  {"bytes", PM_COLUMN_NUMBER},
                                                  {"wasted", PM_COLUMN_NUMBER},
                                                  {"text", PM_COLUMN_ELASTIC},
                                                  {"one of them", PM_COLUMN_TEXT}};
    static const struct pm_column huge[] = {
        {"bytes", PM_COLUMN_NUMBER}, {"text", PM_COLUMN_ELASTIC}, {"", PM_COLUMN_TEXT}};
    static const struct pm_column sliced[] = {{"slices", PM_COLUMN_NUMBER},
                                              {"parent", PM_COLUMN_NUMBER},
                                              {"only slices keep", PM_COLUMN_NUMBER},
                                              {"text of the parent", PM_COLUMN_ELASTIC},
                                              {"", PM_COLUMN_TEXT}};
    static const struct pm_column ropes[] = {{"links", PM_COLUMN_NUMBER},
                                             {"bytes", PM_COLUMN_NUMBER},
                                             {"text", PM_COLUMN_ELASTIC},
                                             {"", PM_COLUMN_TEXT}};
    static const struct {
        const char *title, *what;
        const struct pm_column *columns;
        size_t count;
        bool counted, wasted;
    } kinds[PM_STRING_LISTS] = {
        [PM_STRINGS_DUPLICATE] = {"Duplicates", "texts that are there more than once", duplicates, 5, true,
                                  true},
        [PM_STRINGS_HUGE] = {"Huge", "strings of 16 kB and more", huge, 3, false, false},
        [PM_STRINGS_SLICED] = {"Slices", "strings of which parts are kept", sliced, 5, true, true},
        [PM_STRINGS_ROPE] = {"Ropes", "strings still in pieces", ropes, 4, true, false},
    };
    char total[PM_NUMBER_TEXT], wasted[PM_NUMBER_TEXT];
    const char *lead = LEAD("%s %s", pm_format_count(total, census->lists[list].total), kinds[list].what);
    if (kinds[list].wasted)
        lead = LEAD("%s, %s wasted", lead, pm_format_bytes(wasted, census->lists[list].wasted));
    struct pm_answer *block =
        pm_answers_block(answers, kinds[list].title, lead, kinds[list].columns, kinds[list].count);
    for (size_t i = 0; i < census->lists[list].count; i++) {
        const struct pm_string_row *row = &census->lists[list].rows[i];
        if (kinds[list].counted) pm_answers_count(answers, block, row->count);
        pm_answers_bytes(answers, block, row->bytes);
        if (kinds[list].wasted) pm_answers_bytes(answers, block, row->wasted);
        pm_answers_cell(answers, block, row->text);
        cell_object(answers, block, row->object);
    }
    if (!census->lists[list].count) block->column_count = 0;
    if (census->lists[list].count < census->lists[list].total)
        block->rest = LEAD("%s more (--limit N)",
                           pm_format_count(total, census->lists[list].total - census->lists[list].count));
}

static void add_strings(struct pm_answers *answers, const struct pm_string_census *census) {
    char count[PM_NUMBER_TEXT], bytes[PM_NUMBER_TEXT];
    const char *lead =
        LEAD("%s strings, %s", pm_format_count(count, census->count), pm_format_bytes(bytes, census->bytes));
    if (census->cut_texts)
        lead =
            LEAD("%s; of %s only the beginning is known, so that equal beginnings and sizes count as copies",
                 lead, pm_format_count(count, census->cut_texts));
    pm_answers_block(answers, "Strings", lead, NULL, 0);
    for (enum pm_string_list list = 0; list < PM_STRING_LISTS; list++) add_string_list(answers, census, list);
}

/* ---- all of them ---- */

static void add_all(struct pm_answers *answers) {
    const struct pm_diagnosis *diagnosis = answers->diagnosis;
    unsigned show = answers->options->sections;
    char bytes[PM_NUMBER_TEXT];
    bool page = show & PM_SHOW_PROCESS; /* the page has no room for the tree */
    for (size_t i = 0; i < diagnosis->isolate_count && !page; i++) {
        const struct pm_isolate *isolate = &diagnosis->isolates[i];
        if (isolate->grouped_by && (show & PM_SHOW_HISTOGRAM)) add_groups(answers, isolate);
        if (isolate->dominators && (show & PM_SHOW_DOMINATORS)) add_dominators(answers, isolate);
    }
    if (show & PM_SHOW_LOOP) pm_answers_loops(answers);
    if (diagnosis->retention && (show & PM_SHOW_RETENTION)) add_retention(answers, diagnosis->retention);
    if (diagnosis->strings && (show & PM_SHOW_STRINGS)) add_strings(answers, diagnosis->strings);
    pm_answers_comparisons(answers);
    if (diagnosis->exported && (show & PM_SHOW_EXPORT))
        pm_answers_block(answers, "Written",
                         LEAD("%s, %s, %s", diagnosis->exported->path, diagnosis->exported->format,
                              pm_format_bytes(bytes, diagnosis->exported->bytes)),
                         NULL, 0);
}

struct pm_answers *pm_answers_create(const struct pm_diagnosis *diagnosis,
                                     const struct pm_write_options *options) {
    struct pm_answers *answers PM_AUTO(answers) = calloc(1, sizeof(*answers));
    if (!answers || !(answers->arena = pm_arena_create())) return NULL;
    answers->items = pm_arena_array(answers->arena, MOST_BLOCKS, sizeof(*answers->items));
    answers->diagnosis = diagnosis;
    answers->options = options;
    if (!answers->items) return NULL;
    add_all(answers);
    return PM_TAKE(answers);
}

void pm_answers_destroy(struct pm_answers *answers) {
    if (!answers) return;
    pm_arena_destroy(answers->arena);
    free(answers);
}
