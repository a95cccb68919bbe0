/* Deaths, states and stacks of the corpus against what each case expects: corpora/cores/CASE/expected.json.
 *
 *   test_deaths            Node 22.23.3, every case of corpora/lists/ci that has one
 *   test_deaths VERSION    the same for another version */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/cli/run_program.h"
#include "tests/support/assert_error.h"

static const char *version = "22.23.3";

static const char *text_at(const cJSON *object, const char *name) {
    const cJSON *item = cJSON_GetObjectItem(object, name);
    return cJSON_IsString(item) ? item->valuestring : NULL;
}

static bool ends_with(const char *text, const char *end) {
    size_t length = text ? strlen(text) : 0, tail = strlen(end);
    return length >= tail && !strcmp(text + length - tail, end);
}

/* "Immediate.pump [as _onImmediate]" is pump. */
static bool is_function(const char *shown, const char *name) {
    const char *found = shown ? strstr(shown, name) : NULL;
    if (!found) return false;
    char after = found[strlen(name)];
    return (found == shown || found[-1] == '.' || found[-1] == ' ') && (after == 0 || after == ' ');
}

static const cJSON *thread_of(const cJSON *document, bool crashed) {
    const cJSON *thread;
    cJSON_ArrayForEach(thread, cJSON_GetObjectItem(document, "threads")) {
        if (crashed && cJSON_IsTrue(cJSON_GetObjectItem(thread, "crashed"))) return thread;
        if (!crashed && text_at(thread, "role") && !strcmp(text_at(thread, "role"), "main")) return thread;
    }
    return NULL;
}

/* Optimised code that allocates knows its position as the last point it could have gone back to the
 * interpreter: in a loop that is the loop's own line, the one above the body. `loops`: that counts. */
static bool line_fits(const cJSON *lines, const cJSON *frame, bool loops) {
    const cJSON *line, *shown = cJSON_GetObjectItem(frame, "line");
    if (!lines) return true;
    cJSON_ArrayForEach(line, lines) if (cJSON_IsNumber(shown) &&
                                        (shown->valueint == line->valueint ||
                                         (loops && shown->valueint == line->valueint - 1))) return true;
    return false;
}

static bool stack_has(const cJSON *thread, const cJSON *wanted, bool loops) {
    const cJSON *frame;
    cJSON_ArrayForEach(
        frame,
        cJSON_GetObjectItem(
            thread, "frames")) if (is_function(text_at(frame, "function"), text_at(wanted, "function")) &&
                                   ends_with(text_at(frame, "file"), text_at(wanted, "file")) &&
                                   line_fits(cJSON_GetObjectItem(wanted, "lines"), frame, loops)) return true;
    return false;
}

static uint64_t instances_of(const cJSON *isolate, const char *name) {
    const cJSON *row;
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(isolate, "histogram")) if (!strcmp(text_at(row, "class"),
                                                                                   name)) return (uint64_t)
        cJSON_GetObjectItem(row, "count")
            ->valuedouble;
    return 0;
}

static bool isolates_have(const cJSON *document, const cJSON *instances) {
    const cJSON *isolate, *wanted;
    cJSON_ArrayForEach(isolate, cJSON_GetObjectItem(document, "isolates")) {
        bool all = true;
        cJSON_ArrayForEach(wanted, instances) all &=
            instances_of(isolate, wanted->string) == (uint64_t)wanted->valuedouble;
        if (all) return true;
    }
    return false;
}

static int wrong_count;

static void wrong(const char *name, const char *what, const char *expected, const char *found) {
    print_error("%s: %s: expected %s, found %s\n", name, what, expected ? expected : "null",
                found ? found : "null");
    wrong_count++;
}

static void compare_text(const char *name, const char *what, const char *expected, const char *found) {
    if (expected && (!found || strcmp(expected, found) != 0)) wrong(name, what, expected, found);
}

/* The signal comes at a random moment: between two calls of what blocks it V8 may collect, or compile what
 * got hot. A process that does little but collect runs its JavaScript between two collections. */
static bool state_fits(const char *expected, const char *found) {
    static const char *const fits[][2] = {{"json", "gc"},       {"json", "compiling"},
                                          {"javascript", "gc"}, {"gc", "javascript"},
                                          {"gc", "compiling"},  {"javascript", "compiling"}};
    bool fit = !expected || (found && !strcmp(expected, found));
    for (size_t i = 0; !fit && found && i < sizeof(fits) / sizeof(fits[0]); i++)
        fit = !strcmp(fits[i][0], expected) && !strcmp(fits[i][1], found);
    return fit;
}

/* Node's own backtrace ends where the JavaScript begins, which it cannot unwind. One that reaches the event
 * loop: the limit was met in a task of V8's own, between two callbacks. */
static bool between_callbacks(const char *said) {
    return strstr(said, "uv_run") != NULL;
}

static int count_javascript(const cJSON *thread, bool of_user) {
    const cJSON *frame;
    int count = 0;
    cJSON_ArrayForEach(frame, cJSON_GetObjectItem(thread, "frames")) {
        const char *kind = text_at(frame, "kind"), *file = text_at(frame, "file");
        if (!kind || strcmp(kind, "js") != 0 || cJSON_IsTrue(cJSON_GetObjectItem(frame, "async"))) continue;
        count += !of_user || (file && strncmp(file, "node:", 5) != 0);
    }
    return count;
}

/* What the process itself wrote when it died. */
struct last_words {
    const char
        *death; /* which of V8's two limits a leak meets first depends on the version; NULL = neither */
    bool between_callbacks;
};

static void compare_stack(const char *name, const cJSON *wanted, const struct last_words *said,
                          const cJSON *thread) {
    const cJSON *item;
    if (said->between_callbacks) {
        if (count_javascript(thread, false)) wrong(name, "on the stack", "no JavaScript", "some");
        return;
    }
    /* Node's own code, which calls the callbacks, allocates too. */
    if (said->death && count_javascript(thread, false) && !count_javascript(thread, true)) return;
    cJSON_ArrayForEach(item, wanted) if (!stack_has(thread, item, said->death != NULL))
        wrong(name, "on the stack", text_at(item, "function"), "not there");
}

static const cJSON *finding_of(const cJSON *document, const char *id) {
    const cJSON *finding;
    cJSON_ArrayForEach(finding, cJSON_GetObjectItem(document, "findings")) {
        const char *found = text_at(finding, "id");
        if (found && !strcmp(found, id)) return finding;
    }
    return NULL;
}

/* A hanging process: the finding that says what blocks it, with the user's function in a position. A random
 * moment may show a collection instead of what it is for. */
static void compare_blocked(const char *name, const cJSON *expected, const cJSON *document) {
    const char *id = text_at(expected, "finding"), *function;
    const cJSON *finding = id ? finding_of(document, id) : NULL;
    const cJSON *blocked = cJSON_GetObjectItem(expected, "blocked"), *position;
    const char *state = text_at(cJSON_GetObjectItem(thread_of(document, false), "state"), "kind");
    if (!id || strncmp(name, "leak-", 5) == 0 || strncmp(name, "need-", 5) == 0) return;
    if (!finding && state && !strcmp(state, "gc")) finding = finding_of(document, "blocked-javascript");
    if (!finding && state && !strcmp(state, "javascript") && !strcmp(id, "gc-thrash")) return;
    if (!finding) {
        wrong(name, "finding", id, "none of that kind");
        return;
    }
    if (!blocked) return;
    cJSON_ArrayForEach(position, cJSON_GetObjectItem(finding, "positions")) {
        function = text_at(position, "function");
        if (function && ends_with(text_at(position, "file"), text_at(blocked, "file")) &&
            !strcmp(text_at(position, "role"), "blocked"))
            return;
    }
    wrong(name, "position of what blocks", text_at(blocked, "file"), "not there");
}

static bool error_has(const cJSON *frames, const cJSON *wanted) {
    const cJSON *frame;
    cJSON_ArrayForEach(frame,
                       frames) if (is_function(text_at(frame, "function"), text_at(wanted, "function")) &&
                                   ends_with(text_at(frame, "file"), text_at(wanted, "file")) &&
                                   line_fits(cJSON_GetObjectItem(wanted, "lines"), frame, false)) return true;
    return false;
}

static void compare(const char *name, const cJSON *expected, const struct last_words *said,
                    const cJSON *document) {
    const cJSON *process = cJSON_GetObjectItem(document, "process"),
                *death = cJSON_GetObjectItem(process, "death");
    const cJSON *crashed = thread_of(document, true), *main_thread = thread_of(document, false), *item;
    compare_text(name, "death", said->death ? said->death : text_at(expected, "death"),
                 text_at(death, "kind"));
    /* A heap that is nearly full may meet its limit before the signal comes. */
    bool too_late = said->death && text_at(expected, "state") && !strcmp(text_at(expected, "state"), "gc");
    if (too_late) return;
    compare_text(name, "signal", text_at(expected, "signal"), text_at(process, "signal"));
    const char *message = text_at(expected, "message"), *shown = text_at(death, "message");
    if (message && (!shown || !strstr(shown, message))) wrong(name, "message", message, shown);
    const char *state = text_at(expected, "state"),
               *kind = text_at(cJSON_GetObjectItem(main_thread, "state"), "kind");
    if (state && !strcmp(state, "pool")) { /* the main thread waits, the pool works */
        int busy = 0;
        cJSON_ArrayForEach(item, cJSON_GetObjectItem(document, "threads")) {
            const char *other = text_at(cJSON_GetObjectItem(item, "state"), "kind");
            busy += other && !strcmp(other, "pool");
        }
        if (busy != cJSON_GetObjectItem(cJSON_GetObjectItem(expected, "thread_pool"), "busy")->valueint)
            wrong(name, "busy pool threads", "all", "others");
    } else {
        if (!state_fits(state, kind)) wrong(name, "state", state, kind);
    }
    compare_text(name, "regexp", text_at(expected, "regexp"),
                 text_at(cJSON_GetObjectItem(main_thread, "state"), "regexp"));
    const cJSON *blocked = cJSON_GetObjectItem(expected, "blocked");
    if (blocked && !stack_has(main_thread, blocked, true))
        wrong(name, "blocked in", text_at(blocked, "function"), "not on the stack");
    compare_stack(name, cJSON_GetObjectItem(expected, "on_stack"), said, crashed);
    const cJSON *instances = cJSON_GetObjectItem(expected, "instances");
    if (instances && !isolates_have(document, instances)) wrong(name, "instances", "as planted", "others");
    cJSON_ArrayForEach(
        item, cJSON_GetObjectItem(
                  expected, "isolates")) if (!isolates_have(document, cJSON_GetObjectItem(item, "instances")))
        wrong(name, "instances of isolate", text_at(item, "thread"), "others");
    compare_blocked(name, expected, document);
    const cJSON *thrown = cJSON_GetObjectItem(expected, "thrown");
    if (thrown && !error_has(cJSON_GetObjectItem(death, "error_stack"), thrown))
        wrong(name, "thrown in", text_at(thrown, "function"), "not in the error's stack");
    const char *verdict = text_at(document, "verdict"), *says = text_at(expected, "verdict");
    if (says && (!verdict || !strstr(verdict, says))) wrong(name, "verdict", says, verdict);
    if (!verdict || strlen(verdict) < 20 || !ends_with(verdict, "."))
        wrong(name, "verdict", "a sentence", verdict);
}

static void check_case(const char *name) {
    char path[4096];
    snprintf(path, sizeof(path), "%s/corpora/cores/%s/expected.json", source_directory(), name);
    struct run run = run_shell("cat '%s'", path);
    cJSON *expected = cJSON_Parse(run.out);
    run_free(&run);
    if (!expected) return; /* a case with other truth */
    char *directory = core_directory(name, version), *core = path_of(directory, "core");
    run = RUN(core, "--format", "json");
    /* Killed in the middle of a collection: some objects are in two halves, which is said. */
    bool collecting = run.exit_code == 1 && strstr(run.out, "garbage collection");
    assert_run(&run, collecting ? 1 : 0, NULL, NULL);
    cJSON *document = cJSON_Parse(run.out);
    struct run words = run_shell("cat '%s/stderr'", directory);
    struct last_words said = {0};
    if (strstr(words.out, "JavaScript heap out of memory")) { /* a worker's error says "JS heap" */
        said.death =
            strstr(words.out, "Ineffective mark-compacts") ? "ineffective-mark-compacts" : "heap-limit";
        said.between_callbacks = between_callbacks(words.out);
    }
    if (document)
        compare(name, expected, &said, document);
    else
        wrong(name, "output", "JSON", run.out);
    cJSON_Delete(document);
    cJSON_Delete(expected);
    run_free(&words);
    run_free(&run);
    free(core);
    free(directory);
}

static void test_cases(void **state) {
    (void)state;
    struct run list = run_shell("sort -u '%s/corpora/lists/%s' | grep ' %s$' | cut -d' ' -f1",
                                source_directory(), strcmp(version, "22.23.3") == 0 ? "ci" : "all", version);
    int checked = 0;
    char *rest = NULL;
    for (char *name = strtok_r(list.out, "\n", &rest); name; name = strtok_r(NULL, "\n", &rest), checked++)
        check_case(name);
    run_free(&list);
    assert_true(checked > 0);
    assert_int_equal(wrong_count, 0);
}

int main(int argc, char **argv) {
    if (argc > 1) version = argv[1];
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
