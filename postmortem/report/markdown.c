/* A ticket: GitHub-flavoured Markdown, complete sentences first, tables after, never longer than its size
 * limit. What does not fit is left out from the end, in whole blocks, and named. */
#include <inttypes.h>
#include <string.h>

#include "postmortem/base/cleanup.h"
#include "postmortem/base/escape.h"
#include "postmortem/model/words.h"
#include "postmortem/report/batch_pages.h"
#include "postmortem/report/format.h"
#include "postmortem/report/report_words.h"
#include "postmortem/report/stack_words.h"
#include "postmortem/report/writer.h"

#define USUAL_BYTES                                                                                          \
    30000 /* below the limits of the usual trackers (GitHub 65,536 characters, Jira 32,767)                  \
           */
#define USUAL_ROWS 15

/* Blocks in the order of their worth; the first is always written. */
enum {
    BLOCK_VERDICT,
    BLOCK_FINDINGS,
    BLOCK_BATCH,
    BLOCK_COVERAGE,
    BLOCK_STACK,
    BLOCK_OBJECTS,
    BLOCK_SPACES,
    BLOCK_REPORTS,
    BLOCK_DETAILS,
    BLOCK_COUNT
};
static const char *const block_names[] = {"verdict", "findings", "groups",  "coverage", "stack",
                                          "objects", "spaces",   "reports", "details"};

static void put_text(struct pm_strbuf *out, const char *text) {
    if (text) pm_escape_markdown(out, text, strlen(text));
}

/* Inside a table a code span cannot hold a pipe or backtick safely, so cells are escaped running text. */
static void put_cell(struct pm_strbuf *out, const char *text) {
    pm_strbuf_append(out, " ");
    put_text(out, text);
    pm_strbuf_append(out, " |");
}

/* `lines` as a code block whose fence is longer than any run of backticks inside. */
static void put_code(struct pm_strbuf *out, const struct pm_strbuf *lines) {
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

static void put_item(struct pm_strbuf *out, const char *name, const char *value) {
    if (!value) return;
    pm_strbuf_appendf(out, "- **%s:** ", name);
    put_text(out, value);
    pm_strbuf_append(out, "\n");
}

static void block_verdict(const struct pm_diagnosis *diagnosis, struct pm_strbuf *out) {
    const struct pm_process *process = &diagnosis->process;
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    if (diagnosis->verdict) {
        pm_strbuf_append(out, "**");
        put_text(out, diagnosis->verdict);
        pm_strbuf_append(out, "**\n\n");
    }
    if (!diagnosis->has_process) return;
    if (process->node_version) pm_strbuf_appendf(&text, "Node.js %s", process->node_version);
    if (process->v8_version) pm_strbuf_appendf(&text, ", V8 %s", process->v8_version);
    if (process->arch) pm_strbuf_appendf(&text, ", %s", process->arch);
    put_item(out, "Runtime", text.length ? pm_strbuf_text(&text) : NULL);
    put_item(out, "Death", pm_death_phrase(process->death));
    put_item(out, "Message", process->death_message);
    put_item(out, "Signal", pm_signal_name(process->signal));
    pm_strbuf_clear(&text);
    for (size_t i = 0; i < process->argc; i++) pm_strbuf_appendf(&text, i ? " %s" : "%s", process->argv[i]);
    put_item(out, "Command", text.length ? pm_strbuf_text(&text) : NULL);
    if (diagnosis->signature) put_item(out, "Signature", diagnosis->signature);
    pm_strbuf_append(out, "\n");
}

static void block_findings(const struct pm_diagnosis *diagnosis, struct pm_strbuf *out) {
    for (size_t i = 0; i < diagnosis->finding_count; i++) {
        const struct pm_finding *finding = &diagnosis->findings[i];
        pm_strbuf_append(out, "### ");
        put_text(out, finding->title);
        pm_strbuf_appendf(out, "\n\nSeverity %s, confidence %s.\n\n", pm_severity_word(finding->severity),
                          pm_confidence_word(finding->confidence));
        put_text(out, finding->claim);
        pm_strbuf_append(out, "\n\n");
        for (size_t k = 0; k < finding->evidence_count; k++) {
            pm_strbuf_append(out, "- ");
            put_text(out, finding->evidence[k]);
            pm_strbuf_append(out, "\n");
        }
        if (finding->advice) {
            pm_strbuf_append(out, "\n**Advice:** ");
            put_text(out, finding->advice);
            pm_strbuf_append(out, "\n");
        }
        pm_strbuf_append(out, "\n");
    }
}

static void block_coverage(const struct pm_diagnosis *diagnosis, struct pm_strbuf *out) {
    char number[PM_NUMBER_TEXT];
    pm_strbuf_append(out, "Coverage: ");
    if (diagnosis->read_objects != PM_UNKNOWN)
        pm_strbuf_appendf(out, "%s objects read", pm_format_count(number, diagnosis->read_objects));
    else
        pm_strbuf_append(out, "no heap objects read");
    pm_strbuf_append(out,
                     diagnosis->skipped_count || diagnosis->problem_count ? "\n\n" : "; nothing skipped\n\n");
    for (size_t i = 0; i < diagnosis->skipped_count; i++) {
        const struct pm_skipped *row = &diagnosis->skipped[i];
        pm_strbuf_append(out, "- skipped: ");
        put_text(out, row->what);
        if (row->bytes != PM_UNKNOWN) pm_strbuf_appendf(out, ": %s", pm_format_bytes(number, row->bytes));
        if (row->count != PM_UNKNOWN)
            pm_strbuf_appendf(out, row->bytes != PM_UNKNOWN ? " in %s" : ": %s",
                              pm_format_count(number, row->count));
        if (row->why) {
            pm_strbuf_append(out, " (");
            put_text(out, row->why);
            pm_strbuf_append(out, ")");
        }
        pm_strbuf_append(out, "\n");
    }
    for (size_t i = 0; i < diagnosis->problem_count; i++) {
        pm_strbuf_append(out, "- not analysed: ");
        put_text(out, diagnosis->problems[i].message);
        pm_strbuf_append(out, "\n");
    }
    if (diagnosis->skipped_count || diagnosis->problem_count) pm_strbuf_append(out, "\n");
}

static void put_stack_line(const struct pm_frame *frame, struct pm_strbuf *lines) {
    const char *name = frame->function && *frame->function ? frame->function : "<anonymous>";
    bool needs_new = frame->constructor && strncmp(name, "new ", 4) != 0;
    pm_strbuf_append(lines, frame->is_async ? "at async " : needs_new ? "at new " : "at ");
    pm_escape_terminal(lines, name, strlen(name));
    if (frame->position.file) {
        pm_strbuf_append(lines, " (");
        pm_escape_terminal(lines, frame->position.file, strlen(frame->position.file));
        if (frame->position.line)
            pm_strbuf_appendf(lines, ":%" PRIu32 ":%" PRIu32, frame->position.line, frame->position.column);
        pm_strbuf_append(lines, ")");
    }
    pm_strbuf_append(lines, "\n");
}

static void block_stack(const struct pm_diagnosis *diagnosis, const struct pm_write_options *options,
                        struct pm_strbuf *out) {
    const struct pm_thread *thread = pm_first_thread(diagnosis);
    struct pm_strbuf lines PM_AUTO_STRBUF = {0};
    size_t most = options->limit ? options->limit : 30, shown = 0, left = 0;
    if (!thread) return;
    for (size_t i = 0; i < thread->frame_count; i++) {
        if (thread->frames[i].hidden) continue;
        if (shown < most)
            put_stack_line(&thread->frames[i], &lines);
        else
            left++;
        shown++;
    }
    if (left) pm_strbuf_appendf(&lines, "... %zu more frames\n", left);
    pm_strbuf_appendf(out, "### Stack of the %s thread\n\n",
                      thread->role == PM_ROLE_OTHER ? "first" : pm_role_word(thread->role));
    put_code(out, &lines);
}

static void block_objects(const struct pm_isolate *isolate, size_t limit, struct pm_strbuf *out) {
    char number[PM_NUMBER_TEXT];
    size_t rows = limit ? limit : USUAL_ROWS;
    pm_strbuf_append(
        out, "### Objects by constructor\n\n| constructor | count | shallow | share |\n|---|--:|--:|--:|\n");
    for (size_t i = 0; i < isolate->histogram_count && i < rows; i++) {
        const struct pm_class_row *row = &isolate->histogram[i];
        pm_strbuf_append(out, "|");
        put_cell(out, row->name);
        put_cell(out, pm_format_count(number, row->count));
        put_cell(out, pm_format_bytes(number, row->shallow));
        put_cell(out, pm_format_share(number, row->shallow, isolate->object_bytes));
        pm_strbuf_append(out, "\n");
    }
    pm_strbuf_append(out, "\n");
}

static void block_spaces(const struct pm_isolate *isolate, struct pm_strbuf *out) {
    char number[PM_NUMBER_TEXT];
    pm_strbuf_append(
        out, "### Heap spaces\n\n| space | pages | committed | used | free |\n|---|--:|--:|--:|--:|\n");
    for (size_t i = 0; i < isolate->space_count; i++) {
        const struct pm_space *space = &isolate->spaces[i];
        if (!space->pages || (space->pages == PM_UNKNOWN && !space->committed)) continue;
        pm_strbuf_append(out, "|");
        put_cell(out, space->name);
        put_cell(out, pm_format_count(number, space->pages));
        put_cell(out, pm_format_bytes(number, space->committed));
        put_cell(out, pm_format_bytes(number, space->used));
        put_cell(out, pm_format_bytes(number, space->free));
        pm_strbuf_append(out, "\n");
    }
    pm_strbuf_append(out, "\n");
}

static void block_details(const struct pm_diagnosis *diagnosis, struct pm_strbuf *out) {
    const struct pm_process *process = &diagnosis->process;
    if (process->environment_count) pm_strbuf_append(out, "### Environment\n\n");
    for (size_t i = 0; i < process->environment_count; i++)
        put_item(out, process->environment[i].name, process->environment[i].value);
    if (process->environment_count) pm_strbuf_append(out, "\n");
    if (process->last_gcs) {
        struct pm_strbuf lines PM_AUTO_STRBUF = {0};
        for (const char *line = process->last_gcs; *line;) {
            size_t length = strcspn(line, "\n");
            pm_escape_terminal(&lines, line, length);
            pm_strbuf_append(&lines, "\n");
            line += length + (line[length] == '\n');
        }
        pm_strbuf_append(out, "### Last garbage collections\n\n");
        put_code(out, &lines);
    }
}

static void put_rows(struct pm_strbuf *out, struct pm_report_rows *rows) {
    for (size_t i = 0; i < rows->count; i++)
        put_item(out, rows->rows[i].label, pm_strbuf_text(&rows->rows[i].text));
    pm_strbuf_append(out, "\n");
    pm_report_rows_deinit(rows);
}

static void block_reports(const struct pm_diagnosis *diagnosis, size_t limit, struct pm_strbuf *out) {
    struct pm_report_rows rows;
    size_t most = limit ? limit : USUAL_ROWS;
    if (diagnosis->report_count || diagnosis->pod_count) pm_strbuf_append(out, "### Reports\n\n");
    for (size_t i = 0; i < diagnosis->report_count && i < most; i++) {
        pm_report_words(diagnosis->reports[i], &rows);
        put_rows(out, &rows);
    }
    for (size_t i = 0; i < diagnosis->pod_count && i < most; i++) {
        pm_pod_words(diagnosis->pods[i], &rows);
        put_rows(out, &rows);
    }
}

static const struct pm_isolate *main_isolate(const struct pm_diagnosis *diagnosis) {
    for (size_t i = 0; i < diagnosis->isolate_count; i++)
        if (diagnosis->isolates[i].is_main) return &diagnosis->isolates[i];
    return diagnosis->isolate_count ? &diagnosis->isolates[0] : NULL;
}

static void build_blocks(const struct pm_diagnosis *diagnosis, const struct pm_write_options *options,
                         struct pm_strbuf *blocks) {
    const struct pm_isolate *isolate = main_isolate(diagnosis);
    unsigned show = options->sections;
    block_verdict(diagnosis, &blocks[BLOCK_VERDICT]);
    if (show & PM_SHOW_FINDINGS) block_findings(diagnosis, &blocks[BLOCK_FINDINGS]);
    if (diagnosis->batch && (show & PM_SHOW_BATCH)) pm_markdown_batch(diagnosis->batch, &blocks[BLOCK_BATCH]);
    block_coverage(diagnosis, &blocks[BLOCK_COVERAGE]);
    if (diagnosis->has_threads && (show & (PM_SHOW_STACK | PM_SHOW_THREADS)))
        block_stack(diagnosis, options, &blocks[BLOCK_STACK]);
    if (isolate && diagnosis->has_histogram && (show & PM_SHOW_HISTOGRAM))
        block_objects(isolate, options->limit, &blocks[BLOCK_OBJECTS]);
    if (isolate && (show & PM_SHOW_SPACES)) block_spaces(isolate, &blocks[BLOCK_SPACES]);
    if (show & PM_SHOW_DETAILS) block_reports(diagnosis, options->limit, &blocks[BLOCK_REPORTS]);
    if (diagnosis->has_process && (show & PM_SHOW_DETAILS)) block_details(diagnosis, &blocks[BLOCK_DETAILS]);
}

/* Cuts a text to `most` bytes at the end of a code point. */
static size_t whole_code_points(const char *text, size_t length, size_t most) {
    if (length <= most) return length;
    while (most && ((unsigned char)text[most] & 0xc0) == 0x80) most--;
    return most;
}

static void write_markdown(const struct pm_diagnosis *diagnosis, const struct pm_write_options *options,
                           FILE *out) {
    struct pm_strbuf blocks[BLOCK_COUNT] = {0}, note PM_AUTO_STRBUF = {0};
    size_t most = options->max_bytes ? options->max_bytes : USUAL_BYTES;
    const size_t room_for_note = 120;
    build_blocks(diagnosis, options, blocks);
    size_t total = 0, kept = 0, used = 0;
    for (size_t i = 0; i < BLOCK_COUNT; i++) total += blocks[i].length;
    for (; kept < BLOCK_COUNT; kept++) {
        if (total > most && used + blocks[kept].length + room_for_note > most) break;
        fputs(pm_strbuf_text(&blocks[kept]), out);
        used += blocks[kept].length;
    }
    if (kept == 0) { /* not even the verdict fits: as much of it as does */
        fwrite(pm_strbuf_text(&blocks[0]), 1,
               whole_code_points(pm_strbuf_text(&blocks[0]), blocks[0].length, most), out);
    } else if (kept < BLOCK_COUNT) {
        for (size_t i = kept; i < BLOCK_COUNT; i++)
            if (blocks[i].length) pm_strbuf_appendf(&note, "%s%s", note.length ? ", " : "", block_names[i]);
        fprintf(out, "Cut to %zu bytes; left out: %s (--max-bytes).\n", most, pm_strbuf_text(&note));
    }
    for (size_t i = 0; i < BLOCK_COUNT; i++) pm_strbuf_deinit(&blocks[i]);
}

const struct pm_writer pm_writer_markdown = {
    .name = "markdown",
    .summary = "a ticket, cut to --max-bytes, heap strings redacted",
    .ticket = true,
    .write = write_markdown,
};
