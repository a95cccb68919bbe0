/* json_schema.h - checks a document against a JSON Schema: the part of draft 2020-12 that docs/schema.json
 * uses (type, const, enum, properties, required, additionalProperties, items, pattern, minimum, $ref into
 * $defs). An unknown keyword fails, so that the schema cannot promise what nobody checks. */
#ifndef PM_TESTS_JSON_SCHEMA_H
#define PM_TESTS_JSON_SCHEMA_H

#include <cjson/cJSON.h>

/* NULL = valid; else what is wrong and where, as malloc text. */
char *json_schema_check(const cJSON *schema, const cJSON *document);

#endif
