#include "parsers/dwarf_line.h"

#include <stdlib.h>
#include <string.h>

#include "parsers/dwarf_object.h"
#include "postmortem/base/checked.h"
#include "postmortem/base/vec.h"

#define MAX_UNITS 100000 /* official node has 111 to 174 units with lines; all of Chromium has 50,000 */

enum { LINE_SECTIONS = 8 };

struct span { /* addresses of one compilation unit */
    uint64_t start, end;
    Dwarf_Off unit;
};

struct line_unit { /* one that was asked for */
    Dwarf_Off offset;
    Dwarf_Line_Context context; /* NULL = has no lines */
    Dwarf_Line *lines;
    Dwarf_Signed count;
};

struct pm_line_table {
    struct pm_dwarf_section sections[LINE_SECTIONS];
    struct pm_dwarf_object object;
    Dwarf_Debug debug;
    PM_VEC(struct span) spans;
    PM_VEC(struct line_unit) units;
    PM_VEC(char *) names;
};

void pm_line_close(struct pm_line_table *table) {
    if (!table) return;
    for (size_t i = 0; i < table->names.count; i++) free(table->names.items[i]);
    for (size_t i = 0; i < table->units.count; i++)
        if (table->units.items[i].context) dwarf_srclines_dealloc_b(table->units.items[i].context);
    if (table->debug) dwarf_object_finish(table->debug, NULL);
    pm_vec_deinit(&table->spans);
    pm_vec_deinit(&table->units);
    pm_vec_deinit(&table->names);
    free(table);
}

/* ------------------------------------------------------------------ which unit covers an address */

/* What line tables need, and nothing else: this libdwarf frees twice what it reads from a damaged
 * .debug_rnglists. */
static bool collect_sections(const struct pm_elf *elf, struct pm_line_table *table) {
    static const char *const names[LINE_SECTIONS] = {".debug_line", ".debug_info",       ".debug_abbrev",
                                                     ".debug_str",  ".debug_aranges",    ".debug_line_str",
                                                     ".debug_addr", ".debug_str_offsets"};
    enum { needed = 3 };
    for (size_t i = 0; i < LINE_SECTIONS; i++) {
        uint64_t size, vaddr;
        const uint8_t *bytes = pm_elf_section(elf, names[i], &size, &vaddr);
        if (!bytes && i < needed) return false;
        if (bytes) table->sections[table->object.count++] = (struct pm_dwarf_section){names[i], bytes, size};
    }
    table->object.sections = table->sections;
    return true;
}

static void add_span(struct pm_line_table *table, uint64_t start, uint64_t length, Dwarf_Off unit) {
    struct span span = {start, start, unit};
    if (length && pm_add_u64(start, length, &span.end)) (void)pm_vec_push(&table->spans, span);
}

/* gcc's way: .debug_aranges lists the addresses of every unit. */
static void read_aranges(struct pm_line_table *table) {
    Dwarf_Arange *aranges = NULL;
    Dwarf_Signed count = 0;
    Dwarf_Error error = NULL;
    if (dwarf_get_aranges(table->debug, &aranges, &count, &error) != DW_DLV_OK) {
        pm_dwarf_forget(table->debug, &error);
        return;
    }
    for (Dwarf_Signed i = 0; i < count; i++) {
        Dwarf_Unsigned segment, segment_size, length;
        Dwarf_Addr start;
        Dwarf_Off unit;
        if (dwarf_get_arange_info_b(aranges[i], &segment, &segment_size, &start, &length, &unit, &error) ==
            DW_DLV_OK)
            add_span(table, start, length, unit);
        pm_dwarf_forget(table->debug, &error);
        dwarf_dealloc(table->debug, aranges[i], DW_DLA_ARANGE);
    }
    dwarf_dealloc(table->debug, aranges, DW_DLA_LIST);
}

static void read_unit_range(struct pm_line_table *table, Dwarf_Die die) {
    Dwarf_Error error = NULL;
    Dwarf_Addr low, high;
    Dwarf_Half form;
    Dwarf_Off offset;
    enum Dwarf_Form_Class class;
    if (dwarf_lowpc(die, &low, &error) == DW_DLV_OK &&
        dwarf_highpc_b(die, &high, &form, &class, &error) == DW_DLV_OK &&
        dwarf_dieoffset(die, &offset, &error) == DW_DLV_OK) {
        if (class == DW_FORM_CLASS_CONSTANT)
            add_span(table, low, high, offset);
        else if (high > low)
            add_span(table, low, high - low, offset);
    }
    pm_dwarf_forget(table->debug, &error);
}

/* clang's way (node 25 and later): a unit in one piece says where it is. Those in several pieces are Rust's;
 * their lists of ranges are not read. */
static void read_unit_ranges(struct pm_line_table *table) {
    Dwarf_Error error = NULL;
    for (unsigned count = 0; count < MAX_UNITS; count++) {
        Dwarf_Unsigned length, type_offset, next;
        Dwarf_Off abbreviations;
        Dwarf_Half version, address_size, length_size, extension_size, type;
        Dwarf_Sig8 signature;
        Dwarf_Die die;
        if (dwarf_next_cu_header_d(table->debug, 1, &length, &version, &abbreviations, &address_size,
                                   &length_size, &extension_size, &signature, &type_offset, &next, &type,
                                   &error) != DW_DLV_OK)
            break;
        if (dwarf_siblingof_b(table->debug, NULL, 1, &die, &error) != DW_DLV_OK) break;
        read_unit_range(table, die);
        dwarf_dealloc(table->debug, die, DW_DLA_DIE);
    }
    pm_dwarf_forget(table->debug, &error);
}

struct pm_line_table *pm_line_open(const struct pm_elf *elf) {
    struct pm_line_table *table = calloc(1, sizeof(*table));
    if (!table) return NULL;
    if (!collect_sections(elf, table) || !pm_dwarf_open(&table->object, &table->debug)) {
        table->debug = NULL;
        pm_line_close(table);
        return NULL;
    }
    read_aranges(table);
    read_unit_ranges(table);
    return table;
}

static bool find_unit(const struct pm_line_table *table, uint64_t vaddr, Dwarf_Off *ret) {
    for (size_t i = 0; i < table->spans.count; i++) {
        const struct span *span = &table->spans.items[i];
        if (vaddr < span->start || vaddr >= span->end) continue;
        *ret = span->unit;
        return true;
    }
    return false;
}

/* ------------------------------------------------------------------ the lines of a unit */

static const struct line_unit *read_unit(struct pm_line_table *table, Dwarf_Off offset) {
    for (size_t i = 0; i < table->units.count; i++)
        if (table->units.items[i].offset == offset) return &table->units.items[i];

    struct line_unit unit = {.offset = offset};
    Dwarf_Error error = NULL;
    Dwarf_Die die = NULL;
    Dwarf_Unsigned version;
    Dwarf_Small tables;
    if (dwarf_offdie_b(table->debug, offset, 1, &die, &error) == DW_DLV_OK) {
        if (dwarf_srclines_b(die, &version, &tables, &unit.context, &error) != DW_DLV_OK)
            unit.context = NULL;
        else if (dwarf_srclines_from_linecontext(unit.context, &unit.lines, &unit.count, &error) != DW_DLV_OK)
            unit.count = 0;
        dwarf_dealloc(table->debug, die, DW_DLA_DIE);
    }
    pm_dwarf_forget(table->debug, &error);
    if (!pm_vec_push(&table->units, unit)) {
        if (unit.context) dwarf_srclines_dealloc_b(unit.context);
        return NULL;
    }
    return &table->units.items[table->units.count - 1];
}

/* "/a/out/../deps/uv/core.c" is "/a/deps/uv/core.c": by the text alone, the build's folders are not here. */
static void normalise(char *path) {
    char *to = path;
    for (const char *from = path; *from;) {
        const char *end = from + 1;
        while (*end && *end != '/') end++;
        size_t length = (size_t)(end - from);
        bool up = length == 3 && memcmp(from, "/..", 3) == 0,
             here = length == 2 && memcmp(from, "/.", 2) == 0;
        char *parent = up && to > path ? memrchr(path, '/', (size_t)(to - path)) : NULL;
        if (parent && strcmp(parent, "/..") != 0) {
            to = parent;
        } else if (!here) {
            memmove(to, from, length);
            to += length;
        }
        from = end;
    }
    *to = 0;
}

/* The last line entry that does not start behind vaddr, in a sequence that covers it. */
static Dwarf_Line line_at(const struct line_unit *unit, uint64_t vaddr) {
    Dwarf_Line found = NULL;
    Dwarf_Addr start = 0, found_start = 0;
    Dwarf_Line previous = NULL;
    for (Dwarf_Signed i = 0; i < unit->count; i++) {
        Dwarf_Addr address;
        Dwarf_Bool ends;
        if (dwarf_lineaddr(unit->lines[i], &address, NULL) != DW_DLV_OK ||
            dwarf_lineendsequence(unit->lines[i], &ends, NULL) != DW_DLV_OK)
            return NULL;
        if (previous && start <= vaddr && vaddr < address && (!found || start >= found_start)) {
            found = previous;
            found_start = start;
        }
        previous = ends ? NULL : unit->lines[i];
        start = address;
    }
    return found;
}

bool pm_line_find(struct pm_line_table *table, uint64_t vaddr, const char **file_ret, unsigned *line_ret) {
    Dwarf_Error error = NULL;
    Dwarf_Off offset;
    const struct line_unit *unit = find_unit(table, vaddr, &offset) ? read_unit(table, offset) : NULL;
    Dwarf_Line line = unit ? line_at(unit, vaddr) : NULL;
    Dwarf_Unsigned number = 0;
    char *source = NULL;
    bool fine = line && dwarf_lineno(line, &number, &error) == DW_DLV_OK && number > 0 &&
                number <= UINT32_MAX && dwarf_linesrc(line, &source, &error) == DW_DLV_OK;
    pm_dwarf_forget(table->debug, &error);
    if (!fine) return false;
    char *name = strdup(source);
    dwarf_dealloc(table->debug, source, DW_DLA_STRING);
    if (!name) return false;
    normalise(name);
    for (size_t i = 0; i < table->names.count; i++) {
        if (strcmp(table->names.items[i], name) != 0) continue;
        free(name);
        name = NULL;
        *file_ret = table->names.items[i];
        break;
    }
    if (name) {
        if (!pm_vec_push(&table->names, name)) {
            free(name);
            return false;
        }
        *file_ret = name;
    }
    *line_ret = (unsigned)number;
    return true;
}
