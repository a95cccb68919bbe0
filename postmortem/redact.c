#define PCRE2_CODE_UNIT_WIDTH 8
#include "postmortem/redact.h"

#include <pcre2.h>
#include <string.h>

#include "postmortem/base/strbuf.h"
#include "postmortem/model/gc_log.h"
#include "postmortem/model/heap_answers.h"
#include "postmortem/redact_report.h"

#define HIDDEN      "[redacted]"
#define NAME_HIDDEN "(name hidden)"

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

/* In a value: group 1 stays before, group 2 is hidden, group 3 stays behind. */
static const char *const value_patterns[] = {
    /* a private key, also when its end was cut off */
    "()(-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|\\z))()",
    /* scheme://user:password@host; also ://:password@ and ://token@ */
    "(\\b[a-z][a-z0-9+.-]{1,30}://)([^\\s/@'\"<>]{1,1000})(@)",
    /* a JSON Web Token */
    "()(\\beyJ[A-Za-z0-9_-]{6,}\\.[A-Za-z0-9_-]{6,}(?:\\.[A-Za-z0-9_-]*)?)()",
    /* Authorization headers */
    "(\\b(?:bearer|basic|digest|negotiate)\\s{1,8})([A-Za-z0-9._~+/=-]{6,})()",
    /* tokens that say what they are: AWS, GitHub, GitLab, Slack, Google, npm, Stripe, SendGrid, OpenAI-like,
       PyPI, Vault */
    "()(\\b(?:AKIA|ASIA|AGPA|AIDA|AROA|AIPA|ANPA|ANVA|ABIA|ACCA)[A-Z0-9]{12,})()",
    "()(\\b(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,}|glpat-[A-Za-z0-9_-]{16,}|xox[abeoprs]-["
    "A-Za-z0-9-]{8,}|"
    "xapp-[A-Za-z0-9-]{8,}|AIza[0-9A-Za-z_-]{30,}|ya29\\.[0-9A-Za-z_-]{16,}|npm_[A-Za-z0-9]{24,}|"
    "[srp]k_(?:live|test)_[A-Za-z0-9]{8,}|whsec_[A-Za-z0-9]{8,}|SG\\.[A-Za-z0-9_-]{16,}\\.[A-Za-z0-9_-]{16,}|"
    "sk-[A-Za-z0-9_-]{16,}|pypi-[A-Za-z0-9_-]{16,}|hv[sb]\\.[A-Za-z0-9_-]{16,}|dop_v1_[a-f0-9]{32,}))()",
    /* name=value, name: value, "name":"value", --name value inside one text */
    "([\\w.-]{0,60}?(?:" SECRET_NAMES ")[\\w.-]{0,60}(?<!\\.js|\\.ts|\\.[mc]js|\\.[mc]ts|\\.jsx|\\.tsx)[\"']?"
    "\\s{0,4}[=:]\\s{0,4}[\"']?)([^\\s\"'&,;}]{1,4000})()",
    "(--?[\\w-]{0,40}?(?:" SECRET_NAMES ")[\\w-]{0,40}\\s{1,4})([^\\s-][^\\s]{0,4000})()",
    /* an AWS secret key: 40 characters of base64 that are no hash and no path */
    "()((?<![A-Za-z0-9/+=_.-])(?=[A-Za-z0-9/+]{0,39}[A-Z])(?=[A-Za-z0-9/+]{0,39}[a-z])(?=[A-Za-z0-9/"
    "+]{0,39}[0-9])"
    "(?!/)[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=_.-]))()",
};
#define VALUE_PATTERNS (sizeof(value_patterns) / sizeof(value_patterns[0]))

struct pm_redactor {
    enum pm_redaction level;
    pcre2_code *key, *values[VALUE_PATTERNS];
    pcre2_match_context *context;
    pcre2_match_data *match;
    pcre2_jit_stack *stack;
};

static struct pm_error *compile(const char *pattern, uint32_t extra, pcre2_code **ret) {
    int code;
    PCRE2_SIZE where;
    *ret =
        pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_DOTALL | extra, &code, &where, NULL);
    if (*ret) {
        pcre2_jit_compile(*ret, PCRE2_JIT_COMPLETE); /* where there is no JIT the interpreter does */
        return NULL;
    }
    PCRE2_UCHAR text[128] = "";
    pcre2_get_error_message(code, text, sizeof(text));
    return pm_error_create(PM_ERR_FORMAT, "redaction pattern at %zu: %s", (size_t)where, (const char *)text);
}

struct pm_error *pm_redactor_create(enum pm_redaction level, struct pm_redactor **ret) {
    struct pm_redactor *redactor PM_AUTO(redactor) = calloc(1, sizeof(*redactor));
    if (!redactor) return pm_error_nomem();
    redactor->level = level;
    PM_TRY(compile(key_pattern, PCRE2_CASELESS, &redactor->key));
    for (size_t i = 0; i < VALUE_PATTERNS; i++) {
        /* Formats with fixed spelling are case-sensitive: fewer false alarms. */
        bool fixed = i == 4 || i == 5 || i == VALUE_PATTERNS - 1;
        PM_TRY(compile(value_patterns[i], fixed ? 0 : PCRE2_CASELESS, &redactor->values[i]));
    }
    redactor->context = pcre2_match_context_create(NULL);
    redactor->match = pcre2_match_data_create(8, NULL);
    if (!redactor->context || !redactor->match) return pm_error_nomem();
    pcre2_set_match_limit(redactor->context, MATCH_LIMIT);
    pcre2_set_depth_limit(redactor->context, DEPTH_LIMIT);
    pcre2_set_heap_limit(redactor->context, HEAP_LIMIT);
    redactor->stack = pcre2_jit_stack_create(32 * 1024, JIT_STACK, NULL);
    if (redactor->stack) pcre2_jit_stack_assign(redactor->context, NULL, redactor->stack);
    *ret = PM_TAKE(redactor);
    return NULL;
}

void pm_redactor_destroy(struct pm_redactor *redactor) {
    if (!redactor) return;
    pcre2_code_free(redactor->key);
    for (size_t i = 0; i < VALUE_PATTERNS; i++) pcre2_code_free(redactor->values[i]);
    pcre2_match_data_free(redactor->match);
    pcre2_match_context_free(redactor->context);
    pcre2_jit_stack_free(redactor->stack);
    free(redactor);
}

bool pm_redact_is_secret_key(const struct pm_redactor *redactor, const char *key) {
    if (!key) return false;
    int found =
        pcre2_match(redactor->key, (PCRE2_SPTR)key, strlen(key), 0, 0, redactor->match, redactor->context);
    return found != PCRE2_ERROR_NOMATCH; /* a limit that bites counts as a secret */
}

/* Replaces every match of one pattern. false = a limit bit. */
static bool replace_all(const struct pm_redactor *redactor, const pcre2_code *code, struct pm_strbuf *text) {
    struct pm_strbuf out PM_AUTO_STRBUF = {0};
    const char *bytes = pm_strbuf_text(text);
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(redactor->match);
    size_t position = 0;
    for (;;) {
        int found = pcre2_match(code, (PCRE2_SPTR)bytes, text->length, position, 0, redactor->match,
                                redactor->context);
        if (found == PCRE2_ERROR_NOMATCH) break;
        if (found < 4) return false;
        pm_strbuf_append_bytes(&out, bytes + position, at[4] - position); /* up to group 2 */
        pm_strbuf_append(&out, HIDDEN);
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

const char *pm_redact_text(const struct pm_redactor *redactor, const char *text, struct pm_arena *arena) {
    if (!text || redactor->level == PM_REDACT_NONE) return text;
    struct pm_strbuf work PM_AUTO_STRBUF = {0};
    pm_strbuf_append(&work, text);
    for (size_t i = 0; i < VALUE_PATTERNS; i++)
        if (work.failed || !replace_all(redactor, redactor->values[i], &work)) return HIDDEN;
    if (!strcmp(pm_strbuf_text(&work), text)) return text;
    const char *copy = pm_arena_copy(arena, pm_strbuf_text(&work), work.length);
    return copy ? copy : HIDDEN;
}

const char *pm_redact_value(const struct pm_redactor *redactor, const char *key, const char *value,
                            struct pm_arena *arena) {
    if (!value || !*value || redactor->level == PM_REDACT_NONE) return value;
    return pm_redact_is_secret_key(redactor, key) ? HIDDEN : pm_redact_text(redactor, value, arena);
}

/* ---- a whole diagnosis ---- */

struct pass {
    const struct pm_redactor *redactor;
    struct pm_diagnosis *diagnosis;
    struct pm_arena *arena;
    bool strict, heap_strings;
};

static void hide(const struct pass *pass, const char **text) {
    *text = pm_redact_text(pass->redactor, *text, pass->arena);
}

/* "--db-password secret": the option's name stands in the argument before. */
void pm_redact_arguments(const struct pm_redactor *redactor, const char **argv, size_t count,
                         struct pm_arena *arena) {
    for (size_t i = 0; i < count; i++) {
        const char *before = i ? argv[i - 1] : NULL;
        bool value_of_secret = before && before[0] == '-' && !strchr(before, '=') && argv[i] &&
                               argv[i][0] != '-' && pm_redact_is_secret_key(redactor, before);
        if (value_of_secret)
            argv[i] = HIDDEN;
        else
            argv[i] = pm_redact_text(redactor, argv[i], arena);
    }
}

/* Where a quoted text begins: a quote that is not an apostrophe inside a word. NULL = nowhere. */
static const char *opening_quote(const char *text, const char *from) {
    for (const char *p = from; (p = strpbrk(p, "'\"")); p++)
        if (p == text || !(p[-1] == '_' || (p[-1] & 0x80) || (p[-1] >= '0' && p[-1] <= '9') ||
                           (p[-1] >= 'A' && p[-1] <= 'Z') || (p[-1] >= 'a' && p[-1] <= 'z')))
            return p;
    return NULL;
}

/* Strict: keeps what is no content of a string. Quoted parts go, whatever is in them; so does what follows an
 * open quote. */
static void hide_quoted(const struct pass *pass, const char **text) {
    struct pm_strbuf out PM_AUTO_STRBUF = {0};
    const char *p = *text, *quote;
    if (!p || !opening_quote(p, p)) return;
    while ((quote = opening_quote(*text, p))) {
        pm_strbuf_append_bytes(&out, p, (size_t)(quote - p));
        pm_strbuf_append(&out, "(string hidden)");
        /* The content may hold quotes of its own: only the last one of its kind surely ends it. */
        const char *last = strrchr(quote, *quote);
        p = last + 1;
        if (last == quote) p += strlen(p);
    }
    pm_strbuf_append(&out, p);
    const char *copy = pm_arena_copy(pass->arena, pm_strbuf_text(&out), out.length);
    *text = copy && !out.failed ? copy : HIDDEN;
}

/* A short text about a heap value. One that is all a string may have been cut before its closing quote. */
static void hide_heap_text(const struct pass *pass, const char **text) {
    if (pass->strict && *text && (**text == '"' || **text == '\'')) *text = "(string hidden)";
    if (pass->strict) hide_quoted(pass, text);
    if (pass->heap_strings) hide(pass, text);
}

/* Text that is all content of a string. */
static void hide_content(const struct pass *pass, const char **text) {
    if (pass->strict && *text)
        *text = "(string hidden)";
    else if (pass->heap_strings)
        hide(pass, text);
}

static bool is_identifier(const char *name) {
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$");
    return length && !name[length] && length <= 40 && !(name[0] >= '0' && name[0] <= '9');
}

static void hide_process(const struct pass *pass) {
    struct pm_process *process = &pass->diagnosis->process;
    pm_redact_arguments(pass->redactor, process->argv, process->argc, pass->arena);
    hide(pass, &process->title);
    for (size_t i = 0; i < process->environment_count; i++)
        process->environment[i].value = pm_redact_value(pass->redactor, process->environment[i].name,
                                                        process->environment[i].value, pass->arena);
    if (process->death == PM_DEATH_UNCAUGHT)
        hide_content(pass, &process->death_message); /* a heap string */
    else
        hide(pass, &process->death_message);
}

static void hide_threads(const struct pass *pass) {
    for (size_t i = 0; i < pass->diagnosis->thread_count; i++) {
        struct pm_thread *thread = &pass->diagnosis->threads[i];
        hide_heap_text(pass, &thread->state_detail);
        hide_content(pass, &thread->regexp);
        for (size_t k = 0; k < thread->frame_count; k++) {
            struct pm_frame *frame = &thread->frames[k];
            hide_heap_text(pass, &frame->receiver);
            for (size_t j = 0; j < frame->argument_count; j++) hide_heap_text(pass, &frame->arguments[j]);
        }
    }
}

static void hide_object(const struct pass *pass, struct pm_object_detail *object) {
    hide_content(pass, &object->text);
    hide_heap_text(pass, &object->summary);
    for (size_t i = 0; i < object->field_count; i++) {
        struct pm_object_field *field = &object->fields[i];
        bool secret = pass->heap_strings && field->name && field->value && !field->address &&
                      pm_redact_is_secret_key(pass->redactor, field->name);
        if (secret)
            field->value = HIDDEN;
        else
            hide_heap_text(pass, &field->value);
        /* Map keys and names of dictionary properties are data, too. */
        bool code = field->group != PM_FIELD_ENTRY && field->name && is_identifier(field->name);
        if (pass->strict && field->group == PM_FIELD_PROPERTY && !code)
            field->name = NAME_HIDDEN;
        else if (!code)
            hide_heap_text(pass, &field->name);
    }
}

/* What an object calls another one: code, an index, a Map's key (quoted), or a property's name, which may be
 * data. */
static void hide_reference(const struct pass *pass, const char **name) {
    static const char internal[] = " (internal)";
    if (!*name) return;
    size_t length = strlen(*name), tail = sizeof(internal) - 1;
    if (length > tail && !strcmp(*name + length - tail, internal)) return;
    bool code = is_identifier(*name) || **name == '[' || opening_quote(*name, *name);
    if (pass->strict && !code)
        *name = NAME_HIDDEN;
    else
        hide_heap_text(pass, name);
}

static void hide_heaps(const struct pass *pass) {
    for (size_t i = 0; i < pass->diagnosis->isolate_count; i++) {
        struct pm_isolate *isolate = &pass->diagnosis->isolates[i];
        for (size_t k = 0; k < isolate->dominator_count; k++) {
            hide_heap_text(pass, &isolate->dominators[k].label);
            hide_reference(pass, &isolate->dominators[k].name);
        }
    }
}

static void hide_retainer(const struct pass *pass, struct pm_retainer *retainer) {
    hide_heap_text(pass, &retainer->label);
    hide_reference(pass, &retainer->name);
}

static void hide_answers(const struct pass *pass) {
    struct pm_retention *retention = pass->diagnosis->retention;
    struct pm_string_census *strings = pass->diagnosis->strings;
    struct pm_heap_comparison *comparison = pass->diagnosis->comparison;
    if (retention) {
        hide_heap_text(pass, &retention->label);
        hide_heap_text(pass, &retention->path);
        hide_heap_text(pass, &retention->owner_path);
        hide_retainer(pass, &retention->dominator);
        for (size_t i = 0; i < retention->step_count; i++) hide_retainer(pass, &retention->steps[i]);
        for (size_t i = 0; i < retention->referrer_count; i++) hide_retainer(pass, &retention->referrers[i]);
        /* The sentences have the same names in them. */
        for (size_t i = 0; i < retention->step_count; i++)
            if (retention->steps[i].name && !strcmp(retention->steps[i].name, NAME_HIDDEN))
                retention->path = retention->owner_path = NAME_HIDDEN;
        if (retention->owner_name && pass->strict && !is_identifier(retention->owner_name) &&
            retention->owner_name[0] != '#')
            retention->owner_name = retention->owner_path = NAME_HIDDEN;
    }
    for (size_t list = 0; strings && list < PM_STRING_LISTS; list++)
        for (size_t i = 0; i < strings->lists[list].count; i++)
            hide_content(pass, &strings->lists[list].rows[i].text);
    for (size_t i = 0; comparison && i < comparison->survivor_count; i++)
        hide_heap_text(pass, &comparison->survivors[i].label);
}

static void hide_findings(const struct pass *pass) {
    for (size_t i = 0; i < pass->diagnosis->finding_count; i++) {
        struct pm_finding *finding = &pass->diagnosis->findings[i];
        hide_heap_text(pass, &finding->claim);
        hide_heap_text(pass, &finding->allocation);
        hide_heap_text(pass, &finding->title);
        hide_heap_text(pass, &finding->owner_path);
        for (size_t k = 0; k < finding->evidence_count; k++) hide_heap_text(pass, &finding->evidence[k]);
    }
}

/* A message or a line of code from a log: secrets go at every level, at strict all that is no name of an
 * error. */
static void hide_log_text(const struct pass *pass, const char **text) {
    if (pass->strict && *text)
        *text = "(string hidden)";
    else
        hide(pass, text);
}

static void hide_logs(const struct pass *pass) {
    for (size_t i = 0; i < pass->diagnosis->gc_log_count; i++) {
        struct pm_gc_log *log = pass->diagnosis->gc_logs[i];
        hide(pass, &log->fatal);
        hide(pass, &log->message);
        hide(pass, &log->worker_error);
        if (!log->error) continue;
        hide_log_text(pass, &log->error->message);
        hide_log_text(pass, &log->error->cause_message);
        hide_log_text(pass, &log->error->source);
    }
}

void pm_redact_diagnosis(const struct pm_redactor *redactor, bool heap_strings,
                         struct pm_diagnosis *diagnosis) {
    static const char *const levels[] = {"none", "default", "strict"};
    struct pass pass = {redactor, diagnosis, diagnosis->arena, redactor->level == PM_REDACT_STRICT,
                        heap_strings || redactor->level == PM_REDACT_STRICT};
    diagnosis->redaction = levels[redactor->level];
    if (redactor->level == PM_REDACT_NONE) return;
    hide_process(&pass);
    hide_threads(&pass);
    hide_findings(&pass);
    hide_logs(&pass);
    pm_redact_reports(redactor, pass.heap_strings, pass.strict, diagnosis);
    hide_heaps(&pass);
    hide_answers(&pass);
    /* The verdict quotes the thrown error's message and the state of a thread. */
    hide_heap_text(&pass, &diagnosis->verdict);
    hide(&pass, &diagnosis->verdict);
    if (diagnosis->object) hide_object(&pass, diagnosis->object);
    for (size_t i = 0; diagnosis->object_list && i < diagnosis->object_list->row_count; i++)
        hide_heap_text(&pass, &diagnosis->object_list->rows[i].summary);
}
