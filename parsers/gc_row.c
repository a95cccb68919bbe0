#include "parsers/gc_row.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MB 1048576.0

const char *pm_gc_prefix(const char *text, uint64_t *pid_ret, pm_addr *isolate_ret) {
    char *end;
    if (text[0] != '[' || text[1] < '0' || text[1] > '9') return NULL;
    uint64_t pid = strtoull(text + 1, &end, 10), isolate = 0;
    if (end - text > 20) return NULL;
    if (*end == ':') {
        if (end[1] != '0' || end[2] != 'x') return NULL;
        isolate = strtoull(end + 1, &end, 16);
        if (*end == ':') strtoull(end + 1, &end, 10);
    }
    if (*end != ']') return NULL;
    *pid_ret = pid;
    *isolate_ret = isolate;
    return end + 1;
}

/* A plain decimal number; NULL = there is none. No exponent, no sign, no locale. */
static const char *decimal(const char *at, double *ret) {
    double value = 0, unit = 1;
    const char *start = at;
    for (; *at >= '0' && *at <= '9' && at - start < 18; at++) value = value * 10 + (*at - '0');
    if (at == start) return NULL;
    if (at[0] == '.' && at[1] >= '0' && at[1] <= '9')
        for (at++; *at >= '0' && *at <= '9'; at++) {
            unit /= 10;
            value += (*at - '0') * unit;
        }
    *ret = value;
    return at;
}

static const char *expect(const char *at, const char *text) {
    size_t length = strlen(text);
    return at && strncmp(at, text, length) == 0 ? at + length : NULL;
}

/* The number behind a name, when it stands before `end`; NAN. */
static double named(const char *from, const char *end, const char *name) {
    double value;
    const char *at = memmem(from, (size_t)(end - from), name, strlen(name));
    return at && decimal(at + strlen(name), &value) ? value : NAN;
}

static bool kind_of(const char *text, size_t length, enum pm_gc_kind *ret) {
    bool minor = memmem(text, length, "Minor", 5), mark = memmem(text, length, "Mark-", 5);
    bool scavenge = memmem(text, length, "Scavenge", 8);
    *ret = minor ? PM_GC_MINOR : mark ? PM_GC_MARK_COMPACT : PM_GC_SCAVENGE;
    return mark || scavenge;
}

/* Where this row ends: at the next one's prefix (V8's ring buffer has no line ends when it is full), or with
 * the line. */
static const char *row_end(const char *at) {
    uint64_t pid;
    pm_addr isolate;
    for (; *at && *at != '\n'; at++)
        if (*at == '[' && pm_gc_prefix(at, &pid, &isolate)) break;
    return at;
}

static void take_reason(const char *from, const char *end, struct pm_gc_row_text *ret) {
    const char *start = from;
    for (const char *p = from; p < end; p++)
        if (*p == ')') start = p + 1;
    while (start < end && *start == ' ') start++;
    while (end > start && (end[-1] == ' ' || end[-1] == ';' || end[-1] == '\r')) end--;
    if (end - start > 80) end = start + 80;
    ret->reason = start;
    ret->reason_length = (size_t)(end - start);
}

/* "Mark-sweep (reduce) 51.7 (57.6) -> 51.7 (57.3) MB, 53.6 / 0.0 ms ..." */
static bool plain_row(const char *at, struct pm_gc_row_text *ret) {
    struct pm_gc_row *row = &ret->row;
    const char *name = at, *end = row_end(at);
    while (at < end && !(*at >= '0' && *at <= '9') && at - name < 60) at++;
    if (!kind_of(name, (size_t)(at - name), &row->kind)) return false;
    row->reduce = memmem(name, (size_t)(at - name), "reduce", 6) != NULL;
    at = decimal(at, &row->before);
    if (!at || !(at = expect(at, " (")) || !(at = decimal(at, &row->total_before)) ||
        !(at = expect(at, ") -> ")) || !(at = decimal(at, &row->after)) || !(at = expect(at, " (")) ||
        !(at = decimal(at, &row->total_after)) || !(at = expect(at, ") MB, ")) || at > end)
        return false;
    const char *pooled = expect(at, "pooled: ");
    double unused;
    if (pooled && (pooled = decimal(pooled, &unused)) && (pooled = expect(pooled, " MB, "))) at = pooled;
    if (!(at = decimal(at, &row->pause))) return false; /* cut off in the ring buffer */
    row->steps = named(at, end, "(+ ");
    row->mu_average = named(at, end, "average mu = ");
    row->mu_current = named(at, end, "current mu = ");
    const char *mu = memmem(at, (size_t)(end - at), "current mu = ", 13);
    take_reason(mu ? mu : at, end, ret);
    ret->end = end;
    return true;
}

static bool nvp_kind(const char *at, struct pm_gc_row *row) {
    if (*at == '"') at++;
    if (at[0] == 's') return row->kind = PM_GC_SCAVENGE, true;
    bool minor = (at[0] == 'm' && at[1] == 'm') || strncmp(at, "mi", 2) == 0;
    row->kind = minor ? PM_GC_MINOR : PM_GC_MARK_COMPACT;
    return at[0] == 'm' || at[0] == 'i';
}

/* Names and values: "pause=4.4 gc=mc ..." or {"pause":4.4,"gc":"mc",...}. */
static bool nvp_row(const char *at, struct pm_gc_row_text *ret) {
    struct pm_gc_row *row = &ret->row;
    const char *end = row_end(at);
    bool json = expect(at, "GC: {") != NULL;
    const char *gc = memmem(at, (size_t)(end - at), json ? "\"gc\":" : " gc=", json ? 5 : 4);
    if (!gc || !nvp_kind(gc + (json ? 5 : 4), row)) return false;
    row->pause = named(at, end, json ? "\"pause\":" : "pause=");
    row->before = named(at, end, json ? "\"start_object_size\":" : "total_size_before=") / MB;
    row->after = named(at, end, json ? "\"end_object_size\":" : "total_size_after=") / MB;
    row->total_before = json ? named(at, end, "\"start_memory_size\":") / MB : NAN;
    row->total_after = json ? named(at, end, "\"end_memory_size\":") / MB : NAN;
    row->steps = row->mu_average = row->mu_current = NAN;
    row->reduce = memmem(at, (size_t)(end - at), json ? "\"reduce_memory\":true" : "reduce_memory=1",
                         json ? 20 : 15) != NULL;
    const char *reason = json ? memmem(at, (size_t)(end - at), "\"reason\":\"", 10) : NULL;
    if (reason) {
        ret->reason = reason + 10;
        while (reason + 10 + ret->reason_length < end && reason[10 + ret->reason_length] != '"')
            ret->reason_length++;
        if (ret->reason_length > 80) ret->reason_length = 80;
    }
    ret->end = end;
    return !isnan(row->pause) && !isnan(row->before) && !isnan(row->after);
}

bool pm_gc_row_find(const char *text, struct pm_gc_row_text *ret) {
    for (const char *open = text; (open = strchr(open, '[')); open++) {
        *ret = (struct pm_gc_row_text){.pid = PM_UNKNOWN};
        const char *at = pm_gc_prefix(open, &ret->pid, &ret->isolate);
        if (!at) continue;
        while (*at == ' ') at++;
        if (!(at = decimal(at, &ret->row.time)) || !(at = expect(at, " ms: "))) continue;
        bool nvp = strncmp(at, "pause=", 6) == 0 || strncmp(at, "GC: {", 5) == 0;
        if (nvp ? nvp_row(at, ret) : plain_row(at, ret)) return true;
    }
    return false;
}
