#include "postmortem/detect/report_finding.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "postmortem/base/strbuf.h"
#include "postmortem/model/pod.h"

/* ---- claims ---- */

struct pm_claim pm_claim_begin(struct pm_diagnosis *diagnosis, const char *id, enum pm_severity severity,
                               enum pm_confidence confidence) {
    struct pm_claim claim = {diagnosis, pm_diagnosis_finding(diagnosis), false};
    claim.failed = !claim.finding;
    if (claim.failed) return claim;
    claim.finding->id = id;
    claim.finding->severity = severity;
    claim.finding->confidence = confidence;
    return claim;
}

static const char *format_text(struct pm_claim *claim, const char *format, va_list args) {
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    if (claim->failed) return NULL;
    pm_strbuf_vappendf(&text, format, args);
    const char *copy =
        text.failed ? NULL : pm_arena_copy(claim->diagnosis->arena, pm_strbuf_text(&text), text.length);
    claim->failed = !copy;
    return copy;
}

void pm_claim_title(struct pm_claim *claim, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const char *text = format_text(claim, format, args);
    va_end(args);
    if (text) claim->finding->title = text;
}

void pm_claim_text(struct pm_claim *claim, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const char *text = format_text(claim, format, args);
    va_end(args);
    if (text) claim->finding->claim = text;
}

void pm_claim_advice(struct pm_claim *claim, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const char *text = format_text(claim, format, args);
    va_end(args);
    if (text) claim->finding->advice = text;
}

void pm_claim_evidence(struct pm_claim *claim, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const char *text = format_text(claim, format, args);
    va_end(args);
    if (!text) return;
    struct pm_finding *finding = claim->finding;
    /* An array that doubles at powers of two, as everywhere in the arena. */
    if ((finding->evidence_count & (finding->evidence_count - 1)) == 0) {
        size_t count = finding->evidence_count;
        const char **grown = pm_arena_array(claim->diagnosis->arena, count ? 2 * count : 1, sizeof(*grown));
        if (!grown) {
            claim->failed = true;
            return;
        }
        if (count) memcpy(grown, finding->evidence, count * sizeof(*grown));
        finding->evidence = grown;
    }
    finding->evidence[finding->evidence_count++] = text;
}

void pm_claim_position(struct pm_claim *claim, const char *role, const struct pm_frame *frame) {
    if (claim->failed || !frame || !frame->position.file) return;
    struct pm_role_position *position = pm_arena_alloc(claim->diagnosis->arena, sizeof(*position));
    if (!position) {
        claim->failed = true;
        return;
    }
    *position = (struct pm_role_position){role, frame->function, frame->position};
    claim->finding->positions = position;
    claim->finding->position_count = 1;
}

struct pm_error *pm_claim_end(struct pm_claim *claim) {
    return claim->failed ? pm_error_nomem() : NULL;
}

/* ---- facts ---- */

static int weight(const struct pm_report_facts *facts) {
    const char *trigger = facts->header.trigger ? facts->header.trigger : "";
    return !strcmp(trigger, "OOMError") || !strcmp(trigger, "FatalError") ? 3
           : !strcmp(trigger, "Exception")                                ? 2
                                                                          : 1;
}

const struct pm_report_facts *pm_report_to_judge(const struct pm_diagnosis *diagnosis) {
    const struct pm_report_facts *best = NULL;
    for (size_t i = 0; i < diagnosis->report_count; i++) {
        const struct pm_report_facts *facts = diagnosis->reports[i];
        if (!best || weight(facts) > weight(best) ||
            (weight(facts) == weight(best) && facts->header.time_ms != PM_UNKNOWN &&
             best->header.time_ms != PM_UNKNOWN && facts->header.time_ms > best->header.time_ms))
            best = facts;
    }
    return best;
}

double pm_report_cpu_seconds(const struct pm_report_usage *usage) {
    return usage->user_cpu_seconds + usage->kernel_cpu_seconds; /* NAN stays NAN */
}

double pm_report_uptime(const struct pm_report_facts *facts) {
    double seconds = pm_report_cpu_seconds(&facts->usage), percent = facts->usage.cpu_percent;
    return percent > 0 && seconds > 0 ? seconds / percent * 100 : (double)NAN;
}

uint64_t pm_report_container_limit(const struct pm_diagnosis *diagnosis,
                                   const struct pm_report_facts *facts) {
    if (facts && pm_is_number(facts->usage.constrained_memory) && facts->usage.constrained_memory)
        return facts->usage.constrained_memory;
    for (size_t i = 0; i < diagnosis->pod_count; i++) {
        const struct pm_pod *pod = diagnosis->pods[i];
        size_t real = 0;
        uint64_t limit = PM_UNKNOWN;
        for (size_t k = 0; k < pod->container_count; k++)
            if (!pod->containers[k].init && !pod->containers[k].ephemeral) {
                real++;
                limit = pod->containers[k].memory_limit;
            }
        /* Of several containers it is not known which one this is. */
        if (real == 1 && diagnosis->pod_count == 1) return limit;
    }
    return PM_UNKNOWN;
}

bool pm_report_is_foreign(const char *file) {
    return !file || !strncmp(file, "node:", 5) || !strncmp(file, "internal/", 9) ||
           strstr(file, "/node_modules/") ||
           !strchr(file, '/'); /* Node 14 names its own files events.js, net.js */
}

const struct pm_frame *pm_report_user_frame(const struct pm_frame *frames, size_t count) {
    const struct pm_frame *any = NULL;
    for (size_t i = 0; i < count; i++) {
        if (frames[i].kind != PM_FRAME_JS || !frames[i].position.file) continue;
        if (!pm_report_is_foreign(frames[i].position.file)) return &frames[i];
        if (!any) any = &frames[i];
    }
    return any;
}

/* ---- words ---- */

const char *pm_report_frame_text(struct pm_arena *arena, const struct pm_frame *frame) {
    const char *file = frame->position.file ? frame->position.file : "native code";
    const char *name = frame->function && *frame->function ? frame->function : "<anonymous>";
    const char *text = frame->position.line ? pm_arena_printf(arena, "%s (%s:%u:%u)", name, file,
                                                              frame->position.line, frame->position.column)
                                            : pm_arena_printf(arena, "%s (%s)", name, file);
    return text ? text : name;
}

const char *pm_report_bytes(struct pm_arena *arena, uint64_t bytes) {
    const char *text = bytes >= PM_UNLIMITED   ? "?"
                       : bytes < 1000          ? pm_arena_printf(arena, "%u B", (unsigned)bytes)
                       : bytes < 1000000       ? pm_arena_printf(arena, "%.1f kB", (double)bytes / 1e3)
                       : bytes < 1000000000ull ? pm_arena_printf(arena, "%.1f MB", (double)bytes / 1e6)
                                               : pm_arena_printf(arena, "%.1f GB", (double)bytes / 1e9);
    return text ? text : "?";
}

const char *pm_report_count_text(struct pm_arena *arena, uint64_t count) {
    char digits[32], out[48];
    int length = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)count), k = 0;
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0) out[k++] = ',';
        out[k++] = digits[i];
    }
    out[k] = 0;
    const char *text = pm_arena_strdup(arena, out);
    return text ? text : "?";
}
