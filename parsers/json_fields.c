#include "parsers/json_fields.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* libuv says 2^63 or 2^64 less a page or so, rounded to a double, where there is no limit. */
#define NO_LIMIT 4611686018427387904.0

void pm_json_fields_clear(const struct pm_json_field *fields, size_t count, void *base) {
    for (size_t i = 0; i < count; i++) {
        void *place = (char *)base + fields[i].offset;
        switch (fields[i].kind) {
        case PM_JSON_TEXT: *(const char **)place = NULL; break;
        case PM_JSON_WHOLE:
        case PM_JSON_LIMIT:
        case PM_JSON_DIGITS:
        case PM_JSON_HEX: *(uint64_t *)place = PM_UNKNOWN; break;
        case PM_JSON_REAL: *(double *)place = NAN; break;
        case PM_JSON_BOOLEAN: *(enum pm_maybe *)place = PM_MAYBE; break;
        case PM_JSON_NOTHING: break;
        }
    }
}

void pm_json_count_unknown(struct pm_json_reader *reader, const cJSON *item) {
    if (!reader->unknown++ && item->string)
        reader->unknown_key = pm_arena_strdup(reader->arena, item->string);
}

void pm_json_count_wrong(struct pm_json_reader *reader, const cJSON *item) {
    if (cJSON_IsNull(item)) return;
    if (!reader->wrong++ && item->string) reader->wrong_key = pm_arena_strdup(reader->arena, item->string);
}

bool pm_json_expect_object(struct pm_json_reader *reader, const cJSON *item) {
    if (!cJSON_IsObject(item)) pm_json_count_wrong(reader, item);
    return cJSON_IsObject(item);
}

bool pm_json_expect_array(struct pm_json_reader *reader, const cJSON *item) {
    if (!cJSON_IsArray(item)) pm_json_count_wrong(reader, item);
    return cJSON_IsArray(item);
}

const char *pm_json_text_of(struct pm_json_reader *reader, const cJSON *item) {
    if (!cJSON_IsString(item)) {
        pm_json_count_wrong(reader, item);
        return NULL;
    }
    const char *copy = pm_arena_strdup(reader->arena, item->valuestring);
    reader->failed |= !copy;
    return copy;
}

static bool whole_of(double value, uint64_t *ret) {
    if (!(value >= 0) || value >= 18446744073709551615.0 || value != floor(value)) return false;
    *ret = (uint64_t)value;
    return *ret < PM_UNLIMITED;
}

static bool digits_of(const char *text, int base, uint64_t *ret) {
    char *end;
    if (*text < '0' || *text > '9') return false;
    errno = 0;
    *ret = strtoull(text, &end, base);
    return !errno && !*end && *ret < PM_UNLIMITED;
}

/* false = of a wrong type */
static bool take_number(const struct pm_json_field *field, const cJSON *item, uint64_t *place) {
    uint64_t value;
    bool limit = field->kind == PM_JSON_LIMIT;
    if (cJSON_IsNumber(item)) {
        if (field->kind == PM_JSON_HEX || !isfinite(item->valuedouble)) return false;
        if (limit && item->valuedouble >= NO_LIMIT)
            value = PM_UNLIMITED;
        else if (!whole_of(item->valuedouble, &value))
            return false;
    } else if (cJSON_IsString(item)) {
        if (limit && !strcmp(item->valuestring, "unlimited"))
            value = PM_UNLIMITED;
        else if (field->kind == PM_JSON_WHOLE ||
                 !digits_of(item->valuestring, field->kind == PM_JSON_HEX ? 16 : 10, &value))
            return false;
    } else {
        return false;
    }
    *place = value;
    return true;
}

static bool take_value(struct pm_json_reader *reader, const struct pm_json_field *field, const cJSON *item,
                       void *base) {
    void *place = (char *)base + field->offset;
    if (cJSON_IsNull(item)) {
        pm_json_fields_clear(field, 1, base);
        return true;
    }
    switch (field->kind) {
    case PM_JSON_TEXT:
        if (!cJSON_IsString(item)) return false;
        *(const char **)place = pm_json_text_of(reader, item);
        return true;
    case PM_JSON_REAL:
        if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble)) return false;
        *(double *)place = item->valuedouble;
        return true;
    case PM_JSON_BOOLEAN:
        if (!cJSON_IsBool(item)) return false;
        *(enum pm_maybe *)place = cJSON_IsTrue(item) ? PM_YES : PM_NO;
        return true;
    case PM_JSON_NOTHING: return true;
    default: return take_number(field, item, place);
    }
}

bool pm_json_field_take(struct pm_json_reader *reader, const struct pm_json_field *fields, size_t count,
                        const cJSON *item, void *base) {
    for (size_t i = 0; i < count; i++) {
        if (!item->string || strcmp(fields[i].key, item->string) != 0) continue;
        if (!take_value(reader, &fields[i], item, base)) pm_json_count_wrong(reader, item);
        return true;
    }
    return false;
}

void pm_json_fields_take(struct pm_json_reader *reader, const struct pm_json_field *fields, size_t count,
                         const cJSON *object, void *base) {
    for (const cJSON *item = object->child; item; item = item->next)
        if (!pm_json_field_take(reader, fields, count, item, base)) pm_json_count_unknown(reader, item);
}

static size_t length_of(const cJSON *list) {
    size_t count = 0;
    for (const cJSON *item = list->child; item; item = item->next) count++;
    return count;
}

void *pm_json_room(struct pm_json_reader *reader, const cJSON *list, size_t item_size) {
    size_t count = length_of(list);
    void *room = count ? pm_arena_array(reader->arena, count, item_size) : NULL;
    reader->failed |= count && !room;
    return room;
}

struct pm_env_value *pm_json_names(struct pm_json_reader *reader, const cJSON *object, size_t *count_ret) {
    struct pm_env_value *rows = pm_json_room(reader, object, sizeof(*rows));
    size_t count = 0;
    for (const cJSON *item = object->child; rows && item; item = item->next) {
        if (!item->string) continue;
        const char *value = NULL;
        if (cJSON_IsString(item))
            value = pm_json_text_of(reader, item);
        else if (cJSON_IsNumber(item))
            value = pm_arena_printf(reader->arena, "%.17g", item->valuedouble);
        else if (cJSON_IsBool(item))
            value = cJSON_IsTrue(item) ? "true" : "false";
        else
            pm_json_count_wrong(reader, item);
        rows[count] = (struct pm_env_value){pm_arena_strdup(reader->arena, item->string), value};
        reader->failed |= !rows[count].name;
        count += rows[count].name != NULL;
    }
    *count_ret = count;
    return rows;
}

static const char *key_text(struct pm_arena *arena, const char *key) {
    const char *text = key ? pm_arena_printf(arena, "\"%s\"", key) : NULL;
    return text ? text : "an item of a list";
}

void pm_json_reader_coverage(const struct pm_json_reader *reader, const char *what,
                             struct pm_diagnosis *diagnosis) {
    struct pm_arena *arena = diagnosis->arena;
    if (reader->unknown)
        pm_diagnosis_skip(diagnosis, pm_arena_printf(arena, "fields of %s", what), reader->unknown,
                          PM_UNKNOWN,
                          pm_arena_printf(arena, "this version does not know them; the first is %s",
                                          key_text(arena, reader->unknown_key)));
    if (reader->wrong)
        pm_diagnosis_skip(diagnosis, pm_arena_printf(arena, "values of %s", what), reader->wrong, PM_UNKNOWN,
                          pm_arena_printf(arena, "of an unexpected type; the first is %s",
                                          key_text(arena, reader->wrong_key)));
}
