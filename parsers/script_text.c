#include "parsers/script_text.h"

#include <string.h>

static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (unsigned char)c >= 128;
}

static char at(struct pm_script_text text, size_t offset) {
    return offset < text.length ? text.bytes[offset] : 0;
}

static bool follows(struct pm_script_text text, size_t offset, const char *word) {
    size_t length = strlen(word);
    return offset <= text.length && length <= text.length - offset &&
           memcmp(text.bytes + offset, word, length) == 0;
}

static size_t skip_blanks(struct pm_script_text text, size_t offset) {
    while (at(text, offset) == ' ' || at(text, offset) == '\t') offset++;
    return offset;
}

/* ------------------------------------------------------------------ positions */

/* UTF-16 units of a character, told by its first byte. */
static unsigned units(char c) {
    unsigned char byte = (unsigned char)c;
    return (byte & 0xc0) == 0x80 ? 0 : byte >= 0xf0 ? 2 : 1;
}

size_t pm_script_offset(struct pm_script_text text, uint32_t line, uint32_t column) {
    size_t offset = 0;
    for (uint32_t i = 1; i < line; i++) {
        const char *end = memchr(text.bytes + offset, '\n', text.length - offset);
        if (!end) return text.length;
        offset = (size_t)(end - text.bytes) + 1;
    }
    for (uint32_t i = 1; i < column && offset < text.length; offset++) i += units(text.bytes[offset]);
    return offset;
}

static struct pm_script_place place_of(struct pm_script_text text, size_t offset) {
    struct pm_script_place place = {.offset = offset, .line = 1, .column = 1};
    for (size_t i = 0; i < offset; i++) {
        place.column += units(text.bytes[i]);
        if (text.bytes[i] == '\n') place = (struct pm_script_place){offset, place.line + 1, 1};
    }
    return place;
}

/* ------------------------------------------------------------------ declarations */

/* Where the statement begins that `offset` is in: behind the line break, semicolon or brace in front of it.
 */
static size_t statement_start(struct pm_script_text text, size_t offset) {
    while (offset && !strchr("\n;{}", text.bytes[offset - 1])) offset--;
    return skip_blanks(text, offset);
}

static size_t skip_word(struct pm_script_text text, size_t offset, const char *word) {
    size_t length = strlen(word);
    return follows(text, offset, word) && !is_word(at(text, offset + length))
               ? skip_blanks(text, offset + length)
               : offset;
}

/* `const name`, `let {a, name} = x`, `async function name`, `export class name`, `import name from`. */
static bool declares(struct pm_script_text text, size_t name) {
    static const char *const words[] = {"const", "let", "var", "class", "function", "import"};
    size_t line = name;
    while (line && text.bytes[line - 1] != '\n' && text.bytes[line - 1] != ';') line--;
    line = skip_blanks(text, line);
    line = skip_word(text, line, "export");
    line = skip_word(text, line, "default");
    line = skip_word(text, line, "async");
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t behind = skip_word(text, line, words[i]);
        if (behind == line || behind > name) continue;
        /* On the left of the assignment, and no parameter of the function that is declared. */
        return !memchr(text.bytes + behind, '=', name - behind) &&
               !memchr(text.bytes + behind, '(', name - behind);
    }
    return false;
}

/* `this.name =`, or a field in the body of a class: `name = x;`, `#name;`, `static name`. */
static bool makes_property(struct pm_script_text text, size_t name, size_t length) {
    size_t start = statement_start(text, name), behind = skip_blanks(text, name + length);
    bool assigned = at(text, behind) == '=' && at(text, behind + 1) != '=' && at(text, behind + 1) != '>';
    if (start <= name && follows(text, start, "this.") && start + 5 == name) return assigned;
    start = skip_word(text, start, "static");
    return start == name &&
           (assigned || at(text, behind) == ';' || at(text, behind) == '\n' || behind >= text.length);
}

bool pm_script_declaration(struct pm_script_text text, const char *name, size_t near, bool is_property,
                           struct pm_script_place *ret) {
    size_t length = strlen(name), best = SIZE_MAX;
    const char *end = text.bytes + text.length;
    for (const char *found = text.bytes; length; found += length) {
        found = memmem(found, (size_t)(end - found), name, length);
        if (!found) break;
        size_t offset = (size_t)(found - text.bytes);
        if ((offset && (is_word(found[-1]) || found[-1] == '#')) || is_word(at(text, offset + length)))
            continue;
        if (is_property && offset >= near && makes_property(text, offset, length)) {
            best = offset;
            break;
        }
        if (!is_property && declares(text, offset) && (best == SIZE_MAX || offset <= near)) best = offset;
    }
    if (best == SIZE_MAX) return false;
    *ret = place_of(text, best);
    return true;
}
