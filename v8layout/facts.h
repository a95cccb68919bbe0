/* facts.h - what the binary with V8 in it publishes, also when stripped. No layout is assumed.
 *
 * v8dbg_* constants, RootsTable::root_names_, the instance type numbers inside ObjectStats::PrintJSON,
 * machine code of small accessors (Heap in Isolate, gc_state, ThreadLocalTop), the embedded blob, TLS of the
 * current isolate, versions. OWNERSHIP  lives until v8_facts_destroy(); core and modules must outlive it. A
 * missing fact is not an error: discover.c then looks at the structure of the core. */
#ifndef PM_V8LAYOUT_FACTS_H
#define PM_V8LAYOUT_FACTS_H

#include "parsers/modules.h"
#include "v8layout/layout.h"

struct v8_facts;

/* `hide` (tests): comma-separated patterns (fnmatch) of fact names to pretend absent: "v8dbg_*",
 * "root_names", "types", "heap_in_isolate", "gc_state", "tls", "jsentry", "blob", "symbols" ... NULL = none.
 */
struct pm_error *v8_facts_create(const struct pm_core *core, const struct pm_modules *modules,
                                 const char *hide, struct v8_facts **ret);
void v8_facts_destroy(struct v8_facts *facts);

/* v8dbg_<name>: false = not published. */
bool v8_facts_constant(const struct v8_facts *facts, const char *name, int64_t *ret);
/* v8dbg_class_<class>__<field>__<any suffix>; `fields` are alternatives separated by '|'. */
bool v8_facts_class_field(const struct v8_facts *facts, const char *class_name, const char *fields,
                          int64_t *ret);
/* A symbol of the binary with V8, its address in the process; its bytes (from the file, else the core) or
 * NULL. */
bool v8_facts_symbol(const struct v8_facts *facts, const char *name, pm_addr *addr_ret, uint64_t *size_ret);
const uint8_t *v8_facts_code(const struct v8_facts *facts, const char *symbol, uint64_t *size_ret);
const struct pm_module *v8_facts_module(const struct v8_facts *facts);

/* The number of an instance type by v8dbg_type_<any class>__<NAME>_TYPE. */
bool v8_facts_type(const struct v8_facts *facts, const char *name, int64_t *ret);
size_t v8_facts_root_count(const struct v8_facts *facts); /* 0 = not published */
const char *const *v8_facts_root_names(const struct v8_facts *facts);
struct v8_type_name {
    uint16_t number;
    const char *name; /* without _TYPE */
};
const struct v8_type_name *v8_facts_types(const struct v8_facts *facts,
                                          size_t *count_ret); /* count 0 = not published */

/* Offsets found in machine code; 0 = not found. From the Isolate unless said. */
uint32_t v8_facts_heap_in_isolate(const struct v8_facts *facts);
uint32_t v8_facts_gc_state_in_heap(const struct v8_facts *facts);
/* Heap's limits (code of Heap::MaxReserved): false = not found. Where `indirect` is set the old generation's
 * limit is at
 * *(Heap + old_generation) + indirect. */
struct v8_limit_offsets {
    uint32_t semi_space, old_generation, indirect;
};
bool v8_facts_limits(const struct v8_facts *facts, struct v8_limit_offsets *ret);
struct v8_entry_offsets {
    uint32_t c_entry_fp, context, js_entry_sp; /* from the root register */
};
struct v8_entry_offsets v8_facts_entry(const struct v8_facts *facts);
/* Isolate fields that hold the embedded builtins' text: offsets from the Isolate; 0 = not found. */
void v8_facts_blob_fields(const struct v8_facts *facts, uint32_t *code_ret, uint32_t *size_ret);
/* The current isolate of a thread by thread-local storage; 0 = not known. */
pm_addr v8_facts_thread_isolate(const struct v8_facts *facts, const struct pm_core_thread *thread);

const char *v8_facts_node_version(const struct v8_facts *facts); /* "22.23.3", NULL */
const char *v8_facts_v8_version(const struct v8_facts *facts);   /* "12.4.254.21-node.56", NULL */
bool v8_facts_hidden(const struct v8_facts *facts, const char *name);

#endif
