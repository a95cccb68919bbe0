/* The signature: one number for the same bug, whatever the release of Node.js, the addresses, the sizes, the
 * folder the program lies in. Incidents with the same signature are one bug (the command batch groups by it).
 *
 *   a leak      kind of finding, name of the owner, its file, what is leaked
 *   blocked     state of the main thread, its innermost function of the user's, its file
 *   else        kind of death, the innermost functions of the user's with their files
 *
 * Lines are left out: they move with every edit of a file. Of a file its place behind the last node_modules
 * counts, else its last two parts. */
#include <inttypes.h>
#include <string.h>
#include <xxhash.h>

#include "postmortem/base/strbuf.h"
#include "postmortem/death.h"

#define MOST_FRAMES 3

/* A file as every machine has it. */
static void put_file(struct pm_strbuf *out, const char *file) {
    static const char folder[] = "/node_modules/";
    const char *start = file, *at = file;
    if (!file) return;
    while ((at = strstr(at, folder))) start = at += sizeof(folder) - 1;
    if (start == file && strncmp(file, "node:", 5) != 0) {
        const char *last = strrchr(file, '/');
        for (start = last ? last : file; start > file && start[-1] != '/';) start--;
    }
    pm_strbuf_append(out, start);
}

/* Names of functions without what differs between releases: `new`, `async`, `[as x]`, class prefixes. */
static void put_function(struct pm_strbuf *out, const char *name) {
    static const char *const words[] = {"new ", "async ", "static "};
    if (!name) return;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strncmp(name, words[i], strlen(words[i])) == 0) name += strlen(words[i]);
    size_t length = strcspn(name, " [");
    for (size_t i = length; i > 0; i--)
        if (name[i - 1] == '.') {
            name += i;
            length -= i;
            break;
        }
    pm_strbuf_append_bytes(out, name, length);
}

static const struct pm_thread *thread_to_tell(const struct pm_diagnosis *diagnosis) {
    const struct pm_thread *main = NULL;
    for (size_t i = 0; i < diagnosis->thread_count; i++) {
        if (diagnosis->threads[i].crashed) return &diagnosis->threads[i];
        if (diagnosis->threads[i].role == PM_ROLE_MAIN && !main) main = &diagnosis->threads[i];
    }
    return main;
}

static bool is_users(const struct pm_frame *frame) {
    return frame->kind == PM_FRAME_JS && frame->position.file &&
           strncmp(frame->position.file, "node:", 5) != 0;
}

static void put_frames(struct pm_strbuf *out, const struct pm_thread *thread, unsigned most) {
    for (size_t i = 0; thread && i < thread->frame_count && most; i++) {
        if (!is_users(&thread->frames[i]) || thread->frames[i].is_async) continue;
        pm_strbuf_append_char(out, '\n');
        put_function(out, thread->frames[i].function);
        pm_strbuf_append_char(out, '@');
        put_file(out, thread->frames[i].position.file);
        most--;
    }
}

/* The finding that the incident is about: the first that is more than information, about memory. */
static const struct pm_finding *leak_of(const struct pm_diagnosis *diagnosis) {
    const struct pm_finding *best = NULL;
    for (size_t i = 0; i < diagnosis->finding_count; i++) {
        const struct pm_finding *finding = &diagnosis->findings[i];
        if (finding->severity < PM_SEVERITY_MEDIUM || finding->share < 0 ||
            finding->retained_bytes == PM_UNKNOWN)
            continue;
        if (!best || finding->share > best->share) best = finding;
    }
    return best;
}

static bool is_blocked(enum pm_state_kind state) {
    switch (state) {
    case PM_STATE_RUNNING_JS:
    case PM_STATE_REGEXP:
    case PM_STATE_JSON:
    case PM_STATE_SYNC_FS:
    case PM_STATE_SYNC_CRYPTO:
    case PM_STATE_SYNC_ZLIB:
    case PM_STATE_CHILD_PROCESS:
    case PM_STATE_ATOMICS_WAIT: return true;
    default: return false;
    }
}

void pm_signature_write(struct pm_diagnosis *diagnosis) {
    PM_AUTO_STRBUF struct pm_strbuf text = {0};
    const struct pm_finding *leak = leak_of(diagnosis);
    const struct pm_thread *thread = thread_to_tell(diagnosis);
    enum pm_death_kind death = diagnosis->process.death;
    bool outside = death == PM_DEATH_KILLED || death == PM_DEATH_SNAPSHOT || death == PM_DEATH_UNKNOWN;
    if (leak) {
        pm_strbuf_appendf(&text, "leak\n%s\n%s\n", leak->id, leak->owner_name ? leak->owner_name : "");
        put_file(&text, leak->owner.file);
        for (size_t i = 0; !leak->owner.file && i < leak->position_count; i++)
            if (strcmp(leak->positions[i].role, "creator") == 0)
                put_file(&text, leak->positions[i].position.file);
        pm_strbuf_appendf(&text, "\n%s", leak->subject ? leak->subject : "");
    } else if (outside && thread && is_blocked(thread->state)) {
        pm_strbuf_appendf(&text, "blocked\n%d", (int)thread->state);
        put_frames(&text, thread, 1);
    } else if (diagnosis->has_process && death != PM_DEATH_UNKNOWN) {
        bool memory = death == PM_DEATH_HEAP_LIMIT || death == PM_DEATH_INEFFECTIVE_GC;
        pm_strbuf_appendf(&text, "death\n%d", memory ? (int)PM_DEATH_HEAP_LIMIT : (int)death);
        if (outside && diagnosis->process.signal != PM_UNKNOWN)
            pm_strbuf_appendf(&text, "\nsignal %" PRIu64, diagnosis->process.signal);
        put_frames(&text, thread, MOST_FRAMES);
        const struct pm_frame *top = thread && thread->frame_count ? &thread->frames[0] : NULL;
        if (death == PM_DEATH_NATIVE_CRASH && top && top->function)
            pm_strbuf_appendf(&text, "\n%s", top->function);
    } else {
        return; /* nothing to tell it by */
    }
    if (text.failed) return;
    diagnosis->signature = pm_arena_printf(diagnosis->arena, "%016" PRIx64,
                                           (uint64_t)XXH3_64bits(pm_strbuf_text(&text), text.length));
}
