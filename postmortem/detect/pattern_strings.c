/* Strings: slices of long ones, the same text many times; memory outside the heap. */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "postmortem/base/sort.h"
#include "postmortem/detect/leak_case.h"

bool pm_pattern_sliced(struct pm_case *leak) {
    const struct pm_census *census = &leak->census;
    uint64_t sliced = census->by_kind[PM_NODE_SLICED_STRING];
    uint64_t in_strings = census->bytes_by_kind[PM_NODE_STRING];
    if (sliced < PM_SLICED_LEAST || (double)in_strings < PM_SLICED_PART * (double)census->bytes) return false;
    /* their parents are few and long */
    uint64_t parents = census->by_kind[PM_NODE_STRING];
    if (parents == 0 || in_strings / parents < 1000) return false;
    pm_node sample[3];
    size_t count = pm_case_below(leak, PM_NODE_SLICED_STRING, sample, 3);
    pm_case_evidence(leak, pm_arena_printf(leak->arena, "%s sliced strings keep parents of %s on average",
                                           pm_words_count(leak->arena, sliced),
                                           pm_words_bytes(leak->arena, in_strings / parents)));
    for (size_t i = 0; i < count; i++)
        pm_case_evidence(leak, pm_arena_printf(leak->arena, "slice: %s",
                                               pm_view_describe(leak->view, leak->arena, sample[i], 70)));
    leak->id = "sliced-strings";
    leak->what = "short strings that keep their long parents alive";
    leak->advice =
        "A substring of 13 characters or more is a view on the whole text. Copy it before it is kept "
        "(Buffer.from(s).toString(), or structuredClone of what is kept).";
    return true;
}

/* ---- the same text many times ---- */

struct copies {
    uint64_t hash, count, bytes;
    pm_node one;
};

static int compare_copies(const void *a, const void *b) {
    const struct copies *left = a, *right = b;
    return left->bytes < right->bytes ? 1 : left->bytes > right->bytes ? -1 : 0;
}

enum { TEXT_SAMPLE = 4000, TEXT_SLOTS = 16384 };

struct texts {
    struct copies *slots;
    uint64_t strings, bytes, again; /* looked at; of these seen before */
};

static void look_at(const struct pm_case *leak, pm_node string, struct texts *texts) {
    PM_AUTO_STRBUF struct pm_strbuf text = {0};
    if (!leak->view->graph->source->text(leak->view->graph->source_self, string, 300, &text)) return;
    uint64_t own = pm_graph_shallow(leak->view->graph, string);
    uint64_t hash = XXH3_64bits(pm_strbuf_text(&text), text.length) ^ own;
    size_t at = hash % TEXT_SLOTS;
    while (texts->slots[at].count && texts->slots[at].hash != hash) at = (at + 1) % TEXT_SLOTS;
    if (texts->slots[at].count) texts->again += own;
    texts->strings++;
    texts->bytes += own;
    texts->slots[at].hash = hash;
    texts->slots[at].one = string;
    texts->slots[at].count++;
    texts->slots[at].bytes += own;
}

bool pm_pattern_duplicates(struct pm_case *leak) {
    const struct pm_census *census = &leak->census;
    uint64_t all = census->by_kind[PM_NODE_STRING];
    double in_strings = (double)census->bytes_by_kind[PM_NODE_STRING];
    if (in_strings < PM_DUPLICATE_TELL * (double)census->bytes) return false;
    struct texts texts = {.slots = calloc(TEXT_SLOTS, sizeof(*texts.slots))};
    pm_node *strings = malloc(TEXT_SAMPLE * sizeof(*strings));
    size_t count =
        strings && texts.slots ? pm_case_sample_below(leak, PM_NODE_STRING, strings, TEXT_SAMPLE) : 0;
    for (size_t i = 0; i < count; i++) look_at(leak, strings[i], &texts);
    double part =
        texts.bytes ? in_strings * (double)texts.again / (double)texts.bytes / (double)census->bytes : 0;
    bool many = texts.strings >= PM_DUPLICATE_COPIES && texts.again * 10 >= texts.bytes * 8,
         is = many && part >= PM_DUPLICATE_PART;
    if (many && part >= PM_DUPLICATE_TELL) {
        pm_sort(texts.slots, TEXT_SLOTS, sizeof(*texts.slots), compare_copies);
        for (size_t i = 0; i < 3 && texts.slots[i].count > 1; i++)
            pm_case_evidence(
                leak, pm_arena_printf(leak->arena, "about %s copies of %s",
                                      pm_words_count(leak->arena, texts.slots[i].count * all / count),
                                      pm_view_describe(leak->view, leak->arena, texts.slots[i].one, 70)));
    }
    if (is) {
        leak->id = "duplicate-strings";
        leak->what =
            leak->counted ? "entries with the same texts again and again" : "the same texts again and again";
        leak->advice = leak->counted
                           ? "Keep each text once (look it up in a Map of known texts before it is stored, "
                             "or store an id "
                             "instead of the text), and give the collection a limit if it only grows."
                           : "Keep each text once: look it up in a Map of known texts before it is stored, "
                             "or store an id "
                             "or index instead of the text.";
    }
    free(texts.slots);
    free(strings);
    return is;
}

bool pm_case_copies(struct pm_case *leak, uint64_t *copies_ret, uint64_t *waste_ret) {
    struct texts texts = {.slots = calloc(TEXT_SLOTS, sizeof(*texts.slots))};
    pm_node *strings = malloc(TEXT_SAMPLE * sizeof(*strings));
    uint64_t total = 0;
    size_t count =
        strings && texts.slots ? pm_case_all_of_kind(leak, PM_NODE_STRING, strings, TEXT_SAMPLE, &total) : 0;
    for (size_t i = 0; i < count; i++) look_at(leak, strings[i], &texts);
    if (count) pm_sort(texts.slots, TEXT_SLOTS, sizeof(*texts.slots), compare_copies);
    double each = count ? (double)total / (double)count : 0; /* strings that one of the sample stands for */
    *copies_ret = *waste_ret = 0;
    for (size_t i = 0; count && i < TEXT_SLOTS && texts.slots[i].bytes; i++) {
        const struct copies *text = &texts.slots[i];
        double copies = (double)text->count * each;
        if (text->count < PM_COPIES_SURE || copies < PM_COPIES_LEAST) continue;
        double own = (double)text->bytes / (double)text->count;
        *copies_ret += (uint64_t)copies;
        *waste_ret += (uint64_t)((copies - 1) * own);
        if (leak->evidence_count < 3)
            pm_case_evidence(leak, pm_arena_printf(leak->arena, "about %s copies of %s",
                                                   pm_words_count(leak->arena, (uint64_t)copies),
                                                   pm_view_describe(leak->view, leak->arena, text->one, 70)));
    }
    free(texts.slots);
    free(strings);
    return *copies_ret > 0;
}

/* ---- outside the heap ---- */

bool pm_pattern_buffer(struct pm_case *leak) {
    const struct pm_census *census = &leak->census;
    if ((double)census->external < PM_EXTERNAL_PART * (double)(census->bytes + census->external))
        return false;
    pm_node buffers[100];
    uint64_t stores = census->by_kind[PM_NODE_ARRAY_BUFFER], viewed = 0, views = 0;
    size_t count = pm_case_below(leak, PM_NODE_TYPED_ARRAY, buffers, 100);
    for (size_t i = 0; i < count; i++) {
        double length = 0;
        const struct pm_graph_source *source = leak->view->graph->source;
        if (!source->number ||
            !source->number(leak->view->graph->source_self, buffers[i], "byteLength", &length))
            continue;
        viewed += (uint64_t)length;
        views++;
    }
    pm_case_evidence(
        leak,
        pm_arena_printf(leak->arena, "outside the heap: %s in %s buffers",
                        pm_words_bytes(leak->arena, census->external),
                        pm_words_count(leak->arena, stores ? stores : census->by_kind[PM_NODE_NATIVE])));
    uint64_t each = stores ? census->external / stores : 0;
    bool slices = views && viewed / views * 4 < each;
    if (slices)
        pm_case_evidence(leak,
                         pm_arena_printf(leak->arena, "the views on them are small: %s of %s on average",
                                         pm_words_bytes(leak->arena, viewed / views),
                                         pm_words_bytes(leak->arena, each)));
    for (size_t i = 0; i < count && i < 2; i++)
        pm_case_evidence(leak, pm_arena_printf(leak->arena, "buffer: %s",
                                               pm_view_describe(leak->view, leak->arena, buffers[i], 80)));
    leak->id = "buffer-retained";
    leak->what = leak->counted ? "entries with buffers (memory outside the JavaScript heap)"
                               : "buffers (memory outside the JavaScript heap)";
    leak->advice = "The bytes are outside the heap, so --max-old-space-size does not limit them: limit how "
                   "many buffers are "
                   "kept, and copy the small part that is needed (Buffer.from(slice)) instead of keeping a "
                   "view on a large one.";
    return true;
}

bool pm_pattern_huge(struct pm_case *leak) {
    const struct pm_suspect *suspect = leak->suspect;
    enum pm_node_kind kind = pm_view_kind(leak->view, leak->node);
    if (suspect->kind != PM_SUSPECT_HUGE) return false;
    if (pm_view_is_container(leak->view, leak->node) && kind != PM_NODE_OBJECT)
        return false; /* of numbers: a collection */
    if (leak->counted && leak->entries > PM_DICTIONARY) return false;
    pm_case_evidence(leak, pm_arena_printf(leak->arena, "it is: %s",
                                           pm_view_describe(leak->view, leak->arena, leak->node, 90)));
    leak->id = "huge-object";
    leak->what = kind == PM_NODE_STRING ? "one string" : "one large object";
    leak->advice = "Process it in parts (a stream, pages) instead of at once, or drop it when it is done.";
    return true;
}
