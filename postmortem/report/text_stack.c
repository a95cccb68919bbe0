/* The text page: stacks. User code is what people look for: it is bold, Node's and V8's own frames are dim,
 * and the plumbing between them is counted, not shown. */
#include <inttypes.h>
#include <string.h>

#include "postmortem/base/escape.h"
#include "postmortem/model/words.h"
#include "postmortem/report/format.h"
#include "postmortem/report/short_paths.h"
#include "postmortem/report/stack_words.h"
#include "postmortem/report/table.h"
#include "postmortem/report/text.h"

/* A raw text as it may be printed. */
static void escape_into(struct pm_strbuf *out, void (*spell)(const struct pm_frame *, struct pm_strbuf *),
                        const struct pm_frame *frame) {
    struct pm_strbuf raw PM_AUTO_STRBUF = {0};
    spell(frame, &raw);
    pm_escape_terminal(out, pm_strbuf_text(&raw), raw.length);
}

static void short_place(const struct pm_frame *frame, struct pm_strbuf *out) {
    pm_frame_place(frame, false, out);
}

static void whole_place(const struct pm_frame *frame, struct pm_strbuf *out) {
    pm_frame_place(frame, true, out);
}

static void put_notes(const struct pm_frame *frame, bool verbose, struct pm_strbuf *out) {
    if (frame->inlined) pm_strbuf_append(out, " [inlined]");
    if (verbose && frame->tier != PM_TIER_NONE) pm_strbuf_appendf(out, " [%s]", pm_tier_word(frame->tier));
    if (verbose && frame->kind != PM_FRAME_JS)
        pm_strbuf_appendf(out, " [%s]", pm_frame_kind_word(frame->kind));
}

/* this and the arguments, on their own line below the frame. */
static void put_arguments(const struct pm_page *page, const struct pm_frame *frame) {
    struct pm_strbuf text PM_AUTO_STRBUF = {0}, shown PM_AUTO_STRBUF = {0};
    if (frame->receiver) {
        pm_strbuf_append(&text, "this = ");
        pm_escape_terminal(&text, frame->receiver, strlen(frame->receiver));
    }
    for (size_t i = 0; i < frame->argument_count; i++) {
        if (text.length) pm_strbuf_append(&text, ", ");
        if (i == 0) pm_strbuf_append(&text, frame->argument_count == 1 ? "argument " : "arguments ");
        if (frame->arguments[i]) pm_escape_terminal(&text, frame->arguments[i], strlen(frame->arguments[i]));
    }
    if (!text.length) return;
    unsigned indent = PM_LABEL_WIDTH + 6;
    pm_text_cut(&shown, pm_strbuf_text(&text), page->columns > indent + 20 ? page->columns - indent : 20,
                false);
    fprintf(page->out, "%*s%s%s%s\n", (int)indent, "", pm_page_style(page, PM_DIM), pm_strbuf_text(&shown),
            pm_page_reset(page, PM_DIM));
}

static void put_frame(const struct pm_page *page, const struct pm_frame *frame, size_t number) {
    bool verbose = page->options->verbose, user = pm_frame_is_user(frame);
    struct pm_strbuf function PM_AUTO_STRBUF = {0}, place PM_AUTO_STRBUF = {0}, notes PM_AUTO_STRBUF = {0},
                              whole PM_AUTO_STRBUF = {0};
    escape_into(&function, pm_frame_function, frame);
    escape_into(&whole, verbose ? whole_place : short_place, frame);
    pm_shorten_paths(&place, page->folder, pm_strbuf_text(&whole));
    put_notes(frame, verbose, &notes);
    unsigned indent = PM_LABEL_WIDTH + 6;
    size_t room = page->columns > indent + 20 ? page->columns - indent : 20;
    size_t function_width = pm_text_width(pm_strbuf_text(&function)),
           place_width = pm_text_width(pm_strbuf_text(&place));
    bool one_line = function_width + place_width + notes.length + 3 <= room;
    /* C++ signatures are long and say little: they are cut. A file:line never is. */
    if (!one_line && frame->kind != PM_FRAME_JS && !verbose) {
        struct pm_strbuf cut PM_AUTO_STRBUF = {0};
        size_t left = room > place_width + 3 + notes.length ? room - place_width - 3 - notes.length : 0;
        pm_text_cut(&cut, pm_strbuf_text(&function), left > 24 ? left : 24, false);
        pm_strbuf_clear(&function);
        pm_strbuf_append(&function, pm_strbuf_text(&cut));
        one_line = true;
    }
    enum pm_style style = user ? PM_BOLD : frame->kind == PM_FRAME_JS ? PM_PLAIN : PM_DIM;
    fprintf(page->out, "%*s%4zu  %s%s%s", PM_LABEL_WIDTH, "", number, pm_page_style(page, style),
            pm_strbuf_text(&function), pm_page_reset(page, style));
    if (place.length && one_line)
        fprintf(page->out, " (%s)", pm_strbuf_text(&place));
    else if (place.length)
        fprintf(page->out, "\n%*s(%s)", (int)indent + 2, "", pm_strbuf_text(&place));
    fprintf(page->out, "%s\n", pm_strbuf_text(&notes));
    if (verbose || (user && page->options->sections & PM_SHOW_THREADS)) put_arguments(page, frame);
}

static void put_elided(const struct pm_page *page, size_t runtime, size_t native) {
    char text[128] = "";
    if (runtime && native)
        snprintf(text, sizeof(text), "%zu native and runtime frames", runtime + native);
    else if (native)
        snprintf(text, sizeof(text), "%zu native frame%s", native, native == 1 ? "" : "s");
    else if (runtime)
        snprintf(text, sizeof(text), "%zu runtime frame%s", runtime, runtime == 1 ? "" : "s");
    if (*text)
        fprintf(page->out, "%*s      %s... %s (%s)%s\n", PM_LABEL_WIDTH, "", pm_page_style(page, PM_DIM),
                text, native ? "the command stacks shows them" : "-v shows them",
                pm_page_reset(page, PM_DIM));
}

/* What of a stack is shown: all of it with -v; without the plumbing in `stacks`; on the one page the
 * JavaScript, and native frames only where they are the point: on top, when native code or somebody else
 * ended the process, or when there is nothing else. */
struct shown_frames {
    bool plumbing, native;
    size_t top_native;
    size_t most; /* of a stack that says little: 0 = as many as there is room for */
};

static struct shown_frames choose_frames(const struct pm_page *page, const struct pm_thread *thread) {
    bool whole_stacks = page->options->sections & PM_SHOW_THREADS, has_js = false;
    enum pm_death_kind death = page->diagnosis->process.death;
    bool out_of_memory = death == PM_DEATH_HEAP_LIMIT || death == PM_DEATH_INEFFECTIVE_GC ||
                         death == PM_DEATH_FATAL_ERROR || death == PM_DEATH_UNCAUGHT;
    for (size_t i = 0; i < thread->frame_count; i++) has_js |= thread->frames[i].kind == PM_FRAME_JS;
    return (struct shown_frames){
        .plumbing = page->options->verbose,
        .native = page->options->verbose || whole_stacks || !has_js,
        .top_native = out_of_memory ? 0 : 6,
        .most = out_of_memory && !has_js && !whole_stacks && !page->options->verbose ? 10 : 0,
    };
}

static void put_recursion(const struct pm_page *page, size_t period, size_t times) {
    fprintf(page->out, "%*s      %s... %s %zu times in a row%s\n", PM_LABEL_WIDTH, "",
            pm_page_style(page, PM_WARN), period == 1 ? "the frame above stands" : "the frames above stand",
            times, pm_page_reset(page, PM_WARN));
}

static void put_frames(const struct pm_page *page, const struct pm_thread *thread, size_t most) {
    struct shown_frames wanted = choose_frames(page, thread);
    size_t shown = 0, runtime = 0, native = 0, i = 0;
    bool on_top = true;
    if (wanted.most && wanted.most < most && !page->options->limit) most = wanted.most;
    while (i < thread->frame_count && shown < most) {
        const struct pm_frame *frame = &thread->frames[i];
        on_top &= frame->kind == PM_FRAME_NATIVE || frame->kind == PM_FRAME_ENTRY;
        bool hidden = frame->hidden && !wanted.plumbing;
        bool folded =
            frame->kind == PM_FRAME_NATIVE && !wanted.native && !(on_top && shown < wanted.top_native);
        if (hidden || folded) {
            if (frame->kind == PM_FRAME_NATIVE && folded)
                native++;
            else
                runtime++;
            i++;
            continue;
        }
        put_elided(page, runtime, native);
        runtime = native = 0;
        size_t times, period = pm_stack_recursion(thread, i, &times);
        for (size_t k = 0; k < (period ? period : 1); k++)
            if (wanted.plumbing || !thread->frames[i + k].hidden) {
                put_frame(page, &thread->frames[i + k], i + k);
                shown++;
            }
        if (period) put_recursion(page, period, times);
        i += period ? period * times : 1;
    }
    put_elided(page, runtime, native);
    if (i < thread->frame_count)
        fprintf(page->out, "%*s      %s%zu more frames (--limit 0 shows all)%s\n", PM_LABEL_WIDTH, "",
                pm_page_style(page, PM_DIM), thread->frame_count - i, pm_page_reset(page, PM_DIM));
}

void pm_page_stack(const struct pm_page *page, const struct pm_thread *thread, size_t usual_frames) {
    struct pm_strbuf title PM_AUTO_STRBUF = {0};
    pm_thread_title(thread, &title);
    pm_page_prose(page, "Stack", thread->crashed ? PM_BOLD : PM_PLAIN, pm_strbuf_text(&title));
    put_frames(page, thread, pm_page_rows(page, SIZE_MAX, usual_frames));
    if (thread->js_fallback)
        pm_page_entry(page, NULL, PM_WARN,
                      "native unwinding failed; the JavaScript frames come from the isolate");
    if (thread->incomplete)
        pm_page_entryf(page, NULL, PM_WARN, "the stack ends early: %s", thread->incomplete);
    pm_page_gap(page);
}

/* Threads that do the same are one line. */
void pm_page_other_threads(const struct pm_page *page, const struct pm_thread *shown) {
    const struct pm_diagnosis *diagnosis = page->diagnosis;
    bool first = true;
    for (size_t i = 0; i < diagnosis->thread_count; i++) {
        const struct pm_thread *thread = &diagnosis->threads[i];
        size_t alike = pm_threads_alike(diagnosis, i, shown);
        if (!alike) continue;
        struct pm_strbuf text PM_AUTO_STRBUF = {0};
        if (alike > 1) {
            pm_strbuf_appendf(&text, "%zu %s%sthreads", alike,
                              thread->role == PM_ROLE_OTHER ? "" : pm_role_word(thread->role),
                              thread->role == PM_ROLE_OTHER ? "" : " ");
            if (thread->state != PM_STATE_UNKNOWN)
                pm_strbuf_appendf(&text, ": %s",
                                  thread->state_detail ? thread->state_detail
                                                       : pm_state_phrase(thread->state));
        } else {
            pm_thread_title(thread, &text);
        }
        pm_page_prose(page, first ? "Others" : NULL, PM_PLAIN, pm_strbuf_text(&text));
        first = false;
    }
    if (!first) pm_page_gap(page);
}
