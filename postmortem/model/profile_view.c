#include "postmortem/model/profile_view.h"

#include <stdlib.h>

#include "postmortem/base/vec.h"

#define BOTTOM_DEPTH 24 /* callers shown above one function */

const char *pm_call_kind_word(enum pm_call_kind kind) {
    switch (kind) {
    case PM_CALL_CODE: return "code";
    case PM_CALL_ROOT: return "root";
    case PM_CALL_PROGRAM: return "program";
    case PM_CALL_IDLE: return "idle";
    case PM_CALL_GC: return "gc";
    case PM_CALL_NATIVE: return "native";
    }
    return "code";
}

void pm_profile_rows_deinit(struct pm_profile_rows *rows) {
    free(rows->rows);
    *rows = (struct pm_profile_rows){0};
}

static bool put(struct pm_profile_rows *rows, const struct pm_profile_row *row) {
    if (rows->count == rows->capacity &&
        !pm_vec_grow((void **)&rows->rows, &rows->capacity, rows->count + 1, sizeof(*rows->rows)))
        return false;
    rows->rows[rows->count++] = *row;
    return true;
}

static struct pm_profile_row row_of(const struct pm_profile *profile, size_t call, uint32_t depth) {
    return (struct pm_profile_row){profile->calls[call].function, depth, profile->calls[call].self,
                                   profile->calls[call].total};
}

void pm_profile_hot_path(const struct pm_profile *profile, struct pm_profile_rows *rows) {
    rows->count = 0;
    if (profile->hot_call == SIZE_MAX) return;
    for (size_t call = profile->hot_call; call; call = profile->calls[call].caller) {
        struct pm_profile_row row = row_of(profile, call, 0);
        if (rows->count >= 10000 || !put(rows, &row)) break;
    }
    for (size_t i = 0, k = rows->count; i + 1 < k; i++) {
        struct pm_profile_row row = rows->rows[i];
        rows->rows[i] = rows->rows[--k];
        rows->rows[k] = row;
    }
    for (size_t i = 0; i < rows->count; i++) rows->rows[i].depth = (uint32_t)i;
}

static uint64_t part(const struct pm_profile *profile, double least) {
    uint64_t part = (uint64_t)((double)(profile->total - profile->idle) * least);
    return part ? part : 1;
}

void pm_profile_top_down(const struct pm_profile *profile, double least, size_t most,
                         struct pm_profile_rows *rows) {
    uint64_t mark = part(profile, least);
    uint32_t depth = 0, caller = 0;
    rows->count = 0;
    for (size_t i = 1; i < profile->call_count && rows->count < most;) {
        const struct pm_call *call = &profile->calls[i];
        enum pm_call_kind kind = profile->functions[call->function].kind;
        if (call->total < mark || kind == PM_CALL_IDLE) {
            i = call->end;
            continue;
        }
        /* Preorder: the caller is the row before, or one above it. */
        for (; caller != call->caller; depth--) caller = profile->calls[caller].caller;
        struct pm_profile_row row = row_of(profile, i, depth);
        if (!put(rows, &row)) return;
        caller = (uint32_t)i++;
        depth++;
    }
}

/* ---- bottom up ---- */

/* Calls of one function, and how far up their callers have been followed. */
struct lead {
    uint32_t at;    /* the call whose caller comes next */
    uint64_t value; /* what goes up this way */
};
struct group {
    uint32_t function;
    uint64_t value;
};

static int by_function(const void *a, const void *b, void *context) {
    const struct pm_call *calls = context;
    uint32_t x = calls[((const struct lead *)a)->at].function,
             y = calls[((const struct lead *)b)->at].function;
    return x < y ? -1 : x > y;
}

/* All calls of the function are leads; they go up one caller at a time, the way most of it came. */
static void follow(const struct pm_profile *profile, struct lead *leads, size_t count, uint64_t mark,
                   size_t most, struct pm_profile_rows *rows) {
    for (uint32_t depth = 1; depth < BOTTOM_DEPTH && rows->count < most; depth++) {
        size_t kept = 0, best = 0, best_count = 0;
        uint64_t best_value = 0;
        for (size_t i = 0; i < count; i++) {
            uint32_t caller = profile->calls[leads[i].at].caller;
            if (caller == 0 || caller == UINT32_MAX) continue;
            leads[kept++] = (struct lead){caller, leads[i].value};
        }
        qsort_r(leads, kept, sizeof(*leads), by_function, profile->calls);
        for (size_t i = 0, k; i < kept; i = k) {
            uint64_t value = 0;
            for (k = i; k < kept && by_function(&leads[i], &leads[k], profile->calls) == 0; k++)
                value += leads[k].value;
            struct pm_profile_row row = {profile->calls[leads[i].at].function, depth, 0, value};
            if (value > best_value) {
                best = i;
                best_count = k - i;
                best_value = value;
            }
            /* The other callers are told, but not followed. */
            if (value >= mark && rows->count < most && !put(rows, &row)) return;
        }
        if (best_value < mark) return;
        /* The one that is followed comes last, so that its callers stand below it. */
        for (size_t i = rows->count; i-- > 0 && rows->rows[i].depth == depth;)
            if (rows->rows[i].function == profile->calls[leads[best].at].function) {
                struct pm_profile_row row = rows->rows[i];
                for (size_t k = i; k + 1 < rows->count; k++) rows->rows[k] = rows->rows[k + 1];
                rows->rows[rows->count - 1] = row;
                break;
            }
        for (size_t i = 0; i < best_count; i++) leads[i] = leads[best + i];
        count = best_count;
    }
}

void pm_profile_bottom_up(const struct pm_profile *profile, double least, size_t most,
                          struct pm_profile_rows *rows) {
    uint64_t mark = part(profile, least);
    rows->count = 0;
    struct lead *leads = malloc((profile->call_count + 1) * sizeof(*leads));
    for (size_t i = 0; leads && i < profile->function_count && i < 30 && rows->count < most; i++) {
        const struct pm_profile_function *function = &profile->functions[i];
        if (function->self < mark || function->kind == PM_CALL_IDLE) continue;
        struct pm_profile_row row = {(uint32_t)i, 0, function->self, function->self};
        size_t count = 0;
        if (!put(rows, &row)) break;
        for (uint32_t k = 0; k < profile->call_count; k++)
            if (profile->calls[k].function == i && profile->calls[k].self)
                leads[count++] = (struct lead){k, profile->calls[k].self};
        follow(profile, leads, count, mark, most, rows);
    }
    free(leads);
}
