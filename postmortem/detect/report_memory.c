/* Memory, as a report tells it: the limit of the heap against that of the container against what is resident;
 * what is outside the heap; contexts, code, handles. */
#include <string.h>

#include "postmortem/detect/detector.h"
#include "postmortem/detect/report_finding.h"
#include "postmortem/detect/report_thresholds.h"

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && !strcmp(text + length - tail, end);
}

static bool is_oom(const struct pm_report_facts *facts) {
    return facts->header.event && strstr(facts->header.event, "out of memory");
}

/* ---- limits ---- */

static struct pm_error *container_limit(struct pm_diagnosis *diagnosis, const struct pm_report_facts *facts) {
    struct pm_arena *arena = diagnosis->arena;
    uint64_t container = pm_report_container_limit(diagnosis, facts), heap = facts->heap.limit;
    if (!pm_is_number(container) || !pm_is_number(heap) || !container) return NULL;
    uint64_t advice = (uint64_t)((double)container * PM_CONTAINER_ADVICE) >> 20;
    if ((double)heap > PM_CONTAINER_HEAP * (double)container) {
        bool killed = heap > container;
        struct pm_claim claim = pm_claim_begin(
            diagnosis, "container-limit", killed ? PM_SEVERITY_HIGH : PM_SEVERITY_MEDIUM, PM_CONFIDENCE_HIGH);
        pm_claim_title(&claim, "the heap may outgrow the container");
        pm_claim_text(&claim,
                      "The heap may grow to %s, but the container has %s: the kernel kills the process (exit "
                      "code 137) before "
                      "V8 runs into its own limit and could write a report.",
                      pm_report_bytes(arena, heap), pm_report_bytes(arena, container));
        pm_claim_evidence(&claim, "resident now: %s", pm_report_bytes(arena, facts->usage.rss));
        pm_claim_advice(&claim,
                        "Set --max-old-space-size=%llu (75 %% of the container), so that V8 collects in time "
                        "and a heap that is "
                        "full leaves a report or a core; or give the container more.",
                        (unsigned long long)advice);
        return pm_claim_end(&claim);
    }
    if (!is_oom(facts) || (double)heap > PM_CONTAINER_UNUSED * (double)container) return NULL;
    struct pm_claim claim =
        pm_claim_begin(diagnosis, "heap-limit-low", PM_SEVERITY_MEDIUM, PM_CONFIDENCE_HIGH);
    pm_claim_title(&claim, "the heap limit is far below the container's");
    pm_claim_text(&claim, "The container has %s, the heap may use %s of them: it died with memory to spare.",
                  pm_report_bytes(arena, container), pm_report_bytes(arena, heap));
    pm_claim_advice(&claim,
                    "When the load needs the memory, set --max-old-space-size=%llu (75 %% of the container); "
                    "a leak fills that too, "
                    "only later.",
                    (unsigned long long)advice);
    return pm_claim_end(&claim);
}

static struct pm_error *container_full(struct pm_diagnosis *diagnosis, const struct pm_report_facts *facts) {
    uint64_t container = pm_report_container_limit(diagnosis, facts), rss = facts->usage.rss;
    struct pm_arena *arena = diagnosis->arena;
    if (!pm_is_number(container) || !pm_is_number(rss) || (double)rss < PM_CONTAINER_FULL * (double)container)
        return NULL;
    struct pm_claim claim =
        pm_claim_begin(diagnosis, "container-full", PM_SEVERITY_CRITICAL, PM_CONFIDENCE_HIGH);
    pm_claim_title(&claim, "the container's memory is nearly used up");
    pm_claim_text(
        &claim, "The process holds %s of the container's %s: the kernel is about to kill it (exit code 137).",
        pm_report_bytes(arena, rss), pm_report_bytes(arena, container));
    pm_claim_evidence(
        &claim, "heap: %s used, %s committed; outside the heap %s", pm_report_bytes(arena, facts->heap.used),
        pm_report_bytes(arena, facts->heap.total_committed), pm_report_bytes(arena, facts->heap.external));
    pm_claim_advice(
        &claim,
        "Give the container more memory, or lower what the process holds: see the largest of the numbers "
        "above.");
    return pm_claim_end(&claim);
}

static struct pm_error *host_memory(struct pm_diagnosis *diagnosis, const struct pm_report_facts *facts) {
    const struct pm_report_usage *usage = &facts->usage;
    uint64_t left = pm_is_number(usage->available_memory) ? usage->available_memory : usage->free_memory;
    struct pm_arena *arena = diagnosis->arena;
    bool contained = pm_is_number(usage->constrained_memory);
    /* 0 = it could not be read: without a free descriptor libuv cannot open /proc/meminfo. */
    if (!left || !pm_is_number(left) || !pm_is_number(usage->total_memory) || contained ||
        (double)left > PM_HOST_FREE * (double)usage->total_memory)
        return NULL;
    struct pm_claim claim =
        pm_claim_begin(diagnosis, "host-memory", PM_SEVERITY_MEDIUM, PM_CONFIDENCE_MEDIUM);
    pm_claim_title(&claim, "the machine has no memory left");
    pm_claim_text(&claim, "Of the machine's %s only %s were left; this process holds %s.",
                  pm_report_bytes(arena, usage->total_memory), pm_report_bytes(arena, left),
                  pm_report_bytes(arena, usage->rss));
    pm_claim_advice(&claim, "Another process of the machine may be the cause: give the pods memory limits.");
    return pm_claim_end(&claim);
}

/* ---- outside the heap ---- */

static struct pm_error *external_memory(struct pm_diagnosis *diagnosis, const struct pm_report_facts *facts) {
    const struct pm_report_heap *heap = &facts->heap;
    struct pm_arena *arena = diagnosis->arena;
    if (!pm_is_number(heap->external) || !pm_is_number(heap->used) || heap->external < PM_EXTERNAL_LEAST ||
        heap->external <= heap->used)
        return NULL;
    struct pm_claim claim =
        pm_claim_begin(diagnosis, "external-memory", PM_SEVERITY_HIGH, PM_CONFIDENCE_HIGH);
    pm_claim_title(&claim, "buffers hold more than the heap");
    pm_claim_text(
        &claim,
        "Buffers and other memory outside the heap take %s, the heap's objects %s: the heap limit does not "
        "count them.",
        pm_report_bytes(arena, heap->external), pm_report_bytes(arena, heap->used));
    pm_claim_evidence(&claim, "resident: %s", pm_report_bytes(arena, facts->usage.rss));
    pm_claim_advice(&claim, "Look for Buffers, ArrayBuffers or Blobs that are collected (uploads, caches, "
                            "unread responses, small "
                            "slices of large Buffers); a core or snapshot names who holds them.");
    return pm_claim_end(&claim);
}

static void say_allocator(struct pm_claim *claim, const struct pm_report_facts *facts) {
    const char *arenas = pm_report_variable(facts, "MALLOC_ARENA_MAX"), *other = NULL;
    for (size_t i = 0; i < facts->shared_object_count; i++)
        if (strstr(facts->shared_objects[i], "jemalloc") || strstr(facts->shared_objects[i], "tcmalloc") ||
            strstr(facts->shared_objects[i], "mimalloc"))
            other = facts->shared_objects[i];
    for (size_t i = 0, shown = 0; i < facts->shared_object_count && shown < 8; i++)
        if (ends_with(facts->shared_objects[i], ".node")) {
            pm_claim_evidence(claim, "a native addon is loaded: %s", facts->shared_objects[i]);
            shown++;
        }
    if (other) {
        pm_claim_evidence(claim, "the allocator is %s", other);
        pm_claim_advice(claim, "Native addons and what Node.js itself allocates (TLS, zlib, child processes, "
                               "keys) are not in V8's "
                               "numbers: look at the addons, and at objects that hold native memory.");
    } else {
        pm_claim_evidence(claim, "MALLOC_ARENA_MAX is %s%s", arenas ? arenas : "not set",
                          facts->header.glibc_runtime ? ", the allocator is glibc's" : "");
        pm_claim_advice(claim, "%s",
                        arenas || !facts->header.glibc_runtime
                            ? "Native addons and what Node.js itself allocates (TLS, zlib, keys) are not in "
                              "V8's numbers: look at "
                              "them, and try jemalloc."
                            : "First try MALLOC_ARENA_MAX=2 (or jemalloc by LD_PRELOAD): glibc keeps freed "
                              "memory in an arena for "
                              "each thread. If it still grows: native addons, and objects that hold native "
                              "memory (TLS, zlib, keys).");
    }
}

static struct pm_error *native_memory(struct pm_diagnosis *diagnosis, const struct pm_report_facts *facts) {
    const struct pm_report_heap *heap = &facts->heap;
    struct pm_arena *arena = diagnosis->arena;
    uint64_t rss = facts->usage.rss, known = PM_NATIVE_USUAL;
    if (!pm_is_number(rss) || !pm_is_number(heap->total_committed) || !pm_is_number(heap->external))
        return NULL;
    known += heap->total_committed + heap->external;
    for (size_t i = 0; i < facts->worker_count; i++) {
        const struct pm_report_heap *other = &facts->workers[i].heap;
        if (pm_is_number(other->total_committed)) known += other->total_committed;
        if (pm_is_number(other->external)) known += other->external;
    }
    if (rss < known || rss - known < PM_NATIVE_LEAST || (double)(rss - known) < PM_NATIVE_SHARE * (double)rss)
        return NULL;
    struct pm_claim claim =
        pm_claim_begin(diagnosis, "native-memory", PM_SEVERITY_HIGH, PM_CONFIDENCE_MEDIUM);
    pm_claim_title(&claim, "memory that V8 does not know of");
    pm_claim_text(
        &claim,
        "Of %s resident about %s are neither heap (%s) nor buffers (%s): native code holds them, or the "
        "allocator keeps them.",
        pm_report_bytes(arena, rss), pm_report_bytes(arena, rss - known),
        pm_report_bytes(arena, heap->total_committed), pm_report_bytes(arena, heap->external));
    say_allocator(&claim, facts);
    return pm_claim_end(&claim);
}

static struct pm_error *peak(struct pm_diagnosis *diagnosis, const struct pm_report_facts *facts) {
    uint64_t rss = facts->usage.rss, most = facts->usage.max_rss;
    struct pm_arena *arena = diagnosis->arena;
    if (!pm_is_number(rss) || !pm_is_number(most) || most < rss + PM_PEAK_LEAST ||
        (double)most < PM_PEAK_RATIO * (double)rss)
        return NULL;
    struct pm_claim claim = pm_claim_begin(diagnosis, "memory-peak", PM_SEVERITY_LOW, PM_CONFIDENCE_HIGH);
    pm_claim_title(&claim, "memory was much higher once");
    pm_claim_text(&claim, "The process once held %s; now it holds %s. A limit has to fit the peak.",
                  pm_report_bytes(arena, most), pm_report_bytes(arena, rss));
    pm_claim_advice(&claim,
                    "Look for work that is done all at once: a large file, an export, a batch of requests.");
    return pm_claim_end(&claim);
}

/* ---- inside V8 ---- */

static struct pm_error *contexts(struct pm_diagnosis *diagnosis, const struct pm_report_facts *facts) {
    const struct pm_report_heap *heap = &facts->heap;
    struct pm_arena *arena = diagnosis->arena;
    if (pm_is_number(heap->detached_contexts) && heap->detached_contexts) {
        struct pm_claim claim = pm_claim_begin(
            diagnosis, "detached-contexts",
            heap->detached_contexts >= PM_CONTEXTS_SOME ? PM_SEVERITY_HIGH : PM_SEVERITY_MEDIUM,
            PM_CONFIDENCE_MEDIUM);
        pm_claim_title(&claim, "detached contexts are kept");
        pm_claim_text(
            &claim,
            "%s contexts are detached and still alive: something refers to an object of a context that was "
            "closed.",
            pm_report_count_text(arena, heap->detached_contexts));
        pm_claim_advice(&claim,
                        "Each keeps all its globals: drop references to objects that came out of it.");
        PM_TRY(pm_claim_end(&claim));
    }
    if (!pm_is_number(heap->native_contexts) || heap->native_contexts < PM_CONTEXTS_SOME) return NULL;
    struct pm_claim claim =
        pm_claim_begin(diagnosis, "many-contexts",
                       heap->native_contexts >= PM_CONTEXTS_MANY ? PM_SEVERITY_HIGH : PM_SEVERITY_MEDIUM,
                       PM_CONFIDENCE_HIGH);
    pm_claim_title(&claim, "many contexts are alive");
    pm_claim_text(&claim,
                  "%s native contexts are alive in one thread, usual is one: each vm.createContext() (or "
                  "ShadowRealm, jsdom "
                  "window) has its own globals, 0.5 to 1 MB.",
                  pm_report_count_text(arena, heap->native_contexts));
    pm_claim_advice(
        &claim, "Use one context again instead of one for each request, and drop what refers into old ones.");
    return pm_claim_end(&claim);
}

static struct pm_error *v8_extras(struct pm_diagnosis *diagnosis, const struct pm_report_facts *facts) {
    const struct pm_report_heap *heap = &facts->heap;
    struct pm_arena *arena = diagnosis->arena;
    if (pm_is_number(heap->used_global_handles) && heap->used_global_handles >= PM_HANDLES_MEMORY) {
        struct pm_claim claim =
            pm_claim_begin(diagnosis, "global-handles", PM_SEVERITY_MEDIUM, PM_CONFIDENCE_MEDIUM);
        pm_claim_title(&claim, "native code holds very many objects");
        pm_claim_text(&claim, "Handles by which native code holds JavaScript objects take %s.",
                      pm_report_bytes(arena, heap->used_global_handles));
        pm_claim_advice(
            &claim,
            "Each socket, timer, TLS session, buffer of an addon has one: look for what is opened and never "
            "closed, or an addon that does not release its references.");
        PM_TRY(pm_claim_end(&claim));
    }
    const struct pm_report_space *code = pm_report_space(facts, "code_space"),
                                 *large = pm_report_space(facts, "code_large_object_space");
    uint64_t code_bytes = (code && pm_is_number(code->used) ? code->used : 0) +
                          (large && pm_is_number(large->used) ? large->used : 0);
    if (code_bytes >= PM_CODE_MEMORY) {
        struct pm_claim claim =
            pm_claim_begin(diagnosis, "code-memory", PM_SEVERITY_MEDIUM, PM_CONFIDENCE_MEDIUM);
        pm_claim_title(&claim, "very much compiled code");
        pm_claim_text(&claim, "Compiled code takes %s.", pm_report_bytes(arena, code_bytes));
        pm_claim_advice(&claim, "Functions made at run time (new Function, eval, vm.Script, compiled "
                                "templates or validators) for "
                                "each request: cache them.");
        PM_TRY(pm_claim_end(&claim));
    }
    if (!pm_is_number(heap->malloced) || heap->malloced < PM_MALLOCED_MEMORY) return NULL;
    struct pm_claim claim =
        pm_claim_begin(diagnosis, "v8-own-memory", PM_SEVERITY_MEDIUM, PM_CONFIDENCE_MEDIUM);
    pm_claim_title(&claim, "V8 itself needs much memory");
    pm_claim_text(&claim, "V8's compiler, parser and regular expressions hold %s (peak %s).",
                  pm_report_bytes(arena, heap->malloced), pm_report_bytes(arena, heap->peak_malloced));
    pm_claim_advice(
        &claim,
        "Very large functions, scripts or regular expressions: generated code, a bundle with data in it.");
    return pm_claim_end(&claim);
}

static struct pm_error *run(struct pm_diagnosis *diagnosis, const struct pm_heap_view *heap) {
    const struct pm_report_facts *facts = pm_report_to_judge(diagnosis);
    (void)heap;
    PM_TRY(container_full(diagnosis, facts));
    PM_TRY(container_limit(diagnosis, facts));
    PM_TRY(external_memory(diagnosis, facts));
    PM_TRY(native_memory(diagnosis, facts));
    PM_TRY(host_memory(diagnosis, facts));
    PM_TRY(contexts(diagnosis, facts));
    PM_TRY(v8_extras(diagnosis, facts));
    return peak(diagnosis, facts);
}

const struct pm_detector pm_detect_report_memory = {
    .name = "report-memory",
    .summary = "limits that do not fit, memory outside the heap, contexts, code, handles",
    .needs = PM_NEEDS_REPORT,
    .run = run,
};
