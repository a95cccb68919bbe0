/* A Map, Set, array or object that only grows: what most leaks are. And bounded ones, which are none. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postmortem/detect/leak_case.h"

/* ---- growth signs in the keys ---- */

/* The keys look like times or like a counter: nobody asks for such a key again. */
static void tell_growth(struct pm_case *leak) {
    const struct pm_graph *graph = leak->view->graph;
    uint64_t cursor = 0, count = 0, times = 0, steps = 0, digits = 0;
    double last = 0;
    if (!graph->source->next_key || leak->entries < PM_GROWTH_KEYS) return;
    enum pm_node_kind kind = pm_view_kind(leak->view, leak->node);
    bool objects =
        kind == PM_NODE_SET && leak->suspect->member_class && leak->suspect->member_class[0] != '(';
    if (kind == PM_NODE_ARRAY || objects) return;
    const char *sample[3] = {NULL};
    for (; count < PM_KEY_SAMPLE; count++) {
        PM_AUTO_STRBUF struct pm_strbuf text = {0};
        double number = 0;
        bool is_number = false;
        if (!graph->source->next_key(graph->source_self, leak->node, &cursor, &text, &number, &is_number))
            break;
        if (!is_number) {
            /* a number at the end of the text: 'sess:17', 'req-42' */
            const char *bytes = pm_strbuf_text(&text);
            size_t at = text.length;
            while (at && bytes[at - 1] >= '0' && bytes[at - 1] <= '9') at--;
            if (at < text.length && text.length - at < 16) {
                number = strtod(bytes + at, NULL);
                digits++;
            }
            if (count < 3) sample[count] = pm_arena_printf(leak->arena, "\"%.60s\"", bytes);
        } else if (count < 3) {
            sample[count] = pm_arena_printf(leak->arena, "%.17g", number);
        }
        times += number >= PM_TIME_LEAST_MS && number <= PM_TIME_MOST_MS;
        steps += count && number > last && number - last < 1000;
        last = number;
    }
    if (count && sample[0])
        pm_case_evidence(leak, pm_arena_printf(leak->arena, "keys: %s%s%s%s%s ...", sample[0],
                                               sample[1] ? ", " : "", sample[1] ? sample[1] : "",
                                               sample[2] ? ", " : "", sample[2] ? sample[2] : ""));
    if (count < PM_GROWTH_KEYS) return;
    if ((double)times > PM_GROWTH_PART * (double)count)
        pm_case_evidence(leak, "sign of growth: the keys are times in milliseconds");
    else if ((double)steps > PM_GROWTH_PART * (double)count)
        pm_case_evidence(leak, "sign of growth: the keys are sequential numbers");
}

/* ---- limits ---- */

static bool limit_of(const struct pm_case *leak, pm_node holder, double *ret) {
    static const char *const names[] = {
        "max",       "maxSize",    "limit",      "capacity",   "maxEntries",  "maxLength",
        "maxKeys",   "maxItems",   "maxCount",   "maximum",    "bound",       "maxCacheSize",
        "max_size",  "maxLen",     "sizeLimit",  "size_limit", "max_entries", "maxElements",
        "cacheSize", "bufferSize", "maxRecords", "historySize"};
    static const char *const marks[] = {"", "_", "#"};
    const struct pm_graph_source *source = leak->view->graph->source;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        for (size_t k = 0; k < sizeof(marks) / sizeof(marks[0]); k++) {
            char name[32];
            double limit = 0;
            snprintf(name, sizeof(name), "%s%s", marks[k], names[i]);
            if (!source->number || !source->number(leak->view->graph->source_self, holder, name, &limit))
                continue;
            if (isfinite(limit) && limit >= (double)leak->entries && limit < (double)leak->entries * 8 + 16)
                return *ret = limit, true;
        }
    return false;
}

/* A limit that the holder itself names, as large as what is there. Its object of options counts. */
static bool is_bounded(const struct pm_case *leak, double *ret) {
    if (limit_of(leak, leak->node, ret)) return true;
    for (size_t i = 0; i < leak->owner.link_count && i < 3; i++) {
        pm_node holder = leak->owner.links[i].from;
        if (pm_view_kind(leak->view, holder) != PM_NODE_OBJECT) continue;
        if (limit_of(leak, holder, ret)) return true;
        static const char *const settings[] = {"options", "_options", "#options",
                                               "opts",    "config",   "settings"};
        for (size_t k = 0; k < sizeof(settings) / sizeof(settings[0]); k++) {
            pm_node options = pm_case_property(leak, holder, settings[k]);
            if (options != PM_NO_NODE && limit_of(leak, options, ret)) return true;
        }
    }
    return false;
}

/* A few collections in a collection: it is these that grow. "Sets with 2,000 values in all" */
static const char *inner_words(struct pm_case *leak) {
    const struct pm_suspect *suspect = leak->suspect;
    const struct pm_graph *graph = leak->view->graph;
    uint64_t sum = 0, most = 0;
    if (leak->entries >= PM_GROUP_LEAST || !suspect->member_count ||
        suspect->member_count != suspect->member_total)
        return NULL;
    enum pm_node_kind kind = pm_view_kind(leak->view, suspect->members[0]);
    for (size_t i = 0; i < suspect->member_count; i++) {
        uint64_t entries = 0, capacity = 0;
        if (pm_view_kind(leak->view, suspect->members[i]) != kind) return NULL;
        if (!graph->source->entries(graph->source_self, suspect->members[i], &entries, &capacity))
            return NULL;
        sum += entries;
        if (entries > most) most = entries;
    }
    if (most < PM_GROUP_LEAST) return NULL;
    if (kind != PM_NODE_MAP && kind != PM_NODE_SET && kind != PM_NODE_ARRAY) return NULL;
    pm_case_evidence(
        leak, pm_arena_printf(leak->arena, "the largest of them has %s", pm_words_count(leak->arena, most)));
    return kind == PM_NODE_MAP
               ? pm_arena_printf(leak->arena, "Maps with %s entries in all", pm_words_count(leak->arena, sum))
           : kind == PM_NODE_SET
               ? pm_arena_printf(leak->arena, "Sets with %s values in all", pm_words_count(leak->arena, sum))
               : pm_arena_printf(leak->arena, "arrays with %s elements in all",
                                 pm_words_count(leak->arena, sum));
}

bool pm_pattern_collection(struct pm_case *leak) {
    enum pm_node_kind kind = pm_view_kind(leak->view, leak->node);
    tell_growth(leak);
    switch (kind) {
    case PM_NODE_MAP:
    case PM_NODE_WEAK_MAP:
        leak->id = "unbounded-map";
        leak->what = "entries";
        leak->advice =
            "Give it a size limit or a time to live (an LRU cache), or delete entries when they are done.";
        break;
    case PM_NODE_SET:
    case PM_NODE_WEAK_SET:
        leak->id = "unbounded-set";
        leak->what = "values";
        leak->advice = "Delete values when they are done, or limit its size.";
        break;
    case PM_NODE_ARRAY:
        leak->id = "unbounded-array";
        leak->what = "elements";
        leak->advice = "Bound its length, or drop elements when they are done.";
        break;
    default:
        if (leak->counted && leak->entries > PM_DICTIONARY) {
            leak->id = "unbounded-object";
            leak->what = "properties";
            leak->advice =
                "An object used as a dictionary: delete keys when they are done, or use a Map with a limit.";
            break;
        }
        leak->id = leak->suspect->kind == PM_SUSPECT_GROUP ? "many-objects" : "large-object";
        leak->what = "";
        leak->counted = false; /* its properties are no entries */
        leak->about_variable = leak->suspect->kind != PM_SUSPECT_GROUP;
        leak->advice = leak->suspect->kind == PM_SUSPECT_GROUP
                           ? "They are held one by one by different objects: see who holds some of them with "
                             "the commands below."
                           : "See what it holds with the commands below, and drop what is done.";
    }
    const char *inner = leak->counted ? inner_words(leak) : NULL;
    if (inner) leak->what = inner;
    if (leak->main_class && strcmp(leak->main_class, "WeakRef") == 0)
        leak->advice =
            "A WeakRef lets go of its object, not of the entry it stands in: delete the key when the "
            "object is gone (FinalizationRegistry), or when deref() gives nothing.";
    return true;
}

/* Does the program's own text compare its size with something, and take entries out? */
static bool is_trimmed(const struct pm_case *leak) {
    const struct pm_link *link = pm_owner_link(&leak->owner);
    const struct pm_graph *graph = leak->view->graph;
    if (!link || !link->name || !graph->source->use) return false;
    pm_node closure = link->is_variable && pm_view_kind(leak->view, link->from) == PM_NODE_CONTEXT
                          ? pm_closure_of_context(leak->view, link->from)
                      : graph->source->constructor
                          ? graph->source->constructor(graph->source_self, link->from)
                          : PM_NO_NODE;
    uint64_t count = 0;
    char *function = NULL;
    struct pm_graph_position place = {0};
    if (closure == PM_NO_NODE) return false;
    bool is = graph->source->use(graph->source_self, closure, PM_GRAPH_TRIMS, link->name, &count, &function,
                                 &place);
    free(function);
    free(place.file);
    return is;
}

bool pm_pattern_bounded(struct pm_case *leak) {
    double limit = 0;
    bool number = leak->entries && is_bounded(leak, &limit);
    if (!number && !(leak->entries && is_trimmed(leak))) return false;
    pm_pattern_collection(leak);
    leak->innocent = true;
    leak->id = "bounded-cache";
    pm_case_evidence(leak, number ? pm_arena_printf(leak->arena, "it has a limit of its own: %.0f", limit)
                                  : "the program compares its size with a limit and takes entries out");
    leak->advice = "It is at the size it was given. Give it a smaller limit if that is too much.";
    return true;
}
