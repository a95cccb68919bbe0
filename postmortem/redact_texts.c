#include "postmortem/redact_texts.h"

#include "postmortem/model/batch.h"
#include "postmortem/model/event_loop.h"
#include "postmortem/model/gc_log.h"
#include "postmortem/model/heap_answers.h"
#include "postmortem/model/pod.h"
#include "postmortem/model/profile_compare.h"
#include "postmortem/model/report_compare.h"

/* A struct of the model as its texts and the structs it holds. */
enum how { ONE_TEXT, TEXT_LIST, TEXT_ARRAY, PAIR, ROWS, POINTERS, POINTER, INSIDE };

struct shape;
struct member {
    enum how how;
    enum pm_text_kind kind;
    size_t offset, second; /* of the count, or of the key */
    const struct shape *shape;
};
struct shape {
    size_t size;
    const struct member *members;
    size_t count;
};

#define SHAPE(type, list)                                                                                    \
    { sizeof(struct type), list, sizeof(list) / sizeof(list[0]) }
#define TEXT(type, field, kind)                                                                              \
    { ONE_TEXT, PM_TEXT_##kind, offsetof(struct type, field), 0, NULL }
/* a pointer to texts; texts in the struct itself */
#define TEXTS(type, field, number, kind)                                                                     \
    { TEXT_LIST, PM_TEXT_##kind, offsetof(struct type, field), offsetof(struct type, number), NULL }
#define ARRAY(type, field, number, kind)                                                                     \
    { TEXT_ARRAY, PM_TEXT_##kind, offsetof(struct type, field), offsetof(struct type, number), NULL }
#define KEYED(type, field, key, kind)                                                                        \
    { PAIR, PM_TEXT_##kind, offsetof(struct type, field), offsetof(struct type, key), NULL }
#define EACH(type, field, number, shape)                                                                     \
    { ROWS, PM_TEXT_OURS, offsetof(struct type, field), offsetof(struct type, number), &shape }
#define EACH_POINTER(type, field, number, shape)                                                             \
    { POINTERS, PM_TEXT_OURS, offsetof(struct type, field), offsetof(struct type, number), &shape }
#define MAYBE(type, field, shape)                                                                            \
    { POINTER, PM_TEXT_OURS, offsetof(struct type, field), 0, &shape }
#define PART(type, field, shape)                                                                             \
    { INSIDE, PM_TEXT_OURS, offsetof(struct type, field), 0, &shape }

/* ---- what is in more than one place ---- */

static const struct member position_members[] = {TEXT(pm_position, file, PATH)};
static const struct shape position = SHAPE(pm_position, position_members);

static const struct member variable_members[] = {TEXT(pm_env_value, name, CODE),
                                                 KEYED(pm_env_value, value, name, ENVIRONMENT)};
static const struct shape variable = SHAPE(pm_env_value, variable_members);
static const struct member own_property_members[] = {TEXT(pm_env_value, name, REFERENCE),
                                                     KEYED(pm_env_value, value, name, PROPERTY)};
static const struct shape own_property = SHAPE(pm_env_value, own_property_members);
static const struct member component_members[] = {TEXT(pm_env_value, name, CODE),
                                                  TEXT(pm_env_value, value, VERSION)};
static const struct shape component = SHAPE(pm_env_value, component_members);
static const struct member hidden_variable_members[] = {KEYED(pm_env_value, value, name, NEVER_SHOWN)};
static const struct shape hidden_variable = SHAPE(pm_env_value, hidden_variable_members);

static const struct member frame_members[] = {
    TEXT(pm_frame, function, CODE),
    PART(pm_frame, position, position),
    TEXT(pm_frame, module, PATH),
    TEXT(pm_frame, receiver, LABEL),
    TEXTS(pm_frame, arguments, argument_count, LABEL),
};
static const struct shape frame = SHAPE(pm_frame, frame_members);

static const struct member gc_row_members[] = {TEXT(pm_gc_row, reason, PHRASE)};
static const struct shape gc_row = SHAPE(pm_gc_row, gc_row_members);
static const struct member series_members[] = {EACH(pm_gc_series, rows, row_count, gc_row),
                                               TEXT(pm_gc_series, limit_from, SENTENCE)};
static const struct shape series = SHAPE(pm_gc_series, series_members);

/* ---- process and heap ---- */

static const struct member thread_members[] = {
    TEXT(pm_thread, name, CODE),           TEXT(pm_thread, state_detail, SENTENCE),
    TEXT(pm_thread, regexp, HEAP),         EACH(pm_thread, frames, frame_count, frame),
    TEXT(pm_thread, incomplete, SENTENCE),
};
static const struct shape thread = SHAPE(pm_thread, thread_members);

static const struct member origin_members[] = {TEXT(pm_origin, fact, OURS)};
static const struct shape origin = SHAPE(pm_origin, origin_members);

static const struct member process_members[] = {
    TEXT(pm_process, program, CODE),
    TEXT(pm_process, title, WORDS),
    TEXT(pm_process, node_version, VERSION),
    TEXT(pm_process, v8_version, VERSION),
    TEXT(pm_process, arch, CODE),
    TEXTS(pm_process, argv, argc, ARGUMENTS),
    EACH(pm_process, environment, environment_count, variable),
    EACH(pm_process, whole_environment, whole_environment_count, hidden_variable),
    /* death_message: by the kind of death, see below */
    TEXT(pm_process, death_location, SENTENCE),
    EACH(pm_process, error_frames, error_frame_count, frame),
    EACH(pm_process, origins, origin_count, origin),
    TEXT(pm_process, last_gcs, SENTENCE),
    MAYBE(pm_process, last_collections, series),
};
static const struct shape process = SHAPE(pm_process, process_members);

static const struct member loop_handle_members[] = {
    TEXT(pm_loop_handle, type, OURS),
    TEXT(pm_loop_handle, class_name, CODE),
    TEXT(pm_loop_handle, detail, SENTENCE),
};
static const struct shape loop_handle = SHAPE(pm_loop_handle, loop_handle_members);
static const struct member loop_timer_members[] = {TEXT(pm_loop_timer, kind, OURS),
                                                   TEXT(pm_loop_timer, function, CODE),
                                                   PART(pm_loop_timer, position, position)};
static const struct shape loop_timer = SHAPE(pm_loop_timer, loop_timer_members);
static const struct member loop_wait_members[] = {TEXT(pm_loop_wait, function, CODE),
                                                  PART(pm_loop_wait, position, position)};
static const struct shape loop_wait = SHAPE(pm_loop_wait, loop_wait_members);
static const struct member loop_members[] = {
    EACH(pm_event_loop, handles, handle_count, loop_handle),
    EACH(pm_event_loop, timers, timer_count, loop_timer),
    EACH(pm_event_loop, waits, wait_count, loop_wait),
};
static const struct shape loop = SHAPE(pm_event_loop, loop_members);
static const struct member pool_work_members[] = {TEXT(pm_pool_work, what, OURS)};
static const struct shape pool_work = SHAPE(pm_pool_work, pool_work_members);
static const struct member pool_members[] = {EACH(pm_thread_pool, work, work_count, pool_work)};
static const struct shape pool = SHAPE(pm_thread_pool, pool_members);

static const struct member space_members[] = {TEXT(pm_space, name, CODE)};
static const struct shape space = SHAPE(pm_space, space_members);
static const struct member class_row_members[] = {TEXT(pm_class_row, name, CODE)};
static const struct shape class_row = SHAPE(pm_class_row, class_row_members);
static const struct member group_members[] = {TEXT(pm_class_row, name, PATH)};
static const struct shape group = SHAPE(pm_class_row, group_members);
static const struct member dominator_members[] = {
    TEXT(pm_dominator_row, class_name, CODE),
    TEXT(pm_dominator_row, label, LABEL),
    TEXT(pm_dominator_row, name, REFERENCE),
    TEXT(pm_dominator_row, rest_class, CODE),
};
static const struct shape dominator = SHAPE(pm_dominator_row, dominator_members);
static const struct member worker_members[] = {TEXT(pm_worker, name, HEAP), TEXT(pm_worker, script, PATH)};
static const struct shape worker = SHAPE(pm_worker, worker_members);
static const struct member isolate_members[] = {
    MAYBE(pm_isolate, worker, worker),
    EACH(pm_isolate, spaces, space_count, space),
    EACH(pm_isolate, histogram, histogram_count, class_row),
    TEXT(pm_isolate, grouped_by, OURS),
    EACH(pm_isolate, groups, group_count, group),
    EACH(pm_isolate, dominators, dominator_count, dominator),
};
static const struct shape isolate = SHAPE(pm_isolate, isolate_members);

/* ---- findings ---- */

static const struct member role_members[] = {TEXT(pm_role_position, role, OURS),
                                             TEXT(pm_role_position, function, CODE),
                                             PART(pm_role_position, position, position)};
static const struct shape role = SHAPE(pm_role_position, role_members);
static const struct member object_ref_members[] = {TEXT(pm_object_ref, class_name, CODE)};
static const struct shape object_ref = SHAPE(pm_object_ref, object_ref_members);
static const struct member finding_members[] = {
    TEXT(pm_finding, id, OURS),
    TEXT(pm_finding, title, SENTENCE),
    TEXT(pm_finding, claim, SENTENCE),
    TEXT(pm_finding, advice, SENTENCE),
    TEXT(pm_finding, allocation, SENTENCE),
    TEXTS(pm_finding, evidence, evidence_count, SENTENCE),
    TEXT(pm_finding, owner_path, SENTENCE),
    TEXT(pm_finding, owner_name, REFERENCE),
    TEXT(pm_finding, subject, CODE),
    PART(pm_finding, owner, position),
    EACH(pm_finding, positions, position_count, role),
    EACH(pm_finding, objects, object_count, object_ref),
    TEXTS(pm_finding, next, next_count, SENTENCE),
};
static const struct shape finding = SHAPE(pm_finding, finding_members);

/* ---- answers of single commands ---- */

static const struct member field_members[] = {KEYED(pm_object_field, value, name, FIELD)};
static const struct shape field = SHAPE(pm_object_field, field_members);
static const struct member detail_members[] = {
    TEXT(pm_object_detail, class_name, CODE),   TEXT(pm_object_detail, type, CODE),
    TEXT(pm_object_detail, space, CODE),        TEXT(pm_object_detail, summary, LABEL),
    TEXT(pm_object_detail, text, HEAP),         TEXT(pm_object_detail, function, CODE),
    PART(pm_object_detail, position, position), EACH(pm_object_detail, fields, field_count, field),
};
static const struct shape detail = SHAPE(pm_object_detail, detail_members);
static const struct member object_row_members[] = {TEXT(pm_object_row, summary, LABEL)};
static const struct shape object_row = SHAPE(pm_object_row, object_row_members);
static const struct member object_list_members[] = {TEXT(pm_object_list, class_name, CODE),
                                                    EACH(pm_object_list, rows, row_count, object_row)};
static const struct shape object_list = SHAPE(pm_object_list, object_list_members);

static const struct member retainer_members[] = {
    TEXT(pm_retainer, class_name, CODE),
    TEXT(pm_retainer, label, LABEL),
    TEXT(pm_retainer, name, REFERENCE),
    PART(pm_retainer, position, position),
};
static const struct shape retainer = SHAPE(pm_retainer, retainer_members);
static const struct member retention_members[] = {
    TEXT(pm_retention, class_name, CODE),
    TEXT(pm_retention, label, LABEL),
    TEXT(pm_retention, path, SENTENCE),
    EACH(pm_retention, steps, step_count, retainer),
    TEXT(pm_retention, owner_name, REFERENCE),
    TEXT(pm_retention, owner_path, SENTENCE),
    PART(pm_retention, owner, position),
    PART(pm_retention, dominator, retainer),
    EACH(pm_retention, referrers, referrer_count, retainer),
};
static const struct shape retention = SHAPE(pm_retention, retention_members);

static const struct member string_row_members[] = {TEXT(pm_string_row, text, HEAP)};
static const struct shape string_row = SHAPE(pm_string_row, string_row_members);
#define STRINGS(list) EACH(pm_string_census, lists[list].rows, lists[list].count, string_row)
static const struct member census_members[] = {STRINGS(PM_STRINGS_DUPLICATE), STRINGS(PM_STRINGS_HUGE),
                                               STRINGS(PM_STRINGS_SLICED), STRINGS(PM_STRINGS_ROPE)};
_Static_assert(sizeof(census_members) / sizeof(census_members[0]) == PM_STRING_LISTS,
               "every list of strings");
static const struct shape census = SHAPE(pm_string_census, census_members);

static const struct member compare_row_members[] = {TEXT(pm_compare_row, class_name, CODE)};
static const struct shape compare_row = SHAPE(pm_compare_row, compare_row_members);
static const struct member survivor_members[] = {TEXT(pm_survivor_row, class_name, CODE),
                                                 TEXT(pm_survivor_row, label, LABEL)};
static const struct shape survivor = SHAPE(pm_survivor_row, survivor_members);
static const struct member comparison_members[] = {
    TEXT(pm_heap_comparison, inputs[0].path, PATH),
    TEXT(pm_heap_comparison, inputs[1].path, PATH),
    TEXT(pm_heap_comparison, inputs[2].path, PATH),
    EACH(pm_heap_comparison, rows, row_count, compare_row),
    TEXT(pm_heap_comparison, why_no_survivors, SENTENCE),
    EACH(pm_heap_comparison, survivors, survivor_count, survivor),
};
static const struct shape comparison = SHAPE(pm_heap_comparison, comparison_members);

static const struct member export_members[] = {TEXT(pm_export, path, PATH), TEXT(pm_export, format, OURS)};
static const struct shape exported = SHAPE(pm_export, export_members);

/* ---- reports ---- */

static const struct member cpu_members[] = {TEXT(pm_report_cpu, model, SENTENCE)};
static const struct shape cpu = SHAPE(pm_report_cpu, cpu_members);
static const struct member interface_members[] = {
    TEXT(pm_report_interface, name, CODE),    TEXT(pm_report_interface, mac, HOST),
    TEXT(pm_report_interface, address, HOST), TEXT(pm_report_interface, netmask, SENTENCE),
    TEXT(pm_report_interface, family, CODE),
};
static const struct shape interface = SHAPE(pm_report_interface, interface_members);
static const struct member header_members[] = {
    TEXT(pm_report_header, event, MESSAGE),
    TEXT(pm_report_header, trigger, CODE),
    TEXT(pm_report_header, filename, PATH),
    TEXT(pm_report_header, time, SENTENCE),
    TEXT(pm_report_header, cwd, PATH),
    TEXTS(pm_report_header, argv, argc, ARGUMENTS),
    TEXT(pm_report_header, node_version, VERSION),
    TEXT(pm_report_header, glibc_runtime, VERSION),
    TEXT(pm_report_header, glibc_compiler, VERSION),
    TEXT(pm_report_header, arch, CODE),
    TEXT(pm_report_header, platform, CODE),
    EACH(pm_report_header, components, component_count, component),
    TEXT(pm_report_header, release_name, CODE),
    TEXT(pm_report_header, release_lts, CODE),
    TEXT(pm_report_header, release_headers_url, PATH),
    TEXT(pm_report_header, release_source_url, PATH),
    TEXT(pm_report_header, release_lib_url, PATH),
    TEXT(pm_report_header, os_name, CODE),
    TEXT(pm_report_header, os_release, VERSION),
    TEXT(pm_report_header, os_version, SENTENCE),
    TEXT(pm_report_header, os_machine, CODE),
    EACH(pm_report_header, cpus, cpu_count, cpu),
    EACH(pm_report_header, interfaces, interface_count, interface),
    TEXT(pm_report_header, host, HOST),
};
static const struct shape header = SHAPE(pm_report_header, header_members);
static const struct member error_members[] = {
    TEXT(pm_report_error, message, MESSAGE),
    TEXT(pm_report_error, unavailable, SENTENCE),
    TEXTS(pm_report_error, lines, line_count, STACK_LINE),
    EACH(pm_report_error, frames, frame_count, frame),
    EACH(pm_report_error, properties, property_count, own_property),
};
static const struct shape error = SHAPE(pm_report_error, error_members);
static const struct member native_members[] = {TEXT(pm_report_native_frame, symbol, CODE),
                                               TEXT(pm_report_native_frame, module, PATH)};
static const struct shape native = SHAPE(pm_report_native_frame, native_members);
static const struct member report_space_members[] = {TEXT(pm_report_space, name, CODE)};
static const struct shape report_space = SHAPE(pm_report_space, report_space_members);
static const struct member report_heap_members[] = {EACH(pm_report_heap, spaces, space_count, report_space)};
static const struct shape report_heap = SHAPE(pm_report_heap, report_heap_members);
static const struct member endpoint_members[] = {TEXT(pm_report_endpoint, host, HOST),
                                                 TEXT(pm_report_endpoint, ip, HOST)};
static const struct shape endpoint = SHAPE(pm_report_endpoint, endpoint_members);
static const struct member handle_members[] = {
    TEXT(pm_report_handle, type, CODE),        PART(pm_report_handle, local, endpoint),
    PART(pm_report_handle, remote, endpoint),  TEXT(pm_report_handle, filename, PATH),
    TEXT(pm_report_handle, signal_name, CODE),
};
static const struct shape handle = SHAPE(pm_report_handle, handle_members);
static const struct member limit_members[] = {TEXT(pm_report_limit, name, CODE)};
static const struct shape limit = SHAPE(pm_report_limit, limit_members);
static const struct shape report;
static const struct member report_members[] = {
    PART(pm_report_facts, header, header),
    PART(pm_report_facts, error, error),
    EACH(pm_report_facts, native_stack, native_count, native),
    PART(pm_report_facts, heap, report_heap),
    EACH(pm_report_facts, handles, handle_count, handle),
    EACH(pm_report_facts, workers, worker_count, report), /* as deep as the parser went */
    EACH(pm_report_facts, environment, environment_count, variable),
    EACH(pm_report_facts, limits, limit_count, limit),
    TEXTS(pm_report_facts, shared_objects, shared_object_count, PATH),
};
static const struct shape report = SHAPE(pm_report_facts, report_members);

static const struct member change_members[] = {TEXT(pm_report_change, what, SENTENCE)};
static const struct shape change = SHAPE(pm_report_change, change_members);
static const struct member report_comparison_members[] = {
    EACH(pm_report_comparison, changes, change_count, change)};
static const struct shape report_comparison = SHAPE(pm_report_comparison, report_comparison_members);

/* ---- profiles, logs, pods ---- */

static const struct member function_members[] = {TEXT(pm_profile_function, name, CODE),
                                                 PART(pm_profile_function, position, position)};
static const struct shape function = SHAPE(pm_profile_function, function_members);
static const struct member profile_group_members[] = {TEXT(pm_profile_group, name, PATH)};
static const struct shape profile_group = SHAPE(pm_profile_group, profile_group_members);
static const struct member profile_members[] = {
    TEXT(pm_profile, source, OURS),
    EACH(pm_profile, functions, function_count, function),
    EACH(pm_profile, files, file_count, profile_group),
    EACH(pm_profile, packages, package_count, profile_group),
    TEXT(pm_profile, incomplete, SENTENCE),
};
static const struct shape profile = SHAPE(pm_profile, profile_members);
static const struct member profile_comparison_members[] = {PART(pm_profile_comparison, both, profile)};
static const struct shape profile_comparison = SHAPE(pm_profile_comparison, profile_comparison_members);

static const struct member log_error_members[] = {
    TEXT(pm_log_error, name, CODE),
    TEXT(pm_log_error, message, MESSAGE),
    TEXT(pm_log_error, source, MESSAGE),
    PART(pm_log_error, thrown, position),
    EACH(pm_log_error, frames, frame_count, frame),
    TEXT(pm_log_error, cause_name, CODE),
    TEXT(pm_log_error, cause_message, MESSAGE),
    PART(pm_log_error, cause, position),
    TEXT(pm_log_error, code, CODE),
};
static const struct shape log_error = SHAPE(pm_log_error, log_error_members);
static const struct member log_members[] = {
    EACH(pm_gc_log, series, series_count, series),
    TEXT(pm_gc_log, fatal, SENTENCE),
    TEXT(pm_gc_log, location, SENTENCE),
    TEXT(pm_gc_log, message, SENTENCE),
    TEXT(pm_gc_log, worker_error, SENTENCE),
    EACH(pm_gc_log, native, native_count, frame),
    EACH(pm_gc_log, javascript, javascript_count, frame),
    MAYBE(pm_gc_log, error, log_error),
    TEXT(pm_gc_log, node_version, VERSION),
    TEXT(pm_gc_log, wrapping, OURS),
};
static const struct shape gc_log = SHAPE(pm_gc_log, log_members);

static const struct member state_members[] = {
    TEXT(pm_pod_state, reason, SENTENCE),
    TEXT(pm_pod_state, message, MESSAGE),
    TEXT(pm_pod_state, started_at, SENTENCE),
    TEXT(pm_pod_state, finished_at, SENTENCE),
};
static const struct shape state = SHAPE(pm_pod_state, state_members);
static const struct member container_members[] = {
    TEXT(pm_pod_container, name, CODE),         TEXT(pm_pod_container, image, PATH),
    TEXT(pm_pod_container, container_id, PATH), PART(pm_pod_container, state, state),
    PART(pm_pod_container, last_state, state),  TEXT(pm_pod_container, node_options, WORDS),
};
static const struct shape container = SHAPE(pm_pod_container, container_members);
static const struct member pod_members[] = {
    TEXT(pm_pod, namespace_name, CODE),
    TEXT(pm_pod, name, HOST),
    TEXT(pm_pod, uid, CODE),
    TEXT(pm_pod, node, HOST),
    TEXT(pm_pod, pod_ip, HOST),
    TEXT(pm_pod, host_ip, HOST),
    TEXT(pm_pod, phase, SENTENCE),
    TEXT(pm_pod, qos, SENTENCE),
    TEXT(pm_pod, reason, SENTENCE),
    TEXT(pm_pod, message, MESSAGE),
    TEXT(pm_pod, start_time, SENTENCE),
    EACH(pm_pod, containers, container_count, container),
};
static const struct shape pod = SHAPE(pm_pod, pod_members);

/* ---- a batch ---- */

static const struct member host_names_members[] = {ARRAY(pm_batch_names, names, count, HOST)};
static const struct shape host_names = SHAPE(pm_batch_names, host_names_members);
static const struct member version_names_members[] = {ARRAY(pm_batch_names, names, count, VERSION)};
static const struct shape version_names = SHAPE(pm_batch_names, version_names_members);
static const struct member batch_group_members[] = {
    TEXT(pm_batch_group, key, CODE),
    TEXT(pm_batch_group, verdict, SENTENCE),
    TEXT(pm_batch_group, death, CODE),
    TEXT(pm_batch_group, finding, CODE),
    ARRAY(pm_batch_group, examples, example_count, PATH),
    PART(pm_batch_group, hosts, host_names),
    PART(pm_batch_group, versions, version_names),
};
static const struct shape batch_group = SHAPE(pm_batch_group, batch_group_members);
static const struct member failure_members[] = {TEXT(pm_batch_failure, path, PATH),
                                                TEXT(pm_batch_failure, reason, SENTENCE)};
static const struct shape failure = SHAPE(pm_batch_failure, failure_members);
static const struct member batch_members[] = {
    EACH_POINTER(pm_batch, groups, group_count, batch_group),
    EACH(pm_batch, failures, failure_count, failure),
};
static const struct shape batch = SHAPE(pm_batch, batch_members);

/* ---- all of it ---- */

static const struct member input_members[] = {TEXT(pm_input_info, path, PATH),
                                              TEXT(pm_input_info, kind, OURS)};
static const struct shape input = SHAPE(pm_input_info, input_members);
static const struct member skipped_members[] = {TEXT(pm_skipped, what, SENTENCE),
                                                TEXT(pm_skipped, why, SENTENCE)};
static const struct shape skipped = SHAPE(pm_skipped, skipped_members);
static const struct member problem_members[] = {TEXT(pm_problem, message, SENTENCE),
                                                TEXT(pm_problem, hint, SENTENCE)};
static const struct shape problem = SHAPE(pm_problem, problem_members);
static const struct member layout_members[] = {
    TEXT(pm_layout_row, name, OURS), TEXT(pm_layout_row, value, VERSION), TEXT(pm_layout_row, origin, OURS),
    TEXT(pm_layout_row, evidence, VERSION)};
static const struct shape layout = SHAPE(pm_layout_row, layout_members);

static const struct member diagnosis_members[] = {
    EACH(pm_diagnosis, inputs, input_count, input),
    PART(pm_diagnosis, process, process),
    TEXT(pm_diagnosis, verdict, SENTENCE),
    TEXT(pm_diagnosis, signature, OURS),
    EACH(pm_diagnosis, findings, finding_count, finding),
    EACH(pm_diagnosis, threads, thread_count, thread),
    EACH(pm_diagnosis, loops, loop_count, loop),
    MAYBE(pm_diagnosis, pool, pool),
    EACH(pm_diagnosis, isolates, isolate_count, isolate),
    EACH(pm_diagnosis, layout, layout_count, layout),
    EACH_POINTER(pm_diagnosis, reports, report_count, report),
    MAYBE(pm_diagnosis, report_comparison, report_comparison),
    EACH_POINTER(pm_diagnosis, profiles, profile_count, profile),
    MAYBE(pm_diagnosis, profile_comparison, profile_comparison),
    EACH_POINTER(pm_diagnosis, gc_logs, gc_log_count, gc_log),
    EACH_POINTER(pm_diagnosis, pods, pod_count, pod),
    MAYBE(pm_diagnosis, object, detail),
    MAYBE(pm_diagnosis, object_list, object_list),
    MAYBE(pm_diagnosis, retention, retention),
    MAYBE(pm_diagnosis, strings, census),
    MAYBE(pm_diagnosis, comparison, comparison),
    MAYBE(pm_diagnosis, exported, exported),
    TEXT(pm_diagnosis, incident_key, OURS),
    TEXT(pm_diagnosis, incident_host, HOST),
    MAYBE(pm_diagnosis, batch, batch),
    TEXT(pm_diagnosis, redaction, OURS),
    EACH(pm_diagnosis, skipped, skipped_count, skipped),
    EACH(pm_diagnosis, problems, problem_count, problem),
};
static const struct shape whole = SHAPE(pm_diagnosis, diagnosis_members);

/* ---- the walk ---- */

struct walk {
    pm_text_visit *visit;
    void *context;
};

static void walk(const struct walk *it, const struct shape *shape, char *base);

static void walk_member(const struct walk *it, const struct member *member, char *base) {
    void *at = base + member->offset;
    size_t count = *(const size_t *)(const void *)(base + member->second);
    const char **list = *(const char ***)at;
    switch (member->how) {
    case ONE_TEXT: it->visit(it->context, member->kind, at, 1, NULL); break;
    case PAIR:
        it->visit(it->context, member->kind, at, 1, *(const char **)(void *)(base + member->second));
        break;
    case TEXT_LIST:
    case TEXT_ARRAY:
        if (member->how == TEXT_ARRAY) list = at;
        if (!list || !count) break;
        if (member->kind == PM_TEXT_ARGUMENTS) it->visit(it->context, member->kind, list, count, NULL);
        for (size_t i = 0; member->kind != PM_TEXT_ARGUMENTS && i < count; i++)
            it->visit(it->context, member->kind, &list[i], 1, NULL);
        break;
    case ROWS:
        for (size_t i = 0; *(char **)at && i < count; i++)
            walk(it, member->shape, *(char **)at + i * member->shape->size);
        break;
    case POINTERS:
        for (size_t i = 0; *(char ***)at && i < count; i++) walk(it, member->shape, (*(char ***)at)[i]);
        break;
    case POINTER:
        if (*(char **)at) walk(it, member->shape, *(char **)at);
        break;
    case INSIDE: walk(it, member->shape, at); break;
    }
}

static void walk(const struct walk *it, const struct shape *shape, char *base) {
    for (size_t i = 0; i < shape->count; i++) walk_member(it, &shape->members[i], base);
}

/* The name of a field is code, or data: of a Map's entry, or of an object used as a dictionary. */
static void walk_field_names(const struct walk *it, struct pm_object_detail *object) {
    for (size_t i = 0; object && i < object->field_count; i++) {
        struct pm_object_field *row = &object->fields[i];
        enum pm_text_kind kind = row->group == PM_FIELD_ENTRY      ? PM_TEXT_LABEL
                                 : row->group == PM_FIELD_PROPERTY ? PM_TEXT_REFERENCE
                                                                   : PM_TEXT_CODE;
        it->visit(it->context, kind, &row->name, 1, NULL);
    }
}

void pm_diagnosis_texts(struct pm_diagnosis *diagnosis, pm_text_visit *visit, void *context) {
    struct walk it = {visit, context};
    /* The message of a thrown error is the program's; V8's and Node's own tell how it died. */
    bool thrown =
        diagnosis->process.death == PM_DEATH_UNCAUGHT || diagnosis->process.death == PM_DEATH_REPORT;
    visit(context, thrown ? PM_TEXT_MESSAGE : PM_TEXT_SENTENCE, &diagnosis->process.death_message, 1, NULL);
    walk(&it, &whole, (char *)diagnosis);
    walk_field_names(&it, diagnosis->object); /* after the values, which need them as keys */
}
