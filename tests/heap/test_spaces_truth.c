/* Spaces of a process that died at its heap limit equal the diagnostic report that Node wrote at that moment:
 * used bytes of every space, the heap limit. And the quick way (page headers only) says the same as the walk.
 */
#include "real_core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "v8layout/summary.h"

static const char *const *versions;
static size_t version_count;

static const struct pm_space *space_named(const struct pm_isolate *isolate, const char *name) {
    for (size_t i = 0; i < isolate->space_count; i++)
        if (strcmp(isolate->spaces[i].name, name) == 0) return &isolate->spaces[i];
    return NULL;
}

/* What the report may differ by. It allocates itself in V8 9 and a little in V8 10, after it has counted. And
 * where a page waits to be swept, dead objects still stand that V8 no longer counts: with one worker thread
 * so in the small spaces. */
struct slack {
    double less, more;
};

static struct slack slack_of(const char *name, const char *version, const char *space) {
    bool v8_9 = strncmp(version, "16.", 3) == 0 || strncmp(version, "17.", 3) == 0;
    bool unswept = strcmp(name, "oom-one-worker") == 0 && strcmp(space, "old_space") != 0;
    double own = v8_9 ? 300000 : strncmp(version, "18.", 3) == 0 ? 4096 : 0;
    return (struct slack){own, unswept ? 1000000 : own};
}

static unsigned check_spaces(const char *name, const char *version, const struct pm_isolate *isolate,
                             const cJSON *heap) {
    unsigned wrong = 0, compared = 0;
    const cJSON *space;
    cJSON_ArrayForEach(space, cJSON_GetObjectItem(heap, "heapSpaces")) {
        double used = cJSON_GetNumberValue(cJSON_GetObjectItem(space, "used"));
        double pages = cJSON_GetNumberValue(cJSON_GetObjectItem(space, "memorySize"));
        const struct pm_space *ours = space_named(isolate, space->string);
        if (strcmp(space->string, "read_only_space") == 0) continue; /* V8 10 and later report 0 for it */
        double own = ours ? (double)ours->used : 0, own_pages = ours ? (double)ours->committed : 0;
        struct slack slack = slack_of(name, version, space->string);
        compared++;
        if (own < used - slack.less || own > used + slack.more) {
            fprintf(stderr, "  %s %s: %.0f used, the report says %.0f\n", version, space->string, own, used);
            wrong++;
        }
        /* New space is emptied by the last collection, but keeps pages. */
        if (own_pages != pages && strcmp(space->string, "new_space") != 0) {
            fprintf(stderr, "  %s %s: %.0f committed, the report says %.0f\n", version, space->string,
                    own_pages, pages);
            wrong++;
        }
    }
    double limit = cJSON_GetNumberValue(cJSON_GetObjectItem(heap, "memoryLimit"));
    if ((double)isolate->heap_limit != limit) {
        fprintf(stderr, "  %s heap limit %llu, the report says %.0f\n", version,
                (unsigned long long)isolate->heap_limit, limit);
        wrong++;
    }
    return compared < 6 ? wrong + 1 : wrong;
}

static unsigned check(const char *name, const char *version) {
    struct real_core core;
    struct pm_error *err = real_core_open(name, version, NULL, &core);
    if (err) {
        fprintf(stderr, "%s: %s\n", version, err->message);
        pm_error_destroy(err);
        return 1;
    }
    struct pm_diagnosis *walked = pm_diagnosis_create(), *quick = pm_diagnosis_create();
    char *text = real_core_file(&core, "report.json", NULL);
    cJSON *report = text ? cJSON_Parse(text) : NULL;
    unsigned wrong = 1;
    if (report && !(err = v8_summarize(core.v8, false, NULL, NULL, walked)) &&
        !(err = v8_summarize(core.v8, true, NULL, NULL, quick))) {
        wrong =
            check_spaces(name, version, &walked->isolates[0], cJSON_GetObjectItem(report, "javascriptHeap"));
        if (walked->isolates[0].unparsed_bytes) {
            fprintf(stderr, "  %s: %llu bytes unparsed\n", version,
                    (unsigned long long)walked->isolates[0].unparsed_bytes);
            wrong++;
        }
        for (size_t i = 0; i < walked->isolates[0].space_count; i++) {
            const struct pm_space *exact = &walked->isolates[0].spaces[i];
            const struct pm_space *fast = space_named(&quick->isolates[0], exact->name);
            /* Headers count an open allocation area as used. */
            if (!fast || fast->pages != exact->pages || fast->used + 300000 < exact->used ||
                fast->used > exact->used + 300000) {
                fprintf(stderr, "  %s %s: %llu by the headers, %llu by the walk\n", version, exact->name,
                        (unsigned long long)(fast ? fast->used : 0), (unsigned long long)exact->used);
                wrong++;
            }
        }
    }
    printf("%s %s: %u differences\n", name, version, wrong);
    pm_error_destroy(err);
    cJSON_Delete(report);
    free(text);
    pm_diagnosis_destroy(walked);
    pm_diagnosis_destroy(quick);
    real_core_close(&core);
    return wrong;
}

static void test_report(void **state) {
    (void)state;
    unsigned wrong = 0;
    for (size_t i = 0; i < version_count; i++) {
        wrong += check("oom-small", versions[i]);
        wrong += check("oom-one-worker", versions[i]); /* pages given back, not unmapped */
    }
    assert_int_equal(wrong, 0);
}

int main(int argc, char **argv) {
    real_core_versions(argc, argv, &versions, &version_count);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_report)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
