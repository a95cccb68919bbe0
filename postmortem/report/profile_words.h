/* profile_words.h - profiles and logs in words, the same in every format for people. Texts are appended raw:
 * the caller escapes. */
#ifndef PM_REPORT_PROFILE_WORDS_H
#define PM_REPORT_PROFILE_WORDS_H

#include "postmortem/base/strbuf.h"
#include "postmortem/model/gc_log.h"
#include "postmortem/model/profile.h"

/* Each writes into text[PM_NUMBER_TEXT] and returns it. */
const char *pm_format_us(char *text, uint64_t us); /* "850 us", "12.3 ms", "4.2 s", "3.1 min" */
const char *pm_format_value(const struct pm_profile *profile, char *text, uint64_t value);
const char *pm_format_mb(char *text, double mb); /* V8's MB of 2^20 bytes: "51.7 MB", "?" */

void pm_spell_place(const struct pm_position *position, struct pm_strbuf *out); /* "file:line", or nothing */
void pm_spell_profile(const struct pm_profile *profile, struct pm_strbuf *out);
void pm_spell_log(const struct pm_gc_log *log, struct pm_strbuf *out);
void pm_spell_log_error(const struct pm_log_error *error, struct pm_strbuf *out);
void pm_spell_gc_series(const struct pm_gc_series *series, struct pm_strbuf *out);
/* Heap after each collection, one character for each part of the time. */
void pm_spell_sparkline(const struct pm_gc_series *series, size_t width, struct pm_strbuf *out);

#endif
