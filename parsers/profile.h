/* profile.h - .heapprofile and .cpuprofile files, and V8's --prof logs, become struct pm_profile.
 *
 * As every load() of formats.h: what could be read is appended to the diagnosis, the rest is noted. */
#ifndef PM_PARSERS_PROFILE_H
#define PM_PARSERS_PROFILE_H

#include "parsers/input.h"
#include "postmortem/model/profile.h"

struct pm_error *pm_heap_profile_load(const struct pm_input *input, struct pm_diagnosis *diagnosis);
struct pm_error *pm_cpu_profile_load(const struct pm_input *input, struct pm_diagnosis *diagnosis);
struct pm_error *pm_prof_log_load(const struct pm_input *input, struct pm_diagnosis *diagnosis);

#endif
