/* Folded stacks, and what they share with pprof.c. */
#include "postmortem/report/profile_export.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "postmortem/base/cleanup.h"
#include "postmortem/base/strbuf.h"

size_t pm_profile_frames(const struct pm_profile *profile, size_t call, uint32_t *frames, uint64_t *cut) {
    size_t count = 0;
    if (call == 0) frames[count++] = profile->calls[0].function; /* (root) itself */
    for (; call; call = profile->calls[call].caller) {
        if (count == PM_MAX_EXPORTED_FRAMES) {
            ++*cut;
            break;
        }
        frames[count++] = profile->calls[call].function;
    }
    return count;
}

/* ';' stands between frames and a line ends a path: neither can be part of a name. */
static void put_text(struct pm_strbuf *out, const char *text) {
    for (const char *p = text; *p; p++)
        pm_strbuf_append_char(out, *p == ';' ? ',' : (unsigned char)*p < ' ' || *p == 0x7f ? ' ' : *p);
}

static void put_frame(struct pm_strbuf *out, const struct pm_profile_function *function) {
    const struct pm_position *position = &function->position;
    put_text(out, function->name);
    if (!position->file) return;
    pm_strbuf_append(out, " (");
    put_text(out, position->file);
    if (position->line) pm_strbuf_appendf(out, ":%" PRIu32, position->line);
    if (position->line && position->column) pm_strbuf_appendf(out, ":%" PRIu32, position->column);
    pm_strbuf_append(out, ")");
}

struct pm_error *pm_profile_write_folded(const struct pm_profile *profile, FILE *out, uint64_t *cut_ret) {
    uint32_t *frames PM_AUTO_FREE = malloc(PM_MAX_EXPORTED_FRAMES * sizeof(*frames));
    struct pm_strbuf line PM_AUTO_STRBUF = {0};
    if (!frames) return pm_error_nomem();
    for (size_t i = 0; i < profile->call_count; i++) {
        if (!profile->calls[i].self) continue;
        size_t count = pm_profile_frames(profile, i, frames, cut_ret);
        pm_strbuf_clear(&line);
        while (count--) {
            put_frame(&line, &profile->functions[frames[count]]);
            pm_strbuf_append_char(&line, count ? ';' : ' ');
        }
        pm_strbuf_appendf(&line, "%" PRIu64 "\n", profile->calls[i].self);
        if (line.failed) return pm_error_nomem();
        if (fwrite(line.bytes, 1, line.length, out) != line.length) break; /* whoever closes it says why */
    }
    return NULL;
}
