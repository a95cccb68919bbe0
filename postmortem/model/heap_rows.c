#include "postmortem/model/heap_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postmortem/base/big_array.h"
#include "postmortem/base/sort.h"
#include "postmortem/base/vec.h"

#define AHEAD 8 /* children whose columns are asked for before they are needed */

/* ---- retained sizes of classes ---- */

/* The classes on the way from the root to the node at hand: each was entered at its outermost instance, which
 * is left when the list of waiting nodes is as short again as it was then. There are never more than classes.
 */
struct open_class {
    size_t height;
    uint32_t class;
};

struct class_walk {
    const struct pm_heap_tree *tree;
    const uint32_t *group_of;
    uint64_t *retained; /* of each class */
    bool *is_open;      /* an instance is on the way */
    struct open_class *open;
    size_t open_count;
    pm_node *waiting;
    size_t height;
};

static void visit(struct class_walk *walk, pm_node node) {
    const struct pm_dominator_children *children = walk->tree->children;
    uint32_t class = walk->group_of[node];
    uint64_t first = children->first[node], end = children->first[node + 1];
    if (!walk->is_open[class]) {
        walk->retained[class] += walk->tree->dominators->retained[node];
        if (first < end) {
            walk->is_open[class] = true;
            walk->open[walk->open_count++] = (struct open_class){walk->height, class};
        }
    }
    for (uint64_t i = first; i < end; i++) {
        if (i + AHEAD < end) {
            pm_node soon = children->child[i + AHEAD];
            __builtin_prefetch(&children->first[soon]);
            __builtin_prefetch(&walk->group_of[soon]);
        }
        pm_node child = children->child[i];
        if (children->first[child] < children->first[child + 1]) {
            walk->waiting[walk->height++] = child;
        } else { /* most are leaves */
            uint32_t its = walk->group_of[child];
            if (!walk->is_open[its]) walk->retained[its] += walk->tree->dominators->retained[child];
        }
    }
    while (walk->open_count && walk->open[walk->open_count - 1].height == walk->height)
        walk->is_open[walk->open[--walk->open_count].class] = false;
}

struct pm_error *pm_retained_by_group(const struct pm_heap_tree *tree, const uint32_t *group_of,
                                      size_t groups, uint64_t **ret) {
    const struct pm_dominator_children *children = tree->children;
    uint64_t *retained PM_AUTO_FREE = calloc(groups + 1, sizeof(*retained));
    bool *is_open PM_AUTO_FREE = calloc(groups + 1, sizeof(*is_open));
    struct open_class *open PM_AUTO_FREE = calloc(groups + 1, sizeof(*open));
    pm_node *waiting PM_AUTO_FREE = PM_BIG_ARRAY(pm_node, tree->graph->node_count);
    if (!retained || !is_open || !open || !waiting) return pm_error_nomem();
    struct class_walk walk = {tree, group_of, retained, is_open, open, 0, waiting, 0};
    for (uint64_t i = children->first[1]; i-- > children->first[0];)
        waiting[walk.height++] = children->child[i];
    while (walk.height) visit(&walk, waiting[--walk.height]);
    *ret = PM_TAKE(retained);
    return NULL;
}

/* ---- rows of classes ---- */

static int by_name(const void *left, const void *right) {
    const struct pm_class_row *a = left, *b = right;
    return strcmp(a->name, b->name);
}

static int by_shallow(const void *left, const void *right) {
    const struct pm_class_row *a = left, *b = right;
    if (a->shallow != b->shallow) return a->shallow > b->shallow ? -1 : 1;
    return strcmp(a->name, b->name);
}

/* One row for each name, ascending; a graph may have a name twice. */
static size_t merge_names(struct pm_class_row *rows, size_t count) {
    size_t kept = 0;
    pm_sort(rows, count, sizeof(*rows), by_name);
    for (size_t i = 0; i < count; i++) {
        if (kept && strcmp(rows[kept - 1].name, rows[i].name) == 0) {
            rows[kept - 1].count += rows[i].count;
            rows[kept - 1].shallow += rows[i].shallow;
            if (rows[i].retained != PM_UNKNOWN) rows[kept - 1].retained += rows[i].retained;
        } else {
            rows[kept++] = rows[i];
        }
    }
    return kept;
}

struct pm_error *pm_group_rows(const struct pm_heap_tree *tree, const uint32_t *group_of,
                               const char *const *names, size_t groups, struct pm_arena *arena,
                               struct pm_class_row **ret, size_t *count_ret) {
    const struct pm_graph *graph = tree->graph;
    size_t kept = 0;
    uint64_t *retained PM_AUTO_FREE = NULL;
    if (tree->dominators) PM_TRY(pm_retained_by_group(tree, group_of, groups, &retained));
    struct pm_class_row *rows PM_AUTO_FREE = calloc(groups + 1, sizeof(*rows));
    if (!rows) return pm_error_nomem();
    for (pm_node node = 1; node < graph->node_count; node++) {
        rows[group_of[node]].count++;
        rows[group_of[node]].shallow += pm_graph_shallow(graph, node);
    }
    for (size_t i = 0; i < graph->external_count; i++)
        rows[group_of[graph->external[i].node]].shallow += graph->external[i].bytes;
    for (size_t i = 0; i < groups; i++) {
        if (!rows[i].count) continue;
        rows[kept] = (struct pm_class_row){names[i], rows[i].count, rows[i].shallow,
                                           retained ? retained[i] : PM_UNKNOWN};
        kept++;
    }
    kept = merge_names(rows, kept);
    pm_sort(rows, kept, sizeof(*rows), by_shallow);
    struct pm_class_row *copy = pm_arena_dup(arena, rows, kept, sizeof(*rows));
    if (kept && !copy) return pm_error_nomem();
    for (size_t i = 0; i < kept; i++)
        if (!(copy[i].name = pm_arena_strdup(arena, copy[i].name))) return pm_error_nomem();
    *ret = copy;
    *count_ret = kept;
    return NULL;
}

struct pm_error *pm_class_rows_retained(const struct pm_heap_tree *tree, struct pm_class_row *rows,
                                        size_t count) {
    const struct pm_graph *graph = tree->graph;
    uint64_t *retained PM_AUTO_FREE = NULL;
    PM_TRY(pm_retained_by_group(tree, graph->class_of, graph->class_count, &retained));
    struct pm_class_row *known PM_AUTO_FREE =
        calloc(graph->class_count ? graph->class_count : 1, sizeof(*known));
    if (!known) return pm_error_nomem();
    for (size_t i = 0; i < graph->class_count; i++)
        known[i] = (struct pm_class_row){.name = graph->classes[i], .retained = retained[i]};
    size_t known_count = merge_names(known, graph->class_count);
    for (size_t i = 0; i < count; i++) {
        const struct pm_class_row *found =
            known_count ? bsearch(&rows[i], known, known_count, sizeof(*known), by_name) : NULL;
        rows[i].retained = found ? found->retained : 0;
    }
    return NULL;
}

/* ---- names of references ---- */

void pm_object_label(const struct pm_graph *graph, pm_node node, size_t most, struct pm_strbuf *out) {
    size_t before = out->length;
    char number[2][32];
    uint64_t identity = graph->source->identity(graph->source_self, node);
    graph->source->describe(graph->source_self, node, most, out);
    snprintf(number[0], sizeof(number[0]), " @0x%" PRIx64, identity);
    snprintf(number[1], sizeof(number[1]), " @%" PRIu64, identity);
    for (unsigned i = 0; i < 2; i++) {
        size_t length = strlen(number[i]);
        if (out->length <= before + length || strcmp(out->bytes + out->length - length, number[i]) != 0)
            continue;
        out->length -= length;
        out->bytes[out->length] = 0;
        return;
    }
}

void pm_edge_words(const struct pm_graph *graph, pm_node owner, pm_node from, uint64_t edge,
                   struct pm_strbuf *out) {
    struct pm_edge_name name = {0};
    const struct pm_graph_source *source = graph->source;
    bool of_owner = owner != PM_NO_NODE && source->store_edge_name && graph->kinds[from] == PM_NODE_STORE &&
                    source->store_edge_name(graph->source_self, owner, from, edge, &name);
    if (!of_owner) {
        pm_strbuf_deinit(&name.text);
        name = (struct pm_edge_name){0};
        source->edge_name(graph->source_self, from, edge, &name);
    }
    const char *text = pm_strbuf_text(&name.text);
    switch (name.kind) {
    case PM_EDGE_ELEMENT: pm_strbuf_appendf(out, "[%u]", name.index); break;
    case PM_EDGE_PROPERTY:
    case PM_EDGE_CONTEXT: pm_strbuf_append(out, *text ? text : "?"); break;
    default:
        pm_strbuf_append(out, *text ? text : "?");
        if (!of_owner && from != 0) pm_strbuf_append(out, " (internal)");
    }
    pm_strbuf_deinit(&name.text);
}

/* ---- rows of the dominator tree ----
 *
 * The largest objects get a row, whatever their place: the largest that waits is taken, and its children wait
 * then, until the table is full. Afterwards the rows are put into preorder. */

/* Naming a row looks at the references of its parent. Together for all rows, at most so many: */
#define MOST_EDGES (4u << 20)
#define MOST_LABEL 100

struct candidate {
    pm_node node;
    uint32_t parent; /* chosen row; PM_NO_ROW */
    uint32_t depth;
};

struct chosen {
    struct candidate it;
    uint32_t first_child, last_child, next; /* in the order of choice, which is the order of siblings */
    uint64_t listed_count, listed_bytes;
};

struct choice {
    const struct pm_heap_tree *tree;
    const struct pm_tree_cut *cut;
    uint64_t least;
    PM_VEC(struct candidate) waiting; /* a heap, the largest on top */
    PM_VEC(struct chosen) rows;
    uint32_t first_top, last_top;
    uint64_t edges_left;
    struct class_sum {
        uint64_t bytes, count;
    } * sums; /* of each class; 0 between two rows */
};

static bool goes_first(const struct choice *choice, const struct candidate *a, const struct candidate *b) {
    const uint64_t *retained = choice->tree->dominators->retained;
    if (retained[a->node] != retained[b->node]) return retained[a->node] > retained[b->node];
    return a->node < b->node;
}

static bool put_waiting(struct choice *choice, struct candidate candidate) {
    if (!pm_vec_push(&choice->waiting, candidate)) return false;
    struct candidate *heap = choice->waiting.items;
    for (size_t at = choice->waiting.count - 1; at && goes_first(choice, &candidate, &heap[(at - 1) / 2]);) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
        heap[at] = candidate;
    }
    return true;
}

static struct candidate take_waiting(struct choice *choice) {
    struct candidate *heap = choice->waiting.items, top = heap[0], last = heap[--choice->waiting.count];
    size_t count = choice->waiting.count, at = 0;
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && goes_first(choice, &heap[child + 1], &heap[child])) child++;
        if (!goes_first(choice, &heap[child], &last)) break;
        heap[at] = heap[child];
    }
    if (count) heap[at] = last;
    return top;
}

/* Children come largest first, so the first that is too small ends it. */
static bool put_children(struct choice *choice, pm_node node, uint32_t row, uint32_t depth) {
    const struct pm_dominator_children *children = choice->tree->children;
    size_t most = choice->cut->most_rows;
    for (uint64_t i = children->first[node]; i < children->first[node + 1] && most--; i++) {
        if (choice->tree->dominators->retained[children->child[i]] < choice->least) break;
        if (!put_waiting(choice, (struct candidate){children->child[i], row, depth})) return false;
    }
    return true;
}

static bool choose(struct choice *choice) {
    choice->first_top = choice->last_top = PM_NO_ROW;
    if (!put_children(choice, choice->cut->under, PM_NO_ROW, 0)) return false;
    while (choice->waiting.count && choice->rows.count < choice->cut->most_rows) {
        struct chosen row = {take_waiting(choice), PM_NO_ROW, PM_NO_ROW, PM_NO_ROW, 0, 0};
        uint32_t index = (uint32_t)choice->rows.count;
        if (!pm_vec_push(&choice->rows, row)) return false;
        struct chosen *rows = choice->rows.items;
        struct chosen *parent = row.it.parent == PM_NO_ROW ? NULL : &rows[row.it.parent];
        uint32_t *last = parent ? &parent->last_child : &choice->last_top;
        uint32_t *first = parent ? &parent->first_child : &choice->first_top;
        *(*last == PM_NO_ROW ? first : &rows[*last].next) = index;
        *last = index;
        if (parent) {
            parent->listed_count++;
            parent->listed_bytes += choice->tree->dominators->retained[row.it.node];
        }
        if (row.it.depth + 1 <= choice->cut->most_depth &&
            !put_children(choice, row.it.node, index, row.it.depth + 1))
            return false;
    }
    return true;
}

static uint64_t whole_shallow(const struct pm_graph *graph, pm_node node) {
    return pm_graph_shallow(graph, node) + pm_graph_external_of(graph, node);
}

static const char *name_of(struct choice *choice, pm_node node, struct pm_arena *arena) {
    const struct pm_graph *graph = choice->tree->graph;
    pm_node parent = choice->tree->dominators->dominator[node];
    uint64_t end = graph->first_edge[parent + 1];
    PM_AUTO_STRBUF struct pm_strbuf text = {0};
    if (end - graph->first_edge[parent] > choice->edges_left) return NULL;
    choice->edges_left -= end - graph->first_edge[parent];
    for (uint64_t edge = graph->first_edge[parent]; edge < end; edge++) {
        if (graph->edges[edge] != node) continue;
        pm_edge_words(graph, choice->tree->dominators->dominator[parent], parent, edge, &text);
        break;
    }
    return text.length ? pm_arena_copy(arena, text.bytes, text.length) : NULL;
}

/* What the children without a row are: there may be a million of them, all alike. */
static void fill_rest(struct choice *choice, const struct chosen *from, struct pm_arena *arena,
                      struct pm_dominator_row *ret) {
    const struct pm_dominator_children *children = choice->tree->children;
    const uint32_t *class_of = choice->tree->graph->class_of;
    uint64_t first = children->first[from->it.node] + from->listed_count,
             end = children->first[from->it.node + 1];
    uint32_t most = UINT32_MAX;
    if (ret->rest_bytes < choice->least || first == end) return;
    for (uint64_t i = first; i < end; i++) {
        pm_node child = children->child[i];
        struct class_sum *sum = &choice->sums[class_of[child]];
        sum->bytes += choice->tree->dominators->retained[child];
        sum->count++;
        if (most == UINT32_MAX || sum->bytes > choice->sums[most].bytes) most = class_of[child];
    }
    if (choice->sums[most].bytes > ret->rest_bytes / 2) {
        ret->rest_class = pm_arena_strdup(arena, choice->tree->graph->classes[most]);
        ret->rest_class_count = choice->sums[most].count;
    }
    for (uint64_t i = first; i < end; i++) choice->sums[class_of[children->child[i]]] = (struct class_sum){0};
}

static bool fill_row(struct choice *choice, const struct chosen *from, uint32_t parent,
                     struct pm_arena *arena, struct pm_dominator_row *ret) {
    const struct pm_graph *graph = choice->tree->graph;
    const struct pm_dominator_children *children = choice->tree->children;
    pm_node node = from->it.node;
    PM_AUTO_STRBUF struct pm_strbuf label = {0};
    pm_object_label(graph, node, MOST_LABEL, &label);
    *ret = (struct pm_dominator_row){
        .object = graph->source->identity(graph->source_self, node),
        .class_name = pm_arena_strdup(arena, graph->classes[graph->class_of[node]]),
        .label = pm_arena_copy(arena, pm_strbuf_text(&label), label.length),
        .name = name_of(choice, node, arena),
        .shallow = whole_shallow(graph, node),
        .retained = choice->tree->dominators->retained[node],
        .depth = from->it.depth,
        .parent = parent,
        .rest_count = children->first[node + 1] - children->first[node] - from->listed_count,
    };
    ret->rest_bytes = ret->retained - ret->shallow - from->listed_bytes;
    fill_rest(choice, from, arena, ret);
    return ret->class_name && ret->label;
}

/* Preorder without recursion: down to the first child, else on to the next sibling of the nearest row that
 * has one. */
static bool put_in_order(struct choice *choice, struct pm_arena *arena, struct pm_isolate *isolate) {
    const struct chosen *rows = choice->rows.items;
    size_t count = choice->rows.count, done = 0;
    uint32_t *place PM_AUTO_FREE = calloc(count ? count : 1, sizeof(*place));
    isolate->dominators = pm_arena_array(arena, count ? count : 1, sizeof(*isolate->dominators));
    if (!place || !isolate->dominators) return false;
    for (uint32_t row = choice->first_top; row != PM_NO_ROW;) {
        uint32_t parent = rows[row].it.parent == PM_NO_ROW ? PM_NO_ROW : place[rows[row].it.parent];
        place[row] = (uint32_t)done;
        if (!fill_row(choice, &rows[row], parent, arena, &isolate->dominators[done++])) return false;
        if (rows[row].first_child != PM_NO_ROW) {
            row = rows[row].first_child;
            continue;
        }
        while (row != PM_NO_ROW && rows[row].next == PM_NO_ROW) row = rows[row].it.parent;
        if (row != PM_NO_ROW) row = rows[row].next;
    }
    isolate->dominator_count = done;
    return true;
}

struct pm_error *pm_dominator_rows(const struct pm_heap_tree *tree, const struct pm_tree_cut *cut,
                                   struct pm_arena *arena, struct pm_isolate *isolate) {
    const struct pm_dominators *dominators = tree->dominators;
    double least = (double)dominators->reachable_bytes * cut->least_share;
    struct choice choice = {
        .tree = tree, .cut = cut, .least = least > 1 ? (uint64_t)least : 1, .edges_left = MOST_EDGES};
    choice.sums = calloc(tree->graph->class_count + 1, sizeof(*choice.sums));
    bool fine = choice.sums && choose(&choice) && put_in_order(&choice, arena, isolate);
    uint64_t listed = 0, bytes = 0;
    for (size_t i = 0; fine && i < isolate->dominator_count; i++)
        if (isolate->dominators[i].depth == 0) listed++, bytes += isolate->dominators[i].retained;
    if (fine) {
        isolate->dominator_rest_count =
            tree->children->first[cut->under + 1] - tree->children->first[cut->under] - listed;
        isolate->dominator_rest_bytes =
            dominators->retained[cut->under] - whole_shallow(tree->graph, cut->under) - bytes;
    }
    pm_vec_deinit(&choice.waiting);
    pm_vec_deinit(&choice.rows);
    free(choice.sums);
    return fine ? NULL : pm_error_nomem();
}
