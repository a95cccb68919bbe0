/* prof_names.h - the names of code in a --prof log.
 *
 *   JavaScript   "handle /app/server.js:7:19", " node:path:1:1" (no name), "get size file:///a.mjs:3:8"
 *   others       "ArrayForEach" (a builtin), "^a+$" (a regular expression)
 *
 * V8 escapes: \x2C is a comma, \n a line's end, \\ a backslash, \u1234 a UTF-16 unit. */
#ifndef PM_PARSERS_PROF_NAMES_H
#define PM_PARSERS_PROF_NAMES_H

#include "postmortem/base/arena.h"
#include "postmortem/model/profile.h"

enum pm_prof_type {
    PM_PROF_JAVASCRIPT, /* LazyCompile, Function, JS, Eval, Script ... */
    PM_PROF_BUILTIN,    /* written in V8's own languages, or a stub */
    PM_PROF_HANDLER,    /* of one bytecode: the function that is interpreted stands below it */
    PM_PROF_REGEXP,
    PM_PROF_LIBRARY,
};

/* Of the first field of a code-creation row. */
enum pm_prof_type pm_prof_type(const char *text, size_t length);
/* The name (as in the log) as a function; its texts are in the arena. false = no memory. */
bool pm_prof_function(struct pm_arena *arena, enum pm_prof_type type, const char *text, size_t length,
                      struct pm_profile_function *ret);

#endif
