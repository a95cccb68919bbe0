/* redact.h - takes secrets out of a diagnosis before a writer sees it.
 *
 * By key (an environment name, an option, the name before '=' or ':'), by value (tokens, keys, connection
 * strings with credentials, private keys, JWTs), and by what is known: the value of a secret variable is
 * hidden wherever else it stands. Where a text is too complex for the patterns the whole text is hidden,
 * never shown.
 *
 *   none     shows all
 *   default  secrets, in the command line, the environment and all that files say; in strings of the heap
 * where the output leaves the house (tickets), or when asked for strict   no content of heap strings,
 * messages or variables at all; no home folder, host, user, IP or MAC address
 *
 * OWNERSHIP  texts go to the caller's arena (or stay where they are when nothing was hidden).
 * FAILURE    only pm_redactor_create(). Without memory a text becomes "[redacted]". */
#ifndef PM_REDACT_H
#define PM_REDACT_H

#include "postmortem/base/arena.h"
#include "postmortem/model/diagnosis.h"
#include "postmortem/redact_known.h"
#include "postmortem/redact_patterns.h"

enum pm_redaction { PM_REDACT_NONE, PM_REDACT_DEFAULT, PM_REDACT_STRICT };

struct pm_redactor {
    enum pm_redaction level;
    struct pm_patterns *patterns;
    struct pm_known known;
};

struct pm_error *pm_redactor_create(enum pm_redaction level, struct pm_redactor **ret);
void pm_redactor_destroy(struct pm_redactor *redactor); /* NULL is fine */

/* Does this name stand before a secret? */
bool pm_redact_is_secret_key(const struct pm_redactor *redactor, const char *key);
/* A text with everything that looks like a secret hidden, at strict also who and where. NULL gives NULL. */
const char *pm_redact_text(struct pm_redactor *redactor, const char *text, struct pm_arena *arena);
/* The same for a version, which looks like an address. */
const char *pm_redact_version(struct pm_redactor *redactor, const char *text, struct pm_arena *arena);
/* The value that belongs to a key. */
const char *pm_redact_value(struct pm_redactor *redactor, const char *key, const char *value,
                            struct pm_arena *arena);

/* The words of a command line: "--db-password secret" has the option's name in the word before. Strict: of
 * options the name and a number, of the rest only paths. */
void pm_redact_arguments(struct pm_redactor *redactor, const char **argv, size_t count,
                         struct pm_arena *arena);
/* The same for words in one text. */
const char *pm_redact_words(struct pm_redactor *redactor, const char *text, struct pm_arena *arena);

/* Everything in the diagnosis; `heap_strings` also at the level default. What it learns (names of hosts,
 * values of secret variables) stays for later texts. */
void pm_redact_diagnosis(struct pm_redactor *redactor, bool heap_strings, struct pm_diagnosis *diagnosis);
/* The message of an error, which has paths and names in it. NULL is fine. */
struct pm_error *pm_redact_error(struct pm_redactor *redactor, struct pm_error *err);

PM_DEFINE_AUTO(redactor, struct pm_redactor, pm_redactor_destroy)

#endif
