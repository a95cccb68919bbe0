/* The command line: what is understood, what is refused and how; the help. */
#include "postmortem/options.h"

#include <getopt.h>

#include "tests/support/assert_error.h"
#include "tests/support/folder.h"

#define MOST_WORDS 32

/* Parses a line of words; argv lives in static storage because options point into it. */
static enum pm_parse parse(const char *line, struct pm_options *options, char **message) {
    static char copy[512];
    static char *argv[MOST_WORDS + 1];
    int argc = 0;
    snprintf(copy, sizeof(copy), "postmortem %s", line);
    char *rest = NULL;
    for (char *word = strtok_r(copy, " ", &rest); word && argc < MOST_WORDS;
         word = strtok_r(NULL, " ", &rest))
        argv[argc++] = word;
    argv[argc] = NULL;
    return pm_options_parse(argc, argv, options, message);
}

static struct pm_options parsed(const char *line) {
    struct pm_options options;
    char *message;
    enum pm_parse result = parse(line, &options, &message);
    if (result != PM_PARSED) fail_msg("'%s': %s", line, message ? message : "not parsed");
    free(message);
    return options;
}

static void assert_usage(const char *line, const char *words) {
    struct pm_options options;
    char *message;
    assert_int_equal(parse(line, &options, &message), PM_PARSE_USAGE);
    if (!message || !strstr(message, words))
        fail_msg("'%s': \"%s\" instead of \"%s\"", line, message ? message : "", words);
    assert_null(strchr(message, '\n'));
    free(message);
}

static void test_commands(void **state) {
    (void)state;
    struct pm_options options = parsed("/tmp/core");
    assert_ptr_equal(options.command, &pm_command_diagnose);
    assert_int_equal(options.file_count, 1);
    assert_string_equal(options.files[0], "/tmp/core");
    assert_ptr_equal(options.writer, &pm_writer_text);
    assert_int_equal(options.redaction, PM_REDACT_DEFAULT);
    assert_false(options.redaction_given);
    options = parsed("diagnose a b c");
    assert_int_equal(options.file_count, 3);
    assert_ptr_equal(parsed("stacks core").command, &pm_command_stacks);
    options = parsed("inspect core 0x7f01");
    assert_int_equal(options.address, 0x7f00);
    assert_int_equal(options.file_count, 1);
    assert_int_equal(parsed("inspect core 7F03ab").address, 0x7f03a8);
    options = parsed("layouts");
    assert_int_equal(options.file_count, 0);
    assert_true(parsed("layouts --explain core").explain);
}

static void test_order(void **state) {
    (void)state;
    static const char *const lines[] = {"--format json stacks core -v", "stacks --format=json -v core",
                                        "stacks core -v --format json", "-v -fjson stacks core"};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct pm_options options = parsed(lines[i]);
        assert_ptr_equal(options.command, &pm_command_stacks);
        assert_ptr_equal(options.writer, &pm_writer_json);
        assert_true(options.verbose);
        assert_string_equal(options.files[0], "core");
    }
    struct pm_options options = parsed("stacks -- -strange-name");
    assert_string_equal(options.files[0], "-strange-name");
}

static void test_values(void **state) {
    (void)state;
    struct pm_options options =
        parsed("./c --exe /n --sysroot /s -o out --max-bytes 2000 --limit 7 --color never --no-progress "
               "--redact=strict --fail-on high --hide-facts v8dbg_*");
    assert_string_equal(options.exe, "/n");
    assert_string_equal(options.sysroot, "/s");
    assert_string_equal(options.output, "out");
    assert_int_equal(options.max_bytes, 2000);
    assert_int_equal(options.limit, 7);
    assert_int_equal(options.color, PM_NEVER);
    assert_true(options.no_progress);
    assert_int_equal(options.redaction, PM_REDACT_STRICT);
    assert_int_equal(options.fail_on, PM_SEVERITY_HIGH);
    assert_string_equal(options.hide_facts, "v8dbg_*");
    assert_true(parsed("./c --redact").redaction_given);
    assert_int_equal(parsed("./c --redact=none").redaction, PM_REDACT_NONE);
    assert_true(parsed("./c --limit 0").limit == SIZE_MAX);
    assert_string_equal(parsed("objects core --class (string)").class_name, "(string)");
}

static void test_usage(void **state) {
    (void)state;
    assert_usage("stakcs", "did you mean 'stacks'");
    assert_usage("frobnicate", "neither a command nor a file");
    assert_usage("--no-such-option core", "--no-such-option");
    assert_usage("./core --exe", "takes an argument");
    assert_usage("stacks", "stacks takes: CORE");
    assert_usage("stacks a b", "stacks takes: CORE");
    assert_usage("inspect core", "FILE OBJECT");
    assert_usage("inspect core zzz", "neither an address");
    assert_usage("inspect core 0x11223344556677889900", "neither an address");
    assert_usage("objects core", "--class");
    assert_usage("stacks core --class X", "--class is an option of 'objects'");
    assert_usage("layouts core", "only with --explain");
    assert_usage("layouts --explain", "--explain takes a core");
    assert_usage("./core --format xml", "text, json, markdown or html");
    assert_usage("./core --limit many", "--limit takes a number");
    assert_usage("./core --limit -1", "--limit takes a number");
    assert_usage("./core --max-bytes 10", "at least 1000");
    assert_usage("./core --color maybe", "auto, always or never");
    assert_usage("./core --redact=some", "none, default or strict");
    assert_usage("./core --fail-on bad", "critical");
    assert_usage("histogram core --by colour", "constructor");
    assert_usage("\033[31m", "\\x1b"); /* even usage errors print no escapes */
    struct pm_options options;
    char *message;
    assert_int_equal(parse("", &options, &message), PM_PARSE_USAGE);
    assert_null(message);
}

/* "postmortem FILE" with a file that has the name of nothing else. */
static void test_existing_file(void **state) {
    (void)state;
    char *folder = folder_new(), *before = getcwd(NULL, 0);
    assert_int_equal(chdir(folder), 0);
    fclose(fopen("mycore", "w"));
    struct pm_options options = parsed("mycore");
    assert_ptr_equal(options.command, &pm_command_diagnose);
    assert_int_equal(chdir(before), 0);
    free(before);
    folder_remove(folder);
}

static char *help_of(const struct pm_command *command) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    pm_options_help(command, out);
    fclose(out);
    return text;
}

static void test_help(void **state) {
    (void)state;
    struct pm_options options;
    char *message;
    assert_int_equal(parse("--help", &options, &message), PM_PARSE_HELP);
    assert_null(options.command);
    assert_int_equal(parse("stacks --help", &options, &message), PM_PARSE_HELP);
    assert_ptr_equal(options.command, &pm_command_stacks);
    assert_int_equal(parse("-h stacks", &options, &message), PM_PARSE_HELP);
    assert_int_equal(parse("--version", &options, &message), PM_PARSE_VERSION);

    size_t count;
    const struct pm_command *const *commands = pm_commands(&count);
    char *all = help_of(NULL);
    static const char *const names[] = {"--exe",         "--sysroot",     "--format",     "-o, --output",
                                        "--max-bytes",   "--limit",       "--redact",     "--color",
                                        "--no-progress", "-v, --verbose", "--fail-on",    "--by",
                                        "--class",       "--explain",     "--hide-facts", "--help",
                                        "--version",     "Exit code",     "Examples",     "64  wrong usage"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!strstr(all, names[i])) fail_msg("%s is missing in --help", names[i]);
    for (size_t i = 0; i < count; i++) {
        char *own = help_of(commands[i]);
        assert_non_null(strstr(all, commands[i]->name));
        assert_non_null(strstr(own, commands[i]->summary));
        assert_non_null(strstr(own, "Examples"));
        for (const char *line = own; *line; line += strcspn(line, "\n") + 1)
            assert_true(strcspn(line, "\n") <= 100);
        free(own);
    }
    for (const char *line = all; *line; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= 100);
    free(all);
}

/* What --help tells to type must work. */
static void test_examples(void **state) {
    (void)state;
    size_t count;
    const struct pm_command *const *commands = pm_commands(&count);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; commands[i]->examples[k]; k++) {
            struct pm_options options = parsed(commands[i]->examples[k]);
            assert_ptr_equal(options.command, commands[i]);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands), cmocka_unit_test(test_order),         cmocka_unit_test(test_values),
        cmocka_unit_test(test_usage),    cmocka_unit_test(test_existing_file), cmocka_unit_test(test_help),
        cmocka_unit_test(test_examples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
