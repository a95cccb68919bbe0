/* escape.h - untrusted text (heap strings, paths, process arguments) made safe for where it goes.
 *
 * Input is a byte string with a length; invalid UTF-8 becomes U+FFFD, so output is always valid UTF-8. */
#ifndef PM_BASE_ESCAPE_H
#define PM_BASE_ESCAPE_H

#include "postmortem/base/strbuf.h"

/* Terminals: control characters (C0, C1, DEL) and the bidirectional and invisible ones as \n, \t, \xNN,
 * \u{NNNN}. */
void pm_escape_terminal(struct pm_strbuf *out, const char *text, size_t length);
/* The inside of a JSON string, without the quotes. */
void pm_escape_json(struct pm_strbuf *out, const char *text, size_t length);
/* HTML text and double-quoted attribute values. */
void pm_escape_html(struct pm_strbuf *out, const char *text, size_t length);
/* Running text of GitHub-flavoured Markdown, one line of it: nothing in it can start markup, a link, a
 * mention, a reference or a table cell. What trackers look for after Markdown was rendered, where no escape
 * helps (@user, #12, names of people and commits, addresses), is written as code, which they leave alone; so
 * is what stands between two backticks. */
void pm_escape_markdown(struct pm_strbuf *out, const char *text, size_t length);

/* Decodes one code point at *position (< length) and moves it on; U+FFFD for a broken sequence (one byte is
 * skipped). */
uint32_t pm_utf8_next(const char *text, size_t length, size_t *position);

#endif
