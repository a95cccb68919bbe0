/* script_text.h - where a name is declared in the text of a JavaScript program. No parser: it looks for what
 * declarations look like at the beginning of a line, and says nothing rather than something doubtful.
 *
 * FAILURE    none; false = not found. */
#ifndef PM_PARSERS_SCRIPT_TEXT_H
#define PM_PARSERS_SCRIPT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pm_script_text {
    const char *bytes; /* UTF-8 */
    size_t length;
};

struct pm_script_place {
    size_t offset;         /* of the name */
    uint32_t line, column; /* from 1; columns in UTF-16 units, as V8 counts them */
};

/* Offset of a position; the text's length when it lies behind the end. */
size_t pm_script_offset(struct pm_script_text text, uint32_t line, uint32_t column);

/* The declaration of a name for code at the offset `near`. Variables (const, let, var, function, class,
 * import, parameters are none): the last one in front of it, else the first behind it. Properties: the first
 * place from `near` on, the head of a class or constructor, that makes one: `this.name =`, `#name;`, `static
 * name =`. */
bool pm_script_declaration(struct pm_script_text text, const char *name, size_t near, bool is_property,
                           struct pm_script_place *ret);

#endif
