/* What keeps the memory alive: the graph of the isolate that matters, or of a snapshot, with its dominators.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parsers/heap_snapshot.h"
#include "postmortem/base/escape.h"
#include "postmortem/heap_worker.h"
#include "postmortem/model/heap_rows.h"
#include "postmortem/options.h"
#include "postmortem/run.h"
#include "v8layout/facts.h"
#include "v8layout/graph.h"

static uint64_t page_bytes(const struct v8 *v8, size_t isolate) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < v8->page_count; i++)
        if (v8->pages[i].isolate == isolate && v8->pages[i].live)
            bytes += v8->pages[i].end - v8->pages[i].start;
    return bytes;
}

/* A process that did not run out of a heap of V8's: the memory is where most objects are, be that a worker's
 * heap. */
static size_t larger_isolate(const struct v8 *v8, enum pm_death_kind death, size_t own) {
    size_t most = own;
    if (death == PM_DEATH_HEAP_LIMIT || death == PM_DEATH_INEFFECTIVE_GC) return own;
    for (size_t i = 0; i < v8->isolate_count; i++)
        if (page_bytes(v8, i) > page_bytes(v8, most)) most = i;
    return page_bytes(v8, most) / 2 > page_bytes(v8, own) ? most : own;
}

/* The isolate that has the object asked for; else that of the thread that died, as far as it is known; else
 * the main one. */
static size_t isolate_at_fault(const struct pm_session *session) {
    const struct pm_diagnosis *diagnosis = session->diagnosis;
    const struct v8 *v8 = session->v8;
    const struct pm_options *options = session->options;
    if (options->has_object && !options->object_is_id) {
        const struct v8_page *page = v8_page_of(v8, options->object & ~(uint64_t)3);
        if (page && page->isolate < v8->isolate_count) return page->isolate;
    }
    pm_addr wanted = 0;
    for (size_t t = 0; t < diagnosis->thread_count; t++)
        if (diagnosis->threads[t].crashed) wanted = diagnosis->threads[t].isolate;
    /* The kernel writes the thread that died first. */
    if (!wanted && pm_core_thread_count(session->core))
        wanted = v8_facts_thread_isolate(v8->facts, pm_core_thread(session->core, 0));
    size_t own = 0;
    for (size_t i = 0; wanted && i < v8->isolate_count; i++)
        if (v8->isolates[i].address == wanted) own = i;
    return larger_isolate(v8, diagnosis->process.death, own);
}

/* Does --isolate name this one? */
static bool is_named(const struct pm_session *session, size_t index) {
    const char *name = session->options->isolate;
    const struct v8 *v8 = session->v8;
    char *end;
    if (!strcmp(name, "main")) return index == 0;
    unsigned long long number = strtoull(name, &end, 0);
    if (!*name || *end) return false;
    if (v8->isolates[index].address == number) return true;
    for (size_t i = 0; i < pm_core_thread_count(session->core); i++) {
        const struct pm_core_thread *thread = pm_core_thread(session->core, i);
        if (thread->tid == number &&
            v8_facts_thread_isolate(v8->facts, thread) == v8->isolates[index].address)
            return true;
    }
    return false;
}

static struct pm_error *choose_isolate(struct pm_session *session) {
    const struct v8 *v8 = session->v8;
    if (!session->options->isolate) {
        session->graph_isolate = isolate_at_fault(session);
        return NULL;
    }
    PM_AUTO_STRBUF struct pm_strbuf known = {0}, shown = {0};
    for (size_t i = 0; i < v8->isolate_count; i++) {
        if (is_named(session, i)) {
            session->graph_isolate = i;
            return NULL;
        }
        pm_strbuf_appendf(&known, "%s0x%" PRIx64 "%s", i ? ", " : "", v8->isolates[i].address,
                          i ? "" : " (main)");
    }
    pm_escape_terminal(&shown, session->options->isolate, strlen(session->options->isolate));
    return pm_error_hint(pm_error_create(PM_ERR_NOT_FOUND, "%s: no isolate '%s'; there is: %s",
                                         session->input->path, pm_strbuf_text(&shown),
                                         pm_strbuf_text(&known)),
                         "The command spaces lists the isolates with their threads.");
}

static struct pm_error *read_graph(struct pm_session *session) {
    session->graph_isolate = SIZE_MAX;
    if (session->v8) {
        PM_TRY(choose_isolate(session));
        pm_session_say(session, "reading the references");
        return v8_graph_create(session->v8, (uint32_t)session->graph_isolate, &session->graph);
    }
    if (!session->snapshot) return NULL;
    struct pm_snapshot_facts facts;
    pm_session_say(session, "reading the heap snapshot");
    PM_TRY(pm_heap_snapshot_read(session->snapshot, &session->graph, &facts));
    pm_heap_snapshot_coverage(&facts, session->diagnosis);
    return NULL;
}

/* A snapshot has an isolate, too: what it says of it. */
static struct pm_error *snapshot_isolate(struct pm_session *session) {
    struct pm_diagnosis *diagnosis = session->diagnosis;
    const struct pm_graph *graph = session->graph;
    struct pm_isolate *isolate = pm_arena_alloc(diagnosis->arena, sizeof(*isolate));
    if (!isolate) return pm_error_nomem();
    *isolate = (struct pm_isolate){
        .is_snapshot = true,
        .is_main = true,
        .tid = PM_UNKNOWN,
        .gc_state = PM_UNKNOWN,
        .array_buffer_bytes = PM_UNKNOWN,
        .external_bytes = PM_UNKNOWN,
        .external_string_bytes = PM_UNKNOWN,
        .max_old_generation = PM_UNKNOWN,
        .max_semi_space = PM_UNKNOWN,
        .heap_limit = PM_UNKNOWN,
        .unparsed_bytes = PM_UNKNOWN,
        .free_bytes = PM_UNKNOWN,
        .reachable_objects = PM_UNKNOWN,
        .reachable_bytes = PM_UNKNOWN,
        .unreachable_objects = PM_UNKNOWN,
        .unreachable_bytes = PM_UNKNOWN,
        .objects = graph->node_count - 1,
    };
    for (pm_node node = 1; node < graph->node_count; node++)
        isolate->object_bytes += pm_graph_shallow(graph, node);
    diagnosis->isolates = isolate;
    diagnosis->isolate_count = 1;
    diagnosis->has_isolates = true;
    diagnosis->objects_by_id = true;
    session->graph_isolate = 0;
    return NULL;
}

struct pm_error *pm_session_heap_rows(struct pm_session *session, const struct pm_tree_cut *cut) {
    struct pm_diagnosis *diagnosis = session->diagnosis;
    struct pm_heap_tree tree = {.graph = session->graph};
    bool has_tree = pm_session_tree(session, &tree);
    bool lost = session->graph && session->graph->references_lost;
    if ((!has_tree && !lost) || session->graph_isolate >= diagnosis->isolate_count) return NULL;
    struct pm_isolate *isolate = &diagnosis->isolates[session->graph_isolate];
    if (isolate->is_snapshot) {
        const struct pm_graph *graph = session->graph;
        PM_TRY(pm_group_rows(&tree, graph->class_of, graph->classes, graph->class_count, diagnosis->arena,
                             &isolate->histogram, &isolate->histogram_count));
        diagnosis->has_histogram = true;
        if (lost) return NULL;
    } else if (isolate->histogram) {
        PM_TRY(pm_class_rows_retained(&tree, isolate->histogram, isolate->histogram_count));
    }
    return pm_dominator_rows(&tree, cut, diagnosis->arena, isolate);
}

struct pm_error *pm_session_references(struct pm_session *session) {
    if (session->graph) return NULL;
    PM_TRY(read_graph(session));
    if (session->graph && session->graph->from_snapshot && !session->diagnosis->isolate_count)
        PM_TRY(snapshot_isolate(session));
    return NULL;
}

struct pm_error *pm_session_graph(struct pm_session *session) {
    struct pm_diagnosis *diagnosis = session->diagnosis;
    if (session->children) return NULL;
    PM_TRY(pm_session_references(session));
    if (!session->graph || session->graph->references_lost) return NULL;
    pm_session_say(session, "computing retained sizes");
    if (!session->dominators) PM_TRY(pm_dominators_create(session->graph, &session->dominators));
    PM_TRY(pm_dominator_children_create(session->graph, session->dominators, &session->children));
    if (session->graph_isolate < diagnosis->isolate_count) {
        struct pm_isolate *isolate = &diagnosis->isolates[session->graph_isolate];
        isolate->reachable_objects = session->dominators->reachable - 1; /* without the root */
        isolate->reachable_bytes = session->dominators->reachable_bytes;
        isolate->unreachable_objects = session->graph->node_count - session->dominators->reachable;
        isolate->unreachable_bytes = session->dominators->unreachable_bytes;
        PM_TRY(pm_heap_worker(session->graph, diagnosis->arena, isolate));
    }
    if (diagnosis->read_objects == PM_UNKNOWN || session->graph->from_snapshot)
        diagnosis->read_objects = session->graph->node_count - 1;
    return NULL;
}

static struct pm_error *need_heap(struct pm_session *session) {
    if (session->snapshot) return NULL;
    if (session->input) return pm_session_need_v8(session);
    return pm_error_hint(pm_error_create(PM_ERR_UNSUPPORTED,
                                         "%s: this command reads cores and heap snapshots",
                                         session->file_count ? session->files[0].input->path : "no input"),
                         "postmortem --help lists what each command reads.");
}

/* Why not is the file's damage, the problem that was noted when it was read. */
static struct pm_error *need_edges(const struct pm_session *session, const char *path) {
    const struct pm_diagnosis *diagnosis = session->diagnosis;
    if (!session->graph || !session->graph->references_lost) return NULL;
    const char *damage = diagnosis->problem_count ? diagnosis->problems[0].message : path;
    return pm_error_hint(pm_error_create(PM_ERR_NOT_SAVED,
                                         "%s: without all references nobody knows what keeps an object",
                                         damage),
                         "The command histogram shows how many objects there are, and their sizes.");
}

/* A process with workers has several heaps, of which an answer is about one. */
static void note_others(struct pm_session *session) {
    const struct v8 *v8 = session->v8;
    if (!v8 || v8->isolate_count < 2 || session->options->isolate || session->options->has_object) return;
    char what[64];
    snprintf(what, sizeof(what), "other heaps than that of isolate 0x%" PRIx64,
             v8->isolates[session->graph_isolate].address);
    pm_diagnosis_skip(session->diagnosis, what, v8->isolate_count - 1, PM_UNKNOWN,
                      "--isolate looks at one of them; the command spaces lists them");
}

struct pm_error *pm_session_need_references(struct pm_session *session) {
    PM_TRY(need_heap(session));
    PM_TRY(pm_session_references(session));
    note_others(session);
    return need_edges(session, session->files[0].input->path);
}

struct pm_error *pm_session_need_graph(struct pm_session *session) {
    PM_TRY(need_heap(session));
    PM_TRY(pm_session_graph(session));
    note_others(session);
    return need_edges(session, session->files[0].input->path);
}

struct pm_error *pm_session_need_objects(struct pm_session *session) {
    PM_TRY(need_heap(session));
    return pm_session_references(session);
}

struct pm_error *pm_session_find(const struct pm_session *session, pm_node *ret) {
    const struct pm_options *options = session->options;
    const struct pm_graph *graph = session->graph;
    const char *path = session->files[0].input->path;
    bool is_core = !graph->from_snapshot;
    if (is_core && options->object_is_id)
        return pm_error_hint(
            pm_error_create(PM_ERR_UNSUPPORTED, "%s: objects of a core have addresses, no ids", path),
            "Ids (@17) are of heap snapshots; an object of a core is named like 0x3f1c44a0.");
    uint64_t wanted = is_core ? options->object & ~(uint64_t)3 : options->object;
    *ret = graph->source->find(graph->source_self, wanted);
    if (*ret == PM_NO_NODE && !is_core && !options->object_is_id)
        *ret = graph->source->find(graph->source_self, options->object_as_decimal);
    if (*ret != PM_NO_NODE) return NULL;
    if (is_core)
        return pm_error_hint(
            pm_error_at(PM_ERR_NOT_FOUND, wanted, "%s: no object begins there", path),
            "Addresses come from the commands objects, dominators and inspect, or from a stack's "
            "arguments.");
    return pm_error_hint(
        pm_error_create(PM_ERR_NOT_FOUND, "%s: no object has the id @%" PRIu64, path, wanted),
        "Ids come from the commands objects and dominators, or from Chrome DevTools.");
}

struct pm_error *pm_session_open_heap(const struct pm_session *parent, const struct pm_session_file *file,
                                      struct pm_diagnosis *scratch, struct pm_session *ret) {
    *ret =
        (struct pm_session){.options = parent->options, .diagnosis = scratch, .progress = parent->progress};
    if (file->format->use == PM_USE_SNAPSHOT) {
        ret->snapshot = file->input;
    } else {
        ret->input = file->input;
        PM_TRY(pm_session_open_core(ret));
        PM_TRY(pm_session_open_modules(ret));
        pm_session_open_v8(ret);
        PM_TRY(pm_session_need_v8(ret));
    }
    PM_TRY(pm_session_graph(ret));
    return need_edges(ret, file->input->path);
}

bool pm_session_tree(const struct pm_session *session, struct pm_heap_tree *ret) {
    if (!session->children) return false;
    *ret = (struct pm_heap_tree){session->graph, session->dominators, session->children};
    return true;
}

bool pm_session_view(const struct pm_session *session, struct pm_heap_view *ret) {
    if (!session->children) return false;
    *ret = (struct pm_heap_view){
        .graph = session->graph, .dominators = session->dominators, .children = session->children};
    return true;
}
