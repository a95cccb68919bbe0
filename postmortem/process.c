#include "postmortem/process.h"

#include <errno.h>
#include <fnmatch.h>
#include <signal.h>
#include <string.h>

#include "parsers/signal_frame.h"
#include "postmortem/base/vec.h"

/* Names whose values explain a death; nothing else is shown. Values are redacted before. */
static const char *const wanted_names[] = {
    "NODE_OPTIONS",           "NODE_ENV",   "NODE_DEBUG",   "UV_THREADPOOL_SIZE",
    "UV_USE_IO_URING",        "HOSTNAME",   "TZ",           "MALLOC_ARENA_MAX",
    "MALLOC_TRIM_THRESHOLD_", "LD_PRELOAD", "KUBERNETES_*",
};

bool pm_process_wants(const char *name) {
    for (size_t i = 0; i < sizeof(wanted_names) / sizeof(wanted_names[0]); i++)
        if (fnmatch(wanted_names[i], name, 0) == 0) return true;
    return false;
}

static struct pm_error *read_environment(const struct pm_core *core, struct pm_diagnosis *diagnosis) {
    struct pm_process *process = &diagnosis->process;
    size_t count = 0;
    char **variables PM_AUTO_FREE = pm_core_environ(core, &count);
    if (!variables) return NULL;
    process->environment = pm_arena_array(diagnosis->arena, count + 1, sizeof(*process->environment));
    process->whole_environment = pm_arena_array(diagnosis->arena, count + 1, sizeof(*process->environment));
    if (!process->environment || !process->whole_environment) return pm_error_nomem();
    for (size_t i = 0; i < count; i++) {
        const char *equals = strchr(variables[i], '=');
        if (!equals) continue;
        char *name = pm_arena_copy(diagnosis->arena, variables[i], (size_t)(equals - variables[i]));
        char *value = pm_arena_strdup(diagnosis->arena, equals + 1);
        struct pm_env_value row = {name, value};
        if (!name || !value) return pm_error_nomem();
        process->whole_environment[process->whole_environment_count++] = row;
        if (pm_process_wants(name)) process->environment[process->environment_count++] = row;
    }
    return NULL;
}

static struct pm_error *read_command_line(const struct pm_core *core, struct pm_diagnosis *diagnosis) {
    struct pm_process *process = &diagnosis->process;
    size_t count = 0;
    char **argv PM_AUTO_FREE = pm_core_argv(core, &count);
    if (!argv || !count) return NULL;
    process->argv = pm_arena_array(diagnosis->arena, count, sizeof(*process->argv));
    if (!process->argv) return pm_error_nomem();
    for (size_t i = 0; i < count; i++) {
        process->argv[i] = pm_arena_strdup(diagnosis->arena, argv[i]);
        if (!process->argv[i]) return pm_error_nomem();
    }
    process->argc = count;
    return NULL;
}

/* --max-old-space-size=60, --max_old_space_size=60 or the number in the next word: MiB. */
static uint64_t megabytes(const char *word, const char *next, const char *name) {
    while (*word == '-') word++;
    for (; *name; name++, word++)
        if (*word != *name && !(*name == '-' && *word == '_')) return PM_UNKNOWN;
    const char *number = *word == '=' ? word + 1 : *word ? NULL : next;
    if (!number || *number < '0' || *number > '9') return PM_UNKNOWN;
    errno = 0;
    uint64_t value = strtoull(number, NULL, 10);
    return errno || value > UINT64_MAX >> 20 ? PM_UNKNOWN : value << 20;
}

static void read_flag(struct pm_process *process, const char *word, const char *next) {
    uint64_t old = megabytes(word, next, "max-old-space-size"),
             semi = megabytes(word, next, "max-semi-space-size");
    if (old != PM_UNKNOWN) process->max_old_space_flag = old;
    if (semi != PM_UNKNOWN) process->max_semi_space_flag = semi;
}

/* NODE_OPTIONS first: the command line wins, as in Node. Node's own flags end at the script's name. */
void pm_process_read_flags(struct pm_process *process) {
    for (size_t i = 0; i < process->environment_count; i++) {
        if (strcmp(process->environment[i].name, "NODE_OPTIONS") != 0) continue;
        char *copy PM_AUTO_FREE = strdup(process->environment[i].value), *rest = NULL;
        char *word = copy ? strtok_r(copy, " ", &rest) : NULL;
        while (word) {
            char *next = strtok_r(NULL, " ", &rest);
            read_flag(process, word, next);
            word = next;
        }
    }
    for (size_t i = 1; i < process->argc && process->argv[i][0] == '-'; i++)
        read_flag(process, process->argv[i], i + 1 < process->argc ? process->argv[i + 1] : NULL);
}

static bool was_sent(int code) {
    return code == SI_USER || code == SI_QUEUE || code == SI_TKILL;
}

static void read_signal(const struct pm_core *core, struct pm_process *process) {
    const struct pm_core_info *info = pm_core_info(core);
    const struct pm_core_thread *thread = pm_core_thread_count(core) ? pm_core_thread(core, 0) : NULL;
    if (info->has_siginfo) {
        struct pm_signal_frame told = {info->signal, info->signal_code, info->sender_pid,
                                       info->fault_address},
                               first;
        /* Raised again by the process itself: the first one counts. */
        if (thread && was_sent(told.code) && told.sender_pid == info->pid &&
            pm_signal_frame_find(core, thread, &first) && first.signal == told.signal)
            told = first;
        process->signal = (uint64_t)told.signal;
        process->signal_code = (uint64_t)(int64_t)told.code;
        if (was_sent(told.code) && told.sender_pid != info->pid) process->sender_pid = told.sender_pid;
        bool faulted =
            told.signal == SIGSEGV || told.signal == SIGBUS || told.signal == SIGILL || told.signal == SIGFPE;
        /* Positive codes are the kernel's; SI_KERNEL (0x80) is a general protection fault without an address.
         */
        if (faulted && told.code > 0 && told.code < 0x80) {
            process->fault_address = told.fault_address;
            process->has_fault_address = true;
        }
    } else if (thread && thread->signal) {
        process->signal = (uint64_t)thread->signal;
    }
}

struct pm_error *pm_process_read(const struct pm_core *core, struct pm_diagnosis *diagnosis) {
    const struct pm_core_info *info = pm_core_info(core);
    struct pm_process *process = &diagnosis->process;
    diagnosis->has_process = true;
    if (info->pid) process->pid = info->pid;
    process->arch = info->machine == PM_MACHINE_AARCH64 ? "arm64" : "x64";
    process->program = pm_arena_strdup(diagnosis->arena, info->name);
    process->title = pm_arena_strdup(diagnosis->arena, info->args);
    read_signal(core, process);
    PM_TRY(read_command_line(core, diagnosis));
    PM_TRY(read_environment(core, diagnosis));
    pm_process_read_flags(process);
    return NULL;
}
