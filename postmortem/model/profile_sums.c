#include "postmortem/model/profile_sums.h"

#include <stdlib.h>
#include <string.h>

#include "postmortem/base/sort.h"

/* ------------------------------------------------------------------ packages */

static bool is_separator(char c) {
    return c == '/' || c == '\\';
}

static size_t until_separator(const char *text) {
    size_t length = 0;
    while (text[length] && !is_separator(text[length])) length++;
    return length;
}

static size_t constant(const char *text, const char **ret) {
    *ret = text;
    return strlen(text);
}

/* Node 14 names its own files "internal/timers.js" and "events.js", without a scheme. */
static bool is_node_file(const char *file) {
    if (strncmp(file, "node:", 5) == 0) return true;
    if (is_separator(file[0]) || strstr(file, "://") || file[0] == '[' || file[0] == '<') return false;
    if (file[1] == ':' || strchr(file, '<') || strchr(file, ' ')) return false;
    size_t length = strlen(file);
    return length > 3 && strcmp(file + length - 3, ".js") == 0 && file[0] != '.';
}

size_t pm_package_of(const char *file, const char **ret) {
    static const char folder[] = "node_modules";
    const char *last = NULL;
    if (!file || !*file) return constant("(native)", ret);
    for (const char *at = file; (at = strstr(at, folder)); at += sizeof(folder) - 1)
        if ((at == file || is_separator(at[-1])) && is_separator(at[sizeof(folder) - 1])) last = at;
    if (!last) return constant(is_node_file(file) ? "(node)" : "(app)", ret);
    const char *name = last + sizeof(folder);
    size_t length = until_separator(name);
    if (name[0] == '@' && name[length]) length += 1 + until_separator(name + length + 1);
    if (!length) return constant("(app)", ret);
    *ret = name;
    return length;
}

static size_t package_of(const struct pm_profile_function *function, const char **ret) {
    switch (function->kind) {
    case PM_CALL_ROOT: return constant("(root)", ret);
    case PM_CALL_PROGRAM: return constant("(program)", ret);
    case PM_CALL_IDLE: return constant("(idle)", ret);
    case PM_CALL_GC: return constant("(gc)", ret);
    case PM_CALL_NATIVE: return constant("(native)", ret);
    case PM_CALL_CODE: break;
    }
    return pm_package_of(function->position.file, ret);
}

bool pm_profile_is_user(const struct pm_profile *profile, uint32_t function) {
    return strcmp(profile->packages[profile->functions[function].package].name, "(app)") == 0;
}

/* ------------------------------------------------------------------ groups */

struct named {
    const char *name;
    size_t length;
    uint32_t function;
};

static int by_name(const void *a, const void *b) {
    const struct named *x = a, *y = b;
    size_t shorter = x->length < y->length ? x->length : y->length;
    int order = memcmp(x->name, y->name, shorter);
    return order ? order : x->length < y->length ? -1 : x->length > y->length;
}

/* Functions with the same name of the group become one; `file` says which names. */
static struct pm_error *make_groups(struct pm_arena *arena, struct pm_profile *profile, bool file,
                                    struct pm_profile_group **ret, size_t *count_ret) {
    size_t count = profile->function_count, groups = 0;
    struct named *names PM_AUTO_FREE = malloc(count * sizeof(*names));
    if (!names) return pm_error_nomem();
    for (size_t i = 0; i < count; i++) {
        const struct pm_profile_function *function = &profile->functions[i];
        names[i].function = (uint32_t)i;
        if (file && function->position.file)
            names[i].length = constant(function->position.file, &names[i].name);
        else
            names[i].length = package_of(function, &names[i].name);
    }
    pm_sort(names, count, sizeof(*names), by_name);
    for (size_t i = 0; i < count; i++) groups += i == 0 || by_name(&names[i - 1], &names[i]) != 0;
    struct pm_profile_group *list = pm_arena_array(arena, groups, sizeof(*list));
    if (!list) return pm_error_nomem();
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || by_name(&names[i - 1], &names[i]) != 0) {
            list[at].name = pm_arena_copy(arena, names[i].name, names[i].length);
            if (!list[at++].name) return pm_error_nomem();
        }
        struct pm_profile_function *function = &profile->functions[names[i].function];
        *(file ? &function->file : &function->package) = (uint32_t)at - 1;
    }
    *ret = list;
    *count_ret = groups;
    return NULL;
}

/* ------------------------------------------------------------------ sums */

static void add(uint64_t *sum, uint64_t value) {
    if (__builtin_add_overflow(*sum, value, sum)) *sum = UINT64_MAX - 1;
}

/* Adds the totals of outermost calls: those without another call of the same group above them. */
struct open_calls {
    uint32_t *functions, *files, *packages;
};

static void enter(struct pm_profile *profile, const struct pm_call *call, const struct open_calls *open) {
    struct pm_profile_function *function = &profile->functions[call->function];
    struct pm_profile_group *file = &profile->files[function->file];
    struct pm_profile_group *package = &profile->packages[function->package];
    if (open->functions[call->function]++ == 0) add(&function->total, call->total);
    if (open->files[function->file]++ == 0) add(&file->total, call->total);
    if (open->packages[function->package]++ == 0) add(&package->total, call->total);
    add(&function->self, call->self);
    add(&file->self, call->self);
    add(&package->self, call->self);
    function->count += call->count;
    file->count += call->count;
    package->count += call->count;
}

static void leave(const struct pm_profile *profile, const struct pm_call *call,
                  const struct open_calls *open) {
    const struct pm_profile_function *function = &profile->functions[call->function];
    open->functions[call->function]--;
    open->files[function->file]--;
    open->packages[function->package]--;
}

static struct pm_error *sum(struct pm_profile *profile) {
    uint32_t *functions PM_AUTO_FREE = calloc(profile->function_count, sizeof(uint32_t));
    uint32_t *files PM_AUTO_FREE = calloc(profile->file_count, sizeof(uint32_t));
    uint32_t *packages PM_AUTO_FREE = calloc(profile->package_count, sizeof(uint32_t));
    struct open_calls open = {functions, files, packages};
    if (!functions || !files || !packages) return pm_error_nomem();
    uint32_t innermost = UINT32_MAX;
    for (size_t i = 0; i < profile->call_count; i++) {
        const struct pm_call *call = &profile->calls[i];
        for (; innermost != call->caller; innermost = profile->calls[innermost].caller)
            leave(profile, &profile->calls[innermost], &open);
        enter(profile, call, &open);
        innermost = (uint32_t)i;
    }
    return NULL;
}

/* ------------------------------------------------------------------ order */

static int group_order(const struct pm_profile_group *x, const struct pm_profile_group *y) {
    if (x->self != y->self) return x->self < y->self ? 1 : -1;
    if (x->total != y->total) return x->total < y->total ? 1 : -1;
    return strcmp(x->name, y->name);
}

static int function_order(const void *a, const void *b, void *context) {
    const struct pm_profile_function *functions = context;
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    const struct pm_profile_function *x = &functions[left], *y = &functions[right];
    if (x->self != y->self) return x->self < y->self ? 1 : -1;
    if (x->total != y->total) return x->total < y->total ? 1 : -1;
    return left < right ? -1 : left > right;
}

static int group_index_order(const void *a, const void *b, void *context) {
    const struct pm_profile_group *groups = context;
    return group_order(&groups[*(const uint32_t *)a], &groups[*(const uint32_t *)b]);
}

/* rank[old] = new, after sorting `count` indexes. */
static bool ranks(size_t count, int (*order)(const void *, const void *, void *), void *context,
                  uint32_t **sorted_ret, uint32_t **rank_ret) {
    uint32_t *sorted = malloc(count * sizeof(*sorted)), *rank = malloc(count * sizeof(*rank));
    *sorted_ret = sorted;
    *rank_ret = rank;
    if (!sorted || !rank) return false;
    for (size_t i = 0; i < count; i++) sorted[i] = (uint32_t)i;
    qsort_r(sorted, count, sizeof(*sorted), order, context);
    for (size_t i = 0; i < count; i++) rank[sorted[i]] = (uint32_t)i;
    return true;
}

static struct pm_error *sort_groups(struct pm_arena *arena, struct pm_profile *profile, bool file) {
    struct pm_profile_group **list = file ? &profile->files : &profile->packages;
    size_t count = file ? profile->file_count : profile->package_count;
    uint32_t *sorted PM_AUTO_FREE = NULL, *rank PM_AUTO_FREE = NULL;
    struct pm_profile_group *result = pm_arena_array(arena, count, sizeof(*result));
    if (!result || !ranks(count, group_index_order, *list, &sorted, &rank)) return pm_error_nomem();
    for (size_t i = 0; i < count; i++) result[i] = (*list)[sorted[i]];
    for (size_t i = 0; i < profile->function_count; i++) {
        uint32_t *index = file ? &profile->functions[i].file : &profile->functions[i].package;
        *index = rank[*index];
    }
    *list = result;
    return NULL;
}

static struct pm_error *sort_functions(struct pm_arena *arena, struct pm_profile *profile) {
    uint32_t *sorted PM_AUTO_FREE = NULL, *rank PM_AUTO_FREE = NULL;
    struct pm_profile_function *result = pm_arena_array(arena, profile->function_count, sizeof(*result));
    if (!result || !ranks(profile->function_count, function_order, profile->functions, &sorted, &rank))
        return pm_error_nomem();
    for (size_t i = 0; i < profile->function_count; i++) result[i] = profile->functions[sorted[i]];
    for (size_t i = 0; i < profile->call_count; i++)
        profile->calls[i].function = rank[profile->calls[i].function];
    profile->functions = result;
    return NULL;
}

/* ------------------------------------------------------------------ hot path */

/* Down from the root to the callee with most of it, for as long as that one has half or more. */
static size_t hot_path(const struct pm_profile *profile) {
    size_t at = 0;
    uint64_t above = profile->calls[0].total - profile->idle;
    for (;;) {
        size_t best = 0;
        for (size_t c = at + 1; c < profile->calls[at].end; c = profile->calls[c].end) {
            enum pm_call_kind kind = profile->functions[profile->calls[c].function].kind;
            if (kind != PM_CALL_CODE && kind != PM_CALL_NATIVE) continue;
            best = c; /* the largest stands first */
            break;
        }
        if (!best || !profile->calls[best].total || profile->calls[best].total < above / 2) break;
        at = best;
        above = profile->calls[at].total;
    }
    return at ? at : SIZE_MAX;
}

struct pm_error *pm_profile_sum(struct pm_arena *arena, struct pm_profile *profile) {
    PM_TRY(make_groups(arena, profile, true, &profile->files, &profile->file_count));
    PM_TRY(make_groups(arena, profile, false, &profile->packages, &profile->package_count));
    PM_TRY(sum(profile));
    profile->idle = profile->program = profile->gc = 0;
    for (size_t i = 0; i < profile->function_count; i++) {
        const struct pm_profile_function *function = &profile->functions[i];
        if (function->kind == PM_CALL_IDLE) add(&profile->idle, function->self);
        if (function->kind == PM_CALL_PROGRAM) add(&profile->program, function->self);
        if (function->kind == PM_CALL_GC) add(&profile->gc, function->self);
    }
    PM_TRY(sort_groups(arena, profile, true));
    PM_TRY(sort_groups(arena, profile, false));
    PM_TRY(sort_functions(arena, profile));
    profile->hot_call = hot_path(profile);
    return NULL;
}
