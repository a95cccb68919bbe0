/* inspect_snapshot.h - one object of a heap snapshot, as the command inspect shows it. */
#ifndef PM_COMMANDS_INSPECT_SNAPSHOT_H
#define PM_COMMANDS_INSPECT_SNAPSHOT_H

#include "postmortem/commands.h"

/* Fills diagnosis->object from the session's snapshot; at most `most` fields. */
struct pm_error *pm_inspect_snapshot(struct pm_session *session, size_t most);

#endif
