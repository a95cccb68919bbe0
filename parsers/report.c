#include "parsers/report.h"

#include <string.h>

#include "parsers/json_document.h"
#include "parsers/report_parts.h"

/* Workers of workers of workers: their reports hang in each other. */
#define WORKER_LEVELS 8

static void read_environment(struct pm_json_reader *reader, const cJSON *item,
                             struct pm_report_facts *facts) {
    if (pm_json_expect_object(reader, item))
        facts->environment = pm_json_names(reader, item, &facts->environment_count);
}

static void read_objects(struct pm_json_reader *reader, const cJSON *item, struct pm_report_facts *facts) {
    if (!pm_json_expect_array(reader, item)) return;
    facts->shared_objects = pm_json_room(reader, item, sizeof(*facts->shared_objects));
    facts->shared_object_count = 0;
    for (item = item->child; item && facts->shared_objects; item = item->next) {
        const char *path = pm_json_text_of(reader, item);
        if (path) facts->shared_objects[facts->shared_object_count++] = path;
    }
}

static const struct section {
    const char *key;
    enum pm_report_section bit;
    void (*read)(struct pm_json_reader *, const cJSON *, struct pm_report_facts *);
    bool is_array;
} sections[] = {
    {"header", PM_REPORT_HEADER, pm_report_read_header, false},
    {"javascriptStack", PM_REPORT_JS_STACK, pm_report_read_error, false},
    {"javascriptHeap", PM_REPORT_HEAP, pm_report_read_heap, false},
    {"nativeStack", PM_REPORT_NATIVE_STACK, pm_report_read_native, true},
    {"resourceUsage", PM_REPORT_USAGE, pm_report_read_usage, false},
    {"uvthreadResourceUsage", PM_REPORT_THREAD_USAGE, pm_report_read_thread_usage, false},
    {"libuv", PM_REPORT_LIBUV, pm_report_read_handles, true},
    {"environmentVariables", PM_REPORT_ENVIRONMENT, read_environment, false},
    {"userLimits", PM_REPORT_LIMITS, pm_report_read_limits, false},
    {"sharedObjects", PM_REPORT_OBJECTS, read_objects, true},
};

static void read_report(struct pm_json_reader *reader, const cJSON *object, unsigned level,
                        struct pm_report_facts *facts);

static void read_workers(struct pm_json_reader *reader, const cJSON *list, unsigned level,
                         struct pm_report_facts *facts) {
    if (!pm_json_expect_array(reader, list)) return;
    if (level == WORKER_LEVELS) {
        if (list->child) pm_json_count_wrong(reader, list);
        return;
    }
    facts->workers = pm_json_room(reader, list, sizeof(*facts->workers));
    facts->worker_count = 0;
    for (const cJSON *item = list->child; item && facts->workers; item = item->next) {
        if (!pm_json_expect_object(reader, item)) continue;
        struct pm_report_facts *worker = &facts->workers[facts->worker_count++];
        pm_report_clear(worker);
        worker->input = facts->input;
        worker->complete = facts->complete;
        read_report(reader, item, level + 1, worker);
    }
}

/* Calls itself for the workers of workers, WORKER_LEVELS deep at most. */
static void read_report(struct pm_json_reader *reader, const cJSON *object, unsigned level,
                        struct pm_report_facts *facts) {
    for (const cJSON *item = object->child; item; item = item->next) {
        const struct section *section = NULL;
        for (size_t i = 0; i < PM_JSON_COUNT(sections) && item->string; i++)
            if (!strcmp(item->string, sections[i].key)) section = &sections[i];
        if (section) {
            section->read(reader, item, facts);
            if (section->is_array ? cJSON_IsArray(item) : cJSON_IsObject(item))
                facts->sections |= section->bit;
        } else if (item->string && !strcmp(item->string, "workers")) {
            read_workers(reader, item, level, facts);
            if (cJSON_IsArray(item)) facts->sections |= PM_REPORT_WORKERS;
        } else {
            pm_json_count_unknown(reader, item);
        }
    }
}

void pm_report_clear(struct pm_report_facts *facts) {
    struct pm_json_reader nobody = {0};
    *facts = (struct pm_report_facts){0};
    pm_report_read_header(&nobody, NULL, facts);
    pm_report_clear_heap(&facts->heap);
    pm_report_clear_usage(&facts->usage);
    pm_report_clear_usage(&facts->thread_usage);
}

struct pm_error *pm_report_load(const struct pm_input *input, struct pm_diagnosis *diagnosis) {
    struct pm_json_document document PM_AUTO_JSON_DOCUMENT = {0};
    struct pm_json_reader reader = {.arena = diagnosis->arena};
    struct pm_report_facts *facts = pm_arena_alloc(diagnosis->arena, sizeof(*facts));
    if (!facts) return pm_error_nomem();
    struct pm_error *err = pm_json_document_init(&document, input->bytes, input->size);
    if (err) return pm_error_prefix(err, "%s", input->path);
    if (!cJSON_IsObject(document.root))
        return pm_error_create(PM_ERR_FORMAT, "%s: a report is an object, this is an array", input->path);
    pm_report_clear(facts);
    facts->input = diagnosis->input_count - 1;
    facts->complete = !document.damage && !input->truncated;
    read_report(&reader, document.root, 0, facts);
    if (reader.failed) return pm_error_nomem();
    if (!facts->sections)
        return pm_error_create(PM_ERR_FORMAT, "%s: nothing of the report could be read", input->path);
    const char *what = diagnosis->input_count == 1
                           ? "the report"
                           : pm_arena_printf(diagnosis->arena, "the report %s", input->path);
    pm_json_document_coverage(&document, what, diagnosis);
    pm_json_reader_coverage(&reader, what, diagnosis);
    if (!facts->complete) diagnosis->inputs[facts->input].complete = false;
    return pm_diagnosis_append(diagnosis, (void ***)&diagnosis->reports, &diagnosis->report_count, facts);
}
