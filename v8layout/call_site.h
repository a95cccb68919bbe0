/* call_site.h - a JavaScript frame's function, file and receiver in the words of Error.stack.
 *
 * The rules are V8's CallSiteInfo (src/objects/call-site-info.cc; isolate.cc, messages.cc before V8 9.7):
 *   new Foo                 called with new
 *   Type.method             receiver's constructor name, function's name; no Type before a name that is no
 * identifier
 *                           (`get total`, `#check`, `[Symbol.iterator]`, `a.b.c`)
 *   Type.name [as method]   where the receiver has the function under another name
 *   name                    the receiver is the global object, undefined or null
 *   async ...               suspended, waits for the frame above
 * and for eval code the place of the eval instead of a file.
 * OWNERSHIP  texts go to the arena given to v8_call_sites_create(). THREADS  not thread-safe (caches). */
#ifndef PM_V8LAYOUT_CALL_SITE_H
#define PM_V8LAYOUT_CALL_SITE_H

#include "postmortem/model/diagnosis.h"
#include "v8layout/objects.h"

struct v8_call_site {
    pm_addr function; /* JSFunction; 0 = only shared is known */
    pm_addr shared;
    bool receiver_known;
    v8_word receiver;
    pm_addr receiver_map; /* instead of a receiver that was never allocated; 0 */
    bool constructor, is_async;
};

struct v8_call_sites;

struct v8_call_sites *v8_call_sites_create(const struct v8 *v8,
                                           struct pm_arena *arena); /* NULL without memory */
void v8_call_sites_destroy(struct v8_call_sites *sites);

/* NULL = not a SharedFunctionInfo. Loaded once for each function. */
const struct v8_function *v8_call_site_function(struct v8_call_sites *sites, pm_addr shared);
/* Never NULL; a function without any name is "<anonymous>". */
const char *v8_call_site_name(struct v8_call_sites *sites, const struct v8_call_site *site);
/* Where a source position of the function's script is; file as Error.stack prints it ("eval at f (a.js:1:2),
 * <anonymous>"). */
void v8_call_site_position(struct v8_call_sites *sites, pm_addr shared, int32_t position,
                           struct pm_position *ret);
/* Short text of a receiver or argument; NULL without memory. */
const char *v8_call_site_value(struct v8_call_sites *sites, v8_word value);

/* Bits of SharedFunctionInfo.flags: [0, 5) kind, 5 native, 6 strict in V8 9.4 to 14.6. */
bool v8_shared_is_native(const struct v8 *v8, pm_addr shared); /* a builtin that Error.stack shows */
bool v8_shared_is_class_constructor(const struct v8 *v8, pm_addr shared); /* can only be called with new */
/* Functions of API templates (addons, Node's own bindings). */
bool v8_shared_is_api(const struct v8 *v8, pm_addr shared);

/* Is a text an identifier of JavaScript? (code points above 127 count as letters) */
bool v8_is_identifier(const char *text);
/* Does a function's name say the method's name already? (equal, or ends in ".method", with space_too also in
 * " method") */
bool v8_name_says_method(const char *name, const char *method, bool space_too);

#endif
