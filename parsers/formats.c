#include "parsers/formats.h"

#include <elf.h>
#include <string.h>

#include "parsers/core_file.h"

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
    return is_json(input) && contains(input, "\"header\"") && contains(input, "\"reportVersion\"");
}

static bool is_heap_snapshot(const struct pm_input *input) {
    return is_json(input) && contains(input, "\"snapshot\"") && contains(input, "\"node_fields\"");
}

static bool is_heap_profile(const struct pm_input *input) {
    return is_json(input) && contains(input, "\"head\"") && contains(input, "\"callFrame\"") &&
           contains(input, "\"selfSize\"");
}

static bool is_cpu_profile(const struct pm_input *input) {
    return is_json(input) && contains(input, "\"nodes\"") && contains(input, "\"callFrame\"") &&
           contains(input, "\"hitCount\"");
}

static bool is_prof_log(const struct pm_input *input) {
    return input->size > 11 && !memcmp(input->bytes, "v8-version,", 11);
}

static bool is_log(const struct pm_input *input) {
    return contains(input, "<--- Last few GCs --->") || contains(input, "FATAL ERROR: ") ||
           contains(input, "Mark-Compact") || contains(input, "Mark-sweep") ||
           contains(input, " ms: Scavenge");
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

#define CORES_ONLY "This version reads cores only."

static const struct pm_format formats[] = {
    {"empty", "an empty file", false,
     "A core of 0 bytes: the disk was full, or the core limit is 0 (ulimit -c).", is_empty},
    {"core", "a core", true, NULL, pm_core_sniff},
    {"executable", "an ELF file, but not a core", false, "A program is given with --exe, beside its core.",
     is_elf},
    {"report", "a diagnostic report", false, CORES_ONLY, is_report},
    {"heapsnapshot", "a heap snapshot", false, CORES_ONLY, is_heap_snapshot},
    {"heapprofile", "a heap profile", false, CORES_ONLY, is_heap_profile},
    {"cpuprofile", "a CPU profile", false, CORES_ONLY, is_cpu_profile},
    {"prof-log", "a V8 --prof log", false, CORES_ONLY, is_prof_log},
    {"log", "a log", false, CORES_ONLY, is_log},
    {"json", "a JSON file of an unknown kind", false, CORES_ONLY, is_other_json},
    {"unknown", "not a core, and nothing else this program knows", false,
     "A core begins with the bytes 7f 45 4c 46; was the file cut at its start, or is it packed in an archive "
     "(tar)?",
     is_anything},
};

const struct pm_format *pm_format_of(const struct pm_input *input) {
    size_t i = 0;
    while (!formats[i].sniff(input)) i++;
    return &formats[i];
}
