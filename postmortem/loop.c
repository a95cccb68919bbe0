/* loop.c - the event loops of a core: libuv's handles, and what the program knows of them. */
#include <string.h>

#include "parsers/uv_loop.h"
#include "postmortem/commands.h"
#include "postmortem/model/event_loop.h"
#include "v8layout/node_env.h"

static const struct v8_isolate *isolate_of(const struct pm_session *session, const struct pm_thread *thread) {
    const struct v8 *v8 = session->v8;
    for (size_t i = 0; v8 && i < v8->isolate_count; i++)
        if (v8->isolates[i].address == thread->isolate) return &v8->isolates[i];
    return v8 && v8->isolate_count && thread->role == PM_ROLE_MAIN && !thread->isolate ? &v8->isolates[0]
                                                                                       : NULL;
}

static uint64_t known(int64_t number) {
    return number < 0 ? PM_UNKNOWN : (uint64_t)number;
}

static struct pm_error *read_handles(const struct pm_session *session, const struct pm_uv_loop *from,
                                     struct pm_event_loop *ret) {
    struct pm_arena *arena = session->diagnosis->arena;
    ret->handles = pm_arena_array(arena, from->handle_count + 1, sizeof(*ret->handles));
    if (!ret->handles) return pm_error_nomem();
    for (size_t i = 0; i < from->handle_count; i++) {
        const struct pm_uv_handle *handle = &from->handles[i];
        struct pm_loop_handle *row = &ret->handles[ret->handle_count++];
        bool is_signal = strcmp(handle->type, "signal") == 0;
        *row = (struct pm_loop_handle){
            .address = handle->address,
            .type = handle->type,
            .active = handle->active,
            .referenced = handle->referenced,
            .closing = handle->closing,
            .internal = handle->internal,
            .listening = handle->listening,
            .connecting = handle->connecting,
            .readable = handle->readable,
            .writable = handle->writable,
            .fd = known(handle->fd),
            .pid = is_signal ? PM_UNKNOWN : known(handle->number),
            .signal = is_signal ? known(handle->number) : PM_UNKNOWN,
            .queued_bytes = handle->queued_bytes,
        };
        if (session->v8) row->detail = v8_handle_detail(session->v8, handle->data, arena, &row->class_name);
    }
    return NULL;
}

static struct pm_error *read_loop(struct pm_session *session, size_t thread, struct pm_event_loop *ret) {
    const struct pm_thread *shown = &session->diagnosis->threads[thread];
    const struct v8_isolate *isolate = isolate_of(session, shown);
    struct pm_uv_loop loop;
    *ret = (struct pm_event_loop){.tid = shown->tid,
                                  .is_main = shown->role == PM_ROLE_MAIN,
                                  .isolate = isolate ? isolate->address : 0,
                                  .state = shown->state};
    pm_addr guess = ret->is_main ? pm_uv_default_loop(session->modules) : 0;
    PM_TRY(pm_uv_loop_find(session->core, pm_core_thread(session->core, thread), guess, &loop));
    ret->address = loop.address;
    ret->active_handles = loop.address ? loop.active_handles : PM_UNKNOWN;
    ret->active_requests = loop.address ? loop.active_requests : PM_UNKNOWN;
    struct pm_error *err = read_handles(session, &loop, ret);
    pm_uv_loop_deinit(&loop);
    if (err || !isolate) return err;
    return v8_loop_waits(session->v8, (uint32_t)(isolate - session->v8->isolates), session->diagnosis->arena,
                         ret);
}

/* ---- the thread pool ---- */

struct queue {
    const struct pm_modules *modules;
    struct pm_arena *arena;
    struct pm_thread_pool *pool;
};

static const char *work_words(const struct queue *queue, pm_addr function) {
    static const struct {
        const char *symbol, *words;
    } known_work[] = {
        {"uv__fs_work", "file system request"},
        {"uv__getaddrinfo_work", "DNS lookup (getaddrinfo)"},
        {"uv__getnameinfo_work", "DNS lookup (getnameinfo)"},
        {"uv__random_work", "random bytes"},
        {"uv__queue_work", "job of Node.js or an addon (crypto, compression ...)"},
    };
    struct pm_elf_symbol symbol;
    uint64_t vaddr;
    const struct pm_module *module = pm_modules_find(queue->modules, function, &vaddr);
    if (!module || !module->elf || !pm_elf_symbol_at(module->elf, vaddr, &symbol)) return "a job";
    for (size_t i = 0; i < sizeof(known_work) / sizeof(known_work[0]); i++)
        if (!strcmp(symbol.name, known_work[i].symbol)) return known_work[i].words;
    return "a job";
}

#define MOST_WORK 8

static void add_work(void *context, pm_addr function) {
    const struct queue *queue = context;
    struct pm_thread_pool *pool = queue->pool;
    const char *what = work_words(queue, function);
    pool->queued++;
    for (size_t i = 0; i < pool->work_count; i++)
        if (!strcmp(pool->work[i].what, what)) {
            pool->work[i].count++;
            return;
        }
    if (pool->work && pool->work_count < MOST_WORK)
        pool->work[pool->work_count++] = (struct pm_pool_work){what, 1};
}

static struct pm_error *read_pool(struct pm_session *session) {
    struct pm_diagnosis *diagnosis = session->diagnosis;
    struct pm_thread_pool *pool = pm_arena_alloc(diagnosis->arena, sizeof(*pool));
    if (!pool) return pm_error_nomem();
    *pool = (struct pm_thread_pool){.work = pm_arena_array(diagnosis->arena, MOST_WORK, sizeof(*pool->work))};
    for (size_t i = 0; i < diagnosis->thread_count; i++) {
        if (diagnosis->threads[i].role != PM_ROLE_POOL) continue;
        pool->size++;
        pool->busy += diagnosis->threads[i].state == PM_STATE_POOL_WORK;
    }
    struct queue queue = {session->modules, diagnosis->arena, pool};
    if (!pm_uv_pool_queue(session->modules, pm_core_memory(session->core), add_work, &queue)) {
        pool->queued = PM_UNKNOWN;
        pool->work_count = 0;
    }
    diagnosis->pool = pool;
    return NULL;
}

struct pm_error *pm_session_loops(struct pm_session *session) {
    struct pm_diagnosis *diagnosis = session->diagnosis;
    size_t count = 0;
    if (!session->core || !session->modules || !diagnosis->thread_count) return NULL;
    pm_session_say(session, "reading the event loops");
    for (size_t i = 0; i < diagnosis->thread_count; i++)
        count += diagnosis->threads[i].role == PM_ROLE_MAIN || diagnosis->threads[i].role == PM_ROLE_WORKER;
    diagnosis->loops = pm_arena_array(diagnosis->arena, count + 1, sizeof(*diagnosis->loops));
    if (!diagnosis->loops) return pm_error_nomem();
    for (size_t i = 0; i < diagnosis->thread_count && diagnosis->loop_count < count; i++) {
        enum pm_thread_role role = diagnosis->threads[i].role;
        if (role != PM_ROLE_MAIN && role != PM_ROLE_WORKER) continue;
        PM_TRY(read_loop(session, i, &diagnosis->loops[diagnosis->loop_count]));
        if (!diagnosis->loops[diagnosis->loop_count].address)
            pm_diagnosis_skip(diagnosis, "an event loop", 1, PM_UNKNOWN,
                              "no structure of libuv's was found on the stack of its thread");
        diagnosis->loop_count++;
    }
    return read_pool(session);
}
