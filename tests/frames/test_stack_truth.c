/* Names, files, lines and columns of all JavaScript frames equal what V8 itself printed (Error.stack) at the
 * place where the process died. The scripts of corpora/cores/stack-* call die(), which writes the truth and
 * aborts; compared is all below it. Inlined functions, builtins, constructors, class members, eval, ES
 * modules, async functions are in there. */
#include "stack_core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "postmortem/base/strbuf.h"

#define SIX(name)                                                                                            \
    {name, "16.20.2"}, {name, "18.20.8"}, {name, "20.20.2"}, {name, "22.23.3"}, {name, "24.21.0"}, {         \
        name, "26.10.0"                                                                                      \
    }
static const struct stack_pair everyday[] = {
    SIX("stack-interpreted"),    SIX("stack-turbofan"),         SIX("stack-classes"),
    SIX("stack-async"),          SIX("stack-callbacks"),        SIX("stack-worker"),
    SIX("stack-eval-esm"),       {"stack-baseline", "22.23.3"}, {"stack-maglev", "24.21.0"},
    {"stack-maglev", "26.10.0"},
};
static const struct stack_pair *pairs;
static size_t pair_count;

/* One line as Error.stack prints it. */
static void append_line(struct pm_strbuf *out, const struct pm_frame *frame) {
    const struct pm_position *at = &frame->position;
    pm_strbuf_append(out, "    at ");
    bool named = strcmp(frame->function, "<anonymous>") != 0;
    if (named) pm_strbuf_append(out, frame->function);
    if (!strstr(frame->function, " (index ")) {
        if (named) pm_strbuf_append(out, " (");
        if (at->file)
            pm_strbuf_appendf(out, "%s:%u:%u", at->file, at->line, at->column);
        else
            pm_strbuf_append(out, "<anonymous>");
        if (frame->approximate) pm_strbuf_append(out, " (approximate)");
        if (named) pm_strbuf_append(out, ")");
    }
    pm_strbuf_append(out, "\n");
}

static void append_stack(struct pm_strbuf *out, const struct pm_thread *thread) {
    bool below = false;
    pm_strbuf_append(out, "Error\n");
    for (size_t i = 0; i < thread->frame_count; i++) {
        const struct pm_frame *frame = &thread->frames[i];
        if (frame->hidden || (frame->kind != PM_FRAME_JS && frame->kind != PM_FRAME_BUILTIN)) continue;
        if (below) append_line(out, frame);
        below |= stack_frame_is(frame, "die", "die.js");
    }
    if (thread->incomplete) pm_strbuf_appendf(out, "incomplete: %s\n", thread->incomplete);
}

static void print_difference(const char *ours, const char *truth) {
    for (int line = 1; *ours || *truth; line++) {
        size_t a = strcspn(ours, "\n"), b = strcspn(truth, "\n");
        if (a != b || strncmp(ours, truth, a) != 0) {
            fprintf(stderr, "  line %d is    %.*s\n  line %d should%.*s\n", line, (int)a, ours, line, (int)b,
                    truth);
            return;
        }
        ours += a + (ours[a] == '\n');
        truth += b + (truth[b] == '\n');
    }
}

/* 1 = differs. */
static unsigned check(const struct stack_pair *pair, const char *hide) {
    struct stack_core core;
    struct pm_error *err = stack_core_open(pair->name, pair->version, hide, &core);
    if (err) {
        fprintf(stderr, "%s %s: %s\n", pair->name, pair->version, err->message);
        pm_error_destroy(err);
        return 1;
    }
    PM_AUTO_STRBUF struct pm_strbuf ours = {0};
    const struct pm_thread *thread = stack_core_crashed(&core);
    if (thread) append_stack(&ours, thread);
    char *truth = real_core_file(&core.real, "stack.txt", NULL);
    bool right = truth && strcmp(pm_strbuf_text(&ours), truth) == 0;
    if (!right) {
        fprintf(stderr, "%s %s%s%s:\n", pair->name, pair->version, hide ? " without " : "", hide ? hide : "");
        print_difference(pm_strbuf_text(&ours), truth ? truth : "");
    }
    free(truth);
    stack_core_close(&core);
    return !right;
}

static void test_stacks(void **state) {
    (void)state;
    unsigned wrong = 0;
    for (size_t i = 0; i < pair_count; i++) wrong += check(&pairs[i], NULL);
    printf("%zu stacks compared\n", pair_count);
    assert_int_equal(wrong, 0);
}

/* What the binary publishes is a help, not a need: the same stacks without it. */
static void test_hidden_facts(void **state) {
    (void)state;
    static const char *const hidden[] = {"v8dbg_*", "v8dbg_frametype_*", "blob",
                                         "tls",     "jsentry",           "tls,jsentry"};
    static const struct stack_pair some[] = {
        {"stack-classes", "18.20.8"}, {"stack-turbofan", "22.23.3"}, {"stack-callbacks", "26.10.0"}};
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++)
        for (size_t k = 0; k < sizeof(hidden) / sizeof(hidden[0]); k++) wrong += check(&some[i], hidden[k]);
    assert_int_equal(wrong, 0);
}

/* strip moves segments and removes the names of the builtins; up to Node 22 much is exported, and stays. */
static void test_stripped(void **state) {
    (void)state;
    static const struct stack_pair some[] = {
        {"stack-classes", "16.20.2"},     {"stack-classes", "18.20.8"},     {"stack-classes", "20.20.2"},
        {"stack-interpreted", "20.20.2"}, {"stack-classes", "22.23.3"},     {"stack-interpreted", "24.21.0"},
        {"stack-callbacks", "26.10.0"},   {"stack-interpreted", "26.10.0"}, {"stack-classes", "26.10.0"}};
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) wrong += check(&some[i], "strip");
    assert_int_equal(wrong, 0);
}

int main(int argc, char **argv) {
    pair_count = stack_pairs(argc, argv, everyday, sizeof(everyday) / sizeof(everyday[0]), &pairs);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_stacks), cmocka_unit_test(test_hidden_facts),
                                       cmocka_unit_test(test_stripped)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
