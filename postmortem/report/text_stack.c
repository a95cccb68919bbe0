/* The text page: stacks. User code is what people look for: it is bold, Node's and V8's own frames are dim,
 * and the plumbing between them is counted, not shown. */
#include <inttypes.h>
#include <string.h>

#include "postmortem/base/escape.h"
#include "postmortem/model/words.h"
#include "postmortem/report/format.h"
#include "postmortem/report/table.h"
#include "postmortem/report/text.h"

static bool is_user_code(const struct pm_frame *frame) {
    return frame->kind == PM_FRAME_JS && frame->position.file &&
           strncmp(frame->position.file, "node:", 5) != 0;
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* "handleRequest", "new UserSession", "async load" */
static void put_function(const struct pm_frame *frame, struct pm_strbuf *out) {
    const char *name = frame->function;
    if (frame->is_async) pm_strbuf_append(out, "async ");
    if (frame->constructor && (!name || strncmp(name, "new ", 4) != 0)) pm_strbuf_append(out, "new ");
    if (name && *name)
        pm_escape_terminal(out, name, strlen(name));
    else
        pm_strbuf_append(out, frame->kind == PM_FRAME_JS ? "<anonymous>" : "?");
}

/* "/app/src/server.js:31:5", "node+0x1234", "built-in" */
static void put_place(const struct pm_frame *frame, bool verbose, struct pm_strbuf *out) {
    const struct pm_position *position = &frame->position;
    if (position->file) {
        pm_escape_terminal(out, position->file, strlen(position->file));
        if (position->line) pm_strbuf_appendf(out, ":%" PRIu32, position->line);
        if (position->line && position->column) pm_strbuf_appendf(out, ":%" PRIu32, position->column);
        if (position->line && frame->approximate) pm_strbuf_append(out, "~");
    } else if (frame->kind == PM_FRAME_BUILTIN) {
        pm_strbuf_append(out, "built-in");
    } else if (frame->module) {
        const char *name = verbose ? frame->module : base_name(frame->module);
        pm_escape_terminal(out, name, strlen(name));
        if (frame->offset != PM_UNKNOWN) pm_strbuf_appendf(out, "+0x%" PRIx64, frame->offset);
    } else if (frame->address) {
        pm_strbuf_appendf(out, "0x%" PRIx64, frame->address);
    }
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
    bool verbose = page->options->verbose, user = is_user_code(frame);
    struct pm_strbuf function PM_AUTO_STRBUF = {0}, place PM_AUTO_STRBUF = {0}, notes PM_AUTO_STRBUF = {0};
    put_function(frame, &function);
    put_place(frame, verbose, &place);
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

static bool same_text(const char *a, const char *b) {
    return a == b || (a && b && !strcmp(a, b));
}

static bool same_frame(const struct pm_frame *a, const struct pm_frame *b) {
    return a->kind == b->kind && a->hidden == b->hidden && same_text(a->function, b->function) &&
           same_text(a->position.file, b->position.file) && a->position.line == b->position.line &&
           a->position.column == b->position.column && (a->kind != PM_FRAME_NATIVE || a->offset == b->offset);
}

/* Recursion: how often the `period` frames from `at` on stand there in a row (1 = once). */
static size_t repetitions(const struct pm_thread *thread, size_t at, size_t period) {
    size_t same = 0;
    while (at + period + same < thread->frame_count &&
           same_frame(&thread->frames[at + same], &thread->frames[at + period + same]))
        same++;
    return 1 + same / period;
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
    };
}

/* How many frames from `at` on are one repeated group, and of how many frames the group is; 0 = no recursion
 * here. */
static size_t recursion(const struct pm_thread *thread, size_t at, size_t *times_ret) {
    for (size_t period = 1; period <= 8; period++) {
        *times_ret = repetitions(thread, at, period);
        if (*times_ret >= 4) return period;
    }
    *times_ret = 1;
    return 0;
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
        size_t times, period = recursion(thread, i, &times);
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

static void describe_thread(const struct pm_thread *thread, struct pm_strbuf *out) {
    if (thread->role != PM_ROLE_OTHER) pm_strbuf_appendf(out, "%s ", pm_role_word(thread->role));
    pm_strbuf_appendf(out, "thread %" PRIu64, thread->tid);
    if (thread->name && *thread->name && strcmp(thread->name, pm_role_word(thread->role)) != 0)
        pm_strbuf_appendf(out, " \"%s\"", thread->name);
    if (thread->state != PM_STATE_UNKNOWN) {
        /* The detail says it with the user's names; the phrase is the general word. */
        pm_strbuf_appendf(out, ": %s",
                          thread->state_detail ? thread->state_detail : pm_state_phrase(thread->state));
    }
}

void pm_page_stack(const struct pm_page *page, const struct pm_thread *thread, size_t usual_frames) {
    struct pm_strbuf title PM_AUTO_STRBUF = {0};
    describe_thread(thread, &title);
    pm_page_entry(page, "Stack", thread->crashed ? PM_BOLD : PM_PLAIN, pm_strbuf_text(&title));
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
        size_t alike = 0;
        bool told = false;
        if (thread == shown) continue;
        for (size_t k = 0; k < diagnosis->thread_count; k++) {
            const struct pm_thread *other = &diagnosis->threads[k];
            if (other == shown || other->role != thread->role || other->state != thread->state ||
                !same_text(other->state_detail, thread->state_detail))
                continue;
            alike++;
            told |= k < i;
        }
        if (told) continue;
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
            describe_thread(thread, &text);
        }
        pm_page_entry(page, first ? "Others" : NULL, PM_PLAIN, pm_strbuf_text(&text));
        first = false;
    }
    if (!first) pm_page_gap(page);
}
