/* json_profile.h - inside the JSON writer: profiles and logs. */
#ifndef PM_REPORT_JSON_PROFILE_H
#define PM_REPORT_JSON_PROFILE_H

#include "postmortem/report/json_writer.h"
#include "postmortem/report/writer.h"

/* Of two profiles; diagnosis->profile_comparison is not NULL. */
void pm_json_profile_comparison(struct pm_json *json, const struct pm_diagnosis *diagnosis, size_t limit);
void pm_json_profiles(struct pm_json *json, const struct pm_diagnosis *diagnosis, size_t limit);
void pm_json_logs(struct pm_json *json, const struct pm_diagnosis *diagnosis, size_t limit);

#endif
