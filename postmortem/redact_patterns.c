#define PCRE2_CODE_UNIT_WIDTH 8
#include "postmortem/redact_patterns.h"

#include <pcre2.h>
#include <string.h>

#include "postmortem/base/cleanup.h"

/* Hostile texts must not keep the matcher busy: about 10 ms at most for one text. */
#define MATCH_LIMIT 200000
#define DEPTH_LIMIT 2000
#define HEAP_LIMIT  4096 /* KiB */
#define JIT_STACK   (256 * 1024)

/* Names that stand before a secret. Matched anywhere in the name, whatever the case. */
#define SECRET_NAMES                                                                                         \
    "passw(?:or)?d|passwd|passphrase|pwd|secret|token|api[-_.]?key|access[-_.]?key|account[-_.]?key|"        \
    "private|priv[-_.]?key|signing|encryption[-_.]?key|client[-_.]?key|credential|session[-_.]?id|"          \
    "connect\\.sid|cookie|authorization|(?<![a-z])auth(?![a-z])|bearer|jwt|webhook|signature|"               \
    "vcap_services|connection[-_.]?string|conn[-_.]?str|dsn|database[-_.]?url|(?:mongo|redis|postgres|"      \
    "mysql|amqp)"                                                                                            \
    "(?:db|ql)?[-_.]?(?:ur[il]|conn)|(?<![a-z])(?:pw|pass|key|sig|sas|salt)(?![a-z])"

static const char key_pattern[] = SECRET_NAMES;
/* A word with such a name in it that is no file of JavaScript. */
#define SECRET_WORD                                                                                          \
    "[\\w.-]{0,60}?(?:" SECRET_NAMES ")[\\w.-]{0,60}(?<!\\.js|\\.ts|\\.[mc]js|\\.[mc]ts|\\.jsx|\\.tsx)"

/* Group 1 stays before, group 2 is hidden, group 3 stays behind. */
struct pattern {
    const char *text;
    const char *instead;
    bool fixed; /* of fixed spelling: upper and lower case matter, which gives fewer false alarms */
};

static const struct pattern secrets[] = {
    /* a private key, also when its end was cut off */
    {"()(-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: "
     "BLOCK)?-----|\\z))()",
     PM_HIDDEN, false},
    /* scheme://user:password@host; also ://:password@ and ://token@ */
    {"(\\b[a-z][a-z0-9+.-]{1,30}://)([^\\s/'\"<>]{1,1000})(@)", PM_HIDDEN, false},
    /* a JSON Web Token */
    {"()(\\beyJ[A-Za-z0-9_-]{6,}\\.[A-Za-z0-9_-]{6,}(?:\\.[A-Za-z0-9_-]*)?)()", PM_HIDDEN, false},
    /* headers whose whole value is secret */
    {"(\\b(?:set-cookie2?|cookie|authorization|proxy-authorization)\\\\?[\"']?\\s{0,4}[=:]>?\\s{0,4}\\\\?[\"'"
     "]?)"
     "([^\\r\\n\"']{1,4000})()",
     PM_HIDDEN, false},
    {"(\\b(?:bearer|basic|digest|negotiate)\\s{1,8})([A-Za-z0-9._~+/=-]{6,})()", PM_HIDDEN, false},
    /* tokens that say what they are: AWS, GitHub, GitLab, Slack, Google, npm, Stripe, SendGrid, OpenAI-like,
       PyPI, Vault */
    {"()(\\b(?:AKIA|ASIA|AGPA|AIDA|AROA|AIPA|ANPA|ANVA|ABIA|ACCA)[A-Z0-9]{12,})()", PM_HIDDEN, true},
    {"()(\\b(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,}|glpat-[A-Za-z0-9_-]{16,}|xox[abeoprs]-"
     "["
     "A-Za-z0-9-]{8,}|"
     "xapp-[A-Za-z0-9-]{8,}|AIza[0-9A-Za-z_-]{30,}|ya29\\.[0-9A-Za-z_-]{16,}|npm_[A-Za-z0-9]{24,}|"
     "[srp]k_(?:live|test)_[A-Za-z0-9]{8,}|whsec_[A-Za-z0-9]{8,}|SG\\.[A-Za-z0-9_-]{16,}\\.[A-Za-z0-9_-]{16,}"
     "|"
     "sk-[A-Za-z0-9_-]{16,}|pypi-[A-Za-z0-9_-]{16,}|hv[sb]\\.[A-Za-z0-9_-]{16,}|dop_v1_[a-f0-9]{32,}))()",
     PM_HIDDEN, true},
    /* name="value with spaces", also "name" => "value" and \"name\":\"value\" */
    {"(" SECRET_WORD "\\\\?[\"'`]?\\s{0,4}[=:]>?\\s{0,4}\\\\?\")([^\"\\\\]{1,4000})()", PM_HIDDEN, false},
    {"(" SECRET_WORD "\\\\?[\"'`]?\\s{0,4}[=:]>?\\s{0,4}\\\\?')([^'\\\\]{1,4000})()", PM_HIDDEN, false},
    /* name=value, name: value */
    {"(" SECRET_WORD "\\\\?[\"'`]?\\s{0,4}[=:]>?\\s{0,4}\\\\?[\"']?)([^\\s\"'&,;}]{1,4000})()", PM_HIDDEN,
     false},
    /* --name value */
    {"(--?[\\w-]{0,40}?(?:" SECRET_NAMES ")[\\w-]{0,40}\\s{1,4})([^\\s-][^\\s]{0,4000})()", PM_HIDDEN, false},
    /* an AWS secret key: 40 characters of base64 that are no hash and no path */
    {"()((?<![A-Za-z0-9/+=_.-])(?=[A-Za-z0-9/+]{0,39}[A-Z])(?=[A-Za-z0-9/+]{0,39}[a-z])(?=[A-Za-z0-9/"
     "+]{0,39}[0-9])"
     "(?!/)[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=_.-]))()",
     PM_HIDDEN, true},
};

/* A name of the network: with an inner domain; with a public one only when it has three parts or a port
 * (socket.io is a package). */
#define LABEL "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?"
#define INNER_DOMAIN                                                                                         \
    "internal|intranet|intra|local|localdomain|lan|corp|home|private|svc|cluster|consul|compute|arpa"
#define TOP_DOMAIN                                                                                           \
    "com|net|org|io|dev|cloud|app|co|info|biz|edu|gov|eu|uk|de|fr|ch|at|nl|be|it|es|pl|se|no|fi|dk|cz|us|"   \
    "ca|au|nz|jp|cn|in|br|ru|za|sg|hk|kr|tw|il|ie|pt|gr|tr|ua|mx|ar|tech|systems|network|host|online|site|"  \
    "example|test|invalid"
#define SIX     "(?:[0-9a-f]{1,4}:)"
#define SIX_END "(?:[0-9a-f]{1,4})"

static const struct pattern identities[] = {
    /* home folders: at the beginning of a path, and inside of one */
    {"()((?<![\\w./~-])/(?:home|Users|export/home|var/home|usr/home)/[^/\\s'\"`<>:;,()]{1,200}|(?<![\\w./"
     "~-])/root(?![\\w.-]))()",
     "~", true},
    {"(/(?:home|Users)/)([^/\\s'\"`<>:;,()]{1,200})()", "(user)", true},
    {"(\\b[a-z]:[\\\\/]{1,2}Users[\\\\/]{1,2})([^\\\\/\\s'\"`<>:;,()]{1,200})()", "(user)", false},
    /* host and port of a URL; what came before an @ was hidden as a secret */
    {"(\\b[a-z][a-z0-9+.-]{1,30}://(?:\\[redacted\\]@)?)([^/\\s'\"`<>()]{1,500})()", PM_HIDDEN_HOST, false},
    {"()((?<![/\\w.+-])[\\w.+-]{1,64}@[a-z][\\w-]{0,62}(?:\\.[\\w-]{1,63}){0,8}\\.[a-z]{2,24}\\b)()",
     PM_HIDDEN_HOST, false},
    {"()(\\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\\b(?!:))()", PM_HIDDEN_HOST, false},
    {"()((?<![\\w./@-])(?:" LABEL "\\.){1,10}(?:" INNER_DOMAIN ")(?![\\w-])(?!\\.[a-z]))()", PM_HIDDEN_HOST,
     false},
    {"()((?<![\\w./@-])(?:" LABEL "\\.){2,10}(?:" TOP_DOMAIN ")(?![\\w-])(?!\\.[a-z]))()", PM_HIDDEN_HOST,
     false},
    {"()((?<![\\w./@-])(?:" LABEL "\\.){1,10}(?:" TOP_DOMAIN "))(:\\d{2,5}\\b(?!:))", PM_HIDDEN_HOST, false},
    {"(\\b(?:ENOTFOUND|EAI_AGAIN|EAI_[A-Z]{4,10})\\s{1,4})([\\w.:-]{1,255})()", PM_HIDDEN_HOST, true},
    {"(\\b(?:ECONN[A-Z]{5,7}|ETIMEDOUT|EHOST[A-Z]{4,7}|ENETUNREACH|EADDR[A-Z]{5,9})[:\\s]{1,4}(?:address "
     "already in use )?)"
     "([\\w.-]{1,255})(:\\d)",
     PM_HIDDEN_HOST, true},
};
static const struct pattern addresses[] = {
    {"()((?<![\\w.])(?<!V8 "
     ")(?:(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)\\.){3}(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)(?![\\w-])(?!\\.\\d))()",
     PM_HIDDEN_HOST, true},
    {"()((?<![\\w:.])(?:" SIX "{7}" SIX_END "|" SIX "{1,7}:(?:" SIX_END "(?::" SIX_END "){0,6})?|::" SIX
     "{0,6}" SIX_END ")(?:%[\\w.-]{1,20})?(?![\\w:]))()",
     PM_HIDDEN_HOST, false},
};

#define COUNT(list)   (sizeof(list) / sizeof((list)[0]))
#define MOST_PATTERNS COUNT(secrets)

struct compiled {
    const struct pattern *patterns;
    pcre2_code *codes[MOST_PATTERNS];
    size_t count;
};

struct pm_patterns {
    pcre2_code *key;
    struct compiled secrets, identities, addresses;
    pcre2_match_context *context;
    pcre2_match_data *match;
    pcre2_jit_stack *stack;
};
_Static_assert(COUNT(identities) <= MOST_PATTERNS, "room for each list");

static struct pm_error *compile(const char *pattern, bool fixed, pcre2_code **ret) {
    int code;
    PCRE2_SIZE where;
    uint32_t options = PCRE2_DOTALL | (fixed ? 0 : PCRE2_CASELESS);
    *ret = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, options, &code, &where, NULL);
    if (*ret) {
        pcre2_jit_compile(*ret, PCRE2_JIT_COMPLETE); /* where there is no JIT the interpreter does */
        return NULL;
    }
    PCRE2_UCHAR text[128] = "";
    pcre2_get_error_message(code, text, sizeof(text));
    return pm_error_create(PM_ERR_FORMAT, "redaction pattern at %zu: %s", (size_t)where, (const char *)text);
}

static struct pm_error *compile_all(const struct pattern *patterns, size_t count, struct compiled *ret) {
    ret->patterns = patterns;
    for (; ret->count < count; ret->count++)
        PM_TRY(compile(patterns[ret->count].text, patterns[ret->count].fixed, &ret->codes[ret->count]));
    return NULL;
}

static void free_all(struct compiled *compiled) {
    for (size_t i = 0; i < compiled->count; i++) pcre2_code_free(compiled->codes[i]);
}

PM_DEFINE_AUTO(patterns, struct pm_patterns, pm_patterns_destroy)

struct pm_error *pm_patterns_create(bool identity, struct pm_patterns **ret) {
    struct pm_patterns *patterns PM_AUTO(patterns) = calloc(1, sizeof(*patterns));
    if (!patterns) return pm_error_nomem();
    PM_TRY(compile(key_pattern, false, &patterns->key));
    PM_TRY(compile_all(secrets, COUNT(secrets), &patterns->secrets));
    if (identity) PM_TRY(compile_all(identities, COUNT(identities), &patterns->identities));
    if (identity) PM_TRY(compile_all(addresses, COUNT(addresses), &patterns->addresses));
    patterns->context = pcre2_match_context_create(NULL);
    patterns->match = pcre2_match_data_create(8, NULL);
    if (!patterns->context || !patterns->match) return pm_error_nomem();
    pcre2_set_match_limit(patterns->context, MATCH_LIMIT);
    pcre2_set_depth_limit(patterns->context, DEPTH_LIMIT);
    pcre2_set_heap_limit(patterns->context, HEAP_LIMIT);
    patterns->stack = pcre2_jit_stack_create(32 * 1024, JIT_STACK, NULL);
    if (patterns->stack) pcre2_jit_stack_assign(patterns->context, NULL, patterns->stack);
    *ret = PM_TAKE(patterns);
    return NULL;
}

void pm_patterns_destroy(struct pm_patterns *patterns) {
    if (!patterns) return;
    pcre2_code_free(patterns->key);
    free_all(&patterns->secrets);
    free_all(&patterns->identities);
    free_all(&patterns->addresses);
    pcre2_match_data_free(patterns->match);
    pcre2_match_context_free(patterns->context);
    pcre2_jit_stack_free(patterns->stack);
    free(patterns);
}

bool pm_patterns_is_key(const struct pm_patterns *patterns, const char *name) {
    int found =
        pcre2_match(patterns->key, (PCRE2_SPTR)name, strlen(name), 0, 0, patterns->match, patterns->context);
    return found != PCRE2_ERROR_NOMATCH; /* a limit that bites counts as a secret */
}

/* Replaces every match of one pattern. false = a limit bit. */
static bool replace_all(const struct pm_patterns *patterns, const pcre2_code *code, const char *instead,
                        struct pm_strbuf *text) {
    struct pm_strbuf out PM_AUTO_STRBUF = {0};
    const char *bytes = pm_strbuf_text(text);
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(patterns->match);
    size_t position = 0;
    for (;;) {
        int found = pcre2_match(code, (PCRE2_SPTR)bytes, text->length, position, 0, patterns->match,
                                patterns->context);
        if (found == PCRE2_ERROR_NOMATCH) break;
        if (found < 4) return false;
        pm_strbuf_append_bytes(&out, bytes + position, at[4] - position); /* up to group 2 */
        pm_strbuf_append(&out, instead);
        position = at[5]; /* never empty: every group 2 takes a byte */
    }
    if (!position) return !out.failed;
    pm_strbuf_append_bytes(&out, bytes + position, text->length - position);
    if (out.failed) return false;
    pm_strbuf_deinit(text);
    *text = out;
    out = (struct pm_strbuf){0};
    return true;
}

static bool replace_list(const struct pm_patterns *patterns, const struct compiled *list,
                         struct pm_strbuf *text) {
    for (size_t i = 0; i < list->count; i++)
        if (text->failed || !replace_all(patterns, list->codes[i], list->patterns[i].instead, text))
            return false;
    return !text->failed;
}

/* Every secret has one of these marks: most texts have none, and need no pattern. Tokens are at least 13
 * characters in a row
 * ("xoxb-" and eight more) that no word of a language makes. */
static bool may_be_secret(const char *text, size_t length) {
    enum { SHORTEST_TOKEN = 13 };
    size_t run = 0;
    bool strange = false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        bool digit = c >= '0' && c <= '9', upper = c >= 'A' && c <= 'Z', lower = c >= 'a' && c <= 'z';
        run = digit || upper || lower || c == '_' || c == '-' || c == '+' ? run + 1 : 0;
        strange = run && (strange || digit || upper);
        if ((run >= SHORTEST_TOKEN && strange) || c == '=' || c == ':' || c == '@' || c == ' ') return true;
    }
    return false;
}

bool pm_patterns_secrets(const struct pm_patterns *patterns, struct pm_strbuf *text) {
    if (!may_be_secret(pm_strbuf_text(text), text->length)) return !text->failed;
    return replace_list(patterns, &patterns->secrets, text);
}

bool pm_patterns_identity(const struct pm_patterns *patterns, bool with_addresses, struct pm_strbuf *text) {
    return replace_list(patterns, &patterns->identities, text) &&
           (!with_addresses || replace_list(patterns, &patterns->addresses, text));
}
