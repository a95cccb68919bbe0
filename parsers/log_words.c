#include "parsers/log_words.h"

#include <stdlib.h>
#include <string.h>

#include "parsers/log_error.h"
#include "postmortem/base/checked.h"

#define STACK_LINES 400 /* looked at behind a fatal error */
#define STACK_GAP   12  /* lines without a frame: the stack is over */

/* ------------------------------------------------------------------ lines */

/* The line that begins at *at; moves on to the next. false = no more. */
static bool next_line(const struct pm_log_scan *scan, uint64_t *at, struct pm_strbuf *line) {
    if (*at >= scan->size) return false;
    uint64_t end = pm_log_line_end(scan, *at);
    pm_log_line(scan, *at, end, line);
    *at = end < scan->size && scan->bytes[end] == '\n' ? end + 1 : end > *at ? end : end + 1;
    return true;
}

/* The line that ends before `start`. false = there is none. */
static bool line_before(const struct pm_log_scan *scan, uint64_t start, struct pm_strbuf *line,
                        uint64_t *start_ret) {
    if (start == 0 || scan->bytes[start - 1] != '\n') return false;
    *start_ret = pm_log_line_start(scan, start - 1, 0);
    pm_log_line(scan, *start_ret, start - 1, line);
    return true;
}

/* ------------------------------------------------------------------ fatal errors */

/* " 1: 0xa3ad50 node::Abort() [/usr/bin/node]": what follows the address; NULL = the line is none. */
static const char *native_line(const char *line, pm_addr *address_ret) {
    line += strspn(line, " ");
    size_t digits = strspn(line, "0123456789");
    if (!digits || digits > 4 || strncmp(line + digits, ": 0x", 4) != 0) return NULL;
    char *end;
    *address_ret = strtoull(line + digits + 2, &end, 16);
    return *end == ' ' || !*end ? end + strspn(end, " ") : NULL;
}

bool pm_log_is_fatal(const struct pm_log_scan *scan, const char *line, uint64_t end) {
    struct pm_strbuf next PM_AUTO_STRBUF = {0};
    uint64_t at = end + 1;
    pm_addr address;
    if (strstr(line, "Allocation failed") || strstr(line, "out of memory") || strstr(line, "v8::") ||
        strstr(line, "node::"))
        return true;
    for (int i = 0; i < 6 && next_line(scan, &at, &next); i++) {
        const char *text = pm_strbuf_text(&next);
        if (strstr(text, "Native stack trace") || native_line(text, &address)) return true;
    }
    return false;
}

/* "Reached heap limit Allocation failed - JavaScript heap out of memory" has two parts; so has
 * "v8::ToLocalChecked Empty MaybeLocal". */
static void split_fatal(struct pm_arena *arena, struct pm_gc_log *log) {
    const char *text = log->fatal, *cut = strstr(text, " Allocation failed");
    if (!cut && strstr(text, "::")) cut = strchr(text, ' ');
    if (cut && cut > text && strstr(text, "::") && !strstr(text, " Allocation failed") &&
        strstr(text, "::") > cut)
        cut = NULL;
    log->location = cut ? pm_arena_copy(arena, text, (size_t)(cut - text)) : NULL;
    log->message = cut ? cut + 1 : text;
}

static enum pm_death_kind death_of(const char *fatal) {
    /* Those are too large for any heap: a size that the program asked for. */
    if (strstr(fatal, "invalid ") || strstr(fatal, "Invalid ")) return PM_DEATH_FATAL_ERROR;
    if (strstr(fatal, "neffective mark-compacts")) return PM_DEATH_INEFFECTIVE_GC;
    if (strstr(fatal, "heap out of memory") || strstr(fatal, "heap limit")) return PM_DEATH_HEAP_LIMIT;
    return PM_DEATH_FATAL_ERROR;
}

static struct pm_error *read_native(const struct pm_log_scan *scan, uint64_t at, struct pm_arena *arena,
                                    struct pm_gc_log *log) {
    struct pm_strbuf line PM_AUTO_STRBUF = {0};
    PM_VEC(struct pm_frame) frames = {0};
    bool enough = true;
    int gap = 0;
    for (int i = 0; i < STACK_LINES && gap < STACK_GAP && next_line(scan, &at, &line); i++) {
        pm_addr address;
        const char *symbol = native_line(pm_strbuf_text(&line), &address);
        gap = symbol ? 0 : gap + (frames.count ? 4 : 1);
        if (!symbol) continue;
        struct pm_frame frame = {
            .kind = PM_FRAME_NATIVE, .address = address, .offset = PM_UNKNOWN, .symbol_offset = PM_UNKNOWN};
        size_t length = strlen(symbol);
        const char *open = length && symbol[length - 1] == ']' ? strrchr(symbol, '[') : NULL;
        if (open) {
            frame.module = pm_arena_copy(arena, open + 1, (size_t)(symbol + length - open) - 2);
            length = (size_t)(open - symbol);
        }
        while (length && symbol[length - 1] == ' ') length--;
        if (length) frame.function = pm_arena_copy(arena, symbol, length);
        enough &= pm_vec_push(&frames, frame);
    }
    log->native = pm_arena_dup(arena, frames.items, frames.count, sizeof(*frames.items));
    log->native_count = log->native ? frames.count : 0;
    enough &= log->native != NULL;
    pm_vec_deinit(&frames);
    return enough ? NULL : pm_error_nomem();
}

/* V8_Fatal: "# Fatal error in , line 0" / "# Fatal JavaScript invalid size error 169220804". */
static const char *v8_fatal(const struct pm_log_scan *scan, const char *line, uint64_t at,
                            struct pm_arena *arena) {
    struct pm_strbuf next PM_AUTO_STRBUF = {0};
    const char *text = strstr(line, "# Fatal error in ");
    if (text && next_line(scan, &at, &next) && pm_strbuf_text(&next)[0] == '#') {
        text = pm_strbuf_text(&next) + 1;
        return pm_arena_strdup(arena, text + strspn(text, " "));
    }
    text = strstr(line, "# Fatal ");
    return text ? pm_arena_strdup(arena, text + 2) : NULL;
}

struct pm_error *pm_log_read_fatal(const struct pm_log_scan *scan, uint64_t start, struct pm_arena *arena,
                                   struct pm_gc_log *log) {
    struct pm_strbuf line PM_AUTO_STRBUF = {0};
    uint64_t at = start;
    if (!next_line(scan, &at, &line)) return NULL;
    const char *text = pm_strbuf_text(&line), *fatal = strstr(text, "FATAL ERROR: ");
    const char *thrown = strstr(text, "terminate called after throwing an instance of '");
    if (fatal) {
        log->fatal = pm_arena_strdup(arena, fatal + 13);
    } else if (thrown) {
        log->fatal = pm_arena_strdup(arena, thrown);
        log->death = strstr(thrown, "bad_alloc") ? PM_DEATH_BAD_ALLOC : PM_DEATH_ABORT;
        log->message = log->fatal;
        return log->fatal ? NULL : pm_error_nomem();
    } else if (strstr(text, "# Fatal ")) {
        log->fatal = v8_fatal(scan, text, at, arena);
    } else {
        log->fatal = pm_arena_strdup(arena, text + strspn(text, " #"));
    }
    if (!log->fatal) return pm_error_nomem();
    log->death = death_of(log->fatal);
    split_fatal(arena, log);
    return read_native(scan, at, arena, log);
}

/* "    1: handle [0x2a...] [/app/server.js:31] [bytecode=...](this=...)": Node up to 12 printed these. */
struct pm_error *pm_log_read_js_stack(const struct pm_log_scan *scan, uint64_t start, struct pm_arena *arena,
                                      struct pm_gc_log *log) {
    struct pm_strbuf line PM_AUTO_STRBUF = {0};
    PM_VEC(struct pm_frame) frames = {0};
    uint64_t at = start;
    bool enough = true;
    next_line(scan, &at, &line);
    for (int i = 0; i < 60 && next_line(scan, &at, &line); i++) {
        const char *text = pm_strbuf_text(&line);
        if (strstr(text, "FATAL ERROR") || strstr(text, "<---")) break;
        text += strspn(text, " ");
        size_t digits = strspn(text, "0123456789");
        const char *address = strstr(text, " [0x"), *place = address ? strstr(address + 4, "] [") : NULL;
        if (!digits || text[digits] != ':' || !place) continue;
        place += 3;
        size_t length = strcspn(place, "]");
        const char *colon = memrchr(place, ':', length);
        if (!colon) continue;
        struct pm_frame frame = {.kind = PM_FRAME_JS, .offset = PM_UNKNOWN};
        const char *name = text + digits + 1 + strspn(text + digits + 1, " ");
        frame.function = name < address ? pm_arena_copy(arena, name, (size_t)(address - name)) : NULL;
        frame.position.file = pm_arena_copy(arena, place, (size_t)(colon - place));
        frame.position.line = (uint32_t)strtoul(colon + 1, NULL, 10);
        enough &= pm_vec_push(&frames, frame);
    }
    log->javascript = pm_arena_dup(arena, frames.items, frames.count, sizeof(*frames.items));
    log->javascript_count = log->javascript ? frames.count : 0;
    pm_vec_deinit(&frames);
    return enough ? NULL : pm_error_nomem();
}

/* ------------------------------------------------------------------ exceptions */

bool pm_log_is_error(const struct pm_log_scan *scan, uint64_t start, const char *line) {
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    uint64_t before = start;
    if (!pm_log_is_mark(line)) return false;
    for (int i = 0; i < 2; i++)
        if (!line_before(scan, before, &text, &before)) return false;
    const char *place = pm_strbuf_text(&text), *colon = strrchr(place, ':');
    return colon && colon > place && colon[1] && colon[1 + strspn(colon + 1, "0123456789")] == 0 &&
           *place != ' ';
}

struct pm_error *pm_log_read_error(const struct pm_log_scan *scan, uint64_t start, struct pm_arena *arena,
                                   struct pm_gc_log *log) {
    struct pm_strbuf source PM_AUTO_STRBUF = {0}, place PM_AUTO_STRBUF = {0}, line PM_AUTO_STRBUF = {0};
    struct pm_log_error_reader reader = {.arena = arena};
    uint64_t at = start;
    if (!line_before(scan, start, &source, &at) || !line_before(scan, at, &place, &at)) return NULL;
    at = start;
    if (!next_line(scan, &at, &line)) return NULL;
    struct pm_error *err = NULL;
    if (pm_log_error_begin(&reader, pm_strbuf_text(&place), pm_strbuf_text(&source))) {
        while (next_line(scan, &at, &line) && !pm_log_error_line(&reader, pm_strbuf_text(&line))) {
        }
        log->error = pm_log_error_take(&reader);
        if (!log->error) err = pm_error_nomem();
    }
    pm_log_error_deinit(&reader);
    return err;
}

/* ------------------------------------------------------------------ what shells and process managers print
 */

uint64_t pm_log_shell_signal(const char *line) {
    static const struct {
        const char *text;
        uint64_t signal;
    } words[] = {{"Segmentation fault", 11},   {"Bus error", 7}, {"Illegal instruction", 4},
                 {"Trace/breakpoint trap", 5}, {"Aborted", 6},   {"Killed", 9}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        const char *at = strstr(line, words[i].text);
        if (!at) continue;
        const char *after = at + strlen(words[i].text);
        after += strspn(after, " ");
        bool dumped = strncmp(after, "(core dumped)", 13) == 0;
        /* "sh: line 1:    7 Killed   node app.js", or nothing else on the line */
        const char *number = strstr(line, ": line ");
        if (dumped || (at == line && !*after) || (number && number < at)) return words[i].signal;
    }
    return 0;
}

uint64_t pm_log_exit_code(const char *line) {
    static const char *const words[] = {"xit code", "xited with code", "xited with", "xit status"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        const char *at = strstr(line, words[i]);
        if (!at) continue;
        at += strlen(words[i]);
        at += strspn(at, " :=(");
        uint64_t code = strtoull(at, NULL, 10);
        if (*at >= '0' && *at <= '9' && code > 128 && code < 160) return code;
    }
    return PM_UNKNOWN;
}
