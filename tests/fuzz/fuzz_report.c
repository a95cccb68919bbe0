/* fuzz_report.c - any bytes as a diagnostic report: read, and the facts walked from end to end. */
#include <stdlib.h>
#include <string.h>

#include "parsers/formats.h"
#include "parsers/report.h"
#include "postmortem/model/report_facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t touch(const char *text) {
    return text ? strlen(text) : 0;
}

static void walk(const struct pm_report_facts *facts) {
    size_t sum = touch(facts->header.event) + touch(facts->header.host) + touch(facts->error.message);
    for (size_t i = 0; i < facts->header.argc; i++) sum += touch(facts->header.argv[i]);
    for (size_t i = 0; i < facts->header.component_count; i++)
        if (!facts->header.components[i].name) abort();
    for (size_t i = 0; i < facts->error.line_count; i++) sum += touch(facts->error.lines[i]);
    if (facts->error.frame_count > facts->error.line_count) abort();
    for (size_t i = 0; i < facts->error.frame_count; i++) {
        const struct pm_frame *frame = &facts->error.frames[i];
        if (frame->position.line && !frame->position.file) abort(); /* a line of what? */
        sum += touch(frame->function) + touch(frame->position.file);
    }
    for (size_t i = 0; i < facts->native_count; i++) sum += touch(facts->native_stack[i].symbol);
    for (size_t i = 0; i < facts->handle_count; i++)
        sum += touch(facts->handles[i].type) + touch(facts->handles[i].local.host) +
               touch(facts->handles[i].filename);
    for (size_t i = 0; i < facts->heap.space_count; i++)
        if (!facts->heap.spaces[i].name) abort();
    for (size_t i = 0; i < facts->limit_count; i++)
        if (!facts->limits[i].name) abort();
    for (size_t i = 0; i < facts->environment_count; i++) sum += touch(facts->environment[i].value);
    for (size_t i = 0; i < facts->shared_object_count; i++) sum += touch(facts->shared_objects[i]);
    pm_report_limit(facts, "open_files");
    pm_report_component(facts, "v8");
    for (size_t i = 0; i < facts->worker_count; i++)
        walk(&facts->workers[i]); /* as deep as the parser goes */
    (void)*(volatile size_t *)&sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pm_diagnosis *diagnosis PM_AUTO(diagnosis) = pm_diagnosis_create();
    struct pm_input input = {.path = (char *)"report", .bytes = data, .size = size, .file_size = size};
    struct pm_input_info info = {.path = "report", .kind = "report", .complete = true};
    if (!diagnosis) return 0;
    pm_format_of(&input);
    diagnosis->inputs = &info;
    diagnosis->input_count = 1;
    struct pm_error *err = pm_report_load(&input, diagnosis);
    if (!err != (diagnosis->report_count == 1)) abort();
    for (size_t i = 0; i < diagnosis->report_count; i++) {
        walk(diagnosis->reports[i]);
        /* What was lost is told. */
        if (!diagnosis->reports[i]->complete && diagnosis->exit_code != PM_EXIT_PARTIAL) abort();
    }
    pm_error_destroy(err);
    return 0;
}
