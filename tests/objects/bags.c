#include "bags.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void push(struct bag *bag, char *text) {
    if (bag->count == bag->capacity) {
        bag->capacity = bag->capacity ? bag->capacity * 2 : 4096;
        bag->texts = realloc(bag->texts, bag->capacity * sizeof(*bag->texts));
        if (!bag->texts) abort();
    }
    bag->texts[bag->count++] = text;
}

void bag_add(struct bag *bag, const char *text) {
    push(bag, strdup(text));
}

void bag_addf(struct bag *bag, const char *format, ...) {
    char *text = NULL;
    va_list args;
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0) abort();
    va_end(args);
    push(bag, text);
}

void bag_deinit(struct bag *bag) {
    for (size_t i = 0; i < bag->count; i++) free(bag->texts[i]);
    free(bag->texts);
    *bag = (struct bag){0};
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t run(const struct bag *bag, size_t at, const char *text) {
    size_t count = 0;
    while (at + count < bag->count && strcmp(bag->texts[at + count], text) == 0) count++;
    return count;
}

void bags_compare(struct bag *truth, struct bag *ours,
                  void (*differs)(void *context, const char *text, size_t truth, size_t ours),
                  void *context) {
    qsort(truth->texts, truth->count, sizeof(*truth->texts), by_text);
    qsort(ours->texts, ours->count, sizeof(*ours->texts), by_text);
    for (size_t i = 0, k = 0; i < truth->count || k < ours->count;) {
        int order = i == truth->count ? 1 : k == ours->count ? -1 : strcmp(truth->texts[i], ours->texts[k]);
        const char *text = order <= 0 ? truth->texts[i] : ours->texts[k];
        size_t theirs = order <= 0 ? run(truth, i, text) : 0, own = order >= 0 ? run(ours, k, text) : 0;
        if (theirs != own) differs(context, text, theirs, own);
        i += theirs;
        k += own;
    }
}

struct report {
    const char *title;
    struct difference difference;
    unsigned left_missing, left_extra;
};

static void note(void *context, const char *text, size_t truth, size_t ours) {
    struct report *report = context;
    bool missing = truth > ours;
    unsigned *left = missing ? &report->left_missing : &report->left_extra;
    if (missing)
        report->difference.missing += truth - ours;
    else
        report->difference.extra += ours - truth;
    if (*left == 0) return;
    (*left)--;
    fprintf(stderr, "  %s: '%.100s' %zu times in the snapshot, %zu times by us\n", report->title, text, truth,
            ours);
}

struct difference bags_difference(const char *title, struct bag *truth, struct bag *ours, unsigned shown) {
    struct report report = {.title = title, .left_missing = shown, .left_extra = shown};
    bags_compare(truth, ours, note, &report);
    return report.difference;
}
