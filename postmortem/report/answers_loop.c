/* Event loops as answers: what each waits for. */
#include <inttypes.h>
#include <string.h>

#include "postmortem/model/event_loop.h"
#include "postmortem/model/words.h"
#include "postmortem/report/answers.h"
#include "postmortem/report/format.h"

#define MOST_LOOPS 24
#define LEAD(...)  pm_arena_printf(answers->arena, __VA_ARGS__)

static size_t most_rows(const struct pm_answers *answers, size_t usual) {
    return answers->options->limit ? answers->options->limit : usual;
}

static const char *place_of(struct pm_answers *answers, const struct pm_position *position) {
    if (!position->file) return NULL;
    if (!position->line) return position->file;
    return LEAD("%s:%" PRIu32 ":%" PRIu32, position->file, position->line, position->column);
}

static void count_cell(struct pm_answers *answers, struct pm_answer *block, uint64_t count) {
    char text[PM_NUMBER_TEXT];
    pm_answers_cell(answers, block, pm_format_count(text, count));
}

/* ---- handles ---- */

static const char *state_of(struct pm_answers *answers, const struct pm_loop_handle *handle) {
    const char *words = handle->closing                        ? "closing"
                        : !handle->active                      ? "not active"
                        : handle->listening                    ? "listens"
                        : handle->connecting                   ? "connecting"
                        : handle->readable || handle->writable ? handle->readable && handle->writable ? "open"
                                                                 : handle->readable ? "only reads"
                                                                                    : "only writes"
                                                               : "active";
    return handle->referenced ? words : LEAD("%s, unref", words);
}

static const char *detail_of(struct pm_answers *answers, const struct pm_loop_handle *handle) {
    const char *detail = handle->detail;
    char bytes[PM_NUMBER_TEXT];
    if (handle->pid != PM_UNKNOWN && handle->pid)
        detail = LEAD("pid %" PRIu64 "%s%s", handle->pid, detail ? ", " : "", detail ? detail : "");
    if (handle->signal != PM_UNKNOWN && pm_signal_name(handle->signal))
        detail = LEAD("%s%s%s", pm_signal_name(handle->signal), detail ? ", " : "", detail ? detail : "");
    if (handle->queued_bytes)
        detail = LEAD("%s%s%s not yet sent", detail ? detail : "", detail ? ", " : "",
                      pm_format_bytes(bytes, handle->queued_bytes));
    return detail;
}

static bool keeps_alive(const struct pm_loop_handle *handle) {
    return handle->active && handle->referenced && !handle->internal && !handle->closing;
}

static void add_handles(struct pm_answers *answers, const struct pm_event_loop *loop) {
    static const struct pm_column columns[] = {{"handle", PM_COLUMN_TEXT},
                                               {"fd", PM_COLUMN_NUMBER},
                                               {"state", PM_COLUMN_TEXT},
                                               {"object", PM_COLUMN_TEXT},
                                               {"", PM_COLUMN_ELASTIC}};
    bool all = answers->options->verbose;
    size_t alive = 0, limit = most_rows(answers, 40), shown = 0, left = 0;
    for (size_t i = 0; i < loop->handle_count; i++) alive += keeps_alive(&loop->handles[i]);
    const char *title = loop->is_main ? "Event loop" : "Worker";
    const char *lead =
        !loop->address
            ? "its handles were not found"
            : LEAD("%s thread %" PRIu64 ", %s: %zu handle%s keep%s it alive, %" PRIu64 " request%s under way",
                   loop->is_main ? "main" : "worker", loop->tid, pm_state_phrase(loop->state), alive,
                   alive == 1 ? "" : "s", alive == 1 ? "s" : "", loop->active_requests,
                   loop->active_requests == 1 ? "" : "s");
    struct pm_answer *block =
        pm_answers_block(answers, title, lead, columns, loop->address && (alive || all) ? 5 : 0);
    for (size_t i = 0; i < loop->handle_count; i++) {
        const struct pm_loop_handle *handle = &loop->handles[i];
        char fd[PM_NUMBER_TEXT];
        if (!keeps_alive(handle) && !all) continue;
        if (shown++ >= limit) {
            left++;
            continue;
        }
        snprintf(fd, sizeof(fd), "%" PRIu64, handle->fd);
        pm_answers_cell(answers, block, handle->type);
        pm_answers_cell(answers, block, handle->fd == PM_UNKNOWN ? NULL : fd);
        pm_answers_cell(answers, block, state_of(answers, handle));
        pm_answers_cell(answers, block, handle->class_name);
        pm_answers_cell(answers, block, detail_of(answers, handle));
    }
    if (left)
        block->rest = LEAD("%zu more handles (--limit 0 shows all)", left);
    else if (!all && loop->handle_count > alive)
        block->rest =
            LEAD("%zu more handles do not keep it alive (-v shows them)", loop->handle_count - alive);
}

/* ---- timers, async functions ---- */

static void add_timers(struct pm_answers *answers, const struct pm_event_loop *loop) {
    static const struct pm_column columns[] = {{"count", PM_COLUMN_NUMBER},
                                               {"timer", PM_COLUMN_TEXT},
                                               {"every", PM_COLUMN_NUMBER},
                                               {"calls", PM_COLUMN_ELASTIC},
                                               {"", PM_COLUMN_ELASTIC_PATH}};
    size_t limit = most_rows(answers, 12);
    if (!loop->timer_count) return;
    struct pm_answer *block = pm_answers_block(answers, "Timers", NULL, columns, 5);
    for (size_t i = 0; i < loop->timer_count && i < limit; i++) {
        const struct pm_loop_timer *timer = &loop->timers[i];
        count_cell(answers, block, timer->count);
        pm_answers_cell(answers, block, timer->referenced ? timer->kind : LEAD("%s, unref", timer->kind));
        pm_answers_cell(answers, block,
                        timer->milliseconds == PM_UNKNOWN ? NULL
                                                          : LEAD("%" PRIu64 " ms", timer->milliseconds));
        pm_answers_cell(answers, block, timer->function ? timer->function : "<anonymous>");
        pm_answers_cell(answers, block, place_of(answers, &timer->position));
    }
    if (loop->timer_count > limit)
        block->rest = LEAD("%zu more places (--limit 0 shows all)", loop->timer_count - limit);
}

static void add_waits(struct pm_answers *answers, const struct pm_event_loop *loop) {
    static const struct pm_column columns[] = {{"count", PM_COLUMN_NUMBER},
                                               {"async function", PM_COLUMN_ELASTIC},
                                               {"waits at", PM_COLUMN_ELASTIC_PATH}};
    size_t limit = most_rows(answers, 12);
    if (!loop->wait_count) return;
    struct pm_answer *block = pm_answers_block(answers, "Waiting", NULL, columns, 3);
    for (size_t i = 0; i < loop->wait_count && i < limit; i++) {
        const struct pm_loop_wait *wait = &loop->waits[i];
        count_cell(answers, block, wait->count);
        pm_answers_cell(answers, block, wait->function ? wait->function : "<anonymous>");
        pm_answers_cell(answers, block, place_of(answers, &wait->position));
    }
    if (loop->wait_count > limit)
        block->rest = LEAD("%zu more places (--limit 0 shows all)", loop->wait_count - limit);
}

static void add_pool(struct pm_answers *answers, const struct pm_thread_pool *pool) {
    const char *text = pool->size
                           ? LEAD("%" PRIu64 " threads, %" PRIu64 " of them at work", pool->size, pool->busy)
                           : "not started: nothing has needed it";
    if (pool->queued == PM_UNKNOWN && pool->size) text = LEAD("%s; its queue could not be read", text);
    if (pool->queued != PM_UNKNOWN && pool->size)
        text = LEAD("%s; %" PRIu64 " job%s wait%s in the queue", text, pool->queued,
                    pool->queued == 1 ? "" : "s", pool->queued == 1 ? "s" : "");
    for (size_t i = 0; i < pool->work_count; i++)
        text = LEAD("%s%s%" PRIu64 " x %s", text, i ? ", " : ": ", pool->work[i].count, pool->work[i].what);
    pm_answers_block(answers, "Pool", text, NULL, 0);
}

void pm_answers_loops(struct pm_answers *answers) {
    const struct pm_diagnosis *diagnosis = answers->diagnosis;
    for (size_t i = 0; i < diagnosis->loop_count && i < MOST_LOOPS; i++) {
        add_handles(answers, &diagnosis->loops[i]);
        add_timers(answers, &diagnosis->loops[i]);
        add_waits(answers, &diagnosis->loops[i]);
    }
    if (diagnosis->loop_count > MOST_LOOPS)
        pm_answers_block(
            answers, "Workers",
            LEAD("%zu more event loops (--format json shows all)", diagnosis->loop_count - MOST_LOOPS), NULL,
            0);
    if (diagnosis->pool) add_pool(answers, diagnosis->pool);
}
