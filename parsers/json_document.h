/* json_document.h - a whole JSON document as cJSON's tree, for files of usual size (reports, pods); also of a
 * file that is cut or damaged.
 *
 * cJSON takes all or nothing, calls itself for each level, and spends 64 bytes and more on each value. So a
 * pass of ours comes first, over the bytes: it finds the longest prefix that can be closed, counts levels and
 * values, and hands cJSON a copy of that prefix with the open brackets closed.
 *
 *     {"header": {"pid": 7, "cwd": "/sr       read as  {"header": {"pid": 7}}, rest_at = 24
 *
 * Where JSON's grammar is broken inside a value, and the damage is small, the value becomes the text "?" (a
 * number that is none: nan, -inf, 80 digits) or the character U+FFFD or ? (an escape that is none, half a
 * surrogate pair), so that the rest is still read.
 *
 * LIMITS     PM_MAX_JSON_BYTES, PM_MAX_JSON_VALUES, PM_MAX_JSON_DEPTH of limits.h end the prefix like damage
 * does. OWNERSHIP  the tree is the document's, until pm_json_document_deinit(). FAILURE
 * pm_json_document_init(): without memory, or PM_ERR_FORMAT when not even an object or array begins. */
#ifndef PM_PARSERS_JSON_DOCUMENT_H
#define PM_PARSERS_JSON_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "postmortem/base/error.h"
#include "postmortem/model/diagnosis.h"

struct pm_json_document {
    cJSON *root;         /* an object or an array */
    const char *damage;  /* why the rest was not read: a literal; NULL = all of it was */
    uint64_t rest_at;    /* where the rest begins */
    uint64_t rest_bytes; /* of it */
    uint64_t mended;     /* values and escapes that were no JSON */
};

struct pm_error *pm_json_document_init(struct pm_json_document *document, const uint8_t *bytes,
                                       uint64_t size);
void pm_json_document_deinit(struct pm_json_document *document);
/* Notes what was not read in the coverage; `what` is "the report". Returns whether everything was read. */
bool pm_json_document_coverage(const struct pm_json_document *document, const char *what,
                               struct pm_diagnosis *diagnosis);

#define PM_AUTO_JSON_DOCUMENT __attribute__((cleanup(pm_json_document_deinit)))

#endif
