#include "postmortem/report_process.h"

#include <math.h>
#include <string.h>

#include "postmortem/detect/report_thresholds.h"
#include "postmortem/model/report_compare.h"
#include "postmortem/process.h"

static bool is(const char *text, const char *word) {
    return text && !strcmp(text, word);
}

/* ---- which report ---- */

/* How much a report says about a death. */
static int weight(const struct pm_report_facts *facts) {
    const char *trigger = facts->header.trigger;
    if (is(trigger, "OOMError") || is(trigger, "FatalError")) return 3;
    if (is(trigger, "Exception")) return 2;
    return trigger ? 1 : 0;
}

const struct pm_report_facts *pm_report_of_death(const struct pm_diagnosis *diagnosis) {
    const struct pm_report_facts *best = NULL;
    for (size_t i = 0; i < diagnosis->report_count; i++) {
        const struct pm_report_facts *facts = diagnosis->reports[i];
        uint64_t time = facts->header.time_ms, best_time = best ? best->header.time_ms : 0;
        bool later = time != PM_UNKNOWN && best_time != PM_UNKNOWN && time > best_time;
        if (!best || weight(facts) > weight(best) || (weight(facts) == weight(best) && later)) best = facts;
    }
    return best;
}

/* ---- the death ---- */

/* The thrown error, as Node prints it; of an OOM or a signal there is none. */
static const char *error_message(const struct pm_report_facts *facts) {
    const char *message = facts->error.message;
    return message && *message && strcmp(message, "No stack.") != 0 ? message : NULL;
}

/* V8 says the same when the heap is full and when one allocation is larger than any may be. */
static bool heap_was_full(const struct pm_report_facts *facts, const struct pm_process *process) {
    uint64_t limit =
        process->max_old_space_flag != PM_UNKNOWN ? process->max_old_space_flag : facts->heap.limit;
    return !pm_is_number(limit) || facts->heap.used == PM_UNKNOWN ||
           (double)facts->heap.used >= PM_OVERSIZED_FILL * (double)limit;
}

static void describe_death(const struct pm_report_facts *facts, struct pm_process *process) {
    const struct pm_report_header *header = &facts->header;
    const char *event = header->event ? header->event : "";
    if (process->death != PM_DEATH_UNKNOWN) return;
    bool heap = strstr(event, "JavaScript heap out of memory") != NULL;
    if (strstr(event, "neffective mark-compacts"))
        process->death = PM_DEATH_INEFFECTIVE_GC;
    else if ((is(header->trigger, "OOMError") || is(header->trigger, "FatalError")) && heap &&
             heap_was_full(facts, process))
        process->death = PM_DEATH_HEAP_LIMIT;
    else if (is(header->trigger, "OOMError") || is(header->trigger, "FatalError"))
        process->death = PM_DEATH_FATAL_ERROR;
    else if (is(header->trigger, "Exception"))
        process->death = PM_DEATH_UNCAUGHT;
    else if (header->trigger)
        process->death = PM_DEATH_REPORT;
    else
        return;
    if (process->death == PM_DEATH_UNCAUGHT && error_message(facts))
        process->death_message = error_message(facts);
    else
        process->death_message = header->event;
    if (process->heap_used_at_death == PM_UNKNOWN) process->heap_used_at_death = facts->heap.used;
    if (process->heap_limit_at_death == PM_UNKNOWN && pm_is_number(facts->heap.limit))
        process->heap_limit_at_death = facts->heap.limit;
}

/* ---- the process ---- */

static struct pm_error *describe_environment(const struct pm_report_facts *facts,
                                             struct pm_diagnosis *diagnosis) {
    struct pm_process *process = &diagnosis->process;
    if (process->environment || !facts->environment_count) return NULL;
    process->environment =
        pm_arena_array(diagnosis->arena, facts->environment_count, sizeof(*process->environment));
    if (!process->environment) return pm_error_nomem();
    for (size_t i = 0; i < facts->environment_count; i++)
        if (facts->environment[i].value && pm_process_wants(facts->environment[i].name))
            process->environment[process->environment_count++] = facts->environment[i];
    return NULL;
}

struct pm_error *pm_report_describe_process(const struct pm_report_facts *facts,
                                            struct pm_diagnosis *diagnosis) {
    struct pm_process *process = &diagnosis->process;
    const struct pm_report_header *header = &facts->header;
    diagnosis->has_process = true;
    if (process->pid == PM_UNKNOWN) process->pid = header->pid;
    if (!process->node_version) process->node_version = header->node_version;
    if (!process->v8_version) process->v8_version = pm_report_component(facts, "v8");
    if (!process->arch) process->arch = header->arch;
    if (!process->argv && header->argc) {
        /* A copy: redaction changes the words of each in its own way. */
        process->argv = pm_arena_dup(diagnosis->arena, header->argv, header->argc, sizeof(*header->argv));
        if (!process->argv) return pm_error_nomem();
        process->argc = header->argc;
    }
    PM_TRY(describe_environment(facts, diagnosis));
    if (process->max_old_space_flag == PM_UNKNOWN) pm_process_read_flags(process);
    describe_death(facts, process);
    return NULL;
}

/* ---- the heap ---- */

static uint64_t less(uint64_t a, uint64_t b) {
    return a == PM_UNKNOWN || b == PM_UNKNOWN ? PM_UNKNOWN : a > b ? a - b : 0;
}

static struct pm_error *describe_isolate(const struct pm_report_facts *facts, struct pm_diagnosis *diagnosis,
                                         struct pm_isolate *isolate) {
    const struct pm_report_heap *heap = &facts->heap;
    bool is_main = facts->header.thread_id == 0 || facts->header.thread_id == PM_UNKNOWN;
    *isolate = (struct pm_isolate){
        .tid = is_main ? facts->header.pid : PM_UNKNOWN,
        .is_main = is_main,
        .gc_state = PM_UNKNOWN,
        .array_buffer_bytes = PM_UNKNOWN,
        .external_string_bytes = PM_UNKNOWN,
        .external_bytes = heap->external,
        .max_old_generation = is_main ? diagnosis->process.max_old_space_flag : PM_UNKNOWN,
        .max_semi_space = is_main ? diagnosis->process.max_semi_space_flag : PM_UNKNOWN,
        .heap_limit = pm_is_number(heap->limit) ? heap->limit : PM_UNKNOWN,
        .objects = PM_UNKNOWN,
        .object_bytes = PM_UNKNOWN,
        .unparsed_bytes = PM_UNKNOWN,
        .free_bytes = PM_UNKNOWN,
        .reachable_objects = PM_UNKNOWN,
        .reachable_bytes = PM_UNKNOWN,
        .unreachable_objects = PM_UNKNOWN,
        .unreachable_bytes = PM_UNKNOWN,
    };
    isolate->spaces = pm_arena_array(diagnosis->arena, heap->space_count, sizeof(*isolate->spaces));
    if (!isolate->spaces && heap->space_count) return pm_error_nomem();
    isolate->space_count = heap->space_count;
    for (size_t i = 0; i < heap->space_count; i++) {
        const struct pm_report_space *space = &heap->spaces[i];
        /* Free is what is committed and not used: capacity may be more (a space that could grow) or less. */
        uint64_t free_bytes = less(space->committed, space->used), room = less(space->capacity, space->used);
        isolate->spaces[i] = (struct pm_space){
            .name = space->name,
            .pages = PM_UNKNOWN,
            .committed = space->committed,
            .used = space->used,
            .free = room < free_bytes ? room : free_bytes,
            .objects = PM_UNKNOWN,
            .unparsed = PM_UNKNOWN,
        };
    }
    return NULL;
}

struct pm_error *pm_report_describe_heap(const struct pm_report_facts *facts,
                                         struct pm_diagnosis *diagnosis) {
    if (diagnosis->isolate_count || !(facts->sections & PM_REPORT_HEAP)) return NULL;
    diagnosis->isolates =
        pm_arena_array(diagnosis->arena, 1 + facts->worker_count, sizeof(*diagnosis->isolates));
    if (!diagnosis->isolates) return pm_error_nomem();
    PM_TRY(describe_isolate(facts, diagnosis, &diagnosis->isolates[diagnosis->isolate_count++]));
    for (size_t i = 0; i < facts->worker_count; i++)
        if (facts->workers[i].sections & PM_REPORT_HEAP)
            PM_TRY(describe_isolate(&facts->workers[i], diagnosis,
                                    &diagnosis->isolates[diagnosis->isolate_count++]));
    diagnosis->has_isolates = true;
    return NULL;
}

/* ---- the threads ---- */

static struct pm_error *native_frames(const struct pm_report_facts *facts, struct pm_diagnosis *diagnosis,
                                      struct pm_thread *thread) {
    thread->frames = pm_arena_array(diagnosis->arena, facts->native_count, sizeof(*thread->frames));
    if (!thread->frames && facts->native_count) return pm_error_nomem();
    for (size_t i = 0; i < facts->native_count; i++) {
        const struct pm_report_native_frame *frame = &facts->native_stack[i];
        thread->frames[thread->frame_count++] = (struct pm_frame){
            .kind = PM_FRAME_NATIVE,
            .function = frame->symbol,
            .module = frame->module,
            .offset = PM_UNKNOWN,
            .address = frame->pc == PM_UNKNOWN ? 0 : frame->pc,
        };
    }
    return NULL;
}

static struct pm_error *describe_thread(const struct pm_report_facts *facts, struct pm_diagnosis *diagnosis,
                                        bool is_worker, struct pm_thread *thread) {
    const struct pm_report_header *header = &facts->header;
    bool died = weight(facts) > 1 && !is_worker;
    bool is_main = !is_worker && (header->thread_id == 0 || header->thread_id == PM_UNKNOWN);
    *thread = (struct pm_thread){
        .tid = is_main ? header->pid : PM_UNKNOWN, /* the main thread of a Linux process has its number */
        .role = is_main ? PM_ROLE_MAIN : PM_ROLE_WORKER,
        .crashed = died,
    };
    if (header->thread_id != PM_UNKNOWN && !is_main) {
        thread->name =
            pm_arena_printf(diagnosis->arena, "worker %llu", (unsigned long long)header->thread_id);
        if (!thread->name) return pm_error_nomem();
    }
    if (weight(facts) == 3)
        thread->state = PM_STATE_FATAL;
    else if (is(header->trigger, "API") && facts->error.frame_count)
        thread->state = PM_STATE_RUNNING_JS;
    else if (is(header->trigger, "Signal") && !facts->error.line_count)
        thread->state = PM_STATE_POLLING; /* only a loop that turns writes a report for a signal */
    if (!facts->error.frame_count) return native_frames(facts, diagnosis, thread);
    thread->frames = pm_arena_dup(diagnosis->arena, facts->error.frames, facts->error.frame_count,
                                  sizeof(*facts->error.frames));
    if (!thread->frames) return pm_error_nomem();
    thread->frame_count = facts->error.frame_count;
    return NULL;
}

struct pm_error *pm_report_describe_threads(const struct pm_report_facts *facts,
                                            struct pm_diagnosis *diagnosis) {
    unsigned stacks = PM_REPORT_JS_STACK | PM_REPORT_NATIVE_STACK;
    if (diagnosis->thread_count || !(facts->sections & stacks)) return NULL;
    diagnosis->threads =
        pm_arena_array(diagnosis->arena, 1 + facts->worker_count, sizeof(*diagnosis->threads));
    if (!diagnosis->threads) return pm_error_nomem();
    PM_TRY(describe_thread(facts, diagnosis, false, &diagnosis->threads[diagnosis->thread_count++]));
    for (size_t i = 0; i < facts->worker_count; i++)
        if (facts->workers[i].error.frame_count)
            PM_TRY(describe_thread(&facts->workers[i], diagnosis, true,
                                   &diagnosis->threads[diagnosis->thread_count++]));
    diagnosis->has_threads = true;
    return NULL;
}

/* ---- two of one process ---- */

static bool of_one_process(const struct pm_report_facts *a, const struct pm_report_facts *b) {
    return a->header.pid != PM_UNKNOWN && a->header.pid == b->header.pid && a->header.host &&
           b->header.host && !strcmp(a->header.host, b->header.host) &&
           a->header.thread_id == b->header.thread_id;
}

struct pm_error *pm_report_find_comparison(struct pm_diagnosis *diagnosis, bool any) {
    const struct pm_report_facts *judged = pm_report_of_death(diagnosis), *first = NULL, *last = NULL;
    struct pm_report_comparison comparison;
    for (size_t i = 0; i < diagnosis->report_count; i++) {
        const struct pm_report_facts *facts = diagnosis->reports[i];
        if (!(any && diagnosis->report_count == 2) && !of_one_process(facts, judged)) continue;
        uint64_t time = facts->header.time_ms;
        if (!first ||
            (time != PM_UNKNOWN && first->header.time_ms != PM_UNKNOWN && time < first->header.time_ms))
            first = facts;
        if (!last || time == PM_UNKNOWN || last->header.time_ms == PM_UNKNOWN || time >= last->header.time_ms)
            last = facts;
    }
    if (!first || first == last) return NULL;
    PM_TRY(pm_report_compare(first, last, diagnosis->arena, &comparison));
    diagnosis->report_comparison = pm_arena_dup(diagnosis->arena, &comparison, 1, sizeof(comparison));
    return diagnosis->report_comparison ? NULL : pm_error_nomem();
}
