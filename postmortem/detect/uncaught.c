/* uncaught.c - the error that ended the process, from its core: where it was thrown, by the stack the error
 * itself remembers. Of a promise that was rejected nothing else tells that. */
#include <string.h>

#include "postmortem/detect/detector.h"
#include "postmortem/detect/report_finding.h"

#define MOST_SHOWN 8

/* The innermost frame that is not Node's own, packages included. */
static const struct pm_frame *thrower(const struct pm_process *process) {
    for (size_t i = 0; i < process->error_frame_count; i++) {
        const struct pm_frame *frame = &process->error_frames[i];
        if (frame->kind == PM_FRAME_JS && pm_is_user_file(frame->position.file)) return frame;
    }
    return NULL;
}

/* An EventEmitter throws the error of an `error` event for which there is no listener. */
static bool is_error_event(const struct pm_diagnosis *diagnosis) {
    for (size_t i = 0; i < diagnosis->thread_count; i++) {
        const struct pm_thread *thread = &diagnosis->threads[i];
        for (size_t k = 0; thread->crashed && k < thread->frame_count; k++) {
            const struct pm_frame *frame = &thread->frames[k];
            if (frame->kind != PM_FRAME_JS) continue;
            const char *dot = frame->function ? strrchr(frame->function, '.') : NULL;
            return dot && !strcmp(dot, ".emit") && frame->position.file &&
                   !strcmp(frame->position.file, "node:events");
        }
    }
    return false;
}

static struct pm_error *run(struct pm_diagnosis *diagnosis, const struct pm_heap_view *heap) {
    const struct pm_process *process = &diagnosis->process;
    const struct pm_frame *top = thrower(process),
                          *user = pm_report_user_frame(process->error_frames, process->error_frame_count);
    const char *message = process->death_message ? process->death_message : "an error";
    (void)heap;
    if (process->death != PM_DEATH_UNCAUGHT || diagnosis->report_count || !process->error_frame_count)
        return NULL;
    struct pm_claim claim =
        pm_claim_begin(diagnosis, process->is_rejection ? "unhandled-rejection" : "uncaught-exception",
                       PM_SEVERITY_CRITICAL, PM_CONFIDENCE_HIGH);
    pm_claim_title(&claim, process->is_rejection ? "a rejected promise that nobody caught"
                                                 : "an error that nobody caught");
    pm_claim_text(&claim, "\"%s\" was thrown%s%s, and nobody caught it.", message, top ? " in " : "",
                  top ? pm_report_frame_text(diagnosis->arena, top) : "");
    if (!top || pm_report_is_foreign(user ? user->position.file : NULL))
        pm_claim_evidence(&claim,
                          "no frame of the stack is the application's own: it came from the event loop");
    for (size_t i = 0, shown = 0; i < process->error_frame_count && shown < MOST_SHOWN; i++) {
        const struct pm_frame *frame = &process->error_frames[i];
        bool own = frame->kind == PM_FRAME_JS && pm_is_user_file(frame->position.file);
        if (!own && shown) continue;
        pm_claim_evidence(&claim, "at %s%s", frame->is_async ? "async " : "",
                          pm_report_frame_text(diagnosis->arena, frame));
        shown++;
    }
    pm_claim_position(&claim, "thrower", top);
    if (user != top && user && !pm_report_is_foreign(user->position.file))
        pm_claim_position(&claim, "running", user);
    pm_claim_advice(
        &claim, "%s",
        process->is_rejection
            ? "Await the promise inside of try, or give it a catch, where the error can be handled: some "
              "caller on this way let go of it."
        : is_error_event(diagnosis)
            ? "It was the `error` event of an EventEmitter (a socket, a stream, a client) for which nobody "
              "listens: give it a listener for `error`, before anything can fail."
            : "Catch it where it can be handled; after an uncaught exception the process has to end, as its "
              "state is unknown.");
    return pm_claim_end(&claim);
}

const struct pm_detector pm_detect_uncaught = {
    .name = "uncaught",
    .summary = "the error that ended the process, and where it was thrown",
    .needs = PM_NEEDS_PROCESS,
    .run = run,
};
