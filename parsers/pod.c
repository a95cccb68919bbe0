#include "parsers/pod.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "parsers/json_document.h"
#include "parsers/json_fields.h"
#include "postmortem/model/pod.h"

static const cJSON *member(const cJSON *object, const char *name) {
    const cJSON *found = NULL;
    for (const cJSON *item = cJSON_IsObject(object) ? object->child : NULL; item; item = item->next)
        if (item->string && !strcmp(item->string, name)) found = item;
    return found;
}

/* A text member; NULL when it is not there. */
static const char *text(struct pm_json_reader *reader, const cJSON *object, const char *name) {
    const cJSON *item = member(object, name);
    return item ? pm_json_text_of(reader, item) : NULL;
}

static uint64_t whole(struct pm_json_reader *reader, const cJSON *object, const char *name) {
    uint64_t value = PM_UNKNOWN;
    const struct pm_json_field field = {name, PM_JSON_WHOLE, 0};
    const cJSON *item = member(object, name);
    if (item) pm_json_field_take(reader, &field, 1, item, &value);
    return value;
}

uint64_t pm_pod_quantity_milli(const char *quantity) {
    static const struct {
        const char *suffix;
        double factor;
    } units[] = {
        {"", 1e3},
        {"m", 1},
        {"u", 1e-3},
        {"n", 1e-6},
        {"k", 1e6},
        {"M", 1e9},
        {"G", 1e12},
        {"T", 1e15},
        {"P", 1e18},
        {"E", 1e21},
        {"Ki", 1024e3},
        {"Mi", 1048576e3},
        {"Gi", 1073741824e3},
        {"Ti", 1099511627776e3},
        {"Pi", 1125899906842624e3},
        {"Ei", 1152921504606846976e3},
    };
    char *end;
    if (*quantity < '0' || *quantity > '9') return PM_UNKNOWN;
    if (quantity[0] == '0' && (quantity[1] == 'x' || quantity[1] == 'X')) return PM_UNKNOWN;
    double value = strtod(quantity, &end);
    for (size_t i = 0; i < PM_JSON_COUNT(units); i++) {
        if (strcmp(end, units[i].suffix) != 0) continue;
        value = ceil(value * units[i].factor);
        return isfinite(value) && value < 18e18 ? (uint64_t)value : PM_UNKNOWN;
    }
    return PM_UNKNOWN;
}

/* spec.containers[].resources.limits.memory */
static uint64_t resource(struct pm_json_reader *reader, const cJSON *container, const char *list,
                         const char *name, uint64_t divisor) {
    const cJSON *item = member(member(member(container, "resources"), list), name);
    char spelled[32];
    if (!item || cJSON_IsNull(item)) return PM_UNKNOWN;
    const char *quantity = cJSON_IsString(item) ? item->valuestring : NULL;
    if (cJSON_IsNumber(item)) {
        snprintf(spelled, sizeof(spelled), "%.15g", item->valuedouble);
        quantity = spelled;
    }
    uint64_t milli = quantity ? pm_pod_quantity_milli(quantity) : PM_UNKNOWN;
    if (milli == PM_UNKNOWN) pm_json_count_wrong(reader, item);
    return milli == PM_UNKNOWN ? PM_UNKNOWN : milli / divisor;
}

/* 2026-11-25T18:00:00Z, with or without a fraction */
static uint64_t time_ms(const char *spelled) {
    struct tm parts = {0};
    const char *rest = spelled ? strptime(spelled, "%Y-%m-%dT%H:%M:%S", &parts) : NULL;
    if (!rest || (*rest != 'Z' && *rest != '.')) return PM_UNKNOWN;
    time_t seconds = timegm(&parts);
    double fraction = *rest == '.' ? strtod(rest, NULL) : 0;
    return seconds < 0 || !(fraction < 1) ? PM_UNKNOWN
                                          : (uint64_t)seconds * 1000 + (uint64_t)(fraction * 1000);
}

static void read_state(struct pm_json_reader *reader, const cJSON *object, struct pm_pod_state *state) {
    static const struct {
        const char *name;
        enum pm_pod_state_kind kind;
    } kinds[] = {{"waiting", PM_POD_STATE_WAITING},
                 {"running", PM_POD_STATE_RUNNING},
                 {"terminated", PM_POD_STATE_TERMINATED}};
    for (size_t i = 0; i < PM_JSON_COUNT(kinds); i++) {
        const cJSON *item = member(object, kinds[i].name);
        if (!cJSON_IsObject(item)) continue;
        state->kind = kinds[i].kind;
        state->reason = text(reader, item, "reason");
        state->message = text(reader, item, "message");
        state->exit_code = whole(reader, item, "exitCode");
        state->signal = whole(reader, item, "signal");
        state->started_at = text(reader, item, "startedAt");
        state->finished_at = text(reader, item, "finishedAt");
        state->started_ms = time_ms(state->started_at);
        state->finished_ms = time_ms(state->finished_at);
    }
}

static struct pm_pod_container *container_of(struct pm_json_reader *reader, struct pm_pod *pod, size_t room,
                                             const cJSON *object) {
    const char *name = text(reader, object, "name");
    if (!name) return NULL;
    for (size_t i = 0; i < pod->container_count; i++)
        if (!strcmp(pod->containers[i].name, name)) return &pod->containers[i];
    if (pod->container_count == room) return NULL;
    struct pm_pod_container *container = &pod->containers[pod->container_count++];
    *container = (struct pm_pod_container){
        .name = name,
        .restart_count = PM_UNKNOWN,
        .memory_limit = PM_UNKNOWN,
        .memory_request = PM_UNKNOWN,
        .cpu_limit = PM_UNKNOWN,
        .cpu_request = PM_UNKNOWN,
    };
    container->state.exit_code = container->last_state.exit_code = PM_UNKNOWN;
    container->state.signal = container->last_state.signal = PM_UNKNOWN;
    container->state.started_ms = container->last_state.started_ms = PM_UNKNOWN;
    container->state.finished_ms = container->last_state.finished_ms = PM_UNKNOWN;
    return container;
}

static void read_spec(struct pm_json_reader *reader, const cJSON *object,
                      struct pm_pod_container *container) {
    container->image = text(reader, object, "image");
    container->memory_limit = resource(reader, object, "limits", "memory", 1000);
    container->memory_request = resource(reader, object, "requests", "memory", 1000);
    container->cpu_limit = resource(reader, object, "limits", "cpu", 1);
    container->cpu_request = resource(reader, object, "requests", "cpu", 1);
    const cJSON *env = member(object, "env");
    for (const cJSON *item = cJSON_IsArray(env) ? env->child : NULL; item; item = item->next) {
        const cJSON *name = member(item, "name");
        if (cJSON_IsString(name) && !strcmp(name->valuestring, "NODE_OPTIONS"))
            container->node_options = text(reader, item, "value");
    }
}

static void read_status(struct pm_json_reader *reader, const cJSON *object,
                        struct pm_pod_container *container) {
    if (!container->image) container->image = text(reader, object, "image");
    container->container_id = text(reader, object, "containerID");
    container->ready = cJSON_IsTrue(member(object, "ready"));
    container->restart_count = whole(reader, object, "restartCount");
    read_state(reader, member(object, "state"), &container->state);
    read_state(reader, member(object, "lastState"), &container->last_state);
}

static size_t length_of(const cJSON *list) {
    return cJSON_IsArray(list) ? (size_t)cJSON_GetArraySize(list) : 0;
}

static void read_containers(struct pm_json_reader *reader, const cJSON *root, struct pm_pod *pod) {
    static const struct {
        const char *spec, *status;
        bool init, ephemeral;
    } lists[] = {{"containers", "containerStatuses", false, false},
                 {"initContainers", "initContainerStatuses", true, false},
                 {"ephemeralContainers", "ephemeralContainerStatuses", false, true}};
    const cJSON *spec = member(root, "spec"), *status = member(root, "status");
    size_t room = 0;
    for (size_t i = 0; i < PM_JSON_COUNT(lists); i++)
        room += length_of(member(spec, lists[i].spec)) + length_of(member(status, lists[i].status));
    pod->containers = room ? pm_arena_array(reader->arena, room, sizeof(*pod->containers)) : NULL;
    reader->failed |= room && !pod->containers;
    if (!pod->containers) return;
    for (size_t i = 0; i < PM_JSON_COUNT(lists); i++)
        for (unsigned half = 0; half < 2; half++) {
            const cJSON *list = half ? member(status, lists[i].status) : member(spec, lists[i].spec);
            for (const cJSON *item = cJSON_IsArray(list) ? list->child : NULL; item; item = item->next) {
                struct pm_pod_container *container = container_of(reader, pod, room, item);
                if (!container) continue;
                container->init = lists[i].init;
                container->ephemeral = lists[i].ephemeral;
                (half ? read_status : read_spec)(reader, item, container);
            }
        }
}

static struct pm_error *read_pod(struct pm_json_reader *reader, const cJSON *root,
                                 struct pm_diagnosis *diagnosis) {
    const cJSON *metadata = member(root, "metadata"), *spec = member(root, "spec"),
                *status = member(root, "status");
    struct pm_pod *pod = pm_arena_alloc(diagnosis->arena, sizeof(*pod));
    if (!pod) return pm_error_nomem();
    *pod = (struct pm_pod){
        .input = diagnosis->input_count - 1,
        .namespace_name = text(reader, metadata, "namespace"),
        .name = text(reader, metadata, "name"),
        .uid = text(reader, metadata, "uid"),
        .node = text(reader, spec, "nodeName"),
        .pod_ip = text(reader, status, "podIP"),
        .host_ip = text(reader, status, "hostIP"),
        .phase = text(reader, status, "phase"),
        .qos = text(reader, status, "qosClass"),
        .reason = text(reader, status, "reason"),
        .message = text(reader, status, "message"),
        .start_time = text(reader, status, "startTime"),
    };
    pod->start_ms = time_ms(pod->start_time);
    read_containers(reader, root, pod);
    return pm_diagnosis_append(diagnosis, (void ***)&diagnosis->pods, &diagnosis->pod_count, pod);
}

/* In a list each item may be of another kind; in a PodList they have none. */
static bool is_pod(const cJSON *root) {
    const cJSON *kind = member(root, "kind");
    if (cJSON_IsString(kind)) return !strcmp(kind->valuestring, "Pod");
    return cJSON_IsObject(member(root, "spec")) || cJSON_IsObject(member(root, "status"));
}

struct pm_error *pm_pod_load(const struct pm_input *input, struct pm_diagnosis *diagnosis) {
    struct pm_json_document document PM_AUTO_JSON_DOCUMENT = {0};
    struct pm_json_reader reader = {.arena = diagnosis->arena};
    struct pm_error *err = pm_json_document_init(&document, input->bytes, input->size);
    if (err) return pm_error_prefix(err, "%s", input->path);
    const cJSON *items = member(document.root, "items");
    uint64_t others = 0;
    size_t before = diagnosis->pod_count;
    if (!items && is_pod(document.root)) PM_TRY(read_pod(&reader, document.root, diagnosis));
    for (const cJSON *item = cJSON_IsArray(items) ? items->child : NULL; item; item = item->next) {
        if (is_pod(item))
            PM_TRY(read_pod(&reader, item, diagnosis));
        else
            others++;
    }
    if (reader.failed) return pm_error_nomem();
    if (diagnosis->pod_count == before)
        return pm_error_hint(pm_error_create(PM_ERR_FORMAT, "%s: no pod in it", input->path),
                             "kubectl get pod NAME -o json prints one.");
    const char *what = pm_arena_printf(diagnosis->arena, "the pods of %s", input->path);
    if (!pm_json_document_coverage(&document, what, diagnosis) || input->truncated)
        diagnosis->inputs[diagnosis->input_count - 1].complete = false;
    pm_json_reader_coverage(&reader, what, diagnosis);
    if (others) pm_diagnosis_skip(diagnosis, "items of the list", others, PM_UNKNOWN, "not pods");
    return NULL;
}
