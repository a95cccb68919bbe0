/* json_writer.h - writes one JSON document to a stream, member by member, indented by two spaces.
 *
 * Our own because 64-bit integers must stay exact and texts are untrusted bytes: cJSON has doubles and C
 * strings only.
 *
 *   struct pm_json json = pm_json_begin(out);
 *   pm_json_object(&json, NULL);              the root has no key; neither have items of arrays
 *   pm_json_u64(&json, "pid", 4711);          PM_UNKNOWN is null
 *   pm_json_array(&json, "threads");
 *   pm_json_end(&json);                       closes the innermost array or object
 *   pm_json_end(&json);
 *
 * FAILURE  writing to the stream: ask ferror() at the end. Nesting deeper than PM_JSON_DEPTH is a programming
 * error. */
#ifndef PM_REPORT_JSON_WRITER_H
#define PM_REPORT_JSON_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define PM_JSON_DEPTH 32

struct pm_json {
    FILE *out;
    unsigned depth;
    bool is_array[PM_JSON_DEPTH], has_items[PM_JSON_DEPTH];
};

struct pm_json pm_json_begin(FILE *out);
void pm_json_object(struct pm_json *json, const char *key);
void pm_json_array(struct pm_json *json, const char *key);
void pm_json_end(struct pm_json *json); /* after the outermost one comes a newline */

void pm_json_text(struct pm_json *json, const char *key, const char *text); /* NULL is null */
void pm_json_u64(struct pm_json *json, const char *key, uint64_t value);    /* PM_UNKNOWN is null */
void pm_json_i64(struct pm_json *json, const char *key, int64_t value);
void pm_json_number(struct pm_json *json, const char *key, double value); /* NAN and infinity are null */
void pm_json_bool(struct pm_json *json, const char *key, bool value);
void pm_json_address(struct pm_json *json, const char *key, uint64_t address); /* "0x..."; 0 is null */
/* "0x7f..", or "@17" for objects of a snapshot; 0 is null. */
void pm_json_object_id(struct pm_json *json, const char *key, bool by_id, uint64_t object);
void pm_json_share(struct pm_json *json, const char *key, double share); /* negative is null; four decimals */
void pm_json_null(struct pm_json *json, const char *key);

#endif
