/* incident.h - which of the files given to one run are of the same death.
 *
 * Two files are of different incidents when they contradict each other in what a process cannot have twice:
 * its number, its host, its version of Node.js, its death (two cores, two fatal reports more than a minute
 * apart). Files that say nothing of that (profiles, most logs) go where their name or folder points, else to
 * the first incident. The incident of the first core, else of the first file, stays in the session's
 * diagnosis; each other one gets a diagnosis of its own, and a finding here says why it is apart. OWNERSHIP
 * the other diagnoses hang in the first one and borrow from its arena; the inputs stay the session's. FAILURE
 * without memory nothing is split, which is a problem of the run. */
#ifndef PM_INCIDENT_H
#define PM_INCIDENT_H

#include "postmortem/commands.h"

struct pm_error *pm_incident_split(struct pm_session *session);

#endif
