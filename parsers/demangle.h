/* demangle.h - C++ and Rust symbols as people write them, without parameters: "node::Abort". Template
 * arguments stay.
 *
 * OWNERSHIP  malloc text. FAILURE  NULL without memory; what is not mangled, or broken, comes back as it is.
 */
#ifndef PM_PARSERS_DEMANGLE_H
#define PM_PARSERS_DEMANGLE_H

#include <stddef.h>

/* A compiler's suffix of a copy (.isra.0, .constprop.1, .cold) and a symbol's version (@GLIBC_2.2.5) are left
 * out. */
char *pm_demangle(const char *name);

/* Only the path of names, by our own bounded reading: "v8::internal::OrderedHashTable::Rehash". For names
 * newer than libiberty (C++20 constraints, as clang 20 writes them in 2 % of the functions of Node 25 and
 * 26). NULL = not understood. */
char *pm_demangle_path(const char *name);

#endif
