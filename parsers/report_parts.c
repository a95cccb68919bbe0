#include "parsers/report_parts.h"

#include <stddef.h>
#include <string.h>

#include "parsers/stack_text.h"

/* ---- header ---- */

#define HEADER(key, kind, member)                                                                            \
    { key, kind, offsetof(struct pm_report_header, member) }
static const struct pm_json_field header_fields[] = {
    HEADER("reportVersion", PM_JSON_WHOLE, report_version),
    HEADER("event", PM_JSON_TEXT, event),
    HEADER("trigger", PM_JSON_TEXT, trigger),
    HEADER("filename", PM_JSON_TEXT, filename),
    HEADER("dumpEventTime", PM_JSON_TEXT, time),
    HEADER("dumpEventTimeStamp", PM_JSON_DIGITS, time_ms),
    HEADER("processId", PM_JSON_WHOLE, pid),
    HEADER("threadId", PM_JSON_WHOLE, thread_id),
    HEADER("cwd", PM_JSON_TEXT, cwd),
    HEADER("nodejsVersion", PM_JSON_TEXT, node_version),
    HEADER("glibcVersionRuntime", PM_JSON_TEXT, glibc_runtime),
    HEADER("glibcVersionCompiler", PM_JSON_TEXT, glibc_compiler),
    HEADER("wordSize", PM_JSON_WHOLE, word_size),
    HEADER("arch", PM_JSON_TEXT, arch),
    HEADER("platform", PM_JSON_TEXT, platform),
    HEADER("osName", PM_JSON_TEXT, os_name),
    HEADER("osRelease", PM_JSON_TEXT, os_release),
    HEADER("osVersion", PM_JSON_TEXT, os_version),
    HEADER("osMachine", PM_JSON_TEXT, os_machine),
    HEADER("host", PM_JSON_TEXT, host),
};
static const struct pm_json_field release_fields[] = {
    HEADER("name", PM_JSON_TEXT, release_name),
    HEADER("lts", PM_JSON_TEXT, release_lts),
    HEADER("headersUrl", PM_JSON_TEXT, release_headers_url),
    HEADER("sourceUrl", PM_JSON_TEXT, release_source_url),
    HEADER("libUrl", PM_JSON_TEXT, release_lib_url),
};

#define CPU(key, kind, member)                                                                               \
    { key, kind, offsetof(struct pm_report_cpu, member) }
static const struct pm_json_field cpu_fields[] = {
    CPU("model", PM_JSON_TEXT, model), CPU("speed", PM_JSON_WHOLE, speed), CPU("user", PM_JSON_WHOLE, user),
    CPU("nice", PM_JSON_WHOLE, nice),  CPU("sys", PM_JSON_WHOLE, sys),     CPU("idle", PM_JSON_WHOLE, idle),
    CPU("irq", PM_JSON_WHOLE, irq),
};

#define INTERFACE(key, kind, member)                                                                         \
    { key, kind, offsetof(struct pm_report_interface, member) }
static const struct pm_json_field interface_fields[] = {
    INTERFACE("name", PM_JSON_TEXT, name),
    INTERFACE("mac", PM_JSON_TEXT, mac),
    INTERFACE("address", PM_JSON_TEXT, address),
    INTERFACE("netmask", PM_JSON_TEXT, netmask),
    INTERFACE("family", PM_JSON_TEXT, family),
    INTERFACE("scopeid", PM_JSON_WHOLE, scope_id),
    INTERFACE("internal", PM_JSON_BOOLEAN, internal),
};

static void read_command_line(struct pm_json_reader *reader, const cJSON *list,
                              struct pm_report_header *header) {
    if (!pm_json_expect_array(reader, list)) return;
    header->argv = pm_json_room(reader, list, sizeof(*header->argv));
    header->argc = 0;
    for (const cJSON *item = list->child; item && header->argv; item = item->next) {
        const char *word = pm_json_text_of(reader, item);
        if (word) header->argv[header->argc++] = word;
    }
}

static void read_cpus(struct pm_json_reader *reader, const cJSON *list, struct pm_report_header *header) {
    if (!pm_json_expect_array(reader, list)) return;
    header->has_cpus = true;
    header->cpus = pm_json_room(reader, list, sizeof(*header->cpus));
    header->cpu_count = 0;
    for (const cJSON *item = list->child; item && header->cpus; item = item->next) {
        if (!pm_json_expect_object(reader, item)) continue;
        struct pm_report_cpu *cpu = &header->cpus[header->cpu_count++];
        pm_json_fields_clear(cpu_fields, PM_JSON_COUNT(cpu_fields), cpu);
        pm_json_fields_take(reader, cpu_fields, PM_JSON_COUNT(cpu_fields), item, cpu);
    }
}

static void read_interfaces(struct pm_json_reader *reader, const cJSON *list,
                            struct pm_report_header *header) {
    if (!pm_json_expect_array(reader, list)) return;
    header->has_interfaces = true;
    header->interfaces = pm_json_room(reader, list, sizeof(*header->interfaces));
    header->interface_count = 0;
    for (const cJSON *item = list->child; item && header->interfaces; item = item->next) {
        if (!pm_json_expect_object(reader, item)) continue;
        struct pm_report_interface *row = &header->interfaces[header->interface_count++];
        pm_json_fields_clear(interface_fields, PM_JSON_COUNT(interface_fields), row);
        pm_json_fields_take(reader, interface_fields, PM_JSON_COUNT(interface_fields), item, row);
    }
}

static void without_v(const char **text) {
    if (*text && **text == 'v') ++*text;
}

/* item NULL: everything unknown. */
void pm_report_read_header(struct pm_json_reader *reader, const cJSON *item, struct pm_report_facts *facts) {
    struct pm_report_header *header = &facts->header;
    if (!item) {
        pm_json_fields_clear(header_fields, PM_JSON_COUNT(header_fields), header);
        return;
    }
    if (!pm_json_expect_object(reader, item)) return;
    for (item = item->child; item; item = item->next) {
        const char *key = item->string ? item->string : "";
        if (pm_json_field_take(reader, header_fields, PM_JSON_COUNT(header_fields), item, header)) continue;
        if (!strcmp(key, "commandLine"))
            read_command_line(reader, item, header);
        else if (!strcmp(key, "componentVersions") && pm_json_expect_object(reader, item))
            header->components = pm_json_names(reader, item, &header->component_count);
        else if (!strcmp(key, "release") && pm_json_expect_object(reader, item))
            pm_json_fields_take(reader, release_fields, PM_JSON_COUNT(release_fields), item, header);
        else if (!strcmp(key, "cpus"))
            read_cpus(reader, item, header);
        else if (!strcmp(key, "networkInterfaces"))
            read_interfaces(reader, item, header);
        else if (strcmp(key, "componentVersions") != 0 && strcmp(key, "release") != 0)
            pm_json_count_unknown(reader, item);
    }
    without_v(&header->node_version);
}

/* ---- stacks ---- */

static void read_lines(struct pm_json_reader *reader, const cJSON *list, struct pm_report_error *error) {
    if (!pm_json_expect_array(reader, list)) return;
    error->lines = pm_json_room(reader, list, sizeof(*error->lines));
    error->frames = pm_json_room(reader, list, sizeof(*error->frames));
    error->line_count = error->frame_count = 0;
    for (const cJSON *item = list->child; item && error->lines && error->frames; item = item->next) {
        const char *line = pm_json_text_of(reader, item);
        if (!line) continue;
        if (!strncmp(line, "Unavailable", 11)) {
            error->unavailable = line;
            continue;
        }
        error->lines[error->line_count++] = line;
        if (pm_stack_line(line, strlen(line), reader->arena, &error->frames[error->frame_count],
                          &reader->failed))
            error->frame_count++;
    }
}

void pm_report_read_error(struct pm_json_reader *reader, const cJSON *item, struct pm_report_facts *facts) {
    struct pm_report_error *error = &facts->error;
    if (!pm_json_expect_object(reader, item)) return;
    for (item = item->child; item; item = item->next) {
        const char *key = item->string ? item->string : "";
        if (!strcmp(key, "message"))
            error->message = pm_json_text_of(reader, item);
        else if (!strcmp(key, "stack"))
            read_lines(reader, item, error);
        else if (strcmp(key, "errorProperties") != 0)
            pm_json_count_unknown(reader, item);
        else if (pm_json_expect_object(reader, item))
            error->properties = pm_json_names(reader, item, &error->property_count);
    }
}

/* "uv_run [/usr/local/bin/node]", " [/lib/libc.so.6]" */
static void split_symbol(struct pm_json_reader *reader, struct pm_report_native_frame *frame) {
    const char *text = frame->symbol;
    size_t length = text ? strlen(text) : 0;
    const char *open = text ? strrchr(text, '[') : NULL;
    if (open && length && text[length - 1] == ']') {
        frame->module = pm_arena_copy(reader->arena, open + 1, (size_t)(text + length - 1 - (open + 1)));
        length = (size_t)(open - text);
    }
    while (length && text[length - 1] == ' ') length--;
    frame->symbol = length ? pm_arena_copy(reader->arena, text, length) : NULL;
    reader->failed |= length && !frame->symbol;
}

void pm_report_read_native(struct pm_json_reader *reader, const cJSON *item, struct pm_report_facts *facts) {
    static const struct pm_json_field fields[] = {
        {"pc", PM_JSON_HEX, offsetof(struct pm_report_native_frame, pc)},
        {"symbol", PM_JSON_TEXT, offsetof(struct pm_report_native_frame, symbol)},
    };
    if (!pm_json_expect_array(reader, item)) return;
    facts->native_stack = pm_json_room(reader, item, sizeof(*facts->native_stack));
    facts->native_count = 0;
    for (item = item->child; item && facts->native_stack; item = item->next) {
        if (!pm_json_expect_object(reader, item)) continue;
        struct pm_report_native_frame *frame = &facts->native_stack[facts->native_count++];
        pm_json_fields_clear(fields, PM_JSON_COUNT(fields), frame);
        pm_json_fields_take(reader, fields, PM_JSON_COUNT(fields), item, frame);
        split_symbol(reader, frame);
    }
}

/* ---- heap ---- */

#define HEAP(key, member)                                                                                    \
    { key, PM_JSON_WHOLE, offsetof(struct pm_report_heap, member) }
static const struct pm_json_field heap_fields[] = {
    HEAP("totalMemory", total),
    HEAP("executableMemory", executable),
    HEAP("totalCommittedMemory", total_committed),
    {"availableMemory", PM_JSON_LIMIT, offsetof(struct pm_report_heap, available)},
    HEAP("totalGlobalHandlesMemory", global_handles),
    HEAP("usedGlobalHandlesMemory", used_global_handles),
    HEAP("usedMemory", used),
    {"memoryLimit", PM_JSON_LIMIT, offsetof(struct pm_report_heap, limit)},
    HEAP("mallocedMemory", malloced),
    HEAP("externalMemory", external),
    HEAP("peakMallocedMemory", peak_malloced),
    HEAP("nativeContextCount", native_contexts),
    HEAP("detachedContextCount", detached_contexts),
    HEAP("doesZapGarbage", zaps_garbage),
};

#define SPACE(key, member)                                                                                   \
    { key, PM_JSON_WHOLE, offsetof(struct pm_report_space, member) }
static const struct pm_json_field space_fields[] = {
    SPACE("memorySize", size), SPACE("committedMemory", committed), SPACE("capacity", capacity),
    SPACE("used", used),       SPACE("available", available),
};

void pm_report_clear_heap(struct pm_report_heap *heap) {
    pm_json_fields_clear(heap_fields, PM_JSON_COUNT(heap_fields), heap);
}

static void read_spaces(struct pm_json_reader *reader, const cJSON *object, struct pm_report_heap *heap) {
    if (!pm_json_expect_object(reader, object)) return;
    heap->spaces = pm_json_room(reader, object, sizeof(*heap->spaces));
    heap->space_count = 0;
    for (const cJSON *item = object->child; item && heap->spaces; item = item->next) {
        if (!item->string || !pm_json_expect_object(reader, item)) continue;
        struct pm_report_space *space = &heap->spaces[heap->space_count];
        pm_json_fields_clear(space_fields, PM_JSON_COUNT(space_fields), space);
        space->name = pm_arena_strdup(reader->arena, item->string);
        reader->failed |= !space->name;
        pm_json_fields_take(reader, space_fields, PM_JSON_COUNT(space_fields), item, space);
        heap->space_count += space->name != NULL;
    }
}

void pm_report_read_heap(struct pm_json_reader *reader, const cJSON *item, struct pm_report_facts *facts) {
    if (!pm_json_expect_object(reader, item)) return;
    for (item = item->child; item; item = item->next) {
        if (pm_json_field_take(reader, heap_fields, PM_JSON_COUNT(heap_fields), item, &facts->heap)) continue;
        if (item->string && !strcmp(item->string, "heapSpaces"))
            read_spaces(reader, item, &facts->heap);
        else
            pm_json_count_unknown(reader, item);
    }
}
