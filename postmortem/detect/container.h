/* container.h - which collection has the members of a suspect. */
#ifndef PM_DETECT_CONTAINER_H
#define PM_DETECT_CONTAINER_H

#include "postmortem/detect/suspects.h"

/* Fills suspect->container with the object that most members belong to or hang from, within a few steps up;
 * PM_NO_NODE = they hang from different ones: holder_class and holder_edge say from which kind. Sets
 * links_each_other. */
void pm_find_container(const struct pm_heap_view *view, struct pm_arena *arena, struct pm_suspect *suspect);

#endif
