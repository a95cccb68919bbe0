/* What ended the process, as its report tells it: out of memory and of which kind, an error nobody caught and
 * where it was thrown, and whether the next death will leave a core. */
#include <string.h>

#include "postmortem/detect/detector.h"
#include "postmortem/detect/report_finding.h"
#include "postmortem/detect/report_thresholds.h"

static bool has_core(const struct pm_diagnosis *diagnosis) {
    for (size_t i = 0; i < diagnosis->input_count; i++)
        if (!strcmp(diagnosis->inputs[i].kind, "core") || !strcmp(diagnosis->inputs[i].kind, "heapsnapshot"))
            return true;
    return false;
}

static bool out_of_memory(const struct pm_report_facts *facts) {
    const char *event = facts->header.event ? facts->header.event : "";
    return strstr(event, "out of memory") || strstr(event, "neffective mark-compacts");
}

/* ---- the heap limit ---- */

static const char *space_words(const char *name) {
    static const struct {
        const char *name, *words;
    } spaces[] = {
        {"old_space", "the old space"},
        {"new_space", "the new space"},
        {"large_object_space", "the space of large objects"},
        {"new_large_object_space", "the space of new large objects"},
        {"code_space", "the code space"},
        {"code_large_object_space", "the space of large code objects"},
        {"map_space", "the map space"},
        {"trusted_space", "the trusted space"},
        {"trusted_large_object_space", "the space of large trusted objects"},
        {"shared_space", "the shared space"},
        {"shared_large_object_space", "the space of large shared objects"},
    };
    for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++)
        if (!strcmp(name, spaces[i].name)) return spaces[i].words;
    return name;
}

static const struct pm_report_space *fullest(const struct pm_report_heap *heap) {
    const struct pm_report_space *most = NULL;
    for (size_t i = 0; i < heap->space_count; i++)
        if (heap->spaces[i].used != PM_UNKNOWN && (!most || heap->spaces[i].used > most->used))
            most = &heap->spaces[i];
    return most;
}

/* The limit the heap ran against: the flag sets that of the old generation, the report has both generations.
 */
static uint64_t limit_of(const struct pm_diagnosis *diagnosis, const struct pm_report_facts *facts,
                         const char **words) {
    uint64_t flag = diagnosis->process.max_old_space_flag;
    if (flag != PM_UNKNOWN && flag) {
        *words = "the limit of the old generation";
        return flag;
    }
    *words = "the limit of the heap, both generations";
    return pm_is_number(facts->heap.limit) && facts->heap.limit ? facts->heap.limit : PM_UNKNOWN;
}

static void say_full_space(struct pm_claim *claim, const struct pm_report_facts *facts,
                           const struct pm_report_space *space, uint64_t limit, const char *words) {
    struct pm_arena *arena = claim->diagnosis->arena;
    bool large = strstr(space->name, "large_object") != NULL;
    const char *name = space_words(space->name);
    pm_claim_title(claim, "%s is full", large || strncmp(name, "the ", 4) != 0 ? name : name + 4);
    pm_claim_text(claim, "%c%s is full: %s of the %s in use are there; %s is %s.",
                  name[0] == 't' ? 'T' : name[0], name + 1, pm_report_bytes(arena, space->used),
                  pm_report_bytes(arena, facts->heap.used), words, pm_report_bytes(arena, limit));
    if (large)
        pm_claim_advice(
            claim, "Large objects are single arrays, strings, Maps or Sets of more than 100 kB: look for one "
                   "collection that only grows.");
    else
        pm_claim_advice(
            claim,
            "Many ordinary objects are kept alive. Raise the limit only when the load needs it; a leak "
            "fills any limit.");
}

static const char *how_to_see(const struct pm_report_facts *facts) {
    const struct pm_report_limit *core = pm_report_limit(facts, "core_file_size");
    return core && core->soft == 0 ? "A report does not say who holds the memory; a core does: set ulimit -c "
                                     "unlimited (it was 0), or run node "
                                     "with --heapsnapshot-near-heap-limit=2 if the container has room for it."
                                   : "A report does not say who holds the memory; a core does: analyse the "
                                     "core of this death, or run node with "
                                     "--heapsnapshot-near-heap-limit=2 if the container has room for it.";
}

static struct pm_error *heap_limit(struct pm_diagnosis *diagnosis, const struct pm_report_facts *facts) {
    const struct pm_report_heap *heap = &facts->heap;
    const struct pm_report_space *space = fullest(heap);
    const char *words;
    struct pm_arena *arena = diagnosis->arena;
    uint64_t limit = limit_of(diagnosis, facts, &words);
    if (!space || limit == PM_UNKNOWN || heap->used == PM_UNKNOWN || !heap->used) return NULL;
    double fill = (double)heap->used / (double)limit;
    bool oversized = fill < PM_OVERSIZED_FILL;
    struct pm_claim claim = pm_claim_begin(diagnosis, oversized ? "oversized-allocation" : "heap-limit",
                                           PM_SEVERITY_CRITICAL, PM_CONFIDENCE_HIGH);
    if (oversized) {
        pm_claim_title(&claim, "one allocation was too large");
        pm_claim_text(
            &claim,
            "One allocation was too large for V8: the heap held %s when %s is %s, so it was not full.",
            pm_report_bytes(arena, heap->used), words, pm_report_bytes(arena, limit));
        pm_claim_advice(
            &claim,
            "Look for an array, a string, a Map or a join of them that grows to hundreds of megabytes, "
            "and work in pieces: a higher limit does not help.");
    } else {
        say_full_space(&claim, facts, space, limit, words);
    }
    if (!claim.failed) claim.finding->share = fill > 1 ? 1 : fill;
    for (size_t i = 0; i < heap->space_count; i++)
        if (heap->spaces[i].used != PM_UNKNOWN && heap->spaces[i].used > PM_MB)
            pm_claim_evidence(&claim, "%s: %s used of %s committed", heap->spaces[i].name,
                              pm_report_bytes(arena, heap->spaces[i].used),
                              pm_report_bytes(arena, heap->spaces[i].committed));
    if (!has_core(diagnosis)) pm_claim_evidence(&claim, "%s", how_to_see(facts));
    return pm_claim_end(&claim);
}

/* Not dead yet. */
static struct pm_error *heap_near_limit(struct pm_diagnosis *diagnosis, const struct pm_report_facts *facts) {
    const struct pm_report_space *space = fullest(&facts->heap);
    const char *words;
    struct pm_arena *arena = diagnosis->arena;
    uint64_t limit = limit_of(diagnosis, facts, &words);
    if (!space || limit == PM_UNKNOWN || facts->heap.used == PM_UNKNOWN ||
        (double)facts->heap.used < PM_HEAP_NEAR_LIMIT * (double)limit)
        return NULL;
    struct pm_claim claim =
        pm_claim_begin(diagnosis, "heap-near-limit", PM_SEVERITY_HIGH, PM_CONFIDENCE_HIGH);
    pm_claim_title(&claim, "the heap is nearly full");
    pm_claim_text(&claim, "The heap is nearly full: %s used, most of it in %s; %s is %s.",
                  pm_report_bytes(arena, facts->heap.used), space_words(space->name), words,
                  pm_report_bytes(arena, limit));
    pm_claim_advice(&claim, "Take a core now (gcore PID) or a heap snapshot: they say who holds the memory.");
    if (!claim.failed) claim.finding->share = (double)facts->heap.used / (double)limit;
    return pm_claim_end(&claim);
}

static struct pm_error *no_core(struct pm_diagnosis *diagnosis, const struct pm_report_facts *facts) {
    const struct pm_report_limit *core = pm_report_limit(facts, "core_file_size");
    if (!core || core->soft != 0 || has_core(diagnosis)) return NULL;
    struct pm_claim claim = pm_claim_begin(diagnosis, "no-core", PM_SEVERITY_INFO, PM_CONFIDENCE_HIGH);
    pm_claim_title(&claim, "no core was written");
    pm_claim_text(
        &claim,
        "The process may not write a core (core_file_size is 0), so nothing says who held the memory.");
    pm_claim_evidence(&claim, "hard limit: %s",
                      core->hard == PM_UNLIMITED ? "unlimited"
                                                 : pm_report_bytes(diagnosis->arena, core->hard));
    pm_claim_advice(&claim,
                    core->hard == 0
                        ? "Raise the hard limit where the container is started (LimitCORE=infinity of the "
                          "runtime's service), and let core_pattern point to a volume."
                        : "Run ulimit -c unlimited before node (in the image's entrypoint), and let "
                          "core_pattern point to a volume.");
    return pm_claim_end(&claim);
}

/* ---- errors that nobody caught ---- */

static const char *property(const struct pm_report_facts *facts, const char *name) {
    for (size_t i = 0; i < facts->error.property_count; i++)
        if (!strcmp(facts->error.properties[i].name, name)) return facts->error.properties[i].value;
    return NULL;
}

/* What to do about errors that Node.js itself throws, by their code. */
static const char *advice_for(const char *code) {
    static const struct {
        const char *code, *advice;
    } known[] = {
        {"ECONNREFUSED",
         "Nothing listens at that address: is the service up, the address right? Handle 'error' of the "
         "connection and try again with a growing delay."},
        {"ECONNRESET", "The peer closed the connection: handle 'error' of the socket or request."},
        {"EPIPE", "The peer closed the connection while data was written: handle 'error' of the stream."},
        {"ETIMEDOUT", "The peer did not answer: handle 'error', and check network policy and DNS."},
        {"ENOTFOUND", "The name has no address: check DNS and the service's name."},
        {"EAI_AGAIN", "DNS did not answer: check the cluster's DNS."},
        {"EADDRINUSE", "The port is taken: two processes of one container, or two listen() calls."},
        {"EACCES", "Permission denied: the user of the container may not do this."},
        {"ENOENT", "The file is not in the image or volume: check the path and the working directory."},
        {"ENOSPC", "The disk is full, or inotify has no watches left (fs.inotify.max_user_watches)."},
        {"EMFILE", "Too many open files: something opens files or sockets and does not close them; raise "
                   "ulimit -n only when "
                   "the load needs it."},
        {"ENFILE", "The machine has too many open files."},
        {"MODULE_NOT_FOUND",
         "The module is not in the image: is it in dependencies (not devDependencies), was it copied?"},
        {"ERR_MODULE_NOT_FOUND",
         "The module is not in the image: is it in dependencies, does the path end in .js?"},
        {"ERR_REQUIRE_ESM", "The package is an ES module: import() it, or use its last CommonJS version."},
        {"ERR_DLOPEN_FAILED",
         "A native addon does not fit: rebuild it in the image (npm rebuild) for this Node.js and libc."},
        {"ERR_UNHANDLED_REJECTION",
         "A promise was rejected with something that is no Error, and nobody caught it: reject with "
         "an Error (it has a stack), and await or catch every promise."},
        {"ERR_HTTP_HEADERS_SENT", "An answer was sent twice: return after the first."},
        {"ERR_STREAM_WRITE_AFTER_END", "Something writes to a stream that was ended: stop the writer first."},
        {"ERR_IPC_CHANNEL_CLOSED", "The other process is gone: check subprocess.connected before send()."},
    };
    for (size_t i = 0; code && i < sizeof(known) / sizeof(known[0]); i++)
        if (!strcmp(code, known[i].code)) return known[i].advice;
    return NULL;
}

static const char *package_of(struct pm_arena *arena, const char *file) {
    const char *last = NULL;
    for (const char *p = file; file && (p = strstr(p, "/node_modules/")); p += 14) last = p + 14;
    if (!last) return NULL;
    size_t length = strcspn(last, "/");
    if (*last == '@' && last[length] == '/') length += 1 + strcspn(last + length + 1, "/");
    return pm_arena_copy(arena, last, length);
}

static struct pm_error *worker_out_of_memory(struct pm_diagnosis *diagnosis,
                                             const struct pm_report_facts *facts) {
    struct pm_claim claim =
        pm_claim_begin(diagnosis, "worker-heap-limit", PM_SEVERITY_CRITICAL, PM_CONFIDENCE_HIGH);
    pm_claim_title(&claim, "a worker thread ran out of memory");
    pm_claim_text(
        &claim,
        "A worker thread reached its own heap limit (resourceLimits or the default), and nobody handles the "
        "error of the Worker, so the whole process ended.");
    pm_claim_evidence(&claim, "the heap of the main thread is not full: %s used",
                      pm_report_bytes(diagnosis->arena, facts->heap.used));
    pm_claim_advice(
        &claim,
        "Handle 'error' of the Worker, and find what fills it: set resourceLimits.maxOldGenerationSizeMb "
        "for what the job needs; a core of the process shows the worker's heap too.");
    return pm_claim_end(&claim);
}

static const struct pm_frame *thrower(const struct pm_report_facts *facts) {
    for (size_t i = 0; i < facts->error.frame_count; i++)
        if (facts->error.frames[i].kind == PM_FRAME_JS) return &facts->error.frames[i];
    return NULL;
}

static struct pm_error *stack_overflow(struct pm_diagnosis *diagnosis, const struct pm_report_facts *facts) {
    const struct pm_frame *frame = thrower(facts);
    size_t same = 0;
    for (size_t i = 0; frame && i < facts->error.frame_count; i++) {
        const char *name = facts->error.frames[i].function;
        same += name && frame->function && !strcmp(name, frame->function);
    }
    struct pm_claim claim =
        pm_claim_begin(diagnosis, "stack-overflow", PM_SEVERITY_CRITICAL, PM_CONFIDENCE_HIGH);
    pm_claim_title(&claim, "the stack overflowed");
    pm_claim_text(
        &claim,
        "Recursion filled the stack%s%s: %s%zu of the %zu frames in the report are the same function.",
        frame ? " in " : "", frame ? pm_report_frame_text(diagnosis->arena, frame) : "", frame ? "" : "? ",
        same, facts->error.frame_count);
    pm_claim_position(&claim, "blocked", frame);
    pm_claim_advice(
        &claim,
        "Does the recursion end for this input (cyclic data)? Use a loop with a list of what is left; "
        "--stack-size only moves the crash.");
    return pm_claim_end(&claim);
}

static struct pm_error *uncaught(struct pm_diagnosis *diagnosis, const struct pm_report_facts *facts) {
    const struct pm_report_error *error = &facts->error;
    struct pm_arena *arena = diagnosis->arena;
    const char *code = property(facts, "code"),
               *message = error->message && *error->message ? error->message : NULL;
    if (code && !strcmp(code, "ERR_WORKER_OUT_OF_MEMORY")) return worker_out_of_memory(diagnosis, facts);
    if (message && strstr(message, "Maximum call stack size exceeded"))
        return stack_overflow(diagnosis, facts);
    const struct pm_frame *top = thrower(facts),
                          *user = pm_report_user_frame(error->frames, error->frame_count);
    bool rejection = code && !strcmp(code, "ERR_UNHANDLED_REJECTION");
    struct pm_claim claim =
        pm_claim_begin(diagnosis, rejection ? "unhandled-rejection" : "uncaught-exception",
                       PM_SEVERITY_CRITICAL, PM_CONFIDENCE_HIGH);
    pm_claim_title(&claim,
                   rejection ? "a rejected promise that nobody caught" : "an error that nobody caught");
    bool own = user && !pm_report_is_foreign(user->position.file);
    /* Content of strings stands in quotes: redaction knows them by that. */
    pm_claim_text(&claim, "\"%s\"%s%s, and nobody caught it.", message ? message : "an error",
                  user && own ? user == top ? " was thrown in " : " was thrown in code called from "
                              : " was thrown",
                  user && own ? pm_report_frame_text(arena, user) : "");
    if (top && top != user) pm_claim_evidence(&claim, "thrown in %s", pm_report_frame_text(arena, top));
    const char *package = top ? package_of(arena, top->position.file) : NULL;
    if (package) pm_claim_evidence(&claim, "thrown inside the package %s", package);
    if (!own)
        pm_claim_evidence(&claim,
                          "no frame of the stack is the application's own: it came from the event loop");
    for (size_t i = 0; i < error->property_count && i < 12; i++)
        if (error->properties[i].value)
            pm_claim_evidence(&claim, "%s: \"%s\"", error->properties[i].name, error->properties[i].value);
    pm_claim_position(&claim, "blocked", own ? user : top);
    if (!claim.failed && claim.finding->position_count) claim.finding->positions[0].role = "thrower";
    const char *advice = advice_for(code);
    pm_claim_advice(&claim, "%s",
                    advice ? advice
                           : "Catch it where it can be handled; after an uncaught exception the process "
                             "has to end, as its state is unknown.");
    return pm_claim_end(&claim);
}

static struct pm_error *fatal(struct pm_diagnosis *diagnosis, const struct pm_report_facts *facts) {
    struct pm_claim claim =
        pm_claim_begin(diagnosis, "fatal-error", PM_SEVERITY_CRITICAL, PM_CONFIDENCE_MEDIUM);
    pm_claim_title(&claim, "a fatal error of V8 or Node.js");
    pm_claim_text(&claim, "V8 or Node.js gave up: %s.",
                  facts->header.event ? facts->header.event : "no message");
    for (size_t i = 0, shown = 0; i < facts->native_count && shown < 8; i++)
        if (facts->native_stack[i].symbol) {
            pm_claim_evidence(&claim, "native frame: %s", facts->native_stack[i].symbol);
            shown++;
        }
    for (size_t i = 0; i < facts->shared_object_count; i++) {
        size_t length = strlen(facts->shared_objects[i]);
        if (length > 5 && !strcmp(facts->shared_objects[i] + length - 5, ".node"))
            pm_claim_evidence(&claim, "a native addon is loaded: %s", facts->shared_objects[i]);
    }
    pm_claim_advice(
        &claim,
        "Not an error of JavaScript: a native addon, or Node.js itself. Search the message in the issues of "
        "nodejs/node, try the newest release of this line, rebuild addons; a core has the whole stack.");
    return pm_claim_end(&claim);
}

static struct pm_error *run(struct pm_diagnosis *diagnosis, const struct pm_heap_view *heap) {
    const struct pm_report_facts *facts = pm_report_to_judge(diagnosis);
    const char *trigger = facts->header.trigger ? facts->header.trigger : "";
    (void)heap;
    bool died = !strcmp(trigger, "OOMError") || !strcmp(trigger, "FatalError");
    if (died && out_of_memory(facts)) {
        PM_TRY(heap_limit(diagnosis, facts));
        return no_core(diagnosis, facts);
    }
    if (died) {
        PM_TRY(fatal(diagnosis, facts));
        return no_core(diagnosis, facts);
    }
    if (!strcmp(trigger, "Exception")) return uncaught(diagnosis, facts);
    return heap_near_limit(diagnosis, facts);
}

const struct pm_detector pm_detect_report_death = {
    .name = "report-death",
    .summary =
        "how the process of a report died: heap limit, oversized allocation, uncaught error, fatal error",
    .needs = PM_NEEDS_REPORT,
    .run = run,
};
