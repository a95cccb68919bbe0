/* Around the program, as a report tells it: libraries that do not fit, workers, page faults, secrets in the
 * environment. */
#include <ctype.h>
#include <string.h>

#include "postmortem/base/strbuf.h"
#include "postmortem/detect/detector.h"
#include "postmortem/detect/report_finding.h"
#include "postmortem/detect/report_thresholds.h"

/* ---- libraries ---- */

/* Libraries that are built into node and whose file name carries their own version: what was loaded beside.
 */
static const struct {
    const char *file, *component, *title;
} libraries[] = {
    {"libssl.so.", "openssl", "OpenSSL"},
    {"libcrypto.so.", "openssl", "OpenSSL"},
    {"libicuuc.so.", "icu", "ICU"},
    {"libicui18n.so.", "icu", "ICU"},
    {"libuv.so.", "uv", "libuv"},
    {"libz.so.", "zlib", "zlib"},
    {"libbrotlidec.so.", "brotli", "Brotli"},
    {"libzstd.so.", "zstd", "zstd"},
};

/* Do two versions agree as far as the shorter one goes: 3 and 3.0.16 do, 1.1 and 3.0.16 do not. */
static bool versions_agree(const char *a, const char *b) {
    for (;;) {
        size_t left = strspn(a, "0123456789"), right = strspn(b, "0123456789");
        if (!left || !right) return true;
        if (left != right || memcmp(a, b, left) != 0) return false;
        a += left;
        b += right;
        if (*a != '.' || *b != '.') return true;
        a++;
        b++;
    }
}

static struct pm_error *library_mismatch(struct pm_diagnosis *diagnosis,
                                         const struct pm_report_facts *facts) {
    const char *said = NULL;
    for (size_t i = 0; i < facts->shared_object_count; i++) {
        const char *path = facts->shared_objects[i], *slash = strrchr(path, '/'),
                   *file = slash ? slash + 1 : path;
        for (size_t k = 0; k < sizeof(libraries) / sizeof(libraries[0]); k++) {
            size_t length = strlen(libraries[k].file);
            const char *built = pm_report_component(facts, libraries[k].component);
            if (strncmp(file, libraries[k].file, length) != 0 || !built ||
                versions_agree(file + length, built))
                continue;
            if (said == libraries[k].title) continue;
            said = libraries[k].title;
            struct pm_claim claim =
                pm_claim_begin(diagnosis, "library-mismatch", PM_SEVERITY_MEDIUM, PM_CONFIDENCE_MEDIUM);
            pm_claim_title(&claim, "two versions of %s in one process", libraries[k].title);
            pm_claim_text(&claim, "%s %s is built into node, and %s of the system is loaded beside it.",
                          libraries[k].title, built, path);
            const char *preload = pm_report_variable(facts, "LD_PRELOAD");
            if (preload) pm_claim_evidence(&claim, "LD_PRELOAD=%s", preload);
            pm_claim_advice(&claim, "A native addon (or LD_PRELOAD) brings its own copy: symbols of one may "
                                    "be used with data of the other, "
                                    "which crashes at random. Rebuild the addon against this Node.js.");
            PM_TRY(pm_claim_end(&claim));
        }
    }
    return NULL;
}

/* Does version a come before b? */
static bool is_older(const char *a, const char *b) {
    while (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
        unsigned long left = 0, right = 0;
        for (; isdigit((unsigned char)*a) && left < 100000000; a++)
            left = 10 * left + (unsigned long)(*a - '0');
        for (; isdigit((unsigned char)*b) && right < 100000000; b++)
            right = 10 * right + (unsigned long)(*b - '0');
        if (left != right) return left < right;
        if (*a == '.') a++;
        if (*b == '.') b++;
    }
    return false;
}

static struct pm_error *old_libc(struct pm_diagnosis *diagnosis, const struct pm_report_facts *facts) {
    const char *runtime = facts->header.glibc_runtime, *compiler = facts->header.glibc_compiler;
    if (!runtime || !compiler || !is_older(runtime, compiler)) return NULL;
    struct pm_claim claim = pm_claim_begin(diagnosis, "old-libc", PM_SEVERITY_HIGH, PM_CONFIDENCE_HIGH);
    pm_claim_title(&claim, "the C library is older than node expects");
    pm_claim_text(&claim, "node was built against glibc %s and runs with %s.", compiler, runtime);
    pm_claim_advice(&claim, "Use a node binary or a base image that fit each other.");
    return pm_claim_end(&claim);
}

/* ---- workers ---- */

static struct pm_error *workers(struct pm_diagnosis *diagnosis, const struct pm_report_facts *facts) {
    uint64_t heap = 0;
    struct pm_arena *arena = diagnosis->arena;
    if (facts->worker_count < PM_WORKERS_SOME ||
        (facts->header.cpu_count && facts->worker_count < 2 * facts->header.cpu_count))
        return NULL;
    for (size_t i = 0; i < facts->worker_count; i++)
        if (pm_is_number(facts->workers[i].heap.total_committed))
            heap += facts->workers[i].heap.total_committed;
    struct pm_claim claim = pm_claim_begin(diagnosis, "many-workers", PM_SEVERITY_MEDIUM, PM_CONFIDENCE_HIGH);
    pm_claim_title(&claim, "%zu worker threads", facts->worker_count);
    pm_claim_text(&claim, "%zu worker threads run on %zu cores; their heaps take %s, each has its own limit.",
                  facts->worker_count, facts->header.cpu_count, pm_report_bytes(arena, heap));
    for (size_t i = 0; i < facts->worker_count && i < 5; i++)
        pm_claim_evidence(&claim, "worker %llu: heap %s used",
                          (unsigned long long)facts->workers[i].header.thread_id,
                          pm_report_bytes(arena, facts->workers[i].heap.used));
    pm_claim_advice(&claim, "Use a pool with as many workers as cores, and terminate() those that are done.");
    return pm_claim_end(&claim);
}

/* ---- paging ---- */

static struct pm_error *page_faults(struct pm_diagnosis *diagnosis, const struct pm_report_facts *facts) {
    double uptime = pm_report_uptime(facts);
    uint64_t faults = facts->usage.major_faults;
    if (!pm_is_number(faults) || faults < PM_FAULTS_LEAST || !(uptime > 0) ||
        (double)faults / uptime < PM_FAULTS_PER_SECOND)
        return NULL;
    struct pm_claim claim =
        pm_claim_begin(diagnosis, "page-faults", PM_SEVERITY_MEDIUM, PM_CONFIDENCE_MEDIUM);
    pm_claim_title(&claim, "memory is read back from the disk");
    pm_claim_text(
        &claim,
        "%s page faults needed the disk (%.0f in a second): memory is swapped out, a mapped file is "
        "read, or the container is so full that its own binaries are dropped from memory.",
        pm_report_count_text(diagnosis->arena, faults), (double)faults / uptime);
    pm_claim_evidence(&claim, "resident: %s", pm_report_bytes(diagnosis->arena, facts->usage.rss));
    pm_claim_advice(&claim, "Garbage collection touches all memory: with swap a heap that does not fit "
                            "becomes a standstill. Give it "
                            "the memory it needs.");
    return pm_claim_end(&claim);
}

/* ---- secrets ---- */

/* After rtk's list of names. */
static bool is_secret_name(const char *name) {
    static const char *const parts[] = {"PASSWORD",    "PASSWD",     "PASSPHRASE", "SECRET",
                                        "TOKEN",       "API_KEY",    "APIKEY",     "ACCESS_KEY",
                                        "PRIVATE_KEY", "CREDENTIAL", "SESSION_ID", "VCAP_SERVICES"};
    char upper[128];
    size_t length = 0;
    for (; name[length] && length + 1 < sizeof(upper); length++)
        upper[length] =
            name[length] == '-' || name[length] == '.' ? '_' : (char)toupper((unsigned char)name[length]);
    upper[length] = 0;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (strstr(upper, parts[i])) return true;
    return false;
}

/* scheme://user:password@host */
static bool has_password(const char *value) {
    const char *scheme = value ? strstr(value, "://") : NULL;
    if (!scheme) return false;
    size_t authority = strcspn(scheme + 3, "/?# ");
    const char *at = memchr(scheme + 3, '@', authority),
               *colon = at ? memchr(scheme + 3, ':', (size_t)(at - scheme - 3)) : NULL;
    return colon && at - colon > 1;
}

static struct pm_error *secrets(struct pm_diagnosis *diagnosis, const struct pm_report_facts *facts) {
    struct pm_strbuf names PM_AUTO_STRBUF = {0};
    size_t count = 0;
    for (size_t i = 0; i < facts->environment_count; i++) {
        const struct pm_env_value *row = &facts->environment[i];
        if (!row->value || !*row->value || (!is_secret_name(row->name) && !has_password(row->value)))
            continue;
        if (count++ < 12) pm_strbuf_appendf(&names, "%s%s", count > 1 ? ", " : "", row->name);
    }
    if (!count) return NULL;
    struct pm_claim claim =
        pm_claim_begin(diagnosis, "secrets-in-report", PM_SEVERITY_INFO, PM_CONFIDENCE_MEDIUM);
    pm_claim_title(&claim, "the report file holds secrets");
    pm_claim_text(
        &claim, "The report file has the values of %zu environment variable%s that look like secrets (%s%s).",
        count, count == 1 ? "" : "s", pm_strbuf_text(&names), count > 12 ? ", ..." : "");
    pm_claim_advice(&claim, "Do not pass the file on as it is (this output has no values). "
                            "--report-exclude-env keeps them out, where "
                            "this Node.js knows it.");
    return pm_claim_end(&claim);
}

static struct pm_error *run(struct pm_diagnosis *diagnosis, const struct pm_heap_view *heap) {
    const struct pm_report_facts *facts = pm_report_to_judge(diagnosis);
    (void)heap;
    PM_TRY(workers(diagnosis, facts));
    PM_TRY(old_libc(diagnosis, facts));
    PM_TRY(library_mismatch(diagnosis, facts));
    PM_TRY(page_faults(diagnosis, facts));
    return secrets(diagnosis, facts);
}

const struct pm_detector pm_detect_report_system = {
    .name = "report-system",
    .summary = "libraries that do not fit, many workers, paging, secrets in the environment",
    .needs = PM_NEEDS_REPORT,
    .run = run,
};
