#include "parsers/demangle.h"

#include <ctype.h>
#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "postmortem/base/strbuf.h"

#define MAX_MANGLED   (16 << 10) /* libiberty stops at 1,024 characters by itself */
#define MAX_DEMANGLED (16 << 10) /* a hostile name of 100 characters can demangle to gigabytes */

/* ------------------------------------------------------------------ libiberty */

struct demangled {
    struct pm_strbuf text;
    jmp_buf too_long;
};

static void take_text(const char *text, size_t length, void *context) {
    struct demangled *result = context;
    pm_strbuf_append_bytes(&result->text, text, length);
    if (result->text.failed || result->text.length > MAX_DEMANGLED) longjmp(result->too_long, 1);
}

/* libiberty has no limit for its output; its callback forms allocate nothing but stack, so they can be left
 * half-way. */
static bool demangle(const char *name, struct demangled *result) {
    if (setjmp(result->too_long)) return false;
    if (strncmp(name, "_R", 2) == 0)
        return rust_demangle_callback(name, DMGL_RUST, take_text, result) && result->text.length;
    if (strncmp(name, "_ZN", 3) == 0 && rust_demangle_callback(name, DMGL_RUST, take_text, result))
        return true;
    pm_strbuf_clear(&result->text);
    return cplus_demangle_v3_callback(name, DMGL_ANSI, take_text, result) && result->text.length;
}

/* ------------------------------------------------------------------ the path of names
 *
 *     _Z N K 2v8 8internal 4Heap 7Collect I...E E v       v8::internal::Heap::Collect
 *        |   |---- source names: length, text ---|  '---- parameters
 *        nested name, ends with E         '--- template arguments: skipped */

struct reader {
    const char *at;
    struct pm_strbuf text;
    const char *last; /* the last source name: constructors are called like their class */
    size_t last_length;
};

static bool take(struct reader *r, const char *letters) {
    size_t length = strlen(letters);
    if (strncmp(r->at, letters, length) != 0) return false;
    r->at += length;
    return true;
}

/* digits, then as many characters */
static bool source_name(struct reader *r, const char **name_ret, size_t *length_ret) {
    size_t length = 0;
    if (!isdigit((unsigned char)*r->at)) return false;
    while (isdigit((unsigned char)*r->at) && length < MAX_MANGLED)
        length = length * 10 + (size_t)(*r->at++ - '0');
    if (length == 0 || strnlen(r->at, length) < length) return false;
    *name_ret = r->at;
    *length_ret = length;
    r->at += length;
    return true;
}

/* digits and capitals up to an underscore: what stands behind S, T, Ut, fp */
static bool sequence(struct reader *r) {
    while (isdigit((unsigned char)*r->at) || isupper((unsigned char)*r->at)) r->at++;
    return take(r, "_");
}

/* Template arguments are skipped: read only so far as to know what an E belongs to. Each open one is a letter
 * on a stack. */
enum { MOST_OPEN = 200, OPEN_LITERAL = 'L', OPEN_LAMBDA = 'U', OPEN_OTHER = 'E' };

struct nesting {
    char open[MOST_OPEN];
    unsigned depth;
};

static bool nest(struct nesting *n, char kind) {
    if (n->depth == MOST_OPEN) return false;
    n->open[n->depth++] = kind;
    return true;
}

static void skip_value(struct reader *r) {
    take(r, "n");
    while (isdigit((unsigned char)*r->at) || (*r->at >= 'a' && *r->at <= 'f')) r->at++;
}

/* Behind "L": a type and a number, Li5E; an enumerator, LN3foo3barE5E; something with an address, L_Z3foovE.
 */
static bool skip_literal(struct reader *r, struct nesting *n) {
    const char *name;
    size_t length;
    if (!nest(n, *r->at == 'N' ? OPEN_LITERAL : OPEN_OTHER)) return false;
    if (*r->at == 'N' || take(r, "_Z")) return true;
    if (isdigit((unsigned char)*r->at)) {
        if (!source_name(r, &name, &length)) return false;
    } else if (take(r, "St")) {
        if (!source_name(r, &name, &length)) return false;
    } else if (take(r, "S") || take(r, "T")) {
        if (!sequence(r)) return false;
    } else if (take(r, "Dn") || take(r, "Pv")) {
        /* nullptr */
    } else if (islower((unsigned char)*r->at)) {
        r->at++;
    } else {
        return true; /* another type: its parts come next */
    }
    skip_value(r);
    return true;
}

static void close_nested(struct reader *r, struct nesting *n) {
    char kind = n->open[--n->depth];
    if (kind == OPEN_LAMBDA) sequence(r);                                 /* UlvE0_ */
    if (n->depth && n->open[n->depth - 1] == OPEN_LITERAL) skip_value(r); /* the enumerator's value */
}

static bool skip_template_parameter(struct reader *r) { /* T_, T0_, TL0_1_; Tn and the like declare one */
    if (take(r, "n") || take(r, "y") || take(r, "t") || take(r, "k") || take(r, "p")) return true;
    if (take(r, "L") && !sequence(r)) return false;
    return sequence(r);
}

/* Anything that is no name and opens nothing: types, qualifiers, operators of one letter or two. */
static bool skip_letters(struct reader *r) {
    if (take(r, "fp") || take(r, "Ut")) return sequence(r);
    if (take(r, "A") || take(r, "Dv")) { /* the size of an array */
        if (isdigit((unsigned char)*r->at)) return sequence(r);
        return true;
    }
    if ((*r->at == 'C' || *r->at == 'D') && isdigit((unsigned char)r->at[1]))
        r->at++;                                                    /* constructor, destructor */
    if (*r->at == '_' && isdigit((unsigned char)r->at[1])) r->at++; /* the second local of a name */
    if (!*r->at || (!isalnum((unsigned char)*r->at) && *r->at != '_')) return false;
    r->at++;
    return true;
}

static bool skip_arguments(struct reader *r) {
    static const char *const opening[] = {"I",  "J",  "X",  "N",  "F",  "Z", "DT",
                                          "Dt", "cl", "il", "tl", "rq", "rQ"};
    struct nesting n = {.depth = 0};
    const char *name;
    size_t length;
    bool fine = nest(&n, OPEN_OTHER);
    while (fine && n.depth > 0) {
        if (take(r, "E")) {
            close_nested(r, &n);
        } else if (isdigit((unsigned char)*r->at)) {
            fine = source_name(r, &name, &length);
        } else if (take(r, "sr")) { /* a member: of sr3stdE, or of a type, whose parts come next */
            fine = !isdigit((unsigned char)*r->at) || nest(&n, OPEN_OTHER);
        } else if (take(r, "Ul")) {
            fine = nest(&n, OPEN_LAMBDA);
        } else if (take(r, "L")) {
            fine = isdigit((unsigned char)*r->at) && n.open[n.depth - 1] == 'N'
                       ? source_name(r, &name, &length)
                       : skip_literal(r, &n);
        } else if (take(r, "T")) {
            fine = skip_template_parameter(r);
        } else if (take(r, "S")) {
            fine = islower((unsigned char)*r->at) ? r->at++ != NULL : sequence(r);
        } else {
            size_t i = 0, count = sizeof(opening) / sizeof(*opening);
            while (i < count && !take(r, opening[i])) i++;
            fine = i < count ? nest(&n, opening[i][0] == 'N' ? 'N' : OPEN_OTHER) : skip_letters(r);
        }
    }
    return fine;
}

static void put(struct reader *r, const char *text, size_t length) {
    if (r->text.length) pm_strbuf_append(&r->text, "::");
    pm_strbuf_append_bytes(&r->text, text, length);
}

static bool put_source_name(struct reader *r) {
    take(r, "L"); /* internal linkage */
    if (!source_name(r, &r->last, &r->last_length)) return false;
    if (r->last_length > 8 && strncmp(r->last, "_GLOBAL__N", 10) == 0)
        put(r, "(anonymous namespace)", 21);
    else
        put(r, r->last, r->last_length);
    return true;
}

static bool put_operator(struct reader *r) {
    static const char *const names[][2] = {
        {"cl", "operator()"}, {"ix", "operator[]"},   {"eq", "operator=="},     {"ne", "operator!="},
        {"lt", "operator<"},  {"ls", "operator<<"},   {"aS", "operator="},      {"de", "operator*"},
        {"pt", "operator->"}, {"nw", "operator new"}, {"dl", "operator delete"}};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (!take(r, names[i][0])) continue;
        put(r, names[i][1], strlen(names[i][1]));
        return true;
    }
    return false;
}

/* One part of a nested name; false at its end or where it is not understood. */
static bool put_part(struct reader *r) {
    const char *name;
    size_t length;
    if (isdigit((unsigned char)*r->at) || (*r->at == 'L' && isdigit((unsigned char)r->at[1])))
        return put_source_name(r);
    if (take(r, "St")) {
        put(r, "std", 3);
        return true;
    }
    if (take(r, "I")) return skip_arguments(r);
    if (take(r, "B")) return source_name(r, &name, &length); /* an ABI tag */
    if (r->last && (*r->at == 'C' || *r->at == 'D') && isdigit((unsigned char)r->at[1])) {
        put(r, "~", *r->at == 'D');
        pm_strbuf_append_bytes(&r->text, r->last, r->last_length);
        r->at += 2;
        return true;
    }
    return put_operator(r);
}

static bool read_name(struct reader *r) {
    bool local = false;
    while (take(r, "Z")) local = true; /* inside a function: that one's name is told */
    if (take(r, "N")) {
        while (*r->at && strchr("rVKRO", *r->at)) r->at++;
        while (put_part(r)) {
        }
        if (*r->at != 'E') return false;
    } else {
        if (take(r, "St")) put(r, "std", 3);
        if (!put_source_name(r)) return false;
    }
    if (local) put(r, "{local}", 7);
    return r->text.length > 0;
}

char *pm_demangle_path(const char *name) {
    struct reader r = {0};
    if (strncmp(name, "_Z", 2) != 0 || strnlen(name, MAX_MANGLED) == MAX_MANGLED) return NULL;
    r.at = name + 2;
    char *text = read_name(&r) ? pm_strbuf_take(&r.text) : NULL;
    pm_strbuf_deinit(&r.text);
    return text;
}

/* ------------------------------------------------------------------ both */

/* "uv__run.isra.0", "read@@GLIBC_2.2.5": one function for the reader. */
static void cut_suffix(char *text) {
    static const char *const suffixes[] = {".isra.", ".constprop.", ".part.",  ".cold", ".lto_priv.",
                                           ".llvm.", ".localalias", ".clone.", "@"};
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
        char *at = strstr(text, suffixes[i]);
        if (at && at > text) *at = 0;
    }
}

char *pm_demangle(const char *name) {
    bool mangled = name[0] == '_' && (name[1] == 'Z' || name[1] == 'R');
    char *text = NULL;
    if (mangled && strnlen(name, MAX_MANGLED) < MAX_MANGLED) {
        struct demangled result = {0};
        if (demangle(name, &result)) text = pm_strbuf_take(&result.text);
        pm_strbuf_deinit(&result.text);
        char *clone = text ? strstr(text, " [clone ") : NULL;
        if (clone) *clone = 0;
        if (!text) text = pm_demangle_path(name);
    }
    if (text) return text;
    text = strdup(name);
    if (text) cut_suffix(text);
    return text;
}
