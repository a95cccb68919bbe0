/* dwarf_line.h - file and line of an address, for the parts of a file that carry DWARF (official node: libuv
 * and other C parts).
 *
 * Opening reads which unit covers which addresses; lines are read only of those units that are asked for.
 * Addresses are the file's own.
 *
 * OWNERSHIP  the pm_elf must outlive the table; texts live until pm_line_close().
 * FAILURE    none: not to know a line is an answer. */
#ifndef PM_PARSERS_DWARF_LINE_H
#define PM_PARSERS_DWARF_LINE_H

#include "parsers/elf_file.h"

struct pm_line_table;

struct pm_line_table *pm_line_open(const struct pm_elf *elf); /* NULL = there is none */
void pm_line_close(struct pm_line_table *table);
bool pm_line_find(struct pm_line_table *table, uint64_t vaddr, const char **file_ret, unsigned *line_ret);

#endif
