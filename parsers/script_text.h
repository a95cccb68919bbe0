/* script_text.h - where a name is declared in the text of a JavaScript program, where objects are made and
 * collections are filled. Told from the words and brackets (script_tokens.h), by the rules of scopes; it says
 * nothing rather than something doubtful.
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
    bool in_function;      /* it stands in a function, not at the top of the program */
    bool imported;         /* the name comes from another module: import, or a mere require() */
};

/* Offset of a position; the text's length when it lies behind the end. */
size_t pm_script_offset(struct pm_script_text text, uint32_t line, uint32_t column);
struct pm_script_place pm_script_place(struct pm_script_text text, size_t offset);

/* The declaration of a name for code at the offset `near`. Variables (const, let, var, function, class,
 * import, and parameters): the one in the innermost block around `near`; else, but for parameters, the last
 * one in front of it or the first behind it. Properties: where the class around `near` makes it (a field,
 * `this.name =`); else the first such place from `near` on; else the first `x.name =` or `name:`. */
bool pm_script_declaration(struct pm_script_text text, const char *name, size_t near, bool is_property,
                           struct pm_script_place *ret);

enum pm_script_use {                 /* in the order of enum pm_graph_use */
                     PM_SCRIPT_NEW,  /* `new Name(` */
                     PM_SCRIPT_ADD,  /* `name.set(`, `.add(`, `.pushAll(` ..., `name[x] =`, `name[x].push(` */
                     PM_SCRIPT_TRIM, /* `name.size >`, `name.length >=`, in a text that also has
                                        `name.delete(`, `.shift(` ... */
};

/* The first place where a name is used so; how many there are; the function it stands in (in the text, length
 * 0 = the program itself or one without a name). */
struct pm_script_uses {
    struct pm_script_place first;
    const char *function;
    size_t function_length, count;
};
bool pm_script_uses(struct pm_script_text text, enum pm_script_use use, const char *name,
                    struct pm_script_uses *ret);

#endif
