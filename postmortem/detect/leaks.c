/* leaks.c - from suspects to findings: who holds it, which pattern it is, is it a leak at all, how sure are
 * we.
 *
 * The patterns are asked in turn, the more special one first; the first that knows it tells it. What hangs
 * from running code, or from a suspended function of a library, without a variable of the program above it,
 * is what the work at hand needs: a working set. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postmortem/base/sort.h"
#include "postmortem/detect/detector.h"
#include "postmortem/detect/leak_case.h"
#include "postmortem/model/words.h"

static pm_pattern_tell *const patterns[] = {
    pm_pattern_timer,    pm_pattern_listener,   pm_pattern_stream, pm_pattern_async_context,
    pm_pattern_contexts, pm_pattern_modules,    pm_pattern_socket, pm_pattern_error,
    pm_pattern_promise,  pm_pattern_chain,      pm_pattern_buffer, pm_pattern_sliced,
    pm_pattern_huge,     pm_pattern_duplicates, pm_pattern_wasted, pm_pattern_closure,
    pm_pattern_list,     pm_pattern_collection,
};

/* ---- words ---- */

static const char *name_of(const struct pm_case *leak) {
    const struct pm_link *link = pm_owner_link(&leak->owner);
    if (leak->no_holder) return NULL;
    return leak->name ? leak->name : link ? link->name : NULL;
}

static struct pm_position position_of(const struct pm_case *leak) {
    const struct pm_link *link = pm_owner_link(&leak->owner);
    if (leak->no_holder) return (struct pm_position){0};
    if (leak->name) return leak->position;
    return link ? link->position : (struct pm_position){0};
}

/* The variable at the end of the way, when it adds something to the name: one of a package adds nothing to
 * the program's own, a class nothing to its static property. */
static const struct pm_link *told_holder(const struct pm_case *leak, const struct pm_link *link) {
    const struct pm_link *holder = pm_owner_holder(&leak->owner);
    if (!holder || !holder->name || strcmp(holder->name, link->name) == 0) return NULL;
    if (pm_owner_is_export(&leak->owner, leak->owner.chosen)) return NULL;
    if (link->place == PM_PLACE_USER && holder->place != PM_PLACE_USER) return NULL;
    if ((link->of_function && holder->to == link->from) || holder->one_of_many) return NULL;
    return holder;
}

/* "Map `cache` (/app/cache.js:4)", "Map in property `#byId` of Store (/app/store.js:5), held by `store`
 * (...)", "Array in `pool._queue` of Orders (...)" */
static const char *holder_words(const struct pm_case *leak) {
    struct pm_arena *arena = leak->arena;
    const char *class_name = pm_view_class(leak->view, leak->node);
    const struct pm_link *link = pm_owner_link(&leak->owner);
    bool internal = class_name[0] == '(' || strncmp(class_name, "system /", 8) == 0;
    const char *noun = pm_view_kind(leak->view, leak->node) == PM_NODE_CONTEXT ? "the scope of a closure"
                       : internal                                              ? "an object"
                                                                               : class_name;
    if (!link || leak->no_holder) return pm_arena_printf(arena, "%s without a name", noun);
    const struct pm_link *holder = told_holder(leak, link);
    const char *place = pm_words_place(arena, &link->position);
    if (leak->about_variable && link->is_variable) return pm_arena_printf(arena, "`%s`%s", link->name, place);
    const char *name = pm_owner_expression(arena, &leak->owner), *text;
    if (link->is_global)
        text = pm_arena_printf(arena, "%s `globalThis.%s`%s", noun, name, place);
    else if (pm_owner_is_export(&leak->owner, leak->owner.chosen))
        text = pm_arena_printf(arena, "%s `exports.%s`%s", noun, name, place);
    else if (link->is_variable || link->is_module)
        text = pm_arena_printf(arena, "%s `%s`%s", noun, name, place);
    else
        text = pm_arena_printf(arena, "%s in %s`%s` of %s%s", noun, leak->owner.chosen ? "" : "property ",
                               name, pm_owner_of(leak->view, arena, link), place);
    if (holder)
        text = pm_arena_printf(arena, "%s, held by `%s`%s", text, holder->name,
                               pm_words_place(arena, &holder->position));
    return text;
}

static const char *capital(struct pm_arena *arena, const char *text) {
    char *copy = pm_arena_strdup(arena, text);
    if (copy && copy[0] >= 'a' && copy[0] <= 'z') copy[0] = (char)(copy[0] - 32);
    return copy;
}

/* ", mostly 12 Job objects" */
const char *pm_case_of_words(const struct pm_case *leak) {
    if (leak->of) return leak->of;
    if (!leak->main_class) return "";
    const char *objects = pm_words_objects(leak->arena, leak->main_count, leak->main_class);
    bool one_each = leak->counted && leak->main_count == leak->entries; /* of a collection: its members */
    return pm_arena_printf(leak->arena, ", mostly %s%s", leak->main_exact || one_each ? "" : "at least ",
                           objects);
}

static const char *group_words(const struct pm_case *leak) {
    const struct pm_suspect *suspect = leak->suspect;
    struct pm_arena *arena = leak->arena;
    const char *objects = pm_words_objects(arena, suspect->member_total, suspect->member_class);
    const char *held = "";
    if (suspect->holder_edge)
        held = pm_arena_printf(arena, ", most of them in `%s` of a %s", suspect->holder_edge,
                               suspect->holder_class);
    else if (suspect->holder_class && suspect->holder_class[0] != '(')
        held = pm_arena_printf(arena, ", most of them held by a %s", suspect->holder_class);
    return pm_arena_printf(arena, "%s together retain %s (%.1f %% of the heap)%s", objects,
                           pm_words_bytes(arena, leak->bytes), leak->share * 100, held);
}

static void tell_claim(struct pm_case *leak) {
    struct pm_arena *arena = leak->arena;
    const char *bytes = pm_words_bytes(arena, leak->bytes);
    if (leak->claim) {
        leak->claim = capital(arena, pm_arena_printf(arena, "%s%s.", leak->claim, pm_case_of_words(leak)));
        return;
    }
    if (leak->suspect->container == PM_NO_NODE && !leak->no_holder)
        leak->claim = pm_arena_printf(arena, "%s.", group_words(leak));
    else if (leak->counted)
        leak->claim = pm_arena_printf(arena, "%s holds %s %s and retains %s (%.1f %% of the heap)%s.",
                                      holder_words(leak), pm_words_count(arena, leak->entries), leak->what,
                                      bytes, leak->share * 100, pm_case_of_words(leak));
    else
        leak->claim =
            pm_arena_printf(arena, "%s retains %s (%.1f %% of the heap)%s%s%s.", holder_words(leak), bytes,
                            leak->share * 100, *leak->what ? ", " : "", leak->what, pm_case_of_words(leak));
    leak->claim = capital(arena, leak->claim);
    if (leak->innocent && leak->claim)
        leak->claim = pm_arena_printf(arena, "%s It has a limit of its own, so this is its size, not a leak.",
                                      leak->claim);
}

/* ---- one finding ---- */

static bool is_collection(const struct pm_case *leak) {
    return leak->suspect->container != PM_NO_NODE && leak->suspect->kind != PM_SUSPECT_CHAIN &&
           pm_view_is_container(leak->view, leak->node);
}

static enum pm_severity severity_of(const struct pm_case *leak) {
    bool died_of_it = leak->diagnosis->process.death == PM_DEATH_HEAP_LIMIT ||
                      leak->diagnosis->process.death == PM_DEATH_INEFFECTIVE_GC;
    if (leak->innocent) return PM_SEVERITY_INFO;
    if (leak->share >= PM_CRITICAL_SHARE && died_of_it) return PM_SEVERITY_CRITICAL;
    if (!died_of_it && leak->bytes < PM_SMALL_BYTES) return PM_SEVERITY_LOW;
    return leak->share >= PM_HIGH_SHARE ? PM_SEVERITY_HIGH : PM_SEVERITY_MEDIUM;
}

static bool badly_covered(const struct pm_diagnosis *diagnosis) {
    for (size_t i = 0; i < diagnosis->isolate_count; i++) {
        const struct pm_isolate *isolate = &diagnosis->isolates[i];
        if (isolate->unparsed_bytes != PM_UNKNOWN && isolate->object_bytes != PM_UNKNOWN &&
            (double)isolate->unparsed_bytes > PM_BAD_COVERAGE * (double)isolate->object_bytes)
            return true;
    }
    for (size_t i = 0; i < diagnosis->input_count; i++)
        if (!diagnosis->inputs[i].complete) return true;
    return false;
}

static enum pm_confidence confidence_of(const struct pm_case *leak) {
    struct pm_position position = position_of(leak);
    bool named = name_of(leak) || leak->no_holder,
         placed = position.file || (leak->no_holder && leak->position_count);
    enum pm_confidence confidence = leak->unsure                                       ? PM_CONFIDENCE_LOW
                                    : leak->innocent                                   ? PM_CONFIDENCE_MEDIUM
                                    : named && placed && leak->share >= PM_SOLID_SHARE ? PM_CONFIDENCE_HIGH
                                    : named                                            ? PM_CONFIDENCE_MEDIUM
                                                                                       : PM_CONFIDENCE_LOW;
    bool weak_end = leak->owner.end == PM_END_TRANSIENT || leak->owner.end == PM_END_NOTHING;
    if (confidence == PM_CONFIDENCE_HIGH && (weak_end || leak->suspect->container == PM_NO_NODE))
        confidence = PM_CONFIDENCE_MEDIUM;
    if (confidence > PM_CONFIDENCE_LOW && badly_covered(leak->diagnosis)) confidence--;
    return confidence;
}

static struct pm_error *no_memory_if_null(const void *item) {
    return item ? NULL : pm_error_nomem();
}

/* The functions of the user's that were running in the thread that died. */
static void add_running(struct pm_case *leak) {
    const struct pm_diagnosis *diagnosis = leak->diagnosis;
    unsigned added = 0;
    for (size_t t = 0; t < diagnosis->thread_count; t++) {
        const struct pm_thread *thread = &diagnosis->threads[t];
        for (size_t i = 0; thread->crashed && i < thread->frame_count && added < 3; i++) {
            const struct pm_frame *frame = &thread->frames[i];
            if (frame->kind != PM_FRAME_JS || frame->is_async ||
                pm_place_of(frame->position.file) != PM_PLACE_USER)
                continue;
            pm_case_position(leak, "running", frame->function, frame->position);
            added++;
        }
    }
}

/* In a process with workers the program's files do not say whose heap it is. */
static void add_worker(struct pm_case *leak) {
    PM_AUTO_STRBUF struct pm_strbuf text = {0};
    for (size_t i = 0; i < leak->diagnosis->isolate_count; i++) {
        if (!leak->diagnosis->isolates[i].worker) continue;
        pm_worker_words(&text, leak->diagnosis->isolates[i].worker);
        pm_case_evidence(leak, pm_arena_printf(leak->arena, "in the heap of %s", pm_strbuf_text(&text)));
        return;
    }
}

static void add_evidence(struct pm_case *leak) {
    struct pm_arena *arena = leak->arena;
    const struct pm_suspect *suspect = leak->suspect;
    const char *package = pm_owner_packages(leak->view, arena, &leak->owner);
    add_worker(leak);
    if (suspect->container != PM_NO_NODE && !leak->no_holder)
        pm_case_evidence(leak, pm_arena_printf(arena, "way: %s",
                                               pm_owner_path(leak->view, arena, &leak->owner, leak->node)));
    if (package) pm_case_evidence(leak, pm_arena_printf(arena, "package: %s", package));
    for (size_t i = 0, told = 0; i < suspect->member_count && told < 3; i++) {
        if (pm_view_kind(leak->view, suspect->members[i]) == PM_NODE_SHAPE) continue;
        told++;
        pm_case_evidence(
            leak, pm_arena_printf(arena, "holds: %s, %s",
                                  pm_view_describe(leak->view, arena, suspect->members[i], 90),
                                  pm_words_bytes(arena, pm_view_retained(leak->view, suspect->members[i]))));
    }
    if (leak->census.external && strcmp(leak->id, "buffer-retained") != 0)
        pm_case_evidence(leak, pm_arena_printf(arena, "of it outside the heap: %s",
                                               pm_words_bytes(arena, leak->census.external)));
}

static struct pm_error *add_details(struct pm_case *leak, struct pm_finding *finding) {
    struct pm_arena *arena = leak->arena;
    const struct pm_suspect *suspect = leak->suspect;
    const char *file = leak->diagnosis->input_count ? leak->diagnosis->inputs[0].path : "FILE";
    const struct pm_graph *graph = leak->view->graph;
    finding->evidence = pm_arena_dup(arena, leak->evidence, leak->evidence_count, sizeof(*leak->evidence));
    finding->evidence_count = finding->evidence ? leak->evidence_count : 0;
    finding->positions = pm_arena_dup(arena, leak->positions, leak->position_count, sizeof(*leak->positions));
    finding->position_count = finding->positions ? leak->position_count : 0;
    finding->objects = pm_arena_array(arena, 4, sizeof(*finding->objects));
    finding->next = pm_arena_array(arena, 3, sizeof(*finding->next));
    PM_TRY(no_memory_if_null(finding->objects));
    PM_TRY(no_memory_if_null(finding->next));
    uint64_t address = graph->source->identity(graph->source_self, leak->node);
    finding->objects[finding->object_count++] =
        (struct pm_object_ref){address, pm_arena_strdup(arena, pm_view_class(leak->view, leak->node))};
    for (size_t i = 0; i < suspect->member_count && finding->object_count < 4; i++)
        if (suspect->members[i] != leak->node)
            finding->objects[finding->object_count++] = (struct pm_object_ref){
                graph->source->identity(graph->source_self, suspect->members[i]),
                pm_arena_strdup(arena, pm_view_class(leak->view, suspect->members[i]))};
    char object[32];
    snprintf(object, sizeof(object), graph->from_snapshot ? "@%" PRIu64 : "0x%" PRIx64, address);
    finding->next[finding->next_count++] = pm_arena_printf(arena, "postmortem inspect %s %s", file, object);
    finding->next[finding->next_count++] = pm_arena_printf(arena, "postmortem retainers %s %s", file, object);
    if (leak->main_class && !strpbrk(leak->main_class, " '\"\\$`"))
        finding->next[finding->next_count++] =
            pm_arena_printf(arena, "postmortem objects %s --class %s", file, leak->main_class);
    return NULL;
}

static struct pm_error *publish(struct pm_case *leak) {
    struct pm_finding *finding = pm_diagnosis_finding(leak->diagnosis);
    struct pm_arena *arena = leak->arena;
    PM_TRY(no_memory_if_null(finding));
    bool together = leak->suspect->container == PM_NO_NODE && !leak->name; /* nobody's: a group */
    const char *name = together ? NULL : name_of(leak);
    finding->id = leak->id;
    finding->severity = severity_of(leak);
    finding->confidence = confidence_of(leak);
    finding->retained_bytes = leak->bytes;
    finding->share = leak->share;
    finding->owner_name = name;
    finding->subject = leak->main_class && !pm_is_plain_class(leak->main_class)
                           ? pm_arena_strdup(arena, leak->main_class)
                           : NULL;
    finding->owner = together ? (struct pm_position){0} : position_of(leak);
    finding->owner_path = pm_owner_path(leak->view, arena, &leak->owner, leak->node);
    finding->claim = leak->claim;
    finding->advice = leak->advice;
    finding->title =
        pm_arena_printf(arena, "%s %s %s",
                        name ? name
                        : leak->suspect->member_class && leak->suspect->container == PM_NO_NODE
                            ? pm_arena_printf(arena, "%s objects", leak->suspect->member_class)
                        : leak->no_holder ? leak->what
                                          : pm_view_class(leak->view, leak->node),
                        leak->no_holder || together ? "keep" : "keeps", pm_words_bytes(arena, leak->bytes));
    if (strcmp(leak->id, "working-set") == 0)
        finding->title = pm_arena_printf(arena, "a working set of %s", pm_words_bytes(arena, leak->bytes));
    return add_details(leak, finding);
}

static const char *share_words(struct pm_arena *arena, uint64_t bytes, double share) {
    return pm_arena_printf(arena, "%s (%.1f %% of the heap)", pm_words_bytes(arena, bytes), share * 100);
}

/* A finding grows by what another suspect of the same holder has: its table beside its members, for instance.
 * The claim says the sum. */
static void add_to(const struct pm_case *leak, struct pm_finding *known) {
    struct pm_arena *arena = leak->arena;
    struct pm_case sum = *leak;
    const char *before = share_words(arena, known->retained_bytes, known->share);
    known->retained_bytes += leak->bytes;
    known->share += leak->share;
    sum.bytes = known->retained_bytes;
    sum.share = known->share;
    if (known->severity != PM_SEVERITY_INFO) known->severity = severity_of(&sum);
    const char *at = known->claim && before ? strstr(known->claim, before) : NULL;
    if (at)
        known->claim =
            pm_arena_printf(arena, "%.*s%s%s", (int)(at - known->claim), known->claim,
                            share_words(arena, known->retained_bytes, known->share), at + strlen(before));
    if (known->owner_name)
        known->title = pm_arena_printf(arena, "%s keeps %s", known->owner_name,
                                       pm_words_bytes(arena, known->retained_bytes));
}

/* The same holder as a finding before: one finding. */
static bool merge(const struct pm_case *leak, size_t first) {
    const char *name = name_of(leak);
    struct pm_position position = position_of(leak);
    for (size_t i = first; i < leak->diagnosis->finding_count; i++) {
        struct pm_finding *known = &leak->diagnosis->findings[i];
        bool same_place = known->owner.line == position.line &&
                          (known->owner.file == NULL) == (position.file == NULL) &&
                          (!position.file || strcmp(known->owner.file, position.file) == 0);
        bool same_name =
            name && known->owner_name ? strcmp(name, known->owner_name) == 0 : name == known->owner_name;
        bool same_set = strcmp(known->id, "working-set") == 0 && strcmp(leak->id, "working-set") == 0;
        if (!same_set && (!same_name || !same_place || !name || strcmp(known->id, leak->id) != 0)) continue;
        add_to(leak, known);
        if (same_set)
            known->claim = pm_arena_printf(
                leak->arena,
                "A working set, not a leak: %s (%.1f %% of the heap) are held by the running code.",
                pm_words_bytes(leak->arena, known->retained_bytes), known->share * 100);
        if (same_set)
            known->title = pm_arena_printf(leak->arena, "a working set of %s",
                                           pm_words_bytes(leak->arena, known->retained_bytes));
        return true;
    }
    return false;
}

/* The text of a program or a module's code: as large as the program is. */
static bool is_program_text(const struct pm_case *leak) {
    struct pm_path_step *steps = NULL;
    size_t count = 0;
    enum pm_node_kind kind = pm_view_kind(leak->view, leak->node);
    struct pm_error *err =
        kind == PM_NODE_STRING ? pm_graph_referrers(leak->view->graph, leak->node, &steps, &count) : NULL;
    bool is = false;
    for (size_t i = 0; !err && i < count && !is; i++)
        is = strcmp(pm_view_class(leak->view, steps[i].node), "system / Script") == 0 ||
             (pm_view_kind(leak->view, steps[i].node) == PM_NODE_CODE && steps[i].node != 0);
    pm_error_destroy(err);
    free(steps);
    return is || kind == PM_NODE_CODE;
}

/* What a pattern says that does not fit after all counts only where it is about texts. */
static void tell_pattern(struct pm_case *leak) {
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        size_t evidence = leak->evidence_count, positions = leak->position_count;
        if (patterns[i](leak)) return;
        if (patterns[i] != pm_pattern_duplicates) leak->evidence_count = evidence;
        leak->position_count = positions;
    }
}

/* Node's own modules and tables, and caches of V8 that only its roots hold: they are there in every process.
 */
static bool is_nodes_own(const struct pm_case *leak) {
    const struct pm_link *link = pm_owner_link(&leak->owner);
    bool program = pm_owner_is_program(&leak->owner);
    bool through = false; /* a scope of Node's: from every global of Node's a way leads to all its modules */
    for (size_t i = 0; i < leak->owner.link_count; i++) {
        program |= leak->owner.links[i].place == PM_PLACE_PACKAGE;
        through |= leak->owner.links[i].place == PM_PLACE_NODE && leak->owner.links[i].is_variable;
    }
    bool theirs = link ? link->place == PM_PLACE_NODE : leak->owner.end == PM_END_ROOT;
    return (theirs || through) && !program && leak->bytes < PM_NODES_OWN_BYTES;
}

/* Part of a finding that was told. */
static bool is_told(const struct pm_case *leak, const pm_node *told, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (told[i] != leak->node && pm_view_dominated_by(leak->view, leak->node, told[i])) return true;
    return false;
}

static struct pm_error *examine(struct pm_case *leak, size_t first, struct pm_paths **paths, pm_node *told,
                                size_t *told_count) {
    const struct pm_suspect *suspect = leak->suspect;
    leak->node = suspect->container != PM_NO_NODE ? suspect->container
                 : suspect->member_count          ? suspect->members[0]
                                                  : suspect->point;
    leak->bytes = suspect->bytes;
    if (suspect->kind == PM_SUSPECT_HUGE && is_program_text(leak)) return NULL;
    if (suspect->kind == PM_SUSPECT_MEMBERS && suspect->container != PM_NO_NODE &&
        pm_view_retained(leak->view, suspect->container) > leak->bytes &&
        suspect->bytes == pm_view_retained(leak->view, suspect->point))
        leak->bytes = pm_view_retained(leak->view, suspect->container);
    leak->share = (double)leak->bytes / (double)leak->view->dominators->reachable_bytes;
    PM_TRY(pm_find_owner(leak->view, leak->arena, leak->node, &leak->owner));
    if (is_nodes_own(leak) || is_told(leak, told, *told_count)) return NULL;
    if (suspect->container != PM_NO_NODE) told[(*told_count)++] = leak->node;
    bool group = suspect->kind == PM_SUSPECT_GROUP;
    PM_TRY(pm_census_take(leak->view, group ? suspect->members : &suspect->point,
                          group ? suspect->member_count : 1, &leak->census));
    leak->main_class =
        group && !pm_is_plain_class(suspect->member_class)
            ? (leak->main_count = suspect->member_total, suspect->member_class)
            : pm_census_main_class(leak->view, leak->arena, &leak->census,
                                   suspect->kind == PM_SUSPECT_CHAIN ? 0 : suspect->member_total,
                                   &leak->main_count);
    leak->main_exact = leak->main_count == suspect->member_total ||
                       (leak->census.complete && (!group || suspect->member_count == suspect->member_total));
    leak->main_class =
        pm_arena_strdup(leak->arena, leak->main_class); /* the graph is closed before it is written */
    if (is_collection(leak))
        leak->counted = leak->view->graph->source->entries(leak->view->graph->source_self, leak->node,
                                                           &leak->entries, &leak->capacity);
    if (!leak->counted || !pm_pattern_bounded(leak)) tell_pattern(leak);
    bool suspended = false;
    if (pm_case_is_working_set(leak, paths, &suspended))
        pm_case_tell_working_set(leak, suspended);
    else {
        if (!leak->no_holder) pm_case_position(leak, "holder", name_of(leak), position_of(leak));
        const struct pm_link *holder = pm_owner_holder(&leak->owner);
        if (holder && !leak->no_holder) pm_case_position(leak, "holder", holder->name, holder->position);
        if (!leak->innocent) pm_case_find_makers(leak);
        tell_claim(leak);
    }
    add_running(leak);
    add_evidence(leak);
    return merge(leak, first) ? NULL : publish(leak);
}

static int compare_findings(const void *a, const void *b) {
    const struct pm_finding *left = a, *right = b;
    bool left_info = left->severity == PM_SEVERITY_INFO, right_info = right->severity == PM_SEVERITY_INFO;
    if (left_info != right_info) return left_info ? 1 : -1;
    return left->share < right->share ? 1 : left->share > right->share ? -1 : 0;
}

/* Nothing that keeps growing was found: said in so many words, with what is largest. */
static struct pm_error *tell_nothing(struct pm_diagnosis *diagnosis, const struct pm_heap_view *view) {
    struct pm_finding *finding = pm_diagnosis_finding(diagnosis);
    struct pm_arena *arena = diagnosis->arena;
    PM_TRY(no_memory_if_null(finding));
    finding->id = "nothing-stands-out";
    finding->severity = PM_SEVERITY_INFO;
    finding->confidence = badly_covered(diagnosis) ? PM_CONFIDENCE_LOW : PM_CONFIDENCE_MEDIUM;
    finding->title = "no leak stands out";
    finding->claim = pm_arena_printf(
        arena,
        "Nothing stands out in the heap of %s: no collection, listener, timer or promise keeps a "
        "tenth of it without a limit.",
        pm_words_bytes(arena, view->dominators->reachable_bytes));
    if (view->dominators->reachable_bytes < PM_ORDINARY_BYTES) return NULL;
    finding->advice =
        "If memory grows nevertheless, compare two dumps taken some time apart: postmortem compare OLD NEW. "
        "If the process "
        "was killed for its memory, look outside of the JavaScript heap (buffers, native memory).";
    finding->evidence = pm_arena_array(arena, 3, sizeof(*finding->evidence));
    for (size_t i = 0; finding->evidence && i < 3 && i < pm_view_child_count(view, 0); i++) {
        pm_node node = pm_view_child(view, 0, i);
        finding->evidence[finding->evidence_count++] =
            pm_arena_printf(arena, "largest: %s, %s", pm_view_describe(view, arena, node, 90),
                            pm_words_bytes(arena, pm_view_retained(view, node)));
    }
    return NULL;
}

static struct pm_error *run(struct pm_diagnosis *diagnosis, const struct pm_heap_view *view) {
    struct pm_suspect *suspects PM_AUTO_FREE = NULL;
    struct pm_paths *paths = NULL;
    struct pm_files *files PM_AUTO_FREE = calloc(1, sizeof(*files));
    PM_TRY(no_memory_if_null(files));
    size_t count = 0, first = diagnosis->finding_count;
    PM_TRY(pm_find_suspects(view, diagnosis->arena, &suspects, &count));
    struct pm_error *err = NULL;
    pm_node told[PM_MAX_SUSPECTS];
    size_t told_count = 0;
    for (size_t i = 0; i < count && i < PM_MAX_SUSPECTS && !err; i++) {
        struct pm_case leak = {.diagnosis = diagnosis,
                               .view = view,
                               .arena = diagnosis->arena,
                               .suspect = &suspects[i],
                               .files = files};
        err = examine(&leak, first, &paths, told, &told_count);
        pm_census_deinit(&leak.census);
    }
    pm_paths_destroy(paths);
    PM_TRY(err);
    bool leaks = false, working = false;
    for (size_t i = first; i < diagnosis->finding_count; i++) {
        leaks |= diagnosis->findings[i].severity != PM_SEVERITY_INFO;
        working |= strcmp(diagnosis->findings[i].id, "working-set") == 0;
    }
    if (diagnosis->finding_count > first)
        pm_sort(diagnosis->findings + first, diagnosis->finding_count - first, sizeof(*diagnosis->findings),
                compare_findings);
    if (!leaks && !working) {
        PM_TRY(tell_nothing(diagnosis, view));
        /* before what is bounded */
        struct pm_finding last = diagnosis->findings[diagnosis->finding_count - 1];
        memmove(diagnosis->findings + first + 1, diagnosis->findings + first,
                (diagnosis->finding_count - 1 - first) * sizeof(last));
        diagnosis->findings[first] = last;
    }
    struct pm_case rest = {.diagnosis = diagnosis, .view = view, .arena = diagnosis->arena, .files = files};
    return pm_tell_accumulations(&rest, first);
}

const struct pm_detector pm_detect_leaks = {
    .name = "leaks",
    .summary = "what keeps a large part of the heap: collections, chains, listeners, timers, promises, "
               "closures, buffers",
    .needs = PM_NEEDS_HEAP,
    .run = run,
};
