/* What the threads of blocked, crashed and killed processes were doing, against expected.json of the corpora
 * cases: `state` and `blocked`, `on_stack`, `may_be_on_stack`, `async_stack`, `thread_pool`. And every stack
 * reaches its thread's start. */
#include "stack_core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "postmortem/model/words.h"

#define SIX(name)                                                                                            \
    {name, "16.20.2"}, {name, "18.20.8"}, {name, "20.20.2"}, {name, "22.23.3"}, {name, "24.21.0"}, {         \
        name, "26.10.0"                                                                                      \
    }
#define ONE(name)                                                                                            \
    { name, "22.23.3" }
static const struct stack_pair everyday[] = {
    SIX("oom-small"),
    ONE("hang-loop"),
    ONE("hang-regexp"),
    ONE("hang-regexp-hot"),
    ONE("hang-json"),
    ONE("hang-fs"),
    ONE("hang-crypto"),
    ONE("hang-child"),
    ONE("hang-atomics"),
    ONE("idle"),
    ONE("pool"),
    ONE("die-uncaught"),
    ONE("die-segv"),
    ONE("die-fatal-array"),
    ONE("churn"),
    ONE("workers"),
    ONE("hang-gc"),
    ONE("hang-zlib"),
    ONE("oom-array"),
    ONE("oom-ineffective"),
    {"hang-gc", "26.10.0"},
    {"hang-crypto", "26.10.0"},
    {"hang-regexp", "18.20.8"},
    {"die-segv", "26.10.0"},
    {"churn-compacting", "26.10.0"},
};
static const struct stack_pair *pairs;
static size_t pair_count;

static unsigned complain(const struct stack_pair *pair, const char *what, const char *is) {
    fprintf(stderr, "%s %s: %s%s%s\n", pair->name, pair->version, what, is ? ": " : "", is ? is : "");
    return 1;
}

static char *read_expected(const char *name) {
    char path[1024];
    const char *source = getenv("POSTMORTEM_SOURCE");
    snprintf(path, sizeof(path), "%s/corpora/cores/%.*s/expected.json", source ? source : ".",
             (int)strcspn(name, "@"), name);
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    char *text = calloc(1, 65536);
    if (text && fread(text, 1, 65535, file) == 0) text[0] = 0;
    fclose(file);
    return text;
}

static bool line_fits(const cJSON *expected, uint32_t line) {
    const cJSON *lines = cJSON_GetObjectItem(expected, "lines"), *item;
    if (!lines) return line > 0;
    cJSON_ArrayForEach(item, lines) {
        if (item->valueint == (int)line) return true;
    }
    return false;
}

/* The position of a function on a stack; NULL = it is not there. */
static const struct pm_frame *find_frame(const struct pm_thread *thread, const cJSON *expected) {
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(expected, "function"));
    const char *file = cJSON_GetStringValue(cJSON_GetObjectItem(expected, "file"));
    for (size_t i = 0; name && file && i < thread->frame_count; i++)
        if (stack_frame_is(&thread->frames[i], name, file)) return &thread->frames[i];
    return NULL;
}

/* The heap limit may be met between two callbacks: in a task of V8's own (Node's own backtrace, which ends
 * where the JavaScript begins, reaches the event loop then), or in Node's code that calls them. */
static bool between_callbacks(const struct stack_core *core, const struct pm_thread *thread) {
    char *said = real_core_file(&core->real, "stderr", NULL);
    bool between = said && strstr(said, "heap out of memory") && strstr(said, "uv_run");
    bool out_of_memory = said && strstr(said, "heap out of memory");
    free(said);
    size_t internal = 0, user = 0;
    for (size_t i = 0; i < thread->frame_count; i++) {
        const struct pm_frame *frame = &thread->frames[i];
        if (frame->kind != PM_FRAME_JS || frame->is_async || !frame->position.file) continue;
        *(strncmp(frame->position.file, "node:", 5) == 0 ? &internal : &user) += 1;
    }
    return between || (out_of_memory && internal && !user);
}

static unsigned check_on_stack(const struct stack_pair *pair, const struct pm_thread *thread,
                               const cJSON *rows, bool must) {
    unsigned wrong = 0;
    const cJSON *row;
    cJSON_ArrayForEach(row, rows) {
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(row, "function"));
        const struct pm_frame *frame = find_frame(thread, row);
        if (!frame && must) wrong += complain(pair, "not on the stack", name);
        if (frame && !line_fits(row, frame->position.line)) {
            fprintf(stderr, "  %s at line %u\n", name, frame->position.line);
            wrong += complain(pair, "wrong line of", name);
        }
    }
    return wrong;
}

static unsigned check_state(const struct stack_pair *pair, const struct pm_thread *thread,
                            const cJSON *expected) {
    const char *state = cJSON_GetStringValue(cJSON_GetObjectItem(expected, "state"));
    if (!state || strcmp(state, "pool") == 0) return 0;
    const char *is = pm_state_word(thread->state);
    /* The process is killed at a random moment: between two calls of what blocks it V8 may collect, or
     * compile what got hot; and one that does little but collect runs its JavaScript between two collections.
     */
    bool by_chance = ((thread->state == PM_STATE_GC || thread->state == PM_STATE_COMPILING) &&
                      (strcmp(state, "json") == 0 || strcmp(state, "javascript") == 0)) ||
                     ((thread->state == PM_STATE_RUNNING_JS || thread->state == PM_STATE_COMPILING) &&
                      strcmp(state, "gc") == 0);
    /* It may also meet the heap limit before the signal comes. */
    if (thread->state == PM_STATE_FATAL && strcmp(state, "gc") == 0) return 0;
    if (!by_chance && strcmp(is, state) != 0)
        return complain(pair, thread->state_detail ? thread->state_detail : is, is);
    const cJSON *blocked = cJSON_GetObjectItem(expected, "blocked");
    if (!blocked) return 0;
    const struct pm_frame *frame = find_frame(thread, blocked);
    if (!frame) return complain(pair, "the blocked function is not on the stack", NULL);
    if (!by_chance && !line_fits(blocked, frame->position.line))
        return complain(pair, "blocked at a wrong line", NULL);
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(blocked, "function"));
    if (thread->state != PM_STATE_GC && thread->state != PM_STATE_RUNNING_JS &&
        !strstr(thread->state_detail, name))
        return complain(pair, "the state does not name the function", thread->state_detail);
    return 0;
}

static unsigned check_pool(const struct stack_pair *pair, const struct stack_core *core, const cJSON *pool) {
    const cJSON *busy = cJSON_GetObjectItem(pool, "busy");
    int seen = 0;
    for (size_t i = 0; i < core->diagnosis->thread_count; i++) {
        const struct pm_thread *thread = &core->diagnosis->threads[i];
        seen += thread->role == PM_ROLE_POOL && thread->state == PM_STATE_POOL_WORK;
    }
    return busy && busy->valueint != seen ? complain(pair, "another number of busy pool threads", NULL) : 0;
}

static unsigned check_threads(const struct stack_pair *pair, const struct stack_core *core) {
    unsigned wrong = 0, mains = 0;
    for (size_t i = 0; i < core->diagnosis->thread_count; i++) {
        const struct pm_thread *thread = &core->diagnosis->threads[i];
        mains += thread->role == PM_ROLE_MAIN;
        if (thread->incomplete) wrong += complain(pair, "a stack is incomplete", thread->incomplete);
        if (thread->js_fallback) wrong += complain(pair, "a stack needed the fallback", NULL);
        if (thread->role == PM_ROLE_WORKER && !thread->isolate)
            wrong += complain(pair, "a worker without isolate", NULL);
    }
    return wrong + (mains == 1 ? 0 : complain(pair, "not one main thread", NULL));
}

static unsigned check(const struct stack_pair *pair) {
    struct stack_core core;
    struct pm_error *err = stack_core_open(pair->name, pair->version, NULL, &core);
    if (err) {
        unsigned wrong = complain(pair, err->message, NULL);
        pm_error_destroy(err);
        return wrong;
    }
    char *text = read_expected(pair->name);
    cJSON *expected = text ? cJSON_Parse(text) : NULL;
    const struct pm_thread *thread = stack_core_main(&core);
    unsigned wrong = check_threads(pair, &core);
    if (!expected) wrong += complain(pair, "no expected.json", NULL);
    if (thread) {
        wrong += check_state(pair, thread, expected);
        wrong += check_on_stack(pair, thread, cJSON_GetObjectItem(expected, "on_stack"),
                                !between_callbacks(&core, thread));
        wrong += check_on_stack(pair, thread, cJSON_GetObjectItem(expected, "may_be_on_stack"), false);
    }
    if (cJSON_GetObjectItem(expected, "thread_pool"))
        wrong += check_pool(pair, &core, cJSON_GetObjectItem(expected, "thread_pool"));
    cJSON_Delete(expected);
    free(text);
    stack_core_close(&core);
    return wrong;
}

static void test_states(void **state) {
    (void)state;
    unsigned wrong = 0;
    for (size_t i = 0; i < pair_count; i++) wrong += check(&pairs[i]);
    printf("%zu processes\n", pair_count);
    assert_int_equal(wrong, 0);
}

int main(int argc, char **argv) {
    pair_count = stack_pairs(argc, argv, everyday, sizeof(everyday) / sizeof(everyday[0]), &pairs);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_states)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
