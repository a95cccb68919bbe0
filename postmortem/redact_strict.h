/* redact_strict.h - what stays of a text at the level strict: names of code, numbers, our own words. For
 * names that are data (a Map's key, a property of an object that is a dictionary) there is no mark, so what
 * does not look like code goes.
 *
 * Append to `out`; whether that is the same text as before is for the caller to see. */
#ifndef PM_REDACT_STRICT_H
#define PM_REDACT_STRICT_H

#include "postmortem/base/strbuf.h"

/* Could it be a name that a programmer gave? No key, id, address, number of an order. */
bool pm_strict_is_code(const char *name, size_t length);
/* The same for words of ours around it: "new UserSession", "a.b[12]", "(Strong root list) string_table". */
bool pm_strict_is_name(const char *text, size_t length);
/* "UserSession {id: 17, user: "x"} @0x…": the class, names and numbers stay. */
void pm_strict_label(const char *text, struct pm_strbuf *out);
/* A sentence of ours: quoted parts, labels and names that are data go. */
void pm_strict_sentence(const char *text, struct pm_strbuf *out);

#endif
