#include "tests/report/sample.h"

#include <stdlib.h>

/* Escapes, markup, line breaks, bidirectional text, broken UTF-8. */
#define HOSTILE "\033[31mred\033[0m <script>alert(1)</script> |`*_ \n \xe2\x80\xae\xff end"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct pm_frame frames_of_main[] = {
    {.kind = PM_FRAME_NATIVE,
     .function = "node::Abort()",
     .module = "/usr/local/bin/node",
     .offset = 0xe46bdb,
     .address = 0xe46bdb},
    {.kind = PM_FRAME_NATIVE,
     .function = "v8::internal::V8::FatalProcessOutOfMemory(v8::internal::Isolate*, char const*)",
     .module = "/usr/local/bin/node",
     .offset = 0x1245667,
     .address = 0x1245667},
    {.kind = PM_FRAME_ENTRY,
     .function = "exit",
     .hidden = true,
     .address = 0x7f0011223344,
     .offset = PM_UNKNOWN},
    {.kind = PM_FRAME_BUILTIN,
     .function = "Map.set",
     .receiver = "Map(131073)",
     .address = 0x7f0011223355,
     .offset = PM_UNKNOWN},
    {.kind = PM_FRAME_JS,
     .tier = PM_TIER_TURBOFAN,
     .inlined = true,
     .function = "remember",
     .position = {"/app/src/cache.js", 7, 9},
     .address = 0x7f00aabbccdd,
     .offset = PM_UNKNOWN},
    {.kind = PM_FRAME_JS,
     .tier = PM_TIER_TURBOFAN,
     .function = "handleRequest",
     .position = {"/app/src/server.js", 8, 3},
     .approximate = true,
     .address = 0x7f00aabbccdd,
     .offset = PM_UNKNOWN,
     .arguments = (const char *[]){"{id: 4711}", HOSTILE},
     .argument_count = 2},
    {.kind = PM_FRAME_JS,
     .tier = PM_TIER_INTERPRETED,
     .constructor = true,
     .function = "UserSession",
     .position = {"/app/src/a-rather-long-folder-name/with-another-one/below-it/session-of-a-user.js", 12, 5},
     .address = 0x7f00aabb0000,
     .offset = PM_UNKNOWN},
    {.kind = PM_FRAME_JS,
     .function = "process.processImmediate",
     .position = {"node:internal/timers", 484, 21},
     .address = 0x7f00aabb0001,
     .offset = PM_UNKNOWN},
    {.kind = PM_FRAME_JS,
     .is_async = true,
     .function = "",
     .position = {"/app/index.mjs", 3, 1},
     .offset = PM_UNKNOWN},
    {.kind = PM_FRAME_NATIVE,
     .function = "uv_run",
     .module = "/usr/local/bin/node",
     .offset = 0x1d376bc,
     .address = 0x1d376bc},
    {.kind = PM_FRAME_NATIVE, .module = "/lib/libc.so.6", .offset = 0x2724a, .address = 0x7f1000002724a},
};

static struct pm_frame frames_of_worker[] = {
    {.kind = PM_FRAME_JS,
     .function = "walk",
     .position = {"/app/tree.js", 5, 10},
     .address = 1,
     .offset = PM_UNKNOWN},
    {.kind = PM_FRAME_JS,
     .function = "walk",
     .position = {"/app/tree.js", 5, 10},
     .address = 1,
     .offset = PM_UNKNOWN},
    {.kind = PM_FRAME_JS,
     .function = "walk",
     .position = {"/app/tree.js", 5, 10},
     .address = 1,
     .offset = PM_UNKNOWN},
    {.kind = PM_FRAME_JS,
     .function = "walk",
     .position = {"/app/tree.js", 5, 10},
     .address = 1,
     .offset = PM_UNKNOWN},
    {.kind = PM_FRAME_JS,
     .function = "start",
     .position = {"/app/tree.js", 9, 1},
     .address = 2,
     .offset = PM_UNKNOWN},
};

static struct pm_frame frames_of_pool[] = {
    {.kind = PM_FRAME_NATIVE,
     .function = "uv_cond_wait",
     .module = "/usr/local/bin/node",
     .offset = 0x1d47219,
     .address = 0x1d47219},
};

static struct pm_thread threads[] = {
    {.tid = 4711,
     .name = "node",
     .role = PM_ROLE_MAIN,
     .state = PM_STATE_FATAL,
     .crashed = true,
     .isolate = 0x10000,
     .state_detail = "V8's fatal error: out of memory",
     .frames = frames_of_main,
     .frame_count = COUNT(frames_of_main)},
    {.tid = 4720,
     .name = "worker",
     .role = PM_ROLE_WORKER,
     .state = PM_STATE_RUNNING_JS,
     .isolate = 0x20000,
     .frames = frames_of_worker,
     .frame_count = COUNT(frames_of_worker),
     .incomplete = "the stack is not saved beyond 0x7ffc00001000",
     .js_fallback = true},
    {.tid = 4712,
     .role = PM_ROLE_POOL,
     .state = PM_STATE_POOL_IDLE,
     .frames = frames_of_pool,
     .frame_count = 1},
    {.tid = 4713,
     .role = PM_ROLE_POOL,
     .state = PM_STATE_POOL_IDLE,
     .frames = frames_of_pool,
     .frame_count = 1},
    {.tid = 4714, .name = HOSTILE, .role = PM_ROLE_OTHER, .state = PM_STATE_UNKNOWN},
};

static struct pm_space spaces_of_main[] = {
    {"read_only_space", 1, 110616, 110104, 416, 2496, 0},       {"new_space", 4, 1048576, 257688, 0, 0, 0},
    {"old_space", 217, 56713984, 55602208, 111776, 1338015, 0}, {"code_space", 0, 0, 0, 0, 0, 0},
    {"large_object_space", 2, 3948544, 3932160, 0, 2, 4096},
};
static struct pm_space spaces_of_worker[] = {
    {"old_space", 12, 3000000, 2500000, 500000, PM_UNKNOWN, 0},
};

static struct pm_class_row histogram_of_main[] = {
    {"Date", 131073, 12583008, PM_UNKNOWN},
    {"(array)", 132075, 9600000, PM_UNKNOWN},
    {"UserSession", 131073, 8388672, PM_UNKNOWN},
    {HOSTILE, 3, 96, PM_UNKNOWN},
    {"(string)", 272488, 7800000, 18446744073709551614u},
};

static struct pm_isolate isolates[] = {
    {.address = 0x10000,
     .heap = 0x10100,
     .tid = 4711,
     .is_main = true,
     .spaces = spaces_of_main,
     .space_count = COUNT(spaces_of_main),
     .external_bytes = PM_UNKNOWN,
     .array_buffer_bytes = 10400,
     .external_string_bytes = 1200000,
     .max_old_generation = 62914560,
     .max_semi_space = 16777216,
     .heap_limit = 113246208,
     .objects = 1343162,
     .object_bytes = 59900000,
     .unparsed_bytes = 4096,
     .reachable_objects = PM_UNKNOWN,
     .reachable_bytes = PM_UNKNOWN,
     .unreachable_objects = PM_UNKNOWN,
     .unreachable_bytes = PM_UNKNOWN,
     .histogram = histogram_of_main,
     .histogram_count = COUNT(histogram_of_main)},
    {.address = 0x20000,
     .heap = 0x20100,
     .tid = 4720,
     .gc_state = 2,
     .spaces = spaces_of_worker,
     .space_count = 1,
     .external_bytes = PM_UNKNOWN,
     .array_buffer_bytes = PM_UNKNOWN,
     .external_string_bytes = PM_UNKNOWN,
     .max_old_generation = PM_UNKNOWN,
     .max_semi_space = PM_UNKNOWN,
     .heap_limit = PM_UNKNOWN,
     .objects = 41000,
     .object_bytes = 2400000,
     .reachable_objects = PM_UNKNOWN,
     .reachable_bytes = PM_UNKNOWN,
     .unreachable_objects = PM_UNKNOWN,
     .unreachable_bytes = PM_UNKNOWN},
};

static struct pm_env_value environment[] = {{"NODE_OPTIONS", "--max-old-space-size=60"},
                                            {"HOSTNAME", "shop-7d9c5b6f4-x2x8k"},
                                            {"KUBERNETES_SERVICE_HOST", HOSTILE}};

static struct pm_finding findings[] = {
    {.id = "unbounded-map",
     .severity = PM_SEVERITY_CRITICAL,
     .confidence = PM_CONFIDENCE_HIGH,
     .title = "Map `cache` only grows",
     .claim =
         "Map `cache` in /app/src/cache.js:4 holds 131,073 entries and retains 56.0 MB (94.1 % of the heap).",
     .advice = "Give it a size limit or a time to live.",
     .evidence = (const char *[]){"keys are sequential", HOSTILE},
     .evidence_count = 2,
     .retained_bytes = 56000000,
     .share = 0.941,
     .owner_path = "cache -> Map",
     .owner_name = "cache",
     .owner = {"/app/src/cache.js", 4, 7},
     .positions = (struct pm_role_position[]){{"holder", "", {"/app/src/cache.js", 4, 7}},
                                              {"adder", "remember", {"/app/src/cache.js", 7, 9}}},
     .position_count = 2,
     .objects = (struct pm_object_ref[]){{0x49554c1260, "Map"}},
     .object_count = 1,
     .next = (const char *[]){"postmortem inspect core 0x49554c1260"},
     .next_count = 1}};

static struct pm_input_info inputs[] = {{"/tmp/core.4711", "core", 113061888, false}};

static const char *command_line[] = {"node", "--max-old-space-size=60", "my app.js"};

struct pm_diagnosis *sample_full(void) {
    struct pm_diagnosis *diagnosis = pm_diagnosis_create();
    if (!diagnosis) abort();
    diagnosis->inputs = inputs;
    diagnosis->input_count = 1;
    diagnosis->has_process = diagnosis->has_threads = diagnosis->has_isolates = diagnosis->has_histogram =
        true;
    diagnosis->process = (struct pm_process){
        .pid = 4711,
        .program = "node",
        .title = "node app.js",
        .node_version = "22.23.3",
        .v8_version = "12.4.254.21-node.57",
        .arch = "x64",
        .argv = command_line,
        .argc = 3,
        .environment = environment,
        .environment_count = COUNT(environment),
        .signal = 6,
        .signal_code = (uint64_t)-6,
        .sender_pid = PM_UNKNOWN,
        .death = PM_DEATH_HEAP_LIMIT,
        .death_message = "Allocation failed - JavaScript heap out of memory",
        .death_location = "Reached heap limit",
        .heap_used_at_death = 59600000,
        .heap_limit_at_death = 113246208,
        .last_gcs = "[4711:0x105ab000]      351 ms: Mark-Compact (reduce) 57.7 (91.1) -> 57.7 (60.1) MB\n"
                    "[4711:0x105ab000]      394 ms: Mark-Compact (reduce) 57.7 (60.1) -> 57.0 (60.1) MB\n",
        .max_old_space_flag = 62914560,
        .max_semi_space_flag = PM_UNKNOWN};
    diagnosis->verdict =
        "Out of memory: the JavaScript heap reached its limit (60.2 MB used, limit 62.9 MB) while `remember` "
        "(/app/src/cache.js:7) was running.";
    diagnosis->signature = "6f1e2d3c4b5a6978";
    diagnosis->findings = findings;
    diagnosis->finding_count = COUNT(findings);
    diagnosis->threads = threads;
    diagnosis->thread_count = COUNT(threads);
    diagnosis->isolates = isolates;
    diagnosis->isolate_count = COUNT(isolates);
    diagnosis->read_objects = 1384162;
    diagnosis->redaction = "default";
    pm_diagnosis_skip(diagnosis, "heap bytes", 2, 4096, "not parsed");
    pm_diagnosis_skip(diagnosis, "end of the core", PM_UNKNOWN, 1000000, "cut off");
    return diagnosis;
}

struct pm_diagnosis *sample_poor(void) {
    struct pm_diagnosis *diagnosis = pm_diagnosis_create();
    if (!diagnosis) abort();
    diagnosis->inputs = inputs;
    diagnosis->input_count = 1;
    diagnosis->has_process = true;
    pm_diagnosis_problem(diagnosis, pm_error_hint(pm_error_at(PM_ERR_LAYOUT, 0x1000,
                                                              "V8 heap not read: 96 %% of the heap pages "
                                                              "are not saved in this core"),
                                                  "Cores are cut by coredump_filter or ulimit."));
    return diagnosis;
}

void sample_add_objects(struct pm_diagnosis *diagnosis) {
    static struct pm_object_field fields[] = {
        {PM_FIELD_PROPERTY, "user", "'" HOSTILE "'", 0x5000},
        {PM_FIELD_PROPERTY, "id", "4711", 0},
        {PM_FIELD_ELEMENT, "0", "Array(3)", 0x6000},
        {PM_FIELD_ENTRY, "'sess:17'", "UserSession", 0x7000},
        {PM_FIELD_VARIABLE, "cache", "Map(131073)", 0x8000},
        {PM_FIELD_INTERNAL, "[[Prototype]]", "Object", 0x9000},
    };
    static struct pm_object_detail object = {.address = 0x49554c1260,
                                             .map = 0x1234560,
                                             .class_name = "UserSession",
                                             .type = "JS_OBJECT",
                                             .space = "old_space",
                                             .isolate = 0x10000,
                                             .size = 64,
                                             .summary = "UserSession {user: ...}",
                                             .function = "UserSession",
                                             .position = {"/app/src/session.js", 4, 14},
                                             .fields = fields,
                                             .field_count = COUNT(fields),
                                             .field_total = 40};
    static struct pm_object_row rows[] = {{0x49554c1260, 64, 64, "UserSession {id: 1}"},
                                          {0x49554c13f8, 64, 64, HOSTILE}};
    static struct pm_object_list list = {"UserSession", 131073, 8388672, rows, COUNT(rows)};
    static struct pm_layout_row layout[] = {
        {"map.instance_type", "0xc", "published", "v8dbg_class_Map__instance_type"},
        {"gc_state", "-", "missing", ""}};
    diagnosis->object = &object;
    diagnosis->object_list = &list;
    diagnosis->layout = layout;
    diagnosis->layout_count = COUNT(layout);
    diagnosis->layout_score = 0.9987;
    diagnosis->has_layout = true;
}
