/* The ticket: its sentences - verdict, findings, stack, coverage. */
#include <inttypes.h>
#include <string.h>

#include "postmortem/base/escape.h"
#include "postmortem/model/words.h"
#include "postmortem/report/markdown.h"
#include "postmortem/report/stack_words.h"

void pm_ticket_verdict(const struct pm_diagnosis *diagnosis, const struct pm_write_options *options,
                       struct pm_strbuf *out) {
    const struct pm_process *process = &diagnosis->process;
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    (void)options;
    if (diagnosis->verdict) { /* no emphasis around it: it may hold code */
        pm_strbuf_append(out, "## ");
        pm_ticket_text(out, diagnosis->verdict, PM_TICKET_LONG);
        pm_strbuf_append(out, "\n\n");
    }
    size_t before = out->length;
    if (diagnosis->has_process) {
        if (process->node_version) pm_strbuf_appendf(&text, "Node.js %s", process->node_version);
        if (process->v8_version)
            pm_strbuf_appendf(&text, "%sV8 %s", text.length ? ", " : "", process->v8_version);
        if (process->arch) pm_strbuf_appendf(&text, "%s%s", text.length ? ", " : "", process->arch);
        pm_ticket_item(out, "Runtime", text.length ? pm_strbuf_text(&text) : NULL);
        pm_ticket_item(out, "Death", pm_death_phrase(process->death));
        pm_ticket_item(out, "Message", process->death_message);
        pm_ticket_item(out, "Signal", pm_signal_name(process->signal));
        pm_strbuf_clear(&text);
        for (size_t i = 0; i < process->argc; i++)
            pm_strbuf_appendf(&text, i ? " %s" : "%s", process->argv[i]);
        pm_ticket_item(out, "Command", text.length ? pm_strbuf_text(&text) : NULL);
    }
    for (size_t i = 0; i < diagnosis->input_count && i < 10; i++) {
        char number[PM_NUMBER_TEXT];
        const struct pm_input_info *input = &diagnosis->inputs[i];
        pm_strbuf_clear(&text);
        pm_strbuf_appendf(&text, "%s (%s, %s%s)", input->path, input->kind,
                          pm_format_bytes(number, input->bytes), input->complete ? "" : ", cut short");
        pm_ticket_item(out, "Input", pm_strbuf_text(&text));
    }
    if (diagnosis->signature) pm_ticket_item(out, "Signature", diagnosis->signature);
    if (out->length > before) pm_strbuf_append(out, "\n");
}

static void put_positions(const struct pm_finding *finding, struct pm_strbuf *out) {
    for (size_t i = 0; i < finding->position_count && i < 10; i++) {
        const struct pm_role_position *position = &finding->positions[i];
        struct pm_strbuf text PM_AUTO_STRBUF = {0};
        if (!position->position.file && !position->function) continue;
        pm_strbuf_appendf(&text, "%s: ", position->role);
        if (position->function && *position->function) pm_strbuf_appendf(&text, "`%s` ", position->function);
        if (position->position.file) pm_strbuf_append(&text, position->position.file);
        if (position->position.file && position->position.line)
            pm_strbuf_appendf(&text, ":%" PRIu32, position->position.line);
        pm_strbuf_append(out, "- ");
        pm_ticket_text(out, pm_strbuf_text(&text), PM_TICKET_LONG);
        pm_strbuf_append(out, "\n");
    }
}

static void put_next(const struct pm_finding *finding, struct pm_strbuf *out) {
    struct pm_strbuf lines PM_AUTO_STRBUF = {0};
    for (size_t i = 0; i < finding->next_count && i < 5; i++) {
        size_t length = strlen(finding->next[i]);
        pm_escape_terminal(&lines, finding->next[i], length < PM_TICKET_LONG ? length : PM_TICKET_LONG);
        pm_strbuf_append(&lines, "\n");
    }
    if (!lines.length) return;
    pm_strbuf_append(out, "To dig further:\n\n");
    pm_ticket_code(out, &lines);
}

static void put_finding(const struct pm_finding *finding, struct pm_strbuf *out) {
    pm_strbuf_append(out, "### ");
    pm_ticket_text(out, finding->title, PM_TICKET_LONG);
    pm_strbuf_appendf(out, "\n\nSeverity %s, confidence %s", pm_severity_word(finding->severity),
                      pm_confidence_word(finding->confidence));
    if (finding->id) {
        pm_strbuf_append(out, ", ");
        pm_ticket_text(out, finding->id, PM_TICKET_CELL);
    }
    pm_strbuf_append(out, ".\n\n");
    if (finding->claim) {
        pm_ticket_text(out, finding->claim, PM_TICKET_LONG);
        pm_strbuf_append(out, "\n\n");
    }
    if (finding->advice) {
        pm_strbuf_append(out, "**Advice:** ");
        pm_ticket_text(out, finding->advice, PM_TICKET_LONG);
        pm_strbuf_append(out, "\n\n");
    }
    size_t before = out->length;
    put_positions(finding, out);
    for (size_t i = 0; i < finding->evidence_count && i < 20; i++) {
        pm_strbuf_append(out, "- ");
        pm_ticket_text(out, finding->evidence[i], PM_TICKET_LONG);
        pm_strbuf_append(out, "\n");
    }
    if (out->length > before) pm_strbuf_append(out, "\n");
    put_next(finding, out);
}

void pm_ticket_findings(const struct pm_diagnosis *diagnosis, const struct pm_write_options *options,
                        struct pm_strbuf *out) {
    (void)options;
    for (size_t i = 0; i < diagnosis->finding_count && i < 50; i++) put_finding(&diagnosis->findings[i], out);
    if (diagnosis->finding_count > 50)
        pm_strbuf_appendf(out, "%zu more findings.\n\n", diagnosis->finding_count - 50);
}

static void put_escaped(struct pm_strbuf *lines, const struct pm_strbuf *text) {
    pm_escape_terminal(lines, pm_strbuf_text(text),
                       text->length < PM_TICKET_LONG ? text->length : PM_TICKET_LONG);
}

static void put_frame(const struct pm_frame *frame, struct pm_strbuf *lines) {
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    pm_strbuf_append(lines, "at ");
    pm_frame_function(frame, &text);
    put_escaped(lines, &text);
    pm_strbuf_clear(&text);
    pm_frame_place(frame, false, &text);
    if (text.length) {
        pm_strbuf_append(lines, " (");
        put_escaped(lines, &text);
        pm_strbuf_append(lines, ")");
    }
    pm_strbuf_append(lines, frame->inlined ? " [inlined]\n" : "\n");
}

/* JavaScript, and native frames only when there is nothing else. Recursion is said, not shown. */
static void put_frames(const struct pm_thread *thread, size_t most, struct pm_strbuf *lines) {
    size_t shown = 0, left = 0;
    bool has_js = false;
    for (size_t i = 0; i < thread->frame_count; i++)
        has_js |= thread->frames[i].kind == PM_FRAME_JS || thread->frames[i].kind == PM_FRAME_BUILTIN;
    for (size_t i = 0; i < thread->frame_count;) {
        const struct pm_frame *frame = &thread->frames[i];
        size_t times, period = pm_stack_recursion(thread, i, &times);
        if (frame->hidden || (has_js && (frame->kind == PM_FRAME_NATIVE || frame->kind == PM_FRAME_ENTRY))) {
            i++;
            continue;
        }
        for (size_t k = 0; k < (period ? period : 1); k++) {
            if (thread->frames[i + k].hidden) continue;
            if (shown < most)
                put_frame(&thread->frames[i + k], lines);
            else
                left++;
            shown++;
        }
        if (period && shown <= most)
            pm_strbuf_appendf(lines, "... %s %zu times in a row\n",
                              period == 1 ? "the frame above stands" : "the frames above stand", times);
        i += period ? period * times : 1;
    }
    if (left) pm_strbuf_appendf(lines, "... %zu more frames\n", left);
}

void pm_ticket_stack(const struct pm_diagnosis *diagnosis, const struct pm_write_options *options,
                     struct pm_strbuf *out) {
    const struct pm_thread *thread = pm_first_thread(diagnosis);
    struct pm_strbuf lines PM_AUTO_STRBUF = {0}, title PM_AUTO_STRBUF = {0};
    if (!diagnosis->has_threads || !thread) return;
    put_frames(thread, options->limit ? options->limit : 30, &lines);
    pm_strbuf_append(out, "### Stack: ");
    pm_thread_title(thread, &title);
    pm_ticket_text(out, pm_strbuf_text(&title), PM_TICKET_CELL);
    pm_strbuf_append(out, "\n\n");
    if (thread->incomplete) {
        pm_strbuf_append(out, "The stack ends early: ");
        pm_ticket_text(out, thread->incomplete, PM_TICKET_LONG);
        pm_strbuf_append(out, "\n\n");
    }
    if (lines.length) pm_ticket_code(out, &lines);
}

static void put_skipped(const struct pm_skipped *row, struct pm_strbuf *out) {
    char number[PM_NUMBER_TEXT];
    pm_strbuf_append(out, "- skipped: ");
    pm_ticket_text(out, row->what, PM_TICKET_LONG);
    if (row->bytes != PM_UNKNOWN) pm_strbuf_appendf(out, ": %s", pm_format_bytes(number, row->bytes));
    if (row->count != PM_UNKNOWN)
        pm_strbuf_appendf(out, row->bytes != PM_UNKNOWN ? " in %s" : ": %s",
                          pm_format_count(number, row->count));
    if (row->why) {
        pm_strbuf_append(out, " (");
        pm_ticket_text(out, row->why, PM_TICKET_LONG);
        pm_strbuf_append(out, ")");
    }
    pm_strbuf_append(out, "\n");
}

void pm_ticket_coverage(const struct pm_diagnosis *diagnosis, const struct pm_write_options *options,
                        struct pm_strbuf *out) {
    char number[PM_NUMBER_TEXT];
    bool gaps = diagnosis->skipped_count || diagnosis->problem_count;
    struct {
        size_t count;
        const char *word;
    } parts[] = {{diagnosis->has_threads ? diagnosis->thread_count : 0, "thread"},
                 {diagnosis->report_count, "report"},
                 {diagnosis->profile_count, "profile"},
                 {diagnosis->gc_log_count, "log"}};
    (void)options;
    pm_strbuf_append(out, "Coverage: ");
    if (diagnosis->read_objects != PM_UNKNOWN)
        pm_strbuf_appendf(out, "%s objects", pm_format_count(number, diagnosis->read_objects));
    else
        pm_strbuf_append(out, "no heap objects");
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (parts[i].count)
            pm_strbuf_appendf(out, ", %zu %s%s", parts[i].count, parts[i].word,
                              parts[i].count == 1 ? "" : "s");
    pm_strbuf_append(out, gaps ? " read.\n\n" : " read; nothing skipped.\n\n");
    for (size_t i = 0; i < diagnosis->skipped_count && i < 30; i++) put_skipped(&diagnosis->skipped[i], out);
    for (size_t i = 0; i < diagnosis->problem_count && i < 30; i++) {
        pm_strbuf_append(out, "- not analysed: ");
        pm_ticket_text(out, diagnosis->problems[i].message, PM_TICKET_LONG);
        pm_strbuf_append(out, "\n");
        if (diagnosis->problems[i].hint) {
            pm_strbuf_append(out, "  ");
            pm_ticket_text(out, diagnosis->problems[i].hint, PM_TICKET_LONG);
            pm_strbuf_append(out, "\n");
        }
    }
    if (gaps) pm_strbuf_append(out, "\n");
}

/* Other incidents among the files: each with its verdict and findings, without the tables. */
void pm_ticket_others(const struct pm_diagnosis *diagnosis, const struct pm_write_options *options,
                      struct pm_strbuf *out) {
    for (size_t i = 0; i < diagnosis->other_count && i < 20; i++) {
        pm_strbuf_appendf(out, "---\n\nAnother incident, %zu of %zu:\n\n", i + 2, diagnosis->other_count + 1);
        pm_ticket_verdict(diagnosis->others[i], options, out);
        pm_ticket_findings(diagnosis->others[i], options, out);
        pm_ticket_stack(diagnosis->others[i], options, out);
        pm_ticket_coverage(diagnosis->others[i], options, out);
    }
    if (diagnosis->other_count > 20)
        pm_strbuf_appendf(out, "%zu more incidents.\n\n", diagnosis->other_count - 20);
}
