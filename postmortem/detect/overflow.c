/* overflow.c - a stack that recursion used up: the process died of the guard page below it. */
#include <string.h>

#include "postmortem/detect/detector.h"
#include "postmortem/detect/report_finding.h"

/* How many of the frames are of this function. */
static size_t count_same(const struct pm_thread *thread, const struct pm_frame *frame) {
    size_t same = 0;
    for (size_t i = 0; frame->function && i < thread->frame_count; i++)
        same += thread->frames[i].function && !strcmp(thread->frames[i].function, frame->function);
    return same;
}

static bool has_stack_size(const struct pm_process *process) {
    for (size_t i = 0; i < process->argc; i++)
        if (!strncmp(process->argv[i], "--stack-size", 12) || !strncmp(process->argv[i], "--stack_size", 12))
            return true;
    return false;
}

static struct pm_error *describe(struct pm_diagnosis *diagnosis, const struct pm_thread *thread) {
    struct pm_arena *arena = diagnosis->arena;
    const struct pm_frame *frame = NULL;
    for (size_t i = 0; i < thread->frame_count && !frame; i++)
        if (thread->frames[i].kind == PM_FRAME_JS && pm_is_user_file(thread->frames[i].position.file))
            frame = &thread->frames[i];
    struct pm_claim claim =
        pm_claim_begin(diagnosis, "stack-overflow", PM_SEVERITY_CRITICAL, PM_CONFIDENCE_HIGH);
    pm_claim_title(&claim, "the stack overflowed");
    pm_claim_text(&claim, "Recursion used up the %s of the thread's stack%s%s.",
                  pm_report_bytes(arena, thread->overflowed), frame ? ": it ended in " : "",
                  frame ? pm_report_frame_text(arena, frame) : "");
    if (frame)
        pm_claim_evidence(&claim, "%s of %s frames are of this function",
                          pm_report_count_text(arena, count_same(thread, frame)),
                          pm_report_count_text(arena, thread->frame_count));
    if (has_stack_size(&diagnosis->process))
        pm_claim_evidence(&claim, "--stack-size lets V8 use more than the thread may have (ulimit -s)");
    pm_claim_position(&claim, "blocked", frame);
    pm_claim_advice(
        &claim, "Does the recursion end for this input (cyclic data, a very long list)? Use a loop with a "
                "list of what is left; --stack-size must stay below the real size of the stack.");
    return pm_claim_end(&claim);
}

static struct pm_error *run(struct pm_diagnosis *diagnosis, const struct pm_heap_view *heap) {
    (void)heap;
    for (size_t i = 0; i < diagnosis->thread_count; i++)
        if (diagnosis->threads[i].crashed && diagnosis->threads[i].overflowed)
            return describe(diagnosis, &diagnosis->threads[i]);
    return NULL;
}

const struct pm_detector pm_detect_overflow = {
    .name = "stack-overflow",
    .summary = "a stack that recursion used up",
    .needs = PM_NEEDS_THREADS,
    .run = run,
};
