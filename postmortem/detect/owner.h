/* owner.h - what a person would call the place that keeps an object: the variable or property nearest to it,
 * the file and line where that is declared, and the way from there.
 *
 * Not the shortest path of the graph: of all referrers the one that means most to the user is followed - a
 * variable before a property, a property before V8's own links - and what the object itself keeps alive is no
 * owner. */
#ifndef PM_DETECT_OWNER_H
#define PM_DETECT_OWNER_H

#include "postmortem/detect/heap_view.h"
#include "postmortem/model/diagnosis.h"

struct pm_owner {
    const char *name;            /* "cache", "#byDevice"; NULL = nothing with a name */
    bool is_variable;            /* else a property */
    const char *of_class;        /* property: class of the object that has it */
    struct pm_position position; /* of the declaration, or of the function or class; file NULL = unknown */
    const char *holder_name;     /* property: variable that holds that object, NULL */
    struct pm_position holder;   /* its declaration */
    const char *path;            /* "heads (variable) -> #byDevice (property of HeadIndex) -> Map" */
    bool is_listener, is_timer,
        is_stream_buffer; /* the way leads through listeners, a timer list, a stream */
    bool transient;       /* kept by a stack or handle only */
};

struct pm_error *pm_find_owner(const struct pm_heap_view *view, struct pm_arena *arena, pm_node node,
                               struct pm_owner *ret);

#endif
