/* root_names.h - RootsTable::root_names_ (src/roots/roots.cc) of a binary whose symbols were stripped.
 *
 * The array of names of V8's roots is in every build. Node 22 and older export its symbol; of newer ones
 * strip removes it. It is found as the array of pointers to names, one of them "meta_map". That the names are
 * those of the roots is checked against the core (discover/roots.c). COST  searches the file once, up to
 * about 50 ms; only for want of the symbol. */
#ifndef PM_V8LAYOUT_ROOT_NAMES_H
#define PM_V8LAYOUT_ROOT_NAMES_H

#include "parsers/modules.h"

/* The address in the process and the size in bytes; false = not there. */
bool v8_root_names_by_content(const struct pm_module *module, const struct pm_mem *mem, pm_addr *addr_ret,
                              uint64_t *size_ret);

#endif
