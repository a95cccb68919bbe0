#include "postmortem/report/json_report.h"

#include <math.h>
#include <string.h>

#include "postmortem/model/pod.h"
#include "postmortem/model/report_compare.h"

/* ---- values ---- */

/* A number, "unlimited", or null. */
static void put_limit(struct pm_json *json, const char *key, uint64_t value) {
    if (value == PM_UNLIMITED)
        pm_json_text(json, key, "unlimited");
    else
        pm_json_u64(json, key, value);
}

static void put_maybe(struct pm_json *json, const char *key, enum pm_maybe value) {
    if (value == PM_MAYBE)
        pm_json_null(json, key);
    else
        pm_json_bool(json, key, value == PM_YES);
}

static void put_texts(struct pm_json *json, const char *key, const char *const *texts, size_t count) {
    pm_json_array(json, key);
    for (size_t i = 0; i < count; i++) pm_json_text(json, NULL, texts[i]);
    pm_json_end(json);
}

static void put_names(struct pm_json *json, const char *key, const struct pm_env_value *rows, size_t count) {
    pm_json_object(json, key);
    for (size_t i = 0; i < count; i++) pm_json_text(json, rows[i].name, rows[i].value);
    pm_json_end(json);
}

/* ---- header ---- */

static void put_machine(struct pm_json *json, const struct pm_report_header *header) {
    pm_json_object(json, "system");
    pm_json_text(json, "name", header->os_name);
    pm_json_text(json, "release", header->os_release);
    pm_json_text(json, "version", header->os_version);
    pm_json_text(json, "machine", header->os_machine);
    pm_json_text(json, "glibc_runtime", header->glibc_runtime);
    pm_json_text(json, "glibc_compiler", header->glibc_compiler);
    pm_json_end(json);
    pm_json_array(json, "cpus");
    for (size_t i = 0; i < header->cpu_count; i++) {
        const struct pm_report_cpu *cpu = &header->cpus[i];
        pm_json_object(json, NULL);
        pm_json_text(json, "model", cpu->model);
        pm_json_u64(json, "speed", cpu->speed);
        pm_json_u64(json, "user", cpu->user);
        pm_json_u64(json, "nice", cpu->nice);
        pm_json_u64(json, "sys", cpu->sys);
        pm_json_u64(json, "idle", cpu->idle);
        pm_json_u64(json, "irq", cpu->irq);
        pm_json_end(json);
    }
    pm_json_end(json);
    pm_json_array(json, "network_interfaces");
    for (size_t i = 0; i < header->interface_count; i++) {
        const struct pm_report_interface *row = &header->interfaces[i];
        pm_json_object(json, NULL);
        pm_json_text(json, "name", row->name);
        put_maybe(json, "internal", row->internal);
        pm_json_text(json, "mac", row->mac);
        pm_json_text(json, "address", row->address);
        pm_json_text(json, "netmask", row->netmask);
        pm_json_text(json, "family", row->family);
        pm_json_u64(json, "scope_id", row->scope_id);
        pm_json_end(json);
    }
    pm_json_end(json);
}

static void put_header(struct pm_json *json, const struct pm_report_header *header) {
    pm_json_u64(json, "report_version", header->report_version);
    pm_json_text(json, "trigger", header->trigger);
    pm_json_text(json, "event", header->event);
    pm_json_text(json, "filename", header->filename);
    pm_json_text(json, "time", header->time);
    pm_json_u64(json, "time_ms", header->time_ms);
    pm_json_u64(json, "pid", header->pid);
    pm_json_u64(json, "thread", header->thread_id);
    pm_json_text(json, "host", header->host);
    pm_json_text(json, "cwd", header->cwd);
    if (header->argv)
        put_texts(json, "command_line", header->argv, header->argc);
    else
        pm_json_null(json, "command_line");
    pm_json_text(json, "node_version", header->node_version);
    pm_json_text(json, "arch", header->arch);
    pm_json_text(json, "platform", header->platform);
    pm_json_u64(json, "word_size", header->word_size);
    put_names(json, "component_versions", header->components, header->component_count);
    pm_json_object(json, "release");
    pm_json_text(json, "name", header->release_name);
    pm_json_text(json, "lts", header->release_lts);
    pm_json_text(json, "headers_url", header->release_headers_url);
    pm_json_text(json, "source_url", header->release_source_url);
    pm_json_text(json, "lib_url", header->release_lib_url);
    pm_json_end(json);
    put_machine(json, header);
}

/* ---- stacks, heap, usage ---- */

static void put_error(struct pm_json *json, const struct pm_report_facts *facts) {
    const struct pm_report_error *error = &facts->error;
    pm_json_object(json, "error");
    pm_json_text(json, "message", error->message);
    pm_json_text(json, "unavailable", error->unavailable);
    put_texts(json, "stack", error->lines, error->line_count);
    put_names(json, "properties", error->properties, error->property_count);
    pm_json_end(json);
    pm_json_array(json, "native_stack");
    for (size_t i = 0; i < facts->native_count; i++) {
        const struct pm_report_native_frame *frame = &facts->native_stack[i];
        pm_json_object(json, NULL);
        pm_json_address(json, "pc", frame->pc == PM_UNKNOWN ? 0 : frame->pc);
        pm_json_text(json, "symbol", frame->symbol);
        pm_json_text(json, "module", frame->module);
        pm_json_end(json);
    }
    pm_json_end(json);
}

static void put_heap(struct pm_json *json, const struct pm_report_heap *heap) {
    pm_json_object(json, "heap");
    pm_json_u64(json, "total", heap->total);
    pm_json_u64(json, "executable", heap->executable);
    pm_json_u64(json, "total_committed", heap->total_committed);
    put_limit(json, "available", heap->available);
    pm_json_u64(json, "used", heap->used);
    put_limit(json, "limit", heap->limit);
    pm_json_u64(json, "external", heap->external);
    pm_json_u64(json, "malloced", heap->malloced);
    pm_json_u64(json, "peak_malloced", heap->peak_malloced);
    pm_json_u64(json, "global_handles", heap->global_handles);
    pm_json_u64(json, "used_global_handles", heap->used_global_handles);
    pm_json_u64(json, "native_contexts", heap->native_contexts);
    pm_json_u64(json, "detached_contexts", heap->detached_contexts);
    pm_json_u64(json, "zaps_garbage", heap->zaps_garbage);
    pm_json_array(json, "spaces");
    for (size_t i = 0; i < heap->space_count; i++) {
        const struct pm_report_space *space = &heap->spaces[i];
        pm_json_object(json, NULL);
        pm_json_text(json, "name", space->name);
        pm_json_u64(json, "size", space->size);
        pm_json_u64(json, "committed", space->committed);
        pm_json_u64(json, "capacity", space->capacity);
        pm_json_u64(json, "used", space->used);
        pm_json_u64(json, "available", space->available);
        pm_json_end(json);
    }
    pm_json_end(json);
    pm_json_end(json);
}

static void put_usage(struct pm_json *json, const char *key, const struct pm_report_usage *usage,
                      bool memory) {
    pm_json_object(json, key);
    pm_json_number(json, "user_cpu_seconds", usage->user_cpu_seconds);
    pm_json_number(json, "kernel_cpu_seconds", usage->kernel_cpu_seconds);
    pm_json_number(json, "cpu_percent", usage->cpu_percent);
    pm_json_number(json, "user_cpu_percent", usage->user_cpu_percent);
    pm_json_number(json, "kernel_cpu_percent", usage->kernel_cpu_percent);
    pm_json_u64(json, "fs_reads", usage->fs_reads);
    pm_json_u64(json, "fs_writes", usage->fs_writes);
    if (memory) {
        pm_json_u64(json, "rss", usage->rss);
        pm_json_u64(json, "max_rss", usage->max_rss);
        pm_json_u64(json, "free_memory", usage->free_memory);
        pm_json_u64(json, "total_memory", usage->total_memory);
        put_limit(json, "constrained_memory", usage->constrained_memory);
        put_limit(json, "available_memory", usage->available_memory);
        pm_json_u64(json, "major_faults", usage->major_faults);
        pm_json_u64(json, "minor_faults", usage->minor_faults);
    }
    pm_json_end(json);
}

static void put_sections(struct pm_json *json, const struct pm_report_facts *facts) {
    static const char *const names[] = {"header",         "javascriptStack", "nativeStack",
                                        "javascriptHeap", "resourceUsage",   "uvthreadResourceUsage",
                                        "libuv",          "workers",         "environmentVariables",
                                        "userLimits",     "sharedObjects"};
    pm_json_array(json, "sections");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (facts->sections & (1u << i)) pm_json_text(json, NULL, names[i]);
    pm_json_end(json);
}

static void put_report(struct pm_json *json, const struct pm_report_facts *facts) {
    pm_json_object(json, NULL);
    pm_json_u64(json, "input", facts->input);
    pm_json_bool(json, "complete", facts->complete);
    put_sections(json, facts);
    put_header(json, &facts->header);
    put_error(json, facts);
    put_heap(json, &facts->heap);
    put_usage(json, "usage", &facts->usage, true);
    put_usage(json, "thread_usage", &facts->thread_usage, false);
    pm_json_object(json, "limits");
    for (size_t i = 0; i < facts->limit_count; i++) {
        pm_json_object(json, facts->limits[i].name);
        put_limit(json, "soft", facts->limits[i].soft);
        put_limit(json, "hard", facts->limits[i].hard);
        pm_json_end(json);
    }
    pm_json_end(json);
    put_texts(json, "shared_objects", facts->shared_objects, facts->shared_object_count);
    /* Names only: process.environment has the values that matter. */
    pm_json_array(json, "environment_names");
    for (size_t i = 0; i < facts->environment_count; i++)
        pm_json_text(json, NULL, facts->environment[i].name);
    pm_json_end(json);
    pm_json_u64(json, "handles", facts->sections & PM_REPORT_LIBUV ? facts->handle_count : PM_UNKNOWN);
}

void pm_json_reports(struct pm_json *json, const struct pm_diagnosis *diagnosis) {
    pm_json_array(json, "reports");
    for (size_t i = 0; i < diagnosis->report_count; i++) {
        const struct pm_report_facts *facts = diagnosis->reports[i];
        put_report(json, facts);
        /* Workers of workers are flat here: a reader finds them by their thread. */
        pm_json_array(json, "workers");
        for (size_t k = 0; k < facts->worker_count; k++) {
            put_report(json, &facts->workers[k]);
            pm_json_end(json);
        }
        pm_json_end(json);
        pm_json_end(json);
    }
    pm_json_end(json);
}

void pm_json_report_comparison(struct pm_json *json, const struct pm_diagnosis *diagnosis) {
    static const char *const units[] = {"bytes", "count", "seconds"};
    const struct pm_report_comparison *comparison = diagnosis->report_comparison;
    pm_json_object(json, "report_comparison");
    pm_json_u64(json, "first", comparison->first);
    pm_json_u64(json, "second", comparison->second);
    pm_json_number(json, "seconds", comparison->seconds);
    pm_json_bool(json, "same_process", comparison->same_process);
    pm_json_array(json, "changes");
    for (size_t i = 0; i < comparison->change_count; i++) {
        const struct pm_report_change *change = &comparison->changes[i];
        pm_json_object(json, NULL);
        pm_json_text(json, "what", change->what);
        pm_json_text(json, "unit", units[change->unit]);
        pm_json_number(json, "before", change->before);
        pm_json_number(json, "after", change->after);
        pm_json_end(json);
    }
    pm_json_end(json);
    pm_json_end(json);
}

/* ---- the loop ---- */

static void put_endpoint(struct pm_json *json, const char *key, const struct pm_report_endpoint *endpoint) {
    if (!endpoint->host && !endpoint->ip && endpoint->port == PM_UNKNOWN) {
        pm_json_null(json, key);
        return;
    }
    pm_json_object(json, key);
    pm_json_text(json, "host", endpoint->host);
    pm_json_text(json, "ip", endpoint->ip);
    pm_json_u64(json, "port", endpoint->port);
    pm_json_end(json);
}

/* Only what this kind of handle has. */
static void put_handle(struct pm_json *json, const struct pm_report_handle *handle) {
    pm_json_object(json, NULL);
    pm_json_text(json, "type", handle->type);
    pm_json_address(json, "address", handle->address == PM_UNKNOWN ? 0 : handle->address);
    put_maybe(json, "active", handle->active);
    put_maybe(json, "referenced", handle->referenced);
    bool stream =
        handle->kind == PM_HANDLE_TCP || handle->kind == PM_HANDLE_PIPE || handle->kind == PM_HANDLE_TTY;
    if (stream || handle->kind == PM_HANDLE_UDP || handle->kind == PM_HANDLE_POLL ||
        handle->kind == PM_HANDLE_OTHER) {
        pm_json_u64(json, "fd", handle->fd);
        put_endpoint(json, "local", &handle->local);
        put_endpoint(json, "remote", &handle->remote);
        pm_json_u64(json, "send_buffer", handle->send_buffer);
        pm_json_u64(json, "receive_buffer", handle->receive_buffer);
        pm_json_u64(json, "write_queue_bytes", handle->write_queue_bytes);
        pm_json_u64(json, "write_queue_count", handle->write_queue_count);
        put_maybe(json, "readable", handle->readable);
        put_maybe(json, "writable", handle->writable);
    }
    if (handle->filename) pm_json_text(json, "filename", handle->filename);
    if (handle->pid != PM_UNKNOWN) pm_json_u64(json, "pid", handle->pid);
    if (handle->signal != PM_UNKNOWN || handle->signal_name) {
        pm_json_u64(json, "signal_number", handle->signal);
        pm_json_text(json, "signal", handle->signal_name);
    }
    if (handle->width != PM_UNKNOWN) pm_json_u64(json, "width", handle->width);
    if (handle->height != PM_UNKNOWN) pm_json_u64(json, "height", handle->height);
    pm_json_end(json);
}

static void put_timer(struct pm_json *json, const struct pm_report_handle *handle) {
    pm_json_object(json, NULL);
    pm_json_address(json, "address", handle->address == PM_UNKNOWN ? 0 : handle->address);
    put_maybe(json, "active", handle->active);
    put_maybe(json, "referenced", handle->referenced);
    pm_json_number(json, "due_in_ms", handle->fires_in_ms);
    pm_json_u64(json, "repeat_ms", handle->repeat_ms);
    put_maybe(json, "expired", handle->expired);
    pm_json_end(json);
}

static void put_loop(struct pm_json *json, const struct pm_report_facts *facts) {
    const struct pm_report_handle *loop = NULL;
    if (!(facts->sections & PM_REPORT_LIBUV)) return;
    for (size_t i = 0; i < facts->handle_count; i++)
        if (facts->handles[i].kind == PM_HANDLE_LOOP) loop = &facts->handles[i];
    pm_json_object(json, NULL);
    pm_json_null(json, "isolate");
    pm_json_u64(json, "input", facts->input);
    pm_json_u64(json, "thread", facts->header.thread_id);
    pm_json_address(json, "address", loop && loop->address != PM_UNKNOWN ? loop->address : 0);
    put_maybe(json, "active", loop ? loop->active : PM_MAYBE);
    pm_json_number(json, "idle_seconds", loop ? loop->idle_seconds : (double)NAN);
    pm_json_array(json, "handles");
    for (size_t i = 0; i < facts->handle_count; i++)
        if (facts->handles[i].kind != PM_HANDLE_LOOP && facts->handles[i].kind != PM_HANDLE_TIMER)
            put_handle(json, &facts->handles[i]);
    pm_json_end(json);
    pm_json_array(json, "timers");
    for (size_t i = 0; i < facts->handle_count; i++)
        if (facts->handles[i].kind == PM_HANDLE_TIMER) put_timer(json, &facts->handles[i]);
    pm_json_end(json);
    pm_json_end(json);
}

void pm_json_event_loops(struct pm_json *json, const struct pm_diagnosis *diagnosis) {
    pm_json_array(json, "event_loop");
    pm_json_core_loops(json, diagnosis);
    for (size_t i = 0; i < diagnosis->report_count; i++) {
        put_loop(json, diagnosis->reports[i]);
        for (size_t k = 0; k < diagnosis->reports[i]->worker_count; k++)
            put_loop(json, &diagnosis->reports[i]->workers[k]);
    }
    pm_json_end(json);
}

/* ---- pods ---- */

static void put_state(struct pm_json *json, const char *key, const struct pm_pod_state *state) {
    static const char *const kinds[] = {NULL, "waiting", "running", "terminated"};
    pm_json_object(json, key);
    pm_json_text(json, "kind", kinds[state->kind]);
    pm_json_text(json, "reason", state->reason);
    pm_json_text(json, "message", state->message);
    pm_json_u64(json, "exit_code", state->exit_code);
    pm_json_u64(json, "signal", state->signal);
    pm_json_text(json, "started_at", state->started_at);
    pm_json_text(json, "finished_at", state->finished_at);
    pm_json_end(json);
}

static void put_container(struct pm_json *json, const struct pm_pod_container *container) {
    pm_json_object(json, NULL);
    pm_json_text(json, "name", container->name);
    pm_json_text(json, "image", container->image);
    pm_json_text(json, "container_id", container->container_id);
    pm_json_text(json, "kind", container->init ? "init" : container->ephemeral ? "ephemeral" : "container");
    pm_json_bool(json, "ready", container->ready);
    pm_json_u64(json, "restart_count", container->restart_count);
    put_state(json, "state", &container->state);
    put_state(json, "last_state", &container->last_state);
    pm_json_u64(json, "memory_limit", container->memory_limit);
    pm_json_u64(json, "memory_request", container->memory_request);
    pm_json_u64(json, "cpu_limit_millicores", container->cpu_limit);
    pm_json_u64(json, "cpu_request_millicores", container->cpu_request);
    pm_json_text(json, "node_options", container->node_options);
    pm_json_end(json);
}

void pm_json_pods(struct pm_json *json, const struct pm_diagnosis *diagnosis) {
    pm_json_array(json, "pods");
    for (size_t i = 0; i < diagnosis->pod_count; i++) {
        const struct pm_pod *pod = diagnosis->pods[i];
        pm_json_object(json, NULL);
        pm_json_u64(json, "input", pod->input);
        pm_json_text(json, "namespace", pod->namespace_name);
        pm_json_text(json, "name", pod->name);
        pm_json_text(json, "uid", pod->uid);
        pm_json_text(json, "node", pod->node);
        pm_json_text(json, "pod_ip", pod->pod_ip);
        pm_json_text(json, "host_ip", pod->host_ip);
        pm_json_text(json, "phase", pod->phase);
        pm_json_text(json, "qos", pod->qos);
        pm_json_text(json, "reason", pod->reason);
        pm_json_text(json, "message", pod->message);
        pm_json_text(json, "start_time", pod->start_time);
        pm_json_array(json, "containers");
        for (size_t k = 0; k < pod->container_count; k++) put_container(json, &pod->containers[k]);
        pm_json_end(json);
        pm_json_end(json);
    }
    pm_json_end(json);
}
