#include "postmortem/incident.h"

#include <inttypes.h>
#include <string.h>

#include "postmortem/base/vec.h"
#include "postmortem/model/gc_log.h"
#include "postmortem/model/pod.h"
#include "postmortem/model/profile.h"
#include "postmortem/model/report_facts.h"

#define ONE_DEATH_MS                                                                                         \
    60000 /* a process dies once; two fatal reports within a minute may be of its threads                    \
           */

/* What a file says of whom it is about. */
struct unit {
    size_t input;
    bool core, fatal;
    uint64_t pid, time_ms;
    const char *host, *version;
    size_t group;
};

struct groups {
    struct pm_session *session;
    PM_VEC(struct unit) units; /* files with an identity */
    size_t count;              /* of groups */
    size_t *of_input;          /* SIZE_MAX = says nothing of whom it is about */
    PM_VEC(const char *) why;  /* for each group but the first */
};

/* ---- who is it about ---- */

static void add_cores(struct groups *groups) {
    for (size_t i = 0; i < groups->session->file_count; i++) {
        const struct pm_session_file *file = &groups->session->files[i];
        struct pm_core *core PM_AUTO(core) = NULL;
        if (file->format->use != PM_USE_CORE) continue;
        struct pm_error *err = pm_core_open(file->input, &core);
        struct unit unit = {.input = i, .core = true, .pid = PM_UNKNOWN, .time_ms = PM_UNKNOWN};
        if (!err && pm_core_info(core)->pid) unit.pid = pm_core_info(core)->pid;
        pm_error_destroy(err); /* told when it is analysed */
        (void)pm_vec_push(&groups->units, unit);
    }
}

static bool is_fatal(const struct pm_report_facts *facts) {
    const char *trigger = facts->header.trigger;
    bool main_thread = facts->header.thread_id == 0 || facts->header.thread_id == PM_UNKNOWN;
    return trigger && (!strcmp(trigger, "OOMError") || !strcmp(trigger, "FatalError") ||
                       (!strcmp(trigger, "Exception") && main_thread));
}

static void add_reports(struct groups *groups) {
    const struct pm_diagnosis *diagnosis = groups->session->diagnosis;
    for (size_t i = 0; i < diagnosis->report_count; i++) {
        const struct pm_report_facts *facts = diagnosis->reports[i];
        struct unit unit = {.input = facts->input,
                            .fatal = is_fatal(facts),
                            .pid = facts->header.pid,
                            .time_ms = facts->header.time_ms,
                            .host = facts->header.host,
                            .version = facts->header.node_version};
        (void)pm_vec_push(&groups->units, unit);
    }
}

static void add_logs(struct groups *groups) {
    const struct pm_diagnosis *diagnosis = groups->session->diagnosis;
    for (size_t i = 0; i < diagnosis->gc_log_count; i++) {
        const struct pm_gc_log *log = diagnosis->gc_logs[i];
        struct unit unit = {
            .input = log->input, .pid = log->pid, .time_ms = PM_UNKNOWN, .version = log->node_version};
        if (unit.pid != PM_UNKNOWN || unit.version) (void)pm_vec_push(&groups->units, unit);
    }
}

/* Node's own names: Heap.20261125.185904.4711.0.001.heapprofile */
static uint64_t pid_in_name(const char *path) {
    const char *name = strrchr(path, '/');
    uint64_t pid = 0;
    name = name ? name + 1 : path;
    if (strncmp(name, "Heap.", 5) != 0 && strncmp(name, "CPU.", 4) != 0) return PM_UNKNOWN;
    for (int dots = 0; *name && dots < 3;) dots += *name++ == '.';
    if (*name < '1' || *name > '9') return PM_UNKNOWN;
    for (; *name >= '0' && *name <= '9' && pid < 100000000; name++) pid = pid * 10 + (uint64_t)(*name - '0');
    return *name == '.' ? pid : PM_UNKNOWN;
}

static void add_named(struct groups *groups) {
    const struct pm_diagnosis *diagnosis = groups->session->diagnosis;
    for (size_t i = 0; i < diagnosis->input_count; i++) {
        struct unit unit = {.input = i, .pid = pid_in_name(diagnosis->inputs[i].path), .time_ms = PM_UNKNOWN};
        if (unit.pid != PM_UNKNOWN) (void)pm_vec_push(&groups->units, unit);
    }
}

/* ---- what speaks against it ---- */

/* NULL = nothing; else a clause, in the arena. */
static const char *conflict(struct pm_arena *arena, const struct unit *a, const struct unit *b) {
    if (a->core && b->core) return "each core is a death of its own";
    if (a->host && b->host && strcmp(a->host, b->host) != 0)
        return pm_arena_printf(arena, "its host is %s, not %s", a->host, b->host);
    if (a->pid != PM_UNKNOWN && b->pid != PM_UNKNOWN && a->pid != b->pid)
        return pm_arena_printf(arena, "its process is %" PRIu64 ", not %" PRIu64, a->pid, b->pid);
    if (a->version && b->version && strcmp(a->version, b->version) != 0)
        return pm_arena_printf(arena, "its Node.js is %s, not %s", a->version, b->version);
    if (a->fatal && b->fatal && a->time_ms != PM_UNKNOWN && b->time_ms != PM_UNKNOWN) {
        uint64_t apart = a->time_ms > b->time_ms ? a->time_ms - b->time_ms : b->time_ms - a->time_ms;
        if (apart > ONE_DEATH_MS) return "it tells of a death at another time";
    }
    return NULL;
}

static bool fits(const struct groups *groups, const struct unit *unit, size_t group, const char **why) {
    for (size_t i = 0; i < groups->units.count; i++) {
        const struct unit *other = &groups->units.items[i];
        if (other == unit) break; /* those behind it have no group yet */
        if (other->group != group) continue;
        const char *reason = conflict(groups->session->diagnosis->arena, unit, other);
        if (reason && !*why) *why = reason;
        if (reason) return false;
    }
    return true;
}

static bool assign(struct groups *groups) {
    for (size_t i = 0; i < groups->units.count; i++) {
        struct unit *unit = &groups->units.items[i];
        const char *why = NULL;
        size_t group = 0;
        while (group < groups->count && !fits(groups, unit, group, &why)) group++;
        unit->group = group;
        if (group == groups->count) {
            if (groups->count && !pm_vec_push(&groups->why, why)) return false;
            groups->count++;
        }
        groups->of_input[unit->input] = group;
    }
    return true;
}

/* A file without an identity: with those of its folder, when the folders tell the incidents apart. */
static void assign_others(struct groups *groups) {
    const struct pm_diagnosis *diagnosis = groups->session->diagnosis;
    for (size_t i = 0; i < diagnosis->input_count; i++) {
        const char *path = diagnosis->inputs[i].path, *slash = strrchr(path, '/');
        size_t length = slash ? (size_t)(slash - path) : 0, found = SIZE_MAX;
        if (groups->of_input[i] != SIZE_MAX) continue;
        for (size_t k = 0; k < groups->units.count; k++) {
            const char *other = diagnosis->inputs[groups->units.items[k].input].path,
                       *its = strrchr(other, '/');
            size_t its_length = its ? (size_t)(its - other) : 0;
            bool same = its_length == length && !strncmp(path, other, length);
            if (same)
                found = found == SIZE_MAX || found == groups->units.items[k].group
                            ? groups->units.items[k].group
                            : 0;
        }
        groups->of_input[i] = found == SIZE_MAX ? 0 : found;
    }
}

/* ---- apart ---- */

static bool move_input(struct pm_diagnosis *from, struct pm_diagnosis *to, size_t input, size_t *moved) {
    struct pm_input_info *rows = pm_arena_array(to->arena, to->input_count + 1, sizeof(*rows));
    if (!rows) return false;
    if (to->input_count) memcpy(rows, to->inputs, to->input_count * sizeof(*rows));
    rows[to->input_count] = from->inputs[input];
    to->inputs = rows;
    *moved = to->input_count++;
    return true;
}

/* Moves the facts of an input to another list: all structs begin with their input's index. */
static void move_facts(void **items, size_t *count, struct pm_diagnosis *to, void ***to_items,
                       size_t *to_count, size_t input, size_t moved) {
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++) {
        size_t *its_input = items[i];
        if (*its_input != input) {
            items[kept++] = items[i];
            continue;
        }
        *its_input = moved;
        pm_diagnosis_problem(to, pm_diagnosis_append(to, to_items, to_count, items[i]));
    }
    *count = kept;
}
#define INPUT_IS_FIRST(type)                                                                                 \
    _Static_assert(offsetof(struct type, input) == 0, "the input's index comes first")
INPUT_IS_FIRST(pm_report_facts);
INPUT_IS_FIRST(pm_profile);
INPUT_IS_FIRST(pm_gc_log);
INPUT_IS_FIRST(pm_pod);

static bool move(struct pm_session *session, struct pm_diagnosis *to, size_t input) {
    struct pm_diagnosis *from = session->diagnosis;
    size_t moved;
    if (!move_input(from, to, input, &moved)) return false;
#define MOVE(list, number)                                                                                   \
    move_facts((void **)from->list, &from->number, to, (void ***)&to->list, &to->number, input, moved)
    MOVE(reports, report_count);
    MOVE(profiles, profile_count);
    MOVE(gc_logs, gc_log_count);
    MOVE(pods, pod_count);
#undef MOVE
    return true;
}

/* What is left in the first diagnosis gets the numbers of the inputs that are left. */
static void close_gaps(const struct groups *groups) {
    struct pm_diagnosis *diagnosis = groups->session->diagnosis;
    size_t kept = 0;
    for (size_t i = 0; i < diagnosis->input_count; i++) {
        if (groups->of_input[i] != 0) continue;
        size_t at = kept++;
        diagnosis->inputs[at] = diagnosis->inputs[i];
        for (size_t k = 0; k < diagnosis->report_count; k++)
            if (diagnosis->reports[k]->input == i) diagnosis->reports[k]->input = at;
        for (size_t k = 0; k < diagnosis->profile_count; k++)
            if (diagnosis->profiles[k]->input == i) diagnosis->profiles[k]->input = at;
        for (size_t k = 0; k < diagnosis->gc_log_count; k++)
            if (diagnosis->gc_logs[k]->input == i) diagnosis->gc_logs[k]->input = at;
        for (size_t k = 0; k < diagnosis->pod_count; k++)
            if (diagnosis->pods[k]->input == i) diagnosis->pods[k]->input = at;
    }
    diagnosis->input_count = kept;
}

/* What was lost of a file is said where the file is. */
static void move_skipped(const struct groups *groups) {
    struct pm_diagnosis *main_one = groups->session->diagnosis;
    size_t kept = 0, total = main_one->skipped_count;
    for (size_t row = 0; row < total; row++) {
        size_t group = 0;
        for (size_t i = 0; i < groups->session->file_count; i++)
            if (row >= groups->session->files[i].skipped_from && row < groups->session->files[i].skipped_to)
                group = groups->of_input[i];
        const struct pm_skipped *skipped = &main_one->skipped[row];
        if (group)
            pm_diagnosis_skip(main_one->others[group - 1], skipped->what, skipped->count, skipped->bytes,
                              skipped->why);
        else
            main_one->skipped[kept++] = *skipped;
    }
    main_one->skipped_count = kept;
    if (total && !kept && !main_one->problem_count) main_one->exit_code = PM_EXIT_COMPLETE;
}

static void say_apart(const struct groups *groups, size_t group) {
    struct pm_diagnosis *diagnosis = groups->session->diagnosis;
    const struct pm_diagnosis *other = diagnosis->others[group - 1];
    struct pm_finding *finding = pm_diagnosis_finding(diagnosis);
    const char *why = groups->why.items[group - 1];
    if (!finding) return;
    finding->id = "other-incident";
    finding->severity = PM_SEVERITY_INFO;
    finding->confidence = PM_CONFIDENCE_HIGH;
    finding->title = "Another incident among the files";
    finding->claim = pm_arena_printf(diagnosis->arena, "%s%s: %s. It is told apart.",
                                     other->input_count ? other->inputs[0].path : "A file",
                                     other->input_count > 1 ? " (and others) are of another incident"
                                                            : " is of another incident",
                                     why ? why : "it does not fit to the others");
}

static struct pm_error *split(struct groups *groups) {
    struct pm_session *session = groups->session;
    struct pm_diagnosis *diagnosis = session->diagnosis;
    diagnosis->others = pm_arena_array(diagnosis->arena, groups->count - 1, sizeof(*diagnosis->others));
    if (!diagnosis->others) return pm_error_nomem();
    for (size_t group = 1; group < groups->count; group++) {
        struct pm_diagnosis *other = pm_diagnosis_create();
        if (!other) return pm_error_nomem();
        diagnosis->others[diagnosis->other_count++] = other;
        for (size_t i = 0; i < diagnosis->input_count; i++)
            if (groups->of_input[i] == group && !move(session, other, i)) return pm_error_nomem();
        say_apart(groups, group);
    }
    move_skipped(groups);
    close_gaps(groups);
    for (size_t i = 0; i < session->file_count; i++) session->files[i].group = groups->of_input[i];
    return NULL;
}

struct pm_error *pm_incident_split(struct pm_session *session) {
    struct groups groups = {.session = session};
    struct pm_error *err = NULL;
    if (session->file_count < 2) return NULL;
    groups.of_input = malloc(session->diagnosis->input_count * sizeof(*groups.of_input));
    if (!groups.of_input) return pm_error_nomem();
    for (size_t i = 0; i < session->diagnosis->input_count; i++) groups.of_input[i] = SIZE_MAX;
    add_cores(&groups);
    add_reports(&groups);
    add_logs(&groups);
    add_named(&groups);
    if (!assign(&groups)) err = pm_error_nomem();
    assign_others(&groups);
    if (!err && groups.count > 1) err = split(&groups);
    free(groups.of_input);
    pm_vec_deinit(&groups.units);
    pm_vec_deinit(&groups.why);
    return err;
}
