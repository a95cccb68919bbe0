/* script_tokens.h - the words of a JavaScript program, one after the other, with the block each stands in.
 *
 * Not a parser: it knows strings, templates, regular expressions and comments, so that nothing in them is
 * taken for code, and which braces belong to which function or class. Whatever the text, it ends; text that
 * is cut off or no JavaScript gives fewer words.
 *
 * FAILURE    no memory or too deep: the walk ends early. */
#ifndef PM_PARSERS_SCRIPT_TOKENS_H
#define PM_PARSERS_SCRIPT_TOKENS_H

#include "parsers/script_text.h"
#include "postmortem/base/vec.h"

enum pm_token_kind { PM_TOKEN_END, PM_TOKEN_WORD, PM_TOKEN_TEXT, PM_TOKEN_PUNCTUATION };

struct pm_token {
    enum pm_token_kind kind;
    size_t start, end;
    bool new_line; /* a line break stands before it */
};

/* One pair of brackets that is open. */
struct pm_script_block {
    char bracket;               /* '{', '(', '[', or '`' for the braces inside a template */
    size_t start;               /* offset of the bracket; of a class, of the word class */
    bool is_function, is_class; /* body of one */
    struct pm_token name;       /* of the function or class; kind END = none */
    struct pm_token before;     /* '(': the word before it */
    struct pm_token assigned;   /* '(': the word in front of the = or : before it */
    bool keyword;               /* '(': that of if, for, while, switch, catch */
    unsigned number;            /* no other block has it */
};

struct pm_tokens {
    struct pm_script_text text;
    size_t at;
    struct pm_token token, last[4];        /* the one at hand, and those before it: last[0] is the nearest */
    PM_VEC(struct pm_script_block) blocks; /* open ones, outermost first */
    struct pm_script_block closed;         /* the bracket that closed last */
    unsigned blocks_seen;
    bool class_head; /* between `class` and its brace */
    size_t class_start;
    struct pm_token class_name;
    struct pm_token arrow_name; /* of the arrow function whose => was the last one */
};

void pm_tokens_start(struct pm_script_text text, struct pm_tokens *ret);
bool pm_tokens_next(struct pm_tokens *tokens); /* false = the end */
void pm_tokens_end(struct pm_tokens *tokens);

bool pm_token_is(const struct pm_tokens *tokens, const struct pm_token *token, const char *text);
/* The innermost function around the word at hand: NULL = the program itself. */
const struct pm_script_block *pm_tokens_function(const struct pm_tokens *tokens);

#endif
