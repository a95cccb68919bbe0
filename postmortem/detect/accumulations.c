/* accumulations.c - what is too small to explain the heap but too many to be meant: listeners far above the
 * limit that emitters warn at, contexts nobody closed, the same text thousands of times. Told beside,
 * severity low or info; never the verdict. */
#include <stdlib.h>
#include <string.h>

#include "postmortem/detect/leak_case.h"
#include "postmortem/detect/report_finding.h"

struct candidate {
    pm_node array;
    uint64_t entries;
};

/* Arrays of functions (or of the records that emitters keep), the longest first. */
static size_t find_lists(const struct pm_heap_view *view, struct candidate *ret, size_t most) {
    const struct pm_graph *graph = view->graph;
    size_t found = 0;
    for (pm_node node = 1; node < graph->node_count; node++) {
        uint64_t entries = 0, capacity = 0;
        if (graph->kinds[node] != PM_NODE_ARRAY || !pm_view_reachable(view, node) ||
            pm_view_retained(view, node) < 8 * PM_LISTENERS_STRIKING || /* its elements alone */
            !graph->source->entries(graph->source_self, node, &entries, &capacity) ||
            entries < PM_LISTENERS_STRIKING)
            continue;
        if (found == most && entries <= ret[found - 1].entries) continue;
        size_t at = found < most ? found++ : most - 1;
        for (; at > 0 && ret[at - 1].entries < entries; at--) ret[at] = ret[at - 1];
        ret[at] = (struct candidate){node, entries};
    }
    return found;
}

/* Its elements as the members of a suspect. */
static void take_elements(const struct pm_heap_view *view, struct candidate list, struct pm_suspect *ret) {
    const struct pm_graph *graph = view->graph;
    uint64_t begin = graph->first_edge[list.array], end = graph->first_edge[list.array + 1];
    pm_node from = list.array; /* or the store with most elements */
    uint64_t many = 0;
    for (uint64_t edge = begin; edge < end; edge++) {
        pm_node store = graph->edges[edge];
        uint64_t count = graph->first_edge[store + 1] - graph->first_edge[store];
        if (graph->kinds[store] != PM_NODE_STORE || count <= many) continue;
        many = count;
        from = store;
    }
    begin = graph->first_edge[from];
    end = graph->first_edge[from + 1];
    *ret = (struct pm_suspect){.kind = PM_SUSPECT_MEMBERS,
                               .point = list.array,
                               .container = list.array,
                               .member_total = list.entries,
                               .bytes = pm_view_retained(view, list.array)};
    for (uint64_t edge = begin; edge < end && ret->member_count < PM_MEMBER_SAMPLE;
         edge += (end - begin) / PM_MEMBER_SAMPLE + 1)
        if (graph->kinds[graph->edges[edge]] != PM_NODE_SHAPE)
            ret->members[ret->member_count++] = graph->edges[edge];
}

static bool are_functions(const struct pm_heap_view *view, const struct pm_suspect *suspect) {
    size_t functions = 0;
    for (size_t i = 0; i < suspect->member_count; i++)
        functions += pm_view_kind(view, suspect->members[i]) == PM_NODE_CLOSURE;
    return suspect->member_count && functions * 10 >= suspect->member_count * 9;
}

static bool was_told(const struct pm_diagnosis *diagnosis, size_t first, const char *id, const char *name) {
    for (size_t i = first; i < diagnosis->finding_count; i++) {
        const struct pm_finding *known = &diagnosis->findings[i];
        if (strcmp(known->id, id) != 0) continue;
        if (!name || !known->owner_name || strcmp(known->owner_name, name) == 0) return true;
    }
    return false;
}

static struct pm_error *publish(const struct pm_case *leak, enum pm_severity severity, const char *title) {
    struct pm_claim claim = pm_claim_begin(leak->diagnosis, leak->id, severity, PM_CONFIDENCE_MEDIUM);
    const struct pm_link *link = pm_owner_link(&leak->owner);
    if (claim.failed) return pm_error_nomem();
    pm_claim_title(&claim, "%s", title);
    pm_claim_text(&claim, "%s.", leak->claim);
    pm_claim_advice(&claim, "%s", leak->advice);
    for (size_t i = 0; i < leak->evidence_count; i++) pm_claim_evidence(&claim, "%s", leak->evidence[i]);
    claim.finding->retained_bytes = leak->bytes;
    claim.finding->share = leak->share;
    claim.finding->owner_name = link ? link->name : NULL;
    claim.finding->owner = link ? link->position : (struct pm_position){0};
    claim.finding->positions =
        pm_arena_dup(leak->arena, leak->positions, leak->position_count, sizeof(*leak->positions));
    claim.finding->position_count = claim.finding->positions ? leak->position_count : 0;
    return pm_claim_end(&claim);
}

static struct pm_error *tell_listeners(struct pm_case *leak, size_t first) {
    struct candidate lists[PM_LISTS_LOOKED_AT];
    struct pm_suspect suspect;
    size_t count = find_lists(leak->view, lists, PM_LISTS_LOOKED_AT);
    for (size_t i = 0; i < count; i++) {
        struct pm_case each = *leak;
        take_elements(leak->view, lists[i], &suspect);
        if (!are_functions(leak->view, &suspect)) continue;
        each.suspect = &suspect;
        each.node = lists[i].array;
        each.counted = true;
        each.entries = lists[i].entries;
        each.bytes = suspect.bytes;
        each.share = (double)each.bytes / (double)leak->view->dominators->reachable_bytes;
        PM_TRY(pm_find_owner(leak->view, leak->arena, each.node, &each.owner));
        if (!pm_pattern_listener(&each) || strcmp(each.id, "listener-leak") != 0) continue;
        const struct pm_link *link = pm_owner_link(&each.owner);
        if (was_told(leak->diagnosis, first, each.id, link ? link->name : NULL)) continue;
        const char *title = pm_arena_printf(leak->arena, "%s listeners at one emitter",
                                            pm_words_count(leak->arena, lists[i].entries));
        PM_TRY(publish(&each, PM_SEVERITY_LOW, title));
    }
    return NULL;
}

static struct pm_error *tell_contexts(struct pm_case *leak, size_t first) {
    pm_node sample[2];
    uint64_t total = 0;
    size_t count = pm_case_all_of_kind(leak, PM_NODE_NATIVE_CONTEXT, sample, 2, &total);
    if (!count || total <= PM_CONTEXTS_LEAST || was_told(leak->diagnosis, first, "native-contexts", NULL))
        return NULL;
    struct pm_case all = *leak;
    for (pm_node node = 1; node < leak->view->graph->node_count; node++)
        if (leak->view->graph->kinds[node] == PM_NODE_NATIVE_CONTEXT && pm_view_reachable(leak->view, node))
            all.bytes += pm_view_retained(leak->view, node);
    all.id = "native-contexts";
    all.share = (double)all.bytes / (double)leak->view->dominators->reachable_bytes;
    all.claim = pm_arena_printf(
        leak->arena,
        "%s JavaScript contexts (vm.createContext, jsdom windows) are alive and retain %s "
        "(%.1f %% of the heap)",
        pm_words_count(leak->arena, total), pm_words_bytes(leak->arena, all.bytes), all.share * 100);
    all.advice =
        "Each context has its own globals and built-ins (some 500 kB). If they are not all in use: see "
        "what holds one of them with the command retainers.";
    PM_TRY(pm_find_owner(leak->view, leak->arena, sample[count - 1], &all.owner));
    pm_case_evidence(&all,
                     pm_arena_printf(leak->arena, "way to one of them: %s",
                                     pm_owner_path(leak->view, leak->arena, &all.owner, sample[count - 1])));
    return publish(
        &all, PM_SEVERITY_LOW,
        pm_arena_printf(leak->arena, "%s JavaScript contexts", pm_words_count(leak->arena, total)));
}

/* Already told beside another finding? */
static bool copies_told(const struct pm_diagnosis *diagnosis, size_t first) {
    for (size_t i = first; i < diagnosis->finding_count; i++)
        for (size_t k = 0; k < diagnosis->findings[i].evidence_count; k++) {
            const char *evidence = diagnosis->findings[i].evidence[k];
            if (evidence && strncmp(evidence, "about ", 6) == 0 && strstr(evidence, " copies of "))
                return true;
        }
    return false;
}

static struct pm_error *tell_copies(struct pm_case *leak, size_t first) {
    uint64_t copies = 0, waste = 0, heap = leak->view->dominators->reachable_bytes;
    if (was_told(leak->diagnosis, first, "duplicate-strings", NULL) || copies_told(leak->diagnosis, first))
        return NULL;
    struct pm_case all = *leak;
    if (!pm_case_copies(&all, &copies, &waste) || waste < PM_COPIES_BYTES ||
        (double)waste < PM_COPIES_SHARE * (double)heap)
        return NULL;
    all.id = "duplicate-strings";
    all.bytes = waste;
    all.share = (double)waste / (double)heap;
    all.claim = pm_arena_printf(
        leak->arena,
        "About %s strings are copies of a few texts; one of each would save some %s (%.1f %% "
        "of the heap)",
        pm_words_count(leak->arena, copies), pm_words_bytes(leak->arena, waste), all.share * 100);
    all.advice =
        "Keep each text once: look it up in a Map of known texts before it is stored. The command strings "
        "lists them.";
    return publish(&all, PM_SEVERITY_INFO, "the same texts again and again");
}

struct pm_error *pm_tell_accumulations(struct pm_case *leak, size_t first) {
    leak->owner.chosen = SIZE_MAX;
    PM_TRY(tell_listeners(leak, first));
    PM_TRY(tell_contexts(leak, first));
    return tell_copies(leak, first);
}
