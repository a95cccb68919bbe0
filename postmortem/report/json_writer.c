#include "postmortem/report/json_writer.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "postmortem/base/escape.h"
#include "postmortem/model/diagnosis.h"

struct pm_json pm_json_begin(FILE *out) {
    return (struct pm_json){.out = out};
}

static void indent(const struct pm_json *json) {
    fprintf(json->out, "\n%*s", (int)(2 * json->depth), "");
}

static void put_text(FILE *out, const char *text) {
    struct pm_strbuf escaped PM_AUTO_STRBUF = {0};
    pm_escape_json(&escaped, text, strlen(text));
    fprintf(out, "\"%s\"", pm_strbuf_text(&escaped));
}

/* Everything that comes before a value: comma, indentation, key. */
static void before_value(struct pm_json *json, const char *key) {
    if (!json->depth) return;
    bool *has_items = &json->has_items[json->depth - 1];
    if (*has_items) putc(',', json->out);
    *has_items = true;
    indent(json);
    assert(!key == json->is_array[json->depth - 1]);
    if (key) {
        put_text(json->out, key);
        fputs(": ", json->out);
    }
}

static void open_level(struct pm_json *json, const char *key, bool is_array) {
    before_value(json, key);
    assert(json->depth < PM_JSON_DEPTH);
    json->is_array[json->depth] = is_array;
    json->has_items[json->depth] = false;
    json->depth++;
    putc(is_array ? '[' : '{', json->out);
}

void pm_json_object(struct pm_json *json, const char *key) {
    open_level(json, key, false);
}

void pm_json_array(struct pm_json *json, const char *key) {
    open_level(json, key, true);
}

void pm_json_end(struct pm_json *json) {
    assert(json->depth);
    json->depth--;
    if (json->has_items[json->depth]) indent(json);
    putc(json->is_array[json->depth] ? ']' : '}', json->out);
    if (!json->depth) putc('\n', json->out);
}

void pm_json_null(struct pm_json *json, const char *key) {
    before_value(json, key);
    fputs("null", json->out);
}

void pm_json_text(struct pm_json *json, const char *key, const char *text) {
    before_value(json, key);
    if (text)
        put_text(json->out, text);
    else
        fputs("null", json->out);
}

void pm_json_u64(struct pm_json *json, const char *key, uint64_t value) {
    before_value(json, key);
    if (value == PM_UNKNOWN)
        fputs("null", json->out);
    else
        fprintf(json->out, "%" PRIu64, value);
}

void pm_json_i64(struct pm_json *json, const char *key, int64_t value) {
    before_value(json, key);
    fprintf(json->out, "%" PRId64, value);
}

void pm_json_number(struct pm_json *json, const char *key, double value) {
    before_value(json, key);
    if (isfinite(value))
        fprintf(json->out, "%.12g", value);
    else
        fputs("null", json->out);
}

void pm_json_bool(struct pm_json *json, const char *key, bool value) {
    before_value(json, key);
    fputs(value ? "true" : "false", json->out);
}

void pm_json_address(struct pm_json *json, const char *key, uint64_t address) {
    before_value(json, key);
    if (address)
        fprintf(json->out, "\"0x%" PRIx64 "\"", address);
    else
        fputs("null", json->out);
}

void pm_json_object_id(struct pm_json *json, const char *key, bool by_id, uint64_t object) {
    char text[32];
    snprintf(text, sizeof(text), by_id ? "@%" PRIu64 : "0x%" PRIx64, object);
    pm_json_text(json, key, object ? text : NULL);
}

void pm_json_share(struct pm_json *json, const char *key, double share) {
    before_value(json, key);
    if (share >= 0 && share <= 1e9)
        fprintf(json->out, "%.4f", share);
    else
        fputs("null", json->out);
}
