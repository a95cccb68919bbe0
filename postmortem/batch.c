#include "postmortem/batch.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "postmortem/base/parallel.h"
#include "postmortem/crash.h"

#define MOST_WORKERS 64
#define NO_FILE      SIZE_MAX
/* A row goes through the pipe in one write: no longer than the kernel keeps in one piece (PIPE_BUF, 4096). */
#define ROW_BYTES 4000

enum {
    TEXT_PATH,
    TEXT_KEY,
    TEXT_VERDICT,
    TEXT_DEATH,
    TEXT_FINDING,
    TEXT_HOST,
    TEXT_NODE,
    TEXT_REASON,
    TEXTS
};
/* What each text may take of a row. */
static const size_t text_most[TEXTS] = {1000, 64, 1200, 40, 60, 260, 40, 600};

struct message {
    uint32_t length, present; /* bytes behind it; a bit for each text that is there */
    int32_t severity;
    uint64_t first_ms, last_ms, count, partial;
};

struct shared { /* between the processes */
    atomic_size_t next;
    atomic_size_t at[MOST_WORKERS]; /* the file each worker is at */
    atomic_size_t done;
};

/* Why the parent ended a worker. */
enum ended { NOT_ENDED, ENDED_TIME, ENDED_MEMORY };

struct run {
    const struct pm_options *options;
    const char *const *paths;
    size_t count;
    struct shared *shared;
    struct pm_batch *batch;
    int pipe[2];
    pid_t pids[MOST_WORKERS];
    enum ended ended[MOST_WORKERS];
    size_t watched[MOST_WORKERS]; /* the file that `since` is about */
    double since[MOST_WORKERS];   /* seconds; when the parent saw the worker at it */
    uint64_t most_memory;         /* of one worker, bytes */
    unsigned workers, alive;
    struct pm_strbuf pending;
};

/* ---- a worker ---- */

static void send_row(void *context, const struct pm_batch_row *row) {
    const struct run *run = context;
    const char *const texts[TEXTS] = {row->path,    row->key,  row->verdict,      row->death,
                                      row->finding, row->host, row->node_version, row->reason};
    char bytes[ROW_BYTES];
    struct message message = {.severity = row->severity,
                              .first_ms = row->first_ms,
                              .last_ms = row->last_ms,
                              .count = row->count,
                              .partial = row->partial};
    size_t length = sizeof(message);
    for (unsigned i = 0; i < TEXTS; i++) {
        if (!texts[i]) continue;
        size_t size = strnlen(texts[i], text_most[i]);
        while (texts[i][size] && size && ((unsigned char)texts[i][size] & 0xc0) == 0x80) size--;
        memcpy(bytes + length, texts[i], size);
        bytes[length + size] = 0;
        length += size + 1;
        message.present |= 1u << i;
    }
    message.length = (uint32_t)(length - sizeof(message));
    memcpy(bytes, &message, sizeof(message));
    while (write(run->pipe[1], bytes, length) < 0 && errno == EINTR) {
    }
}
_Static_assert(sizeof(struct message) + 1000 + 64 + 1200 + 40 + 60 + 260 + 40 + 600 + TEXTS < ROW_BYTES,
               "a row fits");

/* The parent looks after memory, too, but only now and then: an array of a billion is refused at once. The
 * sanitizers reserve more than any limit. */
static void limit_memory(const struct run *run) {
#ifndef __SANITIZE_ADDRESS__
    struct rlimit limit;
    rlim_t most = (rlim_t)run->most_memory + (rlim_t)run->most_memory / 4;
    if (getrlimit(RLIMIT_DATA, &limit) != 0 || (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < most))
        return;
    setrlimit(RLIMIT_DATA, &(struct rlimit){most, limit.rlim_max});
#else
    (void)run;
#endif
}

static _Noreturn void work(struct run *run, unsigned worker) {
    close(run->pipe[0]);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); /* a crash of ours must not fill the disk */
    signal(SIGALRM, SIG_DFL);
    limit_memory(run);
    for (size_t i; (i = atomic_fetch_add(&run->shared->next, 1)) < run->count;) {
        atomic_store(&run->shared->at[worker], i);
        if (run->options->timeout) alarm((unsigned)run->options->timeout);
        pm_batch_read(run->options, run->paths[i], send_row, run);
        alarm(0);
        atomic_store(&run->shared->at[worker], NO_FILE);
        atomic_fetch_add(&run->shared->done, 1);
    }
    _exit(0);
}

static bool start_worker(struct run *run, unsigned worker) {
    atomic_store(&run->shared->at[worker], NO_FILE);
    pid_t pid = fork();
    if (pid == 0) work(run, worker);
    run->pids[worker] = pid;
    run->ended[worker] = NOT_ENDED;
    run->watched[worker] = NO_FILE;
    if (pid > 0) run->alive++;
    return pid > 0;
}

/* ---- the parent ---- */

static void add_message(struct run *run, const struct message *message, const char *text) {
    const char *texts[TEXTS] = {0};
    for (unsigned i = 0; i < TEXTS; i++)
        if (message->present & 1u << i) {
            texts[i] = text;
            text += strlen(text) + 1;
        }
    struct pm_batch_row row = {
        .path = texts[TEXT_PATH] ? texts[TEXT_PATH] : "",
        .key = texts[TEXT_KEY],
        .verdict = texts[TEXT_VERDICT],
        .death = texts[TEXT_DEATH],
        .finding = texts[TEXT_FINDING],
        .host = texts[TEXT_HOST],
        .node_version = texts[TEXT_NODE],
        .reason = texts[TEXT_REASON],
        .first_ms = message->first_ms,
        .last_ms = message->last_ms,
        .count = message->count,
        .partial = message->partial,
        .severity = message->severity,
    };
    pm_batch_add(run->batch, &row);
}

/* The rows that have come whole; the start of another one waits. */
static void take_rows(struct run *run) {
    size_t at = 0;
    struct message message;
    while (run->pending.length - at >= sizeof(message)) {
        memcpy(&message, run->pending.bytes + at, sizeof(message));
        if (run->pending.length - at - sizeof(message) < message.length) break;
        add_message(run, &message, run->pending.bytes + at + sizeof(message));
        at += sizeof(message) + message.length;
    }
    if (!at) return;
    memmove(run->pending.bytes, run->pending.bytes + at, run->pending.length - at);
    run->pending.length -= at;
}

static bool receive(struct run *run, int timeout_ms) {
    char bytes[65536];
    struct pollfd poller = {.fd = run->pipe[0], .events = POLLIN};
    if (poll(&poller, 1, timeout_ms) <= 0 || !(poller.revents & POLLIN)) return false;
    ssize_t got = read(run->pipe[0], bytes, sizeof(bytes));
    if (got <= 0) return false;
    pm_strbuf_append_bytes(&run->pending, bytes, (size_t)got);
    take_rows(run);
    return true;
}

/* A worker that did not end by itself leaves the file it was at. */
static void note_death(struct run *run, unsigned worker, int status) {
    size_t at = atomic_load(&run->shared->at[worker]);
    char reason[120];
    if (at >= run->count) return;
    atomic_fetch_add(&run->shared->done, 1);
    if (run->ended[worker] == ENDED_MEMORY)
        snprintf(reason, sizeof(reason), "needed more than %" PRIu64 " MB of memory (--max-memory)",
                 run->most_memory >> 20);
    else if (run->ended[worker] == ENDED_TIME || (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM))
        snprintf(reason, sizeof(reason), "took longer than %zu seconds (--timeout)", run->options->timeout);
    else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        snprintf(reason, sizeof(reason),
                 "the reader was killed from outside: by the kernel for want of memory?");
    else if (WIFSIGNALED(status))
        snprintf(reason, sizeof(reason), "the reader died of %s: a mistake of postmortem, please report it",
                 strsignal(WTERMSIG(status)));
    else
        snprintf(reason, sizeof(reason), "the reader gave up with exit code %d", WEXITSTATUS(status));
    struct pm_batch_row row = {.path = run->paths[at],
                               .reason = reason,
                               .count = 1,
                               .first_ms = PM_UNKNOWN,
                               .last_ms = PM_UNKNOWN,
                               .severity = -1};
    pm_batch_add(run->batch, &row);
}

/* Private memory: what is mapped of files the kernel takes back by itself. 0 = not known. */
static uint64_t memory_of(pid_t pid) {
    char path[64];
    unsigned long long size, resident, shared;
    snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
    FILE *file PM_AUTO_FCLOSE = fopen(path, "r");
    if (!file || fscanf(file, "%llu %llu %llu", &size, &resident, &shared) != 3 || resident < shared)
        return 0;
    return (resident - shared) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* The worker's own alarm comes first; this one is for a worker that cannot take it any more. */
static void watch(struct run *run, unsigned worker) {
    size_t at = atomic_load(&run->shared->at[worker]);
    double seconds = now();
    if (at != run->watched[worker]) {
        run->watched[worker] = at;
        run->since[worker] = seconds;
    }
    if (run->ended[worker] || at == NO_FILE) return;
    if (memory_of(run->pids[worker]) > run->most_memory) run->ended[worker] = ENDED_MEMORY;
    if (run->options->timeout && seconds - run->since[worker] > (double)run->options->timeout + 2)
        run->ended[worker] = ENDED_TIME;
    if (run->ended[worker]) kill(run->pids[worker], SIGKILL);
}

static void look_after_workers(struct run *run) {
    for (unsigned i = 0; i < run->workers; i++) {
        int status;
        if (run->pids[i] > 0) watch(run, i);
        if (run->pids[i] <= 0 || waitpid(run->pids[i], &status, WNOHANG) != run->pids[i]) continue;
        run->pids[i] = 0;
        run->alive--;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) continue;
        note_death(run, i, status);
        start_worker(run, i);
    }
}

static void finish(struct run *run) {
    while (receive(run, 0)) {
    }
    if (run->pipe[0] >= 0) close(run->pipe[0]);
    if (run->pipe[1] >= 0) close(run->pipe[1]);
    munmap(run->shared, sizeof(*run->shared));
    pm_strbuf_deinit(&run->pending);
}

/* Of a line "NAME: 1234 kB" or "1234" of a file; 0 = not there. */
static uint64_t number_in(const char *path, const char *name, uint64_t unit) {
    char line[256];
    unsigned long long value = 0;
    FILE *file PM_AUTO_FCLOSE = fopen(path, "r");
    while (file && fgets(line, sizeof(line), file))
        if (!strncmp(line, name, strlen(name)) && sscanf(line + strlen(name), "%llu", &value) == 1)
            return value * unit;
    return 0;
}

/* What one reader may take: its share of what is free here, in the machine and in the container. */
static uint64_t share_of_memory(const struct run *run) {
    static const char *const limits[] = {"/sys/fs/cgroup/memory.max",
                                         "/sys/fs/cgroup/memory/memory.limit_in_bytes"};
    uint64_t free_bytes = number_in("/proc/meminfo", "MemAvailable:", 1024), least = 256ull << 20;
    if (run->options->max_memory) return (uint64_t)run->options->max_memory << 20;
    if (!free_bytes) return UINT64_MAX / 2;
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        uint64_t limit = number_in(limits[i], "", 1);
        if (limit && limit < free_bytes) free_bytes = limit;
    }
    free_bytes = free_bytes / 10 * 9 / (run->workers ? run->workers : 1);
    return free_bytes > least ? free_bytes : least;
}

struct pm_error *pm_batch_run(const struct pm_options *options, const char *const *paths, size_t count,
                              pm_progress *progress, struct pm_batch *batch) {
    struct run run = {.options = options, .paths = paths, .count = count, .batch = batch, .pipe = {-1, -1}};
    run.shared = mmap(NULL, sizeof(*run.shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (run.shared == MAP_FAILED) return pm_error_nomem();
    run.workers = pm_parallel_workers();
    if (run.workers > MOST_WORKERS) run.workers = MOST_WORKERS;
    if (run.workers > count) run.workers = (unsigned)count;
    run.most_memory = share_of_memory(&run);
    fflush(NULL); /* or each worker would write it again */
    bool good = pipe(run.pipe) == 0;
    for (unsigned i = 0; good && i < run.workers; i++) good = start_worker(&run, i) || i > 0;
    if (!good) {
        finish(&run);
        return pm_error_create(PM_ERR_IO, "no worker process could be started: %s", strerror(errno));
    }
    while (run.alive) {
        receive(&run, 100);
        look_after_workers(&run);
        if (progress) progress("reading the files", atomic_load(&run.shared->done), count);
    }
    finish(&run);
    pm_batch_finish(batch);
    return NULL;
}
