/* Fuzz target: logs. */
#include "parsers/gc_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pm_diagnosis *diagnosis PM_AUTO(diagnosis) = pm_diagnosis_create();
    struct pm_input input = {.bytes = data, .size = size, .file_size = size};
    if (size) pm_gc_log_sniff(&input);
    pm_error_destroy(pm_gc_log_load(&input, diagnosis));
    return 0;
}
