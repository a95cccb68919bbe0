#include "parsers/script_text.h"

#include <string.h>

#include "parsers/script_tokens.h"

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

struct pm_script_place pm_script_place(struct pm_script_text text, size_t offset) {
    struct pm_script_place place = {.offset = offset, .line = 1, .column = 1};
    for (size_t i = 0; i < offset && i < text.length; i++) {
        place.column += units(text.bytes[i]);
        if (text.bytes[i] == '\n')
            place = (struct pm_script_place){.offset = offset, .line = place.line + 1, .column = 1};
    }
    return place;
}

/* ------------------------------------------------------------------ variables */

struct candidate {
    size_t offset, scope_start; /* of the block: SIZE_MAX = it has ended without `near` */
    unsigned scope;             /* number of the block, 0 = the program */
    bool imported, parameter, in_function;
};

/* The list of names behind const, let, var or import that the walk is in. */
struct list {
    bool active, is_import, is_var;
    size_t depth;  /* brackets open around it */
    bool in_value; /* behind the = of the name at hand */
    size_t first;  /* its candidates, from this one on */
};

struct search {
    struct pm_tokens tokens;
    const char *name;
    size_t near;
    struct list list;
    PM_VEC(struct candidate) found;
    unsigned parameter_of; /* number of the round bracket that has the name in it */
    size_t parameter_at;
    bool imported; /* the value at hand is a mere require() */
};

static void add(struct search *search, size_t offset, bool whole_function, bool parameter, bool imported) {
    const struct pm_tokens *tokens = &search->tokens;
    struct candidate candidate = {.offset = offset, .parameter = parameter, .imported = imported};
    for (size_t i = tokens->blocks.count; i > 0; i--) {
        const struct pm_script_block *block = &tokens->blocks.items[i - 1];
        if (block->bracket == '[' || (block->bracket == '(' && !block->keyword)) continue;
        if (search->list.active && i > search->list.depth) continue; /* the pattern's own braces */
        if (whole_function && !block->is_function) continue;
        candidate.scope = block->number;
        candidate.scope_start = block->start;
        break;
    }
    candidate.in_function = parameter || pm_tokens_function(tokens) != NULL;
    (void)pm_vec_push(&search->found, candidate);
}

static void end_scopes(struct search *search) {
    const struct pm_script_block *closed = &search->tokens.closed;
    if (closed->start <= search->near && search->near <= search->tokens.token.end) return;
    for (size_t i = search->found.count; i > 0; i--)
        if (search->found.items[i - 1].scope == closed->number)
            search->found.items[i - 1].scope_start = SIZE_MAX;
}

static bool ends_value(const struct pm_token *last, char c) {
    return last->kind == PM_TOKEN_WORD || last->kind == PM_TOKEN_TEXT || c == ')' || c == ']' || c == '}';
}

/* Is the list over at this word? */
static bool list_over(const struct search *search) {
    const struct pm_tokens *tokens = &search->tokens;
    const struct pm_token *token = &tokens->token, *last = &tokens->last[0];
    size_t depth = tokens->blocks.count;
    if (depth < search->list.depth) return true;
    if (depth > search->list.depth) return false;
    if (search->list.is_import)
        return token->kind == PM_TOKEN_TEXT || pm_token_is(tokens, token, ";") ||
               pm_token_is(tokens, token, "(") || pm_token_is(tokens, token, ".");
    if (pm_token_is(tokens, token, ";") || pm_token_is(tokens, token, "of") ||
        pm_token_is(tokens, token, "in"))
        return true;
    return token->new_line && token->kind == PM_TOKEN_WORD && search->list.in_value &&
           ends_value(last, tokens->text.bytes[last->start]);
}

static void value_word(struct search *search) {
    struct pm_tokens *tokens = &search->tokens;
    bool import =
        pm_token_is(tokens, &tokens->token, "require") || pm_token_is(tokens, &tokens->token, "import");
    bool made = pm_token_is(tokens, &tokens->token, "new") ||
                (pm_token_is(tokens, &tokens->token, "(") && pm_token_is(tokens, &tokens->last[0], ")"));
    if (!import && !made) return;
    for (size_t i = search->list.first; i < search->found.count; i++)
        search->found.items[i].imported = import;
}

static void in_list(struct search *search) {
    struct pm_tokens *tokens = &search->tokens;
    struct list *list = &search->list;
    const struct pm_token *token = &tokens->token, *last = &tokens->last[0];
    bool here = tokens->blocks.count == list->depth;
    if (list_over(search)) {
        list->active = false;
        return;
    }
    if (here && pm_token_is(tokens, token, ",")) {
        list->in_value = false;
        list->first = search->found.count;
    } else if (here && pm_token_is(tokens, token, "=")) {
        list->in_value = true;
    } else if (list->in_value) {
        value_word(search);
    } else if (pm_token_is(tokens, token, ":") || pm_token_is(tokens, token, "as")) {
        /* `{name: other}`: the name of the property, not of the variable */
        if (search->found.count > list->first &&
            search->found.items[search->found.count - 1].offset == last->start)
            search->found.count--;
    } else if (token->kind == PM_TOKEN_WORD && pm_token_is(tokens, token, search->name)) {
        add(search, token->start, list->is_var, false, list->is_import);
    }
}

static void outside_list(struct search *search) {
    struct pm_tokens *tokens = &search->tokens;
    const struct pm_token *token = &tokens->token, *last = &tokens->last[0];
    bool is_member = pm_token_is(tokens, last, ".");
    if (token->kind == PM_TOKEN_WORD && !is_member) {
        bool is_var = pm_token_is(tokens, token, "var"), is_import = pm_token_is(tokens, token, "import");
        if (is_var || is_import || pm_token_is(tokens, token, "const") || pm_token_is(tokens, token, "let")) {
            search->list = (struct list){.active = true,
                                         .is_import = is_import,
                                         .is_var = is_var,
                                         .depth = tokens->blocks.count,
                                         .first = search->found.count};
            return;
        }
        if (!pm_token_is(tokens, token, search->name)) return;
        bool star = pm_token_is(tokens, last, "*") && pm_token_is(tokens, &tokens->last[1], "function");
        if (star || pm_token_is(tokens, last, "function") || pm_token_is(tokens, last, "class"))
            add(search, token->start, false, false, false);
        else if (tokens->blocks.count) {
            size_t i = tokens->blocks.count;
            while (i > 1 && tokens->blocks.items[i - 1].bracket != '(') i--;
            search->parameter_of = tokens->blocks.items[i - 1].number;
            search->parameter_at = token->start;
        }
    }
}

/* The brace of a function has opened: do its parameters have the name? */
static void open_function(struct search *search) {
    struct pm_tokens *tokens = &search->tokens;
    const struct pm_script_block *block = &tokens->blocks.items[tokens->blocks.count - 1];
    if (block->is_function && search->parameter_of && tokens->closed.number == search->parameter_of)
        add(search, search->parameter_at, true, true, false);
}

/* In scope: the innermost, of these the last in front of `near`, else the first. Else the last one in front,
 * or the first behind. */
static const struct candidate *choose(const struct search *search) {
    const struct candidate *best = NULL, *other = NULL;
    for (size_t i = 0; i < search->found.count; i++) {
        const struct candidate *candidate = &search->found.items[i];
        if (candidate->scope_start <= search->near) {
            bool inner = best && candidate->scope_start > best->scope_start;
            bool later =
                best && candidate->scope_start == best->scope_start && candidate->offset <= search->near;
            if (!best || inner || later) best = candidate;
        } else if (!candidate->parameter && (!other || candidate->offset <= search->near)) {
            other = candidate;
        }
    }
    return best ? best : other;
}

static bool find_variable(struct pm_script_text text, const char *name, size_t near,
                          struct pm_script_place *ret) {
    struct search search = {.name = name, .near = near};
    pm_tokens_start(text, &search.tokens);
    while (pm_tokens_next(&search.tokens)) {
        const struct pm_token *token = &search.tokens.token;
        char c = token->kind == PM_TOKEN_PUNCTUATION ? text.bytes[token->start] : 0;
        if (search.list.active) in_list(&search);
        if (!search.list.active) outside_list(&search);
        if (search.list.active && search.tokens.blocks.count > search.list.depth && !search.list.in_value)
            continue; /* a pattern */
        if (c == '{' && search.tokens.blocks.count) open_function(&search);
        if (c == '}' || c == ')' || c == ']') end_scopes(&search);
    }
    const struct candidate *best = choose(&search);
    if (best) {
        *ret = pm_script_place(text, best->offset);
        ret->imported = best->imported;
        ret->in_function = best->in_function;
    }
    pm_tokens_end(&search.tokens);
    pm_vec_deinit(&search.found);
    return best != NULL;
}

/* ------------------------------------------------------------------ properties */

struct property_search {
    size_t field, in_class;  /* of the class around `near`: its field; `this.name =` in it */
    size_t behind;           /* the first from `near` on, whatever class */
    size_t loose;            /* `x.name =`, `name:` */
    struct pm_token pending; /* a word at the start of a class member */
    bool pending_loose;
};

/* The number of the class that the word at hand stands in; 0 = none. `direct`: not inside of a method. */
static const struct pm_script_block *class_around(const struct pm_tokens *tokens, bool *direct) {
    for (size_t i = tokens->blocks.count; i > 0; i--)
        if (tokens->blocks.items[i - 1].is_class) {
            *direct = i == tokens->blocks.count;
            return &tokens->blocks.items[i - 1];
        }
    return NULL;
}

static void keep_first(size_t *place, size_t offset) {
    if (*place == SIZE_MAX) *place = offset;
}

/* Of the places in one class: kept until it is known whether `near` is inside. */
struct class_places {
    unsigned number;
    size_t field, assigned;
};

static bool find_property(struct pm_script_text text, const char *name, size_t near,
                          struct pm_script_place *ret) {
    struct property_search found = {SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX, {0}, false};
    struct class_places at_hand = {0, SIZE_MAX, SIZE_MAX};
    struct pm_tokens tokens;
    pm_tokens_start(text, &tokens);
    while (pm_tokens_next(&tokens)) {
        bool direct = false;
        const struct pm_token *token = &tokens.token, *last = &tokens.last[0];
        const struct pm_script_block *around = class_around(&tokens, &direct);
        if (tokens.closed.is_class && tokens.closed.number == at_hand.number) {
            if (tokens.closed.start <= near && near <= token->end) {
                if (at_hand.field != SIZE_MAX) keep_first(&found.field, at_hand.field);
                if (at_hand.assigned != SIZE_MAX) keep_first(&found.in_class, at_hand.assigned);
            }
            at_hand.number = 0;
        }
        if (around && around->number != at_hand.number)
            at_hand = (struct class_places){around->number, SIZE_MAX, SIZE_MAX};
        /* What stands behind the name tells what it is. */
        bool is_name = last->kind == PM_TOKEN_WORD && pm_token_is(&tokens, last, name);
        const struct pm_token *before = &tokens.last[1];
        if (!is_name) continue;
        bool assigned = pm_token_is(&tokens, token, "=");
        bool member = pm_token_is(&tokens, before, ".");
        if (assigned && member && pm_token_is(&tokens, &tokens.last[2], "this")) {
            if (around) keep_first(&at_hand.assigned, last->start);
            if (last->start >= near) keep_first(&found.behind, last->start);
        } else if (assigned && member) {
            keep_first(&found.loose, last->start);
        } else if (around && direct && !member &&
                   (assigned || pm_token_is(&tokens, token, ";") || pm_token_is(&tokens, token, "}") ||
                    token->new_line)) {
            bool starts = pm_token_is(&tokens, before, "static") || pm_token_is(&tokens, before, "{") ||
                          pm_token_is(&tokens, before, ";") || pm_token_is(&tokens, before, "}") ||
                          last->new_line;
            if (!starts) continue;
            keep_first(&at_hand.field, last->start);
            if (last->start >= near) keep_first(&found.behind, last->start);
        } else if (pm_token_is(&tokens, token, ":") && !member && !pm_token_is(&tokens, before, "?")) {
            keep_first(&found.loose, last->start);
        }
    }
    pm_tokens_end(&tokens);
    if (at_hand.number && near <= text.length) { /* a class that is cut off */
        if (at_hand.field != SIZE_MAX && found.behind == SIZE_MAX) found.behind = at_hand.field;
        if (at_hand.assigned != SIZE_MAX && found.behind == SIZE_MAX) found.behind = at_hand.assigned;
    }
    size_t best = found.field != SIZE_MAX      ? found.field
                  : found.in_class != SIZE_MAX ? found.in_class
                  : found.behind != SIZE_MAX   ? found.behind
                                               : found.loose;
    if (best == SIZE_MAX) return false;
    *ret = pm_script_place(text, best);
    return true;
}

bool pm_script_declaration(struct pm_script_text text, const char *name, size_t near, bool is_property,
                           struct pm_script_place *ret) {
    if (!*name || !memmem(text.bytes, text.length, name, strlen(name))) return false;
    return is_property ? find_property(text, name, near, ret) : find_variable(text, name, near, ret);
}

/* ------------------------------------------------------------------ uses */

static bool is_method(const char *name, size_t length) {
    static const char *const methods[] = {"set",  "unshift", "concat",  "prepend",  "store",
                                          "save", "next",    "publish", "schedule", "write",
                                          "send", "record",  "track",   "observe"};
    /* also in longer names: addJob, pushAll */
    static const char *const verbs[] = {"add", "push", "put", "insert", "append", "enqueue", "register"};
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (length == strlen(methods[i]) && memcmp(name, methods[i], length) == 0) return true;
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        size_t verb = strlen(verbs[i]);
        if (length < verb || memcmp(name, verbs[i], verb) != 0) continue;
        if (length == verb || (name[verb] >= 'A' && name[verb] <= 'Z')) return true;
    }
    return false;
}

static bool adds(const struct pm_tokens *tokens, const struct pm_token *method) {
    return method->kind == PM_TOKEN_WORD &&
           is_method(tokens->text.bytes + method->start, method->end - method->start);
}

static bool is_name_byte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$';
}

/* What stands behind `name[x]`: `=`, `||=`, `??=`, `&&=`, or `.push(`; not `==`, `=>`. */
static bool fills(struct pm_script_text text, size_t at) {
    while (at < text.length && (text.bytes[at] == ' ' || text.bytes[at] == '\n')) at++;
    const char *rest = text.bytes + at;
    size_t left = text.length - at, method = left && rest[0] == '.' ? 1 : left > 1 && rest[1] == '.' ? 2 : 0;
    if (left < 3) return false;
    if (rest[0] == '=') return rest[1] != '=' && rest[1] != '>';
    if (rest[0] == rest[1] && strchr("|?&", rest[0])) return rest[2] == '=';
    if (!method || (method == 2 && rest[0] != '?')) return false;
    size_t end = method;
    while (end < left && is_name_byte(rest[end])) end++;
    return end < left && rest[end] == '(' && is_method(rest + method, end - method);
}

static void note_use(struct pm_tokens *tokens, size_t offset, struct pm_script_uses *ret) {
    if (ret->count++) return;
    const struct pm_script_block *function = pm_tokens_function(tokens);
    ret->first = pm_script_place(tokens->text, offset);
    if (!function || function->name.kind != PM_TOKEN_WORD) return;
    struct pm_token name = function->name;
    if (pm_token_is(tokens, &name, "constructor"))
        for (size_t i = tokens->blocks.count; i > 0; i--)
            if (tokens->blocks.items[i - 1].is_class) {
                name = tokens->blocks.items[i - 1].name;
                break;
            }
    ret->function = tokens->text.bytes + name.start;
    ret->function_length = name.end - name.start;
}

static bool takes_out(const struct pm_tokens *tokens, const struct pm_token *method) {
    static const char *const methods[] = {"delete", "shift", "pop", "splice", "clear", "remove", "evict"};
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (pm_token_is(tokens, method, methods[i])) return true;
    return false;
}

/* Is a size compared with a limit: a name, or a number that is no mere "is there one"? `at`: behind > or >=.
 */
static bool is_limit(struct pm_script_text text, size_t at) {
    while (at < text.length && (text.bytes[at] == ' ' || text.bytes[at] == '=')) at++;
    if (at >= text.length) return false;
    size_t digits = 0;
    while (at + digits < text.length && ((text.bytes[at + digits] >= '0' && text.bytes[at + digits] <= '9') ||
                                         text.bytes[at + digits] == '_'))
        digits++;
    return digits ? digits > 1 : is_name_byte(text.bytes[at]) || text.bytes[at] == '#';
}

/* `name.size >=`, and somewhere `name.delete(`, `delete name[`. */
static bool find_trim(struct pm_script_text text, const char *name, struct pm_script_uses *ret) {
    struct pm_tokens tokens;
    bool out = false;
    pm_tokens_start(text, &tokens);
    while (pm_tokens_next(&tokens)) {
        const struct pm_token *token = &tokens.token, *last = tokens.last;
        bool of_name = last[2].kind == PM_TOKEN_WORD && pm_token_is(&tokens, &last[2], name) &&
                       pm_token_is(&tokens, &last[1], ".");
        bool compared = pm_token_is(&tokens, token, ">") || pm_token_is(&tokens, token, ">=");
        bool size = pm_token_is(&tokens, &last[0], "size") || pm_token_is(&tokens, &last[0], "length");
        if (of_name && compared && size && is_limit(text, token->end)) note_use(&tokens, last[2].start, ret);
        if (of_name && pm_token_is(&tokens, token, "(") && takes_out(&tokens, &last[0])) out = true;
        bool member = pm_token_is(&tokens, &last[1], ".");
        if (pm_token_is(&tokens, token, "[") && pm_token_is(&tokens, &last[0], name) &&
            pm_token_is(&tokens, &last[member ? 3 : 1], "delete"))
            out = true;
    }
    pm_tokens_end(&tokens);
    return out && ret->count;
}

bool pm_script_uses(struct pm_script_text text, enum pm_script_use use, const char *name,
                    struct pm_script_uses *ret) {
    *ret = (struct pm_script_uses){0};
    if (!*name || !memmem(text.bytes, text.length, name, strlen(name))) return false;
    if (use == PM_SCRIPT_TRIM) return find_trim(text, name, ret);
    struct pm_tokens tokens;
    size_t made = SIZE_MAX, index = SIZE_MAX; /* offset of `new`; of the name in front of a [ */
    unsigned index_block = 0;
    pm_tokens_start(text, &tokens);
    while (pm_tokens_next(&tokens)) {
        const struct pm_token *token = &tokens.token, *last = tokens.last;
        if (use == PM_SCRIPT_NEW) {
            if (pm_token_is(&tokens, token, "new"))
                made = token->start;
            else if (made != SIZE_MAX && token->kind == PM_TOKEN_WORD && pm_token_is(&tokens, token, name)) {
                note_use(&tokens, made, ret);
                made = SIZE_MAX;
            } else if (token->kind != PM_TOKEN_WORD && !pm_token_is(&tokens, token, "."))
                made = SIZE_MAX;
            continue;
        }
        if (pm_token_is(&tokens, token, "(") && adds(&tokens, &last[0]) &&
            pm_token_is(&tokens, &last[1], ".") && last[2].kind == PM_TOKEN_WORD &&
            pm_token_is(&tokens, &last[2], name)) {
            note_use(&tokens, last[2].start, ret);
        } else if (pm_token_is(&tokens, token, "[") && last[0].kind == PM_TOKEN_WORD &&
                   pm_token_is(&tokens, &last[0], name) && tokens.blocks.count) {
            index = last[0].start;
            index_block = tokens.blocks.items[tokens.blocks.count - 1].number;
        } else if (index != SIZE_MAX && pm_token_is(&tokens, &last[0], "]") &&
                   tokens.closed.number == index_block) {
            if (fills(text, last[0].end)) note_use(&tokens, index, ret);
            index = SIZE_MAX;
        }
    }
    pm_tokens_end(&tokens);
    return ret->count > 0;
}
