/* Building the call tree: callers in any order and shape become a tree in preorder, then its sums.
 *
 * Every step is a loop over arrays; a chain of ten million calls costs no more than a bush of them. */
#include "postmortem/model/profile.h"

#include <stdlib.h>
#include <string.h>

#include "postmortem/model/profile_sums.h"

#define NONE UINT32_MAX

/* Callees of each call as one array: those of i are list[first[i]] to list[first[i + 1] - 1]. */
struct callees {
    uint32_t *first, *list;
};

static void callees_deinit(struct callees *callees) {
    free(callees->first);
    free(callees->list);
}

/* A counting sort by caller: keeps the order of the input. `caller[i]` may be NONE. */
static bool callees_init(struct callees *callees, const uint32_t *caller, size_t count) {
    callees->first = calloc(count + 2, sizeof(*callees->first));
    callees->list = malloc((count + 1) * sizeof(*callees->list));
    if (!callees->first || !callees->list) return false;
    uint32_t *start = callees->first + 1;
    for (size_t i = 0; i < count; i++)
        if (caller[i] != NONE) start[caller[i] + 1]++;
    for (size_t i = 0; i < count; i++) start[i + 1] += start[i];
    /* start[c] moves from the beginning of c's callees to their end: then first[c] is the beginning. */
    for (size_t i = 0; i < count; i++)
        if (caller[i] != NONE) callees->list[start[caller[i]]++] = (uint32_t)i;
    return true;
}

/* ------------------------------------------------------------------ merging */

/* The tree without two callees of one function under one caller; a caller stands before its callees. */
struct merged {
    struct pm_call *calls;
    size_t count;
    uint32_t *table; /* open addressing: index of a call + 1 */
    size_t mask;
};

static uint64_t mix(uint64_t caller, uint64_t function) {
    uint64_t hash = (caller << 32 | function) * 0x9e3779b97f4a7c15;
    return hash ^ hash >> 29;
}

static uint32_t merged_call(struct merged *merged, uint32_t caller, uint32_t function) {
    size_t slot = mix(caller, function) & merged->mask;
    for (; merged->table[slot]; slot = (slot + 1) & merged->mask) {
        const struct pm_call *call = &merged->calls[merged->table[slot] - 1];
        if (call->caller == caller && call->function == function) return merged->table[slot] - 1;
    }
    merged->calls[merged->count] = (struct pm_call){.function = function, .caller = caller};
    merged->table[slot] = (uint32_t)++merged->count;
    return (uint32_t)merged->count - 1;
}

static void add(uint64_t *sum, uint64_t value) {
    if (__builtin_add_overflow(*sum, value, sum)) *sum = UINT64_MAX - 1;
}

/* Takes one call and everything below it that was not visited yet. */
static void merge_from(struct pm_profile_input *input, const struct callees *callees, uint32_t start,
                       struct merged *merged, uint32_t *call_of, uint32_t *pending) {
    size_t depth = 0;
    pending[depth++] = start;
    while (depth) {
        uint32_t at = pending[--depth], above = input->caller[at];
        bool is_root = input->functions[input->function[at]].kind == PM_CALL_ROOT;
        /* What lies below a lost caller, or what breaks a cycle, hangs below the root. */
        uint32_t caller = at == start || above == NONE ? 0 : call_of[above];
        uint32_t call = is_root ? 0 : merged_call(merged, caller, input->function[at]);
        call_of[at] = call;
        add(&merged->calls[call].self, input->self[at]);
        if (__builtin_add_overflow(merged->calls[call].count, input->hits[at], &merged->calls[call].count))
            merged->calls[call].count = UINT32_MAX;
        for (uint32_t i = callees->first[at + 1]; i > callees->first[at]; i--)
            if (call_of[callees->list[i - 1]] == NONE) pending[depth++] = callees->list[i - 1];
    }
}

static struct pm_error *merge(struct pm_profile_input *input, uint32_t root_function, struct merged *merged,
                              uint32_t *call_of) {
    struct callees callees = {0};
    size_t slots = 16;
    while (slots < input->count * 2) slots *= 2;
    uint32_t *pending PM_AUTO_FREE = malloc((input->count + 1) * sizeof(*pending));
    merged->calls = malloc((input->count + 1) * sizeof(*merged->calls));
    merged->table = calloc(slots, sizeof(*merged->table));
    merged->mask = slots - 1;
    bool enough =
        callees_init(&callees, input->caller, input->count) && pending && merged->calls && merged->table;
    if (enough) {
        merged->calls[0] = (struct pm_call){.function = root_function, .caller = NONE};
        merged->count = 1;
        memset(call_of, 0xff, input->count * sizeof(*call_of));
        for (size_t i = 0; i < input->count; i++)
            if (input->caller[i] == NONE) merge_from(input, &callees, (uint32_t)i, merged, call_of, pending);
        for (size_t i = 0; i < input->count; i++) {
            if (call_of[i] != NONE) continue;
            input->detached++;
            merge_from(input, &callees, (uint32_t)i, merged, call_of, pending);
        }
    }
    callees_deinit(&callees);
    return enough ? NULL : pm_error_nomem();
}

/* ------------------------------------------------------------------ order */

static int largest_first(const void *a, const void *b, void *context) {
    const struct pm_call *calls = context;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    uint64_t left = calls[x].total, right = calls[y].total;
    if (left != right) return left < right ? 1 : -1;
    return x < y ? -1 : x > y;
}

/* Callers stand before callees already; here callees become preorder, the largest first. */
static struct pm_error *lay_out(const struct merged *merged, struct pm_call *ret, uint32_t *place) {
    size_t count = merged->count, depth = 0, next = 0;
    struct callees callees = {0};
    uint32_t *caller PM_AUTO_FREE = malloc(count * sizeof(*caller));
    uint32_t *pending PM_AUTO_FREE = malloc(count * sizeof(*pending));
    if (!caller || !pending) return pm_error_nomem();
    for (size_t i = 0; i < count; i++) caller[i] = merged->calls[i].caller;
    if (!callees_init(&callees, caller, count)) {
        callees_deinit(&callees);
        return pm_error_nomem();
    }
    for (size_t i = 0; i < count; i++)
        if (callees.first[i + 1] - callees.first[i] > 1)
            qsort_r(callees.list + callees.first[i], callees.first[i + 1] - callees.first[i],
                    sizeof(uint32_t), largest_first, merged->calls);
    pending[depth++] = 0;
    while (depth) {
        uint32_t at = pending[--depth];
        place[at] = (uint32_t)next;
        ret[next] = merged->calls[at];
        if (at) ret[next].caller = place[merged->calls[at].caller];
        next++;
        ret[next - 1].end = (uint32_t)next;
        for (uint32_t i = callees.first[at + 1]; i > callees.first[at]; i--)
            pending[depth++] = callees.list[i - 1];
    }
    callees_deinit(&callees);
    for (size_t i = count - 1; i > 0; i--)
        if (ret[ret[i].caller].end < ret[i].end) ret[ret[i].caller].end = ret[i].end;
    return NULL;
}

/* ------------------------------------------------------------------ the whole */

static uint32_t root_of(const struct pm_profile_input *input) {
    for (size_t i = 0; i < input->function_count; i++)
        if (input->functions[i].kind == PM_CALL_ROOT) return (uint32_t)i;
    return NONE;
}

/* The file may have lost its root: then one is made. */
static struct pm_error *take_functions(struct pm_arena *arena, const struct pm_profile_input *input,
                                       struct pm_profile *profile, uint32_t *root_ret) {
    *root_ret = root_of(input);
    profile->function_count = input->function_count + (*root_ret == NONE);
    profile->functions = pm_arena_array(arena, profile->function_count, sizeof(*profile->functions));
    if (!profile->functions) return pm_error_nomem();
    if (input->function_count)
        memcpy(profile->functions, input->functions, input->function_count * sizeof(*input->functions));
    if (*root_ret == NONE) {
        *root_ret = (uint32_t)input->function_count;
        profile->functions[*root_ret] = (struct pm_profile_function){.name = "(root)", .kind = PM_CALL_ROOT};
    }
    return NULL;
}

struct pm_error *pm_profile_build(struct pm_arena *arena, struct pm_profile_input *input,
                                  struct pm_profile *profile) {
    struct merged merged = {0};
    uint32_t root;
    uint32_t *call_of PM_AUTO_FREE = malloc((input->count + 1) * sizeof(*call_of));
    if (!call_of || input->count >= NONE) return pm_error_nomem();
    PM_TRY(take_functions(arena, input, profile, &root));
    struct pm_error *err = merge(input, root, &merged, call_of);
    free(merged.table);
    uint32_t *place PM_AUTO_FREE = err ? NULL : malloc((merged.count + 1) * sizeof(*place));
    struct pm_call *calls = err ? NULL : pm_arena_array(arena, merged.count, sizeof(*calls));
    if (!err && (!place || !calls)) err = pm_error_nomem();
    if (!err) {
        for (size_t i = 0; i < merged.count; i++) merged.calls[i].total = merged.calls[i].self;
        for (size_t i = merged.count - 1; i > 0; i--)
            add(&merged.calls[merged.calls[i].caller].total, merged.calls[i].total);
        err = lay_out(&merged, calls, place);
    }
    free(merged.calls);
    if (err) return err;
    profile->calls = calls;
    profile->call_count = merged.count;
    profile->total = calls[0].total;
    if (input->call_of)
        for (size_t i = 0; i < input->count; i++) input->call_of[i] = place[call_of[i]];
    return pm_profile_sum(arena, profile);
}
