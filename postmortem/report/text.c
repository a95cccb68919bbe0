/* One page for a terminal: what died, memory, top constructors, the stack; then the details; the coverage is
 * always last. */
#include "postmortem/report/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "postmortem/base/cleanup.h"
#include "postmortem/base/escape.h"
#include "postmortem/model/gc_log.h"
#include "postmortem/model/profile.h"
#include "postmortem/model/words.h"
#include "postmortem/report/batch_pages.h"
#include "postmortem/report/format.h"
#include "postmortem/report/short_paths.h"
#include "postmortem/report/stack_words.h"
#include "postmortem/report/table.h"

const char *pm_page_style(const struct pm_page *page, enum pm_style style) {
    if (!page->options->color) return "";
    switch (style) {
    case PM_BOLD: return "\033[1m";
    case PM_DIM: return "\033[2m";
    case PM_WARN: return "\033[33m";
    case PM_PLAIN: break;
    }
    return "";
}

const char *pm_page_reset(const struct pm_page *page, enum pm_style style) {
    return page->options->color && style != PM_PLAIN ? "\033[0m" : "";
}

void pm_page_gap(const struct pm_page *page) {
    putc('\n', page->out);
}

size_t pm_page_rows(const struct pm_page *page, size_t count, size_t usual) {
    size_t limit = page->options->limit ? page->options->limit : usual;
    return count < limit ? count : limit;
}

/* Up to the next space; a number keeps its unit: "352 B". */
static size_t word_length(const char *text) {
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB", "ms", "s", "%"};
    size_t length = strcspn(text, " "), tail;
    if (!length || text[length] != ' ' || text[length - 1] < '0' || text[length - 1] > '9') return length;
    tail = strcspn(text + length + 1, " ,;.:)");
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (tail == strlen(units[i]) && memcmp(text + length + 1, units[i], tail) == 0)
            return length + 1 + strcspn(text + length + 1, " ");
    return length;
}

/* Wraps escaped text at spaces; lines after the first begin at `indent`. A word that fits no line is not cut.
 */
static void put_wrapped(const struct pm_page *page, const char *text, unsigned indent) {
    size_t room = page->columns > indent + 20 ? page->columns - indent : 20, used = 0;
    while (*text) {
        size_t length = word_length(text);
        struct pm_strbuf word PM_AUTO_STRBUF = {0};
        pm_strbuf_append_bytes(&word, text, length);
        size_t width = pm_text_width(pm_strbuf_text(&word));
        if (used && used + 1 + width > room) {
            fprintf(page->out, "\n%*s", (int)indent, "");
            used = 0;
        }
        fprintf(page->out, "%s%s", used ? " " : "", pm_strbuf_text(&word));
        used += width + (used ? 1 : 0);
        text += length;
        while (*text == ' ') text++;
    }
}

void pm_page_entry(const struct pm_page *page, const char *label, enum pm_style style, const char *text) {
    struct pm_strbuf escaped PM_AUTO_STRBUF = {0};
    if (text) pm_escape_terminal(&escaped, text, strlen(text));
    fprintf(page->out, "%s%-*s%s%s", pm_page_style(page, PM_BOLD), PM_LABEL_WIDTH, label ? label : "",
            pm_page_reset(page, PM_BOLD), pm_page_style(page, style));
    put_wrapped(page, pm_strbuf_text(&escaped), PM_LABEL_WIDTH);
    fprintf(page->out, "%s\n", pm_page_reset(page, style));
}

void pm_page_entryf(const struct pm_page *page, const char *label, enum pm_style style, const char *format,
                    ...) {
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    va_list args;
    va_start(args, format);
    pm_strbuf_vappendf(&text, format, args);
    va_end(args);
    pm_page_entry(page, label, style, pm_strbuf_text(&text));
}

void pm_page_prose(const struct pm_page *page, const char *label, enum pm_style style, const char *text) {
    struct pm_strbuf shortened PM_AUTO_STRBUF = {0};
    pm_shorten_paths(&shortened, page->folder, text);
    pm_page_entry(page, label, style, pm_strbuf_text(&shortened));
}

static void put_verdict(const struct pm_page *page) {
    const struct pm_diagnosis *diagnosis = page->diagnosis;
    if (!diagnosis->verdict) return;
    struct pm_strbuf shortened PM_AUTO_STRBUF = {0}, escaped PM_AUTO_STRBUF = {0};
    pm_shorten_paths(&shortened, page->folder, diagnosis->verdict);
    pm_escape_terminal(&escaped, pm_strbuf_text(&shortened), shortened.length);
    fputs(pm_page_style(page, PM_BOLD), page->out);
    put_wrapped(page, pm_strbuf_text(&escaped), 0);
    fprintf(page->out, "%s\n\n", pm_page_reset(page, PM_BOLD));
}

/* Who makes what leaks and who adds it; the other places stand in the claim and on the stack. */
static void put_makers(const struct pm_page *page, const struct pm_finding *finding) {
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    for (size_t i = 0; i < finding->position_count && i < 10; i++) {
        const struct pm_role_position *position = &finding->positions[i];
        const char *words = strcmp(position->role, "adder") == 0     ? "added in"
                            : strcmp(position->role, "creator") == 0 ? "made in"
                                                                     : NULL;
        if (!words || !position->position.file) continue;
        pm_strbuf_clear(&text);
        pm_strbuf_appendf(&text, "- %s: ", words);
        if (position->function && *position->function) pm_strbuf_appendf(&text, "`%s` (", position->function);
        pm_strbuf_append(&text, position->position.file);
        if (position->position.line) pm_strbuf_appendf(&text, ":%" PRIu32, position->position.line);
        if (position->position.column > PM_LONG_LINE)
            pm_strbuf_appendf(&text, ":%" PRIu32, position->position.column);
        if (position->function && *position->function) pm_strbuf_append(&text, ")");
        pm_page_prose(page, NULL, PM_PLAIN, pm_strbuf_text(&text));
    }
}

static void put_finding(const struct pm_page *page, const struct pm_finding *finding) {
    pm_page_entryf(page, "Finding", PM_BOLD, "%s (%s, confidence %s)", finding->title,
                   pm_severity_word(finding->severity), pm_confidence_word(finding->confidence));
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    if (finding->claim) pm_page_prose(page, NULL, PM_PLAIN, finding->claim);
    for (size_t i = 0; i < finding->evidence_count; i++) {
        pm_strbuf_clear(&text);
        pm_strbuf_appendf(&text, "- %s", finding->evidence[i]);
        pm_page_prose(page, NULL, PM_PLAIN, pm_strbuf_text(&text));
    }
    put_makers(page, finding);
    pm_strbuf_clear(&text);
    pm_strbuf_appendf(&text, "Advice: %s", finding->advice ? finding->advice : "");
    if (finding->advice) pm_page_prose(page, NULL, PM_PLAIN, pm_strbuf_text(&text));
    for (size_t i = 0; i < finding->next_count; i++)
        pm_page_entryf(page, NULL, PM_DIM, "$ %s", finding->next[i]);
    pm_page_gap(page);
}

static void put_problems(const struct pm_page *page) {
    const struct pm_diagnosis *diagnosis = page->diagnosis;
    for (size_t i = 0; i < diagnosis->problem_count; i++) {
        pm_page_entry(page, i ? NULL : "Not read", PM_WARN, diagnosis->problems[i].message);
        if (diagnosis->problems[i].hint) pm_page_entry(page, NULL, PM_PLAIN, diagnosis->problems[i].hint);
    }
    if (diagnosis->problem_count) pm_page_gap(page);
}

/* The last line of every output: what the statements above rest on. */
static void put_coverage(const struct pm_page *page) {
    const struct pm_diagnosis *diagnosis = page->diagnosis;
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    char number[PM_NUMBER_TEXT];
    if (diagnosis->read_objects != PM_UNKNOWN)
        pm_strbuf_appendf(&text, "read %s object%s", pm_format_count(number, diagnosis->read_objects),
                          diagnosis->read_objects == 1 ? "" : "s");
    if (diagnosis->has_threads)
        pm_strbuf_appendf(&text, "%s%s thread%s", text.length ? ", " : "read ",
                          pm_format_count(number, diagnosis->thread_count),
                          diagnosis->thread_count == 1 ? "" : "s");
    if (diagnosis->report_count)
        pm_strbuf_appendf(&text, "%s%zu report%s", text.length ? ", " : "read ", diagnosis->report_count,
                          diagnosis->report_count == 1 ? "" : "s");
    if (diagnosis->pod_count)
        pm_strbuf_appendf(&text, "%s%zu pod%s", text.length ? ", " : "read ", diagnosis->pod_count,
                          diagnosis->pod_count == 1 ? "" : "s");
    for (size_t i = 0; i < diagnosis->profile_count; i++)
        pm_strbuf_appendf(&text, "%sa profile of %s calls", text.length ? ", " : "read ",
                          pm_format_count(number, diagnosis->profiles[i]->call_count));
    for (size_t i = 0; i < diagnosis->gc_log_count; i++)
        pm_strbuf_appendf(&text, "%sa log of %s lines", text.length ? ", " : "read ",
                          pm_format_count(number, diagnosis->gc_logs[i]->lines));
    if (!text.length) pm_strbuf_append(&text, "read nothing of the heap and the stacks");
    pm_strbuf_append(&text, diagnosis->skipped_count ? "; skipped " : "; skipped nothing");
    for (size_t i = 0; i < diagnosis->skipped_count; i++) {
        const struct pm_skipped *row = &diagnosis->skipped[i];
        pm_strbuf_append(&text, i ? "; " : "");
        pm_strbuf_append(&text, row->what);
        if (row->bytes != PM_UNKNOWN) pm_strbuf_appendf(&text, ": %s", pm_format_bytes(number, row->bytes));
        if (row->count != PM_UNKNOWN)
            pm_strbuf_appendf(&text, row->bytes != PM_UNKNOWN ? " in %s" : ": %s",
                              pm_format_count(number, row->count));
        if (row->why) pm_strbuf_appendf(&text, " (%s)", row->why);
    }
    if (diagnosis->problem_count)
        pm_strbuf_appendf(&text, "; %zu part%s not analysed, see above", diagnosis->problem_count,
                          diagnosis->problem_count == 1 ? "" : "s");
    pm_page_entry(page, "Coverage", PM_PLAIN, pm_strbuf_text(&text));
}

static void put_stacks(const struct pm_page *page) {
    const struct pm_diagnosis *diagnosis = page->diagnosis;
    const struct pm_thread *first = pm_first_thread(diagnosis);
    if (!diagnosis->has_threads || !first) return;
    if (page->options->sections & PM_SHOW_THREADS) {
        pm_page_stack(page, first, SIZE_MAX);
        for (size_t i = 0; i < diagnosis->thread_count; i++)
            if (&diagnosis->threads[i] != first) pm_page_stack(page, &diagnosis->threads[i], SIZE_MAX);
    } else if (page->options->sections & PM_SHOW_STACK) {
        pm_page_stack(page, first, 24);
        pm_page_other_threads(page, first);
    }
}

static void write_text(const struct pm_diagnosis *diagnosis, const struct pm_write_options *options,
                       FILE *out) {
    unsigned show = options->sections;
    bool one_page = show & PM_SHOW_PROCESS && show & PM_SHOW_FINDINGS && !options->verbose;
    char *folder PM_AUTO_FREE = one_page ? pm_common_folder(diagnosis) : NULL;
    struct pm_page page = {diagnosis, options, options->columns ? options->columns : 100, out, folder};
    if (show & PM_SHOW_FINDINGS) put_verdict(&page);
    if (diagnosis->has_process && (show & PM_SHOW_PROCESS)) pm_page_process(&page);
    if (folder && !diagnosis->has_process) {
        pm_page_entryf(&page, "Code", PM_PLAIN, "paths are below %s", folder);
        pm_page_gap(&page);
    }
    if (show & PM_SHOW_FINDINGS)
        for (size_t i = 0; i < diagnosis->finding_count; i++) put_finding(&page, &diagnosis->findings[i]);
    put_problems(&page);
    if (show & PM_SHOW_DETAILS) pm_page_profiles(&page);
    if (show & PM_SHOW_DETAILS) pm_page_logs(&page);
    if (diagnosis->batch && (show & PM_SHOW_BATCH)) pm_page_batch(&page);
    if (diagnosis->has_isolates && (show & (PM_SHOW_SPACES | PM_SHOW_HISTOGRAM))) pm_page_isolates(&page);
    put_stacks(&page);
    if (show & PM_SHOW_DETAILS) pm_page_reports(&page);
    if (diagnosis->object && (show & PM_SHOW_OBJECT)) pm_page_object(&page);
    if (diagnosis->object_list && (show & PM_SHOW_OBJECT_LIST)) pm_page_object_list(&page);
    pm_page_answers(&page);
    if (diagnosis->has_layout && (show & PM_SHOW_LAYOUT)) pm_page_layout(&page);
    if (diagnosis->has_process && (show & PM_SHOW_DETAILS)) pm_page_details(&page);
    put_coverage(&page);
    for (size_t i = 0; i < diagnosis->other_count; i++) {
        fprintf(out, "\n%sAnother incident, %zu of %zu%s\n\n", pm_page_style(&page, PM_BOLD), i + 2,
                diagnosis->other_count + 1, pm_page_reset(&page, PM_BOLD));
        write_text(diagnosis->others[i], options, out); /* which has no others */
    }
}

const struct pm_writer pm_writer_text = {
    .name = "text",
    .summary = "one page for a terminal",
    .write = write_text,
};
