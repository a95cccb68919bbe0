#include "postmortem/detect/container.h"

#include <stdlib.h>
#include <string.h>

/* Every member of the sample climbs its referrers, a few at each step. An object that most of them come to is
 * the container; a collection counts before what holds it. */
#define MOST_UP    5
#define MOST_WIDTH 12 /* referrers of one object that are followed */
#define FRONTIER   48 /* objects that one member has come to at a step */
#define TALLY      32768

struct tally {
    struct {
        pm_node node;
        uint32_t members, last;
    } * slots; /* TALLY, hashed by node */
    size_t used;
};

static void count_node(struct tally *tally, pm_node node, uint32_t member) {
    uint32_t at = (uint32_t)(node * 0x9e3779b1u) % TALLY;
    while (tally->slots[at].members && tally->slots[at].node != node) at = (at + 1) % TALLY;
    if (!tally->slots[at].members) {
        if (tally->used >= TALLY / 2) return;
        tally->used++;
        tally->slots[at].node = node;
    } else if (tally->slots[at].last == member) {
        return;
    }
    tally->slots[at].members++;
    tally->slots[at].last = member;
}

static pm_node most_counted(const struct tally *tally, uint32_t *members_ret) {
    pm_node best = PM_NO_NODE;
    uint32_t most = 0;
    for (size_t i = 0; i < TALLY; i++)
        if (tally->slots[i].members > most) {
            most = tally->slots[i].members;
            best = tally->slots[i].node;
        }
    *members_ret = most;
    return best;
}

struct climb {
    pm_node at[FRONTIER];
    size_t count;
    bool came; /* to the container; without a tally */
};

static bool is_way(const struct pm_heap_view *view, pm_node from) {
    if (from == 0 || !pm_view_reachable(view, from)) return false;
    switch (pm_view_kind(view, from)) {
    case PM_NODE_SHAPE:
    case PM_NODE_CODE:
    case PM_NODE_NATIVE_CONTEXT: return false;
    default: return true;
    }
}

static bool is_member(const struct pm_suspect *suspect, const struct pm_heap_view *view, pm_node node) {
    return suspect->member_class && pm_view_class(view, node) == suspect->member_class &&
           pm_view_kind(view, node) == PM_NODE_OBJECT;
}

/* One step up for one member. Stores are passed through to what they belong to. */
static void climb_up(const struct pm_heap_view *view, struct pm_suspect *suspect, struct climb *climb,
                     uint32_t member, struct tally *tally, unsigned *each_other) {
    struct climb next = {.count = 0};
    bool linked = false;
    for (size_t i = 0; i < climb->count; i++) {
        struct pm_path_step *steps = NULL;
        size_t count = 0;
        struct pm_error *err = pm_graph_referrers(view->graph, climb->at[i], &steps, &count);
        for (size_t k = 0, width = 0; !err && k < count && width < MOST_WIDTH; k++) {
            pm_node from = steps[k].node;
            if (!is_way(view, from) || from == climb->at[i]) continue;
            width++;
            if (pm_view_kind(view, from) == PM_NODE_STORE) from = pm_view_owner_of_store(view, from);
            linked |= is_member(suspect, view, from) && is_member(suspect, view, suspect->members[member]);
            if (is_member(suspect, view, from)) continue;
            if (pm_view_dominated_by(view, from, suspect->members[member]) && from != suspect->point)
                continue;
            if (tally)
                count_node(tally, from, member + 1);
            else
                climb->came |= from == suspect->container;
            if (next.count < FRONTIER) next.at[next.count++] = from;
        }
        pm_error_destroy(err);
        free(steps);
    }
    *each_other += linked;
    next.came = climb->came;
    *climb = next;
}

/* How most members are held: class and name of the edge. */
static void common_edge(const struct pm_heap_view *view, struct pm_arena *arena, struct pm_suspect *suspect) {
    struct {
        const char *class_name, *edge;
        size_t count;
    } kinds[16] = {0};
    size_t kind_count = 0, best = 0;
    for (size_t m = 0; m < suspect->member_count; m++) {
        struct pm_path_step *steps = NULL;
        size_t count = 0;
        struct pm_error *err = pm_graph_referrers(view->graph, suspect->members[m], &steps, &count);
        for (size_t k = 0, width = 0; !err && k < count && width < MOST_WIDTH; k++) {
            pm_node from = steps[k].node;
            enum pm_edge_kind kind;
            if (!is_way(view, from) || is_member(suspect, view, from)) continue;
            width++;
            const char *edge = pm_view_edge(view, arena, from, steps[k].edge, &kind);
            const char *class_name = pm_view_class(view, pm_view_owner_of_store(view, from));
            if (kind != PM_EDGE_PROPERTY && kind != PM_EDGE_CONTEXT) edge = NULL;
            size_t i = 0;
            while (i < kind_count &&
                   (kinds[i].class_name != class_name || (edge == NULL) != (kinds[i].edge == NULL) ||
                    (edge && strcmp(edge, kinds[i].edge) != 0)))
                i++;
            if (i == 16) continue;
            if (i == kind_count) {
                kinds[kind_count].class_name = class_name;
                kinds[kind_count++].edge = edge;
            }
            kinds[i].count++;
        }
        pm_error_destroy(err);
        free(steps);
    }
    for (size_t i = 1; i < kind_count; i++)
        if (kinds[i].count > kinds[best].count) best = i;
    if (!kind_count || kinds[best].count * 2 < suspect->member_count) return;
    suspect->holder_class = kinds[best].class_name;
    suspect->holder_edge = kinds[best].edge;
}

/* Does a member come to the container? */
static bool comes_to(const struct pm_heap_view *view, struct pm_suspect *suspect, uint32_t member,
                     unsigned most_up) {
    struct climb climb = {.at = {suspect->members[member]}, .count = 1};
    unsigned each_other = 0;
    for (unsigned up = 0; up <= most_up && !climb.came; up++)
        climb_up(view, suspect, &climb, member, NULL, &each_other);
    return climb.came;
}

/* Of a group only those that the container has are its members. */
static void keep_own_members(const struct pm_heap_view *view, struct pm_suspect *suspect, unsigned most_up) {
    size_t kept = 0, count = suspect->member_count;
    uint64_t bytes = 0, kept_bytes = 0;
    bool own[PM_MEMBER_SAMPLE];
    for (size_t i = 0; i < count; i++) {
        own[i] = comes_to(view, suspect, (uint32_t)i, most_up);
        bytes += pm_view_retained(view, suspect->members[i]);
    }
    for (size_t i = 0; i < count; i++) {
        if (!own[i]) continue;
        kept_bytes += pm_view_retained(view, suspect->members[i]);
        suspect->members[kept++] = suspect->members[i];
    }
    if (kept == count || (double)kept < PM_GROUP_RATIO * (double)count || !bytes) return;
    suspect->member_count = kept;
    suspect->member_total = suspect->member_total * kept / count;
    suspect->bytes = (uint64_t)((double)suspect->bytes * (double)kept_bytes / (double)bytes);
}

void pm_find_container(const struct pm_heap_view *view, struct pm_arena *arena, struct pm_suspect *suspect) {
    struct climb *climbs = calloc(PM_MEMBER_SAMPLE, sizeof(*climbs));
    struct tally tally = {.slots = calloc(TALLY, sizeof(*tally.slots))};
    unsigned each_other = 0;
    uint32_t found = 0;
    for (size_t i = 0; climbs && i < suspect->member_count; i++)
        climbs[i] = (struct climb){.at = {suspect->members[i]}, .count = 1};
    for (unsigned up = 0; up < MOST_UP && climbs && tally.slots; up++) {
        for (size_t i = 0; i < suspect->member_count; i++)
            climb_up(view, suspect, &climbs[i], (uint32_t)i, &tally, up == 0 ? &each_other : &(unsigned){0});
        pm_node best = most_counted(&tally, &found);
        if (found >= PM_GROUP_RATIO * (double)suspect->member_count && found > 1) {
            suspect->container = best;
            if (suspect->kind == PM_SUSPECT_GROUP) keep_own_members(view, suspect, up);
            break;
        }
    }
    size_t alike = 0;
    for (size_t i = 0; i < suspect->member_count; i++) alike += is_member(suspect, view, suspect->members[i]);
    suspect->links_each_other = alike && each_other * 2 > alike;
    if (suspect->container == PM_NO_NODE) common_edge(view, arena, suspect);
    free(climbs);
    free(tally.slots);
}
