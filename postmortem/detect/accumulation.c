/* accumulation.c - leak suspects, after Eclipse MAT's "leak hunter", with the names of JavaScript.
 *
 *   root -- 97 % --> closure -- 97 % --> Context -- 97 % --> Map -- 97 % --> table -- 0.0002 % --> one
 * UserSession of 500,000 ^container       ^ here the big drop: the accumulation point
 *
 * From each large child of the root the walk goes to the largest child as long as that one keeps at least 70
 * % of its parent. The last node is where things accumulate. A table of hashes or an array of elements
 * belongs to a Map, a Set, an array, an object: that one is the container, and the owner is who a person
 * would say holds it (owner.c). A list of links never drops: a walk of hundreds of steps with nothing lost on
 * the way is a chain, and its start is the container.
 *
 * Thresholds are MAT's (docs/findings.md): a tenth of the heap, ratio 0.7. */
#include "postmortem/detect/detector.h"

#include "postmortem/detect/owner.h"

#include <stdlib.h>
#include <string.h>

#define SUSPECT_SHARE 0.10
#define DROP_RATIO    0.70
#define CHAIN_STEPS   200
#define MAX_SUSPECTS  5
#define CENSUS_LIMIT  2000000 /* dominated objects that are looked at for one suspect */
#define DICTIONARY    1000    /* an object with more properties than this is used as a dictionary */

struct census {
    uint64_t objects, bytes, external, by_kind[PM_NODE_NATIVE + 1], bytes_by_kind[PM_NODE_NATIVE + 1];
    uint64_t *class_count, *class_bytes;
    bool complete;
};

static uint64_t retained(const struct pm_heap_view *view, pm_node node) {
    return view->dominators->retained[node];
}

static size_t child_count(const struct pm_heap_view *view, pm_node node) {
    return (size_t)(view->children->first[node + 1] - view->children->first[node]);
}

static pm_node child(const struct pm_heap_view *view, pm_node node, size_t index) {
    return view->children->child[view->children->first[node] + index];
}

/* ---- what hangs below a node ---- */

static bool take_census(const struct pm_heap_view *view, pm_node top, struct census *census) {
    const struct pm_graph *graph = view->graph;
    *census = (struct census){.complete = true};
    census->class_count = calloc(graph->class_count, sizeof(uint64_t));
    census->class_bytes = calloc(graph->class_count, sizeof(uint64_t));
    pm_node *queue = malloc(CENSUS_LIMIT * sizeof(*queue));
    if (!census->class_count || !census->class_bytes || !queue) {
        free(queue);
        return false;
    }
    size_t head = 0, tail = 0;
    queue[tail++] = top;
    while (head < tail) {
        pm_node node = queue[head++];
        uint64_t bytes = pm_graph_shallow(graph, node);
        census->objects++;
        census->bytes += bytes;
        census->by_kind[graph->kinds[node]]++;
        census->bytes_by_kind[graph->kinds[node]] += bytes;
        census->class_count[graph->class_of[node]]++;
        census->class_bytes[graph->class_of[node]] += bytes;
        if (graph->kinds[node] == PM_NODE_ARRAY_BUFFER || graph->kinds[node] == PM_NODE_STRING)
            census->external += pm_graph_external_of(graph, node);
        for (size_t i = 0; i < child_count(view, node); i++) {
            if (tail == CENSUS_LIMIT) {
                census->complete = false;
                break;
            }
            queue[tail++] = child(view, node, i);
        }
    }
    free(queue);
    return true;
}

static void census_deinit(struct census *census) {
    free(census->class_count);
    free(census->class_bytes);
}

/* The class a person would name: most instances among those that mean something; NULL = only plain values. */
static const char *main_class(const struct pm_heap_view *view, const struct census *census,
                              uint64_t *count_ret) {
    static const char *const plain[] = {"Object",   "Array",   "Map",         "Set",       "Date",
                                        "Function", "Promise", "ArrayBuffer", "Uint8Array"};
    const char *best = NULL;
    uint64_t most = 0;
    for (unsigned round = 0; round < 2 && !best; round++) /* named classes first, then the plain ones */
        for (size_t i = 0; i < view->graph->class_count; i++) {
            const char *name = view->graph->classes[i];
            bool is_plain = name[0] == '(' || strncmp(name, "system /", 8) == 0;
            bool is_builtin = false;
            for (size_t k = 0; k < sizeof(plain) / sizeof(plain[0]); k++)
                is_builtin |= strcmp(name, plain[k]) == 0;
            if (is_plain || (round == 0 && is_builtin) || census->class_count[i] <= most) continue;
            if (census->class_count[i] * 50 < census->objects && round == 0)
                continue; /* noise beside the mass */
            most = census->class_count[i];
            best = name;
        }
    *count_ret = most;
    return best;
}

/* ---- the accumulation point ---- */

struct suspect {
    pm_node start, point, container;
    bool is_chain;
    uint64_t chain_kinds[PM_NODE_NATIVE + 1];
    unsigned chain_seen;
};

static bool is_container(enum pm_node_kind kind) {
    return kind == PM_NODE_MAP || kind == PM_NODE_SET || kind == PM_NODE_ARRAY || kind == PM_NODE_OBJECT ||
           kind == PM_NODE_WEAK_MAP || kind == PM_NODE_GLOBAL;
}

/* The collection or object that a store belongs to, when something else refers to the store as well (a stack,
 * at the moment of death), so that the owner does not dominate it. */
static pm_node owner_of_store(const struct pm_heap_view *view, pm_node store) {
    struct pm_path_step *steps = NULL;
    size_t count;
    pm_node found = PM_NO_NODE;
    struct pm_error *err = pm_graph_referrers(view->graph, store, &steps, &count);
    for (size_t i = 0; !err && i < count && found == PM_NO_NODE; i++)
        if (is_container((enum pm_node_kind)view->graph->kinds[steps[i].node]) &&
            view->dominators->dominator[steps[i].node] != PM_NO_NODE)
            found = steps[i].node;
    pm_error_destroy(err);
    free(steps);
    return found;
}

static void find_point(const struct pm_heap_view *view, struct suspect *suspect) {
    const struct pm_graph *graph = view->graph;
    pm_node node = suspect->start;
    pm_node chain_start = node;
    unsigned steps = 0;
    for (uint64_t guard = 0; guard < graph->node_count && child_count(view, node); guard++) {
        pm_node next = child(view, node, 0);
        double ratio = (double)retained(view, next) / (double)retained(view, node);
        if (ratio < DROP_RATIO) break;
        /* Links of a chain lose next to nothing, yet never everything at once. */
        if (steps == 0) chain_start = node;
        steps = ratio >= 0.99 ? steps + 1 : 0;
        if (steps >= CHAIN_STEPS) {
            suspect->is_chain = true;
            suspect->chain_kinds[graph->kinds[next]]++;
            if (++suspect->chain_seen == CHAIN_STEPS) break;
        }
        node = next;
    }
    suspect->point = suspect->is_chain ? chain_start : node;
    suspect->container = suspect->point;
    for (unsigned up = 0; up < 3; up++) {
        enum pm_node_kind kind = (enum pm_node_kind)graph->kinds[suspect->container];
        pm_node parent = view->dominators->dominator[suspect->container];
        if (kind != PM_NODE_STORE) break;
        bool fits =
            parent != 0 && parent != PM_NO_NODE &&
            (is_container((enum pm_node_kind)graph->kinds[parent]) || graph->kinds[parent] == PM_NODE_STORE);
        if (!fits) parent = owner_of_store(view, suspect->container);
        if (parent == PM_NO_NODE) break;
        suspect->container = parent;
    }
}

/* ---- words ---- */

static const char *plural(const char *name, uint64_t count, struct pm_arena *arena) {
    return count == 1 ? name : pm_arena_printf(arena, "%s objects", name);
}

static const char *bytes_text(struct pm_arena *arena, uint64_t bytes) {
    if (bytes < 1000) return pm_arena_printf(arena, "%llu B", (unsigned long long)bytes);
    if (bytes < 1000000) return pm_arena_printf(arena, "%.1f kB", (double)bytes / 1e3);
    return pm_arena_printf(arena, "%.1f MB", (double)bytes / 1e6);
}

static const char *grouped(struct pm_arena *arena, uint64_t value) {
    char digits[32], out[48];
    int length = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value), k = 0;
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0) out[k++] = ',';
        out[k++] = digits[i];
    }
    out[k] = 0;
    return pm_arena_strdup(arena, out);
}

struct pattern {
    const char *id, *what, *advice;
};

static struct pattern pattern_of(const struct pm_heap_view *view, const struct suspect *suspect,
                                 const struct census *census, const struct pm_owner *owner,
                                 uint64_t entries) {
    enum pm_node_kind kind = (enum pm_node_kind)view->graph->kinds[suspect->container];
    uint64_t all = retained(view, suspect->container);
    bool sliced = census->by_kind[PM_NODE_SLICED_STRING] * 4 > census->objects ||
                  (census->by_kind[PM_NODE_SLICED_STRING] > 100 &&
                   census->bytes_by_kind[PM_NODE_STRING] * 2 > census->bytes);
    if (owner->is_listener)
        return (struct pattern){"listener-leak", "listeners",
                                "Remove each listener when its subscriber goes (off, removeListener, "
                                "AbortSignal, once), or subscribe "
                                "once instead of per request."};
    if (owner->is_stream_buffer)
        return (struct pattern){"stream-buffer", "chunks waiting in a stream",
                                "write() returned false and nobody waited for 'drain': use pipeline(), or "
                                "stop writing until 'drain'."};
    if (owner->is_timer || strcmp(pm_view_class(view, suspect->container), "TimersList") == 0)
        return (struct pattern){"timer-leak", "timers",
                                "Clear timers when what they serve is gone (clearTimeout, clearInterval)."};
    if (suspect->is_chain) {
        if (suspect->chain_kinds[PM_NODE_CONS_STRING] * 2 > suspect->chain_seen)
            return (struct pattern){"rope", "a rope of concatenated strings",
                                    "A string that only grows by += is kept as a tree of all its pieces: cut "
                                    "it, write it out, or collect "
                                    "pieces in a bounded array."};
        if (suspect->chain_kinds[PM_NODE_CONTEXT] * 5 > suspect->chain_seen)
            return (struct pattern){"context-chain", "a chain of closure scopes",
                                    "Each closure keeps the scope in which the previous one was made. Do not "
                                    "refer to the previous value "
                                    "from a function of the same scope; set it to null when it is replaced."};
        if (suspect->chain_kinds[PM_NODE_PROMISE] * 5 > suspect->chain_seen ||
            census->by_kind[PM_NODE_PROMISE] * 5 > census->objects)
            return (struct pattern){"pending-promises", "a chain of promises that wait for each other",
                                    "Each link waits for the one before it. Give the first one a timeout, "
                                    "and do not append to a chain "
                                    "without bound."};
        if (suspect->chain_kinds[PM_NODE_SHAPE] * 5 > suspect->chain_seen)
            return (struct pattern){"prototype-chain", "a chain of prototypes",
                                    "Object.create or a class made from the previous object at each step "
                                    "keeps all of them: copy the values "
                                    "instead."};
        return (struct pattern){"linked-list", "a linked list",
                                "Unlink what is done, and bound the list's length."};
    }
    if (census->external * 2 > all)
        return (struct pattern){"buffer-retained", "buffers (memory outside the JavaScript heap)",
                                "The bytes are outside the heap: limit how many buffers are kept, or copy "
                                "the small part that is needed "
                                "(Buffer.from(slice)) instead of a view on a large one."};
    if (census->by_kind[PM_NODE_PROMISE] * 8 > census->objects ||
        census->by_kind[PM_NODE_PROMISE_REACTION] * 8 > census->objects)
        return (struct pattern){"pending-promises", "promises that are still pending",
                                "Something they wait for never comes: add timeouts and reject on close, and "
                                "limit how many may wait."};
    if (sliced)
        return (struct pattern){"sliced-strings", "short strings that keep their long parents alive",
                                "A substring of 13 characters or more is a view on the whole text. Copy it "
                                "(for example through Buffer, or "
                                "JSON) before it is kept."};
    switch (kind) {
    case PM_NODE_MAP:
        return (struct pattern){
            "unbounded-map", "entries",
            "Give it a size limit or a time to live, or delete entries when they are done."};
    case PM_NODE_SET:
        return (struct pattern){"unbounded-set", "values",
                                "Delete values when they are done, or limit its size."};
    case PM_NODE_ARRAY:
        return (struct pattern){"unbounded-array", "elements",
                                "Bound its length, or drop elements when they are done."};
    case PM_NODE_CONTEXT:
    case PM_NODE_CLOSURE:
        return (struct pattern){"closure-retains", "values held by a closure's scope",
                                "A function that lives long keeps every variable of its scope that any "
                                "function there uses. Set large "
                                "variables to null after use, or move them out of that scope."};
    case PM_NODE_STRING:
    case PM_NODE_STORE:
        return (struct pattern){"huge-object", "one large object",
                                "Process it in parts (a stream, pages) instead of at once."};
    default:
        if (entries > DICTIONARY)
            return (struct pattern){
                "unbounded-object", "properties",
                "An object used as a dictionary: delete keys when they are done, or use a Map with a limit."};
        return (struct pattern){"large-object", "objects", "See what it holds with the commands below."};
    }
}

/* A limit that the holder itself names: `max`, `maxSize`, `limit`, `capacity` ... at least as large as what
 * is there. */
static bool is_bounded(const struct pm_heap_view *view, pm_node container, uint64_t entries,
                       double *limit_ret) {
    static const char *const names[] = {"max",      "maxSize",    "_max",      "limit",     "_limit",
                                        "capacity", "maxEntries", "maxLength", "size_limit"};
    pm_node holder = container;
    for (unsigned up = 0; up < 3 && holder != 0 && holder != PM_NO_NODE; up++) {
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
            if (view->graph->source->number(view->graph->source_self, holder, names[i], limit_ret) &&
                *limit_ret >= (double)entries && *limit_ret < (double)entries * 4 + 16)
                return true;
        holder = view->dominators->dominator[holder];
    }
    return false;
}

static const char *where(struct pm_arena *arena, const struct pm_position *position) {
    return position->file ? pm_arena_printf(arena, " (%s:%u)", position->file, position->line) : "";
}

static const char *holder_words(struct pm_arena *arena, const struct pm_heap_view *view,
                                const struct suspect *suspect, const struct pm_owner *owner) {
    const char *class_name = pm_view_class(view, suspect->container);
    enum pm_node_kind kind = (enum pm_node_kind)view->graph->kinds[suspect->container];
    bool anonymous = class_name[0] == '(' || strncmp(class_name, "system /", 8) == 0;
    const char *noun = kind == PM_NODE_CONTEXT ? "the scope of a closure"
                       : anonymous             ? "an object"
                                               : class_name;
    if (!owner->name) return pm_arena_printf(arena, "%s without a name", noun);
    if (owner->is_variable && (owner->is_listener || owner->is_stream_buffer || suspect->is_chain))
        return pm_arena_printf(arena, "`%s`%s", owner->name, where(arena, &owner->position));
    if (owner->is_variable)
        return pm_arena_printf(arena, "%s `%s`%s", noun, owner->name, where(arena, &owner->position));
    const char *text =
        pm_arena_printf(arena, "%s in property `%s` of %s%s", noun, owner->name,
                        owner->of_class ? owner->of_class : "an object", where(arena, &owner->position));
    if (owner->holder_name && text)
        text = pm_arena_printf(arena, "%s, held by `%s`%s", text, owner->holder_name,
                               where(arena, &owner->holder));
    return text;
}

/* ---- findings ---- */

/* User functions on the stack of the thread that died: one of them was adding, or at least busy. */
static void add_running(struct pm_diagnosis *diagnosis, struct pm_finding *finding) {
    struct pm_arena *arena = diagnosis->arena;
    finding->positions = pm_arena_array(arena, 4, sizeof(*finding->positions));
    for (size_t t = 0; finding->positions && t < diagnosis->thread_count; t++) {
        const struct pm_thread *thread = &diagnosis->threads[t];
        if (!thread->crashed) continue;
        for (size_t i = 0; i < thread->frame_count && finding->position_count < 3; i++) {
            const struct pm_frame *frame = &thread->frames[i];
            if (frame->kind != PM_FRAME_JS || !pm_is_user_file(frame->position.file)) continue;
            finding->positions[finding->position_count++] =
                (struct pm_role_position){"adder", frame->function, frame->position};
        }
    }
}

static struct pm_error *describe(struct pm_diagnosis *diagnosis, const struct pm_heap_view *view,
                                 const struct suspect *suspect) {
    struct pm_arena *arena = diagnosis->arena;
    struct census census;
    struct pm_owner owner;
    uint64_t entries = 0, capacity = 0, class_objects = 0;
    double limit = 0;
    PM_TRY(pm_find_owner(view, arena, suspect->container, &owner));
    if (!take_census(view, suspect->point, &census)) {
        census_deinit(&census);
        return pm_error_nomem();
    }
    bool counted =
        !suspect->is_chain && is_container((enum pm_node_kind)view->graph->kinds[suspect->container]) &&
        view->graph->source->entries(view->graph->source_self, suspect->container, &entries, &capacity);
    struct pattern pattern = pattern_of(view, suspect, &census, &owner, entries);
    const char *class_name = main_class(view, &census, &class_objects);
    uint64_t bytes = retained(view, suspect->container);
    if (bytes < retained(view, suspect->point))
        bytes = retained(view, suspect->point); /* something else refers to its store */
    double share = (double)bytes / (double)view->dominators->reachable_bytes;
    bool bounded = counted && is_bounded(view, suspect->container, entries, &limit);
    bool died_of_heap = diagnosis->process.death == PM_DEATH_HEAP_LIMIT ||
                        diagnosis->process.death == PM_DEATH_INEFFECTIVE_GC;
    struct pm_finding *finding = pm_diagnosis_finding(diagnosis);
    if (!finding) {
        census_deinit(&census);
        return pm_error_nomem();
    }
    /* Memory that hangs from the running code alone is what the work at hand needs, unless a class of the
     * program's own collects it. */
    bool own_name = owner.name && owner.position.file && pm_is_user_file(owner.position.file) &&
                    !strstr(owner.position.file, "/node_modules/");
    bool working_set = owner.transient && !owner.is_variable && !owner.holder_name && !own_name;
    if (working_set)
        pattern = (struct pattern){"working-set", "objects",
                                   "This memory hangs from the running code, not from a variable that "
                                   "outlives it: it is what the work at "
                                   "hand needs. Give the process a larger heap (--max-old-space-size), or do "
                                   "the work in smaller parts."};
    finding->id = pattern.id;
    finding->severity = working_set || bounded         ? PM_SEVERITY_INFO
                        : share >= 0.5 && died_of_heap ? PM_SEVERITY_CRITICAL
                        : share >= 0.3                 ? PM_SEVERITY_HIGH
                                                       : PM_SEVERITY_MEDIUM;
    finding->confidence = working_set                                         ? PM_CONFIDENCE_MEDIUM
                          : owner.name && owner.position.file && share >= 0.3 ? PM_CONFIDENCE_HIGH
                          : owner.name                                        ? PM_CONFIDENCE_MEDIUM
                                                                              : PM_CONFIDENCE_LOW;
    finding->retained_bytes = bytes;
    finding->share = share;
    finding->owner_name = owner.name;
    finding->owner_path = owner.path;
    finding->owner = owner.position;
    const char *holder = holder_words(arena, view, suspect, &owner);
    const char *of = class_name ? pm_arena_printf(arena, ", mostly %s %s", grouped(arena, class_objects),
                                                  plural(class_name, class_objects, arena))
                                : "";
    finding->title = pm_arena_printf(arena, "%s keeps %s",
                                     owner.name ? owner.name : pm_view_class(view, suspect->container),
                                     bytes_text(arena, bytes));
    finding->claim = counted
                         ? pm_arena_printf(arena, "%s holds %s %s and retains %s (%.1f %% of the heap)%s.",
                                           holder, grouped(arena, entries), pattern.what,
                                           bytes_text(arena, bytes), share * 100, of)
                         : pm_arena_printf(arena, "%s retains %s (%.1f %% of the heap), %s%s.", holder,
                                           bytes_text(arena, bytes), share * 100, pattern.what, of);
    if (working_set)
        finding->claim = pm_arena_printf(
            arena, "A working set, not a leak: %s (%.1f %% of the heap)%s hangs from the running code.",
            bytes_text(arena, bytes), share * 100, of);
    if (bounded && finding->claim)
        finding->claim =
            pm_arena_printf(arena, "%s It has a limit of its own (%.0f), so this is its size, not a leak.",
                            finding->claim, limit);
    finding->advice = pattern.advice;
    finding->evidence = pm_arena_array(arena, 8, sizeof(*finding->evidence));
    if (finding->evidence) {
        finding->evidence[finding->evidence_count++] = pm_arena_printf(arena, "way: %s", owner.path);
        for (size_t i = 0; i < 3 && i < child_count(view, suspect->point); i++)
            finding->evidence[finding->evidence_count++] = pm_arena_printf(
                arena, "holds: %s, %s", pm_view_describe(view, arena, child(view, suspect->point, i), 90),
                bytes_text(arena, retained(view, child(view, suspect->point, i))));
        if (census.external)
            finding->evidence[finding->evidence_count++] =
                pm_arena_printf(arena, "of it outside the heap: %s", bytes_text(arena, census.external));
    }
    finding->objects = pm_arena_alloc(arena, sizeof(*finding->objects));
    uint64_t address = view->graph->source->identity(view->graph->source_self, suspect->container);
    if (finding->objects)
        finding->objects[finding->object_count++] =
            (struct pm_object_ref){address, pm_arena_strdup(arena, pm_view_class(view, suspect->container))};
    add_running(diagnosis, finding);
    if (finding->positions && owner.position.file)
        finding->positions[finding->position_count++] =
            (struct pm_role_position){"holder", owner.name, owner.position};
    finding->next = pm_arena_array(arena, 2, sizeof(*finding->next));
    const char *file = diagnosis->input_count ? diagnosis->inputs[0].path : "CORE";
    if (finding->next)
        finding->next[finding->next_count++] =
            pm_arena_printf(arena, "postmortem inspect %s 0x%llx", file, (unsigned long long)address);
    census_deinit(&census);
    return NULL;
}

static struct pm_error *run(struct pm_diagnosis *diagnosis, const struct pm_heap_view *view) {
    uint64_t heap = view->dominators->reachable_bytes;
    size_t count = child_count(view, 0);
    for (size_t i = 0; i < count && i < MAX_SUSPECTS; i++) { /* children are sorted: largest first */
        struct suspect suspect = {.start = child(view, 0, i)};
        if ((double)retained(view, suspect.start) < SUSPECT_SHARE * (double)heap) break;
        find_point(view, &suspect);
        PM_TRY(describe(diagnosis, view, &suspect));
    }
    return NULL;
}

const struct pm_detector pm_detect_accumulation = {
    .name = "accumulation",
    .summary = "one object keeps a large part of the heap: collections, chains, listeners, timers, closures",
    .needs = PM_NEEDS_HEAP,
    .run = run,
};
