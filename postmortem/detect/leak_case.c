#include "postmortem/detect/leak_case.h"

#include <stdlib.h>
#include <string.h>

#include "postmortem/base/sort.h"
#include "postmortem/base/vec.h"

void pm_case_evidence(struct pm_case *leak, const char *text) {
    if (text && leak->evidence_count < PM_MAX_EVIDENCE) leak->evidence[leak->evidence_count++] = text;
}

void pm_case_position(struct pm_case *leak, const char *role, const char *function,
                      struct pm_position position) {
    if (!position.file || leak->position_count == PM_MAX_POSITIONS) return;
    for (size_t i = 0; i < leak->position_count; i++) {
        const struct pm_role_position *known = &leak->positions[i];
        if (strcmp(known->role, role) == 0 && known->position.line == position.line &&
            strcmp(known->position.file, position.file) == 0)
            return;
    }
    leak->positions[leak->position_count++] = (struct pm_role_position){role, function, position};
}

size_t pm_case_below(const struct pm_case *leak, enum pm_node_kind kind, pm_node *ret, size_t most) {
    const struct pm_heap_view *view = leak->view;
    const struct pm_suspect *suspect = leak->suspect;
    PM_VEC(pm_node) queue = {0};
    size_t found = 0;
    bool memory = true;
    for (size_t i = 0; i < suspect->member_count && memory; i++)
        memory = pm_vec_push(&queue, suspect->members[i]);
    if (!queue.count) memory = pm_vec_push(&queue, suspect->point);
    for (size_t head = 0; memory && head < queue.count && found < most; head++) {
        pm_node node = queue.items[head];
        if (pm_view_kind(view, node) == kind) ret[found++] = node;
        for (size_t i = 0;
             i < pm_view_child_count(view, node) && queue.count < PM_CENSUS_LIMIT / 10 && memory; i++)
            memory = pm_vec_push(&queue, pm_view_child(view, node, i));
    }
    pm_vec_deinit(&queue);
    return found;
}

size_t pm_case_sample_below(const struct pm_case *leak, enum pm_node_kind kind, pm_node *ret, size_t most) {
    const struct pm_heap_view *view = leak->view;
    const struct pm_suspect *suspect = leak->suspect;
    bool group = suspect->kind == PM_SUSPECT_GROUP;
    PM_VEC(pm_node) queue = {0};
    uint64_t seen = 0, stride = leak->census.by_kind[kind] / (most ? most : 1) + 1;
    size_t found = 0;
    bool memory = true;
    for (size_t i = 0; group && i < suspect->member_count && memory; i++)
        memory = pm_vec_push(&queue, suspect->members[i]);
    if (!queue.count) memory = pm_vec_push(&queue, suspect->point);
    for (size_t head = 0; memory && head < queue.count && found < most; head++) {
        pm_node node = queue.items[head];
        if (pm_view_kind(view, node) == kind && seen++ % stride == 0) ret[found++] = node;
        for (size_t i = 0; i < pm_view_child_count(view, node) && queue.count < PM_CENSUS_LIMIT && memory;
             i++)
            memory = pm_vec_push(&queue, pm_view_child(view, node, i));
    }
    pm_vec_deinit(&queue);
    return found;
}

static size_t sample_all(const struct pm_case *leak, uint32_t class_index, int kind, pm_node *ret,
                         size_t most, uint64_t *total_ret) {
    const struct pm_graph *graph = leak->view->graph;
    uint64_t total = 0, seen = 0;
    size_t found = 0;
    for (unsigned pass = 0; pass < 2; pass++)
        for (pm_node node = 1; node < graph->node_count; node++) {
            if (kind >= 0 ? graph->kinds[node] != kind : graph->class_of[node] != class_index) continue;
            if (!pm_view_reachable(leak->view, node)) continue;
            if (pass == 0)
                total++;
            else if (seen++ % (total / most + 1) == 0 && found < most)
                ret[found++] = node;
        }
    *total_ret = total;
    return found;
}

size_t pm_case_all_of_class(const struct pm_case *leak, const char *class_name, pm_node *ret, size_t most,
                            uint64_t *total_ret) {
    const struct pm_graph *graph = leak->view->graph;
    *total_ret = 0;
    for (uint32_t i = 0; i < graph->class_count; i++)
        if (strcmp(graph->classes[i], class_name) == 0) return sample_all(leak, i, -1, ret, most, total_ret);
    return 0;
}

size_t pm_case_all_of_kind(const struct pm_case *leak, enum pm_node_kind kind, pm_node *ret, size_t most,
                           uint64_t *total_ret) {
    return sample_all(leak, 0, (int)kind, ret, most, total_ret);
}

pm_node pm_case_property(const struct pm_case *leak, pm_node node, const char *name) {
    const struct pm_graph_source *source = leak->view->graph->source;
    return source->property ? source->property(leak->view->graph->source_self, node, name) : PM_NO_NODE;
}

bool pm_case_pending(const struct pm_case *leak, pm_node promise) {
    const struct pm_graph *graph = leak->view->graph;
    const char *text = pm_view_describe(leak->view, leak->arena, promise, 80);
    if (strstr(text, "<pending>")) return true;
    for (uint64_t edge = graph->first_edge[promise]; edge < graph->first_edge[promise + 1]; edge++)
        if (graph->kinds[graph->edges[edge]] == PM_NODE_PROMISE_REACTION) return true;
    if (!graph->from_snapshot) return false;
    /* A snapshot has no state: what is settled has its result, pending and without anybody who waits is a
     * number. */
    for (uint64_t edge = graph->first_edge[promise]; edge < graph->first_edge[promise + 1]; edge++) {
        enum pm_edge_kind kind;
        const char *name = pm_view_edge(leak->view, leak->arena, promise, edge, &kind);
        if (name && strcmp(name, "reactions_or_result") == 0) return false;
    }
    return true;
}

static int compare_places(const void *a, const void *b) {
    const struct pm_place_count *left = a, *right = b;
    return left->count < right->count ? 1 : left->count > right->count ? -1 : 0;
}

size_t pm_case_places(const struct pm_case *leak, const pm_node *nodes, size_t count,
                      struct pm_place_count *ret, size_t most) {
    struct pm_place_count places[64];
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        const char *function = NULL;
        struct pm_position position = pm_view_position(leak->view, leak->arena, nodes[i], &function);
        if (!position.file) continue;
        size_t k = 0;
        while (k < found &&
               (places[k].position.line != position.line || places[k].position.column != position.column ||
                strcmp(places[k].position.file, position.file) != 0))
            k++;
        if (k == 64) continue;
        if (k == found) places[found++] = (struct pm_place_count){function, position, 0};
        places[k].count++;
    }
    pm_sort(places, found, sizeof(*places), compare_places);
    if (found > most) found = most;
    if (found) memcpy(ret, places, found * sizeof(*places));
    return found;
}

const char *pm_case_function(const struct pm_case *leak, const char *function,
                             const struct pm_position *position) {
    const char *place = pm_words_place(leak->arena, position);
    return function && *function ? pm_arena_printf(leak->arena, "`%s`%s", function, place)
                                 : pm_arena_printf(leak->arena, "an anonymous function%s", place);
}
