#include "parsers/dwarf_object.h"

#include <elf.h>

void pm_dwarf_forget(Dwarf_Debug debug, Dwarf_Error *error) {
    if (*error) dwarf_dealloc_error(debug, *error);
    *error = NULL;
}

/* libdwarf counts sections from 1. */
static int object_section(void *context, Dwarf_Half index, Dwarf_Obj_Access_Section *ret, int *error) {
    const struct pm_dwarf_object *object = context;
    (void)error;
    if (index > object->count) return DW_DLV_NO_ENTRY;
    *ret = (Dwarf_Obj_Access_Section){.name = "", .type = SHT_NULL};
    if (index)
        *ret = (Dwarf_Obj_Access_Section){.name = object->sections[index - 1].name,
                                          .type = SHT_PROGBITS,
                                          .size = object->sections[index - 1].size};
    return DW_DLV_OK;
}
static int object_load(void *context, Dwarf_Half index, Dwarf_Small **ret, int *error) {
    const struct pm_dwarf_object *object = context;
    (void)error;
    if (index == 0 || index > object->count) return DW_DLV_NO_ENTRY;
    *ret = (Dwarf_Small *)(uintptr_t)object->sections[index - 1].bytes; /* it only reads */
    return DW_DLV_OK;
}
static Dwarf_Unsigned object_count(void *context) {
    return ((const struct pm_dwarf_object *)context)->count + 1;
}
static Dwarf_Endianness object_order(void *context) {
    (void)context;
    return DW_OBJECT_LSB;
}
static Dwarf_Small object_length_size(void *context) {
    (void)context;
    return 4;
}
static Dwarf_Small object_pointer_size(void *context) {
    (void)context;
    return 8;
}

bool pm_dwarf_open(struct pm_dwarf_object *object, Dwarf_Debug *ret) {
    static const Dwarf_Obj_Access_Methods methods = {
        .get_section_info = object_section,
        .get_byte_order = object_order,
        .get_length_size = object_length_size,
        .get_pointer_size = object_pointer_size,
        .get_section_count = object_count,
        .load_section = object_load,
    };
    object->interface = (Dwarf_Obj_Access_Interface){.object = object, .methods = &methods};
    Dwarf_Error error = NULL;
    if (dwarf_object_init_b(&object->interface, NULL, NULL, DW_GROUPNUMBER_ANY, ret, &error) == DW_DLV_OK)
        return true;
    pm_dwarf_forget(NULL, &error);
    return false;
}
