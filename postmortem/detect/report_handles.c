/* libuv's handles, as a report lists them: connections by peer, kinds that pile up, data nobody reads,
 * descriptors near the limit. */
#include <stdlib.h>
#include <string.h>

#include "postmortem/base/sort.h"
#include "postmortem/detect/detector.h"
#include "postmortem/detect/report_finding.h"
#include "postmortem/detect/report_thresholds.h"

/* ---- connections by peer ---- */

static bool is_connection(const struct pm_report_handle *handle) {
    return handle->kind == PM_HANDLE_TCP && handle->remote.host && handle->remote.port != PM_UNKNOWN;
}

static const char *peer_of(const struct pm_report_handle *handle) {
    return handle->remote.ip ? handle->remote.ip : handle->remote.host;
}

/* Ports that this process listens on: connections to them are clients. */
struct ports {
    bool own[65536];
};

static void find_ports(const struct pm_report_facts *facts, struct ports *ports) {
    for (size_t i = 0; i < facts->handle_count; i++) {
        const struct pm_report_handle *handle = &facts->handles[i];
        if (handle->kind == PM_HANDLE_TCP && !handle->remote.host && handle->local.host &&
            handle->local.port < 65536 && handle->readable != PM_YES)
            ports->own[handle->local.port] = true;
    }
}

static int compare_outgoing(const void *left, const void *right) {
    const struct pm_report_handle *a = *(const struct pm_report_handle *const *)left;
    const struct pm_report_handle *b = *(const struct pm_report_handle *const *)right;
    int peers = strcmp(peer_of(a), peer_of(b));
    return peers ? peers : (a->remote.port > b->remote.port) - (a->remote.port < b->remote.port);
}

static int compare_incoming(const void *left, const void *right) {
    const struct pm_report_handle *a = *(const struct pm_report_handle *const *)left;
    const struct pm_report_handle *b = *(const struct pm_report_handle *const *)right;
    return (a->local.port > b->local.port) - (a->local.port < b->local.port);
}

static struct pm_error *say_connections(struct pm_diagnosis *diagnosis,
                                        const struct pm_report_handle *const *group, size_t count,
                                        bool incoming) {
    const struct pm_report_handle *one = group[0];
    struct pm_arena *arena = diagnosis->arena;
    size_t idle = 0;
    for (size_t i = 0; i < count; i++) idle += group[i]->active == PM_NO;
    struct pm_claim claim = pm_claim_begin(
        diagnosis, incoming ? "many-clients" : "many-connections",
        count >= PM_CONNECTIONS_MANY ? PM_SEVERITY_HIGH : PM_SEVERITY_MEDIUM, PM_CONFIDENCE_HIGH);
    if (incoming) {
        pm_claim_title(&claim, "%s connections of clients are open", pm_report_count_text(arena, count));
        pm_claim_text(&claim, "%s connections to the server at port %llu are open.",
                      pm_report_count_text(arena, count), (unsigned long long)one->local.port);
        pm_claim_advice(&claim, "If clients do not need them all: set keepAliveTimeout, requestTimeout, "
                                "maxConnections of the server, "
                                "and close sockets that were accepted and never answered.");
    } else {
        pm_claim_title(&claim, "%s connections to one peer", pm_report_count_text(arena, count));
        pm_claim_text(&claim, "%s connections to \"%s:%llu\" are open.", pm_report_count_text(arena, count),
                      peer_of(one), (unsigned long long)one->remote.port);
        pm_claim_advice(&claim, "Use one agent or pool with a limit (http.Agent maxSockets, a database "
                                "pool's max), read or destroy every "
                                "response, and close connections when done.");
    }
    pm_claim_evidence(&claim, "host \"%s\", %zu of them not reading", one->remote.host, idle);
    return pm_claim_end(&claim);
}

static struct pm_error *connections(struct pm_diagnosis *diagnosis, const struct pm_report_facts *facts,
                                    const struct ports *ports, bool incoming) {
    const struct pm_report_handle **rows PM_AUTO_FREE = calloc(facts->handle_count + 1, sizeof(*rows));
    size_t count = 0;
    if (!rows) return pm_error_nomem();
    for (size_t i = 0; i < facts->handle_count; i++) {
        const struct pm_report_handle *handle = &facts->handles[i];
        bool own = handle->local.port < 65536 && ports->own[handle->local.port];
        if (is_connection(handle) && own == incoming) rows[count++] = handle;
    }
    int (*compare)(const void *, const void *) = incoming ? compare_incoming : compare_outgoing;
    pm_sort(rows, count, sizeof(*rows), compare);
    for (size_t start = 0, end; start < count; start = end) {
        for (end = start + 1; end < count && !compare(&rows[start], &rows[end]);) end++;
        if (end - start >= PM_CONNECTIONS_SOME)
            PM_TRY(say_connections(diagnosis, rows + start, end - start, incoming));
    }
    return NULL;
}

/* ---- kinds that pile up ---- */

static struct pm_error *pile(struct pm_diagnosis *diagnosis, const struct pm_report_facts *facts,
                             enum pm_handle_kind kind, const char *words, size_t least, const char *advice) {
    size_t count = 0, same = 0;
    const struct pm_report_handle *first = NULL;
    for (size_t i = 0; i < facts->handle_count; i++) {
        const struct pm_report_handle *handle = &facts->handles[i];
        if (handle->kind != kind) continue;
        count++;
        if (!first) first = handle;
        same += handle->filename && first->filename && !strcmp(handle->filename, first->filename);
    }
    if (count < least) return NULL;
    struct pm_claim claim =
        pm_claim_begin(diagnosis, kind == PM_HANDLE_PROCESS ? "many-children" : "many-handles",
                       count >= PM_HANDLES_MANY ? PM_SEVERITY_HIGH : PM_SEVERITY_MEDIUM, PM_CONFIDENCE_HIGH);
    pm_claim_title(&claim, "%zu %s are open", count, words);
    pm_claim_text(&claim, "%zu %s are open%s%s: something opens them and does not close them.", count, words,
                  same == count && first->filename ? ", all of " : "",
                  same == count && first->filename ? first->filename : "");
    pm_claim_advice(&claim, "%s", advice);
    return pm_claim_end(&claim);
}

static struct pm_error *piles(struct pm_diagnosis *diagnosis, const struct pm_report_facts *facts) {
    PM_TRY(pile(diagnosis, facts, PM_HANDLE_FS_EVENT, "file watchers", PM_HANDLES_SOME,
                "Close each watcher (fs.FSWatcher.close), and watch a folder once instead of once for each "
                "user of it."));
    PM_TRY(pile(diagnosis, facts, PM_HANDLE_FS_POLL, "polled files", PM_HANDLES_SOME,
                "fs.unwatchFile() what is no longer needed; fs.watch() costs less than polling."));
    PM_TRY(pile(diagnosis, facts, PM_HANDLE_PROCESS, "child processes", PM_CHILDREN_SOME,
                "Limit how many run at once (a queue), end them when a request is aborted, and give them a "
                "timeout."));
    PM_TRY(pile(diagnosis, facts, PM_HANDLE_UDP, "UDP sockets", PM_HANDLES_SOME,
                "Close sockets when the answer is there."));
    PM_TRY(pile(diagnosis, facts, PM_HANDLE_PIPE, "pipes", PM_HANDLES_SOME,
                "Pipes belong to child processes and local sockets: end them when done."));
    return pile(diagnosis, facts, PM_HANDLE_SIGNAL, "signal handlers", PM_HANDLES_SOME,
                "One handler for each signal is enough.");
}

/* ---- data that nobody reads ---- */

static struct pm_error *write_queues(struct pm_diagnosis *diagnosis, const struct pm_report_facts *facts) {
    uint64_t sum = 0;
    size_t count = 0;
    struct pm_arena *arena = diagnosis->arena;
    const struct pm_report_handle *most = NULL;
    for (size_t i = 0; i < facts->handle_count; i++) {
        const struct pm_report_handle *handle = &facts->handles[i];
        if (!pm_is_number(handle->write_queue_bytes) || !handle->write_queue_bytes) continue;
        if (!pm_is_number(sum + handle->write_queue_bytes) || sum + handle->write_queue_bytes < sum) continue;
        sum += handle->write_queue_bytes;
        count++;
        if (!most || handle->write_queue_bytes > most->write_queue_bytes) most = handle;
    }
    if (sum < PM_WRITE_QUEUE) return NULL;
    struct pm_claim claim = pm_claim_begin(
        diagnosis, "write-queue", sum >= PM_WRITE_QUEUE_LARGE ? PM_SEVERITY_HIGH : PM_SEVERITY_MEDIUM,
        PM_CONFIDENCE_HIGH);
    pm_claim_title(&claim, "data waits to be sent");
    pm_claim_text(
        &claim, "%s wait in the write queues of %zu %s: data is written faster than the other side reads it.",
        pm_report_bytes(arena, sum), count, count == 1 ? "stream" : "streams");
    pm_claim_evidence(&claim, "the largest: %s of a %s%s%s%s, fd %lld",
                      pm_report_bytes(arena, most->write_queue_bytes), most->type ? most->type : "handle",
                      most->remote.host ? " to \"" : "", most->remote.host ? most->remote.host : "",
                      most->remote.host ? "\"" : "", most->fd == PM_UNKNOWN ? -1ll : (long long)most->fd);
    pm_claim_advice(
        &claim,
        "Stop when write() returns false and go on at 'drain', or use stream.pipeline(), which does that.");
    return pm_claim_end(&claim);
}

/* ---- file descriptors ---- */

static struct pm_error *descriptors(struct pm_diagnosis *diagnosis, const struct pm_report_facts *facts) {
    const struct pm_report_limit *limit = pm_report_limit(facts, "open_files");
    uint64_t highest = 0;
    size_t by_kind[PM_HANDLE_UDP + 1] = {0}, with = 0;
    bool refused = false;
    for (size_t i = 0; i < facts->error.property_count; i++) {
        const struct pm_env_value *row = &facts->error.properties[i];
        refused |= !strcmp(row->name, "code") && row->value && !strcmp(row->value, "EMFILE");
    }
    for (size_t i = 0; i < facts->handle_count; i++) {
        const struct pm_report_handle *handle = &facts->handles[i];
        if (!pm_is_number(handle->fd)) continue;
        with++;
        by_kind[handle->kind]++;
        if (handle->fd > highest) highest = handle->fd;
    }
    if (!limit || !pm_is_number(limit->soft) || !limit->soft) return NULL;
    if (!refused && (double)(highest + 1) < PM_FILES_NEAR_LIMIT * (double)limit->soft) return NULL;
    struct pm_claim claim = pm_claim_begin(
        diagnosis, "open-files", refused ? PM_SEVERITY_CRITICAL : PM_SEVERITY_HIGH, PM_CONFIDENCE_HIGH);
    pm_claim_title(&claim, "%s",
                   refused ? "no file descriptors are left" : "file descriptors are nearly used up");
    if (refused)
        pm_claim_text(
            &claim,
            "The process may open %llu files, and all are open; %zu of them are sockets and pipes, so %s.",
            (unsigned long long)limit->soft, with,
            (double)with < 0.5 * (double)limit->soft ? "most are files" : "most are connections");
    else
        pm_claim_text(&claim, "File descriptor %llu is open, and the process may have %llu of them.",
                      (unsigned long long)highest, (unsigned long long)limit->soft);
    pm_claim_evidence(&claim, "%zu handles have descriptors: %zu TCP, %zu pipes, %zu UDP, %zu watchers", with,
                      by_kind[PM_HANDLE_TCP], by_kind[PM_HANDLE_PIPE], by_kind[PM_HANDLE_UDP],
                      by_kind[PM_HANDLE_FS_EVENT]);
    pm_claim_advice(&claim, "Close what is done (streams of aborted requests, fs handles); raise ulimit -n "
                            "when the load needs it.");
    return pm_claim_end(&claim);
}

static struct pm_error *run(struct pm_diagnosis *diagnosis, const struct pm_heap_view *heap) {
    const struct pm_report_facts *facts = pm_report_to_judge(diagnosis);
    (void)heap;
    PM_TRY(descriptors(diagnosis, facts));
    struct ports *ports PM_AUTO_FREE = calloc(1, sizeof(*ports));
    if (!ports) return pm_error_nomem();
    find_ports(facts, ports);
    PM_TRY(connections(diagnosis, facts, ports, false));
    PM_TRY(connections(diagnosis, facts, ports, true));
    PM_TRY(write_queues(diagnosis, facts));
    return piles(diagnosis, facts);
}

const struct pm_detector pm_detect_report_handles = {
    .name = "report-handles",
    .summary = "connections by peer, handles that pile up, write queues, file descriptors",
    .needs = PM_NEEDS_REPORT,
    .run = run,
};
