/* Inside the JSON writer: event loops of a core. */
#include "postmortem/model/event_loop.h"
#include "postmortem/model/words.h"
#include "postmortem/report/json_report.h"

static void put_position(struct pm_json *json, const struct pm_position *position) {
    pm_json_text(json, "file", position->file);
    pm_json_u64(json, "line", position->line ? position->line : PM_UNKNOWN);
    pm_json_u64(json, "column", position->column ? position->column : PM_UNKNOWN);
}

static void put_handle(struct pm_json *json, const struct pm_loop_handle *handle) {
    pm_json_object(json, NULL);
    pm_json_text(json, "type", handle->type);
    pm_json_address(json, "address", handle->address);
    pm_json_bool(json, "active", handle->active);
    pm_json_bool(json, "referenced", handle->referenced);
    pm_json_bool(json, "closing", handle->closing);
    pm_json_bool(json, "internal", handle->internal);
    pm_json_bool(json, "listening", handle->listening);
    pm_json_bool(json, "connecting", handle->connecting);
    pm_json_bool(json, "readable", handle->readable);
    pm_json_bool(json, "writable", handle->writable);
    pm_json_u64(json, "fd", handle->fd);
    pm_json_u64(json, "write_queue_bytes", handle->queued_bytes);
    if (handle->pid != PM_UNKNOWN) pm_json_u64(json, "pid", handle->pid);
    if (handle->signal != PM_UNKNOWN) pm_json_u64(json, "signal_number", handle->signal);
    pm_json_text(json, "class", handle->class_name);
    pm_json_text(json, "detail", handle->detail);
    pm_json_end(json);
}

static void put_loop(struct pm_json *json, const struct pm_event_loop *loop) {
    pm_json_object(json, NULL);
    pm_json_address(json, "isolate", loop->isolate);
    pm_json_u64(json, "thread", loop->tid);
    pm_json_address(json, "address", loop->address);
    pm_json_text(json, "state", loop->state == PM_STATE_POLLING ? "polling" : "running");
    pm_json_u64(json, "active_handles", loop->active_handles);
    pm_json_u64(json, "active_requests", loop->active_requests);
    pm_json_array(json, "handles");
    for (size_t i = 0; i < loop->handle_count; i++) put_handle(json, &loop->handles[i]);
    pm_json_end(json);
    pm_json_array(json, "timers");
    for (size_t i = 0; i < loop->timer_count; i++) {
        const struct pm_loop_timer *timer = &loop->timers[i];
        pm_json_object(json, NULL);
        pm_json_text(json, "kind", timer->kind);
        pm_json_u64(json, "milliseconds", timer->milliseconds);
        pm_json_u64(json, "count", timer->count);
        pm_json_bool(json, "referenced", timer->referenced);
        pm_json_text(json, "function", timer->function);
        put_position(json, &timer->position);
        pm_json_end(json);
    }
    pm_json_end(json);
    pm_json_array(json, "waiting");
    for (size_t i = 0; i < loop->wait_count; i++) {
        pm_json_object(json, NULL);
        pm_json_u64(json, "count", loop->waits[i].count);
        pm_json_text(json, "function", loop->waits[i].function);
        put_position(json, &loop->waits[i].position);
        pm_json_end(json);
    }
    pm_json_end(json);
    pm_json_end(json);
}

void pm_json_core_loops(struct pm_json *json, const struct pm_diagnosis *diagnosis) {
    for (size_t i = 0; i < diagnosis->loop_count; i++) put_loop(json, &diagnosis->loops[i]);
}

void pm_json_thread_pool(struct pm_json *json, const struct pm_thread_pool *pool) {
    pm_json_object(json, "thread_pool");
    pm_json_u64(json, "size", pool->size);
    pm_json_u64(json, "busy", pool->busy);
    pm_json_u64(json, "queued", pool->queued);
    pm_json_array(json, "work");
    for (size_t i = 0; i < pool->work_count; i++) {
        pm_json_object(json, NULL);
        pm_json_text(json, "what", pool->work[i].what);
        pm_json_u64(json, "count", pool->work[i].count);
        pm_json_end(json);
    }
    pm_json_end(json);
    pm_json_end(json);
}
