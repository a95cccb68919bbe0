#include "parsers/script_tokens.h"

#include <string.h>

#define MOST_DEPTH 10000 /* brackets inside of each other: minified bundles have some hundreds */

static char at(const struct pm_tokens *tokens, size_t offset) {
    return offset < tokens->text.length ? tokens->text.bytes[offset] : 0;
}

static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || c == '#' || (unsigned char)c >= 128;
}

bool pm_token_is(const struct pm_tokens *tokens, const struct pm_token *token, const char *text) {
    size_t length = strlen(text);
    return token->end - token->start == length &&
           memcmp(tokens->text.bytes + token->start, text, length) == 0 && token->kind != PM_TOKEN_TEXT;
}

void pm_tokens_start(struct pm_script_text text, struct pm_tokens *ret) {
    *ret = (struct pm_tokens){.text = text};
}

void pm_tokens_end(struct pm_tokens *tokens) {
    pm_vec_deinit(&tokens->blocks);
}

/* ------------------------------------------------------------------ blanks, comments, texts */

static bool skip_comment(struct pm_tokens *tokens, bool *new_line) {
    const char *bytes = tokens->text.bytes;
    size_t length = tokens->text.length;
    if (at(tokens, tokens->at) != '/') return false;
    if (at(tokens, tokens->at + 1) == '/') {
        const char *end = memchr(bytes + tokens->at, '\n', length - tokens->at);
        tokens->at = end ? (size_t)(end - bytes) : length;
        return true;
    }
    if (at(tokens, tokens->at + 1) != '*') return false;
    const char *end = memmem(bytes + tokens->at + 2, length - tokens->at - 2, "*/", 2);
    size_t stop = end ? (size_t)(end - bytes) + 2 : length;
    *new_line |= memchr(bytes + tokens->at, '\n', stop - tokens->at) != NULL;
    tokens->at = stop;
    return true;
}

static bool skip_blanks(struct pm_tokens *tokens) {
    bool new_line = tokens->at == 0;
    for (;;) {
        char c = at(tokens, tokens->at);
        if (tokens->at >= tokens->text.length) return new_line;
        if (c == '\n' || c == ' ' || c == '\t' || c == '\r') {
            new_line |= c == '\n';
            tokens->at++;
        } else if (!skip_comment(tokens, &new_line)) {
            return new_line;
        }
    }
}

static void skip_string(struct pm_tokens *tokens, char quote) {
    for (tokens->at++; tokens->at < tokens->text.length; tokens->at++) {
        char c = tokens->text.bytes[tokens->at];
        if (c == '\\')
            tokens->at++;
        else if (c == quote || c == '\n')
            break;
    }
    if (tokens->at < tokens->text.length) tokens->at++;
    if (tokens->at > tokens->text.length) tokens->at = tokens->text.length;
}

/* Up to the end of a template, or behind the ${ in it. true = at a ${. */
static bool skip_template(struct pm_tokens *tokens) {
    while (tokens->at < tokens->text.length) {
        char c = tokens->text.bytes[tokens->at++];
        if (c == '\\')
            tokens->at += tokens->at < tokens->text.length;
        else if (c == '`')
            return false;
        else if (c == '$' && at(tokens, tokens->at) == '{')
            return tokens->at++, true;
    }
    return false;
}

static void skip_regexp(struct pm_tokens *tokens) {
    bool in_class = false;
    for (tokens->at++; tokens->at < tokens->text.length; tokens->at++) {
        char c = tokens->text.bytes[tokens->at];
        if (c == '\n') return;
        if (c == '\\')
            tokens->at++;
        else if (c == '[')
            in_class = true;
        else if (c == ']')
            in_class = false;
        else if (c == '/' && !in_class)
            break;
    }
    if (tokens->at > tokens->text.length) tokens->at = tokens->text.length;
    while (is_word(at(tokens, tokens->at)) || at(tokens, tokens->at) == '/') tokens->at++;
}

/* A slash begins a regular expression where no value stands before it. */
static bool starts_regexp(const struct pm_tokens *tokens) {
    static const char *const words[] = {"return", "typeof", "case", "in",         "of", "delete",
                                        "void",   "throw",  "new",  "instanceof", "do", "else"};
    const struct pm_token *last = &tokens->last[0];
    if (last->kind == PM_TOKEN_END) return true;
    if (last->kind == PM_TOKEN_TEXT) return false;
    if (last->kind == PM_TOKEN_WORD) {
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
            if (pm_token_is(tokens, last, words[i])) return true;
        return false;
    }
    char c = tokens->text.bytes[last->start];
    if (c == ')') return tokens->closed.keyword;
    return c != ']' && c != '}';
}

/* ------------------------------------------------------------------ brackets */

static bool is_control(const struct pm_tokens *tokens, const struct pm_token *word) {
    static const char *const words[] = {"if", "for", "while", "switch", "catch", "with", "await"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (pm_token_is(tokens, word, words[i])) return true;
    return false;
}

/* `name = (`, `name: function (`, `name = async (`: the name. */
static struct pm_token assigned_name(const struct pm_tokens *tokens) {
    unsigned i = 0;
    while (i < 2 && (pm_token_is(tokens, &tokens->last[i], "async") ||
                     pm_token_is(tokens, &tokens->last[i], "function")))
        i++;
    bool assigned = pm_token_is(tokens, &tokens->last[i], "=") || pm_token_is(tokens, &tokens->last[i], ":");
    return assigned && tokens->last[i + 1].kind == PM_TOKEN_WORD ? tokens->last[i + 1] : (struct pm_token){0};
}

static void open_brace(struct pm_tokens *tokens, struct pm_script_block *block) {
    if (tokens->class_head) {
        block->is_class = true;
        block->start = tokens->class_start;
        block->name = tokens->class_name;
        tokens->class_head = false;
    } else if (pm_token_is(tokens, &tokens->last[0], "=>")) {
        block->is_function = true;
        block->name = tokens->arrow_name;
    } else if (pm_token_is(tokens, &tokens->last[0], ")") && !tokens->closed.keyword) {
        block->is_function = true;
        block->name = tokens->closed.before;
        bool anonymous = block->name.kind != PM_TOKEN_WORD || pm_token_is(tokens, &block->name, "function");
        if (anonymous) block->name = tokens->closed.assigned;
    }
}

static void open_bracket(struct pm_tokens *tokens, char bracket) {
    struct pm_script_block block = {.bracket = bracket, .start = tokens->token.start};
    block.number = ++tokens->blocks_seen;
    if (bracket == '{') open_brace(tokens, &block);
    if (bracket == '(') {
        block.before = tokens->last[0].kind == PM_TOKEN_WORD ? tokens->last[0] : (struct pm_token){0};
        block.keyword = is_control(tokens, &block.before);
        block.assigned = assigned_name(tokens);
    }
    if (tokens->blocks.count >= MOST_DEPTH || !pm_vec_push(&tokens->blocks, block))
        tokens->at = tokens->text.length;
}

static void close_bracket(struct pm_tokens *tokens) {
    if (!tokens->blocks.count) return;
    tokens->closed = tokens->blocks.items[--tokens->blocks.count];
    if (tokens->closed.bracket == '`' && skip_template(tokens)) open_bracket(tokens, '`');
}

static void note_heads(struct pm_tokens *tokens) {
    struct pm_token *token = &tokens->token;
    if (pm_token_is(tokens, token, "=>")) {
        bool list = pm_token_is(tokens, &tokens->last[0], ")");
        bool single = tokens->last[0].kind == PM_TOKEN_WORD && pm_token_is(tokens, &tokens->last[1], "=");
        tokens->arrow_name = list ? tokens->closed.assigned : single ? tokens->last[2] : (struct pm_token){0};
    }
    if (token->kind != PM_TOKEN_WORD) return;
    if (pm_token_is(tokens, token, "class") && !pm_token_is(tokens, &tokens->last[0], ".")) {
        tokens->class_head = true;
        tokens->class_start = token->start;
        tokens->class_name = (struct pm_token){0};
        if (pm_token_is(tokens, &tokens->last[0], "=")) tokens->class_name = tokens->last[1];
    } else if (tokens->class_head && pm_token_is(tokens, &tokens->last[0], "class") &&
               !pm_token_is(tokens, token, "extends")) {
        tokens->class_name = *token;
    }
}

bool pm_tokens_next(struct pm_tokens *tokens) {
    if (tokens->token.kind != PM_TOKEN_END) {
        memmove(&tokens->last[1], &tokens->last[0], 3 * sizeof(tokens->last[0]));
        tokens->last[0] = tokens->token;
    }
    bool new_line = skip_blanks(tokens);
    struct pm_token *token = &tokens->token;
    *token = (struct pm_token){.kind = PM_TOKEN_END, .start = tokens->at, .new_line = new_line};
    if (tokens->at >= tokens->text.length) return token->end = tokens->at, false;
    char c = tokens->text.bytes[tokens->at];
    token->kind = PM_TOKEN_PUNCTUATION;
    if (is_word(c)) {
        token->kind = PM_TOKEN_WORD;
        while (is_word(at(tokens, tokens->at))) tokens->at++;
    } else if (c == '"' || c == '\'') {
        token->kind = PM_TOKEN_TEXT;
        skip_string(tokens, c);
    } else if (c == '`') {
        token->kind = PM_TOKEN_TEXT;
        tokens->at++;
        if (skip_template(tokens)) open_bracket(tokens, '`');
    } else if (c == '/' && starts_regexp(tokens)) {
        token->kind = PM_TOKEN_TEXT;
        skip_regexp(tokens);
    } else {
        /* => == === != <= >= are one token each, so that = alone is an assignment. */
        size_t length = 1;
        if (strchr("=!<>", c) &&
            (at(tokens, tokens->at + 1) == '=' || (c == '=' && at(tokens, tokens->at + 1) == '>')))
            length = 2 + (at(tokens, tokens->at + 2) == '=');
        tokens->at += length;
    }
    if (tokens->at > tokens->text.length) tokens->at = tokens->text.length;
    token->end = tokens->at;
    note_heads(tokens);
    if (token->kind == PM_TOKEN_PUNCTUATION) {
        if (c == '{' || c == '(' || c == '[') open_bracket(tokens, c);
        if (c == '}' || c == ')' || c == ']') close_bracket(tokens);
    }
    return true;
}

const struct pm_script_block *pm_tokens_function(const struct pm_tokens *tokens) {
    for (size_t i = tokens->blocks.count; i > 0; i--)
        if (tokens->blocks.items[i - 1].is_function) return &tokens->blocks.items[i - 1];
    return NULL;
}
