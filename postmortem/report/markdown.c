/* A ticket: GitHub-flavoured Markdown, complete sentences first, tables after, never longer than its size
 * limit. What does not fit is cut from the end, at the end of a line; the last line says so. */
#include "postmortem/report/markdown.h"

#include <string.h>

#include "postmortem/base/escape.h"
#include "postmortem/report/batch_pages.h"

#define USUAL_BYTES                                                                                          \
    30000 /* below the limits of the usual trackers (GitHub 65,536 characters, Jira 32,767)                  \
           */

static void write_batch(const struct pm_diagnosis *diagnosis, const struct pm_write_options *options,
                        struct pm_strbuf *out) {
    (void)options;
    if (diagnosis->batch) pm_markdown_batch(diagnosis->batch, out);
}

/* In the order of their worth. */
static const struct {
    const char *name;
    unsigned shown; /* of enum pm_section; 0 = always */
    pm_ticket_block *write;
} blocks[] = {
    {"verdict", 0, pm_ticket_verdict},
    {"findings", PM_SHOW_FINDINGS, pm_ticket_findings},
    {"groups", PM_SHOW_BATCH, write_batch},
    {"answers", 0, pm_ticket_answers},
    {"stack", PM_SHOW_STACK | PM_SHOW_THREADS, pm_ticket_stack},
    {"coverage", 0, pm_ticket_coverage},
    {"other incidents", PM_SHOW_FINDINGS, pm_ticket_others},
    {"reports", PM_SHOW_PROCESS, pm_ticket_reports},
    {"logs", PM_SHOW_PROCESS, pm_ticket_logs},
    {"profiles", PM_SHOW_PROCESS, pm_ticket_profiles},
    {"retained memory", PM_SHOW_HISTOGRAM, pm_ticket_dominators},
    {"objects", PM_SHOW_HISTOGRAM, pm_ticket_objects},
    {"spaces", PM_SHOW_SPACES, pm_ticket_spaces},
    {"details", PM_SHOW_DETAILS, pm_ticket_details},
};
#define BLOCK_COUNT (sizeof(blocks) / sizeof(blocks[0]))

/* Cuts a text to `most` bytes at the end of a code point. */
static size_t whole_code_points(const char *text, size_t length, size_t most) {
    if (length <= most) return length;
    while (most && ((unsigned char)text[most] & 0xc0) == 0x80) most--;
    return most;
}

void pm_ticket_text(struct pm_strbuf *out, const char *text, size_t most) {
    if (!text) return;
    size_t length = strlen(text), end = whole_code_points(text, length, most);
    pm_escape_markdown(out, text, end);
    if (end < length) pm_strbuf_append(out, "\xe2\x80\xa6");
}

void pm_ticket_cell(struct pm_strbuf *out, const char *text) {
    pm_strbuf_append(out, " ");
    pm_ticket_text(out, text, PM_TICKET_CELL);
    pm_strbuf_append(out, " |");
}

void pm_ticket_item(struct pm_strbuf *out, const char *name, const char *value) {
    if (!value) return;
    pm_strbuf_appendf(out, name ? "- **%s:** " : "- ", name);
    pm_ticket_text(out, value, PM_TICKET_LONG);
    pm_strbuf_append(out, "\n");
}

/* The fence is longer than any run of backticks inside. */
void pm_ticket_code(struct pm_strbuf *out, const struct pm_strbuf *lines) {
    size_t longest = 0, run = 0;
    for (size_t i = 0; i < lines->length; i++) {
        run = lines->bytes[i] == '`' ? run + 1 : 0;
        if (run > longest) longest = run;
    }
    size_t fence = longest >= 3 ? longest + 1 : 3;
    for (size_t i = 0; i < fence; i++) pm_strbuf_append_char(out, '`');
    pm_strbuf_append(out, "text\n");
    pm_strbuf_append(out, pm_strbuf_text(lines));
    for (size_t i = 0; i < fence; i++) pm_strbuf_append_char(out, '`');
    pm_strbuf_append(out, "\n\n");
}

void pm_ticket_title(const struct pm_diagnosis *diagnosis, const char *word, size_t input,
                     struct pm_strbuf *out) {
    pm_strbuf_appendf(out, "### %s", word);
    if (input < diagnosis->input_count) {
        pm_strbuf_append(out, " ");
        pm_ticket_text(out, diagnosis->inputs[input].path, PM_TICKET_CELL);
    }
    pm_strbuf_append(out, "\n\n");
}

/* ---- the cut ---- */

static bool starts(const char *text, size_t length, const char *word) {
    size_t size = strlen(word);
    return length >= size && !memcmp(text, word, size);
}

static size_t fence_length(const char *line, size_t length) {
    size_t ticks = 0;
    while (ticks < length && line[ticks] == '`') ticks++;
    return ticks >= 3 ? ticks : 0;
}

/* The end of the last line that ends within `most` bytes, and the fence (backticks) that is open there. */
static size_t last_line(const char *text, size_t length, size_t most, size_t *fence_ret) {
    size_t at = 0, open = 0;
    *fence_ret = 0;
    while (at < length) {
        const char *end = memchr(text + at, '\n', length - at);
        size_t next = end ? (size_t)(end - text) + 1 : length;
        size_t ticks = fence_length(text + at, next - at - (end != NULL));
        size_t after = open ? (ticks == open ? 0 : open) : ticks;
        if (next + (after ? after + 1 : 0) > most) break; /* an open fence must be closed, too */
        open = after;
        at = next;
    }
    *fence_ret = open;
    return at;
}

/* Headings, heads of tables and empty lines that nothing follows any more. */
static size_t without_loose_ends(const char *text, size_t length) {
    while (length) {
        size_t start = length - 1;
        while (start && text[start - 1] != '\n') start--;
        const char *line = text + start;
        size_t size = length - start - 1;
        bool head_of_table = false; /* a row whose next line, already taken off, was the ruler */
        if (size && line[0] == '|' && !strncmp(text + length, "|---", 4)) head_of_table = true;
        if (size && !starts(line, size, "#") && !starts(line, size, "|---") && !head_of_table) break;
        length = start;
    }
    return length;
}

/* Nothing but a piece of a line fits: up to a blank, so that no escape or code is cut in two. */
static size_t piece_of_line(const char *text, size_t most) {
    size_t end = whole_code_points(text, strlen(text), most);
    if (!text[end]) return end;
    while (end && text[end] != ' ') end--;
    size_t ticks = 0;
    for (size_t i = 0; i < end; i++) ticks += text[i] == '`' && (!i || text[i - 1] != '\\');
    if (ticks % 2 == 0) return end;
    while (end && text[end] != '`') end--; /* the span that is open goes as a whole */
    return end;
}

static void write_cut(const struct pm_strbuf *text, const size_t *ends, size_t most, FILE *out) {
    struct pm_strbuf note PM_AUTO_STRBUF = {0};
    const size_t room_for_note = 240;
    const char *bytes = pm_strbuf_text(text);
    size_t fence = 0, kept = 0;
    if (most > room_for_note) {
        kept = last_line(bytes, text->length, most - room_for_note, &fence);
        if (!fence) kept = without_loose_ends(bytes, kept);
    }
    if (!kept) { /* not even the verdict fits: as much of it as does */
        fwrite(bytes, 1, piece_of_line(bytes, most), out);
        return;
    }
    fwrite(bytes, 1, kept, out);
    for (size_t i = 0; i < fence; i++) fputc('`', out);
    if (fence) fputc('\n', out);
    for (size_t i = 0; i < BLOCK_COUNT; i++)
        if (ends[i] > kept && ends[i] > (i ? ends[i - 1] : 0))
            pm_strbuf_appendf(&note, "%s%s", note.length ? ", " : "", blocks[i].name);
    fprintf(out, "\nCut to %zu bytes; left out or not complete: %s (--max-bytes).\n", most,
            pm_strbuf_text(&note));
}

static void write_markdown(const struct pm_diagnosis *diagnosis, const struct pm_write_options *options,
                           FILE *out) {
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    size_t most = options->max_bytes ? options->max_bytes : USUAL_BYTES, ends[BLOCK_COUNT];
    for (size_t i = 0; i < BLOCK_COUNT; i++) {
        if (!blocks[i].shown || options->sections & blocks[i].shown)
            blocks[i].write(diagnosis, options, &text);
        ends[i] = text.length;
    }
    while (text.length > 1 && text.bytes[text.length - 1] == '\n' && text.bytes[text.length - 2] == '\n')
        text.bytes[--text.length] = 0;
    if (text.length > most)
        write_cut(&text, ends, most, out);
    else
        fputs(pm_strbuf_text(&text), out);
}

const struct pm_writer pm_writer_markdown = {
    .name = "markdown",
    .summary = "a ticket, cut to --max-bytes, heap strings redacted",
    .ticket = true,
    .write = write_markdown,
};
