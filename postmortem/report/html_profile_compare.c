/* The HTML page: the differential flame graph of two profiles. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "postmortem/base/arena.h"
#include "postmortem/model/profile_compare.h"
#include "postmortem/report/html.h"
#include "postmortem/report/profile_words.h"
#include "postmortem/report/svg.h"

#define BOXES_MOST 1500

/* "/app/a.js:5, 12.0 ms, before 3.1 ms" */
static const char *note_of(const struct pm_profile_comparison *comparison, size_t call,
                           struct pm_arena *arena) {
    const struct pm_profile *both = &comparison->both;
    const struct pm_profile_function *function = &both->functions[both->calls[call].function];
    struct pm_strbuf note PM_AUTO_STRBUF = {0};
    char now[PM_NUMBER_TEXT], before[PM_NUMBER_TEXT];
    double scaled = comparison->scale * (double)comparison->call_before[call];
    pm_spell_place(&function->position, &note);
    pm_strbuf_appendf(&note, "%s%s, before %s", note.length ? ", " : "",
                      pm_format_value(both, now, comparison->call_after[call]),
                      pm_format_value(both, before, (uint64_t)((scaled < 0x1p62 ? scaled : 0x1p62) + 0.5)));
    return pm_arena_copy(arena, pm_strbuf_text(&note), note.length);
}

static void put_flame(const struct pm_html *page, const struct pm_profile_comparison *comparison,
                      struct pm_box *boxes, struct pm_arena *arena) {
    const struct pm_profile *both = &comparison->both;
    const struct pm_picture picture = {
        "differential flame graph: callers above, callees below, colours say what grew; the tables above say "
        "the same",
        BOXES_MOST, true};
    double whole = (double)comparison->call_after[0];
    for (size_t i = 0; i < both->call_count; i++) {
        const struct pm_profile_function *function = &both->functions[both->calls[i].function];
        double before = comparison->scale * (double)comparison->call_before[i];
        boxes[i] = (struct pm_box){
            .parent = both->calls[i].caller, .value = comparison->call_after[i], .name = function->name};
        boxes[i].change = ((double)comparison->call_after[i] - before) / whole;
        if (comparison->call_after[i] >= comparison->call_after[0] / 5000) /* may be drawn */
            boxes[i].note = note_of(comparison, i, arena);
    }
    pm_strbuf_append(
        page->out,
        "<p class=\"note\">Widths are those of the second profile. Red: grew, with what it calls; "
        "blue: shrank; what is gone has no box, but a row in the table. A click makes a box as wide "
        "as the picture.</p>\n<figure>\n");
    pm_svg_flame(page->out, &picture, boxes, both->call_count);
    pm_strbuf_append(page->out, "</figure>\n");
}

void pm_html_profile_comparison(const struct pm_html *page) {
    const struct pm_profile_comparison *comparison = page->diagnosis->profile_comparison;
    if (!comparison || !comparison->both.call_count || !comparison->call_after[0]) return;
    struct pm_arena *arena = pm_arena_create();
    struct pm_box *boxes = calloc(comparison->both.call_count, sizeof(*boxes));
    if (arena && boxes) put_flame(page, comparison, boxes, arena);
    free(boxes);
    pm_arena_destroy(arena);
}
