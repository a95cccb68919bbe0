/* The HTML page: the stack of the thread that died, then the others. User code is emphasised; runs of native
 * and runtime frames are folded into one line that opens. */
#include <inttypes.h>
#include <string.h>

#include "postmortem/model/words.h"
#include "postmortem/report/html.h"
#include "postmortem/report/stack_words.h"

#define USUAL_FRAMES 400
#define THREADS_MOST 200

static void put_values(const struct pm_html *page, const struct pm_frame *frame) {
    if (!frame->receiver && !frame->argument_count) return;
    pm_strbuf_append(page->out, "<span class=\"values\">");
    if (frame->receiver) {
        pm_strbuf_append(page->out, "this = ");
        pm_html_text(page, frame->receiver, PM_HTML_NAME);
    }
    for (size_t i = 0; i < frame->argument_count && i < 20; i++) {
        pm_strbuf_append(page->out, i || frame->receiver ? ", " : "");
        if (i == 0) pm_strbuf_append(page->out, frame->argument_count == 1 ? "argument " : "arguments ");
        pm_html_text(page, frame->arguments[i], PM_HTML_NAME);
    }
    pm_strbuf_append(page->out, "</span>");
}

void pm_html_frame(const struct pm_html *page, const struct pm_frame *frame, size_t number) {
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    bool user = pm_frame_is_user(frame);
    pm_strbuf_appendf(page->out,
                      "<li class=\"%s\"><span class=\"number\">%zu</span><code class=\"function\">",
                      user                         ? "user"
                      : frame->kind == PM_FRAME_JS ? "node"
                                                   : "other",
                      number);
    pm_frame_function(frame, &text);
    pm_html_text(page, pm_strbuf_text(&text), PM_HTML_NAME);
    pm_strbuf_append(page->out, "</code>");
    pm_strbuf_clear(&text);
    pm_frame_place(frame, page->options->verbose, &text);
    if (text.length) {
        pm_strbuf_append(page->out, " <span class=\"mono\">(");
        pm_html_text(page, pm_strbuf_text(&text), PM_HTML_NAME);
        pm_strbuf_append(page->out, ")</span>");
    }
    if (frame->inlined) pm_strbuf_append(page->out, " <span class=\"tag\">inlined</span>");
    if (frame->tier != PM_TIER_NONE)
        pm_strbuf_appendf(page->out, " <span class=\"tag\">%s</span>", pm_tier_word(frame->tier));
    if (user) put_values(page, frame);
    pm_strbuf_append(page->out, "</li>\n");
}

/* A frame that goes into a fold: native code and the plumbing between it and JavaScript. */
static bool is_folded(const struct pm_frame *frame) {
    return frame->hidden || frame->kind == PM_FRAME_NATIVE || frame->kind == PM_FRAME_ENTRY;
}

static void put_fold(const struct pm_html *page, const struct pm_thread *thread, size_t from, size_t to) {
    pm_strbuf_appendf(page->out,
                      "<li class=\"other\"><details><summary>%zu native and runtime frame%s</summary>"
                      "<ol class=\"stack\">\n",
                      to - from, to - from == 1 ? "" : "s");
    for (size_t i = from; i < to; i++) pm_html_frame(page, &thread->frames[i], i);
    pm_strbuf_append(page->out, "</ol></details></li>\n");
}

static void put_frames(const struct pm_html *page, const struct pm_thread *thread) {
    size_t most = pm_html_rows(page, thread->frame_count, USUAL_FRAMES), shown = 0, i = 0;
    bool has_js = false;
    for (size_t k = 0; k < thread->frame_count; k++)
        has_js |= thread->frames[k].kind == PM_FRAME_JS || thread->frames[k].kind == PM_FRAME_BUILTIN;
    pm_strbuf_append(page->out, "<ol class=\"stack\">\n");
    while (i < thread->frame_count && shown < most && pm_html_room(page)) {
        size_t times, period = pm_stack_recursion(thread, i, &times), to = i;
        while (has_js && to < thread->frame_count && to - i < USUAL_FRAMES && is_folded(&thread->frames[to]))
            to++;
        if (to > i) {
            put_fold(page, thread, i, to);
            shown += to - i;
            i = to;
            continue;
        }
        for (size_t k = 0; k < (period ? period : 1); k++, shown++)
            pm_html_frame(page, &thread->frames[i + k], i + k);
        if (period)
            pm_strbuf_appendf(page->out, "<li class=\"other\">\xe2\x80\xa6 %s %zu times in a row</li>\n",
                              period == 1 ? "the frame above stands" : "the frames above stand", times);
        i += period ? period * times : 1;
    }
    pm_strbuf_append(page->out, "</ol>\n");
    pm_html_left_out(page, thread->frame_count - i, "frames");
}

static void put_thread(const struct pm_html *page, const struct pm_thread *thread) {
    put_frames(page, thread);
    if (thread->js_fallback)
        pm_strbuf_append(page->out,
                         "<p class=\"warn\">Native unwinding failed; the JavaScript frames come from the "
                         "isolate.</p>\n");
    if (thread->incomplete) {
        pm_strbuf_append(page->out, "<p class=\"warn\">The stack ends early: ");
        pm_html_text(page, thread->incomplete, PM_HTML_LONG);
        pm_strbuf_append(page->out, "</p>\n");
    }
}

void pm_html_stack(const struct pm_html *page) {
    const struct pm_thread *thread = pm_first_thread(page->diagnosis);
    struct pm_strbuf title PM_AUTO_STRBUF = {0};
    if (!page->diagnosis->has_threads || !thread) return;
    pm_thread_title(thread, &title);
    pm_strbuf_append(page->out, thread->crashed ? "<h3>Died: " : "<h3>");
    pm_html_prose(page, pm_strbuf_text(&title));
    pm_strbuf_append(page->out, "</h3>\n");
    put_thread(page, thread);
}

/* Threads without JavaScript that do the same are one line; of the others each has its stack. */
void pm_html_threads(const struct pm_html *page) {
    const struct pm_diagnosis *diagnosis = page->diagnosis;
    const struct pm_thread *first = pm_first_thread(diagnosis);
    size_t i = 0, shown = 0;
    if (!diagnosis->has_threads || diagnosis->thread_count < 2) return;
    for (; i < diagnosis->thread_count && shown < THREADS_MOST && pm_html_room(page); i++) {
        const struct pm_thread *thread = &diagnosis->threads[i];
        struct pm_strbuf title PM_AUTO_STRBUF = {0};
        if (thread == first) continue;
        size_t alike = thread->isolate ? 1 : pm_threads_alike(diagnosis, i, first);
        if (!alike) continue;
        pm_thread_title(thread, &title);
        pm_strbuf_append(page->out, "<details><summary>");
        pm_html_prose(page, pm_strbuf_text(&title));
        if (alike > 1) pm_strbuf_appendf(page->out, " (%zu threads alike)", alike);
        pm_strbuf_append(page->out, "</summary>\n");
        put_thread(page, thread);
        pm_strbuf_append(page->out, "</details>\n");
        shown++;
    }
    pm_html_left_out(page, diagnosis->thread_count - i, "threads");
}
