/* json_fields.h - from an object of JSON to the fields of a struct, by a table: what is there and of the
 * right type is taken, what is not stays unknown; both are counted.
 *
 * Where a key stands twice the last one holds, as in JSON.parse.
 * OWNERSHIP  texts are copied to the arena. FAILURE  without memory: `failed` of the reader, asked at the
 * end. */
#ifndef PM_PARSERS_JSON_FIELDS_H
#define PM_PARSERS_JSON_FIELDS_H

#include <cjson/cJSON.h>

#include "postmortem/base/arena.h"
#include "postmortem/model/diagnosis.h"
#include "postmortem/model/report_facts.h"

enum pm_json_kind {
    PM_JSON_TEXT,    /* const char * */
    PM_JSON_WHOLE,   /* uint64_t; negative and fractions are of a wrong type */
    PM_JSON_LIMIT,   /* uint64_t; "unlimited" and numbers from 2^62 are PM_UNLIMITED */
    PM_JSON_DIGITS,  /* uint64_t, as a number or as decimal digits in a text */
    PM_JSON_HEX,     /* uint64_t, a text 0x... */
    PM_JSON_REAL,    /* double */
    PM_JSON_BOOLEAN, /* enum pm_maybe */
    PM_JSON_NOTHING, /* known, and deliberately not kept */
};

struct pm_json_field {
    const char *key;
    enum pm_json_kind kind;
    size_t offset; /* in the struct */
};

struct pm_json_reader {
    struct pm_arena *arena;
    uint64_t unknown; /* keys that no table has */
    const char *unknown_key;
    uint64_t wrong; /* values of a wrong type */
    const char *wrong_key;
    bool failed;
};

/* Sets every field of the table to unknown. */
void pm_json_fields_clear(const struct pm_json_field *fields, size_t count, void *base);
/* Takes one member. false = the table does not have its key. */
bool pm_json_field_take(struct pm_json_reader *reader, const struct pm_json_field *fields, size_t count,
                        const cJSON *item, void *base);
/* Takes all members of an object; other keys are counted as unknown. */
void pm_json_fields_take(struct pm_json_reader *reader, const struct pm_json_field *fields, size_t count,
                         const cJSON *object, void *base);
/* For members that are taken by hand. */
void pm_json_count_unknown(struct pm_json_reader *reader, const cJSON *item);
void pm_json_count_wrong(struct pm_json_reader *reader, const cJSON *item); /* null is never wrong */
bool pm_json_expect_object(struct pm_json_reader *reader, const cJSON *item);
bool pm_json_expect_array(struct pm_json_reader *reader, const cJSON *item);
const char *pm_json_text_of(struct pm_json_reader *reader,
                            const cJSON *item); /* a string, else NULL and counted */
/* Room for the items of an array or object, zeroed; NULL when there are none or no memory. */
void *pm_json_room(struct pm_json_reader *reader, const cJSON *list, size_t item_size);
/* All members of an object as names and texts; numbers and booleans are spelled. */
struct pm_env_value *pm_json_names(struct pm_json_reader *reader, const cJSON *object, size_t *count_ret);
/* Notes what was unknown or wrong in the coverage; `what` is "the report". */
void pm_json_reader_coverage(const struct pm_json_reader *reader, const char *what,
                             struct pm_diagnosis *diagnosis);

#define PM_JSON_COUNT(table) (sizeof(table) / sizeof((table)[0]))

#endif
