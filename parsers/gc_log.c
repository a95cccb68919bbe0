#include "parsers/gc_log.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "parsers/gc_series.h"
#include "parsers/log_error.h"
#include "parsers/log_words.h"

#define BLOCK      (8u << 20)   /* looked at before the pages are given back */
#define DYING_SPAN (64u * 1024) /* V8's ring buffer of the last collections has 512 bytes to 4 KB */

struct reader {
    const struct pm_input *input;
    struct pm_log_scan scan;
    struct pm_arena *arena;
    struct pm_gc_log *log;
    struct pm_gc_collectors collectors;
    uint64_t dying_until; /* rows before this offset are last words */
    /* where the last of each stands */
    uint64_t fatal_at, js_at, error_at;
    char version[24], worker[200]; /* the last ones: not in the arena, there may be millions */
};

bool pm_gc_log_sniff(const struct pm_input *input) {
    if (!pm_log_is_text(input->bytes, input->size)) return false;
    const char *text = (const char *)input->bytes;
    uint64_t size = input->size < PM_LOG_LINE ? input->size : PM_LOG_LINE, at = 0;
    while (at < size && strchr(" \t\r\n", text[at]) && text[at]) at++;
    if (at == size || (text[at] != '{' && text[at] != '[')) return true;
    /* A JSON object on each line, or "[pid:0x...]", "[2024-..." and the like. */
    const char *newline = memchr(text + at, '\n', (size_t)(size - at));
    if (text[at] == '[') {
        const char *next = text + at + 1;
        return size - at > 2 &&
               ((*next >= '0' && *next <= '9') || (*next >= 'A' && *next <= 'Z') ||
                (*next >= 'a' && *next <= 'z' && !(size - at > 4 && memcmp(next, "true", 4) == 0))) &&
               newline && memchr(text + at, ']', (size_t)(newline - text) - at) && newline[-1] != ',' &&
               newline[-1] != '[';
    }
    bool closed = newline && newline > text + at && newline[-1] == '}';
    bool again = closed && newline + 1 < text + size && newline[1] == '{';
    bool docker = size - at > 8 && memcmp(text + at, "{\"log\":\"", 8) == 0;
    return again || docker;
}

/* ------------------------------------------------------------------ single facts of a line */

static void take_version(struct reader *reader, const char *line) {
    const char *at = strstr(line, "Node.js v");
    if (!at) return;
    size_t length = strspn(at + 9, "0123456789.");
    if (length < 5 || length >= sizeof(reader->version)) return;
    memcpy(reader->version, at + 9, length);
    reader->version[length] = 0;
}

/* "--max-old-space-size=200" of a start script that prints itself: MB; 0 = none. */
static double flag_limit(const char *line) {
    const char *at = strstr(line, "old-space-size");
    if (!at) at = strstr(line, "old_space_size");
    if (!at) return 0;
    at += strlen("old-space-size");
    at += strspn(at, "= \"'");
    return strspn(at, "0123456789") < 9 ? strtod(at, NULL) : 0;
}

static double kilobytes(const char *line, const char *name) {
    const char *at = strstr(line, name);
    if (!at) return NAN;
    at += strlen(name);
    at += strspn(at, " :");
    return *at >= '0' && *at <= '9' ? strtod(at, NULL) : NAN;
}

/* --trace-gc-verbose: "[...] Memory allocator,  used:  4120 KB, available:  75752 KB" */
static void take_verbose(struct reader *reader, const char *line) {
    uint64_t pid;
    pm_addr isolate;
    const char *open = strchr(line, '['), *text = open ? pm_gc_prefix(open, &pid, &isolate) : NULL;
    if (!text) return;
    struct pm_gc_series *series = pm_gc_series_of(&reader->collectors, pid, isolate);
    if (!series) return;
    if (strstr(text, "Memory allocator,")) {
        double limit = (kilobytes(text, "used:") + kilobytes(text, "available:")) / 1024;
        if (!isnan(limit)) {
            series->limit = limit;
            series->limit_from = "--trace-gc-verbose";
        }
    }
    double external = kilobytes(text, "External memory reported");
    if (!isnan(external) && external < 1e12) series->external_bytes = (uint64_t)(external * 1024);
}

static struct pm_error *take_rows(struct reader *reader, const char *line, uint64_t start, bool *found) {
    struct pm_gc_row_text row;
    bool dying = start < reader->dying_until;
    for (const char *at = line; pm_gc_row_find(at, &row); at = row.end) {
        *found = true;
        PM_TRY(pm_gc_collect(&reader->collectors, &row, dying));
    }
    return NULL;
}

/* ------------------------------------------------------------------ marks of last words */

static bool is_assertion(const char *line) {
    const char *at = strstr(line, "Assertion");
    return at && ((strncmp(at, "Assertion `", 11) == 0 && strstr(at, "' failed")) ||
                  (strncmp(at, "Assertion failed:", 17) == 0 && line[strspn(line, " ")] == '#'));
}

static bool is_fatal(struct reader *reader, const char *line, uint64_t end) {
    if (strstr(line, "FATAL ERROR: ")) return pm_log_is_fatal(&reader->scan, line, end);
    if (strstr(line, "# Fatal error in ") || strstr(line, "# Fatal process ")) return true;
    return strstr(line, "terminate called after throwing") || is_assertion(line);
}

/* Says whether the line is of use. */
static struct pm_error *look_at(struct reader *reader, const char *line, uint64_t start, uint64_t end,
                                bool *known) {
    struct pm_gc_log *log = reader->log;
    PM_TRY(take_rows(reader, line, start, known));
    if (strstr(line, "<--- Last few GCs")) {
        reader->dying_until = start + DYING_SPAN;
        reader->collectors.deaths++;
        *known = true;
    } else if (strstr(line, "<--- JS stacktrace")) {
        reader->js_at = start;
        reader->dying_until = 0;
        *known = true;
    } else if (is_fatal(reader, line, end)) {
        reader->fatal_at = start;
        reader->dying_until = 0;
        log->deaths++;
        *known = true;
    } else if (pm_log_is_error(&reader->scan, start, line)) {
        reader->error_at = start;
        log->errors++;
        *known = true;
    }
    const char *worker = strstr(line, "ERR_WORKER_OUT_OF_MEMORY]");
    if (worker) {
        const char *text = worker + strlen("ERR_WORKER_OUT_OF_MEMORY]");
        snprintf(reader->worker, sizeof(reader->worker), "%s", text + strspn(text, ": "));
        *known = true;
    }
    take_version(reader, line);
    take_verbose(reader, line);
    uint64_t signal = pm_log_shell_signal(line), code = pm_log_exit_code(line);
    if (signal) log->signal = signal;
    if (code != PM_UNKNOWN) log->exit_code = code;
    *known |= signal || code != PM_UNKNOWN;
    return NULL;
}

/* ------------------------------------------------------------------ the pass */

static uint64_t count_newlines(const uint8_t *bytes, uint64_t from, uint64_t to) {
    uint64_t count = 0;
    for (uint64_t i = from; i < to; i++) count += bytes[i] == '\n';
    return count;
}

static struct pm_error *scan_lines(struct reader *reader, double *flag_ret) {
    struct pm_strbuf line PM_AUTO_STRBUF = {0};
    struct pm_log_scan *scan = &reader->scan;
    struct pm_gc_log *log = reader->log;
    uint64_t at = 0, released = 0;
    while (at < scan->size) {
        uint64_t until = scan->size - at < BLOCK ? scan->size : at + BLOCK;
        uint64_t hit = pm_log_next(scan, at, until);
        if (hit == scan->size) { /* nothing here; a word may lie across the border */
            uint64_t next = until == scan->size ? until : until - 32;
            log->lines += count_newlines(scan->bytes, at, next);
            at = next;
        } else {
            uint64_t start = pm_log_line_start(scan, hit, at), end = pm_log_line_end(scan, start);
            const char *wrapping = pm_log_line(scan, start, end, &line);
            bool known = false;
            if (wrapping) log->wrapping = wrapping;
            PM_TRY(look_at(reader, pm_strbuf_text(&line), start, end, &known));
            double flag = flag_limit(pm_strbuf_text(&line));
            if (flag > 0) *flag_ret = flag;
            log->known_lines += known;
            log->lines += count_newlines(scan->bytes, at, end);
            if (end < scan->size && scan->bytes[end] == '\n') {
                log->lines++;
                end++;
            }
            at = end > at ? end : at + 1;
        }
        if (at - released >= BLOCK) {
            pm_input_release(reader->input, released, at);
            released = at;
        }
    }
    if (scan->size && scan->bytes[scan->size - 1] != '\n') log->lines++;
    return NULL;
}

static struct pm_error *read_last_words(struct reader *reader) {
    struct pm_gc_log *log = reader->log;
    if (*reader->version) log->node_version = pm_arena_strdup(reader->arena, reader->version);
    if (*reader->worker) log->worker_error = pm_arena_strdup(reader->arena, reader->worker);
    if (reader->fatal_at != PM_LOG_NOWHERE)
        PM_TRY(pm_log_read_fatal(&reader->scan, reader->fatal_at, reader->arena, log));
    if (reader->js_at != PM_LOG_NOWHERE)
        PM_TRY(pm_log_read_js_stack(&reader->scan, reader->js_at, reader->arena, log));
    if (reader->error_at != PM_LOG_NOWHERE)
        PM_TRY(pm_log_read_error(&reader->scan, reader->error_at, reader->arena, log));
    /* Of a fatal error and an exception the later one ended the process. */
    bool later = reader->fatal_at == PM_LOG_NOWHERE ||
                 (reader->error_at != PM_LOG_NOWHERE && reader->error_at > reader->fatal_at);
    if (log->error && later) log->death = PM_DEATH_UNCAUGHT;
    if (log->exit_code != PM_UNKNOWN && log->signal == PM_UNKNOWN) log->signal = log->exit_code - 128;
    return NULL;
}

static void set_limits(struct pm_gc_log *log, double flag) {
    for (size_t i = 0; i < log->series_count; i++) {
        if (isnan(log->series[i].limit) && flag > 0)
            pm_gc_series_set_limit(&log->series[i], flag, "--max-old-space-size in the log");
        if (log->series[i].fatal && log->pid == PM_UNKNOWN) log->pid = log->series[i].pid;
    }
}

static struct pm_error *read_log(struct reader *reader, struct pm_diagnosis *diagnosis) {
    double flag = 0;
    PM_TRY(scan_lines(reader, &flag));
    PM_TRY(read_last_words(reader));
    PM_TRY(pm_gc_collectors_finish(&reader->collectors, reader->log));
    set_limits(reader->log, flag);
    struct pm_gc_log *log = reader->log;
    if (reader->collectors.dropped)
        pm_diagnosis_skip(diagnosis, "collections", reader->collectors.dropped, PM_UNKNOWN,
                          "of more processes and isolates than are followed in one log");
    if (!log->known_lines)
        return pm_error_hint(pm_error_create(PM_ERR_UNSUPPORTED,
                                             "%s: a text of %" PRIu64
                                             " lines with nothing of Node.js in it: no collections, no "
                                             "fatal error, no uncaught exception",
                                             reader->input->path, log->lines),
                             "Give the log of the container that died: kubectl logs --previous.");
    return pm_diagnosis_append(diagnosis, (void ***)&diagnosis->gc_logs, &diagnosis->gc_log_count, log);
}

struct pm_error *pm_gc_log_load(const struct pm_input *input, struct pm_diagnosis *diagnosis) {
    struct pm_gc_log *log = pm_arena_alloc(diagnosis->arena, sizeof(*log));
    if (!log) return pm_error_nomem();
    *log = (struct pm_gc_log){.input = diagnosis->input_count ? diagnosis->input_count - 1 : 0,
                              .exit_code = PM_UNKNOWN,
                              .signal = PM_UNKNOWN,
                              .pid = PM_UNKNOWN};
    struct reader reader = {.input = input,
                            .arena = diagnosis->arena,
                            .log = log,
                            .collectors = {.arena = diagnosis->arena},
                            .fatal_at = PM_LOG_NOWHERE,
                            .js_at = PM_LOG_NOWHERE,
                            .error_at = PM_LOG_NOWHERE};
    pm_log_scan_init(&reader.scan, input->bytes, input->size);
    struct pm_error *err = read_log(&reader, diagnosis);
    pm_gc_collectors_deinit(&reader.collectors);
    return err;
}
