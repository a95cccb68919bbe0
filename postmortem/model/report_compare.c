#include "postmortem/model/report_compare.h"

#include <math.h>
#include <string.h>

struct builder {
    struct pm_report_comparison *comparison;
    size_t room;
};

static double number(uint64_t value) {
    return pm_is_number(value) ? (double)value : (double)NAN;
}

static void change(struct builder *builder, const char *what, enum pm_change_unit unit, double before,
                   double after) {
    struct pm_report_comparison *comparison = builder->comparison;
    if (isnan(before) || isnan(after) || !(before < after || before > after)) return;
    if (comparison->change_count == builder->room) return; /* cannot be: room is for all */
    comparison->changes[comparison->change_count++] = (struct pm_report_change){what, unit, before, after};
}

static void bytes(struct builder *builder, const char *what, uint64_t before, uint64_t after) {
    change(builder, what, PM_CHANGE_BYTES, number(before), number(after));
}

static void count(struct builder *builder, const char *what, uint64_t before, uint64_t after) {
    change(builder, what, PM_CHANGE_COUNT, number(before), number(after));
}

static bool same(const char *a, const char *b) {
    return a && b && !strcmp(a, b);
}

/* ---- handles ---- */

static size_t of_kind(const struct pm_report_facts *facts, enum pm_handle_kind kind) {
    size_t found = 0;
    for (size_t i = 0; i < facts->handle_count; i++) found += facts->handles[i].kind == kind;
    return found;
}

static void compare_handles(struct builder *builder, const struct pm_report_facts *before,
                            const struct pm_report_facts *after) {
    static const struct {
        enum pm_handle_kind kind;
        const char *words;
    } kinds[] = {
        {PM_HANDLE_TCP, "TCP sockets"},         {PM_HANDLE_PIPE, "pipes"},
        {PM_HANDLE_UDP, "UDP sockets"},         {PM_HANDLE_TIMER, "timers"},
        {PM_HANDLE_FS_EVENT, "file watchers"},  {PM_HANDLE_FS_POLL, "polled files"},
        {PM_HANDLE_PROCESS, "child processes"}, {PM_HANDLE_SIGNAL, "signal handlers"},
        {PM_HANDLE_ASYNC, "async handles"},
    };
    if (!(before->sections & after->sections & PM_REPORT_LIBUV)) return;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        count(builder, kinds[i].words, of_kind(before, kinds[i].kind), of_kind(after, kinds[i].kind));
    for (size_t i = 0; i < before->handle_count; i++)
        for (size_t k = 0; k < after->handle_count && before->handles[i].kind == PM_HANDLE_LOOP; k++)
            if (after->handles[k].kind == PM_HANDLE_LOOP) {
                change(builder, "waiting of the loop", PM_CHANGE_SECONDS, before->handles[i].idle_seconds,
                       after->handles[k].idle_seconds);
                return;
            }
}

/* ---- all ---- */

static struct pm_error *compare_spaces(struct builder *builder, const struct pm_report_facts *before,
                                       const struct pm_report_facts *after, struct pm_arena *arena) {
    for (size_t i = 0; i < after->heap.space_count; i++) {
        const struct pm_report_space *space = &after->heap.spaces[i],
                                     *old = pm_report_space(before, space->name);
        if (!old) continue;
        const char *what = pm_arena_printf(arena, "used in %s", space->name);
        if (!what) return pm_error_nomem();
        bytes(builder, what, old->used, space->used);
    }
    return NULL;
}

static void compare_memory(struct builder *builder, const struct pm_report_facts *before,
                           const struct pm_report_facts *after) {
    bytes(builder, "resident memory", before->usage.rss, after->usage.rss);
    bytes(builder, "resident memory at most", before->usage.max_rss, after->usage.max_rss);
    bytes(builder, "used heap", before->heap.used, after->heap.used);
    bytes(builder, "committed heap", before->heap.total_committed, after->heap.total_committed);
    bytes(builder, "memory outside the heap", before->heap.external, after->heap.external);
    bytes(builder, "V8's own memory", before->heap.malloced, after->heap.malloced);
    bytes(builder, "global handles", before->heap.used_global_handles, after->heap.used_global_handles);
    count(builder, "native contexts", before->heap.native_contexts, after->heap.native_contexts);
    count(builder, "detached contexts", before->heap.detached_contexts, after->heap.detached_contexts);
}

static void compare_time(struct builder *builder, const struct pm_report_facts *before,
                         const struct pm_report_facts *after) {
    change(builder, "CPU time", PM_CHANGE_SECONDS,
           before->usage.user_cpu_seconds + before->usage.kernel_cpu_seconds,
           after->usage.user_cpu_seconds + after->usage.kernel_cpu_seconds);
    change(builder, "CPU time of the loop's thread", PM_CHANGE_SECONDS,
           before->thread_usage.user_cpu_seconds + before->thread_usage.kernel_cpu_seconds,
           after->thread_usage.user_cpu_seconds + after->thread_usage.kernel_cpu_seconds);
    count(builder, "page faults that needed the disk", before->usage.major_faults, after->usage.major_faults);
    count(builder, "worker threads", before->worker_count, after->worker_count);
}

struct pm_error *pm_report_compare(const struct pm_report_facts *one, const struct pm_report_facts *other,
                                   struct pm_arena *arena, struct pm_report_comparison *ret) {
    bool timed = one->header.time_ms != PM_UNKNOWN && other->header.time_ms != PM_UNKNOWN;
    bool turned = timed && other->header.time_ms < one->header.time_ms;
    const struct pm_report_facts *before = turned ? other : one, *after = turned ? one : other;
    struct pm_report_comparison comparison = {
        .first = before->input,
        .second = after->input,
        .seconds = timed ? (double)(after->header.time_ms - before->header.time_ms) / 1000 : (double)NAN,
        .same_process = before->header.pid == after->header.pid && before->header.pid != PM_UNKNOWN &&
                        same(before->header.host, after->header.host) &&
                        same(before->header.node_version, after->header.node_version),
    };
    struct builder builder = {&comparison, after->heap.space_count + 40};
    comparison.changes = pm_arena_array(arena, builder.room, sizeof(*comparison.changes));
    if (!comparison.changes) return pm_error_nomem();
    compare_memory(&builder, before, after);
    PM_TRY(compare_spaces(&builder, before, after, arena));
    compare_time(&builder, before, after);
    compare_handles(&builder, before, after);
    *ret = comparison;
    return NULL;
}

const struct pm_report_change *pm_report_change(const struct pm_report_comparison *comparison,
                                                const char *what) {
    for (size_t i = 0; i < comparison->change_count; i++)
        if (!strcmp(comparison->changes[i].what, what)) return &comparison->changes[i];
    return NULL;
}
