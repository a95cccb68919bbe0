#include "postmortem/report/json_heap.h"

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
