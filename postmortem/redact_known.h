/* redact_known.h - words that are known to be secret or to tell who and where (the value of DB_PASSWORD, the
 * host's name), so that they are hidden wherever else they stand: in a log line, a claim, a path.
 *
 *     pm_known_add(known, "shop-7d9c5b6f4-x2x8k", "(hidden)", true);   for all of them
 *     pm_known_replace(known, &text);                                   the longest one first
 *
 * OWNERSHIP  words are copied, what stands instead of them is borrowed.
 * FAILURE    without memory `failed` is set: nothing may be shown then. */
#ifndef PM_REDACT_KNOWN_H
#define PM_REDACT_KNOWN_H

#include "postmortem/base/strbuf.h"
#include "postmortem/base/vec.h"

/* So many words are looked for: each costs time at every text. The first ones stay. */
#define PM_MOST_KNOWN 4096

struct pm_known_word {
    char *text;
    size_t length;
    const char *instead;
    bool whole; /* only where no letter or digit stands beside it */
};

struct pm_known {
    PM_VEC(struct pm_known_word) words;
    uint32_t first[257]; /* of each first byte; valid when sorted */
    bool sorted, failed;
};

void pm_known_deinit(struct pm_known *known);
void pm_known_add(struct pm_known *known, const char *text, size_t length, const char *instead, bool whole);
/* Replaces `text`; false: nothing was found. */
bool pm_known_replace(struct pm_known *known, struct pm_strbuf *text);

#endif
