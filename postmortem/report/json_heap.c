#include "postmortem/report/json_heap.h"

#include "postmortem/model/heap_answers.h"

static void write_rest(struct pm_json *json, const char *key, uint64_t count, uint64_t bytes) {
    pm_json_object(json, key);
    pm_json_u64(json, "count", count);
    pm_json_u64(json, "bytes", bytes);
    pm_json_end(json);
}

void pm_json_dominators(struct pm_json *json, const struct pm_diagnosis *diagnosis,
                        const struct pm_isolate *isolate, size_t limit) {
    pm_json_array(json, "dominators");
    for (size_t i = 0; i < isolate->dominator_count && (!limit || i < limit); i++) {
        const struct pm_dominator_row *row = &isolate->dominators[i];
        pm_json_object(json, NULL);
        pm_json_object_id(json, "address", diagnosis->objects_by_id, row->object);
        pm_json_text(json, "class", row->class_name);
        pm_json_text(json, "label", row->label);
        pm_json_text(json, "name", row->name);
        pm_json_u64(json, "shallow", row->shallow);
        pm_json_u64(json, "retained", row->retained);
        pm_json_u64(json, "depth", row->depth);
        pm_json_u64(json, "parent", row->parent == PM_NO_ROW ? PM_UNKNOWN : row->parent);
        write_rest(json, "rest", row->rest_count, row->rest_bytes);
        pm_json_end(json);
    }
    pm_json_end(json);
    write_rest(json, "dominators_rest", isolate->dominator_rest_count, isolate->dominator_rest_bytes);
}

void pm_json_groups(struct pm_json *json, const struct pm_isolate *isolate, size_t limit) {
    pm_json_object(json, "groups");
    pm_json_text(json, "by", isolate->grouped_by);
    pm_json_array(json, "rows");
    for (size_t i = 0; i < isolate->group_count && (!limit || i < limit); i++) {
        pm_json_object(json, NULL);
        pm_json_text(json, "name", isolate->groups[i].name);
        pm_json_u64(json, "count", isolate->groups[i].count);
        pm_json_u64(json, "shallow", isolate->groups[i].shallow);
        pm_json_u64(json, "retained", isolate->groups[i].retained);
        pm_json_end(json);
    }
    pm_json_end(json);
    pm_json_end(json);
}

void pm_json_object_list(struct pm_json *json, const struct pm_diagnosis *diagnosis) {
    const struct pm_object_list *list = diagnosis->object_list;
    pm_json_object(json, "objects");
    pm_json_text(json, "class", list->class_name);
    pm_json_u64(json, "count", list->count);
    pm_json_u64(json, "bytes", list->bytes);
    pm_json_array(json, "instances");
    for (size_t i = 0; i < list->row_count; i++) {
        pm_json_object(json, NULL);
        pm_json_object_id(json, "address", diagnosis->objects_by_id, list->rows[i].address);
        pm_json_u64(json, "bytes", list->rows[i].size);
        pm_json_u64(json, "retained", list->rows[i].retained);
        pm_json_text(json, "summary", list->rows[i].summary);
        pm_json_end(json);
    }
    pm_json_end(json);
    pm_json_end(json);
}

static void write_position(struct pm_json *json, const struct pm_position *position) {
    pm_json_text(json, "file", position->file);
    pm_json_u64(json, "line", position->line ? position->line : PM_UNKNOWN);
    pm_json_u64(json, "column", position->column ? position->column : PM_UNKNOWN);
}

static void write_retainer(struct pm_json *json, const char *key, bool by_id,
                           const struct pm_retainer *retainer) {
    pm_json_object(json, key);
    pm_json_object_id(json, "address", by_id, retainer->object);
    pm_json_text(json, "class", retainer->class_name);
    pm_json_text(json, "label", retainer->label);
    pm_json_text(json, "name", retainer->name);
    write_position(json, &retainer->position);
    pm_json_u64(json, "retained", retainer->retained);
    pm_json_bool(json, "weak", retainer->weak);
    pm_json_end(json);
}

static void write_retention(struct pm_json *json, bool by_id, const struct pm_retention *ret) {
    pm_json_object(json, "retainers");
    pm_json_object_id(json, "address", by_id, ret->object);
    pm_json_text(json, "class", ret->class_name);
    pm_json_text(json, "label", ret->label);
    pm_json_u64(json, "shallow", ret->shallow);
    pm_json_u64(json, "retained", ret->retained);
    pm_json_bool(json, "reachable", ret->reachable);
    pm_json_text(json, "path", ret->path);
    pm_json_array(json, "steps");
    for (size_t i = 0; i < ret->step_count; i++) write_retainer(json, NULL, by_id, &ret->steps[i]);
    pm_json_end(json);
    pm_json_object(json, "owner");
    pm_json_text(json, "path", ret->owner_path);
    pm_json_text(json, "name", ret->owner_name);
    write_position(json, &ret->owner);
    pm_json_end(json);
    if (ret->dominator.label)
        write_retainer(json, "dominator", by_id, &ret->dominator);
    else
        pm_json_null(json, "dominator");
    pm_json_array(json, "referrers");
    for (size_t i = 0; i < ret->referrer_count; i++) write_retainer(json, NULL, by_id, &ret->referrers[i]);
    pm_json_end(json);
    pm_json_u64(json, "referrer_total", ret->referrer_total);
    pm_json_u64(json, "weak_total", ret->weak_total);
    pm_json_end(json);
}

static void write_strings(struct pm_json *json, bool by_id, const struct pm_string_census *census) {
    static const char *const keys[PM_STRING_LISTS] = {[PM_STRINGS_DUPLICATE] = "duplicates",
                                                      [PM_STRINGS_HUGE] = "huge",
                                                      [PM_STRINGS_SLICED] = "sliced",
                                                      [PM_STRINGS_ROPE] = "ropes"};
    pm_json_object(json, "strings");
    pm_json_u64(json, "count", census->count);
    pm_json_u64(json, "bytes", census->bytes);
    pm_json_u64(json, "cut_texts", census->cut_texts);
    for (size_t list = 0; list < PM_STRING_LISTS; list++) {
        pm_json_object(json, keys[list]);
        pm_json_u64(json, "total", census->lists[list].total);
        pm_json_u64(json, "wasted", census->lists[list].wasted);
        pm_json_array(json, "rows");
        for (size_t i = 0; i < census->lists[list].count; i++) {
            const struct pm_string_row *row = &census->lists[list].rows[i];
            pm_json_object(json, NULL);
            pm_json_object_id(json, "address", by_id, row->object);
            pm_json_text(json, "text", row->text);
            pm_json_u64(json, "count", row->count);
            pm_json_u64(json, "bytes", row->bytes);
            pm_json_u64(json, "wasted", row->wasted);
            pm_json_end(json);
        }
        pm_json_end(json);
        pm_json_end(json);
    }
    pm_json_end(json);
}

static void write_growth(struct pm_json *json, const struct pm_heap_comparison *comparison) {
    pm_json_array(json, "growth");
    for (size_t i = 0; i < comparison->row_count; i++) {
        pm_json_object(json, NULL);
        pm_json_text(json, "class", comparison->rows[i].class_name);
        pm_json_array(json, "heaps");
        for (size_t k = 0; k < comparison->input_count; k++) {
            const struct pm_compare_cell *cell = &comparison->rows[i].cells[k];
            pm_json_object(json, NULL);
            pm_json_u64(json, "count", cell->count);
            pm_json_u64(json, "shallow", cell->shallow);
            pm_json_u64(json, "retained", cell->retained);
            pm_json_u64(json, "kept", cell->kept);
            pm_json_end(json);
        }
        pm_json_end(json);
        pm_json_end(json);
    }
    pm_json_end(json);
}

static void write_survivors(struct pm_json *json, const struct pm_heap_comparison *comparison) {
    if (comparison->input_count < 3 || comparison->why_no_survivors) {
        pm_json_null(json, "survivors");
        pm_json_text(json, "why_no_survivors",
                     comparison->input_count < 3 ? "it takes three heaps" : comparison->why_no_survivors);
        return;
    }
    pm_json_object(json, "survivors");
    pm_json_u64(json, "count", comparison->survivor_objects);
    pm_json_u64(json, "bytes", comparison->survivor_bytes);
    pm_json_array(json, "rows");
    for (size_t i = 0; i < comparison->survivor_count; i++) {
        const struct pm_survivor_row *row = &comparison->survivors[i];
        pm_json_object(json, NULL);
        pm_json_text(json, "class", row->class_name);
        pm_json_u64(json, "count", row->count);
        pm_json_u64(json, "bytes", row->bytes);
        pm_json_object_id(json, "address", true, row->object);
        pm_json_text(json, "label", row->label);
        pm_json_end(json);
    }
    pm_json_end(json);
    pm_json_end(json);
    pm_json_null(json, "why_no_survivors");
}

static void write_comparison(struct pm_json *json, const struct pm_heap_comparison *comparison) {
    pm_json_object(json, "comparison");
    pm_json_array(json, "heaps");
    for (size_t i = 0; i < comparison->input_count; i++) {
        pm_json_object(json, NULL);
        pm_json_text(json, "path", comparison->inputs[i].path);
        pm_json_u64(json, "objects", comparison->inputs[i].objects);
        pm_json_u64(json, "bytes", comparison->inputs[i].bytes);
        pm_json_end(json);
    }
    pm_json_end(json);
    write_growth(json, comparison);
    pm_json_u64(json, "class_total", comparison->row_total);
    write_survivors(json, comparison);
    pm_json_end(json);
}

void pm_json_answers(struct pm_json *json, const struct pm_diagnosis *diagnosis, unsigned show) {
    bool by_id = diagnosis->objects_by_id;
    if (diagnosis->retention && (show & PM_SHOW_RETENTION))
        write_retention(json, by_id, diagnosis->retention);
    if (diagnosis->strings && (show & PM_SHOW_STRINGS)) write_strings(json, by_id, diagnosis->strings);
    if (diagnosis->comparison && (show & PM_SHOW_COMPARISON)) write_comparison(json, diagnosis->comparison);
    if (!diagnosis->exported || !(show & PM_SHOW_EXPORT)) return;
    pm_json_object(json, "exported");
    pm_json_text(json, "path", diagnosis->exported->path);
    pm_json_text(json, "format", diagnosis->exported->format);
    pm_json_u64(json, "bytes", diagnosis->exported->bytes);
    pm_json_end(json);
}
