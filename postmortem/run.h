/* run.h - from options to a finished diagnosis: the whole pipeline. Prints nothing. */
#ifndef PM_RUN_H
#define PM_RUN_H

#include "postmortem/commands.h"
#include "postmortem/options.h"

/* Fills a diagnosis that the caller made. An error means that nothing could be analysed; what else was
 * missing is in the diagnosis as problems. Redaction has been applied either way. */
struct pm_error *pm_run(const struct pm_options *options, pm_progress *progress,
                        struct pm_diagnosis *diagnosis);

/* The steps, in this order (session.c). */
struct pm_error *pm_session_open_inputs(struct pm_session *session);
struct pm_error *pm_session_open_core(struct pm_session *session);
struct pm_error *pm_session_open_modules(struct pm_session *session);
void pm_session_open_v8(struct pm_session *session); /* session->v8 or session->v8_failure */
/* Did any report, profile, log or the like say something? */
bool pm_session_has_facts(const struct pm_session *session);

#endif
