/* A balanced tree of libc: two ranges compare as equal when they overlap, so that finding an address is
 * finding a range of one byte. */
#include "parsers/code_map.h"

#include <search.h>
#include <stdlib.h>

static int by_place(const void *a, const void *b) {
    const struct pm_code *x = a, *y = b;
    return x->end <= y->start ? -1 : y->end <= x->start;
}

static void take_out(struct pm_code_map *map, const struct pm_code *range) {
    for (void *node; (node = tfind(range, &map->root, by_place));) {
        struct pm_code *code = *(struct pm_code **)node;
        tdelete(code, &map->root, by_place);
        free(code);
    }
}

struct pm_error *pm_code_map_put(struct pm_code_map *map, const struct pm_code *code) {
    if (code->end <= code->start) return NULL;
    struct pm_code *own = malloc(sizeof(*own));
    if (!own) return pm_error_nomem();
    *own = *code;
    take_out(map, own);
    if (tsearch(own, &map->root, by_place)) return NULL;
    free(own);
    return pm_error_nomem();
}

bool pm_code_map_move(struct pm_code_map *map, uint64_t from, uint64_t to) {
    struct pm_code *code = pm_code_map_find(map, from);
    if (!code || code->start != from || to > UINT64_MAX - (code->end - code->start)) return false;
    tdelete(code, &map->root, by_place);
    code->end = to + (code->end - code->start);
    code->start = to;
    take_out(map, code);
    if (tsearch(code, &map->root, by_place)) return true;
    free(code);
    return false;
}

struct pm_code *pm_code_map_find(const struct pm_code_map *map, uint64_t address) {
    struct pm_code point = {.start = address, .end = address + 1};
    void *node = address < UINT64_MAX ? tfind(&point, &map->root, by_place) : NULL;
    return node ? *(struct pm_code **)node : NULL;
}

void pm_code_map_deinit(struct pm_code_map *map) {
    tdestroy(map->root, free);
    map->root = NULL;
}
