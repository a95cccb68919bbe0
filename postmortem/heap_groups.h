/* heap_groups.h - the objects of a heap by something else than their constructor: the npm package or script
 * whose code made them, the space they lie in. */
#ifndef PM_HEAP_GROUPS_H
#define PM_HEAP_GROUPS_H

#include "postmortem/commands.h"

/* Fills the groups of the isolate that the session's graph is of, as the options say. */
struct pm_error *pm_heap_group(struct pm_session *session);
#endif
