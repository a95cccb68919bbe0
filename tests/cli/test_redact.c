/* Secrets by key and by value, and patterns under attack. */
#include "postmortem/redact.h"

#include <time.h>

#include "postmortem/base/strbuf.h"

#include "tests/support/assert_error.h"

static struct pm_redactor *redactor;
static struct pm_arena *arena;

static int set_up(void **state) {
    (void)state;
    arena = pm_arena_create();
    return pm_redactor_create(PM_REDACT_DEFAULT, &redactor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    pm_redactor_destroy(redactor);
    pm_arena_destroy(arena);
    return 0;
}

static void assert_text(const char *text, const char *expected) {
    assert_string_equal(pm_redact_text(redactor, text, arena), expected);
}

static void assert_hidden(const char *text, const char *secret) {
    const char *shown = pm_redact_text(redactor, text, arena);
    if (strstr(shown, secret)) fail_msg("'%s' is still in '%s'", secret, shown);
    assert_non_null(strstr(shown, "[redacted]"));
}

static void test_values(void **state) {
    (void)state;
    assert_text("postgres://shop:s3cr3t@db.internal:5432/shop",
                "postgres://[redacted]@db.internal:5432/shop");
    assert_text("redis://:pw@cache", "redis://[redacted]@cache");
    assert_text("mongodb+srv://u:p%40w@host/?w=1", "mongodb+srv://[redacted]@host/?w=1");
    assert_text("https://example.com/path?a=b", "https://example.com/path?a=b");
    assert_hidden("Authorization: Bearer abcdef0123456789", "abcdef0123456789");
    assert_hidden("basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA==");
    assert_hidden(
        "id=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
        "eyJzdWIi");
    assert_hidden("key AKIAIOSFODNN7EXAMPLE in use", "AKIAIOSFODNN7EXAMPLE");
    assert_hidden("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI");
    assert_hidden("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "16C7e42F");
    assert_hidden("xoxb-2345678901-abcdefGHIJ", "abcdefGHIJ");
    assert_hidden("sk_live_4eC39HqLyjWDarjtT1zdp7dc", "4eC39HqLyjWDarjtT1zdp7dc");
    assert_hidden("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAK\n-----END RSA PRIVATE KEY----- rest",
                  "MIIEow");
    assert_hidden("-----BEGIN PRIVATE KEY-----\nMIIEow cut", "MIIEow");
    assert_text("before -----BEGIN EC PRIVATE KEY-----x-----END EC PRIVATE KEY----- after",
                "before [redacted] after");
}

static void test_pairs(void **state) {
    (void)state;
    assert_text("--db-password=hunter2", "--db-password=[redacted]");
    assert_text("user=bob password=hunter2 host=db", "user=bob password=[redacted] host=db");
    assert_text("{\"apiKey\":\"abc\",\"name\":\"x\"}", "{\"apiKey\":\"[redacted]\",\"name\":\"x\"}");
    assert_hidden("https://api/x?access_token=abc123&y=1", "abc123");
    assert_hidden("Server=db;User Id=sa;Password=p4ss;", "p4ss");
    assert_hidden("AccountKey=aGVsbG8gd29ybGQ=;EndpointSuffix=core", "aGVsbG8gd29ybGQ=");
    assert_hidden("node app.js --api-key abcdef", "abcdef");
    assert_hidden("Set-Cookie: sid=12345", "sid=12345");
}

/* What engineers need to read stays readable. */
static void test_harmless(void **state) {
    (void)state;
    static const char *const texts[] = {
        "--max-old-space-size=60",
        "/app/src/server.js:31:5",
        "/app/src/tokens.js:12:7 (createToken)",
        "node:internal/timers:484:21",
        "--require /app/tracing.js",
        "Map(131073)",
        "UserSession {id: 4711}",
        "Reached heap limit",
        "0123456789abcdef0123456789abcdef01234567", /* a git hash */
        "TypeError: Cannot read properties of undefined (reading 'length')",
        "KUBERNETES_SERVICE_HOST",
        "--inspect=9229",
        "keyboard: qwerty",
        "monkey=1",
        "author: bob",
        "compass=north",
        "",
        "12.4.254.21-node.57",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) assert_text(texts[i], texts[i]);
    assert_null(pm_redact_text(redactor, NULL, arena));
}

static void test_keys(void **state) {
    (void)state;
    static const char *const secret[] = {
        "DB_PASSWORD",   "password",       "PGPASSWD",     "API_KEY",
        "apiKey",        "x-api-key",      "GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY",
        "connect.sid",   "SESSION_ID",     "PRIVATE_KEY",  "DATABASE_URL",
        "MONGODB_URI",   "REDIS_URL",      "Cookie",       "AUTH",
        "CLIENT_SECRET", "db_pw",          "PASS",         "KEY",
        "VCAP_SERVICES", "STRIPE_WEBHOOK", "jwt",          "CREDENTIALS"};
    static const char *const harmless[] = {"NODE_OPTIONS",
                                           "HOSTNAME",
                                           "KUBERNETES_SERVICE_PORT",
                                           "UV_THREADPOOL_SIZE",
                                           "keyboard",
                                           "MONKEY",
                                           "AUTHOR",
                                           "COMPASS",
                                           "bypass",
                                           "TZ",
                                           "design"};
    for (size_t i = 0; i < sizeof(secret) / sizeof(secret[0]); i++)
        if (!pm_redact_is_secret_key(redactor, secret[i]))
            fail_msg("%s is not taken for a secret", secret[i]);
    for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
        if (pm_redact_is_secret_key(redactor, harmless[i])) fail_msg("%s is taken for a secret", harmless[i]);
    assert_string_equal(pm_redact_value(redactor, "DB_PASSWORD", "x", arena), "[redacted]");
    assert_string_equal(pm_redact_value(redactor, "HOSTNAME", "shop-1", arena), "shop-1");
    assert_string_equal(pm_redact_value(redactor, "DB_PASSWORD", "", arena), "");
}

/* Texts made to keep a backtracking matcher busy: bounded time, and never shown when a limit bites. */
static void test_hostile(void **state) {
    (void)state;
    static const struct {
        const char *piece, *end;
    } attacks[] = {
        {"a", ""},
        {"aaaaaaaaaaaaaaaaaaaaaaaa-", "="},
        {"password", ""},
        {"password=", ""},
        {"a://a", ""},
        {"a://", "@"},
        {"-----BEGIN PRIVATE KEY-----", ""},
        {"eyJaaaaaa.", ""},
        {"bearer ", ""},
        {"-", ""},
        {"--token", ""},
        {"A1a/", ""},
        {"\xff\xfe\x80", ""},
        {"key:", "'"},
        {"token \n", "="},
        {"passwor", "d=x"},
    };
    for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
        struct pm_strbuf text PM_AUTO_STRBUF = {0};
        while (text.length < 100000) pm_strbuf_append(&text, attacks[i].piece);
        pm_strbuf_append(&text, attacks[i].end);
        clock_t start = clock();
        const char *shown = pm_redact_text(redactor, pm_strbuf_text(&text), arena);
        double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
        assert_non_null(shown);
        if (seconds > 5) fail_msg("attack %zu took %.1f s", i, seconds);
    }
    /* A secret behind a text that exhausts the matcher does not come out. */
    struct pm_strbuf text PM_AUTO_STRBUF = {0};
    while (text.length < 200000) pm_strbuf_append(&text, "token:a-");
    pm_strbuf_append(&text, " password=hunter2");
    assert_null(strstr(pm_redact_text(redactor, pm_strbuf_text(&text), arena), "hunter2"));
}

static struct pm_diagnosis *sample(void) {
    static const char *argv[5], *arguments[2];
    static struct pm_env_value environment[2];
    static struct pm_frame frame;
    static struct pm_thread thread;
    static struct pm_object_field fields[4];
    static struct pm_object_detail object;
    struct pm_diagnosis *diagnosis = pm_diagnosis_create();
    memcpy(argv, ((const char *[]){"node", "app.js", "--token", "t0k3n", "--password=pw1"}), sizeof(argv));
    memcpy(arguments, ((const char *[]){"'Bearer abcdefgh123'", "{name: 'O''Brien', age: 7}"}),
           sizeof(arguments));
    environment[0] = (struct pm_env_value){"DB_PASSWORD", "pw2"};
    environment[1] = (struct pm_env_value){"NODE_OPTIONS", "--max-old-space-size=60"};
    frame = (struct pm_frame){
        .function = "login", .arguments = arguments, .argument_count = 2, .receiver = "UserSession {}"};
    thread = (struct pm_thread){.frames = &frame, .frame_count = 1};
    fields[0] = (struct pm_object_field){PM_FIELD_PROPERTY, "password", "'pw3'", 0};
    fields[1] = (struct pm_object_field){PM_FIELD_PROPERTY, "alice@example.com", "7", 0};
    fields[2] = (struct pm_object_field){PM_FIELD_ENTRY, "'alice'", "UserSession", 0x1000};
    fields[3] = (struct pm_object_field){PM_FIELD_VARIABLE, "count", "7", 0};
    object = (struct pm_object_detail){
        .text = "my diary", .summary = "'my diary'", .fields = fields, .field_count = 4};
    diagnosis->process.argv = argv;
    diagnosis->process.argc = 5;
    diagnosis->process.environment = environment;
    diagnosis->process.environment_count = 2;
    diagnosis->process.death = PM_DEATH_UNCAUGHT;
    diagnosis->process.death_message = "Error: no user alice";
    diagnosis->threads = &thread;
    diagnosis->thread_count = 1;
    diagnosis->object = &object;
    return diagnosis;
}

static void redact_sample(enum pm_redaction level, bool heap_strings, struct pm_diagnosis *diagnosis) {
    struct pm_redactor *own = NULL;
    assert_pm_ok(pm_redactor_create(level, &own));
    pm_redact_diagnosis(own, heap_strings, diagnosis);
    pm_redactor_destroy(own);
}

static void test_diagnosis_default(void **state) {
    (void)state;
    struct pm_diagnosis *diagnosis = sample();
    redact_sample(PM_REDACT_DEFAULT, false, diagnosis);
    assert_string_equal(diagnosis->redaction, "default");
    assert_string_equal(diagnosis->process.argv[1], "app.js");
    assert_string_equal(diagnosis->process.argv[3], "[redacted]");
    assert_string_equal(diagnosis->process.argv[4], "--password=[redacted]");
    assert_string_equal(diagnosis->process.environment[0].value, "[redacted]");
    assert_string_equal(diagnosis->process.environment[1].value, "--max-old-space-size=60");
    /* heap strings are the reader's own here */
    assert_string_equal(diagnosis->threads[0].frames[0].arguments[0], "'Bearer abcdefgh123'");
    assert_string_equal(diagnosis->object->fields[0].value, "'pw3'");
    pm_diagnosis_destroy(diagnosis);
}

static void test_diagnosis_heap_strings(void **state) {
    (void)state;
    struct pm_diagnosis *diagnosis = sample();
    redact_sample(PM_REDACT_DEFAULT, true, diagnosis);
    assert_null(strstr(diagnosis->threads[0].frames[0].arguments[0], "abcdefgh123"));
    assert_string_equal(diagnosis->object->fields[0].value, "[redacted]");
    assert_string_equal(diagnosis->object->text, "my diary");
    assert_string_equal(diagnosis->process.death_message, "Error: no user alice");
    pm_diagnosis_destroy(diagnosis);
}

static void test_diagnosis_strict(void **state) {
    (void)state;
    struct pm_diagnosis *diagnosis = sample();
    redact_sample(PM_REDACT_STRICT, false, diagnosis);
    assert_null(strstr(diagnosis->threads[0].frames[0].arguments[1], "Brien"));
    assert_non_null(strstr(diagnosis->threads[0].frames[0].arguments[1], "age: 7"));
    assert_string_equal(diagnosis->threads[0].frames[0].receiver, "UserSession {}");
    assert_string_equal(diagnosis->object->text, "(string hidden)");
    assert_null(strstr(diagnosis->object->summary, "diary"));
    assert_null(strstr(diagnosis->object->fields[1].name, "alice"));
    assert_null(strstr(diagnosis->object->fields[2].name, "alice"));
    assert_string_equal(diagnosis->object->fields[3].name, "count");
    assert_null(strstr(diagnosis->process.death_message, "alice"));
    pm_diagnosis_destroy(diagnosis);
}

static void test_diagnosis_none(void **state) {
    (void)state;
    struct pm_diagnosis *diagnosis = sample();
    redact_sample(PM_REDACT_NONE, true, diagnosis);
    assert_string_equal(diagnosis->process.argv[3], "t0k3n");
    assert_string_equal(diagnosis->process.environment[0].value, "pw2");
    pm_diagnosis_destroy(diagnosis);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),           cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_harmless),         cmocka_unit_test(test_keys),
        cmocka_unit_test(test_hostile),          cmocka_unit_test(test_diagnosis_default),
        cmocka_unit_test(test_diagnosis_none),   cmocka_unit_test(test_diagnosis_heap_strings),
        cmocka_unit_test(test_diagnosis_strict),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
