/* redact.h - takes secrets out of a diagnosis before a writer sees it.
 *
 * By key (an environment name, an option, the name before '=' or ':') and by value (tokens, keys, connection
 * strings with credentials, private keys, JWTs). Patterns run on PCRE2 with limits on matching: where a text
 * is too complex for them the whole text is hidden, never shown.
 *
 *   none     shows all
 *   default  command line and environment; heap strings too where the output leaves the house (tickets)
 *            or when asked for
 *   strict   no content of heap strings at all
 *
 * OWNERSHIP  texts go to the caller's arena (or stay where they are when nothing was hidden).
 * FAILURE    only pm_redactor_create(). Without memory a text becomes "[redacted]". */
#ifndef PM_REDACT_H
#define PM_REDACT_H

#include "postmortem/base/arena.h"
#include "postmortem/model/diagnosis.h"

enum pm_redaction { PM_REDACT_NONE, PM_REDACT_DEFAULT, PM_REDACT_STRICT };

struct pm_redactor;

struct pm_error *pm_redactor_create(enum pm_redaction level, struct pm_redactor **ret);
void pm_redactor_destroy(struct pm_redactor *redactor); /* NULL is fine */

/* Does this name stand before a secret? */
bool pm_redact_is_secret_key(const struct pm_redactor *redactor, const char *key);
/* A text with everything that looks like a secret hidden. NULL gives NULL. */
const char *pm_redact_text(const struct pm_redactor *redactor, const char *text, struct pm_arena *arena);
/* The value that belongs to a key. */
const char *pm_redact_value(const struct pm_redactor *redactor, const char *key, const char *value,
                            struct pm_arena *arena);

/* The words of a command line: "--db-password secret" has the option's name in the word before. */
void pm_redact_arguments(const struct pm_redactor *redactor, const char **argv, size_t count,
                         struct pm_arena *arena);

/* Everything in the diagnosis; `heap_strings` also at the level default. */
void pm_redact_diagnosis(const struct pm_redactor *redactor, bool heap_strings,
                         struct pm_diagnosis *diagnosis);

PM_DEFINE_AUTO(redactor, struct pm_redactor, pm_redactor_destroy)

#endif
