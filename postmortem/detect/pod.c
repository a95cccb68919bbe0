/* What Kubernetes says of the container's deaths: killed by the kernel for its memory, exit codes, restarts.
 */
#include "postmortem/model/pod.h"

#include <string.h>

#include "postmortem/detect/detector.h"
#include "postmortem/detect/report_finding.h"
#include "postmortem/detect/report_thresholds.h"

static bool is(const char *text, const char *word) {
    return text && !strcmp(text, word);
}

/* The death to tell: the container is dead now, or it was before its last start. */
static const struct pm_pod_state *death_of(const struct pm_pod_container *container) {
    if (container->state.kind == PM_POD_STATE_TERMINATED) return &container->state;
    return container->last_state.kind == PM_POD_STATE_TERMINATED ? &container->last_state : NULL;
}

/* What an exit code of a container says. */
static const char *code_words(uint64_t code) {
    static const struct {
        uint64_t code;
        const char *words;
    } codes[] = {
        {1, "node ended with an error: an uncaught exception, usually; its stack is in the log of the "
            "container"},
        {7, "an error was thrown while an uncaught exception was handled"},
        {9, "node was called with an option it does not know"},
        {12, "the debug port was not free"},
        {13, "a top-level await never settled"},
        {125, "the container could not be started"},
        {126, "the command may not be executed"},
        {127, "the command is not in the image"},
        {129, "SIGHUP"},
        {130, "SIGINT"},
        {132, "SIGILL: an instruction this processor does not have, or int3 of V8"},
        {133, "SIGTRAP: V8 stopped itself, usually a fatal error or out of memory"},
        {134, "SIGABRT: V8's heap limit, a failed check, or process.abort(); node printed why to standard "
              "error, and may have "
              "left a core"},
        {135,
         "SIGBUS: memory that could not be had, often a full /dev/shm or a file that was cut while mapped"},
        {136, "SIGFPE"},
        {137, "SIGKILL: the kernel (memory), a liveness probe that failed, or the end of the grace period"},
        {139, "SIGSEGV: a crash in native code, an addon or node itself"},
        {143, "SIGTERM: it was asked to stop (deployment, scaling, eviction, probe)"},
    };
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (codes[i].code == code) return codes[i].words;
    return "an exit code of the program's own";
}

static void say_where(struct pm_claim *claim, const struct pm_pod *pod,
                      const struct pm_pod_container *container) {
    pm_claim_evidence(claim, "pod %s/%s on \"%s\", container %s, image %s",
                      pod->namespace_name ? pod->namespace_name : "?", pod->name ? pod->name : "?",
                      pod->node ? pod->node : "?", container->name,
                      container->image ? container->image : "?");
}

static struct pm_error *oom_killed(struct pm_diagnosis *diagnosis, const struct pm_pod *pod,
                                   const struct pm_pod_container *container,
                                   const struct pm_pod_state *death) {
    struct pm_arena *arena = diagnosis->arena;
    struct pm_claim claim =
        pm_claim_begin(diagnosis, "pod-oom-killed", PM_SEVERITY_CRITICAL, PM_CONFIDENCE_HIGH);
    bool limited = container->memory_limit != PM_UNKNOWN;
    pm_claim_title(&claim, "the kernel killed the container for its memory");
    pm_claim_text(&claim, "Container %s was killed by the kernel because it reached %s%s (OOMKilled)%s%s.",
                  container->name, limited ? "its memory limit of " : "the end of the node's memory",
                  limited ? pm_report_bytes(arena, container->memory_limit) : "",
                  death->finished_at ? " at " : "", death->finished_at ? death->finished_at : "");
    say_where(&claim, pod, container);
    if (!limited)
        pm_claim_evidence(&claim,
                          "it has no memory limit, QoS class %s: the first to go when the node is full",
                          pod->qos ? pod->qos : "?");
    if (container->node_options) pm_claim_evidence(&claim, "NODE_OPTIONS=%s", container->node_options);
    if (limited)
        pm_claim_advice(
            &claim,
            "The kernel leaves neither core nor report. Set --max-old-space-size=%llu (75 %% of the limit): "
            "if it is the heap, V8 "
            "then dies first and leaves a core that names the holder; if not, it is Buffers or native "
            "memory.",
            (unsigned long long)((uint64_t)((double)container->memory_limit * PM_CONTAINER_ADVICE) >> 20));
    else
        pm_claim_advice(&claim,
                        "Give the container a memory limit, and node --max-old-space-size of 75 %% of it.");
    return pm_claim_end(&claim);
}

static struct pm_error *exit_code(struct pm_diagnosis *diagnosis, const struct pm_pod *pod,
                                  const struct pm_pod_container *container,
                                  const struct pm_pod_state *death) {
    if (death->exit_code == 0 || death->exit_code == PM_UNKNOWN) return NULL;
    bool asked = death->exit_code == 143;
    struct pm_claim claim = pm_claim_begin(diagnosis, "pod-exit-code",
                                           asked ? PM_SEVERITY_LOW : PM_SEVERITY_HIGH, PM_CONFIDENCE_MEDIUM);
    pm_claim_title(&claim, "container %s ended with code %llu", container->name,
                   (unsigned long long)death->exit_code);
    pm_claim_text(&claim, "Container %s ended with exit code %llu: %s.", container->name,
                  (unsigned long long)death->exit_code, code_words(death->exit_code));
    say_where(&claim, pod, container);
    if (death->finished_at)
        pm_claim_evidence(&claim, "it ran from %s to %s", death->started_at ? death->started_at : "?",
                          death->finished_at);
    if (death->message) pm_claim_evidence(&claim, "termination message: %s", death->message);
    pm_claim_advice(
        &claim,
        "kubectl logs --previous has its last words: give that log to this program together with this file.");
    return pm_claim_end(&claim);
}

static struct pm_error *restarts(struct pm_diagnosis *diagnosis, const struct pm_pod *pod,
                                 const struct pm_pod_container *container) {
    bool looping =
        container->state.kind == PM_POD_STATE_WAITING && is(container->state.reason, "CrashLoopBackOff");
    if (!looping && (container->restart_count == PM_UNKNOWN || container->restart_count < PM_RESTARTS_SOME))
        return NULL;
    struct pm_claim claim = pm_claim_begin(
        diagnosis, "pod-restarts", looping ? PM_SEVERITY_HIGH : PM_SEVERITY_MEDIUM, PM_CONFIDENCE_HIGH);
    pm_claim_title(&claim, "container %s is restarted again and again", container->name);
    pm_claim_text(&claim, "Container %s was restarted %s times%s: not a single event.", container->name,
                  container->restart_count == PM_UNKNOWN
                      ? "several"
                      : pm_report_count_text(diagnosis->arena, container->restart_count),
                  looping ? " and Kubernetes waits longer each time (CrashLoopBackOff)" : "");
    say_where(&claim, pod, container);
    return pm_claim_end(&claim);
}

static struct pm_error *evicted(struct pm_diagnosis *diagnosis, const struct pm_pod *pod) {
    if (!is(pod->reason, "Evicted")) return NULL;
    struct pm_claim claim = pm_claim_begin(diagnosis, "pod-evicted", PM_SEVERITY_HIGH, PM_CONFIDENCE_HIGH);
    pm_claim_title(&claim, "the pod was evicted");
    pm_claim_text(&claim, "The pod was evicted from its node: %s.",
                  pod->message ? pod->message : "no message");
    pm_claim_advice(&claim, "Requests equal to limits (QoS class Guaranteed) make it the last to go.");
    return pm_claim_end(&claim);
}

static struct pm_error *run(struct pm_diagnosis *diagnosis, const struct pm_heap_view *heap) {
    (void)heap;
    for (size_t i = 0; i < diagnosis->pod_count; i++) {
        const struct pm_pod *pod = diagnosis->pods[i];
        PM_TRY(evicted(diagnosis, pod));
        for (size_t k = 0; k < pod->container_count; k++) {
            const struct pm_pod_container *container = &pod->containers[k];
            const struct pm_pod_state *death = death_of(container);
            if (death && is(death->reason, "OOMKilled"))
                PM_TRY(oom_killed(diagnosis, pod, container, death));
            else if (death)
                PM_TRY(exit_code(diagnosis, pod, container, death));
            PM_TRY(restarts(diagnosis, pod, container));
        }
    }
    return NULL;
}

const struct pm_detector pm_detect_pod = {
    .name = "pod",
    .summary = "what Kubernetes says: OOMKilled, exit codes, restarts, eviction",
    .needs = PM_NEEDS_POD,
    .run = run,
};
