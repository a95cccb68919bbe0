/* words.h - the spelling of the model's kinds: one word each, as in JSON (docs/json.md), and a phrase for
 * people. */
#ifndef PM_MODEL_WORDS_H
#define PM_MODEL_WORDS_H

#include "postmortem/base/strbuf.h"
#include "postmortem/model/diagnosis.h"

const char *pm_frame_kind_word(enum pm_frame_kind kind); /* js, builtin, native, entry */
const char *pm_tier_word(enum pm_tier tier);             /* interpreted ...; NULL = none */
const char *pm_role_word(enum pm_thread_role role);      /* main, worker, pool, gc, other */
const char *pm_state_word(enum pm_state_kind state);     /* javascript, regexp ... */
const char *pm_state_phrase(enum pm_state_kind state);   /* "running JavaScript" */
const char *pm_death_word(enum pm_death_kind death);     /* heap-limit ... */
const char *pm_death_phrase(enum pm_death_kind death);   /* "JavaScript heap limit reached" */
const char *pm_severity_word(enum pm_severity severity);
const char *pm_confidence_word(enum pm_confidence confidence);
const char *pm_field_group_word(enum pm_field_group group);
const char *pm_signal_name(uint64_t signal); /* "SIGABRT"; NULL = PM_UNKNOWN or no signal */
/* "worker thread 1 (`indexer`, /app/indexer.js, resourceLimits.maxOldGenerationSizeMb 48)" */
void pm_worker_words(struct pm_strbuf *out, const struct pm_worker *worker);

#endif
