/* What files beside a core say, with hostile texts where a file would put them. */
#include <math.h>
#include <stdlib.h>

#include "postmortem/model/gc_log.h"
#include "postmortem/model/pod.h"
#include "postmortem/model/profile.h"
#include "postmortem/model/report_facts.h"
#include "tests/report/sample.h"

#define HOSTILE      "</title></svg><script>alert(1)</script> @everyone #12 \xe2\x80\xae\xff end"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct pm_dominator_row dominators[] = {
    {.object = 0x1000,
     .class_name = "system / Context",
     .label = "Context {cache: Map}",
     .shallow = 48,
     .retained = 56000000,
     .parent = PM_NO_ROW},
    {.object = 0x2000,
     .class_name = "Map",
     .label = "Map(131073)",
     .name = "cache",
     .shallow = 32,
     .retained = 55900000,
     .depth = 1,
     .parent = 0},
    {.object = 0x3000,
     .class_name = "(array)",
     .label = HOSTILE,
     .name = "table",
     .shallow = 4000000,
     .retained = 55800000,
     .depth = 2,
     .parent = 1,
     .rest_count = 131073,
     .rest_bytes = 51800000},
    {.object = 0x4000, .class_name = HOSTILE, .shallow = 100, .retained = 2000000, .parent = PM_NO_ROW},
};

static struct pm_call calls[] = {
    {.function = 0, .caller = UINT32_MAX, .end = 5, .total = 1000000},
    {.function = 1, .caller = 0, .end = 4, .self = 100000, .total = 900000, .count = 100},
    {.function = 2, .caller = 1, .end = 3, .self = 700000, .total = 700000, .count = 700},
    {.function = 3, .caller = 1, .end = 4, .self = 100, .total = 100, .count = 1},
    {.function = 4, .caller = 0, .end = 5, .self = 100000, .total = 100000, .count = 100},
};
static struct pm_profile_function functions[] = {
    {.name = "(root)", .kind = PM_CALL_ROOT, .package = 2, .total = 1000000},
    {.name = "handleRequest", .position = {"/app/src/server.js", 8, 3}, .self = 100000, .total = 900000},
    {.name = HOSTILE,
     .position = {"/app/node_modules/x/i.js", 1, 1},
     .package = 1,
     .self = 700000,
     .total = 700000},
    {.name = "tiny", .self = 100, .total = 100},
    {.name = "(garbage collector)", .kind = PM_CALL_GC, .package = 3, .self = 100000, .total = 100000},
};
static struct pm_profile_group packages[] = {{"(app)", 100000, 900000, 100},
                                             {"x", 700000, 700000, 700},
                                             {"(root)", 0, 1000000, 0},
                                             {"(gc)", 100000, 100000, 100}};
static struct pm_long_task tasks[] = {{.start = 1000, .duration = 60000, .gc = 5000, .entry = 1, .call = 2}};
static struct pm_profile profile = {.kind = PM_PROFILE_CPU,
                                    .source = "cpuprofile",
                                    .calls = calls,
                                    .call_count = COUNT(calls),
                                    .functions = functions,
                                    .function_count = COUNT(functions),
                                    .packages = packages,
                                    .package_count = COUNT(packages),
                                    .samples = 901,
                                    .interval = 1000,
                                    .total = 1000000,
                                    .hot_call = 2,
                                    .duration = 1000000,
                                    .gc = 100000,
                                    .tasks = tasks,
                                    .task_count = 1,
                                    .long_tasks = 1,
                                    .long_task_time = 60000};

static struct pm_gc_row gc_rows[] = {
    {.time = 100, .before = 30, .after = 20, .kind = PM_GC_SCAVENGE},
    {.time = 200, .before = 45, .after = 40, .kind = PM_GC_MARK_COMPACT},
    {.time = 150, .before = 1, .after = 1, .kind = PM_GC_SCAVENGE}, /* a clock that goes back */
    {.time = 300, .before = NAN, .after = 1, .kind = PM_GC_SCAVENGE},
    {.time = 900, .before = 57.7, .after = 57.0, .kind = PM_GC_MARK_COMPACT},
};
static struct pm_frame log_frames[] = {{.kind = PM_FRAME_JS,
                                        .function = "remember",
                                        .position = {"/app/src/cache.js", 7, 9},
                                        .offset = PM_UNKNOWN}};
static struct pm_gc_series series = {
    .pid = 4711,
    .rows = gc_rows,
    .row_count = COUNT(gc_rows),
    .seen = 5,
    .scavenges = 3,
    .mark_compacts = 2,
    .pause_total = 80,
    .pause_longest = 40,
    .gc_share = 0.1,
    .gc_share_last = NAN,
    .allocation_rate = 50,
    .trend = {.known = true, .slope = 2500, .slope_low = 2000, .slope_high = 3000, .fit = 0.9, .points = 3},
    .limit = 60,
    .minutes_to_limit = NAN};
static struct pm_log_error log_error = {.name = "TypeError",
                                        .message = HOSTILE,
                                        .source = "  boom(\n  ^",
                                        .frames = log_frames,
                                        .frame_count = 1};
static struct pm_gc_log gc_log = {.series = &series,
                                  .series_count = 1,
                                  .death = PM_DEATH_HEAP_LIMIT,
                                  .fatal = "Reached heap limit Allocation failed",
                                  .error = &log_error,
                                  .native = log_frames,
                                  .native_count = 1,
                                  .exit_code = 134,
                                  .signal = PM_UNKNOWN};

static struct pm_report_handle handles[] = {
    {.kind = PM_HANDLE_TCP,
     .type = "tcp",
     .active = PM_YES,
     .referenced = PM_YES,
     .fd = 17,
     .remote = {"10.0.0.7", "ip4", 443},
     .write_queue_bytes = 4096,
     .fires_in_ms = NAN,
     .pid = PM_UNKNOWN},
    {.kind = PM_HANDLE_TIMER,
     .type = "timer",
     .active = PM_YES,
     .fd = PM_UNKNOWN,
     .fires_in_ms = -800,
     .write_queue_bytes = PM_UNKNOWN,
     .pid = PM_UNKNOWN},
    {.kind = PM_HANDLE_OTHER,
     .type = HOSTILE,
     .fd = PM_UNKNOWN,
     .fires_in_ms = NAN,
     .filename = HOSTILE,
     .pid = PM_UNKNOWN,
     .write_queue_bytes = PM_UNKNOWN},
};
static struct pm_report_space report_spaces[] = {{"old_space", 60000000, 60000000, 60000000, 59000000, 1000}};
static struct pm_report_limit report_limits[] = {{"open_files", 1024, PM_UNLIMITED},
                                                 {HOSTILE, PM_UNKNOWN, 1}};
static const char *report_lines[] = {"at remember (/app/src/cache.js:7:9)", HOSTILE};
static struct pm_report_native_frame report_native[] = {{0x1234, "node::Abort()", NULL},
                                                        {0x5678, HOSTILE, "/lib/x"}};
static struct pm_report_facts report = {
    .complete = false,
    .sections = ~0u,
    .header = {.event = "Allocation failed - JavaScript heap out of memory",
               .trigger = "OOMError",
               .time = "2026-11-25T18:00:00Z",
               .pid = 4711,
               .node_version = "22.23.3",
               .host = HOSTILE},
    .error = {.message = HOSTILE, .unavailable = "Unavailable.", .lines = report_lines, .line_count = 2},
    .native_stack = report_native,
    .native_count = 2,
    .heap = {.total = PM_UNKNOWN,
             .used = 59000000,
             .limit = 113246208,
             .total_committed = 60000000,
             .external = 2000000,
             .malloced = PM_UNKNOWN,
             .native_contexts = 1,
             .detached_contexts = 0,
             .spaces = report_spaces,
             .space_count = 1},
    .usage = {.rss = 120000000,
              .max_rss = 130000000,
              .constrained_memory = PM_UNLIMITED,
              .available_memory = PM_UNKNOWN,
              .total_memory = PM_UNKNOWN,
              .cpu_percent = 99.5},
    .thread_usage = {.cpu_percent = NAN},
    .handles = handles,
    .handle_count = COUNT(handles),
    .limits = report_limits,
    .limit_count = 2};

static struct pm_pod_container containers[] = {
    {.name = "shop",
     .restart_count = 3,
     .memory_limit = 268435456,
     .cpu_limit = PM_UNKNOWN,
     .memory_request = PM_UNKNOWN,
     .cpu_request = PM_UNKNOWN,
     .state = {.kind = PM_POD_STATE_WAITING, .reason = "CrashLoopBackOff", .exit_code = PM_UNKNOWN},
     .last_state = {.kind = PM_POD_STATE_TERMINATED, .reason = "OOMKilled", .exit_code = 137}}};
static struct pm_pod pod = {.namespace_name = "prod",
                            .name = HOSTILE,
                            .phase = "Running",
                            .containers = containers,
                            .container_count = 1};

void sample_add_facts(struct pm_diagnosis *diagnosis) {
    static struct pm_report_facts *reports[] = {&report};
    static struct pm_profile *profiles[] = {&profile};
    static struct pm_gc_log *gc_logs[] = {&gc_log};
    static struct pm_pod *pods[] = {&pod};
    diagnosis->reports = reports;
    diagnosis->profiles = profiles;
    diagnosis->gc_logs = gc_logs;
    diagnosis->pods = pods;
    diagnosis->report_count = diagnosis->profile_count = diagnosis->gc_log_count = diagnosis->pod_count = 1;
    if (!diagnosis->isolate_count) return;
    /* the sample's isolates are shared by all samples: a copy */
    static struct pm_isolate isolates[8];
    for (size_t i = 0; i < diagnosis->isolate_count && i < COUNT(isolates); i++)
        isolates[i] = diagnosis->isolates[i];
    isolates[0].dominators = dominators;
    isolates[0].dominator_count = COUNT(dominators);
    isolates[0].dominator_rest_count = 5000;
    isolates[0].dominator_rest_bytes = 1500000;
    diagnosis->isolates = isolates;
}
