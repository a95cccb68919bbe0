/* releases.h - the releases this program is tested with: for people (`postmortem layouts`), nothing decides
 * by it. */
#ifndef PM_V8LAYOUT_RELEASES_H
#define PM_V8LAYOUT_RELEASES_H

#include "postmortem/model/diagnosis.h"

/* Fills diagnosis->layout with one row per line of releases. */
struct pm_error *v8_known_releases(struct pm_diagnosis *diagnosis);

#endif
