/* A whole diagnosis: first what there is to learn (hosts, users, values of secret variables), then text after
 * text by its kind (redact_texts.h). */
#include <string.h>

#include "postmortem/redact.h"
#include "postmortem/redact_strict.h"
#include "postmortem/redact_texts.h"

struct pass {
    struct pm_redactor *redactor;
    struct pm_arena *arena;
    bool strict, heap_strings;
    const char *last, *last_result; /* the same path stands behind many functions */
    bool last_version;
};

/* ---- what is learned ---- */

static bool is_one_of(const char *text, const char *const *list) {
    for (; *list; list++)
        if (!strcmp(text, *list)) return true;
    return false;
}

/* Nobody's names: hidden, they would only make paths and sentences unreadable. */
static bool is_common(const char *name) {
    static const char *const common[] = {"root",    "node",     "nobody",  "user",      "app",
                                         "admin",   "www-data", "daemon",  "localhost", "home",
                                         "build",   "runner",   "ubuntu",  "debian",    "default",
                                         "service", "server",   "nonroot", NULL};
    return strlen(name) < 3 || is_one_of(name, common);
}

static void learn(struct pass *pass, const char *text, const char *instead, bool whole) {
    pm_known_add(&pass->redactor->known, text, strlen(text), instead, whole);
}

static void learn_host(struct pass *pass, const char *host) {
    bool number = host[strspn(host, "0123456789")] == 0;
    if (!is_common(host) && !number) learn(pass, host, PM_HIDDEN_HOST, true);
}

/* A value that could stand anywhere else by chance (a path, a number, a word) is only hidden where its name
 * is. */
static void learn_secret(struct pass *pass, const char *value) {
    enum { LEAST = 8, LEAST_WORD = 14 };
    size_t length = strlen(value),
           letters = strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.");
    bool number = strspn(value, "0123456789.:-") == length,
         path = value[0] == '/' || value[0] == '.' || value[0] == '~';
    if (length >= (letters == length ? LEAST_WORD : LEAST) && !number && !path)
        learn(pass, value, PM_HIDDEN, false);
}

static void learn_home(struct pass *pass, const char *path) {
    const char *name = strrchr(path, '/');
    if (path[0] != '/' || !path[1]) return;
    learn(pass, path, "~", true);
    if (name && !is_common(name + 1) && strstr(path, "/home/")) learn(pass, name + 1, "(user)", true);
}

static void learn_variable(struct pass *pass, const char *name, const char *value) {
    static const char *const users[] = {
        "USER", "LOGNAME", "USERNAME", "SUDO_USER", "GIT_AUTHOR_NAME", "npm_config_user", NULL};
    static const char *const hosts[] = {"HOSTNAME", "HOST",    "COMPUTERNAME", "NODE_NAME",      "POD_NAME",
                                        "POD_IP",   "HOST_IP", "SSH_CLIENT",   "SSH_CONNECTION", NULL};
    size_t length = strlen(name);
    if (pm_redact_is_secret_key(pass->redactor, name)) learn_secret(pass, value);
    if (!pass->strict) return;
    if (is_one_of(name, users) && !is_common(value)) learn(pass, value, "(user)", true);
    if (is_one_of(name, hosts) || (length > 5 && !strcmp(name + length - 5, "_HOST")))
        learn_host(pass, value);
    if (!strcmp(name, "HOME") || !strcmp(name, "USERPROFILE")) learn_home(pass, value);
}

/* Options that stand before a secret: --token t0k3n-of-mine, --token=t0k3n-of-mine. */
static void learn_arguments(struct pass *pass, const char *const *words, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const char *equals = words[i] ? strchr(words[i], '=') : NULL;
        if (!words[i] || words[i][0] != '-') continue;
        char *name = strndup(words[i], equals ? (size_t)(equals - words[i]) : strlen(words[i]));
        const char *value = equals ? equals + 1 : i + 1 < count ? words[i + 1] : NULL;
        if (name && value && value[0] != '-' && pm_redact_is_secret_key(pass->redactor, name))
            learn_secret(pass, value);
        free(name);
    }
}

static bool is_ours(const char *message);

/* A text that a detector may have quoted in a sentence. */
static void learn_content(struct pass *pass, const char *text) {
    enum { LEAST = 6, MOST = 4096 };
    size_t length = strlen(text);
    if (length >= LEAST && length <= MOST && !is_ours(text)) learn(pass, text, PM_HIDDEN_STRING, true);
}

static void learn_text(void *context, enum pm_text_kind kind, const char **texts, size_t count,
                       const char *key) {
    struct pass *pass = context;
    const char *text = texts[0];
    if (kind == PM_TEXT_ARGUMENTS) {
        learn_arguments(pass, texts, count);
        return;
    }
    if (!text || !*text) return;
    switch (kind) {
    case PM_TEXT_ENVIRONMENT:
    case PM_TEXT_NEVER_SHOWN:
        if (key) learn_variable(pass, key, text);
        break;
    case PM_TEXT_HOST:
        if (pass->strict) learn_host(pass, text);
        break;
    case PM_TEXT_MESSAGE:
    case PM_TEXT_HEAP:
    case PM_TEXT_PROPERTY:
        if (pass->strict) learn_content(pass, text);
        break;
    case PM_TEXT_REFERENCE:
        if (pass->strict && strpbrk(text, "@:/ =") && strlen(text) > 5 && !strpbrk(text, "'\"[("))
            learn(pass, text, PM_HIDDEN_NAME, true);
        break;
    default: break;
    }
}

/* ---- what is hidden ---- */

/* Words of Node and V8 that stand where a program's message could. */
static bool is_ours(const char *message) {
    static const char *const words[] = {
        "JavaScript API",
        "JavaScript Callback",
        "No stack.",
        "Reached heap limit",
        "Allocation failed - JavaScript heap out of memory",
        "Ineffective mark-compacts near heap limit",
        "Reached heap limit Allocation failed - JavaScript heap out of memory",
        "Ineffective mark-compacts near heap limit Allocation failed - JavaScript heap out of memory",
        "Exception",
        "Allocation failed",
        "CALL_AND_RETRY_LAST",
        NULL};
    bool signal = !strncmp(message, "SIG", 3) &&
                  strspn(message, "SIGABCDEFHJKLMNOPQRTUVWXYZ0123456789") == strlen(message);
    return signal || is_one_of(message, words);
}

static const char *text_of(struct pass *pass, const char *text) {
    return pm_redact_text(pass->redactor, text, pass->arena);
}

static const char *strict_of(struct pass *pass, void (*clean)(const char *, struct pm_strbuf *),
                             const char *text) {
    PM_AUTO_STRBUF struct pm_strbuf out = {0};
    clean(text, &out);
    const char *copy = out.failed ? NULL : pm_arena_copy(pass->arena, pm_strbuf_text(&out), out.length);
    return copy ? text_of(pass, copy) : PM_HIDDEN;
}

/* Known words first: what a sentence quotes is found whole. */
static const char *sentence(struct pass *pass, const char *text) {
    const char *known = text_of(pass, text);
    return pass->strict ? strict_of(pass, pm_strict_sentence, known) : known;
}

/* At the level default strings of the heap are the reader's own, unless the output leaves the house. */
static const char *label(struct pass *pass, const char *text) {
    if (pass->strict) return strict_of(pass, pm_strict_label, text);
    return pass->heap_strings ? text_of(pass, text) : text;
}

static const char *reference(struct pass *pass, const char *text) {
    static const char internal[] = " (internal)";
    size_t length = strlen(text), tail = sizeof(internal) - 1;
    if (!pass->strict) return pass->heap_strings ? text_of(pass, text) : text;
    if (length > tail && !strcmp(text + length - tail, internal)) length -= tail;
    if (pm_strict_is_code(text, length)) return text_of(pass, text);
    bool described =
        *text == '[' || strpbrk(text, "'\"") || (*text == '(' && pm_strict_is_name(text, length));
    return described ? sentence(pass, text) : PM_HIDDEN_NAME;
}

static const char *code(struct pass *pass, const char *text) {
    /* `obj["a key with data"] = function () {}` gives the function this name. */
    if (pass->strict && (strpbrk(text, "'\"") || strstr(text, ": "))) return sentence(pass, text);
    return text_of(pass, text);
}

/* Many functions are of one file. */
static const char *path(struct pass *pass, const char *text, bool version) {
    if (text != pass->last || version != pass->last_version) {
        pass->last = text;
        pass->last_version = version;
        pass->last_result =
            version ? pm_redact_version(pass->redactor, text, pass->arena) : text_of(pass, text);
    }
    return pass->last_result;
}

/* Of "TypeError: x is not a function" the class stays. */
static const char *message(struct pass *pass, const char *text) {
    const char *colon = strchr(text, ':');
    size_t length = colon ? (size_t)(colon - text) : 0;
    if (!pass->strict || is_ours(text)) return text_of(pass, text);
    bool class_name = length > 5 && pm_strict_is_code(text, length) && !memcmp(colon - 5, "Error", 5);
    if (!class_name && length == 5) class_name = !memcmp(text, "Error", 5);
    const char *kept =
        class_name ? pm_arena_printf(pass->arena, "%.*s: %s", (int)length, text, PM_HIDDEN_STRING) : NULL;
    return kept ? kept : PM_HIDDEN_STRING;
}

static const char *phrase(struct pass *pass, const char *text) {
    bool plain = text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ;,()/-")] == 0;
    return pass->strict && !plain ? PM_HIDDEN_STRING : text_of(pass, text);
}

static const char *variable(struct pass *pass, const char *key, const char *value) {
    if (!pass->strict) return pm_redact_value(pass->redactor, key, value, pass->arena);
    if (key && !strcmp(key, "NODE_OPTIONS")) return pm_redact_words(pass->redactor, value, pass->arena);
    bool number = value[strspn(value, "0123456789")] == 0;
    return number && !pm_redact_is_secret_key(pass->redactor, key) ? value : PM_HIDDEN_HOST;
}

static const char *field(struct pass *pass, const char *key, const char *value) {
    bool secret = pass->heap_strings && key && (*value == '"' || *value == '\'') &&
                  pm_redact_is_secret_key(pass->redactor, key);
    return secret ? PM_HIDDEN : label(pass, value);
}

static const char *hidden(struct pass *pass, enum pm_text_kind kind, const char *text, const char *key) {
    switch (kind) {
    case PM_TEXT_OURS:
    case PM_TEXT_ARGUMENTS:
    case PM_TEXT_NEVER_SHOWN: return text;
    case PM_TEXT_VERSION: return path(pass, text, true);
    case PM_TEXT_CODE: return code(pass, text);
    case PM_TEXT_PATH: return path(pass, text, false);
    case PM_TEXT_SENTENCE: return sentence(pass, text);
    case PM_TEXT_LABEL: return label(pass, text);
    case PM_TEXT_REFERENCE: return reference(pass, text);
    case PM_TEXT_HEAP:
        return pass->strict ? PM_HIDDEN_STRING : pass->heap_strings ? text_of(pass, text) : text;
    case PM_TEXT_MESSAGE: return message(pass, text);
    case PM_TEXT_PHRASE: return phrase(pass, text);
    case PM_TEXT_STACK_LINE:
        return pass->strict && strncmp(text + strspn(text, " \t"), "at ", 3) != 0 ? PM_HIDDEN_STRING
                                                                                  : sentence(pass, text);
    case PM_TEXT_HOST: return pass->strict ? PM_HIDDEN_HOST : text_of(pass, text);
    case PM_TEXT_WORDS: return pm_redact_words(pass->redactor, text, pass->arena);
    case PM_TEXT_ENVIRONMENT: return variable(pass, key, text);
    case PM_TEXT_PROPERTY:
        return pass->strict ? PM_HIDDEN_STRING : pm_redact_value(pass->redactor, key, text, pass->arena);
    case PM_TEXT_FIELD: return field(pass, key, text);
    }
    return PM_HIDDEN;
}

static void hide_text(void *context, enum pm_text_kind kind, const char **texts, size_t count,
                      const char *key) {
    struct pass *pass = context;
    if (kind == PM_TEXT_ARGUMENTS)
        pm_redact_arguments(pass->redactor, texts, count, pass->arena);
    else if (texts[0] && *texts[0])
        texts[0] = hidden(pass, kind, texts[0], key);
}

void pm_redact_diagnosis(struct pm_redactor *redactor, bool heap_strings, struct pm_diagnosis *diagnosis) {
    static const char *const levels[] = {"none", "default", "strict"};
    struct pass pass = {.redactor = redactor,
                        .arena = diagnosis->arena,
                        .strict = redactor->level == PM_REDACT_STRICT,
                        .heap_strings = heap_strings || redactor->level == PM_REDACT_STRICT};
    diagnosis->redaction = levels[redactor->level];
    if (redactor->level == PM_REDACT_NONE) return;
    pm_diagnosis_texts(diagnosis, learn_text, &pass);
    pm_diagnosis_texts(diagnosis, hide_text, &pass);
}

struct pm_error *pm_redact_error(struct pm_redactor *redactor, struct pm_error *err) {
    struct pm_arena *arena PM_AUTO(arena) = pm_arena_create();
    if (!err || err->is_static || redactor->level == PM_REDACT_NONE) return err;
    char *copy = arena ? strdup(pm_redact_text(redactor, err->message, arena)) : NULL;
    if (!copy) {
        pm_error_destroy(err);
        return pm_error_nomem();
    }
    free(err->message);
    err->message = copy;
    return err;
}
