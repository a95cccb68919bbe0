/* redact_patterns.h - what secrets look like, and what tells who and where.
 *
 * Patterns run on PCRE2 with limits on matching. false from a replacing function: a limit bit (or no memory);
 * the text must not be shown then. */
#ifndef PM_REDACT_PATTERNS_H
#define PM_REDACT_PATTERNS_H

#include "postmortem/base/error.h"
#include "postmortem/base/strbuf.h"

#define PM_HIDDEN        "[redacted]"
#define PM_HIDDEN_STRING "(string hidden)"
#define PM_HIDDEN_NAME   "(name hidden)"
#define PM_HIDDEN_HOST   "(hidden)"

struct pm_patterns;

/* identity: also the patterns of pm_patterns_identity(). */
struct pm_error *pm_patterns_create(bool identity, struct pm_patterns **ret);
void pm_patterns_destroy(struct pm_patterns *patterns); /* NULL is fine */

/* Does this name stand before a secret? */
bool pm_patterns_is_key(const struct pm_patterns *patterns, const char *name);
/* Secrets in a text: tokens, keys, connection strings, pairs of a secret name and its value. */
bool pm_patterns_secrets(const struct pm_patterns *patterns, struct pm_strbuf *text);
/* Home folders, IP and MAC addresses, hosts of URLs, mail addresses, names of the network. `addresses` false:
 * what looks like an IP address is a version. */
bool pm_patterns_identity(const struct pm_patterns *patterns, bool addresses, struct pm_strbuf *text);

#endif
