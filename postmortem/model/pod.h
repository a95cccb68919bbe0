/* pod.h - what Kubernetes says of a pod: `kubectl get pod NAME -o json`, as plain data. One struct for each
 * pod of a list.
 *
 * Knows no JSON. OWNERSHIP  everything hangs in the diagnosis' arena. All texts are untrusted.
 * UNKNOWN    PM_UNKNOWN, NULL, PM_POD_STATE_NONE. A container without a limit has PM_UNKNOWN there, too: in a
 * pod "not set" is all there is to know. */
#ifndef PM_MODEL_POD_H
#define PM_MODEL_POD_H

#include "postmortem/model/diagnosis.h"

enum pm_pod_state_kind {
    PM_POD_STATE_NONE,
    PM_POD_STATE_WAITING,
    PM_POD_STATE_RUNNING,
    PM_POD_STATE_TERMINATED
};

struct pm_pod_state {
    enum pm_pod_state_kind kind;
    const char *reason;  /* OOMKilled, Error, Completed, CrashLoopBackOff ... */
    const char *message; /* the termination message, or why it waits */
    uint64_t exit_code, signal;
    const char *started_at, *finished_at; /* as written: 2026-11-25T18:00:00Z */
    uint64_t started_ms, finished_ms;     /* the same as ms since 1970 */
};

struct pm_pod_container {
    const char *name, *image, *container_id;
    bool init, ephemeral;
    bool ready;
    uint64_t restart_count;
    struct pm_pod_state state, last_state;
    uint64_t memory_limit, memory_request; /* bytes */
    uint64_t cpu_limit, cpu_request;       /* thousandths of a core */
    const char *node_options;              /* env NODE_OPTIONS of the container's specification */
};

struct pm_pod {
    size_t input; /* index in diagnosis->inputs */
    const char *namespace_name, *name, *uid;
    const char *node, *pod_ip, *host_ip;
    const char *phase, *qos;      /* Running, Failed ...; Guaranteed, Burstable, BestEffort */
    const char *reason, *message; /* of the pod itself: Evicted ... */
    const char *start_time;
    uint64_t start_ms;
    struct pm_pod_container *containers;
    size_t container_count;
};

#endif
