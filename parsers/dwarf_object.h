/* dwarf_object.h - hands sections in memory to libdwarf. Only for the files that call libdwarf: dwarf_cfi.c,
 * dwarf_line.c.
 *
 * libdwarf's own way in for ELF files, dwarf_elf_init(), must not be used anywhere in this program: it leaves
 * a callback behind, in a variable of the library, that then takes every object for one of libelf's. */
#ifndef PM_PARSERS_DWARF_OBJECT_H
#define PM_PARSERS_DWARF_OBJECT_H

#include <libdwarf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pm_dwarf_section {
    const char *name;
    const uint8_t *bytes;
    uint64_t size;
};

/* Must stay where it is, and its sections too, until dwarf_object_finish(). */
struct pm_dwarf_object {
    const struct pm_dwarf_section *sections;
    size_t count;
    Dwarf_Obj_Access_Interface interface; /* set by pm_dwarf_open() */
};

bool pm_dwarf_open(struct pm_dwarf_object *object, Dwarf_Debug *ret);
/* Frees an error of libdwarf's, if there is one: what went wrong in DWARF is an answer of ours, not a
 * message. */
void pm_dwarf_forget(Dwarf_Debug debug, Dwarf_Error *error);

#endif
