/* format.h - how numbers are spelled for people, in every format but JSON.
 *
 * Sizes are decimal (1 MB = 1,000,000 bytes, as in the limits people set for pods in M), with one decimal;
 * counts have thousands separators; shares are percent with one decimal. Unknown is "?", never 0. */
#ifndef PM_REPORT_FORMAT_H
#define PM_REPORT_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#define PM_NUMBER_TEXT 32 /* room for any text below */

/* Each writes into text[PM_NUMBER_TEXT] and returns it. */
const char *pm_format_bytes(char *text, uint64_t bytes);                /* "512 B", "1.2 kB", "187.2 MB" */
const char *pm_format_count(char *text, uint64_t count);                /* "512,334" */
const char *pm_format_share(char *text, uint64_t part, uint64_t whole); /* "94.1 %", "-" of nothing */
const char *pm_format_address(char *text, uint64_t address);            /* "0x7f1234" */
/* An object of a snapshot has an id, "@17"; of a core an address. */
const char *pm_format_object(char *text, bool by_id, uint64_t object);
const char *pm_format_offset(char *text, uint64_t offset); /* "+0x1234" */

#endif
