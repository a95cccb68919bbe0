/* fuzz_pod.c - any bytes as what kubectl prints of pods. */
#include <stdlib.h>
#include <string.h>

#include "parsers/formats.h"
#include "parsers/pod.h"
#include "postmortem/model/pod.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pm_diagnosis *diagnosis PM_AUTO(diagnosis) = pm_diagnosis_create();
    struct pm_input input = {.path = (char *)"pod", .bytes = data, .size = size, .file_size = size};
    struct pm_input_info info = {.path = "pod", .kind = "pod", .complete = true};
    size_t sum = 0;
    if (!diagnosis) return 0;
    pm_format_of(&input);
    diagnosis->inputs = &info;
    diagnosis->input_count = 1;
    struct pm_error *err = pm_pod_load(&input, diagnosis);
    if (!err && !diagnosis->pod_count) abort();
    for (size_t i = 0; i < diagnosis->pod_count; i++)
        for (size_t k = 0; k < diagnosis->pods[i]->container_count; k++) {
            const struct pm_pod_container *container = &diagnosis->pods[i]->containers[k];
            sum += strlen(container->name) + (container->image ? strlen(container->image) : 0);
            if (container->state.finished_ms != PM_UNKNOWN && !container->state.finished_at) abort();
        }
    (void)*(volatile size_t *)&sum;
    pm_error_destroy(err);
    return 0;
}
