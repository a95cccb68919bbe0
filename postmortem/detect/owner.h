/* owner.h - what a person would call the place that keeps an object: the way from a variable of the program
 * (or a global, a module) down to it, and on it the name that says most, with the file and line of its
 * declaration.
 *
 * Not the shortest path of the graph but the cheapest: a variable of the user's own code costs little, V8's
 * and Node's inner links cost much, and what the object itself keeps alive is no way. (Dijkstra against the
 * direction of the references, PM_OWNER_VISITS objects at most.)
 *
 *   app.js: const heads = new HeadIndex()     links[1] heads (variable, app.js:9, of a scope)
 *   class HeadIndex { #byDevice = new Map() } links[0] #byDevice (property of a HeadIndex, head-index.js:5)
 *                                             the Map itself */
#ifndef PM_DETECT_OWNER_H
#define PM_DETECT_OWNER_H

#include "postmortem/detect/heap_view.h"

struct pm_link { /* from -> the object before it (of links[0]: the object itself) */
    pm_node from, to;
    enum pm_edge_kind kind;
    const char *name; /* variable, property, Map key ("entry 'sess:17'"); NULL = none */
    bool is_variable, is_global, is_symbol, is_module, of_function;
    bool one_of_many;            /* a variable of one call of many */
    const char *class_name;      /* of `from` */
    struct pm_position position; /* where the name is declared; file NULL = unknown */
    bool exact;                  /* it is the declaration itself, not just the function or class around it */
    bool imported, in_function;
    enum pm_place place; /* whose code the name is in */
};

enum pm_owner_end {
    PM_END_NOTHING,   /* no way found */
    PM_END_VARIABLE,  /* a variable of the user's code */
    PM_END_GLOBAL,    /* a property of globalThis */
    PM_END_MODULE,    /* the exports or children of a module */
    PM_END_PACKAGE,   /* a variable in a package */
    PM_END_ROOT,      /* V8 or native code holds it */
    PM_END_TRANSIENT, /* stacks and handles of the moment */
};

#define PM_MAX_LINKS 24

struct pm_owner {
    struct pm_link links[PM_MAX_LINKS]; /* links with a name or a meaning only; the nearest first */
    size_t link_count;
    enum pm_owner_end end;
    bool suspended; /* the way leads through a suspended function or a promise */
    /* The name that stands for it: */
    size_t chosen; /* index of the link; SIZE_MAX = none has a name */
};

struct pm_error *pm_find_owner(const struct pm_heap_view *view, struct pm_arena *arena, pm_node node,
                               struct pm_owner *ret);
/* Chooses again, from link `from` on. */
void pm_owner_choose(struct pm_owner *owner, size_t from);
/* The chosen link; NULL. */
const struct pm_link *pm_owner_link(const struct pm_owner *owner);
/* The variable (or global) at the end of the way, when that is not the chosen one; NULL. */
const struct pm_link *pm_owner_holder(const struct pm_owner *owner);
/* "cache (const, /app/cache.js:4) -> Map" */
const char *pm_owner_path(const struct pm_heap_view *view, struct pm_arena *arena,
                          const struct pm_owner *owner, pm_node node);
/* The chosen name and what comes behind it as the program writes it: "client.offlineQueue._list", long ones
 * without their middle. There must be a chosen link. */
const char *pm_owner_expression(struct pm_arena *arena, const struct pm_owner *owner);
/* Of a property: "AuditTrail", "function `quote`", "class Template", "an object". */
const char *pm_owner_of(const struct pm_heap_view *view, struct pm_arena *arena, const struct pm_link *link);
/* Is it a property of module.exports? */
bool pm_owner_is_export(const struct pm_owner *owner, size_t index);
/* The packages on the way, outermost first, with their versions where the path or the heap says them; NULL.
 */
const char *pm_owner_packages(const struct pm_heap_view *view, struct pm_arena *arena,
                              const struct pm_owner *owner);
/* The first link with one of these names (NULL-terminated), SIZE_MAX. */
size_t pm_owner_find(const struct pm_owner *owner, const char *const *names);

/* The first link that is not just the head or tail of a list. */
size_t pm_owner_list(const struct pm_owner *owner);

/* A function made by bind(): it has no text of its own. */
bool pm_is_bound(const struct pm_heap_view *view, pm_node closure);
/* A closure of a file; PM_NO_NODE. */
pm_node pm_closure_of_file(const struct pm_heap_view *view, struct pm_arena *arena, const char *file);
/* A closure that sees a context; PM_NO_NODE. */
pm_node pm_closure_of_context(const struct pm_heap_view *view, pm_node context);

#endif
