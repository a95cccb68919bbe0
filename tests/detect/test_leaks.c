/* Every planted leak is named first, with the kind, the name, the file and the line that its expected.json
 * says, from the core and from the heap snapshot of the same process; programs that simply need more memory
 * than they were given are not called leaks; and the signature is the same for the same bug.
 *
 * A line may be unknown where the program's text is not in the dump (snapshots have 1,024 characters of it;
 * V8 drops the text of modules that have no functions left), but never wrong.
 *
 *   test_leaks          the cases of tests/detect/cores.txt
 *   test_leaks LIST     those of another list, corpora/lists/leaks for instance */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

static char *run(const char *format, const char *a, const char *b, const char *c) {
    char command[2048];
    snprintf(command, sizeof(command), format, a, b, c);
    FILE *pipe = popen(command, "r");
    size_t length = 0, capacity = 1 << 16;
    char *text = malloc(capacity);
    assert_non_null(pipe);
    while (text) {
        size_t got = fread(text + length, 1, capacity - length - 1, pipe);
        if (!got) break;
        length += got;
        if (capacity - length < 4096) text = realloc(text, capacity *= 2);
    }
    assert_non_null(text);
    pclose(pipe);
    text[length] = 0;
    return text;
}

static char *folder_of(const char *name, const char *version) {
    char *folder = run("'%s/corpora/make-core' '%s' '%s'", getenv("POSTMORTEM_SOURCE"), name, version);
    folder[strcspn(folder, "\n")] = 0;
    return folder;
}

/* NULL = there is no such file. */
static cJSON *diagnose(const char *folder, const char *file) {
    char path[1024];
    snprintf(path, sizeof(path), "%s/%s", folder, file);
    if (access(path, R_OK) != 0) return NULL;
    char *text = run("'%s' '%s/%s' --format json --redact=none", getenv("POSTMORTEM_PROGRAM"), folder, file);
    cJSON *diagnosis = cJSON_Parse(text);
    free(text);
    if (!diagnosis) fail_msg("%s: no JSON", path);
    return diagnosis;
}

static cJSON *expected(const char *name) {
    char *text = run("cat '%s/corpora/cores/%s/expected.json%s'", getenv("POSTMORTEM_SOURCE"), name, "");
    cJSON *truth = cJSON_Parse(text);
    free(text);
    assert_non_null(truth);
    return truth;
}

static const cJSON *get(const cJSON *object, const char *key) {
    return cJSON_GetObjectItem(object, key);
}

static const char *text_of(const cJSON *object, const char *key) {
    const char *text = cJSON_GetStringValue(get(object, key));
    return text ? text : "";
}

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static bool is_accepted(const cJSON *truth, const char *id) {
    const cJSON *other;
    if (strcmp(text_of(truth, "finding"), "any") == 0 || strcmp(text_of(truth, "finding"), id) == 0)
        return true;
    cJSON_ArrayForEach(other, get(truth, "accept")) if (strcmp(other->valuestring, id) == 0) return true;
    return false;
}

/* Is a file and line (unknown is fine) what the truth says? */
static bool is_place(const cJSON *found, const cJSON *truth) {
    const cJSON *line = get(found, "line"), *wanted = get(truth, "line");
    if (!ends_with(text_of(found, "file"), text_of(truth, "file"))) return false;
    return !wanted || cJSON_IsNull(line) || line->valuedouble == wanted->valuedouble;
}

static bool names_holder(const cJSON *finding, const cJSON *holder) {
    const cJSON *owner = get(finding, "owner"), *of = get(holder, "of");
    if (!holder || cJSON_IsNull(holder)) return true; /* no single object holds it */
    if (strcmp(text_of(owner, "name"), text_of(holder, "name")) == 0) {
        if (!get(holder, "file") || is_place(owner, holder)) return true;
    }
    /* of a property in a package the user's own variable says as much */
    return !get(holder, "file") && of && strcmp(text_of(owner, "name"), text_of(of, "name")) == 0 &&
           is_place(owner, of);
}

/* A version that is told is that of the package; `version_in_heap`: the program has loaded its package.json.
 */
static bool names_package(const cJSON *finding, const cJSON *truth) {
    const cJSON *evidence, *package = get(truth, "package");
    char name[160], whole[200];
    bool told = false;
    snprintf(name, sizeof(name), "%s@", text_of(package, "name"));
    snprintf(whole, sizeof(whole), "%s%s", name, text_of(package, "version"));
    cJSON_ArrayForEach(evidence, get(finding, "evidence")) {
        const char *text = evidence->valuestring ? evidence->valuestring : "";
        if (!package || strncmp(text, "package: ", 9) != 0 || !strstr(text, name)) continue;
        if (!strstr(text, whole)) return false;
        told = true;
    }
    return told || !cJSON_IsTrue(get(package, "version_in_heap"));
}

/* The heap is that of the worker thread that the truth names, and the verdict says so. */
static bool names_worker(const cJSON *diagnosis, const cJSON *truth, bool snapshot) {
    const cJSON *isolate, *wanted = get(truth, "worker"), *found = NULL;
    if (!wanted) return true;
    cJSON_ArrayForEach(isolate, get(diagnosis, "isolates")) if (get(isolate, "worker")) found =
        get(isolate, "worker");
    if (!found || !ends_with(text_of(found, "script"), text_of(wanted, "script"))) return false;
    if (!strstr(text_of(diagnosis, "verdict"), "worker thread")) return false;
    if (snapshot) return true; /* has no numbers */
    return get(found, "number")->valuedouble == get(wanted, "number")->valuedouble &&
           get(found, "max_old_generation_mb")->valuedouble ==
               get(wanted, "max_old_generation_mb")->valuedouble;
}

static unsigned check_leak(const char *name, const char *file, const cJSON *diagnosis, const cJSON *truth) {
    const cJSON *finding = cJSON_GetArrayItem(get(diagnosis, "findings"), 0), *owner = get(finding, "owner");
    bool snapshot = strcmp(file, "core") != 0, by_snapshot = !cJSON_IsFalse(get(truth, "snapshot_holder"));
    double share = get(finding, "share") ? get(finding, "share")->valuedouble : 0;
    double least = get(truth, "min_share") ? get(truth, "min_share")->valuedouble - 0.03 : 0;
    bool right = finding && strcmp(text_of(finding, "severity"), "info") != 0;
    if (!snapshot || by_snapshot)
        right = right && is_accepted(truth, text_of(finding, "id")) &&
                names_holder(finding, get(truth, "holder")) && share >= least;
    right = right && strstr(text_of(diagnosis, "verdict"), text_of(finding, "claim"));
    right = right && names_package(finding, truth);
    right = right && names_worker(diagnosis, truth, snapshot);
    if (!right)
        printf("%s, %s: %s `%s` %s:%g %.0f %%: %s\n", name, file, text_of(finding, "id"),
               text_of(owner, "name"), text_of(owner, "file"),
               get(owner, "line") ? get(owner, "line")->valuedouble : 0, share * 100,
               text_of(diagnosis, "verdict"));
    return !right;
}

static bool is_beside(const cJSON *truth, const char *id) {
    const cJSON *beside;
    cJSON_ArrayForEach(beside, get(truth, "beside")) if (strcmp(beside->valuestring, id) == 0) return true;
    return false;
}

/* What is striking, but explains nothing, is told with a low severity, and not in the verdict. */
static unsigned check_beside(const char *name, const cJSON *diagnosis, const cJSON *truth) {
    const cJSON *beside, *finding;
    unsigned wrong = 0;
    cJSON_ArrayForEach(beside, get(truth, "beside")) {
        bool told = false, quiet = true;
        cJSON_ArrayForEach(finding, get(diagnosis, "findings")) {
            if (strcmp(text_of(finding, "id"), beside->valuestring) != 0) continue;
            const char *severity = text_of(finding, "severity");
            told = true;
            quiet &= (!strcmp(severity, "low") || !strcmp(severity, "info")) &&
                     !strstr(text_of(diagnosis, "verdict"), text_of(finding, "claim"));
        }
        if (!told || !quiet) printf("%s: %s %s\n", name, beside->valuestring, told ? "is loud" : "not told");
        wrong += !told || !quiet;
    }
    return wrong;
}

static unsigned check_innocent(const char *name, const char *file, const cJSON *diagnosis,
                               const cJSON *truth) {
    const cJSON *finding;
    unsigned wrong = 0;
    bool told = false,
         ended = strcmp(text_of(get(get(diagnosis, "process"), "death"), "kind"), "heap-limit") == 0;
    cJSON_ArrayForEach(finding, get(diagnosis, "findings")) {
        bool about_memory = cJSON_IsNumber(get(finding, "share"));
        bool quiet = strcmp(text_of(finding, "id"), "working-set") == 0 ||
                     strcmp(text_of(finding, "id"), "nothing-stands-out") == 0;
        told |= quiet;
        if (about_memory && strcmp(text_of(finding, "severity"), "info") != 0 &&
            !is_beside(truth, text_of(finding, "id")))
            wrong = 1;
    }
    if (ended && !strstr(text_of(diagnosis, "verdict"), "not a leak") &&
        !strstr(text_of(diagnosis, "verdict"), "othing stands out"))
        wrong = 1;
    if (wrong || !told) printf("%s, %s: %s\n", name, file, text_of(diagnosis, "verdict"));
    return check_beside(name, diagnosis, truth) + (wrong || !told);
}

static unsigned check(const char *name, const char *version, bool with_snapshot) {
    static const char *const files[] = {"core", "heap.heapsnapshot"};
    char *folder = folder_of(name, version);
    cJSON *truth = expected(name);
    unsigned wrong = 0;
    for (size_t i = 0; i < (with_snapshot ? 2 : 1); i++) {
        cJSON *diagnosis = diagnose(folder, files[i]);
        if (!diagnosis) continue;
        wrong += cJSON_IsFalse(get(truth, "leak")) ? check_innocent(name, files[i], diagnosis, truth)
                                                   : check_leak(name, files[i], diagnosis, truth);
        cJSON_Delete(diagnosis);
    }
    cJSON_Delete(truth);
    free(folder);
    return wrong;
}

static const char *list_path = "tests/detect/cores.txt";

/* The cases of the list: "CASE VERSION" on each line. */
static void test_cases(void **state) {
    char path[1024], name[128], version[64];
    unsigned wrong = 0, count = 0;
    (void)state;
    snprintf(path, sizeof(path), "%s/%s", getenv("POSTMORTEM_SOURCE"), list_path);
    FILE *list = fopen(path, "r");
    assert_non_null(list);
    while (fscanf(list, "%127s %63s", name, version) == 2) {
        wrong += check(name, version, true);
        count++;
    }
    fclose(list);
    assert_true(count > 50);
    assert_int_equal(wrong, 0);
}

/* ---- signatures ---- */

static void signature_of(const char *name, const char *version, const char *file, char ret[64]) {
    char *folder = folder_of(name, version);
    cJSON *diagnosis = diagnose(folder, file);
    assert_non_null(diagnosis);
    snprintf(ret, 64, "%s", text_of(diagnosis, "signature"));
    assert_int_equal(strlen(ret), 16);
    cJSON_Delete(diagnosis);
    free(folder);
}

static void test_signatures(void **state) {
    char map[64], other[64], listeners[64];
    (void)state;
    signature_of("leak-map", "22.23.3", "core", map);
    signature_of("leak-map", "22.23.3", "heap.heapsnapshot", other);
    assert_string_equal(map, other);
    signature_of("leak-map", "18.20.8", "core", other);
    assert_string_equal(map, other);
    signature_of("leak-map-oom", "22.23.3", "core", other); /* how it ended makes no difference */
    assert_string_equal(map, other);
    signature_of("leak-listeners", "22.23.3", "core", listeners);
    assert_string_not_equal(map, listeners);
    signature_of("hang-loop", "22.23.3", "core", other);
    assert_string_not_equal(map, other);
    assert_string_not_equal(listeners, other);
}

int main(int argc, char **argv) {
    if (argc > 1) list_path = argv[1];
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases), cmocka_unit_test(test_signatures)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
