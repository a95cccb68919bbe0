/* The JSON document: docs/json.md says what each member means, docs/schema.json is checked against real
 * output by a test. */
#include "postmortem/model/words.h"
#include "postmortem/report/batch_pages.h"
#include "postmortem/report/json_heap.h"
#include "postmortem/report/json_profile.h"
#include "postmortem/report/json_report.h"
#include "postmortem/report/writer.h"

static void write_inputs(struct pm_json *json, const struct pm_diagnosis *diagnosis) {
    pm_json_array(json, "inputs");
    for (size_t i = 0; i < diagnosis->input_count; i++) {
        const struct pm_input_info *input = &diagnosis->inputs[i];
        pm_json_object(json, NULL);
        pm_json_text(json, "path", input->path);
        pm_json_text(json, "kind", input->kind);
        pm_json_u64(json, "bytes", input->bytes);
        pm_json_bool(json, "complete", input->complete);
        pm_json_end(json);
    }
    pm_json_end(json);
}

static void write_texts(struct pm_json *json, const char *key, const char *const *texts, size_t count) {
    pm_json_array(json, key);
    for (size_t i = 0; i < count; i++) pm_json_text(json, NULL, texts[i]);
    pm_json_end(json);
}

/* file, line and column as members of the object that is open. */
static void write_position(struct pm_json *json, const struct pm_position *position) {
    pm_json_text(json, "file", position->file);
    pm_json_u64(json, "line", position->line ? position->line : PM_UNKNOWN);
    pm_json_u64(json, "column", position->column ? position->column : PM_UNKNOWN);
}

static void write_death(struct pm_json *json, const struct pm_process *process) {
    pm_json_object(json, "death");
    pm_json_text(json, "kind", process->death == PM_DEATH_UNKNOWN ? NULL : pm_death_word(process->death));
    pm_json_text(json, "message", process->death_message);
    pm_json_text(json, "location", process->death_location);
    pm_json_u64(json, "heap_used", process->heap_used_at_death);
    pm_json_u64(json, "heap_limit", process->heap_limit_at_death);
    pm_json_text(json, "last_gcs", process->last_gcs);
    if (process->death == PM_DEATH_UNCAUGHT) pm_json_bool(json, "rejection", process->is_rejection);
    if (process->error_frame_count) {
        pm_json_array(json, "error_stack");
        for (size_t i = 0; i < process->error_frame_count; i++) {
            const struct pm_frame *frame = &process->error_frames[i];
            pm_json_object(json, NULL);
            pm_json_text(json, "function", frame->function);
            write_position(json, &frame->position);
            if (frame->is_async) pm_json_bool(json, "async", true);
            pm_json_end(json);
        }
        pm_json_end(json);
    }
    pm_json_end(json);
}

static void write_process(struct pm_json *json, const struct pm_process *process) {
    pm_json_object(json, "process");
    pm_json_u64(json, "pid", process->pid);
    pm_json_text(json, "program", process->program);
    pm_json_text(json, "title", process->title);
    pm_json_text(json, "node_version", process->node_version);
    pm_json_text(json, "v8_version", process->v8_version);
    pm_json_text(json, "arch", process->arch);
    if (process->argv)
        write_texts(json, "command_line", process->argv, process->argc);
    else
        pm_json_null(json, "command_line");
    pm_json_object(json, "environment");
    for (size_t i = 0; i < process->environment_count; i++)
        pm_json_text(json, process->environment[i].name, process->environment[i].value);
    pm_json_end(json);
    pm_json_text(json, "signal", pm_signal_name(process->signal));
    pm_json_u64(json, "signal_number", process->signal);
    pm_json_u64(json, "sender_pid", process->sender_pid);
    if (process->has_fault_address) {
        char text[32];
        snprintf(text, sizeof(text), "0x%llx", (unsigned long long)process->fault_address);
        pm_json_text(json, "fault_address", text);
    } else {
        pm_json_null(json, "fault_address");
    }
    write_death(json, process);
    pm_json_array(json, "origins");
    for (size_t i = 0; i < process->origin_count; i++) {
        pm_json_object(json, NULL);
        pm_json_text(json, "fact", process->origins[i].fact);
        pm_json_u64(json, "input", process->origins[i].input);
        pm_json_end(json);
    }
    pm_json_end(json);
    pm_json_object(json, "limits");
    pm_json_u64(json, "max_old_space_size", process->max_old_space_flag);
    pm_json_u64(json, "max_semi_space_size", process->max_semi_space_flag);
    pm_json_end(json);
    pm_json_end(json);
}

static void write_finding(struct pm_json *json, const struct pm_finding *finding, bool by_id) {
    pm_json_object(json, NULL);
    pm_json_text(json, "id", finding->id);
    pm_json_text(json, "severity", pm_severity_word(finding->severity));
    pm_json_text(json, "confidence", pm_confidence_word(finding->confidence));
    pm_json_text(json, "title", finding->title);
    pm_json_text(json, "claim", finding->claim);
    pm_json_text(json, "allocation", finding->allocation);
    write_texts(json, "evidence", finding->evidence, finding->evidence_count);
    pm_json_u64(json, "retained_bytes", finding->retained_bytes);
    pm_json_share(json, "share", finding->share);
    pm_json_object(json, "owner");
    pm_json_text(json, "path", finding->owner_path);
    pm_json_text(json, "name", finding->owner_name);
    write_position(json, &finding->owner);
    pm_json_end(json);
    pm_json_array(json, "positions");
    for (size_t i = 0; i < finding->position_count; i++) {
        const struct pm_role_position *position = &finding->positions[i];
        pm_json_object(json, NULL);
        pm_json_text(json, "role", position->role);
        pm_json_text(json, "function", position->function);
        write_position(json, &position->position);
        pm_json_end(json);
    }
    pm_json_end(json);
    pm_json_array(json, "objects");
    for (size_t i = 0; i < finding->object_count; i++) {
        pm_json_object(json, NULL);
        pm_json_object_id(json, "address", by_id, finding->objects[i].address);
        pm_json_text(json, "class", finding->objects[i].class_name);
        pm_json_end(json);
    }
    pm_json_end(json);
    pm_json_text(json, "advice", finding->advice);
    write_texts(json, "next", finding->next, finding->next_count);
    pm_json_end(json);
}

static void write_frame(struct pm_json *json, const struct pm_frame *frame) {
    pm_json_object(json, NULL);
    pm_json_text(json, "kind", pm_frame_kind_word(frame->kind));
    pm_json_text(json, "function", frame->function);
    write_position(json, &frame->position);
    if (frame->position.line) pm_json_bool(json, "approximate", frame->approximate);
    pm_json_bool(json, "inlined", frame->inlined);
    if (frame->constructor) pm_json_bool(json, "constructor", true);
    if (frame->is_async) pm_json_bool(json, "async", true);
    if (frame->hidden) pm_json_bool(json, "hidden", true);
    pm_json_text(json, "tier", pm_tier_word(frame->tier));
    pm_json_text(json, "module", frame->module);
    pm_json_u64(json, "offset", frame->module ? frame->offset : PM_UNKNOWN);
    pm_json_address(json, "address", frame->address);
    if (frame->receiver) pm_json_text(json, "receiver", frame->receiver);
    if (frame->argument_count) write_texts(json, "arguments", frame->arguments, frame->argument_count);
    pm_json_end(json);
}

static void write_threads(struct pm_json *json, const struct pm_diagnosis *diagnosis) {
    pm_json_array(json, "threads");
    for (size_t i = 0; i < diagnosis->thread_count; i++) {
        const struct pm_thread *thread = &diagnosis->threads[i];
        pm_json_object(json, NULL);
        pm_json_u64(json, "tid", thread->tid);
        pm_json_text(json, "name", thread->name);
        pm_json_text(json, "role", pm_role_word(thread->role));
        pm_json_bool(json, "crashed", thread->crashed);
        pm_json_address(json, "isolate", thread->isolate);
        pm_json_object(json, "state");
        pm_json_text(json, "kind", thread->state == PM_STATE_UNKNOWN ? NULL : pm_state_word(thread->state));
        pm_json_text(json, "detail", thread->state_detail);
        pm_json_text(json, "regexp", thread->regexp);
        pm_json_end(json);
        pm_json_array(json, "frames");
        for (size_t k = 0; k < thread->frame_count; k++) write_frame(json, &thread->frames[k]);
        pm_json_end(json);
        pm_json_text(json, "incomplete", thread->incomplete);
        pm_json_end(json);
    }
    pm_json_end(json);
}

static void write_spaces(struct pm_json *json, const struct pm_isolate *isolate) {
    pm_json_array(json, "spaces");
    for (size_t i = 0; i < isolate->space_count; i++) {
        const struct pm_space *space = &isolate->spaces[i];
        pm_json_object(json, NULL);
        pm_json_text(json, "name", space->name);
        pm_json_u64(json, "pages", space->pages);
        pm_json_u64(json, "committed", space->committed);
        pm_json_u64(json, "used", space->used);
        pm_json_u64(json, "free", space->free);
        pm_json_u64(json, "objects", space->objects);
        pm_json_u64(json, "unparsed_bytes", space->unparsed);
        pm_json_end(json);
    }
    pm_json_end(json);
}

static void write_histogram(struct pm_json *json, const struct pm_isolate *isolate, size_t limit) {
    pm_json_array(json, "histogram");
    for (size_t i = 0; i < isolate->histogram_count && (!limit || i < limit); i++) {
        const struct pm_class_row *row = &isolate->histogram[i];
        pm_json_object(json, NULL);
        pm_json_text(json, "class", row->name);
        pm_json_u64(json, "count", row->count);
        pm_json_u64(json, "shallow", row->shallow);
        pm_json_u64(json, "retained", row->retained);
        pm_json_end(json);
    }
    pm_json_end(json);
}

static uint64_t external_bytes(const struct pm_isolate *isolate) {
    if (isolate->array_buffer_bytes == PM_UNKNOWN || isolate->external_string_bytes == PM_UNKNOWN)
        return isolate->external_bytes;
    return isolate->array_buffer_bytes + isolate->external_string_bytes;
}

static void write_worker(struct pm_json *json, const struct pm_worker *worker) {
    pm_json_object(json, "worker");
    pm_json_u64(json, "number", worker->number);
    pm_json_text(json, "name", worker->name);
    pm_json_text(json, "script", worker->script);
    pm_json_u64(json, "max_old_generation_mb", worker->old_generation_mb);
    pm_json_end(json);
}

static void write_isolates(struct pm_json *json, const struct pm_diagnosis *diagnosis,
                           const struct pm_write_options *options) {
    pm_json_array(json, "isolates");
    for (size_t i = 0; i < diagnosis->isolate_count; i++) {
        const struct pm_isolate *isolate = &diagnosis->isolates[i];
        pm_json_object(json, NULL);
        pm_json_address(json, "address", isolate->address);
        pm_json_u64(json, "thread", isolate->tid);
        if (isolate->is_snapshot)
            pm_json_null(json, "main");
        else
            pm_json_bool(json, "main", isolate->is_main);
        if (isolate->worker) write_worker(json, isolate->worker);
        pm_json_u64(json, "gc_state", isolate->gc_state);
        if ((options->sections & PM_SHOW_SPACES) && !isolate->is_snapshot) write_spaces(json, isolate);
        pm_json_u64(json, "external_bytes", external_bytes(isolate));
        pm_json_u64(json, "array_buffer_bytes", isolate->array_buffer_bytes);
        pm_json_u64(json, "external_string_bytes", isolate->external_string_bytes);
        pm_json_object(json, "limits");
        pm_json_u64(json, "old_generation", isolate->max_old_generation);
        pm_json_u64(json, "semi_space", isolate->max_semi_space);
        pm_json_u64(json, "heap", isolate->heap_limit);
        pm_json_end(json);
        pm_json_u64(json, "unparsed_bytes", isolate->unparsed_bytes);
        pm_json_u64(json, "objects", isolate->objects);
        pm_json_u64(json, "object_bytes", isolate->object_bytes);
        pm_json_u64(json, "reachable_objects", isolate->reachable_objects);
        pm_json_u64(json, "reachable_bytes", isolate->reachable_bytes);
        pm_json_u64(json, "unreachable_objects", isolate->unreachable_objects);
        pm_json_u64(json, "unreachable_bytes", isolate->unreachable_bytes);
        if (diagnosis->has_histogram && (options->sections & PM_SHOW_HISTOGRAM))
            write_histogram(json, isolate, options->limit);
        if (isolate->grouped_by && (options->sections & PM_SHOW_HISTOGRAM))
            pm_json_groups(json, isolate, options->limit);
        if (isolate->dominators && (options->sections & PM_SHOW_DOMINATORS))
            pm_json_dominators(json, diagnosis, isolate, options->limit);
        pm_json_end(json);
    }
    pm_json_end(json);
}

static void write_object(struct pm_json *json, const struct pm_object_detail *object, bool by_id) {
    pm_json_object(json, "object");
    pm_json_object_id(json, "address", by_id, object->address);
    pm_json_text(json, "class", object->class_name);
    pm_json_text(json, "type", object->type);
    pm_json_u64(json, "bytes", object->size);
    pm_json_text(json, "space", object->space);
    pm_json_address(json, "isolate", object->isolate);
    pm_json_address(json, "map", object->map);
    pm_json_text(json, "summary", object->summary);
    pm_json_text(json, "text", object->text);
    pm_json_u64(json, "text_length", object->text ? object->text_length : PM_UNKNOWN);
    pm_json_text(json, "function", object->function);
    write_position(json, &object->position);
    pm_json_array(json, "fields");
    for (size_t i = 0; i < object->field_count; i++) {
        const struct pm_object_field *field = &object->fields[i];
        pm_json_object(json, NULL);
        pm_json_text(json, "group", pm_field_group_word(field->group));
        pm_json_text(json, "name", field->name);
        pm_json_text(json, "value", field->value);
        pm_json_object_id(json, "address", by_id, field->address);
        pm_json_end(json);
    }
    pm_json_end(json);
    pm_json_u64(json, "field_total", object->field_total);
    pm_json_end(json);
}

static void write_layout(struct pm_json *json, const struct pm_diagnosis *diagnosis) {
    pm_json_object(json, "layout");
    pm_json_share(json, "score", diagnosis->layout_score);
    pm_json_array(json, "rows");
    for (size_t i = 0; i < diagnosis->layout_count; i++) {
        const struct pm_layout_row *row = &diagnosis->layout[i];
        pm_json_object(json, NULL);
        pm_json_text(json, "name", row->name);
        pm_json_text(json, "value", row->value);
        pm_json_text(json, "origin", row->origin);
        pm_json_text(json, "evidence", row->evidence);
        pm_json_end(json);
    }
    pm_json_end(json);
    pm_json_end(json);
}

static void write_coverage(struct pm_json *json, const struct pm_diagnosis *diagnosis) {
    pm_json_object(json, "coverage");
    pm_json_u64(json, "read_objects", diagnosis->read_objects);
    pm_json_array(json, "skipped");
    for (size_t i = 0; i < diagnosis->skipped_count; i++) {
        const struct pm_skipped *row = &diagnosis->skipped[i];
        pm_json_object(json, NULL);
        pm_json_text(json, "what", row->what);
        pm_json_u64(json, "count", row->count);
        pm_json_u64(json, "bytes", row->bytes);
        pm_json_text(json, "why", row->why);
        pm_json_end(json);
    }
    pm_json_end(json);
    pm_json_array(json, "problems");
    for (size_t i = 0; i < diagnosis->problem_count; i++) {
        pm_json_object(json, NULL);
        pm_json_text(json, "message", diagnosis->problems[i].message);
        pm_json_text(json, "hint", diagnosis->problems[i].hint);
        pm_json_end(json);
    }
    pm_json_end(json);
    pm_json_text(json, "redaction", diagnosis->redaction);
    pm_json_end(json);
}

static void write_diagnosis(struct pm_json *json, const struct pm_diagnosis *diagnosis,
                            const struct pm_write_options *options) {
    unsigned show = options->sections;
    pm_json_object(json, NULL);
    pm_json_text(json, "schema", "postmortem/1");
    pm_json_object(json, "tool");
    pm_json_text(json, "name", "postmortem");
    pm_json_text(json, "version", PM_VERSION);
    pm_json_end(json);
    pm_json_u64(json, "exit_code", (uint64_t)diagnosis->exit_code);
    write_inputs(json, diagnosis);
    if (diagnosis->has_process && (show & PM_SHOW_PROCESS)) write_process(json, &diagnosis->process);
    if (show & PM_SHOW_FINDINGS) {
        pm_json_text(json, "verdict", diagnosis->verdict);
        pm_json_text(json, "signature", diagnosis->signature);
        pm_json_object(json, "incident");
        pm_json_text(json, "key", diagnosis->incident_key);
        pm_json_text(json, "host", diagnosis->incident_host);
        pm_json_u64(json, "time", diagnosis->incident_time);
        pm_json_end(json);
        pm_json_array(json, "findings");
        for (size_t i = 0; i < diagnosis->finding_count; i++)
            write_finding(json, &diagnosis->findings[i], diagnosis->objects_by_id);
        pm_json_end(json);
    }
    if (diagnosis->has_threads && (show & (PM_SHOW_STACK | PM_SHOW_THREADS))) write_threads(json, diagnosis);
    if (diagnosis->has_isolates && (show & (PM_SHOW_SPACES | PM_SHOW_HISTOGRAM | PM_SHOW_DOMINATORS)))
        write_isolates(json, diagnosis, options);
    if (diagnosis->object && (show & PM_SHOW_OBJECT))
        write_object(json, diagnosis->object, diagnosis->objects_by_id);
    if (diagnosis->object_list && (show & PM_SHOW_OBJECT_LIST)) pm_json_object_list(json, diagnosis);
    pm_json_answers(json, diagnosis, show);
    if (diagnosis->batch && (show & PM_SHOW_BATCH)) pm_json_batch(json, diagnosis->batch);
    if (diagnosis->has_layout && (show & PM_SHOW_LAYOUT)) write_layout(json, diagnosis);
    if (diagnosis->report_comparison && (show & (PM_SHOW_DETAILS | PM_SHOW_COMPARISON)))
        pm_json_report_comparison(json, diagnosis);
    if (diagnosis->profile_comparison && (show & PM_SHOW_COMPARISON))
        pm_json_profile_comparison(json, diagnosis, options->limit);
    if ((diagnosis->report_count || diagnosis->loops) && (show & (PM_SHOW_DETAILS | PM_SHOW_LOOP)))
        pm_json_event_loops(json, diagnosis);
    if (diagnosis->pool && (show & (PM_SHOW_DETAILS | PM_SHOW_LOOP)))
        pm_json_thread_pool(json, diagnosis->pool);
    if (diagnosis->report_count && (show & PM_SHOW_DETAILS)) pm_json_reports(json, diagnosis);
    if (diagnosis->pod_count && (show & PM_SHOW_DETAILS)) pm_json_pods(json, diagnosis);
    if (diagnosis->profile_count && (show & PM_SHOW_DETAILS))
        pm_json_profiles(json, diagnosis, options->limit);
    if (diagnosis->gc_log_count && (show & PM_SHOW_DETAILS)) pm_json_logs(json, diagnosis, options->limit);
    write_coverage(json, diagnosis);
    if (diagnosis->other_count) pm_json_array(json, "other_incidents");
    for (size_t i = 0; i < diagnosis->other_count; i++)
        write_diagnosis(json, diagnosis->others[i], options); /* which has no others */
    if (diagnosis->other_count) pm_json_end(json);
    pm_json_end(json);
}

static void write_json(const struct pm_diagnosis *diagnosis, const struct pm_write_options *options,
                       FILE *out) {
    struct pm_json json = pm_json_begin(out);
    write_diagnosis(&json, diagnosis, options);
}

const struct pm_writer pm_writer_json = {
    .name = "json",
    .summary = "one object for programs, docs/json.md",
    .write = write_json,
};
