#include "postmortem/model/heap_compare.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "postmortem/base/sort.h"
#include "postmortem/base/vec.h"

#define MOST_STORES 8 /* tables inside tables */
#define MOST_LABEL  100
#define ROOTS       "(roots)"

void pm_heap_sheet_deinit(struct pm_heap_sheet *sheet) {
    free(sheet->rows);
    free(sheet->ids);
    *sheet = (struct pm_heap_sheet){0};
}

/* ---- one heap ---- */

static int by_name(const void *left, const void *right) {
    const struct pm_sheet_row *a = left, *b = right;
    return strcmp(a->name, b->name);
}

static void add_cell(struct pm_compare_cell *to, const struct pm_compare_cell *more) {
    to->count += more->count;
    to->shallow += more->shallow;
    to->retained += more->retained;
    to->kept += more->kept;
}

/* The class that keeps a node; class_count: the roots. */
static size_t keeper_of(const struct pm_heap_tree *tree, pm_node node) {
    pm_node keeper = tree->dominators->dominator[node];
    for (unsigned i = 0; i < MOST_STORES && keeper && tree->graph->kinds[keeper] == PM_NODE_STORE; i++)
        keeper = tree->dominators->dominator[keeper];
    return keeper ? tree->graph->class_of[keeper] : tree->graph->class_count;
}

static struct pm_error *count_classes(const struct pm_heap_tree *tree, struct pm_heap_sheet *ret) {
    const struct pm_graph *graph = tree->graph;
    uint64_t *retained PM_AUTO_FREE = NULL;
    size_t external = 0;
    PM_TRY(pm_retained_by_group(tree, graph->class_of, graph->class_count, &retained));
    ret->rows = calloc(graph->class_count + 1, sizeof(*ret->rows));
    if (!ret->rows) return pm_error_nomem();
    ret->row_count = graph->class_count + 1;
    for (size_t i = 0; i < graph->class_count; i++) {
        ret->rows[i].name = graph->classes[i];
        ret->rows[i].cell.retained = retained[i];
    }
    ret->rows[graph->class_count].name = ROOTS;
    for (pm_node node = 1; node < graph->node_count; node++) {
        uint64_t bytes = pm_graph_shallow(graph, node);
        while (external < graph->external_count && graph->external[external].node < node) external++;
        if (external < graph->external_count && graph->external[external].node == node)
            bytes += graph->external[external].bytes;
        if (tree->dominators->dominator[node] == PM_NO_NODE) continue;
        struct pm_compare_cell *cell = &ret->rows[graph->class_of[node]].cell;
        cell->count++;
        cell->shallow += bytes;
        ret->rows[keeper_of(tree, node)].cell.kept += bytes;
        ret->objects++;
        ret->bytes += bytes;
    }
    return NULL;
}

/* Rows by name, one for each; names leave the graph. */
static struct pm_error *settle_rows(struct pm_arena *arena, struct pm_heap_sheet *ret) {
    size_t kept = 0;
    pm_sort(ret->rows, ret->row_count, sizeof(*ret->rows), by_name);
    for (size_t i = 0; i < ret->row_count; i++) {
        const struct pm_sheet_row *row = &ret->rows[i];
        if (!row->cell.count && !row->cell.kept) continue;
        if (kept && !strcmp(ret->rows[kept - 1].name, row->name))
            add_cell(&ret->rows[kept - 1].cell, &row->cell);
        else
            ret->rows[kept++] = *row;
    }
    ret->row_count = kept;
    for (size_t i = 0; i < kept; i++)
        if (!(ret->rows[i].name = pm_arena_strdup(arena, ret->rows[i].name))) return pm_error_nomem();
    return NULL;
}

static uint64_t id_of(const struct pm_graph *graph, const uint32_t *hashes, pm_node node) {
    return graph->source->identity(graph->source_self, node) << 32 | hashes[graph->class_of[node]];
}

static uint32_t *hash_classes(const struct pm_graph *graph) {
    uint32_t *hashes = calloc(graph->class_count + 1, sizeof(*hashes));
    for (size_t i = 0; hashes && i < graph->class_count; i++)
        hashes[i] = (uint32_t)XXH3_64bits(graph->classes[i], strlen(graph->classes[i]));
    return hashes;
}

static int by_number(const void *left, const void *right) {
    const uint64_t *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

static struct pm_error *collect_ids(const struct pm_heap_tree *tree, struct pm_heap_sheet *ret) {
    const struct pm_graph *graph = tree->graph;
    uint32_t *hashes PM_AUTO_FREE = hash_classes(graph);
    ret->ids = calloc(graph->node_count, sizeof(*ret->ids));
    if (!hashes || !ret->ids) return pm_error_nomem();
    bool ascending = true;
    for (pm_node node = 1; node < graph->node_count; node++) {
        if (tree->dominators->dominator[node] == PM_NO_NODE) continue;
        ret->ids[ret->id_count] = id_of(graph, hashes, node);
        ascending &= !ret->id_count || ret->ids[ret->id_count - 1] < ret->ids[ret->id_count];
        ret->id_count++;
    }
    if (!ascending) pm_sort(ret->ids, ret->id_count, sizeof(*ret->ids), by_number);
    return NULL;
}

struct pm_error *pm_heap_sheet_make(const struct pm_heap_tree *tree, struct pm_arena *arena,
                                    struct pm_heap_sheet *ret) {
    *ret = (struct pm_heap_sheet){.by_id = tree->graph->from_snapshot};
    struct pm_error *err = count_classes(tree, ret);
    if (!err) err = settle_rows(arena, ret);
    if (!err && ret->by_id) err = collect_ids(tree, ret);
    if (err) pm_heap_sheet_deinit(ret);
    return err;
}

/* ---- survivors ---- */

/* The entry of an id; NULL = it is not there. */
static const uint64_t *find_id(const struct pm_heap_sheet *sheet, uint64_t id) {
    size_t low = 0, high = sheet->id_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sheet->ids[middle] >> 32 < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < sheet->id_count && sheet->ids[low] >> 32 == id ? &sheet->ids[low] : NULL;
}

/* Objects with one id have one class when the snapshots are of one process, and hardly ever when they are
 * not. */
static bool same_process(const struct pm_heap_sheet *a, const struct pm_heap_sheet *b) {
    uint64_t common = 0, equal = 0;
    for (size_t i = 0, k = 0; i < a->id_count && k < b->id_count;) {
        uint64_t x = a->ids[i] >> 32, y = b->ids[k] >> 32;
        if (x == y) {
            common++;
            equal += a->ids[i] == b->ids[k];
            i++, k++;
        } else if (x < y) {
            i++;
        } else {
            k++;
        }
    }
    return common >= 1000 && equal * 10 >= common * 9;
}

struct gathering {
    struct pm_survivor_row row;
    uint64_t retained;
    pm_node largest;
};

static int most_survived(const void *left, const void *right) {
    const struct gathering *a = left, *b = right;
    if (a->row.bytes != b->row.bytes) return a->row.bytes > b->row.bytes ? -1 : 1;
    return strcmp(a->row.class_name, b->row.class_name);
}

static void gather(const struct pm_heap_tree *tree, const struct pm_heap_sheet *first,
                   const struct pm_heap_sheet *second, struct gathering *rows,
                   struct pm_heap_comparison *ret) {
    const struct pm_graph *graph = tree->graph;
    for (pm_node node = 1; node < graph->node_count; node++) {
        if (tree->dominators->dominator[node] == PM_NO_NODE) continue;
        uint64_t id = graph->source->identity(graph->source_self, node);
        if (!find_id(second, id) || find_id(first, id)) continue;
        struct gathering *row = &rows[graph->class_of[node]];
        uint64_t bytes = pm_graph_shallow(graph, node) + pm_graph_external_of(graph, node);
        row->row.count++;
        row->row.bytes += bytes;
        ret->survivor_objects++;
        ret->survivor_bytes += bytes;
        if (tree->dominators->retained[node] <= row->retained) continue;
        row->retained = tree->dominators->retained[node];
        row->largest = node;
    }
}

static struct pm_error *fill_survivors(const struct pm_graph *graph, const struct gathering *rows,
                                       size_t count, struct pm_arena *arena, struct pm_heap_comparison *ret) {
    ret->survivors = pm_arena_array(arena, count ? count : 1, sizeof(*ret->survivors));
    if (!ret->survivors) return pm_error_nomem();
    for (size_t i = 0; i < count && rows[i].row.count; i++) {
        PM_AUTO_STRBUF struct pm_strbuf label = {0};
        pm_object_label(graph, rows[i].largest, MOST_LABEL, &label);
        struct pm_survivor_row *row = &ret->survivors[ret->survivor_count++];
        *row = rows[i].row;
        row->class_name = pm_arena_strdup(arena, row->class_name);
        row->object = graph->source->identity(graph->source_self, rows[i].largest);
        row->label = pm_arena_copy(arena, pm_strbuf_text(&label), label.length);
        if (!row->class_name || !row->label) return pm_error_nomem();
    }
    return NULL;
}

struct pm_error *pm_heap_survivors(const struct pm_heap_tree *tree, const struct pm_heap_sheet *first,
                                   const struct pm_heap_sheet *second, const struct pm_heap_sheet *third,
                                   size_t most, struct pm_arena *arena, struct pm_heap_comparison *ret) {
    const struct pm_graph *graph = tree->graph;
    if (!first->by_id || !second->by_id || !third->by_id) {
        ret->why_no_survivors = "objects of a core have only addresses, which the garbage collector changes";
        return NULL;
    }
    if (!same_process(first, second) || !same_process(second, third)) {
        ret->why_no_survivors =
            "the snapshots are not of one process: objects with one id have different classes";
        return NULL;
    }
    struct gathering *rows PM_AUTO_FREE = calloc(graph->class_count + 1, sizeof(*rows));
    if (!rows) return pm_error_nomem();
    for (size_t i = 0; i < graph->class_count; i++) rows[i].row.class_name = graph->classes[i];
    gather(tree, first, second, rows, ret);
    pm_sort(rows, graph->class_count, sizeof(*rows), most_survived);
    return fill_survivors(graph, rows, graph->class_count < most ? graph->class_count : most, arena, ret);
}

/* ---- joining ---- */

static int64_t growth(const struct pm_compare_row *row, size_t last) {
    return (int64_t)(row->cells[last].kept - row->cells[0].kept);
}

static int by_growth(const void *left, const void *right, void *context) {
    const struct pm_compare_row *a = left, *b = right;
    const size_t *last = context;
    int64_t x = growth(a, *last), y = growth(b, *last);
    if (x != y) return x > y ? -1 : 1;
    return strcmp(a->class_name, b->class_name);
}

struct pm_error *pm_heap_compare(const struct pm_heap_sheet *sheets, size_t count, size_t most,
                                 struct pm_arena *arena, struct pm_heap_comparison *ret) {
    size_t at[PM_COMPARED] = {0}, last = count - 1, room = 0;
    for (size_t i = 0; i < count; i++) room += sheets[i].row_count;
    struct pm_compare_row *rows PM_AUTO_FREE = calloc(room + 1, sizeof(*rows));
    if (!rows) return pm_error_nomem();
    ret->input_count = count;
    for (size_t i = 0; i < count; i++) {
        ret->inputs[i].objects = sheets[i].objects;
        ret->inputs[i].bytes = sheets[i].bytes;
        ret->inputs[i].by_id = sheets[i].by_id;
    }
    for (;;) { /* all sheets ascend by name */
        const char *name = NULL;
        for (size_t i = 0; i < count; i++)
            if (at[i] < sheets[i].row_count && (!name || strcmp(sheets[i].rows[at[i]].name, name) < 0))
                name = sheets[i].rows[at[i]].name;
        if (!name) break;
        struct pm_compare_row *row = &rows[ret->row_total++];
        row->class_name = name;
        for (size_t i = 0; i < count; i++)
            if (at[i] < sheets[i].row_count && !strcmp(sheets[i].rows[at[i]].name, name))
                row->cells[i] = sheets[i].rows[at[i]++].cell;
    }
    qsort_r(rows, (size_t)ret->row_total, sizeof(*rows), by_growth, &last);
    ret->row_count = ret->row_total < most ? (size_t)ret->row_total : most;
    ret->rows = pm_arena_dup(arena, rows, ret->row_count, sizeof(*rows));
    return ret->row_count && !ret->rows ? pm_error_nomem() : NULL;
}
