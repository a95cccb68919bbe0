/* report_finding.h - what the detectors of reports share: the report they look at, and a finding put together
 * step by step.
 *
 *     struct pm_claim claim = pm_claim_begin(diagnosis, "container-limit", PM_SEVERITY_HIGH,
 * PM_CONFIDENCE_HIGH); pm_claim_title(&claim, "..."); pm_claim_text(&claim, "..."); pm_claim_evidence(&claim,
 * "..."); PM_TRY(pm_claim_end(&claim));
 *
 * FAILURE  without memory the claim remembers it; pm_claim_end() says so. */
#ifndef PM_DETECT_REPORT_FINDING_H
#define PM_DETECT_REPORT_FINDING_H

#include "postmortem/model/report_facts.h"

struct pm_claim {
    struct pm_diagnosis *diagnosis;
    struct pm_finding *finding;
    bool failed;
};

struct pm_claim pm_claim_begin(struct pm_diagnosis *diagnosis, const char *id, enum pm_severity severity,
                               enum pm_confidence confidence);
void pm_claim_title(struct pm_claim *claim, const char *format, ...) __attribute__((format(printf, 2, 3)));
void pm_claim_text(struct pm_claim *claim, const char *format, ...) __attribute__((format(printf, 2, 3)));
void pm_claim_evidence(struct pm_claim *claim, const char *format, ...) __attribute__((format(printf, 2, 3)));
void pm_claim_advice(struct pm_claim *claim, const char *format, ...) __attribute__((format(printf, 2, 3)));
void pm_claim_position(struct pm_claim *claim, const char *role, const struct pm_frame *frame);
struct pm_error *pm_claim_end(struct pm_claim *claim);

/* Of several reports the one to look at: the one that tells the death, else the last. NULL = there is none.
 */
const struct pm_report_facts *pm_report_to_judge(const struct pm_diagnosis *diagnosis);
/* Seconds the process had run, from its CPU time and share; NAN = unknown. */
double pm_report_uptime(const struct pm_report_facts *facts);
/* CPU seconds, user and kernel; NAN = unknown. */
double pm_report_cpu_seconds(const struct pm_report_usage *usage);
/* The memory limit of the container: by the report, else by the pod; PM_UNKNOWN = none that is known. */
uint64_t pm_report_container_limit(const struct pm_diagnosis *diagnosis, const struct pm_report_facts *facts);
/* The innermost frame of the application's own code; else the innermost of any script; NULL. */
const struct pm_frame *pm_report_user_frame(const struct pm_frame *frames, size_t count);
/* Is code that belongs to Node.js or to a package? */
bool pm_report_is_foreign(const char *file);
/* "lookUp (/srv/shop/app.js:14:11)" */
const char *pm_report_frame_text(struct pm_arena *arena, const struct pm_frame *frame);
const char *pm_report_bytes(struct pm_arena *arena, uint64_t bytes);      /* 1.2 MB */
const char *pm_report_count_text(struct pm_arena *arena, uint64_t count); /* 12,345 */

#endif
