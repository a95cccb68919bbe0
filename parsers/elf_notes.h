/* elf_notes.h - walks the records of a PT_NOTE segment: name, type, description. Knows no record's meaning.
 *
 * Used for cores, for files on disk and for the header page that a core holds of a file. */
#ifndef PM_PARSERS_ELF_NOTES_H
#define PM_PARSERS_ELF_NOTES_H

#include "parsers/cursor.h"

struct pm_note {
    uint32_t type;
    const char *name; /* name_size bytes, the NUL included */
    uint32_t name_size;
    struct pm_cursor desc;
};

/* The next note; false at the end, or where the bytes are cut (then c->failed). `alignment` is p_align of the
 * segment: 8 means 8, everything else 4, which is what the kernel and all tools really do. */
static inline bool pm_note_next(struct pm_cursor *c, uint64_t alignment, struct pm_note *ret) {
    uint64_t unit = alignment == 8 ? 8 : 4;
    if (pm_cursor_left(c) == 0) return false;
    uint32_t name_size = pm_cursor_u32(c), desc_size = pm_cursor_u32(c), type = pm_cursor_u32(c);
    const uint8_t *name = pm_cursor_take(c, name_size);
    pm_cursor_align(c, unit);
    uint64_t where = pm_cursor_where(c);
    const uint8_t *desc = pm_cursor_take(c, desc_size);
    pm_cursor_align(c, unit);
    if (c->failed) return false;
    *ret = (struct pm_note){.type = type,
                            .name = (const char *)name,
                            .name_size = name_size,
                            .desc = pm_cursor_make(desc, desc_size, where)};
    return true;
}

static inline bool pm_note_is(const struct pm_note *note, const char *owner, uint32_t type) {
    size_t length = strlen(owner);
    return note->type == type && note->name_size >= length && memcmp(note->name, owner, length) == 0 &&
           (note->name_size == length || note->name[length] == 0);
}

#endif
