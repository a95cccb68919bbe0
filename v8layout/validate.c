#include "v8layout/validate.h"

#include "v8layout/objects.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SAMPLE_PAGES 256

static void add_check(struct v8 *v8, const char *name, double score, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void add_check(struct v8 *v8, const char *name, double score, const char *format, ...) {
    if (v8->check_count == sizeof(v8->checks) / sizeof(v8->checks[0])) return;
    struct v8_check *check = &v8->checks[v8->check_count++];
    check->name = name;
    check->score = score;
    va_list args;
    va_start(args, format);
    vsnprintf(check->detail, sizeof(check->detail), format, args);
    va_end(args);
    if (score < v8->score) v8->score = score;
}

static uint64_t bytes_seen(const struct v8_walk_stats *stats) {
    return stats->object_bytes + stats->filler_bytes + stats->forwarded_bytes + stats->unparsed_bytes;
}

static bool any_collects(const struct v8 *v8) {
    for (size_t i = 0; i < v8->isolate_count; i++)
        if (v8->isolates[i].gc_state) return true;
    return false;
}

/* Sampled pages of every space walk from their first object to their end. In the middle of a collection the
 * new space is being emptied: its pages are read, but it is the others that count. */
static double check_walk(struct v8 *v8) {
    struct v8_walker *walker = v8_walker_create(v8);
    struct v8_walk_stats stats = {0}, settled = {0};
    size_t live = 0, taken = 0;
    for (size_t i = 0; i < v8->page_count; i++) live += v8->pages[i].live;
    size_t step = live / SAMPLE_PAGES + 1;
    for (size_t i = 0, k = 0; walker && i < v8->page_count; i++)
        if (v8->pages[i].live && k++ % step == 0) {
            bool is_new = v8->pages[i].space == V8_SPACE_NEW || v8->pages[i].space == V8_SPACE_NEW_LO;
            v8_walk_page(walker, &v8->pages[i], NULL, NULL, is_new ? &stats : &settled);
            taken++;
        }
    v8_walker_destroy(walker);
    bool collecting = any_collects(v8) && bytes_seen(&settled) > 0;
    uint64_t seen = bytes_seen(&settled) + (collecting ? 0 : bytes_seen(&stats));
    uint64_t unparsed = settled.unparsed_bytes + (collecting ? 0 : stats.unparsed_bytes);
    double score = seen ? 1 - (double)unparsed / (double)seen : 0;
    add_check(v8, "walk", score, "%zu of %zu pages%s: %llu objects, %llu of %llu bytes not parsed", taken,
              live, collecting ? ", collecting" : "", (unsigned long long)(settled.objects + stats.objects),
              (unsigned long long)unparsed, (unsigned long long)seen);
    return score;
}

/* The oddballs say their own names. */
static void check_oddballs(struct v8 *v8) {
    static const char *const names[][2] = {{"undefined_value", "undefined"},
                                           {"null_value", "null"},
                                           {"true_value", "true"},
                                           {"false_value", "false"}};
    unsigned right = 0, seen = 0;
    for (unsigned i = 0; i < 4; i++) {
        pm_addr oddball = v8_root(v8, names[i][0]);
        if (!oddball) continue;
        seen++;
        right += v8_string_equals(v8, v8_ref(v8, oddball, v8->layout.oddball_to_string), names[i][1]);
    }
    if (seen) add_check(v8, "oddballs", (double)right / seen, "%u of %u say their name", right, seen);
}

static void check_roots(struct v8 *v8) {
    unsigned maps = 0, right = 0;
    for (uint32_t i = 0; i < v8->layout.roots_count; i++) {
        const char *name = v8->layout.root_names[i];
        size_t length = strlen(name);
        if (length < 5 || strcmp(name + length - 4, "_map") != 0) continue;
        maps++;
        v8_word word;
        right += v8_word_at(v8, v8->isolates[0].address, v8->layout.roots_table + 8 * i, &word) &&
                 v8_is_strong(word) && v8_type_at(v8, v8_untag(word)) == V8_T_MAP;
    }
    if (maps) add_check(v8, "roots", (double)right / maps, "%u of %u *_map roots are maps", right, maps);
}

struct pm_error *v8_validate(struct v8 *v8) {
    v8->score = 1;
    add_check(v8, "pages", 1, "%zu pages; %zu more that V8 gave back, but had not unmapped", v8->page_count,
              v8->unlinked_page_count);
    check_roots(v8);
    check_oddballs(v8);
    double walk = check_walk(v8);
    /* A damaged core or one written during a collection leaves gaps; a wrong layout leaves nearly nothing. */
    double enough = pm_core_info(v8->core)->missing_bytes ? 0.5 : any_collects(v8) ? 0.9 : 0.98;
    if (walk < enough)
        return pm_error_hint(
            pm_error_create(
                PM_ERR_LAYOUT,
                "the V8 heap layout did not validate: %.1f %% of the sampled bytes parse as objects (%s)",
                walk * 100, v8->checks[v8->check_count - 1].detail),
            "The heap is not shown rather than shown wrong. `postmortem layouts --explain CORE` lists what "
            "was found.");
    for (size_t i = 0; i + 1 < v8->check_count; i++)
        if (v8->checks[i].score < 0.9)
            return pm_error_create(PM_ERR_LAYOUT, "the V8 heap layout did not validate: %s: %s",
                                   v8->checks[i].name, v8->checks[i].detail);
    return NULL;
}
