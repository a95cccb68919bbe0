/* number_text.h - numbers, BigInts and dates as JavaScript prints them. Knows nothing of the heap. Internal
 * to v8layout. */
#ifndef PM_V8LAYOUT_NUMBER_TEXT_H
#define PM_V8LAYOUT_NUMBER_TEXT_H

#include "postmortem/base/strbuf.h"

/* Number.prototype.toString: the shortest digits that read back as the same double; but -0 is "-0". */
void v8_number_text(double number, struct pm_strbuf *out);
/* Digits of 64 bits, low one first; decimal and exact while that takes at most `most` characters, else
 * hexadecimal, the high digits. Ends with n. */
void v8_bigint_text(const uint64_t *digits, uint32_t count, bool negative, size_t most,
                    struct pm_strbuf *out);
/* Date.prototype.toISOString of milliseconds since 1970; "Invalid Date". */
void v8_date_text(double milliseconds, struct pm_strbuf *out);

#endif
