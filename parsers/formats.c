#include "parsers/formats.h"

#include <elf.h>
#include <string.h>

#include "parsers/core_file.h"
#include "parsers/gc_log.h"
#include "parsers/pod.h"
#include "parsers/profile.h"
#include "parsers/report.h"

/* Enough for the first keys of any JSON input, without reading a large file. */
#define SNIFF_BYTES 65536

static bool contains(const struct pm_input *input, const char *text) {
    size_t size = input->size < SNIFF_BYTES ? (size_t)input->size : SNIFF_BYTES;
    return size && memmem(input->bytes, size, text, strlen(text));
}

static bool is_json(const struct pm_input *input) {
    uint64_t i = 0;
    if (input->size >= 3 && !memcmp(input->bytes, "\xef\xbb\xbf", 3)) i = 3;
    while (i < input->size && i < SNIFF_BYTES && strchr(" \t\r\n", input->bytes[i]) && input->bytes[i]) i++;
    return i < input->size && (input->bytes[i] == '{' || input->bytes[i] == '[');
}

static bool is_elf(const struct pm_input *input) {
    return input->size >= SELFMAG && !memcmp(input->bytes, ELFMAG, SELFMAG);
}

static bool is_report(const struct pm_input *input) {
    return is_json(input) && contains(input, "\"header\"") &&
           (contains(input, "\"reportVersion\"") || contains(input, "\"dumpEventTime\""));
}

/* kubectl writes the kind of a list at its end, the API server at its start. */
static bool is_pod(const struct pm_input *input) {
    return is_json(input) && contains(input, "\"apiVersion\"") && contains(input, "\"kind\"") &&
           (contains(input, "\"Pod\"") || contains(input, "\"PodList\""));
}

static bool is_heap_snapshot(const struct pm_input *input) {
    return is_json(input) && contains(input, "\"snapshot\"") && contains(input, "\"node_fields\"");
}

static bool is_heap_profile(const struct pm_input *input) {
    return is_json(input) && contains(input, "\"head\"") && contains(input, "\"callFrame\"") &&
           contains(input, "\"selfSize\"");
}

static bool is_cpu_profile(const struct pm_input *input) {
    return is_json(input) && (contains(input, "\"nodes\"") || contains(input, "\"head\"")) &&
           (contains(input, "\"callFrame\"") || contains(input, "\"functionName\"")) &&
           contains(input, "\"hitCount\"");
}

static bool is_prof_log(const struct pm_input *input) {
    return input->size > 11 && !memcmp(input->bytes, "v8-version,", 11);
}

static bool is_other_json(const struct pm_input *input) {
    return is_json(input);
}

static bool is_empty(const struct pm_input *input) {
    return input->size == 0;
}

static bool is_anything(const struct pm_input *input) {
    return input != NULL;
}

#define NOT_YET "This version does not read it."

static const struct pm_format formats[] = {
    {.name = "empty",
     .title = "an empty file",
     .hint = "A core of 0 bytes: the disk was full, or the core limit is 0 (ulimit -c).",
     .sniff = is_empty},
    {.name = "core", .title = "a core", .use = PM_USE_CORE, .sniff = pm_core_sniff},
    {.name = "executable",
     .title = "an ELF file, but not a core",
     .hint = "A program is given with --exe, beside its core.",
     .sniff = is_elf},
    {.name = "report",
     .title = "a diagnostic report",
     .use = PM_USE_FACTS,
     .sniff = is_report,
     .load = pm_report_load},
    {.name = "pod",
     .title = "a pod of Kubernetes",
     .use = PM_USE_FACTS,
     .sniff = is_pod,
     .load = pm_pod_load},
    {.name = "heapsnapshot", .title = "a heap snapshot", .use = PM_USE_SNAPSHOT, .sniff = is_heap_snapshot},
    {.name = "heapprofile",
     .title = "a heap profile",
     .use = PM_USE_FACTS,
     .sniff = is_heap_profile,
     .load = pm_heap_profile_load},
    {.name = "cpuprofile",
     .title = "a CPU profile",
     .use = PM_USE_FACTS,
     .sniff = is_cpu_profile,
     .load = pm_cpu_profile_load},
    {.name = "prof-log",
     .title = "a V8 --prof log",
     .use = PM_USE_FACTS,
     .sniff = is_prof_log,
     .load = pm_prof_log_load},
    {.name = "log", .title = "a log", .use = PM_USE_FACTS, .sniff = pm_gc_log_sniff, .load = pm_gc_log_load},
    {.name = "json", .title = "a JSON file of an unknown kind", .hint = NOT_YET, .sniff = is_other_json},
    {.name = "unknown",
     .title = "not a core, and nothing else this program knows",
     .hint = "A core begins with the bytes 7f 45 4c 46; was the file cut at its start, or is it packed in an "
             "archive (tar)?",
     .sniff = is_anything},
};

const struct pm_format *pm_format_of(const struct pm_input *input) {
    size_t i = 0;
    while (!formats[i].sniff(input)) i++;
    return &formats[i];
}
