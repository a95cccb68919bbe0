/* The sections of a report about resources: usage, libuv's handles, limits. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "parsers/report_parts.h"

/* ---- resourceUsage, uvthreadResourceUsage ---- */

#define USAGE(key, kind, member)                                                                             \
    { key, kind, offsetof(struct pm_report_usage, member) }
static const struct pm_json_field usage_fields[] = {
    USAGE("userCpuSeconds", PM_JSON_REAL, user_cpu_seconds),
    USAGE("kernelCpuSeconds", PM_JSON_REAL, kernel_cpu_seconds),
    USAGE("cpuConsumptionPercent", PM_JSON_REAL, cpu_percent),
    USAGE("userCpuConsumptionPercent", PM_JSON_REAL, user_cpu_percent),
    USAGE("kernelCpuConsumptionPercent", PM_JSON_REAL, kernel_cpu_percent),
    USAGE("rss", PM_JSON_WHOLE, rss),
    USAGE("maxRss", PM_JSON_WHOLE, max_rss),
    USAGE("free_memory", PM_JSON_WHOLE, free_memory),
    USAGE("total_memory", PM_JSON_WHOLE, total_memory),
    USAGE("constrained_memory", PM_JSON_LIMIT, constrained_memory),
    USAGE("available_memory", PM_JSON_LIMIT, available_memory),
};
static const struct pm_json_field fault_fields[] = {
    USAGE("IORequired", PM_JSON_WHOLE, major_faults),
    USAGE("IONotRequired", PM_JSON_WHOLE, minor_faults),
};
static const struct pm_json_field fs_fields[] = {
    USAGE("reads", PM_JSON_WHOLE, fs_reads),
    USAGE("writes", PM_JSON_WHOLE, fs_writes),
};

void pm_report_clear_usage(struct pm_report_usage *usage) {
    pm_json_fields_clear(usage_fields, PM_JSON_COUNT(usage_fields), usage);
    pm_json_fields_clear(fault_fields, PM_JSON_COUNT(fault_fields), usage);
    pm_json_fields_clear(fs_fields, PM_JSON_COUNT(fs_fields), usage);
}

static void read_usage(struct pm_json_reader *reader, const cJSON *item, struct pm_report_usage *usage) {
    if (!pm_json_expect_object(reader, item)) return;
    for (item = item->child; item; item = item->next) {
        const char *key = item->string ? item->string : "";
        bool faults = !strcmp(key, "pageFaults"), files = !strcmp(key, "fsActivity");
        if (pm_json_field_take(reader, usage_fields, PM_JSON_COUNT(usage_fields), item, usage)) continue;
        if (!faults && !files)
            pm_json_count_unknown(reader, item);
        else if (pm_json_expect_object(reader, item))
            pm_json_fields_take(reader, faults ? fault_fields : fs_fields, 2, item, usage);
    }
}

void pm_report_read_usage(struct pm_json_reader *reader, const cJSON *item, struct pm_report_facts *facts) {
    read_usage(reader, item, &facts->usage);
}

void pm_report_read_thread_usage(struct pm_json_reader *reader, const cJSON *item,
                                 struct pm_report_facts *facts) {
    read_usage(reader, item, &facts->thread_usage);
}

/* ---- libuv ---- */

#define HANDLE(key, kind, member)                                                                            \
    { key, kind, offsetof(struct pm_report_handle, member) }
static const struct pm_json_field handle_fields[] = {
    HANDLE("type", PM_JSON_TEXT, type),
    HANDLE("address", PM_JSON_HEX, address),
    HANDLE("is_active", PM_JSON_BOOLEAN, active),
    HANDLE("is_referenced", PM_JSON_BOOLEAN, referenced),
    HANDLE("fd", PM_JSON_WHOLE, fd),
    HANDLE("sendBufferSize", PM_JSON_WHOLE, send_buffer),
    HANDLE("recvBufferSize", PM_JSON_WHOLE, receive_buffer),
    HANDLE("writeQueueSize", PM_JSON_WHOLE, write_queue_bytes),
    HANDLE("writeQueueCount", PM_JSON_WHOLE, write_queue_count),
    HANDLE("readable", PM_JSON_BOOLEAN, readable),
    HANDLE("writable", PM_JSON_BOOLEAN, writable),
    HANDLE("firesInMsFromNow", PM_JSON_REAL, fires_in_ms),
    HANDLE("repeat", PM_JSON_WHOLE, repeat_ms),
    HANDLE("expired", PM_JSON_BOOLEAN, expired),
    HANDLE("filename", PM_JSON_TEXT, filename),
    HANDLE("pid", PM_JSON_WHOLE, pid),
    HANDLE("signum", PM_JSON_WHOLE, signal),
    HANDLE("signal", PM_JSON_TEXT, signal_name),
    HANDLE("width", PM_JSON_WHOLE, width),
    HANDLE("height", PM_JSON_WHOLE, height),
    HANDLE("loopIdleTimeSeconds", PM_JSON_REAL, idle_seconds),
};

#define ENDPOINT(key, kind, member)                                                                          \
    { key, kind, offsetof(struct pm_report_endpoint, member) }
static const struct pm_json_field endpoint_fields[] = {
    ENDPOINT("host", PM_JSON_TEXT, host),
    ENDPOINT("port", PM_JSON_WHOLE, port),
    ENDPOINT("ip4", PM_JSON_TEXT, ip),
    ENDPOINT("ip6", PM_JSON_TEXT, ip),
};

static enum pm_handle_kind kind_of(const char *type) {
    static const struct {
        const char *type;
        enum pm_handle_kind kind;
    } kinds[] = {
        {"loop", PM_HANDLE_LOOP},         {"async", PM_HANDLE_ASYNC},     {"check", PM_HANDLE_CHECK},
        {"fs_event", PM_HANDLE_FS_EVENT}, {"fs_poll", PM_HANDLE_FS_POLL}, {"idle", PM_HANDLE_IDLE},
        {"pipe", PM_HANDLE_PIPE},         {"poll", PM_HANDLE_POLL},       {"prepare", PM_HANDLE_PREPARE},
        {"process", PM_HANDLE_PROCESS},   {"signal", PM_HANDLE_SIGNAL},   {"tcp", PM_HANDLE_TCP},
        {"timer", PM_HANDLE_TIMER},       {"tty", PM_HANDLE_TTY},         {"udp", PM_HANDLE_UDP},
    };
    for (size_t i = 0; type && i < PM_JSON_COUNT(kinds); i++)
        if (!strcmp(type, kinds[i].type)) return kinds[i].kind;
    return PM_HANDLE_OTHER;
}

/* An object (sockets), a text (pipes), or null. */
static void read_endpoint(struct pm_json_reader *reader, const cJSON *item,
                          struct pm_report_endpoint *endpoint) {
    if (cJSON_IsString(item))
        endpoint->host = pm_json_text_of(reader, item);
    else if (!cJSON_IsNull(item) && pm_json_expect_object(reader, item))
        pm_json_fields_take(reader, endpoint_fields, PM_JSON_COUNT(endpoint_fields), item, endpoint);
}

static void read_handle(struct pm_json_reader *reader, const cJSON *object, struct pm_report_handle *handle) {
    pm_json_fields_clear(handle_fields, PM_JSON_COUNT(handle_fields), handle);
    pm_json_fields_clear(endpoint_fields, PM_JSON_COUNT(endpoint_fields), &handle->local);
    pm_json_fields_clear(endpoint_fields, PM_JSON_COUNT(endpoint_fields), &handle->remote);
    for (const cJSON *item = object->child; item; item = item->next) {
        if (pm_json_field_take(reader, handle_fields, PM_JSON_COUNT(handle_fields), item, handle)) continue;
        if (item->string && !strcmp(item->string, "localEndpoint"))
            read_endpoint(reader, item, &handle->local);
        else if (item->string && !strcmp(item->string, "remoteEndpoint"))
            read_endpoint(reader, item, &handle->remote);
        else
            pm_json_count_unknown(reader, item);
    }
    handle->kind = kind_of(handle->type);
}

void pm_report_read_handles(struct pm_json_reader *reader, const cJSON *item, struct pm_report_facts *facts) {
    if (!pm_json_expect_array(reader, item)) return;
    facts->handles = pm_json_room(reader, item, sizeof(*facts->handles));
    facts->handle_count = 0;
    for (item = item->child; item && facts->handles; item = item->next)
        if (pm_json_expect_object(reader, item))
            read_handle(reader, item, &facts->handles[facts->handle_count++]);
}

/* ---- userLimits ---- */

void pm_report_read_limits(struct pm_json_reader *reader, const cJSON *item, struct pm_report_facts *facts) {
    static const struct pm_json_field fields[] = {
        {"soft", PM_JSON_LIMIT, offsetof(struct pm_report_limit, soft)},
        {"hard", PM_JSON_LIMIT, offsetof(struct pm_report_limit, hard)},
    };
    if (!pm_json_expect_object(reader, item)) return;
    facts->limits = pm_json_room(reader, item, sizeof(*facts->limits));
    facts->limit_count = 0;
    for (item = item->child; item && facts->limits; item = item->next) {
        if (!item->string || !pm_json_expect_object(reader, item)) continue;
        struct pm_report_limit *limit = &facts->limits[facts->limit_count];
        pm_json_fields_clear(fields, PM_JSON_COUNT(fields), limit);
        limit->name = pm_arena_strdup(reader->arena, item->string);
        reader->failed |= !limit->name;
        pm_json_fields_take(reader, fields, PM_JSON_COUNT(fields), item, limit);
        facts->limit_count += limit->name != NULL;
    }
}
