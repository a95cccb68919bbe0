/* short_paths.h - the folder that all of the user's code lies in, said once instead of in every path. */
#ifndef PM_REPORT_SHORT_PATHS_H
#define PM_REPORT_SHORT_PATHS_H

#include "postmortem/base/strbuf.h"
#include "postmortem/model/diagnosis.h"

/* The folder of the application, ending in '/': common to the files of all user frames and findings (packages
 * count with the folder that node_modules lies in), without src, lib and the like at its end. Malloc memory;
 * NULL = there is none, or it is too short to be worth it. */
char *pm_common_folder(const struct pm_diagnosis *diagnosis);
/* Appends text without the folder before each path in it; folder NULL changes nothing. */
void pm_shorten_paths(struct pm_strbuf *out, const char *folder, const char *text);

#endif
