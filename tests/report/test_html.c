/* The HTML page: well-formed, self-contained, small and harmless whatever stood in the heap. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postmortem/report/html_assets.h"
#include "postmortem/report/writer.h"
#include "tests/report/golden.h"
#include "tests/report/sample.h"
#include "tests/support/assert_error.h"

/* ---- a strict reader: every tag is closed in order, attributes are quoted, no stray < & ---- */

static bool is_void(const char *name) {
    return !strcmp(name, "meta") || !strcmp(name, "br");
}

static const char *check_entity(const char *p) {
    const char *end = p + 1;
    if (*end == '#') end++;
    while (isalnum((unsigned char)*end)) end++;
    if (*end != ';' || end == p + 1) fail_msg("stray & at: %.60s", p);
    return end + 1;
}

/* `p` behind the name of a tag; returns behind its '>'. */
static const char *check_attributes(const char *p, bool *closed_ret) {
    *closed_ret = false;
    while (*p != '>') {
        if (*p == '/' && p[1] == '>') {
            *closed_ret = true;
            p++;
            continue;
        }
        if (*p != ' ') fail_msg("no space before an attribute: %.60s", p);
        const char *name = ++p;
        while (islower((unsigned char)*p) || *p == '-' || isupper((unsigned char)*p) ||
               isdigit((unsigned char)*p))
            p++;
        size_t length = (size_t)(p - name);
        if (!length) fail_msg("no attribute: %.60s", name);
        if (!strncmp(name, "on", 2) || !strncmp(name, "style", 5) || !strncmp(name, "src", 3))
            fail_msg("forbidden attribute: %.60s", name);
        if (!strncmp(name, "href", 4)) assert_memory_equal(p, "=\"#", 3);
        if (*p != '=' || p[1] != '"') fail_msg("attribute without quotes: %.60s", name);
        for (p += 2; *p != '"';) {
            if (!*p || *p == '<' || *p == '>') fail_msg("broken attribute: %.60s", name);
            p = *p == '&' ? check_entity(p) : p + 1;
        }
        p++;
    }
    return p + 1;
}

static void assert_well_formed(const char *text) {
    char open[64][16];
    size_t depth = 0;
    const char *p = text;
    assert_memory_equal(p, "<!DOCTYPE html>\n", 16);
    for (p += 16; *p;) {
        bool ends = p[0] == '<' && p[1] == '/', closed;
        char name[16] = "";
        if (*p == '&') {
            p = check_entity(p);
            continue;
        }
        if (*p != '<') {
            if (*p == '>') fail_msg("stray > at: %.60s", p);
            p++;
            continue;
        }
        p += ends ? 2 : 1;
        for (size_t i = 0; i + 1 < sizeof(name) && isalnum((unsigned char)*p); i++) name[i] = *p++;
        if (!*name) fail_msg("no tag: %.60s", p);
        if (ends) {
            if (!depth || strcmp(open[depth - 1], name) != 0)
                fail_msg("</%s> closes <%s> at %.60s", name, depth ? open[depth - 1] : "", p);
            depth--;
            assert_int_equal(*p, '>');
            p++;
            continue;
        }
        p = check_attributes(p, &closed);
        if (closed || is_void(name)) continue;
        assert_true(depth < 64);
        strcpy(open[depth++], name);
        if (!strcmp(name, "style") || !strcmp(name, "script")) {
            const char *own = !strcmp(name, "style") ? pm_html_style : pm_html_script;
            assert_memory_equal(p, own, strlen(own));
            p += strlen(own);
            assert_memory_equal(p, "</", 2);
        }
    }
    assert_int_equal(depth, 0);
}

static char *render(const struct pm_diagnosis *diagnosis, unsigned show, size_t *length_ret) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    pm_writer_html.write(diagnosis, &(struct pm_write_options){.sections = show}, out);
    fclose(out);
    assert_int_equal(length, strlen(text));
    if (length_ret) *length_ret = length;
    return text;
}

/* The page without its constant style and script. */
static char *without_assets(const char *text) {
    const char *style = strstr(text, pm_html_style), *script = strstr(text, pm_html_script);
    assert_non_null(style);
    assert_non_null(script);
    char *out = calloc(1, strlen(text) + 1);
    assert_non_null(out);
    strncat(out, text, (size_t)(style - text));
    style += strlen(pm_html_style);
    strncat(out, style, (size_t)(script - style));
    strcat(out, script + strlen(pm_html_script));
    /* the hashes change with the style */
    for (char *p = out; (p = strstr(p, "'sha256-")); p++) memset(p + 8, 'x', 44);
    return out;
}

static void test_page(void **state) {
    (void)state;
    struct pm_diagnosis *diagnosis = sample_full();
    sample_add_objects(diagnosis);
    sample_add_facts(diagnosis);
    char *text = render(diagnosis, ~0u, NULL);
    assert_well_formed(text);
    assert_null(strstr(text, "<script>alert"));
    assert_null(strstr(text, "\xe2\x80\xae"));
    assert_golden("page.html", without_assets(text));
    free(text);
    pm_diagnosis_destroy(diagnosis);
}

static void test_poor(void **state) {
    (void)state;
    struct pm_diagnosis *diagnosis = sample_poor();
    char *text = render(diagnosis, ~0u, NULL);
    assert_well_formed(text);
    assert_golden("poor.html", without_assets(text));
    free(text);
    pm_diagnosis_destroy(diagnosis);
}

/* Nothing comes from elsewhere. */
static void test_self_contained(void **state) {
    (void)state;
    static const char *const forbidden[] = {"://",    "@import", "url(",         "innerHTML",      "eval(",
                                            "fetch(", "XMLHttp", "localStorage", "document.write", "</s"};
    for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
        assert_null(strstr(pm_html_style, forbidden[i]));
        assert_null(strstr(pm_html_script, forbidden[i]));
    }
    struct pm_diagnosis *diagnosis = sample_full();
    char *text = render(diagnosis, ~0u, NULL);
    const char *policy = strstr(text, "Content-Security-Policy\" content=\"default-src 'none';");
    assert_non_null(policy);
    assert_true(policy < strstr(text, "<style>")); /* what stands before a policy is not bound by it */
    assert_null(strstr(text, "unsafe-inline"));
    free(text);
    pm_diagnosis_destroy(diagnosis);
}

static void command_output(const char *command, const char *input, char *ret, size_t size) {
    char path[] = "/tmp/postmortem-html-XXXXXX", line[256];
    int fd = mkstemp(path);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    assert_non_null(file);
    fputs(input, file);
    fclose(file);
    snprintf(line, sizeof(line), command, path);
    FILE *pipe = popen(line, "r");
    assert_non_null(pipe);
    ret[fread(ret, 1, size - 1, pipe)] = 0;
    pclose(pipe);
    unlink(path);
    ret[strcspn(ret, "\n")] = 0;
}

/* The policy names the sums that coreutils compute of what the page holds. */
static void test_hashes(void **state) {
    (void)state;
    const char *assets[] = {pm_html_style, pm_html_script};
    struct pm_diagnosis *diagnosis = sample_poor();
    char *text = render(diagnosis, ~0u, NULL), sum[128], expected[160];
    for (size_t i = 0; i < 2; i++) {
        command_output("sha256sum < %s | cut -c1-64 | tr a-f A-F | basenc -d --base16 | base64", assets[i],
                       sum, sizeof(sum));
        assert_int_equal(strlen(sum), 44);
        snprintf(expected, sizeof(expected), "%s-src 'sha256-%s'", i ? "script" : "style", sum);
        assert_non_null(strstr(text, expected));
    }
    free(text);
    pm_diagnosis_destroy(diagnosis);
}

/* A heap that wants to fill the page: names of 10,000 characters that all need escapes, in all places. */
static void test_size(void **state) {
    (void)state;
    enum { NAMES = 3000, LENGTH = 10000 };
    struct pm_diagnosis *diagnosis = sample_full();
    char *name = calloc(1, LENGTH * 3 + 1);
    assert_non_null(name);
    for (size_t i = 0; i < LENGTH; i++) memcpy(name + i * 3, i % 2 ? "\xe2\x80\xae" : "\"'<", 3);
    struct pm_class_row *rows = calloc(NAMES, sizeof(*rows));
    struct pm_frame *frames = calloc(NAMES, sizeof(*frames));
    struct pm_thread *threads = calloc(NAMES, sizeof(*threads));
    struct pm_finding *findings = calloc(NAMES, sizeof(*findings));
    struct pm_env_value *environment = calloc(NAMES, sizeof(*environment));
    const char **texts = calloc(NAMES, sizeof(*texts));
    for (size_t i = 0; i < NAMES; i++) {
        texts[i] = name;
        rows[i] = (struct pm_class_row){.name = name, .count = i, .shallow = i, .retained = i};
        frames[i] = (struct pm_frame){.kind = i % 3 ? PM_FRAME_JS : PM_FRAME_NATIVE,
                                      .function = name,
                                      .position = {name, (uint32_t)i + 1, 1},
                                      .offset = PM_UNKNOWN,
                                      .receiver = name,
                                      .arguments = texts,
                                      .argument_count = NAMES};
        threads[i] = (struct pm_thread){.tid = i,
                                        .name = name,
                                        .role = PM_ROLE_WORKER,
                                        .isolate = 1,
                                        .state = PM_STATE_RUNNING_JS,
                                        .state_detail = name,
                                        .frames = frames,
                                        .frame_count = NAMES,
                                        .incomplete = name};
        findings[i] = (struct pm_finding){.id = "x",
                                          .title = name,
                                          .claim = name,
                                          .advice = name,
                                          .evidence = texts,
                                          .evidence_count = NAMES,
                                          .owner_path = name,
                                          .retained_bytes = PM_UNKNOWN,
                                          .share = -1,
                                          .next = texts,
                                          .next_count = NAMES};
        environment[i] = (struct pm_env_value){name, name};
    }
    diagnosis->verdict = name;
    diagnosis->findings = findings;
    diagnosis->threads = threads;
    diagnosis->finding_count = diagnosis->thread_count = NAMES;
    diagnosis->process.argv = texts;
    diagnosis->process.argc = 30;
    diagnosis->process.environment = environment;
    diagnosis->process.environment_count = NAMES;
    diagnosis->isolates[0].histogram = rows;
    size_t before = diagnosis->isolates[0].histogram_count, length;
    diagnosis->isolates[0].histogram_count = NAMES;
    char *text = render(diagnosis, ~0u, &length);
    assert_well_formed(text);
    assert_true(length < 3000000);
    assert_true(length > 1000000); /* or the test shows nothing */
    assert_non_null(strstr(text, "id=\"coverage\""));
    diagnosis->isolates[0].histogram_count = before;
    free(text);
    free(name);
    free(rows);
    free(frames);
    free(threads);
    free(findings);
    free(environment);
    free(texts);
    pm_diagnosis_destroy(diagnosis);
}

/* For check-html-browser: the page as a file. */
static int write_page(const char *path) {
    struct pm_diagnosis *diagnosis = sample_full();
    FILE *out = fopen(path, "w");
    if (!out) return 1;
    sample_add_objects(diagnosis);
    sample_add_facts(diagnosis);
    pm_writer_html.write(diagnosis, &(struct pm_write_options){.sections = ~0u}, out);
    pm_diagnosis_destroy(diagnosis);
    return fclose(out) ? 1 : 0;
}

int main(int argc, char **argv) {
    if (argc == 2) return write_page(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page),   cmocka_unit_test(test_poor), cmocka_unit_test(test_self_contained),
        cmocka_unit_test(test_hashes), cmocka_unit_test(test_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
