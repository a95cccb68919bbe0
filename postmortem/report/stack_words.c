#include "postmortem/report/stack_words.h"

#include <inttypes.h>
#include <string.h>

#include "postmortem/model/words.h"

bool pm_frame_is_user(const struct pm_frame *frame) {
    return frame->kind == PM_FRAME_JS && frame->position.file &&
           strncmp(frame->position.file, "node:", 5) != 0;
}

void pm_frame_function(const struct pm_frame *frame, struct pm_strbuf *out) {
    const char *name = frame->function;
    if (frame->is_async && !(name && strncmp(name, "async ", 6) == 0)) pm_strbuf_append(out, "async ");
    if (frame->constructor && (!name || strncmp(name, "new ", 4) != 0)) pm_strbuf_append(out, "new ");
    if (name && *name)
        pm_strbuf_append(out, name);
    else
        pm_strbuf_append(out, frame->kind == PM_FRAME_JS ? "<anonymous>" : "?");
}

void pm_frame_place(const struct pm_frame *frame, bool whole_path, struct pm_strbuf *out) {
    const struct pm_position *position = &frame->position;
    if (position->file) {
        pm_strbuf_append(out, position->file);
        if (position->line) pm_strbuf_appendf(out, ":%" PRIu32, position->line);
        if (position->line && position->column) pm_strbuf_appendf(out, ":%" PRIu32, position->column);
        if (position->line && frame->approximate) pm_strbuf_append(out, "~");
    } else if (frame->kind == PM_FRAME_BUILTIN) {
        pm_strbuf_append(out, "built-in");
    } else if (frame->module) {
        const char *slash = whole_path ? NULL : strrchr(frame->module, '/');
        pm_strbuf_append(out, slash ? slash + 1 : frame->module);
        if (frame->offset != PM_UNKNOWN) pm_strbuf_appendf(out, "+0x%" PRIx64, frame->offset);
    } else if (frame->address) {
        pm_strbuf_appendf(out, "0x%" PRIx64, frame->address);
    }
}

void pm_thread_title(const struct pm_thread *thread, struct pm_strbuf *out) {
    if (thread->role != PM_ROLE_OTHER) pm_strbuf_appendf(out, "%s ", pm_role_word(thread->role));
    pm_strbuf_append(out, "thread");
    if (thread->tid != PM_UNKNOWN) pm_strbuf_appendf(out, " %" PRIu64, thread->tid);
    if (thread->name && *thread->name && strcmp(thread->name, pm_role_word(thread->role)) != 0)
        pm_strbuf_appendf(out, " \"%s\"", thread->name);
    /* The detail says it with the user's names; the phrase is the general word. */
    if (thread->state != PM_STATE_UNKNOWN)
        pm_strbuf_appendf(out, ": %s",
                          thread->state_detail ? thread->state_detail : pm_state_phrase(thread->state));
}

static bool same_text(const char *a, const char *b) {
    return a == b || (a && b && !strcmp(a, b));
}

static bool same_frame(const struct pm_frame *a, const struct pm_frame *b) {
    return a->kind == b->kind && a->hidden == b->hidden && same_text(a->function, b->function) &&
           same_text(a->position.file, b->position.file) && a->position.line == b->position.line &&
           a->position.column == b->position.column && (a->kind != PM_FRAME_NATIVE || a->offset == b->offset);
}

/* How often the `period` frames from `at` on stand there in a row (1 = once). */
static size_t repetitions(const struct pm_thread *thread, size_t at, size_t period) {
    size_t same = 0;
    while (at + period + same < thread->frame_count &&
           same_frame(&thread->frames[at + same], &thread->frames[at + period + same]))
        same++;
    return 1 + same / period;
}

size_t pm_stack_recursion(const struct pm_thread *thread, size_t at, size_t *times_ret) {
    for (size_t period = 1; period <= 8; period++) {
        *times_ret = repetitions(thread, at, period);
        if (*times_ret >= 4) return period;
    }
    *times_ret = 1;
    return 0;
}

size_t pm_threads_alike(const struct pm_diagnosis *diagnosis, size_t at, const struct pm_thread *shown) {
    const struct pm_thread *thread = &diagnosis->threads[at];
    size_t alike = 0;
    if (thread == shown) return 0;
    for (size_t i = 0; i < diagnosis->thread_count; i++) {
        const struct pm_thread *other = &diagnosis->threads[i];
        if (other == shown || other->role != thread->role || other->state != thread->state ||
            !same_text(other->state_detail, thread->state_detail))
            continue;
        if (i < at) return 0;
        alike++;
    }
    return alike;
}

/* While the main thread is idle, a worker at work is what there is to see; one that waits comes second. */
static const struct pm_thread *busy_worker(const struct pm_diagnosis *diagnosis) {
    const struct pm_thread *waits = NULL;
    for (size_t i = 0; i < diagnosis->thread_count; i++) {
        const struct pm_thread *thread = &diagnosis->threads[i];
        if (thread->role != PM_ROLE_WORKER || thread->state == PM_STATE_POLLING ||
            thread->state == PM_STATE_UNKNOWN)
            continue;
        if (thread->state != PM_STATE_ATOMICS_WAIT && thread->state != PM_STATE_WAITING) return thread;
        if (!waits) waits = thread;
    }
    return waits;
}

const struct pm_thread *pm_first_thread(const struct pm_diagnosis *diagnosis) {
    const struct pm_thread *first = NULL;
    for (size_t i = 0; i < diagnosis->thread_count; i++) {
        const struct pm_thread *thread = &diagnosis->threads[i];
        if (thread->crashed || (thread->role == PM_ROLE_MAIN && !first)) first = thread;
        if (thread->crashed) break;
    }
    if (first && first->role == PM_ROLE_MAIN && first->state == PM_STATE_POLLING) {
        const struct pm_thread *busy = busy_worker(diagnosis);
        if (busy) return busy;
    }
    return first ? first : diagnosis->thread_count ? &diagnosis->threads[0] : NULL;
}
