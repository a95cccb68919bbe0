#include "postmortem/redact.h"

#include <string.h>

struct pm_error *pm_redactor_create(enum pm_redaction level, struct pm_redactor **ret) {
    struct pm_redactor *redactor PM_AUTO(redactor) = calloc(1, sizeof(*redactor));
    if (!redactor) return pm_error_nomem();
    redactor->level = level;
    if (level != PM_REDACT_NONE) PM_TRY(pm_patterns_create(level == PM_REDACT_STRICT, &redactor->patterns));
    *ret = PM_TAKE(redactor);
    return NULL;
}

void pm_redactor_destroy(struct pm_redactor *redactor) {
    if (!redactor) return;
    pm_patterns_destroy(redactor->patterns);
    pm_known_deinit(&redactor->known);
    free(redactor);
}

bool pm_redact_is_secret_key(const struct pm_redactor *redactor, const char *key) {
    return key && redactor->patterns && pm_patterns_is_key(redactor->patterns, key);
}

static const char *hide(struct pm_redactor *redactor, const char *text, bool addresses,
                        struct pm_arena *arena) {
    PM_AUTO_STRBUF struct pm_strbuf work = {0};
    if (!text || !*text || redactor->level == PM_REDACT_NONE) return text;
    pm_strbuf_append(&work, text);
    pm_known_replace(&redactor->known, &work);
    bool good = !redactor->known.failed && pm_patterns_secrets(redactor->patterns, &work);
    if (good && redactor->level == PM_REDACT_STRICT)
        good = pm_patterns_identity(redactor->patterns, addresses, &work);
    if (!good || work.failed) return PM_HIDDEN;
    if (!strcmp(pm_strbuf_text(&work), text)) return text;
    const char *copy = pm_arena_copy(arena, pm_strbuf_text(&work), work.length);
    return copy ? copy : PM_HIDDEN;
}

const char *pm_redact_text(struct pm_redactor *redactor, const char *text, struct pm_arena *arena) {
    return hide(redactor, text, true, arena);
}

const char *pm_redact_version(struct pm_redactor *redactor, const char *text, struct pm_arena *arena) {
    bool version =
        text && text[strspn(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.+_-")] == 0;
    return hide(redactor, text, !version, arena);
}

const char *pm_redact_value(struct pm_redactor *redactor, const char *key, const char *value,
                            struct pm_arena *arena) {
    if (!value || !*value || redactor->level == PM_REDACT_NONE) return value;
    return pm_redact_is_secret_key(redactor, key) ? PM_HIDDEN : pm_redact_text(redactor, value, arena);
}

/* ---- a command line ---- */

static bool is_number(const char *text) {
    return *text && strspn(text, "0123456789.") == strlen(text);
}

/* Strict: what a word says beyond its option's name. The program and the script tell what ran. */
static const char *strict_word(struct pm_redactor *redactor, const char *word, bool is_path,
                               struct pm_arena *arena) {
    const char *equals = strchr(word, '=');
    if (word[0] == '-' && word[1] && !equals) return pm_redact_text(redactor, word, arena);
    if (word[0] == '-' && equals && !is_number(equals + 1)) {
        const char *name = pm_arena_printf(arena, "%.*s=%s", (int)(equals - word), word, PM_HIDDEN_HOST);
        return name ? pm_redact_text(redactor, name, arena) : PM_HIDDEN_HOST;
    }
    bool shown = is_path || is_number(word) || word[0] == '-';
    return shown ? pm_redact_text(redactor, word, arena) : PM_HIDDEN_HOST;
}

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), its = strlen(end);
    return length >= its && !strcmp(text + length - its, end);
}

static bool is_script(const char *word) {
    static const char *const ends[] = {".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".jsx", ".tsx"};
    if (strpbrk(word, " \t\n'\"();{}")) return false;
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (ends_with(word, ends[i])) return true;
    return false;
}

void pm_redact_arguments(struct pm_redactor *redactor, const char **argv, size_t count,
                         struct pm_arena *arena) {
    const char *before = NULL;
    for (size_t i = 0; i < count; i++) {
        const char *word = argv[i];
        if (!word || redactor->level == PM_REDACT_NONE) continue;
        bool value_of_secret = before && before[0] == '-' && !strchr(before, '=') && word[0] != '-' &&
                               pm_redact_is_secret_key(redactor, before);
        if (value_of_secret)
            argv[i] = PM_HIDDEN;
        else if (redactor->level == PM_REDACT_STRICT)
            argv[i] = strict_word(redactor, word, i == 0 || is_script(word), arena);
        else
            argv[i] = pm_redact_text(redactor, word, arena);
        before = word;
    }
}

const char *pm_redact_words(struct pm_redactor *redactor, const char *text, struct pm_arena *arena) {
    if (!text || redactor->level != PM_REDACT_STRICT) return pm_redact_text(redactor, text, arena);
    PM_AUTO_STRBUF struct pm_strbuf out = {0};
    char *copy PM_AUTO_FREE = strdup(text), *rest = NULL;
    const char *words[64];
    size_t count = 0;
    for (char *word = copy ? strtok_r(copy, " \t\n", &rest) : NULL; word && count < 64;
         word = strtok_r(NULL, " \t\n", &rest))
        words[count++] = word;
    pm_redact_arguments(redactor, words, count, arena);
    for (size_t i = 0; i < count; i++) pm_strbuf_appendf(&out, "%s%s", i ? " " : "", words[i]);
    const char *done = copy && !out.failed ? pm_arena_copy(arena, pm_strbuf_text(&out), out.length) : NULL;
    return done ? done : PM_HIDDEN;
}
