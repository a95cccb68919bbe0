/* scope_info.h - what a ScopeInfo says: names of context variables, name and position of its function.
 * Internal to v8layout.
 *
 * A ScopeInfo is a row of optional parts; which there are, and in which order, had the few forms of
 * scope_info.c. fields.c chooses the form (layout.scope_info_form): the one whose sum of parts is the size of
 * the objects in this core. */
#ifndef PM_V8LAYOUT_VARIANTS_SCOPE_INFO_H
#define PM_V8LAYOUT_VARIANTS_SCOPE_INFO_H

#include "v8layout/object_access.h"

struct v8_scope {
    struct v8_thing info;
    uint32_t flags;
    uint32_t local_count; /* context-allocated variables, in the order of their context slots */
    pm_addr names_table;  /* NameToIndexHashTable (name -> index); 0 = the names stand inline */
    uint32_t names_offset;
    v8_word function_name; /* String, or Smi 0 = none */
    int32_t function_slot; /* context slot of the function's own name; -1 = not in the context */
    v8_word inferred_name; /* String or undefined; Smi 0 = none */
    int32_t start, end;    /* source positions of the scope; -1 = none */
    bool has_extension;    /* contexts of this scope have slot 2 = extension */
    bool is_module;
    uint32_t module_count, module_offset; /* module variables: triples (name, cell index, properties) */
    uint64_t size;                        /* sum of the parts */
};

size_t v8_scope_form_count(void);
/* Does this form put the flags and positions in front (V8 13 and later)? */
bool v8_scope_form_is_new(uint8_t form);
/* Do all names stand inline, however many (before V8 10)? */
bool v8_scope_form_is_old(uint8_t form);
/* false = no ScopeInfo, or its parts do not fit into it. */
bool v8_scope_load(const struct v8 *v8, pm_addr scope_info, uint8_t form, struct v8_scope *ret);
/* The name of the index-th context variable (address of a String); 0 = not found. Linear in hashed scopes. */
pm_addr v8_scope_local_name(const struct v8 *v8, const struct v8_scope *scope, uint32_t index);

#endif
