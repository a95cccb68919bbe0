/* inspect: one object, everything that can be said about it. */
#include <inttypes.h>
#include <string.h>

#include "postmortem/base/vec.h"
#include "postmortem/commands/inspect_snapshot.h"
#include "postmortem/crash.h"
#include "postmortem/options.h"
#include "postmortem/report/writer.h"
#include "v8layout/objects.h"

#define USUAL_FIELDS 100
#define USUAL_TEXT   2000 /* code units */
#define MOST_VALUE   120
#define MOST_SCOPES  100 /* contexts: a chain longer than any program's nesting is damage */
#define MOST_SLOTS   256 /* bytes: no object of V8 has fields of its own behind that */

struct inspection {
    const struct v8 *v8;
    struct pm_arena *arena;
    struct pm_object_detail *object;
    PM_VEC(struct pm_object_field) fields;
    size_t most;
    bool failed;
};

static const char *describe(struct inspection *inspection, v8_word word) {
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    v8_describe(inspection->v8, word, MOST_VALUE, &text);
    return pm_arena_copy(inspection->arena, pm_strbuf_text(&text), text.length);
}

static void add(struct inspection *inspection, enum pm_field_group group, const char *name, const char *value,
                pm_addr address) {
    inspection->object->field_total++;
    if (inspection->fields.count >= inspection->most) return;
    struct pm_object_field field = {group, name, value, address};
    if (!pm_vec_push(&inspection->fields, field)) inspection->failed = true;
}

static void add_word(struct inspection *inspection, enum pm_field_group group, const char *name,
                     v8_word word) {
    bool wanted = inspection->fields.count < inspection->most;
    add(inspection, group, name, wanted ? describe(inspection, word) : NULL,
        v8_is_pointer(word) ? v8_untag(word) : 0);
}

static void add_number(struct inspection *inspection, enum pm_field_group group, const char *name,
                       double number) {
    add(inspection, group, name, pm_arena_printf(inspection->arena, "%.17g", number), 0);
}

static bool visit_property(void *context, const struct v8_property *property) {
    struct inspection *inspection = context;
    enum pm_field_group group = property->is_element ? PM_FIELD_ELEMENT : PM_FIELD_PROPERTY;
    const char *name = NULL;
    if (inspection->fields.count < inspection->most)
        name = property->is_element ? pm_arena_printf(inspection->arena, "%" PRIu32, property->index)
                                    : v8_name_text(inspection->v8, property->key, inspection->arena);
    if (property->is_double)
        add_number(inspection, group, name, property->number);
    else
        add_word(inspection, group, name, property->value);
    return !inspection->failed;
}

static bool visit_entry(void *context, v8_word key, v8_word value) {
    struct inspection *inspection = context;
    bool wanted = inspection->fields.count < inspection->most;
    add_word(inspection, PM_FIELD_ENTRY, wanted ? describe(inspection, key) : NULL, value);
    return !inspection->failed;
}

static bool visit_variable(void *context, const struct v8_variable *variable) {
    struct inspection *inspection = context;
    if (!variable->known)
        add(inspection, PM_FIELD_VARIABLE, variable->name, "(not readable)", 0);
    else if (variable->is_double)
        add_number(inspection, PM_FIELD_VARIABLE, variable->name, variable->number);
    else
        add_word(inspection, PM_FIELD_VARIABLE, variable->name, variable->value);
    return !inspection->failed;
}

/* The variables of a context and of those around it, innermost first. */
static void add_scopes(struct inspection *inspection, pm_addr context) {
    for (unsigned i = 0; context && i < MOST_SCOPES; i++) {
        v8_context_variables(inspection->v8, context, inspection->arena, visit_variable, inspection);
        context = v8_ref(inspection->v8, context, inspection->v8->layout.context_previous);
    }
}

static void add_function(struct inspection *inspection, pm_addr address, enum v8_type type) {
    struct v8_function function;
    struct pm_object_detail *object = inspection->object;
    if (!v8_function_load(inspection->v8, address, inspection->arena, &function)) return;
    object->function = function.name && *function.name ? function.name : "<anonymous>";
    object->position = (struct pm_position){function.file, function.line, function.column};
    if (type == V8_T_JS_FUNCTION)
        add_scopes(inspection, v8_ref(inspection->v8, address, inspection->v8->layout.function_context));
}

static void add_text(struct inspection *inspection, pm_addr address, size_t limit) {
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    uint32_t length = 0, most = limit == SIZE_MAX ? UINT32_MAX : USUAL_TEXT;
    if (!v8_string_length(inspection->v8, address, &length)) return;
    bool whole = v8_string_text(inspection->v8, address, 0, most, &text);
    if (length > most)
        pm_strbuf_append(&text, "...");
    else if (!whole)
        pm_strbuf_append(&text, " (the rest is not readable)");
    inspection->object->text_length = length;
    inspection->object->text = pm_arena_copy(inspection->arena, pm_strbuf_text(&text), text.length);
}

static bool is_context(enum v8_type type) {
    return type == V8_T_FUNCTION_CONTEXT || type == V8_T_BLOCK_CONTEXT || type == V8_T_MODULE_CONTEXT ||
           type == V8_T_SCRIPT_CONTEXT || type == V8_T_EVAL_CONTEXT || type == V8_T_CATCH_CONTEXT ||
           type == V8_T_WITH_CONTEXT || type == V8_T_AWAIT_CONTEXT;
}

/* Objects without properties of their own: their words, at their offsets. What is no value (lengths,
 * addresses, instructions) is shown as it is. */
static void add_words(struct inspection *inspection, pm_addr address, uint64_t size) {
    for (uint64_t offset = 8; offset + 8 <= size && offset < UINT32_MAX; offset += 8) {
        v8_word word;
        if (!v8_word_at(inspection->v8, address, (uint32_t)offset, &word)) continue;
        const char *name = pm_arena_printf(inspection->arena, "+%" PRIu64, offset);
        bool is_value = v8_is_smi(word) || (uint32_t)word == V8_CLEARED_WEAK ||
                        (v8_is_pointer(word) && v8_map(inspection->v8, v8_untag(word)));
        if (is_value)
            add_word(inspection, PM_FIELD_INTERNAL, name, word);
        else
            add(inspection, PM_FIELD_INTERNAL, name,
                pm_arena_printf(inspection->arena, "raw 0x%" PRIx64, word), 0);
    }
}

/* What an object has besides its properties, as far as it refers to something: the target of a WeakRef, the
 * reactions of a promise, the function of a generator. */
static void add_slots(struct inspection *inspection, pm_addr address, enum v8_type type) {
    const struct v8 *v8 = inspection->v8;
    v8_word word;
    for (uint32_t offset = 16; offset + 8 <= inspection->object->size && offset < MOST_SLOTS; offset += 8) {
        const char *name = v8_receiver_field_at(&v8->layout, type, offset);
        if (!name) continue;
        if (strcmp(name, "dispatch_handle") == 0) {
            name = "code";
            word = v8_function_code(v8, address);
        } else if (!v8_word_at(v8, address, offset, &word)) {
            continue;
        }
        if (!v8_is_pointer(word) || !v8_map(v8, v8_untag(word))) continue;
        add_word(inspection, PM_FIELD_INTERNAL, pm_arena_printf(inspection->arena, "[[%s]]", name), word);
    }
}

static void look_at(struct inspection *inspection, pm_addr address, const struct v8_map *map, size_t limit) {
    const struct v8 *v8 = inspection->v8;
    enum v8_type type = (enum v8_type)map->type;
    if (v8_is_string(map)) {
        add_text(inspection, address, limit);
    } else if (is_context(type)) {
        add_scopes(inspection, address);
    } else if (v8_is_receiver(v8, map)) {
        add_function(inspection, address, type);
        v8_entries(v8, address, visit_entry, inspection);
        v8_properties(v8, address, visit_property, inspection);
        pm_addr prototype = v8_ref(v8, map->address, v8->layout.map_prototype);
        if (prototype) add_word(inspection, PM_FIELD_INTERNAL, "[[Prototype]]", v8_tag(prototype));
        add_slots(inspection, address, type);
    } else {
        add_function(inspection, address, type);
        if (!v8_entries(v8, address, visit_entry, inspection))
            add_words(inspection, address, inspection->object->size);
    }
}

static struct pm_error *run(struct pm_session *session) {
    const struct pm_options *options = session->options;
    if (session->snapshot)
        return pm_inspect_snapshot(session, options->limit ? options->limit : USUAL_FIELDS);
    PM_TRY(pm_session_need_v8(session));
    if (options->object_is_id)
        return pm_error_hint(
            pm_error_create(PM_ERR_UNSUPPORTED, "%s: objects of a core have addresses, no ids",
                            session->input->path),
            "Ids (@17) are of heap snapshots; an object of a core is named like 0x3f1c44a0.");
    struct pm_diagnosis *diagnosis = session->diagnosis;
    const struct v8 *v8 = session->v8;
    pm_addr address = options->address;
    pm_session_say(session, "inspecting an object");
    pm_crash_offset(address);
    const struct v8_map *map = v8_map(v8, address);
    if (!map)
        return pm_error_hint(
            pm_error_at(PM_ERR_NOT_FOUND, address, "%s: no object begins there", session->input->path),
            "Addresses come from the commands objects and inspect, or from a stack's arguments.");
    const struct v8_page *page = v8_page_of(v8, address);
    struct pm_object_detail *object = pm_arena_alloc(diagnosis->arena, sizeof(*object));
    if (!object) return pm_error_nomem();
    struct inspection inspection = {.v8 = v8,
                                    .arena = diagnosis->arena,
                                    .object = object,
                                    .most = options->limit ? options->limit : USUAL_FIELDS};
    *object = (struct pm_object_detail){
        .address = address,
        .map = map->address,
        .class_name = v8_class_name(v8, address, diagnosis->arena),
        .type = v8_is_string(map) ? "STRING" : v8_type_name((enum v8_type)map->type),
        .space = page ? v8_space_name((enum v8_space_id)page->space) : NULL,
        .isolate = page && page->isolate < v8->isolate_count ? v8->isolates[page->isolate].address : 0,
        .size = v8_size(v8, address),
        .summary = describe(&inspection, v8_tag(address)),
    };
    look_at(&inspection, address, map, options->limit);
    object->fields = pm_arena_dup(diagnosis->arena, inspection.fields.items, inspection.fields.count,
                                  sizeof(*object->fields));
    object->field_count = object->fields ? inspection.fields.count : 0;
    inspection.failed |= inspection.fields.count && !object->fields;
    pm_vec_deinit(&inspection.fields);
    diagnosis->object = object;
    diagnosis->read_objects = 1;
    return inspection.failed ? pm_error_nomem() : NULL;
}

const struct pm_command pm_command_inspect = {
    .name = "inspect",
    .arguments = "FILE OBJECT",
    .summary = "one object: fields, entries, closure variables, text",
    .details = "OBJECT is an address of a core, like 0x3f1c44a0 (the tag bits of a copied pointer do not "
               "matter), or an "
               "id of a heap snapshot, like @4711. --limit 0 shows everything.",
    .examples = (const char *const[]){"inspect core.4711 0x3f1c44a0", "inspect app.heapsnapshot @4711", NULL},
    .least_files = 1,
    .most_files = 1,
    .takes_address = true,
    .open = PM_OPEN_CORE | PM_OPEN_V8,
    .sections = PM_SHOW_OBJECT,
    .run = run,
};
