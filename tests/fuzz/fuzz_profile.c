/* Fuzz target: profiles, with the reader FUZZ_LOAD (.heapprofile, .cpuprofile, --prof logs). */
#include "parsers/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pm_diagnosis *diagnosis PM_AUTO(diagnosis) = pm_diagnosis_create();
    struct pm_input input = {.bytes = data, .size = size, .file_size = size};
    pm_error_destroy(FUZZ_LOAD(&input, diagnosis));
    for (size_t i = 0; i < diagnosis->profile_count; i++) {
        const struct pm_profile *profile = diagnosis->profiles[i];
        if (!profile->call_count || profile->calls[0].end != profile->call_count) __builtin_trap();
        for (uint32_t k = 1; k < profile->call_count; k++)
            if (profile->calls[k].caller >= k || profile->calls[k].function >= profile->function_count)
                __builtin_trap();
    }
    return 0;
}
