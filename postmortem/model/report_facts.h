/* report_facts.h - what a diagnostic report says (process.report, --report-on-fatalerror ...), reportVersion
 * 1 to 5, as plain data. One spelling for all versions; docs/json.md says which version has what.
 *
 * Knows no JSON. OWNERSHIP  everything hangs in the diagnosis' arena. All texts are untrusted.
 * UNKNOWN    not in the file, null or of a wrong type: PM_UNKNOWN, NULL, PM_MAYBE, a double NAN. A limit that
 * is none ("unlimited", or the numbers over 2^62 that libuv gives without a cgroup) is PM_UNLIMITED. */
#ifndef PM_MODEL_REPORT_FACTS_H
#define PM_MODEL_REPORT_FACTS_H

#include "postmortem/model/diagnosis.h"

#define PM_UNLIMITED (UINT64_MAX - 1)

/* Is it a number one can count with? */
static inline bool pm_is_number(uint64_t value) {
    return value < PM_UNLIMITED;
}

enum pm_maybe { PM_MAYBE, PM_NO, PM_YES }; /* zero = not known */

struct pm_report_cpu {
    const char *model;
    uint64_t speed;                      /* MHz */
    uint64_t user, nice, sys, idle, irq; /* ms since boot, of the whole machine */
};

struct pm_report_interface {
    const char *name, *mac, *address, *netmask, *family;
    uint64_t scope_id;
    enum pm_maybe internal;
};

struct pm_report_header {
    uint64_t report_version;
    const char *event, *trigger; /* "Exception", "OOMError", "Signal", "API", "FatalError" */
    const char *filename;        /* NULL in the report of a worker inside another */
    const char *time;            /* dumpEventTime: local time without a zone */
    uint64_t time_ms;            /* dumpEventTimeStamp: ms since 1970 */
    uint64_t pid, thread_id;     /* thread 0 is the main thread; PM_UNKNOWN in some out-of-memory reports */
    const char *cwd;
    const char **argv; /* NULL = not in the file */
    size_t argc;
    const char *node_version; /* without the v */
    const char *glibc_runtime, *glibc_compiler;
    uint64_t word_size;
    const char *arch, *platform;
    struct pm_env_value *components; /* componentVersions: v8, uv, openssl ... */
    size_t component_count;
    const char *release_name, *release_lts, *release_headers_url, *release_source_url, *release_lib_url;
    const char *os_name, *os_release, *os_version, *os_machine;
    struct pm_report_cpu *cpus;
    size_t cpu_count;
    bool has_cpus;
    struct pm_report_interface *interfaces;
    size_t interface_count;
    bool has_interfaces; /* false: --report-exclude-network, or not in the file */
    const char *host;
};

/* javascriptStack. `lines` as written; `frames` are those lines that could be read as a frame ("at f
 * (file:1:2)"), is_async set for "at async". A stack that is "Unavailable" has no lines here: what stood
 * there is in `unavailable`. */
struct pm_report_error {
    const char *message;
    const char *unavailable;
    const char **lines;
    size_t line_count;
    struct pm_frame *frames;
    size_t frame_count;
    struct pm_env_value *properties; /* errorProperties: own properties of the error as text */
    size_t property_count;
};

struct pm_report_native_frame {
    uint64_t pc;
    const char *symbol; /* NULL = has none */
    const char *module; /* path, where it stands behind the symbol in brackets */
};

struct pm_report_space {
    const char *name; /* of v8.getHeapSpaceStatistics() */
    uint64_t size, committed, capacity, used, available;
};

struct pm_report_heap {
    uint64_t total, executable, total_committed, available, global_handles, used_global_handles, used, limit,
        malloced, external, peak_malloced, native_contexts, detached_contexts, zaps_garbage;
    struct pm_report_space *spaces;
    size_t space_count;
};

/* resourceUsage and uvthreadResourceUsage (the thread that runs the loop; no memory in that one). */
struct pm_report_usage {
    double user_cpu_seconds, kernel_cpu_seconds;
    double cpu_percent, user_cpu_percent, kernel_cpu_percent; /* of one core, since the start */
    uint64_t rss, max_rss, free_memory, total_memory, constrained_memory, available_memory; /* bytes */
    uint64_t major_faults, minor_faults; /* pageFaults: IORequired, IONotRequired */
    uint64_t fs_reads, fs_writes;
};

enum pm_handle_kind {
    PM_HANDLE_OTHER,
    PM_HANDLE_LOOP,
    PM_HANDLE_ASYNC,
    PM_HANDLE_CHECK,
    PM_HANDLE_FS_EVENT,
    PM_HANDLE_FS_POLL,
    PM_HANDLE_IDLE,
    PM_HANDLE_PIPE,
    PM_HANDLE_POLL,
    PM_HANDLE_PREPARE,
    PM_HANDLE_PROCESS,
    PM_HANDLE_SIGNAL,
    PM_HANDLE_TCP,
    PM_HANDLE_TIMER,
    PM_HANDLE_TTY,
    PM_HANDLE_UDP,
};

struct pm_report_endpoint {
    const char *host; /* NULL = no endpoint; a pipe's is its path */
    const char *ip;   /* ip4 or ip6 */
    uint64_t port;
};

/* One libuv handle. What a kind of handle does not have is unknown. */
struct pm_report_handle {
    enum pm_handle_kind kind;
    const char *type; /* as written */
    pm_addr address;
    enum pm_maybe active, referenced;
    uint64_t fd;
    struct pm_report_endpoint local, remote;
    uint64_t send_buffer, receive_buffer, write_queue_bytes, write_queue_count;
    enum pm_maybe readable, writable;
    double fires_in_ms; /* timers: negative = overdue; NAN = unknown */
    uint64_t repeat_ms;
    enum pm_maybe expired;
    const char *filename; /* fs_event, fs_poll */
    uint64_t pid;         /* process */
    uint64_t signal;
    const char *signal_name;
    uint64_t width, height; /* tty */
    double idle_seconds;    /* loop: loopIdleTimeSeconds */
};

struct pm_report_limit {
    const char *name; /* as written: open_files, data_seg_size_kbytes ... */
    uint64_t soft,
        hard; /* PM_UNLIMITED; bytes where the name says blocks or kbytes, too: Node writes bytes */
};

enum pm_report_section {
    PM_REPORT_HEADER = 1 << 0,
    PM_REPORT_JS_STACK = 1 << 1,
    PM_REPORT_NATIVE_STACK = 1 << 2,
    PM_REPORT_HEAP = 1 << 3,
    PM_REPORT_USAGE = 1 << 4,
    PM_REPORT_THREAD_USAGE = 1 << 5,
    PM_REPORT_LIBUV = 1 << 6,
    PM_REPORT_WORKERS = 1 << 7,
    PM_REPORT_ENVIRONMENT = 1 << 8, /* missing: --report-exclude-env, or cut */
    PM_REPORT_LIMITS = 1 << 9,
    PM_REPORT_OBJECTS = 1 << 10,
};

struct pm_report_facts {
    size_t input;      /* index in diagnosis->inputs, also in the report of a worker */
    unsigned sections; /* of enum pm_report_section: what is in the file */
    bool complete;     /* false = the file is cut or damaged; what came before that is here */
    struct pm_report_header header;
    struct pm_report_error error;
    struct pm_report_native_frame *native_stack;
    size_t native_count;
    struct pm_report_heap heap;
    struct pm_report_usage usage, thread_usage;
    struct pm_report_handle *handles;
    size_t handle_count;
    struct pm_report_facts
        *workers; /* reports of the worker threads of this process; theirs have no input of their own */
    size_t worker_count;
    struct pm_env_value *environment; /* all of it, unlike pm_process */
    size_t environment_count;
    struct pm_report_limit *limits;
    size_t limit_count;
    const char **shared_objects;
    size_t shared_object_count;
};

/* The limit whose name begins with `name` and goes on with a unit or nothing ("open_files",
 * "core_file_size"); NULL. */
const struct pm_report_limit *pm_report_limit(const struct pm_report_facts *facts, const char *name);
/* componentVersions[name], environmentVariables[name]; NULL. */
const char *pm_report_component(const struct pm_report_facts *facts, const char *name);
const char *pm_report_variable(const struct pm_report_facts *facts, const char *name);
const struct pm_report_space *pm_report_space(const struct pm_report_facts *facts, const char *name);

#endif
